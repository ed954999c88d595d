"""The Laplace approximation: a trained model as a normal posterior of its weights."""
from collections.abc import Callable
from copy import copy
from math import exp, log, prod, sqrt
from numbers import Real
from typing import Self

import numpy as np
from scipy.optimize import minimize_scalar

from ..arrays.blocks import slices
from ..arrays.draws import Draws
from ..backend import Array, arrays
from ..domains.base import batch_shape
from ..errors import DomainError, ShapeError, require, require_positive, takes
from ..networks.batches import RelativeWeights, require_batch
from ..networks.model import Batch, ConditionalModel
from ..operators.base import LinearOperator
from .linearised import LinearisedPrediction

__all__ = ["LaplacePosterior"]

# Numbers in the gradients of all outputs that are held at once, 16 megabytes of float32
CHUNK = 2**22


class LaplacePosterior:
    """The posterior of the weights of a trained model as the normal law N(w, (n C + τ I)⁻¹), under the prior N(0, I / τ).

    Mathematically, C is a curvature of the mean loss L of n observations at w. With the Fisher metric, which is the generalised
    Gauss–Newton matrix, it is the exact posterior of the model that is linear in its weights at w, where that has normal
    observations. w is the mode: weights that minimise L(w) + τ |w|² / (2 n), such as those of
    ``fit(model, batch, prior_precision=τ)``. Nothing here asks whether they do.

    Parameters
    ----------
    model : ConditionalModel
    w : array, shape (model.network.size,)
        The trained weights.
    batch : pair (x, y), or (x, y, weights)
        The observations; with weights n is their sum, so that a sample of weight 2 counts as two.
    curvature : function (model, w, batch) -> LinearOperator
        Such as `fisher`, `block_diagonal`, `diagonal_fisher`, `kfac`, `ekfac`; further arguments go in by `functools.partial`, as
        in ``partial(low_rank_fisher, rank=10)``. Draws and solves have the structure of its operator.
    prior_precision : float
        τ, positive.

    Attributes
    ----------
    n : float
    curvature : LinearOperator
        C.
    precision : LinearOperator
        n C + τ I.

    Raises
    ------
    DomainError, ShapeError
        For what the loss refuses, weights that are not finite or of another shape, τ that is not positive, and a precision that
        is not positive definite, as that of a Hessian away from a minimum may be.

    Source: MacKay, A practical Bayesian framework for backpropagation networks (1992); with Kronecker factors Ritter, Botev &
    Barber, A scalable Laplace approximation for neural networks (2018).

    Examples
    --------
    >>> import numpy as np, infogeo as ig
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)), ig.NormalKnownVariance(1.0))
    >>> x = np.linspace(-1.0, 1.0, 9)[:, None]
    >>> posterior = ig.training.LaplacePosterior(model, np.zeros(2), (x, 0.0 * x[:, 0]), ig.curvature.fisher, prior_precision=1.0)
    >>> posterior.predict([[0.0], [2.0]]).moments()[1].round(3)
    array([1.1  , 1.942])
    """

    @takes(model=ConditionalModel)
    def __init__(self, model: ConditionalModel, w: Array, batch: Batch, curvature: Callable[..., LinearOperator],
                 prior_precision: float) -> None:
        self.model, loss = model, model.objective(batch)
        _, self.w, _ = arrays(w, loss.x)
        self.xp = loss.xp
        if tuple(self.w.shape) != (model.network.size,):
            raise ShapeError(f"w must have shape ({model.network.size},); got {tuple(self.w.shape)}")
        if loss.statistic.ndim != 2:
            raise ShapeError(f"batch must be one batch of samples; got x of shape {tuple(loss.x.shape)}")
        require("w", "w finite", self.xp.isfinite(self.w), self.w)
        if not callable(curvature):
            raise TypeError(f"curvature must be a function (model, w, batch), such as infogeo.curvature.kfac; got {curvature!r}")
        self.n = _total(batch, loss.statistic.shape[0])
        self._fit = -self.n * float(loss.value(self.w))
        self.curvature = curvature(model, self.w, loss.batch)
        if not isinstance(self.curvature, LinearOperator):
            raise TypeError(f"curvature must give a LinearOperator, as infogeo.curvature.kfac does; got {self.curvature!r}")
        self._set_prior(prior_precision)

    def _set_prior(self, prior_precision: float) -> None:
        require("prior_precision", "prior_precision a number > 0", isinstance(prior_precision, Real), prior_precision)
        self.prior_precision = float(require_positive("prior_precision", prior_precision))
        self.precision = (self.n * self.curvature).shifted(self.prior_precision)
        if not bool(self.xp.all(self.xp.isfinite(self.precision.inverse_root(self.w)))):
            raise DomainError("the precision n C + prior_precision I must be positive definite; it is not, with n = "
                              f"{self.n:g}, prior_precision = {self.prior_precision:g} and C = {self.curvature!r}")

    def __repr__(self) -> str:
        return f"LaplacePosterior({self.model!r}, {self.curvature!r}, n={self.n:g}, prior_precision={self.prior_precision:g})"

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...] = ()) -> Array:
        """Weights drawn from the posterior, shape (*shape, size), by the inverse root of the precision."""
        z = Draws(rng, self.xp, self.w.dtype).normal((*batch_shape(shape), self.w.shape[0]))
        return self.w + self.precision.inverse_root(z)

    def predict(self, x: Array) -> LinearisedPrediction:
        """What the model that is linear in its weights at w predicts at inputs x of shape (n, *input_shape).

        Mathematically, the outputs f(w, x_n) + J_n (w′ − w) are normal of mean f(w, x_n) and covariance
        J_n (n C + τ I)⁻¹ J_nᵀ.
        """
        _, x, _ = arrays(x, self.w)
        if x.ndim != 1 + len(self.model.network.input_shape):
            axes = ", ".join(["n", *map(str, self.model.network.input_shape)])
            raise ShapeError(f"x must have shape ({axes}); got {tuple(x.shape)}")
        require("x", "x finite", self.xp.isfinite(x), x)
        k = prod(self.model.network.output_shape)
        step = max(1, CHUNK // (k * max(1, self.w.shape[0])))
        means, covariances = zip(*(self._outputs(x[rows, ...]) for rows in slices(x.shape[0], step) or [slice(0, 0)]))
        return LinearisedPrediction(self.model, self.xp.concat(means), self.xp.concat(covariances))

    def _outputs(self, x: Array) -> tuple[Array, Array]:
        """Mean and covariance of the outputs at some inputs, shapes (n, k) and (n, k, k)."""
        xp, done = self.xp, self.model.network.record(self.w, x)
        unit = xp.eye(done.output.shape[-1], dtype=done.output.dtype)
        J = xp.moveaxis(done.per_example_gradients(unit[:, None, :] + xp.zeros_like(done.output)), 0, 1)
        covariance = xp.matmul(self.precision.solve(J), xp.matrix_transpose(J))
        return done.output, 0.5 * (covariance + xp.matrix_transpose(covariance))

    def log_marginal_likelihood(self) -> float:
        """log p(y) in the Laplace approximation, nats: exact for a linear model with normal observations, with w at its mode.

        Mathematically, log p(y | w) − ½ τ |w|² + ½ p log τ − ½ log det(n C + τ I) for p weights.
        """
        return self._log_evidence(self.prior_precision, self.precision)

    def _log_evidence(self, tau: float, precision: LinearOperator) -> float:
        prior: float = 0.5 * (self.w.shape[0] * log(tau) - tau * self._square)
        return self._fit + prior - 0.5 * float(precision.logdet())

    @property
    def _square(self) -> float:
        return float(self.xp.sum(self.w**2))

    def with_prior_precision(self, prior_precision: float) -> Self:
        """The same curvature and weights under another prior."""
        other = copy(self)
        other._set_prior(prior_precision)
        return other

    def with_best_prior_precision(self) -> Self:
        """The same curvature and weights under the prior of the largest `log_marginal_likelihood`.

        Mathematically, in log τ it is concave for a positive semidefinite C, with its maximum where τ |w|² is the number of
        effective weights γ = tr(n C (n C + τ I)⁻¹), and so between the root of τ (τ + n tr C) |w|² = n tr C and p / |w|². The
        weights stay where they are, and C with them: a model that is trained again under this prior has another best one.

        Raises
        ------
        DomainError
            For w = 0, whose best prior is infinitely narrow, and C of trace 0, whose best is infinitely wide.
        """
        trace, square = self.n * float(self.curvature.trace()), self._square
        require("w", "w not 0", square > 0, self.w)
        require("curvature", "trace C > 0", trace > 0, trace)
        # the root of τ² + t τ = t / |w|², without cancellation for a large t
        low, high = 2.0 / square / (1.0 + sqrt(1.0 + 4.0 / (trace * square))), self.w.shape[0] / square
        scaled = self.n * self.curvature
        found = minimize_scalar(lambda s: -self._log_evidence(exp(s), scaled.shifted(exp(s))), method="bounded",
                                bounds=(log(low) - 1e-6, log(high) + 1e-6), options={"xatol": 1e-9})
        return self.with_prior_precision(exp(found.x))


def _total(batch: Batch, n: int) -> float:
    """The number of observations, the sum of the weights where there are some."""
    weights = require_batch(batch)[2]
    if weights is None:
        return float(n)
    values = weights.values if isinstance(weights, RelativeWeights) else weights
    xp, values = arrays(values)
    return float(xp.sum(values))
