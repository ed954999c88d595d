"""Reference values in extended precision, computed once: tests/data/references.json, which `python -m tests.references` writes.

What a function decorated with `kept` gives is looked up there, by its name, its arguments and its text. Of a first argument that
is a function, a log-partition ψ, the key has what it gives at the points that follow. What is not found is computed: a changed
reference or ψ, and arguments that another processor rounds in another way.
"""
import atexit
import inspect
import json
import os
import zlib
from functools import cache, wraps
from pathlib import Path

import mpmath as mp
import numpy as np

__all__ = ["kept"]

FILE = Path(__file__).parent / "data/references.json"
WRITTEN: dict = {}              # what this run has computed
WRITING = "INFOGEO_REFERENCES" in os.environ


@atexit.register
def write():
    if WRITING:
        lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in sorted(WRITTEN.items()))
        FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


@cache
def stored():
    return json.loads(FILE.read_text(encoding="utf-8"))


def plain(x):
    """Numbers and lists of them; floats are written with all their digits."""
    if isinstance(x, tuple | list):
        return [plain(part) for part in x]
    return x.tolist() if isinstance(x, np.ndarray | np.generic) else x


def at(psi, x):
    """ψ at one point, and at 1.01 times it, in 20 digits."""
    with mp.workdps(30):
        point = [mp.mpf(float(v)) for v in np.atleast_1d(x)]
        return [mp.nstr(psi(at_scale), 20) for at_scale in (point, [v + v / 100 for v in point])]


def kept(function):
    """A reference whose results, floats or nested lists or arrays of them, come from the file, as float64 arrays or floats."""
    text = zlib.crc32(inspect.getsource(function).encode())

    @wraps(function)
    def looked_up(*arguments):
        points = [x for x in arguments if isinstance(x, list | np.ndarray)] if callable(arguments[0]) else []
        shown = [[at(arguments[0], x) for x in points] if callable(x) else plain(x) for x in arguments]
        key = f"{function.__module__.split('.')[-1]}.{function.__name__} {text:08x} {json.dumps(shown)}"
        found = None if WRITING else stored().get(key)
        if found is None:
            WRITTEN[key] = found = plain(function(*arguments))
        return np.array(found) if isinstance(found, list) else found
    return looked_up


def main():
    """Run the tests that ask for references, in one process, and keep what they ask for."""
    import pytest
    os.environ["INFOGEO_REFERENCES"] = "write"
    users = [str(path) for path in sorted(Path(__file__).parent.glob("facts/test_*.py"))
             if any(word in path.read_text(encoding="utf-8") for word in ("import kept", "positive_helpers", "counts_helpers"))]
    return pytest.main(["-q", "-p", "no:xdist", *users])


if __name__ == "__main__":
    raise SystemExit(main())
