"""What of a simplex depends on its generator: the entropy has closed forms, other generators one scalar root a point."""
from __future__ import annotations

from dataclasses import dataclass
from math import exp, lgamma, log, pi

from ...backend import Array, Namespace, column, dot
from ...domains.convex import ConvexDomain, OpenSimplex, RealSpace
from ...errors import require_converged
from ...numerics.collocation.equations import HessianEquation
from ...numerics.collocation.paths import arrive, join
from ...numerics.even import asin_squared, cos_root, sinc_root
from ...numerics.exponentials import logsumexp
from .manifold import DuallyFlat
from .separable import Separable
from .sphere import sine_ratio

__all__ = ["ByRoot", "Entropic"]

STEPS = 100         # Newton's method takes 5 to 15; a bisection that it falls back to ends a bracket of doubles within 60


class Entropic:
    """The negative entropy: softmax, and the great circles of the sphere of radius 2 that p ↦ 2√p maps the simplex to."""

    def potential(self, xp: Namespace, p: Array) -> Array:
        """Σ p log p, shape (...)."""
        return xp.sum(xp.xlogy(p, p), axis=-1)

    def weights(self, xp: Namespace, p: Array) -> Array:
        """1 / f″(p), shape (..., k)."""
        return p

    moving = weights

    def to_theta(self, xp: Namespace, eta: Array) -> Array:
        """e^η / Σ e^η, shape (..., k)."""
        weight = xp.exp(eta - xp.max(eta, axis=-1, keepdims=True))
        return weight / xp.sum(weight, axis=-1, keepdims=True)

    def dual_potential(self, xp: Namespace, eta: Array) -> Array:
        """log Σ e^η, shape (...)."""
        return logsumexp(eta)

    def total_volume(self, k: int) -> float:
        """π^{k/2} / Γ(k/2): the part of the sphere with positive coordinates."""
        return exp(0.5 * k * log(pi) - lgamma(0.5 * k))

    def distance(self, xp: Namespace, p: Array, q: Array) -> Array:
        """4 arcsin(½ ‖√p − √q‖), shape (...)."""
        chord = _root_gap(xp, p, q)
        return 4.0 * xp.asin(xp.clip(0.5 * xp.sqrt(dot(chord, chord)), 0.0, 1.0))

    def geodesic(self, xp: Namespace, p: Array, q: Array, t: Array) -> Array:
        """√p_t = (sin((1 − t)ω) √p + sin(tω) √q) / sin ω with ω = half the distance; NaN beyond the simplex, shape (..., k)."""
        square = _angle_square(xp, p, q)
        of_p, of_q = sine_ratio(xp, 1.0 - t, square), sine_ratio(xp, t, square)
        return _squared(xp, column(of_p) * xp.sqrt(p) + column(of_q) * xp.sqrt(q), t * t * square)

    def exp(self, xp: Namespace, p: Array, vector: Array) -> Array:
        """√p(1) = √p cos τ + ½ (v / √p) sin τ / τ with τ = ½ |v|; NaN beyond the simplex, shape (..., k)."""
        push = _over(xp, vector, xp.sqrt(p))
        square = 0.25 * dot(push, push)
        return _squared(xp, xp.sqrt(p) * column(cos_root(xp, square)) + 0.5 * push * column(sinc_root(xp, square)), square)

    def log(self, xp: Namespace, p: Array, q: Array) -> Array:
        """2√p (√q − √p cos ω) ω / sin ω, shape (..., k)."""
        chord = _root_gap(xp, p, q)
        gap = chord + xp.sqrt(p) * column(0.5 * dot(chord, chord))                 # 1 − cos ω
        return 2.0 * xp.sqrt(p) * gap / column(sinc_root(xp, _angle_square(xp, p, q)))


@dataclass(frozen=True)
class ByRoot:
    """Another sum Σ f(p_i): p_i = (f′)⁻¹(η_i − λ), or 0 where η_i − λ ≤ f′(0), with the λ at which Σ p = 1."""

    generator: Separable
    k: int

    def potential(self, xp: Namespace, p: Array) -> Array:
        """Σ f(p), shape (...)."""
        return self.generator._potential(xp, p)

    def to_theta(self, xp: Namespace, eta: Array) -> Array:
        """The point, shape (..., k). Raises ConvergenceError where λ is not found."""
        eta = eta - xp.max(eta, axis=-1, keepdims=True)
        ends = self.generator._to_eta(xp, xp.asarray([1.0, 1.0 / self.k, 0.0], dtype=eta.dtype))
        low, high = (xp.zeros_like(eta[..., 0]) - end for end in (ends[0], ends[1]))     # of Σ p ≥ 1, and ≤ 1
        shift, error, eps = low, low, float(xp.finfo(eta.dtype).eps)
        for _ in range(STEPS):
            p = self._inverse(xp, eta - column(shift), ends[2])
            error = xp.sum(p, axis=-1) - 1.0
            low, high = xp.where(error >= 0, shift, low), xp.where(error <= 0, shift, high)
            ahead = shift + error / xp.sum(self.moving(xp, p), axis=-1)
            ahead = xp.where((ahead >= low) & (ahead <= high), ahead, 0.5 * (low + high))
            done = (xp.abs(error) <= 2 * eps) | ~xp.isfinite(error) | (ahead == shift) | (high - low <= 2 * eps * xp.abs(shift))
            if xp.all(done):
                break
            shift = xp.where(done, shift, ahead)
        # what the rounding of λ leaves, of p of the size of f″(p)⁻¹ |λ|
        size = 1.0 + xp.abs(shift) * xp.sum(self.moving(xp, p), axis=-1)
        require_converged("to_theta: the sum of the probabilities is off 1", ~(xp.abs(error) > 1000 * eps * size), error, p)
        return p / xp.sum(p, axis=-1, keepdims=True)

    def _inverse(self, xp: Namespace, slope: Array, least: Array) -> Array:
        return xp.where(slope > least, self.generator._to_theta(xp, slope), 0.0 * xp.abs(_finite(xp, slope)))

    def weights(self, xp: Namespace, p: Array) -> Array:
        """1 / f″(p), shape (..., k)."""
        return 1.0 / self.generator._second(xp, p)

    def moving(self, xp: Namespace, p: Array) -> Array:
        """The same, but 0 where p is: what is cut off at 0 does not follow η, shape (..., k)."""
        return xp.where(p > 0, 1.0 / self.generator._second(xp, p), xp.zeros_like(p))

    def dual_potential(self, xp: Namespace, eta: Array) -> Array:
        """η·p − ψ(p), shape (...)."""
        p = self.to_theta(xp, eta)
        return xp.sum(xp.where(p == 0, xp.zeros_like(p), eta * p), axis=-1) - self.generator._potential(xp, p)

    def total_volume(self, k: int) -> float:
        raise TypeError(f"a simplex with the generator {self.generator!r} has no volume in closed form")

    @property
    def _equation(self) -> HessianEquation:
        return HessianEquation(_WithoutLast(self.generator, self.k - 1))

    def distance(self, xp: Namespace, p: Array, q: Array) -> Array:
        """By collocation in the coordinates without the last, shape (...)."""
        length: Array = join(self._equation, p[..., :-1], q[..., :-1]).length
        return length

    def geodesic(self, xp: Namespace, p: Array, q: Array, t: Array) -> Array:
        """By collocation, shape (..., k)."""
        return _completed(xp, join(self._equation, p[..., :-1], q[..., :-1])(t), 1.0)

    def exp(self, xp: Namespace, p: Array, vector: Array) -> Array:
        """By collocation, shape (..., k)."""
        return _completed(xp, arrive(self._equation, p[..., :-1], vector[..., :-1])[0], 1.0)

    def log(self, xp: Namespace, p: Array, q: Array) -> Array:
        """By collocation, shape (..., k)."""
        return _completed(xp, join(self._equation, p[..., :-1], q[..., :-1]).velocity, 0.0)


class _WithoutLast(DuallyFlat):
    """The open simplex in the coordinates p_0 … p_{k−2}, with the potential Σ f(p_i): what geodesics are found in."""

    dim: int

    def __init__(self, generator: Separable, dim: int) -> None:
        self.generator, self.dim = generator, dim

    @property
    def theta_domain(self) -> ConvexDomain:
        return OpenSimplex(self.dim)

    @property
    def eta_domain(self) -> ConvexDomain:
        return RealSpace(self.dim)

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        return self.generator._potential(xp, _completed(xp, theta, 1.0))

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        slope = self.generator._to_eta(xp, _completed(xp, theta, 1.0))
        return slope[..., :-1] - slope[..., -1:]

    def _metric(self, xp: Namespace, theta: Array) -> Array:
        second = self.generator._second(xp, _completed(xp, theta, 1.0))
        return xp.eye(self.dim, dtype=theta.dtype) * second[..., None, :-1] + second[..., -1:, None]

    def _cubic_tensor(self, xp: Namespace, theta: Array) -> Array:
        third, eye = self.generator._third(xp, _completed(xp, theta, 1.0)), xp.eye(self.dim, dtype=theta.dtype)
        return eye[:, :, None] * eye[:, None, :] * third[..., None, None, :-1] - third[..., -1:, None, None]


def _completed(xp: Namespace, head: Array, total: float) -> Array:
    """Vectors of this sum from all their coordinates but the last."""
    return xp.concat([head, total - xp.sum(head, axis=-1, keepdims=True)], axis=-1)


def _root_gap(xp: Namespace, p: Array, q: Array) -> Array:
    """√q − √p, without cancellation."""
    return _over(xp, q - p, xp.sqrt(p) + xp.sqrt(q))


def _angle_square(xp: Namespace, p: Array, q: Array) -> Array:
    """ω² = 4 arcsin² ½‖√p − √q‖, shape (...)."""
    chord = _root_gap(xp, p, q)
    return 4.0 * asin_squared(xp, xp.minimum(0.25 * dot(chord, chord), xp.ones_like(chord[..., 0])))


def _over(xp: Namespace, x: Array, y: Array) -> Array:
    """x / y; 0 where both are 0."""
    return x / xp.where((x == 0) & (y == 0), xp.ones_like(y), y)


def _finite(xp: Namespace, x: Array) -> Array:
    """x, for the sake of its shape and its NaN, without infinite entries."""
    return xp.where(xp.isinf(x), xp.zeros_like(x), x)


def _squared(xp: Namespace, amplitude: Array, square: Array) -> Array:
    """Probabilities from amplitudes; NaN beyond the simplex: where one is negative, or the angle too wide."""
    room = 8.0 * float(xp.finfo(amplitude.dtype).eps)
    inside = xp.all(amplitude >= -room, axis=-1, keepdims=True) & column(square <= (0.5 * pi + room) ** 2)
    p = xp.maximum(amplitude, xp.zeros_like(amplitude)) ** 2
    return xp.where(inside, p / xp.sum(p, axis=-1, keepdims=True), xp.full_like(p, xp.nan))
