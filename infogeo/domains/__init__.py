"""Sets that points belong to: open convex sets for coordinates, supports for observations."""
from ..face import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
