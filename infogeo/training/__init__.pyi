# data, callbacks
from .data import (
    BatchSize as BatchSize, FixedBatches as FixedBatches, GrowingBatches as GrowingBatches, MiniBatches as MiniBatches,
    Regularised as Regularised,
)
from .callbacks import EarlyStopping as EarlyStopping, PolyakAverage as PolyakAverage, Validation as Validation
from .checkpoint import Checkpoint as Checkpoint, load_checkpoint as load_checkpoint

# K-FAC
from .kfac import (
    FullLength as FullLength, KFAC as KFAC, KFACState as KFACState, QuadraticLength as QuadraticLength,
    QuadraticMomentum as QuadraticMomentum, Refresh as Refresh, Rescaling as Rescaling, Share as Share,
)
from .ekfac import EKFAC as EKFAC, EigenMemory as EigenMemory
from .tonga import TONGA as TONGA
from .rules import (
    ConstantLambda as ConstantLambda, GammaOfLambda as GammaOfLambda, GammaRule as GammaRule, GammaSearch as GammaSearch,
    LambdaRule as LambdaRule, LevenbergMarquardt as LevenbergMarquardt, TrustedLambda as TrustedLambda,
)
from .quadratic_model import QuadraticModel as QuadraticModel, quadratic_model as quadratic_model

# structured, relative, adaptive and low-rank natural gradient
from .layer_matrices import LayerMatrices as LayerMatrices
from .layer_metrics import (
    Block as Block, InputSide as InputSide, LayerMetric as LayerMetric, OutputSide as OutputSide, TwoSided as TwoSided,
)
from .structured import (
    LocalFisher as LocalFisher, StructuredNatural as StructuredNatural, local_roots as local_roots, rebuild as rebuild,
    restore as restore,
)
from .square_roots import (
    DenmanBeavers as DenmanBeavers, Eigen as Eigen, NewtonSchulz as NewtonSchulz, Nystrom as Nystrom, SquareRoots as SquareRoots,
)
from .relative import RelativeNatural as RelativeNatural, relative_metrics as relative_metrics
from .adaptive import (
    AdaptiveNatural as AdaptiveNatural, ConstantRate as ConstantRate, FirstOrder as FirstOrder, HarmonicRate as HarmonicRate,
    Rate as Rate, Recursion as Recursion, ShermanMorrison as ShermanMorrison,
)
from .low_rank import LowRankNatural as LowRankNatural
from .slang import PowerRate as PowerRate, SLANG as SLANG
from .normal_weights import NormalWeights as NormalWeights

# the diagonal of a curvature
from .diagonal_newton import DiagonalNewton as DiagonalNewton
from .diagonals import (
    AbsoluteValue as AbsoluteValue, CurvatureDiagonal as CurvatureDiagonal,
    CurvaturePropagationDiagonal as CurvaturePropagationDiagonal, DiagonalRule as DiagonalRule,
    GaussNewtonDiagonal as GaussNewtonDiagonal, GradientSquares as GradientSquares, HutchinsonDiagonal as HutchinsonDiagonal,
    PositivePart as PositivePart, RootMeanSquare as RootMeanSquare,
)

# other updates
from .adam import Adam as Adam, RMSprop as RMSprop
from .momentum import Momentum as Momentum, Nesterov as Nesterov

# in the loop of PyTorch
from .torch_optimizer import TorchOptimizer as TorchOptimizer

# from arrays to weights, and their posterior
from .fitting import Training as Training, fit as fit
from .laplace import LaplacePosterior as LaplacePosterior
from .linearised import LinearisedPrediction as LinearisedPrediction

# estimators
from .classifier import NaturalGradientClassifier as NaturalGradientClassifier
from .regressor import NaturalGradientRegressor as NaturalGradientRegressor
