"""The image of the gradient of a potential, a domain that is known by the inversion alone."""
from collections.abc import Callable
from typing import Protocol

from ..backend import Array, Namespace, arrays
from ..numerics.linalg import matvec
from .chart import Chart, ComposedChart
from .convex import ConvexDomain

__all__ = ["GradientChart", "GradientImage"]


class Potential(Protocol):
    """What is asked of a dually flat manifold here."""

    @property
    def dim(self) -> int: ...

    @property
    def theta_domain(self) -> ConvexDomain: ...

    def to_eta(self, theta: Array) -> Array: ...

    def to_theta(self, eta: Array) -> Array: ...

    def flat(self, theta: Array, vector: Array) -> Array: ...

    def cubic_tensor(self, theta: Array) -> Array: ...


class GradientChart(Chart):
    """η = ∇ψ(θ) as a bijection of the two charts of a dually flat manifold.

    Mathematically, J is the metric G(θ), and the derivative of G c along v is the cubic tensor contracted with both.

    Parameters
    ----------
    manifold : DuallyFlat
    """

    def __init__(self, manifold: Potential) -> None:
        self.manifold = manifold

    def __call__(self, u: Array) -> Array:
        return self.manifold.to_eta(u)

    def inverse(self, x: Array) -> Array:
        return self.manifold.to_theta(x)

    def push_forward(self, u: Array, vector: Array) -> Array:
        return self.manifold.flat(u, vector)

    def pull_back(self, u: Array, covector: Array) -> Array:
        return self.manifold.flat(u, covector)

    def pull_back_tangent(self, u: Array, vector: Array, covector: Array) -> Array:
        xp, vector, covector = arrays(vector, covector)
        return matvec(xp, matvec(xp, self.manifold.cubic_tensor(u), covector[..., None, :]), vector)


class GradientImage(ConvexDomain):
    """The image of the domain of θ under η = ∇ψ(θ): a point is in the set where the inversion finds its θ.

    Parameters
    ----------
    manifold : DuallyFlat
    words : callable (name) -> str, optional
        The rule. Unless given, that there is such a θ.
    inverse : callable (eta) -> theta, optional
        An inversion that does not ask this domain, and gives NaN where there is no θ; `manifold.to_theta` unless given.

    Examples
    --------
    >>> image = ig.domains.GradientImage(ig.Gamma())
    >>> image.contains([[-0.1, 1.0], [0.1, 1.0]])  # E log x < log E x
    array([ True, False])
    """

    def __init__(self, manifold: Potential, words: Callable[[str], str] | None = None,
                 inverse: Callable[[Array], Array] | None = None) -> None:
        if not hasattr(manifold, "theta_domain"):
            raise TypeError(f"GradientImage takes a DuallyFlat as its argument manifold; got {manifold!r}")
        self.manifold, self.dim = manifold, manifold.dim
        self.words, self.inverse = words, inverse

    def possible(self, x: Array) -> Array:
        xp, x = arrays(x)
        return xp.all(xp.isfinite(x), axis=-1)

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        theta = (self.inverse or self.manifold.to_theta)(x)
        return self.possible(x) & xp.all(xp.isfinite(theta), axis=-1)

    def outside(self, xp: Namespace, x: Array) -> None:
        """None: the inversion, by which every formula in η goes, is NaN outside by itself."""

    def rule(self, name: str) -> str:
        if self.words is not None:
            return self.words(name)
        return f"{name} = grad psi(theta) for a theta with {self.manifold.theta_domain.rule('theta')}"

    def __repr__(self) -> str:
        return f"GradientImage({self.manifold!r})"

    @property
    def chart(self) -> Chart:
        return ComposedChart(self.manifold.theta_domain.chart, GradientChart(self.manifold))
