"""Streams: objectives of online problems, whose steps see one round after the other."""
from collections.abc import Callable, Sequence
from functools import partial, reduce
from operator import add
from typing import Any

from array_api_compat import is_array_api_obj

from ..arrays.joined import beside, listed
from ..arrays.kept import kept
from ..backend import Array, arrays, backend_of
from ..errors import ShapeError, require
from .base import Objective
from .function import Function, require_pair

__all__ = ["Stream"]


class Stream(Objective):
    """Losses f_0, f_1, … of an online problem: step k of a run sees the loss of round k, and takes the next point from it.

    Mathematically, f_k(x) = loss(x, rounds[k]). The objective itself is the mean over all rounds, (1/n) Σ f_k, whose minimum is
    the best fixed point in hindsight: a run's last value is that of the mean, the others are what it lost. A run goes no further
    than n steps. The rounds are told by the number of the step, so that a stream serves many runs, also those that `resume`.

    Parameters
    ----------
    loss : function (x, round) -> (value, covector), shapes (...) and (..., d)
    rounds : array, shape (n, ...), or sequence
        What the loss is told of every round; of an array a copy is kept.

    Examples
    --------
    >>> import infogeo as ig
    >>> stream = ig.Stream(lambda x, y: ((x[0] - y)**2 / 2, [x[0] - y]), [1.0, 2.0, 6.0])
    >>> run = ig.descend(stream, [0.0], update=ig.GradientUpdate(), step=ig.Diminishing(1.0), max_steps=3)
    >>> run.x, run.values       # the mean; the last value is that of the whole stream there
    (array([3.]), array([ 0.5       ,  0.5       , 10.125     ,  2.33333333]))
    >>> stream.regret(run.values, run.x)
    array([-1.5  , -1.5  ,  4.125])
    """

    def __init__(self, loss: Callable[[Array, Any], tuple[Any, Any]], rounds: Any) -> None:
        if isinstance(loss, type) or not callable(loss):
            raise TypeError(f"Stream takes a function (x, round) -> (value, covector) first; got {loss!r}")
        self.loss, self.stacked = loss, is_array_api_obj(rounds)
        shape = rounds.shape if is_array_api_obj(rounds) else (len(rounds),) if isinstance(rounds, Sequence) else ()
        if 0 in (*shape[:1], len(shape)):
            raise ShapeError(f"rounds must be an array of shape (n, ...), or a sequence, n >= 1; got {rounds!r}")
        self.rounds: Any = kept(rounds) if self.stacked else tuple(rounds)

    def __repr__(self) -> str:
        return f"Stream({getattr(self.loss, '__name__', repr(self.loss))}, {len(self)} rounds)"

    def __len__(self) -> int:
        return int(self.rounds.shape[0]) if self.stacked else len(self.rounds)

    def at_step(self, k: int, rng: Any) -> Objective:
        """The loss of round k.

        Raises
        ------
        DomainError
            If there is none any more.
        """
        require("max_steps", f"max_steps <= {len(self)}, the rounds of {self!r}", k < len(self), f"round {k}")
        return Function(partial(self._seen, k))

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """The mean over all rounds, one after the other."""
        xp, found = backend_of(x), [self._seen(k, x) for k in range(len(self))]
        values, covectors = ([xp.asarray(part, dtype=x.dtype) for part in parts] for parts in zip(*found))
        return reduce(add, values) / len(self), reduce(add, covectors) / len(self)

    def losses(self, x: Array) -> Array:
        """What every round costs at one point, f_k(x), shape (n, ...)."""
        xp, x = arrays(listed(x, self))
        return xp.stack([xp.asarray(self._seen(k, x)[0], dtype=x.dtype) for k in range(len(self))])

    def _seen(self, k: int, x: Array) -> tuple[Any, Any]:
        if not self.stacked:
            return require_pair(self.loss, self.loss(x, self.rounds[k]))
        xp, rounds = backend_of(x), self.rounds
        if xp is not backend_of(rounds):
            rounds = beside(xp, x.dtype if backend_of(rounds).is_float(rounds) else None, rounds)
        return require_pair(self.loss, self.loss(x, rounds[k, ...]))

    def regret(self, values: Array, x: Array) -> Array:
        """Σ_{j ≤ k} f_j(x_j) − f_j(x), a run's regret against a point that stays where it is, after each round, shape (T, ...).

        Parameters
        ----------
        values : array, shape (T + 1, ...)
            ``run.values`` of a run of T steps, the last of which is no round's.
        x : array, shape (..., d)
            Such as the minimum of the mean, ``ig.descend(stream.value_and_gradient, …).x``.
        """
        shape = None if values is None else tuple(arrays(values)[1].shape)
        if not shape or not 2 <= shape[0] <= len(self) + 1:
            raise ShapeError(f"values must be those of a run of 1 to {len(self)} steps, shape (T + 1, ...); got {shape}")
        xp, values, fixed = arrays(values, self.losses(x))
        lost, fixed = (xp.moveaxis(part[:values.shape[0] - 1, ...], 0, -1) for part in (values, fixed))
        return xp.moveaxis(xp.cumulative_sum(lost - fixed, axis=-1), -1, 0)
