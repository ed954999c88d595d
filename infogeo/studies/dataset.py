"""Data sets for training: scikit-learn's digits, CSV and NPZ files."""
import zlib
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from .inputs import InputError
from .reading import is_number, read_table

__all__ = ["Dataset", "dataset"]

TEXTS = ".csv", ".tsv", ".txt"      # or with .gz behind


@dataclass(frozen=True)
class Dataset:
    """Inputs, and targets where there are any.

    Attributes
    ----------
    name : str
    x : NumPy array, shape (n, *input_shape)
    y : NumPy array, shape (n, …), or None
        Whole numbers for classes.
    labels : tuple of str, or None
        Of the classes 0, 1, …, where y was given in words.

    Examples
    --------
    >>> x = np.random.default_rng(0).uniform(size=(6, 2))
    >>> data = ig.studies.Dataset("noise", x, np.arange(6) % 2, ("even", "odd"))
    >>> data.x.shape, data.labels[data.y[3]]
    ((6, 2), 'odd')
    """

    name: str
    x: np.ndarray
    y: np.ndarray | None = None
    labels: tuple[str, ...] | None = None

    def images(self) -> np.ndarray:
        """The inputs as square images of one channel, shape (n, side, side, 1).

        Raises
        ------
        InputError
            If they are not squares.
        """
        if self.x.ndim == 4:
            return self.x
        side = round(self.x.shape[1] ** 0.5)
        if self.x.ndim != 2 or side * side != self.x.shape[1]:
            raise InputError(f"{self.name}: inputs of shape {self.x.shape[1:]} are not square images")
        return self.x.reshape(-1, side, side, 1)


def dataset(name: str, target: str | None = None) -> Dataset:
    """The data set of a name: ``digits``, or a file ``….csv`` (``.tsv``, ``.txt``, each also ``.gz``) or ``….npz``.

    ``digits`` are the 1797 images of handwritten digits of scikit-learn, 8 × 8, grey values scaled to [0, 1], with their classes.
    A text file has a row of numbers for each sample, mostly below a header; `target` names its column of classes or numbers, the
    others are inputs; classes may be words. An NPZ file has the arrays ``x`` and, unless there are no targets, ``y``.

    Raises
    ------
    InputError
        Saying what is wrong with the file.

    Examples
    --------
    >>> path = str(ig.studies.example_data("horse_kicks"))
    >>> data = ig.studies.dataset(path, target="corps_years")
    >>> data.x[:, 0], data.y
    (array([0., 1., 2., 3., 4.]), array([109,  65,  22,   3,   1]))
    """
    if name == "digits":
        try:
            from sklearn.datasets import load_digits
        except ImportError:
            raise InputError("the digits come with scikit-learn: pip install 'infogeo[training]'") from None
        found = load_digits()
        return Dataset("digits", found.data / 16.0, found.target)
    if Path(name).suffix.lower() == ".npz":
        return _npz(name)
    if Path(name.lower().removesuffix(".gz")).suffix in TEXTS:
        return _table(name, target)
    raise InputError(f"data {name!r} is not 'digits', nor a file {', '.join(TEXTS)} or .npz")


def _npz(name: str) -> Dataset:
    try:
        with open(name, "rb") as opened, np.load(opened, allow_pickle=False) as file:      # of a broken one NumPy closes nothing
            arrays = {key: file[key] for key in file.files}
    except (BadZipFile, ValueError, EOFError, KeyError, zlib.error) as error:
        raise InputError(f"{name}: not an NPZ file of numbers: {error}") from None
    if "x" not in arrays:
        raise InputError(f"{name}: has no array x; has {', '.join(arrays) or 'none'}")
    if arrays["x"].dtype.kind not in "fiub":
        raise InputError(f"{name}: x must be numbers; got {arrays['x'].dtype}")
    x, y = arrays["x"].astype(float), arrays.get("y")
    if y is not None and len(y) != len(x):
        raise InputError(f"{name}: {len(x)} inputs and {len(y)} targets")
    x = _finite(name, "x", x)
    if y is None or y.dtype.kind == "U":
        return Dataset(name, x) if y is None else Dataset(name, x, *_labelled(y.tolist()))
    if y.dtype.kind not in "fiub":
        raise InputError(f"{name}: y must be numbers or words; got {y.dtype}")
    return Dataset(name, x, _finite(name, "y", y))


def _labelled(texts: list[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """The number of the class of every row, and the classes, sorted."""
    labels, y = np.unique(texts, return_inverse=True)
    return y, tuple(labels.tolist())


def _table(name: str, target: str | None) -> Dataset:
    table = read_table(name, [] if target is None else [target])
    if target is None:
        return Dataset(name, table.columns(table.names).values)
    texts = table.texts(target)
    others = [column for column in table.names if column != target]
    if not others:
        raise InputError(f"{name}: no column beside {target!r}: there is nothing to predict it from")
    x = table.columns(others).values
    if not any(map(is_number, texts)):
        return Dataset(name, x, *_labelled(texts))
    y = table.columns([target]).values[:, 0]
    return Dataset(name, x, y.astype(int) if np.all(y == np.round(y)) else y)


def _finite(name: str, array: str, x: np.ndarray) -> np.ndarray:
    bad = np.argwhere(~np.isfinite(x))
    if len(bad):
        place = ", ".join(f"{axis} {i}" for axis, i in zip(("row", "column", *["index"] * x.ndim), bad[0]))
        raise InputError(f"{name}: {array} must be finite; {len(bad)} numbers are not, the first in {place} (counted from 0)")
    return x
