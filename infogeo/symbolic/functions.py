"""SymPy functions whose numeric kernels neither overflow nor cancel: log Σ exp, log(1 + exp), the multivariate log Γ."""
from collections.abc import Sequence
from typing import Any

import mpmath
import sympy as sp

__all__ = ["AbsPower", "BesselQuotient", "Expit", "Log1pExp", "LogBessel", "LogSumExp", "MultiGammaLn", "Softmax", "SoftmaxRest",
           "TrigammaGap", "ZetaDerivative", "defined"]


class _Defined(sp.Function):                # type: ignore[misc]
    """A function with a definition in terms of SymPy's own, which is what it is where a number is asked for."""

    is_extended_real = True

    def definition(self) -> sp.Expr:
        """The same in SymPy's own functions."""
        raise NotImplementedError

    def _eval_evalf(self, prec: int) -> Any:
        return defined(self)._eval_evalf(prec)


class LogSumExp(_Defined):
    """log Σ exp(x_i) of one or more arguments; its derivative is the softmax.

    Examples
    --------
    >>> import sympy as sp
    >>> a, b = sp.symbols("a b", real=True)
    >>> f = ig.symbolic.LogSumExp(a, b)
    >>> f.subs({a: 1000, b: 1000}).n(9)  # 1000 + log 2
    1000.69315
    >>> f.diff(a).subs({a: 0, b: sp.log(3)}).n(3)  # 1 / (1 + 3)
    0.250
    """

    def definition(self) -> sp.Expr:
        return sp.log(sp.Add(*map(sp.exp, self.args)))

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        return Softmax(argindex - 1, *self.args)

    def _latex(self, printer: Any, exp: Any = None) -> str:
        return _power(rf"\log \sum \exp\left({', '.join(map(printer._print, self.args))}\right)", exp)


class Softmax(_Defined):
    """p_i = exp(x_i) / Σ exp(x_j): the index i from 0, then the arguments."""

    is_positive = True

    def definition(self) -> sp.Expr:
        i, *xs = self.args
        return sp.exp(xs[int(i)]) / sp.Add(*map(sp.exp, xs))

    def fdiff(self, argindex: int = 2) -> sp.Expr:
        i, *xs = self.args
        return _softmax_derivative(int(i), argindex - 2, xs)


class SoftmaxRest(_Defined):
    """1 − p_i = Σ_{j≠i} p_j of the softmax, which does not cancel where p_i is nearly 1."""

    is_positive = True

    def definition(self) -> sp.Expr:
        i, *xs = self.args
        return sp.Add(*(sp.exp(x) for j, x in enumerate(xs) if j != int(i))) / sp.Add(*map(sp.exp, xs))

    def fdiff(self, argindex: int = 2) -> sp.Expr:
        i, *xs = self.args
        return -_softmax_derivative(int(i), argindex - 2, xs)


def _softmax_derivative(i: int, j: int, xs: Sequence[sp.Expr]) -> sp.Expr:
    """∂p_i/∂x_j = p_i (δ_ij − p_j)."""
    return Softmax(i, *xs) * (SoftmaxRest(i, *xs) if i == j else -Softmax(j, *xs))


class Log1pExp(_Defined):
    """log(1 + exp(x)); its derivative is 1 / (1 + exp(−x)).

    Examples
    --------
    >>> import sympy as sp
    >>> t = sp.Symbol("theta", real=True)
    >>> f = ig.symbolic.Log1pExp(t)
    >>> f.diff(t), f.subs(t, 0).n(6), f.subs(t, 1000).n(6)
    (Expit(theta), 0.693147, 1000.00)
    """

    nargs = 1

    def definition(self) -> sp.Expr:
        return sp.log(1 + sp.exp(self.args[0]))

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        return Expit(self.args[0])


class Expit(_Defined):
    """1 / (1 + exp(−x)); 1 minus it is that of −x."""

    nargs = 1
    is_positive = True

    def definition(self) -> sp.Expr:
        return 1 / (1 + sp.exp(-self.args[0]))

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        x = self.args[0]
        return Expit(x) * Expit(-x)


class MultiGammaLn(_Defined):
    """log Γ_p(a) = p (p − 1)/4 log π + Σ_{i<p} log Γ(a − i/2), for a > (p − 1)/2 and a whole number p.

    Source: DLMF 35.3.4.

    Examples
    --------
    >>> from math import lgamma, log, pi
    >>> ig.symbolic.MultiGammaLn(3, 2).n(9)
    1.55019499
    >>> round(log(pi) / 2 + lgamma(3.0) + lgamma(2.5), 8)
    1.55019499
    """

    nargs = 2

    @classmethod
    def eval(cls, a: sp.Expr, p: sp.Expr) -> None:
        """Nothing is evaluated; p is looked at."""
        if not (p.is_Integer and p.is_positive):
            raise ValueError(f"MultiGammaLn takes a positive whole number as its second argument; got {p}")

    def definition(self) -> sp.Expr:
        a, p = self.args
        return p * (p - 1) / 4 * sp.log(sp.pi) + sp.Add(*(sp.loggamma(a - sp.Rational(i, 2)) for i in range(int(p))))

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        a, p = self.args
        return sp.Add(*(sp.polygamma(0, a - sp.Rational(i, 2)) for i in range(int(p))))


class LogBessel(_Defined):
    """log(Γ(ν + 1) (2/x)^ν I_ν(x)) of the arguments ν and x > 0; its derivative in x is the `BesselQuotient`."""

    nargs = 2

    def definition(self) -> sp.Expr:
        nu, x = self.args
        return sp.log(sp.gamma(nu + 1) * (2 / x)**nu * sp.besseli(nu, x))

    def fdiff(self, argindex: int = 2) -> sp.Expr:
        return BesselQuotient(*self.args)


class BesselQuotient(_Defined):
    """r = I_{ν+1}(x) / I_ν(x) of the arguments ν and x > 0, with r′ = 1 − r² − (2ν + 1) r / x. Source: DLMF 10.29.2."""

    nargs = 2
    is_positive = True

    def definition(self) -> sp.Expr:
        nu, x = self.args
        return sp.besseli(nu + 1, x) / sp.besseli(nu, x)

    def fdiff(self, argindex: int = 2) -> sp.Expr:
        nu, x = self.args
        return 1 - self**2 - (2 * nu + 1) * self / x


class AbsPower(_Defined):
    """|x|^p of the arguments x and p; its derivative off 0 is p x |x|^{p−2}."""

    nargs = 2

    def definition(self) -> sp.Expr:
        x, p = self.args
        return sp.Abs(x)**p

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        x, p = self.args
        return p * x * AbsPower(x, p - 2)


class ZetaDerivative(sp.Function):          # type: ignore[misc]
    """ζ⁽ⁿ⁾(s) of the arguments s > 1 and n, in numbers of any length: SymPy's own ζ has no derivative."""

    nargs = 2
    is_extended_real = True

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        s, n = self.args
        return ZetaDerivative(s, n + 1)

    @staticmethod
    def _imp_(s: Any, n: Any) -> Any:
        return mpmath.zeta(s, 1, int(n))

    def _eval_evalf(self, prec: int) -> sp.Float:
        with mpmath.workprec(prec):
            s, n = (x._to_mpmath(prec) for x in self.args)
            return sp.Float(self._imp_(s, n), precision=prec)


class TrigammaGap(_Defined):
    """trigamma(a) − 1/a of the arguments a > 0 and trigamma(a), which does not cancel where a is large."""

    nargs = 2
    is_positive = True

    def definition(self) -> sp.Expr:
        a, trigamma = self.args
        return trigamma - 1 / a


def _power(latex: str, exp: Any) -> str:
    return latex if exp is None else rf"\left({latex}\right)^{{{exp}}}"


def defined(expression: sp.Expr) -> sp.Expr:
    """The expression in SymPy's own functions, for algebra and for numbers of many digits."""
    while expression.has(_Defined):
        expression = expression.replace(lambda e: isinstance(e, _Defined), lambda e: e.definition())
    return expression
