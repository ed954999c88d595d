"""The two flat geodesics: straight lines in their charts, dual to each other, of the same energy."""
import numpy as np

import infogeo as ig
from infogeo.testing import assert_law
from infogeo.testing.calculus import condition
from infogeo.testing.equivalences import IDENTITIES

from ..registry import every_kind, every_primal, every_steep_primal
from ..strategies import generic
from .drawn import drawn


@every_primal
@drawn
def test_ends_and_straightness(M, data):
    p, q = data.draw(generic(M, (3,), count=2))
    t = np.array([0.0, 0.25, 1.0])[:, None]
    e, m = ig.e_geodesic(M, p, q, t), ig.m_geodesic(M, p, q, t)
    assert e.shape == m.shape == (3, 3, M.dim)
    tolerance = 1e-13 * condition(M, p)[:, None] * (np.abs(p) + np.abs(q)).max()
    for curve in (e, m):
        assert np.all(np.abs(curve[0] - p) <= tolerance)
        assert np.all(np.abs(curve[2] - q) <= tolerance + 1e-13 * condition(M, q)[:, None] * np.abs(q).max())
    assert np.allclose(e[1], 0.75 * p + 0.25 * q, rtol=1e-14)
    chord = 0.75 * M.to_eta(p) + 0.25 * M.to_eta(q)
    assert np.allclose(M.to_eta(m[1]), chord, rtol=1e-10, atol=1e-11 * np.abs(chord).max())


@every_primal
@drawn
def test_dual(M, data):
    """The m-geodesic is the e-geodesic of the dual manifold."""
    p, q = data.draw(generic(M, (3,), count=2))
    on_dual = ig.e_geodesic(M.dual, M.to_eta(p), M.to_eta(q), 0.3)
    assert np.allclose(M.to_eta(ig.m_geodesic(M, p, q, 0.3)), on_dual, rtol=1e-10, atol=1e-11 * np.abs(on_dual).max())


@every_steep_primal
@drawn
def test_energy_is_jeffreys(M, data):
    """∫ |ẋ|² dt over the e-geodesic and over the m-geodesic are both J(p, q)."""
    assert_law(IDENTITIES["energies of the flat geodesics"].law, M, *data.draw(generic(M, (), count=2)))


def test_energy_of_two_categoricals():
    """1.31070316003214 between (.5, .3, .2) and (.1, .2, .7)."""
    M = ig.Categorical(3)
    p, q = M.theta_from(probabilities=[0.5, 0.3, 0.2]), M.theta_from(probabilities=[0.1, 0.2, 0.7])
    assert np.isclose(ig.jeffreys(M, p, q), 1.31070316003214, rtol=1e-13)


@every_kind
def test_every_backend(M, backend):
    rng = np.random.default_rng(21)
    p, q = M.theta_domain.sample(rng, (3,), 0.2), M.theta_domain.sample(rng, (3,), 0.2)
    for curve in (ig.e_geodesic, ig.m_geodesic):
        expected = curve(M, p, q, 0.25)
        own = backend.check(curve(M, backend.make(p), backend.make(q), 0.25))
        assert np.allclose(own, expected, rtol=1e-10, atol=1e-12 * np.abs(expected).max())
