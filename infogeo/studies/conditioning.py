"""The conditioning study: θ against η against natural gradient, on one target."""
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ..backend import to_numpy
from ..errors import ShapeError, require_count
from .bars import Jobs
from .chart import CoordinateChart
from .claim import Claim
from .claims import claims
from .discrete import Discrete, discrete
from .effort import FULL, Effort
from .methods import METHODS
from .noise import FRACTIONS, NoiseFloor, noise
from .problem import Problem
from .rates import FLOWS, Flow, measured_flows
from .side_by_side import InChart, affine_charts, in_charts
from .spectrum import Spectrum, spectrum
from .sweep import SWEPT, LearningRateSweep, sweep

__all__ = ["PARTS", "Conditioning", "ConditioningRun", "Setting", "conditioning"]


@dataclass(frozen=True)
class Setting:
    """What is studied, as NumPy arrays.

    Shapes: theta, eta (d,); parameters, the ordinary parameters of the target by name; starts (n + 1, d), in θ. `problem` is what
    is solved: the figures evaluate its divergence; no file holds it.
    Units: nats.

    Examples
    --------
    >>> M = ig.Bernoulli()
    >>> problem = ig.studies.ForwardProblem(M, M.theta_from(probability=0.2))
    >>> setting = ig.studies.ConditioningRun(problem, starts=4).setting
    >>> setting.eta.round(6), setting.starts.shape, setting.direction
    (array([0.2]), (5, 1), 'forward')
    """

    family: str
    direction: str
    seed: int
    theta: np.ndarray
    eta: np.ndarray
    parameters: dict[str, np.ndarray]
    entropy: float
    starts: np.ndarray
    problem: Problem


@dataclass(frozen=True)
class Conditioning(Setting):
    """All that the study found, as NumPy arrays; how it was set comes first.

    `charts` are the affine charts θ′ and η′, and then those of one's own.

    Examples
    --------
    >>> M = ig.Bernoulli()
    >>> problem = ig.studies.ForwardProblem(M, M.theta_from(probability=0.2))
    >>> few = ig.studies.Effort(flown=1, tolerance=1e-6, records=(5, 5),
    ...                         longest=50, noisy_runs=2, averaged=2,
    ...                         noisy_steps=50, pooled=1000)
    >>> study = ig.studies.conditioning(problem, starts=1, steps=3, effort=few)
    >>> for method, steps in zip(study.discrete.methods,
    ...                          study.discrete.iterations):
    ...     print(method, steps)
    gd_theta [4 4]
    gd_eta [ 5 -1]
    ng_theta [ 3 -1]
    ng_eta [1 1]
    md_theta [1 1]
    md_eta [ 3 -1]
    """

    spectrum: Spectrum
    flows: tuple[Flow, ...]
    charts: tuple[InChart, ...]
    discrete: Discrete
    sweep: LearningRateSweep
    noise: NoiseFloor
    claims: tuple[Claim, ...]


PARTS = tuple(part.name for part in fields(Conditioning)[len(fields(Setting)):])


class ConditioningRun:
    """A conditioning study that is done part by part: what `conditioning` takes, and the parts in the order of `PARTS`.

    Attributes
    ----------
    setting : Setting
    words : dict
        All that decides the result, as plain values: two runs with equal words find the same.

    Examples
    --------
    >>> M = ig.Bernoulli()
    >>> problem = ig.studies.ForwardProblem(M, M.theta_from(probability=0.2))
    >>> run = ig.studies.ConditioningRun(problem, starts=4)
    >>> name, part = next(run.parts())              # the first of its parts
    >>> name, part.rate.round(4)                    # in θ, in η, natural
    ('spectrum', array([ 0.32, 12.5 ,  2.  ]))
    """

    def __init__(self, problem: Problem, *, starts: int = 100, seed: int = 0, batch_size: int = 100, steps: int = 100,
                 affine: float = 3.0, charts: Sequence[CoordinateChart] = (), effort: Effort = FULL) -> None:
        for name, value in (("starts", starts), ("batch_size", batch_size), ("steps", steps)):
            require_count(name, value)
        for name, given, kind in (("problem", problem, Problem), ("effort", effort, Effort)):
            if not isinstance(given, kind):
                raise TypeError(f"{name} must be of the kind {kind.__name__}; got {given!r}")
        if problem.theta.ndim != 1:
            raise ShapeError(f"problem must have one target, of shape ({problem.family.dim},); got shape "
                             f"{tuple(problem.theta.shape)}: conditioning_of_many takes many")
        wrong = [chart for chart in charts if not isinstance(chart, CoordinateChart)]
        if wrong:
            raise TypeError(f"charts must be MappedChart, THETA or ETA; got {wrong[0]!r}")
        family, self.rng = problem.family, np.random.default_rng(seed)
        self.problem, self.theta0, self.effort = problem, problem.starts(self.rng, starts), effort
        self.spectrum = spectrum(problem)
        self.batch_size, self.steps = batch_size, steps
        self.charts = (*affine_charts(problem, self.spectrum, affine), *charts)
        self.setting = Setting(
            family=repr(family), direction=problem.direction, seed=seed, theta=to_numpy(problem.theta), eta=to_numpy(problem.eta),
            parameters={name: to_numpy(value) for name, value in family.parameters(problem.theta).items()},
            entropy=float(to_numpy(family.entropy(problem.theta))), starts=to_numpy(self.theta0), problem=problem)
        self.words = {"family": self.setting.family, "direction": problem.direction, "theta": self.setting.theta.tolist(),
                      "starts": starts, "seed": seed, "batch_size": batch_size, "steps": steps,
                      "charts": [repr(chart) for chart in self.charts], "effort": repr(effort)}

    def parts(self, found: Mapping[str, Any] = {}, progress: bool = False) -> Iterator[tuple[str, Any]]:
        """``(name, part)`` as each is finished; those of `found` are taken as they are."""
        done: dict[str, Any] = {}
        size = {"flows": len(FLOWS), "charts": 2 * len(self.charts), "discrete": len(METHODS), "sweep": len(SWEPT),
                "noise": len(SWEPT) * len(FRACTIONS)}
        with Jobs(sum(size.values()), progress) as jobs:
            for name, work in self._work(jobs).items():
                if name in found:
                    jobs.pass_over(size.get(name, 0))
                done[name] = found[name] if name in found else work(done)
                jobs.clear()
                yield name, done[name]

    def _work(self, jobs: Jobs) -> dict[str, Callable[[dict[str, Any]], Any]]:
        """What makes each part, from those before it."""
        problem, theta0, effort = self.problem, self.theta0, self.effort
        return {
            "spectrum": lambda done: self.spectrum,
            "flows": lambda done: measured_flows(problem, self.spectrum, theta0, effort, jobs),
            "charts": lambda done: in_charts(problem, self.charts, theta0, effort, jobs),
            "discrete": lambda done: discrete(problem, self.spectrum, theta0, effort.longest, jobs),
            "sweep": lambda done: sweep(problem, self.spectrum, theta0, self.steps, jobs),
            "noise": lambda done: noise(problem, self.spectrum, self.rng, self.batch_size, effort, jobs),
            "claims": lambda done: claims(problem, self.spectrum, done["flows"], done["charts"], done["discrete"], theta0),
        }

    def result(self, parts: Mapping[str, Any]) -> Conditioning:
        """All of it."""
        return Conditioning(**{one.name: getattr(self.setting, one.name) for one in fields(Setting)}, **parts)


def conditioning(problem: Problem, *, starts: int = 100, seed: int = 0, batch_size: int = 100, steps: int = 100,
                 affine: float = 3.0, charts: Sequence[CoordinateChart] = (), effort: Effort = FULL,
                 progress: bool = False) -> Conditioning:
    """Compare gradient descent in θ and in η, natural gradient and mirror descent on KL to a target of a family.

    Parameters
    ----------
    problem : Problem
        `ForwardProblem` (KL(q‖p)) or `ReverseProblem` (KL(p‖q)) of a family and a target q.
    starts : int
        Random starts, beside one more: the uniform distribution on the simplex.
    seed : int
        Of all draws; the same seed gives the same result.
    batch_size : int
        Observations in a mini-batch of the noise floor.
    steps : int
        Steps of every run of the learning-rate sweep.
    affine : float
        c > 0 of the affine charts θ′ = (G/c)^½ θ and η′ = (G/c)^−½ η, in which gradient descent has the rates 2c and 2/c.
    charts : sequence of CoordinateChart
        More charts to descend in, side by side: ``MappedChart("whitened", ig.AffineMap(A))``.
    effort : Effort
        `FULL`, or `QUICK` for a first look.
    progress : bool
        Show a progress bar (tqdm).

    Returns
    -------
    Conditioning

    Raises
    ------
    DomainError
        For sizes that are not positive.

    Examples
    --------
    >>> M = ig.Bernoulli()
    >>> problem = ig.studies.ForwardProblem(M, M.theta_from(probability=0.2))
    >>> few = ig.studies.Effort(flown=1, tolerance=1e-6, records=(5, 5),
    ...                         longest=50, noisy_runs=2, averaged=2,
    ...                         noisy_steps=50, pooled=1000)
    >>> study = ig.studies.conditioning(problem, starts=1, steps=3, effort=few)
    >>> study.spectrum.rate.round(4)                # in θ, in η, natural
    array([ 0.32, 12.5 ,  2.  ])
    """
    run = ConditioningRun(problem, starts=starts, seed=seed, batch_size=batch_size, steps=steps, affine=affine, charts=charts,
                          effort=effort)
    return run.result(dict(run.parts(progress=progress)))
