"""Where the covectors at the output come from: the ways to write the Fisher metric G(θ) of the output law as E[c cᵀ].

A curvature sends covectors c at the natural parameters θ_n of the samples backwards through the network, J_nᵀ c, and is made of
these: F = (1/n) Σ_n J_nᵀ G(θ_n) J_n = (1/n) Σ_n E[(J_nᵀ c)(J_nᵀ c)ᵀ].
"""
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from ..arrays.draws import Draws
from ..backend import Array, arrays
from ..errors import ShapeError, require_count
from ..networks.model import Batch
from ..networks.output_family import OutputFamily

__all__ = ["ExactColumns", "Given", "Observed", "Outputs", "RandomSigns", "Sampled"]

# Entries of the covectors at the output that go through a network together: 8 megabytes of float32. `ExactColumns` of 784 outputs
# and 512 samples are 784 times 1.6 megabytes, and as many times the activations
ELEMENTS = 2**21


class Outputs(ABC):
    """Covectors c_1, …, c_m at each θ_n with Σ_i c_i c_iᵀ = G(θ_n), exactly or in expectation.

    Examples
    --------
    >>> class Cholesky(ig.curvature.Outputs):
    ...     def covectors(self, family, theta, batch):
    ...         return np.moveaxis(np.linalg.cholesky(family.metric(theta)), -1,
    ...                            0)
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 2)),
    ...                                      ig.Categorical(3))
    >>> w, batch = np.zeros(4), ([[1.0], [3.0]], [0, 1])
    >>> found = ig.curvature.kfac(model, w, batch, outputs=Cholesky())
    >>> plain = ig.curvature.kfac(model, w, batch)
    >>> bool(np.allclose(found.dense(), plain.dense()))
    True
    """

    @abstractmethod
    def covectors(self, family: OutputFamily, theta: Array, batch: Batch) -> Array:
        """The covectors, shape (m, ..., n, d), for θ of shape (..., n, d) and the batch (x, y) that it belongs to."""

    def groups(self, family: OutputFamily, theta: Array, batch: Batch) -> Iterator[Array]:
        """The covectors in groups, shapes (m_k, ..., n, d) with Σ m_k = m, for sums over them that need not hold all at once."""
        yield self.covectors(family, theta, batch)


@dataclass(frozen=True)
class ExactColumns(Outputs):
    """The d columns of a square root of G(θ): no randomness, d backward passes.

    Examples
    --------
    >>> M = ig.Categorical(3)
    >>> theta = M.theta_from(probabilities=[[0.5, 0.3, 0.2]])
    >>> c = ig.curvature.ExactColumns().covectors(M, theta, ([0], None))[:, 0]
    >>> (c.T @ c).round(6)                          # diag(η) − η ηᵀ
    array([[ 0.25, -0.15],
           [-0.15,  0.21]])
    """

    def covectors(self, family: OutputFamily, theta: Array, batch: Batch) -> Array:
        return self._columns(family, theta, 0, theta.shape[-1])

    def groups(self, family: OutputFamily, theta: Array, batch: Batch) -> Iterator[Array]:
        d, size = theta.shape[-1], max(1, ELEMENTS // max(1, prod(theta.shape)))
        for start in range(0, d, size):
            yield self._columns(family, theta, start, min(start + size, d))

    def _columns(self, family: OutputFamily, theta: Array, start: int, stop: int) -> Array:
        xp, theta = arrays(theta)
        d = theta.shape[-1]
        unit = xp.eye(stop - start, d, k=start, dtype=theta.dtype)
        return family.root(theta, xp.reshape(unit, (stop - start, *(1,) * (theta.ndim - 1), d)))


@dataclass(frozen=True)
class Sampled(Outputs):
    """(η − T(y)) / √m for m observations y drawn from the model: the Fisher metric by Monte Carlo.

    Parameters
    ----------
    rng : numpy.random.Generator
    draws : int
        m.

    Examples
    --------
    >>> M, theta = ig.Poisson(), np.log([[4.0]])
    >>> sampled = ig.curvature.Sampled(np.random.default_rng(0), 10_000)
    >>> c = sampled.covectors(M, theta, ([0], None))
    >>> round(float((c**2).sum()))                  # G = λ
    4
    """

    rng: np.random.Generator
    draws: int = 1

    def __post_init__(self) -> None:
        require_count("draws", self.draws)

    def covectors(self, family: OutputFamily, theta: Array, batch: Batch) -> Array:
        statistic = family.sufficient_statistic(family.sample(self.rng, theta, (self.draws,)))
        return (family.to_eta(theta) - statistic) / self.draws**0.5


@dataclass(frozen=True)
class RandomSigns(Outputs):
    """F z / √m with G = F Fᵀ and m random vectors z of signs ±1: unbiased as `Sampled`, of smaller variance, for any law.

    Parameters
    ----------
    rng : numpy.random.Generator
    draws : int
        m.

    Source: Martens, Sutskever & Swersky, Estimating the Hessian by back-propagating curvature (2012), for the output alone.

    Examples
    --------
    >>> M, theta = ig.Bernoulli(), np.zeros((1, 1))           # √G, up to a sign
    >>> signs = ig.curvature.RandomSigns(np.random.default_rng(0))
    >>> abs(signs.covectors(M, theta, ([0], None)))
    array([[[0.5]]])
    """

    rng: np.random.Generator
    draws: int = 1

    def __post_init__(self) -> None:
        require_count("draws", self.draws)

    def covectors(self, family: OutputFamily, theta: Array, batch: Batch) -> Array:
        xp, theta = arrays(theta)
        signs = Draws(self.rng, xp, theta.dtype).signs((self.draws, *theta.shape))
        return family.root(theta, signs) / self.draws**0.5


@dataclass(frozen=True)
class Observed(Outputs):
    """η − T(y) of the data's own y: the empirical Fisher, which is the Fisher metric only where the model is the truth.

    Raises
    ------
    DomainError, ShapeError
        For y outside the support of the family, or of another number of samples than θ.

    Source: Kunstner, Hennig & Balles, Limitations of the empirical Fisher approximation (2019).

    Examples
    --------
    >>> M, theta = ig.Bernoulli(), np.zeros((2, 1))
    >>> c = ig.curvature.Observed().covectors(M, theta, (None, [0, 1]))
    >>> c[0, :, 0]                                  # η − y
    array([ 0.5, -0.5])
    """

    def covectors(self, family: OutputFamily, theta: Array, batch: Batch) -> Array:
        xp, theta, y = arrays(theta, batch[1])
        y = family.support.require("y", xp.astype(y, theta.dtype))
        samples = y.shape[:y.ndim - len(family.support.shape)]
        if not samples or samples[-1] != theta.shape[-2]:
            raise ShapeError(f"y must have the {theta.shape[-2]} samples of x; got shape {tuple(y.shape)}")
        return (family.to_eta(theta) - family.sufficient_statistic(y))[None, ...]


@dataclass(frozen=True, eq=False)
class Given(Outputs):
    """Covectors that are there already, so that several curvatures are made of the same.

    Parameters
    ----------
    parts : tuple of arrays, shapes (m_k, ..., n, d)

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> w, batch = np.zeros(2), ([[1.0], [3.0]], [0, 1])
    >>> roots = ig.curvature.Given((np.full((1, 2, 1), 0.5),))        # √¼
    >>> ig.curvature.diagonal_fisher(model, w, batch, roots).diagonal()
    array([1.25, 0.25])
    """

    parts: tuple[Array, ...]

    def covectors(self, family: OutputFamily, theta: Array, batch: Batch) -> Array:
        return self.parts[0] if len(self.parts) == 1 else arrays(theta)[0].concat(list(self.parts))

    def groups(self, family: OutputFamily, theta: Array, batch: Batch) -> Iterator[Array]:
        return iter(self.parts)
