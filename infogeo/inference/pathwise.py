"""Expectations by draws that move with η: the reparametrised form, of any family whose draws can be followed."""
from dataclasses import InitVar, dataclass, field
from typing import Any

import numpy as np

from ..backend import Array, Namespace, arrays, backend_of
from ..errors import ShapeError
from ..families.base import ExponentialFamily
from ..numerics.linalg import outer, solve
from .expectations import Expectation, MonteCarloExpectation, is_normal, require_values_of
from .normal_charts import normal_chart
from .paths import has_path, path

__all__ = ["PathwiseExpectation"]


@dataclass(frozen=True)
class PathwiseExpectation(Expectation):
    """By n draws z(u) from q that move with its parameters, for a model with `gradient(z)`; else by `MonteCarloExpectation`.

    Mathematically, c = ∇_η E[g] solves E[∂_i T] c = E[∂_i g] for the derivatives ∂_i along the paths of the draws, both means
    taken over the same draws, and E[g] = ḡ + c·(η − T̄): exact for g linear in T from any draws, and less noisy than the score
    form where g is smooth. Of one number ∂z = −∂F / q(z) with the distribution function F; Dirichlet laws are shares of gamma
    variables, products go factor by factor. Of a normal family c is by the regression of ∇g on z.

    In a run of `descend` with a generator every step has its own draws. Families of counts, matrices and directions have no
    paths, nor has a function without a gradient: there it is the score form, with T as control variates.

    Parameters
    ----------
    n : int
        Draws, more than q.dim.
    rng : numpy.random.Generator, optional
        Asked once, for a seed of the draws; that is 0 without it.

    Attributes
    ----------
    score : MonteCarloExpectation
        What stands in where there are no paths, by the same seed.

    Source: Figurnov, Mohamed & Mnih, Implicit reparameterization gradients (2018).

    Examples
    --------
    >>> class Bent:
    ...     def __call__(self, z):
    ...         return -z - 2.0 * (np.log(z) - 0.5) ** 2
    ...     def gradient(self, z):
    ...         return -1.0 - 4.0 * (np.log(z) - 0.5) / z
    >>> f = ig.inference.NegativeELBO(ig.Gamma(), Bent(), ig.inference.PathwiseExpectation(100))
    """

    n: int
    rng: InitVar[Any] = None
    score: MonteCarloExpectation = field(init=False, repr=False)

    def __post_init__(self, rng: Any) -> None:
        object.__setattr__(self, "score", MonteCarloExpectation(self.n, rng))

    @property
    def _rng(self) -> np.random.Generator:
        return np.random.default_rng(self.score.seed)

    def follows(self, q: ExponentialFamily, log_joint: Any) -> bool:
        """Whether draws of q are followed for this model."""
        return has_path(q) and hasattr(log_joint, "gradient")

    def require(self, q: ExponentialFamily, log_joint: Any) -> None:
        self.score.require(q, log_joint)
        if is_normal(q) and hasattr(log_joint, "require_dimension"):
            log_joint.require_dimension(normal_chart(q).p)

    def draw(self, rng: Any) -> Expectation:
        return self if rng is None else PathwiseExpectation(self.n, rng)

    def __call__(self, q: ExponentialFamily, theta: Array, log_joint: Any) -> tuple[Array, Array]:
        if not self.follows(q, log_joint):
            return self.score(q, theta, log_joint)
        xp = backend_of(theta)
        z, covector = (self._regressed if is_normal(q) else self._followed)(xp, q, theta, log_joint)
        _, joint = arrays(log_joint(z))
        require_values_of(log_joint, joint, (self.n, *theta.shape[:-1]), z)
        away = q.to_eta(theta) - xp.mean(q.sufficient_statistic(z), axis=0)
        return xp.mean(joint - q.log_base_measure(z), axis=0) + xp.sum(covector * away, axis=-1), covector

    def _followed(self, xp: Namespace, q: ExponentialFamily, theta: Array, log_joint: Any) -> tuple[Array, Array]:
        # slopes are differences, for which float32 has not the digits
        found = path(q, xp.astype(theta, xp.float64), self.n, self._rng)
        z = xp.astype(found.place(found.t), theta.dtype)
        product = found.along(lambda z: z) * _gradient(log_joint, z)
        along = xp.sum(xp.reshape(product, (*found.slopes.shape[:-1], -1)), axis=-1) - found.along(q.log_base_measure)
        statistic = xp.mean(found.along(q.sufficient_statistic), axis=1)
        covector = solve(xp, xp.moveaxis(statistic, 0, -2), xp.moveaxis(xp.mean(along, axis=1), 0, -1))
        return z, xp.astype(covector, theta.dtype)

    def _regressed(self, xp: Namespace, q: ExponentialFamily, theta: Array, log_joint: Any) -> tuple[Array, Array]:
        chart = normal_chart(q)
        mean, root = chart.mean_and_root(xp, theta)
        u = self._rng.standard_normal((self.n, *mean.shape))
        z = mean + chart.scaled(xp, root, xp.asarray(u, dtype=theta.dtype))
        gradient = xp.reshape(_gradient(log_joint, chart.observed(z)), z.shape)
        level, center = xp.mean(gradient, axis=0), xp.mean(z, axis=0)
        dg, dz = gradient - level, z - center
        if chart.needs_diagonal:
            diagonal = xp.sum(dz * dg, axis=0) / xp.sum(dz * dz, axis=0)
            return chart.observed(z), chart.of_diagonal(xp, mean, root, level - diagonal * (center - mean), diagonal)
        second, both = xp.mean(outer(dz, dz), axis=0), xp.mean(outer(dz, dg), axis=0)
        hessian = solve(xp, second[..., None, :, :], xp.matrix_transpose(both))
        hessian = 0.5 * (hessian + xp.matrix_transpose(hessian))
        shift = xp.sum(hessian * (center - mean)[..., None, :], axis=-1)
        return z, chart.of_matrix(xp, mean, root, level - shift, hessian)


def _gradient(log_joint: Any, z: Array) -> Array:
    """∇ log p(x, z), of the shape of z. Raises ShapeError for another one."""
    _, found = arrays(log_joint.gradient(z))
    if tuple(found.shape) != tuple(z.shape):
        raise ShapeError(f"gradient must return the shape {tuple(z.shape)} of z; got {tuple(found.shape)}")
    return found
