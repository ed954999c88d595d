"""Samples: of the right shape, in the support, of the arrays' library and dtype, the same for the same generator."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.testing import assert_law
from infogeo.testing.family_laws import samples_have_their_shape_and_lie_in_the_support

from ..backends import every_dtype
from ..registry import every_family, region


@every_family
def test_shapes(M):
    for batch in ((), (3,), (2, 3)):
        theta = region(M).sample(np.random.default_rng(121), batch, 0.3)
        assert_law(samples_have_their_shape_and_lie_in_the_support, M, theta, np.random.default_rng(122))
        assert M.sample(np.random.default_rng(122), theta, 4).shape == (4, *batch, *M.support.shape)


@every_dtype
@every_family
def test_every_backend(M, backend, dtype):
    """A NumPy generator serves every backend, with the same draws."""
    theta = region(M).sample(np.random.default_rng(123), (3,), 0.3).astype(dtype)
    expected = M.sample(np.random.default_rng(124), theta, 5)
    own = backend.check(M.sample(np.random.default_rng(124), backend.make(theta, dtype), 5), dtype)
    assert np.allclose(own, expected, rtol=3e-5 if dtype == "float32" else 1e-12)


@every_family
def test_same_generator_same_sample(M):
    theta = region(M).sample(np.random.default_rng(125), (), 0.3)
    first, again, other = (M.sample(np.random.default_rng(seed), theta, 50) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


@every_family
def test_rows_are_independent_of_each_other(M):
    """Two rows with the same parameters do not get the same draws."""
    theta = np.stack([region(M).sample(np.random.default_rng(126), (), 0.3)] * 2)
    x = M.sample(np.random.default_rng(127), theta, 50)
    assert not np.array_equal(x[:, 0], x[:, 1])


@every_family
def test_bad_arguments(M):
    theta = region(M).sample(np.random.default_rng(128), (), 0.3)
    with pytest.raises(TypeError, match="rng must be a numpy.random.Generator"):
        M.sample(0, theta, 5)
    with pytest.raises(ig.DomainError, match="theta must satisfy"):
        M.sample(np.random.default_rng(0), theta * np.nan, 5)
