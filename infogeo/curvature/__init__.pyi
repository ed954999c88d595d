# Fisher metrics and Hessians
from .fisher import empirical_fisher as empirical_fisher, fisher as fisher, sampled_fisher as sampled_fisher
from .hessian import hessian as hessian
from .block_diagonal import block_diagonal as block_diagonal
from .diagonal import diagonal_fisher as diagonal_fisher
from .unitwise import (
    gaussian_unit_fisher as gaussian_unit_fisher, quasi_diagonal as quasi_diagonal, unitwise_fisher as unitwise_fisher,
)
from .normal_units import normal_units as normal_units
from .deep_linear import deep_linear as deep_linear, layerwise_natural as layerwise_natural

# Kronecker factors
from .kfac import kfac as kfac
from .kfac_tridiagonal import ChainFactors as ChainFactors, kfac_tridiagonal as kfac_tridiagonal
from .ekfac import EigenFactors as EigenFactors, ekfac as ekfac
from .unit_factors import QuasiDiagonalFactors as QuasiDiagonalFactors, UnitFactors as UnitFactors
from .unit_low_rank import UnitLowRank as UnitLowRank
from .layer_factors import LayerFactors as LayerFactors
from .kronecker_factors import (
    CappedAverage as CappedAverage, KroneckerFactors as KroneckerFactors, RunningAverage as RunningAverage,
)
from .sharing import Expand as Expand, Reduce as Reduce, Sharing as Sharing

# low rank
from .low_rank import (
    OnlineDiagonalPlusLowRank as OnlineDiagonalPlusLowRank, OnlineLowRank as OnlineLowRank, low_rank_fisher as low_rank_fisher,
)

# curvature propagation
from .curvature_propagation import (
    PropagatedFactors as PropagatedFactors, complex_curvature_propagation as complex_curvature_propagation,
    cross_layer_curvature_propagation as cross_layer_curvature_propagation, curvature_propagation as curvature_propagation,
    gauss_newton_diagonal as gauss_newton_diagonal, hessian_diagonal as hessian_diagonal, hessian_estimate as hessian_estimate,
    input_gradient as input_gradient, input_hessian_diagonal as input_hessian_diagonal,
    within_layer_hessian as within_layer_hessian,
)
from .noise import Noise as Noise, NormalNoise as NormalNoise, SignNoise as SignNoise, UnitVectors as UnitVectors

# which output covectors
from .outputs import (
    ExactColumns as ExactColumns, Given as Given, Observed as Observed, Outputs as Outputs, RandomSigns as RandomSigns,
    Sampled as Sampled,
)

# damping, and the manifold of weights
from .damping import (
    Damping as Damping, FactoredTikhonov as FactoredTikhonov, KrylovTikhonov as KrylovTikhonov, Tikhonov as Tikhonov,
    Undamped as Undamped,
)
from .weight_space import WeightSpace as WeightSpace
from .metric_examples import MetricExamples as MetricExamples, OwnExamples as OwnExamples, StepExamples as StepExamples
