"""Every identity of natural gradient and mirror descent, over the registered manifolds where no other file of this folder is.

The numbers P1 … P23 are those of the page of laws, which says which test of this folder holds which.
"""
import numpy as np
import pytest

import infogeo as ig
from infogeo.testing import Wavy
from infogeo.testing.equivalences import IDENTITIES

from ..registry import PRIMAL, is_slow, region

# Those that no other file of this folder holds over the registry: of any manifold, and of a family
OF_MANIFOLDS = ["corrected steps in two charts", "relative smoothness of the forward divergence", "three points of a step"]
OF_FAMILIES = ["em is mirror descent", "online natural gradient is fisher efficient", "running mean is mirror descent"]
QUICK = {name: M for name, M in PRIMAL.items() if not is_slow(M)}


def assert_holds(identity, M):
    """At points of the bulk, for a wavy objective; returns how much was compared."""
    compared = 0
    for N in identity.manifolds(M):
        rng = np.random.default_rng(3)
        points = {name: region(N).sample(rng, (3,), 0.3) for name in ("theta", "p", "q", "r")}
        everything = points | {"f": Wavy(N, region(N).sample(rng, (), 0.3)), "h": 0.1, "rng": rng}
        for sides in identity.sides(N, **{name: everything[name] for name in identity.needs}):
            compared += 1
            assert not sides.wrong.any(), f"{N!r}, {identity.name}: {sides}"
    return compared


@pytest.mark.parametrize("M", QUICK.values(), ids=QUICK)
def test_over_the_registry(M):
    for name in OF_MANIFOLDS if M.steep else OF_MANIFOLDS[:1]:
        assert assert_holds(IDENTITIES[name], M)
    if isinstance(M, ig.ExponentialFamily):
        for name in OF_FAMILIES:
            assert assert_holds(IDENTITIES[name], M)
    for identity in IDENTITIES["conjugate posterior in one step"], IDENTITIES["expansion of the squared distance"]:
        assert (assert_holds(identity, M) > 0) == bool(identity.manifolds(M))


@pytest.mark.parametrize("identity", IDENTITIES.values(), ids=IDENTITIES)
def test_every_identity(identity):
    """On manifolds of every kind of loop."""
    for M in ig.Categorical(3), ig.Categorical(4).dual, ig.Gamma(), ig.Normal():
        assert (assert_holds(identity, M) > 0) == bool(identity.manifolds(M))
