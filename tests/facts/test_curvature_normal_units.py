"""Units in closed form, layer by layer: against samples, the closed form of one unit, and dense matrices."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.curvature.normal_units import normal_units
from infogeo.curvature.unitwise import gaussian_unit_fisher, unitwise_fisher
from infogeo.errors import ShapeError
from infogeo.networks.activations import Relu, Softplus, Tanh
from infogeo.networks.affine import Dense
from infogeo.networks.linear import Flatten
from infogeo.networks.model import ConditionalModel
from infogeo.networks.network import Sequential
from infogeo.networks.usual import MLP, ConvNet
from infogeo.operators.closed_units import UnitsWithTwoDirections

from ..backends import every_dtype
from .fisher_helpers import close, made
from .operator_helpers import compare, spd

RNG = np.random.default_rng(0)
MEAN, SCALE = np.array([0.3, -1.0, 0.5]), np.array([1.0, 0.5, 2.0])


def one_hidden(activation=Tanh(), bias=True, n=100, seed=0):
    rng = np.random.default_rng(seed)
    model = ConditionalModel(MLP((3, 5, 1), activation, bias), ig.NormalKnownVariance(0.5))
    return model, 0.7 * rng.standard_normal(model.network.size), (MEAN + SCALE * rng.standard_normal((n, 3)), np.zeros(n))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("activation", [Tanh(), Relu(), Softplus()], ids=repr)
def test_a_hidden_layer_under_a_linear_output_by_simulation(activation, bias):
    """e is then a constant and the inputs are normal: the unit-wise Fisher metric of 40 000 samples, to five of its errors."""
    model, w, batch = one_hidden(activation, bias, 40000)
    k = 5 * (3 + bias)
    A, F = (f(model, w, batch).dense()[:k, :k] for f in (normal_units, unitwise_fisher))
    assert np.abs(A - F).max() < 5 * 2.0 / 40000**0.5 * np.abs(F).max()
    assert (A != 0).sum() == 5 * (3 + bias)**2


def test_one_unit_of_standard_inputs_is_its_closed_form():
    """Sample means and variances made exactly 0 and 1."""
    model, w, (x, y) = one_hidden(n=400)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    W, out = w[:20].reshape(4, 5), w[20:25]
    A = normal_units(model, w, (x, y)).blocks[0].dense()
    for j in range(5):
        places = np.arange(4) * 5 + j
        close(A[np.ix_(places, places)], 0.5 * out[j]**2 * gaussian_unit_fisher(W[:, j], Tanh()).dense(), 1e-8)


def test_the_trace_is_that_of_the_fisher_metric_for_linear_layers():
    """φ′ = 1: E[e²] (s² + m²) is the mean of e² times that of x², which are independent where e is constant."""
    model, w, batch = one_hidden()
    model = ConditionalModel(MLP((3, 1)), ig.NormalKnownVariance(0.5))
    A, F = (f(model, w[:4], batch).dense() for f in (normal_units, unitwise_fisher))
    close(np.diag(A), np.diag(F))
    close(A[:, -1], F[:, -1])


def test_weights_of_samples_are_repetitions():
    model, w, (x, y) = one_hidden(n=6)
    weights, index = np.array([2.0, 1, 1, 3, 0, 1]), np.array([0, 0, 1, 2, 3, 3, 3, 5])
    close(normal_units(model, w, (x, y, weights)).dense(), normal_units(model, w, (x[index], y[index])).dense(), 1e-10)


def test_a_deep_network_of_many_outputs_is_positive_definite():
    rng = np.random.default_rng(1)
    model = ConditionalModel(MLP((3, 6, 5, 2)), ig.Categorical(3))
    w = rng.standard_normal(model.network.size)
    A = normal_units(model, w, (rng.standard_normal((30, 3)), None))
    assert np.linalg.eigvalsh(A.dense()).min() > 0
    close(A.matvec(A.solve(np.ones(w.size))), 1.0, 1e-8)


def test_no_information():
    """Of a unit that is never active, and of an input that does not vary: infinite or NaN undamped, and damped the rest."""
    model, w, (x, y) = one_hidden(Relu())
    w[15:20] = -1e3
    A = normal_units(model, w, (x, y)).blocks[0]
    assert not np.isfinite(A.solve(np.ones(20))).any()
    close(A.shifted(0.5).solve(np.ones(20)), 2.0)


def dense(a, squares, mean, f, M, bias, c):
    p, k = f.shape
    out = np.zeros(((p + bias) * k,) * 2)
    for j in range(k):
        B = np.stack([np.append(f[:, j], 0.0), np.append(mean, 1.0)], axis=1)
        block = np.diag(np.append(a[j] * squares, 0.0)) + B @ M[j] @ B.T
        places = np.arange(p + bias) * k + j
        out[np.ix_(places, places)] = block[:p + bias, :p + bias]
    return out + c * np.eye(len(out))


PARTS = (RNG.uniform(0.5, 2.0, 4), RNG.uniform(0.5, 2.0, 3), RNG.standard_normal(3), RNG.standard_normal((3, 4)),
         np.stack([spd(2, seed) for seed in range(4)]))


@every_dtype
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("c", [0.0, 0.6])
def test_the_operator_in_every_method(bias, c, backend, dtype):
    parts = [backend.make(part, dtype) for part in PARTS]
    compare(UnitsWithTwoDirections(*parts, bias, c), dense(*PARTS, bias, c), backend, dtype)


@every_dtype
def test_on_every_backend(backend, dtype):
    model, w, batch = one_hidden()
    expected = normal_units(model, w, batch).shifted(0.1).solve(np.ones(w.size))
    found = normal_units(model, *made(backend, dtype, w, batch)).shifted(0.1).solve(backend.make(np.ones(w.size), dtype))
    close(backend.check(found, dtype), expected, 1e-10 if dtype == "float64" else 1e-4)


def test_errors():
    with pytest.raises(ShapeError, match=r"a, squares, mean, f and M must have shapes \(k,\), \(p,\), \(p,\), \(p, k\)"):
        UnitsWithTwoDirections(*PARTS[:4], np.ones((4, 2)))
    model = ConditionalModel(ConvNet((4, 4, 1), (2,), 2), ig.Categorical(3))
    with pytest.raises(TypeError, match="normal_units takes dense layers and activations; layer 0 is Convolution2D"):
        normal_units(model, np.zeros(model.network.size), (np.zeros((2, 4, 4, 1)), None))
    model = ConditionalModel(Sequential([Flatten(2), Dense(4, 1)], (2, 2)), ig.Poisson())
    with pytest.raises(TypeError, match="layer 0 is Flatten"):
        normal_units(model, np.zeros(5), (np.zeros((3, 2, 2)), None))
