# manifolds and models
from .manifold import SymbolicManifold as SymbolicManifold
from .library import symbolic_manifold as symbolic_manifold, symbolic_potential as symbolic_potential
from .embedding import SymbolicSubmanifold as SymbolicSubmanifold, pull_back as pull_back
from .parametric import ParametricModel as ParametricModel

# from text and densities
from .parsing import FormulaError as FormulaError, parse as parse
from .density import (
    ExponentialForm as ExponentialForm, NotExponentialFamily as NotExponentialFamily, from_density as from_density,
)
from .derive import derive as derive

# on arrays
from .compiled import CompiledFamily as CompiledFamily, CompiledManifold as CompiledManifold
from .compiled_model import CompiledModel as CompiledModel
from .compare import Comparison as Comparison, compare as compare

# functions for formulas
from .functions import Log1pExp as Log1pExp, LogSumExp as LogSumExp, MultiGammaLn as MultiGammaLn
from .algebra import NoClosedForm as NoClosedForm
