"""The public names: a package's ``__init__.pyi`` lists them, each is imported when it is first used."""
from collections.abc import Callable
from typing import Any

import lazy_loader

from .elsewhere import whereabouts


def attach(package: str, file: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """``(__getattr__, __dir__, __all__)`` of a package, from the stub beside its file.

    A name that the package does not have raises an AttributeError that says where it is, or what it is called here.
    """
    load, names, public = lazy_loader.attach_stub(package, file)

    def get(name: str) -> Any:
        if name in public:
            return load(name)
        within = [f"{package}.{longer}" for longer in public if longer.startswith(name) and name[:1].isupper()]
        raise AttributeError(f"module {package!r} has no attribute {name!r}{whereabouts(name, within)}")

    return get, names, public
