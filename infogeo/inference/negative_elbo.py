"""The variational objective: minus the evidence lower bound, differential in the expectation parameters of q."""
from collections.abc import Callable
from typing import Any

from ..arrays.joined import listed
from ..backend import Array
from ..errors import shown
from ..families.base import ExponentialFamily
from ..objectives.base import Objective
from .expectations import Expectation
from .low_rank_normal import LowRankNormal

__all__ = ["NegativeELBO"]


class NegativeELBO(Objective):
    """f(η) = E_q[log q(z) − log p(x, z)], minus the evidence lower bound of q: the objective of variational inference.

    Mathematically, with g = log p(x, z) − log h(z) and the dual potential φ of q,

    - f(η) = φ(η) − E_q[g], and f ≥ −log p(x), with equality where q is the posterior
    - ∇f = θ − ∇_η E_q[g], so that a natural step of size ρ is θ⁺ = (1 − ρ) θ + ρ ∇_η E_q[g]: mirror descent on ``q.dual``
    - where g is linear in T, as in a conjugate model, ∇_η E_q[g] is the posterior's θ, and a step with ρ = 1 ends there

    Parameters
    ----------
    q : ExponentialFamily or LowRankNormal
        Of the posterior. The second is no exponential family: its run is one of `NaturalUpdate` in its own coordinates.
    log_joint : function z -> log p(x, z), or a model
        z has the shape (..., *q.support.shape), the values (...). Models such as `LogisticRegression` and `ConjugateModel` know
        their own expectation; that of Bonnet and Price asks for the methods `gradient` and `hessian`.
    expectation : Expectation, optional
        How E_q[g] and its differential are formed; the model's own where it has one.

    Shapes: η (..., q.dim).
    Units: nats.
    Raises: TypeError where there is no expectation, or the model does not have what it asks for.
    Source: Khan & Lin, Conjugate-computation variational inference (2017); Khan & Rue, The Bayesian learning rule (2021).

    Examples
    --------
    >>> import infogeo as ig
    >>> q = ig.Gamma()
    >>> f = ig.inference.NegativeELBO(q, lambda z: 3.0 * np.log(z) - 2.0 * z, ig.inference.QuadratureExpectation())
    >>> run = ig.descend(f, [0.0, 2.0], geometry=q.dual, update=ig.MirrorUpdate(), step=1.0, max_steps=1)
    >>> q.parameters(q.to_theta(run.x))["shape"].round(9)
    np.float64(4.0)
    """

    def __init__(self, q: ExponentialFamily | LowRankNormal, log_joint: Callable[[Array], Array] | Any,
                 expectation: Expectation | None = None) -> None:
        if not isinstance(q, (ExponentialFamily, LowRankNormal)):
            raise TypeError(f"NegativeELBO takes an ExponentialFamily or a LowRankNormal as its argument q; got {shown(q)}")
        if isinstance(log_joint, type) or not (callable(log_joint) or hasattr(log_joint, "expectation")):
            raise TypeError(f"log_joint must be a function z -> log p(x, z) or a model; got {shown(log_joint)}")
        found = getattr(log_joint, "expectation", None) if expectation is None else expectation
        if not isinstance(found, Expectation):
            raise TypeError("expectation must be an Expectation, such as QuadratureExpectation() or MonteCarloExpectation(100); "
                            f"got {shown(found)}")
        self.q: Any = q
        self.expectation = found
        self.log_joint: Any = log_joint
        found.require(q, log_joint)          # type: ignore[arg-type]

    def __repr__(self) -> str:
        return f"NegativeELBO({self.q!r}, {self.log_joint!r}, {self.expectation!r})"

    @property
    def manifold(self) -> Any:
        return self.q if isinstance(self.q, LowRankNormal) else self.q.dual

    @property
    def state(self) -> Any:
        """That of the model, for snapshots: which observations were seen in this pass; None where it has none."""
        return getattr(self.log_joint, "state", None)

    @state.setter
    def state(self, value: Any) -> None:
        self.log_joint.state = value

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        _, eta = self.q.point(listed(x, self.log_joint))
        if isinstance(self.q, LowRankNormal):
            value, covector = self.expectation(self.q, eta, self.log_joint)     # type: ignore[arg-type]
            return self.q.dual_potential(eta) - value, self.q.dual_potential_covector(eta) - covector
        theta = self.q.to_theta(eta)
        value, covector = self.expectation(self.q, theta, self.log_joint)
        return self.q.dual_potential(eta) - value, theta - covector

    def draw(self, rng: Any) -> Objective:
        """That of fresh random points, and of a mini-batch of a model that draws; itself where nothing is random."""
        expectation = self.expectation.draw(rng)
        draw = getattr(self.log_joint, "draw", None)
        log_joint = self.log_joint if draw is None else draw(rng)
        if expectation is self.expectation and log_joint is self.log_joint:
            return self
        return NegativeELBO(self.q, log_joint, expectation)
