"""The weights of a model as a manifold: training by natural gradient is `NaturalUpdate` on it."""
from ..arrays.memo import once
from ..geometry.manifolds.manifold import Riemannian

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

    def __init__(self, model, batch, curvature, damping):
        self.model, self.batch, self.curvature, self.damping = model, batch, curvature, damping
        self.dim = model.network.size

    def __repr__(self):
        return f"WeightSpace({self.model!r}, {getattr(self.curvature, '__name__', self.curvature)}, {self.damping!r})"

    @once
    def operator(self, w):
        """The damped curvature at one weight vector, shape (size,), a `LinearOperator`."""
        return self.damping(self.curvature(self.model, w, self.batch))

    def _each(self, w, f, *vs):
        """f(operator, *vs) at every row of w."""
        xp, w, *vs = self.point(w, *vs)
        if w.ndim == 1:
            return f(self.operator(w), *vs)
        vs = [xp.broadcast_to(v, (*w.shape[:-1], v.shape[-1])) if v.ndim < w.ndim else v for v in vs]
        return xp.stack([self._each(w[i, ...], f, *(v[i, ...] for v in vs)) for i in range(w.shape[0])])

    def _metric(self, xp, w):
        return self._each(w, lambda operator: operator.dense())

    def _flat(self, xp, w, vector):
        return self._each(w, lambda operator, v: operator.matvec(v), vector)

    def _sharp(self, xp, w, covector):
        return self._each(w, lambda operator, c: operator.solve(c), covector)

    def _root(self, xp, w, z):
        return self._each(w, lambda operator, v: operator.root(v), z)
