"""Updates that are made of another one."""
from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from ..backend import Array
from .start import as_update
from .update import Update

__all__ = ["Based"]


class Based(Update):
    """An update that takes the steps of another one, `base`, and does something with them: a frozen dataclass with this field."""

    base: Update

    def __post_init__(self) -> None:
        object.__setattr__(self, "base", as_update(self.base))

    @property
    def needs(self) -> tuple[str, ...]:         # type: ignore[override]
        return self.base.needs

    def init(self, x: Array) -> Any:
        return self.base.init(x)

    def on(self, objective: Any) -> Update:
        base = self.base.on(objective)
        return self if base is self.base else replace(self, base=base)      # type: ignore[type-var]

    def part(self, rows: Any) -> Update | None:
        """With that part of the base; None where more than the base is held, which may have rows of its own."""
        base = self.base.part(rows)
        return None if base is None or len(fields(self)) > 1 else replace(self, base=base)      # type: ignore[arg-type, type-var]

    def velocity(self, geometry: Any, x: Array, covector: Array) -> Array:
        """That of the base."""
        return self.base.velocity(geometry, x, covector)
