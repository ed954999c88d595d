"""Objects said by their public names and the arguments that make them, as trees for JSON with arrays beside."""
import sys
from inspect import Parameter, signature
from typing import Any

import numpy as np

from ..backend import to_numpy
from ..domains.chart import Chart
from .layer import Part

__all__ = ["Made", "Said"]

PACKAGE = __name__.partition(".")[0]


class Said:
    """Layers, families and charts as trees.

    An object is said by the name under which its class is public and by its attributes that have the names of the arguments of
    the class, and it has to be the same once it is made of these.

    Attributes
    ----------
    arrays : dict of NumPy arrays
        Those among the arguments, by the names that the trees have for them.
    """

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}

    def tree(self, value: Any) -> Any:
        """Raises TypeError."""
        if value is None or isinstance(value, (bool, str)) or type(value) is int:
            return value
        if isinstance(value, float):
            return {"float": float(value).hex()}
        if isinstance(value, np.integer):
            return int(value)
        if type(value) in (tuple, list):
            return {type(value).__name__: [self.tree(item) for item in value]}
        if _is_part(type(value)):
            return {"class": public_name(type(value)), "arguments": self._arguments(value)}
        if hasattr(value, "__array_namespace__") or isinstance(value, np.generic):
            name = f"array_{len(self.arrays)}"
            self.arrays[name] = to_numpy(value)
            return {"array": name}
        raise TypeError(f"no file says what {value!r} is: arguments are numbers, texts, arrays, tuples, layers, families, charts")

    def _arguments(self, value: Any) -> list[list[Any]]:
        out = []
        for parameter in signature(type(value)).parameters.values():
            if parameter.kind is Parameter.VAR_KEYWORD or not hasattr(value, parameter.name):
                raise TypeError(f"no file says what {value!r} is: it has no attribute with the name of the argument "
                                f"{parameter.name} of {type(value).__qualname__}")
            star = parameter.kind is Parameter.VAR_POSITIONAL
            out.append(["*" * star + parameter.name, self.tree(getattr(value, parameter.name))])
        return out


class Made:
    """The objects of such trees. No class is called but those of layers, families and charts that are public in this library.

    Parameters
    ----------
    arrays : dict of NumPy arrays
    """

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self.arrays = arrays

    def value(self, tree: Any) -> Any:
        """Raises ValueError."""
        if not isinstance(tree, dict):
            return tree
        kind = next(iter(tree))
        if kind == "float":
            return float.fromhex(tree[kind])
        if kind == "array":
            return self.arrays[tree[kind]]
        if kind in ("tuple", "list"):
            items = [self.value(item) for item in tree[kind]]
            return tuple(items) if kind == "tuple" else items
        return self._object(tree["class"], tree["arguments"])

    def _object(self, name: str, arguments: list[list[Any]]) -> Any:
        cls: Any = sys.modules[PACKAGE]
        for part in name.split("."):
            cls = getattr(cls, part, None)
        if not isinstance(cls, type) or not _is_part(cls):
            raise ValueError(f"{PACKAGE}.{name} is no layer, family or chart of this version of the library")
        positional: list[Any] = []
        named: dict[str, Any] = {}
        for argument, tree in arguments:
            if argument.startswith("*"):
                positional.extend(self.value(tree))
            else:
                named[argument] = self.value(tree)
        return cls(*positional, **named)


def public_name(cls: type) -> str:
    """The name of a class behind ``infogeo.``.

    Raises
    ------
    TypeError
        Where it has none: a class of one's own.
    """
    package, _, rest = cls.__module__.partition(".")
    top: Any = sys.modules[PACKAGE]
    name: str = cls.__name__
    if package == PACKAGE:
        folder = rest.partition(".")[0]
        for place, prefix in ((top, ""), (getattr(top, folder, None), f"{folder}.")):
            if name in getattr(place, "__all__", ()) and getattr(place, name) is cls:
                return prefix + name
    raise TypeError(f"no file says what a {cls.__module__}.{cls.__qualname__} is: {PACKAGE} has no public class of this name")


def _is_part(cls: type) -> bool:
    """Whether objects of a class are layers, charts or families, which stand on a higher floor."""
    return issubclass(cls, (Part, Chart)) or hasattr(cls, "sufficient_statistic")
