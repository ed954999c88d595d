"""Geometry in symbols: the closed forms of a formula, kernels on arrays made of them, and numbers checked against them."""
import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
