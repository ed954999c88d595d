"""What a run goes on from, as data: arrays and plain values, which run no code when they are read."""
from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from array_api_compat import is_array_api_obj

from ..arrays.files import packed, unpacked
from ..backend import Array, Namespace, arrays, backend_of, to_numpy

__all__ = ["Snapshot", "described"]

# Of the content of a snapshot; another number is another form, which is refused
VERSION = 2
PACKAGE = __name__.partition(".")[0]


@dataclass(frozen=True)
class Snapshot:
    """What ``descend(…, resume=snapshot)`` goes on from, bit by bit as if it had never stopped.

    Mathematically, the whole state of the Markov chain that a run is: points, the state of the update, of the generator, and of
    every part (objective, update, callbacks, geometry) that has an attribute `state`.

    States are made of arrays, numbers, texts, tuples, lists, dicts, named tuples, and objects of this library or of the modules
    of the run's parts, which are kept field by field.

    Attributes
    ----------
    k : int
        Steps taken.
    content : bytes
        The rest: an NPZ file with a version and a checksum.
    earlier : sequence of dicts of arrays
        The records of the steps before those that the content holds, where these were kept elsewhere.

    Examples
    --------
    >>> f, kept = lambda x: (x @ x / 2, x), []
    >>> how = dict(geometry=ig.Euclidean(1), update=ig.AcceleratedMirror(),
    ...            step=0.1,
    ...            callbacks=[lambda moment: kept.append(moment.snapshot())])
    >>> run = ig.descend(f, [1.0], max_steps=9, **how)
    >>> again = ig.descend(f, [1.0], max_steps=9, resume=kept[3], **how)
    >>> kept[3].k, bool(np.array_equal(run.path, again.path))
    (4, True)
    """

    k: int
    content: bytes
    earlier: Sequence[dict[str, np.ndarray]] = ()

    @classmethod
    def of(cls, k: int, rng: Any, parts: Sequence[Any], run: dict[str, Any], note: Any = None, **loop: Any) -> Snapshot:
        if rng is not None and not isinstance(rng, np.random.Generator):
            raise TypeError(f"a snapshot needs a numpy.random.Generator, whose state can be kept; got {type(rng).__name__}")
        writer = _Writer(_modules(parts))
        tree = {"k": k, "run": run, "note": note, "generator": writer.tree(None if rng is None else rng.bit_generator.state),
                "states": [writer.tree(getattr(part, "state", None)) for part in parts], "loop": writer.tree(loop)}
        text = np.frombuffer(json.dumps(tree, allow_nan=False).encode(), dtype=np.uint8)
        return cls(k, packed({"version": np.array(VERSION), "tree": text} | writer.arrays))

    @classmethod
    def from_bytes(cls, content: bytes) -> Snapshot:
        """A snapshot whose content was kept elsewhere.

        Raises
        ------
        ValueError
            Where the bytes are not that, whole and unaltered.
        """
        return cls(_read(content)[0]["k"], content)

    @property
    def note(self) -> Any:
        """What was given to be kept with it."""
        return _read(self.content)[0]["note"]

    def restore(self, rng: Any, parts: Sequence[Any], run: dict[str, Any], x: Array) -> dict[str, Any]:
        """The loop's own variables, after the generator and the parts got theirs; arrays are of the library of x.

        Raises
        ------
        ValueError
            If the run at hand is of other parts than the one that the snapshot was taken of.
        """
        tree, found = _read(self.content)
        _require_same(tree["run"], run)
        reader = _Reader(_modules(parts), found, backend_of(x))
        generator, states = reader.value(tree["generator"]), [*map(reader.value, tree["states"])]
        loop: dict[str, Any] = reader.value(tree["loop"])
        for name, last in loop["records"].items():
            whole = [reader.xp.asarray(part[name]) for part in self.earlier]
            loop["records"][name] = reader.xp.concat([*whole, last]) if whole else last
        if generator is not None:
            rng.bit_generator.state = generator
        for part, state in zip(parts, states):
            if state is not None:
                part.state = state
        return loop


def _require_same(before: dict[str, Any], now: dict[str, Any]) -> None:
    """The run at hand is the one of the snapshot, part by part."""
    if (before["rng"] == "NoneType") != (now["rng"] == "NoneType"):
        raise ValueError("resume needs an rng where the run that it goes on from had one, and only there")
    if len(before["callbacks"]) != len(now["callbacks"]):
        raise ValueError(f"resume needs the {len(before['callbacks'])} callbacks of the run that it continues; got "
                         f"{len(now['callbacks'])}")
    for name, was in before.items():
        if now[name] != was:
            raise ValueError(f"resume needs the {name}= of the run that it goes on from, {_short(was)}; got "
                             f"{_short(now[name])}")


def _short(text: Any) -> str:
    return str(text) if len(str(text)) <= 100 else str(text)[:97] + "..."


def described(part: Any) -> str:
    """A part of a run in words that another run of the same parts has, too: its class, what it shows, its arrays' digests."""
    if part is None or isinstance(part, (bool, int, float, str)):
        return repr(part)
    if not isinstance(part, type) and is_array_api_obj(part):
        host = np.asarray(to_numpy(part), order="C")
        return f"array {tuple(host.shape)} {host.dtype} {sha256(host.tobytes()).hexdigest()[:16]}"
    if isinstance(part, (tuple, list)):
        return f"({', '.join(map(described, part))})"
    if is_dataclass(part) and not isinstance(part, type):
        inside = (f"{field.name}={described(getattr(part, field.name))}" for field in fields(part) if field.init)
        return f"{type(part).__qualname__}({', '.join(inside)})"
    if name := getattr(part, "__qualname__", ""):           # a class, a function
        return str(name)
    if type(part).__repr__ == vars(object)["__repr__"]:
        return type(part).__qualname__
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(part))      # an address is another one in every process


def _modules(parts: Sequence[Any]) -> set[str]:
    """The modules beside this library whose classes a state may have."""
    return {type(part).__module__ for part in parts} - {"builtins", "__builtin__"}


def _read(content: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    found = unpacked(content)
    version = found.pop("version", None)
    if version is None or "tree" not in found:
        raise ValueError("it holds other arrays than those of a snapshot")
    if version.shape != () or int(version) != VERSION:
        raise ValueError(f"it has the version {version}, and this library reads version {VERSION}")
    tree = json.loads(found.pop("tree").tobytes())
    if not isinstance(tree, dict) or not {"k", "note", "run", "generator", "states", "loop"} <= set(tree):
        raise ValueError("it holds something else than a snapshot")
    return tree, found


class _Writer:
    """Values as trees for JSON, with their arrays beside it, each once."""

    def __init__(self, modules: set[str]) -> None:
        self.modules = modules
        self.arrays: dict[str, np.ndarray] = {}
        self.names: dict[int, tuple[str, Any]] = {}

    def tree(self, value: Any) -> Any:
        if value is None or isinstance(value, (bool, str)) or type(value) is int:
            return value
        if type(value) is float:
            return {"float": value.hex()}
        if isinstance(value, Namespace):
            return {"namespace": value.name == "numpy"}
        if _is_dtype(value):
            return {"dtype": _dtype_name(value), "numpy": isinstance(value, np.dtype)}
        if isinstance(value, (np.generic, complex)) or not isinstance(value, type) and is_array_api_obj(value):
            return self.array(value)
        if isinstance(value, slice):
            return {"slice": [value.start, value.stop, value.step]}
        if type(value) in (tuple, list):
            return {type(value).__name__: [self.tree(item) for item in value]}
        if type(value) is dict:
            return {"dict": [[self.tree(key), self.tree(item)] for key, item in value.items()]}
        return self.object(value)

    def array(self, value: Any) -> Any:
        """In the memory order that it has: sums depend on it."""
        name = self.names.get(id(value), (None, None))[0]
        if name is None:
            name = f"array_{len(self.arrays)}"
            self.names[id(value)] = name, value
            host = to_numpy(value)
            self.arrays[name] = np.asarray(host.transpose(_order(host)), order="C")
        kind = "scalar" if isinstance(value, (np.generic, complex)) else "host" if isinstance(value, np.ndarray) else "array"
        return {kind: name, "order": _order(to_numpy(value))}

    def object(self, value: Any) -> Any:
        cls = type(value)
        if not _allowed(cls, self.modules) or not (hasattr(value, "__dict__") or isinstance(value, tuple)):
            raise TypeError(f"a snapshot keeps arrays, plain values, and objects of {PACKAGE} or of the modules of the run's "
                            f"parts; a state holds a {cls.__module__}.{cls.__qualname__}")
        inside = self.tree(list(value) if isinstance(value, tuple) else vars(value))
        return {"class": [cls.__module__, cls.__qualname__], "inside": inside}


class _Reader:
    """The values of such trees: no class is called, and none is made but those that a state may have."""

    def __init__(self, modules: set[str], found: dict[str, np.ndarray], xp: Namespace) -> None:
        self.modules, self.found, self.xp = modules, found, xp
        self.made: dict[tuple[str, str], Array] = {}

    def value(self, tree: Any) -> Any:
        if not isinstance(tree, dict):
            return tree
        kind = next(iter(tree))
        inside = tree[kind]
        make: dict[str, Callable[[], Any]] = {
            "float": lambda: float.fromhex(inside),
            "namespace": lambda: arrays(np.zeros(1))[0] if inside else self.xp,
            "scalar": lambda: self.found[inside][()],
            "host": lambda: self.array(kind, inside, tree["order"]),
            "array": lambda: self.array(kind, inside, tree["order"]),
            "dtype": lambda: np.dtype(inside) if tree["numpy"] else getattr(self.xp, inside),
            "slice": lambda: slice(*inside),
            "tuple": lambda: tuple([self.value(item) for item in inside]),
            "list": lambda: [self.value(item) for item in inside],
            "dict": lambda: {self.value(key): self.value(item) for key, item in inside},
            "class": lambda: self.object(inside, self.value(tree["inside"])),
        }
        return make[kind]()

    def array(self, kind: str, name: str, order: list[int]) -> Array:
        known = self.made.get((kind, name))
        if known is None:
            host = self.found[name].transpose(np.argsort(order))
            known = self.made[kind, name] = host if kind == "host" else self.xp.asarray(host)
        return known

    def object(self, name: list[str], inside: Any) -> Any:
        cls: Any = sys.modules.get(name[0])
        for part in name[1].split("."):
            cls = getattr(cls, part, None)
        if not isinstance(cls, type) or not _allowed(cls, self.modules):
            raise ValueError(f"resume needs {name[0]}.{name[1]}, of which the snapshot holds an object; it is no class of "
                             f"{PACKAGE} or of the module of a part of the run")
        if issubclass(cls, tuple):
            return tuple.__new__(cls, inside)
        made = object.__new__(cls)
        made.__dict__.update(inside)
        return made


def _allowed(cls: type, modules: set[str]) -> bool:
    """Whether a state may hold objects of a class: its module is known to the run, and its name leads to it."""
    return (cls.__module__.partition(".")[0] == PACKAGE or cls.__module__ in modules) and "<locals>" not in cls.__qualname__


def _order(host: np.ndarray) -> list[int]:
    """The axes from the slowest to the fastest in memory."""
    return sorted(range(host.ndim), key=lambda axis: (-abs(host.strides[axis]), axis))


def _is_dtype(value: Any) -> bool:
    """Whether a value is a dtype of some array library, or a type of NumPy's numbers, which serves as one."""
    return isinstance(value, type) and issubclass(value, np.generic) or "dtype" in type(value).__name__.lower()


def _dtype_name(dtype: Any) -> str:
    return np.dtype(dtype).name if isinstance(dtype, (np.dtype, type)) else str(dtype).rpartition(".")[2]
