"""Structured natural gradient: local Fisher layers, and what one step of gradient descent behind them is."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.curvature.block_diagonal import block_diagonal
from infogeo.curvature.kfac import kfac
from infogeo.curvature.kronecker_factors import RunningAverage
from infogeo.curvature.sharing import Reduce
from infogeo.errors import DomainError
from infogeo.networks import ConditionalModel
from infogeo.operators import BlockDiagonal
from infogeo.training.data import MiniBatches
from infogeo.training.layer_metrics import Block, InputSide, OutputSide, TwoSided
from infogeo.training.momentum import Momentum
from infogeo.training.square_roots import DenmanBeavers, Eigen, NewtonSchulz, Nystrom
from infogeo.training.structured import LocalFisher, StructuredNatural, local_roots, rebuild, restore

from ..backends import every_dtype
from .network_helpers import NETWORKS, central
from .training_helpers import MODELS, problem, run

METRICS = {"block": (Block(), ig.curvature.Tikhonov(0.1)), "two sides": (TwoSided(), ig.curvature.FactoredTikhonov(0.1)),
           "inputs": (InputSide(), ig.curvature.Tikhonov(0.1)), "outputs": (OutputSide(), ig.curvature.Tikhonov(0.1))}
every_metric = pytest.mark.parametrize("metric, damping", METRICS.values(), ids=METRICS)
every_model = pytest.mark.parametrize("name", MODELS)


def rebuilt(model, w, batch, metric, damping, **more):
    """(model with local Fisher layers, w′, roots)."""
    roots = local_roots(model, w, (batch[0], None), metric, damping, **more)
    network, w_local = rebuild(model.network, w, roots)
    return ConditionalModel(network, model.family, model.chart), w_local, roots


# The network that is rebuilt

@every_metric
@every_model
def test_rebuilding_leaves_the_function_as_it_is(name, metric, damping):
    model, w, batch = problem(name)
    local, w_local, roots = rebuilt(model, w, batch, metric, damping)
    scale = np.abs(model.theta(w, batch[0])).max()
    np.testing.assert_allclose(local.theta(w_local, batch[0]), model.theta(w, batch[0]), rtol=1e-10, atol=1e-12 * scale)
    assert np.abs(w_local - w).max() > 1e-3
    assert sum(isinstance(layer, LocalFisher) for layer in local.network.layers) == len(roots)
    network, again = restore(local.network, w_local)
    assert network.layers == model.network.layers and network == model.network
    np.testing.assert_allclose(again, w, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", ["tanh", "without bias", "convolution", "strides and padding", "images out",
                                  "residual with shortcut", "residual convolution"])
def test_derivatives_in_the_local_weights(name):
    """Of the layer itself, roots being any symmetric matrices: jvp, vjp, examples, second derivatives, by differences."""
    network, rng = NETWORKS[name], np.random.default_rng(0)
    roots = []
    for layer in network.steps:
        if layer.weight_shape:
            X = rng.standard_normal((layer.weight_shape[0] * layer.weight_shape[1],) * 2)
            roots.append(Eigen()(ig.operators.SymmetricDense(X @ X.T / len(X) + np.eye(len(X)))))
    w = 0.3 * rng.standard_normal(network.size)
    local, u = rebuild(network, w, roots)
    x, du = rng.standard_normal((4, *network.input_shape)), rng.standard_normal(w.size)
    g = rng.standard_normal((4, *network.output_shape))
    done = local.record(u, x)
    np.testing.assert_allclose(done.jvp(du), central(lambda u: local.forward(u, x), u, du), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(done.vjp(g) @ du, np.sum(g * done.jvp(du)), rtol=1e-10)
    np.testing.assert_allclose(done.per_example_gradients(g).sum(axis=0), done.vjp(g), rtol=1e-9, atol=1e-12)
    turned = central(lambda u: local.vjp(u, x, g), u, du)
    np.testing.assert_allclose(done.vjp_tangent(du, g, np.zeros_like(g)), turned, rtol=1e-5, atol=1e-7 * np.abs(turned).max())
    several = np.stack([du, -2.0 * du])
    np.testing.assert_allclose(done.jvp(several)[1], -2.0 * done.jvp(du), rtol=1e-12, atol=1e-14)


# Laws of a step

@every_metric
@every_model
def test_a_gradient_step_behind_local_layers_is_a_natural_gradient_step(name, metric, damping):
    """w′ − h c′ is w − h G⁻¹ c, with G from the curvatures themselves."""
    model, w, batch = problem(name)
    local, w_local, roots = rebuilt(model, w, batch, metric, damping)
    gradient = model.value_and_gradient(w, batch)[1]
    step = restore(local.network, w_local - 0.1 * local.value_and_gradient(w_local, batch)[1])[1]
    if isinstance(metric, Block):
        expected = w - 0.1 * damping(block_diagonal(model, w, batch)).solve(gradient)
    elif isinstance(metric, TwoSided):
        expected = w - 0.1 * damping(kfac(model, w, batch)).solve(gradient)
    else:
        side = "A" if isinstance(metric, InputSide) else "B"
        parts = []
        for block, s in zip(kfac(model, w, batch).blocks, BlockDiagonal(*roots).slices):
            factor, c = damping(getattr(block, side)).dense(), gradient[s].reshape(block.A.dim, block.B.dim)
            parts.append((np.linalg.solve(factor, c) if side == "A" else np.linalg.solve(factor, c.T).T).reshape(-1))
        expected = w - 0.1 * np.concatenate(parts)
    np.testing.assert_allclose(step, expected, rtol=1e-9, atol=1e-11)
    through = run(model.objective(batch), w, StructuredNatural(metric, damping), h=0.1, max_steps=1).x
    np.testing.assert_allclose(through, expected, rtol=1e-9, atol=1e-11)


def test_two_sides_of_a_convolution_reduced():
    model, w, batch = problem("convolution")
    metric, damping = TwoSided(Reduce()), ig.curvature.FactoredTikhonov(0.1)
    expected = w - 0.1 * damping(kfac(model, w, batch, sharing=Reduce())).solve(model.value_and_gradient(w, batch)[1])
    through = run(model.objective(batch), w, StructuredNatural(metric, damping), h=0.1, max_steps=1).x
    np.testing.assert_allclose(through, expected, rtol=1e-9, atol=1e-11)
    other = run(model.objective(batch), w, StructuredNatural(TwoSided(), damping), h=0.1, max_steps=1).x
    assert np.abs(other - expected).max() > 1e-6


@pytest.mark.parametrize("engine", [DenmanBeavers(1e-10), NewtonSchulz(1e-10), Nystrom(40)], ids=["denman", "newton", "nystrom"])
def test_every_engine_takes_the_same_step(engine):
    """Nyström with as many columns as the largest matrix has."""
    model, w, batch = problem("categorical")
    for metric, damping in METRICS.values():
        steps = [run(model.objective(batch), w, StructuredNatural(metric, damping, e), max_steps=1).x for e in (engine, Eigen())]
        np.testing.assert_allclose(steps[0], steps[1], rtol=1e-7, atol=1e-8)


# The algorithm

@every_metric
def test_the_update_is_gradient_descent_in_rebuilt_networks(metric, damping):
    """Twelve steps with a renewal every four: by hand, each renewal a network of its own and momentum carried into it."""
    model, w, batch = problem("categorical")
    update = StructuredNatural(metric, damping, refresh=4, average=RunningAverage(0.0), momentum=0.6)
    path = run(model.objective(batch), w, update, h=0.05, max_steps=12).path

    x, v, old = w, np.zeros_like(w), None
    for start in range(0, 12, 4):
        local, x_local, roots = rebuilt(model, x, batch, metric, damping)
        np.testing.assert_allclose(local.loss(x_local, batch), model.loss(x, batch), rtol=1e-12)
        new = BlockDiagonal(*roots)
        v = v if old is None else new.matvec(old.solve(v))
        for k in range(start + 1, start + 5):
            v = 0.6 * v - 0.05 * local.value_and_gradient(x_local, batch)[1]
            x_local = x_local + v
            np.testing.assert_allclose(path[k], new.solve(x_local), rtol=1e-8, atol=1e-10)
        x, old = restore(local.network, x_local)[1], new


def test_the_inner_loop_is_descend_on_the_rebuilt_model():
    """At frozen metric the update is plain gradient descent, and the heavy ball, of the model with local layers."""
    model, w, batch = problem("bernoulli")
    metric, damping = METRICS["two sides"]
    local, w_local, roots = rebuilt(model, w, batch, metric, damping)
    for inner, momentum in ((ig.GradientUpdate(), 0.0), (Momentum(0.7), 0.7)):
        behind = run(local.objective(batch), w_local, inner, h=0.05, max_steps=15).path
        update = StructuredNatural(metric, damping, refresh=100, momentum=momentum)
        path = run(model.objective(batch), w, update, h=0.05, max_steps=15).path
        np.testing.assert_allclose(BlockDiagonal(*roots).solve(behind), path, rtol=1e-8, atol=1e-10)


def test_momentum_that_is_carried_is_the_heavy_ball_of_the_natural_gradient():
    """v ← β v − h G_k⁻¹ c with the metric of each step; without the carrying it is another path."""
    model, w, batch = problem("categorical")
    damping = ig.curvature.Tikhonov(0.1)
    update = StructuredNatural(Block(), damping, refresh=1, average=RunningAverage(0.0), momentum=0.8)
    space = ig.curvature.WeightSpace(model, batch, block_diagonal, damping)
    path = run(model.objective(batch), w, update, h=0.05, max_steps=15).path
    ball = run(model.objective(batch), w, Momentum(0.8, ig.NaturalUpdate()), h=0.05, max_steps=15, geometry=space).path
    np.testing.assert_allclose(path, ball, rtol=1e-8, atol=1e-10)

    x, v = w, np.zeros_like(w)
    for _ in range(15):
        S = BlockDiagonal(*local_roots(model, x, batch, Block(), damping))
        v = 0.8 * v - 0.05 * S.solve(model.value_and_gradient(x, batch)[1])
        x = x + S.solve(v)
    assert np.abs(x - path[-1]).max() > 1e-4


def test_the_metric_is_averaged_over_renewals():
    """Weights 1, 0.5, 0.25, … over their sum, on mini-batches; steps between renewals keep the roots."""
    model, w, batch = problem("categorical")
    damping, states = ig.curvature.Tikhonov(0.1), []
    update = StructuredNatural(Block(), damping, refresh=3, average=RunningAverage(0.5))
    path = run(MiniBatches(model.objective(batch), 6), w, update, max_steps=9, callbacks=[lambda m: states.append(m.state)]).path
    objective, rng = MiniBatches(model.objective(batch), 6), np.random.default_rng(5)
    total, weight = 0.0, 0.0
    for k in range(9):
        step = objective.draw(rng)
        if k % 3 == 0:
            total, weight = 0.5 * total + block_diagonal(model, path[k], (step.x, step.y)).dense(), 0.5 * weight + 1.0
        G = total / weight + 0.1 * np.eye(w.size)
        expected = path[k] - 0.1 * np.linalg.solve(G, step.value_and_gradient(path[k])[1])
        np.testing.assert_allclose(path[k + 1], expected, rtol=1e-9, atol=1e-11)
    assert states[1].roots is states[0].roots and states[3].roots is not states[2].roots


def test_random_covectors_average_to_the_exact_metric():
    """The block of sampled covectors over many renewals at a point: within 5 standard errors of the exact one."""
    model, w, batch = problem("poisson")
    done = model.record(w, batch[0])
    found = [Block().matrices(done, batch, ig.curvature.Sampled(np.random.default_rng(i))).layers[0][0] for i in range(400)]
    exact = Block().matrices(done, batch, ig.curvature.ExactColumns()).layers[0][0]
    error = np.std(found, axis=0) / 20.0
    assert np.all(np.abs(np.mean(found, axis=0) - exact) <= 5.0 * error + 1e-14)


@every_dtype
@every_metric
def test_on_every_backend(metric, damping, dtype, backend):
    model, w, batch = problem("convolution", backend, dtype)
    update = StructuredNatural(metric, damping, refresh=2, momentum=0.5)
    path = backend.check(run(MiniBatches(model.objective(batch), 5), w, update, max_steps=4).path, dtype)
    local, w_local, _ = rebuilt(model, w, batch, metric, damping)
    backend.check(w_local, dtype)
    value, gradient = local.value_and_gradient(w_local, batch)
    backend.check(gradient, dtype)
    model, w, batch = problem("convolution")
    expected = run(MiniBatches(model.objective(batch), 5), w, update, max_steps=4).path
    np.testing.assert_allclose(path, expected, rtol=0, atol=1e-10 if dtype == "float64" else 1e-4)


def test_bad_arguments():
    model, w, batch = problem("categorical")
    with pytest.raises(TypeError, match="TwoSided needs a damping of both factors, such as FactoredTikhonov; got Tikhonov"):
        local_roots(model, w, batch, TwoSided(), ig.curvature.Tikhonov(0.1))
    with pytest.raises(ValueError, match="refresh must satisfy refresh an integer >= 1; got 0"):
        StructuredNatural(Block(), ig.curvature.Tikhonov(0.1), refresh=0)
    with pytest.raises(DomainError, match="0 <= momentum < 1; got 1.0"):
        StructuredNatural(Block(), ig.curvature.Tikhonov(0.1), momentum=1.0)
    with pytest.raises(DomainError, match="positive definite"):
        local_roots(model, w, (batch[0][:1], batch[1][:1]), Block(), ig.curvature.Undamped())
