"""Every exponential family of the library with drawn arguments."""
from collections.abc import Callable
from itertools import combinations

import numpy as np

from ..backend import Array
from ..domains.convex import PositiveDefinite
from ..errors import from_extra
from ..families import catalogue as f
from ..families.base import ExponentialFamily
from ..numerics.packing import unpack

with from_extra("strategies and drawn checks need Hypothesis", "testing"):
    from hypothesis import strategies as st

__all__ = ["compositions", "families_of_numbers"]

numbers = st.integers(-16, 16).map(lambda i: i / 8)
positive = st.integers(1, 32).map(lambda i: i / 8)


@st.composite
def _covariances(draw: st.DrawFn, p: int) -> Array:
    """L Lᵀ with the diagonal of L between e⁻¹ and e."""
    domain = PositiveDefinite(p)
    entries = draw(st.lists(st.integers(-4, 4), min_size=domain.dim, max_size=domain.dim))
    return unpack(domain.chart(np.array(entries) / 4), p)


@st.composite
def _log_linear(draw: st.DrawFn, max_size: int) -> ExponentialFamily:
    """The unit vectors and the origin, whose hull is a simplex, and up to two states more."""
    d = draw(st.integers(1, max_size - 1))
    extra = draw(st.lists(st.lists(st.integers(-2, 2), min_size=d, max_size=d), max_size=2))
    rows = np.concatenate([np.zeros((1, d)), np.eye(d), np.reshape(np.array(extra, dtype=float), (-1, d))])
    log_base = draw(st.none() | st.lists(numbers, min_size=len(rows), max_size=len(rows)))
    return f.LogLinear(rows, log_base)


@st.composite
def _boltzmann_machines(draw: st.DrawFn, max_size: int) -> ExponentialFamily:
    n = draw(st.integers(1, max_size))
    pairs = list(combinations(range(n), 2))
    edges = st.lists(st.sampled_from(pairs), unique=True).map(tuple) if pairs else st.just(())
    return f.BoltzmannMachine(n, draw(st.none() | edges))


@st.composite
def _hierarchical(draw: st.DrawFn) -> ExponentialFamily:
    shape = draw(st.lists(st.integers(2, 3), min_size=1, max_size=3).map(tuple))
    axes = range(len(shape))
    groups = [group for size in axes for group in combinations(axes, size + 1)]
    return f.Hierarchical(shape, draw(st.lists(st.sampled_from(groups), min_size=1, unique=True).map(tuple)))


def families_of_numbers(max_size: int) -> list[st.SearchStrategy[ExponentialFamily]]:
    """A strategy for each class that is made from numbers."""
    plain = [cls() for cls in (
        f.Bernoulli, f.ConwayMaxwellPoisson, f.Geometric, f.LogSeries, f.Poisson, f.Zeta, f.Chi, f.ChiSquared, f.Exponential,
        f.Gamma, f.GeneralizedInverseGaussian, f.HalfNormal, f.InverseGamma, f.InverseGaussian, f.LogNormal, f.Rayleigh, f.Beta,
        f.ContinuousBernoulli, f.LogitNormal, f.Normal, f.NormalGamma, f.VonMises)]
    sizes, dims, trials = st.integers(2, max_size), st.integers(1, min(max_size, 3)), st.integers(1, 10)
    orders = st.integers(1, min(max_size, 2))                  # of matrices, whose dimension grows as the square
    outcomes: Callable[..., st.SearchStrategy[ExponentialFamily]] = lambda cls, *others: sizes.flatmap(
        lambda k: st.builds(cls, st.just(k), *others, reference=st.none() | st.integers(0, k - 1)))
    return [
        *map(st.just, plain),
        st.builds(f.Binomial, trials), outcomes(f.Categorical), outcomes(f.Multinomial, trials),
        st.builds(f.NegativeBinomial, positive), st.builds(f.Erlang, trials), st.builds(f.Pareto, positive),
        st.builds(f.Weibull, positive), st.builds(f.Dirichlet, sizes), st.builds(f.GeneralizedDirichlet, sizes),
        st.builds(f.Gumbel, positive), st.builds(f.Laplace, numbers), st.builds(f.NormalKnownMean, numbers),
        st.builds(f.NormalKnownVariance, positive),
        *(st.builds(cls, dims) for cls in (f.ComplexNormal, f.DiagonalNormal, f.IsotropicNormal, f.MultivariateNormal)),
        *(st.builds(cls, orders) for cls in (f.InverseWishart, f.NormalInverseWishart, f.NormalWishart, f.Wishart)),
        st.builds(f.MultivariateNormalKnownCovariance, dims.flatmap(_covariances)),
        st.builds(f.MatrixNormalKnownCovariances, orders.flatmap(_covariances), orders.flatmap(_covariances)),
        st.builds(f.VonMisesFisher, sizes), _boltzmann_machines(max_size), _hierarchical(), _log_linear(max_size)]


def compositions(max_size: int) -> list[st.SearchStrategy[ExponentialFamily]]:
    """A strategy for each class that is made from families."""
    factors = st.sampled_from(families_of_numbers(2)).flatmap(lambda kind: kind)
    copied = st.builds(f.Independent, factors, st.integers(1, max_size))
    return [st.lists(factors, min_size=1, max_size=2).map(lambda found: f.Product(*found)), copied, _truncated()]


def _truncated() -> st.SearchStrategy[ExponentialFamily]:
    """On each kind of support, with bounds on either side or both."""
    line: list[ExponentialFamily] = [f.Normal()]
    half: list[ExponentialFamily] = [f.Exponential(), f.Gamma()]
    counts: list[ExponentialFamily] = [f.Poisson(), f.Geometric()]

    def bounds(low: float, width: float) -> st.SearchStrategy[tuple[float, float]]:
        return st.sampled_from([(low, low + width), (low, np.inf)])

    return st.one_of(
        st.tuples(st.sampled_from(line), bounds(-1.0, 3.0) | st.just((-np.inf, 0.5))),
        st.tuples(st.sampled_from(half), bounds(0.5, 2.0) | st.just((-np.inf, 3.0))),
        st.tuples(st.sampled_from(counts), bounds(0, 8) | st.just((-np.inf, 5)))
    ).map(lambda drawn: f.Truncated(drawn[0], *drawn[1]))
