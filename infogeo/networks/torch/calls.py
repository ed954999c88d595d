"""The places of a PyTorch module where its parameters enter: seen as it runs, whatever code it is made of."""
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode

from ...backend import Array
from .unrolled import attention

__all__ = ["Call", "Recorder", "CONVOLUTIONS", "NORMS", "SCALES", "SHIFTS"]

CONVOLUTIONS = {"conv1d": 1, "conv2d": 2, "conv3d": 3}
NORMS = {"layer_norm", "batch_norm", "group_norm", "instance_norm", "rms_norm", "prelu"}        # prelu: of the negative part
SHIFTS, SCALES = {"add", "__add__", "__radd__", "expand"}, {"mul", "__mul__", "__rmul__"}


class Call(NamedTuple):
    """A function of a module that one or two of its parameters are arguments of.

    Attributes
    ----------
    kind : str
        The name of the function.
    weight, bias : str or None
        The names of the parameters.
    a, y : tensors
        The input, or of what scales its factor, and the output.
    arguments : dict
        Further arguments of a convolution.
    """

    kind: str
    weight: str | None
    bias: str | None
    a: Any
    y: Any
    arguments: dict[str, Any]
    versions: tuple[int, int]

    @property
    def changed(self) -> bool:
        """Whether the input or the output was changed in place since then."""
        return self.versions != (_version(self.a), _version(self.y))


def _version(x: Any) -> int:
    return getattr(x, "_version", 0)


class Recorder(TorchFunctionMode):                          # type: ignore[misc]
    """While it is active, the calls of a module are seen, and done in a form that has derivatives of every order.

    Parameters
    ----------
    parameters : dict of str to tensor
        Those that a module is called with.
    copied : set of int
        Calls, by their number, whose input or output is changed in place later on.

    Attributes
    ----------
    calls : list of Call
    others : dict of str to str
        The functions, by the name of a parameter, that it enters in another way.
    flipped : dict of int to (str, tensor)
        The transposed matrices among the parameters, by their identity, with their names.
    """

    def __init__(self, parameters: dict[str, Any], copied: frozenset[int] = frozenset()) -> None:
        super().__init__()
        self.names = {id(p): name for name, p in parameters.items()}
        self.calls: list[Call] = []
        self.others: dict[str, str] = {}
        self.flipped: dict[int, tuple[str, Any]] = {}
        self._copied = copied

    def name(self, x: Any) -> str | None:
        """Of a parameter; None for another tensor."""
        return None if x is None else self.names.get(id(x))

    def name_of_flipped(self, x: Any) -> str | None:
        """Of the parameter that it is the transposed matrix of; None for another tensor."""
        return self.flipped.get(id(x), (None,))[0]

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (),
                           kwargs: dict[str, Any] | None = None) -> Any:
        kwargs, name = kwargs or {}, getattr(func, "__name__", "")
        seen = _RULES.get(name)
        if seen is not None:
            return seen(self, func, *args, **kwargs)
        y = func(*args, **kwargs)
        if isinstance(y, (torch.Tensor, tuple, list)):
            self.note(name, y, [*args, *kwargs.values()])
        return y

    def note(self, function: str, y: Any, arguments: list[Any]) -> None:
        """What becomes of parameters as arguments of a function that is none of those with a rule."""
        found = y if isinstance(y, (tuple, list)) else (y,)
        if not any(isinstance(part, torch.Tensor) and part.requires_grad for part in found):
            return
        for x in arguments:
            for part in x if isinstance(x, (tuple, list)) else (x,):
                name = self.name(part)
                if name is not None and _is_flipped(y, part):
                    self.flipped[id(y)] = name, y
                elif name is not None or id(part) in self.flipped:
                    self.others[name or self.flipped[id(part)][0]] = function

    def saw(self, kind: str, weight: Any, bias: Any, a: Array, y: Array, **arguments: Any) -> Array:
        """The output of a call, once it is kept; a parameter by itself, or by its name."""
        weight, bias = (x if isinstance(x, str) else self.name(x) for x in (weight, bias))
        if isinstance(y, torch.Tensor) and torch._C._functorch.is_functorch_wrapped_tensor(y):
            self.others |= {name: "a transform of torch.func" for name in (weight, bias) if name is not None}
        elif y.requires_grad and (weight is not None or bias is not None):      # not what a torch.autograd.Function does inside
            changed = len(self.calls) in self._copied
            a = a.clone() if changed else a
            self.calls.append(Call(kind, weight, bias, a, y, arguments, (_version(a), _version(y))))
            return y.clone() if changed else y
        return y

    def linear(self, input: Array, weight: Array, bias: Array = None) -> Array:
        """The function of `torch.nn.functional`, seen."""
        return self.saw("linear", weight, bias, input, F.linear(input, weight, bias))


def _is_flipped(y: Any, p: Array) -> bool:
    """Whether y is the transposed matrix of p, a view."""
    return (isinstance(y, torch.Tensor) and p.ndim == 2 and y.shape == p.shape[::-1] and y.stride() == p.stride()[::-1]
            and y.data_ptr() == p.data_ptr())


def _linear(seen: Recorder, func: Any, input: Array, weight: Array, bias: Array = None) -> Array:
    return seen.linear(input, weight, bias)


def _convolution(seen: Recorder, func: Any, input: Array, weight: Array, bias: Array = None, stride: Any = 1, padding: Any = 0,
                 dilation: Any = 1, groups: int = 1) -> Array:
    y = func(input, weight, bias, stride, padding, dilation, groups)
    return seen.saw(func.__name__, weight, bias, input, y, stride=stride, padding=padding, dilation=dilation, groups=groups)


def _embedding(seen: Recorder, func: Any, input: Array, weight: Array, padding_idx: int | None = None,
               max_norm: float | None = None, norm_type: float = 2.0, scale_grad_by_freq: bool = False,
               sparse: bool = False) -> Array:
    if max_norm is not None or scale_grad_by_freq:
        raise ValueError("an embedding with max_norm changes its weights as it runs, and one with scale_grad_by_freq has no "
                         "gradient of a sample: neither is a map of inputs and weights")
    input = input.long()                # the library's inputs are floating
    return seen.saw("embedding", weight, None, input, func(input, weight, padding_idx), padding_idx=padding_idx)


def _embedding_bag(seen: Recorder, func: Any, input: Array, weight: Array, offsets: Any = None, max_norm: float | None = None,
                   norm_type: float = 2.0, scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False,
                   per_sample_weights: Any = None, include_last_offset: bool = False, padding_idx: int | None = None) -> Array:
    """As an embedding of which there is a mean or sum: that of PyTorch has no second derivatives."""
    if mode not in ("mean", "sum") or any(t is not None for t in (offsets, per_sample_weights, padding_idx)):
        raise ValueError("an embedding bag is taken with mode \"mean\" or \"sum\", of tokens of shape (n, tokens) alone")
    found = _embedding(seen, F.embedding, input, weight, None, max_norm, norm_type, scale_grad_by_freq)
    return found.mean(dim=1) if mode == "mean" else found.sum(dim=1)


def _norm(bare: Callable[..., Array]) -> Callable[..., Array]:
    """The rule of a normalisation, from the same without parameters, of the arguments that it has."""
    def rule(seen: Recorder, func: Any, *args: Any, **kwargs: Any) -> Array:
        y = func(*args, **kwargs)
        weight, bias, a = bare(*args, **kwargs)
        if seen.name(weight) is None and seen.name(bias) is None:
            return y
        return seen.saw(func.__name__, weight, bias, a(), y)
    return rule


def _layer_norm(input: Array, shape: Any, weight: Array = None, bias: Array = None, eps: float = 1e-5) -> Any:
    return weight, bias, lambda: F.layer_norm(input, shape, None, None, eps)


def _rms_norm(input: Array, shape: Any, weight: Array = None, eps: float | None = None) -> Any:
    return weight, None, lambda: F.rms_norm(input, shape, None, eps)


def _group_norm(input: Array, groups: int, weight: Array = None, bias: Array = None, eps: float = 1e-5) -> Any:
    return weight, bias, lambda: F.group_norm(input, groups, None, None, eps)


def _batch_norm(input: Array, running_mean: Array, running_var: Array, weight: Array = None, bias: Array = None,
                training: bool = False, momentum: float = 0.1, eps: float = 1e-5) -> Any:
    if training:
        raise ValueError("batch normalisation by the statistics of the batch has no gradient of a sample: give it running "
                         "statistics (track_running_stats=True), which a module in eval mode uses")
    return weight, bias, lambda: F.batch_norm(input, running_mean, running_var, None, None, False, momentum, eps)


def _instance_norm(seen: Recorder, func: Any, input: Array, running_mean: Array = None, running_var: Array = None,
                   weight: Array = None, bias: Array = None, use_input_stats: bool = True, momentum: float = 0.1,
                   eps: float = 1e-5) -> Array:
    """By its formula: that of PyTorch goes through a reshape of the batch, which has no derivatives in several directions."""
    if use_input_stats:
        running_var, running_mean = torch.var_mean(input, dim=tuple(range(2, input.ndim)), correction=0, keepdim=True)
    else:
        running_var, running_mean = (_as_channel(t, input) for t in (running_var, running_mean))
    a = (input - running_mean) * torch.rsqrt(running_var + eps)
    y = a if weight is None else a * _as_channel(weight, a)
    return seen.saw("instance_norm", weight, bias, a, y if bias is None else y + _as_channel(bias, a))


def _as_channel(t: Array, like: Array) -> Array:
    return t.reshape(-1, *(1,) * (like.ndim - 2))


def _with_one(seen: Recorder, func: Any, *args: Any, **kwargs: Any) -> Any:
    """The rule of what a parameter is added to, multiplied with, or expanded to."""
    y, name = func(*args, **kwargs), func.__name__
    found = [i for i, x in enumerate(args[:2]) if seen.name(x) is not None]
    if not found:
        return y
    if len(found) == 2 or name == "expand" and found != [0] or kwargs:
        seen.note(name, y, list(args[:2]))
        return y
    other = None if name == "expand" else args[1 - found[0]]
    other = other if isinstance(other, torch.Tensor) else y.new_tensor(0.0 if other is None else other)
    return seen.saw(name, args[found[0]], None, other, y, shape=tuple(args[found[0]].shape))


def _matmul(seen: Recorder, func: Any, a: Array, b: Array, **kwargs: Any) -> Any:
    y = func(a, b, **kwargs)
    if seen.name_of_flipped(b) is not None and not kwargs:
        return seen.saw("linear", seen.name_of_flipped(b), None, a, y)
    if seen.name(b) is None or b.ndim != 2 or kwargs:
        seen.note(func.__name__, y, [a, b])
        return y
    return seen.saw("matmul", b, None, a, y)


def _scaled_dot_product_attention(seen: Recorder, func: Any, *args: Any, **kwargs: Any) -> Any:
    with sdpa_kernel([SDPBackend.MATH]):            # the only one with second derivatives
        return func(*args, **kwargs)


def _max_pool2d(seen: Recorder, func: Any, input: Array, *args: Any, **kwargs: Any) -> Array:
    """Where the largest are is found with the channels beside each other, which is how PyTorch's host looks at many at once.

    512 images of 8 x 28 x 28 and 16 x 14 x 14, there and back: 10.6 ms, as numbers taken from these places 5.4 (two threads). Of
    one channel it is the same, of two and three slower.
    """
    if input.device.type != "cpu" or input.ndim != 4 or input.shape[1] < 4:
        return func(input, *args, **kwargs)
    sideways = input.detach().permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)      # torch.func.vmap has no memory_format
    at = F.max_pool2d_with_indices(sideways, *args, **kwargs)[1]
    return input.flatten(2).gather(2, at.flatten(2)).reshape(at.shape)


def _prelu(seen: Recorder, func: Any, input: Array, weight: Array) -> Array:
    return seen.saw("prelu", weight, None, input.clamp(max=0.0), func(input, weight))


def _weight_norm(seen: Recorder, func: Any, v: Array, g: Array, dim: int = 0) -> Array:
    """By its formula: that of PyTorch 2.13 has wrong second derivatives, to which |v| is a constant (`gradgradcheck`)."""
    y = v * (g / torch.norm_except_dim(v, 2, dim))
    seen.note(func.__name__, y, [v, g])
    return y


def _grad(seen: Recorder, func: Any, *args: Any, **kwargs: Any) -> Any:
    """Within a module: the parameters until then enter its output by their derivatives, too."""
    seen.others |= {name: "grad" for call in seen.calls for name in (call.weight, call.bias) if name is not None}
    return func(*args, **kwargs)


_RULES: dict[str, Callable[..., Any]] = {
    "linear": _linear, "embedding": _embedding, "embedding_bag": _embedding_bag, **dict.fromkeys(CONVOLUTIONS, _convolution),
    "layer_norm": _norm(_layer_norm), "rms_norm": _norm(_rms_norm), "group_norm": _norm(_group_norm),
    "batch_norm": _norm(_batch_norm), "instance_norm": _instance_norm,
    **dict.fromkeys(SHIFTS | SCALES, _with_one), "matmul": _matmul, "__matmul__": _matmul,
    "scaled_dot_product_attention": _scaled_dot_product_attention,
    "max_pool2d": _max_pool2d, "prelu": _prelu, "grad": _grad, "_weight_norm": _weight_norm,
    "multi_head_attention_forward": lambda seen, func, *args, **kwargs: attention(seen, *args, **kwargs),
}
