"""Examples that Hypothesis draws for laws: half as many of a manifold on the registry's list of slow ones."""
import inspect

from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from infogeo.testing import assert_law

from ..registry import is_slow

__all__ = ["assert_laws", "drawn"]


def drawn(test):
    """``@given(data=st.data())`` for a test of a manifold M."""
    def but_the_simplest(M, data):
        """Hypothesis begins with the interior point, of which a slow manifold sees nothing new."""
        assume(data.draw(st.integers(0, 100)) > 0)
        test(M, data)

    usual = given(data=st.data())(test)
    few = settings(max_examples=max(1, settings.default.max_examples // 2), phases=[Phase.generate])     # shrinking takes minutes
    fewer = few(given(data=st.data())(but_the_simplest))

    def chosen(**arguments):
        (fewer if is_slow(arguments["M"]) else usual)(**arguments)

    for name in ("__name__", "__qualname__", "__module__", "__doc__"):
        setattr(chosen, name, getattr(test, name))
    chosen.__signature__ = inspect.signature(usual)         # what pytest is to hand over: all but the data
    return chosen


def assert_laws(laws, M, *arguments):
    """Assert every one of the laws at the same points: drawing them costs more than a law."""
    for law in laws:
        assert_law(law, M, *arguments)
