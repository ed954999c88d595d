"""What property-based tests of geometric claims need: strategies that draw manifolds and points, and checks of every law.

The checks, `assert_same_path` and `taylor_slopes` need NumPy only. The strategies need Hypothesis, which is imported when the
first of them is used.
"""
import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
