"""The errors that infogeo raises at its boundary."""
from numbers import Integral


class InfogeoError(Exception):
    """Any error of this library."""


class DomainError(InfogeoError, ValueError):
    """A value lies outside the set where the quantity is defined."""


class ShapeError(InfogeoError, ValueError):
    """An array does not have the shape that the argument needs."""


def require_positive(name, value):
    """Raises DomainError where a number is not above 0."""
    if not value > 0:
        raise DomainError(f"{name} must satisfy {name} > 0; got {value!r}")


def require_count(name, value):
    """The value as an int. Raises DomainError where it is not an integer of at least 1."""
    if not (isinstance(value, Integral) and value >= 1):
        raise DomainError(f"{name} must be a positive integer; got {value!r}")
    return int(value)


class ConvergenceError(InfogeoError, ArithmeticError):
    """A numeric inversion or minimisation did not reach its accuracy.

    Attributes
    ----------
    residual : array, shape (...)
        What is left of the equation, row by row.
    iterate : array, shape (..., d)
        The last point, which is not an answer.
    """

    def __init__(self, message, residual=None, iterate=None):
        super().__init__(message)
        self.residual = residual
        self.iterate = iterate
