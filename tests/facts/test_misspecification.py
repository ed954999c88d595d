"""Targets outside the model: H = g + K with the embedding curvature that the divergence sees, rates, where the identity holds."""
import json

import numpy as np
import pytest

import infogeo as ig
from infogeo.statistics import Curved, Embedding, curved_mixture, e_embedding_curvature, m_embedding_curvature

NORMAL = ig.Normal()
# Normal laws with the standard deviation equal to the mean, u = log(mean): θ = (1/μ, −1/(2μ²))
CIRCLE = Curved(NORMAL, Embedding(
    1, lambda u: np.concatenate([np.exp(-u), -0.5 * np.exp(-2 * u)], axis=-1),
    lambda u: np.stack([-np.exp(-u), np.exp(-2 * u)], axis=-2),
    lambda u: np.stack([np.exp(-u), -2 * np.exp(-2 * u)], axis=-2)[..., None]))
MIXTURE = ig.MixtureFamily([[0.6, 0.2, 0.1, 0.1], [0.1, 0.5, 0.1, 0.3], [0.1, 0.1, 0.7, 0.1]])
MIXED = curved_mixture(MIXTURE)
CASES = {
    "normal e": (CIRCLE, ig.CrossEntropy(NORMAL, [1.0, 3.0]), [0.1]),
    "normal m": (CIRCLE, ig.ReverseKL(NORMAL, NORMAL.theta_from(mean=1.0, variance=2.5)), [0.1]),
    "mixture e": (MIXED, ig.CrossEntropy(MIXED.family, [0.15, 0.15, 0.25]), [0.3, 0.3]),
}


def hessian(model, f, u):
    value = lambda u: f.value_and_gradient(model.to_theta(np.asarray(u)))[0]
    steps = 1e-4 * np.eye(model.dim)
    mixed = lambda a, b: value(u + a + b) - value(u + a - b) - value(u - a + b) + value(u - a - b)
    return np.array([[mixed(a, b) / 4e-8 for a in steps] for b in steps])


@pytest.mark.parametrize("name", CASES)
def test_hessian_is_metric_and_curvature(name):
    """H = g + K, against second differences of the divergence; the spectrum is not 1 for a target outside the model."""
    model, f, start = CASES[name]
    found = ig.studies.misspecification(model, f, start)
    np.testing.assert_allclose(found.metric + found.by_curvature, found.hessian, atol=1e-9)
    np.testing.assert_allclose(found.hessian, hessian(model, f, found.u), rtol=1e-5, atol=1e-6)
    assert found.curvature == name[-1] and found.distance > 0.1 and abs(found.eigenvalues - 1).max() > 0.01
    assert "is not the Fisher metric, by the" in repr(found)
    json.dumps(found.to_dict())


@pytest.mark.parametrize("name", CASES)
def test_measured_rates(name):
    """The natural flow loses the excess at 2 μ_min, and natural gradient with its best step contracts as the spectrum says."""
    model, f, start = CASES[name]
    found = ig.studies.misspecification(model, f, start)

    class Along:
        def value_and_gradient(self, u):
            value, covector = f.value_and_gradient(model.to_theta(u))
            return value, np.einsum("...ia,...i->...a", model.jacobian(u), covector)

    u0 = found.u + 1e-4 * np.linalg.solve(found.hessian, np.ones(model.dim))
    times = np.array([0.0, 3.0, 5.0]) / found.natural_rate * 2
    flow = ig.flow(Along(), u0, geometry=model, update=ig.NaturalUpdate(), times=times)
    size = [np.sqrt((u - found.u) @ found.hessian @ (u - found.u)) for u in flow.path]
    assert -np.log(size[2] / size[1]) / (times[2] - times[1]) == pytest.approx(found.natural_rate / 2, rel=0.02)
    run = ig.descend(Along(), u0, geometry=model, update=ig.NaturalUpdate(), step=found.natural_step, max_steps=12)
    size = [np.sqrt((u - found.u) @ found.hessian @ (u - found.u)) for u in run.path]
    assert (size[4] / size[0]) ** 0.25 <= found.contraction + 0.02


def test_where_the_identity_holds():
    """Whatever the target: KL(q‖p) in an exponential family (e-flat), KL(p‖q) in a mixture family (m-flat)."""
    flat = Embedding(1, lambda u: np.array([0.3, -0.5]) + u * np.array([1.0, -0.2]), lambda u: np.array([[1.0], [-0.2]]),
                     lambda u: np.zeros((2, 1, 1)), domain=ig.domains.OpenSimplex(1))
    line = Curved(NORMAL, flat)
    found = ig.studies.misspecification(line, ig.CrossEntropy(NORMAL, [0.9, 2.0]), [0.5])
    np.testing.assert_allclose(found.eigenvalues, 1.0, rtol=1e-10)
    assert found.distance > 0.1 and "The Hessian is the Fisher metric." in repr(found)
    whole = ig.studies.misspecification(ig.Gamma(), ig.CrossEntropy(ig.Gamma(), [0.1, 1.7]), [1.0, -1.0])
    np.testing.assert_allclose(whole.eigenvalues, 1.0, rtol=1e-9)
    np.testing.assert_allclose(whole.theta, ig.Gamma().to_theta([0.1, 1.7]), rtol=1e-7)
    q = MIXED.family.theta_from(probabilities=[0.15, 0.15, 0.25, 0.45])
    found = ig.studies.misspecification(MIXTURE, ig.ReverseKL(MIXED.family, q), [0.3, 0.3])
    np.testing.assert_allclose(found.eigenvalues, 1.0, rtol=1e-9)
    assert found.distance > 0.1 and found.natural_step == pytest.approx(1.0) and found.contraction < 1e-9


@pytest.mark.parametrize("model,u", [(CIRCLE, [0.2]), (MIXED, [0.2, 0.5])])
def test_a_target_in_the_model(model, u):
    """Both divergences have the Fisher metric as their Hessian, however the model bends, and the optimum is the target."""
    theta = model.to_theta(np.array(u))
    for f in (ig.CrossEntropy(model.family, model.family.to_eta(theta)), ig.ReverseKL(model.family, theta)):
        found = ig.studies.misspecification(model, f, np.array(u) * 0.8)
        np.testing.assert_allclose(found.u, u, atol=1e-8)
        np.testing.assert_allclose(found.eigenvalues, 1.0, atol=1e-6)
        np.testing.assert_allclose(found.gradient_rate, 2 * np.linalg.eigvalsh(model.metric(found.u))[0], rtol=1e-5)


def test_by_hand():
    """Normal laws with σ = μ = e^u, data of mean a and mean square b: KL has the part u + b/(2μ²) − a/μ.

    So that μ² + aμ − b = 0 at the optimum, where the Hessian is 2b/μ² − a/μ; the metric is 3.
    """
    a, b = 1.0, 3.0
    mu = (-a + np.sqrt(a * a + 4 * b)) / 2
    found = ig.studies.misspecification(CIRCLE, ig.CrossEntropy(NORMAL, [a, b]), [0.0])
    assert np.exp(found.u[0]) == pytest.approx(mu, rel=1e-10)
    assert found.metric[0, 0] == pytest.approx(3.0) and found.hessian[0, 0] == pytest.approx(2 * b / mu**2 - a / mu, rel=1e-9)


def test_mixtures_are_m_flat():
    """`curved_mixture`: the metric of the dual of the mixture family, no m-curvature, some e-curvature, and its derivatives."""
    w, h = np.array([0.2, 0.5]), 1e-5
    np.testing.assert_allclose(MIXED.metric(w), MIXTURE.dual.metric(w), rtol=1e-12)
    np.testing.assert_allclose(m_embedding_curvature(MIXED, w), 0.0, atol=1e-12)
    assert np.max(np.abs(e_embedding_curvature(MIXED, w))) > 0.1
    steps = h * np.eye(2)
    numeric = np.stack([(MIXED.to_theta(w + s) - MIXED.to_theta(w - s)) / (2 * h) for s in steps], axis=-1)
    np.testing.assert_allclose(MIXED.jacobian(w), numeric, rtol=1e-8)
    numeric = np.stack([(MIXED.jacobian(w + s) - MIXED.jacobian(w - s)) / (2 * h) for s in steps], axis=-1)
    np.testing.assert_allclose(MIXED.second(w), numeric, rtol=1e-7)
    np.testing.assert_allclose(MIXED.family.parameters(MIXED.to_theta(np.stack([w, w])))["probabilities"],
                               np.stack([MIXTURE.density(w)] * 2), rtol=1e-14)
    with pytest.raises(ig.DomainError, match="probabilities of finitely many states"):
        curved_mixture(ig.MixtureFamily.on_line([lambda x: -x**2 / 2, lambda x: -abs(x)]))


def test_refusals():
    f = ig.CrossEntropy(NORMAL, [1.0, 3.0])
    with pytest.raises(TypeError, match="objective must be the CrossEntropy or the ReverseKL of Normal"):
        ig.studies.misspecification(CIRCLE, ig.CrossEntropy(ig.Gamma(), [0.0, 2.0]), [0.1])
    with pytest.raises(ig.ShapeError, match="start and target must be one point each"):
        ig.studies.misspecification(CIRCLE, f, [[0.1], [0.2]])
    with pytest.raises(TypeError, match="takes a Curved or a MixtureFamily or an ExponentialFamily"):
        ig.studies.misspecification(ig.Burg(2), f, [0.1, 0.5])
