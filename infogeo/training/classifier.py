"""Classification by a network."""
from typing import Any, Self

import numpy as np

from ..backend import Array
from ..domains.symmetric import SymmetricSoftmax
from ..errors import DomainError, from_extra
from ..families.categorical import Categorical
from ..networks.activations import Tanh
from ..networks.model import Batch, ConditionalModel
from .calibration import left_out, temperature
from .estimator import NetworkEstimator
from .units import Units

with from_extra("the estimators need scikit-learn", "training"):
    from sklearn.base import ClassifierMixin
    from sklearn.utils.class_weight import compute_sample_weight
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, column_or_1d

__all__ = ["NaturalGradientClassifier"]


class NaturalGradientClassifier(ClassifierMixin, NetworkEstimator):        # type: ignore[misc]
    """A network that predicts class probabilities, trained by K-FAC unless told otherwise.

    Mathematically, p_i = e^{u_i} / Σ e^{u_j} with all logits u as outputs (`SymmetricSoftmax`), so that nothing depends on how
    classes are numbered. What is minimised is in `fit` of this package.

    Parameters
    ----------
    hidden : sequence of int, or Sequential
        Widths of hidden layers, or a network of one's own, from the features in its input shape to k outputs; to k − 1 for the
        form with the last class as the reference.
    activation : Activation, or its class
        Of the hidden layers.
    optimiser : Update, or its class, optional
        `KFAC`, unless another is given: `Adam()`, `Nesterov(0.9)`, `StructuredNatural(…)`.
    step : number or Step, optional
        Known of K-FAC, EK-FAC, Adam, RMSprop, momentum and Nesterov's method.
    max_iter : int
        Epochs at most.
    batch_size : int, optional
        All rows up to 4096 of them and 1024 of more, unless given.
    prior_precision : float
        τ of the weights' normal prior: the penalty is (τ/2) |w|² over the number of rows.
    standardise : bool
        Whether the network sees every feature with mean 0 and variance 1.
    early_stopping : bool
        Whether a part of the rows is held out, by whose loss training ends, and whose best weights are kept.
    validation_fraction, n_iter_no_change, tol
        The part; the run ends after so many epochs that gained no more than `tol`, nats, of the training loss where nothing is
        held out.
    calibrate : bool
        Whether predicted logits are divided by the temperature that suits rows which were held out or, in closed form, left out
        one by one (`temperature_`). Of many rows, as of digits, the second is too much work, and T is 1.
    class_weight : dict, "balanced" or None
    warm_start : bool
        Whether a further `fit` goes on where the last one ended, with what the optimiser has learned.
    verbose : bool
        Whether to show a progress bar (tqdm).
    random_state : int, numpy.random.RandomState or None

    Attributes
    ----------
    classes_ : array of the labels, sorted
    model_, w_ : ConditionalModel and its weights, for features in standard units: ``ig.networks.save(path, est.model_, est.w_)``
    temperature_ : float
        T: θ / T are the predicted laws of the outputs θ of ``model_.theta(w_, inputs(X))``; 1 where it was not looked for.
    n_iter_, loss_curve_, validation_curve_ : epochs; the penalised loss in each; the loss of the held-out rows after each
    n_features_in_, feature_names_in_

    Source: Martens & Grosse, Optimizing neural networks with Kronecker-factored approximate curvature (2015).

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from infogeo.training import NaturalGradientClassifier
    >>> X, y = load_wine(return_X_y=True)
    >>> NaturalGradientClassifier(random_state=0).fit(X[::2], y[::2]).score(X[1::2], y[1::2]) > 0.95
    True
    """

    def __init__(self, hidden: Any = (50,), *, activation: Any = Tanh, optimiser: Any = None, step: Any = None,
                 max_iter: int = 200, batch_size: int | None = None, prior_precision: float = 1.0, standardise: bool = True,
                 early_stopping: bool = False, validation_fraction: float = 0.1, n_iter_no_change: int = 10, tol: float = 1e-4,
                 calibrate: bool = True, class_weight: Any = None, warm_start: bool = False, verbose: bool = False,
                 random_state: Any = None) -> None:
        self.calibrate = calibrate
        self.class_weight = class_weight
        super().__init__(
            hidden=hidden, activation=activation, optimiser=optimiser, step=step, max_iter=max_iter, batch_size=batch_size,
            prior_precision=prior_precision, standardise=standardise, early_stopping=early_stopping,
            validation_fraction=validation_fraction, n_iter_no_change=n_iter_no_change, tol=tol, warm_start=warm_start,
            verbose=verbose, random_state=random_state)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """One epoch over these rows; the first call needs all classes, and decides in which units features are seen.

        Parameters
        ----------
        X, y, sample_weight
            As of `fit`.
        classes : array, optional
            All labels that there will be; those of y unless given.
        """
        if self.class_weight == "balanced":
            raise ValueError('class_weight="balanced" needs all rows at once, which partial_fit does not see; give a dict')
        first = not hasattr(self, "_training")
        if first and classes is not None:
            self._told = np.unique(classes)
        try:
            self._trained(*self._data(X, y, sample_weight, first=first), first=first, epochs=1)
            self.temperature_ = 1.0
            return self
        finally:
            self.__dict__.pop("_told", None)

    def _calibrated(self, batch: Batch, held_out: Batch | None) -> None:
        """By the rows held out, else by those left out."""
        self.temperature_, model, seen = 1.0, self.model_, batch if held_out is None else held_out
        if not self.calibrate:
            return
        theta = left_out(model, self.w_, seen, self.prior_precision) if held_out is None else model.theta(self.w_, seen[0])
        if theta is not None:
            self.temperature_ = temperature(model.family, theta, *seen[1:])

    def _theta(self, x: Array) -> Array:
        return super()._theta(x) / self.temperature_

    def _observations(self, y: Any, first: bool) -> Array:
        """The number of the class of every row."""
        y = column_or_1d(y, warn=True)
        if first:
            check_classification_targets(y)
            self.classes_ = getattr(self, "_told", np.unique(y))
        place = np.minimum(np.searchsorted(self.classes_, y), len(self.classes_) - 1)
        known = self.classes_[place] == y
        if not np.all(known):
            raise ValueError(f"y must be of the classes of the training data, {', '.join(map(str, self.classes_))}; got "
                             f"{np.asarray(y)[~known][0]}")
        if len(self.classes_) < 2:
            raise ValueError(f"a classifier needs two classes or more; y has one class, {self.classes_[0]}: there is nothing "
                             "to tell apart")
        return place.astype(float)

    def _class_weights(self, y: Array) -> Array:
        if self.class_weight is None:
            return np.ones(())
        return compute_sample_weight(self.class_weight, self.classes_[y.astype(int)])

    def _made_model(self, inputs: int) -> ConditionalModel:
        k = len(self.classes_)
        network = self._network(inputs, (k, k - 1))
        return ConditionalModel(network, Categorical(k), SymmetricSoftmax(k) if network.output_shape == (k,) else None)

    def _units_of(self, y: Array, weights: Array) -> Units:
        missing = np.bincount(y.astype(int), weights, len(self.classes_)) == 0
        if np.any(missing) and not hasattr(self, "_told"):
            raise DomainError(f"class {self.classes_[missing][0]} has no row of positive weight")
        return Units.none(y)

    def _strata(self, y: Array) -> Array | None:
        return y if np.min(np.unique(y, return_counts=True)[1]) > 1 else None

    def predict_proba(self, X: Any) -> Array:
        """The probability of every class, shape (n, classes), in the order of `classes_`."""
        return self.predict_dist(X).parameters["probabilities"]

    def predict_log_proba(self, X: Any) -> Array:
        """Its logarithm, also where the probability is too small for a number."""
        law = self.predict_dist(X)
        return law.family.log_density(law.theta[:, np.newaxis], np.arange(len(self.classes_)))

    def predict(self, X: Any) -> Array:
        """The most probable class, shape (n,)."""
        check_is_fitted(self)
        return self.classes_[np.argmax(self.predict_proba(X), axis=1)]

    def log_score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The mean of −log p(y), nats: smaller is better."""
        return super().log_score(X, y, sample_weight)
