"""Location–scale models and their logarithmic relatives: hyperbolic planes, most of them no exponential families."""
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import pi, sqrt
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from ..arrays.draws import Draws
from ..backend import Array, Namespace, arrays, backend_of, to_numpy
from ..domains.base import Domain, batch_shape
from ..domains.convex import ConvexDomain, Orthant, ProductDomain, RealSpace
from ..domains.supports import Interval, PositiveDefiniteMatrix
from ..errors import ShapeError
from ..geometry.manifolds.arc_length import log_ratio
from ..geometry.manifolds.half_plane import HalfSpace, Hyperbolic
from ..numerics.linalg import symmetric2
from .standard_laws import CAUCHY, EXPONENTIAL, GUMBEL, GUMBEL_OF_MINIMA, LAPLACE, LOGISTIC, NORMAL, StandardLaw, student_t

__all__ = ["LocationScale", "LogLocationScale"]

_GAP = 1.0 - float(np.euler_gamma)


class _TwoParameters(Hyperbolic):
    """A model of two ordinary parameters, which are its coordinates in the order of `ordinary`."""

    dim = 2

    if TYPE_CHECKING:
        @property
        def ordinary(self) -> Mapping[str, Domain]: ...

    def point_from(self, **ordinary: Array) -> Array:
        """The point with these ordinary parameters, shapes (...) to (..., 2).

        Raises
        ------
        TypeError, DomainError
            For other names, and for values outside their domains.
        """
        if set(ordinary) != set(self.ordinary):
            raise TypeError(f"{self!r} takes the parameters {', '.join(self.ordinary)}; got {', '.join(ordinary) or 'none'}")
        xp, *values = arrays(*(ordinary[name] for name in self.ordinary))
        for (name, domain), value in zip(self.ordinary.items(), values):
            domain.require(name, value)
        return xp.stack(xp.broadcast_arrays(*values), axis=-1)

    def parameters(self, x: Array) -> dict[str, Array]:
        """The ordinary parameters as a dict of arrays; the inverse of `point_from`."""
        x = self.point(x)[1]
        return {name: x[..., i] for i, name in enumerate(self.ordinary)}

    @abstractmethod
    def _log_density(self, xp: Namespace, point: Array, x: Array) -> Array:
        """log p(x)."""

    @abstractmethod
    def _draw(self, draws: Draws, point: Array, shape: tuple[int, ...]) -> Array:
        """Draws in the given shape."""

    @abstractmethod
    def _kl(self, xp: Namespace, p: Array, q: Array) -> Array:
        """KL(p‖q)."""

    def log_density(self, point: Array, x: Array) -> Array:
        """log p(x), −∞ outside the support, shape (...): points (..., 2) and observations (...) broadcast.

        Raises: DomainError for a point outside; TypeError for a model without a law of Z.
        """
        xp, point, x = arrays(self.domain.require("point", point), x)
        with np.errstate(all="ignore"):
            return self._log_density(xp, point, x)

    def sample(self, rng: np.random.Generator, point: Array, shape: int | Iterable[int] = ()) -> Array:
        """Draws, shape (*shape, ...) for points (..., 2). Raises: as `log_density`."""
        point = self.domain.require("point", point)
        draws = Draws(rng, backend_of(point), point.dtype)
        return self._draw(draws, point, (*batch_shape(shape), *point.shape[:-1]))

    def kl(self, p: Array, q: Array) -> Array:
        """KL(p‖q) of the laws at two points (..., 2) of this model, shape (...), nats.

        Raises: as `log_density`; TypeError, too, where there is no closed form: logistic laws, Student's t but for ν = 1.
        """
        xp, p, q = arrays(self.domain.require("p", p), self.domain.require("q", q))
        with np.errstate(all="ignore"):
            return self._kl(xp, p, q)


@dataclass(frozen=True, eq=False)
class LocationScale(_TwoParameters):
    """The laws of μ + σZ for one standard variable Z, in the coordinates (μ, σ) and with the Fisher metric.

    Mathematically, with the Fisher information [[a, b], [b, c]] of Z at (0, 1) the metric is (a dμ² + 2b dμ dσ + c dσ²) / σ²:
    with u = √(a / k) (μ + (b/a) σ), k = c − b²/a, the half-plane of (u, σ) with the curvature −1/k. For a density f of Z with
    s = −f′/f, a = E[s²], b = E[s (Zs − 1)], which is 0 for an even f, and c = E[(Zs − 1)²].

    Parameters
    ----------
    information : array, shape (2, 2)
        Symmetric, positive definite. The constructors have those of well-known laws.
    name : str
    law : StandardLaw, optional
        Of Z, for `log_density`, `sample` and `kl`. The constructors have those of well-known laws.

    Ordinary parameters: `location`, `scale` (positive), shapes (...).
    Source: Amari & Nagaoka, Methods of Information Geometry (2000), section 2.2, example 2.3; Burbea & Rao, Entropy differential
    metric, distance and divergence measures in probability spaces, J. Multivariate Anal. 12 (1982).

    Examples
    --------
    >>> M = ig.statistics.LocationScale.cauchy()
    >>> M.metric([0.0, 2.0]).round(12)  # I / (2 σ²)
    array([[0.125, 0.   ],
           [0.   , 0.125]])
    >>> float(ig.scalar_curvature(M, [0.0, 2.0]).round(6))
    -4.0
    """

    information: Array
    name: str = "Z"
    law: StandardLaw | None = None

    ordinary: ClassVar[dict[str, Domain]] = {"location": Interval(), "scale": Interval(0)}

    def __post_init__(self) -> None:
        matrix = np.array(to_numpy(arrays(self.information)[1]), dtype=float)
        if matrix.shape != (2, 2):
            raise ShapeError(f"information must have shape (2, 2); got {matrix.shape}")
        PositiveDefiniteMatrix(2).require("information", matrix)
        matrix.flags.writeable = False
        object.__setattr__(self, "information", matrix)

    def __repr__(self) -> str:
        return f"LocationScale({self.information.tolist()}, {self.name!r})"

    @classmethod
    def normal(cls) -> Self:
        """Standard deviation as the scale; curvature −1/2."""
        return cls([[1.0, 0.0], [0.0, 2.0]], "normal", NORMAL)

    @classmethod
    def laplace(cls) -> Self:
        """Density e^{−|z|} / 2; curvature −1."""
        return cls([[1.0, 0.0], [0.0, 1.0]], "Laplace", LAPLACE)

    @classmethod
    def student_t(cls, degrees_of_freedom: float) -> Self:
        """ν = `degrees_of_freedom` > 0 is known; curvature −(ν + 3) / (2ν)."""
        nu = float(Interval(0).require("degrees_of_freedom", degrees_of_freedom))
        return cls([[(nu + 1.0) / (nu + 3.0), 0.0], [0.0, 2.0 * nu / (nu + 3.0)]], f"Student t, {nu:g} degrees of freedom",
                   student_t(nu))

    @classmethod
    def cauchy(cls) -> Self:
        """Student's t of one degree of freedom; curvature −2."""
        return cls([[0.5, 0.0], [0.0, 0.5]], "Cauchy", CAUCHY)

    @classmethod
    def logistic(cls) -> Self:
        """Distribution function 1 / (1 + e^{−z}); curvature −9 / (π² + 3)."""
        return cls([[1.0 / 3.0, 0.0], [0.0, (pi**2 + 3.0) / 9.0]], "logistic", LOGISTIC)

    @classmethod
    def gumbel(cls) -> Self:
        """The law of maxima, distribution function exp(−e^{−z}); curvature −6/π²."""
        return cls([[1.0, -_GAP], [-_GAP, pi**2 / 6.0 + _GAP**2]], "Gumbel", GUMBEL)

    @classmethod
    def gumbel_of_minima(cls) -> Self:
        """The law of −Z for the Gumbel law of maxima."""
        return cls([[1.0, _GAP], [_GAP, pi**2 / 6.0 + _GAP**2]], "Gumbel of minima", GUMBEL_OF_MINIMA)

    @classmethod
    def exponential(cls) -> Self:
        """Density e^{−z} on z ≥ 0; curvature −1. The support moves with the location, so the metric is E[score scoreᵀ] only."""
        return cls([[1.0, 0.0], [0.0, 1.0]], "exponential", EXPONENTIAL)

    @property
    def domain(self) -> ConvexDomain:
        return ProductDomain(RealSpace(1), Orthant(1))

    @cached_property
    def _square(self) -> tuple[float, float, float]:
        """(b/a, √(a/k), √k): the square completed."""
        (a, b), (_, c) = self.information.tolist()
        k = c - b * b / a
        return b / a, sqrt(a / k), sqrt(k)

    @cached_property
    def half_space(self) -> HalfSpace:
        return HalfSpace(2, self._square[2])

    @property
    def _law(self) -> StandardLaw:
        if self.law is None:
            raise TypeError(f"{self!r} has no law of Z: pass law=, or take a model that has one, as LocationScale.cauchy()")
        return self.law

    def _log_density(self, xp: Namespace, point: Array, x: Array) -> Array:
        return self._law.log_density(xp, (x - point[..., 0]) / point[..., 1]) - xp.log(point[..., 1])

    def _draw(self, draws: Draws, point: Array, shape: tuple[int, ...]) -> Array:
        return point[..., 0] + point[..., 1] * draws.delivered(self._law.draw(draws.rng, shape))

    def _kl(self, xp: Namespace, p: Array, q: Array) -> Array:
        kl = self._law.kl
        if kl is None:
            raise TypeError(f"KL between laws of {self.name} has no closed form here; it is E[log p(X) - log q(X)], which "
                            "`log_density` and `sample` estimate")
        return kl(xp, p[..., 0] - q[..., 0], p[..., 1], q[..., 1])

    def _metric(self, xp: Namespace, x: Array) -> Array:
        (a, b), (_, c) = self.information.tolist()
        weight = 1.0 / x[..., 1] ** 2
        return symmetric2(xp, a * weight, b * weight, c * weight)

    # The map to the half-plane is linear, so it is also its own derivative

    def _to_half_space(self, xp: Namespace, x: Array) -> Array:
        """(√(a/k) (μ + (b/a) σ), σ)."""
        shift, stretch, _ = self._square
        return xp.stack([stretch * (x[..., 0] + shift * x[..., 1]), x[..., 1]], axis=-1)

    def _from_half_space(self, xp: Namespace, point: Array) -> Array:
        shift, stretch, _ = self._square
        return xp.stack([point[..., 0] / stretch - shift * point[..., 1], point[..., 1]], axis=-1)

    def _vector_to_half_space(self, xp: Namespace, x: Array, vector: Array) -> Array:
        return self._to_half_space(xp, vector)

    def _vector_from_half_space(self, xp: Namespace, x: Array, vector: Array) -> Array:
        return self._from_half_space(xp, vector)

    def _half_space_step(self, xp: Namespace, x: Array, y: Array) -> Array:
        return self._to_half_space(xp, y - x)


@dataclass(frozen=True, eq=False)
class LogLocationScale(_TwoParameters):
    """The laws of x > 0 whose logarithm is of a location–scale model, log x = log λ + Z/k, in the coordinates (λ, k).

    Mathematically, the metric is that of `base` at (log λ, 1/k).

    Parameters
    ----------
    base : LocationScale
    name : str
    names : tuple of str
        Of the two ordinary parameters, both positive.

    Ordinary parameters: `scale`, `shape` unless the names are others, shapes (...).

    Examples
    --------
    >>> M = ig.statistics.LogLocationScale.log_logistic()
    >>> p, q = M.point_from(scale=[1.0, np.e], shape=1.0)
    >>> base = ig.statistics.LocationScale.logistic()
    >>> np.allclose(M.distance(p, q), base.distance([0.0, 1.0], [1.0, 1.0]))
    True
    """

    base: LocationScale
    name: str = "log Z"
    names: tuple[str, str] = ("scale", "shape")

    def __repr__(self) -> str:
        return f"LogLocationScale({self.base!r}, {self.name!r}, {self.names!r})"

    @classmethod
    def weibull(cls) -> Self:
        """P(x > t) = exp(−(t/λ)^k); curvature −6/π²."""
        return cls(LocationScale.gumbel_of_minima(), "Weibull")

    @classmethod
    def frechet(cls) -> Self:
        """P(x < t) = exp(−(t/λ)^{−k}); curvature −6/π²."""
        return cls(LocationScale.gumbel(), "Fréchet")

    @classmethod
    def log_logistic(cls) -> Self:
        """P(x < t) = 1 / (1 + (t/λ)^{−k}); curvature −9 / (π² + 3)."""
        return cls(LocationScale.logistic(), "log-logistic")

    @classmethod
    def pareto(cls) -> Self:
        """P(x > t) = (m/t)^α for t ≥ m, of minimum m and exponent α; curvature −1. The support moves with the minimum."""
        return cls(LocationScale.exponential(), "Pareto", ("minimum", "exponent"))

    @property
    def ordinary(self) -> Mapping[str, Domain]:
        return {name: Interval(0) for name in self.names}

    @property
    def domain(self) -> ConvexDomain:
        return Orthant(1, 1)

    @property
    def half_space(self) -> HalfSpace:
        return self.base.half_space

    def _to_base(self, xp: Namespace, x: Array) -> Array:
        return xp.stack([xp.log(x[..., 0]), 1.0 / x[..., 1]], axis=-1)

    def _log_density(self, xp: Namespace, point: Array, x: Array) -> Array:
        inside = xp.where(x > 0, x, xp.full_like(x, xp.nan))
        found = self.base._log_density(xp, self._to_base(xp, point), xp.log(inside)) - xp.log(inside)
        return xp.where(x > 0, found, xp.full_like(found, -xp.inf))

    def _draw(self, draws: Draws, point: Array, shape: tuple[int, ...]) -> Array:
        xp, point = arrays(point)
        return xp.exp(self.base._draw(draws, self._to_base(xp, point), shape))

    def _kl(self, xp: Namespace, p: Array, q: Array) -> Array:
        return self.base._kl(xp, self._to_base(xp, p), self._to_base(xp, q))

    def _slopes(self, xp: Namespace, x: Array) -> Array:
        """d log λ / dλ and d(1/k) / dk."""
        return xp.stack([1.0 / x[..., 0], -1.0 / x[..., 1] ** 2], axis=-1)

    def _metric(self, xp: Namespace, x: Array) -> Array:
        slopes = self._slopes(xp, x)
        return slopes[..., :, None] * self.base._metric(xp, self._to_base(xp, x)) * slopes[..., None, :]

    def _to_half_space(self, xp: Namespace, x: Array) -> Array:
        return self.base._to_half_space(xp, self._to_base(xp, x))

    def _from_half_space(self, xp: Namespace, point: Array) -> Array:
        base = self.base._from_half_space(xp, point)
        return xp.stack([xp.exp(base[..., 0]), 1.0 / base[..., 1]], axis=-1)

    def _vector_to_half_space(self, xp: Namespace, x: Array, vector: Array) -> Array:
        return self.base._vector_to_half_space(xp, self._to_base(xp, x), self._slopes(xp, x) * vector)

    def _vector_from_half_space(self, xp: Namespace, x: Array, vector: Array) -> Array:
        return self.base._vector_from_half_space(xp, self._to_base(xp, x), vector) / self._slopes(xp, x)

    def _half_space_step(self, xp: Namespace, x: Array, y: Array) -> Array:
        """Of the differences log(λ_y / λ_x) and 1/k_y − 1/k_x, from those of the coordinates."""
        step = y - x
        logs = log_ratio(xp, x[..., 0], y[..., 0], step[..., 0])
        return self.base._to_half_space(xp, xp.stack([logs, -step[..., 1] / (x[..., 1] * y[..., 1])], axis=-1))
