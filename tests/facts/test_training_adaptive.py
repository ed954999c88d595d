"""Adaptive natural gradient: the recursions on the inverse, the running average, training."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.errors import ConvergenceError, DomainError, ShapeError
from infogeo.networks import MLP, ConditionalModel, Tanh
from infogeo.training.adaptive import AdaptiveNatural, ConstantRate, FirstOrder, HarmonicRate, ShermanMorrison
from infogeo.training.data import MiniBatches, Regularised

from ..backends import every_dtype
from .training_helpers import MODELS, problem, run


def dense_fisher(model, w, x):
    return model.fisher_vector(w, x, np.eye(w.size))


@pytest.mark.parametrize("columns", [1, 3, 30])
@pytest.mark.parametrize("rate", [ConstantRate(0.05), HarmonicRate(), HarmonicRate(2.0, 3.0)], ids=repr)
def test_the_recursion_is_the_inverse_of_the_running_average(columns, rate):
    """To 1e-12 after 200 terms, of one column and of more columns than dimensions."""
    rng, d = np.random.default_rng(0), 20
    G, P = np.eye(d), np.eye(d)
    for t in range(1, 201):
        U, epsilon = rng.standard_normal((d, columns)), rate(t)
        G, P = (1 - epsilon) * G + epsilon * U @ U.T, ShermanMorrison()(P, U, epsilon)
    np.testing.assert_allclose(P, np.linalg.inv(G), rtol=0, atol=1e-12 * np.linalg.norm(P, 2))
    np.testing.assert_array_equal(P, P.T)


def test_one_column_is_the_formula_of_sherman_and_morrison():
    rng = np.random.default_rng(1)
    P, u, e = np.eye(5) + 0.3 * np.ones((5, 5)), rng.standard_normal(5), 0.2
    v = P @ u
    np.testing.assert_allclose(ShermanMorrison()(P, u[:, None], e), (P - e * np.outer(v, v) / ((1 - e) + e * u @ v)) / (1 - e),
                               rtol=1e-13, atol=1e-15)


def test_a_metric_that_no_machine_holds_is_refused():
    """Before it is made: three times 10¹⁴ numbers."""
    with pytest.raises(MemoryError, match=r"the whole metric of 10000000 weights, .* GiB .*LowRankNatural keeps a few columns"):
        AdaptiveNatural(0.1, HarmonicRate()).init(np.broadcast_to(0.0, (10**7,)))


def test_the_first_order_form_is_true_to_first_order():
    """Its distance from the exact recursion falls as ε²."""
    rng = np.random.default_rng(2)
    U = rng.standard_normal((5, 2))
    gaps = [np.linalg.norm(FirstOrder()(np.eye(5), U, e) - ShermanMorrison()(np.eye(5), U, e)) for e in (1e-3, 1e-4)]
    np.testing.assert_allclose(gaps[0] / gaps[1], 100.0, rtol=0.1)


def wishart_columns(d, count, seed=3):
    """Gradients whose second moment is of Wishart type, of trace far above that of the identity."""
    rng = np.random.default_rng(seed)
    A = 3.0 * rng.standard_normal((d, 2 * d))
    return (A @ rng.standard_normal((2 * d, count))).T


@pytest.mark.parametrize("offset", [10.0, 100.0, 1000.0])
def test_the_first_order_form_overflows_in_twenty_dimensions_and_the_guard_says_so(offset):
    """Unguarded it is indefinite within ten steps and overflows; the exact recursion is the inverse of the average throughout."""
    rate, columns = HarmonicRate(1.0, offset), wishart_columns(20, 400)
    P, indefinite = np.eye(20), None
    with np.errstate(all="ignore"):
        for t, u in enumerate(columns, 1):
            v = P @ u
            P = (1 + rate(t)) * P - rate(t) * np.outer(v, v)
            if indefinite is None and np.linalg.eigvalsh(P)[0] < 0:
                indefinite = t
            if not np.all(np.isfinite(P)):
                break
    assert indefinite <= 10 and not np.all(np.isfinite(P))

    P, exact = np.eye(20), np.eye(20)
    with pytest.raises(ConvergenceError, match=r"would lose definiteness: .* not below 1 \+ epsilon") as caught:
        for t, u in enumerate(columns, 1):
            exact, P = ShermanMorrison()(exact, u[:, None], rate(t)), FirstOrder()(P, u[:, None], rate(t))
    assert t == indefinite and caught.value.residual > 0 and np.linalg.eigvalsh(caught.value.iterate)[0] > 0
    for t, u in list(enumerate(columns, 1))[t:]:
        exact = ShermanMorrison()(exact, u[:, None], rate(t))
    assert np.linalg.eigvalsh(exact)[0] > 0


def test_in_four_dimensions_the_first_order_form_follows_slow_rates():
    rate = HarmonicRate(1.0, 50.0)
    columns = 0.5 * np.random.default_rng(4).standard_normal((500, 4))
    P, exact = np.eye(4), np.eye(4)
    for t, u in enumerate(columns, 1):
        P, exact = FirstOrder()(P, u[:, None], rate(t)), ShermanMorrison()(exact, u[:, None], rate(t))
    assert 1e-4 < np.linalg.norm(P - exact) / np.linalg.norm(exact) < 0.05


@pytest.mark.parametrize("name", MODELS)
def test_a_run_is_natural_gradient_with_the_running_average(name):
    """w_{k+1} = w_k − h Ĝ⁻¹ c with Ĝ averaged from dense Fisher metrics of the mini-batches."""
    model, w, batch = problem(name)
    path = run(MiniBatches(model.objective(batch), 5), w, AdaptiveNatural(2.0, HarmonicRate(1.0, 4.0)), h=0.01, max_steps=8).path
    objective, rng, G = MiniBatches(model.objective(batch), 5), np.random.default_rng(5), 2.0 * np.eye(w.size)
    for k in range(8):
        step, epsilon = objective.draw(rng), 1.0 / (k + 5.0)
        G = (1 - epsilon) * G + epsilon * dense_fisher(model, path[k], step.x)
        expected = path[k] - 0.01 * np.linalg.solve(G, step.value_and_gradient(path[k])[1])
        np.testing.assert_allclose(path[k + 1], expected, rtol=1e-8, atol=1e-10)


def test_with_normal_noise_the_column_is_the_gradient_of_the_output():
    """One output, variance 1: Ĝ = (1 − ε) I + ε ∇f ∇fᵀ."""
    model = ConditionalModel(MLP((2, 3, 1), Tanh()), ig.NormalKnownVariance(1.0))
    rng = np.random.default_rng(6)
    w, x = rng.standard_normal(model.network.size), rng.standard_normal((1, 2))
    states = []
    run(model.objective((x, np.array([0.3]))), w, AdaptiveNatural(1.0, ConstantRate(0.1)), max_steps=1,
        callbacks=[lambda moment: states.append(moment.state)])
    slope = model.network.vjp(w, x, np.ones((1, 1)))
    np.testing.assert_allclose(np.linalg.inv(states[0].inverse), 0.9 * np.eye(w.size) + 0.1 * np.outer(slope, slope), rtol=1e-10,
                               atol=1e-12)


def test_a_step_rule_that_tries_does_not_learn_twice():
    """Backtracking asks for many points of one step; the examples are taken in once a step."""
    model, w, batch = problem("categorical")
    seen = []

    class Counting(AdaptiveNatural):
        def learned(self, examples, x, covector, state):
            seen.append(x)
            return super().learned(examples, x, covector, state)

    result = run(model.objective(batch), w, Counting(0.05, HarmonicRate()), step=ig.Backtracking(8.0), max_steps=10)
    assert len(seen) == 10 and np.all(np.diff(result.values) < 0)


def test_weight_decay_is_no_part_of_the_metric():
    model, w, batch = problem("categorical")
    state, regularised = [], []
    update = AdaptiveNatural(1.0, ConstantRate(0.1))
    run(model.objective(batch), w, update, max_steps=1, callbacks=[lambda m: state.append(m.state.inverse)])
    decayed = Regularised(model.objective(batch), 0.5)
    run(decayed, w, update, max_steps=1, callbacks=[lambda m: regularised.append(m.state.inverse)])
    np.testing.assert_array_equal(state, regularised)


@every_dtype
@pytest.mark.parametrize("name", ["bernoulli", "convolution"])
def test_on_every_backend(name, dtype, backend):
    model, w, batch = problem(name, backend, dtype)
    update = AdaptiveNatural(1.0, HarmonicRate())
    path = backend.check(run(MiniBatches(model.objective(batch), 5), w, update, max_steps=4).path, dtype)
    model, w, batch = problem(name)
    expected = run(MiniBatches(model.objective(batch), 5), w, update, max_steps=4).path
    np.testing.assert_allclose(path, expected, rtol=0, atol=1e-10 if dtype == "float64" else 1e-4)


def test_the_velocity_is_that_of_the_natural_gradient():
    model, w, batch = problem("bernoulli")
    space = ig.curvature.WeightSpace(model, batch, lambda m, w, b: ig.operators.SymmetricDense(dense_fisher(m, w, b[0])),
                                     ig.curvature.Tikhonov(0.1))
    c = np.random.default_rng(0).standard_normal(w.size)
    update = AdaptiveNatural(1.0, HarmonicRate())
    for bound in (update, update.on(model.objective(batch))):
        np.testing.assert_allclose(bound.velocity(space, w, c), -space.sharp(w, c))


def test_what_it_cannot_do():
    model, w, batch = problem("categorical")
    update = AdaptiveNatural(1.0, HarmonicRate())
    with pytest.raises(TypeError, match="needs the likelihood of a model and examples"):
        run(ig.CrossEntropy(ig.Categorical(3), np.array([0.3, 0.3])), np.zeros(2), update)
    with pytest.raises(ShapeError, match=r"one model at a time, x of shape \(d,\); got \(2, "):
        run(model.objective(batch), np.stack([w, w]), update, geometry=ig.Euclidean(w.size))
    with pytest.raises(TypeError, match=r"needs the examples of its step"):
        update(None, w, w, 0.1, update.init(w))
    for settings in ({"rate": 0.1}, {"recursion": FirstOrder}, {"outputs": None}):
        with pytest.raises(TypeError, match=f"as its argument {next(iter(settings))}; got "):
            AdaptiveNatural(**{"start": 1.0, "rate": HarmonicRate(), **settings})


@pytest.mark.parametrize("make, message", [
    (lambda: ConstantRate(1.0), "0 < epsilon < 1; got 1.0"),
    (lambda: HarmonicRate(1.0, 0.0), r"0 < c < 1 \+ offset"),
    (lambda: AdaptiveNatural(0.0, HarmonicRate()), "start > 0; got 0.0"),
])
def test_bad_arguments(make, message):
    with pytest.raises(DomainError, match=message):
        make()
