"""The Wishart family and that of the inverse."""
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..backend import arrays, polygamma
from ..domain import Interval, MappedDomain, Orthant, PositiveDefinite, PositiveDefiniteMatrix, ProductDomain
from ..errors import ConvergenceError
from ..linalg import cholesky, inverse_lower, trace_minus_log_det
from ..memo import once
from ..packing import pack, packed_size, unpack
from ..special import digamma_gap, kl_terms, log1p_gap, piecewise, stirling_bregman, stirling_gap, trigamma_gap
from .base import ExponentialFamily
from .transformed import Transformed

__all__ = ["InverseWishart", "Wishart"]


def number_and_matrix(xp, number, matrix):
    """(s, ⟨A⟩): coordinates of a number and a symmetric matrix of the same batch."""
    return xp.concat([number[..., None], pack(matrix)], axis=-1)


def log_det(xp, matrix):
    """log det of positive definite matrices; NaN for others."""
    return 2.0 * xp.sum(xp.log(xp.linalg.diagonal(cholesky(xp, matrix))), axis=-1)


def trace_product(xp, a, b):
    """tr(A B) of symmetric matrices."""
    return xp.sum(a * b, axis=(-2, -1))


def symmetric(xp, a):
    return 0.5 * (a + xp.matrix_transpose(a))


@lru_cache
def _means(p):
    """The pairs (E log det X, ⟨E X⟩), with E log det X < log det E X."""
    return MappedDomain(
        ProductDomain(Orthant(1), PositiveDefinite(p)),
        lambda xp, z: xp.concat([(log_det(xp, unpack(z[..., 1:], p)) - z[..., 0])[..., None], z[..., 1:]], axis=-1),
        lambda xp, eta: eta[..., 0] < log_det(xp, unpack(eta[..., 1:], p)),
        lambda name: f"unpack({name}[1:]) positive definite and {name}[0] < log(det(unpack({name}[1:])))")


@dataclass(frozen=True)
class Wishart(ExponentialFamily):
    """The Wishart distribution of p × p matrices: ν degrees of freedom and scale V, so that E X = νV.

    Mathematically, with s = (ν − p + 1) / 2, a = ν / 2 = s + (p − 1) / 2, R = ½V⁻¹, and ⟨·⟩ the isometric packing of symmetric
    matrices (`infogeo.packing`),

    - support: X symmetric positive definite; T(X) = (log det X, ⟨X⟩); h(X) = 1 / det X
    - θ = (s, ⟨−R⟩), s > 0, −R negative definite; η = (Σ_j digamma(s + j/2) − log det R, ⟨aR⁻¹⟩), j = 0 … p − 1, which fill
      the set where E X is positive definite and E log det X < log det E X
    - ψ(θ) = (p (p − 1) / 4) log π + Σ_j log Γ(s + j/2) − a log det R
    - metric: (u, A) ↦ (u Σ_j trigamma(s + j/2) + tr(R⁻¹A), ⟨u R⁻¹ + a R⁻¹AR⁻¹⟩), a number beside a matrix: `flat` and `sharp`
      (by a Schur complement) are matrix products of order p³

    θ₁ is s, the distance from the edge ν = p − 1, so that a distribution near the edge keeps its digits; the base measure
    makes up for it. Densities are with respect to the entries on and above the diagonal.

    Ordinary parameters: `degrees_of_freedom` (...), above p − 1; `scale_matrix` V (..., p, p), symmetric positive definite.
    Source: Muirhead, Aspects of Multivariate Statistical Theory (1982), section 3.2.
    """

    p: int

    def __post_init__(self):
        if not (isinstance(self.p, (int, np.integer)) and self.p >= 1):
            raise ValueError(f"p must be a positive integer; got {self.p!r}")

    @property
    def dim(self):
        return 1 + packed_size(self.p)

    @property
    def theta_domain(self):
        return ProductDomain(Orthant(1), PositiveDefinite(self.p, -1))

    @property
    def eta_domain(self):
        return _means(self.p)

    @property
    def support(self):
        return PositiveDefiniteMatrix(self.p)

    @property
    def _somewhere(self):
        return np.eye(self.p)

    @property
    def ordinary(self):
        return {"degrees_of_freedom": Interval(self.p - 1), "scale_matrix": PositiveDefiniteMatrix(self.p)}

    @once
    def _parts(self, theta):
        """(s, R, L⁻¹, R⁻¹, log det R) with R = L Lᵀ."""
        xp, theta = self.point(theta)
        rate = -unpack(theta[..., 1:], self.p)
        return positive(xp, theta[..., 0]), rate, *inverse_and_log_det(xp, rate)

    def potential(self, theta):
        xp, theta = self.point(theta)
        s, _, _, _, log_det_rate = self._parts(theta)
        t = halves(xp, s, self.p)
        return 0.25 * self.p * (self.p - 1) * float(np.log(np.pi)) + xp.sum(xp.gammaln(t), axis=-1) - t[..., -1] * log_det_rate

    def to_eta(self, theta):
        xp, theta = self.point(theta)
        s, _, _, inverse, log_det_rate = self._parts(theta)
        t = halves(xp, s, self.p)
        return number_and_matrix(xp, xp.sum(xp.digamma(t), axis=-1) - log_det_rate, t[..., -1, None, None] * inverse)

    @once
    def to_theta(self, eta):
        xp, eta = self.point(eta)
        _, inverse, log_det_mean = inverse_and_log_det(xp, unpack(eta[..., 1:], self.p))
        s = shape_from_gap(xp, log_det_mean - eta[..., 0], self.p)
        return number_and_matrix(xp, s, -(s + 0.5 * (self.p - 1))[..., None, None] * inverse)

    def dual_potential(self, eta):
        return self._negative_entropy(self.to_theta(eta))

    def _negative_entropy(self, theta):
        s, _, _, _, log_det_rate = self._parts(theta)
        return shape_potential(self.point(theta)[0], s, log_det_rate, self.p)

    def flat(self, theta, vector):
        xp, theta, vector = self.point(theta, vector)
        s, _, _, inverse, _ = self._parts(theta)
        return number_and_matrix(xp, *push(xp, s, inverse, vector[..., 0], -unpack(vector[..., 1:], self.p)))

    def sharp(self, theta, covector):
        xp, theta, covector = self.point(theta, covector)
        s, rate, _, _, _ = self._parts(theta)
        d_shape, d_rate = pull(xp, s, rate, covector[..., 0], unpack(covector[..., 1:], self.p))
        return number_and_matrix(xp, d_shape, -d_rate)

    def metric(self, theta):
        return self._on_basis(self.flat, theta)

    def dual_metric(self, eta):
        return self._on_basis(self.sharp, self.to_theta(eta))

    def cubic_tensor(self, theta):
        xp, theta = self.point(theta)
        s, _, _, inverse, _ = self._parts(theta[..., None, None, :])
        basis = xp.eye(self.dim, dtype=theta.dtype)
        u, m = basis[:, 0], -unpack(basis[:, 1:], self.p)
        second = push_twice(xp, s, inverse, (u[:, None], m[:, None, :, :]), (u[None, :], m[None, :, :, :]))
        return number_and_matrix(xp, *second)

    def sufficient_statistic(self, x):
        xp, x = arrays(x)
        return number_and_matrix(xp, log_det(xp, x), x)

    def log_base_measure(self, x):
        xp, x = arrays(x)
        return -log_det(xp, x)

    def expected_log_base_measure(self, theta):
        return -self.to_eta(theta)[..., 0]

    def entropy(self, theta):
        return self.to_eta(theta)[..., 0] - self._negative_entropy(theta)

    def kl(self, theta_p, theta_q):
        """See `matrix_gamma_kl`."""
        xp, theta_p, theta_q = self.point(theta_p, theta_q)
        step = theta_q - theta_p
        (s_p, _, root, _, log_det_p), (s_q, _, _, _, log_det_q) = self._parts(theta_p), self._parts(theta_q)
        return matrix_gamma_kl(xp, s_p, s_q, step[..., 0], root, -unpack(step[..., 1:], self.p), log_det_q - log_det_p)

    def _fit(self, xp, x, weights):
        """From log det E X − E log det X, formed from the observations relative to their mean, so that many degrees of freedom
        keep their digits."""
        mean, gap, log_det_mean = mean_and_gap(xp, x, weights)
        eta = number_and_matrix(xp, log_det_mean - gap, mean)
        s, inverse = shape_from_gap(xp, gap, self.p), inverse_and_log_det(xp, mean)[1]
        return eta, number_and_matrix(xp, s, -(s + 0.5 * (self.p - 1))[..., None, None] * inverse)

    def _draw(self, draws, theta, shape):
        s, _, root, _, _ = self._parts(theta)
        return bartlett(draws, s, root, shape)

    def _theta_from(self, xp, degrees_of_freedom, scale_matrix):
        s = 0.5 * (degrees_of_freedom - (self.p - 1.0))
        minus_rate = -0.5 * inverse_and_log_det(xp, scale_matrix)[1]
        batch = np.broadcast_shapes(s.shape, minus_rate.shape[:-2])
        return number_and_matrix(xp, xp.broadcast_to(s, batch), xp.broadcast_to(minus_rate, (*batch, self.p, self.p)))

    def parameters(self, theta):
        s, _, _, inverse, _ = self._parts(theta)
        return {"degrees_of_freedom": 2.0 * s + (self.p - 1.0), "scale_matrix": 0.5 * inverse}


@dataclass(frozen=True)
class InverseWishart(Transformed):
    """The inverse Wishart distribution of p × p matrices: X⁻¹ is Wishart with ν degrees of freedom and scale Ψ⁻¹.

    Mathematically,

    - support: X symmetric positive definite; T(X) = (−log det X, ⟨X⁻¹⟩); h(X) = (det X)^{−p}
    - θ, η, ψ, φ and the metric are those of `Wishart` with R = ½Ψ: θ = ((ν − p + 1) / 2, ⟨−½Ψ⟩)

    E X = Ψ / (ν − p − 1) where ν > p + 1. Densities are with respect to the entries on and above the diagonal.

    Ordinary parameters: `degrees_of_freedom` (...), above p − 1; `scale_matrix` Ψ (..., p, p), symmetric positive definite.
    """

    p: int

    def __post_init__(self):
        object.__setattr__(self, "base", Wishart(self.p))

    @property
    def support(self):
        return self.base.support

    @property
    def _somewhere(self):
        return np.eye(self.p)

    @property
    def ordinary(self):
        return self.base.ordinary

    def sufficient_statistic(self, x):
        xp, x = arrays(x)
        _, inverse, log_det_x = inverse_and_log_det(xp, x)
        return number_and_matrix(xp, -log_det_x, inverse)

    def log_base_measure(self, x):
        xp, x = arrays(x)
        return -float(self.p) * log_det(xp, x)

    def expected_log_base_measure(self, theta):
        return float(self.p) * self.to_eta(theta)[..., 0]

    def entropy(self, theta):
        return -self.base._negative_entropy(theta) - self.expected_log_base_measure(theta)

    def _fit(self, xp, x, weights):
        return self.base._fit(xp, inverse_and_log_det(xp, x)[1], weights)

    def _draw(self, draws, theta, shape):
        return inverse_and_log_det(draws.xp, self.base._draw(draws, theta, shape))[1]

    def _theta_from(self, xp, degrees_of_freedom, scale_matrix):
        s = 0.5 * (degrees_of_freedom - (self.p - 1.0))
        batch = np.broadcast_shapes(s.shape, scale_matrix.shape[:-2])
        return number_and_matrix(xp, xp.broadcast_to(s, batch), xp.broadcast_to(-0.5 * scale_matrix, (*batch, self.p, self.p)))

    def parameters(self, theta):
        s, rate, _, _, _ = self.base._parts(theta)
        return {"degrees_of_freedom": 2.0 * s + (self.p - 1.0), "scale_matrix": 2.0 * rate}


# The distribution of a positive definite matrix with shape s and rate R, which other families contain, too

def positive(xp, s):
    """The numbers as they are where they are positive, NaN elsewhere."""
    return xp.where(s > 0, s, xp.full_like(s, xp.nan))


def halves(xp, s, p):
    """s + j/2 for j = 0 … p − 1, shape (..., p); the last one is a = ν / 2."""
    return s[..., None] + 0.5 * xp.arange(p, dtype=s.dtype)


def inverse_and_log_det(xp, matrix):
    """(L⁻¹, A⁻¹, log det A) of A = L Lᵀ; NaN where A is not positive definite."""
    lower = cholesky(xp, matrix)
    root = inverse_lower(xp, lower)
    inverse = xp.matmul(xp.matrix_transpose(root), root)
    return root, inverse, 2.0 * xp.sum(xp.log(xp.linalg.diagonal(lower)), axis=-1)


def shape_potential(xp, s, log_det_rate, p):
    """φ = s E log det X − p a − ψ, from the Stirling remainder s of log Γ, t s′(t) − s(t): the large parts are left out."""
    t = halves(xp, s, p)
    steps = 0.5 * xp.arange(p, dtype=s.dtype)
    each = t * digamma_gap(xp, t) - stirling_gap(xp, t) - steps * xp.digamma(t)
    constant = 0.25 * p * (p - 1) * (1.0 + float(np.log(np.pi)))
    return xp.sum(each, axis=-1) - constant + 0.5 * (p - 1) * log_det_rate


def schur(xp, s, p):
    """Σ trigamma(s + j/2) − p / a, the Schur complement of the metric's matrix block: a sum of positive terms."""
    t = halves(xp, s, p)
    a = t[..., -1:]
    return xp.sum(trigamma_gap(xp, t) + (0.5 * xp.arange(p - 1, -1, -1, dtype=s.dtype)) / (a * t), axis=-1)


def push(xp, s, inverse, d_shape, d_rate):
    """The change of (E log det X, E X) along the change (ds, dR)."""
    p = inverse.shape[-1]
    t = halves(xp, s, p)
    moved = xp.matmul(inverse, d_rate)                                                # R⁻¹ dR
    first = xp.sum(polygamma(1, t), axis=-1) * d_shape - xp.sum(xp.linalg.diagonal(moved), axis=-1)
    return first, d_shape[..., None, None] * inverse - t[..., -1, None, None] * xp.matmul(moved, inverse)


def pull(xp, s, rate, d_log_det, d_mean):
    """The change (ds, dR) that changes (E log det X, E X) so: the inverse of `push`."""
    p = rate.shape[-1]
    a = s + 0.5 * (p - 1)
    moved = xp.matmul(rate, d_mean)                                                   # R dM
    d_shape = (d_log_det - xp.sum(xp.linalg.diagonal(moved), axis=-1) / a) / schur(xp, s, p)
    return d_shape, (d_shape[..., None, None] * rate - xp.matmul(moved, rate)) / a[..., None, None]


def push_twice(xp, s, inverse, first, second, d2_rate=0.0):
    """The second change of (E log det X, E X) along two changes (ds, dR), with the second change of R itself."""
    p = inverse.shape[-1]
    t = halves(xp, s, p)
    (u, m), (v, n) = first, second
    left, right = xp.matmul(inverse, m), xp.matmul(inverse, n)                        # R⁻¹ dR, twice
    both = xp.matmul(left, right)
    bend = 2.0 * symmetric(xp, xp.matmul(both, inverse))
    bent = xp.matmul(inverse, d2_rate) if type(d2_rate) is not float else 0.0 * both
    number = xp.sum(polygamma(2, t), axis=-1) * u * v + xp.sum(xp.linalg.diagonal(both - bent), axis=-1)
    matrix = t[..., -1, None, None] * (bend - xp.matmul(bent, inverse))
    matrix = matrix - xp.matmul(u[..., None, None] * right + v[..., None, None] * left, inverse)
    return number, matrix


def matrix_gamma_kl(xp, s_p, s_q, step, root, d_rate, d_log_det):
    """a_q (tr W − log det(I + W)) + Σ_j B_{log Γ}(t_qj : t_pj) − p B_{x log x}(a_q : a_p), with t_j = s + j/2.

    Here I + W = (a_p / a_q) L⁻¹R_qL⁻ᵀ with R_p = L Lᵀ is the ratio of the mean matrices, from d_rate = R_q − R_p and
    d_log_det = log det R_q − log det R_p. All parts are non-negative, and none is a difference of large terms.
    """
    p = root.shape[-1]
    t_p, t_q = halves(xp, s_p, p), halves(xp, s_q, p)
    a_p, a_q = t_p[..., -1], t_q[..., -1]
    whitened = xp.matmul(root, xp.matmul(d_rate, xp.matrix_transpose(root)))
    eye = xp.eye(p, dtype=s_p.dtype)
    growth = (a_p[..., None, None] * whitened - step[..., None, None] * eye) / a_q[..., None, None]
    means = trace_minus_log_det(xp, growth, d_log_det + p * xp.log(a_p / a_q))
    step = step[..., None] + xp.zeros_like(t_p)
    offset = 0.5 * xp.arange(p - 1, -1, -1, dtype=s_p.dtype) + xp.zeros_like(step)
    shapes = stirling_bregman(xp, t_q, t_p, step) + _offset_bregman(xp, offset, t_q, t_p, step)
    return a_q * means + xp.sum(shapes, axis=-1)


def _offset_bregman(xp, k, x, y, step):
    """B_E(x : y) − B_E(x + k : y + k) ≥ 0 for E(x) = x log x and step = x − y, without cancellation.

    Mathematically, (x + k) log((1 + w k / (x + k))) − k log(1 + w) with w = (x − y) / y; for near points its linear parts cancel
    on paper, and below k, where the second divergence is smaller than half the first, the difference is taken as it stands.
    """
    def entropy(x, y, step):
        near = xp.abs(step) < 0.5 * x
        log_ratio = xp.where(near, xp.log1p(-xp.where(near, step, xp.zeros_like(step)) / x), xp.log(y / x))
        return kl_terms(xp, x, y, log_ratio)

    def direct(k, x, y, step):
        return entropy(x, y, step) - entropy(x + k, y + k, step)

    def near(k, x, y, step):
        w = step / y
        return k * log1p_gap(xp, w) - (x + k) * log1p_gap(xp, k * w / (x + k))

    def far(k, x, y, step):
        log_ratio = xp.log(x / y)
        return (x + k) * (log_ratio - xp.log((x + k) / (y + k))) - k * log_ratio

    def other(k, x, y, step):
        return piecewise(xp, xp.abs(step) < 0.5 * y, near, far, k, x, y, step)

    return piecewise(xp, xp.maximum(x, y) <= k, direct, other, k, x, y, step)


def mean_and_gap(xp, x, weights):
    """(E X, log det E X − E log det X, log det E X) of a weighted sample of matrices, without cancellation."""
    weights = weights[..., None, None]
    mean = xp.sum(weights * x, axis=0)
    root, _, log_det_mean = inverse_and_log_det(xp, mean)
    whitened = xp.matmul(root, xp.matmul(x - mean, xp.matrix_transpose(root)))       # their mean is 0
    gap = xp.sum(weights[..., 0, 0] * trace_minus_log_det(xp, whitened, log_det(xp, x) - log_det_mean), axis=0)
    varied = differ(xp, xp.reshape(x, (*x.shape[:-2], -1)), weights[..., 0, 0])
    return mean, xp.where(varied, gap, xp.zeros_like(gap)), log_det_mean


def differ(xp, x, weights):
    """Whether the observations (n, ..., d) of positive weight are not all equal, which their rounded mean does not tell."""
    weights = weights + xp.zeros_like(x[..., 0])
    heaviest = xp.take_along_axis(x, xp.argmax(weights, axis=0, keepdims=True)[..., None], axis=0)
    return xp.any((weights > 0) & xp.any(x != heaviest, axis=-1), axis=0)


def shape_from_gap(xp, gap, p):
    """The s > 0 with p log a − Σ digamma(s + j/2) = gap, a = s + (p − 1) / 2; NaN for gaps that are not positive.

    Newton's method for the logarithm of the left side as a function of log s, which is nearly linear: the left side is 1 / s
    for small s and p (p + 1) / (4s) for large ones.

    Raises
    ------
    ConvergenceError
    """
    eps = float(xp.finfo(gap.dtype).eps)
    gap = positive(xp, gap)
    s = 0.25 * p * (p + 1.0) / gap
    running = gap > 0
    for _ in range(100):
        value = _log_det_gap(xp, s, p)
        step = value * xp.log(value / gap) / (s * schur(xp, s, p))
        step = xp.where(running, step, xp.zeros_like(step))      # a row that is done stays as it is
        s = s * xp.exp(xp.clip(step, -3.0, 3.0))
        running = xp.abs(step) > 1e-9                            # Newton squares the error: the next one is rounding
        if not xp.any(running):
            break
    left = xp.abs(_log_det_gap(xp, s, p) / gap - 1.0)
    if xp.any(left > 1e3 * eps):
        raise ConvergenceError("Wishart degrees of freedom: Newton's method ended short of its accuracy", left, s)
    return s


def _log_det_gap(xp, s, p):
    """log det E X − E log det X = p log a − Σ digamma(s + j/2), a sum of positive terms."""
    t = halves(xp, s, p)
    steps = 0.5 * xp.arange(p - 1, -1, -1, dtype=s.dtype)
    return xp.sum(xp.log1p(steps / t) - digamma_gap(xp, t), axis=-1)


def bartlett(draws, s, root, shape):
    """Draws with rate R, root = L⁻¹ of R = L Lᵀ: L⁻ᵀ A Aᵀ L⁻¹ with A lower triangular, its squared diagonal gamma.

    Source: Bartlett, On the theory of statistical regression, Proc. R. Soc. Edinb. 53 (1933).
    """
    xp, p = draws.xp, root.shape[-1]
    eye = xp.eye(p, dtype=s.dtype)
    shapes = xp.flip(halves(xp, s, p), axis=-1)
    diagonal = xp.sqrt(draws.gamma(shapes, (*shape, p)))
    lower = xp.tril(draws.normal((*shape, p, p)), k=-1) * float(np.sqrt(0.5)) + eye * diagonal[..., None]
    factor = xp.matmul(xp.matrix_transpose(root), lower)
    return xp.matmul(factor, xp.matrix_transpose(factor))
