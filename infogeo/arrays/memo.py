"""One evaluation per point: what a solver's objective and its metric both need at the current point is computed once.

A loop that stands on a point, and guarantees that nobody changes it, says so: ``with standing() as stand: … stand(x)``. From
there to the next call, methods decorated with `once` return the same result for the same array object. Elsewhere they are
plain methods.
"""
import threading
from functools import wraps

__all__ = ["once", "standing"]


class _Standing(threading.local):
    def __init__(self):
        self.points = {}    # id(array) -> (array, results by method): the array is held, so that its id stays its own


_standing = _Standing()


class standing:
    """Context of a loop over points; calling it moves to the next one.

    `once` methods remember their results for the point and for the arrays that they return from it.
    """

    def __enter__(self):
        self.outer = _standing.points
        return self

    def __call__(self, point):
        _standing.points = {id(point): (point, {})}

    def __exit__(self, *error):
        _standing.points = self.outer


def once(method):
    """Remember ``method(self, x)`` while a solver stands on `x`."""
    @wraps(method)
    def remembered(self, x):
        points = _standing.points
        known = points.get(id(x)) if points else None
        if known is None:
            return method(self, x)
        results, key = known[1], (id(self), method)
        found = results.get(key)
        if found is None:
            value = method(self, x)
            results[key] = (self, value)
            if type(value) is not tuple:
                points.setdefault(id(value), (value, {}))
            return value
        return found[1]
    return remembered
