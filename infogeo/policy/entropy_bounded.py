"""The longest step of a policy within a ball and with a bound on the entropy that it may lose (COPOS)."""
from dataclasses import dataclass
from math import inf, nan
from numbers import Real
from typing import Any

import numpy as np

from ..backend import Array, Namespace, arrays, column, dot
from ..errors import require, require_converged, require_positive
from ..numerics.linalg import solve
from ..numerics.root import approach
from ..solvers.update import Update

__all__ = ["EntropyBounded"]

ROUNDS = 100


@dataclass(frozen=True)
class EntropyBounded(Update):
    """θ⁺ = (κθ + w) / (κ + ω): the best policy to first order within a ball that keeps its entropy up to a bound.

    Mathematically, w = −G⁻¹c is the natural gradient and θ⁺ makes w·η⁺ largest subject to KL(π⁺ ‖ π) ≤ ε and H(π) − H(π⁺) ≤ β.
    The policies are log-linear, so that both are of the potential ψ at hand: KL = ψ(θ) − ψ(θ⁺) − η⁺·(θ − θ⁺) and
    H = ψ(θ⁺) − θ⁺·η⁺; (κ, ω) ≥ 0 makes κ (ε − ψ(θ)) − ω (H(π) − β) + (κ + ω) ψ(θ⁺) least, a convex function. With β = ∞ it is
    the exact tilt π⁺ ∝ π e^{w / κ}. The size h of a step does not matter; with w = 0 nothing moves.

    The geometry is the Fisher metric of `FiniteMDP.policies` or of `LogLinearPolicies`, whose states stay those of θ, or any
    exponential family with h(x) constant.

    Where the ball holds every policy along w, and nothing bounds the entropy, there is no longest step: θ⁺ is NaN, which a run
    reports as LEFT_DOMAIN.

    Parameters
    ----------
    kl : positive number or array, shape (...)
        ε, nats.
    entropy : number or array ≥ 0, shape (...)
        β, nats.

    Source: Pajarinen, Thai, Akrour, Peters & Neumann, Compatible natural gradient policy search (2019); the dual is derived.

    Examples
    --------
    >>> M, f = ig.Categorical(3), lambda theta: (-theta[0], [-1.0, 0.0])
    >>> run = ig.descend(f, [0.0, 0.0], geometry=M,
    ...                  update=ig.policy.EntropyBounded(kl=0.1), step=1.0,
    ...                  max_steps=1)
    >>> float(M.kl(run.x, np.zeros(2)).round(6))    # as far as it may go
    0.1
    """

    needs = ("sharp",)
    kl: Any
    entropy: Any = inf

    def __post_init__(self) -> None:
        object.__setattr__(self, "kl", require_positive("kl", self.kl))
        bound = arrays(self.entropy)[1]
        require("entropy", "entropy >= 0", bound >= 0, bound)
        object.__setattr__(self, "entropy", float(self.entropy) if isinstance(self.entropy, Real) else bound)

    def __call__(self, geometry: Any, x: Array, covector: Array, h: Array, state: Any = None) -> tuple[Array, Any]:
        xp, x, radius = arrays(x, self.kl)
        w = -geometry.sharp(x, covector)
        here = geometry.seen_from(x) if hasattr(geometry, "seen_from") else geometry
        scale = xp.max(xp.abs(w), axis=-1)              # of 0 there is no direction
        moving = scale > 0
        w = w / column(xp.where(moving, scale, xp.ones_like(scale)))
        with np.errstate(all="ignore"):                 # rows that stay have no ball, and far trials overflow
            return xp.where(column(moving), _Bounded(xp, here, x, w, radius, self.entropy).point(~moving), x), state

    def velocity(self, geometry: Any, x: Array, covector: Array) -> Array:
        velocity: Array = -geometry.sharp(x, covector)
        return velocity


class _Bounded:
    """One step: from θ along w, whose largest entry is 1."""

    def __init__(self, xp: Namespace, here: Any, theta: Array, w: Array, radius: Array, loss: Array) -> None:
        self.xp, self.here, self.theta, self.w, self.radius = xp, here, theta, w, radius
        self.least = self.entropy(theta) - loss          # of the entropy

    def entropy(self, u: Array) -> Array:
        """ψ(u) − u·η(u), shape (...)."""
        entropy: Array = self.here.potential(u) - dot(u, self.here.to_eta(u))
        return entropy

    def ball(self, origin: Array, radius: Array) -> Array:
        """t with KL(π_{origin + t w} ‖ π_origin) = radius, shape (...): ∞ where the ball holds all of them.

        log KL is concave in log t, from the slope 2 near 0 on, so that Newton's method comes up from below.
        """
        xp, curvature = self.xp, dot(self.w, self.here.flat(origin, self.w))
        start = 0.5 * xp.log(2.0 * radius / curvature)

        def newton(log_t: Array) -> tuple[Array, Array]:
            t = xp.exp(log_t)
            u = origin + column(t) * self.w
            kl = self.kl(u, origin)
            slope = t * t * dot(self.w, self.here.flat(u, self.w)) / kl
            step = (xp.log(kl) - xp.log(radius)) / slope
            # where π is nearly deterministic along w the slope is 0, and far steps would leave the numbers
            return log_t - xp.clip(step, -2.0, 2.0), step

        found, _, running = approach(xp, start, newton, 0.1 * float(xp.finfo(start.dtype).eps) ** 0.5, ROUNDS)
        beyond = running | ~xp.isfinite(found) | (found > 700.0)
        return xp.where(beyond, xp.asarray(inf, dtype=found.dtype), xp.exp(xp.where(beyond, 0.0 * start, found)))

    def kl(self, u: Array, v: Array) -> Array:
        """KL(π_u ‖ π_v), shape (...): that of the geometry, which does not cancel."""
        found: Array = self.here.divergence(u, v)
        return found

    def point(self, still: Array) -> Array:
        """θ⁺: the ball alone where the entropy allows it, the entropy alone where the ball does, else both at once.

        Rows that are still have no direction, and are not looked at.
        """
        xp, zero, nowhere = self.xp, 0.0 * self.theta, self.xp.asarray(nan, dtype=self.theta.dtype)
        t = self.ball(self.theta, self.radius)
        ended = xp.isinf(t)
        tilted = self.theta + column(xp.where(ended, xp.zeros_like(t), t)) * self.w
        free = ~ended & (self.entropy(tilted) >= self.least)
        unbounded = ended & (self.least <= 0.0)
        away = xp.where(column(unbounded), nowhere, tilted)
        done = free | unbounded | still
        if xp.all(done):
            return away
        spread = self.kl_from_uniform()
        s = self.ball(zero, xp.where(done, xp.ones_like(spread), spread))
        flat = column(xp.where(xp.isinf(s), xp.zeros_like(s), s)) * self.w
        near = ~done & (self.kl(flat, self.theta) <= self.radius)
        point = xp.where(column(done), away, flat)
        done = done | near
        return point if xp.all(done) else xp.where(column(done), point, self.both(done, xp.where(ended, xp.ones_like(t), t)))

    def kl_from_uniform(self) -> Array:
        """The divergence from the uniform policy at which the entropy is the least allowed: H(0) − least, not below 0."""
        xp = self.xp
        spread = self.here.potential(0.0 * self.theta) - self.least
        return xp.maximum(spread, xp.zeros_like(spread))

    def both(self, done: Array, t: Array) -> Array:
        """Both bounds bind: Newton's method on the dual of (κ, ω), halved until it stays positive and the dual falls."""
        xp, eps = self.xp, float(self.xp.finfo(self.theta.dtype).eps)
        kappa, omega = 1.0 / t, 0.5 / t
        value, gradient, hessian, u = self.dual(kappa, omega)
        error = xp.ones_like(value)
        for _ in range(ROUNDS):
            error = xp.where(done, xp.zeros_like(value), xp.max(xp.abs(gradient), axis=-1))
            if xp.all(error <= 1e4 * eps):
                break
            step = solve(xp, hessian, gradient)
            h = xp.where(done, xp.zeros_like(value), xp.ones_like(value))
            for _ in range(60):
                k, o = kappa - h * step[..., 0], omega - h * step[..., 1]
                inside = (k > 0) & (o > 0)
                trial = self.dual(xp.where(inside, k, kappa), xp.where(inside, o, omega))
                better = done | (inside & (trial[0] <= value - 1e-4 * h * dot(gradient, step) + 8.0 * eps * xp.abs(value)))
                if xp.all(better):
                    break
                h = xp.where(better, h, 0.5 * h)
            kappa, omega = xp.where(better & inside, k, kappa), xp.where(better & inside, o, omega)
            value, gradient, hessian, u = self.dual(kappa, omega)
        require_converged("EntropyBounded: Newton's method on the dual of both bounds ended short of its accuracy",
                          error <= 0.1 * eps ** 0.5, error, u)
        return u

    def dual(self, kappa: Array, omega: Array) -> tuple[Array, Array, Array, Array]:
        """Its value, gradient (..., 2) and Hessian (..., 2, 2), and θ⁺."""
        xp, total = self.xp, kappa + omega
        u = (column(kappa) * self.theta + self.w) / column(total)
        value = kappa * (self.radius - self.here.potential(self.theta)) - omega * self.least + total * self.here.potential(u)
        gradient = xp.stack([self.radius - self.kl(u, self.theta), self.entropy(u) - self.least], axis=-1)
        sides = [(self.theta - u), -u]
        lowered = [self.here.flat(u, side) for side in sides]
        hessian = xp.stack([xp.stack([dot(a, b) / total for b in lowered], axis=-1) for a in sides], axis=-2)
        return value, gradient, hessian, u
