"""Which modules of PyTorch are taken, and what runs in their place."""
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch._C import _functorch as levels

from ...arrays.under_torch import unwrapped
from .unrolled import unroll

__all__ = ["as_written", "bare", "require_numbers", "require_unfollowed", "undisturbed", "wide", "without_weights"]

RECOMPUTED = "saved tensors are changed"


def bare(module: Any) -> Any:
    """The module; of one for several devices that on one device. Raises TypeError for what is none, or has no code of its own."""
    if isinstance(module, torch.nn.DataParallel):
        module = module.module
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"TorchNetwork takes a torch.nn.Module as its argument module; got {module!r}")
    for part in module.modules():
        if isinstance(part, torch.jit.ScriptModule):
            raise TypeError(f"TorchNetwork takes modules as they are written; {type(part).__name__} is compiled by torch.jit: "
                            "the module that it was made of is taken")
        if isinstance(part, torch.nn.parallel.DistributedDataParallel):
            raise TypeError("TorchNetwork takes a module of one process, wrapped.module of a DistributedDataParallel: the "
                            "curvature of each process would be that of its own samples")
    return module


def require_unfollowed(*xs: Any) -> None:
    """Nothing, of tensors that `torch.func` does not differentiate, which would find 0. Raises TypeError."""
    if any(levels.is_gradtrackingtensor(layer) for x in xs for layer in unwrapped(x)[:-1]):
        raise TypeError("torch.func follows no derivative through a TorchNetwork, whose record(w, x) has its own: vjp "
                        "and others; those of the module itself go through torch.func.functional_call")


def wide(dtype: Any) -> Any:
    """The dtype of the numbers of a module inside: float32 at least, as K-FAC's factors, inverses and small steps need."""
    return torch.promote_types(dtype, torch.float32)


def require_numbers(trained: dict[str, Any], given: dict[str, Any]) -> None:
    """Nothing, if all parameters are there, and those to train of one dtype of real numbers. Raises TypeError, ValueError."""
    for name, p in given.items():
        if torch.nn.parameter.is_lazy(p):
            raise ValueError(f"the parameter {name} has no numbers yet: call the module once on a batch of inputs")
    dtypes = {p.dtype: name for name, p in reversed(trained.items())}
    if len(dtypes) > 1:
        raise TypeError("the parameters of the module must be of one dtype; got "
                        + ", ".join(f"{dtype} of {name}" for dtype, name in reversed(dtypes.items()))
                        + ": module.double() or .float() makes them so")
    for dtype, name in dtypes.items():
        if not dtype.is_floating_point:
            raise TypeError(f"the parameters of the module must be real numbers; got {dtype} of {name}")


def without_weights(module: Any) -> Any:
    """A copy of a module whose parameters are empty, with the ways of its parts that can be seen. Raises TypeError for none."""
    memo: dict[int, Any] = {id(p): torch.nn.Parameter(torch.empty_like(p, device="meta"), requires_grad=False)
                            for p in module.parameters()}
    memo |= {id(t): t for t in module.buffers()}
    try:
        copy = deepcopy(module, memo).eval()
    except (RuntimeError, TypeError) as error:
        raise TypeError(f"TorchNetwork takes modules that can be copied; copy.deepcopy says: {error}") from error
    for part in copy.modules():
        if hasattr(part, "inplace"):            # what a function takes is looked at afterwards
            part.inplace = False
    unroll(copy)
    return copy


@contextmanager
def as_written() -> Iterator[None]:
    """Modules run as they are written: nothing compiled, which has no second derivatives, no part again in a backward pass."""
    with ExitStack() as stack:
        if "torch._dynamo" in sys.modules:      # where something was compiled; its import takes seconds
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        if torch.is_grad_enabled():
            stack.enter_context(torch.autograd.graph.disable_saved_tensors_hooks(RECOMPUTED))
        yield


@contextmanager
def undisturbed(device: Any) -> Iterator[None]:
    """Random numbers afterwards are those that would have come, and arrays have derivatives."""
    devices = [device] if device.type != "cpu" else []
    with torch.inference_mode(False), torch.random.fork_rng(devices, device_type=device.type if devices else "cuda"):
        yield
