"""The numbers of natural against Euclidean gradient descent for the Kullback–Leibler divergence.

The setting is that of Datar & Ay, Convergence Properties of Natural Gradient Descent for Minimizing KL Divergence (2025):
a target q, a model p moved in θ or in η, by the gradient or by the natural gradient, on KL(q‖p) or on KL(p‖q).
"""
import numpy as np
import pytest

import infogeo as ig

HALF = np.array([0.5, 0.3, 0.2])
FIVE = np.full(5, 0.2)


def spectrum(probabilities, reference=None):
    """Eigenvalues of the Fisher metric in θ at a categorical target, ascending."""
    probabilities = np.asarray(probabilities)
    family = ig.Categorical(probabilities.shape[-1], reference=reference)
    return np.linalg.eigvalsh(family.metric(family.theta_from(probabilities=probabilities)))


def targets(n, k, seed):
    return np.random.default_rng(seed).dirichlet(np.ones(k), size=n)


# Spectrum of the metric

@pytest.mark.parametrize("k", [3, 5, 10])
def test_spectrum_of_random_targets(k):
    """Interlacing η_(1) ≥ λ_max ≥ η_(2) ≥ … ≥ η_(n) ≥ λ_min, λ_max ≤ 1/2, det G = Π p_i, Σ η_i² / (η_i − λ) = 1."""
    p = targets(2000, k, seed=k)
    family = ig.Categorical(k)
    theta = family.theta_from(probabilities=p)
    metric = family.metric(theta)
    eigenvalues = np.linalg.eigvalsh(metric)
    eta = np.sort(family.to_eta(theta), axis=-1)
    rounding = 1e-14
    assert np.all(eigenvalues <= eta + rounding)
    assert np.all(eigenvalues[:, 1:] >= eta[:, :-1] - rounding)
    assert np.all(eigenvalues[:, -1] <= 0.5 + rounding)
    np.testing.assert_allclose(np.linalg.slogdet(metric)[1], np.log(p).sum(axis=-1), rtol=1e-9)
    # the secular equation, where it is well conditioned: at the largest eigenvalue, away from the largest η
    apart = eta[:, -1] - eigenvalues[:, -1] > 1e-3 * eta[:, -1]
    secular = np.sum(eta**2 / (eta - eigenvalues[:, -1:]), axis=-1)
    assert apart.sum() > 1000
    np.testing.assert_allclose(secular[apart & (eigenvalues[:, -1] - eta[:, -2] > 1e-3)], 1.0, rtol=1e-8)


def test_largest_eigenvalue_reaches_one_half():
    """Two equal outcomes, neither the reference, and nothing else: λ_max → 1/2."""
    assert spectrum([0.5 - 1e-9, 0.5 - 1e-9, 2e-9])[-1] == pytest.approx(0.5, abs=1e-8)


def test_determinant_does_not_see_the_reference():
    p = np.array([0.4, 0.3, 0.2, 0.1])
    for reference in range(4):
        np.testing.assert_allclose(np.prod(spectrum(p, reference)), np.prod(p), rtol=1e-12)


@pytest.mark.parametrize("k", [3, 5, 12])
def test_spectrum_at_the_uniform_target(k):
    """1/K² once and 1/K, so κ = K."""
    np.testing.assert_allclose(spectrum(np.full(k, 1 / k)), [1 / k**2] + [1 / k] * (k - 2), rtol=1e-12)


# Two worked rows: λ_min, λ_max, κ, rates 2 λ_min and 2 / λ_max, optimal steps, contraction factor

@pytest.mark.parametrize("target, row", [
    (HALF, [0.0786725405, 0.3813274595, 4.84702105, 0.1573450810, 5.2448360331, 4.34782609, 0.13043478, 0.65794548]),
    (FIVE, [0.04, 0.2, 5.0, 0.08, 10.0, 8.33333333, 0.06666667, 2 / 3]),
], ids=["K3", "uniform5"])
def test_worked_rows(target, row):
    eigenvalues = spectrum(target)
    low, high = eigenvalues[0], eigenvalues[-1]
    kappa = high / low
    computed = [low, high, kappa, 2 * low, 2 / high, 2 / (low + high), 2 * low * high / (low + high), (kappa - 1) / (kappa + 1)]
    np.testing.assert_allclose(computed, row, rtol=5e-8)


def test_worked_row_in_closed_form():
    """At (.5, .3, .2): trace 0.46, determinant 0.03, so α*_θ = 2 / 0.46 and α*_η = 0.06 / 0.46 exactly."""
    eigenvalues = spectrum(HALF)
    np.testing.assert_allclose([eigenvalues.sum(), eigenvalues.prod()], [0.46, 0.03], rtol=1e-13)


def kl_along(family, path, target, forward=True):
    """KL(q‖p) or KL(p‖q) along a path in θ."""
    return family.kl(target, path) if forward else family.kl(path, target)


def runs(target, start, max_steps):
    """name: path in θ, for the four methods at their optimal step."""
    family = ig.Categorical(target.size)
    q, p0 = family.theta_from(probabilities=target), family.theta_from(probabilities=start)
    f = ig.CrossEntropy(family, family.to_eta(q))
    dual = f.in_dual_coordinates()
    eigenvalues = np.linalg.eigvalsh(family.metric(q))
    low, high = eigenvalues[0], eigenvalues[-1]
    in_theta, in_eta = ig.Constant(2 / (low + high)), ig.Constant(2 * low * high / (low + high))
    eta0 = family.to_eta(p0)
    with np.errstate(all="ignore"):
        return family, q, {
            "GD_theta": ig.descend(f, p0, geometry=family, update=ig.GradientUpdate(), step=in_theta, max_steps=max_steps).path,
            "GD_eta": family.to_theta(ig.descend(dual, eta0, geometry=family.dual, update=ig.GradientUpdate(), step=in_eta,
                                                 max_steps=max_steps).path),
            "NGD_theta": ig.descend(f, p0, geometry=family, update=ig.NaturalUpdate(), step=ig.Constant(1.0),
                                    max_steps=max_steps).path,
            "NGD_eta": family.to_theta(ig.descend(dual, eta0, geometry=family.dual, update=ig.NaturalUpdate(),
                                                  step=ig.Constant(1.0),
                                                  max_steps=max_steps).path),
            "MD": ig.descend(f, p0, geometry=family, update=ig.MirrorUpdate(), step=ig.Constant(1.0), max_steps=max_steps).path,
        }


def test_iterations_to_1e_10():
    """From the uniform start to KL(q‖p) < 1e-10 at (.5, .3, .2): 24 in either chart, 1 for natural gradient in η, 3 in θ."""
    family, q, paths = runs(HALF, np.full(3, 1 / 3), 30)
    counts = {name: int(np.argmax(kl_along(family, path, q) < 1e-10)) for name, path in paths.items()}
    assert counts == {"GD_theta": 24, "GD_eta": 24, "NGD_theta": 3, "NGD_eta": 1, "MD": 1}


@pytest.mark.parametrize("method", ["GD_theta", "GD_eta"])
def test_measured_contraction_is_the_predicted_one(method):
    """KL falls by ρ² = ((κ − 1)/(κ + 1))² per step in both charts."""
    family, q, paths = runs(HALF, np.full(3, 1 / 3), 30)
    kl = kl_along(family, paths[method], q)
    np.testing.assert_allclose(np.sqrt(kl[28] / kl[18])**0.1, 0.65794548, rtol=2e-3)


def sum_of_squares(theta, target):
    return np.sum((theta - target)**2, axis=-1)


@pytest.mark.parametrize("factor, stable", [(0.99, True), (1.01, False)])
def test_stability_limits(factor, stable):
    """Stable iff α < 2/λ_max in θ, α < 2 λ_min in η, α < 2 for natural gradient: error after 300 steps against at the start."""
    family = ig.Categorical(3)
    q = family.theta_from(probabilities=HALF)
    low, high = spectrum(HALF)
    f = ig.CrossEntropy(family, family.to_eta(q))
    eta_q, dual = family.to_eta(q), f.in_dual_coordinates()
    nudge = 1e-6 * np.array([1.0, 0.3])
    for objective, geometry, update, target, limit in [
            (f, family, ig.GradientUpdate(), q, 2 / high), (dual, family.dual, ig.GradientUpdate(), eta_q, 2 * low),
            (f, family, ig.NaturalUpdate(), q, 2.0), (dual, family.dual, ig.NaturalUpdate(), eta_q, 2.0)]:
        result = ig.descend(objective, target + nudge, geometry=geometry, update=update, step=ig.Constant(factor * limit),
                            max_steps=300)
        assert (sum_of_squares(result.x, target) < sum_of_squares(target + nudge, target)) == stable


def test_step_of_two_is_safe_in_theta():
    """ψ is ½-smooth: every α ≤ 2 decreases KL(q‖p) at every step, from anywhere, for any target."""
    rng = np.random.default_rng(0)
    family = ig.Categorical(6)
    f = ig.CrossEntropy(family, rng.dirichlet(np.full(6, 0.5), size=200)[:, :5])
    result = ig.descend(f, rng.normal(scale=6.0, size=(200, 5)), geometry=family, update=ig.GradientUpdate(),
                        step=ig.Constant(2.0),
                        max_steps=60)
    assert np.all(np.diff(result.values, axis=0) <= 1e-14 * (1 + abs(result.values[:-1])))


def test_natural_gradient_in_theta_can_overshoot_to_infinity():
    """At (.91, .01 × 9) from the uniform start with step 1: the cross-entropy is log 10, 0.811, then 67.0 and 6e30."""
    target = np.array([0.91] + [0.01] * 9)
    family = ig.Categorical(10)
    f = ig.CrossEntropy(family, target[:-1])
    result = ig.descend(f, np.zeros(9), geometry=family, update=ig.NaturalUpdate(), step=ig.Constant(1.0), max_steps=10)
    np.testing.assert_allclose(result.values[:3], [np.log(10.0), 0.811110072, 66.9981686], rtol=1e-8)
    assert result.values[3] > 1e30
    assert ig.Status(int(result.status)) is ig.Status.NONFINITE


def test_reverse_natural_gradient_in_eta_leaves_the_simplex():
    target = np.array([0.91] + [0.01] * 9)
    family = ig.Categorical(10)
    f = ig.ReverseKL(family, family.theta_from(probabilities=target)).in_dual_coordinates()
    result = ig.descend(f, np.full(9, 0.1), geometry=family.dual, update=ig.NaturalUpdate(), step=ig.Constant(1.0), max_steps=5)
    assert ig.Status(int(result.status)) is ig.Status.LEFT_DOMAIN


# Hessians at the optimum and elsewhere

def hessian(gradient, x, step=1e-5):
    """The Jacobian of a differential by central differences of fourth order."""
    rows = []
    for e in np.eye(x.size):
        d = [gradient(x + s * step * e) for s in (-2, -1, 1, 2)]
        rows.append((d[0] - 8 * d[1] + 8 * d[2] - d[3]) / (12 * step))
    return np.array(rows)


FAMILIES = [(ig.Categorical(3), [0.3, -0.5], [-0.2, 0.6]), (ig.Normal(), [0.25, -0.125], [0.4, -0.3]),
            (ig.Gamma(), [2.0, -1.0], [3.0, -0.7]),
            (ig.Poisson(), [0.7], [1.2]), (ig.Dirichlet(3), [1.0, 2.0, 3.0], [2.0, 1.5, 2.5])]


@pytest.mark.parametrize("family, q, p", FAMILIES, ids=lambda x: repr(x) if isinstance(x, ig.ExponentialFamily) else "")
def test_hessians(family, q, p):
    """At the optimum: G in θ and G⁻¹ in η, for both directions; ∇²_θ KL(q‖p) = G(p) and ∇²_η KL(p‖q) = G_η(p) everywhere."""
    q, p = np.array(q), np.array(p)
    forward, reverse = ig.CrossEntropy(family, family.to_eta(q)), ig.ReverseKL(family, q)

    def check(f, x, expected):
        computed = hessian(lambda x: f.value_and_gradient(x)[1], x)
        np.testing.assert_allclose(computed, expected, rtol=2e-6, atol=2e-8 * abs(expected).max())

    eta_q, eta_p = family.to_eta(q), family.to_eta(p)
    for f in (forward, reverse):
        check(f, q, family.metric(q))
        check(f.in_dual_coordinates(), eta_q, family.dual_metric(eta_q))
    check(forward, p, family.metric(p))
    check(reverse.in_dual_coordinates(), eta_p, family.dual_metric(eta_p))
    # and away from the optimum the other two are not the metric
    other = hessian(lambda x: forward.in_dual_coordinates().value_and_gradient(x)[1], eta_p)
    assert np.max(abs(other - family.dual_metric(eta_p))) > 1e-2 * np.max(abs(other))


# The reference category

@pytest.mark.parametrize("probabilities, kappa", [
    ([0.91] + [0.01] * 9, 89.1889), ([0.01] * 9 + [0.91], 1.098901),
    ([0.5, 0.3, 0.2], 4.8470), ([0.5, 0.2, 0.3], 3.3003), ([0.2, 0.3, 0.5], 2.0833),
    ([0.35, 0.25, 0.2, 0.15, 0.05], 25.760), ([0.05, 0.15, 0.2, 0.25, 0.35], 5.6953),
    (1 / np.arange(1, 11) / np.sum(1 / np.arange(1, 11)), 73.50),
    (1 / np.arange(10, 0, -1) / np.sum(1 / np.arange(1, 11)), 7.0219),
])
def test_condition_number_depends_on_the_reference(probabilities, kappa):
    """The last outcome is the reference; ten outcomes with Zipf's law are the last two rows."""
    eigenvalues = spectrum(probabilities)
    digits = 10.0 ** -(len(str(kappa)) - 1)
    assert eigenvalues[-1] / eigenvalues[0] == pytest.approx(kappa, rel=10 * digits)


def test_reference_argument_is_the_permutation():
    zipf = 1 / np.arange(1, 11) / np.sum(1 / np.arange(1, 11))
    np.testing.assert_allclose(spectrum(zipf, reference=0), spectrum(np.roll(zipf, -1)), rtol=1e-12)


# Where the sandwich GD_θ < 2 < GD_η holds and where it does not: eigenvalues of G, rates 2 λ_min and 2 / λ_max

@pytest.mark.parametrize("family, ordinary, eigenvalues, slow, fast", [
    (ig.Bernoulli(), dict(probability=0.2), [0.16], 0.32, 12.5),
    (ig.Poisson(), dict(rate=0.5), [0.5], 1.0, 4.0),
    (ig.Poisson(), dict(rate=5.0), [5.0], 10.0, 0.4),
    (ig.Exponential(), dict(rate=0.5), [4.0], 8.0, 0.5),
    (ig.Normal(), dict(mean=0.0, variance=1.0), [1.0, 2.0], 2.0, 1.0),
    (ig.Normal(), dict(mean=1.0, variance=4.0), [2.5906, 49.4094], 5.1812, 0.040478),
    (ig.Normal(), dict(mean=1.0, variance=0.25), [0.023116, 1.351884], 0.046232, 1.479417),
    (ig.Gamma(), dict(shape=2.0, rate=1.0), [0.114555, 2.530379], 0.229110, 0.790395),
    (ig.Dirichlet(2), dict(concentration=[2.0, 3.0]), [0.044428, 0.552794], 0.088857, 3.617985),
    (ig.Dirichlet(3), dict(concentration=[1.0, 2.0, 3.0]), [0.074835, 0.553303, 1.512695], 0.149671, 1.322144),
], ids=str)
def test_rates_by_family(family, ordinary, eigenvalues, slow, fast):
    computed = np.linalg.eigvalsh(family.metric(family.theta_from(**ordinary)))
    np.testing.assert_allclose(computed, eigenvalues, rtol=1.2e-5)
    np.testing.assert_allclose([2 * computed[0], 2 / computed[-1]], [slow, fast], rtol=1.2e-5)


def three_spins():
    """(statistics of eight states, target probabilities ∝ 3, 1, 2, 4, 1, 5, 2, 6): bit i of a state is spin i, 0 for −1."""
    spins = np.array([[1.0 if state >> i & 1 else -1.0 for i in range(3)] for state in range(8)])
    pairs = np.stack([spins[:, 0] * spins[:, 1], spins[:, 0] * spins[:, 2], spins[:, 1] * spins[:, 2]], axis=-1)
    return np.concatenate([spins, pairs], axis=-1), np.array([3, 1, 2, 4, 1, 5, 2, 6]) / 24


def boltzmann_basis():
    """The three-spin Boltzmann machine as an e-flat submanifold of eight outcomes: rows T(x) − T(reference)."""
    statistics, target = three_spins()
    return (statistics[:7] - statistics[7]).T, target


def test_boltzmann_machine():
    """θ* of the m-projection, KL 0.02995444096107, eigenvalues 0.546402 … 1.639311 of the Fisher metric, κ = 3.00019."""
    basis, target = boltzmann_basis()
    family = ig.Categorical(8)
    p = family.theta_from(probabilities=target)
    projected = ig.m_project(family, p, ig.AffineSubmanifold(np.zeros(7), basis))
    np.testing.assert_allclose(family.kl(p, projected), 0.029954440961070, rtol=1e-11)
    theta = np.linalg.lstsq(basis.T, projected, rcond=None)[0]
    np.testing.assert_allclose(theta, [0.305034962893, 0.132954869757, 0.079007631760, 0.151620879106, 0.335806597660,
                                       -0.074406452028],
                               rtol=1e-10)
    eigenvalues = np.linalg.eigvalsh(basis @ family.metric(projected) @ basis.T)
    np.testing.assert_allclose(eigenvalues[[0, -1]], [0.546402, 1.639311], rtol=2e-6)
    assert eigenvalues[-1] / eigenvalues[0] == pytest.approx(3.00019, rel=2e-6)
    # and both rates are below 2
    np.testing.assert_allclose([2 * eigenvalues[0], 2 / eigenvalues[-1]], [1.0928, 1.2200], rtol=3e-5)


def test_boltzmann_machine_by_newton_steps():
    """KL after 0, 1, 2, 3 natural-gradient steps of size 1 in θ from 0, by an objective and a metric of our own."""
    basis, target = boltzmann_basis()
    family = ig.Categorical(8)

    class Spins(ig.Riemannian):
        dim = 6

        def metric(self, x):
            return basis @ family.metric(x @ basis) @ basis.T

    class Fit:
        def value_and_gradient(self, x):
            value, covector = ig.CrossEntropy(family, target[:7]).value_and_gradient(x @ basis)
            return value + np.sum(target * np.log(target)), covector @ basis.T

    result = ig.descend(Fit(), np.zeros(6), geometry=Spins(), update=ig.NaturalUpdate(), step=ig.Constant(1.0), max_steps=12)
    np.testing.assert_allclose(result.values[:4], [0.1685272701, 0.0404804223, 0.0299827441, 0.0299544410], rtol=3e-9)
    np.testing.assert_allclose(result.values[-1], 0.029954440961070, rtol=1e-11)


# Global facts

def random_pairs(k, n, seed):
    rng = np.random.default_rng(seed)
    family = ig.Categorical(k)
    p, q = rng.dirichlet(np.full(k, 0.7), size=(2, n))
    keep = np.minimum(p.min(axis=-1), q.min(axis=-1)) > 1e-12
    return family, family.theta_from(probabilities=p[keep]), family.theta_from(probabilities=q[keep])


@pytest.mark.parametrize("k", [2, 3, 6])
def test_global_bounds(k):
    """‖Δη‖² ≤ KL ≤ ¼ ‖Δθ‖² and ‖Δη‖ ≤ ½ ‖Δθ‖."""
    family, p, q = random_pairs(k, 5000, seed=k)
    gap_eta = np.sum((family.to_eta(p) - family.to_eta(q))**2, axis=-1)
    gap_theta = np.sum((p - q)**2, axis=-1)
    for kl in (family.kl(p, q), family.kl(q, p)):
        assert np.all(gap_eta <= kl * (1 + 1e-10))
        assert np.all(kl <= 0.25 * gap_theta * (1 + 1e-10))
    assert np.all(gap_eta <= 0.25 * gap_theta * (1 + 1e-10))


@pytest.mark.parametrize("k", [2, 3, 6])
def test_instantaneous_decays_are_ordered(k):
    """(−dL/dt) of GD_η ≥ 2 × that of natural gradient ≥ 4 × that of GD_θ; and natural gradient's is χ² = Σ (p − q)²/p ≥ L."""
    family, p, q = random_pairs(k, 5000, seed=10 + k)
    f = ig.CrossEntropy(family, family.to_eta(q))
    value, covector = f.value_and_gradient(p)
    vector = family.sharp(p, covector)
    in_theta, natural, in_eta = np.sum(covector**2, axis=-1), np.sum(covector * vector, axis=-1), np.sum(vector**2, axis=-1)
    assert np.all(in_eta >= 2 * natural * (1 - 1e-10)) and np.all(natural >= 2 * in_theta * (1 - 1e-10))
    a, b = (family.parameters(t)["probabilities"] for t in (p, q))
    np.testing.assert_allclose(natural, np.sum((a - b)**2 / a, axis=-1), rtol=1e-8)
    kl = family.kl(q, p)
    assert np.all(natural >= kl * (1 - 1e-10))
    # forward GD_η: ‖∇‖² ≥ 2 L
    assert np.all(in_eta >= 2 * kl * (1 - 1e-10))


# Flows

def flows(family, q, p0, times, forward=True):
    """name: θ along the flow, recorded at `times`."""
    f = ig.CrossEntropy(family, family.to_eta(q)) if forward else ig.ReverseKL(family, q)
    theta = lambda update: ig.flow(f, p0, geometry=family, update=update, times=times).path
    eta = ig.flow(f.in_dual_coordinates(), family.to_eta(p0), geometry=family.dual, update=ig.GradientUpdate(), times=times)
    return {"GD_theta": theta(ig.GradientUpdate()), "NGD": theta(ig.NaturalUpdate()), "GD_eta": family.to_theta(eta.path)}


@pytest.mark.parametrize("forward", [True, False], ids=["forward", "reverse"])
def test_asymptotic_rates_of_the_flows(forward):
    """Late slopes of log KL: 2 λ_min, 2, 2 / λ_max. Measured between two late times of each flow."""
    family = ig.Categorical(3)
    q = family.theta_from(probabilities=HALF)
    predicted = {"GD_theta": 0.1573450810, "NGD": 2.0, "GD_eta": 5.2448360331}
    windows = {"GD_theta": (60.0, 90.0), "NGD": (6.0, 8.0), "GD_eta": (2.0, 2.6)}
    for name, (early, late) in windows.items():
        path = flows(family, q, np.zeros(2), np.array([early, late]), forward)[name]
        kl = kl_along(family, path, q, forward)
        assert -np.log(kl[1] / kl[0]) / (late - early) == pytest.approx(predicted[name], rel=2e-3)


def test_flows_are_ordered():
    """L of GD_η ≤ L of natural gradient ≤ L of GD_θ from a common start, in both directions, up to t = 3."""
    rng = np.random.default_rng(3)
    for k in (2, 4):
        family = ig.Categorical(k)
        p, q = (family.theta_from(probabilities=rng.dirichlet(np.full(k, 2.0), size=10)) for _ in range(2))
        for forward in (True, False):
            paths = flows(family, q, p, np.linspace(0.0, 3.0, 13), forward)
            kl = {name: kl_along(family, path, q, forward) for name, path in paths.items()}
            for faster, slower in (("GD_eta", "NGD"), ("NGD", "GD_theta")):
                assert np.all(kl[faster] <= kl[slower] * (1 + 1e-6) + 1e-9)


def test_global_rates_of_the_flows():
    """Forward: natural gradient L ≤ e^{−t} L(0), GD_η L ≤ e^{−2t} L(0); reverse: GD_η L ≤ e^{−4t} L(0)."""
    rng = np.random.default_rng(4)
    family = ig.Categorical(4)
    p, q = (family.theta_from(probabilities=rng.dirichlet(np.ones(4), size=12)) for _ in range(2))
    times = np.linspace(0.0, 2.0, 9)
    decay = np.exp(-times)[:, None]
    for forward, name, power in [(True, "NGD", 1), (True, "GD_eta", 2), (False, "GD_eta", 4)]:
        kl = kl_along(family, flows(family, q, p, times, forward)[name], q, forward)
        assert np.all(kl <= decay**power * kl[0] * (1 + 1e-6) + 1e-9)


def test_forward_natural_flow_in_closed_form():
    """KL(q‖p) at (.5, .3, .2) from uniform: L(0), slope χ²/L, L(1), and e^{2t} L → ½ Σ (p₀ − q)²/q."""
    family = ig.Categorical(3)
    q = family.theta_from(probabilities=HALF)
    f = ig.CrossEntropy(family, family.to_eta(q))
    times = np.array([0.0, 1.0, 6.0])
    kl = family.kl(q, ig.flow(f, np.zeros(2), geometry=family, update=ig.NaturalUpdate(), times=times).path)
    np.testing.assert_allclose(kl[0], 0.06895927460353621, rtol=1e-13)
    np.testing.assert_allclose(kl[1], 0.009524843590645808, rtol=1e-8)
    covector = f.value_and_gradient(np.zeros(2))[1]
    np.testing.assert_allclose(covector @ family.sharp(np.zeros(2), covector) / kl[0], 2.0301837687, rtol=1e-10)
    limit = 0.5 * np.sum((1 / 3 - HALF)**2 / HALF)
    np.testing.assert_allclose(limit, 0.0740740741, rtol=1e-9)
    # the path is the m-geodesic, so L(t) is exact at any time, and the limit is approached like e^{−t}
    mixture = lambda t: (1 - np.exp(-t)) * HALF + np.exp(-t) / 3
    late = family.kl(q, family.theta_from(probabilities=mixture(12.0)))
    np.testing.assert_allclose(np.exp(24.0) * late, limit, rtol=1e-4)
    np.testing.assert_allclose(kl[2], family.kl(q, family.theta_from(probabilities=mixture(6.0))), rtol=1e-5)


def test_reverse_natural_flow_in_closed_form():
    """KL(p‖q): L(0), slope, L(1), and e^{2t} L → ½ Δθᵀ G(q) Δθ along the e-geodesic θ_q + e^{−t} Δθ."""
    family = ig.Categorical(3)
    q = family.theta_from(probabilities=HALF)
    f = ig.ReverseKL(family, q)
    path = ig.flow(f, np.zeros(2), geometry=family, update=ig.NaturalUpdate(), times=[0.0, 1.0]).path
    kl = family.kl(path, q)
    np.testing.assert_allclose(kl[0], 0.07024034377188416, rtol=1e-13)
    np.testing.assert_allclose(kl[1], 0.009296429937990798, rtol=1e-8)
    covector = f.value_and_gradient(np.zeros(2))[1]
    np.testing.assert_allclose(covector @ family.sharp(np.zeros(2), covector) / kl[0], 2.0009606527, rtol=1e-10)
    np.testing.assert_allclose(0.5 * q @ family.metric(q) @ q, 0.0664822052, rtol=1e-8)
    np.testing.assert_allclose(np.exp(24.0) * family.kl(q - np.exp(-12.0) * q, q), 0.0664822052, rtol=1e-4)


# From near a vertex

def vertex(epsilon):
    return np.array([1 - 2 * epsilon, epsilon, epsilon])


@pytest.mark.parametrize("epsilon, slope", [(1e-2, 0.4176), (1e-4, 0.01547), (1e-6, 3.475e-4)])
def test_initial_slope_of_the_reverse_natural_flow_near_a_vertex(epsilon, slope):
    """There is no global rate for KL(p‖q), q uniform: the initial slope vanishes at the vertex."""
    family = ig.Categorical(3)
    f = ig.ReverseKL(family, np.zeros(2))
    x = family.theta_from(probabilities=vertex(epsilon))
    value, covector = f.value_and_gradient(x)
    np.testing.assert_allclose(covector @ family.sharp(x, covector) / value, slope, rtol=5e-4)


def crossing(forward, update, epsilon, expected, level=1e-3):
    """The time at which KL falls to `level`, by interpolating its logarithm in a fine record around the expected time."""
    family = ig.Categorical(3)
    f = ig.CrossEntropy(family, [1 / 3, 1 / 3]) if forward else ig.ReverseKL(family, np.zeros(2))
    times = expected * np.concatenate([[0.0], np.linspace(0.9, 1.1, 201)])
    p0 = family.theta_from(probabilities=vertex(epsilon))
    path = ig.flow(f, p0, geometry=family, update=update, times=times).path
    log_kl = np.log(kl_along(family, path, np.zeros(2), forward))[1:]
    return np.interp(-np.log(level), -log_kl, times[1:])


@pytest.mark.parametrize("forward, update, times", [
    (False, ig.NaturalUpdate(), {1e-2: 3.888, 1e-4: 4.586, 1e-6: 4.991}),
    (True, ig.NaturalUpdate(), {1e-2: 3.413, 1e-4: 3.4436, 1e-6: 3.4439}),
    (False, ig.GradientUpdate(), {1e-2: 49.3, 1e-4: 563.0, 1e-6: 29417.0}),
    (True, ig.GradientUpdate(), {1e-2: 33.3, 1e-4: 48.3, 1e-6: 62.4}),
], ids=["reverse-natural", "forward-natural", "reverse-gradient", "forward-gradient"])
def test_time_to_1e_3_from_near_a_vertex(forward, update, times):
    """q uniform, p₀ = (1 − 2ε, ε, ε): a plateau for KL(p‖q) in θ, a linear phase for KL(q‖p), neither for natural gradient."""
    for epsilon, expected in times.items():
        assert crossing(forward, update, epsilon, expected) == pytest.approx(expected, rel=2e-3)


# Discrete steps depend on the chart

def test_natural_steps_in_the_two_charts_differ_at_second_order():
    """Halving α divides the difference by 4."""
    family = ig.Categorical(3)
    f = ig.CrossEntropy(family, HALF[:2])
    x = np.array([0.3, -0.8])

    def difference(h):
        run = dict(update=ig.NaturalUpdate(), step=ig.Constant(h), max_steps=1, record=None)
        in_theta = ig.descend(f, x, geometry=family, **run).x
        in_eta = ig.descend(f.in_dual_coordinates(), family.to_eta(x), geometry=family.dual, **run).x
        return np.linalg.norm(family.to_eta(in_theta) - in_eta)

    assert difference(0.005) / difference(0.0025) == pytest.approx(4.0, rel=1e-2)


def test_levi_civita_correction_makes_the_charts_agree_to_third_order():
    """x − αv − ½ α² Γ(v, v) with Γ = ½ G⁻¹ ∂³ψ: halving α divides the difference between the charts by 8."""
    family = ig.Categorical(3)
    f = ig.CrossEntropy(family, HALF[:2])
    x = np.array([0.3, -0.8])

    def corrected(M, objective, x, h):
        v = M.sharp(x, objective.value_and_gradient(x)[1])
        christoffel = 0.5 * M.sharp(x, np.einsum("ijk,i,j->k", M.cubic_tensor(x), v, v))
        return x - h * v - 0.5 * h**2 * christoffel

    def difference(h):
        in_eta = corrected(family.dual, f.in_dual_coordinates(), family.to_eta(x), h)
        return np.linalg.norm(family.to_eta(corrected(family, f, x, h)) - in_eta)

    assert difference(0.01) / difference(0.005) == pytest.approx(8.0, rel=2e-2)


def test_affine_preconditioning_gives_any_rate():
    """θ' = Aθ with A = c^{−1/2} G^{1/2}: the Hessian at the optimum is c I, so descent has rate 2c in θ' and 2/c in η'."""
    family = ig.Categorical(3)
    q = family.theta_from(probabilities=HALF)
    values, vectors = np.linalg.eigh(family.metric(q))
    for c in (0.5, 1.0, 7.0):
        A = vectors @ np.diag(np.sqrt(values / c)) @ vectors.T
        f = ig.CrossEntropy(family, HALF[:2]).pulled_back(ig.AffineMap(np.linalg.inv(A)))
        np.testing.assert_allclose(hessian(lambda u: f.value_and_gradient(u)[1], A @ q), c * np.eye(2), rtol=1e-7, atol=1e-8 * c)
        dual = ig.CrossEntropy(family, HALF[:2]).in_dual_coordinates().pulled_back(ig.AffineMap(A.T))
        eta = np.linalg.solve(A.T, family.to_eta(q))
        np.testing.assert_allclose(hessian(lambda u: dual.value_and_gradient(u)[1], eta), np.eye(2) / c, rtol=1e-6, atol=1e-7 / c)
