"""The isometric packing of symmetric matrices."""
import numpy as np
import pytest

from infogeo.numerics import packing

SQRT2 = np.sqrt(2.0)


def symmetric(p, batch, seed=0):
    matrix = np.random.default_rng(seed).standard_normal((*batch, p, p))
    return matrix + matrix.mT


def test_by_hand():
    """The upper triangle row by row, off-diagonal entries × √2."""
    matrix = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 5.0], [3.0, 5.0, 6.0]])
    np.testing.assert_allclose(packing.pack(matrix), [1.0, 2 * SQRT2, 3 * SQRT2, 4.0, 5 * SQRT2, 6.0], rtol=1e-15)
    np.testing.assert_allclose(packing.unpack(np.array([1.0, SQRT2, 5.0]), 2), [[1.0, 1.0], [1.0, 5.0]], rtol=1e-15)


@pytest.mark.parametrize("p", [1, 2, 5])
def test_round_trip_and_isometry(p):
    a, b = symmetric(p, (4, 3)), symmetric(p, (4, 3), seed=1)
    packed = packing.pack(a)
    assert packed.shape == (4, 3, packing.packed_size(p)) == (4, 3, p * (p + 1) // 2)
    np.testing.assert_allclose(packing.unpack(packed, p), a, rtol=1e-14)
    np.testing.assert_allclose(np.sum(packed * packing.pack(b), axis=-1), np.trace(a @ b, axis1=-2, axis2=-1), rtol=1e-12)


def test_the_antisymmetric_part_is_dropped():
    matrix = np.array([[1.0, 5.0], [1.0, 2.0]])
    np.testing.assert_allclose(packing.pack(matrix), [1.0, 3 * SQRT2, 2.0], rtol=1e-15)


def test_float32_is_kept():
    packed = packing.pack(symmetric(3, ()).astype(np.float32))
    assert packed.dtype == np.float32 and packing.unpack(packed, 3).dtype == np.float32
