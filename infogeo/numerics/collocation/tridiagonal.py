"""Block tridiagonal systems, by elimination."""
from ...backend import Array, Namespace
from ..linalg import inverse

__all__ = ["eliminated"]


def eliminated(xp: Namespace, lower: Array, diagonal: Array, upper: Array, right: Array) -> tuple[Array, Array]:
    """(x, pivots) of L_i x_{i−1} + D_i x_i + U_i x_{i+1} = r_i; a symmetric matrix is positive definite where all pivots are.

    Shapes: L, D, U and pivots (..., n, d, d), of which the first L and the last U are not looked at; r and x (..., n, d).
    """
    n, d = right.shape[-2], right.shape[-1]
    pivots: list[Array] = []
    uppers: list[Array] = []
    inverses: list[Array] = []
    rights: list[Array] = []
    for i in range(n):
        pivot, value, above = diagonal[..., i, :, :], right[..., i, :, None], upper[..., i, :, :]
        if i:
            known = xp.matmul(inverses[-1], xp.concat([uppers[-1], rights[-1]], axis=-1))
            below = lower[..., i, :, :]
            pivot, value = pivot - xp.matmul(below, known[..., :d]), value - xp.matmul(below, known[..., d:])
        pivots.append(pivot)
        inverses.append(inverse(xp, pivot))
        uppers.append(above)
        rights.append(value)
    x = [xp.matmul(inverses[-1], rights[-1])]
    for i in range(n - 2, -1, -1):
        x.append(xp.matmul(inverses[i], rights[i] - xp.matmul(uppers[i], x[-1])))
    return xp.stack(x[::-1], axis=-3)[..., 0], xp.stack(pivots, axis=-3)
