from .divergences.integration import (
    Estimate as Estimate, Integration as Integration, MonteCarlo as MonteCarlo, Quadrature as Quadrature, States as States,
)
from .manifolds.half_plane import HalfSpace as HalfSpace
from .manifolds.product import ProductManifold as ProductManifold
from .manifolds.pulled_back import PulledBack as PulledBack
