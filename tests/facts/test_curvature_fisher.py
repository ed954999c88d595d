"""The exact, the sampled and the empirical Fisher metric as operators."""
import mpmath
import numpy as np
import pytest

import infogeo as ig
from infogeo.curvature.damping import KrylovTikhonov, Tikhonov
from infogeo.curvature.fisher import ExampleColumns, empirical_fisher, fisher, outer_products, sampled_fisher
from infogeo.curvature.outputs import ExactColumns, Observed, RandomSigns, Sampled
from infogeo.errors import DomainError, ShapeError
from infogeo.networks.model import ConditionalModel
from infogeo.networks.usual import MLP
from infogeo.operators.dense import SymmetricDense
from infogeo.operators.outer import ShiftedOuterProducts

from ..backends import NUMPY, every_dtype
from . import fisher_helpers as reference
from .fisher_helpers import MODELS, close, fisher_matrix, jacobian, made, problem
from .network_helpers import central
from .operator_helpers import compare

every_model = pytest.mark.parametrize("name", MODELS)


@every_model
@pytest.mark.parametrize("n", [3, 40])
def test_fisher_is_the_pull_back_of_the_metric(name, n):
    """With fewer columns than weights and with more."""
    model, w, batch = problem(name, n)
    F, dense = fisher(model, w, batch), fisher_matrix(model, w, batch[0])
    V = np.random.default_rng(1).standard_normal((2, 3, w.size))
    close(F.matvec(V), V @ dense)
    close(F.dense(), dense)
    close(F.diagonal(), np.diag(dense))
    close(F.trace(), np.trace(dense))
    close(F.shifted(0.1).dense(), dense + 0.1 * np.eye(w.size))


@every_model
def test_columns_are_a_root_and_their_gram_matrix_is_not_formed_from_them(name):
    model, w, batch = problem(name)
    U = fisher(model, w, batch).U
    dense, rng = U.dense(), np.random.default_rng(2)
    close(dense @ dense.T, fisher_matrix(model, w, batch[0]))
    close(U.gram, dense.T @ dense)
    close(U.outer(), dense @ dense.T)
    close(U.squared(), np.diag(dense @ dense.T))
    v, a = rng.standard_normal((2, w.size)), rng.standard_normal((2, U.shape[1]))
    close(U.matvec(a), a @ dense.T)
    close(U.T.matvec(v), v @ dense)


@every_dtype
@pytest.mark.parametrize("n", [2, 40])
@pytest.mark.parametrize("name", ["categorical", "gamma, by a link", "convolution", "convolutions, one without bias"])
def test_damped_fisher_in_every_method(name, n, backend, dtype):
    """Products, solve, roots, determinant: through the Gram matrix (n = 2), and as a matrix (n = 40)."""
    model, w, batch = problem(name, n)
    dense = fisher_matrix(model, w, batch[0])
    F = fisher(model, *made(backend, dtype, w, batch))
    assert isinstance(F.shifted(0.5), ShiftedOuterProducts if n == 2 else SymmetricDense)
    compare(F.shifted(0.5), dense + 0.5 * np.eye(w.size), backend, dtype)
    v = np.random.default_rng(0).standard_normal((3, w.size))
    tol = 1e-10 if dtype == "float64" else 1e-4
    close(backend.check(F.matvec(backend.make(v, dtype)), dtype), v @ dense, tol)
    close(backend.check(F.diagonal(), dtype), np.diag(dense), tol)


@pytest.mark.parametrize("c", [1e-8, 1e-3, 10.0])
def test_the_gram_solve_is_exact_at_any_damping(c):
    """Against fifty digits: the matrix is as ill-conditioned as the damping is small, and the solution is not lost in it."""
    model, w, batch = problem("categorical", 3)
    F, b = fisher(model, w, batch), np.random.default_rng(0).standard_normal(w.size)
    damped = Tikhonov(c)(F)
    with mpmath.workdps(50):
        U = mpmath.matrix(F.U.dense().tolist())
        dense = U * U.T + mpmath.mpf(c) * mpmath.eye(w.size)
        x, logdet = mpmath.lu_solve(dense, mpmath.matrix(b.tolist())), mpmath.log(mpmath.det(dense))
    close(damped.solve(b), np.array([float(v) for v in x]), 1e-12)
    close(damped.logdet(), float(logdet), 1e-12)
    close(damped.shifted(2.0 * c).dense(), F.dense() + 3.0 * c * np.eye(w.size))


def test_the_gram_solve_forms_no_tall_matrix(monkeypatch):
    model, w, batch = problem("categorical", 3)
    expected = fisher(model, w, batch).shifted(0.1).solve(np.ones(w.size))
    for name in ("dense", "outer"):
        monkeypatch.delattr(ExampleColumns, name)
    np.testing.assert_array_equal(fisher(model, w, batch).shifted(0.1).solve(np.ones(w.size)), expected)


@pytest.mark.parametrize("n", [3, 40])
def test_conjugate_gradients_find_the_same(n):
    model, w, batch = problem("bernoulli product", n)
    F, b = fisher(model, w, batch), np.random.default_rng(0).standard_normal((2, w.size))
    close(KrylovTikhonov(0.1, tol=1e-10)(F).solve(b), Tikhonov(0.1)(F).solve(b), 1e-8)


def test_without_damping_a_singular_metric_has_no_solution_and_a_regular_one_has():
    model, w, batch = problem("linear", 2)
    F, b = fisher(model, w, batch), np.ones(w.size)
    assert F.rank < F.dim
    for found in (F.solve(b), F.root(b), F.inverse_root(b)):
        assert np.all(np.isnan(found))
    assert F.slogdet() == (0.0, -np.inf) and F.logdet() == -np.inf
    model, w, batch = problem("linear", 40)
    compare(fisher(model, w, batch), fisher_matrix(model, w, batch[0]), NUMPY)


@pytest.mark.parametrize("n", [3, 40])
@pytest.mark.parametrize("rank", [1, 4, 100])
def test_leading_columns_are_the_best_of_their_rank(n, rank):
    """By the singular values of what is left (Eckart and Young)."""
    model, w, batch = problem("categorical", n)
    F = fisher(model, w, batch)
    X, s = F.leading(rank), np.linalg.eigvalsh(fisher_matrix(model, w, batch[0]))[::-1]
    assert X.shape == (w.size, min(rank, F.rank, F.dim))
    best = s[rank] if rank < w.size else 0.0
    np.testing.assert_allclose(np.linalg.norm(F.dense() - X @ X.T, 2), best, rtol=1e-10, atol=1e-13 * s[0])


@every_model
def test_fisher_is_the_generalised_gauss_newton_matrix(name):
    """Of −log p(y | θ) as a function of θ: its Hessian there, by differences, between the Jacobians."""
    model, w, (x, y) = problem(name)
    family, theta = model.family, model.theta(w, x)
    gradient = lambda theta: family.to_eta(theta) - family.sufficient_statistic(y)
    curved = np.stack([central(gradient, theta, e, 1e-5 * (1 + np.abs(theta).max())) for e in np.eye(family.dim)], axis=-1)
    J = jacobian(model, w, x)
    close(fisher(model, w, (x, y)).dense(), np.einsum("nip,nij,njq->pq", J, curved, J) / len(x), 1e-6)


@pytest.mark.parametrize("outputs", [Sampled, RandomSigns], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("name", ["categorical", "normal, by a link", "convolution"])
def test_random_covectors_are_unbiased(name, outputs):
    """Entry by entry within five standard errors, which the draws themselves give."""
    model, w, batch = problem(name, 3)
    F = outer_products(model, w, batch, outputs(np.random.default_rng(5), 4000))
    m = F.U.count
    columns = m**0.5 * np.einsum("ndp,mnd->mnp", jacobian(model, w, batch[0]), F.U.covectors)
    total = np.einsum("mnp,mnq->pq", columns, columns) / m / 3
    products = np.einsum("mnp,mnq->mpq", columns, columns) / 3
    close(F.dense(), total, 1e-10)
    error = products.std(axis=0, ddof=1) / m**0.5
    dense = fisher_matrix(model, w, batch[0])
    assert np.all(np.abs(total - dense) <= 5 * error + 1e-10 * np.abs(dense).max())
    assert error.max() < 0.2 * np.abs(dense).max()


def test_sampled_fisher_is_made_of_the_gradients_of_draws():
    """The same generator state gives the same operator, whose columns are the gradients at drawn observations."""
    model, w, batch = problem("poisson, relu", 5)
    F = sampled_fisher(model, w, (batch[0], None), np.random.default_rng(3), draws=2)
    again = sampled_fisher(model, w, batch, np.random.default_rng(3), draws=2)
    np.testing.assert_array_equal(F.dense(), again.dense())
    y = model.sample(np.random.default_rng(3), w, batch[0], (2,))
    each = [model.per_example_gradients(w, (batch[0], drawn)) for drawn in y]
    close(F.dense(), sum(g.T @ g for g in each) / 10)
    assert F.rank == 10


@every_model
def test_empirical_fisher_is_the_second_moment_of_the_gradients(name):
    model, w, batch = problem(name, 5)
    g = model.per_example_gradients(w, batch)
    E = empirical_fisher(model, w, batch)
    close(E.dense(), g.T @ g / 5)
    close(E.matvec(np.ones(w.size)), g.T @ (g @ np.ones(w.size)) / 5)
    close(E.diagonal(), np.mean(g**2, axis=0))
    b = np.random.default_rng(1).standard_normal(w.size)
    close(E.shifted(0.1).solve(b), np.linalg.solve(g.T @ g / 5 + 0.1 * np.eye(w.size), b))
    assert np.linalg.norm(E.dense() - fisher_matrix(model, w, batch[0])) > 0.05 * np.linalg.norm(E.dense())


def test_the_empirical_fisher_scales_with_the_residuals():
    """Linear regression: F = (1/n) Σ x̄ x̄ᵀ v whatever y is, and the empirical Fisher is (1/n) Σ r² x̄ x̄ᵀ.

    They are equal where every squared residual is its expectation v, and there only.
    """
    rng, v = np.random.default_rng(0), 0.5
    model, w, x = ConditionalModel(MLP((2, 1)), ig.NormalKnownVariance(v)), rng.standard_normal(3), rng.standard_normal((20, 2))
    X, mean = np.column_stack([x, np.ones(20)]), v * model.theta(w, x)[:, 0]
    signs = np.where(rng.random(20) < 0.5, -1.0, 1.0)
    F = X.T @ X * v / 20
    for r in (rng.standard_normal(20), 0.01 * signs, v**0.5 * signs):
        batch = x, mean + r
        close(fisher(model, w, batch).dense(), F)
        close(empirical_fisher(model, w, batch).dense(), X.T @ (r[:, None] ** 2 * X) / 20)
    close(empirical_fisher(model, w, (x, mean + v**0.5 * signs)).dense(), F)
    close(empirical_fisher(model, w, (x, mean + 3.0 * v**0.5 * signs)).dense(), 9.0 * F)


@every_dtype
def test_outer_products_on_every_backend(backend, dtype):
    """Observations of any dtype do not change that of the operator."""
    for name in ("categorical", "normal, by a link"):
        model, w, batch = problem(name, 3)
        mw, (mx, my) = made(backend, dtype, w, batch)
        wide = backend.make(batch[1], "float64")
        for y in (my, wide):
            g = model.per_example_gradients(w, batch)
            compare(empirical_fisher(model, mw, (mx, y)).shifted(0.3), g.T @ g / 3 + 0.3 * np.eye(w.size), backend, dtype)
        sampled = sampled_fisher(model, mw, (mx, my), np.random.default_rng(0), 2)
        backend.check(sampled.matvec(mw), dtype)
        if dtype == "float64":
            same = sampled_fisher(model, w, batch, np.random.default_rng(0), 2)
            compare(sampled.shifted(0.3), same.dense() + 0.3 * np.eye(w.size), backend)


@pytest.mark.parametrize("name", ["categorical", "bernoulli product", "normal, by a link"])
def test_groups_of_exact_columns_are_the_columns(name, monkeypatch):
    model, w, batch = problem(name)
    theta = model.theta(w, batch[0])
    whole = ExactColumns().covectors(model.family, theta, batch)
    monkeypatch.setattr("infogeo.curvature.outputs.ELEMENTS", theta.size)
    groups = list(ExactColumns().groups(model.family, theta, batch))
    assert len(groups) == model.family.dim
    np.testing.assert_array_equal(np.concatenate(groups), whole)
    close(fisher(model, w, batch).diagonal(), np.diag(fisher_matrix(model, w, batch[0])))
    assert len(list(Observed().groups(model.family, theta, batch))) == 1


def test_covectors_from_the_definition():
    model, w, batch = problem("normal, by a link")
    F = outer_products(model, w, batch, Observed())
    close(F.dense(), reference.outer_products(model, w, batch[0], F.U.covectors))


def test_errors():
    model, w, (x, y) = problem("categorical")
    with pytest.raises(ShapeError, match=r"w must have shape \(32,\), the weights of one model; got \(2, 32\)"):
        fisher(model, np.stack([w, w]), (x, y))
    with pytest.raises(ShapeError, match=r"x must have shape \(n, 3\); got \(1, 4, 3\)"):
        fisher(model, w, (x[None], y))
    with pytest.raises(ShapeError, match=r"y must have the 4 samples of x; got shape \(3,\)"):
        empirical_fisher(model, w, (x, y[:3]))
    with pytest.raises(DomainError, match="y must satisfy"):
        empirical_fisher(model, w, (x, y + 0.5))
    with pytest.raises(ValueError, match="draws must satisfy draws an integer >= 1; got 0"):
        sampled_fisher(model, w, (x, y), np.random.default_rng(0), 0)
