"""How rows end: each status where it is true, and not elsewhere."""
import numpy as np
import pytest

import infogeo as ig
from infogeo import Status
from infogeo.solvers import Gap, GradientNorm, StepLength, ValueChange

FAMILY = ig.Categorical(3)


def ended(result):
    return [Status(int(s)).name for s in np.ravel(result.status)]


# Stalled

class Counting(ig.CrossEntropy):
    """Its evaluations counted; targets on the boundary allowed."""

    def __init__(self, family, eta_hat):
        self.manifold, self.eta_hat, self.rows, self.calls = family, np.asarray(eta_hat), (), 0

    def value_and_gradient(self, theta):
        self.calls += 1
        return super().value_and_gradient(theta)


class OnTheEdge(ig.Objective):
    """The likelihood of counts with a zero, in probabilities: its optimum lies on an edge of the simplex."""

    def __init__(self, share=0.6):
        self.share, self.calls, self.rows = share, 0, ()

    def value_and_gradient(self, eta):
        self.calls += 1
        value = -self.share * np.log(eta[..., 0]) - (1 - self.share) * np.log(eta[..., 1])
        return value, np.stack([-self.share / eta[..., 0], -(1 - self.share) / eta[..., 1]], axis=-1)


@pytest.mark.parametrize("step", [ig.Backtracking(1.0), ig.Exact(1.0)], ids=repr)
def test_a_search_that_finds_no_step_ends_at_once(step):
    """Gradient descent in probabilities runs to the edge, from where its direction leaves the simplex."""
    f = OnTheEdge()
    result = ig.descend(f, np.array([0.3, 0.3]), geometry=FAMILY.dual, update=ig.GradientUpdate(), step=step, max_steps=2000)
    assert ended(result) == ["STALLED"] and int(result.steps) < 200 and f.calls < 10000
    assert np.all(np.isfinite(result.values)) and np.all(np.diff(result.values) <= 0)
    assert "boundary" in result.message and "gradient" in result.message


def test_a_search_along_a_direction_that_rises_stalls():
    """A gradient of the wrong sign: no step size lowers the value."""
    class Wrong(ig.Objective):
        def value_and_gradient(self, x):
            return 0.5 * np.sum(x * x, axis=-1), -x

    for step in (ig.Backtracking(), ig.RelativeSmooth()):
        update = ig.MirrorUpdate() if isinstance(step, ig.RelativeSmooth) else ig.GradientUpdate()
        result = ig.descend(Wrong(), [[1.0, 2.0], [1.5, 0.0]], geometry=ig.Euclidean(2), update=update, step=step, max_steps=500)
        assert ended(result) == ["STALLED"] * 2 and result.steps.tolist() == [0, 0] and len(result.path) <= 2


def test_a_row_that_stalls_leaves_the_others_alone():
    f, x0 = OnTheEdge(), np.array([[0.3, 0.3], [0.05, 0.9]])
    together = ig.descend(f, x0, geometry=FAMILY.dual, update=ig.GradientUpdate(), step=ig.Backtracking(1.0), max_steps=300)
    for row in range(2):
        alone = ig.descend(f, x0[row], geometry=FAMILY.dual, update=ig.GradientUpdate(), step=ig.Backtracking(1.0), max_steps=300)
        np.testing.assert_array_equal(together.x[row], alone.x)
        assert int(together.steps[row]) == int(alone.steps) and int(together.status[row]) == int(alone.status)


def test_searches_on_random_objectives_go_on():
    """A mini-batch along whose gradient nothing is found is followed by another."""
    f = ig.MiniBatch(FAMILY, [0, 1, 2, 0, 1, 0], 2)
    result = ig.descend(f, np.zeros(2), geometry=FAMILY, update=ig.GradientUpdate(), step=ig.Backtracking(8.0), max_steps=60,
                        rng=np.random.default_rng(0))
    assert ended(result) == ["MAX_STEPS"] and int(result.steps) == 60


def test_with_tol_a_row_that_stands_still_stalls():
    """Natural gradient towards a vertex in θ: the steps fall below the rounding of the point, the norm not to 1e-300."""
    class Far(ig.Objective):
        def value_and_gradient(self, x):
            return np.exp(-x[..., 0]), -np.exp(-x)

    run = lambda start, step=1.0: ig.descend(Far(), start, geometry=ig.Euclidean(1), update=ig.GradientUpdate(), step=step,
                                             max_steps=1000, tol=1e-30)
    assert ended(run([0.0])) == ["MAX_STEPS"]
    result = run([40.0])
    assert ended(result) == ["STALLED"] and int(result.steps) == 0
    warm_up = run([0.0], lambda at: float(at.k > 3))
    assert ended(warm_up) == ["MAX_STEPS"] and warm_up.x[0] > 0         # a rule of one's own may move what it did not move before


class Capacity(ig.Objective):
    """−I(X; Y) of a channel W, rows inputs, of input probabilities without those of the reference, the outcome `last`."""

    def __init__(self, W, last):
        self.order = [i for i in range(len(W)) if i != last] + [last]
        self.W, self.rows = np.asarray(W)[self.order], ()

    def value_and_gradient(self, eta):
        p = np.concatenate([eta, 1 - np.sum(eta, axis=-1, keepdims=True)], axis=-1)
        q = p @ self.W
        gain = np.sum(self.W * np.log(self.W / q[..., None, :]), axis=-1)
        return -np.sum(p * gain, axis=-1), gain[..., -1:] - gain[..., :-1]


@pytest.mark.parametrize("settings, name", [(dict(), "MAX_STEPS"), (dict(tol=1e-7), "CONVERGED"),
                                            (dict(tol=ValueChange(1e-14)), "CONVERGED")])
def test_a_useless_symbol_ends_the_same_whichever_symbol_is_the_reference(settings, name):
    """Blahut–Arimoto, mirror descent on the simplex: the third input is never worth sending."""
    W = [[0.9, 0.1], [0.1, 0.9], [0.5, 0.5]]
    found = []
    for last in range(3):
        family = ig.Categorical(3)
        result = ig.descend(Capacity(W, last), np.full(2, 1 / 3), geometry=family.dual, update=ig.MirrorUpdate(),
                            step=ig.Constant(1.0), max_steps=400, **settings)
        found.append((ended(result)[0], int(result.steps)))
        np.testing.assert_allclose(-result.values[-1], np.log(2) + 0.9 * np.log(0.9) + 0.1 * np.log(0.1), rtol=1e-9)
    assert {status for status, _ in found} == {name}, found
    if name == "CONVERGED":
        assert np.ptp([steps for _, steps in found]) <= 1


# Diverged

def test_a_value_far_above_the_first_has_diverged():
    """½ x² with a step size of 3 doubles x at every step: 1000 times the size of the value after 5 or 6."""
    class Half(ig.Objective):
        def value_and_gradient(self, x):
            return 0.5 * np.sum(x * x, axis=-1), x

    run = lambda steps, h=3.0: ig.descend(Half(), [[2.0], [0.0]], geometry=ig.Euclidean(1), update=ig.GradientUpdate(),
                                          step=ig.Constant(h), max_steps=steps)
    assert ended(run(40)) == ["DIVERGED", "MAX_STEPS"]
    assert ended(run(4)) == ["MAX_STEPS"] * 2 and run(4).values[-1, 0] == 512.0
    assert ended(run(6)) == ["DIVERGED", "MAX_STEPS"] and run(6).values[-1, 0] == 8192.0
    assert ended(run(40, 0.1)) == ["MAX_STEPS"] * 2
    assert ended(run(2000)) == ["NONFINITE", "MAX_STEPS"]       # not finite any more: that is said
    assert "smaller step size" in run(40).message


def test_a_noise_floor_above_a_start_at_the_optimum_has_not_diverged():
    f = ig.Noisy(ig.CrossEntropy(FAMILY, [0.5, 0.3]), 1.0)
    result = ig.descend(f, FAMILY.to_theta(np.array([0.5, 0.3])), geometry=FAMILY, update=ig.GradientUpdate(), step=0.5,
                        max_steps=200, rng=np.random.default_rng(0))
    assert ended(result) == ["MAX_STEPS"]


# Singular

class Logistic(ig.Riemannian):
    """Logistic regression, its Fisher metric and its loss in one."""

    dim = 2

    def __init__(self, y):
        self.X, self.y = np.stack([np.ones(6), [-3.0, -2.0, -1.0, 1.0, 2.0, 3.0]], axis=-1), np.asarray(y, dtype=float)

    def _p(self, w):
        return 1 / (1 + np.exp(-w @ self.X.T))

    def _metric(self, xp, w):
        p = self._p(w)
        return np.einsum("...n,ni,nj->...ij", p * (1 - p), self.X, self.X)

    def value_and_gradient(self, w):
        z = w @ self.X.T
        return np.sum(np.logaddexp(0, z), axis=-1) - z @ self.y, (self._p(w) - self.y) @ self.X


def test_separable_logistic_regression_has_a_singular_metric():
    """Its weights run to infinity until the metric has no inverse: on R^d there is no domain to leave."""
    run = lambda y, **more: ig.descend(Logistic(y), np.zeros(2), geometry=Logistic(y), update=ig.NaturalUpdate(),
                                       step=ig.Constant(1.0), max_steps=500, **more)
    result = run([0, 0, 0, 1, 1, 1])
    assert ended(result) == ["SINGULAR"] and int(result.steps) < 100 and np.all(np.isfinite(result.path))
    assert "Damp the metric" in result.message and "separable" in result.message
    assert ended(run([0, 0, 1, 0, 1, 1], tol=1e-10)) == ["CONVERGED"]
    flow = ig.flow(Logistic([0, 0, 0, 1, 1, 1]), np.zeros(2), geometry=Logistic([0, 0, 0, 1, 1, 1]), update=ig.NaturalUpdate(),
                   times=[1.0, 200.0])
    assert ended(flow) in (["SINGULAR"], ["DIVERGED"])


@pytest.mark.parametrize("metric, steps", [([1.0, -1.0], 0), ([0.0, 1.0], 0), ([1.0, np.nan], 0)])
def test_an_indefinite_or_singular_metric_is_said(metric, steps):
    class Metric(ig.Riemannian):
        dim = 2

        def _metric(self, xp, x):
            return np.broadcast_to(np.diag(metric), (*x.shape, 2))

    f = lambda x: (2 + 0.5 * np.sum(x * x, axis=-1), x)
    result = ig.descend(f, [[1.0, 2.0], [1.5, 2.0]], geometry=Metric(), update=ig.NaturalUpdate(), step=0.3, max_steps=30)
    assert ended(result) == ["SINGULAR"] * 2 and result.steps.tolist() == [steps] * 2
    plain = ig.descend(f, [[1.0, 2.0], [1.5, 2.0]], geometry=Metric(), update=ig.GradientUpdate(), step=0.3, max_steps=30)
    assert ended(plain) == ["MAX_STEPS"] * 2                            # no metric is asked


def test_definite_metrics_are_not_indefinite_by_rounding():
    """Badly conditioned least squares down to its last digits."""
    class Steep(ig.Riemannian):
        dim = 2

        def _metric(self, xp, x):
            return np.broadcast_to(np.array([[1.0, 1 - 1e-9], [1 - 1e-9, 1.0]]), (*x.shape, 2))

    A = np.array([[1.0, 1 - 1e-9], [1 - 1e-9, 1.0]])
    f = lambda x: (0.5 * np.sum((x - 1) * ((x - 1) @ A), axis=-1), (x - 1) @ A)
    starts = np.random.default_rng(0).normal(size=(50, 2)) * 10.0**np.arange(-12, 13, 0.5)[:, None]
    result = ig.descend(f, starts, geometry=Steep(), update=ig.NaturalUpdate(), step=0.5, max_steps=100)
    assert set(ended(result)) == {"MAX_STEPS"}


def test_what_left_a_domain_did_not_meet_a_singular_metric():
    """Too long a step: the metric at the last point is regular."""
    eta0 = np.array([0.01, 0.98])
    result = ig.descend(ig.CrossEntropy(FAMILY, [0.5, 0.3]).in_dual_coordinates(), eta0, geometry=FAMILY.dual,
                        update=ig.NaturalUpdate(), step=40.0, max_steps=9)
    assert ended(result) == ["LEFT_DOMAIN"]


# Stopping rules

def test_stopping_rules():
    """Mirror descent on a cross-entropy halves η − η̂ at every step: all quantities fall by known factors."""
    f, goal = ig.CrossEntropy(FAMILY, [0.5, 0.3]), float(-FAMILY.dual_potential(np.array([0.5, 0.3])))
    run = lambda tol: ig.descend(f, np.array([1.0, -1.0]), geometry=FAMILY, update=ig.MirrorUpdate(), step=0.5, max_steps=100,
                                 tol=tol)
    whole = run(None)
    values, moves = whole.values, np.diff(whole.path, axis=0)
    covector = FAMILY.to_eta(whole.path) - f.eta_hat
    quantity = {GradientNorm(1e-6): np.sqrt(np.sum(covector * FAMILY.sharp(whole.path, covector), axis=-1)),
                StepLength(1e-6): np.r_[np.inf, FAMILY.norm(whole.path[:-1], moves)],
                ValueChange(1e-9): np.r_[np.inf, abs(np.diff(values))], Gap(1e-9, goal): values - goal,
                Gap(1e-9, lambda at: goal): values - goal}
    for stop, amount in quantity.items():
        result = run(stop)
        assert ended(result) == ["CONVERGED"] and int(result.steps) == np.flatnonzero(amount <= stop.tol)[0] > 3, stop
    assert int(run(1e-6).steps) == int(run(GradientNorm(1e-6)).steps)
    assert ended(run(lambda at: at.k >= 7)) == ["CONVERGED"]
    assert ended(whole) == ["MAX_STEPS"]


@pytest.mark.parametrize("tol", [-1.0, np.nan, "small", [1e-3]])
def test_tolerances_are_checked(tol):
    for make in (GradientNorm, StepLength, ValueChange, lambda tol: Gap(tol, 0.0),
                 lambda tol: ig.descend(lambda x: (0.0, x), [0.0], update=ig.GradientUpdate(), step=1.0, max_steps=1, tol=tol)):
        with pytest.raises(ig.DomainError, match="^tol must satisfy tol a number >= 0"):
            make(tol)


# Flows

def test_one_rows_blow_up_ends_that_row():
    """ẋ = x³ is infinite at t = 1 / (2 x₀²): the rows of x₀ = 0.1 and −0.2 go on, to their closed solution."""
    f = lambda x: (-0.25 * np.sum(x**4, axis=-1), -x**3)
    start, times = np.array([[0.1], [1.0], [-0.2], [3.0]]), np.array([0.02, 0.25, 1.0, 2.0])
    result = ig.flow(f, start, geometry=ig.Euclidean(1), update=ig.GradientUpdate(), times=times)
    assert ended(result) == ["FINISHED", "DIVERGED", "FINISHED", "DIVERGED"]
    exact = start[:, 0] / np.sqrt(1 - 2 * start[:, 0]**2 * times[:, None], where=2 * start[:, 0]**2 * times[:, None] < 1,
                                  out=np.full((4, 4), np.nan))
    for row in range(4):
        there = np.isfinite(exact[:, row])
        np.testing.assert_allclose(result.path[there, row, 0], exact[there, row], rtol=1e-8)
    assert np.all(np.isfinite(result.path)) and "infinity in a finite time" in result.message
    assert "max_steps" not in result.message and isinstance(result, ig.Result)


@pytest.mark.parametrize("method", ["RK45", "DOP853", "Radau", "LSODA"])
def test_a_velocity_that_is_not_finite_is_said(method):
    """A gradient that is NaN beyond 1, and a metric that is singular throughout."""
    f = lambda x: (-x[..., 0], np.where(x < 1, -1.0, np.nan))
    result = ig.flow(f, [[0.0], [-9.0]], geometry=ig.Euclidean(1), update=ig.GradientUpdate(), times=[0.5, 3.0], method=method)
    assert ended(result) == ["NONFINITE", "FINISHED"]
    np.testing.assert_allclose(result.path[0, :, 0], [0.5, -8.5], rtol=1e-6)
    np.testing.assert_allclose(result.path[1, :, 0], [1.0, -6.0], rtol=1e-3)
    assert "velocity is infinite or NaN" in result.message

    class Nothing(ig.Riemannian):
        dim = 1

        def _metric(self, xp, x):
            return np.zeros((*x.shape, 1))

    singular = ig.flow(lambda x: (x[..., 0], np.ones_like(x)), [2.0], geometry=Nothing(), update=ig.NaturalUpdate(), times=[1.0],
                       method=method)
    assert ended(singular) == ["SINGULAR"] and "no finite natural gradient" in singular.message


def test_a_status_of_an_array_of_one_entry():
    """Python 3.12 and later do not look up what has no hash."""
    for value in (np.array(5), np.int64(5), 5):
        assert ig.Status(value) is ig.Status.STALLED
    for value in (np.array(99), "5", None):
        with pytest.raises(ValueError):
            ig.Status(value)
