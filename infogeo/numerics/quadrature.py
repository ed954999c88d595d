"""Bregman divergences of near points as integrals of the second derivative, in which nothing cancels."""
import numpy as np

__all__ = ["bregman_integral"]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_NODES = 0.5 + 0.5 * _NODES
_WEIGHTS = 0.5 * _WEIGHTS * (1.0 - _NODES)


def bregman_integral(second, start, step):
    """f(a + δ) − f(a) − δ f′(a) = δ² ∫₀¹ (1 − t) f″(a + tδ) dt by 16 nodes of Gauss and Legendre, elementwise.

    To rounding where f″ is analytic within |δ| of the segment and changes by less than e⁴ along it.
    """
    total = 0.0 * step
    for node, weight in zip(_NODES.tolist(), _WEIGHTS.tolist()):
        total = total + weight * second(start + node * step)
    return step * step * total
