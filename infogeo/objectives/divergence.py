"""The two Kullback–Leibler divergences from or to a target as objectives."""
from typing import Any

from ..arrays.kept import kept
from ..backend import Array, batch_contiguous, dot
from .base import Objective

__all__ = ["CrossEntropy", "ReverseKL", "require_manifold"]


def require_manifold(name: str, M: Any, what: str = "DuallyFlat", has: str = "eta_domain") -> Any:
    """The manifold of an objective. Raises TypeError where it is something else."""
    if isinstance(M, type) or not hasattr(M, has):
        raise TypeError(f"{name} takes a {what} first, such as Categorical(3); got {M!r}")
    return M


class CrossEntropy(Objective):
    """f(θ) = ψ(θ) − θ·η̂, which is KL(p̂‖p_θ) up to a constant: maximum likelihood, the forward divergence.

    Mathematically, df = η(θ) − η̂; the minimum is at η(θ) = η̂.

    Parameters
    ----------
    M : DuallyFlat
    eta_hat : array, shape (..., d)
        The target in η, in the domain of η; a copy is kept.

    Units: nats, without the base measure's share −E[log h].
    """

    def __init__(self, M: Any, eta_hat: Array) -> None:
        self.manifold = require_manifold("CrossEntropy", M)
        self.eta_hat = kept(batch_contiguous(M.eta_domain.require("eta_hat", eta_hat)))
        self.rows = tuple(self.eta_hat.shape[:-1])

    def __repr__(self) -> str:
        return f"CrossEntropy({self.manifold!r}, eta_hat of shape {tuple(self.eta_hat.shape)})"

    def value_and_gradient(self, theta: Array) -> tuple[Array, Array]:
        potential, eta = self.manifold.potential_and_eta(theta)
        return potential - dot(theta, self.eta_hat), eta - self.eta_hat


class ReverseKL(Objective):
    """f(θ) = D(p_θ‖q), the reverse divergence KL(p_θ‖q): the variational objective.

    Mathematically, df = G(θ)(θ − θ_q); in the chart η the differential is θ − θ_q.

    Parameters
    ----------
    M : DuallyFlat
    theta_hat : array, shape (..., d)
        The target in θ, in the domain of θ; a copy is kept.

    Units: nats.
    """

    def __init__(self, M: Any, theta_hat: Array) -> None:
        self.manifold = require_manifold("ReverseKL", M)
        self.theta_hat = kept(batch_contiguous(M.theta_domain.require("theta_hat", theta_hat)))
        self.rows = tuple(self.theta_hat.shape[:-1])

    def __repr__(self) -> str:
        return f"ReverseKL({self.manifold!r}, theta_hat of shape {tuple(self.theta_hat.shape)})"

    def value_and_gradient(self, theta: Array) -> tuple[Array, Array]:
        M, (_, theta, theta_hat) = self.manifold, self.manifold.point(theta, self.theta_hat)
        return M.divergence(theta, theta_hat), M.flat(theta, theta - theta_hat)
