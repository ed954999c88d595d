"""Parameters of a family that are known numbers, given to its constructor."""
from math import inf, isfinite
from numbers import Real
from typing import Any

from ..errors import require, require_count

__all__ = ["known_finite", "known_integer", "known_positive"]


def known_positive(family: Any, name: str) -> None:
    """Keep the field `name` as a float. Raises DomainError where it is not a finite number above 0."""
    value = getattr(family, name)
    require(name, f"{name} > 0", isinstance(value, Real) and 0 < float(value) < inf, value)
    _keep(family, name, float(value))


def known_finite(family: Any, name: str) -> None:
    """Keep the field `name` as a float. Raises DomainError where it is not a finite number."""
    value = getattr(family, name)
    require(name, f"{name} finite", isinstance(value, Real) and isfinite(value), value)
    _keep(family, name, float(value))


def known_integer(family: Any, name: str, least: int = 1) -> None:
    """Keep the field `name` as an int. Raises DomainError where it is not an integer of at least `least`."""
    _keep(family, name, require_count(name, getattr(family, name), least))


def _keep(family: Any, name: str, value: float) -> None:
    object.__setattr__(family, name, value)     # families are frozen; a Python number keeps the dtype of what it meets
