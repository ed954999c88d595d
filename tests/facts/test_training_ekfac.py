"""EK-FAC: bases seldom, second moments every step; both forms of K-FAC go on from a snapshot."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.curvature import ChainFactors, EigenFactors, ExactColumns, KroneckerFactors
from infogeo.networks import MLP, ConditionalModel, Glorot
from infogeo.training import EKFAC, KFAC, ConstantLambda, FullLength, GammaOfLambda, Refresh

MODEL = ConditionalModel(MLP((4, 5, 2)), ig.Categorical(3))


def problem():
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((60, 4)), MODEL.network.init(rng, Glorot())
    return MODEL.objective((x, MODEL.sample(rng, 3 * w, x))), w


def states(update, f, w, steps):
    found = []
    run = ig.descend(f, w, update=update, step=1.0, max_steps=steps, callbacks=[lambda moment: found.append(moment.state)])
    return run, found


def test_first_step_by_hand():
    """−(½ (s_a s_bᵀ + S) + γ²)⁻¹ ∇L in the eigenbases of the first factors, dense."""
    f, w = problem()
    update = EKFAC(ExactColumns(), damping=ConstantLambda(0.04), gamma=GammaOfLambda(), rescaling=FullLength())
    run, _ = states(update, f, w, 1)
    batch = f.x, f.y
    factors = KroneckerFactors.of(MODEL, w, batch)
    bases = factors.bases()
    S = EigenFactors.of(MODEL, w, batch, bases).S
    gradient, blocks = f.value_and_gradient(w)[1], []
    for (Q_a, Q_b), A, G, s in zip(bases, factors.A, factors.G, S):
        product = np.outer(np.diag(Q_a.T @ A @ Q_a), np.diag(Q_b.T @ G @ Q_b))
        Q = np.kron(Q_a, Q_b)
        blocks.append(Q @ np.diag(0.5 * (product + s).ravel()) @ Q.T)
    dense = np.zeros((w.size, w.size))
    place = 0
    for block in blocks:
        dense[place:place + len(block), place:place + len(block)] = block
        place += len(block)
    np.testing.assert_allclose(run.x - w, -np.linalg.solve(dense + 0.04 * np.eye(w.size), gradient), rtol=1e-9, atol=1e-12)


def test_bases_are_seldom_and_moments_are_not():
    f, w = problem()
    _, found = states(EKFAC(refresh=Refresh(period=4, first=1)), f, w, 9)
    bases = [state.factors.moments.value.bases for state in found]
    new = [k + 1 for k in range(1, 9) if bases[k] is not bases[k - 1]]
    assert new == [4, 8]
    S = [state.factors.moments.value.S[0] for state in found]
    assert all(not np.array_equal(S[k], S[k - 1]) for k in range(1, 9))
    assert [state.factors.moments.k for state in found] == [2, 3, 4, 2, 3, 4, 5, 2, 3]


@pytest.mark.parametrize("update", [EKFAC(ExactColumns(), refresh=Refresh(3, 1)), KFAC(ExactColumns(), factors=ChainFactors)],
                         ids=["eigenbases", "tridiagonal"])
def test_it_trains_and_goes_on(update):
    f, w = problem()
    kept = []
    whole = ig.descend(f, w, update=update, step=1.0, max_steps=8,
                       callbacks=[lambda moment: kept.append(moment.snapshot()) if moment.k == 4 else None])
    assert np.all(np.diff(whole.values) <= 0) and whole.values[-1] < 0.5 * whole.values[0]
    rest = ig.descend(f, w, update=update, step=1.0, max_steps=8, callbacks=[lambda moment: None], resume=kept[0])
    assert np.array_equal(rest.x, whole.x)
