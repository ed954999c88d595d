"""Conditioning of thousands of targets: what the spectrum predicts of each, and how many steps runs from some starts take."""
from collections.abc import Callable, Iterable, Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ..backend import Array, asarray, backend_of, to_numpy
from ..errors import InfogeoError, require_count
from ..families.base import ExponentialFamily
from ..families.categorical import Categorical
from ..solvers.descend import descend
from ..solvers.result import LOST
from ..solvers.step import Constant
from .blocks import in_blocks
from .discrete import GOAL
from .inputs import InputError
from .methods import METHODS
from .naming import named_family
from .problem import ForwardProblem, Problem
from .reading import TextTable, read_table
from .report import SHORT
from .spectra import spectra
from .sweep import SWEPT
from .tables import number, table
from .target import Reference, reference_of

__all__ = ["conditioning_of_many", "report_many", "targets_of_table"]

BLOCK = 100         # targets in a block: its values of every step take some 20 MB
HALVED = 60         # times; after that a start is at the target to rounding


def conditioning_of_many(family: ExponentialFamily, theta: Array, folder: str | Path, *, posed: type[Problem] = ForwardProblem,
                         starts: int = 10, seed: int = 0, longest: int = 2000, map: Callable[..., Iterable[int]] = map,
                         progress: bool = False) -> dict[str, np.ndarray]:
    """The conditioning of many targets of a family, in blocks of 100 that leave files and can be gone on with.

    Every target has its own optimal steps and its own starts: on the simplex the uniform distribution and draws of uniform
    density, elsewhere draws around it as of `Problem.starts`, halved towards it until they lie in the domain.

    Parameters
    ----------
    theta : array, shape (n, d)
    folder, map, progress
        As of `in_blocks`.
    posed : class
        `ForwardProblem` or `ReverseProblem`.
    starts, seed, longest : int
        Starts of a target beside the first; of all draws; steps after which a run is given up.

    Returns
    -------
    dict of NumPy arrays, shapes (n,)
        ``condition``; ``rate_gd_theta`` and ``rate_gd_eta`` (that of natural gradient is 2); of each of the methods gd_theta,
        gd_eta, ng_theta, ng_eta its optimal ``step_…``, and over the starts ``median_…`` and ``worst_…``, iterations to
        KL < 1e-10, infinite where a run does not get there, and ``left_…``, runs that left the domain or overflowed.

    Raises
    ------
    DomainError, ShapeError
        For targets and numbers.
    BlocksError
        Where the folder has blocks of another study.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> M = ig.Categorical(3)
    >>> theta = M.theta_from(probabilities=[[0.5, 0.3, 0.2], [0.2, 0.2, 0.6]])
    >>> with TemporaryDirectory() as folder:
    ...     found = ig.studies.conditioning_of_many(M, theta, folder, starts=1,
    ...                                             longest=50)
    >>> found["condition"].round(4), found["median_ng_eta"]
    (array([4.847 , 1.6667]), array([1., 1.]))
    """
    theta = to_numpy(family.theta_domain.require("theta", theta))
    theta = theta.reshape(-1, family.dim)
    for name, value in (("starts", starts), ("longest", longest)):
        require_count(name, value)
    setting = {"family": repr(family), "direction": posed.direction, "starts": starts, "seed": seed, "longest": longest,
               "targets": theta.shape[0], "checksum": [float(theta.sum()), float(abs(theta).sum())]}
    task = _Block(family, theta, posed, starts, seed, longest)
    return in_blocks(task, -(-theta.shape[0] // BLOCK), folder, map=map, setting=setting, progress=progress)


class _Block:
    """The task of a block; an object, which other processes can be sent."""

    def __init__(self, *given: Any) -> None:
        self.family, self.theta, self.posed, self.starts, self.seed, self.longest = given

    def __call__(self, i: int) -> dict[str, np.ndarray]:
        problem = self.posed(self.family, asarray(self.theta[i * BLOCK:(i + 1) * BLOCK]))
        s, theta0 = spectra(self.family, problem.theta), _starts(problem, np.random.default_rng([self.seed, i]), self.starts)
        found = {"condition": s.condition[0], "rate_gd_theta": s.rate[0], "rate_gd_eta": s.rate[1]}
        for name in SWEPT:
            method = METHODS[name]
            h = s.optimal_step[method.hessian]
            run = descend(method.chart.objective(problem.objective), method.chart.coordinates(self.family, theta0),
                          geometry=method.chart.manifold(self.family), update=method.update,
                          step=Constant(asarray(h, like=problem.theta)), max_steps=self.longest, tol=1e-7, record="values")
            below = to_numpy(run.values) < GOAL
            counts = np.where(below.any(axis=0), below.argmax(axis=0), np.inf)
            found |= {f"step_{name}": h, f"median_{name}": np.median(counts, axis=0), f"worst_{name}": counts.max(axis=0),
                      f"left_{name}": np.isin(to_numpy(run.status), LOST).sum(axis=0)}
        return found


def _starts(problem: Problem, rng: np.random.Generator, n: int) -> Array:
    """Shape (n + 1, targets, d)."""
    family, (m, d) = problem.family, problem.theta.shape
    if family.on_simplex:
        weight = rng.standard_exponential((n + 1, m, d + 1))
        weight[0] = 1.0
        return asarray(np.log(weight[..., :-1] / weight[..., -1:]), like=problem.theta)
    root = np.linalg.cholesky(to_numpy(family.metric(problem.theta)))
    u = rng.standard_normal((n + 1, m, d))
    u = u / np.linalg.norm(u, axis=-1, keepdims=True) * rng.random((n + 1, m, 1)) ** (1 / d)
    move = asarray(np.linalg.solve(np.swapaxes(root, -1, -2), u[..., None])[..., 0], like=problem.theta)
    xp = backend_of(move)
    for _ in range(HALVED):
        outside = ~family.theta_domain.contains(problem.theta + move)
        move = xp.where(outside[..., None], 0.5 * move, move)
    return problem.theta + move


def targets_of_table(path: str | Path, family: str | None = None, reference: Reference = None) -> tuple[ExponentialFamily, Array]:
    """The targets of a table with a row for each: ordinary parameters of a family, or probabilities or counts of outcomes.

    Parameters
    ----------
    family : str, optional
        As in `named_family`; its ordinary parameters are the columns, those of several numbers as ``mean_0``, ``mean_1``, …, row
        by row. Without it all columns are outcomes.

    Raises
    ------
    InputError

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = f"{folder}/counts.csv"
    ...     np.savetxt(path, [[1, 3], [1, 1]], delimiter=",", header="a,b",
    ...                comments="")
    ...     family, theta = ig.studies.targets_of_table(path)
    >>> family, theta[:, 0].round(4)                # log 1/3 and 0
    (Categorical(k=2, reference=1), array([-1.0986,  0.    ]))
    """
    found = read_table(path)
    if family is None:
        return _of_outcomes(path, found, reference)
    model = named_family(family)
    like = model.parameters(model.theta_domain.chart(np.zeros(model.dim)))
    ordinary = {}
    for name, example in like.items():
        shape = np.shape(to_numpy(example))
        names = [name] if shape == () else [f"{name}_{i}" for i in range(prod(shape))]
        ordinary[name] = asarray(found.columns(names).values.reshape(-1, *shape))
    try:
        return model, model.theta_from(**ordinary)
    except InfogeoError as error:
        raise InputError(f"{path}: {' '.join(str(error).split())}") from None


def _of_outcomes(path: str | Path, found: TextTable, reference: Reference) -> tuple[ExponentialFamily, Array]:
    read = found.columns(found.names)
    p, total = read.values, read.values.sum(axis=1)
    if p.shape[1] < 2:
        raise InputError(f"{path}: at least two outcomes are needed, a column for each; got {p.shape[1]}")
    bad = np.flatnonzero((p <= 0).any(axis=1))
    if bad.size:
        raise InputError(f"{path}: line {read.lines[bad[0]]}: every outcome must have a positive probability or count")
    counts = bool((p == np.floor(p)).all())
    off = np.flatnonzero(abs(total - 1.0) > 1e-9)
    if not counts and off.size:
        raise InputError(f"{path}: line {read.lines[off[0]]}: probabilities must sum to 1; these sum to {total[off[0]]:.15g}")
    chosen = reference_of(reference, p.sum(axis=0), str(path))
    family = Categorical(p.shape[1], chosen)
    return family, family.theta_from(probabilities=asarray(p / total[:, None]))


def report_many(found: Mapping[str, np.ndarray], family: ExponentialFamily) -> str:
    """The least, the median and the largest of every figure, as text."""
    named = {"condition": "condition number κ", "rate_gd_theta": "rate, gradient in θ", "rate_gd_eta": "rate, gradient in η"}
    named |= {f"median_{name}": f"steps, {SHORT[name]}" for name in SWEPT}
    rows = [(label, *(number(x, 5) for x in (found[name].min(), np.median(found[name]), found[name].max())))
            for name, label in named.items()]
    left = ", ".join(f"{SHORT[name]} {int((found[f'left_{name}'] > 0).sum())}" for name in SWEPT)
    ordered, n = int(((found["rate_gd_theta"] < 2) & (found["rate_gd_eta"] > 2)).sum()), found["condition"].size
    return table(f"{n} targets of {family!r}", ("", "least", "median", "largest"), rows, (
        "κ: the largest eigenvalue of the Fisher metric over the least; rate: KL of the flow falls as exp(−rate · t), with 2 for "
        "natural gradient; steps: iterations with the optimal step to KL < 1e-10 from the median start.",
        f"Gradient descent in θ is slower and in η faster than natural gradient at {ordered} of {n} targets. Targets of which a "
        f"run left the domain or overflowed: {left}."))
