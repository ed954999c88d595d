"""JAX's side of `infogeo.arrays.tracing`."""
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import partial
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer

from ..backend import Array, Namespace, namespace_of
from ..backend.jax_library import Untraceable

UNTRACEABLE = (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError,
               jax.errors.TracerIntegerConversionError, jax.errors.NonConcreteBooleanIndexError, Untraceable)


def is_traced(x: Array) -> bool:
    return isinstance(x, Tracer)


is_differentiated = is_traced


def selects(x: Array) -> bool:
    return True             # no array of JAX can be written to, and each shape of a selection would be compiled by itself


def surely(condition: Array) -> bool:
    return not isinstance(condition, Tracer) and bool(condition)


still = jax.lax.stop_gradient


def repeat(going: Callable[..., Array], step: Callable[..., tuple[Array, ...]], state: tuple[Array, ...],
           most: int) -> tuple[Array, ...]:
    state = tuple(map(still, state))
    if not any(map(is_traced, state)):
        for _ in range(most):
            on = going(*state)
            if isinstance(on, Tracer) or not on:            # what a loop of known numbers goes by may be traced
                break
            state = step(*state)
        else:
            return state
        if not isinstance(on, Tracer):
            return state
    kinds = [(x.shape, x.dtype) for x in state]

    def further(carry: tuple[Array, ...]) -> tuple[Array, ...]:
        return (carry[0] + 1, *(still(jnp.broadcast_to(x, shape).astype(dtype))
                                for x, (shape, dtype) in zip(step(*carry[1:]), kinds)))

    return jax.lax.while_loop(lambda carry: (carry[0] < most) & going(*carry[1:]), further, (0, *state))[1:]    # type: ignore


def accumulate(going: Callable[..., Array], step: Callable[..., tuple[Array, ...]],
               state: tuple[Array, ...]) -> tuple[Array, ...]:
    if not any(map(is_traced, state)):
        while not isinstance(on := going(*state), Tracer) and on:
            state = step(*state)
        if not isinstance(on, Tracer):
            return state
    kinds = [(x.shape, x.dtype) for x in state]

    def further(carry: tuple[Array, ...]) -> tuple[Array, ...]:
        return tuple(jnp.broadcast_to(x, shape).astype(dtype) for x, (shape, dtype) in zip(step(*carry), kinds))

    return jax.lax.while_loop(lambda carry: going(*carry), further, state)      # type: ignore[no-any-return]


def kinds(f: Callable[..., tuple[Array, ...]], *xs: Array) -> list[Any]:
    """The shapes and dtypes of results."""
    return [(x.shape, x.dtype) for x in jax.eval_shape(f, *xs)]


def gradient(xp: Namespace, function: Callable[[Array], Array], x: Array) -> Array:
    """∂f / ∂x_k, k last, with derivatives of its own."""
    def forward(x: Array) -> Array:
        along = jax.vmap(lambda e: jax.jvp(function, (x,), (jnp.broadcast_to(e, x.shape),))[1], out_axes=-1)
        return along(jnp.eye(x.shape[-1], dtype=x.dtype))

    class Derivative:
        def push(self, xp: Namespace, tangent: Array) -> Array:
            found = gradient(xp, forward, x)
            return jnp.sum(found * tangent[(..., *(None,) * (found.ndim - tangent.ndim), slice(None))], axis=-1)

    return ruled(xp, forward, lambda y, x: (Derivative(),), (x,))


MANY, BLOCK = 4096, 1024      # elements from which on those that need a formula are taken out, so many at a time
_apart: ContextVar[bool] = ContextVar("infogeo_apart", default=False)


def shortcut(xp: Namespace, short: Callable[..., Array], suffices: Callable[..., Array], whole: Callable[..., Array],
             xs: tuple[Array, ...]) -> Array:
    if not any(map(is_traced, xs)):
        found = short(xp, *xs)
        return found if suffices(xp, found, *xs) else whole(xp, *xs)
    everywhere = partial(whole, xp)
    if max(x.size for x in xs) < MANY:
        return everywhere(*xs)

    def decided(*xs: Array) -> Array:       # a loop of one step at most: `cond` would copy what is found, a third of `to_theta`
        found = short(xp, *xs)
        return jax.lax.while_loop(lambda state: ~state[0], lambda state: (True, everywhere(*xs).astype(found.dtype)),
                                  (suffices(xp, found, *xs), found))[1]

    return ruled(xp, decided, lambda y, *xs: [_Along(everywhere, i, xs) for i in range(len(xs))], xs)


class _Along:
    """The derivative along one argument, by that of a formula of all of them."""

    def __init__(self, f: Callable[..., Array], i: int, xs: tuple[Array, ...]) -> None:
        self.f, self.i, self.xs = f, i, xs

    def push(self, xp: Namespace, tangent: Array) -> Array:
        i, xs = self.i, self.xs
        return push(lambda x: self.f(*xs[:i], x, *xs[i + 1:]), xs[i], tangent)


def needed(mask: Array, f: Callable[..., Array], xs: tuple[Array, ...]) -> Array:
    if prod(mask.shape) < MANY or not is_traced(mask) or _apart.get():
        return f(*xs)

    class Along:
        """The derivative along one argument is that of all rows together."""

        def __init__(self, i: int, xs: tuple[Array, ...]) -> None:
            self.i, self.xs = i, xs

        def push(self, xp: Namespace, tangent: Array) -> Array:
            i, xs = self.i, self.xs
            return push(lambda x: f(*xs[:i], x, *xs[i + 1:]), xs[i], tangent)

    return ruled(namespace_of(mask), partial(_in_blocks, mask, f), lambda y, *xs: [Along(i, xs) for i in range(len(xs))], xs)


def _in_blocks(mask: Array, f: Callable[..., Array], *xs: Array) -> Array:
    """The rows of the mask one block after the other, in a loop that ends with them."""
    n = prod(mask.shape)
    flat = [jnp.reshape(x, (n, *x.shape[mask.ndim:])) for x in xs]
    where = jnp.nonzero(jnp.reshape(mask, (n,)), size=-(-n // BLOCK) * BLOCK, fill_value=n)[0]

    def block(k: Array, out: Array) -> Array:
        rows = jax.lax.dynamic_slice(where, (k * BLOCK,), (BLOCK,))
        return out.at[rows].set(f(*(x.at[rows].get(mode="clip") for x in flat)), mode="drop")

    token = _apart.set(True)            # within a formula all are taken together
    try:
        whole = jax.eval_shape(f, *flat)
        out = jax.lax.fori_loop(0, -(-jnp.sum(mask) // BLOCK), block, jnp.zeros(whole.shape, whole.dtype))
    finally:
        _apart.reset(token)
    return jnp.reshape(out, (*mask.shape, *whole.shape[1:]))


KEPT = 64                                       # programs
_programs: OrderedDict[Any, Any] = OrderedDict()


def compiled(key: Any, make: Callable[[], Callable[..., Any]], xs: tuple[Any, ...]) -> Any:
    if key is not None and key in _programs:
        _programs.move_to_end(key)
        program = _programs[key]
        return None if program is None else program(*xs)
    program = jax.jit(make())
    try:
        found = program(*xs)
    except (*UNTRACEABLE, TypeError):           # a TypeError of another kind comes again where the function is called on numbers
        program = found = None
    if key is not None:
        _programs[key] = program
        while len(_programs) > KEPT:
            _programs.popitem(last=False)
    return found


def push(function: Callable[[Array], Array], x: Array, tangent: Array) -> Array:
    return jax.jvp(function, (x,), (tangent,))[1]


def pull(function: Callable[[Array], Array], x: Array, covector: Array) -> Array:
    return jax.vjp(function, x)[1](covector)[0]


def ruled(xp: Namespace, f: Callable[..., Array], rule: Callable[..., Sequence[Any]], xs: tuple[Array, ...]) -> Array:
    known = jax.custom_jvp(f)

    def derivative(primals: tuple[Array, ...], tangents: tuple[Any, ...]) -> tuple[Array, Array]:
        y = known(*primals)
        total = jnp.zeros_like(y)
        for part, tangent in zip(rule(y, *primals), tangents):
            if not isinstance(tangent, jax.custom_derivatives.SymbolicZero):
                total = total + part.push(xp, tangent)
        return y, total

    known.defjvp(derivative, symbolic_zeros=True)
    return known(*xs)
