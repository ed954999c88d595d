"""Curves of degree two through a convex set."""
from ..backend import Array, arrays
from ..domains.convex import OpenSimplex
from ..statistics.curved import Embedding

__all__ = ["bezier"]


def bezier(a: Array, b: Array, c: Array) -> Embedding:
    """θ(u) = (1 − u)² a + 2u (1 − u) b + u² c for 0 < u < 1: within every convex set that holds the three points.

    Shapes: a, b, c (d,).
    """
    def value(u: Array) -> Array:
        _, u, p, q, r = arrays(u, a, b, c)
        return (1.0 - u) ** 2 * p + 2.0 * u * (1.0 - u) * q + u**2 * r

    def jacobian(u: Array) -> Array:
        _, u, p, q, r = arrays(u, a, b, c)
        return (2.0 * (1.0 - u) * (q - p) + 2.0 * u * (r - q))[..., None]

    def second(u: Array) -> Array:
        _, p, q, r = arrays(a, b, c)
        return 2.0 * (p - 2.0 * q + r)[..., None, None]

    return Embedding(1, value, jacobian, second, OpenSimplex(1))
