"""Exponents of the errors of hypothesis tests. Points are primal coordinates of the manifold that comes first."""
import numpy as np

from ...backend import Array, arrays
from ...errors import ShapeError, takes
from ..connections.geodesic import e_geodesic
from ..manifolds.manifold import DuallyFlat
from .chernoff import chernoff_information

__all__ = ["bayes_error_exponent", "hoeffding_exponents"]


@takes(DuallyFlat)
def bayes_error_exponent(M: DuallyFlat, theta: Array) -> Array:
    """The best exponent of the error with which n → ∞ observations tell several simple hypotheses apart, shape (...), nats.

    Mathematically, −(1/n) log P(error) → min over pairs of the Chernoff information, whatever the positive prior probabilities.

    Shapes: θ (m, ..., d), the m ≥ 2 hypotheses on axis 0.
    Raises: ShapeError; DomainError for a point outside the domain.
    Source: Leang & Johnson, On the asymptotics of M-hypothesis Bayesian detection, IEEE Trans. Inf. Theory 43 (1997).

    Examples
    --------
    >>> M = ig.NormalKnownVariance(1.0)
    >>> theta = M.theta_from(mean=[0.0, 2.0, 10.0])
    >>> float(ig.bayes_error_exponent(M, theta).round(6))  # 2² / 8
    0.5
    """
    xp, theta = arrays(M.domain.require("theta", theta))
    if theta.ndim < 2 or theta.shape[0] < 2:
        raise ShapeError(f"theta must have an axis of at least two hypotheses first; got shape {tuple(theta.shape)}")
    first, second = (xp.asarray(index) for index in np.triu_indices(theta.shape[0], 1))
    pairs = chernoff_information(M, xp.take(theta, first, axis=0), xp.take(theta, second, axis=0))
    return xp.min(pairs.value, axis=0)


@takes(DuallyFlat)
def hoeffding_exponents(M: DuallyFlat, theta_p: Array, theta_q: Array, t: Array) -> Array:
    """The exponents of the two errors of the likelihood-ratio tests between p and q, ``(D(r‖p), D(r‖q))``, shapes (...), nats.

    Mathematically, r is the point at time t of the e-geodesic from p to q: the test that decides for q where the sample is
    nearer to it than r errs with exponent D(r‖p) under p and D(r‖q) under q, and no test has a greater second one for the same
    first. At t = 0 it is Stein's lemma; where both are equal they are the Chernoff information.

    Shapes: θ_p, θ_q (..., d); t (...) in [0, 1].
    Source: Hoeffding, Asymptotically optimal tests for multinomial distributions, Ann. Math. Statist. 36 (1965); Blahut, IEEE
    Trans. Inf. Theory 20 (1974).

    Examples
    --------
    >>> M = ig.NormalKnownVariance(1.0)
    >>> p, q = M.theta_from(mean=[0.0, 2.0])
    >>> ig.hoeffding_exponents(M, p, q, [0.0, 0.25, 0.5])  # Stein's first
    (array([0.   , 0.125, 0.5  ]), array([2.   , 1.125, 0.5  ]))
    """
    r = e_geodesic(M, theta_p, theta_q, t)
    return M.divergence(r, theta_p), M.divergence(r, theta_q)
