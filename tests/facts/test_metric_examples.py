"""Of which examples the metric of a step is: those of the step, others, or a few that are drawn for it."""
from functools import partial

import numpy as np
import pytest

import infogeo as ig
from infogeo.curvature import OwnExamples, RandomSigns, StepExamples, Tikhonov, WeightSpace, fisher, kfac
from infogeo.errors import DomainError
from infogeo.training import Checkpoint, MiniBatches, Regularised, load_checkpoint

from .training_helpers import problem, run


def setting(n=24):
    """(model, w, batch of the gradients, the mini-batches, a batch of other inputs without labels)."""
    model, w, batch = problem("categorical", n=n)
    other = np.random.default_rng(9).standard_normal((15, 3))
    return model, w, batch, MiniBatches(model.objective(batch), 6), (other, None)


def steps_by_hand(model, w, batch, of_step, steps=4):
    """w − .1 (F + .1)⁻¹ c with F of the inputs that `of_step(x)` names for a step of the inputs x."""
    stream, rng = MiniBatches(model.objective(batch), 6), np.random.default_rng(5)
    for _ in range(steps):
        loss = stream.draw(rng)
        F = model.fisher_vector(w, of_step(loss.x), np.eye(w.size))
        w = w - 0.1 * np.linalg.solve(F + 0.1 * np.eye(w.size), loss.value_and_gradient(w)[1])
    return w


def test_of_the_step_by_default():
    model, w, batch, stream, other = setting()
    for examples in ((), (StepExamples(),)):
        space = WeightSpace(model, other, fisher, Tikhonov(0.1), *examples)
        found = run(MiniBatches(stream.loss, 6), w, ig.NaturalUpdate(), geometry=space, max_steps=4).x
        np.testing.assert_allclose(found, steps_by_hand(model, w, batch, lambda x: x), rtol=1e-9)


def test_of_other_examples_without_labels():
    model, w, batch, stream, other = setting()
    space = WeightSpace(model, other, fisher, Tikhonov(0.1), OwnExamples())
    found = run(stream, w, ig.NaturalUpdate(), geometry=space, max_steps=4).x
    np.testing.assert_allclose(found, steps_by_hand(model, w, batch, lambda x: other[0]), rtol=1e-9)


def test_of_some_that_are_drawn_for_every_step():
    """Without repetition in a step, beneath weight decay, too; a metric is one thing throughout its step."""
    model, w, batch, stream, other = setting()
    draw = np.random.default_rng(2)
    expected = steps_by_hand(model, w, batch, lambda x: other[0][draw.choice(15, 7, replace=False)])
    for objective in (stream, Regularised(MiniBatches(stream.loss, 6), 0.0)):
        space = WeightSpace(model, other, fisher, Tikhonov(0.1), OwnExamples(7, np.random.default_rng(2)))
        np.testing.assert_allclose(run(objective, w, ig.NaturalUpdate(), geometry=space, max_steps=4).x, expected, rtol=1e-9)
    here = space.on(stream.loss)
    assert here.batch is here.batch and here.batch[1] is None and here.batch[0].shape == (7, 3)
    assert len(np.unique(here.batch[0], axis=0)) == 7 and not np.array_equal(space.on(stream.loss).batch[0], here.batch[0])
    assert space.batch is other


def test_a_run_goes_on_bit_by_bit(tmp_path):
    """With the examples and the covectors at the output that it would have drawn."""
    model, w, batch, stream, other = setting()

    def space(seed):
        curvature = partial(kfac, outputs=RandomSigns(np.random.default_rng(seed)))
        return WeightSpace(model, other, curvature, Tikhonov(0.1), OwnExamples(7, np.random.default_rng(seed)))

    whole = run(MiniBatches(stream.loss, 6), w, ig.NaturalUpdate(), geometry=space(2), max_steps=6)
    run(MiniBatches(stream.loss, 6), w, ig.NaturalUpdate(), geometry=space(2), max_steps=3,
        callbacks=[Checkpoint(tmp_path / "c", 3)])
    again = run(MiniBatches(stream.loss, 6), w, ig.NaturalUpdate(), geometry=space(8), max_steps=6, seed=9,
                callbacks=[Checkpoint(tmp_path / "d", 6)], resume=load_checkpoint(tmp_path / "c"))
    np.testing.assert_array_equal(again.path, whole.path)


def test_weights_and_labels_go_with_their_inputs():
    model, w, (x, y), stream, _ = setting()
    space = WeightSpace(model, (x, y, np.arange(24.0)), fisher, Tikhonov(0.1), OwnExamples(24, np.random.default_rng(0)))
    drawn = space.on(stream.loss).batch
    order = drawn[2].astype(int)
    np.testing.assert_array_equal(drawn[0], x[order])
    np.testing.assert_array_equal(drawn[1], y[order])
    np.testing.assert_allclose(space.on(stream.loss).metric(w), space.metric(w), rtol=1e-10, atol=1e-13)


def test_what_is_refused():
    model, w, batch, stream, other = setting()
    with pytest.raises(TypeError, match="OwnExamples with a size draws and needs rng, such as .*; got None"):
        OwnExamples(5)
    with pytest.raises(DomainError, match="size must satisfy size an integer >= 1; got 0"):
        OwnExamples(0)
    with pytest.raises(DomainError, match="1 <= size <= n = 15; got 16"):
        WeightSpace(model, other, fisher, Tikhonov(0.1), OwnExamples(16, np.random.default_rng(0))).on(stream.loss)
    with pytest.raises(TypeError, match="those of the WeightSpace, which has none: give it a batch"):
        WeightSpace(model, None, fisher, Tikhonov(0.1), OwnExamples()).on(stream.loss)
    with pytest.raises(TypeError, match="as its argument examples; got the class OwnExamples"):
        WeightSpace(model, other, fisher, Tikhonov(0.1), OwnExamples)
