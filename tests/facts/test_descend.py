"""The loop: statuses, frozen rows, records, random objectives, users' own objectives and geometries."""
import numpy as np
import pytest

import infogeo as ig
from infogeo import Status
from infogeo.solvers import rows as rows_of

FAMILY = ig.Categorical(3)
TARGET = np.array([0.5, 0.3])


def forward(eta=TARGET):
    return ig.CrossEntropy(FAMILY, eta)


def run(f, x0, **changes):
    settings = dict(geometry=FAMILY, update=ig.MirrorUpdate(), step=ig.Constant(0.5), max_steps=10)
    return ig.descend(f, x0, **settings | changes)


def test_a_run_by_hand():
    """η_k = η̂ + 2⁻ᵏ (η₀ − η̂), values of ψ − θ·η̂ along it, all rows at MAX_STEPS."""
    x0 = np.array([[0.0, 0.0], [1.0, -2.0]])
    result = run(forward(), x0)
    assert result.path.shape == (11, 2, 2) and result.values.shape == (11, 2)
    np.testing.assert_array_equal(result.path[0], x0)
    np.testing.assert_array_equal(result.path[-1], result.x)
    expected = TARGET + 0.5**np.arange(11)[:, None, None] * (FAMILY.to_eta(x0) - TARGET)
    np.testing.assert_allclose(FAMILY.to_eta(result.path), expected, rtol=1e-12)
    np.testing.assert_allclose(result.values, FAMILY.potential(result.path) - result.path @ TARGET, rtol=1e-13)
    np.testing.assert_array_equal(result.status, [Status.MAX_STEPS] * 2)
    np.testing.assert_array_equal(result.steps, [10, 10])


def test_path_points_are_those_of_the_steps():
    """path[k] does not depend on how many steps follow."""
    whole = run(forward(), [1.0, -2.0], max_steps=10).path
    for k in (0, 1, 7):
        np.testing.assert_array_equal(run(forward(), [1.0, -2.0], max_steps=k).x, whole[k])


def test_converged_rows_stop_at_the_riemannian_gradient_norm():
    """√(c·G⁻¹c) ≤ tol; the norm is the same in both charts, so both stop where it falls below."""
    result = run(forward(), [[0.0, 0.0], [3.0, -2.0]], max_steps=200, tol=1e-3)
    np.testing.assert_array_equal(result.status, [Status.CONVERGED] * 2)
    covector = FAMILY.to_eta(result.path) - TARGET
    norms = np.sqrt(np.sum(covector * FAMILY.sharp(result.path, covector), axis=-1))
    for row, steps in enumerate(result.steps):
        assert norms[steps, row] <= 1e-3 < norms[steps - 1, row]
        np.testing.assert_array_equal(result.path[steps:, row], np.broadcast_to(result.x[row], (len(result.path) - steps, 2)))
    assert result.steps[1] > result.steps[0]
    at_five = norms[5, 0]
    for tol, steps in ((at_five * (1 + 1e-9), 5), (at_five * (1 - 1e-9), 6)):
        assert int(run(forward(), [0.0, 0.0], max_steps=20, tol=tol).steps) == steps
    eta0 = FAMILY.to_eta(np.array([[0.0, 0.0], [3.0, -2.0]]))
    dual = ig.descend(forward().in_dual_coordinates(), eta0, geometry=FAMILY.dual, update=ig.NaturalUpdate(),
                      step=ig.Constant(0.5),
                      max_steps=200, tol=1e-3)
    np.testing.assert_array_equal(dual.steps, result.steps)


def test_a_start_at_the_optimum_takes_no_step():
    result = run(forward(), FAMILY.theta_from(probabilities=[0.5, 0.3, 0.2]), tol=1e-10)
    assert int(result.steps) == 0 and int(result.status) == Status.CONVERGED and len(result.path) == 1


def test_a_row_that_leaves_the_domain_keeps_its_last_point_and_the_others_go_on():
    f = forward().in_dual_coordinates()
    eta0 = np.array([[0.2, 0.2], [0.01, 0.98]])
    result = ig.descend(f, eta0, geometry=FAMILY.dual, update=ig.GradientUpdate(), step=ig.Constant([0.05, 0.5]), max_steps=50)
    np.testing.assert_array_equal(result.status, [Status.MAX_STEPS, Status.LEFT_DOMAIN])
    assert np.all(FAMILY.eta_domain.contains(result.path))
    steps = int(result.steps[1])
    assert steps < 50
    np.testing.assert_array_equal(result.path[steps:, 1], np.broadcast_to(result.x[1], (51 - steps, 2)))
    np.testing.assert_allclose(result.x[0], TARGET, rtol=1e-2)
    alone = ig.descend(f, eta0[0], geometry=FAMILY.dual, update=ig.GradientUpdate(), step=ig.Constant(0.05), max_steps=50)
    np.testing.assert_allclose(result.path[:, 0], alone.path, rtol=1e-14)


def test_mirror_descent_whose_mirror_point_leaves_the_domain():
    """η − h c outside the simplex has no θ: reported as LEFT_DOMAIN, with the advice of its text."""
    result = run(forward([0.98, 0.01]), [-3.0, 3.0], step=ig.Constant(2.5))
    assert int(result.status) == Status.LEFT_DOMAIN
    assert "smaller step" in result.message and "LEFT_DOMAIN (1 of 1 rows)" in result.message
    np.testing.assert_array_equal(result.x, [-3.0, 3.0])


class Pole:
    """f = ½ x², with an infinite value below −1 and a NaN gradient above 5."""

    def value_and_gradient(self, x):
        value = np.where(x[..., 0] < -1, np.inf, 0.5 * x[..., 0]**2)
        return value, np.where(x > 5, np.nan, x)


def test_rows_with_infinite_values_or_gradients():
    line = ig.Euclidean(1)
    result = ig.descend(Pole(), [[1.0], [4.0], [6.0]], geometry=line, update=ig.GradientUpdate(),
                        step=ig.Constant([0.5, 1.5, 0.5]),
                        max_steps=20)
    np.testing.assert_array_equal(result.status, [Status.MAX_STEPS, Status.NONFINITE, Status.NONFINITE])
    np.testing.assert_array_equal(result.x[1:, 0], [4.0, 6.0])      # the last good points
    np.testing.assert_array_equal(result.steps[1:], [0, 0])
    assert np.all(np.isfinite(result.path))
    np.testing.assert_allclose(result.x[0], 0.5**20, rtol=1e-14)


def test_sweep_of_targets_step_sizes_and_starts_in_one_call():
    """Batch shapes broadcast: targets (3, 1, 1), step sizes (2, 1), starts (4); every row is the run on its own."""
    targets = np.random.default_rng(0).dirichlet(np.ones(3), size=3)[:, None, None, :2]
    steps = np.array([[0.1], [0.7]])
    starts = np.random.default_rng(1).standard_normal((4, 2))
    result = run(forward(targets), starts, step=ig.Constant(steps), max_steps=6)
    assert result.path.shape == (7, 3, 2, 4, 2) and result.status.shape == (3, 2, 4)
    for i, j, k in [(0, 0, 0), (2, 1, 3), (1, 0, 2)]:
        alone = run(forward(targets[i, 0, 0]), starts[k], step=ig.Constant(steps[j, 0]), max_steps=6)
        np.testing.assert_allclose(result.path[:, i, j, k], alone.path, rtol=1e-12)


@pytest.mark.parametrize("record, path, values", [("path", True, True), ("values", False, True), (None, False, False)])
def test_records(record, path, values):
    reference = run(forward(), [1.0, -2.0])
    result = run(forward(), [1.0, -2.0], record=record)
    np.testing.assert_array_equal(result.x, reference.x)
    assert (result.path is not None) == path and (result.values is not None) == values
    if values:
        np.testing.assert_array_equal(result.values, reference.values)


def test_record_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="record must be 'path', 'values' or None; got 'all'"):
        run(forward(), [0.0, 0.0], record="all")


def test_progress_changes_nothing_but_the_terminal(capsys):
    pytest.importorskip("tqdm", reason="progress bars need the extra `studies`")
    result = run(forward(), [1.0, -2.0], progress=True)
    np.testing.assert_array_equal(result.path, run(forward(), [1.0, -2.0]).path)
    assert "step" in capsys.readouterr().err


def test_start_is_checked():
    with pytest.raises(ig.DomainError, match=r"^x0 must satisfy x0 > 0 and sum\(x0\) < 1; 1 of 2 points does not, first"):
        ig.descend(forward().in_dual_coordinates(), [[0.2, 0.2], [0.6, 0.6]], geometry=FAMILY.dual, update=ig.GradientUpdate(),
                   step=ig.Constant(0.1), max_steps=1)
    with pytest.raises(ig.ShapeError, match=r"^x0 must have shape \(\.\.\., 2\); got \(3,\)$"):
        run(forward(), [0.0, 0.0, 0.0])
    with pytest.raises(ig.DomainError, match="^x0 must satisfy x0 finite; got "):
        run(forward(), [0.0, np.nan])


def test_integer_start():
    np.testing.assert_array_equal(run(forward(), [1, -2]).x, run(forward(), [1.0, -2.0]).x)


class WeightSpace(ig.Riemannian):
    """Weights of a linear regression under the metric XᵀX / n: nothing but a metric."""

    def __init__(self, X):
        self.X, self.dim = X, X.shape[1]

    def metric(self, w):
        return np.broadcast_to(self.X.T @ self.X / len(self.X), (*w.shape, self.dim))


class LeastSquares:
    """½ mean (Xw − y)²: a user's objective, with `value_and_gradient` and nothing more."""

    def __init__(self, X, y):
        self.X, self.y = X, y

    def value_and_gradient(self, w):
        residual = w @ self.X.T - self.y
        return 0.5 * np.mean(residual**2, axis=-1), residual @ self.X / len(self.y)


def test_users_objective_and_geometry():
    """One natural-gradient step of size 1 from anywhere is the least-squares solution; plain descent needs many."""
    rng = np.random.default_rng(2)
    X, y = rng.standard_normal((30, 3)) * [1.0, 10.0, 0.1], rng.standard_normal(30)
    solution = np.linalg.lstsq(X, y, rcond=None)[0]
    space, f = WeightSpace(X), LeastSquares(X, y)
    one = ig.descend(f, rng.standard_normal((5, 3)), geometry=space, update=ig.NaturalUpdate(), step=ig.Constant(1.0),
                     max_steps=1)
    np.testing.assert_allclose(one.x, np.broadcast_to(solution, (5, 3)), rtol=1e-9)
    flow = ig.flow(f, np.zeros(3), geometry=space, update=ig.NaturalUpdate(), times=[0.0, 1.0])
    np.testing.assert_allclose(flow.path[1], solution * (1 - np.exp(-1.0)), rtol=1e-8)
    stopped = ig.descend(f, np.zeros(3), geometry=space, update=ig.NaturalUpdate(), step=ig.Constant(0.5), max_steps=100,
                         tol=1e-8)
    assert int(stopped.status) == Status.CONVERGED


class Momentum(ig.Update):
    """x⁺ = x − h v⁺ with v⁺ = β v + c: an update that carries a state."""

    def __init__(self, beta):
        self.beta = beta

    def init(self, x):
        return np.zeros_like(x)

    def __call__(self, geometry, x, covector, h, state=None):
        state = self.beta * state + covector
        return x - h * state, state

    def velocity(self, geometry, x, covector):
        return -covector


def test_an_update_with_a_state():
    """On ½ x², by the linear recursion of heavy-ball momentum."""
    class Half:
        def value_and_gradient(self, x):
            return 0.5 * np.sum(x**2, axis=-1), x

    result = ig.descend(Half(), [1.0], geometry=ig.Euclidean(1), update=Momentum(0.5), step=ig.Constant(0.3), max_steps=20)
    x, v = 1.0, 0.0
    for k in range(20):
        v = 0.5 * v + x
        x = x - 0.3 * v
        np.testing.assert_allclose(result.path[k + 1, 0], x, rtol=1e-13)


def test_statuses_say_what_to_try():
    for status in Status:
        assert status.text.endswith(".") and len(status.text) > 30
    result = run(forward(), np.zeros((3, 2)), step=ig.Constant([0.5, 1.0, 1e-9]), max_steps=5, tol=1e-6)
    assert result.message.splitlines()[0].startswith("CONVERGED (1 of 3 rows): ")
    assert result.message.splitlines()[1].startswith("MAX_STEPS (2 of 3 rows): ")


# Rows, and how one learns how many there are

def ends(**changes):
    """One row each that converges, goes on, leaves the domain and overflows."""
    f, eta0 = forward().in_dual_coordinates(), np.array([[0.2, 0.2], [0.2, 0.2], [0.01, 0.98], [0.3, 0.3]])
    settings = dict(geometry=FAMILY.dual, update=ig.GradientUpdate(), step=ig.Constant([0.2, 1e-3, 0.5, 1e300]), max_steps=77,
                    tol=1e-6)
    return ig.descend(f, eta0, **settings | changes)


def poles(**changes):
    settings = dict(geometry=ig.Euclidean(1), update=ig.GradientUpdate(), step=ig.Constant([0.5, 1.5, 0.5]), max_steps=40)
    return ig.descend(Pole(), [[1.0], [4.0], [6.0]], **settings | changes)


def one_row(**changes):
    return run(forward(), [1.0, -2.0], **dict(max_steps=200, tol=1e-8) | changes)


def one_that_leaves(**changes):
    return run(forward([0.98, 0.01]), [-3.0, 3.0], **dict(step=ig.Constant(2.5)) | changes)


@pytest.mark.parametrize("record", ["path", None])
@pytest.mark.parametrize("example", [ends, poles, one_row, one_that_leaves])
def test_rows_that_are_looked_at_every_16th_step(example, record, monkeypatch):
    """As on a GPU: masks are applied unseen, and the run takes up to 15 steps more than it needs, which change nothing."""
    reference = example(record=record)
    monkeypatch.setitem(rows_of.PERIODS, "numpy", 16)
    result = example(record=record)
    for name in ("x", "status", "steps"):
        np.testing.assert_array_equal(getattr(result, name), getattr(reference, name))
    if record:
        records = len(reference.path)
        assert records <= len(result.path) <= records + 15
        np.testing.assert_array_equal(result.path[:records], reference.path)
        np.testing.assert_array_equal(result.values[:records], reference.values)
        np.testing.assert_array_equal(result.path[records:], np.broadcast_to(reference.x, result.path[records:].shape))


def test_a_run_that_is_stopped_and_goes_on_with_masks_unseen(monkeypatch):
    monkeypatch.setitem(rows_of.PERIODS, "numpy", 16)
    snapshots = []
    keep = lambda moment: snapshots.append(moment.snapshot()) if moment.k == 21 else None
    whole = ends(callbacks=[keep])
    again = ends(callbacks=[keep], resume=snapshots[0])
    np.testing.assert_array_equal(again.path, whole.path)
    np.testing.assert_array_equal(again.status, whole.status)
    stopped = ends(callbacks=[lambda moment: moment.k == 19])
    assert stopped.status[1] == Status.STOPPED and stopped.steps[1] == 19 and stopped.status[2] == Status.LEFT_DOMAIN


class Counting(ig.Objective):
    """½ |x − c|², its evaluations counted."""

    def __init__(self, c, rows=None):
        self.c, self.rows, self.shapes = np.asarray(c), rows, []

    def value_and_gradient(self, x):
        self.shapes.append(x.shape)
        return 0.5 * np.sum((x - self.c)**2, axis=-1), x - self.c


@pytest.mark.parametrize("says", [True, False], ids=["says its batch shape", "does not"])
@pytest.mark.parametrize("c, h", [([1.0, 2.0], 0.5), ([[1.0, 2.0]] * 3, 0.5), ([[[1.0, 2.0]]] * 3, [0.1, 0.2])])
def test_one_evaluation_a_step_and_one_at_the_end(c, h, says):
    """Nothing is evaluated to learn a shape: that of the targets is said, or told by the first value of the loop."""
    f = Counting(c, np.shape(c)[:-1] if says else None)
    result = ig.descend(f, np.zeros(2), geometry=ig.Euclidean(2), update=ig.GradientUpdate(), step=ig.Constant(h), max_steps=4)
    rows = np.broadcast_shapes(np.shape(c)[:-1], np.shape(h))
    assert len(f.shapes) == 5 and result.path.shape == (5, *rows, 2) and result.status.shape == rows
    assert f.shapes[0] == ((*rows, 2) if says else (*np.shape(h), 2)) and set(f.shapes[1:]) == {(*rows, 2)}
    expected = (1 - (1 - np.asarray(h))**4)[..., None] * np.asarray(c)
    np.testing.assert_allclose(result.x, np.broadcast_to(expected, (*rows, 2)), rtol=1e-14)


def test_states_have_the_batch_shape_that_the_first_value_tells():
    f = Counting([[1.0, 2.0]] * 3)
    result = ig.descend(f, np.zeros(2), geometry=ig.Euclidean(2), update=Momentum(0.5), step=ig.Constant(0.1), max_steps=3)
    assert result.state.shape == (3, 2)


def test_a_value_that_is_a_python_number():
    class Number:
        def value_and_gradient(self, x):
            return float(0.5 * x @ x), x

    result = ig.descend(Number(), [1.0, 2.0], geometry=ig.Euclidean(2), update=ig.GradientUpdate(), step=ig.Constant(0.5),
                        max_steps=3)
    np.testing.assert_allclose(result.x, [0.125, 0.25], rtol=1e-15)


# Without a geometry

def test_updates_that_need_no_geometry_are_given_none():
    """The chart is R^d; what asks for its metric is told what is missing."""
    settings = dict(update=ig.GradientUpdate(), step=ig.Constant(0.5), max_steps=5)
    plain = ig.descend(Counting([1.0, 2.0]), [0, 0], **settings)
    flat = ig.descend(Counting([1.0, 2.0]), [0, 0], geometry=ig.Euclidean(2), **settings)
    np.testing.assert_array_equal(plain.path, flat.path)
    for changes, what in [(dict(update=ig.NaturalUpdate()), "sharp"), (dict(update=ig.MirrorUpdate()), "to_eta"),
                          (dict(tol=1e-3), "sharp"), (dict(step=ig.RelativeSmooth()), "divergence")]:
        with pytest.raises(TypeError, match=f"the run needs a geometry, whose {what} its update, its step rule or its tol asks"):
            ig.descend(Counting([1.0, 2.0]), np.zeros(2), **settings | changes)
    with pytest.raises(ig.DomainError, match="x0 finite"):
        ig.descend(Counting([1.0, 2.0]), [0.0, np.nan], **settings)


# Results

def test_a_result_shows_itself_in_five_lines():
    result = run(forward(), np.zeros((3, 2)), step=ig.Constant([0.5, 1.0, 1e-9]), max_steps=5, tol=1e-6)
    lines = repr(result).splitlines()
    assert lines[:4] == ["Result of 3 rows, x of shape (3, 2)", "  status: 1 CONVERGED, 2 MAX_STEPS", "  steps: 1 to 5",
                         "  values: 1.09861 at first, 1.02965 to 1.09861 at last"]
    assert len(lines) == 5
    assert lines[4].startswith("  message: The Riemannian norm of the gradient fell to tol, or the stopping rule that is tol was "
                               "met. All")
    assert "values: not recorded" in repr(run(forward(), np.zeros(2), record=None))
    assert len(repr(run(forward(), np.zeros((0, 2)))).splitlines()) == 5


def test_a_result_has_the_last_state():
    result = ig.descend(Counting([0.0]), [1.0], update=Momentum(0.5), step=ig.Constant(0.3), max_steps=20)
    np.testing.assert_allclose(result.path[-1] - result.path[-2], -0.3 * result.state, rtol=1e-10)
    assert run(forward(), [1.0, 0.0]).state is None
