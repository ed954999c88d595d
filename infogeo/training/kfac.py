"""K-FAC: natural-gradient training with Kronecker-factored curvature, a quadratic model and adaptive damping."""
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from math import ceil, inf, isnan
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..arrays.memo import look_ahead
from ..backend import Array, backend_of, generator
from ..curvature.kronecker_factors import Averaged, CappedAverage, KroneckerFactors, RunningAverage
from ..curvature.layer_factors import LayerFactors
from ..curvature.outputs import Outputs, RandomSigns
from ..curvature.sharing import Expand, Sharing
from ..errors import require, require_count
from ..networks.model import Batch, ModelPass, NegativeLogLikelihood
from .examples import ExampleUpdate, Seen
from .quadratic_model import QuadraticModel, quadratic_model
from .rules import GammaRule, GammaSearch, LambdaRule, LevenbergMarquardt, TrustedLambda

__all__ = ["FullLength", "KFAC", "KFACState", "QuadraticLength", "QuadraticMomentum", "Refresh", "Rescaling", "Share"]

ROUNDING = 1e-12        # of the loss: below, whether it fell is a matter of rounding


@dataclass(frozen=True)
class Refresh:
    """Inverses are computed afresh in the first steps and then every so many.

    Parameters
    ----------
    period : int
    first : int
        Steps at the start that all have inverses of their own.

    Source: Martens & Grosse (2015), section 8.

    Examples
    --------
    >>> refresh = ig.training.Refresh(period=10, first=3)
    >>> [k for k in range(31) if refresh.due(k)]
    [0, 1, 2, 3, 10, 20, 30]
    """

    period: int = 20
    first: int = 3

    def __post_init__(self) -> None:
        require_count("period", self.period)
        require_count("first", self.first, least=0)

    def due(self, k: int) -> bool:
        """Whether step k = 1, 2, … has inverses of its own."""
        return k <= self.first or k % self.period == 0


@dataclass(frozen=True)
class Share:
    """The first part of a mini-batch, of at least one sample: the order of a mini-batch is random.

    Parameters
    ----------
    of : float
        In (0, 1].

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> loss = model.objective((np.ones((8, 1)), np.zeros(8)))
    >>> len(ig.training.Share(0.25).part(loss).batch[0])
    2
    """

    of: float = 1.0

    def __post_init__(self) -> None:
        require("of", "0 < of <= 1", 0 < self.of <= 1, self.of)

    def part(self, likelihood: NegativeLogLikelihood) -> NegativeLogLikelihood:
        """The likelihood of this part of the samples; of all of them itself, with the pass that the gradient was made of."""
        n = likelihood.y.shape[0]
        m = ceil(self.of * n)
        return likelihood if m == n else likelihood.first(m)

    def record(self, likelihood: NegativeLogLikelihood, w: Array) -> tuple[ModelPass, Batch]:
        """``(pass, batch)`` of `part`."""
        part = self.part(likelihood)
        return part.record(w), part.batch


class Rescaling(ABC):
    """How a step is made of the direction Δ and the step before, δ₀.

    Examples
    --------
    >>> model = ig.training.QuadraticModel(np.diag([2.0, 4.0]),
    ...                                    np.array([-2.0, -4.0]))
    >>> for rule in (ig.training.QuadraticMomentum(), ig.training.FullLength()):
    ...     print(rule.coefficients(model))
    [1. 1.]
    [1.]
    """

    @abstractmethod
    def directions(self, direction: Array, before: Array | None) -> list[Array]:
        """The vectors that the quadratic model is formed on."""

    @abstractmethod
    def coefficients(self, model: QuadraticModel) -> np.ndarray:
        """Those of the step on these vectors."""


@dataclass(frozen=True)
class QuadraticMomentum(Rescaling):
    """δ = α Δ + μ δ₀ with (α, μ) at the minimum of the quadratic model. Source: Martens & Grosse (2015), section 7.

    Examples
    --------
    >>> model = ig.training.QuadraticModel(np.diag([2.0, 4.0]),
    ...                                    np.array([-2.0, -4.0]))
    >>> ig.training.QuadraticMomentum().coefficients(model)   # (α, μ)
    array([1., 1.])
    """

    def directions(self, direction: Array, before: Array | None) -> list[Array]:
        return [direction] if before is None else [direction, before]

    def coefficients(self, model: QuadraticModel) -> np.ndarray:
        return model.minimiser()


@dataclass(frozen=True)
class QuadraticLength(Rescaling):
    """δ = α Δ with α at the minimum of the quadratic model. Source: Martens & Grosse (2015), section 6.4.

    Examples
    --------
    >>> model = ig.training.QuadraticModel(np.array([[4.0]]), np.array([-2.0]))
    >>> ig.training.QuadraticLength().coefficients(model)     # of ½ 4 a² − 2 a
    array([0.5])
    """

    def directions(self, direction: Array, before: Array | None) -> list[Array]:
        return [direction]

    def coefficients(self, model: QuadraticModel) -> np.ndarray:
        return model.minimiser()


@dataclass(frozen=True)
class FullLength(Rescaling):
    """δ = Δ, for step rules that choose the length themselves.

    Examples
    --------
    >>> model = ig.training.QuadraticModel(np.array([[4.0]]), np.array([-2.0]))
    >>> ig.training.FullLength().coefficients(model)
    array([1.])
    """

    def directions(self, direction: Array, before: Array | None) -> list[Array]:
        return [direction]

    def coefficients(self, model: QuadraticModel) -> np.ndarray:
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
    lam : float or None
        None before the first step.
    gamma : float or None
    inverse : LinearOperator or None
        The damped curvature at work, its factorisations done.
    delta : array, shape (size,), or None
        The last step.
    ratio : float
        The change of the loss over that of the model where λ was last looked at.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((50, 2))
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((2, 1)),
    ...                                      ig.Bernoulli())
    >>> loss = model.objective((x, x[:, 0] + x[:, 1]**2 > 0))
    >>> run = ig.descend(loss, np.zeros(3), update=ig.training.KFAC(), step=1.0,
    ...                  max_steps=5)
    >>> run.state.k, run.state.factors.k, run.state.delta.shape
    (5, 5, (3,))
    """

    k: int = 0
    factors: Any = Averaged(0, None)
    lam: float | None = None
    gamma: float | None = None
    inverse: Any = None
    delta: Any = None
    ratio: float = float("nan")


class Trial(NamedTuple):
    """A step that one inverse proposes: γ and the inverse, δ, its coefficients a in the quadratic model M, and M(a)."""

    gamma: float
    inverse: Any
    delta: Any
    coefficients: Any
    model: QuadraticModel
    promise: float

    def rank(self) -> float:
        """The promise; ∞ where there is none, as the direction is not finite."""
        return inf if isnan(self.promise) else self.promise


class Proposal(NamedTuple):
    """What the examples of a step make of the state before it: λ, the averaged factors, and the best of the steps."""

    seen: Seen
    before: KFACState
    lam: float
    factors: Averaged
    products: ModelPass
    best: Trial


PARTS: dict[str, type] = {"outputs": Outputs, "sharing": Sharing, "averaging": RunningAverage, "damping": LambdaRule,
                          "gamma": GammaRule, "refresh": Refresh, "learning": Refresh, "rescaling": Rescaling,
                          "statistics": Share, "products": Share}


@dataclass(eq=False)
class KFAC(ExampleUpdate):
    """Kronecker-factored approximate curvature, every part of it an object; a step that raises the loss is not taken.

    Mathematically, at step k: the factors Ā and G of each layer are averaged, Δ = −F̃(γ)⁻¹ ∇h with the factored damping γ,
    δ = α Δ + μ δ₀ with the minimum (α, μ) of M(δ) = ½ δᵀ(F + (λ + c) I) δ + ∇h·δ with the exact Fisher metric F, w ← w + h δ.
    The method takes h = 1, ``Constant(1.0)``. `published` is the recipe of the paper, which trusts every step.

    Parameters
    ----------
    outputs : Outputs, optional
        Which covectors at the output the factors G are made of: `Sampled` (published), `RandomSigns`, `ExactColumns`. By default
        `RandomSigns` from the generator of the run, or from one of seed 0 where the run has none.
    factors : type
        `KroneckerFactors` for the block-diagonal form, `ChainFactors` for the block-tridiagonal one, `UnitFactors` for a block of
        each unit, `QuasiDiagonalFactors` for the diagonal and its entries beside the biases.
    sharing : Sharing
        For convolutions.
    averaging : RunningAverage
        `CappedAverage` as published.
    damping : LambdaRule
    gamma : GammaRule
    refresh : Refresh
        At which steps there are new inverses.
    learning : Refresh
        At which steps the examples enter the factors: at all of them unless given. Where every step sees the same examples, those
        of `refresh` are enough, and `RunningAverage(0.0)` forgets the weights before.
    rescaling : Rescaling
    statistics, products : Share
        The samples of a mini-batch that the factors and the products with F are made of (τ₁ and τ₂ in the paper).

    Weights have shape (size,): one model. The objective is the likelihood of a `ConditionalModel`, of one batch or drawn batch by
    batch, with or without weight decay. The method brings its own metric: `descend` needs no geometry.

    Raises
    ------
    TypeError
        If the objective is of another kind.
    ShapeError
        For a batch of weight vectors.

    Source: Martens & Grosse, Optimizing neural networks with Kronecker-factored approximate curvature (2015), algorithm 2.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((100, 2))
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((2, 8, 1)), ig.Bernoulli())
    >>> found = ig.training.fit(model, (x, x[:, 0] > 0), optimiser=ig.training.KFAC())
    >>> found.losses[-1] < 0.5 * found.losses[0]
    True
    """

    outputs: Outputs | None = None
    factors: type[LayerFactors] = KroneckerFactors
    sharing: Sharing = Expand()
    averaging: RunningAverage = CappedAverage()
    damping: LambdaRule = TrustedLambda()
    gamma: GammaRule = GammaSearch()
    refresh: Refresh = Refresh()
    learning: Refresh = Refresh(1, 0)
    rescaling: Rescaling = QuadraticMomentum()
    statistics: Share = Share()
    products: Share = Share()
    keeps_inverse: ClassVar[bool] = True        # between refreshes

    def __post_init__(self) -> None:
        if not (isinstance(self.factors, type) and issubclass(self.factors, LayerFactors)):
            raise TypeError("factors must be a class of factors: KroneckerFactors, ChainFactors, UnitFactors or "
                            f"QuasiDiagonalFactors; got {self.factors!r}. EKFAC() is the method with eigenbases")
        for name, kind in PARTS.items():
            part = getattr(self, name)
            if not isinstance(part, kind) and (name, part) != ("outputs", None):
                raise TypeError(f"{type(self).__name__} takes an object of the class {kind.__name__} as its argument {name}; got "
                                f"{part!r}")

    @classmethod
    def published(cls, outputs: Outputs, **parts: Any) -> "KFAC":
        """The recipe of the paper: λ = 150 at first, looked at every 5 steps, and every step is taken."""
        return cls(outputs, **{"damping": LevenbergMarquardt(), **parts})

    def seeded(self, rng: np.random.Generator | None) -> "KFAC":
        return self if self.outputs is not None else replace(self, outputs=RandomSigns(rng or generator(0)))

    def init(self, x: Array) -> KFACState:
        return KFACState(factors=self.averaging.init())

    def learned(self, seen: Seen, x: Array, covector: Array, state: KFACState) -> Proposal:
        if self.outputs is None:
            raise TypeError("KFAC() outside of descend needs outputs, such as RandomSigns(np.random.default_rng(0))")
        k, lam = state.k + 1, self.damping.first(float(seen.objective.value(x))) if state.lam is None else state.lam
        total, factors = lam + seen.decay, self.remembered(state.factors, seen.loss, x, k)
        gamma = self.gamma.start(total) if state.gamma is None else state.gamma
        gammas = self.gamma.candidates(k, gamma, total)
        if self.refresh.due(k) or len(gammas) > 1 or not self.keeps_inverse:
            inverses = [self.damped(factors, g) for g in gammas]
        else:
            gammas, inverses = [gamma], [state.inverse]
        products, _ = self.products.record(seen.loss, x)
        trials = [self.trial(products, covector, g, inverse, state.delta, total) for g, inverse in zip(gammas, inverses)]
        return Proposal(seen, state, lam, factors, products, min(trials, key=Trial.rank))

    def remembered(self, factors: Any, loss: NegativeLogLikelihood, w: Array, k: int) -> Any:
        """What is known of the curvature after the examples of step k, those of a loss."""
        return self.learnt(factors, self.statistics.part(loss), w, k) if k == 1 or self.learning.due(k) else factors

    def learnt(self, factors: Any, loss: NegativeLogLikelihood, w: Array, k: int) -> Any:
        """The same at a step whose examples enter the factors."""
        assert self.outputs is not None
        fresh = self.factors.of_pass(loss.record(w), loss.batch, outputs=self.outputs, sharing=self.sharing)
        return self.averaging.update(factors, fresh)

    def damped(self, factors: Any, gamma: float) -> Any:
        """The curvature with γ, its factorisations done."""
        return factors.value.operator().factored_shift(gamma * gamma)

    def trial(self, done: ModelPass, covector: Array, gamma: float, inverse: Any, before: Array | None, total: float) -> Trial:
        """The `Trial` of one inverse, with the quadratic model on the examples of a pass."""
        xp = backend_of(covector)
        vectors = xp.stack(self.rescaling.directions(-inverse.solve(covector), before))
        model = quadratic_model(done, covector, vectors, total)
        a = self.rescaling.coefficients(model)
        delta = xp.matmul(xp.asarray(a, dtype=vectors.dtype), vectors)
        return Trial(gamma, inverse, delta, a, model, model.value(a))

    def step(self, x: Array, covector: Array, h: Array, state: Proposal) -> tuple[Array, KFACState]:
        seen, before, lam, factors, products, best = state
        k, ratio = before.k + 1, before.ratio
        if not self.damping.due(k):
            return x + h * best.delta, KFACState(k, factors, lam, best.gamma, best.inverse, best.delta, ratio)
        value = float(seen.objective.value(x))
        for _ in range(self.damping.retries + 1):
            x_new = x + h * best.delta
            look_ahead(x_new)
            promise = best.model.value(float(h) * best.coefficients)
            change = float(seen.objective.value(x_new)) - value
            ratio = change / promise if promise else float("nan")
            if self.damping.refuses(0.0) and (change == 0.0 or abs(promise) <= ROUNDING * abs(value)):
                # rounding: the loss says nothing of λ, which would rise from step to step without an end
                return (x_new if change <= 0.0 else x), KFACState(k, factors, lam, best.gamma, best.inverse, best.delta, ratio)
            lam = self.damping.next(lam, ratio)
            if not self.damping.refuses(ratio):
                return x_new, KFACState(k, factors, lam, best.gamma, best.inverse, best.delta, ratio)
            gamma = self.gamma.start(lam + seen.decay)
            best = self.trial(products, covector, gamma, self.damped(factors, gamma), before.delta, lam + seen.decay)
        return x, KFACState(k, factors, lam, best.gamma, best.inverse, None, ratio)

    def velocity(self, geometry: Any, x: Array, covector: Array) -> Array:
        """Not defined: the method has a memory. `NaturalUpdate` on a `WeightSpace` with `kfac` has a continuous-time limit."""
        raise TypeError("K-FAC carries a state and has no vector field; use NaturalUpdate on WeightSpace(model, batch, kfac, …)")
