"""The Hessian of the loss as an operator."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.backend import NUMPY, to_numpy
from infogeo.curvature.damping import Tikhonov, Undamped
from infogeo.curvature.fisher import fisher
from infogeo.curvature.hessian import hessian
from infogeo.errors import ConvergenceError, DomainError, ShapeError
from infogeo.networks.activations import Softplus, Tanh
from infogeo.networks.model import ConditionalModel
from infogeo.networks.usual import MLP

from ..backends import every_dtype
from .fisher_helpers import MODELS, close, fisher_matrix, made, problem
from .network_helpers import central
from .operator_helpers import compare

every_model = pytest.mark.parametrize("name", MODELS)


def gradient(model, batch):
    return lambda w: model.value_and_gradient(w, batch)[1]


@every_model
def test_hessian_is_the_derivative_of_the_gradient(name):
    model, w, batch = problem(name)
    H = hessian(model, w, batch)
    differences = np.stack([central(gradient(model, batch), w, e) for e in np.eye(w.size)])
    close(H.dense(), differences, 1e-6)
    close(H.dense(), H.dense().T)
    close(H.diagonal(), np.diag(H.dense()))
    close(H.trace(), np.trace(H.dense()))


@pytest.mark.parametrize("name", ["regression", "convolution on numbers"])
def test_hessian_by_a_complex_step(name):
    """Im ∇L(w + i h v) / h has no cancellation, so it is exact to rounding."""
    if name == "regression":
        model, w, batch = problem(name)
    else:
        network = MODELS["convolution"][0]
        model = ConditionalModel(network, ig.Independent(ig.NormalKnownVariance(2.0), 2))
        _, w, (x, _) = problem("convolution")
        batch = x, np.random.default_rng(1).standard_normal((4, 2))
    h, statistic = 1e-30, model.objective(batch).statistic

    def slope(w):
        done = model.record(w, batch[0])
        return done.vjp((model.family._to_eta(NUMPY, done.theta) - statistic) / done.n)     # to_eta takes real numbers

    H = np.stack([slope(w + 1j * h * e).imag / h for e in np.eye(w.size)])
    close(hessian(model, w, batch).dense(), H, 1e-13)


@pytest.mark.parametrize("family", [ig.Categorical(3), ig.Independent(ig.Bernoulli(), 2), ig.Poisson(),
                                    ig.NormalKnownVariance(0.3)], ids=repr)
def test_hessian_is_fisher_where_theta_is_linear(family):
    rng = np.random.default_rng(0)
    model = ConditionalModel(MLP((3, family.dim)), family)
    w, x = rng.standard_normal(model.network.size), rng.standard_normal((6, 3))
    batch = x, model.sample(rng, w, x)
    close(hessian(model, w, batch).dense(), fisher_matrix(model, w, x))


@pytest.mark.parametrize("activation", [Tanh(), Softplus()], ids=repr)
def test_hessian_is_fisher_where_the_residuals_vanish(activation):
    """And differs from it by what is proportional to the residuals."""
    rng = np.random.default_rng(0)
    model = ConditionalModel(MLP((3, 4, 2), activation), ig.Independent(ig.NormalKnownVariance(0.5), 2))
    w, x = rng.standard_normal(model.network.size), rng.standard_normal((6, 3))
    F, mean, r = fisher(model, w, (x, None)).dense(), 0.5 * model.theta(w, x), rng.standard_normal((6, 2))
    close(hessian(model, w, (x, mean)).dense(), F)
    rest = [hessian(model, w, (x, mean + s * r)).dense() - F for s in (1.0, 2.0)]
    assert np.linalg.norm(rest[0]) > 0.1 * np.linalg.norm(F)
    close(rest[1], 2.0 * rest[0], 1e-10)


@pytest.mark.parametrize("name", ["regression", "normal, by a link"])
def test_an_indefinite_hessian_is_solved(name):
    model, w, batch = problem(name, 12)
    H, rng = hessian(model, w, batch, tol=1e-11), np.random.default_rng(2)
    values = np.linalg.eigvalsh(H.dense())
    assert values[0] < 0 < values[-1]
    b = H.matvec(rng.standard_normal((3, w.size)))
    x = Undamped()(H).solve(b)
    assert np.all(np.linalg.norm(H.matvec(x) - b, axis=-1) <= 1e-10 * np.linalg.norm(b, axis=-1))
    damped = Tikhonov(0.01)(H)
    close(damped.solve(b), np.linalg.solve(H.dense() + 0.01 * np.eye(w.size), b.T).T, 1e-8)


def test_the_tolerance_is_that_of_the_solve():
    model, w, batch = problem("regression", 12)
    b, residuals = np.random.default_rng(0).standard_normal(w.size), []
    for tol in (1e-2, 1e-5, 1e-9):
        H = hessian(model, w, batch, tol=tol).shifted(0.05)
        residuals.append(np.linalg.norm(H.matvec(H.solve(b)) - b) / np.linalg.norm(b))
        assert residuals[-1] <= 2 * tol
    assert residuals[0] >= residuals[1] > residuals[2]             # a step of the method may gain many digits at once


def test_an_equation_without_a_solution_is_refused():
    """One sample of a linear model: the Hessian has the rank of its family, and a general right side is not in its range."""
    model, w, batch = problem("linear", 1)
    with pytest.raises(ConvergenceError, match="minres ended short of tol=1e-06"):
        hessian(model, w, batch).solve(np.arange(1.0, w.size + 1))
    model, w, batch = problem("categorical", 12)
    with pytest.raises(ConvergenceError, match="minres ended short"):
        hessian(model, w, batch, tol=1e-12, max_steps=2).solve(np.ones(w.size))


@every_dtype
@pytest.mark.parametrize("name", ["categorical", "gamma, by a link", "convolution"])
def test_hessian_on_every_backend(name, backend, dtype):
    model, w, batch = problem(name)
    H = hessian(model, *made(backend, dtype, w, batch), tol={"float64": 1e-13, "float32": 1e-5}[dtype])
    dense = hessian(model, w, batch).dense()
    c = 0.5 - np.linalg.eigvalsh(dense)[0]
    compare(H.shifted(c), dense + c * np.eye(w.size), backend, dtype)
    close(backend.check(H.matvec(backend.make(w, dtype)), dtype), dense @ w, {"float64": 1e-10, "float32": 1e-3}[dtype])
    assert to_numpy(H.dense()).shape == dense.shape


def test_errors():
    model, w, (x, y) = problem("categorical")
    with pytest.raises(ShapeError, match="the weights of one model"):
        hessian(model, w[None], (x, y))
    with pytest.raises(ShapeError, match="same samples"):
        hessian(model, w, (x, y[:2]))
    with pytest.raises(DomainError, match="tol must satisfy tol > 0; got 0.0"):
        hessian(model, w, (x, y), tol=0.0).solve(w)
