"""Every method and step rule on arrays of every library, in either precision; and what a stranger may hand them."""
import numpy as np
import pytest

import infogeo as ig
from infogeo import Status

from ..backends import every_dtype

FAMILY, X0 = ig.Categorical(3), np.array([[0.5, -0.2], [0.0, 1.0]])
LEAST = -float(FAMILY.dual_potential([0.5, 0.3]))
UPDATES = [ig.AcceleratedMirror(restart=ig.GradientRestart()), ig.AcceleratedBregman(1.5), ig.DualAveraging(),
           ig.CorrectedNatural(), ig.Newton(), ig.RiemannianMomentum(0.5)]
STEPS = [ig.TrustRegion(0.01), ig.Damped(), ig.Polyak(LEAST), ig.BarzilaiBorwein(0.2), ig.Growing(1.0)]
PAIRS = [(update, ig.Constant(0.3)) for update in UPDATES] + [(ig.NaturalUpdate(), step) for step in STEPS]


@every_dtype
@pytest.mark.parametrize("update, step", PAIRS, ids=lambda part: type(part).__name__)
def test_methods_on_arrays_of_every_library(update, step, backend, dtype):
    def run(make):
        f = ig.CrossEntropy(FAMILY, make(np.array([0.5, 0.3])))
        return ig.descend(f, make(X0), geometry=FAMILY, update=update, step=step, max_steps=5, record=ig.Every(2))

    reference, found = run(np.asarray), run(lambda x: backend.make(x, dtype))
    tol = {"float64": 1e-9, "float32": 1e-3}[dtype]
    if backend.name == "jax" and isinstance(step, ig.Growing) and dtype == "float32":
        tol = 1e-2          # next to the least value the search compares roundings, which are XLA's: within √ε of it
    for name in ("x", "path", "values"):
        np.testing.assert_allclose(backend.check(getattr(found, name), dtype), getattr(reference, name), rtol=tol, atol=tol)


@every_dtype
def test_the_baseline_and_the_noisy_flow_on_arrays_of_every_library(backend, dtype):
    f, x0 = ig.CrossEntropy(FAMILY, backend.make(np.array([0.5, 0.3]), dtype)), backend.make(X0, dtype)
    found = ig.lbfgs(f, x0, geometry=FAMILY, max_steps=100, tol={"float64": 1e-7, "float32": 1e-3}[dtype])
    np.testing.assert_allclose(backend.check(FAMILY.to_eta(found.x), dtype), [[0.5, 0.3]] * 2, atol=2e-3)
    noisy = ig.noisy_flow(f, x0, geometry=FAMILY, update=ig.MirrorUpdate(), times=[0.0, 1.0], noise=0.0, rng=None, h=0.1)
    exact = ig.flow(ig.CrossEntropy(FAMILY, [0.5, 0.3]), X0, geometry=FAMILY, update=ig.MirrorUpdate(), times=[0.0, 1.0])
    np.testing.assert_allclose(backend.check(noisy.path, dtype), exact.path, atol=0.1)
    assert backend.check(noisy.average, dtype).shape == (2, 2, 2)


@pytest.mark.parametrize("update, step", PAIRS, ids=lambda part: type(part).__name__)
def test_no_rows_one_row_lists_and_rows_that_start_at_the_minimum(update, step):
    f, run = ig.CrossEntropy(FAMILY, [0.5, 0.3]), dict(geometry=FAMILY, update=update, step=step, max_steps=4)
    assert ig.descend(f, np.zeros((0, 2)), **run).x.shape == (0, 2)
    assert ig.descend(f, [0.5, -0.2], **run).x.shape == (2,)
    assert ig.descend(f, [0, 1], **run).path.shape == (5, 2)
    there = FAMILY.theta_from(probabilities=[0.5, 0.3, 0.2])
    both = ig.descend(f, np.stack([there, X0[0]]), **run)
    np.testing.assert_allclose(both.x[0], there, atol=1e-12)
    assert np.all(np.isfinite(both.values)) and set(both.status.tolist()) <= {Status.MAX_STEPS, Status.STALLED}
