"""Log-linear families on a finite set of states."""
from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from math import log, prod
from typing import Any

import numpy as np

from ..arrays.draws import draw_states
from ..arrays.memo import once
from ..backend import backend_of, to_numpy
from ..domains.chart import ComposedChart, IdentityChart, ScaledChart
from ..domains.convex import RealSpace
from ..domains.image import GradientChart, GradientImage
from ..domains.supports import Integers, SimplexPoints
from ..errors import ConvergenceError, ShapeError, require
from ..numerics.exponentials import expm1_gap
from ..numerics.linalg import inverse, matvec, solve
from ..numerics.newton import minimize
from .base import ExponentialFamily

__all__ = ["LogLinear", "StateFamily"]

_BLOCK = 2**21     # numbers in an intermediate array, 16 MB of doubles: states are taken in blocks that keep to it


class MomentPolytope(GradientImage):
    """The interior of the convex hull of the rows of a family's statistics, where the inversion η ↦ θ has a solution.

    Outside, Newton's method finds a hyperplane that separates the point from the states; on a face, and closer to one than
    rounding can tell, it leaves θ undetermined.
    """

    def __init__(self, family):
        super().__init__(family, lambda name: f"{name} inside the convex hull of the statistics of the states")

    @property
    def chart(self):
        """The moments at natural parameters for which no state is rarer by e^{−2|u|∞} than another, on top of h."""
        return ComposedChart(ScaledChart(IdentityChart(), 1.0 / self.manifold._reach), GradientChart(self.manifold))


class StateFamily(ExponentialFamily):
    """A family on finitely many states s with probabilities h(s) exp(θ·T(s) − ψ(θ)), summed exactly.

    Mathematically, ψ = log Σ_s h(s) e^{θ·T(s)}, η = Σ_s p(s) T(s), and the metric and the cubic tensor are the second and third
    central moments of T. A subclass gives `states`, `dim`, `_rows`, the statistics of a range of states, and `_state`.

    Deviations T(s) − η are formed from T(s) − T(m), with m the most probable state: that of m itself, which is all that there is
    where m is nearly certain, then keeps its digits.
    """

    states: int                 # how many there are
    log_base: Any = None        # log h(s), shape (states,), NumPy; None where it is 0

    @abstractmethod
    def _rows(self, start, stop):
        """T of the states start … stop − 1 as a NumPy array, shape (stop − start, dim)."""

    @abstractmethod
    def _state(self, xp, x):
        """The number of the state of an observation, shape (...)."""

    @property
    def theta_domain(self):
        return RealSpace(self.dim)

    @cached_property
    def eta_domain(self):
        return MomentPolytope(self)

    def _blocks(self, like, size):
        """The statistics in blocks of states, as (slice, array); `size` counts the numbers that one state needs."""
        xp, step = backend_of(like), max(1, min(_BLOCK // max(1, size), self.states))
        for start in range(0, self.states, step):
            stop = min(start + step, self.states)
            yield slice(start, stop), xp.asarray(self._rows(start, stop), dtype=like.dtype)

    @cached_property
    def _scale(self):
        """The middle and the half-width of the range of each statistic, shapes (dim,)."""
        low = np.full(self.dim, np.inf)
        high = -low
        for _, rows in self._blocks(np.zeros(1), self.dim):
            low, high = np.minimum(low, rows.min(axis=0)), np.maximum(high, rows.max(axis=0))
        return 0.5 * (low + high), 0.5 * (high - low)

    @property
    def _reach(self):
        """The half-widths of the statistics times their number."""
        return self._scale[1] * self.dim

    def _field(self, xp, vector):
        """v·T(s) for every state, shapes (..., dim) to (..., states).

        One product a row: a row of a batch then has the same rounding as alone.
        """
        row = vector[..., None, :]
        parts = [xp.matmul(row, xp.matrix_transpose(rows))[..., 0, :] for _, rows in self._blocks(vector, self.dim)]
        return parts[0] if len(parts) == 1 else xp.concat(parts, axis=-1)

    def _mean(self, xp, weight):
        """Σ_s w(s) T(s), shapes (..., states) to (..., dim)."""
        row = weight[..., None, :]
        return sum(xp.matmul(row[..., block], rows)[..., 0, :] for block, rows in self._blocks(weight, self.dim))

    @once
    def _log_probabilities(self, xp, theta):
        """(ψ, log p), shapes (...) and (..., states).

        log p is formed from the differences to the largest logit, whose own state is left out of the sum inside log1p: the
        logarithm of a probability near 1 keeps its digits.
        """
        logit = self._field(xp, theta)
        if self.log_base is not None:
            logit = logit + xp.asarray(self.log_base, dtype=theta.dtype)
        top = xp.max(logit, axis=-1, keepdims=True)
        mode = xp.argmax(logit, axis=-1, keepdims=True)
        below = logit - top
        others = xp.arange(self.states) != mode
        rest = xp.sum(xp.where(others, xp.exp(below), xp.zeros_like(below)), axis=-1, keepdims=True)
        total = xp.log1p(rest)
        return (top + total)[..., 0], below - total

    def _probabilities(self, xp, theta):
        return xp.exp(self._log_probabilities(xp, theta)[1])

    def _potential(self, xp, theta):
        return self._log_probabilities(xp, theta)[0]

    def _to_eta(self, xp, theta):
        return self._mean(xp, self._probabilities(xp, theta))

    def _is_mode(self, xp, theta):
        """Which state m is the most probable one, shape (..., states)."""
        return xp.arange(self.states) == xp.argmax(self._log_probabilities(xp, theta)[1], axis=-1, keepdims=True)

    def _from_mode(self, xp, theta, size):
        """Blocks of (p, T − T(m)) over the states, shapes (..., b) and (..., b, dim)."""
        p, mode = self._probabilities(xp, theta), self._mean(xp, xp.astype(self._is_mode(xp, theta), theta.dtype))
        for block, rows in self._blocks(theta, max(1, prod(theta.shape[:-1])) * size):
            yield p[..., block], rows - mode[..., None, :]

    def _centred(self, xp, theta, size):
        """Blocks of (p, T − η) over the states, shapes (..., b) and (..., b, dim)."""
        mean = sum(matvec(xp, xp.matrix_transpose(gap), p) for p, gap in self._from_mode(xp, theta, size))
        for p, gap in self._from_mode(xp, theta, size):
            yield p, gap - mean[..., None, :]

    def _deviation(self, xp, theta, vector):
        """v·(T(s) − η) for every state, shape (..., states)."""
        field = self._field(xp, vector)
        field = field - xp.sum(xp.where(self._is_mode(xp, theta), field, xp.zeros_like(field)), axis=-1, keepdims=True)
        return field - xp.sum(self._probabilities(xp, theta) * field, axis=-1, keepdims=True)

    def _metric(self, xp, theta):
        return sum(xp.matmul(xp.matrix_transpose(p[..., None] * gap), gap)
                   for p, gap in self._centred(xp, theta, self.dim))

    def _flat(self, xp, theta, vector):
        """Cov[T] v = E[(T − η) ((T − η)·v)], without the matrix."""
        weight = self._probabilities(xp, theta) * self._deviation(xp, theta, vector)
        return self._mean(xp, weight) - xp.sum(weight, axis=-1, keepdims=True) * self._to_eta(xp, theta)

    def _cubic_tensor(self, xp, theta):
        """E[(T − η)_i (T − η)_j (T − η)_k]."""
        d, total = self.dim, 0.0
        for p, gap in self._centred(xp, theta, self.dim**2):
            pairs = gap[..., :, None] * gap[..., None, :]
            pairs = xp.reshape(pairs, (*gap.shape[:-1], d * d))
            total = total + xp.matmul(xp.matrix_transpose(p[..., None] * gap), pairs)
        return xp.reshape(total, (*theta.shape[:-1], d, d, d))

    def _to_theta(self, xp, eta):
        """By damped Newton from θ = 0, in units of the half-widths of the statistics; NaN outside the hull.

        A row ends as soon as its θ separates η from all states. On a face of the hull θ runs away at one unit a step while the
        residual falls to rounding: where the next step would still change the logit of a state by a half, η does not determine θ.
        """
        _, width = self._scale
        width = xp.asarray(width, dtype=eta.dtype)
        eps = 4.0 * float(xp.finfo(eta.dtype).eps)
        eta = xp.where(xp.all(xp.isfinite(eta), axis=-1, keepdims=True), eta, xp.full_like(eta, xp.nan))

        def separated(theta):
            """Whether θ·T(s) ≤ θ·η for every state: η is outside the hull, or on its boundary."""
            highest = xp.max(self._field(xp, theta), axis=-1)
            level = xp.sum(theta * eta, axis=-1)
            return (highest <= level) & xp.any(theta != 0, axis=-1)

        def gradient(z):
            g = (self._to_eta(xp, z / width) - eta) / width
            return xp.where(separated(z / width)[..., None], xp.zeros_like(g), g)

        def metric(z):
            return self._metric(xp, z / width) / (width[:, None] * width[None, :])

        def direction(z, g):
            """The Newton direction; where the metric is singular to rounding, only its share in the directions that are not."""
            own = metric(z)
            rounding = eps * xp.max(xp.linalg.diagonal(own), axis=-1)
            step = solve(xp, own + rounding[..., None, None] * xp.eye(self.dim, dtype=eta.dtype), g)
            return _shortening(xp, self._logit_change(xp, z / width, step / width)) * step

        def separated_by_a_face(z):
            """Whether the part of z along which the metric vanishes separates η from all states, to rounding.

            Next to a face z is a multiple of its normal, of a size that no step reaches, and a part along the face.
            """
            values, vectors = xp.linalg.eigh(metric(z))
            share = matvec(xp, xp.matrix_transpose(vectors), z)
            share = xp.where(values < 1e-8 * values[..., -1:], share, xp.zeros_like(share))
            normal = matvec(xp, vectors, share) / width
            level = xp.sum(normal * eta, axis=-1)
            slack = 4.0 * eps * xp.sum(xp.abs(normal) * (width + xp.abs(eta)), axis=-1)
            return (xp.max(self._field(xp, normal), axis=-1) <= level + slack) & xp.any(normal != 0, axis=-1)

        failure = None
        try:
            z = minimize(
                xp, 0.0 * eta, name="to_theta",
                value=lambda z: self._potential(xp, z / width) - xp.sum(eta * (z / width), axis=-1),
                gradient=gradient,
                solve=direction,
                contains=RealSpace(self.dim).contains,
                scale=1.0 + xp.max(xp.abs(eta) / width, axis=-1))
        except ConvergenceError as error:
            failure, z = error, error.iterate
        theta, change = self._polished(xp, z / width, eta)
        found = ~separated(theta) & (change < 0.5)
        if failure is not None:
            reached = failure.residual <= 250.0 * eps * (1.0 + xp.max(xp.abs(eta) / width, axis=-1))
            lost = xp.isfinite(failure.residual) & ~reached & ~found
            if xp.any(lost & ~separated_by_a_face(xp.where(lost[..., None], z, xp.zeros_like(z)))):
                raise failure
        return xp.where(found[..., None], theta, xp.full_like(theta, xp.nan))

    def _logit_change(self, xp, theta, step):
        """max_s |Δ·(T(s) − η)|, the most that a step Δ changes a logit by, relative to their mean, shape (...)."""
        return xp.max(xp.abs(self._deviation(xp, theta, step)), axis=-1)

    def _polished(self, xp, theta, eta):
        """θ by Newton steps from a near one until they do not get shorter, and what a logit is uncertain by.

        That is the change by the next step, or max_s Σ_j |(T(s) − η)ᵀG⁻¹|_j ε |η_j|, by the rounding of η, where it is larger: it
        grows from step to step along the normal of a face. It is ∞ for a row that goes on after 200 steps.

        The residual is formed from T(m), the metric is inverted in units of its diagonal: probabilities far below the rounding of
        others keep their digits.
        """
        rounding = float(xp.finfo(eta.dtype).eps) * xp.abs(eta)

        def newton_step(theta):
            metric = self._metric(xp, theta)
            unit = xp.sqrt(xp.linalg.diagonal(metric))
            scale = unit[..., :, None] * unit[..., None, :]
            raised = inverse(xp, metric / scale) / scale
            mode = self._mean(xp, xp.astype(self._is_mode(xp, theta), theta.dtype))
            mean = sum(matvec(xp, xp.matrix_transpose(gap), p) for p, gap in self._from_mode(xp, theta, self.dim))
            step = matvec(xp, raised, (eta - mode) - mean)
            uncertain = [xp.max(matvec(xp, xp.abs(xp.matmul(gap - mean[..., None, :], raised)), rounding), axis=-1)
                         for _, gap in self._from_mode(xp, theta, self.dim)]
            return step, self._logit_change(xp, theta, step), xp.max(xp.stack(uncertain), axis=0)

        step, change, uncertain = newton_step(theta)
        running = xp.isfinite(change)
        for _ in range(200):
            if not xp.any(running):
                break
            moved = xp.where(running[..., None], theta + _shortening(xp, change) * step, theta)
            next_step, next_change, next_uncertain = newton_step(moved)
            far = (change >= 0.5) & (uncertain < 0.5)
            running = running & (far | (next_change < 0.5 * change)) & xp.isfinite(next_change)
            theta, step = (xp.where(running[..., None], new, old) for new, old in ((moved, theta), (next_step, step)))
            change, uncertain = (xp.where(running, new, old)
                                 for new, old in ((next_change, change), (next_uncertain, uncertain)))
        return theta, xp.where(running, xp.full_like(change, xp.inf), xp.maximum(change, uncertain))

    def _log_density(self, xp, theta, x):
        log_p, state = self._log_probabilities(xp, theta)[1], self._state(xp, x)
        batch = np.broadcast_shapes(log_p.shape[:-1], state.shape)
        log_p, state = xp.broadcast_to(log_p, (*batch, self.states)), xp.broadcast_to(state, batch)
        return xp.take_along_axis(log_p, state[..., None], axis=-1)[..., 0]

    def _expected_log_base_measure(self, xp, theta):
        if self.log_base is None:
            return xp.zeros_like(theta[..., 0])
        return matvec(xp, self._probabilities(xp, theta)[..., None, :], xp.asarray(self.log_base, dtype=theta.dtype))[..., 0]

    def _entropy(self, xp, theta):
        """−Σ p log p."""
        log_p = self._log_probabilities(xp, theta)[1]
        p = xp.exp(log_p)
        return -xp.sum(xp.where(p == 0, xp.zeros_like(p), p * log_p), axis=-1)

    def _kl(self, xp, theta_p, theta_q):
        """log E_p[e^v] with v = (θ_q − θ_p)·(T − η_p), formed as log(1 + E_p[e^v − 1 − v]) because E_p[v] = 0.

        Every term is non-negative, so nothing cancels, for near, far and extreme points alike. Where e^v p leaves the range of
        the arithmetic, the logarithm of the sum is taken from its largest term.
        """
        step = theta_q - theta_p
        log_p = self._log_probabilities(xp, theta_p)[1]
        v = self._deviation(xp, theta_p, step)
        tilted, ceiling = log_p + v, 0.5 * log(float(xp.finfo(step.dtype).max))
        top = xp.max(tilted, axis=-1, keepdims=True)
        near = xp.exp(log_p) * expm1_gap(xp, xp.minimum(v, 2.0 + 0.0 * v))
        far = xp.exp(xp.minimum(tilted, ceiling + 0.0 * v)) - xp.exp(log_p) * (1.0 + v)
        excess = xp.log1p(xp.sum(xp.where(v < 2.0, near, far), axis=-1))
        largest = xp.log(xp.sum(xp.exp(tilted - top), axis=-1)) + top[..., 0]
        return xp.where(top[..., 0] < ceiling, excess, largest)

    def _draw_states(self, draws, theta, shape):
        return draw_states(draws, self._probabilities(draws.xp, theta), shape)


def _shortening(xp, change):
    """log(1 + R) / R for steps of log Σ exp that change a logit by R, shape (..., 1): these do not overshoot.

    Source: Sun & Tran-Dinh, Generalized self-concordant functions, Math. Program. 178 (2019), section 4.
    """
    change = change[..., None]
    return xp.where(change > 0, xp.log1p(change) / change, xp.ones_like(change))


@dataclass(frozen=True, eq=False)
class LogLinear(StateFamily):
    """A log-linear model: states 0 … m − 1 with any sufficient statistics and any base measure.

    Mathematically, with T(s) the row s of the matrix of statistics,

    - support {0, …, m − 1}; T(x) = statistics[x]; h(x) = exp(log_base[x]), 1 unless given
    - θ in R^d; η = Σ p(s) T(s), in the interior of the convex hull of the rows
    - ψ(θ) = log Σ_s h(s) e^{θ·T(s)}
    - metric Cov[T]

    Ordinary parameters: `probabilities`, shape (..., m), positive with sum 1. `theta_from` takes any of them: it gives the member
    of the family with the same moments, the m-projection.

    Parameters
    ----------
    statistics : array, shape (m, d)
        With affinely independent columns: none is a combination of the others and a constant.
    log_base : array, shape (m,), optional

    Raises
    ------
    ShapeError, DomainError
        If the shapes do not fit, an entry is not finite, or the columns are dependent.
    """

    statistics: Any
    log_base: Any = None

    def __post_init__(self):
        rows = np.array(to_numpy(self.statistics), dtype=float)
        if rows.ndim != 2 or rows.shape[1] == 0:
            raise ShapeError(f"statistics must have shape (m, d); got {rows.shape}")
        require("statistics", "statistics finite", np.isfinite(rows).all(axis=-1), rows)
        gap = rows - rows.mean(axis=0)
        width = np.abs(gap).max(axis=0)
        rank = np.linalg.matrix_rank(gap / np.where(width > 0, width, 1.0))
        require("statistics", f"rank = {rows.shape[1]}, the number of columns, less their means", rank == rows.shape[1], rank)
        rows.flags.writeable = False
        object.__setattr__(self, "statistics", rows)
        if self.log_base is not None:
            log_base = np.array(to_numpy(self.log_base), dtype=float)
            if log_base.shape != rows.shape[:1]:
                raise ShapeError(f"log_base must have shape ({rows.shape[0]},); got {log_base.shape}")
            require("log_base", "log_base finite", np.isfinite(log_base), log_base)
            log_base.flags.writeable = False
            object.__setattr__(self, "log_base", log_base)
        self.__dict__["states"], self.__dict__["dim"] = rows.shape

    def __repr__(self):
        return f"LogLinear(statistics of {self.states} states x {self.dim})"

    def _rows(self, start, stop):
        return self.statistics[start:stop]

    @property
    def support(self):
        return Integers(0, self.states - 1)

    @property
    def ordinary(self):
        return {"probabilities": SimplexPoints(self.states)}

    def _state(self, xp, x):
        return xp.astype(x, xp.int64)

    def _sufficient_statistic(self, xp, x):
        rows = xp.asarray(self.statistics, dtype=x.dtype)
        chosen = xp.take(rows, xp.reshape(self._state(xp, x), (-1,)), axis=0)
        return xp.reshape(chosen, (*x.shape, self.dim))

    def _log_base_measure(self, xp, x):
        if self.log_base is None:
            return xp.zeros_like(x)
        base = xp.asarray(self.log_base, dtype=x.dtype)
        return xp.reshape(xp.take(base, xp.reshape(self._state(xp, x), (-1,))), x.shape)

    def _draw(self, draws, theta, shape):
        return draws.xp.astype(self._draw_states(draws, theta, shape), theta.dtype)

    def _theta_from(self, xp, probabilities):
        return self.to_theta(self._mean(xp, probabilities))

    def _parameters(self, xp, theta):
        return {"probabilities": self._probabilities(xp, theta)}
