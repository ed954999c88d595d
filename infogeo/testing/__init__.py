"""What property-based tests of geometric claims need: strategies that draw manifolds and points, and checks of every law.

The checks, `assert_same_path` and `taylor_slopes` need NumPy only. The strategies need Hypothesis, which is imported when the
first of them is used.
"""
from ..face import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
