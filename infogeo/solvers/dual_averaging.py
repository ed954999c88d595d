"""Dual averaging: steps from the start against the sum of all covectors."""
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..backend import Array, column
from .update import SameForAllRows

__all__ = ["DualAveraging"]


class Summed(NamedTuple):
    """The state of `DualAveraging`: the start and the sum of the covectors, shapes (..., d)."""

    start: Array
    total: Array


@dataclass(frozen=True)
class DualAveraging(SameForAllRows):
    """x⁺ = ∇ψ*(∇ψ(x₀) − h_k Σ_{j ≤ k} c_j): lazy mirror descent, follow the regularised leader.

    Mathematically, the minimiser of h_k Σ c_j·x + B_ψ(x : x₀). With a constant h it is the path of `MirrorUpdate`; with one that
    falls, such as ``Diminishing(h, power=0.5)``, all covectors weigh the same, where mirror descent weighs the first most.

    Source: Nesterov, Primal-dual subgradient methods for convex problems (2009).

    Examples
    --------
    >>> M = ig.Categorical(3)
    >>> f = ig.CrossEntropy(M, [0.5, 0.3])  # the same for a constant step
    >>> for update in (ig.DualAveraging(), ig.MirrorUpdate()):
    ...     run = ig.descend(f, [0.0, 0.0], geometry=M, update=update, step=0.5,
    ...                      max_steps=5)
    ...     print(run.x.round(4))
    [0.8852 0.3883]
    [0.8852 0.3883]
    """

    needs = ("to_eta", "to_theta")

    def init(self, x: Array) -> Summed:
        return Summed(x, 0.0 * x)

    def __call__(self, geometry: Any, x: Array, covector: Array, h: Array, state: Any = None) -> tuple[Array, Any]:
        total = state.total + covector
        return geometry.to_theta(geometry.to_eta(state.start) - column(h) * total), Summed(state.start, total)

    def velocity(self, geometry: Any, x: Array, covector: Array) -> Array:
        """That of mirror descent, −G⁻¹ c."""
        return -geometry.sharp(x, covector)
