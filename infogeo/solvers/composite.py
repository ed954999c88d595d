"""Steps for objectives of two parts, of which one is smooth and the other has a prox."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..backend import Array
from .based import Based
from .prox import Prox
from .update import Update

__all__ = ["Composite"]


@dataclass(frozen=True)
class Composite(Based):
    """The step of another update on the smooth part f of f + g, then the Bregman prox of g.

    Mathematically, with `MirrorUpdate` x⁺ = argmin over y of h c·y + h g(y) + B_ψ(y : x). The objective of the run is f: a run's
    values are those of f, ``prox.value(run.path)`` those of g, and `RelativeSmooth` is the line search, whose condition concerns
    f alone. In `Euclidean` it is the proximal gradient method, with `L1` ISTA.

    Parameters
    ----------
    base : Update
        `MirrorUpdate`.
    prox : Prox
        `L1`, `Box`, `SumTo`, or one of your own.

    Source: Duchi, Shalev-Shwartz, Singer & Tewari, Composite objective mirror descent (2010).

    Examples
    --------
    >>> lasso = ig.Composite(ig.MirrorUpdate(), ig.L1(1.0))           # ISTA
    >>> f = ig.LeastSquares(np.eye(2), [3.0, 0.5])
    >>> run = ig.descend(f, [0.0, 0.0], geometry=ig.Euclidean(2), update=lasso,
    ...                  step=0.5, max_steps=60)
    >>> run.x.round(6)
    array([2., 0.])
    """

    base: Update
    prox: Prox

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.prox, Prox):
            raise TypeError(f"prox must be a Prox, such as L1(0.1); got {self.prox!r}")

    @property
    def needs(self) -> tuple[str, ...]:         # type: ignore[override]
        return (*self.base.needs, "to_eta", "to_theta")

    def __call__(self, geometry: Any, x: Array, covector: Array, h: Array, state: Any = None) -> tuple[Array, Any]:
        there, state = self.base(geometry, x, covector, h, state)
        return self.prox(geometry, there, h), state
