"""How the damping of K-FAC is chosen from step to step: λ of the quadratic model, γ of the factors."""
from abc import ABC, abstractmethod
from dataclasses import dataclass

from ..errors import require, require_positive

__all__ = ["ConstantLambda", "GammaOfLambda", "GammaRule", "GammaSearch", "LambdaRule", "LevenbergMarquardt"]


class LambdaRule(ABC):
    """λ, which is added to the curvature of the quadratic model."""

    start: float

    @abstractmethod
    def due(self, k: int) -> bool:
        """Whether λ may change after step k = 1, 2, …; only then is the loss at the new point computed."""

    @abstractmethod
    def next(self, lam: float, ratio: float) -> float:
        """λ after a step that changed the loss by `ratio` times what the model promised."""


@dataclass(frozen=True)
class ConstantLambda(LambdaRule):
    """The same λ at every step."""

    start: float

    def __post_init__(self) -> None:
        require_positive("start", self.start)

    def due(self, k: int) -> bool:
        return False

    def next(self, lam: float, ratio: float) -> float:
        return lam


@dataclass(frozen=True)
class LevenbergMarquardt(LambdaRule):
    """λ ← ω^T λ where the loss fell by more than 3/4 of what the model promised, λ / ω^T where by less than 1/4, every T steps.

    Parameters
    ----------
    start : float
    decay : float
        ω.
    period : int
        T.
    smallest : float
        λ does not fall below it.

    A ratio that is NaN, as where the loss overflowed, counts as a failure of the model.
    Source: Martens & Grosse (2015), section 6.5.
    """

    start: float = 150.0
    decay: float = 19 / 20
    period: int = 5
    smallest: float = 0.0

    def __post_init__(self) -> None:
        require_positive("start", self.start)
        require_positive("period", self.period)
        require("decay", "0 < decay < 1", 0 < self.decay < 1, self.decay)

    def due(self, k: int) -> bool:
        return k % self.period == 0

    def next(self, lam: float, ratio: float) -> float:
        change = float(self.decay**self.period)
        if ratio > 0.75:
            return max(lam * change, self.smallest)
        return lam if ratio >= 0.25 else lam / change


class GammaRule(ABC):
    """γ: the factors are damped by π γ I and (γ / π) I, which stands for adding γ² I to their product."""

    @abstractmethod
    def start(self, total: float) -> float:
        """γ of the first step, given λ plus the weight decay."""

    @abstractmethod
    def candidates(self, k: int, gamma: float, total: float) -> list[float]:
        """Those tried at step k = 1, 2, …; the model decides."""


@dataclass(frozen=True)
class GammaOfLambda(GammaRule):
    """γ = √(λ + weight decay)."""

    def start(self, total: float) -> float:
        return float(total**0.5)

    def candidates(self, k: int, gamma: float, total: float) -> list[float]:
        return [total**0.5]


@dataclass(frozen=True)
class GammaSearch(GammaRule):
    """γ, ω^T γ and γ / ω^T are tried every T steps, and the one with the lowest quadratic model is kept.

    Parameters
    ----------
    decay : float
        ω.
    period : int
        T.

    Source: Martens & Grosse (2015), section 6.6.
    """

    decay: float = (19 / 20) ** 0.5
    period: int = 20

    def start(self, total: float) -> float:
        return float(total**0.5)

    def candidates(self, k: int, gamma: float, total: float) -> list[float]:
        if k % self.period:
            return [gamma]
        change = float(self.decay**self.period)
        return [gamma, gamma * change, gamma / change]
