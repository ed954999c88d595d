"""How a curved family bends in its exponential family, and what that does to the maximum-likelihood estimate.

The functions take a `Curved` family and its coordinates u. An exponential family stands for itself in the coordinates θ: it does
not bend, but its estimate is biased there, too.
"""
from collections.abc import Callable

from ..backend import Array, Namespace, arrays
from ..errors import takes
from ..families.base import ExponentialFamily
from ..numerics.linalg import inverse
from .curved import Curved, Embedding

__all__ = ["as_curved", "e_embedding_curvature", "embedding_curvature", "information_loss", "m_embedding_curvature",
           "second_order_bias", "second_order_covariance"]


@takes(Curved, ExponentialFamily)
def embedding_curvature(M: Curved | ExponentialFamily, u: Array, alpha: float) -> Array:
    """The α-embedding curvature H_ab, vectors of the family that are orthogonal to M, shape (..., family.dim, dim, dim).

    Mathematically, the part of the α-derivative ∇_a ∂_b = ∂_a∂_b θ + ((1 − α)/2) G⁻¹ T(∂_a θ, ∂_b θ) of the embedding that is
    orthogonal to all ∂_c θ in the metric G, in the chart θ; at α = 0 the second fundamental form. It vanishes where M is
    α-autoparallel.

    Parameters
    ----------
    M : Curved
    u : array, shape (..., dim)
    alpha : float

    Source: Amari & Nagaoka, Methods of Information Geometry (2000), sections 1.9 and 4.3.

    Examples
    --------
    >>> components = ig.MixtureFamily([[0.6, 0.3, 0.1], [0.1, 0.2, 0.7]])
    >>> M = ig.statistics.curved_mixture(components)  # m-flat
    >>> H = [ig.statistics.embedding_curvature(M, [0.5], alpha)[:, 0, 0]
    ...      for alpha in (-1.0, 1.0)]
    >>> [float(M.family.norm(M.to_theta([0.5]), h).round(4)) for h in H]
    [0.0, 0.8325]
    """
    M = as_curved(M)
    xp, jacobian, lowered, second = _derivative(M, u, alpha)
    tangential = xp.matmul(jacobian, _flattened(xp, M, _christoffel(xp, M, u, lowered, second)))
    return second - xp.reshape(tangential, second.shape)


@takes(Curved, ExponentialFamily)
def e_embedding_curvature(M: Curved | ExponentialFamily, u: Array) -> Array:
    """The e-embedding curvature (α = 1), shape (..., family.dim, dim, dim); 0 where M is an exponential family itself.

    Examples
    --------
    >>> components = ig.MixtureFamily([[0.6, 0.3, 0.1], [0.1, 0.2, 0.7]])
    >>> M = ig.statistics.curved_mixture(components)  # no exponential family
    >>> ig.statistics.e_embedding_curvature(M, [0.5])[:, 0, 0].round(4)
    array([-0.346 ,  1.7298])
    >>> ig.statistics.e_embedding_curvature(ig.Poisson(), [0.0])
    array([[[0.]]])
    """
    return embedding_curvature(M, u, 1.0)


@takes(Curved, ExponentialFamily)
def m_embedding_curvature(M: Curved | ExponentialFamily, u: Array) -> Array:
    """The m-embedding curvature (α = −1), shape (..., family.dim, dim, dim); 0 where M is a mixture family itself.

    Examples
    --------
    >>> components = ig.MixtureFamily([[0.6, 0.3, 0.1], [0.1, 0.2, 0.7]])
    >>> M = ig.statistics.curved_mixture(components)
    >>> np.allclose(ig.statistics.m_embedding_curvature(M, [0.5]), 0.0)
    True
    """
    return embedding_curvature(M, u, -1.0)


@takes(Curved, ExponentialFamily)
def information_loss(M: Curved | ExponentialFamily, u: Array) -> Array:
    """The Fisher information that the maximum-likelihood estimate of many observations loses, shape (..., dim, dim).

    Mathematically, (H²)_ab = g^{cd} ⟨H_ac, H_bd⟩ with the e-embedding curvature H: the estimate from n observations has the
    information n g_ab − (H²)_ab + o(1). With one parameter it is γ² g, with Efron's statistical curvature γ.

    Shapes: u (..., dim).
    Source: Efron, Defining the curvature of a statistical problem, Ann. Statist. 3 (1975); Amari, Differential-Geometrical
    Methods in Statistics (1985).

    Examples
    --------
    >>> components = ig.MixtureFamily([[0.6, 0.3, 0.1], [0.1, 0.2, 0.7]])
    >>> M, u = ig.statistics.curved_mixture(components), [0.5]
    >>> ig.statistics.information_loss(M, u).round(4)
    array([[0.4189]])
    >>> (M.statistical_curvature(u)**2 * M.metric(u)).round(4)
    array([[0.4189]])
    """
    M = as_curved(M)
    normal = e_embedding_curvature(M, u)
    xp = arrays(normal)[0]
    rows = xp.moveaxis(normal, -3, -1)                                        # H_ac as vectors, shape (..., a, c, family.dim)
    lowered = M.family.flat(M.to_theta(u)[..., None, None, :], rows)
    raised = xp.matmul(inverse(xp, M.metric(u))[..., None, :, :], rows)       # g^{cd} H_bd, shape (..., b, c, family.dim)
    joined: Callable[[Array], Array] = lambda x: xp.reshape(x, (*x.shape[:-2], -1))
    return xp.matmul(joined(lowered), xp.matrix_transpose(joined(raised)))


@takes(Curved, ExponentialFamily)
def second_order_bias(M: Curved | ExponentialFamily, u: Array) -> Array:
    """n times the bias of the maximum-likelihood estimate of u from n observations, as n → ∞, shape (..., dim).

    Mathematically, b^c = −½ g^{ab} Γ^{(m)c}_{ab}, with the m-connection of M; in an exponential family −½ G⁻¹ (T : G⁻¹) in the
    chart θ.

    Shapes: u (..., dim).
    Source: Cox & Snell, A general definition of residuals, J. R. Statist. Soc. B 30 (1968); Amari (1985).

    Examples
    --------
    >>> M, theta = ig.Exponential(), [-2.0]  # the estimate of θ is −n / Σ x
    >>> ig.statistics.second_order_bias(M, theta).round(9)
    array([-2.])
    """
    xp, christoffel, raised = _m_connection(as_curved(M), u)
    return -0.5 * xp.sum(christoffel * raised[..., None, :, :], axis=(-2, -1))


@takes(Curved, ExponentialFamily)
def second_order_covariance(M: Curved | ExponentialFamily, u: Array) -> Array:
    """The factor of 1/n² in the covariance of the estimate less its bias, û − b(û)/n, shape (..., dim, dim).

    Mathematically, the covariance is g^{ab}/n + (½ Γ²^{ab} + H²^{ab})/n² + O(n⁻³), with
    Γ²^{ab} = Γ^{(m)a}_{ce} Γ^{(m)b}_{df} g^{cd} g^{ef}, which depends on the coordinates, and the `information_loss` H², indices
    raised. No efficient estimate less its bias has a smaller one.

    Shapes: u (..., dim).
    Source: Amari, Differential geometry of curved exponential families: curvatures and information loss, Ann. Statist. 10 (1982).

    Examples
    --------
    >>> M, theta = ig.Exponential(), [-2.0]  # Var = θ² / (n − 2)
    >>> ig.statistics.second_order_covariance(M, theta).round(9)  # 2 θ²
    array([[8.]])
    """
    M = as_curved(M)
    xp, christoffel, raised = _m_connection(M, u)
    both = xp.matmul(xp.matmul(raised[..., None, :, :], christoffel), raised[..., None, :, :])      # indices raised
    joined: Callable[[Array], Array] = lambda x: xp.reshape(x, (*x.shape[:-2], -1))
    naming = xp.matmul(joined(christoffel), xp.matrix_transpose(joined(both)))
    return 0.5 * naming + xp.matmul(xp.matmul(raised, information_loss(M, u)), raised)


def as_curved(M: Curved | ExponentialFamily) -> Curved:
    """M, or an exponential family as the curved family that is all of it."""
    if isinstance(M, Curved):
        return M
    one = lambda theta: arrays(theta)[0].eye(M.dim, dtype=theta.dtype)
    none = lambda theta: arrays(theta)[0].zeros((M.dim, M.dim, M.dim), dtype=theta.dtype)
    return Curved(M, Embedding(M.dim, lambda theta: theta, one, none, domain=M.domain))


def _flattened(xp: Namespace, M: Curved, tensor: Array) -> Array:
    """A tensor (..., k, dim, dim) as matrices (..., k, dim²)."""
    return xp.reshape(tensor, (*tensor.shape[:-2], M.dim**2))


def _derivative(M: Curved, u: Array, alpha: float) -> tuple[Namespace, Array, Array, Array]:
    """(xp, J, G J, ∇_a∂_b in the chart θ), shapes (..., d, m) twice and (..., d, m, m) for the α-connection of the family."""
    xp, jacobian, lowered = M.lowered(u)
    second = M.second(u)
    if alpha == 1.0:                                                          # flat in θ: no cubic tensor is needed
        return xp, jacobian, lowered, second
    theta, columns = M.to_theta(u), xp.matrix_transpose(jacobian)
    cubic = xp.matmul(M.family.cubic_tensor(theta), jacobian[..., None, :, :])
    cubic = xp.matmul(columns[..., None, :, :], cubic)                        # T_iab = T_ijk J_ja J_kb
    vectors = M.family.sharp(theta[..., None, None, :], xp.moveaxis(cubic, -3, -1))
    return xp, jacobian, lowered, second + 0.5 * (1.0 - alpha) * xp.moveaxis(vectors, -1, -3)


def _christoffel(xp: Namespace, M: Curved, u: Array, lowered: Array, second: Array) -> Array:
    """Γ^c_ab = g^{cd} ⟨∂_d θ, ∇_a∂_b⟩, shape (..., m, m, m), c first."""
    along = xp.matmul(xp.matrix_transpose(lowered), _flattened(xp, M, second))
    return xp.reshape(xp.matmul(inverse(xp, M.metric(u)), along), (*along.shape[:-1], M.dim, M.dim))


def _m_connection(M: Curved, u: Array) -> tuple[Namespace, Array, Array]:
    """(xp, Γ^{(m)c}_ab with c first, g^{ab})."""
    xp, _, lowered, second = _derivative(M, u, -1.0)
    return xp, _christoffel(xp, M, u, lowered, second), inverse(xp, M.metric(u))
