"""Symbolic manifolds: the closed forms of the books, and clear errors for what is not a convex potential."""
import numpy as np
import pytest
import sympy as sp

import infogeo as ig
from infogeo.geometry.connections.connection import christoffel
from infogeo.geometry.connections.curvature_tensor import ricci, riemann_tensor, scalar_curvature
from infogeo.symbolic import Log1pExp, LogSumExp, MultiGammaLn, NoClosedForm, SymbolicManifold, symbolic_manifold

t1, t2, t3 = sp.symbols("theta_1:4", real=True)
NORMAL = -t1**2 / (4 * t2) - sp.log(-2 * t2) / 2
GAMMA = sp.loggamma(t1) - t1 * sp.log(-t2)
BETA = sp.loggamma(t1) + sp.loggamma(t2) - sp.loggamma(t1 + t2)
INVERSE_GAUSSIAN = -2 * sp.sqrt(t1 * t2) - sp.log(-t2) / 2


def gaussian_curvature(potential):
    return SymbolicManifold((t1, t2), potential).scalar_curvature() / 2


def vanishes(expression):
    return sp.simplify(expression) == 0


def test_closed_forms_of_the_normal_family():
    g = SymbolicManifold((t1, t2), NORMAL, ig.Normal().theta_domain)
    e1, e2 = g.eta_symbols
    assert vanishes(g.eta[0] + t1 / (2 * t2)) and vanishes(g.eta[1] - (t1**2 / (4 * t2**2) - 1 / (2 * t2)))
    assert (g.metric * g.inverse_metric).applyfunc(sp.simplify) == sp.eye(2)
    assert vanishes(g.theta_of_eta[0] - e1 / (e2 - e1**2)) and vanishes(g.theta_of_eta[1] + 1 / (2 * (e2 - e1**2)))
    point = {e1: sp.Rational(1, 3), e2: 2}
    assert abs(sp.N((g.dual_potential + sp.Rational(1, 2) + sp.log(e2 - e1**2) / 2).subs(point))) < 1e-14


def test_the_e_connection_is_flat_in_theta():
    g = SymbolicManifold((t1, t2), NORMAL)
    assert g.christoffel(alpha=1) == sp.ImmutableDenseNDimArray.zeros(2, 2, 2)
    assert g.riemann_tensor(alpha=1) == g.riemann_tensor(alpha=-1) == sp.ImmutableDenseNDimArray.zeros(2, 2, 2, 2)


def test_curvature_of_constant_curvature():
    """Twice the Gaussian curvature: −1/2 of normal, lognormal and inverse Gaussian; 1/4 of the trinomial."""
    assert gaussian_curvature(NORMAL) == sp.Rational(-1, 2)
    assert gaussian_curvature(INVERSE_GAUSSIAN) == sp.Rational(-1, 2)
    assert gaussian_curvature(LogSumExp(0, t1, t2)) == sp.Rational(1, 4)
    assert gaussian_curvature(sp.log(1 + sp.exp(t1) + sp.exp(t2))) == sp.Rational(1, 4)


def test_curvature_of_the_gamma_family():
    """K(a) = (a ψ₂ + ψ₁) / (4 (a ψ₁ − 1)²), with ψ₁, ψ₂ the tri- and tetragamma functions: −0.456303691440 at a = 1."""
    first, second = sp.polygamma(1, t1), sp.polygamma(2, t1)
    found = gaussian_curvature(GAMMA)
    assert vanishes(found - (t1 * second + first) / (4 * (t1 * first - 1)**2))
    assert float(found.subs(t1, 1).evalf(20)) == pytest.approx(-0.456303691440, abs=1e-12)
    assert float(found.subs(t1, sp.Float("1e-6", 30)).evalf(30)) == pytest.approx(-1 / 4, abs=1e-5)
    assert float(found.subs(t1, sp.Float("1e6", 30)).evalf(30)) == pytest.approx(-1 / 2, abs=1e-5)


def test_curvature_of_the_beta_family():
    found = gaussian_curvature(BETA).subs({t1: 1, t2: 1})
    assert float(found.evalf(20)) == pytest.approx(-0.389403045225, abs=1e-12)


def test_sectional_curvature_of_the_bivariate_normal_family():
    """At mean 0 and unit covariance both signs: the plane of the means +1/4, others −1/2, −1/4, −1/2 and 0.

    With θ = (Σ⁻¹μ, −½Σ⁻¹) written out, at that point the axes of the chart are those of mean and covariance.
    """
    a, b, p, q, r = sp.symbols("a b p q r", real=True)           # −½ Σ⁻¹ = [[p, r], [r, q]]
    determinant = p * q - r**2
    potential = -(a**2 * q - 2 * a * b * r + b**2 * p) / (4 * determinant) - sp.log(4 * determinant) / 2
    derivative = {}
    point, theta = {a: 0, b: 0, p: -sp.Rational(1, 2), q: -sp.Rational(1, 2), r: 0}, (a, b, p, q, r)

    def at(*order):
        key = tuple(sorted(order))
        if key not in derivative:
            derivative[key] = sp.diff(potential, *(theta[i] for i in key)).subs(point)
        return derivative[key]

    inverse = sp.Matrix(5, 5, lambda i, j: at(i, j)).inv()

    def curvature(i, j):
        pairs = [(m, n) for m in range(5) for n in range(5)]
        bent = sum(inverse[m, n] * (at(i, j, m) * at(j, i, n) - at(j, j, m) * at(i, i, n)) for m, n in pairs) / 4
        return bent / (at(i, i) * at(j, j) - at(i, j)**2)

    planes = {(0, 1): (1, 4), (0, 2): (-1, 2), (0, 4): (-1, 4), (2, 4): (-1, 2), (2, 3): (0, 1)}
    assert {plane: curvature(*plane) for plane in planes} == {plane: sp.Rational(*k) for plane, k in planes.items()}


def test_sectional_curvature_of_a_sphere():
    g = SymbolicManifold((t1, t2, t3), LogSumExp(0, t1, t2, t3))
    found = g.sectional_curvature((1, 0, 0), (0, 1, 2))
    assert float(found.evalf(20, subs={t1: 0.2, t2: -0.4, t3: 1})) == pytest.approx(0.25, rel=1e-12)


@pytest.mark.parametrize("family, potential", [(ig.Normal(), NORMAL), (ig.Gamma(), GAMMA), (ig.Beta(), BETA),
                                               (ig.Categorical(3), LogSumExp(0, t1, t2))],
                         ids=["normal", "gamma", "beta", "trinomial"])
@pytest.mark.parametrize("alpha", [0, sp.Rational(1, 3)])
def test_tensors_are_those_of_the_functions_on_numbers(family, potential, alpha):
    """Index order and signs."""
    g = SymbolicManifold((t1, t2), potential)
    theta = family.theta_domain.sample(np.random.default_rng(0))
    at = dict(zip((t1, t2), map(float, theta)))
    for symbolic, numeric in ((g.christoffel, christoffel), (g.riemann_tensor, riemann_tensor), (g.ricci, ricci),
                              (g.scalar_curvature, scalar_curvature)):
        value = symbolic(alpha)
        nested = np.array(value.tolist() if hasattr(value, "tolist") else value)
        found = np.reshape([float(e.evalf(20, subs=at)) for e in nested.ravel()], nested.shape)
        np.testing.assert_allclose(found, numeric(family, theta, float(alpha)), rtol=1e-9, atol=1e-12)


def test_geodesic_equations_of_one_coordinate():
    """Poisson, ψ = e^θ: θ̈ + ½ θ̇² = 0, that is √mean is linear."""
    g, time = SymbolicManifold(t1, sp.exp(t1)), sp.Symbol("t", real=True)
    [equation] = g.geodesic_equations(time=time)
    path = 2 * sp.log(3 + 5 * time)
    assert vanishes(equation.lhs.subs(sp.Function("theta_1")(time), path).doit())
    assert g.geodesic_equations(alpha=1, time=time)[0].lhs == sp.diff(sp.Function("theta_1")(time), time, 2)


def test_divergence():
    a, b = sp.symbols("a b", positive=True)
    g = SymbolicManifold(t1, sp.exp(t1))
    assert vanishes(g.kl((sp.log(a),), (sp.log(b),)) - (a * sp.log(a / b) - a + b))
    assert g.kl((sp.log(a),), (sp.log(b),)) == g.bregman((sp.log(b),), (sp.log(a),))
    assert g.bregman(2, 2) == 0


def test_dual_chart_of_the_trinomial():
    g = SymbolicManifold((t1, t2), LogSumExp(0, t1, t2))
    e1, e2 = g.eta_symbols
    assert vanishes(sp.exp(g.theta_of_eta[0]) - e1 / (1 - e1 - e2))
    entropy = e1 * sp.log(e1) + e2 * sp.log(e2) + (1 - e1 - e2) * sp.log(1 - e1 - e2)
    assert abs(sp.N((g.dual_potential - entropy).subs({e1: 0.2, e2: 0.5}))) < 1e-14


def test_no_closed_form_is_said():
    g = SymbolicManifold((t1, t2), GAMMA)
    with pytest.raises(NoClosedForm, match=r"polygamma of theta; compile\(\) solves it in numbers"):
        g.theta_of_eta
    assert "theta_of_eta" not in [name for name, _, _ in g.closed_forms()]


def test_equations_of_high_degree_are_not_tried():
    with pytest.raises(NoClosedForm, match="second degree"):
        symbolic_manifold(ig.MultivariateNormal(2)).theta_of_eta
    assert len(symbolic_manifold(ig.DiagonalNormal(2)).theta_of_eta) == 4


def test_functions_have_their_derivatives():
    x = sp.Symbol("x", real=True)
    at = {t1: 0.3, t2: -1.2, x: 3.7}
    pairs = [(LogSumExp(t1, t2, x), sp.log(sp.exp(t1) + sp.exp(t2) + sp.exp(x))), (Log1pExp(t1), sp.log(1 + sp.exp(t1))),
             (MultiGammaLn(x, 3), sp.Rational(3, 2) * sp.log(sp.pi) + sum(sp.loggamma(x - sp.Rational(i, 2)) for i in range(3)))]
    for function, same in pairs:
        for variables in ((), (t1,), (x,), (t1, t1), (t1, t2), (x, x), (t1, t1, t2), (t1, t1, t1), (x, x, x)):
            found, expected = (sp.N(sp.diff(f, *variables).subs(at) if variables else f.subs(at)) for f in (function, same))
            assert abs(found - expected) < 1e-12 * (1 + abs(expected)), (function, variables)


def test_latex():
    g = SymbolicManifold(t1, sp.exp(t1))
    assert r"\psi &= e^{\theta_{1}}" in g.latex() and g._repr_latex_().startswith(r"$\displaystyle \begin{aligned}")
    assert r"\log \sum \exp" in SymbolicManifold((t1, t2), LogSumExp(0, t1, t2)).latex()


def test_constants_stay():
    n = sp.Symbol("n", positive=True)
    g = SymbolicManifold(t1, n * sp.log(1 + sp.exp(t1)), constants=(n,))
    assert vanishes(g.metric[0] - n * sp.exp(t1) / (1 + sp.exp(t1))**2)
    with pytest.raises(ValueError, match="numbers for the constants"):
        g.compile(ig.domains.RealSpace(1))


@pytest.mark.parametrize("arguments, error, words", [
    (((t1, t2), -t1**2 - t2**2), ig.DomainError, "positive definite at none of"),
    (((t1, t2), t1**2 - t2**2, ig.domains.RealSpace(2)), ig.DomainError,
     "strictly convex on .* at 8 of 8 points .* least eigenvalue -2"),
    (((t1,), sp.log(t1), ig.domains.Orthant(-1)), ig.DomainError, "not a real number"),
    (((t1, t2), t1**2), ig.DomainError, "positive definite at none"),
    (((t1,), t1**2 + sp.Symbol("y")), ValueError, "1 of its symbols are not: y"),
    (((t1, t1), t1**2), ValueError, "each listed once"),
    (((t1, t2), t1**2 + t2**2, ig.domains.RealSpace(3)), ig.ShapeError, "dimension of theta, 2; got .* of dimension 3"),
    ((("x",), t1**2), TypeError, "must be SymPy symbols"),
])
def test_bad_input(arguments, error, words):
    with pytest.raises(error, match=words):
        SymbolicManifold(*arguments)


def test_points_of_another_dimension():
    with pytest.raises(ig.ShapeError, match="p must have 2 coordinates; got 1"):
        SymbolicManifold((t1, t2), NORMAL).kl((1, -1), (2,))
