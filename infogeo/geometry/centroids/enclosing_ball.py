"""Smallest enclosing balls. Axis 0 of the points is the sample, further axes are a batch of samples."""
from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ...backend import Array, Namespace, to_numpy
from ...errors import takes
from ...numerics.interior_point import minimize_within
from ..manifolds.manifold import DuallyFlat
from .centroid import sample

__all__ = ["EnclosingBall", "badoiu_clarkson", "enclosing_ball"]


class EnclosingBall(NamedTuple):
    """A ball, and what holds it in place.

    Attributes
    ----------
    center : array, shape (..., d)
    radius : array, shape (...)
        max_i D(p_i‖center), nats.
    weights : array, shape (n, ...)
        Of sum 1: the center is the right centroid with these; a point inside the ball has none.

    Examples
    --------
    >>> points = np.array([[0.0, 0.0], [2.0, 0.0], [1.0, 0.5]])
    >>> ball = ig.enclosing_ball(ig.Euclidean(2), points)
    >>> ball.center.round(6), ball.weights.round(6)  # one point is inside
    (array([1., 0.]), array([0.5, 0.5, 0. ]))
    """

    center: Any
    radius: Any
    weights: Any


@takes(DuallyFlat)
def enclosing_ball(M: DuallyFlat, theta: Array) -> EnclosingBall:
    """The smallest ball {p : D(p‖c) ≤ r} that holds all points, in a family the information radius.

    Mathematically, min over c of max_i D(p_i‖c) = max over w of Σ w_i D(p_i‖c_w), c_w the right centroid: the capacity of the
    channel whose rows are the p_i, with w the input distribution that attains it. In θ it is the convex problem

        minimise ψ(θ) + r  subject to  φ(η_i) − η_i·θ ≤ r,

    solved by an interior-point method on a few of the points, to which the farthest is added until none lies outside. For the
    other order, max_i D(c‖p_i), pass ``M.dual`` and the η_i.

    Parameters
    ----------
    M : DuallyFlat
    theta : array, shape (n, ..., d)

    Returns
    -------
    EnclosingBall

    Raises
    ------
    DomainError, ShapeError, ConvergenceError

    Source: Nielsen & Nock, On the smallest enclosing information disk, Inf. Process. Lett. 105 (2008); Cover & Thomas, Elements
    of Information Theory (2006), section 13.1, for the equality.

    Examples
    --------
    >>> M = ig.Bernoulli()  # a binary symmetric channel
    >>> ball = ig.enclosing_ball(M, M.theta_from(probability=[0.1, 0.9]))
    >>> float(ball.radius.round(4))  # its capacity, log 2 − H(0.1)
    0.3681
    """
    xp, theta, _ = sample(M, theta)
    n, batch = theta.shape[0], theta.shape[1:-1]
    size = prod(batch)
    points = xp.moveaxis(xp.reshape(theta, (n, size, M.dim)), 0, 1)                # (rows, n, d)
    eta = M.to_eta(points)
    base = M.to_theta(xp.mean(eta, axis=1))
    far = _farthest(xp, M, points, base)
    chosen = xp.stack([far, _farthest(xp, M, points, _pick(xp, points, far[:, None])[:, 0, :])], axis=1)
    # Two points at one distance from the centre differ by its rounding: the ball is done when none is farther by more than that.
    room = 1.0 + 100 * float(xp.finfo(theta.dtype).eps)
    only: Callable[..., list[Array]] = lambda which, *xs: [xp.take(x, xp.asarray(np.flatnonzero(which)), axis=0) for x in xs]
    rows, numbers, solved = np.arange(size), [], []        # those that still run; those that are done, with their balls
    while rows.size:
        center, multipliers = _ball_of_few(xp, M, _pick(xp, points, chosen), _pick(xp, eta, chosen))
        divergence = M.divergence(points, center[:, None, :])
        radius, far = xp.max(divergence, axis=1), xp.argmax(divergence, axis=1)
        done = to_numpy(~(radius > room * xp.max(xp.take_along_axis(divergence, chosen, axis=1), axis=1)))
        numbers.append(rows[done])
        solved.append(only(done, center, radius, _spread(xp, multipliers, chosen, n)))
        chosen, rows = xp.concat([chosen, far[:, None]], axis=1), rows[~done]
        points, eta, chosen = only(~done, points, eta, chosen)
    order = xp.asarray(np.argsort(np.concatenate(numbers)))
    center, radius, weights = (xp.take(xp.concat(list(group), axis=0), order, axis=0) for group in zip(*solved))
    return EnclosingBall(xp.reshape(center, (*batch, M.dim)), xp.reshape(radius, batch),
                         xp.reshape(xp.moveaxis(weights, 1, 0), (n, *batch)))


@takes(DuallyFlat)
def badoiu_clarkson(M: DuallyFlat, theta: Array, steps: int) -> Array:
    """A center near that of the enclosing ball, shape (..., d): in each step it moves towards the farthest point.

    Mathematically, η_{t+1} = (t η_t + η_f) / (t + 1), f = argmax_i D(p_i‖c_t), from the first point; the excess radius falls
    like 1/t.

    Parameters
    ----------
    M : DuallyFlat
    theta : array, shape (n, ..., d)
    steps : int

    Raises
    ------
    DomainError, ShapeError

    Source: Badoiu & Clarkson, Optimal core-sets for balls, Comput. Geom. 40 (2008); Nock & Nielsen, Fitting the smallest
    enclosing Bregman ball, ECML (2005).

    Examples
    --------
    >>> points = np.array([[0.0, 0.0], [2.0, 0.0], [1.0, 0.5]])
    >>> ig.badoiu_clarkson(ig.Euclidean(2), points, steps=500).round(2)
    array([1., 0.])
    """
    xp, theta, _ = sample(M, theta)
    points = xp.moveaxis(theta, 0, -2)
    eta = M.to_eta(points)
    center = eta[..., 0, :]
    for t in range(1, steps + 1):
        far = _farthest(xp, M, points, M.to_theta(center))
        center = (t * center + _pick(xp, eta, far[..., None])[..., 0, :]) / (t + 1)
    return M.to_theta(center)


def _farthest(xp: Namespace, M: DuallyFlat, points: Array, center: Array) -> Array:
    """argmax_i D(p_i‖c), shapes (..., n, d) and (..., d) to (...)."""
    return xp.argmax(M.divergence(points, center[..., None, :]), axis=-1)


def _pick(xp: Namespace, points: Array, index: Array) -> Array:
    """The points of these numbers, shapes (..., n, d) and (..., k) to (..., k, d)."""
    return xp.take_along_axis(points, xp.broadcast_to(index[..., None], (*index.shape, points.shape[-1])), axis=-2)


def _spread(xp: Namespace, multipliers: Array, chosen: Array, n: int) -> Array:
    """Multipliers of chosen points as weights of all n, of sum 1, shapes (rows, k) twice to (rows, n)."""
    weights = sum(multipliers[:, j:j + 1] * xp.astype(xp.arange(n) == chosen[:, j:j + 1], multipliers.dtype)
                  for j in range(chosen.shape[1]))
    return weights / xp.sum(weights, axis=1, keepdims=True)


def _ball_of_few(xp: Namespace, M: DuallyFlat, points: Array, eta: Array) -> tuple[Array, Array]:
    """(center, multipliers) of the ball that holds these points, shapes (rows, k, d).

    With a point c₀ among them, θ = c₀ + δ and d_i = D(p_i‖c₀) the problem is: minimise D(c₀‖θ) + r subject to
    d_i − δ·(η_i − η₀) ≤ r, in which nothing cancels where the points are near; in units of the largest d_i and η_i − η₀.
    """
    d, k, dtype = M.dim, points.shape[1], points.dtype
    base = M.to_theta(xp.mean(eta, axis=1))
    eta_0 = M.to_eta(base)
    positive: Callable[[Array], Array] = lambda x: xp.where(x > 0, x, xp.ones_like(x))
    gap, distance = eta - eta_0[:, None, :], M.divergence(points, base[:, None, :])
    height, reach = positive(xp.max(distance, axis=1)), positive(xp.max(xp.abs(gap), axis=(1, 2)))
    theta: Callable[[Array], Array] = lambda x: base + (height / reach)[:, None] * x[:, :d]
    slack = 1.0 + (xp.max(distance, axis=1, keepdims=True) - distance) / height[:, None]
    one, last = xp.ones((points.shape[0], 1), dtype=dtype), xp.asarray([0.0] * d + [1.0], dtype=dtype)

    def hessian(x: Array) -> Array:
        curved = (height / reach**2)[:, None, None] * M.metric(theta(x))
        return xp.concat([xp.concat([curved, xp.zeros_like(curved[:, :1, :])], axis=1),
                          xp.zeros((points.shape[0], d + 1, 1), dtype=dtype)], axis=2)

    x, multipliers = minimize_within(
        xp, (1.0 + xp.max(distance, axis=1) / height)[:, None] * last, name="enclosing_ball",
        value=lambda x: M.divergence(base, theta(x)) / height + x[:, d],
        gradient=lambda x: xp.concat([(M.to_eta(theta(x)) - eta_0) / reach[:, None], one], axis=1),
        hessian=hessian, contains=lambda x: M.domain.contains(theta(x)),
        slack=slack, multipliers=xp.full_like(slack, 1.0 / k),
        normals=xp.concat([-gap / reach[:, None, None], -xp.ones_like(gap[..., :1])], axis=2),
        scale=(1.0 + xp.max(xp.abs(eta_0), axis=1) / reach, xp.ones_like(height)))
    return theta(x), multipliers
