"""Objectives: values and differentials by hand, random objectives and their statistics."""
import numpy as np
import pytest
import scipy.stats

import infogeo as ig

FAMILY = ig.Categorical(3)


def test_cross_entropy_by_hand():
    """ψ − θ·η̂ and η − η̂ at the uniform point."""
    value, covector = ig.CrossEntropy(FAMILY, [0.5, 0.3]).value_and_gradient(np.zeros(2))
    np.testing.assert_allclose(value, np.log(3.0), rtol=1e-15)
    np.testing.assert_allclose(covector, [1 / 3 - 0.5, 1 / 3 - 0.3], rtol=1e-14)


def test_cross_entropy_is_kl_and_entropy():
    """The value is KL(q‖p) + H(q) for a family whose base measure is 1."""
    q, p = FAMILY.theta_from(probabilities=[0.5, 0.3, 0.2]), np.array([1.0, -0.4])
    value = ig.CrossEntropy(FAMILY, FAMILY.to_eta(q)).value_and_gradient(p)[0]
    np.testing.assert_allclose(value, FAMILY.kl(q, p) + FAMILY.entropy(q), rtol=1e-14)
    np.testing.assert_allclose(value, FAMILY.cross_entropy(q, p), rtol=1e-14)


def test_reverse_kl_by_hand():
    """KL(p‖q) and G(θ)(θ − θ_q); in η the differential is θ − θ_q."""
    family = ig.Normal()
    q, p = family.theta_from(mean=[1.0, 0.0], variance=[4.0, 1.0])
    f = ig.ReverseKL(family, q)
    value, covector = f.value_and_gradient(p)
    np.testing.assert_allclose(value, 0.443147180559945, rtol=1e-14)
    np.testing.assert_allclose(covector, family.metric(p) @ (p - q), rtol=1e-13)
    dual = f.in_dual_coordinates()
    np.testing.assert_allclose(dual.value_and_gradient(family.to_eta(p))[1], p - q, rtol=1e-13)
    assert dual.in_dual_coordinates() is f and dual.manifold is family.dual


@pytest.mark.parametrize("make, name, rule", [
    (lambda: ig.CrossEntropy(FAMILY, [0.7, 0.3]), "eta_hat", r"eta_hat > 0 and sum\(eta_hat\) < 1"),
    (lambda: ig.ReverseKL(ig.Normal(), [0.0, 0.0]), "theta_hat", r"theta_hat\[1\] < 0"),
    (lambda: ig.Noisy(ig.CrossEntropy(FAMILY, [0.3, 0.3]), -1.0), "sigma", "sigma >= 0"),
    (lambda: ig.MiniBatch(FAMILY, [0, 1, 2], 0), "size", "size must satisfy size an integer >= 1; got 0"),
    (lambda: ig.MiniBatch(FAMILY, [0, 1, 3], 2), "x", "x must satisfy x an integer, 0 <= x <= 2"),
])
def test_constructors_refuse(make, name, rule):
    with pytest.raises(ig.DomainError, match=rule):
        make()


def test_mini_batch_needs_a_sample():
    with pytest.raises(ig.ShapeError, match=r"x must have shape \(n,\), n >= 1; got \(0,\)"):
        ig.MiniBatch(FAMILY, [], 2)


def test_mini_batch_is_unbiased_with_the_variance_of_a_mean():
    """Over many rows: mean of the differential that of the whole sample, covariance Cov(T)/size, within 5 standard errors."""
    rng = np.random.default_rng(0)
    x = rng.choice(3, p=[0.5, 0.3, 0.2], size=300)
    size, rows = 10, 20000
    f = ig.MiniBatch(FAMILY, x, size, rows=(rows,))
    theta = np.array([0.3, -0.2])
    whole = f.value_and_gradient(theta)[1]
    np.testing.assert_allclose(whole[0], FAMILY.to_eta(theta) - np.bincount(x)[:2] / 300, rtol=1e-13)
    drawn = f.draw(rng).value_and_gradient(theta)[1]
    assert drawn.shape == (rows, 2)
    spread = FAMILY.sufficient_statistic(x.astype(float)).var(axis=0) / size
    assert np.all(abs(drawn.mean(axis=0) - whole[0]) < 5 * np.sqrt(spread / rows))
    np.testing.assert_allclose(drawn.var(axis=0), spread, rtol=5 * np.sqrt(2 / rows) + 0.01)
    assert abs(np.corrcoef(drawn[:-1, 0], drawn[1:, 0])[0, 1]) < 5 / np.sqrt(rows)      # rows are independent


def test_mini_batch_draws_every_observation_alike():
    """Observations 0 … 9 of a Poisson sample, batches of one: uniform by χ²."""
    f = ig.MiniBatch(ig.Poisson(), np.arange(10.0), 1, rows=(20000,))
    drawn = f.draw(np.random.default_rng(1)).value_and_gradient(np.zeros(1))[1]
    counts = np.bincount(np.rint(1 - drawn[:, 0]).astype(int), minlength=10)
    assert scipy.stats.chisquare(counts).pvalue > 1e-4


def test_mini_batches_of_many_rows_are_those_of_one_draw():
    """They are formed in blocks of 65536 entries, of the same numbers in the same order."""
    family, many, size = ig.Normal(), (9, 1000), 12
    x = np.random.default_rng(3).normal(size=50)
    index = np.floor(np.random.default_rng(4).random((*many, size)) * 50).astype(int)
    expected = family.sufficient_statistic(x)[index].mean(axis=-2)
    found = ig.MiniBatch(family, x, size, rows=many).draw(np.random.default_rng(4)).eta_hat
    np.testing.assert_array_equal(found, expected)


def test_mini_batch_floor_of_natural_gradient():
    """Mirror descent with a constant step on mini-batches: E KL = α n / (2B (2 − α)) around the sample's own frequencies."""
    x = np.repeat([0, 1, 2], [50, 30, 20])
    alpha, size, rows = 0.5, 100, 400
    f = ig.MiniBatch(FAMILY, x, size, rows=(rows,))
    q = FAMILY.theta_from(probabilities=[0.5, 0.3, 0.2])
    result = ig.descend(f, q, geometry=FAMILY, update=ig.MirrorUpdate(), step=ig.Constant(alpha), max_steps=100,
                        rng=np.random.default_rng(2))
    means = FAMILY.kl(q, result.path[40:]).mean(axis=0)
    expected = alpha * 2 / (2 * size * (2 - alpha))
    assert abs(means.mean() - expected) < 5 * means.std() / np.sqrt(rows) + 0.03 * expected


def test_noise_has_its_standard_deviation_and_no_mean():
    f = ig.CrossEntropy(FAMILY, [0.5, 0.3])
    noisy, theta = ig.Noisy(f, 0.2), np.zeros((20000, 2))
    value, covector = noisy.value_and_gradient(theta)
    np.testing.assert_array_equal(covector, f.value_and_gradient(theta)[1])
    step = noisy.draw(np.random.default_rng(0))
    noise = (step.value_and_gradient(theta)[1] - covector) / 0.2
    assert scipy.stats.kstest(noise.ravel(), scipy.stats.norm.cdf).pvalue > 1e-4
    np.testing.assert_allclose(noise.std(axis=0), 1.0, rtol=5 / np.sqrt(2 * 20000))
    # one step's noise is one function: the same at every evaluation within it
    np.testing.assert_array_equal(step.value_and_gradient(theta + 1.0)[1] - f.value_and_gradient(theta + 1.0)[1],
                                  step.value_and_gradient(theta + 1.0)[1] - f.value_and_gradient(theta + 1.0)[1])
    np.testing.assert_allclose(step.value_and_gradient(theta + 1.0)[1] - f.value_and_gradient(theta + 1.0)[1], 0.2 * noise,
                               atol=1e-15)
    assert noisy.manifold is FAMILY and step.manifold is FAMILY


def test_noise_on_a_linear_recursion():
    """Gradient descent on ½ x² with step h: stationary variance h σ² / (2 − h)."""
    class Half(ig.Objective):
        def value_and_gradient(self, x):
            return 0.5 * np.sum(x**2, axis=-1), x

    rows, h, sigma = 4000, 0.4, 0.7
    result = ig.descend(ig.Noisy(Half(), sigma), np.zeros((rows, 1)), geometry=ig.Euclidean(1), update=ig.GradientUpdate(),
                        step=ig.Constant(h), max_steps=60, rng=np.random.default_rng(3), record=None)
    assert np.var(result.x) == pytest.approx(h * sigma**2 / (2 - h), rel=5 * np.sqrt(2 / rows))


@pytest.mark.parametrize("f", [ig.Noisy(ig.CrossEntropy(FAMILY, [0.5, 0.3]), 0.1),
                               ig.MiniBatch(FAMILY, [0, 0, 1, 2, 1, 0], 3, rows=(4,)),
                               ig.Noisy(ig.CrossEntropy(FAMILY, [0.5, 0.3]), 0.1).pulled_back(ig.AffineMap(np.eye(2)))],
                         ids=["Noisy", "MiniBatch", "pulled back"])
def test_the_same_generator_gives_the_same_run(f):
    run = lambda seed: ig.descend(f, np.zeros((4, 2)), geometry=FAMILY, update=ig.GradientUpdate(), step=ig.Constant(0.5),
                                  max_steps=8,
                                  rng=np.random.default_rng(seed)).path
    np.testing.assert_array_equal(run(0), run(0))
    assert not np.array_equal(run(0), run(1))
    assert not np.array_equal(run(0)[1, 0], run(0)[1, 1])       # every row has noise of its own


def test_a_random_objective_without_a_generator_says_what_to_do():
    f = ig.Noisy(ig.CrossEntropy(FAMILY, [0.5, 0.3]), 0.1)
    with pytest.raises(TypeError, match=r"rng must be a numpy\.random\.Generator \(or CuPy's, .*\); got NoneType"):
        ig.descend(f, np.zeros(2), geometry=FAMILY, update=ig.GradientUpdate(), step=ig.Constant(0.5), max_steps=3)


def test_affine_pull_back():
    """f(Au + b): the differential is Aᵀ df, by finite differences too."""
    A, b = np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([0.1, 0.2])
    f = ig.CrossEntropy(FAMILY, [0.5, 0.3])
    g = f.pulled_back(ig.AffineMap(A, b))
    u = np.array([0.3, -0.2])
    value, covector = g.value_and_gradient(u)
    np.testing.assert_allclose(value, f.value_and_gradient(A @ u + b)[0], rtol=1e-15)
    np.testing.assert_allclose(covector, A.T @ f.value_and_gradient(A @ u + b)[1], rtol=1e-14)
    for i in range(2):
        e = 1e-6 * np.eye(2)[i]
        slope = (g.value_and_gradient(u + e)[0] - g.value_and_gradient(u - e)[0]) / 2e-6
        assert slope == pytest.approx(covector[i], rel=1e-7)
    with pytest.raises(ig.ShapeError, match=r"A must have shape \(d, m\); got \(2,\)"):
        ig.AffineMap([1.0, 2.0])
    with pytest.raises(ig.ShapeError, match=r"b must have shape \(2,\); got \(3,\)"):
        ig.AffineMap(A, np.zeros(3))


def test_smooth_pull_back():
    """A user's reparametrisation: log σ for the rate of an exponential distribution."""
    class Log:
        def __call__(self, u):
            return -np.exp(u)

        def pull_back(self, u, covector):
            return -np.exp(u) * covector

    f = ig.CrossEntropy(ig.Exponential(), [2.0]).pulled_back(Log())
    result = ig.descend(f, [1.0], geometry=ig.Euclidean(1), update=ig.GradientUpdate(), step=ig.Constant(0.5), max_steps=60)
    np.testing.assert_allclose(np.exp(result.x), [0.5], rtol=1e-10)


def test_objectives_show_themselves():
    f, q = ig.CrossEntropy(FAMILY, [[0.5, 0.3]] * 4), FAMILY.theta_from(probabilities=[0.5, 0.3, 0.2])
    assert repr(f) == f"CrossEntropy({FAMILY!r}, eta_hat of shape (4, 2))"
    assert repr(ig.ReverseKL(FAMILY, q)) == f"ReverseKL({FAMILY!r}, theta_hat of shape (2,))"
    assert repr(ig.Noisy(f, 0.1)) == f"Noisy({f!r}, 0.1)" and repr(f.in_dual_coordinates()) == f"{f!r}.in_dual_coordinates()"
    assert repr(f.pulled_back(ig.AffineMap(np.ones((2, 3))))) == f"{f!r}.pulled_back(AffineMap(R^3 -> R^2))"
    assert repr(ig.MiniBatch(FAMILY, [0, 1, 2], 2, (3,))) == f"MiniBatch({FAMILY!r}, 2 of 3 observations, rows=(3,))"


def test_objectives_say_their_batch_shape():
    """It is that of their values at one point; of a pull-back by a map that does not say its rows the value alone tells."""
    f, q = ig.CrossEntropy(FAMILY, [[0.5, 0.3]] * 4), FAMILY.theta_from(probabilities=[[0.5, 0.3, 0.2]] * 5)
    for g in (f, ig.ReverseKL(FAMILY, q), ig.Noisy(f, 0.1), ig.MiniBatch(FAMILY, [0, 1, 2], 2, (3,))):
        assert g.rows == g.value_and_gradient(np.zeros(2))[0].shape
    assert f.rows == (4,) == f.in_dual_coordinates().rows and ig.Noisy(f, 0.1).rows == (4,)
    assert f.pulled_back(ig.AffineMap(np.eye(2))).rows == (4,) and f.pulled_back(FAMILY.eta_domain.chart).rows is None
    with pytest.raises(TypeError, match="abstract"):
        ig.Objective()


def test_targets_are_copies():
    """What the caller changes later is no target, and the objective's own cannot be written."""
    eta_hat, theta_hat, A = np.array([0.5, 0.3]), np.array([1.0, -1.0]), np.eye(2)
    f, g, chart = ig.CrossEntropy(FAMILY, eta_hat), ig.ReverseKL(FAMILY, theta_hat), ig.AffineMap(A)
    for mine, theirs in ((eta_hat, f.eta_hat), (theta_hat, g.theta_hat), (A, chart.A)):
        before = mine.copy()
        mine *= 7.0
        np.testing.assert_array_equal(theirs, before)
        with pytest.raises(ValueError, match="read-only"):
            theirs[0] = 1.0
