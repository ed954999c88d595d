"""A run of `descend` inside `jax.jit`, `jax.vmap` and `jax.grad` is the run on arrays; what looks at numbers says so.

Only a run on JAX has these laws (INFOGEO_TEST_ARRAYS=jax).
"""
import jax
import numpy as np
import pytest

import infogeo as ig

from ..facts.training_helpers import problem

M = ig.Categorical(3)
X0 = np.array([[0.3, -0.2], [0.1, 0.6], [-0.5, 0.4]])
ETA = np.array([0.2, 0.5])
RESULT = ("x", "path", "values", "status", "steps")


def run(x=X0, eta=None, h=0.3, **how):
    eta = ig.backend.asarray(ETA, like=x) if eta is None else eta
    how = {"update": ig.NaturalUpdate(), "max_steps": 12} | how
    return ig.descend(ig.CrossEntropy(M, eta), x, geometry=M, step=h, **how)


def assert_same(found, expected, names=RESULT):
    for name in names:
        assert np.allclose(getattr(found, name), getattr(expected, name), rtol=1e-10, atol=1e-12), name


@pytest.mark.parametrize("update", [ig.NaturalUpdate(), ig.AcceleratedMirror()], ids=["natural", "accelerated"])
def test_under_jit(update, backend):
    """Points, targets and step sizes are arguments."""
    found = jax.jit(lambda x, eta, h: run(x, eta, h, update=update))(backend.make(X0), backend.make(ETA), backend.make(0.3))
    assert isinstance(found, ig.Result)
    assert_same(found, run(update=update))


def test_rows_that_end(backend):
    """Under a stopping rule the records after the end are the last one; a row that leaves the domain keeps its place."""
    how = {"tol": 1e-3, "max_steps": 40}
    found, expected = jax.jit(lambda x: run(x, **how))(backend.make(X0)), run(**how)
    count = len(expected.path)
    assert count < 41 == len(found.path)
    assert_same(found, expected, ("x", "status", "steps"))
    assert np.allclose(found.path[:count], expected.path)
    assert np.array_equal(found.path[count:], np.broadcast_to(found.x, (41 - count, 3, 2)))
    N, h = ig.Normal(), np.array([0.3, 30.0])
    how = {"geometry": N, "update": ig.GradientUpdate(), "step": h, "max_steps": 9}
    far = lambda theta, eta: ig.descend(ig.CrossEntropy(N, eta), theta, **how)
    theta, eta = N.theta_from(mean=[0.0, 3.0], variance=[1.0, 0.2]), np.array([1.0, 2.0])
    expected = far(theta, eta)
    assert ig.Status.LEFT_DOMAIN in expected.status
    assert_same(jax.jit(far)(backend.make(theta), backend.make(eta)), expected)


def test_under_vmap(backend):
    """Rows by `vmap` are rows of a batch; also targets, with a start that is a constant."""
    f = lambda x: run(x, tol=1e-3, max_steps=40)
    assert_same(jax.vmap(f)(backend.make(X0)), f(X0), ("x", "status", "steps"))
    eta, x0 = np.stack([ETA, [0.6, 0.1]]), backend.make(X0[0])
    assert_same(jax.vmap(lambda eta: run(x0, eta))(backend.make(eta)), run(X0[0], eta), ("x", "status", "steps"))


@pytest.mark.parametrize("tol", [None, 1e-12], ids=["steps", "tol"])
def test_derivatives(tol, backend):
    """Of a run of known length backwards and forwards; with a stopping rule outside `jit` only."""
    def last(eta):
        return run(ig.backend.asarray(X0[0], like=eta), eta, tol=tol, max_steps=3).values[-1]

    slope = jax.grad(last)(backend.make(ETA))
    assert np.allclose(slope, [(last(ETA + e) - last(ETA - e)) / 2e-6 for e in 1e-6 * np.eye(2)], rtol=1e-6)
    assert tol is not None or np.allclose(jax.jit(jax.jacfwd(last))(backend.make(ETA)), slope)


def test_what_looks_at_numbers_says_so(backend):
    f = ig.CrossEntropy(M, backend.make(ETA))
    how = {"geometry": M, "update": ig.NaturalUpdate(), "max_steps": 5, "step": 0.3}
    for more, said in (({"callbacks": [lambda moment: None]}, "callbacks"), ({"rng": np.random.default_rng(0)}, "generator"),
                       ({"step": lambda at: 0.3 if at.k < 2 else 0.1}, "NaturalUpdate, function or CrossEntropy")):
        with pytest.raises(TypeError, match=f"descend looks at numbers.*{said}"):
            jax.jit(lambda x: ig.descend(f, x, **how | more).x)(backend.make(X0))          # noqa: B023
    assert np.all(np.isnan(jax.jit(lambda h: ig.Constant(h).h)(backend.make([-1.0, np.inf]))))


def test_updates_that_learn_from_examples(backend, thorough):
    """K-FAC keeps factors, and is refused by its name; the adaptive natural gradient is that on NumPy."""
    model, w, batch = problem("categorical")

    def go(w, f, update):
        return ig.descend(f, w, geometry=ig.Euclidean(w.shape[-1]), update=update, step=0.1, max_steps=3).x

    f = model.objective(tuple(map(backend.make, batch)))
    with pytest.raises(TypeError, match="descend looks at numbers.*KFAC, Constant or NegativeLogLikelihood: call it outside"):
        jax.jit(lambda w: go(w, f, ig.training.KFAC(ig.curvature.ExactColumns())))(backend.make(w))
    if thorough:
        update = ig.training.AdaptiveNatural(1.0, ig.training.ConstantRate(0.1))
        found = jax.jit(lambda w: go(w, f, update))(backend.make(w))
        assert np.allclose(found, go(w, model.objective(batch), update), rtol=1e-10)


UPDATES = [ig.GradientUpdate(), ig.NaturalUpdate(), ig.MirrorUpdate(), ig.AcceleratedMirror(restart=ig.GradientRestart()),
           ig.AcceleratedBregman(1.5), ig.CorrectedNatural(), ig.DualAveraging(), ig.Newton(), ig.RiemannianMomentum(0.5),
           ig.MirrorProx(), ig.Optimistic(), ig.Geodesic(), ig.training.Adam(), ig.training.RMSprop(), ig.training.Momentum(0.5),
           ig.training.Nesterov(0.5)]
STEPS = [ig.Constant(0.3), ig.Diminishing(0.5), ig.Backtracking(2.5), ig.Growing(2.5), ig.RelativeSmooth(2.5), ig.Exact(),
         ig.TrustRegion(0.01), ig.Damped(), ig.Polyak(0.0), ig.BarzilaiBorwein(0.2)]
FEW = {("Adam", "Constant"), ("Optimistic", "Growing"), ("AcceleratedBregman", "Backtracking")}     # of the small profile


def test_every_update_with_every_step_rule(backend, thorough):
    """Under `jax.jit` as with NumPy, few steps from the start: at a minimum a search goes by the rounding of values."""
    target = M.to_theta(ETA)
    pairs = [(update, step) for update in UPDATES for step in STEPS]
    for update, step in pairs if thorough else [pair for pair in pairs if tuple(type(part).__name__ for part in pair) in FEW]:
        def go(x, target):
            how = {"geometry": M, "update": update, "step": step, "max_steps": 3}       # noqa: B023
            return ig.descend(ig.ReverseKL(M, target), x, **how)

        found, expected = jax.jit(go)(backend.make(X0), backend.make(target)), go(X0, target)
        for name in RESULT:
            tol = 1e-6 if isinstance(step, ig.Exact) else 1e-10         # the former to √ε
            assert np.allclose(getattr(found, name), getattr(expected, name), rtol=tol, atol=tol), (update, step, name)


SIMPLEX, ONE = ig.Categorical(5).dual, np.ones((1, 4))
CAP, SUM = ig.Halfspaces(np.eye(4)[:1], [0.15]), ig.AffineConstraints(ONE, [0.9])
CONSTRAINED = [
    (ig.Euclidean(4), ig.Projected(ig.GradientUpdate(), CAP)), (ig.Euclidean(4), ig.Composite(ig.MirrorUpdate(), ig.SumTo(1.0))),
    (SIMPLEX, ig.Projected(ig.MirrorUpdate(), ig.Intersection(CAP, SUM))),
    (ig.NegativeEntropy(4), ig.Projected(ig.NaturalUpdate(), SUM)),
    (SIMPLEX, ig.Projected(ig.MirrorUpdate(), ig.AffineConstraints([[1, 1, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1]], [0.4, 0.5, 0.9]))),
    (SIMPLEX, ig.Projected(ig.MirrorUpdate(), ig.AffineSubmanifold([0.2] * 4, [[1, -1, 0, 0], [0, 0, 1, -1]]))),
    (ig.Euclidean(4), ig.Composite(ig.MirrorUpdate(), ig.L1(0.7))), (ig.Burg(4), ig.Composite(ig.MirrorUpdate(), ig.L1(0.7))),
    (ig.PNorm(4, 1.3), ig.Composite(ig.MirrorUpdate(), ig.L1(2.0))),
    (ig.NegativeEntropy(4), ig.Composite(ig.MirrorUpdate(), ig.Box([0.1, 0.2, 0.3, 0.4], 0.8))),
]


def test_constrained_steps(backend, thorough):
    """Projections and proxes under `jax.jit` as with NumPy, of rows that start inside a set, on its edge and outside."""
    f = ig.LeastSquares(np.random.default_rng(0).standard_normal((8, 4)) / np.sqrt(8), np.ones(8))
    x0 = np.array([[0.1, 0.3, 0.2, 0.2], [0.15, 0.25, 0.25, 0.25], [0.5, 0.1, 0.1, 0.1]])
    for M, update in CONSTRAINED if thorough else CONSTRAINED[:2]:
        for step in (0.1, ig.Backtracking(1.0)) if thorough else (0.1,):
            def go(x):
                return ig.descend(f, x, geometry=M, update=update, step=step, max_steps=4)      # noqa: B023

            found, expected = jax.jit(go)(backend.make(x0)), go(x0)
            assert_same(found, expected, ("x", "status", "steps"))
            ended = len(expected.path)          # before the last step, where all rows stand still
            assert np.allclose(found.path[:ended], expected.path) and np.all(found.path[ended:] == found.path[ended - 1])


def test_a_projection_that_is_not_there(backend):
    """Its row leaves the domain, the others go on; on arrays it is an error."""
    def status(b):
        onto = ig.Projected(ig.GradientUpdate(), ig.Halfspaces([[1.0, 0.0]], b))
        return ig.descend(lambda x: (0.0 * x[..., 0], 0.0 * x), backend.make(np.abs(X0[:2])), geometry=ig.Burg(2), update=onto,
                          step=1.0, max_steps=2).status

    found = jax.jit(status)(backend.make([[0.2], [-1.0]]))
    assert np.asarray(found).tolist() == [ig.Status.MAX_STEPS, ig.Status.LEFT_DOMAIN]


def test_a_projection_onto_the_boundary_is_none(backend):
    """NaN, where on arrays it is an error; of a small value that is given there is one."""
    p, M = np.array([0.1, -0.3]), ig.Categorical(3)
    for set_ in (ig.Halfspaces, ig.AffineConstraints):
        onto = jax.jit(lambda b: ig.e_project(M, backend.make(p), set_([[1.0, 0.0]], b)))        # noqa: B023
        assert np.all(np.isnan(onto(backend.make([-0.0]))))
        for b in (1e-12, 0.2):
            expected = ig.e_project(M, p, set_([[1.0, 0.0]], [b]))
            assert np.allclose(onto(backend.make([b])), expected, rtol=1e-3 if b < 0.1 else 1e-9)


def test_derivatives_through_a_search(backend):
    """The number of trials is a constant, the first step size is not."""
    def last(h):
        return run(ig.backend.asarray(X0[0], like=h), h=ig.Backtracking(h), max_steps=2).values[-1]

    slope = jax.jit(jax.grad(last))(backend.make(3.0))
    assert np.allclose(slope, (last(np.asarray(3.0 + 1e-6)) - last(np.asarray(3.0 - 1e-6))) / 2e-6, rtol=1e-5)


def test_one_program_for_all_numbers(backend, caplog):
    """Other points, targets and step sizes, numbers among them, compile nothing anew."""
    def once(k):
        run(backend.make(X0) + k, backend.make(ETA) + 0.01 * k, 0.1 + 0.01 * k, max_steps=70, tol=1e-9)
        jax.vmap(lambda x: run(x, backend.make(ETA), 0.1 + 0.01 * k, tol=1e-3).x)(backend.make(X0) + k)

    once(0)
    with jax.log_compiles(), caplog.at_level("DEBUG"):
        once(1)
    assert not [said for said in caplog.messages if "Finished XLA compilation" in said]


def test_a_state_that_the_first_step_makes(backend):
    """That step comes before the loop; a row that has converged at the start takes none."""
    how = {"update": ig.Optimistic(), "max_steps": 64}
    assert_same(run(backend.make(X0), **how), run(**how))
    there = np.stack([M.to_theta(ETA), X0[0]])
    for x0 in (there, there[0]):
        found, expected = run(backend.make(x0), tol=1e-9, **how), run(x0, tol=1e-9, **how)
        assert_same(found, expected, ("x", "status", "steps"))
        assert found.path.shape == expected.path.shape
