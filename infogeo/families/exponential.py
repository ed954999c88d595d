"""The exponential distributions."""
from dataclasses import dataclass

from ..arrays.draws import Draws
from ..backend import Array, Namespace
from ..domains.convex import Orthant
from ..domains.supports import ClosedInterval, Interval
from ..geometry.manifolds.arc_length import ArcLength, log_ratio
from ..numerics.exponentials import quotient_gap
from .base import ConstantBaseMeasure
from .cumulative import Carried, StandardExponential

__all__ = ["Exponential"]


@dataclass(frozen=True)
class Exponential(ArcLength, ConstantBaseMeasure):
    """Waiting times of rate β.

    Mathematically,

    - support x ≥ 0; T(x) = x; h(x) = 1
    - θ = −β < 0; η = 1 / β > 0
    - ψ(θ) = −log(−θ); φ(η) = −1 − log η
    - metric 1 / θ²; dual metric 1 / η²

    Ordinary parameters: `rate`, shape (...), positive.

    Examples
    --------
    >>> ig.Exponential().fit([1.0, 2.0, 6.0])
    array([-0.33333333])
    """

    dim = 1
    theta_domain = Orthant(-1)
    eta_domain = Orthant(1)
    support = ClosedInterval(0)
    observed = 0
    ordinary = {"rate": Interval(0)}

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        return -xp.log(-theta[..., 0])

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        return -1.0 / theta

    def _second(self, xp: Namespace, theta: Array) -> Array:
        return 1.0 / theta ** 2

    def _dual_second(self, xp: Namespace, eta: Array) -> Array:
        return 1.0 / eta ** 2

    def _third(self, xp: Namespace, theta: Array) -> Array:
        return -2.0 / theta ** 3

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        return -1.0 / eta

    def _dual_potential(self, xp: Namespace, eta: Array) -> Array:
        return -1.0 - xp.log(eta[..., 0])

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return x[..., None]

    def _kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """r − 1 − log r with the ratio of rates r = θ_q / θ_p."""
        return quotient_gap(xp, theta_q[..., 0], theta_p[..., 0], (theta_q - theta_p)[..., 0])

    def _cumulative(self, xp: Namespace, theta: Array) -> Carried:
        rate = -theta[..., 0]
        return Carried(StandardExponential(xp), lambda x: rate * x, lambda z: z / rate)

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        return draws.xp.log1p(-draws.uniform(shape)) / theta[..., 0]

    def _theta_from(self, xp: Namespace, rate: Array) -> Array:
        return -rate[..., None]

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"rate": -theta[..., 0]}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        """dβ = −β² dη."""
        return {"rate": -theta[..., 0] ** 2 * d_eta[..., 0]}

    def _arc_length(self, xp: Namespace, theta: Array) -> Array:
        """−log(−θ), the logarithm of the mean."""
        return -xp.log(-theta)

    def _from_arc_length(self, xp: Namespace, s: Array) -> Array:
        return -xp.exp(-s)

    def _arc_between(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """log(θ_p / θ_q)."""
        return log_ratio(xp, -theta_q, -theta_p, theta_q - theta_p)
