"""PyTorch's side of `infogeo.arrays.tracing`."""
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from itertools import chain
from typing import Any

import torch
from torch._C import _functorch as levels
from torch._subclasses.fake_tensor import is_fake

from ..backend import Array, Namespace
from ..backend.namespace import Untraceable

UNTRACEABLE = (RuntimeError, NotImplementedError, Untraceable)
WITHOUT = "rows of torch.func.vmap, tensors of torch.compile, and those on the device meta, have not: call it on others"
_LOOKS = {"DataDependentOutputException", "DynamicOutputShapeException", "GuardOnDataDependentSymNode"}     # 0.7 s to import
_SAID = ("vmap: It looks like", "vmap: We do not support batching operators that can", "meta tensor", "data pointer of Tensor",
         "not supported for tensor subclasses")

waits: ContextVar[bool] = ContextVar("infogeo_waits", default=False)       # whether a method can be called when there are numbers


def looks_at_numbers(error: BaseException) -> bool:
    """Whether torch says that a number is asked for that is not there."""
    return isinstance(error, Untraceable) or type(error).__name__ in _LOOKS or any(part in str(error) for part in _SAID)


def is_traced(x: Array) -> bool:
    """Whether a row of `torch.func.vmap` stands for all of them, or whether there are no numbers, but a shape."""
    *wrapped, plain = unwrapped(x)
    return any(map(levels.is_batchedtensor, wrapped)) or _is_a_shape(plain)


def are_compiled(xs: Sequence[Array]) -> bool:
    """Whether their numbers come when a graph of `torch.compile` is evaluated; not where a row of vmap stands for many."""
    layers = [unwrapped(x) for x in xs]
    return any(_comes_later(plain) for *_, plain in layers) and not any(map(levels.is_batchedtensor, chain(*layers)))


def _comes_later(plain: Array) -> bool:
    return type(plain) is not torch.Tensor and is_fake(plain) and plain.device.type != "meta"


def _is_a_shape(plain: Array) -> bool:
    return isinstance(plain, torch.Tensor) and (plain.is_meta or type(plain) is not torch.Tensor and is_fake(plain))


selects = is_traced


def is_lasting(x: Array) -> bool:
    """Not what torch.compile traces, nor what stands for rows, nor what `torch.inference_mode` made, without derivatives."""
    return type(x) is torch.Tensor and not (torch.compiler.is_compiling() or x.is_inference()
                                            or levels.is_functorch_wrapped_tensor(x))


def is_differentiated(x: Array) -> bool:
    """Whether gradients are followed, or tangents carried, at some level of `torch.func` or by autograd itself."""
    *wrapped, plain = unwrapped(x)
    if any(map(levels.is_gradtrackingtensor, wrapped)):
        return True
    if not isinstance(plain, torch.Tensor):
        return False
    if plain.requires_grad and torch.is_grad_enabled():
        return True
    return levels.peek_interpreter_stack() is None and torch.autograd.forward_ad.unpack_dual(x).tangent is not None


def unwrapped(x: Array) -> list[Array]:
    """The array as it is wrapped by the transforms of `torch.func`, the innermost, of all numbers, last."""
    layers = [x]
    while isinstance(layers[-1], torch.Tensor) and levels.is_functorch_wrapped_tensor(layers[-1]):
        layers.append(levels.get_unwrapped(layers[-1]))
    return layers


def surely(condition: Array) -> bool:
    plain = torch.as_tensor(unwrapped(condition)[-1])
    return not _is_a_shape(plain) and bool(torch.all(plain))


def _goes_on(condition: Array, begun: bool) -> bool:
    """Whether it holds in a row; on the device meta, one step tells the shapes."""
    plain = torch.as_tensor(unwrapped(condition)[-1])
    if _comes_later(plain):
        raise Untraceable("how often a loop goes round is told by numbers")
    return not begun if _is_a_shape(plain) else bool(torch.any(plain))


def still(x: Array) -> Array:
    return x.detach()


def repeat(going: Callable[..., Array], step: Callable[..., tuple[Array, ...]], state: tuple[Array, ...],
           most: int) -> tuple[Array, ...]:
    with torch.no_grad():
        state = tuple(map(still, state))
        for k in range(most):
            if not _goes_on(going(*state), k > 0):
                break
            state = step(*state)
    return state


def accumulate(going: Callable[..., Array], step: Callable[..., tuple[Array, ...]],
               state: tuple[Array, ...]) -> tuple[Array, ...]:
    begun = False
    while _goes_on(going(*state), begun):
        state, begun = step(*state), True
    return state


def kinds(f: Callable[..., tuple[Array, ...]], *xs: Array) -> list[Any]:
    """The shapes and dtypes of results."""
    return [(x.shape, x.dtype) for x in f(*xs)]


def gradient(xp: Namespace, function: Callable[[Array], Array], x: Array) -> Array:
    return _pulled(function, x, torch.ones_like)


def needed(mask: Array, f: Callable[..., Array], everywhere: Callable[..., Array], xs: tuple[Array, ...]) -> Array:
    if waits.get():
        raise Untraceable("a dear formula is evaluated for the rows that need it, which numbers tell")
    return everywhere(*xs)


def by_rows(f: Callable[[Array], Array], x: Array) -> Array:
    return f(x)


def computed(xs: tuple[Array, ...]) -> tuple[Array, ...]:
    return xs


def push(function: Callable[[Array], Array], x: Array, tangent: Array) -> Array:
    return torch.func.jvp(function, (x,), (tangent,))[1]


def pull(function: Callable[[Array], Array], x: Array, covector: Array) -> Array:
    return _pulled(function, x, lambda y: covector)


def _pulled(function: Callable[[Array], Array], x: Array, covector: Callable[[Array], Array]) -> Array:
    """By autograd itself where no transform of `torch.func` is at work: its arrays have numbers, which go to the host, too."""
    if levels.is_functorch_wrapped_tensor(x):
        y, back = torch.func.vjp(function, x)
        return back(covector(y))[0]
    further = torch.is_grad_enabled()
    with torch.enable_grad():
        x = x.view_as(x) if x.requires_grad else x.detach().requires_grad_()      # what the function knows beside x stands still
        y = function(x)
        if not y.requires_grad:
            return torch.zeros_like(x)
        return torch.autograd.grad(y, x, covector(y), create_graph=further, materialize_grads=True)[0]


class _Ruled(torch.autograd.Function):      # type: ignore[misc]
    generate_vmap_rule = True

    @staticmethod
    def forward(xp: Namespace, f: Callable[..., Array], rule: Callable[..., Any], *xs: Array) -> Array:
        y = f(*xs)
        return y.view_as(y) if any(y is x for x in xs) else y

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Array) -> None:
        ctx.xp, _, ctx.rule, *xs = inputs
        ctx.save_for_backward(output, *xs)
        ctx.save_for_forward(output, *xs)

    @staticmethod
    def backward(ctx: Any, covector: Array) -> tuple[Any, ...]:
        y, *xs = ctx.saved_tensors
        partials = ctx.rule(y, *xs)
        found = [_summed(partial.pull(ctx.xp, covector), x.shape) if wanted else None
                 for partial, x, wanted in zip(partials, xs, ctx.needs_input_grad[3:])]
        return (None, None, None, *found)

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Array:
        y, *xs = ctx.saved_tensors
        total = torch.zeros_like(y)
        for partial, tangent in zip(ctx.rule(y, *xs), tangents[3:]):
            if tangent is not None:
                total = total + partial.push(ctx.xp, tangent)
        return total


def _summed(x: Array, shape: tuple[int, ...]) -> Array:
    """The covector of an array that was broadcast; None stays it."""
    if x is None:
        return None
    x = torch.sum(x, dim=tuple(range(x.ndim - len(shape)))) if x.ndim > len(shape) else x
    along = tuple(i for i, n in enumerate(shape) if n == 1 and x.shape[i] != 1)
    return torch.broadcast_to(torch.sum(x, dim=along, keepdim=True) if along else x, shape)


def ruled(xp: Namespace, f: Callable[..., Array], rule: Callable[..., Sequence[Any]], xs: tuple[Array, ...]) -> Array:
    return _Ruled.apply(xp, f, rule, *xs)
