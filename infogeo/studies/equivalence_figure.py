"""The figure of the equivalence study."""
from typing import TYPE_CHECKING, Any

import numpy as np

from .canvas import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION, blank

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .equivalence import Equivalence
    from .measured_identity import MeasuredIdentity

__all__ = ["figure_equivalence"]

COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, "black")
LEAST = 1e-18       # where an error of exactly 0 is drawn
POWERS = {1: "h", 2: "h²", 3: "h³", 4: "h⁴"}


def figure_equivalence(result: "Equivalence") -> "Figure":
    """Left the errors of the equalities, a mark for each manifold asked about; right the largest distances against the step."""
    equalities = [one for one in result.measured if not one.order]
    names = list(dict.fromkeys(f"{one.name}  {one.number}" for one in equalities))
    figure, (left, right) = blank(12.0, max(4.5, 0.22 * len(names) + 2.4), 2)
    _draw_errors(left, equalities, names, dict(zip(result.targets, COLOURS * len(result.targets))))
    _draw_distances(right, result, [one for one in result.measured if one.order])
    figure.legend(*left.get_legend_handles_labels(), fontsize=8, loc="outside lower left", frameon=False)
    figure.legend(*right.get_legend_handles_labels(), fontsize=8, loc="outside lower right", frameon=False, ncols=2)
    return figure


def _draw_errors(axes: Any, equalities: list["MeasuredIdentity"], names: list[str], colours: dict[str, str]) -> None:
    for asked, colour in colours.items():
        found = [one for one in equalities if one.asked == asked]
        rows = [names.index(f"{one.name}  {one.number}") for one in found]
        axes.plot([max(one.error.max(), LEAST) for one in found], rows, "o", color=colour, ms=4.5, alpha=0.8, label=asked)
        axes.plot([max(one.allowed.max(), LEAST) for one in found], rows, "|", color=colour, ms=9)
    axes.plot([], [], "|", color="black", ms=9, ls="none", label="what is allowed")
    axes.set(xscale="log", xlim=(LEAST / 3, 10), ylim=(len(names) - 0.5, -0.5), yticks=range(len(names)), yticklabels=names,
             xlabel=f"largest error (0 is drawn at {LEAST:g})", title="Equalities hold at every step size")
    axes.tick_params(axis="y", labelsize=8)
    axes.title.set_fontsize(10)
    axes.grid(alpha=0.25)


def _draw_distances(axes: Any, result: "Equivalence", limits: list["MeasuredIdentity"]) -> None:
    names = dict.fromkeys((one.number, one.name, one.order) for one in limits)
    for (number, name, order), colour in zip(names, COLOURS * len(limits)):
        found = [one for one in limits if one.name == name]
        label: str | None = f"{number} {name}: {POWERS.get(order, f'h^{order}')}"
        for asked in dict.fromkeys(one.asked for one in found):
            shown = [np.where(one.error > 3 * one.allowed, one.error, np.nan).max(axis=0) for one in found if one.asked == asked]
            axes.plot(result.steps, np.max(shown, axis=0), "-o", color=colour, ms=3.5, lw=1.2, alpha=0.8, label=label)
            label = None
    axes.set(xscale="log", yscale="log", xlabel="step size h, or distance h of the points",
             title="Distances fall with a power of the step size")
    axes.set_xticks(result.steps, [f"{h:g}" for h in result.steps], minor=False)
    axes.set_xticks([], minor=True)
    axes.title.set_fontsize(10)
    axes.grid(alpha=0.25)
