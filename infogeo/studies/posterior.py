"""A Bayesian regression on the table of a file: the posterior, how far the bound is from the evidence, and a figure."""
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..arrays.files import packed, unpacked
from ..families.multivariate_normal import MultivariateNormal
from ..inference.expectations import MonteCarloExpectation
from ..inference.negative_elbo import NegativeELBO
from ..inference.reference import Reference, reference
from ..inference.regression import LogisticRegression, PoissonRegression, Regression
from ..solvers.descend import descend
from ..solvers.result import Result, Status
from ..solvers.step import Backtracking
from ..solvers.update import MirrorUpdate
from .canvas import BLUE, ORANGE, blank
from .export import as_csv, as_json, in_memory, write_files
from .naming import InputError
from .reading import read_table
from .tables import number, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["INFERENCE_MODELS", "PosteriorStudy", "figure_posterior", "follow_posterior", "posterior_of_table",
           "report_posterior", "write_posterior"]

INFERENCE_MODELS: dict[str, Callable[[np.ndarray, np.ndarray, float], Regression]] = {
    "logistic": LogisticRegression, "poisson": PoissonRegression}
DRAWS = 20_000          # for the evidence
NORMAL_90 = 1.6448536269514722


@dataclass(frozen=True)
class PosteriorStudy:
    """The posterior of the weights of a regression.

    Attributes
    ----------
    source, target, model : str
    names : tuple of str
        Of the weights; the first is that of the constant.
    scale : array, shape (weights,)
        Of the columns, which are centred and divided by their standard deviations.
    run : Result
        Of `descend` on the negative bound.
    bounds : array, shape (steps + 1,)
        At every step, those of the runs before it that this one goes on from among them.
    q : MultivariateNormal
    theta : array, shape (q.dim,)
    exact : Reference
        By the weights of draws.
    """

    source: str
    target: str
    model: str
    names: tuple[str, ...]
    scale: np.ndarray
    run: Result
    bounds: np.ndarray
    q: MultivariateNormal
    theta: np.ndarray
    exact: Reference

    def rows(self) -> list[tuple[str, float, float, float, float]]:
        """(name, mean, standard deviation, exact mean, exact standard deviation) of every weight."""
        mean, deviation = self.q.mean(self.theta), np.sqrt(self.q.variance(self.theta))
        return [(name, *map(float, row)) for name, *row in zip(  # type: ignore[misc]
            self.names, mean, deviation, self.exact.mean, self.exact.deviation)]


def posterior_of_table(path: str, target: str, model: str, prior_precision: float, max_steps: int,
                       before: dict[str, np.ndarray] | None = None) -> PosteriorStudy:
    """The posterior of the weights of all columns but the target, standardised, and of a constant.

    Parameters
    ----------
    before : dict, optional
        ``posterior.npz`` of a run that this one goes on from, if it has the same weights.

    Raises
    ------
    InputError
        For what cannot be read, or is no data of the model.
    """
    if model not in INFERENCE_MODELS:
        raise InputError(f"--model {model}: it is one of {', '.join(INFERENCE_MODELS)}")
    found = read_table(path, (target,))
    names = tuple(name for name in found.names if name != target)
    if not names:
        raise InputError(f"{path}: line 1: no column beside {target!r}")
    x, y = found.columns(names).values, found.columns([target]).values[:, 0]
    scale = np.std(x, axis=0)
    if not np.all(scale > 0):
        raise InputError(f"{path}: column {names[int(np.argmin(scale))]!r} has one value only")
    X = np.concatenate([np.ones((len(x), 1)), (x - np.mean(x, axis=0)) / scale], axis=1)
    try:
        regression = INFERENCE_MODELS[model](X, y, prior_precision)
    except ValueError as error:
        raise InputError(f"{path}: column {target!r}: {error}") from None
    q = MultivariateNormal(X.shape[1])
    start, earlier = q.theta_from(mean=np.zeros(q.p), covariance=np.eye(q.p) / max(1.0, prior_precision)), np.empty(0)
    if before is not None and tuple(map(str, before["names"])) == ("1", *names):
        start, earlier = before["theta"], before["bounds"][:-1]
    run = descend(NegativeELBO(q, regression), q.to_eta(start), geometry=q.dual, update=MirrorUpdate(), step=Backtracking(),
                  max_steps=max_steps, tol=1e-6)
    theta = q.to_theta(run.x)
    exact = reference(q, theta, regression, MonteCarloExpectation(DRAWS))
    return PosteriorStudy(path, target, model, ("1", *names), np.concatenate([[1.0], scale]), run,
                          np.concatenate([earlier, -run.values]), q, theta, exact)


def report_posterior(study: PosteriorStudy) -> str:
    """The table of the weights, the bound and the evidence."""
    rows = [(name, *(number(value, 4) for value in row)) for name, *row in study.rows()]
    exact, status = study.exact, Status(int(study.run.status)).name
    notes = [f"Bound on the log evidence {-study.run.values[-1]:.4f} nats after {len(study.bounds) - 1} natural steps, {status}.",
             f"Log evidence {exact.log_evidence:.4f} ± {exact.error:.4f} by the weights of {DRAWS} draws, of which "
             f"{exact.effective:.0%} count: the exact columns are theirs.",
             "Columns are centred and divided by their standard deviations."]
    title = f"{study.model.capitalize()} regression of {study.target}"
    return table(title, ("weight", "mean", "deviation", "exact mean", "exact deviation"), rows, notes) + "\n"


def figure_posterior(study: PosteriorStudy) -> "Figure":
    """The bound from step to step, and the weights with nine tenths of their posteriors."""
    figure, axes = blank(9.0, 1.8 + 0.28 * max(6, len(study.names)), 2)
    gap = float(study.exact.log_evidence) - study.bounds
    axes[0].semilogy(np.maximum(gap, float(study.exact.error)), color=BLUE, marker=".")
    axes[0].set(xlabel="step", ylabel="log evidence less the bound: KL(q‖posterior) [nats]")
    names, *columns = zip(*study.rows())
    places = np.arange(len(names))
    for shift, colour, label, (mean, deviation) in ((-0.15, BLUE, "normal posterior", columns[:2]),
                                                    (0.15, ORANGE, "exact, by draws", columns[2:])):
        axes[1].errorbar(mean, places + shift, xerr=NORMAL_90 * np.asarray(deviation), fmt="o", ms=3, color=colour, label=label)
    axes[1].axvline(0.0, color="0.8", zorder=0)
    axes[1].set_yticks(places, names)
    axes[1].set(xlabel="weight, 90 % of its posterior")
    axes[1].invert_yaxis()
    axes[1].legend(frameon=False)
    return figure


def write_posterior(study: PosteriorStudy, directory: str | Path) -> None:
    """``posterior.csv``, ``.json``, ``.npz`` (θ, which a run goes on from) and ``.png``: all or none."""
    header = ("weight", "mean", "deviation", "exact_mean", "exact_deviation")
    write_files(directory, {
        "posterior.csv": as_csv(header, study.rows()),
        "posterior.json": as_json({"source": study.source, "target": study.target, "model": study.model,
                                   "bound": float(-study.run.values[-1]), "log_evidence": float(study.exact.log_evidence),
                                   "error": float(study.exact.error), "steps": len(study.bounds) - 1}),
        "posterior.npz": packed({"theta": study.theta, "bounds": study.bounds, "scale": study.scale,
                                 "names": np.asarray(study.names)}),
        "posterior.png": in_memory(partial(figure_posterior(study).savefig, dpi=120))})


def follow_posterior(path: str, target: str, model: str, out: str | None, say: Callable[[str], None], *,
                     prior_precision: float = 1.0, max_steps: int = 100) -> None:
    """Find the posterior, from the one in the folder where there is one, say the table, write the files."""
    study = posterior_of_table(path, target, model, prior_precision, max_steps, None if out is None else _found(Path(out)))
    say(report_posterior(study))
    if out is not None:
        write_posterior(study, out)


def _found(directory: Path) -> dict[str, np.ndarray] | None:
    """What a run left in a folder."""
    path = directory / "posterior.npz"
    if not path.exists():
        return None
    try:
        found = unpacked(path.read_bytes())
        return {name: found[name] for name in ("theta", "names", "bounds")}
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path}: no posterior of this command: {error}") from None
