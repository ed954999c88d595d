"""Hard and soft clustering as estimators of scikit-learn."""
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from ..arrays.from_any_library import FromAnyLibrary
from ..backend import Array
from ..errors import from_extra
from ..families.base import ExponentialFamily
from ..families.diagonal_normal import DiagonalNormal
from ..geometry.centroids.kmeans import bregman_kmeans, kmeans_plus_plus
from ..geometry.manifolds.euclidean import Euclidean
from ..geometry.manifolds.manifold import DuallyFlat
from ..numerics.exponentials import logsumexp
from ..statistics.mixtures import fit_mixture, log_joint, mixture_start

with from_extra("the estimators need scikit-learn", "clustering"):
    from sklearn.base import BaseEstimator, ClusterMixin, DensityMixin, TransformerMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import check_is_fitted, validate_data

__all__ = ["BregmanKMeans", "FamilyMixture"]


class BregmanKMeans(FromAnyLibrary, TransformerMixin, ClusterMixin, BaseEstimator):       # type: ignore[misc]
    """k clusters with the least sum of Bregman divergences B_F(x_i : c) to the mean of the cluster.

    Parameters
    ----------
    n_clusters : int
    generator : callable (number of features) -> DuallyFlat
        The manifold whose potential is F and whose primal coordinates are the rows of X: `Euclidean` gives k-means,
        `NegativeEntropy` the Kullback–Leibler divergence of positive counts, `Burg` the Itakura–Saito divergence.
    n_init : int
        Runs from different starts, of which the best is kept.
    max_iter : int
    random_state : int, numpy.random.RandomState or None

    Attributes
    ----------
    cluster_centers_, labels_, inertia_, n_iter_, n_features_in_

    Source: Banerjee, Merugu, Dhillon & Ghosh, Clustering with Bregman divergences, JMLR 6 (2005).

    Examples
    --------
    >>> X = [[1.0], [2.0], [10.0], [12.0]]  # by the Itakura–Saito divergence
    >>> best = ig.clustering.BregmanKMeans(2, generator=ig.Burg, random_state=0)
    >>> np.sort(best.fit(X).cluster_centers_[:, 0])
    array([ 1.5, 11. ])
    """

    def __init__(self, n_clusters: int = 8, *, generator: Callable[[int], DuallyFlat] = Euclidean, n_init: int = 1,
                 max_iter: int = 300, random_state: Any = None) -> None:
        self.n_clusters = n_clusters
        self.generator = generator
        self.n_init = n_init
        self.max_iter = max_iter
        self.random_state = random_state

    def fit(self, X: Array, y: Any = None) -> Self:
        """Find the centers; `y` is there for pipelines and not used."""
        X = validate_data(self, X, dtype=[np.float64, np.float32])
        k = self.n_clusters
        if not 1 <= k <= X.shape[0]:
            raise ValueError(f"n_clusters must be in 1 ... n_samples; got n_clusters={k} and n_samples={X.shape[0]}")
        M = _of_width("generator", self.generator, X.shape[1]).dual
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        points = M.dual.to_eta(M.dual.domain.require("X", X))            # B_F(x : c) = D(x*‖c*) on the dual, whose η is x
        starts = np.stack([kmeans_plus_plus(M, points, k, rng) for _ in range(self.n_init)])
        found = bregman_kmeans(M, points, starts, max_steps=self.max_iter)
        best = int(np.argmin(found.values[-1]))
        self.cluster_centers_ = M.to_eta(found.centers[best])
        self.labels_, self.inertia_, self.n_iter_ = found.labels[best], float(found.values[-1][best]), len(found.values) - 1
        return self

    def transform(self, X: Array) -> Array:
        """B_F(x_i : c_j), shape (n, k)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        M = _of_width("generator", self.generator, X.shape[1])
        return M.divergence(self.cluster_centers_, M.domain.require("X", X)[:, None, :])

    def predict(self, X: Array) -> Array:
        """The number of the nearest center, shape (n,)."""
        return np.argmin(self.transform(X), axis=1)

    def score(self, X: Array, y: Any = None) -> float:
        """−Σ_i min_j B_F(x_i : c_j)."""
        return -float(np.sum(np.min(self.transform(X), axis=1)))

    @property
    def _n_features_out(self) -> int:
        return int(self.cluster_centers_.shape[0])


class FamilyMixture(FromAnyLibrary, DensityMixin, BaseEstimator):         # type: ignore[misc]
    """A mixture of members of an exponential family, by the EM algorithm.

    Parameters
    ----------
    n_components : int
    family : callable (number of features) -> ExponentialFamily
        Of distributions of a row of X; with one feature also of numbers.
    prior_count : float
        As of `fit_mixture`: how many observations like the whole sample each component has seen in addition.
    tol, max_iter : float, int
        As of `fit_mixture`.
    random_state : int, numpy.random.RandomState or None

    Attributes
    ----------
    theta_, weights_, family_, values_, converged_, n_iter_, labels_, n_features_in_

    Source: Dempster, Laird & Rubin, J. R. Statist. Soc. B 39 (1977); Banerjee, Merugu, Dhillon & Ghosh, JMLR 6 (2005).

    Examples
    --------
    >>> X = np.array([0.0, 1.0, 1.0, 2.0, 8.0, 9.0, 11.0])[:, None]
    >>> def counts(features):
    ...     return ig.Independent(ig.Poisson(), features)
    >>> found = ig.clustering.FamilyMixture(2, family=counts, random_state=0)
    >>> np.sort(np.exp(found.fit(X).theta_[:, 0])).round(2)  # the rates
    array([1.  , 9.28])
    """

    def __init__(self, n_components: int = 1, *, family: Callable[[int], ExponentialFamily] = DiagonalNormal,
                 prior_count: float = 0.0, tol: float = 1e-8, max_iter: int = 1000, random_state: Any = None) -> None:
        self.n_components = n_components
        self.family = family
        self.prior_count = prior_count
        self.tol = tol
        self.max_iter = max_iter
        self.random_state = random_state

    def fit(self, X: Array, y: Any = None) -> Self:
        """Find the components; `y` is there for pipelines and not used."""
        X = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=2)
        self.family_ = _of_width("family", self.family, X.shape[1])
        x, rng = self._rows(X), np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        start = mixture_start(self.family_, x, self.n_components, rng)
        found = fit_mixture(self.family_, x, *start, tol=self.tol, max_steps=self.max_iter, prior_count=self.prior_count)
        self.theta_, self.weights_, self.values_, self.converged_ = found
        self.n_iter_, self.labels_ = len(self.values_) - 1, np.argmax(self._log_joint(X), axis=1)
        return self

    def _rows(self, X: Array) -> Array:
        return X[:, 0] if self.family_.support.shape == () and X.shape[1] == 1 else X

    def _log_joint(self, X: Array) -> Array:
        return log_joint(self.family_, self._rows(X), self.theta_, np.log(self.weights_)).T

    def _joint_of(self, X: Array) -> Array:
        check_is_fitted(self)
        return self._log_joint(validate_data(self, X, dtype=[np.float64, np.float32], reset=False))

    def predict_proba(self, X: Array) -> Array:
        """The responsibilities, shape (n, k)."""
        joint = self._joint_of(X)
        return np.exp(joint - logsumexp(joint, axis=1)[:, None])

    def predict(self, X: Array) -> Array:
        """The number of the most probable component, shape (n,)."""
        return np.argmax(self._joint_of(X), axis=1)

    def score_samples(self, X: Array) -> Array:
        """log p(x_i), shape (n,), nats."""
        return logsumexp(self._joint_of(X), axis=1)

    def score(self, X: Array, y: Any = None) -> float:
        """The mean of log p(x_i), nats."""
        return float(np.mean(self.score_samples(X)))


def _of_width(name: str, make: Any, p: int) -> Any:
    """What a class or function makes for rows of p numbers. Raises TypeError for what is made already."""
    if not callable(make):
        raise TypeError(f"{name} must be a class or a function (features) -> object, such as {type(make).__name__}; got {make!r}")
    return make(p)
