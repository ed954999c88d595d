"""Identities about observations: running means, EM, Fisher efficiency, recursive least squares, scores, conjugate posteriors."""
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...backend import Array
from ...errors import DomainError
from ...families.base import ExponentialFamily
from ...geometry.manifolds.manifold import DuallyFlat
from ...geometry.manifolds.quadratic import Quadratic
from ...objectives.base import Objective
from ...solvers.descend import descend
from ...solvers.step import Constant, Diminishing
from ...solvers.update import MirrorUpdate, NaturalUpdate
from ...statistics.conjugate import conjugacy, posterior
from ...statistics.mixtures import fit_mixture, log_joint
from ...statistics.sufficient_statistics import SufficientStatistics
from ..calculus import apply, condition, derivative, frame
from ..family_laws import natural_norm_of_the_score_is_the_dimension
from ..formulas import smooth_region
from ..integration import expectation_nodes
from ..law import Sides, at_least, equal
from .identity import difference_step, length

__all__ = ["conjugate_posterior_in_one_step", "em_is_mirror_descent", "families", "families_with_priors",
           "natural_norm_of_the_score", "online_natural_gradient_is_fisher_efficient",
           "recursive_least_squares_is_natural_gradient", "running_mean_is_mirror_descent"]

OBSERVATIONS = 40   # of the running mean
CHAINS, TIMES = 400, 60         # of the online estimates
DESIGN = 12         # rows of the regression
MIXED = 100         # observations of the mixture


def families(M: DuallyFlat) -> tuple[DuallyFlat, ...]:
    """The manifold, where it is an exponential family."""
    return (M,) if isinstance(M, ExponentialFamily) else ()


def families_with_priors(M: DuallyFlat) -> tuple[DuallyFlat, ...]:
    """The manifold, where it is an exponential family with a conjugate prior."""
    try:
        conjugacy(M)
    except TypeError:
        return ()
    return (M,)


class _Observed(Objective):
    """−log p(x_t; θ) without the base measure: every draw is the next observation of T(x_1), T(x_2), …, shape (n, ..., dim)."""

    def __init__(self, M: ExponentialFamily, statistic: Array) -> None:
        self.manifold, self.statistic, self.t = M, statistic, 0
        self.rows = tuple(statistic.shape[1:-1])

    def value_and_gradient(self, theta: Array) -> tuple[Array, Array]:
        psi, eta = self.manifold.potential_and_eta(theta)
        return psi - np.sum(theta * self.statistic[0], axis=-1), eta - self.statistic[0]

    def draw(self, rng: Any) -> "_Observed":
        self.t += 1
        return _Observed(self.manifold, self.statistic[self.t - 1:])


def running_mean_is_mirror_descent(M: ExponentialFamily, theta: Array, rng: np.random.Generator) -> Iterator[Sides]:
    """Mirror descent on −log p(x_t; θ) with steps 1/(t + t₀) from η₀: η_t = (t₀ η₀ + Σ T(x))/(t₀ + t), a running mean.

    Source: Raskutti & Mukherjee (2015), section 4; Diaconis & Ylvisaker, Ann. Statist. 7 (1979).
    """
    statistic = M.sufficient_statistic(M.sample(rng, theta, OBSERVATIONS))
    sums, t0 = np.cumsum(statistic, axis=0), 2.0
    eta = M.to_eta(theta)
    run = descend(_Observed(M, statistic), theta, geometry=M, update=MirrorUpdate(), step=Diminishing(1.0, offset=t0 + 1),
                  max_steps=OBSERVATIONS, rng=rng)
    t = np.reshape(np.arange(1.0, len(run.path)), (-1, *(1,) * theta.ndim))
    expected = (t0 * eta + sums[:len(t)]) / (t0 + t)
    there = t[..., 0] <= run.steps          # of a family that is not steep a mean of two η may be none
    sizes = M.dual.norm(expected, expected) + M.dual.norm(expected, np.abs(statistic[:len(t)]))
    gaps = length(M.dual, expected, M.to_eta(run.path[1:]))
    apart, size = (np.max(np.where(there, x, 0.0), axis=0, initial=0.0) for x in (gaps, sizes))
    kappa = np.max(condition(M, run.path), axis=0)
    yield equal("|η_t − (t₀ η₀ + Σ T)/(t₀ + t)|", apart, "zero", 0.0, 1e-12 * kappa * (1 + size))


def em_is_mirror_descent(M: ExponentialFamily, p: Array, q: Array, rng: np.random.Generator) -> Iterator[Sides]:
    """EM on a mixture is mirror descent of step 1 with the log-partition A of (x, z): ∇A(ω⁺) = ∇A(ω) − ∇L(ω), L = −mean log p(x).

    Mathematically, ∇A = (w₁, w₁ η₁, w₂ η₂) for two components. And L(ω⁺) ≤ L(ω) − KL(p_{ω⁺}(x, z)‖p_ω(x, z)).

    Source: Kunstner, Kumar & Schmidt, Homeomorphic-invariance of EM, AISTATS (2021).
    """
    theta, w = np.reshape(np.stack([p, q]), (2, -1, M.dim))[:, 0], np.array([0.6, 0.4])
    x = np.concatenate([M.sample(rng, theta[0], MIXED // 2), M.sample(rng, theta[1], MIXED // 2)])
    try:
        found = fit_mixture(M, x, theta, w, tol=0.0, max_steps=1)
    except DomainError:             # a component without a maximum-likelihood estimate
        return
    rows = frame(M, theta)

    def loss(u: Array) -> Array:        # u = (log w₁/w₂, coordinates of θ₁ and θ₂ in orthonormal bases)
        moved = theta + np.einsum("...ka,kai->...ki", np.reshape(u[..., 1:], (*u.shape[:-1], 2, M.dim)), rows)
        log_w = -np.logaddexp(0.0, np.stack([-u[..., 0], u[..., 0]], axis=-1))
        density = log_w[..., None] + M.log_density(moved[..., None, :], x)
        return -np.mean(np.logaddexp.reduce(density, axis=-2), axis=-1)

    start = np.concatenate([[np.log(w[0] / w[1])], np.zeros(2 * M.dim)])
    slope = derivative(loss, start, np.eye(len(start)), step=0.5 * difference_step(M, theta))
    # (w₁, w₁ η₁, w₂ η₂) are moved by −∂L in natural parameters: at fixed weights, and less what the first does to the others
    gained = found.weights[:, None] * apply(rows, M.to_eta(found.theta) - M.to_eta(theta))
    size = 1 + np.abs(loss(start)) + np.max(np.abs(gained))
    yield equal("w₁⁺ − w₁", found.weights[0] - w[0], "−∂L/∂log(w₁/w₂) (differences)", -slope[0], 1e-7 * size)
    yield equal("w_k⁺ e_a (η_k⁺ − η_k)", np.ravel(gained), "−e_a ∂L/∂θ_k (differences)", -slope[1:], 1e-7 * size)
    complete = np.sum(found.weights * (np.log(found.weights / w) + M.kl(found.theta, theta)))
    values = [-np.mean(np.logaddexp.reduce(log_joint(M, x, a, np.log(b)), axis=0)) for a, b in
              ((theta, w), (found.theta, found.weights))]
    yield at_least("L(ω) − L(ω⁺)", values[0] - values[1], "KL(p_{ω⁺}(x, z)‖p_ω(x, z))", complete, 1e-12 * (1 + np.abs(values[0])))


def natural_norm_of_the_score(M: ExponentialFamily, theta: Array, rng: np.random.Generator) -> Iterator[Sides]:
    """E[∂ℓ G⁻¹ ∂ℓ] = dim at every point: a sum over the support where x is a number, else to 5 standard errors of draws."""
    first = np.reshape(theta, (-1, M.dim))[0]
    nodes = expectation_nodes(M, first, M.sample(rng, first, 2000)) if M.support.shape == () else None
    if nodes is None:
        yield from natural_norm_of_the_score_is_the_dimension(M, theta, rng)
        return
    x, log_weight, every_other = nodes
    score = M.sufficient_statistic(x) - M.to_eta(first)
    terms = np.exp(M.log_density(first, x) + log_weight) * np.sum(score * M.sharp(first, score), axis=-1)
    total = np.sum(terms)
    error = 0.0 if every_other is None else np.abs(total - 2 * np.sum(terms[every_other]))
    yield equal("Σ p ∂ℓ G⁻¹ ∂ℓ", total, "dim", M.dim, 1e-5 * M.dim + error)        # of the tails that are cut off


def online_natural_gradient_is_fisher_efficient(M: ExponentialFamily, theta: Array, rng: np.random.Generator) -> Iterator[Sides]:
    """Online natural gradient with steps c/t: t E|η_t − η|²/dim → c²/(2c − 1), at c = 1 the Cramér–Rao bound.

    Here the steps are c/(t + c) from η on, for which the mean after T steps follows from v_t = (1 − a)² v_{t−1} + a², held to 5
    standard errors of the chains; and T v_T is at its limit to 3 %.

    Source: Amari (1998), section 4.
    """
    theta = np.reshape(theta, (-1, M.dim))[0]
    eta = M.to_eta(theta)
    statistic = M.sufficient_statistic(M.sample(rng, theta, (TIMES, CHAINS)))
    for c in (1.0, 2.0):
        x, exact = np.broadcast_to(eta, statistic.shape[1:]), 0.0
        for t in range(TIMES):
            a = c / (t + 1 + c)
            x, exact = x - a * (x - statistic[t]), (1 - a) ** 2 * exact + a**2
        squares = TIMES * M.dual.norm(eta, x - eta) ** 2 / M.dim
        error = np.std(squares) / np.sqrt(CHAINS)
        yield equal(f"T E|η_T − η|²/dim, c = {c:g}", np.mean(squares), "by v_t", TIMES * exact, 5 * error)
    yield equal("T v_T at T = 2000, c = 2", *_efficiency(2.0, 2000))


def _efficiency(c: float, times: int) -> tuple[float, str, float, float]:
    """T v_T, and its limit c²/(2c − 1) to 3 %."""
    v = 0.0
    for t in range(1, times + 1):
        v = (1 - c / (t + c)) ** 2 * v + (c / (t + c)) ** 2
    return times * v, "c²/(2c − 1)", c**2 / (2 * c - 1), 0.03 * c**2 / (2 * c - 1)


class _Row(Objective):
    """½ (y − x·θ)²."""

    def __init__(self, x: Array, y: Array) -> None:
        self.x, self.y = x, y

    def value_and_gradient(self, theta: Array) -> tuple[Array, Array]:
        residual = theta @ self.x - self.y
        return 0.5 * residual**2, residual[..., None] * self.x


def recursive_least_squares_is_natural_gradient(M: DuallyFlat, rng: np.random.Generator) -> Iterator[Sides]:
    """J_t = J_{t−1} + x xᵀ and natural-gradient steps of size 1 in the metric J_t give the ridge solution at every t.

    Source: Ollivier, Online natural gradient as a Kalman filter, Electron. J. Statist. 12 (2018).
    """
    X, y = rng.standard_normal((DESIGN, M.dim)), rng.standard_normal(DESIGN)
    J, theta, found, ridge = 0.7 * np.eye(M.dim), np.zeros(M.dim), [], []
    for t in range(DESIGN):
        J = J + np.outer(X[t], X[t])
        theta = descend(_Row(X[t], y[t]), theta, geometry=Quadratic(J), update=NaturalUpdate(), step=Constant(1.0), max_steps=1,
                        record=None).x
        found.append(theta)
        ridge.append(np.linalg.solve(J, X[:t + 1].T @ y[:t + 1]))
    yield equal("θ_t", np.stack(found), "(λI + XᵀX)⁻¹ Xᵀy", np.stack(ridge), 1e-12 * np.linalg.cond(J))


class _NegativeELBO(Objective):
    """−E_λ[log p(x, ·)] + E_λ[log π_λ] = KL(π_λ‖prior) − s·μ(λ), of observations with the statistic s of the prior family."""

    def __init__(self, prior: ExponentialFamily, theta: Array, step: Array) -> None:
        self.manifold, self.theta, self.step = prior, theta, step

    def value_and_gradient(self, theta: Array) -> tuple[Array, Array]:
        M = self.manifold
        return (M.kl(theta, self.theta) - np.sum(self.step * M.to_eta(theta), axis=-1),
                M.flat(theta, theta - self.theta) - M.flat(theta, np.broadcast_to(self.step, theta.shape)))


def conjugate_posterior_in_one_step(M: ExponentialFamily, theta: Array, h: float, rng: np.random.Generator) -> Iterator[Sides]:
    """Natural gradient of step ρ on the negative ELBO: λ⁺ = (1 − ρ) λ + ρ λ_posterior, the posterior in one step at ρ = 1.

    Source: Khan & Lin, AISTATS (2017); Khan & Rue, The Bayesian learning rule, JMLR 24 (2023).
    """
    conjugate, theta = conjugacy(M), np.reshape(theta, (-1, M.dim))[0]
    prior = conjugate.prior
    start, before = smooth_region(prior).sample(rng, (2,), 0.3)
    statistics = SufficientStatistics.from_data(M, M.sample(rng, theta, 5))
    after = posterior(M, before, statistics)
    f = _NegativeELBO(prior, before, conjugate.step(statistics.total, statistics.weight))
    rows = frame(prior, start)
    value, covector = f.value_and_gradient(start)
    numeric = derivative(lambda u: f.value_and_gradient(u)[0], start, rows)
    kappa = condition(prior, start)
    yield equal("e_a ∂f", apply(rows, covector), "e_a f (differences)", numeric,
                (1e-8 + 1e-13 * kappa) * (1 + np.abs(value) + np.max(np.abs(numeric))))
    for rho in (h, 1.0):
        plus = NaturalUpdate()(prior, start, covector, rho)[0]
        expected = (1 - rho) * start + rho * after
        yield equal(f"λ⁺ at ρ = {rho:g}", plus, "(1 − ρ) λ + ρ λ_posterior", expected,
                    1e-13 * kappa * (1 + np.max(np.abs(start)) + np.max(np.abs(after))))
