"""Tables as people have them: separators, decimal commas, gzip, no header, weights; what cannot be read is refused by cause."""
import gzip
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import infogeo as ig
from infogeo.studies.inputs import suggestion
from infogeo.studies.reading import read_table
from infogeo.studies.unfinished import Unfinished

S = ig.studies
DATA = ig.studies.example_data("horse_kicks").parent


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "t.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path
    return write


@pytest.mark.parametrize("text", [
    "a,b\n1.5,2\n-3,4e1\n", "a;b\n1,5;2\n-3;4e1\n", "a\tb\n1,5\t2\n-3,0\t4e1\n", "a|b\n1.5|2\n-3|40\n", "a b\n1.5  2\n-3 40\n",
    " a , b \n 1.5 , 2 \n\n-3,40\n", '# said, by us\na,b\n"1,5",2\n# more\n"-3,0",40\n', "\ufeffa,b\r\n1.5,2\r\n-3,40\r\n",
    "a,b\n1.5,2,\n-3,40,,\n", '"a";"b"\n1,5;2\n-3;40'])
def test_separators_and_decimal_marks(file, text):
    found = read_table(file(text)).columns(["b", "a"])
    assert_array_equal(found.values, [[2.0, 1.5], [40.0, -3.0]])


def test_gzip_and_files_without_a_header(file):
    table = read_table(file(gzip.compress(b"1,10\n2,20\n3,30\n")))
    assert not table.header and table.names == ["1", "2"]
    assert_array_equal(table.columns(["2"]).values[:, 0], [10, 20, 30])
    # years are names, where they are called so; 1 is a place
    named = read_table(file("2019,2020\n1,2\n3,4\n"), ["2020"])
    assert named.header and named.columns(["2020"]).values.sum() == 6
    assert not read_table(file("1,2\n3,4\n"), ["1"]).header
    preferred = read_table(file("a;b, per year\n1,5;2\n"))             # a comma in a name separates nothing
    assert preferred.names == ["a", "b, per year"] and preferred.columns(["a"]).values[0, 0] == 1.5
    single = read_table(file("x\n1.5\n2\n"))
    assert_array_equal(single.columns(["x"]).values[:, 0], [1.5, 2])


@pytest.mark.parametrize("content, column, words", [
    ("1,2\n3,4\n", "x", "no column 'x': the first line holds numbers, not names, so columns go by their number, 1 to 2"),
    ("weight,n\n1,2\n", "wieght", "did you mean weight?"),
    ("x\n1,5\n2,5\n", "x", "line 2: 2 values, the header 1 names; a number with a decimal comma must stand in quotes"),
    ("a;b\n1,5;2\n1.5;3\n", "a", "column 'a' has decimal commas (line 2: '1,5') and points (line 3: '1.5')"),
    ("a;b\n1.234,5;2\n", "a", "line 2, column 'a': '1.234,5' is not a number"),
    ("a,b\n1,2,3\n", "a", "line 2: 3 values, the header 2 names"),
    (gzip.compress(b"a,b\n1,2\n", mtime=0)[:-6], "a", "a damaged gzip file"),
    (b"PK\x03\x04rest", "a", "a ZIP archive or a spreadsheet"),
    (b"\xff\xfea\x00", "a", "not a CSV text file"),
    ("\n\n# nothing\n", "a", "line 1: the file is empty"),
])
def test_what_is_refused(file, content, column, words):
    path = file(content)
    with pytest.raises(S.InputError) as error:
        read_table(path, [column]).columns([column])
    assert words in str(error.value) and str(path) in str(error.value)


def test_frequency_tables():
    """Rutherford & Geiger's particles: 3.87 in an interval, and 7 where every count is taken once, which is warned about."""
    path = DATA / "alpha_particles.csv"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        target = S.from_samples(path, "particles", "poisson", weights="intervals")
        assert_allclose(target.family.parameters(target.theta)["rate"], 10097 / 2608, rtol=1e-12)
        S.from_samples(DATA / "horse_kick_deaths.csv", "deaths", "poisson")
        counted = S.from_samples(DATA / "horse_kicks.csv", "deaths", "categorical", weights="corps_years")
    with pytest.warns(S.InputWarning, match="looks like a frequency table: column 'particles'.*--weights intervals"):
        plain = S.from_samples(path, "particles", "poisson")
    assert_allclose(plain.family.parameters(plain.theta)["rate"], 7.0, rtol=1e-12)
    assert_allclose(counted.theta, S.from_counts(DATA / "horse_kicks.csv", "corps_years").theta, rtol=1e-14)


@pytest.mark.parametrize("text, words", [
    ("x,w\n1,2\n2,-1\n", "line 3, column 'w': the weight -1 is negative"), ("x,w\n1,0\n2,0\n", "all weights are 0"),
    ("x,w\n1,a\n", "line 2, column 'w': 'a' is not a number"), ("x,v\n1,1\n", "no column 'w'; the columns are 'x', 'v'")])
def test_weights_that_are_none(file, text, words):
    with pytest.raises(S.InputError, match=words):
        S.from_samples(file(text), "x", "poisson", weights="w")


def test_what_may_have_been_meant():
    assert suggestion("multivariatenormal", ["MultivariateNormal"]) == "; did you mean MultivariateNormal?"
    assert suggestion("inverse_gausian", ["Gamma", "InverseGaussian"]) == "; did you mean InverseGaussian?"
    assert suggestion("zzz", ["Gamma"]) == ""


def test_parts_on_disk_come_back_as_they_were(tmp_path):
    """Names with dots, tuples of dataclasses within dataclasses, texts; of another study, or damaged, they count for nothing."""
    flow = S.Flow("θ′, c = 2.5", np.arange(3.0), np.ones((3, 1)), np.zeros((3, 1, 2)), np.array([2.0]), np.array([0.1, 1.0]),
                  np.array([8]), np.array([np.nan]))
    chart = S.InChart("θ′, c = 2.5", np.ones(2), 1.0, 2.0, 0.5, 0.0, flow, np.array([3]), np.array([1]))
    kinds = {"charts": tuple[S.InChart, ...], "flow": S.Flow}
    kept = Unfinished(tmp_path / "deep" / "er", {"seed": 1}, kinds)
    kept.keep("charts", (chart, chart), {"charts.csv": b"a\n"})
    kept.keep("other", 3)
    found = Unfinished(tmp_path / "deep" / "er", {"seed": 1}, kinds).parts()
    assert set(found) == {"charts"} and [c.method for c in found["charts"]] == ["θ′, c = 2.5"] * 2
    assert found["charts"][1].condition == 1.0 and type(found["charts"][1].condition) is float
    assert_array_equal(found["charts"][0].flow.early_rate, flow.early_rate)
    assert Unfinished(tmp_path / "deep" / "er", {"seed": 2}, kinds).parts() == {}
    path = kept.folder / "charts.npz"
    path.write_bytes(path.read_bytes()[:-9])
    assert kept.parts() == {}
    (kept.folder / "note.txt").write_text("mine")
    kept.clear()
    assert [p.name for p in kept.folder.iterdir()] == ["note.txt"]
