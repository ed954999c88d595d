"""A run of which no array has numbers yet: the loop of `descend` inside what JAX traces."""
from typing import Any

from array_api_compat import is_array_api_obj

from ..arrays.memo import standing
from ..arrays.programs import times
from ..arrays.tracing import accumulate
from ..backend import Array, backend_of
from .run import Run

__all__ = ["traced_run"]


def traced_run(run: Run, geometry: Any, x: Array, whole: bool) -> tuple[Any, ...]:
    """``(k, x, records, status, steps, state)`` of a run from x; its records whole, of all steps, or for who knows k later."""
    with standing() as stand:
        traced = _Traced(run, geometry, x, stand)
        traced.go(whole)
        run.judge(at := traced.at)
    records = {name: record.filled(at) if whole else record.whole(record.data) for name, record in run.records.items()}
    answer = at.x if run.answer is None else run.answer
    return at.k, answer, records, run.rows.status, run.rows.steps(at.k), at.state


class _Traced:
    """Where a traced run stands, as the arrays that its loop carries, and how it gets from step to step."""

    def __init__(self, run: Run, geometry: Any, x: Array, stand: Any) -> None:
        self.run, self.stand, self.at = run, stand, run.place(geometry, x, None)
        self.look()
        self.xp, run.rows.all_active = backend_of(self.at.x), False         # as far as one knows
        self.at.update = run.parts[1].on(self.at.objective)
        self.looks_back = getattr(run.step, "looks_back", True)

    def look(self) -> None:
        """What `descend` does where it stands."""
        at, run = self.at, self.run
        here = at.x
        self.stand(here)
        at.value, at.covector = at.objective.value_and_gradient(here)
        if not run.looks:
            run.begin(at)
        for observe in run.looks:
            observe(at)
        if at.x is not here:
            self.stand(at.x)

    def carried(self) -> tuple[Array, ...]:
        """All that changes from step to step, `at.k` and the active rows first."""
        at, rows, run = self.at, self.run.rows, self.run
        last_h = [] if at.h is None or not self.looks_back else [self.xp.asarray(at.h, dtype=at.x.dtype)]
        self.counts = len(state := leaves(at.state, at.x)), len(last_h)
        records = [record.data for record in run.records.values()]
        answer = [] if run.answer is None else [run.answer]
        place = (self.xp.asarray(at.k), rows.active, rows.status, rows.ended, at.x, at.value, at.covector, *at.last)
        return (*place, *state, *last_h, *records, *answer)

    def stand_at(self, *arrays: Array) -> None:
        """Stand where these were carried from."""
        at, rows, run = self.at, self.run.rows, self.run
        at.k, rows.active, rows.status, rows.ended, at.x, at.value, at.covector, *last = arrays[:10]
        rest, (states, sizes) = list(arrays[10:]), self.counts
        at.last, at.state = tuple(last), with_leaves(at.state, rest[:states])
        at.h, rest = rest[states] if sizes else None, rest[states + sizes:]
        for record in run.records.values():
            record.data = rest.pop(0)
        run.answer = rest.pop() if rest else None
        self.stand(at.x)

    def further(self, *arrays: Array) -> tuple[Array, ...]:
        """One step."""
        self.stand_at(*arrays)
        at, run = self.at, self.run
        at.h = run.step(at)
        x, at.state = at.update(at.geometry, at.x, at.covector, at.h, at.state)
        for observe_move in run.moves:
            observe_move(at, x)
        at.k = at.k + 1
        self.look()
        return self.carried()

    def go(self, whole: bool) -> None:
        """To the end of the run; where its first step makes what the others go by, that one comes before the loop."""
        most, step, start = self.run.max_steps, self.further, self.carried()
        whole, left = whole and self.run.stop is None, most
        if most and (self.looks_back or _is_open(self.at.state)):
            going = self.xp.any(self.run.rows.active)
            k, *rest = step(*start)
            start, left = (k if whole else self.xp.where(going, k, k - 1), *rest), most - 1
        if whole:               # no step is left out, so that derivatives go backwards, too
            self.stand_at(*times(left, self._alike(start), start))
        else:
            going = lambda k, active, *_: (k < most) & self.xp.any(active)
            self.stand_at(*accumulate(self.xp, going, self._alike(start), start))

    def _alike(self, start: tuple[Array, ...]) -> Any:
        """The step, which leaves the arrays of the state their shapes."""
        state = slice(10, 10 + self.counts[0])

        def step(*arrays: Array) -> tuple[Array, ...]:
            found = self.further(*arrays)
            if len(found) != len(start) or [x.shape for x in found[state]] != [x.shape for x in start[state]]:
                raise TypeError("a state that changes its shapes is not carried through a program")
            return found
        return step


def _is_open(state: Any) -> bool:
    """Whether a state has parts that are not there yet: None in a tuple."""
    return isinstance(state, tuple) and any(part is None or _is_open(part) for part in state)


def leaves(state: Any, like: Array) -> list[Array]:
    """The arrays of an update's state: None, a number, an array, or tuples of such."""
    if state is None:
        return []
    if isinstance(state, tuple):
        return [leaf for part in state for leaf in leaves(part, like)]
    if isinstance(state, (bool, int, float)):
        return [backend_of(like).asarray(state, dtype=like.dtype if isinstance(state, float) else None)]
    if not is_array_api_obj(state) or backend_of(state) is not backend_of(like):
        raise TypeError(f"a state of {type(state).__name__} is not carried through a program")
    return [state]


def with_leaves(state: Any, arrays: list[Array]) -> Any:
    """The state with these arrays, which are taken from the list, in the place of its own."""
    if state is None:
        return None
    if isinstance(state, tuple):
        parts = [with_leaves(part, arrays) for part in state]
        return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
    return arrays.pop(0)
