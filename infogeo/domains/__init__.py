"""Sets that points belong to: open convex sets for coordinates, supports for observations."""
import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
