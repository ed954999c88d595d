"""log Γ and digamma on JAX, of which x > 0 is taken by formulas that XLA makes loops of.

Those of `jax.scipy.special` take 25 ns an element each where these take 8 and 4 (best of 25 of ``jax.jit(f)`` of 500 000
lognormal x in float64, one core). Next to the zeros of both functions, at 1, 1.46… and 2, they are right to an absolute 10 ε,
these to a relative 2 ε. Other x go to them.
"""
from collections.abc import Sequence
from math import log as log_of
from math import pi

import jax
import jax.numpy as jnp
import jax.scipy.special
import scipy.special

from .jax_logarithms import log
from .namespace import Array

__all__ = ["digamma", "gammaln"]

_ROOT = 1.4616321449683623                              # digamma's, to a double, where it is −9.2·10⁻¹⁷
_AT_ROOT = float(scipy.special.digamma(_ROOT))
_FAR = _ROOT + 8.0
_BERNOULLI = [float(b) for b in scipy.special.bernoulli(16)[2::2]]
_STIRLING = [b / ((2 * n + 1) * (2 * n + 2)) for n, b in enumerate(_BERNOULLI)]
# log Γ(2 + t) = (1 − γ) t + Σ (ζ(n) − 1) (−t)ⁿ / n, divided by t
_AT_TWO = [1.0 - 0.5772156649015329] + [float((-1) ** n * scipy.special.zetac(n)) / n for n in range(2, 29)]
_ATANH = [2.0 / (2 * n + 1) for n in range(9)]          # log((1 + r) / (1 − r)) / r in r²


def _slopes() -> list[float]:
    """Of g(s) = Σ B_2n / 2n sⁿ, the polynomial (g(s) − g(s₀)) / (s − s₀), times s₀, with s₀ = 1 / (root + 8)²."""
    at, total, found = _FAR**-2, 0.0, []
    for n in range(len(_BERNOULLI), 0, -1):
        total = _BERNOULLI[n - 1] / (2 * n) + total * at
        found.append(total * at)
    return found[::-1]


_SLOPES = _slopes()


def _polynomial(x: Array, coefficients: Sequence[float]) -> Array:
    total = coefficients[-1]
    for c in coefficients[-2::-1]:
        total = total * x + c
    return total


def _digamma(x: Array) -> Array:
    """digamma(x) − digamma(x₀) at its root x₀, term by term a product with x − x₀, so that no digit goes near the root.

    Mathematically, with y = x + 8 and y₀ = x₀ + 8, log(y / y₀) + (x − x₀) (Σ_{k<8} 1 / ((x + k) (x₀ + k)) + 1 / (2 y y₀)
    + (y + y₀) / (y y₀)² (g(y⁻²) − g(y₀⁻²)) / (y⁻² − y₀⁻²)), g(s) = Σ B_2n / 2n sⁿ. Source: DLMF 5.5.2 and 5.11.2.
    """
    z = jnp.minimum(x, 1e17)                # from there on all but the logarithm is a constant
    y, away = z + 8.0, z - _ROOT
    inverse, both = 1.0 / y, y + _FAR
    square = inverse * inverse
    rest = sum(1.0 / (_ROOT + k) / (z + float(k)) for k in range(8))
    rest = rest + 0.5 / _FAR * inverse + both * square * _polynomial(square, _SLOPES)
    near = x < 4.0
    r = jnp.where(near, away / both, 0.0)
    return away * rest + (jnp.where(near, r * _polynomial(r * r, _ATANH), log(x + 8.0) - log_of(_FAR)) + _AT_ROOT)


def _gammaln(x: Array) -> Array:
    """The power series about 2 for x < 9.5, by as many recurrences as that is away; Stirling's series beyond.

    No branch has a term larger than its result near the zeros at 1 and 2: there it is −t or 0 times a power series in t, less
    log x near 1. Source: DLMF 5.5.1, 5.7.3, 5.11.1.
    """
    near, low = x < 9.5, x < 1.5
    t = jnp.where(near, x - jnp.floor(x + 0.5), 0.0)
    below = jnp.where(low, x, 1.0) * jnp.where(x < 0.5, x + 1.0, 1.0)
    above = 1.0
    for k in range(1, 8):
        above = above * jnp.where(x >= 1.5 + k, x - float(k), 1.0)
    logarithm = log(jnp.where(near, jnp.where(low, below, above), x))
    inverse = 1.0 / x
    far = (x - 0.5) * (logarithm - 1.0) + (inverse * _polynomial(inverse * inverse, _STIRLING) + 0.5 * (log_of(2 * pi) - 1.0))
    return jnp.where(near, t * _polynomial(t, _AT_TWO) + jnp.where(low, -logarithm, logarithm), far)


def _digamma_of_all(x: Array) -> Array:
    x = _floating(x)
    return jax.lax.cond(~jnp.any(x <= 0.0), _digamma, jax.scipy.special.digamma, x)


def _gammaln_of_all(x: Array) -> Array:
    x = _floating(x)
    return jax.lax.cond(~jnp.any(x <= 0.0), _gammaln, jax.scipy.special.gammaln, x)


def _floating(x: Array) -> Array:
    x = jnp.asarray(x)
    return x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype(float)


_psi, _log_gamma = jax.custom_jvp(_digamma_of_all), jax.custom_jvp(_gammaln_of_all)
_psi.defjvps(lambda tangent, y, x: tangent * jax.scipy.special.polygamma(1, x))
_log_gamma.defjvps(lambda tangent, y, x: tangent * _psi(x))
digamma, gammaln = jax.jit(_psi), jax.jit(_log_gamma)
