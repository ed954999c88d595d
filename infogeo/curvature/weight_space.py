"""The weights of a model as a manifold: training by natural gradient is `NaturalUpdate` on it."""
from collections.abc import Callable

from ..arrays.memo import once
from ..backend import Array, Namespace
from ..errors import takes
from ..geometry.manifolds.manifold import Riemannian
from ..networks.model import Batch, ConditionalModel
from ..operators.base import LinearOperator
from .damping import Damping

__all__ = ["WeightSpace"]


class WeightSpace(Riemannian):
    """Weights of a model, with a damped curvature as the metric.

    Parameters
    ----------
    model : ConditionalModel
    batch : pair (x, y)
    curvature : function (model, w, batch) -> LinearOperator
        Such as `fisher`, `kfac`, `ekfac`; further arguments go in by `functools.partial`.
    damping : Damping

    Shapes: weights, vectors and covectors (..., model.network.size); every leading row is a model of its own, with a curvature
    of its own.
    """

    dim: int

    @takes(model=ConditionalModel, damping=Damping)
    def __init__(self, model: ConditionalModel, batch: Batch, curvature: Callable[..., LinearOperator], damping: Damping) -> None:
        self.model, self.batch, self.curvature, self.damping = model, batch, curvature, damping
        self.dim = model.network.size

    def __repr__(self) -> str:
        return f"WeightSpace({self.model!r}, {getattr(self.curvature, '__name__', self.curvature)}, {self.damping!r})"

    @once
    def operator(self, w: Array) -> LinearOperator:
        """The damped curvature at one weight vector, shape (size,), a `LinearOperator`."""
        return self.damping(self.curvature(self.model, w, self.batch))

    def _each(self, w: Array, f: Callable[..., Array], *vs: Array) -> Array:
        """f(operator, *vs) at every row of w."""
        xp, w, *given = self.point(w, *vs)
        if w.ndim == 1:
            return f(self.operator(w), *given)
        rows = [xp.broadcast_to(v, (*w.shape[:-1], v.shape[-1])) if v.ndim < w.ndim else v for v in given]
        return xp.stack([self._each(w[i, ...], f, *(v[i, ...] for v in rows)) for i in range(w.shape[0])])

    def _metric(self, xp: Namespace, w: Array) -> Array:
        return self._each(w, lambda operator: operator.dense())

    def _flat(self, xp: Namespace, w: Array, vector: Array) -> Array:
        return self._each(w, lambda operator, v: operator.matvec(v), vector)

    def _sharp(self, xp: Namespace, w: Array, covector: Array) -> Array:
        return self._each(w, lambda operator, c: operator.solve(c), covector)

    def _root(self, xp: Namespace, w: Array, z: Array) -> Array:
        return self._each(w, lambda operator, v: operator.root(v), z)
