"""Numbers of a family against its symbolic derivation."""
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import sympy as sp

from ..backend import Array
from ..errors import ShapeError
from ..geometry.manifolds.manifold import DuallyFlat
from .functions import defined
from .library import symbolic_manifold
from .manifold import SymbolicManifold

__all__ = ["Comparison", "compare"]

DIGITS = 50         # so many more than a float64 has that no cancellation in the exact values is seen


@dataclass(frozen=True)
class Comparison:
    """The errors of a manifold's formulas at some points, each relative to the largest entry of the exact value there.

    Attributes
    ----------
    name : str
    points : array, shape (n, d)
    errors : dict of arrays, shape (n,)
        Of `potential`, `to_eta`, `metric` and `cubic_tensor`; of `flat` and `sharp` at one vector for each point, G v − flat(v)
        relative to |G| |v| and c − G sharp(c) relative to |G| |sharp(c)|, where no condition number enters.

    Examples
    --------
    >>> found = ig.symbolic.compare(ig.Poisson(), count=3)
    >>> sorted(found.errors)
    ['cubic_tensor', 'flat', 'metric', 'potential', 'sharp', 'to_eta']
    >>> found.worst < 1e-14
    True
    """

    name: str
    points: np.ndarray
    errors: dict[str, np.ndarray]

    @property
    def worst(self) -> float:
        """The largest error; NaN if a formula gives no number."""
        return float(np.max([np.max(e) for e in self.errors.values()]))

    def __str__(self) -> str:
        lines = [f"{self.name}: {len(self.points)} points, errors relative to the largest entry"]
        for method, error in self.errors.items():
            at = np.array2string(self.points[np.argmax(error)], precision=6)
            lines.append(f"  {method.ljust(12)} {np.max(error):.1e} at theta = {at}")
        return "\n".join(lines)


def compare(manifold: DuallyFlat, symbolic: SymbolicManifold | None = None, *, points: Array = None,
            count: int = 10) -> Comparison:
    """Compare the formulas of a manifold on arrays with the derivatives of its potential in symbols, to 50 digits.

    Mathematically, ψ, ∇ψ, ∇²ψ, ∇³ψ and the two maps of the metric at the same points; a constant that ψ has more or less shows
    in `potential`.

    Parameters
    ----------
    manifold : DuallyFlat
    symbolic : SymbolicManifold, optional
        What it is compared with; for the families of this library their potential, where SymPy can hold it.
    points : array, shape (n, d), optional
        θ; else `count` points of the bulk of the domain, the same in every call.
    count : int

    Raises
    ------
    TypeError
        If there is no symbolic form of the manifold.
    ShapeError
        If the dimensions differ.

    Examples
    --------
    >>> found = ig.symbolic.compare(ig.Gamma(), points=[[1e-3, -1.0]])
    >>> found.worst < 1e-14
    True
    """
    symbolic = symbolic_manifold(manifold) if symbolic is None else symbolic
    if symbolic.dim != manifold.dim:
        raise ShapeError(f"symbolic must have the dimension of the manifold, {manifold.dim}; got {symbolic.dim}")
    if points is None:
        points = manifold.theta_domain.sample(np.random.default_rng(20_000), (count,), 0.7)
    points = np.atleast_2d(manifold.theta_domain.require("points", np.asarray(points, dtype=float)))
    order = list(symbolic.cubic_entries)
    expressions = [symbolic.potential, *symbolic.eta, *symbolic.metric, *symbolic.cubic_entries.values()]
    exact = sp.lambdify(symbolic.theta, [defined(e) for e in expressions], modules="mpmath", cse=True)
    vectors = np.random.default_rng(20_000).standard_normal(points.shape)
    errors: dict[str, list[float]] = {"potential": [], "to_eta": [], "metric": [], "cubic_tensor": [], "flat": [], "sharp": []}
    with mpmath.workdps(DIGITS):
        for point, vector in zip(points, vectors):
            values = exact(*map(mpmath.mpf, point.tolist()))
            parts = {"potential": values[:1], "to_eta": values[1:1 + symbolic.dim],
                     "metric": values[1 + symbolic.dim:-len(order)], "cubic_tensor": values[-len(order):]}
            for method, wanted in parts.items():
                array = np.asarray(getattr(manifold, method)(point))
                found = [array[i] for i in order] if method == "cubic_tensor" else list(array.ravel())
                scale = max(abs(w) for w in wanted) or mpmath.mpf(1)
                errors[method].append(float(max(abs(mpmath.mpf(float(f)) - w) for f, w in zip(found, wanted)) / scale))
            G = mpmath.matrix(symbolic.dim, symbolic.dim)
            for k, entry in enumerate(parts["metric"]):
                G[k // symbolic.dim, k % symbolic.dim] = entry
            lowered, raised = manifold.flat(point, vector), manifold.sharp(point, vector)
            errors["flat"].append(_gap(G, vector, lowered))
            errors["sharp"].append(_gap(G, raised, vector))
    return Comparison(repr(manifold), points, {method: np.array(e) for method, e in errors.items()})


def _gap(G: Any, x: Array, y: Array) -> float:
    """max |G x − y| relative to max |G| |x|."""
    x, y = (mpmath.matrix(np.asarray(a).tolist()) for a in (x, y))
    return float(mpmath.norm(G * x - y, mpmath.inf) / mpmath.norm(G.apply(abs) * x.apply(abs), mpmath.inf))
