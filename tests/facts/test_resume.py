"""Callbacks, updates that see the step's objective, and runs that go on from a snapshot bit by bit."""
import pickle
from dataclasses import dataclass

import numpy as np
import pytest

import infogeo as ig
from infogeo import Status
from infogeo.solvers.update import Update

FAMILY = ig.Categorical(3)
X0 = np.array([[0.0, 0.0], [1.0, -2.0]])


@dataclass(frozen=True)
class HeavyBall(Update):
    """A state, and a look at the objective: the value at the new point is part of the state."""

    seen: object = None

    def init(self, x):
        return 0.0 * x, 0.0 * x[..., 0]

    def on(self, objective):
        return HeavyBall(objective)

    def __call__(self, geometry, x, covector, h, state=None):
        velocity = 0.5 * state[0] - h * covector
        return x + velocity, (velocity, self.seen.value_and_gradient(x + velocity)[0])

    def velocity(self, geometry, x, covector):
        return -covector


def run(callbacks=(), resume=None, seed=3, x0=X0, record="path", max_steps=12, rng=True, **changes):
    data = np.random.default_rng(1).integers(0, 3, 200)
    settings = dict(geometry=FAMILY, update=HeavyBall(), step=ig.Constant(0.3), max_steps=max_steps, record=record,
                    rng=np.random.default_rng(seed) if rng else None, callbacks=callbacks, resume=resume)
    return ig.descend(ig.MiniBatch(FAMILY, data, 8, rows=(2,)), x0, **settings | changes)


class Keeper:
    """Takes a snapshot after `k` steps, and counts its calls in its state."""

    def __init__(self, k):
        self.k, self.state, self.snapshot = k, 0, None

    def __call__(self, moment):
        self.state += 1
        if moment.k == self.k:
            self.snapshot = moment.snapshot()


@pytest.mark.parametrize("record", ["path", "values", None])
def test_a_resumed_run_is_the_run_bit_by_bit(record):
    keeper, fresh = Keeper(5), Keeper(None)
    whole = run([keeper], record=record)
    again = run([fresh], keeper.snapshot, seed=99, record=record)
    np.testing.assert_array_equal(again.x, whole.x)
    np.testing.assert_array_equal(again.steps, whole.steps)
    for name in ("path", "values"):
        if getattr(whole, name) is not None:
            np.testing.assert_array_equal(getattr(again, name), getattr(whole, name))
    assert fresh.state == keeper.state == 12
    assert not np.array_equal(run(seed=99).x, whole.x)


def test_what_callbacks_see():
    seen = []
    result = run([seen.append])
    assert [m.k for m in seen] == list(range(1, 13))
    for m in seen:
        np.testing.assert_array_equal(m.x, result.path[m.k])
        np.testing.assert_array_equal(m.value, result.values[m.k - 1])
        assert m.covector.shape == X0.shape and m.state[0].shape == X0.shape


def test_the_update_sees_the_objective_of_the_step():
    """The value in the state is that of the mini-batch at the new point, not of the whole sample."""
    states = []
    run([lambda moment: states.append((moment.x, moment.state[1]))])
    whole = ig.MiniBatch(FAMILY, np.random.default_rng(1).integers(0, 3, 200), 8, rows=(2,))
    assert all(np.all(value != whole.value_and_gradient(x)[0]) for x, value in states)


@pytest.mark.parametrize("said", [True, np.True_, np.array(True)], ids=type)
def test_a_callback_ends_the_run(said):
    """By True of whatever kind; a number or an array that it gives back is no wish to end."""
    result = run([lambda moment: said if moment.k == 4 else np.array([True, True]) if moment.k == 3 else 1.0])
    np.testing.assert_array_equal(result.status, [Status.STOPPED] * 2)
    np.testing.assert_array_equal(result.steps, [4, 4])
    whole = run()
    np.testing.assert_array_equal(result.path, whole.path[:5])
    np.testing.assert_array_equal(result.values[:4], whole.values[:4])
    assert "A callback ended the run" in result.message


def test_rows_that_ended_before_keep_their_status():
    f = ig.CrossEntropy(FAMILY, np.array([0.5, 0.3]))
    done = FAMILY.to_theta(np.array([0.5, 0.3]))
    result = ig.descend(f, np.stack([done, X0[1]]), geometry=FAMILY, update=ig.GradientUpdate(), step=ig.Constant(0.1),
                        max_steps=20, tol=1e-8, callbacks=[lambda moment: moment.k == 3])
    np.testing.assert_array_equal(result.status, [Status.CONVERGED, Status.STOPPED])
    np.testing.assert_array_equal(result.steps, [0, 3])


@pytest.mark.parametrize("changes, message", [
    (dict(record="values"), "record="),
    (dict(max_steps=3), "max_steps >= 5"),
    (dict(x0=np.zeros((3, 1, 2))), "x0 of shape"),
    (dict(rng=False), "rng"),
    (dict(callbacks=[]), "callbacks"),
])
def test_a_snapshot_of_another_run(changes, message):
    keeper = Keeper(5)
    run([keeper])
    with pytest.raises(ValueError, match=message):
        run(**dict(callbacks=[Keeper(None)], resume=keeper.snapshot) | changes)


def test_a_snapshot_needs_a_generator_with_a_state():
    class Other:
        standard_normal = random = None

    with pytest.raises(TypeError, match="numpy.random.Generator"):
        ig.descend(ig.CrossEntropy(FAMILY, np.array([0.5, 0.3])), X0, geometry=FAMILY, update=ig.GradientUpdate(),
                   step=ig.Constant(0.1), max_steps=3, rng=Other(), callbacks=[lambda moment: moment.snapshot()])


def test_an_array_library_goes_through_pickle(backend):
    xp = ig.backend.backend_of(backend.make(X0))
    assert pickle.loads(pickle.dumps(xp)) is xp


def test_snapshots_on_every_backend(backend):
    x0, keeper = backend.make(X0, "float64"), Keeper(2)
    f = ig.CrossEntropy(FAMILY, backend.make(np.array([0.5, 0.3]), "float64"))
    settings = dict(geometry=FAMILY, update=ig.NaturalUpdate(), step=ig.Constant(0.1), max_steps=5)
    whole = ig.descend(f, x0, **settings, callbacks=[keeper])
    again = ig.descend(f, x0, **settings, callbacks=[Keeper(None)], resume=keeper.snapshot)
    np.testing.assert_array_equal(backend.check(again.path), backend.check(whole.path))
