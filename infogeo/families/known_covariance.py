"""Normal families with a given covariance: vectors, and matrices with given row and column covariances."""
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from ..arrays.draws import Draws
from ..backend import Array, Namespace, arrays, to_numpy
from ..domains.base import Domain
from ..domains.convex import ConvexDomain, RealSpace
from ..domains.supports import PositiveDefiniteMatrix
from ..errors import ShapeError
from ..geometry.manifolds.arc_length import ConstantMetric
from ..geometry.manifolds.separable import diagonal3
from ..numerics.linalg import matvec
from .base import ExponentialFamily

__all__ = ["MatrixNormalKnownCovariances", "MultivariateNormalKnownCovariance"]


@dataclass(frozen=True)
class _Covariance:
    """A symmetric positive definite matrix, its inverse, a root, and its log-determinant, held as NumPy arrays."""

    matrix: Array
    inverse: Array
    lower: Array
    log_det: float

    @classmethod
    def checked(cls, name: str, value: Any) -> Self:
        matrix = np.array(to_numpy(arrays(value)[1]), dtype=float)
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
            raise ShapeError(f"{name} must have shape (p, p); got {matrix.shape}")
        PositiveDefiniteMatrix(matrix.shape[0]).require(name, matrix)
        lower = np.linalg.cholesky(matrix)
        root = np.linalg.inv(lower)
        found = cls(matrix, root.T @ root, lower, 2.0 * float(np.sum(np.log(np.diag(lower)))))
        for array in (found.matrix, found.inverse, found.lower):
            array.flags.writeable = False
        return found

    @property
    def p(self) -> int:
        return int(self.matrix.shape[0])


class _KnownCovariance(ConstantMetric, ExponentialFamily):
    """A normal family of given covariance Σ on coordinates θ = Σ⁻¹μ: ψ(θ) = ½ θ·Σθ, and the metric is Σ everywhere."""

    @abstractmethod
    def _lower(self, xp: Namespace, vector: Array) -> Array:
        """Σ v, shape (..., dim)."""

    @abstractmethod
    def _raise(self, xp: Namespace, covector: Array) -> Array:
        """Σ⁻¹ c, shape (..., dim)."""

    @abstractmethod
    def _factor_times(self, xp: Namespace, vector: Array) -> Array:
        """L v with L Lᵀ = Σ, shape (..., dim)."""

    @property
    @abstractmethod
    def _log_det(self) -> float:
        """log det Σ."""

    @property
    def theta_domain(self) -> ConvexDomain:
        return RealSpace(self.dim)

    @property
    def eta_domain(self) -> ConvexDomain:
        return RealSpace(self.dim)

    def _as_vector(self, xp: Namespace, x: Array) -> Array:
        """An observation as a vector of coordinates."""
        return xp.reshape(x, (*x.shape[:x.ndim - len(self.support.shape)], self.dim))

    def _as_observation(self, xp: Namespace, vector: Array) -> Array:
        return xp.reshape(vector, (*vector.shape[:-1], *self.support.shape))

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        return 0.5 * xp.sum(theta * self._lower(xp, theta), axis=-1)

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        return self._lower(xp, theta)

    def _metric(self, xp: Namespace, theta: Array) -> Array:
        return self._everywhere(xp, self._lower, theta)

    def _cubic_tensor(self, xp: Namespace, theta: Array) -> Array:
        return diagonal3(xp, 0.0 * theta)

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        return self._raise(xp, eta)

    def _dual_potential(self, xp: Namespace, eta: Array) -> Array:
        return 0.5 * xp.sum(eta * self._raise(xp, eta), axis=-1)

    def _flat(self, xp: Namespace, theta: Array, vector: Array) -> Array:
        return self._constant(xp, self._lower, theta, vector)

    def _sharp(self, xp: Namespace, theta: Array, covector: Array) -> Array:
        return self._constant(xp, self._raise, theta, covector)

    def _constant(self, xp: Namespace, operator: Callable[..., Array], x: Array, vector: Array) -> Array:
        return operator(xp, vector) + 0.0 * x       # NaN where x is

    def _dual_flat(self, xp: Namespace, eta: Array, vector: Array) -> Array:
        return self._constant(xp, self._raise, eta, vector)

    def _dual_sharp(self, xp: Namespace, eta: Array, covector: Array) -> Array:
        return self._constant(xp, self._lower, eta, covector)

    def _dual_metric(self, xp: Namespace, eta: Array) -> Array:
        return self._everywhere(xp, self._raise, eta)

    def _everywhere(self, xp: Namespace, operator: Callable[..., Array], x: Array) -> Array:
        return operator(xp, xp.eye(self.dim, dtype=x.dtype)) + 0.0 * x[..., None]

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return self._as_vector(xp, x)

    def _log_normal(self, xp: Namespace, gap: Array) -> Array:
        """−½ g·Σ⁻¹g − ½ log det(2πΣ)."""
        square = xp.sum(gap * self._raise(xp, gap), axis=-1)
        return -0.5 * (square + (self._log_det + self.dim * float(np.log(2 * np.pi))))

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return self._log_normal(xp, self._as_vector(xp, x))

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        return -self._entropy(xp, theta) - self._potential(xp, theta)

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        """−½ (x − μ)·Σ⁻¹(x − μ) − ½ log det(2πΣ): the square completed, which does not cancel."""
        return self._log_normal(xp, self._as_vector(xp, x) - self._lower(xp, theta))

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        return 0.5 * (self._log_det + self.dim * float(np.log(2 * np.pi * np.e))) + 0.0 * theta[..., 0]

    def _kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """½ |μ_p − μ_q|² in the precision, ½ (θ_p − θ_q)·Σ(θ_p − θ_q)."""
        return self._potential(xp, theta_p - theta_q)

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        return self._as_observation(xp, self._lower(xp, theta))

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        return xp.reshape(self._metric(xp, theta), (*theta.shape[:-1], *self.support.shape, *self.support.shape))

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        xp = draws.xp
        noise = self._factor_times(xp, draws.normal((*shape, self.dim)))
        return self._as_observation(xp, self._lower(xp, theta) + noise)

    def _theta_from(self, xp: Namespace, mean: Array) -> Array:
        return self._raise(xp, self._as_vector(xp, mean))

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"mean": self._as_observation(xp, self._lower(xp, theta))}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        return {"mean": self._as_observation(xp, d_eta)}


def _shared(xp: Namespace, matrix: Array, x: Array) -> Array:
    """A constant matrix in the library and dtype of x."""
    return xp.asarray(matrix, dtype=x.dtype)


@dataclass(frozen=True, eq=False)
class MultivariateNormalKnownCovariance(_KnownCovariance):
    """The normal distribution on R^p of mean μ and given covariance Σ.

    Mathematically,

    - support R^p; T(x) = x; h(x) the density of N(0, Σ)
    - θ = Σ⁻¹μ and η = μ, both all of R^p
    - ψ(θ) = ½ θ·Σθ; φ(η) = ½ η·Σ⁻¹η
    - the metric is Σ everywhere: the manifold is Euclidean

    Ordinary parameters: `mean`, shape (..., p).

    Examples
    --------
    >>> M = ig.MultivariateNormalKnownCovariance([[2.0, 1.0], [1.0, 2.0]])
    >>> p, q = M.theta_from(mean=[[0.0, 0.0], [1.0, 1.0]])
    >>> float(M.kl(p, q).round(4))  # ½ Mahalanobis²
    0.3333
    """

    known_covariance: Array
    _sigma: _Covariance = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_sigma", _Covariance.checked("known_covariance", self.known_covariance))
        object.__setattr__(self, "known_covariance", self._sigma.matrix)

    @property
    def dim(self) -> int:
        return self._sigma.p

    @property
    def support(self) -> Domain:
        return RealSpace(self.dim)

    @property
    def ordinary(self) -> Mapping[str, Domain]:
        return {"mean": RealSpace(self.dim)}

    @property
    def _log_det(self) -> float:
        return self._sigma.log_det

    def _lower(self, xp: Namespace, vector: Array) -> Array:
        return matvec(xp, _shared(xp, self._sigma.matrix, vector), vector)

    def _raise(self, xp: Namespace, covector: Array) -> Array:
        return matvec(xp, _shared(xp, self._sigma.inverse, covector), covector)

    def _factor_times(self, xp: Namespace, vector: Array) -> Array:
        return matvec(xp, _shared(xp, self._sigma.lower, vector), vector)


class _Matrices(Domain):
    """Finite n × p matrices."""

    def __init__(self, n: int, p: int) -> None:
        self.n, self.p = n, p

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.n, self.p)

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        return xp.all(xp.isfinite(x), axis=(-2, -1))

    def rule(self, name: str) -> str:
        return f"{name} finite"


@dataclass(frozen=True, eq=False)
class MatrixNormalKnownCovariances(_KnownCovariance):
    """The normal distribution of an n × p matrix of mean M, with given covariances U of its rows' index and V of its columns'.

    Mathematically, Cov(x_ij, x_kl) = U_ik V_jl, and with matrices written row by row as vectors,

    - support R^{n × p}; T(x) = x; h(x) the density for M = 0
    - θ = U⁻¹MV⁻¹ and η = M, both all of R^{np}
    - ψ(θ) = ½ tr(θᵀUθV); φ(η) = ½ tr(ηᵀU⁻¹ηV⁻¹)
    - the metric is U ⊗ V everywhere: `flat` is UvV and `sharp` U⁻¹cV⁻¹, never an np × np product

    Ordinary parameters: `mean`, shape (..., n, p).
    Source: Dawid, Some matrix-variate distribution theory, Biometrika 68 (1981).

    Examples
    --------
    >>> M = ig.MatrixNormalKnownCovariances(np.diag([1.0, 2.0]), [[3.0]])
    >>> theta = M.theta_from(mean=[[1.0], [1.0]])
    >>> theta.round(4), M.metric(theta).round(12)
    (array([0.3333, 0.1667]), array([[3., 0.],
           [0., 6.]]))
    """

    row_covariance: Array
    column_covariance: Array
    _rows: _Covariance = field(init=False, repr=False, compare=False)
    _columns: _Covariance = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rows", _Covariance.checked("row_covariance", self.row_covariance))
        object.__setattr__(self, "_columns", _Covariance.checked("column_covariance", self.column_covariance))
        object.__setattr__(self, "row_covariance", self._rows.matrix)
        object.__setattr__(self, "column_covariance", self._columns.matrix)

    @property
    def dim(self) -> int:
        return self._rows.p * self._columns.p

    @property
    def support(self) -> Domain:
        return _Matrices(self._rows.p, self._columns.p)

    @property
    def ordinary(self) -> Mapping[str, Domain]:
        return {"mean": self.support}

    @property
    def _log_det(self) -> float:
        return self._columns.p * self._rows.log_det + self._rows.p * self._columns.log_det

    def _sandwich(self, xp: Namespace, left: Array, right: Array, vector: Array) -> Array:
        matrix = self._as_observation(xp, vector)
        product = xp.matmul(_shared(xp, left, vector), xp.matmul(matrix, _shared(xp, right, vector)))
        return self._as_vector(xp, product)

    def _lower(self, xp: Namespace, vector: Array) -> Array:
        return self._sandwich(xp, self._rows.matrix, self._columns.matrix, vector)

    def _raise(self, xp: Namespace, covector: Array) -> Array:
        return self._sandwich(xp, self._rows.inverse, self._columns.inverse, covector)

    def _factor_times(self, xp: Namespace, vector: Array) -> Array:
        return self._sandwich(xp, self._rows.lower, self._columns.lower.T, vector)
