"""Linear regression with an unknown variance, as a mean field of two factors."""
from collections.abc import Callable
from math import log, pi
from typing import Any

import numpy as np

from ..arrays.joined import gathered
from ..backend import Array, Namespace, backend_of, dot, to_numpy
from ..errors import ShapeError, require
from ..families.gamma import Gamma
from ..families.multivariate_normal import MultivariateNormal
from ..families.product import Product
from ..numerics.exponentials import logsumexp
from ..numerics.linalg import eigh
from ..numerics.packing import pack
from .conjugate_model import ConjugateModel
from .predictive import Ask, Predictive, new_inputs, normal_quantile
from .reference import Reference
from .regression import require_one

__all__ = ["LinearRegression"]


class LinearRegression(ConjugateModel):
    """y_i ∼ N(x_i·w, 1/τ) with w ∼ N(0, I/prior_precision) and τ ∼ Γ(shape, rate): q is N(m, S) Γ(a, b), the mean field.

    Mathematically, ℓ = ½ n (E log τ − log 2π) − ½ E[τ] (|y|² − 2 yᵀX m + tr(XᵀX E[wwᵀ])), linear in the η of either factor.

    Parameters
    ----------
    X : array, shape (n, p)
    y : array, shape (n,)
    prior_precision, shape, rate : float
        Positive.

    Examples
    --------
    >>> X, y = np.ones((5, 1)), np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    >>> model = ig.inference.LinearRegression(X, y, prior_precision=0.01)
    >>> model.exact().mean.round(3)                 # of the weight, and of τ
    array([2.982, 0.5  ])
    """

    def __init__(self, X: Array, y: Array, prior_precision: float, shape: float = 1.0, rate: float = 1.0) -> None:
        xp, X, y = gathered(X, y)
        if X.ndim != 2 or y.ndim != 1 or X.shape[0] != y.shape[0] or 0 in X.shape:
            raise ShapeError(f"X must have shape (n, p) and y shape (n,); got {tuple(X.shape)} and {tuple(y.shape)}")
        p = int(X.shape[1])
        weights, eye = MultivariateNormal(p), xp.eye(p, dtype=X.dtype)
        tau, shape, rate = require_one(prior_precision=prior_precision, shape=shape, rate=rate)
        prior = xp.concat([weights.theta_from(mean=0.0 * eye[0, :], covariance=eye / tau),
                           Gamma().theta_from(shape=shape + 0.0 * eye[0, 0], rate=rate + 0.0 * eye[0, 0])])
        data = xp.concat([X, y[:, None]], axis=-1)
        require("X and y", "X and y finite", xp.all(xp.isfinite(data), axis=-1), data)
        super().__init__(Product(weights, Gamma()), prior, self._expected_log_likelihood, data)

    def exact(self) -> Reference:
        """Evidence and moments of (w, τ) under the exact posterior, by quadrature of log τ.

        Mathematically, given τ the weights are normal with the precision λI + τ XᵀX, λ the prior's, and with XᵀX = V diag(s) Vᵀ
        and c = VᵀXᵀy, log p(y | τ) = ½ (n log(τ/2π) + Σ log(λ / (λ + τ s_j)) − τ (|y|² − τ Σ c_j² / (λ + τ s_j))).
        """
        xp = backend_of(self.x)
        X, y = self.x[:, :-1], self.x[:, -1]
        s, V = eigh(xp, xp.matmul(X.T, X))
        seen = s > s.shape[0] * float(xp.finfo(s.dtype).eps) * xp.max(s)     # of more weights than observations some are 0
        s, c = (xp.where(seen, part, xp.zeros_like(s)) for part in (s, xp.matmul(xp.matmul(y, X), V)))
        fitted = xp.where(seen, c / xp.where(seen, s, xp.ones_like(s)), c)      # |y|² = |y − X w|² + Σ s_j w_j² of least squares
        left, square = xp.sum((y - xp.matmul(X, xp.matmul(V, fitted))) ** 2), s * fitted * fitted
        found = self.q.parameters(self.prior_theta)
        lam, shape, rate = 1.0 / found["covariance_0"][0, 0], found["shape_1"], found["rate_1"]

        def log_joint(t: Array) -> Array:
            tau, wide = xp.exp(t), xp.exp(t)[:, None]
            rest = left + xp.sum(lam * square / (lam + wide * s), axis=-1)      # without a difference, of any τ
            fit = xp.sum(xp.log(lam / (lam + wide * s)), axis=-1) - tau * rest
            return 0.5 * (self.n * (t - log(2 * pi)) + fit) + shape * t - rate * tau

        t = _support(xp, log_joint, X)
        value = log_joint(t)
        level = logsumexp(value)
        share, tau = xp.exp(value - level), xp.exp(t)
        wide = tau[:, None]
        means = xp.matmul(wide * c / (lam + wide * s), V.T)
        variances = xp.matmul(1.0 / (lam + wide * s), (V * V).T)
        mean = xp.concat([xp.matmul(share, means), xp.sum(share * tau)[None]])
        spread = xp.concat([variances + (means - mean[:-1]) ** 2, ((tau - mean[-1]) ** 2)[:, None]], axis=-1)
        evidence = level + xp.log(t[1] - t[0]) + shape * xp.log(rate) - xp.gammaln(shape)
        return Reference(evidence, 0.0 * evidence, mean, xp.sqrt(xp.matmul(share, spread)), 1.0 + 0.0 * evidence)

    def predicted(self, q: Any, theta: Array, X: Any, ask: Ask) -> Predictive:
        """What `predictive` says at X (n, p): E y = x·m, Var y = E[1/τ] + xᵀSx, and the interval of the normal x·w."""
        self.require_family(q)
        p = self.x.shape[-1] - 1
        xp, X = new_inputs(X, p, theta)
        found = q.parameters(theta)
        mean, S, shape, rate = (found[name] for name in ("mean_0", "covariance_0", "shape_1", "rate_1"))
        center = xp.matmul(mean, X.T)
        spread = xp.sum(xp.matmul(X, S) * X, axis=-1)
        noise = xp.where(shape > 1, rate / xp.where(shape > 1, shape - 1.0, xp.ones_like(shape)), xp.full_like(shape, xp.inf))
        half, observed = normal_quantile(ask.level) * xp.sqrt(spread), None
        if ask.draws:
            z = q.sample(ask.rng, theta, (ask.draws,))
            a, tau = xp.matmul(z[..., :p], X.T), z[..., p:]
            observed = a + xp.asarray(ask.rng.standard_normal(a.shape), dtype=a.dtype) / xp.sqrt(tau)
        return Predictive(center, xp.sqrt(noise[..., None] + spread), center - half, center + half, observed)

    @staticmethod
    def _expected_log_likelihood(eta: Array, x: Array) -> tuple[Array, Array]:
        xp, n = backend_of(eta), x.shape[0]
        X, y = xp.asarray(x[:, :-1], dtype=eta.dtype), xp.asarray(x[:, -1], dtype=eta.dtype)
        of_w, log_tau, tau = eta[..., :-2], eta[..., -2], eta[..., -1:]
        message = xp.concat([xp.matmul(y, X), -0.5 * pack(xp.matmul(X.T, X))])
        squares = 0.5 * xp.sum(y * y) - dot(of_w, message + 0.0 * of_w)
        value = 0.5 * n * (log_tau - float(np.log(2 * np.pi))) - tau[..., 0] * squares
        return value, xp.concat([tau * message, 0.5 * n + 0.0 * tau, -squares[..., None]], axis=-1)


def _support(xp: Namespace, log_density: Callable[[Array], Array], like: Array) -> Array:
    """2001 points t, evenly apart, that hold all of a density on the line but e⁻⁶⁰ of its height: ends come closer six times."""
    low, high = -80.0, 80.0
    for _ in range(6):
        t = xp.asarray(np.linspace(low, high, 2001), dtype=like.dtype)
        value = log_density(t)
        value = xp.where(xp.isfinite(value), value, xp.full_like(value, -xp.inf))
        high_enough = np.flatnonzero(to_numpy(value >= xp.max(value) - 60.0))
        grid = np.linspace(low, high, 2001)
        low, high = float(grid[max(high_enough[0] - 1, 0)]), float(grid[min(high_enough[-1] + 1, 2000)])
    return t
