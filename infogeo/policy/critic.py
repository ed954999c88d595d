"""What states are worth, learned from returns."""
from typing import Any

import numpy as np

from ..backend import Array
from ..errors import require_count
from ..families.normal_known import NormalKnownVariance
from ..networks.model import ConditionalModel, NegativeLogLikelihood
from ..objectives.base import Objective
from ..solvers.descend import descend
from ..solvers.update import Update

__all__ = ["Critic"]


class Critic:
    """A model of the mean return from a state, trained by the optimisers of the library; their state is kept from fit to fit.

    Parameters
    ----------
    model : ConditionalModel
        Of states to a family whose θ is its mean, `NormalKnownVariance(1.0)`.
    w : array, shape (model.network.size,)
        Its first weights.
    update, step
        As of `descend`: ``Adam()`` and 1e-3, or ``KFAC(…)`` and its own step.
    steps, size : int
        Mini-batches of a fit, and examples in one, drawn with replacement.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.NormalKnownVariance(1.0))
    >>> critic = ig.policy.Critic(model, np.zeros(2), ig.training.Adam(),
    ...                           step=0.1, size=8)
    >>> states = np.linspace(-1.0, 1.0, 50)[:, None]
    >>> critic.fit(states, 2 * states[:, 0], np.random.default_rng(0))
    >>> critic([[1.0]]).round(1)                    # the return from there
    array([2.])
    """

    def __init__(self, model: ConditionalModel, w: Array, update: Update, step: Any = 1e-3, *, steps: int = 160,
                 size: int = 128) -> None:
        if not isinstance(model, ConditionalModel) or not isinstance(model.family, NormalKnownVariance):
            raise TypeError(f"a critic needs a ConditionalModel with one output, the mean of NormalKnownVariance; got {model!r}")
        self.model, self.w, self.steps, self.size = model, w, require_count("steps", steps), require_count("size", size)
        if not isinstance(update, Update):
            raise TypeError(f"a critic needs an Update, such as infogeo.training.Adam(); got {update!r}")
        self.update, self.step, self._state = update, step, None

    def __call__(self, states: Array) -> Array:
        """V, shape (..., n) for states of shape (..., n, *state_shape)."""
        return self.model.family.to_eta(self.model.theta(self.w, states))[..., 0]

    def fit(self, states: Array, returns: Array, rng: np.random.Generator) -> None:
        """Some steps towards returns, shape (n,), of states of shape (n, *state_shape)."""
        batches = _SomeReturns(self.model.objective((states, returns)), self.size)
        run = descend(batches, self.w, update=_Continued(self.update, self._state), step=self.step, max_steps=self.steps, rng=rng,
                      record=None)
        self.w, self._state = run.x, run.state


class _SomeReturns(Objective):
    """The loss of all returns, each step seen through some of them."""

    rows = ()

    def __init__(self, loss: NegativeLogLikelihood, size: int) -> None:
        self.loss, self.size = loss, size

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        return self.loss.value_and_gradient(x)

    def draw(self, rng: np.random.Generator) -> Objective:
        return self.loss.take(self.loss.xp.asarray(rng.integers(self.loss.x.shape[0], size=self.size)))


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
