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
    """σ(s) = s."""

    curved = False

    def value(self, xp: Namespace, s: Array) -> Array:
        return s

    def first(self, xp: Namespace, s: Array | None, y: Array) -> Array:
        return xp.ones_like(y)

    def second(self, xp: Namespace, s: Array | None, y: Array) -> Array:
        return xp.zeros_like(y)


@dataclass(frozen=True)
class Tanh(Activation):
    """σ(s) = tanh s; σ′ = 1 − y², σ″ = −2 y σ′."""

    def value(self, xp: Namespace, s: Array) -> Array:
        return xp.tanh(s)

    def first(self, xp: Namespace, s: Array | None, y: Array) -> Array:
        return 1.0 - y * y

    def second(self, xp: Namespace, s: Array | None, y: Array) -> Array:
        return -2.0 * y * (1.0 - y * y)


@dataclass(frozen=True)
class Logistic(Activation):
    """σ(s) = 1 / (1 + e^{−s}); σ′ = y (1 − y), σ″ = σ′ (1 − 2 y)."""

    def value(self, xp: Namespace, s: Array) -> Array:
        return xp.expit(s)

    def first(self, xp: Namespace, s: Array | None, y: Array) -> Array:
        return y * (1.0 - y)

    def second(self, xp: Namespace, s: Array | None, y: Array) -> Array:
        return y * (1.0 - y) * (1.0 - 2.0 * y)


@dataclass(frozen=True)
class Relu(Activation):
    """σ(s) = max(s, 0); σ′ = 1 where s > 0, else 0; σ″ = 0."""

    curved = False

    def value(self, xp: Namespace, s: Array) -> Array:
        return xp.maximum(s, xp.zeros((), dtype=s.dtype))

    def first(self, xp: Namespace, s: Array | None, y: Array) -> Array:
        return xp.astype(y > 0, y.dtype)

    def second(self, xp: Namespace, s: Array | None, y: Array) -> Array:
        return xp.zeros_like(y)


@dataclass(frozen=True)
class Softplus(Activation):
    """σ(s) = log(1 + e^s); σ′ = 1 − e^{−y}, the logistic function of s, and σ″ = σ′ e^{−y}."""

    def value(self, xp: Namespace, s: Array) -> Array:
        return xp.maximum(s, xp.zeros_like(s)) + xp.log1p(xp.exp(-xp.abs(s)))

    def first(self, xp: Namespace, s: Array | None, y: Array) -> Array:
        return -xp.expm1(-y)

    def second(self, xp: Namespace, s: Array | None, y: Array) -> Array:
        return -xp.expm1(-y) * xp.exp(-y)
