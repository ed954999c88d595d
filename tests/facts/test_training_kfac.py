"""K-FAC: a step by hand, the quadratic model, the rules of its dampings, runs that go on bit by bit."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.curvature.kronecker_factors import CappedAverage, KroneckerFactors, RunningAverage
from infogeo.curvature.outputs import ExactColumns, RandomSigns, Sampled
from infogeo.networks import MLP, ConditionalModel, Glorot
from infogeo.training.data import MiniBatches, Regularised
from infogeo.training.kfac import KFAC, FullLength, KFACState, QuadraticLength, QuadraticMomentum, Refresh, Share
from infogeo.training.quadratic_model import quadratic_model
from infogeo.training.rules import ConstantLambda, GammaOfLambda, GammaSearch, LevenbergMarquardt

MODEL = ConditionalModel(MLP((3, 4, 2)), ig.Categorical(3))
SPACE = ig.Euclidean(MODEL.network.size)


def problem(n=30, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 3))
    truth = MODEL.network.init(rng, Glorot())
    return (x, MODEL.sample(rng, 2.0 * truth, x)), MODEL.network.init(rng, Glorot())


def run(update, objective, w0, **changes):
    settings = dict(geometry=ig.Euclidean(w0.shape[-1]), update=update, step=ig.Constant(1.0), max_steps=8, record="path")
    return ig.descend(objective, w0, **settings | changes)


SIMPLE = dict(outputs=ExactColumns(), damping=ConstantLambda(0.3), gamma=GammaOfLambda())


@pytest.mark.parametrize("c", [0.0, 0.05])
def test_steps_by_hand(c):
    """Two steps from dense matrices: factors averaged half and half, δ = α Δ + μ δ₀ from the 2 × 2 system of the exact Fisher."""
    batch, w = problem()
    f = Regularised(MODEL.objective(batch), c)
    path = run(KFAC(**SIMPLE), f, w, max_steps=2).path
    total, factors, before = 0.3 + c, None, None
    for k in range(2):
        fresh = KroneckerFactors.of(MODEL, w, batch)
        factors = fresh if k == 0 else factors.blend(fresh, 0.5)
        blocks = []
        for A, G in zip(factors.A, factors.G):
            pi = np.sqrt((np.trace(A) / len(A)) / (np.trace(G) / len(G)))
            root = np.sqrt(total)
            blocks.append(np.kron(A + pi * root * np.eye(len(A)), G + root / pi * np.eye(len(G))))
        covector = f.value_and_gradient(w)[1]
        sizes = np.cumsum([0, *(len(b) for b in blocks)])
        V = [-np.concatenate([np.linalg.solve(b, covector[i:j]) for b, i, j in zip(blocks, sizes, sizes[1:])])]
        V = np.array(V if before is None else [*V, before])
        F = MODEL.fisher_vector(w, batch[0], np.eye(w.size)) + total * np.eye(w.size)
        before = np.linalg.solve(V @ F @ V.T, -V @ covector) @ V
        w = w + before
        np.testing.assert_allclose(path[k + 1], w, rtol=1e-9, atol=1e-12)


def test_one_linear_layer_is_fitted_in_one_step():
    """There the Kronecker block is the Hessian: with next to no damping the first step is Newton's."""
    rng = np.random.default_rng(2)
    x = rng.standard_normal((50, 3))
    model = ConditionalModel(MLP((3, 2)), ig.Independent(ig.NormalKnownVariance(1.0), 2))
    y = x @ rng.standard_normal((3, 2)) + rng.standard_normal((50, 2))
    f = model.objective((x, y))
    w = run(KFAC(**SIMPLE | {"damping": ConstantLambda(1e-12)}), f, np.zeros(8), max_steps=1).x
    np.testing.assert_allclose(f.value_and_gradient(w)[1], 0.0, atol=1e-6)


def test_quadratic_model():
    batch, w = problem()
    rng = np.random.default_rng(4)
    V, covector = rng.standard_normal((2, w.size)), rng.standard_normal(w.size)
    model = quadratic_model(MODEL.record(w, batch[0]), covector, V, 0.1)
    F = MODEL.fisher_vector(w, batch[0], np.eye(w.size)) + 0.1 * np.eye(w.size)
    np.testing.assert_allclose(model.curvature, V @ F @ V.T, rtol=1e-12)
    np.testing.assert_allclose(model.slope, V @ covector, rtol=1e-12)
    a = model.minimiser()
    for change in rng.standard_normal((20, 2)):
        assert model.value(a) < model.value(a + 0.1 * change)
    delta = a @ V
    np.testing.assert_allclose(model.value(a), 0.5 * delta @ F @ delta + covector @ delta, rtol=1e-12)


def test_directions_that_depend_on_each_other():
    batch, w = problem()
    v = np.random.default_rng(5).standard_normal(w.size)
    done = MODEL.record(w, batch[0])
    one = quadratic_model(done, v, v[None, :], 0.1)
    for second in (0.0 * v, 3.0 * v):
        two = quadratic_model(done, v, np.stack([v, second]), 0.1)
        np.testing.assert_allclose(two.value(two.minimiser()), one.value(one.minimiser()), rtol=1e-10)


def test_momentum_never_promises_less():
    batch, w = problem()
    state = run(KFAC(**SIMPLE), MODEL.objective(batch), w, max_steps=3)
    x, f = state.x, MODEL.objective(batch)
    before = state.path[-1] - state.path[-2]
    done = MODEL.record(x, batch[0])
    covector = f.value_and_gradient(x)[1]
    inverse = KroneckerFactors.of(MODEL, x, batch).operator().factored_shift(0.3)
    values = {}
    for rescaling in (QuadraticMomentum(), QuadraticLength(), FullLength()):
        values[type(rescaling)] = KFAC(**SIMPLE, rescaling=rescaling).trial(done, covector, 0.3, inverse, before, 0.3).promise
    assert values[QuadraticMomentum] < values[QuadraticLength] < values[FullLength]


def test_levenberg_marquardt():
    rule = LevenbergMarquardt(10.0, decay=0.9, period=2, smallest=8.0)
    assert [k for k in range(1, 7) if rule.due(k)] == [2, 4, 6]
    assert rule.next(10.0, 0.9) == pytest.approx(8.1)
    assert rule.next(8.1, 2.0) == 8.0
    assert rule.next(10.0, 0.5) == 10.0
    for ratio in (0.2, -1.0, float("nan")):
        assert rule.next(10.0, ratio) == pytest.approx(10.0 / 0.81)
    with pytest.raises(ig.DomainError, match="decay"):
        LevenbergMarquardt(decay=1.0)
    with pytest.raises(ig.DomainError, match="start"):
        ConstantLambda(0.0)


def test_gamma_search():
    rule = GammaSearch(decay=0.9, period=2)
    assert rule.start(4.0) == 2.0
    assert rule.candidates(1, 2.0, 4.0) == [2.0]
    assert rule.candidates(2, 2.0, 4.0) == pytest.approx([2.0, 2.0 * 0.81, 2.0 / 0.81])
    assert GammaOfLambda().candidates(2, 2.0, 9.0) == [3.0]


def states(update, objective, w, **changes):
    seen = []
    run(update, objective, w, callbacks=[lambda moment: seen.append(moment.state)], **changes)
    return seen


def test_the_best_gamma_is_kept_and_lambda_follows_the_ratio():
    """γ moves by one notch at most where it is searched; λ falls where the model holds."""
    batch, w = problem()
    update = KFAC(ExactColumns(), damping=LevenbergMarquardt(50.0, period=1), gamma=GammaSearch(0.8, period=2))
    found = states(update, MODEL.objective(batch), w, max_steps=12)
    gammas = np.array([s.gamma for s in found])
    steps = gammas[1:] / gammas[:-1]
    assert np.all(np.isclose(steps[:, None], [0.64, 1.0, 1 / 0.64]).any(axis=1))
    assert np.all(steps[1::2] == 1.0) and np.any(steps != 1.0)
    good = [s for i, s in enumerate(found) if min(t.ratio for t in found[:i + 1]) > 0.75]
    np.testing.assert_allclose([s.lam for s in good], 50.0 * 0.95 ** np.arange(1, len(good) + 1))
    assert found[0].ratio > 0.75


def test_inverses_are_as_old_as_the_refresh_says():
    batch, w = problem()
    found = states(KFAC(**SIMPLE, refresh=Refresh(period=4, first=2)), MODEL.objective(batch), w, max_steps=9)
    fresh = [k + 1 for k in range(9) if k == 0 or found[k].inverse is not found[k - 1].inverse]
    assert fresh == [1, 2, 4, 8]


def test_the_factors_are_as_old_as_the_learning_says():
    """Those of the last such step alone, where the average forgets the others."""
    batch, w = problem()
    update, found = KFAC(**SIMPLE, learning=Refresh(4, 0), averaging=RunningAverage(0.0)), []
    run(update, MODEL.objective(batch), w, max_steps=9, callbacks=[lambda moment: found.append((moment.before, moment.state))])
    assert [k + 1 for k in range(9) if k == 0 or found[k][1].factors is not found[k - 1][1].factors] == [1, 4, 8]
    fresh = KroneckerFactors.of(MODEL, found[7][0], batch)
    for ours, theirs in zip(found[8][1].factors.value.A + found[8][1].factors.value.G, fresh.A + fresh.G):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)


def test_a_step_has_one_forward_pass(monkeypatch):
    """The loss at the next point, by which a step is judged, is that of the next step."""
    batch, w = problem()
    f, passes = MODEL.objective(batch), []
    real = type(MODEL).record
    monkeypatch.setattr(type(MODEL), "record", lambda *args: passes.append(1) or real(*args))
    run(KFAC(ExactColumns()), Regularised(f, 1e-3), w, max_steps=8)
    assert len(passes) == 9
    f.value_and_gradient(w)
    assert len(passes) == 10


def test_shares_of_a_mini_batch():
    batch, w = problem()
    likelihood = MODEL.objective(batch)
    done, (x, y) = Share(0.25).record(likelihood, w)
    assert done.n == 8 and len(x) == len(y) == 8
    np.testing.assert_array_equal(x, batch[0][:8])
    assert Share().record(likelihood, w)[0].n == 30
    assert Share(1e-9).record(likelihood, w)[0].n == 1
    for wrong in (0.0, 1.5, float("nan")):
        with pytest.raises(ig.DomainError, match="of"):
            Share(wrong)


@pytest.mark.parametrize("outputs", [Sampled, RandomSigns])
def test_it_trains_and_goes_on_bit_by_bit(outputs):
    """Mini-batches, random covectors, λ, γ, momentum: everything is in the snapshot."""
    batch, w = problem(60)
    kept = []

    def keep(moment):
        if moment.k == 7:
            kept.append(moment.snapshot())

    def go(seed, **changes):
        update = KFAC(outputs(np.random.default_rng(seed)), damping=LevenbergMarquardt(5.0, period=2),
                      gamma=GammaSearch(period=3), averaging=CappedAverage(0.9), statistics=Share(0.5), products=Share(0.5))
        f = Regularised(MiniBatches(MODEL.objective(batch), 20), 1e-3)
        return run(update, f, w, max_steps=15, rng=np.random.default_rng(seed), callbacks=[keep], **changes)

    whole = go(3)
    assert whole.values[-1] < 0.7 * whole.values[0]
    again = go(99, resume=kept[0])
    np.testing.assert_array_equal(again.path, whole.path)
    np.testing.assert_array_equal(again.values, whole.values)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_on_every_backend(backend, dtype):
    batch, w = problem()
    expected = run(KFAC(**SIMPLE), MODEL.objective(batch), w, max_steps=3).path
    moved = tuple(backend.make(np.asarray(part, dtype=float), dtype) for part in batch)
    path = run(KFAC(**SIMPLE), MODEL.objective(moved), backend.make(w, dtype), max_steps=3).path
    tol = 1e-9 if dtype == "float64" else 2e-3
    np.testing.assert_allclose(backend.check(path, dtype), expected, rtol=tol, atol=tol)


def test_weights_of_a_narrower_dtype_than_the_examples(backend):
    """The run is in theirs, with and without mini-batches and weight decay."""
    batch, w = problem()
    wide = tuple(backend.make(np.asarray(part, dtype=float)) for part in batch)
    for made in (MODEL.objective, lambda batch: Regularised(MiniBatches(MODEL.objective(batch), 30), 1e-3)):
        expected = run(KFAC(**SIMPLE), made(batch), w, max_steps=3, rng=np.random.default_rng(0)).path
        path = run(KFAC(**SIMPLE), made(wide), backend.make(w, "float32"), max_steps=3, rng=np.random.default_rng(0)).path
        np.testing.assert_allclose(backend.check(path, "float32"), expected, rtol=2e-3, atol=2e-3)


def test_what_it_does_not_take():
    batch, w = problem()
    with pytest.raises(TypeError, match="likelihood"):
        run(KFAC(**SIMPLE), ig.CrossEntropy(ig.Categorical(3), [0.5, 0.3]), np.zeros(2))
    with pytest.raises(ig.ShapeError, match="one model"):
        run(KFAC(**SIMPLE), MODEL.objective(batch), np.stack([w, w]))
    with pytest.raises(TypeError, match="vector field"):
        KFAC(**SIMPLE).velocity(SPACE, w, w)
    assert KFACState().k == 0


def test_step_rules_ask_for_the_same_step():
    """A line search over h does not draw anew, and the momentum term is scaled along."""
    batch, w = problem()
    update = KFAC(RandomSigns(np.random.default_rng(0)), damping=ConstantLambda(0.3)).on(MODEL.objective(batch))
    state, covector = update.init(w), MODEL.objective(batch).value_and_gradient(w)[1]
    one, half = (update(SPACE, w, covector, h, state)[0] - w for h in (1.0, 0.5))
    np.testing.assert_allclose(half, 0.5 * one, rtol=1e-12)


def test_it_needs_no_geometry():
    batch, w = problem()
    run = dict(update=KFAC(**SIMPLE), step=ig.Constant(1.0), max_steps=3)
    bare, flat = ig.descend(MODEL.objective(batch), w, **run), ig.descend(MODEL.objective(batch), w, geometry=SPACE, **run)
    np.testing.assert_array_equal(bare.path, flat.path)
    assert isinstance(bare.state, KFACState) and bare.state.k == 3


def test_weight_decay_adds_up():
    """Of an objective that is regularised twice."""
    batch, w = problem()
    once, twice = Regularised(MODEL.objective(batch), 0.3), Regularised(Regularised(MODEL.objective(batch), 0.1), 0.2)
    np.testing.assert_allclose(run(KFAC(**SIMPLE), twice, w).path, run(KFAC(**SIMPLE), once, w).path, rtol=1e-8, atol=1e-10)
