"""The generalized inverse Gaussian family."""
from dataclasses import dataclass

from ..arrays.draws import Draws
from ..arrays.memo import once
from ..arrays.tracing import is_traced, surely
from ..backend import Array, Namespace
from ..domains.convex import MappedDomain, Orthant, ProductDomain, RealSpace
from ..domains.supports import Interval
from ..errors import require
from ..numerics.newton import minimize
from ..numerics.piecewise import piecewise
from .base import ExponentialFamily
from .cumulative import Law
from .gamma import shape_from_log_gap
from .generalized_inverse_gaussian_fit import fit_of_deviations
from .generalized_inverse_gaussian_law import LogLaw
from .matrix_gamma import differ

__all__ = ["GeneralizedInverseGaussian"]


def _inside(xp: Namespace, eta: Array) -> Array:
    """Whether some θ has this η: below the limits b → 0 (gamma) and a → 0 (inverse gamma), where E[1/x] and E[x] stay finite."""
    log_mean, mean, inverse = eta[..., 0], eta[..., 1], eta[..., 2]
    product = mean * inverse
    possible = (mean > 0) & (inverse > 0) & (product > 1) & xp.isfinite(product)
    nan = xp.full_like(product, xp.nan)
    above = xp.where(possible, xp.log(mean) - log_mean, nan)
    below = xp.where(possible, xp.log(inverse) + log_mean, nan)
    possible = (above > 0) & (below > 0)
    # shapes of the gamma law of this (E log x, E x), and of the inverse gamma law of this (E log x, E 1/x)
    first, second = shape_from_log_gap(xp, above), shape_from_log_gap(xp, below)
    return possible & (xp.maximum(first, second) * (product - 1.0) < product)


_THETA = ProductDomain(RealSpace(1), Orthant(-1, -1))
_ETA = MappedDomain(_THETA, lambda xp, theta: LogLaw(xp, theta).eta(), _inside,
                    lambda name: f"{name} = E[(log x, x, 1/x)] of a member")


@dataclass(frozen=True)
class GeneralizedInverseGaussian(ExponentialFamily):
    """The generalized inverse Gaussian distribution, density proportional to x^{p−1} exp(−(a x + b / x) / 2).

    Mathematically, with ω = √(ab) and K_p the modified Bessel function of the second kind,

    - support x > 0; T(x) = (log x, x, 1/x); h(x) = 1 / x
    - θ = (p, −a / 2, −b / 2), θ₂ < 0, θ₃ < 0; η = (E log x, E x, E 1/x)
    - ψ(θ) = log(2 K_p(ω)) + (p / 2) log(b / a)

    With p = −1/2 it is `InverseGaussian`; its limits b → 0 and a → 0 are `Gamma` and `InverseGamma`. Those have a finite ψ, and
    for |p| > 1 a finite η: the family is not steep. So the η of its members do not fill the interior of the convex hull of T and
    are not a convex set: an m-geodesic may leave it, and a sample whose mean lies beyond has no maximum-likelihood estimate with
    a > 0 and b > 0.

    ψ and all moments are integrals over t = log x by the trapezoidal rule, which converges exponentially: a relative accuracy of
    about 1e-13 at a cost that grows as log(1/ω) for small ω; NaN where one of p ± √(p² + ab) is 0 in numbers, or too large.

    Ordinary parameters: `p`, `a`, `b`, with a, b > 0, shapes (...).
    Source: Jørgensen, Statistical Properties of the Generalized Inverse Gaussian Distribution (1982).

    Examples
    --------
    >>> M = ig.GeneralizedInverseGaussian()
    >>> theta = M.theta_from(p=-0.5, a=1.0, b=4.0)  # InverseGaussian
    >>> float(M.mean(theta).round(9))  # √(b / a)
    2.0
    """

    dim = 3
    steep = False       # gamma and inverse gamma distributions are limits of finite mean
    theta_domain = _THETA
    eta_domain = _ETA
    support = Interval(0)
    observed = 1
    ordinary = {"p": Interval(), "a": Interval(0), "b": Interval(0)}

    @once
    def _law(self, xp: Namespace, theta: Array) -> LogLaw:
        return LogLaw(xp, theta)

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        return self._law(xp, theta).potential()

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        return self._law(xp, theta).eta()

    def _metric(self, xp: Namespace, theta: Array) -> Array:
        return self._law(xp, theta).metric()

    def _cubic_tensor(self, xp: Namespace, theta: Array) -> Array:
        return self._law(xp, theta).cubic_tensor()

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        """By damped Newton on ψ(θ) − η·θ, for x in units in which E[x] = E[1/x]."""
        unit = xp.sqrt(eta[..., 1]) / xp.sqrt(eta[..., 2])
        size = xp.sqrt(eta[..., 1]) * xp.sqrt(eta[..., 2])
        eta = xp.stack([eta[..., 0] - xp.log(unit), size, size], axis=-1)
        # x nearly log-normal has E[x] E[1/x] = e^{1/ω} at p = 0
        omega = 0.5 / xp.log(size)
        theta = minimize(
            xp, xp.stack([0.0 * omega, -0.5 * omega, -0.5 * omega], axis=-1), name="to_theta",
            value=lambda theta: self._potential(xp, theta) - xp.sum(eta * theta, axis=-1),
            gradient=lambda theta: self._to_eta(xp, theta) - eta,
            solve=lambda theta, g: self._sharp(xp, theta, g), contains=self.theta_domain.contains, scale=1.0 + size)
        return xp.stack([theta[..., 0], theta[..., 1] / unit, theta[..., 2] * unit], axis=-1)

    def _dual_potential(self, xp: Namespace, eta: Array) -> Array:
        return -self._law(xp, self.to_theta(eta)).entropy_of_log()

    def _sharp(self, xp: Namespace, theta: Array, covector: Array) -> Array:
        return self._law(xp, theta).sharp(covector)

    def _sufficient_statistic(self, xp: Namespace, x: Array) -> Array:
        return xp.stack([xp.log(x), x, 1.0 / x], axis=-1)

    def _log_base_measure(self, xp: Namespace, x: Array) -> Array:
        return -xp.log(x)

    def _expected_log_base_measure(self, xp: Namespace, theta: Array) -> Array:
        return -self._to_eta(xp, theta)[..., 0]

    def _log_density(self, xp: Namespace, theta: Array, x: Array) -> Array:
        law = self._law(xp, theta)
        growth = (x - law.mode) / law.mode
        growth, log_x, log_mode = xp.broadcast_arrays(growth, xp.log(x), xp.log(law.mode))
        near, far = (lambda g, u, v: xp.log1p(g)), (lambda g, u, v: u - v)
        t = piecewise(xp, xp.abs(growth) < 0.5, near, far, growth, log_x, log_mode)
        return -law.depth(t) - law.log_mass - log_x

    def _entropy(self, xp: Namespace, theta: Array) -> Array:
        return self._law(xp, theta).entropy_of_log() + self._to_eta(xp, theta)[..., 0]

    def _kl(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        theta_p, theta_q = xp.broadcast_arrays(theta_p, theta_q)
        return LogLaw(xp, theta_p).kl(LogLaw(xp, theta_q))

    def _fit(self, xp: Namespace, x: Array, weights: Array) -> Array:
        eta = self._mean_statistic(xp, x, weights)
        narrow = eta[..., 1] * eta[..., 2] < 1.1            # a deviation of log x below 0.3
        nan = xp.full_like(eta, xp.nan)
        theta = self.to_theta(xp.where((self.eta_domain.possible(eta) & ~narrow)[..., None], eta, nan))
        if not surely(xp, ~xp.any(narrow)):
            theta = xp.where(narrow[..., None], fit_of_deviations(xp, x, weights), theta)
        return xp.where(differ(xp, x[..., None], weights)[..., None], theta, nan)

    def _cumulative(self, xp: Namespace, theta: Array) -> Law:
        """By integrals over log x, whose deviation 1/√k, k² = p² + ab, must be beyond what rounding x changes: 1e-12 of it."""
        if not is_traced(xp, theta):
            law = self._law(xp, theta)
            law.require_in_range()
            require("theta", "p² + a b < 1e48 for a distribution function: x is not told from the mode beyond", law.k < 1e24,
                    theta)
        return super()._numeric(xp, theta)

    def _draw(self, draws: Draws, theta: Array, shape: tuple[int, ...]) -> Array:
        return self._law(draws.xp, theta).draw(draws, shape)

    def _theta_from(self, xp: Namespace, p: Array, a: Array, b: Array) -> Array:
        p, a, b = xp.broadcast_arrays(p, a, b)
        return xp.stack([p, -0.5 * a, -0.5 * b], axis=-1)

    def _parameters(self, xp: Namespace, theta: Array) -> dict[str, Array]:
        return {"p": theta[..., 0], "a": -2.0 * theta[..., 1], "b": -2.0 * theta[..., 2]}

    def _from_eta_tangent(self, xp: Namespace, theta: Array, d_eta: Array) -> dict[str, Array]:
        vector = self._sharp(xp, theta, d_eta)
        return {"p": vector[..., 0], "a": -2.0 * vector[..., 1], "b": -2.0 * vector[..., 2]}
