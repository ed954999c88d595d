"""The two flat charts of a family, as a study names and uses them."""
from abc import ABC, abstractmethod

from ..backend import Array
from ..families.base import ExponentialFamily
from ..geometry.manifolds.manifold import DuallyFlat
from ..objectives.base import Objective

__all__ = ["ETA", "THETA", "FlatChart"]


class FlatChart(ABC):
    """A flat chart of a family: the manifold whose primal coordinates it shows, and the way there from θ.

    Attributes
    ----------
    name, letter : str
        In files, and in titles.
    row : int
        That of the Hessian in this chart among `HESSIANS`.
    """

    name: str
    letter: str
    row: int

    @abstractmethod
    def manifold(self, family: ExponentialFamily) -> DuallyFlat:
        """The family or its dual."""

    @abstractmethod
    def objective(self, f: Objective) -> Objective:
        """A function of θ as one of the coordinates."""

    @abstractmethod
    def coordinates(self, family: ExponentialFamily, theta: Array) -> Array:
        """The coordinates of the points θ, shape (..., d)."""

    @abstractmethod
    def theta(self, family: ExponentialFamily, x: Array) -> Array:
        """θ of the points with the coordinates x, shape (..., d)."""


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
