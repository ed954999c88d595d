"""Rates of the continuous-time flows, measured late."""
from dataclasses import dataclass

import numpy as np

from ..backend import Array, Namespace, backend_of, to_numpy
from ..domains.convex import ConvexDomain, MappedDomain
from ..geometry.manifolds.manifold import Riemannian
from ..objectives.affine_map import AffineMap
from ..solvers.flow import flow
from ..solvers.update import NaturalUpdate
from .chart import ETA, THETA, FlatChart
from .problem import Problem
from .spectrum import NATURAL, Spectrum

__all__ = ["FLOWS", "Flow", "WhitenedManifold", "measured_flows"]

FLOWS = ("gd_theta", "natural", "gd_eta")
LATE = 1e-16           # the rate is fitted where LATE < KL < 1e6 LATE: earlier windows mix several modes
RECORDS = 401, 160     # of a flow, evenly spaced over all of it and geometrically until `SHOWN`: enough for lines and slopes
SHOWN = 14.0           # until here, where a natural-gradient flow has lost twelve digits, every flow is recorded finely


@dataclass(frozen=True)
class Flow:
    """The continuous-time limit of one method from several starts.

    Mathematically, the rate r is the slope of −log KL(t), fitted where KL lies between the two ends of `window`; NaN for a start
    whose flow does not get there.

    Shapes: times (records,); kl (records, starts); path (records, starts, d), in θ; rate (starts,).
    Units: nats.
    """

    method: str
    times: np.ndarray
    kl: np.ndarray
    path: np.ndarray
    rate: np.ndarray
    window: np.ndarray
    status: np.ndarray


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


class _Flat(Riemannian):
    """The Euclidean metric on the domain of another manifold's chart: its natural gradient is the gradient of that chart."""

    dim: int
    nan_outside = ("theta",)                            # as the covectors are

    def __init__(self, manifold: Riemannian) -> None:
        self.manifold, self.dim = manifold, manifold.dim

    @property
    def domain(self) -> ConvexDomain:
        return self.manifold.domain

    def _metric(self, xp: Namespace, x: Array) -> Array:
        return xp.eye(self.dim, dtype=x.dtype) + 0.0 * x[..., None]

    def _sharp(self, xp: Namespace, x: Array, covector: Array) -> Array:
        return covector


def measured_flows(problem: Problem, spectrum: Spectrum, theta0: Array) -> tuple[Flow, ...]:
    """The flows of gradient descent in θ, of natural gradient, and of gradient descent in η, in the order of `FLOWS`.

    The natural-gradient flow does not depend on the chart; it is followed in the one where it is a straight line.

    Shapes: theta0 (starts, d).
    """
    family = problem.family
    natural = problem.straight.manifold(family)
    chosen = (THETA, _Flat(family), THETA.row), (problem.straight, natural, NATURAL), (ETA, _Flat(family.dual), ETA.row)
    return tuple(_follow(problem, name, *flowing, spectrum, theta0) for name, flowing in zip(FLOWS, chosen))


def _follow(problem: Problem, name: str, chart: FlatChart, geometry: Riemannian, hessian: int, spectrum: Spectrum,
            theta0: Array) -> Flow:
    """The flow in whitened coordinates, where even gradient descent is a natural gradient: that of a constant metric."""
    space = WhitenedManifold(geometry, problem.theta, spectrum.eigenvalues[chart.row], spectrum.eigenvectors[chart.row])
    objective = chart.objective(problem.objective).pulled_back(space.map)
    u0 = space.inverse(chart.coordinates(problem.family, theta0))
    window = _window(problem, spectrum, chart)
    horizon = 45.0 / spectrum.rate[hessian]                # KL falls by e^−45, some 1e-20, once it falls at its late rate
    for _ in range(4):
        times = np.union1d(np.linspace(0.0, horizon, RECORDS[0]),
                           np.geomspace(1e-4 * horizon, min(SHOWN, horizon), RECORDS[1]))
        result = flow(objective, u0, geometry=space, update=NaturalUpdate(), times=times,
                      rtol=1e-11, atol=1e-11, method="LSODA")             # stiff: the rates of the axes differ by κ
        kl = to_numpy(result.values)
        if (kl[-1] < window[0]).all():
            break
        horizon = 3.0 * horizon                            # a plateau: some start has not come near yet
    path = to_numpy(chart.theta(problem.family, space.map(result.path)))
    rate = np.array([_late_rate(times, kl[:, i], window) for i in range(kl.shape[1])])
    return Flow(name, times, kl, path, rate, window, to_numpy(result.status))


def _window(problem: Problem, spectrum: Spectrum, chart: FlatChart) -> np.ndarray:
    """(low, high): from `LATE`, or from where rounding of the coordinates is a thousandth of the distance, up by six decades."""
    x, axes = to_numpy(chart.coordinates(problem.family, problem.theta)), spectrum.eigenvectors[chart.row]
    rounding = np.finfo(float).eps * (abs(axes.T) @ abs(x))           # along every axis of the Hessian
    low = max(LATE, 1e6 * 0.5 * float(spectrum.eigenvalues[chart.row] @ rounding**2))
    return np.array([low, 1e6 * low])


def _late_rate(times: np.ndarray, kl: np.ndarray, window: np.ndarray) -> float:
    late = (kl > window[0]) & (kl < window[1])
    if late.sum() < 10:                                    # too few for a slope
        return np.nan
    return float(-np.polyfit(times[late], np.log(kl[late]), 1)[0])
