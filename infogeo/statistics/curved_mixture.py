"""Mixtures of fixed components as a curved family of all distributions on their states."""
from ..backend import Array, arrays
from ..domains.convex import OpenSimplex
from ..errors import require, takes
from ..families.categorical import Categorical
from ..families.mixture import MixtureFamily
from .curved import Curved, Embedding

__all__ = ["curved_mixture"]


@takes(MixtureFamily)
def curved_mixture(M: MixtureFamily) -> Curved:
    """The mixtures of M in their weights w, embedded in the `Categorical` family of all distributions on its m states.

    Mathematically, θ_i(w) = log(p_i / p_m) with p = Σ w_j p_j, the weights being η of M; it is m-flat, and its e-embedding
    curvature is what a target that is no mixture sees. The metric is that of ``M.dual``.

    Shapes: u = w (..., K), the weights of all components but the last.
    Raises: DomainError for a mixture that was made of densities: its states are the nodes of an integral.

    Examples
    --------
    >>> curved = ig.statistics.curved_mixture(ig.MixtureFamily([[0.6, 0.3, 0.1], [0.1, 0.2, 0.7]]))
    >>> curved.family.parameters(curved.to_theta([0.5]))["probabilities"]
    array([0.35, 0.25, 0.4 ])
    """
    weights = M.primal
    require("the mixture", "one of probabilities of finitely many states", not weights.log_base.any(), M)
    rows = weights.rows

    def parts(w: Array) -> tuple[Array, Array]:
        """p and ∂p/∂w, shapes (..., m) and (m, K)."""
        xp, w = arrays(w)
        own = xp.asarray(rows, dtype=w.dtype)
        gaps = xp.matrix_transpose(own[:-1, :] - own[-1:, :])
        return own[-1, :] + xp.matmul(gaps, w[..., None])[..., 0], gaps

    def value(w: Array) -> Array:
        xp, p = arrays(parts(w)[0])
        return xp.log(p[..., :-1] / p[..., -1:])

    def jacobian(w: Array) -> Array:
        p, gaps = parts(w)
        slope = gaps / p[..., None]
        return slope[..., :-1, :] - slope[..., -1:, :]

    def second(w: Array) -> Array:
        p, gaps = parts(w)
        slope = gaps / p[..., None]
        bend = -slope[..., :, None] * slope[..., None, :]
        return bend[..., :-1, :, :] - bend[..., -1:, :, :]

    return Curved(Categorical(rows.shape[1]), Embedding(M.dim, value, jacobian, second, domain=OpenSimplex(M.dim)))
