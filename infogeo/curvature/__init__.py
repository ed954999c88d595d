"""Curvature of conditional models: Fisher metrics and their approximations, each a function ``(model, w, batch, …)`` that gives a
linear operator on weights."""
from ..face import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
