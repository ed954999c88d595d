"""Links: smooth bijections from R^d onto the natural parameters of a family, with their derivatives.

The output u of a network is any vector; where the domain of θ is not all of R^d, θ = link(u). The link of a domain is the map
that the domain itself is given by, its `from_unconstrained`: e^u for a positive coordinate, the log-Cholesky chart for a definite
matrix.
"""
from abc import ABC, abstractmethod

import numpy as np

from ..backend import arrays
from ..numerics.packing import pack, unpack

__all__ = ["Exponential", "Link", "LogCholesky", "Scaled", "Stacked", "Straight", "link_of"]


class Link(ABC):
    """A smooth bijection θ = link(u).

    Mathematically, with J the Jacobian at u: `push_forward` is J du, `pull_back` is Jᵀ c, and `pull_back_tangent` the derivative
    of Jᵀ c along du at fixed c.

    Shapes: u, θ, vectors and covectors (..., d).
    """

    @abstractmethod
    def __call__(self, u):
        """θ."""

    @abstractmethod
    def push_forward(self, u, vector):
        """J du."""

    @abstractmethod
    def pull_back(self, u, covector):
        """Jᵀ c."""

    @abstractmethod
    def pull_back_tangent(self, u, vector, covector):
        """(∂_u Jᵀ c) du."""


class Straight(Link):
    """θ = u, for families whose θ is any vector."""

    def __call__(self, u):
        return arrays(u)[1]

    def push_forward(self, u, vector):
        return arrays(vector)[1]

    def pull_back(self, u, covector):
        return arrays(covector)[1]

    def pull_back_tangent(self, u, vector, covector):
        xp, vector, covector = arrays(vector, covector)
        return xp.zeros_like(vector * covector)


class Exponential(Link):
    """θ_i = s_i e^{u_i} with signs s_i = ±1; J = diag(θ).

    Parameters
    ----------
    signs : int
        One for each coordinate.
    """

    def __init__(self, *signs):
        self.signs = signs

    def __call__(self, u):
        xp, u = arrays(u)
        return xp.exp(u) * xp.asarray(self.signs, dtype=u.dtype)

    def push_forward(self, u, vector):
        return self(u) * vector

    def pull_back(self, u, covector):
        return self(u) * covector

    def pull_back_tangent(self, u, vector, covector):
        return self(u) * vector * covector


class LogCholesky(Link):
    """θ = s L Lᵀ, packed, where L is lower triangular, packed in u, with the logarithms of its diagonal there; s = ±1.

    Mathematically, dθ = s (dL Lᵀ + L dLᵀ), and as the packing is isometric, c·dθ = ⟨2 s C L, dL⟩ for the covector c = pack(C).

    Parameters
    ----------
    p : int
        The order of the matrix.
    sign : int
    """

    def __init__(self, p, sign=1):
        self.p, self.sign = p, sign

    def _lower(self, u):
        """(xp, L, I)."""
        xp, u = arrays(u)
        entries, eye = unpack(u, self.p), xp.eye(self.p, dtype=u.dtype)
        return xp, xp.tril(entries) * (1.0 - eye) + xp.exp(entries * eye) * eye, eye

    def _moved(self, xp, L, eye, vector):
        """dL."""
        entries = unpack(arrays(vector)[1], self.p)
        return xp.tril(entries) * (1.0 - eye) + L * entries * eye

    def __call__(self, u):
        xp, L, _ = self._lower(u)
        return self.sign * pack(xp.matmul(L, xp.matrix_transpose(L)))

    def push_forward(self, u, vector):
        xp, L, eye = self._lower(u)
        half = xp.matmul(self._moved(xp, L, eye, vector), xp.matrix_transpose(L))
        return self.sign * pack(half + xp.matrix_transpose(half))

    def pull_back(self, u, covector):
        xp, L, eye = self._lower(u)
        M = 2.0 * self.sign * xp.matmul(unpack(arrays(covector)[1], self.p), L)
        return pack(xp.tril(M) * (1.0 - eye) + M * L * eye)

    def pull_back_tangent(self, u, vector, covector):
        xp, L, eye = self._lower(u)
        dL, C = self._moved(xp, L, eye, vector), 2.0 * self.sign * unpack(arrays(covector)[1], self.p)
        M, dM = xp.matmul(C, L), xp.matmul(C, dL)
        return pack(xp.tril(dM) * (1.0 - eye) + (dM * L + M * dL) * eye)


class Scaled(Link):
    """θ = c link(u)."""

    def __init__(self, link, factor):
        self.link, self.factor = link, factor

    def __call__(self, u):
        return self.factor * self.link(u)

    def push_forward(self, u, vector):
        return self.factor * self.link.push_forward(u, vector)

    def pull_back(self, u, covector):
        return self.factor * self.link.pull_back(u, covector)

    def pull_back_tangent(self, u, vector, covector):
        return self.factor * self.link.pull_back_tangent(u, vector, covector)


class Stacked(Link):
    """Links of consecutive coordinates.

    Parameters
    ----------
    parts : pairs (link, number of coordinates)
    """

    def __init__(self, *parts):
        self.parts = parts

    def _over(self, name, *xs):
        xp, *xs = arrays(*xs)
        out, start = [], 0
        for link, size in self.parts:
            out.append(getattr(link, name)(*(x[..., start:start + size] for x in xs)))
            start += size
        return xp.concat(out, axis=-1)

    def __call__(self, u):
        return self._over("__call__", u)

    def push_forward(self, u, vector):
        return self._over("push_forward", u, vector)

    def pull_back(self, u, covector):
        return self._over("pull_back", u, covector)

    def pull_back_tangent(self, u, vector, covector):
        return self._over("pull_back_tangent", u, vector, covector)


def link_of(domain):
    """The link that equals the `from_unconstrained` of a domain: of `RealSpace`, `Orthant`, `PositiveDefinite`, their scalings
    and products.

    Raises
    ------
    TypeError
        For a domain of another kind: a user's own `Link` then goes into the model.
    """
    link = _known(domain)
    probe = np.linspace(-1.0, 1.0, domain.dim)
    if link is None or not np.allclose(link(probe), domain.from_unconstrained(probe), rtol=1e-10):
        raise TypeError(f"no link is known for {domain!r}; give link=, a smooth bijection from R^{domain.dim} onto it")
    return link


def _known(domain):
    """A link by what the domain consists of, to be compared with the domain's own map; None where it is of no known kind."""
    if getattr(domain, "whole", False):
        return Straight()
    if hasattr(domain, "signs"):
        return Exponential(*domain.signs)
    if hasattr(domain, "factors"):
        links = [_known(factor) for factor in domain.factors]
        return None if None in links else Stacked(*((link, factor.dim) for link, factor in zip(links, domain.factors)))
    if hasattr(domain, "p") and 2 * domain.dim == domain.p * (domain.p + 1):
        return LogCholesky(domain.p, domain.sign)
    if hasattr(domain, "source") and hasattr(domain, "factor"):
        link = _known(domain.source)
        return None if link is None else Scaled(link, domain.factor)
    return None
