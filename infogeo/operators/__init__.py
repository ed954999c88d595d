"""Linear operators: matrices that are applied, solved and measured without being formed."""
from .base import Composed, Identity, Inverse, LinearOperator, Scaled, Sum, Transpose
from .block import BlockDiagonal, BlockTridiagonalInverse, DenseBlocks
from .dense import Dense, Diagonal, Factorization, SymmetricDense, as_operator
from .kronecker import EigenKronecker, Kronecker, KroneckerPair
from .krylov import (Estimate, Shifted, conjugate_gradient, hutch_plus_plus, hutchinson, lanczos, lanczos_quadrature, logdet,
                     minres, spectral_density, xtrace)
from .low_rank import DiagonalPlusLowRank, LowRank, ScalarOffSubspace
from .outer import Columns, OuterProducts, ShiftedOuterProducts
from .quasi_diagonal import QuasiDiagonal

__all__ = ["BlockDiagonal", "BlockTridiagonalInverse", "Columns", "Composed", "Dense", "DenseBlocks", "Diagonal",
           "DiagonalPlusLowRank", "EigenKronecker", "Estimate", "Factorization", "Identity", "Inverse", "Kronecker",
           "KroneckerPair", "LinearOperator", "LowRank", "OuterProducts", "QuasiDiagonal", "ScalarOffSubspace", "Scaled",
           "Shifted", "ShiftedOuterProducts", "Sum", "SymmetricDense", "Transpose", "as_operator", "conjugate_gradient",
           "hutch_plus_plus", "hutchinson", "lanczos", "lanczos_quadrature", "logdet", "minres", "spectral_density", "xtrace"]
