"""A manifold in other coordinates."""
from typing import Any

from ...backend import Array, Namespace
from ...domains.convex import ConvexDomain, MappedDomain
from ...errors import takes
from .manifold import Riemannian

__all__ = ["PulledBack"]


class PulledBack(Riemannian):
    """A manifold in the coordinates u of a smooth map x = map(u), with the metric JᵀGJ: where ``f.pulled_back(map)`` lives.

    Mathematically, distances, and the flow of the natural gradient, are those of the manifold; a gradient step, and at finite
    step size a natural one, are not.

    Parameters
    ----------
    manifold : Riemannian
        Its primal coordinates are the x: of an `AlphaChart` or another map of η, ``family.dual``.
    map : object with ``map(u)``, ``map.inverse(x)``, ``map.pull_back(u, covector)``
        As for `Objective.pulled_back`, from as many coordinates: `AffineMap`, `AlphaChart`, the chart of a domain.

    Shapes: u (..., dim).
    Raises: TypeError for a map without one of these.

    Examples
    --------
    >>> roots = ig.geometry.PulledBack(ig.Categorical(3).dual, ig.AlphaChart(0.0))
    >>> float(np.linalg.cond(roots.metric(np.sqrt([0.5, 0.3]))).round(9))              # 1 / p_K
    5.0
    """

    dim: int
    nan_outside = ("theta",)                # as far as the manifold's own formulas, and the map, are

    @takes(manifold=Riemannian)
    def __init__(self, manifold: Riemannian, map: Any) -> None:
        missing = [name for name in ("inverse", "pull_back") if not callable(getattr(map, name, None))]
        if not callable(map) or isinstance(map, type) or missing:
            raise TypeError(f"map must be an object with map(u), inverse(x) and pull_back(u, covector); got {map!r}")
        self.manifold, self.map, self.dim = manifold, map, manifold.dim

    def __repr__(self) -> str:
        return f"PulledBack({self.manifold!r}, {self.map!r})"

    @property
    def domain(self) -> ConvexDomain:
        inner = self.manifold.domain
        return MappedDomain(inner, lambda xp, x: self.map.inverse(x), self._inside, lambda name: inner.rule(f"map({name})"))

    def _inside(self, xp: Namespace, u: Array) -> Array:
        """Whether map(u) is in the domain, and u in the chart: a polynomial map has other preimages, too."""
        x = self.map(u)
        back = self.map.inverse(x)
        room = float(xp.finfo(u.dtype).eps) ** 0.5 * (1.0 + xp.abs(u))
        return self.manifold.domain.contains(x) & xp.all(xp.abs(back - u) <= room, axis=-1)

    def _transposed(self, xp: Namespace, u: Array) -> Array:
        """Jᵀ, shape (..., dim, dim)."""
        return xp.matrix_transpose(self.map.pull_back(u[..., None, :], xp.eye(self.dim, dtype=u.dtype)))

    def _metric(self, xp: Namespace, x: Array) -> Array:
        transposed = self._transposed(xp, x)
        return xp.matmul(transposed, xp.matmul(self.manifold.metric(self.map(x)), xp.matrix_transpose(transposed)))

    def _flat(self, xp: Namespace, x: Array, vector: Array) -> Array:
        moved = xp.matmul(vector[..., None, :], self._transposed(xp, x))[..., 0, :]
        return self.map.pull_back(x, self.manifold.flat(self.map(x), moved))

    def _distance(self, xp: Namespace, x: Array, y: Array) -> Array:
        return self.manifold.distance(self.map(x), self.map(y))

    def _geodesic(self, xp: Namespace, x: Array, y: Array, t: Array) -> Array:
        return self.map.inverse(self.manifold.geodesic(self.map(x), self.map(y), t))
