"""Objectives: functions on a manifold with their differentials, and what a step sees of them."""
from ..face import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
