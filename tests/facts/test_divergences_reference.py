"""Reference values of the divergences (mpmath, 30 digits), their closed forms, near, far and beyond the domain."""
import mpmath as mp
import numpy as np
import pytest

import infogeo as ig
from infogeo.errors import ConvergenceError, DomainError
from infogeo.geometry.divergences import chernoff
from infogeo.geometry.divergences.alpha import alpha_divergence, chi_squared, hellinger, renyi, squared_hellinger, tsallis
from infogeo.geometry.divergences.chernoff import chernoff_information
from infogeo.geometry.divergences.divergence import fenchel_young
from infogeo.geometry.divergences.skew import bhattacharyya, jensen_bregman
from infogeo.geometry.divergences.total_bregman import total_bregman

CATEGORICAL, NORMAL = ig.Categorical(3), ig.Normal()
PAIRS = {
    "categorical": (CATEGORICAL, dict(probabilities=[0.5, 0.3, 0.2]), dict(probabilities=[0.1, 0.2, 0.7])),
    "normal": (NORMAL, dict(mean=0.0, variance=1.0), dict(mean=1.0, variance=4.0)),
}
VALUES = {
    "categorical": dict(forward=0.675805894950426, backward=0.634897265081715, bhattacharyya=0.171118730594294,
                        alpha=0.62587427168798, renyi=0.614056972047023, chernoff=0.171163473123978, skew=0.507901410750822),
    "normal": dict(forward=0.443147180559945, backward=1.30685281944005, bhattacharyya=0.161571775657105,
                   alpha=0.788986954851528, renyi=0.424961094833008, chernoff=0.172116722932017, skew=0.370577402824181),
}
every_pair = pytest.mark.parametrize("name", PAIRS)


def pair(name):
    family, p, q = PAIRS[name]
    return family, family.theta_from(**p), family.theta_from(**q)


@every_pair
def test_reference_values(name):
    family, p, q = pair(name)
    expected, close = VALUES[name], dict(rtol=1e-14)
    np.testing.assert_allclose(bhattacharyya(family, p, q), expected["bhattacharyya"], **close)
    np.testing.assert_allclose(alpha_divergence(family, p, q, 0.5), expected["alpha"], **close)
    np.testing.assert_allclose(renyi(family, p, q, 0.9), expected["renyi"], **close)
    C, s = chernoff_information(family, p, q)
    np.testing.assert_allclose(C, expected["chernoff"], **close)
    np.testing.assert_allclose(s, expected["skew"], **close)
    for divergence in (lambda *a: renyi(*a, 1), lambda *a: tsallis(*a, 1), lambda *a: alpha_divergence(*a, -1)):
        np.testing.assert_allclose(divergence(family, p, q), expected["forward"], **close)
        np.testing.assert_allclose(divergence(family, q, p), expected["backward"], **close)
    np.testing.assert_allclose(alpha_divergence(family, p, q, 1), expected["backward"], **close)


def test_sums_over_three_outcomes():
    family, p, q = pair("categorical")
    close = dict(rtol=1e-14)
    np.testing.assert_allclose(chi_squared(family, p, q), 2.00714285714286, **close)
    np.testing.assert_allclose(chi_squared(family, q, p), 1.60333333333333, **close)
    np.testing.assert_allclose(squared_hellinger(family, p, q), 0.157278489294309, **close)
    np.testing.assert_allclose(hellinger(family, p, q), np.sqrt(0.157278489294309), **close)
    a, b = (np.array(x["probabilities"]) for x in PAIRS["categorical"][1:])
    for order in -0.5, 0.0, 0.3, 1.7, 3.0:
        integral = np.sum(a**order * b ** (1 - order))
        np.testing.assert_allclose(renyi(family, p, q, order), np.log(integral) / (order - 1), rtol=1e-14, atol=1e-16)
        np.testing.assert_allclose(tsallis(family, p, q, order), (integral - 1) / (order - 1), rtol=1e-14, atol=1e-16)
        np.testing.assert_allclose(jensen_bregman(family, p, q, order), -np.log(integral), rtol=1e-14, atol=1e-16)


def test_skew_divergence_of_the_negative_entropy():
    """On the dual manifold of the categorical family J_½ is the Jensen–Shannon divergence."""
    family, p, q = pair("categorical")
    found = jensen_bregman(family.dual, family.to_eta(p), family.to_eta(q), 0.5)
    np.testing.assert_allclose(found, 0.151358111571795, rtol=1e-14)


def test_normals_of_equal_variance():
    """C = Δ²/8 at s = ½, D_a = a Δ²/2, χ² = e^{Δ²} − 1 with Δ = (μ_p − μ_q)/σ; in the plane with Mahalanobis' distance."""
    p, q = NORMAL.theta_from(mean=1.0, variance=4.0), NORMAL.theta_from(mean=4.0, variance=4.0)
    C, s = chernoff_information(NORMAL, p, q)
    np.testing.assert_allclose([C, s, renyi(NORMAL, p, q, 0.3), renyi(NORMAL, p, q, 7.0), chi_squared(NORMAL, p, q)],
                               [2.25 / 8, 0.5, 0.3 * 2.25 / 2, 7 * 2.25 / 2, np.expm1(2.25)], rtol=1e-13)
    plane, covariance = ig.MultivariateNormal(2), np.array([[2.0, 0.5], [0.5, 1.0]])
    p, q = (plane.theta_from(mean=m, covariance=covariance) for m in ([0.0, 0.0], [1.0, -2.0]))
    squared = np.array([1.0, -2.0]) @ np.linalg.solve(covariance, [1.0, -2.0])
    np.testing.assert_allclose(chernoff_information(plane, p, q), (squared / 8, 0.5), rtol=1e-12)


def test_normals_of_one_mean():
    """∫ p^s q^{1−s} of N(0, v) and N(0, w) is v^{(1−s)/2} w^{s/2} / √(s w + (1 − s) v), and +∞ where that root is not real."""
    v, w = 1.0, 3.0
    p, q = NORMAL.theta_from(mean=0.0, variance=v), NORMAL.theta_from(mean=0.0, variance=w)
    for s in -0.4, 0.2, 0.5, 2.0, 30.0:
        log_integral = 0.5 * ((1 - s) * np.log(v) + s * np.log(w) - np.log(s * w + (1 - s) * v))
        np.testing.assert_allclose(jensen_bregman(NORMAL, p, q, s), -log_integral, rtol=1e-13)
    for s in -0.5, -0.6, -3.0:                                      # s w + (1 − s) v ≤ 0
        assert jensen_bregman(NORMAL, p, q, s) == -np.inf and renyi(NORMAL, p, q, s) == -np.inf
        assert renyi(NORMAL, q, p, 1 - s) == tsallis(NORMAL, q, p, 1 - s) == alpha_divergence(NORMAL, p, q, 1 - 2 * s) == np.inf
    assert chi_squared(NORMAL, q, NORMAL.theta_from(mean=0.0, variance=1.0)) == np.inf
    assert np.isfinite(chi_squared(NORMAL, p, q))


@pytest.mark.parametrize("tiny", [1e-3, 1e-6, 1e-8, 1e-12, 1e-15, 0.0])
@every_pair
def test_alpha_near_one(name, tiny):
    """Against the power integral in 60 digits, at the α that the float is."""
    family, p, q = pair(name)
    for alpha in -1.0 + tiny, 1.0 - tiny, 1.0 + tiny, -1.0 - tiny:
        with mp.workdps(60):
            s = (1 - mp.mpf(alpha)) / 2
            J = skew_in_digits(name, s)
            expected = (float(4 / (1 - mp.mpf(alpha) ** 2) * -mp.expm1(-J)) if abs(alpha) != 1 else
                        VALUES[name]["forward" if alpha < 0 else "backward"])
        np.testing.assert_allclose(alpha_divergence(family, p, q, alpha), expected, rtol=1e-14)


def skew_in_digits(name, s):
    if name == "categorical":
        a, b = ([mp.mpf(x) / 10 for x in row] for row in ([5, 3, 2], [1, 2, 7]))
        return -mp.log(sum(x**s * y ** (1 - s) for x, y in zip(a, b)))
    precision = [s * 1 + (1 - s) / mp.mpf(4), (1 - s) / mp.mpf(4)]                  # of θ_s, and times its mean
    psi = lambda first, second: first**2 / (2 * second) - mp.log(second) / 2        # at θ = (first, −second/2)
    return s * psi(0, mp.mpf(1)) + (1 - s) * psi(mp.mpf(1) / 4, mp.mpf(1) / 4) - psi(precision[1], precision[0])


@pytest.mark.parametrize("distance", [1e-4, 1e-8, 1e-12])
def test_near_poissons(distance):
    """Against ψ = e^θ in 60 digits at the points that the floats are; beyond these θ_s is rounded as they are."""
    rounding = 1e-15 / distance
    M, p, q = ig.Poisson(), np.array([0.7]), np.array([0.7 + distance])
    for s in -0.5, 1e-3, 0.25, 0.5, 0.9, 2.0:
        with mp.workdps(60):
            a, b, w = mp.mpf(float(p[0])), mp.mpf(float(q[0])), mp.mpf(s)
            expected = w * mp.exp(a) + (1 - w) * mp.exp(b) - mp.exp(w * a + (1 - w) * b)
            chi2 = mp.expm1(mp.exp(2 * a - b) - 2 * mp.exp(a) + mp.exp(b))
        np.testing.assert_allclose(jensen_bregman(M, p, q, s), float(expected), rtol=1e-6 if 0 <= s <= 1 else rounding)
    np.testing.assert_allclose(chi_squared(M, p, q), float(chi2), rtol=rounding)


def test_far_points():
    """Two coins that agree in nothing, a thousand and more logits apart."""
    coin = ig.Bernoulli()
    p, q = np.array([[30.0], [700.0], [1e5]]), np.array([[-30.0], [-700.0], [-1e5]])
    C, s = chernoff_information(coin, p, q)
    np.testing.assert_allclose(bhattacharyya(coin, p, q), p[:, 0] / 2 - np.log(2.0) + np.log1p(np.exp(-p[:, 0])), rtol=1e-14)
    np.testing.assert_allclose(C, bhattacharyya(coin, p, q), rtol=1e-14)
    np.testing.assert_allclose(s, 0.5, rtol=1e-14)
    np.testing.assert_allclose(hellinger(coin, p, q)[1:], 1.0, rtol=1e-15)
    np.testing.assert_allclose(alpha_divergence(coin, p, q, 0.3)[1:], 4 / (1 - 0.09), rtol=1e-15)
    np.testing.assert_allclose(renyi(coin, p, q, 5.0), p[:, 0] + np.log1p(np.exp(-p[:, 0])), rtol=1e-13)
    np.testing.assert_allclose(chi_squared(coin, p, q)[:2], np.exp([30.0, 700.0]), rtol=1e-12)
    assert chi_squared(coin, p, q)[2] == np.inf
    assert renyi(ig.Poisson(), [1.0], [0.0], 1e4) == np.inf         # e^{10⁴} is no float
    far, wide = NORMAL.theta_from(mean=1e8, variance=1e-6), NORMAL.theta_from(mean=-1e8, variance=1e8)
    C, s = chernoff_information(NORMAL, far, wide)
    middle = s * far + (1 - s) * wide
    assert 0 < s < 1e-6
    np.testing.assert_allclose([NORMAL.kl(middle, far), NORMAL.kl(middle, wide)], C, rtol=1e-6)


def test_not_a_number_stays_one():
    for order in 0.5, 1.0, 3.0:
        assert np.isnan(renyi(NORMAL, [np.nan, -1.0], [0.0, -1.0], order))


ORDERED = [(jensen_bregman, "s"), (renyi, "order"), (tsallis, "order"), (alpha_divergence, "alpha")]


@pytest.mark.parametrize("function, name", ORDERED)
def test_orders_are_finite(function, name):
    for bad in np.inf, np.nan:
        with pytest.raises(DomainError, match=f"^{name} must satisfy {name} finite; got {bad}"):
            function(NORMAL, [0.0, -1.0], [1.0, -1.0], bad)
    with pytest.raises(DomainError, match=f"{name} finite; 1 of 2 points does not, first at index \\(1,\\): inf"):
        function(NORMAL, [0.0, -1.0], [1.0, -1.0], [1.0, np.inf])
    with pytest.raises(ig.ShapeError, match=r"takes arrays of shape \(..., 2\)"):
        function(NORMAL, [0.0], [1.0, -1.0], 0.5)


def test_chernoff_information_that_does_not_settle(monkeypatch):
    monkeypatch.setattr(chernoff, "MAX_STEPS", 1)
    family, p, q = pair("categorical")
    with pytest.raises(ConvergenceError, match="has not settled after 1 steps") as caught:
        chernoff_information(family, p, q)
    assert abs(caught.value.iterate - VALUES["categorical"]["skew"]) < 1e-2


@every_pair
def test_chernoff_information_takes_few_steps(name, monkeypatch):
    monkeypatch.setattr(chernoff, "MAX_STEPS", 6)
    family, p, q = pair(name)
    np.testing.assert_allclose(chernoff_information(family, p, q).value, VALUES[name]["chernoff"], rtol=1e-14)


@pytest.mark.parametrize("M, scale", [(ig.Bernoulli(), 3.0), (ig.Poisson(), 10.0), (ig.Gamma(), 20.0), (ig.Dirichlet(3), 20.0)],
                         ids=repr)
def test_chernoff_information_of_points_far_and_wide(M, scale):
    """Where Newton's method alone leaves the bracket, or is thrown about by rounding, it is still the largest skew divergence."""
    p, q = (M.theta_domain.sample(np.random.default_rng(i), (300,), scale) for i in (0, 1))
    C = chernoff_information(M, p, q).value
    s = np.concatenate([10.0 ** np.arange(-16.0, 0.0), np.linspace(0.15, 0.85, 15), 1 - 10.0 ** np.arange(-1.0, -16.0, -1.0)])
    assert np.all(C >= jensen_bregman(M, p, q, s[:, None]) * (1 - 1e-9))
    assert np.all(C <= np.minimum(M.divergence(p, q), M.divergence(q, p)))


def test_chernoff_information_of_unlike_points():
    """Where both divergences are equal: a narrow gamma distribution and wide ones."""
    M = ig.Gamma()
    p, q = M.theta_from(shape=1e4, rate=1e4), M.theta_from(shape=[1e-3, 1e-2, 0.1, 1e3], rate=[1e-3, 1e2, 1e-5, 1e-4])
    C, s = chernoff_information(M, p, q)
    middle = s[:, None] * p + (1 - s[:, None]) * q
    np.testing.assert_allclose(M.kl(middle, np.tile(p, (4, 1))), C, rtol=1e-8)
    np.testing.assert_allclose(M.kl(middle, q), C, rtol=1e-8)


def test_fenchel_young():
    """The logistic loss: log(1 + e^θ) − ηθ − H(η)."""
    theta, eta = np.array([[0.3], [-2.0]]), np.array([[0.25], [0.9]])
    expected = np.log1p(np.exp(theta)) - eta * theta + eta * np.log(eta) + (1 - eta) * np.log(1 - eta)
    np.testing.assert_allclose(fenchel_young(ig.Bernoulli(), theta, eta), expected[:, 0], rtol=1e-13)
    np.testing.assert_allclose(fenchel_young(ig.Euclidean(2), [1.0, 2.0], [4.0, 6.0]), 12.5, rtol=1e-15)
    coin = ig.Bernoulli()
    assert fenchel_young(coin, [0.3], coin.to_eta([0.3])) < 1e-30


def test_total_bregman():
    """½ |a − b|² / √(1 + |b|²) of the Euclidean potential; Itakura and Saito's at b = ½ over √5; η too large to be squared."""
    np.testing.assert_allclose(total_bregman(ig.Euclidean(2), [1.0, 2.0], [2.0, 4.0]), 2.5 / np.sqrt(21.0), rtol=1e-15)
    np.testing.assert_allclose(total_bregman(ig.Burg(1), [1.0], [0.5]), (1.0 - np.log(2.0)) / np.sqrt(5.0), rtol=1e-14)
    np.testing.assert_allclose(total_bregman(ig.Euclidean(2), [0.0, 0.0], [3e-170, 4e-170]), 0.0, atol=1e-300)
    np.testing.assert_allclose(total_bregman(ig.Burg(2), [1e-200, 1.0], [1e-200, 2.0]), (np.log(2.0) - 0.5) * 1e-200, rtol=1e-13)


def test_total_bregman_turns_with_the_graph():
    """The parabola x²/2 turned by an angle: the distance along its normal at b of the point at a stays what it is."""
    a, b, angle = 0.4, -0.3, 0.5
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    point, foot, normal = (turn @ x for x in ([a, a**2 / 2], [b, b**2 / 2], np.array([-b, 1.0]) / np.hypot(b, 1.0)))
    np.testing.assert_allclose(total_bregman(ig.Euclidean(1), [a], [b]), (point - foot) @ normal, rtol=1e-13)
