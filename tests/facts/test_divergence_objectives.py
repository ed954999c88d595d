"""Divergences as objectives: known values, the local rates of the natural flow, sweeps over α, ends of α, refusals."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.geometry import Quadrature

C = ig.Categorical(5)
Q = C.theta_from(probabilities=[0.35, 0.25, 0.2, 0.15, 0.05])           # K5a
P = C.theta_from(probabilities=[0.1, 0.2, 0.3, 0.1, 0.3])


def test_known_values():
    family = ig.Categorical(3)
    p, q = (family.theta_from(probabilities=x) for x in ([0.5, 0.3, 0.2], [0.1, 0.2, 0.7]))
    value = lambda f: f.value_and_gradient(p)[0]
    assert value(ig.AlphaDivergence(family, q, 0.5)) == pytest.approx(0.62587427168798, rel=1e-13)
    assert value(ig.RenyiDivergence(family, q, 0.9)) == pytest.approx(0.614056972047023, rel=1e-13)
    assert value(ig.BhattacharyyaDistance(family, q)) == pytest.approx(0.171118730594294, rel=1e-13)
    assert value(ig.SquaredHellingerDistance(family, q)) == pytest.approx(0.157278489294309, rel=1e-13)
    assert value(ig.ChiSquaredDivergence(family, q)) == pytest.approx(2.00714285714286, rel=1e-13)
    assert value(ig.JensenShannonDivergence(family, q)) == pytest.approx(0.151358111571795, rel=1e-13)


@pytest.mark.parametrize("f", [ig.AlphaDivergence(C, Q, 0.5), ig.RenyiDivergence(C, Q, 0.5), ig.RenyiDivergence(C, Q, 2.0),
                               ig.SquaredHellingerDistance(C, Q), ig.BhattacharyyaDistance(C, Q), ig.ChiSquaredDivergence(C, Q),
                               ig.JensenShannonDivergence(C, Q)], ids=lambda f: repr(f).replace(repr(C), "K5a"))
def test_local_rate_of_the_natural_flow(f):
    """The natural-gradient flow loses f at the rate 2 f″(1): 2 for α, 2a for Rényi of order a, ½ for H²; in η as in θ."""
    rate = 2 * f.curvature_at_target
    start = Q + 1e-3 * (P - Q)                                            # so near that the next order is 1e-3
    for g, x, geometry in ((f, start, C), (f.in_dual_coordinates(), C.to_eta(start), C.dual)):
        flow = ig.flow(g, x, geometry=geometry, update=ig.NaturalUpdate(), times=[1 / rate, 4 / rate])
        slope = -np.log(flow.values[1] / flow.values[0]) * rate / 3
        assert slope == pytest.approx(rate, rel=3e-3)


def test_a_sweep_over_alpha_is_one_run():
    alpha = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
    f = ig.AlphaDivergence(C, Q, alpha)
    assert f.rows == (5,)
    run = ig.descend(f, P, geometry=C, update=ig.NaturalUpdate(), step=1.0, max_steps=30, tol=1e-9)
    assert run.x.shape == (5, 4) and np.all(run.status == ig.Status.CONVERGED)
    np.testing.assert_allclose(run.values[0], [ig.alpha_divergence(C, P, Q, a) for a in alpha], rtol=1e-13)


def test_newton():
    """With their Hessians Newton's method is quadratic near the target, in θ and in η."""
    start = Q + 0.2 * (P - Q)
    for f in (ig.AlphaDivergence(C, Q, 0.5), ig.RenyiDivergence(C, Q, 0.5), ig.JensenShannonDivergence(C, Q)):
        for g, x, target in ((f, start, Q), (f.in_dual_coordinates(), C.to_eta(start), C.to_eta(Q))):
            run = ig.descend(g, x, update=ig.Newton(), step=1.0, max_steps=6)
            error = np.linalg.norm(run.path - target, axis=-1) / np.linalg.norm(target)
            assert error[6] < 1e-12 and np.all(error[1:6] < 30 * error[:5] ** 2 + 1e-12), error


def test_ends_are_the_two_kl_divergences():
    """α = −1 is the reverse KL and α = 1 the forward one, also at α a little off."""
    reverse, forward = ig.ReverseKL(C, Q).value_and_gradient(P), ig.CrossEntropy(C, C.to_eta(Q)).value_and_gradient(P)
    for alpha in (-1.0, -1.0 + 1e-12, -1.0 + 1e-7, -1.0 - 1e-7, -1.0 + 1e-5):
        value, covector = ig.AlphaDivergence(C, Q, alpha).value_and_gradient(P)
        np.testing.assert_allclose(value, reverse[0], rtol=1e-9 + abs(alpha + 1))
        np.testing.assert_allclose(covector, reverse[1], rtol=1e-9, atol=1e-9 + abs(alpha + 1))
    value, covector = ig.AlphaDivergence(C, Q, 1.0).value_and_gradient(P)
    np.testing.assert_allclose(value, C.kl(Q, P), rtol=1e-13)
    np.testing.assert_allclose(covector, forward[1], rtol=1e-13)


def test_jensen_shannon_on_a_line():
    """With the nodes of a quadrature, against the estimate of the free function and differences."""
    M, over = ig.Normal(), Quadrature(center=0.5, width=2.0)
    p, q = M.theta_from(mean=0.0, variance=1.0), M.theta_from(mean=1.0, variance=2.0)
    f = ig.JensenShannonDivergence(M, q, nodes=over.rule())
    value, covector = f.value_and_gradient(p)
    assert value == pytest.approx(ig.jensen_shannon(M, p, q, over).value, rel=1e-12)
    step = 1e-5 * np.eye(2)
    numeric = [(f.value_and_gradient(p + h)[0] - f.value_and_gradient(p - h)[0]) / 2e-5 for h in step]
    np.testing.assert_allclose(covector, numeric, rtol=1e-8)


def test_on_the_simplex():
    """The Jensen–Shannon divergence to a target with a zero, by mirror descent on all probabilities."""
    S = ig.Simplex(3)
    f = ig.BhattacharyyaDistance(S, [0.6, 0.4, 0.0])
    assert f.value_and_gradient(np.array([0.2, 0.3, 0.5]))[0] == pytest.approx(0.22919528606725686, rel=1e-12)
    run = ig.descend(f, [0.2, 0.3, 0.5], geometry=S, update=ig.MirrorUpdate(), step=4.0, max_steps=100, tol=1e-9)
    assert run.status == ig.Status.CONVERGED
    np.testing.assert_allclose(run.x, [0.6, 0.4, 0.0], atol=1e-8)


def test_where_the_integral_diverges():
    """χ² of normals is infinite where 2θ − θ_q has no variance, and a step does not go there."""
    M = ig.Normal()
    wide, narrow = M.theta_from(mean=0.0, variance=4.0), M.theta_from(mean=0.0, variance=1.0)
    value, covector = ig.ChiSquaredDivergence(M, narrow).value_and_gradient(wide)
    assert value == np.inf and np.all(np.isnan(covector))
    run = ig.descend(ig.ChiSquaredDivergence(M, narrow), M.theta_from(mean=0.5, variance=1.5), geometry=M,
                     update=ig.NaturalUpdate(), step=ig.Backtracking(0.5), max_steps=50, tol=1e-8)
    assert run.status == ig.Status.CONVERGED


def test_refusals():
    with pytest.raises(ig.DomainError, match="alpha must satisfy alpha finite"):
        ig.AlphaDivergence(C, Q, np.inf)
    with pytest.raises(ig.DomainError, match="order must satisfy order finite"):
        ig.RenyiDivergence(C, Q, np.nan)
    with pytest.raises(ig.ShapeError, match="theta_hat must have shape"):
        ig.SquaredHellingerDistance(C, Q[:3])
    with pytest.raises(TypeError, match="SquaredHellingerDistance takes a DuallyFlat first"):
        ig.SquaredHellingerDistance(ig.Categorical, Q)
    with pytest.raises(TypeError, match="no finite range of integers"):
        ig.JensenShannonDivergence(ig.Normal(), [0.0, -0.5])
    with pytest.raises(ig.ShapeError, match="nodes must be n observations"):
        ig.JensenShannonDivergence(ig.Normal(), [0.0, -0.5], nodes=(np.zeros((3, 1)), np.zeros(3)))
