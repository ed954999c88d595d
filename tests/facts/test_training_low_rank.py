"""Online low-rank natural gradient: against dense running averages."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.curvature.low_rank import OnlineDiagonalPlusLowRank, OnlineLowRank
from infogeo.training.data import MiniBatches
from infogeo.training.low_rank import LowRankNatural

from ..backends import every_dtype
from .training_helpers import leading, problem, resumed, run


def second_moment(outputs, model, w, step):
    """(1/n) Σ_n Σ_c (J_nᵀ c)(J_nᵀ c)ᵀ, dense: of the gradients for the data's own y, else the Fisher metric."""
    if isinstance(outputs, ig.curvature.Observed):
        g = model.per_example_gradients(w, (step.x, step.y))
        return g.T @ g / len(g)
    return model.fisher_vector(w, step.x, np.eye(w.size))


@pytest.mark.parametrize("outputs", [ig.curvature.Observed(), ig.curvature.ExactColumns()], ids=["observed", "exact"])
@pytest.mark.parametrize("rank", [3, 100])
def test_a_run_by_hand(outputs, rank):
    """Reduced at every step to its leading eigendirections; with as many as there are dimensions exact."""
    model, w, batch = problem("categorical")
    update = LowRankNatural(OnlineLowRank(rank, 0.8), ig.curvature.Tikhonov(0.1), outputs)
    path = run(MiniBatches(model.objective(batch), 6), w, update, h=0.05, max_steps=8).path
    objective, rng = MiniBatches(model.objective(batch), 6), np.random.default_rng(5)
    total, weight = np.zeros((w.size, w.size)), 0.0
    for k in range(8):
        step = objective.draw(rng)
        total = leading(0.8 * total + second_moment(outputs, model, path[k], step), min(rank, w.size))
        weight = 0.8 * weight + 1.0
        damped = total / weight + 0.1 * np.eye(w.size)
        expected = path[k] - 0.05 * np.linalg.solve(damped, step.value_and_gradient(path[k])[1])
        np.testing.assert_allclose(path[k + 1], expected, rtol=1e-7, atol=1e-9)


def test_a_diagonal_makes_up_for_the_rest():
    model, w, batch = problem("bernoulli")
    update = LowRankNatural(OnlineDiagonalPlusLowRank(2, 0.8), ig.curvature.Tikhonov(0.1))
    path = run(MiniBatches(model.objective(batch), 6), w, update, h=0.05, max_steps=8).path
    objective, rng = MiniBatches(model.objective(batch), 6), np.random.default_rng(5)
    low, d, weight = np.zeros((w.size, w.size)), np.zeros(w.size), 0.0
    for k in range(8):
        step = objective.draw(rng)
        weight = 0.8 * weight + 1.0
        whole = (1 - 1 / weight) * low + second_moment(ig.curvature.Observed(), model, path[k], step) / weight
        low = leading(whole, 2)
        d = (1 - 1 / weight) * d + np.diag(whole - low)
        expected = path[k] - 0.05 * np.linalg.solve(low + np.diag(d + 0.1), step.value_and_gradient(path[k])[1])
        np.testing.assert_allclose(path[k + 1], expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("average", [OnlineLowRank(4, 0.9, 3), OnlineDiagonalPlusLowRank(4, 0.9)], ids=["low", "diagonal"])
def test_twenty_steps_are_ten_and_ten_more(average, tmp_path):
    model, w, batch = problem("categorical")
    objective, update = lambda: MiniBatches(model.objective(batch), 5), LowRankNatural(average, ig.curvature.Tikhonov(0.1))
    whole, again = resumed(objective, w, update, tmp_path / "run.checkpoint")
    np.testing.assert_array_equal(again.path, whole.path)


@every_dtype
@pytest.mark.parametrize("average", [OnlineLowRank(4, 0.9), OnlineDiagonalPlusLowRank(4, 0.9)], ids=["low rank", "with diagonal"])
def test_on_every_backend(average, dtype, backend):
    model, w, batch = problem("categorical", backend, dtype)
    update = LowRankNatural(average, ig.curvature.Tikhonov(0.1))
    path = backend.check(run(MiniBatches(model.objective(batch), 5), w, update, max_steps=4).path, dtype)
    model, w, batch = problem("categorical")
    expected = run(MiniBatches(model.objective(batch), 5), w, update, max_steps=4).path
    np.testing.assert_allclose(path, expected, rtol=0, atol=1e-9 if dtype == "float64" else 1e-3)
