"""Data sets, named architectures, and optimisers side by side."""
import json
from dataclasses import replace

import numpy as np
import pytest

from infogeo import Categorical, Independent, Normal, Poisson, Status
from infogeo.cli import main
from infogeo.networks import CrossEntropyLoss, load
from infogeo.studies import InputError, training
from infogeo.studies.architecture import task
from infogeo.studies.dataset import Dataset, dataset
from infogeo.studies.training import OPTIMISERS, train
from infogeo.studies.training_report import report_training, write_training

RNG = np.random.default_rng(0)
IMAGES = Dataset("images", RNG.uniform(0, 1, (40, 16)), RNG.integers(0, 3, 40))


def test_digits():
    pytest.importorskip("sklearn", reason="scikit-learn is an extra")
    data = dataset("digits")
    assert data.x.shape == (1797, 64) and data.x.min() == 0 and data.x.max() == 1
    assert sorted(set(data.y)) == list(range(10)) and data.images().shape == (1797, 8, 8, 1)


def test_files(tmp_path):
    np.savez(tmp_path / "a.npz", x=IMAGES.x, y=IMAGES.y)
    found = dataset(str(tmp_path / "a.npz"))
    np.testing.assert_array_equal(found.x, IMAGES.x)
    np.testing.assert_array_equal(found.y, IMAGES.y)
    (tmp_path / "b.csv").write_text("u,kind,v\n1.5,0,2\n2.5,1,3\n")
    found = dataset(str(tmp_path / "b.csv"), "kind")
    np.testing.assert_array_equal(found.x, [[1.5, 2], [2.5, 3]])
    np.testing.assert_array_equal(found.y, [0, 1])
    assert found.y.dtype.kind == "i" and dataset(str(tmp_path / "b.csv")).y is None
    assert dataset(str(tmp_path / "b.csv"), "u").y.dtype.kind == "f"


@pytest.mark.parametrize("text, target, message", [
    ("u,v\n1,2\n3\n", None, "line 3: no value in column 'v'"),
    ("u,v\n1,x\n", None, "line 2, column 'v': 'x' is not a number"),
    ("u,v\n", None, "line 2: the file has a header but no rows"),
    ("u,v\n1,2\n", "w", "no column 'w'; the columns are 'u', 'v'"),
    ("u,v\n1,nan\n", None, "not a finite number"),
    ("u,v\n1,a\n2,3\n", "v", "line 2, column 'v': 'a' is not a number"),
    ("u,v\n1,a\n2,\n", "v", "line 3: no value in column 'v'"),
    ("u,v\n,a\n2,b\n", "v", "line 2, column 'u': '' is not a number"),
    ("v\na\nb\n", "v", "no column beside 'v'"),
])
def test_files_that_are_none(tmp_path, text, target, message):
    (tmp_path / "c.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        dataset(str(tmp_path / "c.csv"), target)


def test_npz_files_that_are_none(tmp_path):
    (tmp_path / "d.npz").write_text("no")
    np.savez(tmp_path / "e.npz", z=np.zeros(2))
    np.savez(tmp_path / "f.npz", x=np.zeros((2, 1)), y=np.zeros(3))
    for name, message in (("d", "not an NPZ file"), ("e", "no array x"), ("f", "2 inputs and 3 targets")):
        with pytest.raises(InputError, match=message):
            dataset(str(tmp_path / f"{name}.npz"))
    with pytest.raises(InputError, match="'digits'"):
        dataset("faces")
    whole = (tmp_path / "f.npz").read_bytes()
    for n in (10, len(whole) // 2, len(whole) - 5):
        (tmp_path / "g.npz").write_bytes(whole[:n])
        with pytest.raises(InputError, match="not an NPZ file"):
            dataset(str(tmp_path / "g.npz"))
    np.savez(tmp_path / "h.npz", x=np.array([["a"], ["b"]]))
    with pytest.raises(InputError, match="x must be numbers"):
        dataset(str(tmp_path / "h.npz"))
    (tmp_path / "i.csv").write_bytes("größe\n1\n".encode("latin-1"))
    with pytest.raises(InputError, match="not a CSV text file"):
        dataset(str(tmp_path / "i.csv"))


def test_an_interrupt_is_one_line_and_a_second_start_goes_on(tmp_path, monkeypatch, capsys):
    np.savez(tmp_path / "images.npz", x=IMAGES.x, y=IMAGES.y)
    out = tmp_path / "out"
    command = ["train", "--data", str(tmp_path / "images.npz"), "--architecture", "classifier", "--steps", "3", "--seed", "1",
               "--optimiser", "sgd", "adam", "--out", str(out)]
    real, begun = training.descend, []

    def second_is_interrupted(*args, **kwargs):
        begun.append(1)
        if len(begun) == 2:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    monkeypatch.setattr(training, "descend", second_is_interrupted)
    assert main(command) == 130
    said = f"infogeo: interrupted; finished and kept in {out / 'unfinished'}: sgd; the same command goes on from there\n"
    assert capsys.readouterr().err == said
    assert sorted(path.name for path in (out / "unfinished").iterdir()) == ["command.json", "sgd.npz"]
    assert len(list(out.iterdir())) == 1
    assert main(["train", "--resume", str(out)]) == 0 and len(begun) == 3
    assert main(["train", "--resume", str(out)]) == 2 and "nothing is unfinished there; --start" in capsys.readouterr().err
    assert len(list(out.iterdir())) == 5
    assert main(command[:-2]) == 0
    found = json.loads((out / "training.json").read_text())["runs"]
    assert found["sgd"]["steps"] == [0, 1, 2, 3] and set(found) == {"sgd", "adam"}
    begun[:] = [1]
    assert main([*command[:-2], "--seed", "2"]) == 130
    assert "with --out DIR, what is finished would have been kept" in capsys.readouterr().err


def test_a_run_that_is_interrupted_goes_on_in_the_middle(tmp_path, monkeypatch, capsys):
    """Ctrl-C after two steps of five: the second start takes the last three, to the weights of a run at once."""
    np.savez(tmp_path / "images.npz", x=IMAGES.x, y=IMAGES.y)
    command = ["train", "--data", str(tmp_path / "images.npz"), "--architecture", "classifier", "--steps", "5", "--batch", "10",
               "--optimiser", "kfac", "--out"]
    assert main([*command, str(tmp_path / "at once")]) == 0
    real, seen, out = training._Clock.__call__, [], tmp_path / "out"

    def interrupted(clock, moment):
        seen.append(moment.k)
        if seen == [1, 2, 3]:
            raise KeyboardInterrupt
        real(clock, moment)

    monkeypatch.setattr(training._Clock, "__call__", interrupted)
    monkeypatch.setattr(training, "KEPT_EVERY", 0.0)
    assert main([*command, str(out)]) == 130
    said = f"infogeo: interrupted; begun and kept in {out / 'unfinished'}: kfac; the same command goes on from there\n"
    assert capsys.readouterr().err == said
    assert main([*command, str(out)]) == 0 and seen == [1, 2, 3, 3, 4, 5]
    weights = [load(place / "kfac.npz")[1] for place in (tmp_path / "at once", out)]
    np.testing.assert_array_equal(*weights)
    losses = [json.loads((place / "training.json").read_text())["runs"]["kfac"] for place in (tmp_path / "at once", out)]
    assert losses[0]["loss"] == losses[1]["loss"] and losses[1]["steps"] == [0, 1, 2, 3, 4, 5]
    assert len(list(out.iterdir())) == 4


@pytest.mark.parametrize("name, shapes, family", [
    ("autoencoder", (16, 60, 30, 10, 30, 60, 16), Independent),
    ("classifier", (16, 30, 2), Categorical),
    ("16-5-16", (16, 5, 16), Independent),
    ("16-5-3", (16, 5, 2), Categorical),
    ("regression", (16, 30, 1), Independent),
])
def test_architectures(name, shapes, family):
    found = task(name, IMAGES)
    assert found.model.network.sizes == shapes and isinstance(found.model.family, family)
    assert isinstance(found.loss, CrossEntropyLoss) == (shapes[0] == shapes[-1])


def test_convnet():
    found = task("convnet", IMAGES)
    assert found.model.network.input_shape == (4, 4, 1)
    assert np.isfinite(found.loss.value(np.zeros(found.model.network.size)))


@pytest.mark.parametrize("name, data, message", [
    ("tree", IMAGES, "unknown architecture"),
    ("16-5-4", IMAGES, "16 as the first size and 3 as the last"),
    ("15-5-15", IMAGES, "16 as the first"),
    ("classifier", Dataset("d", IMAGES.x), "has none"),
    ("classifier", Dataset("d", IMAGES.x, IMAGES.x[:, 0]), "targets 0, 1, 2, … or words"),
    ("classifier", Dataset("d", IMAGES.x, np.zeros(40, dtype=int)), "at least two classes"),
    ("autoencoder", Dataset("d", 2.0 * IMAGES.x), r"in \[0, 1\]"),
    ("convnet", Dataset("d", IMAGES.x[:, :3], IMAGES.y), "square"),
])
def test_architectures_that_do_not_fit(name, data, message):
    with pytest.raises(InputError, match=message):
        task(name, data)


def test_optimisers_side_by_side(tmp_path):
    study = train(task("classifier", IMAGES), "images", list(OPTIMISERS), steps=20, batch_size=20, every=10)
    for run in study.runs:
        assert list(run.steps) == [0, 10, 20] and run.loss[0] == study.runs[0].loss[0]
        assert run.loss[-1] < run.loss[0] and np.all(np.diff(run.seconds) > 0)
    text = report_training(study)
    assert all(run.label in text for run in study.runs)
    write_training(study, tmp_path / "out")
    found = json.loads((tmp_path / "out" / "training.json").read_text())
    assert found["runs"]["kfac"]["loss"] == study.runs[0].loss.tolist()
    rows = (tmp_path / "out" / "training.csv").read_text().splitlines()
    assert rows[0] == "optimiser,step,seconds,loss,held_out" and len(rows) == 1 + 3 * len(study.runs)
    assert (tmp_path / "out" / "training.png").stat().st_size > 10_000
    adam, = (run for run in study.runs if run.name == "adam")
    model, w = load(tmp_path / "out" / "adam.npz")
    np.testing.assert_array_equal(w, adam.x)
    np.testing.assert_allclose(model.loss(w, (IMAGES.x.reshape(40, -1), IMAGES.y)), adam.loss[-1], rtol=1e-12)


def test_a_run_that_diverges_is_null_in_json(tmp_path):
    study = train(task("classifier", IMAGES), "images", ["momentum"], steps=3, batch_size=20, every=1,
                  step_sizes={"momentum": 1e300})
    run, = study.runs
    assert int(run.status) == Status.DIVERGED and "far above the first" in report_training(study)
    write_training(replace(study, runs=[replace(run, loss=np.array([1.0, 1e300, np.inf, np.nan]))]), tmp_path)
    text = (tmp_path / "training.json").read_text()
    assert "NaN" not in text and "Infinity" not in text
    assert json.loads(text)["runs"]["momentum"]["loss"] == [1.0, 1e300, None, None]


def test_the_same_seed_gives_the_same_runs():
    settings = dict(steps=5, batch_size=10, seed=4)
    one, two = (train(task("classifier", IMAGES), "images", ["kfac", "adam"], **settings) for _ in range(2))
    for a, b in zip(one.runs, two.runs):
        np.testing.assert_array_equal(a.loss, b.loss)


def test_what_it_does_not_train():
    for names, size, message in (("lbfgs", None, "unknown optimiser"), ("adam", 41, "size <= 40"), ("adam", 0, "1 <= size")):
        with pytest.raises(InputError, match=message):
            train(task("classifier", IMAGES), "images", [names], steps=1, batch_size=size)


def test_float32():
    found = task("16-5-16", IMAGES, "float32")
    study = train(found, "images", ["kfac", "adam"], steps=5)
    assert found.loss.x.dtype == np.float32 and all(run.x.dtype == np.float32 for run in study.runs)


def run(capsys, *argv):
    code = main(["train", *argv])
    return code, *capsys.readouterr()


def test_the_command(tmp_path, capsys):
    np.savez(tmp_path / "images.npz", x=IMAGES.x, y=IMAGES.y)
    out_path = tmp_path / "out"
    code, out, err = run(capsys, "--data", str(tmp_path / "images.npz"), "--architecture", "classifier", "--steps", "4",
                         "--batch-size", "20", "--optimiser", "kfac", "sgd", "--step-size", "sgd=0.05", "--out", str(out_path))
    assert (code, err) == (0, "") and "K-FAC" in out and "0.05" in out
    names = ["kfac.npz", "sgd.npz", "training.csv", "training.json", "training.png"]
    assert sorted(path.name for path in out_path.iterdir()) == names
    again = ["--data", str(tmp_path / "images.npz"), "--steps", "2", "--optimiser", "sgd", "--start", str(out_path / "kfac.npz")]
    code, out, _ = run(capsys, *again, "--architecture", "classifier")
    last = json.loads((out_path / "training.json").read_text())["runs"]["kfac"]["loss"][-1]
    assert code == 0 and f"loss {last:.4g}"[:9] in out
    assert run(capsys, *again, "--architecture", "convnet")[2].startswith(f"infogeo: {out_path / 'kfac.npz'}: has the weights of")


def test_rows_are_held_out_standardised_and_scored(tmp_path, capsys):
    """Of words as classes, a constant column and one of a huge scale; the labels are sorted in the file."""
    rng = np.random.default_rng(0)
    kinds = np.repeat(["barbera", "barolo", "grignolino"], 40)
    x = np.stack([np.repeat([0.0, 2.0, 4.0], 40) + rng.normal(size=120), 1e9 * rng.normal(size=120), np.full(120, 7.0)], axis=1)
    lines = [f"{a},{b},{c},{kind}" for (a, b, c), kind in zip(x, kinds)]
    (tmp_path / "wine.csv").write_text("\n".join(["strength,scale,same,kind", *lines]))
    out = tmp_path / "out"
    code, said, err = run(capsys, "--data", str(tmp_path / "wine.csv"), "--target", "kind", "--standardise", "--steps", "40",
                          "--damping", "kfac=0.1", "--optimiser", "kfac", "sngd", "--checkpoint", "10", "--out", str(out))
    assert (code, err) == (0, "") and "all 96 rows at every step" in said and "24 rows held out" in said
    assert "3 classes: barbera, barolo, grignolino." in said and "searched" in said and "mini-batches" not in said
    found = json.loads((out / "training.json").read_text())
    kfac, model, w = found["runs"]["kfac"], *load(out / "kfac.npz")
    units = found["x_units"]
    theta = model.theta(w, (x - units["centre"]) / units["scale"])
    right = np.argmax(np.append(theta, np.zeros((120, 1)), axis=1), axis=1) == np.repeat([0, 1, 2], 40)
    held = np.random.default_rng(0).permutation(120)[:24]
    assert kfac["accuracy"] == np.mean(right[held]) > 0.6 and found["labels"] == ["barbera", "barolo", "grignolino"]
    scores = -model.log_density(w, ((x - units["centre"]) / units["scale"], np.repeat([0.0, 1.0, 2.0], 40)))
    np.testing.assert_allclose(kfac["held_out"][-1], np.mean(scores[held]), rtol=1e-10)
    assert run(capsys, "--data", str(tmp_path / "wine.csv"), "--target", "kind", "--family", "poisson")[2].endswith("'barbera'\n")


def test_a_family_and_the_units_of_its_targets():
    """A loss is that of y in its own units, whether or not the network sees these."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(60, 2))
    y = 1e4 + 1e3 * (x[:, 0] + 0.1 * rng.normal(size=60))
    inside = task(None, Dataset("d", x, y), family=Normal(), standardise=True, held_out=0.25)
    study = train(inside, "d", ["kfac"], steps=30)
    assert inside.model.network.sizes == (2, 30, 2) and inside.samples == 45 and np.isnan(study.runs[0].accuracy)
    law = inside.y_units.outward(Normal(), inside.model.theta(study.runs[0].x, inside.held_out.x))
    held = y[np.random.default_rng(0).permutation(60)[:15]]
    np.testing.assert_allclose(study.runs[0].held_out[-1], -np.mean(Normal().log_density(law, held)), rtol=1e-10)
    assert "15 rows held out" in report_training(study) and "accuracy" not in report_training(study)
    counts = task("2-5-1", Dataset("d", x, rng.poisson(3.0, 60)), family=Poisson(), standardise=True)
    assert counts.y_units is None and counts.model.family == Poisson()


@pytest.mark.parametrize("argv, message", [
    (["--held-out", "1"], "in [0, 1)"),
    (["--damping", "sngd=1"], "NAME=X"),
    (["--damping", "adam=1", "--optimiser", "adam"], "adam has no damping; those that have are kfac"),
    (["--family", "normal", "--architecture", "classifier"], "a family is that of targets"),
    (["--standardise"], "cannot be standardised"),
    (["--data", "faces"], "'digits'"),
    (["--data", "none.csv"], "none.csv"),
    (["--step-size", "sgd=1"], "NAME=H"),
    (["--resume", "nowhere"], "nothing is unfinished there"),
    (["--step-size", "adam=-1"], "NAME=H"),
    (["--step-size", "adam"], "NAME=H"),
    (["--steps", "0"], "positive integer"),
    (["--dtype", "float16"], "float16"),
])
def test_the_command_says_what_is_wrong(argv, message, capsys):
    code, out, err = run(capsys, *argv)
    assert code == 2 and message in err and err.count("\n") == 1 and out == ""
