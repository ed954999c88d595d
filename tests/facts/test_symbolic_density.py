"""Exponential families found in log-densities, and curved families in them."""
import pytest
import sympy as sp

import infogeo as ig
from infogeo.symbolic import NoClosedForm, SymbolicManifold
from infogeo.symbolic.density import NotExponentialFamily, from_density
from infogeo.symbolic.embedding import pull_back

x, m = sp.symbols("x m", real=True)
v, a, b, y = sp.symbols("v a b y", positive=True)
t1, t2 = sp.symbols("theta_1 theta_2", real=True)


def vanishes(expression):
    return sp.simplify(sp.expand_log(expression, force=True)) == 0


def rebuilt(form, parameters):
    """θ·T − ψ(θ) + log h."""
    theta = form.natural_parameters
    psi = form.manifold.potential.subs(dict(zip(form.manifold.theta, theta)), simultaneous=True)
    return sum(t * s for t, s in zip(theta, form.sufficient_statistic)) - psi + form.log_base_measure


@pytest.mark.parametrize("log_density, observation, parameters, statistics", [
    (-(x - m)**2 / (2 * v) - sp.log(2 * sp.pi * v) / 2, x, (m, v), {x, x**2}),
    ((a - 1) * sp.log(y) - b * y + a * sp.log(b) - sp.loggamma(a), y, (a, b), {sp.log(y), y}),
    (y * sp.log(a) - a - sp.loggamma(y + 1), y, (a,), {y}),
    ((a - 1) * sp.log(y) + (b - 1) * sp.log(1 - y) - sp.loggamma(a) - sp.loggamma(b) + sp.loggamma(a + b), y, (a, b),
     {sp.log(y), sp.log(1 - y)}),
    (sp.log(a) - a * y, y, a, {y}),
    (-(x - m)**2 / (2 * v**2) - sp.log(v), x, (m, v), {x, x**2}),
], ids=["normal", "gamma", "poisson", "beta", "exponential", "normal in mean and deviation"])
def test_exponential_families_are_found(log_density, observation, parameters, statistics):
    form = from_density(log_density, observation, parameters)
    assert set(form.sufficient_statistic) == statistics
    assert vanishes(rebuilt(form, parameters) - log_density)


def test_the_geometry_is_that_of_the_family():
    form = from_density(-(x - m)**2 / (2 * v) - sp.log(2 * sp.pi * v) / 2, x, (m, v))
    assert form.manifold.scalar_curvature() == -1
    assert not form.log_base_measure.has(m, v)


def test_what_is_no_exponential_family_is_said():
    with pytest.raises(NotExponentialFamily, match="does not separate"):
        from_density(-sp.log(1 + (x - m)**2), x, m)
    with pytest.raises(NoClosedForm, match="2 statistics .* for 1 parameters: a curved family"):
        from_density(-(x - a)**2 / (2 * a**2) - sp.log(a), x, a)
    with pytest.raises(ValueError, match="1 of its symbols are not: b"):
        from_density(-b * y, y, a)


def test_curvature_of_a_circle_of_means():
    """Means on a circle of radius r with unit covariance: γ = 1 / r."""
    r, u = sp.Symbol("r", positive=True), sp.Symbol("u", real=True)
    plane = SymbolicManifold((t1, t2), (t1**2 + t2**2) / 2)
    with pytest.raises(ValueError, match="symbols are not: r"):
        pull_back(plane, (r * sp.cos(u), r * sp.sin(u)), u)
    circle = pull_back(plane, (3 * sp.cos(u), 3 * sp.sin(u)), u)
    assert sp.simplify(circle.metric[0]) == 9 and sp.simplify(circle.statistical_curvature) == sp.Rational(1, 9)


def test_curvature_of_a_normal_family_of_known_variation():
    """N(u, u²) against Efron's determinant of the first and second derivatives of θ over the cube of the information."""
    normal = SymbolicManifold((t1, t2), -t1**2 / (4 * t2) - sp.log(-2 * t2) / 2)
    theta = sp.Matrix([1 / v, -1 / (2 * v**2)])
    curve = pull_back(normal, theta, v)
    G = normal.metric.subs({t1: theta[0], t2: theta[1]})
    first, second = theta.diff(v), theta.diff(v, 2)
    product = lambda p, q: (p.T * G * q)[0]
    expected = (product(first, first) * product(second, second) - product(first, second)**2) / product(first, first)**3
    assert sp.simplify(curve.metric[0] - 3 / v**2) == 0            # 1/σ² of the mean and 2/σ² of the deviation, at σ = u
    assert sp.simplify(curve.statistical_curvature - expected) == 0 and expected != 0
    bent = curve.second_fundamental_form()
    assert sp.simplify(product(first, bent)) == 0


def test_an_affine_subfamily_is_not_curved():
    normal = SymbolicManifold((t1, t2), -t1**2 / (4 * t2) - sp.log(-2 * t2) / 2)
    assert pull_back(normal, (2 * x - 1, -x), x).second_fundamental_form() == sp.zeros(2, 1)


def test_another_chart():
    """The normal family in mean and standard deviation: diag(1/σ², 2/σ²)."""
    normal = SymbolicManifold((t1, t2), -t1**2 / (4 * t2) - sp.log(-2 * t2) / 2)
    chart = pull_back(normal, (m / v**2, -1 / (2 * v**2)), (m, v))
    assert (chart.metric - sp.diag(1 / v**2, 2 / v**2)).applyfunc(sp.simplify) == sp.zeros(2, 2)
    with pytest.raises(ig.ShapeError, match="of a curve"):
        chart.statistical_curvature
    with pytest.raises(ig.ShapeError, match="embedding must have 2 coordinates; got 1"):
        pull_back(normal, (m,), m)
