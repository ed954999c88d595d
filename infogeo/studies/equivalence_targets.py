"""The equivalence study at thousands of targets, in blocks."""
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..backend import Array, to_numpy
from ..families.base import ExponentialFamily
from ..testing.equivalences.catalogue import IDENTITIES
from ..testing.equivalences.identity import POINTS, Limit, Statement
from .blocks import in_blocks, targets_kept
from .equivalence import STEPS, chosen_identities, equivalence
from .equivalence_report import worst_of
from .export import write_targets
from .inputs import InputError
from .tables import number, table

__all__ = ["equivalence_of_many", "follow_equivalence_of_many", "report_equivalence_of_many"]

BLOCK = 20          # targets in a block: a second or two of one processor
CHANCE = ("P15", "P18")     # means over draws, which need ever more of them the rarer an outcome is


def equivalence_of_many(family: ExponentialFamily, theta: Array, folder: str | Path, *, objectives: Sequence[str] = ("wavy",),
                        steps: Sequence[float] = STEPS, seed: int = 0, points: int = 2, only: Sequence[str] = (),
                        map: Callable[..., Iterable[int]] = map, progress: bool = False) -> dict[str, np.ndarray]:
    """The identities of `equivalence` that depend on the target, at many of them, in blocks that can be gone on with.

    Parameters
    ----------
    theta : array, shape (n, d)
    folder, map, progress
        As of `in_blocks`.
    objectives, steps, points, only
        As of `equivalence`; objectives by name.
    seed : int
        Of all draws; the k-th target has the generator of (seed, k).

    Returns
    -------
    dict of NumPy arrays, shapes (n,)
        Of each identity by its name in words ``error_…``, ``allowed_…`` and ``holds_…``, the worst over objectives, steps and
        points; of a limit ``ratio_…``, by what the last halving of the step divides the distance, in place of what is allowed.

    Raises
    ------
    DomainError, ShapeError
        For targets.
    InputError
        For the name of an identity or an objective that is none, or has no target.
    BlocksError
        Where the folder has blocks of another study.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> M, name = ig.Exponential(), "three points of a step"
    >>> theta = M.theta_from(rate=[1.0, 2.0])
    >>> with TemporaryDirectory() as folder:
    ...     found = ig.studies.equivalence_of_many(M, theta, folder,
    ...                                            only=(name,), steps=[0.1],
    ...                                            points=2)
    >>> found["holds_three_points_of_a_step"].tolist()        # of each target
    [True, True]
    """
    theta = to_numpy(family.theta_domain.require("theta", theta)).reshape(-1, family.dim)
    chosen = [one.name for one in chosen_identities(only) if _depends(one, family)]
    if not chosen:
        raise InputError(f"no identity of {', '.join(only)} depends on the target")
    task = _Block(family, theta, tuple(objectives), tuple(steps), seed, points, tuple(chosen))
    setting = {"family": repr(family), "objectives": list(objectives), "steps": list(steps), "seed": seed, "points": points,
               "identities": chosen, "targets": len(theta), "checksum": [float(theta.sum()), float(np.abs(theta).sum())]}
    return in_blocks(task, -(-len(theta) // BLOCK), folder, map=map, setting=setting, progress=progress)


def _depends(statement: Statement, family: ExponentialFamily) -> bool:
    """Whether an identity is about points of this family, not of a manifold that it brings, and is no matter of chance."""
    own = any(M is family for M in statement.manifolds(family))
    return own and bool(POINTS & set(statement.needs)) and statement.number not in CHANCE


class _Block:
    """The task of a block; an object, which other processes can be sent."""

    def __init__(self, *given: Any) -> None:
        self.family, self.theta, self.objectives, self.steps, self.seed, self.points, self.chosen = given

    def __call__(self, i: int) -> dict[str, np.ndarray]:
        rows = [self.row(k) for k in range(i * BLOCK, min((i + 1) * BLOCK, len(self.theta)))]
        return {name: np.array([row[name] for row in rows]) for name in rows[0]}

    def row(self, k: int) -> dict[str, Any]:
        """What is found at the k-th target."""
        draws = int(np.random.SeedSequence([self.seed, k]).generate_state(1)[0])
        found = equivalence(self.family, target=self.theta[k], objectives=self.objectives, steps=self.steps, points=self.points,
                            seeds=[draws], only=self.chosen)
        row: dict[str, Any] = {}
        for name in self.chosen:
            own, key = [one for one in found.measured if one.name == name], name.replace(" ", "_")
            row[f"error_{key}"], row[f"{_second(name)}_{key}"] = worst_of(own, found.steps) if own else (np.nan, np.nan)
            row[f"holds_{key}"] = all(one.holds for one in own)
        return row


def _second(name: str) -> str:
    """What stands beside the error of an identity."""
    return "ratio" if isinstance(IDENTITIES[name], Limit) else "allowed"


def report_equivalence_of_many(found: Mapping[str, np.ndarray], family: ExponentialFamily) -> str:
    """The median and the worst of every identity over the targets, as text.

    Parameters
    ----------
    found : dict of arrays, shapes (n,)
        Of `equivalence_of_many`.
    family : ExponentialFamily

    Returns
    -------
    str

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> M, name = ig.Exponential(), "three points of a step"
    >>> theta = M.theta_from(rate=[1.0, 2.0])
    >>> with TemporaryDirectory() as folder:
    ...     found = ig.studies.equivalence_of_many(M, theta, folder,
    ...                                            only=(name,), steps=[0.1],
    ...                                            points=2)
    >>> print(ig.studies.report_equivalence_of_many(found, M).splitlines()[0])
    2 targets of Exponential()
    """
    rows = []
    for name, identity in IDENTITIES.items():
        key = name.replace(" ", "_")
        if f"error_{key}" not in found:
            continue
        error, second = found[f"error_{key}"], found[f"{_second(name)}_{key}"]
        known = second[np.isfinite(second)]
        ratio = f"{np.median(known):.3g}/{2**identity.order}" if isinstance(identity, Limit) and known.size else "exact"
        largest = np.nanmax(error) if np.isfinite(error).any() else np.nan
        rows.append((f"{identity.number} {name}", number(largest, 2), ratio, int((~found[f"holds_{key}"]).sum())))
    n = len(next(iter(found.values())))
    return table(f"{n} targets of {family!r}", ("", "largest error", "halving", "broken"), rows, (
        "halving: what the last halving of the step divides the distance by, beside the power of two that is proved, the median; "
        "broken: targets where the identity does not hold.",))


def follow_equivalence_of_many(family: ExponentialFamily, theta: Array, folder: str, say: Callable[[str], None],
                               **settings: Any) -> None:
    """`equivalence_of_many`, said in short, and a row for each target in ``targets.csv`` and ``targets.npz`` of a folder.

    Parameters
    ----------
    family : ExponentialFamily
    theta : array, shape (n, d)
    folder : str
        Made where it is missing; finished blocks are kept in ``blocks`` below it.
    say : callable (str) -> None
        Told every part of the text: `print`, for instance.
    settings
        Those of `equivalence_of_many`.

    Raises
    ------
    DomainError, ShapeError, InputError
        As `equivalence_of_many` does.
    KeyboardInterrupt
        Saying how many blocks are kept.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> said, M, name = [], ig.Exponential(), "three points of a step"
    >>> theta = M.theta_from(rate=[1.0, 2.0])
    >>> with TemporaryDirectory() as folder:
    ...     ig.studies.follow_equivalence_of_many(M, theta, folder, said.append,
    ...                                           only=(name,), steps=[0.1],
    ...                                           points=2)
    >>> len(said)
    1
    """
    blocks = Path(folder) / "blocks"
    with targets_kept(blocks):
        found = equivalence_of_many(family, theta, blocks, **settings)
    say(report_equivalence_of_many(found, family))
    write_targets(folder, theta, found)
