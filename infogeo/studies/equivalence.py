"""The equivalence study: what natural gradient, mirror descent and divergences have to do with each other, measured.

The identities are those of `infogeo.testing.equivalences`, with the numbers P1 … P23 of the page of laws.
"""
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..backend import Array
from ..errors import ShapeError, require, require_count, require_own_dimension
from ..geometry.manifolds.manifold import DuallyFlat
from ..objectives.divergence import CrossEntropy, ReverseKL
from ..testing.equivalences.catalogue import IDENTITIES
from ..testing.equivalences.identity import Statement
from ..testing.formulas import smooth_region
from ..testing.wavy import Wavy
from .bars import Jobs
from .equivalence_figure import figure_equivalence
from .equivalence_report import csv_of_equivalence, json_of_equivalence, report_equivalence, write_equivalence
from .inputs import InputError, suggestion
from .measured_identity import Job, MeasuredIdentity, ObjectiveOf, measured
from .naming import named_family

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Equivalence", "OBJECTIVES", "STEPS", "chosen_identities", "equivalence"]

OBJECTIVES: dict[str, ObjectiveOf] = {
    "forward": lambda M, theta: CrossEntropy(M, M.to_eta(theta)), "reverse": ReverseKL, "wavy": Wavy}
STEPS = (0.1, 0.05, 0.025, 0.0125)
POINTS_OF = 8       # points of every kind


@dataclass(frozen=True, repr=False)
class Equivalence:
    """All that the study measured.

    Attributes
    ----------
    steps : array, shape (steps,)
        Sizes h, in falling order; a step that would be longer than h / (1 + |T|) in the metric is shortened to that.
    seeds : tuple of int
    points : int
    targets : dict
        The target of every manifold in its primal coordinates, by the manifold's text.
    measured : tuple of MeasuredIdentity

    Examples
    --------
    >>> found = ig.studies.equivalence(ig.Exponential(), only=("P2",),
    ...                                objectives=("wavy",), seeds=[0],
    ...                                points=2, steps=[0.1])
    >>> [one.name for one in found.measured], found.points
    (['mirror descent is natural gradient'], 2)
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

    def write(self, folder: str | Path) -> None:
        """``equivalence.txt``, ``.csv``, ``.json`` and ``.png`` in a folder, made if need be: all or none."""
        write_equivalence(self, folder)


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

    Examples
    --------
    >>> found = ig.studies.equivalence(ig.Exponential(), only=("P12",),
    ...                                objectives=("wavy",), seeds=[0],
    ...                                points=2)
    >>> for one in found.measured:
    ...     print(one.number, one.name, one.holds)
    P12 three points True
    P12 three points of a step True
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
    found = []
    with Jobs(len(jobs), progress) as bar:
        for job in jobs:
            bar.begin(f"{job.statement.number} {job.M!r}")
            for name, make in named.items() if "f" in job.statement.needs else (("", None),):
                found.append(measured(job, name, make, sizes, seeds, points))
    return Equivalence(sizes, tuple(int(s) for s in seeds), points, targets, tuple(one for one in found if one is not None))


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


def _jobs(spaces: Sequence[DuallyFlat], chosen: Sequence[Statement], targets: Mapping[str, np.ndarray]) -> Iterator[Job]:
    """All of them; a manifold that identities bring along comes once."""
    seen = set()
    for M in spaces:
        for statement in chosen:
            for N in statement.manifolds(M):
                if (statement.name, repr(N)) not in seen:
                    seen.add((statement.name, repr(N)))
                    yield Job(statement, M, N, targets[repr(N)] if repr(N) in targets else _target(N, None, 1))
