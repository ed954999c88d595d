"""``infogeo boost``: a table in, scores and files out, a model that predicts another table."""
import csv
import json

import numpy as np
import pytest

import infogeo as ig
from infogeo.boosting import NaturalChart, NaturalGradientBoostingRegressor, SavedModel
from infogeo.cli import main


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    rng, path = np.random.default_rng(0), tmp_path_factory.mktemp("boost") / "table.csv"
    a, colour = rng.uniform(-1, 1, 400), rng.choice(["red", "blue"], 400)
    y = np.exp(1.0 + a + (colour == "red")) * rng.gamma(4.0, 0.25, 400)
    rows = [f"{'' if i % 17 == 0 else format(a[i], '.4f')},{colour[i]},{y[i]:.4f}" for i in range(400)]
    path.write_text("\n".join(["a,colour,price", *rows]) + "\n")
    return path


def run(capsys, *argv):
    code = main(["boost", *map(str, argv)])
    out, err = capsys.readouterr()
    return code, out, err


def test_scores_files_and_predictions(capsys, table, tmp_path):
    code, out, err = run(capsys, "--data", table, "--target", "price", "--family", "gamma", "--out", tmp_path, "--stages", 60)
    assert (code, err) == (0, "") and "100 rows of" in out and "log rate" in out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["boosting.csv", "boosting.json", "boosting.png", "model.npz"]
    scores = json.loads((tmp_path / "boosting.json").read_text())["scores"]
    assert scores["log score, nats"][1] < scores["log score, nats"][0] - 0.1 and scores["CRPS"][1] < scores["CRPS"][0]
    code, out, err = run(capsys, "--predict", table, "--model", tmp_path / "model.npz")
    rows = list(csv.DictReader(out.splitlines()))
    assert (code, err, len(rows)) == (0, "", 400) and list(rows[0]) == ["shape", "rate", "mean of the law", "5 %", "95 %"]
    numbers = {name: np.asarray([float(row[name]) for row in rows]) for name in rows[0]}
    np.testing.assert_allclose(numbers["mean of the law"], numbers["shape"] / numbers["rate"], rtol=1e-12)
    price = np.asarray([float(row["price"]) for row in csv.DictReader(table.read_text().splitlines())])
    assert 0.6 < np.mean((numbers["5 %"] < price) & (price < numbers["95 %"])) < 0.99


def test_a_model_as_data_is_the_model(tmp_path):
    rng = np.random.default_rng(1)
    X = rng.uniform(-1, 1, (200, 3))
    model = NaturalGradientBoostingRegressor(ig.Poisson, max_iter=15).fit(X, rng.poisson(np.exp(1.0 + X[:, 0])))
    again = SavedModel.from_arrays(ig.Poisson(), SavedModel.of(model).arrays())
    assert np.array_equal(again.predict_dist(X).theta, model.predict_dist(X).theta)
    with pytest.raises(ig.ShapeError, match=r"X must have shape \(n, 3\); got \(200, 2\)"):
        again.predict_dist(X[:, :2])
    own = NaturalGradientBoostingRegressor(ig.Poisson, max_iter=1, chart=NaturalChart).fit(X, rng.poisson(2.0, 200))
    with pytest.raises(ig.DomainError, match="a chart of its own is no data"):
        SavedModel.of(own)


@pytest.mark.parametrize("argv, words", [
    (["--data", "TABLE"], "boost takes --data and --target, or --predict and --model; got --data"),
    ([], "got none of them"), (["--data", "TABLE", "--target", "prise"], "no column 'prise'"),
    (["--data", "TABLE", "--target", "price", "--family", "beta"], "y must satisfy 0 <= y <= 1"),
    (["--data", "TABLE", "--target", "price", "--family", "Dirichlet(3)"], "observations have shape (3,)"),
    (["--data", "nothing.csv", "--target", "price"], "nothing.csv: No such file"),
    (["--data", "TABLE", "--target", "colour"], "is not a number"),
    (["--predict", "TABLE", "--model", "TABLE"], "no whole archive of arrays")])
def test_one_line_for_what_cannot_be_used(capsys, table, argv, words):
    code, out, err = run(capsys, *[table if word == "TABLE" else word for word in argv])
    assert code == 2 and out == "" and words in err and err.count("\n") == 1


def test_a_table_that_does_not_fit_the_model(capsys, table, tmp_path):
    run(capsys, "--data", table, "--target", "price", "--out", tmp_path, "--stages", 3)
    for text, words in [("colour\nred\n", "no column 'a', which the model was fitted with"),
                        ("a,colour\nhigh,red\n", "line 2, column 'a': 'high' is not a number")]:
        other = tmp_path / "other.csv"
        other.write_text(text)
        code, _, err = run(capsys, "--predict", other, "--model", tmp_path / "model.npz")
        assert code == 2 and words in err
