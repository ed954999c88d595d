"""The Laplace approximation: a trained model as a normal posterior of its weights."""
from collections.abc import Callable, Sequence
from copy import copy
from math import exp, log, prod, sqrt
from numbers import Real
from typing import Any, Self

import numpy as np
from scipy.optimize import minimize_scalar

from ..arrays.blocks import slices
from ..arrays.draws import Draws
from ..backend import Array, arrays
from ..domains.base import batch_shape
from ..errors import DomainError, ShapeError, require, require_positive, takes
from ..networks.batches import total_weight
from ..networks.model import Batch, ConditionalModel
from ..operators.base import LinearOperator
from ..operators.block import BlockDiagonal
from ..operators.dense import DiagonalOperator, SymmetricDense
from ..operators.low_rank import DiagonalPlusLowRank, LowRank
from .linearised import LinearisedPrediction

__all__ = ["LaplacePosterior"]

# Numbers in the gradients of all outputs that are held at once, 16 megabytes of float32
CHUNK = 2**22
CYCLES = 100        # over the layers, for a curvature that couples them


class LaplacePosterior:
    """The posterior of the weights of a trained model as the normal law N(w, (n C + T)⁻¹), under the prior N(0, T⁻¹).

    Mathematically, T = τ I, or diagonal with a τ of each layer; C is a curvature of the mean loss L of n observations at w. With
    the Fisher metric, which is the generalised Gauss–Newton matrix, it is the exact posterior of the model that is linear in its
    weights at w, where that has normal observations. w is the mode: weights that minimise L(w) + wᵀ T w / (2 n), such as those of
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
    prior_precision : float, or sequence of float
        τ, positive; or one of each layer that has weights, from the first to the last.

    Attributes
    ----------
    n : float
    curvature : LinearOperator
        C.
    prior_precision : float, or tuple of float
    precision : LinearOperator
        n C + T.

    Raises
    ------
    DomainError, ShapeError
        For what the loss refuses, weights that are not finite or of another shape, τ that is not positive or of another number of
        layers, and a precision that is not positive definite, as that of a Hessian away from a minimum may be.

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
                 prior_precision: float | Sequence[float]) -> None:
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
        self.n = total_weight(batch, loss.statistic.shape[0])
        self._fit = -self.n * float(loss.value(self.w))
        self.curvature = curvature(model, self.w, loss.batch)
        if not isinstance(self.curvature, LinearOperator):
            raise TypeError(f"curvature must give a LinearOperator, as infogeo.curvature.kfac does; got {self.curvature!r}")
        self._set_prior(prior_precision)

    def _set_prior(self, prior_precision: float | Sequence[float]) -> None:
        if isinstance(prior_precision, Real):
            self.prior_precision: float | tuple[float, ...] = float(require_positive("prior_precision", prior_precision))
        else:
            self.prior_precision = self._of_layers(prior_precision)
        self.precision = self._precision(self.prior_precision)
        if not bool(self.xp.all(self.xp.isfinite(self.precision.inverse_root(self.w)))):
            raise DomainError("the precision n C + prior_precision I must be positive definite; it is not, with n = "
                              f"{self.n:g}, prior_precision = {self.prior_precision} and C = {self.curvature!r}")

    def _of_layers(self, taus: Any) -> tuple[float, ...]:
        """A τ for each layer that has weights."""
        count = len(self._layers)
        if isinstance(taus, str) or not hasattr(taus, "__len__") or not all(isinstance(tau, Real) for tau in taus):
            raise DomainError(f"prior_precision must be a number > 0, or one of each of the {count} layers with weights; got "
                              f"{taus!r}")
        if len(taus) != count:
            raise ShapeError(f"prior_precision must be a number, or one of each of the {count} layers with weights; got "
                             f"{len(taus)}")
        found = np.asarray(taus, dtype=float)
        require("prior_precision", "prior_precision > 0 and finite", (found > 0) & np.isfinite(found), found)
        return tuple(found.tolist())

    @property
    def _layers(self) -> list[slice]:
        """The weights of each layer that has some; all of them of a network that is not made of layers."""
        return [s for s in getattr(self.model.network, "slices", [slice(0, self.w.shape[0])]) if s is not None]

    def _precision(self, tau: float | tuple[float, ...]) -> LinearOperator:
        """n C + T with the structure of C: by layers where its blocks are these, diagonal and of low rank; else dense."""
        scaled, C, xp = self.n * self.curvature, self.curvature, self.xp
        if not isinstance(tau, tuple):
            return scaled.shifted(tau)
        if isinstance(C, BlockDiagonal) and self._by_layers:
            return BlockDiagonal(*((self.n * block).shifted(t) for block, t in zip(C.blocks, tau)))
        T = xp.concat([xp.full((s.stop - s.start,), t, dtype=self.w.dtype) for s, t in zip(self._layers, tau)])
        if isinstance(C, LowRank):
            return DiagonalPlusLowRank(T, sqrt(self.n) * C.U)
        if isinstance(C, DiagonalOperator):
            return DiagonalOperator(self.n * C.d + T)
        return SymmetricDense(scaled.dense() + T * xp.eye(T.shape[0], dtype=T.dtype))

    @property
    def _by_layers(self) -> bool:
        return isinstance(self.curvature, BlockDiagonal) and self.curvature.slices == self._layers

    def __repr__(self) -> str:
        return f"LaplacePosterior({self.model!r}, {self.curvature!r}, n={self.n:g}, prior_precision={self.prior_precision})"

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

        Mathematically, log p(y | w) − ½ wᵀ T w + ½ log det T − ½ log det(n C + T).
        """
        return self._log_evidence(self.prior_precision, self.precision)

    def _log_evidence(self, tau: float | tuple[float, ...], precision: LinearOperator) -> float:
        taus = tau if isinstance(tau, tuple) else (tau,)
        parts = self._layers if isinstance(tau, tuple) else [slice(0, self.w.shape[0])]
        prior: float = sum(0.5 * ((s.stop - s.start) * log(t) - t * self._square(s)) for s, t in zip(parts, taus))
        return self._fit + prior - 0.5 * float(precision.logdet())

    def _square(self, part: slice) -> float:
        return float(self.xp.sum(self.w[part]**2))

    def with_prior_precision(self, prior_precision: float | Sequence[float]) -> Self:
        """The same curvature and weights under another prior."""
        other = copy(self)
        other._set_prior(prior_precision)
        return other

    def with_best_prior_precision(self) -> Self:
        """The same curvature and weights under the prior of the largest `log_marginal_likelihood`, one τ or those of layers.

        Mathematically, in the log τ it is concave for a positive semidefinite C, with its maximum where τ |w|² of each layer is
        the number of its effective weights γ = p − τ tr (n C + T)⁻¹, the trace over the layer, and so below p / |w|². The weights
        stay where they are, and C with them: a model that is trained again under this prior has another best one.

        Raises
        ------
        DomainError
            For weights of 0, whose best prior is infinitely narrow, and C of trace 0, whose best is infinitely wide, with the
            layer.
        """
        whole = not isinstance(self.prior_precision, tuple)
        parts = [slice(0, self.w.shape[0])] if whole else self._layers
        squares, diagonal = [self._square(s) for s in parts], self.curvature.diagonal()
        traces = [float(self.xp.sum(diagonal[s])) for s in parts]
        require("w", "w not 0" if whole else "w not 0 in any layer", np.array(squares) > 0, np.array(squares))
        require("curvature", "trace C > 0" if whole else "trace C > 0 in every layer", np.array(traces) > 0, np.array(traces))
        top = [(s.stop - s.start) / square for s, square in zip(parts, squares)]
        low = [_least(self.n * trace, square) for trace, square in zip(traces, squares)]
        taus = [min(high, float(t)) for high, t in zip(top, np.atleast_1d(self.prior_precision))]
        for _ in range(1 if whole or self._by_layers or isinstance(self.curvature, DiagonalOperator) else CYCLES):
            before = list(taus)
            for i in range(len(taus)):
                taus[i] = self._best(taus, i, whole, low[i], top[i])
            if max(abs(log(a / b)) for a, b in zip(taus, before)) < 1e-7:
                break
        return self.with_prior_precision(taus[0] if whole else taus)

    def _best(self, taus: list[float], i: int, whole: bool, low: float, high: float) -> float:
        """The τ of layer i, between two numbers, that makes the evidence largest with those of the others as they are."""
        def minus_evidence(s: float) -> float:
            there = [*taus[:i], exp(s), *taus[i + 1:]]
            tau = there[0] if whole else tuple(there)
            return -self._log_evidence(tau, self._precision(tau))

        found = minimize_scalar(minus_evidence, method="bounded", bounds=(log(low) - 1e-6, log(high) + 1e-6),
                                options={"xatol": 1e-9})
        return exp(float(found.x))


def _least(trace: float, square: float) -> float:
    """The root of τ (τ + t) |w|² = t, without cancellation for a large t: the best τ of a block of one direction is above it."""
    return 2.0 / square / (1.0 + sqrt(1.0 + 4.0 / (trace * square)))
