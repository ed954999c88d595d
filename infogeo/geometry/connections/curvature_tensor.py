"""The curvature of the α-connections, and of the metric: Riemann, Ricci, sectional and scalar curvature."""
from ...backend import Array, Namespace, dot
from ...errors import takes
from ...numerics.differences import derivative
from ...numerics.linalg import matvec
from ..manifolds.manifold import DuallyFlat, Riemannian
from .connection import christoffel_first

__all__ = ["ricci", "riemann_tensor", "scalar_curvature", "sectional_curvature"]


@takes(Riemannian)
def riemann_tensor(M: Riemannian, theta: Array, alpha: float = 0.0) -> Array:
    """The curvature tensor of the α-connection, R_ijkl = ⟨R(∂_i, ∂_j) ∂_k, ∂_l⟩, shape (..., d, d, d, d).

    Mathematically, R(X, Y)Z = ∇_X ∇_Y Z − ∇_Y ∇_X Z − ∇_[X,Y] Z, so that a sphere has R_1221 > 0, and
    R^(α)_ijkl = ∂_i Γ^(α)_{jk,l} − ∂_j Γ^(α)_{ik,l} + G^mn (Γ^(α)_{ik,m} Γ^(−α)_{jl,n} − Γ^(α)_{jk,m} Γ^(−α)_{il,n}). On a dually
    flat manifold the derivatives cancel, and R^(α) = (1 − α²)/4 G^mn (T_ikm T_jln − T_jkm T_iln) = (1 − α²) R^(0).

    Accuracy: rounding on a dually flat manifold; elsewhere about 1e-8, by differences of the Christoffel symbols.
    Source: Amari & Nagaoka, Methods of Information Geometry (2000), chapters 1 and 3; Lauritzen, Statistical manifolds (1987).

    Examples
    --------
    >>> M = ig.Normal()
    >>> theta = M.theta_from(mean=0.0, variance=1.0)
    >>> R, G = ig.riemann_tensor(M, theta), M.metric(theta)
    >>> float((R[0, 1, 1, 0] / np.linalg.det(G)).round(9))  # Gaussian curvature
    -0.5
    """
    xp, theta = M.point(theta)
    metric = M.metric(theta)
    raised = M._inverse_metric(xp, theta)
    if isinstance(M, DuallyFlat):
        tensor = M.cubic_tensor(theta)
        return 0.25 * (1.0 - alpha * alpha) * _antisymmetric(xp, _paired(xp, tensor, raised, tensor))
    symbols = christoffel_first(M, theta, alpha)
    change = derivative(xp, lambda x: christoffel_first(M, x, alpha), theta, metric)        # ∂_i Γ_{jk,l}, i last
    change = xp.moveaxis(change, -1, -4) - xp.moveaxis(change, -1, -3)
    return change + _antisymmetric(xp, _paired(xp, symbols, raised, christoffel_first(M, theta, -alpha)))


def _paired(xp: Namespace, a: Array, raised: Array, b: Array) -> Array:
    """G^mn a_ikm b_jln at (i, k, j, l)."""
    d = a.shape[-1]
    rows = [xp.reshape(x, (*x.shape[:-3], d * d, d)) for x in (a, b)]
    product = xp.matmul(rows[0], xp.matmul(raised, xp.matrix_transpose(rows[1])))
    return xp.reshape(product, (*product.shape[:-2], d, d, d, d))


def _antisymmetric(xp: Namespace, p: Array) -> Array:
    """p_ikjl − p_jkil at (i, j, k, l)."""
    return xp.moveaxis(p, -2, -3) - xp.moveaxis(p, -2, -4)


@takes(Riemannian)
def ricci(M: Riemannian, theta: Array, alpha: float = 0.0) -> Array:
    """The Ricci tensor of the α-connection, Ric_jk = G^il R_ijkl, shape (..., d, d).

    Examples
    --------
    >>> M = ig.Normal()
    >>> theta = M.theta_from(mean=0.0, variance=1.0)
    >>> np.diag(ig.ricci(M, theta)).round(9), np.diag(M.metric(theta)).round(9)
    (array([-0.5, -1. ]), array([1., 2.]))
    """
    xp, theta = M.point(theta)
    d = theta.shape[-1]
    tensor = xp.moveaxis(riemann_tensor(M, theta, alpha), -1, -3)                           # (i, l, j, k)
    raised = xp.reshape(M._inverse_metric(xp, theta), (*theta.shape[:-1], 1, d * d))
    return xp.reshape(xp.matmul(raised, xp.reshape(tensor, (*theta.shape[:-1], d * d, d * d))), (*theta.shape, d))


@takes(Riemannian)
def scalar_curvature(M: Riemannian, theta: Array, alpha: float = 0.0) -> Array:
    """The scalar curvature of the α-connection, G^jk Ric_jk, shape (...); for α = 0 on a surface twice the Gaussian one.

    Examples
    --------
    >>> M = ig.Normal()
    >>> theta = M.theta_from(mean=[0.0, 3.0], variance=1.0)
    >>> ig.scalar_curvature(M, theta).round(9)
    array([-1., -1.])
    >>> ig.scalar_curvature(M, theta, alpha=1.0).round(9)  # e-flat
    array([0., 0.])
    """
    xp, theta = M.point(theta)
    return xp.sum(M._inverse_metric(xp, theta) * ricci(M, theta, alpha), axis=(-2, -1))


@takes(Riemannian)
def sectional_curvature(M: Riemannian, theta: Array, u: Array, v: Array) -> Array:
    """The curvature of the plane of u and v, of the Levi-Civita connection, shape (...).

    Mathematically, K = ⟨R(u, v)v, u⟩ / (|u|² |v|² − ⟨u, v⟩²).

    Shapes: θ, u, v (..., d); NaN where u and v are dependent.

    Examples
    --------
    >>> M = ig.Categorical(3)  # part of a sphere of radius 2
    >>> K = ig.sectional_curvature(M, [0.5, -1.0], [1.0, 0.0], [0.0, 1.0])
    >>> float(K.round(9))
    0.25
    """
    xp, theta, u, v = M.point(theta, u, v)
    d = theta.shape[-1]
    plane = u[..., :, None] * v[..., None, :]
    flat = xp.reshape(plane, (*plane.shape[:-2], d * d))
    back = xp.reshape(xp.matrix_transpose(plane), flat.shape)                               # v^k u^l at (k, l)
    tensor = riemann_tensor(M, theta)
    numerator = dot(flat, matvec(xp, xp.reshape(tensor, (*tensor.shape[:-4], d * d, d * d)), back))
    area = M.inner(theta, u, u) * M.inner(theta, v, v) - M.inner(theta, u, v)**2
    return xp.where(area > 0, numerator, xp.full_like(numerator, xp.nan)) / xp.where(area > 0, area, xp.ones_like(area))
