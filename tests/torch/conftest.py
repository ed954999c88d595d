"""Tests of what stands on PyTorch: collected in its own run of the tests alone, INFOGEO_TEST_ARRAYS=torch."""
import pytest

from ..backends import CHOSEN

collect_ignore_glob = [] if CHOSEN == "torch" else ["test_*.py"]


@pytest.fixture(autouse=True)
def on_torch(backend):
    """Each test is one of the library that the run is of."""
