"""Boosting on the table of a file: held-out scores beside the marginal law, a figure, and a model that predicts other tables."""
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import boosting
from ..arrays.files import packed, unpacked
from .canvas import BLUE, ORANGE, blank
from .export import as_csv, as_json, in_memory, write_files
from .inputs import InputError
from .naming import named_family
from .reading import TextTable, read_table
from .tables import number, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["BoostedTable", "FeatureTable", "as_predictions", "boosted_table", "figure_boosting", "follow_boosting",
           "predict_table", "report_boosting", "write_boosting"]

MISSING = ("", "na", "nan", "n/a", "?")         # cells without a value, in lower case
HELD_OUT = 0.25                                 # of the rows, for the scores


@dataclass(frozen=True)
class FeatureTable:
    """How the columns of a file become numbers: as they are, or, where a cell is a word, by the place of the word in a list.

    Attributes
    ----------
    names : tuple of str
    words : dict of tuples of str
        Of each column of words, in the order of their numbers.
    """

    names: tuple[str, ...]
    words: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, found: TextTable, target: str) -> "FeatureTable":
        names = tuple(name for name in found.names if name != target)
        words = {}
        for name in names:
            cells = [cell for cell in _cells(found, name) if cell.lower() not in MISSING]
            if not all(map(_is_number, cells)):
                words[name] = tuple(sorted(set(cells)))
        return cls(names, words)

    def values(self, found: TextTable) -> np.ndarray:
        """Shape (rows, columns); NaN where a cell is empty or a word is new."""
        absent = [name for name in self.names if name not in found.names]
        if absent:
            raise InputError(f"{found.path}: line 1: no column {absent[0]!r}, which the model was fitted with")
        return np.column_stack([self._column(found, name) for name in self.names])

    def _column(self, found: TextTable, name: str) -> np.ndarray:
        places = {word: float(i) for i, word in enumerate(self.words.get(name, ()))}
        cells = _cells(found, name)
        if name in self.words:
            return np.asarray([places.get(cell, np.nan) for cell in cells])
        wrong = [i for i, cell in enumerate(cells) if cell.lower() not in MISSING and not _is_number(cell)]
        if wrong:
            raise InputError(f"{found.path}: line {found.rows[wrong[0]][0]}, column {name!r}: {cells[wrong[0]]!r} is not a "
                             "number, as all were that the model was fitted with")
        return np.asarray([np.nan if cell.lower() in MISSING else float(cell) for cell in cells])


def _cells(found: TextTable, name: str) -> list[str]:
    place = found.names.index(name)
    return [row[place].strip() if place < len(row) else "" for _, row in found.rows]


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


@dataclass(frozen=True)
class BoostedTable:
    """A fitted model with the rows that were held out.

    Attributes
    ----------
    source, target, family : str
    model : NaturalGradientBoostingRegressor
    features : FeatureTable
    X, y : arrays
        Of the rows that were held out.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> x = np.arange(40.0)
    >>> with TemporaryDirectory() as folder:
    ...     path, table = f"{folder}/line.csv", np.stack([x, 2 * x + 1], -1)
    ...     np.savetxt(path, table, "%d", ",", header="x,y", comments="")
    ...     study = ig.studies.boosted_table(path, "y", stages=3)
    >>> study.family, study.X.shape, study.y.shape  # the rows held out
    ('normal', (10, 1), (10,))
    """

    source: str
    target: str
    family: str
    model: Any
    features: FeatureTable
    X: np.ndarray
    y: np.ndarray

    def scores(self) -> dict[str, tuple[float, float]]:
        """By name, of the marginal law and of the predicted ones."""
        law, base = self.model.predict_dist(self.X), self.model.base_theta_
        marginal = boosting.Prediction(law.family, np.broadcast_to(base, law.theta.shape))

        def both(values: Callable[[Any], np.ndarray]) -> tuple[float, float]:
            return float(np.mean(values(marginal))), float(np.mean(values(law)))

        squares = both(lambda law: (law.mean - self.y) ** 2)
        return {"log score, nats": both(lambda law: -law.log_density(self.y)), "CRPS": both(lambda law: law.crps(self.y)),
                "RMSE": (squares[0]**0.5, squares[1]**0.5), "held by 90 % intervals": both(self._covered)}

    def _covered(self, law: Any) -> np.ndarray:
        low, high = law.interval(0.9).T
        return np.asarray((low <= self.y) & (self.y <= high))


def boosted_table(path: str, target: str, family: str = "normal", *, stages: int = 1000, learning_rate: float = 0.05,
                  seed: int = 0) -> BoostedTable:
    """Fit the laws of one column by the others; a quarter of the rows is held out for scores, a tenth of the rest ends the run.

    Parameters
    ----------
    path : str
        A table, .csv, .tsv or .txt, each also .gz.
    target : str
        The name of the column to predict.
    family : str
        As of `named_family`; of numbers.
    stages : int
        At most.
    learning_rate : float
    seed : int
        Of the rows that are held out.

    Raises
    ------
    InputError
        For what cannot be read, or cannot be boosted.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> x = np.arange(40.0)
    >>> with TemporaryDirectory() as folder:
    ...     path, table = f"{folder}/line.csv", np.stack([x, 2 * x + 1], -1)
    ...     np.savetxt(path, table, "%d", ",", header="x,y", comments="")
    ...     study = ig.studies.boosted_table(path, "y", stages=3)
    >>> len(study.y), study.target                  # a quarter is held out
    (10, 'y')
    """
    found = read_table(path, (target,))
    y = found.columns([target]).values[:, 0]
    features, law = FeatureTable.of(found, target), named_family(family)
    if law.support.shape:
        raise InputError(f"--family {family}: its observations have shape {law.support.shape}; --target is one column of numbers")
    X, order = features.values(found), np.random.default_rng(seed).permutation(len(y))
    held, rest = np.split(order, [int(HELD_OUT * len(y))])
    categories = [i for i, name in enumerate(features.names) if name in features.words]
    try:
        model = boosting.NaturalGradientBoostingRegressor(law, max_iter=stages, learning_rate=learning_rate, early_stopping=True,
                                                          categorical_features=categories, random_state=seed)
        model.fit(X[rest], y[rest])
    except (ImportError, TypeError, ValueError) as error:
        raise InputError(f"{path}: {error}") from None
    return BoostedTable(path, target, family, model, features, X[held], y[held])


def report_boosting(study: BoostedTable) -> str:
    """The table of scores, and what the trees look at.

    Parameters
    ----------
    study : BoostedTable

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
    ...     study = ig.studies.boosted_table(path, "y", stages=3)
    >>> ig.studies.report_boosting(study).splitlines()[0]
    'Predicted laws of y'
    """
    model = study.model
    rows = [(name, number(a, 4), number(b, 4)) for name, (a, b) in study.scores().items()]
    notes = [f"{len(study.y)} rows of {study.source} were held out; {model.n_iter_} stages of the family {study.family}."]
    for name, row in zip(model.feature_importances_names_, model.feature_importances_):
        first = [study.features.names[i] for i in np.argsort(-row)[:3] if row[i] > 0]
        notes.append(f"Of the gain in {name} most is by {', '.join(first)}." if first else f"No tree has a split for {name}.")
    return table(f"Predicted laws of {study.target}", ("", "marginal law", "boosted"), rows, notes) + "\n"


def figure_boosting(study: BoostedTable) -> "Figure":
    """Calibration of the held-out rows, and the shares of the features in the gain of each parameter.

    Parameters
    ----------
    study : BoostedTable

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
    ...     study = ig.studies.boosted_table(path, "y", stages=3)
    >>> len(ig.studies.figure_boosting(study).axes)
    2
    """
    figure, axes = blank(9.0, 3.8, 2)
    study.model.plot_reliability(study.X, study.y, ax=axes[0])
    gains = study.model.feature_importances_
    top = np.argsort(np.sum(gains, axis=0))[-10:]
    height = 0.8 / len(gains)
    for j, (name, colour) in enumerate(zip(study.model.feature_importances_names_, (BLUE, ORANGE) * len(gains))):
        places = np.arange(len(top)) + 0.4 - height * (j + 0.5)
        axes[1].barh(places, gains[j, top], height=0.95 * height, color=colour, label=name)
    axes[1].set_yticks(np.arange(len(top)), [study.features.names[i] for i in top])
    axes[1].set(xlabel="share of the gain")
    axes[1].legend(frameon=False, loc="lower right")
    return figure


def write_boosting(study: BoostedTable, folder: str | Path) -> None:
    """``boosting.csv`` and ``.json`` (scores), ``boosting.png``, ``model.npz``, which `predict_table` reads: all or none.

    Parameters
    ----------
    study : BoostedTable
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
    ...     study = ig.studies.boosted_table(path, "y", stages=3)
    ...     ig.studies.write_boosting(study, folder)
    ...     written = sorted(p.name for p in Path(folder).glob("*.*"))
    >>> written
    ['boosting.csv', 'boosting.json', 'boosting.png', 'line.csv', 'model.npz']
    """
    scores = study.scores()
    words = {f"words {name}": np.asarray(words) for name, words in study.features.words.items()}
    model = {"family": np.asarray(study.family), "names": np.asarray(study.features.names), **words,
             **boosting.SavedModel.of(study.model).arrays()}
    write_files(folder, {
        "boosting.csv": as_csv(("score", "marginal", "boosted"), [(name, *pair) for name, pair in scores.items()]),
        "boosting.json": as_json({"source": study.source, "target": study.target, "family": study.family,
                                  "stages": study.model.n_iter_, "scores": {name: list(pair) for name, pair in scores.items()}}),
        "boosting.png": in_memory(partial(figure_boosting(study).savefig, dpi=120)), "model.npz": packed(model)})


def predict_table(model: str | Path, path: str) -> tuple[tuple[str, ...], list[tuple[float, ...]]]:
    """(header, rows): the ordinary parameters, the mean and the 5 and 95 % quantiles of every row of a file.

    Raises
    ------
    InputError

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> x = np.arange(40.0)
    >>> with TemporaryDirectory() as folder:
    ...     path, table = f"{folder}/line.csv", np.stack([x, 2 * x + 1], -1)
    ...     np.savetxt(path, table, "%d", ",", header="x,y", comments="")
    ...     study = ig.studies.boosted_table(path, "y", stages=3)
    ...     ig.studies.write_boosting(study, folder)
    ...     header, rows = ig.studies.predict_table(f"{folder}/model.npz", path)
    >>> header, len(rows)
    (('mean', 'variance', 'mean of the law', '5 %', '95 %'), 40)
    """
    try:
        arrays = unpacked(Path(model).read_bytes())
        family = named_family(str(arrays["family"]))
        saved = boosting.SavedModel.from_arrays(family, arrays)
    except (ImportError, OSError, ValueError, KeyError) as error:
        raise InputError(f"--model {model}: {getattr(error, 'strerror', None) or error}") from None
    words = {name.removeprefix("words "): tuple(map(str, found)) for name, found in arrays.items() if name.startswith("words ")}
    features = FeatureTable(tuple(map(str, arrays["names"])), words)
    law = saved.predict_dist(features.values(read_table(path, features.names)))
    columns = law.parameters | {"mean of the law": law.mean, "5 %": law.quantile(0.05), "95 %": law.quantile(0.95)}
    return tuple(columns), [tuple(map(float, row)) for row in zip(*columns.values())]


def as_predictions(model: str | Path, path: str) -> str:
    """`predict_table` as the text of a CSV file.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> x = np.arange(40.0)
    >>> with TemporaryDirectory() as folder:
    ...     path, table = f"{folder}/line.csv", np.stack([x, 2 * x + 1], -1)
    ...     np.savetxt(path, table, "%d", ",", header="x,y", comments="")
    ...     study = ig.studies.boosted_table(path, "y", stages=3)
    ...     ig.studies.write_boosting(study, folder)
    ...     text = ig.studies.as_predictions(f"{folder}/model.npz", path)
    >>> text.splitlines()[0]
    'mean,variance,mean of the law,5 %,95 %'
    """
    return as_csv(*predict_table(model, path)).decode()


def follow_boosting(path: str, target: str, family: str, folder: str | None, say: Callable[[str], None], **settings: Any) -> None:
    """Fit, say the table, write the files.

    Parameters
    ----------
    path, target, family
        As of `boosted_table`.
    folder : str or None
        As of `write_boosting`; None for the text alone.
    say : callable (str) -> None
        Told every part of the text: `print`, for instance.
    settings
        stages, learning_rate and seed, as of `boosted_table`.

    Raises
    ------
    InputError
        For what cannot be read, or cannot be boosted.
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
    ...     ig.studies.follow_boosting(path, "y", "normal", None, said.append,
    ...                                stages=3)
    >>> len(said)
    1
    """
    study = boosted_table(path, target, family, **settings)
    say(report_boosting(study))
    if folder is not None:
        write_boosting(study, folder)
