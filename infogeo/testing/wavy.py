"""An objective that is no friend of any geometry."""
from ..backend import Array, arrays
from ..geometry.manifolds.manifold import DuallyFlat
from ..objectives.base import Objective

__all__ = ["Wavy"]


class Wavy(Objective):
    """f(x) = Σ sin(x_i − c_i) + 0.3 |x − c|²: smooth, not convex, made of no divergence.

    Parameters
    ----------
    M : DuallyFlat
        What `in_dual_coordinates` refers to.
    center : array, shape (..., d)

    Examples
    --------
    >>> M = ig.Euclidean(1)
    >>> f = ig.testing.Wavy(M, [0.0])
    >>> value, covector = f.value_and_gradient([0.0])
    >>> float(value), covector                      # sin 0, cos 0
    (0.0, array([1.]))
    """

    def __init__(self, M: DuallyFlat, center: Array) -> None:
        self.manifold, self.center = M, center

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        xp, x, c = arrays(x, self.center)
        gap = x - c
        return xp.sum(xp.sin(gap) + 0.3 * gap * gap, axis=-1), xp.cos(gap) + 0.6 * gap
