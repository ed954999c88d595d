"""Networks: layers, their composition with exact derivatives, and conditional models with exponential-family outputs."""
from ..face import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
