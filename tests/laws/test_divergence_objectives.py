"""Divergences as objectives: value, differential and Hessian are those of the free function; at the target f″(1) G."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.testing.calculus import derivative, frame

from ..registry import FAMILIES, every_kind, every_primal, region

POWERS = {
    "alpha -1": (lambda M, q: ig.AlphaDivergence(M, q, -1.0), lambda M, p, q: ig.alpha_divergence(M, p, q, -1.0)),
    "alpha 0.5": (lambda M, q: ig.AlphaDivergence(M, q, 0.5), lambda M, p, q: ig.alpha_divergence(M, p, q, 0.5)),
    "alpha 1": (lambda M, q: ig.AlphaDivergence(M, q, 1.0), lambda M, p, q: ig.alpha_divergence(M, p, q, 1.0)),
    "renyi 0.5": (lambda M, q: ig.RenyiDivergence(M, q, 0.5), lambda M, p, q: ig.renyi(M, p, q, 0.5)),
    "bhattacharyya": (ig.BhattacharyyaDistance, ig.bhattacharyya),
    "hellinger": (ig.SquaredHellingerDistance, ig.squared_hellinger),
}
BEYOND = {
    "chi squared": (ig.ChiSquaredDivergence, ig.chi_squared),
    "alpha 3": (lambda M, q: ig.AlphaDivergence(M, q, 3.0), lambda M, p, q: 0.5 * ig.chi_squared(M, q, p)),
    "renyi 1.5": (lambda M, q: ig.RenyiDivergence(M, q, 1.5), lambda M, p, q: ig.renyi(M, p, q, 1.5)),
}


def points(M):
    """A target, a point some way from it, and orthonormal directions there."""
    rng = np.random.default_rng(7)
    q, p = region(M).sample(rng, (2,), scale=0.5)
    p = q + 0.3 * (p - q)
    return p, q, frame(M, p)[:2]


def check(M, make, free):
    p, q, rows = points(M)
    f = make(M, q)
    value, covector = f.value_and_gradient(p)
    assert np.allclose(value, free(M, p, q), rtol=1e-9, atol=1e-300) and value > 0
    numeric = derivative(lambda x: f.value_and_gradient(x)[0], p, rows)
    size = value + np.sqrt(np.sum(covector * M.sharp(p, covector)))             # along unit vectors
    assert np.all(np.abs(numeric - rows @ covector) <= 1e-6 * size), (numeric, rows @ covector)
    numeric = derivative(lambda x: f.value_and_gradient(x)[1], p, rows)           # the change along each direction
    hessian, scale = rows @ f.hessian(p), np.max(np.abs(M.metric(p) @ rows[0]))
    assert np.all(np.abs(numeric - hessian) <= 1e-5 * (np.max(np.abs(hessian)) + f.curvature_at_target * scale))
    ahead = f.value_and_gradient(q + 1e-4 * rows[0])[1]
    ahead = (ahead - f.value_and_gradient(q - 1e-4 * rows[0])[1]) / 2e-4
    expected = f.curvature_at_target * M.flat(q, rows[0])
    assert np.all(np.abs(ahead - expected) <= 1e-4 * np.max(np.abs(expected)) + 1e-5 * f.curvature_at_target)
    assert np.all(np.abs(f.value_and_gradient(q)[0]) <= 1e-15)


@every_primal
def test_divergences(M):
    """On every manifold, for exponents between the points."""
    for make, free in POWERS.values():
        check(M, make, free)


@every_kind
@pytest.mark.parametrize("name", BEYOND)
def test_beyond(M, name):
    """For exponents beyond the points, where the power integral is finite."""
    if np.isfinite(BEYOND[name][1](M, *points(M)[:2])):
        check(M, *BEYOND[name])


@pytest.mark.parametrize("name", ["Bernoulli", "Categorical(3)", "Categorical(3, reference=0)", "Binomial(7)", "LogLinear"])
def test_jensen_shannon(name):
    """On families of finitely many states; in the dual chart of a categorical family it is the Bhattacharyya distance."""
    M = FAMILIES[name]
    check(M, ig.JensenShannonDivergence, lambda M, p, q: ig.jensen_shannon(M, p, q).value)
    q = points(M)[1]
    assert np.array_equal(ig.JensenShannonDivergence(M, q).value_and_gradient(q)[1], np.zeros(M.dim))
    if isinstance(M, ig.Categorical):
        p, q, _ = points(M)
        value, covector = ig.JensenShannonDivergence(M, q).in_dual_coordinates().value_and_gradient(M.to_eta(p))
        other = ig.BhattacharyyaDistance(M.dual, M.to_eta(q)).value_and_gradient(M.to_eta(p))
        assert np.allclose(value, other[0], rtol=1e-12) and np.allclose(covector, other[1], rtol=1e-11)


@pytest.mark.parametrize("name", [*POWERS, "jensen shannon"])
def test_arrays(name, backend):
    """Batches, dtype and library are kept."""
    M = ig.Categorical(3)
    q, p = region(M).sample(np.random.default_rng(1), (2, 4))
    make = POWERS[name][0] if name in POWERS else ig.JensenShannonDivergence
    for dtype, rtol in (("float64", 1e-11), ("float32", 1e-4)):
        value, covector = make(M, backend.make(q, dtype)).value_and_gradient(backend.make(p, dtype))
        expected = make(M, q).value_and_gradient(p)
        assert np.allclose(backend.check(value, dtype), expected[0], rtol=rtol)
        assert np.allclose(backend.check(covector, dtype), expected[1], rtol=rtol, atol=rtol)
