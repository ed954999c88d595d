"""The distribution of a positive definite matrix X with shape s and rate R, which the Wishart families and their kin share.

Mathematically, p × p matrices of log-density (s − 1) log det X − tr(RX) + const, with t_j = s + j/2 for j = 0 … p − 1 and
a = t_{p−1}: E X = aR⁻¹ and E log det X = Σ_j digamma(t_j) − log det R. For p = 1 it is the gamma distribution.
"""
import numpy as np

from ..arrays.draws import Draws
from ..arrays.sums import average, centred
from ..backend import Array, Namespace
from ..numerics.exponentials import kl_terms, log1p_gap
from ..numerics.gamma_functions import digamma_gap, polygamma, stirling_bregman, stirling_gap, trigamma_gap
from ..numerics.linalg import cholesky, inverse_lower, trace_minus_log_det
from ..numerics.packing import pack
from ..numerics.piecewise import piecewise, positive
from ..numerics.root import root

__all__ = ["bartlett", "bartlett_factor", "differ", "halves", "inverse_and_log_det", "inverse_matrix_gamma_moments", "log_det",
           "log_det_of_root", "matrix_gamma_kl", "matrix_gamma_moments", "matrix_gamma_weight", "mean_and_gap", "positive",
           "pull", "push", "push_twice", "shape_from_gap", "shape_potential", "with_location"]


def log_det(xp: Namespace, matrix: Array) -> Array:
    """log det of positive definite matrices; NaN for others."""
    return log_det_of_root(xp, cholesky(xp, matrix))


def log_det_of_root(xp: Namespace, lower: Array) -> Array:
    """log det of L Lᵀ."""
    return 2.0 * xp.sum(xp.log(xp.linalg.diagonal(lower)), axis=-1)


def symmetric(xp: Namespace, a: Array) -> Array:
    return 0.5 * (a + xp.matrix_transpose(a))


def halves(xp: Namespace, s: Array, p: int) -> Array:
    """s + j/2 for j = 0 … p − 1, shape (..., p); the last one is a = ν / 2."""
    return s[..., None] + 0.5 * xp.arange(p, dtype=s.dtype)


def inverse_and_log_det(xp: Namespace, matrix: Array) -> tuple[Array, Array, Array]:
    """(L⁻¹, A⁻¹, log det A) of A = L Lᵀ; NaN where A is not positive definite."""
    lower = cholesky(xp, matrix)
    root = inverse_lower(xp, lower)
    inverse = xp.matmul(xp.matrix_transpose(root), root)
    return root, inverse, log_det_of_root(xp, lower)


def matrix_gamma_weight(xp: Namespace, s: Array, ratio: Array, log_det_ratio: Array) -> Array:
    """The log-density of X with respect to (det X)^{−(p+1)/2} dX, a measure that inversion preserves, also for large s.

    Mathematically, with I + W the matrix `ratio` / a, where `ratio` has the eigenvalues of RX, and S the Stirling remainder,
    −a (tr W − log det(I + W)) + (p (p − 1) / 4) (log(a / π) − 1) + Σ_j (t_j log(a / t_j) − S(t_j)), t_j = s + j/2.
    """
    p = ratio.shape[-1]
    t = halves(xp, s, p)
    a = t[..., -1]
    w = ratio / a[..., None, None] - xp.eye(p, dtype=ratio.dtype)
    means = a * trace_minus_log_det(xp, w, log_det_ratio - p * xp.log(a))
    shapes = t * xp.log1p(0.5 * xp.arange(p - 1, -1, -1, dtype=t.dtype) / t) - stirling_gap(xp, t)
    return 0.25 * p * (p - 1) * (xp.log(a / np.pi) - 1.0) + xp.sum(shapes, axis=-1) - means


def shape_potential(xp: Namespace, s: Array, log_det_rate: Array, p: int) -> Array:
    """φ = s E log det X − p a − ψ, from the Stirling remainder s of log Γ, t s′(t) − s(t): the large parts are left out."""
    t = halves(xp, s, p)
    steps = 0.5 * xp.arange(p, dtype=s.dtype)
    each = t * digamma_gap(xp, t) - stirling_gap(xp, t) - steps * xp.digamma(t)
    constant = 0.25 * p * (p - 1) * (1.0 + float(np.log(np.pi)))
    return xp.sum(each, axis=-1) - constant + 0.5 * (p - 1) * log_det_rate


def schur(xp: Namespace, s: Array, p: int) -> Array:
    """Σ trigamma(s + j/2) − p / a, the Schur complement of the metric's matrix block: a sum of positive terms."""
    t = halves(xp, s, p)
    a = t[..., -1:]
    return xp.sum(trigamma_gap(xp, t) + (0.5 * xp.arange(p - 1, -1, -1, dtype=s.dtype)) / (a * t), axis=-1)


def push(xp: Namespace, s: Array, inverse: Array, d_shape: Array, d_rate: Array) -> tuple[Array, Array]:
    """The change of (E log det X, E X) along the change (ds, dR)."""
    p = inverse.shape[-1]
    t = halves(xp, s, p)
    moved = xp.matmul(inverse, d_rate)                                                # R⁻¹ dR
    first = xp.sum(polygamma(1, t), axis=-1) * d_shape - xp.sum(xp.linalg.diagonal(moved), axis=-1)
    return first, d_shape[..., None, None] * inverse - t[..., -1, None, None] * xp.matmul(moved, inverse)


def pull(xp: Namespace, s: Array, rate: Array, d_log_det: Array, d_mean: Array) -> tuple[Array, Array]:
    """The change (ds, dR) that changes (E log det X, E X) so: the inverse of `push`."""
    p = rate.shape[-1]
    a = s + 0.5 * (p - 1)
    moved = xp.matmul(rate, d_mean)                                                   # R dM
    d_shape = (d_log_det - xp.sum(xp.linalg.diagonal(moved), axis=-1) / a) / schur(xp, s, p)
    return d_shape, (d_shape[..., None, None] * rate - xp.matmul(moved, rate)) / a[..., None, None]


def push_twice(xp: Namespace, s: Array, inverse: Array, first: tuple[Array, Array], second: tuple[Array, Array],
               d2_rate: Array = 0.0) -> tuple[Array, Array]:
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


def matrix_gamma_kl(xp: Namespace, s_p: Array, s_q: Array, step: Array, root: Array, rate_q: Array, d_rate: Array,
                    d_log_det: Array) -> Array:
    """a_q (tr W − log det(I + W)) + Σ_j B_{log Γ}(t_qj : t_pj) − p B_{x log x}(a_q : a_p), with t_j = s + j/2.

    Here I + W = (a_p / a_q) L⁻¹R_qL⁻ᵀ with R_p = L Lᵀ is the ratio of the mean matrices, for near points from
    d_rate = R_q − R_p; d_log_det = log det R_q − log det R_p. All parts are non-negative, none is a difference of large terms.
    """
    p = root.shape[-1]
    t_p, t_q = halves(xp, s_p, p), halves(xp, s_q, p)
    a_p, a_q = t_p[..., -1], t_q[..., -1]

    def whitened(matrix: Array) -> Array:
        return xp.matmul(root, xp.matmul(matrix, xp.matrix_transpose(root)))

    eye = xp.eye(p, dtype=s_p.dtype)
    change = whitened(d_rate)
    near = (a_p[..., None, None] * change - step[..., None, None] * eye) / a_q[..., None, None]
    far = (a_p / a_q)[..., None, None] * whitened(rate_q) - eye
    growth = xp.where(xp.max(xp.abs(change), axis=(-2, -1), keepdims=True) < 0.5, near, far)
    means = trace_minus_log_det(xp, growth, d_log_det + p * xp.log(a_p / a_q))
    step = step[..., None] + xp.zeros_like(t_p)
    offset = 0.5 * xp.arange(p - 1, -1, -1, dtype=s_p.dtype) + xp.zeros_like(step)
    shapes = stirling_bregman(xp, t_q, t_p, step) + _offset_bregman(xp, offset, t_q, t_p, step)
    return a_q * means + xp.sum(shapes, axis=-1)


def _offset_bregman(xp: Namespace, k: int, x: Array, y: Array, step: Array) -> Array:
    """B_E(x : y) − B_E(x + k : y + k) ≥ 0 for E(x) = x log x and step = x − y, without cancellation.

    Mathematically, (x + k) log((1 + w k / (x + k))) − k log(1 + w) with w = (x − y) / y; for near points its linear parts cancel
    on paper, and below k, where the second divergence is smaller than half the first, the difference is taken as it stands.
    """
    def entropy(x: Array, y: Array, step: Array) -> Array:
        near = xp.abs(step) < 0.5 * x
        log_ratio = xp.where(near, xp.log1p(-xp.where(near, step, xp.zeros_like(step)) / x), xp.log(y / x))
        return kl_terms(xp, x, y, log_ratio)

    def direct(k: int, x: Array, y: Array, step: Array) -> Array:
        return entropy(x, y, step) - entropy(x + k, y + k, step)

    def near(k: int, x: Array, y: Array, step: Array) -> Array:
        w = step / y
        return k * log1p_gap(xp, w) - (x + k) * log1p_gap(xp, k * w / (x + k))

    def far(k: int, x: Array, y: Array, step: Array) -> Array:
        log_ratio = xp.log(x / y)
        return (x + k) * (log_ratio - xp.log((x + k) / (y + k))) - k * log_ratio

    def other(k: int, x: Array, y: Array, step: Array) -> Array:
        return piecewise(xp, xp.abs(step) < 0.5 * y, near, far, k, x, y, step)

    return piecewise(xp, xp.maximum(x, y) <= k, direct, other, k, x, y, step)


def mean_and_gap(xp: Namespace, x: Array, weights: Array) -> tuple[Array, Array]:
    """(E X, log det E X − E log det X) of a weighted sample of matrices, without cancellation."""
    mean, away = centred(xp, weights, x)
    root, _, log_det_mean = inverse_and_log_det(xp, mean)
    whitened = xp.matmul(root, xp.matmul(away, xp.matrix_transpose(root)))       # their mean is 0
    gap = average(xp, weights, trace_minus_log_det(xp, whitened, log_det(xp, x) - log_det_mean))
    varied = differ(xp, xp.reshape(x, (*x.shape[:-2], x.shape[-1] ** 2)), weights)
    return mean, xp.where(varied, gap, xp.zeros_like(gap))


def differ(xp: Namespace, x: Array, weights: Array) -> Array:
    """Whether the observations (n, ..., d) of positive weight are not all equal, which their rounded mean does not tell."""
    weights = weights + xp.zeros_like(x[..., 0])
    heaviest = xp.take_along_axis(x, xp.argmax(weights, axis=0, keepdims=True)[..., None], axis=0)
    return xp.any((weights > 0) & xp.any(x != heaviest, axis=-1), axis=0)


def shape_from_gap(xp: Namespace, gap: Array, p: int) -> Array:
    """The s > 0 with p log a − Σ digamma(s + j/2) = gap, a = s + (p − 1) / 2; NaN for gaps that are not positive.

    Newton's method for the logarithm of the left side as a function of log s, which is nearly linear: the left side is 1 / s
    for small s and p (p + 1) / (4s) for large ones.

    Raises
    ------
    ConvergenceError
    """
    gap = positive(xp, gap)

    def newton(s: Array, gap: Array) -> tuple[Array, Array]:
        value = _log_det_gap(xp, s, p)
        step = value * xp.log(value / gap) / (s * schur(xp, s, p))
        return s * xp.exp(xp.clip(step, -3.0, 3.0)), step

    return root(xp, 0.25 * p * (p + 1.0) / gap, newton, "Wishart degrees of freedom", gap, max_steps=100)


def _log_det_gap(xp: Namespace, s: Array, p: int) -> Array:
    """log det E X − E log det X = p log a − Σ digamma(s + j/2), a sum of positive terms."""
    t = halves(xp, s, p)
    steps = 0.5 * xp.arange(p - 1, -1, -1, dtype=s.dtype)
    return xp.sum(xp.log1p(steps / t) - digamma_gap(xp, t), axis=-1)


def bartlett(draws: Draws, s: Array, root: Array, shape: tuple[int, ...]) -> Array:
    """Draws with rate R, root = L⁻¹ of R = L Lᵀ: L⁻ᵀ A Aᵀ L⁻¹ with A from `bartlett_factor`."""
    factor = draws.xp.matmul(draws.xp.matrix_transpose(root), bartlett_factor(draws, s, root, shape))
    return draws.xp.matmul(factor, draws.xp.matrix_transpose(factor))


def bartlett_factor(draws: Draws, s: Array, root: Array, shape: tuple[int, ...]) -> Array:
    """A lower triangular, its squared diagonal gamma.

    Source: Bartlett, On the theory of statistical regression, Proc. R. Soc. Edinb. 53 (1933).
    """
    xp, p = draws.xp, root.shape[-1]
    eye = xp.eye(p, dtype=s.dtype)
    shapes = xp.flip(halves(xp, s, p), axis=-1)
    diagonal = xp.sqrt(draws.gamma(shapes, (*shape, p)))
    return xp.tril(draws.normal((*shape, p, p)), k=-1) * float(np.sqrt(0.5)) + eye * diagonal[..., None]


def matrix_gamma_moments(xp: Namespace, s: Array, inverse: Array) -> tuple[Array, Array]:
    """E X = M = aR⁻¹, and the covariances of its entries: at [..., i, j, k, l] (M_ik M_jl + M_il M_jk) / 2a."""
    a = s + 0.5 * (inverse.shape[-1] - 1)
    mean = a[..., None, None] * inverse
    crossed, turned = _pairs(mean)
    return mean, (crossed + turned) / (2.0 * a)[..., None, None, None, None]


def inverse_matrix_gamma_moments(xp: Namespace, s: Array, rate: Array) -> tuple[Array, Array]:
    """E X⁻¹ = M = R / (s − 1), and the covariances of its entries.

    Mathematically, these are (M_ij M_kl + (s − 1) (M_ik M_jl + M_il M_jk)) / ((2s − 1) (s − 2)). The first exists for s > 1, the
    others for s > 2; elsewhere the diagonal, or the variances, are infinite and the rest is NaN.
    Source: Press, Applied Multivariate Analysis (1982), section 5.2.
    """
    p = rate.shape[-1]
    mean = rate / (s - 1.0)[..., None, None]
    crossed, turned = _pairs(mean)
    at = s[..., None, None, None, None]
    both = mean[..., :, :, None, None] * mean[..., None, None, :, :]
    covariance = (both + (at - 1.0) * (crossed + turned)) / ((2.0 * at - 1.0) * (at - 2.0))
    eye = xp.eye(p, dtype=rate.dtype)
    nowhere = xp.where(eye > 0, xp.full_like(mean, xp.inf), xp.full_like(mean, xp.nan))
    same = xp.reshape(xp.eye(p * p, dtype=rate.dtype), (p, p, p, p))
    unlimited = xp.where(same > 0, xp.full_like(covariance, xp.inf), xp.full_like(covariance, xp.nan))
    return xp.where((s > 1.0)[..., None, None], mean, nowhere), xp.where(at > 2.0, covariance, unlimited)


def with_location(xp: Namespace, location: Array, spread: Array, mean: Array, covariance: Array) -> tuple[Array, Array]:
    """Mean and covariance of (μ, ⟨X⟩) whose parts are not correlated, from those of μ and of the entries of X."""
    p, packed = mean.shape[-1], pack(mean)
    inner = xp.matrix_transpose(pack(xp.moveaxis(pack(covariance), -1, -3)))
    corner = xp.zeros((*packed.shape[:-1], p, packed.shape[-1]), dtype=mean.dtype)
    rows = [xp.concat([spread, corner], axis=-1), xp.concat([xp.matrix_transpose(corner), inner], axis=-1)]
    return xp.concat([location, packed], axis=-1), xp.concat(rows, axis=-2)


def _pairs(m: Array) -> tuple[Array, Array]:
    """M_ik M_jl and M_il M_jk, shapes (..., p, p, p, p)."""
    return m[..., :, None, :, None] * m[..., None, :, None, :], m[..., :, None, None, :] * m[..., None, :, :, None]
