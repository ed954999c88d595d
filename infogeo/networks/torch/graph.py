"""What the graph of an output says of the module: where parameters enter, seen or not, and functions with code of their own."""
from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch

__all__ = ["own_functions", "uses"]


def uses(u: Any, parameters: dict[str, Any]) -> Counter[str]:
    """How often each parameter, a leaf, is an argument of the functions that an output is made by."""
    names = {id(p): name for name, p in parameters.items()}
    found: Counter[str] = Counter()
    for node in _nodes(u):
        for above, _ in node.next_functions:
            leaf = getattr(above, "variable", None)
            if leaf is not None and id(leaf) in names:
                found[names[id(leaf)]] += 1
    return found


def own_functions(u: Any) -> list[str]:
    """The functions whose curves cannot be known: those with a backward pass of their own, and derivatives within a module."""
    return [node.name().removesuffix("Backward") for node in _nodes(u)
            if isinstance(node, torch.autograd.function.BackwardCFunction) or "BackwardBackward" in node.name()]


def _nodes(u: Any) -> Iterator[Any]:
    waiting, seen = [u.grad_fn], {None}
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        yield node
        waiting += [above for above, _ in node.next_functions]
