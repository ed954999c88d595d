"""Adaptive natural gradient: the inverse of a running average of the Fisher metric, kept by recursion."""
from abc import ABC, abstractmethod
from dataclasses import dataclass
from numbers import Real
from typing import NamedTuple

from ..backend import Array, arrays, to_numpy
from ..curvature.outputs import ExactColumns, Outputs
from ..errors import ConvergenceError, require, require_positive
from ..networks.model import NegativeLogLikelihood
from ..numerics.linalg import cholesky, inverse_lower
from ..solvers.records import memory
from .examples import ExampleUpdate, Seen

__all__ = ["AdaptiveNatural", "ConstantRate", "FirstOrder", "HarmonicRate", "Rate", "Recursion", "ShermanMorrison"]


class Rate(ABC):
    """The weight ε_t of the newest term of a running average, 0 < ε_t < 1.

    Examples
    --------
    >>> class Halves(ig.training.Rate):
    ...     def __call__(self, t):
    ...         return 0.5**t
    >>> [Halves()(t) for t in (1, 2, 3)], ig.training.HarmonicRate()(3)
    ([0.5, 0.25, 0.125], 0.25)
    """

    @abstractmethod
    def __call__(self, t: int) -> float:
        """ε_t at t = 1, 2, …"""


@dataclass(frozen=True)
class ConstantRate(Rate):
    """ε_t = ε: an exponential average over about 1/ε steps.

    Examples
    --------
    >>> rate, average = ig.training.ConstantRate(0.5), 0.0
    >>> for t, term in enumerate((4.0, 4.0, 4.0), 1):
    ...     average += rate(t) * (term - average)
    >>> average
    3.5
    """

    epsilon: float

    def __post_init__(self) -> None:
        require("epsilon", "0 < epsilon < 1", 0 < self.epsilon < 1, self.epsilon)

    def __call__(self, t: int) -> float:
        return self.epsilon


@dataclass(frozen=True)
class HarmonicRate(Rate):
    """ε_t = c / (t + offset): with c = 1 the plain mean of the terms, the start counting as `offset` of them.

    Examples
    --------
    >>> rate, mean = ig.training.HarmonicRate(), 2.0  # the start is a term
    >>> for t, term in enumerate((3.0, 5.0, 10.0), 1):
    ...     mean += rate(t) * (term - mean)
    >>> round(mean, 6)                              # (2 + 3 + 5 + 10) / 4
    5.0
    """

    c: float = 1.0
    offset: float = 1.0

    def __post_init__(self) -> None:
        require("offset", "offset a number > -1", isinstance(self.offset, Real) and float(self.offset) > -1, self.offset)
        require("c", f"0 < c < 1 + offset = {1 + self.offset}, so that epsilon_1 < 1", 0 < self.c < 1 + self.offset, self.c)

    def __call__(self, t: int) -> float:
        return self.c / (t + self.offset)


class Recursion(ABC):
    """How P = Ĝ⁻¹ follows Ĝ ← (1 − ε) Ĝ + ε U Uᵀ.

    Examples
    --------
    >>> P, U = np.eye(2), np.array([[1.0], [2.0]])
    >>> G = 0.9 * np.eye(2) + 0.1 * U @ U.T         # P Ĝ is I, or nearly
    >>> for kind in (ig.training.ShermanMorrison, ig.training.FirstOrder):
    ...     print(round(float(np.linalg.det(kind()(P, U, 0.1) @ G)), 3))
    1.0
    0.832
    """

    @abstractmethod
    def __call__(self, P: Array, U: Array, epsilon: float) -> Array:
        """The next P, shape (d, d), for columns U of shape (d, r)."""


@dataclass(frozen=True)
class ShermanMorrison(Recursion):
    """P ← [P − ε V ((1 − ε) I + ε Uᵀ V)⁻¹ Vᵀ] / (1 − ε) with V = P U, which is exact.

    Of one column this is the formula of Sherman & Morrison, of several that of Woodbury.

    Examples
    --------
    >>> P, U = np.eye(2), np.array([[1.0], [2.0]])
    >>> G = 0.9 * np.eye(2) + 0.1 * U @ U.T         # (1 − ε) I + ε U Uᵀ
    >>> P = ig.training.ShermanMorrison()(P, U, 0.1)
    >>> bool(np.allclose(P @ G, np.eye(2)))
    True
    """

    def __call__(self, P: Array, U: Array, epsilon: float) -> Array:
        xp, P, U = arrays(P, U)
        V = xp.matmul(P, U)
        middle = (1.0 - epsilon) * xp.eye(U.shape[1], dtype=P.dtype) + epsilon * xp.matmul(xp.matrix_transpose(U), V)
        W = xp.matmul(V, xp.matrix_transpose(inverse_lower(xp, cholesky(xp, middle))))
        return (P - epsilon * xp.matmul(W, xp.matrix_transpose(W))) / (1.0 - epsilon)


@dataclass(frozen=True)
class FirstOrder(Recursion):
    """P ← (1 + ε) P − ε V Vᵀ with V = P U, the published recursion, true to first order in ε.

    Mathematically, P stays positive definite as long as ε λ < 1 + ε for the largest eigenvalue λ of Uᵀ P U, for one column
    ε ∇fᵀ P ∇f < 1 + ε. Beyond that the iteration leaves every bound within a few steps, so it ends there.

    Raises
    ------
    ConvergenceError
        Where P would lose its definiteness; residual ε λ − (1 + ε), iterate the last good P.

    Source: Amari, Park & Fukumizu, Adaptive method of realizing natural gradient learning for multilayer perceptrons (2000).

    Examples
    --------
    >>> P, U = np.eye(2), np.array([[1.0], [2.0]])
    >>> for epsilon in (0.1, 0.01):
    ...     G = (1 - epsilon) * np.eye(2) + epsilon * U @ U.T
    ...     error = ig.training.FirstOrder()(P, U, epsilon) @ G - np.eye(2)
    ...     print(f"{abs(error).max():.4f}")        # falls like ε²
    0.1300
    0.0013
    """

    def __call__(self, P: Array, U: Array, epsilon: float) -> Array:
        xp, P, U = arrays(P, U)
        V = xp.matmul(P, U)
        largest = epsilon * float(to_numpy(xp.linalg.eigvalsh(xp.matmul(xp.matrix_transpose(U), V)))[-1])
        if not largest < 1.0 + epsilon:
            raise ConvergenceError("the first-order recursion would lose definiteness: epsilon times the largest eigenvalue of "
                                   f"U^T P U is {largest:.6g}, not below 1 + epsilon = {1.0 + epsilon:.6g}; use smaller rates or "
                                   "ShermanMorrison()", residual=largest - (1.0 + epsilon), iterate=P)
        return (1.0 + epsilon) * P - epsilon * xp.matmul(V, xp.matrix_transpose(V))


class AdaptiveState(NamedTuple):
    """Steps taken and P = Ĝ⁻¹, shape (d, d)."""

    t: int
    inverse: Array


@dataclass(eq=False)
class AdaptiveNatural(ExampleUpdate):
    """x − h Ĝ_t⁻¹ c with the running average Ĝ_t = (1 − ε_t) Ĝ_{t−1} + ε_t F_t of the Fisher metrics of the steps' examples.

    Mathematically, F_t = (1/n) Σ J_nᵀ G(θ_n) J_n = U Uᵀ has the columns J_nᵀ c_i / √n for covectors with Σ c_i c_iᵀ = G(θ_n), so
    that Ĝ_t⁻¹ follows by a recursion without an inversion: O(d² r) for r columns. Where one output has additive normal noise, the
    one column of an example is the gradient of the output.

    Parameters
    ----------
    start : float
        Ĝ_0 = start · I, positive; it is also what damps the first steps.
    rate : Rate
        ε_t.
    recursion : Recursion
    outputs : Outputs

    Raises
    ------
    MemoryError
        Before the first step, where P² numbers of P weights are more than the machine holds.

    Source: Amari, Park & Fukumizu (2000), section 3; Park, Amari & Fukumizu, Adaptive natural gradient learning algorithms for
    various stochastic models (2000).

    Examples
    --------
    >>> x = 10 * np.random.default_rng(0).standard_normal((50, 1))
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.NormalKnownVariance(1.0))
    >>> loss = model.objective((x, 2 * x[:, 0] - 1))          # badly scaled
    >>> update = ig.training.AdaptiveNatural(1.0, ig.training.HarmonicRate())
    >>> run = ig.descend(loss, np.zeros(2), update=update, step=1.0,
    ...                  max_steps=30)
    >>> run.x.round(2)
    array([ 2., -1.])
    """

    start: float
    rate: Rate
    recursion: Recursion = ShermanMorrison()
    outputs: Outputs = ExactColumns()

    def __post_init__(self) -> None:
        require_positive("start", self.start)
        for name, kind in (("rate", Rate), ("recursion", Recursion), ("outputs", Outputs)):
            if not isinstance(getattr(self, name), kind):
                raise TypeError(f"AdaptiveNatural takes an object of the class {kind.__name__} as its argument {name}; got "
                                f"{getattr(self, name)!r}")

    def init(self, x: Array) -> AdaptiveState:
        xp, x = arrays(x)
        _require_room(x.shape[-1], xp.finfo(x.dtype).bits // 8)
        return AdaptiveState(0, xp.eye(x.shape[-1], dtype=x.dtype) / self.start)

    def learned(self, seen: Seen, x: Array, covector: Array, state: AdaptiveState) -> AdaptiveState:
        t, U = state.t + 1, fisher_columns(seen.loss, x, self.outputs)
        return AdaptiveState(t, self.recursion(state.inverse, U, self.rate(t)))

    def step(self, x: Array, covector: Array, h: Array, state: AdaptiveState) -> tuple[Array, AdaptiveState]:
        xp, x, covector = arrays(x, covector)
        return x - h * xp.matmul(state.inverse, covector), state


def _require_room(weights: int, itemsize: int) -> None:
    """Nothing, where the memory of this machine holds Ĝ⁻¹ three times: before, after, and the difference."""
    size, room = 3.0 * weights**2 * itemsize, memory()
    if size > room:
        raise MemoryError(f"AdaptiveNatural keeps the inverse of the whole metric of {weights} weights, which takes "
                          f"{size / 2**30:.3g} GiB while it is renewed, more than the {room / 2**30:.3g} of this machine: "
                          "LowRankNatural keeps a few columns, StructuredNatural and KFAC the blocks of layers")


def fisher_columns(loss: NegativeLogLikelihood, w: Array, outputs: Outputs) -> Array:
    """U of shape (size, m n) with F = U Uᵀ: what the covectors at the output are at the weights, over √n."""
    done = loss.record(w)
    rows = done.per_example_gradients(outputs.covectors(loss.model.family, done.theta, loss.batch)) / done.n**0.5
    return loss.xp.matrix_transpose(loss.xp.reshape(rows, (-1, rows.shape[-1])))
