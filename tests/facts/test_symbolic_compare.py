"""The report of a family against its symbolic derivation."""
import numpy as np
import pytest
import sympy as sp

import infogeo as ig
from infogeo.symbolic import SymbolicManifold
from infogeo.symbolic.compare import compare

t1, t2 = sp.symbols("theta_1 theta_2", real=True)


def test_a_right_family():
    report = compare(ig.Gamma(), count=20)
    assert report.worst < 1e-12 and report.points.shape == (20, 2)
    assert set(report.errors) == {"potential", "to_eta", "metric", "cubic_tensor", "flat", "sharp"}
    assert str(report).startswith("Gamma(): 20 points, errors relative to the largest entry\n  potential")


def test_a_wrong_metric_is_seen():
    class Wrong(ig.Poisson):
        def metric(self, theta):
            return super().metric(theta) * (1 + 1e-9)

    report = compare(Wrong())
    assert report.errors["metric"] == pytest.approx(np.full(10, 1e-9), rel=1e-3)
    assert report.errors["to_eta"].max() < 1e-15


def test_a_wrong_map_is_seen():
    class Wrong(ig.Gamma):
        def sharp(self, theta, covector):
            return super().sharp(theta, covector) * (1 + 1e-9)

    report = compare(Wrong())
    assert np.all((report.errors["sharp"] > 1e-11) & (report.errors["sharp"] < 2e-9)) and report.errors["flat"].max() < 1e-15


@pytest.mark.parametrize("manifold", [
    ig.VonMisesFisher(5), ig.VonMises(), ig.Zeta(), ig.PNorm(3, 1.5), ig.PNorm(2, 4.0),
    ig.BoltzmannMachine(3, ((0, 1), (1, 2))), ig.Hierarchical((2, 2, 2), ((0, 1), (0, 2), (1, 2))),
], ids=repr)
def test_special_functions_and_states(manifold):
    report = compare(manifold, count=3)
    assert report.worst < 1e-12, str(report)


def test_a_formula_without_a_number():
    class Broken(ig.Poisson):
        def cubic_tensor(self, theta):
            return super().cubic_tensor(theta) * np.nan

    assert np.isnan(compare(Broken()).worst)


def test_a_family_of_ones_own():
    """A constant in ψ shows in `potential` alone."""
    report = compare(ig.Poisson(), SymbolicManifold(t1, sp.exp(t1) + 1), points=[[0.0], [1.0]])
    assert report.errors["potential"] == pytest.approx([0.5, 1 / (1 + np.e)])
    assert report.errors["metric"].max() < 1e-15


def test_bad_input():
    with pytest.raises(ig.ShapeError, match="dimension of the manifold, 1; got 2"):
        compare(ig.Poisson(), SymbolicManifold((t1, t2), t1**2 + t2**2))
    with pytest.raises(ig.DomainError, match="points must satisfy"):
        compare(ig.Exponential(), points=[[1.0]])
