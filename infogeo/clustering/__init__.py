"""Clustering with the divergences of a manifold: mixtures of any exponential family, and estimators for scikit-learn.

The estimators need scikit-learn, which is imported when the first of them is used.
"""
from importlib import import_module

from .mixture import Mixture, fit_mixture, mixture_start

_ESTIMATORS = ["BregmanKMeans", "FamilyMixture"]

__all__ = ["BregmanKMeans", "FamilyMixture", "Mixture", "fit_mixture", "mixture_start"]


def __getattr__(name):
    if name not in _ESTIMATORS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(".estimators", __name__), name)


def __dir__():
    return sorted(__all__)
