"""Parameters of a family that are known numbers, given to its constructor."""
import numpy as np

__all__ = ["known_finite", "known_positive"]


def known_positive(family, name):
    """Keep the field `name` as a float. Raises ValueError where it is not a finite number above 0."""
    _keep(family, name, "a positive number", lambda value: 0 < value < np.inf)


def known_finite(family, name):
    """Keep the field `name` as a float. Raises ValueError where it is not a finite number."""
    _keep(family, name, "a finite number", np.isfinite)


def _keep(family, name, rule, holds):
    value = getattr(family, name)
    number = float(value) if isinstance(value, (int, float, np.integer, np.floating)) else np.nan
    if not holds(number):
        raise ValueError(f"{name} must be {rule}; got {value!r}")
    object.__setattr__(family, name, number)      # a frozen dataclass: a Python float, which keeps the dtype of what it meets
