"""The methods that are compared: an update in a chart each."""
from dataclasses import dataclass

from ..solvers.update import GradientUpdate, MirrorUpdate, NaturalUpdate, Update
from .chart import ETA, THETA, FlatChart
from .spectrum import NATURAL

__all__ = ["METHODS", "Method"]


@dataclass(frozen=True)
class Method:
    """An update in a chart.

    Attributes
    ----------
    name, label : str
        In files, and in tables.
    chart : FlatChart
    update : Update
    hessian : int
        Which of the `HESSIANS` rules its convergence.

    Examples
    --------
    >>> method = ig.studies.METHODS["ng_eta"]
    >>> method.label, method.update, method.chart.name
    ('natural gradient in η', NaturalUpdate(), 'eta')
    """

    name: str
    label: str
    chart: FlatChart
    update: Update
    hessian: int


METHODS = {method.name: method for method in (
    Method("gd_theta", "gradient descent in θ", THETA, GradientUpdate(), THETA.row),
    Method("gd_eta", "gradient descent in η", ETA, GradientUpdate(), ETA.row),
    Method("ng_theta", "natural gradient in θ", THETA, NaturalUpdate(), NATURAL),
    Method("ng_eta", "natural gradient in η", ETA, NaturalUpdate(), NATURAL),
    Method("md_theta", "mirror descent in θ", THETA, MirrorUpdate(), NATURAL),
    Method("md_eta", "mirror descent in η", ETA, MirrorUpdate(), NATURAL),
)}
