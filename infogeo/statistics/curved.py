"""Curved exponential families: smooth submanifolds u ↦ θ(u) of a family."""
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backend import Array, Namespace, arrays
from ..domains.convex import ConvexDomain
from ..errors import ShapeError, takes
from ..families.base import ExponentialFamily
from ..geometry.manifolds.manifold import Riemannian
from ..numerics.linalg import matvec

__all__ = ["Curved", "Embedding"]


@dataclass(frozen=True)
class Embedding:
    """A smooth map u ↦ θ(u) from R^dim, or an open part of it, with its derivatives.

    Parameters
    ----------
    dim : int
        The number of coordinates u.
    value, jacobian, second : callables of u, shape (..., dim)
        θ(u), ∂θ_i/∂u_a and ∂²θ_i/∂u_a∂u_b, shapes (..., d), (..., d, dim) and (..., d, dim, dim).
    domain : ConvexDomain, optional
        Of u; all of R^dim where it is not given.

    Examples
    --------
    >>> def circle(u):
    ...     return np.concatenate([np.cos(u), np.sin(u)], axis=-1)
    >>> embedding = ig.statistics.Embedding(
    ...     1, circle, lambda u: circle(u + np.pi / 2)[..., None],
    ...     lambda u: -circle(u)[..., None, None])
    >>> plane = ig.MultivariateNormalKnownCovariance(np.eye(2))
    >>> M = ig.statistics.Curved(plane, embedding)
    >>> float(M.statistical_curvature([0.3]).round(9))
    1.0
    """

    dim: int
    value: Callable[[Any], Any]
    jacobian: Callable[[Any], Any]
    second: Callable[[Any], Any]
    domain: ConvexDomain | None = None


class Curved(Riemannian):
    """The distributions p(x; θ(u)) of a family along an embedding, with the Fisher metric.

    Mathematically, with J = ∂θ/∂u of full column rank and G the metric of the family, the metric is JᵀGJ and the score
    Jᵀ(T(x) − η). It is Riemannian, not dually flat: natural-gradient steps need nothing more.

    Parameters
    ----------
    family : ExponentialFamily
    embedding : Embedding, or any object with its attributes
        With values in the domain of the family.

    Shapes: u (..., dim); an observation as in the family.
    Source: Efron, Defining the curvature of a statistical problem, Ann. Statist. 3 (1975); Amari & Nagaoka, Methods of
    Information Geometry (2000), section 4.3.

    Examples
    --------
    >>> embedding = ig.statistics.Embedding(
    ...     1, lambda u: np.concatenate([1 / u, -0.5 / u**2], axis=-1),
    ...     lambda u: np.stack([-1 / u**2, 1 / u**3], axis=-2),
    ...     lambda u: np.stack([2 / u**3, -3 / u**4], axis=-2)[..., None],
    ...     ig.domains.Orthant(1))
    >>> M = ig.statistics.Curved(ig.Normal(), embedding)  # N(u, u²)
    >>> M.metric([2.0]).round(9)  # 3 / u²
    array([[0.75]])
    >>> float((M.statistical_curvature([2.0])**2).round(4))  # Efron: 2 / 27
    0.0741
    """

    dim: int

    @takes(family=ExponentialFamily)
    def __init__(self, family: ExponentialFamily, embedding: Embedding) -> None:
        missing = [name for name in ("dim", "value", "jacobian", "second") if not hasattr(embedding, name)]
        if missing:
            raise TypeError(f"embedding must have dim, value, jacobian and second; {type(embedding).__name__} lacks "
                            f"{', '.join(missing)}")
        self.family, self.embedding, self.dim = family, embedding, embedding.dim

    def __repr__(self) -> str:
        return f"Curved({self.family!r}, {self.embedding!r})"

    @property
    def domain(self) -> ConvexDomain:
        own = getattr(self.embedding, "domain", None)
        return super().domain if own is None else own

    def to_theta(self, u: Array) -> Array:
        """θ(u) in the family, shape (..., family.dim)."""
        u = self.point(u)[1]
        return self._shaped("value", self.embedding.value(u), u, ())

    def jacobian(self, u: Array) -> Array:
        """∂θ/∂u, shape (..., family.dim, dim)."""
        u = self.point(u)[1]
        return self._shaped("jacobian", self.embedding.jacobian(u), u, (self.dim,))

    def second(self, u: Array) -> Array:
        """∂²θ/∂u∂u, shape (..., family.dim, dim, dim)."""
        u = self.point(u)[1]
        return self._shaped("second", self.embedding.second(u), u, (self.dim, self.dim))

    def _shaped(self, name: str, value: Array, u: Array, axes: tuple[int, ...]) -> Array:
        """The value of a callable of the embedding, on the library of u and broadcast to its batch."""
        xp, _, value = arrays(u, value)
        shape = (self.family.dim, *axes)
        if tuple(value.shape[value.ndim - len(shape):]) != shape:
            raise ShapeError(f"embedding.{name} must return shape (..., {', '.join(map(str, shape))}); got {tuple(value.shape)}")
        return xp.broadcast_to(value, (*u.shape[:-1], *shape))

    def lowered(self, u: Array) -> tuple[Namespace, Array, Array]:
        """(xp, J, G J), the latter two of shape (..., family.dim, dim)."""
        xp, u = self.point(u)
        jacobian = self.jacobian(u)
        rows = self.family.flat(self.to_theta(u)[..., None, :], xp.matrix_transpose(jacobian))
        return xp, jacobian, xp.matrix_transpose(rows)

    def _metric(self, xp: Namespace, x: Array) -> Array:
        """The induced Fisher metric JᵀGJ, shape (..., dim, dim)."""
        _, jacobian, lowered = self.lowered(x)
        return xp.matmul(xp.matrix_transpose(jacobian), lowered)

    def score(self, u: Array, x: Array) -> Array:
        """∂ log p(x; θ(u)) / ∂u = Jᵀ(T(x) − η), shape (..., dim)."""
        u = self.point(u)[1]
        residual = self.family.sufficient_statistic(x) - self.family.to_eta(self.to_theta(u))
        xp, residual, jacobian = arrays(residual, self.jacobian(u))
        return matvec(xp, xp.matrix_transpose(jacobian), residual)

    def log_density(self, u: Array, x: Array) -> Array:
        """log p(x; θ(u)), shape (...), nats."""
        return self.family.log_density(self.to_theta(u), x)

    def kl(self, u_p: Array, u_q: Array) -> Array:
        """KL(p‖q) of two points of the embedding, shape (...), nats."""
        return self.family.kl(self.to_theta(u_p), self.to_theta(u_q))

    def sample(self, rng: np.random.Generator, u: Array, shape: int | tuple[int, ...] = ()) -> Array:
        """Independent draws of x at θ(u)."""
        return self.family.sample(rng, self.to_theta(u), shape)

    def statistical_curvature(self, u: Array) -> Array:
        """Efron's statistical curvature γ ≥ 0 of a one-parameter family, shape (...).

        Mathematically, γ = |n| / |θ̇|², where n is the part of θ̈ that is orthogonal to θ̇, in the metric G. It vanishes where
        the curve is an exponential family itself and does not depend on the parameter u; in large samples the maximum-likelihood
        estimate loses the information of γ² observations.

        Raises
        ------
        ShapeError
            If the embedding has more than one parameter.

        Source: Efron (1975).
        """
        if self.dim != 1:
            raise ShapeError(f"the statistical curvature is that of one parameter; the embedding has {self.dim}: see "
                             "information_loss")
        xp, u = self.point(u)
        theta, velocity, acceleration = self.to_theta(u), self.jacobian(u)[..., 0], self.second(u)[..., 0, 0]
        speed = self.family.inner(theta, velocity, velocity)
        along = self.family.inner(theta, velocity, acceleration) / speed
        normal = acceleration - along[..., None] * velocity
        return self.family.norm(theta, normal) / speed
