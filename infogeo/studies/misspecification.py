"""Targets outside the model: where the Hessian at the optimum is not the Fisher metric, and what that does to the rates."""
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import eigh

from ..backend import Array, to_numpy
from ..domains.convex import ConvexDomain
from ..errors import ConvergenceError, ShapeError, takes
from ..families.base import ExponentialFamily
from ..families.mixture import MixtureFamily
from ..numerics.linalg import matvec
from ..objectives.base import Objective
from ..objectives.divergence import CrossEntropy, ReverseKL
from ..solvers.descend import descend
from ..solvers.step import Backtracking
from ..solvers.update import NaturalUpdate
from ..statistics.curved import Curved
from ..statistics.curved_mixture import curved_mixture
from ..statistics.embedding_curvature import as_curved, e_embedding_curvature, m_embedding_curvature
from .diagnosis import plain
from .tables import number, table

__all__ = ["Misspecification", "misspecification"]

STEPS = 500         # of natural gradient with a line search, from a start that may be far; Newton's method follows
NEWTON = 20
ACCURACY = 1e-9     # of the Riemannian norm of the gradient at what is called an optimum


@dataclass(frozen=True, repr=False)
class Misspecification:
    """The optimum u of a model for a target that need not be in it, and the Hessian there.

    Mathematically, the Hessian of the divergence is H = g + K with the Fisher metric g and K_ab = df · B_ab, the pairing of the
    differential of the divergence in the family, which is orthogonal to the model at the optimum, with an embedding curvature B
    of the model: the e-embedding curvature for KL(q‖p_u), the m-embedding curvature for KL(p_u‖q). K vanishes where the target
    is in the model, and whatever the target where B does: for KL(q‖p_u) in an exponential family, for KL(p_u‖q) in a mixture
    family. Natural gradient then sees the eigenvalues μ of g⁻¹H in place of 1.

    Attributes
    ----------
    u : array, shape (m,)
    theta : array, shape (d,)
        In the family.
    value : float
        Of the objective.
    distance : float
        |df| in the metric of the family: how far the target is from the model to first order.
    metric, hessian, by_curvature : arrays, shape (m, m)
        g, H and K.
    curvature : str
        "e" or "m".
    eigenvalues : array, shape (m,), ascending
        μ; of an exponential family, and of a target in the model, all 1.
    natural_rate, gradient_rate : float
        2 μ_min and 2 λ_min(H): at which the flows of the natural gradient and of the gradient in u lose the excess of the value.
    natural_step : float
        2 / (μ_min + μ_max), the best constant step size of natural gradient; 2 / μ_max is not stable any more.
    contraction : float
        With it, of the error in a step: (μ_max − μ_min) / (μ_max + μ_min), which is 0 where H = g.

    Examples
    --------
    >>> M = ig.MixtureFamily([[0.6, 0.3, 0.1], [0.1, 0.2, 0.7]])
    >>> target = ig.CrossEntropy(ig.Categorical(3), eta_hat=[0.2, 0.5])
    >>> found = ig.studies.misspecification(M, target, start=[0.5])
    >>> K = found.hessian - found.metric            # by the e-curvature
    >>> found.curvature, bool(np.allclose(K, found.by_curvature))
    ('e', True)
    """

    u: np.ndarray
    theta: np.ndarray
    value: float
    distance: float
    metric: np.ndarray
    hessian: np.ndarray
    by_curvature: np.ndarray
    curvature: str
    eigenvalues: np.ndarray
    natural_rate: float
    gradient_rate: float
    natural_step: float
    contraction: float

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings, lists and dictionaries, as JSON takes them."""
        return {key: plain(value) for key, value in vars(self).items()}

    def __repr__(self) -> str:
        low, high = self.eigenvalues[0], self.eigenvalues[-1]
        rows = [("natural gradient", number(low), number(high), number(self.natural_rate), number(2.0 / high)),
                ("gradient in u", *(number(v) for v in np.linalg.eigvalsh(self.hessian)[[0, -1]]), number(self.gradient_rate),
                 number(2.0 / np.linalg.eigvalsh(self.hessian)[-1]))]
        off = np.max(np.abs(self.eigenvalues - 1.0))
        said = "The Hessian is the Fisher metric." if off < 1e-9 else (
            f"The Hessian is not the Fisher metric, by the {self.curvature}-embedding curvature of the model: g⁻¹H has "
            f"eigenvalues up to {off:.3g} off 1.")
        return table(f"Optimum at u = {np.array2string(self.u, precision=6, threshold=8)}, |df| = {self.distance:.4g}",
                     ("", "least", "greatest", "flow's rate", "stable h <"), rows, [said])


@takes(Curved, MixtureFamily, ExponentialFamily)
def misspecification(model: Curved | MixtureFamily | ExponentialFamily, objective: CrossEntropy | ReverseKL,
                     start: Array) -> Misspecification:
    """The spectrum of the Hessian against the Fisher metric at a model's optimum for a target that need not be in it.

    Parameters
    ----------
    model : Curved, MixtureFamily of probabilities of states, or ExponentialFamily
        With its coordinates u: the weights of a mixture, θ of a whole family.
    objective : CrossEntropy or ReverseKL
        Of the family of the model, for a mixture `Categorical`: the target's mean statistic η̂, such as that of data, for
        KL(q‖p_u), or its θ for KL(p_u‖q).
    start : array, shape (m,)
        Natural gradient goes from here to a local optimum, Newton's method to its rounding.

    Raises
    ------
    DomainError, ShapeError
        For a start outside the domain of the model, or several.
    TypeError
        For another objective, or one of another family.
    ConvergenceError
        Where no optimum is found, or the point found is no minimum.

    Source: White, Maximum likelihood estimation of misspecified models, Econometrica 50 (1982), for H; Amari & Nagaoka, Methods
    of Information Geometry (2000), section 4.3, for the embedding curvatures.

    Examples
    --------
    >>> import numpy as np
    >>> import infogeo as ig
    >>> mixtures = ig.MixtureFamily([[0.6, 0.3, 0.1], [0.1, 0.2, 0.7]])
    >>> target = ig.CrossEntropy(ig.Categorical(3), eta_hat=[0.2, 0.5])
    >>> found = ig.studies.misspecification(mixtures, target, start=[0.5])
    >>> found.u.round(4), found.eigenvalues.round(4)
    (array([0.5303]), array([0.7162]))
    """
    model = curved_mixture(model) if isinstance(model, MixtureFamily) else as_curved(model)
    if not isinstance(objective, (CrossEntropy, ReverseKL)) or objective.manifold != model.family:
        raise TypeError(f"objective must be the CrossEntropy or the ReverseKL of {model.family!r}; got {objective!r}")
    along = _Along(model, objective)
    u = model.domain.require("start", start)
    if u.ndim != 1 or objective.rows != ():
        raise ShapeError(f"start and target must be one point each; got shapes {tuple(u.shape)} and {objective.rows}")
    u = _optimum(model, along, u)
    theta, metric, hessian = model.to_theta(u), to_numpy(model.metric(u)), to_numpy(along.hessian(u))
    covector = objective.value_and_gradient(theta)[1]
    name, curvature = _CURVATURES[CrossEntropy if isinstance(objective, CrossEntropy) else ReverseKL]
    by_curvature = np.tensordot(to_numpy(covector), to_numpy(curvature(model, u)), 1)
    values = eigh(hessian, metric, eigvals_only=True)
    low, high = values[0], values[-1]
    return Misspecification(
        to_numpy(u), to_numpy(theta), float(along.value_and_gradient(u)[0]),
        float(np.sqrt(to_numpy(covector) @ to_numpy(model.family.sharp(theta, covector)))), metric, hessian, by_curvature, name,
        values, float(2.0 * low), float(2.0 * np.linalg.eigvalsh(hessian)[0]), float(2.0 / (low + high)),
        float((high - low) / (high + low)))


_CURVATURES: dict[type, tuple[str, Callable[[Curved, Array], Array]]] = {
    CrossEntropy: ("e", e_embedding_curvature), ReverseKL: ("m", m_embedding_curvature)}


class _Along(Objective):
    """An objective of the family along the model, with its Hessian in u."""

    rows: tuple[int, ...] | None = ()

    def __init__(self, model: Curved, f: Any) -> None:
        self.model, self.f = model, f

    @property
    def domain(self) -> ConvexDomain:
        return self.model.domain

    def value_and_gradient(self, u: Array) -> tuple[Array, Array]:
        xp, u = self.model.point(u)
        value, covector = self.f.value_and_gradient(self.model.to_theta(u))
        return value, matvec(xp, xp.matrix_transpose(self.model.jacobian(u)), covector)

    def hessian(self, u: Array) -> Array:
        """Jᵀ (∇²f) J + df · ∂²θ, shape (m, m)."""
        xp, u = self.model.point(u)
        theta, jacobian = self.model.to_theta(u), self.model.jacobian(u)
        within = xp.matmul(xp.matrix_transpose(jacobian), xp.matmul(self.f.hessian(theta), jacobian))
        return within + xp.sum(self.f.value_and_gradient(theta)[1][:, None, None] * self.model.second(u), axis=0)


def _optimum(model: Curved, f: _Along, start: Array) -> Array:
    """A minimum near the start, to the rounding of its gradient."""
    u = descend(f, start, geometry=model, update=NaturalUpdate(), step=Backtracking(1.0), max_steps=STEPS, record=None,
                tol=ACCURACY).x
    size = _norm(model, f, u)
    for _ in range(NEWTON):
        ahead = u - np.linalg.solve(f.hessian(u), f.value_and_gradient(u)[1])
        after = _norm(model, f, ahead) if model.domain.contains(ahead) else np.inf
        if not after < size:
            break
        u, size = ahead, after
    if not size <= ACCURACY:
        raise ConvergenceError(f"misspecification: no optimum was found from the start {to_numpy(start)}; the gradient has the "
                               f"norm {size:.3g} at the last point", size, u)
    if np.linalg.eigvalsh(to_numpy(f.hessian(u)))[0] <= 0:
        raise ConvergenceError(f"misspecification: the stationary point {to_numpy(u)} is no minimum; try another start", size, u)
    return u


def _norm(model: Curved, f: _Along, u: Array) -> float:
    """The Riemannian norm of the gradient."""
    covector = f.value_and_gradient(u)[1]
    return float(np.sqrt(abs(to_numpy(covector) @ to_numpy(model.sharp(u, covector)))))
