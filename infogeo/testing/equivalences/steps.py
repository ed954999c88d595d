"""One step and whole runs: mirror descent is natural gradient on the dual, and what a step solves."""
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...backend import Array
from ...families.categorical import Categorical
from ...geometry.divergences.divergence import bregman
from ...geometry.manifolds.burg import Burg
from ...geometry.manifolds.euclidean import Euclidean
from ...geometry.manifolds.manifold import DuallyFlat, Riemannian
from ...geometry.manifolds.negative_entropy import NegativeEntropy
from ...geometry.manifolds.quadratic import Quadratic
from ...objectives.affine_map import AffineMap
from ...solvers.descend import descend
from ...solvers.result import LOST
from ...solvers.step import Constant
from ...solvers.update import MirrorUpdate, NaturalUpdate
from ..calculus import apply, condition, derivative, frame
from ..law import Sides, equal
from .identity import difference_step, length, step_of

__all__ = ["descent_in_affine_charts", "entropic_descent_is_multiplicative", "gradients_swap", "maps_with_a_name",
           "mirror_descent_is_natural_gradient", "mirror_descent_on_the_dual_is_natural_gradient", "named_maps", "on_the_simplex",
           "prox_is_the_dual_step", "three_points_of_a_step"]

STEPS = 8           # of a run


def norm(x: Array) -> Array:
    """|x|, shape (..., 1)."""
    return np.linalg.norm(x, axis=-1, keepdims=True)


def inside_step(M: DuallyFlat, f: Any, theta: Array, h: float) -> tuple[Array, Array, Array, Array]:
    """``(c, h, η, η⁺)``: the step sizes, halved in the rows whose η − h c would leave the domain."""
    covector, eta = f.value_and_gradient(theta)[1], M.to_eta(theta)
    step = step_of(M, f, theta, h)
    for _ in range(60):
        inside = M.eta_domain.contains(eta - step[..., None] * covector)
        if np.all(inside):
            break
        step = np.where(inside, step, 0.5 * step)
    return covector, step, eta, eta - step[..., None] * covector


def prox_is_the_dual_step(M: DuallyFlat, f: Any, p: Array, q: Array, h: float) -> Iterator[Sides]:
    """η⁺ = η − h c minimises c·θ' + B_ψ(θ' : θ)/h: c + (∇ψ(θ⁺) − ∇ψ(θ))/h = 0, and any other point is worse by B_ψ(θ' : θ⁺)/h.

    Source: Beck & Teboulle, Oper. Res. Lett. 31 (2003).
    """
    if not M.steep:
        return
    covector, step, eta, _ = inside_step(M, f, p, h)
    plus, _ = MirrorUpdate()(M, p, covector, step)
    wide, kappa = step[..., None], condition(M, plus)
    size = norm(eta) / wide + norm(covector)
    yield equal("c + (∇ψ(θ⁺) − ∇ψ(θ))/h", covector + (M.to_eta(plus) - eta) / wide, "zero", 0.0, 1e-13 * kappa[..., None] * size)

    def prox(x: Array) -> Array:
        return np.sum(covector * (x - p), axis=-1) + bregman(M, x, p) / step

    other = 0.5 * (plus + q)
    gain, expected = prox(other) - prox(plus), bregman(M, other, plus) / step
    slack = 1e-12 * kappa * (1 + np.abs(prox(other)) + np.abs(M.potential(p)) / step + np.sum(np.abs(covector * p), axis=-1))
    yield equal("prox(θ') − prox(θ⁺)", gain, "B_ψ(θ' : θ⁺)/h", expected, 1e-9 * expected + slack)


def three_points_of_a_step(M: DuallyFlat, f: Any, p: Array, q: Array, h: float) -> Iterator[Sides]:
    """B_ψ(u : θ) − B_ψ(u : θ⁺) − B_ψ(θ⁺ : θ) = −h c·(u − θ⁺) for a mirror step and every u.

    Source: Chen & Teboulle, SIAM J. Optim. 3 (1993).
    """
    if not M.steep:
        return
    covector, step, eta, eta_plus = inside_step(M, f, p, h)
    plus, _ = MirrorUpdate()(M, p, covector, step)
    left = bregman(M, q, p) - bregman(M, q, plus) - bregman(M, plus, p)
    right = -step * np.sum(covector * (q - plus), axis=-1)
    size = np.abs(M.potential(q)) + np.abs(M.potential(p)) + np.sum((np.abs(q) + np.abs(plus)) * np.abs(eta), axis=-1)
    yield equal("B(u : θ) − B(u : θ⁺) − B(θ⁺ : θ)", left, "−h c·(u − θ⁺)", right, 1e-13 * condition(M, plus) * (1 + size))


def mirror_descent_is_natural_gradient(M: DuallyFlat, f: Any, theta: Array, h: float) -> Iterator[Sides]:
    """Mirror descent in θ and natural gradient descent in η take the same steps, at every finite step size.

    Source: Raskutti & Mukherjee, The information geometry of mirror descent, IEEE Trans. Inf. Theory 61 (2015).
    """
    run: dict[str, Any] = dict(step=Constant(step_of(M, f, theta, h)), max_steps=STEPS)
    mirror = descend(f, theta, geometry=M, update=MirrorUpdate(), **run)
    natural = descend(f.in_dual_coordinates(), M.to_eta(theta), geometry=M.dual, update=NaturalUpdate(), **run)
    both = min(len(mirror.path), len(natural.path))         # at the edge of the domain rounding may end one before the other
    theta, eta = mirror.path[:both], natural.path[:both]
    kappa, size = np.max(condition(M, theta), axis=0), 1 + np.max(M.dual.norm(eta, eta), axis=0)
    yield equal("|η(θ_k) − η_k|", np.max(length(M.dual, eta, M.to_eta(theta)), axis=0), "zero", 0.0, 1e-12 * kappa * size)


def mirror_descent_on_the_dual_is_natural_gradient(M: DuallyFlat, f: Any, theta: Array, h: float) -> Iterator[Sides]:
    """Mirror descent in η and natural gradient descent in θ take the same steps, at every finite step size."""
    yield from mirror_descent_is_natural_gradient(M.dual, f.in_dual_coordinates(), M.to_eta(theta), h)


def gradients_swap(M: DuallyFlat, f: Any, theta: Array) -> Iterator[Sides]:
    """G⁻¹ ∂f/∂θ = ∂f/∂η and G ∂f/∂η = ∂f/∂θ, the derivatives in η by differences.

    Source: Amari, Natural gradient works efficiently in learning, Neural Computation 10 (1998).
    """
    eta, dual = M.to_eta(theta), f.in_dual_coordinates()
    value, in_theta = f.value_and_gradient(theta)
    in_eta = dual.value_and_gradient(eta)[1]
    rows, kappa, step = frame(M.dual, eta), condition(M, theta)[..., None], difference_step(M.dual, eta)
    for name, raised in ("sharp(∂f/∂θ)", M.sharp(theta, in_theta)), ("∂f/∂η", in_eta):
        claimed = apply(rows, raised)
        numeric = derivative(lambda y: f.value_and_gradient(M.to_theta(y))[0], eta, rows, step)
        size = 1 + np.abs(value)[..., None] + np.max(np.abs(claimed), axis=-1, keepdims=True)
        yield equal(f"e_a {name}", claimed, "e_a f(θ(η)) (differences)", numeric, (1e-8 + 1e-13 * kappa) * 0.01 / step * size)
    rounding = np.linalg.norm(M.metric(theta), ord=2, axis=(-2, -1))[..., None] * (1 + norm(theta))     # of θ(η(θ)), in η
    yield equal("G ∂f/∂η", M.dual.sharp(eta, in_eta), "∂f/∂θ", in_theta, 1e-13 * kappa * (norm(in_theta) + rounding))


class _AffineChart(Riemannian):
    """A manifold in the coordinates u with x = A u + b: the metric is AᵀGA."""

    def __init__(self, M: DuallyFlat, map: AffineMap) -> None:
        self.M, self.map, self.dim = M, map, M.dim

    def metric(self, u: Array) -> Array:
        A = self.map.A
        return A.T @ self.M.metric(self.map(u)) @ A


def descent_in_affine_charts(M: DuallyFlat, f: Any, theta: Array, h: float, rng: np.random.Generator) -> Iterator[Sides]:
    """Natural gradient descent takes the same steps in every chart u with θ = A u + b."""
    A, b = np.eye(M.dim) + 0.3 * rng.standard_normal((M.dim, M.dim)) / np.sqrt(M.dim), rng.standard_normal(M.dim)
    chart = _AffineChart(M, AffineMap(A, b))
    u = np.linalg.solve(A, (theta - b)[..., None])[..., 0]
    run: dict[str, Any] = dict(update=NaturalUpdate(), step=Constant(step_of(M, f, theta, h)), max_steps=STEPS)
    here = descend(f, theta, geometry=M, **run)
    there = descend(f.pulled_back(chart.map), u, geometry=chart, **run)
    records = min(len(here.path), len(there.path))
    path, mapped = here.path[:records], chart.map(there.path[:records])
    kappa = np.max(condition(M, path), axis=0) * np.linalg.cond(A)**2
    size = 1 + np.max(M.norm(path, path), axis=0) + np.max(M.norm(path, np.abs(b)), axis=0)
    both = ~(np.isin(here.status, LOST) | np.isin(there.status, LOST))         # the chart knows no domain to leave
    apart = np.max(length(M, path, mapped), axis=0)
    yield equal("|θ_k − A u_k − b|", np.where(both, apart, 0.0), "zero", 0.0, np.where(both, 1e-12 * kappa * size, 0.0))


# On the simplex

def on_the_simplex(M: DuallyFlat) -> tuple[DuallyFlat, ...]:
    """The manifold where it is a categorical family, else that of one outcome more than it has dimensions."""
    return (M if isinstance(M, Categorical) else Categorical(M.dim + 1),)


def probabilities(M: Categorical, eta: Array) -> Array:
    """All k of them, in the order of the outcomes, shape (..., k)."""
    return with_reference(M, eta, 1.0 - np.sum(eta, axis=-1))


def with_reference(M: Categorical, x: Array, value: Any) -> Array:
    """A vector over all outcomes from one without the reference, and what stands there."""
    place: Any = M.reference
    return np.insert(x, place, value, axis=-1)


def without_reference(M: Categorical, x: Array) -> Array:
    """The differential in η of a function of all k probabilities with this one, shapes (..., k) to (..., k − 1)."""
    place: Any = M.reference
    return np.delete(x - x[..., [place]], place, axis=-1)


def entropic_descent_is_multiplicative(M: DuallyFlat, f: Any, theta: Array, h: float,
                                       rng: np.random.Generator) -> Iterator[Sides]:
    """On the simplex the mirror step is p⁺ ∝ p e^{−h ∇f}; for a linear f = c·p its iterates lie on the flow p(t) ∝ p₀ e^{−tc}.

    Source: Alvarez, Bolte & Brahic, Hessian Riemannian gradient flows in convex programming, SIAM J. Control Optim. 43 (2004).
    """
    if not isinstance(M, Categorical):
        return
    eta, step = M.to_eta(theta), step_of(M, f, theta, h)
    covector = f.in_dual_coordinates().value_and_gradient(eta)[1]
    plus, _ = MirrorUpdate()(M.dual, eta, covector, step)
    p = probabilities(M, eta)
    weight = p * np.exp(-step[..., None] * with_reference(M, covector, 0.0))
    yield equal("p⁺", probabilities(M, plus), "p e^{−h ∇f} / Σ", weight / np.sum(weight, axis=-1, keepdims=True), 1e-13)
    cost, x = rng.standard_normal(M.k), eta
    for _ in range(STEPS):
        x, _ = MirrorUpdate()(M.dual, x, without_reference(M, cost), np.asarray(h))
    weight = p * np.exp(-STEPS * h * cost)
    yield equal("p_k", probabilities(M, x), "p₀ e^{−khc} / Σ", weight / np.sum(weight, axis=-1, keepdims=True), 1e-12)


# The mirror maps whose descent has a name

def named_maps(M: DuallyFlat) -> tuple[DuallyFlat, ...]:
    """The Euclidean, a quadratic, the entropic and the logarithmic mirror map of the same dimension."""
    d = M.dim
    return Euclidean(d), Quadratic(np.eye(d) + 0.5 / d), NegativeEntropy(d), Burg(d)


def by_hand(M: DuallyFlat, x: Array, c: Array, h: Array) -> Array | None:
    """The step of mirror descent in its own words."""
    match M:
        case Euclidean():
            return x - h * c
        case Quadratic():
            return x - h * np.linalg.solve(M.Q, c[..., None])[..., 0]
        case NegativeEntropy():
            return x * np.exp(-h * c)
        case Burg():
            return x / (1 + h * x * c)
    return None


def maps_with_a_name(M: DuallyFlat, f: Any, theta: Array, h: float) -> Iterator[Sides]:
    """The mirror step is x − hc for ½|x|², x − hQ⁻¹c for ½xᵀQx, x e^{−hc} for Σ x log x − x, x/(1 + hxc) for −Σ log x."""
    covector, step, _, _ = inside_step(M, f, theta, h)
    expected = by_hand(M, theta, covector, step[..., None])
    if expected is not None:
        plus, _ = MirrorUpdate()(M, theta, covector, step)
        yield equal("x⁺", plus, "by hand", expected, 1e-13 * (norm(theta) + norm(expected)))
