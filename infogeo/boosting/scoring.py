"""Proper scores of a predicted law, each with the metric in which its gradient is natural."""
from abc import ABC, abstractmethod
from math import pi, sqrt
from typing import Any

import numpy as np
from scipy.special import ndtr

from ..backend import Array
from ..families.base import ExponentialFamily
from ..families.bernoulli import Bernoulli
from ..families.categorical import Categorical
from ..families.normal import Normal
from ..families.normal_known import NormalKnownVariance
from .charts import NaturalChart, OrdinaryChart, ParameterChart, inverse, times
from .crps import crps_by_nodes, crps_law

__all__ = ["CRPS", "Brier", "LogScore", "ScoringRule"]


class ScoringRule(ABC):
    """A proper score S(θ, y), smaller for better: what boosting minimises.

    Mathematically, with u the coordinates of a chart: the divergence E_y∼θ[S(θ′, y) − S(θ, y)] is ½ duᵀ M du to second order, M
    the metric of the score, and the natural gradient is M⁻¹ ∂S/∂u.

    Shapes: u, θ (n, d), y (n, …); values (n,), gradients (n, d), metrics (n, d, d).

    Examples
    --------
    >>> class Squared(ig.boosting.ScoringRule):     # error of the mean
    ...     def value(self, family, theta, y):
    ...         return (y - family.mean(theta))**2
    ...     def covector(self, chart, u, theta, y):
    ...         return -2 * (y - chart.family.mean(theta))[:, None]
    ...     def metric(self, chart, u, theta):
    ...         return np.full((len(u), 1, 1), 2.0)
    >>> chart = ig.boosting.OrdinaryChart(ig.NormalKnownVariance(1.0))
    >>> u = np.array([[0.0]])
    >>> Squared().natural_gradient(chart, u, chart.to_theta(u), np.array([3.0]))
    array([[-3.]])
    """

    name: str

    def require(self, chart: ParameterChart) -> None:
        """Nothing, if the score is known of the family of this chart.

        Raises
        ------
        TypeError
        """

    @abstractmethod
    def value(self, family: ExponentialFamily, theta: Array, y: Array) -> Array:
        """S(θ, y)."""

    @abstractmethod
    def covector(self, chart: ParameterChart, u: Array, theta: Array, y: Array) -> Array:
        """∂S/∂u."""

    @abstractmethod
    def metric(self, chart: ParameterChart, u: Array, theta: Array) -> Array:
        """M."""

    def natural_gradient(self, chart: ParameterChart, u: Array, theta: Array, y: Array) -> Array:
        """M⁻¹ ∂S/∂u."""
        return times(inverse(self.metric(chart, u, theta)), self.covector(chart, u, theta, y))

    def lowered(self, chart: ParameterChart, u: Array, theta: Array, y: Array) -> tuple[Array, Array]:
        """∂S/∂u and the diagonal of M, shapes (n, d)."""
        return self.covector(chart, u, theta, y), np.diagonal(self.metric(chart, u, theta), axis1=-2, axis2=-1)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(type(self))


class LogScore(ScoringRule):
    """−log p(y; θ), in nats; its metric is that of Fisher.

    Examples
    --------
    >>> M, rule = ig.Exponential(), ig.boosting.LogScore()
    >>> found = rule.value(M, M.theta_from(rate=[2.0]), np.array([3.0]))
    >>> found.round(4), float((6 - np.log(2)).round(4))
    (array([5.3069]), 5.3069)
    """

    name = "log score"

    def value(self, family: ExponentialFamily, theta: Array, y: Array) -> Array:
        return -family.log_density(theta, y)

    def covector(self, chart: ParameterChart, u: Array, theta: Array, y: Array) -> Array:
        return chart.covector(u, theta, y)

    def metric(self, chart: ParameterChart, u: Array, theta: Array) -> Array:
        return chart.metric(u, theta)

    def natural_gradient(self, chart: ParameterChart, u: Array, theta: Array, y: Array) -> Array:
        return chart.residual(u, theta, y)

    def lowered(self, chart: ParameterChart, u: Array, theta: Array, y: Array) -> tuple[Array, Array]:
        if isinstance(chart, NaturalChart):
            return super().lowered(chart, u, theta, y)
        metric = chart.metric(u, theta)
        return times(metric, chart.residual(u, theta, y)), np.diagonal(metric, axis1=-2, axis2=-1)


class CRPS(ScoringRule):
    """The continuous ranked probability score ∫ (F(t) − 1{y ≤ t})² dt, in the units of y, for families of one number.

    Mathematically, its metric is 2 ∫ ∂F ∂Fᵀ dt, diag(1 / (σ√π), σ / (2√π)) in (μ, log σ) of a normal law. Closed for `Normal`
    and `NormalKnownVariance`; for the others one pass over nodes of every row, 2 to 50 µs for each.

    Source: Gneiting & Raftery, JASA 102 (2007), equation 21; Duan et al., NGBoost, ICML (2020), section 2.3.

    Examples
    --------
    >>> M, rule = ig.Normal(), ig.boosting.CRPS()
    >>> theta = M.theta_from(mean=[0.0], variance=[1.0])
    >>> rule.value(M, theta, np.array([0.0])).round(4)        # (√2 − 1) / √π
    array([0.2337])
    """

    name = "CRPS"

    def require(self, chart: ParameterChart) -> None:
        crps_law(chart.family)

    def value(self, family: ExponentialFamily, theta: Array, y: Array) -> Array:
        crps_law(family)
        if isinstance(family, (Normal, NormalKnownVariance)):
            mean, sigma = family.mean(theta), np.sqrt(family.variance(theta))
            z = (y - mean) / sigma
            return sigma * (z * (2.0 * ndtr(z) - 1.0) + 2.0 * _density(z) - 1.0 / sqrt(pi))
        return crps_by_nodes(family, theta, y)

    def covector(self, chart: ParameterChart, u: Array, theta: Array, y: Array) -> Array:
        if _is_closed(chart):
            return self._normal(chart, theta, y)[0]
        return crps_law(chart.family).derivatives(chart, u, theta, y)[0]

    def metric(self, chart: ParameterChart, u: Array, theta: Array) -> Array:
        if _is_closed(chart):
            diagonal = self._normal(chart, theta, 0.0 * theta[..., 0])[1]
            return diagonal[..., None] * np.eye(diagonal.shape[-1])
        return crps_law(chart.family).derivatives(chart, u, theta, None)[1]

    def natural_gradient(self, chart: ParameterChart, u: Array, theta: Array, y: Array) -> Array:
        if _is_closed(chart):
            covector, diagonal = self._normal(chart, theta, y)
            return covector / diagonal
        covector, metric = crps_law(chart.family).derivatives(chart, u, theta, y)
        return times(inverse(metric), covector)

    def lowered(self, chart: ParameterChart, u: Array, theta: Array, y: Array) -> tuple[Array, Array]:
        if _is_closed(chart):
            return self._normal(chart, theta, y)
        covector, metric = crps_law(chart.family).derivatives(chart, u, theta, y)
        return covector, np.diagonal(metric, axis1=-2, axis2=-1)

    @staticmethod
    def _normal(chart: ParameterChart, theta: Array, y: Array) -> tuple[Array, Array]:
        """The covector and the diagonal of the metric in (μ, log v), log v = 2 log σ; in μ alone where v is known."""
        family = chart.family
        mean, sigma = family.mean(theta), np.sqrt(family.variance(theta))
        z = (y - mean) / sigma
        slope, scale = 1.0 - 2.0 * ndtr(z), sigma / sqrt(pi)
        along_log_sigma = sigma * (2.0 * _density(z) - 1.0 / sqrt(pi))
        covector = np.stack([slope, 0.5 * along_log_sigma], axis=-1)
        diagonal = np.stack([scale / sigma**2, 0.125 * scale], axis=-1)
        return covector[..., :family.dim], diagonal[..., :family.dim]


def _density(z: Array) -> Array:
    return np.exp(-0.5 * z * z) / sqrt(2.0 * pi)


def _is_closed(chart: ParameterChart) -> bool:
    return isinstance(chart, OrdinaryChart) and isinstance(chart.family, (Normal, NormalKnownVariance))


class Brier(ScoringRule):
    """Σ (p_i − 1{y = i})² over the outcomes of `Bernoulli` or `Categorical`.

    Mathematically, its metric on the simplex is 2 I, so that its natural gradient is p − e_y there, that of the log score: the
    two differ in what they report and in the leaf form.

    Examples
    --------
    >>> M, rule = ig.Bernoulli(), ig.boosting.Brier()
    >>> theta = M.theta_from(probability=[0.8, 0.8])
    >>> rule.value(M, theta, np.array([1, 0])).round(6)  # 2 · 0.2², 2 · 0.8²
    array([0.08, 1.28])
    """

    name = "Brier score"

    def require(self, chart: ParameterChart) -> None:
        _outcomes(chart.family)

    def value(self, family: ExponentialFamily, theta: Array, y: Array) -> Array:
        return np.sum((_probabilities(family, theta) - _indicators(family, y)) ** 2, axis=-1)

    def covector(self, chart: ParameterChart, u: Array, theta: Array, y: Array) -> Array:
        gap = _probabilities(chart.family, theta) - _indicators(chart.family, y)
        return 2.0 * np.squeeze(np.matmul(gap[..., None, :], self._slopes(chart, u, theta)), -2)

    def metric(self, chart: ParameterChart, u: Array, theta: Array) -> Array:
        slopes = self._slopes(chart, u, theta)
        return 2.0 * np.matmul(np.swapaxes(slopes, -1, -2), slopes)

    def natural_gradient(self, chart: ParameterChart, u: Array, theta: Array, y: Array) -> Array:
        return chart.residual(u, theta, y)

    @staticmethod
    def _slopes(chart: ParameterChart, u: Array, theta: Array) -> Array:
        """∂p/∂u, shape (n, outcomes, d): of the outcomes beside the reference, dη/du = (∂u/∂η)⁻¹; that of the reference is −Σ."""
        family = chart.family
        moved = chart.family.metric(theta) if isinstance(chart, NaturalChart) else _eta_slopes(chart, u, theta)
        place: int = family.reference or 0
        return np.insert(moved, place, -np.sum(moved, axis=-2), axis=-2)


def _eta_slopes(chart: ParameterChart, u: Array, theta: Array) -> Array:
    """∂η/∂u, shape (..., d, d): the inverse of ∂u/∂η."""
    d = theta.shape[-1]
    units = np.reshape(np.eye(d), (d, *(1,) * (theta.ndim - 1), d)) + np.zeros_like(theta)
    return np.linalg.inv(np.moveaxis(chart.raised(u, theta, units), 0, -1))


def _outcomes(family: Any) -> int:
    if isinstance(family, (Bernoulli, Categorical)):
        return family.dim + 1
    raise TypeError(f"the Brier score is one of classes: Bernoulli or Categorical(k); got {family!r}")


def _probabilities(family: Any, theta: Array) -> Array:
    values = family.parameters(theta)
    if isinstance(family, Bernoulli):
        return np.stack([1.0 - values["probability"], values["probability"]], axis=-1)
    return values["probabilities"]


def _indicators(family: Any, y: Array) -> Array:
    return np.asarray(y)[..., None] == np.arange(_outcomes(family))
