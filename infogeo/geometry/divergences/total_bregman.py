"""Total Bregman divergences. Points are primal coordinates of the manifold that comes first."""
from ...arrays.graphs import one_operation
from ...backend import Array
from ...errors import takes
from ..manifolds.manifold import DuallyFlat

__all__ = ["total_bregman"]


@takes(DuallyFlat)
@one_operation
def total_bregman(M: DuallyFlat, theta_a: Array, theta_b: Array) -> Array:
    """The total Bregman divergence of the potential, B_ψ(a : b) / √(1 + ‖∇ψ(b)‖²), shape (...).

    The distance of ψ(a) from the tangent plane at b, orthogonally to that plane, in the Euclidean norm of the chart: it does not
    change when the graph of ψ is rotated, but unlike B_ψ does when the chart is stretched.

    Shapes: θ_a, θ_b (..., d); batches broadcast.
    Source: Vemuri, Liu, Amari & Nielsen, Total Bregman divergence and its applications to DTI analysis, IEEE Trans. Med.
    Imaging 30 (2011).

    Examples
    --------
    >>> M = ig.Euclidean(1)
    >>> ig.total_bregman(M, [0.0], [[0.0], [1.0]]).round(4)  # ½ / √(1 + 1)
    array([0.    , 0.3536])
    """
    xp, theta_a, theta_b = M.point(theta_a, theta_b)
    eta = M.to_eta(theta_b)
    size = xp.maximum(xp.max(xp.abs(eta), axis=-1), xp.ones_like(eta[..., 0]))          # its square may not be a float
    slant = xp.sqrt(size**-2 + xp.sum((eta / size[..., None]) ** 2, axis=-1))
    return M.divergence(theta_b, theta_a) / size / slant
