"""EK-FAC: the eigenbases of K-FAC's factors, found seldom, with second moments in them that every step adds to."""
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..backend import Array, Namespace, backend_of
from ..curvature.ekfac import EigenFactors
from ..curvature.kronecker_factors import Averaged, KroneckerFactors
from ..curvature.outputs import Given
from ..networks.model import NegativeLogLikelihood
from .kfac import KFAC, KFACState

__all__ = ["EKFAC", "EigenMemory"]


class EigenMemory(NamedTuple):
    """The running averages of the Kronecker factors, and of the second moments in the eigenbases that they had last.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((50, 2))
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((2, 1)),
    ...                                      ig.Bernoulli())
    >>> loss = model.objective((x, x[:, 0] + x[:, 1]**2 > 0))
    >>> run = ig.descend(loss, np.zeros(3), update=ig.training.EKFAC(),
    ...                  step=1.0, max_steps=5)
    >>> memory = run.state.factors
    >>> memory.kronecker.k, [S.shape for S in memory.moments.value.S]
    (5, [(3, 1)])
    """

    kronecker: Averaged
    moments: Averaged


@dataclass(eq=False)
class EKFAC(KFAC):
    """`KFAC` with a curvature that is diagonal in the eigenbases of its factors: the bases seldom, the second moments every step.

    Mathematically, with the eigenbases Q_a and Q_b of Ā and G, renewed as `refresh` says, S is the running average of
    (Q_aᵀ V Q_b)² over the covectors V of every step, starting at what Ā ⊗ G has there; the inverse is diagonal in this basis with
    1 / (S + γ²), and new in every step.

    Source: George, Laurent, Bouthillier, Ballas & Vincent, Fast approximate natural gradient descent in a Kronecker-factored
    eigenbasis (2018), algorithm 1.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((100, 2))
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((2, 8, 1)),
    ...                                      ig.Bernoulli())
    >>> found = ig.training.fit(model, (x, x[:, 0] > 0),
    ...                         optimiser=ig.training.EKFAC(), max_epochs=20)
    >>> found.losses[-1] < 0.5 * found.losses[0]
    True
    """

    keeps_inverse = False

    def init(self, x: Array) -> KFACState:
        return KFACState(factors=EigenMemory(self.averaging.init(), self.averaging.init()))

    def remembered(self, factors: EigenMemory, loss: NegativeLogLikelihood, w: Array, k: int) -> EigenMemory:
        """The Kronecker factors learn as `learning` says, the second moments at every step."""
        assert self.outputs is not None
        (kronecker, moments), part = factors, self.statistics.part(loss)
        done, batch = part.record(w), part.batch
        outputs = Given(tuple(self.outputs.groups(done.model.family, done.theta, batch)))        # the same for both
        if k == 1 or self.learning.due(k):
            fresh = self.factors.of_pass(done, batch, outputs=outputs, sharing=self.sharing)
            kronecker = self.averaging.update(kronecker, fresh)
        if moments.value is None or self.refresh.due(k):
            moments = Averaged(1, _in_own_bases(kronecker.value, done.theta.dtype))
        here = EigenFactors.of_pass(done, batch, moments.value.bases, outputs=outputs)
        return EigenMemory(kronecker, self.averaging.update(moments, here))

    def damped(self, factors: EigenMemory, gamma: float) -> Any:
        return factors.moments.value.operator().shifted(gamma * gamma)


def _in_own_bases(factors: KroneckerFactors, dtype: Any) -> EigenFactors:
    """Kronecker factors as second moments in their own eigenbases."""
    def diagonal(xp: Namespace, Q: Array, matrix: Array) -> Array:
        return xp.sum(Q * xp.matmul(matrix, Q), axis=-2)

    bases, S = factors.bases(), []
    for (Q_a, Q_b), A, G in zip(bases, factors.A, factors.G):
        xp = backend_of(Q_a)
        A, G = (xp.astype(x, Q.dtype, copy=False) for x, Q in ((A, Q_a), (G, Q_b)))
        S.append(diagonal(xp, Q_a, A)[:, None] * diagonal(xp, Q_b, G))
    return EigenFactors(bases, tuple(S), dtype)
