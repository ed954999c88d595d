"""Optimisers side by side on one task: loss against steps and against seconds."""
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from ..backend import Array, backend_of, to_numpy
from ..curvature.damping import FactoredTikhonov
from ..curvature.kfac_tridiagonal import ChainFactors
from ..curvature.kronecker_factors import KroneckerFactors
from ..curvature.layer_factors import LayerFactors
from ..curvature.outputs import RandomSigns
from ..curvature.unit_factors import QuasiDiagonalFactors, UnitFactors
from ..networks.files import load
from ..networks.initial import Glorot
from ..networks.model import NegativeLogLikelihood
from ..solvers.descend import descend
from ..solvers.moment import Moment
from ..solvers.snapshot import Snapshot
from ..solvers.step import Constant
from ..solvers.update import GradientUpdate, Update
from ..training.adam import Adam, RMSprop
from ..training.adaptive import AdaptiveNatural, HarmonicRate
from ..training.checkpoint import Checkpoint, load_checkpoint
from ..training.data import MiniBatches
from ..training.ekfac import EKFAC
from ..training.kfac import KFAC, Share
from ..training.momentum import Momentum, Nesterov
from ..training.relative import RelativeNatural
from ..training.structured import StructuredNatural, TwoSided
from ..training.tonga import TONGA
from .architecture import Task
from .bars import Jobs
from .naming import InputError, suggestion
from .unfinished import Unfinished

__all__ = ["OPTIMISERS", "Optimiser", "TrainingRun", "TrainingStudy", "train", "training_runs"]

KEPT_EVERY = 2.0    # seconds: that of K-FAC on the autoencoder of the digits is 1.1 MB


@dataclass(frozen=True)
class Optimiser:
    """An update and its step size.

    Attributes
    ----------
    label : str
    update : function (rng) -> Update
    h : float
        The step size where none is given.
    """

    label: str
    update: Callable[[np.random.Generator], Update]
    h: float


def _low_rank(rng: np.random.Generator) -> Update:
    return TONGA(statistics=Share(0.5), products=Share(0.25))


def _structured(rng: np.random.Generator) -> Update:
    return StructuredNatural(TwoSided(), FactoredTikhonov(0.1), refresh=5, outputs=RandomSigns(rng))


def _adaptive(rng: np.random.Generator) -> Update:
    return AdaptiveNatural(0.1, HarmonicRate(1.0, 10.0), outputs=RandomSigns(rng))


def _on(factors: type[LayerFactors]) -> Callable[[np.random.Generator], Update]:
    """K-FAC on factors of another kind."""
    return lambda rng: KFAC(RandomSigns(rng), factors, statistics=Share(0.5), products=Share(0.25))


OPTIMISERS = {
    "kfac": Optimiser("K-FAC", _on(KroneckerFactors), 1.0),
    "ekfac": Optimiser("EK-FAC", lambda rng: EKFAC(RandomSigns(rng), statistics=Share(0.5), products=Share(0.25)), 1.0),
    "tridiagonal": Optimiser("K-FAC, chain", _on(ChainFactors), 1.0),
    "unitwise": Optimiser("unit-wise", _on(UnitFactors), 1.0),
    "quasi-diagonal": Optimiser("quasi-diagonal", _on(QuasiDiagonalFactors), 1.0),
    "tonga": Optimiser("TONGA", _low_rank, 1.0),
    "sngd": Optimiser("SNGD", _structured, 0.1),
    "rngd": Optimiser("RNGD", lambda rng: RelativeNatural(refresh=10), 0.001),
    "adaptive": Optimiser("adaptive", _adaptive, 0.1),      # of few weights: it holds their number squared
    "sgd": Optimiser("gradient descent", lambda rng: GradientUpdate(), 0.01),
    "momentum": Optimiser("momentum 0.9", lambda rng: Momentum(0.9), 0.003),
    "nesterov": Optimiser("Nesterov 0.9", lambda rng: Nesterov(0.9), 0.003),
    "adam": Optimiser("Adam", lambda rng: Adam(), 0.003),
    "rmsprop": Optimiser("RMSprop", lambda rng: RMSprop(), 0.001),
}


@dataclass(frozen=True)
class TrainingRun:
    """One optimiser's way down.

    Attributes
    ----------
    name, label : str
    h : float
    steps : int array, shape (records,)
        Where the loss of the whole training set was computed.
    loss : array, shape (records,)
        Nats.
    seconds : array, shape (records,)
        Of the steps alone, without the time for these values.
    x : array, shape (size,)
        The last weights.
    status : int
        A `Status`.
    """

    name: str
    label: str
    h: float
    steps: np.ndarray
    loss: np.ndarray
    seconds: np.ndarray
    x: np.ndarray
    status: int


@dataclass(frozen=True)
class TrainingStudy:
    """What `train` found.

    Attributes
    ----------
    task : Task
    data : str
    runs : list of TrainingRun
    batch_size, seed : int
    """

    task: Task
    data: str
    runs: list[TrainingRun]
    batch_size: int
    seed: int


class _Clock:
    """Loss of the whole set every so many steps, and the seconds between, which the values are not part of."""

    def __init__(self, loss: NegativeLogLikelihood, every: int, w0: Array, shown: Sequence[Callable[[Moment], None]]) -> None:
        self.loss, self.every, self.shown = loss, every, shown
        self.state = [0], [float(loss.value(w0))], [0.0], 0.0

    @property
    def state(self) -> tuple[list[int], list[float], list[float], float]:
        """(steps, values, seconds, seconds spent), from which a run goes on."""
        return self.steps, self.values, self.seconds, self.spent + perf_counter() - self.since

    @state.setter
    def state(self, state: tuple[list[int], list[float], list[float], float]) -> None:
        self.steps, self.values, self.seconds, self.spent = state
        self.since = perf_counter()

    def __call__(self, moment: Moment) -> None:
        for tell in self.shown:
            tell(moment)
        if moment.k % self.every:
            return
        to_numpy(moment.x)                               # a GPU is waited for
        self.spent += perf_counter() - self.since
        self.steps.append(moment.k)
        self.values.append(float(self.loss.value(moment.x)))
        self.seconds.append(self.spent)
        self.since = perf_counter()


class _Kept(Checkpoint):
    """A checkpoint every few seconds: no more than these are lost where a run is interrupted."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.last = perf_counter()

    def __call__(self, moment: Moment) -> None:
        if perf_counter() - self.last >= KEPT_EVERY:
            super().__call__(moment)
            self.last = perf_counter()


def _resumed(path: Path) -> Snapshot | None:
    """From where an interrupted run goes on; a file that is damaged counts for nothing."""
    try:
        return load_checkpoint(path)
    except (FileNotFoundError, ValueError):
        return None


def _first_weights(task: Task, seed: int, start: str | None) -> Array:
    """Those of a file of the task's model, or random ones."""
    x, model = task.loss.x, task.model
    if start is None:
        return model.network.init(np.random.default_rng(seed), Glorot(), dtype=str(x.dtype))
    try:
        found, w = load(start)
    except ValueError as error:
        raise InputError(str(error)) from None
    if (found.network, found.family, w.shape) != (model.network, model.family, (model.network.size,)):
        raise InputError(f"{start}: has the weights of {found!r}, and this is {model!r}")
    return backend_of(w).astype(w, x.dtype)


def train(task: Task, data: str, optimisers: Sequence[str], *, steps: int, batch_size: int | None = None,
          step_sizes: dict[str, float] | None = None, every: int | None = None, seed: int = 0, start: str | None = None,
          progress: bool = False) -> TrainingStudy:
    """Train a task with each optimiser from the same weights.

    Parameters
    ----------
    task : Task
    data : str
        The name of the data, for reports.
    optimisers : sequence of str
        Keys of `OPTIMISERS`.
    steps : int
    batch_size : int, optional
        Samples of a mini-batch; all of them if not given.
    step_sizes : dict, optional
        By optimiser, in place of its own.
    every : int, optional
        Steps between two records of the loss; a hundredth of the steps if not given.
    seed : int
    start : str, optional
        A file of a model of this task, whose weights are the first ones.
    progress : bool

    Raises
    ------
    InputError
        For an unknown optimiser, a batch larger than the data, or a file of another model.

    Returns
    -------
    TrainingStudy
    """
    with Jobs(len(optimisers), progress) as jobs:
        runs = list(training_runs(task, optimisers, steps=steps, batch_size=batch_size, step_sizes=step_sizes, every=every,
                                  seed=seed, start=start, jobs=jobs))
    return TrainingStudy(task, data, runs, task.samples if batch_size is None else batch_size, seed)


def training_runs(task: Task, optimisers: Sequence[str], *, steps: int, batch_size: int | None = None,
                  step_sizes: dict[str, float] | None = None, every: int | None = None, seed: int = 0, start: str | None = None,
                  kept: Unfinished | None = None, jobs: Jobs = Jobs(0)) -> Iterator[TrainingRun]:
    """The runs of `train`, each as it is finished; those that are kept are taken as they are, and one that was begun goes on."""
    unknown = [name for name in optimisers if name not in OPTIMISERS]
    if unknown:
        near = suggestion(unknown[0], OPTIMISERS)
        raise InputError(f"unknown optimiser {unknown[0]!r}{near or '; known are ' + ', '.join(OPTIMISERS)}")
    loss, n = task.loss, task.samples
    size = n if batch_size is None else batch_size
    if not 1 <= size <= n:
        raise InputError(f"a batch of {size} needs 1 <= size <= {n}, the number of samples")
    w0 = _first_weights(task, seed, start)
    found = {} if kept is None else kept.parts()
    for name in optimisers:
        if name in found:
            jobs.pass_over(1)
            yield found[name]
            continue
        rule, rng = OPTIMISERS[name], np.random.default_rng(seed + 1)
        h = (step_sizes or {}).get(name, rule.h)
        clock = _Clock(loss, max(1, steps // 100) if every is None else every, w0, jobs.begin(rule.label, steps))
        path = None if kept is None else kept.under_way(name)
        result = descend(loss if size == n else MiniBatches(loss, size), w0, update=rule.update(rng), step=Constant(h),
                         max_steps=steps, rng=rng, record=None, callbacks=[clock] if path is None else [clock, _Kept(path)],
                         resume=None if path is None else _resumed(path))
        yield TrainingRun(name, rule.label, h, np.array(clock.steps), np.array(clock.values), np.array(clock.seconds),
                          to_numpy(result.x), int(to_numpy(result.status)))
