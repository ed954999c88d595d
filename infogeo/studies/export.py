"""What a study leaves on disk: tables as CSV, everything as JSON and as NPZ, three figures as PNG."""
import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays.files import write_whole
from ..solvers.result import Status
from .conditioning import Conditioning
from .figures import figure_flows, figure_sweep, figure_trajectories
from .methods import METHODS
from .problem import Problem
from .rates import FLOWS
from .spectrum import HESSIANS

__all__ = ["as_csv", "as_json", "flat", "in_memory", "load_npz", "tables", "write", "write_files"]


def flat(result: Any, prefix: str = "") -> dict[str, Any]:
    """Every array, number and text of a result by its dotted name, for instance ``spectrum.condition``."""
    out = {}
    if is_dataclass(result):
        pairs = [(f.name, getattr(result, f.name)) for f in fields(result)]
        pairs = [(name, value) for name, value in pairs if not isinstance(value, Problem)]      # functions, not data
    elif isinstance(result, dict):
        pairs = list(result.items())
    elif isinstance(result, tuple) and result and is_dataclass(result[0]):
        pairs = [(getattr(item, "method", None) or str(i), item) for i, item in enumerate(result)]
    else:
        return {prefix: result}
    for name, value in pairs:
        out.update(flat(value, f"{prefix}.{name}" if prefix else name))
    return out


def _plain(value: Any) -> Any:
    """For JSON: lists and numbers, with null for what is not finite and a pair of numbers for a complex one."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, complex):
        return [_plain(value.real), _plain(value.imag)]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def _plain_cell(item: Any) -> Any:
    return item.item() if isinstance(item, np.generic) else item


def load_npz(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays of a written study by dotted name, as `flat` gives them."""
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def tables(result: Conditioning) -> dict[str, tuple[tuple[str, ...], list[tuple[Any, ...]]]]:
    """The tables of the report as ``{name: (header, rows)}``."""
    s, d, w, z = result.spectrum, result.discrete, result.sweep, result.noise
    hessian = np.repeat(HESSIANS, s.eigenvalues.shape[1])
    measured = {name: flow for name, flow in zip(FLOWS, result.flows)}
    return {
        "spectrum": (("hessian", "eigenvalue"), list(zip(hessian, s.eigenvalues.ravel()))),
        "predictions": (("hessian", "condition", "rate", "optimal_step", "stable_step", "contraction"),
                        list(zip(HESSIANS, s.condition, s.rate, s.optimal_step, s.stable_step, s.contraction))),
        "rates": (("flow", "start", "predicted", "measured"),
                  [(name, i, s.rate[j], r) for name, j in zip(FLOWS, (0, 2, 1)) for i, r in enumerate(measured[name].rate)]),
        "iterations": (("method", "start", "step", "iterations", "status"),
                       [(name, i, d.step[m], k, Status(int(t)).name) for m, name in enumerate(d.methods)
                        for i, (k, t) in enumerate(zip(d.iterations[m], d.status[m]))]),
        "contraction": (("method", "step", "predicted", "measured"), list(zip(METHODS, d.step, d.predicted, d.contraction))),
        "sweep": (("method", "learning_rate", "worst_rise_time", "rise_time_of_nine_in_ten"),
                  [(name, *row) for m, name in enumerate(w.methods) for row in zip(w.h[m], w.worst[m], w.most[m])]),
        "noise": (("method", "fraction", "step", "predicted", "simulated", "standard_error", "runs_left"),
                  [(name, *row) for m, name in enumerate(z.methods)
                   for row in zip(z.fractions, z.h[m], z.predicted[m], z.simulated[m], z.error[m], z.left[m])]),
        "claims": (("claim", "holds", "statement", "because"),
                   [(c.name, {True: "yes", False: "no", None: "does not apply"}[c.holds], c.statement, c.because)
                    for c in result.claims]),
    }


def write(result: Conditioning, directory: str | Path) -> None:
    """Write the tables, ``result.json``, ``result.npz`` and the figures into a directory, which is made where it is missing.

    All of them are written, or none is. In JSON what is not finite is null, and a complex number is its real and its imaginary
    part; NPZ keeps both.
    """
    figures = {"flows": figure_flows, "sweep": figure_sweep, "trajectories": figure_trajectories}
    everything = flat(result)
    arrays: dict[str, Any] = {name: np.asarray("" if value is None else value) for name, value in everything.items()}
    write_files(directory, {
        **{f"{name}.csv": as_csv(header, rows) for name, (header, rows) in tables(result).items()},
        "result.json": as_json(everything),
        "result.npz": in_memory(lambda file: np.savez_compressed(file, **arrays)),
        **{f"{name}.png": in_memory(partial(draw(result).savefig, dpi=120)) for name, draw in figures.items()}})


def write_files(directory: str | Path, files: dict[str, bytes]) -> None:
    """Write files into a directory, which is made where it is missing: all of them, or none.

    Raises
    ------
    OSError
        Naming what could not be written; then the files that were there before are there as they were.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    write_whole({directory / name: content for name, content in files.items()})


def in_memory(save: Callable[[io.BytesIO], Any]) -> bytes:
    """What is written to a file."""
    file = io.BytesIO()
    save(file)
    return file.getvalue()


def as_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A table with a row of names."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows([_plain_cell(item) for item in row] for row in rows)
    return text.getvalue().encode()


def as_json(values: dict[str, Any]) -> bytes:
    """Values by name, as `write` puts them: null for what is not finite, a pair of numbers for a complex one."""
    return (json.dumps(_plain(values), indent=1, allow_nan=False, ensure_ascii=False) + "\n").encode()
