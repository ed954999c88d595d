"""Where the diagonal of a curvature comes from, and what becomes of its negative entries."""
from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from ..arrays.draws import Draws
from ..backend import Array, arrays, generator
from ..curvature.curvature_propagation import diagonal_of_loss
from ..curvature.diagonal import diagonal_of_pass
from ..curvature.noise import SignNoise
from ..curvature.outputs import ExactColumns, Outputs
from ..errors import require_count
from ..networks.model import NegativeLogLikelihood

__all__ = ["AbsoluteValue", "CurvatureDiagonal", "CurvaturePropagationDiagonal", "DiagonalRule", "GaussNewtonDiagonal",
           "GradientSquares", "HutchinsonDiagonal", "PositivePart", "RootMeanSquare", "rng_of"]


class CurvatureDiagonal(ABC):
    """The diagonal of a curvature of the loss of some examples, or an estimate of it."""

    @abstractmethod
    def __call__(self, loss: NegativeLogLikelihood, w: Array) -> Array:
        """Shape (size,), for weights of shape (size,)."""

    def seeded(self, rng: np.random.Generator | None) -> CurvatureDiagonal:
        """The same for a run with this generator, where it draws and was given none of its own."""
        return self


@dataclass(frozen=True)
class _Drawn(CurvatureDiagonal):
    """A mean of so many draws; by default from the generator of the run, or from one of seed 0 where the run has none.

    Parameters
    ----------
    draws : int
    rng : numpy.random.Generator, optional
    """

    draws: int = 1
    rng: np.random.Generator | None = None

    def __post_init__(self) -> None:
        require_count("draws", self.draws)

    def seeded(self, rng: np.random.Generator | None) -> Self:
        return self if self.rng is not None else replace(self, rng=rng or generator(0))

    def _generator(self) -> np.random.Generator:
        if self.rng is None:
            raise TypeError(f"{type(self).__name__}() outside of descend needs rng, such as numpy.random.default_rng(0)")
        return self.rng


class CurvaturePropagationDiagonal(_Drawn):
    """That of the Hessian by curvature propagation, with signs that each example and node has for itself: two gradients a draw.

    Mathematically, Σ_n T_n ∘ U_n, see `curvature.hessian_diagonal`. Its variance falls with the number of examples.

    Source: Martens, Sutskever & Swersky, Estimating the Hessian by back-propagating curvature (2012).
    """

    def __call__(self, loss: NegativeLogLikelihood, w: Array) -> Array:
        return diagonal_of_loss(loss, w, SignNoise(self._generator(), self.draws))


class HutchinsonDiagonal(_Drawn):
    """That of the Hessian as v ∘ H v with signs v, one vector for all examples: a product with the Hessian a draw.

    Mathematically, the variance of entry i is Σ_{j≠i} H_ij², whatever the number of examples.

    Source: Bekas, Kokiopoulou & Saad, An estimator for the diagonal of a matrix (2007); Yao, Gholami, Shen, Mustafa, Keutzer &
    Mahoney, AdaHessian (2021), for its use.
    """

    def __call__(self, loss: NegativeLogLikelihood, w: Array) -> Array:
        xp, w = arrays(w)
        v = Draws(self._generator(), xp, w.dtype).signs((self.draws, *w.shape))
        return xp.mean(v * loss.hessian_vector(w, v), axis=0)


@dataclass(frozen=True)
class GaussNewtonDiagonal(CurvatureDiagonal):
    """That of the Fisher metric, which is that of the Gauss–Newton matrix: exact, and never negative.

    Parameters
    ----------
    outputs : Outputs
        `RandomSigns` estimates it with one pass; `Observed` is the diagonal of the empirical Fisher metric.
    """

    outputs: Outputs = ExactColumns()

    def __call__(self, loss: NegativeLogLikelihood, w: Array) -> Array:
        return diagonal_of_pass(loss.record(w), loss.batch, self.outputs)


@dataclass(frozen=True)
class GradientSquares(CurvatureDiagonal):
    """c ∘ c of the mean gradient c of the examples, which `Adam` averages: with one example at a time the empirical Fisher."""

    def __call__(self, loss: NegativeLogLikelihood, w: Array) -> Array:
        gradient: Array = loss.value_and_gradient(w)[1]
        return gradient**2


# What becomes of negative entries

class DiagonalRule(ABC):
    """How positive numbers are made of the diagonals d_1, d_2, … of the steps: that of the average of what `moment` gives."""

    def moment(self, d: Array) -> Array:
        """What is averaged."""
        return d

    @abstractmethod
    def value(self, average: Array) -> Array:
        """The diagonal that a step divides by, not negative."""


@dataclass(frozen=True)
class AbsoluteValue(DiagonalRule):
    """|average of d|: a saddle is left as fast as a valley is gone down."""

    def value(self, average: Array) -> Array:
        return abs(average)


@dataclass(frozen=True)
class PositivePart(DiagonalRule):
    """max(average of d, 0): along a negative curvature nothing but the damping holds the step."""

    def value(self, average: Array) -> Array:
        xp, average = arrays(average)
        return xp.maximum(average, xp.zeros_like(average))


@dataclass(frozen=True)
class RootMeanSquare(DiagonalRule):
    """√(average of d²), which noise of the estimate makes larger and so steps shorter.

    Source: Yao, Gholami, Shen, Mustafa, Keutzer & Mahoney, AdaHessian (2021).
    """

    def moment(self, d: Array) -> Array:
        return d**2

    def value(self, average: Array) -> Array:
        xp, average = arrays(average)
        return xp.sqrt(average)


def rng_of(diagonal: CurvatureDiagonal) -> Any:
    """The generator that a diagonal or its outputs draw from."""
    return getattr(diagonal, "rng", None) or getattr(getattr(diagonal, "outputs", None), "rng", None)
