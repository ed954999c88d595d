"""Every manifold whose potential SymPy can hold has its derivatives, to rounding."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.symbolic.compare import compare
from infogeo.symbolic.library import symbolic_manifold

from ..registry import PRIMAL

# Those of which SymPy has no derivatives (of ζ(s) and of K_p in p), no form (a series, a power of absolute values), or
# whose potential is the sum of states that the families make themselves; and products of others at high dimension.
WITHOUT = {"Zeta", "ConwayMaxwellPoisson", "GeneralizedInverseGaussian", "PNorm(3, 1.5)", "PNorm(3, 3.0)", "BoltzmannMachine(3, chain)",
           "Hierarchical(independent)", "Hierarchical(pairs)"}
