"""Exponential and logarithm of symmetric matrices, with derivatives that they have also at equal eigenvalues.

An eigenvector has none where its eigenvalue is another's, too. Those of the exponential are right in every order, and those of
the logarithm on PyTorch; JAX takes second derivatives of the logarithm, forwards over backwards, through eigenvectors.
"""
from functools import partial

import numpy as np

from ..arrays.tracing import Native, Operator, ruled
from ..backend import Array, Namespace
from .exponentials import sinhc
from .linalg import eigh
from .quadrature import gauss

__all__ = ["exponential", "logarithm"]

# The derivative by ten nodes of a sixteenth of the matrix, doubled four times: to rounding, of eigenvalues up to 80 apart
NODES, HALVES = 10, 2.0 ** np.arange(-4, 0)
SCALES = np.append(HALVES[0] * gauss(NODES)[0], HALVES)


def exponential(xp: Namespace, a: Array) -> Array:
    """e^A of symmetric matrices, shape (..., n, n)."""
    return _exponentials(xp, np.ones(1), a)[0, ...]


def _exponentials(xp: Namespace, scales: np.ndarray, a: Array) -> Array:
    """e^{sA} for every s, shape (k, ..., n, n)."""
    s = xp.asarray(scales[(..., *(None,) * a.ndim)], dtype=a.dtype)

    def found(a: Array) -> Array:
        values, u = eigh(xp, a)
        return xp.matmul(u * xp.exp(s * values[..., None, :]), xp.matrix_transpose(u))

    def rule(y: Array, a: Array) -> tuple[Operator]:
        along = partial(_derivatives, xp, scales, a)
        return Operator(lambda e: along(s * e), lambda c: xp.sum(along(s * c), axis=0)),

    return ruled(xp, found, rule, a)


def _derivatives(xp: Namespace, scales: np.ndarray, a: Array, e: Array) -> Array:
    """Those of e^{sA} along E, shape (k, ..., n, n), self-adjoint in E, by exponentials of A, which have derivatives again.

    Mathematically, ∫₀¹ e^{rA} E e^{(1−r)A} dr along E, and e^{A/2} X + X e^{A/2} if that of e^{A/2} is X along ½E.

    Source: Higham, Functions of Matrices (2008), section 10.2 and equations (10.15), (10.17).
    """
    powers = _exponentials(xp, np.outer(SCALES, scales).ravel(), a)
    powers = xp.reshape(powers, (SCALES.size, scales.size, *a.shape))
    within, weights = powers[:NODES, ...], xp.asarray(gauss(NODES)[1], dtype=a.dtype)
    terms = xp.matmul(within, xp.matmul(e, xp.flip(within, axis=0)))        # 1 − r in the reverse order
    found = float(HALVES[0]) * xp.sum(weights[(..., *(None,) * (terms.ndim - 1))] * terms, axis=0)
    for i in range(NODES, SCALES.size):
        found = xp.matmul(powers[i, ...], found) + xp.matmul(found, powers[i, ...])
    return found


def logarithm(xp: Namespace, w: Array) -> Array:
    """log W of positive definite matrices, shape (..., n, n); its derivative is the inverse of that of the exponential."""
    def found(w: Array) -> Array:
        values, u = eigh(xp, w)
        return xp.matmul(u * xp.log(values)[..., None, :], xp.matrix_transpose(u))

    return ruled(xp, found, lambda y, w: (Operator(partial(_inverse_derivative, xp, y)),), w)


def _inverse_derivative(xp: Namespace, a: Array, c: Array) -> Array:
    """The E along which e^A has the derivative C."""
    def rule(y: Array, a: Array, c: Array) -> tuple[Operator, Operator]:
        back = partial(_inverse_derivative, xp, a)
        along = Native(lambda a: _derivatives(xp, np.ones(1), a, y)[0, ...], a)
        return Operator(lambda v: -back(along.push(xp, v)), lambda v: -along.pull(xp, back(v))), Operator(back)

    return ruled(xp, partial(_by_differences, xp), rule, a, c)


def _by_differences(xp: Namespace, a: Array, c: Array) -> Array:
    """U ((UᵀCU) / exp[λ_i, λ_j]) Uᵀ with A = U diag(λ) Uᵀ and exp[λ, μ] = e^{(λ + μ)/2} sinh(x) / x, x = (λ − μ)/2."""
    values, u = eigh(xp, a)
    left, right, turned = values[..., :, None], values[..., None, :], xp.matrix_transpose(u)
    differences = xp.exp(0.5 * (left + right)) * sinhc(xp, 0.5 * (left - right))
    return xp.matmul(u, xp.matmul(xp.matmul(turned, xp.matmul(c, u)) / differences, turned))
