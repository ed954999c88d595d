"""A Bayesian regression on the table of a file: the posterior, how far the bound is from the evidence, and a figure."""
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..arrays.files import packed, unpacked
from ..inference.negative_elbo import NegativeELBO
from ..inference.reference import Reference
from ..solvers.descend import descend
from ..solvers.result import Result, Status
from .canvas import BLUE, ORANGE, blank
from .export import as_csv, as_json, in_memory, write_files
from .inputs import InputError
from .posterior_models import INFERENCE_MODELS, PosteriorModel
from .reading import read_table
from .tables import number, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["PosteriorStudy", "figure_posterior", "follow_posterior", "posterior_of_table",
           "report_posterior", "write_posterior"]

NORMAL_90 = 1.6448536269514722


@dataclass(frozen=True)
class PosteriorStudy:
    """The posterior of a regression.

    Attributes
    ----------
    source, target, name : str
        The last is that of the model on the command line.
    fitted : PosteriorModel
    prior_precision : float
    scale : array, shape (columns + 1,)
        Of the constant and the columns, which are centred and divided by their standard deviations.
    run : Result
        Of `descend` on the negative bound.
    bounds : array, shape (steps + 1,)
        At every step, those of the runs before it that this one goes on from among them.
    theta : array, shape (q.dim,)
    exact : Reference

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> x = np.arange(40.0)
    >>> with TemporaryDirectory() as folder:
    ...     path, table = f"{folder}/line.csv", np.stack([x, 2 * x + 1], -1)
    ...     np.savetxt(path, table, "%d", ",", header="x,y", comments="")
    ...     study = ig.studies.posterior_of_table(path, "y", "normal", 0.01, 10)
    >>> study.fitted.names, study.name
    (('1', 'x', 'precision'), 'normal')
    """

    source: str
    target: str
    name: str
    fitted: PosteriorModel
    prior_precision: float
    scale: np.ndarray
    run: Result
    bounds: np.ndarray
    theta: np.ndarray
    exact: Reference

    def rows(self) -> list[tuple[str, float, float, float, float]]:
        """(name, mean, standard deviation, exact mean, exact standard deviation) of every weight, and of a precision."""
        q = self.fitted.q
        mean, deviation = q.mean(self.theta), np.sqrt(q.variance(self.theta))
        return [(name, *map(float, row)) for name, *row in zip(  # type: ignore[misc]
            self.fitted.names, mean, deviation, self.exact.mean, self.exact.deviation)]


def posterior_of_table(path: str, target: str, model: str, prior_precision: float, max_steps: int,
                       before: dict[str, np.ndarray] | None = None) -> PosteriorStudy:
    """The posterior of the weights of all columns but the target, standardised, and of a constant.

    Parameters
    ----------
    path : str
        A table, .csv, .tsv or .txt, each also .gz.
    target : str
        The name of the column to predict.
    model : str
        A key of `INFERENCE_MODELS`.
    prior_precision : float
        Of every weight, positive.
    max_steps : int
    before : dict, optional
        ``posterior.npz`` of a run that this one goes on from, if it has the same weights.

    Raises
    ------
    InputError
        For what cannot be read, or is no data of the model.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> x = np.arange(40.0)
    >>> with TemporaryDirectory() as folder:
    ...     path, table = f"{folder}/line.csv", np.stack([x, 2 * x + 1], -1)
    ...     np.savetxt(path, table, "%d", ",", header="x,y", comments="")
    ...     study = ig.studies.posterior_of_table(path, "y", "normal", 0.01, 10)
    >>> q = study.fitted.q
    >>> q.parameters(study.theta)["mean_0"].round(1)          # standard units
    array([0., 1.])
    """
    if model not in INFERENCE_MODELS:
        raise InputError(f"--model {model}: it is one of {', '.join(INFERENCE_MODELS)}")
    found = read_table(path, (target,))
    names = tuple(name for name in found.names if name != target)
    if not names:
        raise InputError(f"{path}: line 1: no column beside {target!r}")
    x = found.columns(names).values
    scale = np.std(x, axis=0)
    if not np.all(scale > 0):
        raise InputError(f"{path}: column {names[int(np.argmin(scale))]!r} has one value only")
    X = np.concatenate([np.ones((len(x), 1)), (x - np.mean(x, axis=0)) / scale], axis=1)
    found.texts(target)             # whose column is told before what is in it
    try:
        fitted = INFERENCE_MODELS[model](found, target, X, ("1", *names), prior_precision)
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"{path}: column {target!r}: {error}") from None
    q, start, earlier = fitted.q, fitted.start, np.empty(0)
    if before is not None and _same(before, fitted, model, prior_precision):
        start, earlier = before["theta"], before["bounds"][:-1]
    run = descend(NegativeELBO(q, fitted.model), q.to_eta(start), geometry=q.dual, update=fitted.update, step=fitted.step,
                  max_steps=max_steps, tol=1e-6)
    theta = q.to_theta(run.x)
    return PosteriorStudy(path, target, model, fitted, prior_precision, np.concatenate([[1.0], scale]), run,
                          np.concatenate([earlier, -run.values]), theta, fitted.exact(theta))


def _same(before: dict[str, np.ndarray], fitted: PosteriorModel, model: str, prior_precision: float) -> bool:
    """Whether a run was one of the same posterior."""
    return (tuple(map(str, before["names"])) == fitted.names and str(before["model"]) == model
            and float(before["prior_precision"]) == prior_precision)


def report_posterior(study: PosteriorStudy) -> str:
    """The table of the weights, the bound and the evidence, nats.

    Parameters
    ----------
    study : PosteriorStudy

    Returns
    -------
    str
        Lines of at most 80 characters.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> x = np.arange(40.0)
    >>> with TemporaryDirectory() as folder:
    ...     path, table = f"{folder}/line.csv", np.stack([x, 2 * x + 1], -1)
    ...     np.savetxt(path, table, "%d", ",", header="x,y", comments="")
    ...     study = ig.studies.posterior_of_table(path, "y", "normal", 0.01, 10)
    >>> ig.studies.report_posterior(study).splitlines()[0]
    'Normal regression of y, its variance unknown'
    """
    rows = [(name, *(number(value, 4) for value in row)) for name, *row in study.rows()]
    exact, status = study.exact, Status(int(study.run.status)).name
    error = f" ± {exact.error:.4f}" if exact.error > 0 else ""
    notes = [f"Bound on the log evidence {-study.run.values[-1]:.4f} nats after {len(study.bounds) - 1} natural steps, {status}.",
             f"Log evidence {exact.log_evidence:.4f}{error} {study.fitted.how(exact)}: the exact columns are theirs.",
             "Columns are centred and divided by their standard deviations.", *study.fitted.notes]
    return table(study.fitted.title, ("weight", "mean", "deviation", "exact mean", "exact deviation"), rows, notes) + "\n"


def figure_posterior(study: PosteriorStudy) -> "Figure":
    """The bound from step to step, and the weights with nine tenths of their posteriors.

    Parameters
    ----------
    study : PosteriorStudy

    Raises
    ------
    ImportError
        Where Matplotlib is not installed.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> x = np.arange(40.0)
    >>> with TemporaryDirectory() as folder:
    ...     path, table = f"{folder}/line.csv", np.stack([x, 2 * x + 1], -1)
    ...     np.savetxt(path, table, "%d", ",", header="x,y", comments="")
    ...     study = ig.studies.posterior_of_table(path, "y", "normal", 0.01, 10)
    >>> len(ig.studies.figure_posterior(study).axes)
    2
    """
    rows = study.rows()[:study.fitted.weights]
    figure, axes = blank(9.0, 1.8 + 0.28 * max(6, len(rows)), 2)
    gap = float(study.exact.log_evidence) - study.bounds
    axes[0].semilogy(np.maximum(gap, float(study.exact.error)), color=BLUE, marker=".")
    axes[0].set(xlabel="step", ylabel="log evidence less the bound: KL(q‖posterior) [nats]")
    names, *columns = zip(*rows)
    places = np.arange(len(names))
    for shift, colour, label, (mean, deviation) in ((-0.15, BLUE, "normal posterior", columns[:2]),
                                                    (0.15, ORANGE, "exact", columns[2:])):
        axes[1].errorbar(mean, places + shift, xerr=NORMAL_90 * np.asarray(deviation), fmt="o", ms=3, color=colour, label=label)
    axes[1].axvline(0.0, color="0.8", zorder=0)
    axes[1].set_yticks(places, names)
    axes[1].set(xlabel="weight, 90 % of its posterior")
    axes[1].invert_yaxis()
    axes[1].legend(frameon=False, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2)
    return figure


def write_posterior(study: PosteriorStudy, folder: str | Path) -> None:
    """``posterior.csv``, ``.json``, ``.npz`` (θ, which a run goes on from) and ``.png``: all or none.

    Parameters
    ----------
    study : PosteriorStudy
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
    >>> x = np.arange(40.0)
    >>> with TemporaryDirectory() as folder:
    ...     path, table = f"{folder}/line.csv", np.stack([x, 2 * x + 1], -1)
    ...     np.savetxt(path, table, "%d", ",", header="x,y", comments="")
    ...     study = ig.studies.posterior_of_table(path, "y", "normal", 0.01, 10)
    ...     ig.studies.write_posterior(study, folder)
    ...     written = sorted(p.name for p in Path(folder).glob("posterior.*"))
    >>> written
    ['posterior.csv', 'posterior.json', 'posterior.npz', 'posterior.png']
    """
    header = ("weight", "mean", "deviation", "exact_mean", "exact_deviation")
    write_files(folder, {
        "posterior.csv": as_csv(header, study.rows()),
        "posterior.json": as_json({"source": study.source, "target": study.target, "model": study.name,
                                   "prior_precision": study.prior_precision, "bound": float(-study.run.values[-1]),
                                   "log_evidence": float(study.exact.log_evidence),
                                   "error": float(study.exact.error), "steps": len(study.bounds) - 1}),
        "posterior.npz": packed({"theta": study.theta, "bounds": study.bounds, "scale": study.scale,
                                 "names": np.asarray(study.fitted.names), "model": np.asarray(study.name),
                                 "prior_precision": np.asarray(study.prior_precision)}),
        "posterior.png": in_memory(partial(figure_posterior(study).savefig, dpi=120))})


def follow_posterior(path: str, target: str, model: str, folder: str | None, say: Callable[[str], None], *,
                     prior_precision: float = 1.0, max_steps: int = 100) -> None:
    """Find the posterior, from the one in the folder where there is one, say the table, write the files.

    Parameters
    ----------
    path, target, model, prior_precision, max_steps
        As of `posterior_of_table`.
    folder : str or None
        As of `write_posterior`; None for the text alone.
    say : callable (str) -> None
        Told every part of the text: `print`, for instance.

    Raises
    ------
    InputError
        For what cannot be read, or is no data of the model.
    OSError
        Where the folder cannot be made or written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> said = []
    >>> x = np.arange(40.0)
    >>> with TemporaryDirectory() as folder:
    ...     path, table = f"{folder}/line.csv", np.stack([x, 2 * x + 1], -1)
    ...     np.savetxt(path, table, "%d", ",", header="x,y", comments="")
    ...     ig.studies.follow_posterior(path, "y", "normal", None, said.append,
    ...                                 max_steps=10)
    >>> len(said)
    1
    """
    before = None if folder is None else _found(Path(folder))
    study = posterior_of_table(path, target, model, prior_precision, max_steps, before)
    say(report_posterior(study))
    if folder is not None:
        write_posterior(study, folder)


def _found(folder: Path) -> dict[str, np.ndarray] | None:
    """What a run left in a folder."""
    path = folder / "posterior.npz"
    if not path.exists():
        return None
    try:
        found = unpacked(path.read_bytes())
        return {name: found[name] for name in ("theta", "names", "bounds", "model", "prior_precision")}
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path}: no posterior of this command: {error}") from None
