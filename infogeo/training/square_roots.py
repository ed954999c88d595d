"""Square roots of damped metrics, symmetric: S with S S = G, and its inverse."""
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backend import Array, Namespace, arrays, set_at, to_numpy
from ..errors import ConvergenceError, DomainError, require_count
from ..numerics.linalg import inverse
from ..operators.base import IdentityOperator, LinearOperator
from ..operators.dense import SymmetricDense
from ..operators.kronecker import Kronecker
from ..operators.low_rank import DiagonalPlusLowRank, LowRank

__all__ = ["DenseRoot", "DenmanBeavers", "Eigen", "LowRankRoot", "NewtonSchulz", "Nystrom", "SquareRoots", "square_root"]


class DenseRoot(LinearOperator):
    """A symmetric matrix S that is held together with its inverse.

    Parameters
    ----------
    matrix, inverse_matrix : arrays, shape (n, n)
    """

    symmetric = True

    def __init__(self, matrix: Array, inverse_matrix: Array) -> None:
        xp, self.matrix, self.inverse_matrix = arrays(matrix, inverse_matrix)
        super().__init__(self.matrix.shape, xp, self.matrix.dtype)

    def astype(self, dtype: Any) -> "DenseRoot":
        """The same in another dtype."""
        return DenseRoot(*(self.xp.astype(m, dtype) for m in (self.matrix, self.inverse_matrix)))

    def _matvec(self, v: Array) -> Array:
        return self.xp.matmul(v, self.matrix)

    def _solve(self, b: Array) -> Array:
        return self.xp.matmul(b, self.inverse_matrix)

    def dense(self) -> Array:
        return self.matrix


class LowRankRoot(LinearOperator):
    """S = √c I + P diag(√(c + g) − √c) Pᵀ, the root of c I + P diag(g) Pᵀ with orthonormal columns P, at O(n k) a product.

    Parameters
    ----------
    c : float
        Positive.
    P : array, shape (n, k)
    g : array, shape (k,)
        Not negative.
    """

    symmetric = True

    def __init__(self, c: float, P: Array, g: Array) -> None:
        self.c, (xp, self.P, self.g) = c, arrays(P, g)
        super().__init__((self.P.shape[0],) * 2, xp, self.P.dtype)

    def astype(self, dtype: Any) -> "LowRankRoot":
        """The same in another dtype."""
        return LowRankRoot(self.c, *(self.xp.astype(m, dtype) for m in (self.P, self.g)))

    def _plus(self, v: Array, scale: float, weight: Array) -> Array:
        """scale · v + P diag(weight) Pᵀ v."""
        return scale * v + self.xp.matmul(self.xp.matmul(v, self.P) * weight, self.xp.matrix_transpose(self.P))

    def _matvec(self, v: Array) -> Array:
        root, stretched = self.c**0.5, self.xp.sqrt(self.c + self.g)
        return self._plus(v, root, self.g / (stretched + root))

    def _solve(self, b: Array) -> Array:
        root, stretched = self.c**0.5, self.xp.sqrt(self.c + self.g)
        return self._plus(b, 1.0 / root, -self.g / (root * stretched * (stretched + root)))


class SquareRoots(ABC):
    """A way to find the symmetric square root of a positive definite matrix together with its inverse.

    Examples
    --------
    >>> from infogeo.training import DenmanBeavers, Eigen, NewtonSchulz
    >>> A = ig.operators.SymmetricDense(np.array([[5.0, 4.0], [4.0, 5.0]]))
    >>> for engine in (Eigen(), DenmanBeavers(1e-10), NewtonSchulz(1e-10)):
    ...     print(engine(A).dense().round(6).tolist())
    [[2.0, 1.0], [1.0, 2.0]]
    [[2.0, 1.0], [1.0, 2.0]]
    [[2.0, 1.0], [1.0, 2.0]]
    """

    def curvature(self, matrix: Array) -> LinearOperator:
        """The matrix as the operator that is to be damped."""
        return SymmetricDense(matrix)

    @abstractmethod
    def __call__(self, operator: LinearOperator) -> LinearOperator:
        """S with S S = A, a `LinearOperator` whose solve is as cheap as its product.

        Raises
        ------
        DomainError
            If A is found not to be positive definite.
        ConvergenceError
            If an iteration does not reach its accuracy.
        """


@dataclass(frozen=True)
class Eigen(SquareRoots):
    """Q diag(√s) Qᵀ of A = Q diag(s) Qᵀ.

    Examples
    --------
    >>> A = ig.operators.SymmetricDense(np.array([[5.0, 4.0], [4.0, 5.0]]))
    >>> S = ig.training.Eigen()(A)
    >>> S.dense().round(6), S.solve(np.array([3.0, 3.0])).round(6)
    (array([[2., 1.],
           [1., 2.]]), array([1., 1.]))
    """

    def __call__(self, operator: LinearOperator) -> LinearOperator:
        s, Q = _symmetric(operator).eigensystem
        smallest = float(to_numpy(s)[0])
        if not smallest > 0:
            raise DomainError(f"the damped matrix must be positive definite; its smallest eigenvalue is {smallest:.3g}")
        xp, s = arrays(s)
        R, S = (xp.matmul(Q * d, xp.matrix_transpose(Q)) for d in (xp.sqrt(s), 1.0 / xp.sqrt(s)))
        return DenseRoot(R, S)


@dataclass(frozen=True)
class DenmanBeavers(SquareRoots):
    """X ← (X + Y⁻¹)/2, Y ← (Y + X⁻¹)/2 from X = A / c, Y = I: X → (A/c)^{1/2}, Y → (A/c)^{−1/2}.

    Parameters
    ----------
    tol : float
        To reach by ‖X Y − I‖ / √n and by ‖X² − A/c‖, Frobenius norms, c = ‖A‖.
    max_steps : int

    Source: Denman & Beavers (1976); Higham, Functions of Matrices (2008), equation 6.15.

    Examples
    --------
    >>> A = ig.operators.SymmetricDense(np.array([[5.0, 4.0], [4.0, 5.0]]))
    >>> ig.training.DenmanBeavers(tol=1e-10)(A).dense().round(6)
    array([[2., 1.],
           [1., 2.]])
    """

    tol: float
    max_steps: int = 50

    def __call__(self, operator: LinearOperator) -> LinearOperator:
        return _iterated(self, operator, _denman_beavers)


@dataclass(frozen=True)
class NewtonSchulz(SquareRoots):
    """T = (3 I − Z Y)/2, Y ← Y T, Z ← T Z from Y = A / c, Z = I: Y → (A/c)^{1/2}, Z → (A/c)^{−1/2}, by products alone.

    Parameters
    ----------
    tol : float
        To reach by ‖Y Z − I‖ / √n and by ‖Y² − A/c‖, Frobenius norms.
    max_steps : int

    Source: Higham, Functions of Matrices (2008), equation 6.35; c = ‖A‖ brings the spectrum to where the iteration converges.

    Examples
    --------
    >>> A = ig.operators.SymmetricDense(np.array([[5.0, 4.0], [4.0, 5.0]]))
    >>> ig.training.NewtonSchulz(tol=1e-10)(A).dense().round(6)
    array([[2., 1.],
           [1., 2.]])
    """

    tol: float
    max_steps: int = 100

    def __call__(self, operator: LinearOperator) -> LinearOperator:
        return _iterated(self, operator, _newton_schulz)


def _denman_beavers(xp: Namespace, X: Array, Y: Array, eye: Array) -> tuple[Array, Array]:
    return 0.5 * (X + inverse(xp, Y)), 0.5 * (Y + inverse(xp, X))


def _newton_schulz(xp: Namespace, Y: Array, Z: Array, eye: Array) -> tuple[Array, Array]:
    T = 0.5 * (3.0 * eye - xp.matmul(Z, Y))
    return xp.matmul(Y, T), xp.matmul(T, Z)


def _iterated(engine: DenmanBeavers | NewtonSchulz, operator: LinearOperator,
              step: Callable[[Namespace, Array, Array, Array], tuple[Array, Array]]) -> DenseRoot:
    """The coupled iteration on A / c with c = ‖A‖_F ≥ λ_max, to (A / c)^{1/2} and (A / c)^{−1/2}."""
    xp, A = arrays(_symmetric(operator).matrix)
    eye, c = xp.eye(A.shape[0], dtype=A.dtype), _norm(xp, A)
    A = A / c
    X, Y, gap, k = A, eye, np.inf, 0
    while not gap <= engine.tol:
        if k == engine.max_steps or np.isnan(gap):
            raise ConvergenceError(f"{engine!r} did not converge in {k} steps: {gap:.3g} is left", gap, X * c**0.5)
        X, Y = step(xp, X, Y, eye)
        X, Y = 0.5 * (X + xp.matrix_transpose(X)), 0.5 * (Y + xp.matrix_transpose(Y))
        gap, k = max(_norm(xp, xp.matmul(X, Y) - eye) / A.shape[0]**0.5, _norm(xp, xp.matmul(X, X) - A)), k + 1
    return DenseRoot(X * c**0.5, Y / c**0.5)


def _norm(xp: Namespace, A: Array) -> float:
    return float(xp.sqrt(xp.sum(A * A)))


@dataclass(frozen=True)
class Nystrom(SquareRoots):
    """The root of c I + L Lᵀ, where L Lᵀ ≈ G is Nyström's approximation from `rank` columns: O(n k²) for wide layers.

    Mathematically, L Lᵀ = C W⁻¹ Cᵀ with columns C of G and the rows W of C at the same places, formed as the first steps of a
    Cholesky factorisation with pivots: at each the column where the diagonal of G − L Lᵀ is largest. A damped matrix that is not
    low rank plus c I goes by eigendecomposition.

    Parameters
    ----------
    rank : int

    Source: Williams & Seeger, Using the Nyström method to speed up kernel machines (2001); Harbrecht, Peters & Schneider, On the
    low-rank approximation by the pivoted Cholesky decomposition (2012).

    Examples
    --------
    >>> engine, v = ig.training.Nystrom(rank=1), np.array([1.0, 2.0, 2.0])
    >>> A = engine.curvature(np.outer(v, v)).shifted(1.0)  # I + v vᵀ, |v| = 3
    >>> engine(A).matvec(v).round(6)                # √(1 + 9) v
    array([3.162278, 6.324555, 6.324555])
    """

    rank: int

    def __post_init__(self) -> None:
        require_count("rank", self.rank)

    def curvature(self, matrix: Array) -> LinearOperator:
        return LowRank(_pivoted_cholesky(matrix, self.rank))

    def __call__(self, operator: LinearOperator) -> LinearOperator:
        if not isinstance(operator, DiagonalPlusLowRank):
            return Eigen()(operator)
        xp, d = arrays(operator.d)
        c = float(d[0])
        if not c > 0 or not bool(xp.all(d == c)):
            raise DomainError("the damping of a low-rank matrix must be c I with c > 0")
        P, s, _ = xp.linalg.svd(operator.U, full_matrices=False)
        return LowRankRoot(c, P, s**2)


def _pivoted_cholesky(matrix: Array, rank: int) -> Array:
    """L of shape (n, k), k ≤ rank; fewer columns where what is left of the matrix is rounding."""
    xp, G = arrays(matrix)
    n, left = G.shape[0], xp.linalg.diagonal(G)
    L = xp.zeros((n, min(rank, n)), dtype=G.dtype)
    least = n * float(xp.finfo(G.dtype).eps) * float(xp.max(left))
    for k in range(L.shape[1]):
        j = int(xp.argmax(left))
        pivot = float(left[j])
        if not pivot > least:
            return L[:, :max(k, 1)]
        L = set_at(xp, L, (slice(None), k), (G[:, j] - xp.matmul(L, L[j, :])) / pivot**0.5)
        left = left - L[:, k]**2
    return L


def square_root(operator: LinearOperator, engine: SquareRoots) -> LinearOperator:
    """S with S S = A, factor by factor of a Kronecker product."""
    if isinstance(operator, Kronecker):
        return Kronecker(square_root(operator.A, engine), square_root(operator.B, engine))
    return operator if isinstance(operator, IdentityOperator) else engine(operator)


def _symmetric(operator: LinearOperator) -> SymmetricDense:
    return operator if isinstance(operator, SymmetricDense) else SymmetricDense(operator.dense())
