"""Products: independent observations of several families, or of one."""
from functools import reduce
from math import prod

import numpy as np

from ..backend import arrays
from ..domains.base import Domain
from ..errors import ShapeError
from ..geometry.manifolds.product import ProductManifold
from .base import ExponentialFamily
from .known import known_integer
from .transformed import Transformed

__all__ = ["Independent", "Product"]


class _Side(Domain):
    """Points of several sets, flattened and laid side by side along one axis."""

    def __init__(self, *factors):
        self.factors = factors

    @property
    def shape(self):
        return (sum(prod(f.shape) for f in self.factors),)

    def split(self, x):
        """The points of each factor, in their own shapes."""
        xp, x = arrays(x)
        start, parts = 0, []
        for factor in self.factors:
            size = prod(factor.shape)
            parts.append(xp.reshape(x[..., start:start + size], (*x.shape[:-1], *factor.shape)))
            start += size
        return parts

    def join(self, xp, parts):
        """The inverse of `split`."""
        flat = [xp.reshape(x, (*x.shape[:x.ndim - len(f.shape)], prod(f.shape))) for f, x in zip(self.factors, parts)]
        return xp.concat(flat, axis=-1)

    def contains(self, x):
        return reduce(lambda a, b: a & b, (f.contains(part) for f, part in zip(self.factors, self.split(x))))

    def rule(self, name):
        start, rules = 0, []
        for factor in self.factors:
            size = prod(factor.shape)
            rules.append(factor.rule(f"{name}[{start}]" if factor.shape == () else f"{name}[{start}:{start + size}]"))
            start += size
        return " and ".join(rules)


class _Rows(Domain):
    """Stacks of n points of one set."""

    def __init__(self, row, n):
        self.row, self.n = row, n

    @property
    def shape(self):
        return (self.n, *self.row.shape)

    def contains(self, x):
        xp, x = arrays(x)
        return xp.all(self.row.contains(x), axis=-1)

    def rule(self, name):
        return self.row.rule(f"{name}[i]")


class Product(Transformed):
    """Independent observations, one of each of several families.

    Mathematically, p(x; θ) = Π p_a(x_a; θ_a):

    - x holds the observations of the factors side by side along its last axis, each flattened (a scalar takes one place, a
      vector of p numbers p places, a p × p matrix p² places, row by row)
    - T(x), θ and η are those of the factors, one after the other; ψ(θ) = Σ ψ_a(θ_a); φ(η) = Σ φ_a(η_a)
    - the metric is block diagonal; Kullback–Leibler divergences and entropies add

    Ordinary parameters: those of the factors, with the place of the factor appended: `mean_0`, `variance_0`, `rate_1`, …
    """

    def __init__(self, *factors):
        for factor in factors:
            if not isinstance(factor, ExponentialFamily):
                raise TypeError(f"factors must be exponential families; got {factor!r}")
        if not factors:
            raise ShapeError("factors must be at least one family")
        self.factors = factors
        self.base = ProductManifold(*factors)
        self.support = _Side(*(f.support for f in factors))
        self.ordinary = {f"{name}_{i}": domain for i, f in enumerate(factors) for name, domain in f.ordinary.items()}

    def __repr__(self):
        return f"Product({', '.join(map(repr, self.factors))})"

    def __eq__(self, other):
        return type(self) is type(other) and self.factors == other.factors

    def __hash__(self):
        return hash((type(self), self.factors))

    def _observations(self, x):
        """The observations of each factor."""
        return self.support.split(x)

    def _joined(self, xp, parts):
        """The inverse of `_observations`."""
        return self.support.join(xp, parts)

    def _sufficient_statistic(self, xp, x):
        return xp.concat([f.sufficient_statistic(part) for f, part in zip(self.factors, self._observations(x))], axis=-1)

    def _total(self, name, *arguments):
        """The sum of a quantity over the factors, from the arguments of each."""
        return reduce(lambda a, b: a + b, (getattr(f, name)(*own) for f, *own in zip(self.factors, *arguments)))

    def _log_base_measure(self, xp, x):
        return self._total("log_base_measure", self._observations(x))

    def _expected_log_base_measure(self, xp, theta):
        return self._total("expected_log_base_measure", self.base.split(theta))

    def _entropy(self, xp, theta):
        return self._total("entropy", self.base.split(theta))

    def _log_density(self, xp, theta, x):
        terms = (f._log_density(xp, part, own) for f, part, own in
                 zip(self.factors, self.base.split(theta), self._observations(x)))
        return reduce(lambda a, b: a + b, terms)

    @property
    def _somewhere(self):
        return self._joined(np, [f._somewhere for f in self.factors])

    def _fit(self, xp, x, weights):
        fitted = [f._fit(xp, part, weights) for f, part in zip(self.factors, self._observations(x))]
        return tuple(xp.concat(parts, axis=-1) for parts in zip(*fitted))

    def _draw(self, draws, theta, shape):
        parts = [f._draw(draws, part, shape) for f, part in zip(self.factors, self.base.split(theta))]
        return self._joined(draws.xp, parts)

    def _theta_from(self, xp, **ordinary):
        parts = [f._theta_from(xp, **{name: ordinary[f"{name}_{i}"] for name in f.ordinary})
                 for i, f in enumerate(self.factors)]
        batch = np.broadcast_shapes(*(part.shape[:-1] for part in parts))
        return xp.concat([xp.broadcast_to(part, (*batch, part.shape[-1])) for part in parts], axis=-1)

    def _parameters(self, xp, theta):
        parts = self.base.split(theta)
        return {f"{name}_{i}": value
                for i, (f, part) in enumerate(zip(self.factors, parts)) for name, value in f.parameters(part).items()}


class Independent(Product):
    """n independent observations of one family, each with its own parameters.

    Mathematically, the product of n factors p(x_i; θ_i):

    - x has shape (n, …), the observation of factor i in row i
    - θ and η are those of the n factors, one after the other

    Ordinary parameters: those of the family with an axis of length n before their own: a `mean` of shape (..., n), a
    `covariance` of shape (..., n, p, p).
    """

    def __init__(self, family, n):
        self.family, self.n = family, n
        known_integer(self, "n")
        super().__init__(*[family] * self.n)
        self.support = _Rows(family.support, self.n)
        self.ordinary = {name: _Rows(domain, self.n) for name, domain in family.ordinary.items()}

    def __repr__(self):
        return f"Independent({self.family!r}, {self.n})"

    # All factors at once, as a batch of one family

    def _rows(self, *xs):
        """Coordinates (..., n dim) as (..., n, dim) of the one family."""
        xp, *xs = self.point(*xs)
        return [xp.reshape(x, (*x.shape[:-1], self.n, self.family.dim)) for x in xs]

    def _as_batch(self, name, *xs):
        """A method of the family that gives coordinates, on its rows."""
        rows = getattr(self.family, name)(*self._rows(*xs))
        return arrays(rows)[0].reshape(rows, (*rows.shape[:-2], self.dim))

    def _sum(self, name, *xs):
        """A method of the family that gives a number, summed over its rows."""
        terms = getattr(self.family, name)(*self._rows(*xs))
        return arrays(terms)[0].sum(terms, axis=-1)

    def _potential(self, xp, theta):
        return self._sum("potential", theta)

    def _dual_potential(self, xp, eta):
        return self._sum("dual_potential", eta)

    def _entropy(self, xp, theta):
        return self._sum("entropy", theta)

    def _expected_log_base_measure(self, xp, theta):
        return self._sum("expected_log_base_measure", theta)

    def _kl(self, xp, theta_p, theta_q):
        return self._sum("kl", theta_p, theta_q)

    def _distance(self, xp, x, y):
        """√Σ d_i², the sum over the observations."""
        xp, distances = arrays(self.family.distance(*self._rows(x, y)))
        return xp.sqrt(xp.sum(distances * distances, axis=-1))

    def _geodesic(self, xp, x, y, t):
        rows = self.family.geodesic(*self._rows(x, y), t[..., None])
        return xp.reshape(rows, (*rows.shape[:-2], self.dim))

    def _exp(self, xp, x, vector):
        return self._as_batch("exp", x, vector)

    def _log(self, xp, x, y):
        return self._as_batch("log", x, y)

    def _to_eta(self, xp, theta):
        return self._as_batch("to_eta", theta)

    def _to_theta(self, xp, eta):
        return self._as_batch("to_theta", eta)

    def _flat(self, xp, theta, vector):
        return self._as_batch("flat", theta, vector)

    def _sharp(self, xp, theta, covector):
        return self._as_batch("sharp", theta, covector)

    def _root(self, xp, theta, z):
        return self._as_batch("root", theta, z)

    def _dual_flat(self, xp, eta, vector):
        return self._as_batch("dual_flat", eta, vector)

    def _dual_sharp(self, xp, eta, covector):
        return self._as_batch("dual_sharp", eta, covector)

    def _sufficient_statistic(self, xp, x):
        xp, rows = arrays(self.family.sufficient_statistic(x))
        return xp.reshape(rows, (*rows.shape[:-2], self.dim))

    def _log_base_measure(self, xp, x):
        xp, terms = arrays(self.family.log_base_measure(x))
        return xp.sum(terms, axis=-1)

    def _log_density(self, xp, theta, x):
        return xp.sum(self.family._log_density(xp, self._rows(theta)[0], x), axis=-1)

    def _observations(self, x):
        inner = (slice(None),) * len(self.family.support.shape)
        return [x[(..., i, *inner)] for i in range(self.n)]

    def _draw(self, draws, theta, shape):
        return self.family._draw(draws, self._rows(theta)[0], (*shape, self.n))

    def _joined(self, xp, parts):
        return xp.stack(parts, axis=-1 - len(self.family.support.shape))

    def _theta_from(self, xp, **ordinary):
        theta = self.family._theta_from(xp, **ordinary)
        return xp.reshape(theta, (*theta.shape[:-2], self.dim))

    def _parameters(self, xp, theta):
        return self.family.parameters(xp.reshape(theta, (*theta.shape[:-1], self.n, self.family.dim)))
