"""Runs of many rows in blocks: the run in one piece, for any number of threads to the last bit; records of every m-th step."""
from threading import current_thread, main_thread

import numpy as np
import pytest

import infogeo as ig
from infogeo.solvers import parts
from infogeo.solvers.stop import Gap
from infogeo.training import Adam, Momentum

FAMILY, RNG = ig.Categorical(3), np.random.default_rng(0)
TARGETS, STARTS = RNG.dirichlet(np.ones(3), 37)[:, :2], RNG.standard_normal((37, 2))
FORWARD = ig.CrossEntropy(FAMILY, TARGETS)
LEAST = ig.LeastSquares(RNG.standard_normal((4, 2)), RNG.standard_normal((37, 4)))
DUAL = dict(f=ig.ReverseKL(FAMILY, STARTS).in_dual_coordinates(), x0=np.array([0.2, 0.3]), geometry=FAMILY.dual)
AFFINE = dict(f=FORWARD.pulled_back(ig.AffineMap([[2.0, 1.0], [0.0, 1.0]])), geometry=ig.Euclidean(2), update=ig.GradientUpdate())
CASES = {
    "targets": dict(),
    "starts": dict(f=ig.CrossEntropy(FAMILY, [0.5, 0.3]), record="values"),
    "step sizes": dict(x0=np.zeros(2), step=ig.Constant(np.linspace(0.1, 1.0, 5)[:, None])),
    "the first axis": dict(f=ig.CrossEntropy(FAMILY, TARGETS[:, None]), x0=STARTS[:5], update=ig.MirrorUpdate()),
    "another chart": DUAL,
    "rows that leave": DUAL | dict(update=ig.GradientUpdate(), step=np.linspace(0.01, 3.0, 37)),
    "an affine chart": AFFINE,
    "tol": dict(tol=0.05, max_steps=60, record=ig.Every(7)),
    "a gap": dict(tol=Gap(1e-3, -FAMILY.dual_potential(TARGETS)), max_steps=60, record=None),
    "line searches": dict(step=ig.Backtracking(np.full(37, 4.0)), tol=1e-6),
    "exact": dict(step=ig.Exact(2.0), max_steps=4),
    "growing": dict(step=ig.Growing(0.1)),
    "relative": dict(step=ig.RelativeSmooth(0.3), update=ig.MirrorUpdate()),
    "trust": dict(step=ig.TrustRegion(np.geomspace(1e-3, 1.0, 37))),
    "damped": dict(step=ig.Damped()),
    "Barzilai": dict(f=LEAST, geometry=ig.Euclidean(2), step=ig.BarzilaiBorwein(0.1)),
    "Polyak": dict(f=LEAST, geometry=ig.Euclidean(2), step=ig.Polyak(np.zeros(37))),
    "diminishing": dict(step=ig.Diminishing(0.5)),
    "accelerated": dict(update=ig.AcceleratedMirror(restart=ig.GradientRestart())),
    "accelerated to the end": dict(update=ig.AcceleratedMirror(), tol=0.05, max_steps=60),
    "bregman": dict(update=ig.AcceleratedBregman(1.0)),
    "averaging": dict(update=ig.DualAveraging()),
    "corrected": dict(update=ig.CorrectedNatural()),
    "momentum": dict(update=Momentum(0.5, ig.NaturalUpdate())),
    "Adam": dict(update=Adam()),
    "geodesic momentum": dict(update=ig.RiemannianMomentum(0.5), max_steps=4),
    "alpha": dict(f=ig.AlphaDivergence(FAMILY, STARTS[::-1], np.linspace(-1.0, 1.0, 37))),
    "Jensen-Shannon": dict(f=ig.JensenShannonDivergence(FAMILY, STARTS[::-1])),
}


def run(**changes):
    settings = dict(f=FORWARD, x0=STARTS, geometry=FAMILY, update=ig.NaturalUpdate(), step=ig.Constant(0.4), max_steps=12)
    settings |= changes
    return ig.descend(settings.pop("f"), settings.pop("x0"), **settings)


def leaves(state):
    return [leaf for part in state for leaf in leaves(part)] if isinstance(state, tuple) else [] if state is None else [state]


@pytest.mark.parametrize("name", CASES)
def test_blocks_of_rows_are_the_run(name, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    whole, counts = run(**CASES[name]), []
    monkeypatch.setattr(parts, "ELEMENTS", 15)
    share = parts.share
    monkeypatch.setattr(parts, "share", lambda task, items: counts.append(len(items)) or share(task, items))
    cut = run(**CASES[name])
    assert counts and counts[0] > 4
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    threaded = run(**CASES[name])
    for part in ("x", "path", "values", "status", "steps", "recorded"):
        one, other, third = (getattr(found, part) for found in (whole, cut, threaded))
        assert (one is None) == (other is None)
        if one is not None:
            np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-12, err_msg=part)
            np.testing.assert_array_equal(third, other)
    ended = np.any(whole.status != ig.Status.MAX_STEPS)         # then the state is of no use: it went on
    for one, other in () if ended else zip(leaves(whole.state), leaves(cut.state), strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-12)


class Own(ig.Objective):
    """½ |x − c|², the shapes of its points kept; with `says`, it says what it is for some rows."""
    shapes = []

    def __init__(self, c, says):
        self.c, self.rows, self.says = c, c.shape[:-1], says

    def value_and_gradient(self, x):
        self.shapes.append(x.shape)
        return 0.5 * np.sum((x - self.c)**2, axis=-1), x - self.c

    def part(self, rows):
        return Own(rows(self.c, 1), True) if self.says else None


@pytest.mark.parametrize("says", [True, False])
def test_an_objective_of_ones_own_is_cut_where_it_says_how(says, monkeypatch):
    monkeypatch.setattr(parts, "ELEMENTS", 15)
    Own.shapes.clear()
    found = run(f=Own(TARGETS, says), geometry=ig.Euclidean(2), max_steps=2, record=None)
    np.testing.assert_allclose(found.x, TARGETS + 0.36 * (STARTS - TARGETS), rtol=1e-13)
    assert (max(shape[0] for shape in Own.shapes) < 37) == says


class Scales(ig.Riemannian):
    """A metric of its own in every row."""
    dim = 2

    def metric(self, x):
        return np.arange(1.0, 38.0)[:, None, None] * np.eye(2)


@pytest.mark.parametrize("changes", [
    dict(callbacks=[lambda moment: None]), dict(step=lambda at: 0.4), dict(tol=lambda at: at.value < -9.0),
    dict(f=ig.Noisy(FORWARD, 0.1), rng=np.random.default_rng(0)), dict(f=lambda x: (np.sum(x**2, axis=-1), 2 * x)),
    dict(geometry=Scales())], ids=["callback", "step", "tol", "noise", "function", "geometry"])
def test_what_looks_at_all_rows_goes_in_one_piece(changes, monkeypatch):
    monkeypatch.setattr(parts, "ELEMENTS", 15)
    monkeypatch.setattr(parts, "share", lambda *arguments: pytest.fail("cut"))
    assert run(**changes).x.shape == (37, 2)


@pytest.mark.parametrize("shape", [(2,), (1, 2), (0, 2), (2, 1, 1, 2)], ids=str)
def test_one_row_and_none(shape, monkeypatch):
    monkeypatch.setattr(parts, "ELEMENTS", 0)
    f, x0 = ig.CrossEntropy(FAMILY, [0.5, 0.3]), np.broadcast_to(STARTS[0], shape)
    assert run(f=f, x0=x0).path.shape == (13, *shape)


def test_an_error_in_a_block_is_that_of_the_run(monkeypatch):
    class Failing(Own):
        def value_and_gradient(self, x):
            raise ig.ConvergenceError("no value", 1.0, x)

        def part(self, rows):
            return Failing(rows(self.c, 1), True)

    monkeypatch.setattr(parts, "ELEMENTS", 15)
    with pytest.raises(ig.ConvergenceError, match="no value"):
        run(f=Failing(TARGETS, True), geometry=ig.Euclidean(2))


def test_blocks_beside_one_that_is_interrupted_end_soon(monkeypatch):
    class Interrupted(Own):
        def value_and_gradient(self, x):
            self.shapes.append(x.shape)
            if len(self.shapes) > 50 and current_thread() is main_thread():
                raise KeyboardInterrupt
            return super().value_and_gradient(x)

        def part(self, rows):
            return Interrupted(rows(self.c, 1), True)

    monkeypatch.setattr(parts, "ELEMENTS", 15)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with pytest.raises(KeyboardInterrupt):
        run(f=Interrupted(TARGETS, True), geometry=ig.Euclidean(2), step=1e-9, max_steps=100_000, record=None)
    assert len(Own.shapes) < 50_000


# Records of every m-th step

@pytest.mark.parametrize("m", [1, 5, 100])
@pytest.mark.parametrize("of", ["path", "values"])
def test_thinned_records_are_those_of_the_whole(m, of):
    whole, thin = run(max_steps=12), run(max_steps=12, record=ig.Every(m, of))
    k = thin.recorded
    np.testing.assert_array_equal(k, sorted({*range(0, 13, m), 12}))
    np.testing.assert_array_equal(thin.values, whole.values[k])
    assert (thin.path is None) == (of == "values")
    if of == "path":
        np.testing.assert_array_equal(thin.path, whole.path[k])
    np.testing.assert_array_equal(whole.recorded, np.arange(13))


def test_thinned_records_of_a_run_that_ends_and_of_one_that_goes_on():
    ended = run(x0=STARTS[0], f=ig.CrossEntropy(FAMILY, [0.5, 0.3]), tol=1e-3, max_steps=500, record=ig.Every(5))
    assert ended.recorded[-1] == ended.steps and ended.steps % 5 and len(ended.path) == len(ended.recorded)
    np.testing.assert_array_equal(ended.path[-1], ended.x)
    kept = []
    whole = run(record=ig.Every(5), callbacks=[lambda m: kept.append(m.snapshot()) if m.k == 7 else None])
    again = run(record=ig.Every(5), callbacks=[lambda m: None], resume=kept[0])
    np.testing.assert_array_equal(again.path, whole.path)


def test_records_that_are_none():
    for make, message in ((lambda: ig.Every(2, "points"), "of must be 'path' or 'values'; got 'points'"),
                          (lambda: run(record="all"), "record must be 'path', 'values' or None; got 'all'")):
        with pytest.raises(ValueError, match=message):
            make()
    with pytest.raises(ig.DomainError, match="m must satisfy m an integer >= 1"):
        ig.Every(0)
