"""Natural-gradient boosting: trees that predict the parameters of any exponential family, as estimators for scikit-learn.

The estimators need LightGBM and scikit-learn (``pip install 'infogeo[boosting]'``), which are imported when the first of them is
used.
"""
from ..face import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
