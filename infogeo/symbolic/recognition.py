"""Which structure the symbols of a metric have: blocks, and of each the simplest map that does not cancel."""
from collections.abc import Sequence
from itertools import combinations

import sympy as sp

from .algebra import tidy
from .cancellation import Cancellation
from .convexity import Point
from .potential import SymbolicPotential
from .rewriting import complements
from .structure import Blocks, DenseMetric, DiagonalMetric, DiagonalPlusRankOne, Eliminated, Structure

__all__ = ["structure_of"]

SMALL = 3           # coordinates of a block that is eliminated whatever its entries are: of more, full ones have long multipliers


def structure_of(psi: SymbolicPotential, points: Sequence[Point]) -> Structure:
    """The structure of the metric ∇²ψ, block by block of what its zeros leave coupled."""
    theta, G, cancellation = psi.theta, psi.metric, Cancellation(psi, points)
    parts = _coupled(G)
    alone = [part[0] for part in parts if len(part) == 1]
    blocks: list[tuple[list[int], Structure]] = []
    if alone:
        blocks.append((alone, DiagonalMetric(theta, [G[i, i] for i in alone])))
    for part in parts:
        if len(part) > 1:
            block = G.extract(part, part)
            found = _rank_one(theta, block, cancellation) or _eliminated(theta, block, cancellation)
            blocks.append((part, found or DenseMetric(theta, block)))
    return blocks[0][1] if len(blocks) == 1 else Blocks(theta, blocks)


def _coupled(G: sp.Matrix) -> list[list[int]]:
    """The indices in parts that no entry of G joins, each in order."""
    parts: list[list[int]] = []
    for i in range(G.rows):
        joined = [part for part in parts if any(G[i, j] != 0 for j in part)]
        parts = [part for part in parts if part not in joined] + [sorted(sum(joined, [i]))]
    return sorted(parts)


def _rank_one(theta: Sequence[sp.Symbol], G: sp.Matrix, cancellation: Cancellation) -> DiagonalPlusRankOne | None:
    """The diagonal plus a matrix of rank one, where that makes the diagonal simpler, else None.

    Mathematically, γ is the common factor of the entries off the diagonal, γ u_i² = G_ij G_ik / G_jk.
    """
    pairs = list(combinations(range(G.rows), 2))
    if any(G[p] == 0 for p in pairs):
        return None
    gamma = G[0, 1] if G.rows == 2 else _common({p: G[p] for p in pairs})
    roots = [sp.S.One] * 2 if G.rows == 2 else [_root(_square(G, i) / gamma) for i in range(G.rows)]
    u = [root for root in roots if root is not None]
    if len(u) < G.rows:
        return None
    u[1:] = [x * sp.sign((G[0, i] / gamma).as_coeff_Mul()[0]) for i, x in enumerate(u[1:], 1)]
    if not all(gamma * u[i] * u[j] == G[i, j] for i, j in pairs):
        return None
    D = [tidy(complements(G[i, i] - gamma * x**2)) for i, x in enumerate(u)]
    simpler = all(sp.count_ops(d) < sp.count_ops(g) for d, g in zip(D, G.diagonal()))
    if not (simpler and all(min(row) > 0 for row in cancellation.values(D))):
        return None
    r = cancellation.clearest(1 / gamma + sp.Add(*(x**2 / d for d, x in zip(D, u))))
    return DiagonalPlusRankOne(theta, D, gamma, u, r)


def _square(G: sp.Matrix, i: int) -> sp.Expr:
    """G_ij G_ik / G_jk with two other indices."""
    j, k = [j for j in range(3) if j != i][:2]
    return G[i, j] * G[i, k] / G[j, k]


def _common(products: dict[tuple[int, int], sp.Expr]) -> sp.Expr:
    """The greatest common factor γ of the products γ u_i u_j, of its number the sign alone unless all have the same."""
    numbers = {p: product.as_coeff_Mul()[0] for p, product in products.items()}
    factors = [dict((product / numbers[p]).as_powers_dict()) for p, product in products.items()]
    shared = [b for b in factors[0] if all(b in f and f[b].is_number for f in factors)]
    number = numbers[0, 1] if len(set(numbers.values())) == 1 else sp.sign(numbers[0, 1] * numbers[0, 2] * numbers[1, 2])
    return number * sp.Mul(*(b ** min(f[b] for f in factors) for b in shared))


def _root(square: sp.Expr) -> sp.Expr | None:
    """A root of a product of even powers; None of another."""
    number, rest = square.as_coeff_Mul()
    powers = {b: e for b, e in rest.as_powers_dict().items() if b != 1}
    if not (number.is_positive and all((e / 2).is_Integer for e in powers.values())):
        return None
    return sp.sqrt(number) * sp.Mul(*(b ** (e / 2) for b, e in powers.items()))


def _eliminated(theta: Sequence[sp.Symbol], G: sp.Matrix, cancellation: Cancellation) -> Eliminated | None:
    """The elimination of a small block, or of one whose zeros it keeps; else None."""
    n, S, L, P = G.rows, G.as_mutable(), {}, []
    if n > SMALL and any(S[i, j] != 0 for i, j in combinations(range(n - 1), 2)):
        return None
    for j in range(n):
        P.append(S[j, j])
        for i in range(j + 1, n):
            L[i, j] = cancellation.clearest(S[i, j] / S[j, j])
        for i in range(j + 1, n):
            for k in range(j + 1, i + 1):
                S[i, k] = cancellation.clearest(S[i, k] - L[i, j] * S[k, j])
    return Eliminated(theta, P, L, G)
