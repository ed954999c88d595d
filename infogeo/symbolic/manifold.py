"""Dually flat manifolds in symbols: from a potential ψ(θ) to its closed forms."""
from collections.abc import Sequence
from functools import cached_property
from itertools import combinations_with_replacement, islice

import numpy as np
import sympy as sp

from ..domains.convex import ConvexDomain
from ..errors import DomainError, ShapeError
from .algebra import NoClosedForm, require_symbols, symbols_of, tidy
from .compiled import CompiledFamily, CompiledManifold
from .functions import defined

__all__ = ["SymbolicManifold"]

DIGITS = 30     # of the numbers that decide whether a potential is convex and which root of an equation is meant
POINTS = 8      # at which a potential must be convex, where its domain is given
TRIALS = 200    # at most so many points are tried for one of convexity, where it is not


class SymbolicManifold:
    """A dually flat manifold given by its potential as a SymPy expression.

    Mathematically, η = ∇ψ, G = ∇²ψ, T = ∇³ψ, and Γ^(α)_{ij,k} = (1 − α)/2 T_ijk in the chart θ. Index order and signs are those
    of the functions on numbers: `infogeo.christoffel`, `infogeo.riemann_tensor`.

    Parameters
    ----------
    theta : symbol or sequence of symbols
    potential : expression
        ψ, a strictly convex function of these symbols and of no others but the parameters named in `constants`.
    domain : ConvexDomain, optional
        Of θ. Without it, any point at which ψ is real and its Hessian positive definite shows that there is one.
    constants : sequence of symbols
        Symbols of ψ that are not coordinates; the closed forms keep them.

    Raises
    ------
    ValueError
        For a symbol of ψ that is neither a coordinate nor a constant, or a coordinate that is listed twice.
    ShapeError
        If the domain has another dimension.
    DomainError
        If ψ is not strictly convex, with the point and the eigenvalue.

    Source: Amari, Information Geometry and Its Applications (2016), chapters 1, 2 and 6; Shima, The Geometry of Hessian
        Structures (2007), section 3.1, for the curvature.
    """

    def __init__(self, theta, potential, domain: ConvexDomain | None = None, *, constants: Sequence = ()):
        self.theta = symbols_of(theta)
        self.constants, self.domain = tuple(constants), domain
        for t in self.theta + self.constants:
            if not isinstance(t, sp.Symbol):
                raise TypeError(f"theta and constants must be SymPy symbols; got {t!r}")
        if not self.theta or len(set(self.theta + self.constants)) < len(self.theta + self.constants):
            raise ValueError(f"theta must be one symbol or more, each listed once; got {self.theta + self.constants}")
        self.potential = sp.sympify(potential)
        known = self.theta + self.constants
        require_symbols(f"potential must be an expression in {_listed(known)}", self.potential, known)
        if domain is not None and domain.dim != self.dim:
            raise ShapeError(f"domain must have the dimension of theta, {self.dim}; got {domain!r} of dimension {domain.dim}")
        self._require_convex()

    @property
    def dim(self):
        """The number of coordinates."""
        return len(self.theta)

    def __repr__(self):
        return f"SymbolicManifold({self.theta}, {self.potential})"

    # Derivatives of the potential

    @cached_property
    def eta(self):
        """η = ∇ψ(θ), a column."""
        return sp.Matrix([sp.diff(self.potential, t) for t in self.theta])

    @cached_property
    def metric(self):
        """G = ∇²ψ(θ), the Fisher metric; each entry derived once."""
        upper = {(i, j): sp.diff(self.eta[i], self.theta[j]) for i, j in combinations_with_replacement(range(self.dim), 2)}
        return sp.Matrix(self.dim, self.dim, lambda i, j: upper[min(i, j), max(i, j)])

    @cached_property
    def cubic_entries(self):
        """The entries i ≤ j ≤ k of the cubic tensor, a dict: all others are these."""
        return {(i, j, k): sp.diff(self.metric[i, j], self.theta[k])
                for i, j, k in combinations_with_replacement(range(self.dim), 3)}

    @cached_property
    def cubic_tensor(self):
        """The Amari–Chentsov tensor T_ijk = ∂_i∂_j∂_k ψ."""
        return _array(3, self.dim, lambda *i: self.cubic_entries[tuple(sorted(i))])

    @cached_property
    def inverse_metric(self):
        """G⁻¹, by minors."""
        metric = self.metric.applyfunc(tidy)
        determinant = tidy(metric.det(method="berkowitz"))
        minors = {(i, j): tidy(metric.cofactor(i, j) / determinant) if self.dim > 1 else 1 / determinant
                  for i, j in combinations_with_replacement(range(self.dim), 2)}
        return sp.Matrix(self.dim, self.dim, lambda i, j: minors[min(i, j), max(i, j)])

    # Connections and curvature

    def christoffel_first(self, alpha=0):
        """The symbols of the first kind, Γ^(α)_{ij,k} = (1 − α)/2 T_ijk, k last."""
        return sp.ImmutableDenseNDimArray(self.cubic_tensor * (1 - sp.sympify(alpha)) / 2)

    def christoffel(self, alpha=0):
        """The symbols of the second kind, Γ^k_ij = Γ_{ij,l} G^lk, k last."""
        half = (1 - sp.sympify(alpha)) / 2
        raised = {(i, j, k): half * self._raised_cubic[min(i, j), max(i, j), k] for i in range(self.dim)
                  for j in range(self.dim) for k in range(self.dim)}
        return _array(3, self.dim, lambda *i: raised[i])

    @cached_property
    def _raised_cubic(self):
        """T_ij^k = T_ijl G^lk for i ≤ j."""
        pairs, n = combinations_with_replacement(range(self.dim), 2), range(self.dim)
        raised = lambda i, j, k: tidy(sum(self.cubic_tensor[i, j, m] * self.inverse_metric[m, k] for m in n))
        return {(i, j, k): raised(i, j, k) for i, j in pairs for k in n}

    @cached_property
    def _curvature_entries(self):
        """¼ G^mn (T_ikm T_jln − T_jkm T_iln) for i < j, k < l, (i, j) ≤ (k, l): R^(0)_ijkl."""
        n = range(self.dim)
        planes = [(i, j) for i in n for j in n if i < j]
        raised, tensor = self._raised_cubic, self.cubic_tensor

        def entry(i, j, k, m):
            return tidy(sum(raised[min(i, k), max(i, k), a] * tensor[j, m, a] - raised[min(j, k), max(j, k), a] * tensor[i, m, a]
                            for a in n) / 4)
        return {(*p, *q): entry(*p, *q) for p, q in combinations_with_replacement(planes, 2)}

    def riemann_tensor(self, alpha=0):
        """R^(α)_ijkl = (1 − α²)/4 G^mn (T_ikm T_jln − T_jkm T_iln), of the sign that makes R_1221 > 0 on a sphere."""
        factor = 1 - sp.sympify(alpha)**2

        def entry(i, j, k, m):
            if i == j or k == m:
                return sp.S.Zero
            sign = (1 if i < j else -1) * (1 if k < m else -1)
            pair, other = sorted([(min(i, j), max(i, j)), (min(k, m), max(k, m))])
            return sign * factor * self._curvature_entries[(*pair, *other)]
        return _array(4, self.dim, entry)

    def ricci(self, alpha=0):
        """The Ricci tensor, Ric_jk = G^il R_ijkl."""
        n, tensor = range(self.dim), self.riemann_tensor(alpha)
        entries = {(j, k): tidy(sum(self.inverse_metric[i, m] * tensor[i, j, k, m] for i in n for m in n))
                   for j, k in combinations_with_replacement(n, 2)}
        return sp.Matrix(self.dim, self.dim, lambda i, j: entries[min(i, j), max(i, j)])

    def scalar_curvature(self, alpha=0):
        """The scalar curvature, G^jk Ric_jk; for α = 0 on a surface twice the Gaussian one."""
        return tidy(sum(self.inverse_metric[i, j] * self.ricci(alpha)[i, j] for i in range(self.dim) for j in range(self.dim)))

    def sectional_curvature(self, u, v):
        """The curvature of the plane of two vectors, K = ⟨R(u, v)v, u⟩ / (|u|² |v|² − ⟨u, v⟩²), of the Levi-Civita connection."""
        u, v = (self._coordinates(name, x) for name, x in (("u", u), ("v", v)))
        n, tensor, G = range(self.dim), self.riemann_tensor(), self.metric
        inner = lambda a, b: sum(G[i, j] * a[i] * b[j] for i in n for j in n)
        bent = sum(tensor[i, j, k, m] * u[i] * v[j] * v[k] * u[m] for i in n for j in n for k in n for m in n)
        return tidy(bent / (inner(u, u) * inner(v, v) - inner(u, v)**2))

    def geodesic_equations(self, alpha=0, time=sp.Symbol("t", real=True)):
        """The equations θ̈^k + Γ^k_ij θ̇^i θ̇^j = 0 of the α-geodesics, with θ functions of the time."""
        path = [sp.Function(t.name)(time) for t in self.theta]
        at, n = dict(zip(self.theta, path)), range(self.dim)
        velocity = [sp.diff(x, time) for x in path]
        symbols = self.christoffel(alpha)
        bent = lambda k: sum(symbols[i, j, k].subs(at) * velocity[i] * velocity[j] for i in n for j in n)
        return [sp.Eq(sp.diff(path[k], time, 2) + bent(k), 0) for k in n]

    # The dual chart

    @cached_property
    def eta_symbols(self):
        """Symbols for the coordinates η, as the closed forms of the dual chart have them."""
        taken = {t.name for t in self.theta + self.constants}
        name = "eta" if self.dim == 1 and "eta" not in taken else None
        return (sp.Symbol(name, real=True),) if name else sp.symbols(f"eta_1:{self.dim + 1}", real=True)

    @cached_property
    def theta_of_eta(self):
        """θ = ∇φ(η) in the symbols `eta_symbols`, a column.

        Raises
        ------
        NoClosedForm
            Where SymPy does not solve ∇ψ(θ) = η.
        """
        equations = [tidy(defined(e)) for e in self.eta]
        functions = set().union(*(e.atoms(sp.Function) for e in equations))
        transcendental = sorted({type(f).__name__ for f in functions if not isinstance(f, sp.exp | sp.log)})
        if transcendental:
            raise NoClosedForm("grad psi(theta) = eta has no closed solution that is known here: it has "
                               f"{', '.join(transcendental)} of theta; compile() solves it in numbers")
        logarithms = {t: sp.Dummy(f"w_{t.name}", positive=True) for t in self.theta}
        exponential = all(t not in e.xreplace({sp.exp(t): w}).free_symbols for e in equations for t, w in logarithms.items())
        unknowns = tuple(logarithms.values()) if exponential else self.theta
        if exponential:
            equations = [e.xreplace({sp.exp(t): w for t, w in logarithms.items()}) for e in equations]
        equations = [sp.numer(sp.together(e - y)) for e, y in zip(equations, self.eta_symbols)]
        if len(unknowns) > 3 and any(_degree(e, unknowns) > 2 for e in equations):      # Gröbner bases that do not end
            raise NoClosedForm("grad psi(theta) = eta is not solved in more than three unknowns where it is of more than second "
                               "degree; compile() solves it in numbers")
        try:
            roots = sp.solve(equations, unknowns, dict=True)
        except NotImplementedError:
            roots = []
        for root in roots:
            if set(root) == set(unknowns):
                found = [tidy(root[x]) for x in unknowns]
                found = [sp.log(x) for x in found] if exponential else found
                if self._inverts(found):
                    return sp.Matrix(found)
        raise NoClosedForm("SymPy does not solve grad psi(theta) = eta; compile() solves it in numbers")

    def _inverts(self, candidate):
        """Whether the candidate gives θ back from ∇ψ(θ) at the points of convexity."""
        for point in self._points:
            at = dict(zip(self.theta, point))
            eta = [defined(e).xreplace(at).evalf(DIGITS) for e in self.eta]
            back = [c.xreplace(dict(zip(self.eta_symbols, eta))).evalf(DIGITS) for c in candidate]
            if not all(b.is_number and abs(sp.N(b - t)) < 1e-12 * (1 + abs(t)) for b, t in zip(back, point)):
                return False
        return True

    @cached_property
    def dual_potential(self):
        """φ(η) = θ·η − ψ(θ) in the symbols `eta_symbols`.

        Raises
        ------
        NoClosedForm
            As `theta_of_eta`.
        """
        theta = self.theta_of_eta
        pairing = sum(t * e for t, e in zip(theta, self.eta_symbols))
        value = tidy(pairing) - defined(self.potential).subs(dict(zip(self.theta, theta)), simultaneous=True)
        return sp.simplify(value)

    # Divergences

    def bregman(self, p, q):
        """B_ψ(p, q) = ψ(p) − ψ(q) − (p − q)·∇ψ(q), for points given as sequences of symbols, expressions or numbers.

        Raises
        ------
        ShapeError
            If a point has another number of coordinates.
        """
        p, q = (self._coordinates(name, x) for name, x in (("p", p), ("q", q)))
        at_p, at_q = (dict(zip(self.theta, x)) for x in (p, q))
        slope = sum((a - b) * e.subs(at_q, simultaneous=True) for a, b, e in zip(p, q, self.eta))
        return self.potential.subs(at_p, simultaneous=True) - self.potential.subs(at_q, simultaneous=True) - slope

    def kl(self, p, q):
        """The canonical divergence, in a family KL(p‖q) = B_ψ(q, p), nats."""
        return self.bregman(q, p)

    def _coordinates(self, name, x):
        x = tuple(x) if isinstance(x, (Sequence, sp.Tuple, sp.MatrixBase, np.ndarray)) else (x,)
        if len(x) != self.dim:
            raise ShapeError(f"{name} must have {self.dim} coordinates; got {len(x)}")
        return tuple(map(sp.sympify, x))

    # Convexity

    @cached_property
    def _points(self):
        """Points of the domain with rational coordinates, or those found where ψ is convex."""
        if self.domain is None:
            return list(islice((point for point in self._tried() if self._least_eigenvalue(point) > 0), 2))
        rng = np.random.default_rng(20_000)
        points = self.domain.sample(rng, (POINTS,), 0.7)       # a formula may be 0/0 at the centre, where ψ is smooth
        return [tuple(sp.Rational(str(float(x))) for x in point) for point in points]

    def _tried(self):
        values = [sp.Rational(v).limit_denominator(1000) for v in (1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, 0.25, -0.25, 0.7)]
        rng = np.random.default_rng(20_000)
        grid = rng.integers(len(values), size=(TRIALS, self.dim))
        return dict.fromkeys(tuple(values[i] for i in row) for row in grid)

    def _least_eigenvalue(self, point):
        """The least eigenvalue of the Hessian of ψ there, −∞ where ψ or it is not a real number."""
        at = dict(zip(self.theta, point)) | {c: sp.Integer(1) for c in self.constants}
        try:
            numbers = [sp.N(defined(e).xreplace(at), DIGITS) for e in (self.potential, *self.metric)]
        except (TypeError, ValueError, ZeroDivisionError):
            return -np.inf
        if not all(x.is_number and x.is_real and x.is_finite for x in numbers):
            return -np.inf
        return float(np.linalg.eigvalsh(np.array([float(x) for x in numbers[1:]]).reshape(self.dim, self.dim)).min())

    def _require_convex(self):
        if self.domain is None:
            if not self._points:
                tried = list(self._tried())
                raise DomainError(f"potential must be strictly convex in {_listed(self.theta)}; its Hessian is positive definite "
                                  f"at none of {len(tried)} points that were tried, first at {_listed(tried[0])}; a domain= says "
                                  "where to look")
            return
        least = [self._least_eigenvalue(point) for point in self._points]
        bad = [i for i, value in enumerate(least) if not value > 0]
        if bad:
            value = "is not a real number" if np.isinf(least[bad[0]]) else f"has the least eigenvalue {least[bad[0]]:.6g}"
            raise DomainError(f"potential must be strictly convex on {self.domain}; at {len(bad)} of {len(least)} points it is "
                              f"not, first at {_listed(map(float, self._points[bad[0]]))}: its Hessian {value}")

    # On arrays

    def compile(self, theta_domain, eta_domain=None):
        """The `DuallyFlat` on arrays, whose kernels are generated from these formulas.

        Parameters
        ----------
        theta_domain : ConvexDomain
        eta_domain : ConvexDomain, optional
            The image of `theta_domain` under ∇ψ. Without it a point is in it if its θ is: by formula where there is one, by
            Newton's method elsewhere.

        Raises
        ------
        ShapeError, TypeError, ValueError
            For another dimension, something that is no domain, a function without a form for arrays, or constants.
        """
        self._require_numbers(theta_domain=theta_domain, eta_domain=eta_domain or theta_domain)
        return CompiledManifold(self, theta_domain, eta_domain)

    def compile_family(self, theta_domain, *, x, sufficient_statistic, log_base_measure, support, sampler, eta_domain=None,
                       expected_log_base_measure=None):
        """The `ExponentialFamily` on arrays, p(x; θ) = exp(θ·T(x) − ψ(θ)) h(x).

        Parameters
        ----------
        theta_domain, eta_domain : as in `compile`
        x : symbol or sequence of symbols
            The observation; its shape is () or (n,).
        sufficient_statistic : sequence of expressions in x
            T, as many as coordinates.
        log_base_measure : expression in x
            log h.
        support : Domain
            Of x.
        sampler : callable (rng, theta, shape) -> x
            Draws of batch shape `shape`, which ends in that of theta.
        expected_log_base_measure : expression in θ, optional
            E[log h(x)], which the entropy needs; a constant log h is its own.

        Raises
        ------
        ShapeError, TypeError, ValueError
            As `compile`, and where T has another length or E[log h] is missing.
        """
        self._require_numbers(theta_domain=theta_domain, eta_domain=eta_domain or theta_domain)
        x = tuple(x) if isinstance(x, (Sequence, sp.Tuple)) else x
        log_h, statistic = sp.sympify(log_base_measure), self._coordinates("sufficient_statistic", sufficient_statistic)
        if expected_log_base_measure is None:
            if log_h.free_symbols:
                raise ValueError(f"log_base_measure depends on x, {log_h}: give its mean as expected_log_base_measure, in theta")
            expected_log_base_measure = log_h
        return CompiledFamily(self, theta_domain, eta_domain, x=x, sufficient_statistic=statistic, log_base_measure=log_h,
                              support=support, sampler=sampler, expected_log_base_measure=sp.sympify(expected_log_base_measure))

    def _require_numbers(self, **domains):
        for name, domain in domains.items():
            if not isinstance(domain, ConvexDomain):
                raise TypeError(f"{name} must be a ConvexDomain such as RealSpace(2) or Orthant(1, -1); got {domain!r}")
            if domain.dim != self.dim:
                raise ShapeError(f"{name} must have the dimension of theta, {self.dim}; got {domain!r} of dimension {domain.dim}")
        if self.constants:
            raise ValueError(f"arrays need numbers for the constants {_listed(self.constants)}: substitute them in the potential")

    # Display

    def closed_forms(self, alpha=0):
        """The table of closed forms as (name, left side in LaTeX, expression); what SymPy cannot solve is left out."""
        rows = [("potential", r"\psi", self.potential), ("eta", r"\eta", self.eta), ("metric", "G", self.metric),
                ("inverse_metric", "G^{-1}", self.inverse_metric), ("cubic_tensor", "T", self.cubic_tensor)]
        try:
            rows += [("theta_of_eta", r"\theta(\eta)", self.theta_of_eta), ("dual_potential", r"\varphi", self.dual_potential)]
        except NoClosedForm:
            pass
        return rows + [("christoffel", r"\Gamma", self.christoffel(alpha)),
                       ("scalar_curvature", "R", self.scalar_curvature(alpha))]

    def latex(self):
        """ψ, η and G as an aligned LaTeX display."""
        rows = [(r"\psi", self.potential), (r"\eta", self.eta), ("G", self.metric)]
        lines = [rf"{left} &= {sp.latex(right)}" for left, right in rows]
        return r"\begin{aligned}" + r" \\ ".join(lines) + r"\end{aligned}"

    def _repr_latex_(self):
        return f"$\\displaystyle {self.latex()}$"


def _degree(expression, unknowns):
    """The total degree of a polynomial, 0 for what is none."""
    return sp.Poly(expression, *unknowns).total_degree() if expression.is_polynomial(*unknowns) else 0


def _array(rank, dim, entry):
    """The array of the entries (i, j, …), each a function of its indices."""
    shape = (dim,) * rank
    return sp.ImmutableDenseNDimArray([entry(*i) for i in np.ndindex(*shape)], shape)


def _listed(xs):
    return "(" + ", ".join(map(str, xs)) + ")"
