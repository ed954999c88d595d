"""Policy gradient methods side by side in one environment, over seeds."""
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import process_time
from typing import Any

import numpy as np

from ..backend import to_numpy
from ..curvature.damping import KrylovTikhonov
from ..curvature.fisher import empirical_fisher, fisher
from ..curvature.weight_space import WeightSpace
from ..families.normal_known import NormalKnownVariance
from ..networks.initial import Orthogonal
from ..networks.model import ConditionalModel
from ..networks.usual import MLP
from ..policy.critic import Critic
from ..policy.gymnasium_environment import GymEnvironment, gym
from ..policy.returns import Return
from ..solvers.descend import descend
from ..solvers.step import Constant, Step
from ..solvers.trust_region import TrustRegion
from ..solvers.update import NaturalUpdate, Update
from ..training.adam import Adam
from .bars import Jobs
from .inputs import InputError, suggestion

__all__ = ["POLICY_METHODS", "PolicyMethod", "PolicyRun", "PolicyStudy", "policies", "policy_runs"]

HIDDEN = (64, 64)
COPIES = 8


@dataclass(frozen=True)
class PolicyMethod:
    """A method by its parts.

    Attributes
    ----------
    label : str
    update : Update
    step : Step
    curvature : function (model, w, batch) -> LinearOperator
        The metric of a natural update.

    Examples
    --------
    >>> method = ig.studies.POLICY_METHODS["trpo"]
    >>> method.update, method.curvature is ig.curvature.fisher
    (NaturalUpdate(), True)
    """

    label: str
    update: Update
    step: Step
    curvature: Callable[..., Any] = field(default=fisher)


POLICY_METHODS = {
    "npg": PolicyMethod("natural gradient", NaturalUpdate(), Constant(1.0)),
    "trpo": PolicyMethod("natural gradient in a trust region", NaturalUpdate(), TrustRegion(0.01)),
    "actor-critic": PolicyMethod("natural actor-critic, compatible weights", NaturalUpdate(), Constant(1.0), empirical_fisher),
    "reinforce": PolicyMethod("plain gradient with Adam", Adam(), Constant(0.01)),
}


@dataclass(frozen=True)
class PolicyRun:
    """One method from one seed.

    Attributes
    ----------
    name : str
    seed : int
    steps : array, shape (n,)
        Steps in the environment so far, after each step of the solver.
    returns, lengths : arrays, shape (n,)
        Means over the episodes that ended since; NaN where none did.
    seconds : float
        CPU seconds.
    w : array, shape (size,)
        The last weights of the policy.

    Examples
    --------
    >>> steps, returns = np.array([64, 128]), np.array([20.0, 30.0])
    >>> run = ig.studies.PolicyRun("trpo", 0, steps, returns, returns,
    ...                            seconds=1.0, w=np.zeros(3))
    >>> run.name, float(run.returns[-1])
    ('trpo', 30.0)
    """

    name: str
    seed: int
    steps: np.ndarray
    returns: np.ndarray
    lengths: np.ndarray
    seconds: float
    w: np.ndarray


@dataclass(frozen=True)
class PolicyStudy:
    """The runs of a comparison, method by method.

    Examples
    --------
    >>> steps, returns = np.array([64, 128]), np.array([20.0, 30.0])
    >>> run = ig.studies.PolicyRun("trpo", 0, steps, returns, returns,
    ...                            seconds=1.0, w=np.zeros(3))
    >>> study = ig.studies.PolicyStudy("CartPole-v1", ("trpo",), (run,))
    >>> [run.seed for run in study.runs if run.name == "trpo"]
    [0]
    """

    environment: str
    methods: tuple[str, ...]
    runs: tuple[PolicyRun, ...]

    def of(self, method: str) -> tuple[PolicyRun, ...]:
        """Those of one method."""
        return tuple(run for run in self.runs if run.name == method)


def policies(environment: str, methods: Sequence[str] = ("trpo",), *, steps: int = 40960, batch: int = 2048, seeds: int = 3,
             progress: bool = False) -> PolicyStudy:
    """Learn a policy by each method, from several seeds.

    Parameters
    ----------
    environment : str
        A name of Gymnasium, such as "CartPole-v1".
    methods : sequence of str
        Of `POLICY_METHODS`.
    steps, batch : int
        In the environment, in all and for each step of the solver.
    seeds : int
        How many: 0, 1, ….

    Examples
    --------
    >>> study = ig.studies.policies("CartPole-v1", steps=320, batch=320,
    ...                             seeds=1)
    >>> bool(study.runs[0].returns[0] >= 8)         # no pole falls before
    True
    """
    names = [(name, seed) for name in methods for seed in range(seeds)]
    with Jobs(len(names), progress) as jobs:
        runs = tuple(policy_runs(environment, names, steps=steps, batch=batch, jobs=jobs))
    return PolicyStudy(environment, tuple(methods), runs)


def policy_runs(environment: str, names: Sequence[tuple[str, int]], *, steps: int, batch: int, jobs: Jobs,
                found: Mapping[str, PolicyRun] = {}) -> Iterator[PolicyRun]:
    """The run of each (method, seed), one after the other; those that are found already are passed on.

    Raises
    ------
    InputError
        For what is no environment or method.
    """
    for method, _ in names:
        if method not in POLICY_METHODS:
            raise InputError(f"--method {method}: no such method{suggestion(method, list(POLICY_METHODS))}; there are "
                             f"{', '.join(POLICY_METHODS)}")
    if batch % COPIES or steps < batch:
        raise InputError(f"--batch must be a multiple of {COPIES}, the copies of the environment, and at most --steps; got "
                         f"{batch} of {steps}")
    for method, seed in names:
        known = found.get(f"{method}-{seed}")
        if known is not None:
            jobs.pass_over(1)
            yield known
        else:
            yield _run(environment, method, seed, steps // batch, batch, jobs)


def _made(name: str) -> GymEnvironment:
    try:
        return gym(name, COPIES)
    except ImportError as error:
        raise InputError(str(error)) from None
    except Exception as error:          # Gymnasium has a dozen kinds of errors for a name, none of which is documented
        raise InputError(f"--environment {name}: {error}") from None


def _run(name: str, method_name: str, seed: int, count: int, batch: int, jobs: Jobs) -> PolicyRun:
    environment, method, rng = _made(name), POLICY_METHODS[method_name], np.random.default_rng(seed)
    inputs = int(np.prod(environment.state_shape))
    gains = [Orthogonal(2.0**0.5)] * len(HIDDEN)
    policy = ConditionalModel(MLP((inputs, *HIDDEN, environment.family.dim)), environment.family)
    value = ConditionalModel(MLP((inputs, *HIDDEN, 1)), NormalKnownVariance(1.0))
    w = policy.network.init(rng, [*gains, Orthogonal(0.01)])
    critic = Critic(value, value.network.init(rng, [*gains, Orthogonal(1.0)]), Adam(), steps=320)
    task = Return(environment, policy, critic, steps=batch)
    space = WeightSpace(policy, None, method.curvature, KrylovTikhonov(0.03))
    told = jobs.begin(f"{method.label}, seed {seed}", count)
    begin = process_time()
    run = descend(task, w, geometry=space, update=method.update, step=method.step, max_steps=count, rng=rng, record=None,
                  callbacks=told)
    environment.close()
    done = task.progress
    return PolicyRun(method_name, seed, np.array([p.steps for p in done]), np.array([p.mean_return for p in done]),
                     np.array([p.mean_length for p in done]), process_time() - begin, to_numpy(run.x))
