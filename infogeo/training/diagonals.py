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
    """The diagonal of a curvature of the loss of some examples, or an estimate of it.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> loss, w = model.objective(([[1.0], [3.0]], [0, 1])), np.zeros(2)
    >>> for diagonal in (ig.training.GaussNewtonDiagonal(),
    ...                  ig.training.GradientSquares()):
    ...     print(diagonal(loss, w))                # ¼ (5, 1), and (−½, 0)²
    [1.25 0.25]
    [0.25 0.  ]
    """

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

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> loss = model.objective(([[1.0], [3.0]], [0, 1]))
    >>> rng = np.random.default_rng(0)     # exact without hidden layers
    >>> ig.training.CurvaturePropagationDiagonal(rng=rng)(loss, np.zeros(2))
    array([1.25, 0.25])
    """

    def __call__(self, loss: NegativeLogLikelihood, w: Array) -> Array:
        return diagonal_of_loss(loss, w, SignNoise(self._generator(), self.draws))


class HutchinsonDiagonal(_Drawn):
    """That of the Hessian as v ∘ H v with signs v, one vector for all examples: a product with the Hessian a draw.

    Mathematically, the variance of entry i is Σ_{j≠i} H_ij², whatever the number of examples.

    Source: Bekas, Kokiopoulou & Saad, An estimator for the diagonal of a matrix (2007); Yao, Gholami, Shen, Mustafa, Keutzer &
    Mahoney, AdaHessian (2021), for its use.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> loss, rng = model.objective(([[1.0]], [0])), np.random.default_rng(0)
    >>> diagonal = ig.training.HutchinsonDiagonal(1000, rng)
    >>> found = diagonal(loss, np.zeros(2))         # H = ¼ [[1, 1], [1, 1]]
    >>> bool(abs(found - 0.25).max() < 0.05)
    True
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

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> loss = model.objective(([[1.0], [3.0]], [0, 1]))
    >>> ig.training.GaussNewtonDiagonal()(loss, np.zeros(2))  # ¼ mean (x², 1)
    array([1.25, 0.25])
    """

    outputs: Outputs = ExactColumns()

    def __call__(self, loss: NegativeLogLikelihood, w: Array) -> Array:
        return diagonal_of_pass(loss.record(w), loss.batch, self.outputs)


@dataclass(frozen=True)
class GradientSquares(CurvatureDiagonal):
    """c ∘ c of the mean gradient c of the examples, which `Adam` averages: with one example at a time the empirical Fisher.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> loss = model.objective(([[1.0], [3.0]], [0, 1]))
    >>> ig.training.GradientSquares()(loss, np.zeros(2))      # of c = (−½, 0)
    array([0.25, 0.  ])
    """

    def __call__(self, loss: NegativeLogLikelihood, w: Array) -> Array:
        gradient: Array = loss.value_and_gradient(w)[1]
        return gradient**2


# What becomes of negative entries

class DiagonalRule(ABC):
    """How positive numbers are made of the diagonals d_1, d_2, … of the steps: that of the average of what `moment` gives.

    Examples
    --------
    >>> from infogeo.training import AbsoluteValue, PositivePart, RootMeanSquare
    >>> d = np.array([4.0, -9.0])                   # a valley and a saddle
    >>> for rule in (AbsoluteValue(), PositivePart(), RootMeanSquare()):
    ...     print(rule.value(rule.moment(d)))
    [4. 9.]
    [4. 0.]
    [4. 9.]
    """

    def moment(self, d: Array) -> Array:
        """What is averaged."""
        return d

    @abstractmethod
    def value(self, average: Array) -> Array:
        """The diagonal that a step divides by, not negative."""


@dataclass(frozen=True)
class AbsoluteValue(DiagonalRule):
    """|average of d|: a saddle is left as fast as a valley is gone down.

    Examples
    --------
    >>> ig.training.AbsoluteValue().value(np.array([4.0, -9.0]))
    array([4., 9.])
    """

    def value(self, average: Array) -> Array:
        return abs(average)


@dataclass(frozen=True)
class PositivePart(DiagonalRule):
    """max(average of d, 0): along a negative curvature nothing but the damping holds the step.

    Examples
    --------
    >>> ig.training.PositivePart().value(np.array([4.0, -9.0]))
    array([4., 0.])
    """

    def value(self, average: Array) -> Array:
        xp, average = arrays(average)
        return xp.maximum(average, xp.zeros_like(average))


@dataclass(frozen=True)
class RootMeanSquare(DiagonalRule):
    """√(average of d²), which noise of the estimate makes larger and so steps shorter.

    Source: Yao, Gholami, Shen, Mustafa, Keutzer & Mahoney, AdaHessian (2021).

    Examples
    --------
    >>> rule, noisy = ig.training.RootMeanSquare(), np.array([[7.0], [1.0]])
    >>> rule.value(rule.moment(noisy).mean(axis=0))           # of mean 4
    array([5.])
    """

    def moment(self, d: Array) -> Array:
        return d**2

    def value(self, average: Array) -> Array:
        xp, average = arrays(average)
        return xp.sqrt(average)


def rng_of(diagonal: CurvatureDiagonal) -> Any:
    """The generator that a diagonal or its outputs draw from."""
    return getattr(diagonal, "rng", None) or getattr(getattr(diagonal, "outputs", None), "rng", None)
