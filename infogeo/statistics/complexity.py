"""The parametric complexity of normalised maximum likelihood."""
from functools import singledispatch
from math import ceil, log, pi, sqrt
from typing import Any

import numpy as np

from ..errors import require_count, require_positive, shown, takes
from ..families.bernoulli import Bernoulli
from ..families.binomial import Binomial, Multinomial
from ..families.categorical import Categorical
from ..families.product import Product
from ..geometry.manifolds.manifold import Riemannian

__all__ = ["asymptotic_complexity", "parametric_complexity"]


@singledispatch
def parametric_complexity(family: Any, n: int) -> float:
    """The parametric complexity log Σ_x max_θ p(x; θ) of n observations, exact, nats: what normalises the maximised likelihood.

    Mathematically, the sum runs over all samples x = (x₁, …, x_n). For k outcomes it is log C_k with

    - C₁ = 1, C₂ = Σ_{j=0}^n n! / ((n − j)! n^j)
    - C_{k+2} = C_{k+1} + (n / k) C_k

    the latter as a recursion of the ratios C_{k+1} / C_k, which does not overflow. m trials an observation count as m n
    observations, and complexities of independent factors add.

    Parameters
    ----------
    family : Bernoulli, Categorical, Binomial, Multinomial, or a Product of these
    n : int
        At least 1.

    Raises
    ------
    TypeError
        For another family.
    DomainError
        For another n.

    Source: Kontkanen & Myllymäki, A linear-time algorithm for computing the multinomial stochastic complexity, Inf. Process.
    Lett. 103 (2007), and for C₂ Mononen & Myllymäki, Computing the multinomial stochastic complexity in sub-linear time, PGM
    (2008).

    Examples
    --------
    >>> C = ig.statistics.parametric_complexity(ig.Bernoulli(), 2)
    >>> round(C, 6), float(np.log(1 + 2 * 0.5**2 + 1).round(6))
    (0.916291, 0.916291)
    """
    raise TypeError(f"the parametric complexity is exact for families of categorical and binomial counts; got {shown(family)}")


@parametric_complexity.register
def _(family: Bernoulli, n: int) -> float:
    return _log_complexity(2, require_count("n", n))


@parametric_complexity.register
def _(family: Categorical, n: int) -> float:
    return _log_complexity(family.k, require_count("n", n))


@parametric_complexity.register
def _(family: Binomial, n: int) -> float:
    return _log_complexity(2, family.n * require_count("n", n))


@parametric_complexity.register
def _(family: Multinomial, n: int) -> float:
    return _log_complexity(family.k, family.n * require_count("n", n))


@parametric_complexity.register
def _(family: Product, n: int) -> float:
    return sum(parametric_complexity(factor, n) for factor in family.factors)


def _log_complexity(k: int, n: int) -> float:
    """log C_k, as the sum of the logarithms of the ratios r_j = C_{j+1} / C_j, r_{j+1} = 1 + n / (j r_j)."""
    ratio = _two_outcomes(n)
    total = log(ratio)
    for j in range(1, k - 1):
        ratio = 1.0 + n / (j * ratio)
        total += log(ratio)
    return total


def _two_outcomes(n: int) -> float:
    """C₂ = Σ_j Π_{i<j} (1 − i/n). A term is at most exp(−j(j − 1)/2n), so those left out add less than a rounding error."""
    last = min(n, ceil(1 + sqrt(2 * n * 45)))
    return 1.0 + float(np.sum(np.cumprod(1.0 - np.arange(last) / n)))


@takes(Riemannian)
def asymptotic_complexity(M: Riemannian, n: int, volume: float) -> float:
    """The parametric complexity of many observations, (d/2) log(n / 2π) + log ∫ √det G(θ) dθ, nats; what is left out goes to 0.

    Parameters
    ----------
    M : Riemannian
    n : int
        At least 1.
    volume : float
        Of the part of M where the parameter may lie: ``M.total_volume()``, or ``volume(M, over).value``.

    Raises
    ------
    DomainError
        For n below 1 or a volume that is not a positive finite number.

    Source: Rissanen (1996), theorem 1.

    Examples
    --------
    >>> M = ig.Bernoulli()
    >>> round(ig.statistics.asymptotic_complexity(M, 1000, volume=np.pi), 2)
    3.68
    >>> round(ig.statistics.parametric_complexity(M, 1000), 2)
    3.7
    """
    n, volume = require_count("n", n), require_positive("volume", volume)
    return float(M.dim / 2 * log(n / (2 * pi)) + log(volume))
