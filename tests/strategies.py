"""Hypothesis strategies: points of a manifold, vectors, submanifolds. Everything drawn is NumPy float64."""
import numpy as np
from hypothesis import strategies as st

from .registry import region

seeds = st.integers(0, 2**32 - 1)
shapes = st.sampled_from([(), (1,), (4,), (2, 3)])


@st.composite
def generators(draw):
    return np.random.default_rng(draw(seeds))


@st.composite
def bulk(draw, M, shape=None, count=None):
    """Points of the bulk, where the potential is smooth: a single one or a batch; with `count`, a list of so many arrays."""
    shape, rng = draw(shapes) if shape is None else shape, draw(generators())
    scale = draw(st.sampled_from([0.2, 0.5]))
    found = [region(M).sample(rng, shape, scale) for _ in range(count or 1)]
    return found if count else found[0]


@st.composite
def extreme(draw, M, shape=None, count=None):
    """Points near the boundary of the smooth part of the domain, or far out where it has none; `count` as in `bulk`."""
    shape, rng = draw(shapes) if shape is None else shape, draw(generators())
    scale = draw(st.sampled_from([2.0, 4.0, 6.0]))
    found = [region(M).sample_near_boundary(rng, shape, scale) for _ in range(count or 1)]
    return found if count else found[0]


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
        far = [inner + s * 2.0**k * direction for k in range(-3, 12) for s in (1, -1)]
        found += [x for x in far if not domain.contains(x)][:1]
    return np.reshape(found, (-1, domain.dim))
