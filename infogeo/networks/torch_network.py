"""Any PyTorch module as the network of a model."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays.draws import Draws
from ..backend import Array, backend_of, coerced
from ..errors import ShapeError, from_extra, require, require_count
from .activations import Identity
from .affine import Affine
from .initial import Initial
from .interface import Network, shape_of_inputs
from .layer import Shape

if TYPE_CHECKING:
    from .torch.nodes import CurvedPass

__all__ = ["ExactBlocks", "TorchNetwork"]


@dataclass(frozen=True)
class ExactBlocks:
    """Exact blocks of the Fisher metric for parameters that no Kronecker product is known for, of `size` numbers at most.

    With ``ExactBlocks(1)`` it is their diagonal. A block takes size² numbers, and as many blocks as there are take their turns.

    Parameters
    ----------
    size : int

    Examples
    --------
    >>> exact = ig.networks.ExactBlocks(256)
    >>> norm = torch.nn.LayerNorm(4)                          # doctest: +SKIP
    >>> ig.networks.TorchNetwork(norm, (4,), others=exact)    # doctest: +SKIP
    """

    size: int = 1024

    def __post_init__(self) -> None:
        require_count("size", self.size)


class TorchNetwork(Network):
    """A `torch.nn.Module` as a map f(w, x) of a flat weight vector and a batch of inputs.

    Mathematically, w holds the parameters of the module that require a gradient, those of a layer together: of a layer
    s = ā W the matrix W (inputs + 1, outputs) row by row, so that A ⊗ G is its Kronecker-factored curvature as for the
    library's own layers. The parameters that the module sees are views of w.

    What is seen, whatever code the module is made of: `Linear`, `Conv1d`, `Conv2d`, `Conv3d`, `Embedding` and products with a
    matrix, of which weights that are used at several positions, or several times, have several rows a sample; `LSTM`, `GRU`,
    `RNN`, their cells and `MultiheadAttention` as the products that they are made of; normalisations, `PReLU`, and parameters
    that are added, multiplied or expanded, in exact blocks. For parameters of other functions gradients, their products and
    those of every sample are exact, too; curvatures of layers need `others` for them.

    Parameters
    ----------
    module : torch.nn.Module
        Takes (n, *input_shape) and gives (n, outputs). It is taken in eval mode, and is not changed; `assign` writes into it.
        Parameters that do not require a gradient, and buffers, are those that it has at the time. Half precision is float32
        inside.
    input_shape : tuple of int
        The shape of one input; for tokens that of their numbers.
    elementwise : ExactBlocks
        Of what enters elementwise.
    others : ExactBlocks, optional
        Of parameters of functions that are none of these. Without it a curvature that needs their blocks is an error.

    Shapes: weights w (size,), inputs x (n, *input_shape), outputs (n, outputs), all tensors of one device.

    Raises
    ------
    ImportError
        Without PyTorch.
    TypeError, ValueError, ShapeError
        For a module that is none, has nothing to train, gives other outputs, or normalises by the samples of a batch.

    Source: for weights at several positions Eschenhagen, Immer, Turner, Schneider & Hennig, Kronecker-factored approximate
    curvature for modern neural network architectures (2023).

    Examples
    --------
    >>> import infogeo as ig, torch                                                     # doctest: +SKIP
    >>> module = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))     # doctest: +SKIP
    >>> model = ig.networks.ConditionalModel(ig.networks.TorchNetwork(module, (4,)), ig.Categorical(3)) # doctest: +SKIP
    >>> w = model.network.weights()                                                     # doctest: +SKIP
    """

    def __init__(self, module: Any, input_shape: Iterable[int], *, elementwise: ExactBlocks = ExactBlocks(),
                 others: ExactBlocks | None = None) -> None:
        skeleton = _skeleton()
        for name, blocks in (("elementwise", elementwise), ("others", others)):
            if not isinstance(blocks, ExactBlocks) and (name, blocks) != ("others", None):
                raise TypeError(f"TorchNetwork takes ExactBlocks as its argument {name}; got {blocks!r}")
        self.input_shape, self.elementwise, self.others = shape_of_inputs(input_shape), elementwise, others
        self.skeleton = skeleton(module, self.input_shape, elementwise.size, 1 if others is None else others.size)
        self.module = self.skeleton.module
        groups = self.skeleton.groups
        self.output_shape, self.size = self.skeleton.output_shape, self.skeleton.size
        self.steps: Sequence[Affine] = tuple(layer for group in groups for layer in group.layers)
        self.layers = self.steps if self.skeleton.ends_in_layer else (*self.steps, Identity())
        self.slices = [s for group in groups for s in group.slices]

    def __repr__(self) -> str:
        return f"TorchNetwork({type(self.module).__name__} of {self.size} weights, {self.input_shape})"

    @property
    def shapes(self) -> Sequence[Shape]:
        return [self.input_shape, (self.skeleton.widest,)]

    # Weights

    def weights(self) -> Array:
        """The weights of the module as they are now, a tensor of shape (size,) of its own, float32 at least."""
        held = dict(self.module.named_parameters())
        return self.flattened({name: held[name].detach() for name in self.skeleton.parameters})

    def assign(self, w: Array) -> None:
        """Write weights (size,) into the module."""
        held, views = dict(self.module.named_parameters()), self.skeleton.views(self._weights(w).detach())
        for name, view in views.items():
            held[name].data.copy_(view)

    def parameters(self, w: Array) -> dict[str, Any]:
        """The parameters in weights of shape (..., size) by their names, shapes (..., *shape)."""
        views: dict[str, Any] = self.skeleton.views(w)
        return views

    def flattened(self, parameters: dict[str, Any]) -> Array:
        """The vector of parameters (..., *shape) by their names, such as gradients; shape (..., size)."""
        found: Array = self.skeleton.gathered(parameters, next(v for v in parameters.values() if v is not None))
        return found

    def init(self, rng: np.random.Generator, initial: Initial | Sequence[Initial], *, shape: Shape = (),
             dtype: Any = None) -> Array:
        """Random weights, shape (*shape, size), biases 0; what is not a layer s = ā W keeps the values of the module.

        Parameters
        ----------
        initial : Initial, or sequence of one for each layer s = ā W
        dtype : optional
            That of the module where it is not given.
        """
        w = self.weights()
        w = w if dtype is None else w.to(self._dtype(dtype))
        w = w.expand(*shape, self.size).clone()
        draws = Draws(rng, backend_of(w), w.dtype)
        affine = [(layer, s) for group in self.skeleton.groups if group.kind == "affine"
                  for layer, s in zip(group.layers, group.slices)]
        laws = [initial] * len(affine) if isinstance(initial, Initial) else list(initial)
        require("initial", f"{len(affine)} laws, one a layer with weights", len(laws) == len(affine), len(laws))
        for (layer, s), law in zip(affine, laws):
            split = layer.inputs * layer.weight_shape[1]
            drawn = law.draw(draws, (*shape, layer.inputs, layer.weight_shape[1]), *layer.fans)
            w[..., s.start:s.start + split] = drawn.reshape(*shape, split)
            w[..., s.start + split:s.stop] = 0.0
        return w

    def _dtype(self, dtype: Any) -> Any:
        return getattr(backend_of(self.weights()), dtype) if isinstance(dtype, str) else dtype

    # Passes

    def forward(self, w: Array, x: Array) -> Array:
        w, x = self._arguments(w, x)
        if w.ndim > 1:
            rows = w.reshape(-1, self.size)
            shared = x.ndim == len(self.input_shape) + 1
            xs = x.expand(*w.shape[:-1], *(x.shape if shared else x.shape[w.ndim - 1:])).flatten(0, w.ndim - 2)
            found = [self.forward(row, part) for row, part in zip(rows, xs)]
            return backend_of(w).stack(found).reshape(*w.shape[:-1], *found[0].shape)
        k = x.ndim - len(self.input_shape) - 1
        u = self.skeleton.output(w, x.reshape(-1, *self.input_shape) if k else x)
        return u.reshape(*x.shape[:k + 1], *self.output_shape) if k else u

    def record(self, w: Array, x: Array) -> CurvedPass:
        from .torch.nodes import CurvedPass
        w, x = self._arguments(w, x)
        if w.ndim != 1 or x.ndim != len(self.input_shape) + 1:
            raise ShapeError(f"a TorchNetwork has derivatives at one weight vector and one batch of inputs; got w of shape "
                             f"{tuple(w.shape)} and x of shape {tuple(x.shape)}")
        return CurvedPass(self, backend_of(w), w, x)

    def blocks_of_samples(self, w: Array, x: Array) -> list[slice]:
        return [slice(0, x.shape[x.ndim - len(self.input_shape) - 1])]

    def require_known(self) -> None:
        """Nothing, if every parameter has a block. Raises ValueError, naming the module and the parameter."""
        if self.others is not None:
            return
        for group in self.skeleton.groups:
            if group.kind == "unknown":
                name = group.slots[0].name
                owner, _, own = name.rpartition(".")
                part = self.module.get_submodule(owner)
                where = f"the {type(part).__name__} {owner!r}" if owner else f"the module {type(part).__name__}"
                raise ValueError(f"the parameter {own} of {where} enters {group.function}, for which no Kronecker factors are "
                                 "known: TorchNetwork(…, others=ExactBlocks(size)) gives it exact blocks, ExactBlocks(1) its "
                                 "diagonal; requires_grad_(False) leaves it as it is. Gradients and products with the Fisher "
                                 "metric and the Hessian need neither")

    def _weights(self, w: Array) -> Array:
        if type(w).__module__.partition(".")[0] != "torch":
            raise TypeError(f"a TorchNetwork takes PyTorch tensors; got {type(w).__name__} as w: network.weights() gives the "
                            "weights of its module, torch.as_tensor(…) makes a tensor")
        if w.ndim == 0 or w.shape[-1] != self.size:
            raise ShapeError(f"w must have shape (..., {self.size}); got {tuple(w.shape)}")
        if w.dtype.itemsize < 4:
            raise TypeError(f"w must be of float32 or float64, also where the module is in half precision; got {w.dtype}: "
                            "network.weights() gives such weights, and network.assign(w) rounds them")
        return w

    def _arguments(self, w: Array, x: Array) -> tuple[Array, Array]:
        xp, w, x = coerced(self._weights(w), x)
        self.require_inputs(x)
        from .torch.taken import require_unfollowed
        require_unfollowed(w, x)
        dtype = xp.result_type(w, x)
        return w.to(dtype), x.to(dtype)


def _skeleton() -> Any:
    with from_extra("TorchNetwork needs PyTorch", "torch"):
        from .torch.skeleton import Skeleton
    return Skeleton
