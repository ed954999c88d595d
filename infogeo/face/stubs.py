"""What the stubs say: every package, its sections and their names, in the order of the file. Nothing is imported."""
import ast
from functools import cache
from pathlib import Path
from typing import NamedTuple

__all__ = ["Section", "packages", "public_names", "sections"]

ROOT = Path(__file__).parent.parent


class Section(NamedTuple):
    """The names below one comment of a stub; the title is empty where the stub begins with names."""

    title: str
    names: tuple[str, ...]


def packages() -> list[str]:
    """The dotted names of the packages that have a stub, the top level first."""
    folders = sorted(path.parent.relative_to(ROOT.parent) for path in ROOT.rglob("__init__.pyi"))
    return [".".join(folder.parts) for folder in folders]


@cache
def sections(package: str) -> tuple[Section, ...]:
    """The sections of a package's stub."""
    text = (ROOT.parent.joinpath(*package.split(".")) / "__init__.pyi").read_text(encoding="utf-8")
    titles = {number: line[2:] for number, line in enumerate(text.splitlines(), 1) if line.startswith("# ")}
    found: dict[str, list[str]] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.ImportFrom):
            above = [title for number, title in titles.items() if number < node.lineno]
            found.setdefault(above[-1] if above else "", []).extend(alias.name for alias in node.names)
    return tuple(Section(title, tuple(names)) for title, names in found.items())


@cache
def public_names() -> dict[str, str]:
    """Every public name and where it is spoken: ``{"MLP": "infogeo.networks.MLP", …}``; the top level before a package."""
    return {name: f"{package}.{name}" for package in reversed(packages()) for section in sections(package)
            for name in section.names}
