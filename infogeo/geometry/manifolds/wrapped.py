"""Manifolds made of manifolds: one rule gives every formula of the whole from those of its parts."""
from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...backend import Array, Namespace
from .interface import Formula, formulas
from .manifold import DuallyFlat

__all__ = ["KERNELS", "Wrapped"]

KERNELS = {f"_{name}": formula for name, formula in formulas(DuallyFlat).items()}


class Wrapped(DuallyFlat):
    """A dually flat manifold whose formulas come from those of others.

    A subclass gives the rule, `_rule`, and has all of `KERNELS` by it but those that it defines itself.
    """

    @staticmethod
    @abstractmethod
    def _rule(kernel: str, formula: Formula) -> Callable[..., Any]:
        """The kernel of this name: a function of the manifold, the namespace and coerced arguments."""

    def __init_subclass__(cls, **named: Any) -> None:
        if "_rule" in vars(cls):
            for kernel, formula in KERNELS.items():
                if kernel not in vars(cls):
                    setattr(cls, kernel, cls._rule(kernel, formula))
        super().__init_subclass__(**named)

    if TYPE_CHECKING:               # what DuallyFlat asks for is there, by the rule
        def _potential(self, xp: Namespace, theta: Array) -> Array: ...

        def _to_eta(self, xp: Namespace, theta: Array) -> Array: ...

        def _metric(self, xp: Namespace, theta: Array) -> Array: ...

        def _cubic_tensor(self, xp: Namespace, theta: Array) -> Array: ...
