"""Whole weights are repetitions: of the loss, its derivatives, every curvature and every update that looks at examples."""
import numpy as np
import pytest

import infogeo as ig
from infogeo import curvature
from infogeo.curvature import ExactColumns, Observed, Reduce, UnitVectors
from infogeo.networks import CrossEntropyLoss, RelativeWeights
from infogeo.training import (EKFAC, KFAC, TONGA, AdaptiveNatural, DiagonalNewton, GaussNewtonDiagonal, HarmonicRate, InputSide,
                              LowRankNatural, MiniBatches, OutputSide, RelativeNatural, Share, StructuredNatural, TwoSided)

from ..facts.training_helpers import MODELS, problem

COUNTS = np.array([2, 0, 1, 3, 1, 1, 2, 1])


def both(name):
    """(model, w, a batch with weights, the batch with repetitions, a vector)."""
    model, w, (x, y) = problem(name, n=len(COUNTS))
    return model, w, (x, y, 0.7 * COUNTS), (np.repeat(x, COUNTS, axis=0), np.repeat(y, COUNTS, axis=0)), np.cos(np.arange(w.size))


def same(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12 * np.max(np.abs(b)))


CURVATURES = {
    "fisher": lambda *at: curvature.fisher(*at).dense(),
    "fisher, solved": lambda *at: curvature.fisher(*at).shifted(0.1).solve(np.ones(at[1].size)),
    "fisher, its diagonal": lambda *at: curvature.fisher(*at).diagonal(),
    "empirical": lambda *at: curvature.empirical_fisher(*at).dense(),
    "empirical, its diagonal": lambda *at: curvature.empirical_fisher(*at).diagonal(),
    "empirical, solved": lambda *at: curvature.empirical_fisher(*at).shifted(0.1).solve(np.ones(at[1].size)),
    "hessian": lambda *at: curvature.hessian(*at).dense(),
    "diagonal": lambda *at: curvature.diagonal_fisher(*at).dense(),
    "blocks": lambda *at: curvature.block_diagonal(*at).dense(),
    "unitwise": lambda *at: curvature.unitwise_fisher(*at).dense(),
    "quasi-diagonal": lambda *at: curvature.quasi_diagonal(*at).dense(),
    "kfac": lambda *at: curvature.kfac(*at).dense(),
    "kfac, reduced": lambda *at: curvature.kfac(*at, outputs=Observed(), sharing=Reduce()).dense(),
    "chain": lambda *at: curvature.kfac_tridiagonal(*at, sharing=Reduce()).factored_shift(0.1).dense(),
    "ekfac": lambda *at: curvature.ekfac(*at).dense(),
    "low rank": lambda *at: curvature.low_rank_fisher(*at, 4).dense(),
    "propagated": lambda *at: curvature.hessian_diagonal(*at, UnitVectors()),
    "propagated across": lambda *at: curvature.hessian_estimate(*at, UnitVectors()).dense(),
    "propagated Gauss-Newton": lambda *at: curvature.gauss_newton_diagonal(*at, UnitVectors()),
}


@pytest.mark.parametrize("name", CURVATURES)
@pytest.mark.parametrize("problem_name", MODELS)
def test_curvatures(problem_name, name):
    model, w, weighted, repeated, _ = both(problem_name)
    same(CURVATURES[name](model, w, weighted), CURVATURES[name](model, w, repeated))


@pytest.mark.parametrize("name", MODELS)
def test_losses(name):
    model, w, weighted, repeated, v = both(name)
    f, g = model.objective(weighted), model.objective(repeated)
    for a, b in zip(f.value_and_gradient(w), g.value_and_gradient(w)):
        same(a, b)
    same(f.hessian_vector(w, v), g.hessian_vector(w, v))
    same(f.per_example_gradients(w).mean(axis=0), f.value_and_gradient(w)[1])
    same(f.value_and_gradient(np.stack([w, -w]))[1][1], g.value_and_gradient(-w)[1])
    targets = [CrossEntropyLoss(model, (batch[0], model.family.sufficient_statistic(batch[1]), *batch[2:]))
               for batch in (weighted, repeated)]
    for a, b in zip(*(h.value_and_gradient(w) for h in targets)):
        same(a, b)


UPDATES = {
    "kfac": lambda: KFAC(ExactColumns()),
    "ekfac": lambda: EKFAC(ExactColumns()),
    "tonga": lambda: TONGA(),
    **{kind.__name__: lambda kind=kind: KFAC(ExactColumns(), factors=kind)
       for kind in (curvature.ChainFactors, curvature.UnitFactors, curvature.QuasiDiagonalFactors)},
    "adaptive": lambda: AdaptiveNatural(0.1, HarmonicRate()),
    "relative": lambda: RelativeNatural(refresh=2),
    "diagonal": lambda: DiagonalNewton(GaussNewtonDiagonal()),
    "low rank": lambda: LowRankNatural(curvature.OnlineLowRank(3, 0.9), curvature.Tikhonov(0.1), ExactColumns()),
    **{kind.__name__: lambda kind=kind: StructuredNatural(kind(), curvature.FactoredTikhonov(0.1)) for kind in (TwoSided,)},
    **{kind.__name__: lambda kind=kind: StructuredNatural(kind(), curvature.Tikhonov(0.1)) for kind in (InputSide, OutputSide)},
}


@pytest.mark.parametrize("name", UPDATES)
def test_training(name):
    model, w, weighted, repeated, _ = both("categorical")
    ends = [ig.descend(model.objective(batch), w, geometry=ig.Euclidean(w.size), update=UPDATES[name](), step=0.3, max_steps=4,
                       record="values") for batch in (weighted, repeated)]
    np.testing.assert_allclose(ends[0].values, ends[1].values, rtol=1e-9)
    np.testing.assert_allclose(ends[0].x, ends[1].x, rtol=1e-6, atol=1e-8)


def test_natural_gradient_in_weight_space():
    model, w, weighted, repeated, _ = both("normal")
    ends = []
    for batch in (weighted, repeated):
        space = curvature.WeightSpace(model, batch, curvature.kfac, curvature.FactoredTikhonov(0.1))
        ends.append(ig.descend(model.objective(batch), w, geometry=space, update=ig.NaturalUpdate(), step=0.3, max_steps=3).x)
        ends.append(space.divergence(w, ends[0]))
    same(ends[0], ends[2])
    same(ends[1], ends[3])


def test_mini_batches_are_unbiased():
    """Of samples in a few mini-batches that are all of them once, the losses have the mean of the whole; metrics go with them."""
    model, w, (x, y, weights), _, _ = both("categorical")
    whole = model.objective((x, y, weights))
    stream, rng = MiniBatches(whole, 2), np.random.default_rng(0)
    parts = [stream.draw(rng) for _ in range(4)]
    same(np.mean([part.value_and_gradient(w)[1] for part in parts], axis=0), whole.value_and_gradient(w)[1])
    F = [curvature.fisher(model, w, part.batch).dense() for part in parts]
    same(np.mean(F, axis=0), curvature.fisher(model, w, whole.batch).dense())
    done, batch = Share(0.5).record(whole, w)
    assert isinstance(batch[2], RelativeWeights) and done.n == 4 and np.array_equal(done.weights, whole.weights[:4])


def test_samples_in_blocks():
    """Many samples go block by block."""
    model, w, (x, y) = problem("convolution", n=3)
    n = model.network.rows_of_a_block + 5
    weights = np.random.default_rng(0).integers(0, 3, n).astype(float)
    x, y = (np.resize(a, (n, *a.shape[1:])) for a in (x, y))
    kept = [np.sum(weights[i::3]) for i in range(3)]
    small, large = (x[:3], y[:3], kept), (x, y, weights)
    for a, b in zip(model.value_and_gradient(w, large), model.value_and_gradient(w, small)):
        same(a, b)
    for name in ("kfac", "ekfac", "diagonal"):
        same(CURVATURES[name](model, w, large), CURVATURES[name](model, w, small))


def test_what_is_refused():
    model, w, (x, y, weights), _, _ = both("categorical")
    for wrong, error, words in ((-weights, ig.DomainError, "weights >= 0"), (0 * weights, ig.DomainError, "the sum of weights"),
                                (weights[1:], ig.ShapeError, r"weights must have shape \(8,\); got \(7,\)"),
                                (weights + np.nan, ig.DomainError, "weights")):
        with pytest.raises(error, match=words):
            model.objective((x, y, wrong))
        with pytest.raises(error, match=words):
            curvature.kfac(model, w, (x, y, wrong))
