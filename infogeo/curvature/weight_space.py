"""The weights of a model as a manifold: training by natural gradient is `NaturalUpdate` on it."""
from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np

from ..arrays.memo import once
from ..backend import Array, Namespace
from ..errors import takes
from ..geometry.manifolds.interface import formula
from ..geometry.manifolds.manifold import Riemannian
from ..networks.batches import relative_weights, require_batch
from ..networks.model import Batch, ConditionalModel, NegativeLogLikelihood
from ..operators.base import LinearOperator
from .damping import Damping
from .metric_examples import MetricExamples, StepExamples

__all__ = ["WeightSpace"]


class WeightSpace(Riemannian):
    """Weights of a model, with a damped curvature as the metric.

    Parameters
    ----------
    model : ConditionalModel
    batch : pair (x, y), or None
        None where only steps have examples.
    curvature : function (model, w, batch) -> LinearOperator
        Such as `fisher`, `kfac`, `ekfac`; further arguments go in by `functools.partial`.
    damping : Damping
    examples : MetricExamples
        Of which examples the metric is in a run whose steps see mini-batches: `StepExamples`, those of the step, or
        `OwnExamples`, those of `batch`.

    Shapes: weights, vectors and covectors (..., model.network.size); every leading row is a model of its own, with a curvature
    of its own.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)), ig.Bernoulli())
    >>> batch = [[1.0], [3.0]], [0, 1]
    >>> space = ig.curvature.WeightSpace(model, batch, ig.curvature.fisher, ig.curvature.Undamped())
    >>> space.metric(np.zeros(2))
    array([[1.25, 0.5 ],
           [0.5 , 0.25]])
    """

    dim: int
    _loss: NegativeLogLikelihood | None

    @takes(model=ConditionalModel, damping=Damping, examples=MetricExamples)
    def __init__(self, model: ConditionalModel, batch: Batch | None, curvature: Callable[..., LinearOperator],
                 damping: Damping, examples: MetricExamples = StepExamples()) -> None:
        if not callable(curvature):
            raise TypeError(f"curvature must be a function (model, w, batch), such as infogeo.curvature.kfac; got {curvature!r}")
        self.model, self._batch, self.curvature, self.damping = model, batch, curvature, damping
        self.dim, self._loss, self.examples = model.network.size, None, examples

    def __repr__(self) -> str:
        return f"WeightSpace({self.model!r}, {getattr(self.curvature, '__name__', self.curvature)}, {self.damping!r})"

    @property
    def state(self) -> tuple[Any, ...] | None:
        """The states of the generators that examples and output covectors are drawn from, for snapshots; None without a draw."""
        return tuple(rng.bit_generator.state for rng in self._generators()) or None

    @state.setter
    def state(self, state: tuple[Any, ...]) -> None:
        for rng, kept in zip(self._generators(), state, strict=True):
            rng.bit_generator.state = kept

    def _generators(self) -> list[np.random.Generator]:
        outputs = getattr(self.curvature, "keywords", {}).get("outputs")        # of a functools.partial
        return [rng for rng in (self.examples.rng, getattr(outputs, "rng", None)) if isinstance(rng, np.random.Generator)]

    def on(self, objective: Any) -> "WeightSpace":
        """The same curvature in a step that sees an objective, of `examples`, where it is made of a loss of this model."""
        loss = objective
        while hasattr(loss, "f") and not hasattr(loss, "map"):          # what is added to it, such as weight decay
            loss = loss.f
        if not isinstance(loss, NegativeLogLikelihood) or loss.model is not self.model:
            return self
        seen = copy(self)
        seen._loss, seen._batch = self.examples.seen(loss, self._batch)
        return seen

    @property
    def batch(self) -> Batch:
        """The examples (x, y): of a step, those of its loss, which may be there only once the loss was evaluated."""
        if self._loss is not None:
            return self._loss.batch
        if self._batch is None:
            raise TypeError("this WeightSpace has no examples of its own, and stands in no step that sees some; give it a batch")
        return self._batch

    @formula("theta", "theta", axes=0, blocks=False)
    def divergence(self, w_p: Array, w_q: Array) -> Array:
        """The mean over the inputs x_n of the batch of KL(p(y | x_n; w_p) ‖ p(y | x_n; w_q)), shape (...), nats.

        Mathematically, its Hessian in w_q at w_q = w_p, and that in w_p there, is the Fisher metric F of the batch.
        """

    def _divergence(self, xp: Namespace, w_p: Array, w_q: Array) -> Array:
        family: Any = self.model.family
        x, _, weights = require_batch(self.batch)
        kl = family.kl(self.model.theta(w_p, x), self.model.theta(w_q, x))
        weights = relative_weights(weights, x, kl.shape[-1])
        return xp.mean(kl if weights is None else weights * kl, axis=-1)

    @once
    def operator(self, w: Array) -> LinearOperator:
        """The damped curvature at one weight vector, shape (size,), a `LinearOperator`."""
        found = self.curvature(self.model, w, self.batch)
        if not isinstance(found, LinearOperator):
            raise TypeError(f"curvature must give a LinearOperator, such as infogeo.operators.SymmetricDense(A); got {found!r}")
        return self.damping(found)

    def _each(self, w: Array, f: Callable[..., Array], *vs: Array) -> Array:
        """f(operator, *vs) at every row of w."""
        xp, w, *given = self.point(w, *vs)
        if w.ndim == 1:
            return f(self.operator(w), *given)
        rows = [xp.broadcast_to(v, (*w.shape[:-1], v.shape[-1])) if v.ndim < w.ndim else v for v in given]
        return xp.stack([self._each(w[i, ...], f, *(v[i, ...] for v in rows)) for i in range(w.shape[0])])

    def _metric(self, xp: Namespace, w: Array) -> Array:
        return self._each(w, lambda operator: operator.dense())

    def _flat(self, xp: Namespace, w: Array, vector: Array) -> Array:
        return self._each(w, lambda operator, v: operator.matvec(v), vector)

    def _sharp(self, xp: Namespace, w: Array, covector: Array) -> Array:
        return self._each(w, lambda operator, c: operator.solve(c), covector)

    def _root(self, xp: Namespace, w: Array, z: Array) -> Array:
        return self._each(w, lambda operator, v: operator.root(v), z)
