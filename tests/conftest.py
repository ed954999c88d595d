"""What all tests share: the backends, and how many examples Hypothesis draws."""
import os

import pytest
from hypothesis import settings

from .backends import BACKENDS

# Numerical laws take as long as they take, so there is no deadline; in CI the same examples come every time.
settings.register_profile("default", deadline=None, max_examples=8)
settings.register_profile("ci", deadline=None, max_examples=8, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.fixture(params=BACKENDS, scope="session")
def backend(request):
    """Each array library in turn."""
    return request.param
