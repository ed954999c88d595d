"""The α-coordinates of probabilities and of positive measures, as a change of coordinates."""
from numbers import Real

import numpy as np

from ..backend import Array, arrays
from ..errors import require

__all__ = ["AlphaChart"]


class AlphaChart:
    """u ↦ η = u^{1/s} with s = (1 − α) / 2, so that u_i = η_i^s: η itself at α = −1, its square roots at α = 0.

    Mathematically, for the probabilities η_i = p_i of all outcomes but the reference K the Fisher metric in u is
    s⁻² (diag(η^{1−2s}) + η^{1−s} (η^{1−s})ᵀ / p_K). At α = 0 that is 4 I + (4 / p_K) u uᵀ: for three outcomes or more gradient
    descent in u has the condition number 1 / p_K, and its flow the rate 8, whatever the other probabilities are. The geodesics
    of the α-connection of positive measures are straight in u.

    Parameters
    ----------
    alpha : float
        Finite and other than 1, where u would be log η up to scale.

    Shapes: u, η, vectors and covectors (..., d).
    Raises: DomainError for α that is not finite, or 1.
    Source: Amari & Nagaoka, Methods of Information Geometry (2000), section 2.6.

    Examples
    --------
    >>> import infogeo as ig
    >>> family = ig.Categorical(3)
    >>> f = ig.CrossEntropy(family, eta_hat=[0.5, 0.3]).in_dual_coordinates().pulled_back(ig.AlphaChart(0.0))
    >>> run = ig.descend(f, [0.6, 0.6], update=ig.GradientUpdate(), step=0.08, max_steps=200, tol=None)
    >>> ig.AlphaChart(0.0)(run.x).round(6)
    array([0.5, 0.3])
    """

    alpha: float

    def __init__(self, alpha: float) -> None:
        good = isinstance(alpha, Real) and bool(np.isfinite(float(alpha))) and float(alpha) != 1.0
        require("alpha", "alpha finite and other than 1", good, alpha)
        self.alpha = float(alpha)
        self._power = 2.0 / (1.0 - self.alpha)

    def __repr__(self) -> str:
        return f"AlphaChart({self.alpha:g})"

    def __call__(self, u: Array) -> Array:
        with np.errstate(all="ignore"):             # a negative u is outside: NaN, unless its power is a polynomial
            u = arrays(u)[1]
            return u**self._power

    def inverse(self, x: Array) -> Array:
        """u = η^s."""
        with np.errstate(all="ignore"):             # a negative probability is outside
            x = arrays(x)[1]
            return x ** (1.0 / self._power)

    def push_forward(self, u: Array, vector: Array) -> Array:
        """J du, J = diag(u^{1/s − 1}) / s."""
        u, vector = arrays(u, vector)[1:]
        with np.errstate(all="ignore"):
            return self._power * u ** (self._power - 1.0) * vector

    def pull_back(self, u: Array, covector: Array) -> Array:
        """Jᵀ c, the same diagonal."""
        return self.push_forward(u, covector)
