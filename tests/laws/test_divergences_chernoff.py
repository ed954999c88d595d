"""Chernoff information: the largest skew divergence, attained where the two canonical divergences are equal."""
import numpy as np
import pytest

from infogeo.geometry.divergences.chernoff import chernoff_information
from infogeo.geometry.divergences.skew import jensen_bregman
from infogeo.testing import assert_law
from infogeo.testing.law import at_least, equal

from ..registry import ONCE, is_slow, region

# All, and the dual manifolds of those that are not slow: an inversion at every step would take seconds.
SOME = {name: M for name, M in ONCE.items() if not (is_slow(M) and name.endswith(".dual"))}
every_quick_manifold = pytest.mark.parametrize("M", SOME.values(), ids=SOME)


def chernoff_information_is_the_largest_skew_divergence(M, p, q):
    """C = max_s J_s = D(θ_s‖p) = D(θ_s‖q) at its s, and C(p, q) = C(q, p) with 1 − s for s."""
    C, s = chernoff_information(M, p, q)
    middle = s[..., None] * p + (1 - s[..., None]) * q
    yield equal("D(θ_s‖p)", M.divergence(middle, p), "C", C, 1e-9 * C)
    yield equal("D(θ_s‖q)", M.divergence(middle, q), "C", C, 1e-9 * C)
    yield at_least("s", s, "0", 0.0)
    yield at_least("1", 1.0, "s", s)
    for other in np.linspace(0.05, 0.95, 7):
        yield at_least("C", C, "J_s elsewhere", jensen_bregman(M, p, q, other), 1e-12 * C)
    swapped = chernoff_information(M, q, p)
    yield equal("C(q, p)", swapped.value, "C(p, q)", C, 1e-12 * C)
    yield equal("its skew", swapped.skew, "1 − s", 1 - s, 1e-9)


@every_quick_manifold
def test_chernoff_information(M):
    rng, primal = np.random.default_rng(83), getattr(M, "primal", M)
    p, q = (region(primal).sample(rng, (4,), 0.5) for _ in range(2))
    assert_law(chernoff_information_is_the_largest_skew_divergence, M, *((p, q) if M is primal else map(primal.to_eta, (p, q))))


@every_quick_manifold
def test_of_one_point(M):
    """Zero, and the middle by agreement."""
    primal = getattr(M, "primal", M)
    p = region(primal).sample(np.random.default_rng(84), (2,), 0.5)
    p = p if M is primal else primal.to_eta(p)
    C, s = chernoff_information(M, p, p)
    assert np.all(C == 0.0) and np.all(s == 0.5)
