"""In the interior the simplex is the dual of the categorical family, whichever outcome is the reference.

Source: Amari & Nagaoka, Methods of Information Geometry (2000), section 2.6.
"""
import numpy as np
import pytest

import infogeo as ig

K = 4
S = ig.Simplex(K)
GENERATORS = [ig.NegativeEntropy(1), ig.Tsallis(0.5), ig.Tsallis(1.5), ig.Tsallis(3.0), ig.Burg(1), ig.Euclidean(1)]
every_generator = pytest.mark.parametrize("generator", GENERATORS, ids=str)
every_reference = pytest.mark.parametrize("r", range(K))


def setting(count=2, seed=3):
    """Points, tangent vectors of unit length, and a covector, shapes (5, K)."""
    rng = np.random.default_rng(seed)
    points = S.domain.sample(rng, (count, 5))
    v = rng.standard_normal((2, 5, K))
    v = v - np.mean(v, axis=-1, keepdims=True)
    return *points, *(0.3 * v / S.norm(points[0], v)[..., None]), rng.standard_normal((5, K))


@every_reference
def test_is_the_dual_of_the_categorical_family(r):
    """Every formula, with the coordinate of the reference left out of points and vectors, and subtracted from covectors."""
    p, q, u, v, c = setting()
    M, less = ig.Categorical(K, reference=r).dual, lambda x: np.delete(x, r, axis=-1)
    lowered = lambda c: less(c) - c[..., r:r + 1]
    t = np.linspace(0.0, 1.0, 5)
    same = {
        "potential": (S.potential(p), M.potential(less(p))),
        "to_eta": (lowered(S.to_eta(p)), M.to_eta(less(p))),
        "to_theta": (less(S.to_theta(c)), M.to_theta(lowered(c))),
        "dual_potential": (S.dual_potential(c) - c[:, r], M.dual_potential(lowered(c))),
        "divergence": (S.divergence(p, q), M.divergence(less(p), less(q))),
        "bregman": (ig.bregman(S, p, q), np.sum(p * np.log(p / q), axis=-1)),
        "flat": (lowered(S.flat(p, u)), M.flat(less(p), less(u))),
        "sharp": (less(S.sharp(p, c)), M.sharp(less(p), lowered(c))),
        "inner": (S.inner(p, u, v), M.inner(less(p), less(u), less(v))),
        "metric": (np.sum(u * (S.metric(p) @ v[..., None])[..., 0], axis=-1), M.inner(less(p), less(u), less(v))),
        "cubic_tensor": (np.einsum("...ijk,...i,...j,...k", S.cubic_tensor(p), u, v, v),
                         np.einsum("...ijk,...i,...j,...k", M.cubic_tensor(less(p)), less(u), less(v), less(v))),
        "dual_metric": (less(np.swapaxes(less(S.dual_metric(c)), -1, -2)), M.dual_metric(lowered(c))),
        "log_volume_element": (S.log_volume_element(p), M.log_volume_element(less(p))),
        "total_volume": (S.total_volume(), M.total_volume()),
        "distance": (S.distance(p, q), M.distance(less(p), less(q))),
        "geodesic": (less(S.geodesic(p, q, t)), M.geodesic(less(p), less(q), t)),
        "exp": (less(S.exp(p, u)), M.exp(less(p), less(u))),
        "log": (less(S.log(p, q)), M.log(less(p), less(q))),
        "e_geodesic": (less(ig.e_geodesic(S, p, q, t)), ig.e_geodesic(M, less(p), less(q), t)),
        "m_geodesic": (less(ig.m_geodesic(S, p, q, t)), ig.m_geodesic(M, less(p), less(q), t)),
    }
    for name, (own, other) in same.items():
        np.testing.assert_allclose(own, other, rtol=1e-11, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("alpha", [0.0, 0.5, -1.0])
def test_connections(alpha):
    """Christoffel symbols on tangent vectors, curvatures and parallel transport are those of the categorical family."""
    p, q, u, v, _ = setting()
    M, less = ig.Categorical(K).dual, lambda x: x[..., :-1]
    paired = lambda symbols, u, v: np.einsum("...ijk,...i,...j->...k", symbols, u, v)
    own, other = paired(ig.christoffel(S, p, alpha), u, v), paired(ig.christoffel(M, less(p), alpha), less(u), less(v))
    np.testing.assert_allclose(less(own), other, rtol=1e-10, atol=1e-12)
    for N, same in ((S, lambda x: x), (S.dual, S.to_eta)):
        np.testing.assert_allclose(ig.scalar_curvature(N, same(p), alpha), (1 - alpha**2) * (K - 1) * (K - 2) / 4, atol=1e-11)
    carried = ig.parallel_transport(S, lambda t: (1 - t)[..., None] * p + t[..., None] * q, u, alpha)
    expected = ig.parallel_transport(M, lambda t: less((1 - t)[..., None] * p + t[..., None] * q), less(u), alpha)
    np.testing.assert_allclose(less(carried), expected, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(ig.sectional_curvature(S, p, u, v), 0.25, rtol=1e-9)
    with pytest.raises(TypeError, match="leave an outcome out"):
        ig.alpha_geodesic(S, p, q, 0.5, alpha)


@every_reference
@pytest.mark.parametrize("update", [ig.NaturalUpdate(), ig.MirrorUpdate()], ids=lambda u: type(u).__name__)
def test_runs_are_the_same(r, update):
    """A run on the simplex is the run on the dual of the categorical family, step for step."""
    p, q = setting()[:2]
    M, less = ig.Categorical(K, reference=r), lambda x: np.delete(x, r, axis=-1)
    run = dict(update=update, step=0.2, max_steps=20)
    own = ig.descend(ig.CrossEntropy(S.dual, q).in_dual_coordinates(), p, geometry=S, **run)
    other = ig.descend(ig.CrossEntropy(M, less(q)).in_dual_coordinates(), less(p), geometry=M.dual, **run)
    np.testing.assert_allclose(less(own.path), other.path, rtol=1e-11)
    np.testing.assert_allclose(own.values, other.values, rtol=1e-12)


@every_generator
def test_generators(generator):
    """Legendre pair, raised and lowered indices, prox and positive divergence, for every generator."""
    M, (p, q, u, _, c) = ig.Simplex(K, generator=generator), setting()
    tangent = lambda x: x - np.mean(x, axis=-1, keepdims=True)
    np.testing.assert_allclose(M.to_theta(M.to_eta(p)), p, rtol=1e-12)
    np.testing.assert_allclose(M.potential(p) + M.dual_potential(M.to_eta(p)), np.sum(p * M.to_eta(p), axis=-1), rtol=1e-12)
    np.testing.assert_allclose(M.sharp(p, M.flat(p, u)), u, atol=1e-13)
    np.testing.assert_allclose(tangent(M.flat(p, M.sharp(p, c))), tangent(c), atol=1e-12)
    np.testing.assert_allclose(tangent(M.sharp(p, c)), M.sharp(p, c), atol=1e-13)
    np.testing.assert_allclose((M.dual_metric(M.to_eta(p)) @ c[..., None])[..., 0], M.sharp(p, c), atol=1e-13)
    eps = 1e-6
    slope = (M.to_theta(M.to_eta(p) + eps * c) - M.to_theta(M.to_eta(p) - eps * c)) / (2 * eps)
    np.testing.assert_allclose(slope, M.sharp(p, c), rtol=1e-5, atol=1e-7)                       # ∇²φ c
    gap = M.potential(q) - M.potential(p) - np.sum((q - p) * M.to_eta(p), axis=-1)
    np.testing.assert_allclose(M.divergence(p, q), gap, rtol=1e-10)
    near = p + 1e-7 * u
    np.testing.assert_allclose(M.divergence(p, near) / M.inner(p, near - p, near - p), 0.5, rtol=1e-5)
    step = M.to_theta(M.to_eta(p) - 0.4 * c)                                             # minimises c·x + B(x : p) / 0.4
    for x in S.domain.sample(np.random.default_rng(0), (20, 5)):
        value = lambda x: np.sum(c * x, axis=-1) + M.divergence(p, x) / 0.4
        assert np.all(value(step) <= value(x) + 1e-12)


@every_generator
def test_geodesics(generator):
    """exp(log) is the identity, the geodesic has the speed of its length, and the distance is at most √J."""
    M, (p, q, _, _, _) = ig.Simplex(K, generator=generator), setting()
    p, q = 0.5 * p[:2] + 0.5 / K, 0.5 * q[:2] + 0.5 / K             # nearer the centre: at an edge some geodesics end
    np.testing.assert_allclose(M.exp(p, M.log(p, q)), q, atol=1e-8)
    np.testing.assert_allclose(M.norm(p, M.log(p, q)), M.distance(p, q), rtol=1e-7)
    assert np.all(M.distance(p, q) <= np.sqrt(ig.jeffreys(M, p, q)) * (1 + 1e-9))
    np.testing.assert_allclose(M.distance(p, M.geodesic(p, q, 0.5)), 0.5 * M.distance(p, q), rtol=1e-7)
    np.testing.assert_allclose(M.geodesic(p, q, np.array([[0.0], [1.0]])), np.stack([p, q]), atol=1e-12)


@every_generator
def test_arrays(generator, backend):
    """Library, device and dtype are kept; float32 has the numbers of float64."""
    M, (p, q, u, _, c) = ig.Simplex(K, generator=generator), setting()
    for dtype, rtol in (("float64", 1e-11), ("float32", 2e-3)):
        a, b, v, w = (backend.make(x, dtype) for x in (p, q, u, c))
        for name, xs, ys in (("potential", (a,), (p,)), ("to_eta", (a,), (p,)), ("to_theta", (w,), (c,)),
                             ("dual_potential", (w,), (c,)), ("divergence", (a, b), (p, q)), ("sharp", (a, w), (p, c)),
                             ("flat", (a, v), (p, u)), ("metric", (a,), (p,)), ("dual_metric", (w,), (c,)),
                             ("cubic_tensor", (a,), (p,)), ("log_volume_element", (a,), (p,))):
            got, expected = backend.check(getattr(M, name)(*xs), dtype), getattr(M, name)(*ys)
            np.testing.assert_allclose(got, expected, rtol=rtol, atol=rtol * np.max(np.abs(expected)), err_msg=name)
    entropic = isinstance(generator, ig.NegativeEntropy)
    for name, xs in (("distance", (a, b)), ("exp", (a, v)), ("log", (a, b))) if entropic else ():
        backend.check(getattr(M, name)(*xs), "float32")


def test_a_run_on_arrays(backend):
    """A run to a target with a zero keeps library and dtype."""
    make = lambda x: backend.make(np.array(x), "float32")
    f = ig.CrossEntropy(S.dual, make([0.5, 0.3, 0.2, 0.0])).in_dual_coordinates()
    run = ig.descend(f, make([0.25] * 4), geometry=S, update=ig.NaturalUpdate(), step=0.5, max_steps=40)
    np.testing.assert_allclose(backend.check(run.x, "float32"), [0.5, 0.3, 0.2, 0.0], atol=1e-6)
    assert np.isfinite(backend.check(run.values, "float32")).all()


@every_generator
def test_outside_is_nan(generator):
    """Beyond an edge, or off the plane, every formula of a point is NaN; under `checked` it raises."""
    M, c = ig.Simplex(3, generator=generator), [1.0, 0.0, 0.0]
    for p in ([0.5, 0.6, -0.1], [0.5, 0.3, 0.3], [0.5, 0.5, np.nan]):
        for value in (M.potential(p), M.to_eta(p), M.sharp(p, c), M.metric(p), M.divergence(p, [0.2, 0.3, 0.5])):
            assert np.all(np.isnan(value))
        with ig.checked(), pytest.raises(ig.DomainError, match=r">= 0 and sum\(.*\) = 1"):
            M.sharp(p, c)


def test_multiplicative_weights():
    """The mirror step is p⁺ ∝ p e^{−hc}, for an objective that is no divergence."""
    p = setting()[0]
    cost = lambda x: (np.sum(np.sin(3 * x), axis=-1), 3 * np.cos(3 * x))
    run = ig.descend(cost, p, geometry=S, update=ig.MirrorUpdate(), step=0.3, max_steps=10)
    x = p
    for k in range(11):
        np.testing.assert_allclose(run.path[k], x, rtol=1e-12)
        x = x * np.exp(-0.3 * cost(x)[1])
        x = x / np.sum(x, axis=-1, keepdims=True)


def test_batch_rows_are_alone():
    """A row of a batch has the bits of the row alone: the scalar root of one does not know of the others."""
    M, c = ig.Simplex(K, generator=ig.Tsallis(0.5)), setting()[-1] * np.array([[0.1], [1.0], [10.0], [100.0], [1e4]])
    np.testing.assert_array_equal(M.to_theta(c), np.stack([M.to_theta(row) for row in c]))
