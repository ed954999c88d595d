"""The conditioning of one point: its spectra in several charts, digits lost between them, scalings, references, advice."""
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..backend import Array, to_numpy
from ..domains.convex import ConvexDomain, OpenSimplex, Orthant
from ..domains.power import PowerDomain
from ..errors import ShapeError, require_own_dimension, takes
from ..families.categorical import Categorical
from ..geometry.manifolds.manifold import DuallyFlat, Riemannian
from ..geometry.manifolds.pulled_back import PulledBack
from ..objectives.alpha_chart import AlphaChart
from .tables import number, table

__all__ = ["ChartDiagnosis", "Diagnosis", "References", "diagnose", "plain"]

ALL = 64            # outcomes for which every reference is tried: beyond, the most probable one alone, which was the best of all
#                     of 2000 random targets of 3 to 12 outcomes (tests/facts/test_diagnosis.py tries 40 of them)
WORTH = 2.0         # a chart, scaling or reference is advised where it divides the condition number by at least this


@dataclass(frozen=True)
class ChartDiagnosis:
    """The metric at the point in one chart, which at an optimum is the Hessian of the divergence in that chart.

    Attributes
    ----------
    chart : str
    eigenvalues : array, shape (d,), ascending
    condition : float
        λ_max / λ_min.
    rate : float
        2 λ_min, at which a gradient flow in this chart loses the divergence; that of the natural gradient is 2.
    stable_step : float
        2 / λ_max, below which gradient descent is stable.
    scale : array, shape (d,)
        G_ii^{−½}, in whose units the coordinates have a unit diagonal.
    scaled_condition : float
        The condition number in those units; no diagonal scaling has one smaller by more than the factor d.
    open : bool
        Whether the chart has all of R^d in it, so that no step leaves it.

    Examples
    --------
    >>> M = ig.Bernoulli()
    >>> found = ig.studies.diagnose(M, M.theta_from(probability=0.2))
    >>> for chart in found.charts[:2]:              # G = p (1 − p), and 1 / G
    ...     print(chart.chart, chart.eigenvalues.round(4), round(chart.rate, 4))
    θ [0.16] 0.32
    η [6.25] 12.5
    """

    chart: str
    eigenvalues: np.ndarray
    condition: float
    rate: float
    stable_step: float
    scale: np.ndarray
    scaled_condition: float
    open: bool

    @classmethod
    def of(cls, chart: str, metric: Array, open: bool) -> "ChartDiagnosis":
        """From the metric (d, d)."""
        G = to_numpy(metric)
        values = np.linalg.eigvalsh(G)
        scale = 1.0 / np.sqrt(np.diagonal(G))
        scaled = np.linalg.eigvalsh(scale[:, None] * G * scale)
        return cls(chart, values, _condition(values), float(2.0 * values[0]), float(2.0 / values[-1]), scale, _condition(scaled),
                   open)


def _condition(values: np.ndarray) -> float:
    """Of rising eigenvalues; infinite where the least rounds to 0, or to less."""
    return float(values[-1] / values[0]) if values[0] > 0 else np.inf


@dataclass(frozen=True)
class References:
    """The condition number of a categorical family by its reference outcome.

    Attributes
    ----------
    outcome : array of int, shape (n,)
        Those that were tried: all of at most 64, else the present and the most probable one.
    probability, condition : arrays, shape (n,)
    best : int

    Examples
    --------
    >>> M = ig.Categorical(3)
    >>> theta = M.theta_from(probabilities=[0.8, 0.1, 0.1])
    >>> found = ig.studies.diagnose(M, theta).references
    >>> found.condition.round(1), found.best
    (array([1.2, 5.6, 5.6]), 0)
    """

    outcome: np.ndarray
    probability: np.ndarray
    condition: np.ndarray
    best: int


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """What `diagnose` found; printed, a table of the charts with the advice.

    Attributes
    ----------
    manifold : str
    point : array, shape (d,)
        In the manifold's own coordinates.
    charts : tuple of ChartDiagnosis
        θ, η, and the square roots of those with positive coordinates; of a manifold with a metric only its own coordinates x;
        then the charts that were asked for.
    digits_lost : dict of float
        ``"theta to eta"`` and ``"eta to theta"``: decimal digits of the worst coordinate, relative to its size, that the map
        loses to a rounding of its argument: log₁₀ max_i Σ_j |G_ij θ_j| / |η_i|, and with G⁻¹ and the roles swapped; at least 0.
        Empty where there is no η.
    references : References or None
        Of a categorical family.
    recommended : str
        The chart, with its scaling and reference.
    reasons : tuple of str

    Examples
    --------
    >>> M = ig.Categorical(3)
    >>> theta = M.theta_from(probabilities=[0.5, 0.3, 0.2])
    >>> found = ig.studies.diagnose(M, theta)
    >>> found.recommended
    'θ, with outcome 0 as the reference'
    >>> [round(chart.condition, 2) for chart in found.charts[:2]]     # θ, η
    [4.85, 4.85]
    """

    manifold: str
    point: np.ndarray
    charts: tuple[ChartDiagnosis, ...]
    digits_lost: dict[str, float]
    references: References | None
    recommended: str
    reasons: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings, lists and dictionaries, as JSON takes them."""
        return {key: plain(value) for key, value in asdict(self).items()}

    def __repr__(self) -> str:
        rows = [(c.chart, number(c.eigenvalues[0], 4), number(c.eigenvalues[-1], 4), f"{c.condition:.4g}",
                 f"{c.scaled_condition:.4g}", number(c.rate, 4), number(c.stable_step, 4)) for c in self.charts]
        lost = ", ".join(f"{way}: {number(digits, 3)}" for way, digits in self.digits_lost.items())
        notes = [f"Digits lost by the worst coordinate, {lost}."] if lost else []
        if self.references is not None:
            least = np.min(self.references.condition)
            notes.append(f"Best reference outcome: {self.references.best}, condition number {least:.4g}.")
        notes += [f"Recommended: {self.recommended}.", *self.reasons]
        header = ("chart", "λ min", "λ max", "κ", "κ scaled", "GD rate", "stable h <")
        point = np.array2string(self.point, precision=4, threshold=8)
        return table(f"{self.manifold} at {self.charts[0].chart} = {point}", header, rows, notes)


@takes(Riemannian)
def diagnose(manifold: Riemannian, point: Array, charts: Sequence[Any] = ()) -> Diagnosis:
    """How well conditioned a point of a manifold is, chart by chart, and which coordinates to descend in.

    Parameters
    ----------
    manifold : Riemannian
        A family, its dual, a mirror map, a `Curved` family.
    point : array, shape (d,)
        In its coordinates, of a dually flat manifold θ.
    charts : sequence of MappedChart, or objects with ``name`` and ``metric(manifold, theta)``
        Further charts to be looked at.

    Returns
    -------
    Diagnosis

    Raises
    ------
    DomainError, ShapeError
        For a point outside the domain, or several points: these go to `spectra`.
    TypeError
        For a manifold in more coordinates than dimensions, such as a `Simplex`.

    Source: the condition of a map between coordinates, Higham, Accuracy and Stability of Numerical Algorithms (2002), section
    1.6; diagonal scalings, van der Sluis, Condition numbers and equilibration of matrices, Numer. Math. 14 (1969).

    Examples
    --------
    >>> import infogeo as ig
    >>> family = ig.Categorical(3)
    >>> found = ig.studies.diagnose(family, family.theta_from(probabilities=[0.5, 0.3, 0.2]))
    >>> found.recommended, found.references.best
    ('θ, with outcome 0 as the reference', 0)
    """
    wrong = [chart for chart in charts if not hasattr(chart, "name") or not hasattr(chart, "metric")]
    if wrong:
        raise TypeError(f"charts must be MappedChart(name, map, of), or have a name and a metric; got {wrong[0]!r}")
    theta = manifold.domain.require("point", point)
    if theta.ndim != 1:
        raise ShapeError(f"point must be one point, of shape ({manifold.dim},); got shape {tuple(theta.shape)}: "
                         "studies.spectra takes many")
    if isinstance(manifold, DuallyFlat):
        found, lost = _flat_charts(manifold, theta), _digits_lost(manifold, theta)
    else:
        found, lost = [ChartDiagnosis.of("x", manifold.metric(theta), manifold.domain.whole)], {}
    found += [ChartDiagnosis.of(chart.name, chart.metric(manifold, theta), False) for chart in charts]
    references = _references(manifold, theta)
    recommended, reasons = _advice(found, references)
    return Diagnosis(repr(manifold), to_numpy(theta), tuple(found), lost, references, recommended, reasons)


def _flat_charts(M: DuallyFlat, theta: Array) -> list[ChartDiagnosis]:
    """θ, η, and square roots of those with positive coordinates, where there are several."""
    require_own_dimension("a diagnosis is", M)
    eta, root = M.to_eta(theta), AlphaChart(0.0)
    found = [ChartDiagnosis.of("θ", M.metric(theta), M.theta_domain.whole),
             ChartDiagnosis.of("η", M.dual_metric(eta), M.eta_domain.whole)]
    for name, N, x in (("√θ", M, theta), ("√η", M.dual, eta)):
        if M.dim > 1 and _is_positive(N.domain):
            found.append(ChartDiagnosis.of(name, PulledBack(N, root).metric(root.inverse(x)), False))
    return found


def _is_positive(domain: ConvexDomain) -> bool:
    """Whether all coordinates are positive numbers."""
    if isinstance(domain, PowerDomain):
        return _is_positive(domain.source)
    return isinstance(domain, OpenSimplex) or isinstance(domain, Orthant) and set(domain.signs) == {1}


def _digits_lost(M: DuallyFlat, theta: Array) -> dict[str, float]:
    eta = M.to_eta(theta)
    G, inverse = to_numpy(M.metric(theta)), to_numpy(M.dual_metric(eta))
    x, y = to_numpy(theta), to_numpy(eta)
    return {"theta to eta": _lost(G, x, y), "eta to theta": _lost(inverse, y, x)}


def _lost(jacobian: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    """Digits of y(x); a coordinate of y that is 0 is measured against the largest, and against 1 where all are."""
    size = np.where(y == 0, np.max(np.abs(y)) if np.any(y) else 1.0, np.abs(y))
    moved = np.abs(jacobian) @ np.abs(x)
    worst = np.max(np.divide(moved, size, out=np.zeros_like(moved), where=moved > 0))
    return float(np.log10(max(worst, 1.0)))


def _references(M: Riemannian, theta: Array) -> References | None:
    if not isinstance(M, Categorical) or M.k == 2:          # of two outcomes both give the number 1
        return None
    p = M.parameters(theta)["probabilities"]
    shares = to_numpy(p)
    likely = int(np.argmax(shares))
    outcomes = np.arange(M.k) if M.k <= ALL else np.unique([int(M.reference or 0), likely])
    families = [Categorical(M.k, int(r)) for r in outcomes]
    condition = np.array([np.linalg.cond(to_numpy(C.metric(C.theta_from(probabilities=p)))) for C in families])
    return References(outcomes, shares[outcomes], condition, int(outcomes[np.argmin(condition)]))


def _advice(charts: Sequence[ChartDiagnosis], references: References | None) -> tuple[str, tuple[str, ...]]:
    """The simplest coordinates that no others beat by the factor `WORTH`, and why."""
    options = [(charts[0].condition, charts[0].chart)]
    if references is not None:
        outcome = f", with outcome {references.best} as the reference"
        options.append((float(np.min(references.condition)), "θ" + outcome))
    options += [(c.condition, c.chart) for c in charts[1:]]
    if references is not None:
        options.append((float(1.0 / np.max(references.probability)), "√η" + outcome))
    options += [(c.scaled_condition, f"{c.chart}, each coordinate in units of G_ii^-1/2") for c in charts]
    condition, text = options[0]
    for other, words in options[1:]:
        if other * WORTH <= condition:
            condition, text = other, words
    flat = f"κ = {charts[0].condition:.4g} in {charts[0].chart}"
    if charts[0].chart == "θ":
        flat += " and in η, whose metrics are inverse to each other"
    reasons = [f"κ = {condition:.4g} there, against {flat}." if text != charts[0].chart else
               f"{flat}; no other chart, scaling or reference divides it by {WORTH:g}."]
    if text.startswith(charts[0].chart) and charts[0].open:
        reasons.append(f"No step leaves the chart {charts[0].chart}.")
    if WORTH <= condition < np.inf:
        steps = np.log(10.0) / (4.0 * np.arctanh(1.0 / condition))          # −2 log((κ − 1) / (κ + 1)) = 4 artanh(1/κ)
        reasons.append(f"Gradient descent with its best step size takes about {steps:.2g} steps a digit of the divergence there; "
                       "natural gradient has κ = 1 in every chart.")
    return text, tuple(reasons)


def plain(value: Any) -> Any:
    """Arrays as lists, and what is in dictionaries, lists and tuples alike, None for what is not finite: what JSON takes."""
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: plain(v) for key, v in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(v) for v in value]
    return plain(value.tolist()) if isinstance(value, (np.ndarray, np.generic)) else value
