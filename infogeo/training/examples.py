"""Updates that look at the examples of a step: adaptive, relative and structured natural gradient."""
from abc import abstractmethod

from ..errors import ShapeError
from ..networks.model import NegativeLogLikelihood
from ..solvers.update import Update

__all__ = ["ExampleUpdate", "SeesExamples", "examples"]


def examples(objective):
    """The loss of a model and examples that an objective is made of.

    Raises
    ------
    TypeError
        If it is not made of the loss of a conditional model.
    """
    loss = objective
    while not isinstance(loss, NegativeLogLikelihood):
        loss = getattr(loss, "f", None)
        if loss is None:
            raise TypeError("the update needs an objective with a model and examples, such as model.objective(batch); "
                            f"got {objective!r}")
    return loss


class SeesExamples(Update):
    """An update that is made for the examples of a step by `on`, and may draw covectors at the output, `outputs`."""

    @property
    def state(self):
        """The state of the generator of its outputs, for snapshots; None where nothing is drawn."""
        rng = getattr(getattr(self, "outputs", None), "rng", None)
        return None if rng is None else rng.bit_generator.state

    @state.setter
    def state(self, state):
        self.outputs.rng.bit_generator.state = state

    def __call__(self, geometry, x, covector, h, state=None):
        raise TypeError(f"{type(self).__name__} needs the examples of its step: use on(objective), as descend does")


class ExampleUpdate(SeesExamples):
    """An update whose metric is made of the examples that a step sees, for one model at a time.

    Mathematically, a step has two parts: the metric learns from the examples at x, whatever the step size; then x moves.

    Shapes: x and covector (d,).
    """

    @abstractmethod
    def learned(self, loss, x, state):
        """The state once the examples are taken in, at x, from the `NegativeLogLikelihood` that the step sees."""

    @abstractmethod
    def step(self, x, covector, h, state):
        """``(x_new, state)`` with a state that has taken the examples in."""

    def on(self, objective):
        return _Seeing(self, examples(objective))

    def velocity(self, geometry, x, covector):
        """−G⁻¹ c in the geometry at hand, whose metric the update learns: the limit of small steps."""
        return -geometry.sharp(x, covector)


class _Seeing(Update):
    """An `ExampleUpdate` with the examples of one step."""

    def __init__(self, update, loss):
        self.update, self.loss, self._last = update, loss, (None, None, None)

    def init(self, x):
        return self.update.init(x)

    def __call__(self, geometry, x, covector, h, state=None):
        if x.ndim != 1:
            raise ShapeError(f"{type(self.update).__name__} takes one model at a time, x of shape (d,); got {tuple(x.shape)}")
        at, known, learned = self._last              # a step rule that tries several step sizes asks again and again
        if at is not x or known is not state:
            learned = self.update.learned(self.loss, x, state)
            self._last = x, state, learned
        return self.update.step(x, covector, h, learned)

    def velocity(self, geometry, x, covector):
        return self.update.velocity(geometry, x, covector)
