"""A claim about natural gradient, and what the problem at hand says of it."""
from dataclasses import dataclass

import numpy as np

__all__ = ["Claim", "listed"]


@dataclass(frozen=True)
class Claim:
    """A claim, whether it holds here (None where it does not apply), and why: a clause that goes on from "because".

    Examples
    --------
    >>> claim = ig.studies.Claim("fast", "it is there at once", True, "h = 1.")
    >>> claim.holds, claim.because
    (True, 'h = 1.')
    """

    name: str
    statement: str
    holds: bool | None
    because: str


def listed(x: np.ndarray, most: int = 4) -> str:
    """A vector as text, (1, 2, …)."""
    return "(" + ", ".join(f"{v:.4g}" for v in np.ravel(x)[:most]) + (", …)" if np.size(x) > most else ")")
