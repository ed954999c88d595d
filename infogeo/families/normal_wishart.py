"""The normal–Wishart family: the conjugate prior of mean and precision of the multivariate normal family."""
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ..arrays.draws import Draws
from ..arrays.memo import once
from ..arrays.sums import average
from ..backend import Array, Namespace, arrays
from ..domains.base import Domain
from ..domains.chart import Chart
from ..domains.convex import ConvexDomain, MappedDomain, Orthant, PositiveDefinite, ProductDomain, RealSpace
from ..domains.supports import Interval, PositiveDefiniteMatrix
from ..numerics.exponentials import quotient_gap
from ..numerics.linalg import cholesky, inverse_lower, matvec, outer
from ..numerics.packing import pack, packed_size, unpack
from ..numerics.piecewise import positive
from .base import ExponentialFamily
from .known import known_integer
from .matrix_gamma import (bartlett_factor, differ, inverse_and_log_det, inverse_matrix_gamma_moments, log_det, log_det_of_root,
                           matrix_gamma_kl, matrix_gamma_moments, mean_and_gap, pull, push, push_twice, shape_from_gap,
                           shape_potential, with_location)
from .wishart import Wishart, number_and_matrix

__all__ = ["NormalWishart", "log_normal_given_precision"]


def _split(xp: Namespace, x: Array, p: int) -> tuple[Array, Array, Array, Array]:
    """(s, A, a, c): a number, a symmetric matrix, a vector and a number of coordinates (s, ⟨A⟩, a, c)."""
    end = 1 + packed_size(p)
    return x[..., 0], unpack(x[..., 1:end], p), x[..., end:end + p], x[..., -1]


def _join(xp: Namespace, s: Array, matrix: Array, vector: Array, number: Array) -> Array:
    return xp.concat([s[..., None], pack(matrix), vector, number[..., None]], axis=-1)


def _natural(xp: Namespace, s: Array, rate: Array, m: Array, kappa: Array) -> Array:
    """θ = (s, ⟨−R − ½κmmᵀ⟩, κm, −½κ)."""
    scaled = kappa[..., None] * m
    return _join(xp, s, -(rate + 0.5 * outer(scaled, m)), scaled, -0.5 * kappa)


def _rate(xp: Namespace, matrix: Array, vector: Array, number: Array) -> Array:
    """R of θ."""
    return -matrix + 0.25 * outer(vector / number[..., None], vector)


def _spread(xp: Namespace, matrix: Array, vector: Array, number: Array) -> Array:
    """p / κ of η: E μᵀΛμ − (E Λμ)ᵀ(E Λ)⁻¹(E Λμ), the latter a sum of squares, which no condition of E Λ spoils."""
    whitened = matvec(xp, inverse_and_log_det(xp, matrix)[0], vector)
    return number - xp.sum(whitened * whitened, axis=-1)


def log_normal_given_precision(xp: Namespace, whitened: Array, kappa: Array, log_det_precision: Array) -> Array:
    """log N(μ; m, (κΛ)⁻¹) from Λ^{1/2} (μ − m) and log det Λ."""
    p = whitened.shape[-1]
    return 0.5 * (log_det_precision + p * xp.log(kappa / (2 * np.pi)) - kappa * xp.sum(whitened * whitened, axis=-1))


class _NaturalChart(Chart):
    """θ of (s, ⟨R⟩, m, κ)."""

    def __init__(self, p: int) -> None:
        self.p = p

    def _parts(self, *xs: Array) -> Any:
        xp, *found = arrays(*xs)
        return xp, *(_split(xp, x, self.p) for x in found)

    def __call__(self, u: Array) -> Array:
        xp, parts = self._parts(u)
        return _natural(xp, *parts)

    def inverse(self, x: Array) -> Array:
        xp, (s, matrix, vector, number) = self._parts(x)
        kappa = -2.0 * number
        return _join(xp, s, _rate(xp, matrix, vector, number), vector / kappa[..., None], kappa)

    def push_forward(self, u: Array, vector: Array) -> Array:
        xp, (_, _, m, kappa), (ds, d_rate, dm, d_kappa) = self._parts(u, vector)
        cross = outer(kappa[..., None] * dm + 0.5 * d_kappa[..., None] * m, m)     # its symmetric part is ½ d(κmmᵀ)
        return _join(xp, ds, -d_rate - cross, kappa[..., None] * dm + d_kappa[..., None] * m, -0.5 * d_kappa)

    def pull_back(self, u: Array, covector: Array) -> Array:
        xp, (s, rate, m, kappa), (c_s, C, c, number) = self._parts(u, covector)
        turned = c - matvec(xp, C, m)
        at_kappa = xp.sum(m * (turned + c), axis=-1) - number
        return _join(xp, c_s + 0.0 * s, -C + 0.0 * rate, kappa[..., None] * turned, 0.5 * at_kappa)

    def pull_back_tangent(self, u: Array, vector: Array, covector: Array) -> Array:
        xp, (_, _, m, kappa), (_, _, dm, d_kappa), (c_s, C, c, _) = self._parts(u, vector, covector)
        turned = c - matvec(xp, C, m)
        at_m = d_kappa[..., None] * turned - kappa[..., None] * matvec(xp, C, dm)
        at_kappa = xp.sum(dm * turned, axis=-1)
        return _join(xp, 0.0 * (c_s + at_kappa), 0.0 * (C + at_kappa[..., None, None]), at_m, at_kappa)


@lru_cache
def _parameters(p: int) -> MappedDomain:
    """The θ with s > 0, κ > 0 and R positive definite."""
    def inside(xp: Namespace, theta: Array) -> Array:
        s, matrix, vector, number = _split(xp, theta, p)
        return (s > 0) & (number < 0) & xp.isfinite(log_det(xp, _rate(xp, matrix, vector, number)))

    end = 1 + packed_size(p)
    return MappedDomain(
        _factors(p), _NaturalChart(p), inside,
        lambda name: f"{name}[0] > 0 and {name}[{end + p}] < 0 and unpack({name}[1:{end}]) - outer({name}[{end}:{end + p}], "
                     f"{name}[{end}:{end + p}]) / (4 {name}[{end + p}]) negative definite")


@lru_cache
def _means(p: int) -> MappedDomain:
    """The η with E Λ positive definite, E log det Λ < log det E Λ and E μᵀΛμ > (E Λμ)ᵀ(E Λ)⁻¹(E Λμ)."""
    def image(xp: Namespace, z: Array) -> Array:
        gap, mean, m, spread = _split(xp, z, p)
        moment = matvec(xp, mean, m)
        return _join(xp, log_det(xp, mean) - gap, mean, moment, spread + xp.sum(m * moment, axis=-1))

    def inside(xp: Namespace, eta: Array) -> Array:
        first, mean, vector, number = _split(xp, eta, p)
        return (first < log_det(xp, mean)) & (_spread(xp, mean, vector, number) > 0)

    end = 1 + packed_size(p)
    return MappedDomain(
        _factors(p), image, inside,
        lambda name: f"M = unpack({name}[1:{end}]) positive definite, {name}[0] < log(det(M)) and "
                     f"{name}[{end + p}] > {name}[{end}:{end + p}] @ inv(M) @ {name}[{end}:{end + p}]")


def _factors(p: int) -> Array:
    return ProductDomain(Orthant(1), PositiveDefinite(p), RealSpace(p), Orthant(1))


@dataclass(frozen=True)
class NormalWishart(ExponentialFamily):
    """The normal–Wishart distribution of a mean μ and a precision matrix Λ: Λ is Wishart, and μ given Λ is N(m, (κΛ)⁻¹).

    Mathematically, an observation is the vector x = (μ, ⟨Λ⟩), with ⟨·⟩ the isometric packing of symmetric matrices
    (`infogeo.numerics.packing`); with s = (ν − p + 1) / 2, a = ν / 2, R = ½V⁻¹, and ψ_W, φ_W the potentials of `Wishart`,

    - support: μ in R^p, Λ positive definite; T(x) = (log det Λ, ⟨Λ⟩, Λμ, μᵀΛμ); h(x) = (2π)^{−p/2} (det Λ)^{−1/2}
    - θ = (s, ⟨−R − ½κmmᵀ⟩, κm, −½κ), with s > 0, κ > 0, R positive definite
    - η = (Σ_j digamma(s + j/2) − log det R, ⟨M⟩, Mm, p/κ + mᵀMm) with M = E Λ = aR⁻¹
    - ψ(θ) = ψ_W(s, R) − (p/2) log κ; φ(η) = φ_W + (p/2) (log κ − 1)
    - `flat` and `sharp` go through the changes of (s, R, m, κ), where the metric is block diagonal: order p³

    d = p (p + 1) / 2 + p + 2. θ₁ is s, the distance from the edge ν = p − 1, so that a distribution near the edge keeps its
    digits. Densities are with respect to μ and the entries of Λ on and above the diagonal.

    Ordinary parameters: `location` m (..., p); `precision_scale` κ (...), positive; `degrees_of_freedom` ν (...), above p − 1;
    `scale_matrix` V (..., p, p), symmetric positive definite.
    Source: DeGroot, Optimal Statistical Decisions (1970), section 9.10.

    Examples
    --------
    >>> M = ig.NormalWishart(1)
    >>> theta = M.theta_from(location=[3.0], precision_scale=1.0,
    ...                      degrees_of_freedom=4.0, scale_matrix=[[2.0]])
    >>> M.mean(theta).round(9)  # E Λ = ν V
    array([3., 8.])
    """

    p: int
    nan_outside = ("theta", "eta")      # by their Cholesky factors

    def __post_init__(self) -> None:
        known_integer(self, "p")

    @property
    def dim(self) -> int:
        return packed_size(self.p) + self.p + 2

    @property
    def theta_domain(self) -> ConvexDomain:
        return _parameters(self.p)

    @property
    def eta_domain(self) -> ConvexDomain:
        return _means(self.p)

    @property
    def support(self) -> Domain:
        return ProductDomain(RealSpace(self.p), PositiveDefinite(self.p))

    @property
    def ordinary(self) -> Mapping[str, Domain]:
        return {"location": RealSpace(self.p), "precision_scale": Interval(0), "degrees_of_freedom": Interval(self.p - 1),
                "scale_matrix": PositiveDefiniteMatrix(self.p)}

    @once
    def _parts(self, xp: Namespace, theta: Array) -> tuple[Array, Array, Array, Array, Array, Array, Array]:
        """(s, m, κ, R, L⁻¹, R⁻¹, log det R) with R = L Lᵀ; all but L⁻¹ and log det R are NaN outside the domain."""
        s, matrix, vector, number = _split(xp, theta, self.p)
        rate = _rate(xp, matrix, vector, number)
        root, inverse, log_det_rate = inverse_and_log_det(xp, rate)
        nothing = 0.0 * (positive(xp, s) + positive(xp, -2.0 * number) + log_det_rate)
        s, kappa, matrices = s + nothing, nothing - 2.0 * number, nothing[..., None, None]
        return s, vector / kappa[..., None], kappa, rate + matrices, root, inverse + matrices, log_det_rate

    def _mean_precision(self, s: Array, inverse: Array) -> Array:
        """E Λ = aR⁻¹."""
        return (s + 0.5 * (self.p - 1))[..., None, None] * inverse

    @property
    def _wishart(self) -> Wishart:
        return Wishart(self.p)

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        s, _, kappa, rate, _, _, _ = self._parts(xp, theta)
        return self._wishart._potential(xp, number_and_matrix(xp, s, -rate)) - 0.5 * self.p * xp.log(kappa)

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        s, m, kappa, rate, _, inverse, _ = self._parts(xp, theta)
        first = self._wishart._to_eta(xp, number_and_matrix(xp, s, -rate))[..., 0]
        mean = self._mean_precision(s, inverse)
        moment = matvec(xp, mean, m)
        return _join(xp, first, mean, moment, self.p / kappa + xp.sum(m * moment, axis=-1))

    def _metric(self, xp: Namespace, theta: Array) -> Array:
        return self._on_basis(xp, self._flat, theta)

    def _cubic_tensor(self, xp: Namespace, theta: Array) -> Array:
        """The second change of η along two tangent vectors of the basis, by the second changes of (s, R, m, κ)."""
        s, m, kappa, _, _, inverse, _ = self._parts(xp, theta[..., None, None, :])
        basis = xp.eye(self.dim, dtype=theta.dtype)
        u_s, u_rate, u_m, u_kappa = self._inner_change(xp, m, kappa, basis[:, None, :])
        v_s, v_rate, v_m, v_kappa = self._inner_change(xp, m, kappa, basis[None, :, :])
        d2_m = -(u_kappa[..., None] * v_m + v_kappa[..., None] * u_m) / kappa[..., None]
        cross = kappa[..., None, None] * outer(u_m, v_m)
        d2_rate = -0.5 * (cross + xp.matrix_transpose(cross))
        first, d2_mean = push_twice(xp, s, inverse, (u_s, u_rate), (v_s, v_rate), d2_rate)
        u_mean, v_mean = push(xp, s, inverse, u_s, u_rate)[1], push(xp, s, inverse, v_s, v_rate)[1]
        mean = self._mean_precision(s, inverse)
        turned, bent = matvec(xp, d2_mean, m), matvec(xp, mean, d2_m)
        mixed = matvec(xp, u_mean, v_m) + matvec(xp, v_mean, u_m)
        last = xp.sum(m * (turned + 2.0 * (mixed + bent)), axis=-1) + 2.0 * xp.sum(u_m * matvec(xp, mean, v_m), axis=-1)
        return _join(xp, first, d2_mean, turned + mixed + bent, last + 2.0 * self.p * u_kappa * v_kappa / kappa**3)

    def _observed(self, xp: Namespace, x: Array) -> tuple[Array, Array]:
        """(μ, Λ) of an observation."""
        return x[..., :self.p], unpack(x[..., self.p:], self.p)

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        first, mean, vector, number = _split(xp, eta, self.p)
        _, inverse, log_det_mean = inverse_and_log_det(xp, mean)
        m = matvec(xp, inverse, vector)
        kappa = self.p / positive(xp, _spread(xp, mean, vector, number))
        return self._from_mean(xp, log_det_mean - first, inverse, m, kappa)

    def _from_mean(self, xp: Namespace, gap: Array, inverse_mean: Array, m: Array, kappa: Array) -> Array:
        s = shape_from_gap(xp, gap, self.p) + 0.0 * kappa
        return _natural(xp, s, self._mean_precision(s, inverse_mean), m, kappa + 0.0 * s)

    def _dual_potential(self, xp: Namespace, eta: Array) -> Array:
        return self._negative_entropy(xp, self.to_theta(eta))

    def _negative_entropy(self, xp: Namespace, theta: Array) -> Array:
        s, _, kappa, _, _, _, log_det_rate = self._parts(xp, theta)
        return shape_potential(xp, s, log_det_rate, self.p) + 0.5 * self.p * (xp.log(kappa) - 1.0)

    # Changes of θ, of (s, R, m, κ), and of η

    def _inner_change(self, xp: Namespace, m: Array, kappa: Array, vector: Array) -> tuple[Array, Array, Array, Array]:
        """(ds, dR, dm, dκ) along a tangent vector in the chart θ."""
        d_shape, matrix, linear, number = _split(xp, vector, self.p)
        d_kappa = -2.0 * number
        d_m = (linear - m * d_kappa[..., None]) / kappa[..., None]
        cross = outer(linear - 0.5 * d_kappa[..., None] * m, m)              # d(κmmᵀ) is this and its transpose
        return d_shape, -matrix - 0.5 * (cross + xp.matrix_transpose(cross)), d_m, d_kappa

    def _flat(self, xp: Namespace, theta: Array, vector: Array) -> Array:
        s, m, kappa, _, _, inverse, _ = self._parts(xp, theta)
        d_shape, d_rate, d_m, d_kappa = self._inner_change(xp, m, kappa, vector)
        first, d_mean = push(xp, s, inverse, d_shape, d_rate)
        turned, pulled = matvec(xp, d_mean, m), matvec(xp, self._mean_precision(s, inverse), d_m)
        last = xp.sum(m * (turned + 2.0 * pulled), axis=-1) - self.p * d_kappa / kappa**2
        return _join(xp, first, d_mean, turned + pulled, last)

    def _sharp(self, xp: Namespace, theta: Array, covector: Array) -> Array:
        s, m, kappa, rate, _, _, _ = self._parts(xp, theta)
        first, d_mean, d_moment, d_last = _split(xp, covector, self.p)
        turned = matvec(xp, d_mean, m)
        pulled = d_moment - turned                                            # M dm
        d_m = matvec(xp, rate, pulled) / (s + 0.5 * (self.p - 1))[..., None]
        d_kappa = -(kappa**2 / self.p) * (d_last - xp.sum(m * (turned + 2.0 * pulled), axis=-1))
        d_shape, d_rate = pull(xp, s, rate, first, d_mean)
        linear = kappa[..., None] * d_m + d_kappa[..., None] * m
        cross = outer(linear - 0.5 * d_kappa[..., None] * m, m)
        return _join(xp, d_shape, -d_rate - 0.5 * (cross + xp.matrix_transpose(cross)), linear, -0.5 * d_kappa)

    def _dual_metric(self, xp: Namespace, eta: Array) -> Array:
        return self._on_basis(xp, self._sharp, self.to_theta(eta))

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        mu, precision = self._observed(xp, x)
        moment = matvec(xp, precision, mu)
        return _join(xp, log_det(xp, precision), precision, moment, xp.sum(mu * moment, axis=-1))

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return -0.5 * (log_det(xp, self._observed(xp, x)[1]) + self.p * float(np.log(2 * np.pi)))

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        return -0.5 * (self._to_eta(xp, theta)[..., 0] + self.p * float(np.log(2 * np.pi)))

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        """That of Λ, and of μ given Λ, from μ − m."""
        s, m, kappa, rate, _, _, _ = self._parts(xp, theta)
        mu, precision = self._observed(xp, x)
        root = cholesky(xp, precision)
        away = matvec(xp, xp.matrix_transpose(root), mu - m)
        marginal = self._wishart._log_density(xp, number_and_matrix(xp, s, -rate), precision)
        return marginal + log_normal_given_precision(xp, away, kappa, log_det_of_root(xp, root))

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        return -self._negative_entropy(xp, theta) - self._expected_log_base_measure(xp, theta)

    def _kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """That of the marginals of Λ, and of μ given Λ: (p/2) (r − 1 − log r) + ½ κ_q |m_p − m_q|² in E_p Λ, r = κ_q / κ_p."""
        s_p, m_p, kappa_p, _, root, inverse, log_det_p = self._parts(xp, theta_p)
        s_q, _, kappa_q, rate_q, _, _, log_det_q = self._parts(xp, theta_q)
        step, matrix, linear, number = _split(xp, theta_q - theta_p, self.p)
        shift = (linear + 2.0 * number[..., None] * m_p) / kappa_q[..., None]    # m_q − m_p
        # κ_q m_q m_qᵀ − κ_p m_p m_pᵀ, from differences of coordinates
        cross = outer(linear + number[..., None] * m_p, m_p)
        change = cross + xp.matrix_transpose(cross) + kappa_q[..., None, None] * outer(shift, shift)
        marginal = matrix_gamma_kl(xp, s_p, s_q, step, root, rate_q, -matrix - 0.5 * change, log_det_q - log_det_p)
        square = xp.sum(shift * matvec(xp, self._mean_precision(s_p, inverse), shift), axis=-1)
        return marginal + 0.5 * (self.p * quotient_gap(xp, kappa_q, kappa_p, -2.0 * number) + kappa_q * square)

    def _fit(self, xp: Namespace, x: Array, weights: Array) -> Array:
        """From deviations from the mean of Λ and from m, so that concentrated samples keep their digits."""
        mu, precision = self._observed(xp, x)
        mean, gap = mean_and_gap(xp, precision, weights)
        inverse = inverse_and_log_det(xp, mean)[1]
        m = average(xp, weights, mu)
        m = m + matvec(xp, inverse, average(xp, weights, matvec(xp, precision, mu - m)))
        away = mu - m
        spread = average(xp, weights, xp.sum(away * matvec(xp, precision, away), axis=-1))
        spread = xp.where(differ(xp, mu, weights), spread, xp.zeros_like(spread))
        return self._from_mean(xp, gap, inverse, m, self.p / positive(xp, spread))

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        return self._moments_of_x(xp, theta)[0]

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        return self._moments_of_x(xp, theta)[1]

    def _moments_of_x(self, xp: Namespace, theta: Array) -> tuple[Array, Array]:
        """Cov μ = E Λ⁻¹ / κ."""
        s, m, kappa, rate, _, inverse, _ = self._parts(xp, theta)
        spread = inverse_matrix_gamma_moments(xp, s, rate)[0] / kappa[..., None, None]
        return with_location(xp, m, spread, *matrix_gamma_moments(xp, s, inverse))

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        """From the factor F of Λ = F Fᵀ, which knows the small eigenvalues of a nearly singular Λ: μ = m + F⁻ᵀ z / √κ."""
        xp = draws.xp
        s, m, kappa, _, root, _, _ = self._parts(xp, theta)
        lower = bartlett_factor(draws, s, root, shape)
        factor = xp.matmul(xp.matrix_transpose(root), lower)
        noise = matvec(xp, xp.matrix_transpose(inverse_lower(xp, lower)), draws.normal((*shape, self.p)))
        noise = matvec(xp, inverse_lower(xp, root), noise)
        return xp.concat([m + noise / xp.sqrt(kappa)[..., None], pack(xp.matmul(factor, xp.matrix_transpose(factor)))], axis=-1)

    def _theta_from(self, xp: Namespace, location: Array, precision_scale: Array, degrees_of_freedom: Array,
                    scale_matrix: Array) -> Array:
        rate = 0.5 * inverse_and_log_det(xp, scale_matrix)[1]
        return self._from_rate(xp, location, precision_scale, 0.5 * (degrees_of_freedom - (self.p - 1.0)), rate)

    def _from_rate(self, xp: Namespace, location: Array, precision_scale: Array, s: Array, rate: Array) -> Array:
        batch = np.broadcast_shapes(location.shape[:-1], precision_scale.shape, s.shape, rate.shape[:-2])
        return _natural(xp, xp.broadcast_to(s, batch), xp.broadcast_to(rate, (*batch, self.p, self.p)),
                        xp.broadcast_to(location, (*batch, self.p)), xp.broadcast_to(precision_scale, batch))

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        s, m, kappa, _, _, inverse, _ = self._parts(xp, theta)
        return {"location": m, "precision_scale": kappa, "degrees_of_freedom": 2.0 * s + (self.p - 1.0),
                "scale_matrix": 0.5 * inverse}
