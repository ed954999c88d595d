"""Problems and charts from texts: ``forward``, ``renyi=0.5``, α-charts by their α."""
from collections.abc import Callable, Sequence
from typing import Any

from ..backend import Array
from ..errors import InfogeoError, takes
from ..families.base import ExponentialFamily
from ..objectives.alpha_chart import AlphaChart
from ..objectives.jensen_shannon import JensenShannonDivergence
from ..objectives.power_divergence import (AlphaDivergence, BhattacharyyaDistance, ChiSquaredDivergence, RenyiDivergence,
                                           SquaredHellingerDistance)
from .chart import ETA, MappedChart
from .inputs import InputError, suggestion
from .problem import DIRECTIONS, DivergenceProblem, Problem

__all__ = ["DIVERGENCES", "alpha_charts", "named_problem"]

# name: what makes it, its symbol, and the name of its parameter
DIVERGENCES: dict[str, tuple[Callable[..., Any], str, str]] = {
    "alpha": (AlphaDivergence, "D^(α)(p‖q), α = {}", "α"), "renyi": (RenyiDivergence, "Rényi's D_a(p‖q), a = {}", "order"),
    "hellinger": (SquaredHellingerDistance, "H²(p, q)", ""), "bhattacharyya": (BhattacharyyaDistance, "Bhattacharyya(p, q)", ""),
    "chi-squared": (ChiSquaredDivergence, "χ²(p‖q)", ""), "jensen-shannon": (JensenShannonDivergence, "JS(p, q)", ""),
}


def named_problem(text: str, family: ExponentialFamily, theta: Array) -> Problem:
    """The problem of a text: ``forward`` and ``reverse`` (KL), or a divergence as ``hellinger``, ``alpha=0.5``, ``renyi=0.5``.

    Raises
    ------
    InputError

    Examples
    --------
    >>> M = ig.Exponential()                        # rates 1 and 4: 1 − 2 / 2.5
    >>> problem = ig.studies.named_problem("hellinger", M,
    ...                                    M.theta_from(rate=1.0))
    >>> float(problem.kl(M.theta_from(rate=4.0)).round(6)), problem.curvature
    (0.2, 0.25)
    """
    if not isinstance(text, str):
        raise InputError(f"a divergence is named by text, such as 'forward' or 'alpha=0.5'; got {text!r}")
    if text in DIRECTIONS:
        return DIRECTIONS[text](family, theta)
    name, equals, value = text.partition("=")
    if name not in DIVERGENCES:
        known = [*DIRECTIONS, *DIVERGENCES]
        raise InputError(f"unknown divergence {text!r}{suggestion(name, known) or '; known are ' + ', '.join(known)}")
    make, symbol, parameter = DIVERGENCES[name]
    if bool(parameter) != bool(equals):
        raise InputError(f"divergence {text!r}: {f'needs its {parameter}, as in {name}=0.5' if parameter else 'takes no number'}")
    try:
        return DivergenceProblem(make(family, theta, *([float(value)] if parameter else [])), symbol.format(value))
    except (InfogeoError, TypeError, ValueError) as error:
        raise InputError(f"divergence {text!r}: {' '.join(str(error).split())}") from None


@takes(ExponentialFamily)
def alpha_charts(family: ExponentialFamily, alphas: Sequence[float]) -> tuple[MappedChart, ...]:
    """The charts u = p^{(1 − α)/2} of the probabilities beside the reference.

    Raises
    ------
    InputError
        For a family whose expectation parameters are no probabilities, or an α that has no chart.

    Examples
    --------
    >>> M = ig.Categorical(3)
    >>> theta = M.theta_from(probabilities=[0.25, 0.25, 0.5])
    >>> chart, = ig.studies.alpha_charts(M, [0.0])            # √p
    >>> chart.coordinates(M, theta).round(6)
    array([0.5, 0.5])
    """
    if alphas and not family.on_simplex:
        raise InputError(f"α-charts are powers of probabilities; the expectation parameters of {family!r} are none")
    try:
        return tuple(MappedChart(f"α = {alpha:g}", AlphaChart(alpha), ETA) for alpha in alphas)
    except InfogeoError as error:
        raise InputError(" ".join(str(error).split())) from None
