"""Natural policy gradient: exact Markov decision processes, compatible features, trust regions and entropy bounds."""
from ..face import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
