"""The testing kit: every law catches the fault that it is about, right manifolds pass, strategies draw what they say."""
import subprocess
import sys
from dataclasses import replace
from functools import cache, partial

import hypothesis
import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

import infogeo as ig
from infogeo import testing
from infogeo.domains.supports import PositiveDefiniteMatrix, SimplexPoints
from infogeo.families.catalogue import FAMILIES
from infogeo.testing import (BrokenLaw, assert_law, assert_same_path, check_dually_flat, check_exponential_family, derived,
                             taylor_slopes)
from infogeo.testing.checks import _check
from infogeo.testing.drawn_families import compositions, families_of_numbers
from infogeo.testing.integration import _coordinates, expectation_nodes
from infogeo.testing.law import above, at_least, equal

# Right manifolds pass

RIGHT = [ig.Bernoulli(), ig.Categorical(3, reference=0), ig.Poisson(), ig.Exponential(), ig.Normal(), ig.Gamma(),
         ig.MultivariateNormal(1)]
MAPS = [ig.Euclidean(2), ig.Quadratic(np.array([[2.0, 0.5], [0.5, 1.0]])), ig.NegativeEntropy(2), ig.Burg(2), ig.PNorm(2, 1.5),
        ig.PNorm(3, 3.0), ig.LogDet(2)]


@pytest.mark.parametrize("family", RIGHT, ids=repr)
def test_right_families_pass(family):
    of_numbers = {"samples follow the density", "distribution function is the sum of the density", "quantiles are inverse"}
    of_numbers = of_numbers if family.support.shape else set()
    laws = [*testing.DUALLY_FLAT_LAWS, *testing.EXPONENTIAL_FAMILY_LAWS]
    assert check_exponential_family(family) == [law for law in laws if law not in of_numbers]


@pytest.mark.parametrize("M", [*MAPS, *(M.dual for M in MAPS), *(M.dual for M in RIGHT)], ids=repr)
def test_right_manifolds_pass(M):
    everywhere = {"outside is nan"} if M.theta_domain.whole and M.eta_domain.whole else set()
    assert check_dually_flat(M) == [law for law in testing.DUALLY_FLAT_LAWS if law not in everywhere]


class LogCosh(ig.DuallyFlat):
    """ψ = log cosh θ with nothing but the contract: all else is derived."""

    dim = 1
    theta_domain = ig.domains.RealSpace(1)
    eta_domain = ig.domains.MappedDomain(ig.domains.OpenSimplex(1), lambda xp, z: 2.0 * z - 1.0,
                                         lambda xp, eta: abs(eta[..., 0]) < 1, lambda name: f"|{name}| < 1")

    def potential(self, theta):
        return np.log1p(2.0 * np.sinh(0.5 * theta[..., 0]) ** 2)

    def to_eta(self, theta):
        return np.tanh(theta)

    def metric(self, theta):
        return (1.0 / np.cosh(theta)**2)[..., None]

    def cubic_tensor(self, theta):
        return (-2.0 * np.tanh(theta) / np.cosh(theta)**2)[..., None, None]


def test_derived_methods_pass():
    """The divergence of near points is not asked of a manifold that does not override it; all other laws are."""
    assert set(testing.DUALLY_FLAT_LAWS) - set(check_dually_flat(LogCosh())) == {"divergence of near points",
                                                                                 "overrides are the derived forms"}


# Wrong ones are caught: for every law a fault that breaks it

def spoil(cls, **methods):
    """An instance of the class with some methods changed: each a function of the manifold, the right result and the arguments."""
    def changed(name, change):
        return lambda self, *args, **kwargs: change(self, getattr(super(wrong, self), name)(*args, **kwargs), *args)

    wrong = type("Wrong" + cls.__name__, (cls,), {name: changed(name, change) for name, change in methods.items()})
    return wrong()


def nearly(self, value, *args):
    return value * (1 + 1e-7)


def shifted(self, value, *args):
    return value + 1e-7


def slightly(self, value, *args):
    return value + 1e-6


def flipped(self, value, *args):
    return -value


def askew(self, value, *args):
    """One off-diagonal entry is off."""
    value = np.array(value)
    value[..., 0, 1] *= 1.001
    return value


def beyond_angles(self, value, theta):
    """A correlation of 2."""
    scale = np.sqrt(np.diagonal(value, axis1=-2, axis2=-1))
    return scale[..., :, None] * scale[..., None, :] * np.array([[1.0, 2.0], [2.0, 1.0]])


def of_the_first(self, value, *args):
    """Every row of a batch of pairs is the first one."""
    return np.broadcast_to(value[:1], value.shape) if np.ndim(value) == 2 else value


def wide(self, value, *args):
    return np.asarray(value).astype(np.float64)


def cancelling(self, value, p, q):
    return derived(ig.DuallyFlat, "divergence")(self, p, q)


def fitted_elsewhere(self, value, *args):
    return self.theta_from(mean=self.parameters(value)["mean"] + 1e-3, variance=self.parameters(value)["variance"])


FAULTS = {
    "metric is symmetric": (ig.Normal, {"metric": askew}),
    "metric is positive definite": (ig.Poisson, {"metric": flipped}),
    "metric is not negative": (ig.Normal, {"metric": beyond_angles}),
    "gradient of the potential is eta": (ig.Poisson, {"potential": nearly}),
    "derivative of eta is the metric": (LogCosh, {"metric": nearly}),
    "derivative of the metric is the cubic tensor": (LogCosh, {"cubic_tensor": flipped}),
    "cubic tensor is symmetric": (ig.Normal, {"cubic_tensor": askew}),
    "potential and eta are the two": (ig.Normal, {"potential_and_eta": lambda self, pair, theta: (pair[0] + 1e-15, pair[1])}),
    "flat is the matrix": (ig.Normal, {"flat": nearly}),
    "root is a square root": (ig.Normal, {"root": nearly}),
    "sharp is the inverse of flat": (ig.Normal, {"sharp": nearly}),
    "sharp is the dense solution": (ig.Normal, {"sharp": nearly}),
    "inner product and norm": (ig.Poisson, {"norm": nearly}),
    "images lie in the other domain": (ig.Exponential, {"to_eta": flipped}),
    "charts are inverse": (ig.Normal, {"to_theta": nearly}),
    "inversion is backward stable": (ig.Normal, {"to_theta": nearly}),
    "smooth and steep as said": (ig.Poisson, {"metric": lambda self, value, theta: np.where(theta[..., None] == 0, 0.0, value)}),
    "dual metric is the inverse": (ig.Normal, {"dual_metric": nearly}),
    "dual flat and sharp are dense": (ig.Normal, {"dual_sharp": nearly}),
    "dual cubic tensor is minus the cubic tensor": (ig.Normal, {"dual_cubic_tensor": flipped}),
    "dual methods are swapped": (ig.Normal, {}),
    "fenchel young equality": (ig.Normal, {"dual_potential": shifted}),
    "fenchel young inequality": (ig.Normal, {"kl": nearly}),
    "divergence is positive": (ig.Normal, {"kl": flipped}),
    "divergence is zero where equal": (ig.Normal, {"kl": lambda self, value, *args: value + 1e-15}),
    "divergence of near points": (ig.Normal, {"kl": cancelling}),
    "divergence is bregman in both charts": (ig.Normal, {"kl": nearly}),
    "divergence of the dual is swapped": (ig.Normal, {}),
    "jeffreys divergence": (ig.Normal, {"kl": nearly}),
    "three points": (ig.Normal, {"kl": nearly}),
    "local expansion of the divergence": (ig.Poisson, {"kl": lambda self, value, p, q: ig.Poisson.kl(self, q, p)}),
    "overrides are the derived forms": (ig.Normal, {"entropy": nearly}),
    "outside is nan": (ig.Exponential, {"potential": lambda self, value, theta: np.nan_to_num(value)}),
    "batches are rows": (ig.Normal, {"to_eta": of_the_first}),
    "dtype is kept": (ig.Normal, {"dual_potential": wide}),
    "potential is the log partition": (ig.Normal, {"log_partition": nearly}),
    "log density is of exponential form": (ig.Normal, {"log_base_measure": flipped}),
    "log density is minus infinity outside the support": (
        ig.Exponential, {"log_density": lambda self, value, theta, x: np.where(np.isinf(value), -1e3, value)}),
    "parameters and theta are inverse": (ig.Normal, {"theta_from": nearly}),
    "samples have their shape and lie in the support": (ig.Exponential, {"_draw": flipped}),
    "density is normalised": (ig.Bernoulli, {"log_density": slightly}),
    "samples follow the density": (ig.Exponential, {"_draw": lambda self, x, *args: 1.1 * x}),
    "distribution function is the sum of the density": (ig.Poisson, {"survival": slightly}),
    "quantiles are inverse": (ig.Poisson, {"quantile": lambda self, x, theta, q: x + (q == 0.5)}),
    "moments of x": (ig.Exponential, {"_covariance_of_x": lambda self, value, *args: 1.1 * value}),
    "mean of the statistic is eta": (ig.Gamma, {"_draw": lambda self, x, *args: 1.1 * x}),
    "covariance of the statistic is the metric": (ig.Poisson, {"_draw": lambda self, x, *args: x - x % 2}),
    "third cumulant is the cubic tensor": (
        ig.Exponential, {"_draw": lambda self, x, draws, theta, shape: np.abs(draws.rng.normal(0, 1, shape)) / -theta[..., 0]}),
    "natural norm of the score is the dimension": (ig.Gamma, {"_draw": lambda self, x, *args: 1.1 * x}),
    "entropy and divergence are means": (ig.Normal, {"entropy": lambda self, value, theta: value + 0.05}),
    "fit matches the mean statistic": (ig.Normal, {"fit": nearly}),
    "fit is the most likely": (ig.Normal, {"fit": fitted_elsewhere}),
    "whole weights are repetitions": (ig.Normal, {"_normalised": lambda self, pair, xp, x, weights: (pair[0], np.sqrt(pair[1]))}),
}
LAWS = testing.DUALLY_FLAT_LAWS | testing.EXPONENTIAL_FAMILY_LAWS


class Unswapped(ig.Normal):
    """A family whose dual is that of another one."""

    @property
    def dual(self):
        return spoil(ig.Normal, dual_potential=nearly, kl=nearly).dual


def wrong_manifold(law):
    cls, methods = FAULTS[law]
    return spoil(cls, **methods) if methods else Unswapped()


def test_every_law_has_its_fault():
    assert set(FAULTS) == set(LAWS) and len(LAWS) > 40


@pytest.mark.parametrize("law", LAWS)
def test_every_law_can_break(law):
    """And holds for the class as it is, at the same points."""
    M = wrong_manifold(law)
    with pytest.raises(BrokenLaw, match=f"breaks the law \"{law}\""):
        _check(M, {law: LAWS[law]}, M.theta_domain, 8, 0.5)
    right = type(M).__mro__[1]()
    assert _check(right, {law: LAWS[law]}, right.theta_domain, 8, 0.5) == [law]


def test_the_message():
    """Law, formula, the simplest point, the two numbers, how far apart they may be."""
    with pytest.raises(AssertionError) as error:
        check_dually_flat(spoil(LogCosh, cubic_tensor=flipped))
    assert error.value.law == "derivative of the metric is the cubic tensor"
    assert np.array_equal(np.shape(error.value.points), (1, 1)) and abs(error.value.points[0][0]) <= 0.1
    lines = str(error.value).splitlines()
    assert lines[0].endswith('breaks the law "derivative of the metric is the cubic tensor": ∇G = ∇³ψ = T.')
    assert lines[2] == f"    theta = {error.value.points[0].tolist()}"
    left, right = (float(line.split(" = ")[1]) for line in lines[4:6])
    assert np.isclose(left, -right, rtol=1e-6) and left != 0
    assert lines[6].startswith("They differ by ")


def test_the_point_is_the_simplest():
    """A fault beyond θ = 0.3 is reported at 0.3 to two digits, however far out the drawn points were."""
    late = spoil(LogCosh, potential=lambda self, value, theta: value + np.where(theta[..., 0] > 0.3, 1e-3 * theta[..., 0], 0.0))
    with pytest.raises(BrokenLaw) as error:
        check_dually_flat(late, scale=2.0)
    assert 0.28 < error.value.points[0][0] <= 0.32


def test_an_exception_is_a_failure_of_the_law():
    def refuse(self, value, theta):
        if np.any(theta > 0.2):
            raise ZeroDivisionError("no such point")
        return value

    with pytest.raises(BrokenLaw, match="ZeroDivisionError: no such point"):
        check_dually_flat(spoil(LogCosh, metric=refuse))


def test_a_fault_of_batches_only():
    with pytest.raises(BrokenLaw) as error:
        _check(spoil(LogCosh, dual_potential=lambda self, value, eta: value + (np.ndim(eta) == 2)),
               {"fenchel young equality": LAWS["fenchel young equality"]}, ig.domains.RealSpace(1), 5, 0.5)
    assert error.value.points[0].shape == (5, 1)


def test_the_same_every_time():
    messages = set()
    for _ in range(2):
        with pytest.raises(BrokenLaw) as error:
            check_exponential_family(wrong_manifold("mean of the statistic is eta"))
        messages.add(str(error.value))
    assert len(messages) == 1


def test_what_is_checked():
    with pytest.raises(TypeError, match="takes a DuallyFlat manifold; got int"):
        check_dually_flat(3)
    with pytest.raises(TypeError, match="takes an ExponentialFamily; got Euclidean"):
        check_exponential_family(ig.Euclidean(2))


def test_sides():
    assert not equal("a", [1.0, 2.0], "b", [1.0, 2.5], 0.5).wrong.any()
    assert equal("a", [1.0, np.nan], "b", 1.0, 0.5).wrong.tolist() == [False, True]
    assert at_least("a", [1.0, 0.0, np.nan], "b", 0.5).wrong.tolist() == [False, True, True]
    assert above("a", [1.0, 0.5], "b", 0.5).wrong.tolist() == [False, True]
    text = str(equal("left", [1.0, 2.0], "right", [1.0, 3.0], 0.1))
    assert text.splitlines() == ["left = right does not hold, entry (1,):", "    left  = 2.0", "    right = 3.0",
                                 "They differ by 1; the law allows 0.1."]


def test_a_law_that_compares_nothing_is_no_test():
    with pytest.raises(BrokenLaw, match="does not apply"):
        assert_law(LAWS["divergence of near points"], LogCosh(), np.zeros(1), np.ones(1))


# Integrals over supports

@pytest.mark.parametrize("support", [
    ig.domains.Interval(), ig.domains.Interval(2.0), ig.domains.Interval(-np.inf, 3.0), ig.domains.Interval(-1.0, 4.0),
    ig.domains.RealSpace(2), SimplexPoints(3)], ids=str)
def test_coordinates_of_a_support(support):
    """Back and forth, inside the support, with the Jacobian of its first coordinates."""
    to_u, from_u = _coordinates(support)
    u = np.random.default_rng(1).standard_normal((5, 2 if support.shape else 1))
    x, log_jacobian = from_u(u)
    x = x.reshape(5, *support.shape)
    assert np.all(support.contains(x)) and np.allclose(to_u(x).reshape(u.shape), u)
    free = lambda u: from_u(u)[0].reshape(5, -1)[:, :u.shape[1]]
    h = 1e-5
    jacobian = np.stack([(free(u + h * e) - free(u - h * e)) / (2 * h) for e in np.eye(u.shape[1])], axis=-1)
    assert np.allclose(np.log(np.abs(np.linalg.det(jacobian))), log_jacobian, atol=1e-8)


def test_supports_that_no_sum_reaches():
    """Angles, whose density does not vanish at the ends; a heavy tail; matrices."""
    x = np.linspace(-1.0, 1.0, 50)
    angles = spoil(ig.Normal, log_density=lambda self, value, *args: np.zeros_like(value))
    assert expectation_nodes(angles, np.array([0.0, -1.0]), x) is None
    heavy = spoil(ig.Poisson, log_density=lambda self, value, theta, x: -2.0 * np.log1p(x))
    assert expectation_nodes(heavy, np.zeros(1), np.arange(50.0)) is None
    assert _coordinates(PositiveDefiniteMatrix(2)) is None


def test_a_cusp_is_integrated_to_the_error_of_the_rule():
    """The rule of twice the step tells how far the sums of a density like e^{−|x|} may be off."""
    class Kink(ig.Exponential):
        support = ig.domains.Interval()

        def sufficient_statistic(self, x):
            return np.abs(x)[..., None]

        def log_base_measure(self, x):
            return np.full_like(x, -np.log(2.0))

        def expected_log_base_measure(self, theta):
            return np.full_like(theta[..., 0], -np.log(2.0))

        def _draw(self, draws, theta, shape):
            return super()._draw(draws, theta, shape) * np.where(draws.uniform(shape) < 0.5, 1.0, -1.0)

    law = {"density is normalised": LAWS["density is normalised"]}
    assert _check(Kink(), law, ig.domains.Orthant(-1), 8, 0.5) == list(law)
    double = type("Double", (Kink,), {"log_base_measure": lambda self, x: np.full_like(x, -np.log(2.0) + 1e-4)})
    with pytest.raises(BrokenLaw):
        _check(double(), law, ig.domains.Orthant(-1), 8, 0.5)


# Paths and slopes

RUN = dict(step=ig.Constant(0.2), max_steps=5)


def both_paths(M=ig.Normal(), scale=1.0):
    theta0 = M.theta_from(mean=[0.0, 1.0], variance=[1.0, 2.0])
    f = ig.CrossEntropy(M, [1.0, 3.0])
    mirror = ig.descend(f, theta0, geometry=M, update=ig.MirrorUpdate(), **RUN)
    run = dict(geometry=M.dual, update=ig.NaturalUpdate(), **RUN)
    return M, mirror, ig.descend(f.in_dual_coordinates(), scale * M.to_eta(theta0), **run)


def test_same_path():
    M, mirror, natural = both_paths()
    assert_same_path(mirror, natural, M.to_eta)
    assert_same_path(mirror, mirror)
    with pytest.raises(AssertionError, match=r"the paths part at record 0, row \(0,\)"):
        assert_same_path(mirror, natural)
    with pytest.raises(AssertionError, match="part at record 0"):
        assert_same_path(mirror, both_paths(scale=1.0 + 1e-6)[2], M.to_eta)
    assert_same_path(mirror, both_paths(scale=1.0 + 1e-6)[2], M.to_eta, rtol=1e-5)


def test_same_path_compares_records_and_endings():
    M, mirror, natural = both_paths()
    with pytest.raises(AssertionError, match="paths of shapes"):
        assert_same_path(mirror, replace(natural, path=natural.path[:-1]), M.to_eta)
    with pytest.raises(AssertionError, match=r"the status of row \(1,\) differ"):
        assert_same_path(mirror, replace(natural, status=np.array([1, 2])), M.to_eta)
    with pytest.raises(AssertionError, match=r"the steps of row \(0,\) differ: 5 and 4"):
        assert_same_path(mirror, replace(natural, steps=np.array([4, 5])), M.to_eta)
    with pytest.raises(ig.ShapeError, match="recorded"):
        assert_same_path(mirror, replace(natural, path=None))
    late = natural.path.copy()
    late[3, 1] *= 1.001
    with pytest.raises(AssertionError, match=r"part at record 3, row \(1,\)"):
        assert_same_path(mirror, replace(natural, path=late), M.to_eta)


class Slip(ig.Objective):
    """f = Σ exp(x_i), its differential wrong in coordinate 1."""

    def value_and_gradient(self, x):
        return np.sum(np.exp(x), axis=-1), np.exp(x) * np.array([1.0, 0.99, 1.0])


def test_taylor_slopes():
    x = np.array([[0.1, 0.2, 0.3], [-1.0, 0.0, 1.0]])
    wrong = taylor_slopes(Slip(), x)
    assert wrong.shape == (6, 2, 3)
    assert np.allclose(wrong[..., [0, 2]], 2.0, atol=0.02) and np.allclose(wrong[-1, :, 1], 1.0, atol=0.05)
    M = ig.Gamma()
    right = taylor_slopes(ig.CrossEntropy(M, M.to_eta([[2.0, -1.0], [3.0, -1.0]])), [2.0, -1.0])
    assert right.shape == (6, 2, 2) and np.allclose(right, 2.0, atol=0.1)


def test_taylor_slopes_of_a_linear_function():
    """Nothing but rounding is left: infinite."""
    class Linear(ig.Objective):
        def value_and_gradient(self, x):
            return np.sum(3.0 * x, axis=-1), np.full(x.shape, 3.0)

    assert np.all(np.isinf(taylor_slopes(Linear(), [0.1, 0.7])))


# Strategies

@given(M=testing.manifolds(), data=st.data())
@settings(max_examples=30)
def test_points_of_drawn_manifolds(M, data):
    for strategy, domain in (testing.thetas, M.theta_domain), (testing.etas, M.eta_domain):
        x = data.draw(strategy(M))
        assert x.shape[-1] == M.dim and x.dtype == np.float64 and np.all(domain.contains(x))


@cache
def kinds():
    """A strategy for each class, by the name of the first value, which is the simplest one."""
    simplest = partial(find, condition=lambda family: True, settings=settings(max_examples=1, phases=[Phase.generate]))
    every = [*families_of_numbers(4), *compositions(4), testing.mixture_families()]
    return {type(simplest(kind)).__name__: kind for kind in every}


def test_there_is_a_strategy_for_every_family():
    assert set(kinds()) == {*FAMILIES, "MixtureFamily"}


@pytest.mark.parametrize("name", [*FAMILIES, "MixtureFamily"])
def test_points_of_every_family(name):
    """Of every part of both domains, in either precision."""
    @given(M=kinds()[name], where=st.sampled_from(["bulk", "edge", "extreme"]), data=st.data())
    @settings(max_examples=4)
    def points(M, where, data):
        for strategy, domain in (testing.thetas, M.theta_domain), (testing.etas, M.eta_domain):
            x = data.draw(strategy(M, where=where))
            assert x.shape[-1] == M.dim and x.dtype == np.float64 and np.all(domain.contains(x))
            single = data.draw(strategy(M, (3,), "bulk", st.sampled_from(["float32"])))
            assert single.shape == (3, M.dim) and single.dtype == np.float32 and np.all(domain.contains(single))

    points()


@given(data=st.data())
@settings(max_examples=30)
def test_sizes_are_bounded(data):
    """Two outcomes, two variables, 2 × 2 matrices: a normal-Wishart law has 7 parameters, a table of three variables 26."""
    family = data.draw(testing.exponential_families(max_size=2))
    largest = {ig.Hierarchical: 26, ig.Product: 52, ig.Independent: 52}
    assert family.dim <= largest.get(type(family), 7)


@given(M=testing.curved_families(), data=st.data())
@settings(max_examples=20)
def test_curves_stay_in_their_family(M, data):
    """And have a tangent everywhere, so that the metric is positive; the derivatives are those of θ(u)."""
    u = data.draw(testing.thetas(M, (3,), "bulk"))
    assert u.shape == (3, 1) and np.all((u > 0) & (u < 1))
    theta, h = M.to_theta(u), 1e-3 * u * (1 - u)
    assert np.all(M.family.theta_domain.contains(theta)) and np.all(M.metric(u) > 0)
    size = np.max(np.abs(theta), axis=-1, keepdims=True)
    difference = (M.to_theta(u + h) - M.to_theta(u - h)) / (2 * h)             # exact, of degree two
    assert np.all(np.abs(difference - M.jacobian(u)[..., 0]) <= 1e-11 * size / h)
    second = (M.jacobian(u + h) - M.jacobian(u - h))[..., 0] / (2 * h)
    assert np.all(np.abs(second - M.second(u)[..., 0, 0]) <= 1e-11 * size / h)


@given(data=st.data())
@settings(max_examples=30)
def test_laws_hold_for_whatever_is_drawn(data):
    M = data.draw(testing.manifolds())
    law = data.draw(st.sampled_from(["flat is the matrix", "charts are inverse", "fenchel young equality"]))
    assert_law(LAWS[law], M, data.draw(testing.thetas(M, where="bulk")))


@given(family=testing.exponential_families(max_size=3), M=testing.mirror_maps(max_size=3), data=st.data())
@settings(max_examples=30)
def test_objectives_have_their_differentials(family, M, data):
    for manifold in (family, M):
        f = data.draw(testing.objectives(manifold))
        x = data.draw(testing.thetas(manifold, (), "bulk"))
        slopes = taylor_slopes(f, x, h=0.002, levels=3)
        assert np.all(slopes[-1] > 1.8)


@given(p=st.integers(1, 5), data=st.data())
@settings(max_examples=30)
def test_symmetric_positive_definite(p, data):
    matrix = data.draw(testing.symmetric_positive_definite(p, (2,)))
    assert matrix.shape == (2, p, p) and np.array_equal(matrix, np.swapaxes(matrix, -1, -2))
    assert np.all(np.linalg.eigvalsh(matrix) > 0)


def test_everything_is_drawn():
    """Families old and new, mixtures, mirror maps and a dual are found among the drawn manifolds."""
    search = partial(hypothesis.find, settings=settings(max_examples=3000, phases=[Phase.generate], database=None))
    for cls in (ig.Bernoulli, ig.Categorical, ig.MultivariateNormal, ig.Zeta, ig.Wishart, ig.LogLinear, ig.BoltzmannMachine,
                ig.Hierarchical, ig.Product, ig.Independent, ig.Truncated):
        assert isinstance(search(testing.exponential_families(), lambda M: isinstance(M, cls)), cls)
    for cls in (ig.Euclidean, ig.Quadratic, ig.NegativeEntropy, ig.Burg, ig.PNorm, ig.LogDet):
        assert isinstance(search(testing.mirror_maps(), lambda M: isinstance(M, cls)), cls)
    for cls in (ig.ExponentialFamily, ig.MixtureFamily, ig.LogDet, ig.Dual):
        assert isinstance(search(testing.manifolds(), lambda M: isinstance(M, cls)), cls)
    for kind in (ig.CrossEntropy, ig.ReverseKL, testing.Wavy):
        assert isinstance(search(testing.objectives(ig.Normal()), lambda f: isinstance(f, kind)), kind)


def test_points_shrink():
    """Hypothesis reports the point nearest to the interior point that still fails, and a single one."""
    found = find(testing.thetas(ig.Normal(), where="bulk"), lambda theta: bool(np.any(theta[..., 0] > 0.2)))
    assert found.shape == (2,) and found[1] == -1.0 and 0.2 < found[0] < 0.27


def test_edge_and_extreme_are_far_out():
    M = ig.Poisson()
    for where, least in ("edge", 2.0), ("extreme", 12.0):
        assert np.all(np.abs(find(testing.thetas(M, where=where), lambda theta: True)) >= least)
    with pytest.raises(ValueError, match="where must be one of bulk, edge, extreme"):
        testing.thetas(M, where="middle")


def test_hypothesis_is_imported_only_when_used():
    script = ("import sys, infogeo.testing as t; t.check_dually_flat; print('hypothesis' in sys.modules); "
              "t.thetas; print('hypothesis' in sys.modules)")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
    assert set(testing.__all__) == set(dir(testing)) and all(hasattr(testing, name) for name in testing.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'theta'"):
        testing.theta
