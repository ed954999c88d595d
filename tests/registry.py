"""Every object that the laws are about. A line here puts a new one under all of them, together with its dual."""
from functools import wraps

import numpy as np
import pytest

import infogeo as ig
from infogeo.testing import smooth_region as region
from infogeo.testing.formulas import FAMILY_FORMULAS as FAMILY_KERNELS
from infogeo.testing.formulas import FORMULAS as KERNELS
from infogeo.testing.formulas import formulas as kernels

__all__ = ["FAMILIES", "FAMILY_KERNELS", "KERNELS", "MANIFOLDS", "MIRROR_MAPS", "MIXTURES", "PRIMAL", "STEEP",
           "arguments", "every_family", "every_kind", "every_manifold", "every_primal", "every_steep_manifold",
           "every_steep_primal", "is_slow", "kernels", "once_each", "region"]

FAMILIES = {
    "Bernoulli": ig.Bernoulli(),
    "Categorical(3)": ig.Categorical(3),
    "Categorical(3, reference=0)": ig.Categorical(3, reference=0),
    "Categorical(6)": ig.Categorical(6),
    "Poisson": ig.Poisson(),
    "Exponential": ig.Exponential(),
    "Normal": ig.Normal(),
    "Gamma": ig.Gamma(),
    "Dirichlet(3)": ig.Dirichlet(3),
    "Dirichlet(5)": ig.Dirichlet(5),
    "MultivariateNormal(1)": ig.MultivariateNormal(1),
    "MultivariateNormal(2)": ig.MultivariateNormal(2),
    "MultivariateNormal(3)": ig.MultivariateNormal(3),
    "Binomial(7)": ig.Binomial(7),
    "InverseGamma": ig.InverseGamma(),
    "Erlang(3)": ig.Erlang(3),
    "LogNormal": ig.LogNormal(),
    "Pareto(2.0)": ig.Pareto(2.0),
    "Beta": ig.Beta(),
    "NormalKnownVariance(4.0)": ig.NormalKnownVariance(4.0),
    "Independent(Gamma, 2)": ig.Independent(ig.Gamma(), 2),
    "Geometric": ig.Geometric(),
    "Rayleigh": ig.Rayleigh(),
    "HalfNormal": ig.HalfNormal(),
    "ChiSquared": ig.ChiSquared(),
    "Chi": ig.Chi(),
    "Weibull(1.7)": ig.Weibull(1.7),
    "InverseGaussian": ig.InverseGaussian(),
    "NormalKnownMean(1.5)": ig.NormalKnownMean(1.5),
    "Gumbel(2.0)": ig.Gumbel(2.0),
    "DiagonalNormal(2)": ig.DiagonalNormal(2),
    "IsotropicNormal(3)": ig.IsotropicNormal(3),
    "MultivariateNormalKnownCovariance": ig.MultivariateNormalKnownCovariance([[2.0, 0.5], [0.5, 1.0]]),
    "NegativeBinomial(7)": ig.NegativeBinomial(7),
    "ContinuousBernoulli": ig.ContinuousBernoulli(),
    "GeneralizedDirichlet(3)": ig.GeneralizedDirichlet(3),
    "LogitNormal": ig.LogitNormal(),
    "Binomial(1)": ig.Binomial(1),
    "Binomial(1000)": ig.Binomial(1000),
    "Multinomial(3, 5)": ig.Multinomial(3, 5),
    "Multinomial(4, 6, reference=0)": ig.Multinomial(4, 6, reference=0),
    "NegativeBinomial(0.4)": ig.NegativeBinomial(0.4),
    "LogSeries": ig.LogSeries(),
    "Zeta": ig.Zeta(),
    "ConwayMaxwellPoisson": ig.ConwayMaxwellPoisson(),
    "GeneralizedInverseGaussian": ig.GeneralizedInverseGaussian(),
    "Laplace(0.5)": ig.Laplace(0.5),
    "MatrixNormalKnownCovariances": ig.MatrixNormalKnownCovariances(
        [[2.0, 0.5], [0.5, 1.0]], [[1.0, 0.2, 0.0], [0.2, 3.0, 0.4], [0.0, 0.4, 0.5]]),
    "Wishart(1)": ig.Wishart(1),
    "Wishart(2)": ig.Wishart(2),
    "InverseWishart(2)": ig.InverseWishart(2),
    "NormalGamma": ig.NormalGamma(),
    "NormalWishart(2)": ig.NormalWishart(2),
    "NormalInverseWishart(2)": ig.NormalInverseWishart(2),
    "ComplexNormal(2)": ig.ComplexNormal(2),
    "VonMises": ig.VonMises(),
    "VonMisesFisher(3)": ig.VonMisesFisher(3),
    "VonMisesFisher(5)": ig.VonMisesFisher(5),
    "LogLinear": ig.LogLinear(np.array([[0.0, 1.0], [1.0, 0.5], [0.3, -1.0], [-0.8, 0.2], [0.5, 0.9]]),
                              np.array([0.1, -0.4, 0.0, 0.6, -1.0])),
    "BoltzmannMachine(3, chain)": ig.BoltzmannMachine(3, ((0, 1), (1, 2))),
    "Hierarchical(independent)": ig.Hierarchical((2, 3), ((0,), (1,))),
    "Hierarchical(pairs)": ig.Hierarchical((2, 2, 2), ((0, 1), (0, 2), (1, 2))),
    "Product": ig.Product(ig.Normal(), ig.Bernoulli(), ig.Dirichlet(3)),
    "Independent(Categorical(3), 2)": ig.Independent(ig.Categorical(3), 2),
    "Independent(MultivariateNormal(2), 2)": ig.Independent(ig.MultivariateNormal(2), 2),        # of vectors
    "Truncated(Poisson, 0)": ig.Truncated(ig.Poisson(), 0),
    "Truncated(Exponential, 0, 2)": ig.Truncated(ig.Exponential(), 0.0, 2.0),
}

MIRROR_MAPS = {
    "Euclidean(3)": ig.Euclidean(3),
    "Quadratic(Q)": ig.Quadratic(np.array([[2.0, 0.5, 0.0], [0.5, 1.0, -0.3], [0.0, -0.3, 4.0]])),
    "NegativeEntropy(3)": ig.NegativeEntropy(3),
    "Burg(3)": ig.Burg(3),
    "PNorm(3, 1.5)": ig.PNorm(3, 1.5),
    "PNorm(3, 3.0)": ig.PNorm(3, 3.0),
    "Tsallis(0.5, 2)": ig.Tsallis(0.5, 2),
    "LogDet(2)": ig.LogDet(2),
    "LogDet(3)": ig.LogDet(3),
}

MIXTURES = {
    "MixtureFamily(point masses)": ig.MixtureFamily(np.eye(3)),
    "MixtureFamily": ig.MixtureFamily(np.array([[0.6, 0.0, 0.0, 0.4], [0.0, 0.7, 0.0, 0.3], [0.0, 0.0, 0.8, 0.2]])),
}

PRIMAL = FAMILIES | MIRROR_MAPS
MANIFOLDS = PRIMAL | {f"{name}.dual": M.dual for name, M in PRIMAL.items()}

# Those of a series, an integral or an iteration at every point: milliseconds a call, where others take microseconds.
SLOW = {"LogSeries", "Zeta", "VonMises", "VonMisesFisher(3)", "VonMisesFisher(5)", "LogLinear", "BoltzmannMachine(3, chain)",
        "Hierarchical(independent)", "Hierarchical(pairs)", "ConwayMaxwellPoisson",
        "GeneralizedInverseGaussian", "Truncated(Poisson, 0)", "Truncated(Exponential, 0, 2)"}
_SLOW = {id(M) for name, M in FAMILIES.items() if name in SLOW}


def is_slow(M):
    """Whether the manifold, or the one whose dual it is, is on the list."""
    return id(getattr(M, "primal", M)) in _SLOW


def once_each(function):
    """Remember the results of a function of a manifold and of hashable arguments: what is the same for every backend."""
    known = {}

    @wraps(function)
    def remembered(M, *arguments):
        key = (id(M), *arguments)               # registered manifolds live as long as the tests
        if key not in known:
            known[key] = function(M, *arguments)
        return known[key]
    return remembered


STEEP = {name: M for name, M in MANIFOLDS.items() if M.steep}

# One of every kind: closed charts, matrices, a Newton inverse, duals, mirror maps. What is one generic code over manifolds, a
# projection or a loop of steps, sees the other array libraries on these; that every formula runs on them is a law of its own.
KINDS = ["Categorical(3)", "Categorical(6).dual", "Normal", "Normal.dual", "Exponential", "Gamma", "MultivariateNormal(2)",
         "Burg(3)", "NegativeEntropy(3).dual"]

every_kind = pytest.mark.parametrize("M", [MANIFOLDS[name] for name in KINDS], ids=KINDS)
every_manifold = pytest.mark.parametrize("M", MANIFOLDS.values(), ids=MANIFOLDS)
# The dual forwards every method to one of the manifold, which laws of their own hold (test_dual, test_overrides, test_potential):
# what is said of code and not of a formula sees a few duals only.
ONCE = PRIMAL | {name: M for name, M in MANIFOLDS.items() if name in KINDS or getattr(M, "primal", None) in MIRROR_MAPS.values()}
every_manifold_once = pytest.mark.parametrize("M", ONCE.values(), ids=ONCE)
every_steep_manifold = pytest.mark.parametrize("M", STEEP.values(), ids=STEEP)
# For statements about both charts: made of the dual manifold, they would be the same once more.
every_primal = pytest.mark.parametrize("M", PRIMAL.values(), ids=PRIMAL)
every_steep_primal = pytest.mark.parametrize("M", [M for M in PRIMAL.values() if M.steep], ids=[n for n in PRIMAL if n in STEEP])
every_family = pytest.mark.parametrize("M", FAMILIES.values(), ids=FAMILIES)


def arguments(M, kinds, rng, shape=(), scale=1.0):
    """NumPy arguments of these kinds: points of the bulk, vectors of unit length in the metric, observations."""
    theta = region(M).sample(rng, shape, scale)

    def draw(kind, first):
        if kind == "eta":
            return M.to_eta(theta)
        if kind == "x":
            return M.sample(rng, theta)
        if kind == "theta":
            return theta if first else region(M).sample(rng, shape, scale)
        vector = rng.standard_normal(theta.shape)
        vector = vector / M.norm(theta, vector)[..., None]
        return vector if kind == "vector" else M.flat(theta, vector)

    return [draw(kind, i == 0) for i, kind in enumerate(kinds)]
