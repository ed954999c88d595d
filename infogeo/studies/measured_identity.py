"""One identity measured: at points about a target, at every step size, for every seed."""
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..backend import Array
from ..errors import InfogeoError
from ..geometry.manifolds.manifold import DuallyFlat
from ..testing.calculus import frame
from ..testing.equivalences.identity import POINTS, Limit, Statement
from ..testing.equivalences.known import on_manifold
from ..testing.formulas import smooth_region
from ..testing.law import Sides

__all__ = ["Job", "MeasuredIdentity", "ObjectiveOf", "measured"]

ObjectiveOf: TypeAlias = Callable[[DuallyFlat, Array], Any]     # of a manifold and a target, an objective of primal coordinates

RADIUS = 0.5        # how far from the target points are, in the metric
HALVED = 60         # times at most is a point drawn back to the target by half


@dataclass(frozen=True)
class MeasuredIdentity:
    """One identity of one manifold, with one objective where it needs any.

    Attributes
    ----------
    number, name, statement : str
    asked, manifold : str
        What the study was asked about, and on what the identity was measured: the same, or a manifold that the identity brings.
    objective : str
        "" where the identity needs none.
    order : int
        With which power of the step the distance falls; 0 for an identity that holds at every step.
    has_step : bool
        Whether it was measured at every step; else the axis of steps has one place.
    error : array, shape (seeds, steps)
        The largest difference of the two sides, or for a limit the root of the mean squared distance, over the points.
    allowed : array, shape (seeds, steps)
        What rounding, or chance, may do to it; of a limit what is rounding.
    holds : bool
    because : str
        The first pair of sides that differ, "" where it holds.

    Examples
    --------
    >>> name = "steps in two charts"                # apart by O(h²)
    >>> found = ig.studies.equivalence(ig.Exponential(), only=(name,),
    ...                                objectives=("wavy",), seeds=[0],
    ...                                points=2, steps=[0.02, 0.01])
    >>> one, = found.measured
    >>> one.order, one.ratios(found.steps).round(1).tolist()
    (2, [[4.0]])
    """

    number: str
    name: str
    statement: str
    asked: str
    manifold: str
    objective: str
    order: int
    has_step: bool
    error: np.ndarray
    allowed: np.ndarray
    holds: bool
    because: str

    def ratios(self, steps: np.ndarray) -> np.ndarray:
        """By what a halving of the step divides the distance, shape (seeds, steps − 1); NaN where it is rounding."""
        if not self.order:
            return np.full((len(self.error), 0), np.nan)
        coarse, fine = self.error[:, :-1], self.error[:, 1:]
        with np.errstate(divide="ignore", invalid="ignore"):
            power = np.log(coarse / fine) / np.log(steps[:-1] / steps[1:])
        return np.where(fine > 3 * self.allowed[:, 1:], 2.0**power, np.nan)


class Job(NamedTuple):
    """An identity to be measured on a manifold, which stands for the one that was asked about."""

    statement: Statement
    asked: DuallyFlat
    M: DuallyFlat
    target: np.ndarray


def measured(job: Job, name: str, make: ObjectiveOf | None, sizes: np.ndarray, seeds: Sequence[int],
             points: int) -> MeasuredIdentity | None:
    """None where the identity says nothing of the manifold."""
    statement, M = job.statement, job.M
    own: dict[str, Any] = {} if make is None else {"f": on_manifold(M, make(M, job.target))}
    drawn = [_drawn(M, job.target, seed, points) for seed in seeds]
    found = [_at_steps(statement, M, own | {name: x for name, x in one.items() if name in statement.needs}, sizes, seed)
             for one, seed in zip(drawn, seeds)]
    if not any(one.compared for one in found):
        return None
    because = next((one.because for one in found if one.because), "")
    return MeasuredIdentity(
        statement.number, statement.name, statement.statement, repr(job.asked), repr(M), name,
        statement.order if isinstance(statement, Limit) else 0, "h" in statement.needs, np.array([one.error for one in found]),
        np.array([one.allowed for one in found]), not because, because)


class _Found(NamedTuple):
    """For one seed: errors and what is allowed, (steps,), or (1,) where there is no step; what broke; was anything compared."""

    error: np.ndarray
    allowed: np.ndarray
    because: str
    compared: bool


def _at_steps(statement: Statement, M: DuallyFlat, given: dict[str, Any], sizes: np.ndarray,
              seed: int) -> _Found:
    try:
        return _limit(statement, M, given, sizes) if isinstance(statement, Limit) else _equality(statement, M, given, sizes, seed)
    except (InfogeoError, ArithmeticError, np.linalg.LinAlgError) as error:
        none = np.full(len(sizes) if "h" in statement.needs else 1, np.nan)
        return _Found(none, none, f"{type(error).__name__}: {' '.join(str(error).split())}", True)


def _limit(statement: Limit, M: DuallyFlat, given: dict[str, Any], sizes: np.ndarray) -> _Found:
    found, rounding = statement.distances(M, sizes, **given)
    rows = tuple(range(1, found.ndim))
    broken = _reason(list(statement.sides(M, **given, h=float(sizes[0]))))
    return _Found(np.sqrt(np.mean(found**2, axis=rows)), np.max(rounding, axis=rows), broken, True)


def _equality(statement: Statement, M: DuallyFlat, given: dict[str, Any], sizes: np.ndarray, seed: int) -> _Found:
    steps: list[dict[str, Any]] = [{"h": float(h)} for h in sizes] if "h" in statement.needs else [{}]
    for step in steps:
        step |= {"rng": np.random.default_rng([seed, 1])} if "rng" in statement.needs else {}
    all_sides = [list(statement.sides(M, **given, **step)) for step in steps]
    worst = np.array([_worst(sides) for sides in all_sides])
    return _Found(worst[:, 0], worst[:, 1], _reason([one for sides in all_sides for one in sides]), any(all_sides))


def _worst(sides: Sequence[Sides]) -> tuple[float, float]:
    """The difference that is the largest part of what its law allows, and what that is; an inequality that holds differs by 0."""
    found = [(0.0, 0.0, -1.0)]
    for one in sides:
        gap = np.abs(one.left - one.right) if one.relation == "=" else np.maximum(one.right - one.left, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            part = np.where(np.isnan(gap), np.inf, np.where(gap > 0, gap / one.tolerance, 0.0))
        place = np.unravel_index(np.argmax(part), part.shape)
        found.append((float(gap[place]), float(one.tolerance[place]), float(part[place])))
    error, allowed, _ = max(found, key=lambda one: one[2])
    return error, allowed


def _reason(sides: Sequence[Sides]) -> str:
    return next((" ".join(str(one).split()) for one in sides if one.wrong.any()), "")


def _drawn(M: DuallyFlat, target: np.ndarray, seed: int, points: int) -> dict[str, np.ndarray]:
    """Points of every kind about the target: uniform in a ball of θ, and drawn back to it until they are near in both charts."""
    rng, basis = np.random.default_rng([seed, 0]), frame(M, target)
    found = {}
    for name in sorted(POINTS):
        u = rng.standard_normal((points, M.dim))
        u = RADIUS * u / np.linalg.norm(u, axis=-1, keepdims=True) * rng.random((points, 1)) ** (1 / M.dim)
        away = u @ basis
        for _ in range(HALVED):
            near = _is_near(M, target, away)
            if near.all():
                break
            away = np.where(near[:, None], away, 0.5 * away)
        found[name] = target + away
    return found


def _is_near(M: DuallyFlat, target: np.ndarray, away: np.ndarray) -> np.ndarray:
    """Whether points lie in the domain, within the radius in θ and in η, in the metric at the target and in that at the point.

    A ball of θ alone reaches, about a probability of 1e-3, to probabilities of e^-25 of it.
    """
    theta = target + away
    with np.errstate(all="ignore"):
        inside = np.asarray(smooth_region(M).contains(theta))
        eta, eta_q = M.to_eta(np.where(inside[:, None], theta, target)), M.to_eta(target)
        lengths = [M.norm(target, away), M.norm(theta, away), M.dual.norm(eta_q, eta - eta_q), M.dual.norm(eta, eta - eta_q)]
    near: np.ndarray = inside & np.all([size <= RADIUS * (1 + 1e-9) for size in lengths], axis=0)
    return near
