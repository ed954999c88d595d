"""Ordinary parameters and θ are inverse to each other, and both directions check what they are given."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.testing import assert_law
from infogeo.testing.family_laws import parameters_and_theta_are_inverse

from ..backends import every_dtype
from ..registry import every_family, region
from ..strategies import bulk
from .drawn import drawn


@every_family
@drawn
def test_inverse(M, data):
    assert_law(parameters_and_theta_are_inverse, M, data.draw(bulk(M)))


@every_dtype
@every_family
def test_every_backend(M, backend, dtype):
    theta = region(M).sample(np.random.default_rng(141), (3,), 0.3)
    expected = M.parameters(theta)
    own = M.parameters(backend.make(theta, dtype))
    for name in expected:
        close = dict(rtol=1e-3, atol=1e-4) if dtype == "float32" else dict(rtol=1e-12, atol=1e-13)
        assert np.allclose(backend.check(own[name], dtype), expected[name], **close)
    backend.check(M.theta_from(**own), dtype)


@every_family
def test_lists_are_accepted(M):
    theta = region(M).sample(np.random.default_rng(142), (2,), 0.3)
    parameters = {name: x.tolist() for name, x in M.parameters(theta).items()}
    assert np.array_equal(M.theta_from(**parameters), M.theta_from(**M.parameters(theta)))


@every_family
def test_bad_parameters(M):
    good = M.parameters(M.theta_domain.interior_point)
    assert not any(isinstance(x, np.ndarray) and x.ndim == 0 for x in good.values()), "numbers, of one point"
    for name in good:
        bad = good | {name: good[name] * np.nan}
        with pytest.raises(ig.DomainError, match=f"^{name} must satisfy"):
            M.theta_from(**bad)
        with pytest.raises(TypeError, match="takes the parameters"):
            M.theta_from(**{other: x for other, x in good.items() if other != name})
    with pytest.raises(TypeError, match="takes the parameters"):
        M.theta_from(**good, temperature=1.0)
