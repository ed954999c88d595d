"""Checks of a manifold or a family against every law, with the smallest failing point."""
from collections.abc import Iterator, Sequence
from inspect import signature

import numpy as np

from ..backend import Array
from ..domains.convex import ConvexDomain
from ..errors import require_own_dimension
from ..families.base import ExponentialFamily
from ..geometry.manifolds.manifold import DuallyFlat
from .family_laws import EXPONENTIAL_FAMILY_LAWS
from .formulas import smooth_region
from .geometry_laws import DUALLY_FLAT_LAWS
from .law import BrokenLaw, Law, Sides

__all__ = ["check_dually_flat", "check_exponential_family"]

SEED = 20_000


def check_dually_flat(M: DuallyFlat, *, region: ConvexDomain | None = None, count: int = 20, scale: float = 0.5) -> list[str]:
    """Check a manifold of your own against every law of a dually flat manifold.

    Mathematically, the laws say that η = ∇ψ, G = ∇η, T = ∇G, that φ is the Legendre transform of ψ and its derivatives are the
    inverse ones, that the divergence is the Bregman divergence of both, and that each closed form is the method it overrides.

    Parameters
    ----------
    M : DuallyFlat
        Its formulas must take NumPy arrays with any leading batch axes. Check `M.dual` too, where you use it as a manifold.
    region : ConvexDomain, optional
        The part of the domain to draw points from, if the potential is not smooth on all of it.
    count : int
        How many points, the interior point of the region among them.
    scale : float
        The largest standard deviation of their unconstrained coordinates. The tolerances are made for the bulk of a domain.

    Returns
    -------
    list of str
        The laws that apply and hold.

    Raises
    ------
    BrokenLaw
        For the first law that does not hold: an AssertionError with the law, the smallest failing point that was found, and
        the two numbers that disagree there. The points are the same in every call, and so is the message.

    Examples
    --------
    >>> class LogCosh(ig.DuallyFlat):               # ψ on the line, η = tanh θ
    ...     dim, theta_domain = 1, ig.domains.RealSpace(1)
    ...     eta_domain = ig.domains.OpenBall(1)
    ...     def potential(self, theta):
    ...         return np.log(np.cosh(theta[..., 0]))
    ...     def to_eta(self, theta):
    ...         return np.tanh(theta)
    ...     def metric(self, theta):
    ...         return (1 - np.tanh(theta)**2)[..., None]
    ...     def cubic_tensor(self, theta):
    ...         t = np.tanh(theta)
    ...         return (-2 * t * (1 - t**2))[..., None, None]
    >>> held = ig.testing.check_dually_flat(LogCosh(), count=3)
    >>> "gradient of the potential is eta" in held
    True
    """
    if not isinstance(M, DuallyFlat):
        raise TypeError(f"check_dually_flat takes a DuallyFlat manifold; got {type(M).__name__}")
    require_own_dimension("the laws are", M)
    return _check(M, DUALLY_FLAT_LAWS, region or smooth_region(M), count, scale)


def check_exponential_family(family: ExponentialFamily, *, region: ConvexDomain | None = None, count: int = 20,
                             scale: float = 0.5) -> list[str]:
    """Check an exponential family of your own: the laws of `check_dually_flat`, then those of densities, samples and estimates.

    Mathematically, log p = θ·T − ψ + log h integrates to one where the support allows the sum, E[T] = η, Cov[T] = G, the
    third cumulant is the cubic tensor, entropy and KL are the means that they are called, `fit` matches moments and
    `theta_from` inverts `parameters`.

    Parameters and errors are those of `check_dually_flat`. Laws about samples hold to 5 standard errors of fixed draws.

    Examples
    --------
    >>> held = ig.testing.check_exponential_family(ig.Exponential(), count=3)
    >>> len(held) > 20, held[-1]
    (True, 'whole weights are repetitions')
    """
    if not isinstance(family, ExponentialFamily):
        raise TypeError(f"check_exponential_family takes an ExponentialFamily; got {type(family).__name__}")
    return _check(family, DUALLY_FLAT_LAWS | EXPONENTIAL_FAMILY_LAWS, region or smooth_region(family), count, scale)


def _check(M: DuallyFlat, laws: dict[str, Law], region: ConvexDomain, count: int, scale: float) -> list[str]:
    points = _points(region, count, scale)
    held = []
    for name, law in laws.items():
        applies, breach = _breach(M, law, points)
        if breach is not None:
            arguments = _shrink(M, law, breach, region)
            raise BrokenLaw(_message(M, name, law, arguments), name, arguments)
        held += [name] * applies
    return held


def _points(region: ConvexDomain, count: int, scale: float) -> Array:
    """The interior point and points ever farther from it, shape (count, dim)."""
    rng = np.random.default_rng(SEED)
    u = np.linspace(0, scale, count)[:, None] * rng.standard_normal((count, region.dim))
    return np.asarray(region.chart(u), dtype=float)


# How a law is called

def _kinds(law: Law) -> list[str]:
    return list(signature(law).parameters)[1:]


def _sides(M: DuallyFlat, law: Law, points: Sequence[Array]) -> Iterator[Sides]:
    """The sides of a law at these points, its generator always in the same state."""
    kinds = _kinds(law)
    return law(M, *points, *([np.random.default_rng(SEED)] if "rng" in kinds else []))


def _arguments(law: Law, points: Array) -> list[Array]:
    """As many arguments as the law takes points: rotations of the points, so that each row pairs different ones."""
    return [np.roll(points, -i, axis=0) for i in range(sum(kind != "rng" for kind in _kinds(law)))]


def _verdict(M: DuallyFlat, law: Law, arguments: Sequence[Array]) -> tuple[bool, str | None]:
    """Whether the law says something here, and in words what is wrong with it, or None where it holds.

    Whatever the formulas raise breaks the law: they are to give numbers for every point of the domain.
    """
    applies = False
    try:
        for sides in _sides(M, law, arguments):
            applies = True
            if sides.wrong.any():
                return True, str(sides)
    except Exception as error:
        return True, f"{type(error).__name__}: {error}"
    return applies, None


def _breach(M: DuallyFlat, law: Law, points: Array) -> tuple[bool, tuple[Array, ...] | None]:
    """Whether the law applies, and the arguments nearest to the interior point at which it is broken, or None."""
    arguments = tuple(_arguments(law, points))
    rows, batch = list(zip(*arguments)), None
    if "rng" in _kinds(law):                    # three points are enough of samples of thousands
        rows = [rows[0], rows[len(rows) // 2], rows[-1]]
    else:
        batch = arguments
        applies, wrong = _verdict(M, law, batch)
        if wrong is None:
            return applies, None
    for row in rows:
        applies, wrong = _verdict(M, law, row)
        if wrong is not None:
            return True, row
    return applies, batch                       # nothing, or a batch that is broken though none of its rows is


# Smaller points at which a law is still broken

def _shrink(M: DuallyFlat, law: Law, arguments: Sequence[Array], region: ConvexDomain, trials: int = 400) -> tuple[Array, ...]:
    """Coordinates replaced by those of the interior point, by round numbers, by values half-way, while the law is broken."""
    if arguments[0].ndim > 1:
        return tuple(arguments)
    center = np.asarray(region.interior_point, dtype=float)
    best = tuple(arguments)
    progress = True
    while progress and trials > 0:
        progress = False
        for smaller in _smaller(best, center):
            if _size(smaller, center) < _size(best, center) and _distinct(smaller) and all(map(region.contains, smaller)):
                trials -= 1
                if _verdict(M, law, smaller)[1] is not None:
                    best, progress = smaller, True
                    break
    return best


def _smaller(points: tuple[Array, ...], center: Array) -> Iterator[tuple[Array, ...]]:
    for i, point in enumerate(points):
        for candidate in _simpler(point, center):
            yield *points[:i], candidate, *points[i + 1:]


def _simpler(point: Array, center: Array) -> Iterator[Array]:
    yield center
    nearer = point - 0.1 * np.sign(point - center)
    rounder: list[Array] = [np.rint(point), np.round(0.5 * (point + center), 1), np.round(nearer, 1), np.round(point, 2)]
    for values in (center, *rounder):
        for j in range(len(point)):
            candidate = point.copy()
            candidate[j] = values[j]
            yield candidate


def _size(points: Sequence[Array], center: Array) -> tuple[int, float]:
    """How much there is to read in points, and how far they are from the interior point."""
    return sum(len(repr(float(value))) for point in points for value in point), sum(np.sum(np.abs(p - center)) for p in points)


def _distinct(points: Sequence[Array]) -> bool:
    return len({tuple(point) for point in points}) == len(points)


def _message(M: DuallyFlat, name: str, law: Law, arguments: Sequence[Array]) -> str:
    labels = [kind for kind in _kinds(law) if kind != "rng"]
    shown = "\n".join(f"    {label} = {np.asarray(x).tolist()}" for label, x in zip(labels, arguments))
    return (f"{M!r} breaks the law \"{name}\": {(law.__doc__ or '').splitlines()[0]}\n"
            f"At the smallest failing point found,\n{shown}\n{_verdict(M, law, arguments)[1]}")
