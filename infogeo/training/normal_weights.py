"""A normal law of the weights of a model, its bound on the evidence, and what it predicts."""
from math import log, pi
from typing import Any

import numpy as np

from ..arrays.draws import Draws
from ..backend import Array, arrays
from ..domains.base import batch_shape
from ..errors import ShapeError, require, require_count, require_positive, takes
from ..networks.batches import require_batch, total_weight
from ..networks.model import Batch, ConditionalModel
from ..numerics.exponentials import logsumexp
from ..operators.low_rank import DiagonalPlusLowRank

__all__ = ["NormalWeights", "require_one_or_each"]


def require_one_or_each(tau: Array, size: int) -> None:
    """Nothing, if it is one precision, or one for each weight. Raises ShapeError."""
    if getattr(tau, "shape", ()) not in ((), (size,)):
        raise ShapeError(f"prior_precision must be a number or have shape ({size},); got shape {tuple(tau.shape)}")


class NormalWeights:
    """The normal law q = N(μ, (diag(d) + U Uᵀ)⁻¹) of the weights of a model, whose precision is a diagonal and a few columns.

    Draws, densities and the determinant cost O(size k²) once and O(size k) each, by the singular values of diag(d)^{−1/2} U.

    Parameters
    ----------
    model : ConditionalModel
    mean : array, shape (model.network.size,)
    precision : DiagonalPlusLowRank
        Positive definite.

    Raises
    ------
    DomainError, ShapeError, TypeError
        For a mean or a precision that is not finite, or of another size, or a precision that is not positive definite.

    Source: Mishkin, Kunstner, Nielsen, Schmidt & Khan, SLANG: fast structured covariance approximations for Bayesian deep
    learning with natural gradient (2018), for the form.

    Examples
    --------
    >>> import numpy as np, infogeo as ig
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)), ig.Bernoulli())
    >>> q = ig.training.NormalWeights(model, np.zeros(2), ig.operators.DiagonalPlusLowRank(np.ones(2), np.zeros((2, 0))))
    >>> q.kl(prior_precision=1.0)
    0.0
    """

    @takes(model=ConditionalModel, precision=DiagonalPlusLowRank)
    def __init__(self, model: ConditionalModel, mean: Array, precision: DiagonalPlusLowRank) -> None:
        self.model, self.precision = model, precision
        self.xp, self.mean, _ = arrays(mean, precision.d)
        size = model.network.size
        if self.mean.shape != (size,) or precision.dim != size:
            raise ShapeError(f"mean and precision must have shapes ({size},) and ({size}, {size}), the weights of one model; got "
                             f"{tuple(self.mean.shape)} and {precision.shape}")
        require("mean", "mean finite", self.xp.isfinite(self.mean), self.mean)
        self.variances = precision.inverse_diagonal()
        require("precision", "a positive definite precision", (precision.d > 0) & self.xp.isfinite(self.variances), precision.d)

    def __repr__(self) -> str:
        return f"NormalWeights({self.model!r}, rank {self.precision.U.shape[1]})"

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...] = ()) -> Array:
        """Weights, shape (*shape, size)."""
        z = Draws(rng, self.xp, self.mean.dtype).normal((*batch_shape(shape), self.mean.shape[0]))
        return self.mean + self.precision.inverse_root(z)

    def log_density(self, w: Array) -> Array:
        """log q(w), shape (...), nats."""
        _, w, _ = arrays(w, self.mean)
        if w.shape[-1:] != self.mean.shape:
            raise ShapeError(f"w must have shape (..., {self.mean.shape[0]}); got {tuple(w.shape)}")
        away = w - self.mean
        square = self.xp.sum(away * self.precision.matvec(away), axis=-1)
        return 0.5 * (self.precision.logdet() - square - self.mean.shape[0] * log(2.0 * pi))

    def entropy(self) -> float:
        """Nats."""
        entropy: float = 0.5 * (self.mean.shape[0] * log(2.0 * pi * np.e) - float(self.precision.logdet()))
        return entropy

    def kl(self, prior_precision: float | Array) -> float:
        """KL(q ‖ N(0, diag(τ)⁻¹)), nats: ½ (Σ τ (μ² + diag Σ) − p − Σ log τ + log det Σ⁻¹) for p weights.

        τ is one number for all weights, or an array of shape (size,).
        """
        xp, tau, mean = arrays(require_positive("prior_precision", prior_precision), self.mean)
        require_one_or_each(tau, mean.shape[0])
        tau = tau + xp.zeros_like(mean)
        terms = tau * (mean**2 + self.variances) - 1.0 - xp.log(tau)
        divergence: float = 0.5 * (float(xp.sum(terms)) + float(self.precision.logdet()))
        return divergence

    def negative_bound(self, batch: Batch, prior_precision: float | Array, rng: np.random.Generator, draws: int = 1000) -> float:
        """E_q[−Σ log p(y_n | x_n, w)] + KL(q ‖ N(0, diag(τ)⁻¹)), an estimate, nats: minus the evidence lower bound.

        The first term is the mean over pairs of weights at equal distances on both sides of μ, `draws` altogether; the second is
        exact. The bound of a generalised linear model is exact in `infogeo.inference.NegativeELBO`.
        """
        loss = self.model.objective(batch)
        n = total_weight(batch, loss.statistic.shape[-2])
        away = self.sample(rng, (require_count("draws", draws, 2) // 2,)) - self.mean
        weights = self.xp.concat([self.mean + away, self.mean - away])
        values = [float(loss.value(weights[i, :])) for i in range(weights.shape[0])]
        bound: float = n * sum(values) / len(values) + self.kl(prior_precision)
        return bound

    def log_predictive(self, batch: Batch, rng: np.random.Generator, draws: int = 100) -> Array:
        """log E_q[p(y_n | x_n, w)] of every sample, by draws, shape (n,), nats."""
        x, y, _ = require_batch(batch)
        terms = self.xp.stack([self.model.log_density(w, (x, y)) for w in self._drawn(rng, draws)])
        return logsumexp(terms, axis=0) - log(draws)

    def predict_mean(self, x: Array, rng: np.random.Generator, draws: int = 100) -> Any:
        """E_q[E[y | x, w]], by draws, shape (n, *family.support.shape)."""
        return sum(self.model.predict_mean(w, x) for w in self._drawn(rng, draws)) / draws

    def _drawn(self, rng: np.random.Generator, draws: int) -> list[Array]:
        weights = self.sample(rng, (require_count("draws", draws),))
        return [weights[i, :] for i in range(draws)]
