"""The equivalence study: what natural gradient, mirror descent and divergences have to do with each other, measured.

The identities are those of `infogeo.testing.equivalences`, with the numbers P1 … P23 of the page of laws.
"""
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from ..backend import Array
from ..errors import InfogeoError, ShapeError, require, require_count, require_own_dimension
from ..geometry.manifolds.manifold import DuallyFlat
from ..objectives.divergence import CrossEntropy, ReverseKL
from ..testing.calculus import frame
from ..testing.equivalences.catalogue import IDENTITIES
from ..testing.equivalences.identity import POINTS, Limit, Statement
from ..testing.equivalences.known import on_manifold
from ..testing.formulas import smooth_region
from ..testing.law import Sides
from ..testing.wavy import Wavy
from .bars import Jobs
from .equivalence_figure import figure_equivalence
from .equivalence_report import csv_of_equivalence, json_of_equivalence, report_equivalence, write_equivalence
from .naming import InputError, named_family, suggestion

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Equivalence", "MeasuredIdentity", "OBJECTIVES", "STEPS", "chosen_identities", "equivalence"]

ObjectiveOf: TypeAlias = Callable[[DuallyFlat, Array], Any]     # of a manifold and a target, an objective of primal coordinates

OBJECTIVES: dict[str, ObjectiveOf] = {
    "forward": lambda M, theta: CrossEntropy(M, M.to_eta(theta)), "reverse": ReverseKL, "wavy": Wavy}
STEPS = (0.1, 0.05, 0.025, 0.0125)
POINTS_OF = 8       # points of every kind
RADIUS = 0.5        # how far from the target they are, in the metric
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


@dataclass(frozen=True, repr=False)
class Equivalence:
    """All that the study measured.

    Attributes
    ----------
    steps : array, shape (steps,)
        Sizes h, in falling order; a step that would be longer in the metric is shortened to the length h.
    seeds : tuple of int
    points : int
    targets : dict
        The target of every manifold in its primal coordinates, by the manifold's text.
    measured : tuple of MeasuredIdentity
    """

    steps: np.ndarray
    seeds: tuple[int, ...]
    points: int
    targets: dict[str, np.ndarray]
    measured: tuple[MeasuredIdentity, ...]

    def __repr__(self) -> str:
        failed = [one for one in self.measured if not one.holds]
        held = f"all of {len(self.measured)} hold" if not failed else f"{len(failed)} of {len(self.measured)} do not hold"
        return f"Equivalence({', '.join(self.targets)}: {held})"

    def to_text(self) -> str:
        """The report, in lines of at most 80 characters."""
        return report_equivalence(self)

    def to_csv(self, path: str | Path | None = None) -> str:
        """A row for each identity, manifold, objective, seed and step; written to `path` where one is given."""
        return csv_of_equivalence(self, path)

    def to_json(self, path: str | Path | None = None) -> str:
        """All of it; null for what is not finite. Written to `path` where one is given."""
        return json_of_equivalence(self, path)

    def figure(self) -> "Figure":
        """Errors of the equalities beside what is allowed, and distances against the step size."""
        return figure_equivalence(self)

    def write(self, directory: str | Path) -> None:
        """``equivalence.txt``, ``.csv``, ``.json`` and ``.png`` in a directory, made if need be: all or none."""
        write_equivalence(self, directory)


def equivalence(*manifolds: DuallyFlat | str, objectives: Mapping[str, ObjectiveOf] | Sequence[str] = tuple(OBJECTIVES),
                steps: Sequence[float] = STEPS, seeds: Sequence[int] = (0,), points: int = POINTS_OF,
                target: Array | None = None, only: Sequence[str] = (), progress: bool = False) -> Equivalence:
    """Measure every identity of natural gradient, mirror descent and divergences for manifolds, objectives and step sizes.

    Mathematically, the points p are drawn from |θ_p − θ_q|_G < 1/2 and |η_p − η_q| < 1/2 about the target q, in the metrics at
    both ends.

    Parameters
    ----------
    *manifolds : DuallyFlat, or names of families
        On NumPy arrays. Identities about densities need exponential families; those of the simplex, of least squares and of the
        mirror maps with a name are measured on manifolds of the same dimension.
    objectives : names, or functions of a manifold and a target by name
        Of "forward" (KL(q‖p)), "reverse" (KL(p‖q)), "wavy" (Σ sin(θ_i − θ_q,i) + 0.3 |θ − θ_q|²).
    steps : sequence of floats
        Sizes h with 0 < h <= 1; every identity that has a step is measured at each of them.
    seeds : sequence of int
    points : int
        How many points of every kind an identity is measured at.
    target : array, shape (dim,), optional
        In primal coordinates, of the one manifold; drawn where it is not given.
    only : sequence of numbers or names of identities, optional
        ``("P2", "P10")``.
    progress : bool
        Show a progress bar (tqdm).

    Returns
    -------
    Equivalence

    Raises
    ------
    DomainError, ShapeError
        For a target outside the domain, and for sizes that are no sizes.
    InputError
        For a name that is none.
    """
    chosen, named = chosen_identities(only), _named_objectives(objectives)
    sizes = _sizes(steps)
    require_count("points", points)
    require("seeds", "one or more integers >= 0", bool(seeds) and all(isinstance(s, (int, np.integer)) and s >= 0 for s in seeds),
            list(seeds))
    spaces = [named_family(M) if isinstance(M, str) else M for M in manifolds]
    if not spaces or not all(isinstance(M, DuallyFlat) for M in spaces):
        raise TypeError(f"equivalence takes one or more DuallyFlat manifolds, or names of families; got {manifolds!r}")
    for M in spaces:
        require_own_dimension("identities are stated", M)
    targets = {repr(M): _target(M, target, len(spaces)) for M in spaces}
    jobs = list(_jobs(spaces, chosen, targets))
    measured = []
    with Jobs(len(jobs), progress) as bar:
        for job in jobs:
            bar.begin(f"{job.statement.number} {job.M!r}")
            for name, make in named.items() if "f" in job.statement.needs else (("", None),):
                measured.append(_measured(job, name, make, sizes, seeds, points))
    return Equivalence(sizes, tuple(int(s) for s in seeds), points, targets, tuple(one for one in measured if one is not None))


def chosen_identities(only: Sequence[str]) -> list[Statement]:
    """The identities of these numbers or names; all where none is given."""
    known = {key for one in IDENTITIES.values() for key in (one.number, one.name)}
    for word in only:
        if word not in known:
            raise InputError(f"no identity {word!r}; there are P1 … P23{suggestion(word, sorted(known))}")
    return [one for one in IDENTITIES.values() if not only or one.number in only or one.name in only]


def _named_objectives(objectives: Mapping[str, ObjectiveOf] | Sequence[str]) -> dict[str, ObjectiveOf]:
    if isinstance(objectives, Mapping):
        return dict(objectives)
    for name in objectives:
        if name not in OBJECTIVES:
            raise InputError(f"no objective {name!r}; there are {', '.join(OBJECTIVES)}{suggestion(name, OBJECTIVES)}")
    return {name: OBJECTIVES[name] for name in objectives}


def _sizes(steps: Sequence[float]) -> np.ndarray:
    """In falling order, each once."""
    sizes = np.unique(np.asarray(steps, dtype=float))[::-1]
    require("steps", "0 < h <= 1", bool(sizes.size) and bool(np.all((sizes > 0) & (sizes <= 1))), list(steps))
    return sizes


def _target(M: DuallyFlat, target: Array | None, count: int) -> np.ndarray:
    region = smooth_region(M)
    if target is None:
        return np.asarray(region.sample(np.random.default_rng(0), (), 0.3))
    if count > 1:
        raise ShapeError(f"a target belongs to one manifold; got {count} of them")
    found = np.asarray(target, dtype=float)
    if found.shape != (M.dim,):
        raise ShapeError(f"target must have shape ({M.dim},), that of a point of {M!r}; got {found.shape}")
    return np.asarray(region.require("target", found))


class _Job(NamedTuple):
    """An identity to be measured on a manifold, which stands for the one that was asked about."""

    statement: Statement
    asked: DuallyFlat
    M: DuallyFlat
    target: np.ndarray


def _jobs(spaces: Sequence[DuallyFlat], chosen: Sequence[Statement], targets: Mapping[str, np.ndarray]) -> Iterator[_Job]:
    """All of them; a manifold that identities bring along comes once."""
    seen = set()
    for M in spaces:
        for statement in chosen:
            for N in statement.manifolds(M):
                if (statement.name, repr(N)) not in seen:
                    seen.add((statement.name, repr(N)))
                    yield _Job(statement, M, N, targets[repr(N)] if repr(N) in targets else _target(N, None, 1))


def _measured(job: _Job, name: str, make: ObjectiveOf | None, sizes: np.ndarray, seeds: Sequence[int],
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
