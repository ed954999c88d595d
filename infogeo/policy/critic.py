"""What states are worth, learned from returns."""
from typing import Any

import numpy as np

from ..backend import Array
from ..errors import require_count
from ..networks.model import ConditionalModel
from ..solvers.descend import descend
from ..solvers.update import Update
from ..training.adam import Adam
from ..training.data import MiniBatches

__all__ = ["Critic"]


class Critic:
    """A model of the mean return from a state, trained by the optimisers of the library; their state is kept from fit to fit.

    Parameters
    ----------
    model : ConditionalModel
        Of states to a family whose θ is its mean, `NormalKnownVariance(1.0)`.
    w : array, shape (model.network.size,)
        Its first weights.
    steps, size : int
        Mini-batches of a fit, and examples in one.
    update, step
        As of `descend`.
    """

    def __init__(self, model: ConditionalModel, w: Array, *, steps: int = 160, size: int = 128, update: Any = None,
                 step: Any = 1e-3) -> None:
        if not isinstance(model, ConditionalModel) or model.network.output_shape != (1,):
            raise TypeError(f"a critic needs a ConditionalModel with one output, the value; got {model!r}")
        self.model, self.w, self.steps, self.size = model, w, require_count("steps", steps), require_count("size", size)
        self.update: Update = Adam() if update is None else update
        self.step, self._state = step, None

    def __call__(self, states: Array) -> Array:
        """V, shape (..., n) for states of shape (..., n, *state_shape)."""
        return self.model.family.to_eta(self.model.theta(self.w, states))[..., 0]

    def fit(self, states: Array, returns: Array, rng: np.random.Generator) -> None:
        """Some steps towards returns, shape (n,), of states of shape (n, *state_shape)."""
        loss = self.model.objective((states, returns))
        batches = MiniBatches(loss, min(self.size, states.shape[0]))
        run = descend(batches, self.w, update=_Continued(self.update, self._state), step=self.step, max_steps=self.steps, rng=rng,
                      record=None)
        self.w, self._state = run.x, run.state


class _Continued(Update):
    """An update that goes on from a state of another run."""

    def __init__(self, update: Update, state: Any) -> None:
        self.update, self.state_before = update, state

    def init(self, x: Array) -> Any:
        return self.update.init(x) if self.state_before is None else self.state_before

    def on(self, objective: Any) -> Update:
        return self.update.on(objective)

    def __call__(self, geometry: Any, x: Array, covector: Array, h: Array, state: Any = None) -> tuple[Array, Any]:
        return self.update(geometry, x, covector, h, state)

    def velocity(self, geometry: Any, x: Array, covector: Array) -> Array:
        return self.update.velocity(geometry, x, covector)
