"""Signatures that show the names of a family's ordinary parameters: ``theta_from(*, mean, variance)``."""
from collections.abc import Callable
from functools import lru_cache
from inspect import Parameter, Signature, signature
from types import FunctionType, MethodType
from typing import Any

from ..backend import Array

__all__ = ["show_names"]


def show_names(cls: type) -> None:
    """Give a class that defines ``_theta_from(self, xp, …)`` a `theta_from` and a `parameters` which show those names.

    Where the kernel takes any, by ``**ordinary``, the names are those of the instance: they depend on its base.
    """
    if "_theta_from" not in vars(cls):
        return
    kernel: Any = vars(cls)["_theta_from"]
    _, _, *taken = signature(kernel).parameters.values()
    names = tuple(parameter.name for parameter in taken if parameter.kind is Parameter.POSITIONAL_OR_KEYWORD)
    given: Any = vars(cls).get("theta_from", getattr(cls, "theta_from"))
    if len(names) < len(taken):
        setattr(cls, "theta_from", _OfInstance(given))
        return
    others = tuple(name for name, parameter in signature(given).parameters.items()
                   if parameter.kind is Parameter.KEYWORD_ONLY and parameter.default is None)
    setattr(cls, "theta_from", _showing(given, names, bool(getattr(cls, "has_limits")), others))
    found = _copied(getattr(cls, "parameters"))
    found.__doc__ = f"The ordinary parameters {', '.join(f'`{name}`' for name in names)} as a dict; the inverse of `theta_from`."
    setattr(cls, "parameters", found)


@lru_cache
def _showing(function: FunctionType, names: tuple[str, ...], boundary: bool = False,
             others: tuple[str, ...] = ()) -> FunctionType:
    """The function ``(self, **ordinary)`` with these names in its signature, where there are `others` as ways to choose from."""
    default = None if others else Parameter.empty
    shown = [Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=Array) for name in names + others]
    if boundary:
        shown.append(Parameter("boundary", Parameter.KEYWORD_ONLY, default=False, annotation=bool))
    out = _copied(function)
    out.__signature__ = Signature(                  # type: ignore[attr-defined]
        [Parameter("self", Parameter.POSITIONAL_ONLY), *shown], return_annotation=Array)
    return out


def _copied(function: FunctionType) -> FunctionType:
    """A function of the same code, which costs nothing beside the call itself, as a wrapper would."""
    out = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
    out.__kwdefaults__, out.__doc__, out.__qualname__ = function.__kwdefaults__, function.__doc__, function.__qualname__
    out.__annotations__, out.__module__ = function.__annotations__, function.__module__
    vars(out).update(vars(function))
    return out


class _OfInstance:
    """A method ``(self, **ordinary)`` that shows the names of the instance."""

    def __init__(self, function: FunctionType) -> None:
        self.function = function

    def __get__(self, family: Any, owner: type | None = None) -> Callable[..., Array]:
        if family is None:
            return self.function
        return MethodType(_showing(self.function, tuple(family.ordinary), bool(family.has_limits)), family)
