"""The problem of a study: a family, a target q, a direction of the divergence; and the methods that are compared on it."""
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..backend import backend_of, to_numpy
from ..errors import DomainError
from ..families.base import ExponentialFamily
from ..families.bernoulli import Bernoulli
from ..families.categorical import Categorical
from ..solvers.objective import CrossEntropy, ReverseKL
from ..solvers.update import GradientUpdate, MirrorUpdate, NaturalUpdate, Update

__all__ = ["METHODS", "ForwardKL", "Method", "Problem"]

TOO_NEAR = 1e-3        # nats


class ForwardKL(CrossEntropy):
    """The cross-entropy with KL(q‖p) itself as its value, which does not cancel near the target.

    Units: nats.
    """

    def __init__(self, family, theta_hat):
        super().__init__(family, family.to_eta(theta_hat))
        self.theta_hat = theta_hat

    def value_and_gradient(self, theta):
        M = self.manifold
        return M.kl(self.theta_hat, theta), M.to_eta(theta) - self.eta_hat


@dataclass(frozen=True)
class Method:
    """An update in a chart."""

    name: str
    label: str
    chart: str
    update: Update

    @property
    def hessian(self):
        """Which of the spectra (θ, η, natural) rules its convergence."""
        if not isinstance(self.update, GradientUpdate):
            return 2
        return 0 if self.chart == "theta" else 1


METHODS = {method.name: method for method in (
    Method("gd_theta", "gradient descent in θ", "theta", GradientUpdate()),
    Method("gd_eta", "gradient descent in η", "eta", GradientUpdate()),
    Method("ng_theta", "natural gradient in θ", "theta", NaturalUpdate()),
    Method("ng_eta", "natural gradient in η", "eta", NaturalUpdate()),
    Method("md_theta", "mirror descent in θ", "theta", MirrorUpdate()),
    Method("md_eta", "mirror descent in η", "eta", MirrorUpdate()),
)}


@dataclass(frozen=True)
class Problem:
    """Minimise KL(q‖p) (forward) or KL(p‖q) (reverse) over p in a family, for a target q in it.

    Shapes: theta (d,), the target in θ.
    """

    family: ExponentialFamily
    theta: Any
    direction: str = "forward"

    def __post_init__(self):
        if self.direction not in ("forward", "reverse"):
            raise ValueError(f"direction must be 'forward' or 'reverse'; got {self.direction!r}")
        object.__setattr__(self, "theta", self.family.theta_domain.require("theta", self.theta))

    @cached_property
    def eta(self):
        return self.family.to_eta(self.theta)

    @property
    def on_simplex(self):
        """Whether p is a vector of probabilities, the setting of the claims."""
        return isinstance(self.family, (Bernoulli, Categorical))

    @cached_property
    def objective(self):
        """The divergence as a function of θ."""
        return ForwardKL(self.family, self.theta) if self.direction == "forward" else ReverseKL(self.family, self.theta)

    def setting(self, method):
        """``(geometry, objective)`` in the method's chart."""
        if method.chart == "theta":
            return self.family, self.objective
        return self.family.dual, self.objective.in_dual_coordinates()

    def target_in(self, chart):
        return self.theta if chart == "theta" else self.eta

    def from_theta(self, chart, theta):
        return theta if chart == "theta" else self.family.to_eta(theta)

    def to_theta(self, chart, x):
        return x if chart == "theta" else self.family.to_theta(x)

    def kl(self, theta):
        """The divergence that is minimised, shape (...), nats."""
        return self.family.kl(self.theta, theta) if self.direction == "forward" else self.family.kl(theta, self.theta)

    def starts(self, rng, n):
        """n + 1 starting points in θ, shape (n + 1, d).

        On the simplex all are draws of uniform density (Dirichlet(1, …, 1)), but for the first, which is the uniform distribution
        (θ = 0) unless the target is within `TOO_NEAR` of that. In other families all are uniform in the unit ball of the Fisher
        metric at the target, the Dikin ellipsoid |θ − θ_q|_G < 1, without what of it is outside the domain.
        """
        d = self.family.dim
        if self.on_simplex:
            weight = rng.standard_exponential((n + 1, d + 1))
            if self.kl(backend_of(self.theta).zeros_like(self.theta)) > TOO_NEAR:
                weight[0] = 1.0
            return backend_of(self.theta).asarray(np.log(weight[:, :-1] / weight[:, -1:]), dtype=self.theta.dtype)
        root = np.linalg.cholesky(to_numpy(self.family.metric(self.theta)))
        kept = []
        for _ in range(1000):
            u = rng.standard_normal((n + 1, d))
            u = u / np.linalg.norm(u, axis=-1, keepdims=True) * rng.random((n + 1, 1)) ** (1 / d)
            theta = self.theta + backend_of(self.theta).asarray(np.linalg.solve(root.T, u.T).T, dtype=self.theta.dtype)
            inside = to_numpy(self.family.theta_domain.contains(theta))
            kept.extend(to_numpy(theta)[inside])
            if len(kept) > n:
                return backend_of(self.theta).asarray(np.stack(kept[:n + 1]), dtype=self.theta.dtype)
        raise DomainError(f"no {n + 1} starting points of {self.family!r} found around the target")
