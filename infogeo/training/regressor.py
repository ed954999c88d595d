"""Regression by a network that predicts a law."""
from typing import Any, Self

import numpy as np

from ..backend import Array
from ..errors import ShapeError, from_extra, made
from ..families.base import ExponentialFamily
from ..families.isotropic_normal import IsotropicNormal
from ..families.normal import Normal
from ..networks.activations import Tanh
from ..networks.model import ConditionalModel
from .estimator import NetworkEstimator
from .units import Units, is_location_scale

with from_extra("the estimators need scikit-learn", "training"):
    from sklearn.base import RegressorMixin
    from sklearn.utils.validation import check_array, column_or_1d

__all__ = ["NaturalGradientRegressor"]


class NaturalGradientRegressor(RegressorMixin, NetworkEstimator):      # type: ignore[misc]
    """A network that predicts the law of y in a family, trained by K-FAC unless told otherwise.

    Mathematically, θ = chart(u) with the outputs u of the network and the chart of the family's domain: by default the mean and
    the variance of a normal law are functions of the features.

    Parameters
    ----------
    family : ExponentialFamily, or its class
        Of numbers, or of vectors for a y of several columns.
    hidden, activation, optimiser, step, max_iter, batch_size, prior_precision, early_stopping, …
        As of `NaturalGradientClassifier`; a `Sequential` has as many outputs as the family's θ has numbers. The prior is narrower
        here: a variance that a network gives falls without a bound where it has learned rows by heart. Of thousands of rows with
        little noise a prior precision of 1 or less is better.
    standardise : bool
        Whether the network sees every feature with mean 0 and variance 1, and the y of a normal family, too: predictions and
        scores are in the units of y in any case.

    Attributes
    ----------
    model_, w_ : ConditionalModel and its weights, for features, and the y of a normal family, in standard units
    n_iter_, loss_curve_, validation_curve_ : as of `NaturalGradientClassifier`, in nats for y in its own units
    n_features_in_, feature_names_in_

    Source: Martens & Grosse, Optimizing neural networks with Kronecker-factored approximate curvature (2015).

    Examples
    --------
    >>> from infogeo.training import NaturalGradientRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(-2, 2, (200, 1))            # noise that grows with x
    >>> y = X[:, 0] + np.exp(X[:, 0] / 2) * rng.standard_normal(200)
    >>> est = NaturalGradientRegressor(hidden=(4,), max_iter=10, random_state=0)
    >>> low, high = est.fit(X, y).predict_dist([[-2.0], [2.0]]).variance
    >>> bool(low < 1.5 < 3.0 < high)
    True
    """

    def __init__(self, family: Any = Normal, hidden: Any = (50,), *, activation: Any = Tanh, optimiser: Any = None,
                 step: Any = None, max_iter: int = 200, batch_size: int | None = None, prior_precision: float = 10.0,
                 standardise: bool = True, early_stopping: bool = False, validation_fraction: float = 0.1,
                 n_iter_no_change: int = 10, tol: float = 1e-4, warm_start: bool = False, verbose: bool = False,
                 random_state: Any = None) -> None:
        self.family = family
        super().__init__(
            hidden=hidden, activation=activation, optimiser=optimiser, step=step, max_iter=max_iter, batch_size=batch_size,
            prior_precision=prior_precision, standardise=standardise, early_stopping=early_stopping,
            validation_fraction=validation_fraction, n_iter_no_change=n_iter_no_change, tol=tol, warm_start=warm_start,
            verbose=verbose, random_state=random_state)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        shape = self._family().support.shape
        tags.target_tags.multi_output, tags.target_tags.single_output = len(shape) == 1, len(shape) == 0
        return tags

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """One epoch over these rows; the first call decides in which units features and y are seen."""
        first = not hasattr(self, "_training")
        self._trained(*self._data(X, y, sample_weight, first=first), first=first, epochs=1)
        return self

    def _family(self) -> ExponentialFamily:
        family: ExponentialFamily = made("family", self.family, ExponentialFamily)
        return family

    def _observations(self, y: Any, first: bool) -> Array:
        family = self._family()
        shape = family.support.shape
        if shape == ():
            y = column_or_1d(y, warn=True)
        y = check_array(y, dtype=np.float64, ensure_2d=False, allow_nd=True, input_name="y")
        if y.shape[1:] != shape:
            raise ShapeError(f"y must have shape (n{''.join(f', {size}' for size in shape)}) for {family!r}; got {y.shape}")
        family.require_observations("y", y)
        return y

    def _class_weights(self, y: Array) -> Array:
        return np.ones(())

    def _made_model(self, inputs: int) -> ConditionalModel:
        family = self._family()
        return ConditionalModel(self._network(inputs, (family.theta_domain.chart.inputs(family.dim),)), family)

    def _units_of(self, y: Array, weights: Array) -> Units:
        family = self._family()
        if not self.standardise or not is_location_scale(family):
            return Units.none(y)
        return Units.of(y, weights, together=isinstance(family, IsotropicNormal))

    def predict(self, X: Any) -> Array:
        """E[y | x], shape (n,), or (n, p) of vectors."""
        return self.predict_dist(X).mean
