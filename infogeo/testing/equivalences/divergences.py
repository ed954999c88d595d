"""What natural gradient and mirror descent do with Kullback–Leibler divergences, and the divergences along geodesics."""
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...backend import Array
from ...geometry.connections.geodesic import e_geodesic, m_geodesic
from ...geometry.divergences.divergence import bregman, jeffreys
from ...geometry.manifolds.manifold import DuallyFlat
from ...numerics.quadrature import gauss
from ...objectives.divergence import CrossEntropy, ReverseKL
from ...solvers.descend import descend
from ...solvers.step import Constant
from ...solvers.update import MirrorUpdate, NaturalUpdate
from ..calculus import apply, condition, derivative, frame
from ..geometry_laws import keeps_digits
from ..law import Sides, at_least, equal
from .identity import difference_step, length

__all__ = ["energies_of_the_flat_geodesics", "forward_divergence_is_solved_in_one_step", "hessians_of_divergences_are_the_metric",
           "relative_smoothness_of_the_forward_divergence", "reverse_divergence_is_solved_in_one_step"]

STEPS = 6           # of a run
NODES = 200         # of the Gauss–Legendre rule


def forward_divergence_is_solved_in_one_step(M: DuallyFlat, p: Array, q: Array, h: float) -> Iterator[Sides]:
    """Mirror descent on KL(q‖p_θ): η_k − η_q = (1 − h)^k (η_0 − η_q), on the m-geodesic; natural gradient in η likewise."""
    f, eta, eta_q = CrossEntropy(M, M.to_eta(q)), M.to_eta(p), M.to_eta(q)
    for size in (h, 1.0):
        run: dict[str, Any] = dict(step=Constant(size), max_steps=STEPS)
        mirror = descend(f, p, geometry=M, update=MirrorUpdate(), **run)
        natural = descend(f.in_dual_coordinates(), eta, geometry=M.dual, update=NaturalUpdate(), **run)
        line = eta_q + _shrunk(size, p.ndim) * (eta - eta_q)
        tolerance = 1e-13 * condition(M, q) * (1 + np.max(M.dual.norm(line, line) + M.dual.norm(line, eta_q), axis=0))
        for name, path in ("mirror descent in θ", M.to_eta(mirror.path)), ("natural gradient in η", natural.path):
            apart = np.max(length(M.dual, line, path), axis=0)
            yield equal(f"|η_k − η_q − (1 − {size:g})^k (η_0 − η_q)|, {name}", apart, "zero", 0.0, tolerance)


def reverse_divergence_is_solved_in_one_step(M: DuallyFlat, p: Array, q: Array, h: float) -> Iterator[Sides]:
    """Natural gradient in θ on KL(p_θ‖q): θ_k − θ_q = (1 − h)^k (θ_0 − θ_q), on the e-geodesic; mirror descent in η likewise."""
    f, kappa = ReverseKL(M, q), np.maximum(condition(M, q), condition(M, p))
    for size in (h, 1.0):
        run: dict[str, Any] = dict(step=Constant(size), max_steps=STEPS)
        natural = descend(f, p, geometry=M, update=NaturalUpdate(), **run)
        mirror = descend(f.in_dual_coordinates(), M.to_eta(p), geometry=M.dual, update=MirrorUpdate(), **run)
        line = q + _shrunk(size, p.ndim) * (p - q)
        tolerance = 1e-13 * kappa * (1 + np.max(M.norm(line, line) + M.norm(line, q), axis=0))
        for name, path, more in (("natural gradient in θ", natural.path, 1.0),
                                 ("mirror descent in η", M.to_theta(mirror.path), np.sqrt(kappa))):
            apart = np.max(length(M, line, path), axis=0)
            yield equal(f"|θ_k − θ_q − (1 − {size:g})^k (θ_0 − θ_q)|, {name}", apart, "zero", 0.0, tolerance * more)


def _shrunk(h: float, axes: int) -> Array:
    """(1 − h)^k for every record of a path, with the axes of a batch of points after it."""
    return np.reshape((1 - h) ** np.arange(STEPS + 1.0), (-1, *(1,) * axes))


def hessians_of_divergences_are_the_metric(M: DuallyFlat, p: Array, q: Array) -> Iterator[Sides]:
    """∇²_θ KL(q‖p_θ) = G and ∇²_η KL(p_η‖q) = G⁻¹ everywhere: natural gradient of step 1 is Newton's method there."""
    target = q[..., None, :]        # one for all directions of differences
    charts = ((M, CrossEntropy(M, M.to_eta(target)), p, "∇²_θ KL(q‖p)"),
              (M.dual, ReverseKL(M, target).in_dual_coordinates(), M.to_eta(p), "∇²_η KL(p‖q)"))
    for N, f, x, name in charts:
        rows, step = frame(N, x), difference_step(N, x)
        numeric = derivative(lambda y: f.value_and_gradient(y)[1], x, rows, step) @ np.swapaxes(rows, -1, -2)
        images = [apply(rows, y) for y in (N.to_eta(x), f.value_and_gradient(x[..., None, :])[1][..., 0, :])]
        size = 1 + sum(np.linalg.norm(y, axis=-1) for y in images)
        tolerance = ((1e-10 + 1e-13 * condition(N, x)) * 0.01 / step * size)[..., None, None]
        yield equal(f"e_a {name} e_b (differences)", numeric, "e_a G e_b", np.eye(M.dim), tolerance)


def relative_smoothness_of_the_forward_divergence(M: DuallyFlat, p: Array, q: Array, h: float) -> Iterator[Sides]:
    """KL(q‖p_θ) is 1-smooth and 1-convex relative to ψ: mirror steps h ≤ 1 lose at least B_ψ(θ : θ⁺)/h, KL_k ≤ B_ψ(q : θ_0)/(hk).

    Source: Bauschke, Bolte & Teboulle, Math. Oper. Res. 42 (2017); Lu, Freund & Nesterov, SIAM J. Optim. 28 (2018).
    """
    if not M.steep:
        return
    h = min(h, 1.0)
    path = descend(CrossEntropy(M, M.to_eta(q)), p, geometry=M, update=MirrorUpdate(), step=Constant(h), max_steps=STEPS).path
    kl = M.divergence(q, path)
    size = 1 + np.abs(M.potential(p)) + np.abs(M.potential(q)) + np.sum((np.abs(p) + np.abs(q)) * np.abs(M.to_eta(q)), axis=-1)
    slack = 1e-12 * np.max(condition(M, path), axis=0) * size
    yield at_least("KL_k − KL_{k+1}", kl[:-1] - kl[1:], "B(θ_k : θ_{k+1})/h", bregman(M, path[:-1], path[1:]) / h, slack / h)
    first, k = bregman(M, q, p), np.reshape(np.arange(1.0, STEPS + 1), (-1, *(1,) * (p.ndim - 1)))
    yield at_least("B(q : θ_0)/(hk)", first / (h * k), "KL_k", kl[1:], slack)
    yield at_least("(1 − h)^k B(q : θ_0)", (1 - h) ** k * first, "B(q : θ_k)", bregman(M, q, path[1:]), slack)


def energies_of_the_flat_geodesics(M: DuallyFlat, p: Array, q: Array) -> Iterator[Sides]:
    """∫ |ẋ|² dt over the e-geodesic and over the m-geodesic from p to q are both J(p, q) = KL(p‖q) + KL(q‖p)."""
    if not M.steep:
        return
    node, weight = gauss(NODES)
    t = np.reshape(node, (-1, *(1,) * p.ndim))
    J = jeffreys(M, p, q)
    e, m = e_geodesic(M, p, q, t), m_geodesic(M, p, q, t)
    for name, x, velocity in (("e", e, q - p), ("m", m, M.sharp(m, M.to_eta(q) - M.to_eta(p)))):
        energy = np.tensordot(weight, M.norm(x, np.broadcast_to(velocity, x.shape)) ** 2, axes=(0, 0))
        allowed = (1e-9 + 1e-14 * np.max(condition(M, x), axis=0)) * J
        lost = 0.0 if keeps_digits(M) else 1e-12 * (1 + np.abs(M.potential(p)))
        yield equal(f"energy of the {name}-geodesic", energy, "J(p, q)", J, allowed + lost)
