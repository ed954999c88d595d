"""Numerical calculus for the laws: derivatives in local units, condition numbers."""
from collections.abc import Callable

import numpy as np

from ..backend import Array
from ..geometry.manifolds.manifold import DuallyFlat

__all__ = ["apply", "condition", "derivative", "frame", "in_frame", "rounding", "towards"]


def frame(M: DuallyFlat, theta: Array) -> Array:
    """An orthonormal basis of the tangent space, shape (..., d, d), one vector a row: E G Eᵀ = I.

    In it the metric is the identity and the derivatives of the potential are of order one, so one tolerance serves all.
    """
    return np.linalg.inv(np.linalg.cholesky(M.metric(theta)))


def in_frame(rows: Array, tensor: Array) -> Array:
    """A tensor of order 3 in the basis of these rows, T(e_a, e_b, e_c), shape (..., d, d, d)."""
    return np.einsum("...ai,...bj,...ck,...ijk->...abc", rows, rows, rows, tensor)


def towards(M: DuallyFlat, p: Array, q: Array) -> Array:
    """The tangent vectors at p in the direction of q, of unit length in the metric; where q is p, that of (1, …, 1)."""
    step = np.where(np.all(p == q, axis=-1, keepdims=True), 1.0, q - p)
    return step / M.norm(p, step)[..., None]


def derivative(f: Callable[[Array], Array], x: Array, along: Array, step: float = 0.01, levels: int = 4) -> Array:
    """Directional derivatives of f along each row of `along`, shape (..., a, *) for f of shape (..., *).

    Central differences at steps h, h/2, h/4, h/8, extrapolated to h = 0 (Richardson): the error is of order h⁸ and rounding
    enters as 100 ε |f| / h.
    """
    h = step / 2.0 ** np.arange(levels)
    shift = np.reshape(np.concatenate([h, -h]), (-1, *(1,) * (x.ndim + 1))) * along
    values = f(x[..., None, :] + shift)                         # all steps at once, on one leading axis
    h = np.reshape(h, (-1, *(1,) * (values.ndim - 1)))
    table = list((values[:levels] - values[levels:]) / (2 * h))
    for order in range(1, levels):
        table = [(4**order * fine - coarse) / (4**order - 1) for coarse, fine in zip(table, table[1:])]
    return table[0]


def apply(rows: Array, x: Array) -> Array:
    """Every row of a basis paired with a covector: shapes (..., a, d) and (..., d) to (..., a)."""
    return (rows @ x[..., None])[..., 0]


def condition(M: DuallyFlat, theta: Array) -> Array:
    """The condition number of the metric, shape (...)."""
    return np.linalg.cond(M.metric(theta))


def rounding(M: DuallyFlat, theta: Array, eps: float, power: int = 1) -> Array:
    """What a law allows of the size of a quantity that loses digits to the metric: ε κ(G)^power, and never a factor of 2."""
    return np.minimum(eps * condition(M, theta)**power, 0.3)
