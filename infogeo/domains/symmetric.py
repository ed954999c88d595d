"""Log-odds of k outcomes from k logits, of which none is special."""
from ..backend import Array, coerced
from ..errors import require, require_count
from .chart import Chart

__all__ = ["SymmetricSoftmax"]


class SymmetricSoftmax(Chart):
    """θ_i = u_i − u_r over the outcomes i other than the reference r: from k logits to the θ of `Categorical(k)`.

    Mathematically, p_i = e^{u_i} / Σ e^{u_j}. The logits u and u plus a constant are one law, so that metrics that are pulled
    back have rank k − 1, and covectors sum 0. What is said of u, a penalty, a damping, an initial value, does not depend on how
    the outcomes are numbered, as it does of θ. `inverse` and `pull_in` give logits of sum 0, the shortest.

    Parameters
    ----------
    k : int
    reference : int, optional
        That of the family, the last outcome unless given: then u_i is the logit of outcome i.

    Examples
    --------
    >>> chart = ig.domains.SymmetricSoftmax(3)
    >>> chart([3.0, 2.0, 1.0]), chart.inverse([2.0, 1.0])
    (array([2., 1.]), array([ 1.,  0., -1.]))
    """

    affine = True

    def __init__(self, k: int, reference: int | None = None) -> None:
        self.k = require_count("k", k, 2)
        r = self.k - 1 if reference is None else reference
        require("reference", f"{-self.k} <= reference < {self.k}", -self.k <= r < self.k, r)
        self.reference = int(r) % self.k

    def __repr__(self) -> str:
        return f"SymmetricSoftmax({self.k}{'' if self.reference == self.k - 1 else f', {self.reference}'})"

    def inputs(self, d: int) -> int:
        require("k", f"k = d + 1 = {d + 1}", self.k == d + 1, self.k)
        return self.k

    def _differences(self, u: Array) -> Array:
        xp, u = coerced(u)
        r = self.reference
        return xp.concat([u[..., :r], u[..., r + 1:]], axis=-1) - u[..., r:r + 1]

    def _centred(self, x: Array) -> Array:
        """The u of sum 0 with these differences."""
        xp, x = coerced(x)
        r = self.reference
        u = xp.concat([x[..., :r], xp.zeros_like(x[..., :1]), x[..., r:]], axis=-1)
        return u - xp.sum(u, axis=-1, keepdims=True) / self.k

    def __call__(self, u: Array) -> Array:
        return self._differences(u)

    def inverse(self, x: Array) -> Array:
        return self._centred(x)

    def push_forward(self, u: Array, vector: Array) -> Array:
        return self._differences(vector)

    def pull_in(self, u: Array, vector: Array) -> Array:
        return self._centred(vector)

    def pull_back(self, u: Array, covector: Array) -> Array:
        xp, c = coerced(covector)
        r = self.reference
        return xp.concat([c[..., :r], -xp.sum(c, axis=-1, keepdims=True), c[..., r:]], axis=-1)

    def pull_back_tangent(self, u: Array, vector: Array, covector: Array) -> Array:
        xp, u, du = coerced(u, vector)
        c = self.pull_back(u, covector)
        return xp.zeros_like(c + du)
