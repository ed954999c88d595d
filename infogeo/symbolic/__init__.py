"""Geometry in symbols: the closed forms of a formula, kernels on arrays made of them, and numbers checked against them."""
from ..face import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
