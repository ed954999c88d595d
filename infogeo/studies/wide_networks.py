"""Wide networks: which approximations of the Fisher metric move the outputs as the exact natural gradient does."""
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ..arrays.draws import Draws
from ..backend import NUMPY, Array
from ..curvature.diagonal import diagonal_fisher
from ..curvature.ekfac import ekfac
from ..curvature.kfac import kfac
from ..curvature.kfac_tridiagonal import kfac_tridiagonal
from ..curvature.outputs import ExactColumns
from ..curvature.unit_low_rank import UnitLowRank
from ..curvature.unitwise import quasi_diagonal
from ..errors import require, require_count
from ..families.normal_known import NormalKnownVariance
from ..networks.activations import Activation, Tanh
from ..networks.model import Batch, ConditionalModel, ModelPass, NegativeLogLikelihood
from ..networks.usual import MLP
from ..operators.base import LinearOperator
from ..operators.block import BlockDiagonal
from ..operators.low_rank import LowRank
from ..pictures.axes import axes_or_new
from .canvas import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION, blank
from .tables import number, table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["WideNetworks", "wide_networks"]

Damped: TypeAlias = Callable[[ConditionalModel, Array, Batch], LinearOperator]

# The limit of no damping, of the trace: of n columns solved through their Gram matrix, 1e-9 moves the rate 1 of the exact metric
# by 1e-7 and rounding by as much; the block of a unit has a small share of the trace, and 1e-9 takes 495 for 513, 1e-12 512; a
# product of two factors takes the root of the damping in each, so that 1e-14 moves 17 by 1e-3
SHIFT, UNIT_SHIFT, FACTORED = 1e-9, 1e-12, 1e-14


@dataclass(frozen=True)
class WideNetworks:
    """What `wide_networks` found; printed as a table of the widest networks.

    Attributes
    ----------
    widths : array, shape (widths,)
    labels : tuple of str
    rate : array, shape (labels, widths, draws)
        a, the change of the outputs along the residual f − y for F̃⁻¹ ∇L at the start, over |f − y|².
    rest : array, shape (labels, widths, draws)
        What of that change is not along the residual, over its length: 0 where the approximation follows the exact metric.
    residual : array, shape (labels, widths, draws, steps + 1)
        |f_t − y| / |f_0 − y| after t steps of size h / a.
    deviation : array, shape (labels, widths, draws)
        |f_t − y − (1 − h)^t (f_0 − y)| / |f_0 − y| after the last step.
    h : float

    Examples
    --------
    >>> found = ig.studies.wide_networks((8, 16), n=3, draws=1, steps=2,
    ...                                  rng=np.random.default_rng(0))
    >>> found.widths, found.rate.shape[1:]          # widths and draws
    (array([ 8, 16]), (2, 1))
    """

    widths: np.ndarray
    labels: tuple[str, ...]
    rate: np.ndarray
    rest: np.ndarray
    residual: np.ndarray
    deviation: np.ndarray
    h: float

    def __str__(self) -> str:
        parts = self.rate, self.rest, self.residual[..., -1], self.deviation
        rows = [[label, *(number(float(np.median(part[i, -1])), 3) for part in parts)]
                for i, label in enumerate(self.labels)]
        steps = self.residual.shape[-1] - 1
        notes = [f"Medians of {self.rate.shape[-1]} networks of width {self.widths[-1]}; the exact natural gradient leaves "
                 f"(1 − h)^{steps} = {(1 - self.h)**steps:.3g} of the residual."]
        header = ["", "rate", "rest", "residual", "deviation"]
        return table("Steps h / rate of approximate natural gradients", header, rows, notes)

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the deviation from the exact natural gradient against the width, medians and the range of all draws.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Of a new figure unless given.
        """
        axes: Axes = blank(7.2, 4.6)[1] if ax is None else axes_or_new(ax)
        middle = np.median(self.deviation, axis=-1)
        heights = _apart(np.log(middle[:, -1]), 0.052 * np.ptp(np.log(self.deviation)))
        colours = [BLUE, SKY, GREEN, "0.35", PURPLE, ORANGE, VERMILION, "black"]
        for i, label in enumerate(self.labels):
            colour = colours[i % len(colours)]
            axes.loglog(self.widths, middle[i], "o-", color=colour, lw=1.8, ms=4)
            low, high = self.deviation[i].min(axis=-1), self.deviation[i].max(axis=-1)
            axes.fill_between(self.widths, low, high, color=colour, alpha=0.1, lw=0)
            axes.annotate(label, (self.widths[-1], np.exp(heights[i])), (8, 0), textcoords="offset points", va="center",
                          color=colour, annotation_clip=False)
        steps = self.residual.shape[-1] - 1
        axes.set(xlabel="width", ylabel=f"away from the exact natural gradient after {steps} steps",
                 xlim=(self.widths[0], self.widths[-1]), xticks=self.widths, xticklabels=[str(width) for width in self.widths])
        axes.minorticks_off()
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        return axes


def _apart(places: np.ndarray, gap: float) -> np.ndarray:
    """Places for labels near the given ones, in their order, at least `gap` apart."""
    order = np.argsort(places)
    found = places[order]
    for _ in range(200):
        close = np.maximum(gap - np.diff(found), 0.0) / 2.0
        found[1:] += close
        found[:-1] -= close
    out = np.empty_like(places)
    out[order] = found
    return out


def wide_networks(widths: Sequence[int] = (16, 32, 64, 128, 256), *, rng: np.random.Generator, n: int = 8, n_inputs: int = 10,
                  depth: int = 3, h: float = 0.5, steps: int = 4, draws: int = 5, activation: Activation = Tanh(),
                  curvatures: dict[str, Damped] | None = None) -> WideNetworks:
    """Follow approximate natural gradients of random networks in the space of their outputs, against the width.

    Mathematically, with one output f(x_n) of variance 1, w moves by −(h/a) F̃⁻¹ ∇L and, to first order, f by
    −(h/a) K (f − y), K = J F̃⁻¹ Jᵀ / n with J = ∂f/∂w. With the exact metric K = I, so that the residual f − y shrinks by 1 − h
    a step, in any direction. Where K is near a I, the approximation does the same at steps of h/a. In wide networks, whose J
    hardly changes, this lasts. Of n samples with linearly independent inputs a is, derived and measured,

    - L with the blocks of L layers, as J of each layer alone reaches every f: 3.000 at L = 3, n = 8, width 256
    - n with the block-tridiagonal inverse of Kronecker factors, whatever the depth: of gradients less what the next layer's tell
      of them nothing is left, but n − 1 of the last layer but one, and 1 of the last: 8.000
    - n (L − 1) + 1 with Kronecker factors, n from each layer but the last, whose outputs have one direction: 17.00
    - the number of units with a block for each: 513

    The diagonal and the quasi-diagonal have a K that is not near a multiple of I at any width.

    Parameters
    ----------
    widths : sequence of int
        Of the hidden layers, ascending.
    rng : numpy.random.Generator
    n, n_inputs : int
        Samples, of normal inputs scaled to |x|² = n_inputs, and normal y.
    depth : int
        L, layers with weights.
    h : float
        From 0 to 1.
    steps, draws : int
        Steps of a run, and networks for a width.
    activation : Activation
    curvatures : dict, optional
        Names and functions (model, w, batch) -> damped LinearOperator; those of the library if not given.

    Raises
    ------
    DomainError

    Source: Karakida & Osawa, Understanding approximate Fisher information for fast convergence of natural gradient descent in
    wide neural networks (2020), for the question and for what happens in the limit of infinite width. The text was not at hand:
    the rates for the metrics here were derived anew, and the figure is ours.

    Examples
    --------
    >>> import numpy as np, infogeo as ig
    >>> found = ig.studies.wide_networks((16, 32), n=4, draws=2, rng=np.random.default_rng(0))
    >>> found.rate[found.labels.index("blocks of layers"), -1].round(3)
    array([3., 3.])
    """
    normal = Draws(rng, NUMPY, NUMPY.float64).normal
    counts = {"n": n, "n_inputs": n_inputs, "depth": depth, "steps": steps, "draws": draws}
    for name, count in counts.items():
        require_count(name, count, 2 if name == "depth" else 1)
    if not np.iterable(widths):
        raise TypeError(f"widths must be a sequence of integers; got {widths!r}")
    sizes = np.array([require_count("each width", width) for width in widths])
    require("widths", "widths ascending, at least one", sizes.size > 0 and bool(np.all(np.diff(sizes) > 0)), list(widths))
    require("h", "0 < h <= 1", 0 < h <= 1, h)
    makes = _approximations() if curvatures is None else curvatures
    if not isinstance(makes, dict) or not makes or not all(map(callable, makes.values())):
        raise TypeError(f"curvatures must be a dict of at least one name and a function (model, w, batch) of each; got {makes!r}")
    rows = [[_of_network(normal, (n_inputs, *(width,) * (depth - 1), 1), n, activation, makes, h, steps) for _ in range(draws)]
            for width in sizes.tolist()]
    rate, rest, residual, deviation = (np.moveaxis(np.array([[one[k] for one in row] for row in rows]), 2, 0) for k in range(4))
    return WideNetworks(sizes, tuple(makes), rate, rest, residual, deviation, float(h))


Found: TypeAlias = tuple[list[float], list[float], list[list[float]], list[float]]


def _of_network(normal: Callable[[tuple[int, ...]], Array], sizes: tuple[int, ...], n: int, activation: Activation,
                makes: dict[str, Damped], h: float, steps: int) -> Found:
    """(rates, rests, residuals, deviations) of all approximations from one start."""
    network = MLP(sizes, activation)
    model = ConditionalModel(network, NormalKnownVariance(1.0))
    w = np.concatenate([np.concatenate([normal((m, k)) / m**0.5, 0.3 * normal((1, k))]).ravel()
                        for m, k in zip(sizes, sizes[1:])])
    x = normal((n, sizes[0]))
    loss = model.objective((x * (sizes[0]**0.5 / np.linalg.norm(x, axis=1, keepdims=True)), normal((n,))))
    runs = [_followed(loss, w, make, h, steps) for make in makes.values()]
    rates, rests, residuals, deviations = zip(*runs)
    return list(rates), list(rests), list(residuals), list(deviations)


def _followed(loss: NegativeLogLikelihood, w: Array, make: Damped, h: float,
              steps: int) -> tuple[float, float, list[float], float]:
    """(a, rest, residuals, deviation) of one approximation."""
    start, norms, a, rest = _residual(loss, w), [1.0], 0.0, 0.0
    size = np.linalg.norm(start)
    for t in range(steps):
        direction = make(loss.model, w, loss.batch).solve(loss.value_and_gradient(w)[1])
        if t == 0:
            moved = loss.record(w).jvp(direction)[:, 0]
            a = float(moved @ start / size**2)
            rest = float(np.linalg.norm(moved - a * start) / np.linalg.norm(moved))
        w = w - h / a * direction
        norms.append(float(np.linalg.norm(_residual(loss, w)) / size))
    return a, rest, norms, float(np.linalg.norm(_residual(loss, w) - (1.0 - h)**steps * start) / size)


def _residual(loss: NegativeLogLikelihood, w: Array) -> np.ndarray:
    """f − y of all samples."""
    residual: np.ndarray = loss.record(w).theta[:, 0] - loss.y
    return residual


def _approximations() -> dict[str, Damped]:
    return {"exact": lambda *at: _shifted(LowRank(_columns(*at))), "blocks of layers": _layers,
            "K-FAC": lambda *at: _factored(kfac(*at)), "K-FAC, tridiagonal": lambda *at: _factored(kfac_tridiagonal(*at)),
            "EK-FAC": lambda *at: _shifted(ekfac(*at)), "blocks of units": _units,
            "quasi-diagonal": lambda *at: _shifted(quasi_diagonal(*at)), "diagonal": lambda *at: _shifted(diagonal_fisher(*at))}


def _columns(model: ConditionalModel, w: Array, batch: Batch) -> Array:
    """U with F = U Uᵀ, shape (size, n)."""
    done = model.record(w, batch[0])
    columns: Array = done.per_example_gradients(ExactColumns().covectors(model.family, done.theta, batch))[0].T / done.n**0.5
    return columns


def _shifted(A: LinearOperator, c: float = SHIFT) -> LinearOperator:
    return A.shifted(c * float(A.trace()))


def _factored(A: LinearOperator) -> LinearOperator:
    return A.factored_shift(FACTORED * float(A.trace()))


def _layers(model: ConditionalModel, w: Array, batch: Batch) -> LinearOperator:
    U = _columns(model, w, batch)
    return _shifted(BlockDiagonal(*(LowRank(U[s]) for s in model.network.slices if s)))


def _units(model: ConditionalModel, w: Array, batch: Batch) -> LinearOperator:
    done: ModelPass = model.record(w, batch[0])
    return _shifted(UnitLowRank.of_pass(done, batch).operator(), UNIT_SHIFT)
