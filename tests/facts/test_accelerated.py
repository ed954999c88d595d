"""Accelerated and averaged methods: what they are for a Euclidean generator, their bounds, published figures, their answers."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.objectives.random import _Linear

SIMPLEX = ig.Categorical(50).dual
UNIFORM = np.full(49, 1 / 50)


def least_squares_on_the_simplex():
    """½|Ap − b|² with b = Ap*, in the chart without the last probability; L and p*."""
    rng = np.random.default_rng(0)
    A, p = rng.standard_normal((30, 50)) / 6, rng.dirichlet(np.full(50, 0.1))
    f = ig.LeastSquares(A, A @ p)
    return f.pulled_back(ig.AffineMap(np.vstack([np.eye(49), -np.ones(49)]), np.eye(50)[-1])), f.relative_smoothness, p[:-1]


F, L, BEST = least_squares_on_the_simplex()


def run(update, max_steps=2000, step=1 / L, f=F, x0=UNIFORM, geometry=SIMPLEX, **more):
    return ig.descend(f, x0, geometry=geometry, update=update, step=step, max_steps=max_steps, **more)


def test_acceleration_on_the_simplex():
    """Steps to 1e-3, 1e-4, 5e-5: mirror descent 103, 916, 1607, accelerated 29, 91, 119, Bregman with exponent 2 25, 84, 107."""
    assert L == pytest.approx(1.263315, abs=1e-6)
    figures = {ig.MirrorUpdate(): ([103, 916, 1607], [0.0137060, 0.00103130, 9.0247e-5, 3.6826e-5]),
               ig.AcceleratedMirror(): ([29, 91, 119], [0.0104328, 7.92073e-5, 1.06473e-8, 2.45597e-10]),
               ig.AcceleratedBregman(2.0): ([25, 84, 107], [5.96209e-3, 6.09261e-5, 3.47457e-8, 2.08888e-9])}
    for update, (steps, values) in figures.items():
        found = run(update, record="values").values
        np.testing.assert_allclose(found[[10, 100, 1000, 2000]], values, rtol=1e-4)
        assert [int(np.argmax(found < level)) for level in (1e-3, 1e-4, 5e-5)] == steps


def answers(update, steps, **more):
    """The answers after 1, 2, … steps."""
    kept = []
    run(update, steps, record=None, callbacks=[lambda m: kept.append(m.state.x if hasattr(m.state, "x") else m.state.y)], **more)
    return np.stack(kept)


@pytest.mark.parametrize("r", [2.0, 3.0, 5.0])
def test_the_bound_of_accelerated_mirror_descent(r):
    """f(y_k) − f* ≤ r² D / (h k (k + r − 1)), where h = 1/L: on the simplex, whose generator is no quadratic, it holds, too."""
    values = F.value_and_gradient(answers(ig.AcceleratedMirror(r), 300))[0]
    k, D = np.arange(1, 301), SIMPLEX.divergence(UNIFORM, BEST)
    assert D == pytest.approx(1.5348941, abs=1e-6)
    assert np.all(values <= r * r * L * D / (k * (k + r - 1)))


@pytest.mark.parametrize("gamma", [1.0, 2.0])
def test_the_bound_of_accelerated_bregman(gamma):
    """(γ / (k − 1 + γ))^γ D / h: γ = 1 for the entropy, and γ = 2 for half the square, where D = ½|x* − x₀|²."""
    geometry, f, h = (SIMPLEX, F, 1 / L) if gamma == 1.0 else (ig.Euclidean(49), F, 1 / (2 * L * 50))
    values = f.value_and_gradient(answers(ig.AcceleratedBregman(gamma), 300, geometry=geometry, step=h))[0]
    D = geometry.divergence(UNIFORM, BEST)
    assert np.all(values <= (gamma / (np.arange(300) + gamma))**gamma * D / h)


QUADRATIC = ig.LeastSquares(np.diag([1.0, 0.3, 0.05]), [1.0, -2.0, 0.4])
EUCLIDEAN = dict(f=QUADRATIC, x0=np.array([1.0, 2.0, -1.0]), geometry=ig.Euclidean(3), step=0.9)


def test_with_the_euclidean_generator_r_2_is_nesterovs_method_of_2005():
    """x_0; y_k = x_k − h c_k; z_k = x_0 − h Σ_{i ≤ k} (i + 1)/2 c_i; x_{k+1} = 2/(k + 3) z_k + (k + 1)/(k + 3) y_k."""
    found, x0, h = run(ig.AcceleratedMirror(r=2), 40, **EUCLIDEAN), EUCLIDEAN["x0"], EUCLIDEAN["step"]
    x, total = x0, 0.0
    for k in range(40):
        np.testing.assert_allclose(found.path[k], x, rtol=1e-12)
        c = QUADRATIC.value_and_gradient(x)[1]
        y, total = x - h * c, total + (k + 1) / 2 * c
        x = 2 / (k + 3) * (x0 - h * total) + (k + 1) / (k + 3) * y
    np.testing.assert_allclose(found.x, y, rtol=1e-12)


def test_with_the_euclidean_generator_r_1_is_nesterovs_method_with_momentum():
    """y_k = x_k − h c_k and x_{k+1} = y_k + (k − 1)/(k + 1) (y_k − y_{k−1}), k = 1, 2, …"""
    found, x, before = run(ig.AcceleratedMirror(r=1), 40, **EUCLIDEAN), EUCLIDEAN["x0"], 0.0
    for k in range(1, 41):
        np.testing.assert_allclose(found.path[k - 1], x, rtol=1e-11, atol=1e-13)
        y = x - EUCLIDEAN["step"] * QUADRATIC.value_and_gradient(x)[1]
        x, before = y + (k - 1) / (k + 1) * (y - before), y
    np.testing.assert_allclose(found.x, y, rtol=1e-11, atol=1e-13)


def test_restarts_help_where_the_minimum_is_strong():
    """Plain acceleration oscillates; with a restart it is far lower after as many steps, and every row restarts by itself."""
    rule = {name: run(ig.AcceleratedMirror(restart=restart), 400, **EUCLIDEAN).x
            for name, restart in (("none", None), ("gradient", ig.GradientRestart()))}
    value = {name: QUADRATIC.value_and_gradient(x)[0] for name, x in rule.items()}
    assert value["gradient"] < 1e-3 * value["none"]
    starts = np.array([[1.0, 2.0, -1.0], [3.0, -9.0, 4.0]])
    both = run(ig.AcceleratedMirror(restart=ig.GradientRestart()), 60, **EUCLIDEAN | dict(x0=starts))
    for row in range(2):
        alone = run(ig.AcceleratedMirror(restart=ig.GradientRestart()), 60, **EUCLIDEAN | dict(x0=starts[row]))
        np.testing.assert_allclose(both.path[:, row], alone.path, rtol=1e-12, atol=1e-12)
    assert both.state.k[0] < both.state.k[1]


@pytest.mark.parametrize("update", [ig.AcceleratedMirror(), ig.AcceleratedBregman(2.0)], ids=["mirror", "bregman"])
def test_a_row_that_ended_keeps_its_answer(update):
    """Though the state of all rows goes on: the answer of the row that converges first is that of its run alone."""
    both = run(update, 400, step=np.array([1 / L, 0.1 / L]), tol=3e-2, record=None)
    alone = run(update, 400, step=1 / L, tol=3e-2, record=None)
    assert alone.steps == both.steps[0] < both.steps[1]
    np.testing.assert_allclose(both.x[0], alone.x, rtol=1e-10)
    assert np.abs(update.answer(None, both.state)[0] - both.x[0]).max() > 1e-6


def test_dual_averaging_with_a_constant_step_is_mirror_descent():
    ours, theirs = run(ig.DualAveraging(), 30), run(ig.MirrorUpdate(), 30)
    np.testing.assert_allclose(ours.path, theirs.path, rtol=1e-11)
    falling = run(ig.DualAveraging(), 2, step=ig.Diminishing(1.0, power=0.5)).path
    c = F.value_and_gradient(falling)[1]
    expected = SIMPLEX.to_theta(SIMPLEX.to_eta(UNIFORM) - (c[0] + c[1]) / 2**0.5)
    np.testing.assert_allclose(falling[2], expected, rtol=1e-12)


STATEFUL = [ig.AcceleratedMirror(restart=ig.GradientRestart()), ig.AcceleratedBregman(1.0), ig.DualAveraging(),
            ig.RiemannianMomentum(0.5)]


@pytest.mark.parametrize("update", STATEFUL, ids=lambda update: type(update).__name__)
@pytest.mark.parametrize("step", [ig.Growing(0.5), ig.BarzilaiBorwein(0.05)], ids=lambda step: type(step).__name__)
def test_a_run_that_goes_on_is_the_run_bit_by_bit(update, step):
    family, kept = ig.Categorical(3).dual, []
    f = ig.ReverseKL(ig.Categorical(3), [0.4, -0.3]).in_dual_coordinates()
    more = dict(f=f, geometry=family, x0=np.array([[0.2, 0.2], [0.3, 0.6]]), step=step)
    whole = run(update, 12, callbacks=[lambda m: kept.append(m.snapshot()) if m.k == 5 else None], **more)
    again = run(update, 12, callbacks=[lambda m: None], resume=kept[0], **more)
    for name in ("x", "path", "values", "status"):
        np.testing.assert_array_equal(getattr(again, name), getattr(whole, name))


class Observations(ig.Objective):
    """−log p(x | θ) of one fresh observation a row and step."""

    def __init__(self, M, q, n):
        self.M, self.q, self.rows = M, q, (n,)

    def value_and_gradient(self, theta):
        return ig.CrossEntropy(self.M, self.M.to_eta(self.q)).value_and_gradient(theta)

    def draw(self, rng):
        return _Linear(self.M, self.M.sufficient_statistic(self.M.sample(rng, self.q, self.rows)))


@pytest.mark.parametrize("update, step, last, mean", [
    (ig.NaturalUpdate(), ig.Diminishing(1.0, offset=20.0), 0.9809, None),
    (ig.NaturalUpdate(), ig.Diminishing(2.0, offset=20.0), 1.3147, None),
    (ig.GradientUpdate(), ig.Diminishing(4.0, offset=5.0, power=2 / 3), 5.9394, 1.1408)], ids=["c = 1", "c = 2", "averaged"])
def test_fisher_efficiency(update, step, last, mean):
    """T E|θ − θ_q|²_G / d of 2000 chains, one observation a step: c²/(2c − 1) for h = c/k, and 1 for the mean of plain steps."""
    M, T, average = ig.Categorical(3), 2000, ig.Average()
    q = M.theta_from(probabilities=[0.5, 0.3, 0.2])
    found = run(update, T, f=Observations(M, q, 2000), x0=np.broadcast_to(q, (2000, 2)), geometry=M, step=step, record=None,
                rng=np.random.default_rng(3), callbacks=[average])
    error = lambda x: T * np.mean(M.norm(q, x - q)**2) / 2
    assert error(found.x) == pytest.approx(last, abs=2e-4)
    assert mean is None or error(average.x) == pytest.approx(mean, abs=2e-4)


def test_bad_arguments():
    with pytest.raises(ig.DomainError, match="r must satisfy r > 0"):
        ig.AcceleratedMirror(r=0.0)
    with pytest.raises(TypeError, match="restart must be a Restart"):
        ig.AcceleratedMirror(restart=ig.GradientRestart)
    with pytest.raises(ig.DomainError, match="gamma must satisfy 0 < gamma <= 2; got 3"):
        ig.AcceleratedBregman(3)
    with pytest.raises(TypeError, match="the run needs a geometry, whose to_eta"):
        run(ig.AcceleratedMirror(), 1, geometry=None)
