"""The three figures of the conditioning study."""
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend import asarray, to_numpy
from .canvas import BLUE, GREEN, ORANGE, VERMILION, blank
from .chart import ETA, THETA, FlatChart
from .conditioning import Conditioning
from .contours import columns
from .methods import METHODS
from .report import FLOW_LABELS, SHORT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["figure_flows", "figure_sweep", "figure_trajectories"]

COLOURS = {"gd_theta": BLUE, "natural": VERMILION, "gd_eta": GREEN, "ng_theta": ORANGE, "ng_eta": VERMILION}
SHOWN = 4       # starts in the picture of the trajectories: more lines hide each other
WIDE = 42       # letters of a label: two longer ones do not stand side by side
DASHES = (0, (2, 2))     # of a curve that lies on another one, which shows between them
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
MARKERS = {"gd_theta": "s", "gd_eta": "^", "ng_theta": "o", "ng_eta": "D"}


def figure_flows(result: Conditioning) -> "Figure":
    """KL against time along the three flows from the first start, with the predicted slopes.

    Parameters
    ----------
    result : Conditioning

    Raises
    ------
    ImportError
        Where Matplotlib is not installed.

    Examples
    --------
    >>> M = ig.Bernoulli()
    >>> problem = ig.studies.ForwardProblem(M, M.theta_from(probability=0.2))
    >>> few = ig.studies.Effort(flown=1, tolerance=1e-6, records=(5, 5),
    ...                         longest=50, noisy_runs=2, averaged=2,
    ...                         noisy_steps=50, pooled=1000)
    >>> study = ig.studies.conditioning(problem, starts=1, steps=3, effort=few)
    >>> [ax.get_xlabel() for ax in ig.studies.figure_flows(study).axes]
    ['time t']
    """
    figure, axes = blank(7.0, 4.6)
    predicted = dict(zip(FLOW_LABELS, result.spectrum.rate[[0, 2, 1]]))
    end = 20.0 / min(2.0, max(predicted.values()))
    floor = 1e-12                           # nats; below, the flows are rounding
    lines = Lines(0.01 * np.log(result.flows[0].kl[0, 0] / floor))
    for flow in result.flows:
        rate, colour, kl = predicted[flow.method], COLOURS[flow.method], flow.kl[:, 0]
        shown = (np.arange(kl.size) <= np.searchsorted(flow.times, end)) & (kl > floor)     # up to the edge, and over it
        on = lines.add(SHORT[flow.method], flow.times, np.log(np.where(shown, kl, np.nan)))
        axes.semilogy(flow.times[shown], kl[shown], color=colour, lw=2.2, ls=DASHES if on else "-",
                      label=f"{FLOW_LABELS[flow.method]}: rate {rate:.4g}" + (f" (on {on})" if on else ""))
        last = np.flatnonzero(shown)[-1]
        level = np.log(kl[last]) + rate * flow.times[last]       # the predicted line meets the flow at its last point
        t = np.linspace(max(0.0, (level - np.log(30 * kl[0])) / rate), flow.times[last], 2)
        axes.semilogy(t, np.exp(level - rate * t), color="black", lw=1.0, ls=(0, (4, 3)), zorder=3)
    axes.plot([], [], color="black", lw=1.0, ls=(0, (4, 3)), label="predicted slopes")
    axes.set(xlabel="time t", ylabel=f"{result.problem.symbol} in nats", xlim=(0, end), ylim=(floor, None),
             title="Late on, every flow loses KL at its predicted rate")
    axes.grid(alpha=0.25)
    _legend_below(figure, axes)
    return figure


def figure_sweep(result: Conditioning) -> "Figure":
    """Rise time against learning rate, worst over the starts, and for nine starts in ten.

    Parameters
    ----------
    result : Conditioning

    Raises
    ------
    ImportError
        Where Matplotlib is not installed.

    Examples
    --------
    >>> M = ig.Bernoulli()
    >>> problem = ig.studies.ForwardProblem(M, M.theta_from(probability=0.2))
    >>> few = ig.studies.Effort(flown=1, tolerance=1e-6, records=(5, 5),
    ...                         longest=50, noisy_runs=2, averaged=2,
    ...                         noisy_steps=50, pooled=1000)
    >>> study = ig.studies.conditioning(problem, starts=1, steps=3, effort=few)
    >>> [ax.get_xlabel() for ax in ig.studies.figure_sweep(study).axes]
    ['learning rate']
    """
    figure, axes = blank(7.0, 4.8)
    w, lines = result.sweep, Lines(0.02 * result.sweep.steps)
    for i, name in enumerate(w.methods):
        colour, dashed = COLOURS[name], f"dashed {SHORT[name]}"
        worst, most = (np.where(np.isfinite(y[i]), y[i], np.nan) for y in (w.worst, w.most))
        on_dashed, on = lines.add(dashed, w.h[i], most), lines.add(SHORT[name], w.h[i], worst, own=dashed)
        said = [f"dashed on {on_dashed}"] * bool(on_dashed) + [f"on {on}"] * bool(on)
        said += ["no step serves every start"] * bool(np.isnan(worst).all())
        axes.plot(w.h[i], most, color=colour, lw=1.4, ls=DASHES if on_dashed else "--")
        axes.plot(w.h[i], worst, color=colour, lw=2.0, marker=MARKERS[name], ms=4,
                  label=METHODS[name].label + (f" ({', '.join(said)})" if said else ""))
    axes.plot([], [], color="black", lw=1.4, ls="--", label="dashed: nine starts in ten")
    shown = w.h[np.isfinite(w.most)] if np.isfinite(w.most).any() else w.h
    axes.set(xscale="log", xlabel="learning rate", ylabel=f"steps until KL stays below {w.level:.3g} nats",
             ylim=(0, w.steps * 1.02), xlim=(shown.min() / 1.5, shown.max() * 1.5),
             title="Which learning rates serve every start, and how fast")
    axes.grid(alpha=0.25)
    _legend_below(figure, axes)
    return figure


def _legend_below(figure: "Figure", axes: Any) -> None:
    _, labels = axes.get_legend_handles_labels()
    figure.legend(loc="outside lower center", frameon=False, fontsize=9, ncols=2 if max(map(len, labels)) <= WIDE else 1)


class Lines:
    """The curves of a picture so far: a new one may lie on one of them, and its legend is to say so.

    Parameters
    ----------
    apart : float
        What is nearer than this cannot be told apart; curves of which four points in five are so coincide.
    """

    def __init__(self, apart: float) -> None:
        self.apart, self.drawn = apart, list[tuple[str, np.ndarray, np.ndarray]]()

    def add(self, name: str, x: np.ndarray, y: np.ndarray, own: str = "") -> str:
        """The name of the curve, but for `own`, on which the new one lies; "" where there is none. NaN is not drawn."""
        on, kept = "", np.isfinite(y)
        x, y = x[kept], y[kept]
        for other, x0, y0 in self.drawn:
            both = (x >= x0[0]) & (x <= x0[-1])
            near = abs(np.interp(x[both], x0, y0) - y[both]) <= self.apart
            if other != own and near.size >= 0.5 * x.size and near.size and near.mean() > 0.8:
                on = other
        if x.size:
            self.drawn.append((name, x, y))
        return on


def figure_trajectories(result: Conditioning) -> "Figure":
    """The flows over the contours of KL, in both charts; the loss itself where d = 1.

    Parameters
    ----------
    result : Conditioning

    Raises
    ------
    ImportError
        Where Matplotlib is not installed.

    Examples
    --------
    >>> M = ig.Bernoulli()
    >>> problem = ig.studies.ForwardProblem(M, M.theta_from(probability=0.2))
    >>> few = ig.studies.Effort(flown=1, tolerance=1e-6, records=(5, 5),
    ...                         longest=50, noisy_runs=2, averaged=2,
    ...                         noisy_steps=50, pooled=1000)
    >>> study = ig.studies.conditioning(problem, starts=1, steps=3, effort=few)
    >>> [ax.get_xlabel() for ax in ig.studies.figure_trajectories(study).axes]
    ['θ', 'η']
    """
    figure, panels = blank(10.0, 5.0, 2)
    draw = _draw_plane if result.theta.size > 1 else _draw_line
    for axes, chart in zip(panels, (THETA, ETA)):
        draw(result, axes, chart)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    figure.suptitle(f"The same flows in θ and in η, over {result.problem.symbol}")
    return figure


def _coordinates(result: Conditioning, chart: FlatChart, theta: np.ndarray) -> np.ndarray:
    """Points of a path in the chart, as NumPy."""
    problem = result.problem
    return to_numpy(chart.coordinates(problem.family, asarray(theta, like=problem.theta)))


def _kl(result: Conditioning, chart: FlatChart, x: np.ndarray) -> np.ndarray:
    """KL at points of the chart; NaN outside its domain."""
    problem = result.problem
    family, x = problem.family, asarray(np.ascontiguousarray(x), like=problem.theta)
    with np.errstate(all="ignore"):
        inside = to_numpy(chart.manifold(family).theta_domain.contains(x))
        safe = np.where(inside[..., None], to_numpy(x), to_numpy(chart.coordinates(family, problem.theta)))
        kl = to_numpy(problem.kl(chart.theta(family, asarray(safe, like=problem.theta))))
    return np.where(inside, kl, np.nan)


def _range(values: np.ndarray, target: float, wide: float = 0.15) -> tuple[float, float]:
    low, high = min(values.min(), target), max(values.max(), target)
    pad = wide * (high - low) or 1.0
    return low - pad, high + pad


def _draw_plane(result: Conditioning, axes: Any, chart: FlatChart) -> None:
    from matplotlib.colors import LogNorm
    target = _coordinates(result, chart, result.theta)
    paths = {flow.method: _coordinates(result, chart, flow.path[:, :SHOWN]) for flow in result.flows}
    everything = np.concatenate([path.reshape(-1, path.shape[-1])[:, :2] for path in paths.values()])
    (left, right), (low, high) = (_range(everything[:, i], target[i]) for i in (0, 1))
    domain = chart.manifold(result.problem.family).domain
    grid = columns(domain, asarray(target, like=result.problem.theta), (left, right), (low, high))
    kl = _kl(result, chart, grid)
    top = np.nanmax([flow.kl[0, :SHOWN].max() for flow in result.flows])
    levels = np.geomspace(1e-3 * top, 3 * top, 9)
    shades = LogNorm(levels[0] / 3, levels[-1] * 6)
    axes.contourf(grid[..., 0], grid[..., 1], kl, levels=[0, *levels], cmap="Greys", norm=shades, alpha=0.8, extend="max")
    axes.contour(grid[..., 0], grid[..., 1], kl, levels=levels, colors="0.55", linewidths=0.6)
    for method, path in paths.items():
        for i in range(path.shape[1]):
            axes.plot(path[:, i, 0], path[:, i, 1], color=COLOURS[method], lw=1.8, label=FLOW_LABELS[method] if i == 0 else None)
    first = paths["natural"][0]
    axes.plot(first[:, 0], first[:, 1], "o", mfc="white", mec="black", ms=6, ls="none", zorder=5)
    axes.plot(*target[:2], marker="*", mfc="white", mec="black", ms=14, ls="none", zorder=6, label="target q")
    rest = f"{chart.letter}₃" + (f" to {chart.letter}{target.size}".translate(SUBSCRIPTS) if target.size > 3 else "")
    more = "" if target.size == 2 else f"; contours with {rest} at the target"
    axes.set(xlabel=f"{chart.letter}₁", ylabel=f"{chart.letter}₂", title=f"chart {chart.letter}{more}", xlim=(left, right),
             ylim=(low, high))
    axes.title.set_fontsize(10)


def _draw_line(result: Conditioning, axes: Any, chart: FlatChart) -> None:
    target = _coordinates(result, chart, result.theta)[0]
    farthest = int(result.flows[0].kl[0, :SHOWN].argmax())
    paths = {flow.method: _coordinates(result, chart, flow.path)[:, farthest, 0] for flow in result.flows}
    starts = _coordinates(result, chart, result.flows[0].path[:, :SHOWN])[0, :, 0]
    low, high = _range(starts, target, 0.4)
    x = np.linspace(low, high, 600)
    axes.plot(x, _kl(result, chart, x[:, None]), color="0.35", lw=1.6)
    # the place of each flow at equal times, lifted a little one above the other
    times = np.linspace(0.0, 1.5, 6)
    top = np.nanmax(_kl(result, chart, np.append(starts, target)[:, None])) * 1.25
    for lift, flow in enumerate(result.flows):
        at = np.interp(times, flow.times, paths[flow.method])
        raised = _kl(result, chart, at[:, None]) + (lift + 1) * 0.05 * top
        axes.plot(at, raised, color=COLOURS[flow.method], marker="o", ms=5, lw=1.2, label=FLOW_LABELS[flow.method])
    axes.plot(target, 0.0, marker="*", mfc="white", mec="black", ms=14, ls="none", zorder=6, label="target q")
    axes.set(xlabel=chart.letter, ylabel=f"{result.problem.symbol} in nats", xlim=(low, high), ylim=(-0.05 * top, top * 1.3),
             title=f"chart {chart.letter}: loss, and (lifted) six equal times up to t = {times[-1]:.3g}")
    axes.title.set_fontsize(10)
    axes.grid(alpha=0.25)
