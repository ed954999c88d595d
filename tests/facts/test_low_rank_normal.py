"""Normal posteriors of low-rank covariance: the differential, the metric, and where the full covariance is one of them."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.inference import (GaussianExpectation, LogisticRegression, LowRankNormal, MonteCarloExpectation, NegativeELBO,
                               PathwiseExpectation, QuadratureExpectation, WeightPosterior)

from ..backends import BACKENDS
from .inference_helpers import LOGISTIC, X, Y, near

Q = LowRankNormal(3, 2)
AT = Q.coordinates([.1, .2, .3], [1.0, .5, 2.0], [[.5, 0.0], [-.3, .4], [.8, -.2]])
STEPS = 1e-5 * np.eye(Q.dim)


def slopes(f, at=AT):
    return np.stack([f(at + step) - f(at - step) for step in STEPS], axis=-1) / 2e-5


def test_it_is_a_part_of_the_full_family():
    """Value and differential are those of the full family at the same covariance, through the chain rule."""
    full = ig.MultivariateNormal(3)
    eta = full.to_eta(Q.to_theta(AT))
    near(Q.dual_potential(AT), full.dual_potential(eta), 1e-13)
    near(Q.dual_potential_covector(AT), slopes(Q.dual_potential), 1e-8)
    jacobian = slopes(lambda x: full.to_eta(Q.to_theta(x)))
    value, covector = NegativeELBO(full, LOGISTIC).value_and_gradient(eta)
    found = NegativeELBO(Q, LOGISTIC).value_and_gradient(AT)
    near(found[0], value, 1e-12)
    near(found[1], covector @ jacobian, 1e-8)
    # the metric of the law of (z, f) is no less than Fisher's, which it is for the mean
    fisher = jacobian.T @ full.dual_metric(eta) @ jacobian
    assert np.min(np.linalg.eigvalsh(Q.metric(AT) - fisher)) >= -1e-8
    near(fisher[:3], Q.metric(AT)[:3], 1e-8)
    near(Q.flat(AT, Q.sharp(AT, covector @ jacobian)), covector @ jacobian, 1e-12)


def test_ways_to_the_same_expectation():
    """Regressions along x_i·z, nodes with whole Hessians, and products with U."""
    plain = type("Plain", (), dict(__call__=lambda self, z: LOGISTIC(z), gradient=lambda self, z: LOGISTIC.gradient(z),
                                   hessian=lambda self, z: LOGISTIC.hessian(z)))()
    products = type("Products", (type(plain),), dict(
        hessian_diagonal=lambda self, z: np.linalg.diagonal(LOGISTIC.hessian(z)),
        hessian_vector=lambda self, z, v: np.sum(LOGISTIC.hessian(z) * v[..., None, :], axis=-1)))()
    exact = NegativeELBO(Q, LOGISTIC).value_and_gradient(AT)
    by = GaussianExpectation(QuadratureExpectation(12))
    near(NegativeELBO(Q, plain, by).value_and_gradient(AT)[1], exact[1], 2e-3)
    near(NegativeELBO(Q, products, by).value_and_gradient(AT)[1], NegativeELBO(Q, plain, by).value_and_gradient(AT)[1], 1e-12)


def test_one_column_is_enough_for_three_weights():
    """Three covariances are u_1 u_2, u_1 u_3 and u_2 u_3: the optimum is that of the full covariance."""
    q = LowRankNormal(3, 1)
    f, start = NegativeELBO(q, LOGISTIC), q.coordinates(np.zeros(3), np.ones(3), 0.1 * np.ones((3, 1)))
    run = ig.descend(f, start, geometry=q, update=ig.NaturalUpdate(), step=ig.Backtracking(), max_steps=60, tol=1e-3)
    assert run.status == ig.Status.CONVERGED and abs(run.values[-1] - 26.892774280142) < 1e-5
    end = ig.lbfgs(f, run.x, geometry=q, max_steps=60, tol=1e-6)
    near(-end.values[-1], -26.892774280142, 1e-11)
    near(np.diag(q.parameters(end.x)["covariance"]), [.1498951860, .2463972405, .1306125129], 1e-5)


def test_rank_raises_the_bound():
    """From the diagonal to the full covariance, 30 observations of 6 weights of which three go together."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((30, 6))
    x[:, 1:3] += 2.0 * x[:, :1]
    model, bounds = LogisticRegression(x, (x[:, 0] > 0.3 * rng.standard_normal(30)).astype(float), 1.0), []
    for rank in (1, 2):
        q = LowRankNormal(6, rank)
        start = q.coordinates(np.zeros(6), np.full(6, .3), 0.1 * rng.standard_normal((6, rank)))
        bounds.append(-ig.lbfgs(NegativeELBO(q, model), start, geometry=q, max_steps=80, tol=1e-2).values[-1])
    ends = []
    for q, theta in ((ig.DiagonalNormal(6), dict(variance=np.full(6, .3))),
                     (ig.MultivariateNormal(6), dict(covariance=.3 * np.eye(6)))):
        run = ig.descend(NegativeELBO(q, model), q.to_eta(q.theta_from(mean=np.zeros(6), **theta)), geometry=q.dual,
                         update=ig.MirrorUpdate(), step=ig.Backtracking(), max_steps=60, tol=1e-3)
        ends.append(-run.values[-1])
    assert np.all(np.diff([ends[0], *bounds, ends[1]]) > 1e-3), (ends, bounds)


def test_weights_of_a_network():
    network = ig.networks.ConditionalModel(ig.networks.MLP((3, 1), bias=False), ig.Bernoulli())
    q = LowRankNormal(3, 1)
    f = NegativeELBO(q, WeightPosterior(network, (X, Y), 1.0, probes=4))
    start = q.coordinates(np.zeros(3), np.ones(3), 0.1 * np.ones((3, 1)))
    run = ig.descend(f, start, geometry=q, update=ig.NaturalUpdate(), step=0.05, max_steps=100, rng=np.random.default_rng(0))
    assert NegativeELBO(q, LOGISTIC).value_and_gradient(run.x)[0] < 27.2


@pytest.mark.parametrize("backend", BACKENDS)
def test_arrays(backend):
    x = backend.make(np.stack([AT, AT + 0.1]))
    model = LogisticRegression(backend.make(X), backend.make(Y), 1.0)
    for part in (*NegativeELBO(Q, model).value_and_gradient(x), Q.to_theta(x), Q.sharp(x, x), Q.flat(x, x), Q.metric(x)):
        assert np.all(np.isfinite(backend.check(part)))


def test_messages():
    with pytest.raises(ig.DomainError, match="rank"):
        LowRankNormal(3, 4)
    with pytest.raises(ig.DomainError, match="factors must not all be 0"):
        Q.coordinates(np.zeros(3), np.ones(3), np.zeros((3, 2)))
    with pytest.raises(ig.DomainError, match="diagonal"):
        Q.coordinates(np.zeros(3), [1.0, 0.0, 1.0], np.ones((3, 2)))
    with pytest.raises(ig.ShapeError, match="factors must have shapes"):
        Q.coordinates(np.zeros(3), np.ones(3), np.ones((2, 3)))
    for way in (MonteCarloExpectation(40), QuadratureExpectation(4), PathwiseExpectation(40)):
        with pytest.raises(TypeError, match="GaussianExpectation"):
            NegativeELBO(Q, LOGISTIC, way)
    with pytest.raises(TypeError, match="as its argument q"):
        NegativeELBO(ig.Euclidean(3), LOGISTIC)
    with pytest.raises(ig.ShapeError, match=r"q must be on R\^3"):
        NegativeELBO(LowRankNormal(2, 1), LOGISTIC)
