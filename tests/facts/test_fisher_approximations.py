"""The comparison of Fisher approximations: exact ones lose nothing, angles and gains are those of their definition."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.curvature.block_diagonal import block_diagonal
from infogeo.curvature.fisher import fisher
from infogeo.networks import MLP, ConditionalModel, Glorot
from infogeo.studies import fisher_approximations

MODEL = ConditionalModel(MLP((4, 5, 2)), ig.Categorical(3))


def problem():
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((60, 4)), MODEL.network.init(rng, Glorot())
    return w, (x, MODEL.sample(rng, 2.0 * w, x))


def test_the_exact_one_loses_nothing():
    w, batch = problem()
    found, = fisher_approximations(MODEL, w, batch, damping=0.1, rng=None, curvatures={"exact": fisher}).approximations
    assert found.angle < 1e-6 and found.norm_ratio == pytest.approx(1) and found.progress == pytest.approx(1)
    assert found.frobenius < 1e-12 and found.trace_ratio == pytest.approx(1)


def test_the_numbers_of_one_approximation():
    w, batch = problem()
    found, = fisher_approximations(MODEL, w, batch, damping=0.1, rng=None, curvatures={"blocks": block_diagonal}).approximations
    F, A = fisher(MODEL, w, batch).dense(), block_diagonal(MODEL, w, batch).dense()
    g, metric = MODEL.value_and_gradient(w, batch)[1], F + 0.1 * np.eye(w.size)
    v, u = np.linalg.solve(metric, g), np.linalg.solve(A + 0.1 * np.eye(w.size), g)
    inner = lambda a, b: a @ metric @ b
    cosine = inner(v, u) / np.sqrt(inner(v, v) * inner(u, u))
    assert found.angle == pytest.approx(np.degrees(np.arccos(cosine)), rel=1e-9)
    assert found.norm_ratio == pytest.approx(np.sqrt(inner(u, u) / inner(v, v)))
    best = (g @ u) ** 2 / inner(u, u) / 2
    assert found.progress == pytest.approx(best / (g @ v / 2))
    np.testing.assert_allclose(found.eigenvalues, np.linalg.eigvalsh(A)[::-1], atol=1e-12)


def test_the_table_of_all():
    """Blocks and EK-FAC keep the trace; the block-diagonal one is nearest of those within it; more draws are nearer than one."""
    w, batch = problem()
    study = fisher_approximations(MODEL, w, batch, damping=1e-2, rng=np.random.default_rng(1))
    by = {a.label: a for a in study.approximations}
    for label in ("block-diagonal", "unit-wise", "quasi-diagonal", "diagonal", "EK-FAC", "rank 10 and diagonal"):
        assert by[label].trace_ratio == pytest.approx(1)
    assert by["block-diagonal"].frobenius < min(by[label].frobenius for label in ("unit-wise", "diagonal", "EK-FAC"))
    assert by["EK-FAC"].frobenius <= by["K-FAC"].frobenius
    assert by["sampled, 100 draws"].frobenius < by["sampled, 1 draw"].frobenius
    assert all(label in str(study) for label in by)


def test_too_many_weights():
    w, batch = problem()
    with pytest.raises(ig.ShapeError, match="size <= 4000"):
        fisher_approximations(MODEL, np.stack([w, w]), batch, damping=1.0, rng=None)
