"""What a run asks of the metric: one solve a step whatever is tried on it, and the metric of the step's examples."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.curvature import WeightSpace, fisher
from infogeo.curvature.damping import KrylovTikhonov, Tikhonov
from infogeo.curvature.fisher import FisherOperator
from infogeo.networks import MLP, ConditionalModel, Glorot
from infogeo.training import MiniBatches, Regularised

MODEL = ConditionalModel(MLP((4, 5, 2)), ig.Categorical(3))
RNG = np.random.default_rng(0)
W0, X = MODEL.network.init(RNG, Glorot()), RNG.standard_normal((60, 4))
BATCH = X, RNG.integers(0, 3, 60)
LOSS = MODEL.objective(BATCH)


class ByKernel(ig.Riemannian):
    """G = diag(1, 4), its solves counted."""
    dim, solves = 2, 0

    def _metric(self, xp, x):
        return xp.asarray([[1.0, 0.0], [0.0, 4.0]]) + 0.0 * x[..., None]

    def _sharp(self, xp, x, covector):
        self.solves += 1
        return covector / xp.asarray([1.0, 4.0])


class ByName(ByKernel):
    """The public name overridden, and the same array returned at every call."""

    def sharp(self, x, covector):
        self.solves += 1
        self.kept = getattr(self, "kept", np.empty_like(covector))
        return np.divide(covector, [1.0, 4.0], out=self.kept)


class Bowl:
    def value_and_gradient(self, x):
        return np.sum(x**4 + x**2, axis=-1), 4 * x**3 + 2 * x


STEPS = {"constant": ig.Constant(0.1), "backtracking": ig.Backtracking(64.0), "exact": ig.Exact(), "growing": ig.Growing(64.0),
         "damped": ig.Damped(), "polyak": ig.Polyak(0.0)}


@pytest.mark.parametrize("shape", [(), (3,)], ids=str)
@pytest.mark.parametrize("kind", [ByKernel, ByName])
@pytest.mark.parametrize("name", STEPS)
def test_one_solve_a_step_whatever_is_tried(name, kind, shape):
    """And with `tol` one more, at the last point, for an update that asks for a direction as for one that is a step."""
    for tol, more in ((None, 0), (1e-300, 1)):
        M, x0 = kind(), np.full((*shape, 2), 1.5) + np.arange(2)
        run = ig.descend(Bowl(), x0, geometry=M, update=ig.NaturalUpdate(), step=STEPS[name], max_steps=4, tol=tol)
        assert M.solves == 4 + more and np.all(run.steps == 4)


def test_fisher_products_of_line_searches(monkeypatch):
    """A metric damped by conjugate gradients: Backtracking and Exact multiply as often as Constant, up to another path's."""
    products, matvec = [], FisherOperator._matvec
    monkeypatch.setattr(FisherOperator, "_matvec", lambda self, v: products.append(1) or matvec(self, v))
    M = WeightSpace(MODEL, BATCH, fisher, KrylovTikhonov(1e-1))

    def count(step, tol=None):
        products.clear()
        ig.descend(LOSS, W0, geometry=M, update=ig.NaturalUpdate(), step=step, max_steps=3, tol=tol)
        return len(products)

    constant = count(0.5)
    assert abs(count(ig.Backtracking(64.0)) - constant) <= 0.1 * constant
    assert abs(count(ig.Exact()) - constant) <= 0.1 * constant
    assert constant < count(0.5, 1e-9) < 1.6 * constant


def test_the_metric_of_a_step_is_that_of_its_mini_batch():
    """x − h (F_b + c)⁻¹ g_b by hand, F_b and g_b of the examples that the step drew; the last look is at all of them."""
    M = WeightSpace(MODEL, BATCH, fisher, Tikhonov(0.1))
    objective = Regularised(MiniBatches(LOSS, 12), 0.01)
    run = ig.descend(objective, W0, geometry=M, update=ig.NaturalUpdate(), step=0.3, max_steps=3, rng=np.random.default_rng(5),
                     record="path")
    again, rng, w = Regularised(MiniBatches(LOSS, 12), 0.01), np.random.default_rng(5), W0
    for k in range(3):
        seen = again.draw(rng)
        F = fisher(MODEL, w, (seen.f.x, seen.f.y)).dense() + 0.1 * np.eye(w.size)
        w = w - 0.3 * np.linalg.solve(F, seen.value_and_gradient(w)[1])
        np.testing.assert_allclose(run.path[k + 1], w, rtol=1e-9)
    assert M.on(LOSS).batch[0] is LOSS.x
    other = ConditionalModel(MLP((4, 5, 2)), ig.Categorical(3))
    assert M.on(other.objective(BATCH)) is M and M.on(Bowl()) is M
    assert ig.Categorical(3).on(Bowl()) == ig.Categorical(3)


def test_the_hessian_of_the_divergence_of_weights_is_the_fisher_metric():
    """In either argument, by central differences; the divergence is the mean KL of the outputs, 0 where both are one."""
    M, rng = WeightSpace(MODEL, BATCH, fisher, Tikhonov(0.1)), np.random.default_rng(1)
    v = rng.standard_normal((6, W0.size)) * 1e-3
    F = fisher(MODEL, W0, BATCH).dense()
    expected = 0.5 * np.sum(v * (v @ F), axis=-1)
    for sides in ((W0, lambda s: W0 + s), (lambda s: W0 + s, W0)):
        there, back = (M.divergence(*(side(s) if callable(side) else side for side in sides)) for s in (v, -v))
        np.testing.assert_allclose(0.5 * (there + back), expected, rtol=1e-4)
    p, q = W0, W0 + 0.5 * rng.standard_normal((2, 3, W0.size))
    kl = ig.Categorical(3).kl(MODEL.theta(p, X), MODEL.theta(q, X)).mean(axis=-1)
    np.testing.assert_allclose(M.divergence(p, q), kl, rtol=1e-12)
    assert M.divergence(p, p) == 0.0
