"""Updates for vector fields, which look ahead: mirror-prox and optimistic mirror descent."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from ..backend import Array
from .based import Based
from .update import MirrorUpdate, Update

__all__ = ["MirrorProx", "Optimistic"]


class Ahead(NamedTuple):
    """The state of `MirrorProx`: the point where it looked last, whose average has the rate 1/T, and the state of its base."""

    y: Array
    base: Any


class Before(NamedTuple):
    """The state of `Optimistic`: the last covector, None before the first step, and the state of its base."""

    covector: Array
    base: Any


@dataclass(frozen=True)
class MirrorProx(Based):
    """y = the base's step from x against F(x); x⁺ = its step from x against F(y).

    Mathematically, with `MirrorUpdate` y = ∇ψ*(∇ψ(x) − h F(x)) and x⁺ = ∇ψ*(∇ψ(x) − h F(y)); with `GradientUpdate` it is the
    extragradient method. For a monotone field with ‖F(x) − F(y)‖_* ≤ L ‖x − y‖, in a norm in which ψ is 1-strongly convex, and
    h ≤ 1/L the average ȳ of the points y has F(u)·(ȳ − u) ≤ D(x₀‖u)/(hT) for every u, which bounds the duality gap of a game.
    Every step evaluates the field twice; the points y are ``state.y``, as for `Average`.

    Source: Korpelevich (1976); Nemirovski, Prox-method with rate of convergence O(1/t) for variational inequalities (2004).

    Examples
    --------
    >>> F = lambda x: np.stack([x[..., 1], -x[..., 0]], -1)  # min max x y
    >>> for update in (ig.GradientUpdate(), ig.MirrorProx(ig.GradientUpdate())):
    ...     run = ig.descend(ig.VectorField(F), [1.0, 0.0], update=update,
    ...                      step=0.5, max_steps=20)
    ...     print(float(np.linalg.norm(run.x).round(3)))
    9.313
    0.125
    """

    base: Update = MirrorUpdate()

    def init(self, x: Array) -> Ahead:
        return Ahead(x, self.base.init(x))

    def on(self, objective: Any) -> _LookingAhead:
        return _LookingAhead(self.base.on(objective), objective)

    def __call__(self, geometry: Any, x: Array, covector: Array, h: Array, state: Any = None) -> tuple[Array, Any]:
        raise TypeError("MirrorProx evaluates the objective twice in a step: MirrorProx(…).on(objective) is the update that does")


@dataclass(frozen=True)
class _LookingAhead(Based):
    """The step of `MirrorProx` that sees this objective."""

    base: Update
    objective: Any

    def __call__(self, geometry: Any, x: Array, covector: Array, h: Array, state: Any = None) -> tuple[Array, Any]:
        y, _ = self.base(geometry, x, covector, h, state.base)
        x, base = self.base(geometry, x, self.objective.value_and_gradient(y)[1], h, state.base)
        return x, Ahead(y, base)


@dataclass(frozen=True)
class Optimistic(Based):
    """The base's step against 2 F(x_k) − F(x_{k−1}), the first against F(x_0): mirror-prox at the price of one evaluation.

    Mathematically, with `MirrorUpdate` optimistic mirror descent, ∇ψ(x⁺) = ∇ψ(x) − h (2 F(x_k) − F(x_{k−1})).

    Source: Popov (1980); Rakhlin & Sridharan, Optimization, learning, and games with predictable sequences (2013).

    Examples
    --------
    >>> F = lambda x: np.stack([x[..., 1], -x[..., 0]], -1)  # min max x y
    >>> run = ig.descend(ig.VectorField(F), [1.0, 0.0],
    ...                  update=ig.Optimistic(ig.GradientUpdate()), step=0.5,
    ...                  max_steps=20)
    >>> float(np.linalg.norm(run.x).round(3))       # `GradientUpdate`: 9.313
    0.015
    """

    base: Update = MirrorUpdate()

    def init(self, x: Array) -> Before:
        return Before(None, self.base.init(x))

    def on(self, objective: Any) -> Optimistic:
        base = self.base.on(objective)
        return self if base is self.base else Optimistic(base)

    def __call__(self, geometry: Any, x: Array, covector: Array, h: Array, state: Any = None) -> tuple[Array, Any]:
        ahead = covector if state.covector is None else 2.0 * covector - state.covector
        x, base = self.base(geometry, x, ahead, h, state.base)
        return x, Before(covector, base)
