"""The structure that is found in the symbols of a metric: which one it is, and its two maps against the dense metric."""
from functools import cache

import mpmath
import numpy as np
import pytest
import sympy as sp

import infogeo as ig
from infogeo.symbolic import LogSumExp, SymbolicManifold, symbolic_manifold
from infogeo.symbolic.algebra import shared_powers
from infogeo.symbolic.functions import Softmax, SoftmaxRest, TrigammaGap, defined
from infogeo.symbolic.recognition import structure_of
from infogeo.symbolic.rewriting import alternatives

from ..backends import BACKENDS, every_dtype

t = t1, t2, t3, t4 = sp.symbols("theta_1:5", real=True)
FOUND = {
    "Poisson": (ig.Poisson(), "DiagonalMetric(1)"),
    "Burg": (ig.Burg(3), "DiagonalMetric(3)"),
    "NegativeEntropy": (ig.NegativeEntropy(3), "DiagonalMetric(3)"),
    "Euclidean": (ig.Euclidean(2), "DiagonalMetric(2)"),
    "Normal": (ig.Normal(), "Eliminated(2)"),
    "Gamma": (ig.Gamma(), "Eliminated(2)"),
    "InverseGaussian": (ig.InverseGaussian(), "Eliminated(2)"),
    "Categorical(3)": (ig.Categorical(3), "Eliminated(2)"),
    "LogDet(2)": (ig.LogDet(2), "Eliminated(3)"),
    "IsotropicNormal(4)": (ig.IsotropicNormal(4), "Eliminated(5)"),
    "Beta": (ig.Beta(), "DiagonalPlusRankOne(2)"),
    "Dirichlet(4)": (ig.Dirichlet(4), "DiagonalPlusRankOne(4)"),
    "Categorical(6)": (ig.Categorical(6), "DiagonalPlusRankOne(5)"),
    "Multinomial(5, 7)": (ig.Multinomial(5, 7), "DiagonalPlusRankOne(4)"),
    "DiagonalNormal(2)": (ig.DiagonalNormal(2), "Blocks(Eliminated(2), Eliminated(2))"),
    "product": (ig.Product(ig.Poisson(), ig.Categorical(4), ig.Gamma(), ig.Exponential()),
                "Blocks(DiagonalMetric(2), DiagonalPlusRankOne(3), Eliminated(2))"),
    "MultivariateNormal(2)": (ig.MultivariateNormal(2), "DenseMetric(5)"),
    "product with MultivariateNormal(2)": (ig.Product(ig.MultivariateNormal(2), ig.Poisson()),
                                           "Blocks(DiagonalMetric(1), DenseMetric(5))"),
}


@cache
def in_symbols(name):
    return symbolic_manifold(FOUND[name][0])


@cache
def compiled(name):
    M, _ = FOUND[name]
    return in_symbols(name).compile(M.theta_domain, M.eta_domain)


every_manifold = pytest.mark.parametrize("name", FOUND)


@every_manifold
def test_what_is_found(name):
    assert repr(compiled(name).structure) == FOUND[name][1]


@every_manifold
@every_dtype
@pytest.mark.parametrize("backend", BACKENDS)
def test_the_maps_are_those_of_the_metric(name, backend, dtype):
    """G v to the rounding of its terms, and G⁻¹ c to that times the condition number; one point with many vectors, too."""
    M, by_hand = compiled(name), FOUND[name][0]
    rng = np.random.default_rng(5)
    points, vectors = M.theta_domain.sample(rng, (2, 3), 0.5), rng.standard_normal((2, 3, M.dim))
    eps = 1e-12 if dtype == "float64" else 1e-4
    for theta in (points, points[0, 1]):
        G = by_hand.metric(theta)
        place = backend.make(theta, dtype)
        lowered, raised = (backend.check(f(place, backend.make(vectors, dtype)), dtype) for f in (M.flat, M.sharp))
        assert lowered.shape == raised.shape == vectors.shape
        size = np.max(np.abs(G) @ np.abs(vectors)[..., None], axis=(-2, -1))
        assert np.all(np.max(np.abs(lowered - (G @ vectors[..., None])[..., 0]), axis=-1) < eps * size)
        expected = np.linalg.solve(G, vectors[..., None])[..., 0]
        error = np.linalg.norm(raised - expected, axis=-1) / np.linalg.norm(expected, axis=-1)
        assert np.all(error < eps * np.linalg.cond(G))


def exact_sharp(symbolic, theta, covector):
    """G⁻¹ c in 60 digits, from the metric in symbols."""
    with mpmath.workdps(60):
        G = sp.lambdify(symbolic.theta, symbolic.metric.applyfunc(defined), modules="mpmath")(*map(mpmath.mpf, theta.tolist()))
        return np.array([float(x) for x in mpmath.lu_solve(mpmath.matrix(G), mpmath.matrix(covector.tolist()))])


@pytest.mark.parametrize("name, theta", [
    ("Normal", [1e4 / 1e-4, -0.5 / 1e-4]), ("Normal", [-3e7, -1.0]),
    ("Gamma", [1e8, -1e8]), ("Gamma", [1e-8, -3.0]), ("InverseGaussian", [-1e5, -1e-5]),
    ("Dirichlet(4)", [1e6, 2e6, 3e6, 4e6]), ("Dirichlet(4)", [1e-6, 1.0, 2.0, 1e7]), ("Beta", [1e7, 2e7]),
    ("Categorical(6)", [38.0, 0.0, -3.0, 5.0, 1.0]), ("Categorical(6)", [-35.0, -20.0, -30.0, -10.0, -34.0]),
    ("Categorical(3)", [38.0, 1.0]), ("Categorical(3)", [-38.0, 38.0]), ("Multinomial(5, 7)", [38.0, 0.0, -3.0, 5.0]),
    ("IsotropicNormal(4)", [1e6, -1e6, 2e6, 3.0, -0.5]),
])
def test_far_out(name, theta):
    """The metric is ill-conditioned there; its inverse in symbols is not."""
    theta = np.array(theta)
    covector = np.random.default_rng(2).standard_normal(len(theta))
    expected = exact_sharp(in_symbols(name), theta, covector)
    assert np.max(np.abs(compiled(name).sharp(theta, covector) - expected)) < 1e-12 * np.max(np.abs(expected))


def test_large_batches_are_the_rows():
    rng = np.random.default_rng(0)
    for name in ("Categorical(6)", "Normal", "product"):
        M = compiled(name)
        theta, v = M.theta_domain.sample(rng, (90_000,), 0.5), rng.standard_normal((90_000, M.dim))
        for method in (M.flat, M.sharp):
            np.testing.assert_allclose(method(theta, v)[[0, 77_777, -1]], method(theta[[0, 77_777, -1]], v[[0, 77_777, -1]]),
                                       rtol=1e-14)
            np.testing.assert_array_equal(method(theta[0], v)[-1], method(theta[0], v[-1]))


def test_inner_product_and_norm_follow():
    M, family = compiled("Dirichlet(4)"), ig.Dirichlet(4)
    theta, (u, v) = np.array([0.3, 1.0, 4.0, 2.0]), np.random.default_rng(0).standard_normal((2, 4))
    assert M.inner(theta, u, v) == pytest.approx(u @ family.metric(theta) @ v, rel=1e-13)
    assert M.norm(theta, u) == pytest.approx(family.norm(theta, u), rel=1e-13)


@pytest.mark.parametrize("potential, expected", [
    (sum(map(sp.exp, t)) + (t1 - 2 * t2 + 3 * t3 - t4)**2 / 2, "DiagonalPlusRankOne(4)"),       # u of both signs
    (sum(map(sp.exp, t[:3])) - 3 * t4 - sp.log(t4) + (t1 + t2 - t3)**2, "Blocks(DiagonalMetric(1), DiagonalPlusRankOne(3))"),
    (sum(map(sp.exp, t)) + (t1 - 2 * t2 + 3 * t3 + t4)**2 / 2, "DiagonalPlusRankOne(4)"),
    (2 * LogSumExp(0, *t) + t1**2 / 2, "DiagonalPlusRankOne(4)"),
    (sum(map(sp.exp, t)) + (t1 - t2)**2 + (t2 - t3)**2 + (t3 - t4)**2, "DenseMetric(4)"),        # a chain has no such form
], ids=range(5))
def test_structures_of_other_potentials(potential, expected):
    M = SymbolicManifold(t, potential, ig.domains.Orthant(1, 1, 1, 1)).compile(ig.domains.Orthant(1, 1, 1, 1),
                                                                               ig.domains.RealSpace(4))
    assert repr(M.structure) == expected
    rng = np.random.default_rng(1)
    theta, v = rng.uniform(0.2, 1.5, (6, 4)), rng.standard_normal((6, 4))
    G = M.metric(theta)
    np.testing.assert_allclose(M.flat(theta, v), (G @ v[..., None])[..., 0], rtol=0, atol=1e-13 * np.abs(G).max())
    np.testing.assert_allclose(M.sharp(theta, v), np.linalg.solve(G, v[..., None])[..., 0], rtol=1e-11, atol=1e-12)


def test_a_coordinate_in_two_blocks():
    """The entries of a block may be functions of coordinates of another one."""
    M = compiled("DiagonalNormal(2)")
    assert [indices for indices, _ in M.structure.blocks] == [[0, 2], [1, 3]]


@pytest.mark.parametrize("expression", [
    1 - Softmax(1, 0, t1, t2) - Softmax(2, 0, t1, t2), SoftmaxRest(1, 0, t1, t2) - Softmax(1, 0, t1, t2) * Softmax(2, 0, t1, t2),
    t1 * sp.polygamma(1, t1) - 1, (t1 * sp.polygamma(1, t1) - 1) / (t2 * sp.polygamma(1, t1)),
    t4 + 1 / sp.polygamma(1, t1) + 2 * t3 / sp.polygamma(1, t2) - 1 / sp.polygamma(1, t1 + t2), sp.exp(t1) + t2 - 1 / t1,
], ids=range(6))
def test_alternatives_are_equal(expression):
    at = {t1: 1.3, t2: 0.4, t3: 2.2, t4: 0.9}
    values = [float(defined(form).xreplace(at)) for form in alternatives(expression)]
    assert values == pytest.approx([values[0]] * len(values), rel=1e-12) and len(values) > 1


def test_what_cancels_is_left_out():
    p = [Softmax(i, 0, t1, t2) for i in range(3)]
    assert p[0] in list(alternatives(1 - p[1] - p[2]))
    trigamma = sp.polygamma(1, t1)
    assert t1 * TrigammaGap(t1, trigamma) in list(alternatives(t1 * trigamma - 1))


@pytest.mark.parametrize("expressions", [
    [-t1 / (2 * t2), t1**2 / (4 * t2**2) - 1 / (2 * t2)], [1 / t1, 1 / t1**2 + t2, sp.exp(3 / t1**3)],
    [t1 * t2 * t3, (t1 * t2)**2 * t4, t1**3 * t2**3], [t1 + t2, sp.sqrt(t1) / t2], [sp.S(2), t1 / (t1 + t2)**2],
], ids=range(5))
def test_shared_powers_are_the_same_expressions(expressions):
    temporaries, found = shared_powers(expressions, sp.numbered_symbols("p", real=True))
    for name, value in reversed(temporaries):
        found = [e.xreplace({name: value}) for e in found]
    assert [sp.simplify(a - b) for a, b in zip(found, expressions)] == [0] * len(expressions)


def test_shared_powers_of_the_normal():
    """Variance and mean of the normal appear by themselves: its moments cost what they cost by hand."""
    p = sp.symbols("p0:2", real=True)
    temporaries, moments = shared_powers([-t1 / (2 * t2), t1**2 / (4 * t2**2) - 1 / (2 * t2)], iter(p))
    assert temporaries == [(p[0], -1 / (2 * t2)), (p[1], p[0] * t1)] and moments == [p[1], p[1]**2 + p[0]]


def test_the_structure_is_of_the_symbols_alone():
    assert repr(structure_of(in_symbols("Categorical(6)"), in_symbols("Categorical(6)").points)) == "DiagonalPlusRankOne(5)"
