"""JAX's side of `infogeo.arrays.programs`."""
from collections.abc import Callable
from dataclasses import fields
from functools import lru_cache

import jax
import jax.numpy as jnp

from ..backend import Array
from .under_jax import UNTRACEABLE

__all__ = ["UNTRACEABLE", "as_tree", "times"]


def times(count: int, step: Callable[..., tuple[Array, ...]], state: tuple[Array, ...]) -> tuple[Array, ...]:
    kinds = [(x.shape, x.dtype) for x in state]

    def further(k: Array, carry: tuple[Array, ...]) -> tuple[Array, ...]:
        return tuple(jnp.broadcast_to(x, shape).astype(dtype) for x, (shape, dtype) in zip(step(*carry), kinds))

    return jax.lax.fori_loop(0, count, further, state)      # type: ignore[no-any-return]


@lru_cache
def as_tree(cls: type) -> None:
    jax.tree_util.register_dataclass(cls, [field.name for field in fields(cls)], [])
