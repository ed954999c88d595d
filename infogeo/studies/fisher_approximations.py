"""What each approximation of the Fisher metric loses: natural gradients, spectra and costs beside the exact ones."""
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import TypeAlias

import numpy as np

from ..backend import Array, to_numpy
from ..curvature.block_diagonal import block_diagonal
from ..curvature.diagonal import diagonal_fisher
from ..curvature.ekfac import ekfac
from ..curvature.fisher import empirical_fisher, fisher, sampled_fisher
from ..curvature.kfac import kfac
from ..curvature.kfac_tridiagonal import kfac_tridiagonal
from ..curvature.low_rank import low_rank_fisher
from ..curvature.outputs import RandomSigns
from ..curvature.unitwise import quasi_diagonal, unitwise_fisher
from ..errors import ShapeError
from ..networks.model import ConditionalModel
from ..operators.base import LinearOperator
from .tables import number, table

__all__ = ["Approximation", "FisherApproximations", "fisher_approximations"]

Curvature: TypeAlias = Callable[[ConditionalModel, Array, tuple[Array, Array]], LinearOperator]

LARGEST = 4000          # weights for which the dense matrices are formed, 128 MB each


@dataclass(frozen=True)
class Approximation:
    """One approximation F̃ beside the exact F, both damped by c I.

    Attributes
    ----------
    label : str
    angle : float
        Between the natural gradients (F̃ + c I)⁻¹ ∇L and (F + c I)⁻¹ ∇L in the metric F + c I, degrees.
    norm_ratio : float
        The length of the first over that of the second, in the same metric.
    progress : float
        What the best multiple of the approximate step gains in the quadratic model, over what the exact one gains: cos² of the
        angle.
    frobenius : float
        ‖F̃ − F‖ / ‖F‖.
    trace_ratio : float
        tr F̃ / tr F.
    eigenvalues : array, shape (size,)
        Of F̃, descending.
    seconds : float
        To make F̃, damp it and solve once.
    """

    label: str
    angle: float
    norm_ratio: float
    progress: float
    frobenius: float
    trace_ratio: float
    eigenvalues: np.ndarray
    seconds: float


@dataclass(frozen=True)
class FisherApproximations:
    """What `fisher_approximations` found; printed as a table.

    Attributes
    ----------
    c : float
        The damping.
    eigenvalues : array, shape (size,)
        Of the exact Fisher metric, descending.
    seconds : float
        For the exact natural gradient.
    approximations : list of Approximation

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> batch = np.array([[1.0], [3.0]]), np.array([0, 1])
    >>> found = ig.studies.fisher_approximations(model, np.zeros(2), batch,
    ...                                          damping=0.01,
    ...                                          rng=np.random.default_rng(0))
    >>> found.eigenvalues.round(3)                  # of ¼ [[5, 2], [2, 1]]
    array([1.457, 0.043])
    """

    c: float
    eigenvalues: np.ndarray
    seconds: float
    approximations: list[Approximation]

    def __str__(self) -> str:
        rows: list[tuple[str, ...]] = [("exact", "0", "1", "1", "0", "1", f"{1e3 * self.seconds:.3g}")]
        for a in self.approximations:
            figures = a.angle, a.norm_ratio, a.progress, a.frobenius, a.trace_ratio, 1e3 * a.seconds
            rows.append((a.label, *(number(figure, 3) for figure in figures)))
        top = self.eigenvalues[self.eigenvalues > 0]
        notes = [f"{len(self.eigenvalues)} weights, damping {self.c:g}. The exact Fisher metric has eigenvalues from "
                 f"{number(top[0], 3)} down, {np.sum(self.eigenvalues > 1e-10 * top[0])} above 1e-10 of that. Angles and lengths "
                 "are those of natural gradients in the exact damped metric."]
        header = ("", "angle (°)", "length", "progress", "‖F̃−F‖/‖F‖", "tr F̃/tr F", "ms")
        return table("Approximate natural gradients beside the exact one", header, rows, notes)


def _list(rng: np.random.Generator) -> dict[str, Curvature]:
    """label -> function (model, w, batch) -> LinearOperator."""
    return {
        "sampled, 1 draw": partial(sampled_fisher, rng=rng),
        "sampled, 100 draws": partial(sampled_fisher, rng=rng, draws=100),
        "empirical": empirical_fisher,
        "block-diagonal": block_diagonal,
        "unit-wise": unitwise_fisher,
        "quasi-diagonal": quasi_diagonal,
        "diagonal": diagonal_fisher,
        "K-FAC": kfac,
        "K-FAC, random signs": partial(kfac, outputs=RandomSigns(rng)),
        "K-FAC, block-tridiagonal": kfac_tridiagonal,
        "EK-FAC": ekfac,
        "rank 10 and diagonal": partial(low_rank_fisher, rank=10),
    }


def fisher_approximations(model: ConditionalModel, w: Array, batch: tuple[Array, Array], *, damping: float,
                          rng: np.random.Generator, curvatures: dict[str, Curvature] | None = None) -> FisherApproximations:
    """Compare approximations of the Fisher metric at the weights of a model.

    Mathematically, with the gradient g of the loss, v = (F + c I)⁻¹ g and ṽ = (F̃ + c I)⁻¹ g: the angle between v and ṽ in the
    metric F + c I. The step along ṽ of the best length decreases the quadratic model by cos² of it times what v does.

    Parameters
    ----------
    model : ConditionalModel
    w : array, shape (size,)
        At most 4000 weights: all metrics are formed.
    batch : pair (x, y)
    damping : float
        c.
    rng : numpy.random.Generator
        For the approximations that draw.
    curvatures : dict, optional
        Names and functions (model, w, batch) -> LinearOperator; those of the library if not given.

    Raises
    ------
    ShapeError
        For too many weights or a batch of them.

    Returns
    -------
    FisherApproximations

    Source: Kunstner, Hennig & Balles, Limitations of the empirical Fisher approximation (2019), for what becomes of the empirical
    one.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> batch = np.array([[1.0], [3.0]]), np.array([0, 1])
    >>> rng, kinds = np.random.default_rng(0), {"K-FAC": ig.curvature.kfac}
    >>> found = ig.studies.fisher_approximations(model, np.zeros(2), batch,
    ...                                          damping=0.01, rng=rng,
    ...                                          curvatures=kinds)
    >>> one, = found.approximations     # exact: one layer, one output
    >>> one.label, round(float(one.progress), 6)
    ('K-FAC', 1.0)
    """
    if w.ndim != 1 or w.shape[0] > LARGEST:
        raise ShapeError(f"w must have shape (size,) with size <= {LARGEST}; got {tuple(w.shape)}")
    covector = model.value_and_gradient(w, batch)[1]
    gradient = to_numpy(covector).astype(float)

    def solved(make: Curvature) -> tuple[LinearOperator, np.ndarray, float]:
        start = perf_counter()
        operator = make(model, w, batch)
        vector = to_numpy(operator.shifted(float(damping)).solve(covector)).astype(float)
        return operator, vector, perf_counter() - start

    exact, natural, seconds = solved(fisher)
    F = _matrix(exact)
    metric = F + damping * np.eye(len(F))
    length = np.sqrt(natural @ metric @ natural)
    found = []
    for label, make in (_list(rng) if curvatures is None else curvatures).items():
        operator, vector, took = solved(make)
        A, size = _matrix(operator), np.sqrt(vector @ metric @ vector)
        cosine = gradient @ vector / (length * size)         # v·(F + c I) ṽ = g·ṽ
        found.append(Approximation(label, _angle(natural / length, vector / size, metric), size / length, cosine**2,
                                   float(np.linalg.norm(A - F) / np.linalg.norm(F)), np.trace(A) / np.trace(F), _spectrum(A),
                                   took))
    return FisherApproximations(float(damping), _spectrum(F), seconds, found)


def _matrix(operator: LinearOperator) -> np.ndarray:
    A = to_numpy(operator.dense()).astype(float)
    symmetric: np.ndarray = 0.5 * (A + A.T)
    return symmetric


def _spectrum(A: np.ndarray) -> np.ndarray:
    return np.linalg.eigvalsh(A)[::-1]


def _angle(u: np.ndarray, v: np.ndarray, metric: np.ndarray) -> float:
    """Between unit vectors, degrees; accurate for small and large angles (Kahan)."""
    lengths = (np.sqrt(max(d @ metric @ d, 0.0)) for d in (u - v, u + v))      # rounding may make a square negative
    return float(np.degrees(2.0 * np.arctan2(*lengths)))
