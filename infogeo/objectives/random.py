"""Random objectives: data seen through mini-batches, noise on the differential."""
from math import prod
from numbers import Real
from typing import Any

from ..arrays.blocks import ELEMENTS, slices
from ..arrays.draws import Draws
from ..backend import NUMPY, Array, arrays, backend_of, batch_contiguous
from ..errors import ShapeError, require, require_count, shown
from .base import Objective
from .divergence import CrossEntropy, require_manifold

__all__ = ["MiniBatch", "Noisy"]


class MiniBatch(Objective):
    """The cross-entropy of data, each step seen through a mini-batch drawn with replacement.

    Parameters
    ----------
    family : ExponentialFamily
    x : array, shape (n, *support.shape)
    size : int
        Observations in a mini-batch.
    rows : tuple
        Batch shape of the runs: every row draws its own mini-batch.

    Examples
    --------
    >>> f = ig.MiniBatch(ig.Poisson(), [1.0, 2.0, 6.0], 2, rows=(4,))
    >>> run = ig.descend(f, [0.0], geometry=ig.Poisson(), update=ig.NaturalUpdate(), step=0.1, max_steps=9,
    ...                  rng=np.random.default_rng(0))
    >>> run.x.shape
    (4, 1)
    """

    def __init__(self, family: Any, x: Array, size: int, rows: tuple[int, ...] = ()) -> None:
        require_manifold("MiniBatch", family, "family", "support")
        xp, x = arrays(x)
        if x.ndim != 1 + len(family.support.shape) or x.shape[0] == 0:
            axes = ", ".join(["n", *map(str, family.support.shape)])
            raise ShapeError(f"x must have shape ({axes}{'' if family.support.shape else ','}), n >= 1; got {tuple(x.shape)}")
        family.support.require("x", x)
        self.manifold, self.size, self.rows = family, require_count("size", size), tuple(rows)
        self.statistic = family.sufficient_statistic(x)
        mean = xp.mean(self.statistic, axis=0)
        self._mean = _Linear(family, xp.broadcast_to(mean, (*self.rows, *mean.shape)))

    def __repr__(self) -> str:
        return f"MiniBatch({self.manifold!r}, {self.size} of {self.statistic.shape[0]} observations, rows={self.rows})"

    def value_and_gradient(self, theta: Array) -> tuple[Array, Array]:
        """Those of the whole sample."""
        return self._mean.value_and_gradient(theta)

    def draw(self, rng: Any) -> Objective:
        """The cross-entropy of a fresh mini-batch in every row; of many rows on NumPy the batches are there a block at a time."""
        xp, d, rows = backend_of(self.statistic), self.statistic.shape[-1], self.rows or ()
        draws, count = Draws(rng, xp, self.statistic.dtype), prod(rows)
        step = max(1, ELEMENTS // (self.size * d)) if xp is NUMPY else count
        means = [self._means(draws, part.stop - part.start) for part in slices(count, step)] if step < count else None
        mean = self._means(draws, count) if means is None else xp.concat(means, axis=0)
        return _Linear(self.manifold, batch_contiguous(xp.reshape(mean, (*rows, d))))

    def _means(self, draws: Draws, count: int) -> Array:
        """The mean statistics of as many mini-batches, shape (count, d)."""
        xp, (n, d) = draws.xp, self.statistic.shape
        index = xp.astype(xp.floor(draws.uniform((count, self.size)) * float(n)), xp.int64)
        taken = xp.take(self.statistic, xp.reshape(xp.clip(index, 0, n - 1), (-1,)), axis=0)
        return xp.mean(xp.reshape(taken, (count, self.size, d)), axis=-2)


class _Linear(CrossEntropy):
    """A cross-entropy whose target may lie on the boundary, as a mini-batch's may."""

    def __init__(self, M: Any, eta_hat: Array) -> None:
        self.manifold, self.eta_hat, self.rows = M, eta_hat, tuple(eta_hat.shape[:-1])


class Noisy(Objective):
    """Another objective with independent normal noise of standard deviation sigma on every entry of each step's differential.

    Examples
    --------
    >>> f = ig.Noisy(ig.LeastSquares([[1.0]], [2.0]), sigma=1.0)
    >>> run = ig.descend(f, [0.0], update=ig.GradientUpdate(),
    ...                  step=ig.Diminishing(1.0), max_steps=400,
    ...                  rng=np.random.default_rng(0), record=None)
    >>> run.x.round(1)     # steps of 1/k average the noise
    array([2.])
    """

    def __init__(self, f: Objective, sigma: float) -> None:
        require("sigma", "sigma >= 0", isinstance(sigma, Real) and float(sigma) >= 0, sigma)
        if isinstance(f, type) or not hasattr(f, "value_and_gradient"):
            raise TypeError(f"Noisy takes an objective first; got {shown(f)}")
        self.f, self.sigma, self.valued = f, sigma, getattr(f, "valued", True)

    def __repr__(self) -> str:
        return f"Noisy({self.f!r}, {self.sigma!r})"

    @property
    def manifold(self) -> Any:
        return self.f.manifold      # type: ignore[attr-defined]

    @property
    def rows(self) -> tuple[int, ...] | None:       # type: ignore[override]
        return getattr(self.f, "rows", None)

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Those of the objective without noise."""
        return self.f.value_and_gradient(x)

    def draw(self, rng: Any) -> Objective:
        return _NoisyStep(self.f, self.sigma, rng)


class _NoisyStep(Objective):
    """One step's noise, drawn when the shape is known and then kept."""

    def __init__(self, f: Objective, sigma: float, rng: Any) -> None:
        self.f, self.sigma, self.rng = f, sigma, rng
        self.noise: Array = None

    @property
    def manifold(self) -> Any:
        return self.f.manifold      # type: ignore[attr-defined]

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        value, covector = self.f.value_and_gradient(x)
        if self.noise is None:
            # in the memory order of a run's points, which the sum would leave otherwise: 290 for 510 ns a row and step, d = 10
            self.noise = batch_contiguous(Draws(self.rng, backend_of(covector), covector.dtype).normal(covector.shape))
        return value, covector + self.sigma * self.noise
