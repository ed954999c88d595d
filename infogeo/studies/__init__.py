"""Studies that the command line runs; every one returns a frozen dataclass of plain arrays."""
import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
