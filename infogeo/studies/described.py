"""Target and problem as the options of a command line describe them: one source, and what belongs to it."""
from collections.abc import Sequence
from typing import Any

from ..backend import Array
from ..families.base import ExponentialFamily
from .divergences import named_problem
from .examples import example_options
from .inputs import InputError
from .problem import ForwardProblem, Problem
from .target import Reference, Target, from_counts, from_parameters, from_probabilities, from_samples

__all__ = ["described_problem", "described_target"]


def described_target(*, example: str | None = None, **options: Any) -> Target:
    """The target of one of example, counts, samples, probabilities and target; the other options have to fit.

    Raises
    ------
    InputError

    Examples
    --------
    >>> target = ig.studies.described_target(example="alpha_particles")
    >>> found = target.family.parameters(target.theta)
    >>> target.family, round(float(found["rate"]), 2)
    (Poisson(), 3.87)
    """
    if example is None:
        return _described(**options)
    given = [f"--{name}" for name in ("counts", "samples", "probabilities", "target", "targets", "column", "weights", "family")
             if options.get(name) is not None]
    if given:
        raise InputError(f"--example says what {' and '.join(given)} would; give one or the other")
    return _described(**options | example_options(example))


def _described(*, counts: str | None = None, samples: str | None = None, probabilities: Sequence[float] | None = None,
               target: Sequence[str] | None = None, targets: str | None = None, column: Sequence[str] | None = None,
               family: str | None = None, reference: Reference = None, weights: str | None = None, **others: Any) -> Target:
    given = {"counts": counts, "samples": samples, "probabilities": probabilities, "target": target, "targets": targets}
    sources = [name for name, value in given.items() if value is not None]
    if len(sources) != 1:
        got = " and ".join(f"--{name}" for name in sources) or "none"
        raise InputError(f"one of --example, {', '.join(f'--{name}' for name in given)} is needed; got {got}")
    if family is None and (samples is not None or target is not None):
        raise InputError(f"--{sources[0]} needs --family")
    if samples is not None:
        return from_samples(samples, _columns(column), str(family), reference, weights)
    if weights is not None:
        raise InputError("--weights belongs to --samples")
    if counts is None and column:
        raise InputError("--column belongs to --counts and --samples")
    if target is not None:
        if reference is not None:
            raise InputError("--target: the reference is an argument of the family, as in Categorical(3, reference=0)")
        return from_parameters(str(family), target, "--target")
    if family not in (None, "categorical"):
        raise InputError(f"--{sources[0]} gives a categorical target; --family {family} needs --samples or --target")
    if counts is None:
        return from_probabilities(probabilities, reference, "--probabilities")
    columns = _columns(column)
    if len(columns) > 1:
        raise InputError(f"--counts takes one --column; got {', '.join(columns)}")
    return from_counts(counts, columns[0], reference)


def described_problem(direction: str | None, divergence: str | None, family: ExponentialFamily, theta: Array) -> Problem:
    """The problem of a direction of KL, the forward one by default, or of another divergence.

    Raises
    ------
    InputError

    Examples
    --------
    >>> M, theta = ig.Exponential(), np.array([-1.0])
    >>> for options in ((None, None), ("reverse", None), (None, "hellinger")):
    ...     print(ig.studies.described_problem(*options, M, theta).symbol)
    KL(q‖p)
    KL(p‖q)
    H²(p, q)
    """
    if direction is not None and divergence is not None:
        raise InputError(f"--direction is one of KL, and --divergence another divergence; got {direction} and {divergence}")
    return named_problem(divergence or direction or ForwardProblem.direction, family, theta)


def _columns(column: Sequence[str] | None) -> list[str]:
    if not column:
        raise InputError("--column is needed: the name of a column in the header of the file")
    return list(column)
