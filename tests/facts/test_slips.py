"""Slips at the entry: what is plain enough is taken, the rest names the argument and the remedy."""
import numpy as np
import pytest

import infogeo as ig

FAMILY = ig.Categorical(3)
F = ig.CrossEntropy(FAMILY, [0.5, 0.3])
MODEL = ig.networks.ConditionalModel(ig.networks.MLP((2, 3, 2)), FAMILY)
X, Y = np.zeros((4, 2)), np.array([0, 1, 2, 0])


def descend(f=F, x0=(0.0, 0.0), **changes):
    settings = dict(geometry=FAMILY, update=ig.GradientUpdate(), step=ig.Constant(0.1), max_steps=4)
    return ig.descend(f, x0, **settings | changes)


# Taken

def test_a_number_is_a_constant_step():
    for step in (0.1, np.float64(0.1), np.array(0.1)):
        np.testing.assert_array_equal(descend(step=step).path, descend().path)
    np.testing.assert_array_equal(descend(step=[0.1, 0.2]).path, descend(step=ig.Constant([0.1, 0.2])).path)


def test_a_class_of_updates_is_one_of_them():
    np.testing.assert_array_equal(descend(update=ig.GradientUpdate).path, descend().path)


@pytest.mark.parametrize("f", [
    lambda x: (0.5 * float(x @ x), [float(x[0]), float(x[1])]), lambda x: (0.5 * (x @ x), x), lambda x: [0.5 * x @ x, x],
    lambda x: (np.float32(0.5 * (x @ x)), tuple(x)),
], ids=["numbers and a list", "arrays", "a list of both", "a narrow number and a tuple"])
@pytest.mark.parametrize("wrapped", [False, True], ids=["function", "object"])
def test_functions_and_objects_that_give_numbers_and_lists(f, wrapped):
    class Own:
        value_and_gradient = staticmethod(f)

    result = descend(Own() if wrapped else f, [3.0, 4.0], geometry=ig.Euclidean(2), step=0.5, tol=1e-3, max_steps=50)
    assert int(result.status) == ig.Status.CONVERGED
    np.testing.assert_allclose(result.path[:3], [[3.0, 4.0], [1.5, 2.0], [0.75, 1.0]])
    np.testing.assert_allclose(result.values[:2], [12.5, 3.125], rtol=1e-6)
    flow = ig.flow(Own() if wrapped else f, [3.0, 4.0], geometry=ig.Euclidean(2), update=ig.GradientUpdate, times=[0.5])
    np.testing.assert_allclose(flow.x, np.exp(-0.5) * np.array([3.0, 4.0]), rtol=1e-9)


def test_a_random_objective_that_gives_lists():
    class Random:
        def __init__(self, a=1.0):
            self.a = a

        def draw(self, rng):
            return Random(rng.uniform(0.5, 1.5))

        def value_and_gradient(self, x):
            return 0.5 * self.a * float(x @ x), [self.a * float(v) for v in x]

    result = descend(Random(), [3.0, 4.0], geometry=ig.Euclidean(2), step=0.5, max_steps=60, rng=np.random.default_rng(0))
    np.testing.assert_allclose(result.x, 0.0, atol=1e-6)


# Told

@pytest.mark.parametrize("changes, error, words", [
    (dict(f=3), TypeError, r"objective must have the method value_and_gradient\(x\)"),
    (dict(f=ig.CrossEntropy), TypeError, r"objective must be an object, not a class: CrossEntropy\(…\)"),
    (dict(f=lambda x: 1.0), TypeError, r"objective must return a pair \(value, gradient\)"),
    (dict(f=lambda x: (1.0, [1.0])), ig.ShapeError, r"gradient of the objective must have shape \(\.\.\., 2\), as x0"),
    (dict(f=lambda x: (np.ones(3), np.ones((2, 2)))), ig.ShapeError, "value of the objective must have the shape of the batch"),
    (dict(step="fast"), TypeError, "step must be a step rule"), (dict(step=ig.Constant), TypeError, "step must be a step rule"),
    (dict(step=-0.1), ig.DomainError, "h must satisfy h > 0; got -0.1"),
    (dict(step=np.inf), ig.DomainError, "h must satisfy h > 0 and finite; got inf"),
    (dict(step=[0.1, 0.2, 0.3], x0=np.zeros((2, 2))), ig.ShapeError, r"must broadcast; got \(2,\), \(\), \(3,\)"),
    (dict(update="natural"), TypeError, r"update must be an Update, such as GradientUpdate\(\)"),
    (dict(update=ig.policy.EntropyBounded), TypeError, r"an object, EntropyBounded\(…\), not the class: .*kl"),
    (dict(geometry=3), TypeError, "geometry must be a Riemannian or a DuallyFlat"),
    (dict(geometry=ig.Normal), TypeError, "geometry must be a Riemannian or a DuallyFlat, an object"),
    (dict(geometry=ig.geometry.HalfSpace(2), update=ig.MirrorUpdate(), x0=[0.0, 1.0]), TypeError,
     "MirrorUpdate needs a dually flat geometry, with to_eta and to_theta; got HalfSpace"),
    (dict(geometry=ig.geometry.HalfSpace(2), step=ig.RelativeSmooth(), x0=[0.0, 1.0]), TypeError,
     "RelativeSmooth needs a dually flat geometry, with divergence; got HalfSpace"),
    (dict(max_steps=-1), ig.DomainError, "max_steps must satisfy max_steps an integer >= 0; got -1"),
    (dict(max_steps=2.5), ig.DomainError, "max_steps must satisfy"),
    (dict(callbacks=[3]), TypeError, "callbacks must be functions"),
    (dict(callbacks=ig.Average()), TypeError, "callbacks must be a list of functions of a Moment; got <"),
    (dict(tol=-1), ig.DomainError, "tol must satisfy tol a number >= 0"),
])
def test_runs(changes, error, words):
    with pytest.raises(error, match=words):
        descend(**changes)


@pytest.mark.parametrize("make, error, words", [
    (lambda: FAMILY.sample(np.zeros(2), (5,)), TypeError, r"rng must be a numpy\.random\.Generator .*; got ndarray: "),
    (lambda: ig.Categorical([0.5, 0.3, 0.2]), TypeError, r"number of outcomes; .*Categorical\(3\)\.theta_from\(prob"),
    (lambda: ig.Normal(0.0, 1.0), TypeError, r"Normal takes no arguments; .*Normal\(\)\.theta_from\(…\)"),
    (lambda: ig.Gamma(shape=2.0, rate=1.0), TypeError, r"Gamma takes no arguments; ordinary parameters are those of a point"),
    (lambda: ig.Burg(-3), ig.DomainError, "dim must satisfy dim an integer >= 1; got -3"),
    (lambda: ig.Burg(2.5), ig.DomainError, "dim must satisfy dim an integer >= 1; got 2.5"),
    (lambda: ig.NegativeEntropy("a"), ig.DomainError, "dim must satisfy dim an integer >= 1; got 'a'"),
    (lambda: ig.Euclidean(0), ig.DomainError, "dim must satisfy dim an integer >= 1; got 0"),
    (lambda: ig.PNorm(0, 3.0), ig.DomainError, "dim must satisfy"), (lambda: ig.PNorm(2, "b"), ig.DomainError, "p must satisfy"),
    (lambda: ig.Diminishing(1.0, power=np.nan), ig.DomainError, "power must satisfy power a finite number; got nan"),
    (lambda: ig.Backtracking(sufficient=np.nan), ig.DomainError, "sufficient must satisfy"),
    (lambda: ig.pack([[1.0, 2.0], [3.0, 4.0]]), ig.DomainError, "matrix must satisfy matrix symmetric"),
    (lambda: ig.pack(np.ones((2, 3))), ig.ShapeError, r"matrix must have shape \(\.\.\., p, p\); got \(2, 3\)"),
    (lambda: ig.bregman(3, [0.0], [0.0]), TypeError, "bregman takes a DuallyFlat as its argument M; got 3"),
    (lambda: ig.bregman(ig.Normal, [0.0], [0.0]), TypeError, r"got the class Normal, of which Normal\(…\) makes an object"),
    (lambda: ig.m_project(FAMILY, [0.0, 0.0], 3), TypeError, "m_project takes a FlatSet as its argument onto; got 3"),
    (lambda: ig.curvature.fisher(3, [0.0], (X, Y)), TypeError, "fisher takes a ConditionalModel as its argument model; got 3"),
    (lambda: ig.curvature.fisher(MODEL, np.zeros(MODEL.network.size), X), TypeError, r"batch must be a pair \(x, y\)"),
    (lambda: ig.CrossEntropy(3, [0.5]), TypeError, "CrossEntropy takes a DuallyFlat first"),
    (lambda: ig.ReverseKL(ig.Normal, [0.5]), TypeError, "ReverseKL takes a DuallyFlat first"),
    (lambda: ig.MiniBatch(3, [0.5], 1), TypeError, "MiniBatch takes a family first"),
    (lambda: ig.Noisy(F, "a"), ig.DomainError, "sigma must satisfy"),
    (lambda: ig.Noisy(3, 0.1), TypeError, "Noisy takes an objective"),
    (lambda: ig.lbfgs(F, [0.0, 0.0], max_steps=3, tol=-1.0), ig.DomainError, "tol must satisfy tol a number >= 0; got -1.0"),
    (lambda: ig.lbfgs(F, [0.0, 0.0], max_steps=3, memory=0), ig.DomainError, "memory must satisfy memory an integer >= 1; got 0"),
    (lambda: ig.sinkhorn(np.eye(2), [1.0, 1.0], [1.0, 1.0], temperature=1.0, tol="a", max_steps=9), ig.DomainError,
     "tol must satisfy tol a number >= 0; got 'a'"),
    (lambda: ig.Polyak(np.nan), ig.DomainError, "lower must satisfy lower finite; got nan"),
    (lambda: F.pulled_back(lambda u: u), TypeError, r"map must be an object with map\(u\) and map\.pull_back\(u, covector\)"),
    (lambda: ig.Simplex(3).onto_face([0.5, 0.3, 0.2], [True, False, True]), ig.DomainError, "outcomes must satisfy some of 0 …"),
    (lambda: ig.Simplex(3).onto_face([0.5, 0.3, 0.2], 1), ig.DomainError, "outcomes must satisfy some of 0 … 2; got 1"),
    (lambda: ig.NegativeBinomial(2.0).theta_from(mean=1.0, probability=0.5), TypeError, "either the mean or the probability"),
    (lambda: ig.studies.diagnose(FAMILY, [0.0, 0.0], charts=[ig.AlphaChart(0.0)]), TypeError,
     r"charts must be MappedChart\(name, map, of\), .*got AlphaChart\(0\)"),
    (lambda: ig.LeastSquares(np.eye(2), [1.0, 2.0]).in_dual_coordinates(), TypeError, "needs an objective of a manifold"),
    (lambda: ig.statistics.SufficientStatistics.from_data(ig.Normal(), [1.0, 2.0]).merge(3), TypeError, "merge takes Suff"),
    (lambda: ig.AffineSubmanifold([0.0, 0.0], [[1.0, 1.0]]).embed(2.0), ig.ShapeError, r"u must have shape \(\.\.\., 1\)"),
    (lambda: ig.studies.named_family(FAMILY), ig.studies.InputError, r"a family is named by text, such as 'Weibull\(1\.7\)'"),
    (lambda: ig.studies.named_problem(0.5, FAMILY, [0.0, 0.0]), ig.studies.InputError, "a divergence is named by text"),
    (lambda: ig.studies.spectrum(FAMILY), TypeError, "spectrum takes a Problem as its argument problem; got Categorical"),
    (lambda: ig.jeffreys_centroid(ig.Simplex(3), [[0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]), TypeError, "has one more: leave"),
    (lambda: ig.policy.GAE("a"), ig.DomainError, "gamma must satisfy 0 <= gamma <= 1; got 'a'"),
    (lambda: ig.policy.GAE()([[1.0]], [[0.0]], [[0.0]], [[False]], [False]), ig.ShapeError, r"must have one shape \(T, k\)"),
    (lambda: ig.policy.FiniteMDP([[[1.0], [1.0]]], [[0.0, 1.0]], discount="a"), ig.DomainError, "discount must satisfy"),
    (lambda: ig.policy.LinearQuadratic([[np.nan]], [[1.0]], [[1.0]], [[1.0]], discount=0.9), ig.DomainError,
     "A must satisfy A finite"),
    (lambda: MODEL.objective((X, np.eye(3)[Y])), ig.ShapeError, r"one-hot labels numpy\.argmax\(y, axis=-1\)"),
    (lambda: MODEL.objective((X, Y[:, None])), ig.ShapeError, r"y is a column, and y\[:, 0\] the observations"),
    (lambda: MODEL.objective((X[:3], Y)), ig.ShapeError, r"x and y must have the same samples; got shapes \(3, 2\) and \(4,\)$"),
    (lambda: MODEL.objective((np.array([[0, 0], [0, np.nan]]), Y[:2])), ig.DomainError,
     r"x must satisfy x finite; 1 of 4 points does not, first at index \(1, 1\): nan"),
    (lambda: ig.CrossEntropy(ig.Normal, [0.0, 1.0]), TypeError, r"got the class Normal, of which Normal\(…\) makes an object"),
    (lambda: descend(geometry=ig.Normal), TypeError, "geometry must be a Riemannian .* got the class Normal, of which"),
    (lambda: ig.statistics.interaction_orders(ig.BoltzmannMachine, [0.5, 0.5]), TypeError, "shape must be a tuple of integers"),
    (lambda: ig.inference.ConjugateModel.of(ig.Poisson, [1.0, -1.0], [1.0]), TypeError, "argument family; got the class Poisson"),
    (lambda: ig.clustering.FamilyMixture(2, family=ig.Normal()).fit(X), TypeError, "family must be a class or a function"),
    (lambda: ig.clustering.BregmanKMeans(2, generator=ig.Euclidean(2)).fit(X), TypeError, "generator must be a class or a func"),
    (lambda: ig.boosting.NaturalGradientBoostingRegressor().fit(X, Y), ig.DomainError, "X must have a feature that is not cons"),
    (lambda: MODEL.objective((X, Y, Y, Y)), TypeError, r"batch must be a pair \(x, y\), or \(x, y, weights\); got 4 things"),
])
def test_what_else_is_told(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_what_is_symmetric_to_rounding_is_packed():
    rng = np.random.default_rng(0)
    for dtype in (np.float32, np.float64):
        a = rng.normal(size=(5, 3, 3)).astype(dtype)
        np.testing.assert_allclose(ig.unpack(ig.pack(a @ np.swapaxes(a, -1, -2)), 3), a @ np.swapaxes(a, -1, -2), rtol=1e-5)


def test_nothing_leaks_where_a_row_and_a_column_are_empty(recwarn):
    """0 / 0 of an empty row in an empty column is an empty cell."""
    found = ig.sinkhorn(np.ones((3, 3)), [0.0, 0.4, 0.6], [0.0, 0.5, 0.5], temperature=0.1, tol=1e-13, max_steps=50)
    np.testing.assert_allclose(np.exp(found).sum(axis=0), [0.0, 0.5, 0.5], atol=1e-13)
    assert not np.isnan(found).any() and not recwarn.list


def test_nothing_leaks_from_a_chart_or_a_spectrum_at_its_edge(recwarn):
    np.testing.assert_array_equal(ig.AlphaChart(0.0).inverse([-1.0, 4.0]), [np.nan, 2.0])
    normal = ig.Normal()
    assert ig.studies.spectra(normal, normal.theta_from(mean=1e9, variance=1.0)).condition[0] == np.inf
    assert not recwarn.list


def test_nothing_leaks_at_a_huge_number_of_failures(recwarn):
    for r in (1e10, 6e16, 1e100):
        ig.NegativeBinomial(r).entropy([[-50.0], [-300.0]])
    assert not recwarn.list


def test_inputs_of_another_shape_are_told_before_labels():
    """The true reason: images without a channel, inputs of another width."""
    images = ig.networks.ConditionalModel(ig.networks.ConvNet((4, 4, 1), (2,), 2), ig.Categorical(3))
    with pytest.raises(ig.ShapeError, match=r"x must have shape \(\.\.\., n, 4, 4, 1\); got \(20, 4, 4\)"):
        images.objective((np.zeros((20, 4, 4)), np.zeros(20)))
    model = ig.networks.ConditionalModel(ig.networks.MLP((3, 2)), ig.Categorical(3))
    with pytest.raises(ig.ShapeError, match=r"x must have shape \(\.\.\., n, 3\); got \(20, 2\)"):
        model.objective((np.zeros((20, 2)), np.zeros(20)))
