"""The diagonal of the Fisher metric, exact and by random covectors."""
import numpy as np
import pytest

from infogeo.curvature.damping import Tikhonov, Undamped
from infogeo.curvature.diagonal import diagonal_fisher
from infogeo.curvature.fisher import empirical_fisher
from infogeo.curvature.outputs import Observed, RandomSigns, Sampled
from infogeo.operators.dense import DiagonalOperator

from ..backends import every_dtype
from .fisher_helpers import MODELS, close, fisher_matrix, made, problem
from .operator_helpers import compare

every_model = pytest.mark.parametrize("name", MODELS)


@every_model
@pytest.mark.parametrize("n", [1, 7])
def test_diagonal_is_that_of_the_fisher_metric(name, n):
    model, w, batch = problem(name, n)
    D = diagonal_fisher(model, w, batch)
    assert isinstance(D, DiagonalOperator)
    close(D.d, np.diag(fisher_matrix(model, w, batch[0])))


@every_model
def test_of_the_data_it_is_the_second_moment_of_the_gradients(name):
    model, w, batch = problem(name)
    close(diagonal_fisher(model, w, batch, outputs=Observed()).d, np.mean(model.per_example_gradients(w, batch)**2, axis=0))
    close(empirical_fisher(model, w, batch).diagonal(), diagonal_fisher(model, w, batch, outputs=Observed()).d)


@pytest.mark.parametrize("name", ["categorical", "poisson, relu", "convolution"])
@pytest.mark.parametrize("outputs", [Sampled, RandomSigns], ids=lambda kind: kind.__name__)
def test_random_covectors_are_unbiased(name, outputs):
    """Fifty independent estimates: their mean is within five of its standard errors."""
    model, w, batch = problem(name)
    rng = np.random.default_rng(4)
    drawn = np.stack([diagonal_fisher(model, w, batch, outputs=outputs(rng, 40)).d for _ in range(50)])
    error, exact = drawn.std(axis=0, ddof=1) / 50**0.5, diagonal_fisher(model, w, batch).d
    assert np.all(np.abs(drawn.mean(axis=0) - exact) <= 5 * error + 1e-12) and error.max() < 0.1 * exact.max()


@every_dtype
@pytest.mark.parametrize("name", ["bernoulli product", "normal, by a link", "convolution"])
def test_diagonal_on_every_backend(name, backend, dtype):
    model, w, batch = problem(name)
    D, d = diagonal_fisher(model, *made(backend, dtype, w, batch)), np.diag(fisher_matrix(model, w, batch[0]))
    compare(Tikhonov(0.2)(D), np.diag(d + 0.2), backend, dtype)


def test_a_dead_unit_has_no_information():
    """Undamped, a direction without information has no solution; damped, it is divided by the damping."""
    model, w, batch = problem("poisson, relu")
    w = w.copy()
    w[:18].reshape(3, 6)[:, 2] = 0.0
    w[18 + 2] = -1.0        # the bias of unit 2: never active
    D, g = diagonal_fisher(model, w, batch), np.ones(w.size)
    dead = D.d == 0
    assert dead.reshape(-1)[[2, 8, 14, 20]].all() and not dead.all()
    assert np.array_equal(np.isinf(Undamped()(D).solve(g)), dead)
    np.testing.assert_array_equal(Tikhonov(0.25)(D).solve(g)[dead], 4.0)
