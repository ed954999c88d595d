"""How a family shows itself: data sheet and pictures."""
from typing import Any

from ..backend import Array
from .data_sheet import data_sheet, sheet_html
from .pictures import plot_law

__all__ = ["Shown"]


class Shown:
    """What a family has for the eye."""

    def data_sheet(self) -> dict[str, str]:
        """Ordinary parameters, support, statistics, charts and their domains, as text, by name; what a notebook shows."""
        return data_sheet(self)

    def _repr_html_(self) -> str:
        return sheet_html(self)

    def plot(self, theta: Array, *, ax: Any = None) -> list[Any]:
        """Draw the laws at θ: densities of one number, probabilities of counts, contours in the plane or on three outcomes.

        Parameters
        ----------
        theta : array, shape (..., d)
            At most 20 points; one, where x is no single number.
        ax : Axes, optional
            Of Matplotlib; a new figure is made where there are none.

        Returns
        -------
        list of artists
            A line for each law, or the contours. Tails of less than 1e-3 are left out.

        Raises
        ------
        DomainError, ShapeError
            For θ outside its domain.
        TypeError
            For laws that have no picture: matrices, directions, more than two numbers.
        """
        return plot_law(self, theta, ax)
