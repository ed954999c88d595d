"""Layers and networks: values against loops, derivatives against complex steps, differences and each other."""
import mpmath
import numpy as np
import pytest

from infogeo.backend import NUMPY, backend_of, use_backend
from infogeo.errors import DomainError, ShapeError
from infogeo.networks.activations import Activation, Identity, Logistic, Relu, Softplus, Tanh
from infogeo.networks.affine import Convolution2D, Dense
from infogeo.networks.initial import Glorot, He, Sparse
from infogeo.networks.linear import Flatten
from infogeo.networks.network import Sequential
from infogeo.networks.pool import AveragePool, MaxPool
from infogeo.networks.products import second_moment
from infogeo.networks.usual import MLP, ConvNet

from ..backends import every_dtype
from .network_helpers import NETWORKS, SMOOTH, N, central, naive, problem

every_network = pytest.mark.parametrize("name", NETWORKS)


@every_network
def test_forward_is_its_definition(name):
    network, w, x, _, _ = problem(name)
    y = network.forward(w, x)
    assert y.shape == (N, *network.output_shape)
    np.testing.assert_allclose(y, naive(network, w, x), rtol=1e-12, atol=1e-13)


@every_network
def test_jvp_and_vjp_are_adjoint(name):
    network, w, x, dw, g = problem(name)
    done = network.record(w, x)
    np.testing.assert_allclose(np.sum(g * done.jvp(dw)), done.vjp(g) @ dw, rtol=1e-12)


@pytest.mark.parametrize("name", SMOOTH)
def test_derivatives_by_a_complex_step(name):
    """f(w + i h dw) / h has the derivative as its imaginary part, to rounding: the first and, from vjp, the second."""
    network, w, x, dw, g = problem(name)
    h = 1e-30
    np.testing.assert_allclose(network.jvp(w, x, dw), network.forward(w + 1j * h * dw, x).imag / h, rtol=1e-11, atol=1e-13)
    done = network.record(w, x)
    np.testing.assert_allclose(done.vjp_tangent(dw, g, np.zeros_like(g)), network.vjp(w + 1j * h * dw, x, g).imag / h,
                               rtol=1e-10, atol=1e-12)


@every_network
def test_derivatives_by_differences(name):
    network, w, x, dw, g = problem(name)
    done = network.record(w, x)
    np.testing.assert_allclose(done.jvp(dw), central(lambda w: network.forward(w, x), w, dw), rtol=2e-7, atol=1e-8)
    moving = central(lambda w: network.vjp(w, x, g * np.sin(w.sum())), w, dw)
    mine = done.vjp_tangent(dw, g * np.sin(w.sum()), g * np.cos(w.sum()) * dw.sum())
    np.testing.assert_allclose(mine, moving, rtol=1e-6, atol=1e-7)
    given = done.vjp_tangent(dw, g, 2.0 * done.jvp(dw))
    np.testing.assert_array_equal(done.vjp_tangent(dw, g, lambda dy: 2.0 * dy), given)


@every_network
def test_the_second_derivative_is_symmetric(name):
    network, w, x, _, g = problem(name)
    done = network.record(w, x)
    second = done.vjp_tangent(np.eye(network.size), g, np.zeros_like(g))
    np.testing.assert_allclose(second, second.T, atol=1e-12)


@every_network
def test_per_example_gradients(name):
    network, w, x, _, g = problem(name)
    each = network.per_example_gradients(w, x, g)
    assert each.shape == (N, network.size)
    np.testing.assert_allclose(each.sum(axis=0), network.vjp(w, x, g), rtol=1e-11, atol=1e-12)
    for i in range(N):
        np.testing.assert_allclose(each[i], network.vjp(w, x[i:i + 1], g[i:i + 1]), rtol=1e-11, atol=1e-12)


@every_network
def test_layer_quantities_make_the_gradient(name):
    """Σ ā gᵀ over samples and positions is the covector at each weight matrix, and g that at a shift of the pre-activations."""
    network, w, x, _, g = problem(name)
    gradient, found = network.vjp(w, x, g), network.record(w, x).layer_quantities(g)
    assert [q.place for q in found] == [i for i, layer in enumerate(network.steps) if layer.weight_shape]
    for q in found:
        positions = q.layer.count(_input_shape(network, q.place))
        assert q.inputs.shape == (N, positions, q.layer.inputs) and q.covectors.shape == (N, positions, q.layer.weight_shape[1])
        homogeneous = q.layer.homogeneous(NUMPY, q.inputs)
        assert homogeneous.shape[-1] == q.layer.weight_shape[0]
        np.testing.assert_allclose(np.einsum("nli,nlo->io", homogeneous, q.covectors).ravel(), gradient[q.weights], rtol=1e-11,
                                   atol=1e-12)


@every_network
def test_second_moments(name):
    """Sums of outer products of homogeneous inputs and of covectors: the Kronecker factors, with a batch of covectors, too."""
    network, w, x, _, g = problem(name)
    for q in network.record(w, x).layer_quantities(np.stack([g, -2.0 * g])):
        a = q.layer.homogeneous(NUMPY, q.inputs)
        np.testing.assert_allclose(q.layer.second_moment(NUMPY, q.inputs), np.einsum("nli,nlj->ij", a, a), rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(second_moment(NUMPY, q.covectors), np.einsum("cnli,cnlj->cij", q.covectors, q.covectors),
                                   rtol=1e-11, atol=1e-13)


def _input_shape(network, index):
    return network.shapes[index - 1] if index else network.input_shape


@every_network
def test_batches_of_networks_of_inputs_and_of_directions(name):
    """Leading axes of w are networks; further ones of dw and g are directions; those of x broadcast."""
    network, w, x, _, g = problem(name)
    rng = np.random.default_rng(1)
    ws, xs = np.stack([w, 0.5 * w, -w]), np.stack([x, -x, 2.0 * x])
    dws, gs = rng.standard_normal((2, 3, network.size)), rng.standard_normal((2, 3, *g.shape))
    alone, paired = network.record(ws, x), network.record(ws, xs)
    for i in range(3):
        np.testing.assert_allclose(alone.output[i], network.forward(ws[i], x), rtol=1e-12, atol=1e-13)
        one = network.record(ws[i], xs[i])
        np.testing.assert_allclose(paired.output[i], one.output, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(network.record(w, xs).output[i], network.forward(w, xs[i]), rtol=1e-12, atol=1e-13)
        for k in range(2):
            close = {"rtol": 1e-10, "atol": 1e-11}
            np.testing.assert_allclose(paired.jvp(dws)[k, i], one.jvp(dws[k, i]), **close)
            np.testing.assert_allclose(paired.vjp(gs)[k, i], one.vjp(gs[k, i]), **close)
            one_dw, one_g = dws[k, i], gs[k, i]
            np.testing.assert_allclose(paired.per_example_gradients(gs)[k, i], one.per_example_gradients(one_g), **close)
            np.testing.assert_allclose(paired.vjp_tangent(dws, gs, gs)[k, i], one.vjp_tangent(one_dw, one_g, one_g), **close)
    done = network.record(w, x)
    np.testing.assert_allclose(done.vjp_tangent(dws[0], g, g)[1], done.vjp_tangent(dws[0, 1], g, g), rtol=1e-10, atol=1e-11)


@every_dtype
@pytest.mark.parametrize("name", ["softplus", "logistic", "relu", "strides and padding", "max pooling", "average pooling",
                                  "residual with shortcut", "residual convolution"])
def test_on_every_backend(name, backend, dtype):
    network, w, x, dw, g = problem(name)
    tol = 1e-11 if dtype == "float64" else 1e-4
    exact = network.record(w, x)
    mw, mx, mdw, mg = (backend.make(a, dtype) for a in (w, x, dw, g))
    done = network.record(mw, mx)
    for actual, expected in [(done.output, exact.output), (done.jvp(mdw), exact.jvp(dw)), (done.vjp(mg), exact.vjp(g)),
                             (done.per_example_gradients(mg), exact.per_example_gradients(g)),
                             (done.vjp_tangent(mdw, mg, mg), exact.vjp_tangent(dw, g, g))]:
        np.testing.assert_allclose(backend.check(actual, dtype), expected, rtol=tol, atol=tol * np.abs(expected).max())
    for q, expected in zip(done.layer_quantities(mg), exact.layer_quantities(g)):
        np.testing.assert_allclose(backend.check(q.covectors, dtype), expected.covectors, rtol=tol,
                                   atol=tol * np.abs(expected.covectors).max())
        moment = expected.layer.second_moment(NUMPY, expected.inputs)
        np.testing.assert_allclose(backend.check(q.layer.second_moment(done.xp, q.inputs), dtype), moment, rtol=tol, atol=tol)


# Weights

def test_blocks_are_views_of_the_flat_vector():
    network, w, _, _, _ = problem("strides and padding")
    for block, layer in zip(network.blocks(w), network.layers):
        assert (block is None) == (layer.weight_shape is None)
        if block is not None:
            assert block.shape == layer.weight_shape and np.shares_memory(block, w)
    assert network.blocks(np.stack([w, w]))[0].shape == (2, 13, 3)
    assert network.size == 13 * 3 + 12 * 2 + 33 * 2


def test_glorot_and_he():
    network, rng = MLP((300, 200, 100)), np.random.default_rng(0)
    glorot, he = network.blocks(network.init(rng, Glorot())), network.blocks(network.init(rng, He()))
    for (m, n), W, V in [((300, 200), glorot[0], he[0]), ((200, 100), glorot[2], he[2])]:
        bound = np.sqrt(6 / (m + n))
        assert 0.99 * bound < np.abs(W[:-1]).max() <= bound and not np.any(W[-1]) and not np.any(V[-1])
        np.testing.assert_allclose([W[:-1].var(), V[:-1].var()], [bound**2 / 3, 2 / m], rtol=0.05)      # 5 sigma is 0.05 and less
        assert abs(W[:-1].mean()) < 5 * bound / np.sqrt(3 * m * n)


def test_the_fans_of_a_convolution_count_its_window():
    assert Convolution2D(3, 8, (5, 4)).fans == (60, 160)
    W = ConvNet((8, 8, 3), (50,), 2, kernel=5).init(np.random.default_rng(0), He())[:75 * 50]
    np.testing.assert_allclose(W.var(), 2 / 75, rtol=0.12)


def test_sparse_initialisation():
    network = MLP((40, 30, 6))
    for W, inputs in zip(network.blocks(network.init(np.random.default_rng(1), Sparse(15)))[::2], (40, 30)):
        assert np.all(np.count_nonzero(W[:-1], axis=0) == 15) and not np.any(W[-1])
        assert 0.7 < W[W != 0].std() < 1.3
    assert np.all(MLP((3, 2)).init(np.random.default_rng(1), Sparse(15)).reshape(4, 2)[:-1] != 0)


def test_initial_weights_have_the_asked_for_shape_dtype_and_state():
    network = MLP((3, 4, 2))
    w = network.init(np.random.default_rng(5), Glorot(), shape=(6, 2), dtype="float32")
    assert w.shape == (6, 2, network.size) and w.dtype == np.float32
    np.testing.assert_array_equal(w, network.init(np.random.default_rng(5), Glorot(), shape=(6, 2), dtype="float32"))
    with use_backend("numpy"):
        assert isinstance(network.init(np.random.default_rng(5), He()), np.ndarray)
    with pytest.raises(TypeError, match="rng must be"):
        network.init(5, He())


# Layers

@pytest.mark.parametrize("activation, exact", [
    (Tanh(), mpmath.tanh), (Logistic(), lambda s: 1 / (1 + mpmath.exp(-s))), (Softplus(), lambda s: mpmath.log1p(mpmath.exp(s))),
    (Identity(), lambda s: s), (Relu(), lambda s: s if s > 0 else 0 * s)], ids=lambda a: type(a).__name__)
def test_activations_and_their_derivatives(activation, exact, backend):
    points = np.array([-30.0, -3.0, -0.4, 0.3, 2.0, 30.0])
    s = backend.make(points)
    xp = backend_of(s)
    y = activation.value(xp, s)
    with mpmath.workdps(50):
        for k, values in enumerate((y, activation.first(xp, s, y), activation.second(xp, s, y))):
            expected = [float(mpmath.diff(exact, mpmath.mpf(p), k)) for p in points]
            # relative to the largest slope: where y saturates, 1 − y² from y itself is good to rounding of 1 and no more
            np.testing.assert_allclose(backend.check(values), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("activation", [Tanh(), Logistic(), Softplus(), Relu(), Identity()], ids=lambda a: type(a).__name__)
def test_activations_far_out(activation):
    s = np.array([-800.0, 0.0, 800.0])
    y = activation.value(NUMPY, s)
    assert np.all(np.isfinite([y, activation.first(NUMPY, s, y), activation.second(NUMPY, s, y)]))


def test_a_pool_takes_the_first_of_equal_numbers():
    network = Sequential([Convolution2D(1, 1, 1), MaxPool(2), Flatten(), Dense(1, 1)], (2, 2, 1))
    x, w = np.zeros((1, 2, 2, 1)), np.array([1.0, 0.0, 1.0, 0.0])
    done = network.record(w, x)
    mask = done._memories[1][1]
    np.testing.assert_array_equal([m.item() for m in mask], [True, False, False, False])
    assert done.output.item() == 0.0


class _Sine(Activation):
    """An activation of a user, whose derivatives need s."""

    from_output = False

    def value(self, xp, s):
        return xp.sin(s)

    def first(self, xp, s, y):
        return xp.cos(s)

    def second(self, xp, s, y):
        return -y


def test_an_activation_that_needs_its_input():
    network, rng = MLP((3, 4, 2), _Sine()), np.random.default_rng(0)
    w, x = network.init(rng, Glorot()), rng.standard_normal((5, 3))
    dw, g = rng.standard_normal(network.size), rng.standard_normal((5, 2))
    np.testing.assert_allclose(network.jvp(w, x, dw), network.forward(w + 1e-30j * dw, x).imag / 1e-30, rtol=1e-12)
    np.testing.assert_allclose(network.record(w, x).vjp_tangent(dw, g, 0.0 * g), network.vjp(w + 1e-30j * dw, x, g).imag / 1e-30,
                               rtol=1e-12, atol=1e-14)


class _Exponential(Activation):
    """An activation of a user, whose derivatives are its output, the same array."""

    def value(self, xp, s):
        return xp.exp(s)

    def first(self, xp, s, y):
        return y

    def second(self, xp, s, y):
        return y


def test_a_pass_stays_as_it_is():
    network, rng = MLP((3, 4, 2), _Exponential()), np.random.default_rng(0)
    w, x, g = network.init(rng, Glorot()), rng.standard_normal((5, 3)), rng.standard_normal((5, 2))
    done = network.record(w, x)
    np.testing.assert_array_equal(done.vjp(g), done.vjp(g))


def test_networks_compare_by_what_they_are():
    assert MLP((3, 4, 2)) == Sequential([Dense(3, 4), Tanh(), Dense(4, 2)], (3,)) != MLP((3, 4, 2), Relu())
    assert len({MLP((3, 2)), MLP((3, 2)), MLP((3, 3))}) == 2 and "Dense" in repr(MLP((3, 2)))


def test_a_network_without_weights():
    network = Sequential([Tanh(), Flatten(1)], (3,))
    done = network.record(np.zeros(0), np.ones((2, 3)))
    assert network.size == 0 and network.init(np.random.default_rng(0), He()).shape == (0,)
    assert done.vjp(np.ones((2, 3))).shape == (0,) and not np.any(done.jvp(np.zeros(0)))


@pytest.mark.parametrize("call, error, message", [
    (lambda: MLP((3,)), ShapeError, "at least inputs and outputs"),
    (lambda: MLP((3, 0)), ValueError, "n_outputs must satisfy n_outputs an integer >= 1; got 0"),
    (lambda: MLP((3, 2), "tanh"), TypeError, "activation must be an activation"),
    (lambda: Sequential([np.tanh], (3,)), TypeError, "layers must be layers"),
    (lambda: Sequential([Dense(3, 4), Dense(3, 2)], (3,)), ShapeError, r"takes inputs of shape \(3,\); got \(4,\)"),
    (lambda: Sequential([Convolution2D(2, 3)], (5, 5, 1)), ShapeError, r"\(height, width, 2\); got \(5, 5, 1\)"),
    (lambda: Sequential([Convolution2D(1, 3, 6)], (5, 5, 1)), ShapeError, "does not fit"),
    (lambda: Sequential([MaxPool(2)], (5,)), ShapeError, r"\(height, width, channels\); got \(5,\)"),
    (lambda: Sequential([Flatten()], (5,)), ShapeError, "3 axes"),
    (lambda: Convolution2D(1, 1, (2, 2, 2)), ValueError, "kernel must be an integer or a pair"),
    (lambda: Convolution2D(1, 1, 2, 0), ValueError, "stride must satisfy stride an integer >= 1; got 0"),
    (lambda: Convolution2D(1, 1, 2, padding=-1), DomainError, "padding must satisfy padding >= 0; got"),
    (lambda: AveragePool(0), ValueError, "kernel must satisfy kernel an integer >= 1"),
    (lambda: ConvNet((6, 6, 1), (2,), 2, pooling=Flatten), TypeError, "pooling must be MaxPool or AveragePool"),
    (lambda: MLP((3, 2)).forward(np.ones(7), np.ones((1, 3))), ShapeError, r"w must have shape \(..., 8\); got \(7,\)"),
    (lambda: MLP((3, 2)).forward(np.ones(8), np.ones(3)), ShapeError, r"x must have shape \(..., n, 3\); got \(3,\)"),
    (lambda: MLP((3, 2)).jvp(np.ones(8), np.ones((1, 3)), np.ones(9)), ShapeError, "dw must have shape"),
    (lambda: MLP((3, 2)).vjp(np.ones(8), np.ones((4, 3)), np.ones((3, 2))), ShapeError, r"shape \(4, 2\); got \(3, 2\)"),
    (lambda: MLP((3, 2)).blocks(np.ones(3)), ShapeError, "w must have shape"),
])
def test_errors_name_what_was_got(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_pairs_of_kernels_are_kept_as_pairs():
    assert Convolution2D(1, 1, 3).kernel == (3, 3) == Convolution2D(1, 1, [3, 3]).kernel
    assert MaxPool((2, 1)).stride == (2, 1) and MaxPool(2, 1).stride == (1, 1)
