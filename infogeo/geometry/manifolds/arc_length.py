"""Manifolds that are flat in the Riemannian sense: those of one coordinate, sums of such, and constant metrics."""
from abc import abstractmethod

import numpy as np

from ...backend import arrays
from .manifold import Riemannian
from .separable import Separable

__all__ = ["ArcLength", "ConstantMetric", "log_ratio"]


def log_ratio(xp, a, b, step):
    """log(b / a) of positive numbers with step = b − a, near or far: 2 arsinh(½ (√(b/a) − √(a/b)))."""
    return 2.0 * xp.asinh(0.5 * step / (xp.sqrt(a) * xp.sqrt(b)))


class ArcLength(Separable):
    """A potential Σ f(θ_i) whose arc length s(θ_i) = ∫ √f″ is known: the coordinates s are Euclidean.

    Mathematically, d(p, q)² = Σ (s(q_i) − s(p_i))², and geodesics are the lines in s.
    """

    @abstractmethod
    def arc_length(self, theta):
        """s(θ_i), with s′ = √f″ > 0, shape (..., dim)."""

    @abstractmethod
    def from_arc_length(self, s):
        """θ_i, the inverse of `arc_length`, shape (..., dim); NaN where no point is so far."""

    @abstractmethod
    def arc_between(self, theta_p, theta_q):
        """s(q_i) − s(p_i), formed without cancellation, shape (..., dim)."""

    def distance(self, x, y):
        """The Fisher–Rao distance √Σ (s(y_i) − s(x_i))², shape (...)."""
        xp, x, y = self.point(x, y)
        arc = self._arc(x, y)
        return xp.abs(arc[..., 0]) if self.dim == 1 else xp.sqrt(xp.sum(arc * arc, axis=-1))

    def geodesic(self, x, y, t):
        """The point at time t of the geodesic from x (t = 0) to y (t = 1), at s_x + t (s_y − s_x), shape (..., dim)."""
        self.point(x, y)
        _, x, y, t = arrays(x, y, t)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            return self.from_arc_length(self.arc_length(x) + t[..., None] * self._arc(x, y))

    def exp(self, x, vector):
        """The point at time 1 of the geodesic that starts at x with this velocity, at s_x + √f″ vector, shape (..., dim)."""
        xp, x, vector = self.point(x, vector)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            return self.from_arc_length(self.arc_length(x) + xp.sqrt(self.second(x)) * vector)

    def log(self, x, y):
        """The velocity at x of the geodesic that is at y at time 1, (s_y − s_x) / √f″, shape (..., dim)."""
        xp, x, y = self.point(x, y)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            return self.arc_between(x, y) / xp.sqrt(self.second(x))

    def _arc(self, x, y):
        """`arc_between`; NaN, without a warning, where a point is outside the domain."""
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            return self.arc_between(x, y)


class ConstantMetric(Riemannian):
    """All of R^dim with the same metric everywhere: geodesics are straight lines, and d(x, y) = |y − x|."""

    def distance(self, x, y):
        """|y − x|, shape (...)."""
        _, x, y = self.point(x, y)
        return self.norm(x, y - x)

    def geodesic(self, x, y, t):
        """x + t (y − x), shape (..., dim)."""
        self.point(x, y)
        _, x, y, t = arrays(x, y, t)
        return x + t[..., None] * (y - x)

    def exp(self, x, vector):
        """x + vector, shape (..., dim)."""
        _, x, vector = self.point(x, vector)
        return x + vector

    def log(self, x, y):
        """y − x, shape (..., dim)."""
        _, x, y = self.point(x, y)
        return y - x
