"""Linear operators: matrices that are applied, solved and measured without being formed."""
from ..face import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
