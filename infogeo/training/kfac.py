"""K-FAC: natural-gradient training with Kronecker-factored curvature, a quadratic model and adaptive damping."""
from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import ceil
from typing import Any, NamedTuple

import numpy as np

from ..curvature.kronecker_factors import Averaged, CappedAverage, KroneckerFactors, RunningAverage
from ..curvature.outputs import Outputs
from ..curvature.sharing import Expand, Sharing
from ..errors import DomainError, ShapeError
from ..networks.model import NegativeLogLikelihood
from ..solvers.update import Update
from .data import Regularised
from .examples import SeesExamples
from .quadratic_model import QuadraticModel, quadratic_model
from .rules import GammaRule, GammaSearch, LambdaRule, LevenbergMarquardt

__all__ = ["FullLength", "KFAC", "KFACState", "QuadraticLength", "QuadraticMomentum", "Refresh", "Rescaling", "Share"]


@dataclass(frozen=True)
class Refresh:
    """Inverses are computed afresh in the first steps and then every so many.

    Parameters
    ----------
    period : int
    first : int
        Steps at the start that all have inverses of their own.

    Source: Martens & Grosse (2015), section 8.
    """

    period: int = 20
    first: int = 3

    def due(self, k):
        """Whether step k = 1, 2, … has inverses of its own."""
        return k <= self.first or k % self.period == 0


@dataclass(frozen=True)
class Share:
    """The first part of a mini-batch, of at least one sample: the order of a mini-batch is random.

    Parameters
    ----------
    of : float
        In (0, 1].
    """

    of: float = 1.0

    def __post_init__(self):
        if not 0 < self.of <= 1:
            raise DomainError(f"of must satisfy 0 < of <= 1; got {self.of!r}")

    def record(self, likelihood, w):
        """``(pass, (x, y))`` of this part of the samples; of all of them, the pass that the gradient was made of."""
        n = likelihood.y.shape[0]
        m = ceil(self.of * n)
        if m == n:
            return likelihood.record(w), (likelihood.x, likelihood.y)
        x, y = likelihood.x[:m, ...], likelihood.y[:m, ...]
        return likelihood.model.record(w, x), (x, y)


class Rescaling(ABC):
    """How a step is made of the direction Δ and the step before, δ₀."""

    @abstractmethod
    def directions(self, direction, before):
        """The vectors that the quadratic model is formed on."""

    @abstractmethod
    def coefficients(self, model):
        """Those of the step on these vectors."""


@dataclass(frozen=True)
class QuadraticMomentum(Rescaling):
    """δ = α Δ + μ δ₀ with (α, μ) at the minimum of the quadratic model. Source: Martens & Grosse (2015), section 7."""

    def directions(self, direction, before):
        return [direction] if before is None else [direction, before]

    def coefficients(self, model):
        return model.minimiser()


@dataclass(frozen=True)
class QuadraticLength(Rescaling):
    """δ = α Δ with α at the minimum of the quadratic model. Source: Martens & Grosse (2015), section 6.4."""

    def directions(self, direction, before):
        return [direction]

    def coefficients(self, model):
        return model.minimiser()


@dataclass(frozen=True)
class FullLength(Rescaling):
    """δ = Δ, for step rules that choose the length themselves."""

    def directions(self, direction, before):
        return [direction]

    def coefficients(self, model):
        return np.ones(1)


@dataclass(frozen=True)
class KFACState:
    """What K-FAC carries from step to step.

    Attributes
    ----------
    k : int
        Steps taken.
    factors : Averaged
        The running average of the factors.
    lam, gamma : float or None
    inverse : LinearOperator or None
        The damped curvature at work, its factorisations done.
    delta : array, shape (size,), or None
        The last step.
    ratio : float
        The change of the loss over that of the model where λ was last looked at.
    """

    k: int = 0
    factors: Any = Averaged(0, None)
    lam: float | None = None
    gamma: float | None = None
    inverse: Any = None
    delta: Any = None
    ratio: float = float("nan")


@dataclass(eq=False)
class KFAC(SeesExamples):
    """Kronecker-factored approximate curvature, as published, every part of it an object.

    Mathematically, at step k: the factors Ā and G of each layer are averaged, Δ = −F̃(γ)⁻¹ ∇h with the factored damping γ,
    δ = α Δ + μ δ₀ with the minimum (α, μ) of M(δ) = ½ δᵀ(F + (λ + c) I) δ + ∇h·δ with the exact Fisher metric F, w ← w + h δ.
    The published method takes h = 1, ``Constant(1.0)``.

    Parameters
    ----------
    outputs : Outputs
        Which covectors at the output the factors G are made of: `Sampled` (published), `RandomSigns`, `ExactColumns`.
    factors : type
        `KroneckerFactors` for the block-diagonal form; a subclass that keeps more for others, such as the block-tridiagonal one.
    sharing : Sharing
        For convolutions.
    averaging : RunningAverage
        `CappedAverage` as published.
    damping : LambdaRule
    gamma : GammaRule
    refresh : Refresh
    rescaling : Rescaling
    statistics, products : Share
        The samples of a mini-batch that the factors and the products with F are made of (τ₁ and τ₂ in the paper).

    Weights have shape (size,): one model. The objective is the likelihood of a `ConditionalModel`, of one batch or drawn batch by
    batch, with or without weight decay.

    Raises
    ------
    TypeError
        If the objective is of another kind.
    ShapeError
        For a batch of weight vectors.

    Source: Martens & Grosse, Optimizing neural networks with Kronecker-factored approximate curvature (2015), algorithm 2.
    """

    outputs: Outputs
    factors: type[KroneckerFactors] = KroneckerFactors
    sharing: Sharing = Expand()
    averaging: RunningAverage = CappedAverage()
    damping: LambdaRule = LevenbergMarquardt()
    gamma: GammaRule = GammaSearch()
    refresh: Refresh = Refresh()
    rescaling: Rescaling = QuadraticMomentum()
    statistics: Share = Share()
    products: Share = Share()

    def on(self, objective):
        likelihood, decay = (objective.f, objective.c) if isinstance(objective, Regularised) else (objective, 0.0)
        if not isinstance(likelihood, NegativeLogLikelihood):
            raise TypeError(f"K-FAC needs the likelihood of a ConditionalModel as its objective; got {objective!r}")
        return _Seeing(self, objective, likelihood, decay)

    def init(self, x):
        if x.ndim != 1:
            raise ShapeError(f"K-FAC trains one model, x0 of shape (size,); got {tuple(x.shape)}")
        return KFACState(factors=self.averaging.init(), lam=self.damping.start)

    def velocity(self, geometry, x, covector):
        """Not defined: the method has a memory. `NaturalUpdate` on a `WeightSpace` with `kfac` has a continuous-time limit."""
        raise TypeError("K-FAC carries a state and has no vector field; use NaturalUpdate on WeightSpace(model, batch, kfac, …)")


class Trial(NamedTuple):
    """A step that one inverse proposes: γ and the inverse, δ, its coefficients a in the quadratic model M, and M(a)."""

    gamma: float
    inverse: Any
    delta: Any
    coefficients: Any
    model: QuadraticModel
    promise: float


class _Seeing(Update):
    """K-FAC with the examples of one step."""

    def __init__(self, rules, objective, likelihood, decay):
        self.rules, self.objective, self.likelihood, self.decay = rules, objective, likelihood, decay
        self._last = None, None, None

    velocity = KFAC.velocity

    def init(self, x):
        return self.rules.init(x)

    def __call__(self, geometry, x, covector, h, state=None):
        at, known, proposal = self._last             # a step rule that tries several step sizes asks again and again
        if at is not x or known is not state:
            proposal = self._propose(x, covector, state)
            self._last = x, state, proposal
        factors, best = proposal
        k, x_new, lam, ratio = state.k + 1, x + h * best.delta, state.lam, state.ratio
        if self.rules.damping.due(k):
            change = float(self.objective.value(x_new)) - float(self.objective.value(x))
            ratio = change / best.model.value(float(h) * best.coefficients)
            lam = self.rules.damping.next(lam, ratio)
        return x_new, KFACState(k, factors, lam, best.gamma, best.inverse, best.delta, ratio)

    def _propose(self, x, covector, state):
        """The averaged factors, and the best of the steps that they propose."""
        rules, k, total = self.rules, state.k + 1, state.lam + self.decay
        done, batch = rules.statistics.record(self.likelihood, x)
        fresh = rules.factors.of_pass(done, batch, outputs=rules.outputs, sharing=rules.sharing)
        factors = rules.averaging.update(state.factors, fresh)
        gamma = rules.gamma.start(total) if state.gamma is None else state.gamma
        gammas = rules.gamma.candidates(k, gamma, total)
        if rules.refresh.due(k) or len(gammas) > 1:
            curvature = factors.value.operator()
            inverses = [curvature.factored_shift(g * g) for g in gammas]
        else:
            gammas, inverses = [gamma], [state.inverse]
        seen, _ = rules.products.record(self.likelihood, x)
        trials = [self.trial(seen, covector, g, inverse, state.delta, total) for g, inverse in zip(gammas, inverses)]
        return factors, min(trials, key=lambda trial: trial.promise)

    def trial(self, seen, covector, gamma, inverse, before, total):
        """The `Trial` of one inverse, with the quadratic model on the examples of a pass."""
        xp = self.likelihood.xp
        vectors = xp.stack(self.rules.rescaling.directions(-inverse.solve(covector), before))
        model = quadratic_model(seen, covector, vectors, total)
        a = self.rules.rescaling.coefficients(model)
        delta = xp.matmul(xp.asarray(a, dtype=vectors.dtype), vectors)
        return Trial(gamma, inverse, delta, a, model, model.value(a))
