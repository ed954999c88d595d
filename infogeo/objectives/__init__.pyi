from .alpha_chart import AlphaChart as AlphaChart
from .affine_map import AffineMap as AffineMap
from .base import Objective as Objective
from .divergence import CrossEntropy as CrossEntropy, ReverseKL as ReverseKL
from .field import VectorField as VectorField
from .least_squares import LeastSquares as LeastSquares
from .poisson_loss import PoissonLoss as PoissonLoss
from .jensen_shannon import JensenShannonDivergence as JensenShannonDivergence
from .power_divergence import (
    AlphaDivergence as AlphaDivergence, BhattacharyyaDistance as BhattacharyyaDistance,
    ChiSquaredDivergence as ChiSquaredDivergence, PowerDivergence as PowerDivergence, RenyiDivergence as RenyiDivergence,
    SquaredHellingerDistance as SquaredHellingerDistance,
)
from .random import MiniBatch as MiniBatch, Noisy as Noisy
from .stream import Stream as Stream
