"""Draws that move with the parameters of their law: z(u) with ∂z/∂u, implicitly from the distribution function."""
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..backend import Array, Namespace, backend_of
from ..domains.supports import Interval
from ..families.base import ExponentialFamily
from ..families.diagonal_normal import DiagonalNormal
from ..families.dirichlet import Dirichlet
from ..families.gamma import Gamma
from ..families.isotropic_normal import IsotropicNormal
from ..families.multivariate_normal import MultivariateNormal
from ..families.product import Product
from ..numerics.exponentials import logsumexp
from ..numerics.linalg import cholesky

__all__ = ["Moving", "has_path", "path"]

# Of central differences of the distribution function, whose error is of the order h² + 1e-16 / h.
STEP = 1e-5


class Moving(NamedTuple):
    """Draws z = place(t) at some parameters, and how t moves with as many numbers u as the family has dimensions.

    Attributes
    ----------
    place : function t -> z
        From (..., m) to (..., *support.shape).
    t : array, shape (K, ..., m)
    slopes : array, shape (d, K, ..., m)
        ∂t/∂u_i; which chart u is, does not matter to what is made of them.
    """

    place: Callable[[Array], Array]
    t: Any
    slopes: Any

    def along(self, f: Callable[[Array], Array]) -> Array:
        """∂f(z)/∂u_i by central differences, shape (d, K, ..., ...)."""
        h = STEP
        return (f(self.place(self.t + h * self.slopes)) - f(self.place(self.t - h * self.slopes))) / (2 * h)


def has_path(q: ExponentialFamily) -> bool:
    """Whether draws of the family can be followed: a law on an interval, a normal or a Dirichlet one, a product of these."""
    if isinstance(q, Product):
        return all(map(has_path, q.factors))
    return isinstance(q.support, Interval) or type(q) in _PATHS


def path(q: ExponentialFamily, theta: Array, n: int, rng: np.random.Generator) -> Moving:
    """n draws at θ (..., d) and their slopes, for a family that `has_path`.

    Mathematically, of one number F(z; θ) stays what it was, so that ∂z/∂u = −∂_uF / q(z).

    Source: Figurnov, Mohamed & Mnih, Implicit reparameterization gradients (2018).
    """
    if isinstance(q, Product):
        return _of_product(q, theta, n, rng)
    return _PATHS.get(type(q), _of_number)(q, theta, n, rng)


def _of_number(q: Any, theta: Array, n: int, rng: np.random.Generator) -> Moving:
    xp, chart = backend_of(theta), q.support.chart
    z = q.support.inward(q.sample(rng, theta, (n,)))
    t = chart.inverse(z)
    speed = _speeds(xp, q, theta, z) / chart.push_forward(t, xp.ones_like(t))
    return Moving(lambda t: chart(t[..., 0]), t[..., None], speed[..., None])


def _speeds(xp: Namespace, q: Any, theta: Array, z: Array) -> Array:
    """∂z/∂u_i in the chart of the domain of θ, shape (d, K, ...): each half by the tail that it is in, which is precise there."""
    chart = q.theta_domain.chart
    u, log_q = chart.inverse(theta), q.log_density(theta, z)
    lower, upper = q.log_cdf(theta, z), q.log_survival(theta, z)
    found = []
    for i in range(q.dim):
        step = xp.asarray(STEP * (np.arange(q.dim) == i), dtype=theta.dtype)
        ends = chart(u + step), chart(u - step)
        of_lower, of_upper = ((law(ends[0], z) - law(ends[1], z)) / (2 * STEP) for law in (q.log_cdf, q.log_survival))
        found.append(xp.where(lower < upper, -xp.exp(lower - log_q) * of_lower, xp.exp(upper - log_q) * of_upper))
    return xp.stack(found)


def _of_full(q: Any, theta: Array, n: int, rng: np.random.Generator) -> Moving:
    """z = m + L e, in the chart (m, L)."""
    xp, found = backend_of(theta), q.parameters(theta)
    e, units = _white(xp, theta, n, q.p, rng), np.eye(q.p)
    z = found["mean"] + xp.matmul(cholesky(xp, found["covariance"]), e[..., None])[..., 0]
    of_mean = [xp.asarray(row, dtype=theta.dtype) + xp.zeros_like(z) for row in units]
    of_root = [e[..., j, None] * xp.asarray(units[i], dtype=theta.dtype) for i in range(q.p) for j in range(i + 1)]
    return Moving(lambda t: t, z, xp.stack(of_mean + of_root))


def _of_diagonal(q: Any, theta: Array, n: int, rng: np.random.Generator) -> Moving:
    """z = m + s e, in the chart (m, s), s of every coordinate or of all."""
    xp, found = backend_of(theta), q.parameters(theta)
    e, variance = _white(xp, theta, n, q.p, rng), found["variance"]
    whole = variance.ndim < found["mean"].ndim
    z = found["mean"] + xp.sqrt(variance[..., None] if whole else variance) * e
    units = [xp.asarray(row, dtype=theta.dtype) + xp.zeros_like(z) for row in np.eye(q.p)]
    return Moving(lambda t: t, z, xp.stack(units + ([e] if whole else [e * row for row in units])))


def _of_dirichlet(q: Any, theta: Array, n: int, rng: np.random.Generator) -> Moving:
    """Shares of gamma variables of the shapes α_i and one rate."""
    xp, gamma = backend_of(theta), Gamma()
    alpha = q.parameters(theta)["concentration"]
    of_parts = gamma.theta_from(shape=alpha, rate=xp.ones_like(alpha))
    parts = gamma.support.inward(gamma.sample(rng, of_parts, (n,)))
    speed = _speeds(xp, gamma, of_parts, parts)[0, ...] / parts         # in log α, of log g
    units = [xp.asarray(row, dtype=theta.dtype) for row in np.eye(q.k)]
    return Moving(lambda t: xp.exp(t - logsumexp(t)[..., None]), xp.log(parts), xp.stack([speed * row for row in units]))


def _of_product(q: Product, theta: Array, n: int, rng: np.random.Generator) -> Moving:
    xp, parts, start = backend_of(theta), [], 0
    for factor in q.factors:
        parts.append(path(factor, theta[..., start:start + factor.dim], n, rng))
        start += factor.dim
    sizes = [part.t.shape[-1] for part in parts]
    ends = np.cumsum([0, *sizes])

    def place(t: Array) -> Array:
        return q.joined(xp, [part.place(t[..., a:b]) for part, a, b in zip(parts, ends[:-1], ends[1:])])

    def slopes(i: int) -> Array:
        own = parts[i].slopes
        return xp.concat([own if j == i else xp.zeros((*own.shape[:-1], size), dtype=own.dtype)
                          for j, size in enumerate(sizes)], axis=-1)

    return Moving(place, xp.concat([part.t for part in parts], axis=-1),
                  xp.concat([slopes(i) for i in range(len(parts))], axis=0))


def _white(xp: Namespace, theta: Array, n: int, p: int, rng: np.random.Generator) -> Array:
    return xp.asarray(rng.standard_normal((n, *theta.shape[:-1], p)), dtype=theta.dtype)


_PATHS: dict[type, Callable[[Any, Array, int, np.random.Generator], Moving]] = {
    MultivariateNormal: _of_full, DiagonalNormal: _of_diagonal, IsotropicNormal: _of_diagonal, Dirichlet: _of_dirichlet}
