"""Derivatives by PyTorch and by JAX are those of the closed forms, at every point and of every order.

Only a run on one of these libraries has these laws (INFOGEO_TEST_ARRAYS).
"""
import numpy as np
import pytest

import infogeo as ig
from infogeo.backend import backend_of
from infogeo.domains.supports import Integers
from infogeo.numerics.differences import _extrapolated as difference
from infogeo.testing.formulas import formulas

from ..backends import CHOSEN
from ..registry import FAMILIES, MIRROR_MAPS, arguments, region
from .derived import hessian, pulled, traced_jacobian

# JAX compiles every operation once for every shape: there one family of every way of forming things stands for all.
FEW = ["Bernoulli", "Categorical(3)", "Normal", "Gamma", "MultivariateNormal(2)", "PNorm(3, 1.5)"]
ALL = FAMILIES | MIRROR_MAPS


def of(names):
    return pytest.mark.parametrize("M", [ALL[name] for name in names], ids=names)


every = of(list(ALL) if CHOSEN == "torch" else FEW)
every_family = of([name for name in FAMILIES if CHOSEN == "torch" or name in FEW])
every_in_detail = of(list(ALL)) if CHOSEN == "torch" else of(["Normal", "Binomial(7)"])
some = of(FEW)


def close(found, expected, size=0.0, rtol=1e-9):
    return np.all(np.abs(found - expected) <= rtol * (np.max(np.abs(expected)) + size))


def points(M, seed, scale=0.5):
    rng = np.random.default_rng(seed)
    return rng, *(region(M).sample(rng, (3,), scale) for _ in range(2))


@every
def test_geometry_is_its_own_derivative(M, backend):
    """∇ψ = η, ∇φ = θ, ∇η = G, ∇θ = G⁻¹, and D has the gradients G(θ_p)(θ_p − θ_q) and η_q − η_p."""
    rng, p, q = points(M, 21)
    eta, v = M.to_eta(p), rng.standard_normal(p.shape)
    one = np.ones(3)
    assert close(pulled(backend, M.potential, one, p)[0], eta)
    assert close(pulled(backend, M.dual_potential, one, eta)[0], p, 1.0)
    assert close(pulled(backend, M.to_eta, v, p)[0], M.flat(p, v))
    assert close(pulled(backend, M.to_theta, v, eta)[0], M.sharp(p, v), rtol=1e-7)
    for there in (q, p, p + 1e-9 * q * (M.dim == 1)):       # far, equal, and next to it: there careful branches are taken
        at_p, at_q = pulled(backend, M.divergence, one, p, there)
        assert close(at_p, M.flat(p, p - there), 1e-3) and close(at_q, M.to_eta(there) - eta, np.max(np.abs(eta)))


@every_in_detail
def test_every_formula_has_its_derivative(M, backend):
    """Σ ⟨∂f, dx⟩ of every formula, along a random direction, is its difference quotient on NumPy."""
    rng = np.random.default_rng(22)
    for name, kinds in formulas(M).items():
        if kinds[0] not in ("theta", "eta") or CHOSEN == "jax" and name.endswith("cubic_tensor"):
            continue
        f, xs = getattr(M, name), arguments(M, kinds, rng, (3,), 0.4)
        ways = [direction(M, kind, x, rng) for kind, x in zip(kinds, xs)]
        found = f(*xs)
        covector = rng.standard_normal(found.shape)
        slopes = covector * difference(lambda t: f(*(x + t * way for x, way in zip(xs, ways))), 0.0, 1.0)
        live = [x for x, kind in zip(xs, kinds) if kind != "x"]
        gradients = pulled(backend, lambda *live: f(*live, *(backend.make(x) for x in xs[len(live):])), covector, *live)
        total = sum(np.sum(g * way) for g, way in zip(gradients, ways))
        size = np.sum(np.abs(slopes)) + 1e-5 * np.sum(np.abs(covector * found))
        assert abs(total - np.sum(slopes)) <= 1e-6 * size + 1e-12, name


def direction(M, kind, x, rng):
    """Of length 1 in the metric at a point; an observation stays where it is."""
    v = rng.standard_normal(x.shape)
    if kind == "x":
        return 0.0 * x
    if kind not in ("theta", "eta"):
        return v * np.linalg.norm(x, axis=-1, keepdims=True)
    theta = x if kind == "theta" else M.to_theta(x)
    v = v / M.norm(theta, v)[..., None]
    return v if kind == "theta" else M.flat(theta, v)


@some
def test_second_derivatives(M, backend):
    """The second derivatives of ψ and of D are the metric, those of φ its inverse: also where first ones are 0."""
    _, p, q = points(M, 23)
    p, q = p[0], q[0]
    assert close(hessian(backend, M.potential, p), M.metric(p))
    assert close(hessian(backend, lambda theta: M.divergence(backend.make(p), theta), p), M.metric(p))
    assert close(hessian(backend, M.dual_potential, M.to_eta(p)), M.dual_metric(M.to_eta(p)), rtol=1e-7)


@pytest.mark.parametrize("M, theta", [
    (ig.Bernoulli(), [[0.0], [40.0], [-800.0]]), (ig.ContinuousBernoulli(), [[0.0], [4.0], [-4.0]]),
    (ig.Categorical(3), [[0.0, 0.0], [0.0, 60.0], [-700.0, 1.0]]), (ig.Poisson(), [[0.0], [np.log(400.0)], [-300.0]]),
    (ig.Gamma(), [[10.0, -1.0], [1e-6, -1.0], [1e8, -3.0]]), (ig.Dirichlet(2), [[10.0, 10.0], [1e-8, 1.0], [1e6, 1e6]]),
    (ig.VonMises(), [[0.0, 0.0], [1e-9, 0.0], [300.0, 0.0]])], ids=lambda x: type(x).__name__)
def test_at_seams_and_extremes(M, theta, backend):
    """Where a formula changes from one series to another, or is at its end, the gradients are those of NumPy, and no NaN."""
    theta, one = np.asarray(theta), np.ones(3)
    assert close(pulled(backend, M.potential, one, theta)[0], M.to_eta(theta))
    constant = M.constant_base_measure
    entropy, = pulled(backend, M.entropy, one, theta)
    assert np.all(np.isfinite(entropy)) and (not constant or close(entropy, -M.flat(theta, theta), 1e-300))
    at_p, at_q = pulled(backend, M.kl, one, theta, theta)
    assert np.all(at_p == 0) and np.all(at_q == 0)


@every_family
def test_log_density(M, backend):
    """In θ the score T(x) − η; in x, where x is real, the difference quotient."""
    rng, theta, _ = points(M, 24)
    x = M.sample(rng, theta)
    score, = pulled(backend, lambda t: M.log_density(t, backend.make(x)), np.ones(3), theta)
    statistic = M.sufficient_statistic(x)
    assert close(score, statistic - M.to_eta(theta), np.max(np.abs(statistic)))


def test_log_density_of_real_observations(backend):
    for M in (ig.Normal(), ig.Gamma(), ig.MultivariateNormal(2)):
        rng, theta, _ = points(M, 25)
        x = M.sample(rng, theta)
        slope = pulled(backend, M.log_density, np.ones(3), theta, x)[1]
        way = 1e-3 * rng.standard_normal(x.shape) * np.abs(x)
        expected = difference(lambda t: M.log_density(theta, x + t * way), 0.0, 1.0)
        found = np.sum(np.reshape(slope * way, (3, -1)), axis=-1)
        assert close(found, expected, rtol=1e-6)


# that of multivariate normal laws is an iteration, which JAX does not trace
NEAR = ["Bernoulli", "Categorical(3)", "Poisson", "Normal"] + ["MultivariateNormal(2)"] * (CHOSEN == "torch")


@pytest.mark.parametrize("name", NEAR)
def test_distance(name, backend):
    """Minus the unit vector towards the other point, lowered; 0 at the point itself."""
    M = ALL[name]
    _, p, q = points(M, 26)
    at_p, at_q = pulled(backend, M.distance, np.ones(3), p, q)
    d = M.distance(p, q)[:, None]
    assert close(at_p, -M.flat(p, M.log(p, q)) / d) and close(at_q, -M.flat(q, M.log(q, p)) / d)
    assert all(np.all(g == 0) for g in pulled(backend, M.distance, np.ones(3), p, p))


def test_distance_of_a_half_space(backend):
    """Which has no rule: in two and more dimensions 0 at the point itself, elsewhere minus the unit vector, lowered."""
    for dim in (2, 3):
        M, p = ig.geometry.HalfSpace(dim, 1.5), np.random.default_rng(32).uniform(0.5, 2.0, (2, dim))
        q = np.stack([p[0], 1.3 * p[1]])
        at_p, at_q = pulled(backend, M.distance, np.ones(2), p, q)
        assert np.all(at_p[0] == 0) and np.all(at_q[0] == 0)
        assert close(at_p[1], -M.flat(p[1], M.log(p[1], q[1])) / M.distance(p[1], q[1]))


# Of decompositions, which have no derivative at equal eigenvalues, and by iterations, which JAX does not trace
WAYS = [("MultivariateNormal(2)", "exp"), ("LogDet(2)", "exp"), ("LogDet(2)", "log")]
WAYS += [("MultivariateNormal(2)", "log"), ("MultivariateNormal(2)", "geodesic"), ("LogDet(2)", "geodesic"),
         ("Gamma", "exp")] * (CHOSEN == "torch")


@pytest.mark.parametrize("name, way", WAYS)
def test_geodesics(name, way, backend, thorough):
    """Between points far apart, points whose whitened matrices have equal eigenvalues, and at the point itself."""
    M = ALL[name]
    rng, p, q = points(M, 30)
    p[1:] = M.theta_domain.interior_point
    q = np.stack([q[0], 1.3 * p[1], p[2]])
    ends = (p, q - p) if way == "exp" else (p, q)
    f = (lambda p, q: M.geodesic(p, q, 0.4)) if way == "geodesic" else getattr(M, way)
    ways = [0.01 * rng.standard_normal(x.shape) for x in ends]
    covector = rng.standard_normal(p.shape)
    slopes = np.sum(covector * difference(lambda t: f(*(x + t * way for x, way in zip(ends, ways))), 0.0, 1.0), axis=-1)
    found = sum(np.sum(g * way, axis=-1) for g, way in zip(pulled(backend, f, covector, *ends), ways))
    assert np.all(np.abs(found - slopes) <= 1e-6 * np.max(np.abs(slopes)))
    if way == "exp" and thorough:           # the Hessian of φ along a geodesic, twice the derivative in time
        second = hessian(backend, lambda v: (backend.make(covector[2]) * f(backend.make(p[2]), v)).sum(), 0.0 * p[2])
        expected = difference(lambda t: pulled(backend, f, covector[2], p[2], t * ways[1][2])[1], 0.0, 1.0)
        assert close(second @ ways[1][2], expected, rtol=1e-6)


# A way to form them each, of spheres, half-planes, matrices, and parts side by side
AT_THE_POINT = ["Categorical(3)", "Normal"]
AT_THE_POINT += ["Bernoulli", "Geometric", "InverseGaussian", "DiagonalNormal(2)", "MultivariateNormal(2)",
                 "Independent(Categorical(3), 2)"] * (CHOSEN == "torch")


@pytest.mark.parametrize("name", AT_THE_POINT)
def test_geodesics_at_the_point(name, backend):
    """Of exp_x(v) at v = 0, log_x(y) and the geodesic at y = x: there they are x + v, y − x and x + t (y − x), to first order.

    To the second, −Γ(v, v)/2 and Γ(v, v)/2 are added, where Γ is half the cubic tensor with one index raised.
    """
    M = ALL[name]
    rng, p, _ = points(M, 31)
    covector = rng.standard_normal(p.shape)
    part = lambda x, y: M.geodesic(x, y, 0.4)
    for f, y, at_x, at_y in ((M.exp, 0.0 * p, 1.0, 1.0), (M.log, p, -1.0, 1.0), (part, p, 0.6, 0.4)):
        found = pulled(backend, f, covector, p, y)
        assert close(found[0], at_x * covector) and close(found[1], at_y * covector)
    x, c = backend.make(p[0]), backend.make(covector[0])
    connection = 0.5 * M.cubic_tensor(p[0]) @ M.sharp(p[0], covector[0])
    for f, y, sign in ((M.exp, 0.0 * p[0], -1.0), (M.log, p[0], 1.0)):
        assert close(hessian(backend, lambda y: (c * f(x, y)).sum(), y), sign * connection)


# Closed forms in every argument, integrals, sums, and quantiles by Newton's method; of JAX one that compiles soon for each
ON_THE_LINE = ["Gamma", "LogSeries", "Truncated(Exponential, 0, 2)"]
ON_THE_LINE += ["Beta", "Poisson", "Binomial(7)", "VonMises", "InverseGaussian", "Truncated(Poisson, 0)",
                "ConwayMaxwellPoisson"] * (CHOSEN == "torch")


@pytest.mark.parametrize("name", ON_THE_LINE)
def test_distribution_functions(name, backend):
    """Along a random direction of θ, x and q both tails, the quantiles and the moments change as on NumPy."""
    M = ALL[name]
    rng, theta, _ = points(M, 29, 0.3)
    x, q = M.sample(rng, theta), np.asarray([0.02, 0.4, 0.93])
    counts = isinstance(M.support, Integers)
    of_x, of_q = (M.cdf,), () if counts else (M.quantile,)
    if CHOSEN == "torch":
        of_x = M.log_cdf, M.survival, lambda theta, x: M.mean(theta), lambda theta, x: M.variance(theta)
        of_q = () if counts else (M.quantile, M.upper_quantile)

    def f(theta, x, q):
        return backend_of(theta).stack([*(g(theta, x) for g in of_x), *(g(theta, q) for g in of_q)], axis=-1)

    along = 1e-2 * rng.standard_normal(theta.shape) * np.abs(theta)
    ways = [along, 0.0 * x if counts else 1e-2 * x * (x - 1.9), 0.1 * q * (1.0 - q)]
    covector = rng.standard_normal(f(theta, x, q).shape)
    slopes = covector * difference(lambda t: f(*(y + t * way for y, way in zip((theta, x, q), ways))), 0.0, 1.0)
    gradients = pulled(backend, f, covector, theta, x, q)
    assert abs(sum(np.sum(g * way) for g, way in zip(gradients, ways)) - np.sum(slopes)) <= 1e-7 * np.sum(np.abs(slopes))


DIVERGENCES = {
    "jeffreys": ig.jeffreys, "bhattacharyya": ig.bhattacharyya, "hellinger": ig.hellinger,
    "jensen_bregman": lambda M, p, q: ig.jensen_bregman(M, p, q, 0.3),
    "renyi": lambda M, p, q: ig.renyi(M, p, q, 0.4), "alpha_divergence": lambda M, p, q: ig.alpha_divergence(M, p, q, 0.3),
    "bregman": ig.bregman, "canonical_divergence": ig.canonical_divergence}


@pytest.mark.parametrize("name", DIVERGENCES)
def test_divergences(name, backend):
    for M in (ig.Categorical(3), ig.Gamma()):
        rng, p, q = points(M, 27)
        f = lambda p, q: DIVERGENCES[name](M, p, q)
        ways = [direction(M, "theta", x, rng) for x in (p, q)]
        expected = np.sum(difference(lambda t: f(p + t * ways[0], q + t * ways[1]), 0.0, 1.0))
        assert close(sum(np.sum(g * way) for g, way in zip(pulled(backend, f, np.ones(3), p, q), ways)), expected, rtol=1e-6)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")          # by torch's own forward derivatives
@some
def test_batched_transforms(M, backend):
    """`vmap` of the library over rows of Jacobians."""
    _, p, _ = points(M, 28)
    assert close(traced_jacobian(backend, M.to_eta, p), M.metric(p))
    assert close(traced_jacobian(backend, M.to_theta, M.to_eta(p)), M.dual_metric(M.to_eta(p)), rtol=1e-7)
