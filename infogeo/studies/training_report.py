"""A comparison of optimisers as text, as tables and as a figure."""
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..networks.files import as_file
from ..solvers.result import Status
from .canvas import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION, blank
from .export import as_csv, as_json, in_memory, write_files
from .tables import number, table
from .training import TrainingStudy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["figure_training", "report_training", "write_training"]

COLOURS = (VERMILION, BLUE, GREEN, ORANGE, PURPLE, SKY, "black")


def report_training(study: TrainingStudy) -> str:
    """The table of a `TrainingStudy`: the last loss, and when each optimiser passed what the slowest of them reached."""
    goal = max((run.loss[-1] for run in study.runs if np.isfinite(run.loss[-1])), default=np.nan)
    rows = []
    for run in study.runs:
        passed = np.flatnonzero(run.loss <= goal)
        at = (run.steps[passed[0]], number(run.seconds[passed[0]], 3)) if passed.size else ("never", "-")
        per_step = 1e3 * run.seconds[-1] / max(run.steps[-1], 1)
        rows.append((run.label, f"{run.h:g}", number(run.loss[-1]), run.steps[-1], number(run.seconds[-1], 3),
                     number(per_step, 3), *at))
    title = f"{study.task.name} on {study.data}: {study.task.model.network.size} weights, mini-batches of {study.batch_size}"
    notes = [f"{run.label}: {Status(int(run.status)).text}" for run in study.runs if int(run.status) != Status.MAX_STEPS]
    header = ("", "step size", "last loss", "steps", "seconds", "ms a step", f"step to {number(goal)}", "seconds to it")
    return table(title, header, rows, [f"Loss of all samples, nats. Seed {study.seed}.", *notes]) + "\n"


def figure_training(study: TrainingStudy) -> "Figure":
    """Loss against steps, and against seconds."""
    figure, panels = blank(9.0, 4.2, 2)
    for run, colour in zip(study.runs, COLOURS * len(study.runs)):
        shown = np.where(run.loss <= 1e6 * run.loss[0], run.loss, np.nan)      # a run that diverges leaves no room to others
        for axes, across in zip(panels, (run.steps, run.seconds)):
            axes.semilogy(across, shown, color=colour, lw=1.8, label=run.label)
    for axes, name in zip(panels, ("steps", "seconds")):
        axes.set(xlabel=name, xlim=(0, None))
        axes.grid(alpha=0.25, which="both")
    panels[0].set(ylabel="loss of all samples, nats")
    panels[0].legend(frameon=False)
    figure.suptitle(f"{study.task.name} on {study.data}")
    return figure


def write_training(study: TrainingStudy, directory: str | Path) -> None:
    """``training.csv``, ``training.json``, ``training.png`` and a model of each run in a directory, made if need be: all or none.

    ``kfac.npz`` has the model with the weights that K-FAC found, for `infogeo.networks.load`, and so of the others. In JSON what
    is not finite, as the loss of a run that diverged, is null.
    """
    rows = [(run.name, step, f"{seconds:.6g}", float(loss))
            for run in study.runs for step, seconds, loss in zip(run.steps, run.seconds, run.loss)]
    found = {"architecture": study.task.name, "data": study.data, "batch_size": study.batch_size, "seed": study.seed,
             "runs": {run.name: {"h": run.h, "steps": run.steps.tolist(), "seconds": run.seconds.tolist(),
                                 "loss": run.loss.tolist(), "status": Status(int(run.status)).name} for run in study.runs}}
    models = {f"{run.name}.npz": as_file(study.task.model, run.x) for run in study.runs}
    write_files(directory, {
        "training.csv": as_csv(("optimiser", "step", "seconds", "loss"), rows), "training.json": as_json(found),
        "training.png": in_memory(partial(figure_training(study).savefig, dpi=120)), **models})
