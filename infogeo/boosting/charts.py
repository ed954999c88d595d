"""The charts in which parameters are boosted: one tree a column, and every number a legal one."""
from abc import ABC, abstractmethod
from collections.abc import Mapping
from math import isinf, prod
from typing import NamedTuple

import numpy as np

from ..backend import NUMPY, Array
from ..domains.base import Domain
from ..domains.bijections import LogCholeskyChart
from ..domains.chart import BareChart, Chart, ComposedChart
from ..domains.convex import ConvexDomain, Orthant, RealSpace
from ..domains.power import PowerChart
from ..domains.supports import ClosedInterval, Interval, PositiveDefiniteMatrix
from ..errors import takes
from ..families.base import ExponentialFamily
from ..numerics.linalg import symmetric2
from ..numerics.packing import pack, packed_size, unpack

__all__ = ["ExpectationChart", "NaturalChart", "OrdinaryChart", "ParameterChart", "default_chart"]

OFFERED = ("every family whose ordinary parameters are numbers, vectors or definite matrices (Normal, LogNormal, Gamma, Beta, "
           "InverseGaussian, Poisson, NegativeBinomial(r), MultivariateNormal(p), Dirichlet(k), …), every one whose θ fills R^d "
           "(Bernoulli, Categorical(k), VonMises, …), and products of families of the same kind")


class ParameterChart(ABC):
    """Coordinates u in R^d of a family's members: θ = θ(u).

    Mathematically, with J = ∂θ/∂u and the Fisher metric G: the natural gradient of a score whose covector is c = ∂/∂θ is
    J⁻¹ G⁻¹ c = (∂u/∂η) c in u, and the metric is Jᵀ G J.

    Shapes: u, θ, η (..., d); y (..., *support.shape).

    Attributes
    ----------
    family : ExponentialFamily
    columns : tuple of str
        What each coordinate is: `mean`, `log variance`.
    owners : tuple of str
        The ordinary parameter that each coordinate belongs to.

    Examples
    --------
    >>> chart = ig.boosting.OrdinaryChart(ig.Normal())
    >>> u = np.array([[3.0, np.log(4.0)]])          # mean and log variance
    >>> G = chart.metric(u, chart.to_theta(u))[0]
    >>> np.diag(G).round(6)                         # 1/σ², ½
    array([0.25, 0.5 ])
    """

    family: ExponentialFamily
    columns: tuple[str, ...]
    owners: tuple[str, ...]

    @abstractmethod
    def to_theta(self, u: Array) -> Array:
        """θ(u)."""

    @abstractmethod
    def from_theta(self, theta: Array) -> Array:
        """u of a θ in its domain."""

    @abstractmethod
    def raised(self, u: Array, theta: Array, d_eta: Array) -> Array:
        """(∂u/∂η) dη: the vector of the covector dη."""

    @abstractmethod
    def residual(self, u: Array, theta: Array, y: Array) -> Array:
        """The natural gradient of −log p(y; θ), at θ = θ(u)."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.family!r})"

    def pull_in(self, theta: Array, vector: Array) -> Array:
        """J⁻¹ dθ."""
        return self.raised(self.from_theta(theta), theta, self.family.flat(theta, vector))

    def inverse_metric(self, u: Array, theta: Array) -> Array:
        """(Jᵀ G J)⁻¹ = A G Aᵀ with A = ∂u/∂η, shape (..., d, d).

        By `flat` of the rows of A: of a normal law, G Aᵀ is then as exact at a mean of 1e8 as at 0.
        """
        d, batch = self.family.dim, theta.ndim - 1
        units = np.reshape(np.eye(d), (d, *(1,) * batch, d)) + np.zeros_like(theta)
        rows = np.moveaxis(self.raised(u, theta, units), (0, -1), (-1, 0))         # A, its row first
        found = np.moveaxis(self.raised(u, theta, self.family.flat(theta, rows)), 0, -1)
        return 0.5 * (found + np.swapaxes(found, -1, -2))

    def metric(self, u: Array, theta: Array) -> Array:
        """Jᵀ G J, shape (..., d, d)."""
        return inverse(self.inverse_metric(u, theta))

    def covector(self, u: Array, theta: Array, y: Array) -> Array:
        """The gradient of −log p(y; θ(u)) in u."""
        return times(self.metric(u, theta), self.residual(u, theta, y))


def times(matrix: Array, vector: Array) -> Array:
    """Matrix times vector, row by row."""
    if vector.shape[-1] == 1:
        return matrix[..., 0] * vector
    return np.squeeze(np.matmul(matrix, vector[..., None]), -1)


def inverse(matrix: Array) -> Array:
    """Of symmetric positive definite matrices, row by row; of one and two rows by the formula."""
    d = matrix.shape[-1]
    if d == 1:
        return 1.0 / matrix
    if d == 2:
        a, b, c = matrix[..., 0, 0], matrix[..., 0, 1], matrix[..., 1, 1]
        determinant = a * c - b * b
        return symmetric2(NUMPY, c / determinant, -b / determinant, a / determinant)
    return np.linalg.inv(matrix)


class _Part(NamedTuple):
    """A part of the coordinates: one ordinary parameter, flattened."""

    name: str
    size: int
    shape: tuple[int, ...]
    chart: Chart
    packed: int         # the order of a symmetric matrix, 0 for numbers and vectors
    labels: tuple[str, ...]

    def flat(self, value: Array) -> Array:
        """(..., *shape) to (..., size)."""
        if self.packed:
            return np.reshape(pack(value), (*value.shape[:value.ndim - len(self.shape)], self.size))
        return np.reshape(value, (*value.shape[:value.ndim - len(self.shape)], self.size))

    def full(self, flat: Array) -> Array:
        """(..., size) to (..., *shape)."""
        if self.packed:
            rows = np.reshape(flat, (*flat.shape[:-1], -1, packed_size(self.packed)))
            return np.reshape(unpack(rows, self.packed), (*flat.shape[:-1], *self.shape))
        return np.reshape(flat, (*flat.shape[:-1], *self.shape))


class OrdinaryChart(ParameterChart):
    """The ordinary parameters of the family: free ones as they are, positive ones by their logarithm, those of a bounded interval
    by their log-odds, a covariance by its Cholesky factor, with logarithms on the diagonal.

    The columns have the names of the parameters and are nearly orthogonal in most families; every step stays inside.

    Parameters
    ----------
    family : ExponentialFamily

    Raises
    ------
    TypeError
        For a family with a parameter of another kind: probabilities, directions.

    Examples
    --------
    >>> chart = ig.boosting.OrdinaryChart(ig.Normal())
    >>> chart.columns
    ('mean', 'log variance')
    >>> theta = ig.Normal().theta_from(mean=[3.0], variance=[4.0])
    >>> chart.from_theta(theta).round(4), float(np.log(4).round(4))
    (array([[3.    , 1.3863]]), 1.3863)
    """

    @takes(family=ExponentialFamily)
    def __init__(self, family: ExponentialFamily) -> None:
        self.family = family
        self.parts = [_part(name, domain, family) for name, domain in family.ordinary.items()]
        if sum(part.size for part in self.parts) != family.dim:
            raise _unknown(family)
        self.columns = tuple(label for part in self.parts for label in part.labels)
        self.owners = tuple(part.name for part in self.parts for _ in range(part.size))

    def _values(self, u: Array, method: str, vectors: Mapping[str, Array] | None = None) -> list[Array]:
        out, start = [], 0
        for part in self.parts:
            piece = u[..., start:start + part.size]
            given = () if vectors is None else (part.flat(vectors[part.name]),)
            out.append(getattr(part.chart, method)(piece, *given))
            start += part.size
        return out

    def to_theta(self, u: Array) -> Array:
        values = {part.name: part.full(value) for part, value in zip(self.parts, self._values(u, "__call__"))}
        with np.errstate(all="ignore"):
            return self.family._theta_from(NUMPY, **values)

    def from_theta(self, theta: Array) -> Array:
        values = self.family.parameters(theta)
        return np.concatenate([part.chart.inverse(part.flat(values[part.name])) for part in self.parts], axis=-1)

    def raised(self, u: Array, theta: Array, d_eta: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.concatenate(self._values(u, "pull_in", self.family.from_eta_tangent(theta, d_eta)), axis=-1)

    def residual(self, u: Array, theta: Array, y: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.concatenate(self._values(u, "pull_in", self.family.residual(theta, y)), axis=-1)


def _part(name: str, domain: Domain, family: ExponentialFamily) -> _Part:
    shape, row = domain.shape, getattr(domain, "row", domain)
    if isinstance(row, PositiveDefiniteMatrix):
        p, copies = row.p, prod(shape[:-2])
        labels = [f"{'log ' if i == j else ''}cholesky[{j}, {i}] of {name}" for i in range(p) for j in range(i, p)]
        chart: Chart = LogCholeskyChart(p)
        if copies > 1 or len(shape) > 2:
            chart = PowerChart(chart, copies, packed_size(p))
            labels = [f"{label}[{k}]" for k in range(copies) for label in labels]
        return _Part(name, copies * packed_size(p), shape, chart, p, tuple(labels))
    closed = isinstance(row, ClosedInterval) and not (isinf(row.lower) and isinf(row.upper))
    if closed or not isinstance(row, (Interval, RealSpace, Orthant)):
        raise _unknown(family)
    places = [""] if shape == () else [str(list(place)) for place in np.ndindex(*shape)]
    return _Part(name, prod(shape), shape, row.chart, 0, tuple(_label(row, f"{name}{place}") for place in places))


def _label(domain: Domain, name: str) -> str:
    """What a coordinate is, for instance `log (exponent - 1)`."""
    low, high = getattr(domain, "lower", -np.inf), getattr(domain, "upper", np.inf)
    if isinstance(domain, Orthant):
        low = 0.0
    if isinf(low) and isinf(high):
        return name
    if isinf(high):
        return f"log ({name} - {low:g})" if low else f"log {name}"
    return f"log ({high:g} - {name})" if isinf(low) else f"logit {name}"


def _unknown(family: ExponentialFamily) -> TypeError:
    return TypeError(f"{family!r} has ordinary parameters that no column can be boosted for one by one; offered are {OFFERED}. "
                     "Another chart of its members can be given as chart=")


class NaturalChart(ParameterChart):
    """θ itself, of a family whose θ fills R^d: log-odds, a log rate, κ times a direction.

    Raises
    ------
    TypeError
        Where θ has a boundary: a constant step would cross it.

    Examples
    --------
    >>> chart = ig.boosting.NaturalChart(ig.Bernoulli())
    >>> u = np.array([[0.0]])     # p = ½: (p − y) / (p (1 − p))
    >>> chart.residual(u, chart.to_theta(u), np.array([1]))
    array([[-2.]])
    """

    @takes(family=ExponentialFamily)
    def __init__(self, family: ExponentialFamily) -> None:
        if not family.theta_domain.whole:
            raise TypeError(f"θ of {family!r} does not fill R^d: {family.theta_domain.rule('theta')}. OrdinaryChart has "
                            "coordinates that do")
        self.family = family
        self.columns = self.owners = tuple(f"theta[{i}]" for i in range(family.dim))

    def to_theta(self, u: Array) -> Array:
        return u

    def from_theta(self, theta: Array) -> Array:
        return theta

    def raised(self, u: Array, theta: Array, d_eta: Array) -> Array:
        return self.family.sharp(theta, d_eta)

    def residual(self, u: Array, theta: Array, y: Array) -> Array:
        return self.family.sharp(theta, self.covector(u, theta, y))

    def metric(self, u: Array, theta: Array) -> Array:
        return self.family.metric(theta)

    def covector(self, u: Array, theta: Array, y: Array) -> Array:
        return self.family.to_eta(theta) - self.family.sufficient_statistic(y)


class ExpectationChart(ParameterChart):
    """The chart of the domain of η: u with η = η(u), in which the natural gradient of the log score is (∂u/∂η) (η − T(y)).

    Of one-parameter families the same as the ordinary parameters, but for units; where means are large, η − T(y) loses digits.

    Parameters
    ----------
    family : ExponentialFamily
    chart : infogeo.domains.Chart, optional
        From R^d onto the domain of η; that of the domain unless given.

    Raises
    ------
    TypeError
        Where the domain of η has no chart with an inverse.

    Examples
    --------
    >>> chart = ig.boosting.ExpectationChart(ig.Poisson())
    >>> u = np.array([[np.log(3.0)]])               # the chart of η > 0 is exp
    >>> ig.Poisson().to_eta(chart.to_theta(u)).round(6)
    array([[3.]])
    """

    @takes(family=ExponentialFamily, chart=Chart)
    def __init__(self, family: ExponentialFamily, chart: Chart | None = None) -> None:
        domain: ConvexDomain = family.eta_domain
        self.family, self.chart = family, domain.chart if chart is None else chart
        if isinstance(self.chart, BareChart) or isinstance(self.chart, ComposedChart) and isinstance(self.chart.then, BareChart):
            raise TypeError(f"the domain of η of {family!r} has a chart without an inverse; give one as chart=")
        self.columns = self.owners = tuple(f"eta chart[{i}]" for i in range(family.dim))

    def to_theta(self, u: Array) -> Array:
        return self.family.to_theta(self.chart(u))

    def from_theta(self, theta: Array) -> Array:
        return self.chart.inverse(self.family.to_eta(theta))

    def raised(self, u: Array, theta: Array, d_eta: Array) -> Array:
        return self.chart.pull_in(u, d_eta)

    def residual(self, u: Array, theta: Array, y: Array) -> Array:
        return self.raised(u, theta, self.chart(u) - self.family.sufficient_statistic(y))


@takes(ExponentialFamily)
def default_chart(family: ExponentialFamily) -> ParameterChart:
    """`OrdinaryChart`; `NaturalChart` where ordinary parameters have none and θ fills R^d.

    Raises
    ------
    TypeError
        Where neither is possible.

    Examples
    --------
    >>> ig.boosting.default_chart(ig.Gamma()).columns
    ('log shape', 'log rate')
    >>> ig.boosting.default_chart(ig.Categorical(3)).columns
    ('theta[0]', 'theta[1]')
    """
    try:
        return OrdinaryChart(family)
    except TypeError:
        if family.theta_domain.whole:
            return NaturalChart(family)
        raise
