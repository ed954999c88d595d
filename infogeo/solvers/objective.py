"""Objectives: functions on a manifold with their differentials."""
from abc import ABC, abstractmethod

from ..arrays.draws import Draws
from ..backend import arrays, backend_of, batch_contiguous, dot
from ..errors import DomainError, ShapeError, require_count
from ..numerics.linalg import matvec

__all__ = ["AffineMap", "CrossEntropy", "MiniBatch", "Noisy", "Objective", "ReverseKL"]


class Objective(ABC):
    """A smooth function f on points of shape (..., d).

    Any object with `value_and_gradient` serves as an objective of `descend` and `flow`; `draw`, where there is one, gives the
    objective of a single step. This class adds the changes of coordinates.
    """

    @abstractmethod
    def value_and_gradient(self, x):
        """``(f(x), df(x))``, shapes (...) and (..., d); the differential is a covector."""

    def draw(self, rng):
        """The objective that one step sees; itself unless the objective is random."""
        return self

    def in_dual_coordinates(self):
        """The same function of η, f∘∇φ, for an objective that knows its manifold."""
        return _InDualCoordinates(self.manifold, self)

    def pulled_back(self, map):
        """The function f∘map of u, for a smooth reparametrisation x = map(u).

        Parameters
        ----------
        map : object with ``map(u)`` and ``map.pull_back(u, covector)``
            The second is the transposed Jacobian at u applied to a covector at map(u); `AffineMap` is one.
        """
        return _PulledBack(self, map)


class CrossEntropy(Objective):
    """f(θ) = ψ(θ) − θ·η̂, which is KL(p̂‖p_θ) up to a constant: maximum likelihood, the forward divergence.

    Mathematically, df = η(θ) − η̂; the minimum is at η(θ) = η̂.

    Parameters
    ----------
    M : DuallyFlat
    eta_hat : array, shape (..., d)
        The target in η, in the domain of η.

    Units: nats, without the base measure's share −E[log h].
    """

    def __init__(self, M, eta_hat):
        self.manifold = M
        self.eta_hat = batch_contiguous(M.eta_domain.require("eta_hat", eta_hat))

    def value_and_gradient(self, theta):
        potential, eta = self.manifold.potential_and_eta(theta)
        return potential - dot(theta, self.eta_hat), eta - self.eta_hat


class ReverseKL(Objective):
    """f(θ) = D(p_θ‖q), the reverse divergence KL(p_θ‖q): the variational objective.

    Mathematically, df = G(θ)(θ − θ_q); in the chart η the differential is θ − θ_q.

    Parameters
    ----------
    M : DuallyFlat
    theta_hat : array, shape (..., d)
        The target in θ, in the domain of θ.

    Units: nats.
    """

    def __init__(self, M, theta_hat):
        self.manifold = M
        self.theta_hat = batch_contiguous(M.theta_domain.require("theta_hat", theta_hat))

    def value_and_gradient(self, theta):
        M, (_, theta, theta_hat) = self.manifold, self.manifold.point(theta, self.theta_hat)
        return M.divergence(theta, theta_hat), M.flat(theta, theta - theta_hat)


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
    """

    def __init__(self, family, x, size, rows=()):
        xp, x = arrays(x)
        if x.ndim != 1 + len(family.support.shape) or x.shape[0] == 0:
            axes = ", ".join(["n", *map(str, family.support.shape)])
            raise ShapeError(f"x must have shape ({axes}{'' if family.support.shape else ','}), n >= 1; got {tuple(x.shape)}")
        family.support.require("x", x)
        self.manifold, self.size, self.rows = family, require_count("size", size), tuple(rows)
        self.statistic = family.sufficient_statistic(x)
        mean = xp.mean(self.statistic, axis=0)
        self._mean = _Linear(family, xp.broadcast_to(mean, (*self.rows, *mean.shape)))

    def value_and_gradient(self, theta):
        """Those of the whole sample."""
        return self._mean.value_and_gradient(theta)

    def draw(self, rng):
        """The cross-entropy of a fresh mini-batch in every row."""
        xp = backend_of(self.statistic)
        n = self.statistic.shape[0]
        uniform = Draws(rng, xp, self.statistic.dtype).uniform((*self.rows, self.size))
        index = xp.astype(xp.floor(uniform * float(n)), xp.int64)
        taken = xp.take(self.statistic, xp.reshape(xp.clip(index, 0, n - 1), (-1,)), axis=0)
        taken = xp.reshape(taken, (*self.rows, self.size, taken.shape[-1]))
        return _Linear(self.manifold, batch_contiguous(xp.mean(taken, axis=-2)))


class _Linear(CrossEntropy):
    """A cross-entropy whose target may lie on the boundary, as a mini-batch's may."""

    def __init__(self, M, eta_hat):
        self.manifold, self.eta_hat = M, eta_hat


class Noisy(Objective):
    """Another objective with independent normal noise of standard deviation sigma on every entry of each step's differential."""

    def __init__(self, f, sigma):
        if not sigma >= 0:
            raise DomainError(f"sigma must satisfy sigma >= 0; got {sigma!r}")
        self.f, self.sigma = f, sigma

    @property
    def manifold(self):
        return self.f.manifold

    def value_and_gradient(self, x):
        """Those of the objective without noise."""
        return self.f.value_and_gradient(x)

    def draw(self, rng):
        return _NoisyStep(self.f, self.sigma, rng)


class _NoisyStep(Objective):
    """One step's noise, drawn when the shape is known and then kept."""

    def __init__(self, f, sigma, rng):
        self.f, self.sigma, self.rng, self.noise = f, sigma, rng, None

    @property
    def manifold(self):
        return self.f.manifold

    def value_and_gradient(self, x):
        value, covector = self.f.value_and_gradient(x)
        if self.noise is None:
            self.noise = Draws(self.rng, backend_of(covector), covector.dtype).normal(covector.shape)
        return value, covector + self.sigma * self.noise


class _InDualCoordinates(Objective):
    """f∘∇φ: its differential is G⁻¹ df (Amari's swap of gradients)."""

    def __init__(self, M, f):
        self.primal, self.f = M, f

    @property
    def manifold(self):
        return self.primal.dual

    def value_and_gradient(self, eta):
        theta = self.primal.to_theta(eta)
        value, covector = self.f.value_and_gradient(theta)
        return value, self.primal.sharp(theta, covector)

    def draw(self, rng):
        return _InDualCoordinates(self.primal, self.f.draw(rng))

    def in_dual_coordinates(self):
        return self.f


class _PulledBack(Objective):
    def __init__(self, f, map):
        self.f, self.map = f, map

    def value_and_gradient(self, u):
        value, covector = self.f.value_and_gradient(self.map(u))
        return value, self.map.pull_back(u, covector)

    def draw(self, rng):
        return _PulledBack(self.f.draw(rng), self.map)


class AffineMap:
    """u ↦ A u + b, a change of affine coordinates.

    Parameters
    ----------
    A : array, shape (d, m)
    b : array, shape (d,), optional
    """

    def __init__(self, A, b=None):
        xp, self.A = arrays(A)
        if self.A.ndim != 2:
            raise ShapeError(f"A must have shape (d, m); got {tuple(self.A.shape)}")
        self.b = xp.zeros(self.A.shape[0], dtype=self.A.dtype) if b is None else arrays(self.A, b)[2]
        if self.b.shape != (self.A.shape[0],):
            raise ShapeError(f"b must have shape ({self.A.shape[0]},); got {tuple(self.b.shape)}")

    def __call__(self, u):
        xp, A, u = arrays(self.A, u)
        return matvec(xp, A, u) + self.b

    def pull_back(self, u, covector):
        """Aᵀ c."""
        xp, A, covector = arrays(self.A, covector)
        return matvec(xp, xp.matrix_transpose(A), covector)
