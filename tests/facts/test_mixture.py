"""Mixture families: point masses are categorical, finite states and densities against integration, the boundary, errors."""
import mpmath as mp
import numpy as np
import pytest
import scipy.integrate

import infogeo as ig
from infogeo.families.mixture import MixtureFamily

ROWS = np.array([[0.5, 0.3, 0.2, 0.0], [0.1, 0.1, 0.3, 0.5], [0.25, 0.25, 0.25, 0.25]])
NORMAL = ig.Normal()
COMPONENTS = [NORMAL.theta_from(mean=m, variance=v) for m, v in ((-1.0, 1.0), (2.0, 1.0), (0.0, 9.0))]
LOG_DENSITIES = [lambda x, theta=theta: NORMAL.log_density(theta, x) for theta in COMPONENTS]


@pytest.mark.parametrize("scale", [1.0, 8.0])
def test_point_masses_are_categorical(scale):
    """All charts, potentials, tensors and divergences, of the manifold and of its dual."""
    own, categorical, rng = MixtureFamily(np.eye(4)), ig.Categorical(4), np.random.default_rng(0)
    theta, other = scale * rng.normal(size=(2, 20, 3))
    eta, vector = categorical.to_eta(theta), rng.normal(size=(20, 3))
    arguments = {"potential": (theta,), "to_eta": (theta,), "metric": (theta,), "cubic_tensor": (theta,),
                 "divergence": (theta, other),
                 "flat": (theta, vector), "sharp": (theta,
                                                    vector), "to_theta": (eta,), "dual_potential": (eta,), "dual_metric": (eta,),
                 "dual_flat": (eta, vector), "dual_sharp": (eta, vector), "dual_cubic_tensor": (eta,)}
    kappa = np.linalg.cond(categorical.metric(theta)).max()
    for name, args in arguments.items():
        expected = getattr(categorical, name)(*args)
        np.testing.assert_allclose(getattr(own, name)(*args), expected, rtol=1e-12,
                                   atol=1e-14 * kappa * np.abs(expected).max(), err_msg=name)
    assert own.dual.dual is own
    np.testing.assert_allclose(ig.e_geodesic(own.dual, eta[0], eta[1], 0.25), 0.75 * eta[0] + 0.25 * eta[1], rtol=1e-14)


@pytest.mark.parametrize("weights", [[0.2, 0.3], [0.01, 0.98], [1e-8, 1e-8]], ids=str)
def test_finite_states_against_extended_precision(weights):
    family = MixtureFamily(ROWS)
    with mp.workdps(50):
        full = [*map(mp.mpf, weights), 1 - mp.fsum(map(mp.mpf, weights))]
        m = [mp.fsum(w * mp.mpf(r) for w, r in zip(full, column)) for column in ROWS.T]
        gaps = [[mp.mpf(r[i]) - mp.mpf(r[2]) for r in ROWS.T] for i in (0, 1)]
        phi = float(mp.fsum(v * mp.log(v) for v in m))
        theta = [float(mp.fsum(g * mp.log(v) for g, v in zip(gap, m))) for gap in gaps]
        metric = [[float(mp.fsum(a * b / v for a, b, v in zip(u, w, m))) for w in gaps] for u in gaps]
        cubic = [[[float(-mp.fsum(a * b * c / v**2 for a, b, c,
                                  v in zip(u, w, z, m))) for z in gaps] for w in gaps] for u in gaps]
    np.testing.assert_allclose(family.dual_potential(weights), phi, rtol=1e-14)
    np.testing.assert_allclose(family.to_theta(weights), theta, rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(family.dual_metric(weights), metric, rtol=1e-13)
    np.testing.assert_allclose(family.dual_cubic_tensor(weights), cubic, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(family.density(weights), np.array([float(v) for v in m]), rtol=1e-14)
    np.testing.assert_allclose(family.to_eta(theta), weights, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("distance", [1e-10, 1e-4, 0.3])
def test_kl_of_near_and_far_mixtures(distance):
    """Canonical divergence of the manifold and of its dual, in either chart."""
    family = MixtureFamily(ROWS)
    p, q = np.array([0.2, 0.3]), np.array([0.2, 0.3]) + distance * np.array([1.0, -0.9])
    with mp.workdps(60):
        mixture = lambda w: [mp.fsum([mp.mpf(w[0]) * mp.mpf(a), mp.mpf(w[1]) * mp.mpf(b),
                                      (1 - mp.mpf(w[0]) - mp.mpf(w[1])) * mp.mpf(c)])
                             for a, b, c in ROWS.T]
        expected = float(mp.fsum(a * mp.log(a / b) for a, b in zip(mixture(p), mixture(q))))
    np.testing.assert_allclose(ig.canonical_divergence(family.dual, q, p), expected, rtol=1e-9)
    if distance > 1e-6:                     # the charts themselves have rounding, which near points show
        np.testing.assert_allclose(ig.canonical_divergence(family, family.to_theta(p), family.to_theta(q)), expected, rtol=1e-6)


def test_where_a_weight_would_vanish():
    """Components that overlap: the image of θ is bounded, and what lies outside is NaN."""
    family = MixtureFamily(np.array([[0.7, 0.3], [0.4, 0.6]]))
    ends = np.array([0.3 * np.log(0.4 / 0.6), 0.3 * np.log(0.7 / 0.3)])           # θ at weight 0 and at weight 1
    theta = np.concatenate([ends + [-1e-6, 1e-6], ends + [1e-6, -1e-6], [-50.0, np.nan, 0.5 * ends.sum()]])[:, None]
    inside = [False, False, True, True, False, False, True]
    np.testing.assert_array_equal(family.theta_domain.contains(theta), inside)
    weights = family.to_eta(theta)[[2, 3, 6]]
    np.testing.assert_allclose(family.to_theta(weights), theta[[2, 3, 6]], atol=1e-13)


def integral(f):
    return scipy.integrate.quad(f, -80.0, 80.0, points=[-3, -1, 0, 2, 4], epsabs=1e-13, epsrel=1e-13, limit=500)[0]


def test_densities_on_the_line():
    family, weights = MixtureFamily.on_line(LOG_DENSITIES), np.array([0.3, 0.5])
    p = [lambda x, f=f: np.exp(f(np.asarray(x))) for f in LOG_DENSITIES]
    m = lambda x: 0.3 * p[0](x) + 0.5 * p[1](x) + 0.2 * p[2](x)
    assert 0 < family.quadrature_error < 1e-12
    np.testing.assert_allclose(family.dual_potential(weights), integral(lambda x: m(x) * np.log(m(x))), rtol=1e-11)
    for i in (0, 1):
        np.testing.assert_allclose(family.to_theta(weights)[i], integral(lambda x: (p[i](x) - p[2](x)) * np.log(m(x))),
                                   rtol=1e-10)
        np.testing.assert_allclose(family.dual_metric(weights)[i, i], integral(lambda x: (p[i](x) - p[2](x)) ** 2 / m(x)),
                                   rtol=1e-10)
    q = lambda x: 0.1 * p[0](x) + 0.2 * p[1](x) + 0.7 * p[2](x)
    np.testing.assert_allclose(ig.canonical_divergence(family.dual, [0.1, 0.2], weights),
                               integral(lambda x: m(x) * np.log(m(x) / q(x))), rtol=1e-10)


@pytest.mark.parametrize("lower, upper", [(0.0, np.inf), (-np.inf, 0.0), (0.0, 1.0)])
def test_quadrature_error_tells(lower, upper):
    """Exponentials on half-lines, powers on an interval: the reported error bounds that of φ, on a coarse grid too."""
    if np.isinf(lower) or np.isinf(upper):
        log_densities = [lambda x, r=r: np.log(r) - r * np.abs(x) for r in (1.0, 3.0)]
        exact = lambda r: np.log(r) - 1.0
        first, last = exact(1.0), exact(3.0)
    else:
        log_densities = [lambda x, a=a: np.log(a) + (a - 1) * np.log(x) for a in (2.0, 3.0)]
        first, last = (np.log(a) - (a - 1) / a for a in (2.0, 3.0))
    for panels in (2, 100):
        family = MixtureFamily.on_line(log_densities, lower, upper, panels)
        phi = family.dual_potential([[1.0 - 1e-15], [1e-15]])
        assert np.all(np.abs(phi - [first, last]) <= 2 * family.quadrature_error + 1e-13)
    assert family.quadrature_error < 1e-4


def test_sampled_components():
    """Against quadrature, within five standard errors; these shrink with √n."""
    exact, weights = MixtureFamily.on_line(LOG_DENSITIES), np.array([[0.3, 0.5], [0.1, 0.1]])
    pairs = [(NORMAL, theta) for theta in COMPONENTS]
    errors = []
    for n in (2000, 32000):
        family = MixtureFamily.sampled(pairs, np.random.default_rng(1), n)
        phi, theta = family.standard_errors(weights)
        assert np.all(np.abs(family.dual_potential(weights) - exact.dual_potential(weights)) <= 5 * phi)
        assert np.all(np.abs(family.to_theta(weights) - exact.to_theta(weights)) <= 5 * theta)
        errors.append(phi)
    np.testing.assert_allclose(errors[0] / errors[1], 4.0, rtol=0.15)
    with pytest.raises(ig.DomainError, match="made by MixtureFamily.sampled"):
        exact.standard_errors(weights)


@pytest.mark.parametrize("components, message", [
    (np.ones(3) / 3, "components must have shape"),
    ([[0.5, 0.5]], "components must have shape"),
    ([[0.5, 0.5], [0.5, 0.6]], "components >= 0 and sum of each row = 1"),
    ([[1.5, -0.5], [0.5, 0.5]], "components >= 0"),
    ([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.25, 0.5, 0.25]], "rank = 3, the number of its rows; got 2"),
])
def test_constructor_refuses(components, message):
    with pytest.raises((ig.DomainError, ig.ShapeError), match=message):
        MixtureFamily(components)


def test_on_line_refuses():
    with pytest.raises(ig.DomainError, match="lower < upper"):
        MixtureFamily.on_line(LOG_DENSITIES, 1.0, 0.0)
    with pytest.raises(ig.DomainError, match="log_densities < inf on the grid"):
        MixtureFamily.on_line([lambda x: np.full_like(x, np.nan), lambda x: -x], 0.1, 1.0)
