"""Natural gradient, mirror descent and what belongs to them: every identity, checked for a manifold and objective of your own.

Each check draws points, step sizes and, where none is given, objectives with Hypothesis; `check` does so for a claim of your own.
`infogeo.studies.equivalence` measures the same identities.
"""
from ...face import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
