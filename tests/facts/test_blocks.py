"""Large batches: blocks on several threads give what one call gives, to the last bit."""
import threading
from contextvars import ContextVar

import array_api_strict
import numpy as np
import pytest

import infogeo as ig
from infogeo.arrays.blocks import ELEMENTS, SHARE, in_blocks, is_large, share, threads
from infogeo.arrays.memo import standing

FAMILIES = {repr(family): family for family in (ig.Categorical(10), ig.Gamma(), ig.Dirichlet(5), ig.MultivariateNormal(3),
                                                ig.Normal())}
WORD = ContextVar("word", default="none")


@pytest.fixture
def three_threads(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")


def points(family, dtype=np.float64):
    """Two batches of points that make a dozen blocks, some of them near each other."""
    rng = np.random.default_rng(0)
    count = 12 * ELEMENTS // family.dim
    theta = family.theta_domain.sample(rng, (count,), scale=1.0).astype(dtype)
    other = family.theta_domain.sample(rng, (count,), scale=1.0).astype(dtype)
    other[::7] = theta[::7] * dtype(1.0 + 1e-4)
    return theta, other


@pytest.mark.parametrize("name", FAMILIES)
def test_threads_change_no_bit(name, monkeypatch):
    family = FAMILIES[name]
    theta, other = points(family)
    results = []
    for number in ("1", "3"):
        monkeypatch.setenv("OMP_NUM_THREADS", number)
        eta = family.to_eta(theta)
        results.append((family.potential(theta), eta, family.to_theta(eta), family.kl(theta, other), family.metric(theta[::4])))
    for serial, threaded in zip(*results):
        np.testing.assert_array_equal(threaded, serial)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_large_batch_is_its_rows(name, three_threads):
    family = FAMILIES[name]
    theta, other = points(family)
    rows = slice(1000, 1100)
    for whole, part in ((family.kl(theta, other), family.kl(theta[rows], other[rows])),
                        (family.to_eta(theta), family.to_eta(theta[rows])),
                        (family.metric(theta), family.metric(theta[rows]))):
        np.testing.assert_allclose(whole[rows], part, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("name", FAMILIES)
def test_float32_stays(name, three_threads):
    family = FAMILIES[name]
    theta, other = points(family, np.float32)
    for result in (family.potential(theta), family.to_eta(theta), family.kl(theta, other), family.metric(theta[::4])):
        assert result.dtype == np.float32


@pytest.mark.parametrize("contiguous", [False, True])
def test_shapes(contiguous, three_threads):
    """Batch axes stay, points broadcast, and the coordinates of the result are the function's own."""
    def difference(x, y):
        return in_blocks(lambda x, y: (x - y)[..., None] * x[..., None, :], x, y, contiguous=contiguous)

    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((300, 80, 9)), rng.standard_normal((80, 9))
    assert x.size > 3 * ELEMENTS
    expected = (x - y)[..., None] * x[..., None, :]
    np.testing.assert_array_equal(difference(x, y), expected)
    one, several = in_blocks(lambda x, y: (x - y, y), x, y, contiguous=contiguous)
    np.testing.assert_array_equal(one, x - y)
    np.testing.assert_array_equal(several, np.broadcast_to(y, x.shape))


def test_rows_lie_as_they_did_and_blocks_with_the_batch_first():
    x = np.zeros((20_000, 8))
    seen = []
    in_blocks(lambda x: seen.append(x.strides) or x, x, contiguous=False)
    in_blocks(lambda x: seen.append(x.strides[0]) or x, x, contiguous=True)
    assert set(seen) == {(64, 8), 8}


def test_what_is_large():
    """Small batches, other memory orders and other libraries are not, and go in one call."""
    large = np.zeros((20_000, 8))
    for x in (large[:100], np.asfortranarray(large), large[:, :7], large[0], array_api_strict.asarray(large)):
        assert not is_large((x,)) and not is_large((x, large))
    assert is_large((large,)) and is_large((large, large[0]))
    assert not is_large((large, array_api_strict.asarray(large))) and not is_large((large, np.array(0.0)))


def test_items_run_side_by_side(three_threads):
    """Three tasks wait for each other, again and again: fewer threads would wait for ever."""
    together, done = threading.Barrier(3, timeout=20.0), []
    share(lambda item: (together.wait(), done.append(item)), range(3 * SHARE))
    assert sorted(done) == list(range(3 * SHARE))


def test_few_items_stay_on_the_thread(three_threads):
    names = set()
    share(lambda item: names.add(threading.current_thread().name), range(2 * SHARE - 1))
    assert names == {threading.current_thread().name}


@pytest.mark.parametrize("value, expected", [("1", 1), ("5", 5), ("4,2", 4), (" 2 ", 2)])
def test_the_number_of_threads(value, expected, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert threads() == expected


@pytest.mark.parametrize("value", ["", "0", "-3", "many"])
def test_without_a_number_every_core(value, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0, 3, 4}, raising=False)
    assert threads() == 3


def test_one_thread_is_the_callers(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    names = set()
    share(lambda item: names.add(threading.current_thread().name), range(60))
    assert names == {threading.current_thread().name}


def test_a_thread_starts_no_further_ones(three_threads):
    """Shared work that shares again, and a caller who has threads of their own."""
    together, inner = threading.Barrier(3, timeout=20.0), {}

    def task(item):
        together.wait()
        if threading.current_thread() is not threading.main_thread():
            seen = inner.setdefault(threading.current_thread().name, set())
            share(lambda item: seen.add(threading.current_thread().name), range(60))

    share(task, range(3 * SHARE))
    assert len(inner) == 2 and all(seen == {name} for name, seen in inner.items())


def test_threads_see_the_callers_context(three_threads):
    together, seen = threading.Barrier(3, timeout=20.0), []

    def task(item):
        together.wait()
        seen.append((WORD.get(), np.geterr()["divide"]))

    token = WORD.set("spoken")
    with np.errstate(divide="raise"):
        share(task, range(3 * SHARE))
    WORD.reset(token)
    assert seen == [("spoken", "raise")] * (3 * SHARE)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, np.linalg.LinAlgError], ids=lambda error: error.__name__)
def test_the_first_error_is_raised(error, three_threads):
    """Of three tasks that fail at once, that of the first item; nothing new is begun, and no thread is left behind."""
    together, begun, before = threading.Barrier(3, timeout=20.0), [], threading.active_count()

    def task(item):
        begun.append(item)
        together.wait()
        if item >= 3:
            raise error(f"item {item}")

    with pytest.raises(error, match="item 3"):
        share(task, range(30))
    assert sorted(begun) == list(range(6))
    assert threading.active_count() == before


def test_a_failed_block_is_the_methods_own_error(three_threads):
    eta = np.tile([0.3, 1.5], (12 * ELEMENTS // 2, 1))
    eta[-1] = np.inf, np.inf

    def check(x):
        if not np.all(np.isfinite(x)):
            raise ig.ConvergenceError("short of its accuracy", x, x)
        return x

    with pytest.raises(ig.ConvergenceError, match="short of its accuracy"):
        in_blocks(check, eta, contiguous=False)


def test_a_solver_that_stands_on_a_large_batch(three_threads):
    """What is remembered for a point belongs to the caller's thread: blocks neither see it nor add to it."""
    family = ig.Dirichlet(5)
    theta, _ = points(family)
    fresh = family.to_eta(theta), family.metric(theta), family.sharp(theta, theta)
    with standing() as stand:
        stand(theta)
        for _ in range(2):
            for result, expected in zip((family.to_eta(theta), family.metric(theta), family.sharp(theta, theta)), fresh):
                np.testing.assert_array_equal(result, expected)
        eta = family.to_eta(theta)
        stand(eta)
        assert family.to_theta(eta) is family.to_theta(eta)
