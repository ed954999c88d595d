"""Whether a potential in symbols is strictly convex: its Hessian in numbers, at points."""
from itertools import islice
from typing import TypeAlias

import numpy as np
import sympy as sp

from ..domains.convex import ConvexDomain
from ..errors import DomainError
from .algebra import listed
from .functions import defined
from .potential import SymbolicPotential

__all__ = ["DIGITS", "Point", "convex_points"]

Point: TypeAlias = tuple[sp.Rational, ...]

DIGITS = 30     # of the numbers that decide: an eigenvalue that cancels to zero in a float64 has half of them left
POINTS = 8      # at which a potential must be convex, where its domain is given
TRIALS = 200    # at most so many points are tried for one of convexity, where it is not
FOUND = 2       # are enough then: one to see that there is a domain, and one more to tell the roots of an equation apart
TRIED = (1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, 0.25, -0.25, 0.7)        # coordinates of these, both signs and no pattern


def convex_points(psi: SymbolicPotential, domain: ConvexDomain | None) -> list[Point]:
    """Points at which ψ is strictly convex: some of the domain, or without one the first that are found.

    Raises
    ------
    DomainError
        If it is not convex at a point of the domain, or at none that was tried, with the point and the eigenvalue.
    """
    return _found(psi) if domain is None else _of_domain(psi, domain)


def _found(psi: SymbolicPotential) -> list[Point]:
    tried = _tried(psi.dim)
    points = list(islice((point for point in tried if _least_eigenvalue(psi, point) > 0), FOUND))
    if not points:
        raise DomainError(f"potential must be strictly convex in {listed(psi.theta)}; its Hessian is positive definite at none "
                          f"of {len(tried)} points that were tried, first at {listed(tried[0])}; a domain= says where to look")
    return points


def _of_domain(psi: SymbolicPotential, domain: ConvexDomain) -> list[Point]:
    # a formula may be 0/0 at the centre, where ψ is smooth
    drawn = domain.sample(np.random.default_rng(20_000), (POINTS,), 0.7)
    points = [tuple(sp.Rational(str(float(x))) for x in point) for point in drawn]
    least = [_least_eigenvalue(psi, point) for point in points]
    bad = [i for i, value in enumerate(least) if not value > 0]
    if bad:
        value = "is not a real number" if np.isinf(least[bad[0]]) else f"has the least eigenvalue {least[bad[0]]:.6g}"
        raise DomainError(f"potential must be strictly convex on {domain}; at {len(bad)} of {len(least)} points it is not, first "
                          f"at {listed(map(float, points[bad[0]]))}: its Hessian {value}")
    return points


def _tried(dim: int) -> list[Point]:
    values = [sp.Rational(v).limit_denominator(1000) for v in TRIED]
    grid = np.random.default_rng(20_000).integers(len(values), size=(TRIALS, dim))
    return list(dict.fromkeys(tuple(values[i] for i in row) for row in grid))


def _least_eigenvalue(psi: SymbolicPotential, point: Point) -> float:
    """The least eigenvalue of the Hessian of ψ there, −∞ where ψ or it is not a real number; constants are 1."""
    at = dict(zip(psi.theta, point)) | {c: sp.Integer(1) for c in psi.constants}
    try:
        numbers = [sp.N(defined(e).xreplace(at), DIGITS) for e in (psi.potential, *psi.metric)]
    except (TypeError, ValueError, ZeroDivisionError):
        return -np.inf
    if not all(x.is_number and x.is_real and x.is_finite for x in numbers):
        return -np.inf
    return float(np.linalg.eigvalsh(np.array([float(x) for x in numbers[1:]]).reshape(psi.dim, psi.dim)).min())
