"""Hyperbolic space as an upper half-space, and the manifolds that are a part of one in other coordinates."""
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ...backend import Array, Namespace
from ...domains.convex import ConvexDomain, Orthant, ProductDomain, RealSpace
from ...errors import require_count, require_positive
from ...numerics.even import NEAR, asinh_squared_series, cosh_and_sinhc_series, differentiably, sinhc_root
from ...numerics.exponentials import sinhc
from .manifold import Riemannian
from .separable import diagonal

__all__ = ["HalfSpace", "Hyperbolic", "sinh_ratio"]


@dataclass(frozen=True)
class HalfSpace(Riemannian):
    """The points (u, v) with v > 0 and the metric c² (|du|² + dv²) / v²: hyperbolic space of curvature −1/c², c = `radius`.

    Mathematically, geodesics are the half circles about points of the plane v = 0 and the lines that stand upright on it, and
    with the rapidity ℓ = arccosh(1 + (|Δu|² + Δv²) / (2 v_x v_y)) the distance is c ℓ. With w_x = sinh((1 − t)ℓ) / sinh ℓ and
    w_y = sinh(tℓ) / sinh ℓ, the point at time t has the height 1 / (w_x/v_x + w_y/v_y) and the place u that is the mean of u_x
    and u_y with the weights w_x/v_x and w_y/v_y: the light-cone coordinates 1/v, u/v of the hyperboloid model are linear there.

    Shapes: points (..., dim), the height v last.
    Raises: DomainError for a dimension or a radius that is not positive.
    Source: Ratcliffe, Foundations of Hyperbolic Manifolds (2019), sections 3.2 and 4.6.

    Examples
    --------
    >>> M, x = ig.geometry.HalfSpace(2), [0.0, 1.0]
    >>> float(M.distance(x, [0.0, np.e]).round(12))  # log(e / 1)
    1.0
    >>> K = ig.sectional_curvature(M, x, [1.0, 0.0], [0.0, 1.0])
    >>> float(K.round(6))
    -1.0
    """

    dim: int
    radius: float = 1.0

    def __post_init__(self) -> None:
        require_count("dim", self.dim)
        require_positive("radius", self.radius)

    @property
    def domain(self) -> ConvexDomain:
        return Orthant(1) if self.dim == 1 else ProductDomain(RealSpace(self.dim - 1), Orthant(1))

    def _metric(self, xp: Namespace, x: Array) -> Array:
        return diagonal(xp, (self.radius / x[..., -1:]) ** 2 * xp.ones_like(x))

    def _flat(self, xp: Namespace, x: Array, vector: Array) -> Array:
        return (self.radius / x[..., -1:]) ** 2 * vector

    def _sharp(self, xp: Namespace, x: Array, covector: Array) -> Array:
        return (x[..., -1:] / self.radius) ** 2 * covector

    def _root(self, xp: Namespace, x: Array, z: Array) -> Array:
        return self.radius / x[..., -1:] * z

    def _distance(self, xp: Namespace, x: Array, y: Array) -> Array:
        """c ℓ, shape (...)."""
        return self._distance_along(xp, x, y, y - x)

    def _geodesic(self, xp: Namespace, x: Array, y: Array, t: Array) -> Array:
        """The point at time t of the geodesic from x (t = 0) to y (t = 1), shape (..., dim)."""
        return self._geodesic_along(xp, x, y, y - x, t)

    def _exp(self, xp: Namespace, x: Array, vector: Array) -> Array:
        """The point at time 1 of the geodesic that starts at x with this velocity, shape (..., dim)."""
        v = x[..., -1:]
        a = vector / v
        start = differentiably(xp, lambda a: xp.sum(a * a, axis=-1) < NEAR, partial(_start_near, xp), partial(_start, xp), a)
        growth, height = start[..., 1:], v / start[..., :1]
        return xp.concat([x[..., :-1] + height * growth * a[..., :-1], height], axis=-1)

    def _log(self, xp: Namespace, x: Array, y: Array) -> Array:
        """The velocity at x of the geodesic that is at y at time 1, shape (..., dim)."""
        return self._log_along(xp, x, y, y - x)

    # The same, with y − x from the caller, who may know it better than the difference of the points does

    def _distance_along(self, xp: Namespace, x: Array, y: Array, step: Array) -> Array:
        """c ℓ of two points that are `step` = y − x apart, shape (...); its derivative at the point itself is 0."""
        def is_zero(step: Array, scale: Array) -> Array:
            return xp.all((step == 0) & (scale > 0), axis=-1)

        return self.radius * differentiably(xp, is_zero, lambda step, scale: 0.0 * step[..., :1] / scale, partial(_rapidity, xp),
                                            step, _scale(xp, x, y))[..., 0]

    def _geodesic_along(self, xp: Namespace, x: Array, y: Array, step: Array, t: Array) -> Array:
        """The point at time t of the geodesic from x to y = x + `step`, shape (..., dim)."""
        square, t = _rapidity_square(xp, x, y, step), t[..., None]
        from_x, from_y = sinh_ratio(xp, 1.0 - t, square) / x[..., -1:], sinh_ratio(xp, t, square) / y[..., -1:]
        place = x[..., :-1] + from_y / (from_x + from_y) * step[..., :-1]
        height = 1.0 / (from_x + from_y)
        batch = np.broadcast_shapes(place.shape[:-1], height.shape[:-1])
        return xp.concat([xp.broadcast_to(place, (*batch, self.dim - 1)), xp.broadcast_to(height, (*batch, 1))], axis=-1)

    def _log_along(self, xp: Namespace, x: Array, y: Array, step: Array) -> Array:
        """The velocity v_x (Δu/v_y, (|Δu|² + Δv (v_x + v_y)) / (2 v_x v_y)) ℓ / sinh ℓ, shape (..., dim)."""
        v_x, v_y, across, rise = x[..., -1:], y[..., -1:], step[..., :-1], step[..., -1:]
        up = (xp.sum(across**2, axis=-1, keepdims=True) + rise * (v_x + v_y)) / (2.0 * v_x * v_y)
        direction = xp.concat([across / v_y, xp.broadcast_to(up, (*across.shape[:-1], 1))], axis=-1)
        return v_x * direction / sinhc_root(xp, _rapidity_square(xp, x, y, step))


def _norm(xp: Namespace, vector: Array) -> Array:
    """|v|, shape (..., 1), without squares that are out of range."""
    if vector.shape[-1] == 2:
        return xp.hypot(vector[..., :1], vector[..., 1:])
    top = xp.max(xp.abs(vector), axis=-1, keepdims=True)
    size = xp.where((top > 0) & (top < xp.inf), top, xp.ones_like(top))
    return size * xp.sqrt(xp.sum((vector / size) ** 2, axis=-1, keepdims=True))


def _start(xp: Namespace, a: Array) -> Array:
    """(v_x / v_y, sinh ℓ / ℓ) at time 1 of the geodesic that starts with the velocity v_x a, ℓ = |a|, shape (..., 2).

    v_x / v_y = cosh ℓ − (a_v/ℓ) sinh ℓ = e^{−ℓ} + (ℓ − a_v) sinh ℓ / ℓ.
    """
    ell, rise = _norm(xp, a), a[..., -1:]
    # ℓ − a_v from the other components, as it cancels where the geodesic goes up
    across = xp.sum(a[..., :-1] ** 2, axis=-1, keepdims=True)
    up = xp.where(rise > 0, rise, xp.zeros_like(rise))
    total = xp.where(ell + up > 0, ell + up, xp.ones_like(ell))
    less = xp.where(rise > 0, across / total, ell - rise)
    growth = sinhc(xp, ell)
    return xp.concat([xp.exp(-ell) + less * growth, growth], axis=-1)


def _start_near(xp: Namespace, a: Array) -> Array:
    """The same next to a = 0."""
    even, growth = cosh_and_sinhc_series(xp.sum(a * a, axis=-1, keepdims=True))
    return xp.concat([even - a[..., -1:] * growth, growth], axis=-1)


def _scale(xp: Namespace, x: Array, y: Array) -> Array:
    """√(v_x v_y), shape (..., 1)."""
    return xp.sqrt(x[..., -1:]) * xp.sqrt(y[..., -1:])


def _rapidity(xp: Namespace, step: Array, scale: Array) -> Array:
    """ℓ = 2 arsinh(½ |Δ| / √(v_x v_y)), which is arccosh(1 + |Δ|² / (2 v_x v_y)) without its cancellation, shape (..., 1)."""
    return 2.0 * xp.asinh(0.5 * _norm(xp, step) / scale)


def _rapidity_square(xp: Namespace, x: Array, y: Array, step: Array) -> Array:
    """ℓ², shape (..., 1)."""
    def chord_square(step: Array, scale: Array) -> Array:
        """4 sinh² ½ℓ."""
        return xp.sum((step / scale) ** 2, axis=-1)

    def near(step: Array, scale: Array) -> Array:
        return 4.0 * asinh_squared_series(0.25 * chord_square(step, scale))[..., None]

    def far(step: Array, scale: Array) -> Array:
        return _rapidity(xp, step, scale) ** 2

    return differentiably(xp, lambda *xs: chord_square(*xs) < NEAR, near, far, step, _scale(xp, x, y))


def sinh_ratio(xp: Namespace, t: Array, square: Array) -> Array:
    """sinh(tℓ) / sinh ℓ from ℓ², which is t where that is 0."""
    return t * sinhc_root(xp, t * t * square) / sinhc_root(xp, square)


class Hyperbolic(Riemannian):
    """A manifold that is a part of `half_space` in other coordinates, and holds the geodesic between any two of its points.

    A subclass gives the map to the half-space, its inverse, both derivatives, and where it can the difference of two images
    without cancellation.
    """

    if TYPE_CHECKING:
        @property
        def half_space(self) -> HalfSpace: ...

    @abstractmethod
    def _to_half_space(self, xp: Namespace, x: Array) -> Array:
        """(u, v), shape (..., dim)."""

    @abstractmethod
    def _from_half_space(self, xp: Namespace, point: Array) -> Array:
        """The coordinates of (u, v), shape (..., dim); NaN where it is no point of the manifold."""

    @abstractmethod
    def _vector_to_half_space(self, xp: Namespace, x: Array, vector: Array) -> Array:
        """The derivative of `_to_half_space` at x along a vector, shape (..., dim)."""

    @abstractmethod
    def _vector_from_half_space(self, xp: Namespace, x: Array, vector: Array) -> Array:
        """The vector at x with this derivative, shape (..., dim)."""

    def _half_space_step(self, xp: Namespace, x: Array, y: Array) -> Array:
        """The image of y minus that of x, shape (..., dim)."""
        return self._to_half_space(xp, y) - self._to_half_space(xp, x)

    def _along(self, xp: Namespace, kernel: Callable[..., Array], x: Array, y: Array, *t: Array) -> Array:
        """A kernel of the half-space between the images."""
        return kernel(xp, self._to_half_space(xp, x), self._to_half_space(xp, y), self._half_space_step(xp, x, y), *t)

    def _distance(self, xp: Namespace, x: Array, y: Array) -> Array:
        """The Fisher–Rao distance, c arccosh(1 + (|Δu|² + Δv²) / (2 v_x v_y)), shape (...)."""
        return self._along(xp, self.half_space._distance_along, x, y)

    def _geodesic(self, xp: Namespace, x: Array, y: Array, t: Array) -> Array:
        """The point at time t of the geodesic from x (t = 0) to y (t = 1), a half circle in the half-space, shape (..., dim)."""
        return self._from_half_space(xp, self._along(xp, self.half_space._geodesic_along, x, y, t))

    def _exp(self, xp: Namespace, x: Array, vector: Array) -> Array:
        """The point at time 1 of the geodesic that starts at x with this velocity, shape (..., dim)."""
        start = self._to_half_space(xp, x)
        return self._from_half_space(xp, self.half_space._exp(xp, start, self._vector_to_half_space(xp, x, vector)))

    def _log(self, xp: Namespace, x: Array, y: Array) -> Array:
        """The velocity at x of the geodesic that is at y at time 1, shape (..., dim)."""
        return self._vector_from_half_space(xp, x, self._along(xp, self.half_space._log_along, x, y))
