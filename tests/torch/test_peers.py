"""Attention, recurrence and skip connections beside curvlinops: vᵀ C v for two directions v and every curvature C.

Figures of curvlinops 3.0.1 with PyTorch 2.13.0, ``benchmarks/torch_facts.py``.
"""
import pytest
import torch
from torch import nn

from infogeo import Categorical
from infogeo import curvature as C
from infogeo.domains import SymmetricSoftmax
from infogeo.networks import ConditionalModel, TorchNetwork

from .modules import BESIDE_PEERS, CLASSES, for_peers, probe

FIGURES = {
    "encoder": {
        "GGN": (9.325570128295114, 5.1061823182330865),
        "expand": (6.197896750258844, 3.7308027895006908),
        "reduce": (6.197795716756932, 3.7306985168590927),
        "per example": (7.429202187678581, 4.342221579628232),
    },
    "lstm": {
        "GGN": (0.37405144702484167, 0.3315883197254643),
        "expand": (0.5796062099942161, 0.27049382226658125),
        "reduce": (0.5796062099942161, 0.27049382226658125),
        "per example": (0.43139943392277064, 0.36283373152742343),
    },
    "resnet": {
        "GGN": (0.6687584897296832, 0.42173441963293046),
        "expand": (0.5881402751773103, 0.2404948952964774),
        "reduce": (0.5798641475230482, 0.2336210416453391),
        "per example": (0.8511957219796619, 0.6125265419680044),
    },
}
CURVATURES = {
    "GGN": C.fisher, "per example": C.empirical_fisher,
    "expand": lambda *given: C.kfac(*given, sharing=C.Expand()), "reduce": lambda *given: C.kfac(*given, sharing=C.Reduce()),
}


@pytest.mark.parametrize("name", sorted(BESIDE_PEERS))
@pytest.mark.parametrize("what", sorted(CURVATURES))
def test_curvature(name, what):
    module, shape, x, y = for_peers(name)
    network = TorchNetwork(module, shape)
    model = ConditionalModel(network, Categorical(CLASSES), SymmetricSoftmax(CLASSES))
    found = CURVATURES[what](model, network.weights(), (x, y))
    for k, expected in enumerate(FIGURES[name][what]):
        v = probe(module, k)
        if what in ("expand", "reduce"):            # of what curvlinops knows
            known = {id(p) for part in module.modules() if type(part) in (nn.Linear, nn.Conv2d) for p in part.parameters()}
            v = {key: t if id(p) in known else torch.zeros_like(t) for (key, t), p in zip(v.items(), module.parameters())}
        v = network.flattened(v)
        assert float(v @ found.matvec(v)) == pytest.approx(expected, rel=1e-10)
