"""Methods with a constant step: contraction factors and iterations, predicted and counted."""
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..backend import Array, backend_of, to_numpy
from ..solvers.descend import descend
from ..solvers.step import Constant
from .bars import Jobs
from .effort import FULL
from .methods import METHODS, Method
from .problem import Problem
from .spectrum import Spectrum

__all__ = ["Discrete", "discrete"]

GOAL = 1e-10           # nats
NEAR = 1e-5            # Riemannian distance at which contraction is measured


@dataclass(frozen=True)
class Discrete:
    """Every method with its optimal step, from every start.

    Mathematically, `contraction` is the factor (KL_n / KL_0)^{1/2n} of one step, from a point near the target that lies between
    the two extreme axes of the Hessian; `iterations` is the first k with KL_k < `goal`.

    Shapes: methods as in `METHODS` first; iterations (methods, starts), −1 where a run does not get there in `longest` steps;
    status (methods, starts), the `Status` of each run.

    Examples
    --------
    >>> M = ig.Bernoulli()
    >>> problem = ig.studies.ForwardProblem(M, M.theta_from(probability=0.2))
    >>> few = ig.studies.Effort(flown=1, tolerance=1e-6, records=(5, 5),
    ...                         longest=50, noisy_runs=2, averaged=2,
    ...                         noisy_steps=50, pooled=1000)
    >>> found = ig.studies.conditioning(problem, starts=1, steps=3,
    ...                                 effort=few).discrete
    >>> i = found.methods.index("md_theta")         # h = 1 solves KL(q‖p)
    >>> float(found.step[i]), found.iterations[i]
    (1.0, array([1, 1]))
    """

    methods: tuple[str, ...]
    step: np.ndarray
    predicted: np.ndarray
    contraction: np.ndarray
    iterations: np.ndarray
    status: np.ndarray
    goal: float = GOAL
    longest: int = FULL.longest


def discrete(problem: Problem, spectrum: Spectrum, theta0: Array, longest: int = FULL.longest, jobs: Jobs = Jobs(0)) -> Discrete:
    """The `Discrete` of a problem; theta0 (starts, d)."""
    step = np.array([spectrum.optimal_step[m.hessian] for m in METHODS.values()])
    predicted = np.array([spectrum.contraction[m.hessian] for m in METHODS.values()])
    contraction, iterations, status = [], [], []
    for method, h in zip(METHODS.values(), step):
        run = partial(descend, method.chart.objective(problem.objective), geometry=method.chart.manifold(problem.family),
                      update=method.update, step=Constant(float(h)), record="values")
        n = _steps_to_watch(spectrum.contraction[method.hessian])
        kl = to_numpy(run(_near(problem, spectrum, method), max_steps=n).values)
        contraction.append((kl[-1] / kl[0]) ** (0.5 / n))
        x0 = method.chart.coordinates(problem.family, theta0)
        told = jobs.begin(f"optimal step: {method.label}", longest)
        result = run(x0, max_steps=longest, tol=1e-7, callbacks=told)      # 1e−7: KL about 5e−15
        below = to_numpy(result.values) < GOAL
        iterations.append(np.where(below.any(axis=0), below.argmax(axis=0), -1))
        status.append(to_numpy(result.status).astype(int))
    return Discrete(tuple(METHODS), step, predicted, np.array(contraction), np.stack(iterations), np.stack(status), GOAL,
                    longest)


def _steps_to_watch(contraction: float) -> int:
    """Enough for the error to fall by 1e−6, at most 200; a method that contracts at once is watched for one step."""
    if contraction < 1e-6:                  # two steps would end in rounding
        return 1
    return int(np.clip(np.ceil(np.log(1e-6) / np.log(contraction)), 1, 200))


def _near(problem: Problem, spectrum: Spectrum, method: Method) -> Array:
    """The target moved along the first and the last axis of the Hessian, by `NEAR` in the Riemannian norm along each."""
    chart = method.chart
    values, axes = spectrum.eigenvalues[chart.row], spectrum.eigenvectors[chart.row]
    move = axes[:, 0] / np.sqrt(values[0])
    if values.size > 1:
        move = move + axes[:, -1] / np.sqrt(values[-1])
    x = chart.coordinates(problem.family, problem.theta)
    return x + backend_of(x).asarray(NEAR * move, dtype=x.dtype)
