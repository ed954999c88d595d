"""The variance of estimates of a Hessian: curvature propagation beside estimates from Hessian products."""
from dataclasses import dataclass

import numpy as np

from ..backend import NUMPY, Array, to_numpy
from ..curvature.curvature_propagation import (PropagatedFactors, cross_layer_curvature_propagation, curvature_propagation,
                                               hessian_estimate, within_layer_hessian)
from ..curvature.noise import Noise, NormalNoise, SignNoise
from ..networks.interface import Network
from ..networks.model import ConditionalModel
from ..operators.base import LinearOperator
from .tables import number, table

__all__ = ["VarianceTable", "variance_table"]

PARTS = ("diagonal", "blocks of layers", "all")


@dataclass(frozen=True)
class VarianceTable:
    """Mean squared errors of single draws, in the squared Frobenius norm, by the part of the Hessian that is estimated.

    Mathematically, E‖Ĥ − H‖² over the diagonal, the blocks within layers, and all entries; NaN where an estimate does not have
    this mean. As the estimates are unbiased, m draws have the m-th part of it.

    Shapes: squared_error, standard_error (estimates, 3); squares (3), those of the Hessian itself, ‖H‖² over each part.
    """

    names: tuple[str, ...]
    squared_error: np.ndarray
    standard_error: np.ndarray
    squares: np.ndarray
    samples: int
    draws: int

    def __str__(self) -> str:
        rows = [[name, *(number(e, 3) for e in errors)] for name, errors in zip(self.names, self.squared_error)]
        title = f"Mean squared error of one draw: {self.samples} samples, {self.draws} draws"
        return table(title, ["estimate", *PARTS], [*rows, ["‖H‖²", *(number(s, 3) for s in self.squares)]])


def variance_table(model: ConditionalModel, w: Array, batch: tuple[Array, Array], rng: np.random.Generator,
                   draws: int = 1000) -> VarianceTable:
    """A `VarianceTable` of a small model: its Hessian is formed.

    Mathematically, the estimate of Hutchinson has T = v and U = H v with noise v over the weights, which is done once for the
    batch or, with as many directions as there are samples, for each sample apart.

    Parameters
    ----------
    model : ConditionalModel
    w : array, shape (size,)
    batch : pair (x, y)
    rng : numpy.random.Generator
    draws : int

    Source: Martens, Sutskever & Swersky, Estimating the Hessian by back-propagating curvature (2012).

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> batch = np.array([[1.0], [3.0]]), np.array([0, 1])
    >>> found = ig.studies.variance_table(model, np.zeros(2), batch,
    ...                                   np.random.default_rng(0), draws=10)
    >>> float(found.squares[0].round(4))  # of the diagonal: 1.25² + 0.25²
    1.625
    """
    batch, w = (to_numpy(batch[0]), to_numpy(batch[1])), to_numpy(w)
    H = model.hessian_vector(w, batch, np.eye(w.size))
    H = 0.5 * (H + H.T)
    masks = np.eye(w.size, dtype=bool), _block_mask(model.network), np.ones((w.size, w.size), dtype=bool)
    names, errors = [], []
    for mark, noise in (("normal", NormalNoise(rng)), ("±1", SignNoise(rng))):
        for name, parts, estimate in ESTIMATES:
            squares = ((estimate(model, w, batch, noise).dense() - H) ** 2 for _ in range(draws))
            found = np.array([[np.sum(square, where=mask) for mask in masks] for square in squares])
            names.append(f"{name}, {mark}")
            errors.append(np.where(np.arange(3) < parts, found, np.nan))
    return VarianceTable(tuple(names), np.mean(errors, axis=1), np.std(errors, axis=1, ddof=1) / draws**0.5,
                         np.array([np.sum(H**2, where=mask) for mask in masks]), len(batch[0]), draws)


def _block_mask(network: Network) -> np.ndarray:
    mask = np.zeros((network.size, network.size), dtype=bool)
    for s in network.slices:
        if s:
            mask[s, s] = True
    return mask


def _hutchinson(model: ConditionalModel, w: Array, batch: tuple[Array, Array], noise: Noise) -> LinearOperator:
    v = noise.white(NUMPY, w.shape, 0, w.dtype)
    return PropagatedFactors(v, model.hessian_vector(w, batch, v)).operator()


def _hutchinson_apart(model: ConditionalModel, w: Array, batch: tuple[Array, Array], noise: Noise) -> LinearOperator:
    x, y = batch
    v = noise.white(NUMPY, (len(x), w.size), 0, w.dtype)[0]
    return PropagatedFactors(v / len(x), model.hessian_vector(w, (x[:, None], y[:, None]), v)).operator()


ESTIMATES = [       # the name, how many of the parts have the right mean, the estimate
    ("Hutchinson", 3, _hutchinson),
    ("Hutchinson, samples apart", 3, _hutchinson_apart),
    ("propagation", 2, lambda *problem: curvature_propagation(*problem).operator()),
    ("propagation, samples apart", 2, within_layer_hessian),
    ("across layers", 3, lambda *problem: cross_layer_curvature_propagation(*problem).operator()),
    ("across layers, samples apart", 3, hessian_estimate),
]
