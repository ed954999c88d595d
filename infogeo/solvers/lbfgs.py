"""A baseline: the quasi-Newton method L-BFGS of SciPy, from the same start and with the same record as a run."""
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import minimize

from ..backend import Array, backend_of, dot, to_numpy
from ..errors import require_count, require_tolerance
from ..objectives.function import as_objective, require_pair
from .result import Result, Status
from .start import start
from .update import GradientUpdate

__all__ = ["lbfgs"]


def lbfgs(objective: Any, x0: Array, *, geometry: Any = None, max_steps: int, tol: float | None = None,
          memory: int = 10) -> Result:
    """Minimise by L-BFGS, row by row, in the chart of the domain: what a method for the problem at hand has to beat.

    Mathematically, quasi-Newton steps with strong Wolfe line searches on u ↦ f(chart(u)), the chart being R^d where every vector
    is a point. Values and points are those of the accepted steps; a step asks for one value and gradient or a few.

    Parameters
    ----------
    objective, x0, geometry
        As in `descend`; the objective takes one point, x of shape (d,), and is not drawn.
    max_steps : int
    tol : float, optional
        A row has converged where the Riemannian norm of the gradient √(c·G⁻¹c) is at most `tol`; without one, |c|.
    memory : int
        Pairs of vectors that are kept.

    Returns
    -------
    Result
        CONVERGED by `tol`; STALLED where the line search finds no step that lowers the value; else MAX_STEPS.

    Raises
    ------
    DomainError, ShapeError
        For x0; DomainError for `max_steps` or `memory` below 1 and a negative `tol`.
    TypeError
        For an objective without values, or with a batch of its own.

    Source: Liu & Nocedal, On the limited memory BFGS method for large scale optimization (1989), as in `scipy.optimize.minimize`.

    Examples
    --------
    >>> def rosenbrock(x):
    ...     a, b = 1 - x[0], x[1] - x[0]**2
    ...     return a**2 + 100 * b**2, [-2 * a - 400 * x[0] * b, 200 * b]
    >>> ig.lbfgs(rosenbrock, [-1.2, 1.0], max_steps=100, tol=1e-8).x.round(6)
    array([1., 1.])
    """
    objective, bare = as_objective(objective), geometry is None
    if not getattr(objective, "valued", True) or getattr(objective, "rows", None):
        raise TypeError(f"lbfgs takes an objective with one value at a point; {objective!r} has "
                        f"{'none' if not getattr(objective, 'valued', True) else f'a batch of shape {objective.rows}'}")
    require_count("max_steps", max_steps)
    require_count("memory", memory)
    if tol is not None:
        require_tolerance(tol)
    geometry, x, _ = start(objective, x0, geometry, GradientUpdate())
    xp, batch = backend_of(x), tuple(x.shape[:-1])

    def small(x: Array, covector: Array) -> bool:
        """Whether the gradient is, there."""
        return tol is not None and bool(dot(covector, covector if bare else geometry.sharp(x, covector)) <= tol * tol)

    with np.errstate(all="ignore"):
        runs = [_run(objective, geometry.domain.chart, x[(*row, ...)], small, max_steps, memory) for row in np.ndindex(batch)]
    length = max((len(values) for _, values, _ in runs), default=1)
    points = [_padded(points, length) for points, _, _ in runs]
    path = xp.asarray(np.reshape(np.stack(points, axis=1) if points else [], (length, *x.shape)), dtype=x.dtype)
    values = xp.asarray(np.reshape([_padded(values, length) for _, values, _ in runs], (*batch, length)), dtype=x.dtype)
    status = xp.asarray(np.reshape([int(status) for _, _, status in runs], batch).astype(int))
    steps = xp.asarray(np.reshape([len(values) - 1 for _, values, _ in runs], batch).astype(int))
    return Result(path[-1, ...], path, xp.moveaxis(values, -1, 0), status, steps)


def _run(objective: Any, chart: Any, x: Array, small: Callable[[Array, Array], bool], max_steps: int,
         memory: int) -> tuple[list[Any], list[float], Status]:
    """The points and values of one row, and how it ended."""
    xp, points, values = backend_of(x), [], []

    def seen(u: Any) -> tuple[Array, float, Array]:
        x = chart(xp.asarray(u))
        value, covector = require_pair(objective, objective.value_and_gradient(x))
        return x, float(value), xp.asarray(covector, dtype=x.dtype)

    def f(u: Any) -> tuple[float, Any]:
        _, value, covector = seen(u)
        return value, to_numpy(chart.pull_back(xp.asarray(u), covector)).astype(float)

    def accepted(u: Any) -> None:
        x, value, covector = seen(u)
        points.append(to_numpy(x))
        values.append(value)
        if small(x, covector):
            raise StopIteration

    first = to_numpy(chart.inverse(x)).astype(float)
    try:
        accepted(first)
    except StopIteration:
        return points, values, Status.CONVERGED
    options = {"maxiter": max_steps, "maxcor": memory, "ftol": 0.0, "gtol": 0.0, "maxfun": 100 * max_steps}
    found = minimize(f, first, jac=True, method="L-BFGS-B", callback=lambda u: accepted(u), options=options)
    if small(*seen(found.x)[::2]):
        return points, values, Status.CONVERGED
    return points, values, Status.MAX_STEPS if len(values) - 1 == max_steps else Status.STALLED


def _padded(records: list[Any], length: int) -> Any:
    """The records of a row that ended, which keeps its last."""
    return np.stack(records + records[-1:] * (length - len(records)))
