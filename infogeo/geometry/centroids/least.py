"""The least sum of divergences from and to a point, by Newton's method: of near points in θ, of far ones in a chart."""
from collections.abc import Callable
from typing import NamedTuple

from ...backend import Array, Namespace, set_at
from ...domains.chart import BareChart, IdentityChart
from ...errors import require_converged, require_own_dimension
from ...numerics.linalg import positive_definite, solve
from ...numerics.newton import minimize
from ..manifolds.manifold import DuallyFlat

__all__ = ["SumOfDivergences", "least"]

NEAR = 1.0          # nats, of the sum at the start
PLAIN = 20          # steps of Newton's method that halve the gradient each: of points a nat apart it takes four to six


class SumOfDivergences(NamedTuple):
    """A sum of divergences from and to a point c, shape (..., d), with its derivatives in θ_c.

    `hessian` is (H, G), with a multiple of the metric that takes its place where it is not positive definite; `terms` is the size
    of what the gradient is a difference of, shape (..., d).
    """

    value: Callable[[Array], Array]
    gradient: Callable[[Array], Array]
    hessian: Callable[[Array], tuple[Array, Array]]
    terms: Callable[[Array], Array]


def least(M: DuallyFlat, xp: Namespace, start: Array, of: Callable[..., SumOfDivergences], samples: tuple[Array, ...],
          name: str, max_steps: int = 200) -> Array:
    """The minimiser of ``of(*samples)``, shape (..., d), of each row by itself.

    Shapes: start (..., d), samples (n, ..., *any). Raises TypeError for a manifold in more coordinates than dimensions.
    """
    require_own_dimension(f"{name}: the least sum is found", M)
    f = of(*samples)
    far = f.value(start) > NEAR
    c, solved = _plain(M, xp, start, f, far, min(PLAIN, max_steps))
    batch = start.shape[:-1]
    for rows, solver in ((~(far | solved), _damped), (far, _damped_in_chart)):
        if xp.any(rows):
            rows = xp.reshape(rows, (-1,))
            parts = (xp.reshape(x, (x.shape[0], -1, *x.shape[1 + len(batch):])) for x in samples)
            own = of(*(xp.moveaxis(xp.moveaxis(part, 1, 0)[rows], 0, 1) for part in parts))
            out = xp.asarray(xp.reshape(c, (-1, M.dim)), copy=True)
            found = solver(M, xp, xp.reshape(start, (-1, M.dim))[rows], own, name, max_steps)
            c = xp.reshape(set_at(xp, out, rows, found), start.shape)
    return c


def _definite(xp: Namespace, hessian: Array, metric: Array) -> Array:
    return xp.where(positive_definite(xp, hessian)[..., None, None], hessian, metric)


def _plain(M: DuallyFlat, xp: Namespace, c: Array, f: SumOfDivergences, far: Array, steps: int) -> tuple[Array, Array]:
    """(c, which rows are there): by Newton's method in θ, which looks at the gradient only.

    Rows end where a step does not halve the gradient, leaves the domain, or is no descent. A damped step would ask for the value,
    which of 1000 centroids of five normals each is two thirds of its price.
    """
    eps, scale, slope = float(xp.finfo(c.dtype).eps), 1.0 + xp.max(f.terms(c), axis=-1), f.gradient(c)
    size = xp.max(xp.abs(slope), axis=-1)
    running = (size > 10 * eps * scale) & ~far
    for _ in range(steps):
        if not xp.any(running):
            break
        hessian = f.hessian(c)[0]
        trial = c - solve(xp, hessian, slope)
        fits = running & positive_definite(xp, hessian) & M.domain.contains(trial)
        trial = xp.where(fits[..., None], trial, c)
        after = f.gradient(trial)
        largest = xp.max(xp.abs(after), axis=-1)
        fits = fits & (largest <= 0.5 * size)
        c, slope = xp.where(fits[..., None], trial, c), xp.where(fits[..., None], after, slope)
        size = xp.where(fits, largest, size)
        running = fits & (size > 10 * eps * scale)
    return c, ~far & ~(size > 1000 * eps * scale)


def _damped(M: DuallyFlat, xp: Namespace, start: Array, f: SumOfDivergences, name: str, max_steps: int) -> Array:
    """By Newton's method in θ, damped by the value."""
    return minimize(xp, start, value=f.value, gradient=f.gradient, contains=M.domain.contains, name=name, max_steps=max_steps,
                    solve=lambda c, slope: solve(xp, _definite(xp, *f.hessian(c)), slope),
                    scale=1.0 + xp.max(f.terms(start), axis=-1))


def _damped_in_chart(M: DuallyFlat, xp: Namespace, start: Array, f: SumOfDivergences, name: str, max_steps: int) -> Array:
    """By Newton's method in the domain's chart, with coordinates and values in the units of the start.

    Far points differ by ratios of 1e18 in θ and in the divergence: a step of Newton's method in θ would leave the domain by as
    much. In the chart a sum such as r / a + b / r is a hyperbolic cosine, which takes a step for every factor e.
    """
    chart = M.domain.chart
    if isinstance(chart, BareChart):        # no derivatives
        chart = IdentityChart()
    basis = xp.eye(M.dim, dtype=start.dtype)

    def along(u: Array) -> tuple[Array, Array]:
        """The point and the basis for each of its rows."""
        here = u[..., None, :] + 0.0 * basis
        return here, 0.0 * here + basis

    def pulled_back(u: Array, form: Array) -> Array:
        tangents = chart.push_forward(*along(u))
        return tangents @ form @ xp.matrix_transpose(tangents)

    def newton(z: Array, slope: Array) -> Array:
        u = unit * z
        hessian, metric = (pulled_back(u, form) for form in f.hessian(chart(u)))
        here, tangents = along(u)
        bend = chart.pull_back_tangent(here, tangents, f.gradient(chart(u))[..., None, :] + 0.0 * here)
        scaled = _definite(xp, hessian + bend, metric) * unit[..., None] * unit[..., None, :]
        return solve(xp, scaled / most[..., None, None], slope)

    def terms(z: Array) -> Array:
        return unit * xp.abs(chart.pull_back(unit * z, f.terms(where(z)))) / most[..., None]

    at_start, start = f.value(start), chart.inverse(start)
    size = xp.sqrt(xp.linalg.diagonal(pulled_back(start, M.metric(chart(start)))))
    unit, most = xp.where(size > 0.0, 1.0 / size, xp.ones_like(size)), xp.maximum(at_start, xp.ones_like(at_start))
    where: Callable[[Array], Array] = lambda z: chart(unit * z)
    z = minimize(
        xp, start / unit, solve=newton, contains=lambda z: M.domain.contains(where(z)), value=lambda z: f.value(where(z)) / most,
        gradient=lambda z: unit * chart.pull_back(unit * z, f.gradient(where(z))) / most[..., None],
        scale=lambda z: 1.0 / most + xp.max(terms(z), axis=-1), name=name, max_steps=max_steps)
    unsure = newton(z, 10.0 * float(xp.finfo(z.dtype).eps) * terms(z))
    unsure = xp.max(xp.abs(unit * unsure) / (1.0 + xp.abs(unit * z)), axis=-1)
    require_converged(f"{name}: the sum is flat to rounding", ~(unsure > 1e-3), unsure, where(z))
    return where(z)
