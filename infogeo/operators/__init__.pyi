# operators and their sums and products
from .base import (
    Composed as Composed, IdentityOperator as IdentityOperator, Inverse as Inverse, LinearOperator as LinearOperator,
    ScaledOperator as ScaledOperator, Sum as Sum, Transpose as Transpose,
)

# matrices
from .dense import (
    DenseOperator as DenseOperator, DiagonalOperator as DiagonalOperator, Factorization as Factorization,
    SymmetricDense as SymmetricDense, as_operator as as_operator,
)
from .rounded import Rounded as Rounded
from .block import BlockDiagonal as BlockDiagonal, BlockTridiagonalInverse as BlockTridiagonalInverse, DenseBlocks as DenseBlocks
from .kronecker import EigenKronecker as EigenKronecker, Kronecker as Kronecker, KroneckerPair as KroneckerPair

# low rank and outer products
from .low_rank_blocks import LowRankBlocks as LowRankBlocks
from .low_rank import DiagonalPlusLowRank as DiagonalPlusLowRank, LowRank as LowRank, ScalarOffSubspace as ScalarOffSubspace
from .outer import Columns as Columns, OuterProducts as OuterProducts, ShiftedOuterProducts as ShiftedOuterProducts
from .reached import ReachedSquare as ReachedSquare
from .closed_units import UnitsWithTwoDirections as UnitsWithTwoDirections
from .quasi_diagonal import QuasiDiagonal as QuasiDiagonal

# Krylov methods, traces, spectra
from .krylov import (
    RandomEstimate as RandomEstimate, Shifted as Shifted, conjugate_gradient as conjugate_gradient, hutchinson as hutchinson,
    lanczos as lanczos, lanczos_quadrature as lanczos_quadrature, logdet as logdet, minres as minres,
    spectral_density as spectral_density, xtrace as xtrace,
)
