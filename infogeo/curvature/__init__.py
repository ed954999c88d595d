"""Curvature of conditional models: Fisher metrics and their approximations, each a function ``(model, w, batch, …)`` that gives a
linear operator on weights."""
from .block_diagonal import block_diagonal
from .curvature_propagation import (PropagatedFactors, complex_curvature_propagation, cross_layer_curvature_propagation,
                                    curvature_propagation, gauss_newton_diagonal, hessian_diagonal, hessian_estimate,
                                    input_gradient, input_hessian_diagonal, within_layer_hessian)
from .damping import Damping, FactoredTikhonov, KrylovTikhonov, Tikhonov, Undamped
from .deep_linear import deep_linear
from .diagonal import diagonal_fisher
from .ekfac import EigenFactors, ekfac
from .fisher import empirical_fisher, fisher, sampled_fisher
from .hessian import hessian
from .kfac import kfac
from .kfac_tridiagonal import ChainFactors, kfac_tridiagonal
from .kronecker_factors import CappedAverage, KroneckerFactors, RunningAverage
from .low_rank import OnlineDiagonalPlusLowRank, OnlineLowRank, low_rank_fisher
from .noise import Noise, NormalNoise, SignNoise, UnitVectors
from .outputs import ExactColumns, Observed, Outputs, RandomSigns, Sampled
from .sharing import Expand, Reduce, Sharing
from .unitwise import gaussian_unit_fisher, quasi_diagonal, unitwise_fisher
from .weight_space import WeightSpace

__all__ = ["CappedAverage", "ChainFactors", "Damping", "EigenFactors", "ExactColumns", "Expand", "FactoredTikhonov",
           "KroneckerFactors", "KrylovTikhonov", "Noise", "NormalNoise", "Observed", "OnlineDiagonalPlusLowRank",
           "OnlineLowRank", "Outputs", "PropagatedFactors", "RandomSigns", "Reduce", "RunningAverage", "Sampled", "Sharing",
           "SignNoise", "Tikhonov", "Undamped", "UnitVectors", "WeightSpace", "block_diagonal", "complex_curvature_propagation",
           "cross_layer_curvature_propagation", "curvature_propagation", "deep_linear", "diagonal_fisher", "ekfac",
           "empirical_fisher", "fisher", "gauss_newton_diagonal", "gaussian_unit_fisher", "hessian", "hessian_diagonal",
           "hessian_estimate", "input_gradient", "input_hessian_diagonal", "kfac", "kfac_tridiagonal", "low_rank_fisher",
           "quasi_diagonal", "sampled_fisher", "unitwise_fisher", "within_layer_hessian"]
