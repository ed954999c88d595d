"""The sentences of the errors, in full and once: elsewhere tests ask for what is their own."""
import re
import subprocess
import sys

import numpy as np
import pytest

import infogeo as ig
from infogeo.errors import first_bad, require, require_converged, require_count, require_positive


@pytest.mark.parametrize("good, value, words", [
    (False, 3, "a must satisfy a > 5; got 3"),
    (False, "3", "a must satisfy a > 5; got '3'"),
    (np.array(False), np.array(3.0), "a must satisfy a > 5; got 3.0"),
    (np.array(False), np.array([1.0, 2.0]), "a must satisfy a > 5; got [1. 2.]"),
    ([True, False, True], [6, 2, 7], "a must satisfy a > 5; 1 of 3 points does not, first at index (1,): 2"),
    (np.array([[True, True], [False, False]]), np.arange(8.0).reshape(2, 2, 2),
     "a must satisfy a > 5; 2 of 4 points do not, first at index (1, 0): [4. 5.]"),
])
def test_a_broken_rule(good, value, words):
    with pytest.raises(ig.DomainError) as error:
        require("a", "a > 5", good, value)
    assert str(error.value) == words


def test_a_rule_that_is_kept():
    require("a", "a > 5", True, 6)
    require("a", "a > 5", np.array([True, True]), [6, 7])


@pytest.mark.parametrize("value", [0, -1.0, np.inf, np.nan, "2", None, np.float32(-1.0), [1.0, 0.0], np.array([2.0, np.nan])])
def test_not_positive(value):
    with pytest.raises(ig.DomainError, match="^h must satisfy h > 0( and finite)?; (got|1 of 2 points does not, first at index)"):
        require_positive("h", value)


def test_what_is_infinite_is_above_0():
    """So that is not the rule which it breaks; and a bound of one number beside many is shown."""
    with pytest.raises(ig.DomainError, match="mean must satisfy mean > 0 and finite; got inf"):
        ig.InverseGaussian().theta_from(mean=np.inf, shape=1.0)
    with pytest.raises(ig.DomainError, match=r"lower <= upper; 1 of 2 points does not, first at index \(0,\): 2"):
        require("lower", "lower <= upper", 2.0 <= np.array([1.0, 3.0]), 2.0)


def test_positive():
    assert require_positive("h", 2) == 2 and type(require_positive("h", 2)) is int
    assert require_positive("h", [1, 2]).dtype == np.float64


@pytest.mark.parametrize("value, least", [(0, 1), (1, 2), (2.0, 1), (np.nan, 1), ("2", 1), (None, 1)])
def test_no_count(value, least):
    with pytest.raises(ig.DomainError, match=f"^n must satisfy n an integer >= {least}; got "):
        require_count("n", value, least)


def test_a_count():
    assert require_count("n", np.int64(3)) == 3 and type(require_count("n", np.int64(3))) is int


def test_rows_that_did_not_converge():
    residual, iterate = np.array([0.0, 0.125, 0.5]), np.zeros((3, 2))
    require_converged("search ended short of 1e-9", np.array([True]), residual[:1], iterate)
    with pytest.raises(ig.ConvergenceError) as error:
        require_converged("search ended short of 1e-9", residual < 1e-9, residual, iterate)
    assert str(error.value) == "search ended short of 1e-9 in 2 of 3 rows, first at index (1,): residual 0.125"
    assert error.value.residual is residual and error.value.iterate is iterate
    assert error.value.converged.tolist() == [True, False, False]


def test_the_first_of_a_mask():
    assert first_bad(np.array([[False, True], [True, True]])) == ("3 of 4", (0, 1))


@pytest.mark.parametrize("make", [
    lambda: ig.Categorical(1), lambda: ig.Categorical(3, reference=3), lambda: ig.Weibull(0.0), lambda: ig.Laplace(np.inf),
    lambda: ig.Binomial(0), lambda: ig.Multinomial(3, 1.5), lambda: ig.NegativeBinomial(-1.0), lambda: ig.Erlang(0),
    lambda: ig.Independent(ig.Normal(), 0), lambda: ig.Hierarchical((2, 1), ((0,),)), lambda: ig.BoltzmannMachine(21),
    lambda: ig.PNorm(2, 0.5), lambda: ig.Quadratic([[1.0, 2.0], [2.0, 1.0]]), lambda: ig.geometry.HalfSpace(0),
    lambda: ig.geometry.Quadrature(1.0, 0.0), lambda: ig.statistics.LocationScale([[1.0, 2.0], [2.0, 1.0]]),
    lambda: ig.Truncated(ig.Poisson(), 3, 4), lambda: ig.statistics.asymptotic_complexity(ig.Normal(), 0, 1.0)])
def test_a_value_outside_its_domain_is_a_domain_error_everywhere(make):
    """Which is a ValueError, so that who expects one need not know of it."""
    with pytest.raises(ig.DomainError, match=" must satisfy .*; got ") as error:
        make()
    assert isinstance(error.value, ValueError)


@pytest.mark.parametrize("module, call, words", [
    ("gymnasium", lambda: ig.policy.gym("CartPole-v1"), "Gymnasium: pip install 'infogeo[policy]'"),
    ("tqdm.auto", lambda: ig.descend(lambda x: (x @ x, 2 * x), [1.0], update=ig.GradientUpdate(), step=0.1, max_steps=1,
                                     progress=True), "tqdm: pip install 'infogeo[studies]'"),
    ("matplotlib.pyplot", lambda: ig.Poisson().plot([0.0]), "matplotlib: pip install 'infogeo[studies]'"),
    ("torch", lambda: ig.networks.TorchNetwork(None, (4,)), "PyTorch: pip install 'infogeo[torch]'"),
], ids=["gymnasium", "tqdm", "matplotlib", "torch"])
def test_what_is_not_installed_is_told_with_its_extra(monkeypatch, module, call, words):
    for name in [name for name in sys.modules if name == module or name.startswith(("infogeo.networks.torch.", module + "."))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=re.escape(words)):
        call()


def test_strategies_say_that_they_need_hypothesis():
    script = ("import sys\nsys.modules['hypothesis'] = None\nimport infogeo as ig\n"
              "try:\n    ig.testing.manifolds\nexcept ImportError as error:\n    print(error)\n")
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "strategies and drawn checks need Hypothesis: pip install 'infogeo[testing]'\n"
