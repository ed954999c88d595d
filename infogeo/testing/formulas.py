"""The methods of a manifold that are formulas, and arguments for them."""
from collections.abc import Callable, Iterator

import numpy as np

from ..backend import Array, coerced
from ..domains.convex import ConvexDomain, Orthant
from ..families.base import ExponentialFamily
from ..geometry.manifolds import interface
from ..geometry.manifolds.manifold import DuallyFlat, Riemannian

__all__ = ["FAMILY_FORMULAS", "FORMULAS", "arguments_at", "derived", "formulas", "overridden", "smooth_region"]

# Each with the kinds of its arguments. Geodesics and what belongs to them have laws of their own.
GEODESICS = {"distance", "exp", "geodesic", "log", "metric_derivative"}
FORMULAS = {name: formula.kinds for name, formula in interface.formulas(DuallyFlat).items()
            if name not in GEODESICS | {"potential_and_eta"}}
NAMED = {"from_eta_tangent", "parameters", "residual"}          # dicts of ordinary parameters, which have laws of their own
FAMILY_FORMULAS = {name: formula.kinds for name, formula in interface.formulas(ExponentialFamily).items()
                   if name not in interface.formulas(DuallyFlat) and formula.kinds != ("x",) and name not in NAMED}
FAMILY_FORMULAS |= {"log_partition": ("theta",), "log_density": ("theta", "x")}


def smooth_region(M: DuallyFlat) -> ConvexDomain:
    """A convex part of the primal domain where the potential is smooth: all of it, or where `smooth` says no an orthant.

    It is one that the dual chart shares, and signs are mixed in it.

    Examples
    --------
    >>> ig.testing.smooth_region(ig.Exponential())  # the domain of θ
    Orthant(signs=(-1,), dim=1)
    >>> M = ig.PNorm(2, 1.5)                        # |θ|^p bends at θ_i = 0
    >>> M.theta_domain, ig.testing.smooth_region(M)
    (RealSpace(dim=2), Orthant(signs=(1, -1), dim=2))
    """
    return M.theta_domain if M.smooth else Orthant(*[(-1) ** i for i in range(M.dim)])


def formulas(M: DuallyFlat) -> dict[str, tuple[str, ...]]:
    """Names and argument kinds of all the formulas of a manifold."""
    return FORMULAS | (FAMILY_FORMULAS if isinstance(M, ExponentialFamily) else {})


def arguments_at(M: DuallyFlat, kinds: tuple[str, ...], p: Array, q: Array, x: Array | None = None) -> list[Array]:
    """Arguments of these kinds at the points p and q: the second point is q, and vectors are q − p or its lowered form."""
    step = np.where(np.all(p == q, axis=-1, keepdims=True), 1.0, q - p)

    def make(i: int, kind: str) -> Array:
        if kind == "theta":
            return q if i else p
        if kind == "eta":
            return M.to_eta(p)
        if kind == "x":
            return x
        return step if kind == "vector" else M.flat(p, step)

    return [make(i, kind) for i, kind in enumerate(kinds)]


def overridden(M: DuallyFlat) -> Iterator[tuple[str, type]]:
    """(name, base class) for each formula of the manifold that a base class derives, too."""
    for name in formulas(M):
        if name == "to_theta" and not (M.smooth and M.steep):
            continue                    # Newton's method starts at 0, where a p-norm has no second derivative; or see `steep`
        if name == "root":
            continue                    # a matrix has many square roots
        definers = [c for c in type(M).__mro__ if "_" + name in vars(c)]
        for base in definers[1:]:
            if not getattr(vars(base)["_" + name], "__isabstractmethod__", False):
                yield name, base


def derived(base: type, name: str) -> Callable[..., Array]:
    """A formula as a base class derives it, whatever the class of the manifold overrides: a reference for closed forms.

    ``derived(DuallyFlat, "sharp")(M, theta, covector)`` solves with the metric of M.

    Examples
    --------
    >>> M, theta, c = ig.Categorical(3), np.array([0.3, -0.2]), np.ones(2)
    >>> plain = ig.testing.derived(ig.DuallyFlat, "sharp")    # by a solve
    >>> bool(np.allclose(M.sharp(theta, c), plain(M, theta, c)))
    True
    """
    kernel = getattr(base, "_" + name)

    def formula(M: Riemannian, *given: Array) -> Array:
        xp, *xs = coerced(*given)
        with np.errstate(all="ignore"):
            return kernel(M, xp, *xs)
    return formula
