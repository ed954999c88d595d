"""Riemannian and dually flat manifolds: points are plain arrays, the manifold holds the geometry."""
# `Dual` stands here, too: `DuallyFlat.dual` makes one, so that in files of their own the two would import each other.
from abc import ABC
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

from numpy import ndarray

from ...arrays.memo import once, once_each
from ...arrays.tracing import ruled
from ...backend import NUMPY, Array, Namespace, arrays
from ...domains.convex import ConvexDomain, RealSpace
from ...errors import ShapeError, takes
from ...numerics.collocation.equations import HessianEquation, MetricEquation
from ...numerics.collocation.paths import arrive, join
from ...numerics.differences import derivative
from ...numerics.linalg import cholesky, inverse, matvec, solve
from ...numerics.newton import minimize
from . import rules
from .interface import contract, formula, pair_kernels

__all__ = ["Dual", "DuallyFlat", "Riemannian"]


class Riemannian(ABC):
    """An open set of R^dim with an inner product at each point.

    Mathematically, a chart with a metric tensor G(x). The derived methods are the reference: a manifold with structure
    overrides them.

    Shapes: points, vectors and covectors (..., dim); leading axes are a batch and broadcast.

    Examples
    --------
    >>> class HalfLine(ig.Riemannian):
    ...     dim = 1
    ...     def metric(self, x):
    ...         return 1.0 / x[..., None]**2
    >>> float(HalfLine().distance([1.0], [np.e]).round(6))  # log e
    1.0
    """

    # A class has what is Any here as an attribute or as a property, as it likes: checkers refuse an attribute of an own manifold
    # where we have a property, and the other way round.
    dim: Any                # int
    # The kinds of points, "theta" and "eta", of which the formulas are NaN outside the domain by themselves: where each goes by a
    # factorisation, a second one for the sake of the check would double its price.
    nan_outside: Any = ()   # tuple[str, ...]
    has_limits: bool = False        # whether points at infinity stand for limits, as `families.limits` says
    # The formulas without sums over coordinates, whose large batches gain nothing from another order in memory.
    as_they_lie: tuple[str, ...] = ()
    # Whether formulas are a few operations a point, for which threads cost more than they save (a batch of 0.2 ms).
    in_one_piece: bool = False

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        pair_kernels(cls)

    @cached_property
    def guarded(self) -> tuple[str, ...]:
        """The kinds of points that have to be looked at, lest a formula be a plausible number outside the domain."""
        domains = {"theta": self.domain, "eta": getattr(self, "eta_domain", self.domain)}
        return tuple(kind for kind, domain in domains.items() if not (domain.whole or kind in self.nan_outside))

    @property
    def domain(self) -> ConvexDomain:
        """Where the points lie; R^dim unless the manifold says otherwise."""
        return RealSpace(self.dim)

    def on(self, objective: Any) -> "Riemannian":
        """The manifold of a step that sees this objective, drawn by a random one: where the metric is made of what it sees."""
        return self

    def part(self, rows: Any) -> "Riemannian | None":
        """The manifold for some rows of a run, as `Objective.part`: itself where the metric has no rows of its own to cut.

        None where it cannot say: a run on it then goes in one piece.
        """
        return None

    def point(self, *xs: Array) -> tuple[Any, ...]:
        """``(xp, *xs)``: points, vectors or covectors coerced to one array library, their last axis checked.

        Raises
        ------
        ShapeError
            If an array does not end in `dim`.
        """
        dim = self.dim
        for x in xs:
            if type(x) is not ndarray or x.dtype.kind != "f" or x.ndim == 0 or x.shape[-1] != dim:
                break
        else:                                    # the common case, decided at once
            return NUMPY, *xs
        out = arrays(*xs)
        for x in out[1:]:
            if x.ndim == 0 or x.shape[-1] != dim:
                raise ShapeError(f"{self!r} takes arrays of shape (..., {dim}); got {tuple(x.shape)}")
        return out

    @formula("theta", axes=2, rule=rules.of_metric)
    def metric(self, x: Array) -> Array:
        """The metric tensor G(x), shape (..., dim, dim)."""

    @contract
    def _metric(self, xp: Namespace, x: Array) -> Array:
        """The metric tensor G(x)."""

    @formula("theta", "vector", axes=1, rule=rules.of_flat)
    def flat(self, x: Array, vector: Array) -> Array:
        """Lower an index: G(x) v, shape (..., dim)."""

    def _flat(self, xp: Namespace, x: Array, vector: Array) -> Array:
        return matvec(xp, self._metric(xp, x), vector)

    @once_each
    @formula("theta", "covector", axes=1, rule=rules.of_sharp)
    def sharp(self, x: Array, covector: Array) -> Array:
        """Raise an index: G(x)⁻¹ c, shape (..., dim). Of a differential, this is the natural gradient."""

    def _sharp(self, xp: Namespace, x: Array, covector: Array) -> Array:
        return solve(xp, self._metric(xp, x), covector)

    def _inverse_metric(self, xp: Namespace, x: Array) -> Array:
        """The matrix of `sharp`, shape (..., dim, dim)."""
        return inverse(xp, self.metric(x))

    @formula("theta", "vector", axes=1)
    def root(self, x: Array, z: Array) -> Array:
        """F(x) z with a square root of the metric, G = F Fᵀ, shape (..., dim): a random covector of covariance G if z is white.

        Which root F is, triangular or symmetric, is the manifold's own choice.
        """

    def _root(self, xp: Namespace, x: Array, z: Array) -> Array:
        return matvec(xp, cholesky(xp, self._metric(xp, x)), z)

    def _on_basis(self, xp: Namespace, operator: Callable[..., Array], x: Array) -> Array:
        """The matrix of the kernel of a symmetric operator at x, `_flat` or `_sharp`: its images of the coordinate basis."""
        return operator(xp, x[..., None, :], xp.eye(self.dim, dtype=x.dtype))

    @formula("theta", "vector", "vector", axes=0, rule=rules.of_inner)
    def inner(self, x: Array, u: Array, v: Array) -> Array:
        """⟨u, v⟩ = uᵀ G(x) v, shape (...)."""

    def _inner(self, xp: Namespace, x: Array, u: Array, v: Array) -> Array:
        return xp.sum(u * self._flat(xp, x, v), axis=-1)

    @formula("theta", "vector", axes=0, rule=rules.of_norm)
    def norm(self, x: Array, v: Array) -> Array:
        """√⟨v, v⟩, shape (...)."""

    def _norm(self, xp: Namespace, x: Array, v: Array) -> Array:
        return xp.sqrt(self._inner(xp, x, v, v))

    @formula("theta", axes=0)
    def log_volume_element(self, x: Array) -> Array:
        """½ log det G(x), shape (...), nats: the logarithm of the volume element √det G dx, the density of Jeffreys' prior.

        Mathematically, log |det F| with the root G = F Fᵀ of the manifold. Where G is nearly singular that cancels, and a closed
        form takes its place in some families; products, multiples and duals have it from their parts.
        """

    def _log_volume_element(self, xp: Namespace, x: Array) -> Array:
        return xp.linalg.slogdet(self._on_basis(xp, self._root, x))[1]

    def total_volume(self) -> float:
        """The Riemannian volume ∫ √det G dx of the whole manifold, in closed form.

        Raises
        ------
        TypeError
            Where none is known, or the volume is infinite.
        """
        raise TypeError(f"{self!r} has no volume in closed form; it may be infinite: integrate over a region with "
                        "infogeo.statistics.volume")

    @formula("theta", axes=3)
    def metric_derivative(self, x: Array) -> Array:
        """∂_k G_ij(x), k last, shape (..., dim, dim, dim); by extrapolated central differences, to about 1e-11 of G."""

    def _metric_derivative(self, xp: Namespace, x: Array) -> Array:
        return derivative(xp, self.metric, x, self._metric(xp, x))

    @property
    def _geodesics(self) -> Any:
        """The geodesic equation of the metric, for the numeric routes."""
        return MetricEquation(self)

    @formula("theta", "theta", axes=0, blocks=False, rule=rules.of_distance)
    def distance(self, x: Array, y: Array) -> Array:
        """The length of the geodesic between x and y, shape (...); NaN outside the domain.

        Without a closed form, by collocation to a relative 1e-8 (in float32 1000 ε).

        Raises
        ------
        ConvergenceError
            If that is not reached.
        """

    def _distance(self, xp: Namespace, x: Array, y: Array) -> Array:
        return join(self._geodesics, x, y).length

    @formula("theta", "theta", "t", axes=1, blocks=False)
    def geodesic(self, x: Array, y: Array, t: Array) -> Array:
        """The point at time t on the geodesic from x (t = 0) to y (t = 1), shape (..., dim); t broadcasts with the batch.

        Without a closed form, for 0 ≤ t ≤ 1 and NaN elsewhere, by collocation to 1e-8 of its length.

        Raises
        ------
        ConvergenceError
            If that is not reached.
        """

    def _geodesic(self, xp: Namespace, x: Array, y: Array, t: Array) -> Array:
        return join(self._geodesics, x, y)(t)

    @formula("theta", "vector", axes=1, blocks=False)
    def exp(self, x: Array, vector: Array) -> Array:
        """The point at time 1 of the geodesic with x(0) = x and ẋ(0) = vector, shape (..., dim).

        Without a closed form, by collocation to 1e-8 of its length.

        Raises
        ------
        ConvergenceError
            If that is not reached, or the geodesic leaves the domain before.
        """

    def _exp(self, xp: Namespace, x: Array, vector: Array) -> Array:
        return ruled(xp, lambda x, v: arrive(self._geodesics, x, v)[0], partial(rules.of_exp, self), x, vector)

    @formula("theta", "theta", axes=1, blocks=False)
    def log(self, x: Array, y: Array) -> Array:
        """The initial velocity of the geodesic from x to y, the inverse of `exp`, shape (..., dim).

        Raises
        ------
        ConvergenceError
            As `distance`.
        """

    def _log(self, xp: Namespace, x: Array, y: Array) -> Array:
        return join(self._geodesics, x, y).velocity


class DuallyFlat(Riemannian):
    """A Legendre pair (ψ, φ) with its two affine charts θ and η.

    Mathematically, ψ is strictly convex and smooth on an open convex set, η = ∇ψ(θ), φ(η) = θ·η − ψ(θ), θ = ∇φ(η),
    and the metric is ∇²ψ in the chart θ, ∇²φ = (∇²ψ)⁻¹ in the chart η. A subclass gives `theta_domain`, `eta_domain`,
    `potential`, `to_eta`, `metric` and `cubic_tensor`; everything else follows from these, and is overridden where a closed
    form is known.

    Shapes: θ and η (..., dim).
    Source: Amari & Nagaoka, Methods of Information Geometry (2000), section 3.

    Examples
    --------
    >>> M, theta, eta = ig.Poisson(), [np.log(2.0)], [2.0]  # one of many
    >>> M.to_eta(theta).round(12), M.to_theta(eta).round(4)
    (array([2.]), array([0.6931]))
    >>> M.metric(theta).round(12), M.dual_metric(eta).round(12)
    (array([[2.]]), array([[0.5]]))
    """

    theta_domain: Any       # ConvexDomain
    eta_domain: Any         # ConvexDomain
    # Whether ψ is smooth with a regular metric on the whole domain: a p-norm is not where a coordinate is 0.
    smooth: Any = True      # bool
    # Whether the slope of ψ is infinite at the boundary of its domain, so that the η of all points are a convex set. Where it is
    # not, a segment or a step in η may leave them, and Newton's method from afar may run to the boundary of θ.
    # (Barndorff-Nielsen, Information and Exponential Families (1978), theorem 9.2.)
    steep: Any = True       # bool
    # Whether there is a coordinate more than dimensions, as where all probabilities of a simplex are named.
    redundant: Any = False  # bool

    def part(self, rows: Any) -> "DuallyFlat":
        return self

    @property
    def domain(self) -> ConvexDomain:
        """The domain of the primal chart θ."""
        return self.theta_domain    # type: ignore[no-any-return]

    @formula("theta", axes=0, rule=rules.of_potential)
    def potential(self, theta: Array) -> Array:
        """ψ(θ), shape (...)."""

    @contract
    def _potential(self, xp: Namespace, theta: Array) -> Array:
        """ψ(θ)."""

    @formula("theta", axes=1, rule=rules.of_to_eta)
    def to_eta(self, theta: Array) -> Array:
        """η = ∇ψ(θ), shape (..., dim)."""

    @contract
    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        """η = ∇ψ(θ)."""

    @formula("theta", axes=1, rule=("potential", "to_eta"))
    def potential_and_eta(self, theta: Array) -> tuple[Array, Array]:      # type: ignore[empty-body]
        """``(ψ(θ), ∇ψ(θ))``, for manifolds that get both at the price of one."""

    def _potential_and_eta(self, xp: Namespace, theta: Array) -> tuple[Array, Array]:
        return self._potential(xp, theta), self._to_eta(xp, theta)

    @formula("theta", axes=3)
    def cubic_tensor(self, theta: Array) -> Array:
        """The Amari–Chentsov tensor ∂_i∂_j∂_k ψ(θ), shape (..., dim, dim, dim)."""

    @contract
    def _cubic_tensor(self, xp: Namespace, theta: Array) -> Array:
        """The Amari–Chentsov tensor ∂_i∂_j∂_k ψ(θ)."""

    def _metric_derivative(self, xp: Namespace, x: Array) -> Array:
        """∂_k G_ij = ∂_i∂_j∂_k ψ, the cubic tensor."""
        return self._cubic_tensor(xp, x)

    @property
    def _geodesics(self) -> Any:
        return HessianEquation(self)

    @once
    @formula("eta", axes=1, rule=rules.of_to_theta)
    def to_theta(self, eta: Array) -> Array:
        """θ = ∇φ(η), shape (..., dim); NaN where η is outside its domain.

        A manifold without a closed form finds it by damped Newton on the convex function ψ(θ) − η·θ.

        Raises
        ------
        ConvergenceError
            Where it is found by Newton, and ‖∇ψ(θ) − η‖ ≤ 1000 ε (1 + ‖η‖) is not reached.
        """

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        start = self.theta_domain.chart(xp.zeros_like(eta))
        start = xp.where(self.eta_domain.possible(eta)[..., None], start, xp.full_like(start, xp.nan))
        return minimize(
            xp, start, name="to_theta",
            value=lambda theta: self._potential(xp, theta) - xp.sum(eta * theta, axis=-1),
            gradient=lambda theta: self._to_eta(xp, theta) - eta,
            solve=lambda theta, g: self._sharp(xp, theta, g),
            contains=self.theta_domain.contains,
            scale=1.0 + xp.max(xp.abs(eta), axis=-1))

    def _mean_of_points(self, xp: Namespace, theta: Array, weights: Array) -> Array:
        """θ of Σ w_i η_i over axis 0 of the points (n, ..., dim), for weights (n, ...) of sum 1 and as many axes as the batch."""
        return self.to_theta(xp.sum(weights[..., None] * self.to_eta(theta), axis=0))

    @formula("eta", axes=0, rule=rules.of_dual_potential)
    def dual_potential(self, eta: Array) -> Array:
        """φ(η) = θ·η − ψ(θ), shape (...)."""

    def _dual_potential(self, xp: Namespace, eta: Array) -> Array:
        theta = self.to_theta(eta)
        return xp.sum(theta * eta, axis=-1) - self._potential(xp, theta)

    @formula("eta", axes=2, rule=rules.of_dual_metric)
    def dual_metric(self, eta: Array) -> Array:
        """∇²φ(η) = (∇²ψ(θ))⁻¹, shape (..., dim, dim)."""

    def _dual_metric(self, xp: Namespace, eta: Array) -> Array:
        return inverse(xp, self._metric(xp, self.to_theta(eta)))

    @formula("eta", "covector", axes=1, rule=rules.of_dual_flat)
    def dual_flat(self, eta: Array, vector: Array) -> Array:
        """∇²φ(η) v, for a tangent vector in the chart η, shape (..., dim)."""

    def _dual_flat(self, xp: Namespace, eta: Array, vector: Array) -> Array:
        return self._sharp(xp, self.to_theta(eta), vector)

    @formula("eta", "vector", axes=1, rule=rules.of_dual_sharp)
    def dual_sharp(self, eta: Array, covector: Array) -> Array:
        """(∇²φ(η))⁻¹ c, for a covector in the chart η, shape (..., dim)."""

    def _dual_sharp(self, xp: Namespace, eta: Array, covector: Array) -> Array:
        return self._flat(xp, self.to_theta(eta), covector)

    @formula("eta", axes=3)
    def dual_cubic_tensor(self, eta: Array) -> Array:
        """∂_i∂_j∂_k φ(η) = −G⁻¹G⁻¹G⁻¹ applied to the cubic tensor at θ, shape (..., dim, dim, dim)."""

    def _dual_cubic_tensor(self, xp: Namespace, eta: Array) -> Array:
        tensor, raise_index = self._cubic_tensor(xp, self.to_theta(eta)), self._dual_metric(xp, eta)
        for _ in range(3):   # contract the last axis, then bring the next one to the end
            tensor = xp.matmul(tensor, raise_index[..., None, :, :])
            tensor = xp.moveaxis(tensor, -1, -3)
        return -tensor

    @formula("theta", "theta", axes=0, rule=rules.of_divergence)
    def divergence(self, theta_p: Array, theta_q: Array) -> Array:
        """The canonical divergence D(p‖q) = ψ(θ_q) + φ(η_p) − θ_q·η_p, shape (...), nats.

        This derived form cancels for near points; manifolds of this library override it with one that does not.
        """

    def _divergence(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        eta_p = self._to_eta(xp, theta_p)
        return (self._potential(xp, theta_q) - self._potential(xp, theta_p)) - xp.sum((theta_q - theta_p) * eta_p, axis=-1)

    @cached_property
    def dual(self) -> "DuallyFlat":
        """The same manifold with the roles of θ and η swapped; ``M.dual.dual is M``."""
        return Dual(self)


class Dual(DuallyFlat):
    """A dually flat manifold with its charts swapped: its primal coordinates are the η of `primal`.

    Examples
    --------
    >>> M = ig.Poisson()
    >>> M.dual.to_eta([1.0]), M.dual.dual is M
    (array([0.]), True)
    """

    dim: int

    @takes(primal=DuallyFlat)
    def __init__(self, primal: DuallyFlat) -> None:
        self.primal = primal
        self.dim = primal.dim

    def __repr__(self) -> str:
        return f"{self.primal!r}.dual"

    @property
    def dual(self) -> Array:
        return self.primal

    @property
    def nan_outside(self) -> tuple[str, ...]:
        return tuple({"theta": "eta", "eta": "theta"}[kind] for kind in self.primal.nan_outside)

    @property
    def theta_domain(self) -> ConvexDomain:
        return self.primal.eta_domain    # type: ignore[no-any-return]

    @property
    def eta_domain(self) -> ConvexDomain:
        return self.primal.theta_domain    # type: ignore[no-any-return]

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        return self.primal.dual_potential(theta)

    def _dual_potential(self, xp: Namespace, eta: Array) -> Array:
        return self.primal.potential(eta)

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        return self.primal.to_theta(theta)

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        return self.primal.to_eta(eta)

    @property
    def smooth(self) -> bool:
        return self.primal.smooth    # type: ignore[no-any-return]

    @property
    def steep(self) -> bool:
        return self.primal.steep    # type: ignore[no-any-return]

    @property
    def redundant(self) -> bool:
        return self.primal.redundant    # type: ignore[no-any-return]

    def _metric(self, xp: Namespace, theta: Array) -> Array:
        return self.primal.dual_metric(theta)

    def _inverse_metric(self, xp: Namespace, x: Array) -> Array:
        return self.primal.metric(self.primal.to_theta(x))

    def _root(self, xp: Namespace, theta: Array, z: Array) -> Array:
        """G⁻¹ F z, for G⁻¹ F (G⁻¹ F)ᵀ = G⁻¹."""
        point = self.primal.to_theta(theta)
        return self.primal._sharp(xp, point, self.primal._root(xp, point, z))

    def _log_volume_element(self, xp: Namespace, theta: Array) -> Array:
        return -self.primal._log_volume_element(xp, self.primal.to_theta(theta))

    def total_volume(self) -> float:
        return self.primal.total_volume()

    def _dual_metric(self, xp: Namespace, eta: Array) -> Array:
        return self.primal.metric(eta)

    def _flat(self, xp: Namespace, theta: Array, vector: Array) -> Array:
        return self.primal.dual_flat(theta, vector)

    def _sharp(self, xp: Namespace, theta: Array, covector: Array) -> Array:
        return self.primal.dual_sharp(theta, covector)

    def _dual_flat(self, xp: Namespace, eta: Array, vector: Array) -> Array:
        return self.primal.flat(eta, vector)

    def _dual_sharp(self, xp: Namespace, eta: Array, covector: Array) -> Array:
        return self.primal.sharp(eta, covector)

    def _cubic_tensor(self, xp: Namespace, theta: Array) -> Array:
        return self.primal.dual_cubic_tensor(theta)

    def _dual_cubic_tensor(self, xp: Namespace, eta: Array) -> Array:
        return self.primal.cubic_tensor(eta)

    def _divergence(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        return self.primal.divergence(self.primal.to_theta(theta_q), self.primal.to_theta(theta_p))

    def _distance(self, xp: Namespace, x: Array, y: Array) -> Array:
        return self.primal.distance(self._to_eta(xp, x), self._to_eta(xp, y))

    def _geodesic(self, xp: Namespace, x: Array, y: Array, t: Array) -> Array:
        return self.to_theta(self.primal.geodesic(self._to_eta(xp, x), self._to_eta(xp, y), t))

    def _exp(self, xp: Namespace, x: Array, vector: Array) -> Array:
        return self.to_theta(self.primal.exp(self._to_eta(xp, x), self._flat(xp, x, vector)))

    def _log(self, xp: Namespace, x: Array, y: Array) -> Array:
        start = self._to_eta(xp, x)
        return self.primal.flat(start, self.primal.log(start, self._to_eta(xp, y)))
