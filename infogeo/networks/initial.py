"""Initial weights, from a random generator."""
from abc import ABC, abstractmethod
from dataclasses import dataclass

from ..arrays.draws import Draws
from ..backend import Array

__all__ = ["Glorot", "He", "Initial", "Orthogonal", "Sparse"]


class Initial(ABC):
    """A law of the weights of a layer. Biases start at 0.

    Examples
    --------
    >>> class Constant(ig.networks.Initial):
    ...     def draw(self, draws, shape, fan_in, fan_out):
    ...         return draws.xp.full(shape, 1.0 / fan_in)
    >>> ig.networks.MLP((4, 2)).init(np.random.default_rng(0), Constant())
    array([0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.  , 0.  ])
    """

    @abstractmethod
    def draw(self, draws: Draws, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Array:
        """Weights of shape (..., inputs, outputs)."""


@dataclass(frozen=True)
class Glorot(Initial):
    """Uniform on ±√(6 / (inputs + outputs)).

    Source: Glorot & Bengio, Understanding the difficulty of training deep feedforward neural networks (2010).

    Examples
    --------
    >>> network = ig.networks.MLP((100, 50))
    >>> w = network.init(np.random.default_rng(0), ig.networks.Glorot())
    >>> float(abs(w).max().round(2))                # √(6 / 150)
    0.2
    """

    def draw(self, draws: Draws, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Array:
        return (2.0 * draws.uniform(shape) - 1.0) * (6.0 / (fan_in + fan_out)) ** 0.5


@dataclass(frozen=True)
class He(Initial):
    """Normal with variance 2 / inputs.

    Source: He, Zhang, Ren & Sun, Delving deep into rectifiers (2015).

    Examples
    --------
    >>> network = ig.networks.MLP((200, 100), bias=False)
    >>> w = network.init(np.random.default_rng(0), ig.networks.He())
    >>> round(float(w.std()), 2)                    # √(2 / 200)
    0.1
    """

    def draw(self, draws: Draws, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Array:
        return draws.normal(shape) * (2.0 / fan_in) ** 0.5


@dataclass(frozen=True)
class Orthogonal(Initial):
    """`gain` times a uniformly drawn matrix with orthonormal rows, or columns where outputs are fewer than inputs.

    Source: Saxe, McClelland & Ganguli, Exact solutions to the nonlinear dynamics of learning in deep linear networks (2014).

    Examples
    --------
    >>> network = ig.networks.MLP((3, 3), bias=False)
    >>> w = network.init(np.random.default_rng(0), ig.networks.Orthogonal(2.0))
    >>> W = w.reshape(3, 3)
    >>> bool(np.allclose(W.T @ W, 4 * np.eye(3)))
    True
    """

    gain: float = 1.0

    def draw(self, draws: Draws, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Array:
        xp = draws.xp
        tall = shape[-2] >= shape[-1]
        normal = draws.normal(shape if tall else (*shape[:-2], shape[-1], shape[-2]))
        q, r = xp.linalg.qr(normal)
        # the signs of R make the law uniform: the QR of a library has its own
        q = self.gain * q * xp.sign(xp.linalg.diagonal(r))[..., None, :]
        return q if tall else xp.matrix_transpose(q)


@dataclass(frozen=True)
class Sparse(Initial):
    """Standard normal on `connections` inputs of each output, drawn without replacement, 0 on the others.

    Source: Martens, Deep learning via Hessian-free optimization (2010), section 5.

    Examples
    --------
    >>> network = ig.networks.MLP((10, 4), bias=False)
    >>> w = network.init(np.random.default_rng(0), ig.networks.Sparse(3))
    >>> (w.reshape(10, 4) != 0).sum(axis=0)         # inputs of each output
    array([3, 3, 3, 3])
    """

    connections: int = 15

    def draw(self, draws: Draws, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Array:
        xp = draws.xp
        order = xp.argsort(draws.uniform(shape), axis=-2)
        rank = xp.argsort(order, axis=-2)                     # the place of each input in a random order of the inputs
        weights = draws.normal(shape)
        return xp.where(rank < self.connections, weights, xp.zeros_like(weights))
