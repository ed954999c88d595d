"""The posterior of a table on the command line."""
import json

import numpy as np
import pytest

from infogeo.cli import main

from .inference_helpers import X, Y


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


@pytest.mark.parametrize("arguments, message", [
    (["--target", "z"], "no column 'z'"), (["--target", "a"], "column 'a': y must satisfy"),
    (["--target", "y", "--model", "probit"], "one of logistic, poisson")])
def test_messages(data, capsys, arguments, message):
    assert main(["infer", "--data", str(data), *arguments]) not in (None, 0)
    assert message in capsys.readouterr().err
