"""The study as text for a terminal, part by part. A term is explained where it first appears."""
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..solvers.result import LOST
from .claim import Claim
from .conditioning import PARTS, Conditioning, Setting
from .discrete import Discrete
from .noise import NoiseFloor
from .rates import EARLY, Flow
from .side_by_side import InChart
from .spectrum import Spectrum
from .sweep import LearningRateSweep
from .tables import number, table, wrapped

__all__ = ["FLOW_LABELS", "report", "report_part", "report_setting"]

LABELS = {"theta": "Hessian in θ", "eta": "Hessian in η", "natural": "natural gradient"}
FLOW_LABELS = {"gd_theta": "gradient descent in θ", "natural": "natural gradient", "gd_eta": "gradient descent in η"}
SHORT = {"gd_theta": "gradient in θ", "gd_eta": "gradient in η", "natural": "natural", "ng_theta": "natural in θ",
         "ng_eta": "natural in η", "md_theta": "mirror in θ", "md_eta": "mirror in η"}
MARKS = {True: "Holds", False: "Does not hold here, because", None: "Does not apply"}


def report(result: Conditioning, source: str = "") -> str:
    """Every table of a `Conditioning`, as one string.

    Parameters
    ----------
    result : Conditioning
    source : str
        Where the target is from; left out where it is empty.

    Returns
    -------
    str
        Lines of at most 80 characters; KL and entropies in nats.

    Examples
    --------
    >>> M = ig.Bernoulli()
    >>> problem = ig.studies.ForwardProblem(M, M.theta_from(probability=0.2))
    >>> few = ig.studies.Effort(flown=1, tolerance=1e-6, records=(5, 5),
    ...                         longest=50, noisy_runs=2, averaged=2,
    ...                         noisy_steps=50, pooled=1000)
    >>> study = ig.studies.conditioning(problem, starts=1, steps=3, effort=few)
    >>> ig.studies.report(study, source="by hand").splitlines()[0]
    'The target q'
    """
    found = {name: getattr(result, name) for name in PARTS}
    return "\n\n".join([report_setting(result, source), *(report_part(result, name, found) for name in PARTS)]) + "\n"


def report_setting(setting: Setting, source: str = "") -> str:
    """What is studied, the first lines of `report`.

    Parameters
    ----------
    setting : Setting
        A `Conditioning` is one.
    source : str
        Where the target is from; left out where it is empty.

    Returns
    -------
    str

    Examples
    --------
    >>> M = ig.Bernoulli()
    >>> problem = ig.studies.ForwardProblem(M, M.theta_from(probability=0.2))
    >>> setting = ig.studies.ConditioningRun(problem, starts=4).setting
    >>> ig.studies.report_setting(setting).splitlines()[0]
    'The target q'
    """
    how = f", {setting.direction}, over p" if setting.problem.is_kl else " over p: meant below where it says KL"
    rows = [("from", source)] if source else []
    rows += [("family", setting.family)] + [(name, _vector(value)) for name, value in setting.parameters.items()]
    rows += [("θ", f"{_vector(setting.theta)} (natural parameters)"), ("η", f"{_vector(setting.eta)} (expectation parameters)"),
             ("entropy", f"{setting.entropy:.6g} nats"), ("minimised", f"{setting.problem.symbol}{how}"),
             ("starts", f"{len(setting.starts)}, seed {setting.seed}")]
    width = max(len(name) for name, _ in rows)
    lines = [wrapped(value, " " * (width + 4), f"  {name.ljust(width)}  ") for name, value in rows]
    return "\n".join(["The target q", "", *lines])


def report_part(setting: Setting, name: str, found: Mapping[str, Any]) -> str:
    """One part of the study, from it and from those before it.

    Parameters
    ----------
    setting : Setting
    name : str
        spectrum, flows, charts, discrete, sweep, noise or claims.
    found : dict
        The parts by name, as ``ConditioningRun.parts`` yields them.

    Returns
    -------
    str

    Raises
    ------
    KeyError
        For another name, or a part that is not there.

    Examples
    --------
    >>> M = ig.Bernoulli()
    >>> problem = ig.studies.ForwardProblem(M, M.theta_from(probability=0.2))
    >>> run = ig.studies.ConditioningRun(problem, starts=4)
    >>> found = dict([next(run.parts())])           # the spectrum, no more
    >>> ig.studies.report_part(run.setting, "spectrum", found).splitlines()[0]
    'The Hessian at the optimum'
    """
    match name:
        case "spectrum":
            return _spectrum(setting, found[name])
        case "flows":
            return _rates(found["spectrum"], found[name])
        case "charts":
            return _charts(found[name])
        case "discrete":
            return _discrete(setting, found[name])
        case "sweep":
            return _sweep(setting, found[name])
        case "noise":
            return _noise(found[name])
    return _claims(found[name])


def _vector(x: np.ndarray, most: int = 8) -> str:
    x = np.ravel(x)
    return " ".join(f"{v:.6g}" for v in x[:most]) + (f" … ({x.size} in all)" if x.size > most else "")


def _spectrum(setting: Setting, s: Spectrum) -> str:
    rows = [(LABELS[name], _vector(s.eigenvalues[i], 5), number(s.condition[i])) for i, name in enumerate(LABELS)]
    note = (f"The Hessian at the target is the Fisher metric G in θ, its inverse in η, and 1 as natural gradient sees it (G⁻¹ "
            f"times G){_times(s)}. Condition number κ: the largest eigenvalue over the least; the greater, the slower the "
            "slowest direction.")
    return table("The Hessian at the optimum", ("", "eigenvalues", "condition number"), rows, (note, *_better_reference(setting)))


def _times(s: Spectrum) -> str:
    """By what the Hessian of another divergence than KL differs from that of KL."""
    return "" if abs(s.rate[2] - 2.0) < 1e-6 else f", times f″(1) = {s.rate[2] / 2:g}"


def _better_reference(setting: Setting) -> tuple[str, ...]:
    """What the most probable outcome as reference would do for gradient descent."""
    family = setting.problem.family
    if family.reference is None or not family.on_simplex or family.dim == 1:    # of two outcomes both give the number 1
        return ()
    p = np.insert(setting.eta, family.reference, 1.0 - setting.eta.sum())
    best = int(p.argmax())
    if p[family.reference] >= p[best] * (1.0 - 1e-12):      # as probable, to rounding: nothing to gain
        return ()
    others = np.delete(p, best)
    condition = np.linalg.cond(np.diag(others) - np.outer(others, others))
    return (f"The condition number depends on the reference outcome, here {family.reference}; with the most probable outcome "
            f"{best} it is {condition:.6g} (--reference best).",)


def _range(x: np.ndarray, digits: int = 4) -> str:
    known = x[np.isfinite(x)]
    if not known.size:
        return "-"
    least, most = number(known.min(), digits), number(known.max(), digits)
    return least if least == most else f"{least} to {most}"


def _rates(spectrum: Spectrum, flows: tuple[Flow, ...]) -> str:
    predicted = dict(zip(FLOW_LABELS, spectrum.rate[[0, 2, 1]]))
    rows, notes = [], []
    for flow in flows:
        rows.append((SHORT[flow.method], number(predicted[flow.method]), _range(flow.rate, 6), _range(flow.early_rate)))
        unseen = int(np.isnan(flow.rate).sum())
        if unseen:
            notes.append(f"{FLOW_LABELS[flow.method]}: {unseen} of {flow.rate.size} flows were not seen near the target.")
    times = _times(spectrum)
    low, high = max(flow.window[0] for flow in flows), max(flow.window[1] for flow in flows)
    notes.append("A flow is a method with infinitely small steps, in time t. Predicted: 2λ_min(G), 2 and 2/λ_max(G)"
                 f"{times}. Measured on {flows[0].rate.size} flows: late, where KL lies between {low:.0e} and {high:.0e}, and "
                 f"over the whole trajectory until KL = {EARLY:g}, where Datar & Ay take their slopes.")
    return table("Rates of the flows: KL falls as exp(−rate · t)", ("", "predicted", "late", "whole trajectory"), rows, notes)


def _charts(charts: tuple[InChart, ...]) -> str:
    rows = []
    for chart in charts:
        counts = np.where(chart.iterations < 0, np.inf, chart.iterations)
        rows.append((chart.method, number(chart.condition), number(chart.rate), _range(chart.flow.rate, 6), number(chart.step, 4),
                     number(np.median(counts)), number(counts.max()), int(np.isin(chart.status, LOST).sum())))
    return table("Gradient descent in other charts", ("", "κ", "rate", "measured", "step", "median", "worst", "left"), rows, (
        "A chart is a system of coordinates. θ′ = (G/c)^½ θ and η′ = (G/c)^−½ η are the affine ones that make the Hessian c and "
        "1/c times the identity. Step: 2 / (λ_min + λ_max); median, worst: iterations with it to KL < 1e-10 over all starts; "
        "left: runs that left the domain.",))


def _discrete(setting: Setting, d: Discrete) -> str:
    rows = []
    for i, name in enumerate(d.methods):
        iterations = d.iterations[i]
        left = np.isin(d.status[i], LOST)
        counts = np.where(iterations < 0, np.inf, iterations)
        rows.append((SHORT[name], number(d.step[i]), number(d.predicted[i], 4) if d.predicted[i] > 1e-9 else "0",
                     number(d.contraction[i], 4) if d.contraction[i] > 1e-3 else "~ 0",
                     number(counts[0]), number(np.median(counts)), number(counts.max()), int(left.sum()),
                     int(((iterations < 0) & ~left).sum())))
    uniform = setting.problem.family.on_simplex and not setting.starts[0].any()
    first = "the uniform distribution" if uniform else "a draw like the others"
    header = ("", "step", "factor", "measured", "first", "median", "worst", "left", "slow")
    return table("Constant optimal step 2 / (λ_min + λ_max)", header, rows, (
        "Factor: by which a step shortens the distance to the target, (κ − 1)/(κ + 1), and measured near it; with factor "
        f"0 the error falls at once. First, median, worst: iterations to KL < {d.goal:.0e} from the first start ({first}), and "
        f"over all {d.iterations.shape[1]}; left: runs that left the domain or overflowed; slow: runs not there in {d.longest} "
        "steps.",))


def _sweep(setting: Setting, w: LearningRateSweep) -> str:
    rows = []
    for i, name in enumerate(w.methods):
        left = int(w.status[i, list(LOST)].sum())
        rows.append((SHORT[name], number(w.best[i], 4), number(w.best_rise[i]), _interval(w.window[i]),
                     _interval(w.most_window[i]), left))
    level = "1.05 × the entropy of the target as a cross-entropy" if w.level_is_relative else "a fixed level"
    least = 2 * w.h[0, 0] / w.h[0, -1]
    clipped = " (Datar & Ay's code clips η to at least 0.001 and goes on; here such a run ends, and has not risen)"
    header = ("", "best step", "worst", "usable steps", "for 9 in 10", "left")
    return table("Learning-rate sweep", header, rows, (
        f"Rise time: first step from which KL stays below {w.level:.6g} nats ({level}); worst: over all {w.rise.shape[2]} "
        f"starts, with the best step, in {w.steps} steps; usable: steps that serve every start, or nine in ten; {w.h.shape[1]} "
        f"step sizes from {least:.3g} to 2 times 2 / λ_max. Left: of {w.rise[0].size} runs, those that left the domain or "
        f"overflowed{clipped if setting.problem.family.on_simplex else ''}. Mirror descent in θ is "
        "natural gradient in η, and the other way round.",))


def _interval(ends: np.ndarray) -> str:
    return "none" if np.isnan(ends[0]) else f"{ends[0]:.4g} to {ends[1]:.4g}"


def _noise(z: NoiseFloor) -> str:
    rows, notes = [], []
    for i, name in enumerate(z.methods):
        for j, fraction in enumerate(z.fractions):
            figures = z.h[i, j], z.predicted[i, j], z.simulated[i, j]
            rows.append((SHORT[name] if j == 0 else "", f"{fraction:g}", *(number(x, 4) for x in figures),
                         number(z.error[i, j], 2), int(z.left[i, j])))
    if np.isnan(z.simulated).any():
        notes.append(f"-: not simulated, as more than {z.longest} steps are needed to forget the start, or as no run stayed.")
    notes.append(f"Stationary mean of KL over {z.runs} runs, each step with a fresh mini-batch of {z.batch_size} draws from the "
                 "target, which for a target of counts are draws from the data; the prediction is (h / 2B) Σ μ / (2 − h μ), of "
                 "first order in 1/B, with h the step, B the mini-batch and μ the eigenvalues of the Hessian. ± s.e.: the "
                 "standard error. Left: runs that left; they do not count.")
    return table("Noise floor", ("", "of optimal", "step", "predicted", "simulated", "± s.e.", "left"), rows, notes)


def _claims(claims: tuple[Claim, ...]) -> str:
    lines = ["Claims about natural gradient on the simplex (Datar & Ay 2025), checked here", ""]
    for claim in claims:
        mark = MARKS[claim.holds] + (" " if claim.holds is False else ": ")
        lines += [wrapped(claim.statement, "  "), wrapped(mark + claim.because, "    ", "    ")]
    return "\n".join(lines)
