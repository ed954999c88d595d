"""Objectives, updates, step rules and the one loop that joins them."""
from ..face import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
