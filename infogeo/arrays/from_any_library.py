"""Objects of the host whose methods take the arrays of any library."""
from collections.abc import Callable
from functools import wraps
from inspect import getattr_static
from types import FunctionType
from typing import Any

from ..backend import to_numpy
from ..backend.libraries import is_array

__all__ = ["FromAnyLibrary"]


class FromAnyLibrary:
    """An object of the host, as an estimator of scikit-learn: its public methods, inherited ones too, take arrays as NumPy's.

    Those of another library come from their device, and tensors without the derivatives that they ask for.
    """

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        for name in dir(cls):
            method = getattr_static(cls, name)
            if isinstance(method, FunctionType) and not name.startswith("_") and not hasattr(method, "takes_any"):
                setattr(cls, name, _from_any(method))


def _from_any(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def public(self: Any, *given: Any, **named: Any) -> Any:
        return method(self, *map(_brought, given), **{name: _brought(x) for name, x in named.items()})

    public.takes_any = True         # type: ignore[attr-defined]
    return public


def _brought(x: Any) -> Any:
    return to_numpy(x) if is_array(x) else x
