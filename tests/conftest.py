"""What all tests share: the backends, and how many examples Hypothesis draws."""
import gc
import os

import pytest
from hypothesis import settings

from .backends import BACKENDS

# Numerical laws take as long as they take, so there is no deadline. Where CI is set, the same examples come every time;
# `--hypothesis-profile=ci` draws ten times as many.
settings.register_profile("default", deadline=None, max_examples=3, derandomize=bool(os.environ.get("CI")))
settings.register_profile("ci", deadline=None, max_examples=30, derandomize=True)
settings.load_profile("default")


def pytest_collection_finish():
    """The cases, some 20 000 objects that stay, are not looked through again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(params=BACKENDS, scope="session")
def backend(request):
    """Each array library in turn."""
    return request.param
