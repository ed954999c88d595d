"""What a running average of curvature is made of: moments of the layers of a network, from one pass."""
from abc import ABC, abstractmethod
from typing import Self

from ..backend import Array, backend_of, to_numpy
from ..errors import DomainError, first_bad
from ..networks.model import Batch, ModelPass
from ..operators.base import LinearOperator
from .outputs import ExactColumns, Outputs
from .sharing import Expand, Sharing

__all__ = ["LayerFactors", "require_finite"]


class LayerFactors(ABC):
    """Moments of the layers of a network that make a curvature, and that averages can be taken of.

    They are values: `KFAC` averages them from step to step, by `in_double` and `blend`, and damps and solves with `operator()`.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> done, batch = model.record(np.zeros(2),
    ...                            [[1.0], [3.0]]), ([[1.0], [3.0]], None)
    >>> for kind in (ig.curvature.KroneckerFactors, ig.curvature.UnitFactors):
    ...     print(kind.of_pass(done, batch).operator().dense().tolist())
    [[1.25, 0.5], [0.5, 0.25]]
    [[1.25, 0.5], [0.5, 0.25]]
    """

    @classmethod
    @abstractmethod
    def of_pass(cls, done: ModelPass, batch: Batch, *, outputs: Outputs = ExactColumns(), sharing: Sharing = Expand()) -> Self:
        """The moments of one batch, from a forward pass that is there already, such as the gradient's.

        Raises
        ------
        DomainError
            Where a moment is not finite: its layer, row and column.
        """

    @abstractmethod
    def operator(self) -> LinearOperator:
        """The curvature, for vectors of the network's dtype."""

    @abstractmethod
    def in_double(self) -> Self:
        """The same moments in float64."""

    @abstractmethod
    def blend(self, other: Self, share: float) -> Self:
        """(1 − share) self + share other."""


def require_finite(name: str, moments: tuple[Array, ...]) -> None:
    """Nothing, where the moments of all layers are finite, which costs their sums and one look.

    Raises
    ------
    DomainError
        Naming the first layer whose moment is not, its first such row and column, and how many there are.
    """
    for i, moment in enumerate(moments):
        xp = backend_of(moment)
        total = float(xp.sum(moment))
        if total - total == 0.0:                        # a sum that overflows is looked at entry by entry
            continue
        bad = ~to_numpy(xp.isfinite(moment))
        if bad.any():
            count, place = first_bad(bad)
            raise DomainError(f"{name} of layer {i} of those with weights must be finite; {count} entries are not, the first at "
                              f"row {place[-2]}, column {place[-1]}: {to_numpy(moment)[place]}. Inputs, weights or covectors of "
                              f"this layer are too large for {moment.dtype}: scale the inputs, or compute in float64")
