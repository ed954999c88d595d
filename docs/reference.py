"""The pages of the reference, a package a page, from the stubs: the public names stand nowhere else."""
from pathlib import Path

from infogeo.face.stubs import packages, public_names, sections

ROOT = "infogeo"


def spoken(package):
    """The sections of a package, [(title, names)], each name once: where it is spoken."""
    homes, modules = public_names(), {name.rpartition(".")[2] for name in packages()} | {"backend", "families"}
    kept = ((section.title, [name for name in section.names if homes[name] == f"{package}.{name}" and name not in modules])
            for section in sections(package))
    return [(title, names) for title, names in kept if names]


def page(package):
    """The page of a package: its docstring, then its names by the sections of its stub."""
    title = "infogeo, the top level" if package == ROOT else package
    lines = [title, "=" * len(title), "", f".. automodule:: {package}", "", f".. currentmodule:: {package}", ""]
    for title, names in spoken(package):
        if title:
            lines += [title[0].upper() + title[1:], "-" * len(title), ""]
        lines += [".. autosummary::", "   :toctree: ..", "", *(f"   {name}" for name in names), ""]
    return "\n".join(lines)


def file_names():
    """Files of their own for names that differ in capitals only, of a class and a function: not all disks know them apart."""
    full = {f"{package}.{name}" for package in packages() for _, names in spoken(package) for name in names}
    capitals = {name.lower() for name in full if name != name.lower()}
    return {name: f"{name}-function" for name in full & capitals}


def write(app, config):
    """``reference/api/packages/*.rst`` and ``reference/api/packages.inc``, before Sphinx looks which pages there are."""
    folder = Path(app.srcdir) / "reference" / "api" / "packages"
    folder.mkdir(parents=True, exist_ok=True)
    shown = [package for package in packages() if spoken(package)]
    for package in shown:
        (folder / f"{package}.rst").write_text(page(package), encoding="utf-8")
    lines = [".. autosummary::", "", *(f"   {package.removeprefix('infogeo.')}" for package in shown), ""]
    folder.with_suffix(".inc").write_text("\n".join(lines), encoding="utf-8")
