"""Standard variables Z of location–scale models: their densities, draws, and divergences between the laws of μ + σZ."""
from collections.abc import Callable
from dataclasses import dataclass
from math import lgamma, log, pi
from typing import Any

import numpy as np

from ..backend import Array, Namespace
from ..numerics.exponentials import expm1_gap, kl_terms, quotient_gap
from ..numerics.gamma_functions import stirling_bregman

__all__ = ["CAUCHY", "EXPONENTIAL", "GUMBEL", "GUMBEL_OF_MINIMA", "LAPLACE", "LOGISTIC", "NORMAL", "StandardLaw", "student_t"]


@dataclass(frozen=True)
class StandardLaw:
    """The law of Z.

    Attributes
    ----------
    log_density : callable (xp, z) -> (...)
    draw : callable (rng, shape) -> (*shape)
    kl : callable (xp, shift, p, q) -> (...), optional
        KL between the laws with the scales p and q, of which the first is at a place `shift` above the second; None where no
        closed form is known.

    Examples
    --------
    >>> law, xp = ig.statistics.LocationScale.cauchy().law, ig.backend.NUMPY
    >>> np.exp(law.log_density(xp, np.array([0.0, 1.0]))).round(4)  # 1 / π, …
    array([0.3183, 0.1592])
    """

    log_density: Callable[[Namespace, Array], Array]
    draw: Callable[[Any, tuple[int, ...]], Array]
    kl: Callable[[Namespace, Array, Array, Array], Array] | None = None


def _scales(xp: Namespace, p: Array, q: Array) -> Array:
    """r − 1 − log r with r = p / q."""
    return quotient_gap(xp, p, q, p - q)


def _normal_kl(xp: Namespace, shift: Array, p: Array, q: Array) -> Array:
    """½ (r² − 1 − log r²) + ½ (shift / q)²."""
    return 0.5 * quotient_gap(xp, p * p, q * q, (p - q) * (p + q)) + 0.5 * (shift / q) ** 2


def _laplace_kl(xp: Namespace, shift: Array, p: Array, q: Array) -> Array:
    """r − 1 − log r + r (e^{−u} − 1 + u) with u = |shift| / p."""
    return _scales(xp, p, q) + p / q * expm1_gap(xp, -xp.abs(shift) / p)


def _cauchy_kl(xp: Namespace, shift: Array, p: Array, q: Array) -> Array:
    """log(1 + ((p − q)² + shift²) / (4pq)). Source: Chyzak & Nielsen, arXiv:1905.10965 (2019)."""
    return xp.log1p(((p - q) / q * ((p - q) / p) + shift / q * (shift / p)) / 4.0)


def _gumbel_kl(xp: Namespace, shift: Array, p: Array, q: Array) -> Array:
    """e^v − 1 − v with v = log Γ(1 + r) − shift / q, and the Bregman divergence log Γ(r) + γ (r − 1) of log Γ from 1."""
    ratio = p / q
    one = xp.ones_like(ratio)
    gamma = kl_terms(xp, ratio, one, -xp.log(ratio)) + stirling_bregman(xp, ratio, one, (p - q) / q)
    return expm1_gap(xp, xp.log(ratio) + xp.gammaln(ratio) - shift / q) + gamma


def _exponential_kl(xp: Namespace, shift: Array, p: Array, q: Array) -> Array:
    """shift / q + r − 1 − log r; infinite where the first begins below the second."""
    return xp.where(shift >= 0, shift / q + _scales(xp, p, q), xp.full_like(shift, xp.inf))


def student_t(nu: float) -> StandardLaw:
    """Student's t of ν degrees of freedom."""
    constant = lgamma(0.5 * (nu + 1.0)) - lgamma(0.5 * nu) - 0.5 * log(nu * pi)
    return StandardLaw(lambda xp, z: constant - 0.5 * (nu + 1.0) * xp.log1p(z * z / nu),
                       lambda rng, shape: rng.standard_t(nu, shape), _cauchy_kl if nu == 1.0 else None)


NORMAL = StandardLaw(lambda xp, z: -0.5 * (z * z + log(2.0 * pi)), lambda rng, shape: rng.standard_normal(shape), _normal_kl)
LAPLACE = StandardLaw(lambda xp, z: -xp.abs(z) - log(2.0), lambda rng, shape: rng.laplace(size=shape), _laplace_kl)
CAUCHY = student_t(1.0)
LOGISTIC = StandardLaw(lambda xp, z: -xp.abs(z) - 2.0 * xp.log1p(xp.exp(-xp.abs(z))), lambda rng, shape: rng.logistic(size=shape))
GUMBEL = StandardLaw(lambda xp, z: -z - xp.exp(-z), lambda rng, shape: rng.gumbel(size=shape), _gumbel_kl)
GUMBEL_OF_MINIMA = StandardLaw(lambda xp, z: z - xp.exp(z), lambda rng, shape: -rng.gumbel(size=shape),
                               lambda xp, shift, p, q: _gumbel_kl(xp, -shift, p, q))
EXPONENTIAL = StandardLaw(lambda xp, z: xp.where(z >= 0, -z, xp.full_like(z, -np.inf)),
                          lambda rng, shape: rng.standard_exponential(shape), _exponential_kl)
