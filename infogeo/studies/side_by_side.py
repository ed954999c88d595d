"""Gradient descent in smooth charts of a family, side by side: what the metric of each predicts, and what runs show."""
from dataclasses import dataclass

import numpy as np

from ..backend import Array, backend_of, to_numpy
from ..errors import require_positive
from ..objectives.affine_map import AffineMap
from ..solvers.descend import descend
from ..solvers.step import Constant
from ..solvers.update import GradientUpdate
from .bars import Jobs
from .chart import ETA, THETA, CoordinateChart, MappedChart
from .discrete import GOAL
from .effort import Effort
from .problem import Problem
from .rates import EuclideanOn, Flow, gradient_flow
from .spectrum import Spectrum

__all__ = ["InChart", "affine_charts", "in_charts"]


@dataclass(frozen=True)
class InChart:
    """Gradient descent in one chart: its flow, and runs with the optimal constant step 2/(λ_min + λ_max).

    Shapes: eigenvalues (d,) of the Hessian, ascending; flow as `Flow`; iterations (starts,), the first k with KL_k < 1e-10, −1
    where a run does not get there; status (starts,).

    Examples
    --------
    >>> M = ig.Bernoulli()
    >>> problem = ig.studies.ForwardProblem(M, M.theta_from(probability=0.2))
    >>> few = ig.studies.Effort(flown=1, tolerance=1e-6, records=(5, 5),
    ...                         longest=50)
    >>> run = ig.studies.ConditioningRun(problem, starts=1, affine=3.0,
    ...                                  effort=few)
    >>> for name, part in run.parts():
    ...     if name == "charts":
    ...         break
    >>> [round(float(chart.rate), 6) for chart in part]       # 2c and 2/c
    [6.0, 0.666667]
    """

    method: str
    eigenvalues: np.ndarray
    condition: float
    rate: float
    step: float
    contraction: float
    flow: Flow
    iterations: np.ndarray
    status: np.ndarray


def affine_charts(problem: Problem, spectrum: Spectrum, c: float) -> tuple[MappedChart, MappedChart]:
    """The affine charts θ' = (G/c)^½ θ and η' = (G/c)^−½ η, in which the Hessian at the target is c I and I/c.

    Raises
    ------
    DomainError
        Where c is not a positive number.

    Source: Datar & Ay (2025).

    Examples
    --------
    >>> M = ig.Categorical(3)
    >>> theta = M.theta_from(probabilities=[0.5, 0.3, 0.2])
    >>> problem = ig.studies.ForwardProblem(M, theta)
    >>> charts = ig.studies.affine_charts(problem, ig.studies.spectrum(problem),
    ...                                   3.0)
    >>> for chart in charts:                        # G is 3 I, and I / 3
    ...     print(np.diag(chart.metric(M, theta)).round(4))
    [3. 3.]
    [0.3333 0.3333]
    """
    require_positive("affine", c)
    values, axes = spectrum.eigenvalues[THETA.row] / problem.curvature, spectrum.eigenvectors[THETA.row]
    xp = backend_of(problem.theta)
    roots = ((axes * np.sqrt(factor)) @ axes.T for factor in (c / values, values / c))
    to_theta, to_eta = (AffineMap(xp.asarray(root, dtype=problem.theta.dtype)) for root in roots)
    return MappedChart(f"θ′, c = {c:g}", to_theta, THETA), MappedChart(f"η′, c = {c:g}", to_eta, ETA)


def in_charts(problem: Problem, charts: tuple[CoordinateChart, ...], theta0: Array, effort: Effort,
              jobs: Jobs = Jobs(0)) -> tuple[InChart, ...]:
    """An `InChart` for each chart: flows from the first `effort.flown` starts, runs from all of theta0, shape (starts, d)."""
    return tuple(_in_chart(problem, chart, theta0, effort, jobs) for chart in charts)


def _in_chart(problem: Problem, chart: CoordinateChart, theta0: Array, effort: Effort, jobs: Jobs) -> InChart:
    family = problem.family
    values = np.linalg.eigvalsh(problem.curvature * chart.metric(family, problem.theta))
    low, high = float(values[0]), float(values[-1])
    h, condition = 2.0 / (low + high), high / low
    # tol: the gradient's length in these coordinates, below which KL is at most 5e−15
    run = descend(chart.objective(problem.objective), chart.coordinates(family, theta0), update=GradientUpdate(),
                  step=Constant(h), geometry=EuclideanOn(chart.manifold(family).domain), max_steps=effort.longest,
                  tol=1e-7 * low ** 0.5, record="values", callbacks=jobs.begin(f"chart {chart.name}", effort.longest))
    below = to_numpy(run.values) < GOAL
    jobs.begin(f"flow in chart {chart.name}")
    return InChart(chart.name, values, condition, 2.0 * low, h, (condition - 1.0) / (condition + 1.0),
                   gradient_flow(problem, chart, theta0, effort),
                   np.where(below.any(axis=0), below.argmax(axis=0), -1), to_numpy(run.status).astype(int))
