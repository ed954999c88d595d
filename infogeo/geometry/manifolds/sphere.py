"""Probability vectors as points of a sphere: p ↦ 2√p is an isometry of the simplex with the Fisher metric."""
import numpy as np

from ...backend import Array, Namespace, column
from ...numerics.even import asin_squared, cos_root, sinc_root
from .manifold import DuallyFlat

__all__ = ["GreatCircles", "sine_ratio"]

_QUARTER = (0.5 * np.pi) ** 2        # of a full turn, squared


class GreatCircles(DuallyFlat):
    """Probabilities p_i, p_r of d + 1 outcomes in log-odds θ_i = log(p_i / p_r), with the Fisher metric.

    Mathematically, ψ = −log p_r, and p ↦ 2√p maps the manifold to the open positive part of the sphere of radius 2. With the
    angle ω = arccos Σ√(p_i q_i) between two points, the distance is 2ω, the geodesics are the great circles
    √p_t ∝ sin((1 − t)ω) √p + sin(tω) √q, and the ratio √(p_t,i / p_t,r) is a mean of those at the ends: no point is ever formed
    from its probabilities, so rare outcomes keep their digits.

    Source: Amari & Nagaoka, Methods of Information Geometry (2000), section 2.6.
    """

    def _log_rest_ratio(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """log(p_r / q_r) = ψ(θ_q) − ψ(θ_p), for near points as log(1 + Σ p_i (e^{Δ_i} − 1)), Δ = θ_q − θ_p."""
        step = xp.clip(theta_q - theta_p, -1.0, 1.0)        # from a ratio of e on the difference of potentials keeps its digits
        near = xp.all(xp.abs(theta_q - theta_p) < 1.0, axis=-1)
        direct = self._potential(xp, theta_q) - self._potential(xp, theta_p)
        growth = xp.sum(self._to_eta(xp, theta_p) * xp.expm1(step), axis=-1)
        return xp.where(near, xp.log1p(xp.where(near, growth, 0.0 * growth)), direct)

    def _amplitudes(self, xp: Namespace, theta: Array) -> Array:
        """(√p_1, …, √p_d, √p_r)."""
        log_rest = -self._potential(xp, theta)[..., None]
        return xp.exp(0.5 * xp.concat([theta + log_rest, log_rest], axis=-1))

    def _distance(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """The Fisher–Rao distance 2 arccos Σ√(p_i q_i) = 4 arcsin(½ ‖√p − √q‖), shape (...)."""
        return 4.0 * xp.asin(0.5 * xp.sqrt(self._chord_square(xp, theta_p, theta_q)))

    def _angle_square(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """ω², shape (...)."""
        return 4.0 * asin_squared(xp, 0.25 * self._chord_square(xp, theta_p, theta_q))

    def _chord_square(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """‖√p − √q‖², shape (...)."""
        root_p, root_q = self._amplitudes(xp, theta_p), self._amplitudes(xp, theta_q)
        gap = column(self._log_rest_ratio(xp, theta_p, theta_q))
        step = theta_q - theta_p
        log_ratio = xp.concat([step, xp.zeros_like(step[..., :1])], axis=-1) - gap       # log(q_i / p_i)
        near = root_p * xp.expm1(0.5 * xp.clip(log_ratio, -1.0, 1.0))
        chord = xp.where(xp.abs(log_ratio) < 1.0, near, root_q - root_p)
        return xp.sum(chord * chord, axis=-1)

    def _geodesic(self, xp: Namespace, theta_p: Array, theta_q: Array, t: Array) -> Array:
        """The point at time t of the geodesic from x (t = 0) to y (t = 1), shape (..., dim); NaN beyond the simplex.

        From that end which has the larger share c in √p_t,r: θ_i(t) = θ_i + 2 log(1 + (1 − c) (e^{Δ_i/2} − 1)).
        """
        square = self._angle_square(xp, theta_p, theta_q)
        ratio = xp.exp(0.5 * self._log_rest_ratio(xp, theta_p, theta_q))                       # √(p_r / q_r)
        of_p, of_q = ratio * sine_ratio(xp, 1.0 - t, square), sine_ratio(xp, t, square)
        half = 0.5 * (theta_q - theta_p)
        share_p, share_q = column(of_p / (of_p + of_q)), column(of_q / (of_p + of_q))
        along = xp.where(share_p >= 0.5, theta_p + 2.0 * xp.log1p(share_q * xp.expm1(half)),
                         theta_q + 2.0 * xp.log1p(share_p * xp.expm1(-half)))
        return _whole(xp, column((of_p + of_q > 0) & (t * t * square < _QUARTER)), along)

    def _exp(self, xp: Namespace, theta: Array, vector: Array) -> Array:
        """The point at time 1 of the geodesic that starts at x with this velocity, shape (..., dim); NaN beyond the simplex.

        Mathematically, √(p_i(1) / p_i) = cos τ + ½ (v_i − η·v) sin τ / τ with τ = ½ |v|.
        """
        square = 0.25 * self._inner(xp, theta, vector, vector)                                       # τ²
        half = 0.5 * column(sinc_root(xp, square)) * vector
        rest = column(cos_root(xp, square)) - xp.sum(self._to_eta(xp, theta) * half, axis=-1, keepdims=True)  # √(p_r(1) / p_r)
        return _whole(xp, (rest > 0) & column(square < _QUARTER), theta + 2.0 * xp.log1p(half / rest))

    def _log(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """The velocity at x of the geodesic that is at y at time 1, shape (..., dim).

        Mathematically, v_i = 2 (√(q_i / p_i) − √(q_r / p_r)) ω / sin ω.
        """
        square = self._angle_square(xp, theta_p, theta_q)
        scale = 2.0 * xp.exp(-0.5 * self._log_rest_ratio(xp, theta_p, theta_q)) / sinc_root(xp, square)
        return column(scale) * xp.expm1(0.5 * (theta_q - theta_p))


def _whole(xp: Namespace, inside: Array, theta: Array) -> Array:
    """θ; NaN in all coordinates where it is not inside, or one is not finite: an edge of the simplex is no point of it."""
    inside = inside & xp.all(xp.isfinite(theta), axis=-1, keepdims=True)
    return xp.where(inside, theta, xp.full_like(theta, xp.nan))


def sine_ratio(xp: Namespace, t: Array, square: Array) -> Array:
    """sin(tω) / sin ω from ω², which is t where that is 0."""
    return t * sinc_root(xp, t * t * square) / sinc_root(xp, square)
