"""Mini-batches by epochs, growing mini-batches, weight decay."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.errors import DomainError
from infogeo.networks import MLP, ConditionalModel, CrossEntropyLoss
from infogeo.training.data import FixedBatches, GrowingBatches, MiniBatches, Regularised

from ..backends import every_dtype
from .network_helpers import central
from .training_helpers import problem, run


def numbered(n, size):
    """A data set whose inputs are the numbers of the examples."""
    model = ConditionalModel(MLP((1, 1)), ig.Poisson())
    return MiniBatches(model.objective((np.arange(float(n))[:, None], np.zeros(n))), size)


def drawn(objective, count, rng):
    return [objective.draw(rng).x[:, 0].astype(int) for _ in range(count)]


@pytest.mark.parametrize("n, size", [(12, 4), (10, 3), (5, 5), (7, 1)])
def test_every_example_once_an_epoch(n, size):
    """Whether or not the size divides n, for three epochs and more; the order is another one each time."""
    objective, rng = numbered(n, size), np.random.default_rng(0)
    batches = drawn(objective, -(-3 * n // size), rng)
    assert all(len(batch) == size for batch in batches)
    seen = np.concatenate(batches)[:3 * n].reshape(3, n)
    np.testing.assert_array_equal(np.sort(seen, axis=1), np.broadcast_to(np.arange(n), (3, n)))
    assert not np.array_equal(seen[0], seen[1]) and not np.array_equal(seen[1], seen[2])


def test_every_order_is_as_probable_as_any_other():
    """The 6 orders of 3 examples in 3000 epochs: counts within 5 standard deviations of 500."""
    objective, rng = numbered(3, 3), np.random.default_rng(1)
    orders = np.array(drawn(objective, 3000, rng)) @ [9, 3, 1]
    counts = np.unique(orders, return_counts=True)[1]
    assert len(counts) == 6 and np.all(np.abs(counts - 500) < 5 * np.sqrt(3000 * (1 / 6) * (5 / 6)))


@pytest.mark.parametrize("name", ["categorical", "bernoulli", "convolution"])
def test_mini_batches_of_an_epoch_average_to_the_whole(name, backend):
    model, w, batch = problem(name, backend)
    objective, rng = MiniBatches(model.objective(batch), 6), np.random.default_rng(2)
    steps = [objective.draw(rng).value_and_gradient(w) for _ in range(4)]
    value, gradient = model.value_and_gradient(w, batch)
    np.testing.assert_allclose(np.mean([backend.check(v) for v, _ in steps]), backend.to_numpy(value), rtol=1e-13)
    mean = np.mean([backend.check(g) for _, g in steps], axis=0)
    np.testing.assert_allclose(mean, backend.to_numpy(gradient), rtol=1e-9, atol=1e-14)
    assert backend.to_numpy(objective.value_and_gradient(w)[0]) == backend.to_numpy(value)


def test_a_mini_batch_is_the_loss_of_its_examples():
    model, w, batch = problem("normal")
    step = MiniBatches(model.objective(batch), 7).draw(np.random.default_rng(3))
    value, gradient = model.value_and_gradient(w, (step.x, step.y))
    np.testing.assert_array_equal(step.value_and_gradient(w)[1], gradient)
    assert step.value(w) == value and len(step.x) == 7


def test_mini_batches_of_mean_statistics():
    """Grey values as targets of Bernoulli outputs: the mini-batches of another loss are mini-batches of that loss."""
    model, w, (x, _) = problem("bernoulli")
    eta_hat = np.random.default_rng(0).random((24, 2))
    objective, rng = MiniBatches(CrossEntropyLoss(model, (x, eta_hat)), 6), np.random.default_rng(2)
    steps = [objective.draw(rng) for _ in range(4)]
    for step in steps:
        theta = model.theta(w, step.x)
        expected = np.mean(np.log1p(np.exp(theta)) - theta * step.statistic) * 2
        np.testing.assert_allclose(step.value(w), expected, rtol=1e-12)
    np.testing.assert_allclose(np.mean([step.value(w) for step in steps]), objective.value(w), rtol=1e-13)


@every_dtype
def test_the_dtype_of_the_data_is_kept(dtype, backend):
    model, w, batch = problem("categorical", backend, dtype)
    step = MiniBatches(model.objective(batch), 5).draw(np.random.default_rng(3))
    for array in (step.x, step.y, *step.value_and_gradient(w)):
        backend.check(array, dtype)


def test_the_state_is_all_there_is_to_remember():
    """Another objective with the state and a generator with the state draw the same examples."""
    first, rng = numbered(11, 4), np.random.default_rng(4)
    drawn(first, 3, rng)
    state, generator = first.state, rng.bit_generator.state
    after = drawn(first, 9, rng)
    second, rng = numbered(11, 4), np.random.default_rng(99)
    second.state, rng.bit_generator.state = state, generator
    np.testing.assert_array_equal(drawn(second, 9, rng), after)
    assert not np.array_equal(drawn(numbered(11, 4), 9, np.random.default_rng(4)), after)


def test_growing_batches():
    size = GrowingBatches(10, 5.0)
    assert [size(k, 60) for k in range(12)] == [min(int(10 * np.exp(k / 5.0)), 60) for k in range(12)]
    assert size(10**6, 60) == 60
    batches = drawn(numbered(60, size), 12, np.random.default_rng(0))
    assert [len(batch) for batch in batches] == [size(k, 60) for k in range(12)]
    assert len(np.unique(batches[-1])) < 60 or size(11, 60) == 60


def test_a_step_of_all_examples_is_a_step_on_the_whole():
    model, w, batch = problem("poisson")
    whole = run(model.objective(batch), w, ig.GradientUpdate())
    steps = run(MiniBatches(model.objective(batch), 24), w, ig.GradientUpdate())
    np.testing.assert_allclose(steps.path, whole.path, rtol=1e-10, atol=1e-13)


def test_weight_decay():
    model, w, batch = problem("categorical")
    f, v = Regularised(MiniBatches(model.objective(batch), 6), 0.3), np.random.default_rng(0).standard_normal(w.size)
    value, gradient = f.value_and_gradient(w)
    np.testing.assert_allclose(value, model.loss(w, batch) + 0.15 * w @ w, rtol=1e-14)
    np.testing.assert_allclose(gradient @ v, central(f.value, w, v), rtol=1e-7)
    moved = central(lambda w: f.value_and_gradient(w)[1], w, v)
    np.testing.assert_allclose(f.hessian_vector(w, v), moved, rtol=1e-6, atol=1e-8)
    step = f.draw(np.random.default_rng(1))
    inner = MiniBatches(model.objective(batch), 6).draw(np.random.default_rng(1))
    np.testing.assert_array_equal(step.value_and_gradient(w)[1], inner.value_and_gradient(w)[1] + 0.3 * w)
    assert f.state is f.f.state
    f.state = (3, None, 24)
    assert f.f.state == (3, None, 24)


def test_a_data_set_is_evaluated_at_the_end_and_nowhere_else(monkeypatch):
    """No step sees all examples, and nothing is evaluated to learn a shape."""
    model, w, batch = problem("categorical")
    sizes, whole = [], type(model.objective(batch)).value_and_gradient
    monkeypatch.setattr(type(model.objective(batch)), "value_and_gradient",
                        lambda self, w: (sizes.append(len(self.x)), whole(self, w))[1])
    for f in (MiniBatches(model.objective(batch), 5), Regularised(MiniBatches(model.objective(batch), 5), 0.1)):
        sizes.clear()
        run(f, w, ig.GradientUpdate(), max_steps=4)
        assert sizes == [5, 5, 5, 5, 24]


def test_the_batch_shape_of_examples():
    """Leading axes of inputs and observations are data sets of their own, as many as the values."""
    model, w, (x, y) = problem("categorical")
    f = model.objective((np.stack([x, x]), np.stack([y, y])))
    assert f.rows == (2,) == MiniBatches(f, 5).rows == Regularised(f, 0.1).rows and model.objective((x, y)).rows == ()
    assert f.value(np.stack([w, w])).shape == f.rows
    assert run(f, w, ig.GradientUpdate(), max_steps=2).x.shape == (2, w.size)


def test_they_show_what_they_are():
    model, _, batch = problem("categorical")
    shown = repr(Regularised(MiniBatches(model.objective(batch), 5), 0.1))
    assert shown == f"Regularised(MiniBatches(NegativeLogLikelihood({model!r}, 24 examples), FixedBatches(m=5)), 0.1)"
    assert repr(CrossEntropyLoss(model, (batch[0], np.zeros((24, 2))))).startswith("CrossEntropyLoss(ConditionalModel(")


@pytest.mark.parametrize("make, error, message", [
    (lambda m, b: MiniBatches(m.objective(b), 0), ValueError, "m must satisfy m an integer >= 1; got 0"),
    (lambda m, b: MiniBatches(m.objective(b), 25), DomainError, "1 <= size <= n = 24; got 25"),
    (lambda m, b: FixedBatches(1.5), ValueError, "m must satisfy m an integer >= 1; got 1.5"),
    (lambda m, b: GrowingBatches(5, 0.0), DomainError, "b > 0"),
    (lambda m, b: Regularised(m.objective(b), -1.0), DomainError, "c >= 0; got -1.0"),
])
def test_bad_arguments(make, error, message):
    model, _, batch = problem("categorical")
    with pytest.raises(error, match=message):
        make(model, batch)


def test_the_points_of_a_training_run_are_kept_where_it_is_told_so():
    """50 000 steps of 2.8 million weights are 1.1 TB."""
    model = ConditionalModel(MLP((784, 1000, 500, 250, 30, 250, 500, 1000, 784)), ig.Independent(ig.Bernoulli(), 784))
    loss = CrossEntropyLoss(model, (np.zeros((1, 784)), np.zeros((1, 784))))
    settings = dict(update=ig.GradientUpdate(), step=0.1)
    run = ig.descend(loss, np.zeros(model.network.size), max_steps=50_000, callbacks=[lambda moment: True], **settings)
    assert run.path is None and run.values.shape == (2,) and run.status == ig.Status.STOPPED
    model, w, batch = problem("categorical")
    loss = model.objective(batch)
    for objective in (loss, MiniBatches(loss, 1), Regularised(loss, 0.1), Regularised(MiniBatches(loss, 1), 0.1)):
        run = ig.descend(objective, w, max_steps=2, rng=np.random.default_rng(0), **settings)
        assert run.path is None and run.values.shape == (3,)
        assert ig.descend(objective, w, max_steps=2, record="path", rng=np.random.default_rng(0), **settings).path.shape[0] == 3
    other = Regularised(ig.CrossEntropy(ig.Poisson(), [2.0]), 0.1)
    assert ig.descend(other, np.zeros(1), max_steps=2, **settings).path.shape == (3, 1)
