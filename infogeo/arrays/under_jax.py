"""JAX's side of `infogeo.arrays.tracing`."""
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import partial
from math import inf, prod
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer
from jax.extend.core import jaxpr_as_fun

from ..backend import Array, Namespace, namespace_of
from ..backend.namespace import Untraceable

UNTRACEABLE = (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError,
               jax.errors.TracerIntegerConversionError, jax.errors.NonConcreteBooleanIndexError, Untraceable)
WITHOUT = "a traced array has not: call it outside jax.jit and jax.vmap"


def looks_at_numbers(error: Exception) -> bool:
    return True


def is_traced(x: Array) -> bool:
    return isinstance(x, Tracer)


is_differentiated = is_traced


def is_lasting(x: Array) -> bool:
    return not isinstance(x, Tracer)


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
# Nanoseconds an element: below the first a formula is part of those about it, below the second it is evaluated of all elements
# where one needs it. To take out none of 100 000 costs 10.
CHEAP, DEAR = 10.0, 50.0
# Of what XLA calls a function for, in float64; all else, of which it makes loops, is 0.1.
_COSTS = {"log": 5.0, "log1p": 5.0, "pow": 10.0} | dict.fromkeys(("cos", "sin", "tan", "tanh", "atan2", "expm1"), 5.0) | \
         dict.fromkeys(("erf", "erfc", "erf_inv"), 10.0) | dict.fromkeys(("lgamma", "digamma"), 30.0)
_apart: ContextVar[bool] = ContextVar("infogeo_apart", default=False)


def shortcut(xp: Namespace, short: Callable[..., Array], suffices: Callable[..., Array], whole: Callable[..., Array],
             xs: tuple[Array, ...]) -> Array:
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


def needed(mask: Array, f: Callable[..., Array], everywhere: Callable[..., Array], xs: tuple[Array, ...]) -> Array:
    if prod(mask.shape) < MANY or not is_traced(mask) or _apart.get():
        return everywhere(*xs)
    formula = jax.make_jaxpr(everywhere)(*xs)
    cost, out = _cost(formula.jaxpr) / prod(mask.shape), formula.out_avals[0]
    if cost < CHEAP:
        return jaxpr_as_fun(formula)(*xs)[0]
    if cost < DEAR:
        return jax.lax.cond(jnp.any(mask), lambda *xs: jaxpr_as_fun(formula)(*xs)[0],
                            lambda *xs: jnp.zeros(out.shape, out.dtype), *xs)
    return ruled(namespace_of(mask), partial(_in_blocks, mask, f),
                 lambda y, *xs: [_Along(everywhere, i, xs) for i in range(len(xs))], xs)


ROWS = 2560                   # elements of `by_rows`: η to θ of 100 000 Dirichlet laws of 5 took 370 ms at once, and so 78


def by_rows(f: Callable[[Array], Array], x: Array) -> Array:
    d = x.shape[-1] if x.ndim else 1
    n = x.size // max(d, 1)
    rows = -(-ROWS // max(d, 1))
    if x.size < MANY or n < 2 * rows or not is_traced(x) or _apart.get():
        return f(x)
    blocks = -(-n // rows)
    padded = jnp.pad(jnp.reshape(x, (n, d)), ((0, blocks * rows - n), (0, 0)), constant_values=jnp.nan)
    token = _apart.set(True)
    try:
        out = jax.lax.map(f, jnp.reshape(padded, (blocks, rows, d)))
    finally:
        _apart.reset(token)
    return jnp.reshape(jnp.reshape(out, (blocks * rows, d))[:n], x.shape)


def computed(xs: tuple[Array, ...]) -> tuple[Array, ...]:
    """By a choice whose outcome XLA does not know: the metric of 100 000 Dirichlet laws of 5 took 21 ms, and so 5.

    On the host `optimization_barrier` is gone before formulas are fused.
    """
    if not is_traced(xs[0]) or xs[0].size < MANY:
        return xs
    some = jnp.ravel(xs[0])[0]
    return jax.lax.cond((some <= jnp.inf) | jnp.isnan(some), lambda *xs: xs,      # type: ignore[no-any-return]
                        lambda *xs: tuple(map(jnp.zeros_like, xs)), *xs)


def _cost(formula: Any) -> float:
    """Of one evaluation on the host, roughly, in nanoseconds; of a loop infinite, of `cond` that where the condition holds."""
    total = 0.0
    for step in formula.eqns:
        inner = step.params.get("jaxpr", step.params.get("call_jaxpr"))
        if step.primitive.name in ("while", "scan"):
            return inf
        if step.primitive.name == "cond":
            total += _cost(step.params["branches"][-1].jaxpr)
        elif inner is not None:
            total += _cost(getattr(inner, "jaxpr", inner))
        else:
            total += _COSTS.get(step.primitive.name, 0.1) * max((prod(out.aval.shape) for out in step.outvars), default=0)
    return total


def _in_blocks(mask: Array, f: Callable[..., Array], *xs: Array) -> Array:
    """The rows of the mask one block after the other, in a loop that ends with them."""
    n = prod(mask.shape)
    flat = [jnp.reshape(x, (n, *x.shape[mask.ndim:])) for x in xs]
    count = jnp.cumsum(jnp.reshape(mask, (n,)), dtype=jnp.int32)

    def block(k: Array, out: Array) -> Array:
        rows = jnp.searchsorted(count, k * BLOCK + jnp.arange(1, BLOCK + 1, dtype=jnp.int32), method="scan_unrolled")
        found = f(*(x.at[rows].get(mode="fill", fill_value=jnp.nan) for x in flat))        # n, where the mask has no more
        return out.at[rows].set(found, mode="drop")

    token = _apart.set(True)            # within a formula all are taken together
    try:
        whole = jax.eval_shape(f, *flat)
        out = jax.lax.fori_loop(0, -(-count[-1] // BLOCK), block, jnp.zeros(whole.shape, whole.dtype))
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
