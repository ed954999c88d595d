"""The Bernoulli family."""
from dataclasses import dataclass
from math import pi

from ..arrays.draws import Draws
from ..arrays.sums import average
from ..backend import Array, Namespace
from ..domains.convex import OpenSimplex, RealSpace
from ..domains.supports import ClosedInterval, Integers, Interval, LimitPoints
from ..geometry.manifolds.separable import Separable
from ..geometry.manifolds.sphere import GreatCircles
from ..numerics.exponentials import kl_terms
from ..numerics.piecewise import positive
from .base import ConstantBaseMeasure
from .cumulative import TabulatedCumulative
from .limits import HasLimits

__all__ = ["Bernoulli"]


@dataclass(frozen=True)
class Bernoulli(HasLimits, Separable, GreatCircles, ConstantBaseMeasure):
    """A success (1) or a failure (0).

    Mathematically,

    - support {0, 1}; T(x) = x; h(x) = 1
    - θ = log(p / (1 − p)) in R; η = p in (0, 1)
    - ψ(θ) = log(1 + e^θ); φ(η) = η log η + (1 − η) log(1 − η)
    - metric p (1 − p); dual metric 1 / (p (1 − p))

    Ordinary parameters: `probability`, shape (...), in (0, 1).

    Examples
    --------
    >>> ig.Bernoulli().to_eta([0.0])
    array([0.5])
    """

    dim, on_simplex, reference = 1, True, 0
    nan_outside = ("eta",)
    theta_domain = RealSpace(1)
    eta_domain = OpenSimplex(1)
    support = Integers(0, 1)
    observed = 0
    ordinary = {"probability": Interval(0, 1)}
    theta_closure = LimitPoints(1, vertices=True)
    ordinary_closure = {"probability": ClosedInterval(0, 1)}

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        return _softplus(xp, theta)[..., 0]

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        return xp.expit(theta)

    def _second(self, xp: Namespace, theta: Array) -> Array:
        return xp.expit(theta) * xp.expit(-theta)

    def _third(self, xp: Namespace, theta: Array) -> Array:
        """p (1 − p) (1 − 2p)."""
        return -self._second(xp, theta) * xp.tanh(0.5 * theta)

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        return xp.log(eta) - xp.log1p(-eta)

    def _dual_potential(self, xp: Namespace, eta: Array) -> Array:
        return (xp.xlogy(eta, eta) + xp.xlog1py(1.0 - eta, -eta))[..., 0]

    def _dual_second(self, xp: Namespace, eta: Array) -> Array:
        return 1.0 / positive(xp, eta * (1.0 - eta))

    def total_volume(self) -> float:
        """π: half a circle of radius 1."""
        return pi

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return x[..., None]

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        """−log(1 + e^{−θ}) of a success, −log(1 + e^θ) of a failure."""
        return -_softplus(xp, (1.0 - 2.0 * x) * theta[..., 0])

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        """log(1 + t) + |θ| t / (1 + t) with t = e^{−|θ|}: neither term is negative."""
        size = xp.abs(theta[..., 0])
        t = xp.exp(-size)
        return xp.log1p(t) + size * t / (1.0 + t)

    def _kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        p1, p0, q1, q0 = xp.expit(theta_p), xp.expit(-theta_p), xp.expit(theta_q), xp.expit(-theta_q)
        success, failure = _log_ratio(xp, theta_p, theta_q), _log_ratio(xp, -theta_p, -theta_q)
        return (kl_terms(xp, p1, q1, success) + kl_terms(xp, p0, q0, failure))[..., 0]

    def _fit(self, xp: Namespace, x: Array, weights: Array) -> Array:
        """From the shares of successes and of failures: neither is a difference."""
        shares = positive(xp, average(xp, weights, xp.stack([x, 1.0 - x], axis=-1)))
        return xp.log(shares[..., :1] / shares[..., 1:])

    def _cumulative(self, xp: Namespace, theta: Array) -> TabulatedCumulative:
        return TabulatedCumulative(xp, 0.0, -_softplus(xp, xp.concat([theta, -theta], axis=-1)))

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        return draws.xp.astype(draws.uniform(shape) < draws.xp.expit(theta[..., 0]), theta.dtype)

    def _theta_from(self, xp: Namespace, probability: Array) -> Array:
        return (xp.log(probability) - xp.log1p(-probability))[..., None]

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"probability": xp.expit(theta[..., 0])}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        return {"probability": d_eta[..., 0]}

    def _distance(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """2 |arcsin √q − arcsin √p|, with arcsin √p = arctan e^{θ/2}, by the addition theorem of the tangent."""
        return 2.0 * xp.abs(self._angle(xp, theta_p, theta_q))

    def _angle_square(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        return self._angle(xp, theta_p, theta_q) ** 2

    def _angle(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """arcsin √q − arcsin √p, shape (...)."""
        return xp.atan(xp.sinh(0.25 * (theta_q - theta_p)) / xp.cosh(0.25 * (theta_p + theta_q)))[..., 0]


def _softplus(xp: Namespace, x: Array) -> Array:
    """log(1 + e^x)."""
    return xp.maximum(x, xp.zeros_like(x)) + xp.log1p(xp.exp(-xp.abs(x)))


def _log_ratio(xp: Namespace, logit_p: Array, logit_q: Array) -> Array:
    """log(q / p) of the success probabilities, for near points as −log(1 + (1 − p)(e^{−Δ} − 1)) with Δ = θ_q − θ_p."""
    step = xp.clip(logit_q - logit_p, -1.0, 1.0)
    near = -xp.log1p(xp.expit(-logit_p) * xp.expm1(-step))
    return xp.where(xp.abs(logit_q - logit_p) < 1.0, near, _softplus(xp, -logit_p) - _softplus(xp, -logit_q))
