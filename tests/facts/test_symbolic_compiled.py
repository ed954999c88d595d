"""Manifolds compiled from symbols: the numbers of the hand-written families, on every backend, also far out."""
from functools import cache

import numpy as np
import pytest
import sympy as sp

import infogeo as ig
from infogeo.backend import NUMPY
from infogeo.symbolic import Log1pExp, LogSumExp, MultiGammaLn, SymbolicManifold
from infogeo.symbolic.kernel import kernel
from infogeo.symbolic.rewriting import stable
from infogeo.testing import check_dually_flat, check_exponential_family

from ..backends import BACKENDS, every_dtype

t = sp.symbols("theta_1:5", real=True)
t1, t2, t3, t4 = t
DIRICHLET = sp.loggamma(t1) + sp.loggamma(t2) + sp.loggamma(t3) - sp.loggamma(t1 + t2 + t3)
COMPILED = {
    "Normal": (ig.Normal(), t[:2], -t1**2 / (4 * t2) - sp.log(-2 * t2) / 2),
    "Gamma": (ig.Gamma(), t[:2], sp.loggamma(t1) - t1 * sp.log(-t2)),
    "InverseGaussian": (ig.InverseGaussian(), t[:2], -2 * sp.sqrt(t1 * t2) - sp.log(-2 * t2) / 2),
    "Dirichlet(3)": (ig.Dirichlet(3), t[:3], DIRICHLET),
    "Poisson": (ig.Poisson(), (t1,), sp.exp(t1)),
    "Bernoulli": (ig.Bernoulli(), (t1,), sp.log(1 + sp.exp(t1))),
    "Categorical(5)": (ig.Categorical(5), t, sp.log(1 + sum(map(sp.exp, t)))),
}


@cache
def compiled(name):
    family, theta, psi = COMPILED[name]
    return SymbolicManifold(theta, psi).compile(family.theta_domain)


every_compiled = pytest.mark.parametrize("name", COMPILED)


def test_laws():
    assert len(check_dually_flat(compiled("Gamma"), count=4)) > 20


@every_compiled
@every_dtype
@pytest.mark.parametrize("backend", BACKENDS)
def test_numbers_of_the_family(name, backend, dtype):
    family, M = COMPILED[name][0], compiled(name)
    rng = np.random.default_rng(3)
    theta = backend.make(family.theta_domain.sample(rng, (2, 3), 0.5), dtype)
    for method in ("potential", "to_eta", "metric", "cubic_tensor"):
        found, expected = (backend.check(getattr(o, method)(theta), dtype) for o in (M, family))
        tolerance = 1e-11 if dtype == "float64" else 1e-3
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max(), err_msg=method)
    v = rng.standard_normal(theta.shape)
    for method in ("flat", "sharp"):
        found, expected = (backend.check(getattr(o, method)(theta, backend.make(v, dtype)), dtype) for o in (M, family))
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max(), err_msg=method)
    back = backend.check(M.to_theta(M.to_eta(theta)), dtype)
    np.testing.assert_allclose(back, backend.to_numpy(theta), rtol=1e-8 if dtype == "float64" else 2e-2)


@every_compiled
def test_near_points_do_not_cancel(name):
    family, M = COMPILED[name][0], compiled(name)
    theta = family.theta_domain.sample(np.random.default_rng(1), (20,), 0.5)
    for size in (1e-1, 1e-4, 1e-9):
        other = theta * (1 + size)
        np.testing.assert_allclose(M.divergence(theta, other), family.kl(theta, other), rtol=1e-9)


def test_large_batches_are_the_rows():
    M = compiled("Categorical(5)")
    theta = np.random.default_rng(0).standard_normal((20_000, 4))
    for method in ("potential", "to_eta", "metric", "cubic_tensor"):
        np.testing.assert_array_equal(getattr(M, method)(theta)[[0, 7777, -1]], getattr(M, method)(theta[[0, 7777, -1]]))


def test_no_overflow_and_no_cancellation():
    M, family = compiled("Categorical(5)"), ig.Categorical(5)
    theta = np.array([[800.0, -900.0, 0.0, 799.0], [-800.0] * 4, [40.0, 0.0, 0.0, -40.0], [-30.0] * 4])
    for method in ("potential", "to_eta", "metric"):
        np.testing.assert_allclose(getattr(M, method)(theta), getattr(family, method)(theta), rtol=1e-14)
    assert M.potential(theta)[0] == pytest.approx(800 + np.log1p(np.exp(-1)), rel=1e-15)
    bernoulli = compiled("Bernoulli")
    assert bernoulli.metric(np.array([40.0]))[0, 0] == pytest.approx(np.exp(-40), rel=1e-14)
    assert bernoulli.potential(np.array([-50.0])) == pytest.approx(np.exp(-50), rel=1e-14)


def test_logsumexp_without_a_number():
    softmax = kernel(t[:3], [LogSumExp(*t[:3]), *(sp.diff(LogSumExp(*t[:3]), x) for x in t[:3])])
    x = np.array([[1e3, 1e3 + 1, -5.0], [-1e3, -1e3, -1e3]])
    found = np.stack(softmax(ig.backend.backend_of(x), *x.T), axis=-1)
    np.testing.assert_allclose(found[0], [1e3 + np.log1p(np.e), 1 / (1 + np.e), np.e / (1 + np.e), 0], rtol=1e-14)
    np.testing.assert_allclose(found[1], [-1e3 + np.log(3), 1 / 3, 1 / 3, 1 / 3], rtol=1e-14)


def test_stable_forms_are_found():
    assert stable(sp.log(1 + sp.exp(t1))) == Log1pExp(t1)
    assert stable(sp.log(sp.exp(t1) + 3 * sp.exp(2 * t2))) == LogSumExp(t1, 2 * t2 + sp.log(3)) or \
        stable(sp.log(sp.exp(t1) + 3 * sp.exp(2 * t2))) == LogSumExp(2 * t2 + sp.log(3), t1)
    for kept in (sp.log(sp.exp(t1) - 1), sp.log(t1 + sp.exp(t1)), sp.log(t1 + 1)):
        assert stable(kept) == kept


@pytest.mark.parametrize("expression, expected", [
    (t1**5 + t1**-3 + t1**sp.Rational(1, 3), lambda x, y: x**5 + x**-3 + x**(1 / 3)),
    (sp.sqrt(t1) / t2 + 1 / sp.sqrt(t1 * t2), lambda x, y: x**0.5 / y + (x * y)**-0.5),
    (-t1 / (t2 + 1) * 2 - (t1 - t2)**2 / 3, lambda x, y: -2 * x / (y + 1) - (x - y)**2 / 3),
    (sp.Piecewise((t1, t1 < t2), (2, True)), lambda x, y: np.where(x < y, x, 2)),
    (sp.Max(t1, 1, t2) - sp.Min(t1, t2), lambda x, y: np.maximum(np.maximum(x, 1), y) - np.minimum(x, y)),
    (sp.tanh(t1) + sp.erf(t2) + sp.Abs(-t1) + sp.sin(2), lambda x, y: np.tanh(x) + 0.0 * y + abs(x) + np.sin(2) + _erf(y)),
    (MultiGammaLn(t1 + 2, 2), lambda x, y: _multigammaln(x + 2)), (sp.gamma(t1), lambda x, y: _gamma(x)),
], ids=range(8))
@pytest.mark.parametrize("backend", BACKENDS)
def test_printer(expression, expected, backend):
    x, y = np.array([0.7, 1.9, 2.5]), np.array([1.2, 0.4, 2.4])
    arrays = [backend.make(a) for a in (x, y)]
    [found] = kernel((t1, t2), [expression])(ig.backend.backend_of(*arrays), *arrays)
    np.testing.assert_allclose(backend.check(found), expected(x, y), rtol=1e-13)


def _erf(x):
    from scipy.special import erf
    return erf(x)


def _gamma(x):
    from scipy.special import gamma
    return gamma(x)


def _multigammaln(x):
    from scipy.special import gammaln
    return 0.5 * np.log(np.pi) + gammaln(x) + gammaln(x - 0.5)


def test_log_gamma_of_an_integer_does_not_overflow():
    n = sp.Symbol("n", integer=True, positive=True)
    found = kernel((n,), [sp.loggamma(n)])(NUMPY, np.array([400.0]))[0]
    np.testing.assert_allclose(found, float(sp.loggamma(400)), rtol=1e-14)


def test_constant_entries_have_the_batch():
    M = SymbolicManifold(t[:2], t1**2 + t2**2).compile(ig.domains.RealSpace(2))
    np.testing.assert_array_equal(M.metric(np.zeros((3, 4, 2))), np.broadcast_to(2 * np.eye(2), (3, 4, 2, 2)))
    assert M.cubic_tensor(np.zeros((3, 2))).shape == (3, 2, 2, 2)


def test_domain_of_eta_without_a_formula():
    M = compiled("Gamma")
    eta = np.array([[0.0, 1.5], [0.0, 0.5]])                # η₁ < log η₂ in the first only
    np.testing.assert_array_equal(M.eta_domain.contains(eta), [True, False])
    np.testing.assert_array_equal(np.isnan(M.to_theta(eta)).all(axis=-1), [False, True])
    given = M.symbolic.compile(M.theta_domain, ig.domains.RealSpace(2))
    with pytest.raises(ig.ConvergenceError):
        given.to_theta(eta)


def poisson():
    x = sp.Symbol("x")
    return SymbolicManifold(t1, sp.exp(t1)).compile_family(
        ig.domains.RealSpace(1), x=x, sufficient_statistic=(x,), log_base_measure=-sp.loggamma(x + 1),
        support=ig.domains.Integers(),
        sampler=lambda rng, theta, shape: rng.poisson(np.exp(theta[..., 0]), shape), eta_domain=ig.domains.Orthant(1),
        expected_log_base_measure=-sp.exp(t1))


def exponential():
    x = sp.Symbol("x")
    return SymbolicManifold(t1, -sp.log(-t1)).compile_family(
        ig.domains.Orthant(-1), x=x, sufficient_statistic=(x,), log_base_measure=0, support=ig.domains.Interval(0),
        sampler=lambda rng, theta, shape: rng.standard_exponential(shape) / -theta[..., 0])


def test_a_compiled_family():
    M, family = exponential(), ig.Exponential()
    theta = np.array([[-0.5], [-3.0]])
    assert len(check_exponential_family(M, count=6)) > 30
    x = M.sample(np.random.default_rng(0), theta, (4,))
    np.testing.assert_allclose(M.log_density(theta, x), family.log_density(theta, x), rtol=1e-14)
    np.testing.assert_allclose(M.entropy(theta), family.entropy(theta), rtol=1e-14)
    np.testing.assert_allclose(M.fit(x), family.fit(x), rtol=1e-14)
    assert M.log_density(theta[0], -1.0) == -np.inf


def test_a_compiled_family_of_counts():
    M, family = poisson(), ig.Poisson()
    theta = np.array([[0.3], [1.4]])
    x = M.sample(np.random.default_rng(0), theta, (5,))
    np.testing.assert_allclose(M.log_density(theta, x), family.log_density(theta, x), rtol=1e-13)
    np.testing.assert_allclose(M.kl(theta[0], theta[1]), family.kl(theta[0], theta[1]), rtol=1e-13)


def test_a_solver_takes_a_compiled_manifold():
    M = compiled("Normal")
    f = ig.CrossEntropy(M, eta_hat=np.array([1.0, 2.0]))
    run = ig.descend(f, np.array([0.0, -0.5]), geometry=M, update=ig.MirrorUpdate(), step=ig.Constant(0.5), max_steps=60)
    np.testing.assert_allclose(M.to_eta(run.x), [1.0, 2.0], rtol=1e-12)


@pytest.mark.parametrize("call, error, words", [
    (lambda g: g.compile(ig.domains.RealSpace(3)), ig.ShapeError, "theta_domain must have the dimension of theta, 2"),
    (lambda g: g.compile("R"), TypeError, "theta_domain must be a ConvexDomain"),
    (lambda g: g.compile_family(ig.domains.RealSpace(2), x=t3, sufficient_statistic=(t3,), log_base_measure=0,
                                support=ig.domains.Interval(),
                                sampler=None), ig.ShapeError, "sufficient_statistic must have 2 coordinates; got 1"),
    (lambda g: g.compile_family(ig.domains.RealSpace(2), x=t3, sufficient_statistic=(t3, 1), log_base_measure=t3,
                                support=ig.domains.Interval(),
                                sampler=None), ValueError, "expected_log_base_measure"),
    (lambda g: kernel((t1,), [sp.besselj(1, t1)]), TypeError, "besselj has no form for arrays"),
    (lambda g: kernel((t1,), [t2]), ValueError, "unknown symbols theta_2"),
], ids=range(6))
def test_bad_input(call, error, words):
    with pytest.raises(error, match=words):
        call(SymbolicManifold((t1, t2), t1**2 + t2**2))
