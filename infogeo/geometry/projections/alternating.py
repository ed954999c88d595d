"""Alternating projections between flat sets: the em algorithm, and cyclic projections onto several sets."""
from collections.abc import Sequence
from typing import Any, NamedTuple

from ...backend import Array, arrays
from ...errors import require_converged, require_count, shown, takes
from ..manifolds.manifold import DuallyFlat
from .flat_sets import FlatSet, required_point
from .projection import e_project, m_project

__all__ = ["AlternatingProjections", "alternating_projections", "cyclic_projections"]


class AlternatingProjections(NamedTuple):
    """Where the em algorithm arrived.

    Attributes
    ----------
    data, model : arrays, shape (..., d)
        q in the m-flat set and p in the e-flat set, in primal coordinates.
    values : array, shape (steps, ...)
        D(q‖p) after each step, which never rises.
    converged : bool array, shape (...)
        Whether the last step lowered the divergence by at most `tol`.

    Examples
    --------
    >>> M = ig.Categorical(3)
    >>> data = ig.AffineConstraints([[1.0, 0.0]], [0.3])  # η₁ = 0.3
    >>> model = ig.AffineSubmanifold([0.0, 0.0], [[1.0, 1.0]])  # p₁ = p₂
    >>> found = ig.alternating_projections(M, np.zeros(2), data, model,
    ...                                    tol=1e-6, max_steps=99)
    >>> bool(found.converged), M.to_eta(found.model).round(2)
    (True, array([0.3, 0.3]))
    """

    data: Any
    model: Any
    values: Any
    converged: Any


@takes(DuallyFlat, m_flat=FlatSet, e_flat=FlatSet)
def alternating_projections(M: DuallyFlat, theta: Array, m_flat: FlatSet, e_flat: FlatSet, *, tol: float,
                            max_steps: int) -> AlternatingProjections:
    """The em algorithm: the points q of an m-flat and p of an e-flat set with the least divergence D(q‖p), from a start for p.

    Mathematically, the e-step q ← argmin D(q‖p) is the e-projection onto the data set, the m-step p ← argmin D(q‖p) the
    m-projection onto the model. Where the sets meet, the divergence goes to 0; a limit may be a local minimum.

    Parameters
    ----------
    M : DuallyFlat
    theta : array, shape (..., d)
        Where p starts, in primal coordinates.
    m_flat : FlatSet
        In dual coordinates η.
    e_flat : FlatSet
        In primal coordinates θ.
    tol : float
        In nats; a row is done when a step lowers the divergence by at most this.
    max_steps : int

    Returns
    -------
    AlternatingProjections
        Whether a row has converged is part of it: an unfinished row is no error.

    Raises
    ------
    DomainError, ShapeError, ConvergenceError
        From the projections.

    Source: Csiszár & Tusnády, Information geometry and alternating minimization procedures, Statist. Decisions (1984); Amari,
    Information geometry of the EM and em algorithms for neural networks, Neural Networks 8 (1995).

    Examples
    --------
    >>> M = ig.Categorical(4)  # the outcomes (0, 0), (0, 1), (1, 0), (1, 1)
    >>> row = ig.AffineConstraints([[1.0, 1.0, 0.0]], [0.7])
    >>> independent = ig.AffineSubmanifold(np.zeros(3), [[1, 1, 0], [1, 0, 1]])
    >>> found = ig.alternating_projections(M, np.zeros(3), row, independent,
    ...                                    tol=1e-12, max_steps=99)
    >>> M.parameters(found.model)["probabilities"].round(6)
    array([0.35, 0.35, 0.15, 0.15])
    """
    require_count("max_steps", max_steps)
    xp, p = arrays(required_point(M, "theta", theta, m_flat, e_flat))
    values = []
    for _ in range(max_steps):
        q = e_project(M, p, m_flat)
        p = m_project(M, q, e_flat)
        values.append(M.divergence(q, p))
        converged = xp.zeros_like(values[-1]) > 0 if len(values) == 1 else values[-2] - values[-1] <= tol
        if xp.all(converged):
            break
    return AlternatingProjections(q, p, xp.stack(values), converged)


@takes(DuallyFlat)
def cyclic_projections(M: DuallyFlat, theta: Array, sets: Sequence[FlatSet], *, tol: float, max_cycles: int) -> Array:
    """The e-projection onto the intersection of m-flat submanifolds, by e-projections onto each in turn, shape (..., d).

    Mathematically, q ← argmin over r in set j of D(r‖q), j = 1, 2, …, 1, 2, …: D(r‖q) falls by D(q⁺‖q) for every r in all
    sets. Onto given margins of a table this is iterative proportional fitting. Sets with inequalities have a limit in their
    intersection that need not be the nearest point.

    Parameters
    ----------
    M : DuallyFlat
    theta : array, shape (..., d)
    sets : sequence of FlatSet
        In dual coordinates η.
    tol : float
        In nats; a row is done when the steps of a cycle, Σ D(q⁺‖q), sum to at most this.
    max_cycles : int

    Raises
    ------
    ConvergenceError
        If a row is not done after `max_cycles`, and from the projections.
    DomainError, ShapeError

    Source: Csiszár, I-divergence geometry of probability distributions, Ann. Probab. 3 (1975), theorem 3.2.

    Examples
    --------
    >>> M = ig.Categorical(4)  # a table of 2 × 2 cells
    >>> row = ig.AffineConstraints([[1.0, 1.0, 0.0]], [0.7])
    >>> column = ig.AffineConstraints([[1.0, 0.0, 1.0]], [0.4])
    >>> q = ig.cyclic_projections(M, np.zeros(3), [row, column],
    ...                           tol=1e-12, max_cycles=99)
    >>> M.parameters(q)["probabilities"].round(6).reshape(2, 2)
    array([[0.28, 0.42],
           [0.12, 0.18]])
    """
    require_count("max_cycles", max_cycles)
    require_count("the number of sets", len(sets))
    for part in sets:
        if not isinstance(part, FlatSet):
            raise TypeError(f"cyclic_projections takes a sequence of FlatSets as its argument sets; got {shown(part)} in it")
    xp, q = arrays(required_point(M, "theta", theta, *sets))
    for _ in range(max_cycles):
        moved = 0.0
        for part in sets:
            before, q = q, e_project(M, q, part)
            moved = moved + M.divergence(q, before)
        if xp.all(moved <= tol):
            break
    far = f"cyclic_projections: the last of {max_cycles} cycles moved by more than {tol:.3g} nats"
    require_converged(far, moved <= tol, moved, q)
    return q
