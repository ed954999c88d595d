"""The continuous-time limit of the updates."""
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.integrate import BDF, DOP853, LSODA, RK23, RK45, Radau

from ..arrays.memo import standing
from ..backend import Array, Namespace, backend_of, to_numpy
from ..errors import DomainError, require_positive
from ..objectives.function import as_objective, first_of
from .result import Result, Status
from .start import as_update, spread, start
from .update import NaturalUpdate

__all__ = ["FlowResult", "flow"]

METHODS = {"RK23": RK23, "RK45": RK45, "DOP853": DOP853, "Radau": Radau, "BDF": BDF, "LSODA": LSODA}

_TEXTS = {
    Status.LEFT_DOMAIN: "The flow left the domain; the path stays where it did. Try the other chart.",
    Status.NONFINITE: "The objective or its velocity is infinite or NaN where the path stays; try another start or an earlier "
                      "end.",
    Status.DIVERGED: "The flow cannot be followed further than to where the path stays: it goes to infinity in a finite time, or "
                     "is not smooth there.",
    Status.SINGULAR: "The metric is singular where the path stays, and has no finite natural gradient; damp it, or start "
                     "elsewhere.",
}


@dataclass(frozen=True, repr=False)
class FlowResult(Result):
    """A run of `flow`: ``path[k]`` is the point at ``times[k]``, ``steps`` counts evaluations of the vector field.

    Examples
    --------
    >>> f = lambda x: (x @ x / 2, x)
    >>> run = ig.flow(f, [1.0], update=ig.GradientUpdate(),
    ...               times=[0.0, 1.0, 2.0])
    >>> run.path[:, 0].round(6), ig.Status(run.status).name           # e^{−t}
    (array([1.      , 0.367879, 0.135335]), 'FINISHED')
    """

    def text(self, status: Status) -> str:
        return _TEXTS.get(status, status.text)


def flow(objective: Any, x0: Array, *, geometry: Any = None, update: Any, times: Array, rtol: float = 1e-10,
         atol: float = 1e-12, method: str = "DOP853") -> FlowResult:
    """Integrate ẋ = `update.velocity`, the limit of ever smaller steps, from x0 at time 0.

    Mathematically, ẋ = −c for the gradient update and ẋ = −G⁻¹c for the natural and the mirror update.

    Parameters
    ----------
    objective, x0, geometry, update
        As in `descend`; the objective is not drawn.
    times : array, shape (records,)
        Increasing, from 0 on. The path is recorded at exactly these.
    rtol, atol : float
        Error of every row, relative and absolute, per step of the integrator; at least 100 ε and ε of the dtype of x0.
    method : str
        An integrator of `scipy.integrate.solve_ivp`; the implicit ones suit stiff flows.

    Returns
    -------
    FlowResult
        ``steps`` counts evaluations of the vector field. A row whose flow leaves the domain, comes where its velocity is not
        finite, or goes to infinity in a finite time, stays there, and its status says so; the others go on to the last time,
        FINISHED.

    Raises
    ------
    DomainError
        For times that are not increasing from 0 on, and for x0.
    TypeError, ValueError
        Where an argument is of another kind.

    Examples
    --------
    >>> M = ig.Exponential()                        # η̂ − η falls like e^{−t}
    >>> run = ig.flow(ig.CrossEntropy(M, [2.0]), [-1.0], geometry=M,
    ...               update=ig.MirrorUpdate(),
    ...               times=[0.0, np.log(2.0), np.log(4.0)])
    >>> M.to_eta(run.path)[:, 0].round(6)
    array([1.  , 1.5 , 1.75])
    """
    objective, update = as_objective(objective), as_update(update)
    times = np.atleast_1d(np.asarray(to_numpy(times), dtype=float))
    if times.ndim != 1 or not times.size or not times[0] >= 0 or not np.all(np.diff(times) > 0) or not np.isfinite(times[-1]):
        raise DomainError("times must satisfy 0 <= times[0] < times[1] < …, finite")
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}; got {method!r}")
    require_positive("rtol", rtol)
    require_positive("atol", atol)
    geometry, x, batch = start(objective, x0, geometry, update)
    x = spread(x, batch)
    if getattr(objective, "rows", None) is None:        # then one value tells the batch shape
        objective, value, _ = first_of(objective, x, objective.value_and_gradient(x))
        x = spread(x, value.shape)
    field = _Field(objective, geometry, update, x)
    eps = float(field.xp.finfo(x.dtype).eps)        # of float32 all steps were rejected, as rounding is more than is allowed
    path = _followed(field, times, max(rtol, 100 * eps), max(atol, eps), method)
    values = field.xp.stack([field.value(path[k, ...]) for k in range(times.size)])
    return FlowResult(path[-1, ...], path, values, _judged(field, path), field.xp.full(x.shape[:-1], field.evaluations))


class _Field:
    """The velocity of all rows as one vector of the host: 0 where a row has left the domain, has none, or has been stopped.

    Attributes
    ----------
    stopped : bool array, shape (rows, 1), NumPy
        Rows that cannot be followed further.
    evaluations : int
    """

    def __init__(self, objective: Any, geometry: Any, update: Any, x: Array) -> None:
        self.objective, self.geometry, self.update, self.x0 = objective, geometry, update, x
        self.xp: Namespace = backend_of(x)
        self.start = to_numpy(x).astype(float).reshape(-1)
        self.stopped = np.zeros((self.start.size // x.shape[-1], 1), dtype=bool)
        self.evaluations = 0

    def stop_fastest(self, y: Any, stand: Any, rtol: float, atol: float) -> None:
        """Stop the rows whose velocity is greatest for their size, to a factor of 10: the integrator failed for theirs."""
        speed = np.abs(self(y, stand)) / (atol + rtol * np.abs(y))
        worst = np.max(speed.reshape(len(self.stopped), -1), axis=-1, keepdims=True)
        self.stopped |= worst >= 0.1 * np.max(worst)

    def on_device(self, y: Any) -> Array:
        return self.xp.asarray(y.reshape(self.x0.shape), dtype=self.x0.dtype)

    def value(self, x: Array) -> Array:
        with np.errstate(all="ignore"):
            return self.xp.asarray(self.objective.value_and_gradient(x)[0], dtype=x.dtype)

    def velocity(self, x: Array) -> Array:
        return self.update.velocity(self.geometry, x, self.objective.value_and_gradient(x)[1])

    def __call__(self, y: Any, stand: Any) -> Any:
        self.evaluations += 1
        x = self.on_device(y)
        inside = self.geometry.domain.contains(x)[..., None]
        x = self.xp.where(inside, x, self.x0)
        stand(x)
        v = self.velocity(x)
        moving = to_numpy(self.xp.where(inside & self.xp.isfinite(v), v, self.xp.zeros_like(v)))
        return np.where(self.stopped, 0.0, moving.reshape(len(self.stopped), -1)).reshape(-1)


def _followed(field: _Field, times: Any, rtol: float, atol: float, method: str) -> Array:
    """The points at the times, shape (records, ..., d)."""
    share = 1.0 / np.sqrt(len(field.stopped))   # the integrator controls the mean over all rows; each is to meet the tolerance
    tight = dict(rtol=max(rtol * share, 3e-14), atol=atol * share)
    found = [field.start] * int(times[0] == 0.0)
    now, y, finished = 0.0, field.start, times[-1] == 0.0
    with standing() as stand:
        while not finished:
            solver = METHODS[method](lambda t, y: field(y, stand), now, y, times[-1], **tight)
            while solver.status == "running":
                solver.step()
                upto = np.searchsorted(times, solver.t, side="right") if solver.status != "failed" else 0
                if upto > len(found):
                    found += list(solver.dense_output()(times[len(found):upto]).T)
            now, y, finished = solver.t, solver.y, solver.status == "finished"
            if not finished:
                field.stop_fastest(y, stand, rtol, atol)
    path = np.stack(found).reshape(times.size, *field.x0.shape)
    return field.xp.asarray(path, dtype=field.x0.dtype)


def _judged(field: _Field, path: Array) -> Array:
    """The status of every row, shape (...)."""
    xp, x = field.xp, path[-1, ...]
    with np.errstate(all="ignore"):
        covector = xp.asarray(field.objective.value_and_gradient(x)[1], dtype=x.dtype)
        lost = ~xp.all(xp.isfinite(field.update.velocity(field.geometry, x, covector)), axis=-1)
        inside = xp.all(field.geometry.domain.contains(path), axis=0)
    whole = xp.all(xp.isfinite(covector), axis=-1)
    whole = whole if isinstance(field.update, NaturalUpdate) else xp.zeros_like(whole)
    status = xp.full(inside.shape, int(Status.FINISHED))
    stopped = xp.asarray(field.stopped.reshape(tuple(inside.shape)))
    for which, ended in ((stopped, Status.DIVERGED), (lost, Status.NONFINITE), (lost & whole, Status.SINGULAR),
                         (~inside, Status.LEFT_DOMAIN)):
        status = xp.where(which, int(ended), status)
    return status
