"""How much work a conditioning study is."""
from dataclasses import dataclass

from ..errors import require_count, require_positive

__all__ = ["FULL", "QUICK", "Effort"]


@dataclass(frozen=True)
class Effort:
    """Sizes that change how sure a study is, not what it asks.

    Attributes
    ----------
    flown : int
        Starts whose flows are integrated.
    tolerance : float
        Of the integrator, relative and absolute.
    late : float
        Nats; the late rate is fitted where late < KL < 1e6 late: earlier windows mix several modes.
    records : pair of int
        Of a flow, evenly spaced, and geometrically from a small part of the time of its fastest axis on. 560 make curves
        without corners in the figures.
    longest : int
        Steps after which a run with the optimal step is given up.
    noisy_runs, averaged : int
        Independent runs of the noise floor, and their last steps, which are averaged.
    noisy_steps : int
        A case of the noise floor that needs more steps is left out.
    pooled : int
        Draws behind the pool of mini-batches.

    Raises: DomainError for sizes that are not positive.

    Examples
    --------
    >>> ig.studies.QUICK.longest, ig.studies.FULL.longest
    (200, 5000)
    >>> short = ig.studies.Effort(longest=50)       # the rest as in FULL
    """

    flown: int = 10
    tolerance: float = 1e-11
    late: float = 1e-16
    records: tuple[int, int] = 201, 360
    longest: int = 5000
    noisy_runs: int = 256
    averaged: int = 200
    noisy_steps: int = 4000
    pooled: int = 4_000_000

    def __post_init__(self) -> None:
        for name in ("flown", "longest", "noisy_runs", "averaged", "noisy_steps", "pooled"):
            require_count(name, getattr(self, name))
        for name in ("tolerance", "late"):
            require_positive(name, getattr(self, name))


FULL = Effort()
QUICK = Effort(flown=2, tolerance=1e-8, late=1e-12, longest=200, noisy_runs=32, averaged=60, noisy_steps=200, pooled=100_000)
