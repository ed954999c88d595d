"""Claims about runs and objectives: two runs are one path, a differential is that of its function."""
from collections.abc import Callable

import numpy as np

from ..backend import Array, to_numpy
from ..errors import ShapeError
from ..objectives.base import Objective
from ..objectives.function import as_objective, first_of
from ..solvers.result import Result, Status

__all__ = ["assert_same_path", "taylor_slopes"]


def assert_same_path(result_a: Result, result_b: Result, map: Callable[[Array], Array] | None = None, *,
                     rtol: float = 1e-9) -> None:
    """Assert that two runs are one path, the second in the coordinates of the first after `map`.

    Mathematically, ‖map(a_k) − b_k‖ ≤ rtol · max_k ‖b_k‖ in every row and record, and status and steps agree row by row.

    Parameters
    ----------
    result_a, result_b : Result
        Of runs that recorded their paths.
    map : callable, optional
        From the coordinates of the first run to those of the second, for instance ``M.to_eta``; none by default.
    rtol : float

    Raises
    ------
    AssertionError
        Naming the first record and row where they part, and both points.
    ShapeError
        If a run did not record its path.

    Examples
    --------
    >>> M, run = ig.Categorical(3), dict(step=0.3, max_steps=9)
    >>> f, theta = ig.CrossEntropy(M, [0.5, 0.3]), np.array([0.0, 1.0])
    >>> a = ig.descend(f, theta, geometry=M, update=ig.MirrorUpdate(), **run)
    >>> b = ig.descend(f.in_dual_coordinates(), M.to_eta(theta),
    ...                geometry=M.dual, update=ig.NaturalUpdate(), **run)
    >>> ig.testing.assert_same_path(a, b, M.to_eta)
    """
    if result_a.path is None or result_b.path is None:
        raise ShapeError("both runs must have recorded their paths: record=\"path\"")
    a, b = (to_numpy(x) for x in (result_a.path if map is None else map(result_a.path), result_b.path))
    assert a.shape == b.shape, f"paths of shapes {a.shape} and {b.shape}"
    gap, size = np.linalg.norm(a - b, axis=-1), np.max(np.linalg.norm(b, axis=-1), axis=0)
    apart = np.argwhere(~(gap <= rtol * size))
    if len(apart):
        index = tuple(int(i) for i in apart[0])
        raise AssertionError(f"the paths part at record {index[0]}, row {index[1:]}: {a[index]} and {b[index]}, "
                             f"at a distance of {gap[index]:.3g} where {rtol * size[index[1:]]:.3g} is allowed")
    for name in ("status", "steps"):
        one, other = to_numpy(getattr(result_a, name)), to_numpy(getattr(result_b, name))
        different = np.argwhere(one != other)
        if len(different):
            index = tuple(int(i) for i in different[0])
            words = Status if name == "status" else int
            raise AssertionError(f"the {name} of row {index} differ: {words(one[index])!s} and {words(other[index])!s}")


def taylor_slopes(objective: Objective | Callable[[Array], tuple[Array, Array]], x: Array, *, h: float = 0.01,
                  levels: int = 6) -> Array:
    """How fast the remainder of the first-order expansion of an objective falls, along each coordinate axis.

    Mathematically, with E(h) = |f(x + h e_i) − f(x) − h ∂_i f(x)|, the slopes log₂ E(h) / E(h/2) for h, h/2, h/4, …: 2 where
    the differential is that of the function (more where the second derivative is 0), 1 along an axis where it is wrong; infinite
    where nothing but rounding is left of the remainder.

    Parameters
    ----------
    objective : object with ``value_and_gradient(x) -> (value, covector)``, or function to this pair
        Of x with any leading axes.
    x : array, shape (..., d)
        With room for a step of h along each axis within the domain.
    h : float
        The longest step.
    levels : int
        How often it is halved.

    Returns
    -------
    array, shape (levels, ..., d)

    Source: the gradient diagnostics of Manopt (Boumal, Mishra, Absil & Sepulchre, J. Mach. Learn. Res. 15 (2014)).

    Examples
    --------
    >>> right = lambda x: (np.exp(x[..., 0]), np.exp(x))
    >>> wrong = lambda x: (np.exp(x[..., 0]), 1.1 * np.exp(x))
    >>> for f in (right, wrong):
    ...     print(ig.testing.taylor_slopes(f, [0.0], levels=3)[:, 0].round(1))
    [2. 2. 2.]
    [1. 1. 1.]
    """
    x = np.asarray(to_numpy(x), dtype=float)
    f = as_objective(objective)
    f, value, covector = first_of(f, x, f.value_and_gradient(x))
    x = np.broadcast_to(x, (*value.shape, x.shape[-1]))         # the objective may bring a batch of its own
    axes = np.moveaxis(np.broadcast_to(np.eye(x.shape[-1]), (*x.shape, x.shape[-1])), -2, 0)     # one axis e_i first
    slope = np.moveaxis(np.asarray(covector), -1, 0)
    remainders = []
    for k in range(levels + 1):
        step = h / 2**k
        there = f.value_and_gradient(x + step * axes)[0]
        remainder = np.abs(there - value - step * slope)
        rounding = 8 * np.finfo(float).eps * (np.abs(there) + np.abs(value) + step * np.abs(slope))
        remainders.append(np.where(remainder > rounding, remainder, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = [np.where(fine > 0, np.log2(coarse / fine), np.inf) for coarse, fine in zip(remainders, remainders[1:])]
    return np.moveaxis(np.stack(slopes), 1, -1)
