"""How the damping of K-FAC is chosen from step to step: λ of the quadratic model, γ of the factors."""
from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import inf

from ..errors import require, require_count, require_positive

__all__ = ["ConstantLambda", "GammaOfLambda", "GammaRule", "GammaSearch", "LambdaRule", "LevenbergMarquardt", "TrustedLambda"]


class LambdaRule(ABC):
    """λ, which is added to the curvature of the quadratic model.

    Attributes
    ----------
    start : float
    retries : int
        How often a step that the rule refuses is tried again, with the λ that `next` gives.

    Examples
    --------
    >>> class Halved(ig.training.LambdaRule):       # at every step
    ...     start = 1.0
    ...     def due(self, k):
    ...         return True
    ...     def next(self, lam, ratio):
    ...         return lam / 2
    >>> x = np.random.default_rng(0).standard_normal((50, 2))
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((2, 1)),
    ...                                      ig.Bernoulli())
    >>> loss = model.objective((x, x[:, 0] > 0))
    >>> update = ig.training.KFAC(damping=Halved())
    >>> ig.descend(loss, np.zeros(3), update=update, step=1.0,
    ...            max_steps=3).state.lam
    0.125
    """

    start: float
    retries: int = 0

    def first(self, loss: float) -> float:
        """λ before the first step, given the loss there, nats."""
        return self.start

    def refuses(self, ratio: float) -> bool:
        """Whether a step that changed the loss by `ratio` times what the model promised is not to be taken."""
        return False

    @abstractmethod
    def due(self, k: int) -> bool:
        """Whether λ may change after step k = 1, 2, …; only then is the loss at the new point computed."""

    @abstractmethod
    def next(self, lam: float, ratio: float) -> float:
        """λ after a step that changed the loss by `ratio` times what the model promised."""


@dataclass(frozen=True)
class ConstantLambda(LambdaRule):
    """The same λ at every step.

    Examples
    --------
    >>> rule = ig.training.ConstantLambda(0.1)
    >>> rule.first(loss=2.3), rule.next(0.1, ratio=-5.0)
    (0.1, 0.1)
    """

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

    Examples
    --------
    >>> rule = ig.training.LevenbergMarquardt(start=150.0)
    >>> [round(rule.next(100.0, ratio), 2) for ratio in (1.0, 0.5, 0.1)]
    [77.38, 100.0, 129.24]
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


@dataclass(frozen=True)
class TrustedLambda(LambdaRule):
    """A step that raises the loss, or leaves the numbers, is refused and tried again with a larger λ: no run diverges.

    Mathematically, as in nonlinear least squares: after every step λ is divided by `factor` where the loss fell by more than 3/4
    of what the model promised, and multiplied by it where by less than 1/4; where it did not fall, λ is multiplied by `jump`,
    again and again, until it does.

    Parameters
    ----------
    start : float, optional
        λ before the first step; `share` of the first loss where it is not given, in nats as the Fisher metric is.
    share : float
    factor, jump : float
    smallest : float
        λ does not fall below it.
    retries : int
        Of one step; then the weights stay where they are for this step.

    Source: Marquardt, An algorithm for least-squares estimation of nonlinear parameters (1963).

    Examples
    --------
    >>> rule = ig.training.TrustedLambda()
    >>> rule.refuses(-0.1), rule.next(1.0, ratio=-0.1)        # the loss rose
    (True, 6.0)
    >>> rule.refuses(0.9), rule.next(1.0, ratio=0.9)
    (False, 0.8)
    """

    start: float | None = None      # type: ignore[assignment]
    share: float = 0.01
    factor: float = 1.25
    jump: float = 6.0
    smallest: float = 0.0
    retries: int = 60

    def __post_init__(self) -> None:
        if self.start is not None:
            require_positive("start", self.start)
        require_positive("share", self.share)
        for name in ("factor", "jump"):
            require(name, f"{name} > 1", getattr(self, name) > 1, getattr(self, name))
        require_count("retries", self.retries)

    def first(self, loss: float) -> float:
        if self.start is not None:
            return self.start
        return self.share * abs(loss) if 0 < abs(loss) < inf else self.share

    def due(self, k: int) -> bool:
        return True

    def refuses(self, ratio: float) -> bool:
        return not ratio > 0.0

    def next(self, lam: float, ratio: float) -> float:
        if ratio > 0.75:
            return max(lam / self.factor, self.smallest)
        if ratio > 0.0:
            return lam if ratio >= 0.25 else lam * self.factor
        return lam * self.jump


class GammaRule(ABC):
    """γ: the factors are damped by π γ I and (γ / π) I, which stands for adding γ² I to their product.

    Examples
    --------
    >>> for rule in (ig.training.GammaOfLambda(),
    ...              ig.training.GammaSearch(0.9, 2)):
    ...     tried = rule.candidates(2, gamma=1.0, total=4.0)  # at step k = 2
    ...     print([round(gamma, 3) for gamma in tried])
    [2.0]
    [1.0, 0.81, 1.235]
    """

    @abstractmethod
    def start(self, total: float) -> float:
        """γ of the first step, given λ plus the weight decay."""

    @abstractmethod
    def candidates(self, k: int, gamma: float, total: float) -> list[float]:
        """Those tried at step k = 1, 2, …; the model decides."""


@dataclass(frozen=True)
class GammaOfLambda(GammaRule):
    """γ = √(λ + weight decay).

    Examples
    --------
    >>> rule = ig.training.GammaOfLambda()
    >>> rule.candidates(7, gamma=1.0, total=4.0)    # √(λ + weight decay)
    [2.0]
    """

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

    Examples
    --------
    >>> rule = ig.training.GammaSearch(decay=0.9, period=2)
    >>> rule.candidates(1, gamma=1.0, total=4.0)    # none is due at k = 1
    [1.0]
    >>> [round(gamma, 3) for gamma in rule.candidates(2, gamma=1.0, total=4.0)]
    [1.0, 0.81, 1.235]
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
