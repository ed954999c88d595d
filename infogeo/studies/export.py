"""What a study leaves on disk: tables as CSV, everything as JSON and as NPZ, three figures as PNG."""
import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, get_type_hints

import numpy as np

from ..arrays.files import write_whole
from ..backend import Array, to_numpy
from ..solvers.result import Status
from .conditioning import PARTS, Conditioning, ConditioningRun
from .discrete import Discrete
from .figures import figure_flows, figure_sweep, figure_trajectories
from .noise import NoiseFloor
from .problem import Problem
from .rates import Flow
from .side_by_side import InChart
from .spectrum import HESSIANS, Spectrum
from .unfinished import Unfinished, flat

__all__ = ["as_csv", "as_json", "in_memory", "load_npz", "tables", "tables_of", "unfinished_conditioning", "write", "write_files",
           "write_targets"]


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
    """The arrays of a written study by dotted name, as `flat` gives them.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/result.npz",
    ...              **{"spectrum.rate": [0.32, 12.5, 2.0]})
    ...     found = ig.studies.load_npz(f"{folder}/result.npz")
    >>> found["spectrum.rate"]
    array([ 0.32, 12.5 ,  2.  ])
    """
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


Rows: TypeAlias = tuple[tuple[str, ...], list[tuple[Any, ...]]]


def tables(result: Conditioning) -> dict[str, Rows]:
    """The tables of the report as ``{name: (header, rows)}``."""
    found = {name: getattr(result, name) for name in PARTS}
    return {title: rows for name in PARTS for title, rows in _tables_of(name, found).items()}


def tables_of(name: str, found: Mapping[str, Any]) -> dict[str, bytes]:
    """The tables of one part as CSV files by name; made from it and from those before it."""
    return {f"{title}.csv": as_csv(header, rows) for title, (header, rows) in _tables_of(name, found).items()}


def _tables_of(name: str, found: Mapping[str, Any]) -> dict[str, Rows]:
    part = found[name]
    match name:
        case "spectrum":
            return _spectrum(part)
        case "flows":
            return {"rates": _rates(found["spectrum"], part)}
        case "charts":
            return {"charts": _charts(part)}
        case "discrete":
            return _discrete(part)
        case "sweep":
            return {"sweep": (("method", "learning_rate", "worst_rise_time", "rise_time_of_nine_in_ten"),
                              [(method, *row) for m, method in enumerate(part.methods)
                               for row in zip(part.h[m], part.worst[m], part.most[m])])}
        case "noise":
            return {"noise": _noise(part)}
    return {"claims": (("claim", "holds", "statement", "because"),
                       [(c.name, {True: "yes", False: "no", None: "does not apply"}[c.holds], c.statement, c.because)
                        for c in part])}


def _spectrum(s: Spectrum) -> dict[str, Rows]:
    hessian = np.repeat(HESSIANS, s.eigenvalues.shape[1])
    return {"spectrum": (("hessian", "eigenvalue"), list(zip(hessian, s.eigenvalues.ravel()))),
            "predictions": (("hessian", "condition", "rate", "optimal_step", "stable_step", "contraction"),
                            list(zip(HESSIANS, s.condition, s.rate, s.optimal_step, s.stable_step, s.contraction)))}


def _rates(s: Spectrum, flows: tuple[Flow, ...]) -> Rows:
    return (("flow", "start", "predicted", "measured", "whole_trajectory"),
            [(flow.method, i, s.rate[j], *rates) for flow, j in zip(flows, (0, 2, 1))
             for i, rates in enumerate(zip(flow.rate, flow.early_rate))])


def _charts(charts: tuple[InChart, ...]) -> Rows:
    return (("chart", "start", "condition", "rate", "measured", "step", "iterations", "status"),
            [(c.method, i, c.condition, c.rate, c.flow.rate[i] if i < c.flow.rate.size else np.nan, c.step, k,
              Status(int(t)).name) for c in charts for i, (k, t) in enumerate(zip(c.iterations, c.status))])


def _discrete(d: Discrete) -> dict[str, Rows]:
    return {"iterations": (("method", "start", "step", "iterations", "status"),
                           [(name, i, d.step[m], k, Status(int(t)).name) for m, name in enumerate(d.methods)
                            for i, (k, t) in enumerate(zip(d.iterations[m], d.status[m]))]),
            "contraction": (("method", "step", "predicted", "measured"),
                            list(zip(d.methods, d.step, d.predicted, d.contraction)))}


def _noise(z: NoiseFloor) -> Rows:
    return (("method", "fraction", "step", "predicted", "simulated", "standard_error", "runs_left"),
            [(name, *row) for m, name in enumerate(z.methods)
             for row in zip(z.fractions, z.h[m], z.predicted[m], z.simulated[m], z.error[m], z.left[m])])


def unfinished_conditioning(run: ConditioningRun, folder: str | Path) -> Unfinished:
    """What runs of the same study have finished in a folder, which is made where it is missing."""
    kinds = {name: kind for name, kind in get_type_hints(Conditioning).items() if name in PARTS and name != "claims"}
    return Unfinished(folder, run.words, kinds)


def write(result: Conditioning, folder: str | Path) -> None:
    """Write the tables, ``result.json``, ``result.npz`` and the figures into a folder.

    All of them are written, or none is. In JSON what is not finite is null, and a complex number is its real and its imaginary
    part; NPZ keeps both.

    Parameters
    ----------
    result : Conditioning
    folder : str or Path
        Made where it is missing.

    Raises
    ------
    ImportError
        Where Matplotlib is not installed.
    OSError
        Where the folder cannot be made or written.

    Examples
    --------
    >>> M = ig.Bernoulli()
    >>> problem = ig.studies.ForwardProblem(M, M.theta_from(probability=0.2))
    >>> few = ig.studies.Effort(flown=1, tolerance=1e-6, records=(5, 5),
    ...                         longest=50, noisy_runs=2, averaged=2,
    ...                         noisy_steps=50, pooled=1000)
    >>> study = ig.studies.conditioning(problem, starts=1, steps=3, effort=few)
    >>> ig.studies.write(study, "bernoulli")        # doctest: +SKIP
    >>> arrays = ig.studies.load_npz("bernoulli/result.npz")  # doctest: +SKIP
    """
    figures = {"flows": figure_flows, "sweep": figure_sweep, "trajectories": figure_trajectories}
    everything = flat(result, without=(Problem,))       # functions, not data
    arrays: dict[str, Any] = {name: np.asarray("" if value is None else value) for name, value in everything.items()}
    write_files(folder, {
        **{f"{name}.csv": as_csv(header, rows) for name, (header, rows) in tables(result).items()},
        "result.json": as_json(everything),
        "result.npz": in_memory(lambda file: np.savez_compressed(file, **arrays)),
        **{f"{name}.png": in_memory(partial(draw(result).savefig, dpi=120)) for name, draw in figures.items()}})


def write_files(folder: str | Path, files: dict[str, bytes]) -> None:
    """Write files into a folder, which is made where it is missing: all of them, or none.

    Raises
    ------
    OSError
        Naming what could not be written; then the files that were there before are there as they were.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole({folder / name: content for name, content in files.items()})


def write_targets(folder: str | Path, theta: Array, found: dict[str, Any]) -> None:
    """A row for each target, as targets.csv, and with the points θ as targets.npz."""
    arrays: dict[str, Any] = {"theta": to_numpy(theta), **found}
    rows = zip(range(len(theta)), *found.values())
    write_files(folder, {"targets.csv": as_csv(("target", *found), rows),
                         "targets.npz": in_memory(lambda file: np.savez(file, **arrays))})


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
