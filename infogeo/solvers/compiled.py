"""Runs as one program of the library that their arrays belong to: the same loop, traced once.

Where every step costs the calls of twenty functions, as on JAX, the whole run is compiled: looks, step rule, update and moves are
those of `descend`, and rows, records and stopping rule decide by masks. It is kept for the next run of the same kind, whose
targets and step sizes may be others. What looks at numbers between the steps, such as a callback or a step rule that tries until
one is good enough, what draws, and objects of classes of one's own, which may change unseen, are not compiled: then the loop goes
on as on any library. A function of one's own is traced once, as by `jax.jit`.
"""
from collections.abc import Callable
from copy import copy
from types import FunctionType
from typing import Any

import numpy as np
from array_api_compat import is_array_api_obj

from ..arrays.memo import standing
from ..arrays.programs import as_tree, times
from ..arrays.tracing import accumulate, compiled, is_traced
from ..backend import Array, Generator, backend_of
from ..geometry.manifolds.manifold import Riemannian
from ..objectives.function import seen_by
from .newton import Damped
from .polyak import Polyak
from .records import recorded
from .result import Result
from .run import Run
from .step import Constant, Diminishing

__all__ = ["as_program", "in_trace"]

FEW = 64            # steps: of fewer, the compiler takes longer than it saves
LARGEST = 2**16     # bytes of an array of the host that is a part of a program
HERE = (Constant, Damped, Diminishing, Polyak)      # other step rules try, or look back at steps that are not there yet


class _Leaf:
    """The place of an array that is an argument of a program."""


def as_program(run: Run, geometry: Any, x: Array) -> Result | None:
    """The run from x as one program; None where that is not to be had, and nothing has been done."""
    leaves: list[Array] = []
    xp, parts = backend_of(x), _parts(run, geometry, x)
    if parts is None:
        return None
    kinds = [taken_apart(part, leaves) for part in parts]
    traced = is_traced(xp, x, *leaves)
    if None in kinds or (run.stop is not None if traced else run.max_steps < FEW):
        return None
    return _of_program(run, parts, x, (*kinds, traced), leaves)


def in_trace(run: Run, geometry: Any, x: Array) -> Result:
    """A run of arrays that have no numbers yet, or of an objective that gives such ones, as a part of what JAX traces.

    Raises
    ------
    TypeError
        Where the run looks at numbers.
    """
    leaves: list[Array] = []
    parts, found = _parts(run, geometry, x), None
    if parts is not None:
        kinds = [taken_apart(part, leaves) for part in parts]
        known = None not in kinds
        found = _of_program(run, parts, x, (*kinds, True) if known else None, leaves if known else [])
    if found is None:
        raise TypeError("descend looks at numbers, which a traced array has not: inside jax.jit and jax.vmap take a step rule "
                        "that tries nothing, such as Constant, no generator, no callback and no snapshot")
    return found


def _parts(run: Run, geometry: Any, x: Array) -> tuple[Any, ...] | None:
    """Objective, geometry, update, step rule and stopping rule of a run that may be a program; None of another one."""
    objective, update, *callbacks = run.parts
    if backend_of(x).name != "jax" or callbacks or run.rng is not None or run.kept is not None or seen_by(objective) is not None:
        return None
    if not isinstance(run.step, HERE):
        return None
    step = copy(run.step)
    if isinstance(step, (Constant, Diminishing)):       # whose number is an argument of the program, too
        object.__setattr__(step, "h", backend_of(x).asarray(step.h, dtype=x.dtype))
    return objective, geometry, update, step, run.stop


def _of_program(run: Run, parts: tuple[Any, ...], x: Array, key: Any, leaves: list[Array]) -> Result | None:
    """The run of these parts, of which the leaves are arguments of the program, which is kept where it has a key."""
    hollow = parts if key is None else put_together(parts, [_Leaf()] * len(leaves))       # a kept program keeps no array
    xp, most, record, traced = backend_of(x), run.max_steps, run.record, key is None or key[-1]

    def make() -> Callable[..., Any]:
        def program(x: Array, *leaves: Array) -> tuple[Any, ...]:
            objective, geometry, update, step, stop = hollow if key is None else put_together(hollow, list(leaves))
            return _traced(Run([objective, update], step, None, most, stop, record), geometry, x, traced)
        return program

    found = compiled(xp, key and (*key, most, record, x.shape, x.dtype), make, x, *leaves)
    if found is None:
        return None
    k, answer, records, status, steps, state = found
    if traced:
        as_tree(Result)
        k = most
    elif (k := int(k)) < most:
        count = len(recorded(record, k))
        records = {name: data[:count, ...] for name, data in records.items()}
    return Result(answer, records.get("path"), records.get("values"), status, steps, state, recorded(record, k))


def _traced(run: Run, geometry: Any, x: Array, whole: bool) -> tuple[Any, ...]:
    """``(k, x, records, status, steps, state)`` of a run of which no array has numbers yet; its records whole, of all steps."""
    update = run.parts[1]
    at = run.place(geometry, x, None)
    with standing() as stand:
        def look() -> None:
            here = at.x
            stand(here)
            at.value, at.covector = at.objective.value_and_gradient(here)
            if not run.looks:
                run.begin(at)
            for observe in run.looks:
                observe(at)
            if at.x is not here:
                stand(at.x)

        look()
        xp, rows, at.update = backend_of(at.x), run.rows, update.on(at.objective)
        rows.all_active = False         # as far as one knows
        state, rebuilt = _flat(at.state)
        size, shapes = len(state), [part.shape for part in state]

        def stands(k: Array) -> tuple[Array, ...]:
            records = [record.data for record in run.records.values()]
            answer = [] if run.answer is None else [run.answer]
            return (k, rows.active, rows.status, rows.ended, at.x, at.value, at.covector, *at.last, *_flat(at.state)[0], *records,
                    *answer)

        def stand_at(*arrays: Array) -> None:
            rest = list(arrays)
            at.k, rows.active, rows.status, rows.ended, at.x, at.value, at.covector = rest[:7]
            at.last, at.state, rest = (rest[7], rest[8], rest[9]), rebuilt(rest[10:10 + size]), rest[10 + size:]
            for record in run.records.values():
                record.data = rest.pop(0)
            run.answer = rest.pop() if rest else None
            stand(at.x)

        def further(*state: Array) -> tuple[Array, ...]:
            stand_at(*state)
            at.h = run.step(at)
            x, at.state = at.update(at.geometry, at.x, at.covector, at.h, at.state)
            if [part.shape for part in _flat(at.state)[0]] != shapes:
                raise TypeError("a state that the first step makes is not carried through a program")
            for observe_move in run.moves:
                observe_move(at, x)
            at.k = at.k + 1
            look()
            return stands(at.k)

        start = stands(xp.asarray(0))
        if whole and run.stop is None:          # no step is left out, so that derivatives go backwards, too
            stand_at(*times(run.max_steps, further, start))
        else:
            stand_at(*accumulate(xp, lambda k, active, *_: (k < run.max_steps) & xp.any(active), further, start))
        run.judge(at)
    records = {name: record.filled(at) if whole else record.whole(record.data) for name, record in run.records.items()}
    return at.k, at.x if run.answer is None else run.answer, records, rows.status, rows.steps(at.k), at.state


def _flat(state: Any) -> tuple[list[Array], Callable[[list[Array]], Any]]:
    """The arrays of an update's state, None, an array or tuples of such, and the way back."""
    if state is None:
        return [], lambda arrays: None
    if isinstance(state, tuple):
        parts = [_flat(part) for part in state]
        kind = (lambda values: type(state)(*values)) if hasattr(state, "_fields") else tuple

        def back(arrays: list[Array]) -> Any:
            values = []
            for own, rebuilt in parts:
                values.append(rebuilt(arrays[:len(own)]))
                arrays = arrays[len(own):]
            return kind(values)

        return [x for own, _ in parts for x in own], back
    if not is_traced(backend_of(state), state):
        raise TypeError(f"a state of {type(state).__name__} is not carried through a program")
    return [state], lambda arrays: arrays[0]


def taken_apart(part: Any, leaves: list[Array]) -> Any:
    """What a part of a run is but for the arrays of its library, which are added to `leaves`; None for what may change unseen."""
    if part is None or isinstance(part, (bool, int, float, str, np.generic, FunctionType)):
        return type(part), part
    if isinstance(part, np.ndarray):
        return None if part.flags.writeable or part.nbytes > LARGEST else (part.shape, part.dtype.str, part.tobytes())
    if is_array_api_obj(part):
        leaves.append(part)
        return "array", part.shape, part.dtype
    if isinstance(part, (tuple, list)):
        return _all_known(type(part), [taken_apart(x, leaves) for x in part])
    if isinstance(part, Riemannian):
        return (type(part), part) if _has_hash(part) else None
    if isinstance(part, Generator) or not type(part).__module__.startswith("infogeo.") or not hasattr(part, "__dict__"):
        return None
    return _all_known((type(part), *vars(part)), [taken_apart(x, leaves) for x in vars(part).values()])


def _has_hash(part: Any) -> bool:
    """Whether it is the same as long as it is: not one of arrays of JAX, which have none."""
    try:
        hash(part)
    except TypeError:
        return False
    return True


def _all_known(kind: Any, keys: list[Any]) -> Any:
    return None if None in keys else (kind, *keys)


def put_together(part: Any, leaves: list[Array]) -> Any:
    """The part with these arrays, which are taken from the list, in the place of its own."""
    if isinstance(part, _Leaf) or is_array_api_obj(part) and not isinstance(part, (np.ndarray, np.generic)):
        return leaves.pop(0)
    if isinstance(part, (tuple, list)):
        return type(part)([put_together(x, leaves) for x in part])
    if isinstance(part, (Riemannian, FunctionType)) or not hasattr(part, "__dict__"):
        return part
    new = copy(part)
    for name, value in vars(part).items():
        object.__setattr__(new, name, put_together(value, leaves))
    return new
