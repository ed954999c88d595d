"""The α-connections: Christoffel symbols, covariant derivatives, and parallel transport along a curve."""
from collections.abc import Callable

from ...backend import Array, Namespace
from ...errors import ShapeError, require_converged, takes
from ...numerics.collocation.rule import rule
from ...numerics.differences import derivative
from ...numerics.linalg import matvec, solve
from ..manifolds.manifold import DuallyFlat, Riemannian

__all__ = ["christoffel", "christoffel_first", "covariant_derivative", "cubic_tensor", "parallel_transport"]


@takes(Riemannian)
def cubic_tensor(M: Riemannian, theta: Array) -> Array:
    """The Amari–Chentsov tensor T_ijk = E[∂_i ℓ ∂_j ℓ ∂_k ℓ], totally symmetric, shape (..., d, d, d).

    In the chart θ of a dually flat manifold it is ∂_i∂_j∂_k ψ.

    Raises
    ------
    TypeError
        If M has a metric only.

    Source: Amari & Nagaoka, Methods of Information Geometry (2000), section 2.2.

    Examples
    --------
    >>> M = ig.Poisson()  # all cumulants are the rate
    >>> ig.cubic_tensor(M, M.theta_from(rate=[1.0, 5.0])).ravel().round(12)
    array([1., 5.])
    """
    if not hasattr(M, "cubic_tensor"):
        raise TypeError(f"{M!r} has a metric and no cubic tensor: of its α-connections only that of α = 0 is known")
    return M.cubic_tensor(M.point(theta)[1])


@takes(Riemannian)
def christoffel_first(M: Riemannian, theta: Array, alpha: float) -> Array:
    """The symbols of the first kind of the α-connection, Γ_{ij,k} = ⟨∇_i ∂_j, ∂_k⟩, shape (..., d, d, d) with k last.

    Mathematically, Γ^(α)_{ij,k} = ½ (∂_i G_jk + ∂_j G_ik − ∂_k G_ij) − (α/2) T_ijk; in the chart θ of a dually flat manifold
    (1 − α)/2 T_ijk. α = 0 is the Levi-Civita connection, α = 1 the e-connection, α = −1 the m-connection.

    Shapes: θ (..., d); α a number.

    Raises
    ------
    TypeError
        For α ≠ 0, if M has a metric only.

    Source: Amari & Nagaoka, Methods of Information Geometry (2000), section 2.3.

    Examples
    --------
    >>> M = ig.Poisson()
    >>> ig.christoffel_first(M, [0.0], alpha=-1.0), M.cubic_tensor([0.0])
    (array([[[1.]]]), array([[[1.]]]))
    """
    xp, theta = M.point(theta)
    if isinstance(M, DuallyFlat):
        return 0.5 * (1.0 - alpha) * M.cubic_tensor(theta)
    change = M.metric_derivative(theta)
    levi_civita = 0.5 * (xp.moveaxis(change, -1, -3) + xp.moveaxis(change, -1, -2) - change)
    return levi_civita if alpha == 0 else levi_civita - 0.5 * alpha * cubic_tensor(M, theta)


@takes(Riemannian)
def christoffel(M: Riemannian, theta: Array, alpha: float) -> Array:
    """The symbols of the second kind of the α-connection, Γ^k_ij = Γ_{ij,l} G^lk, shape (..., d, d, d) with k last.

    Shapes, Raises: as `christoffel_first`.

    Examples
    --------
    >>> M = ig.Exponential()
    >>> ig.christoffel(M, [-2.0], alpha=0.0)  # −1 / θ
    array([[[0.5]]])
    >>> ig.christoffel(M, [-2.0], alpha=1.0)  # θ is e-affine
    array([[[0.]]])
    """
    xp, theta = M.point(theta)
    return xp.matmul(christoffel_first(M, theta, alpha), M._inverse_metric(xp, theta)[..., None, :, :])


@takes(Riemannian)
def covariant_derivative(M: Riemannian, theta: Array, vector: Array, field: Callable[[Array], Array], alpha: float) -> Array:
    """The derivative of a vector field V along a vector u, (∇_u V)^k = u^i ∂_i V^k + Γ^k_ij u^i V^j, shape (..., d).

    Parameters
    ----------
    M : Riemannian
    theta, vector : arrays, shape (..., d)
    field : callable
        From points (..., d) to vectors (..., d) in the same chart. Its derivative is by extrapolated central differences, to
        about 1e-11 of its size.
    alpha : float

    Examples
    --------
    >>> M = ig.Exponential()  # for the metric, α = 0, θ d/dθ is parallel
    >>> [ig.covariant_derivative(M, [-2.0], [1.0], lambda x: x, alpha).round(9)
    ...  for alpha in (1.0, -1.0)]
    [array([1.]), array([-1.])]
    """
    xp, theta, vector = M.point(theta, vector)
    change = derivative(xp, field, theta, M.metric(theta))                      # ∂_i V^k at (k, i)
    return matvec(xp, change + _acting_on(xp, christoffel(M, theta, alpha), field(theta)), vector)


def _acting_on(xp: Namespace, symbols: Array, v: Array) -> Array:
    """The matrices (Γ^k_ij v^j) at (k, i), shapes (..., d, d, d) and (..., d) to (..., d, d)."""
    return xp.matrix_transpose(xp.matmul(v[..., None, None, :], symbols)[..., 0, :])


# Of each piece of a curve: 20 vectors along segments of gamma distributions take 11 ms with 12 nodes in at most 8 pieces, 40 ms
# with 6 nodes and 25 ms with 40, all to 8e-13 (`parallel_transport` with these NODES).
NODES = 12
PIECES = 1, 2, 4, 8, 16, 32         # each number confirms the one before
ACCURACY = 1e-8                     # of a transported vector, relative to its length; in float32 1000 ε


@takes(Riemannian)
def parallel_transport(M: Riemannian, curve: Callable[[Array], Array], vector: Array, alpha: float) -> Array:
    """The vector at curve(0), carried to curve(1) by the α-connection, shape (..., d).

    Mathematically, v̇^k + Γ^k_ij ẋ^i v^j = 0 along x(t), 0 ≤ t ≤ 1. On a dually flat manifold α = 1 keeps the components in the
    chart θ, and α = −1 those in the chart η: v(1) = G(x(1))⁻¹ G(x(0)) v(0), whatever the curve. Else by Gauss–Legendre
    collocation in 1, 2, 4, … pieces, until two numbers in a row agree to 1e-8 of the length of v (in float32 1000 ε).

    Parameters
    ----------
    M : Riemannian
    curve : callable
        From times of shape (n, 1, …, 1), one axis for each of the batch, to points (n, ..., d); analytic in the time.
    vector : array, shape (..., d)
    alpha : float

    Raises
    ------
    ConvergenceError
        If 32 pieces of 12 nodes are too few for the curve.
    TypeError
        For α ≠ 0, if M has a metric only.

    Source: Amari & Nagaoka, Methods of Information Geometry (2000), sections 2.3 and 3.3.

    Examples
    --------
    >>> M = ig.Exponential()
    >>> def curve(t):
    ...     return -1.0 - t[..., None]  # from −1 to −2
    >>> [ig.parallel_transport(M, curve, [1.0], alpha).round(9)
    ...  for alpha in (1.0, 0.0, -1.0)]
    [array([1.]), array([2.]), array([4.])]
    """
    xp, vector = M.point(vector)

    def at(t: Array) -> Array:
        """The points of the curve at these times, shape (..., n, d)."""
        t = xp.reshape(xp.asarray(t, dtype=vector.dtype), (-1, *(1,) * (vector.ndim - 1)))
        points = M.point(curve(t))[1]
        if points.ndim <= t.ndim or points.shape[0] != t.shape[0]:
            raise ShapeError(f"curve must map times of shape (n, 1, …, 1) to points (n, ..., {M.dim}); got "
                             f"{tuple(points.shape)} for {tuple(t.shape)}")
        return xp.moveaxis(points + xp.zeros_like(vector), 0, -2)

    start, end = (at([t])[..., 0, :] for t in (0.0, 1.0))
    vector = vector + xp.zeros_like(start)
    if isinstance(M, DuallyFlat) and alpha == 1:
        return vector
    if isinstance(M, DuallyFlat) and alpha == -1:
        return M.sharp(end, M.flat(start, vector))
    tolerance = max(ACCURACY, 1e3 * float(xp.finfo(vector.dtype).eps)) * M.norm(start, vector)
    after = xp.full_like(vector, xp.nan)
    for pieces in PIECES:
        before, after = after, vector
        for k in range(pieces):
            after = _carried(xp, M, lambda t: at((k + t) / pieces), after, alpha)
        residual = M.norm(end, after - before)
        if xp.all(residual <= tolerance):
            break
    few = f"parallel_transport: {PIECES[-1]} pieces of {NODES} nodes are too few"
    require_converged(few, residual <= tolerance, residual, after)
    return after


def _carried(xp: Namespace, M: Riemannian, at: Callable[[Array], Array], vector: Array, alpha: float) -> Array:
    """The vector at time 1, from the values of v̇ at the Gauss nodes: v̇ + A (v(0) + ∫ v̇) = 0 with A^k_j = Γ^k_ij ẋ^i."""
    gauss, n, d = rule(NODES), NODES, vector.shape[-1]
    derivative, integral, weight = (xp.asarray(x, dtype=vector.dtype) for x in (gauss.derivative, gauss.integral, gauss.weight))
    x = at(gauss.t)
    rate = _acting_on(xp, christoffel(M, x, alpha), xp.matmul(derivative, x))
    matrix = rate[..., :, :, None, :] * integral[:, None, :, None]
    matrix = xp.reshape(matrix, (*vector.shape[:-1], n * d, n * d)) + xp.eye(n * d, dtype=vector.dtype)
    right = xp.reshape(matvec(xp, rate, vector[..., None, :]), (*vector.shape[:-1], n * d))
    change = xp.reshape(solve(xp, matrix, right), (*vector.shape[:-1], n, d))
    return vector - xp.sum(weight[:, None] * change, axis=-2)
