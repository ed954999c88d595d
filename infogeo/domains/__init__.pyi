# domains
from .base import Domain as Domain
from .convex import (
    ConvexDomain as ConvexDomain, MappedDomain as MappedDomain, OpenBall as OpenBall, OpenSimplex as OpenSimplex,
    Orthant as Orthant, PositiveDefinite as PositiveDefinite, ProductDomain as ProductDomain, RealSpace as RealSpace,
    ScaledDomain as ScaledDomain,
)
from .image import GradientImage as GradientImage
from .power import PowerDomain as PowerDomain
from .simplex import ClosedSimplex as ClosedSimplex

# supports
from .supports import (
    ClosedInterval as ClosedInterval, ClosedSimplexPoints as ClosedSimplexPoints, Integers as Integers, Interval as Interval,
    LimitPoints as LimitPoints, PositiveDefiniteMatrix as PositiveDefiniteMatrix, SimplexPoints as SimplexPoints,
)

# charts
from .simplex import AllOutcomesChart as AllOutcomesChart
from .chart import (
    Chart as Chart, ComposedChart as ComposedChart, IdentityChart as IdentityChart, ScaledChart as ScaledChart,
    StackedChart as StackedChart,
)
from .bijections import (
    BallChart as BallChart, ExponentialChart as ExponentialChart, LogCholeskyChart as LogCholeskyChart, LogitChart as LogitChart,
    SoftmaxChart as SoftmaxChart,
)
from .symmetric import SymmetricSoftmax as SymmetricSoftmax
