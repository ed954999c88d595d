from .base import Domain as Domain
from .convex import (
    ConvexDomain as ConvexDomain, MappedDomain as MappedDomain, OpenSimplex as OpenSimplex, Orthant as Orthant,
    PositiveDefinite as PositiveDefinite, ProductDomain as ProductDomain, RealSpace as RealSpace, ScaledDomain as ScaledDomain,
)
from .supports import (
    ClosedInterval as ClosedInterval, Integers as Integers, Interval as Interval,
    PositiveDefiniteMatrix as PositiveDefiniteMatrix, SimplexPoints as SimplexPoints,
)
