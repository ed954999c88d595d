"""The public names: where they are, and what is said of a name that is somewhere else."""
import importlib
import subprocess
import sys

import pytest

import infogeo as ig
from infogeo.face.elsewhere import METHODS, SYNONYMS
from infogeo.face.stubs import packages, public_names, sections

FRESH = [sys.executable, "-W", "error", "-c"]


def printed(script):
    return subprocess.run([*FRESH, script], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("name, said", [
    ("Gaussian", ": it is infogeo.Normal"), ("gaussian", ": it is infogeo.Normal"), ("KFAC", ": it is infogeo.training.KFAC"),
    ("MLP", ": it is infogeo.networks.MLP"), ("Tikhonov", ": it is infogeo.curvature.Tikhonov"),
    ("natural_gradient", ": it is infogeo.NaturalUpdate"), ("fisher", ": it is infogeo.curvature.fisher"),
    ("logpdf", ": it is the method log_density(theta, x) of a family"),
    ("kl", ": it is the method kl(theta_p, theta_q) of a family"), ("KL", ": it is the method kl(theta_p, theta_q) of a family"),
    ("ppf", ": it is the method quantile(theta, q) of a family"),
    ("fisher_information", ": it is the method metric(theta) of a family"),
    ("multivariate_normal", "; did you mean infogeo.MultivariateNormal?"), ("Dirichelt", "; did you mean infogeo.Dirichlet?"),
    ("relu", "; did you mean infogeo.networks.Relu?"), ("spam", ""), ("__wrapped__", ""),
])
def test_a_name_from_elsewhere(name, said):
    with pytest.raises(AttributeError) as caught:
        getattr(ig, name)
    assert str(caught.value) == f"module 'infogeo' has no attribute {name!r}{said}"


def test_a_name_of_another_package():
    with pytest.raises(AttributeError, match="module 'infogeo.curvature' has no attribute 'Normal': it is infogeo.Normal$"):
        ig.curvature.Normal
    with pytest.raises(AttributeError, match="'MonteCarlo'; did you mean infogeo.inference.MonteCarloExpectation[?]$"):
        ig.inference.MonteCarlo             # before the one of another package that has this name, for another purpose


def test_methods_of_other_libraries():
    normal = ig.Normal()
    with pytest.raises(AttributeError, match=r"'Normal' object has no attribute 'logpdf': it is the method log_density\("):
        normal.logpdf
    with pytest.raises(AttributeError, match="'Normal' object has no attribute 'spam'$"):
        normal.spam


def test_an_error_inside_a_property_of_a_family_is_not_hidden():
    class Own(ig.Normal):
        @property
        def width(self):
            return self.spam

    with pytest.raises(AttributeError, match="'Own' object has no attribute 'spam'$"):
        Own().width


def test_what_is_said_exists():
    assert set(SYNONYMS) <= public_names().keys()
    assert all(hasattr(ig.ExponentialFamily, call.partition("(")[0]) for call in METHODS)
    words = " ".join([*SYNONYMS.values(), *METHODS.values()]).split()
    assert len(words) == len(set(words))


def test_what_is_said_needs_no_import():
    assert printed("import sys, infogeo; print(hasattr(infogeo, 'Gaussian'), 'numpy' in sys.modules)") == "False False"


@pytest.mark.parametrize("package", packages())
def test_every_name_of_a_stub_is_there(package):
    """The list of a package is that of its stub, each name once, and `dir` and ``import *`` give it."""
    module = importlib.import_module(package)
    listed = [name for section in sections(package) for name in section.names]
    assert len(listed) == len(set(listed)) and set(listed) == set(module.__all__) <= set(dir(module))
    names = {}
    exec(f"from {package} import *", names)
    assert set(listed) <= names.keys()


def test_a_function_and_the_module_of_its_name():
    """Importing the module leaves the function where it was."""
    names = "ig.curvature.kfac, ig.statistics.volume, ig.solvers.descend"
    script = f"import infogeo.curvature.kfac, infogeo.statistics.volume, infogeo as ig; print(*map(callable, ({names})))"
    assert printed(script) == "True True True"


def test_sections_are_the_comments_of_a_stub():
    counts = next(section for section in sections("infogeo") if section.title == "families: counts")
    assert {"Bernoulli", "Poisson"} <= set(counts.names)
    assert sections("infogeo.clustering")[0].title == ""
