"""The posterior of a table on the command line."""
import json

import numpy as np
import pytest

from infogeo.cli import main

from .inference_helpers import X, Y, near


@pytest.fixture
def data(tmp_path):
    rows = [",".join(map(repr, map(float, (*x, y)))) for x, y in zip(X, Y)]
    path = tmp_path / "data.csv"
    path.write_text("\n".join(["a,b,c,y", *rows]))
    return path


def test_infer(data, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["infer", "--data", str(data), "--target", "y", "--out", str(out)]) in (None, 0)
    text = capsys.readouterr().out
    assert "Logistic regression of y" in text and "CONVERGED" in text
    found = json.loads((out / "posterior.json").read_text())
    assert 0 < found["log_evidence"] - found["bound"] < 0.1 and found["steps"] > 3
    assert {p.name for p in out.iterdir()} == {f"posterior.{kind}" for kind in ("csv", "json", "npz", "png")}
    main(["infer", "--data", str(data), "--target", "y", "--out", str(out)])
    again = json.loads((out / "posterior.json").read_text())
    assert again["steps"] == found["steps"] and np.isclose(again["bound"], found["bound"])
    (out / "posterior.npz").write_bytes(b"no posterior")
    assert main(["infer", "--data", str(data), "--target", "y", "--out", str(out)]) not in (None, 0)


def test_normal_regression(data, tmp_path, capsys):
    """The target is standardised; the exact numbers are those of a quadrature, and a run that is gone on with keeps the bound."""
    out = tmp_path / "out"
    for _ in range(2):
        assert main(["infer", "--model", "normal", "--data", str(data), "--target", "a", "--out", str(out)]) in (None, 0)
    text, found = capsys.readouterr().out, json.loads((out / "posterior.json").read_text())
    assert "precision" in text and "by quadrature" in text and found["error"] == 0.0
    assert 0 < found["log_evidence"] - found["bound"] < 0.1
    rows = (out / "posterior.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["weight", "1", "b", "c", "y", "precision"]
    weights = np.array([row.split(",")[1:] for row in rows[1:]], dtype=float)
    near(weights[:, 0], weights[:, 2], 0.01)
    given = ["infer", "--model", "normal", "--data", str(data), "--target", "a", "--prior-precision", "2", "--out", str(out)]
    assert main(given) in (None, 0)         # of another prior the bound starts anew
    assert json.loads((out / "posterior.json").read_text())["steps"] <= found["steps"]


def test_softmax_regression_of_labels(tmp_path, capsys):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((40, 2))
    path, names = tmp_path / "labels.csv", ["low", "middle", "top"]
    path.write_text("u,v,kind\n" + "\n".join(f"{a},{b},{names[int(a > -.5) + int(a > .5)]}" for a, b in x))
    assert main(["infer", "--model", "softmax", "--data", str(path), "--target", "kind"]) in (None, 0)
    text = capsys.readouterr().out
    assert "u [low]" in text and "v [middle]" in text and "[top]" not in text and "CONVERGED" in text
    assert main(["infer", "--data", str(path), "--target", "kind"]) not in (None, 0)
    assert "labels go with --model softmax" in capsys.readouterr().err


@pytest.mark.parametrize("arguments, message", [
    (["--target", "z"], "no column 'z'"), (["--target", "a"], "column 'a': y must satisfy"),
    (["--target", "a", "--model", "softmax"], "has 50 labels"),
    (["--target", "y", "--model", "probit"], "one of logistic, poisson, normal, softmax")])
def test_messages(data, capsys, arguments, message):
    assert main(["infer", "--data", str(data), *arguments]) not in (None, 0)
    assert message in capsys.readouterr().err
