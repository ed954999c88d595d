"""Expectations under q with their differentials in η: by nodes, by draws, by gradients and Hessians."""
from abc import ABC, abstractmethod
from dataclasses import InitVar, dataclass, field
from functools import lru_cache, reduce
from typing import Any

import numpy as np

from ..backend import Array, Namespace, arrays, backend_of, generator_of
from ..domains.supports import Integers
from ..errors import ShapeError, require_count
from ..families.base import ExponentialFamily
from ..families.nodes import PanelNodes, StateNodes
from ..families.product import Product
from ..numerics.linalg import solve
from .normal_charts import NormalChart, normal_chart

__all__ = ["Expectation", "GaussianExpectation", "MonteCarloExpectation", "QuadratureExpectation", "WeightedPoints", "is_normal",
           "require_values_of"]


class Expectation(ABC):
    """A way to form E_q[g], g = log p(x, z) − log h(z), and its differential in the expectation parameters η of q.

    Examples
    --------
    >>> quadrature = ig.inference.QuadratureExpectation()
    >>> draws = ig.inference.MonteCarloExpectation(10)
    >>> q, g = ig.Gamma(), lambda z: 5 * np.log(z) - z
    >>> theta = q.theta_from(shape=3.0, rate=2.0)
    >>> for form in (quadrature, draws):
    ...     value, covector = form(q, theta, g)
    ...     print(covector.round(6))                # of g + log z, h being 1/z
    [ 6. -1.]
    [ 6. -1.]
    """

    @abstractmethod
    def __call__(self, q: ExponentialFamily, theta: Array, log_joint: Any) -> tuple[Array, Array]:
        """``(E_q[g], ∇_η E_q[g])``, shapes (...) and (..., q.dim)."""

    def require(self, q: ExponentialFamily, log_joint: Any) -> None:
        """Raises TypeError where it cannot be formed for this family or this model."""
        if not isinstance(q, ExponentialFamily):
            raise TypeError(f"{self!r} needs an exponential family as q; {q!r} goes with GaussianExpectation()")
        if not callable(log_joint):
            raise TypeError(f"{self!r} needs log_joint as a function of z; got {log_joint!r}")

    def draw(self, rng: Any) -> "Expectation":
        """The expectation of one step: of fresh random points, or itself."""
        return self


class WeightedPoints(Expectation):
    """Expectations from points z_k of weights w_k: the differential is the regression of g on T.

    Mathematically, ∇_η E_q[g] = Cov(T, T)⁻¹ Cov(T, g), both covariances taken over the points, and E_q[g] = ḡ + ∇·(η − T̄):
    exact for g linear in T from any points that tell the statistics apart, as T is a control variate of itself.
    """

    def __call__(self, q: ExponentialFamily, theta: Array, log_joint: Any) -> tuple[Array, Array]:
        z, weights = self.points(q, theta)
        with np.errstate(all="ignore"):             # where a weight is 0, the statistic may be infinite
            xp, statistic, weights, joint = arrays(q.sufficient_statistic(z), weights, log_joint(z))
            require_values_of(log_joint, joint, weights.shape, z)
            g = joint - q.log_base_measure(z)
        used = weights > 0
        statistic = xp.where(used[..., None], statistic, xp.zeros_like(statistic))
        g = xp.where(used, g, xp.zeros_like(g))
        mean, level = xp.sum(weights[..., None] * statistic, axis=0), xp.sum(weights * g, axis=0)
        covector = _regression(xp, xp.sqrt(weights), statistic - mean, g - level)
        return level + xp.sum(covector * (q.to_eta(theta) - mean), axis=-1), covector

    @abstractmethod
    def points(self, q: ExponentialFamily, theta: Array) -> tuple[Array, Array]:
        """(z, w) of shapes (K, ..., *q.support.shape) and (K, ...), the weights of sum 1."""

    @abstractmethod
    def white(self, xp: Namespace, p: int, batch: tuple[int, ...], dtype: Any) -> tuple[Array, Array]:
        """(u, w) of shapes (K, ..., p) and (K, ...) for a white normal u."""


def require_values_of(log_joint: Any, values: Array, shape: tuple[int, ...], z: Array) -> None:
    """Raises ShapeError where log_joint did not give one number a point."""
    if tuple(values.shape) != tuple(shape):
        raise ShapeError(f"log_joint must return one number a point, shape {tuple(shape)} for z of shape {tuple(z.shape)}; got "
                         f"{tuple(values.shape)}")


def _regression(xp: Namespace, root: Array, statistic: Array, g: Array) -> Array:
    """The coefficients of g on the statistics, both centred, by QR: of shapes (K, ...), (K, ..., d), (K, ...)."""
    design = xp.moveaxis(root[..., None] * statistic, 0, -2)
    scale = xp.sqrt(xp.sum(design * design, axis=-2))
    q, r = xp.linalg.qr(design / scale[..., None, :])
    target = xp.moveaxis(root * g, 0, -1)
    return solve(xp, r, xp.matmul(xp.matrix_transpose(q), target[..., None])[..., 0]) / scale


@dataclass(frozen=True)
class QuadratureExpectation(WeightedPoints):
    """By nodes: Gauss–Hermite rules of normal families, panels of Gauss–Legendre rules on the line, sums over states; of products
    all combinations.

    Parameters
    ----------
    n : int
        Nodes of Gauss–Hermite rules, a dimension; n^p of them on R^p. On the line, panels reach to where the density is e⁻⁸⁰ of
        its largest, and states to where it is negligible.

    Raises
    ------
    TypeError
        For a family on vectors that is not normal, nor a product: take `MonteCarloExpectation`.

    Examples
    --------
    >>> q, form = ig.Exponential(), ig.inference.QuadratureExpectation()
    >>> theta = q.theta_from(rate=2.0)
    >>> value, covector = form(q, theta, lambda z: z**3)
    >>> float(value.round(6)), covector.round(6)    # 6 / 2³; d(6 η³) at η = ½
    (0.75, array([4.5]))
    """

    n: int = 20

    def __post_init__(self) -> None:
        require_count("n", self.n, 2)

    def require(self, q: ExponentialFamily, log_joint: Any) -> None:
        super().require(q, log_joint)
        for factor in getattr(q, "factors", (q,)):
            if factor.support.shape and not is_normal(factor):
                raise TypeError(f"{factor!r} has no quadrature nodes here: take MonteCarloExpectation(n)")

    def points(self, q: ExponentialFamily, theta: Array) -> tuple[Array, Array]:
        if isinstance(q, Product):
            return self._of_product(q, theta)
        xp = backend_of(theta)
        if not is_normal(q):
            nodes = (StateNodes if isinstance(q.support, Integers) else PanelNodes)(q, q.support)
            with np.errstate(all="ignore"):         # the density at nodes that round to an end
                z, log_weight = nodes.weighted(xp, theta)
                mass = xp.exp(nodes.log_density(xp, theta, z) + log_weight)
            mass = mass / xp.sum(mass, axis=-1, keepdims=True)
            return xp.moveaxis(z + xp.zeros_like(mass), -1, 0), xp.moveaxis(mass, -1, 0)
        chart = normal_chart(q)
        mean, root = chart.mean_and_root(xp, theta)
        u, weight = self.white(xp, chart.p, mean.shape[:-1], theta.dtype)
        return chart.observed(mean + chart.scaled(xp, root, u)), weight

    def white(self, xp: Namespace, p: int, batch: tuple[int, ...], dtype: Any) -> tuple[Array, Array]:
        node, weight = _hermite(self.n)
        u = np.stack(np.meshgrid(*[node] * p, indexing="ij"), axis=-1).reshape(-1, p)
        w = reduce(np.multiply.outer, [weight] * p).reshape(-1)
        ones = (1,) * len(batch)
        return (xp.broadcast_to(xp.reshape(xp.asarray(u, dtype=dtype), (len(w), *ones, p)), (len(w), *batch, p)),
                xp.broadcast_to(xp.reshape(xp.asarray(w, dtype=dtype), (len(w), *ones)), (len(w), *batch)))

    def _of_product(self, q: Product, theta: Array) -> tuple[Array, Array]:
        """All combinations of the nodes of the factors."""
        xp, found = backend_of(theta), None
        for factor, own in zip(q.factors, q.base.split(theta)):
            z, w = self.points(factor, own)
            z = [xp.reshape(z, (*w.shape, -1))]
            if found is not None:
                before, weight = found
                K, L = weight.shape[0], w.shape[0]
                z = [_repeated(xp, part, L, 1) for part in before] + [_repeated(xp, z[0], K, 0)]
                w = _repeated(xp, weight, L, 1) * _repeated(xp, w, K, 0)
            found = z, w
        parts, w = found        # type: ignore[misc]
        joined = xp.concat(parts, axis=-1)
        return xp.reshape(joined, (*w.shape, *q.support.shape)), w


def is_normal(q: ExponentialFamily) -> bool:
    """Whether a family has a chart of normal laws."""
    return type(q).__name__ in ("Normal", "MultivariateNormal", "DiagonalNormal", "IsotropicNormal")


def _repeated(xp: Namespace, x: Array, times: int, axis: int) -> Array:
    """(K, …) to (K · times, …), each entry `times` times after the other (axis 1) or the whole list `times` times (axis 0)."""
    shape = [*x.shape[:1]]
    shape.insert(axis, times)
    wide = xp.broadcast_to(xp.expand_dims(x, axis=axis), (*shape, *x.shape[1:]))
    return xp.reshape(wide, (x.shape[0] * times, *x.shape[1:]))


@lru_cache
def _hermite(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of the n-point rule for the standard normal law, on the host."""
    node, weight = np.polynomial.hermite_e.hermegauss(n)
    return node, weight / np.sum(weight)


@dataclass(frozen=True)
class MonteCarloExpectation(WeightedPoints):
    """By n draws from q, in the score form with T as control variates.

    In a run of `descend` with a generator every step has its own draws, which do not change while the step looks at other points;
    elsewhere they are the same at every point.

    Parameters
    ----------
    n : int
        Draws, more than q.dim.
    rng : numpy.random.Generator, optional
        Asked once, for a seed of the draws; that is 0 without it.

    Examples
    --------
    >>> q, g = ig.Gamma(), lambda z: 5 * np.log(z) - z
    >>> theta = q.theta_from(shape=3.0, rate=2.0)
    >>> value, covector = ig.inference.MonteCarloExpectation(10)(q, theta, g)
    >>> covector.round(6)                           # exact, as g is linear in T
    array([ 6., -1.])
    """

    n: int
    rng: InitVar[Any] = None
    seed: int = field(init=False, default=0)

    def __post_init__(self, rng: Any) -> None:
        require_count("n", self.n, 3)
        if rng is not None:
            object.__setattr__(self, "seed", int(generator_of(rng).integers(2**62)))

    def require(self, q: ExponentialFamily, log_joint: Any) -> None:
        super().require(q, log_joint)
        require_count("n, the draws for the statistics of q,", self.n, q.dim + 2)

    def points(self, q: ExponentialFamily, theta: Array) -> tuple[Array, Array]:
        z = q.sample(np.random.default_rng(self.seed), theta, (self.n,))
        xp = backend_of(theta)
        return z, xp.full((self.n, *theta.shape[:-1]), 1.0 / self.n, dtype=theta.dtype)

    def white(self, xp: Namespace, p: int, batch: tuple[int, ...], dtype: Any) -> tuple[Array, Array]:
        u = np.random.default_rng(self.seed).standard_normal((self.n, *batch, p))
        return xp.asarray(u, dtype=dtype), xp.full((self.n, *batch), 1.0 / self.n, dtype=dtype)

    def draw(self, rng: Any) -> Expectation:
        return self if rng is None else MonteCarloExpectation(self.n, rng)


@dataclass(frozen=True)
class GaussianExpectation(Expectation):
    """Of a normal q by the theorems of Bonnet and Price: ∇_m E[g] = E[∇g], ∇_Σ E[g] = ½ E[∇²g].

    Mathematically, of the full covariance ∇_η E[g] = (E∇g − E[∇²g] m, ⟨½ E∇²g⟩), with ⟨·⟩ the isometric packing; diagonal and
    isotropic covariances take the diagonal of the Hessian, `hessian_diagonal(z)` (..., p) where the model has that, and
    `LowRankNormal` its products with U, too, `hessian_vector(z, v)`. A regression is averaged over each x_i·z, which is normal on
    a line.

    Parameters
    ----------
    by : WeightedPoints
        The points z at which `gradient(z)` (..., p) and `hessian(z)` (..., p, p) of the model are averaged: with draws, the
        reparametrised form.

    Raises
    ------
    TypeError
        For another q, or a model without the two methods.

    Source: Opper & Archambeau, The variational Gaussian approximation revisited (2009); Khan & Rue (2021).

    Examples
    --------
    >>> q = ig.MultivariateNormal(1)
    >>> model = ig.inference.PoissonRegression([[1.0]], [0],
    ...                                        prior_precision=1.0)
    >>> theta = q.theta_from(mean=[0.0], covariance=[[1.0]])
    >>> value, covector = ig.inference.GaussianExpectation()(q, theta, model)
    >>> covector.round(4), float(np.exp(0.5).round(4))  # −e^½, −½ (1 + e^½)
    (array([-1.6487, -1.3244]), 1.6487)
    """

    by: WeightedPoints = QuadratureExpectation(50)

    def __post_init__(self) -> None:
        if not isinstance(self.by, WeightedPoints):
            raise TypeError(f"by must be QuadratureExpectation(n) or MonteCarloExpectation(n); got {self.by!r}")

    def require(self, q: Any, log_joint: Any) -> None:
        chart = normal_chart(q)
        if hasattr(log_joint, "require_dimension"):
            log_joint.require_dimension(chart.p)
        has_derivatives = callable(log_joint) and hasattr(log_joint, "gradient") and hasattr(log_joint, "hessian")
        if not (hasattr(log_joint, "along") or has_derivatives):
            raise TypeError(f"{self!r} needs a model with gradient(z) and hessian(z); got {log_joint!r}: "
                            "QuadratureExpectation and MonteCarloExpectation need the function only")

    def __call__(self, q: Any, theta: Array, log_joint: Any) -> tuple[Array, Array]:
        chart, xp = normal_chart(q), backend_of(theta)
        mean, root = chart.mean_and_root(xp, theta)
        if hasattr(log_joint, "along"):
            return self._along(xp, chart, mean, root, log_joint)
        if hasattr(log_joint, "expected_locally"):
            value, gradient, hessian = log_joint.expected_locally(self.by, xp, chart, mean, root)
            level = 0.5 * chart.p * float(np.log(2 * np.pi))
            return value + level, chart.of_matrix(xp, mean, root, gradient, hessian)
        u, weight = self.by.white(xp, chart.p, mean.shape[:-1], theta.dtype)
        z = mean + chart.scaled(xp, root, u)
        at = chart.observed(z)
        _, joint = arrays(log_joint(at))
        require_values_of(log_joint, joint, weight.shape, at)
        value = xp.sum(weight * (joint - q.log_base_measure(at)), axis=0)
        gradient = xp.reshape(log_joint.gradient(at), z.shape)
        gradient = xp.sum(weight[..., None] * gradient, axis=0)
        return value, self._curved(xp, chart, mean, root, gradient, log_joint, at, weight)

    def _curved(self, xp: Namespace, chart: NormalChart, mean: Array, root: Any, gradient: Array, model: Any, at: Array,
                weight: Array) -> Array:
        """The differential from E[∇g] and as much of the Hessian as is needed, the means over the points."""
        shape, wide = (*weight.shape, chart.p), weight[..., None]
        directions = chart.directions(xp, root) if hasattr(model, "hessian_vector") else None
        if (chart.needs_diagonal or directions is not None) and hasattr(model, "hessian_diagonal"):
            diagonal = xp.sum(wide * xp.reshape(model.hessian_diagonal(at), shape), axis=0)
            if directions is None:
                return chart.of_diagonal(xp, mean, root, gradient, diagonal)
            products = xp.sum(wide * model.hessian_vector(at, directions[:, None, ...]), axis=1)
            return chart.of_products(xp, root, gradient, diagonal, products)
        hessian = xp.reshape(model.hessian(at), (*shape, chart.p))
        return chart.of_matrix(xp, mean, root, gradient, xp.sum(wide[..., None] * hessian, axis=0))

    def draw(self, rng: Any) -> Expectation:
        by = self.by.draw(rng)
        return self if by is self.by else GaussianExpectation(by)       # type: ignore[arg-type]

    def _along(self, xp: Namespace, chart: NormalChart, mean: Array, root: Any, model: Any) -> tuple[Array, Array]:
        """Of a model Σ ℓ_i(x_i·z), by nodes for every x_i·z."""
        rows = model.rows_like(xp, mean)
        center, deviation = xp.matmul(mean, rows.T), chart.deviations(xp, root, rows)
        u, weight = self.by.white(xp, 1, center.shape, mean.dtype)
        value, first, second = (xp.sum(weight * part, axis=0)
                                for part in model.along(xp, center + deviation * u[..., 0]))
        covector = chart.of_rows(xp, mean, root, xp.matmul(first, rows), rows, second)
        return xp.sum(value, axis=-1) + 0.5 * chart.p * float(np.log(2 * np.pi)), covector
