"""Steps of second order, momentum along geodesics, noisy flows, the quasi-Newton baseline, problems with their constants."""
import numpy as np
import pytest

import infogeo as ig
from infogeo import Status
from infogeo.training import Momentum

RNG = np.random.default_rng(0)


# The Γ term

@pytest.mark.parametrize("M", [ig.Categorical(3), ig.Categorical(3).dual, ig.Normal(), ig.Normal().dual, ig.Gamma()], ids=repr)
def test_the_corrected_step_is_that_of_the_geodesic_to_third_order(M):
    """Halving the step divides its distance from the geodesic step by 8, that of natural gradient by 4 (P11)."""
    x = M.theta_domain.sample(np.random.default_rng(2), (3,))
    c = M.flat(x, 0.3 * x / M.norm(x, x)[:, None] + 0.1)
    h = np.array([0.02, 0.01])[:, None]
    exact = ig.Geodesic()(M, x, c, h)[0]
    error = {type(u).__name__: np.abs(u(M, x, c, h)[0] - exact).max(axis=-1) for u in (ig.CorrectedNatural(), ig.NaturalUpdate())}
    np.testing.assert_allclose(error["CorrectedNatural"][0] / error["CorrectedNatural"][1], 8.0, rtol=0.1)
    np.testing.assert_allclose(error["NaturalUpdate"][0] / error["NaturalUpdate"][1], 4.0, rtol=0.1)


def test_the_corrected_step_of_a_bare_metric():
    """The half plane (x, y), metric 1/y²: v = (0, y) down its vertical geodesic y e^{-h}, whose second-order expansion it is."""
    class HalfPlane(ig.Riemannian):
        dim = 2

        def metric(self, x):
            return np.eye(2) / x[..., 1, None, None]**2

    x = np.array([[0.3, 2.0], [1.0, 0.5]])
    ahead = ig.CorrectedNatural()(HalfPlane(), x, np.stack([0.0 * x[:, 1], 1 / x[:, 1]], axis=-1), np.array([0.1, 0.2]))[0]
    h = np.array([0.1, 0.2])
    np.testing.assert_allclose(ahead, np.stack([x[:, 0], x[:, 1] * (1 - h + h**2 / 2)], axis=-1), rtol=1e-9)


# Momentum

def test_riemannian_momentum_on_a_flat_manifold_is_momentum():
    f, run = ig.LeastSquares([[3.0, 1.0], [0.0, 1.0]], [1.0, 2.0]), dict(geometry=ig.Euclidean(2), step=0.05, max_steps=30)
    ours = ig.descend(f, [1.0, -1.0], update=ig.RiemannianMomentum(0.8), **run)
    theirs = ig.descend(f, [1.0, -1.0], update=Momentum(0.8), **run)
    np.testing.assert_allclose(ours.path, theirs.path, rtol=1e-12, atol=1e-13)


def test_riemannian_momentum_carries_its_velocity_by_parallel_transport():
    """Along the geodesic that it has gone, by the equations of transport; the heavy ball is faster than its base."""
    M = ig.Normal()
    target = M.theta_from(mean=1.0, variance=4.0)
    f, x0 = ig.CrossEntropy(M, M.to_eta(target)), M.theta_from(mean=[0.0, 3.0], variance=[1.0, 0.3])
    update, step = ig.RiemannianMomentum(0.7), 0.02
    x, v = x0, update.init(x0)
    for _ in range(3):
        c = f.value_and_gradient(x)[1]
        gone = 0.7 * v - step * M.sharp(x, c)
        ahead, v = update(M, x, c, step, v)
        np.testing.assert_allclose(ahead, M.exp(x, gone), rtol=1e-10)
        carried = ig.parallel_transport(M, lambda t: M.geodesic(x, ahead, t), gone, 0.0)
        np.testing.assert_allclose(v, carried, rtol=1e-6, atol=1e-8)
        x = ahead
    plain = ig.descend(f, x0, geometry=M, update=ig.Geodesic(), step=step, max_steps=60)
    ball = ig.descend(f, x0, geometry=M, update=update, step=step, max_steps=60)
    assert np.all(ball.values[-1] - f.value_and_gradient(target)[0] < 0.1 * (plain.values[-1] - f.value_and_gradient(target)[0]))
    with pytest.raises(ig.DomainError, match="decay must satisfy 0 <= decay < 1"):
        ig.RiemannianMomentum(1.0)


# Noisy flows

HALF = ig.LeastSquares([[1.0]], [0.0])
NOISY = dict(geometry=ig.Euclidean(1), update=ig.GradientUpdate(), times=[0.0, 0.5, 2.0], h=0.02)


def test_the_noisy_gradient_flow_is_the_ornstein_uhlenbeck_process():
    """dx = −x dt + σ dW: mean x₀ e^{−t}, variance σ² (1 − e^{−2t}) / 2, mean of the ergodic average x₀ (1 − e^{−t}) / t."""
    n, sigma, t = 20000, 0.7, np.array([0.5, 2.0])
    run = ig.noisy_flow(HALF, np.full((n, 1), 2.0), noise=sigma, rng=np.random.default_rng(0), **NOISY)
    variance = sigma**2 / 2 * (1 - np.exp(-2 * t))
    bias = 2.0 * 0.02 * np.exp(-t) * t          # of Euler's method, at most
    assert np.all(np.abs(run.path[1:].mean(axis=(1, 2)) - 2 * np.exp(-t)) < 5 * np.sqrt(variance / n) + bias)
    assert np.all(np.abs(run.path[1:].var(axis=(1, 2)) / variance - 1) < 5 * np.sqrt(2 / n) + 0.02)
    assert np.all(np.abs(run.average[1:].mean(axis=(1, 2)) - 2 * (1 - np.exp(-t)) / t) < 5 * sigma / np.sqrt(n) + 0.04)
    assert np.all(run.path[0] == 2.0) and run.path.shape == run.average.shape == (3, n, 1) and run.values.shape == (3, n)
    assert np.all(run.status == Status.FINISHED) and np.all(run.steps == 100)


def test_without_noise_it_is_the_flow():
    M, x0 = ig.Categorical(3), np.array([[1.0, -2.0], [0.0, 0.0]])
    f, more = ig.CrossEntropy(M, [0.5, 0.3]), dict(geometry=M, update=ig.MirrorUpdate())
    exact = ig.flow(f, x0, times=[1.0, 2.0], **more).path
    errors = [np.abs(ig.noisy_flow(f, x0, times=[1.0, 2.0], noise=0.0, rng=None, h=h, **more).path - exact).max()
              for h in (0.02, 0.01)]
    assert errors[0] / errors[1] == pytest.approx(2.0, rel=0.1)


def test_the_ergodic_average_of_noisy_mirror_flow_keeps_its_bound():
    """E f(x̄) − f* ≤ D / t + d σ² / (2 K), the entropy being 1-strongly convex in the 1-norm and so in the chart."""
    M = ig.Categorical(3).dual
    f = ig.LeastSquares([[1.0, 0.0], [0.0, 1.0]], [0.2, 0.3])
    x0 = np.broadcast_to(np.array([0.5, 0.3]), (400, 2))
    run = ig.noisy_flow(f, x0, geometry=M, update=ig.MirrorUpdate(), times=[5.0, 40.0], noise=0.6, rng=np.random.default_rng(1),
                        h=0.1)
    D = M.divergence(x0[0], np.array([0.2, 0.3]))
    for k, t in enumerate((5.0, 40.0)):
        assert f.value_and_gradient(run.average[k])[0].mean() <= D / t + 0.6**2
    assert f.value_and_gradient(run.average[1])[0].mean() < 0.3 * run.values[1].mean()


def test_a_noisy_row_that_leaves_the_domain_says_so():
    M = ig.Categorical(3).dual
    f = ig.LeastSquares(np.eye(2), [0.5, 0.49])
    run = ig.noisy_flow(f, np.full((30, 2), 0.4), geometry=M, update=ig.GradientUpdate(), times=[0.0, 3.0, 300.0],
                        noise=0.3, rng=np.random.default_rng(0), h=0.01)
    assert set(run.status.tolist()) == {Status.LEFT_DOMAIN} and np.all(M.domain.contains(run.path))
    assert np.all(run.steps < 300) and np.all(np.abs(run.average[2] - run.x) < 0.02)       # where they stay counts on
    assert np.max(np.abs(run.average[1] - run.x)) > 0.1
    for times, h, noise, message in (([1.0, 0.5], 0.1, 0.1, "times must satisfy"), ([1.0], 0.0, 0.1, "h must satisfy h > 0"),
                                     ([1.0], 0.1, -1.0, "noise must satisfy noise >= 0")):
        with pytest.raises(ig.DomainError, match=message):
            ig.noisy_flow(HALF, [1.0], noise=noise, rng=RNG, **NOISY | dict(times=times, h=h))


# The baseline

def test_lbfgs_minimises_in_the_chart_of_the_domain():
    M = ig.Normal()
    target, x0 = M.theta_from(mean=1.0, variance=4.0), M.theta_from(mean=[[0.0, 3.0]], variance=[[1.0, 0.3]])
    run = ig.lbfgs(ig.CrossEntropy(M, M.to_eta(target)), x0, geometry=M, max_steps=100, tol=1e-8)
    np.testing.assert_allclose(run.x, np.broadcast_to(target, run.x.shape), rtol=1e-7)
    assert np.all(run.status == Status.CONVERGED) and run.path.shape == (len(run.values), 1, 2, 2)
    assert np.all(np.diff(run.values, axis=0) <= 0) and np.array_equal(run.path[0], x0) and np.array_equal(run.path[-1], run.x)
    for row in range(2):
        alone = ig.lbfgs(ig.CrossEntropy(M, M.to_eta(target)), x0[0, row], geometry=M, max_steps=100, tol=1e-8)
        assert alone.steps == run.steps[0, row] and np.array_equal(alone.x, run.x[0, row])


def test_lbfgs_ends():
    rosenbrock = lambda x: (100 * (x[1] - x[0]**2)**2 + (1 - x[0])**2,
                            [-400 * x[0] * (x[1] - x[0]**2) - 2 * (1 - x[0]), 200 * (x[1] - x[0]**2)])
    start = [-1.2, 1.0]
    assert ig.lbfgs(rosenbrock, start, max_steps=5).status == Status.MAX_STEPS
    whole = ig.lbfgs(rosenbrock, start, max_steps=500)
    assert whole.status == Status.STALLED and np.allclose(whole.x, 1.0, rtol=1e-6)
    assert ig.lbfgs(rosenbrock, [1.0, 1.0], max_steps=5, tol=1e-8).steps == 0
    assert ig.lbfgs(rosenbrock, np.zeros((0, 2)), max_steps=5).x.shape == (0, 2)
    with pytest.raises(ig.DomainError, match="max_steps must satisfy"):
        ig.lbfgs(rosenbrock, start, max_steps=0)
    with pytest.raises(TypeError, match=r"lbfgs takes an objective with one value .* a batch of shape \(3,\)"):
        ig.lbfgs(ig.CrossEntropy(ig.Categorical(3), [[0.5, 0.3]] * 3), start, max_steps=5)
    with pytest.raises(TypeError, match="lbfgs takes an objective with one value at a point; VectorField.* has none"):
        ig.lbfgs(ig.VectorField(lambda x: x), start, max_steps=5)


# Problems and the constants that they are smooth with

@pytest.mark.parametrize("geometry, f", [
    (ig.Categorical(4), ig.CrossEntropy(ig.Categorical(4), [0.1, 0.2, 0.3])),
    (ig.NegativeEntropy(3), ig.LeastSquares(RNG.standard_normal((4, 3)), RNG.standard_normal(4))),
    (ig.Burg(3), ig.PoissonLoss(RNG.random((5, 3)), RNG.integers(1, 9, 5)))], ids=["cross-entropy", "squares", "Poisson"])
def test_problems_are_as_smooth_as_they_say(geometry, f):
    """f(y) ≤ f(x) + c·(y − x) + L B_ψ(y : x), on the simplex for least squares; and not with a hundredth of it."""
    rng = np.random.default_rng(1)
    simplex = isinstance(geometry, ig.NegativeEntropy)
    x, y = (rng.dirichlet(np.ones(3), 500) if simplex else geometry.theta_domain.sample(rng, (500,)) for _ in range(2))
    value, covector = f.value_and_gradient(x)
    above = f.value_and_gradient(y)[0] - value - np.sum(covector * (y - x), axis=-1)
    B = geometry.divergence(x, y)
    assert np.all(above <= f.relative_smoothness * B * (1 + 1e-9) + 1e-12)
    assert np.any(above > 0.01 * f.relative_smoothness * B)


def test_least_squares_and_poisson_losses_say_what_they_need():
    f = ig.LeastSquares([[1.0, 2.0]], [[1.0], [2.0]])
    assert f.rows == (2,) and f.smoothness == pytest.approx(5.0) and f.relative_smoothness == 4.0
    for make, kind, message in ((lambda: ig.LeastSquares([[1.0]], [1.0, 2.0]), ig.ShapeError, r"A and b must have shapes"),
                                (lambda: ig.LeastSquares([[np.nan]], [1.0]), ig.DomainError, "A must satisfy A finite"),
                                (lambda: ig.PoissonLoss([[1.0], [0.0]], [1.0, 1.0]), ig.DomainError, "without a row of zeros"),
                                (lambda: ig.PoissonLoss([[1.0]], [-1.0]), ig.DomainError, "b must satisfy b >= 0")):
        with pytest.raises(kind, match=message):
            make()
