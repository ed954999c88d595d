"""The inversion η ↦ θ of families of finitely many states, and the domain of η that it decides."""
from typing import Any

from ..arrays.tracing import repeat
from ..backend import Array, Namespace
from ..domains.chart import Chart, ComposedChart, IdentityChart, ScaledChart
from ..domains.convex import RealSpace
from ..domains.image import GradientChart, GradientImage
from ..errors import ConvergenceError
from ..numerics.linalg import inverse, matvec, solve
from ..numerics.newton import minimize

__all__ = ["Inversion", "MomentPolytope"]


class MomentPolytope(GradientImage):
    """The interior of the convex hull of the rows of a family's statistics, where the inversion η ↦ θ has a solution.

    Outside, Newton's method finds a hyperplane that separates the point from the states; on a face, and closer to one than
    rounding can tell, it leaves θ undetermined.
    """

    manifold: Any       # a StateFamily

    def __init__(self, family: Any) -> None:
        super().__init__(family, lambda name: f"{name} inside the convex hull of the statistics of the states")

    @property
    def vertices(self) -> Array | None:
        """Points whose convex hull it is, shape (states, dim), NumPy; None of more states than a linear programme takes."""
        return self.manifold._rows(0, self.manifold.states) if self.manifold.states <= 2**12 else None

    @property
    def chart(self) -> Chart:
        """The moments at natural parameters for which no state is rarer by e^{−2|u|∞} than another, on top of h."""
        return ComposedChart(ScaledChart(IdentityChart(), 1.0 / self.manifold._reach), GradientChart(self.manifold))


class Inversion:
    """The search for the θ of these moments η, by damped Newton from θ = 0; z is θ in units of the half-widths of the statistics.

    A row ends as soon as its θ separates η from all states. On a face of the hull θ runs away at one unit a step while the
    residual falls to rounding: where the next step would still change the logit of a state by a half, η does not determine θ.

    Parameters
    ----------
    family : StateFamily
    xp : Namespace
    eta : array, shape (..., dim)
    """

    def __init__(self, family: Any, xp: Namespace, eta: Array) -> None:
        self.family, self.xp = family, xp
        self.eta = xp.where(xp.all(xp.isfinite(eta), axis=-1, keepdims=True), eta, xp.full_like(eta, xp.nan))
        self.width = xp.asarray(family._scale[1], dtype=eta.dtype)
        self.eps = 4.0 * float(xp.finfo(eta.dtype).eps)                 # a sum over the states has a few roundings
        self.size = 1.0 + xp.max(xp.abs(self.eta) / self.width, axis=-1)

    def theta(self) -> Array:
        """θ; NaN outside the hull.

        Raises
        ------
        ConvergenceError
            Where Newton's method ended short of its accuracy, and not because η is next to a face.
        """
        xp, failure = self.xp, None
        try:
            z = minimize(xp, 0.0 * self.eta, name="to_theta", value=self._value, gradient=self._gradient, solve=self._direction,
                         contains=RealSpace(self.family.dim).contains, scale=self.size)
        except ConvergenceError as error:
            failure, z = error, error.iterate
        theta, change = self._polished(z / self.width)
        found = ~self._separated(theta) & (change < 0.5)
        if failure is not None:
            reached = failure.residual <= 250.0 * self.eps * self.size          # what Newton's method itself is content with
            lost = xp.isfinite(failure.residual) & ~reached & ~found
            if xp.any(lost & ~self._separated_by_a_face(xp.where(lost[..., None], z, xp.zeros_like(z)))):
                raise failure
        return xp.where(found[..., None], theta, xp.full_like(theta, xp.nan))

    def _value(self, z: Array) -> Array:
        theta = z / self.width
        return self.family._potential(self.xp, theta) - self.xp.sum(self.eta * theta, axis=-1)

    def _gradient(self, z: Array) -> Array:
        xp, theta = self.xp, z / self.width
        g = (self.family._to_eta(xp, theta) - self.eta) / self.width
        return xp.where(self._separated(theta)[..., None], xp.zeros_like(g), g)

    def _separated(self, theta: Array) -> Array:
        """Whether θ·T(s) ≤ θ·η for every state: η is outside the hull, or on its boundary."""
        xp = self.xp
        highest = xp.max(self.family._field(xp, theta), axis=-1)
        level = xp.sum(theta * self.eta, axis=-1)
        return (highest <= level) & xp.any(theta != 0, axis=-1)

    def _metric(self, z: Array) -> Array:
        return self.family._metric(self.xp, z / self.width) / (self.width[:, None] * self.width[None, :])

    def _direction(self, z: Array, g: Array) -> Array:
        """The Newton direction; where the metric is singular to rounding, only its share in the directions that are not."""
        xp, own = self.xp, self._metric(z)
        rounding = self.eps * xp.max(xp.linalg.diagonal(own), axis=-1)
        step = solve(xp, own + rounding[..., None, None] * xp.eye(self.family.dim, dtype=g.dtype), g)
        return _shortening(xp, self._logit_change(z / self.width, step / self.width)) * step

    def _separated_by_a_face(self, z: Array) -> Array:
        """Whether the part of z along which the metric vanishes separates η from all states, to rounding.

        Next to a face z is a multiple of its normal, of a size that no step reaches, and a part along the face. There the metric
        vanishes: below 1e-8, half of the digits, of its largest eigenvalue.
        """
        xp, eta, width, eps = self.xp, self.eta, self.width, self.eps
        values, vectors = xp.linalg.eigh(self._metric(z))
        share = matvec(xp, xp.matrix_transpose(vectors), z)
        share = xp.where(values < 1e-8 * values[..., -1:], share, xp.zeros_like(share))
        normal = matvec(xp, vectors, share) / width
        level = xp.sum(normal * eta, axis=-1)
        slack = 4.0 * eps * xp.sum(xp.abs(normal) * (width + xp.abs(eta)), axis=-1)
        return (xp.max(self.family._field(xp, normal), axis=-1) <= level + slack) & xp.any(normal != 0, axis=-1)

    def _logit_change(self, theta: Array, step: Array) -> Array:
        """max_s |Δ·(T(s) − η)|, the most that a step Δ changes a logit by, relative to their mean, shape (...)."""
        return self.xp.max(self.xp.abs(self.family._deviation(self.xp, theta, step)), axis=-1)

    def _polished(self, theta: Array) -> tuple[Array, Array]:
        """θ by Newton steps from a near one until they do not get shorter, and what a logit is uncertain by.

        That is the change by the next step, or by the rounding of η where it is larger: it grows from step to step along the
        normal of a face. It is ∞ for a row that goes on after 200 steps.
        """
        xp = self.xp

        def further(theta: Array, step: Array, change: Array, uncertain: Array, running: Array) -> tuple[Array, ...]:
            moved = xp.where(running[..., None], theta + _shortening(xp, change) * step, theta)
            next_step, next_change, next_uncertain = self._newton_step(moved)
            far = (change >= 0.5) & (uncertain < 0.5)
            running = running & (far | (next_change < 0.5 * change)) & xp.isfinite(next_change)
            theta, step = (xp.where(running[..., None], new, old) for new, old in ((moved, theta), (next_step, step)))
            change, uncertain = (xp.where(running, new, old)
                                 for new, old in ((next_change, change), (next_uncertain, uncertain)))
            return theta, step, change, uncertain, running

        step, change, uncertain = self._newton_step(theta)
        start = (theta, step, change, uncertain, xp.isfinite(change))
        theta, _, change, uncertain, running = repeat(xp, lambda *state: xp.any(state[-1]), further, start, 200)
        return theta, xp.where(running, xp.full_like(change, xp.inf), xp.maximum(change, uncertain))

    def _newton_step(self, theta: Array) -> tuple[Array, Array, Array]:
        """The step, what it changes a logit by, and what the rounding of η does: max_s Σ_j |(T(s) − η)ᵀG⁻¹|_j ε |η_j|.

        The residual is formed from T(m), the metric is inverted in units of its diagonal: probabilities far below the rounding of
        others keep their digits.
        """
        xp, family, metric = self.xp, self.family, self.family._metric(self.xp, theta)
        unit = xp.sqrt(xp.linalg.diagonal(metric))
        scale = unit[..., :, None] * unit[..., None, :]
        raised = inverse(xp, metric / scale) / scale
        mode = family._mean(xp, xp.astype(family._is_mode(xp, theta), theta.dtype))
        mean = sum(matvec(xp, xp.matrix_transpose(gap), p) for p, gap in family._from_mode(xp, theta, family.dim))
        step = matvec(xp, raised, (self.eta - mode) - mean)
        rounding = float(xp.finfo(self.eta.dtype).eps) * xp.abs(self.eta)
        uncertain = [xp.max(matvec(xp, xp.abs(xp.matmul(gap - mean[..., None, :], raised)), rounding), axis=-1)
                     for _, gap in family._from_mode(xp, theta, family.dim)]
        return step, self._logit_change(theta, step), xp.max(xp.stack(uncertain), axis=0)


def _shortening(xp: Namespace, change: Array) -> Array:
    """log(1 + R) / R for steps of log Σ exp that change a logit by R, shape (..., 1): these do not overshoot.

    Source: Sun & Tran-Dinh, Generalized self-concordant functions, Math. Program. 178 (2019), section 4.
    """
    change = change[..., None]
    return xp.where(change > 0, xp.log1p(change) / change, xp.ones_like(change))
