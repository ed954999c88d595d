"""Conditional models of a name, fitted to a data set."""
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple
from warnings import warn

import numpy as np

from ..backend import Array, backend_of
from ..errors import require
from ..families.base import ExponentialFamily
from ..families.bernoulli import Bernoulli
from ..families.categorical import Categorical
from ..families.normal_known import NormalKnownVariance
from ..families.product import Independent
from ..networks.model import Batch, ConditionalModel, CrossEntropyLoss, NegativeLogLikelihood
from ..networks.usual import MLP, ConvNet
from ..training.units import Units, is_location_scale
from .dataset import Dataset
from .inputs import InputError, InputWarning

__all__ = ["Task", "task"]


@dataclass(frozen=True)
class Task:
    """A model and its loss on a data set.

    Attributes
    ----------
    name : str
    model : ConditionalModel
    loss : NegativeLogLikelihood
        Of the training rows.
    held_out : NegativeLogLikelihood, or None
        Of the rows that are held out.
    labels : tuple of str
        Of the classes; none where the targets are no classes.
    x_units, y_units : Units, or None
        In which the model sees inputs and targets, where it does not see them as they are.

    Examples
    --------
    >>> x, y = np.random.default_rng(0).uniform(size=(20, 2)), np.arange(20) % 2
    >>> task = ig.studies.task("2-3-2", ig.studies.Dataset("noise", x, y),
    ...                        held_out=0.25)
    >>> task.model.network.size                     # (2 + 1) 3 + (3 + 1) 2
    17
    >>> len(task.loss.batch[0]), len(task.held_out.batch[0])
    (15, 5)
    """

    name: str
    model: ConditionalModel
    loss: NegativeLogLikelihood
    held_out: NegativeLogLikelihood | None = None
    labels: tuple[str, ...] = ()
    x_units: Units | None = None
    y_units: Units | None = None

    @property
    def samples(self) -> int:
        """How many are trained on."""
        return int(self.loss.statistic.shape[-2])

    @property
    def log_volume(self) -> float:
        """By so much a loss for y in its own units is larger than the loss at hand, nats."""
        return 0.0 if self.y_units is None else self.y_units.log_volume

    def accuracy(self, w: Array) -> float:
        """The share of held-out rows whose most probable class is theirs; NaN where there are no classes or no such rows."""
        if self.held_out is None or not self.labels:
            return float("nan")
        xp, theta = self.held_out.xp, self.model.theta(w, self.held_out.x)
        guess = xp.argmax(xp.concat([theta, xp.zeros_like(theta[..., :1])], axis=-1), axis=-1)
        return float(xp.mean(xp.astype(xp.astype(guess, self.held_out.y.dtype) == self.held_out.y, theta.dtype)))


class _Plan(NamedTuple):
    """A model, what its loss is, and its data."""

    model: ConditionalModel
    loss: Callable[[ConditionalModel, Batch], NegativeLogLikelihood]
    x: np.ndarray
    y: np.ndarray
    labels: tuple[str, ...] = ()


def task(architecture: str | None, data: Dataset, dtype: str = "float64", *, family: ExponentialFamily | None = None,
         standardise: bool = False, held_out: float = 0.0, seed: int = 0) -> Task:
    """The task of a name on a data set.

    - ``autoencoder``: a deep one, inputs-60-30-10-30-60-inputs with Bernoulli outputs; its targets are the inputs, in [0, 1].
    - ``classifier``: one hidden layer of 30 and as many outputs as classes but one, the natural parameters of `Categorical`.
    - ``convnet``: the same outputs behind two convolutions, of square images.
    - ``regression``: one hidden layer of 30 and the outputs of the family, normal of variance 1 unless given.
    - sizes such as ``64-60-30-10-30-60-64``: an autoencoder if they end as they begin, or else a classifier, whose last size is
      the number of classes, or a regression, as the targets are.

    Parameters
    ----------
    architecture : str, or None
        Of None the digits are encoded, and targets are classified where they are classes, or else predicted as numbers.
    data : Dataset
    dtype : str
        "float32" or "float64": that of the inputs, on the backend at hand.
    family : ExponentialFamily, optional
        Of numbers: the law of the targets, given the inputs.
    standardise : bool
        Whether inputs have mean 0 and variance 1 in the training rows, and so targets of normal families.
    held_out : float
        The share of rows that are not trained on, in [0, 1).
    seed : int
        Of the order of the rows: what stands first in a file is not like the rest, and an optimiser may look at parts of a batch.

    Raises
    ------
    InputError
        Where the data do not suit the architecture.

    Examples
    --------
    >>> x, y = np.random.default_rng(0).uniform(size=(20, 2)), np.arange(20) % 2
    >>> task = ig.studies.task("classifier", ig.studies.Dataset("noise", x, y))
    >>> task.model.network.size                     # (2 + 1) 30 + (30 + 1)
    121
    """
    require("held_out", "0 <= held_out < 1", 0 <= held_out < 1, held_out)
    if architecture is None:
        architecture = _usual(data, family)
    plan = _plan(architecture, data, family)
    n = len(plan.x)
    m = min(n - 1, max(1, round(held_out * n))) if held_out else 0
    order = np.random.default_rng(seed).permutation(n)
    held, train = order[:m], order[m:]
    x_units = y_units = None
    x, y = plan.x, plan.y
    if standardise:
        if plan.loss is CrossEntropyLoss:
            raise InputError(f"{architecture}: the inputs are its targets, in [0, 1], and cannot be standardised")
        x_units = Units.of(x[train], np.ones(len(train)))
        x = x_units.inward(x)
        if not plan.labels and (family is None or is_location_scale(family)):
            y_units = Units.of(y[train], np.ones(len(train)))
            y = y_units.inward(y)
    losses = [plan.loss(plan.model, (_moved(x[rows], dtype), _moved(y[rows], dtype))) for rows in (train, held) if len(rows)]
    return Task(architecture, plan.model, losses[0], losses[1] if m else None, plan.labels, x_units, y_units)


def _usual(data: Dataset, family: ExponentialFamily | None) -> str:
    """The architecture where none is named; whole numbers of too many values to be classes are predicted as numbers."""
    if family is None and (data.y is None or data.name == "digits"):
        return "autoencoder"
    numbers = family is not None or data.y is None or not _classes(data.y) or data.labels is None and _many(data.y)
    return "regression" if numbers else "classifier"


def _many(y: np.ndarray) -> bool:
    return len(np.unique(y)) > max(20, len(y) // 10)


def _plan(architecture: str, data: Dataset, family: ExponentialFamily | None) -> _Plan:
    inputs = int(np.prod(data.x.shape[1:]))
    sizes = _sizes(architecture)
    if family is not None and (architecture in ("autoencoder", "convnet", "classifier") or data.y is None):
        raise InputError(f"a family is that of targets in a regression; {architecture} on {data.name} is none")
    if architecture == "autoencoder" or sizes and sizes[0] == sizes[-1] and family is None:
        return _autoencoder(architecture, data, sizes or (inputs, 60, 30, 10, 30, 60, inputs), inputs)
    if data.y is None:
        raise InputError(f"{architecture} needs targets, and {data.name} has none")
    if family is not None and (architecture == "regression" or sizes):
        return _of_family(architecture, data, data.y, family, sizes, inputs)
    if architecture == "regression" or sizes and not _classes(data.y):
        return _regression(architecture, data, data.y, sizes, inputs)
    if architecture in ("classifier", "convnet") or sizes:
        return _classifier(architecture, data, data.y, sizes, inputs)
    raise InputError(f"unknown architecture {architecture!r}; known are autoencoder, classifier, convnet, regression, and sizes "
                     "such as 64-30-10")


def _sizes(text: str) -> tuple[int, ...] | None:
    parts = text.split("-")
    if len(parts) < 2 or not all(part.isdigit() and int(part) > 0 for part in parts):
        return None
    return tuple(map(int, parts))


def _classes(y: np.ndarray) -> bool:
    return y.ndim == 1 and y.dtype.kind in "iu" and bool(y.min() >= 0)


def _fitting(architecture: str, sizes: tuple[int, ...], inputs: int, outputs: int) -> tuple[int, ...]:
    if sizes[0] != inputs or sizes[-1] != outputs:
        raise InputError(f"{architecture}: the data need {inputs} as the first size and {outputs} as the last")
    return sizes


def _moved(x: Array, dtype: str) -> Array:
    """On the backend at hand."""
    xp = backend_of()
    return xp.asarray(x, dtype=getattr(xp, dtype))


def _autoencoder(name: str, data: Dataset, sizes: tuple[int, ...], inputs: int) -> _Plan:
    x = data.x.reshape(len(data.x), -1)
    if x.min() < 0 or x.max() > 1:
        raise InputError(f"{name}: inputs must be in [0, 1]; {data.name} has them from {x.min():.4g} to {x.max():.4g}")
    model = ConditionalModel(MLP(_fitting(name, sizes, inputs, inputs)), Independent(Bernoulli(), inputs))
    return _Plan(model, CrossEntropyLoss, x, x)


def _classifier(name: str, data: Dataset, y: np.ndarray, sizes: tuple[int, ...] | None, inputs: int) -> _Plan:
    if not _classes(y):
        raise InputError(f"{name} needs targets 0, 1, 2, … or words; {data.name} has others")
    numbers, y = np.unique(y, return_inverse=True)
    k, labels = len(numbers), data.labels or tuple(map(str, numbers.tolist()))
    if k < 2:
        raise InputError(f"{name} needs at least two classes; {data.name} has {k}")
    if _many(y):
        warn(f"{data.name}: {k} classes in {len(y)} rows; of numbers --architecture regression predicts the law",
             InputWarning, stacklevel=2)
    family = Categorical(k)
    if name == "convnet":
        x = data.images()
        return _Plan(ConditionalModel(ConvNet(x.shape[1:], (8, 16), family.dim), family), NegativeLogLikelihood, x, y, labels)
    x = data.x.reshape(len(data.x), -1)
    sizes = _fitting(name, sizes or (inputs, 30, k), inputs, k)
    return _Plan(ConditionalModel(MLP((*sizes[:-1], family.dim)), family), NegativeLogLikelihood, x, y, labels)


def _regression(name: str, data: Dataset, y: np.ndarray, sizes: tuple[int, ...] | None, inputs: int) -> _Plan:
    y = np.asarray(y, dtype=float).reshape(len(y), -1)
    sizes = _fitting(name, sizes or (inputs, 30, y.shape[1]), inputs, y.shape[1])
    model = ConditionalModel(MLP(sizes), Independent(NormalKnownVariance(1.0), y.shape[1]))
    return _Plan(model, NegativeLogLikelihood, data.x.reshape(len(data.x), -1), y)


def _of_family(name: str, data: Dataset, y: np.ndarray, family: ExponentialFamily, sizes: tuple[int, ...] | None,
               inputs: int) -> _Plan:
    if data.labels is not None:
        raise InputError(f"{family!r} is a law of numbers, and the targets of {data.name} are words such as {data.labels[0]!r}")
    y = np.asarray(y, dtype=float)
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 and family.support.shape == () else y
    if y.shape[1:] != family.support.shape:
        raise InputError(f"{family!r} has observations of shape {family.support.shape}, {data.name} targets of {y.shape[1:]}")
    family.require_observations(f"the target of {data.name}", y)
    outputs = family.theta_domain.chart.inputs(family.dim)
    sizes = _fitting(name, sizes or (inputs, 30, outputs), inputs, outputs)
    return _Plan(ConditionalModel(MLP(sizes), family), NegativeLogLikelihood, data.x.reshape(len(data.x), -1), y)
