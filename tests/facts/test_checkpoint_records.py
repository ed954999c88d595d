"""Checkpoints of long records: what one writes is bounded, and both files are whole, or the run before is there."""
import errno
import os
import shutil

import numpy as np
import pytest

import infogeo as ig
from infogeo.training import Checkpoint, Momentum, load_checkpoint
from infogeo.training.checkpoint import INLINE

FAMILY = ig.Categorical(101)
X0 = np.random.default_rng(0).standard_normal((2, 100))
PART = 200                      # steps: a part of the record exceeds INLINE
assert PART * X0.nbytes > INLINE


def descend(max_steps, path=None, every=PART, **changes):
    f = ig.CrossEntropy(FAMILY, np.full(100, 1 / 101))
    keep = [] if path is None else [Checkpoint(path, every)]
    settings = dict(geometry=FAMILY, update=Momentum(0.5), step=ig.Constant(0.2), max_steps=max_steps, callbacks=keep)
    return ig.descend(f, X0, **settings | changes)


def records(path):
    return sorted(path.parent.glob("*.records"))


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "run.checkpoint"
    descend(3 * PART, path)
    return path


def test_a_run_goes_on_from_both_files(checkpoint):
    whole = descend(4 * PART + 7)
    before = records(checkpoint)
    again = descend(4 * PART + 7, checkpoint, every=10, resume=load_checkpoint(checkpoint))
    for name in ("x", "path", "values", "steps"):
        np.testing.assert_array_equal(getattr(again, name), getattr(whole, name))
    assert len(before) == len(records(checkpoint)) == 1 and records(checkpoint) != before       # of the run that went on
    np.testing.assert_array_equal(descend(4 * PART + 7, checkpoint, resume=load_checkpoint(checkpoint)).path, whole.path)


def test_a_record_of_every_third_step(tmp_path):
    more, path = dict(record=ig.Every(3)), tmp_path / "c"
    descend(6 * PART, path, **more)
    assert len(records(path)) == 1
    again = descend(6 * PART + 2, path, **more, resume=load_checkpoint(path))
    np.testing.assert_array_equal(again.path, descend(6 * PART + 2, **more).path)


def test_what_is_written_is_bounded(checkpoint):
    """The record once, in its own file, and in the other one less than `INLINE` beside the state."""
    place, = records(checkpoint)
    nbytes = 3 * PART * (X0.nbytes + X0[:, 0].nbytes)
    assert nbytes < place.stat().st_size < 1.01 * nbytes
    assert checkpoint.stat().st_size < INLINE / 4


def test_no_record_no_second_file(tmp_path):
    path = tmp_path / "c"
    descend(PART, path, record=None)
    assert list(tmp_path.iterdir()) == [path]
    descend(3, path, every=1)
    assert list(tmp_path.iterdir()) == [path]


def test_another_run_of_the_same_callback(checkpoint):
    """Its records are its own: those of the run before are not taken for them, nor left behind."""
    keep = Checkpoint(checkpoint, PART)
    for h in (0.2, 0.1):
        run = descend(2 * PART, callbacks=[keep], step=ig.Constant(h))
    again = descend(2 * PART + 3, checkpoint, step=ig.Constant(0.1), resume=load_checkpoint(checkpoint))
    np.testing.assert_array_equal(again.path[:2 * PART + 1], run.path)
    assert len(records(checkpoint)) == 1


def test_damaged_records(checkpoint):
    place, = records(checkpoint)
    whole = place.read_bytes()
    for wrong in (whole[:-1], b"", whole[1:], whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:]):
        place.write_bytes(wrong)
        with pytest.raises(ValueError, match=r"whole and unaltered; .*run.checkpoint: its records in .*records were altered"):
            load_checkpoint(checkpoint)
    place.write_bytes(whole + b"what a process began to write when it ended")
    assert load_checkpoint(checkpoint).k == 3 * PART
    place.unlink()
    with pytest.raises(ValueError, match="there is no such file"):
        load_checkpoint(checkpoint)


def test_files_move_together(checkpoint, tmp_path):
    there = tmp_path / "there"
    there.mkdir()
    for path in (checkpoint, *records(checkpoint)):
        shutil.move(path, there)
    assert load_checkpoint(there / checkpoint.name).k == 3 * PART


@pytest.mark.parametrize("call", range(1, 6))
def test_a_full_disk_leaves_the_checkpoint_before(checkpoint, monkeypatch, call):
    """Whichever of the writes to the disk fails: the message has a path, and the run goes on from one checkpoint or the other."""
    resume, calls, fsync = load_checkpoint(checkpoint), [], os.fsync

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) == call:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="not written.*run.checkpoint"):
        descend(6 * PART, checkpoint, resume=resume)
    monkeypatch.undo()
    found = load_checkpoint(checkpoint)
    assert found.k in (3 * PART, 4 * PART, 5 * PART)
    assert not list(checkpoint.parent.glob("*.part")) and len(records(checkpoint)) <= 2
    np.testing.assert_array_equal(descend(6 * PART, checkpoint, resume=found).path, descend(6 * PART).path)
