"""Networks: layers, their composition with exact derivatives, and conditional models with exponential-family outputs."""
import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
