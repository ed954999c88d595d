"""The evidence and the exact posterior, from points of a variational one: what a bound is measured by."""
from typing import Any, NamedTuple

import numpy as np

from ..arrays.joined import listed
from ..backend import Array, arrays
from ..errors import shown, takes
from ..families.base import ExponentialFamily
from ..numerics.exponentials import logsumexp
from .expectations import MonteCarloExpectation, WeightedPoints, require_values_of

__all__ = ["Reference", "reference"]


class Reference(NamedTuple):
    """The log evidence and moments of a posterior, by weights p(x, z) / q(z).

    Attributes
    ----------
    log_evidence : array, shape (...)
        log p(x), nats.
    error : array, shape (...)
        One standard error of it by draws; 0 by quadrature.
    mean, deviation : arrays, shape (..., *q.support.shape)
        Of z under the posterior.
    effective : array, shape (...)
        The share (Σ w)² / (K Σ w²) of the points that count, for draws: near 1 where q is near the posterior.

    Examples
    --------
    >>> q, log_joint = ig.Beta(), lambda z: 2 * np.log(z) + np.log1p(-z)
    >>> theta = q.theta_from(alpha=3.0, beta=2.0)   # q is the posterior
    >>> by = ig.inference.MonteCarloExpectation(50)
    >>> found = ig.inference.reference(q, theta, log_joint, by)
    >>> float(np.exp(found.log_evidence).round(6))  # B(3, 2) = 1/12
    0.083333
    >>> float(found.effective.round(6))
    1.0
    """

    log_evidence: Any
    error: Any
    mean: Any
    deviation: Any
    effective: Any


@takes(q=ExponentialFamily, by=WeightedPoints)
def reference(q: ExponentialFamily, theta: Array, log_joint: Any, by: WeightedPoints) -> Reference:
    """The posterior that q stands for, with its evidence: log E_q[p(x, z) / q(z)] by points of q.

    Parameters
    ----------
    q : ExponentialFamily
    theta : array, shape (..., q.dim)
        As found by a run on `NegativeELBO`: ``q.to_theta(run.x)``.
    log_joint : function z -> log p(x, z), or a model that is one
    by : QuadratureExpectation or MonteCarloExpectation
        The first converges fast where q is close, in few dimensions.

    Source: Geweke, Bayesian inference in econometric models using Monte Carlo integration (1989).

    Examples
    --------
    >>> q, log_joint = ig.Beta(), lambda z: 2 * np.log(z) + np.log1p(-z)
    >>> theta = q.theta_from(alpha=2.0, beta=2.0)   # near the posterior
    >>> by = ig.inference.QuadratureExpectation()
    >>> found = ig.inference.reference(q, theta, log_joint, by)
    >>> float(np.exp(found.log_evidence).round(6))  # B(3, 2) = 1/12
    0.083333
    >>> float(found.mean.round(6))                  # 3 / (3 + 2)
    0.6
    """
    if isinstance(log_joint, type) or not callable(log_joint):
        raise TypeError(f"log_joint must be a function z -> log p(x, z), or a model that is one; got {shown(log_joint)}")
    by.require(q, log_joint)
    theta = q.theta_domain.require("theta", listed(theta, log_joint))
    z, weights = by.points(q, theta)
    with np.errstate(all="ignore"):             # a node of weight 0 may be an end of the support
        xp, joint, weights, z = arrays(log_joint(z), weights, z)
        require_values_of(log_joint, joint, weights.shape, z)
        log_ratio = joint - q.log_density(theta, z)
        log_ratio = xp.where(weights > 0, log_ratio, xp.full_like(log_ratio, -np.inf))
        log_evidence = logsumexp(log_ratio + xp.log(weights), axis=0)
    ratio = xp.exp(log_ratio - log_evidence)                     # of mean 1
    share = weights * ratio
    wide = xp.reshape(share, (*share.shape, *(1,) * len(q.support.shape)))
    mean = xp.sum(wide * z, axis=0)
    deviation = xp.sqrt(xp.sum(wide * (z - mean) ** 2, axis=0))
    drawn = isinstance(by, MonteCarloExpectation)
    spread = xp.sum(weights * (ratio - 1.0) ** 2, axis=0)
    error = xp.sqrt(spread / z.shape[0]) if drawn else xp.zeros_like(spread)
    return Reference(log_evidence, error, mean, deviation, 1.0 / (1.0 + spread))
