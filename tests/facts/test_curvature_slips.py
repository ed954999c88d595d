"""What curvature says of inputs that are not finite, and of metrics that have no inverse."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.curvature import Undamped, WeightSpace, block_diagonal, ekfac, fisher, kfac, kfac_tridiagonal, unitwise_fisher
from infogeo.operators import SymmetricDense

from .fisher_helpers import problem


@pytest.mark.parametrize("curvature", [kfac, ekfac, fisher, block_diagonal, unitwise_fisher, kfac_tridiagonal])
def test_what_is_not_finite_is_named_and_a_singular_metric_gives_no_number(curvature):
    """Of two samples K-FAC gave 4e18, EK-FAC 1e35."""
    model, w, (x, y) = problem("categorical", 2)
    assert not np.any(np.isfinite(curvature(model, w, (x, y)).solve(np.ones(w.size))))
    x[1, 2] = np.nan
    with pytest.raises(ig.DomainError, match=r"x must satisfy x finite; 1 of 6 points does not, first at index \(1, 2\): nan"):
        curvature(model, w, (x, y))
    w[3] = np.inf
    with pytest.raises(ig.DomainError, match=r"w must satisfy w finite; .* first at index \(3,\): inf"):
        curvature(model, w, (np.ones((2, 3)), y))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_singular_up_to_rounding(dtype):
    """A right side in the range has its shortest solution; one outside it has none; the scale of rows is no matter."""
    rng = np.random.default_rng(0)
    U = rng.standard_normal((9, 4)).astype(dtype)
    A, tol = SymmetricDense(U @ U.T), 1e-3 if dtype == np.float32 else 1e-9
    b = (U @ rng.standard_normal(4)).astype(dtype)
    V = U.astype(float)
    np.testing.assert_allclose(A.solve(b), np.linalg.pinv(V.T) @ np.linalg.pinv(V) @ b, rtol=tol, atol=tol)
    assert not np.any(np.isfinite(A.solve(np.ones(9, dtype=dtype)))) and A.solve(np.zeros((0, 9), dtype=dtype)).shape == (0, 9)
    apart = SymmetricDense(np.diag(np.array([1.0, 1e-20, 1e10], dtype=dtype)))
    np.testing.assert_allclose(apart.solve(np.ones(3, dtype=dtype)), [1.0, 1e20, 1e-10], rtol=1e-5)
    assert np.all(np.isfinite(A.shifted(1e-3).solve(np.ones(9, dtype=dtype))))


def test_a_run_on_a_singular_metric_says_so():
    model, w, batch = problem("categorical", 2)
    space = WeightSpace(model, batch, fisher, Undamped())
    run = ig.descend(model.objective(batch), w, geometry=space, update=ig.NaturalUpdate(), step=1.0, max_steps=5)
    assert run.status == ig.Status.SINGULAR and "Damp the metric" in ig.Status(int(run.status)).text


def test_a_record_beyond_the_memory_names_the_remedy(monkeypatch):
    monkeypatch.setattr("infogeo.solvers.records.memory", lambda: 1e6)
    f, settings = lambda x: (x @ x, 2.0 * x), dict(update=ig.GradientUpdate(), step=0.1, max_steps=1300)
    x = np.ones(100)
    with pytest.raises(MemoryError, match=r"1301 times a point, takes 0.000969 GiB, .* record='values' .* record=None .* Every"):
        ig.descend(f, x, **settings)
    for record in ("values", None, ig.Every(2)):
        ig.descend(f, x, record=record, **settings)
