"""The potentials of the families of this library as SymPy expressions, in their own coordinates."""
from collections.abc import Callable, Sequence
from functools import singledispatch
from typing import Any

import numpy as np
import sympy as sp

from ..families.bernoulli import Bernoulli
from ..families.categorical import Categorical
from ..families.chi import Chi, ChiSquared
from ..families.complex_normal import ComplexNormal
from ..families.continuous_bernoulli import ContinuousBernoulli
from ..families.diagonal_normal import DiagonalNormal
from ..families.dirichlet import Dirichlet
from ..families.exponential import Exponential
from ..families.gamma import Gamma
from ..families.geometric import Geometric
from ..families.half_normal import HalfNormal
from ..families.inverse_gaussian import InverseGaussian
from ..families.isotropic_normal import IsotropicNormal
from ..families.known_covariance import MatrixNormalKnownCovariances, MultivariateNormalKnownCovariance
from ..families.log_series import LogSeries
from ..families.multivariate_normal import MultivariateNormal
from ..families.normal import Normal
from ..families.normal_known import NormalKnownMean
from ..families.normal_wishart import NormalWishart
from ..families.poisson import Poisson
from ..families.states import StateFamily
from ..families.transformed import Transformed
from ..families.von_mises_fisher import VonMisesFisher
from ..families.wishart import Wishart
from ..families.zeta import Zeta
from ..geometry.manifolds.burg import Burg
from ..geometry.manifolds.euclidean import Euclidean
from ..geometry.manifolds.log_det import LogDet
from ..geometry.manifolds.manifold import DuallyFlat
from ..geometry.manifolds.negative_entropy import NegativeEntropy
from ..geometry.manifolds.p_norm import PNorm
from ..geometry.manifolds.product import ProductManifold
from ..geometry.manifolds.quadratic import Quadratic
from ..geometry.manifolds.scaled import Scaled
from ..geometry.manifolds.tsallis import Tsallis
from ..numerics.packing import packed_size, unpack
from .functions import AbsPower, Log1pExp, LogBessel, LogSumExp, MultiGammaLn, ZetaDerivative
from .manifold import SymbolicManifold

__all__ = ["symbolic_manifold", "symbolic_potential"]


@singledispatch
def symbolic_potential(manifold: DuallyFlat, theta: Sequence[sp.Symbol]) -> sp.Expr:
    """ψ of a manifold of this library as an expression in the symbols θ.

    Raises
    ------
    TypeError
        Where this library knows none: register one with ``symbolic_potential.register``.

    Examples
    --------
    >>> import sympy as sp
    >>> theta = sp.symbols("theta_1 theta_2", real=True)
    >>> ig.symbolic.symbolic_potential(ig.Gamma(), theta)
    -theta_1*log(-theta_2) + loggamma(theta_1)
    """
    raise TypeError(f"{manifold!r} has no symbolic potential here; give a SymbolicManifold of your own")


def symbolic_manifold(manifold: DuallyFlat) -> SymbolicManifold:
    """The `SymbolicManifold` of a manifold of this library.

    Raises
    ------
    TypeError
        Where this library knows none.

    Examples
    --------
    >>> M = ig.symbolic.symbolic_manifold(ig.Exponential())
    >>> M.potential, M.metric[0]
    (-log(-theta_1), theta_1**(-2))
    """
    theta = sp.symbols(f"theta_1:{manifold.dim + 1}", real=True)
    return SymbolicManifold(theta, symbolic_potential(manifold, theta), manifold.theta_domain)


def _register(cls: type) -> Callable[..., Any]:
    return symbolic_potential.register(cls)


@_register(Transformed)
def _(manifold: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    return symbolic_potential(manifold.base, theta)


@_register(ProductManifold)
def _(manifold: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    total, rest = sp.S.Zero, list(theta)
    for factor in manifold.factors:
        total, rest = total + symbolic_potential(factor, tuple(rest[:factor.dim])), rest[factor.dim:]
    return total


@_register(Scaled)
def _(manifold: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    return _exact(manifold.factor) * symbolic_potential(manifold.base, theta)


def _exact(number: float) -> sp.Rational:
    """The rational number that a float is."""
    return sp.Rational(*float(number).as_integer_ratio())


def _matrix(vector: Sequence[sp.Expr], p: int) -> sp.Matrix:
    """The symmetric matrix of a packed vector: the off-diagonal entries over √2."""
    basis = unpack(np.eye(packed_size(p)), p)
    exact = {0.0: sp.S.Zero, 1.0: sp.S.One}
    entry = lambda i, j: sp.Add(*(exact.get(float(b[i, j]), 1 / sp.sqrt(2)) * x for b, x in zip(basis, vector)))
    return sp.Matrix(p, p, entry)


@_register(Bernoulli)
def _(family: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    return Log1pExp(theta[0])


@_register(Categorical)
def _(family: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    return LogSumExp(0, *theta)


@_register(Poisson)
def _(family: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    return sp.exp(theta[0])


@_register(Geometric)
def _(family: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    return -sp.log(1 - sp.exp(theta[0]))


@_register(LogSeries)
def _(family: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    return sp.log(-sp.log(1 - sp.exp(theta[0]))) - theta[0]


@_register(Zeta)
def _(family: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    return sp.log(ZetaDerivative(1 - theta[0], 0))


@_register(ContinuousBernoulli)
def _(family: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    return sp.log((sp.exp(theta[0]) - 1) / theta[0])


@_register(Exponential)
def _(family: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    return -sp.log(-theta[0])


@_register(HalfNormal)
@_register(NormalKnownMean)
def _(family: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    return -sp.log(-theta[0]) / 2


@_register(Chi)
@_register(ChiSquared)
def _(family: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    return sp.loggamma(theta[0])


@_register(Gamma)
def _(family: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    return sp.loggamma(theta[0]) - theta[0] * sp.log(-theta[1])


@_register(Dirichlet)
def _(family: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    return sp.Add(*map(sp.loggamma, theta)) - sp.loggamma(sp.Add(*theta))


@_register(InverseGaussian)
def _(family: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    return -2 * sp.sqrt(theta[0] * theta[1]) - sp.log(-2 * theta[1]) / 2


@_register(Normal)
def _(family: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    return -theta[0]**2 / (4 * theta[1]) - sp.log(-2 * theta[1]) / 2


@_register(DiagonalNormal)
def _(family: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    p = family.p
    return sp.Add(*(-a**2 / (4 * b) - sp.log(-2 * b) / 2 for a, b in zip(theta[:p], theta[p:])))


@_register(IsotropicNormal)
def _(family: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    *a, b = theta
    return -sp.Add(*(x**2 for x in a)) / (4 * b) - family.p * sp.log(-2 * b) / 2


@_register(MultivariateNormal)
def _(family: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    p = family.p
    a, precision = sp.Matrix(theta[:p]), -2 * _matrix(theta[p:], p)
    return (a.T * precision.adjugate() * a)[0] / precision.det() / 2 - sp.log(precision.det()) / 2


@_register(MultivariateNormalKnownCovariance)
def _(family: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    a, covariance = sp.Matrix(theta), sp.Matrix(family.known_covariance.tolist()).applyfunc(_exact)
    return (a.T * covariance * a)[0] / 2


@_register(MatrixNormalKnownCovariances)
def _(family: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    rows, columns = (sp.Matrix(c.tolist()).applyfunc(_exact) for c in (family.row_covariance, family.column_covariance))
    a = sp.Matrix(rows.rows, columns.rows, theta)
    return sp.expand((a.T * rows * a * columns).trace()) / 2


def _wishart(s: sp.Expr, rate: sp.Matrix) -> sp.Expr:
    """log Γ_p(a) − a log det R with a = s + (p − 1)/2."""
    a = s + sp.Rational(rate.rows - 1, 2)
    return MultiGammaLn(a, rate.rows) - a * sp.log(rate.det())


@_register(Wishart)
def _(family: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    return _wishart(theta[0], -_matrix(theta[1:], family.p))


@_register(NormalWishart)
def _(family: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    s, p = theta[0], family.p
    kappa, a = -2 * theta[-1], sp.Matrix(theta[-p - 1:-1])
    return _wishart(s, -_matrix(theta[1:-p - 1], p) - a * a.T / (2 * kappa)) - p * sp.log(kappa) / 2


@_register(ComplexNormal)
def _(family: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    """−log det of the Hermitian matrix −⟨θ⟩: row by row the diagonal, then √2 times real and imaginary parts."""
    entries, p, matrix = iter(theta), family.p, {}
    for i in range(p):
        matrix[i, i] = -next(entries)
        for j in range(i + 1, p):
            re, im = next(entries), next(entries)
            matrix[i, j], matrix[j, i] = -(re + sp.I * im) / sp.sqrt(2), -(re - sp.I * im) / sp.sqrt(2)
    return -sp.log(sp.expand(sp.Matrix(p, p, lambda i, j: matrix[i, j]).det()))


@_register(VonMisesFisher)
def _(family: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    kappa, order = sp.sqrt(sp.Add(*(t**2 for t in theta))), sp.Rational(family.p, 2) - 1
    return LogBessel(order, kappa)


@_register(StateFamily)
def _(family: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    """log Σ h e^{θ·T} over the states, plain: its derivatives are short, and `compile` makes it stable."""
    statistics = family._rows(0, family.states)
    base = np.zeros(family.states) if family.log_base is None else np.asarray(family.log_base, dtype=float)
    exponents = (_exact(h) + sp.Add(*(_exact(c) * t for c, t in zip(row, theta))) for row, h in zip(statistics, base))
    return sp.log(sp.Add(*map(sp.exp, exponents)))


@_register(Euclidean)
def _(mirror_map: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    return sp.Add(*(t**2 for t in theta)) / 2


@_register(Quadratic)
def _(mirror_map: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    a, q = sp.Matrix(theta), sp.Matrix(np.asarray(mirror_map.Q).tolist()).applyfunc(_exact)
    return (a.T * q * a)[0] / 2


@_register(NegativeEntropy)
def _(mirror_map: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    return sp.Add(*(t * sp.log(t) - t for t in theta))


@_register(Burg)
def _(mirror_map: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    return -sp.Add(*map(sp.log, theta))


@_register(Tsallis)
def _(mirror_map: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    q = _exact(mirror_map.q)
    return (sp.Add(*(t**q for t in theta)) - 1) / (q - 1)


@_register(PNorm)
def _(mirror_map: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    p = _exact(mirror_map.p)
    return sp.Add(*(AbsPower(t, p) for t in theta))**(2 / p) / 2


@_register(LogDet)
def _(mirror_map: Any, theta: Sequence[sp.Symbol]) -> sp.Expr:
    return -sp.log(_matrix(theta, mirror_map.p).det())
