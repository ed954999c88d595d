"""Projected, composite and geodesic steps: their laws, programmes with known solutions, what they refuse."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.geometry.manifolds.product import ProductManifold

from ..backends import BACKENDS

LINEAR = np.array([0.3, -0.2, 0.5, 0.1])        # costs of four outcomes, the fifth is free


SLOPES = np.random.default_rng(0).standard_normal((8, 4)) / np.sqrt(8)


def quadratic(x):
    """½|A(x − 1)|²."""
    residual = (x - 1) @ SLOPES.T
    return 0.5 * np.sum(residual ** 2, axis=-1), residual @ SLOPES


@pytest.mark.parametrize("base, M", [(ig.MirrorUpdate(), ig.Categorical(5).dual), (ig.GradientUpdate(), ig.Euclidean(4)),
                                     (ig.NaturalUpdate(), ig.NegativeEntropy(4))], ids=repr)
def test_where_nothing_binds_a_projected_step_is_its_base_bit_by_bit(base, M):
    """Also row by row: of a batch in which other rows are projected."""
    x0, far = np.full((3, 4), 0.2), ig.Halfspaces(np.eye(4), np.full((3, 4), 9.0))
    run = dict(geometry=M, step=0.1, max_steps=5)
    plain = ig.descend(quadratic, x0, update=base, **run)
    np.testing.assert_array_equal(ig.descend(quadratic, x0, update=ig.Projected(base, far), **run).path, plain.path)
    some = ig.Halfspaces(np.eye(4), np.outer([9.0, 0.201, 9.0], np.ones(4)))
    found = ig.descend(quadratic, x0, update=ig.Projected(base, some), **run).path
    np.testing.assert_array_equal(found[:, [0, 2]], plain.path[:, [0, 2]])
    assert np.any(found[1:, 1] != plain.path[1:, 1]) and np.all(found[:, 1] <= 0.201 * (1 + 1e-9))


def test_a_linear_programme_on_the_simplex():
    """min c·p with p₂ ≤ 0.4: −0.08, with the rest on the free outcome."""
    cost, cap = lambda x: (x @ LINEAR, LINEAR), ig.Halfspaces([[0.0, 1.0, 0.0, 0.0]], [0.4])
    update = ig.Projected(ig.MirrorUpdate(), cap)
    run = ig.descend(cost, np.full(4, 0.2), geometry=ig.Categorical(5).dual, update=update, step=5.0, max_steps=40)
    assert abs(run.values[-1] + 0.0799999999) < 2e-10 and np.all(run.path[:, 1] <= 0.4 + 1e-12)
    assert run.values[-1] >= -0.08 - 1e-12


def test_a_projected_step_solves_its_problem():
    """argmin over the set of h c·y + B_ψ(y : x): no point of the set near by is better."""
    M, x, c, h = ig.Categorical(4).dual, np.array([0.3, 0.2, 0.4]), np.array([1.0, -2.0, 0.5]), 0.7
    onto = ig.Intersection(ig.Halfspaces([[0.0, 1.0, 0.0]], [0.3]), ig.AffineConstraints([[1.0, 0.0, 1.0]], [0.6]))
    y, state = ig.Projected(ig.MirrorUpdate(), onto)(M, x, c, h)
    cost = lambda y: h * y @ c + ig.bregman(M, y, x)
    assert state is None and abs(y[0] + y[2] - 0.6) < 1e-12 and y[1] <= 0.3 + 1e-12
    for step in ([1e-3, 0.0, -1e-3], [-1e-3, 0.0, 1e-3], [0.0, -1e-3, 0.0], [1e-3, -1e-3, -1e-3]):
        assert cost(y + np.array(step)) > cost(y)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_row_whose_projection_is_not_found_ends_alone(backend):
    """One of three steps goes where no projection converges, 1e300 away; the others go as they do without it."""
    M, far = ig.Burg(2), [0.1, 1e301, 0.2]
    update = ig.Projected(ig.GradientUpdate(), ig.Halfspaces(backend.make([[1.0, 0.0]]), backend.make([1.015])))
    cost = lambda x: (-0.1 * (x[..., 0] + x[..., 1]), 0.0 * x - 0.1)
    run = lambda h: ig.descend(cost, backend.make(np.ones((len(h), 2))), geometry=M, update=update, step=backend.make(h),
                               max_steps=2)
    found, alone = run(far), run([h for h in far if h < 1.0])
    status = backend.to_numpy(found.status)
    assert status.tolist() == [ig.Status.LEFT_DOMAIN if h > 1.0 else ig.Status.MAX_STEPS for h in far]
    np.testing.assert_array_equal(backend.to_numpy(found.path)[:, status == ig.Status.MAX_STEPS], backend.to_numpy(alone.path))
    assert backend.to_numpy(found.steps).tolist() == [0 if h > 1.0 else 2 for h in far]
    assert int(run([1e301]).status[0]) == ig.Status.LEFT_DOMAIN


def test_what_a_projected_run_is_told():
    x0, run = np.full(4, 0.2), dict(geometry=ig.Categorical(5).dual, step=1.0, max_steps=3)
    cost = lambda x: (x @ LINEAR, LINEAR)
    with pytest.raises(ig.DomainError, match="no point of its closure does"):
        ig.descend(cost, x0, update=ig.Projected(ig.MirrorUpdate(), ig.Halfspaces(-np.eye(4)[:1], [-1.5])), **run)
    with pytest.raises(TypeError, match=r"onto must be a FlatSet, such as Halfspaces\(normals, offsets\); got 3"):
        ig.Projected(ig.MirrorUpdate(), 3)
    loose = ig.Projected(ig.GradientUpdate(), ig.Halfspaces(np.eye(4), np.ones(4)))
    with pytest.raises(ig.ShapeError, match="onto must be a set of dimension 4, that of the run; got one of dimension 3"):
        ig.descend(cost, x0, update=ig.Projected(ig.GradientUpdate(), ig.Halfspaces(np.eye(3), np.ones(3))), **run)
    with pytest.raises(TypeError, match="needs a dually flat geometry"):
        own = type("Own", (ig.Riemannian,), dict(dim=4, metric=lambda self, x: np.eye(4)))()
        ig.descend(cost, x0, update=loose, step=1.0, max_steps=1, geometry=own)
    left = ig.descend(cost, [[0.2] * 4, [0.01] * 4], update=loose, **run)
    assert left.status[1] == ig.Status.LEFT_DOMAIN


PROXES = [
    (ig.L1(0.7), ig.Euclidean(4)), (ig.L1(2.0), ig.PNorm(4, 1.3)), (ig.L1(0.7), ig.NegativeEntropy(4)), (ig.L1(0.7), ig.Burg(4)),
    (ig.Box([0.1, 0.2, 0.3, 0.4], 0.8), ig.NegativeEntropy(4)), (ig.Box(0.3, 0.9), ig.Burg(4).dual.dual),
    (ig.Box(0.3, 0.9), ProductManifold(ig.Euclidean(2), ig.NegativeEntropy(2))), (ig.SumTo(1.0), ig.Euclidean(4)),
    (ig.SumTo(2.0), ig.NegativeEntropy(4)),
]


@pytest.mark.parametrize("prox, M", PROXES, ids=repr)
def test_a_prox_is_the_minimiser(prox, M):
    """Of h g(y) + B_ψ(y : x), against points near by in the set of g; rows have step sizes of their own."""
    rng = np.random.default_rng(1)
    x = rng.uniform(0.1, 1.5, (5, 4)) * (1 if M.domain.contains(-np.ones(4)) == 0 else rng.choice([-1, 1], (5, 4)))
    h = np.linspace(0.2, 1.0, 5)
    y = prox(M, x, h)
    cost = lambda y, x, h: h * prox.value(y) + ig.bregman(M, y, x)
    assert np.all(np.isfinite(cost(y, x, h)))
    better = 0
    for size in (1e-2, 1e-4):
        step = size * rng.standard_normal((200, 5, 4))
        step = np.where(rng.random((200, 5, 4)) < 0.5, 0.0, step)
        near = y + (step - step.mean(axis=-1, keepdims=True) if isinstance(prox, ig.SumTo) else step)
        near = np.where(M.domain.contains(near)[..., None], near, y)
        better += np.sum(cost(near, x, h) < cost(y, x, h) - 1e-13)
    assert better == 0
    if isinstance(prox, ig.L1) and not isinstance(M, (ig.NegativeEntropy, ig.Burg)):
        assert np.any(y == 0) and np.all(y * x >= 0)


def test_a_prox_that_does_nothing_leaves_its_base():
    M, f = ig.NegativeEntropy(4), quadratic
    run = dict(geometry=M, step=0.1, max_steps=4)
    plain = ig.descend(f, np.full(4, 0.5), update=ig.MirrorUpdate(), **run).path
    for prox, slack in ((ig.Box(1e-9, 1e9), 0.0), (ig.L1(0.0), 1e-14)):
        found = ig.descend(f, np.full(4, 0.5), update=ig.Composite(ig.MirrorUpdate(), prox), **run).path
        np.testing.assert_allclose(found, plain, rtol=slack)


def test_a_composite_run_is_ista_in_euclidean_space():
    rng = np.random.default_rng(4)
    A, weight, h = rng.standard_normal((12, 6)), 0.5, 0.02
    b = A @ np.array([1.0, 0, 0, -2.0, 0, 0])
    f = lambda x: (0.5 * np.sum((x @ A.T - b) ** 2, axis=-1), (x @ A.T - b) @ A)
    update = ig.Composite(ig.MirrorUpdate(), ig.L1(weight))
    run = ig.descend(f, np.zeros(6), geometry=ig.Euclidean(6), update=update, step=h, max_steps=400)
    x = np.zeros(6)
    for k in range(400):
        x = x - h * f(x)[1]
        x = np.sign(x) * np.maximum(np.abs(x) - h * weight, 0)
    np.testing.assert_allclose(run.x, x, atol=1e-14)
    gradient = f(run.x)[1]                      # optimal: −∂f is λ times a sign where x is not 0, and less elsewhere
    np.testing.assert_allclose(gradient[run.x != 0], -weight * np.sign(run.x[run.x != 0]), rtol=1e-9)
    assert np.all(np.abs(gradient) <= weight * (1 + 1e-9)) and np.count_nonzero(run.x) == 2
    total = run.values + update.prox.value(run.path)
    searched = ig.descend(f, np.zeros(6), geometry=ig.Euclidean(6), update=update, step=ig.RelativeSmooth(1.0), max_steps=100)
    assert np.all(np.diff(total) <= 1e-14) and abs(searched.values[-1] + update.prox.value(searched.x) - total[-1]) < 1e-9


def test_what_a_prox_refuses():
    x = np.array([0.2, 0.3])
    for prox, M, where in ((ig.L1(1.0), ig.Quadratic([[2.0, 1.0], [1.0, 2.0]]), "where the mirror map keeps signs"),
                           (ig.L1(1.0), ig.Categorical(3).dual, "where the mirror map keeps signs"),
                           (ig.Box(0.0, 1.0), ig.PNorm(2, 1.5), "for a separable potential"),
                           (ig.SumTo(1.0), ig.Burg(2), r"on NegativeEntropy\(d\) and Euclidean\(d\)")):
        with pytest.raises(TypeError, match=f"{type(prox).__name__} has a closed form {where}"):
            prox(M, x, 0.1)
    for bad in (lambda: ig.L1(-1.0), lambda: ig.Box([0.0, 2.0], 1.0), lambda: ig.SumTo(0.0), lambda: ig.L1(np.nan)):
        with pytest.raises(ig.DomainError):
            bad()
    for M in (ig.Euclidean(3), ig.NegativeEntropy(3)):
        found = ig.SumTo()(M, np.array([1e300, 2.0, 1e301]), 0.1)
        np.testing.assert_allclose(found, [0.0, 0.0, 1.0] if M == ig.Euclidean(3) else [1 / 11, 0.0, 10 / 11], atol=1e-15)
    with pytest.raises(TypeError, match="prox must be a Prox"):
        ig.Composite(ig.MirrorUpdate(), 0.1)
    assert ig.SumTo().value([[0.5, 0.5], [0.5, 0.6], [-0.5, 1.5]]).tolist() == [0.0, np.inf, np.inf]
    assert ig.Box(0.0, 1.0).value([0.5, 2.0]) == np.inf and ig.L1(2.0).value([1.0, -3.0]) == 8.0


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_backend(backend, dtype):
    start = np.array([[0.5, 1.0, 2.0], [1.0, 1.0, 1.0]])
    mirror, f = ig.MirrorUpdate(), lambda x: (0.0 * x[..., 0], x - 1.0)
    for update in (lambda make: ig.Composite(mirror, ig.L1(0.5)), lambda make: ig.Composite(mirror, ig.SumTo()),
                   lambda make: ig.Composite(mirror, ig.Box(0.7, make([1.0, 1.1, 1.2]))),
                   lambda make: ig.Composite(mirror, ig.Box(0.7, 1.1)), lambda make: ig.Geodesic(),
                   lambda make: ig.Projected(mirror, ig.Halfspaces(make([[0.0, 0.0, 1.0]]), make([1.2])))):
        run = dict(geometry=ig.NegativeEntropy(3), step=0.25, max_steps=2)
        make = lambda x: backend.make(np.asarray(x), dtype)
        found = backend.check(ig.descend(f, make(start), update=update(make), **run).x, dtype)
        np.testing.assert_allclose(found, ig.descend(f, start, update=update(np.asarray), **run).x, rtol=2e-4)


FACES = np.arange(1.0, 7.0)
MOMENT_ROUTES = {
    "e_project": lambda mean: ig.e_project(ig.Categorical(6), np.zeros(5), ig.AffineConstraints([FACES[:5] - 6], [mean - 6])),
    "m_project": lambda mean: ig.m_project(ig.Simplex(6), np.full(6, 1 / 6), ig.AffineConstraints([FACES], [mean])),
    "cross-entropy": lambda mean: ig.CrossEntropy(ig.LogLinear(FACES[:, None]), [mean]),
    "projected steps": lambda mean: ig.descend(
        lambda p: (np.sum(p * np.log(p), axis=-1), np.log(p) + 1), np.full(6, 1 / 6), geometry=ig.Simplex(6), step=0.5,
        update=ig.Projected(ig.MirrorUpdate(), ig.AffineConstraints([FACES], [mean])), max_steps=50),
}


@pytest.mark.parametrize("route", MOMENT_ROUTES)
def test_moments_that_no_law_has_are_said_to_be_so(route):
    """Every way to the law of greatest entropy with a given mean refuses 7 from a die, and none 4.5."""
    with pytest.raises(ig.DomainError, match="no point of its closure does|inside the convex hull of the statistics"):
        MOMENT_ROUTES[route](7.0)
    MOMENT_ROUTES[route](4.5)


def test_a_projection_of_a_closed_simplex_may_lie_on_a_face():
    p = ig.m_project(ig.Simplex(6), np.full(6, 1 / 6), ig.AffineConstraints([FACES], [6.0]))
    np.testing.assert_allclose(p, [0, 0, 0, 0, 0, 1], atol=1e-12)
