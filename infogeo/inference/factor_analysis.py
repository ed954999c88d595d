"""Factor analysis and probabilistic principal components."""
from math import log, pi
from typing import Any

from ..arrays.joined import gathered
from ..backend import Array, arrays, backend_of
from ..domains.supports import Interval
from ..errors import ShapeError, require
from ..numerics.linalg import cholesky, inverse, matvec, outer
from ..statistics.latent import LatentModel, require_parts

__all__ = ["FactorAnalysis", "ProbabilisticPCA"]


class FactorAnalysis(LatentModel):
    """x = μ + W z + e with factors z ∼ N(0, I_k) and independent errors e_i ∼ N(0, ψ_i).

    Mathematically, given x the factors are normal with the precision I + WᵀΨ⁻¹W; the maximisation is the regression of x on
    (z, 1). The parameters are ``(mean, loadings, noise)``, shapes (p,), (p, k) and (p,).

    Shapes: x (n, p).
    Source: Rubin & Thayer, EM algorithms for ML factor analysis (1982).

    Examples
    --------
    >>> rng = np.random.default_rng(0)              # one factor of three
    >>> x = rng.standard_normal((300, 1)) * np.array([2.0, 1.0, -1.0])
    >>> x = x + 0.1 * rng.standard_normal((300, 3))
    >>> start = np.zeros(3), np.ones((3, 1)), np.ones(3)
    >>> found = ig.statistics.em(ig.inference.FactorAnalysis(), x, start,
    ...                          tol=1e-4, max_steps=100)
    >>> mean, loadings, noise = found.theta
    >>> abs(loadings[:, 0]).round(1)
    array([2., 1., 1.])
    """

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def prepared(self, x: Array, start: Any) -> tuple[Array, Any]:
        xp, x, mean, loadings, noise = gathered(x, *require_parts(start, "mean", "loadings", "noise"))
        if x.ndim != 2 or loadings.ndim != 2 or {tuple(mean.shape), tuple(noise.shape), tuple(loadings.shape[:1])} != {
                tuple(x.shape[1:])}:
            raise ShapeError("x, mean, loadings and noise must have shapes (n, p), (p,), (p, k) and (p,); got "
                             f"{', '.join(str(tuple(part.shape)) for part in (x, mean, loadings, noise))}")
        Interval(0).require("noise", noise)
        require("x", "x finite", xp.isfinite(x), x)
        return x, (mean, loadings, noise)

    def expect(self, x: Array, theta: Any) -> tuple[Array, Any]:
        """(E[z̃z̃ᵀ], E[xz̃ᵀ]) with z̃ = (z, 1), means over the sample."""
        xp, mean, loadings, noise = arrays(*theta)
        n, k = x.shape[0], loadings.shape[1]
        scaled = loadings / noise[:, None]
        precision = xp.eye(k, dtype=x.dtype) + xp.matmul(loadings.T, scaled)
        covariance, away = inverse(xp, precision), x - mean
        z = matvec(xp, covariance, xp.matmul(away, scaled))
        log_det = 2.0 * xp.sum(xp.log(xp.linalg.diagonal(cholesky(xp, precision)))) + xp.sum(xp.log(noise))
        # |e|² of the best z, and what that z costs: (x − μ)ᵀ(WWᵀ + Ψ)⁻¹(x − μ) without a difference
        left = away - xp.matmul(z, loadings.T)
        square = xp.sum(left * left / noise, axis=-1) + xp.sum(z * z, axis=-1)
        one = xp.ones((n, 1), dtype=x.dtype)
        wide = xp.concat([z, one], axis=-1)
        second = xp.matmul(wide.T, wide) / n
        pad = xp.concat([xp.concat([covariance, xp.zeros((k, 1), dtype=x.dtype)], axis=-1),
                         xp.zeros((1, k + 1), dtype=x.dtype)], axis=0)
        return -0.5 * (xp.mean(square) + log_det + x.shape[1] * log(2 * pi)), (second + pad, xp.matmul(x.T, wide) / n)

    def maximise(self, x: Array, statistics: Any) -> Any:
        second, cross = statistics
        xp = backend_of(second)
        whole = xp.matmul(cross, inverse(xp, second))
        loadings, mean = whole[:, :-1], whole[:, -1]
        away = x - mean
        # E(x − Wz − μ)² from deviations: what is left is E[(x − μ)(x − μ − W z)]
        along = cross[:, :-1] - outer(mean, second[-1, :-1])
        noise = xp.mean(away * away, axis=0) - xp.sum(loadings * along, axis=-1)
        return mean, loadings, self._noise(noise)

    def _noise(self, noise: Array) -> Array:
        return noise

    def divergence(self, x: Array, statistics: Any, new: Any, old: Any) -> Array:
        xp, mean, loadings, noise = arrays(*new)
        step = xp.concat([loadings - old[1], (mean - old[0])[:, None]], axis=-1)
        shift = xp.sum(step * xp.matmul(step, statistics[0]), axis=-1) / old[2]
        ratio = noise / old[2]
        return 0.5 * xp.sum(ratio - 1.0 - xp.log(ratio) + shift)

    def vector(self, theta: Any) -> Array:
        xp, mean, loadings, noise = arrays(*theta)
        return xp.concat([mean, xp.reshape(loadings, (-1,)), xp.log(noise)])

    def from_vector(self, vector: Array, like: Any) -> Any:
        xp, (p, k) = backend_of(vector), like[1].shape
        return vector[:p], xp.reshape(vector[p:p + p * k], (p, k)), xp.exp(vector[p + p * k:])


class ProbabilisticPCA(FactorAnalysis):
    """`FactorAnalysis` with one variance of all errors: its optimum spans the first k principal components.

    Source: Tipping & Bishop, Probabilistic principal component analysis (1999).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((300, 1)) * np.array([3.0, 4.0])
    >>> x = x + 0.1 * rng.standard_normal((300, 2))
    >>> start = np.zeros(2), np.ones((2, 1)), np.ones(2)
    >>> found = ig.statistics.em(ig.inference.ProbabilisticPCA(), x, start,
    ...                          tol=1e-4, max_steps=100)
    >>> W = found.theta[1][:, 0]                    # along the first component
    >>> abs(W / np.linalg.norm(W)).round(2)
    array([0.6, 0.8])
    """

    def _noise(self, noise: Array) -> Array:
        return backend_of(noise).mean(noise) + 0.0 * noise
