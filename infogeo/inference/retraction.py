"""A natural step of a normal q that stays in the cone of precisions whatever its size."""
from dataclasses import dataclass
from typing import Any

from ..backend import Array, backend_of, column
from ..errors import require
from ..families.multivariate_normal import MultivariateNormal
from ..numerics.linalg import cholesky, inverse_lower, matvec, outer
from ..numerics.packing import pack, unpack
from ..solvers.update import SameForAllRows

__all__ = ["PrecisionRetraction"]


@dataclass(frozen=True)
class PrecisionRetraction(SameForAllRows):
    """The natural step of a `MultivariateNormal` in the chart η, with the second order of its geodesic: the improved rule.

    Mathematically, with the precision Λ, D = Λ − E[∇²ℓ] and ℓ = −log p(x, z),

    - Λ⁺ = Λ − hD + ½ h² D Λ⁻¹ D = ½ (Λ + U Λ⁻¹ U), U = Λ − hD: positive definite for every h, also where ℓ is not convex
    - m⁺ = m − h Λ⁻¹ E[∇ℓ]

    and the same as `MirrorUpdate` to the order of h². Source: Lin, Schmidt & Khan, Handling the positive-definite constraint in
    the Bayesian learning rule (2020).

    Raises: DomainError for another geometry than the dual of a `MultivariateNormal`.

    Examples
    --------
    >>> X = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    >>> model = ig.inference.LogisticRegression(X, [0, 1, 0, 1],
    ...                                         prior_precision=1.0)
    >>> q = ig.MultivariateNormal(1)
    >>> f = ig.inference.NegativeELBO(q, model)
    >>> start = q.to_eta(q.theta_from(mean=np.zeros(1),
    ...                               covariance=9.0 * np.eye(1)))
    >>> run = ig.descend(f, start, geometry=q.dual,
    ...                  update=ig.inference.PrecisionRetraction(), step=0.5,
    ...                  max_steps=40)
    >>> q.parameters(q.to_theta(run.x))["mean"].round(3)
    array([0.333])
    """

    needs = ("primal",)

    def __call__(self, geometry: Any, x: Array, covector: Array, h: Array, state: Any = None) -> tuple[Array, Any]:
        q = geometry.primal
        require("geometry", "geometry the dual of a MultivariateNormal", isinstance(q, MultivariateNormal), repr(geometry))
        xp, p = backend_of(x), q.p
        mean, covariance = x[..., :p], unpack(x[..., p:], p) - outer(x[..., :p], x[..., :p])
        second = unpack(covector[..., p:], p)                          # −½ D
        gradient = covector[..., :p] + 2.0 * matvec(xp, second, mean)       # E[∇ℓ]
        root = inverse_lower(xp, cholesky(xp, covariance))
        size = column(column(h))
        precision = xp.matmul(xp.matrix_transpose(root), root)
        U = precision + 2.0 * size * second
        moved = 0.5 * (precision + xp.matmul(U, xp.matmul(covariance, U)))
        mean = mean - column(h) * matvec(xp, covariance, gradient)
        root = inverse_lower(xp, cholesky(xp, moved))
        covariance = xp.matmul(xp.matrix_transpose(root), root)
        return xp.concat([mean, pack(covariance + outer(mean, mean))], axis=-1), state

    def velocity(self, geometry: Any, x: Array, covector: Array) -> Array:
        return -geometry.sharp(x, covector)
