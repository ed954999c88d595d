"""The linear-quadratic regulator under linear Gaussian policies: cost, gradient and natural gradient in closed form."""
from collections.abc import Iterator
from functools import cached_property
from numbers import Real

import numpy as np
from scipy.linalg import solve_discrete_are

from ..arrays.memo import once
from ..backend import Array, Namespace, arrays, to_numpy
from ..errors import DomainError, ShapeError, require, require_positive, takes
from ..geometry.manifolds.manifold import Riemannian
from ..numerics.linalg import positive_definite, self_adjoint
from ..objectives.base import Objective

__all__ = ["LinearPolicies", "LinearQuadratic"]


class LinearQuadratic:
    """x' = A x + B u with cost xᵀQx + uᵀRu, discounted by γ, under the policies u = K x + σ ε.

    Mathematically, a gain K is a point of shape (..., m n), row by row. With F = A + BK,

    - P = Q + KᵀRK + γ FᵀPF; cost tr(P X) + σ² tr(R + γ BᵀPB) / (1 − γ), X = E[x₀x₀ᵀ]
    - Σ = X + γ σ² BBᵀ / (1 − γ) + γ FΣFᵀ, the discounted second moment of the states
    - gradient 2EΣ with E = (R + γBᵀPB) K + γBᵀPA; Fisher metric Σ / σ² a row; natural gradient 2σ²E
    - policy iteration K − (R + γBᵀPB)⁻¹E: the Gauss–Newton step of size ½

    Parameters
    ----------
    A, B, Q, R : arrays, shapes (n, n), (n, m), (n, n), (m, m)
        Q and R symmetric, R positive definite, Q positive semidefinite.
    discount : float
        γ in (0, 1).
    sigma : float
        The deviation of the noise of each entry of u.
    second_moment : array, shape (n, n)
        E[x₀x₀ᵀ]; by default I.

    Outside of the gains that keep the cost finite, √γ F stable, cost and gradient are ∞ and NaN.
    Raises: ShapeError, DomainError.
    Source: Fazel, Ge, Kakade & Mesbahi, Global convergence of policy gradient methods for the LQR (2018).

    Examples
    --------
    >>> one = np.eye(1)
    >>> problem = ig.policy.LinearQuadratic(one, one, one, one, discount=0.9)
    >>> gains = problem.policy_iteration(np.array([-0.5]))
    >>> for _ in range(6):
    ...     K = next(gains)
    >>> K.round(6), problem.optimum.round(6)
    (array([-0.588403]), array([-0.588403]))
    """

    def __init__(self, A: Array, B: Array, Q: Array, R: Array, *, discount: float, sigma: float = 1.0,
                 second_moment: Array | None = None) -> None:
        xp, A, B, Q, R = arrays(A, B, Q, R)
        n, m = B.shape if B.ndim == 2 else (0, 0)
        if A.shape != (n, n) or Q.shape != (n, n) or R.shape != (m, m):
            raise ShapeError("A, B, Q, R must have shapes (n, n), (n, m), (n, n), (m, m); got "
                             f"{', '.join(str(tuple(matrix.shape)) for matrix in (A, B, Q, R))}")
        X = xp.eye(n, dtype=A.dtype) if second_moment is None else arrays(A, second_moment)[2]
        if X.shape != (n, n):
            raise ShapeError(f"second_moment must have shape ({n}, {n}); got {tuple(X.shape)}")
        require("discount", "0 < discount < 1", isinstance(discount, Real) and 0 < float(discount) < 1, discount)
        require_positive("sigma", sigma)
        for name, matrix in (("A", A), ("B", B)):
            require(name, f"{name} finite", xp.isfinite(matrix), matrix)
        require("R", "R symmetric and positive definite", positive_definite(xp, R) & self_adjoint(xp, R), R)
        for name, matrix in (("Q", Q), ("second_moment", X)):
            least = np.linalg.eigvalsh(to_numpy(matrix)).min() if n else 0.0
            size = float(xp.max(xp.abs(matrix))) if n else 0.0
            require(name, f"{name} symmetric and positive semidefinite",
                    bool(self_adjoint(xp, matrix)) and least >= -64 * float(xp.finfo(A.dtype).eps) * size, matrix)
        self.A, self.B, self.Q, self.R, self.X = A, B, Q, R, X
        self.discount, self.sigma, self.n, self.m, self.dim = float(discount), float(sigma), n, m, n * m

    def __repr__(self) -> str:
        return f"LinearQuadratic(n={self.n}, m={self.m}, discount={self.discount}, sigma={self.sigma})"

    def gain(self, x: Array) -> Array:
        """Points (..., m n) as matrices K, shape (..., m, n)."""
        xp, x = arrays(x)
        if x.ndim == 0 or x.shape[-1] != self.dim:
            raise ShapeError(f"a gain must have shape (..., {self.dim}), row by row; got {tuple(x.shape)}")
        return xp.reshape(x, (*x.shape[:-1], self.m, self.n))

    @once
    def _solved(self, x: Array) -> tuple[Array, Array, Array]:
        """(P, Σ, stable) of a gain: one linear system in n² unknowns for both, as each is the other's transpose."""
        K = self.gain(x)
        xp, K, A, B = arrays(K, self.A, self.B)
        n, F = self.n, A + B @ K
        kron = xp.reshape(F[..., :, None, :, None] * F[..., None, :, None, :], (*F.shape[:-2], n * n, n * n))
        system = xp.eye(n * n, dtype=F.dtype) - self.discount * kron
        cost = self.Q + xp.matrix_transpose(K) @ self.R @ K
        start = self.X + self.discount * self.sigma**2 / (1.0 - self.discount) * (B @ B.T)
        P = _solve_matrix(xp, xp.matrix_transpose(system), cost)
        moment = _solve_matrix(xp, system, xp.broadcast_to(start, cost.shape))
        reach = _largest_modulus(xp, F)
        return P, moment, self.discount * reach**2 < 1.0

    def cost(self, x: Array) -> Array:
        """The expected discounted cost, shape (...); ∞ where it is not finite."""
        P, _, stable = self._solved(x)
        xp = arrays(P)[0]
        noise = self.R + self.discount * self.B.T @ P @ self.B
        total = _trace(xp, P @ self.X) + self.sigma**2 / (1.0 - self.discount) * _trace(xp, noise)
        return xp.where(stable, total, xp.asarray(xp.inf, dtype=total.dtype))

    def _slope(self, x: Array) -> tuple[Array, Array]:
        """(E, R + γBᵀPB); NaN where the cost is not finite."""
        P, _, stable = self._solved(x)
        xp, back = arrays(P)[0], self.discount * self.B.T @ P
        weight = self.R + back @ self.B
        slope = weight @ self.gain(x) + back @ self.A
        return xp.where(stable[..., None, None], slope, xp.asarray(xp.nan, dtype=slope.dtype)), weight

    def gradient(self, x: Array) -> Array:
        """2EΣ, shape (..., m n)."""
        return self._flat(2.0 * self._slope(x)[0] @ self._solved(x)[1])

    def natural_gradient(self, x: Array) -> Array:
        """2σ²E, shape (..., m n)."""
        return self._flat(2.0 * self.sigma**2 * self._slope(x)[0])

    def policy_iteration(self, x: Array) -> Iterator[Array]:
        """The gains K − (R + γBᵀPB)⁻¹E one after the other, without end, shape (..., m n)."""
        while True:
            slope, weight = self._slope(x)
            xp = arrays(slope)[0]
            x = self._flat(self.gain(x) - xp.linalg.solve(weight, slope))
            yield x

    def _flat(self, matrix: Array) -> Array:
        return arrays(matrix)[0].reshape(matrix, (*matrix.shape[:-2], self.dim))

    @cached_property
    def optimum(self) -> Array:
        """The best gain, shape (m n,), by SciPy's discrete algebraic Riccati equation.

        Raises
        ------
        DomainError
            Where no gain keeps the cost finite.
        """
        root = self.discount**0.5
        A, B, Q, R = map(to_numpy, (self.A, self.B, self.Q, self.R))
        try:
            P = solve_discrete_are(root * A, root * B, Q, R)
        except (np.linalg.LinAlgError, ValueError) as error:
            raise DomainError(f"no gain makes the cost least: the Riccati equation has no stable solution ({error})") from None
        gain = -np.linalg.solve(R + self.discount * B.T @ P @ B, self.discount * B.T @ P @ A)
        return arrays(self.A, gain.reshape(-1))[2]

    def objective(self) -> Objective:
        """The cost as an objective of `descend`."""
        return _Cost(self)

    def policies(self) -> "LinearPolicies":
        """The gains with the Fisher metric of the policies N(Kx, σ²I) in the states that they lead to."""
        return LinearPolicies(self)


class _Cost(Objective):
    rows = ()

    def __init__(self, problem: LinearQuadratic) -> None:
        self.problem = problem

    def __repr__(self) -> str:
        return f"{self.problem!r}.objective()"

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        return self.problem.cost(x), self.problem.gradient(x)


class LinearPolicies(Riemannian):
    """Gains K, row by row, with the metric I ⊗ Σ(K) / σ². Σ is the discounted second moment of the states.

    Examples
    --------
    >>> one = np.eye(1)
    >>> problem = ig.policy.LinearQuadratic(one, one, one, one, discount=0.9)
    >>> K, M = np.array([-0.5]), problem.policies()
    >>> M.sharp(K, problem.gradient(K)).round(6)
    array([0.451613])
    >>> problem.natural_gradient(K).round(6)
    array([0.451613])
    """

    @takes(problem=LinearQuadratic)
    def __init__(self, problem: LinearQuadratic) -> None:
        self.problem, self.dim = problem, problem.dim

    def __repr__(self) -> str:
        return f"{self.problem!r}.policies()"

    def _moment(self, x: Array) -> Array:
        return self.problem._solved(x)[1] / self.problem.sigma**2

    def _metric(self, xp: Namespace, x: Array) -> Array:
        moment, m = self._moment(x), self.problem.m
        eye = xp.eye(m, dtype=x.dtype)
        return xp.reshape(eye[:, None, :, None] * moment[..., None, :, None, :], (*x.shape[:-1], self.dim, self.dim))

    def _flat(self, xp: Namespace, x: Array, vector: Array) -> Array:
        return self.problem._flat(self.problem.gain(vector) @ self._moment(x))

    def _sharp(self, xp: Namespace, x: Array, covector: Array) -> Array:
        raised = xp.linalg.solve(self._moment(x), xp.matrix_transpose(self.problem.gain(covector)))
        return self.problem._flat(xp.matrix_transpose(raised))


def _solve_matrix(xp: Namespace, system: Array, matrix: Array) -> Array:
    n = matrix.shape[-1]
    return xp.reshape(xp.linalg.solve(system, xp.reshape(matrix, (*matrix.shape[:-2], n * n, 1))), matrix.shape)


def _trace(xp: Namespace, matrix: Array) -> Array:
    return xp.sum(xp.linalg.diagonal(matrix), axis=-1)


def _largest_modulus(xp: Namespace, F: Array) -> Array:
    """The spectral radius, shape (...): on the host, as not every library has eigenvalues of matrices that are not symmetric."""
    host = to_numpy(F)
    finite = np.isfinite(host).all(axis=(-2, -1))
    moduli = np.abs(np.linalg.eigvals(np.where(finite[..., None, None], host, 0.0))).max(axis=-1)
    return xp.asarray(np.where(finite, moduli, np.inf), dtype=F.dtype)
