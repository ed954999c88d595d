"""What a solver asks of a function: its value and differential, what a step sees of it, and how many runs it is."""
from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from ..arrays.joined import listed
from ..backend import Array, arrays
from ..errors import shown
from ..numerics.linalg import matvec

__all__ = ["Objective"]


class Objective(ABC):
    """A smooth function f on points of shape (..., d).

    Any object with `value_and_gradient` serves as an objective of `descend` and `flow`. This class adds what a step sees, which
    for a random objective is another function at every step, and the changes of coordinates.

    Attributes
    ----------
    rows : tuple of int, or None
        The batch shape that f adds to that of its points, such as that of its targets; () for one function. None where only a
        value tells: a run then takes it from its first step.
    valued : bool
        Whether f has values. Of a `VectorField` they are NaN, and a run looks at its covectors alone.
    usual_record : str or None
        What a run keeps of its steps unless told otherwise, a `record` of `descend`.

    Examples
    --------
    >>> class Quartic(ig.Objective):
    ...     def value_and_gradient(self, x):
    ...         return (x**4).sum(-1), 4 * x**3
    >>> f = Quartic().pulled_back(ig.AffineMap([[2.0]]))              # f(2u)
    >>> value, covector = f.value_and_gradient(np.array([1.0]))
    >>> float(value), covector                      # 2⁴, and 2 · 4 · 2³
    (16.0, array([64.]))
    """

    rows: tuple[int, ...] | None = None
    valued: bool = True
    usual_record: str | None = "path"

    @abstractmethod
    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """``(f(x), df(x))``, shapes (...) and (..., d); the differential is a covector."""

    def draw(self, rng: Any) -> Objective:
        """The objective that one step sees; itself, the same object, unless the objective is random."""
        return self

    def at_step(self, k: int, rng: Any) -> Objective:
        """The objective that the step after k others sees: what is drawn, unless it depends on k as that of a `Stream`."""
        return self.draw(rng)

    def part(self, rows: Any) -> Objective | None:
        """The objective of some rows of the batch, so that runs of many rows go in blocks; None where it cannot say.

        Parameters
        ----------
        rows : function (array, trailing) -> array
            That part of an array of shape (..., *trailing axes), such as ``rows(targets, 1)`` for targets (..., d).
        """
        return None

    def in_dual_coordinates(self) -> Objective:
        """The same function of η, f∘∇φ, for an objective that knows its manifold. Raises TypeError for another."""
        if not hasattr(self, "manifold"):
            raise TypeError(f"in_dual_coordinates needs an objective of a manifold, as CrossEntropy(M, eta_hat) is; got {self!r}")
        return _InDualCoordinates(self.manifold, self)

    def pulled_back(self, map: Any) -> Objective:
        """The function f∘map of u, for a smooth reparametrisation x = map(u).

        Parameters
        ----------
        map : object with ``map(u)`` and ``map.pull_back(u, covector)``
            The second is the transposed Jacobian at u applied to a covector at map(u); `AffineMap` is one.

        Raises
        ------
        TypeError
            For a map without it.
        """
        if isinstance(map, type) or not callable(map) or not callable(getattr(map, "pull_back", None)):
            raise TypeError("map must be an object with map(u) and map.pull_back(u, covector), as AffineMap(A) is; got "
                            f"{shown(map)}")
        return _PulledBack(self, map)


class _InDualCoordinates(Objective):
    """f∘∇φ: its differential is G⁻¹ df (Amari's swap of gradients)."""

    def __init__(self, M: Any, f: Objective) -> None:
        self.primal, self.f, self.rows, self.valued = M, f, f.rows, f.valued

    def __repr__(self) -> str:
        return f"{self.f!r}.in_dual_coordinates()"

    @property
    def manifold(self) -> Any:
        return self.primal.dual

    def value_and_gradient(self, eta: Array) -> tuple[Array, Array]:
        theta = self.primal.to_theta(listed(eta, self.f))
        value, covector = self.f.value_and_gradient(theta)
        return value, self.primal.sharp(theta, covector)

    def hessian(self, eta: Array) -> Array:
        """G⁻¹ (H − T(v)) G⁻¹ with the Hessian H of f and v = G⁻¹ df, shape (..., d, d)."""
        eta = listed(eta, self.f)
        M, theta = self.primal, self.primal.to_theta(eta)
        v, inverse = M.sharp(theta, self.f.value_and_gradient(theta)[1]), M.dual_metric(eta)
        hessian: Any = self.f.hessian           # type: ignore[attr-defined]
        xp, H, tensor, v, inverse = arrays(hessian(theta), M.cubic_tensor(theta), v, inverse)
        return xp.matmul(inverse, xp.matmul(H - matvec(xp, tensor, v[..., None, :]), inverse))

    def draw(self, rng: Any) -> Objective:
        return self._of(self.f.draw(rng))

    def at_step(self, k: int, rng: Any) -> Objective:
        return self._of(self.f.at_step(k, rng))

    def _of(self, seen: Objective) -> Objective:
        return self if seen is self.f else _InDualCoordinates(self.primal, seen)

    def part(self, rows: Any) -> Objective | None:
        part = self.f.part(rows)
        return None if part is None else self._of(part)

    def in_dual_coordinates(self) -> Objective:
        return self.f


class _PulledBack(Objective):
    """f∘map; its batch shape is left to its values, as the map may have one of its own."""

    def __init__(self, f: Objective, map: Any) -> None:
        self.f, self.map, self.valued = f, map, f.valued
        if hasattr(map, "part"):            # what says its rows has none
            self.rows = f.rows

    def __repr__(self) -> str:
        return f"{self.f!r}.pulled_back({self.map!r})"

    def value_and_gradient(self, u: Array) -> tuple[Array, Array]:
        u = listed(u, self.f, self.map)
        value, covector = self.f.value_and_gradient(self.map(u))
        return value, self.map.pull_back(u, covector)

    def draw(self, rng: Any) -> Objective:
        return self._of(self.f.draw(rng))

    def at_step(self, k: int, rng: Any) -> Objective:
        return self._of(self.f.at_step(k, rng))

    def _of(self, seen: Objective) -> Objective:
        return self if seen is self.f else _PulledBack(seen, self.map)

    def part(self, rows: Any) -> Objective | None:
        f, map = self.f.part(rows), self.map.part(rows) if hasattr(self.map, "part") else None
        return None if f is None or map is None else _PulledBack(f, map)
