"""Studies that the command line runs; every one returns a frozen dataclass of plain arrays."""
from ..face import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
