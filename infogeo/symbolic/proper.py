"""Whether a log-density is one: its mass and the mean of its score in numbers, at some parameters."""
from collections.abc import Sequence

import numpy as np
import sympy as sp

from ..backend import NUMPY
from ..errors import DomainError
from .piece import Piece
from .score_moments import diagonal_places, refined

__all__ = ["AGREEMENT", "proper_points"]

TRIALS = 40         # parameters that are tried for a proper density
POINTS = 3          # of these, at which a closed form must agree with quadrature
AGREEMENT = 1e-6    # relative, of a closed form with quadrature and of the mass with 1
RTOL = 1e-8         # to which the rules of quadrature must agree for that
TOGETHER = 8        # parameters whose rules are refined together
# Magnitudes of the parameters that are tried: about 1, on both sides of it, and with no ratio that a formula might have
TRIED = (1.03, 0.52, 1.9, 0.71, 0.23, 2.8, 1.4, 0.37)


def proper_points(pieces: Sequence[Piece], parameters: Sequence[sp.Symbol], support: sp.Set) -> tuple[np.ndarray, np.ndarray]:
    """Some parameters, shape (n, d), at which the density is one, and the moments of the score there.

    Raises
    ------
    DomainError
        If it is integrable at none that is tried, or there has another integral than 1 or a score of another mean than 0.
    """
    d, tried = len(parameters), _tried(parameters)
    found = [refined(pieces, NUMPY, rows, RTOL) for rows in np.array_split(tried, -(-len(tried) // TOGETHER))]
    moments, change, _ = (np.concat(parts) for parts in zip(*found))
    proper = change <= RTOL
    if not proper.any():
        raise DomainError(f"log_density must be real, smooth and integrable over {support} and depend on each of "
                          f"{tuple(parameters)}; it does for none of {len(tried)} that were tried, the first {tried[0]}")
    tried, moments = tried[proper], moments[proper]
    _require("have the integral 1", moments[:, 0] - 1.0, moments[:, 0], parameters, tried)
    for i, u in enumerate(parameters):
        mean, square = moments[:, 1 + i], moments[:, 1 + d + diagonal_places(d)[i]]
        rule = f"have a derivative in {u} of mean 0, as it has where the support does not move"
        _require(rule, mean / np.sqrt(square), mean, parameters, tried)
    return tried[:POINTS], moments[:POINTS]


def _tried(parameters: Sequence[sp.Symbol]) -> np.ndarray:
    """Different points, shape (n, d), of the signs that the assumptions say."""
    rng = np.random.default_rng(20_000)
    points = np.array(TRIED)[rng.integers(len(TRIED), size=(TRIALS, len(parameters)))]
    signs = np.where(rng.random(points.shape) < 0.5, -1.0, 1.0)
    for i, u in enumerate(parameters):
        points[:, i] *= 1.0 if u.is_positive else -1.0 if u.is_negative else signs[:, i]
    return np.unique(points, axis=0)


def _require(rule: str, error: np.ndarray, values: np.ndarray, parameters: Sequence[sp.Symbol], points: np.ndarray) -> None:
    off = np.abs(error) > AGREEMENT
    if off.any():
        first = int(np.argmax(off))
        at = ", ".join(f"{u} = {v:g}" for u, v in zip(parameters, points[first]))
        raise DomainError(f"log_density must {rule}; at {off.sum()} of {off.size} parameters that were tried it has not, first "
                          f"{values[first]:.6g} at {at}. If these are no parameters of the model, declare what is known of them, "
                          "such as positive=True")
