"""The families as a table: what ``infogeo families`` prints."""
import json
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

from ..families.base import ExponentialFamily
from ..families.catalogue import FAMILIES
from ..statistics import conjugacy
from .naming import named_family

__all__ = ["EXAMPLE_ARGUMENTS", "example_family", "families_text", "has_prior", "made_from_numbers"]

# Arguments that are neither numbers nor optional, as a small example has them
EXAMPLE_ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "Hierarchical": ((2, 3), ((0,), (1,))),
    "LogLinear": ([[0.0], [1.0], [2.0]],),
    "MultivariateNormalKnownCovariance": ([[2, 0.5], [0.5, 1]],),
    "MatrixNormalKnownCovariances": ([[2, 0.5], [0.5, 1]], [[3]]),
}


def made_from_numbers() -> list[type[ExponentialFamily]]:
    """The classes of the catalogue that are no compositions of others."""
    return [cls for cls in FAMILIES.values() if is_dataclass(cls) and not any(field.name == "family" for field in fields(cls))]


def example_family(cls: Any) -> tuple[ExponentialFamily, tuple[Any, ...]]:
    """A small member of the class, and the arguments that it was made with."""
    given = EXAMPLE_ARGUMENTS.get(cls.__name__)
    if given is None:
        required = [field for field in fields(cls) if field.init and field.default is MISSING]
        given = tuple({"int": 3, int: 3, "float": 1.5, float: 1.5}[field.type] for field in required)
    return cls(*given), given


def families_text(names: list[str], form: str = "text") -> str:
    """All families in a line each, or the data sheets of those that are named, as ``text`` or ``json``.

    Raises
    ------
    InputError
        For a name that is not one of a family.

    Examples
    --------
    >>> print(ig.studies.families_text(["poisson"]).splitlines()[0])
    poisson
    """
    if names:
        sheets = {name: named_family(name).data_sheet() for name in names}
        return _json(sheets) if form == "json" else "\n\n".join(map(_sheet, sheets, sheets.values()))
    rows = [_row(cls) for cls in made_from_numbers()]
    if form == "json":
        return _json(rows)
    return _table(rows) + '\n\n"infogeo families NAME" prints the data sheet of a family.'


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _sheet(name: str, entries: dict[str, str]) -> str:
    width = max(map(len, entries))
    return "\n".join([name, *(f"  {key:<{width}}  {text}" for key, text in entries.items())])


def _row(cls: Any) -> dict[str, str]:
    family, given = example_family(cls)
    marks = {"cdf": family.support.shape == (), "boundary": getattr(family, "has_limits", False), "prior": has_prior(family)}
    return {"family": cls.__name__ + (f"({', '.join(map(str, given))})" if given else ""),
            "ordinary parameters": ", ".join(family.ordinary), "can": " ".join(name for name, has in marks.items() if has)}


def has_prior(family: Any) -> bool:
    """Whether the library knows the conjugate prior of the family."""
    return conjugacy.dispatch(type(family)) is not conjugacy.dispatch(object)


def _table(rows: list[dict[str, str]]) -> str:
    widths = {key: max(len(key), *(len(row[key]) for row in rows)) for key in rows[0]}
    lines = ["  ".join(f"{text:<{widths[key]}}" for key, text in row.items()).rstrip() for row in ({k: k for k in widths}, *rows)]
    return "\n".join([*lines, "", "cdf: distribution function and quantiles; boundary: laws on the boundary (θ infinite);",
                      "prior: conjugate prior, posterior and predictive density"])
