"""Stopping rules: which rows of a run have converged."""
from abc import ABC, abstractmethod
from dataclasses import dataclass
from numbers import Real
from typing import Any

from ..arrays.kept import kept
from ..backend import Array, arrays, backend_of, dot
from ..errors import require_tolerance
from .place import Place
from .step import Search

__all__ = ["Gap", "GradientNorm", "StepLength", "Stop", "ValueChange", "as_stop", "require_values"]


class Stop(ABC):
    """A rule that says, at every point of a run, which rows have converged there.

    Examples
    --------
    >>> class Below(ig.solvers.Stop):
    ...     def __call__(self, at):
    ...         return at.value < 0
    >>> f = lambda x: (x[0], [1.0])
    >>> ig.descend(f, [1.5], update=ig.GradientUpdate(), step=1.0, max_steps=50,
    ...            tol=Below()).values
    array([ 1.5,  0.5, -0.5])
    """

    def part(self, rows: Any) -> "Stop | None":
        """The rule for some rows of the batch, as `Objective.part`; None where it cannot say."""
        return None

    @abstractmethod
    def __call__(self, at: Place) -> Array:
        """A mask, shape (...), or one truth for all rows."""


class _Everywhere(Stop):
    """A rule without arrays of its own."""

    def part(self, rows: Any) -> Stop:
        return self


@dataclass(frozen=True)
class GradientNorm(_Everywhere):
    """The Riemannian norm of the gradient √(c·G⁻¹c), the same in every chart, is at most tol: what a number as `tol` means.

    Examples
    --------
    >>> M = ig.Exponential()     # √(c·G⁻¹c) = |θ c| = |θ + 1|
    >>> run = ig.descend(ig.CrossEntropy(M, [1.0]), [-0.25], geometry=M,
    ...                  update=ig.NaturalUpdate(), step=0.5, max_steps=9,
    ...                  tol=ig.solvers.GradientNorm(0.05))
    >>> abs(run.path[:, 0] + 1).round(3)
    array([0.75 , 0.656, 0.543, 0.419, 0.298, 0.193, 0.115, 0.064, 0.034])
    """

    tol: float

    def __post_init__(self) -> None:
        require_tolerance(self.tol)

    def __call__(self, at: Place) -> Array:
        return backend_of(at.x).sqrt(dot(at.covector, at.geometry.sharp(at.x, at.covector))) <= self.tol


@dataclass(frozen=True)
class StepLength(_Everywhere):
    """The last step Δ had at most the Riemannian length tol, √(Δ·G Δ) at the point before it.

    Examples
    --------
    >>> f, stop = lambda x: (x[0]**2 / 2, x), ig.solvers.StepLength(1.0)
    >>> run = ig.descend(f, [8.0], geometry=ig.Euclidean(1),
    ...                  update=ig.GradientUpdate(), step=0.5, max_steps=50,
    ...                  tol=stop)
    >>> run.path[:, 0]
    array([8., 4., 2., 1.])
    """

    tol: float

    def __post_init__(self) -> None:
        require_tolerance(self.tol)

    def __call__(self, at: Place) -> Array:
        before = at.last[0]
        return (at.k > 0) & (at.geometry.norm(before, at.x - before) <= self.tol)


@dataclass(frozen=True)
class ValueChange(_Everywhere):
    """The last step changed the value by at most tol. Of an objective that draws, the two values are those of two draws.

    Examples
    --------
    >>> f, stop = lambda x: (x[0]**2 / 2, x), ig.solvers.ValueChange(2.0)
    >>> run = ig.descend(f, [8.0], update=ig.GradientUpdate(), step=0.5,
    ...                  max_steps=50, tol=stop)
    >>> run.values
    array([32. ,  8. ,  2. ,  0.5])
    """

    tol: float

    def __post_init__(self) -> None:
        require_tolerance(self.tol)

    def __call__(self, at: Place) -> Array:
        return (at.k > 0) & (abs(at.value - at.last[1]) <= self.tol)


@dataclass(frozen=True)
class Gap(Stop):
    """The value is at most tol above a lower bound of the minimum.

    Parameters
    ----------
    tol : float
    lower : number, array of shape (...), or function (Place) -> array
        The bound; a function finds it at every point, as by duality.

    Examples
    --------
    >>> f = lambda x: (3 + x[0]**2, [2 * x[0]])
    >>> run = ig.descend(f, [1.0], update=ig.GradientUpdate(), step=0.25,
    ...                  max_steps=50, tol=ig.solvers.Gap(0.1, lower=3.0))
    >>> run.values                                  # ends at most at 3.1
    array([4.    , 3.25  , 3.0625])
    """

    tol: float
    lower: Any

    def __post_init__(self) -> None:
        require_tolerance(self.tol)
        if not isinstance(self.lower, Real) and not callable(self.lower):
            object.__setattr__(self, "lower", kept(arrays(self.lower)[1]))

    def part(self, rows: Any) -> "Stop | None":
        if isinstance(self.lower, Real):
            return self
        return None if callable(self.lower) else Gap(self.tol, rows(self.lower))

    def __call__(self, at: Place) -> Array:
        return at.value - (self.lower(at) if callable(self.lower) else self.lower) <= self.tol


def require_values(objective: Any, *rules: Any) -> None:
    """Raises TypeError where a step rule or a stopping rule compares values, of an objective that has none."""
    for rule in rules:
        if isinstance(rule, (Search, ValueChange, Gap)):
            raise TypeError(f"{type(rule).__name__} compares values, and {objective!r} has none: take another step rule, such as "
                            "Constant, and as tol a function (Place) -> mask, such as a duality gap below a bound")


def as_stop(tol: Any) -> Any:
    """A number as the rule on the norm of the gradient; a rule, or a function (Place) -> mask, as it is; None for none."""
    return tol if tol is None or callable(tol) and not isinstance(tol, type) else GradientNorm(tol)
