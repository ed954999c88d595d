"""Clustering with the divergences of a manifold: mixtures of any exponential family, and estimators for scikit-learn.

The estimators need scikit-learn, which is imported when the first of them is used.
"""
import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
