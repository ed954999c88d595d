"""Soft clustering: the EM algorithm for mixtures of any exponential family."""
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..arrays.sums import average
from ..arrays.weights import shares
from ..backend import Array, arrays, coerced, generator_of
from ..domains.supports import Interval
from ..errors import takes
from ..families.base import ExponentialFamily
from ..geometry.centroids.kmeans import bregman_kmeans, kmeans_plus_plus
from .latent import em
from .mixture_model import MixtureModel, log_joint, observations

__all__ = ["Mixture", "fit_mixture", "log_joint", "mixture_start"]


class Mixture(NamedTuple):
    """A mixture Σ_j w_j p(x; θ_j), and how it was found.

    Attributes
    ----------
    theta : array, shape (k, d)
    weights : array, shape (k,)
        Positive, of sum 1.
    values : array, shape (steps + 1,)
        The objective of `fit_mixture` before the first step and after each, which never falls; nats per observation.
    converged : bool
        Whether the last step raised it by at most `tol`.

    Examples
    --------
    >>> x, theta = [0.0, 1.0, 1.0, 2.0, 8.0, 9.0, 11.0], np.log([[1.0], [5.0]])
    >>> found = ig.statistics.fit_mixture(ig.Poisson(), x, theta, [0.5, 0.5],
    ...                                   tol=1e-9, max_steps=99)
    >>> found.converged, found.weights.round(2)
    (True, array([0.57, 0.43]))
    """

    theta: Any
    weights: Any
    values: Any
    converged: bool


@takes(ExponentialFamily)
def fit_mixture(family: ExponentialFamily, x: Array, theta: Array, weights: Array, *, tol: float, max_steps: int,
                prior_count: float = 0.0) -> Mixture:
    """The mixture of members of a family that locally maximises the likelihood of a sample, by the EM algorithm.

    Mathematically, with the responsibilities r_ij ∝ w_j p(x_i; θ_j), each step sets w_j = mean of r_ij and η_j = Σ_i r_ij
    T(x_i) / Σ_i r_ij: soft clustering of the T(x_i) with the Bregman divergence of φ. With m = `prior_count` the second is (m
    η̄ + Σ_i r_ij T(x_i)) / (m + Σ_i r_ij), η̄ the mean of T(x_i): each component has seen m more observations that look like
    the whole sample, and the objective is Σ_i log p(x_i) + m Σ_j (η̄·θ_j − ψ(θ_j)), over n.

    Parameters
    ----------
    family : ExponentialFamily
    x : array, shape (n, *support.shape)
    theta, weights : arrays, shapes (k, d) and (k,)
        Where to start, for instance from `mixture_start`; the weights positive.
    tol : float
        Ends when a step raises the objective, in nats per observation, by at most this.
    max_steps : int
    prior_count : float
        m, not negative. At 0 the likelihood of some families has no maximum: a component that closes in on one point.

    Raises
    ------
    DomainError
        For an observation outside the support, or when a component has closed in on the boundary of the family.
    ShapeError

    Source: Dempster, Laird & Rubin, J. R. Statist. Soc. B 39 (1977); Banerjee, Merugu, Dhillon & Ghosh, JMLR 6 (2005), section 5.

    Examples
    --------
    >>> x, theta = [0.0, 1.0, 1.0, 2.0, 8.0, 9.0, 11.0], np.log([[1.0], [5.0]])
    >>> found = ig.statistics.fit_mixture(ig.Poisson(), x, theta, [0.5, 0.5],
    ...                                   tol=1e-9, max_steps=99)
    >>> np.exp(found.theta[:, 0]).round(2), found.weights.round(2)
    (array([1.  , 9.28]), array([0.57, 0.43]))
    """
    model = MixtureModel(family, prior_count)
    x, (theta, weights) = model.prepared(x, (theta, weights))
    x, theta, back = _centred(family, x, theta)
    found = em(model, x, (theta, weights), tol=tol, max_steps=max_steps)
    return Mixture(back(found.theta[0]), found.theta[1], found.values, found.converged)


@takes(ExponentialFamily)
def mixture_start(family: ExponentialFamily, x: Array, k: int, rng: np.random.Generator,
                  max_steps: int = 20) -> tuple[Array, Array]:
    """``(θ, weights)`` to start `fit_mixture` from, shapes (k, d) and (k,): clusters of single observations.

    Mathematically, each observation stands as the member of the family with η = ½ T(x_i) + ½ η̄, η̄ the mean of T: an inner
    point also where T(x_i) itself lies on the boundary. These are clustered by `kmeans_plus_plus` and `bregman_kmeans`; an
    empty cluster counts as one of a single observation.

    Parameters
    ----------
    family : ExponentialFamily
    x : array, shape (n, *support.shape)
    k : int
    rng : numpy.random.Generator, or CuPy's
    max_steps : int
        Of `bregman_kmeans`.

    Raises
    ------
    DomainError
        Where the family has no maximum-likelihood estimate from the whole sample.

    Examples
    --------
    >>> M, rng = ig.Poisson(), np.random.default_rng(0)
    >>> x = [0.0, 1.0, 1.0, 2.0, 8.0, 9.0, 11.0]
    >>> theta, weights = ig.statistics.mixture_start(M, x, 2, rng)
    >>> np.sort(weights * 7).round(9)  # the sizes of two clusters
    array([3., 4.])
    """
    rng = generator_of(rng)
    xp, x = coerced(x)
    x, _, back = _centred(family, observations(family, x))
    mean = family.to_eta(family.fit(x))
    points = family.to_theta(0.5 * family.sufficient_statistic(x) + 0.5 * mean)
    found = bregman_kmeans(family, points, kmeans_plus_plus(family, points, k, rng), max_steps=max_steps)
    counts = xp.sum(xp.astype(found.labels == xp.arange(k)[:, None], x.dtype), axis=-1)
    counts = xp.maximum(counts, xp.ones_like(counts))
    return back(found.centers), counts / xp.sum(counts)


def _centred(family: ExponentialFamily, x: Array, theta: Array = None) -> tuple[Array, Array, Callable[[Array], Array]]:
    """Observations less their mean, members moved with them, and how members move back; as they are where no mean moves with x.

    A parameter `mean` of a family on all of R^p is one: θ and η of the normal families lose the digits that x has far from 0.
    """
    places = family.ordinary.get("mean")
    if places is None or family.support != Interval() and (family.support != places or isinstance(places, Interval)):
        return x, theta, lambda theta: theta
    xp, x = arrays(x)
    centre = average(xp, shares(x, None, x.shape[:1])[1], x)

    def moved(theta: Array, by: Array) -> Array:
        ordinary = family.parameters(theta)
        return family.theta_from(**(ordinary | {"mean": ordinary["mean"] + by}))

    return x - centre, None if theta is None else moved(theta, -centre), lambda theta: moved(theta, centre)
