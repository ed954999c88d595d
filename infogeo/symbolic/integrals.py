"""Closed forms of integrals over the half-line, by Mellin transforms, and of sums over the counts, by generating functions."""
from functools import lru_cache

import sympy as sp

from .algebra import tidy

__all__ = ["density_product", "expanded_log", "mellin", "neat", "series", "simple_logarithms"]


def simple_logarithms(expression: sp.Expr) -> sp.Expr:
    """The expression with the arguments of its logarithms over one denominator."""
    return expression.replace(sp.log, lambda x: sp.log(tidy(x)))


def expanded_log(expression: sp.Expr) -> sp.Expr:
    return sp.expand_log(sp.expand(expression))


def density_product(f: sp.Expr, log_p: sp.Expr) -> sp.Expr:
    """f p with p as a product of powers."""
    log_p = sp.expand(expanded_log(simple_logarithms(sp.expand(log_p)))).replace(sp.loggamma, lambda a: sp.log(sp.gamma(a)))
    powers = []
    for term in sp.Add.make_args(log_p):
        logarithms = [g for g in sp.Mul.make_args(term) if isinstance(g, sp.log)]
        powers.append(logarithms[0].args[0]**(term / logarithms[0]) if len(logarithms) == 1 else sp.exp(term))
    return f * sp.Mul(*powers)


def _monomial(expression: sp.Expr, v: sp.Symbol) -> tuple[sp.Expr, sp.Expr] | None:
    """(q, k) of q v^k; None for another expression."""
    q, power = expression.as_independent(v, as_Add=False)
    base, k = power.as_base_exp()
    return (q, k) if base == v and not k.has(v) else None


def mellin(f: sp.Expr, v: sp.Symbol) -> sp.Expr | None:
    """∫ f dv over v > 0; None where f is not a sum of terms v^a (log v)^b e^{−q v^k}, or v^a (log v)^b B^{−n} (log B)^m.

    Mathematically, with s = (a + 1)/k, ∫ v^a e^{−q v^k} dv = Γ(s) / (|k| q^s), and with one B = c + q v^k for all terms,
    ∫ v^a B^{−n} dv = c^{s−n} q^{−s} Γ(s) Γ(n − s) / (|k| Γ(n)); logarithms are derivatives in a and −n.
    Source: DLMF 5.9.1, 5.12.3.
    """
    sums = {p.base for p in f.atoms(sp.Pow) if p.base.is_Add and not (p.exp.is_Integer and p.exp > 0)}
    sums |= {g.args[0] for g in f.atoms(sp.log) if g.args[0].is_Add}
    B, binomial = sp.Dummy("B", positive=True), None
    for base in sorted((base for base in sums if base.has(v)), key=sp.default_sort_key):
        c, rest = base.as_independent(v, as_Add=True)
        found = _monomial(rest, v)
        if found is None or not c.is_positive:
            return None
        binomial = binomial or (c, *found)
        ratio = tidy(c / binomial[0])
        if found[1] != binomial[2] or tidy(found[0] / binomial[1] - ratio) != 0:
            return None
        f = f.xreplace({base: ratio * B})
    constant, rest = f.as_independent(v, B, as_Add=False)
    terms = [_mellin_term(term, v, B, binomial) for term in sp.Add.make_args(sp.expand(rest))]
    return None if None in terms else constant * sp.Add(*terms)


def _mellin_term(term: sp.Expr, v: sp.Symbol, B: sp.Symbol, binomial: tuple[sp.Expr, sp.Expr, sp.Expr] | None) -> sp.Expr | None:
    factor, rest = term.as_independent(v, B, as_Add=False)
    exponents = dict.fromkeys((v, B, sp.log(v), sp.log(B)), sp.S.Zero)
    exponential = None
    for g in sp.Mul.make_args(rest):
        base, exponent = g.as_base_exp()
        if base in exponents and not exponent.has(v, B):
            exponents[base] += exponent
        elif isinstance(g, sp.exp) and exponential is None:
            exponential = _monomial(-g.args[0], v)
            if exponential is None:
                return None
        else:
            return None
    a, minus_n, b, m = exponents.values()
    if not (b.is_Integer and m.is_Integer and b >= 0 and m >= 0):
        return None
    if (exponential is not None) == (binomial is not None and minus_n != 0):        # it converges by the one, or by the other
        return None
    if exponential is not None:
        return None if m != 0 else _times(factor, _gamma_integral(a, b, *exponential))
    return None if binomial is None else _times(factor, _beta_integral(a, b, -minus_n, m, *binomial))


def _times(factor: sp.Expr, integral: sp.Expr | None) -> sp.Expr | None:
    return None if integral is None else factor * integral


@lru_cache(maxsize=1024)                        # the entries of a metric share their integrals
def _gamma_integral(a: sp.Expr, b: sp.Expr, q: sp.Expr, k: sp.Expr) -> sp.Expr | None:
    """∫ v^a (log v)^b e^{−q v^k} dv over v > 0; None where it is not known to converge."""
    if not (q.is_positive and ((a + 1) / k).is_positive):
        return None
    p = sp.Dummy("p")
    s = (p + 1) / k
    return sp.diff(sp.gamma(s) / (sp.Abs(k) * q**s), (p, b)).subs(p, a)


@lru_cache(maxsize=1024)
def _beta_integral(a: sp.Expr, b: sp.Expr, n: sp.Expr, m: sp.Expr, c: sp.Expr, q: sp.Expr, k: sp.Expr) -> sp.Expr | None:
    """∫ v^a (log v)^b B^{−n} (log B)^m dv over v > 0, with B = c + q v^k; None where it is not known to converge."""
    if not (c.is_positive and q.is_positive and ((a + 1) / k).is_positive and (n - (a + 1) / k).is_positive):
        return None
    p, r = sp.Dummy("p"), sp.Dummy("r")
    s = (p + 1) / k
    transform = c**(s - r) * q**-s * sp.gamma(s) * sp.gamma(r - s) / (sp.Abs(k) * sp.gamma(r))
    return (-1)**m * sp.diff(transform, (p, b), (r, m)).subs({p: a, r: n})


def series(f: sp.Expr, x: sp.Symbol) -> sp.Expr | None:
    """Σ f over x = 0, 1, 2, …; None where f is not a sum of terms x^m r^x h(x).

    Mathematically, Σ x^m r^x h(x) = (r d/dr)^m H(r) with H = 1/(1 − r) for h = 1, e^r for h = 1/x!, and Γ(c) (1 − r)^{−c}
    for h = Γ(x + c)/x!.
    """
    total, r = sp.S.Zero, sp.Dummy("r")
    constant, rest = f.as_independent(x, as_Add=False)
    for term in sp.Add.make_args(sp.expand(rest)):
        factor, rest = term.as_independent(x, as_Add=False)
        ratio, m = sp.S.One, sp.S.Zero
        gammas: dict[sp.Expr, sp.Expr] = {}
        for g in sp.Mul.make_args(rest):
            base, exponent = g.as_base_exp()
            slope = sp.diff(exponent, x)
            if base == x:
                m += exponent
            elif not base.has(x) and not slope.has(x):
                factor, ratio = factor * base**exponent.subs(x, 0), ratio * base**slope
            elif isinstance(base, sp.gamma) and not (base.args[0] - x).has(x):
                gammas[base.args[0] - x] = gammas.get(base.args[0] - x, 0) + exponent
            else:
                return None
        factorial, above = gammas.pop(sp.S.One, 0), list(gammas.items())
        if not (m.is_Integer and m >= 0):
            return None
        if factorial == 0 and not above:
            generating = 1 / (1 - r)
        elif factorial == -1 and not above:
            generating = sp.exp(r)
        elif factorial == -1 and len(above) == 1 and above[0][1] == 1:
            generating = sp.gamma(above[0][0]) * (1 - r)**-above[0][0]
        else:
            return None
        for _ in range(int(m)):
            generating = r * sp.diff(generating, r)
        total += factor * generating.subs(r, ratio)
    return constant * total


def neat(expression: sp.Expr) -> sp.Expr:
    """The expression with the arguments of its polygammas brought below 1 beside a symbol, over one denominator."""
    expression = sp.gammasimp(sp.expand_func(sp.expand(expression)))
    return simple_logarithms(tidy(expression.replace(sp.polygamma, _shifted)))


def _shifted(order: sp.Expr, x: sp.Expr) -> sp.Expr:
    """ψ⁽ᵐ⁾(z + k) = ψ⁽ᵐ⁾(z) + (−1)^m m! Σ_{j<k} (z + j)^{−m−1}."""
    number, symbolic = x.as_coeff_Add()
    count = int(sp.floor(number)) if symbolic != 0 and order.is_Integer else 0
    z = x - max(count, 0)
    return sp.polygamma(order, z) + (-1)**order * sp.factorial(order) * sum((z + j)**(-order - 1) for j in range(count))
