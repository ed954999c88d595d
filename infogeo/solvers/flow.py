"""The continuous-time limit of the updates."""
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from ..arrays.memo import standing
from ..backend import Array, backend_of, to_numpy
from ..errors import ConvergenceError, DomainError
from .result import Result, Status
from .start import spread, start
from .update import Update

__all__ = ["flow"]


def flow(objective: Any, x0: Array, *, geometry: Any = None, update: Update, times: Array, rtol: float = 1e-10,
         atol: float = 1e-12, method: str = "DOP853") -> Result:
    """Integrate ẋ = `update.velocity`, the limit of ever smaller steps, from x0 at time 0.

    Mathematically, ẋ = −c for the gradient update and ẋ = −G⁻¹c for the natural and the mirror update.

    Parameters
    ----------
    objective, x0, geometry, update
        As in `descend`; the objective is not drawn.
    times : array, shape (records,)
        Increasing, from 0 on. The path is recorded at exactly these.
    rtol, atol : float
        Error of every row, relative and absolute, per step of the integrator.
    method : str
        An integrator of `scipy.integrate.solve_ivp`; the implicit ones suit stiff flows.

    Returns
    -------
    Result
        ``steps`` counts evaluations of the vector field. A row whose flow leaves the domain stops there.

    Raises
    ------
    DomainError
        For times that are not increasing from 0 on, and for x0.
    ConvergenceError
        If the integrator gives up.
    """
    times = np.atleast_1d(to_numpy(np.asarray(times, dtype=float)))
    if times.ndim != 1 or not times[0] >= 0 or not np.all(np.diff(times) > 0) or not np.isfinite(times[-1]):
        raise DomainError("times must satisfy 0 <= times[0] < times[1] < …, finite")
    geometry, x = start(objective, x0, geometry)
    if getattr(objective, "rows", None) is None:        # then one value tells the batch shape
        x = spread(x, getattr(objective.value_and_gradient(x)[0], "shape", ()))
    xp, shape, domain = backend_of(x), x.shape, geometry.domain
    rows = max(1, int(np.prod(shape[:-1])))

    def on_device(y: Any) -> Array:
        return xp.asarray(y.reshape(shape), dtype=x.dtype)

    def velocity(t: float, y: Any) -> Any:
        x = on_device(y)
        inside = domain.contains(x)[..., None]
        x = xp.where(inside, x, on_device(y0))
        stand(x)
        v = update.velocity(geometry, x, objective.value_and_gradient(x)[1])
        return to_numpy(xp.where(inside & xp.isfinite(v), v, xp.zeros_like(v))).reshape(-1)

    y0 = to_numpy(x).astype(float).reshape(-1)
    if times[-1] == 0.0:
        y, evaluations = y0[:, None], 0
    else:
        tight = 1.0 / np.sqrt(rows)      # the integrator controls the mean over all rows; each row is to meet the tolerance
        with standing() as stand:
            solution = solve_ivp(velocity, (0.0, times[-1]), y0, method=method, t_eval=times,
                                 rtol=max(rtol * tight, 3e-14), atol=atol * tight)
        if not solution.success:
            reached = solution.y[:, -1].reshape(shape) if solution.y.size else None
            raise ConvergenceError(f"flow: {solution.message}", iterate=reached)
        y, evaluations = solution.y, solution.nfev
    path = xp.asarray(np.moveaxis(y, -1, 0).reshape(times.size, *shape), dtype=x.dtype)
    with np.errstate(all="ignore"):
        values = xp.stack([objective.value_and_gradient(path[k, ...])[0] for k in range(times.size)])
        inside = xp.all(domain.contains(path), axis=0)
    status = xp.where(inside, int(Status.MAX_STEPS), xp.full(inside.shape, int(Status.LEFT_DOMAIN)))
    return Result(path[-1, ...], path, values, status, xp.full(shape[:-1], evaluations))
