"""One evaluation per point: what a solver's objective and its metric both need at the current point is computed once.

A loop that stands on a point, and guarantees that nobody changes it, says so: ``with standing() as stand: … stand(x)``. From
there to the next call, methods decorated with `once` return the same result for the same array object. Elsewhere they are
plain methods. Nobody can change what is remembered: an array that such a method returns cannot be written from then on, and where
a library has no such arrays every caller gets a copy.
"""
from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, TypeVar

import numpy as np
from array_api_compat import is_array_api_obj, is_writeable_array
from numpy import ndarray

from ..backend import NUMPY, Array
from .graphs import is_read
from .kept import copied

__all__ = ["is_standing", "look_ahead", "once", "once_each", "settled", "standing", "stands_on"]

_AHEAD = "looked ahead"        # the mark of a point that `look_ahead` named; elsewhere the keys are methods
Method = TypeVar("Method", bound=Callable[..., Any])


class _Standing(threading.local):
    def __init__(self) -> None:
        # id(array) -> (array, results by method): the array is held, so that its id stays its own
        self.points: dict[int, tuple[Array, dict[Any, Any]]] = {}


_standing = _Standing()


class standing:
    """Context of a loop over points; calling it moves to the next one.

    `once` methods remember their results for the point and for the arrays that they return from it. NumPy's error state is set
    once for the whole loop: entering it costs as much as a formula of one point.
    """

    __slots__ = ("outer", "points", "quiet")

    def __enter__(self) -> standing:
        self.outer, self.quiet = _standing.points, np.errstate(all="ignore")
        self.points = _standing.points = {}
        self.quiet.__enter__()
        return self

    def __call__(self, point: Array) -> None:
        ahead = self.points.get(id(point))
        self.points.clear()         # the same dictionary: a thread's own attribute costs several times as much to set
        self.points[id(point)] = ahead if ahead is not None and ahead[1].pop(_AHEAD, False) else (point, {})

    def __exit__(self, *error: Any) -> None:
        _standing.points = self.outer
        self.quiet.__exit__(*error)


def look_ahead(x: Array) -> None:
    """Remember what is computed at a point to which the loop may go next, and which nobody changes: there it is known already."""
    if _standing.points:
        _standing.points.setdefault(id(x), (x, {_AHEAD: True}))


def is_standing() -> bool:
    """Whether a loop of this thread stands on a point: then it has set the error state, too."""
    return bool(_standing.points)


def stands_on(x: Array) -> bool:
    """Whether a loop stands on this very array, or got it from a method that is remembered."""
    return id(x) in _standing.points


def settled(xs: tuple[Any, ...], dim: int) -> bool:
    """Whether a loop stands on the first of these, and all are NumPy's floating arrays (..., dim): nothing is left to coerce."""
    points = _standing.points
    if not points or not xs or id(xs[0]) not in points:
        return False
    for x in xs:
        if type(x) is not ndarray or x.dtype.kind != "f" or x.ndim == 0 or x.shape[-1] != dim:
            return False
    return True


def once(method: Method) -> Method:
    """Remember ``method(self, x)``, or ``method(self, xp, x)``, while a solver stands on `x`."""
    def closed(self: Any, x: Any, value: Any) -> tuple[Any, Any, bool]:
        shared = True
        if type(x) is not ndarray:
            value, shared = _copied(value)
        elif type(value) is tuple:          # arrays are closed themselves: a view would cost twice as much, the keyword 57 ns
            for part in value:
                if type(part) is ndarray and part is not x:
                    part.setflags(False)       # type: ignore[call-arg]
        else:
            if value is x:                  # the point belongs to the loop and stays as it is: a view of it is closed
                value = value.view()
            if type(value) is ndarray:
                value.setflags(False)          # type: ignore[call-arg]
            _standing.points.setdefault(id(value), (value, {}))
        return self, value, shared          # self is held, so that its id stays its own

    @wraps(method)
    def of_point(self: Any, x: Any) -> Any:
        points = None if type(x) is not ndarray and is_read() else _standing.points
        known = points.get(id(x)) if points else None
        if known is None:
            return method(self, x)
        results, key = known[1], (id(self), method)
        found = results.get(key)
        if found is None:
            found = results[key] = closed(self, x, method(self, x))
        return found[1] if found[2] else copied(found[1])

    @wraps(method)
    def of_kernel(self: Any, xp: Any, x: Any) -> Any:       # the same with the namespace: a starred call costs 0.1 µs
        points = None if type(x) is not ndarray and is_read() else _standing.points
        known = points.get(id(x)) if points else None
        if known is None:
            return method(self, xp, x)
        results, key = known[1], (id(self), method)
        found = results.get(key)
        if found is None:
            found = results[key] = closed(self, x, method(self, xp, x))
        return found[1] if found[2] else copied(found[1])
    return of_kernel if len(signature(method).parameters) == 3 else of_point       # type: ignore[return-value]


def once_each(method: Method) -> Method:
    """Remember ``method(self, x, other)`` for every array `other` while a solver stands on `x`: one solve for all step sizes."""
    kernel_of: Any = getattr(method, "kernel_of", None)     # of a formula; of one point it is asked itself, 0.3 µs cheaper

    @wraps(method)
    def remembered(self: Any, x: Any, other: Any) -> Any:
        points = None if type(x) is not ndarray and is_read() else _standing.points
        known = points.get(id(x)) if points else None
        if known is None:
            return method(self, x, other)
        results, key = known[1], (id(self), method, id(other))
        found = results.get(key)
        if found is None:
            # a point that a loop stands on is of floats: another of its shape and dtype is settled, too
            alike = kernel_of and type(x) is type(other) is ndarray and x.dtype is other.dtype
            if alike and x.shape == other.shape == (self.dim,):
                value, shared = kernel_of(type(self))(self, NUMPY, x, other), True
            else:
                value, shared = method(self, x, other), True
            if type(value) is ndarray:
                if value is other or value is x or kernel_of is None:   # it may belong to whoever made it: a view of it is closed
                    value = value.view()
                value.setflags(False)               # type: ignore[call-arg]
            else:
                value, shared = _copied(value)
            found = results[key] = (self, value, shared, other)     # both are held, so that their ids stay their own
        return found[1] if found[2] else copied(found[1])
    return remembered       # type: ignore[return-value]


def _copied(value: Any) -> tuple[Any, bool]:
    """``(a copy, False)`` of a value with arrays that can be written, as a library has no others; else ``(value, True)``."""
    parts = value if type(value) is tuple else (value,)
    if any([is_array_api_obj(part) and is_writeable_array(part) for part in parts]):
        return copied(value), False
    return value, True
