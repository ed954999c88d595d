"""Log-linear policies on features of states, as a manifold on which bounds on divergence and entropy are exact."""
from typing import Any

from ..backend import Array, arrays
from ..curvature.damping import Damping
from ..curvature.fisher import fisher
from ..curvature.weight_space import WeightSpace
from ..domains.chart import IdentityChart
from ..errors import takes
from ..networks.affine import Affine
from ..networks.model import Batch, ConditionalModel

__all__ = ["LogLinearPolicies"]


class LogLinearPolicies(WeightSpace):
    """The weights of policies whose θ is linear in them, under the Fisher metric of the states at hand.

    Mathematically, θ(s) = W φ(s) makes w ↦ (1/n) Σ ψ(θ_w(s_n)) convex, with the metric as its Hessian: the geometry that
    `EntropyBounded` asks for, states being those of a step.

    Parameters
    ----------
    model : ConditionalModel
        With one layer of weights and nothing after it, such as ``MLP((features, actions - 1))``.
    batch : pair (states, actions), or None
        None where only steps have examples.
    damping : Damping
        Of the natural gradient; more weights than the states tell apart need one.

    Raises
    ------
    TypeError
        For a network that is not linear in its weights.

    Examples
    --------
    >>> network = ig.networks.MLP((2, 1), bias=False)
    >>> model = ig.networks.ConditionalModel(network, ig.Bernoulli())
    >>> batch = np.array([[1.0, 0.0], [0.0, 2.0]]), None      # the features φ
    >>> M = ig.policy.LogLinearPolicies(model, batch, ig.curvature.Undamped())
    >>> M.metric(np.zeros(2))                       # ¼ of the mean of φ φᵀ
    array([[0.125, 0.   ],
           [0.   , 0.5  ]])
    """

    @takes(model=ConditionalModel, damping=Damping)
    def __init__(self, model: ConditionalModel, batch: Batch | None, damping: Damping) -> None:
        layers = model.network.steps
        linear = [isinstance(layer, Affine) for layer in layers]
        if sum(linear) != 1 or not linear[-1] or not isinstance(model.chart, IdentityChart):
            raise TypeError("LogLinearPolicies needs a network with one layer of weights, its last, and the identity as its "
                            f"chart; got {model!r}")
        super().__init__(model, batch, fisher, damping)

    def seen_from(self, w: Array) -> "LogLinearPolicies":
        """Itself: the states are those of the batch."""
        return self

    @property
    def _states(self) -> Array:
        return self.batch[0]

    def potential(self, w: Array) -> Array:
        """(1/n) Σ ψ(θ_n), shape (...)."""
        family: Any = self.model.family
        value = family.potential(self.model.theta(w, self._states))
        return arrays(value)[0].mean(value, axis=-1)

    def to_eta(self, w: Array) -> Array:
        """Its gradient, (1/n) Σ J_nᵀ η_n, shape (..., size)."""
        done = self.model.record(w, self._states)
        return done.vjp(self.model.family.to_eta(done.theta) / done.n)

    def flat(self, w: Array, vector: Array) -> Array:
        """Its Hessian times a vector, without damping, shape (..., size)."""
        return self.model.fisher_vector(w, self._states, vector)
