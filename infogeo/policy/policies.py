"""The manifold of the policies of a Markov decision process."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..backend import Array, Namespace
from ..domains.convex import ConvexDomain
from ..geometry.manifolds.manifold import Riemannian

if TYPE_CHECKING:
    from .finite import FiniteMDP

__all__ = ["AveragedLaws", "Policies"]


class Policies(Riemannian):
    """Policies θ under the Fisher metric of a state that the process is in: G(θ) = E_{s ∼ d(θ)} of those of the actions' laws.

    Mathematically, a block d(s) (diag π_s − π_s π_sᵀ) a state, d the occupancy of θ itself. Source: Kakade, A natural policy
    gradient (2002).

    Examples
    --------
    >>> P = [[[1.0, 0.0], [0.0, 1.0]]] * 2          # action a leads to state a
    >>> mdp = ig.policy.FiniteMDP(P, [[0.0, 0.0], [0.0, 1.0]], discount=0.9)
    >>> mdp.policies().metric(np.zeros(2)).round(4)  # d(s) ¼ in each state
    array([[0.125, 0.   ],
           [0.   , 0.125]])
    """

    def __init__(self, mdp: FiniteMDP) -> None:
        if not callable(getattr(mdp, "policies", None)):        # FiniteMDP itself stands above this file
            raise TypeError(f"Policies takes a FiniteMDP as its argument mdp; got {mdp!r}")
        self.mdp, self.family, self.dim = mdp, mdp.family, mdp.dim

    def __repr__(self) -> str:
        return f"{self.mdp!r}.policies()"

    @property
    def domain(self) -> ConvexDomain:
        domain: ConvexDomain = self.family.theta_domain
        return domain

    def seen_from(self, theta: Array) -> AveragedLaws:
        """The geometry of policies in the states of the policy θ, whatever they would lead to themselves."""
        return AveragedLaws(self.family, self.mdp.occupancy(theta))

    def _metric(self, xp: Namespace, x: Array) -> Array:
        return self.seen_from(x).metric(x)

    def _flat(self, xp: Namespace, x: Array, vector: Array) -> Array:
        return self.seen_from(x).flat(x, vector)

    def _sharp(self, xp: Namespace, x: Array, covector: Array) -> Array:
        raised: Array = self.family.sharp(x, covector / self.seen_from(x).weights(x))
        return raised

    def _root(self, xp: Namespace, x: Array, z: Array) -> Array:
        root: Array = xp.sqrt(self.seen_from(x).weights(x)) * self.family.root(x, z)
        return root

    def divergence(self, theta_p: Array, theta_q: Array) -> Array:
        """Σ d_p(s) KL(π_p(· | s) ‖ π_q(· | s)), shape (...), nats: what a step from θ_p to θ_q changes where θ_p leads."""
        return self.seen_from(theta_p).divergence(theta_p, theta_q)


class AveragedLaws:
    """The mean over weighted states of the potentials of the laws in them, and what follows from it.

    Parameters
    ----------
    family : Independent
        One law a state.
    occupancy : array, shape (..., S)
        The weights of the states.

    Examples
    --------
    >>> family = ig.Independent(ig.Bernoulli(), 2)  # a coin in each state
    >>> laws = ig.policy.AveragedLaws(family, np.array([0.75, 0.25]))
    >>> np.diag(laws.metric(np.zeros(2)))           # of ¼
    array([0.1875, 0.0625])
    """

    def __init__(self, family: Any, occupancy: Array) -> None:
        self.family, self.occupancy = family, occupancy

    def weights(self, theta: Array) -> Array:
        """The weight of each coordinate, shape (..., S (A − 1))."""
        xp, d = self.family.point(theta)[0], self.occupancy
        per = self.family.family.dim
        return xp.reshape(xp.broadcast_to(d[..., None], (*d.shape, per)), (*d.shape[:-1], self.family.dim))

    def _by_state(self, theta: Array) -> tuple[Namespace, Array]:
        xp, theta = self.family.point(theta)
        return xp, self.family.base.rows(xp, theta)

    def potential(self, theta: Array) -> Array:
        """Σ d(s) ψ(θ_s), shape (...)."""
        xp, rows = self._by_state(theta)
        return xp.sum(self.occupancy * self.family.family.potential(rows), axis=-1)

    def to_eta(self, theta: Array) -> Array:
        """Its gradient d(s) η_s, shape (..., S (A − 1))."""
        eta: Array = self.weights(theta) * self.family.to_eta(theta)
        return eta

    def metric(self, theta: Array) -> Array:
        """Its Hessian, shape (..., S (A − 1), S (A − 1))."""
        metric: Array = self.weights(theta)[..., None] * self.family.metric(theta)
        return metric

    def flat(self, theta: Array, vector: Array) -> Array:
        """Its Hessian times a vector, shape (..., S (A − 1))."""
        lowered: Array = self.weights(theta) * self.family.flat(theta, vector)
        return lowered

    def divergence(self, theta_p: Array, theta_q: Array) -> Array:
        """Σ d(s) KL(π_p(· | s) ‖ π_q(· | s)), shape (...), nats."""
        xp, rows_p = self._by_state(theta_p)
        return xp.sum(self.occupancy * self.family.family.divergence(rows_p, self._by_state(theta_q)[1]), axis=-1)
