"""Many targets at once: each as by itself, from files as people have them, in blocks that can be gone on with."""
import json

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import infogeo as ig
from infogeo.cli import main
from infogeo.studies import many_targets
from infogeo.studies.discrete import discrete
from infogeo.studies.many_targets import _starts

S = ig.studies


@pytest.mark.parametrize("direction, family, ordinary", [
    ("forward", ig.Categorical(3), dict(probabilities=[[0.5, 0.3, 0.2], [0.2, 0.2, 0.6], [0.3, 0.4, 0.3]])),
    ("reverse", ig.Normal(), dict(mean=[0.0, 1.0, -1.0], variance=[1.0, 0.25, 3.0]))])
def test_every_target_is_as_by_itself(tmp_path, monkeypatch, direction, family, ordinary):
    monkeypatch.setattr(many_targets, "BLOCK", 2)
    theta, posed = family.theta_from(**ordinary), S.DIRECTIONS[direction]
    found = S.conditioning_of_many(family, theta, tmp_path, posed=posed, starts=3, seed=5, longest=60)
    assert all(column.shape == (3,) for column in found.values())
    problem = posed(family, theta[2])                                       # the second block's only one
    s = S.spectrum(problem)
    assert_allclose([found["condition"][2], found["rate_gd_theta"][2], found["rate_gd_eta"][2]],
                    [s.condition[0], *s.rate[:2]], rtol=1e-9)
    theta0 = _starts(posed(family, theta[2:]), np.random.default_rng([5, 1]), 3)
    assert family.theta_domain.contains(theta0).all()
    alone = discrete(problem, s, theta0[:, 0], 60)
    for i, name in enumerate(alone.methods[:4]):
        counts = np.where(alone.iterations[i] < 0, np.inf, alone.iterations[i])
        assert_array_equal([found[f"median_{name}"][2], found[f"worst_{name}"][2]], [np.median(counts), counts.max()])
        assert found[f"left_{name}"][2] == np.isin(alone.status[i], [ig.Status.LEFT_DOMAIN, ig.Status.NONFINITE]).sum()


def test_starts_far_from_a_target_near_the_boundary_lie_in_the_domain():
    family = ig.Exponential()
    problem = S.ForwardProblem(family, family.theta_from(rate=np.full(50, 1e-6)))
    theta = _starts(problem, np.random.default_rng(0), 20)
    assert theta.shape == (21, 50, 1) and family.theta_domain.contains(theta).all()


@pytest.mark.parametrize("text, family, parameters", [
    ("a,b,c\n0.5,0.3,0.2\n0.2,0.2,0.6\n", None, dict(probabilities=[[0.5, 0.3, 0.2], [0.2, 0.2, 0.6]])),
    ("a;b\n3;1\n1;1\n", None, dict(probabilities=[[0.75, 0.25], [0.5, 0.5]])),
    ("variance;mean\n1;0,5\n2;-1,5\n", "normal", dict(mean=[0.5, -1.5], variance=[1.0, 2.0])),
    ("concentration_1,concentration_0\n1,2\n3,4\n", "Dirichlet(2)", dict(concentration=[[2.0, 1.0], [4.0, 3.0]])),
])
def test_tables_of_targets(tmp_path, text, family, parameters):
    path = tmp_path / "t.csv"
    path.write_text(text)
    model, theta = S.targets_of_table(path, family)
    for name, value in model.parameters(theta).items():
        assert_allclose(value, parameters[name], rtol=1e-12)


@pytest.mark.parametrize("text, family, words", [
    ("a,b\n0.5,0.6\n", None, "line 2: probabilities must sum to 1; these sum to 1.1"), ("a\n1\n", None, "at least two outcomes"),
    ("a,b\n1,1\n2,0\n", None, "line 3: every outcome must have a positive"), ("mean\n1\n", "normal", "no column 'variance'"),
    ("mean,variance\n1,-1\n", "normal", "variance must satisfy variance > 0")])
def test_tables_that_have_no_targets(tmp_path, text, family, words):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(S.InputError, match=words):
        S.targets_of_table(tmp_path / "t.csv", family)


def test_the_command_goes_on_after_an_interruption(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(many_targets, "BLOCK", 1)
    (tmp_path / "t.csv").write_text("a,b,c\n5,3,2\n2,2,6\n3,4,3\n")
    out = tmp_path / "out"
    command = ["conditioning", "--targets", str(tmp_path / "t.csv"), "--starts", "2", "--out", str(out)]
    real, begun = many_targets.descend, []

    def interrupted(*args, **kwargs):
        begun.append(1)
        if len(begun) == 6:                                                  # in the second target
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    monkeypatch.setattr(many_targets, "descend", interrupted)
    assert main(command) == 130
    assert capsys.readouterr().err == (f"infogeo: interrupted; 1 blocks of targets are kept in {out / 'blocks'}; "
                                       "the same command goes on from there\n")
    assert main(command) == 0 and len(begun) == 6 + 8
    said = capsys.readouterr()
    assert "3 targets of Categorical(k=3" in said.out and max(map(len, said.out.splitlines())) <= 80
    lines = (out / "targets.csv").read_text().splitlines()
    assert lines[0].startswith("target,condition,rate_gd_theta") and [line.split(",")[0] for line in lines[1:]] == ["0", "1", "2"]
    assert_allclose(np.load(out / "targets.npz")["condition"][0], 4.84702105, rtol=1e-8)
    assert json.loads((out / "blocks" / "blocks.json").read_text())["n"] == 3
    for wrong, words in ((["--quick", "--alpha", "0"], "got --alpha"), (["--diagnose"], "got --diagnose"),
                         (["--seed", "1"], "the blocks of other work")):
        assert main([*command, *wrong]) == 2 and words in capsys.readouterr().err
    assert main(command[:-2]) == 2 and "--targets needs --out" in capsys.readouterr().err
