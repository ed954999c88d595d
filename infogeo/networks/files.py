"""Models with their weights in files."""
import json
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays.files import packed, require_place, unpacked, write_whole
from ..backend import Array, backend_of, to_numpy
from ..errors import ShapeError, takes
from .model import ConditionalModel
from .named import Made, Said
from .network import Sequential
from .usual import MLP, ConvNet

__all__ = ["as_file", "load", "save"]

# Of what a file says; another number is another form, which is refused
VERSION = 1


@takes(model=ConditionalModel)
def save(path: str | Path, model: ConditionalModel, w: Array) -> None:
    """Write a model and its weights into one file, from which `load` makes both again, bit by bit.

    The file is an NPZ archive of arrays, with a version and a checksum: the weights, and by their public names the layers, the
    family with its parameters, and the chart where one was given. It is replaced as a whole.

    Parameters
    ----------
    path : str or Path
    model : ConditionalModel
    w : array, shape (..., size)

    Raises
    ------
    TypeError
        For a layer, family or chart that has no public name in this library.
    ShapeError, OSError

    Examples
    --------
    >>> import infogeo as ig
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((4, 8, 2)), ig.Categorical(3))
    >>> w = model.network.init(np.random.default_rng(0), ig.networks.Glorot())
    >>> ig.networks.save("wine.npz", model, w)                                          # doctest: +SKIP
    >>> model, w = ig.networks.load("wine.npz")                                         # doctest: +SKIP
    """
    require_place(Path(path))
    write_whole({Path(path): as_file(model, w)})


@takes(model=ConditionalModel)
def as_file(model: ConditionalModel, w: Array) -> bytes:
    """What `save` writes.

    Raises
    ------
    TypeError, ShapeError
        As `save`.
    """
    host = to_numpy(w)
    if host.ndim == 0 or host.shape[-1] != model.network.size:
        raise ShapeError(f"w must have shape (..., {model.network.size}); got {host.shape}")
    tree, arrays = _said(model)
    again, kept = _said(_made(tree, arrays))
    if again != tree or any(not np.array_equal(arrays[name], kept[name]) for name in arrays):
        raise TypeError(f"no file says what {model!r} is: made of its arguments again it is another model")
    text = np.frombuffer(json.dumps(tree, allow_nan=False).encode(), dtype=np.uint8)
    return packed({"version": np.array(VERSION), "model": text, "weights": host} | arrays)


def load(path: str | Path) -> tuple[ConditionalModel, Array]:
    """``(model, w)`` of a file that `save` wrote. It is data: nothing in it is run.

    Raises
    ------
    ValueError
        If the file is something else, of another version, or not what was written: cut short, altered, damaged.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> with TemporaryDirectory() as folder:
    ...     ig.networks.save(f"{folder}/odds.npz", model, np.array([2.0, -1.0]))
    ...     again, w = ig.networks.load(f"{folder}/odds.npz")
    >>> again.theta(w, [[1.0], [3.0]])[:, 0]        # 2 x − 1
    array([1., 5.])
    """
    try:
        found = unpacked(Path(path).read_bytes())
        if {"version", "model", "weights"} - found.keys():
            raise ValueError("it holds other arrays than those of a model")
        version = found.pop("version").tolist()
        if version != VERSION:
            raise ValueError(f"it has the version {version}, and this library reads version {VERSION}")
        text, host = found.pop("model"), found.pop("weights")
        return _made(json.loads(text.tobytes()), found), backend_of().asarray(host)
    except ValueError as error:
        raise ValueError(f"path must be that of a model, whole and unaltered; {path}: {error}") from None


def _said(model: ConditionalModel) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """A model as a tree, and the arrays of its parts."""
    if type(model) is not ConditionalModel or type(model.network) not in (Sequential, MLP, ConvNet):
        own = model.network if type(model) is ConditionalModel else model
        raise TypeError(f"no file says what a {type(own).__module__}.{type(own).__qualname__} is: save a ConditionalModel of a "
                        "Sequential of layers")
    said = Said()
    parts = {"layers": tuple(model.network.layers), "input_shape": model.network.input_shape, "family": model.family,
             "chart": model.chart if model.chart_given else None}
    return {name: said.tree(part) for name, part in parts.items()}, said.arrays


def _made(tree: dict[str, Any], arrays: dict[str, np.ndarray]) -> ConditionalModel:
    made = Made(arrays)
    network = Sequential(made.value(tree["layers"]), made.value(tree["input_shape"]))
    return ConditionalModel(network, made.value(tree["family"]), made.value(tree["chart"]))
