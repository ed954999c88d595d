"""Activations: elementwise functions with two derivatives."""
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

from ..backend import Array, Namespace
from .layer import Layer, Shape

__all__ = ["Activation", "Identity", "Logistic", "Relu", "Softplus", "Tanh"]


class Activation(Layer):
    """An elementwise function y = σ(s), with its first two derivatives.

    Where `from_output` is true the derivatives use y only, and s, which is then None, is not kept. Where `curved` is false σ″ is
    0 everywhere.

    Examples
    --------
    >>> class Cubic(ig.networks.Activation):
    ...     from_output = False                     # the derivatives need s
    ...     def value(self, xp, s):
    ...         return s**3
    ...     def first(self, xp, s, y):
    ...         return 3 * s**2
    ...     def second(self, xp, s, y):
    ...         return 6 * s
    >>> network = ig.networks.MLP((1, 1, 1), Cubic())         # w₂ (w₁ x)³
    >>> network.vjp([2.0, 0.0, 1.0, 0.0], [[1.0]], np.ones((1, 1)))
    array([12., 12.,  8.,  1.])
    """

    from_output: bool = True
    curved: bool = True

    @abstractmethod
    def value(self, xp: Namespace, s: Array) -> Array:
        """σ(s)."""

    @abstractmethod
    def first(self, xp: Namespace, s: Array | None, y: Array) -> Array:
        """σ′(s), given y = σ(s)."""

    @abstractmethod
    def second(self, xp: Namespace, s: Array | None, y: Array) -> Array:
        """σ″(s), given y = σ(s)."""

    def output_shape(self, input_shape: Shape) -> Shape:
        return tuple(input_shape)

    def forward(self, xp: Namespace, W: Array, x: Array) -> tuple[Array, Any]:
        y = self.value(xp, x)
        return y, (None if self.from_output else x, y)

    def jvp(self, xp: Namespace, W: Array, memory: Any, dW: Array, dx: Array | None) -> tuple[Array | None, Array | None]:
        return (None if dx is None else self.first(xp, *memory) * dx), dx

    def pull_back(self, xp: Namespace, W: Array, memory: Any, g: Array) -> Array:
        return self.first(xp, *memory) * g

    def pull_back_tangent(self, xp: Namespace, W: Array, memory: Any, dW: Array, dmemory: Array | None, g: Array) -> Array | None:
        return None if dmemory is None else self.second(xp, *memory) * dmemory * g

    def local_curvature(self, xp: Namespace, memory: Any, g: Array) -> Array | None:
        return self.second(xp, *memory) * g if self.curved else None


@dataclass(frozen=True)
class Identity(Activation):
    """σ(s) = s.

    Examples
    --------
    >>> deep = ig.networks.MLP((1, 1, 1), ig.networks.Identity())     # linear
    >>> deep.forward([2.0, 0.0, 3.0, 1.0], [[5.0]])
    array([[31.]])
    """

    curved = False

    def value(self, xp: Namespace, s: Array) -> Array:
        return s

    def first(self, xp: Namespace, s: Array | None, y: Array) -> Array:
        return xp.ones_like(y)

    def second(self, xp: Namespace, s: Array | None, y: Array) -> Array:
        return xp.zeros_like(y)


@dataclass(frozen=True)
class Tanh(Activation):
    """σ(s) = tanh s; σ′ = 1 − y², σ″ = −2 y σ′.

    Examples
    --------
    >>> network = ig.networks.Sequential([ig.networks.Tanh()], (2,))
    >>> network.forward(np.zeros(0), [[0.0, np.log(3.0)]])  # (9 − 1) / (9 + 1)
    array([[0. , 0.8]])
    """

    def value(self, xp: Namespace, s: Array) -> Array:
        return xp.tanh(s)

    def first(self, xp: Namespace, s: Array | None, y: Array) -> Array:
        return 1.0 - y * y

    def second(self, xp: Namespace, s: Array | None, y: Array) -> Array:
        return -2.0 * y * (1.0 - y * y)


@dataclass(frozen=True)
class Logistic(Activation):
    """σ(s) = 1 / (1 + e^{−s}); σ′ = y (1 − y), σ″ = σ′ (1 − 2 y).

    Examples
    --------
    >>> network = ig.networks.Sequential([ig.networks.Logistic()], (3,))
    >>> network.forward(np.zeros(0), [[-np.log(3.0), 0.0, 800.0]])
    array([[0.25, 0.5 , 1.  ]])
    """

    def value(self, xp: Namespace, s: Array) -> Array:
        return xp.expit(s)

    def first(self, xp: Namespace, s: Array | None, y: Array) -> Array:
        return y * (1.0 - y)

    def second(self, xp: Namespace, s: Array | None, y: Array) -> Array:
        return y * (1.0 - y) * (1.0 - 2.0 * y)


@dataclass(frozen=True)
class Relu(Activation):
    """σ(s) = max(s, 0); σ′ = 1 where s > 0, else 0; σ″ = 0.

    Examples
    --------
    >>> network = ig.networks.Sequential([ig.networks.Relu()], (3,))
    >>> network.forward(np.zeros(0), [[-2.0, 0.0, 3.0]])
    array([[0., 0., 3.]])
    """

    curved = False

    def value(self, xp: Namespace, s: Array) -> Array:
        return xp.maximum(s, xp.zeros((), dtype=s.dtype))

    def first(self, xp: Namespace, s: Array | None, y: Array) -> Array:
        return xp.astype(y > 0, y.dtype)

    def second(self, xp: Namespace, s: Array | None, y: Array) -> Array:
        return xp.zeros_like(y)


@dataclass(frozen=True)
class Softplus(Activation):
    """σ(s) = log(1 + e^s); σ′ = 1 − e^{−y}, the logistic function of s, and σ″ = σ′ e^{−y}.

    Examples
    --------
    >>> network = ig.networks.Sequential([ig.networks.Softplus()], (3,))
    >>> y = network.forward(np.zeros(0), [[-800.0, 0.0, 800.0]])
    >>> y.round(4), float(np.log(2.0).round(4))
    (array([[0.000e+00, 6.931e-01, 8.000e+02]]), 0.6931)
    """

    def value(self, xp: Namespace, s: Array) -> Array:
        return xp.maximum(s, xp.zeros_like(s)) + xp.log1p(xp.exp(-xp.abs(s)))

    def first(self, xp: Namespace, s: Array | None, y: Array) -> Array:
        return -xp.expm1(-y)

    def second(self, xp: Namespace, s: Array | None, y: Array) -> Array:
        return -xp.expm1(-y) * xp.exp(-y)
