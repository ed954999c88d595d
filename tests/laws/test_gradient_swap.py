"""The natural gradient in one chart is the plain gradient in the other: G⁻¹ ∂f/∂θ = ∂f/∂η.

Source: Amari, Natural gradient works efficiently in learning, Neural Computation 10 (1998).
"""
import numpy as np

import infogeo as ig
from infogeo.testing.calculus import apply, condition, derivative, frame

from ..registry import every_primal
from ..strategies import generic
from .drawn import drawn
from .objectives import Wavy


def objectives(M, target):
    return Wavy(M, target), ig.CrossEntropy(M, M.to_eta(target)), ig.ReverseKL(M, target)


@every_primal
@drawn
def test_differentials(M, data):
    """Every objective's covector is its derivative, in either chart."""
    theta, target = data.draw(generic(M, (), count=2))
    eta = M.to_eta(theta)
    for f in objectives(M, target):
        for N, x, g in (M, theta, f), (M.dual, eta, f.in_dual_coordinates()):
            assert g.manifold is N
            value, covector = g.value_and_gradient(x)
            rows = frame(N, x)
            numeric, claimed = derivative(lambda y: g.value_and_gradient(y)[0], x, rows), apply(rows, covector)
            size = 1 + np.abs(value) + np.max(np.abs(claimed), axis=-1)
            assert np.all(np.abs(numeric - claimed) <= (1e-8 + 1e-13 * condition(N, x)) * size)


@every_primal
@drawn
def test_swap(M, data):
    """And in closed form: the cross-entropy has df = η − η̂ in θ; the reverse divergence has df = θ − θ_q in η."""
    theta, target = data.draw(generic(M, (4,), count=2))
    eta = M.to_eta(theta)
    covector = ig.CrossEntropy(M, M.to_eta(target)).value_and_gradient(theta)[1]
    assert np.array_equal(covector, eta - M.to_eta(target))
    value, covector = ig.ReverseKL(M, target).in_dual_coordinates().value_and_gradient(eta)
    assert np.allclose(value, ig.canonical_divergence(M, theta, target), rtol=1e-9)
    size = np.linalg.norm(theta, axis=-1, keepdims=True) + np.linalg.norm(target, axis=-1, keepdims=True)
    assert np.all(np.abs(covector - (theta - target)) <= 1e-13 * condition(M, theta)[:, None] * size)
    for f in objectives(M, target):
        dual = f.in_dual_coordinates()
        in_theta, in_eta = f.value_and_gradient(theta)[1], dual.value_and_gradient(eta)[1]
        kappa = condition(M, theta)[:, None]
        for gap, size in ((M.sharp(theta, in_theta) - in_eta, in_eta), (M.dual.sharp(eta, in_eta) - in_theta, in_theta)):
            assert np.all(np.abs(gap) <= 1e-13 * kappa * (np.linalg.norm(size, axis=-1, keepdims=True) + np.abs(target).max()))
        assert dual.in_dual_coordinates() is f
