"""Accelerated mirror descent, and when to start it afresh."""
from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from numbers import Real
from typing import Any, NamedTuple

from ..backend import Array, arrays, column, dot
from ..errors import require, require_positive
from .update import SameForAllRows

__all__ = ["AcceleratedMirror", "GradientRestart", "Restart"]


class Restart(ABC):
    """A rule that says which rows of an accelerated run forget their momentum.

    Examples
    --------
    >>> class Uphill(ig.solvers.Restart):  # what `GradientRestart` does
    ...     def __call__(self, x, covector, ahead):
    ...         return (covector * (ahead - x)).sum(-1) > 0
    >>> f, M = ig.LeastSquares(np.diag([1.0, 0.3]), [0.0, 0.0]), ig.Euclidean(2)
    >>> update = ig.AcceleratedMirror(restart=Uphill())
    >>> run = ig.descend(f, [1.0, 1.0], geometry=M, update=update, step=1.0,
    ...                  max_steps=60)
    >>> bool(f.value_and_gradient(run.x)[0] < 1e-9)
    True
    """

    @abstractmethod
    def __call__(self, x: Array, covector: Array, ahead: Array) -> Array:
        """A mask, shape (...), of steps from x, where the covector is taken, to the point ahead."""


@dataclass(frozen=True)
class GradientRestart(Restart):
    """Where the method goes uphill, ⟨c, x⁺ − x⟩ > 0.

    Source: O'Donoghue & Candès, Adaptive restart for accelerated gradient schemes (2015), section 3.2.

    Examples
    --------
    >>> f = ig.LeastSquares(np.diag([1.0, 0.3]), [0.0, 0.0])
    >>> for restart in (None, ig.GradientRestart()):
    ...     run = ig.descend(f, [1.0, 1.0], geometry=ig.Euclidean(2), step=1.0,
    ...                      max_steps=60,
    ...                      update=ig.AcceleratedMirror(restart=restart))
    ...     print(f"{f.value_and_gradient(run.x)[0]:.0e}")
    4e-09
    4e-17
    """

    def __call__(self, x: Array, covector: Array, ahead: Array) -> Array:
        return dot(covector, ahead - x) > 0


class Accelerated(NamedTuple):
    """The state of `AcceleratedMirror`: steps since the (re)start, shape (...); the start, Σ (k h / r) c and the answer y, shape
    (..., d)."""

    k: Array
    start: Array
    moved: Array
    y: Array


@dataclass(frozen=True)
class AcceleratedMirror(SameForAllRows):
    """Accelerated mirror descent: gradients are taken at x = λ ∇ψ*(z) + (1 − λ) y, and the answer is y.

    Mathematically, at step k = 1, 2, … with the covector c at x and λ = r / (r + k),

    - z ← z − (k h / r) c from z = ∇ψ(x₀), the mirror step that remembers;
    - y = ∇ψ*(∇ψ(x) − γ h c), the one that does not;
    - x ← λ ∇ψ*(z) + (1 − λ) y.

    Let f be convex, r ≥ 2, and f(y) ≤ f(x) + c·(y − x) + B_ψ(y : x) / (γ h) as for h ≤ 1 / (γ L) where f is L-smooth relative to
    ψ. Beside x = τ p + (1 − τ) y⁻ with p = ∇ψ*(z) and τ = r / (r + k − 1) put v = τ p⁺ + (1 − τ) y⁻. Along a run on which
    B_ψ(v : x) ≤ γ τ² B_ψ(p⁺ : p), an equality for quadratic ψ and γ = 1, the three-point identity telescopes to
    k (k + r − 1) (h / r²) (f(y_k) − f*) ≤ B_ψ(x* : x₀), so that f(y_k) − f* ≤ r² B_ψ(x* : x₀) / (h k²).
    With the Euclidean generator and γ = 1, r = 2 is Nesterov's method of 2005 (z from the sum of all weighted gradients), and
    r = 1 his method in the form y_k = x_k − h c_k, x_{k+1} = y_k + (k − 1) / (k + 1) (y_k − y_{k−1}).

    It is no gain where f is strongly convex near its minimum, as plain mirror descent is linear there: with `restart` it forgets
    its momentum where that does harm. Its limit of small steps is of second order; `flow` follows that of mirror descent.

    Parameters
    ----------
    r, gamma : float
        Positive.
    restart : Restart, optional
        `GradientRestart()`.

    Source: Krichene, Bayen & Bartlett, Accelerated mirror descent in continuous and discrete time (2015); Nesterov, Smooth
    minimization of non-smooth functions (2005).

    Examples
    --------
    >>> f = ig.LeastSquares(np.diag([1.0, 0.03]), [0.0, 0.0])         # κ = 1111
    >>> for update in (ig.MirrorUpdate(), ig.AcceleratedMirror()):
    ...     run = ig.descend(f, [1.0, 1.0], geometry=ig.Euclidean(2),
    ...                      update=update, step=1.0, max_steps=100)
    ...     print(f"{f.value_and_gradient(run.x)[0]:.1e}")
    3.8e-04
    5.3e-05
    """

    needs = ("to_eta", "to_theta")
    r: float = 3.0
    gamma: float = 1.0
    restart: Restart | None = None

    def __post_init__(self) -> None:
        for name in ("r", "gamma"):
            require(name, f"{name} a number", isinstance(getattr(self, name), Real), getattr(self, name))
            require_positive(name, getattr(self, name))
        if self.restart is not None and (isinstance(self.restart, type) or not callable(self.restart)):
            raise TypeError(f"restart must be a Restart, such as GradientRestart(), or None; got {self.restart!r}")

    def init(self, x: Array) -> Accelerated:
        return Accelerated(0.0 * x[..., 0], x, 0.0 * x, x)

    def answer(self, x: Array, state: Accelerated) -> Array:
        return state.y

    def __call__(self, geometry: Any, x: Array, covector: Array, h: Array, state: Any = None) -> tuple[Array, Any]:
        k = state.k + 1.0
        moved = state.moved + column(k * h / self.r) * covector
        z = geometry.to_theta(geometry.to_eta(state.start) - moved)
        y = geometry.to_theta(geometry.to_eta(x) - column(self.gamma * h) * covector)
        weight = column(self.r / (self.r + k))
        ahead = weight * z + (1.0 - weight) * y
        if self.restart is None:
            return ahead, Accelerated(k, state.start, moved, y)
        xp, again = arrays(x)[0], self.restart(x, covector, ahead)
        start, moved, ahead = (xp.where(column(again), *pair) for pair in ((y, state.start), (0.0 * y, moved), (y, ahead)))
        return ahead, Accelerated(xp.where(again, xp.zeros_like(k), k), start, moved, y)

    def velocity(self, geometry: Any, x: Array, covector: Array) -> Array:
        """That of mirror descent, −G⁻¹ c."""
        return -geometry.sharp(x, covector)
