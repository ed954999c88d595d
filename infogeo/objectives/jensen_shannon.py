"""The Jensen–Shannon divergence of an exponential family to a target as an objective."""
from copy import copy
from math import isfinite, log
from typing import Any

import numpy as np

from ..arrays.joined import joined
from ..arrays.kept import kept
from ..backend import Array, Namespace, asarray, backend_of, batch_contiguous
from ..errors import ShapeError
from .base import Objective
from .divergence import require_manifold

__all__ = ["JensenShannonDivergence", "jensen_shannon_terms"]


class JensenShannonDivergence(Objective):
    """f(θ) = ½ KL(p_θ‖m) + ½ KL(q‖m) with m = (p_θ + q) / 2, nats: symmetric, at most log 2.

    Mathematically, a sum over states, or nodes x of weights w: f = Σ w m k(u) with u = log(p_θ / q) and
    k(u) = (u/2) tanh(u/2) − log cosh(u/2), and df = Σ w p_θ (T − η) ½ log(2 p_θ / (p_θ + q)). Its curvature at the target is ¼.
    For all probabilities of a simplex as coordinates it is ``BhattacharyyaDistance(Simplex(k), p)``, without a sum over T.

    Parameters
    ----------
    M : ExponentialFamily
    theta_hat : array, shape (..., d)
        The target q in θ, in the domain of θ; a copy is kept.
    nodes : (x, log_weight), arrays of shapes (n, *support.shape) and (n,), optional
        Such as ``Quadrature(…).rule()``, for a family that is not one on finitely many integers: f is then as exact as the rule.

    Raises
    ------
    TypeError
        Without nodes, for a family whose support is no finite range of integers.

    Source: Lin, Divergence measures based on the Shannon entropy, IEEE Trans. Inf. Theory 37 (1991).

    Examples
    --------
    >>> M = ig.Bernoulli()
    >>> f = ig.JensenShannonDivergence(M, M.theta_from(probability=0.0001))
    >>> value, _ = f.value_and_gradient(M.theta_from(probability=0.9999))
    >>> round(float(value / np.log(2)), 3)          # bits that one draw tells
    0.999
    """

    curvature_at_target: float = 0.25

    def __init__(self, M: Any, theta_hat: Array, nodes: tuple[Array, Array] | None = None) -> None:
        self.manifold = require_manifold("JensenShannonDivergence", M, "family", "support")
        self.theta_hat = kept(batch_contiguous(M.theta_domain.require("theta_hat", theta_hat)))
        self.rows = tuple(self.theta_hat.shape[:-1])
        x, log_weight = _states(M) if nodes is None else nodes
        xp, dtype = backend_of(self.theta_hat), self.theta_hat.dtype
        x, log_weight = (xp.astype(asarray(part, like=self.theta_hat), dtype) for part in (x, log_weight))
        if x.ndim == 0 or tuple(x.shape[1:]) != tuple(M.support.shape) or tuple(log_weight.shape) != (x.shape[0],):
            raise ShapeError(f"nodes must be n observations of shape {tuple(M.support.shape)} and n log weights; got shapes "
                             f"{tuple(x.shape)} and {tuple(log_weight.shape)}")
        self.x, self.statistic = kept(x), kept(M.sufficient_statistic(x))
        self.log_weight = kept(log_weight)
        self.log_q = kept(M.log_density(self.theta_hat[..., None, :], x))

    def __repr__(self) -> str:
        return f"JensenShannonDivergence({self.manifold!r}, theta_hat of shape {tuple(self.theta_hat.shape)})"

    def part(self, rows: Any) -> Objective:
        part = copy(self)
        part.theta_hat, part.log_q = rows(self.theta_hat, 1), rows(self.log_q, 1)
        part.rows = tuple(part.theta_hat.shape[:-1])
        return part

    def _at_nodes(self, theta: Array) -> tuple[Any, Array, Array, Array, Array, Array]:
        """(xp, θ, T, w p, w m, u), of the latter three of shape (..., n)."""
        xp, theta, *kept_here = joined(theta, self.theta_hat, self.x, self.log_weight, self.log_q, self.statistic)
        theta_hat, x, log_weight, log_q, statistic = kept_here
        xp, theta, _ = self.manifold.point(theta, theta_hat)
        with np.errstate(all="ignore"):                                     # far out, where a density is 0
            log_p = self.manifold.log_density(theta[..., None, :], x)
            mass = xp.exp(log_p + log_weight)
            total = 0.5 * (mass + xp.exp(log_q + log_weight))
            u = log_p - log_q
        return xp, theta, statistic, mass, total, xp.where(total > 0, u, xp.zeros_like(u))

    def value_and_gradient(self, theta: Array) -> tuple[Array, Array]:
        xp, theta, statistic, mass, total, u = self._at_nodes(theta)
        share = mass * _half_log_share(xp, u)
        value = xp.sum(total * jensen_shannon_terms(u), axis=-1)
        mean = xp.matmul(share[..., None, :], statistic)[..., 0, :]
        return value, mean - xp.sum(share, axis=-1, keepdims=True) * self.manifold.to_eta(theta)

    def hessian(self, theta: Array) -> Array:
        """Σ w p (f′ + ½ / (1 + e^u)) (T − η)(T − η)ᵀ − G Σ w p f′ with f′ = ½ log(2 / (1 + e^{−u})), shape (..., d, d)."""
        xp, theta, statistic, mass, _, u = self._at_nodes(theta)
        slope = _half_log_share(xp, u)
        with np.errstate(over="ignore"):
            weight = mass * (slope + 0.5 / (1.0 + xp.exp(u)))
        centred = statistic - self.manifold.to_eta(theta)[..., None, :]
        spread = xp.matmul(xp.matrix_transpose(centred), weight[..., None] * centred)
        return spread - xp.sum(mass * slope, axis=-1)[..., None, None] * self.manifold.metric(theta)


def _half_log_share(xp: Namespace, u: Array) -> Array:
    """½ log(2 / (1 + e^{−u}))."""
    return 0.5 * (log(2.0) - xp.logaddexp(xp.zeros_like(u), -u))


def jensen_shannon_terms(u: Array) -> Array:
    """v tanh v − log cosh v at v = u/2; far out log 2 − 2v / (e^{2v} + 1) − log(1 + e^{−2v}), which does not overflow."""
    xp = backend_of(u)
    size = xp.abs(u)
    decay, half = xp.exp(-size), 0.5 * xp.where(size < 2.0, size, xp.zeros_like(size))
    near = half * xp.tanh(half) - 0.5 * xp.log1p(xp.sinh(half) ** 2)
    far = log(2.0) - size * decay / (1.0 + decay) - xp.log1p(decay)
    return xp.where(size < 2.0, near, far)


def _states(M: Any) -> tuple[Array, Array]:
    """All states of a family on finitely many integers, and log weights of 0."""
    ends = getattr(M.support, "lower", -np.inf), getattr(M.support, "upper", np.inf)
    if M.support.shape != () or not all(map(isfinite, ends)) or M.support.contains(ends[0] + 0.5):
        raise TypeError(f"{M!r} has no finite range of integers as its support: pass nodes=(x, log_weight), such as "
                        "Quadrature(…).rule()")
    x = np.arange(ends[0], ends[1] + 1.0)
    return x, np.zeros(x.shape)
