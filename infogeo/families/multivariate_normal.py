"""The multivariate normal family."""
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np

from ..arrays.draws import Draws
from ..arrays.memo import once
from ..arrays.sums import average, centred
from ..arrays.tracing import ruled
from ..backend import Array, Namespace
from ..domains.base import Domain
from ..domains.convex import ConvexDomain, MappedDomain, PositiveDefinite, ProductDomain, RealSpace
from ..domains.supports import PositiveDefiniteMatrix
from ..geometry.manifolds.rules import of_geodesic, of_log
from ..numerics.linalg import cholesky, inverse_lower, matvec, of_full_rank, outer, positive_definite, trace_minus_log_det
from ..numerics.packing import pack, packed_size, unpack
from .base import ExponentialFamily
from .known import known_integer
from .normal_geodesic import Whitened, geodesic_from, initial_rapidity, initial_velocity

__all__ = ["MultivariateNormal"]


@lru_cache
def _moments(p: int) -> MappedDomain:
    """The pairs (μ, ⟨Σ + μμᵀ⟩) with Σ positive definite."""
    def covariance(xp: Namespace, eta: Array) -> Array:
        return unpack(eta[..., p:], p) - outer(eta[..., :p], eta[..., :p])

    return MappedDomain(
        ProductDomain(RealSpace(p), PositiveDefinite(p)),
        lambda xp, z: xp.concat([z[..., :p], z[..., p:] + pack(outer(z[..., :p], z[..., :p]))], axis=-1),
        lambda xp, eta: positive_definite(xp, covariance(xp, eta)),
        lambda name: f"unpack({name}[{p}:]) - outer({name}[:{p}], {name}[:{p}]) positive definite")


@dataclass(frozen=True)
class MultivariateNormal(ExponentialFamily):
    """The normal distribution on R^p of mean μ and covariance Σ.

    Mathematically, with ⟨·⟩ the isometric packing of symmetric matrices (`infogeo.numerics.packing`),

    - support R^p; T(x) = (x, ⟨xxᵀ⟩); h(x) = (2π)^{−p/2}
    - θ = (Σ⁻¹μ, ⟨−½ Σ⁻¹⟩), the second negative definite; η = (μ, ⟨Σ + μμᵀ⟩), with Σ positive definite
    - ψ(θ) = ½ μᵀΣ⁻¹μ + ½ log det Σ; φ(η) = −p/2 − ½ log det Σ
    - d = p + p (p + 1) / 2; `flat` and `sharp` are matrix products of order p³

    Ordinary parameters: `mean` (..., p), `covariance` (..., p, p), symmetric positive definite.
    Source: Amari, Information Geometry and Its Applications (2016), section 2.1; Skovgaard, A Riemannian geometry of the
    multivariate normal model, Scand. J. Statist. 11 (1984).

    Examples
    --------
    >>> M = ig.MultivariateNormal(2)
    >>> theta = M.theta_from(mean=[0.0, 1.0], covariance=[[2.0, 1.0], [1.0, 2.0]])
    >>> M.parameters(theta)["covariance"].round(12)
    array([[2., 1.],
           [1., 2.]])
    """

    p: int
    nan_outside = ("theta", "eta")      # by their Cholesky factors
    moves_with_x = True

    def __post_init__(self) -> None:
        known_integer(self, "p")

    @property
    def dim(self) -> int:
        return self.p + packed_size(self.p)

    @property
    def theta_domain(self) -> ConvexDomain:
        return ProductDomain(RealSpace(self.p), PositiveDefinite(self.p, -1))

    @property
    def eta_domain(self) -> ConvexDomain:
        return _moments(self.p)

    @property
    def support(self) -> Domain:
        return RealSpace(self.p)

    @property
    def ordinary(self) -> Mapping[str, Domain]:
        return {"mean": RealSpace(self.p), "covariance": PositiveDefiniteMatrix(self.p)}

    # A tangent vector in the chart θ is a pair (a, A) of a vector and a symmetric matrix, and so is a covector

    def _pair(self, xp: Namespace, x: Array) -> tuple[Array, Array]:
        return x[..., :self.p], unpack(x[..., self.p:], self.p)

    def _join(self, xp: Namespace, vector: Array, matrix: Array) -> Array:
        return xp.concat([vector, pack(matrix)], axis=-1)

    @once
    def _parts(self, xp: Namespace, theta: Array) -> tuple[Array, Array, Array, Array, Array]:
        """(μ, Σ, Λ, L⁻¹, log det Λ) with the precision Λ = L Lᵀ."""
        h, m = self._pair(xp, theta)
        precision = -2.0 * m
        lower = cholesky(xp, precision)
        root = inverse_lower(xp, lower)
        covariance = xp.matmul(xp.matrix_transpose(root), root)
        log_det = 2.0 * xp.sum(xp.log(xp.linalg.diagonal(lower)), axis=-1)
        return matvec(xp, covariance, h), covariance, precision, root, log_det

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        mean, _, _, _, log_det = self._parts(xp, theta)
        return 0.5 * (xp.sum(mean * theta[..., :self.p], axis=-1) - log_det)

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        mean, covariance, _, _, _ = self._parts(xp, theta)
        return self._join(xp, mean, covariance + outer(mean, mean))

    def _metric(self, xp: Namespace, theta: Array) -> Array:
        """Cov(x_m, x_i x_j) = Σ_mi μ_j + Σ_mj μ_i and, with S = Σ + μμᵀ,

        Cov(x_i x_j, x_k x_l) = Σ_ik S_jl + μ_i μ_k Σ_jl + Σ_il S_jk + μ_i μ_l Σ_jk.
        """
        mean, covariance, _, _, _ = self._parts(xp, theta)
        square = outer(mean, mean)
        pairs = _Pairs(xp, self.p, theta.dtype)
        fourth = pairs.symmetrised(covariance, covariance + square) + pairs.symmetrised(square, covariance)
        return pairs.assemble(covariance, pairs.crossed(covariance, mean), fourth)

    def _cubic_tensor(self, xp: Namespace, theta: Array) -> Array:
        """The second derivative of η along every pair of coordinate directions."""
        mean, covariance, _, _, _ = self._parts(xp, theta)
        mean, covariance = mean[..., None, None, :], covariance[..., None, None, :, :]
        a, m = self._pair(xp, xp.eye(self.dim, dtype=theta.dtype))
        first, second = (a[:, None, :], m[:, None, :, :]), (a[None, :, :], m[None, :, :, :])
        (d1_mean, d1_cov), (d2_mean, d2_cov) = (self._push(xp, mean, covariance, *pair) for pair in (first, second))
        d12_mean = 2.0 * (matvec(xp, covariance, matvec(xp, first[1], d2_mean) + matvec(xp, second[1], d1_mean)))
        d12_cov = 2.0 * xp.matmul(d2_cov, xp.matmul(first[1], covariance))
        return self._join(xp, d12_mean, 2.0 * (d12_cov + outer(d12_mean, mean) + outer(d1_mean, d2_mean)))

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        mean, second = self._pair(xp, eta)
        return self._natural(xp, mean, second - outer(mean, mean))

    def _natural(self, xp: Namespace, mean: Array, covariance: Array) -> Array:
        """θ of mean and covariance; NaN where the covariance is not positive definite."""
        root = inverse_lower(xp, cholesky(xp, covariance))
        precision = xp.matmul(xp.matrix_transpose(root), root)
        return self._join(xp, matvec(xp, precision, mean), -0.5 * precision)

    def _dual_potential(self, xp: Namespace, eta: Array) -> Array:
        mean, second = self._pair(xp, eta)
        lower = cholesky(xp, second - outer(mean, mean))
        return -0.5 * self.p - xp.sum(xp.log(xp.linalg.diagonal(lower)), axis=-1)

    def _flat(self, xp: Namespace, theta: Array, vector: Array) -> Array:
        mean, covariance, _, _, _ = self._parts(xp, theta)
        d_mean, d_covariance = self._push(xp, mean, covariance, *self._pair(xp, vector))
        return self._join(xp, d_mean, d_covariance + 2.0 * outer(d_mean, mean))

    @staticmethod
    def _push(xp: Namespace, mean: Array, covariance: Array, a: Array, m: Array) -> tuple[Array, Array]:
        """The change (Σ (a + 2 A μ), 2 Σ A Σ) of mean and covariance along the tangent vector (a, A)."""
        d_mean = matvec(xp, covariance, a + 2.0 * matvec(xp, m, mean))
        return d_mean, 2.0 * xp.matmul(covariance, xp.matmul(m, covariance))

    def _sharp(self, xp: Namespace, theta: Array, covector: Array) -> Array:
        mean, _, precision, _, _ = self._parts(xp, theta)
        return self._raise(xp, mean, precision, covector)

    def _raise(self, xp: Namespace, mean: Array, precision: Array, covector: Array) -> Array:
        d_mean, d_second = self._pair(xp, covector)
        cross = outer(d_mean, mean)
        d_covariance = d_second - cross - xp.matrix_transpose(cross)
        m = 0.5 * xp.matmul(precision, xp.matmul(d_covariance, precision))
        return self._join(xp, matvec(xp, precision, d_mean) - 2.0 * matvec(xp, m, mean), m)

    def _dual_metric(self, xp: Namespace, eta: Array) -> Array:
        """In the chart η, with h = Λμ: (1 + μᵀh) Λ + hhᵀ; −½ (Λ_mi h_j + Λ_mj h_i); ¼ (Λ_ik Λ_jl + Λ_il Λ_jk)."""
        theta = self.to_theta(eta)
        h, m = self._pair(xp, theta)
        precision, mean = -2.0 * m, eta[..., :self.p]
        pairs = _Pairs(xp, self.p, eta.dtype)
        first = (1.0 + xp.sum(mean * h, axis=-1))[..., None, None] * precision + outer(h, h)
        return pairs.assemble(first, -0.5 * pairs.crossed(precision, h), 0.25 * pairs.symmetrised(precision, precision))

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return self._join(xp, x, outer(x, x))

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return xp.full_like(x[..., 0], -0.5 * self.p * np.log(2 * np.pi))

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        return -0.5 * self.p * float(np.log(2 * np.pi)) + 0.0 * self._parts(xp, theta)[-1]         # NaN where Λ is not definite

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        """−½ (x − μ)ᵀΛ(x − μ) + ½ log det Λ − (p/2) log 2π: the square completed, which does not cancel."""
        mean, _, precision, _, log_det = self._parts(xp, theta)
        gap = x - mean
        square = xp.sum(gap * matvec(xp, precision, gap), axis=-1)
        return 0.5 * (log_det - square) - 0.5 * self.p * float(np.log(2 * np.pi))

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        return 0.5 * self.p * float(np.log(2 * np.pi * np.e)) - 0.5 * self._parts(xp, theta)[4]

    def _kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """½ (tr W − log det(I + W)) + ½ |Δμ|²_{Λ_q} with W = L⁻¹(Λ_q − Λ_p)L⁻ᵀ and Λ_p = L Lᵀ.

        The pivots 1 + e_i of I + W = U D Uᵀ give tr W − log det(I + W) = Σ (e_i − log(1 + e_i)) + Σ_{i>k} u_ik² (1 + e_k):
        non-negative terms only, without cancellation for near points.
        """
        a, m = self._pair(xp, theta_q - theta_p)
        mean_p, _, _, root, log_det_p = self._parts(xp, theta_p)
        _, covariance_q, precision_q, _, log_det_q = self._parts(xp, theta_q)
        whitened = -2.0 * xp.matmul(root, xp.matmul(m, xp.matrix_transpose(root)))
        near = xp.max(xp.abs(whitened), axis=(-2, -1)) < 0.5
        shift = xp.where(near[..., None], a + 2.0 * matvec(xp, m, mean_p),                   # Λ_q (μ_q − μ_p)
                         theta_q[..., :self.p] - matvec(xp, precision_q, mean_p))
        mahalanobis = xp.sum(shift * matvec(xp, covariance_q, shift), axis=-1)
        return 0.5 * (trace_minus_log_det(xp, whitened, log_det_q - log_det_p) + mahalanobis)

    def _fit(self, xp: Namespace, x: Array, weights: Array) -> Array:
        """From the centred second moment, so that a large mean does not cost digits."""
        mean, away = centred(xp, weights, x)
        moment = average(xp, weights, outer(away, away))
        covariance = of_full_rank(xp, moment, xp.max(xp.abs(x), axis=0))
        enough = xp.sum(xp.astype(weights > 0, xp.int64), axis=0) > self.p
        theta = self._natural(xp, mean, xp.where(enough[..., None, None], covariance, xp.full_like(covariance, xp.nan)))
        variance = xp.linalg.diagonal(moment)
        beyond = (variance == xp.inf) | (variance == 0) & xp.any((weights[..., None] > 0) & (away != 0), axis=0)
        return xp.where(xp.any(beyond, axis=-1)[..., None], xp.full_like(theta, xp.inf), theta)

    def _mean_of_points(self, xp: Namespace, theta: Array, weights: Array) -> Array:
        mean, covariance, _, _, _ = self._parts(xp, theta)
        middle, away = centred(xp, weights, mean)
        return self._natural(xp, middle, average(xp, weights, covariance + outer(away, away)))

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        return self._parameters(xp, theta)["mean"]

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        return self._parameters(xp, theta)["covariance"]

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        xp = draws.xp
        mean, _, _, root, _ = self._parts(xp, theta)
        return mean + matvec(xp, xp.matrix_transpose(root), draws.normal((*shape, self.p)))

    def _theta_from(self, xp: Namespace, mean: Array, covariance: Array) -> Array:
        batch = np.broadcast_shapes(mean.shape[:-1], covariance.shape[:-2])
        return self._natural(xp, xp.broadcast_to(mean, (*batch, self.p)), xp.broadcast_to(covariance, (*batch, self.p, self.p)))

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        mean, covariance, _, _, _ = self._parts(xp, theta)
        return {"mean": mean, "covariance": covariance}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        """dΣ = dS − dμ μᵀ − μ dμᵀ of η = (μ, S)."""
        mean, (d_mean, d_second) = self._parts(xp, theta)[0], self._pair(xp, d_eta)
        cross = outer(d_mean, mean)
        return {"mean": d_mean, "covariance": d_second - cross - xp.matrix_transpose(cross)}

    def _residual(self, xp: Namespace, theta: Array, x: Array) -> dict[str, Array]:
        """(μ − x, Σ − (x − μ)(x − μ)ᵀ)."""
        mean, covariance, _, _, _ = self._parts(xp, theta)
        away = x - mean
        return {"mean": -away, "covariance": covariance - outer(away, away)}

    # The geometry of Fisher and Rao, with the first of two points moved to N(0, I) by x ↦ Lᵀ(x − μ), Λ = L Lᵀ

    def _whitened(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Whitened:
        """The distribution q seen from p, from the difference of the coordinates where they are near."""
        a, m = self._pair(xp, theta_q - theta_p)
        mean_p, _, precision_p, root_p, _ = self._parts(xp, theta_p)
        mean_q, covariance_q, precision_q, root_q, _ = self._parts(xp, theta_q)
        lower_p = xp.matmul(precision_p, xp.matrix_transpose(root_p))
        lower_q = xp.matmul(precision_q, xp.matrix_transpose(root_q))
        excess = -2.0 * xp.matmul(root_p, xp.matmul(m, xp.matrix_transpose(root_p)))         # P − I
        near = xp.max(xp.abs(excess), axis=(-2, -1))[..., None] < 0.5
        shift = xp.where(near, a + 2.0 * matvec(xp, m, mean_p),                              # Λ_q (μ_q − μ_p)
                         theta_q[..., :self.p] - matvec(xp, precision_q, mean_p))
        natural = matvec(xp, root_p, shift)
        root = xp.matmul(xp.matrix_transpose(lower_p), xp.matrix_transpose(root_q))
        covariance = xp.matmul(root, xp.matrix_transpose(root))
        mean = xp.where(near, matvec(xp, covariance, natural), matvec(xp, xp.matrix_transpose(lower_p), mean_q - mean_p))
        precision = excess + xp.eye(self.p, dtype=theta_p.dtype)
        gap = excess + xp.matmul(excess, covariance)                                         # P − S, as S = I − (P − I) S
        return Whitened(xp, mean, natural, covariance, precision, gap, root, xp.matmul(root_p, lower_q))

    def _distance(self, xp: Namespace, x: Array, y: Array) -> Array:
        """The Fisher–Rao distance, shape (...); see `Whitened`, and of one dimension `Normal`."""
        return self._whitened(xp, x, y).distance()

    def _geodesic(self, xp: Namespace, x: Array, y: Array, t: Array) -> Array:
        """The point at time t of the geodesic from x (t = 0) to y (t = 1), shape (..., dim)."""
        between = lambda x, y, t: self._along(xp, x, self._whitened(xp, x, y).rapidity(), t)       # noqa: E731
        return ruled(xp, between, partial(of_geodesic, self), x, y, t)

    def _exp(self, xp: Namespace, x: Array, vector: Array) -> Array:
        """The point at time 1 of the geodesic that starts at x with this velocity, shape (..., dim)."""
        mean, _, _, root, _ = self._parts(xp, x)
        a, m = self._pair(xp, vector)
        d_mean = matvec(xp, root, a + 2.0 * matvec(xp, m, mean))
        d_covariance = 2.0 * xp.matmul(root, xp.matmul(m, xp.matrix_transpose(root)))
        batch = np.broadcast_shapes(d_mean.shape[:-1], d_covariance.shape[:-2])
        rapidity = initial_rapidity(xp, d_mean, xp.broadcast_to(d_covariance, (*batch, self.p, self.p)))
        return self._along(xp, x, rapidity, xp.ones(batch, dtype=x.dtype))

    def _log(self, xp: Namespace, x: Array, y: Array) -> Array:
        """The velocity at x of the geodesic that is at y at time 1, shape (..., dim)."""
        return ruled(xp, partial(self._velocity, xp), partial(of_log, self), x, y)

    def _velocity(self, xp: Namespace, x: Array, y: Array) -> Array:
        whitened = self._whitened(xp, x, y)
        d_mean, d_covariance = initial_velocity(whitened.rapidity())
        mean, _, precision, root, _ = self._parts(xp, x)
        lower = xp.matmul(precision, xp.matrix_transpose(root))
        m = 0.5 * xp.matmul(lower, xp.matmul(d_covariance, xp.matrix_transpose(lower)))
        return self._join(xp, matvec(xp, lower, d_mean) - 2.0 * matvec(xp, m, mean), m)

    def _along(self, xp: Namespace, x: Array, rapidity: Array, t: Array) -> Array:
        """The point at time t of the geodesic that leaves x with this rapidity of the whitened one."""
        mean, _, precision, root, _ = self._parts(xp, x)
        lower = xp.matmul(precision, xp.matrix_transpose(root))
        whitened, natural = geodesic_from(xp, rapidity, t)
        moved = xp.matmul(lower, xp.matmul(whitened, xp.matrix_transpose(lower)))
        return self._join(xp, matvec(xp, lower, natural) + matvec(xp, moved, mean), -0.5 * moved)


class _Pairs:
    """Tensors over the packed pairs a = (i, j), b = (k, l), with the weights of the packing."""

    def __init__(self, xp: Namespace, p: int, dtype: Any) -> None:
        self.xp, self.p = xp, p
        i, j = np.triu_indices(p)
        weight = np.where(i == j, 1.0, np.sqrt(2.0))
        self.i, self.j, self.weight = xp.asarray(i), xp.asarray(j), xp.asarray(weight, dtype=dtype)

        def first(x: Array, y: Array) -> Array:
            return xp.asarray((x[:, None] * p + y[None, :]).reshape(-1))

        self.ik, self.jl, self.il, self.jk = first(i, i), first(j, j), first(i, j), first(j, i)

    def _entries(self, matrix: Array, index: Array) -> Array:
        size, xp = self.weight.shape[0], self.xp
        batch = matrix.shape[:-2]
        return xp.reshape(xp.take(xp.reshape(matrix, (*batch, self.p**2)), index, axis=-1), (*batch, size, size))

    def symmetrised(self, u: Array, v: Array) -> Array:
        """U_ik V_jl + U_il V_jk."""
        total = self._entries(u, self.ik) * self._entries(v, self.jl) + self._entries(u, self.il) * self._entries(v, self.jk)
        return total * (self.weight[:, None] * self.weight[None, :])

    def crossed(self, u: Array, vector: Array) -> Array:
        """U_mi v_j + U_mj v_i, shape (..., p, pairs)."""
        xp = self.xp
        u_i, u_j = xp.take(u, self.i, axis=-1), xp.take(u, self.j, axis=-1)
        v_i, v_j = (xp.take(vector, index, axis=-1)[..., None, :] for index in (self.i, self.j))
        return (u_i * v_j + u_j * v_i) * self.weight

    def assemble(self, first: Array, crossed: Array, fourth: Array) -> Array:
        """[[first, crossed], [crossedᵀ, fourth]]."""
        xp = self.xp
        above = xp.concat([first, crossed], axis=-1)
        below = xp.concat([xp.matrix_transpose(crossed), fourth], axis=-1)
        return xp.concat([above, below], axis=-2)
