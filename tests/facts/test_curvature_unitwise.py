"""Curvature unit by unit: blocks, the quasi-diagonal, and the closed form for normal inputs."""
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

import infogeo as ig
from infogeo.backend import NUMPY
from infogeo.curvature.damping import Tikhonov, Undamped
from infogeo.curvature.fisher import fisher, outer_products
from infogeo.curvature.outputs import Observed
from infogeo.curvature.unitwise import gaussian_unit_fisher, quasi_diagonal, unitwise_fisher
from infogeo.errors import ShapeError
from infogeo.networks.activations import Identity, Logistic, Relu, Softplus, Tanh
from infogeo.networks.affine import Dense
from infogeo.networks.model import ConditionalModel
from infogeo.networks.network import Sequential
from infogeo.networks.usual import MLP
from infogeo.operators.block import DenseBlocks
from infogeo.operators.dense import DiagonalOperator
from infogeo.operators.quasi_diagonal import QuasiDiagonal

from ..backends import every_dtype
from .fisher_helpers import MODELS, close, fisher_matrix, layer_slices, made, problem
from .operator_helpers import compare

every_model = pytest.mark.parametrize("name", MODELS)


def units(model):
    """(layer, indices of the weights into the unit) of every unit."""
    for layer, s in layer_slices(model):
        places = np.arange(s.start, s.stop).reshape(layer.weight_shape)
        for j in range(places.shape[1]):
            yield layer, places[:, j]


def within_units(model, F):
    out = np.zeros_like(F)
    for _, places in units(model):
        out[np.ix_(places, places)] = F[np.ix_(places, places)]
    return out


@every_model
@pytest.mark.parametrize("n", [3, 30])
def test_blocks_of_units_are_those_of_the_fisher_metric(name, n):
    model, w, batch = problem(name, n)
    B, F = unitwise_fisher(model, w, batch), fisher_matrix(model, w, batch[0])
    assert all(isinstance(block, DenseBlocks) for block in B.blocks)
    close(B.dense(), within_units(model, F))
    observed = outer_products(model, w, batch, Observed()).dense()
    close(unitwise_fisher(model, w, batch, outputs=Observed()).dense(), within_units(model, observed))


@every_dtype
@pytest.mark.parametrize("name", ["categorical", "convolutions, one without bias"])
def test_damped_units_in_every_method(name, backend, dtype):
    model, w, batch = problem(name)
    dense = within_units(model, fisher_matrix(model, w, batch[0])) + 0.5 * np.eye(w.size)
    compare(Tikhonov(0.5)(unitwise_fisher(model, *made(backend, dtype, w, batch))), dense, backend, dtype)


@every_model
def test_quasi_diagonal_has_the_diagonal_and_the_bias_entries(name):
    """And its inverse has no others."""
    model, w, batch = problem(name, 40)
    Q, F = quasi_diagonal(model, w, batch), fisher_matrix(model, w, batch[0])
    dense, mask = Q.dense(), np.eye(w.size, dtype=bool)
    for layer, places in units(model):
        if layer.bias:
            mask[places[-1], places] = mask[places, places[-1]] = True
    close(dense[mask], F[mask])
    close(Q.diagonal(), np.diag(F))
    inverse = np.linalg.inv(dense)
    assert np.abs(inverse[~mask]).max() <= 1e-11 * np.abs(inverse).max()
    observed = outer_products(model, w, batch, Observed()).dense()
    close(quasi_diagonal(model, w, batch, outputs=Observed()).dense()[mask], observed[mask])


def test_quasi_diagonal_solves_by_regression_on_the_bias():
    """Δw_i = (g_i − F_i0 g_0 / F_00) / (F_ii − F_i0² / F_00) and Δw_0 = g_0 / F_00 − Σ F_i0 / F_00 Δw_i."""
    model, w, batch = problem("categorical", 40)
    F, g = fisher_matrix(model, w, batch[0]), np.random.default_rng(1).standard_normal(w.size)
    expected = np.empty_like(g)
    for _, places in units(model):
        i, o = places[:-1], places[-1]
        expected[i] = (g[i] - F[i, o] * g[o] / F[o, o]) / (F[i, i] - F[i, o] ** 2 / F[o, o])
        expected[o] = g[o] / F[o, o] - np.sum(F[i, o] / F[o, o] * expected[i])
    close(Undamped()(quasi_diagonal(model, w, batch)).solve(g), expected, 1e-10)


def test_quasi_diagonal_is_invariant_under_shifts_of_the_inputs():
    """x → x + t with the biases changed to match is the same model; the step is the same too, but for the diagonal it is not."""
    model, w, (x, y) = problem("categorical", 40)
    W, t = w[:20].reshape(4, 5), np.array([1.0, -2.0, 0.5])
    moved = np.concatenate([np.vstack([W[:3], W[3] - t @ W[:3]]).ravel(), w[20:]])
    close(model.loss(moved, (x + t, y)), model.loss(w, (x, y)))

    def step_in_theta(curvature, w, x):
        step = curvature(model, w, (x, y)).solve(model.value_and_gradient(w, (x, y))[1])
        return model.record(w, x).jvp(step)

    close(step_in_theta(quasi_diagonal, moved, x + t), step_in_theta(quasi_diagonal, w, x), 1e-9)
    diagonal = lambda model, w, batch: DiagonalOperator(quasi_diagonal(model, w, batch).diagonal())
    there, here = step_in_theta(diagonal, moved, x + t), step_in_theta(diagonal, w, x)
    assert np.linalg.norm(there - here) > 0.1 * np.linalg.norm(here)


def test_an_offset_of_the_inputs_costs_quasi_diagonal_no_digits():
    """In float32, inputs a thousand standard deviations away from 0: d would be what is left of two large numbers."""
    rng = np.random.default_rng(0)
    model = ConditionalModel(MLP((3, 2)), ig.Categorical(3))
    x = (1e3 + rng.standard_normal((40, 3))).astype(np.float32)
    w = np.concatenate([0.5 * rng.standard_normal((3, 2)), np.zeros((1, 2))])
    w[3] = -1e3 * w[:3].sum(axis=0)
    w = w.ravel().astype(np.float32)
    low, high = (quasi_diagonal(model, w.astype(dtype), (x.astype(dtype), None)).blocks[0] for dtype in (np.float32, np.float64))
    assert low.d.dtype == np.float32
    np.testing.assert_allclose(low.d, high.d, rtol=1e-3)


D, R = np.random.default_rng(0).uniform(0.5, 2.0, (3, 4)), np.random.default_rng(1).standard_normal((3, 4))
S = np.arange(1.0, 5.0)


def quasi_dense(c=0.0):
    out = np.zeros((16, 16))
    for j in range(4):
        r = np.append(R[:, j], 1.0)
        places = np.arange(4) * 4 + j
        out[np.ix_(places, places)] = S[j] * np.outer(r, r) + np.diag(np.append(D[:, j], 0.0))
    return out + c * np.eye(16)


@every_dtype
@pytest.mark.parametrize("c", [0.0, 0.6])
def test_quasi_diagonal_operator_in_every_method(c, backend, dtype):
    d, r, s = (backend.make(x, dtype) for x in (D, R, S))
    compare(QuasiDiagonal(d, r, s, c), quasi_dense(c), backend, dtype)


@every_dtype
@pytest.mark.parametrize("name", ["normal, by a link", "without bias", "convolutions, one without bias"])
def test_damped_quasi_diagonal_in_every_method(name, backend, dtype):
    model, w, batch = problem(name)
    dense = quasi_diagonal(model, w, batch).dense() + 0.5 * np.eye(w.size)
    compare(Tikhonov(0.5)(quasi_diagonal(model, *made(backend, dtype, w, batch))), dense, backend, dtype)


def test_a_dead_unit_has_no_information():
    """A unit that is never active: undamped no solution, damped the covector over the damping."""
    model, w, batch = problem("poisson, relu")
    w = w.copy()
    w[:18].reshape(3, 6)[:, 2] = 0.0
    w[18 + 2] = -1.0
    dead, g = [2, 8, 14, 20], np.ones(w.size)
    for curvature in (quasi_diagonal, unitwise_fisher):
        operator = curvature(model, w, batch)
        np.testing.assert_array_equal(operator.diagonal()[dead], 0.0)
        assert not np.isfinite(operator.solve(g)[dead]).any()
        close(Tikhonov(0.25)(operator).solve(g)[dead], 4.0, 1e-14)
        close(Tikhonov(0.25)(operator).solve(g), np.linalg.solve(operator.dense() + 0.25 * np.eye(w.size), g), 1e-10)


# One unit with normal inputs

W4 = np.array([0.8, -1.1, 0.4, 0.3])
ACTIVATIONS = [Tanh(), Logistic(), Softplus(), Relu(), Identity()]


def slope(activation, s):
    return activation.first(NUMPY, s, activation.value(NUMPY, s))


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_gaussian_unit_by_simulation(activation):
    """E[φ′(s)² x̄ x̄ᵀ] over four hundred thousand inputs, entry by entry within five standard errors."""
    rng, n = np.random.default_rng(0), 400_000
    x = np.column_stack([rng.standard_normal((n, 3)), np.ones(n)])
    weighted = slope(activation, x @ W4)[:, None] * x
    mean, square = weighted.T @ weighted / n, (weighted**2).T @ weighted**2 / n
    error = np.sqrt((square - mean**2) / n)
    assert np.all(np.abs(gaussian_unit_fisher(W4, activation).dense() - mean) <= 5 * error + 1e-12) and error.max() < 0.01


def test_gaussian_unit_is_the_fisher_metric_of_the_model():
    """Of a network of one unit with normal output, at many normal inputs."""
    rng = np.random.default_rng(1)
    model = ConditionalModel(Sequential([Dense(3, 1), Tanh()], (3,)), ig.NormalKnownVariance(1.0))
    F = fisher(model, W4, (rng.standard_normal((200_000, 3)), None))
    assert np.abs(F.matmat(np.eye(4)) - gaussian_unit_fisher(W4, Tanh()).dense()).max() < 5e-3


@every_dtype
@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_gaussian_unit_in_every_method(activation, backend, dtype):
    dense = gaussian_unit_fisher(W4, activation).dense()
    G = gaussian_unit_fisher(backend.make(W4, dtype), activation)
    compare(G, dense, backend, dtype)
    compare(G.shifted(0.3), dense + 0.3 * np.eye(4), backend, dtype)


@pytest.mark.parametrize("n", [1, 2, 50])
def test_the_inverse_is_exact(n):
    w = np.random.default_rng(n).standard_normal(n + 1) / n**0.5
    G = gaussian_unit_fisher(w, Tanh())
    dense = G.dense()
    np.testing.assert_allclose(G.solve(dense), np.eye(n + 1), atol=1e-12)
    A0, size = np.linalg.eigvalsh(dense)[n // 2], np.linalg.norm(w[:-1])
    e, e0 = np.append(w[:-1] / size, 0.0), np.eye(n + 1)[-1]
    if n > 2:       # off the plane of e and e_0 it is A_0 I
        v = np.random.default_rng(0).standard_normal(n + 1)
        v = v - e * (e @ v) - e0 * (e0 @ v)
        np.testing.assert_allclose(G.solve(v), v / A0, atol=1e-12)


@pytest.mark.parametrize("size, bias", [(1e-3, 0.2), (1.0, -0.5), (30.0, 4.0), (1e4, -2e3), (2.0, 9.0), (1.0, -20.0),
                                        (1.0, -50.0)])
def test_moments_of_a_rectified_unit_in_closed_form(size, bias):
    """φ′² = 1 for t > −b with b = v_0 / |v|: A_0 = Φ(b), A_1 = N(b), A_2 = Φ(b) − b N(b), also where Φ(b) is tiny."""
    b, G = bias / size, gaussian_unit_fisher(np.array([size, bias]), Relu()).dense()
    expected = np.array([[norm.cdf(b) - b * norm.pdf(b), norm.pdf(b)], [norm.pdf(b), norm.cdf(b)]])
    np.testing.assert_allclose(G, expected, rtol=1e-12, atol=1e-15 if b > -5 else 0.0)


@pytest.mark.parametrize("activation", [Tanh(), Logistic(), Softplus()], ids=repr)
@pytest.mark.parametrize("size, bias", [(1e-3, 0.2), (1.0, -0.5), (30.0, 4.0), (1e4, -2e3)])
def test_moments_by_adaptive_quadrature(activation, size, bias):
    """However steep the unit is. QUADPACK is told where."""
    b, G = -bias / size, gaussian_unit_fisher(np.array([size, bias]), activation).dense()
    near = [b + sign * 10.0**k for k in range(-6, 1) for sign in (-1, 1)] + [b]

    def moment(k):
        f = lambda t: t**k * slope(activation, np.float64(size * t + bias)) ** 2 * norm.pdf(t)
        return quad(f, -15, 15, points=sorted(near), epsabs=1e-12 * G.max(), epsrel=1e-12, limit=500)[0]

    np.testing.assert_allclose(G, [[moment(2), moment(1)], [moment(1), moment(0)]], rtol=1e-11, atol=1e-11 * G.max())


def test_a_unit_without_weights():
    """Every direction is as good as any other: φ′(v_0)² I."""
    G = gaussian_unit_fisher(np.array([0.0, 0.0, 0.7]), Tanh())
    close(G.dense(), (1.0 - np.tanh(0.7) ** 2) ** 2 * np.eye(3), 1e-13)


def test_a_saturated_unit_has_no_information():
    """A rectified unit that is active for no float: no solution undamped, and no exception."""
    G = gaussian_unit_fisher(np.array([1.0, 0.5, -1e3]), Relu())
    np.testing.assert_array_equal(G.dense(), 0.0)
    assert not np.isfinite(G.solve(np.ones(3))).any() and G.logdet() == -np.inf
    close(G.shifted(0.5).solve(np.ones(3)), 2.0)


def test_errors():
    with pytest.raises(ShapeError, match=r"w must have shape \(inputs \+ 1,\) with at least one input; got \(1,\)"):
        gaussian_unit_fisher(np.ones(1), Tanh())
    with pytest.raises(ShapeError, match=r"d, r and s must have shapes \(p, k\), \(p, k\) and \(k,\)"):
        QuasiDiagonal(D, R, S[:3])
    model = ConditionalModel(MLP((2, 1)), ig.Poisson())
    with pytest.raises(ShapeError, match="the weights of one model"):
        quasi_diagonal(model, np.zeros((2, 3)), (np.ones((4, 2)), np.ones(4)))
