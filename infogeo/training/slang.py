"""SLANG: a normal posterior of the weights, whose precision is a diagonal plus a matrix of low rank, by natural gradient."""
from dataclasses import dataclass, replace
from math import inf
from numbers import Real
from typing import NamedTuple

import numpy as np

from ..arrays.draws import Draws
from ..backend import Array, arrays
from ..curvature.low_rank import blend_low_rank
from ..curvature.outputs import Given, Observed, Outputs
from ..errors import DomainError, require, require_count, require_positive, takes
from ..networks.model import ConditionalModel, NegativeLogLikelihood
from ..operators.low_rank import DiagonalPlusLowRank
from ..solvers.result import Result
from .adaptive import Rate
from .examples import ExampleUpdate, Seen
from .normal_weights import NormalWeights, require_one_or_each

__all__ = ["PowerRate", "SLANG"]


@dataclass(frozen=True)
class PowerRate(Rate):
    """ε_t = c / t^power: with a power above ½ and up to 1 the noise averages out, and the start is forgotten.

    Examples
    --------
    >>> [round(ig.training.PowerRate(0.1, 0.5)(t), 3) for t in (1, 4, 100)]
    [0.1, 0.05, 0.01]
    """

    c: float
    power: float

    def __post_init__(self) -> None:
        require("c", "0 < c < 1", 0 < self.c < 1, self.c)
        require("power", "0 <= power <= 1", 0 <= self.power <= 1, self.power)

    def __call__(self, t: int) -> float:
        return float(self.c / t**self.power)


class SLANGState(NamedTuple):
    """Steps taken, the running mean of gradients, and d and U of the precision n (diag(d) + U Uᵀ) + τ I."""

    t: int
    momentum: Array
    d: Array
    U: Array


@dataclass(eq=False)
class SLANG(ExampleUpdate):
    """Natural gradient of the evidence lower bound in the mean and the precision of a normal posterior of the weights.

    Mathematically, q = N(μ, (S + τ I)⁻¹) under the prior N(0, I/τ), with S = n (diag(d) + U Uᵀ), at first start · I. At step t,
    with weights w_s drawn from q and the examples of the step, g the mean of the gradients of their −log p and Ĝ the mean of
    products of the gradients of the single ones,

    - diag(d) + U Uᵀ ← (1 − β_t)(diag(d) + U Uᵀ) + β_t Ĝ, with the `rank` leading eigenpairs of (1 − β) U Uᵀ + β Ĝ in the new
      U Uᵀ, and d such that the diagonal stays what it is
    - m ← γ m + (1 − γ) g, and μ ← μ − h_t (S + τ I)⁻¹ (n m / (1 − γ^t) + τ μ)

    μ are the points of the run, whose objective is the likelihood without weight decay: the prior has it. The covectors that
    `descend` takes at μ are not used, only its values are.

    Parameters
    ----------
    n : int
        Examples altogether, of which a step may see a mini-batch.
    rank : int
        0 keeps the posterior a product of laws of single weights.
    prior_precision : float, or array of shape (size,)
        τ, positive.
    rate : Rate
        β_t; as published a `PowerRate`, and the step size the same, ``Diminishing(c, power=power)``.
    draws : int
        Weights drawn at a step.
    momentum : float
        γ, from 0 to 1.
    start : float
        0, with which q is the prior but for its mean, or more for weights of a network, which as noisy as the prior give no
        gradient of use; it is forgotten as β_t goes on.
    outputs : Outputs
        `Observed` as published: Ĝ is the empirical Fisher metric. `ExactColumns` makes it the Fisher metric itself, so that the
        fixed point for a generalised linear model and full rank is the optimum of the bound.
    rng : numpy.random.Generator, optional
        That of the run unless given.

    Raises
    ------
    DomainError
        For an objective with weight decay.

    Source: Mishkin, Kunstner, Nielsen, Schmidt & Khan, SLANG: fast structured covariance approximations for Bayesian deep
    learning with natural gradient (2018), algorithm 1, with the momentum of the authors' code.

    Examples
    --------
    >>> import numpy as np, infogeo as ig
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((100, 3))
    >>> batch = x, x[:, 0] + 0.5 * rng.standard_normal(100) > 0
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((3, 1)), ig.Bernoulli())
    >>> slang = ig.training.SLANG(100, rank=2, prior_precision=1.0, rate=ig.training.PowerRate(0.1, 0.51))
    >>> run = ig.descend(ig.training.MiniBatches(model.objective(batch), 20), np.zeros(4), update=slang,
    ...                  step=ig.Diminishing(0.1, power=0.51), max_steps=500, rng=rng, record=None)
    >>> bool(slang.posterior(model, run).negative_bound(batch, 1.0, rng) < 0.6 * 100 * np.log(2))
    True
    """

    n: int
    rank: int
    prior_precision: float | Array
    rate: Rate
    draws: int = 1
    momentum: float = 0.9
    start: float = 0.0
    outputs: Outputs = Observed()
    rng: np.random.Generator | None = None

    def __post_init__(self) -> None:
        require_count("n", self.n), require_count("rank", self.rank, 0), require_count("draws", self.draws)
        require_positive("prior_precision", self.prior_precision)
        require("start", "start >= 0, finite", isinstance(self.start, Real) and 0 <= self.start < inf, self.start)
        require("momentum", "0 <= momentum < 1", isinstance(self.momentum, Real) and 0 <= self.momentum < 1, self.momentum)
        for name, kind in (("rate", Rate), ("outputs", Outputs)):
            if not isinstance(getattr(self, name), kind):
                raise TypeError(f"SLANG takes an object of the class {kind.__name__} as its argument {name}; got "
                                f"{getattr(self, name)!r}")

    def seeded(self, rng: np.random.Generator | None) -> "SLANG":
        return self if self.rng is not None else replace(self, rng=rng)

    def init(self, x: Array) -> SLANGState:
        xp, x = arrays(x)
        require_one_or_each(self.prior_precision, x.shape[-1])
        return SLANGState(0, xp.zeros_like(x), xp.zeros_like(x) + self.start / self.n, xp.zeros((x.shape[-1], 0), dtype=x.dtype))

    def precision(self, state: SLANGState) -> DiagonalPlusLowRank:
        """S + τ I of a state."""
        return DiagonalPlusLowRank(self.n * state.d + self.prior_precision, self.n**0.5 * state.U)

    @takes(model=ConditionalModel, run=Result)
    def posterior(self, model: ConditionalModel, run: Result) -> NormalWeights:
        """q at the end of a run. Raises TypeError for the run of another update."""
        if not isinstance(run.state, SLANGState):
            raise TypeError(f"run must be one of SLANG, with its state; got one with the state {run.state!r}")
        return NormalWeights(model, run.x, self.precision(run.state))

    def learned(self, seen: Seen, x: Array, covector: Array, state: SLANGState) -> SLANGState:
        if seen.decay:
            raise DomainError("the objective must be without weight decay, which the prior_precision of SLANG is; got one of "
                              f"{seen.decay:g}")
        if self.rng is None:
            raise TypeError("SLANG draws weights: give descend, or SLANG itself, a generator rng")
        t = state.t + 1
        z = Draws(self.rng, seen.loss.xp, x.dtype).normal((self.draws, x.shape[-1]))
        gradient, rows = self._gradients(seen.loss, x + self.precision(state).inverse_root(z))
        d, U = blend_low_rank(state.d, state.U, rows, self.rate(t), self.rank)
        return SLANGState(t, self.momentum * state.momentum + (1.0 - self.momentum) * gradient, d, U)

    def _gradients(self, loss: NegativeLogLikelihood, w: Array) -> tuple[Array, Array]:
        """(g, rows of Ĝ) of some weights, shapes (size,) and (r, size)."""
        done, outputs, family = loss.record(w), self.outputs, loss.model.family
        if isinstance(outputs, Observed):               # those of the loss, whose targets may be mean statistics
            outputs = Given(((family.to_eta(done.theta) - loss.statistic)[None, ...],))
        rows = done.per_example_gradients(outputs.covectors(family, done.theta, loss.batch))
        # the average takes the mean over all rows, the metric is a sum over the covectors of an example
        rows = loss.xp.reshape(rows.shape[0]**0.5 * rows, (-1, w.shape[-1]))
        return loss.xp.mean(loss.value_and_gradient(w)[1], axis=0), rows

    def step(self, x: Array, covector: Array, h: Array, state: SLANGState) -> tuple[Array, SLANGState]:
        gradient = self.n / (1.0 - self.momentum**state.t) * state.momentum + self.prior_precision * x
        return x - h * self.precision(state).solve(gradient), state
