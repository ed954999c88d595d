"""The simplex at its edges, by hand: targets with zeros, faces, useless symbols, generators that reach the boundary."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.domains import ClosedSimplex

S = ig.Simplex(3)
EDGE, INSIDE = np.array([0.6, 0.4, 0.0]), np.array([0.2, 0.3, 0.5])


def test_by_hand():
    assert repr(S) == "Simplex(3)" and repr(ig.Simplex(3, ig.Burg(1))) == "Simplex(3, generator=Burg(dim=1))"
    np.testing.assert_allclose(S.sharp([0.5, 0.3, 0.2], [1.0, 0.0, 0.0]), [0.25, -0.15, -0.1])
    np.testing.assert_allclose(S.sharp([0.5, 0.3, 0.2], [101.0, 100.0, 100.0]), [0.25, -0.15, -0.1], atol=1e-13)
    np.testing.assert_allclose(ig.bregman(S, [0.5, 0.3, 0.2], [0.1, 0.2, 0.7]), 0.675805894950426, rtol=1e-14)
    np.testing.assert_allclose(S.distance([0.5, 0.3, 0.2], [0.1, 0.2, 0.7]), 1.13695529039747, rtol=1e-14)
    np.testing.assert_allclose(S.geodesic([0.5, 0.3, 0.2], [0.1, 0.2, 0.7], 0.5),
                               [0.284148632720, 0.268596731195, 0.447254636085], rtol=1e-11)
    np.testing.assert_allclose(ig.bhattacharyya(S, [0.5, 0.3, 0.2], [0.1, 0.2, 0.7]), 0.151358111571795, rtol=1e-13)


def test_zeros():
    """0 log 0 = 0; an outcome of probability 0 is infinitely improbable; opposite faces are π apart."""
    assert S.potential(EDGE) == pytest.approx(0.6 * np.log(0.6) + 0.4 * np.log(0.4), rel=1e-15)
    assert ig.bregman(S, EDGE, EDGE) == 0 and ig.bregman(S, INSIDE, EDGE) == np.inf
    assert ig.bregman(S, EDGE, INSIDE) == pytest.approx(0.6 * np.log(3.0) + 0.4 * np.log(4 / 3), rel=1e-15)
    assert S.distance(EDGE, [0.0, 0.0, 1.0]) == pytest.approx(np.pi, rel=1e-15)
    np.testing.assert_allclose(S.geodesic(EDGE, [0.0, 0.0, 1.0], [0.0, 0.5, 1.0]), [EDGE, [0.3, 0.2, 0.5], [0, 0, 1]], atol=1e-15)
    np.testing.assert_array_equal(S.to_theta(S.to_eta(EDGE)), EDGE)
    np.testing.assert_array_equal(S.flat(EDGE, [0.1, -0.1, 0.0]), [0.1 / 0.6, -0.1 / 0.4, 0.0])
    np.testing.assert_allclose(ig.m_geodesic(S, EDGE, INSIDE, np.array([0.0, 1.0])), [EDGE, INSIDE], rtol=1e-15)
    assert np.isnan(S.exp(INSIDE, 40 * np.array([1.0, 1.0, -2.0]))).all()


@pytest.mark.parametrize("objective", [lambda t: ig.ReverseKL(S, t), lambda t: ig.CrossEntropy(S.dual, t).in_dual_coordinates()])
def test_a_target_with_a_zero(objective):
    """Natural gradient and mirror descent end well at the edge, in one step where the step size is 1."""
    f = objective(EDGE)
    for update, h, steps in ((ig.NaturalUpdate(), 1.0, 1), (ig.NaturalUpdate(), 0.5, 60), (ig.MirrorUpdate(), 0.5, 90)):
        run = ig.descend(f, INSIDE, geometry=S, update=update, step=h, max_steps=200, tol=1e-9)
        assert run.status == ig.Status.CONVERGED and run.steps <= steps
        np.testing.assert_allclose(run.x, EDGE, atol=1e-15)
        assert np.all(np.diff(run.values) <= 1e-15) and np.isfinite(run.values).all()


def test_a_step_to_an_edge_ends_on_it():
    """A natural step of size 1 is at a target on an edge, not beyond it by a rounding: in all but a few of 500 random runs."""
    rng = np.random.default_rng(0)
    target = np.concatenate([rng.dirichlet(np.ones(3), 500), np.zeros((500, 1))], axis=-1)
    f = ig.ReverseKL(ig.Simplex(4), target / np.sum(target, axis=-1, keepdims=True))
    run = ig.descend(f, rng.dirichlet(np.ones(4), 500), geometry=ig.Simplex(4), update=ig.NaturalUpdate(), step=1.0, max_steps=5,
                     tol=1e-9)
    assert np.mean(run.status == ig.Status.CONVERGED) > 0.95                        # without the rule for rounding 0.81


def test_what_leaves_an_edge_says_so():
    """A mirror step too long takes an outcome to 0, where the divergence is infinite; gradient steps leave the plane.

    A start where it is infinite is NONFINITE, without a warning.
    """
    never = ig.descend(ig.ReverseKL(S, INSIDE), EDGE, geometry=S, update=ig.MirrorUpdate(), step=0.1, max_steps=5)
    assert never.status == ig.Status.NONFINITE and never.steps == 0
    lost = ig.descend(ig.ReverseKL(S, EDGE), [0.001, 0.001, 0.998], geometry=S, update=ig.MirrorUpdate(), step=8.0, max_steps=9)
    assert lost.status == ig.Status.NONFINITE
    off = ig.descend(lambda x: (x[0], [1.0, 0.0, 0.0]), INSIDE, geometry=S, update=ig.GradientUpdate(), step=0.1, max_steps=5)
    assert off.status == ig.Status.LEFT_DOMAIN and np.array_equal(off.x, INSIDE)


def test_a_zero_stays_a_zero():
    """Under the entropy faces are invariant; a run on a face is the run on the smaller simplex."""
    cost = np.array([0.3, -0.2, 0.7])
    f, g = lambda x: (x @ cost, cost), lambda x: (x @ cost[:2], cost[:2])
    for update in (ig.NaturalUpdate(), ig.MirrorUpdate()):
        run = ig.descend(f, EDGE, geometry=S, update=update, step=0.5, max_steps=20)
        small = ig.descend(g, EDGE[:2], geometry=ig.Simplex(2), update=update, step=0.5, max_steps=20)
        assert np.all(run.path[:, 2] == 0)
        np.testing.assert_allclose(run.path[:, :2], small.path, rtol=1e-14)


@pytest.mark.parametrize("place", range(3))
def test_blahut_arimoto_with_a_useless_symbol(place):
    """The capacity of a symmetric channel with a third symbol that says nothing ends the same, whichever symbol it is."""
    rows = np.insert(np.array([[0.9, 0.1], [0.1, 0.9]]), place, [0.5, 0.5], axis=0)

    def information(p):
        out = p @ rows
        gain = np.sum(rows * np.log(rows / out), axis=-1)
        return -p @ gain, -gain

    run = ig.descend(information, np.full(3, 1 / 3), geometry=S, update=ig.MirrorUpdate(), step=1.0, max_steps=500, tol=1e-12)
    assert run.status == ig.Status.CONVERGED and 95 <= run.steps <= 100
    np.testing.assert_allclose(-run.values[-1], 0.368064207168, rtol=1e-11)
    assert 0 < run.x[place] < 1e-15


def test_the_sum_does_not_drift():
    """A constant in the cost, which no tangent vector sees, does not blow up the rounding of Σ p."""
    cost = np.array([100.3, 99.8, 100.0])
    run = ig.descend(lambda x: (x @ cost, cost + 0 * x), INSIDE, geometry=S, update=ig.NaturalUpdate(), step=0.01, max_steps=2000,
                     record=None)
    assert run.status == ig.Status.MAX_STEPS and abs(run.x.sum() - 1) < 1e-12


def test_other_generators_at_the_boundary():
    """Half the squared length is projected gradient descent and reaches a vertex; a logarithmic barrier does not."""
    cost = np.array([0.5, -0.2, 0.3])
    f = lambda x: (x @ cost, cost + 0 * x)
    run = dict(update=ig.MirrorUpdate(), step=0.5, max_steps=10)
    euclid = ig.descend(f, INSIDE, geometry=ig.Simplex(3, ig.Euclidean(1)), **run)
    np.testing.assert_allclose(euclid.path[1], [0.05, 0.5, 0.45], rtol=1e-14)               # INSIDE − (cost − 0.2) / 2
    np.testing.assert_array_equal(euclid.x, [0.0, 1.0, 0.0])
    barrier = ig.descend(f, INSIDE, geometry=ig.Simplex(3, ig.Burg(1)), **run)
    assert np.all(barrier.x > 0.05)
    p = barrier.path[1]                                                                     # 1/p⁺ = 1/p + h c + λ
    np.testing.assert_allclose(np.diff(1 / p - 1 / INSIDE - 0.5 * cost), 0.0, atol=1e-13)


def test_far_and_many():
    """Costs of any size, ties, a thousand outcomes: the root is found, and the probabilities have the sum 1."""
    rng = np.random.default_rng(0)
    for generator in (ig.Tsallis(0.5), ig.Tsallis(0.9), ig.Tsallis(1.5), ig.Tsallis(3.0), ig.Burg(1), ig.Euclidean(1)):
        M = ig.Simplex(1000, generator=generator)
        for y in (np.zeros(1000), 1e8 * rng.standard_normal(1000), 1e-8 * rng.standard_normal(1000), rng.exponential(size=1000)):
            p = M.to_theta(y)
            assert abs(p.sum() - 1) < 1e-12 and np.all(p >= 0) and np.argmax(p) == np.argmax(y)


def test_onto_a_face():
    """p given that one of the outcomes comes; the nearest point of the face in the divergence of every generator."""
    np.testing.assert_allclose(S.onto_face(INSIDE, [0, 1]), [0.4, 0.6, 0.0], rtol=1e-15)
    np.testing.assert_allclose(ig.m_project(S, INSIDE, ig.Halfspaces([[0.0, 0.0, 1.0]], [0.2])), [0.32, 0.48, 0.2], rtol=1e-12)
    for generator in (ig.Tsallis(0.5), ig.Tsallis(1.5), ig.Euclidean(1)):
        M = ig.Simplex(3, generator=generator)
        q, other = M.onto_face(INSIDE, [0, 1]), np.stack([t := np.linspace(0.01, 0.99, 99), 1 - t, 0 * t], axis=-1)
        assert q[2] == 0 and np.all(M.divergence(INSIDE, q) <= M.divergence(INSIDE, other) + 1e-15)
    with pytest.raises(ig.DomainError, match="outcomes must satisfy some of 0 … 2"):
        S.onto_face(INSIDE, [3])
    with pytest.raises(ig.DomainError, match="probability above 0 on the face"):
        S.onto_face(EDGE, [2])


def test_refusals():
    with pytest.raises(TypeError, match="generator must be a separable mirror map"):
        ig.Simplex(3, generator=ig.PNorm(3, 1.5))
    with pytest.raises(ig.DomainError, match="k must satisfy k an integer >= 2"):
        ig.Simplex(1)
    with pytest.raises(ig.DomainError, match="q must satisfy q != 1"):
        ig.Tsallis(1.0)
    with pytest.raises(ig.DomainError, match=r"x0 must satisfy x0 >= 0 and sum\(x0\) = 1"):
        ig.descend(ig.ReverseKL(S, INSIDE), [0.5, 0.6, 0.1], geometry=S, update=ig.MirrorUpdate(), step=0.1, max_steps=1)
    with pytest.raises(TypeError, match="the laws are in as many coordinates as there are dimensions"):
        ig.testing.check_dually_flat(S)
    with pytest.raises(TypeError, match="no volume in closed form"):
        ig.Simplex(3, generator=ig.Burg(1)).total_volume()


def test_domain():
    """Rounding of a sum is allowed, less in float64 than in float32; the chart is softmax with its derivatives."""
    domain, u, du = ClosedSimplex(3), np.array([0.3, -1.0, 0.5]), np.array([1.0, 2.0, -1.0])
    np.testing.assert_array_equal(domain.contains([EDGE, EDGE + [0, 0, 1e-12], EDGE + [0, 0, 1e-6], [0.5, 0.6, -0.1]]),
                                  [True, True, False, False])
    assert domain.contains(np.float32(EDGE + [0, 0, 1e-5])) and domain.closed and str(domain).startswith("{x in R^3 : x >= 0")
    chart, eps = domain.chart, 1e-6
    np.testing.assert_allclose(chart.push_forward(u, du), (chart(u + eps * du) - chart(u - eps * du)) / (2 * eps), rtol=1e-8)
    bent = (chart.pull_back(u + eps * du, du**2) - chart.pull_back(u - eps * du, du**2)) / (2 * eps)
    np.testing.assert_allclose(chart.pull_back_tangent(u, du, du**2), bent, rtol=1e-8)
    np.testing.assert_allclose(chart(chart.inverse(INSIDE)), INSIDE, rtol=1e-15)
    np.testing.assert_allclose(np.ptp(chart.pull_in(u, chart.push_forward(u, du)) - du), 0.0, atol=1e-15)


def test_logarithmic_barrier_on_faces():
    """Two points of one face are as far apart as without the outcome that neither has; others infinitely far."""
    S, vertex, inside = ig.Simplex(3, generator=ig.Burg(1)), [1.0, 0.0, 0.0], [0.2, 0.3, 0.5]
    edge = np.array([[0.5, 0.5, 0.0], [0.25, 0.75, 0.0]])
    np.testing.assert_array_equal(S.divergence([vertex, vertex, inside], [vertex, inside, vertex]), [0.0, np.inf, np.inf])
    np.testing.assert_allclose(S.divergence(*edge), ig.Burg(2).divergence(*edge[:, :2]), rtol=1e-15)
