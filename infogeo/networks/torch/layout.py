"""Where the parameters of a PyTorch module lie in one flat vector, and which of them make a layer with known curvature."""
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

from ...backend import Array
from ..affine import Dense
from .calls import CONVOLUTIONS, NORMS, SCALES, SHIFTS, Call

__all__ = ["Axis", "Group", "Slot", "TrialCall", "axis_between", "grouped", "slots_of"]

LINEAR = {"linear", "matmul", "embedding", *CONVOLUTIONS}
DIRECT = {"matmul", "embedding"}                        # whose weights are (inputs, outputs), as ours


class Axis(NamedTuple):
    """Which axis of an array of a call is that of the samples, and how many positions of a sample follow each other there."""

    place: int
    positions: int


class TrialCall(NamedTuple):
    """A call of a trial, and the axes of the samples in its input and output; None where there is none."""

    call: Call
    of_input: Axis | None
    of_output: Axis | None


@dataclass(frozen=True)
class Slot:
    """A parameter in the flat vector.

    Attributes
    ----------
    name : str
    shape : tuple of int
    weights : slice
        The part of the vector of the layer that it belongs to.
    matrix : tuple (groups, inputs + 1, outputs) or None
        How the numbers of a layer lie there; None for the parameter itself, number after number.
    role : str
        "weight" for the matrix without its last row, transposed where it is not `direct`, "bias" for the last row.
    """

    name: str
    shape: tuple[int, ...]
    weights: slice
    matrix: tuple[int, int, int] | None = None
    role: str = "weight"
    direct: bool = False
    bias: bool = False

    def of(self, w: Array) -> Array:
        """The parameter, shapes (..., size) to (..., *shape): a view, but for convolutions of several groups."""
        part = w[..., self.weights]
        return (part if self.matrix is None else self._rows(part)).reshape((*part.shape[:-1], *self.shape))

    def _rows(self, part: Array) -> Array:
        """Its entries in the numbers of its layer, a view of shape (..., groups, …)."""
        found = part.unflatten(-1, self.matrix)
        if self.role == "bias":
            return found[..., -1, :]
        found = found[..., :-1, :] if self.bias else found
        return found if self.direct else found.mT

    def put(self, out: Array, value: Array) -> None:
        """Write a parameter, (..., *shape), into its place of a vector, (..., size)."""
        part = out[..., self.weights]
        place = part if self.matrix is None else self._rows(part)
        place.copy_(value.reshape(place.shape))


@dataclass(frozen=True)
class Group:
    """Parameters whose curvature is that of one layer, or of several that lie one after the other.

    Attributes
    ----------
    kind : str
        "affine", "exact", or "unknown".
    slots : tuple of Slot
    layers, slices : tuples
        `Dense` layers that stand for it, and their weights.
    calls : tuple of int
        The calls that it enters.
    function : str
        Of what is unknown, the function that it enters.
    """

    kind: str
    slots: tuple[Slot, ...]
    layers: tuple[Dense, ...]
    slices: tuple[slice, ...]
    calls: tuple[int, ...]
    function: str = ""


def grouped(parameters: dict[str, Any], seen: list[TrialCall], others: dict[str, str], elementwise: int,
            unknown: int) -> list[Group]:
    """The groups of all parameters, in their order; the slots of one after those of the other.

    Parameters
    ----------
    elementwise, unknown : int
        The largest blocks of parameters that enter elementwise, and of those of unknown functions.
    """
    groups: list[Group] = []
    done: set[str] = set()
    start = 0
    for name in parameters:
        if name in done:
            continue
        uses = [i for i, s in enumerate(seen) if name in (s.call.weight, s.call.bias)]
        names, kind = _together(name, uses, seen, others)
        if kind == "affine":
            group = _affine(names, uses, seen, parameters, start)
        else:
            group = _exact(names, kind, uses, parameters, start, elementwise if kind == "exact" else unknown, others)
        groups.append(group)
        done |= set(names)
        start = group.slices[-1].stop
    return groups


def _together(name: str, uses: list[int], seen: list[TrialCall], others: dict[str, str]) -> tuple[tuple[str, ...], str]:
    """The parameters that are one layer with this one, and of what kind."""
    calls = [seen[i].call for i in uses]
    if name in others or any(_unknown(seen[i], name) for i in uses):
        return (name,), "unknown"
    pairs = {(call.weight, call.bias) for call in calls}
    affine = [call for call in calls if call.kind in LINEAR and call.weight == name]
    if affine:
        same = len({(c.kind, c.arguments.get("groups", 1)) for c in calls}) == 1 and len(affine) == len(calls)
        if not same:
            return (name,), "unknown"
        return _with_partner(name, pairs, seen, others), "affine"
    if len(pairs) == 1 and all(call.kind in LINEAR and call.bias == name for call in calls) and calls:
        weight, = (w for w, _ in pairs)
        if weight is not None and weight not in others and len(_with_partner(weight, pairs, seen, others)) == 2:
            uses = [i for i, s in enumerate(seen) if weight in (s.call.weight, s.call.bias)]
            if _together(weight, uses, seen, others)[1] == "affine":       # a bias that comes before its weight
                return (weight, name), "affine"
    if all(call.kind in NORMS for call in calls):
        return _with_partner(name, pairs, seen, others), "exact"
    return (name,), "exact"


def _with_partner(name: str, pairs: set[tuple[str | None, str | None]], seen: list[TrialCall],
                  others: dict[str, str]) -> tuple[str, ...]:
    """(weight, bias) where both are always together, else the parameter alone."""
    if len(pairs) != 1:
        return (name,)
    pair = next(iter(pairs))
    if None in pair or any(p in others for p in pair):
        return (name,)
    for s in seen:
        if (s.call.weight in pair or s.call.bias in pair) and (s.call.weight, s.call.bias) != pair:
            return (name,)
    return pair         # type: ignore[return-value]


def _unknown(s: TrialCall, name: str) -> bool:
    """Whether a call has no form of its own for a parameter."""
    call = s.call
    if s.of_output is None:
        return True
    if call.kind in LINEAR and call.weight == name:
        return s.of_input is None or call.kind in CONVOLUTIONS and s.of_output.place != 0
    if call.kind in SHIFTS | SCALES:
        axis: int = s.of_output.place - call.y.ndim
        shape: tuple[int, ...] = call.arguments["shape"]
        return len(shape) >= -axis and shape[axis] != 1
    return False


def _affine(names: tuple[str, ...], uses: list[int], seen: list[TrialCall], parameters: dict[str, Any], start: int) -> Group:
    call = seen[uses[0]].call
    shape, direct, groups = tuple(parameters[names[0]].shape), call.kind in DIRECT, call.arguments.get("groups", 1)
    inputs, outputs = shape if direct else (prod(shape[1:]), shape[0])
    bias, outputs = len(names) == 2, outputs // groups
    size = (inputs + bias) * outputs
    whole = slice(start, start + groups * size)
    matrix = groups, inputs + bias, outputs
    slots = [Slot(names[0], shape, whole, matrix, "weight", direct, bias)]
    if bias:
        slots.append(Slot(names[1], tuple(parameters[names[1]].shape), whole, matrix, "bias", bias=True))
    return Group("affine", tuple(slots), (Dense(inputs, outputs, bias),) * groups,
                 tuple(slice(start + g * size, start + (g + 1) * size) for g in range(groups)), tuple(uses))


def _exact(names: tuple[str, ...], kind: str, uses: list[int], parameters: dict[str, Any], start: int, largest: int,
           others: dict[str, str]) -> Group:
    slots, at = [], start
    for name in names:
        size = parameters[name].numel()
        slots.append(Slot(name, tuple(parameters[name].shape), slice(at, at + size)))
        at += size
    slices = tuple(slice(i, min(i + largest, at)) for i in range(start, at, largest))
    return Group(kind, tuple(slots), tuple(Dense(1, s.stop - s.start, bias=False) for s in slices), slices, tuple(uses),
                 others.get(names[0], "several kinds of functions, or without the samples"))


def slots_of(groups: list[Group]) -> Iterator[Slot]:
    """All slots in their order."""
    for group in groups:
        yield from group.slots


def axis_between(few: Array, more: Array, n_few: int, n_more: int) -> Axis | None:
    """The axis of the samples of an array, from the same with fewer of them."""
    if few is None or few.ndim != more.ndim:
        return None
    found = [i for i, (a, b) in enumerate(zip(few.shape, more.shape)) if a != b]
    if len(found) != 1 or few.shape[found[0]] % n_few or few.shape[found[0]] * n_more != more.shape[found[0]] * n_few:
        return None
    return Axis(found[0], few.shape[found[0]] // n_few)
