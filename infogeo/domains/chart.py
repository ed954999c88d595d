"""Charts: smooth bijections from R^d onto a convex domain, with their inverses and derivatives, and what they combine to."""
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NoReturn

import numpy as np

from ..backend import Array, Namespace, coerced
from ..errors import takes

__all__ = ["BareChart", "Chart", "ComposedChart", "IdentityChart", "ScaledChart", "StackedChart"]


class Chart(ABC):
    """A smooth bijection x = chart(u) from R^d onto an open set.

    Mathematically, with J the Jacobian at u: `push_forward` is J du, `pull_in` its inverse J⁻¹ dx, `pull_back` is Jᵀ c, and
    `pull_back_tangent` the derivative of Jᵀ c along du at fixed c.

    Shapes: u, x, vectors and covectors (..., d); leading axes broadcast. Charts of an interval act on each number.

    Examples
    --------
    >>> chart = ig.domains.Orthant(1).chart  # one of them, x = e^u
    >>> u = np.array([np.log(3.0)])
    >>> chart(u).round(12), chart.pull_back(u, [2.0]).round(12)  # 2 dx/du
    (array([3.]), array([6.]))
    """

    affine: bool = False      # whether J does not depend on u, so that `pull_back_tangent` is 0

    def inputs(self, d: int) -> int:
        """How many numbers u gives d numbers x: as many, but where a chart says in more of them what fewer could."""
        return d

    @abstractmethod
    def __call__(self, u: Array) -> Array:
        """x."""

    @abstractmethod
    def inverse(self, x: Array) -> Array:
        """u, for x in the set."""

    @abstractmethod
    def push_forward(self, u: Array, vector: Array) -> Array:
        """J du."""

    def pull_in(self, u: Array, vector: Array) -> Array:
        """J⁻¹ dx: by a linear system, where a chart does not know it."""
        xp, u, vector = coerced(u, vector)
        units = xp.eye(u.shape[-1], dtype=u.dtype)
        columns = [self.push_forward(u, units[i, :] + xp.zeros_like(vector)) for i in range(u.shape[-1])]
        return xp.linalg.solve(xp.stack(columns, axis=-1), vector[..., None])[..., 0]

    @abstractmethod
    def pull_back(self, u: Array, covector: Array) -> Array:
        """Jᵀ c."""

    @abstractmethod
    def pull_back_tangent(self, u: Array, vector: Array, covector: Array) -> Array:
        """(∂_u Jᵀ c) du."""


class IdentityChart(Chart):
    """x = u, for R^d itself.

    Examples
    --------
    >>> ig.domains.RealSpace(2).chart([1.0, -5.0])
    array([ 1., -5.])
    """

    affine = True

    def __call__(self, u: Array) -> Array:
        return coerced(u)[1]

    def inverse(self, x: Array) -> Array:
        return coerced(x)[1]

    def push_forward(self, u: Array, vector: Array) -> Array:
        return coerced(vector)[1]

    def pull_in(self, u: Array, vector: Array) -> Array:
        return coerced(vector)[1]

    def pull_back(self, u: Array, covector: Array) -> Array:
        return coerced(covector)[1]

    def pull_back_tangent(self, u: Array, vector: Array, covector: Array) -> Array:
        xp, vector, covector = coerced(vector, covector)
        return xp.zeros_like(vector * covector)


class ScaledChart(Chart):
    """x = c chart(u).

    Parameters
    ----------
    chart : Chart
    factor : float, or NumPy array of shape (d,)
        c, not 0 anywhere.

    Examples
    --------
    >>> chart = ig.domains.ScaledChart(ig.domains.SoftmaxChart(), 10.0)
    >>> chart([0.0, 0.0]).round(4), chart.inverse([5.0, 2.5]).round(4)
    (array([3.3333, 3.3333]), array([0.6931, 0.    ]))
    """

    @takes(chart=Chart)
    def __init__(self, chart: Chart, factor: Array) -> None:
        self.chart, self.factor, self.affine = chart, factor, chart.affine

    def _times(self, x: Array) -> Array:
        return x * self._factor(x)

    def _factor(self, x: Array) -> Array:
        if np.ndim(self.factor) == 0:
            return float(self.factor)
        xp, x = coerced(x)
        return xp.asarray(self.factor, dtype=x.dtype)

    def __call__(self, u: Array) -> Array:
        return self._times(self.chart(u))

    def inverse(self, x: Array) -> Array:
        x = coerced(x)[1]
        return self.chart.inverse(x / self._factor(x))

    def push_forward(self, u: Array, vector: Array) -> Array:
        return self._times(self.chart.push_forward(u, vector))

    def pull_in(self, u: Array, vector: Array) -> Array:
        vector = coerced(vector)[1]
        return self.chart.pull_in(u, vector / self._factor(vector))

    def pull_back(self, u: Array, covector: Array) -> Array:
        return self.chart.pull_back(u, self._times(covector))

    def pull_back_tangent(self, u: Array, vector: Array, covector: Array) -> Array:
        return self.chart.pull_back_tangent(u, vector, self._times(covector))


class StackedChart(Chart):
    """Charts of consecutive coordinates.

    Parameters
    ----------
    parts : pairs (chart, number of coordinates)

    Examples
    --------
    >>> from infogeo.domains import IdentityChart, LogitChart, StackedChart
    >>> chart = StackedChart((IdentityChart(), 1), (LogitChart(0.0, 1.0), 1))
    >>> chart([-2.0, 0.0]), chart.inverse([-2.0, 0.5])
    (array([-2. ,  0.5]), array([-2.,  0.]))
    """

    def __init__(self, *parts: tuple[Chart, int]) -> None:
        for part in parts:
            if not isinstance(part, tuple) or len(part) != 2 or not isinstance(part[0], Chart):
                raise TypeError(f"StackedChart takes pairs (chart, number of coordinates); got {part!r}")
        self.parts, self.affine = parts, all(chart.affine for chart, _ in parts)

    def _over(self, name: str, *xs: Array) -> Array:
        xp, *floating = coerced(*xs)
        out, start = [], 0
        for chart, size in self.parts:
            out.append(getattr(chart, name)(*(x[..., start:start + size] for x in floating)))
            start += size
        return xp.concat(out, axis=-1)

    def __call__(self, u: Array) -> Array:
        return self._over("__call__", u)

    def inverse(self, x: Array) -> Array:
        return self._over("inverse", x)

    def push_forward(self, u: Array, vector: Array) -> Array:
        return self._over("push_forward", u, vector)

    def pull_in(self, u: Array, vector: Array) -> Array:
        return self._over("pull_in", u, vector)

    def pull_back(self, u: Array, covector: Array) -> Array:
        return self._over("pull_back", u, covector)

    def pull_back_tangent(self, u: Array, vector: Array, covector: Array) -> Array:
        return self._over("pull_back_tangent", u, vector, covector)


class ComposedChart(Chart):
    """x = then(first(u)).

    Parameters
    ----------
    first : Chart
    then : Chart
        A bijection from the image of the first, which need not be all of R^d.

    Examples
    --------
    >>> from infogeo.domains import ComposedChart, ExponentialChart, ScaledChart
    >>> chart = ComposedChart(ScaledChart(ExponentialChart(1), 2.0),
    ...                       ExponentialChart(1))
    >>> chart([0.0]).round(4), chart.inverse([np.e]).round(4)  # exp(2 e^u)
    (array([7.3891]), array([-0.6931]))
    """

    @takes(first=Chart, then=Chart)
    def __init__(self, first: Chart, then: Chart) -> None:
        self.first, self.then, self.affine = first, then, first.affine and then.affine

    def __call__(self, u: Array) -> Array:
        return self.then(self.first(u))

    def inverse(self, x: Array) -> Array:
        return self.first.inverse(self.then.inverse(x))

    def push_forward(self, u: Array, vector: Array) -> Array:
        return self.then.push_forward(self.first(u), self.first.push_forward(u, vector))

    def pull_in(self, u: Array, vector: Array) -> Array:
        return self.first.pull_in(u, self.then.pull_in(self.first(u), vector))

    def pull_back(self, u: Array, covector: Array) -> Array:
        return self.first.pull_back(u, self.then.pull_back(self.first(u), covector))

    def pull_back_tangent(self, u: Array, vector: Array, covector: Array) -> Array:
        z, dz = self.first(u), self.first.push_forward(u, vector)
        along_first = self.first.pull_back_tangent(u, vector, self.then.pull_back(z, covector))
        return along_first + self.first.pull_back(u, self.then.pull_back_tangent(z, dz, covector))


class BareChart(Chart):
    """A bijection that is known as a function alone: without an inverse and derivatives, for which it raises.

    Parameters
    ----------
    forward : callable (xp, z) -> x
    onto : str
        What it maps onto, for the message.
    """

    def __init__(self, forward: Callable[[Namespace, Array], Array], onto: str) -> None:
        self.forward, self.onto = forward, onto

    def __call__(self, u: Array) -> Array:
        return self.forward(*coerced(u))

    def _refuse(self, what: str) -> NoReturn:
        raise TypeError(f"the map onto {self.onto} is known as a function alone, without {what}; give the domain an "
                        "infogeo.domains.Chart in its place")

    def inverse(self, x: Array) -> Array:
        self._refuse("an inverse")

    def push_forward(self, u: Array, vector: Array) -> Array:
        self._refuse("derivatives")

    def pull_in(self, u: Array, vector: Array) -> Array:
        self._refuse("derivatives")

    def pull_back(self, u: Array, covector: Array) -> Array:
        self._refuse("derivatives")

    def pull_back_tangent(self, u: Array, vector: Array, covector: Array) -> Array:
        self._refuse("derivatives")
