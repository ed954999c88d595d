"""A PyTorch module without its weights: the code that runs on whichever weights it is called with."""
from copy import deepcopy
from typing import Any

import torch
from torch.func import functional_call

from ...backend import Array
from ...errors import ShapeError
from .calls import Recorder
from .layout import Axis, Group, TrialCall, axis_between, grouped, slots_of
from .unrolled import unroll

__all__ = ["Skeleton"]

FEW, MORE = 2, 3            # samples of the two trials, from which the axis of the samples is found


class Skeleton:
    """The code of a module in eval mode, and where its parameters lie in a flat vector.

    Parameters
    ----------
    module : torch.nn.Module
        Not changed, and none of its weights is kept.
    input_shape : tuple of int
    elementwise, unknown : int
        The largest blocks of parameters that enter elementwise, and of those of functions without a form.

    Attributes
    ----------
    groups : list of Group
    axes : list of (Axis or None, Axis or None)
        Of every call the axes of the samples in its input and output.
    ends_in_layer : bool
        Whether the last group is what gives the output.
    widest : int
        The most numbers of a sample in an output of a call, in the input or in the output of the module.
    """

    def __init__(self, module: Any, input_shape: tuple[int, ...], elementwise: int, unknown: int) -> None:
        if not isinstance(module, torch.nn.Module):
            raise TypeError(f"TorchNetwork takes a torch.nn.Module as its argument module; got {module!r}")
        given = dict(module.named_parameters())
        self.parameters = {name: p for name, p in given.items() if p.requires_grad}
        if not self.parameters:
            raise ValueError("the module must have parameters that require a gradient")
        first = next(iter(self.parameters.values()))
        self.dtype, self.device = first.dtype, first.device
        _require_numbers(self.parameters, given)
        self._frozen = {name: p.detach() for name, p in given.items() if not p.requires_grad}
        self._module = _without_weights(module)
        self._fixed: dict[Any, dict[str, Any]] = {}
        self.copied: frozenset[int] = frozenset()
        self._try(tuple(input_shape), elementwise, unknown)
        self.parameters = dict.fromkeys(self.parameters)        # their names: the tensors are the module's

    def _try(self, input_shape: tuple[int, ...], elementwise: int, unknown: int) -> None:
        runs = []
        for n in (FEW, MORE):
            x = torch.zeros((n, *input_shape), dtype=self.dtype, device=self.device)
            held = {name: p.detach() for name, p in self.parameters.items()}
            try:
                with torch.no_grad():
                    runs.append((*self.run(held, x), held))
            except (RuntimeError, TypeError, LookupError) as error:
                raise ShapeError(f"the module must take inputs of shape (n, {', '.join(map(str, input_shape))}); for n = {n} it "
                                 f"says: {error}") from error
        (u, few, _), (_, more, _) = runs
        if not isinstance(u, torch.Tensor) or u.ndim != 2 or u.shape[0] != FEW:
            raise ShapeError(f"the module must give outputs of shape (n, outputs) for inputs of shape (n, "
                             f"{', '.join(map(str, input_shape))}); got {tuple(getattr(u, 'shape', ())) or type(u).__name__} for "
                             f"n = {FEW}. torch.nn.Flatten() makes one axis of several")
        if len(few.calls) != len(more.calls):
            raise ValueError(f"the module must call the same layers for every number of samples; it made {len(few.calls)} calls "
                             f"with {FEW} samples and {len(more.calls)} with {MORE}")
        self.output_shape = tuple(u.shape[1:])
        last = few.calls[-1].weight if few.calls and few.calls[-1].y is u else None
        seen = [TrialCall(a, axis_between(a.a, b.a, FEW, MORE), axis_between(a.y, b.y, FEW, MORE))
                for a, b in zip(few.calls, more.calls)]
        self.axes: list[tuple[Axis | None, Axis | None]] = [(s.of_input, s.of_output) for s in seen]
        self.copied = frozenset(i for i, call in enumerate(few.calls) if call.changed)
        self.groups: list[Group] = grouped(self.parameters, seen, {**few.others, **more.others}, elementwise, unknown)
        self.slots = list(slots_of(self.groups))
        self.ends_in_layer = self.groups[-1].kind == "affine" and self.groups[-1].slots[0].name == last
        self.size = self.groups[-1].slices[-1].stop
        self.widest = max([x.numel() // FEW for x in (u, *(call.y for call in few.calls))])

    def fixed(self, like: Array) -> dict[str, Any]:
        """What is not trained, on the device and in the dtype of the weights."""
        key = like.device, like.dtype
        if key not in self._fixed:
            held = {**self._frozen, **dict(self._module.named_buffers())}
            self._fixed[key] = {name: t.to(like.device, like.dtype if t.is_floating_point() else t.dtype)
                                for name, t in held.items()}
        return self._fixed[key]

    def run(self, parameters: dict[str, Any], x: Array, recorder: type[Recorder] = Recorder) -> tuple[Any, Recorder]:
        """(output, what was seen) of the module with these parameters."""
        seen = recorder(parameters, self.copied)
        return self.called(seen, parameters, x), seen

    def called(self, seen: Recorder, parameters: dict[str, Any], x: Array) -> Any:
        """The output of the module with these parameters, seen by a recorder."""
        with seen:
            return functional_call(self._module, {**parameters, **self.fixed(x)}, (x,))

    def output(self, w: Array, x: Array) -> Array:
        """The output for weights (size,), without a graph."""
        with torch.no_grad():
            return self.called(Recorder({}), self.views(w.detach()), x)

    def views(self, w: Array) -> dict[str, Any]:
        """The parameters in weights of shape (..., size)."""
        return {slot.name: slot.of(w) for slot in self.slots}

    def gathered(self, values: dict[str, Any], like: Array) -> Array:
        """Weights of shape (..., size) from parameters; None is 0."""
        shapes = [(v.shape, slot.shape) for slot in self.slots if (v := values.get(slot.name)) is not None]
        lead = shapes[0][0][:len(shapes[0][0]) - len(shapes[0][1])] if shapes else ()
        out = torch.empty((*lead, self.size), dtype=like.dtype, device=like.device)
        for slot in self.slots:
            v = values.get(slot.name)
            if v is None:
                slot.put(out, out.new_zeros((*lead, *slot.shape)))
            else:
                slot.put(out, v)
        return out


def _require_numbers(trained: dict[str, Any], given: dict[str, Any]) -> None:
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


def _without_weights(module: Any) -> Any:
    """A copy of a module whose parameters are empty, with the ways of its parts that can be seen."""
    empty = {id(p): torch.nn.Parameter(torch.empty_like(p, device="meta"), requires_grad=False) for p in module.parameters()}
    copy = deepcopy(module, dict(empty)).eval()
    for part in copy.modules():
        if hasattr(part, "inplace"):            # what a function takes is looked at afterwards
            part.inplace = False
    unroll(copy)
    return copy
