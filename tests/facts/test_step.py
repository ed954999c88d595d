"""Step rules on problems whose line minimum is known."""
import numpy as np
import pytest

import infogeo as ig

Q = np.array([[3.0, 1.0], [1.0, 2.0]])


class QuadraticForm:
    """½ xᵀQx."""

    def value_and_gradient(self, x):
        covector = x @ Q
        return 0.5 * np.sum(x * covector, axis=-1), covector


def descend(step, x0=((1.0, -2.0), (-3.0, 0.5)), update=ig.GradientUpdate(), f=QuadraticForm(), geometry=ig.Euclidean(2), **more):
    return ig.descend(f, np.array(x0), geometry=geometry, update=update, step=step, **{"max_steps": 20, **more})


def test_exact_finds_the_line_minimum_of_a_quadratic():
    """h* = c·c / c·Qc: steepest descent in closed form, to √ε."""
    result = descend(ig.Exact(), max_steps=6)
    x = result.path[0]
    for k in range(6):
        c = x @ Q
        h = np.sum(c * c, axis=-1) / np.sum(c * (c @ Q), axis=-1)
        x = x - h[:, None] * c
        np.testing.assert_allclose(result.path[k + 1], x, atol=1e-7 * abs(result.path[k]).max())
        x = result.path[k + 1]


@pytest.mark.parametrize("h", [1e-6, 1.0, 1e3])
def test_exact_does_not_depend_on_where_its_bracket_starts(h):
    result = descend(ig.Exact(h), max_steps=1)
    reference = descend(ig.Exact(0.1), max_steps=1)
    np.testing.assert_allclose(result.x, reference.x, atol=1e-7)


def test_exact_on_a_mirror_curve_reaches_the_target_in_one_step():
    """Forward KL along the m-geodesic towards the target: the line minimum is h = 1."""
    family = ig.Categorical(3)
    f = ig.CrossEntropy(family, [0.5, 0.3])
    result = descend(ig.Exact(0.3), x0=[[1.0, -1.0]], update=ig.MirrorUpdate(), f=f, geometry=family, max_steps=1)
    np.testing.assert_allclose(family.to_eta(result.x), [[0.5, 0.3]], atol=1e-6)


@pytest.mark.parametrize("step", [ig.Backtracking(100.0), ig.Exact(100.0), ig.Backtracking(1.0, factor=0.9)], ids=str)
def test_line_searches_are_monotone(step):
    result = descend(step)
    assert np.all(np.diff(result.values, axis=0) <= 0)
    assert np.all(result.values[-1] < 0.05 * result.values[0])


def test_backtracking_is_the_largest_power_that_decreases_enough():
    """f(x − hc) ≤ f(x) − c₁ h |c|² holds for h ≤ 2 (1 − c₁) c·c / c·Qc; the rule takes the first β^j below that."""
    x = np.array([[1.0, -2.0], [-3.0, 0.5]])
    c = x @ Q
    bound = 2 * (1 - 0.8) * np.sum(c * c, axis=-1) / np.sum(c * (c @ Q), axis=-1)
    expected = 8.0 * 0.5**np.ceil(np.log2(8.0 / bound))
    result = descend(ig.Backtracking(8.0, factor=0.5, sufficient=0.8), max_steps=1)
    np.testing.assert_allclose(result.x, x - expected[:, None] * c, rtol=1e-13)


def test_backtracking_stays_in_the_domain():
    """In η, where a fixed step of this size leaves the simplex."""
    family = ig.Categorical(3)
    f = ig.CrossEntropy(family, [0.5, 0.3]).in_dual_coordinates()
    start = np.array([[0.01, 0.98], [1e-4, 1e-4]])
    fixed = descend(ig.Constant(1.0), x0=start, f=f, geometry=family.dual)
    assert np.all(fixed.status == ig.Status.LEFT_DOMAIN)
    searched = descend(ig.Backtracking(1.0), x0=start, f=f, geometry=family.dual, max_steps=100)
    assert set(searched.status.tolist()) <= {ig.Status.MAX_STEPS, ig.Status.STALLED}
    np.testing.assert_allclose(searched.x, [[0.5, 0.3]] * 2, rtol=1e-3)


@pytest.mark.parametrize("target", [[0.5, 0.3], [0.9, 0.05]])
def test_relative_smooth_steps_are_monotone_mirror_descent(target):
    """KL(p‖q) in θ is not convex, yet mirror descent with this rule decreases it at every step."""
    family = ig.Categorical(3)
    q = family.theta_from(probabilities=[*target, 1 - sum(target)])
    starts = np.random.default_rng(0).normal(scale=2.0, size=(30, 2))
    result = descend(ig.RelativeSmooth(4.0), x0=starts, update=ig.MirrorUpdate(), f=ig.ReverseKL(family, q), geometry=family,
                     max_steps=60)
    assert np.all(np.diff(result.values, axis=0) <= 1e-14)
    assert np.all(result.values[-1] < 0.05 * result.values[0] + 1e-12)


def test_relative_smooth_on_a_relatively_smooth_function_takes_the_whole_step():
    """Forward KL is 1-smooth relative to ψ: h = 1 is accepted, and one step is exact."""
    family = ig.Categorical(3)
    f = ig.CrossEntropy(family, [0.5, 0.3])
    result = descend(ig.RelativeSmooth(1.0), x0=[[1.0, -1.0]], update=ig.MirrorUpdate(), f=f, geometry=family, max_steps=1)
    np.testing.assert_allclose(family.to_eta(result.x), [[0.5, 0.3]], rtol=1e-13)


def test_diminishing_schedule():
    """h / (k + offset)^power, as seen on a constant slope."""
    class Slope:
        def value_and_gradient(self, x):
            return x[..., 0], np.ones_like(x)

    run = lambda step: -np.diff(descend(step, x0=[0.0], f=Slope(), geometry=ig.Euclidean(1), max_steps=5).path[:, 0])
    np.testing.assert_allclose(run(ig.Diminishing(1.0)), [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5], rtol=1e-12)
    np.testing.assert_allclose(run(ig.Diminishing(3.0, offset=4.0, power=0.5)), 3 / np.sqrt([4, 5, 6, 7, 8]), rtol=1e-12)


@pytest.mark.parametrize("rule", [ig.Constant, ig.Diminishing, ig.Backtracking, ig.Exact, ig.RelativeSmooth])
@pytest.mark.parametrize("h", [0.0, -1.0, [0.1, -0.1], np.nan])
def test_step_sizes_are_positive(rule, h):
    with pytest.raises(ig.DomainError, match="^h must satisfy h > 0; "):
        rule(h)


@pytest.mark.parametrize("factor", [0.0, 1.0, 1.5])
def test_backtracking_factor_is_between_0_and_1(factor):
    with pytest.raises(ig.DomainError, match="factor must satisfy 0 < factor < 1"):
        ig.Backtracking(factor=factor)


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_relative_smooth_factor_is_between_0_and_1(factor):
    with pytest.raises(ig.DomainError, match="factor must satisfy 0 < factor < 1"):
        ig.RelativeSmooth(factor=factor)


@pytest.mark.parametrize("rule", [ig.Constant, ig.Diminishing, ig.Backtracking, ig.Exact])
def test_each_row_may_have_its_own_step_size(rule):
    h = np.array([0.05, 0.2])
    together = descend(rule(h), max_steps=3)
    for row in range(2):
        alone = descend(rule(float(h[row])), x0=together.path[0, row], max_steps=3)
        np.testing.assert_allclose(together.path[:, row], alone.path, rtol=1e-9, atol=1e-9)


def test_a_line_search_at_a_minimum_stays():
    for step in (ig.Backtracking(1.0), ig.Exact(1.0)):
        np.testing.assert_array_equal(descend(step, x0=[[0.0, 0.0]], max_steps=2).x, [[0.0, 0.0]])


@pytest.mark.parametrize("theta, target", [(-0.2, 3.0), (-5.0, 0.1), (-1.0, 0.2)])
def test_relative_smooth_measures_from_the_point_to_the_trial(theta, target):
    """f = ψ − θη̂ is its own model with B_ψ(y : x): the first h ≤ 1 is taken, whatever B_ψ(x : y) is."""
    family, step = ig.Exponential(), ig.RelativeSmooth(4.0, factor=0.9)
    f = ig.CrossEntropy(family, [target])
    result = descend(step, x0=[[theta]], update=ig.MirrorUpdate(), f=f, geometry=family, max_steps=1)
    before, after = family.to_eta(result.path)
    h = (before - after) / (before - target)
    np.testing.assert_allclose(h, 4.0 * 0.9**np.ceil(np.log(1 / 4.0) / np.log(0.9)), rtol=1e-9)


def test_step_sizes_are_copies():
    """An array that the caller changes later changes no run, and the rule's own cannot be written."""
    h = np.array([0.1, 0.2])
    for rule in (ig.Constant, ig.Diminishing, ig.Backtracking, ig.RelativeSmooth, ig.Exact):
        step = rule(h)
        assert step.rows == (2,) and rule(0.3).rows == ()
        with pytest.raises(ValueError, match="read-only"):
            step.h[0] = 7.0
    step = ig.Constant(h)
    h[0] = 9.0
    np.testing.assert_array_equal(step.h, [0.1, 0.2])


def test_what_a_rule_of_ones_own_sees():
    """k, x, value, covector, geometry, the curve of the update and the values along it; what was before."""
    seen = []

    class Halving(ig.Step):
        def __call__(self, at):
            h = 0.5**at.k
            trial = at.curve(h)
            np.testing.assert_array_equal(trial, at.x - h * at.covector)
            np.testing.assert_array_equal(at.probe(trial), at.objective.value_and_gradient(trial)[0])
            seen.append((at.k, at.x, at.value, at.covector, at.geometry, at.last))
            return h

    space = ig.Euclidean(2)
    result = descend(Halving(), geometry=space, max_steps=3)
    for k, (count, x, value, covector, geometry, last) in enumerate(seen):
        assert count == k and geometry is space
        np.testing.assert_array_equal(x, result.path[k])
        np.testing.assert_array_equal(value, result.values[k])
        np.testing.assert_array_equal(covector, x @ Q)
        np.testing.assert_array_equal(last[0], result.path[max(k - 1, 0)])


@pytest.mark.parametrize("make, name", [
    (lambda: ig.Diminishing(1.0, offset=0.0), "offset"), (lambda: ig.Backtracking(halvings=0), "halvings"),
    (lambda: ig.RelativeSmooth(halvings=1.5), "halvings"), (lambda: ig.Exact(sections=0), "sections"),
    (lambda: ig.Constant(np.inf), "h"),
])
def test_arguments_are_checked(make, name):
    with pytest.raises(ig.DomainError, match=f"^{name} must satisfy"):
        make()
