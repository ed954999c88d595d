"""Updates, step rules and the one loop that joins them with an objective and a geometry."""
from ..face import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
