"""Families that are one-to-one images of other families."""
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from ..arrays.draws import Draws
from ..backend import Array, Namespace
from ..domains.base import Domain
from .base import ExponentialFamily
from .cumulative import Carried
from .transformed import Transformed

__all__ = ["Image"]


class Image(Transformed):
    """The law of x where y = y(x), smooth and one-to-one, follows the family `base`.

    Mathematically, T(x) = T_base(y), h(x) = h_base(y) |dy/dx|; ψ, the charts, the metric and every divergence are those of the
    base, p(x; θ) = p_base(y; θ) |dy/dx|, and the entropy is that of y minus E[log |dy/dx|].
    """

    base: ExponentialFamily

    rising: bool = True         # whether y grows with x, where x is one number

    @abstractmethod
    def _pull(self, xp: Namespace, x: Array) -> Array:
        """y(x)."""

    @abstractmethod
    def _push(self, xp: Namespace, y: Array) -> Array:
        """x(y)."""

    @abstractmethod
    def _log_slope(self, xp: Namespace, x: Array) -> Array:
        """log |dy/dx|."""

    @abstractmethod
    def _expected_log_slope(self, xp: Namespace, theta: Array) -> Array:
        """E[log |dy/dx|], shape (...)."""

    @property
    def ordinary(self) -> Mapping[str, Domain]:
        return self.base.ordinary    # type: ignore[no-any-return]

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return self.base._sufficient_statistic(xp, self._pull(xp, x))

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return self.base._log_base_measure(xp, self._pull(xp, x)) + self._log_slope(xp, x)

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        return self.base._expected_log_base_measure(xp, theta) + self._expected_log_slope(xp, theta)

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        return self.base.log_density(theta, self._pull(xp, x)) + self._log_slope(xp, x)

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        return self.base._entropy(xp, theta) - self._expected_log_slope(xp, theta)

    def _fit(self, xp: Namespace, x: Array, weights: Array) -> Array:
        return self.base._fit(xp, self._pull(xp, x), weights)

    def _cumulative(self, xp: Namespace, theta: Array) -> Carried:
        law: Any = self.base._cumulative(xp, theta)
        return Carried(law, lambda x: self._pull(xp, x), lambda y: self._push(xp, y), self.rising)

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        return self._push(draws.xp, self.base._draw(draws, theta, shape))

    def _theta_from(self, xp: Namespace, *names: Any, **ordinary: Any) -> Array:
        return self.base._theta_from(xp, **ordinary)

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return self.base._parameters(xp, theta)
