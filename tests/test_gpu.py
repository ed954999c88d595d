"""Whether CuPy takes part: where it does, every test with a `backend` runs on it, too."""
import pytest

from infogeo.backend import is_cupy_available

from .backends import BACKENDS


@pytest.mark.gpu
def test_cupy_is_among_the_backends():
    if not is_cupy_available():
        pytest.skip("no CuPy with a CUDA device: no test runs on one")
    assert "cupy" in [backend.id for backend in BACKENDS]
