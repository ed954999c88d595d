"""Divergences do not depend on the affine chart; the total Bregman divergence does."""
import numpy as np

import infogeo as ig
from infogeo.geometry.divergences.alpha import alpha_divergence, chi_squared, hellinger, renyi, tsallis
from infogeo.geometry.divergences.chernoff import chernoff_information
from infogeo.geometry.divergences.skew import bhattacharyya, jensen_bregman
from infogeo.geometry.divergences.total_bregman import total_bregman

from ..registry import every_primal, region


class Image(ig.domains.RealSpace):
    """The points u with A u + b in a domain."""

    def __init__(self, M, A, b):
        super().__init__(M.dim)
        self.M, self.A, self.b = M, A, b

    def contains(self, x):
        return self.M.theta_domain.contains(x @ self.A.T + self.b)


class AffineChart(ig.DuallyFlat):
    """A dually flat manifold in coordinates u with θ = A u + b: the potential ψ(A u + b) + c·u has the same geometry."""

    def __init__(self, M, A, b, c):
        self.M, self.A, self.b, self.c, self.dim = M, A, b, c, M.dim
        self.theta_domain = Image(M, A, b)

    def theta(self, u):
        return u @ self.A.T + self.b

    def potential(self, u):
        return self.M.potential(self.theta(u)) + u @ self.c

    def to_eta(self, u):
        return self.M.to_eta(self.theta(u)) @ self.A + self.c

    def metric(self, u):
        return self.A.T @ self.M.metric(self.theta(u)) @ self.A

    def cubic_tensor(self, u):
        return np.einsum("...ijk,ia,jb,kc->...abc", self.M.cubic_tensor(self.theta(u)), self.A, self.A, self.A)


def setting(M):
    rng = np.random.default_rng(86)
    A, b, c = np.eye(M.dim) + 0.3 * rng.standard_normal((M.dim, M.dim)), rng.standard_normal(M.dim), rng.standard_normal(M.dim)
    chart = AffineChart(M, A, b, c)
    points = [region(M).sample(rng, (4,), 0.5) for _ in range(2)]
    return chart, points, [np.linalg.solve(A, (x - b)[..., None])[..., 0] for x in points]


@every_primal
def test_affine_charts(M):
    """From the potential in another chart, by the derived form of the divergence."""
    chart, (p, q), (u, v) = setting(M)
    size = 1 + np.abs(chart.potential(u)) + np.abs(chart.potential(v)) + np.sum(np.abs(u - v), axis=-1)
    size = size * np.linalg.cond(chart.A) * (1 + np.max(np.abs(M.to_eta(p)), axis=-1) + np.max(np.abs(M.to_eta(q)), axis=-1))
    for divergence in (lambda *a: jensen_bregman(*a, 0.3), bhattacharyya, lambda *a: renyi(*a, 0.7), lambda *a: tsallis(*a, 0.7),
                       lambda *a: alpha_divergence(*a, 0.4), lambda *a: hellinger(*a) ** 2,
                       lambda *a: chernoff_information(*a).value):
        assert np.all(np.abs(divergence(M, p, q) - divergence(chart, u, v)) <= 1e-11 * size)
    here, there = chi_squared(M, p, q), chi_squared(chart, u, v)
    assert np.array_equal(np.isinf(here), np.isinf(there))
    finite = np.isfinite(here)
    assert np.all(np.abs(here[finite] - there[finite]) <= 1e-10 * (size * (1 + here))[finite])


@every_primal
def test_the_total_bregman_divergence_is_not_invariant(M):
    """It belongs to the graph of ψ in its own chart."""
    chart, (p, q), (u, v) = setting(M)
    assert np.any(np.abs(total_bregman(M, p, q) / total_bregman(chart, u, v) - 1) > 1e-3)
