"""What the geometry says of its own derivatives: ∇ψ = η, ∇η = G, ∇G = T, ∇φ = θ, the rest from these.

They take the place of a derivative through the formulas where PyTorch or JAX asks for one: at every point, of every order, and
also through inversions without a closed form, whose derivative is the inverse metric. A rule is a function
``(M, result, *arguments)`` to a `Partial` for every argument.
"""
from collections.abc import Callable
from functools import partial
from typing import Any

from ...arrays.tracing import Forward, Native, Operator, Partial, Slope, Tensor
from ...backend import Array, backend_of, column
from ...numerics.linalg import inverse, matvec

__all__ = ["of_distance", "of_divergence", "of_dual_flat", "of_dual_metric", "of_dual_potential", "of_dual_sharp", "of_exp",
           "of_flat", "of_geodesic", "of_inner", "of_log", "of_metric", "of_norm", "of_potential", "of_sharp", "of_to_eta",
           "of_to_theta"]


def _cubic(M: Any, theta: Array, u: Array, v: Array) -> Array:
    """T(u, v, ·), shape (..., d)."""
    xp = backend_of(theta)
    return matvec(xp, matvec(xp, M.cubic_tensor(theta), u[..., None, :]), v)


def of_potential(M: Any, y: Array, theta: Array) -> tuple[Partial, ...]:
    return Slope(lambda: M.to_eta(theta)),


def of_to_eta(M: Any, y: Array, theta: Array) -> tuple[Partial, ...]:
    return Operator(lambda v: M.flat(theta, v)),


def of_metric(M: Any, y: Array, theta: Array) -> tuple[Partial, ...]:
    return Tensor(lambda: M.cubic_tensor(theta)),


def of_flat(M: Any, y: Array, theta: Array, vector: Array) -> tuple[Partial, ...]:
    return Operator(lambda v: _cubic(M, theta, vector, v)), Operator(lambda v: M.flat(theta, v))


def of_sharp(M: Any, y: Array, theta: Array, covector: Array) -> tuple[Partial, ...]:
    """dG⁻¹ c = −G⁻¹ T(G⁻¹c, ·)."""
    return (Operator(lambda v: -M.sharp(theta, _cubic(M, theta, y, v)), lambda c: -_cubic(M, theta, y, M.sharp(theta, c))),
            Operator(lambda c: M.sharp(theta, c)))


def of_inner(M: Any, y: Array, theta: Array, u: Array, v: Array) -> tuple[Partial, ...]:
    return Slope(lambda: _cubic(M, theta, u, v)), Slope(lambda: M.flat(theta, v)), Slope(lambda: M.flat(theta, u))


def of_norm(M: Any, y: Array, theta: Array, v: Array) -> tuple[Partial, ...]:
    return Slope(lambda: _cubic(M, theta, v, v) / column(2.0 * y)), Slope(lambda: M.flat(theta, v) / column(y))


def of_to_theta(M: Any, theta: Array, eta: Array) -> tuple[Partial, ...]:
    return Operator(lambda v: M.sharp(theta, v)),


def of_dual_potential(M: Any, y: Array, eta: Array) -> tuple[Partial, ...]:
    return Slope(lambda: M.to_theta(eta)),


def of_dual_metric(M: Any, y: Array, eta: Array) -> tuple[Partial, ...]:
    return Tensor(lambda: M.dual_cubic_tensor(eta)),


def of_dual_flat(M: Any, y: Array, eta: Array, vector: Array) -> tuple[Partial, ...]:
    theta = M.to_theta(eta)
    return (Operator(lambda v: -M.sharp(theta, _cubic(M, theta, y, M.sharp(theta, v)))), Operator(lambda v: M.sharp(theta, v)))


def of_dual_sharp(M: Any, y: Array, eta: Array, covector: Array) -> tuple[Partial, ...]:
    theta = M.to_theta(eta)
    return (Operator(lambda v: _cubic(M, theta, covector, M.sharp(theta, v)),
                     lambda c: M.sharp(theta, _cubic(M, theta, covector, c))),
            Operator(lambda c: M.flat(theta, c)))


def of_divergence(M: Any, y: Array, theta_p: Array, theta_q: Array) -> tuple[Partial, ...]:
    """G(θ_p)(θ_p − θ_q) and η_q − η_p."""
    return Slope(lambda: M.flat(theta_p, theta_p - theta_q)), Slope(lambda: M.to_eta(theta_q) - M.to_eta(theta_p))


def of_distance(M: Any, y: Array, x: Array, z: Array) -> tuple[Partial, ...]:
    """Minus the unit vector towards the other point, lowered; 0 where there is no direction, at the point itself."""
    xp = backend_of(x)
    length = column(xp.where(y > 0, y, xp.full_like(y, xp.inf)))
    return Slope(lambda: -M.flat(x, M.log(x, z)) / length), Slope(lambda: -M.flat(z, M.log(z, x)) / length)


def of_log(M: Any, vector: Array, x: Array, y: Array) -> tuple[Partial, ...]:
    """By those of exp_x(v) = y, where no formula of the logarithm has one."""
    return _of_inverse(M.exp, vector, x, y)


def of_exp(M: Any, point: Array, x: Array, vector: Array) -> tuple[Partial, ...]:
    """By those of log_x(y) = v, where the point is found by steps that are chosen by numbers."""
    return _of_inverse(M.log, point, x, vector)


def _of_inverse(f: Callable[[Array, Array], Array], v: Array, x: Array, y: Array) -> tuple[Partial, ...]:
    """Of the v with f(x, v) = y: J dv = dy − ∂_x f(x, v) dx, J = ∂_v f(x, v)."""
    xp, ahead = backend_of(x), Native(lambda x: f(x, v), x)

    def component(i: int, v: Array) -> Array:
        return f(x, v)[..., i]

    def back_to_v() -> Array:
        rows = (Forward(partial(component, i), v).pull(xp, xp.ones_like(y[..., 0])) for i in range(y.shape[-1]))
        return inverse(xp, xp.stack(list(rows), axis=-2))

    def forth(d: Array) -> Array:
        return matvec(xp, back_to_v(), d)

    def back(c: Array) -> Array:
        return matvec(xp, xp.matrix_transpose(back_to_v()), c)

    return Operator(lambda d: -forth(ahead.push(xp, d)), lambda c: -ahead.pull(xp, back(c))), Operator(forth, back)


def of_geodesic(M: Any, point: Array, x: Array, y: Array, t: Array) -> tuple[Partial, ...]:
    """Of exp_x(t log_x y), the same point."""
    def at(x: Array, y: Array, t: Array) -> Array:
        return M.exp(x, column(t) * M.log(x, y))

    return Native(lambda x: at(x, y, t), x), Native(lambda y: at(x, y, t), y), Native(lambda t: at(x, y, t), t)
