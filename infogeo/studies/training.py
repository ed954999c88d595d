"""Optimisers side by side on one task: loss against steps and against seconds."""
# One study from its optimisers to its results; a third of the lines are docstrings.
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from ..backend import Array, backend_of, to_numpy
from ..curvature.damping import FactoredTikhonov
from ..curvature.kfac_tridiagonal import ChainFactors
from ..curvature.kronecker_factors import RunningAverage
from ..curvature.outputs import ExactColumns, Outputs, RandomSigns
from ..curvature.unit_factors import QuasiDiagonalFactors, UnitFactors
from ..networks.files import load
from ..networks.initial import Glorot
from ..solvers.descend import descend
from ..solvers.moment import Moment
from ..solvers.snapshot import Snapshot
from ..solvers.step import Step
from ..solvers.update import GradientUpdate, Update
from ..training.adam import Adam, RMSprop
from ..training.adaptive import AdaptiveNatural, HarmonicRate
from ..training.checkpoint import Checkpoint, load_checkpoint
from ..training.data import MiniBatches
from ..training.ekfac import EKFAC
from ..training.fitting import COLUMNS, RENEWED, default_step
from ..training.kfac import KFAC, Refresh, Share
from ..training.layer_metrics import TwoSided
from ..training.momentum import Momentum, Nesterov
from ..training.relative import RelativeNatural
from ..training.rules import TrustedLambda
from ..training.structured import StructuredNatural
from ..training.tonga import TONGA
from .architecture import Task
from .bars import Jobs
from .inputs import InputError, suggestion
from .unfinished import Unfinished

__all__ = ["OPTIMISERS", "Optimiser", "TrainingRun", "TrainingSettings", "TrainingStudy", "train", "training_runs"]

KEPT_EVERY = 2.0    # seconds: that of K-FAC on the autoencoder of the digits is 1.1 MB


class Circumstances(NamedTuple):
    """What an optimiser is made for.

    Attributes
    ----------
    rng : numpy.random.Generator
    outputs : Outputs
        The covectors of curvatures: all columns of the metric of few outputs, random signs of many.
    rows : int
        That a step sees.
    whole : bool
        Whether these are all.
    damping : float, or None
        Of those that have one, in place of their own: λ before the first step of K-FAC and its kin.
    """

    rng: np.random.Generator
    outputs: Outputs
    rows: int
    whole: bool
    damping: float | None = None


@dataclass(frozen=True)
class Optimiser:
    """An update and its step size.

    Attributes
    ----------
    label : str
    update : function (Circumstances) -> Update
    h : float, optional
        The step size in mini-batches, where a search for it would fit each of them; `default_step` of the update of None, and
        where every step sees all rows.
    damped : bool
        Whether it has a damping.

    Examples
    --------
    >>> for name in ("kfac", "adam"):
    ...     optimiser = ig.studies.OPTIMISERS[name]
    ...     print(optimiser.label, optimiser.h, optimiser.damped)
    K-FAC None True
    Adam None False
    """

    label: str
    update: Callable[[Circumstances], Update]
    h: float | None = None
    damped: bool = False


def _kfac(label: str, make: Callable[..., KFAC], **of_all: Any) -> Optimiser:
    """K-FAC or one of its kin, its quadratic model of a quarter of the rows, and of 1000 at least; with parts for all rows."""
    def update(given: Circumstances) -> Update:
        parts: dict[str, Any] = {"products": Share(min(1.0, max(0.25, 1000 / given.rows)))}
        if given.whole:
            parts |= of_all
        if given.damping is not None:
            parts["damping"] = TrustedLambda(given.damping)
        return make(outputs=given.outputs, **parts)
    return Optimiser(label, update, damped=True)


def _structured(given: Circumstances) -> Update:
    if given.whole:         # a search for the step size, no noise: breast cancer at tuned Adam's loss in 198 steps, with .1 819
        return StructuredNatural(TwoSided(), FactoredTikhonov(given.damping or 0.003), refresh=10, average=RunningAverage(0.0),
                                 outputs=given.outputs)
    return StructuredNatural(TwoSided(), FactoredTikhonov(given.damping or 0.1), refresh=5, outputs=given.outputs)


def _relative(given: Circumstances) -> Update:
    return RelativeNatural(given.damping or 1e-4, refresh=10)


def _adaptive(given: Circumstances) -> Update:
    return AdaptiveNatural(given.damping or 0.1, HarmonicRate(1.0, 10.0), outputs=RandomSigns(given.rng))


def _tonga(outputs: Outputs, **parts: Any) -> KFAC:
    """Of the data's own targets."""
    return TONGA(**parts)


OPTIMISERS = {
    "kfac": _kfac("K-FAC", KFAC, **RENEWED),
    "ekfac": _kfac("EK-FAC", EKFAC, averaging=RunningAverage(0.0), learning=Refresh()),
    "tridiagonal": _kfac("K-FAC, chain", partial(KFAC, factors=ChainFactors), **RENEWED),
    "unitwise": _kfac("unit-wise", partial(KFAC, factors=UnitFactors), **RENEWED),
    "quasi-diagonal": _kfac("quasi-diagonal", partial(KFAC, factors=QuasiDiagonalFactors), **RENEWED),
    "tonga": _kfac("TONGA", _tonga),
    "sngd": Optimiser("SNGD", _structured, 0.1, damped=True),
    "rngd": Optimiser("RNGD", _relative, 0.01, damped=True),
    "adaptive": Optimiser("adaptive", _adaptive, 0.1, damped=True),      # of few weights: it holds their number squared
    "sgd": Optimiser("gradient descent", lambda given: GradientUpdate(), 0.03),
    "momentum": Optimiser("momentum 0.9", lambda given: Momentum(0.9)),
    "nesterov": Optimiser("Nesterov 0.9", lambda given: Nesterov(0.9)),
    "adam": Optimiser("Adam", lambda given: Adam()),
    "rmsprop": Optimiser("RMSprop", lambda given: RMSprop()),
}


@dataclass(frozen=True)
class TrainingRun:
    """One optimiser's way down.

    Attributes
    ----------
    name, label : str
    h : float
        NaN where every step searched for its own.
    steps : int array, shape (records,)
        Where the loss of the whole training set was computed.
    loss, held_out : arrays, shape (records,)
        Of the rows that are trained on, and of those that are not, NaN where there are none; nats, for targets in their own
        units.
    seconds : array, shape (records,)
        Of the steps alone, without the time for these values.
    x : array, shape (size,)
        The last weights.
    status : int
        A `Status`.
    accuracy : float
        The share of the held-out rows that the last weights classify rightly; NaN where there are none, or no classes.

    Examples
    --------
    >>> x, y = np.random.default_rng(0).uniform(size=(20, 2)), np.arange(20) % 2
    >>> task = ig.studies.task("2-3-2", ig.studies.Dataset("noise", x, y))
    >>> run, = ig.studies.train(task, "noise", ["sgd"], steps=3).runs
    >>> run.name, run.steps, run.loss.shape
    ('sgd', array([0, 1, 2, 3]), (4,))
    """

    name: str
    label: str
    h: float
    steps: np.ndarray
    loss: np.ndarray
    held_out: np.ndarray
    seconds: np.ndarray
    x: np.ndarray
    status: int
    accuracy: float


@dataclass(frozen=True)
class TrainingStudy:
    """What `train` found.

    Attributes
    ----------
    task : Task
    data : str
    runs : list of TrainingRun
    batch_size, seed : int

    Examples
    --------
    >>> x, y = np.random.default_rng(0).uniform(size=(20, 2)), np.arange(20) % 2
    >>> task = ig.studies.task("2-3-2", ig.studies.Dataset("noise", x, y))
    >>> study = ig.studies.train(task, "noise", ["kfac", "sgd"], steps=3)
    >>> [run.name for run in study.runs], study.batch_size
    (['kfac', 'sgd'], 20)
    """

    task: Task
    data: str
    runs: list[TrainingRun]
    batch_size: int
    seed: int


class _Clock:
    """Losses every so many steps, and the seconds between, which the values are not part of."""

    def __init__(self, task: Task, every: int, w0: Array, shown: Sequence[Callable[[Moment], None]]) -> None:
        self.task, self.every, self.shown = task, every, shown
        self.state = [0], [self.losses(w0)], [0.0], 0.0

    def losses(self, w: Array) -> tuple[float, float]:
        """Of the rows that are trained on, and of those that are not."""
        value, unseen = (float("nan") if loss is None else float(loss.value(w)) + self.task.log_volume
                         for loss in (self.task.loss, self.task.held_out))
        return value, unseen

    @property
    def state(self) -> tuple[list[int], list[tuple[float, float]], list[float], float]:
        """(steps, values, seconds, seconds spent), from which a run goes on."""
        return self.steps, self.values, self.seconds, self.spent + perf_counter() - self.since

    @state.setter
    def state(self, state: tuple[list[int], list[tuple[float, float]], list[float], float]) -> None:
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
        self.values.append(self.losses(moment.x))
        self.seconds.append(self.spent)
        self.since = perf_counter()


class _Kept(Checkpoint):
    """A checkpoint every so many steps, or every few seconds: no more than these are lost where a run is interrupted."""

    def __init__(self, path: Path, every: int | None) -> None:
        super().__init__(path, every or 1)
        self.last, self.timed = perf_counter(), every is None

    def __call__(self, moment: Moment) -> None:
        if not self.timed or perf_counter() - self.last >= KEPT_EVERY:
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


@dataclass(frozen=True)
class TrainingSettings:
    """How `train` goes about it.

    Attributes
    ----------
    steps : int
    batch_size : int, optional
        Samples of a mini-batch; all of them if not given.
    step_sizes, damping : dict, optional
        By optimiser, in place of its own.
    every : int, optional
        Steps between two records of the loss; a hundredth of the steps if not given.
    seed : int
    start : str, optional
        A file of a model of this task, whose weights are the first ones.

    Examples
    --------
    >>> settings = ig.studies.TrainingSettings(steps=100, damping={"kfac": 0.1})
    >>> settings.seed, settings.batch_size is None            # all rows a step
    (0, True)
    """

    steps: int
    batch_size: int | None = None
    step_sizes: dict[str, float] = field(default_factory=dict)
    damping: dict[str, float] = field(default_factory=dict)
    every: int | None = None
    seed: int = 0
    start: str | None = None


def train(task: Task, data: str, optimisers: Sequence[str], *, progress: bool = False, **settings: Any) -> TrainingStudy:
    """Train a task with each optimiser from the same weights.

    Parameters
    ----------
    task : Task
    data : str
        The name of the data, for reports.
    optimisers : sequence of str
        Keys of `OPTIMISERS`.
    progress : bool
    settings
        Those of `TrainingSettings`: steps, batch_size, step_sizes, damping, every, seed, start.

    Raises
    ------
    InputError
        For an unknown optimiser, a batch larger than the data, or a file of another model.

    Returns
    -------
    TrainingStudy

    Examples
    --------
    >>> x, y = np.random.default_rng(0).uniform(size=(20, 2)), np.arange(20) % 2
    >>> task = ig.studies.task("2-3-2", ig.studies.Dataset("noise", x, y))
    >>> study = ig.studies.train(task, "noise", ["kfac"], steps=5)
    >>> bool(study.runs[0].loss[-1] < study.runs[0].loss[0])
    True
    """
    how = TrainingSettings(**settings)
    with Jobs(len(optimisers), progress) as jobs:
        runs = list(training_runs(task, optimisers, how, jobs=jobs))
    return TrainingStudy(task, data, runs, how.batch_size or task.samples, how.seed)


def training_runs(task: Task, optimisers: Sequence[str], how: TrainingSettings, *, kept: Unfinished | None = None,
                  checkpoint: int | None = None, jobs: Jobs = Jobs(0)) -> Iterator[TrainingRun]:
    """The runs of `train`, each as it is finished; those that are kept are taken as they are, and one that was begun goes on."""
    _require_known(task, optimisers, how)
    w0 = _first_weights(task, how.seed, how.start)
    found = {} if kept is None else kept.parts()
    for name in optimisers:
        if name in found:
            jobs.pass_over(1)
            yield found[name]
            continue
        path = None if kept is None else kept.under_way(name)
        yield _run(task, name, how, w0, path, checkpoint, jobs)


def _require_known(task: Task, optimisers: Sequence[str], how: TrainingSettings) -> None:
    unknown = [name for name in optimisers if name not in OPTIMISERS]
    if unknown:
        near = suggestion(unknown[0], OPTIMISERS)
        raise InputError(f"unknown optimiser {unknown[0]!r}{near or '; known are ' + ', '.join(OPTIMISERS)}")
    undamped = [name for name in how.damping if not OPTIMISERS[name].damped]
    if undamped:
        known = ", ".join(name for name, rule in OPTIMISERS.items() if rule.damped)
        raise InputError(f"{undamped[0]} has no damping; those that have are {known}")
    size = task.samples if how.batch_size is None else how.batch_size
    if not 1 <= size <= task.samples:
        raise InputError(f"a batch of {size} needs 1 <= size <= {task.samples}, the number of samples")


def _run(task: Task, name: str, how: TrainingSettings, w0: Array, path: Path | None, checkpoint: int | None,
         jobs: Jobs) -> TrainingRun:
    """One optimiser's run, which goes on from a file where there is one."""
    rule, rng, size = OPTIMISERS[name], np.random.default_rng(how.seed + 1), how.batch_size or task.samples
    outputs, whole = ExactColumns() if task.model.family.dim <= COLUMNS else RandomSigns(rng), size == task.samples
    update = rule.update(Circumstances(rng, outputs, size, whole, how.damping.get(name)))
    step = how.step_sizes.get(name, default_step(update) if rule.h is None or whole else rule.h)
    clock = _Clock(task, max(1, how.steps // 100) if how.every is None else how.every, w0, jobs.begin(rule.label, how.steps))
    loss = task.loss if whole else MiniBatches(task.loss, size)
    result = descend(loss, w0, update=update, step=step, max_steps=how.steps, rng=rng, record=None,
                     callbacks=[clock] if path is None else [clock, _Kept(path, checkpoint)],
                     resume=None if path is None else _resumed(path))
    losses, held_out = np.array(clock.values).T
    h = float("nan") if isinstance(step, Step) else step
    return TrainingRun(name, rule.label, h, np.array(clock.steps), losses, held_out, np.array(clock.seconds), to_numpy(result.x),
                       int(to_numpy(result.status)), task.accuracy(result.x))
