"""Training of conditional models: mini-batches, callbacks, and the updates that need more of a step than its differential."""
from ..face import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
