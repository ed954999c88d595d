"""Step rules beside the line searches: trust regions, Newton and his damping, Polyak, Barzilai and Borwein, growing steps."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.curvature import WeightSpace, fisher
from infogeo.curvature.damping import Tikhonov
from infogeo.networks import MLP, ConditionalModel, Glorot

FAMILY = ig.Categorical(3)
Q = np.array([[3.0, 1.0], [1.0, 2.0]])
FORM = ig.LeastSquares(np.linalg.cholesky(Q).T, np.zeros(2))


def run(f, x0, **changes):
    settings = dict(geometry=FAMILY, update=ig.NaturalUpdate(), max_steps=30)
    return ig.descend(f, np.asarray(x0), **settings | changes)


# Trust regions

def test_where_nothing_else_binds_the_divergence_is_delta():
    """δ (1 + O(√δ)): the quadratic model is right up to its third order, and the factor does not come in."""
    f, start = ig.CrossEntropy(FAMILY, [0.9, 0.05]), [0.5, 1.0]
    for delta in (1e-3, 1e-5, 1e-7):
        path = run(f, start, step=ig.TrustRegion(delta, factor=0.999), max_steps=1).path
        assert FAMILY.divergence(*path) == pytest.approx(delta, rel=3 * delta**0.5 + 1e-3)


def test_a_trust_region_on_weights():
    """The mean KL of the outputs is held, step by step, on a metric of the examples."""
    model, rng = ConditionalModel(MLP((3, 4, 2)), ig.Categorical(3)), np.random.default_rng(0)
    batch = rng.standard_normal((40, 3)), rng.integers(0, 3, 40)
    M = WeightSpace(model, batch, fisher, Tikhonov(1e-3))
    found = run(model.objective(batch), model.network.init(rng, Glorot()), geometry=M, step=ig.TrustRegion(1e-2), max_steps=10,
                record="path")
    moved = M.divergence(found.path[:-1], found.path[1:])
    assert np.all(moved <= 1e-2) and np.all(moved > 2e-3) and np.all(np.diff(found.values) < 0)


def test_a_trust_region_stays_at_a_minimum():
    target = FAMILY.theta_from(probabilities=[0.5, 0.3, 0.2])
    found = run(ig.CrossEntropy(FAMILY, FAMILY.to_eta(target)), target, step=ig.TrustRegion(0.1))
    assert found.status == ig.Status.STALLED and np.array_equal(found.x, target)


# Newton

@pytest.mark.parametrize("name", ["forward in theta", "reverse in eta", "forward in eta", "reverse in theta", "poisson"])
def test_hessians_are_the_derivatives_of_the_gradients(name):
    forward, reverse = ig.CrossEntropy(FAMILY, [0.5, 0.3]), ig.ReverseKL(FAMILY, [0.4, -0.3])
    rng = np.random.default_rng(0)
    f, x = {"forward in theta": (forward, rng.standard_normal((4, 2))),
            "reverse in theta": (reverse, rng.standard_normal((4, 2))),
            "forward in eta": (forward.in_dual_coordinates(), rng.dirichlet(np.ones(3), 4)[:, :2]),
            "reverse in eta": (reverse.in_dual_coordinates(), rng.dirichlet(np.ones(3), 4)[:, :2]),
            "poisson": (ig.PoissonLoss(rng.random((5, 3)), rng.integers(0, 9, 5)), rng.random((4, 3)))}[name]
    H, s = np.broadcast_to(f.hessian(x), (*x.shape, x.shape[-1])), 1e-5 * x.min()
    for i, e in enumerate(np.eye(x.shape[-1])):
        slope = (f.value_and_gradient(x + s * e)[1] - f.value_and_gradient(x - s * e)[1]) / (2 * s)
        np.testing.assert_allclose(H[..., i], slope, rtol=1e-6, atol=1e-6 * np.abs(H).max())
    if name in ("forward in theta", "reverse in eta"):             # P7
        M = FAMILY if name == "forward in theta" else FAMILY.dual
        np.testing.assert_allclose(H, M.metric(x), rtol=1e-9)


def test_newton_is_quadratic_where_natural_gradient_is_not():
    """Reverse KL in θ: the Hessian is no metric, and Newton's method squares the error."""
    f, target = ig.ReverseKL(FAMILY, [0.4, -0.3]), np.array([0.4, -0.3])
    error = np.abs(run(f, target + [0.3, -0.2], update=ig.Newton(), step=1.0, max_steps=6).path - target).max(axis=-1)
    assert np.all(error[1:4] < 2 * error[:3]**2) and error[6] < 1e-15
    own = run(f, target + [0.3, -0.2], update=ig.Newton(f.hessian), step=1.0, max_steps=6)
    np.testing.assert_array_equal(own.x, run(f, target + [0.3, -0.2], update=ig.Newton(), step=1.0, max_steps=6).x)
    with pytest.raises(TypeError, match=r"Newton needs the Hessian of the objective, its method hessian\(x\)"):
        run(lambda x: (x[0]**2, 2 * x), [1.0, 1.0], update=ig.Newton(), step=1.0)


def test_damped_steps_go_where_full_ones_diverge():
    """(.91, .01 × 9) from the uniform law: natural gradient with h = 1 is Newton's method and overshoots at the second step."""
    M = ig.Categorical(10)
    f = ig.CrossEntropy(M, M.to_eta(M.theta_from(probabilities=[0.91] + [0.01] * 9)))
    assert run(f, np.zeros(9), geometry=M, step=1.0).status != ig.Status.MAX_STEPS
    damped = run(f, np.zeros(9), geometry=M, step=ig.Damped(), max_steps=40)
    assert np.all(np.diff(damped.values) <= 1e-15)
    np.testing.assert_allclose(M.to_eta(damped.x), f.eta_hat, rtol=1e-12)
    c = f.value_and_gradient(damped.path[0])[1]
    v = M.sharp(damped.path[0], c)
    np.testing.assert_allclose(damped.path[1], damped.path[0] - v / (1 + np.sqrt(c @ v)), rtol=1e-13)


# Steps by two points, by a bound, by memory

@pytest.mark.parametrize("n", [(), (5,)], ids=str)
def test_barzilai_borwein_by_hand(n):
    """On a quadratic in R², h = s·s / s·Qs of the step before; superlinear there."""
    x0 = np.random.default_rng(0).standard_normal((*n, 2))
    found = run(FORM, x0, geometry=ig.Euclidean(2), update=ig.GradientUpdate(), step=ig.BarzilaiBorwein(0.1), max_steps=16)
    x, h = found.path, 0.1 * np.ones(n)
    for k in range(5):
        np.testing.assert_allclose(x[k + 1], x[k] - h[..., None] * (x[k] @ Q), rtol=1e-9, atol=1e-14)
        s = x[k + 1] - x[k]
        h = np.sum(s * s, axis=-1) / np.sum(s * (s @ Q), axis=-1)
    assert np.all(found.values[-1] < 1e-20 * found.values[0])


def test_barzilai_borwein_in_the_metric_is_newton_at_once():
    """H = G: every Rayleigh quotient is 1. A row that stands still keeps its step size."""
    M = ig.Quadratic(Q)
    found = run(FORM, [[1.0, -2.0], [0.0, 0.0]], geometry=M, step=ig.BarzilaiBorwein(0.25), max_steps=3)
    np.testing.assert_allclose(found.path[1, 0], 0.75 * found.path[0, 0], rtol=1e-13)
    np.testing.assert_allclose(found.path[2], 0.0, atol=1e-15)


def test_polyaks_step_is_exact_on_a_cone_and_halves_a_quadratic():
    """|x| at one step; ½ x·Qx in its metric: h = ½ at every step. At the minimum none."""
    cone = lambda x: (np.linalg.norm(x, axis=-1), x / np.linalg.norm(x, axis=-1, keepdims=True))
    once = run(cone, [[3.0, 4.0]], geometry=ig.Euclidean(2), update=ig.GradientUpdate(), step=ig.Polyak(0.0), max_steps=1)
    np.testing.assert_allclose(once.x, 0.0, atol=1e-15)
    half = run(FORM, [[3.0, 4.0], [0.0, 0.0]], geometry=ig.Quadratic(Q), step=ig.Polyak(lambda at: 0.0 * at.value), max_steps=5)
    np.testing.assert_allclose(half.x[0], np.array([3.0, 4.0]) / 2**5, rtol=1e-12)
    assert half.status[1] == ig.Status.STALLED
    scaled = run(FORM, [3.0, 4.0], geometry=ig.Quadratic(Q), step=ig.Polyak(0.0, scale=2.0), max_steps=1)
    np.testing.assert_allclose(scaled.x, 0.0, atol=1e-14)
    below = run(FORM, [3.0, 4.0], geometry=ig.Quadratic(Q), step=ig.Polyak(1e3))       # a bound that is none
    assert below.status == ig.Status.STALLED and np.array_equal(below.x, [3.0, 4.0])


class Counted:
    """Values that are asked for; the right step size is 1e-3, then 1."""

    def __init__(self):
        self.asked = 0

    def value_and_gradient(self, x):
        self.asked += 1
        return np.log1p(x[0]**2 / 2e-3), x / (1e-3 + x**2 / 2)


def test_growing_steps_take_few_trials_and_grow_again():
    """From h = 1 down to 1e-4 and up again: two trials a step, where starting at h every time takes fourteen."""
    bowl = ig.LeastSquares([[100.0]], [0.0])
    growing, fixed = ([run(bowl, [1.0], geometry=ig.Euclidean(1), update=ig.GradientUpdate(), step=step, max_steps=30,
                           callbacks=[lambda m: sizes.append(float(m.h))]).values[-1], sizes]
                      for step, sizes in ((ig.Growing(1.0), []), (ig.Backtracking(1.0), [])))
    assert growing[0] <= 1e-20 and fixed[0] <= 1e-20
    assert set(np.round(np.log2(np.divide(growing[1][1:], growing[1][:-1])))) <= {-1.0, 0.0, 1.0}
    flat = ig.LeastSquares([[0.01]], [0.0])
    up = []
    run(flat, [1.0], geometry=ig.Euclidean(1), update=ig.GradientUpdate(), step=ig.Growing(1.0), max_steps=12,
        callbacks=[lambda m: up.append(float(m.h))])
    np.testing.assert_array_equal(up[:10], 2.0**np.arange(10))
    evaluations = []
    for step in (ig.Growing(1.0), ig.Backtracking(1.0)):
        f = Counted()
        run(f, [1e-3], geometry=ig.Euclidean(1), update=ig.GradientUpdate(), step=step, max_steps=20)
        evaluations.append(f.asked)
    assert evaluations[0] < 0.4 * evaluations[1]


def test_bad_arguments():
    for make, message in ((lambda: ig.TrustRegion(0.0), "delta must satisfy delta > 0"),
                          (lambda: ig.TrustRegion(0.1, factor=1.0), "factor must satisfy 0 < factor < 1"),
                          (lambda: ig.Growing(growth=1.0), "growth must satisfy growth > 1"),
                          (lambda: ig.BarzilaiBorwein([0.1, -1.0]), "h must satisfy h > 0"),
                          (lambda: ig.Polyak(0.0, scale=0.0), "scale must satisfy scale > 0")):
        with pytest.raises(ig.DomainError, match=message):
            make()
    with pytest.raises(TypeError, match="lower must be a number, an array, or a function"):
        ig.Polyak("low")
    with pytest.raises(TypeError, match="Polyak compares values"):
        run(ig.VectorField(lambda x: x), [1.0, 1.0], step=ig.Polyak(0.0))
    with pytest.raises(TypeError, match="whose divergence"):
        run(FORM, [1.0, 1.0], geometry=None, update=ig.GradientUpdate(), step=ig.TrustRegion(1.0))
