"""The structure of a metric in symbols, and what it makes of G v and G⁻¹ c on arrays."""
from abc import ABC, abstractmethod
from functools import cached_property
from itertools import combinations, combinations_with_replacement

import mpmath
import sympy as sp

from ..numerics.linalg import solve
from .algebra import tidy
from .functions import alternatives, complements, defined
from .printer import kernel

__all__ = ["Blocks", "Dense", "Diagonal", "DiagonalPlusRankOne", "Eliminated", "structure_of"]

SMALL = 3           # coordinates of a block that is eliminated whatever its entries are
DIGITS = 30         # of the numbers that decide what cancels
LONG = 300          # operations of an expression that algebra takes seconds to simplify


class Structure(ABC):
    """A metric G(θ) as a linear map, two kernels: the coordinates of θ, then those of a vector in, those of its image out."""

    def __init__(self, theta, dim):
        self.theta, self.dim = tuple(theta), dim
        self.vector = sp.symbols(f"v_1:{dim + 1}", cls=sp.Dummy, real=True)

    def __repr__(self):
        return f"{type(self).__name__}({self.dim})"

    @abstractmethod
    def flat(self, xp, *coordinates):
        """G v."""

    @abstractmethod
    def sharp(self, xp, *coordinates):
        """G⁻¹ c."""


class Explicit(Structure):
    """A structure that has both maps as expressions in θ and the vector."""

    @abstractmethod
    def lowered(self, v):
        """G v as a list of expressions."""

    @abstractmethod
    def raised(self, c):
        """G⁻¹ c as a list of expressions."""

    @cached_property
    def _flat(self):
        return kernel(self.theta + self.vector, self.lowered(self.vector))

    @cached_property
    def _sharp(self):
        return kernel(self.theta + self.vector, self.raised(self.vector))

    def flat(self, xp, *coordinates):
        return self._flat(xp, *coordinates)

    def sharp(self, xp, *coordinates):
        return self._sharp(xp, *coordinates)


class Diagonal(Explicit):
    """G = diag(D)."""

    def __init__(self, theta, D):
        super().__init__(theta, len(D))
        self.D = D

    def lowered(self, v):
        return [d * x for d, x in zip(self.D, v)]

    def raised(self, c):
        return [x / d for d, x in zip(self.D, c)]


class DiagonalPlusRankOne(Explicit):
    """G = diag(D) + γ u uᵀ, with D > 0.

    Mathematically, G⁻¹ = diag(1/D) − w wᵀ / r with w = u / D and r = 1/γ + Σ u w, what its terms leave: for the categorical −p_0.
    Source: Sherman & Morrison, Annals of Mathematical Statistics 21 (1950).
    """

    def __init__(self, theta, D, gamma, u, r):
        super().__init__(theta, len(D))
        self.D, self.gamma, self.u, self.r = D, gamma, u, r

    def lowered(self, v):
        total = sp.Add(*(u * x for u, x in zip(self.u, v)))
        return [_factored(d * x, self.gamma * u, total) for d, u, x in zip(self.D, self.u, v)]

    def raised(self, c):
        w = [u / d for d, u in zip(self.D, self.u)]
        share = sp.Add(*(a * x for a, x in zip(w, c))) / self.r
        return [_factored(x / d, -a, share) for d, a, x in zip(self.D, w, c)]


def _factored(own, factor, common):
    """own + factor · common, with what the two factors share in front."""
    total = sp.Dummy("s", real=True)
    return sp.factor_terms(own + factor * total).xreplace({total: common})


class Eliminated(Explicit):
    """G = L diag(P) Lᵀ by symmetric elimination, its pivots P and multipliers L_ij, i > j, in the form in which least cancels."""

    def __init__(self, theta, pivots, multipliers, metric):
        super().__init__(theta, len(pivots))
        self.pivots, self.multipliers, self.metric = pivots, multipliers, metric

    def lowered(self, v):
        return _product(self.metric, v)

    def raised(self, c):
        z, L, n = list(c), self.multipliers, len(c)
        for i in range(n):
            z[i] = z[i] - sp.Add(*(L[i, j] * z[j] for j in range(i)))
        x = [a / p for a, p in zip(z, self.pivots)]
        for i in reversed(range(n)):
            x[i] = x[i] - sp.Add(*(L[k, i] * x[k] for k in range(i + 1, n)))
        return x


class Dense(Structure):
    """A metric without a structure that is known here: a linear solve."""

    def __init__(self, theta, metric):
        super().__init__(theta, metric.rows)
        self.metric = metric

    @cached_property
    def _flat(self):
        return kernel(self.theta + self.vector, _product(self.metric, self.vector))

    @cached_property
    def _upper(self):
        return kernel(self.theta, [self.metric[i, j] for i, j in combinations_with_replacement(range(self.dim), 2)])

    def flat(self, xp, *coordinates):
        return self._flat(xp, *coordinates)

    def sharp(self, xp, *coordinates):
        theta, covector = coordinates[:-self.dim], coordinates[-self.dim:]
        n, entries = range(self.dim), iter(self._upper(xp, *theta))
        G = xp.empty((*theta[0].shape, self.dim, self.dim), dtype=theta[0].dtype)
        for i, j in combinations_with_replacement(n, 2):
            G[..., i, j] = G[..., j, i] = next(entries)
        x = solve(xp, G, xp.stack(covector, axis=-1))
        return [x[..., i] for i in n]


class Blocks(Structure):
    """A direct sum: some of the coordinates each, by their indices."""

    def __init__(self, theta, blocks):
        super().__init__(theta, sum(block.dim for _, block in blocks))
        self.blocks = blocks

    def __repr__(self):
        return f"Blocks({', '.join(repr(block) for _, block in self.blocks)})"

    def flat(self, xp, *coordinates):
        return self._by_block(lambda block: block.flat, xp, coordinates)

    def sharp(self, xp, *coordinates):
        return self._by_block(lambda block: block.sharp, xp, coordinates)

    def _by_block(self, image, xp, coordinates):
        theta, vector, out = coordinates[:-self.dim], coordinates[-self.dim:], [None] * self.dim
        for indices, block in self.blocks:
            for i, x in zip(indices, image(block)(xp, *theta, *(vector[i] for i in indices))):
                out[i] = x
        return out


def _product(metric, v):
    return [sp.Add(*(metric[i, j] * x for j, x in enumerate(v))) for i in range(len(v))]


def structure_of(symbolic):
    """The structure of the metric of a `SymbolicManifold`, block by block of what its zeros leave coupled."""
    theta, G = symbolic.theta, symbolic.metric
    parts = _coupled(G)
    alone, blocks = [part[0] for part in parts if len(part) == 1], []
    if alone:
        blocks.append((alone, Diagonal(theta, [G[i, i] for i in alone])))
    for part in parts:
        if len(part) > 1:
            block = G.extract(part, part)
            blocks.append((part, _rank_one(symbolic, block) or _eliminated(symbolic, block) or Dense(theta, block)))
    return blocks[0][1] if len(blocks) == 1 else Blocks(theta, blocks)


def _coupled(G):
    """The indices in parts that no entry of G joins, each in order."""
    parts: list = []
    for i in range(G.rows):
        joined = [part for part in parts if any(G[i, j] != 0 for j in part)]
        parts = [part for part in parts if part not in joined] + [sorted(sum(joined, [i]))]
    return sorted(parts)


def _rank_one(symbolic, G):
    """The diagonal plus a matrix of rank one, where that makes the diagonal simpler, else None.

    Mathematically, γ is the common factor of the entries off the diagonal, γ u_i² = G_ij G_ik / G_jk.
    """
    pairs = list(combinations(range(G.rows), 2))
    if any(G[p] == 0 for p in pairs):
        return None
    gamma = G[0, 1] if G.rows == 2 else _common({p: G[p] for p in pairs})
    u = [sp.S.One] * 2 if G.rows == 2 else [_root(_square(G, i) / gamma) for i in range(G.rows)]
    if None in u:
        return None
    u[1:] = [x * sp.sign((G[0, i] / gamma).as_coeff_Mul()[0]) for i, x in enumerate(u[1:], 1)]
    if not all(gamma * u[i] * u[j] == G[i, j] for i, j in pairs):
        return None
    D = [tidy(complements(G[i, i] - gamma * x**2)) for i, x in enumerate(u)]
    simpler = all(sp.count_ops(d) < sp.count_ops(g) for d, g in zip(D, G.diagonal()))
    if not (simpler and all(min(row) > 0 for row in _values(symbolic, D))):
        return None
    r = _clearest(symbolic, 1 / gamma + sp.Add(*(x**2 / d for d, x in zip(D, u))))
    return DiagonalPlusRankOne(symbolic.theta, D, gamma, u, r)


def _square(G, i):
    """G_ij G_ik / G_jk with two other indices."""
    j, k = [j for j in range(3) if j != i][:2]
    return G[i, j] * G[i, k] / G[j, k]


def _common(products):
    """The greatest common factor γ of the products γ u_i u_j, of its number the sign alone unless all have the same."""
    numbers = {p: product.as_coeff_Mul()[0] for p, product in products.items()}
    factors = [dict((product / numbers[p]).as_powers_dict()) for p, product in products.items()]
    shared = [b for b in factors[0] if all(b in f and f[b].is_number for f in factors)]
    number = numbers[0, 1] if len(set(numbers.values())) == 1 else sp.sign(numbers[0, 1] * numbers[0, 2] * numbers[1, 2])
    return number * sp.Mul(*(b ** min(f[b] for f in factors) for b in shared))


def _root(square):
    """A root of a product of even powers; None of another."""
    number, rest = square.as_coeff_Mul()
    powers = {b: e for b, e in rest.as_powers_dict().items() if b != 1}
    if not (number.is_positive and all((e / 2).is_Integer for e in powers.values())):
        return None
    return sp.sqrt(number) * sp.Mul(*(b ** (e / 2) for b, e in powers.items()))


def _eliminated(symbolic, G):
    """The elimination of a small block, or of one whose zeros it keeps; else None."""
    n, S, L, P = G.rows, G.as_mutable(), {}, []
    if n > SMALL and any(S[i, j] != 0 for i, j in combinations(range(n - 1), 2)):
        return None
    for j in range(n):
        P.append(S[j, j])
        for i in range(j + 1, n):
            L[i, j] = _clearest(symbolic, S[i, j] / S[j, j])
        for i in range(j + 1, n):
            for k in range(j + 1, i + 1):
                S[i, k] = _clearest(symbolic, S[i, k] - L[i, j] * S[k, j])
    return Eliminated(symbolic.theta, P, L, G)


def _clearest(symbolic, expression):
    """Of the expression and its alternatives the shortest of those in which the least cancels."""
    if sp.count_ops(expression) > LONG:
        return expression
    return min(alternatives(expression), key=lambda form: (round(_cancellation(symbolic, form), 2), sp.count_ops(form)))


def _cancellation(symbolic, expression):
    """The largest Σ|x_i| / |Σ x_i| of the sums in an expression that are not those of the metric, at points of the domain."""
    sums = list(expression.atoms(sp.Add) - symbolic.metric.atoms(sp.Add))
    terms = [term for s in sums for term in s.args]
    worst = mpmath.mpf(1)
    for values in _values(symbolic, terms):
        rest = iter(values)
        for s in sums:
            xs = [next(rest) for _ in s.args]
            size, total = sum(map(abs, xs)), abs(sum(xs))
            worst = max(worst, size / total if total else mpmath.inf)
    return float(worst)


def _values(symbolic, expressions):
    """The values at points of the domain, in many digits: a list for each point."""
    with mpmath.workdps(DIGITS):
        function = sp.lambdify(symbolic.theta, [defined(e) for e in expressions], modules="mpmath", cse=True)
        return [function(*(mpmath.mpf(int(x.p)) / int(x.q) for x in point)) for point in symbolic._points]
