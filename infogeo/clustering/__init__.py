"""Clustering with the divergences of a manifold: mixtures of any exponential family, and estimators for scikit-learn.

The estimators need scikit-learn, which is imported when the first of them is used.
"""
from ..face import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
