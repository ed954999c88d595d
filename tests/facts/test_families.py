"""What a family says, word by word, of parameters, samples and weights that it cannot take; what it promises beside the laws."""
from inspect import Parameter, signature

import numpy as np
import pytest

import infogeo as ig
from infogeo import backend

from ..registry import every_family

FAMILIES = {
    "Bernoulli": (ig.Bernoulli(), dict(probability=0.3)),
    "Categorical": (ig.Categorical(3), dict(probabilities=[0.5, 0.3, 0.2])),
    "Poisson": (ig.Poisson(), dict(rate=2.5)),
    "Exponential": (ig.Exponential(), dict(rate=2.5)),
    "Normal": (ig.Normal(), dict(mean=1.0, variance=4.0)),
    "Gamma": (ig.Gamma(), dict(shape=2.0, rate=0.5)),
    "Dirichlet": (ig.Dirichlet(3), dict(concentration=[1.0, 2.0, 3.0])),
    "MultivariateNormal": (ig.MultivariateNormal(2), dict(mean=[1.0, 2.0], covariance=[[2.0, 0.5], [0.5, 1.0]])),
}
EVERY = pytest.mark.parametrize("family, ordinary", [pytest.param(*case, id=name) for name, case in FAMILIES.items()])


@EVERY
def test_names_are_exact(family, ordinary):
    names = ", ".join(family.ordinary)
    with pytest.raises(TypeError) as error:
        family.theta_from(**ordinary, sigma=1.0)
    assert str(error.value) == f"{family!r} takes the parameters {names}; got {', '.join(ordinary)}, sigma"
    with pytest.raises(TypeError) as error:
        family.theta_from()
    assert str(error.value) == f"{family!r} takes the parameters {names}; got none"


@every_family
def test_signatures_show_the_names(M):
    shown = signature(M.theta_from).parameters
    others = ["mean"] if isinstance(M, ig.NegativeBinomial) else []
    assert list(shown) == [*M.ordinary, *others, *["boundary"] * M.has_limits]
    assert all(each.kind is Parameter.KEYWORD_ONLY for each in shown.values())
    assert M.theta_from.__doc__ == ig.families.base.ExponentialFamily.theta_from.__doc__
    assert list(M.parameters(M.theta_domain.interior_point)) == list(M.ordinary)


def test_help_shows_the_names():
    """Also where a family takes the names of its base; a subclass shows its own."""
    assert str(signature(ig.Normal.theta_from)).startswith("(self, /, *, mean: ")
    assert "`mean`, `variance`" in ig.Normal().parameters.__doc__
    assert list(signature(ig.Truncated(ig.Gamma(), 1.0).theta_from).parameters) == ["shape", "rate"]
    assert list(signature(ig.Product(ig.Normal(), ig.Poisson()).theta_from).parameters)[:-1] == ["mean_0", "variance_0", "rate_1"]

    class Precise(ig.Normal):
        ordinary = {"mean": ig.domains.Interval(), "precision": ig.domains.Interval(0)}

        def _theta_from(self, xp, mean, precision):
            return super()._theta_from(xp, mean, 1.0 / precision)

    assert list(signature(Precise().theta_from).parameters) == ["mean", "precision"]
    assert np.array_equal(Precise().theta_from(mean=1.0, precision=4.0), ig.Normal().theta_from(mean=1.0, variance=0.25))


class TwicePublic(ig.Gamma):
    """A user's family by the public names: twice the η and the metric of the gamma family."""

    def to_eta(self, theta):
        return 2.0 * super().to_eta(theta)

    def metric(self, theta):
        return 2.0 * super().metric(theta)


class TwiceKernel(ig.Gamma):
    """The same by the kernels."""

    def _to_eta(self, xp, theta):
        return 2.0 * super()._to_eta(xp, theta)

    def _metric(self, xp, theta):
        return 2.0 * super()._metric(xp, theta)


class FourTimes(TwicePublic):
    def to_eta(self, theta):
        return 2.0 * super().to_eta(theta)


class FourTimesKernel(TwiceKernel):
    def to_eta(self, theta):
        return 2.0 * super().to_eta(theta)


@pytest.mark.parametrize("cls, factor", [(TwicePublic, 2.0), (TwiceKernel, 2.0), (FourTimes, 4.0), (FourTimesKernel, 4.0)])
def test_an_override_is_respected_everywhere(cls, factor):
    """By either name, also by super(), where other formulas, the dual, a wrapping family, an objective and a loop ask for it."""
    M, base = cls(), ig.Gamma()
    theta = base.theta_domain.sample(np.random.default_rng(0), (4,))
    eta, vector = base.to_eta(theta), np.ones((4, 2))
    for found in (M.to_eta(theta), M.potential_and_eta(theta)[1], M.dual.to_theta(theta), ig.Independent(M, 1).to_eta(theta)):
        np.testing.assert_array_equal(found, factor * eta)
    np.testing.assert_array_equal(M.expected_log_base_measure(theta), -factor * eta[..., 0])
    np.testing.assert_array_equal(M.metric(theta), 2.0 * base.metric(theta))
    np.testing.assert_allclose(M.log_volume_element(theta), base.log_volume_element(theta) + np.log(2.0), atol=1e-13)
    many = np.tile(theta, (40_000, 1))                                                              # in blocks
    np.testing.assert_array_equal(M.to_eta(many), np.tile(factor * eta, (40_000, 1)))
    f = ig.CrossEntropy(M, goal := base.eta_domain.interior_point)
    np.testing.assert_array_equal(f.value_and_gradient(theta)[1], factor * eta - goal)
    step = ig.descend(f, theta, geometry=M, update=ig.GradientUpdate(), step=ig.Constant(1e-9), max_steps=1)
    np.testing.assert_array_equal(step.x, theta - 1e-9 * (factor * eta - goal))
    assert np.all(np.isnan(M.to_eta(-vector[0])))


@EVERY
def test_parameters_are_finite(family, ordinary):
    for name, value in ordinary.items():
        for bad in (np.nan, np.inf):
            with pytest.raises(ig.DomainError, match=f"^{name} must satisfy {name}|^{name} must satisfy 0 < {name}"):
                family.theta_from(**ordinary | {name: np.asarray(value, dtype=float) * bad})


def sample(family, ordinary, n=200, batch=()):
    return family.sample(np.random.default_rng(0), family.theta_from(**ordinary), (n, *batch))


@EVERY
def test_fit_of_a_batch_of_samples(family, ordinary):
    """Axis 0 is the sample, the others are a batch; weights (n,) or (n, …), of which only the ratios matter."""
    x = sample(family, ordinary, 200, (3,))
    weights = np.random.default_rng(1).random((200, 3))
    fitted, weighted = family.fit(x), family.fit(x, 7.0 * weights)
    assert fitted.shape == (3, family.dim)
    for row in range(3):
        np.testing.assert_allclose(fitted[row], family.fit(x[:, row]), rtol=1e-9)
        np.testing.assert_allclose(weighted[row], family.fit(x[:, row], weights[:, row]), rtol=1e-9)
    np.testing.assert_allclose(family.fit(x, np.full(200, 3.0)), fitted, rtol=1e-9)


@EVERY
def test_weights_are_checked(family, ordinary):
    x = sample(family, ordinary, 5)
    for weights in (-np.ones(5), np.array([1.0, -3.0, 1.0, 1.0, 1.0]), np.full(5, np.nan), np.full(5, np.inf)):
        with pytest.raises(ig.DomainError, match=r"^weights must satisfy weights >= 0( and finite)?; \d of 5 points do(es)? "
                                                 r"not, first at index \((0|1),\): (-1|-3|nan|inf)"):
            family.fit(x, weights)
    with pytest.raises(ig.DomainError, match="^the sum of weights must satisfy the sum of weights > 0; got 0.0$"):
        family.fit(x, np.zeros(5))
    with pytest.raises(ig.ShapeError, match=r"weights must have shape \(5,\); got \(4,\)"):
        family.fit(x, np.ones(4))


@EVERY
def test_fit_needs_a_sample_axis(family, ordinary):
    with pytest.raises(ig.ShapeError, match="x must have a sample axis of at least one observation first"):
        family.fit(sample(family, ordinary, 1)[0])
    with pytest.raises(ig.ShapeError, match="x must have a sample axis of at least one observation first"):
        family.fit(sample(family, ordinary, 1)[:0])


@EVERY
def test_theta_outside_its_domain_is_refused(family, ordinary):
    bad = np.full(family.dim, np.nan)
    with pytest.raises(ig.DomainError, match="^theta must satisfy "):
        family.log_density(bad, sample(family, ordinary, 1)[0])
    with pytest.raises(ig.DomainError, match="^theta must satisfy "):
        family.sample(np.random.default_rng(0), bad)
    with pytest.raises(ig.ShapeError, match="^theta must have shape "):
        family.sample(np.random.default_rng(0), np.zeros(family.dim + 1))


@EVERY
def test_kernels_give_nan_outside_and_do_not_clip(family, ordinary):
    """A NaN in a coordinate is a NaN in the result, and the other rows are right."""
    theta = family.theta_from(**ordinary)
    batch = np.stack([theta, theta * np.nan])
    for result, alone in [(family.to_eta(batch), family.to_eta(theta)), (family.potential(batch), family.potential(theta)),
                          (family.metric(batch), family.metric(theta)), (family.kl(batch, theta), 0.0)]:
        np.testing.assert_allclose(result[0], alone, rtol=1e-14, atol=1e-300)
        assert np.any(np.isnan(result[1]))


@EVERY
def test_families_are_values(family, ordinary):
    """Equal families are equal, hashable, and print as the call that makes them."""
    again = eval(repr(family), {name: getattr(ig, name) for name in FAMILIES})
    assert again == family and hash(again) == hash(family)
    assert backend.to_numpy(again.theta_from(**ordinary)).shape == (family.dim,)


@EVERY
def test_a_batch_of_kl_is_that_of_its_rows(family, ordinary):
    """Near and far pairs in one call take different branches, each element its own."""
    theta = family.theta_from(**ordinary)
    near, far = theta * (1 + 1e-7), family.theta_domain.sample(np.random.default_rng(5), 6)
    q = np.concatenate([[theta, near], far])
    together = family.kl(theta, q)
    np.testing.assert_allclose(together, [family.kl(theta, row) for row in q], rtol=1e-13)
    np.testing.assert_array_equal(together[0], 0.0)
    assert np.all(together[1:] > 0)


def test_batches_that_do_not_fit():
    family = ig.MultivariateNormal(2)
    with pytest.raises(ig.ShapeError, match=r"of mean and covariance must broadcast; got mean \(3,\), covariance \(2,\)$"):
        family.theta_from(mean=np.zeros((3, 2)), covariance=np.stack([np.eye(2)] * 2))
    theta = family.theta_from(mean=np.zeros((3, 2)), covariance=np.eye(2))
    with pytest.raises(ig.ShapeError, match=r"the batches of theta and x must broadcast; got theta \(3,\), x \(4,\)$"):
        family.log_density(theta, np.zeros((4, 2)))
    assert family.log_density(theta[:, None, :], np.zeros((4, 2))).shape == (3, 4)


def test_shape_of_a_sample():
    draw = lambda shape: ig.Normal().sample(np.random.default_rng(0), [0.0, -0.5], shape)
    for shape in (3, np.int64(3), [3], (np.int32(3),), np.array([3])):
        np.testing.assert_array_equal(draw(shape), draw((3,)))
    for shape in (3.0, (3, 2.0), "3", None):
        with pytest.raises(TypeError, match="shape must be an integer or integers; got"):
            draw(shape)


@pytest.mark.parametrize("prior", [3.0, ([0.0, 1.0],), ([0.0, 1.0], 1.0, 2.0)], ids=str)
def test_a_prior_is_a_pair(prior):
    with pytest.raises(TypeError, match=r"prior must be a pair \(eta_0, n_0\); got"):
        ig.Normal().fit([1.0, 2.0], prior=prior)
