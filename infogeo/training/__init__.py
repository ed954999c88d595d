"""Training of conditional models: mini-batches, callbacks, and the updates that need more of a step than its differential."""
from .adam import Adam, RMSprop
from .adaptive import AdaptiveNatural, ConstantRate, FirstOrder, HarmonicRate, Rate, Recursion, ShermanMorrison
from .callbacks import Checkpoint, EarlyStopping, PolyakAverage, Validation, load_checkpoint
from .data import BatchSize, FixedBatches, GrowingBatches, MiniBatches, Regularised
from .kfac import FullLength, KFAC, KFACState, QuadraticLength, QuadraticMomentum, Refresh, Rescaling, Share
from .low_rank import LowRankNatural
from .momentum import Momentum, Nesterov
from .quadratic_model import QuadraticModel, quadratic_model
from .relative import RelativeNatural, relative_metrics
from .rules import ConstantLambda, GammaOfLambda, GammaRule, GammaSearch, LambdaRule, LevenbergMarquardt
from .square_roots import DenmanBeavers, Eigen, NewtonSchulz, Nystrom, SquareRoots
from .structured import (Block, InputSide, LayerMetric, LocalFisher, OutputSide, StructuredNatural, TwoSided, local_roots,
                         rebuild, restore)

__all__ = ["Adam", "AdaptiveNatural", "BatchSize", "Block", "Checkpoint", "ConstantLambda", "ConstantRate", "DenmanBeavers",
           "EarlyStopping", "Eigen", "FirstOrder", "FixedBatches", "FullLength", "GammaOfLambda", "GammaRule", "GammaSearch",
           "GrowingBatches", "HarmonicRate", "InputSide", "KFAC", "KFACState", "LambdaRule", "LayerMetric", "LevenbergMarquardt",
           "LocalFisher", "LowRankNatural", "MiniBatches", "Momentum", "Nesterov", "NewtonSchulz", "Nystrom", "OutputSide",
           "PolyakAverage", "QuadraticLength", "QuadraticModel", "QuadraticMomentum", "RMSprop", "Rate", "Recursion", "Refresh",
           "Regularised", "RelativeNatural", "Rescaling", "Share", "ShermanMorrison", "SquareRoots", "StructuredNatural",
           "TwoSided", "Validation", "load_checkpoint", "local_roots", "quadratic_model", "rebuild", "relative_metrics",
           "restore"]
