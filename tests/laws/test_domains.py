"""Domains: what they draw they contain, what lies outside they refuse in words."""
import numpy as np
import pytest

from infogeo import DomainError, ShapeError, domains

from ..backends import every_dtype
from ..registry import MANIFOLDS, STEEP, every_manifold_once, every_steep_manifold, region
from ..strategies import generators, outside, shapes
from .drawn import drawn

BOUNDED = {name: M for name, M in STEEP.items() if not M.theta_domain.whole}


@every_manifold_once
@drawn
def test_samples_are_contained(M, data):
    domain, rng, shape = M.theta_domain, data.draw(generators()), data.draw(shapes)
    for x in (domain.sample(rng, shape), domain.sample_near_boundary(rng, shape)):
        assert x.shape == (*shape, M.dim) and domain.contains(x).shape == shape
        assert np.all(domain.contains(x))
        assert domain.require("x", x) is x
    assert domain.contains(domain.interior_point) and domain.interior_point.shape == domain.shape == (M.dim,)


@every_steep_manifold
@drawn
def test_convex(M, data):
    """With two points the whole segment."""
    domain, rng = M.theta_domain, data.draw(generators())
    p, q = domain.sample(rng, (5,)), domain.sample(rng, (5,))
    for t in np.linspace(0, 1, 7):
        assert np.all(domain.contains((1 - t) * p + t * q))


@every_manifold_once
def test_open(M):
    """Around a point of the bulk there is room in every direction."""
    x = M.theta_domain.sample(np.random.default_rng(2), (3,), 0.3)
    steps = 1e-6 * np.concatenate([np.eye(M.dim), -np.eye(M.dim)])
    assert np.all(M.theta_domain.contains(x[:, None, :] + steps))


@every_manifold_once
def test_not_finite_is_outside(M):
    x = np.array([[M.theta_domain.interior_point] * (M.dim + 1)] * 3)
    x[:, np.arange(M.dim), np.arange(M.dim)] = np.array([np.nan, np.inf, -np.inf])[:, None]
    assert np.array_equal(M.theta_domain.contains(x), [[False] * M.dim + [True]] * 3)


@every_manifold_once
def test_refusal_says_which_and_why(M):
    """The name, the rule, how many, the first index, the value."""
    domain = M.theta_domain
    good = domain.interior_point
    found = outside(domain, np.random.default_rng(3))
    bad = found[0] if len(found) else np.full(M.dim, np.nan)
    with pytest.raises(DomainError) as error:
        domain.require("start", np.stack([good, good, bad, good, bad]))
    assert str(error.value) == f"start must satisfy {domain.rule('start')}; 2 of 5 points do not, first at index (2,): {bad}"
    with pytest.raises(DomainError) as error:
        domain.require("start", np.stack([[good, good], [good, bad]]))
    assert "; 1 of 4 points does not, first at index (1, 1): " in str(error.value)
    with pytest.raises(DomainError) as error:
        domain.require("start", bad)
    assert str(error.value) == f"start must satisfy {domain.rule('start')}; got {bad}"


@every_manifold_once
def test_wrong_shapes_are_refused(M):
    for x in (np.zeros(M.dim + 1), np.zeros((2, M.dim - 1)), 0.5):
        with pytest.raises(ShapeError, match="theta must have shape"):
            M.theta_domain.require("theta", x)
        with pytest.raises(ShapeError):
            M.potential(x)


@every_manifold_once
def test_words(M):
    domain = M.theta_domain
    assert str(domain) == f"{{x in R^{M.dim} : {domain.rule('x')}}}"
    assert "theta" in domain.rule("theta")


@every_manifold_once
@drawn
def test_outside_one_domain_is_outside_the_other(M, data):
    """Kernels do not check. Outside they give NaN, inf or a point outside: no exception, and no point that looks right."""
    x = outside(M.theta_domain, data.draw(generators()))
    inside = region(M).interior_point
    mixed = np.concatenate([inside[None], x, np.full((1, M.dim), np.nan), np.full((1, M.dim), np.inf)])
    with np.errstate(all="ignore"):
        eta = M.to_eta(mixed)
        for kernel in (M.potential, M.metric, M.cubic_tensor):
            assert kernel(mixed).shape[0] == len(mixed) and np.all(np.isfinite(kernel(mixed)[0]))
        contained = M.eta_domain.contains(eta)
        assert contained[0] and not contained[1:].any()
        assert np.array_equal(eta[0], M.to_eta(inside))


@pytest.mark.parametrize("M", BOUNDED.values(), ids=BOUNDED)
@drawn
def test_the_boundary_is_that_of_the_map(M, data):
    """From an inner point outwards, the map is good for as long as the domain goes on, up to the last 0.1 % of the way."""
    rng = data.draw(generators())
    inner, far = M.theta_domain.sample(rng, (), 0.3), outside(M.theta_domain, rng)
    inside, beyond = np.zeros((len(far), 1)), np.ones((len(far), 1))
    for _ in range(14):             # to 1e-4 of the way
        middle = 0.5 * (inside + beyond)
        good = M.theta_domain.contains(inner + middle * (far - inner))[:, None]
        inside, beyond = np.where(good, middle, inside), np.where(good, beyond, middle)
    last = inner + 0.999 * inside * (far - inner)
    assert np.all(M.theta_domain.contains(last))
    assert np.all(np.isfinite(M.potential(last))) and np.all(M.eta_domain.contains(M.to_eta(last)))


@every_manifold_once
@drawn
def test_to_theta_outside_is_nan(M, data):
    eta = outside(M.eta_domain, data.draw(generators()))
    with np.errstate(all="ignore"):
        theta = M.to_theta(eta)
        assert not M.theta_domain.contains(theta).any()
        assert np.all(np.isnan(M.to_theta(np.full((2, M.dim), np.nan))))


# Charts

def _charted():
    """Every domain of the registry once, and those that no manifold of it has."""
    found = {}
    for M in MANIFOLDS.values():
        found.setdefault(repr(M.theta_domain), M.theta_domain)
    more = [domains.Orthant(1, -1, 1), domains.OpenSimplex(4), domains.OpenBall(3), domains.PositiveDefinite(3, -1),
            domains.ScaledDomain(domains.PositiveDefinite(2), 0.5), domains.PowerDomain(domains.OpenSimplex(2), 3),
            domains.ProductDomain(domains.RealSpace(2), domains.RealSpace(1)),
            domains.ProductDomain(domains.OpenSimplex(2), domains.Orthant(-1), domains.RealSpace(1))]
    return found | {repr(domain): domain for domain in more}


def _is_bare(domain):
    """Whether a map that the domain is made of is known as a function alone."""
    if isinstance(domain, domains.MappedDomain) and not isinstance(domain.forward, domains.Chart):
        return True
    return any(map(_is_bare, (*getattr(domain, "factors", ()), *([domain.source] if hasattr(domain, "source") else []))))


CHARTED = _charted()
BARE = {name for name, domain in CHARTED.items() if _is_bare(domain)}
INTERVALS = [domains.Interval(), domains.Interval(2.0), domains.Interval(upper=-1.0), domains.Interval(-1.0, 3.0)]

every_domain = pytest.mark.parametrize("domain", CHARTED.values(), ids=range(len(CHARTED)))
every_chart = pytest.mark.parametrize(
    "domain", [domain for name, domain in CHARTED.items() if name not in BARE] + INTERVALS,
    ids=[name[:40] for name in CHARTED if name not in BARE] + [repr(domain) for domain in INTERVALS])


def at_random(domain, seed=0):
    """Points u of R^d near 0, vectors and covectors."""
    d = domain.shape or (4,)
    return np.random.default_rng(seed).standard_normal((3, 5, *d)) * 0.7


def product(domain, a, b):
    """a·b: elementwise for the charts of intervals."""
    return np.sum(a * b, axis=-1) if domain.shape else a * b


@every_domain
def test_charts_map_into_the_domain(domain):
    u = at_random(domain)[0]
    assert np.all(domain.contains(domain.chart(u)))
    np.testing.assert_array_equal(domain.chart(u)[2], domain.chart(u[2]))


@every_chart
def test_charts_map_onto_the_domain(domain):
    u, chart = at_random(domain)[0], domain.chart
    assert np.all(domain.contains(chart(u)))
    np.testing.assert_allclose(chart.inverse(chart(u)), u, rtol=1e-8, atol=1e-8)


@every_chart
def test_derivatives_of_charts(domain):
    (u, vector, covector), chart, h = at_random(domain), domain.chart, 2e-4

    def along(f):
        """Richardson's extrapolation of central differences."""
        central = lambda h: (f(u + h * vector) - f(u - h * vector)) / (2.0 * h)
        return (4.0 * central(h / 2) - central(h)) / 3.0

    pushed, pulled = chart.push_forward(u, vector), chart.pull_back(u, covector)
    close = lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7 * (1.0 + np.max(np.abs(b))))
    close(pushed, along(chart))
    close(chart.pull_in(u, pushed), vector)
    np.testing.assert_allclose(product(domain, pushed, covector), product(domain, vector, pulled), rtol=1e-9, atol=1e-12)
    close(chart.pull_back_tangent(u, vector, covector), along(lambda u: chart.pull_back(u, covector)))
    assert not chart.affine or not np.any(chart.pull_back_tangent(u, vector, covector))


@every_chart
@every_dtype
def test_charts_on_every_backend(domain, backend, dtype):
    (u, vector, covector), chart = at_random(domain), domain.chart
    tol = {"float64": 1e-9, "float32": 2e-4}[dtype]
    mu, mv, mc = (backend.make(x, dtype) for x in (u, vector, covector))
    for actual, expected in [(chart(mu), chart(u)), (chart.inverse(backend.make(chart(u), dtype)), u),
                             (chart.push_forward(mu, mv), chart.push_forward(u, vector)),
                             (chart.pull_in(mu, mv), chart.pull_in(u, vector)),
                             (chart.pull_back(mu, mc), chart.pull_back(u, covector)),
                             (chart.pull_back_tangent(mu, mv, mc), chart.pull_back_tangent(u, vector, covector))]:
        size = np.max(np.abs(expected), initial=1.0)
        np.testing.assert_allclose(backend.check(actual, dtype), expected, rtol=tol, atol=tol * size)


@pytest.mark.parametrize("name", sorted(BARE), ids=range(len(BARE)))
def test_a_map_that_is_a_function_alone_says_so(name):
    domain = CHARTED[name]
    u, vector, covector = at_random(domain)
    with pytest.raises(TypeError, match="is known as a function alone, without an inverse; give the domain an"):
        domain.chart.inverse(domain.chart(u))
    for derivative in (lambda: domain.chart.push_forward(u, vector), lambda: domain.chart.pull_back(u, covector),
                       lambda: domain.chart.pull_back_tangent(u, vector, covector)):
        with pytest.raises(TypeError, match="without derivatives"):
            derivative()
