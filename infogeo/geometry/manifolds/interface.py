"""The interface of a manifold: which of its methods are formulas, and what stands around every one of them.

A public method coerces its arguments once and calls its kernel: ``M.potential(theta)`` is ``M._potential(xp, theta)`` of coerced
arrays. Kernels are formulas and nothing else. What all of them need is here: outside the domain NaN, or inside `checked` an
error; NumPy's error state; large batches in blocks.
"""
import os
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, partial, wraps
from inspect import signature
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from ...arrays.blocks import in_blocks, is_large
from ...arrays.graphs import in_graph, is_read, now_or_later, own_code
from ...arrays.memo import is_standing, once_each, settled, stands_on
from ...arrays.tracing import is_differentiated, is_traced, named, ruled
from ...backend import NUMPY, Array, Namespace, coerced

__all__ = ["Formula", "checked", "contract", "formula", "formula_by_name", "formulas", "pair_kernels"]

# What is asked of a law on the boundary of its family, beside what has its limit by its formula
OF_LIMITS = ("cross_entropy", "distance", "divergence", "dual_potential", "entropy", "expected_log_base_measure", "kl",
             "to_theta")

F = TypeVar("F", bound=Callable[..., Any])
_checked: ContextVar[bool] = ContextVar("infogeo_checked", default=os.environ.get("INFOGEO_CHECKED", "0") not in ("", "0"))


@contextmanager
def checked(on: bool = True) -> Iterator[None]:
    """Inside ``with checked():`` the methods of a manifold raise where a point lies outside its domain, instead of giving NaN.

    The environment variable ``INFOGEO_CHECKED=1`` says so for a whole process. Inside a solver, whose rows may leave the domain
    and are reported one by one, nothing is raised.

    Raises
    ------
    DomainError
        By the methods: naming the argument, the rule, how many points break it, and the first that does.

    Examples
    --------
    >>> ig.Poisson().dual.potential([-1.0])
    array(nan)
    >>> with ig.checked():
    ...     ig.Poisson().dual.potential([-1.0])
    Traceback (most recent call last):
        ...
    infogeo.errors.DomainError: theta must satisfy theta > 0; got [-1.]
    """
    token = _checked.set(on)
    try:
        yield
    finally:
        _checked.reset(token)


if TYPE_CHECKING:       # a class may give the public name in place of this kernel: that, a type checker does not know
    def contract(kernel: F) -> F:
        return kernel
else:
    contract = abstractmethod


class Formula(NamedTuple):
    """What is known of a method by its name.

    Attributes
    ----------
    kinds : tuple of str
        Of the arguments: "theta" and "eta" are points of the two charts, "vector" and "covector" stand at the point before them,
        "x" is an observation, "t" a time.
    axes : int
        How many axes of the result belong to one point: 0 for ψ, 1 for η, 2 for a metric.
    """

    kinds: tuple[str, ...]
    axes: int


def formula(*kinds: str, axes: int, blocks: bool = True, around: Callable[[Callable[..., Any]], Callable[..., Any]] | None = None,
            rule: Callable[..., Any] | tuple[str, ...] = ()) -> Callable[[F], F]:
    """Make a signature with a docstring the public method of its kernel, which has the same name with an underscore.

    Parameters
    ----------
    kinds, axes
        As in `Formula`.
    blocks : bool
        Whether large batches go in blocks: not where the result is no array, or where a row is an iteration of its own.
    around : function (kernel) -> kernel, optional
        What every kernel goes through.
    rule : callable (M, result, *arguments) -> tuple of `Partial`, or tuple of str
        The derivatives in closed form, which PyTorch and JAX take in the place of those of the formula; or the methods that give
        the parts of a result, with theirs.
    """
    def decorate(method: F) -> F:
        kernel, takes = "_" + method.__name__, signature(method)
        tends = method.__name__ in OF_LIMITS
        names = list(takes.parameters)[1:]
        observed = [i for i, kind in enumerate(kinds) if kind == "x"]
        points = [(i, kind) for i, kind in enumerate(kinds) if kind in ("theta", "eta")]
        single = len(kinds) == 1
        coordinates = sum(kind not in ("x", "t") for kind in kinds)         # they come first

        @wraps(method)
        def public(self: Any, *given: Array, **named: Array) -> Any:
            x = given[0] if given else None
            if type(x) is np.ndarray:
                if single and len(given) == 1 and not named:        # of one point in a loop, asked most and soonest done
                    if stands_on(x) and x.shape == (self.dim,) and x.dtype.kind == "f":
                        return own(type(self))(self, NUMPY, x)      # type: ignore[arg-type]
            elif is_read():
                return in_graph(public, self, given, named)
            if named or len(given) != len(kinds):
                given = takes.bind(self, *given, **named).args[1:]
            if settled(given, self.dim) and (given[0].ndim == 1 or not is_large(given)):
                return own(type(self))(self, NUMPY, *given)     # type: ignore[arg-type]  # a loop leaves only the formula to do
            xp, *xs = self.point(*given[:coordinates]) if coordinates else coerced(*given)
            if 0 < coordinates < len(kinds):
                xp, *xs = coerced(*given)
            for i in observed:
                self.support.require_shape(names[i], xs[i])
            evaluate = plain if xp is NUMPY else by_rule
            if is_standing():                   # a solver's loop has set the error state, and looks after its rows
                return evaluate(self, xp, *xs)
            if _checked.get() and not is_traced(xp, *xs):
                for i, kind in points:
                    _domain(self, kind).require(names[i], xs[i])
                with checked(False):            # what kernels ask of each other need not be a point that a user gave
                    return public(self, *xs)
            with np.errstate(all="ignore"):     # an overflow is inf and a point outside is NaN: the values say it
                return evaluate(self, xp, *xs)

        @lru_cache(maxsize=None)
        def own(cls: type) -> Callable[..., Any]:
            """The kernel of a class, looked up once: the whole way below takes 1.1 of the 5 µs of `potential_and_eta`."""
            f: Callable[..., Any] = _formula_of(cls, kernel)
            return f if around is None else around(f)

        def by_rule(M: Any, xp: Namespace, *xs: Array) -> Any:
            """The formula, with its derivatives by the rule where somebody may ask for them."""
            with named(xp, f"{M!r}.{kernel[1:]}"):
                if not rule or not is_differentiated(xp, *xs) or not hasattr(M, "cubic_tensor"):    # no rule for other metrics
                    return now_or_later(plain, public, M, xp, *xs)
                if isinstance(rule, tuple):
                    return tuple(getattr(M, name)(*xs) for name in rule)
                return ruled(xp, partial(now_or_later, plain, public, M, xp), partial(rule, M), *xs)

        def plain(M: Any, xp: Namespace, *xs: Array) -> Any:
            if blocks and not M.in_one_piece and is_large(xs):
                return in_blocks(partial(at_points, M, xp), *xs, contiguous=M.dim > 2 and kernel[1:] not in M.as_they_lie)
            return at_points(M, xp, *xs)

        def at_points(M: Any, xp: Namespace, *xs: Array) -> Any:
            """The kernel; NaN in the rows in which a point lies outside its domain."""
            outside = None
            if M.guarded and not stands_on(xs[0]):
                for i, kind in points:
                    rows = _domain(M, kind).outside(xp, xs[i]) if kind in M.guarded else None
                    if rows is not None:
                        outside = rows if outside is None else outside | rows
            f: Callable[..., Any] = partial(own(type(M)), M)     # type: ignore[arg-type]
            if tends and M.has_limits:
                f, outside = M._with_limits(xp, kernel, f, outside, xs)
            return f(xp, *xs) if outside is None else _nan_outside(xp, f, outside, axes, xs[:coordinates], xs[coordinates:])

        own_code(public)
        public.formula, public.kernel_of = Formula(kinds, axes), own   # type: ignore[attr-defined]
        return public                           # type: ignore[return-value]
    return decorate


def _formula_of(cls: type, kernel: str) -> Any:
    """The kernel; where a class overrides the public name, whose super() asks here, the one above."""
    found = (vars(base)[kernel] for base in cls.__mro__ if kernel in vars(base))
    return next(f for f in found if not hasattr(f, "of_override"))


def formula_by_name(*kinds: str) -> Callable[[F], F]:
    """A `formula` whose result is a dict of arrays, of one point of numbers, and of a large batch in one piece."""
    return formula(*kinds, axes=0, blocks=False, around=_of_numbers)


def _of_numbers(f: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel, of which each value of one point is a number, as of NumPy's arithmetic, and not the slice of θ that it may be."""
    def numbers(M: Any, xp: Namespace, *xs: Array) -> dict[str, Array]:
        return {name: value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value
                for name, value in f(M, xp, *xs).items()}
    return numbers


def _domain(M: Any, kind: str) -> Any:
    return M.eta_domain if kind == "eta" else M.domain


def _nan_outside(xp: Namespace, f: Callable[..., Any], outside: Array, axes: int, xs: Sequence[Array],
                 others: Sequence[Array]) -> Any:
    nowhere = xp.asarray(xp.nan, dtype=xs[0].dtype)
    found = f(xp, *(xp.where(outside[..., None], nowhere, x) for x in xs), *others)
    if isinstance(found, dict):                 # ordinary parameters: NaN by their formulas
        return found
    if isinstance(found, tuple):
        return tuple(_nan_in(xp, outside, nowhere, part, n) for n, part in enumerate(found, axes + 1 - len(found)))
    return _nan_in(xp, outside, nowhere, found, axes)


def _nan_in(xp: Namespace, outside: Array, nowhere: Array, found: Array, axes: int) -> Array:
    return xp.where(outside[(..., *(None,) * axes)], nowhere, found)


def formulas(cls: type) -> dict[str, Formula]:
    """Every formula of a class of manifolds by its name, also where the class overrides the public method."""
    return {name: method.formula for base in reversed(cls.__mro__) for name, method in vars(base).items()
            if hasattr(method, "formula")}


def pair_kernels(cls: type) -> None:
    """Let a class define a formula by either name, ``potential(theta)`` or ``_potential(xp, theta)``, and have both."""
    for name in formulas(cls):
        public, kernel = name in vars(cls), "_" + name in vars(cls)
        if public and not kernel and not hasattr(vars(cls)[name], "formula"):
            setattr(cls, "_" + name, _kernel_of(name))
            if name == "sharp":                     # a user's own solve is made once a point, too
                setattr(cls, name, once_each(vars(cls)[name]))
        elif kernel and not public and not hasattr(getattr(cls, name), "formula"):      # a base class overrides the public name
            setattr(cls, name, next(vars(base)[name] for base in reversed(cls.__mro__) if name in vars(base)))


def _kernel_of(name: str) -> Callable[..., Any]:
    def kernel(self: Any, xp: Namespace, *xs: Array) -> Any:
        return getattr(self, name)(*xs)
    kernel.of_override = True                   # type: ignore[attr-defined]
    return kernel
