"""Steps against the gradient over the diagonal of a curvature."""
from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backend import Array, arrays
from ..curvature.kronecker_factors import Averaged
from ..curvature.outputs import ExactColumns
from ..networks.model import NegativeLogLikelihood
from ..operators.dense import DiagonalOperator
from ..operators.rounded import Rounded
from .diagonals import AbsoluteValue, CurvatureDiagonal, CurvaturePropagationDiagonal, DiagonalRule, rng_of
from .kfac import KFAC, PARTS, FullLength
from .rules import GammaOfLambda

__all__ = ["DiagonalNewton"]


@dataclass(frozen=True)
class DiagonalMoments:
    """What a running average is taken of: a diagonal, or its square.

    Attributes
    ----------
    d : array, shape (size,)
    dtype : dtype
        That of the network.
    """

    d: Array
    dtype: Any

    def in_double(self) -> DiagonalMoments:
        """The same in float64."""
        xp, d = arrays(self.d)
        return DiagonalMoments(xp.astype(d, xp.float64), self.dtype)

    def blend(self, other: DiagonalMoments, share: float) -> DiagonalMoments:
        """(1 − share) self + share other, in the precision of self."""
        xp, d = arrays(self.d)
        return DiagonalMoments(d + share * (xp.astype(other.d, d.dtype, copy=False) - d), self.dtype)


class DiagonalNewton(KFAC):
    """`KFAC` with the diagonal of a curvature instead of its factors.

    λ, momentum and the length of a step are those of `KFAC`, and no step is taken that raises the loss of its examples.
    Mathematically, Δ = −c / (D + γ²) entry by entry, with D = rule(running average of the diagonals of the steps' examples).

    Parameters
    ----------
    diagonal : CurvatureDiagonal
        `CurvaturePropagationDiagonal`, `HutchinsonDiagonal`, `GaussNewtonDiagonal`, `GradientSquares`.
    rule : DiagonalRule
        `AbsoluteValue`, `PositivePart`, `RootMeanSquare`.
    parts
        `averaging`, `damping`, `gamma`, `rescaling`, `statistics`, `products` of `KFAC`.

    Source: Martens, Sutskever & Swersky (2012) for the diagonal; that it is used with the steps of K-FAC is ours.

    Examples
    --------
    >>> import numpy as np
    >>> import infogeo as ig
    >>> from infogeo.training import DiagonalNewton, HutchinsonDiagonal, PositivePart
    >>> x = np.random.default_rng(0).standard_normal((100, 2))
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((2, 8, 1)), ig.Bernoulli())
    >>> found = ig.training.fit(model, (x, x[:, 0] > 0), optimiser=DiagonalNewton(HutchinsonDiagonal(), PositivePart()))
    >>> found.losses[-1] < 0.5 * found.losses[0]
    True
    """

    keeps_inverse = False

    def __init__(self, diagonal: CurvatureDiagonal = CurvaturePropagationDiagonal(), rule: DiagonalRule = AbsoluteValue(),
                 **parts: Any) -> None:
        shared = PARTS.keys() - {"outputs", "sharing"}
        if parts.keys() - shared:
            raise TypeError(f"{type(self).__name__} takes diagonal and rule, and as KFAC does {', '.join(sorted(shared))}; got "
                            f"{', '.join(sorted(parts.keys() - shared))}")
        super().__init__(ExactColumns(), **parts)
        for name, part, kind in (("diagonal", diagonal, CurvatureDiagonal), ("rule", rule, DiagonalRule)):
            if not isinstance(part, kind):
                raise TypeError(f"{type(self).__name__} takes an object of the class {kind.__name__} as its argument {name}; got "
                                f"{part!r}")
        self.diagonal, self.rule = diagonal, rule

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.diagonal!r}, {self.rule!r})"

    @classmethod
    def published(cls, diagonal: CurvatureDiagonal = CurvaturePropagationDiagonal(),       # type: ignore[override]
                  rule: DiagonalRule = AbsoluteValue(), **parts: Any) -> DiagonalNewton:
        """The plain step −c / (D + λ), times the step size; of ``damping=ConstantLambda(c)`` λ is a constant."""
        return cls(diagonal, rule, **{"gamma": GammaOfLambda(), "rescaling": FullLength(), **parts})

    def seeded(self, rng: np.random.Generator | None) -> DiagonalNewton:
        own = copy(self)
        own.diagonal = self.diagonal.seeded(rng)
        return own

    @property
    def state(self) -> Any:
        """The state of the generator of the diagonal, for snapshots; None where nothing is drawn."""
        rng = rng_of(self.diagonal)
        return None if rng is None else rng.bit_generator.state

    @state.setter
    def state(self, state: Any) -> None:
        rng_of(self.diagonal).bit_generator.state = state

    def learnt(self, factors: Averaged, loss: NegativeLogLikelihood, w: Array, k: int) -> Averaged:
        return self.averaging.update(factors, DiagonalMoments(self.rule.moment(self.diagonal(loss, w)), w.dtype))

    def damped(self, factors: Averaged, gamma: float) -> Any:
        return Rounded(DiagonalOperator(self.rule.value(factors.value.d) + gamma * gamma), factors.value.dtype)
