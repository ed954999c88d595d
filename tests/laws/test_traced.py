"""Under `jax.jit` and `jax.vmap` every formula is what it is on arrays; what cannot be traced says so.

Only a run on JAX has these laws (INFOGEO_TEST_ARRAYS=jax).
"""
import jax
import numpy as np
import pytest
import scipy.special

import infogeo as ig
from infogeo.backend import backend_of
from infogeo.solvers import compiled
from infogeo.solvers.result import Result

from ..registry import FAMILIES, MIRROR_MAPS, arguments, region

ALL = FAMILIES | MIRROR_MAPS
FORMULAS = {"potential": ("theta",), "to_eta": ("theta",), "to_theta": ("eta",), "metric": ("theta",),
            "flat": ("theta", "vector"), "sharp": ("theta", "covector"), "divergence": ("theta", "theta")}
OF_FAMILIES = {"kl": ("theta", "theta"), "entropy": ("theta",), "log_density": ("theta", "x")}
# What is compiled and run, a formula of every way to trace: selections, loops of Newton's method, sums in a loop, matrices
COMPILED = {"Categorical(3)": [*FORMULAS, *OF_FAMILIES], "Normal": [*FORMULAS, *OF_FAMILIES],
            "Poisson": ["kl", "entropy", "log_density"],
            "Gamma": ["to_theta", "kl"], "Binomial(7)": ["entropy"], "LogLinear": ["to_theta"], "VonMises": ["to_theta"],
            "MultivariateNormal(2)": ["to_theta", "sharp", "kl"], "LogSeries": ["to_theta"],
            "GeneralizedInverseGaussian": ["to_eta", "kl"], "Truncated(Poisson, 0)": ["metric"],
            "Truncated(Exponential, 0, 2)": ["to_theta"]}
# Of one code with others, and of many operations: half a minute to trace
ALIKE = {"Categorical(3, reference=0)", "Categorical(6)", "Dirichlet(5)", "MultivariateNormal(1)", "MultivariateNormal(3)",
         "Binomial(1)", "Binomial(1000)", "Multinomial(4, 6, reference=0)", "NegativeBinomial(0.4)", "Wishart(1)", "VonMises",
         "VonMisesFisher(5)", "BoltzmannMachine(3, chain)", "Hierarchical(independent)", "ConwayMaxwellPoisson", "LogDet(3)",
         "PNorm(3, 3.0)", "GeneralizedDirichlet(3)"}
TRACED = [name for name in ALL if name not in ALIKE]


def formulas(M):
    return FORMULAS | (OF_FAMILIES if isinstance(M, ig.ExponentialFamily) else {})


@pytest.mark.parametrize("name", TRACED)
def test_every_formula_traces(name, backend):
    """To the shapes that it has on arrays, a batch inside `vmap`."""
    M, rng = ALL[name], np.random.default_rng(31)
    for formula, kinds in formulas(M).items():
        xs = [backend.make(x) for x in arguments(M, kinds, rng, (2, 3), 0.5)]
        found = jax.eval_shape(jax.vmap(getattr(M, formula)), *xs)
        axes = {"metric": (M.dim, M.dim), "potential": (), "divergence": (), "kl": (), "entropy": (), "log_density": ()}
        assert found.shape == (2, 3, *axes.get(formula, (M.dim,))) and found.dtype == "float64", formula


@pytest.mark.parametrize("name", COMPILED)
def test_compiled_is_the_same(name, backend):
    M, rng = ALL[name], np.random.default_rng(32)
    for formula in COMPILED[name]:
        xs = arguments(M, formulas(M)[formula], rng, (3,), 0.5)
        expected, f = getattr(M, formula)(*xs), getattr(M, formula)
        found = jax.jit(lambda *xs: (f(*xs), jax.vmap(f)(*xs)))(*map(backend.make, xs))       # noqa: B023
        for x in found:
            assert np.all(np.abs(backend.check(x) - expected) <= 1e-10 * (1.0 + np.max(np.abs(expected)))), formula


# Of formulas that take the largest of numbers: as a shift, a scale, a residual, or to see whether they are near
LARGEST = {"Categorical(3)": ["potential", "to_theta", "kl"], "NegativeEntropy(3)": ["to_theta"],
           "LogLinear": ["potential", "to_theta"],
           "MultivariateNormal(2)": ["kl", "to_theta"], "PNorm(3, 1.5)": ["to_eta", "to_theta"], "VonMisesFisher(3)": ["to_eta"],
           "LogDet(2)": ["divergence"], "Wishart(2)": ["kl", "to_theta"], "Dirichlet(3)": ["kl", "to_theta"],
           "Truncated(Poisson, 0)": ["potential", "to_theta"], "ConwayMaxwellPoisson": ["potential"],
           "GeneralizedInverseGaussian": ["to_eta"]}


@pytest.mark.parametrize("name", LARGEST)
def test_a_row_without_numbers(name, backend, thorough):
    """Of so many rows that XLA's own reductions pass over NaN: that row has none, and every other is what it is alone."""
    M, rng = ALL[name], np.random.default_rng(40)
    for formula in LARGEST[name] if thorough else LARGEST[name][:name == "Categorical(3)"]:
        kinds = formulas(M)[formula]
        xs = [np.resize(x, (4097, *x.shape[1:])) for x in arguments(M, kinds, rng, (2,), 0.3)]
        for x in xs:
            there = [np.where(np.arange(4097)[:, None] == 1000, np.nan, y) if y is x else y for y in xs]
            found = backend.to_numpy(jax.jit(getattr(M, formula))(*map(backend.make, there)))
            assert np.all(np.isnan(found[1000])), formula
            rest = np.delete(found, 1000, axis=0)
            assert np.allclose(rest[:2], getattr(M, formula)(*(y[:2] for y in xs)), rtol=1e-9), formula
            assert not np.any(np.isnan(rest)), formula


def test_outside_is_nan(backend):
    """No error is raised for numbers that are not there yet, also not by `log_density`, nor inside `checked`."""
    M, outside = ig.Gamma(), backend.make([[1.0, 2.0], [2.0, -1.0]])
    with ig.checked():
        for f in (M.potential, lambda theta: M.log_density(theta, 1.0), lambda theta: M.kl(theta, theta)):
            assert np.isnan(backend.to_numpy(jax.jit(f)(outside))).tolist() == [True, False]
    found = jax.jit(M.to_theta)(backend.make([[1.0, 0.5], [-0.5, 1.0]]))
    assert np.all(np.isnan(backend.to_numpy(found)[0])) and not np.any(np.isnan(backend.to_numpy(found)[1]))


def test_of_own_dtype(backend):
    """float32 stays float32 through the loops."""
    theta = region(ig.Gamma()).sample(np.random.default_rng(33), (3,), 0.3)
    eta = backend.make(ig.Gamma().to_eta(theta), "float32")
    assert np.allclose(backend.check(jax.jit(ig.Gamma().to_theta)(eta), "float32"), theta, rtol=1e-3)


def runs():
    """(arguments of `descend` on NumPy), of every way in which a run of many rows ends, and of every record."""
    rng = np.random.default_rng(34)
    M = ig.Categorical(3)
    theta, f = 0.5 * rng.standard_normal((4, 2)), ig.CrossEntropy(M, [0.2, 0.5])
    h = np.asarray([0.1, 0.5, 1.0, 3.0])
    yield f, theta, {"geometry": M, "update": ig.NaturalUpdate(), "step": ig.Constant(h), "max_steps": 100, "tol": 1e-8}
    yield f, theta, {"geometry": M, "update": ig.MirrorUpdate(), "step": 1.0, "max_steps": 70, "tol": 1e-9, "record": ig.Every(7)}
    yield f, theta[0], {"update": ig.GradientUpdate(), "step": ig.Diminishing(1.0), "max_steps": 75, "record": "values"}
    N = ig.Normal()
    start = N.theta_from(mean=[0.0, 3.0], variance=[1.0, 0.2])
    yield ig.CrossEntropy(N, [1.0, 2.0]), start, {"geometry": N, "update": ig.GradientUpdate(), "step": 0.3, "max_steps": 64}
    yield f, theta, {"geometry": M, "update": ig.RiemannianMomentum(0.5), "step": 0.2, "max_steps": 64,
                     "tol": ig.solvers.StepLength(1e-6), "record": None}
    yield f, theta, {"geometry": M, "update": ig.AcceleratedMirror(), "step": 0.2, "max_steps": 64}


@pytest.mark.parametrize("case", range(6))
def test_a_compiled_run_is_the_run(case, backend):
    """The same points, values, statuses and steps as on NumPy, to rounding, and the same number of records."""
    f, x0, how = list(runs())[case]
    expected = ig.descend(f, x0, **how)
    there = ig.CrossEntropy(f.manifold, backend.make(f.eta_hat))
    if isinstance(how["step"], ig.Constant):
        how["step"] = ig.Constant(backend.make(how["step"].h))
    for _ in range(2):                          # once compiled, and once more
        found = ig.descend(there, backend.make(x0), **how)
        for name in ("x", "path", "values", "status", "steps", "recorded"):
            a, b = getattr(found, name), getattr(expected, name)
            assert (a is None) == (b is None), name
            assert a is None or a.shape == b.shape and np.allclose(backend.to_numpy(a), b, rtol=1e-9, atol=1e-12), name


def test_another_target_is_not_the_last_one(backend):
    """A program is kept for runs of the same kind, and takes their arrays."""
    M, x0 = ig.Categorical(3), backend.make([0.1, 0.2])
    for target in ([0.2, 0.5], [0.6, 0.1]):
        f = ig.CrossEntropy(M, backend.make(target))
        run = ig.descend(f, x0, geometry=M, update=ig.NaturalUpdate(), step=0.5, max_steps=80)
        assert np.allclose(M.to_eta(backend.to_numpy(run.x)), target)


def test_what_is_compiled(backend, monkeypatch):
    """The runs of the law above are programs; what calls, draws, or is a rule of one's own is not."""
    made = []
    monkeypatch.setattr(compiled, "Result", lambda *parts: made.append(1) or Result(*parts))
    M = ig.Categorical(3)
    f, x0 = ig.CrossEntropy(M, backend.make([0.2, 0.5])), backend.make([0.1, 0.2])
    how = {"geometry": M, "update": ig.NaturalUpdate(), "max_steps": 64, "tol": 1e-3}
    ig.descend(f, x0, step=0.5, **how)
    assert made == [1]
    ig.descend(f, x0, step=lambda at: 0.5, **how)
    ig.descend(f, x0, step=0.5, callbacks=[lambda moment: None], **how)
    ig.descend(ig.Noisy(f, 0.1), x0, step=0.5, rng=jax.random.key(0), **how)
    assert made == [1]


def test_estimates_and_ordinary_parameters(backend):
    """`fit`, `theta_from` and `quantile` of traced arrays; NaN for observations and parameters that are none."""
    M, rng = ig.Gamma(), np.random.default_rng(35)
    theta = M.theta_from(shape=[2.0, 5.0], rate=[1.0, 0.3])
    x = M.sample(rng, theta, (40,))
    assert np.allclose(backend.check(jax.jit(M.fit)(backend.make(x))), M.fit(x))
    x[3, 1] = -1.0
    assert np.isnan(backend.to_numpy(jax.jit(M.fit)(backend.make(x)))).all(axis=-1).tolist() == [False, True]
    made = jax.jit(lambda shape, rate: M.theta_from(shape=shape, rate=rate))
    found = backend.to_numpy(made(backend.make([2.0, -5.0]), backend.make([1.0, 0.3])))
    assert np.array_equal(found[0], theta[0]) and np.all(np.isnan(found[1]))
    P, at, q = ig.Poisson(), np.log([[3.0], [1e6]]), [0.2, 0.9]
    assert np.array_equal(backend.to_numpy(jax.jit(P.quantile)(backend.make(at), backend.make(q))), P.quantile(at, q))


def test_distribution_functions(backend):
    """Of laws by integrals and by sums, whose number of terms is not known: they trace, and are what they are on arrays."""
    rng, q = np.random.default_rng(38), np.asarray([0.1, 0.7])
    for name in ("VonMises", "LogSeries", "Truncated(Poisson, 0)"):
        M = ALL[name]
        theta = region(M).sample(rng, (2,), 0.3)
        made, x, level = map(backend.make, (theta, M.sample(rng, theta), q))
        assert jax.eval_shape(jax.vmap(M.quantile), made, level).shape == (2,)
        for f in (M.cdf, M.log_survival):
            assert jax.eval_shape(jax.vmap(f), made, x).shape == (2,)
        assert jax.eval_shape(jax.vmap(M.variance), made).shape == (2,)
    M, theta = ALL["Truncated(Exponential, 0, 2)"], np.asarray([[-0.5], [1.0]])
    found = jax.jit(lambda *xs: M.survival(xs[0], M.quantile(*xs)))(backend.make(theta), backend.make(q))
    assert np.allclose(backend.check(found), 1.0 - q, rtol=1e-12)
    M, outside = ig.Gamma(), backend.make([[1.0, 2.0], [2.0, -1.0]])
    assert np.isnan(backend.to_numpy(jax.jit(M.quantile)(outside, backend.make(0.5)))).tolist() == [True, False]


def test_what_cannot_be_traced_says_so(backend):
    M = ig.MultivariateNormal(2)
    p = backend.make(M.theta_domain.interior_point)
    with pytest.raises(TypeError, match="distance looks at numbers"):
        jax.jit(M.distance)(p, 2.0 * p)
    with pytest.raises(TypeError, match=r"VonMises\(\).geodesic looks at numbers"):
        jax.jit(ig.VonMises().geodesic)(backend.make([1.0, 2.0]), backend.make([2.0, 1.0]), 0.5)
    with pytest.raises(TypeError, match="outside jax.jit and vmap"):
        jax.jit(lambda theta: ALL["Truncated(Poisson, 0)"].sample(jax.random.key(0), theta))(backend.make([0.3]))


def test_many_rows_of_which_some_are_near(backend):
    """Of a large batch the careful formula is evaluated for the rows that need it, and derivatives are the same."""
    M, rng = ig.Gamma(), np.random.default_rng(36)
    p, q = (region(M).sample(rng, (5000,), 0.5) for _ in range(2))
    q[::3] = p[::3] * (1.0 + 1e-7)

    @jax.jit
    def both(p, q):                             # of the formula itself, which no rule stands for
        return M.kl(p, q), jax.grad(lambda q: M._kl(backend_of(q), p, q).sum())(q)

    found, slope = both(backend.make(p), backend.make(q))
    assert np.allclose(backend.check(found), M.kl(p, q), rtol=1e-9, atol=0.0)
    assert np.allclose(backend.to_numpy(slope)[1::3], (M.to_eta(q) - M.to_eta(p))[1::3], rtol=1e-6)


def test_many_rows_of_dirichlet_laws(backend):
    """Differences that cancel are found for their rows, those of digamma and trigamma; an inversion goes a few rows at a time."""
    M, rng = ig.Dirichlet(3), np.random.default_rng(39)
    p = np.exp(2.0 * rng.standard_normal((5000, 3)))
    p[::7] *= [1e9, 1.0, 1e-9]
    program = jax.jit(lambda p, eta: (M.to_eta(p), M.metric(p), M.to_theta(eta)))
    for found, expected in zip(program(backend.make(p), backend.make(M.to_eta(p))), (M.to_eta(p), M.metric(p), p)):
        np.testing.assert_allclose(backend.check(found), expected, rtol=1e-11)


def test_zeros_of_log_gamma_and_digamma(backend):
    """Next to them a few terms of their series; a number below 0 takes another formula, for all that it stands beside."""
    xp, t, root, slope = backend_of(backend.make(0.0)), np.array([-1e-7, 1e-9, 1e-6]), 1.4616321449683623, 0.9676720454
    zeta2 = np.pi**2 / 6
    near_one, near_two = -np.euler_gamma * t + 0.5 * zeta2 * t**2, (1.0 - np.euler_gamma) * t + 0.5 * (zeta2 - 1.0) * t**2
    np.testing.assert_allclose(xp.gammaln(backend.make(1.0 + t)), near_one * ((1.0 + t - 1.0) / t), rtol=1e-12)
    np.testing.assert_allclose(xp.gammaln(backend.make(2.0 + t)), near_two * ((2.0 + t - 2.0) / t), rtol=1e-12)
    np.testing.assert_allclose(xp.digamma(backend.make(root + t)), slope * (root + t - root), rtol=1e-6)
    for f in ("gammaln", "digamma"):
        x = np.array([-2.5, -0.5, 3.0, np.nan])
        np.testing.assert_allclose(getattr(xp, f)(backend.make(x)), getattr(scipy.special, f)(x), rtol=1e-13)
    assert np.allclose(jax.grad(xp.gammaln)(backend.make(3.0)), scipy.special.digamma(3.0))
    assert np.allclose(jax.grad(xp.digamma)(backend.make(3.0)), scipy.special.polygamma(1, 3.0))


def test_many_rows_of_which_some_are_limits(backend):
    """A look when the program runs decides: laws on the boundary and points outside are what they are on arrays."""
    M, rng = ig.Categorical(4), np.random.default_rng(37)
    p, q = (rng.standard_normal((5000, 3)) for _ in range(2))
    eta = M.to_eta(p)
    program = jax.jit(lambda eta, p, q: (M.to_theta(eta), M.kl(p, q)))
    for _ in range(2):                          # inside, and with rows that are not
        for found, expected in zip(program(*map(backend.make, (eta, p, q))), (M.to_theta(eta), M.kl(p, q))):
            np.testing.assert_allclose(backend.to_numpy(found), expected, rtol=1e-11, atol=1e-11)
        eta[:6] = [1, 0, 0], [0.5, 0.5, 0], [-0.1, 0.2, 0.3], [0, 0.2, 0.3], [0.6, 0.6, 0], [np.nan, 0.1, 0.1]
        p[:4], q[2:6] = [[-np.inf, 0, 1], [np.inf, 0, 1], [-np.inf, 0, 1], [np.inf, np.inf, 0]], [-np.inf, 1, 1]
    slope = jax.jit(jax.grad(lambda eta: (M._to_theta(backend_of(eta), eta) ** 2).sum()))(backend.make(M.to_eta(p[6:])))
    np.testing.assert_allclose(backend.to_numpy(slope), 2.0 * M.sharp(p[6:], p[6:]), rtol=1e-8)


def test_many_rows_of_normal_laws(backend):
    """One formula of all rows: near, far, of a large mean, of variances whose ratio is beyond the numbers, and outside."""
    M, rng = ig.Normal(), np.random.default_rng(38)
    p = M.theta_from(mean=rng.standard_normal(5000), variance=np.exp(rng.standard_normal(5000)))
    q = p * (1.0 + 10.0 ** rng.uniform(-12.0, 1.0, (5000, 1)) * np.abs(rng.standard_normal((5000, 2))))
    kl = jax.jit(M.kl)
    for _ in range(2):
        np.testing.assert_allclose(backend.to_numpy(kl(backend.make(p), backend.make(q))), M.kl(p, q), rtol=1e-12)
        p[:3], q[:3] = M.theta_from(mean=1e9, variance=1.0), M.theta_from(mean=1e9 + np.arange(3.0), variance=1.0)
        p[3:6], q[3:6] = [[0, -1e200], [1, 2], [0, -1]], [[0, -1e-200], [1, 2], [0, 1]]
