"""The rows of a batch are independent runs, each with its own status, and what a result says of itself is true."""
import numpy as np
import pytest

import infogeo as ig

from ..registry import once_each, region
from .objectives import Wavy, every_kind_of_loop, local_step

UPDATES = {"gradient": ig.GradientUpdate(), "natural": ig.NaturalUpdate(), "mirror": ig.MirrorUpdate()}
every_update = pytest.mark.parametrize("update", UPDATES.values(), ids=UPDATES)

STEPS = 25


def run(M, update, rows=..., wavy=False, **kwargs):
    """Eight rows, from steps that converge to steps that leave the domain or blow up."""
    rng = np.random.default_rng(91)
    theta0, target = region(M).sample(rng, (8,), 0.3), region(M).sample(rng, (), 0.2)
    f = Wavy(M, target) if wavy else ig.CrossEntropy(M, M.to_eta(target))
    if isinstance(update, ig.GradientUpdate):
        h = local_step(M, theta0, f, 0.1) * 10.0 ** np.arange(-3, 5)
    else:
        h = np.array([0.01, 0.1, 0.5, 1.0, 1.0, 3.0, 30.0, 1e3])
    run = dict(step=ig.Constant(h[rows]), max_steps=STEPS, tol=1e-3) | kwargs
    return f, ig.descend(f, theta0[rows], geometry=M, update=update, **run)


whole_run = once_each(run)


@pytest.mark.parametrize("wavy", [False, True], ids=["cross-entropy", "wavy"])
@every_update
@every_kind_of_loop
def test_each_row_is_its_own_run(M, update, wavy):
    _, whole = whole_run(M, update, ..., wavy)
    for i in range(8):
        _, alone = run(M, update, i, wavy=wavy)
        assert whole.status[i] == alone.status and whole.steps[i] == alone.steps
        records = len(alone.path)
        assert np.allclose(whole.path[:records, i], alone.path, rtol=1e-6, atol=1e-9)
        assert np.allclose(whole.values[:records, i], alone.values, rtol=1e-6, atol=1e-9)
        assert np.array_equal(whole.path[records:, i], np.broadcast_to(whole.x[i], whole.path[records:, i].shape))


@every_update
@every_kind_of_loop
def test_the_record_is_consistent(M, update):
    f, r = whole_run(M, update, ..., False)
    assert r.path.shape == (len(r.values), *r.x.shape) and r.status.shape == r.steps.shape == (8,)
    assert np.array_equal(r.path[-1], r.x) and np.all(M.domain.contains(r.path))
    assert np.allclose(r.values, f.value_and_gradient(r.path)[0], rtol=1e-9, atol=1e-9 * np.abs(r.values).max())
    covector = f.value_and_gradient(r.x)[1]
    with np.errstate(all="ignore"):         # a row may have run far out before it ended
        slope = np.sqrt(np.sum(covector * M.sharp(r.x, covector), axis=-1))
    assert np.array_equal(r.status == ig.Status.CONVERGED, slope <= 1e-3)
    for i, steps in enumerate(r.steps):
        assert np.all(r.path[steps:, i] == r.x[i])                          # frozen
        if steps and np.abs(r.path[:, i]).max() < 1e6:                      # farther out a step may be lost in rounding
            assert np.all(np.any(np.diff(r.path[:steps + 1, i], axis=0) != 0, axis=-1))      # moving until then
        assert (steps == STEPS) or r.status[i] != ig.Status.MAX_STEPS
        if r.status[i] in (ig.Status.LEFT_DOMAIN, ig.Status.NONFINITE):
            assert steps < STEPS
    found = {ig.Status(s).name for s in r.status}
    assert all(name in r.message for name in found) and len(r.message.splitlines()) == len(found)


@every_update
@every_kind_of_loop
def test_recording_less_changes_nothing(M, update):
    _, full = whole_run(M, update, ..., False)
    _, values = run(M, update, record="values")
    _, nothing = run(M, update, record=None)
    assert values.path is None and nothing.path is None and nothing.values is None
    assert np.array_equal(values.values, full.values)
    for r in (values, nothing):
        assert np.array_equal(r.x, full.x) and np.array_equal(r.status, full.status) and np.array_equal(r.steps, full.steps)


@every_kind_of_loop
def test_endings(M):
    """Mirror descent on the cross-entropy solves it in one step of size 1, and has not after many of size 0.01."""
    _, r = whole_run(M, UPDATES["mirror"], ..., False)
    assert r.status[0] == ig.Status.MAX_STEPS and r.steps[0] == STEPS
    assert np.all(r.status[3:5] == ig.Status.CONVERGED) and np.all(r.steps[3:5] == 1)


@every_kind_of_loop
def test_the_start_is_checked_and_kept(M):
    rng = np.random.default_rng(92)
    theta0 = region(M).sample(rng, (3,), 0.3)
    kept = theta0.copy()
    f = ig.CrossEntropy(M, M.to_eta(region(M).sample(rng, (), 0.3)))
    theta0.flags.writeable = False
    r = ig.descend(f, theta0, geometry=M, update=ig.NaturalUpdate(), step=ig.Constant(0.5), max_steps=3)
    assert np.array_equal(theta0, kept) and np.array_equal(r.path[0], kept)
    bad = theta0.copy()
    bad[1, 0] = np.nan
    with pytest.raises(ig.DomainError, match="^x0 must satisfy .* 1 of 3 points does not, first at index \\(1,\\)"):
        ig.descend(f, bad, geometry=M, update=ig.NaturalUpdate(), step=ig.Constant(0.5), max_steps=3)


@every_kind_of_loop
def test_targets_and_steps_broadcast(M):
    """A grid of targets × step sizes is one call."""
    rng = np.random.default_rng(93)
    theta0, targets = region(M).sample(rng, (), 0.2), M.to_eta(region(M).sample(rng, (3, 1), 0.2))
    h = np.array([0.1, 0.2])
    run = dict(geometry=M, update=ig.MirrorUpdate(), max_steps=4)
    grid = ig.descend(ig.CrossEntropy(M, targets), theta0, step=ig.Constant(h), **run)
    assert grid.path.shape == (5, 3, 2, M.dim)
    for i in range(3):
        for j in range(2):
            alone = ig.descend(ig.CrossEntropy(M, targets[i, 0]), theta0, step=ig.Constant(h[j]), **run)
            assert np.allclose(grid.path[:, i, j], alone.path, rtol=1e-9, atol=1e-10 * np.abs(alone.path).max())
