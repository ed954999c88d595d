"""Distances that fall with a power of the step size: to the flow, between charts, of Newton's method, of a divergence."""
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...backend import Array
from ...geometry.divergences.divergence import jeffreys
from ...geometry.manifolds.manifold import DuallyFlat, Riemannian
from ...objectives.divergence import CrossEntropy
from ...solvers.descend import descend
from ...solvers.flow import flow
from ...solvers.step import Constant
from ...solvers.update import MirrorUpdate, NaturalUpdate, Update
from ..calculus import condition, towards
from ..geometry_laws import keeps_digits
from ..law import Sides, equal
from .identity import length, step_of, tensor_along

__all__ = ["corrected_steps_in_two_charts", "expansion_of_the_divergence", "expansion_of_the_squared_distance",
           "flow_is_one_curve", "mirror_descent_near_the_flow", "natural_gradient_near_the_flow", "newton_near_the_target",
           "steps_in_two_charts"]

REACH = 0.2         # the length of the part of a flow that is followed, in its first metric
EPS = float(np.finfo(float).eps)

Distance = tuple[Array, Array]


def _near_the_flow(M: DuallyFlat, f: Any, theta: Array, h: Array, update: Update) -> Distance:
    horizon = step_of(M, f, theta, REACH)
    end = flow(_Faster(f, horizon), theta, geometry=M, update=NaturalUpdate(), times=[1.0]).x
    counts = [max(1, round(REACH / size)) for size in np.ravel(h).tolist()]
    ends = [descend(f, theta, geometry=M, update=update, step=Constant(horizon / n), max_steps=n, record=None).x for n in counts]
    return length(M, end, np.stack(ends)), 1e-9 * (1 + M.norm(theta, theta))


class _Faster:
    """c f for factors c (...): the flow of f at the times c t."""

    def __init__(self, f: Any, factor: Array) -> None:
        self.f, self.factor = f, factor

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        value, covector = self.f.value_and_gradient(x)
        return value * self.factor, covector * self.factor[..., None]


def mirror_descent_near_the_flow(M: DuallyFlat, f: Any, theta: Array, h: Array) -> Distance:
    """Mirror descent is at O(h) of the flow dη/dt = −∂f/∂θ at a fixed time."""
    return _near_the_flow(M, f, theta, h, MirrorUpdate())


def natural_gradient_near_the_flow(M: DuallyFlat, f: Any, theta: Array, h: Array) -> Distance:
    """Natural gradient descent in θ is at O(h) of the flow dη/dt = −∂f/∂θ at a fixed time."""
    return _near_the_flow(M, f, theta, h, NaturalUpdate())


def flow_is_one_curve(M: DuallyFlat, f: Any, theta: Array) -> Iterator[Sides]:
    """The natural-gradient flow is the same curve in θ and in η."""
    horizon = step_of(M, f, theta, REACH)
    in_theta = flow(_Faster(f, horizon), theta, geometry=M, update=NaturalUpdate(), times=[0.5, 1.0]).path
    dual = _Faster(f.in_dual_coordinates(), horizon)
    in_eta = flow(dual, M.to_eta(theta), geometry=M.dual, update=NaturalUpdate(), times=[0.5, 1.0]).path
    apart = length(M, in_theta, M.to_theta(in_eta))
    allowed = 1e-8 * (1 + M.norm(theta, theta)) + 1e-13 * condition(M, theta) * (1 + M.norm(theta, theta))
    yield equal("|θ(t) − θ(η(t))|", np.max(apart, axis=0), "zero", 0.0, allowed)


def _rounding_of_charts(M: DuallyFlat, theta: Array) -> Array:
    return 100 * EPS * condition(M, theta) * (1 + M.norm(theta, theta))


def _natural_step(M: Riemannian, x: Array, covector: Array, h: Array) -> Array:
    return -h[..., None] * M.sharp(x, covector)


def steps_in_two_charts(M: DuallyFlat, f: Any, theta: Array, h: Array) -> Distance:
    """A natural-gradient step in θ and one in η, which is a mirror step in θ, differ by O(h²)."""
    step, eta = step_of(M, f, theta, h), M.to_eta(theta)
    in_theta = theta + _natural_step(M, theta, f.value_and_gradient(theta)[1], step)
    in_eta = eta + _natural_step(M.dual, eta, f.in_dual_coordinates().value_and_gradient(eta)[1], step)
    return length(M, theta, theta + in_theta - M.to_theta(in_eta)), _rounding_of_charts(M, theta)


def corrected_steps_in_two_charts(M: DuallyFlat, f: Any, theta: Array, h: Array) -> Distance:
    """With −½ h² Γ(v, v) of the Levi-Civita connection added, natural-gradient steps in θ and in η differ by O(h³).

    Source: Song, Song & Ermon, Accelerating natural gradient with higher-order invariance, ICML (2018).
    """
    step, eta = step_of(M, f, theta, h), M.to_eta(theta)

    def corrected(N: DuallyFlat, g: Any, x: Array) -> Array:
        move = _natural_step(N, x, g.value_and_gradient(x)[1], step)
        return x + move - 0.25 * N.sharp(x, tensor_along(N.cubic_tensor(x), move))      # Γ(v, v) = ½ G⁻¹ T(v, v, ·)

    in_theta, in_eta = corrected(M, f, theta), corrected(M.dual, f.in_dual_coordinates(), eta)
    return length(M, theta, theta + in_theta - M.to_theta(in_eta)), _rounding_of_charts(M, theta)


def newton_near_the_target(M: DuallyFlat, p: Array, q: Array, h: Array) -> Distance:
    """A natural-gradient step of size 1 on KL(q‖p_θ) in θ, which is Newton's, lands at O(h²) of q from a distance of h."""
    start = q + h[..., None] * towards(M, q, p)
    covector = CrossEntropy(M, M.to_eta(q)).value_and_gradient(start)[1]
    return length(M, q, start - M.sharp(start, covector)), _rounding_of_charts(M, q)


def _cubic(M: DuallyFlat, p: Array, unit: Array) -> Array:
    return np.sum(tensor_along(M.cubic_tensor(p), unit) * unit, axis=-1)


def _rounding_of_divergences(M: DuallyFlat, p: Array, q: Array, h: Array) -> Array:
    """Of a form without cancellation 100 ε h², and what the rounding of the points does to it; else that of the potentials."""
    if keeps_digits(M):
        return (100 * EPS * h + 10 * EPS * M.norm(p, np.abs(p))) * h
    return 100 * EPS * (1 + np.abs(M.potential(p)) + np.sum(np.abs(p * M.to_eta(p)), axis=-1))


def expansion_of_the_divergence(M: DuallyFlat, p: Array, q: Array, h: Array) -> Distance:
    """KL(p‖p + δ) = ½ G δ² + ⅙ T δ³ + O(|δ|⁴) and KL(p + δ‖p) = ½ G δ² + ⅓ T δ³ + O(|δ|⁴), |δ| = h."""
    unit = towards(M, p, q)
    there, cubic = p + h[..., None] * unit, _cubic(M, p, unit) * h**3
    rest = [D - 0.5 * h**2 - cubic / part for D, part in ((M.divergence(p, there), 6), (M.divergence(there, p), 3))]
    return np.max(np.abs(rest), axis=0), _rounding_of_divergences(M, p, q, h)


def expansion_of_the_squared_distance(M: DuallyFlat, p: Array, q: Array, h: Array) -> Distance:
    """½ d² = ½ G δ² + ¼ T δ³ + O(|δ|⁴) for the Fisher–Rao distance, and so J − d² = O(|δ|⁴), |δ| = h."""
    unit = towards(M, p, q)
    there = p + h[..., None] * unit
    square = M.distance(p, there) ** 2
    rest = [0.5 * square - 0.5 * h**2 - 0.25 * _cubic(M, p, unit) * h**3, jeffreys(M, p, there) - square]
    return np.max(np.abs(rest), axis=0), 1e-9 * h**2 + _rounding_of_divergences(M, p, q, h)


def with_a_distance(M: DuallyFlat) -> tuple[DuallyFlat, ...]:
    """The manifold, where it has its distance in closed form."""
    primal: DuallyFlat = getattr(M, "primal", M)
    return (M,) if type(primal)._distance is not Riemannian._distance else ()
