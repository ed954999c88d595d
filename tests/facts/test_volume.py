"""Volumes: closed forms, charts, sampling with its error; the parametric complexity against sums over all counts."""
from math import asin, factorial, gamma, log, pi, prod, sqrt

import mpmath as mp
import numpy as np
import pytest

import infogeo as ig
from infogeo.backend import to_numpy
from infogeo.statistics.complexity import asymptotic_complexity, parametric_complexity
from infogeo.statistics.volume import Cubature, ImportanceSampling, UniformSampling, integral, jeffreys_density, volume

from ..backends import every_dtype

OPEN = np.inf
FAMILIES = {
    "Categorical(4)": ig.Categorical(4), "Categorical(3).dual": ig.Categorical(3).dual, "Bernoulli": ig.Bernoulli(),
    "Binomial(7)": ig.Binomial(7), "Multinomial(3, 5)": ig.Multinomial(3, 5), "LogNormal": ig.LogNormal(), "Normal": ig.Normal(),
    "Gamma.dual": ig.Gamma().dual, "Product": ig.Product(ig.Gamma(), ig.Categorical(3)),
    "MultivariateNormal(2)": ig.MultivariateNormal(2), "Dirichlet(3)": ig.Dirichlet(3), "LogDet(2)": ig.LogDet(2),
}


def mean_and_deviation():
    """The normal family in the coordinates (μ, σ): θ = (μ/σ², −1/(2σ²))."""
    stack = lambda *rows: np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
    return ig.statistics.Curved(ig.Normal(), ig.statistics.Embedding(
        2, lambda u: np.stack([u[..., 0] / u[..., 1]**2, -0.5 / u[..., 1]**2], axis=-1),
        lambda u: stack((u[..., 1]**-2, -2 * u[..., 0] / u[..., 1]**3), (0 * u[..., 0], u[..., 1]**-3)),
        lambda u: np.zeros((*u.shape[:-1], 2, 2, 2)),
        domain=ig.domains.ProductDomain(ig.domains.RealSpace(1), ig.domains.Orthant(1))))


@pytest.mark.parametrize("name", FAMILIES)
@every_dtype
def test_density_is_the_root_of_the_determinant(name, dtype, backend):
    M = FAMILIES[name]
    x = M.domain.sample(np.random.default_rng(0), 20, scale=0.7)
    half = 0.5 * np.linalg.slogdet(M.metric(x))[1]
    close = dict(rtol=1e-10, atol=1e-10) if dtype == "float64" else dict(rtol=2e-3, atol=2e-3)
    found = M.log_volume_element(backend.make(x, dtype))
    np.testing.assert_allclose(backend.check(found, dtype), half, **close)
    np.testing.assert_allclose(backend.check(jeffreys_density(M, backend.make(x, dtype)), dtype), np.exp(half), **close)


def test_density_far_out_on_the_simplex():
    """√(p₁ p₂ p₃) with p₃ = e^{−1000} / 2: the determinant itself is nothing but rounding there."""
    np.testing.assert_allclose(ig.Categorical(3).log_volume_element(np.array([1000.0, 1000.0])),
                               0.5 * (3 * log(0.5) - 1000.0), rtol=1e-14)


@pytest.mark.parametrize("family, expected", [
    (ig.Bernoulli(), pi), (ig.Binomial(7), sqrt(7) * pi), (ig.Categorical(3), 2 * pi), (ig.Multinomial(3, 5), 10 * pi),
    (ig.Independent(ig.Bernoulli(), 2), pi**2)], ids=lambda value: repr(value) if isinstance(value, ig.ExponentialFamily) else "")
def test_whole_families(family, expected):
    """The positive part of a sphere of radius 2, in closed form and by cubature over all of R^d."""
    np.testing.assert_allclose(family.total_volume(), expected, rtol=1e-14)
    value, error = volume(family, Cubature([-OPEN] * family.dim, [OPEN] * family.dim, rtol=1e-8))
    np.testing.assert_allclose(value, expected, rtol=1e-8)
    assert abs(value - expected) <= error + 1e-14


def test_volume_of_the_sphere():
    """k = 4: half of the area 2π² of the unit sphere in R⁴, times 2³, over 2⁴ parts."""
    np.testing.assert_allclose(ig.Categorical(4).total_volume(), 2 * pi**2 * 8 / 16, rtol=1e-14)


def test_volume_does_not_depend_on_the_chart(backend):
    """An interval has its Fisher–Rao length, in θ and in η; 2 |asin √p − asin √q| for a coin."""
    family, p = ig.Bernoulli(), np.array([[0.1], [0.7]])
    theta = family.theta_from(probability=p[:, 0])
    for M, x in (family, theta), (family.dual, p):
        value, _ = volume(M, Cubature(backend.make(x[0]), backend.make(x[1])))
        np.testing.assert_allclose(backend.check(value), 2 * (asin(sqrt(0.7)) - asin(sqrt(0.1))), rtol=1e-12)


@every_dtype
def test_half_lines_keep_the_dtype(dtype, backend):
    """Poisson: ∫ e^{θ/2} dθ over θ < log 4 is 4. Infinite volumes: dη/η of the exponential over η > 1, and all of Poisson."""
    value, error = volume(ig.Poisson(), Cubature(backend.make([-np.inf], dtype), backend.make([log(4.0)], dtype)))
    np.testing.assert_allclose(backend.check(value, dtype), 4.0, rtol=1e-9 if dtype == "float64" else 1e-6)
    backend.check(error, dtype)
    with pytest.raises(ig.ConvergenceError, match="may be infinite"):
        volume(ig.Exponential().dual, Cubature([1.0], [np.inf], max_subdivisions=40))
    with pytest.raises(ig.ConvergenceError, match="is inf"):
        volume(ig.Poisson(), Cubature([-np.inf], [np.inf]))


def test_volume_of_normals():
    """∫ √2/σ² dμ dσ = √2 Δμ (1/σ₀ − 1/σ₁): the area of the hyperbolic plane of curvature −1/2."""
    value, _ = volume(mean_and_deviation(), Cubature([-1.0, 0.5], [2.0, 4.0]))
    np.testing.assert_allclose(value, sqrt(2) * 3 * (2 - 0.25), rtol=1e-9)
    value, _ = volume(mean_and_deviation(), Cubature([-1.0, 0.5], [2.0, np.inf]))
    np.testing.assert_allclose(value, sqrt(2) * 3 * 2, rtol=1e-8)


def test_integral_of_a_likelihood():
    """Of a coin that showed 3 heads in 5 throws: the beta function B(7/2, 5/2)."""
    likelihood = lambda theta: np.exp(ig.Binomial(5).log_density(theta, 3.0)) / 10
    value, _ = integral(ig.Bernoulli(), likelihood, Cubature([-OPEN], [OPEN]))
    np.testing.assert_allclose(value, gamma(3.5) * gamma(2.5) / gamma(6.0), rtol=1e-9)


def test_four_dimensions():
    """Two normals: the volume of the product is the product."""
    half = volume(ig.Normal(), Cubature([-0.5, -1.0], [0.5, -0.5])).value
    twice = volume(ig.Independent(ig.Normal(), 2), Cubature([-0.5, -1.0] * 2, [0.5, -0.5] * 2, rtol=1e-6)).value
    np.testing.assert_allclose(twice, half**2, rtol=1e-6)


@every_dtype
def test_uniform_sampling(dtype, backend):
    """∫ p₁ p₂ p₃ over the simplex, drawn from the square around it: Γ(3/2)³ / Γ(9/2); within five standard errors."""
    if backend.name == "cupy":
        rng = backend.namespace.random.default_rng(1)
    else:
        rng = np.random.default_rng(1)
    product = lambda eta: eta[:, 0] * eta[:, 1] * (1.0 - eta[:, 0] - eta[:, 1])
    over = UniformSampling(backend.make([0.0, 0.0], dtype), backend.make([1.0, 1.0], dtype), rng, 20000)
    value, error = (backend.check(number, dtype) for number in integral(ig.Categorical(3).dual, product, over))
    expected = gamma(1.5)**3 / gamma(4.5)
    assert abs(value - expected) <= 5 * error and error < 0.01 * expected


def test_importance_sampling():
    """2π for three outcomes, from Laplace draws, whose tails are heavier than those of √det G."""
    over = ImportanceSampling(lambda rng, n: rng.laplace(scale=5.0, size=(n, 2)),
                              lambda x: np.sum(-np.abs(x) / 5.0 - log(10.0), axis=-1), np.random.default_rng(2), 40000)
    value, error = volume(ig.Categorical(3), over)
    assert abs(value - 2 * pi) <= 5 * error and error < 0.1


def test_standard_error_is_that_of_the_mean():
    """Over 400 estimates, their spread against the reported error."""
    box = dict(lower=[-2.0, -2.0], upper=[-0.5, -0.5])
    found = [volume(ig.Product(ig.Exponential(), ig.Exponential()), UniformSampling(**box, rng=np.random.default_rng(i), n=100))
             for i in range(400)]
    values, errors = np.array(found).T
    np.testing.assert_allclose(values.std(), errors.mean(), rtol=0.2)
    assert abs(values.mean() - log(4.0)**2) <= 5 * values.std() / 20


def counts(k, n):
    """All vectors of k counts with sum n."""
    return [(n,)] if k == 1 else [(first, *rest) for first in range(n + 1) for rest in counts(k - 1, n - first)]


@pytest.mark.parametrize("k, n", [(2, 1), (2, 30), (3, 8), (4, 7), (6, 4)])
def test_complexity_is_the_sum_over_all_counts(k, n):
    """Σ n!/Πx! Π(x/n)^x: the multinomial probabilities, each at its own maximum-likelihood estimate."""
    total = sum(factorial(n) / prod(map(factorial, x)) * prod((c / n)**c for c in x) for x in counts(k, n))
    np.testing.assert_allclose(parametric_complexity(ig.Categorical(k), n), log(total), rtol=1e-13)


def test_complexity_of_a_sample_of_binomials():
    """Summed over the samples of two observations themselves, not over the sufficient statistic."""
    family, n = ig.Binomial(3), 2
    total = 0.0
    for x in np.ndindex(4, 4):
        p = sum(x) / (3 * n)
        total += prod(factorial(3) / (factorial(c) * factorial(3 - c)) * p**c * (1 - p)**(3 - c) for c in x)
    np.testing.assert_allclose(parametric_complexity(family, n), log(total), rtol=1e-14)


def test_complexity_of_products_and_trials():
    np.testing.assert_allclose(parametric_complexity(ig.Multinomial(3, 5), 4), parametric_complexity(ig.Categorical(3), 20))
    both = ig.Product(ig.Bernoulli(), ig.Categorical(5))
    np.testing.assert_allclose(parametric_complexity(both, 9), parametric_complexity(ig.Bernoulli(), 9)
                               + parametric_complexity(ig.Categorical(5), 9), rtol=1e-15)


@pytest.mark.parametrize("k", [2, 4, 9])
def test_complexity_of_many_observations(k):
    """What (d/2) log(n/2π) + log volume leaves out is √2 k Γ(k/2) / (3 Γ((k − 1)/2) √n) + O(1/n) (Szpankowski 1998)."""
    family = ig.Categorical(k)
    for n in 10**6, 10**9:
        left = parametric_complexity(family, n) - asymptotic_complexity(family, n, family.total_volume())
        expected = sqrt(2) * k * gamma(k / 2) / (3 * gamma((k - 1) / 2))
        np.testing.assert_allclose(left * sqrt(n), expected, rtol=4 * k / sqrt(n) + 1e-6)


def test_complexity_does_not_overflow():
    """500 outcomes: C_k is about 10^934; the recursion itself, in numbers of any size."""
    n, found = 10**6, parametric_complexity(ig.Categorical(500), 10**6)
    with mp.workdps(30):
        last, this = mp.mpf(1), mp.exp(mp.mpf(parametric_complexity(ig.Bernoulli(), n)))
        for k in range(1, 499):
            last, this = this, this + mp.mpf(n) / k * last
        np.testing.assert_allclose(found, float(mp.log(this)), rtol=1e-13)
    assert found > 2149


def test_regions_cut_out_by_an_indicator():
    """The normals with σ < 1 of a box, by the same draws as the smaller box by cubature."""
    M = mean_and_deviation()
    over = UniformSampling([-1.0, 0.5], [2.0, 4.0], np.random.default_rng(3), 40000)
    value, error = integral(M, lambda u: 1.0 * (u[:, 1] < 1.0), over)
    assert abs(value - sqrt(2) * 3 * (2 - 1)) <= 5 * error and error < 0.1


def test_errors():
    with pytest.raises(ig.DomainError, match=r"lower < upper; 1 of 2 points does not, first at index \(1,\): \[3. 2.\]"):
        Cubature([0.0, 3.0], [1.0, 2.0])
    with pytest.raises(ig.ShapeError, match=r"one shape \(d,\); got \(2,\) and \(1,\)"):
        Cubature([0.0, 3.0], [1.0])
    with pytest.raises(ig.ShapeError, match=r"lies in 2 dimensions; Poisson\(\) has 1"):
        volume(ig.Poisson(), Cubature([0.0, 0.0], [1.0, 1.0]))
    with pytest.raises(ig.DomainError, match="x must satisfy"):
        volume(ig.Exponential(), Cubature([-1.0], [1.0]))
    with pytest.raises(ig.DomainError, match="upper - lower finite"):
        UniformSampling([0.0], [np.inf], np.random.default_rng(0), 10)
    with pytest.raises(ig.DomainError, match="n must satisfy n an integer >= 2; got 1"):
        volume(ig.Poisson(), UniformSampling([0.0], [1.0], np.random.default_rng(0), 1))
    with pytest.raises(TypeError, match=r"Normal\(\) has no volume in closed form"):
        ig.Normal().total_volume()
    with pytest.raises(TypeError, match=r"categorical and binomial counts; got Poisson\(\)"):
        parametric_complexity(ig.Poisson(), 5)
    for n in 0, 2.5:
        with pytest.raises(ValueError, match="n must satisfy n an integer >= 1"):
            parametric_complexity(ig.Bernoulli(), n)
    for bad in 0.0, np.inf, np.nan:
        with pytest.raises(ValueError, match="volume > 0"):
            asymptotic_complexity(ig.Bernoulli(), 10, bad)


def test_bounds_are_copied():
    lower, upper = np.array([0.0]), np.array([1.0])
    over = Cubature(lower, upper)
    lower[0] = -5.0
    assert to_numpy(over.lower)[0] == 0.0
