"""The errors that infogeo raises at its boundary, and the sentences that they say."""
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import signature
from math import inf
from numbers import Integral, Real
from typing import Any, TypeVar

import numpy as np

from .backend import Array, arrays, to_numpy

F = TypeVar("F", bound=Callable[..., Any])


class InfogeoError(Exception):
    """Any error of this library.

    Examples
    --------
    >>> try:
    ...     ig.Categorical(3).theta_from(probabilities=[0.5, 0.5])
    ... except ig.InfogeoError as error:  # of whatever kind
    ...     print(type(error).__name__)
    ShapeError
    """


class DomainError(InfogeoError, ValueError):
    """A value lies outside the set where the quantity is defined.

    Examples
    --------
    >>> ig.Poisson().theta_from(rate=-2.0)
    Traceback (most recent call last):
        ...
    infogeo.errors.DomainError: rate must satisfy rate > 0; got -2.0
    """


class ShapeError(InfogeoError, ValueError):
    """An array does not have the shape that the argument needs.

    Examples
    --------
    >>> ig.Normal().potential([1.0, 2.0, 3.0])
    Traceback (most recent call last):
        ...
    infogeo.errors.ShapeError: Normal() takes arrays of shape (..., 2); got (3,)
    """


class ConvergenceError(InfogeoError, ArithmeticError):
    """A numeric inversion or minimisation did not reach its accuracy.

    Attributes
    ----------
    residual : array, shape (...)
        What is left of the equation, row by row.
    iterate : array, shape (..., d)
        The last point, which is not an answer.
    converged : mask, shape (...), or None
        Which rows did reach it, where that is known.

    Examples
    --------
    >>> M, theta = ig.Normal(), [[0.0, -0.5], [3.0, -0.5], [0.0, -2.0]]
    >>> try:
    ...     ig.frechet_mean(M, theta, tol=1e-12, max_steps=1)
    ... except ig.ConvergenceError as error:
    ...     print(error.iterate.round(1), bool(error.residual > 1e-12))
    [ 0.3 -0.3] True
    """

    def __init__(self, message: str, residual: Array = None, iterate: Array = None, converged: Array = None) -> None:
        super().__init__(message)
        self.residual = residual
        self.iterate = iterate
        self.converged = converged


def first_bad(bad: Array) -> tuple[str, tuple[int, ...]]:
    """How many of the entries of a mask are set, as ``"k of n"``, and the index of the first."""
    bad = to_numpy(bad)
    return f"{int(bad.sum())} of {bad.size}", tuple(int(i) for i in np.argwhere(bad)[0])


def require(name: str, rule: str, good: Array, value: Any) -> None:
    """Nothing, if the points called `name` keep the rule; `good` says which do, shape (...), and is one truth for one value.

    Raises
    ------
    DomainError
        Naming the rule, how many points break it, and the first that does.
    """
    bad = np.logical_not(to_numpy(good))
    if not bad.any():
        return
    if bad.ndim == 0:
        got = f"got {value!r}" if isinstance(value, str) else f"got {value}"
    else:
        (count, first), value = first_bad(bad), to_numpy(value)
        value = (value if value.ndim >= bad.ndim else np.broadcast_to(value, bad.shape))[first]
        got = f"{count} points {'does' if count.startswith('1 ') else 'do'} not, first at index {first}: {value}"
    said = bool({"finite", "inf"} & set(rule.split()))
    finite = " and finite" if {">", "<"} & set(rule) and not said and _is_infinite(value) else ""         # ∞ > 0 is true
    raise DomainError(f"{name} must satisfy {rule}{finite}; {got}")


def _is_infinite(value: Any) -> bool:
    """Whether a value has an infinite entry."""
    try:
        return bool(np.any(np.isinf(to_numpy(value))))
    except (TypeError, ValueError):         # text, objects
        return False


def takes(*first: type, **others: type) -> Callable[[F], F]:
    """The decorator of a function whose arguments are objects of these classes: the first one, and others by name.

    An argument whose default is None may be None; of ``*args`` each is looked at.

    Raises
    ------
    TypeError
        By the function, where an argument is something else.
    """
    def decorate(f: F) -> F:
        parameters = list(signature(f).parameters.values())
        named = ({parameters[0].name: first} if first else {}) | {name: (kind,) for name, kind in others.items()}
        looks = [(i, p.name, named[p.name] + (type(None),) * (p.default is None), p.kind is p.VAR_POSITIONAL)
                 for i, p in enumerate(parameters) if p.name in named]
        title = f.__qualname__.removesuffix(".__init__")

        @wraps(f)
        def checked(*given: Any, **by_name: Any) -> Any:
            for i, name, kinds, several in looks:
                values = given[i:] if several else given[i:i + 1] or ((by_name[name],) if name in by_name else ())
                for value in values:
                    if not isinstance(value, kinds):
                        raise TypeError(f"{title} takes {_one_of(kinds)} as its argument {name}; got {shown(value)}")
            return f(*given, **by_name)
        return checked      # type: ignore[return-value]
    return decorate


def _one_of(kinds: tuple[type, ...]) -> str:
    return " or ".join("None" if kind is type(None) else f"{'an' if kind.__name__[0] in 'AEIOU' else 'a'} {kind.__name__}"
                       for kind in kinds)


def shown(value: Any) -> str:
    """A value in an error; of a class, what makes an object of it."""
    return f"the class {value.__name__}, of which {value.__name__}(…) makes an object" if isinstance(value, type) else repr(value)


def require_positive(name: str, value: Any) -> Any:
    """A number, or an array-like as an array. Raises DomainError where it is not finite and above 0 throughout."""
    none = value is None or isinstance(value, str)
    number: Any = value if none or isinstance(value, Real) else arrays(value)[1]
    require(name, f"{name} > 0", not none and (number > 0) & (number < inf), value)
    return number


def require_count(name: str, value: Any, least: int = 1) -> int:
    """The value as an int. Raises DomainError where it is not an integer of at least `least`, or longer than arrays can be."""
    require(name, f"{name} an integer >= {least}", isinstance(value, Integral) and least <= int(value) <= sys.maxsize, value)
    return int(value)


def require_tolerance(tol: Any) -> None:
    """Nothing, for a number that is not negative. Raises DomainError for anything else."""
    require("tol", "tol a number >= 0", isinstance(tol, Real) and float(tol) >= 0, tol)


def require_own_dimension(what: str, M: Any) -> None:
    """Nothing, for a manifold in as many coordinates as it has dimensions, which `what` needs. Raises TypeError for another."""
    if M.redundant:
        raise TypeError(f"{what} in as many coordinates as there are dimensions; {M!r} has one more: leave an outcome out, as "
                        "Categorical(k).dual does")


def require_converged(what: str, converged: Array, residual: Array, iterate: Array) -> None:
    """Nothing, if every row converged; `what` says what fell short of what, for instance "to_theta ended short of 1e-12".

    Raises
    ------
    ConvergenceError
        Naming how many rows did not, and the residual of the first.
    """
    bad = ~to_numpy(converged)
    if bad.any():
        count, first = first_bad(bad)
        raise ConvergenceError(f"{what} in {count} rows, first at index {first}: residual {to_numpy(residual)[first]:.3g}",
                               residual, iterate, converged)


@contextmanager
def from_extra(what: str, extra: str) -> Iterator[None]:
    """Around imports of what need not be installed: `what` says who needs it, for instance "figures need matplotlib".

    Raises
    ------
    ImportError
        Naming the extra that brings it.
    """
    try:
        yield
    except ImportError as error:
        raise ImportError(f"{what}: pip install 'infogeo[{extra}]'") from error


def made(name: str, value: Any, kind: Any) -> Any:
    """An object of this kind, of which the class may be given: scikit-learn allows no objects as defaults.

    Raises
    ------
    TypeError
    """
    try:
        found = value() if isinstance(value, type) else value
    except TypeError as error:
        raise TypeError(f"{name} has to be told more than the class {value.__name__}: {error}") from error
    if not isinstance(found, kind):
        raise TypeError(f"{name} must be {_one_of((kind,))} or a class of them; got {value!r}")
    return found
