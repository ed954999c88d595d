"""Geometry in symbols: the closed forms of a formula, kernels on arrays made of them, and numbers checked against them."""
from .algebra import NoClosedForm
from .compare import Comparison, compare
from .compiled import CompiledFamily, CompiledManifold
from .compiled_model import CompiledModel
from .density import ExponentialForm, NotExponentialFamily, from_density
from .derive import derive
from .embedding import PullBack, pull_back
from .functions import Log1pExp, LogSumExp, MultiGammaLn
from .library import symbolic_manifold, symbolic_potential
from .manifold import SymbolicManifold
from .parametric import ParametricModel
from .parsing import FormulaError, parse

__all__ = ["Comparison", "CompiledFamily", "CompiledManifold", "CompiledModel", "ExponentialForm", "FormulaError", "Log1pExp",
           "LogSumExp", "MultiGammaLn", "NoClosedForm", "NotExponentialFamily", "ParametricModel", "PullBack", "SymbolicManifold",
           "compare", "derive", "from_density", "parse", "pull_back", "symbolic_manifold", "symbolic_potential"]
