"""Curved nodes of a PyTorch module: what curvature propagation goes through."""
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch

from ...backend import Array
from ...errors import ShapeError
from ..affine import Affine
from .calls import CONVOLUTIONS, Recorder
from .graph import own_functions
from .passes import TorchPass

__all__ = ["CurvedPass", "CurvedRecorder"]

# Functions of one array, entry by entry
CURVES = {"celu", "cos", "elu", "erf", "exp", "expm1", "gelu", "log", "log1p", "logsigmoid", "mish", "pow", "reciprocal", "rsqrt",
          "selu", "sigmoid", "silu", "sin", "softplus", "softsign", "sqrt", "square", "tanh", "tanhshrink", "logaddexp"}
# Functions without curvature, almost everywhere
STRAIGHT = {"abs", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "add", "avg_pool1d", "avg_pool2d",
            "avg_pool3d", "batch_norm", "broadcast_to", "cat", "chunk", "clamp", "clone", "concat", "contiguous", "dropout",
            "embedding", "expand", "flatten", "flip", "float", "double", "hardtanh", "index_select", "interpolate",
            "leaky_relu", "linear", "masked_fill", "max_pool1d", "max_pool2d", "max_pool3d", "mean", "movedim", "narrow", "neg",
            "pad", "permute", "prelu", "relu", "relu6", "repeat", "reshape", "roll", "select", "split", "squeeze", "stack",
            "sub", "sum", "to", "transpose", "unbind", "unflatten", "unfold", "unsqueeze", "view", "view_as", "where",
            "swapaxes", "swapdims", "t", "boolean_dispatch", "fn", "max_pool2d_with_indices", "threshold", "channel_shuffle",
            "pixel_shuffle", *CONVOLUTIONS}
PRODUCTS = {"mul", "div", "matmul", "true_divide"}      # with what no weights enter, or with the parameter of a call
OPERATORS = {"iadd": "add", "radd": "add", "imul": "mul", "rmul": "mul", "isub": "sub", "rsub": "sub", "truediv": "div",
             "getitem": "select"}
QUIET = {"size", "dim", "numel", "__get__", "__set__", "detach", "stride", "type", "is_floating_point", "__bool__", "item"}


class Node(NamedTuple):
    """A curved function z ↦ y, entry by entry, or a product y = z z′ of two arrays that weights enter."""

    inputs: tuple[Any, ...]
    y: Any
    curve: Callable[[Array], Array] | None


class CurvedRecorder(Recorder):
    """A `Recorder` that also sees the functions of a module that are curved.

    Attributes
    ----------
    nodes : list of Node
    unknown : list of str
        Functions that no curvature is known of.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.nodes: list[Node] = []
        self.unknown: list[str] = []

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (),
                           kwargs: dict[str, Any] | None = None) -> Any:
        kwargs = kwargs or {}
        y = super().__torch_function__(func, types, args, kwargs)
        given = getattr(func, "__name__", "")
        name = given.strip("_")
        name = OPERATORS.get(name, name)
        if given in QUIET or not _moves(y) or name in STRAIGHT:
            return y
        moving = [x for x in args if _moves(x)]
        if name in PRODUCTS and (len(moving) < 2 or self._has_parameter(moving)):
            if name in ("div", "true_divide") and _moves(args[1]):
                self.unknown.append(given)
            return y
        in_place = given.endswith("_") and not given.endswith("__") or given.startswith("__i")
        if in_place:
            self.unknown.append(given)
        elif name in CURVES and len(moving) == 1 and moving[0] is args[0] and moving[0].shape == y.shape:
            self.nodes.append(Node((args[0],), y, lambda z: func(z, *args[1:], **kwargs)))
        elif name == "mul" and args[0].shape == args[1].shape and args[0] is not args[1]:
            self.nodes.append(Node(tuple(args[:2]), y, None))
        else:
            self.unknown.append(given)
        return y

    def _has_parameter(self, moving: list[Any]) -> bool:
        return any(self.name(x) is not None or self.name_of_flipped(x) is not None for x in moving)


def _moves(x: Any) -> bool:
    """Whether weights enter a tensor, or the first of several."""
    x = x[0] if isinstance(x, (tuple, list)) and len(x) else x
    return isinstance(x, torch.Tensor) and x.requires_grad


class CurvedPass(TorchPass):
    """A `TorchPass` that curvature is propagated through."""

    def propagated(self, sweep: Any) -> Iterator[tuple[Affine, Array, list[Array]]]:
        """(layer, rows, vectors) of every layer, for the vectors of a sweep at the output.

        Mathematically, Y v and Z v of every curved node are added to what comes from above, once for all, as the recursion is
        linear: one backward pass from all nodes together, or one from each where noise is kept apart.

        Shapes: rows (n, L, inputs), vectors (m, n, L, outputs).

        Raises
        ------
        TypeError
            For a function that is curved and no curve of one array, or a product, entry by entry, and for weights that enter
            the inputs of their own layer.
        """
        self.network.require_known()
        done = TorchPass(self.network, self.xp, self.w, self.x, CurvedRecorder)
        seen: Any = done.seen
        _require_curves(done, seen)
        sources = [([done.u], [[v] for v in sweep.vectors])]
        at_nodes = done.backward([node.y for node in seen.nodes], sweep.g[None]) if seen.nodes else []
        for node, g in reversed(list(zip(seen.nodes, at_nodes))):
            if g is not None:
                sources.append((list(node.inputs), _noise(sweep, node, g[0], done.output.shape[0])))
        parts = [list(done.at_layers(at_calls[0].shape[0], at_calls, {})) for at_calls in _at_calls(done, sweep, sources)]
        for of_layer in zip(*parts):
            layer, _, rows, _ = of_layer[0]
            yield layer, rows, [part[3] for part in of_layer]


def _at_calls(done: TorchPass, sweep: Any, sources: list[Any]) -> list[list[Array]]:
    """The vectors T and U at what the calls give, from those at their sources."""
    count, xp = len(sources[0][1]), sweep.xp
    one = xp.zeros((1, 1), dtype=sweep.g.dtype)
    if sweep.noise.join(xp, one, one).shape[0] == 1:                    # noise is added to noise
        outputs = [t for tensors, _ in sources for t in tensors]
        return [_back(done, outputs, [v for _, vectors in sources for v in vectors[k]]) for k in range(count)]
    found = [[_back(done, tensors, vectors[k]) for tensors, vectors in sources] for k in range(count)]
    return [[_together(sweep, parts) for parts in zip(*of_vector)] for of_vector in found]


def _back(done: TorchPass, outputs: list[Any], vectors: list[Array]) -> list[Array]:
    """`at_calls` of vectors that may be complex."""
    if not any(v.is_complex() for v in vectors):
        return done.at_calls(outputs, vectors)
    real = done.at_calls(outputs, [v.real if v.is_complex() else v for v in vectors])
    imaginary = done.at_calls(outputs, [v.imag if v.is_complex() else torch.zeros_like(v) for v in vectors])
    return [torch.complex(a, b) for a, b in zip(real, imaginary)]


def _together(sweep: Any, parts: tuple[Array, ...]) -> Array:
    whole = parts[0]
    for part in parts[1:]:
        whole = sweep.noise.join(sweep.xp, whole, part)
    return whole


def _noise(sweep: Any, node: Node, g: Array, n: int) -> list[list[Array]]:
    """Y v and Z v at the inputs of a node, [[of each input] for Y and Z], shapes (m, *shape)."""
    shape = node.y.shape
    if shape[0] % n:
        raise ShapeError(f"curvature propagation needs the samples on the first axis of every function; got shape {tuple(shape)}")
    entries = (n, shape[0] // n, *shape[1:])                            # the positions of a sample are entries of its own
    start = sweep.start + (sweep.start < 0) * len(entries)
    if node.curve is not None:
        m = g * _second(node.curve, node.inputs[0].detach())
        v = sweep.noise.white(sweep.xp, entries, start, g.dtype)
        v = v.expand(v.shape[0], *entries).reshape(v.shape[0], *shape)
        return [[factor * v] for factor in sweep.split.factors(sweep.xp, m)]
    # g (z z′): half of (z + z′)² and of −(z − z′)² each, with noise of its own
    found = []
    for sign in (1.0, -1.0):
        v = sweep.noise.white(sweep.xp, entries, start, g.dtype)
        v = v.expand(v.shape[0], *entries).reshape(v.shape[0], *shape)
        found.append([[factor * v, sign * factor * v] for factor in sweep.split.factors(sweep.xp, 0.5 * sign * g)])
    return [[sweep.noise.join(sweep.xp, a, b) for a, b in zip(*pair)] for pair in zip(*found)]


def _second(curve: Callable[[Array], Array], z: Array) -> Array:
    """The second derivative of a function of one array, entry by entry."""
    with torch.enable_grad():
        z = z.clone().requires_grad_()
        first, = torch.autograd.grad(curve(z).sum(), z, create_graph=True)
        if not first.requires_grad:
            return torch.zeros_like(z)
        return torch.autograd.grad(first.sum(), z)[0]


def _require_curves(done: TorchPass, seen: Any) -> None:
    unknown = seen.unknown + own_functions(done.u)
    if unknown:
        raise TypeError(f"curvature propagation has no factorisation of {unknown[0]}, which {done.network!r} is made of; "
                        "hessian(…).diagonal() is exact by products, gauss_newton_diagonal needs no node but the output")
    for group in done.network.skeleton.groups:
        entered = [seen.calls[i].a for i in group.calls if seen.calls[i].a.requires_grad]
        if len(group.calls) > 1 and entered:
            own = [done.leaves[slot.name] for slot in group.slots]
            found = [torch.autograd.grad(a.sum(), own, retain_graph=True, allow_unused=True) for a in entered]
            if any(g is not None for grads in found for g in grads):
                raise TypeError("curvature propagation needs weights that do not enter the inputs of their own layer, as those "
                                f"of {group.slots[0].name} do; hessian(…).diagonal() is exact by products")
