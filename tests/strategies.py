"""Hypothesis strategies of the laws, on those of the library: points, vectors, generators. Everything drawn is NumPy float64."""
from itertools import combinations

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from infogeo.testing import batch_shapes, thetas

from .registry import region

seeds = st.integers(0, 2**32 - 1)
shapes = batch_shapes()


@st.composite
def generators(draw):
    return np.random.default_rng(draw(seeds))


@st.composite
def _points(draw, M, shape, count, where):
    shape = draw(shapes) if shape is None else shape
    found = [draw(thetas(M, shape, where)) for _ in range(count or 1)]
    return found if count else found[0]


def bulk(M, shape=None, count=None):
    """Points of the bulk, where the potential is smooth: a single one or a batch; with `count`, a list of so many arrays."""
    return _points(M, shape, count, "bulk")


@st.composite
def generic(draw, M, shape=None, count=None):
    """As `bulk`, without the interior point of the domain, where θ or η may be 0, and without points that coincide."""
    found = draw(bulk(M, shape, count))
    several = found if count else [found]
    center = region(M).interior_point
    assume(all(np.all(np.any(x != other, axis=-1)) for x, other in combinations([*several, center], 2)))
    return found


def extreme(M, shape=None, count=None):
    """Points near the boundary of the smooth part of the domain, or far out where it has none; `count` as in `bulk`."""
    return _points(M, shape, count, "edge")


def points(M, shape=None, count=None):
    """Points of either kind."""
    return st.one_of(bulk(M, shape, count), extreme(M, shape, count))


@st.composite
def directions(draw, M, theta):
    """One tangent vector at each point, of unit length in the metric."""
    vector = draw(generators()).standard_normal(theta.shape)
    return vector / M.norm(theta, vector)[..., None]


def outside(domain, rng, count=4):
    """Points outside a convex domain, where random lines through inner points have left it; none for the whole space."""
    found = []
    while len(found) < count and not domain.whole:
        inner, direction = domain.sample(rng), rng.standard_normal(domain.dim)
        far = np.stack([inner + s * 2.0**k * direction for k in range(-3, 12) for s in (1, -1)])
        found += list(far[~domain.contains(far)][:1])
    return np.reshape(found, (-1, domain.dim))
