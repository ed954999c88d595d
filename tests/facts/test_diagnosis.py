"""Spectra of many targets at once, and the diagnosis of a point: charts, digits, scalings, references, advice."""
import json

import numpy as np
import pytest

import infogeo as ig
from infogeo.studies import diagnose, spectra

K3A = np.array([0.5, 0.3, 0.2])
ZIPF = 1 / np.arange(1, 11) / np.sum(1 / np.arange(1, 11))


def at(p, reference=None):
    family = ig.Categorical(len(p), reference)
    return family, family.theta_from(probabilities=p)


def test_spectra_are_those_of_single_problems():
    """A batch of any shape has the numbers of `spectrum` of each target, on families, duals and mirror maps."""
    rng = np.random.default_rng(0)
    for family in (ig.Categorical(4), ig.Normal(), ig.Gamma()):
        theta = family.theta_domain.sample(rng, (2, 3))
        many = spectra(family, theta)
        assert many.eigenvalues.shape == (3, 2, 3, family.dim) and many.eigenvectors.shape == (2, 2, 3, family.dim, family.dim)
        for i in np.ndindex(2, 3):
            one = ig.studies.spectrum(ig.studies.ForwardProblem(family, theta[i]))
            for name in ("eigenvalues", "condition", "rate", "optimal_step", "stable_step"):
                np.testing.assert_allclose(getattr(many, name)[(slice(None), *i)], getattr(one, name), rtol=1e-9, err_msg=name)
    swapped = spectra(family.dual, family.to_eta(theta))
    np.testing.assert_allclose(swapped.eigenvalues[[1, 0]], many.eigenvalues[:2], rtol=1e-9)
    np.testing.assert_allclose(spectra(ig.Burg(2), [[1.0, 10.0]]).condition, [[100.0], [100.0], [1.0]], rtol=1e-12)


def test_spectra_of_a_thousand_targets():
    """Interlacing, λ_max ≤ ½, and det G = Π p on random targets; the flows' rates lie on both sides of 2."""
    family = ig.Categorical(5)
    p = np.random.default_rng(1).dirichlet(np.ones(5), 1000)
    found = spectra(family, family.theta_from(probabilities=p))
    theta, eta = found.eigenvalues[:2]
    np.testing.assert_allclose(theta[:, ::-1] * eta, 1.0, rtol=1e-8)
    np.testing.assert_allclose(np.prod(theta, axis=-1), np.prod(p, axis=-1), rtol=1e-8)
    others = np.sort(p[:, :-1], axis=-1)
    assert np.all(theta[:, -1] <= 0.5) and np.all(theta <= others * (1 + 1e-12))
    assert np.all(theta[:, 1:] >= others[:, :-1] * (1 - 1e-9))
    assert np.all(found.rate[0] <= 1) and np.all(found.rate[1] >= 4)
    np.testing.assert_allclose(found.rate[2], 2.0, rtol=1e-6)


def test_known_figures():
    found = diagnose(*at(K3A))
    theta, eta, root = found.charts
    assert [c.chart for c in found.charts] == ["θ", "η", "√η"]
    assert theta.condition == pytest.approx(4.84702105, rel=1e-8) == eta.condition
    assert root.condition == pytest.approx(5.0, rel=1e-12)
    assert theta.rate == pytest.approx(0.157345081, rel=1e-8) and root.rate == pytest.approx(8.0, rel=1e-12)
    assert found.references.best == 0 and found.references.condition == pytest.approx([2.0833, 3.3003, 4.8470], rel=1e-4)
    assert found.recommended == "θ, with outcome 0 as the reference"
    zipf = diagnose(*at(ZIPF))
    assert [c.condition for c in zipf.charts] == pytest.approx([73.498, 73.498, 29.2897], rel=1e-4)
    assert zipf.references.condition.min() == pytest.approx(7.0219, rel=1e-4)
    assert zipf.recommended == "√η, with outcome 0 as the reference" and "κ = 2.929 there" in zipf.reasons[0]


def test_the_most_probable_reference_is_the_best():
    rng = np.random.default_rng(2)
    for k in rng.integers(3, 9, 40):
        p = rng.dirichlet(np.ones(k))
        assert diagnose(*at(p, int(rng.integers(k)))).references.best == np.argmax(p)
    found = diagnose(*at(np.arange(1.0, 101.0) / 5050, 3))                    # of many outcomes the two that count
    assert found.references.outcome.tolist() == [3, 99] and found.references.best == 99


@pytest.mark.parametrize("family,ordinary", [
    (ig.Normal(), dict(mean=1e3, variance=0.1)), (ig.Gamma(), dict(shape=1e4, rate=3.0)),
    (ig.Categorical(3), dict(probabilities=[1e-5, 0.3, 0.69999])), (ig.Categorical(3), dict(probabilities=[0.3, 0.69999, 1e-5])),
    (ig.Dirichlet(3), dict(concentration=[100.0, 200.0, 0.1]))], ids=str)
def test_digits_lost(family, ordinary):
    """The prediction is what relative changes of 1e-9, of any signs, do to the worst coordinate, to a factor of 10^0.3."""
    theta = family.theta_from(**ordinary)
    signs = np.sign(np.random.default_rng(3).standard_normal((64, family.dim)))
    found = diagnose(family, theta).digits_lost
    eta = family.to_eta(theta)
    for name, x, f in (("theta to eta", theta, family.to_eta), ("eta to theta", eta, family.to_theta)):
        y, size = f(x), 1e-9 if found[name] < 5 else 1e-13
        moved = np.max(np.abs(f(x * (1 + size * signs)) - y) / np.abs(y)) / size
        assert np.log10(max(moved, 1.0)) == pytest.approx(found[name], abs=0.3)


def test_nothing_leaks_at_a_zero_or_from_a_metric_that_rounds(recwarn):
    """θ = 0, the uniform law, is measured against 1; of a mean of 1e9 deviations the least eigenvalue rounds to 0 or less."""
    found = ig.studies.diagnose(ig.Categorical(3), [0.0, 0.0])
    np.testing.assert_allclose(found.digits_lost["eta to theta"], np.log10(3.0))           # 6/3 + 3/3 of η = (⅓, ⅓)
    far = ig.studies.diagnose(ig.Normal(), ig.Normal().theta_from(mean=1e9, variance=1.0))
    assert far.charts[1].condition == np.inf and "inf" in repr(far) and not recwarn.list
    assert json.loads(json.dumps(far.to_dict(), allow_nan=False))["charts"][1]["condition"] is None


def test_advice():
    """The simplest coordinates: θ where nothing is gained; units where these are all; square roots of means of counts."""
    assert diagnose(ig.Normal(), [0.0, -0.5]).recommended == "θ"
    assert diagnose(ig.Poisson(), [1.0]).charts[0].condition == 1
    wide = diagnose(ig.Normal(), ig.Normal().theta_from(mean=100.0, variance=0.1))
    assert wide.recommended == "θ, each coordinate in units of G_ii^-1/2"
    assert wide.charts[0].scaled_condition < 1e-3 * wide.charts[0].condition
    counts = diagnose(ig.Independent(ig.Poisson(), 3), [0.0, 2.0, -3.0])
    assert counts.recommended == "√η" and counts.charts[-1].condition == pytest.approx(1.0, rel=1e-12)
    assert [c.chart for c in diagnose(ig.Burg(3), [1.0, 2.0, 30.0]).charts] == ["θ", "η", "√θ"]


def test_a_metric_alone():
    """A curved family has its own coordinates and no η."""
    circle = ig.statistics.Curved(ig.Normal(), ig.statistics.Embedding(
        2, lambda u: u * np.array([1.0, 4.0]) - [0.0, 6.0], lambda u: np.diag([1.0, 4.0]), lambda u: np.zeros((2, 2, 2))))
    found = diagnose(circle, [0.5, 0.2])
    assert [c.chart for c in found.charts] == ["x"] and found.digits_lost == {} and found.references is None
    assert "at x = [0.5 0.2]" in repr(found) and "inverse" not in repr(found) and "lost" not in repr(found)


def test_text_and_dictionary():
    found = diagnose(*at(K3A))
    text = repr(found)
    assert "Best reference outcome: 0, condition number 2.083." in text and all(len(line) <= 80 for line in text.splitlines())
    assert "Recommended: θ, with outcome 0 as the reference." in text
    kept = json.loads(json.dumps(found.to_dict()))
    assert kept["charts"][2]["condition"] == found.charts[2].condition and kept["references"]["best"] == 0
    assert kept["point"] == found.point.tolist()


def test_charts_of_ones_own():
    """Whatever has a name and a metric is a further row."""
    class Doubled:
        name = "2θ"

        def metric(self, family, theta):
            return 0.25 * family.metric(theta)

    row = diagnose(*at(K3A), charts=[Doubled()]).charts[-1]
    assert row.chart == "2θ" and row.rate == pytest.approx(0.157345081 / 4, rel=1e-8)


def test_arrays(backend):
    """Points of any library; what is found is NumPy's."""
    family, theta = at(K3A)
    found = diagnose(family, backend.make(theta))
    assert found.charts[2].condition == pytest.approx(5.0, rel=1e-12) and isinstance(found.point, np.ndarray)
    assert isinstance(spectra(family, backend.make(np.stack([theta] * 2))).eigenvalues, np.ndarray)


def test_refusals():
    with pytest.raises(ig.ShapeError, match="studies.spectra takes many"):
        diagnose(ig.Categorical(3), [[0.0, 0.0]])
    with pytest.raises(ig.DomainError, match="point must satisfy"):
        diagnose(ig.Normal(), [0.0, 1.0])
    with pytest.raises(TypeError, match="a diagnosis is in as many coordinates as there are dimensions"):
        diagnose(ig.Simplex(3), [0.2, 0.3, 0.5])
    with pytest.raises(TypeError, match="takes a DuallyFlat"):
        spectra(ig.Categorical, [0.0, 0.0])
