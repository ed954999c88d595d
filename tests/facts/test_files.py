"""Files: whole or not there, data and not code, refused where they are damaged."""
import errno
import io
import json
import os
import pickle
import pickletools
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest

import infogeo as ig
from infogeo.arrays.files import packed, require_place, unpacked, write_whole
from infogeo.solvers import Snapshot
from infogeo.solvers.snapshot import VERSION
from infogeo.training import KFAC, Adam, Checkpoint, Momentum, PolyakAverage, Regularised, load_checkpoint

from .training_helpers import problem, run

FAMILY = ig.Categorical(3)
F = ig.CrossEntropy(FAMILY, [0.5, 0.3])


def descend(path=None, **changes):
    keep = {} if path is None else dict(callbacks=[Checkpoint(path, 5)])
    settings = dict(geometry=FAMILY, update=Momentum(0.5), step=ig.Constant(0.2), max_steps=10) | keep
    objective = changes.pop("objective", F)
    return ig.descend(objective, changes.pop("x0", np.zeros(2)), **settings | changes)


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "run.checkpoint"
    descend(path, max_steps=5)
    return path


# Archives

def test_an_archive_is_what_numpy_reads():
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.array("text"), "c": np.zeros((0, 2))}
    content = packed(arrays)
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        assert set(file.files) == {"a", "b", "c", "checksum"}
    for name, array in unpacked(content).items():
        np.testing.assert_array_equal(array, arrays[name], strict=True)
    assert packed(arrays) == content
    with pytest.raises(ValueError, match="allow_pickle"):
        packed({"o": np.array([object()])})


def test_every_flipped_byte_is_found_or_changes_nothing(checkpoint):
    """Of 400 places throughout the file: a ValueError that says so, or, in the archive's dates and such, the same snapshot."""
    content, whole = checkpoint.read_bytes(), unpacked(checkpoint.read_bytes())
    rng = np.random.default_rng(0)
    refused = 0
    for i in rng.choice(len(content), 400, replace=False):
        altered = bytearray(content)
        altered[i] ^= 1 << int(rng.integers(8))
        checkpoint.write_bytes(bytes(altered))
        try:
            snapshot = load_checkpoint(checkpoint)
        except ValueError as error:
            assert "whole and unaltered" in str(error) and checkpoint.name in str(error)
            refused += 1
        else:
            found = unpacked(snapshot.content)
            assert found.keys() == whole.keys() and all(np.array_equal(found[name], whole[name]) for name in whole)
    assert refused > 300


@pytest.mark.parametrize("damage", [
    lambda c: b"", lambda c: c[:-1], lambda c: c[:len(c) // 2], lambda c: c[1:], lambda c: b"garbage" * 99,
    lambda c: pickle.dumps({"k": 5}), lambda c: packed({"x": np.zeros(3)}),
    lambda c: packed({"version": np.array(99), "tree": np.zeros(2, np.uint8)}),
    lambda c: packed({"version": np.array(VERSION), "tree": np.frombuffer(b'{"k": 5}', np.uint8)}),
], ids=["empty", "short", "half", "late", "garbage", "a pickle", "other arrays", "a later version", "another tree"])
def test_damaged_files(checkpoint, damage):
    checkpoint.write_bytes(damage(checkpoint.read_bytes()))
    with pytest.raises(ValueError, match="path must be that of a checkpoint, whole and unaltered; .*run.checkpoint: ") as caught:
        load_checkpoint(checkpoint)
    assert caught.type is ValueError


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_checkpoint(tmp_path / "none")


def test_nothing_in_a_checkpoint_is_code(checkpoint):
    """No member is a pickle, and a class that no part of the run has is refused, not made."""
    with zipfile.ZipFile(checkpoint) as archive:
        for name in archive.namelist():
            array = np.lib.format.read_array(io.BytesIO(archive.read(name)), allow_pickle=False)
            assert array.dtype.kind in "fuibU"
    with pytest.raises(Exception):
        pickletools.dis(checkpoint.read_bytes(), out=io.StringIO())
    found = unpacked(checkpoint.read_bytes())
    tree = json.loads(found["tree"].tobytes())
    for name in (["subprocess", "Popen"], ["builtins", "eval"], ["os", "system"], ["infogeo.backend", "np.ndarray"],
                 ["infogeo.cli", "Path"], ["infogeo.backend", "arrays"]):
        tree["states"][0] = {"class": name, "inside": {"dict": []}}
        forged = found | {"tree": np.frombuffer(json.dumps(tree).encode(), dtype=np.uint8)}
        with pytest.raises(ValueError, match=f"resume needs {name[0]}.{name[1]}"):
            descend(callbacks=[Checkpoint(checkpoint, 99)], resume=Snapshot(5, packed(forged)))


def test_source_names_no_pickle():
    for path in Path(ig.__file__).parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "import pickle" not in text and "allow_pickle=True" not in text, path


# What a run that goes on must have in common with the one before

@pytest.mark.parametrize("changes, name", [
    (dict(step=ig.Constant(0.3)), "step="), (dict(step=ig.Backtracking()), "step="),
    (dict(step=ig.Constant([0.2, 0.2])), "step="),
    (dict(update=Momentum(0.6)), "update="), (dict(update=ig.GradientUpdate()), "update="), (dict(update=Adam()), "update="),
    (dict(objective=ig.CrossEntropy(FAMILY, [0.3, 0.5])), "objective"),
    (dict(objective=ig.ReverseKL(FAMILY, [0.0, 0.1])), "objective="),
    (dict(objective=ig.CrossEntropy(FAMILY, [[0.5, 0.3]] * 2)), "objective="),
    (dict(geometry=FAMILY.dual, x0=np.full(2, 0.2)), "geometry="), (dict(tol=1e-3), "tol="), (dict(record="values"), "record="),
    (dict(x0=np.zeros((2, 2))), "x0 of shape"), (dict(x0=np.zeros(2, np.float32)), "x0 of shape"),
    (dict(callbacks=[PolyakAverage()]), "callbacks="), (dict(callbacks=[]), "callbacks"),
    (dict(rng=np.random.default_rng(0)), "rng"),
    (dict(max_steps=3), "max_steps >= 5"),
])
def test_another_run_is_refused(checkpoint, changes, name):
    settings = dict(callbacks=[Checkpoint(checkpoint, 5)], resume=load_checkpoint(checkpoint)) | changes
    with pytest.raises(ValueError, match=f"resume needs .*{name}"):
        descend(**settings)


def test_the_same_run_is_not(checkpoint):
    whole = descend()
    again = descend(callbacks=[Checkpoint(checkpoint, 5)], resume=load_checkpoint(checkpoint),
                    objective=ig.CrossEntropy(FAMILY, [0.5, 0.3]), step=0.2)
    np.testing.assert_array_equal(again.path, whole.path)
    with pytest.raises(TypeError, match="resume must be a Snapshot"):
        descend(callbacks=[Checkpoint(checkpoint, 5)], resume=checkpoint)


def test_kfac_goes_on_bit_by_bit(tmp_path):
    """Its state holds operators with their factorisations."""
    model, w, batch = problem("categorical")
    parts = lambda: (Regularised(model.objective(batch), 1e-3), w,
                     KFAC(ig.curvature.Sampled(np.random.default_rng(3)), refresh=ig.training.Refresh(6, 2)))
    whole = run(*parts(), h=1.0)
    run(*parts(), h=1.0, max_steps=10, callbacks=[Checkpoint(tmp_path / "c", 10)])
    again = run(*parts(), h=1.0, seed=9, callbacks=[Checkpoint(tmp_path / "d", 99)], resume=load_checkpoint(tmp_path / "c"))
    np.testing.assert_array_equal(again.path, whole.path)


def test_memory_order_is_kept():
    """A batch with its coordinates slowest, as the loop has it, is that again: sums depend on it."""
    kept = []
    x0 = np.random.default_rng(0).normal(size=(3, 4, 2))
    settings = dict(geometry=FAMILY, update=ig.NaturalUpdate(), step=0.1, max_steps=9)
    keep = lambda moment: kept.append((moment.snapshot(), moment.x)) if moment.k == 4 else None
    whole = ig.descend(F, x0, **settings, callbacks=[keep])
    snapshot, x = kept[0]
    seen = []
    again = ig.descend(F, x0, **settings, callbacks=[lambda moment: seen.append(moment.x)], resume=snapshot)
    np.testing.assert_array_equal(again.path, whole.path)
    assert x.strides != np.ascontiguousarray(x).strides and seen[0].strides == x.strides


class Local:
    pass


class Odd:
    """A callback whose state is not data."""

    def __init__(self, state):
        self.state = state

    def __call__(self, moment):
        moment.snapshot()


def test_states_that_are_no_data_are_refused_by_name():
    with pytest.raises(TypeError, match="a state holds a builtins.function"):
        descend(callbacks=[Odd(lambda: 0)])
    with pytest.raises(TypeError, match="a state holds a .*Inner"):
        class Inner:
            pass
        descend(callbacks=[Odd(Inner())])
    descend(callbacks=[Odd({"a": (1, 2.5, None, True, "s", float("nan"), 3 + 4j, np.float32(1), slice(1, None)), 5: [Local()]})])


# Writing

def test_what_a_callback_sees_cannot_be_written():
    def write(moment):
        moment.x[0] = 3.0

    with pytest.raises(ValueError, match="read-only"):
        descend(callbacks=[write])


def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_leaves_what_was_there(checkpoint, monkeypatch):
    before = checkpoint.read_bytes()
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left.*run.checkpoint") as caught:
        descend(checkpoint)
    assert caught.value.errno == errno.ENOSPC and caught.value.filename == str(checkpoint)
    assert checkpoint.read_bytes() == before and [*checkpoint.parent.iterdir()] == [checkpoint]


def test_several_files_are_all_written_or_none(tmp_path, monkeypatch):
    files = {tmp_path / name: name.encode() for name in "abc"}
    write_whole(files)
    written, sync = [], os.fsync

    def third_time(handle):
        written.append(handle)
        return full() if len(written) == 3 else sync(handle)

    monkeypatch.setattr("os.fsync", third_time)
    with pytest.raises(OSError, match="No space left"):
        write_whole({path: b"new" for path in files})
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == files


def test_links_and_modes(tmp_path):
    """What a link points to is replaced, the link stays; a new file has the mode that the process gives to files."""
    there, link = tmp_path / "there", tmp_path / "link"
    link.symlink_to(there)
    write_whole({link: b"1"})
    assert link.is_symlink() and there.read_bytes() == b"1"
    (tmp_path / "plain").write_bytes(b"")
    assert stat.S_IMODE(there.stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_a_place_that_cannot_be_written_is_refused_before_the_work(tmp_path):
    with pytest.raises(FileNotFoundError, match="nodir"):
        Checkpoint(tmp_path / "nodir" / "c", 40)
    with pytest.raises(IsADirectoryError):
        Checkpoint(tmp_path)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError):
        Checkpoint(tmp_path / "file" / "c")
    with pytest.raises(NotADirectoryError):
        require_place(tmp_path / "file", directory=True)
    with pytest.raises(NotADirectoryError):
        require_place(tmp_path / "file" / "below" / "it", directory=True)
    require_place(tmp_path / "new" / "below", directory=True)
    require_place(tmp_path / "file")
    assert not (tmp_path / "new").exists()
