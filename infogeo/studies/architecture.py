"""Conditional models of a name, fitted to a data set."""
from dataclasses import dataclass

import numpy as np

from ..backend import Array, backend_of
from ..families.bernoulli import Bernoulli
from ..families.categorical import Categorical
from ..families.normal_known import NormalKnownVariance
from ..families.product import Independent
from ..networks.model import ConditionalModel, CrossEntropyLoss, NegativeLogLikelihood
from ..networks.network import MLP, ConvNet
from .dataset import Dataset
from .naming import InputError

__all__ = ["Task", "task"]


@dataclass(frozen=True)
class Task:
    """A model and its loss on a data set.

    Attributes
    ----------
    name : str
    model : ConditionalModel
    loss : NegativeLogLikelihood
    """

    name: str
    model: ConditionalModel
    loss: NegativeLogLikelihood

    @property
    def samples(self) -> int:
        """How many there are."""
        return int(self.loss.statistic.shape[-2])


def task(architecture: str, data: Dataset, dtype: str = "float64") -> Task:
    """The task of a name on a data set.

    - ``autoencoder``: a deep one, inputs-60-30-10-30-60-inputs with Bernoulli outputs; its targets are the inputs, in [0, 1].
    - ``classifier``: one hidden layer of 30 and as many outputs as classes but one, the natural parameters of `Categorical`.
    - ``convnet``: the same outputs behind two convolutions, of square images.
    - ``regression``: one hidden layer of 30 and normal outputs of variance 1.
    - sizes such as ``64-60-30-10-30-60-64``: an autoencoder if they end as they begin, or else a classifier, whose last size is
      the number of classes, or a regression, as the targets are.

    Parameters
    ----------
    architecture : str
    data : Dataset
    dtype : str
        "float32" or "float64": that of the inputs, on the backend at hand.

    Raises
    ------
    InputError
        Where the data do not suit the architecture.
    """
    inputs = int(np.prod(data.x.shape[1:]))
    sizes = _sizes(architecture)
    if architecture == "autoencoder" or sizes and sizes[0] == sizes[-1]:
        return _autoencoder(architecture, data, sizes or (inputs, 60, 30, 10, 30, 60, inputs), inputs, dtype)
    if data.y is None:
        raise InputError(f"{architecture} needs targets, and {data.name} has none")
    if architecture == "regression" or sizes and not _classes(data.y):
        return _regression(architecture, data, data.y, sizes, inputs, dtype)
    if architecture in ("classifier", "convnet") or sizes:
        return _classifier(architecture, data, data.y, sizes, inputs, dtype)
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


def _autoencoder(name: str, data: Dataset, sizes: tuple[int, ...], inputs: int, dtype: str) -> Task:
    x = data.x.reshape(len(data.x), -1)
    if x.min() < 0 or x.max() > 1:
        raise InputError(f"{name}: inputs must be in [0, 1]; {data.name} has them from {x.min():.4g} to {x.max():.4g}")
    model = ConditionalModel(MLP(_fitting(name, sizes, inputs, inputs)), Independent(Bernoulli(), inputs))
    x = _moved(x, dtype)
    return Task(name, model, CrossEntropyLoss(model, (x, x)))


def _classifier(name: str, data: Dataset, y: np.ndarray, sizes: tuple[int, ...] | None, inputs: int, dtype: str) -> Task:
    if not _classes(y):
        raise InputError(f"{name} needs targets 0, 1, 2, …; {data.name} has others")
    k = int(y.max()) + 1
    if k < 2:
        raise InputError(f"{name} needs at least two classes; {data.name} has {k}")
    family = Categorical(k)
    if name == "convnet":
        x = data.images()
        model = ConditionalModel(ConvNet(x.shape[1:], (8, 16), family.dim), family)
    else:
        x = data.x.reshape(len(data.x), -1)
        sizes = _fitting(name, sizes or (inputs, 30, k), inputs, k)
        model = ConditionalModel(MLP((*sizes[:-1], family.dim)), family)
    return Task(name, model, model.objective((_moved(x, dtype), _moved(y, dtype))))


def _regression(name: str, data: Dataset, y: np.ndarray, sizes: tuple[int, ...] | None, inputs: int, dtype: str) -> Task:
    y = np.asarray(y, dtype=float).reshape(len(y), -1)
    sizes = _fitting(name, sizes or (inputs, 30, y.shape[1]), inputs, y.shape[1])
    model = ConditionalModel(MLP(sizes), Independent(NormalKnownVariance(1.0), y.shape[1]))
    return Task(name, model, model.objective((_moved(data.x.reshape(len(data.x), -1), dtype), _moved(y, dtype))))
