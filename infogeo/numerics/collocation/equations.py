"""The equations of geodesics, as collocation takes them: of a metric, and of the α-connections of a dually flat manifold."""
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from ...backend import Array, Namespace
from ...errors import require_own_dimension
from ..differences import frame
from ..linalg import inverse, matvec
from .mesh import Mesh, meshes

__all__ = ["Equation", "HessianEquation", "LONGEST", "MetricEquation"]

LONGEST = 4.0   # a segment of that length is solved from a straight line; longer ones are halved before any is tried
STEP = 1e-3     # of differences that steer Newton's method only, in the metric: near ε^{1/3}, where they are most accurate


class Equation(Protocol):
    """G ẍ + f(x, ẋ) = 0 on a manifold `M`, which has `metric`, `norm`, `domain` and `point`."""

    @property
    def M(self) -> Any: ...

    def __call__(self, xp: Namespace, x: Array, v: Array, w: Array, derivative: Array) -> tuple[Array, Array, Array, Array]:
        """(G, f, ∂f/∂v, ∂(Gw + f)/∂x) at the nodes x of velocities v and accelerations w, `derivative` that of values there."""

    @property
    def rounds(self) -> int:
        """How often a path is halved."""

    def middle(self, xp: Namespace, a: Array, b: Array) -> Array:
        """A point near the middle of the geodesic from a to b."""

    def meshes(self, xp: Namespace, rows: Array, a: Array, b: Array) -> Iterable[Mesh]:
        """Paths from a to b, shapes (r, d), in the rows of a mask, to be tried where halving does not do."""


@dataclass(frozen=True)
class HessianEquation:
    """The geodesics of the α-connection of a dually flat manifold: G ẍ + (1 − α)/2 T(ẋ, ẋ) = 0 in the chart θ.

    Source: Amari & Nagaoka, Methods of Information Geometry (2000), section 3.3.
    """

    M: Any
    alpha: float = 0.0

    def __post_init__(self) -> None:
        require_own_dimension("geodesics of an α-connection are found", self.M)

    def __call__(self, xp: Namespace, x: Array, v: Array, w: Array, derivative: Array) -> tuple[Array, Array, Array, Array]:
        """(G, f, ∂f/∂v, ∂(Gw + f)/∂x) with f = (1 − α)/2 T(v, v).

        The fourth derivatives of ψ enter by that of T along the path: ∂_l T_ijk v_i v_j = v_i (d/dt T_ilk).
        """
        metric, tensor = self.M.metric(x), self.M.cubic_tensor(x)
        weight, d = (1.0 - self.alpha) / 2.0, x.shape[-1]
        along = weight * _contract(xp, tensor, v)
        change = xp.matmul(derivative, xp.reshape(tensor, (*tensor.shape[:-3], d**3)))
        bend = _contract(xp, tensor, w) + weight * _contract(xp, xp.reshape(change, tensor.shape), v)
        return metric, matvec(xp, along, v), 2.0 * along, bend

    def middle(self, xp: Namespace, a: Array, b: Array) -> Array:
        """A point near the middle of the geodesic: for α = ±1 the mean in a flat chart, for α = 0 the limit of both in turn.

        Source: Nielsen, What is… an inductive mean?, Notices of the AMS 70 (2023).
        """
        e, m = flat = self._means(a, b)
        for _ in range(2):
            e, m = self._means(e, m)
        both, end = 0.5 * (e + m), flat[0] if self.alpha > 0 else flat[1]
        return both + abs(self.alpha) * (end - both)

    @property
    def rounds(self) -> int:
        """None for the metric, whose energy leads the way; up to 64 segments elsewhere."""
        return 1 if self.alpha == 0.0 else 7

    def meshes(self, xp: Namespace, rows: Array, a: Array, b: Array) -> Iterable[Mesh]:
        """Along the geodesic of the metric."""
        return meshes(xp, self.M, rows, a, b)

    def _means(self, a: Array, b: Array) -> tuple[Array, Array]:
        """The middle of the e-geodesic and that of the m-geodesic."""
        return 0.5 * (a + b), self.M.to_theta(0.5 * (self.M.to_eta(a) + self.M.to_eta(b)))


@dataclass(frozen=True)
class MetricEquation:
    """The geodesics of a metric: G ẍ + Γ(ẋ, ẋ) = 0 with the Christoffel symbols of the first kind."""

    M: Any
    rounds = 7              # up to 64 segments

    def __call__(self, xp: Namespace, x: Array, v: Array, w: Array, derivative: Array) -> tuple[Array, Array, Array, Array]:
        """As that of a `HessianEquation`; the last by central differences, as it steers the iteration only."""
        metric, force, symbols = self._force(xp, x, v)
        rows, covectors = frame(xp, metric)                             # of an orthonormal basis: a step is a local unit
        columns = []
        for a in range(x.shape[-1]):
            ends = [self._force(xp, x + h * rows[..., a, :], v) for h in (STEP, -STEP)]
            ahead, behind = (matvec(xp, metric, w) + force for metric, force, _ in ends)
            columns.append((ahead - behind) / (2.0 * STEP))
        return metric, force, symbols, xp.matmul(xp.stack(columns, axis=-1), covectors)

    def _force(self, xp: Namespace, x: Array, v: Array) -> tuple[Array, Array, Array]:
        """(G, Γ(v, v), ∂Γ(v, v)/∂v = 2 Γ(v, ·)) with Γ_{ij,k} = ½ (∂_i G_jk + ∂_j G_ik − ∂_k G_ij)."""
        metric, change = self.M.metric(x), self.M.metric_derivative(x)
        by_index = _contract_first(xp, change, v)                       # v_i ∂_l G_ik at (k, l)
        symbols = _contract(xp, change, v) + by_index - xp.matrix_transpose(by_index)
        return metric, 0.5 * matvec(xp, symbols, v), symbols

    def middle(self, xp: Namespace, a: Array, b: Array) -> Array:
        """A point near the middle of the geodesic: that of the chord, moved by what the second derivative −Γ(b − a, b − a) asks.

        On a long chord, the point of half its length, moved across the chord by a unit of length at most.
        """
        step = b - a
        node, weight = (xp.asarray(x, dtype=a.dtype) for x in _clustered())
        chord = a[..., None, :] + node[:, None] * step[..., None, :]
        lengths = weight * self.M.norm(chord, xp.broadcast_to(step[..., None, :], chord.shape))
        before, total = xp.cumulative_sum(lengths, axis=-1) - 0.5 * lengths, xp.sum(lengths, axis=-1)
        half = xp.sum(xp.where(before < 0.5 * total[..., None], weight, xp.zeros_like(weight)), axis=-1)
        far = (total > LONGEST)[..., None]
        part = xp.where(far, half[..., None], xp.full_like(half, 0.5)[..., None])
        centre = a + part * step
        bend = 0.5 * part * (1.0 - part) * matvec(xp, inverse(xp, self.M.metric(centre)), self._force(xp, centre, step)[1])
        tangential = (self.M.inner(centre, bend, step) / self.M.inner(centre, step, step))[..., None] * step
        bend = xp.where(far, bend - tangential, bend)
        size = self.M.norm(centre, bend)[..., None]
        moved = centre + bend / xp.maximum(size, xp.ones_like(size))
        return xp.where(self.M.domain.contains(moved)[..., None], moved, centre)

    def meshes(self, xp: Namespace, rows: Array, a: Array, b: Array) -> Iterable[Mesh]:
        """None: there is no chart in which the coarse ones would be known."""
        return ()


@lru_cache
def _clustered(n: int = 200, reach: float = 18.0) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of the trapezoidal rule in the logit of t: they resolve lengths at either end down to e^−reach."""
    z, h = np.linspace(-reach, reach, n, retstep=True)
    t = 1.0 / (1.0 + np.exp(-z))
    return t, h * t * (1.0 - t)


def _contract(xp: Namespace, tensor: Array, v: Array) -> Array:
    """T_ijk v_k, shapes (..., d, d, d) and (..., d)."""
    return matvec(xp, tensor, v[..., None, :])


def _contract_first(xp: Namespace, tensor: Array, v: Array) -> Array:
    """v_i T_ijk, shapes (..., d, d, d) and (..., d)."""
    d = v.shape[-1]
    flat = xp.matmul(v[..., None, :], xp.reshape(tensor, (*tensor.shape[:-2], d * d)))
    return xp.reshape(flat, (*v.shape, d))
