"""Linear operators and their algebra."""
# One file, as each needs the others: sums, products and inverses are operators, and an operator's own methods make them.
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import Any

import numpy as np
import scipy.sparse.linalg

from ..backend import Array, Namespace, arrays, backend_of, to_numpy
from ..errors import ShapeError, takes
from ..numerics.linalg import cholesky, inverse_lower

__all__ = ["Composed", "IdentityOperator", "Inverse", "LinearOperator", "ScaledOperator", "Sum", "Transpose", "common_dtype",
           "solve_rows"]

# Unit vectors that go through an operator at once where its entries are read off: of n numbers each, two megabytes for n = 1000
BLOCK = 256


class LinearOperator(ABC):
    """A linear map from R^n to R^m, known by what it does to vectors.

    Mathematically, a matrix A. A subclass gives `_matvec`; every other method here is the reference, formed from the dense
    matrix or from unit vectors, and an operator with structure overrides it.

    Operators combine: ``A + B``, ``A - B``, ``c * A``, ``A @ B``, ``A.T``, ``A.inverse()``, ``A.shifted(c)`` = A + c I; with an
    array, ``A @ v`` is the product. A symmetric operator says so and is its own transpose.

    Parameters
    ----------
    shape : pair of int
        m and n.
    xp : Namespace
        Of the arrays that it takes: ``infogeo.backend.NUMPY``, or ``infogeo.backend.namespace_of(array)``.
    dtype : dtype
        Of what it gives.

    Shapes: vectors (..., n), leading axes a batch; `matmat` takes columns, (..., n, k).
    Raises: TypeError for another xp.

    Examples
    --------
    >>> class Reversal(ig.operators.LinearOperator):
    ...     def _matvec(self, v):
    ...         return v[..., ::-1]
    >>> A = Reversal((3, 3), ig.backend.NUMPY, np.float64)
    >>> A @ np.array([1.0, 2.0, 3.0]), float(A.trace())
    (array([3., 2., 1.]), 1.0)
    >>> A.shifted(2.0).solve([3.0, 3.0, 3.0]).round(12)
    array([1., 1., 1.])
    """

    symmetric: bool = False
    __array_ufunc__ = None          # so that ``array * A`` and ``array @ A`` come here and not to NumPy, entry by entry

    def __init__(self, shape: Iterable[int], xp: Namespace, dtype: Any) -> None:
        if not isinstance(xp, Namespace):
            raise TypeError(f"{type(self).__name__} takes a Namespace as its argument xp, such as infogeo.backend.NUMPY or that "
                            f"of an array, infogeo.backend.namespace_of(array); got {xp!r}")
        rows, columns = shape
        self.shape: tuple[int, int] = (rows, columns)
        self.xp, self.dtype = xp, dtype

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.shape[0]} x {self.shape[1]}>"

    @property
    def dim(self) -> int:
        """The dimension n of the vectors that it takes."""
        return self.shape[1]

    # Contract

    @abstractmethod
    def _matvec(self, v: Array) -> Array:
        """A v of a coerced array (..., n)."""

    def _rmatvec(self, v: Array) -> Array:
        """Aᵀ v of a coerced array (..., m)."""
        return self._matvec(v) if self.symmetric else self.xp.matmul(v, self.dense())

    def _solve(self, b: Array) -> Array:
        """A⁻¹ b of a coerced array (..., n), for a square operator."""
        return solve_rows(self.xp, self.dense(), b)

    # Products and solves

    def matvec(self, v: Array) -> Array:
        """A v, shapes (..., n) to (..., m)."""
        return self._matvec(self._vector(v, self.shape[1]))

    def matmat(self, columns: Array) -> Array:
        """A V, shapes (..., n, k) to (..., m, k)."""
        _, columns = arrays(columns)
        if columns.ndim < 2:
            raise ShapeError(f"matmat takes an array of shape (..., {self.shape[1]}, k); got {tuple(columns.shape)}")
        return self.xp.matrix_transpose(self.matvec(self.xp.matrix_transpose(columns)))

    def solve(self, b: Array) -> Array:
        """A⁻¹ b without damping, shape (..., n); infinite or NaN where A is singular.

        Raises
        ------
        ShapeError
            If A is not square.
        """
        self._require_square("solve")
        return self._solve(self._vector(b, self.shape[0]))

    def root(self, z: Array) -> Array:
        """F z for a square root A = F Fᵀ of a positive definite operator, shape (..., n): of covariance A if z is white.

        NaN where A is not positive definite. Which root F is, symmetric or not, is the operator's own choice.
        """
        self._require_square("root")
        return self._root(self._vector(z, self.shape[0]))

    def inverse_root(self, z: Array) -> Array:
        """F⁻ᵀ z, a square root of A⁻¹ = F⁻ᵀ F⁻¹ with the F of `root`, shape (..., n): of precision A if z is white."""
        self._require_square("inverse_root")
        return self._inverse_root(self._vector(z, self.shape[0]))

    def _root(self, z: Array) -> Array:
        return self.xp.matmul(z, self.xp.matrix_transpose(cholesky(self.xp, self.dense())))

    def _inverse_root(self, z: Array) -> Array:
        return self.xp.matmul(z, inverse_lower(self.xp, cholesky(self.xp, self.dense())))

    # Numbers

    def dense(self) -> Array:
        """The matrix, shape (m, n)."""
        return self.xp.matrix_transpose(self._matvec(self.xp.eye(self.shape[1], dtype=self.dtype)))

    def diagonal(self) -> Array:
        """The diagonal of a square operator, shape (n,)."""
        self._require_square("diagonal")
        n, parts = self.shape[1], []
        for start in range(0, n, BLOCK):
            unit = self.xp.eye(min(BLOCK, n - start), n, k=start, dtype=self.dtype)
            parts.append(self.xp.sum(unit * self._matvec(unit), axis=-1))
        return self.xp.concat(parts)

    def trace(self) -> Array:
        """The trace of a square operator, shape ()."""
        return self.xp.sum(self.diagonal())

    def slogdet(self) -> tuple[Array, Array]:
        """``(sign, log |det A|)`` of a square operator, shapes () and ()."""
        self._require_square("slogdet")
        return tuple(self.xp.linalg.slogdet(self.dense()))

    def logdet(self) -> Array:
        """log det A of a square operator, shape (); −∞ where the determinant is 0, NaN where it is negative."""
        sign, size = self.slogdet()
        return self.xp.where(sign < 0, self.xp.nan * size, size)

    def as_scipy(self) -> scipy.sparse.linalg.LinearOperator:
        """The operator for SciPy's sparse solvers: a `scipy.sparse.linalg.LinearOperator` on arrays of the host.

        Its arguments are moved to the device of this operator and its results back.
        """
        return scipy.sparse.linalg.aslinearoperator(_OnHost(self))

    # Algebra

    @property
    def T(self) -> "LinearOperator":
        """The transpose; of real matrices also the adjoint."""
        return self if self.symmetric else Transpose(self)

    def inverse(self) -> "LinearOperator":
        """A⁻¹, with `matvec` and `solve` exchanged."""
        self._require_square("inverse")
        return Inverse(self)

    def shifted(self, c: float) -> "LinearOperator":
        """A + c I with the structure kept, so that its `solve` is as good as that of A: exact damping."""
        self._require_square("shifted")
        return self + c * IdentityOperator(self.shape[0], like=self.xp.zeros(1, dtype=self.dtype))

    def factored_shift(self, c: float) -> "LinearOperator":
        """The operator damped by c I, a Kronecker product in both of its factors (see `Kronecker.factored_shift`)."""
        return self.shifted(c)

    def __add__(self, other: "LinearOperator") -> "LinearOperator":
        return Sum(self, other) if isinstance(other, LinearOperator) else NotImplemented

    def __sub__(self, other: "LinearOperator") -> "LinearOperator":
        return Sum(self, -other) if isinstance(other, LinearOperator) else NotImplemented

    def __neg__(self) -> "LinearOperator":
        return ScaledOperator(-1.0, self)

    def __mul__(self, c: Any) -> "LinearOperator":
        return ScaledOperator(c, self) if getattr(c, "ndim", 0) == 0 and not isinstance(c, LinearOperator) else NotImplemented

    __rmul__ = __mul__

    def __truediv__(self, c: Any) -> "LinearOperator":
        return self.__mul__(1.0 / c)

    def __matmul__(self, other: Any) -> Any:
        if isinstance(other, LinearOperator):
            return Composed(self, other)
        return self.matvec(other) if np.ndim(other) == 1 else self.matmat(other)

    def __rmatmul__(self, other: Array) -> Array:
        return self.T.matvec(other)

    # Checks

    def _vector(self, v: Array, n: int) -> Array:
        xp, v = arrays(v)
        if xp is not self.xp:
            raise TypeError(f"{self!r} is on {self.xp!r}, the array on {xp!r}; move one with infogeo.backend.asarray")
        if v.ndim == 0 or v.shape[-1] != n:
            raise ShapeError(f"{self!r} takes arrays of shape (..., {n}) here; got {tuple(v.shape)}")
        return v

    def _require_square(self, what: str) -> None:
        if self.shape[0] != self.shape[1]:
            raise ShapeError(f"{what} needs a square operator; got {self!r}")


def solve_rows(xp: Namespace, matrix: Array, b: Array) -> Array:
    """A⁻¹ b by LU of one matrix, shapes (n, n) and (..., n); NaN where the matrix is singular."""
    rows = xp.reshape(b, (-1, b.shape[-1]))
    try:
        x = xp.linalg.solve(matrix, xp.matrix_transpose(rows))
    except np.linalg.LinAlgError:
        return xp.full_like(b, xp.nan)
    return xp.reshape(xp.matrix_transpose(x), b.shape)


class _OnHost:
    """What `scipy.sparse.linalg.aslinearoperator` asks of an object: shape, dtype, matvec, rmatvec, matmat."""

    def __init__(self, operator: LinearOperator) -> None:
        self.operator, self.shape = operator, operator.shape
        self.dtype = to_numpy(operator.xp.zeros(1, dtype=operator.dtype)).dtype

    def _through(self, f: Callable[[Array], Array], v: Array) -> Array:
        return to_numpy(f(self.operator.xp.asarray(v, dtype=self.operator.dtype)))

    def matvec(self, v: Array) -> Array:
        return self._through(self.operator.matvec, v.reshape(-1))

    def rmatvec(self, v: Array) -> Array:
        return self._through(self.operator.T.matvec, v.reshape(-1))

    def matmat(self, columns: Array) -> Array:
        return self._through(self.operator.matmat, columns)


class IdentityOperator(LinearOperator):
    """The identity on R^n.

    Parameters
    ----------
    n : int
    like : array, optional
        Gives the array library, device and dtype; NumPy's float64, or the chosen backend's, where there is none.

    Examples
    --------
    >>> A = 3.0 * ig.operators.IdentityOperator(2)
    >>> A.solve([3.0, 6.0]), float(A.trace())
    (array([1., 2.]), 6.0)
    """

    symmetric: bool = True

    def __init__(self, n: int, like: Array = None) -> None:
        xp, like = (backend_of(), None) if like is None else arrays(like)
        super().__init__((n, n), xp, xp.float64 if like is None else like.dtype)

    def _matvec(self, v: Array) -> Array:
        return v

    def _solve(self, b: Array) -> Array:
        return b

    def _root(self, z: Array) -> Array:
        return z

    def _inverse_root(self, z: Array) -> Array:
        return z

    def dense(self) -> Array:
        return self.xp.eye(self.dim, dtype=self.dtype)

    def diagonal(self) -> Array:
        return self.xp.ones(self.dim, dtype=self.dtype)

    def slogdet(self) -> tuple[Array, Array]:
        return self.xp.ones((), dtype=self.dtype), self.xp.zeros((), dtype=self.dtype)


class Transpose(LinearOperator):
    """Aᵀ.

    Examples
    --------
    >>> A = ig.operators.as_operator([[1.0, 2.0, 3.0]])
    >>> A.T @ np.array([2.0])
    array([2., 4., 6.])
    """

    @takes(A=LinearOperator)
    def __init__(self, A: LinearOperator) -> None:
        self.A = A
        super().__init__(A.shape[::-1], A.xp, A.dtype)

    @property
    def T(self) -> LinearOperator:
        return self.A

    def _matvec(self, v: Array) -> Array:
        return self.A._rmatvec(v)

    def _rmatvec(self, v: Array) -> Array:
        return self.A._matvec(v)

    def dense(self) -> Array:
        return self.xp.matrix_transpose(self.A.dense())

    def diagonal(self) -> Array:
        return self.A.diagonal()

    def trace(self) -> Array:
        return self.A.trace()

    def slogdet(self) -> tuple[Array, Array]:
        return self.A.slogdet()


class Inverse(LinearOperator):
    """A⁻¹, by the solve of A.

    Examples
    --------
    >>> A = ig.operators.as_operator([[1.0, 2.0], [0.0, 1.0]])
    >>> A.inverse() @ np.array([5.0, 2.0])
    array([1., 2.])
    """

    @takes(A=LinearOperator)
    def __init__(self, A: LinearOperator) -> None:
        self.A, self.symmetric = A, A.symmetric
        super().__init__(A.shape, A.xp, A.dtype)

    def inverse(self) -> LinearOperator:
        return self.A

    def _matvec(self, v: Array) -> Array:
        return self.A._solve(v)

    def _rmatvec(self, v: Array) -> Array:
        return self.A.T._solve(v)

    def _solve(self, b: Array) -> Array:
        return self.A._matvec(b)

    def _root(self, z: Array) -> Array:
        return self.A._inverse_root(z)

    def _inverse_root(self, z: Array) -> Array:
        return self.A._root(z)

    def slogdet(self) -> tuple[Array, Array]:
        sign, size = self.A.slogdet()
        return sign, -size


class ScaledOperator(LinearOperator):
    """c A.

    Examples
    --------
    >>> A = ig.operators.DiagonalOperator([1.0, 2.0])
    >>> (0.5 * A).solve([1.0, 1.0])
    array([2., 1.])
    """

    c: Any
    A: LinearOperator

    @takes(A=LinearOperator)
    def __init__(self, c: Any, A: LinearOperator) -> None:
        if isinstance(A, ScaledOperator):
            c, A = c * A.c, A.A
        self.c, self.A, self.symmetric = c, A, A.symmetric
        super().__init__(A.shape, A.xp, A.dtype)

    @property
    def T(self) -> LinearOperator:
        return self if self.symmetric else ScaledOperator(self.c, self.A.T)

    def _matvec(self, v: Array) -> Array:
        return self.c * self.A._matvec(v)

    def _rmatvec(self, v: Array) -> Array:
        return self.c * self.A._rmatvec(v)

    def _solve(self, b: Array) -> Array:
        return self.A._solve(b) / self.c

    def _root(self, z: Array) -> Array:
        return _sqrt(self.xp, self.c, z) * self.A._root(z)

    def _inverse_root(self, z: Array) -> Array:
        return self.A._inverse_root(z) / _sqrt(self.xp, self.c, z)

    def dense(self) -> Array:
        return self.c * self.A.dense()

    def diagonal(self) -> Array:
        return self.c * self.A.diagonal()

    def trace(self) -> Array:
        return self.c * self.A.trace()

    def slogdet(self) -> tuple[Array, Array]:
        sign, size = self.A.slogdet()
        c = self.xp.asarray(self.c, dtype=self.dtype)
        with np.errstate(divide="ignore"):
            return sign * self.xp.sign(c) ** self.dim, size + self.dim * self.xp.log(self.xp.abs(c))

    def shifted(self, c: float) -> LinearOperator:
        """c A + c′ I = c (A + (c′ / c) I)."""
        return ScaledOperator(self.c, self.A.shifted(c / self.c)) if self.c != 0 else super().shifted(c)


def _sqrt(xp: Namespace, c: float, like: Array) -> Array:
    """√c as an array; NaN where c is negative."""
    with np.errstate(invalid="ignore"):
        return xp.sqrt(xp.asarray(c, dtype=like.dtype))


class Sum(LinearOperator):
    """A + B + …

    Examples
    --------
    >>> from infogeo.operators import DiagonalOperator, LowRank
    >>> A = DiagonalOperator([1.0, 2.0]) + LowRank([[1.0], [1.0]])
    >>> A @ np.array([1.0, 0.0]), float(A.trace())
    (array([2., 1.]), 5.0)
    """

    terms: list[LinearOperator]

    @takes(terms=LinearOperator)
    def __init__(self, *terms: LinearOperator) -> None:
        self.terms = [t for term in terms for t in (term.terms if isinstance(term, Sum) else [term])]
        if not terms:
            raise TypeError("Sum takes one operator or more; got none")
        first = self.terms[0]
        for term in self.terms:
            if term.shape != first.shape:
                raise ShapeError(f"the terms of a sum must have one shape; got {first!r} and {term!r}")
        self.symmetric = all(t.symmetric for t in self.terms)
        super().__init__(first.shape, first.xp, common_dtype(self.terms))

    def _over(self, f: Callable[[LinearOperator], Array]) -> Array:
        return reduce(lambda a, b: a + b, map(f, self.terms))

    @property
    def T(self) -> LinearOperator:
        return self if self.symmetric else Sum(*(t.T for t in self.terms))

    def _matvec(self, v: Array) -> Array:
        return self._over(lambda t: t._matvec(v))

    def _rmatvec(self, v: Array) -> Array:
        return self._over(lambda t: t._rmatvec(v))

    def dense(self) -> Array:
        return self._over(lambda t: t.dense())

    def diagonal(self) -> Array:
        return self._over(lambda t: t.diagonal())

    def trace(self) -> Array:
        return self._over(lambda t: t.trace())


class Composed(LinearOperator):
    """A B …, the last factor applied first.

    Examples
    --------
    >>> A = ig.operators.as_operator([[1.0, 2.0], [0.0, 1.0]])
    >>> (A @ A.T).dense()
    array([[5., 2.],
           [2., 1.]])
    """

    factors: list[LinearOperator]

    @takes(factors=LinearOperator)
    def __init__(self, *factors: LinearOperator) -> None:
        self.factors = [f for factor in factors for f in (factor.factors if isinstance(factor, Composed) else [factor])]
        if not factors:
            raise TypeError("Composed takes one operator or more; got none")
        for left, right in zip(self.factors, self.factors[1:]):
            if left.shape[1] != right.shape[0]:
                raise ShapeError(f"{left!r} cannot follow {right!r}")
        first = self.factors[0]
        super().__init__((first.shape[0], self.factors[-1].shape[1]), first.xp, common_dtype(self.factors))

    @property
    def T(self) -> LinearOperator:
        return Composed(*(f.T for f in reversed(self.factors)))

    def _matvec(self, v: Array) -> Array:
        return reduce(lambda u, f: f._matvec(u), reversed(self.factors), v)

    def _rmatvec(self, v: Array) -> Array:
        return reduce(lambda u, f: f._rmatvec(u), self.factors, v)

    @property
    def _square_throughout(self) -> bool:
        return all(f.shape[0] == f.shape[1] for f in self.factors)

    def _solve(self, b: Array) -> Array:
        return reduce(lambda u, f: f._solve(u), self.factors, b) if self._square_throughout else super()._solve(b)

    def slogdet(self) -> tuple[Array, Array]:
        if not self._square_throughout:
            return super().slogdet()
        signs, sizes = zip(*(f.slogdet() for f in self.factors))
        return reduce(lambda a, b: a * b, signs), reduce(lambda a, b: a + b, sizes)


def common_dtype(operators: Sequence[LinearOperator]) -> Any:
    """The dtype that several operators of one library and device give together."""
    xp = operators[0].xp
    for operator in operators:
        if operator.xp is not xp:
            raise TypeError(f"operators on different devices: {operators[0]!r} on {xp!r} and {operator!r} on {operator.xp!r}")
    return xp.result_type(*(operator.dtype for operator in operators))
