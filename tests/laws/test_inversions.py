"""A row of an inversion is its own: its bits do not depend on the rows beside it."""
import numpy as np
import pytest

from infogeo.testing import smooth_region as region
from tests.registry import MIXTURES, PRIMAL

ROWS, ALONE = 1100, 50        # more than numerics.root.MANY: rows that are done leave the batch

# A closed form whose one sum, over five coordinates, is a matrix product: OpenBLAS takes rows by fours and the rest in another
# order. By np.vecdot, row by row, `to_theta` of 100 000 points took 1.67 ms in place of 1.25.
CLOSED = {"Categorical(6)"}
INVERTED = {name: M for name, M in (PRIMAL | MIXTURES).items() if name not in CLOSED}


@pytest.mark.parametrize("M", INVERTED.values(), ids=INVERTED)
def test_rows_alone_are_rows_of_a_batch(M):
    eta = M.to_eta(region(M).sample(np.random.default_rng(7), (ROWS,)))
    theta = M.to_theta(eta)
    assert np.all(np.isfinite(theta))
    taken = np.arange(0, ROWS, ROWS // ALONE)
    np.testing.assert_array_equal(np.stack([M.to_theta(eta[i]) for i in taken]), theta[taken])
    np.testing.assert_array_equal(M.to_theta(eta[::-1].copy())[::-1], theta)
