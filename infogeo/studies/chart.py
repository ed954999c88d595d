"""The coordinates that a study descends in: the two flat charts of a family, and smooth charts of one's own over them."""
from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from ..backend import Array, to_numpy
from ..families.base import ExponentialFamily
from ..geometry.manifolds.manifold import DuallyFlat, Riemannian
from ..geometry.manifolds.pulled_back import PulledBack
from ..objectives.base import Objective

__all__ = ["CoordinateChart", "ETA", "THETA", "FlatChart", "MappedChart"]


class CoordinateChart(ABC):
    """Coordinates x of the points of a family, the way there from θ, and the way back.

    Attributes
    ----------
    name, letter : str
        In files, and in titles.

    Examples
    --------
    >>> M, eta = ig.Bernoulli(), ig.studies.ETA
    >>> theta = M.theta_from(probability=0.2)
    >>> eta.coordinates(M, theta).round(6), eta.metric(M, theta).round(4)
    (array([0.2]), array([[6.25]]))
    """

    name: str
    letter: str

    @abstractmethod
    def manifold(self, family: ExponentialFamily) -> Riemannian:
        """The family in these coordinates."""

    def metric(self, family: ExponentialFamily, theta: Array) -> np.ndarray:
        """The Fisher metric in these coordinates at one point θ, shape (d, d), NumPy."""
        return to_numpy(self.manifold(family).metric(self.coordinates(family, theta)))

    @abstractmethod
    def objective(self, f: Objective) -> Objective:
        """A function of θ as one of the coordinates."""

    @abstractmethod
    def coordinates(self, family: ExponentialFamily, theta: Array) -> Array:
        """The coordinates of the points θ, shape (..., d)."""

    @abstractmethod
    def theta(self, family: ExponentialFamily, x: Array) -> Array:
        """θ of the points with the coordinates x, shape (..., d)."""


class FlatChart(CoordinateChart):
    """A flat chart of a family: the manifold whose primal coordinates it shows.

    Attributes
    ----------
    row : int
        That of the Hessian in this chart among `HESSIANS`.

    Examples
    --------
    >>> M, theta = ig.Bernoulli(), np.zeros(1)
    >>> for chart in (ig.studies.THETA, ig.studies.ETA):
    ...     print(chart.name, chart.coordinates(M, theta),
    ...           chart.metric(M, theta).ravel())
    theta [0.] [0.25]
    eta [0.5] [4.]
    """

    row: int

    @abstractmethod
    def manifold(self, family: ExponentialFamily) -> DuallyFlat:
        """The family or its dual."""


class _Theta(FlatChart):
    name, letter, row = "theta", "θ", 0

    def manifold(self, family: ExponentialFamily) -> DuallyFlat:
        return family

    def objective(self, f: Objective) -> Objective:
        return f

    def coordinates(self, family: ExponentialFamily, theta: Array) -> Array:
        return theta

    def theta(self, family: ExponentialFamily, x: Array) -> Array:
        return x


class _Eta(FlatChart):
    name, letter, row = "eta", "η", 1

    def manifold(self, family: ExponentialFamily) -> DuallyFlat:
        return family.dual

    def objective(self, f: Objective) -> Objective:
        return f.in_dual_coordinates()

    def coordinates(self, family: ExponentialFamily, theta: Array) -> Array:
        return family.to_eta(theta)

    def theta(self, family: ExponentialFamily, x: Array) -> Array:
        return family.to_theta(x)


THETA, ETA = _Theta(), _Eta()


class MappedChart(CoordinateChart):
    """Coordinates u of which those of a flat chart are a smooth function, x = map(u).

    Mathematically, with J the Jacobian of the map the metric is Jᵀ G J, G that of the flat chart; at an optimum, where the
    differential is 0, it is the Hessian of a divergence, too.

    Parameters
    ----------
    name : str
        In tables and files.
    map : object with ``map(u)``, ``map.inverse(x)`` and ``map.pull_back(u, covector)``
        `AffineMap`, `AlphaChart` (of `ETA`), the chart of a domain, or one of your own.
    of : FlatChart
        `THETA` or `ETA`: whose coordinates ``map(u)`` are.

    Examples
    --------
    >>> roots = ig.studies.MappedChart("√p", ig.AlphaChart(0.0), ig.studies.ETA)
    >>> M, theta = ig.Bernoulli(), np.zeros(1)
    >>> roots.coordinates(M, theta).round(4), roots.metric(M, theta).round(6)
    (array([0.7071]), array([[8.]]))
    """

    def __init__(self, name: str, map: Any, of: FlatChart = THETA) -> None:
        if not isinstance(of, FlatChart):
            raise TypeError(f"of must be studies.THETA or studies.ETA; got {of!r}")
        self.name, self.letter, self.map, self.of = name, "u", map, of

    def __repr__(self) -> str:
        return f"MappedChart({self.name!r}, {self.map!r}, of={self.of.letter})"

    def manifold(self, family: ExponentialFamily) -> PulledBack:
        return PulledBack(self.of.manifold(family), self.map)

    def objective(self, f: Objective) -> Objective:
        return self.of.objective(f).pulled_back(self.map)

    def coordinates(self, family: ExponentialFamily, theta: Array) -> Array:
        return self.map.inverse(self.of.coordinates(family, theta))

    def theta(self, family: ExponentialFamily, x: Array) -> Array:
        return self.of.theta(family, self.map(x))
