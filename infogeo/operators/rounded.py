"""An operator in a precision of its own, for vectors of another."""
from typing import Any

from ..backend import Array
from ..errors import takes
from .base import LinearOperator

__all__ = ["Rounded"]


class Rounded(LinearOperator):
    """A for vectors of another dtype: they are taken to that of A, and what comes out is rounded to theirs.

    Parameters
    ----------
    A : LinearOperator
        Square, for instance in float64.
    dtype : dtype
        Of the vectors.

    Examples
    --------
    >>> from infogeo.operators import Rounded, SymmetricDense
    >>> A = Rounded(SymmetricDense([[4.0, 0.0], [0.0, 2.0]]), np.float32)
    >>> A.solve(np.ones(2, np.float32))
    array([0.25, 0.5 ], dtype=float32)
    """

    @takes(A=LinearOperator)
    def __init__(self, A: LinearOperator, dtype: Any) -> None:
        self.A, self.symmetric = A, A.symmetric
        super().__init__(A.shape, A.xp, dtype)

    def _through(self, name: str, v: Array) -> Array:
        cast = self.xp.astype
        return cast(getattr(self.A, name)(cast(v, self.A.dtype, copy=False)), self.dtype, copy=False)

    def _matvec(self, v: Array) -> Array:
        return self._through("_matvec", v)

    def _rmatvec(self, v: Array) -> Array:
        return self._through("_rmatvec", v)

    def _solve(self, b: Array) -> Array:
        return self._through("_solve", b)

    def _root(self, z: Array) -> Array:
        return self._through("_root", z)

    def _inverse_root(self, z: Array) -> Array:
        return self._through("_inverse_root", z)

    def diagonal(self) -> Array:
        return self.xp.astype(self.A.diagonal(), self.dtype, copy=False)

    def slogdet(self) -> tuple[Array, Array]:
        sign, size = self.A.slogdet()
        return self.xp.astype(sign, self.dtype, copy=False), self.xp.astype(size, self.dtype, copy=False)

    def shifted(self, c: float) -> LinearOperator:
        return Rounded(self.A.shifted(c), self.dtype)
