"""The negative Tsallis entropy: mirror maps between the logarithmic barrier and the squared length."""
from dataclasses import dataclass
from math import sqrt

from ...backend import Array, Namespace
from ...domains.convex import ConvexDomain, Orthant
from ...errors import require, require_count, require_positive
from ...numerics.exponentials import expm1_gap
from .arc_length import ArcLength, log_ratio

__all__ = ["Tsallis"]


@dataclass(frozen=True)
class Tsallis(ArcLength):
    """ψ(x) = (Σ x_i^q − 1) / (q − 1) on the positive orthant, for q > 0 other than 1: η = q x^{q−1} / (q − 1).

    Mathematically, f″ = q x^{q−2}. On the simplex ψ is the negative Tsallis entropy, which is Σ x log x in the limit q → 1
    (`NegativeEntropy`) and |x|² − 1 at q = 2. Near q = 1 all η are near 1 / (q − 1): digits are lost like ε / |q − 1|.

    Raises: DomainError for q that is not positive, or 1.
    Source: Tsallis, Possible generalization of Boltzmann–Gibbs statistics, J. Stat. Phys. 52 (1988).

    Examples
    --------
    >>> ig.Tsallis(2.0).to_eta([[0.5], [3.0]])  # η = 2 x
    array([[1.],
           [6.]])
    """

    q: float
    dim: int = 1

    def __post_init__(self) -> None:
        require_positive("q", self.q)
        require("q", "q != 1 (NegativeEntropy)", self.q != 1, self.q)
        require_count("dim", self.dim)

    @property
    def steep(self) -> bool:
        """Below 1 the slope is infinite at 0."""
        return self.q < 1

    @property
    def theta_domain(self) -> ConvexDomain:
        return Orthant(*[1] * self.dim)

    @property
    def eta_domain(self) -> ConvexDomain:
        return Orthant(*[1 if self.q > 1 else -1] * self.dim)

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        return (xp.sum(theta**self.q, axis=-1) - 1.0) / (self.q - 1.0)

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        return self.q / (self.q - 1.0) * theta ** (self.q - 1.0)

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        return ((self.q - 1.0) / self.q * eta) ** (1.0 / (self.q - 1.0))

    def _second(self, xp: Namespace, theta: Array) -> Array:
        return self.q * theta ** (self.q - 2.0)

    def _third(self, xp: Namespace, theta: Array) -> Array:
        return self.q * (self.q - 2.0) * theta ** (self.q - 3.0)

    def _arc_length(self, xp: Namespace, theta: Array) -> Array:
        """2 x^{q/2} / √q."""
        return 2.0 / sqrt(self.q) * theta ** (0.5 * self.q)

    def _from_arc_length(self, xp: Namespace, s: Array) -> Array:
        return (0.5 * sqrt(self.q) * xp.where(s > 0, s, xp.full_like(s, xp.nan))) ** (2.0 / self.q)

    def _arc_between(self, xp: Namespace, p: Array, q: Array) -> Array:
        return self._arc_length(xp, p) * xp.expm1(0.5 * self.q * log_ratio(xp, p, q, q - p))

    def _divergence(self, xp: Namespace, p: Array, q: Array) -> Array:
        """Σ (b^q − a^q − q a^{q−1} (b − a)) / (q − 1) with a of p and b of q; near a as a^q (g(q u) − q g(u)), u = log(b/a).

        Here g(u) = e^u − 1 − u, and with it the terms of first order are gone before anything is formed.
        """
        n, u = self.q, log_ratio(xp, p, q, q - p)
        near = p**n * (expm1_gap(xp, n * u) - n * expm1_gap(xp, u))
        far = q**n - p**n - n * p ** (n - 1.0) * (q - p)
        terms = xp.where(xp.abs(u) < 1.0, near, far) / (n - 1.0)
        return xp.sum(xp.where(p == q, xp.zeros_like(terms), terms), axis=-1)
