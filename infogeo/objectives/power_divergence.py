"""Divergences of a power integral ∫ p^s q^{1−s} from or to a target, as objectives; the model is p, the target q."""
from abc import abstractmethod
from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np

from ..arrays.joined import gathered, joined
from ..arrays.kept import kept
from ..backend import Array, Namespace, batch_contiguous
from ..errors import require
from .base import Objective
from .divergence import require_manifold
from .skew import scaled_jensen_and_gradient, scaled_jensen_hessian

__all__ = ["AlphaDivergence", "BhattacharyyaDistance", "ChiSquaredDivergence", "PowerDivergence", "RenyiDivergence",
           "SquaredHellingerDistance"]


class PowerDivergence(Objective):
    """A function of J_s(p_θ : q), the skew Jensen–Bregman divergence with the weight s on the model.

    Mathematically, with S = J_s / (s (1 − s)) and g the function that a subclass gives, f = g(S) and df = g′(S) dS,
    dS = (η(θ) − η(θ_s)) / (1 − s) at θ_s = s θ + (1 − s) θ_q. In an exponential family ∫ p^s q^{1−s} = e^{−J_s}; on other dually
    flat manifolds e^{−J_s} takes its place. Near the target f = ½ c Δ·GΔ with c = `curvature_at_target`, which is f″(1) of an
    f-divergence, so that the natural-gradient flow loses f at the rate 2c in every chart.

    Parameters
    ----------
    M : DuallyFlat
    theta_hat : array, shape (..., d)
        The target q in θ, in the domain of θ; a copy is kept.
    name : str
        Of the parameter of the divergence.
    value : number or array of shape (...)
        The parameter, finite; it broadcasts with the batch of the target.
    weight : callable of the parameter
        s.

    Attributes
    ----------
    curvature_at_target : float, or array of shape (...)

    Examples
    --------
    >>> class Jensen(ig.objectives.PowerDivergence):                  # g(S) = S
    ...     def _outer(self, xp, scaled, s):
    ...         return scaled, xp.ones_like(scaled), xp.zeros_like(scaled)
    >>> M, at, target = ig.Exponential(), [-1.0], [-4.0]
    >>> value, _ = Jensen(M, target, "s", 0.5).value_and_gradient(at)
    >>> half, _ = ig.BhattacharyyaDistance(M, target).value_and_gradient(at)
    >>> float((value / half).round(6))              # 1 / (½ · ½)
    4.0
    """

    curvature_at_target: Any

    def __init__(self, M: Any, theta_hat: Array, name: str, value: Any, weight: Callable[[Array], Array] = lambda s: s) -> None:
        self.manifold = require_manifold(type(self).__name__, M)
        xp, theta_hat, value = gathered(M.theta_domain.require("theta_hat", theta_hat), value)
        require(name, f"{name} finite", xp.isfinite(value), value)
        self.theta_hat, self.s = kept(batch_contiguous(theta_hat)), kept(weight(value))
        self.rows = tuple(np.broadcast_shapes(tuple(theta_hat.shape[:-1]), tuple(value.shape)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.manifold!r}, theta_hat of shape {tuple(self.theta_hat.shape)}{self._own()})"

    def _own(self) -> str:
        return ""

    def part(self, rows: Any) -> Objective:
        part = copy(self)
        part.theta_hat, part.s = rows(self.theta_hat, 1), rows(self.s)
        part.rows = tuple(np.broadcast_shapes(part.theta_hat.shape[:-1], part.s.shape))
        return part

    @abstractmethod
    def _outer(self, xp: Namespace, scaled: Array, s: Array) -> tuple[Array, Array, Array]:
        """g(S), g′(S) and g″(S), shapes (...)."""

    def _joined(self, theta: Array) -> tuple[Any, ...]:
        """``(xp, theta, theta_hat, s)``."""
        xp, theta, theta_hat, s = joined(theta, self.theta_hat, self.s)
        return *self.manifold.point(theta, theta_hat), s

    def value_and_gradient(self, theta: Array) -> tuple[Array, Array]:
        xp, theta, theta_hat, s = self._joined(theta)
        with np.errstate(all="ignore"):                             # an integral beyond the largest float is inf
            scaled, slope = scaled_jensen_and_gradient(self.manifold, theta, theta_hat, s)
            value, outer, _ = self._outer(xp, scaled, s)
            return value, outer[..., None] * slope

    def hessian(self, theta: Array) -> Array:
        """g′(S) ∇²S + g″(S) dS dSᵀ, shape (..., d, d)."""
        xp, theta, theta_hat, s = self._joined(theta)
        with np.errstate(all="ignore"):
            scaled, slope = scaled_jensen_and_gradient(self.manifold, theta, theta_hat, s)
            _, outer, bend = (part[..., None, None] for part in self._outer(xp, scaled, s))
            return (outer * scaled_jensen_hessian(self.manifold, theta, theta_hat, s)
                    + bend * slope[..., :, None] * slope[..., None, :])


class AlphaDivergence(PowerDivergence):
    """f(θ) = D^(α)(p_θ‖q) = 4 / (1 − α²) (1 − ∫ p^{(1−α)/2} q^{(1+α)/2}): KL(p_θ‖q) at α = −1, KL(q‖p_θ) at α = 1, 4 H² at 0.

    Any finite α; D^(α)(p‖q) = D^(−α)(q‖p). At α = ±3 it is ½ χ². Its curvature at the target is 1 for every α.

    Raises: DomainError for a target outside the domain, or α that is not finite.
    Source: Amari, Information Geometry and Its Applications (2016), section 3.5.

    Examples
    --------
    >>> import infogeo as ig
    >>> family = ig.Bernoulli()
    >>> f = ig.AlphaDivergence(family, family.theta_from(probability=0.3), alpha=0.5)
    >>> run = ig.descend(f, [0.0], geometry=family, update=ig.NaturalUpdate(), step=1.0, max_steps=20, tol=1e-10)
    >>> family.parameters(run.x)["probability"].round(12)
    np.float64(0.3)
    """

    curvature_at_target: float = 1.0

    def __init__(self, M: Any, theta_hat: Array, alpha: Any) -> None:
        super().__init__(M, theta_hat, "alpha", alpha, lambda alpha: 0.5 * (1.0 - alpha))

    def _own(self) -> str:
        return f", alpha={1.0 - 2.0 * self.s}"

    def _outer(self, xp: Namespace, scaled: Array, s: Array) -> tuple[Array, Array, Array]:
        """(1 − e^{−wS}) / w, e^{−wS} and −w e^{−wS} with w = s (1 − s); S, 1 and 0 at w = 0."""
        weight = s * (1.0 - s)
        flat = weight == 0.0
        value = -xp.expm1(-weight * scaled) / xp.where(flat, xp.ones_like(weight), weight)
        decay = xp.exp(-weight * scaled)
        return xp.where(flat, scaled, value), decay, -weight * decay


class RenyiDivergence(PowerDivergence):
    """f(θ) = D_a(p_θ‖q) = log ∫ p^a q^{1−a} / (a − 1), nats: KL(p_θ‖q) at a = 1.

    Its curvature at the target is a. D_a(q‖p) is a / (1 − a) times this one of order 1 − a.

    Raises: DomainError for a target outside the domain, or an order that is not finite.
    Source: van Erven & Harremoës, Rényi divergence and Kullback–Leibler divergence, IEEE Trans. Inf. Theory 60 (2014).

    Examples
    --------
    >>> M = ig.Bernoulli()
    >>> f = ig.RenyiDivergence(M, M.theta_from(probability=0.5), order=2.0)
    >>> value, _ = f.value_and_gradient(M.theta_from(probability=0.9))
    >>> float(value.round(6)), float(np.log(1.64).round(6))     # log(1 + χ²)
    (0.494696, 0.494696)
    """

    def __init__(self, M: Any, theta_hat: Array, order: Any) -> None:
        super().__init__(M, theta_hat, "order", order)

    @property
    def curvature_at_target(self) -> Array:
        return self.s

    def _own(self) -> str:
        return f", order={self.s}"

    def _outer(self, xp: Namespace, scaled: Array, s: Array) -> tuple[Array, Array, Array]:
        return s * scaled, s + 0.0 * scaled, 0.0 * scaled


class BhattacharyyaDistance(PowerDivergence):
    """f(θ) = −log ∫ √(p_θ q) = J_½, nats; its curvature at the target is ¼.

    On a manifold of mixtures, `Simplex` or the dual of a categorical family, J_½ is the Jensen–Shannon divergence.

    Raises: DomainError for a target outside the domain.
    Source: Kailath, The divergence and Bhattacharyya distance measures in signal selection, IEEE Trans. Commun. 15 (1967).

    Examples
    --------
    >>> f = ig.BhattacharyyaDistance(ig.Exponential(), [-4.0])
    >>> value, _ = f.value_and_gradient([-1.0])     # rates 1 and 4
    >>> float(value.round(6)), float(np.log(2.5 / 2).round(6))
    (0.223144, 0.223144)
    """

    curvature_at_target: float = 0.25

    def __init__(self, M: Any, theta_hat: Array) -> None:
        super().__init__(M, theta_hat, "s", 0.5)

    def _outer(self, xp: Namespace, scaled: Array, s: Array) -> tuple[Array, Array, Array]:
        return 0.25 * scaled, 0.25 + 0.0 * scaled, 0.0 * scaled


class SquaredHellingerDistance(PowerDivergence):
    """f(θ) = H² = 1 − ∫ √(p_θ q), in [0, 1]; its curvature at the target is ¼.

    Raises: DomainError for a target outside the domain.

    Examples
    --------
    >>> f = ig.SquaredHellingerDistance(ig.Exponential(), [-4.0])
    >>> value, _ = f.value_and_gradient([-1.0])     # rates 1 and 4: 1 − 2 / 2.5
    >>> float(value.round(6))
    0.2
    """

    curvature_at_target: float = 0.25

    def __init__(self, M: Any, theta_hat: Array) -> None:
        super().__init__(M, theta_hat, "s", 0.5)

    def _outer(self, xp: Namespace, scaled: Array, s: Array) -> tuple[Array, Array, Array]:
        decay = xp.exp(-0.25 * scaled)
        return -xp.expm1(-0.25 * scaled), 0.25 * decay, -0.0625 * decay


class ChiSquaredDivergence(PowerDivergence):
    """f(θ) = χ²(p_θ‖q) = ∫ (p_θ − q)² / q = ∫ p_θ² / q − 1, Pearson's; its curvature at the target is 2.

    Neyman's χ²(q‖p_θ) is twice the `AlphaDivergence` of α = 3.

    Domain: +∞, with a differential of NaN, where 2θ − θ_q is outside the domain and the integral diverges.
    Raises: DomainError for a target outside the domain.
    Source: Nielsen & Nock, On the chi square and higher-order chi distances, IEEE Signal Process. Lett. 21 (2014).

    Examples
    --------
    >>> M = ig.Bernoulli()
    >>> f = ig.ChiSquaredDivergence(M, M.theta_from(probability=0.5))
    >>> value, _ = f.value_and_gradient(M.theta_from(probability=0.9))
    >>> float(value.round(6))                       # 0.4² / 0.5 + 0.4² / 0.5
    0.64
    """

    curvature_at_target: float = 2.0

    def __init__(self, M: Any, theta_hat: Array) -> None:
        super().__init__(M, theta_hat, "s", 2.0)

    def _outer(self, xp: Namespace, scaled: Array, s: Array) -> tuple[Array, Array, Array]:
        growth = xp.exp(2.0 * scaled)
        return xp.expm1(2.0 * scaled), 2.0 * growth, 4.0 * growth
