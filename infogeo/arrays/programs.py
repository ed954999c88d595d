"""Runs that are a part of a program which JAX traces: how a loop of known length goes on, and what it gives back."""
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from ..backend import Array, Namespace

__all__ = ["as_tree", "otherwise", "times"]


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


def times(count: int, step: Callable[..., tuple[Array, ...]], state: tuple[Array, ...]) -> tuple[Array, ...]:
    """The traced state after ``state = step(*state)`` so many times; derivatives go through it, forwards and backwards.

    The arrays of the state keep their shapes and dtypes.
    """
    return _jax().times(count, step, state)     # type: ignore[no-any-return]


def as_tree(cls: type) -> None:
    """Functions that JAX traces may give back objects of a dataclass."""
    _jax().as_tree(cls)
