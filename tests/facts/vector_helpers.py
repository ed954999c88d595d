"""Families against 50-digit arithmetic: everything that follows from ψ, by numerical differentiation of ψ itself."""
import mpmath as mp
import numpy as np

DIGITS = 50


def exact(x):
    """The numbers as they are, as mpmath numbers."""
    return [mp.mpf(float(v)) for v in np.ravel(x)]


def symmetric(packed, p):
    """The symmetric matrix of packed coordinates."""
    entries, out = iter(packed), mp.matrix(p, p)
    for i in range(p):
        for j in range(i, p):
            out[i, j] = out[j, i] = next(entries) / (1 if i == j else mp.sqrt(2))
    return out


def gradient(psi, theta):
    with mp.workdps(DIGITS):
        return [mp.diff(psi, tuple(theta), tuple(int(i == j) for j in range(len(theta)))) for i in range(len(theta))]


def derivatives(psi, theta, order):
    """All partial derivatives of this order, as a NumPy array."""
    d = len(theta)
    out, known = np.zeros((d,) * order), {}
    with mp.workdps(DIGITS):
        for index in np.ndindex(*out.shape):
            orders = tuple(index.count(j) for j in range(d))
            if orders not in known:
                known[orders] = float(mp.diff(psi, tuple(theta), orders))
            out[index] = known[orders]
    return out


def bregman(psi, theta_a, theta_b):
    """B_ψ(a : b) = KL(p_b‖p_a)."""
    with mp.workdps(DIGITS):
        step = [a - b for a, b in zip(theta_a, theta_b)]
        return float(psi(*theta_a) - psi(*theta_b) - mp.fdot(step, gradient(psi, theta_b)))


def close(actual, expected, rtol=1e-13):
    """To a relative rtol of the largest entry."""
    expected = np.asarray(expected, dtype=float)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=rtol * np.max(np.abs(expected)))


def check_family(family, psi, theta, others, rtol=1e-13):
    """ψ, η, θ, φ, G, G⁻¹, T at θ, and the divergences to and from other points, against ψ in 50-digit arithmetic."""
    theta = np.asarray(theta, dtype=float)
    t = exact(theta)
    with mp.workdps(DIGITS):
        value, eta = psi(*t), gradient(psi, t)
        phi = mp.fdot(t, eta) - value
    metric = derivatives(psi, t, 2)
    kappa = np.linalg.cond(metric)
    sizes = float(sum(abs(a * b) for a, b in zip(t, eta)) + abs(value))
    np.testing.assert_allclose(family.potential(theta), float(value), rtol=0, atol=rtol * sizes)
    own_eta = family.to_eta(theta)
    close(own_eta, [float(v) for v in eta], rtol)
    close(family.to_theta(own_eta), theta, 10 * np.finfo(float).eps * kappa + rtol)
    np.testing.assert_allclose(family.dual_potential(own_eta), float(phi), rtol=0, atol=rtol * sizes)
    close(family.metric(theta), metric, rtol)
    close(family.dual_metric(own_eta), np.linalg.inv(metric), 1e-14 * kappa + rtol)
    close(family.cubic_tensor(theta), derivatives(psi, t, 3), rtol)
    rng = np.random.default_rng(0)
    vector = rng.standard_normal(theta.shape)
    close(family.flat(theta, vector), metric @ vector, rtol)
    close(family.sharp(theta, metric @ vector), vector, 10 * np.finfo(float).eps * kappa + rtol)
    for other in others:
        other = np.asarray(other, dtype=float)
        np.testing.assert_allclose(family.kl(theta, other), bregman(psi, exact(other), t), rtol=1e-11)
        np.testing.assert_allclose(family.kl(other, theta), bregman(psi, t, exact(other)), rtol=1e-11)


def check_near(family, psi, theta, distances=(1e-2, 1e-5, 1e-8, 1e-10)):
    """KL of θ and points at these relative distances, in a random direction."""
    theta = np.asarray(theta, dtype=float)
    for k, distance in enumerate(distances):
        other = theta * (1 + distance * np.random.default_rng(k).uniform(-1, 1, theta.shape))
        expected = bregman(psi, exact(other), exact(theta))
        np.testing.assert_allclose(family.kl(theta, other), expected, rtol=1e-6 if distance < 1e-9 else 1e-9)


def standardised_mean(family, x, theta):
    """√n times the mean of T(x) − η in units of its standard deviation: each coordinate is about N(0, 1)."""
    spread = np.sqrt(np.diagonal(family.metric(theta)) / len(x))
    return (np.mean(family.sufficient_statistic(x), axis=0) - family.to_eta(theta)) / spread
