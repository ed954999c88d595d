"""Manifolds that are flat in the Riemannian sense: those of one coordinate, sums of such, and constant metrics."""
from abc import abstractmethod

from ...backend import Array, Namespace
from .manifold import Riemannian
from .separable import Separable

__all__ = ["ArcLength", "ConstantMetric", "log_ratio"]


def log_ratio(xp: Namespace, a: Array, b: Array, step: Array) -> Array:
    """log(b / a) of positive numbers with step = b − a, near or far: 2 arsinh(½ (√(b/a) − √(a/b)))."""
    return 2.0 * xp.asinh(0.5 * step / (xp.sqrt(a) * xp.sqrt(b)))


class ArcLength(Separable):
    """A potential Σ f(θ_i) whose arc length s(θ_i) = ∫ √f″ is known: the coordinates s are Euclidean.

    Mathematically, d(p, q)² = Σ (s(q_i) − s(p_i))², and geodesics are the lines in s.
    """

    @abstractmethod
    def _arc_length(self, xp: Namespace, theta: Array) -> Array:
        """s(θ_i), with s′ = √f″ > 0, shape (..., dim)."""

    @abstractmethod
    def _from_arc_length(self, xp: Namespace, s: Array) -> Array:
        """θ_i, the inverse of `_arc_length`, shape (..., dim); NaN where no point is so far."""

    @abstractmethod
    def _arc_between(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """s(q_i) − s(p_i), formed without cancellation, shape (..., dim)."""

    def _distance(self, xp: Namespace, x: Array, y: Array) -> Array:
        """The Fisher–Rao distance √Σ (s(y_i) − s(x_i))², shape (...)."""
        arc = self._arc(xp, x, y)
        return xp.abs(arc[..., 0]) if self.dim == 1 else xp.sqrt(xp.sum(arc * arc, axis=-1))

    def _geodesic(self, xp: Namespace, x: Array, y: Array, t: Array) -> Array:
        """The point at time t of the geodesic from x (t = 0) to y (t = 1), at s_x + t (s_y − s_x), shape (..., dim)."""
        return self._from_arc_length(xp, self._arc_length(xp, x) + t[..., None] * self._arc(xp, x, y))

    def _exp(self, xp: Namespace, x: Array, vector: Array) -> Array:
        """The point at time 1 of the geodesic that starts at x with this velocity, at s_x + √f″ vector, shape (..., dim)."""
        return self._from_arc_length(xp, self._arc_length(xp, x) + xp.sqrt(self._second(xp, x)) * vector)

    def _log(self, xp: Namespace, x: Array, y: Array) -> Array:
        """The velocity at x of the geodesic that is at y at time 1, (s_y − s_x) / √f″, shape (..., dim)."""
        return self._arc_between(xp, x, y) / xp.sqrt(self._second(xp, x))

    def _arc(self, xp: Namespace, x: Array, y: Array) -> Array:
        """`_arc_between`; NaN, without a warning, where a point is outside the domain."""
        return self._arc_between(xp, x, y)


class ConstantMetric(Riemannian):
    """All of R^dim with the same metric everywhere: geodesics are straight lines, and d(x, y) = |y − x|."""

    def _distance(self, xp: Namespace, x: Array, y: Array) -> Array:
        """|y − x|, shape (...)."""
        return self._norm(xp, x, y - x)

    def _geodesic(self, xp: Namespace, x: Array, y: Array, t: Array) -> Array:
        """x + t (y − x), shape (..., dim)."""
        return x + t[..., None] * (y - x)

    def _exp(self, xp: Namespace, x: Array, vector: Array) -> Array:
        """x + vector, shape (..., dim)."""
        return x + vector

    def _log(self, xp: Namespace, x: Array, y: Array) -> Array:
        """y − x, shape (..., dim)."""
        return y - x
