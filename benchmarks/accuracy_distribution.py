"""The digits of distribution functions, beside SciPy's, at the points of tests/data/distribution_references.csv.

    OPENBLAS_NUM_THREADS=1 python benchmarks/accuracy_distribution.py

An error of P(X ≤ x) and of P(X > x) is relative to the value, of those above 1e-300, or to what rounding x costs, where that is
more; that of a logarithm is relative to the logarithm, of those beyond 1e-300. It writes docs/_static/accuracy_distribution.csv.
"""
import csv
import sys
import warnings
from itertools import groupby
from pathlib import Path

import accuracy_references
import numpy as np
import scipy.stats

import infogeo as ig
from infogeo.domains import Integers

ROOT = Path(__file__).parent.parent
SOURCE, OUT = ROOT / "tests" / "data" / "distribution_references.csv", ROOT / "docs" / "_static" / "accuracy_distribution.csv"
SCIPY = {"cdf": "cdf", "survival": "sf", "log_cdf": "logcdf", "log_survival": "logsf"}
EPS = float(np.finfo(float).eps)


def named(text):
    return eval(f"ig.{text.replace('(Normal', '(ig.Normal')}", {"ig": ig})


def peers():
    """{family: the frozen distribution of SciPy from ordinary parameters}."""
    found = {repr(reference.family): reference.scipy for reference in accuracy_references.references() if reference.scipy}
    own = {
        "Weibull(1.7)": lambda scale: scipy.stats.weibull_min(1.7, scale=scale),
        "Pareto(2.0)": lambda exponent: scipy.stats.pareto(exponent, scale=2.0),
        "Gumbel(2.0)": lambda location: scipy.stats.gumbel_r(location, 2.0),
        "Laplace(0.5)": lambda scale: scipy.stats.laplace(0.5, scale),
        "Erlang(3)": lambda rate: scipy.stats.gamma(3, scale=1 / rate),
        "Truncated(Normal(), 2.0, 5.0)": lambda mean, variance: scipy.stats.truncnorm(
            (2.0 - mean) / variance**0.5, (5.0 - mean) / variance**0.5, mean, variance**0.5)}
    own |= {f"Binomial({n})": (lambda probability, n=n: scipy.stats.binom(n, probability)) for n in (7, 1000)}
    own |= {f"NegativeBinomial({r})": (lambda probability, r=r: scipy.stats.nbinom(r, probability)) for r in (0.4, 7)}
    return found | own


def worst(found, exact, scale, counted):
    """The largest error of the values that count; None where one is no number."""
    if not np.all(np.isfinite(found[counted])):
        return None
    return np.max(np.abs(found - exact)[counted] / scale[counted], initial=0.0)


def errors(family, rows, peer):
    """(errors of infogeo, of SciPy) in the order of SCIPY; SciPy's are missing where it has not the family."""
    theta, x, *logs = (np.array(column) for column in zip(*rows))
    slope = np.abs(x) * EPS * (0.0 if isinstance(family.support, Integers) else np.exp(family.log_density(theta, x)))
    frozen = None
    if peer is not None:
        frozen = [peer(**family.parameters(t)) for t in theta]
    ours, theirs = [], []
    for name in SCIPY:
        exact = logs["survival" in name]
        p = np.exp(exact)
        if not name.startswith("log"):
            exact, scale, counted = p, np.maximum(p, slope / 1e-13), p > 1e-300
        else:
            scale, counted = np.maximum(np.abs(exact), slope / 1e-13 / np.maximum(p, 1e-300) * (p > 1e-300)), exact < -1e-300
        ours.append(worst(getattr(family, name)(theta, x), exact, scale, counted))
        if frozen is not None:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                found = np.array([float(getattr(law, SCIPY[name])(point)) for law, point in zip(frozen, x)])
            theirs.append(worst(found, exact, scale, counted))
    return ours, theirs


def figure(error):
    return "none" if error is None else "0" if error == 0 else f"{error:.1e}"


def main():
    with open(SOURCE, encoding="utf-8") as file:
        table = groupby(csv.DictReader(file), lambda row: row["family"])
        families = {name: [(np.array(row["theta"].split(), float), *(float(row[key]) for key in ("x", "log_cdf", "log_survival")))
                           for row in rows] for name, rows in table}
    known = peers()
    lines = [("family", "quantity", "points", "infogeo", "scipy")]
    for name, rows in families.items():
        ours, theirs = errors(named(name), rows, known.get(name))
        found = zip(SCIPY, map(figure, ours), map(figure, theirs) if theirs else [""] * len(SCIPY), strict=True)
        lines += [(name, quantity, len(rows), own, peer) for quantity, own, peer in found]
        print(*lines[-1], file=sys.stderr, flush=True)
    with open(OUT, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(lines)


if __name__ == "__main__":
    main()
