"""f-divergences by sums, quadrature and Monte Carlo, with errors that are what they say."""
import mpmath as mp
import numpy as np
import pytest

import infogeo as ig
from infogeo.geometry.divergences.alpha import alpha_divergence, chi_squared, squared_hellinger
from infogeo.geometry.divergences.f_divergence import f_divergence, jensen_shannon, total_variation
from infogeo.geometry.divergences.integration import MonteCarlo, Quadrature, States

COIN, NORMAL = ig.Bernoulli(), ig.Normal()


def kl(u):
    """2u / (1 + e^{−u}), for u of any size."""
    return u * (1 + np.tanh(u / 2))


# k(u) of a divergence with a closed form
CLOSED = {
    "KL": (kl, ig.canonical_divergence),
    "Jeffreys": (lambda u: 2 * u * np.tanh(u / 2), ig.jeffreys),
    "Hellinger": (lambda u: 1 - 2 * np.exp(-abs(u) / 2) / (1 + np.exp(-abs(u))), squared_hellinger),
    "α = 0.4": (lambda u: (1 - 2 * np.exp(0.3 * u - np.logaddexp(0, u))) / 0.21, lambda M, p, q: alpha_divergence(M, p, q, 0.4)),
}
every_closed_form = pytest.mark.parametrize("name", CLOSED)


def test_reference_values():
    M = ig.Categorical(3)
    p, q = M.theta_from(probabilities=[0.5, 0.3, 0.2]), M.theta_from(probabilities=[0.1, 0.2, 0.7])
    np.testing.assert_allclose(jensen_shannon(M, p, q).value, 0.151358111571795, rtol=5e-15)
    np.testing.assert_allclose(total_variation(M, p, q).value, 0.5, rtol=5e-15)
    le_cam = f_divergence(M, p, q, lambda u: np.tanh(u / 2) ** 2).value
    np.testing.assert_allclose(le_cam, 0.5 * (0.16 / 0.6 + 0.01 / 0.5 + 0.25 / 0.9), rtol=1e-14)
    pearson = f_divergence(M, p, q, lambda u: 2 * np.expm1(u) ** 2 / (1 + np.exp(u))).value
    np.testing.assert_allclose(pearson, chi_squared(M, p, q), rtol=1e-13)
    assert jensen_shannon(M, p, q).error < 1e-15
    assert jensen_shannon(M, p, p) == (0.0, 0.0)


@pytest.mark.parametrize("apart", [1e-3, 1e-9, 1e-12, 1e-15])
def test_near_points(apart):
    """Jensen–Shannon and total variation of nearly equal categorical laws, by 60 digits; the stated error bounds the true one."""
    theta_p = np.array([0.3, -0.2])
    theta_q = theta_p + apart * np.array([1.0, 0.5])
    with mp.workdps(60):
        weights = [[*(mp.e**mp.mpf(t) for t in theta), mp.mpf(1)] for theta in (theta_p, theta_q)]
        p, q = ([w / sum(row) for w in row] for row in weights)
        half = [(a + b) / 2 for a, b in zip(p, q)]
        expected = {jensen_shannon: sum(a * mp.log(a / m) + b * mp.log(b / m) for a, b, m in zip(p, q, half)) / 2,
                    total_variation: sum(abs(a - b) for a, b in zip(p, q)) / 2}
        for f, exact in expected.items():
            value, error = f(ig.Categorical(3), theta_p, theta_q)
            assert abs(value / exact - 1) <= 1e-15 and abs(value - exact) <= error <= 4e-15 * exact


@every_closed_form
def test_sums(name):
    """Over every registered kind of finite state space, the list given where it is not a range of integers."""
    k, D = CLOSED[name]
    spins = np.array(np.meshgrid(*[[-1.0, 1.0]] * 3)).reshape(3, -1).T
    counts = np.array([[i, j, 5 - i - j] for i in range(6) for j in range(6 - i)], dtype=float)
    for M, over in ((ig.Binomial(7), None), (ig.Categorical(6), None), (ig.BoltzmannMachine(3, ((0, 1), (1, 2))), States(spins)),
                    (ig.Multinomial(3, 5), States(counts)), (ig.Poisson(), States(np.arange(150.0)))):
        p, q = (M.theta_domain.sample(np.random.default_rng(i), (4,), 0.5) for i in (1, 2))
        value, error = f_divergence(M, p, q, k, over)
        np.testing.assert_allclose(value, D(M, p, q), rtol=1e-11)
        assert np.all(error < 1e-10)


LINES = {
    "line": (NORMAL, dict(mean=0.3, variance=2.0), dict(mean=-1.0, variance=0.7), Quadrature()),
    "line, elsewhere": (NORMAL, dict(mean=1e4, variance=2.0), dict(mean=1e4 + 1, variance=5.0),
                        Quadrature(center=1e4, width=2.0)),
    "half-line": (ig.Gamma(), dict(shape=2.0, rate=3.0), dict(shape=0.4, rate=0.1), Quadrature(0.0)),
    "half-line from 2": (ig.Pareto(2.0), dict(exponent=0.6), dict(exponent=3.0), Quadrature(2.0)),
    "interval": (ig.Beta(), dict(alpha=2.0, beta=3.0), dict(alpha=0.5, beta=1.5), Quadrature(0.0, 1.0)),
    "circle": (ig.VonMises(), dict(mean_direction=0.5, concentration=2.0), dict(mean_direction=-2.0, concentration=1.0),
               Quadrature(-np.pi, np.pi)),
}


@every_closed_form
@pytest.mark.parametrize("where", LINES)
def test_quadrature(where, name):
    (k, D), (M, p, q, over) = CLOSED[name], LINES[where]
    p, q = M.theta_from(**p), M.theta_from(**q)
    value, error = f_divergence(M, p, q, k, over)
    np.testing.assert_allclose(value, D(M, p, q), rtol=1e-9)
    assert abs(value - D(M, p, q)) <= error + 1e-12 * value and error < 1e-7 * value


def test_a_reflected_half_line():
    """The nodes of upper − width e^s are those of lower + width e^s, seen in a mirror."""
    there, back = (over.rule() for over in (Quadrature(lower=1.0), Quadrature(upper=-1.0)))
    np.testing.assert_array_equal(back[0], -there[0])
    np.testing.assert_array_equal(back[1], there[1])


def test_densities_that_no_node_sees_have_an_infinite_error():
    p, q = NORMAL.theta_from(mean=1000.0, variance=1e-4), NORMAL.theta_from(mean=1000.01, variance=1e-4)
    k, D = CLOSED[next(iter(CLOSED))]
    assert f_divergence(NORMAL, p, q, k, Quadrature()).error == np.inf
    value, error = f_divergence(NORMAL, p, q, k, Quadrature(center=1000.0, width=0.01))
    np.testing.assert_allclose(value, D(NORMAL, p, q), rtol=1e-9)
    assert error < 1e-9


def test_jensen_shannon_of_normals():
    """Against mpmath's quadrature."""
    with mp.workdps(20):
        p, q = (lambda x, m=m, s=s: mp.npdf(x, m, s) for m, s in ((0, 1), (1, 2)))
        term = lambda a, b: a * mp.log(2 * a / (a + b)) / 2
        expected = float(mp.quad(lambda x: term(p(x), q(x)) + term(q(x), p(x)), [-25, -5, -1, 0, 1, 5, 27]))
    p, q = NORMAL.theta_from(mean=0.0, variance=1.0), NORMAL.theta_from(mean=1.0, variance=4.0)
    value, error = jensen_shannon(NORMAL, p, q, Quadrature())
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    assert error < 1e-12


def test_errors_show_what_is_missing():
    """Narrow densities between the nodes, a center that is elsewhere, states that are left out."""
    p, q = NORMAL.theta_from(mean=1000.0, variance=1e-4), NORMAL.theta_from(mean=1000.0, variance=4.0)
    exact = squared_hellinger(NORMAL, p, q)
    hellinger = CLOSED["Hellinger"][0]
    lost = f_divergence(NORMAL, p, q, hellinger, Quadrature())
    found = f_divergence(NORMAL, p, q, hellinger, Quadrature(center=1000.0, width=0.1))
    assert lost.error > 0.1 and abs(lost.value - exact) <= lost.error
    far = NORMAL.theta_from(mean=1e4, variance=1e-6), NORMAL.theta_from(mean=1e4, variance=1e-8)
    unseen = f_divergence(NORMAL, *far, lambda u: 1.0 - 0.0 * u, Quadrature(nodes=101))         # between the nodes of either rule
    np.testing.assert_allclose(unseen, (0.0, np.inf))
    np.testing.assert_allclose(found.value, exact, rtol=1e-12)
    M, p, q = ig.Poisson(), np.log([3.0]), np.log([8.0])
    whole, part = (total_variation(M, p, q, States(np.arange(n))) for n in (100.0, 9.0))
    assert abs(part.value - whole.value) <= part.error and part.error > 0.1
    assert whole.error < 1e-14


def test_quadrature_of_kinks_converges_slowly():
    """|Φ(½) − Φ(−½)| for two unit normals one apart: the error is the kink's, and the estimate knows."""
    p, q = NORMAL.theta_from(mean=0.0, variance=1.0), NORMAL.theta_from(mean=1.0, variance=1.0)
    exact = float(mp.erf(mp.mpf(1) / (2 * mp.sqrt(2))))
    for nodes in 101, 1001, 10001:
        value, error = total_variation(NORMAL, p, q, Quadrature(nodes=nodes))
        assert abs(value - exact) <= 2 * error and error < 40 / nodes**2


@every_closed_form
def test_monte_carlo(name):
    """Within five standard errors, which fall with √n; a batch at once, of vectors too."""
    k, D = CLOSED[name]
    for M in ig.MultivariateNormal(2), ig.Dirichlet(3), COIN:
        p, q = (M.theta_domain.sample(np.random.default_rng(i), (3,), 0.3) for i in (3, 4))
        value, error = f_divergence(M, p, q, k, MonteCarlo(np.random.default_rng(6), 4000))
        assert value.shape == error.shape == (3,)
        assert np.all(np.abs(value - D(M, p, q)) <= 5 * error)
        few = f_divergence(M, p, q, k, MonteCarlo(np.random.default_rng(7), 250)).error
        np.testing.assert_allclose(few / error, 4.0, rtol=0.35)


def test_standard_errors_are_standard():
    """(value − exact) / error over 400 pairs of runs has mean square 1, to five standard deviations of it."""
    p, q = (COIN.theta_from(probability=np.full(400, x)) for x in (0.3, 0.6))
    value, error = jensen_shannon(COIN, p, q, MonteCarlo(np.random.default_rng(8), 500))
    z = (value - jensen_shannon(COIN, p, q).value) / error
    assert abs(np.mean(z**2) - 1) < 5 * np.sqrt(2 / 400)


def test_the_squared_standard_error_is_unbiased():
    """Its mean over 4000 pairs of two draws is the variance of their values."""
    p, q = (COIN.theta_from(probability=np.full(4000, x)) for x in (0.3, 0.6))
    value, error = f_divergence(COIN, p, q, kl, MonteCarlo(np.random.default_rng(9), 2))
    np.testing.assert_allclose(np.mean(error**2), np.var(value), rtol=0.1)


def test_jensen_shannon_is_the_square_of_a_metric():
    """The triangle inequality of √JS, and √JS ≤ √log 2, which is reached by distributions that share nothing."""
    M = ig.Categorical(6)
    a, b, c = (M.theta_domain.sample(np.random.default_rng(i), (500,), 3.0) for i in range(3))
    distance = lambda x, y: np.sqrt(jensen_shannon(M, x, y).value)
    assert np.all(distance(a, c) <= (distance(a, b) + distance(b, c)) * (1 + 1e-12))
    assert np.all(distance(a, b) <= np.sqrt(np.log(2.0)))
    for logit in 50.0, 800.0, 1e6:
        np.testing.assert_allclose(jensen_shannon(COIN, [logit], [-logit]).value, np.log(2.0), rtol=1e-14)


@pytest.mark.parametrize("distance", [1e-8, 1e-4, 1e-2])
def test_near_coins(distance):
    """Against 60 digits at the logits that the floats are."""
    p, q = 0.3, 0.3 + distance
    with mp.workdps(60):
        rows = [[1 / (1 + mp.exp(-mp.mpf(t))), 1 / (1 + mp.exp(mp.mpf(t)))] for t in (p, q)]
        expected = float(sum(a * mp.log(2 * a / (a + b)) + b * mp.log(2 * b / (a + b)) for a, b in zip(*rows)) / 2)
        variation = float(sum(abs(a - b) for a, b in zip(*rows)) / 2)
    np.testing.assert_allclose(jensen_shannon(COIN, [p], [q]).value, expected, rtol=1e-6)
    np.testing.assert_allclose(total_variation(COIN, [p], [q]).value, variation, rtol=1e-6)


@pytest.mark.parametrize("make, error, message", [
    (lambda: jensen_shannon(NORMAL, [0.0, -1.0], [1.0, -1.0]), TypeError, "Normal.* no finite range of integers .* over=States"),
    (lambda: jensen_shannon(ig.Poisson(), [0.0], [1.0]), TypeError, "Poisson.* no finite range"),
    (lambda: jensen_shannon(ig.Euclidean(1), [0.0], [1.0]), TypeError, "Euclidean.* no finite range"),
    (lambda: States(1.0), ig.ShapeError, r"x must have an axis of at least one state first; got shape \(\)"),
    (lambda: States([]), ig.ShapeError, r"got shape \(0,\)"),
    (lambda: Quadrature(2.0, 2.0), ig.DomainError, "lower < upper"),
    (lambda: Quadrature(center=np.nan), ig.DomainError, "center must satisfy center finite; got nan"),
    (lambda: Quadrature(width=0.0), ig.DomainError, "width must satisfy width > 0; got 0.0"),
    (lambda: Quadrature(nodes=100), ig.DomainError, "nodes must satisfy nodes odd and nodes >= 3; got 100"),
    (lambda: Quadrature(nodes=1), ig.DomainError, "got 1"),
    (lambda: MonteCarlo(np.random.default_rng(0), 1), ig.DomainError, "n must satisfy n an integer >= 2; got 1"),
], ids=["line without a rule", "counts without a rule", "no family", "one state", "no states", "empty interval", "center",
        "width", "even nodes", "one node", "one draw"])
def test_bad_input(make, error, message):
    with pytest.raises(error, match=message):
        make()
