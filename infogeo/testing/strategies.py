"""Hypothesis strategies: manifolds, points of them, objectives on them. The arrays that they draw are NumPy.

Points are images of unconstrained coordinates on a lattice, so they shrink: Hypothesis reports points near the interior point
of the domain, a single one rather than a batch. Nothing is drawn that is not in the domain.
"""
from typing import Any

import numpy as np

from ..backend import Array
from ..domains.convex import ConvexDomain, PositiveDefinite
from ..errors import ConvergenceError, from_extra
from ..families.base import ExponentialFamily
from ..families.mixture import MixtureFamily
from ..geometry.manifolds.burg import Burg
from ..geometry.manifolds.euclidean import Euclidean
from ..geometry.manifolds.log_det import LogDet
from ..geometry.manifolds.manifold import DuallyFlat
from ..geometry.manifolds.negative_entropy import NegativeEntropy
from ..geometry.manifolds.p_norm import PNorm
from ..geometry.manifolds.quadratic import Quadratic
from ..numerics.packing import unpack
from ..objectives.base import Objective
from ..objectives.divergence import CrossEntropy, ReverseKL
from ..statistics.curved import Curved
from .bezier import bezier
from .drawn_families import compositions, families_of_numbers
from .formulas import smooth_region
from .wavy import Wavy

with from_extra("strategies and drawn checks need Hypothesis", "testing"):
    from hypothesis import assume
    from hypothesis import strategies as st

__all__ = ["batch_shapes", "curved_families", "etas", "exponential_families", "manifolds", "mirror_maps", "mixture_families",
           "objectives", "symmetric_positive_definite", "thetas"]

LATTICE = 16
# The largest unconstrained coordinate: in the bulk, near the boundary (or as far out where there is none), far beyond.
REACH = {"bulk": (0.5, 1.0), "edge": (2.0, 4.0, 6.0), "extreme": (12.0, 20.0)}


def batch_shapes() -> st.SearchStrategy[tuple[int, ...]]:
    """Leading axes: one point, a batch of one, of several, of two axes.

    Examples
    --------
    >>> from hypothesis import given, settings
    >>> few = settings(max_examples=3, deadline=None, database=None)
    >>> @few
    ... @given(ig.testing.batch_shapes())
    ... def test(shape):
    ...     assert len(shape) <= 2
    >>> test()
    """
    return st.sampled_from([(), (1,), (4,), (2, 3)])


@st.composite
def _unconstrained(draw: st.DrawFn, shape: tuple[int, ...], dim: int, where: str) -> Array:
    """Vectors with entries in [−1, 1], or of largest entry 1 where the boundary is wanted, times the reach."""
    count = int(np.prod(shape)) * dim
    entries = draw(st.lists(st.integers(-LATTICE, LATTICE), min_size=count, max_size=count))
    u = np.reshape(np.array(entries, dtype=float) / LATTICE, (*shape, dim))
    if where != "bulk":
        largest = np.max(np.abs(u), axis=-1, keepdims=True)
        u = np.where(largest > 0, u / np.where(largest > 0, largest, 1.0), 1.0)
    return draw(st.sampled_from(REACH[where])) * u


@st.composite
def _points(draw: st.DrawFn, domain: ConvexDomain, shape: tuple[int, ...] | None, where: str | None, dtype: Any) -> Array:
    shape = draw(batch_shapes()) if shape is None else shape
    where = draw(st.sampled_from(list(REACH))) if where is None else where
    u = draw(_unconstrained(shape, domain.dim, where))
    return np.asarray(domain.chart(u)).astype(dtype)


def thetas(M: DuallyFlat | Curved, shape: tuple[int, ...] | None = None, where: str | None = None,
           dtype: Any = "float64") -> st.SearchStrategy[Array]:
    """Points of a manifold in its primal chart, shape (*shape, dim), where the potential is smooth.

    Parameters
    ----------
    M : DuallyFlat
        Or a curved family, whose coordinates u these are then.
    shape : tuple, optional
        The batch; drawn from `batch_shapes` by default.
    where : "bulk", "edge" or "extreme", optional
        In the middle of the domain; near its boundary, or far out where there is none; at extreme scales. All three by default.
    dtype : str or strategy of them

    Examples
    --------
    >>> from hypothesis import given, settings
    >>> few = settings(max_examples=3, deadline=None, database=None)
    >>> @few
    ... @given(ig.testing.thetas(ig.Exponential()))
    ... def test(theta):
    ...     assert np.all(theta < 0)
    >>> test()
    """
    if where is not None and where not in REACH:
        raise ValueError(f"where must be one of {', '.join(REACH)}; got {where!r}")
    if isinstance(dtype, st.SearchStrategy):
        return dtype.flatmap(lambda one: thetas(M, shape, where, one))
    region = M.domain if isinstance(M, Curved) else smooth_region(M)
    return _points(region, shape, where, dtype).filter(lambda x: _lie_in(region, x))


def _lie_in(region: ConvexDomain, x: Array) -> bool:
    """Whether all points lie in the region for certain: of some regions only an inversion tells, which may fail near the edge."""
    try:
        return bool(np.all(region.contains(x)))
    except ConvergenceError:
        return False


def etas(M: DuallyFlat, shape: tuple[int, ...] | None = None, where: str | None = None,
         dtype: Any = "float64") -> st.SearchStrategy[Array]:
    """Points of a manifold in its dual chart η, as `thetas`.

    Examples
    --------
    >>> from hypothesis import given, settings
    >>> few = settings(max_examples=3, deadline=None, database=None)
    >>> @few
    ... @given(ig.testing.etas(ig.Bernoulli(), shape=()))
    ... def test(eta):
    ...     assert 0 < eta < 1
    >>> test()
    """
    return thetas(M.dual, shape, where, dtype)


@st.composite
def symmetric_positive_definite(draw: st.DrawFn, p: int, shape: tuple[int, ...] = ()) -> Array:
    """Symmetric positive definite p × p matrices, shape (*shape, p, p): L Lᵀ with the diagonal of L between e⁻² and e².

    Examples
    --------
    >>> from hypothesis import given, settings
    >>> few = settings(max_examples=3, deadline=None, database=None)
    >>> @few
    ... @given(ig.testing.symmetric_positive_definite(2))
    ... def test(A):
    ...     assert np.linalg.eigvalsh(A)[0] > 0
    >>> test()
    """
    domain = PositiveDefinite(p)
    u = draw(_unconstrained(shape, domain.dim, "bulk"))
    return unpack(domain.chart(2.0 * u), p)


def exponential_families(max_size: int = 4) -> st.SearchStrategy[ExponentialFamily]:
    """The families of the library, each class as often as any other: those of several outcomes or variables up to `max_size`
    (matrices up to 2 × 2), products of two or three of them, independent copies, and truncated families.

    Examples
    --------
    >>> from hypothesis import given, settings
    >>> few = settings(max_examples=3, deadline=None, database=None)
    >>> @few
    ... @given(ig.testing.exponential_families())
    ... def test(family):
    ...     assert isinstance(family, ig.ExponentialFamily)
    >>> test()
    """
    return _one_of([*families_of_numbers(max_size), *compositions(max_size)])


def _one_of(kinds: list[st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """Each of the strategies as often as any other."""
    return st.sampled_from(kinds).flatmap(lambda kind: kind)


@st.composite
def mixture_families(draw: st.DrawFn, max_size: int = 4) -> MixtureFamily:
    """Mixtures of up to `max_size` components on as many states or two more; in the simplest one they are point masses.

    Examples
    --------
    >>> from hypothesis import given, settings
    >>> few = settings(max_examples=3, deadline=None, database=None)
    >>> @few
    ... @given(ig.testing.mixture_families())
    ... def test(M):
    ...     assert M.eta_domain is not None
    >>> test()
    """
    count = draw(st.integers(2, max_size))
    extra = draw(st.integers(0, 2))
    entries = draw(st.lists(st.integers(0, 2), min_size=count * (count + extra), max_size=count * (count + extra)))
    rows = np.reshape(np.array(entries, dtype=float), (count, count + extra))
    rows[:, :count] += 2.0 * count * np.eye(count)             # independent, as the diagonal exceeds the sum of its row
    return MixtureFamily(rows / rows.sum(axis=1, keepdims=True))


@st.composite
def curved_families(draw: st.DrawFn, max_size: int = 4) -> Curved:
    """Curves u ↦ θ(u), 0 < u < 1, of degree two in families of at least two parameters: Bézier curves of three drawn points.

    Examples
    --------
    >>> from hypothesis import given, settings
    >>> few = settings(max_examples=3, deadline=None, database=None)
    >>> @few
    ... @given(ig.testing.curved_families())
    ... def test(curve):
    ...     assert curve.dim == 1
    >>> test()
    """
    family = draw(exponential_families(max_size).filter(lambda family: family.dim > 1))
    points = draw(thetas(family, (3,), "bulk"))
    back, on = points[0] - points[1], points[2] - points[1]
    opposite = np.dot(back, on) <= (1.0 - 1e-3) * np.linalg.norm(back) * np.linalg.norm(on)
    assume(opposite and np.any(back) and np.any(on))           # else the curve turns on its heel, where it has no tangent
    return Curved(family, bezier(*points))


def mirror_maps(max_size: int = 4) -> st.SearchStrategy[DuallyFlat]:
    """The mirror maps of the library, of dimension up to `max_size`; matrices up to 3 × 3.

    Examples
    --------
    >>> from hypothesis import given, settings
    >>> few = settings(max_examples=3, deadline=None, database=None)
    >>> @few
    ... @given(ig.testing.mirror_maps(max_size=3))
    ... def test(M):
    ...     assert M.to_eta(M.theta_domain.interior_point).shape == (M.dim,)
    >>> test()
    """
    dims = st.integers(1, max_size)
    return st.one_of(
        st.builds(Euclidean, dims), st.builds(NegativeEntropy, dims), st.builds(Burg, dims),
        st.builds(Quadratic, dims.flatmap(symmetric_positive_definite)),
        st.builds(PNorm, st.integers(2, max_size), st.sampled_from([1.5, 2.5, 3.0])),
        st.builds(LogDet, st.integers(1, 3)))


def manifolds(max_size: int = 4) -> st.SearchStrategy[DuallyFlat]:
    """The dually flat manifolds of the library: exponential and mixture families, mirror maps, and the duals of all.

    Examples
    --------
    >>> from hypothesis import given, settings
    >>> few = settings(max_examples=3, deadline=None, database=None)
    >>> @few
    ... @given(ig.testing.manifolds())
    ... def test(M):
    ...     assert M.dual.dual is M
    >>> test()
    """
    primal = st.one_of(exponential_families(max_size), mixture_families(max_size), mirror_maps(max_size))
    return st.one_of(primal, primal.map(lambda M: M.dual))


def objectives(M: DuallyFlat) -> st.SearchStrategy[Objective]:
    """Objectives on the primal chart of a manifold: forward and reverse divergence to a drawn target, and a wavy function.

    Examples
    --------
    >>> from hypothesis import given, settings
    >>> few = settings(max_examples=3, deadline=None, database=None)
    >>> @few
    ... @given(ig.testing.objectives(ig.Exponential()))
    ... def test(f):
    ...     assert f.value_and_gradient(np.array([-1.0]))[1].shape[-1] == 1
    >>> test()
    """
    return st.one_of(
        etas(M, (), "bulk").map(lambda eta: CrossEntropy(M, eta)),
        thetas(M, (), "bulk").map(lambda theta: ReverseKL(M, theta)),
        thetas(M, (), "bulk").map(lambda theta: Wavy(M, theta)))
