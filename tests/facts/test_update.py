"""One step of each update, by hand."""
import numpy as np
import pytest

import infogeo as ig

FAMILY = ig.Categorical(3)
X, C = np.array([0.3, -0.5]), np.array([0.2, -0.1])


def test_gradient_step():
    x, state = ig.GradientUpdate()(FAMILY, X, C, 0.5)
    np.testing.assert_array_equal(x, X - 0.5 * C)
    assert state is None and ig.GradientUpdate().init(X) is None


def test_natural_step_solves_with_the_metric():
    x, _ = ig.NaturalUpdate()(FAMILY, X, C, 0.5)
    np.testing.assert_allclose(x, X - 0.5 * np.linalg.solve(FAMILY.metric(X), C), rtol=1e-13)


def test_mirror_step_subtracts_in_the_other_chart():
    x, _ = ig.MirrorUpdate()(FAMILY, X, C, 0.5)
    np.testing.assert_allclose(FAMILY.to_eta(x), FAMILY.to_eta(X) - 0.5 * C, rtol=1e-13)


@pytest.mark.parametrize("update", [ig.GradientUpdate(), ig.NaturalUpdate(), ig.MirrorUpdate()], ids=repr)
def test_velocity_is_the_derivative_of_the_curve(update):
    h = 1e-6
    forward, backward = update(FAMILY, X, C, h)[0], update(FAMILY, X, C, -h)[0]
    np.testing.assert_allclose(update.velocity(FAMILY, X, C), (forward - backward) / (2 * h), rtol=1e-8)


@pytest.mark.parametrize("update", [ig.GradientUpdate(), ig.NaturalUpdate(), ig.MirrorUpdate()], ids=repr)
def test_step_sizes_by_row(update):
    h = np.array([0.1, 0.2, 0.4])
    x = np.broadcast_to(X, (3, 2))
    together = update(FAMILY, x, np.broadcast_to(C, (3, 2)), h)[0]
    for row in range(3):
        np.testing.assert_allclose(together[row], update(FAMILY, X, C, h[row])[0], rtol=1e-13)
