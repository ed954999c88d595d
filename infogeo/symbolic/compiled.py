"""Manifolds and families on arrays whose formulas are generated from symbols."""
from functools import cached_property
from itertools import combinations_with_replacement, permutations

import sympy as sp

from ..backend import arrays
from ..domains.convex import MappedDomain
from ..domains.image import Image
from ..errors import ConvergenceError
from ..families.base import ExponentialFamily
from ..geometry.manifolds.manifold import DuallyFlat
from ..numerics.bregman_integral import bregman_integral
from ..numerics.newton import minimize
from ..numerics.special import unless_cancelled
from .algebra import NoClosedForm
from .functions import stable
from .printer import kernel, tabulate
from .structure import structure_of

__all__ = ["CompiledFamily", "CompiledManifold"]


class CompiledManifold(DuallyFlat):
    """A dually flat manifold whose formulas are kernels generated from a `SymbolicManifold`, the same on every array library.

    Mathematically, ψ, ∇ψ, ∇²ψ and ∇³ψ, each symmetric entry once; log Σ exp in its stable form. θ(η) is a formula where SymPy
    solves ∇ψ(θ) = η, and Newton's method elsewhere. `flat` and `sharp` follow the `structure` of the metric: blocks, a diagonal,
    a diagonal plus a matrix of rank one, or an elimination in symbols.
    """

    def __init__(self, symbolic, theta_domain, eta_domain=None):
        self.symbolic, self.theta_domain, self.dim = symbolic, theta_domain, symbolic.dim
        if eta_domain is not None:
            self.eta_domain = eta_domain
        elif self._inverse is None:
            self.eta_domain = Image(self, inverse=self._found)
        else:
            self.eta_domain = MappedDomain(theta_domain, lambda xp, theta: self.to_eta(theta), self._is_image,
                                           lambda name: f"{name} = grad psi(theta) for a theta with {theta_domain.rule('theta')}")

    def __repr__(self):
        return f"{type(self).__name__}({self._expression})"

    @property
    def _expression(self):
        return self.symbolic.potential

    @cached_property
    def _stable(self):
        """The symbolic manifold with log Σ exp in its stable form."""
        return type(self.symbolic)(self.symbolic.theta, stable(self._expression), self.symbolic.domain)

    # The kernels, each generated when it is first needed

    @cached_property
    def _psi(self):
        return kernel(self.symbolic.theta, [self._stable.potential])

    @cached_property
    def _eta(self):
        return kernel(self.symbolic.theta, self._stable.eta)

    @cached_property
    def _upper(self):
        """The entries i ≤ j of the metric."""
        return kernel(self.symbolic.theta, [self._stable.metric[i, j] for i in range(self.dim) for j in range(i, self.dim)])

    @cached_property
    def _cubic(self):
        return kernel(self.symbolic.theta, self._stable.cubic_entries.values())

    @cached_property
    def _bregman(self):
        """B_ψ(θ_q, θ_p) as it stands, and the size of its terms, of θ_p and θ_q."""
        p, q = self._stable.theta, sp.symbols(f"q_1:{self.dim + 1}", cls=sp.Dummy, real=True)
        psi_p, psi_q = self._stable.potential, self._stable.potential.xreplace(dict(zip(p, q)))
        slope = sp.Add(*((b - a) * eta for a, b, eta in zip(p, q, self._stable.eta)))
        return kernel(p + q, [psi_q - psi_p - slope, abs(psi_p) + abs(psi_q) + abs(slope)])

    @cached_property
    def _inverse(self):
        """θ(η), or None where it has no formula."""
        try:
            return kernel(self.symbolic.eta_symbols, self.symbolic.theta_of_eta)
        except NoClosedForm:
            return None

    @cached_property
    def structure(self):
        """The metric as a linear map, found in its symbols."""
        return structure_of(self._stable)

    # The contract of a dually flat manifold

    def _potential(self, xp, theta):
        return tabulate(self._psi, (), [[()]], xp, theta)

    def _to_eta(self, xp, theta):
        return self._vectors(self._eta, xp, theta)

    def _metric(self, xp, theta):
        places = [{(i, j), (j, i)} for i, j in combinations_with_replacement(range(self.dim), 2)]
        return tabulate(self._upper, (self.dim, self.dim), places, xp, theta)

    def _cubic_tensor(self, xp, theta):
        places = [set(permutations(entry)) for entry in self._stable.cubic_entries]
        return tabulate(self._cubic, (self.dim,) * 3, places, xp, theta)

    def _flat(self, xp, theta, vector):
        return self._vectors(self.structure.flat, xp, theta, vector)

    def _sharp(self, xp, theta, covector):
        return self._vectors(self.structure.sharp, xp, theta, covector)

    def _vectors(self, function, *arguments):
        return tabulate(function, (self.dim,), [[(i,)] for i in range(self.dim)], *arguments)

    def _to_theta(self, xp, eta):
        if self._inverse is not None:
            theta = self._vectors(self._inverse, xp, eta)
            inside = self.theta_domain.contains(theta)
            if xp.name == "numpy" and inside.all():             # a look is free on the host only
                return theta
            return xp.where(inside[..., None], theta, xp.full_like(theta, xp.nan))
        return self._newton(eta) if isinstance(self.eta_domain, Image) else DuallyFlat.to_theta(self, eta)

    def _found(self, eta):
        """θ(η), NaN where Newton's method does not reach it."""
        xp, eta = self.point(eta)
        try:
            return self._newton(eta)
        except ConvergenceError as error:
            # a thousand roundings: near the ends of the domain that is what θ itself leaves of the equation
            near = error.residual <= 1000 * float(xp.finfo(eta.dtype).eps) * (1.0 + xp.max(xp.abs(eta), axis=-1))
            return xp.where(near[..., None], error.iterate, xp.full_like(eta, xp.nan))

    def _newton(self, eta):
        """As the inherited `to_theta`, for a domain of η that is known by this alone."""
        xp, eta = self.point(eta)
        start = self.theta_domain.chart(xp.zeros_like(eta))
        return minimize(
            xp, xp.where(xp.isfinite(eta), start, xp.full_like(start, xp.nan)), name="to_theta",
            value=lambda theta: self.potential(theta) - xp.sum(eta * theta, axis=-1),
            gradient=lambda theta: self.to_eta(theta) - eta,
            solve=self.sharp, contains=self.theta_domain.contains, scale=1.0 + xp.max(xp.abs(eta), axis=-1))

    def _is_image(self, xp, eta):
        return self.theta_domain.contains(self._vectors(self._inverse, xp, eta))

    def _divergence(self, xp, theta_p, theta_q):
        """B_ψ(θ_q, θ_p); of near points the integral of the second derivative along their segment, which does not cancel."""
        direct = tabulate(self._bregman, (2,), [[(0,)], [(1,)]], xp, theta_p, theta_q)
        return unless_cancelled(xp, direct[..., 0], direct[..., 1], self._near_divergence, theta_p, theta_q)

    def _near_divergence(self, xp, theta_p, theta_q):
        step = theta_q - theta_p
        bent = lambda t: self.inner(theta_p + t[..., None] * step, step, step)
        zero = xp.zeros_like(step[..., 0])
        return bregman_integral(bent, zero, zero + 1.0)


class CompiledFamily(CompiledManifold, ExponentialFamily):
    """An exponential family whose formulas are kernels generated from symbols; see `SymbolicManifold.compile_family`.

    Its ordinary parameters are the natural ones, by the name `theta`.
    """

    def __init__(self, symbolic, theta_domain, eta_domain=None, *, x, sufficient_statistic, log_base_measure, support, sampler,
                 expected_log_base_measure):
        super().__init__(symbolic, theta_domain, eta_domain)
        self.support, self.ordinary, self._sampler = support, {"theta": theta_domain}, sampler
        observation = x if isinstance(x, tuple) else (x,)
        self._statistic = kernel(observation, sufficient_statistic)
        self._log_h = kernel(observation, [log_base_measure])
        self._mean_log_h = kernel(symbolic.theta, [stable(expected_log_base_measure)])

    def _observed(self, x):
        xp, x = arrays(x)
        return xp, x if self.support.shape else x[..., None]

    def _sufficient_statistic(self, xp, x):
        return self._vectors(self._statistic, *self._observed(x))

    def _log_base_measure(self, xp, x):
        return tabulate(self._log_h, (), [[()]], *self._observed(x))

    def _expected_log_base_measure(self, xp, theta):
        return tabulate(self._mean_log_h, (), [[()]], xp, theta)

    def _kl(self, xp, theta_p, theta_q):
        return CompiledManifold._divergence(self, xp, theta_p, theta_q)

    def _draw(self, draws, theta, shape):
        return draws.xp.asarray(self._sampler(draws.rng, theta, shape), dtype=theta.dtype)

    def _theta_from(self, xp, theta):
        return theta

    def _parameters(self, xp, theta):
        return {"theta": theta}
