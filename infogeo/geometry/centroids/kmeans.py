"""Hard clustering with Bregman divergences."""
from typing import Any, NamedTuple

import numpy as np

from ...arrays.weights import shares
from ...backend import Array, Namespace, arrays, generator_of
from ...domains.base import Domain
from ...errors import ShapeError, require, takes
from ..manifolds.manifold import DuallyFlat

__all__ = ["BregmanClusters", "bregman_kmeans", "kmeans_plus_plus"]


class BregmanClusters(NamedTuple):
    """Clusters of n points.

    Attributes
    ----------
    centers : array, shape (..., k, d)
    labels : integer array, shape (..., n)
    values : array, shape (rounds, ...)
        Σ_i w_i D(p_i‖its center) at the start of each round, which never rises; nats.
    converged : bool
        Whether no point changed its cluster in the last round.

    Examples
    --------
    >>> M = ig.Poisson()
    >>> theta = M.theta_from(rate=[1.0, 2.0, 10.0, 12.0])
    >>> found = ig.bregman_kmeans(M, theta, theta[:2], max_steps=20)
    >>> found.labels, found.values.round(3)
    (array([0, 0, 1, 1]), array([19.595,  1.483,  0.261]))
    """

    centers: Any
    labels: Any
    values: Any
    converged: bool


@takes(DuallyFlat)
def bregman_kmeans(M: DuallyFlat, theta: Array, centers: Array, weights: Array | None = None, *,
                   max_steps: int) -> BregmanClusters:
    """Clusters that locally minimise Σ_i w_i D(p_i‖c), c the nearest center, by rounds of assignment and right centroids.

    Mathematically, p_i goes to argmin_j D(p_i‖c_j), and η_{c_j} becomes the mean of the η_i of its points; a center without
    points stays. The loss of information Σ w_i D(p_i‖c_i) and that between the centers sum to the Bregman information of all
    points.

    Parameters
    ----------
    M : DuallyFlat
    theta : array, shape (n, d)
    centers : array, shape (..., k, d)
        Where to start, for instance from `kmeans_plus_plus`; a batch is as many runs.
    weights : array, shape (n,), optional
        Not negative; 1 each where they are not given.
    max_steps : int
        Most rounds; ends earlier when no point changes its cluster.

    Raises
    ------
    DomainError, ShapeError

    Source: Banerjee, Merugu, Dhillon & Ghosh, Clustering with Bregman divergences, JMLR 6 (2005), algorithm 1.

    Examples
    --------
    >>> M = ig.Poisson()
    >>> theta = M.theta_from(rate=[1.0, 2.0, 10.0, 12.0])
    >>> found = ig.bregman_kmeans(M, theta, theta[[0, 3]], max_steps=20)
    >>> M.to_eta(found.centers).round(6)
    array([[ 1.5],
           [11. ]])
    """
    theta, centers = _points(M, theta), _members(M).require("centers", centers)
    if centers.ndim < 2:
        raise ShapeError(f"centers must have shape (..., k, {M.dim}); got {tuple(centers.shape)}")
    w = _weights(theta, weights)
    xp, theta, centers, w = arrays(theta, centers, w)
    eta, numbers = M.to_eta(theta), xp.arange(centers.shape[-2])
    values: list[Array] = []
    labels, converged = None, False
    for _ in range(max_steps + 1):
        divergence = M.divergence(theta, centers[..., :, None, :])                    # (..., k, n)
        before, labels = labels, xp.argmin(divergence, axis=-2)
        values.append(xp.sum(w * xp.min(divergence, axis=-2), axis=-1))
        converged = before is not None and bool(xp.all(labels == before))
        if converged or len(values) > max_steps:
            break
        share = w * xp.astype(labels[..., None, :] == numbers[:, None], theta.dtype)
        mass = xp.sum(share, axis=-1, keepdims=True)
        filled = mass > 0
        mean = xp.matmul(share, eta) / xp.where(filled, mass, xp.ones_like(mass))
        kept = M.to_eta(centers)
        centers = xp.where(filled, M.to_theta(xp.where(filled, mean, kept)), centers)
    return BregmanClusters(centers, labels, xp.stack(values), converged)


@takes(DuallyFlat)
def kmeans_plus_plus(M: DuallyFlat, theta: Array, k: int, rng: np.random.Generator, weights: Array | None = None) -> Array:
    """k of the points to start `bregman_kmeans` from, shape (k, d), each drawn with probability ∝ w_i min_j D(p_i‖c_j).

    Parameters
    ----------
    M : DuallyFlat
    theta : array, shape (n, d)
    k : int
        At most n.
    rng : numpy.random.Generator, or CuPy's
    weights : array, shape (n,), optional
        Not negative; 1 each where they are not given.

    Raises
    ------
    DomainError, ShapeError

    Source: Arthur & Vassilvitskii, k-means++, SODA (2007); Nock, Luosto & Kivinen, Mixed Bregman clustering with approximation
    guarantees, ECML (2008).

    Examples
    --------
    >>> M = ig.Poisson()
    >>> theta = M.theta_from(rate=[1.0, 1.0, 50.0, 50.0])
    >>> start = ig.kmeans_plus_plus(M, theta, 2, np.random.default_rng(0))
    >>> np.sort(M.to_eta(start), axis=0).round(6)  # far from each other
    array([[ 1.],
           [50.]])
    """
    rng = generator_of(rng)
    theta = _points(M, theta)
    xp, theta, w = arrays(theta, _weights(theta, weights))
    require("k", f"1 <= k <= {theta.shape[0]}, the number of points", 1 <= k <= theta.shape[0], k)
    index = [_draw(xp, rng, w)]
    for _ in range(k - 1):
        chosen = xp.take(theta, xp.asarray(index), axis=0)
        nearest = w * xp.min(M.divergence(theta, chosen[:, None, :]), axis=0)
        infinite = xp.isinf(nearest)            # of a point that none of the chosen laws allows: these come first
        nearest = xp.where(infinite, w, xp.zeros_like(w)) if xp.any(infinite) else nearest
        index.append(_draw(xp, rng, nearest if xp.any(nearest > 0) else w))           # fewer than k different points
    return xp.take(theta, xp.asarray(index), axis=0)


def _draw(xp: Namespace, rng: np.random.Generator, weight: Array) -> int:
    """A number 0 … n − 1 with probabilities proportional to these weights."""
    cumulative = xp.cumulative_sum(weight)
    return int(xp.sum(xp.astype(cumulative <= float(rng.random()) * cumulative[-1], xp.int64)))


def _members(M: DuallyFlat) -> Domain:
    """Where the points lie: the laws on the boundary of a family among them, such as counts with zeros."""
    return getattr(M, "theta_closure") if M.has_limits else M.domain


def _points(M: DuallyFlat, theta: Array) -> Array:
    theta = _members(M).require("theta", theta)
    if theta.ndim != 2 or theta.shape[0] == 0:
        raise ShapeError(f"theta must have shape (n, {M.dim}), n >= 1; got {tuple(theta.shape)}")
    return theta


def _weights(theta: Array, weights: Array) -> Array:
    """The weights of n points, 1 each where none are given."""
    if weights is None:
        xp, theta = arrays(theta)
        return xp.ones_like(theta[:, 0])
    shares(theta, weights, theta.shape[:1])             # the checks
    return weights
