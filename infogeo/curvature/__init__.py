"""Curvature of conditional models: Fisher metrics and their approximations, each a function ``(model, w, batch, …)`` that gives a
linear operator on weights."""
import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
