"""Recurrent and attention modules of PyTorch as the products that they are made of, so that these are seen one by one."""
from collections.abc import Callable
from types import MethodType
from typing import Any

import torch
import torch.nn.functional as F

from ...backend import Array

__all__ = ["attention", "unroll"]

State = tuple[Array, ...]                               # (h,), of an LSTM (h, c)


def unroll(module: Any) -> None:
    """Give every recurrent part of a module a forward pass that goes step by step."""
    for part in module.modules():
        if isinstance(part, torch.nn.RNNBase):
            if getattr(part, "proj_size", 0):
                raise ValueError(f"{part!r} has a projection, which has no unrolled form here")
            part.forward = MethodType(_sequence, part)
        elif isinstance(part, torch.nn.RNNCellBase):
            part.forward = MethodType(_cell, part)


# One step: (the product of the input, that of the state, the state) to the next state

def _lstm(i: Array, h: Array, state: State) -> State:
    a, f, g, o = (i + h).chunk(4, dim=-1)
    c = torch.sigmoid(f) * state[1] + torch.sigmoid(a) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def _gru(i: Array, h: Array, state: State) -> State:
    (r_i, z_i, n_i), (r_h, z_h, n_h) = i.chunk(3, dim=-1), h.chunk(3, dim=-1)
    z = torch.sigmoid(z_i + z_h)
    n = torch.tanh(n_i + torch.sigmoid(r_i + r_h) * n_h)
    return n + z * (state[0] - n),


def _step_of(part: Any) -> tuple[Callable[[Array, Array, State], State], int]:
    """(the step, the arrays of a state) of a recurrent module or cell."""
    if isinstance(part, (torch.nn.LSTM, torch.nn.LSTMCell)):
        return _lstm, 2
    if isinstance(part, (torch.nn.GRU, torch.nn.GRUCell)):
        return _gru, 1
    curve = {"tanh": torch.tanh, "relu": torch.relu}[part.nonlinearity]
    return lambda i, h, state: (curve(i + h),), 1


def _sequence(self: Any, input: Array, hx: Any = None) -> Any:
    """The forward pass of `torch.nn.LSTM`, `GRU` and `RNN`."""
    if not isinstance(input, torch.Tensor) or input.ndim != 3:
        raise ValueError(f"{self!r} takes sequences as a tensor of three axes here, not packed")
    x = input if self.batch_first else input.transpose(0, 1)
    directions, (step, arrays) = 1 + self.bidirectional, _step_of(self)
    given = None if hx is None else hx if arrays == 2 else (hx,)
    last: list[State] = []
    for layer in range(self.num_layers):
        ways = []
        for way in range(directions):
            start = _start(given, layer * directions + way, x, self.hidden_size, arrays)
            out, state = _run(self, step, f"_l{layer}{'_reverse' * way}", x.flip(1) if way else x, start)
            ways.append(out.flip(1) if way else out)
            last.append(state)
        x = torch.cat(ways, dim=-1) if directions == 2 else ways[0]
    final = tuple(torch.stack(parts) for parts in zip(*last))
    return x if self.batch_first else x.transpose(0, 1), final if arrays == 2 else final[0]


def _start(given: Any, k: int, x: Array, width: int, arrays: int) -> State:
    if given is not None:
        return tuple(part[k] for part in given)
    return (x.new_zeros((x.shape[0], width)),) * arrays


def _run(self: Any, step: Callable[[Array, Array, State], State], suffix: str, x: Array, state: State) -> tuple[Array, State]:
    """One layer in one direction."""
    def parameter(name: str) -> Any:
        return getattr(self, name + suffix) if self.bias or "weight" in name else None

    inputs, outs = F.linear(x, parameter("weight_ih"), parameter("bias_ih")), []
    for t in range(x.shape[1]):
        h = F.linear(state[0], parameter("weight_hh"), parameter("bias_hh"))
        state = step(inputs[:, t], h, state)
        outs.append(state[0])
    return torch.stack(outs, dim=1), state


def _cell(self: Any, input: Array, hx: Any = None) -> Any:
    """The forward pass of `torch.nn.LSTMCell`, `GRUCell` and `RNNCell`."""
    step, arrays = _step_of(self)
    state = _start(None, 0, input, self.hidden_size, arrays) if hx is None else hx if arrays == 2 else (hx,)
    inputs = F.linear(input, self.weight_ih, self.bias_ih)
    state = step(inputs, F.linear(state[0], self.weight_hh, self.bias_hh), state)
    return state if arrays == 2 else state[0]


def attention(seen: Any, query: Array, key: Array, value: Array, embed_dim: int, num_heads: int, in_proj_weight: Any,
              in_proj_bias: Any, bias_k: Any, bias_v: Any, add_zero_attn: bool, dropout_p: float, out_proj_weight: Any,
              out_proj_bias: Any, training: bool = True, key_padding_mask: Any = None, need_weights: bool = True,
              attn_mask: Any = None, use_separate_proj_weight: bool = False, q_proj_weight: Any = None,
              k_proj_weight: Any = None, v_proj_weight: Any = None, static_k: Any = None, static_v: Any = None,
              average_attn_weights: bool = True, is_causal: bool = False) -> Any:
    """What `torch.nn.functional.multi_head_attention_forward` is, of shape (positions, n, embedding), its products seen.

    Raises
    ------
    ValueError
        For added or static keys.
    """
    if bias_k is not None or bias_v is not None or add_zero_attn or static_k is not None or static_v is not None:
        raise ValueError("attention with added or static keys has no form here")
    if use_separate_proj_weight:
        q, k, v = _apart((query, key, value), (q_proj_weight, k_proj_weight, v_proj_weight), in_proj_bias)
        seen.note("multi_head_attention_forward", q, [q_proj_weight, k_proj_weight, v_proj_weight, in_proj_bias])
    elif query is key and key is value:
        q, k, v = seen.linear(query, in_proj_weight, in_proj_bias).chunk(3, dim=-1)
    else:
        q, k, v = _apart((query, key, value), in_proj_weight.chunk(3), in_proj_bias)
        seen.note("multi_head_attention_forward", q, [in_proj_weight, in_proj_bias])
    T, n, S = q.shape[0], q.shape[1], k.shape[0]
    q, k, v = (x.reshape(x.shape[0], n, num_heads, -1).permute(1, 2, 0, 3) for x in (q, k, v))
    scores = q @ k.transpose(-1, -2) / q.shape[-1]**0.5
    scores = _masked(scores, attn_mask, key_padding_mask, is_causal, (n, num_heads, T, S))
    weights = torch.softmax(scores, dim=-1)
    mixed = (weights @ v).permute(2, 0, 1, 3).reshape(T, n, -1)
    y = seen.linear(mixed, out_proj_weight, out_proj_bias)
    if not need_weights:
        return y, None
    return y, weights.mean(dim=1) if average_attn_weights else weights


def _apart(inputs: tuple[Array, ...], weights: tuple[Array, ...], bias: Any) -> list[Array]:
    """Queries, keys and values of different inputs."""
    biases = (None,) * 3 if bias is None else bias.chunk(3)
    return [F.linear(x, w, b) for x, w, b in zip(inputs, weights, biases)]


def _masked(scores: Array, mask: Any, padding: Any, is_causal: bool, shape: tuple[int, ...]) -> Array:
    """Scores with −∞, or what a mask adds, where a position is not looked at."""
    n, heads, T, S = shape
    if is_causal and mask is None:
        mask = torch.ones((T, S), dtype=torch.bool, device=scores.device).triu(1)
    if mask is not None:
        mask = mask.reshape(n, heads, T, S) if mask.ndim == 3 else mask
        scores = scores.masked_fill(mask, -torch.inf) if mask.dtype == torch.bool else scores + mask.to(scores.dtype)
    if padding is not None:
        padding = padding[:, None, None, :]
        scores = scores.masked_fill(padding, -torch.inf) if padding.dtype == torch.bool else scores + padding.to(scores.dtype)
    return scores
