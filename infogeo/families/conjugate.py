"""Conjugate priors: which family of priors the observations of a family update within itself, and how.

A log-likelihood that is linear in the sufficient statistics of another family, log p(x; θ) = (A (T(x), 1))·S(θ) + log h(x) + c,
makes that family conjugate: a prior of natural parameter λ becomes λ + A (Σ T(x), n).

Source: Diaconis & Ylvisaker, Conjugate priors for exponential families, Ann. Statist. 7 (1979).
"""
from dataclasses import dataclass
from math import log
from typing import Any

from ..backend import arrays
from ..linalg import matvec
from .base import ExponentialFamily, conjugacy
from .bernoulli import Bernoulli
from .beta import Beta
from .binomial import Binomial, Multinomial
from .categorical import Categorical
from .dirichlet import Dirichlet
from .erlang import Erlang
from .exponential import Exponential
from .gamma import Gamma
from .geometric import Geometric, NegativeBinomial
from .inverse_gamma import InverseGamma
from .multivariate_normal import MultivariateNormal
from .normal import Normal
from .normal_known import NormalKnownMean, NormalKnownVariance
from .normal_wishart import NormalGamma, NormalWishart
from .poisson import Poisson

__all__ = ["Conjugacy"]


@dataclass(frozen=True)
class Conjugacy:
    """The conjugate prior of a family and the matrix A of its update.

    Parameters
    ----------
    prior : ExponentialFamily
        On the parameter of the family.
    matrix : nested tuple, shape (prior.dim, dim + 1)
        A: from (T(x), 1) to natural parameters of the prior.
    constant : float
        c, what the log-likelihood has besides and the base measure does not.
    """

    prior: ExponentialFamily
    matrix: Any
    constant: float = 0.0

    def step(self, total, weight):
        """A (Σ w T(x), Σ w), shapes (..., dim) and (...) to (..., prior.dim)."""
        xp, total, weight = arrays(total, weight)
        weight = xp.broadcast_to(weight[..., None], (*total.shape[:-1], 1))
        return matvec(xp, xp.asarray(self.matrix, dtype=total.dtype), xp.concat([total, weight], axis=-1))


@conjugacy.register(Bernoulli)
def _(family):
    """S = (log p, log(1 − p))."""
    return Conjugacy(Beta(), ((1.0, 0.0), (-1.0, 1.0)))


@conjugacy.register(Binomial)
def _(family):
    return Conjugacy(Beta(), ((1.0, 0.0), (-1.0, float(family.n))))


@conjugacy.register(Geometric)
def _(family):
    """x failures before one success."""
    return Conjugacy(Beta(), ((0.0, 1.0), (1.0, 0.0)))


@conjugacy.register(NegativeBinomial)
def _(family):
    return Conjugacy(Beta(), ((0.0, float(family.r)), (1.0, 0.0)))


@conjugacy.register(Categorical)
def _(family):
    return Conjugacy(Dirichlet(family.k), _all_outcomes(family.k, family.reference, 1.0))


@conjugacy.register(Multinomial)
def _(family):
    return Conjugacy(Dirichlet(family.k), _all_outcomes(family.k, family.reference, float(family.n)))


def _all_outcomes(k, reference, n):
    """The counts of all k outcomes from those of all but the reference, and the number of trials."""
    others = [i for i in range(k) if i != reference]
    return tuple((*(-1.0,) * (k - 1), n) if i == reference else (*(float(i == j) for j in others), 0.0) for i in range(k))


@conjugacy.register(Poisson)
def _(family):
    """S = (log λ, λ)."""
    return Conjugacy(Gamma(), ((1.0, 0.0), (0.0, -1.0)))


@conjugacy.register(Exponential)
def _(family):
    """S = (log β, β)."""
    return Conjugacy(Gamma(), ((0.0, 1.0), (-1.0, 0.0)))


@conjugacy.register(Erlang)
def _(family):
    return Conjugacy(Gamma(), ((0.0, float(family.shape)), (-1.0, 0.0)))


@conjugacy.register(NormalKnownVariance)
def _(family):
    """S = (μ, μ²)."""
    return Conjugacy(Normal(), ((1.0 / family.variance, 0.0), (0.0, -0.5 / family.variance)))


@conjugacy.register(NormalKnownMean)
def _(family):
    """S = (log(1/v), 1/v)."""
    return Conjugacy(InverseGamma(), ((0.0, 0.5), (-0.5, 0.0)), -0.5 * log(2.0))


@conjugacy.register(Normal)
def _(family):
    """S = (log λ, λ, λμ, λμ²) with the precision λ."""
    return Conjugacy(NormalGamma(), _of_mean_and_precision(1, 1))


@conjugacy.register(MultivariateNormal)
def _(family):
    """S = (log det Λ, ⟨Λ⟩, Λμ, μᵀΛμ) with the precision Λ."""
    return Conjugacy(NormalWishart(family.p), _of_mean_and_precision(family.p, family.dim - family.p))


def _of_mean_and_precision(p, q):
    """(½ n, −½ ⟨xxᵀ⟩, x, −½ n) from (x, ⟨xxᵀ⟩, n), with p and q the sizes of x and ⟨xxᵀ⟩."""
    width = p + q + 1
    unit = lambda i, value: tuple(value if j == i else 0.0 for j in range(width))
    squares = (unit(p + i, -0.5) for i in range(q))
    return (unit(p + q, 0.5), *squares, *(unit(i, 1.0) for i in range(p)), unit(p + q, -0.5))
