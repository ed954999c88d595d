"""Data sets that come with the package, and how a study reads them."""
from pathlib import Path
from typing import Any

from .inputs import InputError, suggestion

__all__ = ["EXAMPLES", "example_data", "example_options"]

_FOLDER = Path(__file__).parent / "example_data"

# What `infogeo conditioning --example NAME` stands for
EXAMPLES: dict[str, dict[str, Any]] = {
    "horse_kicks": {"counts": "horse_kicks.csv", "column": ["corps_years"]},
    "horse_kick_deaths": {"samples": "horse_kick_deaths.csv", "column": ["deaths"], "family": "geometric"},
    "alpha_particles": {"samples": "alpha_particles.csv", "column": ["particles"], "weights": "intervals", "family": "poisson"},
}


def example_data(name: str) -> Path:
    """The CSV file of a data set that comes with the package: `horse_kicks`, `horse_kick_deaths` or `alpha_particles`.

    Raises
    ------
    InputError
        For any other name.

    Examples
    --------
    >>> import infogeo as ig
    >>> ig.studies.example_data("horse_kicks").read_text().splitlines()[:3]
    ['deaths,corps_years', '0,109', '1,65']
    """
    if name not in EXAMPLES:
        raise InputError(f"{name!r} is none of the data sets {', '.join(EXAMPLES)}{suggestion(name, EXAMPLES)}")
    return _FOLDER / f"{name}.csv"


def example_options(name: str) -> dict[str, Any]:
    """The options that read the data set: its file, columns, weights and family."""
    path = example_data(name)
    return {key: str(path) if value == path.name else value for key, value in EXAMPLES[name].items()}
