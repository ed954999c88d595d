"""The simplex in the probabilities of all its outcomes, with no reference outcome."""
from collections.abc import Sequence, Sized
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral

import numpy as np

from ...backend import Array, Namespace, arrays, column
from ...domains.convex import ConvexDomain, RealSpace
from ...domains.simplex import ClosedSimplex
from ...errors import require, require_count
from .manifold import DuallyFlat
from .negative_entropy import NegativeEntropy
from .separable import Separable, diagonal, diagonal3
from .simplex_ways import ByRoot, Entropic

__all__ = ["Simplex"]


@dataclass(frozen=True)
class Simplex(DuallyFlat):
    """Probabilities p of all k outcomes, with a sum of convex functions ψ(p) = Σ f(p_i): unless given, Σ p_i log p_i.

    Mathematically, the mirror map f restricted to Σ p = 1. The points are the θ of this manifold, so that ψ is convex in them:

    - a tangent vector has Σ v = 0; covectors that differ by a constant are one, and a differential is taken as it is, of a
      function of k independent numbers
    - η_i = f′(p_i), up to a constant: log p; back p = e^η / Σ e^η, for other generators by one scalar root a point
    - metric diag(f″): flat(p, v) = v / p, sharp(p, c) = p ∘ (c − p·c), the replicator field; with w = 1 / f″(p) in place of p
      and w·c / Σ w in place of p·c for other generators
    - D(p‖q) = B_ψ(q : p) = Σ q log(q / p), and so ``bregman(M, p, q)`` = KL(p‖q) = Σ p log(p / q), with 0 log 0 = 0
    - distance 4 arcsin(½ ‖√p − √q‖), geodesics the great circles in √p; for other generators by collocation, between points
      that are not on the boundary

    ``MirrorUpdate`` is p⁺ ∝ p e^{−hc}, the multiplicative weights. In the interior all this is ``Categorical(k).dual``, whichever
    its reference outcome is. Zeros are points, too: they stay zeros under the entropy and wherever f′(0) = −∞, and are reached as
    limits, or for f′(0) finite, as of `Euclidean`, in one step. Of a target p̂, zeros allowed, ``ReverseKL(M, p̂)`` is KL(p̂‖p),
    and ``CrossEntropy(M.dual, p̂).in_dual_coordinates()`` the same up to a constant.

    Parameters
    ----------
    k : int
        Outcomes, at least 2.
    generator : Separable, optional
        A mirror map Σ f(x_i) with (0, 1] in the domain of f, of any dimension: `Tsallis`, ``Burg(1)`` for the logarithmic
        barrier, ``Euclidean(1)``. `NegativeEntropy` if it is not given.

    Shapes: points (..., k), vectors and covectors, too. Batches broadcast.
    Units: nats.
    Source: Amari & Nagaoka, Methods of Information Geometry (2000), section 2.6; Beck & Teboulle, Mirror descent and nonlinear
    projected subgradient methods, Oper. Res. Lett. 31 (2003).

    Examples
    --------
    >>> ig.Simplex(3).sharp([0.5, 0.3, 0.2], [1.0, 0.0, 0.0])
    array([ 0.25, -0.15, -0.1 ])
    """

    k: int
    generator: Separable = NegativeEntropy(1)
    redundant = True

    def __post_init__(self) -> None:
        require_count("k", self.k, 2)
        if not isinstance(self.generator, Separable):
            raise TypeError(f"generator must be a separable mirror map, such as Tsallis(0.5) or Burg(1); got {self.generator!r}")

    def __repr__(self) -> str:
        plain = isinstance(self.generator, NegativeEntropy)
        return f"Simplex({self.k})" if plain else f"Simplex({self.k}, generator={self.generator!r})"

    @cached_property
    def _way(self) -> Entropic | ByRoot:
        return Entropic() if isinstance(self.generator, NegativeEntropy) else ByRoot(self.generator, self.k)

    @cached_property
    def dim(self) -> int:
        return self.k

    @property
    def steep(self) -> bool:
        """Whether the slope of ψ is infinite where a probability is 0."""
        return self.generator.steep     # type: ignore[no-any-return]

    @property
    def theta_domain(self) -> ConvexDomain:
        return ClosedSimplex(self.k)

    @property
    def eta_domain(self) -> ConvexDomain:
        return RealSpace(self.k)

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        return self._way.potential(xp, theta)

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        return self.generator._to_eta(xp, theta)

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        return self._way.to_theta(xp, eta)

    def _dual_potential(self, xp: Namespace, eta: Array) -> Array:
        return self._way.dual_potential(xp, eta)

    def _metric(self, xp: Namespace, theta: Array) -> Array:
        return diagonal(xp, self.generator._second(xp, theta))

    def _flat(self, xp: Namespace, theta: Array, vector: Array) -> Array:
        """f″(p) ∘ v; 0 where v is, along a face too."""
        return xp.where(vector == 0, 0.0 * theta, vector / self._way.weights(xp, theta))

    def _sharp(self, xp: Namespace, theta: Array, covector: Array) -> Array:
        """w ∘ (c − w·c / Σ w), w = 1 / f″(p).

        The division by Σ w, which is Σ p = 1 of the entropy, keeps the sum of the coordinates: without it what rounding takes
        from that sum would grow like e^{h p·c} from step to step. A product w·c that is all rounding is 0, as it is for
        differentials of divergences: else a step of size 1 to an edge would end beyond it by a rounding (769 of 4000 random runs
        did).
        """
        weight = self._way.weights(xp, theta)
        terms = weight * covector
        total, size = xp.sum(terms, axis=-1), xp.sum(xp.abs(terms), axis=-1)
        total = xp.where(xp.abs(total) <= (self.k + 4) * float(xp.finfo(total.dtype).eps) * size, 0.0 * total, total)
        return terms - weight * column(total / xp.sum(weight, axis=-1))

    def _root(self, xp: Namespace, theta: Array, z: Array) -> Array:
        return xp.sqrt(self.generator._second(xp, theta)) * z

    def _cubic_tensor(self, xp: Namespace, theta: Array) -> Array:
        return diagonal3(xp, self.generator._third(xp, theta))

    def _inverse_metric(self, xp: Namespace, x: Array) -> Array:
        """diag(w) − w wᵀ / Σ w, of rank k − 1."""
        return _raising(xp, self._way.weights(xp, x))

    def _dual_metric(self, xp: Namespace, eta: Array) -> Array:
        return _raising(xp, self._way.moving(xp, self.to_theta(eta)))

    def _mean_of_points(self, xp: Namespace, theta: Array, weights: Array) -> Array:
        slopes = self._to_eta(xp, theta)
        terms = xp.where(weights[..., None] == 0, 0.0 * theta, weights[..., None] * slopes)
        return self.to_theta(xp.sum(terms, axis=0))

    def _log_volume_element(self, xp: Namespace, theta: Array) -> Array:
        """½ Σ log f″ + ½ log Σ 1/f″, of the volume in any k − 1 of the probabilities."""
        second = self.generator._second(xp, theta)
        return 0.5 * (xp.sum(xp.log(second), axis=-1) + xp.log(xp.sum(1.0 / second, axis=-1)))

    def total_volume(self) -> float:
        return self._way.total_volume(self.k)

    def _divergence(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        return self.generator._divergence(xp, theta_p, theta_q)

    def _distance(self, xp: Namespace, x: Array, y: Array) -> Array:
        return self._way.distance(xp, x, y)

    def _geodesic(self, xp: Namespace, x: Array, y: Array, t: Array) -> Array:
        return self._way.geodesic(xp, x, y, t)

    def _exp(self, xp: Namespace, x: Array, vector: Array) -> Array:
        return self._way.exp(xp, x, vector)

    def _log(self, xp: Namespace, x: Array, y: Array) -> Array:
        return self._way.log(xp, x, y)

    def onto_face(self, p: Array, outcomes: Sequence[int]) -> Array:
        """The point nearest to p with all probability on these outcomes: argmin over q of D(p‖q) = B_ψ(q : p), shape (..., k).

        Mathematically, ∇ψ*(η) with η_i = −∞ elsewhere; under the entropy p given that one of the outcomes comes. It is the mirror
        image of a cost that is infinite elsewhere.

        Raises
        ------
        DomainError
            For a point outside the simplex, no outcomes or unknown ones, and where p has no probability on the face, but f′(0) is
            infinite.

        Examples
        --------
        >>> ig.Simplex(3).onto_face([0.5, 0.3, 0.2], [0, 1])
        array([0.625, 0.375, 0.   ])
        """
        xp, p = arrays(self.theta_domain.require("p", p))
        good = isinstance(outcomes, Sized) and len(outcomes) > 0 and all(
            isinstance(i, Integral) and not isinstance(i, bool) and 0 <= i < self.k for i in outcomes)
        require("outcomes", f"some of 0 … {self.k - 1}", good, outcomes)
        kept = xp.asarray([i in outcomes for i in range(self.k)])
        with np.errstate(all="ignore"):
            eta = xp.where(kept, self._to_eta(xp, p), xp.asarray(-np.inf, dtype=p.dtype))
        require("p", "a probability above 0 on the face", xp.any(eta > -np.inf, axis=-1), p)
        return self.to_theta(eta)


def _raising(xp: Namespace, weight: Array) -> Array:
    """diag(w) − w wᵀ / Σ w: from covectors up to a constant to vectors of sum 0."""
    share = weight / xp.sum(weight, axis=-1, keepdims=True)
    return diagonal(xp, weight) - weight[..., :, None] * share[..., None, :]
