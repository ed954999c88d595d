"""What pictures of every part share: axes where none are given, and the triangle of three probabilities."""
from ..face import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
