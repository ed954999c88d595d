"""Exact Markov decision processes: figures in closed form, and the laws of the natural policy gradient."""
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import infogeo as ig
from infogeo.policy import EntropyBounded, FiniteMDP, LinearQuadratic

from ..backends import BACKENDS

P = np.array([[[.9, .1, 0], [.1, .8, .1]], [[.5, .4, .1], [0, .3, .7]], [[.3, .3, .4], [.1, .1, .8]]])
R = np.array([[0, .1], [.2, 0], [1, .5]])
THREE = FiniteMDP(P, R, discount=0.9)
UNIFORM = np.zeros(3)
STAY = np.eye(2)[:, None, :].repeat(2, 1)           # two states, each kept for ever


def random_process(rng, average, batch=(), states=4, actions=3):
    P = rng.dirichlet(np.ones(states), (*batch, states, actions))
    R = rng.standard_normal((*batch, states, actions))
    goal = dict(average=True) if average else dict(discount=0.8, start=rng.dirichlet(np.ones(states), batch))
    return FiniteMDP(P, R, **goal)


def near(found, expected, digits=1e-10):
    assert np.allclose(found, expected, rtol=digits, atol=digits), (found, expected)


def test_three_states():
    near(THREE.value(UNIFORM), 3.181487144409)
    near(THREE.optimal_values, [4.218286592393, 4.535612754514, 5.255551286977])
    near(THREE.gradient(UNIFORM), [-.357813262117, -.342457270581, .121943601291])
    near(THREE.occupancy(UNIFORM), [.312450542523, .327901393527, .359648063949])
    near(THREE.advantages(UNIFORM)[:, 1], [.229036736008, .208878203839, -.067812738905])
    natural = [-4.580734720155, -4.177564076771, 1.356254778095]
    near(THREE.natural_gradient(UNIFORM), natural)
    near(THREE.policies().sharp(UNIFORM, THREE.gradient(UNIFORM)), natural)
    assert THREE.optimal_actions.tolist() == [1, 1, 0]


@pytest.mark.parametrize("update, h, gaps", [
    (ig.NaturalUpdate(), 1.0, {1: .204453950408, 2: .030469049839, 3: .004729330887, 5: .000119123707, 10: 1.2211e-8}),
    # in all logits, whose last is no coordinate here, a step of 1 moves both by the gradient: 2 between them
    (ig.GradientUpdate(), 2.0, {1: 1.028449308043, 2: .746908505399, 10: .171091380053})])
def test_gaps_of_three_states(update, h, gaps):
    run = ig.descend(THREE.objective(), UNIFORM, geometry=THREE.policies(), update=update, step=ig.Constant(h), max_steps=10)
    gap = THREE.optimal_value + run.values
    near(gap[0], 1.488329733552)
    near(gap[list(gaps)], list(gaps.values()), 1e-9 if h > 1 else 1e-11)


@pytest.mark.parametrize("delta, tilt, exact, h, kl, value", [
    (.01, .791941488689, 3.423186669010, .078627245507, .009859352700, 3.421567862603),
    (.1, 2.687368678688, 3.867070458090, .248641181949, .087430303618, 3.828966420182)])
def test_first_step_in_a_ball(delta, tilt, exact, h, kl, value):
    policies, f = THREE.policies(), THREE.objective()
    run = dict(geometry=policies, max_steps=1)
    tilted = ig.descend(f, UNIFORM, update=EntropyBounded(delta), step=1.0, **run).x
    near(THREE.value(tilted), exact)
    near(tilted / (0.1 * THREE.natural_gradient(UNIFORM)), tilt)            # the natural gradient is the advantage times 10
    quadratic = ig.descend(f, UNIFORM, update=ig.NaturalUpdate(), step=ig.TrustRegion(delta), **run).x
    near(quadratic / THREE.natural_gradient(UNIFORM), h)
    near(THREE.value(quadratic), value)
    near(policies.seen_from(UNIFORM).divergence(quadratic, UNIFORM), kl)


def test_kakades_two_states():
    """The plateau of the plain gradient. Source: Kakade, A natural policy gradient (2002), figure 2."""
    move, stay = np.array([[[1., 0], [0, 1.]], [[0, 1.], [1., 0]]]), np.array([[1., 0], [2., 0]])
    mdp = FiniteMDP(move, stay, average=True)
    start = np.log([4.0, 0.25])
    near(mdp.value(start), .72)
    near(mdp.gradient(start), [.1792, .0512])
    near(mdp.natural_gradient(start), [1.4, 1.6])
    near(mdp.policies().sharp(start, mdp.gradient(start)), [1.4, 1.6])
    levels = 1.0, 1.05, 1.9, 1.99

    def times(field, until):
        events = [lambda t, x, level=level: mdp.value(x) - level for level in levels]
        flow = solve_ivp(lambda t, x: field(x), (0, until), start, rtol=1e-9, atol=1e-10, method="DOP853", events=events)
        return [float(t[0]) for t in flow.t_events]

    near(times(mdp.natural_gradient, 3.0), [1.0605872, 1.1654205, 1.6938619, 2.0730475], 1e-6)
    near(times(mdp.gradient, 400.0), [217.946, 287.441, 306.017, 376.891], 1e-5)


def test_linear_quadratic():
    task = LinearQuadratic([[1, .1], [0, 1]], [[0], [.1]], np.diag([1, .1]), [[.01]], discount=.99, sigma=.5)
    K, natural = np.array([-.5, -.5]), [.402746793064, .908043570624]
    near(task.cost(K), 37.85497564739954, 1e-12)
    near(task.gradient(K), [43.119875713093, 52.017567299159])
    near(task.natural_gradient(K), natural)
    near(task.policies().sharp(K, task.gradient(K)), natural)
    near(task.policies().flat(K, np.array(natural)), task.gradient(K))
    near(task.policies().metric(K) @ natural, task.gradient(K))
    near(task.optimum, [-7.399799104979, -4.891136973950])
    best = task.cost(task.optimum)
    near(best, 7.524071706943)
    rounds = task.policy_iteration(K)
    near([task.cost(next(rounds)) - best for _ in range(4)], [5.0814619, .3878466, .0035285, 3.53e-7], 1e-7)
    run = ig.descend(task.objective(), K, geometry=task.policies(), update=ig.NaturalUpdate(), step=1.0, max_steps=100)
    near((run.values - best)[[1, 10, 100]], [9.2829825, 2.7426500, .1575879], 1e-7)
    outside = np.array([[5.0, 5.0], K])
    assert np.isinf(task.cost(outside)).tolist() == [True, False] and np.isnan(task.gradient(outside)[0]).all()


@pytest.mark.parametrize("p, w, kl, entropy, expected", [
    ([.5, .3, .2], [1, 0, -1], .05, np.inf, [.644478004806, .248800501729, .106721493465]),
    ([.5, .3, .2], [1, 0, -1], .05, .02, [.518421, .303684, .177895]),
    ([.1, .6, .3], [0, 1, -1], .05, .05, [.1505527, .6801242, .1693230])], ids=["KL", "entropy", "both"])
def test_entropy_bounds_in_three_regimes(p, w, kl, entropy, expected):
    M = ig.Categorical(3)
    theta = M.theta_from(probabilities=p)
    covector = -M.flat(theta, np.array([w[0] - w[2], w[1] - w[2]], float))
    after, _ = EntropyBounded(kl, entropy)(M, theta, covector, 1.0)
    near(M.parameters(after)["probabilities"], expected, 1e-6 if entropy < np.inf else 1e-11)
    assert M.kl(after, theta) <= kl * (1 + 1e-9) and M.entropy(theta) - M.entropy(after) <= entropy + 1e-9
    longer, _ = EntropyBounded(kl, entropy)(M, theta, 7.0 * covector, 0.1)
    near(longer, after, 1e-9)                               # the length of w does not matter, nor does h
    still, _ = EntropyBounded(kl, entropy)(M, theta, 0.0 * covector, 1.0)
    assert np.array_equal(still, theta)


def test_a_ball_without_an_edge():
    """Where every policy along w is in the ball there is no longest step; a bound on the entropy gives one."""
    M = ig.Categorical(3)
    theta = M.theta_from(probabilities=[[.98, .01, .01], [.5, .3, .2]])
    covector = -M.flat(theta, np.array([2.0, 1.0]))
    after, _ = EntropyBounded(0.05)(M, theta, covector, 1.0)
    assert np.isnan(after).all(axis=-1).tolist() == [True, False]
    after, _ = EntropyBounded(0.05, 0.001)(M, theta, covector, 1.0)
    near(M.entropy(theta) - M.entropy(after), .001, 1e-9)


@pytest.mark.parametrize("average", [False, True], ids=["discounted", "average"])
def test_laws_on_random_processes(average):
    """w* = F⁻¹∇J; ∇J by differences; Q regressed on ∇log π; a batch is its processes; Bellman's equation; policy iteration."""
    rng = np.random.default_rng(5)
    mdp = random_process(rng, average, (3,))
    theta = 0.7 * rng.standard_normal((3, mdp.dim))
    gradient, policies = mdp.gradient(theta), mdp.policies()
    near(policies.sharp(theta, gradient), mdp.natural_gradient(theta), 1e-9)
    near(np.linalg.solve(policies.metric(theta), gradient[..., None])[..., 0], mdp.natural_gradient(theta), 1e-9)
    near(policies.flat(theta, mdp.natural_gradient(theta)), gradient, 1e-9)
    h = 1e-5
    for i in range(mdp.dim):
        e = h * np.eye(mdp.dim)[i]
        near((mdp.value(theta + e) - mdp.value(theta - e)) / (2 * h), gradient[:, i], 1e-7)
    pi, V, Q, d = mdp.probabilities(theta), mdp.values(theta), mdp.action_values(theta), mdp.occupancy(theta)
    near((pi * Q).sum(-1), V, 1e-9)
    near(d.sum(-1), 1.0, 1e-12)
    weight = (d[..., None] * pi).reshape(3, -1)
    features = np.zeros((3, mdp.states, mdp.actions, mdp.states, mdp.actions - 1))
    for s in range(mdp.states):
        for a in range(mdp.actions):
            features[:, s, a, s] = (np.arange(mdp.actions - 1) == a) - pi[:, s, :-1]
    X = features.reshape(3, mdp.states * mdp.actions, -1)
    left, right = np.einsum("bni,bn,bnj->bij", X, weight, X), np.einsum("bni,bn,bn->bi", X, weight, Q.reshape(3, -1))
    near(mdp.criterion.horizon * np.linalg.solve(left, right[..., None])[..., 0], mdp.natural_gradient(theta), 1e-9)
    for i in range(3):
        goal = dict(average=True) if average else dict(discount=0.8, start=mdp.criterion.start[i])
        alone = FiniteMDP(mdp.P[i], mdp.R[i], **goal)
        near(alone.value(theta[i]), mdp.value(theta)[i], 1e-12)
        near(alone.gradient(theta[i]), gradient[i], 1e-12)
        near(alone.optimal_value, mdp.optimal_value[i], 1e-12)
    found = [J for J, _ in mdp.policy_iteration()]
    assert np.all(np.diff(found, axis=0) >= -1e-12) and np.all(mdp.optimal_value >= mdp.value(theta))
    best = mdp.optimal_values
    *_, last = mdp.value_iteration(1e-9)
    assert np.allclose(last - last[:, :1], best - best[:, :1], atol=1e-7) and (average or np.allclose(last, best, atol=1e-8))
    if average:
        assert np.allclose(found[-1][:, None] + best, (mdp.R + (mdp.P * best[:, None, None]).sum(-1)).max(-1))
    else:
        assert np.allclose(best, (mdp.R + 0.8 * (mdp.P * best[:, None, None]).sum(-1)).max(-1))


def test_the_tilt_is_never_worse_than_the_quadratic_step():
    """Of the linear gain w·η within the ball of KL(new ‖ old) in the old occupancy."""
    rng = np.random.default_rng(6)
    for average in (False, True):
        mdp = random_process(rng, average, (5,))
        theta, delta = 0.5 * rng.standard_normal((5, mdp.dim)), 0.05
        policies, w = mdp.policies(), mdp.natural_gradient(theta)
        here = policies.seen_from(theta)
        tilted, _ = EntropyBounded(delta)(policies, theta, -mdp.gradient(theta), 1.0)
        near(here.divergence(tilted, theta), delta, 1e-9)
        low, high = np.zeros(5), np.full(5, 50.0)          # the natural direction cut at the same radius
        for _ in range(60):
            h = 0.5 * (low + high)
            inside = here.divergence(theta + h[:, None] * w, theta) <= delta
            low, high = np.where(inside, h, low), np.where(inside, high, h)
        gain = lambda x: np.sum(w * (here.to_eta(x) - here.to_eta(theta)), axis=-1)
        quadratic = theta + low[:, None] * w
        near(tilted, quadratic, 1e-7)                      # tabular: the tilt is along the natural direction
        slope = np.sqrt(2 * delta / np.sum(w * here.flat(theta, w), axis=-1))
        cut = np.minimum(slope, low)
        assert np.all(gain(tilted) >= gain(theta + cut[:, None] * w) - 1e-12)


def test_random_systems():
    """LQR: natural gradient 2σ²E, and the Gauss–Newton step of size ½ is policy iteration; gradient by differences."""
    rng = np.random.default_rng(7)
    for _ in range(3):
        A, B = 0.4 * rng.standard_normal((3, 3)), rng.standard_normal((3, 2))
        root = rng.standard_normal((3, 3))
        task = LinearQuadratic(A, B, root @ root.T, np.eye(2), discount=0.9, sigma=0.3)
        K = 0.1 * rng.standard_normal(6)
        near(task.policies().sharp(K, task.gradient(K)), task.natural_gradient(K), 1e-8)
        h = 1e-5
        for i in range(6):
            e = h * np.eye(6)[i]
            assert np.isclose((task.cost(K + e) - task.cost(K - e)) / (2 * h), task.gradient(K)[i], rtol=1e-6, atol=1e-6)
        rounds = [next(it) for it in [task.policy_iteration(K)]]
        assert task.cost(rounds[0]) <= task.cost(K)
        assert task.cost(task.optimum) <= task.cost(rounds[0]) and np.allclose(task.gradient(task.optimum), 0, atol=1e-7)


@pytest.mark.parametrize("build, words", [
    (lambda: FiniteMDP(0.9 * P, R, discount=.9), "that sum to 1; 6 of 6 points do not"),
    (lambda: FiniteMDP(P, R[:2], discount=.9), "P must have shape"),
    (lambda: FiniteMDP(P, R, discount=1.0), "average=True"),
    (lambda: FiniteMDP(P, R, discount=.9, start=[1, 1, 0]), "start >= 0 with sum 1"),
    (lambda: FiniteMDP(P, R * np.nan, discount=.9), "R finite"),
    (lambda: FiniteMDP(STAY, np.zeros((2, 2)), average=True), "state 1 is never reached from state 0"),
    (lambda: FiniteMDP(STAY, np.zeros((2, 2)), discount=.5, start=[1, 0]).policies(), "state 1 is never reached from the start"),
    (lambda: EntropyBounded(-1.0), "kl > 0"), (lambda: EntropyBounded(0.1, -1.0), "entropy >= 0"),
    (lambda: LinearQuadratic(np.eye(2), np.ones((3, 1)), np.eye(2), np.eye(1), discount=.9), "must have shapes"),
    (lambda: LinearQuadratic(np.eye(2), np.ones((2, 1)), np.eye(2), -np.eye(1), discount=.9), "R symmetric and positive def"),
    (lambda: LinearQuadratic(np.eye(2), np.ones((2, 1)), -np.eye(2), np.eye(1), discount=.9), "positive semidefinite"),
])
def test_bad_input_in_one_sentence(build, words):
    with pytest.raises(ValueError, match=words):
        build()


def test_criteria_are_told_apart():
    with pytest.raises(TypeError, match="discount=γ"):
        FiniteMDP(P, R)
    with pytest.raises(TypeError, match="neither discount nor start"):
        FiniteMDP(P, R, discount=.9, average=True)
    with pytest.raises(ig.ShapeError):
        THREE.value(np.zeros(4))


@pytest.mark.parametrize("backend", BACKENDS)
def test_arrays_of_every_library(backend):
    mdp = FiniteMDP(backend.make(P), backend.make(R), discount=0.9)
    points = np.array([[0.1, -0.2, 0.3], [0.0, 0.0, 0.0]])
    theta, same = backend.make(points), THREE.natural_gradient(points)
    policies = mdp.policies()
    found = policies.sharp(theta, mdp.gradient(theta))
    assert type(found) is type(theta)
    near(backend.to_numpy(found), same, 1e-9)
    near(backend.to_numpy(mdp.optimal_value), THREE.optimal_value)
    step, _ = EntropyBounded(0.05, 0.01)(policies, theta, -mdp.gradient(theta), 1.0)
    expected, _ = EntropyBounded(0.05, 0.01)(THREE.policies(), points, -THREE.gradient(points), 1.0)
    near(backend.to_numpy(step), expected, 1e-8)


def test_the_natural_flow_does_not_depend_on_coordinates():
    """θ = sinh u: the flow of the metric JᵀFJ and the gradient Jᵀ∇J in u is that in θ; the plain flow is another curve."""
    start, policies = np.array([0.3, -0.5, 0.8]), THREE.policies()

    def in_u(natural):
        def field(t, u):
            theta, J = np.sinh(u), np.diag(np.cosh(u))
            gradient = J.T @ THREE.gradient(theta)
            return np.linalg.solve(J.T @ policies.metric(theta) @ J, gradient) if natural else gradient
        return field

    def end(field, x):
        return solve_ivp(field, (0, 0.5), x, rtol=1e-10, atol=1e-12).y[:, -1]

    near(np.sinh(end(in_u(True), np.arcsinh(start))), end(lambda t, x: THREE.natural_gradient(x), start), 1e-7)
    plain = np.sinh(end(in_u(False), np.arcsinh(start))), end(lambda t, x: THREE.gradient(x), start)
    assert np.abs(plain[0] - plain[1]).max() > 0.01


def test_products_are_never_negative():
    """v·Fv ≥ 0 and finite also where policies are nearly deterministic."""
    rng = np.random.default_rng(8)
    theta, v = 60.0 * rng.standard_normal((500, 3)), rng.standard_normal((500, 3))
    product = np.sum(v * THREE.policies().flat(theta, v), axis=-1)
    assert np.all(np.isfinite(product)) and np.all(product >= 0)
