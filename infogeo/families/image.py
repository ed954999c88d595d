"""Families that are one-to-one images of other families."""
from abc import abstractmethod

from .transformed import Transformed

__all__ = ["Image"]


class Image(Transformed):
    """The law of x where y = y(x), smooth and one-to-one, follows the family `base`.

    Mathematically, T(x) = T_base(y), h(x) = h_base(y) |dy/dx|; ψ, the charts, the metric and every divergence are those of the
    base, p(x; θ) = p_base(y; θ) |dy/dx|, and the entropy is that of y minus E[log |dy/dx|].
    """

    @abstractmethod
    def _pull(self, xp, x):
        """y(x)."""

    @abstractmethod
    def _push(self, xp, y):
        """x(y)."""

    @abstractmethod
    def _log_slope(self, xp, x):
        """log |dy/dx|."""

    @abstractmethod
    def _expected_log_slope(self, xp, theta):
        """E[log |dy/dx|], shape (...)."""

    @property
    def ordinary(self):
        return self.base.ordinary

    def _sufficient_statistic(self, xp, x):
        return self.base._sufficient_statistic(xp, self._pull(xp, x))

    def _log_base_measure(self, xp, x):
        return self.base._log_base_measure(xp, self._pull(xp, x)) + self._log_slope(xp, x)

    def _expected_log_base_measure(self, xp, theta):
        return self.base._expected_log_base_measure(xp, theta) + self._expected_log_slope(xp, theta)

    def _log_density(self, xp, theta, x):
        return self.base.log_density(theta, self._pull(xp, x)) + self._log_slope(xp, x)

    def _entropy(self, xp, theta):
        return self.base._entropy(xp, theta) - self._expected_log_slope(xp, theta)

    def _fit(self, xp, x, weights):
        return self.base._fit(xp, self._pull(xp, x), weights)

    def _draw(self, draws, theta, shape):
        return self._push(draws.xp, self.base._draw(draws, theta, shape))

    def _theta_from(self, xp, **ordinary):
        return self.base._theta_from(xp, **ordinary)

    def _parameters(self, xp, theta):
        return self.base._parameters(xp, theta)
