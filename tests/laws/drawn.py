"""Examples that Hypothesis draws for a law: a quarter as many of a manifold on the registry's list of slow ones."""
import inspect

from hypothesis import given, settings
from hypothesis import strategies as st

from ..registry import is_slow

__all__ = ["drawn"]


def drawn(test):
    """``@given(data=st.data())`` for a test of a manifold M."""
    usual = given(data=st.data())(test)
    fewer = settings(max_examples=settings.default.max_examples // 4)(given(data=st.data())(test))

    def chosen(**arguments):
        (fewer if is_slow(arguments["M"]) else usual)(**arguments)

    for name in ("__name__", "__qualname__", "__module__", "__doc__"):
        setattr(chosen, name, getattr(test, name))
    chosen.__signature__ = inspect.signature(usual)         # what pytest is to hand over: all but the data
    return chosen
