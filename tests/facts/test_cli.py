"""The command line: every source of a target, every piece of bad input, what is written and what is not."""
import json
import re
import shlex
import subprocess
import sys
from functools import partial
from inspect import isabstract
from itertools import count

import argcomplete
import numpy as np
import pytest
from numpy.testing import assert_allclose

import infogeo as ig
from infogeo.cli import main
from infogeo.cli.run import _parser
from infogeo.families.catalogue import FAMILIES
from infogeo.studies.export import _plain
from infogeo.studies.unfinished import flat

from .study_helpers import BRIEF, short  # noqa: F401

DATA = ig.studies.example_data("horse_kicks").parent
HORSES = ["--counts", str(DATA / "horse_kicks.csv"), "--column", "corps_years"]
MODULE = sys.modules[ig.studies.ConditioningRun.__module__]
QUICK = ["--starts", "2", "--steps", "20", "--batch-size", "50"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys, *argv):
    """(exit code, stdout, stderr)."""
    code = main(["conditioning", *argv])
    out, err = capsys.readouterr()
    return code, out, err


def test_an_interruption_keeps_what_is_done_and_a_second_start_goes_on(capsys, here, short, monkeypatch):  # noqa: F811
    command, folder = [*HORSES, *QUICK, "--affine", "2.5", "--out", "deep/study"], here / "deep" / "study"

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(MODULE, "sweep", interrupted)
        code, out, err = run(capsys, *command)
    assert code == 130 and err == ("infogeo: interrupted; finished and kept in deep/study/unfinished: spectrum, flows, charts, "
                                   "discrete; the same command goes on from there\n")
    assert "Rates of the flows" in out and "Learning-rate sweep" not in out
    assert (folder / "unfinished" / "rates.csv").read_text().count("\n") == 1 + 3 * BRIEF.flown
    with monkeypatch.context() as patch:
        patch.setattr(MODULE, "measured_flows", interrupted)      # what is finished is not done again
        code, out, err = run(capsys, *command)
    assert (code, err) == (0, "") and "0.545 0.325 0.11 0.015 0.005" in out and "338.869" in out
    written = {path.name for path in folder.iterdir()}
    assert written == {"result.json", "result.npz", "flows.png", "sweep.png", "trajectories.png", "spectrum.csv",
                       "predictions.csv", "rates.csv", "iterations.csv", "contraction.csv",
                       "sweep.csv", "noise.csv", "charts.csv", "claims.csv"}
    stored = ig.studies.load_npz(folder / "result.npz")
    assert stored["starts"].shape == (3, 4) and stored["sweep.steps"] == 20 and stored["noise.batch_size"] == 50
    target = ig.studies.from_counts(HORSES[1], HORSES[3])
    whole = ig.studies.conditioning(ig.studies.ForwardProblem(target.family, target.theta), starts=2, steps=20, batch_size=50,
                                    affine=2.5, effort=BRIEF)
    for name, value in flat(whole, without=(ig.studies.Problem,)).items():
        np.testing.assert_array_equal(stored[name], "" if value is None else value, err_msg=name)


def test_an_interruption_says_how_to_keep_what_is_done(capsys, here, short, monkeypatch):  # noqa: F811
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(MODULE, "measured_flows", interrupted)
    code, out, err = run(capsys, "--probabilities", "0.5", "0.5", *QUICK)
    assert code == 130 and err == "infogeo: interrupted; with --out DIR, what is finished would have been kept\n"
    assert out.startswith("The target q") and "condition number" in out       # what is known at once is said at once


def test_same_command_same_words(capsys, short):  # noqa: F811
    first, second = (run(capsys, "--probabilities", "0.5", "0.5", *QUICK, "--seed", "7") for _ in range(2))
    assert first == second and first[0] == 0


def test_direction_and_reference_reach_the_study(capsys, short):  # noqa: F811
    code, out, _ = run(capsys, *HORSES, *QUICK, "--reference", "best", "--direction", "reverse")
    assert code == 0 and "Categorical(k=5, reference=0)" in out and "KL(p‖q), reverse" in out and "--reference best" not in out


def test_the_module_is_the_console_script_and_imports_nothing_heavy_for_a_complaint():
    program = ("import runpy, sys\nsys.argv = ['infogeo', 'conditioning', '--probabilities', '0.5', '0.6']\n"
               "try:\n    runpy.run_module('infogeo', run_name='__main__')\nexcept SystemExit as end:\n"
               "    print(end.code, [name for name in ('matplotlib', 'tqdm', 'sympy', 'cupy') if name in sys.modules])")
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout == "2 []\n"
    assert run.stderr == "infogeo: --probabilities: probabilities must sum to 1; these sum to 1.1\n"


def test_help(capsys):
    assert main(["conditioning", "--help"]) == 0
    out = capsys.readouterr().out
    for option in ("--counts", "--samples", "--probabilities", "--target", "--family", "--column", "--reference",
                   "--direction", "--starts", "--seed", "--batch-size", "--steps", "--out", "--backend", "--progress",
                   "--no-progress"):
        assert option in out


@pytest.mark.parametrize("typed, offered", [
    ("eq", ["equivalence "]),
    ("conditioning --di", ["conditioning --diagnose", "conditioning --direction", "conditioning --divergence"]),
    ("derive t --format l", ["derive t --format latex "])])
def test_the_shell_completes(capsys, monkeypatch, typed, offered):
    def autocomplete(parser):           # that of argcomplete is asked by a shell, closes streams and ends the process
        finder = argcomplete.CompletionFinder(parser)
        print(*iter(map(partial(finder.rl_complete, typed), count()).__next__, None), sep="\n")
        sys.exit()

    monkeypatch.setattr(argcomplete, "autocomplete", autocomplete)
    monkeypatch.setenv("_ARGCOMPLETE", "1")
    assert main([]) == 0 and sorted(capsys.readouterr().out.splitlines()) == offered


@pytest.mark.parametrize("family, draw", [
    ("normal", lambda rng: rng.normal(1.0, 2.0, 40)),
    ("gamma", lambda rng: rng.gamma(2.0, 1.0, 40)),
    ("exponential", lambda rng: rng.exponential(2.0, 40)),
    ("poisson", lambda rng: rng.poisson(2.0, 40)),
    ("bernoulli", lambda rng: np.arange(40) % 3 == 0),
    ("categorical", lambda rng: np.arange(40) % 3),
])
def test_samples_are_fitted(tmp_path, family, draw):
    x = np.asarray(draw(np.random.default_rng(0)), dtype=float)
    path = tmp_path / "x.csv"
    path.write_text("i,x\n" + "".join(f"{i},{v!r}\n" for i, v in enumerate(x.tolist())))
    target = ig.studies.from_samples(path, "x", family)
    statistic = target.family.sufficient_statistic(x).mean(axis=0)
    assert_allclose(target.family.to_eta(target.theta), statistic, rtol=1e-12)


def test_samples_of_vectors_are_fitted(tmp_path):
    rng = np.random.default_rng(0)
    x, p = rng.normal(size=(50, 2)), rng.dirichlet([1.0, 2.0, 3.0], 50)
    (tmp_path / "x.csv").write_text("b,a\n" + "".join(f"{a!r},{b!r}\n" for a, b in x.tolist()))
    target = ig.studies.from_samples(tmp_path / "x.csv", ["a", "b"], "multivariate_normal")
    assert_allclose(target.family.parameters(target.theta)["mean"], x.mean(axis=0)[::-1])
    (tmp_path / "p.csv").write_text("a,b,c\n" + "".join(f"{a!r},{b!r},{c!r}\n" for a, b, c in p.tolist()))
    target = ig.studies.from_samples(tmp_path / "p.csv", ["a", "b", "c"], "dirichlet")
    assert_allclose(target.family.to_eta(target.theta), np.log(p).mean(axis=0), rtol=1e-10)


WRITTEN = {
    "weibull(1.7)": ig.Weibull(1.7), "Pareto(minimum=0.5)": ig.Pareto(0.5),
    "Categorical(4, reference=1)": ig.Categorical(4, reference=1), "wishart(2)": ig.Wishart(2),
    "InverseGaussian": ig.InverseGaussian(), "inverse_gaussian()": ig.InverseGaussian(),
    "Truncated(Exponential, 0, 2)": ig.Truncated(ig.Exponential(), 0, 2),
    "Truncated(normal, -inf, 1.5)": ig.Truncated(ig.Normal(), upper=1.5),
    "Product(Normal, NegativeBinomial(2.5))": ig.Product(ig.Normal(), ig.NegativeBinomial(2.5)),
    "Independent(VonMisesFisher(3), 2)": ig.Independent(ig.VonMisesFisher(3), 2), "laplace(-0.5)": ig.Laplace(-0.5),
    "Hierarchical((2, 3), ((0,), (1,)))": ig.Hierarchical((2, 3), ((0,), (1,))),
    "BoltzmannMachine(3, ((0, 1),))": ig.BoltzmannMachine(3, ((0, 1),)), "BoltzmannMachine(3, None)": ig.BoltzmannMachine(3),
}


@pytest.mark.parametrize("text", WRITTEN)
def test_families_by_name(text):
    assert ig.studies.named_family(text) == WRITTEN[text]


def test_arrays_in_the_name_of_a_family():
    family = ig.studies.named_family("MultivariateNormalKnownCovariance([[2, 0.5], [0.5, 1]])")
    np.testing.assert_array_equal(family.known_covariance, [[2.0, 0.5], [0.5, 1.0]])
    np.testing.assert_array_equal(ig.studies.named_family("LogLinear([[0], [1], [2.5]])").statistics, [[0.0], [1.0], [2.5]])


def test_every_family_has_a_name():
    public = {name: cls for name in ig.__all__ if isinstance(cls := getattr(ig, name), type)
              and issubclass(cls, ig.ExponentialFamily) and not isabstract(cls)}
    assert FAMILIES == public


@pytest.mark.parametrize("name, size", [
    ("dirichlet", 3), ("generalized_dirichlet", 3), ("multivariate_normal", 2), ("diagonal_normal", 2), ("isotropic_normal", 2),
    ("complex_normal", 2), ("von_mises_fisher", 3), ("boltzmann_machine", 2)])
def test_the_columns_give_the_dimension(name, size):
    family = ig.studies.named_family(name, size)
    assert family == FAMILIES[type(family).__name__](size) and type(family).__name__.lower() == name.replace("_", "")


@pytest.mark.parametrize("text", ["weibull(1.7)", "geometric", "Wishart(2)", "von_mises", "normal_gamma", "von_mises_fisher",
                                  "Truncated(Exponential, 0, 2)", "Product(Normal, Poisson)", "Independent(Gamma, 2)",
                                  "NormalInverseWishart(1)", "Multinomial(3, 5)", "Hierarchical((2, 2), ((0,), (1,)))"])
def test_samples_of_every_shape_are_fitted(tmp_path, text):
    """Vectors and matrices have a column for each entry, row by row."""
    family = ig.studies.named_family(text, 3)
    theta = family.theta_domain.chart(np.full(family.dim, 0.2))
    x = family.sample(np.random.default_rng(0), theta, 40)
    rows = x.reshape(40, -1).tolist()
    names = [f"x{i}" for i in range(len(rows[0]))]
    (tmp_path / "x.csv").write_text("\n".join([",".join(names), *(",".join(map(repr, row)) for row in rows)]))
    target = ig.studies.from_samples(tmp_path / "x.csv", names, text)
    assert target.family == family
    assert_allclose(target.theta, family.fit(x), rtol=1e-12)


@pytest.mark.parametrize("text, values, ordinary", [
    ("gamma", ["shape=2.5", "rate=0.7"], dict(shape=2.5, rate=0.7)),
    ("Wishart(2)", ["degrees_of_freedom=5", "scale_matrix=[[1, 0.2], [0.2, 2]]"],
     dict(degrees_of_freedom=5.0, scale_matrix=[[1.0, 0.2], [0.2, 2.0]])),
    ("normal", ["mean=-1e-3", "variance = 4"], dict(mean=-1e-3, variance=4.0)),
])
def test_targets_in_ordinary_parameters(text, values, ordinary):
    target = ig.studies.from_parameters(text, values)
    assert_allclose(target.theta, target.family.theta_from(**ordinary), rtol=1e-15)


def test_target_on_the_command_line(capsys, short):  # noqa: F811
    code, out, _ = run(capsys, "--family", "Weibull(2)", "--target", "scale=3", *QUICK)
    assert code == 0 and "Weibull(shape=2.0)" in out and "scale 3" in " ".join(out.split()) and "--target" in out


def test_complex_parameters_are_written():
    """JSON has no complex numbers: pairs."""
    parameters = ig.ComplexNormal(1).parameters(np.array([-1.0]))
    assert json.loads(json.dumps(_plain(parameters["covariance"]), allow_nan=False)) == [[[1.0, 0.0]]]
    assert _plain(np.array([1.0 - 2.0j, complex(np.nan, 0.0)])) == [[1.0, -2.0], [None, 0.0]]


def test_samples_on_the_command_line(capsys, short):  # noqa: F811
    path = str(DATA / "horse_kick_deaths.csv")
    code, out, _ = run(capsys, "--samples", path, "--column", "deaths", "--family", "poisson", *QUICK)
    assert code == 0 and "Poisson()" in out and "rate 0.61" in " ".join(out.split())


def test_two_forms_of_the_data_agree():
    counts = ig.studies.from_counts(DATA / "horse_kicks.csv", "corps_years")
    samples = ig.studies.from_samples(DATA / "horse_kick_deaths.csv", "deaths", "categorical")
    assert counts.family == samples.family
    assert_allclose(counts.theta, samples.theta, rtol=1e-15)


BAD_COUNTS = [
    ("a,n\n0,1\n1,2\n", "m", "line 1: no column 'm'; the columns are 'a', 'n'"),
    ("n,n\n0,1\n1,2\n", "n", "line 1: more than one column is called 'n'"),
    ("a,n\n0,1\n1,-2\n", "n", "line 3, column 'n': the count -2 is negative"),
    ("a,n\n0,1\n\n1,0\n", "n", "line 4, column 'n': the count 0 puts the target on the boundary of the simplex"),
    ("a,n\n0,1\n1,nan\n", "n", "line 3, column 'n': 'nan' is not a finite number"),
    ("a,n\n0,1\n1,inf\n", "n", "line 3, column 'n': 'inf' is not a finite number"),
    ("a,n\n0,1\n1,2.5\n", "n", "line 3, column 'n': '2.5' is not a whole number"),
    ("a,n\n0,1\n1,many\n", "n", "line 3, column 'n': 'many' is not a number"),
    ("a,n\n0,1\n1,\n", "n", "line 3, column 'n': '' is not a number"),
    ("a,n\n0,1\n1\n", "n", "line 3: no value in column 'n'"),
    ("", "n", "line 1: the file is empty"),
    ("a,n\n", "n", "line 2: the file has a header but no rows"),
    ("a,n\n0,7\n", "n", "at least two outcomes are needed; column 'n' has 1"),
]


@pytest.mark.parametrize("text, column, words", BAD_COUNTS)
def test_bad_counts(capsys, here, text, column, words):
    (here / "bad.csv").write_text(text)
    refused(capsys, here, "--counts", "bad.csv", "--column", column, words=f"bad.csv: {words}")


def refused(capsys, here, *argv, words):
    """Exit code 2, one line on standard error with these words, nothing on standard output, nothing written."""
    before = sorted(here.iterdir())
    code, out, err = run(capsys, *argv, "--out", "study")
    assert (code, out) == (2, "")
    assert err.endswith("\n") and err.count("\n") == 1 and words in err, err
    assert sorted(here.iterdir()) == before


BAD_SAMPLES = [
    ("x\n1\n-2\n", "gamma", "bad.csv: line 3: an observation x of the family gamma must satisfy x >= 0; got -2.0"),
    ("x\n1\n2.5\n", "poisson", "line 3: an observation x of the family poisson must satisfy x an integer, 0 <= x; got 2.5"),
    ("x\n1\n2\n", "bernoulli", "line 3: an observation x of the family bernoulli must satisfy x an integer, 0 <= x <= 1;"),
    ("x\n0\n0\n", "poisson", "column 'x': the maximum-likelihood estimate does not exist"),
    ("x\n3\n3\n", "normal", "column 'x': the maximum-likelihood estimate does not exist"),
    ("x\n1\nnan\n", "normal", "bad.csv: line 3, column 'x': 'nan' is not a finite number"),
    ("x\n0\n2\n2\n", "categorical", "column 'x': outcome 1 never occurs"),
    ("x\n0\n0\n", "categorical", "column 'x': outcome 1 never occurs"),
    ("x\n0\n1e9\n", "categorical", "line 3, column 'x': outcome 1e+09 of 2 observations leaves outcomes that never occur"),
    ("x\n0\n1.5\n", "categorical", "bad.csv: line 3, column 'x': an outcome must be 0, 1, 2, …; got 1.5"),
    ("x\n1\n2\n", "cauchy", "unknown family 'cauchy'; known are Bernoulli, Beta, Binomial,"),
    ("", "normal", "bad.csv: line 1: the file is empty"),
]


@pytest.mark.parametrize("text, family, words", BAD_SAMPLES)
def test_bad_samples(capsys, here, text, family, words):
    (here / "bad.csv").write_text(text)
    refused(capsys, here, "--samples", "bad.csv", "--column", "x", "--family", family, words=words)


@pytest.mark.parametrize("argv, words", [
    ([], "one of --example, --counts, --samples, --probabilities, --target, --targets is needed; got none"),
    (["--probabilities", "0.5", "0.5", "--counts", "a.csv"], "is needed; got --counts and --probabilities"),
    (["--probabilities", "0.5", "0.3"], "--probabilities: probabilities must sum to 1; these sum to 0.8"),
    (["--probabilities", "0.5", "0.5", "0"], "--probabilities: every probability must be positive and finite; outcome 2 has 0"),
    (["--probabilities", "1.5", "-0.5"], "outcome 1 has -0.5"),
    (["--probabilities", "nan", "0.5"], "outcome 0 has nan"),
    (["--probabilities", "1"], "--probabilities: at least two outcomes are needed; got 1"),
    (["--probabilities", "half"], "argument --probabilities: invalid float value: 'half'"),
    (["--probabilities", "0.5", "0.5", "--reference", "2"], "the reference must be an outcome from 0 to 1 or 'best'; got 2"),
    (["--probabilities", "0.5", "0.5", "--reference", "-1"],
     "argument --reference: must be an outcome's index or 'best'; got -1"),
    (["--probabilities", "0.5", "0.5", "--reference", "first"],
     "argument --reference: must be an outcome's index or 'best'; got first"),
    (["--probabilities", "0.5", "0.5", "--family", "normal"], "--family normal needs --samples"),
    (["--probabilities", "0.5", "0.5", "--weights", "x"], "--weights belongs to --samples"),
    (["--probabilities", "0.5", "0.5", "--affine", "0"], "argument --affine: must be a positive number; got 0"),
    (["--probabilities", "0.5", "0.5", "--divergence", "hellinger", "--direction", "reverse"], "got reverse and hellinger"),
    (["--probabilities", "0.5", "0.5", "--divergence", "rényi"], "unknown divergence 'rényi'; did you mean renyi?"),
    (["--probabilities", "0.5", "0.5", "--alpha", "1"], "alpha must satisfy alpha finite and other than 1"),
    (["--family", "normal", "--target", "mean=0", "variance=1", "--alpha", "0"], "α-charts are powers of probabilities"),
    (["--probabilities", "0.5", "0.5", "--column", "x"], "--column belongs to --counts and --samples"),
    (["--probabilities", "0.5", "0.5", "--starts", "0"], "argument --starts: must be a positive integer; got 0"),
    (["--probabilities", "0.5", "0.5", "--batch-size", "many"], "argument --batch-size: must be a positive integer; got many"),
    (["--probabilities", "0.5", "0.5", "--seed", "-1"], "argument --seed: must be a non-negative integer; got -1"),
    (["--probabilities", "0.5", "0.5", "--direction", "sideways"], "argument --direction: invalid choice: 'sideways'"),
    (["--probabilities", "0.5", "0.5", "--speed"], "unrecognized arguments: --speed"),
    (["--counts", "missing.csv", "--column", "n"], "missing.csv: No such file or directory"),
    (["--counts", ".", "--column", "n"], ".: Is a directory"),
    (["--counts", "missing.csv"], "--column is needed"),
    (["--counts", "missing.csv", "--column", "a", "--column", "b"], "--counts takes one --column; got a, b"),
    (["--samples", "missing.csv", "--column", "x"], "--samples needs --family"),
    (["--target", "rate=1"], "--target needs --family"),
    (["--family", "poisson", "--target", "rate=1", "--column", "x"], "--column belongs to --counts and --samples"),
    (["--family", "poisson", "--target", "rate=1", "--reference", "0"], "the reference is an argument of the family"),
    (["--family", "poisson", "--target", "rate=1", "--probabilities", "1"], "is needed; got --probabilities and --target"),
    (["--family", "poisson", "--target", "rate"], "--target: 'rate' must be name=value, each name once"),
    (["--family", "poisson", "--target", "rate=1", "rate=2"], "--target: 'rate=2' must be name=value, each name once"),
    (["--family", "poisson", "--target", "rate=-1"], "--target: rate must satisfy rate > 0; got -1.0"),
    (["--family", "poisson", "--target", "mean=1"], "--target: Poisson() takes the parameters rate; got mean"),
    (["--family", "poisson", "--target", "rate=one"], "unknown family 'one'"),
    (["--family", "poisson", "--target", "rate=Gamma"], "--target: rate must be numbers; got Gamma()"),
    (["--family", "poisson", "--target", "rate=[1, 2]"], "--target: one target is needed; got a batch of shape (2,)"),
    (["--family", "poisson", "--target", "rate=[1, [2]]"], "--target: rate must be numbers"),
    (["--family", "poisson", "--target", "rate=1 2"], "'1 2' is not a number"),
    (["--family", "wishart", "--target", "x=1"], "the family wishart needs its arguments: Wishart(p)"),
    (["--family", "wishart(2, 3)", "--target", "x=1"], "wishart(2, 3): too many positional arguments; the form is Wishart(p)"),
    (["--family", "wishart(0)", "--target", "x=1"], "wishart(0): p must satisfy p an integer >= 1; got 0"),
    (["--family", "wishart('a')", "--target", "x=1"], "\"'a'\" is not a number, a list of them, or a family with its arguments"),
    (["--family", "truncated(wishart)", "--target", "x=1"], "the family wishart needs its arguments: Wishart(p)"),
    (["--family", "truncated(poisson, 5, 2)", "--target", "x=1"], "truncated(poisson, 5, 2): "),
    (["--family", "product", "--target", "x=1"], "the family product needs its arguments: Product(*factors)"),
    (["--family", "gamma(", "--target", "x=1"], "'gamma(' is not a number, nor a family with its arguments"),
    (["--family", "2", "--target", "x=1"], "'2' is not the name of a family"),
    (["--samples", "missing.csv", "--column", "x", "--family", "wishart"], "the family wishart needs its arguments: Wishart(p)"),
    (["--samples", "missing.csv", "--column", "x", "--family", "Wishart(2)"], "the family Wishart(2) takes 4 columns; got x"),
    (["--samples", "missing.csv", "--column", "x", "--family", "dirichlet"],
     "dirichlet of 1 column: k must satisfy k an integer >= 2"),
    (["--samples", "missing.csv", "--column", "x", "--column", "y", "--family", "gamma"], "gamma takes one column; got x, y"),
    (["--samples", "missing.csv", "--column", "x", "--column", "y", "--family", "dirichlet"],
     "missing.csv: No such file or directory"),
])
def test_bad_arguments(capsys, here, argv, words):
    refused(capsys, here, *argv, words=words)


def test_reference_of_another_family(capsys, here):
    (here / "x.csv").write_text("x\n1\n2\n")
    refused(capsys, here, "--samples", "x.csv", "--column", "x", "--family", "poisson", "--reference", "0",
            words="as in Categorical(3, reference=0); the family is poisson")
    refused(capsys, here, "--samples", "x.csv", "--column", "x", "--family", "Categorical(3)", "--reference", "0",
            words="a reference outcome belongs to the categorical family, or is an argument of it, as in")


def test_not_a_text_file(capsys, here):
    (here / "x.csv").write_bytes(b"n\n\xff\xfe\x00\n")
    refused(capsys, here, "--counts", "x.csv", "--column", "n", words="x.csv: not a CSV text file")


def test_out_that_is_a_file(capsys, here):
    (here / "study").write_text("")
    refused(capsys, here, "--probabilities", "0.5", "0.5", words="--out study: study: Not a directory")


@pytest.mark.skipif(ig.backend.is_cupy_available(), reason="this is the behaviour where there is no CUDA device")
def test_cupy_without_a_device(capsys, here):
    refused(capsys, here, "--probabilities", "0.5", "0.5", "--backend", "cupy", words="--backend cupy: the cupy backend needs")


@pytest.mark.parametrize("option, shown", [("--progress", True), ("--no-progress", False)])
def test_progress_bars(capsys, option, shown, short):  # noqa: F811
    code, _, err = run(capsys, "--probabilities", "0.5", "0.5", *QUICK, option)
    assert code == 0 and ("step" in err) == shown


def test_a_first_look(capsys, here, monkeypatch):
    """--quick is a study of its own sizes, 80 columns wide at most, with α-charts and another divergence."""
    monkeypatch.setattr("infogeo.studies.QUICK", BRIEF)
    code, out, err = run(capsys, "--probabilities", "0.5", "0.3", "0.2", "--quick", "--alpha", "0", "--divergence", "renyi=0.5",
                         "--batch-size", "20")
    assert (code, err) == (0, "") and max(map(len, out.splitlines())) <= 80
    assert "11, seed 0" in out and "50 steps" in " ".join(out.split()) and "Rényi's D_a(p‖q), a = 0.5" in out
    assert any(line.split()[:4] == ["α", "=", "0", "5"] for line in out.splitlines())      # κ = 1/p_K


def test_diagnosis(capsys, here):
    code, out, err = run(capsys, "--family", "gamma", "--target", "shape=2", "rate=1", "--diagnose", "--out", "found")
    assert (code, err) == (0, "") and "Recommended: θ." in out
    assert (here / "found" / "diagnosis.txt").read_text(encoding="utf-8") == out
    assert json.loads((here / "found" / "diagnosis.json").read_text())["recommended"] == "θ"


def test_a_frequency_table_is_noted(capsys, here):
    table = ["--samples", str(DATA / "alpha_particles.csv"), "--column", "particles", "--family", "poisson", "--diagnose"]
    code, out, err = run(capsys, *table)
    assert code == 0 and err.startswith("infogeo: note: ") and err.count("\n") == 1 and "--weights intervals" in err
    code, out, err = run(capsys, *table, "--weights", "intervals")
    assert (code, err) == (0, "") and "1.3537" in out                           # θ = log 3.87


def test_version():
    """Without the families, solvers and studies that the options of the commands name."""
    program = ("import sys\nfrom infogeo.cli import main\nassert main(['--version']) == 0\n"
               "print([name for name in ('families', 'solvers', 'testing', 'training') if 'infogeo.' + name in sys.modules])")
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert out == f"infogeo {ig.__version__}\n[]\n"


@pytest.mark.parametrize("argv, meant", [
    (["conditionig"], "did you mean conditioning?"), (["conditioning", "--coulmn", "x"], "did you mean --column?"),
    (["conditioning", "--direction", "foward"], "did you mean forward?"),
    (["train", "--optimizer", "adam"], "did you mean --optimiser?"),
    (["families", "--backend", "torch"], "unrecognized arguments: --backend; other commands have it, this one does not"),
    (["conditioning", "--family", "gama", "--target", "rate=1"], "did you mean Gamma?"),
    (["train", "--optimiser", "kfca"], "did you mean kfac?")])
def test_what_may_have_been_meant(capsys, argv, meant):
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.endswith(f"{meant}\n"), err


def test_a_reader_who_leaves_is_no_error(monkeypatch, here):
    def left(text):
        raise BrokenPipeError

    monkeypatch.setattr("infogeo.cli.conditioning.say", left)
    with open(here / "out", "w") as out, open(here / "err", "w") as err:
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        assert main(["conditioning", "--probabilities", "0.5", "0.5"]) == 141
    assert (here / "err").read_text() == ""


def test_unknown_command(capsys):
    assert main(["divination"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("name", ig.studies.EXAMPLES)
def test_an_example_is_its_file(name):
    """The data sets that come with the package, by name and by their files."""
    found = ig.studies.described_target(example=name)
    options = ig.studies.EXAMPLES[name]
    path = ig.studies.example_data(name)
    again = ig.studies.described_target(**options | {key: str(path) for key in ("counts", "samples") if key in options})
    assert np.array_equal(found.theta, again.theta) and found.family == again.family


@pytest.mark.parametrize("options, words", [
    (["--example", "horse_kick"], "did you mean horse_kicks?"),
    (["--example", "horse_kicks", "--column", "deaths"], "--example says what --column would")])
def test_an_example_that_is_none(capsys, options, words):
    assert main(["conditioning", *options]) == 2
    assert words in capsys.readouterr().err


def test_without_a_command_all_are_told(capsys):
    """Each with an example that the command line takes."""
    assert main([]) == 0
    out = capsys.readouterr().out
    examples = re.findall(r"^  infogeo (.*)$", out, re.MULTILINE)
    commands = "conditioning equivalence train boost infer policy families derive".split()
    assert [line.split()[0] for line in examples] == commands
    for line in examples:
        _parser().parse_args(shlex.split(line))


def test_families(capsys):
    assert main(["families"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^Gamma +shape, rate +cdf$", out, re.MULTILINE)
    assert re.search(r"^Poisson +rate +cdf boundary prior$", out, re.MULTILINE)
    assert main(["families", "gamma", "Wishart(2)", "--format", "json"]) == 0
    sheets = json.loads(capsys.readouterr().out)
    assert sheets["gamma"] == ig.Gamma().data_sheet() and sheets["Wishart(2)"]["coordinates"] == "4"
    assert main(["families", "gama"]) == 2
    assert "did you mean Gamma?" in capsys.readouterr().err


def test_derive(capsys):
    assert main(["derive", "log(1 + exp(t))"]) == 0
    assert "exp(t)" in capsys.readouterr().out
    assert main(["derive", "log(1 + exp(t))", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("formula", ["__import__('os').system('id')", "log(1 + exp(t)", "3", "-t**2"])
def test_derive_says_what_is_wrong(formula, capsys):
    assert main(["derive", formula]) == 2
    found = capsys.readouterr()
    assert found.out == "" and found.err.startswith("infogeo: ") and found.err.count("\n") == 1
