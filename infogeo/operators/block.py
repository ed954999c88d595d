"""Operators made of blocks over slices of a flat vector."""
from collections.abc import Sequence
from functools import cached_property, reduce
from itertools import accumulate

from ..backend import Array, Namespace, arrays, set_at
from ..errors import ShapeError
from ..numerics.linalg import cholesky, inverse, inverse_lower, outer
from .base import LinearOperator, common_dtype
from .dense import SymmetricDense, as_operator

__all__ = ["BlockDiagonal", "BlockTridiagonalInverse", "DenseBlocks"]


class _Blocks(LinearOperator):
    """What operators over consecutive slices share; the slices of a vector are views."""

    def __init__(self, operators: Sequence[LinearOperator]) -> None:
        stops = list(accumulate(o.dim for o in operators))
        self.slices = [slice(stop - o.dim, stop) for o, stop in zip(operators, stops)]
        super().__init__((stops[-1], stops[-1]), operators[0].xp, common_dtype(operators))

    def split(self, v: Array) -> list[Array]:
        """The parts of a vector, views of shapes (..., n_i)."""
        return [v[..., s] for s in self.slices]


class BlockDiagonal(_Blocks):
    """diag(A_1, …, A_k).

    Parameters
    ----------
    blocks : LinearOperator or array, square
        An array is taken as `DenseOperator`.

    Examples
    --------
    >>> A = ig.operators.BlockDiagonal([[2.0]], [[1.0, 2.0], [0.0, 1.0]])
    >>> A.solve([2.0, 5.0, 2.0]), float(A.trace())
    (array([1., 1., 2.]), 4.0)
    """

    def __init__(self, *blocks: LinearOperator | Array) -> None:
        if not blocks:
            raise ShapeError("blocks must be at least one operator")
        self.blocks = [as_operator(block) for block in blocks]
        for block in self.blocks:
            block._require_square("BlockDiagonal")
        self.symmetric = all(block.symmetric for block in self.blocks)
        super().__init__(self.blocks)

    def _each(self, name: str, v: Array) -> Array:
        return self.xp.concat([getattr(block, name)(part) for block, part in zip(self.blocks, self.split(v))], axis=-1)

    @property
    def T(self) -> LinearOperator:
        return self if self.symmetric else BlockDiagonal(*(block.T for block in self.blocks))

    def _matvec(self, v: Array) -> Array:
        return self._each("_matvec", v)

    def _rmatvec(self, v: Array) -> Array:
        return self._each("_rmatvec", v)

    def _solve(self, b: Array) -> Array:
        return self._each("_solve", b)

    def _root(self, z: Array) -> Array:
        return self._each("_root", z)

    def _inverse_root(self, z: Array) -> Array:
        return self._each("_inverse_root", z)

    def dense(self) -> Array:
        out = self.xp.zeros(self.shape, dtype=self.dtype)
        for block, s in zip(self.blocks, self.slices):
            out = set_at(self.xp, out, (s, s), block.dense())
        return out

    def diagonal(self) -> Array:
        return self.xp.concat([block.diagonal() for block in self.blocks])

    def trace(self) -> Array:
        return reduce(lambda a, b: a + b, (block.trace() for block in self.blocks))

    def slogdet(self) -> tuple[Array, Array]:
        signs, sizes = zip(*(block.slogdet() for block in self.blocks))
        return reduce(lambda a, b: a * b, signs), reduce(lambda a, b: a + b, sizes)

    def shifted(self, c: float) -> LinearOperator:
        return BlockDiagonal(*(block.shifted(c) for block in self.blocks))

    def factored_shift(self, c: float) -> LinearOperator:
        return BlockDiagonal(*(block.factored_shift(c) for block in self.blocks))


class DenseBlocks(LinearOperator):
    """k symmetric blocks of one size, handled as one batch: for instance a block for each unit of a layer.

    Parameters
    ----------
    matrices : array, shape (k, p, p)
    interleaved : bool
        Whether block j acts on the entries j, j + k, j + 2k, … of the vector, that is, on column j of a (p, k) matrix held row by
        row, as the weights into a unit are; otherwise on p consecutive entries.

    Examples
    --------
    >>> A = ig.operators.DenseBlocks([[[2.0, 1.0], [1.0, 2.0]], np.eye(2)])
    >>> A @ np.array([1.0, 0.0, 1.0, 0.0])
    array([2., 1., 1., 0.])
    """

    symmetric: bool = True

    def __init__(self, matrices: Array, interleaved: bool = False) -> None:
        xp, self.matrices = arrays(matrices)
        if self.matrices.ndim != 3 or self.matrices.shape[1] != self.matrices.shape[2]:
            raise ShapeError(f"matrices must have shape (k, p, p); got {tuple(self.matrices.shape)}")
        self.interleaved = interleaved
        self.count, self.size = self.matrices.shape[:2]
        super().__init__((self.count * self.size,) * 2, xp, self.matrices.dtype)

    def _rows(self, v: Array) -> Array:
        """The parts of a vector, shape (..., k, p)."""
        sizes = (self.size, self.count) if self.interleaved else (self.count, self.size)
        parts = self.xp.reshape(v, (*v.shape[:-1], *sizes))
        return self.xp.matrix_transpose(parts) if self.interleaved else parts

    def _flat(self, parts: Array) -> Array:
        parts = self.xp.matrix_transpose(parts) if self.interleaved else parts
        return self.xp.reshape(parts, (*parts.shape[:-2], self.dim))

    def _apply(self, matrices: Array, v: Array) -> Array:
        return self._flat(self.xp.matmul(matrices, self._rows(v)[..., None])[..., 0])

    @cached_property
    def _inverses(self) -> Array:
        """NaN of blocks that are singular up to rounding, once their diagonals are scaled to 1."""
        xp, found = self.xp, inverse(self.xp, self.matrices)
        scale = xp.sqrt(xp.abs(xp.linalg.diagonal(self.matrices)))
        scale = xp.where(scale > 0, scale, xp.ones_like(scale))
        scales = outer(scale, scale)
        condition = _norm(xp, self.matrices / scales) * _norm(xp, found * scales)
        return xp.where(condition < 0.1 / float(xp.finfo(self.dtype).eps), found, xp.full_like(found, xp.nan))

    @cached_property
    def _lower(self) -> Array:
        return cholesky(self.xp, self.matrices)

    def _matvec(self, v: Array) -> Array:
        return self._apply(self.matrices, v)

    def _solve(self, b: Array) -> Array:
        return self._apply(self._inverses, b)

    def _root(self, z: Array) -> Array:
        return self._apply(self._lower, z)

    def _inverse_root(self, z: Array) -> Array:
        return self._apply(self.xp.matrix_transpose(inverse_lower(self.xp, self._lower)), z)

    def diagonal(self) -> Array:
        return self._flat(self.xp.linalg.diagonal(self.matrices))

    def slogdet(self) -> tuple[Array, Array]:
        signs, sizes = self.xp.linalg.slogdet(self.matrices)
        return self.xp.prod(signs), self.xp.sum(sizes)

    def shifted(self, c: float) -> LinearOperator:
        return DenseBlocks(self.matrices + c * self.xp.eye(self.size, dtype=self.dtype), self.interleaved)


def _norm(xp: Namespace, matrices: Array) -> Array:
    """The largest sum of a row, shape (k, 1, 1)."""
    return xp.max(xp.sum(xp.abs(matrices), axis=-1), axis=-1)[..., None, None]


class BlockTridiagonalInverse(_Blocks):
    """Ξᵀ Λ Ξ, block-tridiagonal, with Λ = diag(Σ_1⁻¹, …, Σ_k⁻¹) and Ξ unit upper bidiagonal with −Ψ_i beside its diagonal.

    Mathematically, the precision matrix of a chain of Gaussian blocks, v_i given v_{i+1} being of mean Ψ_i v_{i+1} and covariance
    Σ_i. Its product solves with every Σ_i; its `solve`, the covariance, needs their products only.

    Parameters
    ----------
    covariances : sequence of k operators or arrays Σ_i, symmetric
        An array is taken as `SymmetricDense`.
    regressions : sequence of k − 1 operators or arrays Ψ_i, of shape (n_i, n_{i+1})

    Source: Martens & Grosse (2015), section 4.3.

    Examples
    --------
    >>> A = ig.operators.BlockTridiagonalInverse([[[1.0]], [[1.0]]], [[[0.5]]])
    >>> A.dense()
    array([[ 1.  , -0.5 ],
           [-0.5 ,  1.25]])
    >>> A.inverse().dense()  # Var(v₁) = ½² + 1
    array([[1.25, 0.5 ],
           [0.5 , 1.  ]])
    """

    symmetric: bool = True

    def __init__(self, covariances: Sequence[LinearOperator | Array], regressions: Sequence[LinearOperator | Array]) -> None:
        self.covariances = [c if isinstance(c, LinearOperator) else SymmetricDense(c) for c in covariances]
        self.regressions = [as_operator(r) for r in regressions]
        if not self.covariances or len(self.regressions) != len(self.covariances) - 1:
            raise ShapeError(f"{len(self.covariances)} covariances need one regression fewer; got {len(self.regressions)}")
        sizes = [c.dim for c in self.covariances]
        for i, regression in enumerate(self.regressions):
            if regression.shape != (sizes[i], sizes[i + 1]):
                raise ShapeError(f"regression {i} must have shape {(sizes[i], sizes[i + 1])}; got {regression.shape}")
        super().__init__(self.covariances)

    def _xi(self, parts: list[Array]) -> list[Array]:
        """Ξ v."""
        return [part - r._matvec(later) for part, later, r in zip(parts, parts[1:], self.regressions)] + parts[-1:]

    def _xi_transposed(self, parts: list[Array]) -> list[Array]:
        """Ξᵀ v."""
        return parts[:1] + [part - r._rmatvec(earlier) for earlier, part, r in zip(parts, parts[1:], self.regressions)]

    def _join(self, parts: list[Array]) -> Array:
        return self.xp.concat(parts, axis=-1)

    def _matvec(self, v: Array) -> Array:
        solved = [c._solve(part) for c, part in zip(self.covariances, self._xi(self.split(v)))]
        return self._join(self._xi_transposed(solved))

    def _forward(self, parts: list[Array]) -> list[Array]:
        """Ξ⁻ᵀ v, block after block."""
        return list(accumulate(zip(parts[1:], self.regressions), lambda x, step: step[0] + step[1]._rmatvec(x), initial=parts[0]))

    def _backward(self, parts: list[Array]) -> list[Array]:
        """Ξ⁻¹ v, from the last block to the first."""
        steps = zip(reversed(parts[:-1]), reversed(self.regressions))
        return list(accumulate(steps, lambda x, step: step[0] + step[1]._matvec(x), initial=parts[-1]))[::-1]

    def _solve(self, b: Array) -> Array:
        parts = [c._matvec(part) for c, part in zip(self.covariances, self._forward(self.split(b)))]
        return self._join(self._backward(parts))

    def _root(self, z: Array) -> Array:
        return self._join(self._xi_transposed([c._inverse_root(part) for c, part in zip(self.covariances, self.split(z))]))

    def _inverse_root(self, z: Array) -> Array:
        return self._join(self._backward([c._root(part) for c, part in zip(self.covariances, self.split(z))]))

    def slogdet(self) -> tuple[Array, Array]:
        signs, sizes = zip(*(c.slogdet() for c in self.covariances))
        return reduce(lambda a, b: a * b, signs), -reduce(lambda a, b: a + b, sizes)
