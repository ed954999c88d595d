"""Truncated families: a family on the line, given that x lies between two bounds."""
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from math import ceil, floor, inf, isinf
from typing import Any

import numpy as np

from ..arrays.draws import Draws
from ..arrays.memo import once, standing
from ..arrays.tracing import is_traced, surely
from ..backend import Array, Namespace, arrays
from ..domains.base import Domain
from ..domains.convex import ConvexDomain
from ..domains.image import GradientImage
from ..domains.supports import ClosedInterval, Integers, Interval
from ..errors import ConvergenceError, require
from ..geometry.manifolds.interface import formula
from ..numerics.barrier import followed, scale_behind
from ..numerics.exponentials import expm1_gap
from ..numerics.linalg import matvec, solve
from ..numerics.newton import minimize
from .anchored import Anchored
from .base import ExponentialFamily
from .cumulative import Law, TabulatedCumulative
from .nodes import PanelNodes, StateNodes
from .normal import Normal
from .tilted import Tilted
from .truncated_inversion import BARRIERS, MOST, MOST_AT_FIRST, freed, traced_member
from .truncated_law import AtNodes, Listed, StatesInTurn, forward, of_log_probability
from .truncated_normal import fit_of_deviations, in_units, tail_start

__all__ = ["Truncated"]


class _MeanInterval(GradientImage):
    """The η of a truncated family of one parameter: they increase with θ, between two limits."""

    manifold: "Truncated"

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        low, high = self.manifold._limits
        return self.manifold.family.eta_domain.contains(x) & xp.all((x > low) & (x < high), axis=-1)

    possible = contains

    def rule(self, name: str) -> str:
        low, high = self.manifold._limits
        known = [Interval(low, high).rule(name)] if low > -inf or high < inf else []
        return " and ".join(known + [self.manifold.family.eta_domain.rule(name)] * (low == -inf or high == inf))


@dataclass(frozen=True)
class Truncated(ExponentialFamily):
    """A family on the line, given that lower < x < upper.

    Mathematically, with P_θ that of the whole family,

    - support {x : lower < x < upper} of the family's support, with the ends of an interval; T and h as in the family
    - θ as in the family; where T has one coordinate, and T and log h are bounded, every real number (where the law of two
      coordinates or more exists for more θ, these are left out); η = E[T | lower < x < upper]
    - ψ(θ) = log ∫ e^{θ·T(x)} h(x) dx over the support, which is ψ_family(θ) + log P_θ(lower < x < upper)
    - metric Cov[T | lower < x < upper]

    ψ and the moments to third order come from one set of nodes for each θ. On whole numbers they are sums over all states, up to
    where the terms have become negligible; a law that needs more than 2²² states is NaN. On intervals they are Gauss–Legendre
    integrals on panels that are graded from the mode, in the coordinate t = x, log(x − a) or log((x − a) / (b − x)) of the
    family's support (a, b). They assume that the density is log-concave in t, as those of the normal, gamma, beta and exponential
    families are, and count x with |t| < 10¹⁸, or |t| < 700 where t is a logarithm: a gamma law of shape 0.01 has e^{−7} of its
    mass nearer to 0 than that.

    Ordinary parameters: those of the family (its mean is then not that of x), by the same formulas where θ is any number.

    Parameters
    ----------
    family : ExponentialFamily
        With scalar observations, on an `Interval` or on `Integers`.
    lower, upper : float
        Either may be infinite.

    Raises
    ------
    TypeError, DomainError
        For another family, or bounds that leave fewer than two states, or no interval.

    Examples
    --------
    >>> M = ig.Truncated(ig.Normal(), lower=0.0)  # HalfNormal
    >>> theta = M.theta_from(mean=0.0, variance=1.0)
    >>> float(M.mean(theta).round(6))  # √(2 / π)
    0.797885
    """

    family: ExponentialFamily
    lower: float = -inf
    upper: float = inf
    support: Any = field(init=False, repr=False, compare=False)       # an Interval or Integers

    def __post_init__(self) -> None:
        if not isinstance(self.family, ExponentialFamily):
            raise TypeError(f"family must be an exponential family, such as Normal(); got {self.family!r}")
        support = self.family.support
        if not isinstance(support, (Interval, Integers)):
            raise TypeError(f"family must have scalar observations on an Interval or on Integers; got {self.family!r}")
        object.__setattr__(self, "lower", float(self.lower))
        object.__setattr__(self, "upper", float(self.upper))
        first, last = max(self.lower, support.lower), min(self.upper, support.upper)
        if isinstance(support, Integers):
            first = max(floor(self.lower) + 1, support.lower) if np.isfinite(self.lower) else support.lower
            last = min(ceil(self.upper) - 1, support.upper) if np.isfinite(self.upper) else support.upper
        require("lower and upper", "more than a point of the support between them", first < last, (self.lower, self.upper))
        object.__setattr__(self, "support", (Integers if isinstance(support, Integers) else ClosedInterval)(first, last))

    @property
    def dim(self) -> int:
        return self.family.dim    # type: ignore[no-any-return]

    @property
    def theta_domain(self) -> ConvexDomain:
        return self._base.theta_domain    # type: ignore[no-any-return]

    @cached_property
    def _base(self) -> Any:
        """The whole family, its density from an anchor where it knows that, or its weights for all θ.

        The latter where T has one coordinate, and T and log h are bounded on the support.
        """
        if hasattr(self.family, "_log_density_change"):
            return Anchored(self.family, self.support.lower, self.support.upper)
        if self.dim > 1 or not np.isfinite(self.support.lower) or not np.isfinite(self.support.upper):
            return self.family
        with np.errstate(all="ignore"):
            ends = np.asarray([self.support.lower, self.support.upper], dtype=float)
            bounded = np.isfinite(self.family.sufficient_statistic(ends)[:, 0] + self.family.log_base_measure(ends))
        return Tilted(self.family) if np.all(bounded) and not self.family.theta_domain.whole else self.family

    @cached_property
    def eta_domain(self) -> ConvexDomain:
        domain = _MeanInterval if self.dim == 1 else GradientImage
        return domain(self, lambda name: f"{name} the mean statistic of a member of {self!r}")

    @cached_property
    def _limits(self) -> tuple[float, float]:
        """(inf η, sup η) of a family of one parameter.

        Where θ is unbounded, η tends to the extreme of T. At a finite end of θ it tends to the mean of the law there, unless T
        is unbounded in that direction: then the truncated law ceases to exist where that of the whole family does. Where T has
        its extreme inside the support, the limit is infinite here: the η end with those of the whole family.
        """
        return self._limit(-1.0), self._limit(1.0)

    def _limit(self, sign: float) -> float:
        domain, support = self.theta_domain, self.support
        with np.errstate(all="ignore"):
            extreme = np.max(sign * self.sufficient_statistic(np.asarray([support.lower, support.upper], dtype=float)))
            within = self._nodes.all_over(domain.chart(np.zeros(1)))
        if np.max(sign * self.sufficient_statistic(within[support.contains(within)])) > extreme:
            return sign * inf
        if np.isfinite(extreme) and not domain.contains(np.asarray([sign * 1e300])):
            theta = domain.chart(np.arange(-700.0, 701.0)[:, None])
            return float(self.to_eta(sign * np.max(sign * theta[domain.contains(theta)], axis=0))[0])
        return float(sign * extreme)

    @property
    def ordinary(self) -> Mapping[str, Domain]:
        return dict.fromkeys(self.family.ordinary, Interval()) if isinstance(self._base, Tilted) else self.family.ordinary

    @property
    def observed(self) -> int | slice | None:
        return self.family.observed    # type: ignore[no-any-return]

    def _whole(self, xp: Namespace, theta: Array) -> tuple[ExponentialFamily, Array]:
        return self._base, forward(xp, lambda theta: self._law(xp, theta).log_total, theta)

    def _numeric(self, xp: Namespace, theta: Array) -> Law:
        """By sums over all states where those of the whole family are listed, which need not be smooth between them."""
        law = self.family._cumulative(xp, theta)
        if not isinstance(law, TabulatedCumulative):
            return super()._numeric(xp, theta)
        low, high = self.support.lower, self.support.upper
        listed = law.log_p[..., int(low - law.first):int(high - law.first) + 1]
        return TabulatedCumulative(xp, low, listed - self._law(xp, theta).log_total[..., None])

    @property
    def _somewhere(self) -> Array:
        return np.asarray(self._nodes.somewhere)

    @cached_property
    def _nodes(self) -> StateNodes | PanelNodes:
        return (StateNodes if isinstance(self.support, Integers) else PanelNodes)(self._base, self.support)

    @once
    def _law(self, xp: Namespace, theta: Array) -> AtNodes:
        inside = self.theta_domain.contains(theta)
        safe = xp.where(inside[..., None], theta, self.theta_domain.chart(xp.zeros_like(theta)))
        nodes = self._nodes
        if is_traced(xp, theta) and isinstance(nodes, StateNodes) and isinf(nodes.high):
            return StatesInTurn(xp, self.family, nodes, inside, safe)
        return Listed(xp, self.family, nodes, inside, safe)

    @formula("theta", axes=0, rule=of_log_probability)
    def log_probability(self, theta: Array) -> Array:
        """log P_θ(lower < x < upper) in the whole family, shape (...)."""

    def _log_probability(self, xp: Namespace, theta: Array) -> Array:
        found = self._law(xp, theta).log_total
        if isinstance(self._base, Anchored):
            return found + self._base.log_at_origin(xp, theta)
        return found - self.family._potential(xp, theta) if isinstance(self._base, Tilted) else found

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        return self._base._potential(xp, theta) + self._law(xp, theta).log_total

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        return self._law(xp, theta).mean

    def _centred(self, xp: Namespace, theta: Array, f: Callable[[Array, Array], Array]) -> Array:
        """``f(p, T − η)`` of all nodes, linear in p, shapes (..., m) and (..., m, dim)."""
        eta = self._to_eta(xp, theta)[..., None, :]
        return self._law(xp, theta).sums(lambda p, statistic, *_: (f(p, statistic - eta),))[0]

    def _metric(self, xp: Namespace, theta: Array) -> Array:
        return self._centred(xp, theta, lambda p, gap: xp.matmul(xp.matrix_transpose(p[..., None] * gap), gap))

    def _cubic_tensor(self, xp: Namespace, theta: Array) -> Array:
        d = self.dim

        def third(p: Array, gap: Array) -> Array:
            pairs = xp.reshape(gap[..., :, None] * gap[..., None, :], (*gap.shape[:-1], d * d))
            return xp.reshape(xp.matmul(xp.matrix_transpose(p[..., None] * gap), pairs), (*gap.shape[:-2], d, d, d))

        return self._centred(xp, theta, third)

    def _change(self, xp: Namespace, theta: Array, step: Array) -> Array:
        """max |step·(T(x) − η)| over the nodes, shape (...)."""
        eta = self._to_eta(xp, theta)[..., None, :]
        return self._law(xp, theta).largest(lambda statistic: xp.abs(matvec(xp, statistic - eta, step)))

    def _separated(self, xp: Namespace, theta: Array, eta: Array) -> Array:
        """Whether θ·T(x) ≤ θ·η at all nodes and at both ends of the support: then η is no mean of T."""
        ends = self.family._sufficient_statistic(xp, xp.asarray(self._nodes.ends, dtype=theta.dtype))

        def along(statistic: Array) -> Array:
            return xp.sum(theta[..., None, :] * (statistic - eta[..., None, :]), axis=-1)

        highest = xp.maximum(self._law(xp, theta).largest(along), xp.max(along(ends), axis=-1))
        return (highest <= 0) & xp.any(theta != 0, axis=-1)

    def _start(self, xp: Namespace, eta: Array) -> Array:
        """The member of the whole family with this mean statistic, where there is one; rows that are not finite are NaN."""
        centre = self.theta_domain.chart(xp.zeros_like(eta))
        known = self.eta_domain.possible(eta)[..., None]
        usual = self.family.eta_domain.contains(eta)[..., None] & known
        whole = self.family.to_theta(xp.where(usual, eta, self.family._to_eta(xp, centre)))
        whole = tail_start(self, xp, eta, whole) if isinstance(self.family, Normal) else whole
        return xp.where(usual, whole, xp.where(known, centre, xp.full_like(centre, xp.nan)))

    def _tried(self, xp: Namespace, eta: Array, start: Array, centre: Array, barrier: Any,
               max_steps: int = MOST) -> tuple[Array, Array, ConvergenceError | None]:
        """The minimiser, or where a row ended short of it; which rows are there; the error, or None. Rows of NaN stay NaN."""
        try:
            theta = self._minimiser(xp, eta, start, centre, barrier, max_steps)
            return theta, xp.isfinite(theta[..., 0]), None
        except ConvergenceError as error:
            return error.iterate, error.residual <= 1000 * float(xp.finfo(eta.dtype).eps) * scale_behind(xp, eta, barrier), error

    def _members(self, xp: Namespace, eta: Array, centre: Array, start: Array, barrier: Any) -> Array:
        """The minimiser; NaN for rows that run out of the domain."""
        theta, reached, error = self._tried(xp, eta, start, centre, barrier)
        if error is not None and xp.any(~reached & ~self._leads_out(xp, theta, eta) & xp.isfinite(error.residual)):
            raise error
        return xp.where(reached[..., None], theta, xp.full_like(theta, xp.nan))

    def _guarded(self, xp: Namespace, eta: Array, theta: Array) -> Array:
        """As `_members`, behind barriers that become weaker, without one in the end."""
        behind = partial(self._members, xp, eta, self.family._to_eta(xp, theta))
        return behind(freed(self, xp, eta, followed(behind, theta, BARRIERS)), 0.0)

    def _minimiser(self, xp: Namespace, eta: Array, start: Array, centre: Array, barrier: Any, max_steps: Any) -> Array:
        """Of ψ(θ) − η·θ + barrier · (ψ_family(θ) − centre·θ), which keeps θ in its domain; with a barrier, to half precision."""
        family, last = self.family, None
        behind = not isinstance(barrier, float) or barrier > 0      # a traced one is a number in a loop

        def at(theta: Array) -> Array:
            """The point of the last evaluation, if it is the same: its law is known."""
            nonlocal last
            alike = theta is last if is_traced(xp, theta) else same(theta)
            if not alike:
                last = theta
                stand(theta)
            return last

        def same(theta: Array) -> Array:
            return last is not None and xp.all((theta == last) | xp.isnan(theta) & xp.isnan(last))

        def value(theta: Array) -> Array:
            theta = at(theta)
            whole = barrier * (family._potential(xp, theta) - xp.sum(centre * theta, axis=-1)) if behind else 0.0
            return self._potential(xp, theta) - xp.sum(eta * theta, axis=-1) + whole

        def gradient(theta: Array) -> Array:
            theta = at(theta)
            g = self._to_eta(xp, theta) - eta + (barrier * (family._to_eta(xp, theta) - centre) if behind else 0.0)
            return xp.where(self._separated(xp, theta, eta)[..., None], xp.zeros_like(g), g)

        def newton(theta: Array, g: Array) -> Array:
            theta = at(theta)
            return solve(xp, self._metric(xp, theta) + (barrier * family._metric(xp, theta) if behind else 0.0), g)

        with standing() as stand:
            return minimize(xp, start, name="to_theta", value=value, gradient=gradient, solve=newton,
                            contains=self.theta_domain.contains, scale=scale_behind(xp, eta, barrier), max_steps=max_steps)

    def _leads_out(self, xp: Namespace, theta: Array, eta: Array) -> Array:
        """Whether a Newton step from θ towards η leaves the domain."""
        return ~self.theta_domain.contains(theta - self._sharp(xp, theta, self._to_eta(xp, theta) - eta))

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        return in_units(self, self._member, xp, eta) if isinstance(self.family, Normal) else self._member(xp, eta)

    def _member(self, xp: Namespace, eta: Array) -> Array:
        """θ(η) by damped Newton; NaN where η is not the mean statistic of a member.

        ψ does not grow towards the boundary of the domain of θ as that of the whole family does. So where Newton's method does
        not get there, the latter's potential serves as a barrier, which becomes weaker. A row has no member where the weakest
        barrier still holds it back, or where it does not converge and a Newton step leads out of the domain; one that converges
        has none where its θ separates η from all T(x), or where the next step would still change log p by a half: θ runs away.

        Raises
        ------
        ConvergenceError
            If a row does not converge otherwise.
        """
        start = self._start(xp, eta)
        if self.theta_domain.whole:
            theta = self._members(xp, eta, None, start, 0.0)
        elif is_traced(xp, start):
            theta = traced_member(self, xp, eta, start)
        else:
            theta, reached, _ = self._tried(xp, eta, start, None, 0.0, MOST_AT_FIRST)
            nan = xp.full_like(theta, xp.nan)
            if not surely(xp, ~xp.any(~reached & xp.isfinite(start[..., 0]))):
                theta = xp.where(reached[..., None], theta, self._guarded(xp, eta, xp.where(reached[..., None], nan, start)))
        with standing() as stand:
            stand(theta)
            residual = self._to_eta(xp, theta) - eta
            step = self._sharp(xp, theta, residual)
            found = xp.isfinite(theta[..., 0]) & ~self._separated(xp, theta, eta) & (self._change(xp, theta, step) < 0.5)
        better = xp.max(xp.abs(self._to_eta(xp, theta - step) - eta), axis=-1) < xp.max(xp.abs(residual), axis=-1)
        theta = xp.where(better[..., None], theta - step, theta)
        return xp.where(found[..., None], theta, xp.full_like(theta, xp.nan))

    def _fit(self, xp: Namespace, x: Array, weights: Array) -> Array:
        by_means = super()._fit
        return fit_of_deviations(self, by_means, xp, x, weights) if isinstance(self.family, Normal) else by_means(xp, x, weights)

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return self.family._sufficient_statistic(xp, x)

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return self.family._log_base_measure(xp, x)

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        return self._law(xp, theta).sums(lambda p, statistic, log_base, _: (xp.sum(p * log_base, axis=-1),))[0]

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        return self._base._log_density(xp, theta, x) - self._law(xp, theta).log_total

    def _log_density_at_end(self, xp: Namespace, theta: Array, x: Array) -> Array:
        return self._base._log_density_anywhere(xp, theta, x) - self._law(xp, theta).log_total

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        """−E[log p(x)] at the nodes."""
        return -self._law(xp, theta).sums(lambda p, statistic, base, log_density: (xp.sum(p * log_density, axis=-1),))[0]

    def _kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """log E_p[e^v] with v = (θ_q − θ_p)·(T − η_p): near points as log(1 + E_p[e^v − 1 − v]), far ones from the potentials."""
        step = theta_q - theta_p
        with standing() as stand:
            stand(theta_p)
            far = self._potential(xp, theta_q) - self._potential(xp, theta_p) - xp.sum(step * self._to_eta(xp, theta_p), axis=-1)
            near = self._change(xp, theta_p, step) < 5.0
            excess = self._centred(xp, theta_p, lambda p, gap: xp.sum(
                p * expm1_gap(xp, xp.clip(matvec(xp, gap, step), -5.0, 5.0)), axis=-1))
        return xp.where(near, xp.log1p(excess), far)

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        return self._nodes.draw(draws, theta, self._law(draws.xp, theta).p, shape)

    def _theta_from(self, xp: Namespace, **ordinary: Array) -> Array:
        return self.family._theta_from(xp, **ordinary)

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return self.family._parameters(xp, theta)
