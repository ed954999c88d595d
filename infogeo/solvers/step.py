"""Step rules: how far along the update's curve."""
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf, isfinite, nan
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from array_api_compat import is_array_api_obj

from ..arrays.kept import kept
from ..arrays.programs import again
from ..arrays.tracing import is_traced, still
from ..backend import Array, Namespace, arrays, backend_of
from ..errors import require, require_count, require_positive
from .place import Place

__all__ = ["Backtracking", "Constant", "Diminishing", "Exact", "RelativeSmooth", "Search", "Step", "part_of",
           "positive_field", "require_factor", "rows_of", "shrink"]


class Step(ABC):
    """A rule that gives the step size of every row, from where the run stands.

    Attributes
    ----------
    steady : bool
        Whether a row that the rule does not move now is one that it never moves again, as long as objective and update stay what
        they are: the run may then end it as STALLED.
    looks_back : bool
        Whether it may go by `Place.h`, the last step size, which before the first step is None.
    needs : tuple of str
        The methods that it asks of the geometry.

    Examples
    --------
    >>> class Halving(ig.Step):
    ...     def __call__(self, at):
    ...         return 0.5**at.k
    >>> run = ig.descend(lambda x: (x[0], [1.0]), [0.0],
    ...                  update=ig.GradientUpdate(), step=Halving(),
    ...                  max_steps=4)
    >>> run.path[:, 0]
    array([ 0.   , -1.   , -1.5  , -1.75 , -1.875])
    """

    steady: ClassVar[bool] = False
    looks_back: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ()

    @property
    def rows(self) -> tuple[int, ...]:
        """The batch shape of its own step sizes `h`; () where it has none."""
        return tuple(getattr(getattr(self, "h", None), "shape", ()))

    def part(self, rows: Any) -> Step | None:
        """The rule for some rows of the batch, as `Objective.part`; None where it cannot say."""
        return None

    @abstractmethod
    def __call__(self, at: Place) -> Array:
        """The step size at a `Place`, shape (...) or a number."""


class Search(Step):
    """A rule that tries step sizes, and takes none, 0, where it finds none good enough."""

    steady, looks_back = True, False


def positive_field(step: Step, name: str) -> None:
    """A field of a rule, such as its step size, positive throughout: a number, or a copy of an array.

    Of an array of JAX that is traced, what is not positive becomes NaN.
    """
    h = getattr(step, name)
    if is_array_api_obj(h) and is_traced(backend_of(h), good := (h > 0) & (h < inf)):
        h = backend_of(h).where(good, h, nan)
    else:
        h = require_positive(name, h)
    object.__setattr__(step, name, h if isinstance(h, (int, float)) else kept(h))


@dataclass(frozen=True)
class Constant(Step):
    """The same step size at every step; an array of shape (...) gives each row its own.

    Examples
    --------
    >>> f = lambda x: (x[:, 0]**2 / 2, x)     # three step sizes in one call
    >>> run = ig.descend(f, np.ones((3, 1)), update=ig.GradientUpdate(),
    ...                  step=ig.Constant([0.5, 1.0, 1.5]), max_steps=2)
    >>> run.path[..., 0]
    array([[ 1.  ,  1.  ,  1.  ],
           [ 0.5 ,  0.  , -0.5 ],
           [ 0.25,  0.  ,  0.25]])
    """

    steady, looks_back = True, False
    h: Any

    def __post_init__(self) -> None:
        positive_field(self, "h")

    def part(self, rows: Any) -> Step:
        return part_of(self, rows)

    def __call__(self, at: Place) -> Array:
        return self.h


@dataclass(frozen=True)
class Diminishing(Step):
    """h / (k + offset)^power at step k = 0, 1, …; ``Diminishing(1.0)`` is 1, 1/2, 1/3, …

    Examples
    --------
    >>> run = ig.descend(lambda x: (x[0]**2 / 2, [x[0]]), [8.0], update=ig.GradientUpdate(), step=ig.Diminishing(0.5),
    ...                  max_steps=2)
    >>> run.path[:, 0]
    array([8., 4., 3.])
    """

    looks_back = False
    h: Any
    offset: float = 1.0
    power: float = 1.0

    def __post_init__(self) -> None:
        positive_field(self, "h")
        require_positive("offset", self.offset)
        require("power", "power a finite number", isinstance(self.power, Real) and isfinite(self.power), self.power)

    def part(self, rows: Any) -> Step:
        return part_of(self, rows)

    def __call__(self, at: Place) -> Array:
        return self.h / (at.k + self.offset) ** self.power


def part_of(rule: Any, rows: Any, name: str = "h") -> Step:
    """A rule for some rows, which differ in one of its fields."""
    value = getattr(rule, name)
    part: Step = rule if isinstance(value, Real) else replace(rule, **{name: rows(value)})
    return part


def rows_of(xp: Any, value: Array, h: Any) -> Array:
    """Step sizes of every row."""
    return xp.zeros_like(value) + xp.asarray(h, dtype=value.dtype)


def require_factor(factor: Any) -> None:
    """Raises DomainError where a rule could not shrink a step by it."""
    require("factor", "0 < factor < 1", isinstance(factor, Real) and 0 < float(factor) < 1, factor)


@dataclass(frozen=True)
class Backtracking(Search):
    """The largest h₀ β^j that decreases the objective enough (Armijo's rule along the update's curve).

    Mathematically, f(x(h)) ≤ f(x) + c₁ ⟨c, x(h) − x⟩. A row for which none of the first `halvings` does takes no step.

    Parameters
    ----------
    h : float or array, shape (...)
        h₀.
    factor : float
        β, between 0 and 1.
    sufficient : float
        c₁, between 0 and 1.
    halvings : int

    Examples
    --------
    >>> M = ig.Exponential()
    >>> run = ig.descend(ig.CrossEntropy(M, [2.0]), [-9.0], geometry=M, update=ig.NaturalUpdate(),
    ...                  step=ig.Backtracking(), max_steps=40, tol=1e-9)
    >>> run.x.round(6), int(run.status) == ig.Status.CONVERGED
    (array([-0.5]), True)
    """

    h: Any = 1.0
    factor: float = 0.5
    sufficient: float = 1e-4
    halvings: int = 60

    def __post_init__(self) -> None:
        positive_field(self, "h")
        require_factor(self.factor)
        require_count("halvings", self.halvings)
        within = isinstance(self.sufficient, Real) and 0 <= float(self.sufficient) < 1
        require("sufficient", "0 <= sufficient < 1", within, self.sufficient)

    def part(self, rows: Any) -> Step:
        return part_of(self, rows)

    def __call__(self, at: Place) -> Array:
        xp, x, value, covector = arrays(at.x, at.value, at.covector)

        def enough(trial: Array, trial_value: Array, h: Array) -> Array:
            return trial_value <= value + self.sufficient * xp.sum(covector * (trial - x), axis=-1)

        return shrink(at, self.first(xp, at, value), self.factor, self.halvings, enough)

    def first(self, xp: Namespace, at: Place, value: Array) -> Array:
        """The step size that is tried first, shape (...)."""
        return rows_of(xp, value, self.h)


@dataclass(frozen=True)
class RelativeSmooth(Search):
    """The largest h₀ β^j for which the objective lies below its model f(x) + ⟨c, y − x⟩ + B_ψ(y : x) / h at y = x(h).

    Mathematically, 1/h plays the relative smoothness constant: mirror descent with this step decreases f monotonically.
    Needs a dually flat geometry.

    Parameters
    ----------
    h : float or array, shape (...)
        h₀.
    factor : float
        β, between 0 and 1.
    halvings : int
        A row for which none of the first does takes no step.

    Source: Lu, Freund & Nesterov (2018); Bauschke, Bolte & Teboulle (2017).

    Examples
    --------
    >>> M = ig.Categorical(3)                       # h = 4, 2, then 1 is taken
    >>> run = ig.descend(ig.CrossEntropy(M, [0.5, 0.3]), [0.0, 0.0], geometry=M,
    ...                  update=ig.MirrorUpdate(), step=ig.RelativeSmooth(4.0),
    ...                  max_steps=1)
    >>> M.to_eta(run.x).round(6)
    array([0.5, 0.3])
    """

    needs = ("divergence",)
    h: Any = 1.0
    factor: float = 0.5
    halvings: int = 60

    def __post_init__(self) -> None:
        positive_field(self, "h")
        require_factor(self.factor)
        require_count("halvings", self.halvings)

    def part(self, rows: Any) -> Step:
        return part_of(self, rows)

    def __call__(self, at: Place) -> Array:
        xp, x, value, covector = arrays(at.x, at.value, at.covector)
        slack = 4 * float(xp.finfo(value.dtype).eps)        # at a minimum both sides are equal but for their rounding

        def below(trial: Array, trial_value: Array, h: Array) -> Array:
            inside = at.geometry.domain.contains(trial)
            safe = xp.where(inside[..., None], trial, x)
            # B_ψ(y : x) = D(x ‖ y): the roles of a divergence are those of the dual potential
            model = value + xp.sum(covector * (safe - x), axis=-1) + at.geometry.divergence(x, safe) / h
            return inside & (trial_value <= model + slack * (1.0 + xp.abs(value)))

        return shrink(at, rows_of(xp, value, self.h), self.factor, self.halvings, below)


def shrink(at: Place, h: Array, factor: float, halvings: int, accept: Callable[[Array, Array, Array], Array]) -> Array:
    """The first of h, factor·h, factor²·h, … that each row accepts; 0 where none is.

    A step that had to shrink until it moves the point by its rounding only is none: what a value that rounds to the same one
    seems to accept there is a direction that rises. To a derivative the number of trials is a constant.
    """
    xp, x = arrays(h, at.x)[::2]
    room = 4.0 * float(xp.finfo(x.dtype).eps) * xp.max(xp.abs(x), axis=-1)

    def tried(h: Array) -> tuple[Array, Array]:
        trial = at.curve(h)
        return trial, accept(trial, at.probe(trial), h)

    def shorter(h: Array, good: Array) -> tuple[Array, Array]:
        h = xp.where(good, h, factor * h)
        trial, good = tried(h)
        lost = xp.max(xp.abs(trial - x), axis=-1) <= room
        return xp.where(lost, xp.zeros_like(h), h), good | lost

    with np.errstate(all="ignore"):
        first = tried(h)[1]         # here, so that what is remembered at x is there before the loop
        found, good = again(xp, lambda h, good: ~xp.all(good), shorter, (h, first), halvings - 1)
    if is_traced(xp, h):            # the loop gives a constant, of which every derivative is that of h
        known = xp.where(h > 0, h, xp.ones_like(h))
        found = found * (known / still(xp, known))
    return xp.where(good, found, xp.zeros_like(found))


@dataclass(frozen=True)
class Exact(Search):
    """The minimiser of the objective along the update's curve, on (0, ∞), to √ε relative accuracy.

    Mathematically, golden-section search after doubling a bracket from h₀ on; on a curve with several minima, one of them. To a
    derivative through a run h is a constant, as f(x(h)) has none in h at its minimum.

    Parameters
    ----------
    h : float or array, shape (...)
        h₀.
    sections : int
        Of the bracket, at most.

    Examples
    --------
    >>> f = ig.LeastSquares(np.diag([1.0, 3.0]), [0.0, 0.0])
    >>> run = ig.descend(f, [9.0, 1.0], update=ig.GradientUpdate(),
    ...                  step=ig.Exact(), max_steps=2)
    >>> (run.values[1:] / run.values[:-1]).round(4)       # ((9 − 1) / (9 + 1))²
    array([0.64, 0.64])
    """

    h: Any = 1.0
    sections: int = 60

    def __post_init__(self) -> None:
        positive_field(self, "h")
        require_count("sections", self.sections)

    def part(self, rows: Any) -> Step:
        return part_of(self, rows)

    def __call__(self, at: Place) -> Array:
        xp, value = arrays(at.value)

        def along(h: Array) -> Array:
            return at.probe(at.curve(h))

        ratio = (5**0.5 - 1) / 2

        def doubled(upper: Array, at_upper: Array, further: Array) -> tuple[Array, ...]:
            falls = further < at_upper
            upper, at_upper = xp.where(falls, 2.0 * upper, upper), xp.where(falls, further, at_upper)
            return upper, at_upper, along(2.0 * upper)

        def narrowed(lower: Array, upper: Array, a: Array, b: Array, at_a: Array, at_b: Array) -> tuple[Array, ...]:
            left = at_a <= at_b
            lower, upper = xp.where(left, lower, a), xp.where(left, b, upper)
            fresh = xp.where(left, upper - ratio * (upper - lower), lower + ratio * (upper - lower))
            at_fresh = along(fresh)
            return (lower, upper, xp.where(left, fresh, b), xp.where(left, a, fresh), xp.where(left, at_fresh, at_b),
                    xp.where(left, at_a, at_fresh))

        with np.errstate(all="ignore"):
            h = rows_of(xp, value, self.h)
            start = h, along(h), along(2.0 * h)                  # doubled while the value still falls
            upper = 2.0 * again(xp, lambda h, now, further: xp.any(further < now), doubled, start, 60)[0]
            lower = xp.zeros_like(upper)
            a, b = upper - ratio * (upper - lower), lower + ratio * (upper - lower)
            bracket = lower, upper, a, b, along(a), along(b)
            lower, upper, *_ = again(xp, lambda *bracket: xp.asarray(True), narrowed, bracket, self.sections)
            h = still(xp, 0.5 * (lower + upper))
            return xp.where(along(h) <= value, h, xp.zeros_like(h))
