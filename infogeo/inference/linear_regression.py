"""Linear regression with an unknown variance, as a mean field of two factors."""
from typing import Any

import numpy as np

from ..backend import Array, arrays, backend_of, dot
from ..errors import ShapeError, require, require_positive
from ..families.gamma import Gamma
from ..families.multivariate_normal import MultivariateNormal
from ..families.product import Product
from ..numerics.packing import pack
from .conjugate_model import ConjugateModel
from .predictive import Ask, Predictive, new_inputs, normal_quantile

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
    """

    def __init__(self, X: Array, y: Array, prior_precision: float, shape: float = 1.0, rate: float = 1.0) -> None:
        xp, X, y = arrays(X, y)
        if X.ndim != 2 or y.ndim != 1 or X.shape[0] != y.shape[0] or 0 in X.shape:
            raise ShapeError(f"X must have shape (n, p) and y shape (n,); got {tuple(X.shape)} and {tuple(y.shape)}")
        p = int(X.shape[1])
        weights, eye = MultivariateNormal(p), xp.eye(p, dtype=X.dtype)
        tau = require_positive("prior_precision", prior_precision)
        prior = xp.concat([weights.theta_from(mean=0.0 * eye[0, :], covariance=eye / tau),
                           Gamma().theta_from(shape=shape + 0.0 * eye[0, 0], rate=rate + 0.0 * eye[0, 0])])
        data = xp.concat([X, y[:, None]], axis=-1)
        require("X and y", "X and y finite", xp.all(xp.isfinite(data), axis=-1), data)
        super().__init__(Product(weights, Gamma()), prior, self._expected_log_likelihood, data)

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
