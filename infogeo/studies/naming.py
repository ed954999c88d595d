"""Families from texts like ``gamma``, ``Wishart(2)`` or ``Truncated(Poisson, 0)``."""
import ast
from inspect import Parameter, signature
from typing import Any

import numpy as np

from ..families.base import ExponentialFamily
from ..families.catalogue import FAMILIES
from .inputs import InputError, suggestion

__all__ = ["named_family", "parsed_value"]


def named_family(text: str, columns: int | None = None) -> ExponentialFamily:
    """The family that a text names: ``gamma``, ``Wishart(2)``, ``Categorical(3, reference=0)``, ``Truncated(Poisson, 0)``.

    The name is that of a class, in any case and with or without underscores. Arguments are numbers, lists and tuples of them,
    ``inf``, and families.

    Parameters
    ----------
    text : str
    columns : int, optional
        The size of an observation; with it a family of vectors may be named without its dimension.

    Raises
    ------
    InputError
        Saying what is wrong with the text, or what the family says of its arguments.

    Examples
    --------
    >>> ig.studies.named_family("Wishart(2)")
    Wishart(p=2)
    >>> ig.studies.named_family("truncated(poisson, 0)")
    Truncated(family=Poisson(), lower=0.0, upper=inf)
    """
    found = _named(_tree(text))
    if isinstance(found, ExponentialFamily):
        return found
    if columns is not None and len(_needed(found)) == 1:
        try:
            family: ExponentialFamily = found(columns)
        except (TypeError, ValueError) as error:
            raise InputError(f"{text} of {columns} column{'s' * (columns > 1)}: {error}") from None
        if family.support.shape == (columns,):
            return family
    raise InputError(f"the family {text} needs its arguments: {_usage(found)}")


def parsed_value(text: str) -> Any:
    """A number, or nested tuples of numbers, as text: ``2.5``, ``[[1, 0], [0, 2]]``.

    Raises
    ------
    InputError
    """
    return _value(_tree(text))


def _tree(text: str) -> ast.expr:
    if not isinstance(text, str):
        raise InputError(f"a family is named by text, such as 'Weibull(1.7)'; got {text!r}")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        raise InputError(f"{text!r} is not a number, nor a family with its arguments like Weibull(1.7)") from None


def _named(node: ast.expr) -> ExponentialFamily | type[Any]:
    """The family of a name or a call; its class, where it needs arguments and has none."""
    match node:
        case ast.Name():
            name, given, keywords = node.id, [], []
        case ast.Call():
            name, given, keywords = ast.unparse(node.func), node.args, node.keywords
        case _:
            raise InputError(f"{ast.unparse(node)!r} is not the name of a family")
    found = {key.lower(): cls for key, cls in FAMILIES.items()}.get(name.lower().replace("_", ""))
    if found is None:
        near = suggestion(name, FAMILIES)
        raise InputError(f"unknown family {name!r}{near or '; known are ' + ', '.join(sorted(FAMILIES))}")
    if isinstance(node, ast.Name) and _needed(found):
        return found
    arguments, named = [_value(one) for one in given], {str(one.arg): _value(one.value) for one in keywords}
    try:
        signature(found).bind(*arguments, **named)
    except TypeError as error:
        raise InputError(f"{ast.unparse(node)}: {error}; the form is {_usage(found)}") from None
    try:
        return found(*arguments, **named)
    except (TypeError, ValueError) as error:
        raise InputError(f"{ast.unparse(node)}: {error}") from None


def _needed(cls: type[Any]) -> list[str]:
    """The arguments without a default."""
    return [name for name, parameter in signature(cls).parameters.items() if parameter.default is Parameter.empty]


def _usage(cls: type[Any]) -> str:
    parts = (parameter.replace(annotation=Parameter.empty) for parameter in signature(cls).parameters.values())
    return f"{cls.__name__}({', '.join(map(str, parts))})"


def _value(node: ast.expr) -> Any:
    """An argument: a number, a list or tuple of arguments, a family."""
    match node:
        case ast.Constant(value=None | int() | float() as value):
            return value
        case ast.Name(id="inf"):
            return np.inf
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float()) | ast.Name(id="inf")):
            return -_value(node.operand)
        case ast.List() | ast.Tuple():
            return tuple(map(_value, node.elts))
        case ast.Name() | ast.Call():
            family = _named(node)
            if isinstance(family, ExponentialFamily):
                return family
            raise InputError(f"the family {ast.unparse(node)} needs its arguments: {_usage(family)}")
    raise InputError(f"{ast.unparse(node)!r} is not a number, a list of them, or a family with its arguments")
