"""Every object that the laws are about. A line here puts a new one under all of them, together with its dual."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.domain import Orthant

FAMILIES = {
    "Bernoulli": ig.Bernoulli(),
    "Categorical(3)": ig.Categorical(3),
    "Categorical(3, reference=0)": ig.Categorical(3, reference=0),
    "Categorical(6)": ig.Categorical(6),
    "Poisson": ig.Poisson(),
    "Exponential": ig.Exponential(),
    "Normal": ig.Normal(),
    "Gamma": ig.Gamma(),
    "Dirichlet(3)": ig.Dirichlet(3),
    "Dirichlet(5)": ig.Dirichlet(5),
    "MultivariateNormal(1)": ig.MultivariateNormal(1),
    "MultivariateNormal(2)": ig.MultivariateNormal(2),
    "MultivariateNormal(3)": ig.MultivariateNormal(3),
}

MIRROR_MAPS = {
    "Euclidean(3)": ig.Euclidean(3),
    "Quadratic(Q)": ig.Quadratic(np.array([[2.0, 0.5, 0.0], [0.5, 1.0, -0.3], [0.0, -0.3, 4.0]])),
    "NegativeEntropy(3)": ig.NegativeEntropy(3),
    "Burg(3)": ig.Burg(3),
    "PNorm(3, 1.5)": ig.PNorm(3, 1.5),
    "PNorm(3, 3.0)": ig.PNorm(3, 3.0),
    "LogDet(2)": ig.LogDet(2),
    "LogDet(3)": ig.LogDet(3),
}

PRIMAL = FAMILIES | MIRROR_MAPS
MANIFOLDS = PRIMAL | {f"{name}.dual": M.dual for name, M in PRIMAL.items()}

every_manifold = pytest.mark.parametrize("M", MANIFOLDS.values(), ids=MANIFOLDS)
every_primal = pytest.mark.parametrize("M", PRIMAL.values(), ids=PRIMAL)
every_family = pytest.mark.parametrize("M", FAMILIES.values(), ids=FAMILIES)


def is_smooth(M):
    """Whether the potential is smooth on the whole domain, with a regular metric: the p-norms are not where a coordinate is 0."""
    return not isinstance(getattr(M, "primal", M), ig.PNorm)


def region(M):
    """A convex part of the domain where the potential is smooth: all of it, or an orthant, shared by both charts of a p-norm."""
    return M.theta_domain if is_smooth(M) else Orthant(*(1, -1, 1)[:M.dim])


# The methods of a manifold that are formulas, each with the kinds of its arguments.
KERNELS = {
    "potential": ("theta",),
    "to_eta": ("theta",),
    "metric": ("theta",),
    "cubic_tensor": ("theta",),
    "flat": ("theta", "vector"),
    "sharp": ("theta", "covector"),
    "inner": ("theta", "vector", "vector"),
    "norm": ("theta", "vector"),
    "to_theta": ("eta",),
    "dual_potential": ("eta",),
    "dual_metric": ("eta",),
    "dual_flat": ("eta", "covector"),
    "dual_sharp": ("eta", "vector"),
    "dual_cubic_tensor": ("eta",),
    "divergence": ("theta", "theta"),
}
FAMILY_KERNELS = {
    "log_partition": ("theta",),
    "entropy": ("theta",),
    "expected_log_base_measure": ("theta",),
    "kl": ("theta", "theta"),
    "cross_entropy": ("theta", "theta"),
    "log_density": ("theta", "x"),
}


def kernels(M):
    """Names and argument kinds of all the formulas of a manifold."""
    return KERNELS | (FAMILY_KERNELS if isinstance(M, ig.ExponentialFamily) else {})


def arguments(M, kinds, rng, shape=(), scale=1.0):
    """NumPy arguments of these kinds: points of the bulk, vectors of unit length in the metric, observations."""
    theta = region(M).sample(rng, shape, scale)

    def draw(kind, first):
        if kind == "eta":
            return M.to_eta(theta)
        if kind == "x":
            return M.sample(rng, theta)
        if kind == "theta":
            return theta if first else region(M).sample(rng, shape, scale)
        vector = rng.standard_normal(theta.shape)
        vector = vector / M.norm(theta, vector)[..., None]
        return vector if kind == "vector" else M.flat(theta, vector)

    return [draw(kind, i == 0) for i, kind in enumerate(kinds)]
