"""What an object keeps of lists or of NumPy's arrays is a constant in the library, dtype and device of the arrays it meets."""
from typing import Any, NamedTuple

import numpy as np
import pytest

import infogeo as ig
from infogeo.backend import to_numpy
from infogeo.inference import (BayesianMixture, ConjugateModel, FactorAnalysis, HiddenMarkov, LinearExperts, LinearRegression,
                               LogisticRegression, MissingNormal, NegativeELBO, QuadratureExpectation, SoftmaxRegression,
                               predictive, reference)
from infogeo.statistics import SufficientStatistics, em, fit_mixture, posterior

rng = np.random.default_rng(0)
X, y, counts = rng.normal(size=(6, 2)), np.array([0, 1, 1, 0, 1, 1]), rng.poisson(2.0, 6)
A, theta, eta, z = np.array([[2.0, 0.3], [0.3, 1.0]]), np.array([0.3, -0.4]), np.array([0.5, 0.3]), np.array([0.2, -0.1])
C3, Q = ig.Categorical(3), ig.MultivariateNormal(2)
q_theta = Q.theta_from(mean=[0.1, 0.2], covariance=A)
logistic = lambda m: LogisticRegression(m(X), m(y), prior_precision=1.0)
elbo = lambda model: NegativeELBO(model.q, model)
run = dict(update=ig.NaturalUpdate(), step=0.1, max_steps=2)


def sums(m):
    return SufficientStatistics.from_data(ig.Poisson(), m(counts))


def slopes(f, x):
    return *f.value_and_gradient(x), f.hessian(x)


class Kept(NamedTuple):
    """An object of arrays, ``build(make)``, and numbers of it at points, ``use(object, make)``.

    `free`: of an object of tensors a list is enough for a point. `meets`: a NumPy array of points is refused by tensors;
    as another argument beside them it joins them.
    """

    build: Any
    use: Any
    free: bool = True
    meets: bool = True


OBJECTS = {
    "AffineMap": Kept(lambda m: ig.AffineMap(m(A), m(z)), lambda f, m: (f(m(eta)), f.inverse(m(eta)), f.pull_back(m(z), m(eta)))),
    "AffineMap, one of its arrays": Kept(lambda m: ig.AffineMap(A, m(z)), lambda f, m: f(m(eta))),
    "f.pulled_back": Kept(lambda m: ig.CrossEntropy(C3, m(eta)).pulled_back(ig.AffineMap(m(A))),
                          lambda f, m: f.value_and_gradient(m(z))),
    "PulledBack": Kept(lambda m: ig.geometry.PulledBack(C3, ig.AffineMap(m(A))), lambda M, m: M.flat(m(z), m(eta)), free=False),
    "AffineSubmanifold": Kept(lambda m: ig.AffineSubmanifold(m(z), m([[1.0, 1.0]])),
                              lambda s, m: (s.embed(m([0.3])), ig.m_project(C3, m(theta), onto=s))),
    "AffineConstraints": Kept(lambda m: ig.AffineConstraints(m([[1.0, 0.0]]), m([0.4])),
                              lambda s, m: ig.e_project(C3, m(theta), onto=s)),
    "a face": Kept(lambda m: ig.AffineConstraints(m([[1.0, 0.0]]), m([0.0])), lambda s, m: ig.e_project(C3, m(theta), onto=s),
                   meets=False),
    "Intersection": Kept(lambda m: ig.Intersection(ig.AffineConstraints([[1.0, 0.0]], [0.5]),
                                                   ig.Halfspaces(m([[0.0, 1.0]]), m([0.2]))),
                         lambda s, m: ig.e_project(C3, m(theta), onto=s)),
    "CrossEntropy": Kept(lambda m: ig.CrossEntropy(C3, m(eta)), lambda f, m: slopes(f, m(theta))),
    "CrossEntropy on a face": Kept(lambda m: ig.CrossEntropy(ig.Simplex(3).dual, m([0.5, 0.5, 0.0])),
                                   lambda f, m: f.value_and_gradient(m([0.1, 0.2, 0.3]))),
    "f.in_dual_coordinates": Kept(lambda m: ig.CrossEntropy(C3, m(eta)).in_dual_coordinates(), lambda f, m: slopes(f, m(eta))),
    "a run": Kept(lambda m: ig.CrossEntropy(C3, m(eta)), lambda f, m: ig.descend(f, m(theta), geometry=C3, **run).x),
    "a flow": Kept(lambda m: ig.CrossEntropy(C3, m(eta)),
                   lambda f, m: ig.flow(f, m(theta), geometry=C3, update=ig.NaturalUpdate(), times=[0.0, 0.1]).x),
    "ReverseKL": Kept(lambda m: ig.ReverseKL(C3, m(theta)), lambda f, m: slopes(f, m(z))),
    "LeastSquares": Kept(lambda m: ig.LeastSquares(m(A), m(z)), lambda f, m: slopes(f, m(eta))),
    "PoissonLoss": Kept(lambda m: ig.PoissonLoss(m(A), m(eta)), lambda f, m: slopes(f, m(eta))),
    "JensenShannonDivergence": Kept(lambda m: ig.JensenShannonDivergence(C3, m(theta)), lambda f, m: slopes(f, m(z))),
    "RenyiDivergence": Kept(lambda m: ig.RenyiDivergence(C3, m(theta), m([0.3, 0.6])), lambda f, m: slopes(f, m(z))),
    "MiniBatch": Kept(lambda m: ig.MiniBatch(ig.Poisson(), m(counts), 3), lambda f, m: f.value_and_gradient(m([0.3]))),
    "Stream": Kept(lambda m: ig.Stream(lambda x, r: ((x - r)**2 / 2, x - r), X[:, 0] if m is numbers else m(X[:, 0])),
                   lambda f, m: f.losses(m([0.5]))),
    "Box": Kept(lambda m: ig.Box(m(0.1 * eta), m(eta)), lambda g, m: (g.value(m(eta)), g(ig.Euclidean(2), m(theta), 1.0))),
    "Composite": Kept(lambda m: ig.Composite(ig.MirrorUpdate(), ig.Box(m(0.1 * eta), m(eta))),
                      lambda u, m: ig.descend(ig.LeastSquares(A, z), m(eta), geometry=ig.Euclidean(2), update=u, step=0.1,
                                              max_steps=2).x),
    "Constant": Kept(lambda m: ig.Constant(m([0.1, 0.2])),
                     lambda step, m: ig.descend(ig.LeastSquares(A, z), m([eta, theta]), geometry=ig.Euclidean(2),
                                                update=ig.GradientUpdate(), step=step, max_steps=2).x),
    "GeneralizedLinear": Kept(lambda m: ig.GeneralizedLinear(ig.Bernoulli(), m(X)), lambda M, m: M.to_eta(m(z)), free=False),
    "GeneralizedLinear.statistic": Kept(lambda m: ig.GeneralizedLinear(ig.Bernoulli(), m(X)), lambda M, m: M.statistic(m(y))),
    "LogisticRegression": Kept(logistic, lambda f, m: (f(m(z)), f.gradient(m(z)), f.hessian(m(z)))),
    "SoftmaxRegression": Kept(lambda m: SoftmaxRegression(m(X), m(y), 1.0, 2), lambda f, m: (f.gradient(m(z)), f.hessian(m(z)))),
    "NegativeELBO": Kept(lambda m: NegativeELBO(Q, logistic(m)), lambda f, m: f.value_and_gradient(m(Q.to_eta(q_theta)))),
    "predictive": Kept(logistic, lambda f, m: predictive(Q, m(q_theta), f, m(X)).mean, meets=False),
    "reference": Kept(logistic, lambda f, m: reference(Q, m(q_theta), f, QuadratureExpectation(4)).mean),
    "ConjugateModel": Kept(lambda m: elbo(ConjugateModel.of(ig.Poisson(), m([1.0, -0.1]), m(counts))),
                           lambda f, m: f.value_and_gradient(m([1.0, 0.2]))),
    "posterior": Kept(lambda m: m([1.0, -0.1]), lambda prior, m: posterior(ig.Poisson(), prior, sums(m)), meets=False),
    "fit_mixture": Kept(lambda m: (m([[0.5], [1.2]]), m([0.4, 0.6])),
                        lambda start, m: fit_mixture(ig.Poisson(), m(counts), *start, tol=1.0, max_steps=2)[:2], meets=False),
    "HiddenMarkov": Kept(lambda m: (m([0.5, 0.5]), m([[0.9, 0.1], [0.2, 0.8]]), m([[0.5], [1.2]])),
                         lambda start, m: em(HiddenMarkov(ig.Poisson()), m(counts[None]), start, tol=1.0, max_steps=2).theta,
                         meets=False),
    "FactorAnalysis": Kept(lambda m: (m(z), m([[1.0], [0.5]]), m(eta)),
                           lambda start, m: em(FactorAnalysis(), m(X), start, tol=1.0, max_steps=2).theta, meets=False),
    "MissingNormal": Kept(lambda m: (m(z), m(A)), lambda start, m: em(MissingNormal(), m(X), start, tol=1.0, max_steps=2).theta,
                          meets=False),
    "LinearExperts": Kept(lambda m: (m([0.5, 0.5]), m(A), m(eta)),
                          lambda start, m: em(LinearExperts(), (m(X), m(counts)), start, tol=1.0, max_steps=2).theta,
                          meets=False),
    "LinearRegression": Kept(lambda m: elbo(LinearRegression(m(X), m(counts), 1.0)),
                             lambda f, m: f.value_and_gradient(m(f.q.to_eta(to_numpy(f.log_joint.prior_theta))))),
    "BayesianMixture": Kept(lambda m: elbo(BayesianMixture(ig.Poisson(), 2, m([1.0, -0.1]), 1.0, m(counts))),
                            lambda f, m: f.value_and_gradient(m(f.q.to_eta([0.5, 0.7, 1.0, -0.1, 3.0, -0.5])))),
}


def flat(found):
    return [part for parts in found for part in flat(parts)] if isinstance(found, tuple) else [found]


def numbers(x):
    return np.asarray(x).tolist()


@pytest.mark.parametrize("name", OBJECTS)
def test_kept_arrays(name, backend):
    """The same numbers of lists, NumPy's arrays and tensors, in the library and dtype of the points; tensors meet no others."""
    kept = OBJECTS[name]
    expected = flat(kept.use(kept.build(numbers), np.asarray))
    for dtype, rtol in (("float64", 1e-9), ("float32", 2e-4)):
        make = lambda x: backend.make(np.asarray(x, dtype=float), dtype)
        ways = [(numbers, make), (np.asarray, make), (make, make)]
        if backend.name == "numpy" and not kept.meets:      # of two arguments the wider dtype is taken
            ways = ways[2:]
        for build, use in [*ways, (make, numbers)] if kept.free and backend.name != "numpy" else ways:
            found = flat(kept.use(kept.build(build), use))
            for a, b in zip(found, expected, strict=True):
                np.testing.assert_allclose(backend.check(a, dtype), b, rtol=rtol, atol=rtol)
    if backend.name != "numpy" and kept.meets:
        with pytest.raises(TypeError, match="arrays on different devices"):
            kept.use(kept.build(make), np.asarray)


def test_constants_of_a_trace(backend):
    """In a program of JAX they are constants, of an object made before it or in it, and after it there is no trace of it."""
    if backend.name != "jax":
        return
    import jax

    at = backend.make(z)
    for name in ("AffineMap", "CrossEntropy", "LeastSquares", "LogisticRegression"):
        build, use = OBJECTS[name][:2]
        of_points = lambda kept, x: flat(use(kept, lambda given: x + backend.make(given) - z))
        kept = build(np.asarray)
        programs = jax.jit(lambda x: of_points(kept, x)), jax.jit(lambda x: of_points(build(np.asarray), x))
        for parts in (*(program(at) for program in programs), of_points(kept, at)):
            for a, b in zip(parts, flat(use(kept, np.asarray)), strict=True):
                np.testing.assert_allclose(to_numpy(a), b, rtol=1e-12, atol=1e-12)
    with pytest.raises(TypeError, match="jax.jit"):         # it looks at the numbers of its own arrays
        jax.jit(lambda x: ig.LeastSquares(x[None, :], x[:1]).b)(at)
