"""infogeo: information geometry on NumPy and CuPy.

Dually flat manifolds with their two charts θ and η, exponential families and mirror maps, divergences, geodesics,
projections, and solvers (gradient, natural gradient, mirror descent) that share one loop.
"""
from importlib import import_module

from . import backend
from .backend import use_backend
from .domain import ConvexDomain, Domain, Integers, Interval, OpenSimplex, Orthant, PositiveDefinite, ProductDomain, RealSpace
from .errors import ConvergenceError, DomainError, InfogeoError, ShapeError
from .families.base import ExponentialFamily
from .families.bernoulli import Bernoulli
from .families.categorical import Categorical
from .families.dirichlet import Dirichlet
from .families.exponential import Exponential
from .families.gamma import Gamma
from .families.multivariate_normal import MultivariateNormal
from .families.normal import Normal
from .families.poisson import Poisson
from .geometry.divergence import bregman, canonical_divergence, jeffreys
from .geometry.geodesic import e_geodesic, m_geodesic
from .geometry.manifold import Dual, DuallyFlat, Riemannian
from .geometry.mirror_maps import Burg, Euclidean, LogDet, NegativeEntropy, PNorm, Quadratic
from .geometry.projection import AffineSubmanifold, e_project, m_project
from .packing import pack, unpack
from .solvers.descend import descend
from .solvers.objective import AffineMap, CrossEntropy, MiniBatch, Noisy, Objective, ReverseKL
from .solvers.result import Result, Status
from .solvers.step import Backtracking, Constant, Diminishing, Exact, RelativeSmooth, Step
from .solvers.update import GradientUpdate, MirrorUpdate, NaturalUpdate, Update

__version__ = "0.1.0"

__all__ = [
    # manifolds
    "Dual", "DuallyFlat", "ExponentialFamily", "Riemannian",
    # families
    "Bernoulli", "Categorical", "Dirichlet", "Exponential", "Gamma", "MultivariateNormal", "Normal", "Poisson",
    # mirror maps
    "Burg", "Euclidean", "LogDet", "NegativeEntropy", "PNorm", "Quadratic",
    # divergences, geodesics, projections
    "AffineSubmanifold", "bregman", "canonical_divergence", "e_geodesic", "e_project", "jeffreys", "m_geodesic", "m_project",
    # solvers
    "AffineMap", "Backtracking", "Constant", "CrossEntropy", "Diminishing", "Exact", "GradientUpdate", "MiniBatch",
    "MirrorUpdate", "NaturalUpdate", "Noisy",
    "Objective", "RelativeSmooth", "Result", "ReverseKL", "Status", "Step", "Update", "descend", "flow",
    # domains
    "ConvexDomain", "Domain", "Integers", "Interval", "OpenSimplex", "Orthant", "PositiveDefinite", "ProductDomain", "RealSpace",
    # arrays
    "backend", "pack", "unpack", "use_backend",
    # errors
    "ConvergenceError", "DomainError", "InfogeoError", "ShapeError",
    # studies
    "studies",
]

_LATER = {"flow": ".solvers.flow", "studies": ".studies"}    # imported on first use: they bring SciPy's integrators along


def __getattr__(name):
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(_LATER[name], __name__)
    value = module if name == "studies" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__():
    return sorted(__all__)
