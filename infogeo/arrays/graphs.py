"""Methods as operations of the graph that `torch.compile` makes, which reads none of the code that stands around a formula.

`torch.compile` reads Python: at a look at numbers, a context of NumPy's or a thread's own memory the graph ends, and another one
begins. A public method is one operation to it. What the method does is traced when PyTorch goes through the graph with tensors
that have no numbers, as `jax.jit` traces; see `tracing`. What looks at numbers is one call of the graph, when they are there.
"""
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

from ..backend import Array, Namespace
from .tracing import is_compiled

__all__ = ["in_graph", "is_read", "now_or_later", "one_operation", "own_code"]

F = TypeVar("F", bound=Callable[..., Any])


def is_read() -> bool:
    """Whether `torch.compile` is reading the code that asks, in the place of running it."""
    torch = sys.modules.get("torch")
    return torch is not None and torch.compiler.is_dynamo_compiling()


def in_graph(method: Callable[..., Any], M: Any, given: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    """``method(M, *given, **named)`` as an operation of the graph, where `is_read`."""
    from . import torch_graphs
    return torch_graphs.in_graph(method, M, given, named)


def now_or_later(f: Callable[..., Any], method: Callable[..., Any], M: Any, xp: Namespace, *xs: Array) -> Any:
    """``f(M, xp, *xs)``; where that looks at numbers which a graph has not got yet, ``method(M, *xs)`` as a call when it has."""
    if not is_compiled(xp, *xs):
        return f(M, xp, *xs)
    from . import torch_graphs
    return torch_graphs.now_or_later(lambda: f(M, xp, *xs), method, M, xs, {})


def own_code(f: Any) -> None:
    """Let what a decorator made have code of its own, by which `torch.compile` counts how often it compiled, 8 times at most."""
    f.__code__ = f.__code__.replace(co_name=f.__name__)


def one_operation(method: F) -> F:
    """Let `torch.compile` take a method, or a function whose first argument is a manifold, for one operation."""
    def evaluated(M: Any, *given: Any, **named: Any) -> Any:
        from . import torch_graphs
        return torch_graphs.now_or_later(lambda: method(M, *given, **named), method, M, given, named)

    @wraps(method)
    def public(M: Any, *given: Any, **named: Any) -> Any:
        return in_graph(evaluated, M, given, named) if is_read() else method(M, *given, **named)

    evaluated.__name__ = method.__name__
    own_code(public)
    return public       # type: ignore[return-value]
