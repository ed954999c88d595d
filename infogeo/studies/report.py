"""The study as text for a terminal."""
import textwrap

import numpy as np

from ..backend import to_numpy
from ..families.categorical import Categorical
from ..solvers.result import Status
from .problem import METHODS

__all__ = ["report"]

LABELS = {"theta": "Hessian in θ", "eta": "Hessian in η", "natural": "natural gradient"}
FLOW_LABELS = {"gd_theta": "gradient descent in θ", "natural": "natural gradient", "gd_eta": "gradient descent in η"}
MARKS = {True: "holds", False: "FAILS", None: "does not apply"}


def report(result, source=""):
    """Every table of a `Conditioning`, as one string."""
    parts = [_target(result, source), *(part(result) for part in (_spectrum, _rates, _discrete, _sweep, _noise, _claims))]
    return "\n\n".join(parts) + "\n"


def _table(title, header, rows, notes=()):
    """A title, aligned columns (the first to the left, numbers to the right), notes."""
    cells = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = ["  " + "  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))).rstrip()
             for row in cells]
    lines.insert(1, "  " + "  ".join("-" * w for w in widths))
    return "\n".join([title, "", *lines, *(_wrapped(note, "  ") for note in notes)])


def _wrapped(text, indent):
    """Lines of at most 110 characters, the second and later ones indented."""
    return textwrap.fill(text, 110, break_on_hyphens=False, initial_indent="  ", subsequent_indent=indent)


def _g(x, digits=6):
    return "-" if np.isnan(x) else "never" if np.isposinf(x) else f"{x:.{digits}g}"


def _vector(x, most=8):
    x = np.ravel(x)
    return " ".join(f"{v:.6g}" for v in x[:most]) + (f" … ({x.size} in all)" if x.size > most else "")


def _target(result, source):
    kl = "KL(q‖p), forward" if result.direction == "forward" else "KL(p‖q), reverse"
    rows = [("from", source)] if source else []
    rows += [("family", result.family)] + [(name, _vector(value)) for name, value in result.parameters.items()]
    rows += [("θ", _vector(result.theta)), ("η", _vector(result.eta)), ("entropy", f"{result.entropy:.6g} nats"),
             ("minimised", kl), ("starts", f"{len(result.starts)}, seed {result.seed}")]
    width = max(len(name) for name, _ in rows)
    return "\n".join(["The target q", "", *(f"  {name.ljust(width)}  {value}" for name, value in rows)])


def _spectrum(result):
    s = result.spectrum
    rows = [(LABELS[name], _vector(s.eigenvalues[i], 5), _g(s.condition[i])) for i, name in enumerate(LABELS)]
    return _table("The Hessian at the optimum", ("", "eigenvalues", "condition number"), rows, _better_reference(result))


def _better_reference(result):
    """What the most probable outcome as reference would do for gradient descent."""
    family = result.problem.family
    if not isinstance(family, Categorical):
        return ()
    probabilities = result.parameters["probabilities"]
    if probabilities[family.reference] == probabilities.max():
        return ()
    best = int(probabilities.argmax())
    other = Categorical(family.k, best)
    condition = np.linalg.cond(to_numpy(other.metric(other.theta_from(probabilities=probabilities))))
    return (f"The condition number depends on the reference outcome, here {family.reference}; with the most probable outcome "
            f"{best} it is {condition:.6g} (--reference best).",)


def _rates(result):
    predicted = dict(zip(FLOW_LABELS, result.spectrum.rate[[0, 2, 1]]))
    formula = {"gd_theta": "2 λ_min(G)", "natural": "2", "gd_eta": "2 / λ_max(G)"}
    rows, notes = [], []
    for flow in result.flows:
        label, known = FLOW_LABELS[flow.method], flow.rate[~np.isnan(flow.rate)]
        least, most = (_g(known.min()), _g(known.max())) if known.size else ("-", "-")
        rows.append((label, formula[flow.method], _g(predicted[flow.method]), least, most))
        if known.size < flow.rate.size:
            notes.append(f"{label}: {flow.rate.size - known.size} of {flow.rate.size} flows were not seen near the target.")
    low = max(flow.window[0] for flow in result.flows)
    high = max(flow.window[1] for flow in result.flows)
    notes.append(f"Measured on {result.flows[0].rate.size} flows, late: where KL lies between {low:.0e} and {high:.0e}.")
    header = ("", "formula", "predicted", "least measured", "largest measured")
    return _table("Rates of the flows: KL falls as exp(−rate · t)", header, rows, notes)


def _discrete(result):
    d = result.discrete
    rows = []
    for i, name in enumerate(d.methods):
        iterations = d.iterations[i]
        left = np.isin(d.status[i], (Status.LEFT_DOMAIN, Status.NONFINITE))
        counts = np.where(iterations < 0, np.inf, iterations)
        rows.append((METHODS[name].label, _g(d.step[i]), _g(d.predicted[i], 4) if d.predicted[i] > 1e-9 else "0",
                     _g(d.contraction[i], 4) if d.contraction[i] > 1e-3 else "~ 0", _g(counts[0]), _g(np.median(counts)),
                     _g(counts.max()), int(left.sum()), int(((iterations < 0) & ~left).sum())))
    uniform = result.problem.on_simplex and not result.starts[0].any()
    first = "the uniform distribution" if uniform else "a draw like the others"
    header = ("", "step", "contraction", "measured", "first", "median", "worst", "left", "slow")
    return _table("Constant optimal step 2 / (λ_min + λ_max)", header, rows, (
        f"first, median, worst: iterations to KL < {d.goal:.0e} from the first start ({first}), and over all "
        f"{d.iterations.shape[1]}; left: runs that left the domain or overflowed; slow: runs not there in {d.longest} steps. "
        "The contraction is measured near the target; with factor 0 the error falls at once.",))


def _sweep(result):
    w = result.sweep
    rows = []
    for i, name in enumerate(w.methods):
        left = int(w.status[i, Status.LEFT_DOMAIN] + w.status[i, Status.NONFINITE])
        rows.append((METHODS[name].label, _g(w.best[i], 4), _g(w.best_rise[i]), _interval(w.window[i]),
                     _interval(w.most_window[i]), left))
    level = "1.05 × the entropy of the target as a cross-entropy" if w.level_is_relative else "a fixed level"
    least = 2 * w.h[0, 0] / w.h[0, -1]
    header = ("", "best step", "worst rise", "usable steps", "for 9 starts in 10", "left")
    return _table("Learning-rate sweep", header, rows, (
        f"Rise time: first step from which KL stays below {w.level:.6g} nats ({level}); worst over {w.rise.shape[2]} starts; "
        f"{w.steps} steps; {w.h.shape[1]} step sizes from {least:.3g} to 2 times 2 / λ_max. Left: of {w.rise[0].size} runs, "
        "those that left the domain or overflowed. Mirror descent in θ is natural gradient in η, and the other way round.",))


def _interval(ends):
    return "none" if np.isnan(ends[0]) else f"{ends[0]:.4g} to {ends[1]:.4g}"


def _noise(result):
    z = result.noise
    rows, notes = [], []
    for i, name in enumerate(z.methods):
        for j, fraction in enumerate(z.fractions):
            rows.append((METHODS[name].label if j == 0 else "", f"{fraction:g}", _g(z.h[i, j], 4), _g(z.predicted[i, j], 4),
                         _g(z.simulated[i, j], 4), _g(z.error[i, j], 2), int(z.left[i, j])))
    if np.isnan(z.simulated).any():
        notes.append(f"-: not simulated, as more than {z.longest} steps are needed to forget the start, or as no run stayed.")
    notes.append(f"Stationary mean of KL over {z.runs} runs, each step with a mini-batch of {z.batch_size} from the target; "
                 "the prediction is (h / 2B) Σ μ / (2 − h μ), of first order in 1/B. Left: runs that left; they do not count.")
    return _table("Noise floor", ("", "of optimal", "step", "predicted", "simulated", "± s.e.", "left"), rows, notes)


def _claims(result):
    lines = ["Claims about natural gradient on the simplex (Datar & Ay 2025), checked here", ""]
    for claim in result.claims:
        lines.append(_wrapped(f"{MARKS[claim.holds]}: {claim.statement} {claim.because}", "    "))
    return "\n".join(lines)
