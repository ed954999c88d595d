"""Online low-rank natural gradient: a running average of outer products of gradients, kept as a matrix of few columns."""
from dataclasses import dataclass
from typing import Any

from ..backend import Array, arrays
from ..curvature.damping import Damping
from ..curvature.low_rank import OnlineDiagonalPlusLowRank, OnlineLowRank
from ..curvature.outputs import Observed, Outputs
from .examples import ExampleUpdate, Seen

__all__ = ["LowRankNatural"]


@dataclass(eq=False)
class LowRankNatural(ExampleUpdate):
    """x − h C_t⁻¹ c with the damped running average C_t of (1/n) Σ g gᵀ over the covectors g of the steps' examples, of low rank.

    With `OnlineLowRank` and the data's own y, the default, it is TONGA, whose metric is the second moment of the gradients; other
    outputs make it a natural gradient. With `OnlineDiagonalPlusLowRank` the metric is that of `SLANG`, at the mean of its
    posterior: without draws of the weights, and without a prior.

    Parameters
    ----------
    average : OnlineLowRank or OnlineDiagonalPlusLowRank
    damping : Damping
        `Tikhonov`, as the average is singular or near to it.
    outputs : Outputs
        The covectors at the output.

    Source: Le Roux, Manzagol & Bengio, Topmoumoute online natural gradient algorithm (2008); for the second Mishkin, Kunstner,
    Nielsen, Schmidt & Khan, SLANG (2018).

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((3, 1)),
    ...                                      ig.Bernoulli())
    >>> average = ig.curvature.OnlineLowRank(rank=4, decay=0.9)
    >>> update = ig.training.LowRankNatural(average,
    ...                                     ig.curvature.Tikhonov(0.01))
    >>> run = ig.descend(model.objective((x, x[:, 0] > 0)), np.zeros(4),
    ...                  update=update, step=0.2, max_steps=20)
    >>> bool(run.values[-1] < 0.3 * run.values[0])
    True
    """

    average: OnlineLowRank | OnlineDiagonalPlusLowRank
    damping: Damping
    outputs: Outputs = Observed()

    def init(self, x: Array) -> Any:
        return self.average.init(x)

    def learned(self, seen: Seen, x: Array, covector: Array, state: Any) -> Any:
        loss, done = seen.loss, seen.loss.record(x)
        rows = done.per_example_gradients(self.outputs.covectors(loss.model.family, done.theta, loss.batch))
        m, _, size = rows.shape
        # the average takes the mean over all rows, the metric is a sum over the m covectors of an example
        return self.average.update(state, loss.xp.reshape(m**0.5 * rows, (-1, size)))

    def step(self, x: Array, covector: Array, h: Array, state: Any) -> tuple[Array, Any]:
        _, x, covector = arrays(x, covector)
        return x - h * self.damping(self.average.operator(state)).solve(covector), state
