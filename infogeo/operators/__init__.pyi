from .base import (
    Composed as Composed, Identity as Identity, Inverse as Inverse, LinearOperator as LinearOperator, Scaled as Scaled,
    Sum as Sum, Transpose as Transpose,
)
from .block import BlockDiagonal as BlockDiagonal, BlockTridiagonalInverse as BlockTridiagonalInverse, DenseBlocks as DenseBlocks
from .dense import (
    Dense as Dense, Diagonal as Diagonal, Factorization as Factorization, SymmetricDense as SymmetricDense,
    as_operator as as_operator,
)
from .kronecker import EigenKronecker as EigenKronecker, Kronecker as Kronecker, KroneckerPair as KroneckerPair
from .krylov import (
    Estimate as Estimate, Shifted as Shifted, conjugate_gradient as conjugate_gradient, hutch_plus_plus as hutch_plus_plus,
    hutchinson as hutchinson, lanczos as lanczos, lanczos_quadrature as lanczos_quadrature, logdet as logdet, minres as minres,
    spectral_density as spectral_density, xtrace as xtrace,
)
from .low_rank import DiagonalPlusLowRank as DiagonalPlusLowRank, LowRank as LowRank, ScalarOffSubspace as ScalarOffSubspace
from .outer import Columns as Columns, OuterProducts as OuterProducts, ShiftedOuterProducts as ShiftedOuterProducts
from .quasi_diagonal import QuasiDiagonal as QuasiDiagonal
