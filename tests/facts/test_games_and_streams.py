"""Vector fields, mirror-prox and optimistic mirror descent on games; streams and their regret; averages."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.geometry.manifolds.product import ProductManifold
from infogeo.solvers import Gap

from ..backends import BACKENDS

ROCK_PAPER_SCISSORS = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])


class Game:
    """min over p, max over q of p·Aq."""

    def __init__(self, A):
        self.A = A
        self.geometry = ProductManifold(*map(ig.Simplex, A.shape))
        self.field = ig.VectorField(self.both)

    def players(self, x):
        return x[..., :self.A.shape[0]], x[..., self.A.shape[0]:]

    def both(self, x):
        p, q = self.players(x)
        return np.concatenate([q @ self.A.T, -p @ self.A], axis=-1)

    def gap(self, x):
        p, q = self.players(x)
        return np.max(p @ self.A, axis=-1) - np.min(q @ self.A.T, axis=-1)

    def run(self, update, x0, h, steps, **more):
        return ig.descend(self.field, x0, geometry=self.geometry, update=update, step=h, max_steps=steps, **more)


def starts(rng, n, *sizes):
    return np.concatenate([rng.dirichlet(np.ones(k), n) for k in sizes], axis=-1)


@pytest.mark.parametrize("A", [ROCK_PAPER_SCISSORS, np.random.default_rng(0).uniform(-1, 1, (4, 3))], ids=["interior", "random"])
def test_the_average_of_mirror_prox_has_the_rate_of_its_bound(A):
    """gap(ȳ_T) ≤ max D(x₀‖u)/(hT) with h = 1/L, L = max |A|: the divergence to a vertex is −log of its probability."""
    game, x0 = Game(A), starts(np.random.default_rng(1), 5, *A.shape)
    worst = sum(-np.log(p.min(axis=-1)) for p in game.players(x0))
    bounded = []
    average = ig.Average(point=lambda moment: moment.state.y)
    watch = lambda moment: bounded.append(np.all(game.gap(average.x) <= worst * np.max(np.abs(A)) / moment.k))
    game.run(ig.MirrorProx(), x0, 1 / np.max(np.abs(A)), 200, callbacks=[average, watch], record=None)
    assert len(bounded) == 200 and all(bounded)


def test_games_are_solved_to_rounding():
    for A in (ROCK_PAPER_SCISSORS, np.random.default_rng(0).uniform(-1, 1, (6, 5))):
        game = Game(A)
        x0 = np.concatenate([np.arange(1.0, k + 1) / (k * (k + 1) / 2) for k in A.shape])
        for update in (ig.MirrorProx(), ig.Optimistic()):
            run = game.run(update, x0, 0.9, 4000, tol=lambda at: game.gap(at.x) <= 1e-12, record=None)
            assert run.status == ig.Status.CONVERGED and game.gap(run.x) <= 1e-12


def test_plain_mirror_descent_turns_away_from_an_equilibrium_within():
    game, x0 = Game(ROCK_PAPER_SCISSORS), np.array([0.4, 0.3, 0.3, 0.3, 0.4, 0.3])
    far = lambda update: game.geometry.divergence(game.run(update, x0, 0.1, 300).path, np.full(6, 1 / 3))
    assert np.all(np.diff(far(ig.MirrorUpdate())) > 0) and np.all(np.diff(far(ig.MirrorProx())) < 0)


def test_steps_written_out():
    """Two steps on x₀ x₁, with the extragradient method and with optimistic gradient descent; needs, velocity, state."""
    F = lambda x: np.stack([x[..., 1], -x[..., 0]], axis=-1)
    x0, h = np.array([[3.0, 4.0], [1.0, -2.0]]), 0.3
    run = dict(geometry=ig.Euclidean(2), step=h, max_steps=2)
    prox = ig.descend(ig.VectorField(F), x0, update=ig.MirrorProx(ig.GradientUpdate()), **run)
    one = x0 - h * F(x0 - h * F(x0))
    np.testing.assert_array_equal(prox.path[1], one)
    np.testing.assert_array_equal(prox.state.y, one - h * F(one))
    hopeful = ig.descend(ig.VectorField(F), x0, update=ig.Optimistic(ig.GradientUpdate), **run)
    first = x0 - h * F(x0)
    np.testing.assert_array_equal(hopeful.path[1:], [first, first - h * (2 * F(first) - F(x0))])
    assert ig.MirrorProx().needs == ig.MirrorUpdate().needs and ig.MirrorProx(ig.GradientUpdate()).needs == ()
    np.testing.assert_array_equal(ig.Optimistic(ig.NaturalUpdate()).velocity(ig.Euclidean(2), x0, x0), -x0)
    with pytest.raises(TypeError, match=r"twice in a step: MirrorProx\(…\).on\(objective\)"):
        ig.MirrorProx()(ig.Euclidean(2), x0, x0, h)


def test_a_field_claims_no_value():
    turn = ig.VectorField(lambda x: np.stack([x[..., 1], -x[..., 0]], axis=-1))
    run = dict(geometry=ig.Euclidean(2), max_steps=5)
    found = ig.descend(turn, [1.0, 0.0], update=ig.MirrorProx(), step=0.5, **run)
    assert found.values is None and found.path.shape == (6, 2) and "not recorded" in repr(found)
    assert np.isnan(turn.value_and_gradient(np.ones((3, 2)))[0]).all()
    for wrapped in (turn.pulled_back(ig.AffineMap(np.eye(2))), ig.Noisy(turn, 0.1)):
        found = ig.descend(wrapped, [1.0, 0.0], update=ig.MirrorProx(), step=0.5, rng=np.random.default_rng(0), **run)
        assert found.values is None
    for step, tol in ((ig.Backtracking(), None), (ig.Exact(), None), (0.5, Gap(1e-3, 0.0))):
        with pytest.raises(TypeError, match=r"compares values, and VectorField\(<lambda>\) has none"):
            ig.descend(turn, [1.0, 0.0], update=ig.GradientUpdate(), step=step, tol=tol, **run)
    breaks = ig.VectorField(lambda x: np.where(x > 1.5, np.nan, 0 * x - 1.0))
    ended = ig.descend(breaks, [[0.0], [1.0]], geometry=ig.Euclidean(1), update=ig.MirrorUpdate(), step=0.5, max_steps=3)
    assert [ig.Status(s).name for s in ended.status] == ["MAX_STEPS", "NONFINITE"]
    assert ended.x[:, 0].tolist() == [1.5, 1.5] and ended.steps.tolist() == [3, 1]      # the last points where F is a number
    flow = ig.flow(turn, [1.0, 0.0], geometry=ig.Euclidean(2), update=ig.GradientUpdate(), times=[np.pi / 2])
    np.testing.assert_allclose(flow.x, [0.0, 1.0], atol=1e-7)
    with pytest.raises(TypeError, match="VectorField takes a function"):
        ig.VectorField(3.0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_backend(backend):
    xp_field = ig.VectorField(lambda x: -x)
    for update in (ig.MirrorProx(), ig.Optimistic()):
        average = ig.Average()
        for dtype in ("float32", "float64"):
            x0 = backend.make(np.ones((2, 3)), dtype)
            run = ig.descend(xp_field, x0, geometry=ig.Euclidean(3), update=update, step=0.5, max_steps=3, callbacks=[average])
            backend.check(run.x, dtype)
            average.state = None
    items = backend.make(np.eye(3))
    stream = ig.Stream(lambda x, y: (((x - y) ** 2).sum(axis=-1) if backend.name == "numpy" else 0.0, 2 * (x - y)), items)
    found = ig.descend(stream, backend.make(np.zeros(3)), update=ig.GradientUpdate(), step=0.25, max_steps=3)
    np.testing.assert_allclose(backend.check(found.x), [0.125, 0.25, 0.5])


def portfolio(w, relatives):
    """−log of the growth of one period."""
    growth = np.sum(w * relatives, axis=-1)
    return -np.log(growth), -relatives / growth[..., None]


def test_a_portfolio_follows_the_update_of_helmbold():
    """w⁺ ∝ w exp(h r/(w·r)), of every period in turn, and the regret against the best fixed portfolio."""
    market, h = np.random.default_rng(2).lognormal(0.0, 0.05, (60, 4)), 0.05
    stream = ig.Stream(portfolio, market)
    update = dict(geometry=ig.Simplex(4), update=ig.MirrorUpdate())
    run = ig.descend(stream, np.full(4, 0.25), step=h, max_steps=60, **update)
    w, path = np.full(4, 0.25), []
    for r in market:
        path.append(w)
        w = w * np.exp(h * r / (w @ r))
        w = w / w.sum()
    np.testing.assert_allclose(run.path[1:], np.array([*path[1:], w]), rtol=0, atol=1e-15)
    np.testing.assert_allclose(run.values[:-1], [-np.log(w @ r) for w, r in zip(path, market)], atol=1e-15)
    best = ig.descend(stream.value_and_gradient, np.full(4, 0.25), step=ig.Backtracking(64.0), max_steps=50, **update).x
    regret = stream.regret(run.values, best)
    np.testing.assert_allclose(stream.value_and_gradient(best)[0], np.mean(stream.losses(best)), rtol=1e-12)
    np.testing.assert_allclose(regret, np.cumsum(run.values[:-1] - stream.losses(best)), rtol=1e-12, atol=1e-15)
    assert stream.value_and_gradient(best)[0] <= run.values[-1] and 0 <= regret[-1] <= np.log(4) / h + h * 60


def test_a_stream_of_several_runs_goes_on_where_it_was():
    loss = lambda x, y: (0.5 * np.sum((x - y) ** 2, axis=-1), x - y)
    stream = ig.Stream(loss, np.arange(8.0)[:, None])
    kept = []
    keep = lambda moment: kept.append(moment.snapshot()) if moment.k == 3 else None
    run = dict(update=ig.GradientUpdate(), step=np.array([0.1, 0.5]), max_steps=8, callbacks=[keep])
    whole = ig.descend(stream, [0.0], **run)
    np.testing.assert_array_equal(ig.descend(stream, [0.0], resume=kept[0], **run).path, whole.path)
    np.testing.assert_array_equal(ig.descend(stream, [0.0], **run).path, whole.path)
    np.testing.assert_allclose(whole.path[2], [[0.1], [0.5]])
    assert stream.regret(whole.values, [3.5]).shape == (8, 2)
    np.testing.assert_allclose(stream.regret(whole.values[:3], [3.5])[:, 0], [-6.125, -8.75])
    pulled = stream.pulled_back(ig.AffineMap(np.eye(1)))
    np.testing.assert_array_equal(ig.descend(pulled, [0.0], **run).path, whole.path)


def test_streams_that_end_or_are_none():
    stream = ig.Stream(lambda x, y: (0.0, [x[0] - y]), [1.0, 2.0])
    with pytest.raises(ig.DomainError, match=r"max_steps must satisfy max_steps <= 2, the rounds of Stream\(<lambda>, 2 rounds"):
        ig.descend(stream, [0.0], update=ig.GradientUpdate(), step=0.1, max_steps=3)
    for rounds in (np.array(1.0), [], 3):
        with pytest.raises((ig.ShapeError, TypeError), match="rounds must be"):
            ig.Stream(lambda x, y: (0.0, x), rounds)
    with pytest.raises(TypeError, match="Stream takes a function"):
        ig.Stream(None, [1.0])
    with pytest.raises(ig.ShapeError, match=r"1 to 2 steps, shape \(T \+ 1, \.\.\.\); got None"):
        stream.regret(None, [0.0])
    with pytest.raises(ig.ShapeError, match=r"shape \(T \+ 1, \.\.\.\); got \(\)"):
        stream.regret(1.0, [0.0])


def test_averages():
    f = lambda x: (np.sum(x ** 2, axis=-1) / 2, x)
    plain, late, weighed = ig.Average(), ig.Average(first=4), ig.Average(weight=lambda moment: np.array([0.0, 1.0]) + moment.k)
    run = ig.descend(f, np.ones((2, 3)), update=ig.GradientUpdate(), step=0.3, max_steps=6, callbacks=[plain, late, weighed])
    np.testing.assert_allclose(plain.x, np.mean(run.path[1:], axis=0), rtol=1e-14)
    np.testing.assert_allclose(late.x, np.mean(run.path[4:], axis=0), rtol=1e-14)
    for row in range(2):
        expected = np.average(run.path[1:, row], axis=0, weights=np.arange(1, 7) + row)
        np.testing.assert_allclose(weighed.x[row], expected, rtol=1e-14)
    assert ig.Average().x is None
    with pytest.raises(TypeError, match="weight must be a function of a Moment"):
        ig.Average(2.0)


@pytest.mark.parametrize("update", [ig.MirrorProx(), ig.Optimistic()], ids=repr)
def test_runs_go_on_bit_by_bit(update):
    game, kept = Game(ROCK_PAPER_SCISSORS), []

    def run(**more):
        average = ig.Average(weight=lambda moment: moment.k)
        keep = lambda moment: kept.append(moment.snapshot()) if moment.k == 4 else None
        return game.run(update, [0.6, 0.3, 0.1, 0.2, 0.2, 0.6], 0.4, 9, callbacks=[average, keep], **more).path, average.x

    for whole, again in zip(run(), run(resume=kept[0] if kept else None)):
        np.testing.assert_array_equal(again, whole)
