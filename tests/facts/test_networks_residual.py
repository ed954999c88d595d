"""Skip connections in every operator that looks into a network, against dense references made of complex steps.

The laws of networks, of curvature propagation and of local Fisher layers have residual networks among theirs.
"""
import numpy as np
import pytest

import infogeo as ig
from infogeo import curvature
from infogeo.errors import ShapeError
from infogeo.networks import ConditionalModel, Convolution2D, Dense, Flatten, Relu, Residual, Sequential, Tanh, load
from infogeo.networks import network as network_module
from infogeo.networks import save
from infogeo.training import KFAC, Block, RelativeNatural, StructuredNatural, fit, relative_metrics

from .network_helpers import NETWORKS

DENSE = Sequential([Dense(3, 4), Residual([Tanh(), Dense(4, 3), Tanh(), Dense(3, 4)]),
                    Residual([Tanh(), Dense(4, 2)], [Dense(4, 2, bias=False)])], (3,))


def problem(network=DENSE, n=5):
    """(model, w, batch, J, G, slices): θ's Jacobian by complex steps, shape (n, d, size), and the metrics at θ."""
    rng = np.random.default_rng(3)
    model = ConditionalModel(network, ig.Categorical(3))
    w, x = 0.7 * rng.standard_normal(network.size), rng.standard_normal((n, *network.input_shape))
    J = np.stack([network.forward(w + 1e-30j * e, x).imag / 1e-30 for e in np.eye(w.size)], axis=-1)
    return model, w, (x, model.sample(rng, w, x)), J, model.family.metric(model.theta(w, x)), [s for s in network.slices if s]


def close(actual, expected, tol=1e-11):
    np.testing.assert_allclose(actual, expected, rtol=tol, atol=tol * np.abs(expected).max())


def fisher_matrix(J, G):
    return np.einsum("nip,nij,njq->pq", J, G, J) / len(J)


def test_weights_lie_way_by_way():
    """f first, then the shortcut: [Dense(3, 4)] [Dense(4, 3), Dense(3, 4)] [Dense(4, 2), Dense(4, 2)]."""
    assert [s.stop for s in DENSE.slices if s] == [16, 31, 47, 57, 65] and DENSE.size == 65
    assert DENSE.shapes[-1] == DENSE.output_shape == (2,)
    W = np.arange(65.0)
    np.testing.assert_array_equal([b for b in DENSE.blocks(W) if b is not None][4], W[57:].reshape(4, 2))


@pytest.mark.parametrize("network", [DENSE, NETWORKS["residual convolution"]], ids=["dense", "convolution"])
def test_fisher_metrics(network):
    """Whole, by blocks of layers, by units and on the diagonal."""
    model, w, batch, J, G, slices = problem(network)
    F = fisher_matrix(J, G)
    close(curvature.fisher(model, w, batch).dense(), F)
    blocks = np.zeros_like(F)
    for s in slices:
        blocks[s, s] = F[s, s]
    close(curvature.block_diagonal(model, w, batch).dense(), blocks)
    close(np.diag(curvature.diagonal_fisher(model, w, batch).dense()), np.diag(F))
    close(curvature.gauss_newton_diagonal(model, w, batch, curvature.UnitVectors()), np.diag(F))
    unit = np.concatenate([s.start + 1000 * np.tile(np.arange(b.shape[1]), b.shape[0]) for s, b in
                           zip(slices, (b for b in network.blocks(w) if b is not None))])
    close(curvature.unitwise_fisher(model, w, batch).dense(), np.where(unit[:, None] == unit, F, 0.0))
    close(curvature.ekfac(model, w, batch).dense().trace(), np.trace(F))


def test_kronecker_factors():
    """Of one example the block is exact; of several the factors are those of the reference of each example."""
    model, w, (x, y), J, G, slices = problem()
    factors = curvature.KroneckerFactors.of(model, w, (x, y))
    A, B = [0.0] * len(slices), [0.0] * len(slices)
    for n in range(len(x)):
        F, one = fisher_matrix(J[n:n + 1], G[n:n + 1]), (x[n:n + 1], y[n:n + 1])
        for s, block in zip(slices, curvature.kfac(model, w, one).blocks):
            close(block.dense(), F[s, s])
        moments = curvature.KroneckerFactors.of(model, w, one)
        A, B = ([total + m / len(x) for total, m in zip(*pair)] for pair in ((A, moments.A), (B, moments.G)))
    for found, expected in zip((*factors.A, *factors.G), (*A, *B)):
        close(found, expected)


def test_the_hessian_and_its_diagonal():
    """By a complex step of the gradient; the Gauss–Newton part is the Fisher metric, as θ is a natural parameter."""
    model, w, batch, *_ = problem()
    x, y = batch
    H = np.stack([_complex_gradient(model, w + 1e-30j * e, x, y).imag / 1e-30 for e in np.eye(w.size)])
    close(model.hessian_vector(w, batch, np.eye(w.size)), H, 1e-10)
    close(curvature.hessian_estimate(model, w, batch, curvature.UnitVectors()).dense(), H, 1e-10)
    close(curvature.hessian_diagonal(model, w, batch, curvature.UnitVectors()), np.diag(H), 1e-10)


def _complex_gradient(model, w, x, y):
    """That of the loss, analytic in w: η is the softmax of (θ, 0)."""
    theta = model.network.forward(w, x)
    e = np.exp(theta)
    return model.network.vjp(w, x, (e / (1.0 + e.sum(axis=-1, keepdims=True)) - np.eye(3)[y.astype(int)][:, :2]) / len(x))


def test_in_blocks_of_samples(monkeypatch):
    """Many samples go block by block, with the same result."""
    network = NETWORKS["residual convolution"]
    model, w, batch, J, G, _ = problem(network, n=7)
    whole = [model.value_and_gradient(w, batch)[1], curvature.fisher(model, w, batch).matvec(w),
             curvature.kfac(model, w, batch).matvec(w), model.hessian_vector(w, batch, w)]
    monkeypatch.setattr(network_module, "ACTIVATIONS", 4 * network.size)
    blocks = network.blocks_of_samples(w, batch[0])
    assert len(blocks) > 1
    for before, after in zip(whole, [model.value_and_gradient(w, batch)[1], curvature.fisher(model, w, batch).matvec(w),
                                     curvature.kfac(model, w, batch).matvec(w), model.hessian_vector(w, batch, w)]):
        close(after, before)


def test_a_residual_of_nothing_is_twice_the_identity_and_a_shortcut_of_an_activation_is_its_sum():
    x = np.array([[1.0, -2.0, 0.5]])
    np.testing.assert_array_equal(Sequential([Residual([])], (3,)).forward(np.zeros(0), x), 2.0 * x)
    np.testing.assert_array_equal(Sequential([Residual([Relu()], [Tanh()])], (3,)).forward(np.zeros(0), x),
                                  np.maximum(x, 0.0) + np.tanh(x))


def test_training():
    """SNGD is the natural gradient with the block metric; K-FAC, RNGD and the posterior go through."""
    model, w, (x, y), *_ = problem(n=40)
    damping = curvature.Tikhonov(0.1)
    step = ig.descend(model.objective((x, y)), w, update=StructuredNatural(Block(), damping), step=0.1, max_steps=1).x
    gradient = model.value_and_gradient(w, (x, y))[1]
    close(step, w - 0.1 * damping(curvature.block_diagonal(model, w, (x, y))).solve(gradient), 1e-9)
    for update, h in ((KFAC(), 1.0), (RelativeNatural(), 0.05)):
        run = ig.descend(model.objective((x, y)), w, update=update, step=h, max_steps=20, record="values")
        assert run.values[-1] < 0.95 * run.values[0]
    found = fit(model, (x, y), max_epochs=5)
    posterior = ig.training.LaplacePosterior(model, found.w, (x, y), curvature.kfac, prior_precision=1.0)
    assert np.isfinite(posterior.log_marginal_likelihood())


def test_relative_metrics_have_slope_one_where_no_activation_is_right_behind():
    """The second of five layers with weights has an activation behind it, the third and the fourth have none."""
    _, w, (x, _), *_ = problem()
    found = relative_metrics(DENSE, w, x).layers
    steps = DENSE.record(w, x).steps()
    rows = [np.concatenate([step[3].a, np.ones((5, 1))], axis=1) for step in steps if step[1]]
    slope = 1.0 - np.tanh(rows[1] @ DENSE.blocks(w)[3]) ** 2
    close(found[1][0], np.einsum("no,ni,nj->oij", slope**2, rows[1], rows[1]) / 5)
    close(found[2][0], np.stack([rows[2].T @ rows[2] / 5] * 4))


def test_in_files(tmp_path):
    network = Sequential([Residual([Convolution2D(1, 2, padding=1)], [Convolution2D(1, 2, 1)]), Flatten(),
                          Residual([Residual([Tanh()])]), Dense(8, 2)], (2, 2, 1))
    model, w = ConditionalModel(network, ig.Categorical(3)), np.arange(float(network.size))
    save(tmp_path / "model.npz", model, w)
    again, v = load(tmp_path / "model.npz")
    assert again.network == network and again.network.layers[2] == Residual([Residual([Tanh()])])
    np.testing.assert_array_equal(v, w)
    assert repr(network.layers[2]) == "Residual(layers=(Residual(layers=(Tanh(),), shortcut=()),), shortcut=())"


@pytest.mark.parametrize("layers, shape, words", [
    (lambda: [Residual([Dense(3, 4)])], (3,),
     r"they give \(4,\) beside \(3,\). Let its last layer with weights make \(3,\), or give it a shortcut that takes \(3,\) to "
     r"\(4,\), such as shortcut=\[Dense\(3, 4\)\]"),
    (lambda: [Residual([Convolution2D(2, 5, 3, 2, 1)])], (8, 8, 2), r"shortcut=\[Convolution2D\(2, 5, 1, 2\)\]"),
    (lambda: [Residual([Dense(3, 4)], [Dense(3, 2)])], (3,), r"the shape of its shortcut.*they give \(4,\) beside \(2,\)")])
def test_shapes_that_do_not_meet(layers, shape, words):
    with pytest.raises(ShapeError, match=words):
        Sequential(layers(), shape)


@pytest.mark.parametrize("layers, shape, proposal", [
    ([Dense(3, 4)], (3,), "Dense(3, 4)"), ([Convolution2D(2, 5, 3, 2, 1)], (8, 8, 2), "Convolution2D(2, 5, 1, 2)"),
    ([Convolution2D(2, 2, 3)], (8, 6, 2), "Convolution2D(2, 2, (3, 3))"),
    ([Flatten(), Dense(32, 7)], (4, 4, 2), "Flatten(3), Dense(32, 7)")])
def test_what_the_message_proposes_works(layers, shape, proposal):
    with pytest.raises(ShapeError) as caught:
        Sequential([Residual(layers)], shape)
    assert str(caught.value).endswith(f", such as shortcut=[{proposal}]")
    assert Sequential([Residual(layers, eval(f"[{proposal}]"))], shape).size > 0


def test_where_nothing_is_proposed():
    with pytest.raises(ShapeError, match=r"a shortcut that takes \(3, 3, 1\) to \(7, 7, 1\)$"):
        Sequential([Residual([Convolution2D(1, 1, 1, 1, 2)])], (3, 3, 1))


@pytest.mark.parametrize("make", [lambda: Residual(Dense(3, 3)), lambda: Residual([3]), lambda: Residual([Dense])])
def test_what_is_no_list_of_layers(make):
    with pytest.raises(TypeError, match="layers must be"):
        make()
