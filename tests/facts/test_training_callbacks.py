"""Validation, early stopping, averages of iterates, checkpoints; every optimiser goes on bit by bit."""
import numpy as np
import pytest

import infogeo as ig
from infogeo import Status
from infogeo.errors import DomainError
from infogeo.training.adam import Adam, RMSprop
from infogeo.training.adaptive import AdaptiveNatural, HarmonicRate
from infogeo.training.callbacks import EarlyStopping, PolyakAverage, Validation
from infogeo.training.checkpoint import Checkpoint, load_checkpoint
from infogeo.training.data import GrowingBatches, MiniBatches, Regularised
from infogeo.training.layer_metrics import Block, InputSide, TwoSided
from infogeo.training.momentum import Momentum, Nesterov
from infogeo.training.relative import RelativeNatural
from infogeo.training.square_roots import NewtonSchulz, Nystrom
from infogeo.training.structured import StructuredNatural

from .training_helpers import problem, run

UPDATES = {
    "gradient": ig.GradientUpdate,
    "momentum": lambda: Momentum(0.9),
    "nesterov": lambda: Nesterov(0.9),
    "adam": Adam,
    "rmsprop": RMSprop,
    "adaptive": lambda: AdaptiveNatural(1.0, HarmonicRate()),
    "adaptive, random": lambda: AdaptiveNatural(1.0, HarmonicRate(), outputs=ig.curvature.RandomSigns(np.random.default_rng(8))),
    "relative": lambda: RelativeNatural(refresh=4),
    "structured": lambda: StructuredNatural(Block(), ig.curvature.Tikhonov(0.1), refresh=4, momentum=0.5),
    "structured, two sides": lambda: StructuredNatural(TwoSided(), ig.curvature.FactoredTikhonov(0.1), NewtonSchulz(1e-9),
                                                       refresh=7),
    "structured, Nystrom": lambda: StructuredNatural(InputSide(), ig.curvature.Tikhonov(0.1), Nystrom(2), refresh=3,
                                                     momentum=0.5),
    "structured, sampled": lambda: StructuredNatural(Block(), ig.curvature.Tikhonov(0.1), refresh=4,
                                                     outputs=ig.curvature.Sampled(np.random.default_rng(8))),
}


def training(name, size=5):
    """(objective, w, update, callbacks): mini-batches that do not divide the examples, weight decay, callbacks with a state."""
    model, w, batch = problem("categorical")
    callbacks = [Validation(model.objective(batch).value, 3), EarlyStopping(model.objective(batch).value, 50), PolyakAverage()]
    return Regularised(MiniBatches(model.objective(batch), size), 1e-3), w, UPDATES[name](), callbacks


def assert_same(a, b):
    """Equal to the bit, whatever they are made of."""
    if isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for pair in zip(a, b):
            assert_same(*pair)
    else:
        np.testing.assert_array_equal(a, b, strict=True)


@pytest.mark.parametrize("name", UPDATES)
def test_twenty_steps_are_ten_and_ten_more(name, tmp_path):
    """Bit by bit from the file, with objects and a generator that are new but for their arguments."""
    path = tmp_path / "run.checkpoint"
    f, w, update, whole_callbacks = training(name)
    whole = run(f, w, update, h=0.05, callbacks=whole_callbacks)

    f, w, update, callbacks = training(name)
    run(f, w, update, h=0.05, max_steps=10, callbacks=[*callbacks, Checkpoint(path, 10)])
    f, w, update, callbacks = training(name)
    unused = [*callbacks, Checkpoint(tmp_path / "other", 100)]
    again = run(f, w, update, h=0.05, seed=77, callbacks=unused, resume=load_checkpoint(path))

    assert int(whole.status) == Status.MAX_STEPS and np.all(np.isfinite(whole.path))
    assert np.abs(np.diff(whole.path, axis=0)).max(axis=-1).min() > 0
    for name in ("x", "path", "values", "steps"):
        np.testing.assert_array_equal(getattr(again, name), getattr(whole, name))
    for fresh, known in zip(callbacks, whole_callbacks):
        assert_same(fresh.state, known.state)
    assert callbacks[0].steps == [3, 6, 9, 12, 15, 18]
    np.testing.assert_array_equal(callbacks[2].x, whole_callbacks[2].x)


def test_growing_batches_go_on(tmp_path):
    path = tmp_path / "run.checkpoint"
    whole = run(*training("adam", GrowingBatches(4, 8.0))[:3])
    run(*training("adam", GrowingBatches(4, 8.0))[:3], max_steps=10, callbacks=[Checkpoint(path, 10)])
    again = run(*training("adam", GrowingBatches(4, 8.0))[:3], callbacks=[Checkpoint(path, 100)], resume=load_checkpoint(path))
    np.testing.assert_array_equal(again.path, whole.path)


@pytest.mark.parametrize("name", ["adam", "adaptive", "relative", "structured, two sides"])
def test_runs_go_on_on_every_backend(name, backend, tmp_path):
    model, w, batch = problem("bernoulli", backend)
    objective, kept = lambda: MiniBatches(model.objective(batch), 5), tmp_path / "run.checkpoint"
    whole = run(objective(), w, UPDATES[name](), max_steps=9)
    run(objective(), w, UPDATES[name](), max_steps=5, callbacks=[Checkpoint(kept, 5)])
    again = run(objective(), w, UPDATES[name](), max_steps=9, callbacks=[Checkpoint(kept, 100)], resume=load_checkpoint(kept))
    np.testing.assert_array_equal(backend.check(again.path), backend.check(whole.path))


def test_validation_is_the_metric_along_the_path():
    f, w, update, _ = training("gradient")
    validation = Validation(f.value, 4)
    result = run(f, w, update, callbacks=[validation])
    assert validation.steps == [4, 8, 12, 16, 20]
    np.testing.assert_allclose(validation.values, [f.value(x) for x in result.path[4::4]], rtol=1e-14)


def test_early_stopping_keeps_the_best_weights():
    """A metric that falls and then rises: the run ends `patience` values after the best, whose weights are kept."""
    _, w, _, _ = training("gradient")
    metric = lambda x: np.abs(x[..., 0] - w[0] - 0.6) + 0.1

    class Slope(ig.Objective):
        def value_and_gradient(self, x):
            return -x[..., 0], -np.eye(x.shape[-1])[0] * np.ones_like(x)

    stopping = EarlyStopping(metric, patience=3)
    result = run(Slope(), w, ig.GradientUpdate(), callbacks=[stopping])
    assert int(result.status) == Status.STOPPED and int(result.steps) == 9 and stopping.steps == list(range(1, 10))
    np.testing.assert_allclose(stopping.x[0], w[0] + 0.6, rtol=1e-12)
    np.testing.assert_allclose(stopping.best, 0.1, rtol=1e-12)


def test_early_stopping_of_rows():
    """Each row has its own best; the run ends when no row has had a new one for `patience` values."""
    class Quadratic(ig.Objective):
        def value_and_gradient(self, x):
            return 0.5 * np.sum(x * x, axis=-1), x

    w = np.array([[1.0, 0.0], [4.0, 0.0]])
    stopping = EarlyStopping(lambda x: np.abs(x[..., 0] - 0.5), patience=2)
    result = run(Quadratic(), w, ig.GradientUpdate(), h=0.5, max_steps=30, callbacks=[stopping])
    np.testing.assert_allclose(stopping.x[:, 0], [0.5, 0.5])
    np.testing.assert_array_equal(result.steps, [5, 5])


def test_a_plateau_ends_patience():
    """A value that is the smallest once more is no new one: the run ends, and the weights are those of the first."""
    _, w, update, _ = training("gradient")

    class Slope(ig.Objective):
        def value_and_gradient(self, x):
            return -x[..., 0], -np.eye(x.shape[-1])[0] * np.ones_like(x)

    stopping = EarlyStopping(lambda x: np.maximum(w[0] + 0.15 - x[..., 0], 0.0), patience=3)
    result = run(Slope(), w, update, callbacks=[stopping])
    assert int(result.status) == Status.STOPPED and int(result.steps) == 5
    np.testing.assert_array_equal(stopping.x, result.path[2])


@pytest.mark.parametrize("rows", [(), (3,)])
def test_callbacks_on_every_backend(rows, backend):
    """Values come to the host, weights stay where they are."""
    model, w, batch = problem("bernoulli")
    made = tuple(map(backend.make, batch))
    ws = backend.make(w + 0.1 * np.random.default_rng(0).standard_normal((*rows, w.size)))
    stopping, average = EarlyStopping(model.objective(made).value, 5), PolyakAverage()
    path = run(model.objective(made), ws, ig.GradientUpdate(), max_steps=8, callbacks=[stopping, average]).path
    assert isinstance(stopping.values[-1], np.ndarray) and stopping.best.shape == rows
    np.testing.assert_allclose(backend.check(average.x), backend.to_numpy(path)[1:].mean(axis=0), rtol=1e-12)
    np.testing.assert_array_equal(backend.check(stopping.x), backend.to_numpy(path)[-1])


def test_polyak_average_is_the_mean_and_then_exponential():
    f, w, update, _ = training("gradient")
    mean, fading = PolyakAverage(1.0), PolyakAverage(0.5)
    path = run(f, w, update, callbacks=[mean, fading]).path
    np.testing.assert_allclose(mean.x, path[1:].mean(axis=0), rtol=1e-12, atol=1e-14)
    expected = path[1]
    for k in range(2, 21):
        expected = min(1 - 1 / k, 0.5) * expected + (1 - min(1 - 1 / k, 0.5)) * path[k]
    np.testing.assert_allclose(fading.x, expected, rtol=1e-13)


def test_a_checkpoint_is_whole_or_not_there(tmp_path, monkeypatch):
    """A process that dies while it writes leaves the checkpoint before, and nothing else."""
    f, w, update, _ = training("gradient")
    path = tmp_path / "run.checkpoint"
    run(f, w, update, max_steps=2, callbacks=[Checkpoint(path)])
    before = path.read_bytes()

    def dies(descriptor):
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", dies)
    with pytest.raises(OSError, match="disk full"):
        run(f, w, update, max_steps=2, callbacks=[Checkpoint(path)])
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]
    assert load_checkpoint(path).k == 2


def test_bad_arguments(tmp_path):
    with pytest.raises(ValueError, match="every must satisfy every an integer >= 1; got 0"):
        Validation(None, 0)
    with pytest.raises(ValueError, match="patience must satisfy patience an integer >= 1"):
        EarlyStopping(None, -1)
    with pytest.raises(DomainError, match="0 <= decay <= 1; got 2"):
        PolyakAverage(2)
    path = tmp_path / "other"
    path.write_bytes(b"of something else")
    with pytest.raises(ValueError, match="path must be that of a checkpoint, whole and unaltered; .*other: no whole archive"):
        load_checkpoint(path)
