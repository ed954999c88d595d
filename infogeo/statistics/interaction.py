"""How much the interactions of each order contribute to a table of probabilities."""
from collections.abc import Iterable
from itertools import combinations
from math import prod
from typing import Any, NamedTuple

from ..backend import Array, arrays
from ..errors import shown
from ..families.categorical import Categorical
from ..families.hierarchical import Hierarchical, Tables

__all__ = ["InteractionOrders", "interaction_orders"]


class InteractionOrders(NamedTuple):
    """The decomposition of a table by orders of interaction.

    Attributes
    ----------
    tables : tuple of arrays, shape (..., *shape)
        p₀ uniform, p₁ the product of the margins, p₂ with pairs only, …, p itself.
    divergences : array, shape (n, ...)
        KL(p_k‖p_{k−1}) of the orders k = 1 … n, nats. Their sum is KL(p‖p₀); without the first it is KL(p‖p₁), the total
        correlation.

    Examples
    --------
    >>> table = [[0.4, 0.1], [0.1, 0.4]]
    >>> found = ig.statistics.interaction_orders((2, 2), table)
    >>> found.tables[1].round(9)
    array([[0.25, 0.25],
           [0.25, 0.25]])
    >>> found.divergences[1:].round(4)  # the mutual information
    array([0.1927])
    """

    tables: Any
    divergences: Any


def interaction_orders(shape: tuple[int, ...], probabilities: Array) -> InteractionOrders:
    """The hierarchical decomposition of a table of probabilities of n variables into orders of interaction.

    Mathematically, p_k is the m-projection of p onto the e-flat family of tables whose variables interact in groups of at most
    k. The families are nested, so by the Pythagorean theorem KL(p‖p₀) = Σ_k KL(p_k‖p_{k−1}).

    Parameters
    ----------
    shape : tuple of int
        The levels of the n variables.
    probabilities : array, shape (..., *shape)
        Positive, with sum 1.

    Raises
    ------
    DomainError, ShapeError

    Source: Amari, Information geometry on hierarchy of probability distributions, IEEE Trans. Inf. Theory 47 (2001).

    Examples
    --------
    >>> table = np.full((2, 2, 2), 0.01)
    >>> for a, b in (0, 0), (0, 1), (1, 0), (1, 1):
    ...     table[a, b, a ^ b] = 0.24  # an exclusive or
    >>> found = ig.statistics.interaction_orders((2, 2, 2), table)
    >>> abs(found.divergences).round(4)  # no pair depends
    array([0.    , 0.    , 0.5252])
    """
    if isinstance(shape, type) or not isinstance(shape, Iterable):
        raise TypeError(f"shape must be a tuple of integers, the levels of each variable; got {shown(shape)}")
    xp, p = arrays(Tables(tuple(shape)).require("probabilities", probabilities))
    axes = range(len(shape))
    families = [Hierarchical(tuple(shape), tuple(combinations(axes, k))) for k in range(1, len(shape))]
    fitted = [family.parameters(family.theta_from(probabilities=p))["probabilities"] for family in families]
    tables = xp.full_like(p, 1.0 / prod(shape)), *fitted, p
    cells = Categorical(prod(shape))
    flat = [xp.reshape(table, (*p.shape[:p.ndim - len(shape)], cells.k)) for table in tables]
    theta = [xp.log(q[..., :-1] / q[..., -1:]) for q in flat]
    return InteractionOrders(tables, xp.stack([cells.kl(above, below) for below, above in zip(theta, theta[1:])]))
