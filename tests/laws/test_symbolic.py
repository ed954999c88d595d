"""Every manifold whose potential SymPy can hold is its potential and the derivatives of it, to rounding."""
import pytest

from infogeo.symbolic.compare import compare

from ..registry import PRIMAL

# SymPy does not differentiate K_p(x) in the order p; a series over all counts has no expression here, nor have truncations.
NOT_HELD = {"GeneralizedInverseGaussian", "ConwayMaxwellPoisson", "Truncated(Poisson, 0)", "Truncated(Exponential, 0, 2)"}
# The formula of a smaller one in a dimension where SymPy takes many seconds.
LARGE = {"MultivariateNormal(3)"}
HELD = {name: M for name, M in PRIMAL.items() if name not in NOT_HELD | LARGE}


@pytest.mark.parametrize("M", HELD.values(), ids=HELD)
def test_derivatives_of_the_potential(M):
    report = compare(M, count=3)
    assert report.worst < 1e-12, str(report)


@pytest.mark.parametrize("name", sorted(NOT_HELD & PRIMAL.keys()))
def test_what_is_not_held_says_so(name):
    with pytest.raises(TypeError, match="no symbolic potential"):
        compare(PRIMAL[name])
