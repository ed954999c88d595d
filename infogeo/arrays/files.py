"""Files that are whole or not there: arrays with a checksum, and writing that replaces a file, or several, at once."""
import errno
import hashlib
import io
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex

import numpy as np

__all__ = ["packed", "require_place", "unpacked", "write_whole"]

CHECKSUM = "checksum.npy"


def packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Arrays by name as an NPZ file, which `numpy.load` reads, with the SHA-256 of all of them as one more array."""
    members = {f"{name}.npy": _npy(np.asarray(array)) for name, array in arrays.items()}
    members[CHECKSUM] = _npy(np.array(_digest(members)))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)       # of no date: equal arrays are equal bytes
    return out.getvalue()


def unpacked(content: bytes) -> dict[str, np.ndarray]:
    """The arrays of `packed`, none of which is looked at before the checksum has been.

    Raises
    ------
    ValueError
        Where the bytes are something else, or not what was written.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        checksum = members.pop(CHECKSUM)
    except Exception as error:      # of a damaged file zipfile raises a dozen kinds, and which one tells nobody anything
        raise ValueError(f"no whole archive of arrays ({error or type(error).__name__})") from None
    if checksum != _npy(np.array(_digest(members))):
        raise ValueError("its checksum is not that of its content: it was altered or damaged")
    return {name.removesuffix(".npy"): np.lib.format.read_array(io.BytesIO(member), allow_pickle=False)
            for name, member in members.items()}


def _npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array(out, array, allow_pickle=False)
    return out.getvalue()


def _digest(members: Mapping[str, bytes]) -> str:
    found = hashlib.sha256()
    for name, content in members.items():
        found.update(f"{name} {len(content)} ".encode())
        found.update(content)
    return found.hexdigest()


def write_whole(files: Mapping[Path, bytes]) -> None:
    """Write files, all of which are there under temporary names, on the disk, before the first gets its own name.

    A link keeps being one: what it points to is replaced.

    Raises
    ------
    OSError
        Naming the file. Then none of them is replaced, and no part of one is left.
    """
    written: dict[Path, str] = {}
    path = Path()
    try:
        for path, content in files.items():
            path = path.resolve()
            written[path] = name = str(path.with_name(f".{path.name}.{token_hex(4)}.part"))
            with open(name, "xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for path, name in written.items():
            os.replace(name, path)
        for directory in {path.parent for path in written}:
            _sync(directory)
    except BaseException as error:
        for name in written.values():
            if os.path.exists(name):
                os.unlink(name)
        if isinstance(error, OSError):
            raise type(error)(error.errno, f"{error.strerror or error}; the file was not written", str(path)) from None
        raise


def _sync(directory: Path) -> None:
    """The names in a directory, on the disk; not every system lets a directory be opened."""
    try:
        handle = os.open(directory, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def require_place(path: Path, *, directory: bool = False) -> None:
    """Nothing, if a file can be written there, or a directory be made where it is missing: to be asked before the work.

    Raises
    ------
    OSError
        Naming what is in the way.
    """
    if path.exists() and path.is_dir() != directory:
        number, kind = (errno.ENOTDIR, NotADirectoryError) if directory else (errno.EISDIR, IsADirectoryError)
        raise kind(number, os.strerror(number), str(path))
    above = path if directory and path.exists() else path.resolve().parent
    while directory and not above.exists():
        above = above.parent
    for wrong, number in ((not above.exists(), errno.ENOENT), (not above.is_dir(), errno.ENOTDIR),
                          (not os.access(above, os.W_OK), errno.EACCES)):
        if wrong:
            raise OSError(number, os.strerror(number), str(above))
