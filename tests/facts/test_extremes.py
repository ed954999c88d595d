"""Values at extreme points: short vectors, infinite entries, densities between the nodes, draws of nearly singular matrices."""
import numpy as np
import pytest

import infogeo as ig


@pytest.mark.parametrize("dtype, short", [(np.float64, 1e-160), (np.float64, 1e-300), (np.float32, 1e-23), (np.float32, 1e-30)])
@pytest.mark.parametrize("M, p", [(ig.VonMisesFisher(3), 3), (ig.VonMises(), 2), (ig.VonMisesFisher(5), 5)], ids=str)
def test_von_mises_fisher_near_the_uniform_law(M, p, dtype, short):
    """Metric I / p and η = θ / p where κ² is no float, and θ back from η."""
    theta = np.linspace(-0.7, 1.0, p).astype(dtype) * dtype(short)
    eps = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(M.metric(theta), np.eye(p) / p, rtol=4 * eps, atol=4 * eps)
    np.testing.assert_allclose(M.to_eta(theta) / dtype(short), theta / dtype(short) / p, rtol=8 * eps)
    np.testing.assert_allclose(M.to_theta(M.to_eta(theta)) / dtype(short), theta / dtype(short), rtol=16 * eps)


def test_infinite_entries_stay_alone():
    np.testing.assert_array_equal(ig.Burg(2).metric([1e-200, 1.0]), [[np.inf, 0.0], [0.0, 1.0]])
    np.testing.assert_array_equal(ig.Burg(2).cubic_tensor([1e-200, 1.0])[0], [[-np.inf, 0.0], [0.0, 0.0]])


def test_a_density_between_the_nodes():
    with pytest.raises(ig.DomainError, match="log_densities must satisfy a mass above 0 on the grid .*; 1 of 2 points does not"):
        ig.MixtureFamily.on_line([lambda x: -0.5e12 * x**2, lambda x: -0.5 * x**2])


def test_locations_of_nearly_singular_precisions():
    """Hardly above the least degrees of freedom, where the smallest eigenvalue of Λ is 1e-30: its factor is still known."""
    M = ig.NormalWishart(2)
    theta = M.theta_from(location=[0.0, 0.0], precision_scale=1.0, degrees_of_freedom=1.1, scale_matrix=np.eye(2))
    assert not np.isnan(M.sample(np.random.default_rng(0), theta, 2000)).any()
