"""Checkpoints: a run in files, from which it goes on bit by bit."""
import os
import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Any

import numpy as np

from ..arrays.files import packed, require_place, unpacked, write_whole
from ..backend import Array, to_numpy
from ..errors import require_count
from ..solvers.moment import Moment
from ..solvers.snapshot import Snapshot

__all__ = ["Checkpoint", "load_checkpoint"]

# Records of this size go into a file of their own, where they stay: what a checkpoint writes is the state and at most that. Of a
# record="path" of 10 000 steps of 1000 numbers, 80 MB, 100 checkpoints that hold all of it are 4 GB.
INLINE = 2**18


class Checkpoint:
    """A snapshot in a file every so many steps, from which `descend` goes on bit by bit: ``resume=load_checkpoint(path)``.

    It goes last among the callbacks: what it keeps of the others is what they are when its turn comes. The file is an NPZ archive
    of arrays and plain values, with a version and a checksum. It is replaced as a whole, so that whatever ends the process a
    complete one is there. Of a long `record` the first part is in a file beside it, NAME.….records, which grows: archives one
    after the other, whose number, lengths and checksum the first file names.

    Parameters
    ----------
    path : str or Path
    every : int

    Raises
    ------
    OSError
        If no file can be written there: when it is made, and not first at step `every`.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from infogeo.training import Adam, Checkpoint, load_checkpoint
    >>> f, how = lambda x: (x @ x / 2, x), dict(update=Adam(), step=0.1)
    >>> with TemporaryDirectory() as folder:
    ...     keep = Checkpoint(f"{folder}/run.npz")
    ...     half = ig.descend(f, [1.0], max_steps=5, callbacks=[keep], **how)
    ...     rest = ig.descend(f, [1.0], max_steps=9, callbacks=[keep], **how,
    ...                       resume=load_checkpoint(f"{folder}/run.npz"))
    >>> whole = ig.descend(f, [1.0], max_steps=9, **how)
    >>> bool(np.array_equal(rest.path, whole.path))           # bit by bit
    True
    """

    def __init__(self, path: str | Path, every: int = 1) -> None:
        self.path, self.every = Path(path), require_count("every", every)
        require_place(self.path)
        self.run: Any = None
        self.filed = _Records(self.path)

    def __call__(self, moment: Moment) -> None:
        if moment.k % self.every:
            return
        run = getattr(getattr(moment.snapshot, "func", None), "__self__", None)
        known = self.filed if run is not None and run is self.run else _Records(self.path)      # nothing of another run is filed
        filed = known.with_more({name: x[known.count:, ...] for name, x in moment.records().items()})
        try:
            write_whole({self.path: moment.snapshot(filed.count, filed.note()).content})
        except BaseException:
            if not known.lengths and not filed.is_named():
                filed.discard()
            raise
        if filed is not self.filed and not known.lengths:
            filed.discard_others()
        self.run, self.filed = run, filed


class _Records:
    """Records in a file that grows: archives one after the other.

    Attributes
    ----------
    count : int
        Of the records that are there.
    lengths : tuple of int
        Of the archives, bytes. What stands behind them in the file is of no account.
    """

    def __init__(self, path: Path, name: str = "", count: int = 0, lengths: tuple[int, ...] = (), digest: Any = None) -> None:
        self.path, self.count, self.lengths = path.resolve(), count, lengths
        self.name = name or f"{self.path.name}.{token_hex(4)}.records"
        self.digest = sha256() if digest is None else digest

    def note(self) -> dict[str, Any] | None:
        """What a checkpoint says of them."""
        return {"name": self.name, "lengths": self.lengths, "sha256": self.digest.hexdigest()} if self.lengths else None

    def with_more(self, records: Mapping[str, Array]) -> "_Records":
        """With these at the end of the file, where they are many."""
        host = {name: to_numpy(x) for name, x in records.items()}
        if sum(x.nbytes for x in host.values()) < INLINE:
            return self
        content, place = packed(host), self.path.with_name(self.name)
        _append(place, sum(self.lengths), content)
        digest = self.digest.copy()
        digest.update(content)
        new = next(iter(host.values())).shape[0]
        return _Records(self.path, self.name, self.count + new, (*self.lengths, len(content)), digest)

    def is_named(self) -> bool:
        """Whether the checkpoint on the disk leads to them: its name may be there although the disk would not say so."""
        try:
            note = Snapshot.from_bytes(self.path.read_bytes()).note
        except (OSError, ValueError):
            return False
        return note is not None and bool(note["name"] == self.name)

    def discard(self) -> None:
        """Remove the file, to which no checkpoint leads."""
        self.path.with_name(self.name).unlink(missing_ok=True)

    def discard_others(self) -> None:
        """Remove the files of records of the checkpoints before, which are replaced."""
        own = re.compile(re.escape(self.path.name) + r"\.[0-9a-f]{8}\.records")
        for other in self.path.parent.iterdir():
            if own.fullmatch(other.name) and other.name != self.name:
                other.unlink()


def _append(place: Path, size: int, content: bytes) -> None:
    """Write at the end of the first bytes of a file, on the disk; where that fails these stay as they are.

    Raises
    ------
    OSError
        Naming the file.
    """
    try:
        with open(place, "r+b" if size else "wb") as file:
            try:
                file.seek(size)
                file.truncate()
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                file.truncate(size)
                raise
    except OSError as error:
        if not size and place.exists():
            place.unlink()
        raise type(error)(error.errno, f"{error.strerror or error}; the records were not written", str(place)) from None


def load_checkpoint(path: str | Path) -> Snapshot:
    """The `Snapshot` in a file that `Checkpoint` wrote. It is data: nothing in it is run.

    Raises
    ------
    ValueError
        If the file, or that of its records, is something else, or not what was written: cut short, altered, damaged, missing.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> f = lambda x: (x @ x / 2, x)
    >>> with TemporaryDirectory() as folder:
    ...     keep = ig.training.Checkpoint(f"{folder}/run.npz", every=2)
    ...     run = ig.descend(f, [1.0], update=ig.GradientUpdate(), step=0.1,
    ...                      max_steps=5, callbacks=[keep])
    ...     snapshot = ig.training.load_checkpoint(f"{folder}/run.npz")
    >>> snapshot.k                                  # after steps 2 and 4
    4
    """
    try:
        found = Snapshot.from_bytes(Path(path).read_bytes())
        note = found.note
        return found if note is None else Snapshot(found.k, found.content, _earlier(Path(path).resolve(), note))
    except ValueError as error:
        raise ValueError(f"path must be that of a checkpoint, whole and unaltered; {path}: {error}") from None


def _earlier(path: Path, note: dict[str, Any]) -> list[dict[str, np.ndarray]]:
    place, lengths = path.with_name(Path(note["name"]).name), note["lengths"]
    if not place.is_file():
        raise ValueError(f"its records are in {place.name} beside it, and there is no such file")
    content = place.read_bytes()[:sum(lengths)]
    if len(content) < sum(lengths) or sha256(content).hexdigest() != note["sha256"]:
        raise ValueError(f"its records in {place.name} were altered or damaged: the checksum is another one")
    ends = np.cumsum(lengths)
    return [unpacked(content[end - length:end]) for end, length in zip(ends.tolist(), lengths)]
