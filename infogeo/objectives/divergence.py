"""The two Kullback–Leibler divergences from or to a target as objectives."""
from copy import copy
from typing import Any

from ..arrays.joined import joined
from ..arrays.kept import kept
from ..arrays.tracing import surely
from ..backend import Array, Namespace, backend_of, batch_contiguous, dot
from ..errors import shown
from ..numerics.linalg import matvec
from .base import Objective

__all__ = ["CrossEntropy", "ReverseKL", "require_manifold"]


def require_manifold(name: str, M: Any, what: str = "DuallyFlat", has: str = "eta_domain") -> Any:
    """The manifold of an objective. Raises TypeError where it is something else."""
    if isinstance(M, type) or not hasattr(M, has):
        raise TypeError(f"{name} takes a {what} first, such as Categorical(3); got {shown(M)}")
    return M


class CrossEntropy(Objective):
    """f(θ) = ψ(θ) − θ·η̂, which is KL(p̂‖p_θ) up to a constant: maximum likelihood, the forward divergence.

    Mathematically, df = η(θ) − η̂; the minimum is at η(θ) = η̂.

    Parameters
    ----------
    M : DuallyFlat
    eta_hat : array, shape (..., d)
        The target in η, in the domain of η; a copy is kept.

    Attributes
    ----------
    relative_smoothness : float
        1: f is exactly as curved as ψ, so that mirror descent with h = 1 is at the minimum in one step.

    Units: nats, without the base measure's share −E[log h].

    Examples
    --------
    >>> f = ig.CrossEntropy(ig.Categorical(3), [0.5, 0.3])
    >>> f.value_and_gradient([0.0, 0.0])[1].round(4)
    array([-0.1667,  0.0333])
    """

    relative_smoothness: float = 1.0

    on_face: bool = False         # whether the target is a limit at which θ_i may be −∞ where η̂_i = 0

    def __init__(self, M: Any, eta_hat: Array) -> None:
        self.manifold = require_manifold("CrossEntropy", M)
        self.eta_hat = kept(batch_contiguous(M.eta_domain.require("eta_hat", eta_hat)))
        self.rows = tuple(self.eta_hat.shape[:-1])
        xp = backend_of(self.eta_hat)
        self.on_face = M.eta_domain.closed and not surely(xp, xp.all(self.eta_hat != 0))

    def __repr__(self) -> str:
        return f"CrossEntropy({self.manifold!r}, eta_hat of shape {tuple(self.eta_hat.shape)})"

    def value_and_gradient(self, theta: Array) -> tuple[Array, Array]:
        xp, theta, eta_hat = joined(theta, self.eta_hat)
        potential, eta = self.manifold.potential_and_eta(theta)
        product = _with_limits(xp, theta, eta_hat) if self.on_face else dot(theta, eta_hat)
        return potential - product, eta - eta_hat

    def part(self, rows: Any) -> Objective:
        part = copy(self)
        part.eta_hat = rows(self.eta_hat, 1)
        part.rows = tuple(part.eta_hat.shape[:-1])
        return part

    def hessian(self, theta: Array) -> Array:
        """The Fisher metric G(θ), shape (..., d, d)."""
        return self.manifold.metric(joined(theta, self.eta_hat)[1])


class ReverseKL(Objective):
    """f(θ) = D(p_θ‖q), the reverse divergence KL(p_θ‖q): the variational objective.

    Mathematically, df = G(θ)(θ − θ_q); in the chart η the differential is θ − θ_q.

    Parameters
    ----------
    M : DuallyFlat
    theta_hat : array, shape (..., d)
        The target in θ, in the domain of θ; a copy is kept.

    Units: nats.

    Examples
    --------
    >>> f = ig.ReverseKL(ig.Exponential(), [-1.0])
    >>> f.value_and_gradient([-1.0])
    (np.float64(0.0), array([0.]))
    """

    def __init__(self, M: Any, theta_hat: Array) -> None:
        self.manifold = require_manifold("ReverseKL", M)
        self.theta_hat = kept(batch_contiguous(M.theta_domain.require("theta_hat", theta_hat)))
        self.rows = tuple(self.theta_hat.shape[:-1])

    def __repr__(self) -> str:
        return f"ReverseKL({self.manifold!r}, theta_hat of shape {tuple(self.theta_hat.shape)})"

    def value_and_gradient(self, theta: Array) -> tuple[Array, Array]:
        M, (_, theta, theta_hat) = self.manifold, self.manifold.point(*joined(theta, self.theta_hat)[1:])
        return M.divergence(theta, theta_hat), M.flat(theta, theta - theta_hat)

    def part(self, rows: Any) -> Objective:
        part = copy(self)
        part.theta_hat = rows(self.theta_hat, 1)
        part.rows = tuple(part.theta_hat.shape[:-1])
        return part

    def hessian(self, theta: Array) -> Array:
        """G(θ) + T(θ)(θ − θ̂) with the cubic tensor T, shape (..., d, d)."""
        M, (xp, theta, theta_hat) = self.manifold, self.manifold.point(*joined(theta, self.theta_hat)[1:])
        return M.metric(theta) + matvec(xp, M.cubic_tensor(theta), (theta - theta_hat)[..., None, :])


def _with_limits(xp: Namespace, theta: Array, eta: Array) -> Array:
    """θ·η with −∞ · 0 = 0, as of x log x at 0."""
    return xp.sum(xp.where(eta == 0, 0.0 * eta, theta * eta), axis=-1)
