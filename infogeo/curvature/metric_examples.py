"""Of which examples the metric on weights is, where the steps of a run see others each."""
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backend import Array, arrays
from ..errors import require, require_count
from ..networks.batches import require_batch
from ..networks.model import Batch, NegativeLogLikelihood

__all__ = ["MetricExamples", "OwnExamples", "StepExamples"]


class MetricExamples(ABC):
    """The examples that the metric of a step is made of.

    Attributes
    ----------
    rng : numpy.random.Generator or None
        What they are drawn from; a snapshot of a run keeps its state.

    Examples
    --------
    >>> class Half(ig.curvature.MetricExamples):    # of those of the step
    ...     def seen(self, loss, own):
    ...         return loss.first(len(loss.batch[0]) // 2), None
    >>> x = np.linspace(-1.0, 1.0, 50)[:, None]
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> f = ig.training.MiniBatches(model.objective((x, x[:, 0] > 0)), 10)
    >>> space = ig.curvature.WeightSpace(model, None, ig.curvature.fisher,
    ...                                  ig.curvature.Tikhonov(0.1), Half())
    >>> run = ig.descend(f, np.zeros(2), geometry=space,
    ...                  update=ig.NaturalUpdate(), step=0.5, max_steps=20,
    ...                  rng=np.random.default_rng(0))
    >>> bool(f.value(run.x) < 0.5 * np.log(2))
    True
    """

    rng: np.random.Generator | None = None

    @abstractmethod
    def seen(self, loss: NegativeLogLikelihood, own: Batch | None) -> tuple[NegativeLogLikelihood | None, Batch | None]:
        """``(loss, None)`` for those of a loss, or ``(None, batch)``, in a step of that loss; `own` are those of the manifold."""


@dataclass(frozen=True)
class StepExamples(MetricExamples):
    """Those that the gradient is made of.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> loss = model.objective(([[1.0], [3.0], [2.0]], [0, 1, 0]))
    >>> f, w = ig.training.MiniBatches(loss, 3), np.zeros(2)
    >>> space = ig.curvature.WeightSpace(model, None, ig.curvature.fisher,
    ...                                  ig.curvature.Undamped(),
    ...                                  ig.curvature.StepExamples())
    >>> run = ig.descend(f, w, geometry=space, update=ig.NaturalUpdate(),
    ...                  step=1.0, max_steps=1, rng=np.random.default_rng(0))
    >>> run.x.round(6)                              # −F⁻¹ c of the three
    array([ 2.      , -4.666667])
    """

    def seen(self, loss: NegativeLogLikelihood, own: Batch | None) -> tuple[NegativeLogLikelihood | None, Batch | None]:
        return loss, None


@dataclass(frozen=True)
class OwnExamples(MetricExamples):
    """Those of the manifold, whatever the gradient is made of: all of them, or a few that are drawn anew for every mini-batch.

    A metric of other examples than the gradient's is independent of the gradient's noise. The Fisher metric needs no y, so that
    examples without labels serve: ``(x, None)`` is their batch.

    Parameters
    ----------
    size : int, optional
        How many are drawn, without one twice; all unless given.
    rng : numpy.random.Generator, optional
        Needed with `size`. Its state is part of a snapshot, so that a run that goes on draws what it would have drawn.

    Source: Pascanu & Bengio, Revisiting natural gradient for deep networks (2013), for metrics of other and unlabelled examples.

    Examples
    --------
    >>> own = ig.curvature.OwnExamples(2, np.random.default_rng(0))
    >>> _, (x, y, weights) = own.seen(None, (np.arange(9.0)[:, None], None))
    >>> x.shape, y     # two of nine, without labels
    ((2, 1), None)
    """

    size: int | None = None
    rng: np.random.Generator | None = None

    def __post_init__(self) -> None:
        if self.size is not None:
            require_count("size", self.size)
            if not isinstance(self.rng, np.random.Generator):
                raise TypeError("OwnExamples with a size draws and needs rng, such as numpy.random.default_rng(0); got "
                                f"{self.rng!r}")

    def seen(self, loss: NegativeLogLikelihood, own: Batch | None) -> tuple[NegativeLogLikelihood | None, Batch | None]:
        if own is None:
            raise TypeError("OwnExamples are those of the WeightSpace, which has none: give it a batch")
        return None, own if self.size is None else self._drawn(own, self.size)

    def _drawn(self, own: Batch, size: int) -> Batch:
        assert self.rng is not None
        x, y, weights = require_batch(own)
        n = arrays(x)[1].shape[0]
        require("size", f"1 <= size <= n = {n}", size <= n, size)
        index = self.rng.choice(n, size, replace=False)
        return _taken(x, index), _taken(y, index), _taken(weights, index)


def _taken(part: Any, index: np.ndarray) -> Array | None:
    """Some rows; of nothing, nothing."""
    if part is None:
        return None
    xp, part = arrays(part)
    return xp.take(part, xp.asarray(index), axis=0)
