"""The charts of intervals, orthants, the simplex, the ball and definite matrices."""
from abc import abstractmethod

from ..backend import Array, Namespace, coerced
from ..numerics.linalg import cholesky, inverse_lower
from ..numerics.packing import pack, unpack
from .chart import Chart

__all__ = ["BallChart", "ExponentialChart", "LogCholeskyChart", "LogitChart", "SoftmaxChart"]


class _Elementwise(Chart):
    """A chart of numbers, each on its own: J is the diagonal of the slopes x′(u)."""

    @abstractmethod
    def _slope(self, u: Array) -> Array:
        """x′(u), shape (...)."""

    def push_forward(self, u: Array, vector: Array) -> Array:
        return self._slope(u) * vector

    def pull_in(self, u: Array, vector: Array) -> Array:
        return vector / self._slope(u)

    def pull_back(self, u: Array, covector: Array) -> Array:
        return self._slope(u) * covector


class ExponentialChart(_Elementwise):
    """x_i = origin + s_i e^{u_i} with signs s_i = ±1; J = diag(s_i e^{u_i}).

    Parameters
    ----------
    signs : int
        One for each coordinate, or one for all of them, however many there are.
    origin : float

    Examples
    --------
    >>> chart = ig.domains.ExponentialChart(1, -1)
    >>> chart([0.0, 0.0]), chart.inverse([2.0, -4.0]).round(4)
    (array([ 1., -1.]), array([0.6931, 1.3863]))
    """

    def __init__(self, *signs: int, origin: float = 0.0) -> None:
        self.signs, self.origin = signs, float(origin)

    def _signs(self, xp: Namespace, like: Array) -> Array:
        if len(set(self.signs)) == 1:
            return float(self.signs[0])
        return xp.asarray(self.signs, dtype=like.dtype)

    def _slope(self, u: Array) -> Array:
        xp, u = coerced(u)
        return self._signs(xp, u) * xp.exp(u)

    def __call__(self, u: Array) -> Array:
        return self._slope(u) + self.origin if self.origin else self._slope(u)

    def inverse(self, x: Array) -> Array:
        xp, x = coerced(x)
        return xp.log(self._signs(xp, x) * (x - self.origin))

    def pull_back_tangent(self, u: Array, vector: Array, covector: Array) -> Array:
        return self._slope(u) * vector * covector


class LogitChart(_Elementwise):
    """x = lower + (upper − lower) / (1 + e^{−u}), each number on its own, for a bounded interval.

    Mathematically, with s = 1 / (1 + e^{−u}): x′ = (upper − lower) s (1 − s), x″ = x′ (1 − 2 s).

    Examples
    --------
    >>> chart = ig.domains.LogitChart(0.0, 10.0)
    >>> chart([0.0, 2.0]).round(4), chart.inverse([5.0])
    (array([5.   , 8.808]), array([0.]))
    """

    def __init__(self, lower: float, upper: float) -> None:
        self.lower, self.upper = float(lower), float(upper)

    def _shares(self, u: Array) -> tuple[Array, Array]:
        """s and 1 − s, each to its own precision."""
        xp, u = coerced(u)
        return xp.expit(u), xp.expit(-u)

    def _slope(self, u: Array) -> Array:
        share, rest = self._shares(u)
        return (self.upper - self.lower) * share * rest

    def __call__(self, u: Array) -> Array:
        share, rest = self._shares(u)
        return self.lower * rest + self.upper * share

    def inverse(self, x: Array) -> Array:
        xp, x = coerced(x)
        return xp.log(x - self.lower) - xp.log(self.upper - x)

    def pull_back_tangent(self, u: Array, vector: Array, covector: Array) -> Array:
        share, rest = self._shares(u)
        return self._slope(u) * (rest - share) * vector * covector


def _dot(a: Array, b: Array) -> Array:
    """a·b as a column, summed in the same way for one point and for a batch."""
    xp, a, b = coerced(a, b)
    return xp.sum(a * b, axis=-1, keepdims=True)


class SoftmaxChart(Chart):
    """x_i = e^{u_i} / (1 + Σ e^{u_j}), onto the positive coordinates with sum below 1: the reference has the weight 1.

    Mathematically, J = diag(x) − x xᵀ.

    Examples
    --------
    >>> chart = ig.domains.SoftmaxChart()
    >>> chart([0.0, np.log(2.0)]).round(12)  # the third has the weight 1
    array([0.25, 0.5 ])
    """

    def __call__(self, u: Array) -> Array:
        xp, u = coerced(u)
        top = xp.maximum(xp.max(u, axis=-1, keepdims=True), xp.zeros_like(u[..., :1]))
        weight = xp.exp(u - top)
        return weight / (xp.exp(-top) + xp.sum(weight, axis=-1, keepdims=True))

    def inverse(self, x: Array) -> Array:
        xp, x = coerced(x)
        return xp.log(x) - xp.log1p(-xp.sum(x, axis=-1, keepdims=True))

    def push_forward(self, u: Array, vector: Array) -> Array:
        x = self(u)
        return x * (vector - _dot(x, vector))

    def pull_in(self, u: Array, vector: Array) -> Array:
        """dx_i / x_i + Σ dx_j / (1 − Σ x_j), the last from its own formula."""
        xp, u, vector = coerced(u, vector)
        top = xp.maximum(xp.max(u, axis=-1, keepdims=True), xp.zeros_like(u[..., :1]))
        rest = xp.exp(-top) / (xp.exp(-top) + xp.sum(xp.exp(u - top), axis=-1, keepdims=True))
        return vector / self(u) + xp.sum(vector, axis=-1, keepdims=True) / rest

    def pull_back(self, u: Array, covector: Array) -> Array:
        return self.push_forward(u, covector)

    def pull_back_tangent(self, u: Array, vector: Array, covector: Array) -> Array:
        x, dx = self(u), self.push_forward(u, vector)
        return dx * (covector - _dot(x, covector)) - x * _dot(dx, covector)


class BallChart(Chart):
    """x = u / √(1 + |u|²), onto the open unit ball.

    Mathematically, with r = √(1 + |u|²): J = (I − x xᵀ) / r.

    Examples
    --------
    >>> chart = ig.domains.BallChart()
    >>> chart([3.0, 4.0]).round(4), chart.inverse([0.6, 0.0]).round(4)
    (array([0.5883, 0.7845]), array([0.75, 0.  ]))
    """

    def _radius(self, u: Array) -> Array:
        xp, u = coerced(u)
        return xp.sqrt(1.0 + _dot(u, u))

    def __call__(self, u: Array) -> Array:
        u = coerced(u)[1]
        return u / self._radius(u)

    def inverse(self, x: Array) -> Array:
        xp, x = coerced(x)
        size = xp.sqrt(_dot(x, x))
        return x / xp.sqrt((1.0 - size) * (1.0 + size))

    def push_forward(self, u: Array, vector: Array) -> Array:
        x = self(u)
        return (vector - x * _dot(x, vector)) / self._radius(u)

    def pull_in(self, u: Array, vector: Array) -> Array:
        """r (I + u uᵀ) dx, as x = u / r and 1 − |x|² = 1 / r²."""
        return self._radius(u) * (vector + u * _dot(u, vector))

    def pull_back(self, u: Array, covector: Array) -> Array:
        return self.push_forward(u, covector)

    def pull_back_tangent(self, u: Array, vector: Array, covector: Array) -> Array:
        x, dx, r = self(u), self.push_forward(u, vector), self._radius(u)
        turned = dx * _dot(x, covector) + x * _dot(dx, covector)
        return -(self.push_forward(u, covector) * _dot(x, vector) + turned) / r


class LogCholeskyChart(Chart):
    """x = s L Lᵀ, packed, where L is lower triangular, packed in u, with the logarithms of its diagonal there; s = ±1.

    Mathematically, dx = s (dL Lᵀ + L dLᵀ), and as the packing is isometric, c·dx = ⟨2 s C L, dL⟩ for the covector c = pack(C).

    Parameters
    ----------
    p : int
        The order of the matrix.
    sign : int

    Examples
    --------
    >>> chart = ig.domains.LogCholeskyChart(2)
    >>> u = chart.inverse(ig.pack([[4.0, 2.0], [2.0, 5.0]]))
    >>> np.exp(u[[0, 2]]).round(12)  # the diagonal of L = [[2, 0], [1, 2]]
    array([2., 2.])
    >>> ig.unpack(chart(u), 2).round(12)
    array([[4., 2.],
           [2., 5.]])
    """

    def __init__(self, p: int, sign: int = 1) -> None:
        self.p, self.sign = p, sign

    # How matrices are held, which other number fields do in their own way

    def _unpack(self, xp: Namespace, x: Array) -> Array:
        return unpack(x, self.p)

    def _pack(self, xp: Namespace, matrix: Array) -> Array:
        """The coordinates of the symmetric part."""
        return pack(matrix)

    def _pattern(self, xp: Namespace, like: Array) -> tuple[Array, Array]:
        """Ones below the diagonal, and on it."""
        eye = xp.eye(self.p, dtype=like.dtype)
        return xp.tril(xp.ones_like(eye)) - eye, eye

    def _factor(self, xp: Namespace, matrix: Array) -> Array:
        """L of a positive definite matrix."""
        return cholesky(xp, matrix)

    # The chart

    def _lower(self, u: Array) -> tuple[Namespace, Array, Array, Array]:
        """(xp, L, the pattern of L below the diagonal, I)."""
        xp, u = coerced(u)
        entries, (below, eye) = self._unpack(xp, u), self._pattern(xp, u)
        return xp, entries * below + xp.exp(entries * eye) * eye, below, eye

    def _moved(self, xp: Namespace, L: Array, below: Array, eye: Array, vector: Array) -> Array:
        """dL."""
        entries = self._unpack(xp, coerced(vector)[1])
        return entries * below + L * entries * eye

    def __call__(self, u: Array) -> Array:
        xp, L, _, _ = self._lower(u)
        return self.sign * self._pack(xp, xp.matmul(L, xp.matrix_transpose(L)))

    def inverse(self, x: Array) -> Array:
        xp, x = coerced(x)
        L, (below, eye) = self._factor(xp, self.sign * self._unpack(xp, x)), self._pattern(xp, x)
        return self._pack(xp, 2.0 * L * below + xp.log(xp.where(eye > 0, L, xp.ones_like(L))))

    def push_forward(self, u: Array, vector: Array) -> Array:
        xp, L, below, eye = self._lower(u)
        half = xp.matmul(self._moved(xp, L, below, eye, vector), xp.matrix_transpose(L))
        return self.sign * self._pack(xp, half + xp.matrix_transpose(half))

    def pull_in(self, u: Array, vector: Array) -> Array:
        """dL = L Φ(L⁻¹ dX L⁻ᵀ), where Φ keeps the lower triangle with half of the diagonal, for X = L Lᵀ."""
        xp, L, below, eye = self._lower(u)
        root = inverse_lower(xp, L)
        inner = xp.matmul(root, xp.matmul(self.sign * self._unpack(xp, coerced(vector)[1]), xp.matrix_transpose(root)))
        dL = xp.matmul(L, inner * (below + 0.5 * eye))
        return self._pack(xp, 2.0 * dL * below + xp.where(eye > 0, dL / xp.where(eye > 0, L, xp.ones_like(L)), xp.zeros_like(dL)))

    def pull_back(self, u: Array, covector: Array) -> Array:
        xp, L, below, eye = self._lower(u)
        M = 2.0 * self.sign * xp.matmul(self._unpack(xp, coerced(covector)[1]), L)
        return self._pack(xp, M * below + M * L * eye)

    def pull_back_tangent(self, u: Array, vector: Array, covector: Array) -> Array:
        xp, L, below, eye = self._lower(u)
        dL, C = self._moved(xp, L, below, eye, vector), 2.0 * self.sign * self._unpack(xp, coerced(covector)[1])
        M, dM = xp.matmul(C, L), xp.matmul(C, dL)
        return self._pack(xp, dM * below + (dM * L + M * dL) * eye)
