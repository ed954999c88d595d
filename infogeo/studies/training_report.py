"""A comparison of optimisers as text, as tables and as a figure."""
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..networks.files import as_file
from ..solvers.result import Status
from ..training.units import Units
from .canvas import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION, blank, plain_numbers
from .export import as_csv, as_json, in_memory, write_files
from .tables import number, table
from .training import TrainingStudy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["figure_training", "report_training", "write_training"]

COLOURS = (VERMILION, BLUE, GREEN, ORANGE, PURPLE, SKY, "black")
LINE = 0.055        # the height of a name beside the axes, as a share of theirs


def goal_of(study: TrainingStudy) -> float:
    """The loss that the slowest of the runs reached, nats; NaN where none has a finite one."""
    return float(max((run.loss[-1] for run in study.runs if np.isfinite(run.loss[-1])), default=np.nan))


def report_training(study: TrainingStudy) -> str:
    """The tables of a `TrainingStudy`: the last losses, and when each optimiser passed what the slowest of them reached.

    Parameters
    ----------
    study : TrainingStudy

    Returns
    -------
    str
        Losses in nats.

    Examples
    --------
    >>> x, y = np.random.default_rng(0).uniform(size=(20, 2)), np.arange(20) % 2
    >>> task = ig.studies.task("2-3-2", ig.studies.Dataset("noise", x, y))
    >>> study = ig.studies.train(task, "noise", ["kfac"], steps=3)
    >>> ig.studies.report_training(study).splitlines()[0]
    '2-3-2 on noise: 17 weights, all 20 rows at every step'
    """
    goal, task = goal_of(study), study.task
    rows, held = [], []
    for run in study.runs:
        passed = np.flatnonzero(run.loss <= goal)
        at = (run.steps[passed[0]], number(run.seconds[passed[0]], 3)) if passed.size else ("never", "-")
        per_step = 1e3 * run.seconds[-1] / max(run.steps[-1], 1)
        rows.append((run.label, "searched" if np.isnan(run.h) else f"{run.h:g}", number(run.loss[-1]), run.steps[-1],
                     number(run.seconds[-1], 3), number(per_step, 3), *at))
        held.append((run.label, number(run.held_out[-1]), *([f"{100 * run.accuracy:.1f} %"] if task.labels else [])))
    whole = study.batch_size == task.samples
    seen = f"all {task.samples} rows at every step" if whole else f"mini-batches of {study.batch_size} of {task.samples} rows"
    notes = [f"{run.label}: {Status(int(run.status)).text}" for run in study.runs if int(run.status) != Status.MAX_STEPS]
    header = ("", "step size", "last loss", "steps", "seconds", "ms a step", f"step to {number(goal)}", "seconds to it")
    text = table(f"{task.name} on {study.data}: {task.model.network.size} weights, {seen}", header, rows,
                 [f"Loss of the rows that are trained on, nats. Seed {study.seed}.", *notes]) + "\n"
    if task.held_out is None:
        return text
    n = int(task.held_out.statistic.shape[-2])
    shown = [*task.labels[:10], *(["…"] if len(task.labels) > 10 else [])]
    names = [f"{len(task.labels)} classes: {', '.join(shown)}."] if task.labels else []
    return text + "\n" + table(f"{n} rows held out", ("", "log score, nats", *(["accuracy"] if task.labels else [])), held,
                               ["The log score is the mean of -log p(y): smaller is better.", *names]) + "\n"


def figure_training(study: TrainingStudy) -> "Figure":
    """Loss against steps, and against seconds; each curve has its name at its end, and a mark where it passes the goal.

    Parameters
    ----------
    study : TrainingStudy

    Raises
    ------
    ImportError
        Where Matplotlib is not installed.

    Examples
    --------
    >>> x, y = np.random.default_rng(0).uniform(size=(20, 2)), np.arange(20) % 2
    >>> task = ig.studies.task("2-3-2", ig.studies.Dataset("noise", x, y))
    >>> study = ig.studies.train(task, "noise", ["kfac"], steps=3)
    >>> [ax.get_xlabel() for ax in ig.studies.figure_training(study).axes]
    ['steps', 'seconds']
    """
    figure, panels = blank(10.0, 4.4, 2)
    goal = goal_of(study)
    lowest = min(float(np.min(run.loss)) for run in study.runs)
    for axes, name in zip(panels, ("steps", "seconds")):
        ends = []
        for run, colour in zip(study.runs, COLOURS * len(study.runs)):
            across = getattr(run, name)
            shown = np.where(run.loss <= 1e6 * abs(run.loss[0]), run.loss, np.nan)     # one that diverges leaves others no room
            axes.plot(across, shown, color=colour, lw=1.8)
            passed, seen = np.flatnonzero(run.loss <= goal), np.flatnonzero(np.isfinite(shown))
            if passed.size:
                axes.plot(across[passed[0]], run.loss[passed[0]], "o", color=colour, ms=5)
            if seen.size:
                ends.append((across[seen[-1]], shown[seen[-1]], run.label, colour))
        if lowest > 0:
            axes.set_yscale("log")
            plain_numbers(axes.yaxis)
        if np.isfinite(goal):
            axes.axhline(goal, color="grey", lw=0.9, ls="--", label=f"goal {number(goal, 4)}")
            axes.legend(loc="upper right", frameon=False, fontsize=8)
        axes.set(xlabel=name, xlim=(0, None))
        axes.locator_params(axis="x", nbins=6)
        axes.margins(y=0.06)
        axes.grid(alpha=0.25, which="both")
        _name_ends(axes, ends)
    panels[0].set(ylabel="loss of the training rows, nats")
    figure.suptitle(f"{study.task.name} on {study.data}")
    return figure


def _name_ends(axes: Any, ends: list[tuple[float, float, str, str]]) -> None:
    """Names beside the ends of curves, on the right of the axes where two of them would meet: apart, in the order of the ends."""
    axes.autoscale_view()
    to_axes = axes.transData + axes.transAxes.inverted()
    ends = sorted(ends, key=lambda end: end[1])
    heights = [float(to_axes.transform((x, y))[1]) for x, y, *_ in ends]
    places: list[float] = []
    for height in heights:
        places.append(max(height, places[-1] + LINE if places else 0.0))
    if places and places[-1] > 1.0:
        places = [min(place, 1.0 - LINE * (len(places) - 1 - i)) for i, place in enumerate(places)]
    for (x, y, label, colour), place in zip(ends, places):
        line = {"arrowstyle": "-", "color": colour, "lw": 0.6, "alpha": 0.6}
        axes.annotate(label, (x, y), xytext=(1.015, place), textcoords="axes fraction", color=colour, fontsize=8, va="center",
                      arrowprops=line, annotation_clip=False)


def _units(units: Units | None) -> dict[str, Any] | None:
    return None if units is None else {"centre": units.centre.tolist(), "scale": units.scale.tolist()}


def write_training(study: TrainingStudy, folder: str | Path) -> None:
    """``training.csv``, ``training.json``, ``training.png`` and a model of each run in a folder: all or none.

    ``kfac.npz`` has the model with the weights that K-FAC found, for `infogeo.networks.load`, and so of the others; the units in
    which it sees inputs and targets, where these were standardised, are in the JSON file. There what is not finite, as the loss
    of a run that diverged, is null.

    Parameters
    ----------
    study : TrainingStudy
    folder : str or Path
        Made where it is missing.

    Raises
    ------
    OSError
        Where the folder cannot be made or written.

    Examples
    --------
    >>> x, y = np.random.default_rng(0).uniform(size=(20, 2)), np.arange(20) % 2
    >>> task = ig.studies.task("2-3-2", ig.studies.Dataset("noise", x, y))
    >>> study = ig.studies.train(task, "noise", ["kfac"], steps=3)
    >>> ig.studies.write_training(study, "noise")   # doctest: +SKIP
    >>> model, w = ig.networks.load("noise/kfac.npz")     # doctest: +SKIP
    """
    rows = [(run.name, step, f"{seconds:.6g}", float(loss), float(held_out)) for run in study.runs
            for step, seconds, loss, held_out in zip(run.steps, run.seconds, run.loss, run.held_out)]
    task = study.task
    found = {"architecture": task.name, "data": study.data, "batch_size": study.batch_size, "seed": study.seed,
             "labels": list(task.labels), "x_units": _units(task.x_units), "y_units": _units(task.y_units),
             "runs": {run.name: {"h": run.h, "steps": run.steps.tolist(), "seconds": run.seconds.tolist(),
                                 "loss": run.loss.tolist(), "held_out": run.held_out.tolist(), "accuracy": run.accuracy,
                                 "status": Status(int(run.status)).name} for run in study.runs}}
    models = {f"{run.name}.npz": as_file(study.task.model, run.x) for run in study.runs}
    write_files(folder, {
        "training.csv": as_csv(("optimiser", "step", "seconds", "loss", "held_out"), rows), "training.json": as_json(found),
        "training.png": in_memory(partial(figure_training(study).savefig, dpi=120)), **models})
