"""What a statistician asks of the law of x: its moments, distribution function and quantiles."""
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..arrays.graphs import one_operation
from ..arrays.tracing import is_differentiated, is_traced, named, still
from ..backend import Array, Namespace, arrays
from ..domains.supports import ClosedInterval, Integers
from ..geometry.manifolds.manifold import DuallyFlat
from .cumulative import ContinuousCumulative, Cumulative, Law, binary_search
from .cumulative_numeric import IntegratedCumulative, SummedCumulative
from .nodes import PanelNodes

if TYPE_CHECKING:
    from .base import ExponentialFamily

__all__ = ["Distribution"]


class Distribution(DuallyFlat):
    """Moments of x, and for one number distribution function, survival function and quantiles.

    A family gives `observed`, or `_mean_of_x` and `_covariance_of_x`; and `_cumulative`, where it has a closed form. The versions
    here are integrals and sums of the density.
    """

    observed: Any = None        # int | slice | None: which coordinates of T(x) are x itself
    if TYPE_CHECKING:           # of `ExponentialFamily`
        @property
        def support(self) -> Any: ...

        @property
        def theta_closure(self) -> Any: ...

        def _stand_in(self, xp: Namespace, theta: Array) -> Array: ...

        @property
        def _somewhere(self) -> Array: ...

        @staticmethod
        def _require_batches(**batches: tuple[int, ...]) -> None: ...

    # The moments

    @one_operation
    def mean(self, theta: Array) -> Array:
        """E[x], shape (..., *support.shape), in the units of x; inf where it is infinite, NaN where it is neither.

        Raises
        ------
        DomainError, ShapeError
            For θ outside its domain.
        """
        xp, theta = self._required(theta)
        with np.errstate(all="ignore"), named(xp, f"{self!r}.mean"):
            return self._mean_of_x(xp, theta)

    @one_operation
    def variance(self, theta: Array) -> Array:
        """E[|x − E x|²] of each entry of x, shape (..., *support.shape), in squared units of x; otherwise as `mean`."""
        xp, theta = self._required(theta)
        with np.errstate(all="ignore"), named(xp, f"{self!r}.variance"):
            return self._variance_of_x(xp, theta)

    @one_operation
    def covariance(self, theta: Array) -> Array:
        """The covariances of the entries of x, shape (..., *support.shape, *support.shape): the variance of one number.

        Of matrices, Cov(x_ij, x_kl) is at [..., i, j, k, l]; of complex vectors it is E[(x − E x)(x − E x)ᴴ]. Otherwise as
        `mean`.
        """
        xp, theta = self._required(theta)
        with np.errstate(all="ignore"), named(xp, f"{self!r}.covariance"):
            return self._covariance_of_x(xp, theta)

    def _mean_of_x(self, xp: Namespace, theta: Array) -> Array:
        if self.observed is not None:
            eta = self.to_eta(theta) if is_differentiated(xp, theta) else self._to_eta(xp, theta)
            return eta[..., self.observed]
        return self._numeric(xp, theta).moments()[0]

    def _covariance_of_x(self, xp: Namespace, theta: Array) -> Array:
        if self.observed is not None:
            metric = self.metric(theta) if is_differentiated(xp, theta) else self._metric(xp, theta)
            return metric[..., self.observed, self.observed]
        return self._numeric(xp, theta).moments()[1]

    def _variance_of_x(self, xp: Namespace, theta: Array) -> Array:
        covariance, shape = self._covariance_of_x(xp, theta), self.support.shape
        if shape == ():
            return covariance
        size = int(np.prod(shape))
        square = xp.reshape(covariance, (*theta.shape[:-1], size, size))
        return xp.reshape(xp.linalg.diagonal(square), (*theta.shape[:-1], *shape))

    # The distribution function

    @one_operation
    def cdf(self, theta: Array, x: Array) -> Array:
        """P(X ≤ x), shape (...), to its own relative precision in the lower tail; 0 below the support and 1 above it.

        The batches of θ and x broadcast. The x of a family of counts need not be whole.

        Raises
        ------
        DomainError, ShapeError
            For θ outside its domain.
        TypeError
            Where x is not one number.
        """
        return self._at("cdf", theta, x, 0.0, 1.0)

    @one_operation
    def survival(self, theta: Array, x: Array) -> Array:
        """P(X > x) = 1 − cdf, to its own relative precision in the upper tail; otherwise as `cdf`."""
        return self._at("survival", theta, x, 1.0, 0.0)

    @one_operation
    def log_cdf(self, theta: Array, x: Array) -> Array:
        """log P(X ≤ x), nats, also where P(X ≤ x) underflows, and as precisely near 0; otherwise as `cdf`."""
        return self._at("log_cdf", theta, x, -np.inf, 0.0)

    @one_operation
    def log_survival(self, theta: Array, x: Array) -> Array:
        """log P(X > x), nats, also where P(X > x) underflows, and as precisely near 0; otherwise as `cdf`."""
        return self._at("log_survival", theta, x, 0.0, -np.inf)

    @one_operation
    def quantile(self, theta: Array, q: Array) -> Array:
        """The smallest x with P(X ≤ x) ≥ q, shape (...), in the units of x; at q = 0 and 1 the ends of the support.

        The batches of θ and q broadcast. Near 1 numbers are 1e-16 apart: `upper_quantile` tells more of them.

        Raises
        ------
        DomainError, ShapeError
            For θ outside its domain, or q outside [0, 1].
        TypeError
            Where x is not one number.
        """
        return self._at_level(theta, q, upper=False)

    @one_operation
    def upper_quantile(self, theta: Array, q: Array) -> Array:
        """The smallest x with P(X > x) ≤ q, shape (...), in the units of x, for q however small; otherwise as `quantile`."""
        return self._at_level(theta, q, upper=True)

    def _at_level(self, theta: Array, q: Array, upper: bool) -> Array:
        xp, theta, q = self._with_number(theta, q)
        ClosedInterval(0, 1).require("q", q)
        self._require_batches(theta=theta.shape[:-1], q=q.shape)
        low, high = self._ends
        inner = xp.where((q > 0) & (q < 1), q, 0.5 + 0.0 * q) + 0.0 * theta[..., 0]
        with np.errstate(all="ignore"), named(xp, f"{self!r}.{'upper_' * upper}quantile"):
            if isinstance(self.support, Integers):          # which moves in steps: its derivative is 0
                theta, inner = still(xp, theta), still(xp, inner)
                x = self._count(xp, theta, self._cumulative(xp, theta), inner, upper)
            else:
                law = cast(ContinuousCumulative, self._cumulative(xp, theta))
                x = xp.clip((law.upper_quantile if upper else law.quantile)(inner), low, high)
        ends = xp.where((q == 0) if upper else (q > 0), xp.full_like(x, high), xp.full_like(x, low))
        return xp.where((q > 0) & (q < 1), x, ends)

    def _count(self, xp: Namespace, theta: Array, law: Cumulative, q: Array, upper: bool) -> Array:
        """The smallest whole x with P(X ≤ x) ≥ q or, of the upper tail, P(X > x) ≤ q, from that of a normal law."""
        low, high = self._ends
        mean, deviation = self._mean_of_x(xp, theta), xp.sqrt(self._variance_of_x(xp, theta))
        start = xp.floor(mean + deviation * (-xp.ndtri(q) if upper else xp.ndtri(q)))
        start = xp.where(xp.isfinite(start), start, xp.full_like(start, low))
        step = xp.where(xp.isfinite(deviation), xp.ceil(0.1 * deviation), xp.ones_like(deviation)) + 0.0 * start

        def reached(x: Array) -> Array:
            inside = xp.where(x < high, x, xp.full_like(x, low))
            return (x >= high) | (law.survival(inside) <= q if upper else law.cdf(inside) >= q)

        return binary_search(xp, reached, start, step, low, high)

    def _cumulative(self, xp: Namespace, theta: Array) -> Cumulative:
        """The distribution function at θ; here by sums and integrals."""
        return self._numeric(xp, theta)

    def _numeric(self, xp: Namespace, theta: Array) -> Law:
        """The distribution function and the moments by sums and integrals."""
        if self.support.shape:
            raise TypeError(f"{self!r} has observations of shape {self.support.shape}: their moments are the family's own to "
                            f"give, as `observed` or `_mean_of_x` and `_covariance_of_x`")
        whole, log_total = self._whole(xp, theta)
        if isinstance(self.support, Integers):
            return SummedCumulative(xp, theta, whole, self.support.lower, self.support.upper, log_total)
        return IntegratedCumulative(xp, theta, PanelNodes(whole, self.support), log_total, self._pieces)

    def _whole(self, xp: Namespace, theta: Array) -> tuple["ExponentialFamily", Array]:
        """A family of which this one is a part, with the same θ, and the logarithm of the part's probability."""
        return cast("ExponentialFamily", self), xp.zeros_like(theta[..., 0])

    def _pieces(self, xp: Namespace, theta: Array) -> list[tuple[Array, Array, Array]] | None:
        """(start, end, mode), shapes (..., 1), of intervals in each of which the density has one mode; None where it has one."""
        return None

    @property
    def _ends(self) -> tuple[float, float]:
        """The ends of the support."""
        return self.support.lower, self.support.upper

    def _at(self, name: str, theta: Array, x: Array, below: float, above: float) -> Array:
        xp, theta, x = self._with_number(theta, x)
        self._require_batches(theta=theta.shape[:-1], x=x.shape)
        low, high = self._ends
        counts = isinstance(self.support, Integers)
        place = xp.floor(x) if counts else x
        under = place < low if counts else place <= low
        inside = ~under & (place < high)
        with np.errstate(all="ignore"), named(xp, f"{self!r}.{name}"):
            somewhere = xp.asarray(low if counts else self._somewhere, dtype=x.dtype)
            value = getattr(self._cumulative(xp, theta), name)(xp.where(inside, place, somewhere))
        outside = xp.where(under, xp.full_like(value, below), xp.full_like(value, above))
        return xp.where(inside, value, xp.where(xp.isnan(x), xp.full_like(value, xp.nan), outside))

    def _required(self, theta: Array) -> tuple[Namespace, Array]:
        xp, theta = arrays(theta)
        return xp, self._inside(xp, theta)

    def _inside(self, xp: Namespace, theta: Array) -> Array:
        """θ, finite; where it is traced, and outside its domain, NaN."""
        theta = self.theta_closure.require("theta", theta)
        if is_traced(xp, theta):
            theta = xp.where(self.theta_closure.contains(theta)[..., None], theta, xp.full_like(theta, xp.nan))
        return self._stand_in(xp, theta)

    def _with_number(self, theta: Array, x: Array) -> tuple[Namespace, Array, Array]:
        if self.support.shape:
            raise TypeError(f"a distribution function is that of one number: {self!r} has observations of shape "
                            f"{self.support.shape}")
        xp, theta, x = arrays(theta, x)
        return xp, self._inside(xp, theta), x
