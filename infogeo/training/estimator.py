"""What the estimators for scikit-learn share: data in, a network trained, laws out."""
from __future__ import annotations

import warnings
from abc import abstractmethod
from math import prod
from typing import Any, Self

import numpy as np

from ..arrays.from_any_library import FromAnyLibrary
from ..arrays.weights import sample_weights
from ..backend import Array
from ..curvature.kfac import kfac
from ..errors import DomainError, ShapeError, from_extra, made, require, require_count
from ..networks.activations import Activation
from ..networks.model import Batch, ConditionalModel
from ..networks.network import Sequential
from ..networks.usual import MLP
from ..solvers.result import Status
from ..solvers.update import Update
from ..statistics.predicted import PredictedLaw
from .fitting import Training, fit
from .laplace import LaplacePosterior
from .units import Units

with from_extra("the estimators need scikit-learn", "training"):
    from sklearn.base import BaseEstimator
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import train_test_split
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

__all__ = ["NetworkEstimator"]


class NetworkEstimator(FromAnyLibrary, BaseEstimator):         # type: ignore[misc]
    """A network that gives the law of y; the classifier and the regressor are of this kind."""

    model_: ConditionalModel
    w_: Array
    n_iter_: int
    loss_curve_: list[float]
    validation_curve_: list[float]
    _training: Training
    _x_units: Units
    _y_units: Units

    def __init__(self, *, hidden: Any, activation: Any, optimiser: Any, step: Any, max_iter: int, batch_size: int | None,
                 prior_precision: float, standardise: bool, early_stopping: bool, validation_fraction: float,
                 n_iter_no_change: int, tol: float, warm_start: bool, verbose: bool, random_state: Any) -> None:
        self.hidden = hidden
        self.activation = activation
        self.optimiser = optimiser
        self.step = step
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.prior_precision = prior_precision
        self.standardise = standardise
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state

    # What the two kinds differ in

    @abstractmethod
    def _observations(self, y: Any, first: bool) -> Array:
        """y as an array of numbers; with `first`, that of the training data."""

    @abstractmethod
    def _made_model(self, inputs: int) -> ConditionalModel:
        """The model of data with so many features."""

    @abstractmethod
    def _units_of(self, y: Array, weights: Array) -> Units:
        """In which units the network sees y."""

    @abstractmethod
    def _class_weights(self, y: Array) -> Array:
        """A factor of the weight of every row, shape (n,) or ()."""

    def _strata(self, y: Array) -> Array | None:
        """Labels of which a validation set is to have its share."""
        return None

    # Fitting

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array or DataFrame, shape (n, p)
            In float32 the network is, too.
        y : array, shape (n,), or (n, …) for a family of vectors
        sample_weight : array, shape (n,), optional
            A weight of 2 is a row that is there twice; rows of weight 0 are left out.

        Raises
        ------
        DomainError, ShapeError, ValueError, TypeError
        """
        again = self.warm_start and hasattr(self, "_training")
        seen = self._trained(*self._data(X, y, sample_weight, first=not again), first=not again, epochs=self.max_iter)
        self._calibrated(*seen)
        return self

    def _calibrated(self, batch: Batch, held_out: Batch | None) -> None:
        """What follows once a network is trained on a batch: nothing."""

    def _trained(self, X: Array, y: Array, weights: Array, first: bool, epochs: int) -> tuple[Batch, Batch | None]:
        """The network trained; the batch that it saw, and that held out."""
        rng = check_random_state(self.random_state)
        seed, valid = int(rng.randint(2**31 - 1)), None
        if self.early_stopping:
            fraction = self.validation_fraction
            require("validation_fraction", "0 < validation_fraction < 1", 0 < fraction < 1, fraction)
            X, X_held, y, y_held, weights, held = train_test_split(X, y, weights, test_size=fraction, random_state=seed,
                                                                   stratify=self._strata(y))
        if first:
            self._x_units = Units.of(X, weights) if self.standardise else Units.none(X)
            self._y_units = self._units_of(y, weights)
            self.model_ = self._made_model(X.shape[1])
        if self.early_stopping:
            valid = self._batch(X_held, y_held, held)
        batch = self._batch(X, y, weights)
        found = fit(self.model_, batch, optimiser=self._optimiser(), step=self.step, max_epochs=epochs,
                    batch_size=self.batch_size, prior_precision=self.prior_precision, validation=valid,
                    patience=self.n_iter_no_change, tol=self.tol, rng=np.random.default_rng(seed),
                    start=None if first else self._training, progress=bool(self.verbose))
        self._found(found, first)
        return batch, valid

    def _found(self, found: Training, first: bool) -> None:
        before = ([], []) if first else (self.loss_curve_, self.validation_curve_)
        unit = self._y_units.log_volume
        self.loss_curve_, self.validation_curve_ = (old + [value + unit for value in new]
                                                    for old, new in zip(before, (found.losses, found.validation)))
        self._training, self.w_, self.n_iter_ = found, found.w, len(self.loss_curve_)
        if found.status not in (Status.STOPPED, Status.MAX_STEPS):
            warnings.warn(f"training ended early. {found.status.name}: {found.status.text}", ConvergenceWarning, stacklevel=4)

    def _data(self, X: Any, y: Any, sample_weight: Any, first: bool) -> tuple[Array, Array, Array]:
        """Training data as arrays of floats, without the rows of weight 0."""
        if y is None:
            raise ValueError(f"This {type(self).__name__} estimator requires y to be passed, but the target y is None.")
        require_count("max_iter", self.max_iter)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=first, ensure_min_samples=2 if first else 1)
        check_consistent_length(X, y)
        y = self._observations(y, first)
        weights = sample_weights(sample_weight, len(X)) * self._class_weights(y)
        kept = weights > 0
        if not np.any(kept):
            raise DomainError("sample_weight is zero for every row: there is nothing to fit")
        return (X, y, weights) if np.all(kept) else (X[kept], y[kept], weights[kept])

    def _batch(self, X: Array, y: Array, weights: Array) -> Any:
        """The batch that the network sees; equal weights are none but in their sum."""
        x, y = self._inputs(X), self._y_units.inward(y)
        return (x, y) if np.all(weights == 1.0) else (x, y, weights)

    def _inputs(self, X: Array) -> Array:
        return np.reshape(self._x_units.inward(X), (len(X), *self.model_.network.input_shape))

    def _optimiser(self) -> Update | None:
        if self.optimiser is None:
            return None
        update: Update = made("optimiser", self.optimiser, Update)
        return update

    def _network(self, inputs: int, outputs: tuple[int, ...]) -> Sequential:
        """The network, with as many outputs as the first of those that it may have."""
        if isinstance(self.hidden, Sequential):
            network = self.hidden
            if prod(network.input_shape) != inputs or network.output_shape not in [(k,) for k in outputs]:
                raise ShapeError(f"hidden must be widths of hidden layers, or a Sequential from {inputs} inputs to "
                                 f"{' or '.join(map(str, outputs))} outputs; got one from {network.input_shape} to "
                                 f"{network.output_shape}")
            return network
        if isinstance(self.hidden, type):
            raise TypeError(f"hidden must be widths of hidden layers or a Sequential; got the class {self.hidden.__name__}")
        if not np.iterable(self.hidden) and not isinstance(self.hidden, (int, np.integer)):
            raise TypeError(f"hidden must be widths of hidden layers or a Sequential; got {self.hidden!r}")
        widths = [self.hidden] if isinstance(self.hidden, (int, np.integer)) else list(self.hidden)
        return MLP((inputs, *(require_count("hidden", width) for width in widths), outputs[0]),
                   made("activation", self.activation, Activation))

    # Predicting

    def predict_dist(self, X: Any) -> PredictedLaw:
        """The predicted law of every row: its family and θ, and what these say."""
        theta = self._theta(self.inputs(X))
        return PredictedLaw(self.model_.family, self._y_units.outward(self.model_.family, theta))       # type: ignore[arg-type]

    def _theta(self, x: Array) -> Array:
        """The natural parameters of rows as the network sees them."""
        return self.model_.theta(self.w_, x)

    def inputs(self, X: Any) -> Array:
        """What the network `model_` sees of the rows, shape (n, *model_.network.input_shape)."""
        check_is_fitted(self)
        return self._inputs(validate_data(self, X, dtype=[np.float64, np.float32], reset=False))

    def laplace(self, X: Any, y: Any, sample_weight: Any = None, *, curvature: Any = kfac,
                prior_precision: Any = None) -> LaplacePosterior:
        """The normal posterior of the weights, given the rows that the network was trained on, in its units: its predictions are
        ``est.laplace(X, y).predict(est.inputs(X_new))``.

        Parameters
        ----------
        X, y, sample_weight
            As of `fit`.
        curvature : function (model, w, batch) -> LinearOperator
        prior_precision : float, or sequence of float of the layers, optional
            That of the estimator unless given. ``est.laplace(X, y).with_best_prior_precision()`` has the one of the largest
            marginal likelihood, and that of a sequence one of each layer.

        Raises
        ------
        DomainError
            Where `prior_precision` is 0: a posterior needs a prior.
        """
        check_is_fitted(self)
        batch = self._batch(*self._data(X, y, sample_weight, first=False))
        prior = self.prior_precision if prior_precision is None else prior_precision
        return LaplacePosterior(self.model_, self.w_, batch, curvature, prior)

    def log_score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The mean of −log p(y), nats: smaller is better."""
        law = self.predict_dist(X)
        return float(np.average(-law.log_density(self._observations(y, first=False)), weights=sample_weight))
