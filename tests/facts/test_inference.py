"""Variational posteriors: figures of a logistic regression and of a gamma posterior, and what the expectations have in common."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.inference import (GaussianExpectation, LogisticRegression, MonteCarloExpectation, NegativeELBO, PoissonRegression,
                               PrecisionRetraction, QuadratureExpectation, Regression, SoftmaxRegression, WeightPosterior)

from ..backends import BACKENDS
from .inference_helpers import EVIDENCE, LOGISTIC, X, Y, near

FULL, DIAGONAL = ig.MultivariateNormal(3), ig.DiagonalNormal(3)
START = FULL.to_eta(FULL.theta_from(mean=np.zeros(3), covariance=np.eye(3)))


def fitted(f, start, **run):
    given = dict(geometry=f.q.dual, update=ig.MirrorUpdate(), step=1.0, max_steps=60, tol=1e-9) | run
    return ig.descend(f, start, **given)


def test_logistic_regression():
    run = fitted(NegativeELBO(FULL, LOGISTIC), START)
    assert run.status == ig.Status.CONVERGED and run.steps <= 15
    near(-run.values[-1], -26.892774280142, 1e-13)
    found = FULL.parameters(FULL.to_theta(run.x))
    near(np.diag(found["covariance"]), [.1498951860, .2463972405, .1306125129])
    near(found["mean"], [.8251630689, -1.7375356324, .5781451682], 4e-4)          # of the exact posterior
    half = fitted(NegativeELBO(FULL, LOGISTIC), START, step=0.5, max_steps=10, tol=None)
    near(-half.values[[0, 1, 2, 10]], [-45.907804900093, -27.363260155503, -26.976812857533, -26.892779756544], 1e-13)


def test_mean_field_is_below_full_below_evidence():
    start = DIAGONAL.to_eta(DIAGONAL.theta_from(mean=np.zeros(3), variance=np.ones(3)))
    run = fitted(NegativeELBO(DIAGONAL, LOGISTIC), start)
    found = DIAGONAL.parameters(DIAGONAL.to_theta(run.x))
    near(found["mean"], [.818390788, -1.729510165, .571217677], 1e-9)
    near(found["variance"], [.1446782547, .2363881920, .1270870408])
    near(-run.values[-1], -26.922086709379, 1e-13)
    iso = ig.IsotropicNormal(3)
    least = fitted(NegativeELBO(iso, LOGISTIC), iso.to_eta(iso.theta_from(mean=np.zeros(3), variance=1.0)))
    assert -least.values[-1] < -run.values[-1] < -26.892774280142 < EVIDENCE


def test_gamma():
    q = ig.Gamma()
    f = NegativeELBO(q, lambda z: -z - 2.0 * (np.log(z) - 0.5) ** 2, QuadratureExpectation())
    run = fitted(f, q.to_eta(q.theta_from(shape=[1.0, 20.0], rate=[1.0, 2.0])), step=0.5, tol=1e-10)
    found = q.parameters(q.to_theta(run.x))
    assert np.all(run.status == ig.Status.CONVERGED)
    near(-run.values[-1], -1.05254362396711)
    near(found["shape"], 6.03233907001524)          # by mpmath from the closed form of the bound
    near(found["rate"], 3.86553615421411)


@pytest.mark.parametrize("q, given", [
    (ig.MultivariateNormal(2), dict(mean=[.3, -.2], covariance=[[.4, .1], [.1, .3]])),
    (ig.DiagonalNormal(2), dict(mean=[.3, -.2], variance=[.4, .3])), (ig.IsotropicNormal(2), dict(mean=[.3, -.2], variance=.4)),
    (ig.Normal(), dict(mean=.3, variance=.4))])
def test_expectations_agree(q, given):
    """By nodes and by draws, with the model's function alone or with its derivatives; the differential is that of the value."""
    p = getattr(q, "p", 1)
    model = PoissonRegression(X[:6, :p], [0, 2, 1, 0, 3, 1], prior_precision=2.0)
    if p == 1:
        function = type("OnTheLine", (), dict(__call__=lambda self, z: model(z[..., None]),
                                              gradient=lambda self, z: model.gradient(z[..., None])[..., 0],
                                              hessian=lambda self, z: model.hessian(z[..., None])[..., 0, 0]))()
    else:
        function = type("Plain", (), dict(__call__=lambda self, z: model(z), gradient=lambda self, z: model.gradient(z),
                                          hessian=lambda self, z: model.hessian(z)))()
    eta = q.to_eta(q.theta_from(**given))
    exact = NegativeELBO(q, model).value_and_gradient(eta)
    for way in (QuadratureExpectation(25), GaussianExpectation(QuadratureExpectation(25))):
        for found, expected in zip(NegativeELBO(q, function, way).value_and_gradient(eta), exact):
            near(found, expected, 1e-9)
    for way in (MonteCarloExpectation(40), GaussianExpectation(MonteCarloExpectation(40))):
        f = NegativeELBO(q, function, way)
        draws = np.array([f.draw(np.random.default_rng(i)).value_and_gradient(eta)[1] for i in range(100)])
        gap = draws.mean(0) - exact[1]
        bias = 0.1 * np.abs(exact[1]) if isinstance(way, MonteCarloExpectation) else 0.0        # that of a ratio, O(1 / n)
        assert np.all(np.abs(gap) <= 5 * draws.std(0) / 10 + bias)
    step = 1e-5 * np.eye(q.dim)
    f = NegativeELBO(q, model)
    slopes = (f.value_and_gradient(eta + step)[0] - f.value_and_gradient(eta - step)[0]) / 2e-5
    near(exact[1], slopes, 1e-7)


def test_full_covariance_of_a_diagonal_model_stays_diagonal():
    model = Regression(ig.Poisson(), np.eye(3), [1.0, 2.0, 0.0], 1.0)
    run = fitted(NegativeELBO(FULL, model), START, step=0.7)
    covariance = FULL.parameters(FULL.to_theta(run.path))["covariance"]
    assert np.max(np.abs(covariance * (1 - np.eye(3)))) <= 1e-15


def test_path_is_that_of_any_chart():
    """Of means and of natural parameters: natural gradient in θ is the mirror step in η."""
    f, g = NegativeELBO(FULL, LOGISTIC), NegativeELBO(FULL, LOGISTIC).in_dual_coordinates()
    mirror = fitted(f, START, max_steps=5, tol=None, step=0.5)
    natural = ig.descend(g, FULL.to_theta(START), geometry=FULL, update=ig.NaturalUpdate(), step=0.5, max_steps=5)
    near(FULL.to_eta(natural.path), mirror.path, 1e-12)


def test_retraction_stays_in_the_cone():
    """Λ⁺ of any h is positive definite, and to the order of h² that of the plain step."""
    rng = np.random.default_rng(5)
    eta = FULL.to_eta(FULL.theta_from(mean=rng.standard_normal(3), covariance=np.cov(rng.standard_normal((3, 9)))))
    covector, update = rng.standard_normal((200, 9)), PrecisionRetraction()
    for h in (0.1, 1.0, 100.0):
        assert np.all(FULL.eta_domain.contains(update(FULL.dual, eta, h * covector, 1.0)[0]))
    gaps = [np.abs(update(FULL.dual, eta, covector, h)[0] - ig.MirrorUpdate()(FULL.dual, eta, covector, h)[0]).max(-1)
            for h in (1e-3, 5e-4)]
    assert np.all(np.abs(gaps[0] / gaps[1] - 4.0) < 0.2)
    run = fitted(NegativeELBO(FULL, LOGISTIC), START, update=update)
    assert run.status == ig.Status.CONVERGED
    near(-run.values[-1], -26.892774280142, 1e-13)


class TwoWells:
    """−(z² − 4)², not concave between the wells."""

    def __call__(self, z):
        return -(z[..., 0] ** 2 - 4.0) ** 2

    def gradient(self, z):
        return -4.0 * z * (z**2 - 4.0)

    def hessian(self, z):
        return (16.0 - 12.0 * z**2)[..., None]


def test_a_density_that_is_not_concave():
    """A plain step leaves the cone and says so; a search and the retraction stay in it, and find one optimum."""
    q = ig.MultivariateNormal(1)
    f = NegativeELBO(q, TwoWells(), GaussianExpectation(QuadratureExpectation(20)))
    run = dict(tol=1e-7, max_steps=300)
    assert fitted(f, [0.5, 1.0], **run).status == ig.Status.LEFT_DOMAIN
    ends = [fitted(f, [0.5, 1.0], **run, **given) for given in (
        dict(step=ig.Backtracking()), dict(step=ig.RelativeSmooth()), dict(step=0.1, update=PrecisionRetraction()))]
    assert all(end.status == ig.Status.CONVERGED for end in ends)
    for end in ends:
        near(end.x, [1.9758399, 3.9359622], 1e-6)


def test_mini_batches():
    model = LogisticRegression(X, Y, 1.0, batch_size=10)
    run = fitted(NegativeELBO(FULL, model), START, step=ig.Diminishing(1.0, offset=2.0, power=0.7), max_steps=200, tol=None,
                 rng=np.random.default_rng(0))
    assert 26.892 < run.values[-1] < 27.0
    rng = np.random.default_rng(1)
    covectors = [NegativeELBO(FULL, model).draw(rng).value_and_gradient(START)[1] for _ in range(300)]
    gap = np.mean(covectors, axis=0) - NegativeELBO(FULL, LOGISTIC).value_and_gradient(START)[1]
    assert np.all(np.abs(gap) <= 5 * np.std(covectors, axis=0) / 300**0.5)


@pytest.mark.parametrize("kind", ["softmax", "network"])
def test_mini_batches_of_other_models(kind):
    """Value and differential of a batch are those of the whole on average, and the whole as a batch is the whole."""
    if kind == "softmax":
        def model(size):
            return SoftmaxRegression(X, Y, 1.0, 2, batch_size=size)
    else:
        network = ig.networks.ConditionalModel(ig.networks.MLP((3, 1), bias=False), ig.Bernoulli())

        def model(size):
            return WeightPosterior(network, (X, Y), 1.0, batch_size=size)
    z = np.random.default_rng(0).standard_normal(3)
    whole, part = model(None), model(10)
    drawn = [part.draw(rng) for rng in map(np.random.default_rng, range(200))]
    for of in (lambda m: m(z), lambda m: m.gradient(z)):
        found = np.array([of(m) for m in drawn])
        assert np.all(np.abs(found.mean(0) - of(whole)) <= 5 * found.std(0) / 200**0.5) and np.all(found.std(0) > 0.1)
        near(of(model(50).draw(np.random.default_rng(0))), of(whole), 1e-12)
    with pytest.raises(ig.DomainError, match="batch_size"):
        model(51)


def test_weights_of_a_network():
    """A linear network is the regression: same joint density, same differential, and the Hessian is the whole of it."""
    network = ig.networks.ConditionalModel(ig.networks.MLP((3, 1), bias=False), ig.Bernoulli())
    model, z = WeightPosterior(network, (X, Y), 1.0), np.random.default_rng(0).standard_normal((2, 3))
    for found, expected in ((model, LOGISTIC), (model.gradient, LOGISTIC.gradient), (model.hessian, LOGISTIC.hessian)):
        near(found(z), expected(z), 1e-11)
    weights, rows = np.ones(len(Y)), np.concatenate([[0, 0], np.arange(len(Y))])
    weights[0] = 3.0
    near(WeightPosterior(network, (X, Y, weights), 1.0)(z), WeightPosterior(network, (X[rows], Y[rows]), 1.0)(z), 1e-12)
    whole = np.linalg.diagonal(model.hessian(z))
    drawn = [model.draw(rng).hessian_diagonal(z) for rng in map(np.random.default_rng, range(200))]
    assert np.all(np.abs(np.mean(drawn, axis=0) - whole) <= 5 * np.std(drawn, axis=0) / 200**0.5)
    start = DIAGONAL.to_eta(DIAGONAL.theta_from(mean=np.zeros(3), variance=np.ones(3)))
    run = fitted(NegativeELBO(DIAGONAL, model), start, step=0.1, max_steps=100, tol=None, rng=np.random.default_rng(0))
    assert NegativeELBO(DIAGONAL, LOGISTIC).value_and_gradient(run.x)[0] < 27.2
    run = fitted(NegativeELBO(FULL, model), START, step=0.3, max_steps=60, tol=None, rng=np.random.default_rng(0))
    assert NegativeELBO(FULL, LOGISTIC).value_and_gradient(run.x)[0] < 27.1


@pytest.mark.parametrize("backend", BACKENDS)
def test_arrays(backend):
    model = LogisticRegression(backend.make(X), backend.make(Y), 1.0)
    for q, way, f in ((FULL, None, model), (ig.Normal(), QuadratureExpectation(), lambda z: -z * z),
                      (FULL, MonteCarloExpectation(20), model)):
        theta = q.theta_from(**{name: np.zeros(3) if q is FULL and name == "mean" else np.eye(3) if q is FULL else 1.0
                                for name in q.ordinary})
        eta = backend.make(np.stack([q.to_eta(theta)] * 2))
        for found in NegativeELBO(q, f, way).value_and_gradient(eta):
            assert np.all(np.isfinite(backend.check(found)))


def test_messages():
    with pytest.raises(TypeError, match="expectation must be an Expectation"):
        NegativeELBO(ig.Gamma(), lambda z: z)
    with pytest.raises(TypeError, match="a function z -> log p"):
        NegativeELBO(ig.Gamma(), 3.0, QuadratureExpectation())
    with pytest.raises(TypeError, match="gradient"):
        NegativeELBO(FULL, lambda z: z[..., 0], GaussianExpectation())
    with pytest.raises(TypeError, match="MultivariateNormal, DiagonalNormal"):
        NegativeELBO(ig.Gamma(), LOGISTIC)
    with pytest.raises(ig.ShapeError, match=r"q must be on R\^3"):
        NegativeELBO(ig.MultivariateNormal(2), LOGISTIC)
    with pytest.raises(TypeError, match="MonteCarloExpectation"):
        NegativeELBO(ig.Dirichlet(3), lambda z: z[..., 0], QuadratureExpectation())
    with pytest.raises(ig.DomainError, match="draws for the statistics"):
        NegativeELBO(FULL, lambda z: z[..., 0], MonteCarloExpectation(5))
    with pytest.raises(ig.ShapeError, match="one number a point"):
        NegativeELBO(FULL, lambda z: z, MonteCarloExpectation(20)).value_and_gradient(START)
    network = ig.networks.ConditionalModel(ig.networks.MLP((3, 1)), ig.Bernoulli())
    with pytest.raises(ig.ShapeError, match=r"q must be on R\^4"):
        NegativeELBO(FULL, WeightPosterior(network, (X, Y), 1.0))
    with pytest.raises(ig.DomainError, match="y"):
        LogisticRegression(X, Y + 0.5, 1.0)
    with pytest.raises(ig.ShapeError, match="X must have shape"):
        LogisticRegression(X, Y[:, None], 1.0)
    with pytest.raises(TypeError, match="one natural parameter"):
        Regression(ig.Gamma(), X, Y, 1.0)
    with pytest.raises(ig.DomainError, match="batch_size"):
        LogisticRegression(X, Y, 1.0, batch_size=51)
