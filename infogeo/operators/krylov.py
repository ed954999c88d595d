"""What products alone can give: solutions by conjugate directions, spectra by Lanczos quadrature, traces by random probes.

Everything runs on any backend. The solvers take batches, every row with a length and an end of its own; for SciPy's many other
methods, which take one right side at a time on the host, `LinearOperator.as_scipy` is the way.
"""
# One concept, what is made of products with vectors; two fifths of the lines are docstrings.
from collections.abc import Callable
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from ..arrays.draws import Draws
from ..backend import Array, Namespace, arrays, column, dot, set_at, to_numpy
from ..errors import ConvergenceError, DomainError, ShapeError, require, takes
from ..numerics.linalg import matvec
from .base import LinearOperator

__all__ = ["RandomEstimate", "Shifted", "conjugate_gradient", "hutchinson", "lanczos", "lanczos_quadrature", "logdet", "minres",
           "spectral_density", "xtrace"]


class RandomEstimate(NamedTuple):
    """A random estimate and its standard error; arrays of one shape.

    Examples
    --------
    >>> A = ig.operators.SymmetricDense(np.ones((9, 9)))
    >>> rng = np.random.default_rng(0)
    >>> trace, diagonal = ig.operators.hutchinson(A, rng, probes=1000)
    >>> float(trace.value.round(1)), float(trace.standard_error.round(1))
    (8.9, 0.4)
    """

    value: Array
    standard_error: Array


class Shifted(LinearOperator):
    """A + c I of an operator that is too large to form, solved by conjugate gradients to a stated accuracy.

    Parameters
    ----------
    A : LinearOperator
        Symmetric, with A + c I positive definite.
    c : float
    tol, max_steps, preconditioner
        Those of `conjugate_gradient`.

    Examples
    --------
    >>> A = ig.operators.DiagonalOperator([0.0, 1.0, 3.0])
    >>> ig.operators.Shifted(A, 1.0, tol=1e-9).solve([1.0, 1.0, 1.0]).round(6)
    array([1.  , 0.5 , 0.25])
    """

    symmetric: bool = True

    @takes(A=LinearOperator, preconditioner=LinearOperator)
    def __init__(self, A: LinearOperator, c: float, *, tol: float, max_steps: int | None = None,
                 preconditioner: LinearOperator | None = None) -> None:
        self.A, self.c = A, c
        self.options: dict[str, Any] = {"tol": tol, "max_steps": max_steps, "preconditioner": preconditioner}
        super().__init__(A.shape, A.xp, A.dtype)

    def _matvec(self, v: Array) -> Array:
        return self.A._matvec(v) + self.c * v

    def _solve(self, b: Array) -> Array:
        return conjugate_gradient(self, b, **self.options)

    def diagonal(self) -> Array:
        return self.A.diagonal() + self.c

    def trace(self) -> Array:
        return self.A.trace() + self.c * self.dim

    def shifted(self, c: float) -> LinearOperator:
        return Shifted(self.A, self.c + c, **self.options)


@takes(LinearOperator, preconditioner=LinearOperator)
def conjugate_gradient(A: LinearOperator, b: Array, *, tol: float, max_steps: int | None = None,
                       preconditioner: LinearOperator | None = None) -> Array:
    """A⁻¹ b for a symmetric positive definite operator, shape (..., n), every row until ‖b − A x‖ ≤ tol ‖b‖.

    Parameters
    ----------
    A : LinearOperator
    b : array, shape (..., n)
    tol : float
        Relative residual to reach.
    max_steps : int, optional
        10 n where it is not given.
    preconditioner : LinearOperator, optional
        Its `solve` is applied to the residual; symmetric positive definite and near A.

    Raises
    ------
    ConvergenceError
        With the relative residual and the iterate, where a row ends short of tol, for instance at a direction of no or negative
        curvature.

    Source: Hestenes & Stiefel, Methods of conjugate gradients for solving linear systems (1952).

    Examples
    --------
    >>> A = ig.operators.SymmetricDense([[2.0, 1.0], [1.0, 2.0]])
    >>> ig.operators.conjugate_gradient(A, [3.0, 3.0], tol=1e-9).round(6)
    array([1., 1.])
    """
    xp, b, target, max_steps = _start(A, b, tol, max_steps)
    improve: Callable[[Array], Array] = (lambda r: r) if preconditioner is None else preconditioner.solve
    x, r = xp.zeros_like(b), b
    z = improve(r)
    p, rz = z, dot(r, z)
    running = _norm(xp, r) > target
    for _ in range(max_steps):
        if not bool(xp.any(running)):
            break
        Ap = A._matvec(p)
        curvature = dot(p, Ap)
        running = running & (curvature > 0)
        step = xp.where(running, rz / xp.where(running, curvature, xp.ones_like(curvature)), xp.zeros_like(rz))
        x, r = x + column(step) * p, r - column(step) * Ap
        z = improve(r)
        new = dot(r, z)
        turn = xp.where(running, new / xp.where(running, rz, xp.ones_like(rz)), xp.zeros_like(rz))
        p, rz = z + column(turn) * p, new
        running = running & (_norm(xp, r) > target)
    return _checked(A, x, b, target, tol, "conjugate_gradient")


@takes(LinearOperator)
def minres(A: LinearOperator, b: Array, *, tol: float, max_steps: int | None = None) -> Array:
    """A⁻¹ b for a symmetric operator of any signature, shape (..., n), every row until ‖b − A x‖ ≤ tol ‖b‖.

    Mathematically, x minimises the residual over the Krylov space: Lanczos vectors and a QR factorisation of the tridiagonal
    matrix, updated by Givens rotations.

    Parameters and errors are those of `conjugate_gradient`.
    Source: Paige & Saunders, Solution of sparse indefinite systems of linear equations (1975).

    Examples
    --------
    >>> A = ig.operators.SymmetricDense([[1.0, 2.0], [2.0, 1.0]])  # indefinite
    >>> ig.operators.minres(A, [3.0, 0.0], tol=1e-9).round(6)
    array([-1.,  2.])
    """
    xp, b, target, max_steps = _start(A, b, tol, max_steps)
    zero, one = xp.zeros_like(target), xp.ones_like(target)
    x, v_old, d_old, d = (xp.zeros_like(b) for _ in range(4))
    beta = _norm(xp, b)
    v = b / column(xp.where(beta > 0, beta, one))
    left, (c_old, s_old, c, s) = beta, (one, zero, one, zero)      # what is left of ‖b − A x‖, and the last two rotations
    beta = zero
    running = left > target
    for _ in range(max_steps):
        if not bool(xp.any(running)):
            break
        w = A._matvec(v) - column(beta) * v_old
        alpha = dot(v, w)
        w = w - column(alpha) * v
        beta_new = _norm(xp, w)
        # the new column of the tridiagonal matrix, rotated twice, then its own rotation
        r3, mixed = s_old * beta, c_old * beta
        r2, r1 = c * mixed + s * alpha, c * alpha - s * mixed
        size = xp.sqrt(r1**2 + beta_new**2)
        running = running & (size > 0)
        safe = xp.where(running, size, one)
        c_old, s_old, c, s = c, s, r1 / safe, beta_new / safe
        d_old, d = d, (v - column(r3) * d_old - column(r2) * d) / column(safe)
        x = x + column(xp.where(running, left * c, zero)) * d
        left = left * xp.where(running, -s, one)
        v_old, v, beta = v, w / column(xp.where(beta_new > 0, beta_new, one)), beta_new
        running = running & (xp.abs(left) > target)
    return _checked(A, x, b, target, tol, "minres")


def _norm(xp: Namespace, v: Array) -> Array:
    return xp.sqrt(dot(v, v))


def _start(A: LinearOperator, b: Array, tol: float, max_steps: int | None) -> tuple[Namespace, Array, Array, int]:
    """(xp, b, the residual to reach row by row, the number of steps)."""
    A._require_square("a Krylov solver")
    if not tol > 0:
        raise DomainError(f"tol must satisfy tol > 0; got {tol!r}")
    b = A._vector(b, A.dim)
    # in exact arithmetic n steps are enough; rounding delays conjugate directions several times over where κ is large
    return A.xp, b, tol * _norm(A.xp, b), 10 * A.dim if max_steps is None else max_steps


def _checked(A: LinearOperator, x: Array, b: Array, target: Array, tol: float, name: str) -> Array:
    """x, once its true residual is known to be small; the recursion's own may have drifted from it by rounding."""
    xp = A.xp
    residual, size = _norm(xp, b - A._matvec(x)), _norm(xp, b)
    # where tol is near the rounding of A x itself, a hundred times that: it grows with the size of x, and at worst with κ(A)
    slack = 100 * float(xp.finfo(x.dtype).eps) * (size + _norm(xp, x))
    failed = to_numpy(~(residual <= 2.0 * target + slack))
    if failed.any():
        first = tuple(int(i) for i in np.argwhere(failed)[0])
        relative = to_numpy(residual / xp.where(size > 0, size, xp.ones_like(size)))
        raise ConvergenceError(f"{name} ended short of tol={tol:g} in {int(failed.sum())} of {failed.size} rows, first at index "
                               f"{first}: relative residual {relative[first]:.3g}", relative, x)
    return x


@takes(LinearOperator)
def lanczos(A: LinearOperator, start: Array, steps: int) -> tuple[Array, Array, Array]:
    """``(alpha, beta, basis)``: the tridiagonal matrices QᵀAQ of the Krylov spaces of a batch of vectors.

    Mathematically, Q holds an orthonormal basis of span{v, Av, …, A^{k−1}v}, reorthogonalised in full; α is the diagonal of the
    tridiagonal matrix and β what stands beside it. Where a space is exhausted before k steps, β and everything after it is 0.

    Shapes: start (..., n) to α (..., k), β (..., k − 1), basis (..., k, n), 1 ≤ k ≤ n.
    Source: Golub & Meurant, Matrices, Moments and Quadrature with Applications (2010), chapter 4.

    Examples
    --------
    >>> A = ig.operators.DiagonalOperator([1.0, 2.0, 4.0])
    >>> alpha, beta, basis = ig.operators.lanczos(A, np.ones(3), 3)
    >>> T = np.diag(alpha) + np.diag(beta, 1) + np.diag(beta, -1)
    >>> np.linalg.eigvalsh(T).round(9)
    array([1., 2., 4.])
    """
    A._require_square("lanczos")
    require("steps", f"1 <= steps <= {A.dim}, the dimension", isinstance(steps, Integral) and 1 <= steps <= A.dim, steps)
    xp, v = A.xp, A._vector(start, A.dim)
    eps = float(xp.finfo(v.dtype).eps)
    size = _norm(xp, v)
    v = v / column(xp.where(size > 0, size, xp.ones_like(size)))
    alphas, betas, basis, scale = [], [], [v], xp.zeros_like(size)
    for k in range(steps):
        w = A._matvec(basis[-1])
        alpha = dot(basis[-1], w)
        scale = xp.maximum(scale, _norm(xp, w))
        alphas.append(alpha)
        if k == steps - 1:
            break
        Q = xp.stack(basis, axis=-2)
        for _ in range(2):      # one pass loses orthogonality as the first Ritz values converge, two are enough
            w = w - xp.matmul(matvec(xp, Q, w)[..., None, :], Q)[..., 0, :]
        beta = _norm(xp, w)
        alive = beta > 10 * A.dim * eps * scale     # below is the rounding of n-term products: the space is exhausted
        beta = xp.where(alive, beta, xp.zeros_like(beta))
        betas.append(beta)
        basis.append(xp.where(alive[..., None], w / column(xp.where(alive, beta, xp.ones_like(beta))), xp.zeros_like(w)))
    empty = xp.zeros((*size.shape, 0), dtype=v.dtype)
    return xp.stack(alphas, axis=-1), xp.stack(betas, axis=-1) if betas else empty, xp.stack(basis, axis=-2)


def _quadrature(A: LinearOperator, rng: np.random.Generator, probes: int, steps: int) -> tuple[Array, Array]:
    """(nodes, weights): Gauss quadratures of the spectral measures of sign vectors; shapes (probes, k), weights of sum n."""
    xp = A.xp
    alpha, beta, _ = lanczos(A, _signs(A, rng, probes), steps)
    k = alpha.shape[-1]
    upper = xp.zeros((probes, k, k), dtype=alpha.dtype)
    for i in range(k):
        upper = set_at(xp, upper, (slice(None), i, i), alpha[:, i])
        if i + 1 < k:
            upper = set_at(xp, upper, (slice(None), i, i + 1), beta[:, i])
            upper = set_at(xp, upper, (slice(None), i + 1, i), beta[:, i])
    nodes, vectors = xp.linalg.eigh(upper)
    return nodes, A.dim * vectors[:, 0, :] ** 2


@takes(LinearOperator)
def lanczos_quadrature(A: LinearOperator, f: Callable[[Array], Array], rng: np.random.Generator, *, probes: int,
                       steps: int) -> RandomEstimate:
    """tr f(A) of a symmetric operator, a `RandomEstimate` of shape ().

    Mathematically, the mean over random sign vectors z of zᵀ f(A) z, each by the Gauss quadrature of its spectral measure that
    k Lanczos steps give; exact in k for polynomials of degree 2k − 1. The standard error is that of the mean over the probes.

    Parameters
    ----------
    f : callable of the eigenvalues, elementwise
        It is also asked about values of weight zero, where a Krylov space is exhausted.
    probes, steps : int
        As in `logdet`.

    Source: Ubaru, Chen & Saad, Fast estimation of tr(f(A)) via stochastic Lanczos quadrature (2017).

    Examples
    --------
    >>> from infogeo.operators import DiagonalOperator, lanczos_quadrature
    >>> A, rng = DiagonalOperator([1.0, 2.0, 4.0]), np.random.default_rng(0)
    >>> found = lanczos_quadrature(A, np.sqrt, rng, probes=2, steps=3)
    >>> float(found.value.round(6))  # 1 + √2 + 2
    4.414214
    """
    nodes, weights = _quadrature(A, rng, probes, steps)
    value = f(nodes)
    return _mean(A.xp, A.xp.sum(A.xp.where(weights > 0, weights * value, A.xp.zeros_like(weights)), axis=-1))


@takes(LinearOperator)
def logdet(A: LinearOperator, rng: np.random.Generator, *, probes: int, steps: int) -> RandomEstimate:
    """log det A of a positive definite operator by Lanczos quadrature, a `RandomEstimate` of shape (); NaN for one that is not.

    Parameters
    ----------
    probes : int
        Random sign vectors, the spread of which is the standard error.
    steps : int
        Of Lanczos, for each: products with A.

    Examples
    --------
    >>> from infogeo.operators import DiagonalOperator, logdet
    >>> A, rng = DiagonalOperator([1.0, 2.0, 4.0]), np.random.default_rng(0)
    >>> float(logdet(A, rng, probes=2, steps=3).value.round(6))  # log 8
    2.079442
    """
    def log(s: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return A.xp.log(s)
    with np.errstate(invalid="ignore"):
        return lanczos_quadrature(A, log, rng, probes=probes, steps=steps)


@takes(LinearOperator)
def spectral_density(A: LinearOperator, at: Array, rng: np.random.Generator, *, probes: int, steps: int,
                     width: float) -> RandomEstimate:
    """The density of the eigenvalues, each of them blurred to a normal curve of standard deviation `width`.

    Mathematically, (1/n) Σ_i N(t; λ_i, width²) at the points t, by Lanczos quadrature.

    Shapes: at (m,); the `RandomEstimate` has shape (m,). `probes` and `steps` as in `logdet`.
    Source: Lin, Saad & Yang, Approximating spectral densities of large matrices (2016).

    Examples
    --------
    >>> from infogeo.operators import DiagonalOperator, spectral_density
    >>> A, rng = DiagonalOperator([1.0, 1.0, 4.0]), np.random.default_rng(0)
    >>> f = spectral_density(A, [1.0, 4.0], rng, probes=2, steps=2, width=0.1)
    >>> (f.value * 0.1 * np.sqrt(2 * np.pi)).round(4)  # ⅔ and ⅓ of them
    array([0.6667, 0.3333])
    """
    xp = A.xp
    nodes, weights = _quadrature(A, rng, probes, steps)
    at = arrays(at)[1]
    if at.ndim != 1:
        raise ShapeError(f"at must have shape (m,); got {tuple(at.shape)}")
    at = A._vector(at, at.shape[-1])
    curves = xp.exp(-0.5 * ((at[:, None, None] - nodes) / width) ** 2) / (width * (2.0 * np.pi) ** 0.5)
    return _mean(xp, xp.sum(weights * curves, axis=-1) / A.dim)


def _mean(xp: Namespace, samples: Array) -> RandomEstimate:
    """The mean over the last axis and its standard error, infinite for a single sample."""
    n = samples.shape[-1]
    mean = xp.mean(samples, axis=-1)
    if n == 1:
        return RandomEstimate(mean, xp.full_like(mean, xp.inf))
    return RandomEstimate(mean, xp.std(samples, axis=-1, correction=1) / n**0.5)


def _signs(A: LinearOperator, rng: np.random.Generator, count: int) -> Array:
    """Independent vectors of random signs, shape (count, n)."""
    return Draws(rng, A.xp, A.dtype).signs((count, A.dim))


@takes(LinearOperator)
def hutchinson(A: LinearOperator, rng: np.random.Generator, *, probes: int) -> tuple[RandomEstimate, RandomEstimate]:
    """``(trace, diagonal)`` from products with random sign vectors, each a `RandomEstimate`, of shapes () and (n,).

    Mathematically, the means of z·Az and of z ∘ Az over `probes` vectors z; for a symmetric A their variances per probe are
    2 Σ_{i≠j} A_ij² and Σ_{j≠i} A_ij².

    Source: Hutchinson (1990); Bekas, Kokiopoulou & Saad, An estimator for the diagonal of a matrix (2007).

    Examples
    --------
    >>> A = ig.operators.DiagonalOperator([1.0, 2.0, 4.0])
    >>> rng = np.random.default_rng(0)
    >>> trace, diagonal = ig.operators.hutchinson(A, rng, probes=2)
    >>> float(trace.value), diagonal.value  # exact for a diagonal matrix
    (7.0, array([1., 2., 4.]))
    """
    xp, z = A.xp, _signs(A, rng, probes)
    product = z * A._matvec(z)
    return _mean(xp, xp.sum(product, axis=-1)), _mean(xp, xp.matrix_transpose(product))


@takes(LinearOperator)
def xtrace(A: LinearOperator, rng: np.random.Generator, *, probes: int) -> RandomEstimate:
    """tr A from `probes` products, a `RandomEstimate` of shape (): every probe serves the others' low-rank approximation in turn.

    Mathematically, for each of k = probes / 2 sign vectors z_i, with Q_i an orthonormal basis of the products of all the others,
    t_i = tr Q_iᵀAQ_i + z_iᵀ(I − Q_iQ_iᵀ) A (I − Q_iQ_iᵀ) z_i, all from one QR factorisation; the estimate is their mean. The
    standard error is the spread of the t_i over √k, which are dependent: it is an indication, not a bound. Where the products
    have a rank below k, they span the range of A, and the trace is exact.

    Source: Epperly, Tropp & Webber, XTrace: making the most of every sample in stochastic trace estimation (2024), section 2.

    Examples
    --------
    >>> A = ig.operators.LowRank(np.arange(6.0)[:, None])  # of rank 1
    >>> found = ig.operators.xtrace(A, np.random.default_rng(0), probes=4)
    >>> float(found.value.round(9))  # 0 + 1 + 4 + 9 + 16 + 25
    55.0
    """
    xp, k = A.xp, probes // 2
    if not 2 <= k <= A.dim:
        raise DomainError(f"probes must satisfy 4 <= probes <= 2 n = {2 * A.dim}; got {probes!r}")
    z = _signs(A, rng, k)                                               # rows z_i
    Y = A._matvec(z)
    Q, R = xp.linalg.qr(xp.matrix_transpose(Y))                         # columns A z_i = Q R
    AQ = xp.matrix_transpose(A._matvec(xp.matrix_transpose(Q)))
    H = xp.matmul(xp.matrix_transpose(Q), AQ)
    pivots = xp.abs(xp.linalg.diagonal(R))
    # columns that are dependent up to the rounding of n-term products: they span the range of A
    if not bool(xp.min(pivots) > A.dim * float(xp.finfo(R.dtype).eps) * xp.max(pivots)):
        return RandomEstimate(xp.linalg.trace(H), 0.0 * H[0, 0])
    S = xp.matrix_transpose(xp.linalg.inv(R))
    S = S / xp.sqrt(xp.sum(S**2, axis=0, keepdims=True))                # Q s_i is the unit vector of the range without A z_i
    W = xp.matmul(z, Q)                                                 # z_iᵀ Q
    X = xp.matrix_transpose(W) - S * xp.sum(xp.matrix_transpose(W) * S, axis=0)      # Q_iᵀ-coordinates of z_i in Q
    kept = xp.linalg.trace(H) - xp.sum(S * xp.matmul(H, S), axis=0)
    # (z − Q x)ᵀ A (z − Q x), its four products from what is at hand
    zAz = dot(z, Y)
    zAQx = xp.sum(xp.matmul(z, AQ) * xp.matrix_transpose(X), axis=-1)
    xQAz = xp.sum(X * xp.matmul(xp.matrix_transpose(Q), xp.matrix_transpose(Y)), axis=0)
    xHx = xp.sum(X * xp.matmul(H, X), axis=0)
    return _mean(xp, kept + zAz - zAQx - xQAz + xHx)
