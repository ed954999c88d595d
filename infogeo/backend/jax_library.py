"""JAX: its functions under the names of the array API, its special functions, its keys as generators."""
from collections.abc import Callable, Mapping, Sequence
from math import pi, sqrt
from secrets import randbits
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.special
import numpy as np
import scipy.special

from .adapter import Generator
from .jax_gamma import digamma, gammaln
from .jax_logarithms import log, log1p
from .namespace import SPECIAL, Array, Namespace, Untraceable

__all__ = ["JAX", "JaxGenerator", "is_key"]

HOST = ("betaincc", "betaincinv", "gammainccinv", "gammaincinv")


def to_host(x: Array) -> np.ndarray:
    if isinstance(x, jax.core.Tracer):
        raise Untraceable("this goes through NumPy, which jax.jit, jax.grad and jax.vmap cannot follow: call it on arrays")
    return np.asarray(x)


class _JaxNamespace(Namespace):
    """JAX places arrays itself: one that is made goes to the device of those that it meets, or to JAX's default.

    The widest dtypes are those that JAX has now: float32 and its kin without ``jax_enable_x64``.
    """

    @property
    def float64(self) -> Any:
        return jnp.float64 if jax.config.jax_enable_x64 else jnp.float32

    @property
    def complex128(self) -> Any:
        return jnp.complex128 if jax.config.jax_enable_x64 else jnp.complex64

    @property
    def int64(self) -> Any:
        return jnp.int64 if jax.config.jax_enable_x64 else jnp.int32

    @property
    def device(self) -> Any:
        return jax.config.jax_default_device or jax.local_devices()[0]

    def __reduce__(self) -> str:
        return "JAX"


def _through_host(name: str) -> Callable[..., Array]:
    """A function of SciPy on JAX arrays; while JAX traces, as a call back that it makes when it runs."""
    f = getattr(scipy.special, name)

    def of_arrays(*xs: Any) -> Array:
        dtype = jnp.result_type(*(x.dtype for x in xs if isinstance(x, jax.Array)))
        if not any(isinstance(x, jax.core.Tracer) for x in xs):
            return jnp.asarray(f(*map(np.asarray, xs)), dtype=dtype)
        result = jax.ShapeDtypeStruct(jnp.broadcast_shapes(*map(jnp.shape, xs)), dtype)
        back = lambda *hosts: np.asarray(f(*map(np.asarray, hosts)), dtype=dtype)
        return jax.pure_callback(back, result, *xs, vmap_method="broadcast_all")
    return of_arrays


def erfcx(x: Any) -> Array:
    """exp(x²) erfc(x): where erfc(x) underflows, from 9.2 in float32 and 26.6 in float64 on, JAX has 0; its series takes over.

    Source: DLMF 7.12.1, seven terms, of which the next is below ε from 8 and 25 on.
    """
    x = jnp.asarray(x)
    start = 8.0 if x.dtype == jnp.float32 else 25.0
    far = x > start
    large = jnp.where(far, x, start)
    r = 0.5 / jnp.square(large)
    series = 1.0
    for odd in (13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0):
        series = 1.0 - odd * r * series
    return jnp.where(far, series / (sqrt(pi) * large), jax.scipy.special.erfcx(jnp.where(far, 0.0, x)))


def erfinv(x: Any) -> Array:
    """JAX's own, right to 1e-10 near 1 in float64, with one step of Newton; of erfc on the side where erf is near 1."""
    x = jnp.asarray(x)
    y = jax.scipy.special.erfinv(x)
    sign, size, inside = jnp.sign(x), jnp.abs(x), jnp.abs(x) < 1.0
    z = jnp.where(inside, jnp.abs(y), 0.0)
    excess = jnp.where(size < 0.5, jax.scipy.special.erf(z) - size, (1.0 - size) - jax.scipy.special.erfc(z))
    return jnp.where(inside & (size > 0.0), sign * (z - 0.5 * sqrt(pi) * jnp.exp(z * z) * excess), y)


def log_ndtr(x: Any) -> Array:
    """log Φ(x), of x ≤ 0 by `erfcx`: JAX's own keeps no digit at 8, log of a number near 1, and 11 at −20, by a short series."""
    x = jnp.asarray(x)
    above = jnp.where(x > 0.0, x, 0.0)
    below = jnp.where(x > 0.0, 0.0, x)
    left = jnp.log(0.5 * erfcx(-sqrt(0.5) * below)) - 0.5 * jnp.square(below)
    return jnp.where(x > 0.0, jnp.log1p(-jax.scipy.special.ndtr(-above)), left)


def stack(arrays: Sequence[Array], axis: int = 0) -> Array:
    """`jnp.stack`; a few columns as rows, turned, in half the time: XLA asks of every number of so short a row which it is."""
    if axis == -1 and len(arrays) <= 4 and jnp.ndim(arrays[0]):
        return jnp.moveaxis(jnp.stack(arrays), 0, -1)
    return jnp.stack(arrays, axis=axis)


def _extreme(reduce: Callable[..., Array]) -> Callable[..., Array]:
    """`jnp.max` or `jnp.min`, NaN where a number is: XLA's own on the host passes over it from 4096 numbers on (jaxlib 0.10).

    How many there are is not known under `vmap`. The largest of 100 000 rows of 10 take 0.24 ms, and took 0.17.
    """
    def of_numbers(x: Any, **how: Any) -> Array:
        found = reduce(x, **how)
        if not jnp.issubdtype(x.dtype, jnp.floating) or not isinstance(x, jax.core.Tracer) and x.size < 4096:
            return found
        return jnp.where(jnp.all(x == x, **how), found, jnp.nan)
    return of_numbers


def _greater_or_less(choose: Callable[..., Array]) -> Callable[..., Array]:
    """`jnp.maximum` or `jnp.minimum`, NaN where a number is: in one loop with a sum of many XLA passes over it, too."""
    def of_numbers(x: Any, y: Any) -> Array:
        found = choose(x, y)
        if not isinstance(found, jax.core.Tracer) or not jnp.issubdtype(found.dtype, jnp.floating):
            return found
        return jnp.where((x == x) & (y == y), found, jnp.nan)
    return of_numbers


def generator(seed: Any = None) -> Array:
    return jax.random.key(randbits(63) if seed is None else seed)


def _functions() -> Mapping[str, Any]:
    special: dict[str, Any] = {key: getattr(jax.scipy.special, key) for key in SPECIAL if key not in HOST}
    own = {"digamma": digamma, "erfcx": erfcx, "erfinv": erfinv, "gammaln": gammaln, "log": log, "log1p": log1p,
           "log_ndtr": log_ndtr}
    special |= own | {key: _through_host(key) for key in HOST}
    extremes = {"max": _extreme(jnp.max), "min": _extreme(jnp.min), "maximum": _greater_or_less(jnp.maximum),
                "minimum": _greater_or_less(jnp.minimum)}
    return special | extremes | {"to_host": to_host, "generator": generator, "stack": stack}


JAX = _JaxNamespace(jnp, "jax", None, _functions(), HOST)


def is_key(x: Any) -> bool:
    """Whether it is a key of `jax.random`, of the new kind or of the old, which is two integers."""
    return bool(x.shape == () if jnp.issubdtype(x.dtype, jax.dtypes.prng_key) else x.dtype == np.uint32 and x.shape == (2,))


class JaxGenerator(Generator):
    """Draws by a key of `jax.random`, in JAX's widest floats: each draw splits it: one key, one sequence of draws."""

    def __init__(self, key: Array) -> None:
        self.key = key

    def _next(self) -> Array:
        self.key, now = jax.random.split(self.key)
        return now

    def seed(self) -> int:
        return int(jax.random.bits(self._next(), dtype=jnp.uint32))

    def random(self, size: Any = ()) -> Array:
        return jax.random.uniform(self._next(), _shape(size), JAX.float64)

    def standard_normal(self, size: Any = ()) -> Array:
        return jax.random.normal(self._next(), _shape(size), JAX.float64)

    def standard_gamma(self, shape: Array, size: Any = ()) -> Array:
        return jax.random.gamma(self._next(), jnp.asarray(shape, dtype=JAX.float64), _shape(size))

    def poisson(self, lam: Array, size: Any = ()) -> Array:
        rate = jnp.broadcast_to(jnp.asarray(lam, dtype=JAX.float64), _shape(size))
        large = rate > (1e18 if JAX.int64 == jnp.int64 else 1e9)         # half of what JAX counts to
        drawn = jax.random.poisson(self._next(), jnp.where(large, 1.0, rate), dtype=JAX.int64).astype(rate.dtype)
        return jnp.where(large, jnp.round(rate + jnp.sqrt(rate) * self.standard_normal(rate.shape)), drawn)


def _shape(size: Any) -> tuple[int, ...]:
    return tuple(size) if isinstance(size, Sequence) else (int(size),)
