"""The problem of a study: a divergence to be minimised between the members of a family and a target among them."""
from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any

import numpy as np

from ..backend import Array, backend_of, to_numpy
from ..errors import DomainError, ShapeError
from ..families.base import ExponentialFamily
from ..objectives.base import Objective
from ..objectives.divergence import CrossEntropy, ReverseKL
from .chart import ETA, THETA, FlatChart

__all__ = ["DIRECTIONS", "DivergenceProblem", "ForwardKL", "ForwardProblem", "Problem", "ReverseProblem"]

TOO_NEAR = 1e-3        # nats; nearer to the target the uniform distribution is no start that shows anything
DRAWS = 1000           # rounds of draws around the target before a domain is given up that leaves next to nothing of the ball


class ForwardKL(CrossEntropy):
    """The cross-entropy with KL(q‖p) itself as its value, which does not cancel near the target.

    Units: nats.

    Examples
    --------
    >>> M = ig.Bernoulli()                          # KL, not up to a constant
    >>> f = ig.studies.ForwardKL(M, M.theta_from(probability=0.5))
    >>> value, covector = f.value_and_gradient(M.theta_from(probability=0.5))
    >>> float(value), covector
    (0.0, array([0.]))
    """

    def __init__(self, family: ExponentialFamily, theta_hat: Array) -> None:
        super().__init__(family, family.to_eta(theta_hat))
        self.theta_hat = theta_hat

    def value_and_gradient(self, theta: Array) -> tuple[Array, Array]:
        M = self.manifold
        return M.kl(self.theta_hat, theta), M.to_eta(theta) - self.eta_hat


class Problem(ABC):
    """Minimise a divergence between p and a target q over p, both in one family.

    Attributes
    ----------
    direction, symbol : str
        The divergence in files and options, and in titles.
    straight, bent : FlatChart
        The chart in which natural gradient goes straight to the target, and the other one.
    is_cross_entropy : bool
        Whether the divergence is a cross-entropy less the entropy of the target.
    is_finite_at_vertices : bool
        Whether it stays finite where p gives all probability to one outcome.
    is_kl : bool
        Whether it is a Kullback–Leibler divergence, which the claims are about.
    curvature : float
        f″(1): near the target the divergence is ½ f″(1) Δ·GΔ.

    Shapes: theta (d,), the target in θ.

    Examples
    --------
    >>> M = ig.Exponential()     # where natural gradient is straight
    >>> for posed in (ig.studies.ForwardProblem, ig.studies.ReverseProblem):
    ...     problem = posed(M, M.theta_from(rate=1.0))
    ...     print(problem.symbol, problem.straight.name)
    KL(q‖p) eta
    KL(p‖q) theta
    """

    direction: str
    symbol: str
    straight: FlatChart
    bent: FlatChart
    is_cross_entropy: bool
    is_finite_at_vertices: bool
    is_kl: bool = True
    curvature: float = 1.0

    def __init__(self, family: ExponentialFamily, theta: Array) -> None:
        self.family, self.theta = family, family.theta_domain.require("theta", theta)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.family!r}, {self.theta})"

    @cached_property
    def eta(self) -> Array:
        """The target in η, shape (d,)."""
        return self.family.to_eta(self.theta)

    @property
    @abstractmethod
    def objective(self) -> Objective:
        """The divergence as a function of θ."""

    @abstractmethod
    def kl(self, theta: Array) -> Array:
        """The divergence that is minimised, shape (...), nats."""

    def gradient(self, theta: Array) -> Array:
        """The differential alone, in θ, shape (..., d): all that a flow asks of a divergence."""
        covector: Array = self.objective.value_and_gradient(theta)[1]
        return covector

    @abstractmethod
    def displacement(self, error: Array) -> Array:
        """By how much errors of the target's η move it in the chart of `straight`, to first order, shape (..., d)."""

    @abstractmethod
    def differential(self, theta: Array, displacement: Array) -> Array:
        """What is subtracted from the objective's differential at θ where the target is moved so, shape (..., d)."""

    def starts(self, rng: np.random.Generator, n: int) -> Array:
        """n + 1 starting points in θ, shape (n + 1, d).

        On the simplex all are draws of uniform density (Dirichlet(1, …, 1)), but for the first, which is the uniform distribution
        (θ = 0) unless the target is within `TOO_NEAR` of that. In other families all are uniform in the unit ball of the Fisher
        metric at the target, the Dikin ellipsoid |θ − θ_q|_G < 1, without what of it is outside the domain.
        """
        d = self.family.dim
        if self.family.on_simplex:
            weight = rng.standard_exponential((n + 1, d + 1))
            if self.kl(backend_of(self.theta).zeros_like(self.theta)) > TOO_NEAR:
                weight[0] = 1.0
            return self._array(np.log(weight[:, :-1] / weight[:, -1:]))
        root = np.linalg.cholesky(to_numpy(self.family.metric(self.theta)))
        kept: list[np.ndarray] = []
        for _ in range(DRAWS):
            u = rng.standard_normal((n + 1, d))
            u = u / np.linalg.norm(u, axis=-1, keepdims=True) * rng.random((n + 1, 1)) ** (1 / d)
            theta = self.theta + self._array(np.linalg.solve(root.T, u.T).T)
            inside = to_numpy(self.family.theta_domain.contains(theta))
            kept.extend(to_numpy(theta)[inside])
            if len(kept) > n:
                return self._array(np.stack(kept[:n + 1]))
        raise DomainError(f"no {n + 1} starting points of {self.family!r} found around the target")

    def _array(self, x: np.ndarray) -> Array:
        """An array of the target's library and precision."""
        return backend_of(self.theta).asarray(x, dtype=self.theta.dtype)


class ForwardProblem(Problem):
    """Minimise KL(q‖p), as maximum likelihood does.

    Examples
    --------
    >>> M = ig.Exponential()                        # log(1/2) + 2 − 1
    >>> problem = ig.studies.ForwardProblem(M, M.theta_from(rate=1.0))
    >>> float(problem.kl(M.theta_from(rate=2.0)).round(4))
    0.3069
    """

    direction, symbol, straight, bent = "forward", "KL(q‖p)", ETA, THETA
    is_cross_entropy, is_finite_at_vertices = True, False

    @cached_property
    def objective(self) -> Objective:
        return ForwardKL(self.family, self.theta)

    def kl(self, theta: Array) -> Array:
        return self.family.kl(self.theta, theta)

    def gradient(self, theta: Array) -> Array:
        return self.family.to_eta(theta) - self.eta

    def displacement(self, error: Array) -> Array:
        return error

    def differential(self, theta: Array, displacement: Array) -> Array:
        return displacement


class ReverseProblem(Problem):
    """Minimise KL(p‖q), as variational inference does.

    Examples
    --------
    >>> M = ig.Exponential()                        # log 2 + 1/2 − 1
    >>> problem = ig.studies.ReverseProblem(M, M.theta_from(rate=1.0))
    >>> float(problem.kl(M.theta_from(rate=2.0)).round(4))
    0.1931
    """

    direction, symbol, straight, bent = "reverse", "KL(p‖q)", THETA, ETA
    is_cross_entropy, is_finite_at_vertices = False, True

    @cached_property
    def objective(self) -> Objective:
        return ReverseKL(self.family, self.theta)

    def kl(self, theta: Array) -> Array:
        return self.family.kl(theta, self.theta)

    def gradient(self, theta: Array) -> Array:
        return self.family.flat(theta, theta - self.theta)

    def displacement(self, error: Array) -> Array:
        return self.family.sharp(self.theta, error)

    def differential(self, theta: Array, displacement: Array) -> Array:
        return self.family.flat(theta, displacement)


class _Inside(Objective):
    """A divergence with NaN outside the domain of θ, where its own formulas may raise."""

    rows = ()

    def __init__(self, f: Any, theta: Array) -> None:
        self.f, self.theta, self.manifold = f, theta, f.manifold

    def __repr__(self) -> str:
        return repr(self.f)

    def value_and_gradient(self, theta: Array) -> tuple[Array, Array]:
        xp, inside = backend_of(theta), self.manifold.theta_domain.contains(theta)
        value, covector = self.f.value_and_gradient(xp.where(inside[..., None], theta, self.theta))
        lost = xp.asarray(float("nan"), dtype=theta.dtype)
        return xp.where(inside, value, lost), xp.where(inside[..., None], covector, lost)


class DivergenceProblem(Problem):
    """Minimise another divergence between p and q: `AlphaDivergence`, `RenyiDivergence`, `SquaredHellingerDistance`, ….

    Mathematically, with c = f″(1) the Hessian at the target is c G in θ, and natural gradient's rate 2c. Mini-batches move the
    differential by c times the error of η, to first order in both.

    Parameters
    ----------
    objective : Objective of an exponential family with ``theta_hat``, shape (d,), and ``curvature_at_target``
    name : str, optional
        In titles.

    Examples
    --------
    >>> import infogeo as ig
    >>> f = ig.SquaredHellingerDistance(ig.Bernoulli(), [0.4])
    >>> ig.studies.spectrum(ig.studies.DivergenceProblem(f)).rate[2]
    np.float64(0.5)
    """

    direction, straight, bent = "divergence", ETA, THETA
    is_cross_entropy, is_finite_at_vertices, is_kl = False, False, False

    def __init__(self, objective: Any, name: str = "") -> None:
        missing = [one for one in ("manifold", "theta_hat", "curvature_at_target") if not hasattr(objective, one)]
        if missing:
            raise TypeError(f"objective must be a divergence to a target; got {objective!r}, without {', '.join(missing)}")
        if tuple(objective.theta_hat.shape) != (objective.manifold.dim,):
            raise ShapeError(f"objective must have one target; got theta_hat of shape {tuple(objective.theta_hat.shape)}")
        super().__init__(objective.manifold, objective.theta_hat)
        self.f, self.symbol, self.curvature = objective, name or type(objective).__name__, float(objective.curvature_at_target)

    @cached_property
    def objective(self) -> Objective:
        return _Inside(self.f, self.theta)

    def kl(self, theta: Array) -> Array:
        return self.objective.value_and_gradient(theta)[0]

    def displacement(self, error: Array) -> Array:
        return self.curvature * error

    def differential(self, theta: Array, displacement: Array) -> Array:
        return displacement


DIRECTIONS: dict[str, type[Problem]] = {problem.direction: problem for problem in (ForwardProblem, ReverseProblem)}
