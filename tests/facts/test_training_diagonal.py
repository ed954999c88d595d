"""Steps over the diagonal of a curvature: what each diagonal is, what becomes of negative entries, and the steps."""
import numpy as np
import pytest

from infogeo import curvature
from infogeo.networks import CrossEntropyLoss
from infogeo.training import (AbsoluteValue, ConstantLambda, CurvaturePropagationDiagonal, DiagonalNewton, GaussNewtonDiagonal,
                              GradientSquares, HutchinsonDiagonal, MiniBatches, NaturalGradientClassifier, PositivePart,
                              Regularised, RootMeanSquare)

from ..backends import every_dtype
from .training_helpers import problem, run

DIAGONALS = {"propagation": CurvaturePropagationDiagonal(), "Hutchinson": HutchinsonDiagonal(),
             "Gauss-Newton": GaussNewtonDiagonal(), "squares": GradientSquares()}
every_diagonal = pytest.mark.parametrize("diagonal", DIAGONALS.values(), ids=DIAGONALS)


def hessian_diagonal(loss, w):
    return np.diag(loss.hessian_vector(w, np.eye(w.size)))


@pytest.mark.parametrize("kind", [CurvaturePropagationDiagonal, HutchinsonDiagonal])
def test_estimates_are_unbiased(kind):
    """Of 400 draws within 5 standard errors, entry by entry; those of 25 samples are means of 25 draws."""
    model, w, batch = problem("categorical")
    loss, exact = model.objective(batch), hessian_diagonal(model.objective(batch), w)
    rng = np.random.default_rng(0)
    draws = np.stack([kind(rng=rng)(loss, w) for _ in range(400)])
    error = draws.std(axis=0) / 20.0
    assert np.all(np.abs(draws.mean(axis=0) - exact) <= 5.0 * error + 1e-12)
    means = np.stack([kind(draws=25, rng=rng)(loss, w) for _ in range(40)])
    ratio = np.sum(draws.var(axis=0)) / np.sum(means.var(axis=0))
    assert 12.0 < ratio < 50.0


def test_propagation_has_less_variance_than_hutchinson():
    """Of one draw: the examples' noise is their own, so that it falls with their number, and Hutchinson's does not."""
    model, w, batch = problem("categorical", n=64)
    loss, rng = model.objective(batch), np.random.default_rng(0)
    exact = hessian_diagonal(loss, w)
    squared = [np.mean([np.sum((kind(rng=rng)(loss, w) - exact) ** 2) for _ in range(50)])
               for kind in (CurvaturePropagationDiagonal, HutchinsonDiagonal)]
    assert squared[0] < 0.2 * squared[1]


def test_exact_diagonals():
    model, w, batch = problem("categorical")
    loss = model.objective(batch)
    np.testing.assert_allclose(GaussNewtonDiagonal()(loss, w), np.diag(curvature.fisher(model, w, batch).dense()), rtol=1e-11)
    np.testing.assert_allclose(GaussNewtonDiagonal(curvature.Observed())(loss, w),
                               np.diag(curvature.empirical_fisher(model, w, batch).dense()), rtol=1e-11)
    np.testing.assert_array_equal(GradientSquares()(loss, w), loss.value_and_gradient(w)[1] ** 2)
    targets = CrossEntropyLoss(model, (batch[0], model.family.sufficient_statistic(batch[1])))
    for diagonal in DIAGONALS.values():
        both = (diagonal.seeded(np.random.default_rng(3))(f, w) for f in (loss, targets))
        np.testing.assert_allclose(*both, rtol=1e-9, atol=1e-15)


def test_rules():
    d = np.array([-3.0, 0.0, 2.0])
    np.testing.assert_array_equal(AbsoluteValue().value(AbsoluteValue().moment(d)), [3.0, 0.0, 2.0])
    np.testing.assert_array_equal(PositivePart().value(PositivePart().moment(d)), [0.0, 0.0, 2.0])
    np.testing.assert_array_equal(RootMeanSquare().value(RootMeanSquare().moment(d)), [3.0, 0.0, 2.0])
    both = [(rule.moment(d) + rule.moment(-d)) / 2 for rule in (AbsoluteValue(), RootMeanSquare())]
    np.testing.assert_array_equal([AbsoluteValue().value(both[0]), RootMeanSquare().value(both[1])], [0.0 * d, abs(d)])


def test_the_plain_step():
    """w − h c / (D + λ), with the average over the steps: the mean of the first ones."""
    model, w, batch = problem("categorical")
    loss = model.objective(batch)
    update = DiagonalNewton.published(GaussNewtonDiagonal(), RootMeanSquare(), damping=ConstantLambda(0.3))
    path = run(loss, w, update, h=0.2, max_steps=4).path
    squares = []
    for k in range(4):
        squares.append(np.diag(curvature.fisher(model, path[k], batch).dense()) ** 2)
        D = np.sqrt(np.mean(squares, axis=0)) + 0.3
        np.testing.assert_allclose(path[k + 1], path[k] - 0.2 * loss.value_and_gradient(path[k])[1] / D, rtol=1e-9, atol=1e-12)


@every_diagonal
@pytest.mark.parametrize("rule", [AbsoluteValue(), PositivePart(), RootMeanSquare()], ids=repr)
def test_no_step_raises_the_loss(diagonal, rule):
    """From weights ten times too large, too."""
    model, w, batch = problem("categorical")
    found = run(model.objective(batch), 10.0 * w, DiagonalNewton(diagonal, rule), h=1.0, max_steps=15, record="values")
    assert np.all(np.diff(found.values) <= 1e-12) and found.values[-1] < 0.7 * found.values[0]


@every_diagonal
def test_mini_batches_draw_from_the_run(diagonal):
    """One seed, one run, which goes on from a snapshot to the bit; another seed, another run."""
    model, w, batch = problem("categorical")

    shots = []

    def keep(moment):
        if moment.k == 3:
            shots.append(moment.snapshot())

    def made(seed, **more):
        objective = Regularised(MiniBatches(model.objective(batch), 8), 1e-2)
        return run(objective, w, DiagonalNewton(diagonal), h=1.0, seed=seed, max_steps=6, callbacks=[keep], **more)

    first = made(1)
    np.testing.assert_array_equal(first.x, made(1).x)
    np.testing.assert_array_equal(first.x, made(2, resume=shots[0]).x)
    assert np.abs(first.x - made(2).x).max() > 1e-6


def test_estimates_draw_from_the_run_unless_they_have_a_generator():
    """Of all examples at once, where nothing else draws."""
    model, w, batch = problem("categorical")

    def end(diagonal, seed):
        return run(model.objective(batch), w, DiagonalNewton(diagonal), h=1.0, seed=seed, max_steps=3).x

    for kind in (CurvaturePropagationDiagonal, HutchinsonDiagonal):
        assert np.array_equal(end(kind(), 1), end(kind(), 1)) and not np.array_equal(end(kind(), 1), end(kind(), 2))
        own = [end(kind(rng=np.random.default_rng(0)), seed) for seed in (1, 2)]
        np.testing.assert_array_equal(*own)


@every_dtype
@pytest.mark.parametrize("name", ["categorical", "convolution"])
def test_on_every_backend(name, dtype, backend):
    tol = 1e-9 if dtype == "float64" else 2e-3
    for diagonal in (CurvaturePropagationDiagonal(), HutchinsonDiagonal(), GaussNewtonDiagonal()):
        ends = []
        for more in ((), (backend, dtype)):
            model, w, batch = problem(name, *more)
            ends.append(run(model.objective(batch), w, DiagonalNewton(diagonal), h=1.0, max_steps=3).x)
        np.testing.assert_allclose(backend.check(ends[1], dtype), ends[0], rtol=tol, atol=tol)


def test_in_the_classifier():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 2))
    fitted = NaturalGradientClassifier(optimiser=DiagonalNewton(), max_iter=30, random_state=0).fit(x, x[:, 0] * x[:, 1] > 0)
    assert fitted.score(x, x[:, 0] * x[:, 1] > 0) > 0.95


def test_what_is_refused():
    with pytest.raises(TypeError, match="takes an object of the class CurvatureDiagonal as its argument diagonal; got <class"):
        DiagonalNewton(HutchinsonDiagonal)
    with pytest.raises(TypeError, match="DiagonalRule as its argument rule"):
        DiagonalNewton(HutchinsonDiagonal(), "absolute")
    with pytest.raises(TypeError, match="takes diagonal and rule, and as KFAC does averaging, .*; got learning_rate, outputs$"):
        DiagonalNewton(learning_rate=0.1, outputs=None)
    with pytest.raises(ValueError, match="draws must satisfy draws an integer >= 1; got 0"):
        HutchinsonDiagonal(0)
    model, w, batch = problem("categorical")
    with pytest.raises(TypeError, match=r"HutchinsonDiagonal\(\) outside of descend needs rng"):
        HutchinsonDiagonal()(model.objective(batch), w)
