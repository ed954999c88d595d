"""P19: of a conjugate model a natural step of size 1 is at the posterior, and of size ρ goes the share ρ of the way in θ."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.domains import Interval
from infogeo.inference import ConjugateModel, MonteCarloExpectation, NegativeELBO, QuadratureExpectation
from infogeo.statistics import SufficientStatistics, conjugacy, posterior, predictive_log_density

from ..registry import FAMILIES, is_slow, region


def has_prior(family):
    try:
        return bool(conjugacy(family))
    except TypeError:
        return False


CONJUGATE = {name: family for name, family in FAMILIES.items() if has_prior(family)}
assert len(CONJUGATE) > 20


@pytest.mark.parametrize("family", CONJUGATE.values(), ids=CONJUGATE)
def test_exact_from_any_start(family):
    rng = np.random.default_rng(3)
    q = conjugacy(family).prior
    x = family.sample(rng, region(family).sample(rng, (), 0.3), (4,))
    target = posterior(family, region(q).sample(rng, (), 0.3), SufficientStatistics.from_data(family, x))
    start = region(q).sample(rng, (2,), 0.3)
    # two ways to the same differential: draws and nodes, neither of which knows that the model is conjugate
    ways = [MonteCarloExpectation(3 * q.dim + 10)]
    if q.support.shape == ():
        ways.append(QuadratureExpectation())
    for way in ways:
        f = NegativeELBO(q, lambda z: q.log_density(target, z) + 1.7, way)
        value, covector = f.value_and_gradient(q.to_eta(start))
        tolerance = 1e-7 * (1 + np.abs(target) + np.abs(start))
        assert np.all(np.abs(start - covector - target) <= tolerance)
        assert np.allclose(value + 1.7, q.kl(start, target), rtol=1e-6, atol=1e-7)
        run = ig.descend(f, q.to_eta(start), geometry=q.dual, update=ig.MirrorUpdate(), step=0.5, max_steps=2)
        assert np.allclose(q.to_theta(run.x) - target, 0.25 * (start - target), rtol=1e-5, atol=1e-5 * (1 + np.abs(target).max()))


@pytest.mark.parametrize("family", CONJUGATE.values(), ids=CONJUGATE)
def test_conjugate_models_from_any_start(family):
    """Of the prior and the observations themselves: the posterior after one step, the evidence as its bound."""
    rng = np.random.default_rng(4)
    q = conjugacy(family).prior
    x, prior = family.sample(rng, region(family).sample(rng, (), 0.3), (4,)), region(q).sample(rng, (), 0.3)
    model = ConjugateModel.of(family, prior, x)
    target = posterior(family, prior, SufficientStatistics.from_data(family, x))
    start = region(q).sample(rng, (2,), 0.3)
    run = ig.descend(NegativeELBO(q, model), q.to_eta(start), geometry=q.dual, update=ig.MirrorUpdate(), step=1.0, max_steps=1)
    assert np.allclose(q.to_theta(run.x), target, rtol=1e-8, atol=1e-8 * (1 + np.abs(target).max()))
    log_evidence, theta = 0.0, prior
    for i in range(4):
        log_evidence += predictive_log_density(family, theta, x[i])
        theta = posterior(family, theta, SufficientStatistics.from_data(family, x[i:i + 1]))
    assert np.allclose(-run.values[-1], log_evidence, rtol=1e-7, atol=1e-7)


ON_LINE = {name: q for name, q in FAMILIES.items() if isinstance(q.support, Interval) and not is_slow(q)}
assert len(ON_LINE) > 15


@pytest.mark.parametrize("q", ON_LINE.values(), ids=ON_LINE)
def test_the_path_does_not_depend_on_the_chart(q):
    """Of a posterior that is no member of the family, in η by mirror steps and in θ by natural ones."""
    rng = np.random.default_rng(5)
    target, start = region(q).sample(rng, (2,), 0.2)
    f = NegativeELBO(q, lambda z: q.log_density(target, z) + 0.2 * np.cos(z), QuadratureExpectation())
    run = dict(step=0.3, max_steps=3)
    mirror = ig.descend(f, q.to_eta(start), geometry=q.dual, update=ig.MirrorUpdate(), **run)
    natural = ig.descend(f.in_dual_coordinates(), start, geometry=q, update=ig.NaturalUpdate(), **run)
    assert np.allclose(q.to_theta(mirror.path), natural.path, rtol=1e-7, atol=1e-7 * (1 + np.abs(start).max()))
    assert np.abs(mirror.path[-1] - mirror.path[0]).max() > 1e-4
