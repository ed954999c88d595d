"""The local expansion of the α-divergence, and the approach of every f-divergence to the metric."""
import numpy as np

from infogeo.geometry.divergences.alpha import alpha_divergence, renyi, squared_hellinger
from infogeo.geometry.divergences.chernoff import chernoff_information
from infogeo.geometry.divergences.skew import jensen_bregman
from infogeo.testing import assert_law
from infogeo.testing.calculus import towards
from infogeo.testing.geometry_laws import keeps_digits
from infogeo.testing.law import equal

from ..registry import every_primal, region

STEPS = 0.02 / 2.0 ** np.arange(4)[:, None]


def extrapolated(table):
    """Richardson's limit at h = 0 of a table at h, h/2, h/4, h/8 in whole powers of h."""
    for k in range(1, len(table)):
        table = (2**k * table[1:] - table[:-1]) / (2**k - 1)
    return table[0]


def alpha_divergence_expands_with_the_cubic_tensor(M, p, q):
    """D^(α)(p‖p + δ) = ½ G δ² + (3 + α)/12 T δ³ up to order δ⁴."""
    unit = towards(M, p, q)
    cubic = np.einsum("...ijk,...i,...j,...k->...", M.cubic_tensor(p), unit, unit, unit)
    rounding = 1e-11 * (not keeps_digits(M)) * (1 + np.abs(M.potential(p))) / STEPS[-1, 0] ** 3
    for alpha in -2.0, -1.0, -0.4, 0.0, 0.7, 1.0, 3.0:
        table = (alpha_divergence(M, p, p + STEPS[..., None] * unit, alpha) - 0.5 * STEPS**2) / STEPS**3
        expected = (3 + alpha) / 12 * cubic
        yield equal(f"third order of D^({alpha})", extrapolated(table), "(3 + α)/12 T", expected,
                    3e-5 + 3e-5 * np.abs(cubic) + rounding)


def near_points_measure_the_metric(M, p, q):
    """At a distance h: J_s = ½ s (1 − s) h², D_a = ½ a h², 8 H² = h², 8 C = h² at s = ½; to 1e-6 for h = 1e-8."""
    if not keeps_digits(M):
        return
    near = p + 1e-8 * towards(M, p, q)
    step = near - p                                         # as it is after the rounding of the point
    h2 = M.inner(p, step, step)
    s = np.array([-0.5, 1e-3, 0.25, 0.5, 0.9, 1.5])[:, None]
    yield equal("J_s", jensen_bregman(M, p, near, s), "½ s (1 − s) h²", 0.5 * s * (1 - s) * h2, 1e-6 * h2 * np.abs(s * (1 - s)))
    yield equal("D_a", renyi(M, p, near, s), "½ a h²", 0.5 * s * h2, 1e-6 * h2 * np.abs(s))
    yield equal("8 H²", 8 * squared_hellinger(M, p, near), "h²", h2, 1e-6 * h2)
    C, skew = chernoff_information(M, p, near)
    yield equal("8 C", 8 * C, "h²", h2, 1e-6 * h2)
    yield equal("s", skew, "½", 0.5, 1e-5)


def pair(M):
    rng = np.random.default_rng(85)
    return [region(M).sample(rng, (2,), 0.3) for _ in range(2)]


@every_primal
def test_expansion(M):
    assert_law(alpha_divergence_expands_with_the_cubic_tensor, M, *pair(M))


@every_primal
def test_near_points(M):
    if keeps_digits(M):
        assert_law(near_points_measure_the_metric, M, *pair(M))
    else:                   # the derived divergence cancels; a law that does not apply yields nothing
        assert not list(near_points_measure_the_metric(M, *pair(M)))
