"""The quadratic model of the loss on the span of a few directions, with the exact Fisher metric."""
from dataclasses import dataclass

import numpy as np

from ..backend import Array, to_numpy
from ..errors import takes
from ..networks.model import ModelPass

__all__ = ["QuadraticModel", "quadratic_model"]


@dataclass(frozen=True)
class QuadraticModel:
    """M(a) = ½ aᵀ B a + s·a for the step Σ a_i v_i, the change of the loss that the curvature promises.

    Attributes
    ----------
    curvature : NumPy array, shape (m, m)
        B_ij = v_iᵀ (F + c I) v_j.
    slope : NumPy array, shape (m,)
        s_i = ∇h·v_i.

    Examples
    --------
    >>> model = ig.training.QuadraticModel(np.diag([2.0, 4.0]),
    ...                                    np.array([-2.0, -4.0]))
    >>> model.minimiser(), model.value(model.minimiser())
    (array([1., 1.]), -3.0)
    """

    curvature: np.ndarray
    slope: np.ndarray

    def minimiser(self) -> np.ndarray:
        """The coefficients a, shape (m,), of smallest norm where directions depend on each other or vanish.

        NaN where a direction is not finite: of such a step the loss says that it is none.
        """
        if not np.all(np.isfinite(self.curvature)):
            return np.full_like(self.slope, np.nan)
        scale = np.sqrt(np.diagonal(self.curvature))
        scale = np.where(scale > 0, scale, 1.0)
        unit = self.curvature / (scale[:, None] * scale)
        a: np.ndarray = np.linalg.lstsq(unit, -self.slope / scale, rcond=1e-12)[0] / scale
        return a

    def value(self, a: np.ndarray) -> float:
        """M(a), nats."""
        return float(0.5 * a @ self.curvature @ a + self.slope @ a)


@takes(ModelPass)
def quadratic_model(done: ModelPass, covector: Array, vectors: Array, c: float) -> QuadraticModel:
    """The model at the weights of a forward pass: v_iᵀ F v_j = (1/n) Σ_n (J_n v_i)ᵀ G(θ_n) (J_n v_j), one forward pass a vector.

    Parameters
    ----------
    done : ModelPass
        Of one weight vector and the samples that F is averaged over.
    covector : array, shape (size,)
        ∇h.
    vectors : array, shape (m, size)
    c : float
        Added to F as c I.

    Source: Martens & Grosse, Optimizing neural networks with Kronecker-factored approximate curvature (2015), sections 6.4 and 7.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> w, x = np.zeros(2), [[1.0], [3.0]]          # F = ¼ [[5, 2], [2, 1]]
    >>> slope = model.value_and_gradient(w, (x, [0, 1]))[1]           # (−½, 0)
    >>> found = ig.training.quadratic_model(model.record(w, x), slope,
    ...                                     -slope[None], c=0.0)
    >>> found.curvature, found.slope                # cᵀ F c, −|c|²
    (array([[0.3125]]), array([-0.25]))
    """
    moved = done.jvp(vectors)
    lowered = done.model.family.flat(done.theta, moved)
    V, A, B, g = (to_numpy(x).astype(float) for x in (vectors, moved, lowered, covector))
    m = V.shape[0]
    fisher = A.reshape(m, -1) @ B.reshape(m, -1).T / done.n
    return QuadraticModel(0.5 * (fisher + fisher.T) + c * (V @ V.T), V @ g)
