"""SymPy functions whose numeric kernels neither overflow nor cancel: log Σ exp, log(1 + exp), the multivariate log Γ."""
import sympy as sp

__all__ = ["Expit", "Log1pExp", "LogSumExp", "MultiGammaLn", "Softmax", "SoftmaxRest", "defined", "stable"]


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
        return 1 / sp.Add(*(sp.exp(x - xs[int(i)]) for x in xs))

    def fdiff(self, argindex=2):
        i, *xs = self.args
        return _softmax_derivative(int(i), argindex - 2, xs)


class SoftmaxRest(_Defined):
    """1 − p_i = Σ_{j≠i} p_j of the softmax, which does not cancel where p_i is nearly 1."""

    is_positive = True

    def definition(self):
        i, *xs = self.args
        return sp.Add(*(Softmax(j, *xs).definition() for j in range(len(xs)) if j != int(i)))

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
