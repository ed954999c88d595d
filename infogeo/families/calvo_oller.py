"""A lower bound of the Fisher–Rao distance of multivariate normal distributions."""
from ..backend import Array
from ..errors import takes
from ..numerics.linalg import outer
from .multivariate_normal import MultivariateNormal

__all__ = ["calvo_oller_bound"]


@takes(MultivariateNormal)
def calvo_oller_bound(M: MultivariateNormal, theta_p: Array, theta_q: Array) -> Array:
    """The lower bound √(½ Σ log² λ_i) of the Fisher–Rao distance of two multivariate normal distributions, shape (...).

    Mathematically, the λ are the eigenvalues of S_p⁻¹ S_q, S = [[Σ + μμᵀ, μ], [μᵀ, 1]]: (μ, Σ) ↦ S is an isometric embedding in
    the positive definite matrices, the image of which is not totally geodesic. They are those of the whitened S, and
    log λ = arsinh of the eigenvalues of ½ (S − S⁻¹), which keeps the digits of near points.

    Shapes: θ_p, θ_q (..., d) of a `MultivariateNormal`; batches broadcast.
    Source: Calvo & Oller, A distance between multivariate normal distributions based in an embedding into the Siegel group,
    J. Multivariate Anal. 35 (1990).

    Examples
    --------
    >>> M = ig.MultivariateNormal(1)
    >>> p, q = M.theta_from(mean=[[0.0], [1.0]], covariance=[[1.0]])
    >>> float(ig.calvo_oller_bound(M, p, q).round(4))
    0.9624
    >>> float(ig.riemannian_distance(M, p, q).round(4))  # is more
    0.9803
    """
    xp, theta_p, theta_q = M.point(theta_p, theta_q)
    w = M._whitened(xp, theta_p, theta_q)
    corner = -0.5 * xp.sum(w.mean * w.natural, axis=-1)[..., None, None]
    side = 0.5 * (w.mean + w.natural)[..., None]
    top = xp.concat([0.5 * (outer(w.mean, w.mean) - w.gap), side], axis=-1)
    rows = xp.concat([top, xp.concat([xp.matrix_transpose(side), corner], axis=-1)], axis=-2)
    logs = xp.asinh(xp.linalg.eigvalsh(0.5 * (rows + xp.matrix_transpose(rows))))
    return xp.sqrt(0.5 * xp.sum(logs * logs, axis=-1))
