"""Products of dually flat manifolds."""
from functools import reduce

from ...domains.convex import ProductDomain
from ...errors import ShapeError
from .manifold import DuallyFlat

__all__ = ["ProductManifold"]


class ProductManifold(DuallyFlat):
    """The coordinates of several manifolds, one after the other.

    Mathematically, ψ(θ) = Σ ψ_a(θ_a); the metric and its inverse are block diagonal, divergences add.
    """

    def __init__(self, *factors):
        if not factors:
            raise ShapeError("a product needs at least one factor")
        self.factors, self.dim = factors, sum(f.dim for f in factors)
        self.theta_domain = ProductDomain(*(f.theta_domain for f in factors))
        self.eta_domain = ProductDomain(*(f.eta_domain for f in factors))

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(map(repr, self.factors))})"

    def split(self, x):
        """The coordinates of each factor."""
        x, start, parts = self.point(x)[1], 0, []
        for factor in self.factors:
            parts.append(x[..., start:start + factor.dim])
            start += factor.dim
        return parts

    def _sum(self, name, *xs):
        terms = (getattr(f, name)(*parts) for f, *parts in zip(self.factors, *map(self.split, xs)))
        return reduce(lambda a, b: a + b, terms)

    def _join(self, name, *xs):
        xp, *xs = self.point(*xs)
        parts = [getattr(f, name)(*parts) for f, *parts in zip(self.factors, *map(self.split, xs))]
        return xp.concat(parts, axis=-1)

    def _blocks(self, name, x):
        """Square blocks (or cubes) along the diagonal."""
        xp, x = self.point(x)
        parts = [getattr(f, name)(part) for f, part in zip(self.factors, self.split(x))]
        order = parts[0].ndim - x.ndim + 1
        blocks, start = [], 0
        for part, factor in zip(parts, self.factors):
            for axis in range(1, order):                 # every axis but the first of the block is widened to dim
                def zeros(width):
                    shape = [*part.shape[:-axis], width, *part.shape[part.ndim - axis + 1:]]
                    return xp.zeros(tuple(shape), dtype=x.dtype)

                part = xp.concat([zeros(start), part, zeros(self.dim - start - factor.dim)], axis=-axis)
            blocks.append(part)
            start += factor.dim
        return xp.concat(blocks, axis=-order)

    def _potential(self, xp, theta):
        return self._sum("potential", theta)

    def _dual_potential(self, xp, eta):
        return self._sum("dual_potential", eta)

    def _to_eta(self, xp, theta):
        return self._join("to_eta", theta)

    def _to_theta(self, xp, eta):
        return self._join("to_theta", eta)

    def _metric(self, xp, theta):
        return self._blocks("metric", theta)

    def _dual_metric(self, xp, eta):
        return self._blocks("dual_metric", eta)

    def _cubic_tensor(self, xp, theta):
        return self._blocks("cubic_tensor", theta)

    def _dual_cubic_tensor(self, xp, eta):
        return self._blocks("dual_cubic_tensor", eta)

    def _flat(self, xp, theta, vector):
        return self._join("flat", theta, vector)

    def _sharp(self, xp, theta, covector):
        return self._join("sharp", theta, covector)

    def _root(self, xp, theta, z):
        return self._join("root", theta, z)

    def _dual_flat(self, xp, eta, vector):
        return self._join("dual_flat", eta, vector)

    def _dual_sharp(self, xp, eta, covector):
        return self._join("dual_sharp", eta, covector)

    def _divergence(self, xp, theta_p, theta_q):
        return self._sum("divergence", theta_p, theta_q)

    def _distance(self, xp, x, y):
        """√Σ d_a², the sum over the factors."""
        distances = [f.distance(*parts) for f, *parts in zip(self.factors, self.split(x), self.split(y))]
        return xp.sqrt(reduce(lambda a, b: a + b, (d * d for d in distances)))

    def _geodesic(self, xp, x, y, t):
        return xp.concat([f.geodesic(*parts, t) for f, *parts in zip(self.factors, self.split(x), self.split(y))], axis=-1)

    def _exp(self, xp, x, vector):
        return self._join("exp", x, vector)

    def _log(self, xp, x, y):
        return self._join("log", x, y)
