"""What a study has finished, kept in its folder until all of it is: a second start goes on from there."""
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints
from zlib import crc32

import numpy as np

from ..arrays.files import packed, unpacked, write_whole

__all__ = ["Unfinished", "flat", "unfinished_command"]

WORDS = "words"     # the array that says which study a part belongs to
COMMAND = "command.json"


class Unfinished:
    """The finished parts of a study, one file each, in ``unfinished`` below its folder.

    Parameters
    ----------
    folder : str or Path
        Made where it is missing.
    words : plain values
        All that decides the result: parts of another study are passed over, and replaced.
    kinds : dict
        The type of each part: a dataclass of arrays, numbers and texts, or a tuple of one.

    Raises
    ------
    OSError
        Where the folder cannot be made.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from infogeo.studies import Claim, Unfinished
    >>> kinds = {"first": Claim}
    >>> with TemporaryDirectory() as folder:
    ...     part = Claim("fast", "it is there at once", True, "h = 1.")
    ...     Unfinished(folder, {"seed": 0}, kinds).keep("first", part)
    ...     again = Unfinished(folder, {"seed": 0}, kinds).parts()
    ...     other = Unfinished(folder, {"seed": 1}, kinds).parts()
    >>> again["first"].holds, other                 # none of another seed
    (True, {})
    """

    def __init__(self, folder: str | Path, words: Any, kinds: Mapping[str, Any]) -> None:
        self.folder, self.kinds, self.words = Path(folder) / "unfinished", dict(kinds), json.dumps(words, ensure_ascii=False)
        self.folder.mkdir(parents=True, exist_ok=True)

    def parts(self) -> dict[str, Any]:
        """What an interrupted run of this study has left; a file that is damaged counts for nothing."""
        found = {}
        for name, kind in self.kinds.items():
            try:
                arrays = unpacked((self.folder / f"{name}.npz").read_bytes())
            except (FileNotFoundError, ValueError):
                continue
            if str(arrays.pop(WORDS, "")) == self.words:
                found[name] = _rebuilt(kind, arrays)
        return found

    def keep(self, name: str, part: Any, files: Mapping[str, bytes] = {}) -> None:
        """A part, and files that a person can read beside it; nothing for a part whose kind is not known."""
        if name not in self.kinds:
            return
        by_number = {str(i): item for i, item in enumerate(part)} if isinstance(part, tuple) else part
        arrays = {key: np.asarray(value) for key, value in flat(by_number).items()}
        write_whole({self.folder / f"{name}.npz": packed({WORDS: np.array(self.words), **arrays}),
                     **{self.folder / title: content for title, content in files.items()}})
        self.under_way(name).unlink(missing_ok=True)

    def under_way(self, name: str) -> Path:
        """The file for what there is of a part that is not finished: another one for every study."""
        return self.folder / f"{name}.{crc32(self.words.encode()):08x}.checkpoint"

    def begun(self) -> list[str]:
        """The parts that have such a file."""
        return [name for name in self.kinds if self.under_way(name).exists()]

    def remember(self, command: str) -> None:
        """The text of the command that began the study, for `unfinished_command`."""
        write_whole({self.folder / COMMAND: command.encode()})

    def clear(self) -> None:
        """Nothing is unfinished; what others put into the folder stays."""
        for ending in ("npz", "csv", "checkpoint"):
            for path in self.folder.glob(f"*.{ending}"):
                path.unlink()
        self.discard_if_empty()

    def discard_if_empty(self) -> None:
        """No folder where nothing was finished."""
        if not any(path.name != COMMAND for path in self.folder.glob("*")):
            (self.folder / COMMAND).unlink(missing_ok=True)
        for folder in (self.folder, self.folder.parent):
            if folder.exists() and not any(folder.iterdir()):
                folder.rmdir()


def unfinished_command(folder: str | Path) -> str | None:
    """What ``Unfinished.remember`` was told of the study that is unfinished in a folder; None where none is.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     before = ig.studies.unfinished_command(folder)
    ...     kept = ig.studies.Unfinished(folder, {"seed": 0}, {})
    ...     kept.remember("infogeo train …")
    ...     after = ig.studies.unfinished_command(folder)
    >>> before, after
    (None, 'infogeo train …')
    """
    try:
        return (Path(folder) / "unfinished" / COMMAND).read_text()
    except FileNotFoundError:
        return None


def flat(result: Any, prefix: str = "", without: tuple[type, ...] = ()) -> dict[str, Any]:
    """Every array, number and text of a result by its dotted name, for instance ``spectrum.condition``."""
    out = {}
    if is_dataclass(result):
        pairs = [(f.name, getattr(result, f.name)) for f in fields(result)]
        pairs = [(name, value) for name, value in pairs if not isinstance(value, without)]
    elif isinstance(result, dict):
        pairs = list(result.items())
    elif isinstance(result, tuple) and result and is_dataclass(result[0]):
        pairs = [(getattr(item, "method", None) or str(i), item) for i, item in enumerate(result)]
    else:
        return {prefix: result}
    for name, value in pairs:
        out.update(flat(value, f"{prefix}.{name}" if prefix else name, without))
    return out


def _rebuilt(kind: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """A dataclass, or a tuple of one, from what `flat` made of it."""
    if get_origin(kind) is tuple:
        names = dict.fromkeys(key.split(".")[0] for key in arrays)
        return tuple(_rebuilt(get_args(kind)[0], _below(name, arrays)) for name in names)
    hints = get_type_hints(kind)
    return kind(**{one.name: _value(hints[one.name], one.name, arrays) for one in fields(kind)})


def _below(name: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {key[len(name) + 1:]: value for key, value in arrays.items() if key.startswith(f"{name}.")}


def _value(hint: Any, name: str, arrays: Mapping[str, np.ndarray]) -> Any:
    if is_dataclass(hint):
        return _rebuilt(hint, _below(name, arrays))
    if hint is np.ndarray:
        return arrays[name]
    return tuple(arrays[name].tolist()) if get_origin(hint) is tuple else arrays[name].item()
