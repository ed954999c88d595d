"""Objectives: functions on a manifold with their differentials, and what a step sees of them."""
import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
