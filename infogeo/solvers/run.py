"""A run of `descend` as it is watched: its rows, its records, its end, its callbacks, the snapshot that it goes on from."""
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from ..arrays.kept import closed
from ..arrays.tracing import is_traced
from ..backend import Array, backend_of, column
from ..errors import from_extra, require_count
from ..geometry.manifolds.manifold import DuallyFlat
from ..objectives.function import Coerced, first_of, seen_by
from .moment import Moment
from .place import Place
from .records import Record, kinds_of, recorded, records_of
from .result import Result, Status
from .rows import Rows
from .snapshot import Snapshot, described
from .start import spread
from .step import Search
from .stop import as_stop, require_values
from .update import NaturalUpdate, Update

__all__ = ["Run", "counts"]


def _ends(said: Any) -> bool:
    """Whether a callback asks for the end: by True, also that of an array library, and by nothing else that it may give back."""
    return said is True or (getattr(said, "shape", None) == () and str(said.dtype).rpartition(".")[2] == "bool" and bool(said))


class Run:
    """What watches a run: it is shown every place where the run has looked, and every move to the next.

    Parameters
    ----------
    parts : sequence
        The objective, the update and the callbacks: those whose `state` a snapshot keeps, beside that of the geometry.
    step, rng, max_steps, tol, record
        As of `descend`.
    into : dict of arrays, optional
        Where the records go, by their names.

    Attributes
    ----------
    looks : list of functions (Place) -> None
        Observers of a look: what follows once the objective is evaluated at x. `begin` makes them at the first.
    moves : list of functions (Place, x_new) -> None
        Observers of a move.
    stopped : bool
        Whether a callback has ended the run.
    """

    rows: Any = None       # Rows, from the first look on
    records: dict[str, Record]
    looks: list[Callable[[Place], None]]
    moves: list[Callable[[Place, Array], None]]

    def __init__(self, parts: Sequence[Any], step: Any, rng: Any, max_steps: int, tol: Any, record: Any,
                 into: dict[str, Array] | None = None) -> None:
        kinds_of(record)
        self.parts, self.callbacks, self.rng, self.step = parts, parts[2:], rng, step
        for callback in self.callbacks:
            if isinstance(callback, type) or not callable(callback):
                raise TypeError(f"callbacks must be functions of a Moment; got {callback!r}")
        self.max_steps, self.stop, self.record = require_count("max_steps", max_steps, least=0), as_stop(tol), record
        self.looks, self.moves, self.stopped = [], [], False
        self.kept: dict[str, Any] | None = None
        self.into = into

    def place(self, geometry: Any, x: Array, resume: Snapshot | None) -> Place:
        """Where the run begins: at x, or where the snapshot was taken, which gives generator and parts their states.

        Raises
        ------
        ValueError
            Where the snapshot is of another run.
        """
        self.geometry = geometry
        if resume is None:
            return Place(0, x, self.parts[0], geometry, None, (x, None, None))
        if not isinstance(resume, Snapshot):
            raise TypeError(f"resume must be a Snapshot, such as load_checkpoint(path) gives; got {resume!r}")
        self.kept = kept = resume.restore(self.rng, [*self.parts, geometry], self._described(geometry), x)
        there = kept["x"]
        if not _spreads(x.shape, there.shape) or x.dtype != there.dtype:
            raise ValueError(f"resume needs x0 of shape {tuple(there.shape)} and {there.dtype}; "
                             f"got {tuple(x.shape)} and {x.dtype}")
        if resume.k > self.max_steps:
            raise ValueError(f"resume needs max_steps >= {resume.k}, the steps taken before; got {self.max_steps}")
        if not kept["drawn"]:
            self._require_same_values(kept)
        return Place(resume.k, there, self.parts[0], geometry, kept["state"], kept["last"], kept["h"])

    def _require_same_values(self, kept: dict[str, Any]) -> None:
        """The objective gives, where the snapshot was taken, the value that it gave there: its data are the same."""
        x, value, _ = kept["last"]
        xp = backend_of(x)
        again = xp.asarray(self.parts[0].value_and_gradient(x)[0], dtype=value.dtype)
        # another machine, or another number of threads, sums in another order
        near = xp.abs(again - value) <= 1e4 * float(xp.finfo(value.dtype).eps) * (1.0 + xp.abs(value))
        if again.shape != value.shape or not xp.all(near | ~kept["rows"]["active"] | ~xp.isfinite(value)):
            raise ValueError("resume needs the objective of the run that it goes on from; its value where the snapshot was taken "
                             "is another one")

    def begin(self, at: Place) -> tuple[Any, Any]:
        """``(objective, draw)`` that give arrays; and the observers, once the first value has told the batch shape."""
        seen, at.value, at.covector = first_of(at.objective, at.x, (at.value, at.covector))
        self.objective = self.parts[0] if seen is at.objective else Coerced(self.parts[0])
        at.objective, shape = self.objective if at.objective is self.parts[0] else seen, at.value.shape
        if (xp := backend_of(at.x)).name == "torch" and is_traced(xp, at.x, at.value):
            raise TypeError("descend looks at numbers, which torch.func.vmap has not got row by row: give it the whole batch, "
                            "whose rows are runs of their own")
        if not _spreads((*shape, 1), at.x.shape):       # an objective that does not say its batch shape
            at.x = spread(at.x, shape)
        valued = getattr(self.objective, "valued", True)
        if not valued:
            require_values(self.objective, self.step, self.stop)
        rows = self.rows = Rows(at.x, at.geometry.domain, valued)
        self.records = records_of(self.record, at.x, self.max_steps, valued, self.into)
        self.first, self.answer = at.value, None
        if self.kept is None:
            at.state, at.last = self.parts[1].init(at.x), (at.x, at.value, at.covector)
        else:
            rows.restore(self.kept["rows"])
            self.first, self.answer = self.kept["first"], self.kept["answer"]
            for name, record in self.records.items():
                record.restore(self.kept["records"][name])
        self.looks += [rows.looked, *(record.put for record in self.records.values())]
        if getattr(type(self.parts[1]), "answer", Update.answer) is not Update.answer:
            self.looks.insert(1, self._answered)
        self.moves.append(rows.moved)
        if self.stop is not None:
            self.looks.append(self._converged)
        if getattr(self.step, "steady", False) and (self.stop is not None or isinstance(self.step, Search)):
            self.moves.append(self._stood)
        if isinstance(self.parts[1], NaturalUpdate) and not isinstance(at.geometry, DuallyFlat):
            self.moves.insert(0, rows.descended)        # ψ is convex; a metric of one's own may be anything
        if self.callbacks:
            self.moves.append(self._called)
        return self.objective, seen_by(self.objective)

    def _answered(self, at: Place) -> None:
        """What the method reports: of rows that ended, what it was when they did, though the state goes on."""
        answer = self.parts[1].answer(at.x, at.state)
        known = self.answer is not None and not self.rows.all_active
        self.answer = backend_of(answer).where(column(self.rows.active), answer, self.answer) if known else answer

    def _converged(self, at: Place) -> None:
        """Rows end where the stopping rule says so."""
        self.rows.end(self.stop(at), int(Status.CONVERGED), at.k)

    def _stood(self, at: Place, x: Array) -> None:
        """Rows end where nothing moves them any more: not where a draw, or a state, may do so yet."""
        if at.state is None and at.objective is self.objective:
            self.rows.stood(at)

    def _called(self, at: Place, x: Array) -> None:
        """The callbacks have their turn; each is called, whether or not another one ends the run."""
        before, value, covector = at.last
        moment = Moment(at.k + 1, closed(at.x), closed(before), value, covector, at.h, at.state, partial(self._snapshot, at),
                        partial(self._kept, at))
        self.stopped = any([_ends(callback(moment)) for callback in self.callbacks])
        if self.stopped:
            self.rows.end(self.rows.active, int(Status.STOPPED), at.k + 1)

    def _described(self, geometry: Any) -> dict[str, Any]:
        """What a run that goes on from a snapshot must have in common with the one that it was taken of."""
        objective, update, *callbacks = self.parts
        return {"objective": described(objective), "geometry": described(geometry), "update": described(update),
                "step": described(self.step), "tol": described(self.stop), "record": str(self.record),
                "rng": type(self.rng).__name__, "callbacks": [type(callback).__qualname__ for callback in callbacks]}

    def _snapshot(self, at: Place, after: int = 0, note: Any = None) -> Snapshot:
        records = {name: kept[after:, ...] for name, kept in self._kept(at).items()}
        return Snapshot.of(at.k + 1, self.rng, [*self.parts, self.geometry], self._described(self.geometry), note, x=at.x,
                           last=at.last, h=at.h, state=at.state, first=self.first, answer=self.answer, rows=self.rows.kept(),
                           records=records, drawn=at.objective is not self.objective)

    def _kept(self, at: Place) -> dict[str, Array]:
        return {name: record.kept(at.k + 1) for name, record in self.records.items()}

    def judge(self, at: Place) -> None:
        """The rows at the end of the run."""
        self.rows.judged(at, self.first, partial(_singular, at) if isinstance(self.parts[1], NaturalUpdate) else None)

    def result(self, at: Place) -> Result:
        """The run, which ends here."""
        self.judge(at)
        found = {name: record.close(at.k) for name, record in self.records.items()}
        x = at.x if self.answer is None else self.answer
        return Result(x, found.get("path"), found.get("values"), self.rows.status, self.rows.steps(at.k), at.state,
                      recorded(self.record, at.k))


def _singular(at: Place) -> Array:
    """Whether the metric at the last points has no inverse on a gradient that is finite, shape (...)."""
    xp, found = backend_of(at.x), at.geometry.sharp(at.x, at.covector)
    return xp.all(xp.isfinite(at.covector), axis=-1) & ~xp.all(xp.isfinite(found), axis=-1)


def _spreads(shape: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    """Whether arrays of a shape (..., d) spread over the rows of another one."""
    pairs = zip(shape[-2::-1], whole[-2::-1])
    return len(shape) <= len(whole) and shape[-1] in (1, whole[-1]) and all(m in (1, n) for m, n in pairs)


def counts(first: int, last: int, progress: bool) -> Iterable[int]:
    """The numbers of steps taken, from the first to the last."""
    if not progress:
        return range(first, last + 1)
    with from_extra("progress bars need tqdm", "studies"):
        from tqdm.auto import trange
    bar: Iterable[int] = trange(first, last + 1, unit="step", initial=first, total=last + 1)
    return bar
