"""Mixture families: all mixtures of fixed components, the m-flat counterpart of exponential families."""
from collections.abc import Callable, Sequence
from math import inf
from typing import Any, Self

import numpy as np

from ..backend import Array, Namespace, to_numpy
from ..domains.convex import ConvexDomain, OpenSimplex, RealSpace
from ..domains.image import GradientImage
from ..errors import ConvergenceError, ShapeError, require
from ..geometry.manifolds.interface import formula
from ..geometry.manifolds.manifold import Dual, DuallyFlat
from ..numerics.barrier import followed, scale_behind
from ..numerics.exponentials import kl_terms
from ..numerics.linalg import matvec, solve
from ..numerics.newton import minimize
from ..numerics.quadrature import composite
from .base import ExponentialFamily

__all__ = ["MixtureFamily"]

_BARRIERS = (1e-2, 1e-4, 1e-6)     # each minimum is the start of the next; from the last one Newton's method needs no barrier


class MixtureFamily(Dual):
    """The mixtures Σ_i η_i p_i + (1 − Σ η_i) p_K of fixed components p_0 … p_K, K the last.

    Mathematically, with m_η the mixture,

    - η = the weights of all components but the last, positive with sum below 1
    - φ(η) = ∫ m_η log m_η, the negative entropy; θ_i = ∂_i φ = ∫ (p_i − p_K) log m_η, which fill R^K where each component
      reaches states that no other does, and else only a part of it: a weight vanishes at a finite θ
    - ψ(θ) = θ·η − φ(η) = −∫ p_K log m_η
    - dual metric ∂_i ∂_j φ = ∫ (p_i − p_K)(p_j − p_K) / m_η
    - D(p‖q) = KL(p‖q) between the mixtures

    As everywhere, θ is the chart that functions of the manifold take first. ``M.dual`` takes weights: ``e_geodesic(M.dual, …)``
    mixes linearly, and the potential of ``M.dual`` is φ. The map η ↦ θ is a sum; its inverse is by Newton's method.

    Components are probabilities of finitely many states, and every integral is a sum over these. `on_line` and `sampled` bring
    densities to that form, by nodes and weights that all components share.

    Parameters
    ----------
    components : array, shape (K + 1, m)
        Rows that are non-negative with sum 1 and linearly independent.

    Raises
    ------
    ShapeError, DomainError
        For components of another shape, not normalised, or dependent.

    Source: Amari & Nagaoka, Methods of Information Geometry (2000), sections 2.3 and 3.2; Nielsen & Hadjeres, Monte Carlo
    information-geometric structures, in Geometric Structures of Information (2019).

    Examples
    --------
    >>> M = ig.MixtureFamily([[0.6, 0.3, 0.1], [0.1, 0.2, 0.7]])
    >>> p, q = M.to_theta([[0.5], [0.9]])  # the weight of the first
    >>> M.to_eta(ig.m_geodesic(M, p, q, 0.5)).round(6)
    array([0.7])
    """

    primal: "_Weights"

    def __init__(self, components: Array, _log_base: Array | None = None) -> None:
        rows = np.array(to_numpy(components), dtype=float)
        if rows.ndim != 2 or rows.shape[0] < 2:
            raise ShapeError(f"components must have shape (K + 1, m), K >= 1; got {rows.shape}")
        total = rows.sum(axis=1)
        proper = np.all(rows >= 0, axis=-1) & (abs(total - 1.0) <= 16 * rows.shape[1] * np.finfo(float).eps)
        require("components", "components >= 0 and sum of each row = 1", proper, rows)
        rank = np.linalg.matrix_rank(rows)
        require("components", f"rank = {rows.shape[0]}, the number of its rows", rank == rows.shape[0], rank)
        log_base = np.zeros(rows.shape[1]) if _log_base is None else _log_base
        reached = rows.sum(axis=0) > 0
        super().__init__(_Weights(rows[:, reached], log_base[reached]))
        self.primal.__dict__["dual"] = self
        self.quadrature_error: float | None = None
        self._strata: tuple[int, int] | None = None

    def __repr__(self) -> str:
        return f"MixtureFamily({self.dim + 1} components)"

    @classmethod
    def on_line(cls, log_densities: Sequence[Callable[[Array], Array]], lower: float = -inf, upper: float = inf,
                panels: int = 100) -> Self:
        """Of densities on an interval, by Gauss–Legendre quadrature with 20 nodes on each panel of a shared grid.

        An infinite end is brought to a finite one by x = t / (1 − t²) or its half. The rows are normalised on the grid, so that
        the geometry is exactly that of the mixtures on the nodes; `quadrature_error` reports how far that is from the line.

        Parameters
        ----------
        log_densities : callables x (m,) -> log p(x) (m,)
        lower, upper : float
        panels : int
            `quadrature_error` is the largest change of a mass or of an entropy (nats), of the components and of their equal
            mixture, when the number of panels is halved.

        Raises
        ------
        DomainError
            If a density is infinite on the grid, or 0 throughout, as one that lies between the nodes.
        """
        require("lower and upper", "lower < upper", lower < upper, (lower, upper))
        coarse, fine = (_on_grid(log_densities, lower, upper, n) for n in (max(1, panels // 2), panels))
        found = fine[0].sum(axis=1)
        require("log_densities", "a mass above 0 on the grid (other ends or more panels where a density is too narrow for it)",
                found > 0, found)
        family = cls(fine[0] / fine[0].sum(axis=1, keepdims=True), fine[1])
        family.quadrature_error = float(np.max(np.abs(_reported(*fine) - _reported(*coarse))))
        return family

    @classmethod
    def sampled(cls, components: Sequence[tuple[ExponentialFamily, Array]], rng: np.random.Generator, n: int) -> Self:
        """Of densities anywhere, by Monte Carlo: n draws of each component, weighted by 1 / (their equal mixture).

        The rows are normalised on the draws; `standard_errors` reports how far the potentials are from the integrals.

        Parameters
        ----------
        components : pairs (family, theta)
            Exponential families with one support, θ of shape (dim,).
        rng : numpy.random.Generator
        n : int
        """
        drawn = [family.sample(rng, theta, n) for family, theta in components]
        log_p = np.stack([np.concatenate([to_numpy(family.log_density(theta, x)) for x in drawn])
                          for family, theta in components])
        log_weight = -np.log(len(drawn) * n) - (np.logaddexp.reduce(log_p, axis=0) - np.log(len(drawn)))
        rows = np.exp(log_p + log_weight)
        family = cls(rows / rows.sum(axis=1, keepdims=True), log_weight)
        family._strata = (len(drawn), n)
        return family

    @formula("eta", axes=1)
    def density(self, eta: Array) -> Array:
        """The mixture at the states, or nodes, shape (..., m): with respect to counting, or to the weights of the nodes."""

    def _density(self, xp: Namespace, eta: Array) -> Array:
        return xp.exp(self.primal._log_mixture(xp, eta))

    @formula("eta", axes=1)
    def standard_errors(self, eta: Array) -> tuple[Array, Array]:       # type: ignore[empty-body]
        """The standard errors of φ(η) and of θ that sampling the nodes brings, shapes (...) and (..., K).

        Raises
        ------
        DomainError
            For a family that was not made by `sampled`.
        """

    def _standard_errors(self, xp: Namespace, eta: Array) -> tuple[Array, Array]:
        strata: Any = self._strata
        require("the family", "made by MixtureFamily.sampled, to have standard errors", strata is not None, self)
        weights = self.primal
        log_m = weights._log_mixture(xp, eta)
        count, n = strata
        phi = count * n * weights._masses(xp, eta) * log_m            # the average of these over the draws is φ
        theta = count * n * weights._gaps(xp, eta) * log_m[..., None, :]

        def error(values: Array) -> Array:
            """Of an average over strata of n draws each."""
            groups = xp.reshape(values, (*values.shape[:-1], count, n))
            return xp.sqrt(xp.sum(xp.var(groups, axis=-1, correction=1), axis=-1) / n) / count

        return error(phi), error(theta)


class _Weights(DuallyFlat):
    """The dual of a mixture family: its primal chart is the weights, its potential φ.

    The mixture has the masses M = Σ η_i R_i + (1 − Σ η_i) R_K on the states, which have weights e^{log_base}, and
    φ = Σ M (log M − log_base).
    """

    dim: int
    theta_domain: ConvexDomain
    eta_domain: ConvexDomain

    def __init__(self, rows: Array, log_base: Array) -> None:
        self.rows, self.log_base, self.dim = rows, log_base, rows.shape[0] - 1
        self.theta_domain = OpenSimplex(self.dim)
        # θ_i → −∞ as a weight vanishes where its component alone reaches a state; if all do, θ has no boundary
        alone = np.any((rows > 0) & (np.sum(rows > 0, axis=0) == 1), axis=1)
        self.eta_domain = RealSpace(self.dim) if alone.all() else GradientImage(
            self, lambda name: f"{name} a gradient of the negative entropy at positive weights")

    def __repr__(self) -> str:
        return f"{self.dual!r}.dual"

    def _gaps(self, xp: Namespace, like: Array) -> Array:
        """R_i − R_K, shape (K, m)."""
        return xp.asarray(self.rows[:-1] - self.rows[-1], dtype=like.dtype)

    def _masses(self, xp: Namespace, weights: Array) -> Array:
        """M, shape (..., m), as a sum of positive terms."""
        all_weights = xp.concat([weights, 1.0 - xp.sum(weights, axis=-1, keepdims=True)], axis=-1)
        return xp.matmul(all_weights[..., None, :], xp.asarray(self.rows, dtype=weights.dtype))[..., 0, :]

    def _log_mixture(self, xp: Namespace, weights: Array) -> Array:
        """log M − log_base, shape (..., m)."""
        return xp.log(self._masses(xp, weights)) - xp.asarray(self.log_base, dtype=weights.dtype)

    def _potential(self, xp: Namespace, theta: Array) -> Array:
        return xp.sum(self._masses(xp, theta) * self._log_mixture(xp, theta), axis=-1)

    def _to_eta(self, xp: Namespace, theta: Array) -> Array:
        return matvec(xp, self._gaps(xp, theta), self._log_mixture(xp, theta))

    def _metric(self, xp: Namespace, theta: Array) -> Array:
        gaps = self._gaps(xp, theta)
        return xp.matmul(gaps / self._masses(xp, theta)[..., None, :], xp.matrix_transpose(gaps))

    def _cubic_tensor(self, xp: Namespace, theta: Array) -> Array:
        gaps = self._gaps(xp, theta)
        pairs = xp.reshape(gaps[:, None, :] * gaps[None, :, :], (self.dim**2, gaps.shape[1]))
        tensor = -xp.matmul(pairs / self._masses(xp, theta)[..., None, :] ** 2, xp.matrix_transpose(gaps))
        return xp.reshape(tensor, (*theta.shape[:-1], *(self.dim,) * 3))

    def _to_theta(self, xp: Namespace, eta: Array) -> Array:
        """The weights at which ∇φ = η; NaN where a weight would have to be 0 or less.

        φ(w) − η·w has a minimum on the closed simplex. It is followed from the centre with a logarithmic barrier that becomes
        weaker. Where the last iteration has not reached η, either the rounding of the weights alone explains the residual, or a
        Newton step leads out of the simplex and the minimum is on its boundary.

        Raises
        ------
        ConvergenceError
            Where neither is so.
        """
        w = self.theta_domain.chart(xp.zeros_like(eta))
        w = xp.where(xp.all(xp.isfinite(eta), axis=-1, keepdims=True), w, xp.full_like(w, xp.nan))
        w = followed(lambda w, barrier: self._minimiser(xp, eta, w, barrier), w, _BARRIERS)
        try:
            return self._minimiser(xp, eta, w, 0.0)
        except ConvergenceError as error:
            w, residual = error.iterate, error.residual
            metric, step = self._metric(xp, w), self._sharp(xp, w, self._to_eta(xp, w) - eta)
            noise = scale_behind(xp, eta) + xp.max(xp.abs(metric), axis=(-2, -1))
            # 1000 ε, which `minimize` is content with, here of the terms and of what the rounding of the weights does to them
            reached = residual <= 1000 * float(xp.finfo(eta.dtype).eps) * noise
            if not xp.all(reached | ~self.theta_domain.contains(w - step)):
                raise
            return xp.where(reached[..., None], w, xp.full_like(w, xp.nan))

    def _minimiser(self, xp: Namespace, eta: Array, start: Array, barrier: float) -> Array:
        """Of φ(w) − η·w − barrier · Σ log w over all weights, from a point of the simplex; with a barrier, to half precision."""
        def last(w: Array) -> Array:
            return 1.0 - xp.sum(w, axis=-1, keepdims=True)

        def value(w: Array) -> Array:
            logs = xp.sum(xp.log(w), axis=-1) + xp.log(last(w))[..., 0]
            return self._potential(xp, w) - xp.sum(eta * w, axis=-1) - barrier * logs

        def newton(w: Array, g: Array) -> Array:
            eye = xp.eye(self.dim, dtype=w.dtype)
            hessian = self._metric(xp, w) + barrier * (eye / (w * w)[..., None] + (1.0 / last(w) ** 2)[..., None])
            return solve(xp, hessian, g)

        return minimize(
            xp, start, name="to_theta", value=value, solve=newton, contains=self.theta_domain.contains,
            gradient=lambda w: self._to_eta(xp, w) - eta - barrier * (1.0 / w - 1.0 / last(w)),
            scale=scale_behind(xp, eta, barrier))

    def _flat(self, xp: Namespace, theta: Array, vector: Array) -> Array:
        gaps = self._gaps(xp, theta)
        along = xp.matmul(vector[..., None, :], gaps)[..., 0, :] / self._masses(xp, theta)
        return matvec(xp, gaps, along)

    def _divergence(self, xp: Namespace, theta_p: Array, theta_q: Array) -> Array:
        """KL(q‖p): the canonical divergence of the dual has its arguments swapped."""
        return self._kl(xp, theta_q, theta_p)

    def _kl(self, xp: Namespace, a: Array, b: Array) -> Array:
        """KL(a‖b) over the states, from the difference of the weights, so that near points do not cancel."""
        masses_a, masses_b = self._masses(xp, a), self._masses(xp, b)
        change = xp.matmul((b - a)[..., None, :], self._gaps(xp, a))[..., 0, :] / masses_a
        near = xp.abs(change) < 0.5
        log_ratio = xp.where(near, xp.log1p(xp.where(near, change, xp.zeros_like(change))), xp.log(masses_b / masses_a))
        return xp.sum(kl_terms(xp, masses_a, masses_b, log_ratio), axis=-1)


def _on_grid(log_densities: Sequence[Callable[[Array], Array]], lower: float, upper: float, panels: int) -> tuple[Array, Array]:
    """(masses of the components, log weights) at the nodes of a composite Gauss–Legendre rule."""
    left, right = (-1.0 if np.isinf(lower) else 0.0), (1.0 if np.isinf(upper) else 0.0)
    if left == right == 0.0:
        left, right = lower, upper
    t, weight = composite(np.linspace(left, right, panels + 1), 20)
    if np.isinf(lower) or np.isinf(upper):
        shift = lower if np.isinf(upper) and np.isfinite(lower) else upper if np.isfinite(upper) else 0.0
        x, slope = shift + t / (1.0 - t**2), (1.0 + t**2) / (1.0 - t**2) ** 2
    else:
        x, slope = t, np.ones_like(t)
    log_p = np.stack([np.asarray(to_numpy(log_density(x)), dtype=float) for log_density in log_densities])
    require("log_densities", "log_densities < inf on the grid", log_p < np.inf, log_p)
    log_weight = np.log(weight * slope)
    return np.exp(log_p + log_weight), log_weight


def _reported(masses: Array, log_weight: Array) -> Array:
    """The masses and the negative entropies of the components and of their equal mixture."""
    rows = np.concatenate([masses, masses.mean(axis=0, keepdims=True)])
    logs = np.log(np.where(rows > 0, rows, 1.0)) - log_weight
    return np.concatenate([rows.sum(axis=1), np.sum(rows * logs, axis=1)])
