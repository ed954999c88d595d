"""Arguments at random, right and wrong: only this library's errors, TypeError and ValueError come back.

Every public callable of the stubs is called with a fixed seed. What is looked for is the answer that names nothing: an
AttributeError, IndexError, KeyError, UnboundLocalError or LinAlgError from somewhere inside.
"""
import importlib
import inspect
import warnings
from enum import Enum
from functools import cache

import numpy as np
import pytest

import infogeo as ig
from infogeo.face.stubs import packages

# Calls of each callable: 200, 72 000 in all, take 13 s of one processor, and found two faults that 40 had not
CALLS = 100
# What these do is a study of minutes, a search through formulas, a decorator of tests, or a file
LEFT_OUT = {"studies", "symbolic", "testing", "backend"}
REFUSALS = (ig.InfogeoError, TypeError, ValueError, ImportError, OSError)


def public():
    """(name, callable) of everything public, by the packages' own lists."""
    found = {}
    for package in packages():
        if LEFT_OUT & set(package.split(".")):
            continue
        module = importlib.import_module(package)
        for name in module.__all__:
            value = getattr(module, name)
            if callable(value) and not inspect.ismodule(value) and not inspect.isabstract(value) and not _is_other(value):
                found.setdefault(id(value), (f"{package}.{name}", value))
    return sorted(found.values(), key=lambda pair: pair[0])


def _is_other(value):
    """An error, or an enumeration: a call of it is Python's own."""
    return isinstance(value, type) and issubclass(value, (BaseException, Enum))


@cache
def stock():
    """What stands for an argument of each name: a value that fits somewhere."""
    normal, cat, rng = ig.Normal(), ig.Categorical(3), np.random.default_rng(0)
    model = ig.networks.ConditionalModel(ig.networks.MLP((2, 3, 2)), cat)
    batch = rng.normal(size=(5, 2)), np.array([0, 1, 2, 1, 0])
    manifolds = [normal, cat, cat.dual, ig.Euclidean(2), ig.Burg(2), ig.Gamma(), ig.Exponential(), ig.Independent(normal, 2)]
    affine = ig.AffineSubmanifold([0.0, 0.0], [[1.0, 1.0]])
    matrix = np.array([[2.0, 0.5], [0.5, 1.0]])
    f = ig.CrossEntropy(cat, [0.5, 0.3])
    return {
        "M": manifolds, "base": manifolds, "manifold": manifolds, "geometry": manifolds,
        "family": [normal, cat, ig.Gamma(), ig.Exponential()], "model": [model], "network": [model.network], "batch": [batch],
        "w": [np.zeros(model.network.size)], "rng": [rng], "objective": [f, lambda x: (0.0, x)], "f": [f], "onto": [affine],
        "update": [ig.NaturalUpdate(), ig.MirrorUpdate()], "step": [ig.Constant(0.1), 0.1, ig.Backtracking()],
        "x0": [np.zeros(2), np.full((3, 2), 0.2)], "max_steps": [3], "tol": [1e-3], "times": [[0.0, 0.5]], "h": [0.1],
        "theta": [np.array([1.0, -1.0]), np.array([[1.0, -0.5], [2.0, -2.0]]), np.array([-1.0])],
        "eta": [np.array([0.2, 0.3]), np.array([1.0, 2.0])], "x": [np.array([0.5, 1.5]), batch[0], np.array([0, 1, 2])],
        "t": [0.5, np.linspace(0, 1, 3)], "alpha": [0.0, 0.5], "n": [3], "k": [3], "p": [2], "dim": [2], "size": [2],
        "shape": [(2,)], "matrix": [matrix], "A": [ig.operators.SymmetricDense(matrix)], "sets": [[affine]], "callbacks": [[]],
        "outputs": [ig.curvature.ExactColumns()], "damping": [ig.curvature.Tikhonov(0.1)], "curvature": [ig.curvature.fisher],
        "vector": [np.ones(2)], "covector": [np.ones(2)], "path": ["/tmp/none/at/all"], "metric": [lambda w: 0.0], "every": [2],
    }


def junk(rng):
    """Something that fits nowhere, or almost nowhere."""
    values = [None, 3, -1, 0, 2.5, -0.5, np.nan, np.inf, 1e300, "a", "", (), [], {}, [1.0], [[1.0, 2.0], [3.0]], np.zeros(0),
              np.zeros((2, 3)), np.ones((3, 2)), np.array(1.0), np.array(["a", "b"]), np.array([1 + 2j]), np.full(2, np.nan),
              object(), lambda *x: x[0], ig.Normal, ig.Normal(), ig.Constant(0.1), b"ab", True, slice(1), np.arange(4),
              -np.ones(2), np.zeros(2), ig.Categorical(3), np.ma.masked_array([1.0, 2.0], [True, False]), range(3), 10**30,
              np.float32(0.5), [None, 1.0]]
    return values[rng.integers(len(values))]


def fitting(name, rng, space=None):
    """An argument of this name: a point of the manifold that came before, or the longest name in stock that it begins with."""
    if space is not None and name.startswith(("theta", "eta", "x0", "x", "y", "covector", "vector", "u", "v")):
        domain = space.eta_domain if name.startswith("eta") else space.domain
        return domain.sample(rng, [(), (3,), (2, 3)][rng.integers(3)])
    known = max((key for key in stock() if name == key or name.startswith(key + "_")), key=len, default=None)
    if known is None:
        numbers = [0.5, 1.0, 2, np.array([0.5, 1.0]), np.ones((2, 2)), np.array([[1.0, -1.0], [2.0, -0.5]])]
        return numbers[rng.integers(len(numbers))]
    return stock()[known][rng.integers(len(stock()[known]))]


def arguments(call, rng):
    """Positional and keyword arguments for a signature: of each parameter, with a chance, what fits, junk, or nothing."""
    try:
        parameters = inspect.signature(call).parameters.values()
    except ValueError:
        parameters = ()
    wrong = rng.choice([0.0, 0.2, 0.6])
    args, named, space = [], {}, None
    for parameter in parameters:
        if parameter.default is not parameter.empty and rng.random() < 0.6:
            if parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
                break
            continue
        value = junk(rng) if rng.random() < wrong else fitting(parameter.name, rng, space)
        space = value if isinstance(value, ig.DuallyFlat) else space
        if parameter.kind is parameter.KEYWORD_ONLY:
            named[parameter.name] = value
        elif parameter.kind is not parameter.VAR_KEYWORD:
            args.append(value)
    if rng.random() < 0.05:
        args = args[:-1]
    return args, named


def crashes(name, call, rng, calls):
    """Messages of the calls that ended in an error of another kind."""
    found = []
    for _ in range(calls):
        args, named = arguments(call, rng)
        try:
            call(*args, **named)
        except REFUSALS:
            pass
        except Exception as error:
            shown = ", ".join([*map(repr, args), *(f"{key}={value!r}" for key, value in named.items())])
            found.append(f"{name}({shown[:200]}): {type(error).__name__}: {error}")
    return found


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Files, if any, go where nobody looks; warnings are not what is looked for."""
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def test_only_errors_that_say_something_come_out():
    found, seen = [], public()
    assert len(seen) > 150
    for i, (name, call) in enumerate(seen):
        found += crashes(name, call, np.random.default_rng([7, i]), CALLS)
    assert not found, "\n" + "\n".join(found)


def test_methods_of_families():
    """Of the objects that users have at hand: formulas, samples, fits and parameters of wrong arguments."""
    families = [ig.Normal(), ig.Categorical(3), ig.Gamma(), ig.MultivariateNormal(2), ig.Poisson(), ig.Dirichlet(3)]
    found = []
    for i, family in enumerate(families):
        for j, name in enumerate(sorted(name for name in dir(family) if not name.startswith("_"))):
            method = getattr(family, name)
            if callable(method) and not isinstance(method, type):
                found += crashes(f"{family!r}.{name}", method, np.random.default_rng([8, i, j]), 8)
    assert not found, "\n" + "\n".join(found)


# What the names of arrays of numbers are, or begin with
NUMBERS = {"theta", "eta", "x", "q", "t", "vector", "covector", "u", "v", "mean", "variance", "covariance", "rate", "shape",
           "scale", "concentration", "probabilities", "statistics", "weights"}


def asked(call, space, rng):
    """(the call by name, its fitting arguments), where they fit."""
    parameters = inspect.signature(call).parameters.values()
    fit = {p.name: fitting(p.name, rng, space) for p in parameters if p.default is p.empty and p.kind is not p.VAR_POSITIONAL}

    def by_name(named):
        args = [named[p.name] for p in parameters if p.name in named and p.kind is p.POSITIONAL_ONLY]
        return call(*args, **{p.name: named[p.name] for p in parameters if p.name in named and p.kind is not p.POSITIONAL_ONLY})
    try:
        by_name(fit)
    except REFUSALS:
        return by_name, None
    return by_name, fit


def test_what_is_no_number_is_refused():
    """None, text and objects, alone or in an array, in the place of every array of every method and function."""
    wrong = [None, "a", [None, 1.0], np.array([1.0, "a"], object), object(), [object()]]
    spaces = [ig.Normal(), ig.Categorical(3), ig.Gamma().dual, ig.MultivariateNormal(2), ig.Poisson(), ig.Burg(2), ig.Simplex(3)]
    calls = [(f"{space!r}.{name}", getattr(space, name), space) for space in spaces for name in sorted(dir(space))
             if not name.startswith("_")]
    calls += [(name, call, None) for name, call in public()]
    taken, found = 0, []
    for label, call, space in calls:
        if not callable(call) or isinstance(call, type):
            continue
        by_name, fit = asked(call, space, np.random.default_rng(9))
        for name, parameter in inspect.signature(call).parameters.items() if fit is not None else ():
            if name.split("_")[0] in NUMBERS and parameter.kind is not parameter.VAR_POSITIONAL:
                taken += 1
                for value in wrong[parameter.default is None:]:         # what may be None is not asked of it
                    try:
                        by_name({**fit, name: value})
                    except (TypeError, ValueError):
                        continue
                    found.append(f"{label}: {name}={value!r}")
    assert taken > 200 and not found, (taken, found)
