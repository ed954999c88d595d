"""Exponential families: dually flat manifolds of probability distributions."""
# One concept: what a family says of itself, and what every family can do then; a third of the lines are docstrings.
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from functools import partial, reduce
from inspect import CO_VARARGS, CO_VARKEYWORDS
from operator import and_
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..arrays.draws import Draws
from ..arrays.graphs import one_operation
from ..arrays.pieces import first_mean, is_in_pieces
from ..arrays.sums import average
from ..arrays.tracing import is_traced, named, ruled, surely
from ..arrays.weights import shares
from ..backend import NUMPY, Array, Namespace, arrays, backend_of, coerced, dot, generator_of
from ..domains.base import Domain, batch_shape
from ..domains.supports import Interval
from ..errors import ShapeError, require, require_positive
from ..face.elsewhere import method
from ..geometry.manifolds.interface import contract, formula, formula_by_name
from ..geometry.manifolds.manifold import DuallyFlat
from ..numerics.differences import along
from . import rules
from .distribution import Distribution
from .ordinary import show_names
from .shown import Shown
from .statistic_sums import sums_in_pieces

__all__ = ["ConstantBaseMeasure", "ExponentialFamily"]


class ExponentialFamily(Distribution, Shown):
    """A family p(x; θ) = exp(θ·T(x) − ψ(θ)) h(x).

    Mathematically, ψ is the log-partition function, η = E[T(x)], the metric is the Fisher metric Cov[T(x)], and
    D(p‖q) = KL(p‖q).

    Shapes: θ, η (..., dim); an observation x (..., *support.shape). In `log_density` the batches of θ and x broadcast.
    Units: nats.

    Examples
    --------
    >>> M = ig.Poisson()  # one of them: T(x) = x, h(x) = 1 / x!
    >>> theta = M.theta_from(rate=2.0)
    >>> by_hand = theta[0] * 3 - M.log_partition(theta) + M.log_base_measure(3)
    >>> float(M.log_density(theta, 3).round(4)), float(by_hand.round(4))
    (-1.7123, -1.7123)
    """

    support: Any            # Domain
    ordinary: Any           # Mapping[str, Domain]: the ordinary parameters and where they lie
    on_simplex: bool = False        # whether η are the probabilities of all outcomes but one, the `reference`
    reference: int | None = None
    constant_base_measure: bool = False     # whether h is the same everywhere, and E[log h] at every θ
    moves_with_x: bool = False      # whether x + c has the law whose `mean` is c larger and whose other parameters are the same

    def __new__(cls, *given: Any, **named: Any) -> Self:
        """Where there are more arguments than the family takes, they are likely to be those of a point: that is said."""
        code = getattr(cls.__init__, "__code__", None)
        if (given or named) and code is not None and not code.co_flags & (CO_VARARGS | CO_VARKEYWORDS):
            takes = code.co_varnames[1:code.co_argcount + code.co_kwonlyargcount]
            if len(given) > len(takes) or not set(named) <= set(takes):
                raise TypeError(f"{cls.__name__} takes {', '.join(takes) or 'no arguments'}; ordinary parameters are those of a "
                                f"point: {cls.__name__}({', '.join(f'{name}=…' for name in takes)}).theta_from(…)")
        return super().__new__(cls)

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        show_names(cls)

    if not TYPE_CHECKING:               # type checkers know every name that there is
        def __getattr__(self, name: str) -> Any:
            if said := method(name):
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{said}")
            return object.__getattribute__(self, name)      # Python's own error; that of a property, where it has one

    @property
    def theta_closure(self) -> Domain:
        """The θ of the members and, with ±∞, of the laws on the boundary, their limits: a law that never has a success.

        `theta_from` with ``boundary=True`` makes them; `kl`, `entropy`, `sample`, `log_density` and `distance` take them.
        """
        domain: Domain = self.theta_domain
        return domain

    @property
    def ordinary_closure(self) -> Mapping[str, Domain]:
        """The ordinary parameters of these laws, and where they lie; empty where no limit is one."""
        return {}

    # Contract, beside that of DuallyFlat

    @formula("x", axes=1, blocks=False)
    def sufficient_statistic(self, x: Array) -> Array:
        """T(x), shape (..., dim)."""

    @contract
    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        """T(x)."""

    @formula("x", axes=0, blocks=False)
    def log_base_measure(self, x: Array) -> Array:
        """log h(x), shape (...)."""

    @contract
    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        """log h(x)."""

    @formula("theta", axes=0, rule=rules.of_expected_log_base_measure)
    def expected_log_base_measure(self, theta: Array) -> Array:
        """E[log h(x)], shape (...), nats."""

    @contract
    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        """E[log h(x)]."""

    @abstractmethod
    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        """A sample of batch shape `shape`, which ends in that of theta."""

    @abstractmethod
    def _theta_from(self, xp: Namespace, *names: Any, **ordinary: Any) -> Array:
        """θ of ordinary parameters that are coerced and lie in their domains."""

    @formula_by_name("theta")
    def parameters(self, theta: Array) -> dict[str, Array]:      # type: ignore[empty-body]
        """The ordinary parameters as a dict of arrays, of one point of numbers; the inverse of `theta_from`."""

    @contract
    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:     # type: ignore[empty-body]
        """The ordinary parameters as a dict of arrays; the inverse of `theta_from`."""

    # Derived

    @formula_by_name("theta", "covector")
    def from_eta_tangent(self, theta: Array, d_eta: Array) -> dict[str, Array]:      # type: ignore[empty-body]
        """The change of the ordinary parameters along dη, as a dict of arrays: ∂(ordinary)/∂η · dη, linear in dη.

        Of `Normal`, dμ = dη₁ and dv = dη₂ − 2μ dη₁. The derived form takes differences along dθ = `sharp` (θ, dη).
        """

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        vector = self._sharp(xp, theta, d_eta)
        length = xp.sqrt(xp.sum(vector * d_eta, axis=-1))
        return {name: along(xp, lambda at: self._parameters(xp, at)[name], theta, vector, length) for name in self.ordinary}

    @formula_by_name("theta", "x")
    def residual(self, theta: Array, x: Array) -> dict[str, Array]:      # type: ignore[empty-body]
        """The natural gradient of −log p(x; θ) in the ordinary parameters, as a dict of arrays; of mean 0 under the law.

        Mathematically, `from_eta_tangent` (θ, η − T(x)); of `Normal`, (μ − x, v − (x − μ)²). A family whose η − T(x) loses
        digits, as x² beside η₂ = v + μ² does, forms it without that difference.
        """

    def _residual(self, xp: Namespace, theta: Array, x: Array) -> dict[str, Array]:
        return self._from_eta_tangent(xp, theta, self._to_eta(xp, theta) - self._sufficient_statistic(xp, x))

    def log_partition(self, theta: Array) -> Array:
        """ψ(θ), shape (...), nats: the potential under its statistical name."""
        return self.potential(theta)

    @one_operation
    def log_density(self, theta: Array, x: Array) -> Array:
        """log p(x; θ), shape (...), nats; −∞ where x is outside the support.

        At an end of the support it is the limit from inside, which may be ±∞; NaN where that depends on the way there.

        Raises
        ------
        DomainError, ShapeError
            For θ outside its domain.
        """
        xp, theta, x = coerced(theta, x)
        self.theta_closure.require("theta", theta)
        self._require_event_shape(x)
        self._require_batches(theta=theta.shape[:-1], x=x.shape[:x.ndim - len(self.support.shape)])
        if xp is NUMPY:
            with np.errstate(all="ignore"):
                return self._log_density_anywhere(xp, theta, x)
        with named(xp, f"{self!r}.log_density"):
            return ruled(xp, partial(self._log_density_guarded, xp), partial(rules.of_log_density, self), theta, x)

    def _log_density_guarded(self, xp: Namespace, theta: Array, x: Array) -> Array:
        """As `_log_density_anywhere`; NaN for a traced θ outside its domain, of which no error can be raised."""
        value = self._log_density_anywhere(xp, theta, x)
        return xp.where(self.theta_closure.contains(theta), value, xp.full_like(value, xp.nan)) if is_traced(xp, theta) else value

    def _log_density_anywhere(self, xp: Namespace, theta: Array, x: Array) -> Array:
        """log p(x; θ) by the formula inside the support, its limit at the ends, −∞ outside."""
        interior = self.support.interior(x)
        if surely(xp, xp.all(interior)):
            return self._log_density(xp, theta, x)
        at_end = self.support.contains(x) & ~interior
        value = self._log_density(xp, theta, self._where(xp, interior, x))
        value = xp.where(interior, value, xp.full_like(value, -np.inf))
        if surely(xp, ~xp.any(at_end)):
            return value
        return xp.where(at_end, self._log_density_at_end(xp, theta, self._where(xp, at_end, x)), value)

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        """log p(x; θ) inside the support; overridden where the terms θ·T(x) and ψ(θ) cancel."""
        return dot(theta, self._sufficient_statistic(xp, x)) - self._potential(xp, theta) + self._log_base_measure(xp, x)

    def _log_density_at_end(self, xp: Namespace, theta: Array, x: Array) -> Array:
        """The limit of log p(x; θ) at ends of the support; overridden where the formula is no number there."""
        return self._log_density(xp, theta, x)

    def _stand_in(self, xp: Namespace, theta: Array) -> Array:
        """A finite θ in the place of an infinite one."""
        return theta

    def supported(self, x: Array) -> tuple[Array, Array]:
        """Which observations lie in the support, shape (...), and x with a point of the support in the place of the others.

        Raises
        ------
        ShapeError
            For x of another shape than (..., *support.shape).
        """
        xp, x = coerced(x)
        self._require_event_shape(x)
        inside = self.support.contains(x)
        return inside, self._where(xp, inside, x)

    def _where(self, xp: Namespace, kept: Array, x: Array) -> Array:
        """x with a point of the support in the place of the observations that are not kept."""
        somewhere = xp.asarray(self._somewhere, dtype=x.dtype)
        return xp.where(xp.reshape(kept, (*kept.shape, *(1,) * len(self.support.shape))), x, somewhere)

    def sample(self, rng: np.random.Generator, theta: Array, shape: int | Iterable[int] = ()) -> Array:
        """Independent draws of x, all of them in the support.

        A draw that rounding takes to an end of an interval or of the simplex is moved to the next number inside, at 0 to the
        smallest that has all digits: a gamma law of shape 0.001 has half of its mass below that, and the mean of log x of its
        draws is −507 in place of −1001.

        Shapes: (*shape, ..., *support.shape) for θ of shape (..., dim).

        Raises
        ------
        DomainError, ShapeError
            For θ outside its domain.
        TypeError
            Where rng is no generator.
        """
        rng = generator_of(rng)
        theta = self.theta_closure.require("theta", theta)
        draws = Draws(rng, backend_of(theta), theta.dtype)
        with np.errstate(all="ignore"), named(draws.xp, f"{self!r}.sample"):         # a draw beyond the largest float is inf
            theta = self._stand_in(draws.xp, theta)
            return self.support.inward(self._draw(draws, theta, (*batch_shape(shape), *theta.shape[:-1])))

    @formula("theta", axes=0, rule=rules.of_entropy)
    def entropy(self, theta: Array) -> Array:
        """−E[log p(x; θ)] = −φ(η) − E[log h(x)], shape (...), nats; of a density it may be negative."""

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        return -self._dual_potential(xp, self._to_eta(xp, theta)) - self._expected_log_base_measure(xp, theta)

    @formula("theta", "theta", axes=0, rule=rules.of_divergence)
    def kl(self, theta_p: Array, theta_q: Array) -> Array:
        """KL(p‖q), shape (...), nats: of two members of this family.

        A θ knows neither its family nor what the instance knows, the shape of a `Weibull` or the n of a `Binomial`:
        ``Weibull(1.0).kl(theta, theta)`` is 0 wherever this θ comes from. Laws that differ in that are members of a larger model:
        `Gamma` for `Erlang`, `Normal` for `NormalKnownVariance`, and in `infogeo.statistics` ``LogLocationScale.weibull()`` and
        ``pareto()``, ``LocationScale.laplace()`` and ``gumbel()`` for Weibull, Pareto, Laplace and Gumbel laws.
        """

    def _kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        return DuallyFlat._divergence(self, xp, theta_p, theta_q)

    @formula("theta", "theta", axes=0, rule=rules.of_divergence)
    def divergence(self, theta_p: Array, theta_q: Array) -> Array:
        """The canonical divergence of an exponential family: KL(p‖q), shape (...), nats."""

    def _divergence(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        return self._kl(xp, theta_p, theta_q)

    @formula("theta", "theta", axes=0, rule=rules.of_cross_entropy)
    def cross_entropy(self, theta_p: Array, theta_q: Array) -> Array:
        """−E_p[log q(x)] = entropy(p) + KL(p‖q), shape (...), nats."""

    def _cross_entropy(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        return self._entropy(xp, theta_p) + self._kl(xp, theta_p, theta_q)

    @one_operation
    def fit(self, x: Array, weights: Array | None = None, prior: Any | None = None) -> Array:
        """The maximum-likelihood θ: the point whose η is the mean of T(x) over axis 0. With a prior, the posterior mode.

        Mathematically, a prior (η₀, n₀) has the density ∝ exp(n₀ (η₀·θ − ψ(θ))) in θ and counts as n₀ observations of mean
        statistic η₀: the mode is at η = (n₀ η₀ + Σ w T(x)) / (n₀ + Σ w).

        Parameters
        ----------
        x : array, shape (n, ..., *support.shape), or a Dask array, data frame or series
            Axis 0 is the sample; further axes are a batch of samples. Of a Dask collection the pieces are summed where they are,
            once. Normal laws are fitted by the distances from the mean of the first piece, which is loaded twice; of other
            families, and with a prior, data whose variance is small beside their mean lose the digits that Σ T has not.
        weights : array, shape (n,) or (n, ...), optional
            Non-negative, of positive sum; 1 each where they are not given. Without a prior only their ratios matter.
        prior : pair (η₀, n₀), optional
            η₀ (..., dim) in the domain of η, n₀ (...) positive; they broadcast with the batch of samples.

        Raises
        ------
        DomainError
            If an observation is outside the support, the prior outside its domain, or if the estimate does not exist; of traced
            arrays the estimate is NaN then.
        ShapeError

        Source: Diaconis & Ylvisaker, Conjugate priors for exponential families, Ann. Statist. 7 (1979).
        """
        if is_in_pieces(x):
            return self._fit_in_pieces(x, weights, prior)
        xp, x = coerced(x)
        self._require_event_shape(x)
        if x.ndim == len(self.support.shape) or x.shape[0] == 0:
            raise ShapeError(f"x must have a sample axis of at least one observation first; got shape {tuple(x.shape)}")
        self.require_observations("x", x)
        with np.errstate(all="ignore"):
            total, shares = self._normalised(xp, x, weights)
            if prior is None:
                theta = self._fit(xp, x, shares)
            else:
                theta = self._fit_with(prior, self._mean_statistic(xp, x, shares), total)
            inside = self.theta_domain.contains(theta)
            if is_traced(xp, theta):
                return self._only(xp, theta, inside & xp.all(self.support.contains(x), axis=0))
            if not xp.all(inside):
                self._require_estimate(theta, inside, self._mean_statistic(xp, x, shares))
        return theta

    def _fit_in_pieces(self, x: Any, weights: Any, prior: Any | None) -> Array:
        """`fit` by the mean statistic of a Dask collection."""
        about = first_mean(x) if self.moves_with_x and prior is None else 0.0
        sums, errors = sums_in_pieces(self, x, weights, about)
        total, xp = (sums + errors)[..., 0], backend_of(sums)
        require_positive("the sum of the weights", total)
        mean = (sums + errors)[..., 1:] / total[..., None]
        with np.errstate(all="ignore"):
            if prior is None:
                possible = self.eta_domain.possible(mean)
                theta = self.to_theta(xp.where(possible[..., None], mean, xp.full_like(mean, xp.nan)))
            else:
                theta = self._fit_with(prior, mean, total)
            self._require_estimate(theta, self.theta_domain.contains(theta), mean,
                                   " or has more digits than the sums of T(x), which data that are nearer to 0 keep")
            if not np.any(about):
                return theta
            law = self.parameters(theta)
            return self.theta_from(**{**law, "mean": law["mean"] + about})

    def _require_estimate(self, theta: Array, inside: Array, mean: Array, otherwise: str = "") -> None:
        """That θ is there, and in the range of its numbers."""
        xp = backend_of(theta)
        require(f"the maximum-likelihood estimate does not exist{otherwise}: the mean statistic", self.eta_domain.rule("eta"),
                ~xp.any(xp.isnan(theta), axis=-1), mean)
        self._require_in_range(theta, inside)

    def require_observations(self, name: str, x: Array) -> Array:
        """The coerced array, if T(x) is finite: if every observation lies in the support, and at no end where it is not.

        Raises
        ------
        ShapeError, DomainError
            Naming the first observation that does not.
        """
        xp, x = coerced(x)
        self._require_event_shape(x)
        interior = self.support.interior(x)
        if not (is_traced(xp, interior) or xp.all(interior)):
            self.support.require(name, x)
            with np.errstate(all="ignore"):
                finite = xp.all(xp.isfinite(self._sufficient_statistic(xp, x)), axis=-1)
            require(f"{name} at an end of the support", "T(x) finite and h(x) > 0", interior | finite, x)
        return x

    def _require_in_range(self, theta: Array, inside: Array) -> None:
        rule = f"{self.theta_domain.rule('theta')} in numbers of {theta.dtype}, whose range or digits do not hold it"
        require("the value overflows the natural parameter, which", rule, inside, theta)

    def _fit(self, xp: Namespace, x: Array, weights: Array) -> Array:
        """θ of the weighted sample, NaN where there is none; weights (n, ...) sum to 1 over axis 0, to rounding."""
        eta = self._mean_statistic(xp, x, weights)
        possible = self.eta_domain.possible(eta)
        everywhere = surely(xp, xp.all(possible))
        return self.to_theta(eta if everywhere else xp.where(possible[..., None], eta, xp.full_like(eta, xp.nan)))

    def _mean_statistic(self, xp: Namespace, x: Array, weights: Array) -> Array:
        return average(xp, weights, self._sufficient_statistic(xp, x))

    def _fit_with(self, prior: Any, mean: Array, total: Array) -> Array:
        """θ of a sample with this mean statistic and sum of weights, together with n₀ observations of mean statistic η₀."""
        try:
            eta_0, n_0 = prior
        except (TypeError, ValueError):
            raise TypeError(f"prior must be a pair (eta_0, n_0); got {prior!r}") from None
        eta_0 = self.eta_domain.require("prior eta", eta_0)
        n_0 = Interval(0).require("prior n", n_0)
        _, mean, total, eta_0, n_0 = arrays(mean, total, eta_0, n_0)
        share = (n_0 / (n_0 + total))[..., None]
        return self.to_theta(mean + share * (eta_0 - mean))

    def _normalised(self, xp: Namespace, x: Array, weights: Array) -> tuple[Array, Array]:
        """Σ w over the sample, and the weights divided by it, which broadcast with the batch of x."""
        return shares(x, weights, x.shape[:x.ndim - len(self.support.shape)])

    @one_operation
    def theta_from(self, *, boundary: Any = False, **ordinary: Array) -> Array:
        """θ of ordinary parameters, for instance ``Normal().theta_from(mean=1.0, variance=2.0)``; batches broadcast.

        Parameters
        ----------
        boundary : bool
            Whether laws on the boundary of the family are allowed, a probability of 0 or 1: θ then has entries ±∞.

        Raises
        ------
        TypeError
            For a missing or unknown name, or a boundary that has no laws.
        DomainError, ShapeError
            Naming the parameter; or where θ is beyond the largest or the smallest number. Of traced values θ is NaN then.
        """
        if set(ordinary) != set(self.ordinary):
            raise TypeError(f"{self!r} takes the parameters {', '.join(self.ordinary)}; got {', '.join(ordinary) or 'none'}")
        domains: Mapping[str, Domain] = self.ordinary_closure if boundary else self.ordinary
        if not domains:
            raise TypeError(f"{self!r} has no laws on the boundary: its limits are no probability distributions with a density, "
                            "or none that θ can tell")
        xp, *values = coerced(*(ordinary[name] for name in self.ordinary))
        batches = {}
        for (name, domain), value in zip(domains.items(), values):
            domain.require(name, value)
            batches[name] = value.shape[:value.ndim - len(domain.shape)]
        self._require_batches(**batches)
        with np.errstate(all="ignore"), named(xp, f"{self!r}.theta_from"):
            from_ordinary = self._theta_on_boundary if boundary else self._theta_from
            theta = from_ordinary(xp, **dict(zip(self.ordinary, values)))
        if is_traced(xp, theta):
            return self._only(xp, theta, *(domain.contains(value) for domain, value in zip(domains.values(), values)))
        if boundary:
            return self.theta_closure.require("theta", theta)
        if not xp.all(xp.isfinite(theta)) or self.theta_domain.outside(xp, theta) is not None:
            self._require_in_range(theta, self.theta_domain.contains(theta))
        return theta

    @staticmethod
    def _only(xp: Namespace, theta: Array, *good: Array) -> Array:
        """θ, traced, of which no error can be raised: NaN in the rows that are not good."""
        return xp.where(reduce(and_, good)[..., None], theta, xp.full_like(theta, xp.nan))

    def _theta_on_boundary(self, xp: Namespace, **ordinary: Array) -> Array:
        """As `_theta_from`, of ordinary parameters that lie in `ordinary_closure`."""
        return self._theta_from(xp, **ordinary)

    @property
    def _somewhere(self) -> Array:
        """A point of the support as a NumPy array, for the places of `log_density` where x is outside it."""
        return np.ones(self.support.shape)

    @staticmethod
    def _require_batches(**batches: tuple[int, ...]) -> None:
        try:
            np.broadcast_shapes(*batches.values())
        except ValueError:
            got = ", ".join(f"{name} {tuple(shape)}" for name, shape in batches.items())
            raise ShapeError(f"the batches of {' and '.join(batches)} must broadcast; got {got}") from None

    def _require_event_shape(self, x: Array) -> None:
        n = len(self.support.shape)
        if x.ndim < n or tuple(x.shape[x.ndim - n:]) != self.support.shape:
            raise ShapeError(f"x must have shape ({', '.join(['...', *map(str, self.support.shape)])}); got {tuple(x.shape)}")


class ConstantBaseMeasure(ExponentialFamily):
    """A family whose base measure is the same everywhere: h(x) = e^{log_h}, 1 unless the family says otherwise."""

    log_h: Any = 0.0        # float
    constant_base_measure = True

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return xp.full_like(x[(..., *(0,) * len(self.support.shape))], self.log_h)

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        return self.log_h + 0.0 * theta[..., 0]         # NaN where θ is
