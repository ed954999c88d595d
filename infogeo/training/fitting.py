"""From arrays to weights: epochs over mini-batches, a penalty, a validation set, and when to stop."""
from dataclasses import dataclass, field
from math import ceil, inf
from numbers import Real
from typing import Any

import numpy as np

from ..backend import Array, generator, to_numpy
from ..curvature.kronecker_factors import RunningAverage
from ..curvature.outputs import ExactColumns
from ..errors import ConvergenceError, DomainError, require, require_count, takes
from ..networks.affine import Affine
from ..networks.batches import total_weight
from ..networks.initial import Glorot
from ..networks.model import Batch, ConditionalModel, NegativeLogLikelihood
from ..solvers.descend import descend
from ..solvers.moment import Moment
from ..solvers.result import Result, Status
from ..solvers.step import Backtracking, Step
from ..solvers.update import Update
from .adam import Adam, RMSprop
from .data import MiniBatches, Regularised
from .kfac import KFAC, Refresh
from .momentum import Momentum, Nesterov

__all__ = ["Training", "fit", "initial_weights"]

COLUMNS = 32                    # outputs up to which K-FAC takes all columns of their metric, which nothing is drawn for
WHOLE, PART = 4096, 1024        # samples that are taken at once, and those of a mini-batch where there are more
# Of all samples at once factors are as good from the steps with new inverses alone, and better without those of other weights: 60
# epochs on scikit-learn's digits take .20 s, .35 with an average of those of every step, and a loss of .0514, .0530 after 15
RENEWED: dict[str, Any] = {"averaging": RunningAverage(0.0), "refresh": Refresh(10, 3), "learning": Refresh(10, 3)}


@dataclass(frozen=True)
class Training:
    """What `fit` found.

    Attributes
    ----------
    w : array, shape (size,)
        The weights; with a validation set the best ones there.
    losses : list of float
        The mean of the penalised loss over each epoch, as its steps saw it, nats.
    validation : list of float
        The loss of the validation set after each epoch, without the penalty; empty where there is none.
    status : Status
        STOPPED where nothing was gained any more, MAX_STEPS after all epochs.
    point, state : array and object
        Where the run was last, and what its update carries: a further `fit` goes on from there.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((60, 2))
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((2, 1)),
    ...                                      ig.Bernoulli())
    >>> found = ig.training.fit(model, (x, x[:, 0] > 0), max_epochs=5)
    >>> found.epochs, found.w.shape, found.status.name
    (5, (3,), 'MAX_STEPS')
    >>> bool(np.all(np.diff(found.losses) < 0))
    True
    """

    w: Array
    losses: list[float]
    validation: list[float]
    status: Status
    point: Array = field(repr=False)
    state: Any = field(repr=False)

    @property
    def epochs(self) -> int:
        """How many were run."""
        return len(self.losses)


@takes(model=ConditionalModel, optimiser=Update, start=Training)
def fit(model: ConditionalModel, batch: Batch, *, optimiser: Update | None = None, step: Any = None, max_epochs: int = 200,
        batch_size: int | None = None, prior_precision: float = 1.0, validation: Batch | None = None, patience: int = 10,
        tol: float = 1e-4, rng: np.random.Generator | None = None, start: Training | None = None,
        progress: bool = False) -> Training:
    """Train a model from random weights, or go on.

    Mathematically, what is minimised is −(1/N) (Σ log p(y_n | θ_n) − (τ/2) |w|²) with N samples, or the sum of their weights, and
    the precision τ of a normal prior of the weights.

    Parameters
    ----------
    model : ConditionalModel
    batch : pair (x, y), or (x, y, weights)
    optimiser : Update, optional
        `KFAC` whose covectors are all columns of the metric of up to 32 outputs, which nothing is drawn for, and random signs of
        more, unless another is given. Of all samples at once its factors are those of every tenth step.
    step : number or Step, optional
        Unless given 1 for K-FAC and its kin, .01 for Adam and RMSprop, .3 (1 − β) for momentum and Nesterov's method, so .03 for
        β = .9, and `Backtracking` from 1 for others.
    max_epochs : int
        An epoch sees every sample once.
    batch_size : int, optional
        All samples up to 4096 of them and 1024 of more, unless given.
    prior_precision : float
        τ, not negative.
    validation : pair (x, y), or (x, y, weights), optional
    patience, tol : int, float
        The run ends after so many epochs that gained no more than `tol` each on the mean, of the validation's loss or, without
        one, of the loss.
    rng : numpy.random.Generator, optional
        Seed 0 unless given.
    start : Training, optional
        To go on from.
    progress : bool

    Raises
    ------
    DomainError, ShapeError, TypeError

    Examples
    --------
    >>> import numpy as np
    >>> import infogeo as ig
    >>> x = np.random.default_rng(0).standard_normal((100, 2))
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((2, 8, 1)), ig.Bernoulli())
    >>> found = ig.training.fit(model, (x, x[:, 0] > 0))
    >>> found.losses[-1] < 0.5 * found.losses[0]
    True
    """
    require_count("max_epochs", max_epochs), require_count("patience", patience)
    for name, value in (("prior_precision", prior_precision), ("tol", tol)):
        require(name, f"{name} >= 0", isinstance(value, Real) and float(value) >= 0, value)
    loss, rng = model.objective(batch), generator(0) if rng is None else rng
    n = loss.statistic.shape[-2]
    size = min(n, require_count("batch_size", batch_size)) if batch_size is not None else n if n <= WHOLE else PART
    update = default_optimiser(model, whole=size == n) if optimiser is None else optimiser
    step = default_step(update) if step is None else step
    objective = Regularised(loss if size == n else MiniBatches(loss, size), prior_precision / total_weight(batch, n))
    epochs = _Epochs(ceil(n / size), patience, tol, None if validation is None else model.objective(validation))
    x0 = initial_weights(loss, rng) if start is None else start.point
    run = descend(objective, x0, update=update if start is None else _Continued(update, start.state), step=step,
                  max_steps=max_epochs * epochs.length, rng=rng, record=None, progress=progress, callbacks=[epochs])
    return epochs.training(run)


def default_optimiser(model: ConditionalModel, whole: bool) -> Update:
    """K-FAC, without a draw where the outputs are few; for the whole of the samples at every step, or mini-batches."""
    outputs = ExactColumns() if model.family.dim <= COLUMNS else None
    return KFAC(outputs, **RENEWED) if whole else KFAC(outputs)


def default_step(update: Update) -> Step | float:
    """The step size, or the rule for it, with which an update is mostly right where features have variance 1."""
    if isinstance(update, KFAC):
        return 1.0
    if isinstance(update, (Adam, RMSprop)):
        return 0.01
    return 0.3 * (1.0 - update.decay) if isinstance(update, (Momentum, Nesterov)) else Backtracking()


def initial_weights(loss: NegativeLogLikelihood, rng: np.random.Generator) -> Array:
    """Random weights (`Glorot`), with the law of all observations together in the bias of the last layer, where it has one."""
    network, chart, family = loss.model.network, loss.model.chart, loss.model.family
    xp = loss.xp
    w = xp.asarray(to_numpy(network.init(rng, Glorot())), dtype=loss.x.dtype)
    last, place = network.layers[-1], network.slices[-1]
    if not isinstance(last, Affine) or not last.bias or place is None:
        return w
    known: Any = family
    try:
        u = chart.inverse(known.fit(loss.y, loss.weights))
    except (ConvergenceError, DomainError, TypeError):          # there is none, as of a y that does not vary
        return w
    return xp.concat([w[:place.stop - u.shape[-1]], xp.astype(u, w.dtype), w[place.stop:]]) if xp.all(xp.isfinite(u)) else w


class _Epochs:
    """A callback that counts epochs, looks at the validation set after each, and ends the run where nothing is gained."""

    def __init__(self, length: int, patience: int, tol: float, held_out: NegativeLogLikelihood | None) -> None:
        self.length, self.patience, self.tol, self.held_out = length, patience, tol, held_out
        self.losses: list[float] = []
        self.values: list[float] = []
        self.seen: list[float] = []
        self.best: tuple[float, Any] = inf, None
        self.point: Any = None

    def __call__(self, moment: Moment) -> bool:
        self.point = moment.x
        self.seen.append(float(moment.value))
        if moment.k % self.length:
            return False
        self.losses.append(sum(self.seen) / len(self.seen))
        self.seen = []
        if self.held_out is not None:
            self.values.append(float(self.held_out.value(moment.x)))
            if self.values[-1] < self.best[0]:
                self.best = self.values[-1], moment.x
        values, last = self.values if self.held_out is not None else self.losses, self.patience
        return len(values) > last and not min(values[-last:]) < min(values[:-last]) - last * self.tol

    def training(self, run: Result) -> Training:
        w = run.x if self.best[1] is None else self.best[1]
        point = run.x if self.point is None else self.point
        return Training(w, self.losses, self.values, Status(int(to_numpy(run.status))), point, run.state)


class _Continued(Update):
    """An update that begins with a state that it has already."""

    def __init__(self, update: Update, state: Any) -> None:
        self.update, self.state_before = update, state

    def init(self, x: Array) -> Any:
        return self.state_before

    def seeded(self, rng: Any) -> Update:
        return _Continued(self.update.seeded(rng), self.state_before)

    def on(self, objective: Any) -> Update:
        return self.update.on(objective)

    def answer(self, x: Array, state: Any) -> Array:
        return self.update.answer(x, state)

    def __call__(self, geometry: Any, x: Array, covector: Array, h: Array, state: Any = None) -> tuple[Array, Any]:
        return self.update(geometry, x, covector, h, state)

    def velocity(self, geometry: Any, x: Array, covector: Array) -> Array:
        return self.update.velocity(geometry, x, covector)
