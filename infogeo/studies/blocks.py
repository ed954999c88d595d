"""Work cut into blocks, each of which leaves a file: on one machine or many, and to be gone on with after an interruption."""
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays.files import packed, unpacked, write_whole
from ..backend import to_numpy
from ..errors import InfogeoError, require_count
from .bars import Jobs

__all__ = ["BlocksError", "in_blocks", "load_blocks", "targets_kept"]

SETTING, GATHERED = "blocks.json", "gathered.npz"

Task = Callable[[int], Mapping[str, Any]]


class BlocksError(InfogeoError, RuntimeError):
    """Blocks that are not there, or that are of other work; the message says which, and what to do.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     try:
    ...         found = ig.studies.load_blocks(folder)
    ...     except ig.studies.BlocksError:
    ...         print("nothing there")
    nothing there
    """


def in_blocks(task: Task, n: int, folder: str | Path, *, map: Callable[..., Iterable[int]] = map, setting: Any = None,
              progress: bool = False) -> dict[str, np.ndarray]:
    """Do a task for the blocks 0 … n − 1, each of which leaves a file in a folder, and gather them.

    A block is there whole or not at all, so a second start, on the same machine or another, does what is missing. Only numbers of
    blocks travel back: results go to disk, and what becomes of a worker that is done does not matter.

    Parameters
    ----------
    task : function
        Of the number of a block, to its arrays by name, ``{"kl": (rows,), …}``, whose axis 0 is joined over the blocks; numbers
        become one row. What it draws must come from a generator of its own, ``np.random.default_rng([seed, block])``: then the
        result does not depend on where and in which order blocks are done. For other processes it must be one that they can
        import, or the pool one that sends functions (dask, joblib).
    n : int
    folder : str or Path
        That all workers see. It is made where it is missing.
    map : function
        ``map(f, blocks)`` yields or returns f of each: the builtin, ``pool.map`` of an executor,
        ``lambda f, blocks: joblib.Parallel(4)(joblib.delayed(f)(i) for i in blocks)``, or of a Dask client
        ``lambda f, blocks: client.gather(client.map(f, blocks, pure=False))``.
    setting : what JSON can hold, optional
        All that decides the result: in a folder with blocks of another one nothing is done.
    progress : bool
        Show a progress bar (tqdm), which moves as `map` yields.

    Returns
    -------
    dict of arrays
        Also in the file ``gathered.npz`` of the folder.

    Raises
    ------
    BlocksError
        Where the folder has blocks of another setting, or not every block is there in the end: as from workers that see another
        disk.
    TypeError
        For a task that returns something else.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> def squares(i):                             # of 3 i, 3 i + 1, 3 i + 2
    ...     return {"square": np.arange(3 * i, 3 * i + 3)**2}
    >>> with TemporaryDirectory() as folder:
    ...     found = ig.studies.in_blocks(squares, 2, folder)
    >>> found["square"]
    array([ 0,  1,  4,  9, 16, 25])
    """
    require_count("n", n)
    if not callable(task):
        raise TypeError(f"task must be a function of the number of a block; got {task!r}")
    folder = Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    _require_same(folder, n, setting)
    missing = [i for i in range(n) if not _is_there(folder, i)]
    with Jobs(n, progress) as bar:
        bar.pass_over(n - len(missing))
        if missing:
            for block in map(_Block(task, folder), missing):
                bar.begin(f"block {block}")
    found = load_blocks(folder)
    for part in folder.glob(".*.part"):         # of workers that were killed as they wrote
        part.unlink(missing_ok=True)
    write_whole({folder / GATHERED: packed(found)})
    return found


def load_blocks(folder: str | Path) -> dict[str, np.ndarray]:
    """The arrays of all blocks of a folder, joined along axis 0.

    Raises
    ------
    BlocksError
        Where blocks are missing or differ in their names.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     done = ig.studies.in_blocks(lambda i: {"i": i}, 3, folder)
    ...     again = ig.studies.load_blocks(folder)
    >>> again["i"]
    array([0, 1, 2])
    """
    folder = Path(folder)
    try:
        n = json.loads((folder / SETTING).read_text(encoding="utf-8"))["n"]
    except (OSError, ValueError, KeyError):
        raise BlocksError(f"{folder} is no folder of blocks: it has no {SETTING}") from None
    missing = [i for i in range(n) if not _is_there(folder, i)]
    if missing:
        raise BlocksError(f"{len(missing)} of {n} blocks are not in {folder}, the first of them {missing[0]}: start again to do "
                          "them; if all were done, the workers have another disk")
    blocks = [unpacked(_path(folder, i).read_bytes()) for i in range(n)]
    names = list(blocks[0])
    for i, block in enumerate(blocks):
        if sorted(block) != sorted(names):
            raise BlocksError(f"block {i} has the arrays {', '.join(block)}, block 0 {', '.join(names)}")
        for name in names:
            if block[name].shape[1:] != blocks[0][name].shape[1:]:
                raise BlocksError(f"{name} has shape {block[name].shape} in block {i} and {blocks[0][name].shape} in block 0: "
                                  "only axis 0, which is joined, may differ")
    return {name: np.concatenate([np.atleast_1d(block[name]) for block in blocks]) for name in names}


@contextmanager
def targets_kept(folder: Path) -> Iterator[None]:
    """An interruption says how many blocks of targets are kept, and how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        done = len(list(folder.glob("block-*.npz")))
        raise KeyboardInterrupt(f"{done} blocks of targets are kept in {folder}; the same command goes on from there") from None


class _Block:
    """A task that leaves a file: what is sent to a worker."""

    def __init__(self, task: Task, folder: Path) -> None:
        self.task, self.folder = task, folder

    def __call__(self, i: int) -> int:
        if not _is_there(self.folder, i):
            try:
                found = self.task(i)
            except Exception as error:
                error.add_note(f"in block {i}")
                raise
            write_whole({_path(self.folder, i): packed(_arrays(i, found))})
        return i


def _arrays(i: int, found: Any) -> dict[str, np.ndarray]:
    if not isinstance(found, Mapping) or not found or not all(isinstance(name, str) for name in found):
        raise TypeError(f"a task must return arrays by name; block {i} returned {type(found).__name__}")
    arrays = {name: to_numpy(x) if hasattr(x, "shape") else np.asarray(x) for name, x in found.items()}
    for name, x in arrays.items():
        if x.dtype.kind == "O":
            raise TypeError(f"a task must return arrays of numbers or texts; block {i} returned {name} of objects")
    return arrays


def _path(folder: Path, i: int) -> Path:
    return folder / f"block-{i:06d}.npz"


def _is_there(folder: Path, i: int) -> bool:
    """Whether a block is whole: its checksum is looked at."""
    try:
        unpacked(_path(folder, i).read_bytes())
    except (FileNotFoundError, ValueError):
        return False
    return True


def _require_same(folder: Path, n: int, setting: Any) -> None:
    """That a folder is empty of blocks, or its blocks are of the same work; then says so for the next one."""
    path = folder / SETTING
    try:
        words = json.loads(json.dumps({"n": n, "setting": setting}, ensure_ascii=False, allow_nan=False))     # as it will be read
    except (TypeError, ValueError) as error:
        raise TypeError(f"setting must be what JSON can hold, such as lists of numbers: {error}") from None
    if path.exists():
        there = json.loads(path.read_text(encoding="utf-8"))
        if there != words:
            raise BlocksError(f"{folder} has the blocks of other work ({_difference('', there, words)}): take another folder, or "
                              "empty it")
    else:
        write_whole({path: json.dumps(words, ensure_ascii=False).encode()})


def _difference(name: str, there: Any, here: Any) -> str:
    """The first thing in which two settings differ."""
    if isinstance(there, dict) and isinstance(here, dict):
        for key in [*here, *there]:
            if there.get(key) != here.get(key):
                return _difference(key, there.get(key), here.get(key))
    short = [text if len(text) < 40 else f"{text[:40]}…" for text in (json.dumps(x, ensure_ascii=False) for x in (there, here))]
    return f"{name} {short[0]} there, {short[1]} here"
