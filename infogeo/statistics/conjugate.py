"""Conjugate priors: which family of priors the observations of a family update within itself, and how.

A log-likelihood that is linear in the sufficient statistics of another family, log p(x; θ) = (A (T(x), 1))·S(θ) + log h(x) + c,
makes that family conjugate: a prior of natural parameter λ becomes λ + A (Σ T(x), n).

Source: Diaconis & Ylvisaker, Conjugate priors for exponential families, Ann. Statist. 7 (1979); Fink, A compendium of conjugate
priors (1997).
"""
from collections.abc import Callable
from dataclasses import dataclass
from functools import singledispatch
from math import log
from typing import Any

import numpy as np

from ..arrays.joined import gathered
from ..backend import Array, arrays
from ..errors import takes
from ..families.base import ExponentialFamily
from ..families.bernoulli import Bernoulli
from ..families.beta import Beta
from ..families.binomial import Binomial, Multinomial
from ..families.categorical import Categorical
from ..families.diagonal_normal import DiagonalNormal
from ..families.dirichlet import Dirichlet
from ..families.erlang import Erlang
from ..families.exponential import Exponential
from ..families.gamma import Gamma
from ..families.geometric import Geometric, NegativeBinomial
from ..families.gumbel import Gumbel
from ..families.half_normal import HalfNormal
from ..families.inverse_gamma import InverseGamma
from ..families.known_covariance import MatrixNormalKnownCovariances, MultivariateNormalKnownCovariance
from ..families.laplace import Laplace
from ..families.log_normal import LogitNormal, LogNormal
from ..families.multivariate_normal import MultivariateNormal
from ..families.normal import Normal
from ..families.normal_gamma import NormalGamma
from ..families.normal_inverse_wishart import NormalInverseWishart
from ..families.normal_known import NormalKnownMean, NormalKnownVariance
from ..families.pareto import Pareto
from ..families.poisson import Poisson
from ..families.product import Independent, Product
from ..families.weibull import Rayleigh, Weibull
from ..numerics.linalg import matvec
from ..numerics.packing import pack
from .sufficient_statistics import SufficientStatistics

__all__ = ["Conjugacy", "conjugacy", "conjugate_prior", "posterior", "predictive_log_density"]


@dataclass(frozen=True)
class Conjugacy:
    """The conjugate prior of a family and the matrix A of its update.

    Parameters
    ----------
    prior : ExponentialFamily
        On the parameter of the family.
    parameter : str
        What its observations are, in words.
    matrix : nested tuple, shape (prior.dim, dim + 1)
        A: from (T(x), 1) to natural parameters of the prior.
    constant : float
        c, what the log-likelihood has besides and the base measure does not.

    Examples
    --------
    >>> found = ig.statistics.conjugacy(ig.Poisson())
    >>> found.prior, found.parameter, found.matrix
    (Gamma(), 'rate', ((1.0, 0.0), (0.0, -1.0)))
    """

    prior: ExponentialFamily
    parameter: str
    matrix: Any
    constant: float = 0.0

    def step(self, total: Array, weight: Array) -> Array:
        """A (Σ w T(x), Σ w), shapes (..., dim) and (...) to (..., prior.dim)."""
        xp, total, weight = arrays(total, weight)
        weight = xp.broadcast_to(weight[..., None], (*total.shape[:-1], 1))
        return matvec(xp, xp.asarray(self.matrix, dtype=total.dtype), xp.concat([total, weight], axis=-1))


@singledispatch
def conjugacy(family: Any) -> Conjugacy:
    """The `Conjugacy` of a family: how its observations update the parameters of a prior family. Families register their own.

    Raises
    ------
    TypeError
        Where there is none in this library.

    Examples
    --------
    >>> prior = ig.statistics.conjugacy(ig.Bernoulli()).prior
    >>> prior == ig.statistics.conjugate_prior(ig.Bernoulli()) == ig.Beta()
    True
    """
    raise TypeError(f"{family!r} has no conjugate prior among the families of this library")


@takes(ExponentialFamily)
def conjugate_prior(family: ExponentialFamily) -> ExponentialFamily:
    """The family of priors on the parameter of a family that observations update within themselves.

    Raises
    ------
    TypeError
        Where there is none in this library.

    Examples
    --------
    >>> for M in ig.Poisson(), ig.Categorical(3), ig.Normal():
    ...     print(ig.statistics.conjugate_prior(M))
    Gamma()
    Dirichlet(k=3)
    NormalGamma()
    """
    return conjugacy(family).prior


@takes(ExponentialFamily, statistics=SufficientStatistics)
def posterior(family: ExponentialFamily, prior_theta: Array, statistics: SufficientStatistics) -> Array:
    """The natural parameter of the posterior, in the family `conjugate_prior`, shape (..., conjugate_prior(family).dim).

    Mathematically, λ + A (Σ w T(x), Σ w), with A the matrix that writes the log-likelihood as an element of the prior family.

    Parameters
    ----------
    family : ExponentialFamily
        Of the observations.
    prior_theta : array, shape (..., conjugate_prior(family).dim)
    statistics : SufficientStatistics
        Of the observations; batches broadcast.

    Raises
    ------
    TypeError, DomainError, ShapeError
        Where there is no conjugate prior, or `prior_theta` is outside its domain.

    Examples
    --------
    >>> M, prior = ig.Poisson(), ig.Gamma().theta_from(shape=2.0, rate=1.0)
    >>> seen = ig.statistics.SufficientStatistics.from_data(M, [3.0, 4.0])
    >>> theta = ig.statistics.posterior(M, prior, seen)
    >>> shape, rate = ig.Gamma().parameters(theta).values()
    >>> float(shape), float(rate)  # 2 + 3 + 4, 1 + 2
    (9.0, 3.0)
    """
    found, (_, prior_theta, total, weight) = conjugacy(family), gathered(prior_theta, statistics.total, statistics.weight)
    prior_theta = found.prior.theta_domain.require("prior_theta", prior_theta)
    return prior_theta + found.step(total, weight)


@takes(ExponentialFamily)
def predictive_log_density(family: ExponentialFamily, prior_theta: Array, x: Array) -> Array:
    """log ∫ p(x; θ) π(θ) dθ under the conjugate prior of natural parameter λ, shape (...), nats.

    Mathematically, with λ⁺ = λ + A (T(x), 1) the parameter after seeing x, E[log p(x; θ)] + KL(π_λ‖π_λ⁺), both under the
    prior: a form without differences of large potentials. −∞ where x is outside the support.

    Raises
    ------
    TypeError, DomainError, ShapeError
        As `posterior`.

    Examples
    --------
    >>> M, prior = ig.Bernoulli(), ig.Beta().theta_from(alpha=1.0, beta=1.0)
    >>> seen = ig.statistics.SufficientStatistics.from_data(M, [1, 1, 1])
    >>> theta = ig.statistics.posterior(M, prior, seen)
    >>> p = np.exp(ig.statistics.predictive_log_density(M, theta, 1))
    >>> float(p.round(6))  # Laplace: (3 + 1) / (3 + 2)
    0.8
    """
    found = conjugacy(family)
    prior = found.prior
    xp, prior_theta, x = gathered(prior_theta, x)
    prior.theta_domain.require("prior_theta", prior_theta)
    inside, x = family.supported(x)
    step = found.step(family.sufficient_statistic(x), xp.ones_like(family.log_base_measure(x)))
    expected = xp.sum(step * prior.to_eta(prior_theta), axis=-1) + family.log_base_measure(x) + found.constant
    value = expected + prior.kl(prior_theta, prior_theta + step)
    return xp.where(inside, value, xp.full_like(value, -np.inf))


# Probabilities: S = (log p, log(1 − p)) of one, S = (log p_i) of several

@conjugacy.register(Bernoulli)
def _(family: Any) -> Conjugacy:
    return Conjugacy(Beta(), "probability", ((1.0, 0.0), (-1.0, 1.0)))


@conjugacy.register(Binomial)
def _(family: Any) -> Conjugacy:
    return Conjugacy(Beta(), "probability", ((1.0, 0.0), (-1.0, float(family.n))))


@conjugacy.register(Geometric)
def _(family: Any) -> Conjugacy:
    """x failures before one success."""
    return Conjugacy(Beta(), "probability", ((0.0, 1.0), (1.0, 0.0)))


@conjugacy.register(NegativeBinomial)
def _(family: Any) -> Conjugacy:
    return Conjugacy(Beta(), "probability", ((0.0, float(family.r)), (1.0, 0.0)))


@conjugacy.register(Categorical)
def _(family: Any) -> Conjugacy:
    return Conjugacy(Dirichlet(family.k), "probabilities", _all_outcomes(family.k, family.reference, 1.0))


@conjugacy.register(Multinomial)
def _(family: Any) -> Conjugacy:
    return Conjugacy(Dirichlet(family.k), "probabilities", _all_outcomes(family.k, family.reference, float(family.n)))


def _all_outcomes(k: int, reference: int, n: float) -> tuple[tuple[float, ...], ...]:
    """The counts of all k outcomes from those of all but the reference, and the number of trials."""
    others = [i for i in range(k) if i != reference]
    return tuple((*(-1.0,) * (k - 1), n) if i == reference else (*(float(i == j) for j in others), 0.0) for i in range(k))


# Rates: S = (log β, β)

@conjugacy.register(Poisson)
def _(family: Any) -> Conjugacy:
    return Conjugacy(Gamma(), "rate", ((1.0, 0.0), (0.0, -1.0)))


@conjugacy.register(Exponential)
def _(family: Any) -> Conjugacy:
    return Conjugacy(Gamma(), "rate", ((0.0, 1.0), (-1.0, 0.0)))


@conjugacy.register(Erlang)
def _(family: Any) -> Conjugacy:
    return Conjugacy(Gamma(), "rate", ((0.0, float(family.shape)), (-1.0, 0.0)))


@conjugacy.register(Pareto)
def _(family: Any) -> Conjugacy:
    return Conjugacy(Gamma(), "exponent", ((0.0, 1.0), (-1.0, 0.0)))


@conjugacy.register(Gumbel)
def _(family: Any) -> Conjugacy:
    return Conjugacy(Gamma(), "exp(location / s)", ((0.0, 1.0), (-1.0, 0.0)))


# Scales and variances: S = (log(1/v), 1/v)

@conjugacy.register(Laplace)
def _(family: Any) -> Conjugacy:
    return Conjugacy(InverseGamma(), "scale", ((0.0, 1.0), (-1.0, 0.0)))


@conjugacy.register(Weibull)
def _(family: Any) -> Conjugacy:
    return Conjugacy(InverseGamma(), "scale to the power k", ((0.0, 1.0), (-1.0, 0.0)))


@conjugacy.register(Rayleigh)
def _(family: Any) -> Conjugacy:
    return Conjugacy(InverseGamma(), "scale squared", ((0.0, 1.0), (-0.5, 0.0)), -log(2.0))


@conjugacy.register(HalfNormal)
def _(family: Any) -> Conjugacy:
    return Conjugacy(InverseGamma(), "scale squared", ((0.0, 0.5), (-0.5, 0.0)), -0.5 * log(2.0))


@conjugacy.register(NormalKnownMean)
def _(family: Any) -> Conjugacy:
    return Conjugacy(InverseGamma(), "variance", ((0.0, 0.5), (-0.5, 0.0)), -0.5 * log(2.0))


# Means: S = (μ, ⟨μμᵀ⟩)

@conjugacy.register(NormalKnownVariance)
def _(family: Any) -> Conjugacy:
    return Conjugacy(Normal(), "mean", ((1.0 / family.known_variance, 0.0), (0.0, -0.5 / family.known_variance)))


@conjugacy.register(MultivariateNormalKnownCovariance)
@conjugacy.register(MatrixNormalKnownCovariances)
def _(family: Any) -> Conjugacy:
    """T is the vector of the observation: (Σ⁻¹ T, −½ n ⟨Σ⁻¹⟩)."""
    d, precision = family.dim, family.dual_metric(np.zeros(family.dim))
    return Conjugacy(MultivariateNormal(d), "mean, as one vector", _rows(
        _block_diagonal(precision, -0.5 * pack(precision)[:, None])))


# Means with variances

@conjugacy.register(Normal)
@conjugacy.register(LogNormal)
@conjugacy.register(LogitNormal)
def _(family: Any) -> Conjugacy:
    """S = (log λ, λ, λμ, λμ²) with the precision λ."""
    return Conjugacy(NormalGamma(), "mean and 1 / variance", _of_mean_and_precision(1, 1))


@conjugacy.register(DiagonalNormal)
def _(family: Any) -> Conjugacy:
    """As of the normal family, coordinate by coordinate, from (x_1, …, x_p, x_1², …, x_p²)."""
    eye, (x, square, count) = np.eye(family.p), np.array(_of_mean_and_precision(1, 1)).T[..., None]
    matrix = np.concatenate([np.kron(eye, x), np.kron(eye, square), np.tile(count, (family.p, 1))], axis=1)
    return Conjugacy(Independent(NormalGamma(), family.p), "mean and 1 / variance of each coordinate", _rows(matrix))


@conjugacy.register(MultivariateNormal)
def _(family: Any) -> Conjugacy:
    """S = (log det Λ, ⟨Λ⟩, Λμ, μᵀΛμ) with the precision Λ = Σ⁻¹."""
    prior = NormalInverseWishart(family.p)
    return Conjugacy(prior, "mean and covariance", _of_mean_and_precision(family.p, family.dim - family.p))


def _of_mean_and_precision(p: int, q: int) -> tuple[tuple[float, ...], ...]:
    """(½ n, −½ ⟨xxᵀ⟩, x, −½ n) from (x, ⟨xxᵀ⟩, n), with p and q the sizes of x and ⟨xxᵀ⟩."""
    width = p + q + 1
    unit: Callable[[int, float], tuple[float, ...]] = lambda i, value: tuple(value if j == i else 0.0 for j in range(width))
    squares = (unit(p + i, -0.5) for i in range(q))
    return (unit(p + q, 0.5), *squares, *(unit(i, 1.0) for i in range(p)), unit(p + q, -0.5))


# Independent observations: the parts of the prior are independent, too

@conjugacy.register(Independent)
def _(family: Any) -> Conjugacy:
    prior, *parts = _of_factors(family)
    return Conjugacy(Independent(prior[0], family.n), *parts)


@conjugacy.register(Product)
def _(family: Any) -> Conjugacy:
    priors, *parts = _of_factors(family)
    return Conjugacy(Product(*priors), *parts)


def _of_factors(family: Product) -> tuple[list[ExponentialFamily], str, Any, float]:
    """The priors of the factors, their parameters in words, the matrix of the product, and the sum of the constants."""
    found = [conjugacy(factor) for factor in family.factors]
    matrices = [np.array(own.matrix) for own in found]
    matrix = _block_diagonal(*(own[:, :-1] for own in matrices))
    total = np.concatenate([own[:, -1:] for own in matrices])
    words = "; ".join(dict.fromkeys(own.parameter for own in found))
    return [own.prior for own in found], words, _rows(np.concatenate([matrix, total], axis=1)), sum(own.constant for own in found)


def _block_diagonal(*blocks: Array) -> Array:
    height, width = (sum(block.shape[axis] for block in blocks) for axis in (0, 1))
    out = np.zeros((height, width))
    row = column = 0
    for block in blocks:
        out[row:row + block.shape[0], column:column + block.shape[1]] = block
        row, column = row + block.shape[0], column + block.shape[1]
    return out


def _rows(matrix: Array) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, matrix.tolist()))
