"""A run of `descend` as it is watched: its rows, its records, its end, its callbacks, the snapshot that it goes on from."""
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from ..backend import Array, backend_of, dot
from .moment import Moment, Snapshot
from .place import Place
from .records import KINDS, Record
from .result import Result, Status
from .rows import Rows
from .start import spread

__all__ = ["Run", "counts"]


class Run:
    """What watches a run: it is shown every place where the run has looked, and every move to the next.

    Parameters
    ----------
    parts : sequence
        The objective, the update and the callbacks: those whose `state` a snapshot keeps.
    rng, max_steps, tol, record
        As of `descend`.

    Attributes
    ----------
    looks : list of functions (Place) -> None
        Observers of a look: what follows once the objective is evaluated at x. `begin` makes them at the first.
    moves : list of functions (Place, x_new) -> None
        Observers of a move.
    stopped : bool
        Whether a callback has ended the run.
    """

    rows: Rows
    records: dict[str, Record]
    looks: list[Callable[[Place], None]]
    moves: list[Callable[[Place, Array], None]]

    def __init__(self, parts: Sequence[Any], rng: Any, max_steps: int, tol: float | None, record: str | None) -> None:
        if record not in KINDS:
            raise ValueError(f"record must be 'path', 'values' or None; got {record!r}")
        self.parts, self.callbacks, self.rng = parts, parts[2:], rng
        self.max_steps, self.tol, self.record = max_steps, tol, record
        self.looks, self.moves, self.stopped = [], [], False
        self.kept: dict[str, Any] | None = None

    def place(self, geometry: Any, x: Array, resume: Snapshot | None) -> Place:
        """Where the run begins: at x, or where the snapshot was taken, which gives generator and parts their states.

        Raises
        ------
        ValueError
            Where the snapshot is of another run.
        """
        if resume is None:
            return Place(0, x, geometry, None, (x, None, None))
        self.kept = kept = resume.restore(self.rng, self.parts)
        there = kept["x"]
        if not _spreads(x.shape, there.shape) or x.dtype != there.dtype:
            raise ValueError(f"resume needs x0 of shape {tuple(there.shape)} and {there.dtype}; "
                             f"got {tuple(x.shape)} and {x.dtype}")
        if resume.k > self.max_steps:
            raise ValueError(f"resume needs max_steps >= {resume.k}, the steps taken before; got {self.max_steps}")
        if kept["records"].keys() != KINDS[self.record].keys():
            raise ValueError("resume needs the record= of the run that it goes on from")
        return Place(resume.k, there, geometry, kept["state"], kept["last"])

    def begin(self, at: Place) -> list[Callable[[Place], None]]:
        """The observers of a look, `looks`, once the first value has told the batch shape."""
        shape = getattr(at.value, "shape", ())
        if not _spreads((*shape, 1), at.x.shape):       # an objective that does not say its batch shape
            at.x = spread(at.x, shape)
        rows = self.rows = Rows(at.x, at.geometry.domain)
        self.records = {name: kind(at.x, self.max_steps) for name, kind in KINDS[self.record].items()}
        if self.kept is None:
            at.state, at.last = self.parts[1].init(at.x), (at.x, at.value, at.covector)
        else:
            rows.restore(self.kept["rows"])
            for name, record in self.records.items():
                record.restore(self.kept["records"][name])
        self.looks = [rows.looked, *(record.put for record in self.records.values())]
        self.moves = [rows.moved]
        if self.tol is not None:
            self.looks.append(self._converged)
        if self.callbacks:
            self.moves.append(self._called)
        return self.looks

    def _converged(self, at: Place) -> None:
        """Rows end where the norm of the gradient is at most tol."""
        slope = backend_of(at.x).sqrt(dot(at.covector, at.geometry.sharp(at.x, at.covector)))
        self.rows.end(slope <= self.tol, int(Status.CONVERGED), at.k)

    def _called(self, at: Place, x: Array) -> None:
        """The callbacks have their turn; each is called, whether or not another one ends the run."""
        moment = Moment(at.k + 1, at.x, at.value, at.covector, at.state, partial(self._snapshot, at))
        self.stopped = any([callback(moment) is True for callback in self.callbacks])
        if self.stopped:
            self.rows.end(self.rows.active, int(Status.STOPPED), at.k + 1)

    def _snapshot(self, at: Place) -> Snapshot:
        records = {name: record.kept(at.k + 1) for name, record in self.records.items()}
        return Snapshot.of(at.k + 1, self.rng, self.parts, x=at.x, last=at.last, state=at.state, rows=self.rows.kept(),
                           records=records)

    def result(self, at: Place) -> Result:
        """The run, which ends here."""
        found = {name: record.up_to(at.k) for name, record in self.records.items()}
        return Result(at.x, found.get("path"), found.get("values"), self.rows.status, self.rows.steps(at.k), at.state)


def _spreads(shape: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    """Whether arrays of a shape (..., d) spread over the rows of another one."""
    pairs = zip(shape[-2::-1], whole[-2::-1])
    return len(shape) <= len(whole) and shape[-1] in (1, whole[-1]) and all(m in (1, n) for m, n in pairs)


def counts(first: int, last: int, progress: bool) -> Iterable[int]:
    """The numbers of steps taken, from the first to the last."""
    if not progress:
        return range(first, last + 1)
    from tqdm import trange
    bar: Iterable[int] = trange(first, last + 1, unit="step", initial=first, total=last + 1)
    return bar
