"""The laws of an exponential family, one a function; `EXPONENTIAL_FAMILY_LAWS` is all of them by name.

Those that draw samples hold to 5 standard errors, so with a fixed generator their verdict is fixed, too.
"""
from collections.abc import Callable, Iterator
from itertools import combinations_with_replacement
from typing import Any

import numpy as np

from ..backend import Array
from ..families.base import ExponentialFamily
from .calculus import condition
from .distribution_laws import (distribution_function_is_the_sum_of_the_density, moments_of_x, quantiles_are_inverse,
                                samples_follow_the_density)
from .integration import expectation_nodes
from .law import Sides, above, equal, title

__all__ = ["EXPONENTIAL_FAMILY_LAWS"]

DRAWS = 40_000      # of the laws about moments
SAMPLE = 300        # of the laws about estimates


def _mean(name: str, draws: Array, expected_name: str, expected: Array, scale: Any) -> Sides:
    """The mean of the draws (axis 0) is the expected value, to 5 standard errors, or to rounding where all are equal.

    The errors are estimated from the draws, whose heavy tail widens them: half the scale of the quantity is the most.
    """
    error = np.std(draws, axis=0) / np.sqrt(len(draws))
    tolerance = np.minimum(5 * error, 0.5 * scale) + 1e-12 * (1 + np.abs(expected))
    return equal(name, np.mean(draws, axis=0), expected_name, expected, tolerance)


# The density

def log_density_is_of_exponential_form(M: ExponentialFamily, theta: Array, rng: np.random.Generator) -> Iterator[Sides]:
    """log p(x; θ) = θ·T(x) − ψ(θ) + log h(x), with the batches of θ and x broadcast."""
    x = M.sample(rng, theta, 4)
    terms = [theta * M.sufficient_statistic(x), M.log_partition(theta), M.log_base_measure(x)]
    size = 1 + np.sum(np.abs(terms[0]), axis=-1) + np.abs(terms[1]) + np.abs(terms[2])
    density = M.log_density(theta, x)
    yield equal("log_density(θ, x)", density, "θ·T(x) − ψ(θ) + log h(x)", np.sum(terms[0], axis=-1) - terms[1] + terms[2],
                1e-13 * size)
    yield equal("log_density of a batch", density[1], "of one", M.log_density(theta, x[1]), 1e-14 * size[1])


def log_density_is_minus_infinity_outside_the_support(M: ExponentialFamily, theta: Array,
                                                      rng: np.random.Generator) -> Iterator[Sides]:
    """There, and only there; a NaN lies outside."""
    x = np.reshape(M.sample(rng, theta, 3), (3, -1, *M.support.shape))[:, 0]
    theta = np.reshape(theta, (-1, M.dim))[0]
    places = [np.full(M.support.shape, value) for value in (np.nan, np.inf, -np.inf, -1.0, 0.3)]
    for bad in (place for place in places if not M.support.contains(place)):
        density = M.log_density(theta, np.stack([x[0], bad, x[2]]))
        yield equal("log_density outside is −∞", density[1] == -np.inf, "true", True)
        yield equal("log_density beside it", density[[0, 2]], "alone", M.log_density(theta, x[[0, 2]]))


def density_is_normalised(M: ExponentialFamily, p: Array, q: Array, rng: np.random.Generator) -> Iterator[Sides]:
    """Σ p = 1, entropy = −Σ p log p, KL = Σ p log(p / q), η = Σ p T: sums over the support, where it allows them."""
    nodes = None if p.ndim > 1 else expectation_nodes(M, p, M.sample(rng, p, 2000))
    if nodes is None:
        return
    x, log_weight, every_other = nodes
    log_p, log_q = M.log_density(p, x), M.log_density(q, x)
    mass = np.exp(log_p + log_weight)
    for name, values, expected_name, expected, size in (
            ("Σ p(x)", np.ones_like(mass), "one", 1.0, 0.05), ("−Σ p log p", -log_p, "entropy", M.entropy(p), 1.0),
            ("Σ p log(p / q)", log_p - log_q, "kl", M.kl(p, q), 1.0),
            ("Σ p T", M.sufficient_statistic(x), "η", M.to_eta(p), 1.0)):
        total = mass @ values
        error = 0.0 if every_other is None else np.abs(total - 2 * mass[every_other] @ values[every_other])
        yield equal(name, total, expected_name, expected, 1e-6 * size * (1 + np.abs(expected)) + error)


# The sampler and the moments

def samples_have_their_shape_and_lie_in_the_support(M: ExponentialFamily, theta: Array,
                                                    rng: np.random.Generator) -> Iterator[Sides]:
    """Of shape (*shape, ..., *support.shape)."""
    batch = theta.shape[:-1]
    for shape in ((), (4,), (4, 5)):
        x = M.sample(rng, theta, shape)
        expected = (*shape, *batch, *M.support.shape)
        yield equal("axes of a sample", x.ndim, "shape, batch and event", len(expected))
        yield equal("shape of a sample", x.shape, "shape, batch and event", expected)
        yield equal("support.contains(sample)", M.support.contains(x), "true", True)


def mean_of_the_statistic_is_eta(M: ExponentialFamily, theta: Array, rng: np.random.Generator) -> Iterator[Sides]:
    """E[T] = η."""
    deviation = np.sqrt(np.diagonal(M.metric(theta), axis1=-2, axis2=-1))
    yield _mean("mean of T", M.sufficient_statistic(M.sample(rng, theta, DRAWS)), "η", M.to_eta(theta), deviation)


def covariance_of_the_statistic_is_the_metric(M: ExponentialFamily, theta: Array, rng: np.random.Generator) -> Iterator[Sides]:
    """Cov[T] = G, entry by entry of the upper triangle."""
    gap, metric = M.sufficient_statistic(M.sample(rng, theta, DRAWS)) - M.to_eta(theta), M.metric(theta)
    deviation = np.sqrt(np.diagonal(metric, axis1=-2, axis2=-1))
    i, j = np.triu_indices(M.dim)
    yield _mean("covariance of T", gap[..., i] * gap[..., j], "G", metric[..., i, j], deviation[..., i] * deviation[..., j])


def third_cumulant_is_the_cubic_tensor(M: ExponentialFamily, theta: Array, rng: np.random.Generator) -> Iterator[Sides]:
    """E[(T − η)³] = T_ijk for i ≤ j ≤ k, in an orthonormal basis."""
    rows = np.linalg.inv(np.linalg.cholesky(M.metric(theta)))
    gap = np.einsum("...ai,n...i->n...a", rows, M.sufficient_statistic(M.sample(rng, theta, DRAWS)) - M.to_eta(theta))
    tensor = np.einsum("...ai,...bj,...ck,...ijk->...abc", rows, rows, rows, M.cubic_tensor(theta))
    i, j, k = np.array(list(combinations_with_replacement(range(M.dim), 3))).T
    scale = np.maximum(1.0, np.max(np.abs(tensor), axis=(-3, -2, -1)))[..., None]
    yield _mean("third cumulant of T", gap[..., i] * gap[..., j] * gap[..., k], "cubic tensor", tensor[..., i, j, k], scale)


def natural_norm_of_the_score_is_the_dimension(M: ExponentialFamily, theta: Array, rng: np.random.Generator) -> Iterator[Sides]:
    """E[∂ℓ G⁻¹ ∂ℓ] = dim at every point."""
    score = M.sufficient_statistic(M.sample(rng, theta, DRAWS)) - M.to_eta(theta)
    yield _mean("mean of ∂ℓ G⁻¹ ∂ℓ", np.sum(score * M.sharp(theta, score), axis=-1), "dim", np.full(theta.shape[:-1], M.dim),
                M.dim)


def entropy_and_divergence_are_means(M: ExponentialFamily, p: Array, q: Array, rng: np.random.Generator) -> Iterator[Sides]:
    """entropy = −E_p[log p], kl = E_p[log p − log q], cross-entropy = −E_p[log q], expected_log_base_measure = E_p[log h]."""
    x = M.sample(rng, p, DRAWS)
    log_p, log_q = M.log_density(p, x), M.log_density(q, x)
    for name, draws, expected_name, expected, least in (
            ("mean of −log p", -log_p, "entropy", M.entropy(p), 1.0),
            ("mean of log p − log q", log_p - log_q, "kl", M.kl(p, q), 0.01),
            ("mean of −log q", -log_q, "cross_entropy", M.cross_entropy(p, q), 1.0),
            ("mean of log h", M.log_base_measure(x), "expected_log_base_measure", M.expected_log_base_measure(p), 1.0)):
        yield _mean(name, draws, expected_name, expected, np.maximum(least, np.abs(expected)))


def potential_is_the_log_partition(M: ExponentialFamily, theta: Array) -> Iterator[Sides]:
    """log_partition = ψ, bit by bit, and the divergence is kl."""
    yield equal("log_partition(θ)", M.log_partition(theta), "potential(θ)", M.potential(theta))
    other = 0.5 * (theta + M.theta_domain.interior_point)
    yield equal("divergence(p, q)", M.divergence(theta, other), "kl(p, q)", M.kl(theta, other))


# Estimates

def fit_matches_the_mean_statistic(M: ExponentialFamily, theta: Array, rng: np.random.Generator) -> Iterator[Sides]:
    """η(fit(x)) is the mean of T(x)."""
    x = M.sample(rng, theta, SAMPLE)
    mean = np.mean(M.sufficient_statistic(x), axis=0)
    fitted = M.fit(x)
    yield equal("axes of fit(x)", fitted.ndim, "of the mean of T", mean.ndim)
    yield equal("η(fit(x))", M.to_eta(fitted), "mean of T", mean, 1e-10 * np.abs(mean) + 1e-10 * np.abs(mean).max())


def fit_is_the_most_likely(M: ExponentialFamily, theta: Array, rng: np.random.Generator) -> Iterator[Sides]:
    """The likelihood falls off from the fitted point by n KL(θ̂‖θ), which is positive."""
    x = M.sample(rng, theta, SAMPLE)
    fitted = M.fit(x)
    likelihood: Callable[[Array], Array] = lambda point: np.sum(M.log_density(point, x), axis=0)
    for _ in range(10):
        direction = rng.standard_normal(theta.shape)
        other = fitted + 0.05 * direction / M.norm(fitted, direction)[..., None]
        expected = SAMPLE * M.kl(fitted, other)
        yield equal("loss of log-likelihood", likelihood(fitted) - likelihood(other), "n KL", expected, 1e-6 * expected + 1e-9)
        yield above("n KL", expected, "zero", 0.0)


def whole_weights_are_repetitions(M: ExponentialFamily, theta: Array, rng: np.random.Generator) -> Iterator[Sides]:
    """fit(x, w) is the fit of each x repeated w times; only the ratios of weights matter."""
    x, counts = M.sample(rng, theta, SAMPLE), rng.integers(0, 4, SAMPLE)
    fitted = M.fit(x, weights=counts)
    close = 1e-9 * np.abs(fitted) + 1e-10 * np.abs(fitted).max()
    yield equal("fit(x, w)", fitted, "fit(x repeated w times)", M.fit(np.repeat(x, counts, axis=0)), close)
    yield equal("fit(x, w)", fitted, "fit(x, 0.01 w)", M.fit(x, weights=0.01 * counts), close)


# Ordinary parameters

def parameters_and_theta_are_inverse(M: ExponentialFamily, theta: Array) -> Iterator[Sides]:
    """theta_from(**parameters(θ)) = θ, and back; the parameters lie in their domains and have their shapes."""
    parameters = M.parameters(theta)
    yield equal("parameters has the names of ordinary", set(parameters) == set(M.ordinary), "true", True)
    back = M.theta_from(**parameters)
    size = 1 + np.abs(theta).max(axis=-1, keepdims=True)
    yield equal("axes of theta_from(parameters(θ))", back.ndim, "of θ", theta.ndim)
    yield equal("theta_from(parameters(θ))", back, "θ", theta, 1e-14 * condition(M, theta)[..., None] * size)
    again = M.parameters(back)
    for name, domain in M.ordinary.items():
        value = np.asarray(parameters[name])
        yield equal(f"{name} has its shape", value.shape == (*theta.shape[:-1], *domain.shape), "true", True)
        yield equal(f"domain of {name} contains it", domain.contains(value), "true", True)
        yield equal(f"{name} of theta_from", again[name], name, value, 1e-12 + 1e-10 * np.abs(value))


EXPONENTIAL_FAMILY_LAWS = {title(law): law for law in (
    potential_is_the_log_partition, log_density_is_of_exponential_form, log_density_is_minus_infinity_outside_the_support,
    parameters_and_theta_are_inverse, samples_have_their_shape_and_lie_in_the_support, density_is_normalised,
    samples_follow_the_density, distribution_function_is_the_sum_of_the_density, quantiles_are_inverse, moments_of_x,
    mean_of_the_statistic_is_eta, covariance_of_the_statistic_is_the_metric, third_cumulant_is_the_cubic_tensor,
    natural_norm_of_the_score_is_the_dimension, entropy_and_divergence_are_means, fit_matches_the_mean_statistic,
    fit_is_the_most_likely, whole_weights_are_repetitions)}
