"""Riemannian and dually flat manifolds: points are plain arrays, the manifold holds the geometry."""
from abc import ABC, abstractmethod
from functools import cached_property

from numpy import ndarray

from ...arrays.memo import once
from ...backend import NUMPY, arrays
from ...domains.convex import ConvexDomain, RealSpace
from ...errors import ShapeError
from ...numerics.collocation import HessianEquation, MetricEquation, arrive, join
from ...numerics.differences import derivative
from ...numerics.linalg import cholesky, inverse, matvec, solve
from ...numerics.newton import minimize

__all__ = ["Dual", "DuallyFlat", "Riemannian"]


class Riemannian(ABC):
    """An open set of R^dim with an inner product at each point.

    Mathematically, a chart with a metric tensor G(x). The derived methods are the reference: a manifold with structure
    overrides them.

    Shapes: points, vectors and covectors (..., dim); leading axes are a batch and broadcast.
    """

    dim: int

    @property
    def domain(self) -> ConvexDomain:
        """Where the points lie; R^dim unless the manifold says otherwise."""
        return RealSpace(self.dim)

    def point(self, *xs):
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

    @abstractmethod
    def metric(self, x):
        """The metric tensor G(x), shape (..., dim, dim)."""

    def flat(self, x, vector):
        """Lower an index: G(x) v, shape (..., dim)."""
        xp, x, vector = self.point(x, vector)
        return matvec(xp, self.metric(x), vector)

    def sharp(self, x, covector):
        """Raise an index: G(x)⁻¹ c, shape (..., dim). Of a differential, this is the natural gradient."""
        xp, x, covector = self.point(x, covector)
        return solve(xp, self.metric(x), covector)

    def root(self, x, z):
        """F(x) z with a square root of the metric, G = F Fᵀ, shape (..., dim): a random covector of covariance G if z is white.

        Which root F is, triangular or symmetric, is the manifold's own choice.
        """
        xp, x, z = self.point(x, z)
        return matvec(xp, cholesky(xp, self.metric(x)), z)

    def _on_basis(self, operator, x):
        """The matrix of a symmetric operator at x, `flat` or `sharp`: its images of the coordinate basis."""
        xp, x = self.point(x)
        return operator(x[..., None, :], xp.eye(self.dim, dtype=x.dtype))

    def inner(self, x, u, v):
        """⟨u, v⟩ = uᵀ G(x) v, shape (...)."""
        xp, x, u, v = self.point(x, u, v)
        return xp.sum(u * self.flat(x, v), axis=-1)

    def norm(self, x, v):
        """√⟨v, v⟩, shape (...)."""
        xp, x, v = self.point(x, v)
        return xp.sqrt(self.inner(x, v, v))

    def metric_derivative(self, x):
        """∂_k G_ij(x), k last, shape (..., dim, dim, dim); by extrapolated central differences, to about 1e-11 of G."""
        xp, x = self.point(x)
        return derivative(xp, self.metric, x, self.metric(x))

    @property
    def _geodesics(self):
        """The geodesic equation of the metric, for the numeric routes."""
        return MetricEquation(self)

    def distance(self, x, y):
        """The length of the geodesic between x and y, shape (...); NaN outside the domain.

        Without a closed form, by collocation to a relative 1e-8 (in float32 1000 ε).

        Raises
        ------
        ConvergenceError
            If that is not reached.
        """
        return join(self._geodesics, x, y).length

    def geodesic(self, x, y, t):
        """The point at time t on the geodesic from x (t = 0) to y (t = 1), shape (..., dim); t broadcasts with the batch.

        Without a closed form, for 0 ≤ t ≤ 1 and NaN elsewhere, by collocation to 1e-8 of its length.

        Raises
        ------
        ConvergenceError
            If that is not reached.
        """
        _, _, t = arrays(self.point(x, y)[1], t)
        return join(self._geodesics, x, y)(t)

    def exp(self, x, vector):
        """The point at time 1 of the geodesic with x(0) = x and ẋ(0) = vector, shape (..., dim).

        Without a closed form, by collocation to 1e-8 of its length.

        Raises
        ------
        ConvergenceError
            If that is not reached, or the geodesic leaves the domain before.
        """
        return arrive(self._geodesics, x, vector)[0]

    def log(self, x, y):
        """The initial velocity of the geodesic from x to y, the inverse of `exp`, shape (..., dim).

        Raises
        ------
        ConvergenceError
            As `distance`.
        """
        return join(self._geodesics, x, y).velocity


class DuallyFlat(Riemannian):
    """A Legendre pair (ψ, φ) with its two affine charts θ and η.

    Mathematically, ψ is strictly convex and smooth on an open convex set, η = ∇ψ(θ), φ(η) = θ·η − ψ(θ), θ = ∇φ(η),
    and the metric is ∇²ψ in the chart θ, ∇²φ = (∇²ψ)⁻¹ in the chart η. A subclass gives `theta_domain`, `eta_domain`,
    `potential`, `to_eta`, `metric` and `cubic_tensor`; everything else follows from these, and is overridden where a closed
    form is known.

    Shapes: θ and η (..., dim).
    Source: Amari & Nagaoka, Methods of Information Geometry (2000), section 3.
    """

    theta_domain: ConvexDomain
    eta_domain: ConvexDomain

    @property
    def domain(self):
        """The domain of the primal chart θ."""
        return self.theta_domain

    @abstractmethod
    def potential(self, theta):
        """ψ(θ), shape (...)."""

    @abstractmethod
    def to_eta(self, theta):
        """η = ∇ψ(θ), shape (..., dim)."""

    def potential_and_eta(self, theta):
        """``(ψ(θ), ∇ψ(θ))``, for manifolds that get both at the price of one."""
        return self.potential(theta), self.to_eta(theta)

    @abstractmethod
    def cubic_tensor(self, theta):
        """The Amari–Chentsov tensor ∂_i∂_j∂_k ψ(θ), shape (..., dim, dim, dim)."""

    def metric_derivative(self, x):
        """∂_k G_ij = ∂_i∂_j∂_k ψ, the cubic tensor."""
        return self.cubic_tensor(x)

    @property
    def _geodesics(self):
        return HessianEquation(self)

    @once
    def to_theta(self, eta):
        """θ = ∇φ(η), shape (..., dim); NaN where η is outside its domain.

        A manifold without a closed form finds it by damped Newton on the convex function ψ(θ) − η·θ.

        Raises
        ------
        ConvergenceError
            Where it is found by Newton, and ‖∇ψ(θ) − η‖ ≤ 1000 ε (1 + ‖η‖) is not reached.
        """
        xp, eta = self.point(eta)
        start = self.theta_domain.chart(xp.zeros_like(eta))
        start = xp.where(self.eta_domain.contains(eta)[..., None], start, xp.full_like(start, xp.nan))
        return minimize(
            xp, start, name="to_theta",
            value=lambda theta: self.potential(theta) - xp.sum(eta * theta, axis=-1),
            gradient=lambda theta: self.to_eta(theta) - eta,
            solve=lambda theta, g: self.sharp(theta, g),
            contains=self.theta_domain.contains,
            scale=1.0 + xp.max(xp.abs(eta), axis=-1))

    def dual_potential(self, eta):
        """φ(η) = θ·η − ψ(θ), shape (...)."""
        xp, eta = self.point(eta)
        theta = self.to_theta(eta)
        return xp.sum(theta * eta, axis=-1) - self.potential(theta)

    def dual_metric(self, eta):
        """∇²φ(η) = (∇²ψ(θ))⁻¹, shape (..., dim, dim)."""
        xp, eta = self.point(eta)
        return inverse(xp, self.metric(self.to_theta(eta)))

    def dual_flat(self, eta, vector):
        """∇²φ(η) v, for a tangent vector in the chart η, shape (..., dim)."""
        return self.sharp(self.to_theta(eta), vector)

    def dual_sharp(self, eta, covector):
        """(∇²φ(η))⁻¹ c, for a covector in the chart η, shape (..., dim)."""
        return self.flat(self.to_theta(eta), covector)

    def dual_cubic_tensor(self, eta):
        """∂_i∂_j∂_k φ(η) = −G⁻¹G⁻¹G⁻¹ applied to the cubic tensor at θ, shape (..., dim, dim, dim)."""
        xp, eta = self.point(eta)
        tensor, raise_index = self.cubic_tensor(self.to_theta(eta)), self.dual_metric(eta)
        for _ in range(3):   # contract the last axis, then bring the next one to the end
            tensor = xp.matmul(tensor, raise_index[..., None, :, :])
            tensor = xp.moveaxis(tensor, -1, -3)
        return -tensor

    def divergence(self, theta_p, theta_q):
        """The canonical divergence D(p‖q) = ψ(θ_q) + φ(η_p) − θ_q·η_p, shape (...), nats.

        This derived form cancels for near points; manifolds of this library override it with one that does not.
        """
        xp, theta_p, theta_q = self.point(theta_p, theta_q)
        eta_p = self.to_eta(theta_p)
        return (self.potential(theta_q) - self.potential(theta_p)) - xp.sum((theta_q - theta_p) * eta_p, axis=-1)

    @cached_property
    def dual(self) -> "DuallyFlat":
        """The same manifold with the roles of θ and η swapped; ``M.dual.dual is M``."""
        return Dual(self)


class Dual(DuallyFlat):
    """A dually flat manifold with its charts swapped: its primal coordinates are the η of `primal`."""

    def __init__(self, primal):
        self.primal = primal
        self.dim = primal.dim

    def __repr__(self):
        return f"{self.primal!r}.dual"

    @property
    def dual(self):
        return self.primal

    @property
    def theta_domain(self):
        return self.primal.eta_domain

    @property
    def eta_domain(self):
        return self.primal.theta_domain

    def potential(self, theta):
        return self.primal.dual_potential(theta)

    def dual_potential(self, eta):
        return self.primal.potential(eta)

    def to_eta(self, theta):
        return self.primal.to_theta(theta)

    def to_theta(self, eta):
        return self.primal.to_eta(eta)

    def metric(self, theta):
        return self.primal.dual_metric(theta)

    def dual_metric(self, eta):
        return self.primal.metric(eta)

    def flat(self, theta, vector):
        return self.primal.dual_flat(theta, vector)

    def sharp(self, theta, covector):
        return self.primal.dual_sharp(theta, covector)

    def dual_flat(self, eta, vector):
        return self.primal.flat(eta, vector)

    def dual_sharp(self, eta, covector):
        return self.primal.sharp(eta, covector)

    def cubic_tensor(self, theta):
        return self.primal.dual_cubic_tensor(theta)

    def dual_cubic_tensor(self, eta):
        return self.primal.cubic_tensor(eta)

    def divergence(self, theta_p, theta_q):
        return self.primal.divergence(self.primal.to_theta(theta_q), self.primal.to_theta(theta_p))

    def distance(self, x, y):
        return self.primal.distance(self.to_eta(x), self.to_eta(y))

    def geodesic(self, x, y, t):
        return self.to_theta(self.primal.geodesic(self.to_eta(x), self.to_eta(y), t))

    def exp(self, x, vector):
        return self.to_theta(self.primal.exp(self.to_eta(x), self.flat(x, vector)))

    def log(self, x, y):
        start = self.to_eta(x)
        return self.primal.flat(start, self.primal.log(start, self.to_eta(y)))
