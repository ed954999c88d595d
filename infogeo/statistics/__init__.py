"""Statistics on families: conjugate priors, sums of statistics, expectation–maximisation, volumes, curved families."""
import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
