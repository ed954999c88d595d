"""The conditioning study: known figures, predictions beside measurements, claims that hold and fail, exports, figures."""
import errno
import json
import os
from dataclasses import fields

import array_api_strict as strict
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import infogeo as ig
from infogeo.studies.claims import initial_rates
from infogeo.studies.export import tables, write_files
from infogeo.studies.noise import noise
from infogeo.studies.report import SHORT
from infogeo.studies.sweep import _longest_stretch, _rise
from infogeo.studies.unfinished import flat

from .study_helpers import BRIEF


def problem(family, direction="forward", **ordinary):
    return ig.studies.DIRECTIONS[direction](family, family.theta_from(**ordinary))


THREE = dict(probabilities=[0.5, 0.3, 0.2])
SMALL = dict(starts=6, batch_size=400, steps=60, seed=3,
             effort=ig.studies.Effort(flown=4, tolerance=1e-10, records=(150, 200), longest=1000, noisy_runs=128, averaged=100,
                                      noisy_steps=1500, pooled=1_000_000))


@pytest.fixture(scope="module")
def forward():
    return ig.studies.conditioning(problem(ig.Categorical(3), **THREE), **SMALL)


@pytest.fixture(scope="module")
def reverse():
    return ig.studies.conditioning(problem(ig.Categorical(3), "reverse", **THREE), **SMALL)


@pytest.fixture(scope="module")
def normal():
    return ig.studies.conditioning(problem(ig.Normal(), mean=0.0, variance=1.0), **SMALL)


def test_spectrum_of_three_outcomes(forward):
    s = forward.spectrum
    assert_allclose(s.eigenvalues[0], [0.0786725405, 0.3813274595], rtol=1e-9)
    assert_allclose(s.condition, [4.84702105, 4.84702105, 1.0], rtol=1e-8)
    assert_allclose(s.rate, [0.1573450810, 5.2448360331, 2.0], rtol=1e-9)
    assert_allclose(s.optimal_step, [100 / 23, 3 / 23, 1.0], rtol=1e-13)
    assert_allclose(s.contraction, [0.65794548, 0.65794548, 0.0], rtol=1e-7, atol=1e-14)


def test_spectrum_of_the_uniform_distribution():
    s = ig.studies.spectrum(problem(ig.Categorical(5), probabilities=[0.2] * 5))
    assert_allclose(s.eigenvalues[0], [0.04, 0.2, 0.2, 0.2], rtol=1e-13)
    assert_allclose(s.rate, [0.08, 10.0, 2.0], rtol=1e-13)
    assert_allclose(s.optimal_step, [25 / 3, 1 / 15, 1.0], rtol=1e-13)
    assert_allclose(s.contraction, [2 / 3, 2 / 3, 0.0], rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("family, ordinary, eigenvalues", [
    (ig.Bernoulli(), dict(probability=0.2), [0.16]),
    (ig.Poisson(), dict(rate=0.5), [0.5]),
    (ig.Poisson(), dict(rate=5.0), [5.0]),
    (ig.Exponential(), dict(rate=0.5), [4.0]),
    (ig.Normal(), dict(mean=0.0, variance=1.0), [1.0, 2.0]),
    (ig.Normal(), dict(mean=1.0, variance=4.0), [2.5906, 49.4094]),
    (ig.Normal(), dict(mean=1.0, variance=0.25), [0.023116, 1.351884]),
    (ig.Gamma(), dict(shape=2.0, rate=1.0), [0.114555, 2.530379]),
    (ig.Dirichlet(3), dict(concentration=[1.0, 2.0, 3.0]), [0.074835, 0.553303, 1.512695]),
])
def test_spectrum_of_other_families(family, ordinary, eigenvalues):
    s = ig.studies.spectrum(problem(family, **ordinary))
    assert_allclose(s.eigenvalues[0], eigenvalues, atol=6e-7 * max(1, eigenvalues[-1]))
    assert_allclose(s.eigenvalues[1], 1 / np.array(s.eigenvalues[0])[::-1], rtol=1e-10)
    assert_allclose(s.eigenvalues[2], 1.0, rtol=1e-10)


@pytest.mark.parametrize("name", ["forward", "reverse", "normal"])
def test_flows_lose_kl_at_the_predicted_rates(name, request):
    result = request.getfixturevalue(name)
    for flow, chart in zip(result.flows, (0, 2, 1)):
        assert_allclose(flow.rate, result.spectrum.rate[chart], rtol=1e-3)


@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_direction_is_the_order_of_the_arguments(direction):
    p = problem(ig.Categorical(3), direction, **THREE)
    theta = np.array([[0.0, 0.0], [1.0, -2.0]])
    q, x = np.array([0.5, 0.3, 0.2]), p.family.parameters(theta)["probabilities"]
    expected = (q * np.log(q / x)).sum(axis=-1) if direction == "forward" else (x * np.log(x / q)).sum(axis=-1)
    assert_allclose(p.kl(theta), expected, rtol=1e-13)
    assert_allclose(p.objective.value_and_gradient(theta)[0], expected, rtol=1e-13)


def test_flow_of_an_ill_conditioned_target():
    """Condition number 8e8: the flows are stiff."""
    p = problem(ig.Normal(), mean=100.0, variance=1.0)
    s = ig.studies.spectrum(p)
    assert s.condition[0] > 8e8
    flows = ig.studies.rates.measured_flows(p, s, p.starts(np.random.default_rng(0), 2))
    for flow, chart in zip(flows, (0, 2, 1)):
        assert_allclose(flow.rate, s.rate[chart], rtol=1e-2)


def test_natural_flow_is_the_mixture_of_target_and_start(forward):
    flow = forward.flows[1]
    family, t = ig.Categorical(3), flow.times[:, None, None]
    eta = forward.eta + np.exp(-t) * (family.to_eta(forward.starts[:4]) - forward.eta)
    assert_allclose(family.to_eta(flow.path), eta, atol=1e-9)


def test_iterations_from_the_uniform_distribution(forward):
    counts = dict(zip(forward.discrete.methods, forward.discrete.iterations[:, 0]))
    assert counts == dict(gd_theta=24, gd_eta=24, ng_theta=3, ng_eta=1, md_theta=1, md_eta=3)


def test_mirror_descent_repeats_natural_gradient_in_the_other_chart(forward, reverse):
    for result in (forward, reverse):
        rows = dict(zip(result.discrete.methods, result.discrete.iterations))
        assert_array_equal(rows["md_theta"], rows["ng_eta"])
        assert_array_equal(rows["md_eta"], rows["ng_theta"])


def test_one_step_is_in_theta_in_the_reverse_direction(reverse):
    rows = dict(zip(reverse.discrete.methods, reverse.discrete.iterations))
    assert (rows["ng_theta"] == 1).all() and (rows["ng_eta"] > 1).any()


@pytest.mark.parametrize("name", ["forward", "reverse", "normal"])
def test_contraction_factors(name, request):
    d = request.getfixturevalue(name).discrete
    assert_allclose(d.contraction[:2], d.predicted[:2], rtol=1e-4)
    assert (d.contraction[2:] < 1e-3).all()


def test_runs_that_end_badly_are_counted():
    """From (1/10, …) the natural gradient in θ of step 1 overflows at (0.91, 0.01, …): it is Newton's method."""
    p = problem(ig.Categorical(10), probabilities=[0.91] + [0.01] * 9)
    s = ig.studies.spectrum(p)
    found = ig.studies.discrete.discrete(p, s, p.starts(np.random.default_rng(0), 1)[:1])
    i = found.methods.index("ng_theta")
    assert found.iterations[i, 0] == -1 and found.status[i, 0] == ig.Status.NONFINITE


def test_rise_time_is_the_first_step_below_for_good():
    kl = np.array([[3.0, 3.0, 0.1, 3.0], [0.1, 3.0, 0.1, 0.1], [3.0, 0.1, 0.1, np.nan], [0.1, 0.1, 0.1, 0.1]])
    ok, left = int(ig.Status.MAX_STEPS), int(ig.Status.LEFT_DOMAIN)
    assert_array_equal(_rise(kl, np.array([ok] * 4), 1.0), [3, 2, 0, 3])
    assert_array_equal(_rise(kl, np.array([ok, left, ok, ok]), 1.0), [3, -1, 0, 3])
    assert_array_equal(_rise(kl[:3], np.array([ok] * 4), 1.0), [-1, 2, 0, -1])


def test_longest_stretch():
    h = np.arange(1.0, 8.0)
    assert_array_equal(_longest_stretch(h, np.array([1, 0, 1, 1, 1, 0, 1], bool)), [3, 5])
    assert np.isnan(_longest_stretch(h, np.zeros(7, bool))).all()


def test_sweep_agrees_with_single_runs(forward):
    """A learning rate in the middle of the grid, run on its own from every start."""
    w, family = forward.sweep, ig.Categorical(3)
    theta_q = forward.theta
    h = float(w.h[0, 50])
    run = ig.descend(ig.CrossEntropy(family, forward.eta), forward.starts, geometry=family, update=ig.GradientUpdate(),
                     step=ig.Constant(h), max_steps=60)
    below = family.kl(theta_q, run.path) < w.level
    expected = [next((k for k in range(61) if below[k:, i].all()), -1) for i in range(below.shape[1])]
    assert_array_equal(w.rise[0, 50], expected)
    assert_allclose(w.level, 0.05 * family.entropy(theta_q))


def test_sweep_level_without_an_entropy_to_measure_by(reverse):
    assert reverse.sweep.level == 0.05 and not reverse.sweep.level_is_relative


def test_natural_gradient_is_usable_up_to_step_one(forward):
    """In η, steps h ≤ 1 stay on the segment to the target; it rises at once at 1."""
    w = forward.sweep
    i = w.methods.index("ng_eta")
    assert w.window[i, 0] < 0.1 and w.window[i, 1] >= 1.0 and w.best_rise[i] == 1
    unstable = w.h[0] > 1.01 * forward.spectrum.stable_step[0]
    assert np.isinf(w.worst[0, unstable][-3:]).all()


def test_noise_floor_predicted():
    p = problem(ig.Categorical(3), **THREE)
    s = ig.studies.spectrum(p)
    floor = ig.studies.predicted_floor
    assert_allclose(floor(s.optimal_step[0], s.eigenvalues[0], 100), 2.52667e-2, rtol=2e-6)
    assert_allclose(floor(s.optimal_step[0] / 2, s.eigenvalues[0], 100), 4.00706e-3, rtol=2e-6)
    assert_allclose([floor(h, s.eigenvalues[2], 100) for h in (1.0, 0.5, 0.1)], [1e-2, 1 / 300, 5.26316e-4], rtol=2e-6)
    assert floor(2.0, s.eigenvalues[2], 100) == np.inf


@pytest.mark.parametrize("name", ["forward", "reverse", "normal"])
def test_noise_floor_simulated_at_half_the_optimal_step(name, request):
    z = request.getfixturevalue(name).noise
    half = list(z.fractions).index(0.5)
    assert (z.left[:, half] == 0).all()
    assert_allclose(z.simulated[:, half], z.predicted[:, half], rtol=0.1)


def test_noise_floor_falls_with_the_batch_size():
    p = problem(ig.Categorical(3), **THREE)
    z = noise(p, ig.studies.spectrum(p), np.random.default_rng(0), 10_000)
    assert_allclose(z.simulated[:, 1], z.predicted[:, 1], rtol=0.1)
    assert z.pool == 1000


def verdicts(result):
    return {claim.name: claim.holds for claim in result.claims}


def test_claims_on_the_simplex(forward, reverse):
    ours = verdicts(forward)
    assert all(ours[name] for name in ("sandwich", "largest eigenvalue", "bounds", "same contraction", "one step"))
    assert ours["initial rate"]
    ours = verdicts(reverse)
    assert all(ours[name] for name in ("sandwich", "largest eigenvalue", "bounds", "same contraction", "one step"))
    assert not ours["initial rate"]


@pytest.mark.parametrize("family, ordinary, words", [
    (ig.Normal(), dict(mean=0.0, variance=1.0), "reversed or equalities"),
    (ig.Normal(), dict(mean=1.0, variance=0.25), "slower in both charts"),
    (ig.Poisson(), dict(rate=5.0), "reversed or equalities"),
    (ig.Gamma(), dict(shape=2.0, rate=1.0), "slower in both charts"),
    (ig.Exponential(), dict(rate=0.5), "reversed or equalities"),
])
def test_the_order_of_rates_fails_outside_the_simplex(family, ordinary, words):
    from infogeo.studies.claims import _bounds, _largest_eigenvalue, _sandwich
    p = problem(family, **ordinary)
    s = ig.studies.spectrum(p)
    claim = _sandwich(p, s)
    assert claim.holds is False and words in claim.because
    assert _largest_eigenvalue(p, s).holds is False
    assert _bounds(p, s).holds is None


def test_initial_rate_near_a_vertex():
    """Reverse KL to the uniform distribution from (1 − 2ε, ε, ε): a plateau, although the late rate is 2."""
    p = problem(ig.Categorical(3), "reverse", probabilities=[1 / 3] * 3)
    for epsilon, rate in ((1e-2, 0.4176), (1e-4, 0.01547), (1e-6, 3.475e-4)):
        theta = np.array([np.log((1 - 2 * epsilon) / epsilon), 0.0])
        assert_allclose(initial_rates(p, theta), rate, rtol=2e-4)


def test_starts_lie_in_the_domain_and_around_the_target():
    for family, ordinary in ((ig.Gamma(), dict(shape=2.0, rate=1.0)), (ig.Exponential(), dict(rate=0.5)),
                             (ig.Dirichlet(3), dict(concentration=[1.0, 2.0, 3.0]))):
        p = problem(family, **ordinary)
        theta = p.starts(np.random.default_rng(0), 50)
        assert theta.shape == (51, family.dim) and family.theta_domain.contains(theta).all()
        radius = family.norm(p.theta, theta - p.theta)
        assert radius.max() < 1 + 1e-12 and radius.max() > 0.8


def test_starts_on_the_simplex():
    p = problem(ig.Categorical(4, 1), probabilities=[0.1, 0.2, 0.3, 0.4])
    theta = p.starts(np.random.default_rng(0), 4000)
    shares = p.family.parameters(theta)["probabilities"]
    assert_allclose(shares[0], 0.25)
    # Dirichlet(1, 1, 1, 1): mean 1/4, variance 3/80
    assert_allclose(shares[1:].mean(axis=0), 0.25, atol=5 * np.sqrt(3 / 80 / 4000))
    assert_allclose(shares[1:].var(axis=0), 3 / 80, rtol=0.1)


def test_no_start_is_at_a_uniform_target():
    p = problem(ig.Categorical(5), probabilities=[0.2] * 5)
    assert p.kl(p.starts(np.random.default_rng(0), 20)).min() > 1e-6
    p = problem(ig.Categorical(5), probabilities=[0.3, 0.1, 0.2, 0.2, 0.2])
    assert not p.starts(np.random.default_rng(0), 20)[0].any()


def test_same_seed_same_result():
    p, run = problem(ig.Exponential(), rate=2.0), dict(starts=2, steps=5, batch_size=10)
    first, again, other = (ig.studies.conditioning(p, seed=seed, effort=BRIEF, **run) for seed in (5, 5, 6))
    for name, value in flat(first, without=(ig.studies.Problem,)).items():
        assert_array_equal(value, flat(again)[name], err_msg=name)
    assert not np.array_equal(other.starts, first.starts)
    assert not np.array_equal(other.noise.simulated, first.noise.simulated)


@pytest.mark.parametrize("direction, family, theta", [("forward", ig.Categorical(3), [0.9, 0.4]),
                                                      ("reverse", ig.Bernoulli(), [0.4])], ids=["forward", "reverse"])
def test_other_arrays_give_the_same_study(direction, family, theta):
    """array-api-strict on its second device, where NumPy can do nothing by accident: the result is NumPy, and the same."""
    theta = np.array(theta)
    there = strict.asarray(theta, device=strict.Device("device1"))
    run, posed = dict(starts=1, steps=5, batch_size=20, effort=BRIEF), ig.studies.DIRECTIONS[direction]
    expected = flat(ig.studies.conditioning(posed(family, theta), **run))
    found = ig.studies.conditioning(posed(family, there), **run)
    assert_array_equal(found.discrete.iterations, expected["discrete.iterations"])
    assert_array_equal(found.sweep.rise, expected["sweep.rise"])
    assert np.isfinite(found.noise.simulated).any()
    assert_allclose(found.noise.simulated, expected["noise.simulated"], rtol=1e-10)
    for flow in found.flows:
        assert_allclose(flow.kl, expected[f"flows.{flow.method}.kl"], rtol=1e-6, atol=1e-9)
    plain = (np.ndarray, np.generic, int, float, str, tuple, type(None))
    assert all(isinstance(value, plain) for value in flat(found, without=(ig.studies.Problem,)).values())
    assert len(ig.studies.figure_trajectories(found).axes) == 2 and "The target q" in ig.studies.report(found)


def test_result_is_frozen_and_plain(forward):
    with pytest.raises(AttributeError):
        forward.seed = 1
    assert all(type(getattr(forward.spectrum, f.name)) is np.ndarray for f in fields(forward.spectrum))


def test_sizes_are_checked():
    p = problem(ig.Poisson(), rate=1.0)
    for name in ("starts", "batch_size", "steps"):
        with pytest.raises(ig.DomainError, match=f"{name} must satisfy {name} an integer >= 1; got 0"):
            ig.studies.conditioning(p, **{name: 0})
    for name in ("flown", "longest", "tolerance", "pooled"):
        with pytest.raises(ig.DomainError, match=f"{name} must"):
            ig.studies.Effort(**{name: 0})


@pytest.fixture(scope="module")
def written(forward, tmp_path_factory):
    place = tmp_path_factory.mktemp("study") / "a" / "b"
    ig.studies.write(forward, place)
    return place


def test_a_full_disk_leaves_the_study_before(tmp_path, monkeypatch):
    """Of all files, not of some."""
    before = {f"{i}.csv": bytes(10 + i) for i in range(8)}
    write_files(tmp_path / "a" / "b", before)
    synced, sync = [], os.fsync

    def fifth_time(handle):
        synced.append(handle)
        if len(synced) == 5:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(handle)

    monkeypatch.setattr("os.fsync", fifth_time)
    with pytest.raises(OSError, match=f"No space left on device; .*{tmp_path}"):
        write_files(tmp_path / "a" / "b", {name: b"new" for name in before})
    assert {path.name: path.read_bytes() for path in (tmp_path / "a" / "b").iterdir()} == before


def test_exports_round_trip(forward, written):
    expected = flat(forward, without=(ig.studies.Problem,))
    stored = ig.studies.load_npz(written / "result.npz")
    assert set(stored) == set(expected)
    for name, value in expected.items():
        assert_array_equal(stored[name], np.asarray("" if value is None else value), err_msg=name)
    text = json.loads((written / "result.json").read_text())
    assert set(text) == set(expected)
    assert_array_equal(np.array(text["discrete.iterations"]), forward.discrete.iterations)
    assert_array_equal(np.array(text["spectrum.eigenvalues"]), forward.spectrum.eigenvalues)
    worst = np.array([[np.inf if v is None else v for v in row] for row in text["sweep.worst"]])
    assert_array_equal(worst, forward.sweep.worst)
    for name, (header, rows) in tables(forward).items():
        lines = (written / f"{name}.csv").read_text(encoding="utf-8").splitlines()
        assert lines[0] == ",".join(header) and len(lines) == len(rows) + 1


def test_figures_are_written_and_not_blank(written):
    from matplotlib.image import imread
    for name in ("flows", "sweep", "trajectories"):
        picture = imread(written / f"{name}.png")
        assert min(picture.shape[:2]) > 400 and len(np.unique((255 * picture[..., :3]).astype(int) @ [65536, 256, 1])) > 50


@pytest.mark.parametrize("name", ["forward", "reverse", "normal"])
def test_figures_have_labelled_axes_and_a_legend(name, request):
    result = request.getfixturevalue(name)
    for draw, panels in ((ig.studies.figure_flows, 1), (ig.studies.figure_sweep, 1), (ig.studies.figure_trajectories, 2)):
        figure = draw(result)
        assert len(figure.axes) == panels and figure.legends
        for axes in figure.axes:
            assert axes.get_xlabel() and axes.get_ylabel() and axes.get_title() and len(axes.lines) >= 4


def test_predicted_slopes_are_drawn_through_the_flows(forward):
    """Every dashed line falls at the predicted rate and ends on its flow."""
    lines = ig.studies.figure_flows(forward).axes[0].lines
    for flow, slope, rate in zip(lines[0:6:2], lines[1:6:2], forward.spectrum.rate[[0, 2, 1]]):
        t, kl = slope.get_data()
        assert_allclose(-np.diff(np.log(kl)) / np.diff(t), rate, rtol=1e-9)
        assert_allclose([t[-1], kl[-1]], [flow.get_xdata()[-1], flow.get_ydata()[-1]], rtol=1e-9)


def test_one_dimensional_figures():
    result = ig.studies.conditioning(problem(ig.Poisson(), rate=0.61), starts=3, steps=30, effort=BRIEF)
    figure = ig.studies.figure_trajectories(result)
    assert [axes.get_xlabel() for axes in figure.axes] == ["θ", "η"]


def test_report_names_every_part_and_every_failure(normal, forward):
    text = ig.studies.report(normal, "somewhere")
    for words in ("The target q", "somewhere", "condition number", "Rates of the flows", "Constant optimal step",
                  "Learning-rate sweep", "Noise floor", "Does not hold here, because 2λ_min(G) = 2 and 2/λ_max(G) = 1",
                  "Does not apply: the bound", *SHORT.values()):
        assert words in " ".join(text.split())
    assert "Does not hold here, because 2λ_min(G)" not in ig.studies.report(forward)
    assert max(map(len, text.splitlines())) <= 80
    assert "with the most probable outcome 0 it is 2.08333 (--reference best)" in " ".join(ig.studies.report(forward).split())


def test_predictions_are_in_the_report(forward):
    text = ig.studies.report(forward)
    for figure in ("0.0786725 0.381327", "4.84702", "0.157345", "5.24484", "4.34783", "0.130435", "0.6579"):
        assert figure in text
