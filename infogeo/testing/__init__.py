"""What property-based tests of geometric claims need: strategies that draw manifolds and points, and checks of every law.

The checks, `assert_same_path` and `taylor_slopes` need NumPy only. The strategies need Hypothesis, which is imported when the
first of them is used.
"""
from importlib import import_module

from .checks import check_dually_flat, check_exponential_family
from .family_laws import EXPONENTIAL_FAMILY_LAWS
from .formulas import smooth_region
from .geometry_laws import DUALLY_FLAT_LAWS
from .law import BrokenLaw, Sides, assert_law
from .paths import assert_same_path, taylor_slopes
from .wavy import Wavy

_STRATEGIES = ["batch_shapes", "curved_families", "etas", "exponential_families", "manifolds", "mirror_maps", "mixture_families",
               "objectives", "symmetric_positive_definite", "thetas"]

__all__ = ["DUALLY_FLAT_LAWS", "EXPONENTIAL_FAMILY_LAWS", "BrokenLaw", "Sides", "Wavy", "assert_law", "assert_same_path",
           "check_dually_flat", "check_exponential_family", "smooth_region", "taylor_slopes", *_STRATEGIES]


def __getattr__(name):
    if name not in _STRATEGIES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(".strategies", __name__), name)


def __dir__():
    return sorted(__all__)
