"""Momentum, Nesterov's gradient, Adam, RMSprop: against recursions by hand and what is known of them."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.curvature.diagonal import diagonal_fisher
from infogeo.errors import DomainError
from infogeo.training.adam import Adam, RMSprop
from infogeo.training.data import MiniBatches
from infogeo.training.momentum import Momentum, Nesterov

from ..backends import every_dtype
from .training_helpers import problem, run

UPDATES = {"momentum": Momentum(0.9), "nesterov": Nesterov(0.9), "adam": Adam(), "rmsprop": RMSprop(),
           "natural momentum": Momentum(0.5, ig.NaturalUpdate())}
every_update = pytest.mark.parametrize("update", UPDATES.values(), ids=UPDATES)


class Quadratic(ig.Objective):
    """½ Σ a_i x_i²."""

    def __init__(self, a):
        self.a = np.asarray(a, dtype=float)

    def value_and_gradient(self, x):
        return 0.5 * np.sum(self.a * x * x, axis=-1), self.a * x


def gradients(path, a):
    return np.asarray(a) * path


def test_momentum_by_hand():
    path = run(Quadratic([1.0, 3.0]), np.array([1.0, -2.0]), Momentum(0.9)).path
    v = np.zeros(2)
    for k in range(20):
        v = 0.9 * v - 0.1 * np.array([1.0, 3.0]) * path[k]
        np.testing.assert_allclose(path[k + 1], path[k] + v, rtol=1e-14, atol=1e-16)


def test_nesterov_takes_the_gradient_ahead():
    """v ← β v − h ∇f(x + β v), x ← x + v: the run holds the points x + β v."""
    a, x, v = np.array([1.0, 3.0]), np.array([1.0, -2.0]), np.zeros(2)
    path = run(Quadratic(a), x, Nesterov(0.9)).path
    for k in range(20):
        np.testing.assert_allclose(path[k], x + 0.9 * v, rtol=1e-12)
        v = 0.9 * v - 0.1 * a * (x + 0.9 * v)
        x = x + v


def test_momentum_of_the_natural_gradient():
    """On the manifold of a family, v ← β v − h G⁻¹ c."""
    M, target = ig.Categorical(3), np.array([0.5, 0.3])
    path = run(ig.CrossEntropy(M, target), np.array([0.3, -1.0]), Momentum(0.5, ig.NaturalUpdate()), geometry=M).path
    v = np.zeros(2)
    for k in range(20):
        v = 0.5 * v - 0.1 * np.linalg.solve(M.metric(path[k]), M.to_eta(path[k]) - target)
        np.testing.assert_allclose(path[k + 1], path[k] + v, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("update, h, rate", [
    (ig.GradientUpdate(), 2 / 101, 99 / 101),
    (Momentum((9 / 11) ** 2), 4 / 121, 9 / 11),
    (Nesterov(9 / 11), 1 / 100, 9 / 10),
], ids=["gradient", "heavy ball", "nesterov"])
def test_rates_at_condition_number_100(update, h, rate):
    """(κ − 1)/(κ + 1), (√κ − 1)/(√κ + 1) and 1 − 1/√κ, each with its best parameters."""
    path = run(Quadratic([1.0, 100.0]), np.ones(2), update, h=h, max_steps=400).path
    norms = np.linalg.norm(path, axis=-1)
    np.testing.assert_allclose((norms[400] / norms[200]) ** (1 / 200), rate, rtol=0.01)


def test_adam_by_hand():
    a = np.array([1.0, 50.0])
    path = run(Quadratic(a), np.array([1.0, -2.0]), Adam(0.8, 0.99, 1e-3)).path
    g = gradients(path, a)
    for t in range(1, 21):
        weights1, weights2 = 0.8 ** np.arange(t)[::-1], 0.99 ** np.arange(t)[::-1]
        m = weights1 @ g[:t] / weights1.sum()                    # averages over the sum of their weights
        v = weights2 @ g[:t]**2 / weights2.sum()
        np.testing.assert_allclose(path[t], path[t - 1] - 0.1 * m / (np.sqrt(v) + 1e-3), rtol=1e-12, atol=1e-14)


def test_rmsprop_by_hand():
    a = np.array([1.0, 50.0])
    path = run(Quadratic(a), np.array([1.0, -2.0]), RMSprop(0.7, 0.0)).path
    g = gradients(path, a)
    for t in range(1, 21):
        weights = 0.7 ** np.arange(t)[::-1]
        v = weights @ g[:t]**2 / weights.sum()
        np.testing.assert_allclose(path[t], path[t - 1] - 0.1 * g[t - 1] / np.sqrt(v), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("update", [Adam(epsilon=0.0), RMSprop(epsilon=0.0)], ids=["adam", "rmsprop"])
def test_steps_do_not_depend_on_the_scale_of_a_coordinate(update):
    """Each coordinate's differential times a power of two: the same path to the bit, and a first step of ± h."""
    w = np.array([1.0, -2.0])
    path = run(Quadratic([1.0, 3.0]), w, update).path
    np.testing.assert_array_equal(run(Quadratic([1024.0, 3.0 / 64]), w, update).path, path)
    np.testing.assert_allclose(path[1] - path[0], [-0.1, 0.1], rtol=1e-12)


def test_adam_may_go_uphill():
    """f_t = C x for one t of three and −x for two, on average uphill for C > 2: with β₁ = 0 and β₂ = 1/(1 + C²) Adam goes up.

    Source: Reddi, Kale & Kumar, On the convergence of Adam and beyond (2018), theorem 1.
    """
    C = 4.0

    class Turns(ig.Objective):
        k = 0

        def value_and_gradient(self, x):
            slope = C if self.k % 3 == 1 else -1.0
            return slope * x[..., 0], slope + 0.0 * x

        def draw(self, rng):
            step = Turns()
            self.k += 1
            step.k = self.k
            return step

    w = np.zeros(1)
    assert run(Turns(), w, ig.GradientUpdate(), h=0.01, max_steps=300).x[0] < -1.9
    assert run(Turns(), w, Adam(0.0, 1 / (1 + C * C), 0.0), h=0.01, max_steps=300).x[0] > 0.5


def test_rmsprop_of_single_examples_is_the_running_diagonal_empirical_fisher():
    model, w, batch = problem("categorical")
    states = []
    path = run(MiniBatches(model.objective(batch), 1), w, RMSprop(0.9), h=1e-3,
               callbacks=[lambda moment: states.append(moment.state)]).path
    objective, rng = MiniBatches(model.objective(batch), 1), np.random.default_rng(5)
    average = 0.0
    for k in range(20):
        step = objective.draw(rng)
        diagonal = diagonal_fisher(model, path[k], (step.x, step.y), outputs=ig.curvature.Observed()).diagonal()
        average = 0.9 * average + 0.1 * diagonal
        np.testing.assert_allclose(states[k].second, average, rtol=1e-9, atol=1e-18)


@every_update
def test_rows_are_runs_of_their_own(update):
    model, w, batch = problem("categorical")
    ws, geometry = np.stack([w, -w, 0.5 * w]), ig.Euclidean(w.size)
    together = run(model.objective(batch), ws, update, geometry=geometry, h=np.array([0.1, 0.05, 0.2]))
    for i, h in enumerate((0.1, 0.05, 0.2)):
        alone = run(model.objective(batch), ws[i], update, geometry=geometry, h=h)
        np.testing.assert_allclose(together.path[:, i], alone.path, rtol=1e-8, atol=1e-10)


@every_dtype
@every_update
def test_arrays_stay_what_they_are(update, dtype, backend):
    model, w, batch = problem("bernoulli", backend, dtype)
    path = backend.check(run(model.objective(batch), w, update, max_steps=5).path, dtype)
    model, w, batch = problem("bernoulli")
    expected = run(model.objective(batch), w, update, max_steps=5).path
    np.testing.assert_allclose(path, expected, rtol=1e-9 if dtype == "float64" else 0, atol=1e-12 if dtype == "float64" else 2e-3)


@every_update
def test_the_velocity_is_the_limit_of_small_steps(update):
    """Over t = h k steps of h → 0 the run follows the vector field, here constant: a linear objective."""
    class Linear(ig.Objective):
        def value_and_gradient(self, x):
            return x[..., 0] - 2.0 * x[..., 1], np.array([1.0, -2.0]) + 0.0 * x

    x, h, steps = np.zeros(2), 1e-4, 4000
    moved = run(Linear(), x, update, h=h, max_steps=steps).x
    field = update.velocity(ig.Euclidean(2), x, np.array([1.0, -2.0]))
    np.testing.assert_allclose(moved / (h * steps), field, rtol=0.01)


@pytest.mark.parametrize("make, message", [
    (lambda: Momentum(1.0), "0 <= decay < 1; got 1.0"),
    (lambda: Nesterov(-0.1), "0 <= decay < 1; got -0.1"),
    (lambda: Adam(second_decay=1.0), "0 <= second_decay < 1; got 1.0"),
    (lambda: Adam(epsilon=-1.0), "epsilon >= 0; got -1.0"),
    (lambda: RMSprop(2.0), "0 <= second_decay < 1"),
])
def test_bad_arguments(make, message):
    with pytest.raises(DomainError, match=message):
        make()
