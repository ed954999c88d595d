"""The equivalence study: what it measures, what it says where an identity is broken, and what is written."""
import csv
import io
import json

import numpy as np
import pytest

import infogeo as ig
from infogeo.cli import main
from infogeo.studies import InputError, equivalence, equivalence_targets
from infogeo.testing.equivalences import IDENTITIES

QUICK = dict(objectives=["wavy"], points=2, steps=[0.1, 0.05])


@pytest.fixture(scope="module")
def study():
    return equivalence("normal", ig.Categorical(4), **QUICK)


def test_every_number(study):
    """P1 … P23, each but those of the divergences with every objective, and all hold; repr says so in a line."""
    assert {one.number for one in study.measured} == {f"P{i}" for i in range(1, 24)}
    assert {one.name for one in study.measured} == set(IDENTITIES)
    assert all(one.holds for one in study.measured) and "\n" not in repr(study)
    assert repr(study) == f"Equivalence(Normal(), Categorical(k=4, reference=3): all of {len(study.measured)} hold)"


def test_orders(study):
    """Halving the step divides the distances by 2, 4, 8 and 16."""
    for one in study.measured:
        ratios = one.ratios(study.steps)
        if one.order and not np.isnan(ratios).all():
            assert one.has_step and ratios == pytest.approx(2**one.order, rel=0.15), one.name
    assert {one.order for one in study.measured} == {0, 1, 2, 3, 4}


def test_errors_of_the_table_of_theory():
    """At the step sizes .01, .005, … of mirror descent and natural gradient in θ the ratio tends to 2."""
    found = equivalence(ig.Gamma(), only=["P10"], steps=[0.01, 0.005], objectives=["forward"], points=3)
    for one in found.measured:
        assert one.ratios(found.steps) == pytest.approx(2.0, rel=0.01)


class Slip(ig.Normal):
    """to_theta is off by one part in a million."""

    def to_theta(self, eta):
        return super().to_theta(eta) * (1 + 1e-6)

    def __repr__(self):
        return "Slip()"


def test_what_is_broken_is_said():
    found = equivalence(Slip(), only=["P2", "P4", "P12"], **QUICK)
    text = found.to_text()
    assert [one.name for one in found.measured if not one.holds][0] == "mirror descent is natural gradient"
    assert "DOES NOT HOLD" in text and "do not hold:" in text and "does not hold" in text and "do not hold" in repr(found)
    assert any(one.holds for one in found.measured)
    assert max(map(len, text.splitlines())) <= 80


def test_lines_rows_and_numbers(study):
    text = study.to_text()
    assert max(map(len, text.splitlines())) <= 80 and "P9, P17, P20, P21: on manifolds of the same dimension." in text
    rows = list(csv.DictReader(io.StringIO(study.to_csv())))
    assert len(rows) == sum(one.error.size for one in study.measured) and {row["holds"] for row in rows} == {"yes"}
    found = json.loads(study.to_json(), parse_constant=pytest.fail)
    assert len(found["measured"]) == len(study.measured) and found["steps"] == [0.1, 0.05]


def test_what_is_written(study, tmp_path):
    study.write(tmp_path / "deep" / "study")
    written = {path.name: path for path in (tmp_path / "deep" / "study").iterdir()}
    assert set(written) == {f"equivalence.{kind}" for kind in ("txt", "csv", "json", "png")}
    assert written["equivalence.txt"].read_text(encoding="utf-8") == study.to_text()
    study.to_csv(tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_bytes() == written["equivalence.csv"].read_bytes() == study.to_csv().encode()


def test_a_target_and_objectives_of_ones_own():
    made = []

    def objective(M, theta):
        made.append(theta)
        return ig.CrossEntropy(M, M.to_eta(theta))

    found = equivalence(ig.Poisson(), objectives={"mine": objective}, target=[1.0], only=["P2", "P12"], points=2)
    assert [one.objective for one in found.measured] == ["mine", "", "mine"] and made[0].tolist() == [1.0]
    assert equivalence(ig.Burg(2).dual, only=["P8"], points=2).measured == ()          # no family, no observations
    plain = equivalence("normal", objectives={"|x|²": lambda M, theta: lambda x: (np.sum(x * x, axis=-1), 2 * x)}, only=["P4"])
    assert plain.measured[0].holds


@pytest.mark.parametrize("arguments, options, error, words", [
    ((ig.Simplex(3),), {}, TypeError, "one more"), ((), {}, TypeError, "DuallyFlat"), ((3,), {}, TypeError, "DuallyFlat"),
    (("norml",), {}, InputError, "did you mean Normal"),
    (("normal",), {"steps": [2.0]}, ig.DomainError, "0 < h <= 1"), (("normal",), {"steps": []}, ig.DomainError, "steps"),
    (("normal",), {"steps": [np.nan]}, ig.DomainError, "steps"), (("normal",), {"seeds": [-1]}, ig.DomainError, "seeds"),
    (("normal",), {"points": 0}, ig.DomainError, "points"), (("normal",), {"only": ["P99"]}, InputError, "P1 … P23"),
    (("normal",), {"objectives": ["froward"]}, InputError, "did you mean forward"),
    (("normal",), {"target": [1.0]}, ig.ShapeError, r"\(2,\)"), (("normal",), {"target": [0.0, 1.0]}, ig.DomainError, "target"),
    (("normal", "gamma"), {"target": [0.0, -1.0]}, ig.ShapeError, "one manifold"),
], ids=str)
def test_bad_input(arguments, options, error, words):
    with pytest.raises(error, match=words):
        equivalence(*arguments, **options)


def test_command(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    chosen = ["--family", "poisson", "--target", "rate=2", "--only", "P2", "P10"]
    assert main(["equivalence", *chosen, "--quick", "--out", "here"]) == 0
    out, err = capsys.readouterr()
    assert err == "" and "Poisson(), target θ = 0.6931" in out and (tmp_path / "here" / "equivalence.png").exists()
    assert main(["equivalence", "--help"]) == 0
    assert "examples:" in capsys.readouterr().out
    for argv, words in ((["--family", "norml"], "did you mean Normal?"), (["--target", "mean=1"], "belongs to one --family"),
                        (["--step", "0"], "positive"), (["--only", "P0"], "no identity 'P0'")):
        assert main(["equivalence", *argv]) == 2
        err = capsys.readouterr().err
        assert words in err and err.count("\n") == 1


def test_many_targets(capsys, tmp_path, monkeypatch):
    """A row for each, near the boundary, too, whatever is interrupted; nothing is broken, and what a folder has is not mixed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(equivalence_targets, "BLOCK", 2)
    (tmp_path / "targets.csv").write_text("a,b,c\n0.5,0.3,0.2\n0.001,0.4,0.599\n0.2,0.799,0.001\n")
    argv = ["equivalence", "--targets", "targets.csv", "--out", "here", "--only", "P2", "P7", "P11", "P13", "P14"]
    first = equivalence_targets._Block.__call__

    def once(self, i):
        if i == 1:
            raise KeyboardInterrupt
        return first(self, i)

    with monkeypatch.context() as patch:
        patch.setattr(equivalence_targets._Block, "__call__", once)
        assert main(argv) == 130
    assert "interrupted; 1 blocks of targets are kept in here/blocks; the same command goes on" in capsys.readouterr().err
    assert main(argv) == 0 and "3 targets of Categorical(k=3, reference=2)" in capsys.readouterr().out
    with np.load("here/targets.npz") as found:
        assert found["theta"].shape == (3, 2) and all(found[name].all() for name in found if name.startswith("holds"))
        assert found["ratio_corrected_steps_in_two_charts"][:2] == pytest.approx(8.0, rel=0.1)     # the third is rounding
    for wrong, words in ((["--seed", "1"], "seed 0 there, 1 here"), (["--target", "mean=1"], "goes without --target"),
                         (["--only", "P16"], "depends on the target")):
        assert main([*argv, *wrong]) == 2
        assert words in capsys.readouterr().err


def test_an_interruption_is_one_line(capsys, monkeypatch):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(ig.studies, "equivalence", interrupted)
    assert main(["equivalence", "--quick"]) == 130
    assert capsys.readouterr().err == "infogeo: interrupted\n"
