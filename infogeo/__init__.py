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
    # families: counts
    "Bernoulli", "Binomial", "Categorical", "ConwayMaxwellPoisson", "Geometric", "LogSeries", "Multinomial", "NegativeBinomial",
    "Poisson", "Zeta",
    # families: positive numbers
    "Chi", "ChiSquared", "Erlang", "Exponential", "Gamma", "GeneralizedInverseGaussian", "HalfNormal", "InverseGamma",
    "InverseGaussian", "LogNormal", "Pareto", "Rayleigh", "Weibull",
    # families: unit interval and simplex
    "Beta", "ContinuousBernoulli", "Dirichlet", "GeneralizedDirichlet", "LogitNormal",
    # families: the line
    "Gumbel", "Laplace", "Normal", "NormalKnownMean", "NormalKnownVariance",
    # families: vectors and matrices
    "ComplexNormal", "DiagonalNormal", "InverseWishart", "IsotropicNormal", "MatrixNormalKnownCovariances", "MultivariateNormal",
    "MultivariateNormalKnownCovariance", "NormalGamma", "NormalInverseWishart", "NormalWishart", "Wishart",
    # families: directions
    "VonMises", "VonMisesFisher",
    # families: finite state spaces
    "BoltzmannMachine", "Hierarchical", "LogLinear",
    # families made of families, and what goes with them
    "Conjugacy", "Curved", "Embedding", "Independent", "MixtureFamily", "Product", "SufficientStatistics", "Transformed",
    "Truncated",
    # mirror maps
    "Burg", "Euclidean", "LogDet", "NegativeEntropy", "PNorm", "Quadratic",
    # models with a closed Fisher–Rao geometry that are no exponential families
    "HalfSpace", "LocationScale", "LogLocationScale",
    # divergences
    "ChernoffInformation", "Estimate", "Integration", "MonteCarlo", "Quadrature", "States", "alpha_divergence", "bhattacharyya",
    "bregman", "canonical_divergence", "chernoff_information", "chi_squared", "f_divergence", "fenchel_young", "hellinger",
    "jeffreys", "jensen_bregman", "jensen_shannon", "renyi", "squared_hellinger", "total_bregman", "total_variation", "tsallis",
    # connections, curvature, geodesics, distances
    "alpha_exp_map", "alpha_geodesic", "calvo_oller_bound", "christoffel", "christoffel_first", "covariant_derivative",
    "cubic_tensor", "e_geodesic", "exp_map", "jeffreys_bound", "log_map", "m_geodesic", "parallel_transport", "ricci",
    "riemann_tensor", "riemannian_distance", "riemannian_geodesic", "scalar_curvature", "sectional_curvature",
    # volumes, asymptotics
    "Cubature", "ImportanceSampling", "Region", "UniformSampling", "asymptotic_complexity", "e_embedding_curvature",
    "embedding_curvature", "information_loss", "integral", "jeffreys_density", "log_jeffreys_density",
    "m_embedding_curvature", "parametric_complexity", "second_order_bias", "second_order_covariance", "total_volume", "volume",
    # projections, centroids, clusters
    "AffineConstraints", "AffineSubmanifold", "AlternatingProjections", "BregmanClusters", "EnclosingBall", "FlatSet",
    "Halfspaces", "InteractionOrders", "Intersection", "alternating_projections", "badoiu_clarkson", "bayes_error_exponent",
    "bregman_information", "bregman_kmeans", "cyclic_projections", "e_project", "enclosing_ball", "frechet_mean",
    "hoeffding_exponents", "interaction_orders", "jeffreys_centroid", "jensen_centroid", "jensen_shannon_centroid",
    "kmeans_plus_plus", "left_centroid", "m_project", "proportional_fitting", "right_centroid", "sinkhorn",
    "total_bregman_centroid",
    # solvers
    "AffineMap", "Backtracking", "Constant", "CrossEntropy", "Diminishing", "Exact", "GradientUpdate", "MiniBatch",
    "MirrorUpdate", "NaturalUpdate", "Noisy", "Objective", "RelativeSmooth", "Result", "ReverseKL", "Status", "Step", "Update",
    "Moment", "Snapshot", "descend", "flow",
    # networks and their curvature
    "ConditionalModel", "ConvNet", "Damping", "ExactColumns", "Expand", "FactoredTikhonov", "KrylovTikhonov",
    "LinearOperator", "MLP", "Observed", "Outputs", "RandomSigns", "Reduce", "Sampled", "Sequential", "Tikhonov", "Undamped",
    "WeightSpace", "block_diagonal", "curvature_propagation", "deep_linear", "diagonal_fisher", "ekfac", "empirical_fisher",
    "fisher", "hessian", "hessian_diagonal", "hessian_estimate", "kfac", "kfac_tridiagonal", "low_rank_fisher",
    "quasi_diagonal", "sampled_fisher", "unitwise_fisher", "within_layer_hessian",
    # domains
    "ConvexDomain", "Domain", "Integers", "Interval", "OpenSimplex", "Orthant", "PositiveDefinite", "ProductDomain", "RealSpace",
    # arrays
    "backend", "pack", "unpack", "use_backend",
    # errors
    "ConvergenceError", "DomainError", "InfogeoError", "ShapeError",
    # packages
    "clustering", "curvature", "networks", "operators", "studies", "symbolic", "testing", "training",
]

# Imported on first use: the families beyond the first eight, networks and curvature, and what brings SciPy's integrators or
# Hypothesis along.
_MODULES = {
    "families": {
        "interaction": ["InteractionOrders", "interaction_orders"],
        "beta": ["Beta"],
        "binomial": ["Binomial", "Multinomial"],
        "boltzmann": ["BoltzmannMachine"],
        "chi": ["Chi", "ChiSquared"],
        "complex_normal": ["ComplexNormal"],
        "conjugate": ["Conjugacy"],
        "continuous_bernoulli": ["ContinuousBernoulli"],
        "conway_maxwell_poisson": ["ConwayMaxwellPoisson"],
        "curved": ["Curved", "Embedding"],
        "diagonal_normal": ["DiagonalNormal"],
        "erlang": ["Erlang"],
        "generalized_dirichlet": ["GeneralizedDirichlet"],
        "generalized_inverse_gaussian": ["GeneralizedInverseGaussian"],
        "geometric": ["Geometric", "NegativeBinomial"],
        "gumbel": ["Gumbel"],
        "half_normal": ["HalfNormal"],
        "hierarchical": ["Hierarchical"],
        "inverse_gamma": ["InverseGamma"],
        "inverse_gaussian": ["InverseGaussian"],
        "isotropic_normal": ["IsotropicNormal"],
        "known_covariance": ["MatrixNormalKnownCovariances", "MultivariateNormalKnownCovariance"],
        "volume": ["Cubature", "ImportanceSampling", "Region", "UniformSampling", "integral", "jeffreys_density",
                   "log_jeffreys_density", "volume"],
        "complexity": ["asymptotic_complexity", "parametric_complexity", "total_volume"],
        "embedding_curvature": ["e_embedding_curvature", "embedding_curvature", "information_loss", "m_embedding_curvature",
                                "second_order_bias", "second_order_covariance"],
        "location_scale": ["LocationScale", "LogLocationScale"],
        "normal_geodesic": ["calvo_oller_bound"],
        "laplace": ["Laplace"],
        "log_linear": ["LogLinear"],
        "log_normal": ["LogitNormal", "LogNormal"],
        "log_series": ["LogSeries"],
        "mixture": ["MixtureFamily"],
        "normal_known": ["NormalKnownMean", "NormalKnownVariance"],
        "normal_wishart": ["NormalGamma", "NormalInverseWishart", "NormalWishart"],
        "pareto": ["Pareto"],
        "product": ["Independent", "Product"],
        "statistics": ["SufficientStatistics"],
        "transformed": ["Transformed"],
        "truncated": ["Truncated"],
        "von_mises_fisher": ["VonMises", "VonMisesFisher"],
        "weibull": ["Rayleigh", "Weibull"],
        "wishart": ["InverseWishart", "Wishart"],
        "zeta": ["Zeta"],
    },
    "geometry": {
        "exponents": ["bayes_error_exponent", "hoeffding_exponents"],
        "kmeans": ["BregmanClusters", "bregman_kmeans", "kmeans_plus_plus"],
        "enclosing_ball": ["EnclosingBall", "badoiu_clarkson", "enclosing_ball"],
        "centroid": ["bregman_information", "frechet_mean", "jeffreys_centroid", "jensen_centroid",
                     "jensen_shannon_centroid", "left_centroid", "right_centroid", "total_bregman_centroid"],
        "proportional_fitting": ["proportional_fitting", "sinkhorn"],
        "alternating": ["AlternatingProjections", "alternating_projections", "cyclic_projections"],
        "projection": ["AffineConstraints", "FlatSet", "Halfspaces", "Intersection"],
        "alpha": ["alpha_divergence", "chi_squared", "hellinger", "renyi", "squared_hellinger", "tsallis"],
        "chernoff": ["ChernoffInformation", "chernoff_information"],
        "connection": ["christoffel", "christoffel_first", "covariant_derivative", "cubic_tensor", "parallel_transport"],
        "curvature_tensor": ["ricci", "riemann_tensor", "scalar_curvature", "sectional_curvature"],
        "divergence": ["fenchel_young"],
        "f_divergence": ["f_divergence", "jensen_shannon", "total_variation"],
        "geodesic": ["alpha_exp_map", "alpha_geodesic", "exp_map", "jeffreys_bound", "log_map", "riemannian_distance",
                     "riemannian_geodesic"],
        "half_plane": ["HalfSpace"],
        "integration": ["Estimate", "Integration", "MonteCarlo", "Quadrature", "States"],
        "skew": ["bhattacharyya", "jensen_bregman"],
        "total_bregman": ["total_bregman"],
    },
    "networks": {
        "model": ["ConditionalModel"],
        "network": ["ConvNet", "MLP", "Sequential"],
    },
    "operators": {
        "base": ["LinearOperator"],
    },
    "curvature": {
        "block_diagonal": ["block_diagonal"],
        "curvature_propagation": ["curvature_propagation", "hessian_diagonal", "hessian_estimate", "within_layer_hessian"],
        "deep_linear": ["deep_linear"],
        "diagonal": ["diagonal_fisher"],
        "ekfac": ["ekfac"],
        "fisher": ["empirical_fisher", "fisher", "sampled_fisher"],
        "hessian": ["hessian"],
        "kfac": ["kfac"],
        "kfac_tridiagonal": ["kfac_tridiagonal"],
        "low_rank": ["low_rank_fisher"],
        "sharing": ["Expand", "Reduce"],
        "unitwise": ["quasi_diagonal", "unitwise_fisher"],
        "damping": ["Damping", "FactoredTikhonov", "KrylovTikhonov", "Tikhonov", "Undamped"],
        "outputs": ["ExactColumns", "Observed", "Outputs", "RandomSigns", "Sampled"],
        "weight_space": ["WeightSpace"],
    },
    "solvers": {
        "flow": ["flow"],
        "moment": ["Moment", "Snapshot"],
    },
}
_PACKAGES = ("clustering", "curvature", "networks", "operators", "studies", "symbolic", "testing", "training")
_LATER = {name: f".{package}.{module}" for package, modules in _MODULES.items() for module, names in modules.items()
          for name in names} | {name: f".{name}" for name in _PACKAGES}


def __getattr__(name):
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(_LATER[name], __name__)
    value = getattr(module, name, module)
    globals()[name] = value
    return value


def __dir__():
    return sorted(__all__)
