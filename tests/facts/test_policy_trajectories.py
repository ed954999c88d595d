"""Natural policy gradient from trajectories: advantages, compatible features, the surrogate, what a step sees; Gymnasium."""
import gymnasium
import numpy as np
import pytest

import infogeo as ig
from infogeo.cli import main
from infogeo.curvature import KrylovTikhonov, Tikhonov, WeightSpace, empirical_fisher, fisher
from infogeo.networks import MLP, ConditionalModel, Glorot, Orthogonal
from infogeo.policy import (GAE, Critic, EntropyBounded, Environment, FiniteMDP, LogLinearPolicies, MDPEnvironment, Outcome,
                            Return, Rollouts, Surrogate, compatible_weights, episodic_weights)

from .test_policy_exact import P, R, near

MDP = FiniteMDP(P, R, discount=0.9)


class Chain(Environment):
    """Two steps of reward 1 to the end; the copies are cut off after one step, or never. Worth 1 + γ at the start."""

    state_shape, family = (2,), ig.Categorical(2)

    def __init__(self, cut):
        self.cut, self.count = np.asarray(cut), len(cut)

    def reset(self, rng):
        self.place = np.zeros(self.count, dtype=int)
        return np.eye(2)[self.place]

    def step(self, actions):
        over, cut = self.place == 1, self.cut & (self.place == 0)
        reached = np.eye(2)[np.minimum(self.place + 1, 1)]
        self.place = np.where(over | cut, 0, self.place + 1)
        return Outcome(np.eye(2)[self.place], np.ones(self.count), reached, over, cut)


def model(sizes, family):
    return ConditionalModel(MLP(sizes), family)


def sample(rng, n=40):
    policy = model((3, 5, 2), ig.Categorical(3))
    w, s = policy.network.init(rng, Glorot()), rng.standard_normal((n, 3))
    return policy, w, s, policy.sample(rng, w, s), rng.standard_normal(n)


def a_task(count=4, length=5, steps=40, fit=(5, 16), **named):
    rng = np.random.default_rng(0)
    policy, value = model((3, 4, 1), ig.Categorical(2)), model((3, 4, 1), ig.NormalKnownVariance(1.0))
    critic = Critic(value, value.network.init(rng, Glorot()), ig.training.Adam(), 1e-2, steps=fit[0], size=fit[1])
    return Return(MDPEnvironment(MDP, count, length), policy, critic, steps=steps, **named), policy.network.init(rng, Glorot())


def test_truncated_is_not_terminated():
    """The bootstrap of an episode that was cut off is the value of its last state, of one that is over 0."""
    policy = model((2, 1), ig.Categorical(2))
    done = Rollouts(Chain([False, True]), policy, 8).collect(np.zeros(policy.network.size), np.random.default_rng(0))
    assert done.terminated[:, 0].tolist() == [False, True] * 2 and not done.terminated[:, 1].any()
    assert done.truncated[:, 1].all() and not done.truncated[:, 0].any()
    assert sorted(done.lengths.tolist()) == [1, 1, 1, 1, 2, 2] and sorted(done.returns.tolist()) == [1, 1, 1, 1, 2, 2]
    gamma, true = 0.5, np.array([1.5, 1.0])
    values, after = done.states @ true, done.reached @ true
    advantages = GAE(gamma, 0.7)(done.rewards, values, after, done.terminated, done.truncated)
    near(advantages, 0.0)                                   # the values are right, so that no action is better
    wrong = GAE(gamma, 0.7)(done.rewards, values, after, done.terminated | done.truncated, done.truncated & False)
    near(wrong[:, 1], -0.5)


def test_ends_of_gae():
    """λ = 1 is the return less the value, λ = 0 the error of one step."""
    rng = np.random.default_rng(1)
    rewards, values, after = rng.standard_normal((3, 6, 2))
    terminated, truncated = np.zeros((6, 2), bool), np.zeros((6, 2), bool)
    terminated[2, 0], truncated[3, 1] = True, True
    one = GAE(0.9, 0.0)(rewards, values, after, terminated, truncated)
    near(one, rewards + 0.9 * np.where(terminated, 0.0, after) - values)
    for t in range(6):
        for k in range(2):
            total, discount = 0.0, 1.0
            for u in range(t, 6):
                total += discount * rewards[u, k]
                if terminated[u, k]:
                    break
                discount *= 0.9
                if truncated[u, k] or u == 5:
                    total += discount * after[u, k]
                    break
                total += discount * (after[u, k] - values[u + 1, k])        # the values of one state may differ
            near(GAE(0.9, 1.0)(rewards, values, after, terminated, truncated)[t, k], total - values[t, k])
    with pytest.raises(ig.DomainError, match="0 <= gamma <= 1"):
        GAE(1.1)


def test_compatible_weights_are_the_natural_gradient():
    """(C + cI)⁻¹∇J on the same sample, and the ridge regression of advantages on ∇log π."""
    policy, w, s, a, advantages = sample(np.random.default_rng(2))
    found = compatible_weights(policy, w, s, a, advantages, Tikhonov(1e-2))
    scores = -policy.per_example_gradients(w, (s, a))
    ridge = np.concatenate([scores, np.sqrt(40 * 1e-2) * np.eye(scores.shape[1])])
    near(found, np.linalg.lstsq(ridge, np.concatenate([advantages, np.zeros(scores.shape[1])]), rcond=None)[0], 1e-8)
    _, gradient = Surrogate(policy, w, (s, a), advantages).value_and_gradient(w)
    metric = empirical_fisher(policy, w, (s, a)).dense() + 1e-2 * np.eye(scores.shape[1])
    near(found, np.linalg.solve(metric, -gradient), 1e-8)
    with pytest.raises(ig.ShapeError, match="one a state"):
        compatible_weights(policy, w, s, a, advantages[:-1], Tikhonov(1e-2))


@pytest.mark.parametrize("episodes", [4, 60])
def test_episodic_weights_are_a_regression_with_a_baseline(episodes):
    rng = np.random.default_rng(3)
    policy, w, s, a, _ = sample(rng, episodes * 3)
    s, a, returns = s.reshape(episodes, 3, 3), a.reshape(episodes, 3), 5.0 + rng.standard_normal(episodes)
    found = episodic_weights(policy, w, s, a, returns, 1e-3)
    scores = -policy.per_example_gradients(w, (s.reshape(-1, 3), a.reshape(-1))).reshape(episodes, 3, -1).sum(axis=1)
    size = scores.shape[1]
    X = np.concatenate([np.concatenate([scores, np.ones((episodes, 1))], axis=1),
                        np.concatenate([np.sqrt(episodes * 1e-3) * np.eye(size), np.zeros((size, 1))], axis=1)])
    expected = np.linalg.lstsq(X, np.concatenate([returns, np.zeros(size)]), rcond=None)[0][:-1]
    near(found, expected, 1e-7)


def test_surrogate_by_differences():
    policy, w, s, a, advantages = sample(np.random.default_rng(4))
    f = Surrogate(policy, w, (s, a), advantages)
    value, gradient = f.value_and_gradient(w)
    near(value, -advantages.mean())
    there = w + 0.1 * np.random.default_rng(5).standard_normal(w.shape)
    for point in (w, there):
        gradient = f.value_and_gradient(point)[1]
        for i in range(0, w.size, 7):
            e = 1e-6 * np.eye(w.size)[i]
            near((f.value_and_gradient(point + e)[0] - f.value_and_gradient(point - e)[0]) / 2e-6, gradient[i], 1e-7)


def test_trajectories_have_the_laws_of_the_process():
    """Visits, rewards and steps of 4000 draws, within five deviations."""
    policy = model((3, 1), ig.Categorical(2))
    rng = np.random.default_rng(6)
    w = rng.standard_normal(policy.network.size)
    done = Rollouts(MDPEnvironment(MDP, 20, 1), policy, 4000).collect(w, rng)
    s, a, t = done.states.argmax(-1).ravel(), done.actions.astype(int).ravel(), done.reached.argmax(-1).ravel()
    pi = policy.family.parameters(policy.theta(w, np.eye(3)))["probabilities"]
    for i in range(3):
        for j in range(2):
            here = (s == i) & (a == j)
            assert abs(here.sum() - 4000 / 3 * pi[i, j]) <= 5 * np.sqrt(4000 / 3)
            share = np.bincount(t[here], minlength=3) / here.sum()
            assert np.all(np.abs(share - P[i, j]) <= 5 * np.sqrt(0.25 / here.sum())) and np.all(share[P[i, j] == 0] == 0)
            assert np.all(done.rewards.ravel()[here] == R[i, j])
    assert done.truncated.all()


def test_a_step_sees_its_own_states():
    """The metric is that of the states of the step, whose divergence stays within the region; nothing is run afterwards."""
    task, w = a_task()
    space = WeightSpace(task.policy, None, fisher, KrylovTikhonov(1e-2))
    drawn = task.draw(np.random.default_rng(7))
    seen = space.on(drawn)
    with pytest.raises(AttributeError, match="collected at its first"):
        seen.batch
    _, gradient = drawn.value_and_gradient(w)
    assert np.array_equal(seen.batch[0], task.last.samples[0])
    F = fisher(task.policy, w, task.last.samples).dense() + 1e-2 * np.eye(w.size)
    near(seen.sharp(w, gradient), np.linalg.solve(F, gradient), 1e-6)
    with pytest.raises(TypeError, match="no examples of its own"):
        space.batch
    run = ig.descend(task, w, geometry=space, update=ig.NaturalUpdate(), step=ig.TrustRegion(1e-3), max_steps=3,
                     rng=np.random.default_rng(8))
    assert [p.steps for p in task.progress] == [40, 80, 120, 160] and run.path.shape == (4, w.size)
    assert all(np.isfinite(p.mean_return) and p.mean_length == 5 for p in task.progress)
    last = WeightSpace(task.policy, task.last.samples, fisher, KrylovTikhonov(1e-2))
    assert 0 < last.divergence(run.path[-2], run.path[-1]) <= 1e-3


def test_learning_on_a_process_that_is_known():
    """Natural gradient in a trust region comes near to the best policy of three states."""
    best = MDP.optimal_value
    task, w = a_task(count=20, length=20, steps=400, fit=(40, 64), advantage=GAE(0.9, 0.95))
    space = WeightSpace(task.policy, None, fisher, KrylovTikhonov(1e-2))
    run = ig.descend(task, w, geometry=space, update=ig.NaturalUpdate(), step=ig.TrustRegion(0.03), max_steps=25,
                     rng=np.random.default_rng(9), record=None)
    theta = task.policy.theta(run.x, np.eye(3))[:, 0]
    assert MDP.value(theta) > best - 0.3 > MDP.value(np.zeros(3)) + 1.0


def test_a_failed_search_leaves_the_weights():
    """With no advantage there is nowhere to go: the weights stay bit by bit."""
    policy, w, s, a, _ = sample(np.random.default_rng(10))
    f = Surrogate(policy, w, (s, a), np.zeros(40))
    space = WeightSpace(policy, (s, a), fisher, KrylovTikhonov(1e-2))
    run = ig.descend(f, w, geometry=space, update=ig.NaturalUpdate(), step=ig.TrustRegion(0.01), max_steps=3)
    assert np.array_equal(run.x, w)


def test_slips_say_what_is_wrong():
    task, w = a_task()
    policy = task.policy
    with pytest.raises(TypeError, match="needs rng"):
        task.draw(None)
    with pytest.raises(ValueError, match="multiple of the number of environments, 4; got 42"):
        Rollouts(MDPEnvironment(MDP, 4, 5), policy, 42)
    with pytest.raises(ValueError, match=r"states of shape \(2,\)"):
        Rollouts(MDPEnvironment(MDP, 4, 5), model((2, 1), ig.Categorical(2)), 4)
    with pytest.raises(ValueError, match="do not fit"):
        Rollouts(MDPEnvironment(MDP, 4, 5), model((3, 2), ig.MultivariateNormal(1)), 4)
    for width, family in ((MDP.actions, ig.Categorical(MDP.actions + 1)), (2, ig.Normal())):         # draws that are no actions
        with pytest.raises(ValueError, match="do not fit"):
            Rollouts(MDPEnvironment(MDP, 4, 5), model((3, width), family), 4)
    with pytest.raises(TypeError, match="rng must be a numpy.random.Generator"):
        MDPEnvironment(MDP, 4, 5).reset(3)
    with pytest.raises(TypeError, match="must be an Environment"):
        Rollouts(MDP, policy, 4)
    with pytest.raises(TypeError, match="one output"):
        Critic(model((3, 2), ig.Categorical(3)), w, ig.training.Adam())
    with pytest.raises(TypeError, match="one FiniteMDP"):
        MDPEnvironment(FiniteMDP(P, R, average=True), 2, 5)


def test_gymnasium():
    rng = np.random.default_rng(11)
    environment = ig.policy.gym("CartPole-v1", 4)
    policy, value = model((4, 8, 1), environment.family), model((4, 8, 1), ig.NormalKnownVariance(1.0))
    critic = Critic(value, value.network.init(rng, Orthogonal()), ig.training.Adam(), steps=3)
    task, space = Return(environment, policy, critic, steps=152), WeightSpace(policy, None, fisher, KrylovTikhonov(0.1))
    run = ig.descend(task, policy.network.init(rng, Orthogonal(0.1)), geometry=space, update=ig.NaturalUpdate(), step=0.5,
                     max_steps=2, rng=rng, record=None)
    assert np.isfinite(run.x).all() and 5 < task.progress[-1].mean_return < 100
    pendulum = ig.policy.gym("Pendulum-v1", 2)
    assert pendulum.family == ig.Normal() and pendulum.reset(rng).shape == (2, 3)
    outcome = pendulum.step(np.array([0.5, 1e9]))
    assert outcome.rewards.shape == (2,) and not outcome.terminated.any()
    pendulum.close()
    with pytest.raises(ig.DomainError, match="states must be vectors"):
        ig.policy.GymEnvironment([gymnasium.make("FrozenLake-v1")])


@pytest.mark.parametrize("kl, entropy", [(0.02, np.inf), (0.02, 0.004), (0.05, 0.05)])
def test_bounds_on_log_linear_policies(kl, entropy):
    """Both bounds hold exactly in the states at hand, and no policy within them is better to first order."""
    rng = np.random.default_rng(12)
    policy, s = model((4, 2), ig.Categorical(3)), rng.standard_normal((200, 4))
    w = 0.5 * rng.standard_normal(policy.network.size)
    a = policy.sample(rng, w, s)
    space = LogLinearPolicies(policy, (s, a), Tikhonov(1e-9))
    near(space.to_eta(w), [(space.potential(w + e) - space.potential(w - e)) / 2e-5 for e in 1e-5 * np.eye(w.size)], 1e-8)
    near(space.flat(w, w), fisher(policy, w, (s, a)).dense() @ w, 1e-10)
    _, covector = Surrogate(policy, w, (s, a), rng.standard_normal(200)).value_and_gradient(w)
    after, _ = EntropyBounded(kl, entropy)(space, w, covector, 1.0)
    law, before = (policy.theta(u, s) for u in (after, w))
    lost = (policy.family.entropy(before) - policy.family.entropy(law)).mean()
    spent = policy.family.kl(law, before).mean()
    assert spent <= kl * (1 + 1e-6) and lost <= entropy + 1e-6
    assert spent >= kl * (1 - 1e-6) or lost >= entropy - 1e-6
    direction = -space.sharp(w, covector)
    gain = lambda u: direction @ (space.to_eta(u) - space.to_eta(w))
    for other in after + 0.02 * rng.standard_normal((300, w.size)):
        inside = policy.theta(other, s)
        if policy.family.kl(inside, before).mean() <= kl and (policy.family.entropy(before)
                                                              - policy.family.entropy(inside)).mean() <= entropy:
            assert gain(other) <= gain(after) + 1e-9
    with pytest.raises(TypeError, match="one layer of weights"):
        LogLinearPolicies(model((4, 3, 2), ig.Categorical(3)), None, Tikhonov(1e-3))


def test_study_of_policies(tmp_path, capsys):
    """Two methods, two seeds; a second start goes on from what is there; a wrong name is said in one line."""
    command = ["policy", "--method", "trpo", "reinforce", "--steps", "512", "--batch", "256", "--seeds", "2", "--no-progress"]
    assert main([*command, "--out", str(tmp_path / "out")]) == 0
    text = capsys.readouterr().out
    assert "trpo, seed 1: return" in text and "reinforce: plain gradient with Adam" in text
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["policies.npz", "policy.csv", "policy.json", "policy.png"]
    with np.load(tmp_path / "out" / "policies.npz") as file:
        weights = dict(file)
    assert sorted(weights) == ["reinforce-0", "reinforce-1", "trpo-0", "trpo-1"]
    study = ig.studies.policies("CartPole-v1", ("trpo",), steps=512, batch=256, seeds=1)
    assert np.array_equal(study.runs[0].w, weights["trpo-0"])           # the same seed is the same run
    for wrong, words in ([["--method", "trppo"], "did you mean trpo"], [["--environment", "Cart"], "--environment Cart: "],
                         [["--batch", "100"], "multiple of 8"]):
        assert main(["policy", *wrong]) == 2
        assert words in capsys.readouterr().err


def test_one_policy_and_a_value():
    task, w = a_task()
    with pytest.raises(ig.ShapeError, match=r"one policy at a time, weights of shape \(21,\); got \(2, 21\)"):
        task.draw(np.random.default_rng(0)).value_and_gradient(np.stack([w, w]))
    with pytest.raises(TypeError, match="the mean of NormalKnownVariance"):
        Critic(model((3, 1), ig.Bernoulli()), np.zeros(4), ig.training.Adam())
