"""References in extended precision: derivatives of a log-partition function and Kullback–Leibler divergences, from ψ alone."""
from itertools import combinations_with_replacement, permutations

import mpmath as mp
import numpy as np

from ..references import kept

DIGITS = 50


def to_mp(theta):
    return [mp.mpf(float(v)) for v in np.atleast_1d(theta)]


def derivative(psi, point, indices):
    """∂_i∂_j… ψ by finite differences in extended precision."""
    orders = tuple(indices.count(i) for i in range(len(point)))
    return mp.diff(lambda *t: psi(list(t)), tuple(point), orders)


@kept
def derivatives(psi, theta, order):
    """The symmetric tensor of all derivatives of one order, as float64."""
    with mp.workdps(DIGITS):
        point = to_mp(theta)
        out = np.empty((len(point),) * order)
        for indices in combinations_with_replacement(range(len(point)), order):
            value = float(derivative(psi, point, indices))
            for permuted in set(permutations(indices)):
                out[permuted] = value
        return out


@kept
def dual_potential(psi, theta, dps=DIGITS):
    """θ·∇ψ(θ) − ψ(θ)."""
    with mp.workdps(dps):
        point = to_mp(theta)
        return float(sum(t * derivative(psi, point, (i,)) for i, t in enumerate(point)) - psi(point))


@kept
def inverse_metric(psi, theta):
    with mp.workdps(DIGITS):
        point = to_mp(theta)
        d = len(point)
        inverse = mp.matrix([[derivative(psi, point, (i, j)) for j in range(d)] for i in range(d)])**-1
        return np.array([[float(inverse[i, j]) for j in range(d)] for i in range(d)])


@kept
def exact_kl(psi, theta_p, theta_q, dps=DIGITS):
    """ψ(θ_q) − ψ(θ_p) − (θ_q − θ_p)·∇ψ(θ_p)."""
    with mp.workdps(dps):
        p, q = to_mp(theta_p), to_mp(theta_q)
        gradient = [derivative(psi, p, (i,)) for i in range(len(p))]
        return float(psi(q) - psi(p) - sum((b - a) * g for a, b, g in zip(p, q, gradient)))
