"""The one loop: an objective, a geometry, an update, a step rule."""
from math import isfinite

import numpy as np

from ..arrays.memo import standing
from ..backend import arrays, backend_of, batch_contiguous, column, dot
from .moment import Moment, Snapshot
from .objective import Objective
from .result import Result, Status
from .update import Update

__all__ = ["descend"]


def descend(objective, x0, *, geometry, update, step, max_steps, tol=None, rng=None, record="path", progress=False,
            callbacks=(), resume=None):
    """Follow an update downhill from every row of x0.

    Parameters
    ----------
    objective : object with ``value_and_gradient(x) -> (value, covector)``
        And optionally ``draw(rng)``, the objective that a single step sees.
    x0 : array, shape (..., d)
        In the domain of the geometry. Broadcasts with the objective's and the step rule's batch shapes: a sweep over targets,
        step sizes and seeds is one call, and every row is a run of its own.
    geometry : Riemannian
    update : Update
    step : Step
    max_steps : int
    tol : float, optional
        A row has converged when the Riemannian norm of its gradient √(c·G⁻¹c), the same in every chart, is at most `tol`.
    rng : numpy.random.Generator, optional
        For objectives that draw.
    record : "path", "values" or None
        What to keep of every step: points and values, values only, or nothing.
    progress : bool
        Show a progress bar (tqdm).
    callbacks : sequence of functions (Moment) -> bool or None
        Called after every step; one that returns True ends the run, with status STOPPED in the rows that were still going.
    resume : Snapshot, optional
        Go on from there, from a `Moment.snapshot()` of a run with the same arguments; x0 gives the shape only.

    Returns
    -------
    Result
        A row that left the domain, or met a NaN, is reported by its status; it keeps its last good point, and the others go on.

    Raises
    ------
    DomainError, ShapeError
        For x0.
    ValueError
        For `record`, and where `resume` is of another run.
    """
    if record not in ("path", "values", None):
        raise ValueError(f"record must be 'path', 'values' or None; got {record!r}")
    xp, x = _start(objective, geometry, step, x0)
    domain, whole = geometry.domain, geometry.domain.whole
    draw = None if getattr(type(objective), "draw", Objective.draw) is Objective.draw else objective.draw
    points = _Points(xp, x, max_steps) if record == "path" else None
    values = xp.empty((max_steps + 1, *x.shape[:-1]), dtype=x.dtype) if record else None
    rows = _Rows(xp, x.shape[:-1])
    single = x.ndim == 1 and rows.period == 1        # then a plain test of one number serves for a mask
    see = None if getattr(type(update), "on", Update.on) is Update.on else update.on
    seen, acts, state, previous, covector, first, stopped = objective, update, update.init(x), x, x, 0, False
    if resume is not None:
        x_0, loop = x, resume.restore(rng, [objective, update, *callbacks])
        first, x, previous, covector, state = resume.k, loop["x"], loop["previous"], loop["covector"], loop["state"]
        rows.__dict__.update(loop["rows"])
        _resumable(first, x, x_0, max_steps)
        for records, kept in ((points and points.data, loop["points"]), (values, loop["values"])):
            if (records is None) != (kept is None):
                raise ValueError("resume needs the record= of the run that it goes on from")
            if records is not None:
                records[:kept.shape[0], ...] = kept

    def curve(h):
        return acts(geometry, x, covector, h, state)[0]

    def snapshot():
        return Snapshot.of(k + 1, rng, [objective, update, *callbacks], x=x, previous=previous, covector=covector, state=state,
                           rows=rows.kept(), points=None if points is None else points.data[:k + 2, ...],
                           values=None if values is None else values[:k + 1, ...])

    def probe(y):
        inside = domain.contains(y)
        value_y = seen.value_and_gradient(xp.where(inside[..., None], y, x))[0]
        return xp.where(inside & xp.isfinite(value_y), value_y, xp.full_like(value_y, np.inf))

    with np.errstate(all="ignore"), standing() as stand:
        for k in _steps(first, max_steps + 1, progress):
            last = stopped or k == max_steps
            if draw is not None:
                seen = objective if last else draw(rng)
            if see is not None:
                acts = see(seen)
            stand(x)
            last_covector = covector
            value, covector = seen.value_and_gradient(x)
            if not (single and isfinite(value)) and rows.any_lost(xp.isfinite(value)):
                # the step that led here overflowed, or its mirror step has no image: these rows stay where they were
                nowhere = xp.any(xp.isnan(x), axis=-1)
                reason = xp.where(nowhere, _reason(xp, last_covector, x), xp.full(rows.shape, int(Status.NONFINITE)))
                x = xp.where(column(rows.good), x, previous)
                value = xp.where(rows.good, value, values[k - 1, ...] if record and k else value)
                rows.end(~rows.good, reason, max(k - 1, 0))
                if points is not None:
                    points.put(k, x)
            if values is not None:
                values[k, ...] = value
            if tol is not None:
                slope = xp.sqrt(dot(covector, geometry.sharp(x, covector)))
                rows.end(slope <= tol, xp.full(rows.shape, int(Status.CONVERGED)), k)
            if last or not rows.all_active and rows.none_left(k):
                break
            h = step(k, x, value, covector, curve, probe, geometry)
            x_new, state = acts(geometry, x, covector, h, state)
            if not whole and rows.any_lost(domain.contains(x_new)):
                rows.end(~rows.good, _reason(xp, covector, x_new), k)
            if rows.all_active:
                previous, x = x, x_new
            else:
                previous, x = x, xp.where(column(rows.active), x_new, x)
            if points is not None:
                points.put(k + 1, x)
            if callbacks:
                moment = Moment(k + 1, x, value, covector, state, snapshot)
                stopped = any([callback(moment) is True for callback in callbacks])
                if stopped:
                    rows.end(rows.active, xp.full(rows.shape, int(Status.STOPPED)), k + 1)
    return Result(x, points.up_to(k) if record == "path" else None, values[:k + 1, ...] if record else None,
                  rows.status, rows.steps(k))


def _start(objective, geometry, step, x0):
    """x0 with the batch shape of the whole run, contiguous along the batch."""
    x = geometry.domain.require("x0", x0)
    value = objective.value_and_gradient(x)[0]
    h = arrays(x, getattr(step, "h", 0.0))[2]
    xp = backend_of(x)
    batch = np.broadcast_shapes(x.shape[:-1], value.shape, h.shape)
    return xp, batch_contiguous(xp.broadcast_to(x, (*batch, x.shape[-1])))


def _resumable(k, x, x0, max_steps):
    if x.shape != x0.shape or x.dtype != x0.dtype:
        raise ValueError(f"resume needs x0 of shape {tuple(x.shape)} and {x.dtype}; got {tuple(x0.shape)} and {x0.dtype}")
    if k > max_steps:
        raise ValueError(f"resume needs max_steps >= {k}, the steps taken before; got {max_steps}")


def _reason(xp, covector, x_new):
    """Why each row's next point, which is not in the domain, is not taken."""
    broken = ~xp.all(xp.isfinite(covector), axis=-1) | xp.any(xp.isinf(x_new), axis=-1)
    left = xp.full(broken.shape, int(Status.LEFT_DOMAIN))
    return xp.where(broken, int(Status.NONFINITE), left)


def _steps(first, stop, progress):
    if not progress:
        return range(first, stop)
    from tqdm import trange
    return trange(first, stop, unit="step", initial=first, total=stop)


class _Rows:
    """Which rows go on, and how the others ended.

    On a GPU every look at a mask makes the host wait, so there the masks are applied unseen and looked at every 16th step.
    """

    def __init__(self, xp, shape):
        self.xp, self.shape = xp, shape
        self.period = 16 if xp.name == "cupy" else 1
        self.all_active = True
        self.active = xp.ones(shape, dtype=xp.bool)
        self.status = xp.full(shape, int(Status.MAX_STEPS))
        self.ended = xp.full(shape, -1)

    def kept(self):
        """What a snapshot keeps."""
        return {name: getattr(self, name) for name in ("all_active", "active", "status", "ended")}

    def any_lost(self, good):
        """Whether some row is not good; on a GPU, whether to treat some as if it were not."""
        self.good = good
        return self.period > 1 or not self.xp.all(good)

    def end(self, which, status, k):
        """Rows that end after k steps."""
        now = self.active & which
        if self.period == 1 and not self.xp.any(now):
            return
        self.status = self.xp.where(now, status, self.status)
        self.ended = self.xp.where(now, k, self.ended)
        self.active = self.active & ~now
        self.all_active = False

    def none_left(self, k):
        return k % self.period == 0 and not self.xp.any(self.active)

    def steps(self, k):
        return self.xp.where(self.ended < 0, k, self.ended)


class _Points:
    """A preallocated (records, ..., d) array, every record contiguous along the batch."""

    def __init__(self, xp, x, max_steps):
        self.move = xp.moveaxis if x.ndim > 1 else lambda x, source, target: x
        self.data = xp.empty((max_steps + 1, x.shape[-1], *x.shape[:-1]), dtype=x.dtype)
        self.put(0, x)

    def put(self, k, x):
        self.data[k, ...] = self.move(x, -1, 0)

    def up_to(self, k):
        return self.move(self.data[:k + 1, ...], 1, -1)
