"""The categorical family."""
from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, isfinite, lgamma, log, pi
from typing import Any

from ..arrays.draws import Draws
from ..arrays.host import on_host
from ..arrays.memo import is_standing, once
from ..arrays.sums import average
from ..arrays.tracing import shortcut
from ..backend import NUMPY, Array, Namespace, column, dot
from ..domains.base import Domain
from ..domains.convex import ConvexDomain, OpenSimplex, RealSpace
from ..domains.supports import ClosedSimplexPoints, Integers, LimitPoints, SimplexPoints
from ..errors import require
from ..geometry.manifolds.sphere import GreatCircles
from ..numerics.exponentials import kl_terms
from ..numerics.linalg import with_diagonal
from ..numerics.piecewise import positive, unless_cancelled
from .base import ConstantBaseMeasure
from .cumulative import TabulatedCumulative
from .known import known_integer
from .limits import HasLimits

__all__ = ["Categorical", "log_odds_kl"]

# Where log(1 + Σ e^θ) is small, below 30 here, its rounding does not count beside that of the logits, and no pass over θ for its
# largest entry is needed; a look is free on the host only.
_NEGLIGIBLE = 1e13


@dataclass(frozen=True)
class Categorical(HasLimits, GreatCircles, ConstantBaseMeasure):
    """One of k outcomes 0 … k − 1, with a reference outcome r (the last one unless given).

    Mathematically, with i running over the k − 1 outcomes other than r,

    - support {0, …, k − 1}; T(x) = (1[x = i])_i; h(x) = 1
    - θ_i = log(p_i / p_r) in R^{k−1}; η_i = p_i, positive with sum below 1
    - ψ(θ) = log(1 + Σ e^{θ_i}); φ(η) = Σ η_i log η_i + p_r log p_r
    - metric diag(η) − ηηᵀ; dual metric diag(1/η) + 11ᵀ / p_r

    The reference does not change the distributions, but it does change the chart and with it every condition number: gradient
    descent is best conditioned with the most probable outcome as reference.

    Ordinary parameters: `probabilities`, shape (..., k), positive with sum 1.
    Source: Amari, Information Geometry and Its Applications (2016), section 2.2.

    Examples
    --------
    >>> ig.Categorical(3).theta_from(probabilities=[0.5, 0.3, 0.2]).round(3)
    array([0.916, 0.405])
    """

    k: int
    reference: int | None = None
    on_simplex = True
    as_they_lie = ("to_theta",)
    nan_outside = ("eta",)

    def __post_init__(self) -> None:
        if hasattr(self.k, "__len__") and not isinstance(self.k, str):
            raise TypeError(f"k must be the number of outcomes; got {self.k}: probabilities are those of a point, "
                            f"Categorical({len(self.k)}).theta_from(probabilities=…)")
        known_integer(self, "k", 2)
        reference = self.k - 1 if self.reference is None else self.reference
        require("reference", f"{-self.k} <= reference < {self.k}, an outcome", -self.k <= reference < self.k, reference)
        object.__setattr__(self, "reference", int(reference) % self.k)
        object.__setattr__(self, "dim", self.k - 1)

    @property
    def theta_domain(self) -> ConvexDomain:
        return RealSpace(self.dim)

    @property
    def eta_domain(self) -> ConvexDomain:
        return OpenSimplex(self.dim)

    @property
    def support(self) -> Domain:
        return Integers(0, self.k - 1)

    @property
    def ordinary(self) -> Mapping[str, Domain]:
        return {"probabilities": SimplexPoints(self.k)}

    @property
    def theta_closure(self) -> Domain:
        return LimitPoints(self.dim, vertices=True)

    @property
    def ordinary_closure(self) -> Mapping[str, Domain]:
        return {"probabilities": ClosedSimplexPoints(self.k)}

    @once
    def _softmax(self, xp: Namespace, theta: Array) -> Array:
        """(m, ψ − m, η, p_r), shapes (...), (...), (..., d), (...): the potential in two parts, m = max(θ, 0) or 0."""
        if not on_host(xp, theta):
            return _shifted_softmax(xp, theta)
        weight = xp.exp(theta)
        excess = xp.sum(weight, axis=-1)
        near, total = excess < _NEGLIGIBLE, 1.0 + excess
        direct = 0.0, xp.log1p(excess), weight / column(total), 1.0 / total
        if near if near.ndim == 0 else near.all():      # of one point the number itself: the method costs 0.8 µs
            return direct
        return tuple(xp.where(near if part.ndim == near.ndim else near[..., None], own, part)
                     for own, part in zip(direct, _shifted_softmax(xp, theta)))

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        if theta.ndim > 1 and not is_standing() and on_host(xp, theta):       # of many points without η, a fifth of the time
            excess = xp.sum(xp.exp(theta), axis=-1)
            if xp.all(excess < _NEGLIGIBLE):
                return xp.log1p(excess)
        return self._potential_and_eta(xp, theta)[0]

    def _potential_and_eta(self, xp: Namespace, theta: Array) -> tuple[Array, Array]:
        top, rest_of_potential, eta, _ = self._softmax(xp, theta)
        return top + rest_of_potential, eta

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        return self._softmax(xp, theta)[2]

    def _metric(self, xp: Namespace, theta: Array) -> Array:
        _, _, eta, rest = self._softmax(xp, theta)
        # η_i (1 − η_i): where one outcome takes more than half, its complement as the sum of the others, which does not cancel
        major = eta > 0.5
        minor = rest + xp.sum(xp.where(major, xp.zeros_like(eta), eta), axis=-1)
        own = eta * xp.where(major, minor[..., None], 1.0 - eta)
        return with_diagonal(xp, eta[..., :, None] * -eta[..., None, :], own)

    def _cubic_tensor(self, xp: Namespace, theta: Array) -> Array:
        """T_ijk = E[(e_i − η_i)(e_j − η_j)(e_k − η_k)], from δ_ij η_i = G_ij + η_i η_j."""
        eta, metric = self._softmax(xp, theta)[2], self._metric(xp, theta)
        eye = xp.eye(self.dim, dtype=theta.dtype)
        diagonal = eye[:, :, None] * metric[..., :, None, :]      # δ_ij G_ik
        return diagonal - eta[..., :, None, None] * metric[..., None, :, :] - eta[..., None, :, None] * metric[..., :, None, :]

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        if is_standing() or not eta.size:
            return _log_odds(xp, eta)
        return shortcut(xp, _log_odds, _are_finite, self._to_theta_anywhere, eta)

    def _to_theta_anywhere(self, xp: Namespace, eta: Array) -> Array:
        limit = self._theta_of_limit(_log_odds, xp, eta)
        return xp.where(self._in_closure(xp, eta)[..., None], limit, xp.asarray(xp.nan, dtype=eta.dtype))

    def _within(self, xp: Namespace, eta: Array) -> Array:
        """η, NaN where it lies outside the simplex."""
        outside = None if is_standing() else self.eta_domain.outside(xp, eta)
        return eta if outside is None else xp.where(outside[..., None], xp.asarray(xp.nan, dtype=eta.dtype), eta)

    def _dual_potential(self, xp: Namespace, eta: Array) -> Array:
        total = xp.sum(eta, axis=-1)
        return xp.sum(xp.xlogy(eta, eta), axis=-1) + xp.xlog1py(1.0 - total, -total)

    def _flat(self, xp: Namespace, theta: Array, vector: Array) -> Array:
        eta = self._softmax(xp, theta)[2]
        return eta * (vector - xp.sum(eta * vector, axis=-1, keepdims=True))

    def _sharp(self, xp: Namespace, theta: Array, covector: Array) -> Array:
        _, _, eta, rest = self._softmax(xp, theta)
        return covector / eta + column(xp.sum(covector, axis=-1) / rest)

    def _root(self, xp: Namespace, theta: Array, z: Array) -> Array:
        """√η ∘ (I − √η √ηᵀ / (1 + √p_r)) z."""
        _, _, eta, rest = self._softmax(xp, theta)
        s = xp.sqrt(eta)
        return s * (z - s * column(xp.sum(s * z, axis=-1) / (1.0 + xp.sqrt(rest))))

    def _dual_metric(self, xp: Namespace, eta: Array) -> Array:
        eta = self._within(xp, eta)
        rest = 1.0 - xp.sum(eta, axis=-1)
        return xp.eye(self.dim, dtype=eta.dtype) / eta[..., None] + 1.0 / rest[..., None, None]

    def _dual_flat(self, xp: Namespace, eta: Array, vector: Array) -> Array:
        eta = self._within(xp, eta)
        rest = 1.0 - xp.sum(eta, axis=-1, keepdims=True)
        return vector / eta + xp.sum(vector, axis=-1, keepdims=True) / rest

    def _dual_sharp(self, xp: Namespace, eta: Array, covector: Array) -> Array:
        eta = self._within(xp, eta)
        return eta * (covector - xp.sum(eta * covector, axis=-1, keepdims=True))

    def _log_volume_element(self, xp: Namespace, theta: Array) -> Array:
        """½ Σ log p_j, with log p_i = θ_i − ψ and log p_r = −ψ of the reference."""
        return 0.5 * (xp.sum(theta, axis=-1) - self.k * self._potential(xp, theta))

    def total_volume(self) -> float:
        """π^{k/2} / Γ(k/2): the part of the sphere of radius 2 in R^k with positive coordinates."""
        return exp(0.5 * self.k * log(pi) - lgamma(0.5 * self.k))

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        others = xp.asarray([float(i) for i in range(self.k) if i != self.reference], dtype=x.dtype)
        return xp.astype(x[..., None] == others, x.dtype)

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        outcomes = xp.asarray([float(i) for i in range(self.k)], dtype=x.dtype)
        log_p = self._log_probabilities(xp, theta)
        return xp.sum(xp.where(x[..., None] == outcomes, log_p, xp.zeros_like(log_p)), axis=-1)

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        log_p = self._log_probabilities(xp, theta)
        p = xp.exp(log_p)
        return xp.sum(xp.where(p == 0, xp.zeros_like(p), -p * log_p), axis=-1)

    def _log_probabilities(self, xp: Namespace, theta: Array) -> Array:
        """log p of the outcomes 0 … k − 1, to full relative precision also of an outcome that takes nearly all."""
        r = self.reference
        logits = xp.concat([theta[..., :r], xp.zeros_like(theta[..., :1]), theta[..., r:]], axis=-1)
        logits = logits - xp.max(logits, axis=-1, keepdims=True)
        log_p = logits - xp.log(xp.sum(xp.exp(logits), axis=-1, keepdims=True))
        p = xp.exp(log_p)
        major = p > 0.5                        # at most one; its logarithm from the sum of the others, which does not cancel
        others = xp.sum(xp.where(major, xp.zeros_like(p), p), axis=-1, keepdims=True)
        return xp.where(major, xp.log1p(-xp.minimum(others, 0.5 + 0.0 * others)), log_p)

    def _kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        weight, step = xp.exp(theta_p), theta_q - theta_p
        excess = xp.sum(weight, axis=-1)
        psi_p, psi_q = xp.log1p(excess), xp.log1p(xp.sum(xp.exp(theta_q), axis=-1))     # or ∞: what is lost then is found below
        direct = (psi_q - psi_p) - dot(weight, step) / (1.0 + excess)
        # Σ η_i |θ_q − θ_p|_i ≤ ψ_p + ψ_q + Σ p |log p / q|, and that sum is KL + 2 / e at the most
        return unless_cancelled(xp, direct, 2.0 * (psi_p + psi_q) + 0.75, self._careful_kl, theta_p, theta_q)

    def _careful_kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        return log_odds_kl(xp, theta_p, theta_q, self._softmax(xp, theta_p), self._softmax(xp, theta_q))

    def _fit(self, xp: Namespace, x: Array, weights: Array) -> Array:
        """From the shares of all outcomes: that of the reference is no difference."""
        outcomes = xp.asarray([float(i) for i in range(self.k)], dtype=x.dtype)
        shares = average(xp, weights, xp.astype(x[..., None] == outcomes, x.dtype))
        return self._theta_from(xp, positive(xp, shares))

    def _numeric(self, xp: Namespace, theta: Array) -> TabulatedCumulative:
        return TabulatedCumulative(xp, 0.0, self._log_probabilities(xp, theta))

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        """By inverse CDF over the outcomes in order."""
        xp = draws.xp
        cumulative = xp.cumulative_sum(self._probabilities(xp, theta), axis=-1)
        return xp.sum(xp.astype(draws.uniform(shape)[..., None] >= cumulative[..., :-1], theta.dtype), axis=-1)

    def _theta_from(self, xp: Namespace, probabilities: Array) -> Array:
        r: Any = self.reference
        others = xp.concat([probabilities[..., :r], probabilities[..., r + 1:]], axis=-1)
        return xp.log(others / probabilities[..., r:r + 1])

    def _theta_on_boundary(self, xp: Namespace, **ordinary: Array) -> Array:
        """θ_i = −∞ where p_i = 0; +∞ of the vertex i. Of several others beside p_r = 0 no θ tells the ratios."""
        r: Any = self.reference
        p = ordinary["probabilities"]
        said = (p[..., r] > 0) | (xp.sum(xp.astype(p > 0, xp.int64), axis=-1) == 1)
        require("probabilities", f"that of the reference outcome, {r}, above 0, or that of one outcome alone (reference= chooses "
                "another outcome)", said, p)
        theta, others = self._theta_from(xp, p), xp.concat([p[..., :r], p[..., r + 1:]], axis=-1)
        return xp.where(others == 0, xp.full_like(theta, -xp.inf), theta)

    def _probabilities(self, xp: Namespace, theta: Array) -> Array:
        _, _, eta, rest = self._softmax(xp, theta)
        r = self.reference
        return xp.concat([eta[..., :r], rest[..., None], eta[..., r:]], axis=-1)

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"probabilities": self._probabilities(xp, theta)}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        r: Any = self.reference
        rest = -xp.sum(d_eta, axis=-1, keepdims=True)
        return {"probabilities": xp.concat([d_eta[..., :r], rest, d_eta[..., r:]], axis=-1)}


def _log_odds(xp: Namespace, eta: Array) -> Array:
    if xp is not NUMPY:
        return xp.library.log(eta / column(1.0 - xp.sum(eta, axis=-1)))         # after a sum, that of XLA is the faster
    if eta.ndim == 1:
        return xp.log(eta / (1.0 - xp.sum(eta)))
    odds = eta / (1.0 - eta @ xp.ones(eta.shape[-1], dtype=eta.dtype))[..., None]       # NumPy's fastest sum of short rows
    return xp.log(odds, out=odds)


def _are_finite(xp: Namespace, theta: Array, eta: Array) -> Array:
    """Inside the simplex all log odds are finite, elsewhere one is not: NumPy's least costs a third of a look at the domain."""
    if xp is NUMPY:
        return isfinite(xp.min(theta))
    return xp.isfinite(xp.sum(theta))           # XLA's least of many leaves out what is no number


def _shifted_softmax(xp: Namespace, theta: Array) -> tuple[Array, Array, Array, Array]:
    """As `Categorical._softmax`, from e^{θ−m}, m = max(θ, 0), which cannot overflow; NaN of several +∞, which are no law's."""
    highest, several = xp.max(theta, axis=-1), xp.sum(xp.astype(theta == xp.inf, xp.int64), axis=-1) > 1
    largest = xp.asarray(0.25 * float(xp.finfo(theta.dtype).max), dtype=theta.dtype)           # of a vertex θ_i and ψ are +∞
    theta, top = xp.minimum(theta, largest), xp.maximum(xp.minimum(highest, largest), xp.zeros_like(highest))
    top = xp.where(several, xp.asarray(xp.nan, dtype=theta.dtype), top)
    weight, base = xp.exp(theta - column(top)), xp.exp(-top)
    excess = xp.sum(weight, axis=-1) + (base - 1.0)        # top > 0: the sum is at least 1; top = 0: the bracket is exactly 0
    total = 1.0 + excess
    return xp.where(highest > largest, highest, top), xp.log1p(excess), weight / column(total), base / total


def log_odds_kl(xp: Namespace, theta_p: Array, theta_q: Array, softmax_p: Array, softmax_q: Array) -> Array:
    """KL(p‖q) = Σ q − p − p log(q / p) over all outcomes, with log p_i = (θ_i − m) − (ψ − m) from `Categorical._softmax`.

    For near points log(q_i / p_i) = Δ_i − log(1 + Σ p_j (e^{Δ_j} − 1)), Δ = θ_q − θ_p, which does not cancel.
    """
    (top_p, psi_p, eta_p, rest_p), (top_q, psi_q, eta_q, rest_q) = softmax_p, softmax_q
    step = theta_q - theta_p
    near = xp.max(xp.abs(step), axis=-1) < 1.0
    shift = xp.log1p(dot(eta_p, xp.expm1(xp.clip(step, -1.0, 1.0))))
    far = ((theta_q - column(top_q)) - (theta_p - column(top_p))) - column(psi_q - psi_p)
    log_ratio = xp.where(column(near), step - column(shift), far)
    rest_ratio = xp.where(near, -shift, (top_p - top_q) + (psi_p - psi_q))
    return xp.sum(kl_terms(xp, eta_p, eta_q, log_ratio), axis=-1) + kl_terms(xp, rest_p, rest_q, rest_ratio)
