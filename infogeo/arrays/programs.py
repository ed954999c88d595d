"""Runs that are a part of a program which JAX traces: how a loop of known length goes on, and what it gives back."""
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from ..backend import Array, Namespace
from .tracing import is_traced, repeat

__all__ = ["again", "as_tree", "otherwise", "times"]


@lru_cache
def _jax() -> Any:
    from . import jax_programs
    return jax_programs


def otherwise(xp: Namespace, f: Callable[[], Any], g: Callable[[], Any]) -> Any:
    """``f()``; where that looks at numbers, and JAX has not got them yet, ``g()``."""
    if xp.name != "jax":
        return f()
    try:
        return f()
    except _jax().UNTRACEABLE:
        return g()


def again(xp: Namespace, going: Callable[..., Array], step: Callable[..., tuple[Array, ...]], state: tuple[Array, ...],
          most: int) -> tuple[Array, ...]:
    """The state after ``state = step(*state)`` while ``going(*state)``, at most so often.

    Where it is traced, by `repeat`, whose end is a constant; elsewhere derivatives go through the loop, and `step` may ask for
    some of its own.
    """
    if is_traced(xp, *state):
        return repeat(xp, going, step, state, most)
    for _ in range(most):
        if not going(*state):
            break
        state = step(*state)
    return state


def times(count: int, step: Callable[..., tuple[Array, ...]], state: tuple[Array, ...]) -> tuple[Array, ...]:
    """The traced state after ``state = step(*state)`` so many times; derivatives go through it, forwards and backwards.

    The arrays of the state keep their shapes and dtypes.
    """
    return _jax().times(count, step, state)     # type: ignore[no-any-return]


def as_tree(cls: type) -> None:
    """Functions that JAX traces may give back objects of a dataclass."""
    _jax().as_tree(cls)
