"""The normal family with independent coordinates."""
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..arrays.draws import Draws
from ..backend import Array, Namespace
from ..domains.base import Domain
from ..domains.convex import ConvexDomain, MappedDomain, Orthant, ProductDomain, RealSpace
from .base import ConstantBaseMeasure
from .known import known_integer
from .normal import Normal

__all__ = ["DiagonalNormal"]

_NORMAL = Normal()     # each coordinate


@lru_cache
def _moments(p: int) -> MappedDomain:
    """The pairs (μ, v + μ²) with v > 0."""
    return MappedDomain(ProductDomain(RealSpace(p), Orthant(*[1] * p)),
                        lambda xp, z: xp.concat([z[..., :p], z[..., p:] + z[..., :p] ** 2], axis=-1),
                        lambda xp, eta: xp.all(eta[..., p:] > eta[..., :p] ** 2, axis=-1),
                        lambda name: f"{name}[{p}:] > {name}[:{p}]**2")


@dataclass(frozen=True)
class DiagonalNormal(ConstantBaseMeasure):
    """The normal distribution on R^p with independent coordinates of means μ_i and variances v_i.

    Mathematically, elementwise,

    - support R^p; T(x) = (x, x²); h(x) = (2π)^{−p/2}
    - θ = (μ / v, −1 / (2v)), the second half negative; η = (μ, v + μ²)
    - ψ(θ) = Σ −θ_i² / (4θ_{p+i}) − ½ log(−2θ_{p+i}); φ(η) = −p/2 − ½ Σ log v_i
    - the metric has one 2 × 2 block a coordinate, that of the normal family, so `flat` and `sharp` are O(p)

    d = 2p: first all that belongs to x, then all that belongs to x².

    Ordinary parameters: `mean` and `variance` (positive), shapes (..., p).

    Examples
    --------
    >>> ig.DiagonalNormal(2).theta_from(mean=[0.0, 1.0], variance=[1.0, 4.0])
    array([ 0.   ,  0.25 , -0.5  , -0.125])
    """

    p: int
    moves_with_x = True

    def __post_init__(self) -> None:
        known_integer(self, "p")

    @property
    def dim(self) -> int:
        return 2 * self.p

    @property
    def theta_domain(self) -> ConvexDomain:
        return ProductDomain(RealSpace(self.p), Orthant(*[-1] * self.p))

    @property
    def eta_domain(self) -> ConvexDomain:
        return _moments(self.p)

    @property
    def support(self) -> Domain:
        return RealSpace(self.p)

    @property
    def ordinary(self) -> Mapping[str, Domain]:
        return {"mean": RealSpace(self.p), "variance": Orthant(*[1] * self.p)}

    # Coordinates (..., 2p) as p points (..., p, 2) of the normal family

    def _pairs(self, xp: Namespace, x: Array) -> Array:
        return xp.matrix_transpose(xp.reshape(x, (*x.shape[:-1], 2, self.p)))

    def _join(self, xp: Namespace, pairs: Array) -> Array:
        return xp.reshape(xp.matrix_transpose(pairs), (*pairs.shape[:-2], self.dim))

    def _spread(self, xp: Namespace, blocks: Array, order: int) -> Array:
        """Blocks (..., p, 2, …, 2) of this order along the diagonal: shape (..., 2p, …, 2p)."""
        batch = blocks.ndim - order - 1
        eye = diagonal = xp.eye(self.p, dtype=blocks.dtype)
        for _ in range(order - 2):
            diagonal = diagonal[..., None] * eye
        full = xp.moveaxis(blocks, batch, -1)[(..., *[None] * (order - 1))] * diagonal       # axes: batch, 2 …, p …
        axes = [batch + axis for k in range(order) for axis in (k, order + k)]
        return xp.reshape(xp.permute_dims(full, (*range(batch), *axes)), (*blocks.shape[:batch], *[self.dim] * order))

    def _sum(self, xp: Namespace, kernel: Callable[..., Array], *xs: Array) -> Array:
        return xp.sum(kernel(xp, *(self._pairs(xp, x) for x in xs)), axis=-1)

    def _each(self, xp: Namespace, kernel: Callable[..., Array], *xs: Array) -> Array:
        return self._join(xp, kernel(xp, *(self._pairs(xp, x) for x in xs)))

    @property
    def log_h(self) -> float:
        return -0.5 * self.p * float(np.log(2 * np.pi))

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        return self._sum(xp, _NORMAL._potential, theta)

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        return self._each(xp, _NORMAL._to_eta, theta)

    def _metric(self, xp: Namespace, theta: Array) -> Array:
        return self._spread(xp, _NORMAL._metric(xp, self._pairs(xp, theta)), 2)

    def _cubic_tensor(self, xp: Namespace, theta: Array) -> Array:
        return self._spread(xp, _NORMAL._cubic_tensor(xp, self._pairs(xp, theta)), 3)

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        return self._each(xp, _NORMAL._to_theta, eta)

    def _dual_potential(self, xp: Namespace, eta: Array) -> Array:
        return self._sum(xp, _NORMAL._dual_potential, eta)

    def _flat(self, xp: Namespace, theta: Array, vector: Array) -> Array:
        return self._each(xp, _NORMAL._flat, theta, vector)

    def _sharp(self, xp: Namespace, theta: Array, covector: Array) -> Array:
        return self._each(xp, _NORMAL._sharp, theta, covector)

    def _root(self, xp: Namespace, theta: Array, z: Array) -> Array:
        return self._each(xp, _NORMAL._root, theta, z)

    def _dual_metric(self, xp: Namespace, eta: Array) -> Array:
        return self._spread(xp, _NORMAL._dual_metric(xp, self._pairs(xp, eta)), 2)

    def _dual_flat(self, xp: Namespace, eta: Array, vector: Array) -> Array:
        return self._each(xp, _NORMAL._dual_flat, eta, vector)

    def _dual_sharp(self, xp: Namespace, eta: Array, covector: Array) -> Array:
        return self._each(xp, _NORMAL._dual_sharp, eta, covector)

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return xp.concat([x, x**2], axis=-1)

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        """Σ −½ (x_i − μ_i)² / v_i − ½ log(2πv_i): the squares completed, which do not cancel."""
        return xp.sum(_NORMAL._log_density(xp, self._pairs(xp, theta), x), axis=-1)

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        return self._sum(xp, _NORMAL._entropy, theta)

    def _kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        return self._sum(xp, _NORMAL._kl, theta_p, theta_q)

    def _fit(self, xp: Namespace, x: Array, weights: Array) -> Array:
        return self._join(xp, _NORMAL._fit(xp, x, weights[..., None]))

    def _mean_of_points(self, xp: Namespace, theta: Array, weights: Array) -> Array:
        return self._join(xp, _NORMAL._mean_of_points(xp, self._pairs(xp, theta), weights[..., None]))

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        return self._parameters(xp, theta)["mean"]

    def _variance_of_x(self, xp: Namespace, theta: Array) -> Array:
        return self._parameters(xp, theta)["variance"]

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        variance = self._variance_of_x(xp, theta)
        return variance[..., None] * xp.eye(self.p, dtype=theta.dtype)

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        return _NORMAL._draw(draws, self._pairs(draws.xp, theta), (*shape, self.p))

    def _theta_from(self, xp: Namespace, mean: Array, variance: Array) -> Array:
        return self._join(xp, _NORMAL._theta_from(xp, mean, variance))

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return _NORMAL._parameters(xp, self._pairs(xp, theta))

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        return _NORMAL._from_eta_tangent(xp, self._pairs(xp, theta), self._pairs(xp, d_eta))

    def _residual(self, xp: Namespace, theta: Array, x: Array) -> dict[str, Array]:
        return _NORMAL._residual(xp, self._pairs(xp, theta), x)

    def _distance(self, xp: Namespace, x: Array, y: Array) -> Array:
        """√Σ d_i², the sum over the coordinates."""
        distances = _NORMAL._distance(xp, self._pairs(xp, x), self._pairs(xp, y))
        return xp.sqrt(xp.sum(distances * distances, axis=-1))

    def _geodesic(self, xp: Namespace, x: Array, y: Array, t: Array) -> Array:
        return self._join(xp, _NORMAL._geodesic(xp, self._pairs(xp, x), self._pairs(xp, y), t[..., None]))

    def _exp(self, xp: Namespace, x: Array, vector: Array) -> Array:
        return self._each(xp, _NORMAL._exp, x, vector)

    def _log(self, xp: Namespace, x: Array, y: Array) -> Array:
        return self._each(xp, _NORMAL._log, x, y)
