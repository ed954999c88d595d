"""Rates of the continuous-time flows: late, and over all of a trajectory."""
from dataclasses import dataclass

import numpy as np

from ..backend import Array, Namespace, backend_of, to_numpy
from ..domains.convex import ConvexDomain, MappedDomain
from ..geometry.manifolds.manifold import Riemannian
from ..objectives.affine_map import AffineMap
from ..objectives.base import Objective
from ..solvers.flow import flow
from ..solvers.update import NaturalUpdate
from .bars import Jobs
from .chart import ETA, THETA, CoordinateChart
from .effort import FULL, Effort
from .problem import Problem
from .spectrum import Spectrum

__all__ = ["EARLY", "EuclideanOn", "FLOWS", "Flow", "WhitenedManifold", "gradient_flow", "measured_flows"]

FLOWS = ("gd_theta", "natural", "gd_eta")
LARGE = 30             # dimensions: there LSODA takes half the time of BDF, from 60 on it takes 1e5 steps where BDF takes 5000
TOGETHER = 150         # numbers in the state of an integrator, whose Jacobian takes as many evaluations of the flow
EARLY = 1e-3           # nats; where Datar & Ay stop, whose rate is a slope over the whole trajectory


@dataclass(frozen=True)
class Flow:
    """The continuous-time limit of one method from several starts.

    Mathematically, a rate r is the slope of −log KL(t), fitted by least squares: `rate` late, where KL lies between the two ends
    of `window`; `early_rate` over all of the trajectory until KL first is below 1e-3. NaN for a start whose flow does not get
    there, or starts there.

    Shapes: times (records,); kl (records, starts); path (records, starts, d), in θ; rate, early_rate (starts,).
    Units: nats.

    Examples
    --------
    >>> M = ig.Bernoulli()
    >>> problem = ig.studies.ForwardProblem(M, M.theta_from(probability=0.2))
    >>> parts = ig.studies.ConditioningRun(problem, starts=1,
    ...                                    effort=ig.studies.QUICK).parts()
    >>> spectrum, flows = next(parts)[1], next(parts)[1]
    >>> for flow in flows:                          # −d log KL / dt, late
    ...     print(flow.method, flow.rate.round(1))
    gd_theta [0.3 0.3]
    natural [2. 2.]
    gd_eta [12.5 12.5]
    """

    method: str
    times: np.ndarray
    kl: np.ndarray
    path: np.ndarray
    rate: np.ndarray
    window: np.ndarray
    status: np.ndarray
    early_rate: np.ndarray


class WhitenedManifold(Riemannian):
    """A manifold in the coordinates u = A⁻¹ x in which the divergence near the target is ½|u − u_q|².

    An integrator's tolerance is then one of the distance, alike along every axis of the Hessian.

    Shapes: values (d,) and axes (d, d), the eigenvalues and the eigenvectors (in columns) of the Hessian in x;
    A = axes · values^{−1/2}.
    """

    dim: int
    nan_outside = ("theta",)                            # as far as the manifold's own formulas are

    def __init__(self, manifold: Riemannian, like: Array, values: np.ndarray, axes: np.ndarray) -> None:
        xp = backend_of(like)
        self.manifold, self.dim = manifold, manifold.dim
        self.map = AffineMap(xp.asarray(axes / np.sqrt(values), dtype=like.dtype))
        self.inverse = AffineMap(xp.asarray(np.sqrt(values)[:, None] * axes.T, dtype=like.dtype))

    @property
    def domain(self) -> ConvexDomain:
        inner = self.manifold.domain
        return MappedDomain(inner, lambda xp, x: self.inverse(x), lambda xp, u: inner.contains(self.map(u)),
                            lambda name: inner.rule(f"map({name})"))

    def _metric(self, xp: Namespace, x: Array) -> Array:
        return xp.matmul(xp.matrix_transpose(self.map.A), xp.matmul(self.manifold.metric(self.map(x)), self.map.A))

    def _sharp(self, xp: Namespace, x: Array, covector: Array) -> Array:
        return self.inverse(self.manifold.sharp(self.map(x), self.inverse.pull_back(x, covector)))


class EuclideanOn(Riemannian):
    """The Euclidean metric on a domain: its natural gradient is the gradient in the coordinates at hand."""

    dim: int
    nan_outside = ("theta",)                            # as the covectors are

    def __init__(self, domain: ConvexDomain) -> None:
        self.inside, self.dim = domain, domain.dim

    @property
    def domain(self) -> ConvexDomain:
        return self.inside

    def _metric(self, xp: Namespace, x: Array) -> Array:
        return xp.eye(self.dim, dtype=x.dtype) + 0.0 * x[..., None]

    def _sharp(self, xp: Namespace, x: Array, covector: Array) -> Array:
        return covector


class _Slope(Objective):
    """The differential of a divergence without its value, which no flow needs and which costs more than the differential."""

    rows = ()

    def __init__(self, problem: Problem) -> None:
        self.problem, self.manifold = problem, problem.family

    def value_and_gradient(self, theta: Array) -> tuple[Array, Array]:
        return 0.0 * theta[..., 0], self.problem.gradient(theta)


def measured_flows(problem: Problem, spectrum: Spectrum, theta0: Array, effort: Effort = FULL,
                   jobs: Jobs = Jobs(0)) -> tuple[Flow, ...]:
    """The flows of gradient descent in θ, of natural gradient, and of gradient descent in η, in the order of `FLOWS`.

    The natural-gradient flow does not depend on the chart; it is followed in the one where it is a straight line.

    Shapes: theta0 (starts, d), of which the first `Effort.flown` are followed, or as many as an integrator takes.
    """
    family, straight = problem.family, problem.straight
    flown = []
    geometries = (THETA, None), (straight, straight.manifold(family)), (ETA, None)
    for name, (chart, geometry) in zip(FLOWS, geometries):
        jobs.begin(f"flow: {name}")
        values, axes = spectrum.eigenvalues[chart.row], spectrum.eigenvectors[chart.row]
        flown.append(_follow(problem, name, chart, geometry, values, axes, theta0, effort))
    return tuple(flown)


def gradient_flow(problem: Problem, chart: CoordinateChart, theta0: Array, effort: Effort = FULL) -> Flow:
    """The flow of gradient descent in some coordinates, from as many starts as `measured_flows` follows.

    Shapes: theta0 (starts, d).
    """
    values, axes = np.linalg.eigh(problem.curvature * chart.metric(problem.family, problem.theta))
    return _follow(problem, chart.name, chart, None, values, axes, theta0, effort)


def _follow(problem: Problem, name: str, chart: CoordinateChart, geometry: Riemannian | None, values: np.ndarray,
            axes: np.ndarray, theta0: Array, effort: Effort) -> Flow:
    """The natural-gradient flow of a geometry, or without one the gradient flow of the coordinates.

    Both in whitened coordinates, where gradient descent is a natural gradient, too: that of a constant metric.
    """
    c = problem.curvature
    slow, fast = (2.0 * c, 2.0 * c) if geometry is not None else (2.0 * values[0], 2.0 * values[-1])
    space = WhitenedManifold(geometry or EuclideanOn(chart.manifold(problem.family).domain), problem.theta, values, axes)
    objective = chart.objective(_Slope(problem)).pulled_back(space.map)
    flown = min(effort.flown, theta0.shape[0], max(1, TOGETHER // problem.family.dim))
    u0 = space.inverse(chart.coordinates(problem.family, theta0[:flown, ...]))
    window = _window(problem, chart, values, axes, effort.late)
    method = "LSODA" if problem.family.dim <= LARGE else "BDF"           # stiff: the rates of the axes differ by κ
    for longer in (1, 3, 9, 27):                           # on a plateau some start has not come near before
        horizon = longer * 45.0 / slow                     # KL falls by e^−45, some 1e-20, once it falls at its late rate
        # the first thousandth of what the fastest axis takes: starts far away move fast
        times = np.union1d(np.linspace(0.0, horizon, longer * effort.records[0]),
                           np.geomspace(1e-3 / fast, horizon, effort.records[1]))
        result = flow(objective, u0, geometry=space, update=NaturalUpdate(), times=times, rtol=effort.tolerance,
                      atol=effort.tolerance, method=method)
        theta = chart.theta(problem.family, space.map(result.path))
        kl = to_numpy(problem.kl(theta))
        if (kl[-1] < window[0]).all():
            break
    late, early = (np.array([slope(times, column, *at) for column in kl.T])
                   for slope, at in ((_late_rate, (window,)), (_early_rate, ())))
    return Flow(name, times, kl, to_numpy(theta), late, window, to_numpy(result.status), early)


def _window(problem: Problem, chart: CoordinateChart, values: np.ndarray, axes: np.ndarray, late: float) -> np.ndarray:
    """(low, high): from `late`, or from where rounding of the coordinates is a thousandth of the distance, up by six decades."""
    x = to_numpy(chart.coordinates(problem.family, problem.theta))
    rounding = np.finfo(float).eps * (abs(axes.T) @ abs(x))           # along every axis of the Hessian
    low = max(late, 1e6 * 0.5 * float(values @ rounding**2))
    return np.array([low, 1e6 * low])


def _late_rate(times: np.ndarray, kl: np.ndarray, window: np.ndarray) -> float:
    late = (kl > window[0]) & (kl < window[1])
    if late.sum() < 10:                                    # too few for a slope
        return np.nan
    return float(-np.polyfit(times[late], np.log(kl[late]), 1)[0])


def _early_rate(times: np.ndarray, kl: np.ndarray) -> float:
    """The slope over equal times from the start until KL is `EARLY`, as of a run with a small constant step."""
    below = kl < EARLY
    if below[0] or not below.any():
        return np.nan
    k = int(below.argmax())
    logs = np.log(kl[:k + 1])
    end = times[k - 1] + (times[k] - times[k - 1]) * (logs[k - 1] - np.log(EARLY)) / (logs[k - 1] - logs[k])
    even = np.linspace(0.0, end, 1000)
    return float(-np.polyfit(even, np.interp(even, times[:k + 1], logs), 1)[0])
