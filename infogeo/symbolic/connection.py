"""Connections and curvatures of a potential in symbols."""
from collections.abc import Sequence
from functools import cached_property
from itertools import combinations_with_replacement

import sympy as sp

from .algebra import tidy
from .potential import SymbolicPotential, array_of

__all__ = ["SymbolicConnections"]


class SymbolicConnections(SymbolicPotential):
    """A potential with its α-connections, which the metric ∇²ψ and the cubic tensor ∇³ψ make.

    Source: Amari, Information Geometry and Its Applications (2016), chapter 6; Shima, The Geometry of Hessian Structures (2007),
        section 3.1, for the curvature.
    """

    def christoffel_first(self, alpha: sp.Expr | float = 0) -> sp.ImmutableDenseNDimArray:
        """The symbols of the first kind, Γ^(α)_{ij,k} = (1 − α)/2 T_ijk, k last."""
        return sp.ImmutableDenseNDimArray(self.cubic_tensor * (1 - sp.sympify(alpha)) / 2)

    def christoffel(self, alpha: sp.Expr | float = 0) -> sp.ImmutableDenseNDimArray:
        """The symbols of the second kind, Γ^k_ij = Γ_{ij,l} G^lk, k last."""
        half = (1 - sp.sympify(alpha)) / 2
        raised = {(i, j, k): half * self._raised_cubic[min(i, j), max(i, j), k] for i in range(self.dim)
                  for j in range(self.dim) for k in range(self.dim)}
        return array_of(3, self.dim, lambda *i: raised[i])

    @cached_property
    def _raised_cubic(self) -> dict[tuple[int, int, int], sp.Expr]:
        """T_ij^k = T_ijl G^lk for i ≤ j."""
        n, T, inverse = range(self.dim), self.cubic_tensor, self.inverse_metric
        return {(i, j, k): tidy(sum(T[i, j, m] * inverse[m, k] for m in n))
                for i, j in combinations_with_replacement(n, 2) for k in n}

    @cached_property
    def _curvature_entries(self) -> dict[tuple[int, int, int, int], sp.Expr]:
        """¼ G^mn (T_ikm T_jln − T_jkm T_iln) for i < j, k < l, (i, j) ≤ (k, l): R^(0)_ijkl."""
        n = range(self.dim)
        planes = [(i, j) for i in n for j in n if i < j]
        raised, tensor = self._raised_cubic, self.cubic_tensor

        def entry(i: int, j: int, k: int, m: int) -> sp.Expr:
            return tidy(sum(raised[min(i, k), max(i, k), a] * tensor[j, m, a] - raised[min(j, k), max(j, k), a] * tensor[i, m, a]
                            for a in n) / 4)
        return {(*p, *q): entry(*p, *q) for p, q in combinations_with_replacement(planes, 2)}

    def riemann_tensor(self, alpha: sp.Expr | float = 0) -> sp.ImmutableDenseNDimArray:
        """R^(α)_ijkl = (1 − α²)/4 G^mn (T_ikm T_jln − T_jkm T_iln), of the sign that makes R_1221 > 0 on a sphere."""
        factor = 1 - sp.sympify(alpha)**2

        def entry(i: int, j: int, k: int, m: int) -> sp.Expr:
            if i == j or k == m:
                return sp.S.Zero
            sign = (1 if i < j else -1) * (1 if k < m else -1)
            pair, other = sorted([(min(i, j), max(i, j)), (min(k, m), max(k, m))])
            return sign * factor * self._curvature_entries[(*pair, *other)]
        return array_of(4, self.dim, entry)

    def ricci(self, alpha: sp.Expr | float = 0) -> sp.Matrix:
        """The Ricci tensor, Ric_jk = G^il R_ijkl."""
        n, tensor = range(self.dim), self.riemann_tensor(alpha)
        entries = {(j, k): tidy(sum(self.inverse_metric[i, m] * tensor[i, j, k, m] for i in n for m in n))
                   for j, k in combinations_with_replacement(n, 2)}
        return sp.Matrix(self.dim, self.dim, lambda i, j: entries[min(i, j), max(i, j)])

    def scalar_curvature(self, alpha: sp.Expr | float = 0) -> sp.Expr:
        """The scalar curvature, G^jk Ric_jk; for α = 0 on a surface twice the Gaussian one."""
        return tidy(sum(self.inverse_metric[i, j] * self.ricci(alpha)[i, j] for i in range(self.dim) for j in range(self.dim)))

    def sectional_curvature(self, u: Sequence[sp.Expr], v: Sequence[sp.Expr]) -> sp.Expr:
        """The curvature of the plane of two vectors, K = ⟨R(u, v)v, u⟩ / (|u|² |v|² − ⟨u, v⟩²), of the Levi-Civita connection."""
        u, v = (self._coordinates(name, x) for name, x in (("u", u), ("v", v)))
        n, tensor, G = range(self.dim), self.riemann_tensor(), self.metric
        uu, vv, uv = (sum(G[i, j] * a[i] * b[j] for i in n for j in n) for a, b in ((u, u), (v, v), (u, v)))
        bent = sum(tensor[i, j, k, m] * u[i] * v[j] * v[k] * u[m] for i in n for j in n for k in n for m in n)
        return tidy(bent / (uu * vv - uv**2))

    def geodesic_equations(self, alpha: sp.Expr | float = 0, time: sp.Symbol = sp.Symbol("t", real=True)) -> list[sp.Eq]:
        """The equations θ̈^k + Γ^k_ij θ̇^i θ̇^j = 0 of the α-geodesics, with θ functions of the time."""
        path = [sp.Function(t.name)(time) for t in self.theta]
        at, n = dict(zip(self.theta, path)), range(self.dim)
        velocity = [sp.diff(x, time) for x in path]
        symbols = self.christoffel(alpha)
        bent = (sum(symbols[i, j, k].subs(at) * velocity[i] * velocity[j] for i in n for j in n) for k in n)
        return [sp.Eq(sp.diff(x, time, 2) + b, 0) for x, b in zip(path, bent)]
