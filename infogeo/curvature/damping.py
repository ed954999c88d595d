"""Damping: what is done to a curvature before it is inverted. It is an argument wherever one is, and has no default."""
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from ..errors import require_positive
from ..operators.base import LinearOperator
from ..operators.krylov import Shifted

__all__ = ["Damping", "FactoredTikhonov", "KrylovTikhonov", "Tikhonov", "Undamped"]


class Damping(ABC):
    """A rule that gives the operator to solve with.

    Examples
    --------
    >>> class Relative(ig.curvature.Damping):       # of the mean eigenvalue
    ...     def __call__(self, operator):
    ...         mean = float(operator.trace()) / operator.dim
    ...         return operator.shifted(0.01 * mean)
    >>> A = ig.operators.SymmetricDense(np.diag([3.0, 1.0]))
    >>> Relative()(A).dense()
    array([[3.02, 0.  ],
           [0.  , 1.02]])
    """

    @abstractmethod
    def __call__(self, operator: LinearOperator) -> LinearOperator:
        """The damped `LinearOperator`."""


@dataclass(frozen=True)
class Undamped(Damping):
    """The operator as it is: where it is singular up to rounding, the solve of what is outside its range is infinite or NaN.

    Examples
    --------
    >>> A = ig.operators.SymmetricDense(np.diag([4.0, 2.0]))
    >>> ig.curvature.Undamped()(A) is A
    True
    """

    def __call__(self, operator: LinearOperator) -> LinearOperator:
        return operator


@dataclass(frozen=True)
class Tikhonov(Damping):
    """A + c I, exactly, with the structure of A kept: a Kronecker product is shifted in its eigenbases.

    An operator without structure is formed, a sum of few outer products is solved through their Gram matrix; `KrylovTikhonov`
    is for what is too large for that.

    Parameters
    ----------
    c : float
        Positive.

    Examples
    --------
    >>> A = ig.operators.SymmetricDense(np.diag([3.0, 0.0]))
    >>> ig.curvature.Tikhonov(1.0)(A).solve(np.array([8.0, 5.0]))
    array([2., 5.])
    """

    c: float

    def __post_init__(self) -> None:
        require_positive("c", self.c)

    def __call__(self, operator: LinearOperator) -> LinearOperator:
        return operator.shifted(float(self.c))      # a Python float, which leaves float32 what it is


@dataclass(frozen=True)
class FactoredTikhonov(Damping):
    """(A + π √c I) ⊗ (B + √c / π I) for every Kronecker product A ⊗ B in the operator, c I added to what is none.

    It is exact, A ⊗ B + c I, where a factor is a single number. π² is the mean eigenvalue of A over that of B.

    Source: Martens & Grosse, Optimizing neural networks with Kronecker-factored approximate curvature (2015), section 6.3.

    Examples
    --------
    >>> A = ig.operators.Kronecker(np.diag([8.0, 8.0]), np.diag([2.0, 2.0]))
    >>> damped = ig.curvature.FactoredTikhonov(4.0)(A)
    >>> damped.diagonal()                           # π = 2: (8 + 4) (2 + 1)
    array([36., 36., 36., 36.])
    """

    c: float

    def __post_init__(self) -> None:
        require_positive("c", self.c)

    def __call__(self, operator: LinearOperator) -> LinearOperator:
        return operator.factored_shift(float(self.c))


@dataclass(frozen=True)
class KrylovTikhonov(Damping):
    """A + c I, solved by conjugate gradients to a relative residual: for operators known by their products alone.

    Parameters
    ----------
    c : float
        Positive.
    tol : float
        Relative residual to reach; a `ConvergenceError` where it is not.
    max_steps : int, optional
    preconditioner : LinearOperator, optional

    Examples
    --------
    >>> A = ig.operators.SymmetricDense(np.diag([3.0, 0.0]))
    >>> damped = ig.curvature.KrylovTikhonov(1.0, tol=1e-10)(A)
    >>> damped.solve(np.array([8.0, 5.0])).round(6)
    array([2., 5.])
    """

    c: float
    tol: float = 1e-6
    max_steps: int | None = None
    preconditioner: LinearOperator | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        require_positive("c", self.c)
        require_positive("tol", self.tol)

    def __call__(self, operator: LinearOperator) -> LinearOperator:
        return Shifted(operator, float(self.c), tol=self.tol, max_steps=self.max_steps, preconditioner=self.preconditioner)
