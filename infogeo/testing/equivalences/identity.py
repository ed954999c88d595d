"""What an identity is: an equality at every step size, or a distance that falls with a power of the step size.

Its law takes the manifold and, by name, whichever of these it needs: an objective `f` of the primal coordinates; points `theta`,
`p`, `q`, `r` of shape (..., dim) with equal batches; a size `h` of a step; a generator `rng`. Where it says nothing of the
manifold it yields nothing.
"""
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np

from ...backend import Array
from ...geometry.manifolds.manifold import DuallyFlat
from ..calculus import frame, in_frame
from ..law import Sides, at_least, title

__all__ = ["POINTS", "Equality", "Statement", "Limit", "difference_step", "length", "step_of", "tensor_along"]

POINTS = {"theta", "p", "q", "r"}
HALVINGS = 3        # of a step size, to see with which power of it a distance falls


def itself(M: DuallyFlat) -> tuple[DuallyFlat, ...]:
    """The manifolds that an identity is about, where the one at hand is M: M."""
    return (M,)


@dataclass(frozen=True)
class Statement(ABC):
    """What is said of manifolds, objectives and steps, with the law that compares its sides.

    Attributes
    ----------
    number : str
        P1 … P23, or of your own.
    law : function
    manifolds : function
        The manifolds that it is about, where the one at hand is M: M itself, or those that it brings; none where it says nothing.

    Examples
    --------
    >>> from infogeo.testing import equivalences
    >>> equivalences.IDENTITIES["three points"].statement
    'D(p‖q) + D(q‖r) − D(p‖r) = (η_p − η_q)·(θ_r − θ_q).'
    """

    number: str
    law: Callable[..., Any]
    manifolds: Callable[[DuallyFlat], tuple[DuallyFlat, ...]] = itself

    @property
    def name(self) -> str:
        return title(self.law)

    @property
    def statement(self) -> str:
        return (self.law.__doc__ or "").partition("\n")[0]

    @property
    def needs(self) -> tuple[str, ...]:
        """The names of what the law takes beside the manifold."""
        return tuple(signature(self.law).parameters)[1:]

    @abstractmethod
    def sides(self, M: DuallyFlat, **given: Any) -> Iterator[Sides]:
        """What it compares, with what `needs` names."""


@dataclass(frozen=True)
class Equality(Statement):
    """An identity that holds to rounding, or to the standard errors that its law allows, whatever the size of the step.

    Its law yields the sides that it compares.

    Examples
    --------
    >>> from infogeo.testing import equivalences
    >>> identity = equivalences.IDENTITIES["three points"]
    >>> identity.number, identity.needs
    ('P12', ('p', 'q', 'r'))
    >>> p, q, r = np.array([[-1.0], [-2.0], [-5.0]])
    >>> sides, = identity.sides(ig.Exponential(), p=p, q=q, r=r)
    >>> float(sides.left.round(6)), float(sides.right.round(6))
    (-1.5, -1.5)
    """

    def sides(self, M: DuallyFlat, **given: Any) -> Iterator[Sides]:
        yield from self.law(M, **given)


@dataclass(frozen=True)
class Limit(Statement):
    """A distance that is O(h^order): a halving of h divides it by 2^order.

    Its law is ``distance(M, …, h)``, for sizes h of shape (s, 1, …, 1) that broadcast with the batch of the points: the distances
    at these sizes, shape (s, ...), and below what they are rounding.

    Attributes
    ----------
    order : int

    Examples
    --------
    >>> from infogeo.testing import equivalences
    >>> identity = equivalences.IDENTITIES["steps in two charts"]
    >>> identity.order, identity.needs
    (2, ('f', 'theta', 'h'))
    >>> given = dict(f=ig.testing.Wavy(ig.Exponential(), [-2.0]),
    ...              theta=np.array([-1.0]))
    >>> found, _ = identity.distances(ig.Exponential(), np.array([0.02, 0.01]),
    ...                               **given)
    >>> round(float(found[0] / found[1]), 1)
    4.0
    """

    order: int = 1

    def distances(self, M: DuallyFlat, sizes: Array, **given: Any) -> tuple[Array, Array]:
        """The distances at sizes of shape (s,), and their rounding, both (s, ...)."""
        axes = max(np.ndim(x) for name, x in given.items() if name in POINTS) - 1
        found, rounding = self.law(M, **given, h=np.reshape(sizes, (-1, *(1,) * axes)))
        return found, np.broadcast_to(rounding, found.shape)

    def sides(self, M: DuallyFlat, **given: Any) -> Iterator[Sides]:
        """The last of the distances d(h), d(h/2), d(h/4), d(h/8) against what the others let expect of this order k.

        With d = |a h^k + b h^(k+1)| the quantity d / h^k at the smallest size is at most 3/2 of the largest of the others,
        whatever a and b are; with an order less it is twice of it.
        """
        sizes = given.pop("h") / 2.0 ** np.arange(HALVINGS + 1)
        found, rounding = self.distances(M, sizes, **given)
        scaled = found / np.reshape(sizes, (-1, *(1,) * (found.ndim - 1))) ** self.order
        yield at_least(f"1.6 max of d(h)/h^{self.order}, times (h/8)^{self.order}",
                       1.6 * np.max(scaled[:-1], axis=0) * sizes[-1] ** self.order, "d(h/8)", found[-1], 3 * rounding[-1])


def length(M: DuallyFlat, x: Array, y: Array) -> Array:
    """|y − x| in the metric at x, shape (...)."""
    return M.norm(x, y - x)


def step_of(M: DuallyFlat, f: Any, theta: Array, h: Array | float) -> Array:
    """The step size h, less where a natural-gradient step would be longer than h / (1 + |T|) in the metric, shape (...)."""
    speed = M.norm(theta, M.sharp(theta, f.value_and_gradient(theta)[1]))
    return h / np.maximum(1.0, speed * (1.0 + skewness(M, theta)))


def difference_step(M: DuallyFlat, x: Array) -> float:
    """The step of differences in an orthonormal basis at x: 0.01, less where the metric changes much over that length."""
    return 0.01 / (1.0 + 0.1 * float(np.max(skewness(M, x))))


def skewness(M: DuallyFlat, x: Array) -> Array:
    """The largest entry of T in an orthonormal basis, shape (...): how fast the metric changes, a unit of length on."""
    return np.max(np.abs(in_frame(frame(M, x), M.cubic_tensor(x))), axis=(-3, -2, -1))


def tensor_along(tensor: Array, vector: Array) -> Array:
    """T(v, v, ·), shapes (..., d, d, d) and (..., d) to (..., d)."""
    return np.einsum("...ijk,...j,...k->...i", tensor, vector, vector)
