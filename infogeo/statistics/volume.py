"""The volume element of a Riemannian manifold: the density of Jeffreys' prior, and integrals of it over regions."""
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.integrate import cubature

from ..arrays.draws import Draws
from ..backend import Array, arrays, asarray, backend_of, to_numpy
from ..errors import ConvergenceError, ShapeError, require, require_count, takes
from ..geometry.divergences.integration import Estimate
from ..geometry.manifolds.manifold import Riemannian

__all__ = ["Cubature", "ImportanceSampling", "Region", "UniformSampling", "integral", "jeffreys_density", "volume"]


class Region(ABC):
    """A part of a chart, and how to integrate over it.

    Examples
    --------
    >>> M, rng = ig.Bernoulli(), np.random.default_rng(0)
    >>> for over in (ig.statistics.Cubature([-np.inf], [np.inf]),
    ...              ig.statistics.UniformSampling([-30.0], [30.0], rng, 9999)):
    ...     print(f"{ig.statistics.volume(M, over).value:.1f}")  # π
    3.1
    3.1
    """

    @abstractmethod
    def integral(self, M: Riemannian, density: Callable[[Array], Array]) -> Estimate:
        """∫ density(x) dx as an `Estimate`, shapes (); the density takes points (n, d) of the domain of M."""


@takes(Riemannian)
def jeffreys_density(M: Riemannian, x: Array) -> Array:
    """The volume element √det G(x), the density of Jeffreys' prior before it is normalised, shape (...).

    Shapes: x (..., d).
    Source: Jeffreys, An invariant form for the prior probability in estimation problems, Proc. R. Soc. A 186 (1946).

    Examples
    --------
    >>> M = ig.Bernoulli().dual  # in p: 1 / √(p (1 − p))
    >>> ig.statistics.jeffreys_density(M, [[0.5], [0.2]]).round(12)
    array([2. , 2.5])
    """
    log_density = M.log_volume_element(x)
    return backend_of(log_density).exp(log_density)


@takes(Riemannian, over=Region)
def volume(M: Riemannian, over: "Region") -> Estimate:
    """The Riemannian volume ∫ √det G(x) dx of a region, an `Estimate`: the mass of Jeffreys' prior there.

    Shapes: the region lies in the primal coordinates of M. The number does not depend on which coordinates these are.

    Parameters
    ----------
    M : Riemannian
    over : Region
        `Cubature` of a box, `UniformSampling` of one, `ImportanceSampling`.

    Returns
    -------
    Estimate
        ``(value, error)``, shapes ().

    Raises
    ------
    ConvergenceError, DomainError, ShapeError
        As the region says.

    Examples
    --------
    >>> over = ig.statistics.Cubature([-np.inf], [np.inf])
    >>> found = ig.statistics.volume(ig.Bernoulli(), over)
    >>> float(found.value.round(6))  # a quarter of a circle of radius 2
    3.141593
    """
    return over.integral(M, lambda x: jeffreys_density(M, x))


@takes(Riemannian, over=Region)
def integral(M: Riemannian, f: Callable[[Array], Array], over: "Region") -> Estimate:
    """∫ f(x) √det G(x) dx over a region, an `Estimate`: for instance of a likelihood under Jeffreys' prior.

    Parameters
    ----------
    M : Riemannian
    f : callable, array (n, d) -> array (n,)
        An indicator cuts a part of any shape out of the region.
    over : Region

    Returns
    -------
    Estimate
        ``(value, error)``, shapes ().

    Raises
    ------
    ConvergenceError, DomainError, ShapeError
        As the region says.

    Examples
    --------
    >>> M, over = ig.Bernoulli(), ig.statistics.Cubature([-np.inf], [np.inf])
    >>> square = ig.statistics.integral(M, lambda x: M.to_eta(x)[:, 0]**2, over)
    >>> float((square.value / np.pi).round(6))  # E p², p of Beta(½, ½)
    0.375
    """
    return over.integral(M, lambda x: f(x) * jeffreys_density(M, x))


@dataclass(frozen=True, eq=False)
class _Box(Region):
    """A box of the chart, lower < x < upper."""

    lower: Any
    upper: Any

    def __post_init__(self) -> None:
        xp, lower, upper = arrays(self.lower, self.upper)
        if lower.ndim != 1 or lower.shape != upper.shape:
            raise ShapeError(f"lower and upper must have one shape (d,); got {tuple(lower.shape)} and {tuple(upper.shape)}")
        require("lower and upper", "lower < upper", lower < upper, xp.stack([lower, upper], axis=-1))
        dtype = xp.result_type(lower.dtype, upper.dtype)
        object.__setattr__(self, "lower", xp.astype(lower, dtype, copy=True))
        object.__setattr__(self, "upper", xp.astype(upper, dtype, copy=True))

    def _require_dim(self, M: Riemannian) -> None:
        if self.lower.shape != (M.dim,):
            raise ShapeError(f"the region lies in {self.lower.shape[0]} dimensions; {M!r} has {M.dim}")


@dataclass(frozen=True, eq=False)
class Cubature(_Box):
    """A box lower < x < upper of the chart, finite or not, by adaptive Gauss–Kronrod cubature: for few dimensions.

    The nodes are float64; the result has the dtype of the bounds.

    Parameters
    ----------
    lower, upper : array, shape (d,)
        They may be infinite. The box lies in the domain of the manifold.
    rtol : float
        The relative error to reach.
    max_subdivisions : int

    Raises
    ------
    DomainError, ShapeError
        For bounds in the wrong order or of unequal shapes, or a node outside the domain of the manifold.
    ConvergenceError
        If `rtol` is not reached, for instance as the volume is infinite.

    Examples
    --------
    >>> over = ig.statistics.Cubature([0.0], [np.log(9.0)])
    >>> value, error = ig.statistics.volume(ig.Poisson(), over)
    >>> float(value.round(9)), bool(error < 1e-8)  # 2 (√9 − √1)
    (4.0, True)
    """

    rtol: float = 1e-9
    max_subdivisions: int = 1000

    def integral(self, M: Riemannian, density: Callable[[Array], Array]) -> Estimate:
        self._require_dim(M)
        xp, lower, upper = arrays(self.lower, self.upper)
        axes = [_axis(a, b) for a, b in zip(to_numpy(lower).tolist(), to_numpy(upper).tolist())]

        def at(nodes: Array) -> Array:
            points, slopes = zip(*(axis(t) for (axis, _), t in zip(axes, nodes.T)))
            x = M.domain.require("x", asarray(np.stack(points, axis=-1), like=lower))
            with np.errstate(over="ignore"):                         # of an integral that is infinite
                return to_numpy(density(x)) * np.prod(slopes, axis=0)

        ends = np.array([end for _, end in axes])
        rule = "gk21" if M.dim <= 3 else "genz-malik"                # 21^d nodes, or about 2^d
        found = cubature(at, ends[:, 0], ends[:, 1], rule=rule, rtol=self.rtol, max_subdivisions=self.max_subdivisions)
        value, error = float(found.estimate), float(found.error)
        if found.status != "converged" or not np.isfinite(value):
            raise ConvergenceError(f"the integral over the box is {value:.6g} with an error of {error:.2g} after "
                                   f"{found.subdivisions} subdivisions; it may be infinite, or need another chart",
                                   residual=error)
        return Estimate(xp.asarray(value, dtype=lower.dtype), xp.asarray(error, dtype=lower.dtype))


def _axis(lower: float, upper: float) -> tuple[Callable[[Array], tuple[Array, Array]], tuple[float, float]]:
    """(t ↦ (x, dx/dt), (t_0, t_1)): the interval as the image of a finite one, under a rational map where it is infinite."""
    if np.isfinite(lower) and np.isfinite(upper):
        return lambda t: (t, np.ones_like(t)), (lower, upper)
    if np.isfinite(lower):
        return lambda t: (lower + t / (1.0 - t), 1.0 / (1.0 - t) ** 2), (0.0, 1.0)
    if np.isfinite(upper):
        return lambda t: (upper - t / (1.0 - t), 1.0 / (1.0 - t) ** 2), (0.0, 1.0)
    return lambda t: (t / (1.0 - t * t), (1.0 + t * t) / (1.0 - t * t) ** 2), (-1.0, 1.0)


@dataclass(frozen=True, eq=False)
class UniformSampling(_Box):
    """A finite box lower < x < upper of the chart, by n uniform draws; the error is one standard error.

    Points outside the domain of the manifold count 0, so a box around the domain will do.

    Parameters
    ----------
    lower, upper : array, shape (d,)
        Finite.
    rng : numpy.random.Generator or CuPy's
    n : int
        At least 2.

    Raises
    ------
    DomainError, ShapeError
        For bounds in the wrong order, infinite or of unequal shapes, or too few draws.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> over = ig.statistics.UniformSampling([-30.0], [30.0], rng, 10_000)
    >>> value, error = ig.statistics.volume(ig.Bernoulli(), over)  # π
    >>> float(value.round(1)), bool(abs(value - np.pi) < 3 * error)
    (3.1, True)
    """

    rng: Any
    n: int

    def __post_init__(self) -> None:
        super().__post_init__()
        xp, size = arrays(self.upper - self.lower)
        require("upper - lower", "upper - lower finite", xp.isfinite(size), size)
        require_count("n", self.n, 2)

    def integral(self, M: Riemannian, density: Callable[[Array], Array]) -> Estimate:
        self._require_dim(M)
        xp, lower, upper = arrays(self.lower, self.upper)
        log_density = -xp.sum(xp.log(upper - lower))
        uniform = lambda rng, n: lower + (upper - lower) * Draws(rng, xp, lower.dtype).uniform((n, M.dim))
        return ImportanceSampling(uniform, lambda x: log_density, self.rng, self.n).integral(M, density)


@dataclass(frozen=True, eq=False)
class ImportanceSampling(Region):
    """The support of a distribution on the chart, by n draws of it; the error is one standard error.

    Mathematically, ∫ g(x) dx ≈ (1/n) Σ g(x_i) / q(x_i) with x_i drawn from the density q. Points outside the domain of the
    manifold count 0. The error is trustworthy where g/q is bounded.

    Parameters
    ----------
    draw : callable (rng, n) -> array (n, d)
    log_density : callable, array (n, d) -> array (n,)
        log q.
    rng : numpy.random.Generator or CuPy's
    n : int
        At least 2.

    Raises
    ------
    DomainError
        For too few draws.

    Examples
    --------
    >>> N, rng = ig.Normal(), np.random.default_rng(0)
    >>> q = N.theta_from(mean=0.0, variance=4.0)
    >>> over = ig.statistics.ImportanceSampling(
    ...     lambda rng, n: N.sample(rng, q, (n, 1)),
    ...     lambda x: N.log_density(q, x[:, 0]), rng, 10_000)
    >>> value, error = ig.statistics.volume(ig.Bernoulli(), over)  # π
    >>> float(value.round(1)), bool(abs(value - np.pi) < 3 * error)
    (3.1, True)
    """

    draw: Callable[[Any, int], Any]
    log_density: Callable[[Any], Any]
    rng: Any
    n: int

    def __post_init__(self) -> None:
        require_count("n", self.n, 2)

    def integral(self, M: Riemannian, density: Callable[[Array], Array]) -> Estimate:
        xp, x = M.point(self.draw(self.rng, self.n))
        inside = M.domain.contains(x)
        safe = xp.where(inside[:, None], x, xp.asarray(to_numpy(M.domain.interior_point), dtype=x.dtype))
        ratio = density(safe) * xp.exp(-self.log_density(safe))
        ratio = xp.where(inside, ratio, xp.zeros_like(ratio))
        return Estimate(xp.mean(ratio), xp.std(ratio, correction=1) / self.n**0.5)
