"""Step rules: how far along the update's curve."""
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backend import arrays, to_numpy
from ..errors import DomainError

__all__ = ["Backtracking", "Constant", "Diminishing", "Exact", "RelativeSmooth", "Step"]


def _positive(name, value):
    """The value, a list as an array.

    Raises
    ------
    DomainError
        If it is not positive throughout.
    """
    if not np.all(to_numpy(arrays(value)[1]) > 0):
        raise DomainError(f"{name} must satisfy {name} > 0; got {value!r}")
    return value if isinstance(value, (int, float)) else arrays(value)[1]


class Step(ABC):
    """A rule that gives the step size of every row.

    It sees the number k of steps taken, the point, its value and covector, `curve` (h ↦ candidate point) and `probe`
    (point ↦ value of the step's objective, +∞ outside the domain).
    """

    @abstractmethod
    def __call__(self, k, x, value, covector, curve, probe, geometry):
        """The step size, shape (...) or a number."""


@dataclass(frozen=True)
class Constant(Step):
    """The same step size at every step; an array of shape (...) gives each row its own."""

    h: Any

    def __post_init__(self):
        object.__setattr__(self, "h", _positive("h", self.h))

    def __call__(self, k, x, value, covector, curve, probe, geometry):
        return self.h


@dataclass(frozen=True)
class Diminishing(Step):
    """h / (k + offset)^power at step k = 0, 1, …; ``Diminishing(1.0)`` is 1, 1/2, 1/3, …"""

    h: Any
    offset: float = 1.0
    power: float = 1.0

    def __post_init__(self):
        object.__setattr__(self, "h", _positive("h", self.h))
        _positive("offset", self.offset)

    def __call__(self, k, x, value, covector, curve, probe, geometry):
        return self.h / (k + self.offset) ** self.power


def _rows(xp, value, h):
    return xp.zeros_like(value) + xp.asarray(h, dtype=value.dtype)


def _shrinking(factor):
    if not 0 < factor < 1:
        raise DomainError(f"factor must satisfy 0 < factor < 1; got {factor!r}")


@dataclass(frozen=True)
class Backtracking(Step):
    """The largest h₀ β^j that decreases the objective enough (Armijo's rule along the update's curve).

    Mathematically, f(x(h)) ≤ f(x) + c₁ ⟨c, x(h) − x⟩. A row for which no j up to `halvings` does takes no step.
    """

    h: Any = 1.0
    factor: float = 0.5
    sufficient: float = 1e-4
    halvings: int = 60

    def __post_init__(self):
        object.__setattr__(self, "h", _positive("h", self.h))
        _shrinking(self.factor)

    def __call__(self, k, x, value, covector, curve, probe, geometry):
        xp, x, value, covector = arrays(x, value, covector)

        def enough(trial, trial_value, h):
            return trial_value <= value + self.sufficient * xp.sum(covector * (trial - x), axis=-1)

        return _shrink(xp, _rows(xp, value, self.h), self.factor, self.halvings, curve, probe, enough)


@dataclass(frozen=True)
class RelativeSmooth(Step):
    """The largest h₀ β^j for which the objective lies below its model f(x) + ⟨c, y − x⟩ + B_ψ(y : x) / h at y = x(h).

    Mathematically, 1/h plays the relative smoothness constant: mirror descent with this step decreases f monotonically.
    Needs a dually flat geometry. Source: Lu, Freund & Nesterov (2018); Bauschke, Bolte & Teboulle (2017).
    """

    h: Any = 1.0
    factor: float = 0.5
    halvings: int = 60

    def __post_init__(self):
        object.__setattr__(self, "h", _positive("h", self.h))
        _shrinking(self.factor)

    def __call__(self, k, x, value, covector, curve, probe, geometry):
        xp, x, value, covector = arrays(x, value, covector)
        slack = 4 * float(xp.finfo(value.dtype).eps)

        def below(trial, trial_value, h):
            inside = geometry.domain.contains(trial)
            safe = xp.where(inside[..., None], trial, x)
            model = value + xp.sum(covector * (safe - x), axis=-1) + geometry.divergence(x, safe) / h
            return inside & (trial_value <= model + slack * (1.0 + xp.abs(value)))

        return _shrink(xp, _rows(xp, value, self.h), self.factor, self.halvings, curve, probe, below)


def _shrink(xp, h, factor, halvings, curve, probe, accept):
    """The first of h, factor·h, factor²·h, … that each row accepts; 0 where none is."""
    with np.errstate(all="ignore"):
        for _ in range(halvings):
            trial = curve(h)
            good = accept(trial, probe(trial), h)
            if xp.all(good):
                return h
            h = xp.where(good, h, factor * h)
    return xp.where(good, h, xp.zeros_like(h))


@dataclass(frozen=True)
class Exact(Step):
    """The minimiser of the objective along the update's curve, on (0, ∞), to √ε relative accuracy.

    Mathematically, golden-section search after doubling a bracket from h₀ on; on a curve with several minima, one of them.
    """

    h: Any = 1.0
    sections: int = 60

    def __post_init__(self):
        object.__setattr__(self, "h", _positive("h", self.h))

    def __call__(self, k, x, value, covector, curve, probe, geometry):
        xp, value = arrays(value)
        along = lambda h: probe(curve(h))
        ratio = (5**0.5 - 1) / 2
        with np.errstate(all="ignore"):
            upper = _rows(xp, value, self.h)
            at_upper = along(upper)
            for _ in range(60):                                  # double while the value still falls
                further = along(2.0 * upper)
                falls = further < at_upper
                if not xp.any(falls):
                    break
                upper, at_upper = xp.where(falls, 2.0 * upper, upper), xp.where(falls, further, at_upper)
            lower, upper = xp.zeros_like(upper), 2.0 * upper
            a, b = upper - ratio * (upper - lower), lower + ratio * (upper - lower)
            at_a, at_b = along(a), along(b)
            for _ in range(self.sections):
                left = at_a <= at_b
                lower, upper = xp.where(left, lower, a), xp.where(left, b, upper)
                fresh = xp.where(left, upper - ratio * (upper - lower), lower + ratio * (upper - lower))
                at_fresh = along(fresh)
                a, b = xp.where(left, fresh, b), xp.where(left, a, fresh)
                at_a, at_b = xp.where(left, at_fresh, at_b), xp.where(left, at_a, at_fresh)
            h = 0.5 * (lower + upper)
            return xp.where(along(h) <= value, h, xp.zeros_like(h))
