"""PyTorch's side of `infogeo.arrays.graphs`: what its graphs call by a name, and what comes back."""
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

import torch
from torch._subclasses.fake_tensor import fake_tensor_tls

from ..backend import Array
from .under_torch import UNTRACEABLE, are_compiled, looks_at_numbers, waits

__all__ = ["in_graph", "now_or_later"]


class _Call:
    """A method of a manifold, and what it is given, with None in the place of tensors."""

    def __init__(self, method: Callable[..., Any], M: Any, given: Sequence[Any] = (), named: Mapping[str, Any] = {}) -> None:
        self.method, self.M, self.names = method, M, tuple(named)
        self.given = [None if isinstance(x, torch.Tensor) else x for x in (*given, *named.values())]
        self.form: Any = None           # of the last result: the names of a dict, True for a tuple

    def with_tensors(self, tensors: Sequence[Array]) -> list[Array]:
        left = iter(tensors)
        values = [next(left) if value is None else value for value in self.given]
        first = len(values) - len(self.names)
        return self.parts(*values[:first], **dict(zip(self.names, values[first:])))

    def parts(self, *given: Any, **named: Any) -> list[Array]:
        """The arrays of the result."""
        with _constants():
            found = self.method(self.M, *given, **named)
        self.form = tuple(found) if isinstance(found, dict) else isinstance(found, tuple)
        return list(found.values() if isinstance(found, dict) else found if self.form else [found])


def _formed(form: Any, parts: Sequence[Array]) -> Any:
    if not form:
        return parts[0]
    return tuple(parts) if form is True else dict(zip(form, parts))


@contextmanager
def _constants() -> Iterator[None]:
    """Tensors that a manifold knows by itself are constants of the graph."""
    before, fake_tensor_tls.allow_non_fake_inputs_override = fake_tensor_tls.allow_non_fake_inputs_override, True
    try:
        yield
    finally:
        fake_tensor_tls.allow_non_fake_inputs_override = before


_calls: dict[str, _Call] = {}           # what the strings in graphs stand for, as long as there may be graphs
_numbers = count()


def _key(call: _Call) -> str:
    key = f"{call.method.__name__} {next(_numbers)}"
    _calls[key] = call
    return key


# What torch.compile reads

@torch.compiler.assume_constant_result      # type: ignore[untyped-decorator]
def _key_of(method: Callable[..., Any], M: Any) -> str:
    return _key(_Call(method, M))


@torch.compiler.allow_in_graph      # type: ignore[untyped-decorator]
def _operation(key: str, *given: Any, **named: Any) -> tuple[Array, ...]:
    return tuple(_calls[key].parts(*given, **named))


@torch.compiler.assume_constant_result      # type: ignore[untyped-decorator]
def _form_of(key: str) -> Any:
    return _calls[key].form


def in_graph(method: Callable[..., Any], M: Any, given: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    key = _key_of(method, M)
    parts = _operation(key, *given, **named)
    return _formed(_form_of(key), parts)


# What is left for the time when there are numbers

def now_or_later(f: Callable[[], Any], method: Callable[..., Any], M: Any, given: Sequence[Any],
                 named: Mapping[str, Any]) -> Any:
    """``f()``; where that looks at numbers which come when the graph is evaluated, ``method(M, *given, **named)`` then."""
    tensors = [x for x in (*given, *named.values()) if isinstance(x, torch.Tensor)]
    if not are_compiled(tensors):
        return f()
    token = waits.set(True)
    try:
        return f()
    except (*UNTRACEABLE, TypeError) as error:
        if not looks_at_numbers(error.__cause__ or error):
            raise
    finally:
        waits.reset(token)
    call = _Call(method, M, given, named)
    parts = _Later.apply(_key(call), *tensors)
    return _formed(call.form, parts)


class _Later(torch.autograd.Function):      # type: ignore[misc]
    @staticmethod
    def forward(key: str, *xs: Array) -> tuple[Array, ...]:
        return tuple(_later(key, list(xs)))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Array, ...]) -> None:
        ctx.key, *xs = inputs
        ctx.save_for_backward(*xs)

    @staticmethod
    def backward(ctx: Any, *covectors: Array) -> tuple[Any, ...]:
        return None, *_pulled_later(ctx.key, list(ctx.saved_tensors), list(covectors))


@contextmanager
def _followed(further: bool) -> Iterator[None]:
    """Autograd inside an operation, which torch leaves out there: of what a method differentiates itself, or of all of it."""
    key = torch._C.DispatchKey.AutogradFunctionality
    before = torch._C._dispatch_tls_is_dispatch_key_excluded(key)
    torch._C._dispatch_tls_set_dispatch_key_excluded(key, False)
    try:
        with torch.set_grad_enabled(further):
            yield
    finally:
        torch._C._dispatch_tls_set_dispatch_key_excluded(key, before)


@torch.library.custom_op("infogeo::later", mutates_args=())      # type: ignore[untyped-decorator]
def _later(key: str, xs: list[torch.Tensor]) -> list[torch.Tensor]:
    with _followed(False):
        return _whole(_calls[key].with_tensors(xs))


def _whole(parts: Sequence[Array]) -> list[Array]:
    """New arrays, laid out as the graph expects them."""
    return [part.clone(memory_format=torch.contiguous_format) for part in parts]


@_later.register_fake      # type: ignore[untyped-decorator]
def _shapes(key: str, xs: list[torch.Tensor]) -> list[torch.Tensor]:
    """Those of tensors on the device meta."""
    token = waits.set(False)            # within a method that could wait, another one that does is a call of the graph by itself
    try:
        parts = _calls[key].with_tensors([torch.empty(x.shape, dtype=x.dtype, device="meta") for x in xs])
    finally:
        waits.reset(token)
    return [torch.empty(part.shape, dtype=part.dtype, device=xs[0].device) for part in parts]


@torch.library.custom_op("infogeo::pulled_later", mutates_args=())      # type: ignore[untyped-decorator]
def _pulled_later(key: str, xs: list[torch.Tensor], covectors: list[torch.Tensor]) -> list[torch.Tensor]:
    with _followed(True):
        xs = [x.detach().requires_grad_() for x in xs]
        found = [(y, c) for y, c in zip(_calls[key].with_tensors(xs), covectors) if y.requires_grad]
        if not found:
            return [torch.zeros_like(x) for x in xs]
        ys, cs = zip(*found)
        return _whole(torch.autograd.grad(ys, xs, cs, materialize_grads=True))


@_pulled_later.register_fake      # type: ignore[untyped-decorator]
def _alike(key: str, xs: list[torch.Tensor], covectors: list[torch.Tensor]) -> list[torch.Tensor]:
    return [torch.empty(x.shape, dtype=x.dtype, device=x.device) for x in xs]
