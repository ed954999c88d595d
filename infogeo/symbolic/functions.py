"""SymPy functions whose numeric kernels neither overflow nor cancel: log Σ exp, log(1 + exp), the multivariate log Γ."""
import mpmath
import sympy as sp

from .algebra import tidy

__all__ = ["AbsPower", "BesselRatio", "Expit", "Log1pExp", "LogBessel", "LogSumExp", "MultiGammaLn", "Softmax", "SoftmaxRest",
           "TrigammaGap", "ZetaDerivative", "alternatives", "complements", "defined", "stable"]


class _Defined(sp.Function):
    """A function with a definition in terms of SymPy's own, which is what it is where a number is asked for."""

    is_extended_real = True

    def definition(self):
        """The same in SymPy's own functions."""
        raise NotImplementedError

    def _eval_evalf(self, prec):
        return defined(self)._eval_evalf(prec)


class LogSumExp(_Defined):
    """log Σ exp(x_i) of one or more arguments; its derivative is the softmax."""

    def definition(self):
        return sp.log(sp.Add(*map(sp.exp, self.args)))

    def fdiff(self, argindex=1):
        return Softmax(argindex - 1, *self.args)

    def _latex(self, printer, exp=None):
        return _power(rf"\log \sum \exp\left({', '.join(map(printer._print, self.args))}\right)", exp)


class Softmax(_Defined):
    """p_i = exp(x_i) / Σ exp(x_j): the index i from 0, then the arguments."""

    is_positive = True

    def definition(self):
        i, *xs = self.args
        return sp.exp(xs[int(i)]) / sp.Add(*map(sp.exp, xs))

    def fdiff(self, argindex=2):
        i, *xs = self.args
        return _softmax_derivative(int(i), argindex - 2, xs)


class SoftmaxRest(_Defined):
    """1 − p_i = Σ_{j≠i} p_j of the softmax, which does not cancel where p_i is nearly 1."""

    is_positive = True

    def definition(self):
        i, *xs = self.args
        return sp.Add(*(sp.exp(x) for j, x in enumerate(xs) if j != int(i))) / sp.Add(*map(sp.exp, xs))

    def fdiff(self, argindex=2):
        i, *xs = self.args
        return -_softmax_derivative(int(i), argindex - 2, xs)


def _softmax_derivative(i, j, xs):
    """∂p_i/∂x_j = p_i (δ_ij − p_j)."""
    return Softmax(i, *xs) * (SoftmaxRest(i, *xs) if i == j else -Softmax(j, *xs))


class Log1pExp(_Defined):
    """log(1 + exp(x)); its derivative is 1 / (1 + exp(−x))."""

    nargs = 1

    def definition(self):
        return sp.log(1 + sp.exp(self.args[0]))

    def fdiff(self, argindex=1):
        return Expit(self.args[0])


class Expit(_Defined):
    """1 / (1 + exp(−x)); 1 minus it is that of −x."""

    nargs = 1
    is_positive = True

    def definition(self):
        return 1 / (1 + sp.exp(-self.args[0]))

    def fdiff(self, argindex=1):
        x = self.args[0]
        return Expit(x) * Expit(-x)


class MultiGammaLn(_Defined):
    """log Γ_p(a) = p (p − 1)/4 log π + Σ_{i<p} log Γ(a − i/2), for a > (p − 1)/2 and a whole number p.

    Source: DLMF 35.3.4.
    """

    nargs = 2

    @classmethod
    def eval(cls, a, p):
        if not (p.is_Integer and p.is_positive):
            raise ValueError(f"MultiGammaLn takes a positive whole number as its second argument; got {p}")

    def definition(self):
        a, p = self.args
        return p * (p - 1) / 4 * sp.log(sp.pi) + sp.Add(*(sp.loggamma(a - sp.Rational(i, 2)) for i in range(int(p))))

    def fdiff(self, argindex=1):
        a, p = self.args
        return sp.Add(*(sp.polygamma(0, a - sp.Rational(i, 2)) for i in range(int(p))))


class LogBessel(_Defined):
    """log(Γ(ν + 1) (2/x)^ν I_ν(x)) of the arguments ν and x > 0; its derivative in x is the `BesselRatio`."""

    nargs = 2

    def definition(self):
        nu, x = self.args
        return sp.log(sp.gamma(nu + 1) * (2 / x)**nu * sp.besseli(nu, x))

    def fdiff(self, argindex=2):
        return BesselRatio(*self.args)


class BesselRatio(_Defined):
    """r = I_{ν+1}(x) / I_ν(x) of the arguments ν and x > 0, with r′ = 1 − r² − (2ν + 1) r / x. Source: DLMF 10.29.2."""

    nargs = 2
    is_positive = True

    def definition(self):
        nu, x = self.args
        return sp.besseli(nu + 1, x) / sp.besseli(nu, x)

    def fdiff(self, argindex=2):
        nu, x = self.args
        return 1 - self**2 - (2 * nu + 1) * self / x


class AbsPower(_Defined):
    """|x|^p of the arguments x and p; its derivative off 0 is p x |x|^{p−2}."""

    nargs = 2

    def definition(self):
        x, p = self.args
        return sp.Abs(x)**p

    def fdiff(self, argindex=1):
        x, p = self.args
        return p * x * AbsPower(x, p - 2)


class ZetaDerivative(sp.Function):
    """ζ⁽ⁿ⁾(s) of the arguments s > 1 and n, in numbers of any length: SymPy's own ζ has no derivative."""

    nargs = 2
    is_extended_real = True

    def fdiff(self, argindex=1):
        s, n = self.args
        return ZetaDerivative(s, n + 1)

    @staticmethod
    def _imp_(s, n):
        return mpmath.zeta(s, 1, int(n))

    def _eval_evalf(self, prec):
        with mpmath.workprec(prec):
            s, n = (x._to_mpmath(prec) for x in self.args)
            return sp.Float(self._imp_(s, n), precision=prec)


class TrigammaGap(_Defined):
    """trigamma(a) − 1/a of the arguments a > 0 and trigamma(a), which does not cancel where a is large."""

    nargs = 2
    is_positive = True

    def definition(self):
        a, trigamma = self.args
        return trigamma - 1 / a


def _power(latex, exp):
    return latex if exp is None else rf"\left({latex}\right)^{{{exp}}}"


def defined(expression):
    """The expression in SymPy's own functions, for algebra and for numbers of many digits."""
    while expression.has(_Defined):
        expression = expression.replace(lambda e: isinstance(e, _Defined), lambda e: e.definition())
    return expression


def stable(expression):
    """The expression with log(c + Σ c_i exp(x_i)), all c positive, written as `LogSumExp` or `Log1pExp`.

    Mathematically, log Σ exp(x_i + log c_i), a number being the exponential of its logarithm.
    """
    return expression.replace(lambda e: isinstance(e, sp.log) and e.args[0].is_Add and e.args[0].has(sp.exp), _as_logarithm)


def _as_logarithm(logarithm):
    exponents = []
    for term in logarithm.args[0].args:
        factor, rest = term.as_independent(sp.exp, as_Add=False)
        if not (factor.is_positive and (rest == 1 or isinstance(rest, sp.exp))):
            return logarithm
        exponents.append(sp.log(factor) + (rest.args[0] if isinstance(rest, sp.exp) else 0))
    if len(exponents) == 2 and 0 in exponents:
        return Log1pExp(exponents[0] + exponents[1])
    return LogSumExp(*exponents)


def complements(expression):
    """The expression with 1 − p_i of a softmax as such."""
    return expression.replace(SoftmaxRest, lambda i, *xs: 1 - Softmax(i, *xs))


def alternatives(expression):
    """The expression and equal ones, in which less may cancel: over one denominator, then with one of these identities.

    Mathematically, 1 = Σ p_i for the number in a sum with a softmax; trigamma(a) = 1/a + gap(a) in the numerator; and in a sum of
    reciprocals 1 / trigamma(a) = a − a gap(a) / trigamma(a).
    """
    simple = tidy(complements(expression))
    over, under = sp.fraction(simple)
    yield expression
    yield simple.replace(lambda e: e.is_Add, _shares)
    if over.has(sp.polygamma):
        gapped = over.replace(_is_trigamma, lambda t: 1 / t.args[1] + TrigammaGap(t.args[1], t))
        yield sp.factor_terms(sp.expand(gapped)) / under
    if expression.is_Add:
        yield _reciprocals(expression)


def _is_trigamma(e):
    return isinstance(e, sp.polygamma) and e.args[0] == 1


def _shares(total):
    """a + Σ a_i p_i as Σ (a + a_i) p_i, over all i."""
    number, rest = total.as_coeff_Add()
    arguments = [term.args[1:] for term in rest.as_coefficients_dict() if isinstance(term, Softmax)]
    if number == 0 or not arguments:
        return total
    return rest + sp.Add(*(number * Softmax(i, *arguments[0]) for i in range(len(arguments[0]))))


def _reciprocals(total):
    """c / trigamma(a) + … as c a + … − c a gap(a) / trigamma(a) − …, the first terms expanded."""
    linear, rest = [], []
    for term in total.args:
        c, reciprocal = term.as_independent(sp.polygamma, as_Add=False)
        trigamma = 1 / reciprocal
        if _is_trigamma(trigamma):
            a = trigamma.args[1]
            linear.append(c * a)
            rest.append(-c * a * TrigammaGap(a, trigamma) / trigamma)
        else:
            rest.append(term)
    return sp.expand(sp.Add(*linear)) + sp.Add(*rest)
