"""A run is the same on every library: points, records, statuses, and in the dtype of its start."""
import numpy as np
import pytest

import infogeo as ig

from ..backends import NUMPY

M = ig.Categorical(3)
ETA = np.array([0.2, 0.5])
X0 = np.array([[0.3, -0.2], [0.1, 0.6], [-0.5, 0.4]])
SIZES = np.array([0.1, 0.3, 0.5])


def run(backend, x0=X0, dtype="float64", f=None, **how):
    f = ig.CrossEntropy(M, backend.make(ETA, dtype)) if f is None else f
    how = {"geometry": M, "update": ig.NaturalUpdate(), "step": 0.3, "max_steps": 10} | how
    return ig.descend(f, backend.make(x0, dtype), **how)


def assert_same(backend, found, expected, dtype="float64"):
    rtol = 1e-9 if dtype == "float64" else 1e-4
    for name in ("x", "path", "values"):
        a, b = getattr(found, name), getattr(expected, name)
        assert (a is None) == (b is None), name
        assert a is None or np.allclose(backend.check(a, dtype), b, rtol=rtol, atol=rtol), name
    for name in ("status", "steps", "recorded"):
        assert np.array_equal(backend.to_numpy(getattr(found, name)), getattr(expected, name)), name


@pytest.mark.parametrize("steps", [0, 7, 10])
def test_the_last_step_is_recorded(backend, steps):
    """Also where the period of the record does not divide the number of steps."""
    how = {"max_steps": steps, "record": ig.Every(7)}
    assert_same(backend, run(backend, **how), run(NUMPY, **how))


RULES = {"a list": lambda make: SIZES.tolist(), "of a list": lambda make: ig.Constant(SIZES.tolist()),
         "wide": lambda make: ig.Constant(make(SIZES)), "a wide number": lambda make: np.float64(0.3),
         "diminishing": lambda make: ig.Diminishing(make(SIZES)), "of the user": lambda make: lambda at: make(SIZES)}


@pytest.mark.parametrize("rule", RULES)
def test_step_sizes_follow_the_points(backend, rule):
    """Lists go to their library, and the run keeps the dtype of its start."""
    found = run(backend, dtype="float32", step=RULES[rule](backend.make))
    assert_same(backend, found, run(NUMPY, step=RULES[rule](NUMPY.make)), "float32")


def test_bounds_and_targets_follow_the_points(backend):
    """A list as the bound of a stopping rule; an objective of wider numbers."""
    how = {"tol": ig.solvers.Gap(1e-4, [0.9, 0.8, 1.02966])}
    assert_same(backend, run(backend, **how), run(NUMPY, **how))
    wide = ig.CrossEntropy(M, backend.make(ETA))
    assert_same(backend, run(backend, dtype="float32", f=wide), run(NUMPY), "float32")


def test_an_empty_batch(backend):
    """No row, no step; and every formula of the class of no point has the shape of one."""
    found = run(backend, np.empty((0, 2)), tol=1e-3, step=ig.Backtracking())
    assert found.x.shape == (0, 2) and found.path.shape == (11, 0, 2) and found.status.shape == (0,)
    none = backend.make(np.empty((0, 2)))
    for name in ("to_eta", "to_theta", "entropy", "metric", "dual_potential"):
        assert getattr(M, name)(none).shape[0] == 0, name


def test_lists_stand_beside_arrays(backend):
    """A list is of the library of the arrays in the same call."""
    theta, eta = X0[0], ETA.tolist()
    assert np.allclose(backend.check(ig.fenchel_young(M, backend.make(theta), eta)), ig.fenchel_young(M, theta, eta))
    data = np.array([0.0, 1.0, 2.0, 1.0])
    found, expected = (ig.statistics.posterior(M, [1.0, 2.0, 0.5], ig.statistics.SufficientStatistics.from_data(M, x))
                       for x in (backend.make(data), data))
    assert np.allclose(backend.check(found), expected)
