"""The models whose posteriors the command line finds: of each the data, the family of q, the run, and what it is measured by."""
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..families.multivariate_normal import MultivariateNormal
from ..inference.coordinate import CoordinateUpdate
from ..inference.expectations import MonteCarloExpectation
from ..inference.linear_regression import LinearRegression
from ..inference.reference import Reference, reference
from ..inference.regression import LogisticRegression, PoissonRegression
from ..inference.vector_regression import SoftmaxRegression
from ..solvers.step import Backtracking, Constant
from ..solvers.update import MirrorUpdate
from .inputs import InputError
from .reading import TextTable

__all__ = ["INFERENCE_MODELS", "PosteriorModel"]

# Draws for the evidence, fewer where with the observations they were more than so many numbers (a gigabyte of a few arrays).
DRAWS, NUMBERS = 20_000, 2 * 10**7
LABELS = 20


@dataclass(frozen=True)
class PosteriorModel:
    """A model with the data in it.

    Attributes
    ----------
    title : str
    names : tuple of str
        Of what q is a law of.
    weights : int
        How many of them, the first ones, are weights.
    model, q, start : the model, its q, and natural parameters to start from
    update, step : of the run
    exact : function of natural parameters -> Reference
    how : str
        Where the exact numbers are from.
    notes : tuple of str

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> x = np.arange(40.0)
    >>> with TemporaryDirectory() as folder:
    ...     path, table = f"{folder}/line.csv", np.stack([x, 2 * x + 1], -1)
    ...     np.savetxt(path, table, "%d", ",", header="x,y", comments="")
    ...     study = ig.studies.posterior_of_table(path, "y", "normal", 0.01, 10)
    >>> study.fitted.title, study.fitted.weights
    ('Normal regression of y, its variance unknown', 2)
    """

    title: str
    names: tuple[str, ...]
    weights: int
    model: Any
    q: Any
    start: np.ndarray
    update: Any
    step: Any
    exact: Callable[[np.ndarray], Reference]
    how: Callable[[Reference], str]
    notes: tuple[str, ...] = ()


def _of_normal_q(title: str, names: tuple[str, ...], model: Any, numbers: int, tau: float,
                 notes: tuple[str, ...] = ()) -> PosteriorModel:
    """Of a model with a normal posterior of all weights, weighed by draws."""
    q, draws = MultivariateNormal(len(names)), int(min(DRAWS, max(1000, NUMBERS // numbers)))
    start = q.theta_from(mean=np.zeros(q.p), covariance=np.eye(q.p) / max(1.0, tau))

    def how(exact: Reference) -> str:
        return f"by the weights of {draws} draws, of which {exact.effective:.0%} count"

    return PosteriorModel(title, names, len(names), model, q, start, MirrorUpdate(), Backtracking(),
                          lambda theta: reference(q, theta, model, MonteCarloExpectation(draws)), how, notes)


def _logistic(table: TextTable, target: str, X: np.ndarray, names: tuple[str, ...], tau: float) -> PosteriorModel:
    model = LogisticRegression(X, _numbers(table, target), tau)
    return _of_normal_q(f"Logistic regression of {target}", names, model, len(X), tau)


def _poisson(table: TextTable, target: str, X: np.ndarray, names: tuple[str, ...], tau: float) -> PosteriorModel:
    model = PoissonRegression(X, _numbers(table, target), tau)
    return _of_normal_q(f"Poisson regression of {target}", names, model, len(X), tau)


def _normal(table: TextTable, target: str, X: np.ndarray, names: tuple[str, ...], tau: float) -> PosteriorModel:
    """The target is brought to mean 0 and deviation 1, so that a prior of weights of the order of 1 is one of nothing special."""
    y = _numbers(table, target)
    scale = float(np.std(y))
    if not scale > 0:
        raise InputError(f"{table.path}: column {target!r} has one value only")
    model = LinearRegression(X, (y - np.mean(y)) / scale, tau)
    notes = (f"The target is centred and divided by its standard deviation {scale:.6g}; the precision is that of what is "
             "left.",)
    title = f"Normal regression of {target}, its variance unknown"
    return PosteriorModel(title, (*names, "precision"), len(names), model, model.q, model.prior_theta, CoordinateUpdate(),
                          Constant(1.0), lambda theta: model.exact(),
                          lambda exact: "by quadrature of the precision", notes)


def _softmax(table: TextTable, target: str, X: np.ndarray, names: tuple[str, ...], tau: float) -> PosteriorModel:
    """The labels may be text; the last in order is the reference."""
    texts = table.texts(target)
    try:
        labels: list[Any] = sorted(set(texts), key=float)
    except ValueError:
        labels = sorted(set(texts))
    if not 2 <= len(labels) <= LABELS:
        raise InputError(f"{table.path}: column {target!r} has {len(labels)} labels; a softmax regression takes 2 to {LABELS}")
    y = np.array([labels.index(text) for text in texts], dtype=float)
    model = SoftmaxRegression(X, y, tau, len(labels))
    wide = tuple(f"{name} [{label}]" for name in names for label in labels[:-1])
    return _of_normal_q(f"Softmax regression of {target}", wide, model, len(X) * (len(labels) - 1), tau,
                        (f"Weights are those of the logarithm of a probability over that of {labels[-1]!r}.",))


def _numbers(table: TextTable, target: str) -> np.ndarray:
    try:
        found: np.ndarray = table.columns([target]).values[:, 0]
    except InputError as error:
        raise InputError(f"{error}; labels go with --model softmax") from None
    return found


INFERENCE_MODELS: dict[str, Callable[[TextTable, str, np.ndarray, tuple[str, ...], float], PosteriorModel]] = {
    "logistic": _logistic, "poisson": _poisson, "normal": _normal, "softmax": _softmax}
