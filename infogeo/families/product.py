"""Products: independent observations of several families, or of one."""
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial, reduce
from math import prod
from operator import add
from typing import Any

import numpy as np

from ..arrays.draws import Draws
from ..arrays.tracing import surely
from ..backend import NUMPY, Array, Namespace, arrays, backend_of
from ..domains.base import Domain
from ..errors import ShapeError, takes
from ..geometry.manifolds.power import PowerManifold
from ..geometry.manifolds.product import ProductManifold
from .base import ExponentialFamily
from .transformed import Transformed

__all__ = ["Independent", "Product"]


class _Side(Domain):
    """Points of several sets, flattened and laid side by side along one axis."""

    def __init__(self, *factors: Domain) -> None:
        self.factors = factors

    @property
    def shape(self) -> tuple[int, ...]:
        return (sum(prod(f.shape) for f in self.factors),)

    def split(self, x: Array) -> list[Array]:
        """The points of each factor, in their own shapes."""
        xp, x = arrays(x)
        start, parts = 0, []
        for factor in self.factors:
            size = prod(factor.shape)
            parts.append(xp.reshape(x[..., start:start + size], (*x.shape[:-1], *factor.shape)))
            start += size
        return parts

    def join(self, xp: Namespace, parts: Sequence[Array]) -> Array:
        """The inverse of `split`."""
        flat = [xp.reshape(x, (*x.shape[:x.ndim - len(f.shape)], prod(f.shape))) for f, x in zip(self.factors, parts)]
        return xp.concat(flat, axis=-1)

    def contains(self, x: Array) -> Array:
        return reduce(lambda a, b: a & b, (f.contains(part) for f, part in zip(self.factors, self.split(x))))

    def interior(self, x: Array) -> Array:
        return reduce(lambda a, b: a & b, (f.interior(part) for f, part in zip(self.factors, self.split(x))))

    def inward(self, x: Array) -> Array:
        return self.join(backend_of(x), [f.inward(part) for f, part in zip(self.factors, self.split(x))])

    def rule(self, name: str) -> str:
        start, rules = 0, []
        for factor in self.factors:
            size = prod(factor.shape)
            rules.append(factor.rule(f"{name}[{start}]" if factor.shape == () else f"{name}[{start}:{start + size}]"))
            start += size
        return " and ".join(rules)


class _Rows(Domain):
    """Stacks of n points of one set."""

    def __init__(self, row: Domain, n: int) -> None:
        self.row, self.n = row, n

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.n, *self.row.shape)

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        return xp.all(self.row.contains(x), axis=-1)

    def interior(self, x: Array) -> Array:
        xp, x = arrays(x)
        return xp.all(self.row.interior(x), axis=-1)

    def inward(self, x: Array) -> Array:
        return self.row.inward(x)

    def rule(self, name: str) -> str:
        return self.row.rule(f"{name}[i]")


class _Flattened(_Rows):
    """Vectors of n points of one set of vectors, one after the other."""

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.n * self.row.shape[0],)

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        return super().contains(xp.reshape(x, (*x.shape[:-1], self.n, *self.row.shape)))


class Product(Transformed):
    """Independent observations, one of each of several families.

    Mathematically, p(x; θ) = Π p_a(x_a; θ_a):

    - x holds the observations of the factors side by side along its last axis, each flattened (a scalar takes one place, a
      vector of p numbers p places, a p × p matrix p² places, row by row)
    - T(x), θ and η are those of the factors, one after the other; ψ(θ) = Σ ψ_a(θ_a); φ(η) = Σ φ_a(η_a)
    - the metric is block diagonal; Kullback–Leibler divergences and entropies add

    Ordinary parameters: those of the factors, with the place of the factor appended: `mean_0`, `variance_0`, `rate_1`, …

    Examples
    --------
    >>> M = ig.Product(ig.Normal(), ig.Poisson())
    >>> M.theta_from(mean_0=0.0, variance_0=1.0, rate_1=1.0)
    array([ 0. , -0.5,  0. ])
    """

    base: ProductManifold
    factors: tuple[ExponentialFamily, ...]
    support: Domain
    ordinary: Mapping[str, Domain]

    @takes(factors=ExponentialFamily)
    def __init__(self, *factors: ExponentialFamily) -> None:
        if not factors:
            raise ShapeError("factors must be at least one family")
        self.factors = factors
        self.base = ProductManifold(*factors)
        self.support = self._side = _Side(*(f.support for f in factors))
        self.ordinary = {f"{name}_{i}": domain for i, f in enumerate(factors) for name, domain in f.ordinary.items()}

    def __repr__(self) -> str:
        return f"Product({', '.join(map(repr, self.factors))})"

    @cached_property
    def has_limits(self) -> bool:       # type: ignore[override]
        return any(f.has_limits for f in self.factors)

    @property
    def theta_closure(self) -> Domain:
        return _Side(*(f.theta_closure for f in self.factors)) if self.has_limits else self.theta_domain

    @property
    def ordinary_closure(self) -> Mapping[str, Domain]:
        if not self.has_limits:
            return {}
        return {f"{name}_{i}": domain for i, f in enumerate(self.factors)
                for name, domain in (f.ordinary_closure or f.ordinary).items()}

    def _stand_in(self, xp: Namespace, theta: Array) -> Array:
        if not self.has_limits:
            return theta
        return xp.concat([f._stand_in(xp, part) for f, part in zip(self.factors, self.base.split(theta))], axis=-1)

    def _with_limits(self, xp: Namespace, kernel: str, f: Callable[..., Any], outside: Array | None,
                     xs: Sequence[Array]) -> tuple[Callable[..., Any], Array | None]:
        """By the public formulas of the factors, where there may be limits: they know theirs."""
        inverse = kernel in ("_to_theta", "_dual_potential")
        if outside is None if inverse else all(surely(xp, xp.all(xp.isfinite(x))) for x in xs):
            return f, outside
        return partial(self._at_limits, kernel), None

    def _at_limits(self, kernel: str, xp: Namespace, *xs: Array) -> Array:
        found = self._of_factors(xp, kernel[1:], xs)
        if kernel == "_to_theta":
            lost = xp.any(xp.isnan(found), axis=-1, keepdims=True)
            return xp.where(lost, xp.asarray(xp.nan, dtype=found.dtype), found)
        return xp.sqrt(xp.sum(found * found, axis=-1)) if kernel == "_distance" else xp.sum(found, axis=-1)

    def _of_factors(self, xp: Namespace, name: str, xs: Sequence[Array]) -> Array:
        """A formula of every factor, (..., factors) or, of points, (..., dim)."""
        found = [getattr(f, name)(*parts) for f, *parts in zip(self.factors, *map(self.base.split, xs))]
        return xp.concat(found, axis=-1) if name == "to_theta" else xp.stack(found, axis=-1)

    def _log_density_anywhere(self, xp: Namespace, theta: Array, x: Array) -> Array:
        if not self.has_limits or surely(xp, xp.all(xp.isfinite(theta))):
            return super()._log_density_anywhere(xp, theta, x)
        return self._log_density_at_end(xp, theta, x)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.factors == other.factors

    def __hash__(self) -> int:
        return hash((type(self), self.factors))

    def observations(self, x: Array) -> list[Array]:
        """The observations of each factor, shapes (..., *factor.support.shape)."""
        return self._side.split(x)

    def joined(self, xp: Namespace, parts: Sequence[Array]) -> Array:
        """Of observations of each factor those of the product: the inverse of `observations`."""
        return self._side.join(xp, parts)

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return xp.concat([f._sufficient_statistic(xp, part) for f, part in zip(self.factors, self.observations(x))], axis=-1)

    def _total(self, name: str, xp: Namespace, *arguments: Sequence[Array]) -> Array:
        """The sum of a quantity over the factors, from the arguments of each."""
        return reduce(add, (getattr(f, name)(xp, *own) for f, *own in zip(self.factors, *arguments)))

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return self._total("_log_base_measure", xp, self.observations(x))

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        return self._total("_expected_log_base_measure", xp, self.base.split(theta))

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        return self._total("_entropy", xp, self.base.split(theta))

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        return self._total("_log_density", xp, self.base.split(theta), self.observations(x))

    def _log_density_at_end(self, xp: Namespace, theta: Array, x: Array) -> Array:
        return self._total("_log_density_anywhere", xp, self.base.split(theta), self.observations(x))

    @property
    def _somewhere(self) -> Array:
        return self.joined(NUMPY, [f._somewhere for f in self.factors])

    def _fit(self, xp: Namespace, x: Array, weights: Array) -> Array:
        return xp.concat([f._fit(xp, part, weights) for f, part in zip(self.factors, self.observations(x))], axis=-1)

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        return self.joined(xp, [f._mean_of_x(xp, part) for f, part in zip(self.factors, self.base.split(theta))])

    def _variance_of_x(self, xp: Namespace, theta: Array) -> Array:
        return self.joined(xp, [f._variance_of_x(xp, part) for f, part in zip(self.factors, self.base.split(theta))])

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        blocks = []
        for factor, part in zip(self.factors, self.base.split(theta)):
            size = prod(factor.support.shape)
            blocks.append(xp.reshape(factor._covariance_of_x(xp, part), (*theta.shape[:-1], size, size)))
        return _block_diagonal(xp, blocks)

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        parts = [f._draw(draws, part, shape) for f, part in zip(self.factors, self.base.split(theta))]
        return self.joined(draws.xp, parts)

    def _theta_from(self, xp: Namespace, **ordinary: Array) -> Array:
        return self._theta_by(xp, "_theta_from", ordinary)

    def _theta_on_boundary(self, xp: Namespace, **ordinary: Array) -> Array:
        return self._theta_by(xp, "_theta_on_boundary", ordinary)

    def _theta_by(self, xp: Namespace, way: str, ordinary: Mapping[str, Array]) -> Array:
        parts = [getattr(f, way)(xp, **{name: ordinary[f"{name}_{i}"] for name in f.ordinary})
                 for i, f in enumerate(self.factors)]
        batch = np.broadcast_shapes(*(part.shape[:-1] for part in parts))
        return xp.concat([xp.broadcast_to(part, (*batch, part.shape[-1])) for part in parts], axis=-1)

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        parts = self.base.split(theta)
        return {f"{name}_{i}": value
                for i, (f, part) in enumerate(zip(self.factors, parts)) for name, value in f._parameters(xp, part).items()}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        return self._named("_from_eta_tangent", xp, self.base.split(theta), self.base.split(d_eta))

    def _residual(self, xp: Namespace, theta: Array, x: Array) -> dict[str, Array]:
        return self._named("_residual", xp, self.base.split(theta), self.observations(x))

    def _named(self, name: str, xp: Namespace, *arguments: Sequence[Array]) -> dict[str, Array]:
        """What each factor tells by the names of its ordinary parameters, from the arguments of each."""
        return {f"{key}_{i}": value for i, (f, *own) in enumerate(zip(self.factors, *arguments))
                for key, value in getattr(f, name)(xp, *own).items()}


class Independent(Product):
    """n independent observations of one family, each with its own parameters.

    Mathematically, the product of n factors p(x_i; θ_i):

    - x has shape (n, …), the observation of factor i in row i
    - θ and η are those of the n factors, one after the other

    Ordinary parameters: those of the family with an axis of length n before their own: a `mean` of shape (..., n), a
    `covariance` of shape (..., n, p, p).

    Examples
    --------
    >>> ig.Independent(ig.Poisson(), 3).theta_from(rate=[1.0, 2.0, 4.0]).round(3)
    array([0.   , 0.693, 1.386])
    """

    base: PowerManifold

    @takes(family=ExponentialFamily)
    def __init__(self, family: ExponentialFamily, n: int) -> None:
        self.base = PowerManifold(family, n)
        self.family, self.n, self.factors = family, self.base.n, (family,) * self.base.n
        self.support = _Rows(family.support, self.n)
        self.ordinary = {name: _Rows(domain, self.n) for name, domain in family.ordinary.items()}

    def __repr__(self) -> str:
        return f"Independent({self.family!r}, {self.n})"

    @property
    def theta_closure(self) -> Domain:
        return _Flattened(self.family.theta_closure, self.n) if self.has_limits else self.theta_domain

    @property
    def ordinary_closure(self) -> Mapping[str, Domain]:
        return {name: _Rows(domain, self.n) for name, domain in self.family.ordinary_closure.items()}

    def _stand_in(self, xp: Namespace, theta: Array) -> Array:
        return self.base.joined(xp, self.family._stand_in(xp, self.base.rows(xp, theta))) if self.has_limits else theta

    def _of_factors(self, xp: Namespace, name: str, xs: Sequence[Array]) -> Array:
        found = getattr(self.family, name)(*(self.base.rows(xp, x) for x in xs))
        return self.base.joined(xp, found) if name == "to_theta" else found

    # All factors at once, as a batch of one family

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        return xp.sum(self.family._expected_log_base_measure(xp, self.base.rows(xp, theta)), axis=-1)

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        return xp.sum(self.family._entropy(xp, self.base.rows(xp, theta)), axis=-1)

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return self.base.joined(xp, self.family._sufficient_statistic(xp, x))

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return xp.sum(self.family._log_base_measure(xp, x), axis=-1)

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        return xp.sum(self.family._log_density(xp, self.base.rows(xp, theta), x), axis=-1)

    def _log_density_at_end(self, xp: Namespace, theta: Array, x: Array) -> Array:
        return xp.sum(self.family._log_density_anywhere(xp, self.base.rows(xp, theta), x), axis=-1)

    def observations(self, x: Array) -> list[Array]:
        inner = (slice(None),) * len(self.family.support.shape)
        return [x[(..., i, *inner)] for i in range(self.n)]

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        return self.family._mean_of_x(xp, self.base.rows(xp, theta))

    def _variance_of_x(self, xp: Namespace, theta: Array) -> Array:
        return self.family._variance_of_x(xp, self.base.rows(xp, theta))

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        shape = self.support.shape
        return xp.reshape(Product._covariance_of_x(self, xp, theta), (*theta.shape[:-1], *shape, *shape))

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        return self.family._draw(draws, self.base.rows(draws.xp, theta), (*shape, self.n))

    def joined(self, xp: Namespace, parts: Sequence[Array]) -> Array:
        return xp.stack(parts, axis=-1 - len(self.family.support.shape))

    def _theta_by(self, xp: Namespace, way: str, ordinary: Mapping[str, Array]) -> Array:
        return self.base.joined(xp, getattr(self.family, way)(xp, **ordinary))

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return self.family._parameters(xp, self.base.rows(xp, theta))

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        return self.family._from_eta_tangent(xp, self.base.rows(xp, theta), self.base.rows(xp, d_eta))

    def _residual(self, xp: Namespace, theta: Array, x: Array) -> dict[str, Array]:
        return self.family._residual(xp, self.base.rows(xp, theta), x)


def _block_diagonal(xp: Namespace, blocks: list[Array]) -> Array:
    """One matrix of several, shapes (..., p_a, p_a)."""
    sizes = [block.shape[-1] for block in blocks]
    rows = [xp.concat([block if b == a else xp.zeros((*block.shape[:-1], size), dtype=block.dtype)
                       for b, size in enumerate(sizes)], axis=-1) for a, block in enumerate(blocks)]
    return xp.concat(rows, axis=-2)
