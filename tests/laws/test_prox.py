"""The mirror step solves the proximal problem: θ⁺ = argmin ⟨c, θ⟩ + B_ψ(θ : θ_t) / h."""
from infogeo.testing import assert_law
from infogeo.testing.equivalences import IDENTITIES

from ..registry import every_steep_manifold
from ..strategies import generic
from .drawn import drawn
from .objectives import Wavy


@every_steep_manifold
@drawn
def test_mirror_step_is_the_proximal_point(M, data):
    """Stationary, and no other point is better."""
    p, q = data.draw(generic(M, (4,), count=2))
    assert_law(IDENTITIES["prox is the dual step"].law, M, Wavy(M, q[0]), p, q, 0.3)
