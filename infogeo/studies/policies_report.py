"""A comparison of policy gradient methods as text, tables and a figure with bands over seeds."""
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .canvas import BLUE, GREEN, ORANGE, VERMILION, blank
from .export import as_csv, as_json, in_memory, write_files
from .policies import POLICY_METHODS, PolicyStudy
from .tables import number, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["figure_policies", "report_policies", "write_policies"]

COLOURS = (VERMILION, BLUE, GREEN, ORANGE)


def _over_seeds(study: PolicyStudy, method: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(steps, mean, standard error) over the seeds; NaN where no episode ended in any."""
    runs = study.of(method)
    returns = np.stack([run.returns for run in runs])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")         # of steps in which no episode ended
        mean = np.nanmean(returns, axis=0)
        deviation = np.nanstd(returns, axis=0, ddof=1) if len(runs) > 1 else np.full_like(mean, np.nan)
    return runs[0].steps, mean, deviation / len(runs) ** 0.5


def report_policies(study: PolicyStudy) -> str:
    """The table of a `PolicyStudy`: mean returns at four places, with standard errors over the seeds, and seconds.

    Parameters
    ----------
    study : PolicyStudy

    Returns
    -------
    str
        Lines of at most 80 characters.

    Examples
    --------
    >>> steps, returns = np.array([64, 128]), np.array([20.0, 30.0])
    >>> run = ig.studies.PolicyRun("trpo", 0, steps, returns, returns,
    ...                            seconds=1.0, w=np.zeros(3))
    >>> study = ig.studies.PolicyStudy("CartPole-v1", ("trpo",), (run,))
    >>> ig.studies.report_policies(study).splitlines()[0]
    'Mean return of the episodes of CartPole-v1, 1 seed'
    """
    steps = _over_seeds(study, study.methods[0])[0]
    places = sorted({int(i) for i in np.linspace(0, len(steps) - 1, 5)[1:]})
    rows: list[tuple[Any, ...]] = []
    for method in study.methods:
        _, mean, error = _over_seeds(study, method)
        said = [number(mean[i], 4) + ("" if np.isnan(error[i]) else f" ± {number(error[i], 2)}") for i in places]
        rows.append((method, *said, number(float(np.mean([run.seconds for run in study.of(method)])), 3)))
    header = ("", *(f"{steps[i]} steps" for i in places), "CPU s")
    seeds = len(study.of(study.methods[0]))
    notes = [f"{method}: {POLICY_METHODS[method].label}." for method in study.methods]
    title = f"Mean return of the episodes of {study.environment}, {seeds} seed{'s' if seeds > 1 else ''}"
    return table(title, header, rows, notes) + "\n"


def figure_policies(study: PolicyStudy, ax: Any = None) -> "Figure":
    """Mean return against steps in the environment, with a band of one standard error over the seeds.

    Parameters
    ----------
    study : PolicyStudy
    ax : matplotlib.axes.Axes, optional
        Drawn into; a figure of its own unless given.

    Raises
    ------
    ImportError
        Where Matplotlib is not installed.

    Examples
    --------
    >>> steps, returns = np.array([64, 128]), np.array([20.0, 30.0])
    >>> run = ig.studies.PolicyRun("trpo", 0, steps, returns, returns,
    ...                            seconds=1.0, w=np.zeros(3))
    >>> study = ig.studies.PolicyStudy("CartPole-v1", ("trpo",), (run,))
    >>> ig.studies.figure_policies(study).axes[0].get_xlabel()
    'steps in the environment'
    """
    figure, axes = blank(6.4, 4.2) if ax is None else (ax.figure, ax)
    for method, colour in zip(study.methods, COLOURS * len(study.methods)):
        steps, mean, error = _over_seeds(study, method)
        axes.plot(steps, mean, color=colour, lw=1.8, label=method)
        axes.fill_between(steps, mean - error, mean + error, color=colour, alpha=0.2, lw=0)
    axes.set(xlabel="steps in the environment", ylabel="mean return", xlim=(0, None), title=study.environment)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
    return figure


def write_policies(study: PolicyStudy, folder: str | Path) -> None:
    """``policy.csv``, ``policy.json``, ``policies.npz`` (weights), ``policy.png`` in a folder: all or none.

    Parameters
    ----------
    study : PolicyStudy
    folder : str or Path
        Made where it is missing.

    Raises
    ------
    OSError
        Where the folder cannot be made or written.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> steps, returns = np.array([64, 128]), np.array([20.0, 30.0])
    >>> run = ig.studies.PolicyRun("trpo", 0, steps, returns, returns,
    ...                            seconds=1.0, w=np.zeros(3))
    >>> study = ig.studies.PolicyStudy("CartPole-v1", ("trpo",), (run,))
    >>> with TemporaryDirectory() as folder:
    ...     ig.studies.write_policies(study, folder)
    ...     written = sorted(p.name for p in Path(folder).iterdir())
    >>> written
    ['policies.npz', 'policy.csv', 'policy.json', 'policy.png']
    """
    rows = [(run.name, run.seed, int(step), float(value), float(length)) for run in study.runs
            for step, value, length in zip(run.steps, run.returns, run.lengths)]
    found = {"environment": study.environment, "runs": [
        {"method": run.name, "seed": run.seed, "steps": run.steps.tolist(), "returns": run.returns.tolist(),
         "lengths": run.lengths.tolist(), "seconds": run.seconds} for run in study.runs]}
    weights: dict[str, Any] = {f"{run.name}-{run.seed}": run.w for run in study.runs}
    write_files(folder, {
        "policy.csv": as_csv(("method", "seed", "step", "return", "length"), rows), "policy.json": as_json(found),
        "policies.npz": in_memory(lambda file: np.savez(file, **weights)),
        "policy.png": in_memory(partial(figure_policies(study).savefig, dpi=120))})
