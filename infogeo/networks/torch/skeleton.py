"""A PyTorch module without its weights: the code that runs on whichever weights it is called with."""
from typing import Any

import torch
from torch.func import functional_call

from ...backend import Array
from ...errors import ShapeError
from .calls import Recorder
from .graph import own_functions, uses
from .layout import Axis, Group, TrialCall, axis_between, grouped, slots_of
from .taken import RECOMPUTED, as_written, bare, require_numbers, undisturbed, wide, without_weights

__all__ = ["Skeleton"]

AGAIN = ("the module must not run a part of it again in the backward pass, as torch.utils.checkpoint does, nor move what is kept "
         "for it, in eval mode: its weights are not in it then")
FEW, MORE = 2, 3            # samples of the two trials, from which the axis of the samples is found


class Skeleton:
    """The code of a module in eval mode, and where its parameters lie in a flat vector.

    Parameters
    ----------
    module : torch.nn.Module
        Not changed, and none of its weights is kept; buffers and parameters that do not require a gradient are looked up in it.
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
        self.module = bare(module)
        given = dict(self.module.named_parameters())
        self.parameters = {name: p for name, p in given.items() if p.requires_grad}
        if not self.parameters:
            raise ValueError("the module must have parameters that require a gradient")
        require_numbers(self.parameters, given)
        first = next(iter(self.parameters.values()))
        self.dtype, self.device = wide(first.dtype), first.device
        self._code = without_weights(self.module)
        self.copied: frozenset[int] = frozenset()
        with undisturbed(self.device), torch.enable_grad():
            self._try(tuple(input_shape), elementwise, unknown)
        self.parameters = dict.fromkeys(self.parameters)        # their names: the tensors are the module's

    def _try(self, input_shape: tuple[int, ...], elementwise: int, unknown: int) -> None:
        held = {name: p.detach().to(self.dtype).requires_grad_() for name, p in self.parameters.items()}
        (u, few), (_, more) = (self._trial(held, n, input_shape) for n in (FEW, MORE))
        if not isinstance(u, torch.Tensor) or u.ndim != 2 or u.shape[0] != FEW:
            one = isinstance(u, torch.Tensor)
            hint = "torch.nn.Flatten() makes one axis of several" if one else "a module around it picks one"
            raise ShapeError(f"the module must give outputs of shape (n, outputs) for inputs of shape (n, "
                             f"{', '.join(map(str, input_shape))}); got {tuple(getattr(u, 'shape', ())) or type(u).__name__} for "
                             f"n = {FEW}. {hint}")
        strange = uses(u, dict(self.module.named_parameters()))
        if strange:
            raise ValueError("the code of the module must reach its parameters by the module that it is called of; that of a "
                             f"copy of it finds {min(strange)} elsewhere, as a function does that is defined outside of a class")
        if len(few.calls) != len(more.calls):
            raise ValueError(f"the module must call the same layers for every number of samples; it made {len(few.calls)} calls "
                             f"with {FEW} samples and {len(more.calls)} with {MORE}")
        self.output_shape = tuple(u.shape[1:])
        last = few.calls[-1].weight if few.calls and few.calls[-1].y is u else None
        seen = [TrialCall(a, axis_between(a.a, b.a, FEW, MORE), axis_between(a.y, b.y, FEW, MORE))
                for a, b in zip(few.calls, more.calls)]
        self.axes: list[tuple[Axis | None, Axis | None]] = [(s.of_input, s.of_output) for s in seen]
        self.copied = frozenset(i for i, call in enumerate(few.calls) if call.changed)
        others = _unseen(few, u, held) | few.others | more.others
        self.groups: list[Group] = grouped(self.parameters, seen, others, elementwise, unknown)
        self.slots = list(slots_of(self.groups))
        self.ends_in_layer = self.groups[-1].kind == "affine" and self.groups[-1].slots[0].name == last
        self.size = self.groups[-1].slices[-1].stop
        self.widest = max([x.numel() // FEW for x in (u, *(call.y for call in few.calls))])

    def _trial(self, held: dict[str, Any], n: int, input_shape: tuple[int, ...]) -> tuple[Any, Recorder]:
        """(output, what was seen) of n samples. Raises ShapeError, and ValueError for a module without derivatives to look at."""
        x = torch.zeros((n, *input_shape), dtype=self.dtype, device=self.device)
        try:
            before = _generator_state(self.device)
            u, seen = self.run(held, x)
            if isinstance(u, torch.Tensor) and "CheckpointFunction" in own_functions(u):
                raise ValueError(AGAIN)
            if not torch.equal(before, _generator_state(self.device)):
                self._require_certain(held, x)
            return u, seen
        except (RuntimeError, TypeError, LookupError) as error:
            if RECOMPUTED in str(error):
                raise ValueError(AGAIN) from error
            raise ShapeError(f"the module must take inputs of shape (n, {', '.join(map(str, input_shape))}); for n = {n} it "
                             f"says: {error}") from error

    def _require_certain(self, held: dict[str, Any], x: Array) -> None:
        """Nothing, if numbers that were drawn do not matter. Raises ValueError."""
        for there in (x, torch.ones_like(x)):
            once, again = (self.run(held, there)[0] for _ in range(2))
            if isinstance(once, torch.Tensor) and not torch.equal(once, again):
                raise ValueError("the module must give the same outputs for the same inputs; in eval mode it draws random "
                                 "numbers, as torch.nn.functional.dropout(x) does without training=self.training")

    def fixed(self, like: Array) -> dict[str, Any]:
        """What is not trained, as it is now, on the device and in the dtype of the weights; buffers are copies, to be changed."""
        held = [(name, p, False) for name, p in self.module.named_parameters() if name not in self.parameters]
        held += [(name, t, True) for name, t in self.module.named_buffers()]
        return {name: t.detach().to(like.device, like.dtype if t.is_floating_point() else t.dtype, copy=copy)
                for name, t, copy in held}

    def run(self, parameters: dict[str, Any], x: Array, recorder: type[Recorder] = Recorder) -> tuple[Any, Recorder]:
        """(output, what was seen) of the module with these parameters."""
        seen = recorder(parameters, self.copied)
        return self.called(seen, parameters, x), seen

    def called(self, seen: Recorder, parameters: dict[str, Any], x: Array) -> Any:
        """The output of the module with these parameters, seen by a recorder."""
        with as_written(), seen:
            return functional_call(self._code, {**parameters, **self.fixed(x)}, (x,))

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
        out = torch.empty((*lead, self.size), dtype=wide(like.dtype), device=like.device)
        for slot in self.slots:
            v = values.get(slot.name)
            if v is None:
                slot.put(out, out.new_zeros((*lead, *slot.shape)))
            else:
                slot.put(out, v)
        return out


def _unseen(seen: Recorder, u: Array, held: dict[str, Any]) -> dict[str, str]:
    """Parameters that enter functions beside those that were seen, as of a torch.autograd.Function."""
    known = [name for call in seen.calls for name in (call.weight, call.bias)]
    return {name: "a function that is not seen as it runs" for name, count in uses(u, held).items() if count > known.count(name)}


def _generator_state(device: Any) -> Array:
    return torch.get_rng_state() if device.type == "cpu" else torch.get_device_module(device).get_rng_state(device)
