"""Manifolds and families on arrays whose formulas are generated from symbols."""
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import combinations_with_replacement, permutations
from typing import Any, Protocol

import sympy as sp

from ..arrays.draws import Draws
from ..backend import Array, Namespace, arrays
from ..domains.base import Domain
from ..domains.convex import ConvexDomain
from ..domains.image import GradientImage
from ..errors import ConvergenceError
from ..families.base import ExponentialFamily
from ..geometry.manifolds.manifold import DuallyFlat
from ..numerics.piecewise import unless_cancelled
from ..numerics.quadrature import gauss
from .algebra import NoClosedForm
from .convexity import Point
from .kernel import Kernel, kernel
from .potential import SymbolicPotential
from .recognition import structure_of
from .rewriting import stable
from .structure import Structure
from .tabulate import tabulate

__all__ = ["CompiledFamily", "CompiledManifold"]

NODES = 16          # of the divergence of near points: to rounding, as of `bregman_integral`


class Formulas(Protocol):
    """What is asked of a `SymbolicManifold` here."""

    theta: tuple[sp.Symbol, ...]
    potential: sp.Expr
    points: list[Point]

    @property
    def dim(self) -> int: ...

    @property
    def eta_symbols(self) -> tuple[sp.Symbol, ...]: ...

    @property
    def theta_of_eta(self) -> sp.Matrix: ...


class CompiledManifold(DuallyFlat):
    """A dually flat manifold whose formulas are kernels generated from a `SymbolicManifold`, the same on every array library.

    Mathematically, ψ, ∇ψ, ∇²ψ and ∇³ψ, each symmetric entry once; log Σ exp in its stable form. θ(η) is a formula where SymPy
    solves ∇ψ(θ) = η, and Newton's method elsewhere. `flat` and `sharp` follow the `structure` of the metric: blocks, a diagonal,
    a diagonal plus a matrix of rank one, or an elimination in symbols.

    Examples
    --------
    >>> import sympy as sp
    >>> t = sp.Symbol("theta", real=True)
    >>> line = ig.domains.RealSpace(1)
    >>> M = ig.symbolic.SymbolicManifold(t, sp.cosh(t)).compile(line)
    >>> eta = M.to_eta([1.0])
    >>> eta.round(4), M.to_theta(eta).round(9)  # sinh 1
    (array([1.1752]), array([1.]))
    """

    dim: int
    theta_domain: ConvexDomain
    eta_domain: ConvexDomain

    def __init__(self, symbolic: Formulas, theta_domain: ConvexDomain, eta_domain: ConvexDomain | None = None) -> None:
        self.symbolic, self.theta_domain, self.dim = symbolic, theta_domain, symbolic.dim
        self._is_given = eta_domain is not None         # else an η is in the domain if the inversion finds its θ
        self.eta_domain = GradientImage(self) if eta_domain is None else eta_domain

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.symbolic.potential})"

    @cached_property
    def _stable(self) -> SymbolicPotential:
        """ψ with log Σ exp in its stable form."""
        return SymbolicPotential(self.symbolic.theta, stable(self.symbolic.potential))

    # The kernels, each generated when it is first needed

    @cached_property
    def _psi(self) -> Kernel:
        return kernel(self.symbolic.theta, [self._stable.potential])

    @cached_property
    def _eta(self) -> Kernel:
        return kernel(self.symbolic.theta, self._stable.eta)

    @cached_property
    def _upper(self) -> Kernel:
        """The entries i ≤ j of the metric."""
        return kernel(self.symbolic.theta, [self._stable.metric[i, j] for i in range(self.dim) for j in range(i, self.dim)])

    @cached_property
    def _cubic(self) -> Kernel:
        return kernel(self.symbolic.theta, self._stable.cubic_entries.values())

    @cached_property
    def _bregman(self) -> Kernel:
        """B_ψ(θ_q, θ_p) as it stands, and the size of its terms, of θ_p and θ_q."""
        p, q = self._stable.theta, sp.symbols(f"q_1:{self.dim + 1}", cls=sp.Dummy, real=True)
        psi_p, psi_q = self._stable.potential, self._stable.potential.xreplace(dict(zip(p, q)))
        slope = sp.Add(*((b - a) * eta for a, b, eta in zip(p, q, self._stable.eta)))
        return kernel(p + q, [psi_q - psi_p - slope, abs(psi_p) + abs(psi_q) + abs(slope)])

    @cached_property
    def _inverse(self) -> Kernel | None:
        """θ(η), or None where it has no formula."""
        try:
            return kernel(self.symbolic.eta_symbols, self.symbolic.theta_of_eta)
        except NoClosedForm:
            return None

    @cached_property
    def structure(self) -> Structure:
        """The metric as a linear map, found in its symbols."""
        return structure_of(self._stable, self.symbolic.points)

    # The contract of a dually flat manifold

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        return tabulate(self._psi, (), [[()]], xp, theta)

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        return self._vectors(self._eta, xp, theta)

    def _metric(self, xp: Namespace, theta: Array) -> Array:
        places = [{(i, j), (j, i)} for i, j in combinations_with_replacement(range(self.dim), 2)]
        return tabulate(self._upper, (self.dim, self.dim), places, xp, theta)

    def _cubic_tensor(self, xp: Namespace, theta: Array) -> Array:
        places = [set(permutations(entry)) for entry in self._stable.cubic_entries]
        return tabulate(self._cubic, (self.dim,) * 3, places, xp, theta)

    def _flat(self, xp: Namespace, theta: Array, vector: Array) -> Array:
        return self._vectors(self.structure.flat, xp, theta, vector)

    def _sharp(self, xp: Namespace, theta: Array, covector: Array) -> Array:
        return self._vectors(self.structure.sharp, xp, theta, covector)

    def _vectors(self, function: Kernel, *arguments: Array) -> Array:
        return tabulate(function, (self.dim,), [[(i,)] for i in range(self.dim)], *arguments)

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        if self._inverse is not None:
            theta = self._vectors(self._inverse, xp, eta)
            inside = self.theta_domain.contains(theta)
            if xp.name == "numpy" and inside.all():             # a look is free on the host only
                return theta
            return xp.where(inside[..., None], theta, xp.full_like(theta, xp.nan))
        try:
            return super()._to_theta(xp, eta)
        except ConvergenceError as error:
            if self._is_given:
                raise
            # no θ: outside the image. But near the ends of the domain θ itself leaves a thousand roundings of the equation
            near = error.residual <= 1000 * float(xp.finfo(eta.dtype).eps) * (1.0 + xp.max(xp.abs(eta), axis=-1))
            return xp.where(near[..., None], error.iterate, xp.full_like(eta, xp.nan))

    def _divergence(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """B_ψ(θ_q, θ_p); of near points the integral of the second derivative along their segment, which does not cancel."""
        direct = tabulate(self._bregman, (2,), [[(0,)], [(1,)]], xp, theta_p, theta_q)
        return unless_cancelled(xp, direct[..., 0], direct[..., 1], self._near_divergence, theta_p, theta_q)

    def _near_divergence(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """∫₀¹ (1 − t) |δ|² dt along δ = θ_q − θ_p. All nodes in one call: near rows are few, and a call costs more than they."""
        step = theta_q - theta_p
        node, weight = (xp.asarray(x, dtype=step.dtype) for x in gauss(NODES))
        t = xp.reshape(node, (NODES, *(1,) * step.ndim))
        return xp.tensordot(weight * (1.0 - node), self._inner(xp, theta_p + t * step, step, step), axes=1)


class CompiledFamily(CompiledManifold, ExponentialFamily):
    """An exponential family whose formulas are kernels generated from symbols; see `SymbolicManifold.compile_family`.

    Its ordinary parameters are the natural ones, by the name `theta`.

    Examples
    --------
    >>> import sympy as sp
    >>> t, x = sp.symbols("theta x", real=True)
    >>> def sampler(rng, theta, shape):
    ...     return rng.exponential(-1 / theta[..., 0], shape)
    >>> M = ig.symbolic.SymbolicManifold(t, -sp.log(-t)).compile_family(
    ...     ig.domains.Orthant(-1), x=x, sufficient_statistic=[x],
    ...     log_base_measure=sp.S.Zero, support=ig.domains.Interval(0),
    ...     sampler=sampler)
    >>> M.log_density([-2.0], [0.5, 1.0]).round(4)  # log 2 − 2 x
    array([-0.3069, -1.3069])
    """

    support: Domain
    ordinary: dict[str, Domain]

    def __init__(self, symbolic: Formulas, theta_domain: ConvexDomain, eta_domain: ConvexDomain | None = None, *,
                 x: sp.Symbol | tuple[sp.Symbol, ...], sufficient_statistic: Sequence[sp.Expr], log_base_measure: sp.Expr,
                 support: Domain, sampler: Callable[[Any, Array, tuple[int, ...]], Array],
                 expected_log_base_measure: sp.Expr) -> None:
        super().__init__(symbolic, theta_domain, eta_domain)
        self.support, self.ordinary, self._sampler = support, {"theta": theta_domain}, sampler
        observation = x if isinstance(x, tuple) else (x,)
        self._statistic = kernel(observation, sufficient_statistic)
        self._log_h = kernel(observation, [log_base_measure])
        self._mean_log_h = kernel(symbolic.theta, [stable(expected_log_base_measure)])

    def _observed(self, x: Array) -> tuple[Namespace, Array]:
        xp, x = arrays(x)
        return xp, x if self.support.shape else x[..., None]

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return self._vectors(self._statistic, *self._observed(x))

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return tabulate(self._log_h, (), [[()]], *self._observed(x))

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        return tabulate(self._mean_log_h, (), [[()]], xp, theta)

    def _kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        return CompiledManifold._divergence(self, xp, theta_p, theta_q)

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        return draws.xp.asarray(self._sampler(draws.rng, theta, shape), dtype=theta.dtype)

    def _theta_from(self, xp: Namespace, theta: Array) -> Array:
        return theta

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"theta": theta}
