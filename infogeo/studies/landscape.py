"""Claims about all of the landscape of the divergence: bounds by squared distances, and where it is not convex."""
import numpy as np

from ..backend import Array, backend_of, to_numpy
from .claim import Claim, listed
from .problem import Problem

__all__ = ["global_bounds", "least_curvature", "not_convex"]

ENTRIES = 4_000_000     # of the cubic tensors of all points: 32 MB


def global_bounds(problem: Problem, theta: Array) -> Claim:
    """‖Δη‖² ≤ KL ≤ ¼‖Δθ‖² at given points, shape (n, d).

    Source: Pinsker's inequality for ‖Δη‖² ≤ KL; ψ of the simplex is ½-smooth, for the other.
    """
    kl = to_numpy(problem.kl(theta))
    in_theta, in_eta = (np.sum((to_numpy(x) - to_numpy(q)) ** 2, axis=-1)
                        for x, q in ((theta, problem.theta), (problem.family.to_eta(theta), problem.eta)))
    with np.errstate(invalid="ignore", divide="ignore"):
        least, most = np.nanmin(kl / in_eta), np.nanmax(kl / in_theta)
    # near its bound a quotient carries the rounding of differences: 1e-12 where θ is some 1e4 times the distance
    holds = bool(least >= 1.0 - 1e-9 and most <= 0.25 * (1.0 + 1e-9))
    return Claim("global bounds", "KL lies between squared distances from everywhere: ‖η − η_q‖² ≤ KL ≤ ¼ ‖θ − θ_q‖².", holds,
                 f"over {len(kl)} points KL / ‖η − η_q‖² is at least {least:.4g} and KL / ‖θ − θ_q‖² at most {most:.4g}.")


def not_convex(problem: Problem, theta: Array) -> Claim:
    """Whether KL(p‖q) has a direction of negative curvature in θ, looked for at given points and twice as far from the target.

    Shapes: theta (n, d).
    """
    family, xp = problem.family, backend_of(theta)
    far = problem.theta + 2.0 * (theta - problem.theta)
    points = xp.concat([theta, far[family.theta_domain.contains(far)]], axis=0)
    points = points[:min(points.shape[0], max(1, ENTRIES // family.dim ** 3)), ...]
    least, where, axis = least_curvature(problem, points)
    statement = "KL(p‖q) is not convex in θ, unlike KL(q‖p), whose Hessian there is G."
    if least < 0:
        return Claim("not convex", statement, True, f"at θ = {listed(where)} its second derivative along the unit vector "
                     f"{listed(axis)} is {least:.4g}.")
    return Claim("not convex", statement, False, f"at {points.shape[0]} points around the target no direction curves downwards.")


def least_curvature(problem: Problem, theta: Array) -> tuple[float, np.ndarray, np.ndarray]:
    """The least second derivative of KL(p‖q) in θ along a unit vector, over given points, with its point and its direction.

    Mathematically, ∂_i ∂_j KL(p‖q) = G_ij + Σ_k T_ijk (θ − θ_q)_k, with T the cubic tensor.

    Shapes: theta (n, d); the point and the direction (d,).
    """
    family = problem.family
    G, T = to_numpy(family.metric(theta)), to_numpy(family.cubic_tensor(theta))
    hessian = G + np.einsum("nijk,nk->nij", T, to_numpy(theta) - to_numpy(problem.theta))
    kept = np.isfinite(hessian).all(axis=(-1, -2))
    values, axes = np.linalg.eigh(hessian[kept])
    i = int(np.argmin(values[:, 0]))
    return float(values[i, 0]), to_numpy(theta)[kept][i], axes[i, :, 0]
