"""The study as text for a terminal."""
import numpy as np

from ..solvers.result import LOST
from .conditioning import Conditioning
from .methods import METHODS
from .tables import number, table, wrapped

__all__ = ["report"]

LABELS = {"theta": "Hessian in θ", "eta": "Hessian in η", "natural": "natural gradient"}
FLOW_LABELS = {"gd_theta": "gradient descent in θ", "natural": "natural gradient", "gd_eta": "gradient descent in η"}
MARKS = {True: "holds", False: "FAILS", None: "does not apply"}


def report(result: Conditioning, source: str = "") -> str:
    """Every table of a `Conditioning`, as one string."""
    parts = [_target(result, source), *(part(result) for part in (_spectrum, _rates, _discrete, _sweep, _noise, _claims))]
    return "\n\n".join(parts) + "\n"


def _vector(x: np.ndarray, most: int = 8) -> str:
    x = np.ravel(x)
    return " ".join(f"{v:.6g}" for v in x[:most]) + (f" … ({x.size} in all)" if x.size > most else "")


def _target(result: Conditioning, source: str) -> str:
    rows = [("from", source)] if source else []
    rows += [("family", result.family)] + [(name, _vector(value)) for name, value in result.parameters.items()]
    rows += [("θ", _vector(result.theta)), ("η", _vector(result.eta)), ("entropy", f"{result.entropy:.6g} nats"),
             ("minimised", f"{result.problem.symbol}, {result.direction}"),
             ("starts", f"{len(result.starts)}, seed {result.seed}")]
    width = max(len(name) for name, _ in rows)
    return "\n".join(["The target q", "", *(f"  {name.ljust(width)}  {value}" for name, value in rows)])


def _spectrum(result: Conditioning) -> str:
    s = result.spectrum
    rows = [(LABELS[name], _vector(s.eigenvalues[i], 5), number(s.condition[i])) for i, name in enumerate(LABELS)]
    return table("The Hessian at the optimum", ("", "eigenvalues", "condition number"), rows, _better_reference(result))


def _better_reference(result: Conditioning) -> tuple[str, ...]:
    """What the most probable outcome as reference would do for gradient descent."""
    family = result.problem.family
    if family.reference is None or not family.on_simplex or family.dim == 1:    # of two outcomes both give the number 1
        return ()
    p = np.insert(result.eta, family.reference, 1.0 - result.eta.sum())
    best = int(p.argmax())
    if p[family.reference] >= p[best] * (1.0 - 1e-12):      # as probable, to rounding: nothing to gain
        return ()
    others = np.delete(p, best)
    condition = np.linalg.cond(np.diag(others) - np.outer(others, others))
    return (f"The condition number depends on the reference outcome, here {family.reference}; with the most probable outcome "
            f"{best} it is {condition:.6g} (--reference best).",)


def _rates(result: Conditioning) -> str:
    predicted = dict(zip(FLOW_LABELS, result.spectrum.rate[[0, 2, 1]]))
    formula = {"gd_theta": "2 λ_min(G)", "natural": "2", "gd_eta": "2 / λ_max(G)"}
    rows, notes = [], []
    for flow in result.flows:
        label, known = FLOW_LABELS[flow.method], flow.rate[~np.isnan(flow.rate)]
        least, most = (number(known.min()), number(known.max())) if known.size else ("-", "-")
        rows.append((label, formula[flow.method], number(predicted[flow.method]), least, most))
        if known.size < flow.rate.size:
            notes.append(f"{label}: {flow.rate.size - known.size} of {flow.rate.size} flows were not seen near the target.")
    low = max(flow.window[0] for flow in result.flows)
    high = max(flow.window[1] for flow in result.flows)
    notes.append(f"Measured on {result.flows[0].rate.size} flows, late: where KL lies between {low:.0e} and {high:.0e}.")
    header = ("", "formula", "predicted", "least measured", "largest measured")
    return table("Rates of the flows: KL falls as exp(−rate · t)", header, rows, notes)


def _discrete(result: Conditioning) -> str:
    d = result.discrete
    rows = []
    for i, name in enumerate(d.methods):
        iterations = d.iterations[i]
        left = np.isin(d.status[i], LOST)
        counts = np.where(iterations < 0, np.inf, iterations)
        rows.append((METHODS[name].label, number(d.step[i]), number(d.predicted[i], 4) if d.predicted[i] > 1e-9 else "0",
                     number(d.contraction[i], 4) if d.contraction[i] > 1e-3 else "~ 0",
                     number(counts[0]), number(np.median(counts)), number(counts.max()), int(left.sum()),
                     int(((iterations < 0) & ~left).sum())))
    uniform = result.problem.family.on_simplex and not result.starts[0].any()
    first = "the uniform distribution" if uniform else "a draw like the others"
    header = ("", "step", "contraction", "measured", "first", "median", "worst", "left", "slow")
    return table("Constant optimal step 2 / (λ_min + λ_max)", header, rows, (
        f"first, median, worst: iterations to KL < {d.goal:.0e} from the first start ({first}), and over all "
        f"{d.iterations.shape[1]}; left: runs that left the domain or overflowed; slow: runs not there in {d.longest} steps. "
        "The contraction is measured near the target; with factor 0 the error falls at once.",))


def _sweep(result: Conditioning) -> str:
    w = result.sweep
    rows = []
    for i, name in enumerate(w.methods):
        left = int(w.status[i, list(LOST)].sum())
        rows.append((METHODS[name].label, number(w.best[i], 4), number(w.best_rise[i]), _interval(w.window[i]),
                     _interval(w.most_window[i]), left))
    level = "1.05 × the entropy of the target as a cross-entropy" if w.level_is_relative else "a fixed level"
    least = 2 * w.h[0, 0] / w.h[0, -1]
    header = ("", "best step", "worst rise", "usable steps", "for 9 starts in 10", "left")
    return table("Learning-rate sweep", header, rows, (
        f"Rise time: first step from which KL stays below {w.level:.6g} nats ({level}); worst over {w.rise.shape[2]} starts; "
        f"{w.steps} steps; {w.h.shape[1]} step sizes from {least:.3g} to 2 times 2 / λ_max. Left: of {w.rise[0].size} runs, "
        "those that left the domain or overflowed. Mirror descent in θ is natural gradient in η, and the other way round.",))


def _interval(ends: np.ndarray) -> str:
    return "none" if np.isnan(ends[0]) else f"{ends[0]:.4g} to {ends[1]:.4g}"


def _noise(result: Conditioning) -> str:
    z = result.noise
    rows, notes = [], []
    for i, name in enumerate(z.methods):
        for j, fraction in enumerate(z.fractions):
            figures = z.h[i, j], z.predicted[i, j], z.simulated[i, j]
            rows.append((METHODS[name].label if j == 0 else "", f"{fraction:g}", *(number(x, 4) for x in figures),
                         number(z.error[i, j], 2), int(z.left[i, j])))
    if np.isnan(z.simulated).any():
        notes.append(f"-: not simulated, as more than {z.longest} steps are needed to forget the start, or as no run stayed.")
    notes.append(f"Stationary mean of KL over {z.runs} runs, each step with a mini-batch of {z.batch_size} from the target; "
                 "the prediction is (h / 2B) Σ μ / (2 − h μ), of first order in 1/B. Left: runs that left; they do not count.")
    return table("Noise floor", ("", "of optimal", "step", "predicted", "simulated", "± s.e.", "left"), rows, notes)


def _claims(result: Conditioning) -> str:
    lines = ["Claims about natural gradient on the simplex (Datar & Ay 2025), checked here", ""]
    for claim in result.claims:
        lines.append(wrapped(f"{MARKS[claim.holds]}: {claim.statement} {claim.because}", "    "))
    return "\n".join(lines)
