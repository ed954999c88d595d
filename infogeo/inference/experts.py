"""Mixtures of conditional models, with gates that look at the inputs."""
from typing import Any

from ..arrays.joined import gathered
from ..backend import Array, arrays, backend_of
from ..errors import ShapeError, require, require_count, takes
from ..families.categorical import Categorical
from ..networks.model import ConditionalModel, CrossEntropyLoss, NegativeLogLikelihood
from ..numerics.exponentials import logsumexp
from ..solvers.lbfgs import lbfgs
from ..statistics.latent import LatentModel, require_parts

__all__ = ["Experts"]


class Experts(LatentModel):
    """Observations y of one of k conditional models of x, expert j with the probability that a gate gives at x.

    Mathematically, p(y, j | x) = g_j(x; v) p(y | x; w_j). The maximisation is a weighted fit of each expert, and one of the gate
    to the responsibilities; it goes by some steps of L-BFGS from where they are, which need not be all of the way: what it gains
    of the expected complete likelihood, the likelihood gains at least. The parameters are ``(gate, experts)``, shapes
    (gate.network.size,) and (k, expert.network.size).

    Parameters
    ----------
    expert : ConditionalModel
        Of any family and network; all experts are of this one.
    gate : ConditionalModel
        With `Categorical(k)` and the same inputs.
    steps : int
        Of L-BFGS, at most, in each maximisation.

    Shapes: the argument x of `em` is the pair (X, y), of shapes (n, *input_shape) and (n, *support.shape).
    Source: Jordan & Jacobs, Hierarchical mixtures of experts and the EM algorithm (1994).

    Examples
    --------
    >>> X = np.linspace(-1.0, 1.0, 60)[:, None]
    >>> y = np.random.default_rng(0).poisson(np.where(X[:, 0] > 0, 9.0, 1.0))
    >>> expert = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)), ig.Poisson())
    >>> gate = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)), ig.Categorical(2))
    >>> start = np.zeros(2), np.array([[0.0, 0.0], [0.0, 2.0]])
    >>> found = ig.statistics.em(ig.inference.Experts(expert, gate), (X, y), start, tol=1e-8, max_steps=100)
    >>> found.theta[1].round(1)        # log λ = a x + b of both experts
    array([[-1.1, -0.5],
           [-0.2,  2.4]])
    """

    @takes(expert=ConditionalModel, gate=ConditionalModel)
    def __init__(self, expert: ConditionalModel, gate: ConditionalModel, steps: int = 20) -> None:
        if not isinstance(gate.family, Categorical):
            raise TypeError(f"gate must be a model of categories, with Categorical(k); got {gate!r}")
        if expert.network.input_shape != gate.network.input_shape:
            raise ShapeError(f"expert and gate must take the same inputs; got {expert.network.input_shape} and "
                             f"{gate.network.input_shape}")
        self.expert, self.gate, self.k = expert, gate, gate.family.k
        self.steps = require_count("steps", steps)

    def __repr__(self) -> str:
        return f"Experts({self.expert!r}, {self.gate!r})"

    def prepared(self, x: Any, start: Any) -> tuple[Any, Any]:
        if not isinstance(x, (tuple, list)) or len(x) != 2:
            raise TypeError(f"x must be the pair (X, y); got {x!r}")
        xp, X, y, gate, experts = gathered(*x, *require_parts(start, "gate", "experts"))
        shapes = (self.gate.network.size,), (self.k, self.expert.network.size)
        if (tuple(gate.shape), tuple(experts.shape)) != shapes:
            raise ShapeError(f"gate and experts must have shapes {shapes[0]} and {shapes[1]}; got {tuple(gate.shape)} and "
                             f"{tuple(experts.shape)}")
        for name, part in (("gate", gate), ("experts", experts)):
            require(name, f"{name} finite", xp.isfinite(part), part)
        found = NegativeLogLikelihood(self.expert, (X, y))
        return (found.x, found.y), (gate, experts)

    def _log_parts(self, x: Any, theta: Any) -> tuple[Array, Array]:
        """log g_j(x_i) and log p(y_i | x_i; w_j), shapes (k, n)."""
        (X, y), (gate, experts) = x, theta
        xp = backend_of(X)
        labels = xp.astype(xp.arange(self.k)[:, None], X.dtype)
        return (self.gate.family.log_density(self.gate.theta(gate, X)[None, ...], labels),
                self.expert.family.log_density(self.expert.theta(experts, X), y))

    def expect(self, x: Any, theta: Any) -> tuple[Array, Any]:
        """The responsibilities, shape (k, n), and the parameters that they are of."""
        of_gate, of_experts = self._log_parts(x, theta)
        joint = of_gate + of_experts
        xp, total = backend_of(joint), logsumexp(joint, axis=0)
        return xp.mean(total), (xp.exp(joint - total), theta)

    def maximise(self, x: Any, statistics: Any) -> Any:
        (X, y), (share, (gate, experts)) = x, statistics
        xp = backend_of(share)
        labels = self.gate.family.sufficient_statistic(xp.arange(self.k))
        target = xp.matmul(share.T, xp.astype(labels, share.dtype))
        fitted = [lbfgs(NegativeLogLikelihood(self.expert, (X, y, share[j, :])), experts[j, :], max_steps=self.steps).x
                  for j in range(self.k)]
        return lbfgs(CrossEntropyLoss(self.gate, (X, target)), gate, max_steps=self.steps).x, xp.stack(fitted)

    def divergence(self, x: Any, statistics: Any, new: Any, old: Any) -> Array:
        share, xp, gain = statistics[0], backend_of(statistics[0]), 0.0
        for after, before in zip(self._log_parts(x, new), self._log_parts(x, old)):
            counts = (share > 0) & (after != before)            # of no share both may be −∞
            blank = xp.zeros_like(share)
            gain = gain + xp.sum(share * (xp.where(counts, after, blank) - xp.where(counts, before, blank)))
        return gain / share.shape[1]

    def vector(self, theta: Any) -> Array:
        xp, gate, experts = arrays(*theta)
        return xp.concat([gate, xp.reshape(experts, (-1,))])

    def from_vector(self, vector: Array, like: Any) -> Any:
        size = self.gate.network.size
        return vector[:size], backend_of(vector).reshape(vector[size:], like[1].shape)
