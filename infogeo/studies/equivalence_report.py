"""The equivalence study as text, CSV and JSON, and what of it is written to a folder."""
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays.files import write_whole
from .equivalence_figure import figure_equivalence
from .export import as_csv, as_json, in_memory, write_files
from .tables import number, table, wrapped

if TYPE_CHECKING:
    from .equivalence import Equivalence
    from .measured_identity import MeasuredIdentity

__all__ = ["csv_of_equivalence", "json_of_equivalence", "report_equivalence", "worst_of", "write_equivalence"]

HEADER = ("number", "identity", "manifold", "objective", "order", "seed", "step", "error", "allowed", "ratio", "holds")


def report_equivalence(result: "Equivalence") -> str:
    """A table for each manifold asked about, the worst over objectives, seeds, steps and points; then what does not hold."""
    manifolds = dict.fromkeys(one.asked for one in result.measured)
    parts = [_setting(result), *(_table(result, M) for M in manifolds), _verdict(result)]
    return "\n\n".join(parts) + "\n"


def _setting(result: "Equivalence") -> str:
    objectives = ", ".join(dict.fromkeys(one.objective for one in result.measured if one.objective)) or "none"
    return wrapped(f"Identities of natural gradient and mirror descent: {result.points} points of every kind, seeds "
                   f"{', '.join(map(str, result.seeds))}; steps {', '.join(f'{h:g}' for h in result.steps)}; "
                   f"objectives {objectives}.", "", "")


def _table(result: "Equivalence", asked: str) -> str:
    names: dict[str, list["MeasuredIdentity"]] = {}
    for one in result.measured:
        if one.asked == asked:
            names.setdefault(f"{one.number} {one.name}", []).append(one)
    target = result.targets[asked]
    shown = " ".join(f"{x:.4g}" for x in target[:6]) + " …" * (len(target) > 6)
    elsewhere = dict.fromkeys(one.number for one in result.measured if one.asked == asked != one.manifold)
    notes = [f"{', '.join(elsewhere)}: on manifolds of the same dimension."] if elsewhere else []
    return table(f"{asked}, target θ = {shown}", ("", "error", "allowed", "halving"),
                 [_row(result, name, found) for name, found in names.items()], notes)


def _row(result: "Equivalence", name: str, found: list["MeasuredIdentity"]) -> tuple[str, str, str, str]:
    name += "" if all(one.holds for one in found) else ": DOES NOT HOLD"
    error, other = worst_of(found, result.steps)
    if order := found[0].order:
        return name, number(error, 2), "", f"{number(other, 3)}/{2**order}"
    return name, number(error, 2), number(other, 2), "exact"


def worst_of(found: Sequence["MeasuredIdentity"], steps: np.ndarray) -> tuple[float, float]:
    """Of an equality the error that is the largest part of what is allowed, and that; of a limit the last distance and ratio."""
    if found[0].order:
        ratios = np.ravel([one.ratios(steps)[:, -1:] for one in found])
        known = ratios[np.isfinite(ratios)]
        return max(float(one.error[:, -1].max()) for one in found), float(np.median(known)) if known.size else np.nan
    error, allowed = (np.concatenate([np.ravel(x) for x in xs]) for xs in zip(*((one.error, one.allowed) for one in found)))
    with np.errstate(divide="ignore", invalid="ignore"):
        worst = np.argmax(np.where(error > 0, error / allowed, 0.0))
    return float(error[worst]), float(allowed[worst])


def _verdict(result: "Equivalence") -> str:
    failed = [one for one in result.measured if not one.holds]
    words = ["error: the difference of the two sides where it is nearest to what is allowed, by rounding or, for draws, by "
             "chance; 0 where an inequality holds.",
             "halving: what a halving of the step divides the distance by, beside the power of two that is proved; exact where "
             "the identity holds at every step size."]
    lines = [wrapped(text, "  ") for text in words]
    if not failed:
        return "\n".join([*lines, "", f"All of {len(result.measured)} measurements hold."])
    lines += ["", f"{len(failed)} of {len(result.measured)} measurements do not hold:"]
    for one in failed:
        where = f"{one.number} {one.name}, {one.manifold}" + (f", {one.objective} objective" if one.objective else "")
        lines.append(wrapped(f"{where}: {one.statement} {one.because}", "    "))
    return "\n".join(lines)


def _rows(result: "Equivalence") -> list[tuple[Any, ...]]:
    rows = []
    for one in result.measured:
        ratios = one.ratios(result.steps)
        for i, seed in enumerate(result.seeds):
            for j in range(one.error.shape[1]):
                step = result.steps[j] if one.has_step else ""
                ratio = ratios[i, j - 1] if one.order and j else np.nan
                rows.append((one.number, one.name, one.manifold, one.objective, one.order or "exact", seed, step, one.error[i, j],
                             one.allowed[i, j], ratio if np.isfinite(ratio) else "", "yes" if one.holds else "no"))
    return rows


def csv_of_equivalence(result: "Equivalence", path: str | Path | None = None) -> str:
    """A row for each identity, manifold, objective, seed and step; a ratio is that to the step before."""
    return _out(as_csv(HEADER, _rows(result)), path)


def json_of_equivalence(result: "Equivalence", path: str | Path | None = None) -> str:
    """How it was set, and every measurement; null for what is not finite."""
    return _out(as_json(_plain(result)), path)


def _plain(result: "Equivalence") -> dict[str, Any]:
    measured = [{"number": one.number, "identity": one.name, "statement": one.statement, "manifold": one.manifold,
                 "objective": one.objective or None, "order": one.order or None, "error": one.error, "allowed": one.allowed,
                 "ratio": one.ratios(result.steps) if one.order else None, "holds": one.holds, "because": one.because or None}
                for one in result.measured]
    return {"steps": result.steps, "seeds": list(result.seeds), "points": result.points, "targets": result.targets,
            "measured": measured}


def _out(content: bytes, path: str | Path | None) -> str:
    if path is not None:
        write_whole({Path(path): content})
    return content.decode()


def write_equivalence(result: "Equivalence", folder: str | Path) -> None:
    """``equivalence.txt``, ``.csv``, ``.json`` and ``.png`` in a folder, made if need be: all or none."""
    write_files(folder, {
        "equivalence.txt": report_equivalence(result).encode(), "equivalence.csv": csv_of_equivalence(result).encode(),
        "equivalence.json": json_of_equivalence(result).encode(),
        "equivalence.png": in_memory(partial(figure_equivalence(result).savefig, dpi=120))})
