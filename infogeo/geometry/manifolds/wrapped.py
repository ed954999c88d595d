"""Manifolds made of manifolds: one rule gives every formula of the whole from those of its parts."""
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from ...backend import Array, Namespace
from .interface import formulas
from .manifold import DuallyFlat

__all__ = ["FORMULAS", "Wrapped"]

FORMULAS = formulas(DuallyFlat)


class Wrapped(DuallyFlat):
    """A dually flat manifold whose formulas come from those of others, all by the rule `_wrapped`.

    A subclass overrides a kernel where the rule does not hold, or where a formula of its own is better.
    """

    @abstractmethod
    def _wrapped(self, name: str, xp: Namespace, *xs: Array) -> Any:
        """The formula of this name, one of `FORMULAS`, at coerced arguments."""

    # Those that DuallyFlat asks for; all the others are set below

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        return self._wrapped("potential", xp, theta)

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        return self._wrapped("to_eta", xp, theta)

    def _metric(self, xp: Namespace, theta: Array) -> Array:
        return self._wrapped("metric", xp, theta)

    def _cubic_tensor(self, xp: Namespace, theta: Array) -> Array:
        return self._wrapped("cubic_tensor", xp, theta)


def _kernel(name: str) -> Callable[..., Any]:
    def kernel(self: Wrapped, xp: Namespace, *xs: Array) -> Any:
        return self._wrapped(name, xp, *xs)
    return kernel


for _name in FORMULAS:
    if "_" + _name not in vars(Wrapped):
        setattr(Wrapped, "_" + _name, _kernel(_name))
