"""A multiple of a potential."""
from collections.abc import Callable
from math import log
from typing import Any

from ...backend import Array, Namespace
from ...domains.convex import ConvexDomain, ScaledDomain
from ...errors import require_positive
from .interface import Formula
from .manifold import DuallyFlat
from .wrapped import Wrapped

__all__ = ["Scaled"]

# The power of c that a formula takes from that of the base, at η / c where it takes η: φ(η) = c φ₀(η / c) has the k-th derivative
# of the power 1 − k. Geodesics do not depend on the unit of length.
POWER = {"potential": 1, "to_eta": 1, "potential_and_eta": 1, "metric": 1, "cubic_tensor": 1, "metric_derivative": 1, "flat": 1,
         "inner": 1, "divergence": 1, "sharp": -1, "root": 0.5, "norm": 0.5, "distance": 0.5, "geodesic": 0, "exp": 0, "log": 0,
         "to_theta": 0, "dual_potential": 1, "dual_metric": -1, "dual_flat": -1, "dual_sharp": 1, "dual_cubic_tensor": -2}


class Scaled(Wrapped):
    """The potential c ψ₀ on the domain of another manifold, c > 0.

    Mathematically, η = c η₀, φ(η) = c φ₀(η / c), G = c G₀, D = c D₀: the law of the sum of c independent copies of a statistic.
    """

    dim: int
    theta_domain: ConvexDomain
    eta_domain: ConvexDomain
    smooth: bool
    steep: bool
    nan_outside: tuple[str, ...]

    def __init__(self, base: DuallyFlat, factor: float) -> None:
        self.base, self.factor, self.dim = base, float(require_positive("factor", factor)), base.dim
        self.theta_domain, self.eta_domain = base.theta_domain, ScaledDomain(base.eta_domain, self.factor)
        self.smooth, self.steep, self.nan_outside = base.smooth, base.steep, base.nan_outside

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base!r}, {self.factor!r})"

    @staticmethod
    def _rule(kernel: str, formula: Formula) -> Callable[..., Any]:
        at_eta, power = formula.kinds[0] == "eta", POWER.get(kernel[1:], 0)

        def scaled(self: "Scaled", xp: Namespace, *xs: Array) -> Array | tuple[Array, ...]:
            if at_eta:
                xs = xs[0] / self.factor, *xs[1:]
            found = getattr(self.base, kernel)(xp, *xs)
            if kernel == "_potential_and_eta":
                return self.factor * found[0], self.factor * found[1]
            if power == 1:                          # nearly all of them, and no power to take
                return self.factor * found
            return found if power == 0 else self.factor**power * found if power > 0 else found / self.factor**-power
        return scaled

    def _log_volume_element(self, xp: Namespace, theta: Array) -> Array:
        return 0.5 * self.dim * log(self.factor) + self.base._log_volume_element(xp, theta)

    def total_volume(self) -> float:
        return float(self.factor ** (self.dim / 2) * self.base.total_volume())
