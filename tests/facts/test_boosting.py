"""The boosted regressor and classifier: exact laws, invariances, traps, and what is said of bad input."""
import io
import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import check_estimator

import infogeo as ig
from infogeo.boosting import (CRPS, Brier, ExpectationChart, LeafMetric, NaturalGradientBoostingClassifier,
                              NaturalGradientBoostingRegressor, NaturalGradientBoostingSurvival, Pointwise)

Regressor, Classifier = NaturalGradientBoostingRegressor, NaturalGradientBoostingClassifier
rng = np.random.default_rng(0)
N = 400
X = rng.uniform(-1.0, 1.0, (N, 4))
Y = np.sin(3.0 * X[:, 0]) + np.exp(-1.0 + X[:, 1]) * rng.standard_normal(N)
LABELS = np.where(X[:, 0] + 0.5 * rng.standard_normal(N) > 0, "yes", "no")
BASE = Regressor(max_iter=40).fit(X, Y)


def coordinates(model, X):
    """u, shape (n, d)."""
    return np.sum(model.explain(X), axis=-1)


@pytest.mark.parametrize("estimator", [cls(max_iter=10) for cls in (Regressor, Classifier, NaturalGradientBoostingSurvival)],
                         ids=lambda estimator: type(estimator).__name__)
@pytest.mark.filterwarnings("ignore")
def test_scikit_learn_has_nothing_to_say(estimator):
    found = check_estimator(estimator, on_skip=None, on_fail=None)
    assert not [result for result in found if result["status"] not in ("passed", "skipped")]
    assert len(found) > 45 and [r["check_name"] for r in found if r["status"] == "skipped"] in ([], ["check_array_api_input"])


# Exactness and invariance

def test_shapley_values_sum_to_the_coordinates():
    law = BASE.predict_dist(X)
    assert BASE.explain(X).shape == (N, 2, 5)
    np.testing.assert_allclose(BASE.chart_.to_theta(coordinates(BASE, X)), law.theta, rtol=1e-12)
    assert BASE.feature_importances_names_ == ["mean", "log variance"] == list(BASE.boosters_)
    assert list(np.argmax(BASE.feature_importances_, axis=1)) == [0, 1]
    np.testing.assert_allclose(np.sum(BASE.feature_importances_, axis=1), 1.0)


@pytest.mark.parametrize("rule", ["LogScore", "CRPS"])
@pytest.mark.parametrize("scale, shift", [(1e-6, 0.0), (1e6, 0.0), (1.0, 1e6), (1.0, 1e8)])
def test_the_unit_and_the_origin_of_y_do_not_matter(rule, scale, shift):
    rule = getattr(ig.boosting, rule)
    make = lambda: Regressor(max_iter=25, scoring_rule=rule, leaf=LeafMetric)        # information is in rows, whatever the unit
    small, large = coordinates(make().fit(X, Y), X), coordinates(make().fit(X, scale * Y + shift), X)
    np.testing.assert_allclose(large[:, 0], scale * small[:, 0] + shift, rtol=1e-12, atol=scale * 3e-8)
    np.testing.assert_allclose(large[:, 1], small[:, 1] + 2.0 * np.log(scale), rtol=0, atol=1e-7)


def test_a_monotone_change_and_another_order_of_features_do_not_matter():
    few, y = X[:200], Y[:200]               # of more values than bins, LightGBM bins those on each side of 0 by themselves
    turned = np.exp(few[:, ::-1])
    plain, other = Regressor(max_iter=15).fit(few, y).predict(few), Regressor(max_iter=15).fit(turned, y).predict(turned)
    np.testing.assert_allclose(other, plain, rtol=1e-9)


@pytest.mark.parametrize("leaf", [Pointwise, LeafMetric])
def test_weights_are_repetitions(leaf):
    few, weights = np.round(X, 1), rng.integers(0, 4, N).astype(float)
    weighted = Regressor(max_iter=25, leaf=leaf).fit(few, Y, weights)
    times = weights.astype(int)
    repeated = Regressor(max_iter=25, leaf=leaf).fit(np.repeat(few, times, axis=0), np.repeat(Y, times))
    np.testing.assert_allclose(weighted.predict_dist(few).theta, repeated.predict_dist(few).theta, rtol=1e-6, atol=1e-7)


def test_copies_threads_and_a_stop_in_between_change_no_bit():
    expected = BASE.predict(X)
    saved = io.BytesIO()
    pickle.dump(BASE, saved)
    saved.seek(0)
    half = Regressor(max_iter=20, warm_start=True).fit(X, Y)
    half = pickle.loads(pickle.dumps(half)).set_params(max_iter=40).fit(X, Y)
    for model in (pickle.load(saved), clone(BASE).fit(X, Y), half):
        assert np.array_equal(model.predict(X), expected)
    two, one = Regressor(max_iter=2, n_jobs=2).fit(X, Y), Regressor(max_iter=2).fit(X, Y)
    assert np.array_equal(two.predict(X), one.predict(X))
    assert half.n_iter_ == 40 and len(half.train_score_) == 41
    np.testing.assert_array_equal(half.train_score_, BASE.train_score_)


def test_stages_end_in_the_prediction():
    staged = list(BASE.staged_predict(X))
    assert len(staged) == BASE.n_iter_ == 40
    np.testing.assert_allclose(staged[-1], BASE.predict(X), rtol=1e-13)
    laws = list(BASE.staged_predict_dist(X))
    scores = [-np.mean(law.log_density(Y)) for law in laws]
    np.testing.assert_allclose(BASE.train_score_[1:], scores, rtol=1e-9)


@pytest.mark.parametrize("family, make", [(ig.Normal, lambda y: y), (ig.Gamma, np.exp),
                                          (ig.Poisson, lambda y: np.floor(np.exp(1 + y)))])
@pytest.mark.parametrize("leaf", [Pointwise, LeafMetric])
def test_the_training_score_falls(family, make, leaf):
    model = Regressor(family, max_iter=30, learning_rate=0.02, leaf=leaf).fit(X, make(Y))
    assert np.all(np.diff(model.train_score_) < 0)


# Laws that are right

def test_predicted_laws_are_uniform_on_data_of_the_law():
    draw = np.random.default_rng(1)
    x = draw.uniform(-1, 1, (4000, 1))
    y = draw.gamma(3.0, np.exp(x[:, 0]), 4000)
    model = Regressor(ig.Gamma, max_iter=60, learning_rate=0.1, max_leaf_nodes=4).fit(x[:3000], y[:3000])
    law = model.predict_dist(x[3000:])
    assert kstest(law.cdf(y[3000:]), "uniform").pvalue > 0.01
    assert model.log_score(x[3000:], y[3000:]) < -np.mean(ig.Gamma().log_density(model.base_theta_, y[3000:])) - 0.1
    assert np.isclose(model.crps(x[3000:], y[3000:]), np.mean(law.crps(y[3000:])), rtol=1e-12)


def test_of_the_leaves_of_two_groups_the_information_decides():
    """One leaf of rows of variance 1 and 10⁴ whose means differ: by inverse variance, where pointwise it is the plain mean."""
    chart, theta = ig.boosting.default_chart(ig.Normal()), ig.Normal().theta_from(mean=[0.0, 0.0], variance=[1.0, 1e4])
    u, y, unit = chart.from_theta(theta), np.asarray([1.0, 100.0]), np.ones(2)
    step = {}
    for leaf in (Pointwise(), LeafMetric(1e-9)):
        g, h = leaf.rows(ig.boosting.LogScore(), chart, u, theta, y, unit)
        step[type(leaf)] = -np.sum(g[:, 0]) / np.sum(h[:, 0])
    assert np.isclose(step[Pointwise], 50.5) and np.isclose(step[LeafMetric], (1.0 + 100.0 / 1e4) / (1.0 + 1e-4))


def test_intervals_are_conformal_after_calibration():
    """Of laws that are far too narrow the calibrated 80 % intervals hold 80 % of new rows, to four deviations."""
    draw = np.random.default_rng(2)
    x = draw.uniform(-1, 1, (3000, 2))
    y = x[:, 0] + draw.standard_t(2, 3000)
    model = Regressor(ig.NormalKnownVariance(0.1), max_iter=20).fit(x[:1000], y[:1000])
    covered = lambda level: np.mean((model.predict_interval(x[2000:], level)[:, 0] <= y[2000:])
                                    & (y[2000:] <= model.predict_interval(x[2000:], level)[:, 1]))
    assert covered(0.8) < 0.5
    model.calibrate(x[1000:2000], y[1000:2000])
    assert abs(covered(0.8) - 0.8) < 4.0 * np.sqrt(0.16 / 1000 + 0.16 / 1000)
    assert np.all(np.isinf(model.predict_interval(x[:2], 0.99999)))
    assert np.all(np.isfinite(model.fit(x[:1000], y[:1000]).predict_interval(x[:2], 0.99999)))      # laws of another fit
    counts = Regressor(ig.Poisson, max_iter=5).fit(x, draw.poisson(2.0, 3000)).calibrate(x, draw.poisson(2.0, 3000))
    low, high = counts.predict_interval(x[:1], 0.9)[0]
    assert (low, high) == (0.0, 4.0)            # which hold 94.7 % of a Poisson law of mean 2; 0 to 3 hold 85.7 %


def test_reliability_of_laws_that_are_right_and_wrong():
    draw = np.random.default_rng(3)
    theta = ig.Poisson().theta_from(rate=np.full(20000, 1.5))
    law = ig.boosting.Prediction(ig.Poisson(), theta)
    y = draw.poisson(1.5, 20000)
    np.testing.assert_allclose(ig.boosting.reliability(law, y, [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=0.012)
    np.testing.assert_allclose(ig.boosting.pit_histogram(law, y, 5), 0.2, atol=0.012)
    assert ig.boosting.pit_histogram(law, y + 2, 5)[-1] > 0.5


def test_figures(tmp_path):
    ax = BASE.plot_pit(X, Y)
    assert len(ax.patches) >= 10 and ax.get_xlabel() == "probability integral transform"
    fig = ax.figure
    assert BASE.plot_reliability(X, Y, ax=fig.add_subplot()).get_ylabel() == "observed share"
    fig.savefig(tmp_path / "pit.png")
    import matplotlib.pyplot as plt
    plt.close("all")


# Data as they come

def frame():
    table = pd.DataFrame(X, columns=list("abcd"))
    table["kind"] = pd.Categorical(np.random.default_rng(5).choice(["high", "low"], N))
    table.loc[:50, "a"] = np.nan
    table["empty"] = np.nan
    return table


def test_frames_categories_and_what_is_missing():
    table = frame()
    y = Y + 3.0 * (table["kind"] == "high")
    model = Regressor(max_iter=40, monotonic_cst={"mean": {"b": -1}}).fit(table, y)
    assert list(model.feature_names_in_) == list(table.columns) and np.argmax(model.feature_importances_[0]) == 4
    parameters = model.predict_parameters(table)
    assert list(parameters.columns) == ["mean", "variance"] == model.parameter_names_ and parameters.index.equals(table.index)
    unknown = table.assign(kind="neither")
    assert np.all(np.isfinite(model.predict(unknown)))
    by_index = Regressor(max_iter=10, categorical_features=[4]).fit(np.column_stack([X, table["kind"]]), y)
    assert np.corrcoef(by_index.predict(np.column_stack([X, table["kind"]])), y)[0, 1] > 0.7
    with pytest.raises(ValueError, match="feature names"):
        model.predict(table[["b", "a", "c", "d", "kind", "empty"]])


def test_a_parameter_may_be_monotone_alone():
    along = np.zeros((60, 4))
    along[:, 1] = np.linspace(-1, 1, 60)
    held = Regressor(max_iter=40, monotonic_cst={"variance": {"x1": 1}}).fit(X, Y)
    free = np.diff(BASE.predict_dist(along).parameters["variance"])
    assert np.all(np.diff(held.predict_dist(along).parameters["variance"]) >= 0) and np.any(free < 0)
    assert np.any(np.diff(held.predict(along)) < 0)


def test_settings_by_parameter():
    still = Regressor(max_iter=20, min_samples_leaf={"mean": 20, "variance": N}).fit(X, Y)
    assert np.ptp(still.predict_dist(X).parameters["variance"]) == 0 < np.ptp(still.predict(X))
    assert still.boosters_["log variance"].num_trees() == 1 and still.boosters_["mean"].num_trees() == 20


def test_fewer_rows_than_a_leaf_needs_are_the_marginal_law():
    model = Regressor(min_samples_leaf=20).fit(X[:30], Y[:30])
    assert model.n_iter_ == 0 and np.ptp(model.predict(X)) == 0 and not np.any(model.feature_importances_)
    np.testing.assert_allclose(model.predict(X)[0], np.mean(Y[:30]), rtol=1e-12)
    assert list(model.staged_predict(X)) == [] and np.all(model.explain(X)[:, :, :-1] == 0)


def test_a_given_validation_set_decides():
    model = Regressor(learning_rate=0.2).fit(X[:300], Y[:300], X_val=X[300:], y_val=Y[300:])
    assert model.n_iter_ == np.argmin(model.validation_score_) and len(model.validation_score_) == model.n_iter_ + 21
    assert np.isclose(model.log_score(X[300:], Y[300:]), np.min(model.validation_score_), rtol=1e-9)
    own = Regressor(learning_rate=0.2, early_stopping=True, random_state=0).fit(X, Y)
    assert own.n_iter_ < 100 and BASE.validation_score_ is None
    with pytest.raises(ValueError, match="X_val and y_val belong together"):
        Regressor().fit(X, Y, X_val=X)


def test_rows_and_features_may_be_drawn():
    make = lambda seed: Regressor(max_iter=10, subsample=0.5, max_features=0.5, random_state=seed)
    draws = [make(seed).fit(X, Y).predict(X) for seed in (0, 0, 1)]
    assert np.array_equal(draws[0], draws[1]) and not np.array_equal(draws[0], draws[2])


@pytest.mark.parametrize("family, y", [
    (ig.MultivariateNormal(2), np.column_stack([Y, 0.5 * Y + rng.standard_normal(N)])),
    (ig.DiagonalNormal(2), np.column_stack([Y, 0.5 * Y + rng.standard_normal(N)])),
    (ig.Dirichlet(3), rng.dirichlet([1.0, 2.0, 3.0], N)), (ig.Multinomial(3, 5), rng.multinomial(5, [0.2, 0.3, 0.5], N)),
    (ig.Independent(ig.Gamma(), 2), rng.gamma(2.0, size=(N, 2)))], ids=lambda v: repr(v)[:20])
def test_several_outputs(family, y):
    model = Regressor(family, max_iter=15).fit(X, y)
    law = model.predict_dist(X)
    assert model.predict(X).shape == (N, family.support.shape[0]) == law.mean.shape
    assert model.train_score_[-1] < model.train_score_[0]
    assert law.sample(np.random.default_rng(0), 2).shape == (2, N, family.support.shape[0])
    score = law.energy_score(y, np.random.default_rng(0), 50)
    assert score.shape == (N,) and np.all(score > 0)
    assert model.explain(X).shape == (N, family.dim, 5)


def test_the_chart_of_eta():
    model = Regressor(ig.Poisson, chart=ExpectationChart, max_iter=10).fit(X, np.round(np.exp(1.0 + Y)))
    same = Regressor(ig.Poisson, max_iter=10).fit(X, np.round(np.exp(1.0 + Y)))
    np.testing.assert_allclose(model.predict(X), same.predict(X), rtol=1e-6)


def test_predictions():
    law = BASE.predict_dist(X)
    assert len(law) == N and set(law.parameters) == {"mean", "variance"}
    np.testing.assert_allclose(law.cdf(law.quantile(0.3)), 0.3, rtol=1e-12)
    np.testing.assert_allclose(law.quantile([0.1, 0.5]), BASE.predict_quantiles(X, [0.1, 0.5]))
    np.testing.assert_allclose(law.interval(0.8), law.quantile([0.1, 0.9]), rtol=1e-12)
    np.testing.assert_allclose(law.mean, BASE.predict(X))
    np.testing.assert_allclose(1.0 - law.cdf(Y), law.survival(Y), rtol=1e-9)
    assert len(law[3]) == 1 and len(law[:7]) == 7 and law.variance.shape == (N,)
    with pytest.raises(ig.DomainError, match="0 < level < 1; got 90"):
        law.interval(90)


def test_search_by_the_score_of_the_law():
    search = GridSearchCV(Regressor(max_iter=10), {"learning_rate": [0.001, 0.1]}, scoring=ig.boosting.log_scorer, cv=3).fit(X, Y)
    assert search.best_params_ == {"learning_rate": 0.1}


# Classes

def test_classes():
    model = Classifier(max_iter=40).fit(X, LABELS)
    p = model.predict_proba(X)
    assert list(model.classes_) == ["no", "yes"] and isinstance(model.family_, ig.Bernoulli) and model.score(X, LABELS) > 0.8
    np.testing.assert_allclose(np.sum(p, axis=1), 1.0)
    assert np.isclose(model.log_score(X, LABELS), -np.mean(np.log(p[np.arange(N), (LABELS == "yes").astype(int)])))
    for found, expected in zip(list(model.staged_predict_proba(X))[-1], p):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    three = Classifier(max_iter=30, scoring_rule=Brier).fit(X, np.digitize(X[:, 0], [-0.3, 0.3]))
    assert three.predict_proba(X).shape == (N, 3) and three.score(X, np.digitize(X[:, 0], [-0.3, 0.3])) > 0.9
    assert list(three.staged_predict(X))[-1].shape == (N,)


def test_nothing_runs_away_at_saturation():
    """Pointwise, log-odds of rows that are told apart for certain grow without bound; the leaf form stops."""
    X, y = load_breast_cancer(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    train, test = order[:int(0.75 * len(y))], order[int(0.75 * len(y)):]
    model = Classifier(learning_rate=0.1, max_iter=1000, max_depth=3, min_samples_leaf=5).fit(X[train], y[train])
    assert model.log_score(X[test], y[test]) < 0.16 and np.max(np.abs(model.predict_dist(X).theta)) < 15
    assert np.all(np.isfinite(model.predict_proba(X)))


def test_the_diabetes_data():
    """The first of ten folds, at the settings of the documentation."""
    X, y = load_diabetes(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    train, test = order[:398], order[398:]
    model = Regressor(max_iter=150, learning_rate=0.02, max_depth=3).fit(X[train], y[train])
    marginal = -np.mean(ig.Normal().log_density(model.base_theta_, y[test]))
    assert model.log_score(X[test], y[test]) < marginal - 0.1 and model.crps(X[test], y[test]) < 36


# What cannot be done

@pytest.mark.parametrize("make, error, words", [
    (lambda: Regressor().fit(X, np.ones(N)), ig.DomainError, "boosting starts at the marginal law of y, and there is none"),
    (lambda: Regressor(ig.Poisson).fit(X, np.zeros(N)), ig.DomainError, "A y that does not vary needs no model"),
    (lambda: Regressor(ig.Gamma).fit(X, -np.exp(Y)), ig.DomainError, r"y must satisfy y >= 0; 400 of 400 points do not"),
    (lambda: Regressor().fit(X, Y, -np.ones(N)), ig.DomainError, "sample_weight >= 0; 400 of 400"),
    (lambda: Regressor().fit(X, Y, np.ones(3)), ig.ShapeError, r"sample_weight must have shape \(400,\); got \(3,\)"),
    (lambda: Regressor().fit(X, Y, np.zeros(N)), ig.DomainError, "sample_weight is zero for every row"),
    (lambda: Regressor("normal").fit(X, Y), TypeError, "Student t, a negative binomial of unknown size"),
    (lambda: Regressor(ig.MultivariateNormal).fit(X, Y), TypeError, "MultivariateNormal has to be told more than its class"),
    (lambda: Regressor(ig.MultivariateNormal(2)).fit(X, Y), ig.ShapeError, r"y must have shape \(n, 2\).*got \(400,\)"),
    (lambda: Regressor(scoring_rule="log").fit(X, Y), TypeError, "scoring_rule must be a ScoringRule or a class"),
    (lambda: Regressor(leaf=CRPS).fit(X, Y), TypeError, "leaf must be a Leaf or a class of them"),
    (lambda: Regressor(chart=3).fit(X, Y), TypeError, "chart must be a ParameterChart"),
    (lambda: Regressor(monotonic_cst={"sigma": {}}).fit(X, Y), ig.DomainError, "mean, variance, log variance; got 'sigma'"),
    (lambda: Regressor(monotonic_cst={"mean": {"x9": 1}}).fit(X, Y), ig.DomainError, "'x9' is none of x0, x1, x2, x3"),
    (lambda: Regressor(monotonic_cst={"mean": [2, 0, 0, 0]}).fit(X, Y), ig.DomainError, "-1, 0 or 1 for every feature; got 2"),
    (lambda: Regressor(learning_rate={"mean": 0.1}).fit(X, Y), ig.DomainError, "got none for 'variance'"),
    (lambda: Regressor(learning_rate=0.0).fit(X, Y), ig.DomainError, "learning_rate > 0; got 0"),
    (lambda: Regressor(max_leaf_nodes=1).fit(X, Y), ig.DomainError, "max_leaf_nodes an integer >= 2, or None; got 1"),
    (lambda: Regressor(max_depth=0).fit(X, Y), ig.DomainError, "max_depth an integer >= 1, or None; got 0"),
    (lambda: Regressor(max_bins=1).fit(X, Y), ig.DomainError, "max_bins an integer >= 2; got 1"),
    (lambda: Regressor(l2_regularization=-1.0).fit(X, Y), ig.DomainError, "l2_regularization a number >= 0; got -1"),
    (lambda: Regressor(max_depth=2.7).fit(X, Y), ig.DomainError, "max_depth an integer >= 1, or None; got 2.7"),
    (lambda: Regressor(l2_regularization="x").fit(X, Y), ig.DomainError, "l2_regularization a number >= 0; got 'x'"),
    (lambda: Regressor(max_features="sqrt").fit(X, Y), ig.DomainError, "0 < max_features <= 1; got 'sqrt'"),
    (lambda: Regressor(tol=np.nan, max_iter=1).fit(X, Y), ig.DomainError, "tol a number >= 0; got nan"),
    (lambda: Regressor(n_jobs=1.5, max_iter=1).fit(X, Y), ig.DomainError, "a number of threads, or -1 for all cores; got 1.5"),
    (lambda: Regressor(learning_rate={"mean": 0.1, "variance": 0.1, "scale": 1.0}, max_iter=1).fit(X, Y), ig.DomainError,
     "learning_rate must be a dict by the names of parameters, mean, variance, log variance; got 'scale'"),
    (lambda: Regressor(monotonic_cst=[1, 0, 0, 0]).fit(X, Y), ig.DomainError, "a dict by the names of parameters"),
    (lambda: Regressor(monotonic_cst={"mean": [1, 0]}, max_iter=1).fit(X, Y), ig.DomainError,
     r"a sign for each of 4; got \[1, 0\]"),
    (lambda: Regressor(categorical_features=[True], max_iter=1).fit(X, Y), ig.ShapeError, r"must have shape \(4,\); got \(1,\)"),
    (lambda: Regressor(categorical_features=[0.5], max_iter=1).fit(X, Y), ig.DomainError, "names or indices of features"),
    (lambda: Regressor(max_iter=1).fit(X, Y, sample_weight_val=np.ones(N)), ValueError, "sample_weight_val to both"),
    (lambda: BASE.crps(X, Y[:1]), ValueError, "inconsistent numbers of samples"),
    (lambda: BASE.log_score(X, Y[:1]), ValueError, "inconsistent numbers of samples"),
    (lambda: BASE.log_score(X, Y, -np.ones(N)), ig.DomainError, "sample_weight >= 0; 400 of 400"),
    (lambda: BASE.predict_interval(X, [0.5, 0.9]), ig.DomainError, "0 < level < 1; got"),
    (lambda: Regressor(max_iter=1, warm_start=True).fit(X, Y).set_params(scoring_rule=CRPS, max_iter=2).fit(X, Y), ValueError,
     r"goes on with Normal\(\) and LogScore\(\); got Normal\(\) and CRPS\(\)"),
    (lambda: Regressor(subsample=1.5).fit(X, Y), ig.DomainError, "0 < subsample <= 1; got 1.5"),
    (lambda: Regressor(early_stopping="yes").fit(X, Y), ig.DomainError, 'True, False or "auto"'),
    (lambda: Regressor(n_jobs=0).fit(X, Y), ig.DomainError, "n_jobs must satisfy a number of threads"),
    (lambda: Regressor(learning_rate=1e6, max_iter=5).fit(X, Y), ig.DomainError,
     "A smaller learning_rate, larger leaves, fewer stages, or leaf="),
    (lambda: Classifier().fit(X, np.ones(N)), ValueError, "y has one class, 1.0"),
    (lambda: Classifier(max_iter=2).fit(X, LABELS).log_score(X, N * ["perhaps"]), ValueError, "no, yes; got perhaps"),
    (lambda: Classifier().fit(X, LABELS, (LABELS == "no").astype(float)), ValueError, "class yes has no row of positive weight")])
def test_errors(make, error, words):
    with pytest.raises(error, match=words):
        make()
