"""Networks as estimators of scikit-learn: its checks, exact laws of weights and units, ways to train, what is refused."""
import pickle
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import check_estimator

import infogeo as ig
from infogeo.curvature import FactoredTikhonov, OnlineLowRank, Tikhonov
from infogeo.networks import MLP, ConditionalModel, ConvNet, Tanh
from infogeo.training import EKFAC, KFAC, TONGA, Adam, AdaptiveNatural, HarmonicRate, LowRankNatural, Momentum
from infogeo.training import NaturalGradientClassifier as Classifier
from infogeo.training import NaturalGradientRegressor as Regressor
from infogeo.training import Nesterov, RelativeNatural, RMSprop, StructuredNatural, TwoSided, fit
from infogeo.training.fitting import _Epochs

from ..backends import every_dtype

rng = np.random.default_rng(0)
WINE, KIND = load_wine(return_X_y=True)
LABELS = np.array(["barolo", "grignolino", "barbera"])[KIND]
X = rng.uniform(-1.0, 1.0, (120, 3))
Y = np.sin(2.0 * X[:, 0]) + np.exp(-1.5 + X[:, 1]) * rng.standard_normal(120)


@pytest.mark.parametrize("estimator", [Classifier(max_iter=10), Regressor(max_iter=10)], ids=lambda e: type(e).__name__)
@pytest.mark.filterwarnings("ignore")
def test_scikit_learn_has_nothing_to_say(estimator):
    found = check_estimator(estimator, on_skip=None, on_fail=None)
    assert not [result for result in found if result["status"] not in ("passed", "skipped")]
    assert len(found) > 45 and [r["check_name"] for r in found if r["status"] == "skipped"] in ([], ["check_array_api_input"])


def test_wine_without_a_setting_touched():
    model = Classifier(random_state=0).fit(WINE[::2], LABELS[::2])
    assert model.score(WINE[1::2], LABELS[1::2]) > 0.95 and set(model.predict(WINE)) == set(LABELS)
    p = model.predict_proba(WINE[1::2])
    of_y = p[np.arange(len(p)), np.searchsorted(model.classes_, LABELS[1::2])]
    np.testing.assert_allclose(model.log_score(WINE[1::2], LABELS[1::2]), -np.mean(np.log(of_y)), rtol=1e-12)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-12)
    assert len(model.loss_curve_) == model.n_iter_ < 200 and model.loss_curve_[-1] < 0.1 * model.loss_curve_[0]
    far = Classifier(max_iter=20, tol=0.0, random_state=0).fit(1e200 * WINE, LABELS)
    assert far.score(1e200 * WINE, LABELS) == 1.0
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict_proba(WINE), model.predict_proba(WINE))
    np.testing.assert_allclose(np.exp(model.predict_log_proba(WINE[1::2])), p, rtol=1e-12)
    model.temperature_ = 1e-4                               # of probabilities below every number
    assert np.min(model.predict_proba(WINE)) == 0.0 and np.all(np.isfinite(model.predict_log_proba(WINE)))


def test_in_the_company_of_scikit_learn():
    frame = pd.DataFrame(WINE, columns=[f"f{j}" for j in range(13)])
    search = GridSearchCV(make_pipeline(MinMaxScaler(), Classifier(max_iter=6, random_state=0)),
                          {"naturalgradientclassifier__hidden": [(4,), ()]}, cv=2).fit(frame, LABELS)
    assert search.best_score_ > 0.9 and list(search.best_estimator_[0].feature_names_in_) == list(frame.columns)
    assert np.min(cross_val_score(Regressor(ig.Poisson, (8,), max_iter=10), WINE, KIND, cv=2)) > -20


# Laws

@pytest.mark.parametrize("kind, x, y", [(Classifier, WINE[::6], LABELS[::6]), (Regressor, X[:30], Y[:30])])
def test_weights_are_repetitions(kind, x, y):
    make, counts = lambda: kind(hidden=(5,), max_iter=15, random_state=1), np.arange(30) % 3
    weighted = make().fit(x, y, sample_weight=counts)
    repeated = make().fit(np.repeat(x, counts, axis=0), np.repeat(y, counts, axis=0))
    np.testing.assert_allclose(weighted.predict_dist(x).theta, repeated.predict_dist(x).theta, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(weighted.loss_curve_, repeated.loss_curve_, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("family", [ig.Normal(), ig.DiagonalNormal(2), ig.IsotropicNormal(2), ig.MultivariateNormal(2)], ids=repr)
def test_the_units_of_y_and_of_the_features_do_not_matter(family):
    y = Y if family.support.shape == () else np.stack([Y, X[:, 0] + 0.3 * np.cos(7 * Y)], axis=1)
    scale = np.array([1e3, 1e3 if isinstance(family, ig.IsotropicNormal) else 1e-2])[:y.ndim] if y.ndim > 1 else 1e3
    make = lambda: Regressor(family, (6,), max_iter=8, random_state=0)
    one, other = make().fit(X, y), make().fit(100.0 * X - 7.0, scale * y + 5.0)
    law, moved = one.predict_dist(X), other.predict_dist(100.0 * X - 7.0)
    np.testing.assert_allclose(moved.mean, scale * law.mean + 5.0, rtol=1e-6)
    np.testing.assert_allclose(moved.variance, scale**2 * law.variance, rtol=1e-6)
    volume = np.sum(np.log(scale * np.ones(y.shape[1:])))
    np.testing.assert_allclose(other.log_score(100.0 * X - 7.0, scale * y + 5.0), one.log_score(X, y) + volume, rtol=1e-6)
    np.testing.assert_allclose(np.subtract(other.loss_curve_, one.loss_curve_), volume, rtol=1e-6, atol=1e-6)
    raw = Regressor(family, (6,), max_iter=8, random_state=0, standardise=False).fit(X, y)
    assert np.all(raw._x_units.scale == 1) and raw.log_score(X, y) < raw.log_score(X, y[::-1])


@pytest.mark.parametrize("family, y", [
    (ig.Poisson, np.floor(np.exp(1.0 + X[:, 0]))), (ig.Gamma(), np.exp(Y)), (ig.Bernoulli(), Y > 0), (ig.VonMises(), Y),
    (ig.NormalKnownVariance(0.1), Y), (ig.Dirichlet(2), np.stack([p := 1 / (1 + np.exp(Y)), 1 - p], axis=1)),
], ids=["Poisson", "Gamma", "Bernoulli", "VonMises", "NormalKnownVariance", "Dirichlet"])
def test_any_family(family, y):
    model = Regressor(family, (6,), max_iter=15, random_state=0).fit(X, y)
    law = model.predict_dist(X)
    constant = law.family.fit(np.asarray(y, dtype=float))
    assert model.log_score(X, y) < -np.mean(law.family.log_density(constant, np.asarray(y, dtype=float)))
    assert model.predict(X).shape == np.shape(y) and np.all(np.isfinite(model.predict(X)))
    assert all(b <= a + 1e-9 * abs(a) for a, b in zip(model.loss_curve_, model.loss_curve_[1:]))


# Ways to train

def test_going_on_is_as_not_having_stopped():
    whole = Classifier((5,), max_iter=10, random_state=0).fit(WINE, LABELS)
    half = Classifier((5,), max_iter=5, warm_start=True, random_state=0)
    again = half.fit(WINE, LABELS).fit(WINE, LABELS)
    assert np.array_equal(again.w_, whole.w_) and again.loss_curve_ == whole.loss_curve_ and again.n_iter_ == 10
    parts = Classifier((5,), random_state=0)
    for _ in range(10):
        parts.partial_fit(WINE, LABELS)
    assert np.array_equal(parts.w_, whole.w_)
    late = Classifier((5,), random_state=0).partial_fit(WINE[:100], LABELS[:100], classes=np.unique(LABELS))
    assert late.partial_fit(WINE[100:], LABELS[100:]).n_iter_ == 2 and len(late.classes_) == 3
    numbers = Regressor(random_state=0, hidden=5)
    assert numbers.partial_fit(X, Y).partial_fit(X, Y).log_score(X, Y) < numbers.loss_curve_[0]


@pytest.mark.parametrize("optimiser", [Adam, RMSprop, Momentum(0.9), Nesterov(0.95), KFAC, EKFAC, TONGA(rank=4), RelativeNatural,
                                       ig.GradientUpdate, StructuredNatural(TwoSided(), FactoredTikhonov(0.1)),
                                       AdaptiveNatural(0.1, HarmonicRate(1.0, 10.0)),
                                       LowRankNatural(OnlineLowRank(10, 0.9), Tikhonov(0.1))], ids=repr)
def test_optimisers_without_a_step_size_at_once_and_in_mini_batches(optimiser):
    for size in (25, None):
        model = Classifier((8,), optimiser=optimiser, batch_size=size, max_iter=8 if size else 25, random_state=0)
        model.fit(WINE, LABELS)
        assert model.score(WINE, LABELS) > 0.9 and model.loss_curve_[-1] < 0.6 * model.loss_curve_[0]
    assert fit(model.model_, (model.inputs(WINE), KIND), optimiser=ig.GradientUpdate(), step=0.5, max_epochs=2).epochs == 2


def test_the_end_of_a_run():
    """An epoch that gains `tol` counts: of the last `patience` ones their mean."""
    losses = [2.0, 1.0, 0.9, 0.85, 0.85, 0.85]
    for tol, end in ((0.0, 6), (0.03, 5), (0.06, 5), (0.08, 4), (0.4, 4), (0.6, 3)):
        epochs, moments = _Epochs(1, 2, tol, None), iter(range(1, 7))
        assert next(k for k in moments if epochs(SimpleNamespace(k=k, x=None, value=losses[k - 1]))) == end


def test_early_stopping_keeps_the_best():
    model = Classifier(early_stopping=True, validation_fraction=0.3, n_iter_no_change=3, random_state=0).fit(WINE, LABELS)
    best = int(np.argmin(model.validation_curve_))
    assert len(model.validation_curve_) == model.n_iter_ >= best + 3
    again = Classifier(early_stopping=True, validation_fraction=0.3, max_iter=best + 1, random_state=0).fit(WINE, LABELS)
    assert np.array_equal(again.w_, model.w_)


def test_networks_of_ones_own():
    images, digits = load_digits(return_X_y=True)
    images, digits = images[:300] / 16.0, digits[:300]
    model = Classifier(ConvNet((8, 8, 1), (4,), 10, activation=Tanh()), max_iter=8, random_state=0).fit(images, digits)
    assert model.score(images, digits) > 0.9
    reference = Classifier(MLP((64, 9)), max_iter=4, random_state=0).fit(images, digits)
    assert reference.model_.theta(reference.w_, images).shape == (300, 9) and reference.score(images, digits) > 0.9
    with pytest.raises(ig.ShapeError, match=r"a Sequential from 64 inputs to 10 or 9 outputs; got one from \(64,\) to \(7,\)"):
        Classifier(MLP((64, 7))).fit(images, digits)


def test_float32_weights_and_class_weights(capsys):
    model = Classifier((5,), max_iter=5, random_state=0, verbose=True).fit(WINE.astype(np.float32), KIND)
    assert model.w_.dtype == np.float32 and "step" in capsys.readouterr().err
    rare = np.concatenate([np.flatnonzero(KIND == 0)[:4], np.flatnonzero(KIND == 1)])
    balanced = Classifier((), class_weight="balanced", random_state=0).fit(WINE[rare], KIND[rare])
    weights = np.where(KIND[rare] == 0, len(rare) / 8, len(rare) / (2 * np.sum(KIND == 1)))
    by_hand = Classifier((), random_state=0).fit(WINE[rare], KIND[rare], sample_weight=weights)
    np.testing.assert_allclose(balanced.predict_proba(WINE), by_hand.predict_proba(WINE), rtol=1e-9)


def test_from_arrays_to_weights():
    model = ConditionalModel(MLP((3, 6, 2)), ig.Normal())
    found = fit(model, (X, Y), prior_precision=10.0)
    assert found.epochs == len(found.losses) and found.status == ig.Status.STOPPED
    assert model.loss(found.w, (X, Y)) < found.losses[0]
    more = fit(model, (X, Y), prior_precision=10.0, max_epochs=1, start=found)
    assert more.losses[0] <= found.losses[-1]


@every_dtype
def test_on_every_backend(backend, dtype):
    model = ConditionalModel(MLP((3, 6, 2)), ig.Normal())
    x, y, weights = (backend.make(a, dtype) for a in (X, Y, np.arange(120) % 3 + 0.5))
    found = fit(model, (x, y, weights), max_epochs=5)
    ours = fit(model, (X, Y, np.arange(120) % 3 + 0.5), max_epochs=5)
    np.testing.assert_allclose(backend.check(found.w, dtype), ours.w, atol=1e-8 if dtype == "float64" else 0.02)


def test_posterior_of_the_weights():
    model = Classifier((5,), random_state=0).fit(WINE[::2], LABELS[::2])
    posterior = model.laplace(WINE[::2], LABELS[::2])
    assert posterior.prior_precision == 1.0 and posterior.n == 89 and posterior.model is model.model_
    p, alone = posterior.predict(model.inputs(WINE[1::2])).probabilities(), model.predict_proba(WINE[1::2])
    assert p.shape == alone.shape and np.mean(np.max(p, axis=1)) < np.mean(np.max(alone, axis=1))
    number = Regressor(hidden=(5,), random_state=0).fit(X, Y)
    mean, variance = number.laplace(X, Y, curvature=ig.curvature.fisher).predict(number.inputs(X)).moments()
    law, scale = number.predict_dist(X), number._y_units.scale
    assert mean.shape == (120,) and np.mean(variance * scale**2 / law.variance) > 1.02


# What is refused

def test_what_is_refused():
    with pytest.raises(TypeError, match="hidden must be widths of hidden layers or a Sequential; got None"):
        Classifier(None).fit(WINE, LABELS)
    for settings in ({"prior_precision": "a"}, {"tol": "a"}):
        with pytest.raises(ig.DomainError, match=f"{next(iter(settings))} >= 0; got 'a'"):
            Classifier(**settings).fit(WINE, LABELS)
    with pytest.raises(TypeError, match="optimiser must be an Update or a class of them; got 'adam'"):
        Classifier(optimiser="adam").fit(WINE, LABELS)
    with pytest.raises(TypeError, match=r"family has to be told more than the class Categorical: .* 'k'"):
        Regressor(ig.Categorical).fit(WINE, KIND)
    with pytest.raises(TypeError, match="fit takes a Training or None as its argument start; got 3"):
        fit(ConditionalModel(MLP((3, 2)), ig.Normal()), (X, Y), start=3)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        Classifier().fit(WINE, KIND[:5])
    with pytest.raises(ValueError, match="y has one class, barolo"):
        Classifier().fit(WINE[:9], LABELS[:9])
    with pytest.raises(ValueError, match="y must be of the classes of the training data"):
        Classifier(max_iter=1).fit(WINE, KIND).log_score(WINE, KIND + 1)
    with pytest.raises(ig.DomainError, match="class 1 has no row of positive weight"):
        Classifier().fit(WINE, KIND, sample_weight=KIND != 1)
    with pytest.raises(ig.DomainError, match="y must satisfy"):
        Regressor(ig.Gamma()).fit(X, Y)
    with pytest.raises(ig.ShapeError, match=r"y must have shape \(n, 2\) for DiagonalNormal"):
        Regressor(ig.DiagonalNormal(2)).fit(X, Y)
    with pytest.raises(ValueError, match="needs all rows at once"):
        Classifier(class_weight="balanced").partial_fit(WINE, KIND)
    with pytest.warns(ConvergenceWarning, match="training ended early"):
        Regressor(optimiser=Nesterov(0.9), step=1e3, max_iter=50).fit(X, Y)
