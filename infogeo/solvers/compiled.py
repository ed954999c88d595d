"""Runs as one program of the library that their arrays belong to: the same loop, traced once.

Where every step costs the calls of twenty functions, as on JAX, the whole run is compiled: looks, step rule, update and moves are
those of `descend`, and rows, records and stopping rule decide by masks. It is kept for the next run of the same kind, whose
targets and step sizes may be others. What looks at numbers between the steps, such as a callback, what draws, and objects of
classes of one's own, which may change unseen, are not compiled: then the loop goes on as on any library. A function of one's own
is traced once, as by `jax.jit`.
"""
from collections.abc import Callable
from copy import copy
from types import FunctionType
from typing import Any

import numpy as np
from array_api_compat import is_array_api_obj

from ..arrays.programs import as_tree
from ..arrays.tracing import compiled, is_traced
from ..backend import Array, Generator, backend_of
from ..geometry.manifolds.manifold import Riemannian
from ..objectives.function import Function, seen_by
from .records import recorded
from .result import Result
from .run import Run
from .step import Step
from .traced import traced_run

__all__ = ["as_program", "in_trace"]

FEW = 64            # steps: of fewer, the compiler takes longer than it saves
LARGEST = 2**16     # bytes of an array of the host that is a part of a program


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
    known = None not in kinds and isinstance(run.step, Step)
    if not known or (run.stop is not None if traced else run.max_steps < FEW):
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
        raise TypeError(f"descend looks at numbers, which a traced array has not: {_who_looks(run)}")
    return found


def _who_looks(run: Run) -> str:
    """What of a run is for arrays with numbers only, and what to do."""
    objective, update, *callbacks = run.parts
    outside = "call it outside jax.jit and jax.vmap"
    reasons = {"its callbacks see every step": callbacks, "its generator goes on from step to step": run.rng is not None,
               "it goes on from a snapshot": run.kept is not None, "its objective draws": seen_by(objective) is not None}
    for what, there in reasons.items():
        if there:
            return f"{what}: {outside}, or go without"
    function = repr(objective) if isinstance(objective, Function) else type(objective).__name__
    return f"so do {type(update).__name__}, {type(run.step).__name__} or {function}: {outside}"


def _parts(run: Run, geometry: Any, x: Array) -> tuple[Any, ...] | None:
    """Objective, geometry, update, step rule and stopping rule of a run that may be a program; None of another one."""
    objective, update, *callbacks = run.parts
    if backend_of(x).name != "jax" or callbacks or run.rng is not None or run.kept is not None or seen_by(objective) is not None:
        return None
    step = copy(run.step)
    for name in ("h", "delta") if _is_ours(step) else ():       # whose numbers are arguments of the program, too
        if name in vars(step):
            object.__setattr__(step, name, backend_of(x).asarray(getattr(step, name), dtype=x.dtype))
    return objective, geometry, update, step, run.stop


def _of_program(run: Run, parts: tuple[Any, ...], x: Array, key: Any, leaves: list[Array]) -> Result | None:
    """The run of these parts, of which the leaves are arguments of the program, which is kept where it has a key."""
    hollow = parts if key is None else put_together(parts, [_Leaf()] * len(leaves))       # a kept program keeps no array
    xp, most, record, traced = backend_of(x), run.max_steps, run.record, key is None or key[-1]

    def make() -> Callable[..., Any]:
        def program(x: Array, *leaves: Array) -> tuple[Any, ...]:
            objective, geometry, update, step, stop = hollow if key is None else put_together(hollow, list(leaves))
            return traced_run(Run([objective, update], step, None, most, stop, record), geometry, x, traced)
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
    if isinstance(part, Generator) or not _is_ours(part) or not hasattr(part, "__dict__"):
        return None
    return _all_known((type(part), *vars(part)), [taken_apart(x, leaves) for x in vars(part).values()])


def _is_ours(part: Any) -> bool:
    return type(part).__module__.startswith("infogeo.")


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
