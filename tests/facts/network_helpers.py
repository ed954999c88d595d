"""What the tests of networks share: small networks of every layer, and slow independent references."""
import numpy as np

from infogeo.networks.activations import Identity, Logistic, Relu, Softplus, Tanh
from infogeo.networks.affine import Convolution2D, Dense
from infogeo.networks.initial import Glorot
from infogeo.networks.linear import Flatten
from infogeo.networks.network import Sequential
from infogeo.networks.pool import AveragePool, MaxPool
from infogeo.networks.residual import Residual
from infogeo.networks.usual import MLP, ConvNet

NETWORKS = {
    "linear": MLP((3, 2)),
    "tanh": MLP((3, 5, 4, 2), Tanh()),
    "without bias": MLP((3, 5, 2), Tanh(), bias=False),
    "logistic": MLP((3, 5, 2), Logistic()),
    "softplus": MLP((3, 5, 4, 2), Softplus()),
    "relu": MLP((3, 6, 5, 2), Relu()),
    "identity": MLP((3, 4, 2), Identity()),
    "activation first and last": Sequential([Tanh(), Dense(3, 4), Softplus(), Dense(4, 2), Tanh()], (3,)),
    "convolution": Sequential([Convolution2D(2, 3, 2), Tanh(), Flatten(), Dense(27, 2)], (4, 4, 2)),
    "strides and padding": Sequential([Convolution2D(2, 3, (3, 2), (2, 1), (1, 2)), Tanh(), Convolution2D(3, 2, 2, bias=False),
                                       Flatten(), Dense(32, 2)], (5, 6, 2)),
    "average pooling": ConvNet((6, 5, 2), (2, 3), 2, pooling=AveragePool, activation=Softplus()),
    "max pooling": ConvNet((6, 6, 1), (3,), 2, activation=Tanh()),
    "overlapping pools": Sequential([Convolution2D(1, 2), MaxPool(2, 1), AveragePool(2, 1), Tanh(), Flatten(), Dense(8, 2)],
                                    (6, 6, 1)),
    "residual": Sequential([Residual([Dense(3, 4), Tanh(), Dense(4, 3)]), Tanh(), Residual([Residual([Dense(3, 3), Tanh()])]),
                            Dense(3, 2)], (3,)),
    "residual with shortcut": Sequential([Dense(3, 4), Residual([Tanh(), Dense(4, 3), Tanh(), Dense(3, 2)],
                                                                [Softplus(), Dense(4, 2, bias=False)]), Softplus()], (3,)),
    "residual convolution": Sequential([
        Residual([Convolution2D(1, 2, padding=1), Tanh(), Convolution2D(2, 2, 2, 2)], [Convolution2D(1, 2, 1, 2)]),
        Residual([Tanh(), Convolution2D(2, 2, padding=1)]), Flatten(), Dense(8, 2)], (4, 4, 1)),
    "images out": Sequential([Convolution2D(2, 3, padding=1), Tanh(), Convolution2D(3, 2, 3, 2)], (5, 5, 2)),
}
# analytic on complex numbers, too
SMOOTH = ["linear", "tanh", "without bias", "identity", "convolution", "strides and padding", "images out", "residual",
          "residual convolution"]
N = 4


def problem(name, seed=0, n=N):
    """(network, w, x, dw, g) with random entries, biases included."""
    network, rng = NETWORKS[name], np.random.default_rng(seed)
    w = network.init(rng, Glorot()) + 0.2 * rng.standard_normal(network.size)
    return (network, w, rng.standard_normal((n, *network.input_shape)), rng.standard_normal(network.size),
            rng.standard_normal((n, *network.output_shape)))


def naive(network, w, x):
    """The output by loops over samples, positions and windows, written from the definitions."""
    return _naive(network.layers, iter(w), x)


def _naive(layers, numbers, x):
    """The output of layers that take their weights from an iterator of numbers."""
    for layer in layers:
        if isinstance(layer, Residual):
            inner = _naive(layer.layers, numbers, x)
            x = inner + _naive(layer.shortcut, numbers, x)
            continue
        if layer.weight_shape:
            W = np.array([[next(numbers) for _ in range(layer.weight_shape[1])] for _ in range(layer.weight_shape[0])])
        if isinstance(layer, Dense):
            x = np.stack([np.append(a, 1.0)[:len(W)] @ W for a in x])
        elif isinstance(layer, Convolution2D):
            x = np.stack([_convolved(layer, W, image) for image in x])
        elif isinstance(layer, (MaxPool, AveragePool)):
            x = np.stack([_pooled(layer, image) for image in x])
        elif isinstance(layer, Flatten):
            x = x.reshape(len(x), -1)
        else:
            x = {Tanh: np.tanh, Logistic: lambda s: 1 / (1 + np.exp(-s)), Relu: lambda s: np.where(s > 0, s, 0.0),
                 Softplus: lambda s: np.log(1 + np.exp(s)), Identity: lambda s: s}[type(layer)](x)
    return x


def _windows(image, kernel, stride):
    (k, m), (i, j) = kernel, stride
    for r in range(0, image.shape[0] - k + 1, i):
        yield [image[r:r + k, c:c + m] for c in range(0, image.shape[1] - m + 1, j)]


def _convolved(layer, W, image):
    (p, q), c = layer.padding, layer.channels
    padded = np.pad(image, ((p, p), (q, q), (0, 0)))
    filters = W[:layer.kernel[0] * layer.kernel[1] * c].reshape(*layer.kernel, c, -1)
    bias = W[-1] if layer.bias else 0.0
    return np.array([[np.einsum("ijc,ijco->o", patch, filters) + bias for patch in row]
                     for row in _windows(padded, layer.kernel, layer.stride)])


def _pooled(layer, image):
    f = np.max if isinstance(layer, MaxPool) else np.mean
    return np.array([[f(patch, axis=(0, 1)) for patch in row] for row in _windows(image, layer.kernel, layer.stride)])


def central(f, x, direction, h=1e-6):
    """The derivative of f at x along a direction, by central differences."""
    return (f(x + h * direction) - f(x - h * direction)) / (2 * h)
