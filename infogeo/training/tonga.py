"""TONGA: natural gradient by the second moments of the gradients, unit by unit and of low rank."""
from dataclasses import dataclass
from typing import Any

from ..backend import Array
from ..curvature.kronecker_factors import Averaged, RunningAverage
from ..curvature.layer_factors import LayerFactors
from ..curvature.outputs import Given, Observed, Outputs
from ..curvature.unit_low_rank import UnitLowRank
from ..errors import require_count
from ..networks.model import NegativeLogLikelihood
from .kfac import KFAC, FullLength, Refresh
from .rules import GammaOfLambda

__all__ = ["TONGA"]


@dataclass(eq=False)
class TONGA(KFAC):
    """`KFAC` with a block of low rank for each unit, the running average of the outer products of the gradients of the examples.

    Mathematically, C_j = X_j X_jᵀ is their average for the weights into unit j, with shares ∝ 1, γ, γ², … into the past; X_j is
    reduced to its leading `rank` eigendirections whenever `refresh` is due. The direction is −(C_j + γ² I)⁻¹ ∇_j h with the γ of
    the damping, found through the Gram matrix X_jᵀ X_j. λ, momentum and the length of a step are those of `KFAC`.

    Parameters
    ----------
    rank : int
    outputs : Outputs
        `Observed`: C is the empirical Fisher metric, which is not that of the model; other outputs make it one.
    averaging : RunningAverage
        γ is its decay.
    refresh : Refresh
        When X_j is reduced; between, the gradients of the examples of every step are held.

    Source: Le Roux, Manzagol & Bengio, Topmoumoute online natural gradient algorithm (2008), for C, its rank and its blocks.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((60, 2))
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((2, 4, 1)),
    ...                                      ig.Bernoulli())
    >>> found = ig.training.fit(model, (x, x[:, 0] > 0),
    ...                         optimiser=ig.training.TONGA(), max_epochs=10)
    >>> found.losses[-1] < 0.5 * found.losses[0]
    True
    """

    outputs: Outputs | None = Observed()
    factors: type[LayerFactors] = UnitLowRank
    averaging: RunningAverage = RunningAverage(0.95)
    refresh: Refresh = Refresh(period=1)
    rank: int = 10
    keeps_inverse = False

    def __post_init__(self) -> None:
        super().__post_init__()
        require_count("rank", self.rank)

    @classmethod
    def published(cls, outputs: Outputs = Observed(), **parts: Any) -> "TONGA":
        """The plain step −(C + λ I)⁻¹ ∇h, times the step size; of ``damping=ConstantLambda(c)`` λ is a constant."""
        return cls(outputs, **{"gamma": GammaOfLambda(), "rescaling": FullLength(), **parts})

    def learnt(self, factors: Averaged, loss: NegativeLogLikelihood, w: Array, k: int) -> Averaged:
        assert self.outputs is not None
        done, outputs = loss.record(w), self.outputs
        if isinstance(outputs, Observed):               # those of the loss, whose targets may be mean statistics
            outputs = Given(((loss.model.family.to_eta(done.theta) - loss.statistic)[None, ...],))
        averaged = self.averaging.update(factors, self.factors.of_pass(done, loss.batch, outputs=outputs, sharing=self.sharing))
        return averaged._replace(value=averaged.value.reduced(self.rank)) if self.refresh.due(k) else averaged
