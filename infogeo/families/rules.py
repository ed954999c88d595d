"""Derivatives of what a family has beside its geometry, in closed form: see `geometry.manifolds.rules`."""
from typing import TYPE_CHECKING, Any

from ..arrays.graphs import now_or_later
from ..arrays.tracing import Forward, Native, Partial, Slope
from ..backend import Array, Namespace, backend_of, dot
from ..geometry.manifolds.rules import of_divergence

if TYPE_CHECKING:
    from .base import ExponentialFamily

__all__ = ["of_cross_entropy", "of_divergence", "of_entropy", "of_expected_log_base_measure", "of_log_density"]


class _Sum(Partial):
    """The sum of two derivatives."""

    def __init__(self, first: Partial, second: Partial) -> None:
        self.parts = first, second

    def push(self, xp: Any, tangent: Array) -> Array:
        return self.parts[0].push(xp, tangent) + self.parts[1].push(xp, tangent)

    def pull(self, xp: Any, covector: Array) -> Array:
        return self.parts[0].pull(xp, covector) + self.parts[1].pull(xp, covector)


def of_entropy(family: "ExponentialFamily", y: Array, theta: Array) -> tuple[Partial, ...]:
    """−G θ − ∇E[log h]."""
    return _less_measure(family, theta, Slope(lambda: -family.flat(theta, theta))),


def of_cross_entropy(family: "ExponentialFamily", y: Array, theta_p: Array, theta_q: Array) -> tuple[Partial, ...]:
    """−G(θ_p) θ_q − ∇E_p[log h], and η_q − η_p."""
    return (_less_measure(family, theta_p, Slope(lambda: -family.flat(theta_p, theta_q))),
            of_divergence(family, y, theta_p, theta_q)[1])


def _less_measure(family: "ExponentialFamily", theta: Array, rest: Partial) -> Partial:
    if family.constant_base_measure:
        return rest
    return _Sum(rest, Forward(lambda theta: -_expected_log_base_measure(family, theta), theta))


def _expected_log_base_measure(family: "ExponentialFamily", theta: Array) -> Array:
    return now_or_later(_kernel, _evaluated, family, backend_of(theta), theta)


def _kernel(family: "ExponentialFamily", xp: Namespace, theta: Array) -> Array:
    return family._expected_log_base_measure(xp, theta)


def _evaluated(family: "ExponentialFamily", theta: Array) -> Array:
    return _kernel(family, backend_of(theta), theta)


def of_expected_log_base_measure(family: "ExponentialFamily", y: Array, theta: Array) -> tuple[Partial, ...]:
    """That of the sum or the formula that it is, forwards; 0 of a constant."""
    if family.constant_base_measure:
        return Partial(),
    return Forward(lambda theta: _expected_log_base_measure(family, theta), theta),


def of_log_density(family: "ExponentialFamily", y: Array, theta: Array, x: Array) -> tuple[Partial, ...]:
    """T(x) − η, and in x that of θ·T(x) + log h(x)."""
    return (Slope(lambda: family.sufficient_statistic(x) - family.to_eta(theta)),
            Native(lambda x: dot(theta, family.sufficient_statistic(x)) + family.log_base_measure(x), x))
