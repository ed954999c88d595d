"""A few points of the accuracy benchmark: every family against its definition in mpmath."""
import importlib.util
import math
import sys
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest

import infogeo as ig

BENCHMARKS = Path(__file__).parent.parent.parent / "benchmarks"


def load(name):
    """A script of the benchmarks as a module."""
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


accuracy_references = load("accuracy_references")
accuracy_edges = load("accuracy_edges")
accuracy = load("accuracy")
REFERENCES = {accuracy.label(reference.family): reference for reference in accuracy_references.references()}
QUICK = {name: reference for name, reference in REFERENCES.items() if reference.effort <= 2 and reference.family.dim <= 9}


@pytest.mark.parametrize("name", QUICK)
def test_bulk(name):
    """Points of the bulk keep 13 digits, 6 where points are near, and to_theta what rounding η leaves."""
    worst, _ = accuracy.measure(QUICK[name], "bulk", 3, 0, seed=1)
    for quantity, found in worst.items():
        assert found.count > 0, quantity
        assert found.error <= accuracy.TARGETS[quantity], f"{quantity}: {found.where}"


def test_every_family_of_the_library_has_a_reference():
    """Families that are made of other families apart: a new one that nobody compares with its definition fails here."""
    found = {type(reference.family).__name__ for reference in REFERENCES.values()}
    classes = {name: getattr(ig, name) for name in ig.__all__ if isinstance(getattr(ig, name), type)}
    public = {name for name, found in classes.items() if issubclass(found, ig.ExponentialFamily)}
    made_of_families = {"ExponentialFamily", "Independent", "Product", "Transformed", "Truncated"}
    assert public - made_of_families <= found


@pytest.mark.parametrize("quantity", ["log_partition", "to_eta", "metric", "kl", "entropy", "log_density", "to_theta",
                                      "dual_potential"])
def test_a_wrong_digit_is_seen(quantity):
    """A family that is wrong in the tenth digit misses its target in that quantity."""
    reference = REFERENCES["Gamma()"]
    right = type(reference.family)
    method = getattr(right, quantity)
    wrong = type("Wrong", (right,), {quantity: lambda self, *points: method(self, *points) * (1.0 + 1e-9)})
    altered = accuracy_references.Reference(wrong(), reference.psi, reference.statistic, reference.log_base,
                                            reference.expected_log_base)
    worst, _ = accuracy.measure(altered, "bulk", 3, 0, seed=1)
    names = {"log_partition": "psi", "to_eta": "eta", "to_theta": "theta", "dual_potential": "phi", "log_density": "log density"}
    name = names.get(quantity, quantity)
    assert worst[name].error > accuracy.TARGETS[name]


def test_nan_and_range():
    """A NaN is an infinite error; values that no floating-point number holds are left out."""
    one = mp.mpf(1)
    assert math.isinf(accuracy.relative(np.nan, one, one))
    assert accuracy.relative(0.0, mp.mpf("1e-310"), mp.mpf("1e-310")) is None
    assert accuracy.relative(np.inf, mp.mpf("1e400"), mp.mpf("1e400")) is None
    assert accuracy.relative(1.5, one, one) == 0.5
    assert accuracy.relative(0.0, mp.mpf(0), mp.mpf(0)) == 0.0


def test_rounding_an_observation_costs_nothing_where_it_is_a_count():
    """|x ∂_x log p| = |θ| x of the exponential law; every float of 2⁵³ or more is whole without being a count."""
    with mp.workdps(60):
        assert accuracy.sensitivity_to_x(REFERENCES["Poisson()"], [mp.mpf(1)], 3.0) == 0
        cost = accuracy.sensitivity_to_x(REFERENCES["Exponential()"], [mp.mpf(-2)], 2.0**60)
        assert abs(cost / 2**61 - 1) < mp.mpf(10) ** -20


def test_derivatives_of_a_known_potential():
    """ψ = −log(−θ): η = −1/θ and G = 1/θ², to 40 digits."""
    reference = REFERENCES["Exponential()"]
    with mp.workdps(100):
        psi, eta, metric = reference.derivatives([mp.mpf(-3)])
        assert abs(psi + mp.log(3)) < mp.mpf(10) ** -90
        assert abs(eta[0] * 3 - 1) < mp.mpf(10) ** -40
        assert abs(metric[0, 0] * 9 - 1) < mp.mpf(10) ** -40


@pytest.mark.parametrize("rate", [0.3, 5.0, 60.0])
def test_expected_log_factorial(rate):
    """The integral for E[log X!] of a Poisson count, against the sum."""
    with mp.workdps(30):
        rate = mp.mpf(rate)
        value = accuracy_references.expected_log_gamma(lambda u: rate * mp.expm1(-u), rate, 1)
        weights = [mp.exp(-rate + x * mp.log(rate) - mp.loggamma(x + 1)) for x in range(400)]
        assert abs(value - mp.fsum(w * mp.loggamma(x + 1) for x, w in enumerate(weights))) < mp.mpf(10) ** -25


def test_edges():
    """Fits of data far from 0 or nearly constant, ends of supports and boundaries: all figures of the table."""
    for kind, name, error, _ in accuracy_edges.table():
        assert error <= 1e-13, f"{kind}: {name}: {error:.1e}"
