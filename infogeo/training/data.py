"""Training data: the loss of a data set that each step sees through a mini-batch, and weight decay."""
from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import exp
from numbers import Real
from typing import Any

import numpy as np

from ..arrays.draws import Draws
from ..backend import Array, dot
from ..errors import require, require_count, require_positive, takes
from ..networks.model import NegativeLogLikelihood
from ..objectives.base import Objective

__all__ = ["BatchSize", "FixedBatches", "GrowingBatches", "MiniBatches", "Regularised"]


class BatchSize(ABC):
    """A rule that gives the number of examples in each mini-batch.

    Examples
    --------
    >>> class Doubling(ig.training.BatchSize):
    ...     def __call__(self, k, n):
    ...         return min(2**k, n)
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> loss = model.objective((np.ones((9, 1)), np.zeros(9)))
    >>> rng = np.random.default_rng(0)
    >>> f = ig.training.MiniBatches(loss, Doubling())
    >>> [len(f.draw(rng).batch[0]) for _ in range(5)]
    [1, 2, 4, 8, 9]
    """

    @abstractmethod
    def __call__(self, k: int, n: int) -> int:
        """Examples in the mini-batch of step k = 0, 1, … out of n."""


@dataclass(frozen=True)
class FixedBatches(BatchSize):
    """m examples at every step.

    Examples
    --------
    >>> ig.training.FixedBatches(32)(k=100, n=1000)
    32
    """

    m: int

    def __post_init__(self) -> None:
        require_count("m", self.m)

    def __call__(self, k: int, n: int) -> int:
        return self.m


@dataclass(frozen=True)
class GrowingBatches(BatchSize):
    """min(m e^{k/b}, n) examples at step k = 0, 1, …, rounded down.

    Parameters
    ----------
    m : int
        Examples at the first step.
    b : float
        Steps in which the mini-batch grows by the factor e.

    Source: Martens & Grosse, Optimizing neural networks with Kronecker-factored approximate curvature (2015), section 13.

    Examples
    --------
    >>> size = ig.training.GrowingBatches(m=100, b=10.0)
    >>> [size(k, n=1000) for k in (0, 10, 20, 30)]  # 100 e, 100 e², all
    [100, 271, 738, 1000]
    """

    m: int
    b: float

    def __post_init__(self) -> None:
        require_count("m", self.m)
        require_positive("b", self.b)

    def __call__(self, k: int, n: int) -> int:
        return n if k > self.b * np.log(n / self.m) else int(self.m * exp(k / self.b))


class MiniBatches(Objective):
    """The loss of a data set; each step sees that of a mini-batch, every example once an epoch.

    The examples of an epoch come in a random order, a new one for every epoch, and a mini-batch that straddles two epochs takes
    the rest of one and the beginning of the next. The value and gradient of the objective itself are those of all examples: a run
    takes them once, at its end.

    Parameters
    ----------
    loss : NegativeLogLikelihood
        Of all examples, ``model.objective((x, y))``, or another such as `CrossEntropyLoss`.
    size : int or BatchSize

    Attributes
    ----------
    state : tuple (k, order, taken)
        Mini-batches drawn, the order of this epoch and how many of it were seen: a snapshot keeps it, so that a run that goes on
        sees the examples that it would have seen.

    Raises
    ------
    DomainError
        Where the size is not from 1 to the number of examples.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> x, rng = np.arange(6.0)[:, None], np.random.default_rng(0)
    >>> f = ig.training.MiniBatches(model.objective((x, x[:, 0] > 2)), 3)
    >>> epoch = [f.draw(rng).batch[0][:, 0] for _ in range(2)]
    >>> np.sort(np.concatenate(epoch))              # each example once
    array([0., 1., 2., 3., 4., 5.])
    """

    usual_record = NegativeLogLikelihood.usual_record

    @takes(loss=NegativeLogLikelihood)
    def __init__(self, loss: NegativeLogLikelihood, size: int | BatchSize) -> None:
        self.loss, self.n, self.rows = loss, loss.statistic.shape[-2], loss.rows
        self.size = size if isinstance(size, BatchSize) else FixedBatches(size)
        first = self.size(0, self.n)
        require("size", f"1 <= size <= n = {self.n}", 1 <= first <= self.n, first)
        self.state: tuple[int, Array, int] = 0, None, self.n

    def __repr__(self) -> str:
        return f"MiniBatches({self.loss!r}, {self.size!r})"

    def value(self, w: Array) -> Array:
        """The loss of all examples, shape (...), nats."""
        return self.loss.value(w)

    def value_and_gradient(self, w: Array) -> tuple[Array, Array]:
        return self.loss.value_and_gradient(w)

    def hessian_vector(self, w: Array, v: Array) -> Array:
        """H v with the Hessian H of the loss of all examples, shape (..., size)."""
        return self.loss.hessian_vector(w, v)

    def draw(self, rng: Any) -> NegativeLogLikelihood:
        """The loss of the next mini-batch."""
        xp, (k, order, taken) = self.loss.xp, self.state
        parts, missing = [], self.size(k, self.n)
        while missing:
            if taken == self.n:
                order, taken = xp.argsort(Draws(rng, xp, xp.float64).uniform((self.n,))), 0
            stop = min(taken + missing, self.n)
            parts.append(order[taken:stop])
            taken, missing = stop, missing - (stop - taken)
        self.state = k + 1, order, taken
        return self.loss.take(xp.concat(parts))


class Regularised(Objective):
    """f(w) + (c/2) |w|², which is weight decay: its differential is df + c w.

    Parameters
    ----------
    f : Objective
    c : float
        Not negative.

    Examples
    --------
    >>> f = ig.training.Regularised(ig.LeastSquares([[1.0]], [4.0]), c=1.0)
    >>> value, covector = f.value_and_gradient(np.array([2.0]))
    >>> float(value), covector                      # ½ 2² + ½ 2², −2 + 2
    (4.0, array([0.]))
    """

    def __init__(self, f: Any, c: float) -> None:
        require("c", "c >= 0", isinstance(c, Real) and float(c) >= 0, c)
        if isinstance(f, type) or not hasattr(f, "value_and_gradient"):
            raise TypeError(f"Regularised takes an objective as its argument f; got {f!r}")
        self.f, self.c, self.rows = f, c, getattr(f, "rows", None)
        self.usual_record = getattr(f, "usual_record", "path")

    def __repr__(self) -> str:
        return f"Regularised({self.f!r}, {self.c!r})"

    @property
    def state(self) -> Any:
        """That of f, for snapshots."""
        return getattr(self.f, "state", None)

    @state.setter
    def state(self, state: Any) -> None:
        self.f.state = state

    def value(self, w: Array) -> Array:
        return self.f.value(w) + 0.5 * self.c * dot(w, w)

    def value_and_gradient(self, w: Array) -> tuple[Array, Array]:
        value, gradient = self.f.value_and_gradient(w)
        return value + 0.5 * self.c * dot(w, w), gradient + self.c * w

    def hessian_vector(self, w: Array, v: Array) -> Array:
        return self.f.hessian_vector(w, v) + self.c * v

    def draw(self, rng: Any) -> Objective:
        seen = self.f.draw(rng)
        return self if seen is self.f else Regularised(seen, self.c)
