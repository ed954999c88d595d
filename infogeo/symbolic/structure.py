"""Metrics in symbols as linear maps: what a structure makes of G v and G⁻¹ c on arrays."""
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import combinations_with_replacement

import sympy as sp

from ..backend import Array, Namespace
from ..numerics.linalg import solve
from .kernel import Kernel, kernel
from .tabulate import placed

__all__ = ["Blocks", "DenseMetric", "DiagonalMetric", "DiagonalPlusRankOne", "Eliminated", "Explicit", "Structure"]


class Structure(ABC):
    """A metric G(θ) as a linear map, two kernels: the coordinates of θ, then those of a vector in, those of its image out."""

    def __init__(self, theta: Sequence[sp.Symbol], dim: int) -> None:
        self.theta, self.dim = tuple(theta), dim
        self.vector = sp.symbols(f"v_1:{dim + 1}", cls=sp.Dummy, real=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.dim})"

    @abstractmethod
    def flat(self, xp: Namespace, *coordinates: Array) -> list[Array]:
        """G v."""

    @abstractmethod
    def sharp(self, xp: Namespace, *coordinates: Array) -> list[Array]:
        """G⁻¹ c."""


class Explicit(Structure):
    """A structure that has both maps as expressions in θ and the vector."""

    @abstractmethod
    def lowered(self, v: Sequence[sp.Expr]) -> list[sp.Expr]:
        """G v as a list of expressions."""

    @abstractmethod
    def raised(self, c: Sequence[sp.Expr]) -> list[sp.Expr]:
        """G⁻¹ c as a list of expressions."""

    @cached_property
    def _flat(self) -> Kernel:
        return kernel(self.theta + self.vector, self.lowered(self.vector))

    @cached_property
    def _sharp(self) -> Kernel:
        return kernel(self.theta + self.vector, self.raised(self.vector))

    def flat(self, xp: Namespace, *coordinates: Array) -> list[Array]:
        return self._flat(xp, *coordinates)

    def sharp(self, xp: Namespace, *coordinates: Array) -> list[Array]:
        return self._sharp(xp, *coordinates)


class DiagonalMetric(Explicit):
    """G = diag(D)."""

    def __init__(self, theta: Sequence[sp.Symbol], D: list[sp.Expr]) -> None:
        super().__init__(theta, len(D))
        self.D = D

    def lowered(self, v: Sequence[sp.Expr]) -> list[sp.Expr]:
        return [d * x for d, x in zip(self.D, v)]

    def raised(self, c: Sequence[sp.Expr]) -> list[sp.Expr]:
        return [x / d for d, x in zip(self.D, c)]


class DiagonalPlusRankOne(Explicit):
    """G = diag(D) + γ u uᵀ, with D > 0.

    Mathematically, G⁻¹ = diag(1/D) − w wᵀ / r with w = u / D and r = 1/γ + Σ u w, what its terms leave: for the categorical −p_0.
    Source: Sherman & Morrison, Annals of Mathematical Statistics 21 (1950).
    """

    def __init__(self, theta: Sequence[sp.Symbol], D: list[sp.Expr], gamma: sp.Expr, u: list[sp.Expr], r: sp.Expr) -> None:
        super().__init__(theta, len(D))
        self.D, self.gamma, self.u, self.r = D, gamma, u, r

    def lowered(self, v: Sequence[sp.Expr]) -> list[sp.Expr]:
        total = sp.Add(*(u * x for u, x in zip(self.u, v)))
        return [_factored(d * x, self.gamma * u, total) for d, u, x in zip(self.D, self.u, v)]

    def raised(self, c: Sequence[sp.Expr]) -> list[sp.Expr]:
        w = [u / d for d, u in zip(self.D, self.u)]
        share = sp.Add(*(a * x for a, x in zip(w, c))) / self.r
        return [_factored(x / d, -a, share) for d, a, x in zip(self.D, w, c)]


def _factored(own: sp.Expr, factor: sp.Expr, common: sp.Expr) -> sp.Expr:
    """own + factor · common, with what the two factors share in front."""
    total = sp.Dummy("s", real=True)
    return sp.factor_terms(own + factor * total).xreplace({total: common})


class Eliminated(Explicit):
    """G = L diag(P) Lᵀ by symmetric elimination, its pivots P and multipliers L_ij, i > j, in the form in which least cancels."""

    def __init__(self, theta: Sequence[sp.Symbol], pivots: list[sp.Expr], multipliers: dict[tuple[int, int], sp.Expr],
                 metric: sp.Matrix) -> None:
        super().__init__(theta, len(pivots))
        self.pivots, self.multipliers, self.metric = pivots, multipliers, metric

    def lowered(self, v: Sequence[sp.Expr]) -> list[sp.Expr]:
        return _product(self.metric, v)

    def raised(self, c: Sequence[sp.Expr]) -> list[sp.Expr]:
        z, L, n = list(c), self.multipliers, len(c)
        for i in range(n):
            z[i] = z[i] - sp.Add(*(L[i, j] * z[j] for j in range(i)))
        x = [a / p for a, p in zip(z, self.pivots)]
        for i in reversed(range(n)):
            x[i] = x[i] - sp.Add(*(L[k, i] * x[k] for k in range(i + 1, n)))
        return x


class DenseMetric(Structure):
    """A metric without a structure that is known here: a linear solve."""

    def __init__(self, theta: Sequence[sp.Symbol], metric: sp.Matrix) -> None:
        super().__init__(theta, metric.rows)
        self.metric = metric

    @cached_property
    def _flat(self) -> Kernel:
        return kernel(self.theta + self.vector, _product(self.metric, self.vector))

    @cached_property
    def _upper(self) -> Kernel:
        return kernel(self.theta, [self.metric[i, j] for i, j in combinations_with_replacement(range(self.dim), 2)])

    def flat(self, xp: Namespace, *coordinates: Array) -> list[Array]:
        return self._flat(xp, *coordinates)

    def sharp(self, xp: Namespace, *coordinates: Array) -> list[Array]:
        theta, covector = coordinates[:-self.dim], coordinates[-self.dim:]
        places = [{(i, j), (j, i)} for i, j in combinations_with_replacement(range(self.dim), 2)]
        G = placed(xp, self._upper(xp, *theta), places, theta[0].shape, (self.dim, self.dim), theta[0].dtype)
        x = solve(xp, G, xp.stack(covector, axis=-1))
        return [x[..., i] for i in range(self.dim)]


class Blocks(Structure):
    """A direct sum: some of the coordinates each, by their indices."""

    def __init__(self, theta: Sequence[sp.Symbol], blocks: list[tuple[list[int], Structure]]) -> None:
        super().__init__(theta, sum(block.dim for _, block in blocks))
        self.blocks = blocks

    def __repr__(self) -> str:
        return f"Blocks({', '.join(repr(block) for _, block in self.blocks)})"

    def flat(self, xp: Namespace, *coordinates: Array) -> list[Array]:
        return self._by_block(lambda block: block.flat, xp, coordinates)

    def sharp(self, xp: Namespace, *coordinates: Array) -> list[Array]:
        return self._by_block(lambda block: block.sharp, xp, coordinates)

    def _by_block(self, image: Callable[[Structure], Callable[..., list[Array]]], xp: Namespace,
                  coordinates: Sequence[Array]) -> list[Array]:
        theta, vector, out = coordinates[:-self.dim], coordinates[-self.dim:], [None] * self.dim
        for indices, block in self.blocks:
            for i, x in zip(indices, image(block)(xp, *theta, *(vector[i] for i in indices))):
                out[i] = x
        return out


def _product(metric: sp.Matrix, v: Sequence[sp.Expr]) -> list[sp.Expr]:
    return [sp.Add(*(metric[i, j] * x for j, x in enumerate(v))) for i in range(len(v))]
