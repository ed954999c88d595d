"""What the study's figures stand on: grids that end at the boundary of a domain, and curves that lie on each other."""
import numpy as np
import pytest
from numpy.testing import assert_allclose

import infogeo as ig
from infogeo.studies.contours import columns
from infogeo.studies.figures import Lines


@pytest.mark.parametrize("domain, through, box, ends", [
    (ig.Categorical(3).dual.theta_domain, [0.5, 0.3], ((0.1, 0.9), (-0.2, 0.8)), lambda x: (0 * x, np.minimum(0.8, 1 - x))),
    (ig.Categorical(4).dual.theta_domain, [0.4, 0.3, 0.25], ((0.1, 0.6), (-0.1, 0.6)),
     lambda x: (0 * x, np.minimum(0.6, 0.75 - x))),
    (ig.Normal().dual.theta_domain, [0.0, 1.0], ((-1.0, 1.5), (-1.0, 3.0)), lambda x: (x**2, 3.0 + 0 * x)),
    (ig.Normal().theta_domain, [0.0, -0.5], ((-1.0, 1.0), (-2.0, 1.0)), lambda x: (-2.0 + 0 * x, 0 * x)),
])
def test_columns_reach_from_boundary_to_boundary(domain, through, box, ends):
    grid = columns(domain, np.array(through), *box)
    assert domain.contains(grid).all() and grid.shape[-1] == len(through)
    x, low, high = grid[0, :, 0], grid[0, :, 1], grid[-1, :, 1]
    bottom, top = ends(x)
    assert_allclose(low, bottom, atol=1e-5)
    assert_allclose(high, top, atol=1e-5)
    assert (np.diff(grid[..., 1], axis=0) > 0).all()
    np.testing.assert_array_equal(grid[..., 2:], np.broadcast_to(through[2:], (*grid.shape[:2], len(through) - 2)))


def test_curves_that_coincide_are_named():
    x = np.linspace(0.0, 1.0, 50)
    lines = Lines(0.01)
    assert lines.add("a", x, x**2) == ""
    assert lines.add("b", x, x**2 + 0.005) == "a"
    assert lines.add("c", x, x**2 + 0.02) == ""
    assert lines.add("d", x, np.where(x < 0.3, np.nan, x**2 + 0.02)) == "c"
    assert lines.add("e", x, x**2 + 0.02, own="d") == "c"
    assert lines.add("f", x, np.full(50, np.nan)) == ""
    assert lines.add("g", x + 5.0, x**2) == ""
