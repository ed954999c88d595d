"""What a law is: a function that yields pairs of sides, and how far they may differ.

A law has the arguments ``(M, theta)``, ``(M, p, q)`` or ``(M, p, q, r)``: a manifold and points of it, NumPy arrays of shape
(..., dim) with equal batches. One that draws samples takes a generator `rng` last. It yields a `Sides` for each statement that
it makes, or nothing where it does not apply to the manifold.
"""
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backend import Array
from ..geometry.manifolds.manifold import DuallyFlat

__all__ = ["BrokenLaw", "Law", "Sides", "above", "assert_law", "at_least", "equal", "title"]


class BrokenLaw(AssertionError):
    """A law does not hold.

    Attributes
    ----------
    law : str
        The name of the law.
    points : tuple of arrays
        The arguments at which it fails.

    Examples
    --------
    >>> class Slip(ig.Exponential):                 # its mean is 1 % off
    ...     def to_eta(self, theta):
    ...         return 1.01 * super().to_eta(theta)
    >>> try:
    ...     held = ig.testing.check_dually_flat(Slip())
    ... except ig.testing.BrokenLaw as broken:
    ...     print(broken.law)
    gradient of the potential is eta
    """

    def __init__(self, message: str, law: str | None = None, points: tuple[Array, ...] = ()) -> None:
        super().__init__(message)
        self.law, self.points = law, points


@dataclass(frozen=True)
class Sides:
    """Two quantities that a law compares, entry by entry, and which entries break it.

    Examples
    --------
    >>> def symmetric(M, p, q):
    ...     there, back = np.asarray(M.kl(p, q)), np.asarray(M.kl(q, p))
    ...     yield ig.testing.Sides("KL(p‖q)", there, "=", "KL(q‖p)", back,
    ...                            np.asarray(1e-9), abs(there - back) > 1e-9)
    >>> sides, = symmetric(ig.Exponential(), [-1.0], [-2.0])
    >>> bool(sides.wrong), float((sides.left - sides.right).round(4))
    (True, 0.1137)
    """

    left_name: str
    left: np.ndarray
    relation: str
    right_name: str
    right: np.ndarray
    tolerance: np.ndarray
    wrong: np.ndarray

    def __str__(self) -> str:
        """The first wrong entry in words."""
        index = tuple(int(i) for i in np.argwhere(self.wrong)[0])
        where = f", entry {index}" if index else ""
        left, right, tolerance = (np.broadcast_to(x, self.wrong.shape)[index] for x in (self.left, self.right, self.tolerance))
        width = max(len(self.left_name), len(self.right_name))
        return (f"{self.left_name} {self.relation} {self.right_name} does not hold{where}:\n"
                f"    {self.left_name:{width}} = {left.item()!r}\n    {self.right_name:{width}} = {right.item()!r}\n"
                f"They differ by {abs(left - right):.3g}; the law allows {tolerance:.3g}.")


Law = Callable[..., Iterator[Sides]]


def _sides(left_name: str, left: Any, relation: str, right_name: str, right: Any, tolerance: Any, wrong: Array) -> Sides:
    arrays = np.broadcast_arrays(left, right, tolerance, wrong)
    return Sides(left_name, arrays[0], relation, right_name, arrays[1], arrays[2], arrays[3])


def equal(left_name: str, left: Any, right_name: str, right: Any, tolerance: Any = 0.0) -> Sides:
    """|left − right| ≤ tolerance in every entry; NaN breaks it."""
    left, right = _numbers(left), _numbers(right)
    with np.errstate(invalid="ignore"):
        wrong = ~(np.abs(left - right) <= tolerance)
    return _sides(left_name, left, "=", right_name, right, tolerance, wrong)


def at_least(left_name: str, left: Any, right_name: str, right: Any, tolerance: Any = 0.0) -> Sides:
    """left ≥ right − tolerance in every entry; NaN breaks it."""
    left, right = _numbers(left), _numbers(right)
    return _sides(left_name, left, ">=", right_name, right, tolerance, ~(left >= right - tolerance))


def above(left_name: str, left: Any, right_name: str, right: Any) -> Sides:
    """left > right in every entry; NaN breaks it."""
    left, right = _numbers(left), _numbers(right)
    return _sides(left_name, left, ">", right_name, right, 0.0, ~(left > right))


def _numbers(x: Any) -> Array:
    """An array of floats, or of complex numbers: truth values are 0 and 1."""
    x = np.asarray(x)
    return x if x.dtype.kind == "c" else x.astype(float)


def title(law: Law) -> str:
    """The name of a law in words."""
    return law.__name__.replace("_", " ")


def assert_law(law: Law, M: DuallyFlat, *arguments: Array) -> None:
    """Assert that a law holds for a manifold at these points.

    Raises
    ------
    BrokenLaw
        With the two sides, or where the law does not apply: a test that compares nothing shows nothing.

    Examples
    --------
    >>> law = ig.testing.DUALLY_FLAT_LAWS["three points"]
    >>> p, q, r = np.array([[-1.0], [-2.0], [-5.0]])
    >>> ig.testing.assert_law(law, ig.Exponential(), p, q, r)         # it holds
    """
    compared = 0
    for sides in law(M, *arguments):
        compared += 1
        if sides.wrong.any():
            raise BrokenLaw(f"{M!r} breaks the law \"{title(law)}\": {sides}", title(law), arguments)
    if not compared:
        raise BrokenLaw(f"the law \"{title(law)}\" does not apply to {M!r}", title(law), arguments)
