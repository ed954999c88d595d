"""Figures of curvlinops and torch.func for modules with attention, recurrence and skip connections: facts of tests/torch.

    python benchmarks/curvature_peers.py PEERS
    PEERS/torch/bin/python benchmarks/torch_facts.py

Prints vᵀ C v for two directions v and every curvature C, as the dictionary of tests/torch/test_peers.py: the generalised
Gauss–Newton matrix, the Kronecker-factored one, expanded and reduced, of the `Linear` and `Conv2d` modules (which are what
curvlinops knows), and the mean of the squared products with the gradients of the samples. The interpreter needs what this package
needs, too: NumPy, SciPy, SymPy, array-api-compat, lazy-loader, threadpoolctl, array-api-strict, pytest.
"""
import sys
from pathlib import Path

import torch
from torch import nn
from torch.func import functional_call, grad
from torch.nn.attention import SDPBackend, sdpa_kernel

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.torch.modules import BESIDE_PEERS, for_peers, probe  # noqa: E402


def inner(a, b):
    return sum(float((s * t).sum()) for s, t in zip(a, b))


def ggn(module, x, y, v):
    from curvlinops import GGNLinearOperator
    parameters = list(module.parameters())
    operator = GGNLinearOperator(module, nn.CrossEntropyLoss(), parameters, [(x, y)], check_deterministic=False)
    return inner(operator @ list(v.values()), v.values())


def kfac(module, x, y, v, kind):
    from curvlinops import FisherType, KFACLinearOperator
    names = known(module)
    held = dict(module.named_parameters())
    operator = KFACLinearOperator(module, nn.CrossEntropyLoss(), [held[name] for name in names], [(x, y)],
                                  check_deterministic=False, fisher_type=FisherType.TYPE2, kfac_approx=kind,
                                  separate_weight_and_bias=False)
    return inner(operator @ [v[name] for name in names], [v[name] for name in names])


def known(module):
    """The parameters of `Linear` and `Conv2d` modules that are called as such, those of attention not."""
    return [f"{name}.{p}" for name, part in module.named_modules() if type(part) in (nn.Linear, nn.Conv2d) for p, _ in
            part.named_parameters()]


def squared(module, x, y, v):
    held = {name: p.detach() for name, p in module.named_parameters()}

    def loss(p, x, y):
        return nn.functional.cross_entropy(functional_call(module, p, (x[None],)), y[None])

    gradients = [grad(loss)(held, a, b) for a, b in zip(x, y)]
    return sum(inner([g[name] for name in v], v.values()) ** 2 for g in gradients) / len(x)


def main():
    torch.backends.mha.set_fastpath_enabled(False)
    with sdpa_kernel([SDPBackend.MATH]):                # the only one with forward derivatives
        show()


def show():
    for name in BESIDE_PEERS:
        module, _, x, y = for_peers(name)
        found = {}
        for what, f in (("GGN", ggn), ("expand", lambda *a: kfac(*a, "expand")), ("reduce", lambda *a: kfac(*a, "reduce")),
                        ("per example", squared)):
            try:
                found[what] = tuple(f(module, x, y, probe(module, k)) for k in range(2))
            except Exception as error:
                print(name, what, type(error).__name__, error, file=sys.stderr)
        print(f"    {name!r}: {found},")


if __name__ == "__main__":
    main()
