"""Which rows of a run go on, and how the others ended."""
from collections.abc import Callable
from math import isfinite
from typing import Any

from ..arrays.tracing import is_traced, surely
from ..backend import Array, backend_of, column, dot
from .place import Place
from .result import Status

__all__ = ["Rows"]

# Steps from one look at the masks to the next, where that is not one: on a GPU every look makes the host wait, so there the masks
# are applied unseen, whether or not a row ends.
PERIODS = {"cupy": 16}
NEVER = 2**62           # of a traced run, which has no numbers to look at: its loop asks for the masks

# A row has diverged where its last value is above its first by more than this many times max(|first|, 1): a run on its way down,
# or at its noise floor, does not come there, and one whose step size is too large passes it within a few steps.
DIVERGED = 1000.0


class Rows:
    """The book of the rows: a row that ends keeps its last good point, the others go on.

    Attributes
    ----------
    active : mask, shape (...)
    status : integer array, shape (...)
        `Status` of the rows that ended.
    """

    def __init__(self, x: Array, domain: Any, valued: bool = True) -> None:
        self.xp, self.shape, self.domain, self.valued = backend_of(x), tuple(x.shape[:-1]), domain, valued
        self.period = NEVER if is_traced(self.xp, x) else PERIODS.get(self.xp.name, 1)
        # Then a plain test of one number serves for a mask; a number that autograd or jax.grad follows is no float
        self.single = self.shape == () and self.xp.name == "numpy"
        self.whole = domain.whole       # a next point in R^d is never looked at: what is not finite shows in the next value
        self.all_active = True
        self.active = self.xp.ones(self.shape, dtype=self.xp.bool)
        self.status = self.xp.full(self.shape, int(Status.MAX_STEPS))
        self.ended = self.xp.full(self.shape, -1)

    def kept(self) -> dict[str, Any]:
        """What a snapshot keeps."""
        return {name: getattr(self, name) for name in ("all_active", "active", "status", "ended")}

    def restore(self, kept: dict[str, Any]) -> None:
        """Go on from there."""
        self.__dict__.update(kept)

    def looked(self, at: Place) -> None:
        """Rows whose value is not finite go back: the step that led there overflowed, or its mirror step has no image."""
        if self.single and isfinite(at.value):
            return
        xp, seen = self.xp, at.value if self.valued else self.xp.sum(at.covector, axis=-1)
        good = xp.isfinite(seen)
        if self._all(good):
            return
        x, value, covector = at.last
        nowhere = xp.any(xp.isnan(at.x), axis=-1)
        reason = xp.where(nowhere, self._reason(covector, at.x), int(Status.NONFINITE))
        at.x, at.value = xp.where(column(good), at.x, x), xp.where(good, at.value, value)
        at.covector = xp.where(column(good), at.covector, covector)
        self.end(~good, reason, max(at.k - 1, 0) if isinstance(at.k, int) else at.k - 1)

    def moved(self, at: Place, x: Array) -> None:
        """Active rows move to x; those for which it lies outside the domain stay and end.

        A point that lies outside by rounding only, the optimum being on the boundary, is not taken either, but ends nothing:
        which coordinates come nearer to the boundary than ε depends on the chart, as on the reference outcome of a simplex.
        """
        if x.dtype != at.x.dtype:           # of a step size that is a float64 number of NumPy, for instance
            x = self.xp.astype(x, at.x.dtype)
        if not self.whole:
            good = self.domain.contains(x)
            if not self._all(good):
                xp = self.xp
                room = 4.0 * float(xp.finfo(x.dtype).eps) * xp.max(xp.abs(at.x), axis=-1)
                close = ~good & (xp.max(xp.abs(x - at.x), axis=-1) <= room)
                self.end(~(good | close), self._reason(at.covector, x), at.k)
                x = xp.where(column(close), at.x, x)
        at.last = at.x, at.value, at.covector
        at.x = x if self.all_active else self.xp.where(column(self.active), x, at.x)

    def stood(self, at: Place) -> None:
        """Rows that the last move left where they were end."""
        self.end(self.xp.all(at.x == at.last[0], axis=-1), int(Status.STALLED), at.k)

    def descended(self, at: Place, x: Array) -> None:
        """Rows whose natural-gradient step to x does not descend, ⟨c, x − at.x⟩ > 0 beyond rounding: an indefinite metric."""
        xp, move = self.xp, x - at.x
        room = 8.0 * float(xp.finfo(x.dtype).eps) * dot(xp.abs(at.covector), xp.abs(x) + xp.abs(at.x))
        self.end(dot(at.covector, move) > room, int(Status.SINGULAR), at.k)

    def judged(self, at: Place, first: Array, singular: Callable[[], Array] | None) -> None:
        """At the end of a run: rows whose value went up beyond measure, and those that ended for their metric.

        Parameters
        ----------
        first : array, shape (...)
            The values at the start.
        singular : function () -> mask, or None
            Whether the metric is singular at the last points; it is asked where a row ended by a point that is not in the domain.
        """
        xp = self.xp
        scale = xp.maximum(xp.abs(first), xp.ones_like(first))
        above = at.value > first + DIVERGED * scale         # not a difference, which of a first value of +∞ is none
        self.status = xp.where(above & (self.status == int(Status.MAX_STEPS)), int(Status.DIVERGED), self.status)
        lost = (self.status == int(Status.LEFT_DOMAIN)) | (self.status == int(Status.NONFINITE))
        if singular is not None and not surely(xp, ~xp.any(lost)):
            lost = lost & singular()
            self.status = xp.where(lost, int(Status.SINGULAR), self.status)
            self.status = xp.where(lost & above, int(Status.NONFINITE), self.status)    # overshot to where no metric is regular

    def end(self, which: Array, status: Array, k: int) -> None:
        """Rows that end after k steps."""
        now = self.active & which
        if self.period == 1 and not self.xp.any(now):
            return
        self.status = self.xp.where(now, status, self.status)
        self.ended = self.xp.where(now, k, self.ended)
        self.active = self.active & ~now
        self.all_active = False

    def none_left(self, k: int) -> bool:
        """Whether all rows have ended, as far as one has looked."""
        return k % self.period == 0 and not self.xp.any(self.active)

    def steps(self, k: int) -> Array:
        """Steps that each row took in a run of k."""
        return self.xp.where(self.ended < 0, k, self.ended)

    def _all(self, good: Array) -> bool:
        """Whether all rows are good; never, where one does not look."""
        return self.period == 1 and bool(good if self.shape == () else self.xp.all(good))

    def _reason(self, covector: Array, x: Array) -> Array:
        """Why each row's next point x, which is not in the domain, is not taken."""
        xp = self.xp
        broken = ~xp.all(xp.isfinite(covector), axis=-1) | xp.any(xp.isinf(x), axis=-1)
        return xp.where(broken, int(Status.NONFINITE), xp.full(broken.shape, int(Status.LEFT_DOMAIN)))
