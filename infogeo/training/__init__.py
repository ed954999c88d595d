"""Training of conditional models: mini-batches, callbacks, and the updates that need more of a step than its differential."""
import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
