"""Parameters of a family that are known numbers, given to its constructor."""
import numpy as np

__all__ = ["known_finite", "known_integer", "known_positive"]


def known_positive(family, name):
    """Keep the field `name` as a float. Raises ValueError where it is not a finite number above 0."""
    _keep(family, name, float, "a positive number", lambda value: _is_real(value) and 0 < value < np.inf)


def known_finite(family, name):
    """Keep the field `name` as a float. Raises ValueError where it is not a finite number."""
    _keep(family, name, float, "a finite number", lambda value: _is_real(value) and np.isfinite(value))


def known_integer(family, name, least=1):
    """Keep the field `name` as an int. Raises ValueError where it is not an integer of at least `least`."""
    rule = "a positive integer" if least == 1 else f"an integer of at least {least}"
    _keep(family, name, int, rule, lambda value: isinstance(value, (int, np.integer)) and value >= least)


def _is_real(value):
    return isinstance(value, (int, float, np.integer, np.floating))


def _keep(family, name, kind, rule, holds):
    value = getattr(family, name)
    if not holds(value):
        raise ValueError(f"{name} must be {rule}; got {value!r}")
    object.__setattr__(family, name, kind(value))     # families are frozen; a Python number keeps the dtype of what it meets
