"""Integrals over the support of a family, as sums."""
from collections.abc import Callable
from typing import Any

import numpy as np

from ..backend import Array
from ..domains.convex import RealSpace
from ..domains.supports import Integers, Interval, SimplexPoints
from ..families.base import ExponentialFamily
from ..families.von_mises import VonMises

__all__ = ["expectation_nodes"]

Nodes = tuple[Array, Array, Array | None]
POINTS = {1: 4001, 2: 601, 3: 81}     # of the trapezoidal rule on an axis, by the dimension of the support


def expectation_nodes(M: ExponentialFamily, theta: Array, x: Array) -> Nodes | None:
    """``(points, log_weights, every_other)`` of the support for integrals against the density at θ; None where it allows none.

    Integers are counted, until the probability of the last 16 is lost in rounding. Elsewhere it is the trapezoidal rule in
    unconstrained coordinates u, which converges exponentially for smooth densities; it covers the mean of the sample x and 16
    standard deviations to each side, and is given up where something is left at the ends. A family whose density has a kink names
    it, as `kink`: each side of it is a support of its own. Angles have a period instead of ends. `every_other` marks the points
    of the rule of twice the step, by which its error is judged, on one axis; it is None elsewhere.
    """
    if type(M.support) is Integers:
        return _counts(M, theta, x)
    if isinstance(M, VonMises):
        n = POINTS[1] - 1
        return np.linspace(-np.pi, np.pi, n, endpoint=False), np.full(n, np.log(2 * np.pi / n)), np.arange(n) % 2 == 0
    if not hasattr(M, "kink"):
        return _grid(M, theta, x, M.support)
    left, right = (_grid(M, theta, x[side.contains(x)], side) for side in (Interval(upper=M.kink), Interval(M.kink)))
    if left is None or right is None:
        return None
    return tuple(map(np.concatenate, zip(left, right)))     # type: ignore[return-value]


def _grid(M: ExponentialFamily, theta: Array, x: Array, support: Any) -> Nodes | None:
    """The nodes in the unconstrained coordinates of a support, or of a part of it."""
    change = _coordinates(support)
    if change is None:
        return None
    to_u, from_u = change
    u = to_u(x).reshape(len(x), -1)
    dim = u.shape[1]
    axes = [np.linspace(m - 16 * s, m + 16 * s, POINTS[dim]) for m, s in zip(u.mean(0), u.std(0))]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, dim)
    points, log_jacobian = from_u(grid)
    points = points.reshape(len(grid), *support.shape)
    log_weight = log_jacobian + sum(np.log(axis[1] - axis[0]) for axis in axes)
    inside = support.contains(points)               # far out a coordinate may underflow, or the sum be rounded
    at_end = np.any([(grid[:, i] == axis[0]) | (grid[:, i] == axis[-1]) for i, axis in enumerate(axes)], axis=0) & inside
    if np.sum(np.exp(M.log_density(theta, points[at_end]) + log_weight[at_end])) > 1e-10:
        return None
    every_other = (np.arange(len(grid)) % 2 == 0)[inside] if dim == 1 else None
    return points[inside], log_weight[inside], every_other


def _counts(M: ExponentialFamily, theta: Array, x: Array) -> Nodes | None:
    support: Any = M.support
    lower, upper = support.lower, support.upper
    last = upper if np.isfinite(upper) else np.max(x) + 200
    while True:
        points = np.arange(lower, last + 1.0)
        if last == upper or np.sum(np.exp(M.log_density(theta, points[-16:]))) < 1e-15:
            return points, np.zeros(points.shape), None
        if last > 1e5:
            return None                             # a heavy tail
        last = 2 * last


def _coordinates(support: Any) -> tuple[Callable[[Array], Array], Callable[[Array], tuple[Array, Array]]] | None:
    """``(to_u, from_u)`` of a support: unconstrained coordinates and back, with the logarithm of the Jacobian."""
    if isinstance(support, SimplexPoints) and support.k <= 4:

        def from_u(u: Array) -> tuple[Array, Array]:    # dx_1 … dx_{k−1} = x_1 … x_k du
            full = np.concatenate([u, np.zeros((len(u), 1))], axis=-1)
            log_p = full - np.logaddexp.reduce(full, axis=-1)[:, None]
            return np.exp(log_p), np.sum(log_p, axis=-1)

        return lambda x: np.log(x[:, :-1] / x[:, -1:]), from_u
    if type(support) is RealSpace and support.dim <= 3:
        return lambda x: x, lambda u: (u, np.zeros(len(u)))
    if not isinstance(support, Interval):
        return None
    a, b = support.lower, support.upper
    if np.isinf(a) and np.isinf(b):
        return lambda x: x, lambda u: (u, np.zeros(len(u)))
    if np.isinf(b):                                 # x = a + e^u
        return lambda x: np.log(x - a), lambda u: (a + np.exp(u[:, 0]), u[:, 0])
    if np.isinf(a):
        return lambda x: np.log(b - x), lambda u: (b - np.exp(u[:, 0]), u[:, 0])
    span = b - a                                    # x = a + (b − a) / (1 + e^{−u})
    return (lambda x: np.log((x - a) / (b - x)),
            lambda u: (a + span / (1 + np.exp(-u[:, 0])), np.log(span) - np.logaddexp(0, u[:, 0]) - np.logaddexp(0, -u[:, 0])))
