"""Statistics on families: conjugate priors, sums of statistics, expectation–maximisation, volumes, curved families."""
from ..face import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
