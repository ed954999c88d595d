"""Newton's method behind barriers that weaken, for ∇ψ(θ) = η where ψ alone does not keep its minimiser in the domain.

The minimiser of ψ(θ) − η·θ + b·w(θ), with a function w that grows towards the boundary, is the start for the next smaller b.
"""
from collections.abc import Callable, Iterable

from ..backend import Array, Namespace

__all__ = ["followed", "scale_behind"]


def followed(minimiser: Callable[[Array, float], Array], x: Array, barriers: Iterable[float]) -> Array:
    """The last of the minimisers ``x = minimiser(x, b)``, each from the one before."""
    for barrier in barriers:
        x = minimiser(x, barrier)
    return x


def scale_behind(xp: Namespace, eta: Array, barrier: Array | float = 0.0) -> Array:
    """1 + max |η_i|, the size of the terms of the gradient ∇ψ(θ) − η, shape (...), for `minimize`.

    Behind a barrier in units of half precision: that minimum is a start only.
    """
    loose = float(xp.finfo(eta.dtype).eps) ** -0.5
    unit = (loose if barrier else 1.0) if isinstance(barrier, float) else xp.where(barrier > 0, loose, 1.0)
    return unit * (1.0 + xp.max(xp.abs(eta), axis=-1))
