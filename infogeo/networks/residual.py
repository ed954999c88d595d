"""Skip connections: layers beside a way around them, whose outputs are added."""
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import prod
from typing import Any

from ..backend import Array, Namespace
from ..errors import ShapeError
from .affine import Convolution2D, Dense
from .layer import Layer, Part, Shape
from .linear import Flatten

__all__ = ["Fork", "Join", "Residual", "Skips", "Switch"]


@dataclass(frozen=True)
class Residual(Part):
    """y = f(x) + s(x) with layers f one after the other and a shortcut s, which is the identity unless it has layers, too.

    Mathematically, J_x = J_f + J_s, and a covector g at y goes down both ways: J_fᵀ g + J_sᵀ g. The weights of the layers f come
    first, then those of the shortcut.

    Parameters
    ----------
    layers : sequence of Layer or Residual
    shortcut : sequence of Layer or Residual
        Such as ``[Convolution2D(8, 16, 1, 2)]`` where f has 16 channels and half the positions.

    Raises
    ------
    ShapeError
        Where f and the shortcut give different shapes.

    Examples
    --------
    >>> from infogeo.networks import Dense, Residual, Sequential, Tanh
    >>> network = Sequential([Dense(4, 8), Residual([Tanh(), Dense(8, 8)]), Tanh(), Dense(8, 2)], (4,))
    >>> network.size == 5 * 8 + 9 * 8 + 9 * 2
    True

    Source: He, Zhang, Ren & Sun, Deep residual learning for image recognition (2016).
    """

    layers: tuple[Part, ...]
    shortcut: tuple[Part, ...] = ()

    def __init__(self, layers: Iterable[Part], shortcut: Iterable[Part] = ()) -> None:
        for name, given in (("layers", layers), ("shortcut", shortcut)):
            if not isinstance(given, Iterable):
                raise TypeError(f"{name} must be a list of layers; got {given!r}")
            parts = tuple(given)
            for part in parts:
                if not isinstance(part, Part):
                    raise TypeError(f"{name} must be layers; got {part!r}")
            object.__setattr__(self, name, parts)

    def output_shape(self, input_shape: Shape) -> Shape:
        shape, beside = _through(self.layers, input_shape), _through(self.shortcut, input_shape)
        if shape != beside:
            way = "its shortcut" if self.shortcut else "its input"
            raise ShapeError(f"the layers of a Residual must give the shape of {way}, to which they are added; they give {shape} "
                             f"beside {beside}. Let its last layer with weights make {beside}, or give it a shortcut that takes "
                             f"{tuple(input_shape)} to {shape}{_such_as(tuple(input_shape), shape)}")
        return shape

    def steps(self) -> tuple[Layer, ...]:
        ways = [tuple(step for part in way for step in part.steps()) for way in (self.layers, self.shortcut)]
        return (Fork(), *ways[0], *((Switch(), *ways[1]) if self.shortcut else ()), Join())

    def replaced(self, f: Callable[[Layer], Layer]) -> "Residual":
        return Residual(*((part.replaced(f) for part in way) for way in (self.layers, self.shortcut)))


def _through(parts: Iterable[Part], shape: Shape) -> Shape:
    """The shape behind parts one after the other."""
    shape = tuple(shape)
    for part in parts:
        shape = part.output_shape(shape)
    return shape


def _such_as(start: Shape, end: Shape) -> str:
    """A shortcut from one shape to another, as one writes it; nothing where none of these fits."""
    ways: dict[str, tuple[Part, ...]] = {}
    if len(start) == len(end) == 3:
        (h, w, c), (height, width, d) = start, end
        stride, kernel = -(-h // height), (h - height + 1, w - width + 1)
        ways[f"Convolution2D({c}, {d}, 1, {stride})"] = (Convolution2D(c, d, 1, stride),)
        if min(kernel) > 0:
            ways[f"Convolution2D({c}, {d}, {kernel})"] = (Convolution2D(c, d, kernel),)
    elif len(end) == 1:
        flat = () if len(start) == 1 else (Flatten(len(start)),)
        dense = Dense(prod(start), end[0])
        ways[f"Flatten({len(start)}), " * len(flat) + f"Dense({dense.n_inputs}, {dense.n_outputs})"] = (*flat, dense)
    for text, parts in ways.items():
        if _through(parts, start) == end:
            return f", such as shortcut=[{text}]"
    return ""


# What a network is made of where a skip connection is: places in its chain of layers

class _Place(Layer):
    """The identity, where something is put aside or taken back."""

    def output_shape(self, input_shape: Shape) -> Shape:
        return tuple(input_shape)

    def forward(self, xp: Namespace, W: Array, x: Array) -> tuple[Array, Any]:
        return x, None

    def jvp(self, xp: Namespace, W: Array, memory: Any, dW: Array, dx: Array | None) -> tuple[Array | None, Array | None]:
        return dx, None

    def pull_back(self, xp: Namespace, W: Array, memory: Any, g: Array) -> Array:
        return g


@dataclass(frozen=True)
class Fork(_Place):
    """Where the ways part: x goes both."""

    place = "fork"


@dataclass(frozen=True)
class Switch(_Place):
    """The end of the first way, where the second begins."""

    place = "switch"


@dataclass(frozen=True)
class Join(_Place):
    """Where the ways meet: their outputs are added."""

    place = "join"


class Skips:
    """What is put aside while a pass is on one way of a skip connection.

    The recursions of a network go along its chain of layers and call this at the places of its skip connections: forward with
    inputs, or their tangents, and backward with covectors. Both are the same: at the end where a pass comes in its value goes
    both ways, at the other end what came is added.
    """

    def __init__(self, add: Callable[[Any, Any], Any] | None = None, level: Callable[[Any, Any], Any] | None = None) -> None:
        self._kept: list[Any] = []
        self._add = _sum if add is None else add
        self._level = level

    def forward(self, layer: Layer, x: Any) -> Any:
        """The value behind a place of the chain."""
        return self._at(layer.place, "fork", x)

    def backward(self, layer: Layer, g: Any) -> Any:
        """The value before a place of the chain."""
        return self._at(layer.place, "join", g)

    def _at(self, place: str | None, start: str, value: Any) -> Any:
        if place is None:
            return value
        if place == start:
            self._kept.append(value)
            return value
        kept = self._kept.pop()
        if place == "switch":
            self._kept.append(value)
            return kept if self._level is None else self._level(kept, value)
        return self._add(value, kept)


def _sum(value: Any, kept: Any) -> Any:
    """value + kept, where None is 0: what does not move."""
    return kept if value is None else value if kept is None else value + kept
