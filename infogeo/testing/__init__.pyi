# laws
from .checks import check_dually_flat as check_dually_flat, check_exponential_family as check_exponential_family
from .geometry_laws import DUALLY_FLAT_LAWS as DUALLY_FLAT_LAWS
from .family_laws import EXPONENTIAL_FAMILY_LAWS as EXPONENTIAL_FAMILY_LAWS
from .law import BrokenLaw as BrokenLaw, Sides as Sides, assert_law as assert_law
from .formulas import derived as derived, smooth_region as smooth_region

from . import equivalences as equivalences

# runs and objectives
from .paths import assert_same_path as assert_same_path, taylor_slopes as taylor_slopes

# strategies
from .strategies import (
    batch_shapes as batch_shapes, curved_families as curved_families, etas as etas, exponential_families as exponential_families,
    manifolds as manifolds, mirror_maps as mirror_maps, mixture_families as mixture_families, objectives as objectives,
    symmetric_positive_definite as symmetric_positive_definite, thetas as thetas,
)
from .wavy import Wavy as Wavy
