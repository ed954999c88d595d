"""Inference by natural gradient: variational posteriors, conjugate models, expectation–maximisation, channel capacity."""
from ..face import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
