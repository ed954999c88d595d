"""The usual networks: perceptrons of several layers, convolutions with pooling."""
from collections.abc import Iterable
from typing import Any

from ..errors import ShapeError
from .activations import Activation, Relu, Tanh
from .affine import Convolution2D, Dense
from .layer import Shape
from .linear import Flatten
from .network import Sequential
from .pool import AveragePool, MaxPool

__all__ = ["ConvNet", "MLP"]


class MLP(Sequential):
    """A multilayer perceptron: dense layers with an activation between them and none after the last.

    Parameters
    ----------
    sizes : sequence of int
        Inputs, widths of the hidden layers, outputs.
    activation : Activation
    bias : bool

    Examples
    --------
    >>> network = ig.networks.MLP((4, 8, 3))
    >>> network.size, network.init(np.random.default_rng(0), ig.networks.Glorot()).shape
    (67, (67,))
    """

    def __init__(self, sizes: Iterable[int], activation: Activation = Tanh(), bias: bool = True) -> None:
        self.sizes = tuple(sizes)
        if len(self.sizes) < 2:
            raise ShapeError(f"sizes must name at least inputs and outputs; got {self.sizes}")
        _require_activation(activation)
        layers = [part for m, n in zip(self.sizes, self.sizes[1:]) for part in (Dense(m, n, bias), activation)][:-1]
        super().__init__(layers, self.sizes[:1])


class ConvNet(Sequential):
    """Convolutions, each followed by an activation and a pooling layer, and one dense layer.

    Parameters
    ----------
    input_shape : (height, width, channels)
    filters : sequence of int
        The outputs of each convolution.
    n_outputs : int
    kernel, stride, padding : int or pair of int
        Of every convolution.
    pool : int or pair of int
        Of every pooling layer; 1 for none.
    pooling : type
        `MaxPool` or `AveragePool`.
    activation : Activation

    Examples
    --------
    >>> network = ig.networks.ConvNet((28, 28, 1), (8, 16), 9)
    >>> network.size     # 80 + 1168 + 9 (7 · 7 · 16 + 1)
    8313
    >>> w = network.init(np.random.default_rng(0), ig.networks.He())
    >>> network.forward(w, np.zeros((2, 28, 28, 1))).shape
    (2, 9)
    """

    def __init__(self, input_shape: Shape, filters: Iterable[int], n_outputs: int, *, kernel: Any = 3, stride: Any = 1,
                 padding: Any = 1, pool: Any = 2, pooling: type[MaxPool] | type[AveragePool] = MaxPool,
                 activation: Activation = Relu()) -> None:
        _require_activation(activation)
        if pooling not in (MaxPool, AveragePool):
            raise TypeError(f"pooling must be MaxPool or AveragePool; got {pooling!r}")
        layers, shape = [], tuple(input_shape)
        if len(shape) != 3:
            raise ShapeError(f"input_shape must be (height, width, channels); got {input_shape!r}")
        for n in filters:
            part = [Convolution2D(shape[-1], n, kernel, stride, padding), activation]
            part += [] if pool == 1 else [pooling(pool)]
            for layer in part:
                shape = layer.output_shape(shape)
            layers += part
        flat = Flatten(len(shape))
        super().__init__([*layers, flat, Dense(flat.output_shape(shape)[0], n_outputs)], input_shape)


def _require_activation(activation: Activation) -> None:
    if not isinstance(activation, Activation):
        raise TypeError(f"activation must be an activation, such as Tanh(); got {activation!r}")
