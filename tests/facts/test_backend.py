"""Coercion, dtypes, devices and the choice of a backend."""
import array_api_strict
import numpy as np
import pytest

import infogeo as ig
from infogeo import backend

DEVICE = array_api_strict.Device("device1")


def strict(x, dtype=array_api_strict.float64):
    return array_api_strict.asarray(x, dtype=dtype, device=DEVICE)


@pytest.mark.parametrize("x, dtype", [
    (1, np.float64), (1.5, np.float64), (True, np.float64), ([1, 2], np.float64), ((0.5, 1), np.float64),
    (np.arange(3), np.float64), (np.array(3), np.float64), (np.ones(2, np.int8), np.float64), (np.array([True]), np.float64),
    (np.float64(2.0), np.float64), (np.float32(2.0), np.float32), (np.ones(2, np.float32), np.float32),
])
def test_asarray_gives_floats(x, dtype):
    result = backend.asarray(x)
    assert isinstance(result, np.ndarray) and result.dtype == dtype
    np.testing.assert_array_equal(result, np.asarray(x, dtype=float))


def test_numbers_lists_and_integers_follow_the_floats_beside_them():
    xp, a, b, c, d = backend.arrays(np.ones(2, np.float32), 0.1, [1, 2], np.arange(2))
    assert xp is backend.NUMPY and {x.dtype for x in (a, b, c, d)} == {np.dtype(np.float32)}
    xp, a, b = backend.arrays(strict([1.0, 2.0]), [3.0, 4.0])
    assert a.device == b.device == DEVICE


def test_arrays_pass_through_unchanged():
    x = np.ones(3)
    assert backend.asarray(x) is x and backend.arrays(x)[1] is x and backend.to_numpy(x) is x


@pytest.mark.parametrize("family, theta", [
    (ig.Normal(), [0.25, -0.125]), (ig.Categorical(3), [0.3, -0.2]), (ig.Gamma(), [2.0, -1.0]), (ig.Dirichlet(2), [2.0, 1.0]),
    (ig.Poisson(), [0.5]),
], ids=repr)
def test_float32_in_float32_out(family, theta):
    theta = np.array(theta, dtype=np.float32)
    eta = family.to_eta(theta)
    for result in (eta, family.potential(theta), family.metric(theta), family.sharp(theta, theta), family.cubic_tensor(theta),
                   family.entropy(theta), family.kl(theta, theta), family.to_theta(eta), family.dual_potential(eta),
                   family.sample(np.random.default_rng(0), theta)):
        assert result.dtype == np.float32
    np.testing.assert_allclose(family.to_theta(eta), theta, rtol=1e-4)


def test_lists_and_integers_are_taken_where_arrays_are():
    family = ig.Categorical(3)
    np.testing.assert_array_equal(family.to_eta([0, 0]), family.to_eta(np.zeros(2)))
    assert family.to_eta(np.zeros(2, dtype=int)).dtype == np.float64
    np.testing.assert_array_equal(ig.Poisson().fit(np.array([1, 3])), ig.Poisson().fit([1.0, 3.0]))


MIXED = r"arrays on different devices: .* and .*; move one with infogeo\.backend\.to_numpy or infogeo\.backend\.asarray"


def test_mixing_devices_is_an_error_that_says_what_to_do():
    x, y = np.zeros(2), strict([0.0, 0.0])
    with pytest.raises(TypeError, match=MIXED):
        backend.backend_of(x, y)
    family = ig.Categorical(3)
    for call in (lambda: family.kl(x, y), lambda: family.sharp(y, x), lambda: ig.e_geodesic(family, y, x, 0.5),
                 lambda: ig.descend(ig.CrossEntropy(family, strict([0.3, 0.3])), x, geometry=family, update=ig.GradientUpdate(),
                                    step=ig.Constant(1.0), max_steps=1)):       # what is kept of NumPy's joins: test_kept_arrays
        with pytest.raises(TypeError, match=MIXED):
            call()
    with pytest.raises(TypeError, match=MIXED):
        backend.backend_of(y, array_api_strict.asarray([0.0]))       # the same library on two devices


def test_moving_between_devices():
    x = np.array([0.1, 0.2])
    there = backend.asarray(x, like=strict([0.0]))
    assert there.device == DEVICE
    back = backend.to_numpy(there)
    assert isinstance(back, np.ndarray)
    np.testing.assert_array_equal(back, x)
    assert isinstance(backend.asarray(there, like=np.zeros(1)), np.ndarray)


def test_results_stay_on_the_device_of_the_arrays():
    family = ig.Gamma()
    theta = strict([[2.0, -1.0], [0.5, -3.0]])
    for result in (family.to_eta(theta), family.metric(theta), family.entropy(theta), family.to_theta(family.to_eta(theta)),
                   family.sample(np.random.default_rng(0), theta, 3), family.parameters(theta)["shape"]):
        assert result.device == DEVICE
    host = np.array([[2.0, -1.0], [0.5, -3.0]])
    np.testing.assert_allclose(backend.to_numpy(family.to_eta(theta)), family.to_eta(host), rtol=1e-14)


def test_use_backend_refuses_unknown_names():
    with pytest.raises(ValueError, match=r"backend must be one of 'numpy', 'cupy', 'torch', 'jax'; got 'dask'"):
        with ig.use_backend("dask"):
            raise AssertionError("the block must not run")


@pytest.mark.skipif(backend.is_cupy_available(), reason="there is a CUDA device, so the cupy backend can be used")
def test_cupy_without_a_device_is_a_clear_error_and_changes_nothing():
    with pytest.raises((ImportError, RuntimeError), match="the cupy backend needs"):
        with ig.use_backend("cupy"):
            raise AssertionError("the block must not run")
    assert isinstance(backend.asarray([1.0]), np.ndarray)
    assert isinstance(backend.generator(0), np.random.Generator)
    np.testing.assert_allclose(ig.Poisson().to_eta([0.0]), [1.0])


def test_use_backend_ends_with_its_block_also_after_an_error():
    with pytest.raises(KeyError):
        with ig.use_backend("numpy"):
            raise KeyError
    assert isinstance(backend.asarray([1.0]), np.ndarray)


def test_generators_of_equal_seed_draw_alike():
    np.testing.assert_array_equal(backend.generator(3).random(4), np.random.default_rng(3).random(4))


@pytest.mark.parametrize("family, theta", [
    (ig.Bernoulli(), [0.3]), (ig.Categorical(3), [0.3, -0.2]), (ig.Poisson(), [1.0]), (ig.Exponential(), [-1.0]),
    (ig.Normal(), [0.25, -0.125]), (ig.Gamma(), [2.0, -1.0]), (ig.Dirichlet(2), [2.0, 1.0]),
    (ig.MultivariateNormal(1), [0.5, -1.0]),
], ids=repr)
def test_samplers(family, theta):
    """Same generator state, same draws; shapes are (*shape, ..., *support.shape); any other rng is refused."""
    event = family.support.shape
    draw = lambda rng, t, shape: family.sample(rng, t, shape)
    first, again = (draw(np.random.default_rng(0), theta, (2, 3)) for _ in range(2))
    assert first.shape == (2, 3, *event)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, draw(np.random.default_rng(1), theta, (2, 3)))
    batch = np.broadcast_to(np.array(theta), (4, family.dim))
    assert draw(np.random.default_rng(0), batch, ()).shape == (4, *event)
    assert draw(np.random.default_rng(0), batch, 5).shape == (5, 4, *event)
    on_device = draw(np.random.default_rng(0), strict(theta), (2, 3))
    np.testing.assert_allclose(backend.to_numpy(on_device), first, rtol=1e-12)
    for wrong in (0, None, np.random):
        if not hasattr(wrong, "standard_normal"):
            with pytest.raises(TypeError, match=r"rng must be a numpy\.random\.Generator \(or CuPy's, .*\); got "):
                draw(wrong, theta, ())


def test_batch_contiguous_keeps_values_and_puts_the_batch_last_in_memory():
    x = np.arange(12.0).reshape(4, 3)
    y = backend.batch_contiguous(x)
    np.testing.assert_array_equal(x, y)
    assert y.strides[0] == 8 and x.strides[0] == 24


def test_read_only_arrays_are_enough():
    theta = np.array([[0.25, -0.125], [1.0, -2.0]])
    theta.flags.writeable = False
    family = ig.Normal()
    before = theta.copy()
    ig.descend(ig.CrossEntropy(family, [1.0, 2.0]), theta, geometry=family, update=ig.MirrorUpdate(), step=ig.Constant(0.5),
               max_steps=3)
    family.fit(theta[:, 0])
    np.testing.assert_array_equal(theta, before)
