"""Dually flat manifolds and the free functions on them."""
from ..face import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
