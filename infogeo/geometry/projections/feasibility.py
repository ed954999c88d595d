"""Whether a set meets a domain, its boundary only, or nothing of it: a linear programme, where the domain is a polyhedron."""
from typing import Any, NamedTuple

import numpy as np
import scipy        # optimize is loaded where it is first asked for: that takes longer than the whole of this package
from scipy.linalg import block_diag

from ...backend import Array, to_numpy
from ...domains.convex import OpenSimplex, Orthant, ProductDomain, RealSpace, ScaledDomain
from ...domains.simplex import ClosedSimplex
from ...errors import DomainError, first_bad

__all__ = ["Polyhedron", "polyhedron", "require_meeting"]

# Rows of a batch that are looked at, each by a programme of its own, which takes 2 ms for a die
MOST = 1000


class Polyhedron(NamedTuple):
    """The closure of a domain: the points Σ p_v V_v + Σ r_w R_w with weights p, r ≥ 0 and Σ p = 1 in every block of vertices.

    Attributes
    ----------
    vertices, rays : arrays, shapes (v, d) and (w, d)
    blocks : array, shape (blocks, v)
        1 where a vertex belongs to a block.
    """

    vertices: np.ndarray
    rays: np.ndarray
    blocks: np.ndarray


def polyhedron(domain: Any) -> Polyhedron | None:
    """The closure of a domain by vertices and rays; None where it is no polyhedron that is known."""
    if isinstance(domain, RealSpace):
        return _cone(np.concatenate([np.eye(domain.dim), -np.eye(domain.dim)]))
    if isinstance(domain, Orthant):
        return _cone(np.diag(np.asarray(domain.signs, dtype=float)))
    if isinstance(domain, ProductDomain):
        parts = [polyhedron(factor) for factor in domain.factors]
        known = [part for part in parts if part is not None]
        return Polyhedron(*map(_diagonal, zip(*known))) if len(known) == len(parts) else None
    if isinstance(domain, ScaledDomain):
        part = polyhedron(domain.source)
        return None if part is None else Polyhedron(domain.factor * part.vertices, part.rays, part.blocks)
    vertices: np.ndarray | None
    if isinstance(domain, ClosedSimplex):
        vertices = np.eye(domain.dim)
    elif isinstance(domain, OpenSimplex):
        vertices = np.concatenate([np.eye(domain.dim), np.zeros((1, domain.dim))])
    else:
        vertices = getattr(domain, "vertices", None)
    return None if vertices is None else Polyhedron(vertices, np.zeros((0, domain.dim)), np.ones((1, len(vertices))))


def _cone(rays: np.ndarray) -> Polyhedron:
    return Polyhedron(np.zeros((1, rays.shape[1])), rays, np.ones((1, 1)))


def _diagonal(parts: Any) -> np.ndarray:
    return np.asarray(block_diag(*parts))


def require_meeting(domain: Any, equations: tuple[Array, Array], inequalities: tuple[Array, Array], suspected: Array) -> None:
    """Nothing, unless it is certain of a suspected row that the set C x = d, A x ≤ b does not meet the domain.

    Parameters
    ----------
    domain : ConvexDomain
    equations, inequalities : pairs of arrays, shapes (k, d) and (..., k)
    suspected : mask, shape (...)

    Raises
    ------
    DomainError
        Saying whether it meets the boundary, so that the projection exists as a limit only, or nothing.
    """
    closed = polyhedron(domain)
    if closed is None or not suspected.any():
        return
    C, d, A, b = (to_numpy(x).astype(float) for x in (*equations, *inequalities))
    d, b = (np.broadcast_to(x, (*suspected.shape, x.shape[-1])) for x in (d, b))
    verdict = np.zeros(suspected.shape, dtype=int)
    for row in list(zip(*np.nonzero(suspected)))[:MOST] if suspected.ndim else [()]:
        verdict[row] = _verdict(closed, C, d[row], A, b[row])
    for value, words in ((2, "no point of its closure does"), (1, "only points of its boundary do: the projection is a limit")):
        if np.any(verdict == value) and not (domain.closed and value == 1):
            count, first = first_bad(verdict == value)
            raise DomainError(f"onto must satisfy {domain.rule('x')} somewhere; in {count} rows, first at index {first}, {words}")


def _verdict(closed: Polyhedron, C: np.ndarray, d: np.ndarray, A: np.ndarray, b: np.ndarray) -> int:
    """0 where the set meets the domain, or one cannot tell; 1 where it meets its boundary only, 2 where it meets nothing.

    The greatest t with a point whose weights are all at least t, or t / v of v vertices, is 0 on the boundary. What the programme
    finds is true to 1e-7; its multipliers y give a form that separates, whose bound over the vertices is true to rounding.
    """
    V, R, blocks = closed
    columns = np.concatenate([V, R]).T
    share = np.concatenate([1.0 / blocks.sum(axis=1) @ blocks, np.ones(len(R))])
    sums = np.concatenate([blocks, np.zeros((len(blocks), len(R)))], axis=1)
    equal = np.concatenate([np.concatenate([C @ columns, (C @ columns @ share)[:, None]], axis=1),
                            np.concatenate([sums, (sums @ share)[:, None]], axis=1)])
    below = np.concatenate([A @ columns, (A @ columns @ share)[:, None]], axis=1)
    cost = np.zeros(equal.shape[1])
    cost[-1] = -1.0
    found = scipy.optimize.linprog(cost, A_ub=below, b_ub=b, A_eq=equal, b_eq=np.concatenate([d, np.ones(len(blocks))]),
                                   bounds=[(0, None)] * (len(cost) - 1) + [(0, 1)])
    if found.status == 2:
        return 2
    if found.status != 0 or found.x[-1] > 1e-7:
        return 0
    y, z = found.eqlin.marginals[:len(d)], found.ineqlin.marginals
    form, bound = (y @ C + z @ A) @ columns, y @ d + z @ b
    scale = max(np.abs(form).max(initial=0.0), np.abs(y) @ np.abs(d) + np.abs(z) @ np.abs(b))
    room = 8 * len(cost) * np.finfo(float).eps * scale
    at_vertices = form[:len(V)]
    low = sum(np.min(at_vertices[block > 0]) for block in blocks)
    high = sum(np.max(at_vertices[block > 0]) for block in blocks)
    certain = min(abs(low - bound), abs(high - bound)) <= room and (high > low or len(R) > 0) and scale > 0
    return int(certain or scale == 0)
