"""η to θ in a truncated family behind barriers that weaken: how that begins, how it ends, and all of it as one traced loop."""
from typing import Any

from ..arrays.memo import standing
from ..arrays.tracing import only, repeat
from ..backend import Array, Namespace
from ..numerics.barrier import scale_behind

__all__ = ["BARRIERS", "MOST", "MOST_AT_FIRST", "freed", "traced_member"]

BARRIERS = (1.0, 1e-2, 1e-4, 1e-6, 1e-8)        # each minimum is the start of the next
MOST = 60                                       # steps to a minimum
MOST_AT_FIRST = 8                               # without a barrier: at the boundary a step would cost many trials


def freed(M: Any, xp: Namespace, eta: Array, theta: Array) -> Array:
    """The start of the last minimisation: NaN for what the weakest barrier still holds."""
    with standing() as stand:
        stand(theta)
        far = xp.max(xp.abs(M._to_eta(xp, theta) - eta), axis=-1)
        held = M._leads_out(xp, theta, eta) & (far > 1e-4 * scale_behind(xp, eta))
    return only(xp, ~held, theta)[0]


def traced_member(M: Any, xp: Namespace, eta: Array, start: Array) -> Array:
    """A few steps without a barrier, and of the rows that do not get there the minima behind all barriers; NaN of others.

    One loop about one minimisation: θ of a truncated negative binomial law compiles on JAX in 10 s, and took 22 by two of them.
    """
    barriers, last = xp.asarray([0.0, *BARRIERS, 0.0], dtype=eta.dtype), len(BARRIERS) + 1
    centre, nan = M.family._to_eta(xp, start), xp.full_like(start, xp.nan)

    def further(k: Array, theta: Array, found: Array) -> tuple[Array, ...]:
        begin = xp.where(k == last, freed(M, xp, eta, theta), theta)
        theta = M._minimiser(xp, eta, begin, centre, barriers[k], xp.where(k == 0, MOST_AT_FIRST, MOST))
        found = xp.where(((k == 0) | (k == last)) & xp.isnan(found), theta, found)
        ahead = xp.where((k == 0) & xp.isnan(theta), start, theta)
        return k + 1, xp.where(xp.isnan(found), ahead, nan), found

    def going(k: Array, theta: Array, found: Array) -> Array:
        return (k == 0) | ~xp.all(xp.isnan(theta))

    return repeat(xp, going, further, (xp.asarray(0), start, nan), last + 1)[2]
