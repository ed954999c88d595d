"""The settings of an estimator as parameters of LightGBM, for the trees of each coordinate."""
import os
from collections.abc import Mapping
from math import inf
from numbers import Integral, Real
from typing import Any

import numpy as np

from ..errors import DomainError, require, require_positive
from .charts import ParameterChart
from .engine import MOST_LEAVES
from .features import place

__all__ = ["threads", "tree_settings"]

BY_PARAMETER = ("learning_rate", "max_leaf_nodes", "max_depth", "min_samples_leaf", "l2_regularization")


def threads(n_jobs: int | None) -> int:
    """One unless told otherwise: on busy cores two threads took 5 to 30 times the CPU time of one."""
    if n_jobs is None:
        return 1
    require("n_jobs", "a number of threads, or -1 for all cores", isinstance(n_jobs, Integral) and n_jobs != 0, n_jobs)
    return int(n_jobs) if n_jobs > 0 else max(1, (os.cpu_count() or 1) + 1 + int(n_jobs))


def tree_settings(estimator: Any, chart: ParameterChart, names: list[Any] | None, p: int) -> list[dict[str, Any]]:
    """LightGBM's parameters of each coordinate; a dict of ours is by the names of parameters.

    Raises
    ------
    DomainError
    """
    signs = _constraints(estimator.monotonic_cst, chart, names, p)
    for name in BY_PARAMETER:
        for parameter in getattr(estimator, name) if isinstance(getattr(estimator, name), dict) else ():
            _coordinates(name, parameter, chart)
    common = {"feature_fraction_bynode": float(estimator.max_features), "bagging_fraction": float(estimator.subsample),
              "bagging_freq": int(estimator.subsample < 1)}
    out = []
    for owner, column, row in zip(chart.owners, chart.columns, signs):
        own = {name: _own(name, getattr(estimator, name), owner, column) for name in BY_PARAMETER}
        out.append(common | _of_one(**own) | ({"monotone_constraints": row} if any(row) else {}))
    return out


def _of_one(learning_rate: Any, max_leaf_nodes: Any, max_depth: Any, min_samples_leaf: Any,
            l2_regularization: Any) -> dict[str, Any]:
    for name, value, least in (("max_depth", max_depth, 1), ("max_leaf_nodes", max_leaf_nodes, 2)):
        good = value is None or isinstance(value, Integral) and int(value) >= least
        require(name, f"{name} an integer >= {least}, or None", good, value)
    good = isinstance(l2_regularization, Real) and 0 <= float(l2_regularization) < inf
    require("l2_regularization", "l2_regularization a number >= 0", good, l2_regularization)
    leaves = max_leaf_nodes or (2**min(max_depth, 17) if max_depth else MOST_LEAVES)
    least = require_positive("min_samples_leaf", min_samples_leaf)
    return {"learning_rate": require_positive("learning_rate", learning_rate), "num_leaves": int(leaves),
            "max_depth": int(max_depth or -1), "min_sum_hessian_in_leaf": float(least),
            "min_data_per_group": max(1, round(least)), "lambda_l2": float(l2_regularization)}


def _own(name: str, value: Any, owner: str, column: str) -> Any:
    """A setting of one coordinate."""
    if not isinstance(value, dict):
        return value
    if column in value or owner in value:
        return value.get(column, value.get(owner))
    raise DomainError(f"{name} must have a value for every parameter; got none for {owner!r}")


def _coordinates(name: str, parameter: Any, chart: ParameterChart) -> list[int]:
    """The coordinates that have this name, or belong to the parameter that has it."""
    found = [j for j, pair in enumerate(zip(chart.owners, chart.columns)) if parameter in pair]
    if not found:
        known = ", ".join(dict.fromkeys((*chart.owners, *chart.columns)))
        raise DomainError(f"{name} must be a dict by the names of parameters, {known}; got {parameter!r}")
    return found


def _constraints(monotonic: Any, chart: ParameterChart, names: list[Any] | None, p: int) -> list[list[int]]:
    """The signs of every coordinate's monotone dependence on every feature, from ``{"variance": {"x3": 1}}`` or lists."""
    table = [[0] * p for _ in chart.columns]
    if not isinstance(monotonic, Mapping | None):
        raise DomainError(f'monotonic_cst must be a dict by the names of parameters, {{"{chart.owners[0]}": {{…}}}}; got '
                          f"{monotonic!r}")
    for parameter, signs in (monotonic or {}).items():
        rows = _coordinates("monotonic_cst", parameter, chart)
        if not isinstance(signs, Mapping) and np.shape(signs) != (p,):
            raise DomainError(f"monotonic_cst must give a dict by feature, or a sign for each of {p}; got {signs!r} for "
                              f"{parameter!r}")
        for feature, sign in signs.items() if isinstance(signs, Mapping) else enumerate(signs):
            if sign not in (-1, 0, 1):
                raise DomainError(f"monotonic_cst must be -1, 0 or 1 for every feature; got {sign!r} for {feature!r} of "
                                  f"{parameter!r}")
            for j in rows:
                table[j][place(feature, names, p, "monotonic_cst")] = int(sign)
    return table
