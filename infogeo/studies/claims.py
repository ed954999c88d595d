"""Which of the claims about natural gradient hold for the problem at hand.

Source: Datar & Ay, Convergence properties of natural gradient descent for minimizing KL divergence (2025), arXiv 2504.19259. The
claims are made for the open simplex.
"""
from dataclasses import replace

import numpy as np

from ..backend import Array, backend_of, to_numpy
from ..solvers.result import LOST
from .claim import Claim
from .discrete import Discrete
from .landscape import global_bounds, not_convex
from .problem import Problem
from .rates import EARLY, Flow
from .relative_error import relative_error
from .side_by_side import InChart
from .spectrum import Spectrum

__all__ = ["claims"]

OF_KL = ("one step", "other chart", "initial rate", "global bounds", "not convex")
NEAR_VERTEX = 1e-4      # the probability of every outcome but one: there the reverse flow starts at a rate below 1


def claims(problem: Problem, spectrum: Spectrum, flows: tuple[Flow, ...], charts: tuple[InChart, ...], discrete: Discrete,
           theta0: Array) -> tuple[Claim, ...]:
    """The claims for a problem, checked one by one, as a tuple of `Claim`; theta0 (starts, d)."""
    points = _with_near_vertex(problem, theta0) if problem.family.on_simplex else theta0
    found = (_sandwich(problem, spectrum), _whole_trajectories(flows), _largest_eigenvalue(problem, spectrum),
             _bounds(problem, spectrum), _affine(charts[:2]), _same_contraction(spectrum), _one_step(problem, discrete),
             _other_chart(problem, discrete), _stays(discrete), _initial_rate(problem, theta0), global_bounds(problem, points),
             not_convex(problem, points), relative_error(problem, spectrum))
    if problem.is_kl:
        return found
    other = "the claim is about KL."
    return tuple(replace(claim, holds=None, because=other) if claim.name in OF_KL else claim for claim in found)


def _sandwich(problem: Problem, spectrum: Spectrum) -> Claim:
    c = problem.curvature
    slow, fast = spectrum.rate[:2] / c
    statement = f"The rates are ordered: gradient descent in θ < natural gradient = {2 * c:g} < gradient descent in η."
    where = f"2λ_min(G) = {slow:.6g} and 2/λ_max(G) = {fast:.6g}" + (f" (times {c:g})" if c != 1 else "")
    if slow < 2 < fast:
        return Claim("sandwich", statement, True, f"{where}.")
    if slow >= 2 >= fast:
        order = "both inequalities are reversed or equalities"
    else:
        order = "gradient descent is slower in both charts" if slow < 2 else "gradient descent is faster in both charts"
    return Claim("sandwich", statement, False, f"{where}: {order}; the order needs λ_min(G) < 1 and λ_max(G) < 1.")


def _whole_trajectories(flows: tuple[Flow, ...]) -> Claim:
    statement = f"The slopes of log KL over whole trajectories to KL = {EARLY:g} are ordered alike, from every start."
    slopes = np.stack([flow.early_rate for flow in flows])
    slopes = slopes[:, np.isfinite(slopes).all(axis=0)]
    if not slopes.size:
        return Claim("whole trajectories", statement, None, f"no start is seen to go from above KL = {EARLY:g} to below.")
    ranges = [f"{row.min():.4g} to {row.max():.4g}" for row in slopes]
    return Claim("whole trajectories", statement, bool((np.diff(slopes, axis=0) > 0).all()),
                 f"over {slopes.shape[1]} starts they are {ranges[0]} in θ, {ranges[1]} for natural gradient, whose 2 is a late "
                 f"rate, and {ranges[2]} in η.")


def _affine(charts: tuple[InChart, ...]) -> Claim:
    slow, fast = charts[1], charts[0]
    statement = (f"An affine change of chart gives gradient descent any rate: here {fast.rate:.4g} in θ′ = (G/c)^½ θ (2c) and "
                 f"{slow.rate:.4g} in η′ = (G/c)^−½ η (2/c), with the Hessians c I and I/c.")
    rates = [chart.flow.rate[np.isfinite(chart.flow.rate)] for chart in charts]
    if not all(rate.size for rate in rates):
        return Claim("affine charts", statement, None, "no flow was seen near the target.")
    off = [abs(rate - chart.rate).max() / chart.rate for rate, chart in zip(rates, charts)]
    ranges = [f"{rate.min():.7g} to {rate.max():.7g}" for rate in rates]
    return Claim("affine charts", statement, bool(max(off) < 1e-2), f"the flows have the rates {ranges[0]} and {ranges[1]}.")


def _largest_eigenvalue(problem: Problem, spectrum: Spectrum) -> Claim:
    largest = spectrum.eigenvalues[0, -1] / problem.curvature
    statement = "The largest eigenvalue of the Fisher metric in θ is at most 1/2."
    holds = bool(largest <= 0.5)
    why = f"λ_max(G) = {largest:.6g}" + ("." if problem.family.on_simplex else ", and outside the simplex nothing bounds it.")
    return Claim("largest eigenvalue", statement, holds, why)


def _bounds(problem: Problem, spectrum: Spectrum) -> Claim:
    statement = "With m the largest probability beside the reference, the rate in θ is at most 2m and in η at least 2/m."
    if not problem.family.on_simplex:
        return Claim("bounds", statement, None, "the bound is made of probabilities, and η is none here.")
    m = float(to_numpy(problem.eta).max())
    slow, fast = spectrum.rate[:2] / problem.curvature
    # equalities occur (d = 1 has λ < m, but symmetric targets reach m to rounding), hence the slack of rounding
    slack = 1.0 + 1e-12
    holds = bool(slow <= 2 * m * slack and fast * slack >= 2 / m)
    return Claim("bounds", statement, holds, f"{slow:.6g} beside 2m = {2 * m:.6g}, and {fast:.6g} beside 2/m = {2 / m:.6g}.")


def _same_contraction(spectrum: Spectrum) -> Claim:
    theta, eta, _ = spectrum.condition
    statement = "With the optimal step, gradient descent contracts alike in θ and in η."
    # the least eigenvalue is known to κ ε: 2e-7 at the condition number 8e8 of the stiffest target that is tested
    return Claim("same contraction", statement, bool(abs(theta - eta) <= 1e-6 * theta),
                 f"the condition numbers are {theta:.6g} and {eta:.6g}: one Hessian is the inverse of the other.")


def _runs(discrete: Discrete, name: str) -> tuple[np.ndarray, np.ndarray]:
    i = discrete.methods.index(name)
    return discrete.iterations[i], discrete.status[i]


def _one_step(problem: Problem, discrete: Discrete) -> Claim:
    chart = problem.straight
    iterations, _ = _runs(discrete, f"ng_{chart.name}")
    there = (iterations == 0) | (iterations == 1)
    statement = f"A natural-gradient step of size 1 in {chart.letter} reaches the target at once."
    return Claim("one step", statement, bool(there.all()),
                 f"{int(there.sum())} of {there.size} starts are at the target after one step.")


def _other_chart(problem: Problem, discrete: Discrete) -> Claim:
    chart = problem.bent
    iterations, _ = _runs(discrete, f"ng_{chart.name}")
    reached = iterations >= 0
    statement = f"Natural-gradient steps of size 1 in {chart.letter} reach the target, too, from every start."
    only, tail = "only ", "; the step is Newton's, which needs damping far away"
    if reached.all():
        only, tail = "", f", the slowest in {iterations.max()} steps"
    return Claim("other chart", statement, bool(reached.all()), f"{only}{int(reached.sum())} of {reached.size} starts do{tail}.")


def _stays(discrete: Discrete) -> Claim:
    statement = "Gradient descent with its optimal step stays in the domain, in both charts."
    lost = {letter: int(np.isin(_runs(discrete, name)[1], LOST).sum())
            for letter, name in (("θ", "gd_theta"), ("η", "gd_eta"))}
    total = discrete.status.shape[1]
    return Claim("stays inside", statement, not any(lost.values()),
                 f"{lost['θ']} of {total} runs leave it in θ and {lost['η']} in η.")


def _initial_rate(problem: Problem, theta0: Array) -> Claim:
    statement = "From the first moment on, the natural-gradient flow loses KL at a rate of at least 1 (the rate 2 is a late one)."
    points, words = theta0, ""
    if problem.family.on_simplex and problem.is_finite_at_vertices:
        points, words = _with_near_vertex(problem, theta0), f", one of them at {NEAR_VERTEX:g} from a vertex"
    rate = initial_rates(problem, points)
    return Claim("initial rate", statement, bool((rate >= 1.0).all()),
                 f"over the starts{words}, the initial rate goes from {rate.min():.4g} to {rate.max():.4g}.")


def _with_near_vertex(problem: Problem, theta0: Array) -> Array:
    """The starts, and the point whose first outcome beside the reference has all but `NEAR_VERTEX` of every other."""
    xp = backend_of(theta0)
    vertex = np.zeros((1, problem.family.dim))
    vertex[0, 0] = np.log((1.0 - problem.family.dim * NEAR_VERTEX) / NEAR_VERTEX)
    return xp.concat([theta0, xp.asarray(vertex, dtype=theta0.dtype)], axis=0)


def initial_rates(problem: Problem, theta: Array) -> np.ndarray:
    """−(dL/dt) / L of the natural-gradient flow at given points, shape (...): the squared Riemannian norm of dL over L."""
    value, covector = problem.objective.value_and_gradient(theta)
    slope = backend_of(covector).sum(covector * problem.family.sharp(theta, covector), axis=-1)
    return to_numpy(slope / value)
