"""The means of a generalised linear model: a convex set, whose members are the statistics of data that have a minimum."""
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy        # optimize is loaded where it is first asked for
from scipy.sparse import csr_array, eye_array, hstack, kron, vstack

from ..backend import Array, arrays, to_numpy
from ..domains.image import GradientImage
from ..geometry.projections.feasibility import Polyhedron, polyhedron

__all__ = ["LinearMeans"]

# Newton steps before the linear programme, which takes 4 s for 10⁴ samples and 80 for 3 · 10⁴, where ten steps take 0.05.
STEPS = 100
# With the Newton step Δ for the gradient r, (r·Δ) max_i x_i·H⁻¹x_i below (1 − 1/e)² = 0.4 is certain to have a minimum near by
# where |ψ‴| ≤ ψ″ as for logistic and Poisson regression, below 0.19 where |ψ‴| ≤ 2ψ″ as for categorical outcomes: along any
# direction u with max |x_i·u| = 1 the loss has slope −r·u ≥ −√(r·Δ) ‖u‖_H at first, and rises by at least ‖u‖²_H (1 − 1/e) of it.
NEAR = 1e-3


class LinearMeans(GradientImage):
    """The means η of a generalised linear model with columns that have no penalty: (1/n) Σ η_i ⊗ x_i for means η_i of the family.

    Mathematically, for η in this open set ψ(w) − w·η has a minimum, and for no other. Newton's method finds it, or a direction in
    which the loss never rises; where it finds neither, a linear programme decides.

    Parameters
    ----------
    manifold : GeneralizedLinear
    free : bool array, shape (p,)
        The columns without a penalty, of which alone it depends.
    """

    def __init__(self, manifold: Any, free: np.ndarray) -> None:
        super().__init__(manifold, _words)
        self.free, self.family = free, manifold.family
        self.inputs = to_numpy(manifold.X)[:, free].astype(float)

    def contains(self, x: Array) -> Array:
        xp, x = arrays(x)
        found = to_numpy(self.possible(x)).copy()
        host = to_numpy(x).astype(float)
        for row in zip(*np.nonzero(found)) if found.ndim else [()] * bool(found):
            eta = host[row].reshape(-1, self.free.size)[:, self.free]
            found[row] = _attained(self.family, self.inputs, eta)
        return xp.asarray(found)


def _words(name: str) -> str:
    return (f"{name} among the means of the model: where data are separable it is on their edge, and no weights are the minimum, "
            "the loss falls for ever along a direction")


def _attained(family: Any, x: np.ndarray, eta: np.ndarray) -> bool:
    """Whether some weights have the means η, shape (d, p); true where one cannot tell."""
    closed = polyhedron(family.eta_domain)
    known = closed is not None and len(closed.vertices) + len(closed.rays) > 0
    with np.errstate(all="ignore"):         # far out a loss may be infinite
        found = _by_newton(family, x, eta, closed if known else None)
    return found if found is not None else not known or _by_programme(x, eta, closed)


def _by_newton(family: Any, x: np.ndarray, eta: np.ndarray, closed: Polyhedron | None) -> bool | None:
    """Whether Newton's method finds weights, or, for a closed set of means that is known, a direction; None if neither."""
    n, (d, p) = len(x), eta.shape
    W = np.zeros((d, p))
    for _ in range(STEPS):
        theta = x @ W.T
        r = (eta - family.to_eta(theta).T @ x / n).reshape(-1)
        hessian = np.einsum("nab,nj,nk->ajbk", family.metric(theta), x, x, optimize=True).reshape(d * p, d * p) / n
        try:
            inverse = np.linalg.inv(hessian)
        except np.linalg.LinAlgError:
            return None
        step = inverse @ r
        blocks = (inverse[a:a + p, a:a + p] for a in range(0, d * p, p))
        longest = max(np.max(np.sum((x @ block) * x, axis=1)) for block in blocks)
        if not np.all(np.isfinite(step)):
            return None
        if 0 <= (r @ step) * longest <= NEAR:
            return True
        if closed is not None and _falls(W, x, closed, eta):
            return False
        W = _lower(W, step.reshape(d, p), r @ step, lambda W: np.mean(family.potential(x @ W.T)) - np.sum(W * eta))
    return None


def _lower(W: np.ndarray, step: np.ndarray, slope: float, loss: Callable[[np.ndarray], float]) -> np.ndarray:
    """The first of W + step, W + step/2, … that lowers the loss enough."""
    before, h = loss(W), 1.0
    while not loss(W + h * step) <= before - 1e-4 * h * slope and h > 1e-9:
        h *= 0.5
    return W + h * step


def _by_programme(x: np.ndarray, eta: np.ndarray, closed: Any) -> bool:
    """Whether some means of the family at every x_i, none on the edge, give η; true where one cannot tell.

    The greatest t for which all weights of the vertices are at least t/v is 0 on the edge and outside: that is certain where
    the multipliers are a direction in which the loss never rises.
    """
    V, R, blocks = closed
    n, (d, p) = len(x), eta.shape
    means = csr_array(np.einsum("nj,dv->djnv", x / n, np.concatenate([V, R]).T).reshape(d * p, -1))
    sums = kron(eye_array(n), csr_array(np.concatenate([blocks, np.zeros((len(blocks), len(R)))], axis=1)))
    share = np.tile(np.concatenate([1.0 / blocks.sum(axis=1) @ blocks, np.ones(len(R))]), n)
    equal = vstack([means, sums])
    equal = hstack([equal, csr_array((equal @ share)[:, None])])
    cost = np.zeros(equal.shape[1])
    cost[-1] = -1.0
    found = scipy.optimize.linprog(cost, A_eq=equal, b_eq=np.concatenate([eta.reshape(-1), np.ones(n * len(blocks))]),
                                   bounds=[(0, None)] * (len(cost) - 1) + [(0, 1)])
    if found.status == 2:
        return False
    if found.status != 0 or found.x[-1] > 1e-7:
        return True
    direction = found.eqlin.marginals[:d * p].reshape(d, p)
    return not any(_falls(sign * direction, x, closed, eta) for sign in (1.0, -1.0))


def _falls(W: np.ndarray, x: np.ndarray, closed: Polyhedron, eta: np.ndarray) -> bool:
    """Whether ψ(tW) − t W·η does not rise for t → ∞: mean max over the vertices of V·W x_i ≤ W·η, and rays R·W x_i ≤ 0."""
    V, R, blocks = closed
    along = x @ W.T
    room = 1e-9 * np.max(np.abs(along), initial=0.0)
    highest = sum(np.max((along @ V.T)[:, block > 0], axis=1) for block in blocks)
    down = np.all(along @ R.T <= room) if len(R) else True
    return bool(room > 0 and down and np.mean(highest) - np.sum(W * eta) <= room)
