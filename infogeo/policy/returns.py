"""The return of a policy as a random objective of `descend`: a step sees the trajectories of the policy that it starts from."""
from typing import Any, NamedTuple

import numpy as np

from ..backend import Array, arrays, backend_of, column
from ..errors import ShapeError, takes
from ..networks.model import ConditionalModel, ModelPass, NegativeLogLikelihood
from ..objectives.base import Objective
from .advantages import GAE
from .critic import Critic
from .environments import Environment
from .trajectories import Rollouts, Trajectories

__all__ = ["Progress", "Return", "Surrogate"]


class Surrogate(NegativeLogLikelihood):
    """−(1/n) Σ (π_w(a_n | s_n) / π_old(a_n | s_n)) A_n, whose differential at the old weights is minus the policy gradient.

    It is a likelihood whose examples have weights, so that metrics and updates that see the examples of a step see these states.

    Parameters
    ----------
    policy : ConditionalModel
    w : array, shape (size,)
        The old weights.
    batch : pair (states, actions), shapes (n, …)
    advantages : array, shape (n,)

    Source: Schulman, Levine, Moritz, Jordan & Abbeel, Trust region policy optimization (2015).

    Examples
    --------
    >>> network = ig.networks.MLP((1, 1), bias=False)
    >>> policy = ig.networks.ConditionalModel(network, ig.Bernoulli())
    >>> batch, advantages = ([[1.0], [1.0]], [1, 0]), np.array([2.0, -2.0])
    >>> f = ig.policy.Surrogate(policy, np.zeros(1), batch, advantages)
    >>> f.value_and_gradient(np.zeros(1))[1]        # −½ (2 · ½ + (−2) (−½))
    array([-1.])
    """

    def __init__(self, policy: ConditionalModel, w: Array, batch: tuple[Array, Array], advantages: Array) -> None:
        super().__init__(policy, batch)
        self.advantages = arrays(self.x, advantages)[2]
        self.old = self._log_density(policy.record(w, self.x))

    def _log_density(self, done: ModelPass) -> Array:
        return self.model.family._log_density(self.xp, done.theta, self.y)

    def _weights(self, done: ModelPass) -> Array:
        return self.xp.exp(self._log_density(done) - self.old) * self.advantages

    def _value(self, done: ModelPass) -> Array:
        return -self.xp.mean(self._weights(done), axis=-1)

    def _residual(self, done: ModelPass) -> Array:
        return column(self._weights(done)) * super()._residual(done)

    def value_and_gradient(self, w: Array) -> tuple[Array, Array]:
        return self._value_and_gradient(self.record(w))


class Progress(NamedTuple):
    """How far training is: steps in the environment, and the mean return and length of the episodes that ended since the last.

    Both are NaN where none ended.

    Examples
    --------
    >>> from infogeo.networks import MLP, ConditionalModel
    >>> P = [[[1.0, 0.0], [0.0, 1.0]]] * 2          # action a leads to state a
    >>> mdp = ig.policy.FiniteMDP(P, [[0.0, 0.0], [0.0, 1.0]], discount=0.9)
    >>> environment = ig.policy.MDPEnvironment(mdp, count=3, length=10)
    >>> policy = ConditionalModel(MLP((2, 1)), ig.Bernoulli())
    >>> value = ConditionalModel(MLP((2, 1)), ig.NormalKnownVariance(1.0))
    >>> critic = ig.policy.Critic(value, np.zeros(3), ig.training.Adam(),
    ...                           steps=5)
    >>> task = ig.policy.Return(environment, policy, critic, steps=60)
    >>> run = ig.descend(task, np.zeros(3), update=ig.GradientUpdate(),
    ...                  step=0.1, max_steps=2, rng=np.random.default_rng(0),
    ...                  record=None)
    >>> [(one.steps, one.mean_length) for one in task.progress]
    [(60, 10.0), (120, 10.0)]
    """

    steps: int
    mean_return: float
    mean_length: float


class Return(Objective):
    """Minus the return of a policy in an environment, through trajectories.

    A step of `descend` draws an objective that runs the policy when it is first evaluated, and is the `Surrogate` of what it
    found from then on; the critic learns from the same trajectories afterwards. Outside of steps nothing is run: the value at the
    end of a run is that of the last surrogate. Values say nothing about the size of returns: `progress` does.

    Parameters
    ----------
    environment : Environment
        Such as ``gym("CartPole-v1")``.
    policy : ConditionalModel
    critic : Critic
    steps : int
        In the environment, of all copies together, for each step of the solver.
    advantage : GAE
    standardise : bool
        Whether advantages have mean 0 and deviation 1 in every step, which makes step sizes of plain gradients comparable.

    Attributes
    ----------
    progress : list of Progress
        One a step.
    last : Trajectories
        Those of the last step.

    Examples
    --------
    >>> policy = ig.networks.ConditionalModel(ig.networks.MLP((4, 16, 1)), ig.Categorical(2))
    >>> value = ig.networks.ConditionalModel(ig.networks.MLP((4, 16, 1)), ig.NormalKnownVariance(1.0))
    >>> w, v = (m.network.init(np.random.default_rng(0), ig.networks.Glorot()) for m in (policy, value))
    >>> critic = ig.policy.Critic(value, v, ig.training.Adam())
    >>> task = ig.policy.Return(ig.policy.gym("CartPole-v1"), policy, critic, steps=64)
    >>> space = ig.curvature.WeightSpace(policy, None, ig.curvature.fisher, ig.curvature.KrylovTikhonov(0.1))
    >>> run = ig.descend(task, w, geometry=space, update=ig.NaturalUpdate(), step=ig.TrustRegion(0.01), max_steps=2,
    ...                  rng=np.random.default_rng(0), record=None)
    """

    rows = ()

    @takes(environment=Environment, policy=ConditionalModel, critic=Critic, advantage=GAE)
    def __init__(self, environment: Environment, policy: ConditionalModel, critic: Critic, *, steps: int,
                 advantage: GAE = GAE(), standardise: bool = True) -> None:
        self.rollouts, self.policy, self.critic = Rollouts(environment, policy, steps), policy, critic
        self.advantage, self.standardise = advantage, standardise
        self.progress: list[Progress] = []
        self.last: Trajectories | None = None
        self._surrogate: Surrogate | None = None

    def __repr__(self) -> str:
        environment = self.rollouts.environment
        return f"Return({environment!r}, {self.policy!r}, steps={self.rollouts.length * environment.count})"

    def draw(self, rng: Any) -> Objective:
        return _Collected(self, rng)

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Those of the last surrogate; 0 before the first step."""
        if self._surrogate is None:
            return backend_of(x).sum(0.0 * x), 0.0 * x
        return self._surrogate.value_and_gradient(x)

    def collected(self, w: Array, rng: np.random.Generator) -> Surrogate:
        """Runs the policy, and what it found as a function of new weights; the critic learns from it."""
        done = self.last = self.rollouts.collect(w, rng)
        values, after = self.critic(done.states), self.critic(done.reached)
        advantages = self.advantage(done.rewards, values, after, done.terminated, done.truncated)
        targets = done.flat(advantages + values)
        states, actions = done.samples
        self._surrogate = Surrogate(self.policy, w, (states, actions), self._scaled(done.flat(advantages)))
        self.critic.fit(states, targets, rng)
        self._note(done)
        return self._surrogate

    def _scaled(self, advantages: Array) -> Array:
        if not self.standardise:
            return advantages
        xp = backend_of(advantages)
        deviation = xp.std(advantages)
        return (advantages - xp.mean(advantages)) / xp.where(deviation > 0, deviation, xp.ones_like(deviation))

    def _note(self, done: Trajectories) -> None:
        before = self.progress[-1].steps if self.progress else 0
        ended = len(done.lengths) > 0
        self.progress.append(Progress(before + int(np.prod(done.rewards.shape)),
                                      float(np.mean(np.asarray(done.returns))) if ended else float("nan"),
                                      float(np.mean(done.lengths)) if ended else float("nan")))


class _Collected(NegativeLogLikelihood):
    """What one step sees: nothing until it is first evaluated, the surrogate of its trajectories from then on."""

    def __init__(self, task: Return, rng: Any) -> None:
        if rng is None:
            raise TypeError("a Return draws: descend needs rng=np.random.default_rng(seed)")
        self.model, self._task, self._rng, self.rows = task.policy, task, rng, ()

    def __getattr__(self, name: str) -> Any:
        """What the surrogate knows, once it is there."""
        known = self.__dict__.get("found")
        if known is None:
            raise AttributeError(f"{name}: the trajectories of this step are collected at its first value_and_gradient(w)")
        return getattr(known, name)

    def value_and_gradient(self, w: Array) -> tuple[Array, Array]:
        if "found" not in self.__dict__:
            size = self.model.network.size
            if tuple(w.shape) != (size,):
                raise ShapeError(f"a Return runs one policy at a time, weights of shape ({size},); got {tuple(w.shape)}")
            self.found = self._task.collected(w, self._rng)
        return self.found.value_and_gradient(w)

    def record(self, w: Array) -> ModelPass:
        return self.found.record(w)

    def __repr__(self) -> str:
        return f"{self._task!r}.draw(rng)"
