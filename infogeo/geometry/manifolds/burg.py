"""Burg's entropy, with the Itakura–Saito divergence."""
from dataclasses import dataclass

from ...backend import Array, Namespace
from ...domains.convex import ConvexDomain, Orthant
from ...errors import require_count
from ...numerics.exponentials import quotient_gap
from .arc_length import ArcLength, log_ratio

__all__ = ["Burg"]


@dataclass(frozen=True)
class Burg(ArcLength):
    """ψ(x) = −Σ log x_i on the positive orthant: η = −1 / x, D(p‖q) = Σ r − 1 − log r with r = x_q / x_p (Itakura–Saito).

    Mirror descent is x ← x / (1 + h x c).

    Examples
    --------
    >>> ig.Burg(2).to_eta([1.0, 4.0])
    array([-1.  , -0.25])
    """

    dim: int

    def __post_init__(self) -> None:
        require_count("dim", self.dim)

    @property
    def theta_domain(self) -> ConvexDomain:
        return Orthant(*[1] * self.dim)

    @property
    def eta_domain(self) -> ConvexDomain:
        return Orthant(*[-1] * self.dim)

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        return -xp.sum(xp.log(theta), axis=-1)

    def _dual_potential(self, xp: Namespace, eta: Array) -> Array:
        return -xp.sum(xp.log(-eta), axis=-1) - float(self.dim)

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        return -1.0 / theta

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        return xp.where(eta < 0, -1.0 / eta, xp.full_like(eta, xp.nan))

    def _second(self, xp: Namespace, theta: Array) -> Array:
        return 1.0 / theta**2

    def _dual_second(self, xp: Namespace, eta: Array) -> Array:
        return 1.0 / eta**2

    def _third(self, xp: Namespace, theta: Array) -> Array:
        return -2.0 / theta ** 3

    def _arc_length(self, xp: Namespace, theta: Array) -> Array:
        """log x."""
        return xp.log(theta)

    def _from_arc_length(self, xp: Namespace, s: Array) -> Array:
        return xp.exp(s)

    def _arc_between(self, xp: Namespace, p: Array, q: Array) -> Array:
        """log(q / p)."""
        return log_ratio(xp, p, q, q - p)

    def _divergence(self, xp: Namespace, p: Array, q: Array) -> Array:
        """Σ r − 1 − log r with r = q / p; of zeros, which are points of a simplex, 0 where both are, and ∞ where one is."""
        terms = xp.where(p == q, xp.zeros_like(p), quotient_gap(xp, q, p, q - p))
        return xp.sum(xp.where((p == 0) & (q > 0), xp.asarray(xp.inf, dtype=p.dtype), terms), axis=-1)
