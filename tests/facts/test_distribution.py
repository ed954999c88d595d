"""Distribution functions beside mpmath, closed forms beside integrals and sums, and what the methods say of wrong arguments."""
import csv
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

import infogeo as ig
from infogeo.families.distribution import Distribution

from ..backends import BACKENDS
from ..registry import FAMILIES, is_slow, region

REFERENCES = Path(__file__).parent.parent / "data" / "distribution_references.csv"


def references():
    """{family: rows of (θ, x, log P(X ≤ x), log P(X > x))}."""
    with open(REFERENCES, encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: [(np.array(row["theta"].split(), float), *(float(row[key]) for key in ("x", "log_cdf", "log_survival")))
                   for row in some] for name, some in groupby(rows, lambda row: row["family"])}


KNOWN = references()


def named(text):
    return eval(f"ig.{text.replace('(Normal', '(ig.Normal')}")


@pytest.mark.parametrize("name", KNOWN)
def test_tails(name):
    """To 1e-12 relative, and to what rounding x and the logarithm of a tail cost; logarithms down to below −700."""
    family = named(name)
    theta, x, log_cdf, log_survival = (np.array(column) for column in zip(*KNOWN[name]))
    density = np.exp(family.log_density(theta, x)) if not isinstance(family.support, ig.domains.Integers) else 0.0
    for below, log_form, exact in ((family.cdf, family.log_cdf, log_cdf), (family.survival, family.log_survival, log_survival)):
        exact_p = np.exp(exact)
        cost = 4e-16 * np.abs(x) * density
        np.testing.assert_array_less(np.abs(below(theta, x) - exact_p), 1e-12 * exact_p + cost + 1e-305)
        in_log = np.where(exact_p > 1e-300, cost / np.maximum(exact_p, 1e-300), 0.0)
        np.testing.assert_array_less(np.abs(log_form(theta, x) - exact), 1e-12 * np.abs(exact) + in_log + 1e-305)


CLOSED = [name for name, M in FAMILIES.items() if M.support.shape == () and not is_slow(M) and name != "Beta"]


@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms_are_the_integrals_and_sums(name):
    M, rng = FAMILIES[name], np.random.default_rng(3)
    theta = region(M).sample(rng, (4,), 0.4)
    x = M.sample(rng, theta, 5)
    x = np.where(x < M._ends[1], x, M._ends[0])
    with np.errstate(all="ignore"):
        base = Distribution._numeric(M, ig.backend.NUMPY, theta)
        for key in ("cdf", "survival", "log_cdf", "log_survival"):
            np.testing.assert_allclose(getattr(M, key)(theta, x), getattr(base, key)(x), rtol=1e-11, atol=1e-300, err_msg=key)
        mean, variance = base.moments()
    finite = np.isfinite(M.variance(theta))
    if name in ("InverseGamma", "Pareto(2.0)"):         # x² times a density that falls as a power falls too late for the panels
        finite = finite & (M.variance(theta) < 0.05 * M.mean(theta)**2)
    np.testing.assert_allclose(mean[finite], M.mean(theta)[finite], rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(variance[finite], M.variance(theta)[finite], rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("name", [name for name, M in FAMILIES.items() if M.support.shape == ()])
def test_dtype_is_kept(name):
    M = FAMILIES[name]
    theta = M.theta_domain.interior_point
    single = np.asarray(theta, dtype=np.float32)
    x = np.asarray(M.quantile(theta, [0.3, 0.6]), dtype=np.float32)
    for found, wanted in ((M.mean(single), M.mean(theta)), (M.variance(single), M.variance(theta)),
                          (M.cdf(single, x), M.cdf(theta, x)), (M.log_survival(single, x), M.log_survival(theta, x)),
                          (M.quantile(single, np.float32(0.4)), M.quantile(theta, 0.4))):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, wanted, rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", FAMILIES)
def test_arrays_of_every_library(name, backend):
    M, rng = FAMILIES[name], np.random.default_rng(5)
    theta = region(M).sample(rng, (2,), 0.3)
    calls = [(key, ()) for key in ("mean", "variance", "covariance")]
    if M.support.shape == ():
        x = M.sample(rng, theta)
        calls += [(key, (x,)) for key in ("cdf", "survival", "log_cdf", "log_survival")]
        calls += [("quantile", (np.array([0.3, 0.999]),)), ("upper_quantile", (np.array([1e-30, 0.7]),))]
    by_beta = isinstance(M, (ig.Beta, ig.Binomial, ig.NegativeBinomial))
    rtol = 1e-10 if backend.name == "jax" and by_beta else 1e-12            # as right as JAX's incomplete beta function
    for key, rest in calls:
        found = getattr(M, key)(*map(backend.make, (theta, *rest)))
        np.testing.assert_allclose(backend.check(found), getattr(M, key)(theta, *rest), rtol=rtol, atol=1e-14, err_msg=key)


def test_outside_the_support():
    poisson, exponential = ig.Poisson(), ig.Exponential()
    np.testing.assert_array_equal(poisson.cdf([0.0], [-1.0, -0.5, np.inf, np.nan]), [0.0, 0.0, 1.0, np.nan])
    np.testing.assert_array_equal(poisson.cdf([0.0], 2.7), poisson.cdf([0.0], 2.0))
    np.testing.assert_array_equal(exponential.survival([-1.0], [-3.0, 0.0, np.inf]), [1.0, 1.0, 0.0])
    np.testing.assert_array_equal(exponential.log_cdf([-1.0], [-3.0, 0.0, np.inf]), [-np.inf, -np.inf, 0.0])
    np.testing.assert_array_equal(ig.Binomial(7).quantile([0.0], [0.0, 1.0]), [0.0, 7.0])
    np.testing.assert_array_equal(ig.Normal().quantile([0.0, -1.0], [0.0, 1.0]), [-np.inf, np.inf])
    np.testing.assert_array_equal(ig.VonMises().cdf([1.0, 0.0], [-4.0, np.pi]), [0.0, 1.0])


def test_batches_broadcast():
    family = ig.Gamma()
    theta = family.theta_from(shape=[[1.0], [2.0]], rate=3.0)
    assert family.cdf(theta, [0.1, 0.2, 0.3]).shape == family.quantile(theta, [0.1, 0.2, 0.3]).shape == (2, 3)
    assert family.mean(theta).shape == (2, 1)
    with pytest.raises(ig.ShapeError, match=r"the batches of theta and x must broadcast; got theta \(2,\), x \(3,\)"):
        family.cdf(theta[:, 0], [0.1, 0.2, 0.3])


def test_errors():
    with pytest.raises(ig.DomainError, match=r"theta\[1\] < 0|theta"):
        ig.Normal().cdf([0.0, 1.0], 0.0)
    with pytest.raises(ig.DomainError, match="^q must satisfy 0 <= q <= 1; got 1.5"):
        ig.Normal().quantile([0.0, -1.0], 1.5)
    with pytest.raises(TypeError, match="a distribution function is that of one number: Dirichlet"):
        ig.Dirichlet(3).cdf([1.0, 1.0, 1.0], [0.2, 0.3, 0.5])


def test_moments_that_do_not_exist():
    np.testing.assert_array_equal(ig.Pareto(2.0).mean([[-0.5], [-1.5]]), [np.inf, 6.0])
    np.testing.assert_array_equal(ig.Pareto(2.0).variance([[-0.5], [-1.5]]), [np.inf, np.inf])
    np.testing.assert_array_equal(ig.Zeta().mean([[-0.5]]), [np.inf])
    wishart = ig.InverseWishart(2)
    mean = wishart.mean(wishart.theta_from(degrees_of_freedom=2.5, scale_matrix=np.eye(2)))
    np.testing.assert_array_equal(mean, [[np.inf, np.nan], [np.nan, np.inf]])


@pytest.mark.parametrize("family, theta, size", [
    (ig.Weibull(1e5), [-1.0], np.pi**2 / 6e10), (ig.Chi(), [1e9], 0.5), (ig.Dirichlet(2), [1e12, 1.0], 1e-24)])
def test_variances_that_are_small_keep_their_digits(family, theta, size):
    np.testing.assert_allclose(np.ravel(family.variance(theta))[0], size, rtol=1e-4)


def test_truncated_categories():
    """The probabilities of labels need not be smooth between them."""
    whole = ig.Categorical(6)
    theta = whole.theta_from(probabilities=[0.1, 0.02, 0.3, 0.05, 0.4, 0.13])
    part = ig.Truncated(whole, 0, 4.5)
    np.testing.assert_allclose(part.cdf(theta, [1.0, 2.0, 3.0, 4.0]), np.cumsum([0.02, 0.3, 0.05, 0.4]) / 0.77, rtol=1e-14)


def test_compiled_families_have_them():
    import sympy as sp
    t = sp.Symbol("theta", negative=True)
    x = sp.Symbol("x", positive=True)
    manifold = ig.symbolic.SymbolicManifold((t,), -sp.log(-t))
    none = sp.Integer(0)
    family = manifold.compile_family(theta_domain=ig.domains.Orthant(-1), x=x, sufficient_statistic=[x], log_base_measure=none,
                                     support=ig.domains.Interval(0), expected_log_base_measure=none,
                                     sampler=lambda rng, theta, shape: rng.exponential(size=shape))
    other = ig.Exponential()
    np.testing.assert_allclose(family.cdf([-2.0], [0.1, 3.0]), other.cdf([-2.0], [0.1, 3.0]), rtol=1e-13)
    np.testing.assert_allclose(family.quantile([-2.0], 0.3), other.quantile([-2.0], 0.3), rtol=1e-13)
    np.testing.assert_allclose([family.mean([-2.0]), family.variance([-2.0])], [0.5, 0.25], rtol=1e-13)
