"""Softmax functions of arrays, for the kernels: log Σ exp x_i and the shares of it, without overflow or cancellation."""
from functools import cached_property
from math import exp, log
from typing import Any

from ..backend import Array, Namespace

__all__ = ["Softmaxes"]


class Softmaxes:
    """log Σ exp x_i, p_i and 1 − p_i of some arrays and numbers, each evaluated when it is asked for.

    Mathematically, with a number c among the arguments L = c + m + log(1 + (Σ e^{x_i−c−m} + e^{−m} − 1)), m = max(x − c, 0):
    log1p keeps the digits of a small L. Where the sum is far from the largest float, m = 0 needs no maximum.
    """

    def __init__(self, xp: Namespace, *xs: Any) -> None:
        numbers = [x for x in xs if isinstance(x, float)]
        array = next(x for x in xs if not isinstance(x, float))
        shift = log(sum(exp(x - max(numbers)) for x in numbers)) + max(numbers) if numbers else 0.0
        shifted = [x if isinstance(x, float) or not shift else x - shift for x in xs]
        top, excess = 0.0, None
        if numbers:
            excess = self._weigh(xp, shifted, None, shift)
            # log(1 + excess) is 30 at most: its rounding does not count beside that of the x_i; a look is free on the host only
            if xp.name != "numpy" or not (excess < 1e13).all():
                excess = None
        if excess is None:
            arrays = [x for x in shifted if not isinstance(x, float)]
            top = xp.zeros_like(array) if numbers else arrays[0]
            for x in arrays:
                top = xp.maximum(top, x)
            excess = self._weigh(xp, shifted, top, shift) + ((xp.exp(-top) if numbers else 0.0) - 1.0)
        self.xp, self.total, self.log_sum = xp, 1.0 + excess, shift + top + xp.log1p(excess)

    def _weigh(self, xp: Namespace, xs: list[Any], top: Array, shift: float) -> Array:
        """Σ e^{x_i − top} of the arrays; the numbers among the weights are relative to the same base."""
        weight = (lambda x: exp(x) * (1.0 if top is None else xp.exp(-top))), (lambda x: xp.exp(x if top is None else x - top))
        self.weights = [weight[0](x - shift) if isinstance(x, float) else weight[1](x) for x in xs]
        first, *others = [w for w, x in zip(self.weights, xs) if not isinstance(x, float)]
        return sum(others, start=first)

    @cached_property
    def p(self) -> list[Array]:
        return [w / self.total for w in self.weights]

    @cached_property
    def rest(self) -> list[Array]:
        """1 − p_i; where p_i is more than a half, it is the sum of the others, which does not cancel."""
        major = [x > 0.5 for x in self.p]
        minor = sum(self.xp.where(m, 0.0 * x, x) for m, x in zip(major, self.p))
        return [self.xp.where(m, minor, 1.0 - x) for m, x in zip(major, self.p)]
