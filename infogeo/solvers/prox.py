"""Bregman proxes in closed form: what a composite step does for the part of an objective that is not smooth."""
from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import inf
from numbers import Real
from typing import Any

from ..arrays.joined import gathered, joined
from ..arrays.kept import kept
from ..backend import Array, arrays, column
from ..domains.convex import Orthant
from ..errors import require, require_positive
from ..geometry.manifolds.euclidean import Euclidean
from ..geometry.manifolds.manifold import Dual
from ..geometry.manifolds.negative_entropy import NegativeEntropy
from ..geometry.manifolds.p_norm import PNorm
from ..geometry.manifolds.product import ProductManifold
from ..geometry.manifolds.separable import Separable

__all__ = ["L1", "Box", "Prox", "SumTo"]


class Prox(ABC):
    """A convex function g, by the minimiser of h g(y) + B_ψ(y : x).

    Shapes: x (..., d); h (...) or a number.

    Examples
    --------
    >>> class Floor(ig.Prox):                       # x ≥ 1, of a separable ψ
    ...     def value(self, x):
    ...         return np.where((x >= 1).all(-1), 0.0, np.inf)
    ...     def __call__(self, geometry, x, h):
    ...         return np.maximum(x, 1.0)
    >>> update = ig.Composite(ig.MirrorUpdate(), Floor())
    >>> ig.descend(ig.LeastSquares(np.eye(2), [0.0, 3.0]), [2.0, 2.0],
    ...            geometry=ig.Euclidean(2), update=update, step=1.0,
    ...            max_steps=5).x
    array([1., 3.])
    """

    @abstractmethod
    def value(self, x: Array) -> Array:
        """g(x), shape (...); +∞ outside the set of an indicator."""

    @abstractmethod
    def __call__(self, geometry: Any, x: Array, h: Array) -> Array:
        """argmin over y of h g(y) + B_ψ(y : x), with ψ the potential of the geometry, shape (..., d).

        Raises
        ------
        TypeError
            Where this has no closed form in that geometry.
        """

    def refuse(self, geometry: Any, where: str) -> Any:
        raise TypeError(f"{type(self).__name__} has a closed form {where}; got {geometry!r}")


@dataclass(frozen=True)
class L1(Prox):
    """g(x) = λ Σ |x_i|.

    Mathematically, ∇ψ(y) = ∇ψ(x) − hλ ∂|y|. Where ∇ψ* keeps the signs of the coordinates, as that of the squared Euclidean and
    p-norms does, y is the image of the soft-thresholded dual point, sign(η) max(|η| − hλ, 0). On an orthant |x| is linear, and
    the dual point moves by hλ.

    Parameters
    ----------
    weight : float
        λ, not negative.

    Examples
    --------
    >>> soft = ig.L1(0.5)                           # soft thresholds
    >>> soft(ig.Euclidean(3), np.array([2.0, 0.3, -1.0]), 1.0)
    array([ 1.5,  0. , -0.5])
    >>> float(soft.value(np.array([1.5, 0.0, -0.5])))
    1.0
    """

    weight: float

    def __post_init__(self) -> None:
        require("weight", "0 <= weight < inf", isinstance(self.weight, Real) and 0 <= float(self.weight) < inf, self.weight)

    def value(self, x: Array) -> Array:
        xp, x = arrays(x)
        return self.weight * xp.sum(xp.abs(x), axis=-1)

    def __call__(self, geometry: Any, x: Array, h: Array) -> Array:
        xp, eta = arrays(geometry.to_eta(x))
        shift, domain = column(h) * self.weight, geometry.domain
        if isinstance(domain, Orthant):
            return geometry.to_theta(eta - shift * xp.asarray(domain.signs, dtype=eta.dtype))
        if not isinstance(geometry, (Euclidean, PNorm)):
            self.refuse(geometry, "where the mirror map keeps signs, on Euclidean(d), PNorm(d, p) and on orthants")
        size = xp.abs(eta) - shift
        return geometry.to_theta(xp.sign(eta) * xp.where(size > 0, size, xp.zeros_like(size)))


@dataclass(frozen=True, eq=False)
class Box(Prox):
    """The indicator of lower ≤ x ≤ upper.

    Mathematically, for a separable potential ψ(x) = Σ f_i(x_i) the nearest point of the box has the clipped coordinates,
    whatever f_i is.

    Parameters
    ----------
    lower, upper : numbers or arrays, shape (..., d)
        Copies are kept.

    Examples
    --------
    >>> ig.Box(0.0, [1.0, 2.0])(ig.Euclidean(2), np.array([-3.0, 3.0]), 1.0)
    array([0., 2.])
    """

    lower: Any
    upper: Any

    def __post_init__(self) -> None:
        _, lower, upper = gathered(self.lower, self.upper)
        require("lower", "lower <= upper", lower <= upper, lower)
        for name, bound in (("lower", lower), ("upper", upper)):        # numbers stay numbers, which are of every array library
            object.__setattr__(self, name, kept(bound) if bound.ndim else getattr(self, name))

    def value(self, x: Array) -> Array:
        xp, x, lower, upper = joined(x, self.lower, self.upper)
        return _indicator(xp, xp.all((x >= lower) & (x <= upper), axis=-1), x)

    def __call__(self, geometry: Any, x: Array, h: Array) -> Array:
        if not _separable(geometry):
            self.refuse(geometry, "for a separable potential, Σ f(x_i)")
        xp, x, lower, upper = joined(x, self.lower, self.upper)
        return xp.minimum(xp.maximum(x, lower), upper)


@dataclass(frozen=True)
class SumTo(Prox):
    """The indicator of x ≥ 0 with Σ x_i = total: the probability simplex for a total of 1.

    Mathematically, on `NegativeEntropy` the nearest point is proportional to x, on `Euclidean` max(x − τ, 0) with the τ of this
    sum.

    Parameters
    ----------
    total : float
        Positive.

    Source: Held, Wolfe & Crowder, Validation of subgradient optimization (1974), for the Euclidean projection.

    Examples
    --------
    >>> x, simplex = np.array([2.0, 1.0, 1.0]), ig.SumTo()
    >>> simplex(ig.NegativeEntropy(3), x, 1.0), simplex(ig.Euclidean(3), x, 1.0)
    (array([0.5 , 0.25, 0.25]), array([1., 0., 0.]))
    """

    total: float = 1.0

    def __post_init__(self) -> None:
        require_positive("total", self.total)

    def value(self, x: Array) -> Array:
        xp, x = arrays(x)
        room = 4 * x.shape[-1] * float(xp.finfo(x.dtype).eps) * self.total
        return _indicator(xp, xp.all(x >= 0, axis=-1) & (xp.abs(xp.sum(x, axis=-1) - self.total) <= room), x)

    def __call__(self, geometry: Any, x: Array, h: Array) -> Array:
        xp, x = arrays(x)
        if isinstance(geometry, NegativeEntropy):
            part = x / xp.max(x, axis=-1, keepdims=True)
            return self.total * part / xp.sum(part, axis=-1, keepdims=True)
        if not isinstance(geometry, Euclidean):
            self.refuse(geometry, "on NegativeEntropy(d) and Euclidean(d)")
        x = x - xp.max(x, axis=-1, keepdims=True)       # a constant does not matter, and might lose the total
        down = xp.flip(xp.sort(x, axis=-1), axis=-1)
        count = xp.arange(1, x.shape[-1] + 1, dtype=x.dtype)
        tau = (xp.cumulative_sum(down, axis=-1) - self.total) / count       # of the k greatest; the greatest of them is the one
        above = x - xp.max(tau, axis=-1, keepdims=True)
        return xp.where(above > 0, above, xp.zeros_like(above))


def _indicator(xp: Any, inside: Array, x: Array) -> Array:
    return xp.where(inside, xp.asarray(0.0, dtype=x.dtype), xp.asarray(xp.inf, dtype=x.dtype))


def _separable(M: Any) -> bool:
    """Whether the potential of a manifold is a sum over coordinates."""
    if isinstance(M, ProductManifold):
        return all(map(_separable, M.factors))
    return isinstance(M, (Separable, Euclidean)) or isinstance(M, Dual) and _separable(M.primal)
