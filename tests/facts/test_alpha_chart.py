"""α-coordinates of probabilities: the law of the √p chart, known condition numbers and rates, runs in them."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.geometry import PulledBack

K3A = np.array([0.5, 0.3, 0.2])
ZIPF = 1 / np.arange(1, 11) / np.sum(1 / np.arange(1, 11))


def spectrum(p, alpha):
    """Eigenvalues of the Fisher metric in the α-chart at p, the last outcome being the reference."""
    chart = ig.AlphaChart(alpha)
    return np.linalg.eigvalsh(PulledBack(ig.Categorical(len(p)).dual, chart).metric(chart.inverse(p[:-1])))


def condition(p, alpha):
    values = spectrum(p, alpha)
    return values[-1] / values[0]


def test_square_roots():
    """At α = 0 and for three outcomes or more: condition number 1/p_K, gradient flow at rate 8, for random targets."""
    rng = np.random.default_rng(0)
    for k in (3, 4, 7, 20):
        for p in rng.dirichlet(np.ones(k), 20):
            values = spectrum(p, 0.0)
            np.testing.assert_allclose(values[-1] / values[0], 1 / p[-1], rtol=1e-10)
            np.testing.assert_allclose(2 * values[0], 8.0, rtol=1e-10)
    np.testing.assert_allclose(spectrum(np.array([0.3, 0.7]), 0.0), [4 / 0.7], rtol=1e-13)


@pytest.mark.parametrize("alpha", [-1.0, -0.5, 0.0, 0.5, 2.0, -3.0])
def test_metric(alpha):
    """s⁻² (diag(η^{1−2s}) + η^{1−s} (η^{1−s})ᵀ / p_K)."""
    s, eta = (1 - alpha) / 2, K3A[:-1]
    M = PulledBack(ig.Categorical(3).dual, ig.AlphaChart(alpha))
    expected = (np.diag(eta ** (1 - 2 * s)) + np.outer(eta ** (1 - s), eta ** (1 - s)) / K3A[-1]) / s**2
    np.testing.assert_allclose(M.metric(eta**s), expected, rtol=1e-13)
    np.testing.assert_allclose(M.flat(eta**s, [0.1, -0.2]), expected @ [0.1, -0.2], rtol=1e-12)


def test_known_figures():
    assert condition(K3A, -1.0) == pytest.approx(4.84702105, rel=1e-8)
    assert condition(K3A, 0.0) == pytest.approx(5.0, rel=1e-12)
    assert condition(ZIPF, 0.0) == pytest.approx(29.2897, rel=1e-5) and condition(ZIPF, -1.0) == pytest.approx(73.50, rel=1e-4)
    assert condition(K3A[::-1], 0.0) == pytest.approx(2.0, rel=1e-12)           # the most probable outcome is the reference
    assert condition(ZIPF[::-1], 0.0) == pytest.approx(2.929, rel=1e-3)
    assert condition(ZIPF[::-1], -1.0) == pytest.approx(7.02, rel=1e-3)
    rates = [2 * spectrum(K3A, alpha)[0] for alpha in (-1.0, -0.5, 0.0, 0.5)]
    np.testing.assert_allclose(rates, [5.244836, 5.829068, 8.0, 19.078954], rtol=1e-7)
    grid = np.linspace(-1.0, 0.5, 1501)
    kappa = [condition(K3A, alpha) for alpha in grid]
    assert grid[np.argmin(kappa)] == pytest.approx(-0.658, abs=1.5e-3) and min(kappa) == pytest.approx(4.791288, rel=1e-6)
    assert grid[np.argmin([condition(ZIPF, alpha) for alpha in grid])] == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("alpha,rate", [(-0.5, 5.829068), (0.0, 8.0), (0.5, 19.078954)])
def test_measured_rates(alpha, rate):
    """The gradient flow in the chart has the rate of its spectrum, the natural one 2."""
    family, chart = ig.Categorical(3), ig.AlphaChart(alpha)
    target = family.theta_from(probabilities=K3A)
    M, f = PulledBack(family.dual, chart), ig.ReverseKL(family.dual, K3A[:-1]).pulled_back(chart)
    axis = np.linalg.eigh(M.metric(chart.inverse(K3A[:-1])))[1][:, 0]
    start = chart.inverse(K3A[:-1]) + 1e-4 * axis                                       # along the slowest direction
    for update, expected in ((ig.GradientUpdate(), rate), (ig.NaturalUpdate(), 2.0)):
        run = ig.flow(f, start, geometry=M, update=update, times=np.array([0.0, 1.0]) / expected)
        kl = family.kl(target, family.to_theta(chart(run.path)))
        assert -np.log(kl[1] / kl[0]) * expected == pytest.approx(expected, rel=2e-3)


def test_a_natural_gradient_run_in_square_roots():
    """Natural gradient in the chart goes to the target; plain steps beyond 0 end with a status."""
    family, chart = ig.Categorical(3), ig.AlphaChart(0.0)
    M, f = PulledBack(family.dual, chart), ig.CrossEntropy(family, K3A[:-1]).in_dual_coordinates().pulled_back(chart)
    run = ig.descend(f, [0.5, 0.5], geometry=M, update=ig.NaturalUpdate(), step=1.0, max_steps=30, tol=1e-10)
    assert run.status == ig.Status.CONVERGED
    np.testing.assert_allclose(chart(run.x), K3A[:-1], rtol=1e-9)
    np.testing.assert_allclose(M.distance(run.path[0], run.x),
                               family.dual.distance(np.array([0.25, 0.25]), K3A[:-1]), rtol=1e-9)
    lost = ig.descend(f, [0.5, 0.5], geometry=M, update=ig.GradientUpdate(), step=5.0, max_steps=30)
    assert lost.status == ig.Status.LEFT_DOMAIN


def test_arrays(backend):
    chart, u, c = ig.AlphaChart(0.0), np.array([[0.6, 0.5], [0.2, 0.7]]), np.array([1.0, -2.0])
    for dtype, rtol in (("float64", 1e-14), ("float32", 1e-6)):
        x = backend.check(chart(backend.make(u, dtype)), dtype)
        np.testing.assert_allclose(x, u**2, rtol=rtol)
        np.testing.assert_allclose(backend.check(chart.inverse(backend.make(u**2, dtype)), dtype), u, rtol=rtol)
        back = backend.check(chart.pull_back(backend.make(u, dtype), backend.make(c, dtype)), dtype)
        np.testing.assert_allclose(back, 2 * u * c, rtol=rtol)


def test_affine_chart():
    """With the map (G/c)^{−½} onto θ the gradient flow has the rate 2c, with (G/c)^½ onto η the rate 2/c; K5a, c = 3."""
    p = np.array([0.35, 0.25, 0.2, 0.15, 0.05])
    family = ig.Categorical(5)
    theta = family.theta_from(probabilities=p)
    values, axes = np.linalg.eigh(family.metric(theta))
    root = axes @ np.diag(np.sqrt(values / 3.0)) @ axes.T
    for M, x, A, rate in ((family.dual, p[:-1], root, 2 / 3), (family, theta, np.linalg.inv(root), 6.0)):
        space = PulledBack(M, ig.AffineMap(A))
        np.testing.assert_allclose(2 * np.linalg.eigvalsh(space.metric(np.linalg.solve(A, x))), rate, rtol=1e-10)


def test_refusals():
    for alpha in (1.0, np.inf, np.nan, "0"):
        with pytest.raises(ig.DomainError, match="alpha must satisfy alpha finite and other than 1"):
            ig.AlphaChart(alpha)
    with pytest.raises(TypeError, match="map must be an object with map"):
        PulledBack(ig.Categorical(3), ig.AlphaChart)
    with pytest.raises(TypeError, match="takes a Riemannian"):
        PulledBack(ig.Categorical, ig.AlphaChart(0.0))
