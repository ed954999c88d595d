"""Which rows of a run go on, and how the others ended."""
from math import isfinite
from typing import Any

from ..backend import Array, backend_of, column
from .place import Place
from .result import Status

__all__ = ["Rows"]

# Steps from one look at the masks to the next, where that is not one: on a GPU every look makes the host wait, so there the masks
# are applied unseen, whether or not a row ends.
PERIODS = {"cupy": 16}


class Rows:
    """The book of the rows: a row that ends keeps its last good point, the others go on.

    Attributes
    ----------
    active : mask, shape (...)
    status : integer array, shape (...)
        `Status` of the rows that ended.
    """

    def __init__(self, x: Array, domain: Any) -> None:
        self.xp, self.shape, self.domain = backend_of(x), tuple(x.shape[:-1]), domain
        self.period = PERIODS.get(self.xp.name, 1)
        self.single = self.shape == () and self.period == 1     # then a plain test of one number serves for a mask
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
        xp, good = self.xp, self.xp.isfinite(at.value)
        if self._all(good):
            return
        x, value, covector = at.last
        nowhere = xp.any(xp.isnan(at.x), axis=-1)
        reason = xp.where(nowhere, self._reason(covector, at.x), int(Status.NONFINITE))
        at.x, at.value = xp.where(column(good), at.x, x), xp.where(good, at.value, value)
        self.end(~good, reason, max(at.k - 1, 0))

    def moved(self, at: Place, x: Array) -> None:
        """Active rows move to x; those for which it lies outside the domain stay and end."""
        if not self.whole:
            good = self.domain.contains(x)
            if not self._all(good):
                self.end(~good, self._reason(at.covector, x), at.k)
        at.last = at.x, at.value, at.covector
        at.x = x if self.all_active else self.xp.where(column(self.active), x, at.x)

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
