"""Work in blocks: serial, resumed, killed and elsewhere it is the same to the last bit, and what is missing is said."""
import io
import json
import os
import signal
from pathlib import Path

import joblib
import numpy as np
import pytest
from distributed import Client, LocalCluster
from distributed.client import FutureCancelledError

import infogeo as ig
from infogeo.studies import BlocksError, in_blocks, load_blocks

N = 8


def sweep(i):
    """Natural gradient on Poisson laws, two targets a block."""
    family, rng = ig.Poisson(), np.random.default_rng([7, i])
    target = rng.normal(size=(2, 1))
    run = ig.descend(ig.CrossEntropy(family, family.to_eta(target)), np.zeros(1), geometry=family, update=ig.NaturalUpdate(),
                     step=ig.Constant(0.5), max_steps=5, record=None)
    return {"kl": family.kl(target, run.x), "status": run.status, "block": i}


class Killed:
    """A task whose worker is killed by signal 9 in the middle, the first time that it comes to block 4."""

    def __init__(self, mark):
        self.mark = str(mark)

    def __call__(self, i):
        if i == 4 and not os.path.exists(self.mark):
            Path(self.mark).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return sweep(i)


def files(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    """The result of one process, and the files that it left."""
    folder = tmp_path_factory.mktemp("serial")
    return in_blocks(sweep, N, folder), files(folder)


def test_what_one_process_does(serial):
    found, left = serial
    expected = [sweep(i) for i in range(N)]
    assert np.array_equal(found["kl"], np.concatenate([one["kl"] for one in expected])) and found["kl"].shape == (2 * N,)
    assert np.array_equal(found["block"], np.arange(N))                     # numbers become a row each
    assert set(left) == {f"block-{i:06d}.npz" for i in range(N)} | {"blocks.json", "gathered.npz"}
    with np.load(io.BytesIO(left["gathered.npz"])) as file:
        assert np.array_equal(file["kl"], found["kl"])


def test_a_second_start_goes_on(serial, tmp_path):
    """What is there is not done again; a file that is damaged is; a part that a killed worker left is swept up."""
    done = []

    def counted(i):
        done.append(i)
        if len(done) == 4:
            raise KeyboardInterrupt
        return sweep(i)

    with pytest.raises(KeyboardInterrupt):
        in_blocks(counted, N, tmp_path)
    (tmp_path / "block-000001.npz").write_bytes(b"not whole")
    (tmp_path / ".block-000005.npz.0123abcd.part").write_bytes(b"half")
    found = in_blocks(counted, N, tmp_path)
    assert done == [0, 1, 2, 3, 1, 3, 4, 5, 6, 7]
    assert all(np.array_equal(found[name], serial[0][name]) for name in found) and files(tmp_path) == serial[1]
    assert in_blocks(counted, N, tmp_path).keys() == found.keys() and len(done) == 10


def test_a_block_that_is_started_twice_is_done_once(tmp_path):
    """As a cluster does whose worker died after it was done."""
    done = []

    def counted(i):
        done.append(i)
        return sweep(i)

    in_blocks(counted, 3, tmp_path, map=lambda f, blocks: [f(i) for i in blocks for _ in range(2)])
    assert done == [0, 1, 2]


def test_joblib(serial, tmp_path):
    in_blocks(sweep, N, tmp_path,
              map=lambda f, blocks: joblib.Parallel(2, prefer="threads")(joblib.delayed(f)(i) for i in blocks))
    assert files(tmp_path) == serial[1]


def test_a_cluster(serial, tmp_path):
    """Two workers; one is killed half-way; then a client that is closed before the end, and another one."""
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster:
        def on(client):
            return lambda f, blocks: client.gather(client.map(f, blocks, pure=False))

        with Client(cluster, set_as_default=False) as client:
            in_blocks(Killed(tmp_path / "mark"), N, tmp_path / "killed", map=on(client))
            assert (tmp_path / "mark").exists() and files(tmp_path / "killed") == serial[1]

            def closed(f, blocks):
                futures = client.map(f, blocks[:3], pure=False)
                client.gather(futures)
                futures = client.map(f, blocks[3:], pure=False)
                client.close()
                return [future.result() for future in futures]

            with pytest.raises(FutureCancelledError):
                in_blocks(sweep, N, tmp_path / "closed", map=closed)
        with Client(cluster, set_as_default=False) as client:
            in_blocks(sweep, N, tmp_path / "closed", map=on(client))
    assert files(tmp_path / "closed") == serial[1]


def test_other_work_in_the_folder(tmp_path):
    in_blocks(sweep, 2, tmp_path, setting={"seed": 7})
    for n, setting in ((2, {"seed": 8}), (3, {"seed": 7}), (2, None)):
        with pytest.raises(BlocksError, match="other work .* there, .* here"):
            in_blocks(sweep, n, tmp_path, setting=setting)
    with pytest.raises(BlocksError, match="seed 7 there, 8 here"):
        in_blocks(sweep, 2, tmp_path, setting={"seed": 8})
    assert json.loads((tmp_path / "blocks.json").read_text())["setting"] == {"seed": 7}
    with pytest.raises(BlocksError, match="no folder of blocks"):
        load_blocks(tmp_path / "elsewhere")


def test_blocks_that_are_not_there(tmp_path):
    """As from workers that see another disk."""
    with pytest.raises(BlocksError, match="4 of 4 blocks are not in .* another disk"):
        in_blocks(sweep, 4, tmp_path, map=lambda f, blocks: list(blocks))


@pytest.mark.parametrize("task, words", [
    (lambda i: 3, "block 0 returned int"), (lambda i: {}, "block 0 returned dict"), (lambda i: {1: 2}, "block 0 returned dict"),
    (lambda i: {"x": object()}, "block 0 returned x of objects"),
], ids=["number", "nothing", "names", "objects"])
def test_what_a_task_must_return(task, words, tmp_path):
    with pytest.raises(TypeError, match=words):
        in_blocks(task, 1, tmp_path)


def test_an_error_says_in_which_block(tmp_path):
    with pytest.raises(ZeroDivisionError) as caught:
        in_blocks(lambda i: {"x": 1 // (2 - i)}, 4, tmp_path)
    assert caught.value.__notes__ == ["in block 2"]
    with pytest.raises(BlocksError, match="block 1 has the arrays y, block 0 x"):
        in_blocks(lambda i: {"xy"[i]: [1.0]}, 2, tmp_path / "names")
    with pytest.raises(BlocksError, match=r"x has shape \(1, 2\) in block 1 and \(1, 1\) in block 0"):
        in_blocks(lambda i: {"x": np.zeros((1, i + 1))}, 2, tmp_path / "shapes")
    with pytest.raises(TypeError, match="task must be a function"):
        in_blocks(3, 2, tmp_path / "task")
    with pytest.raises(TypeError, match="what JSON can hold"):
        in_blocks(sweep, 2, tmp_path / "setting", setting=np.arange(3))
    with pytest.raises(TypeError, match="what JSON can hold"):              # NaN, which another start would find changed
        in_blocks(sweep, 2, tmp_path / "nan", setting={"temperature": np.nan})
    with pytest.raises(ig.DomainError, match="n an integer"):
        in_blocks(sweep, 0, tmp_path)
