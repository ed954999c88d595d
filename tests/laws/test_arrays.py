"""Arrays in, arrays out: library, device and dtype are kept, inputs are not changed, batches are rows, leading axes broadcast."""
import numpy as np
import pytest

from infogeo import ExponentialFamily, Quadratic
from infogeo.arrays.memo import standing
from infogeo.testing.calculus import condition

from ..backends import NUMPY
from ..registry import arguments, every_manifold_once, is_slow, kernels, once_each, region


def rounded(x, dtype):
    """The numbers that a narrower dtype has, in double precision; observations may be complex."""
    if x.dtype.kind == "c":
        return x.astype(np.result_type(dtype, np.complex64)).astype(complex)
    return x.astype(dtype).astype(float)


def results(M, pool):
    """(name, arguments, result) of every formula at the points and vectors of the pool, lists of arrays by kind.

    What several formulas need at one point, an inversion for instance, is computed once, as when a solver stands there.
    """
    with standing() as stand:
        for first in ("theta", "eta"):
            stand(pool[first][0])
            for name, kinds in kernels(M).items():
                if kinds[0] == first:
                    remaining = {kind: iter(arrays) for kind, arrays in pool.items()}
                    args = [next(remaining[kind]) for kind in kinds]
                    yield name, args, getattr(M, name)(*args)


def pool_of(M, seed, shape, scale):
    """As many points, vectors and observations as any formula takes, lists of arrays by kind."""
    kinds = ["theta", "theta", "eta", "vector", "vector", "covector", *["x"] * isinstance(M, ExponentialFamily)]
    pool: dict = {}
    for kind, x in zip(kinds, arguments(M, kinds, np.random.default_rng(seed), shape, scale)):
        pool.setdefault(kind, []).append(x)
    return pool


def each(pool, change):
    """The pool with every array changed."""
    return {kind: [change(x) for x in arrays] for kind, arrays in pool.items()}


def by_name(M, pool):
    return {name: x for name, _, x in results(M, pool)}


@once_each
def in_double_precision(M, dtype, shape):
    """Numbers that the dtype has, and each formula at them on NumPy in float64, with a tolerance."""
    pool = each(pool_of(M, 11, shape, 0.3), lambda x: rounded(x, dtype))
    kappa = np.max(condition(M, region(M).sample(np.random.default_rng(11), (3,), scale=0.3)))
    expected = {}
    for name, (point, *_), x in results(M, pool):
        size = kappa * (np.max(np.abs(x)) + (np.max(np.abs(M.potential(point))) if point is pool["theta"][0] else 0))
        if name == "to_theta":          # near θ = 0 the rounding of η is more than that of θ
            size += np.max(np.abs(point)) * np.max(np.abs(M.dual_metric(point)))
        if name.endswith("cubic_tensor"):       # third cumulants pass through 0 where the second do not
            size += np.max(np.abs(M.metric(point) if name == "cubic_tensor" else M.dual_metric(point))) ** 1.5
        expected[name] = x, 30 * np.finfo(dtype).eps * size
    return pool, expected


@every_manifold_once
def test_every_formula_on_every_backend(M, backend, thorough):
    """The same numbers as on NumPy in float64, to the rounding of the dtype times the condition of the metric."""
    cases = [("float64", (3,)), ("float32", ()), ("float64", ()), ("float32", (3,))]
    if backend.name == "array_api_strict":          # of which an operation takes 20 times as long
        cases = cases[:1] if is_slow(M) else cases[:2]
    elif backend.name == "jax" and not thorough:
        cases = cases[:1]
    for dtype, shape in cases:
        assert_same_numbers(M, backend, dtype, shape)


def assert_same_numbers(M, backend, dtype, shape):
    pool, expected = in_double_precision(M, dtype, shape)
    made = each(pool, lambda x: backend.make(x, dtype))          # what the backend will see
    kept = each(made, lambda x: backend.to_numpy(x).copy())
    found = {name: backend.check(x, dtype) for name, _, x in results(M, made)}
    assert all(np.array_equal(backend.to_numpy(x), before) for kind in kept for x, before in zip(made[kind], kept[kind]))
    assert set(found) == set(expected) == set(kernels(M))
    for name, (x, tolerance) in expected.items():
        assert found[name].shape == x.shape
        room = 4.0 if backend.name == "jax" else 1.0            # its log Γ is right to 2e-15 near 1 and 2, SciPy's to 1e-17
        assert np.all(np.abs(found[name] - x) <= room * tolerance), name


@every_manifold_once
def test_a_batch_is_its_rows(M):
    pool = pool_of(M, 12, (2, 2), 0.5)
    whole = by_name(M, pool)
    for row in ((0, 1), (1, 0), (1, 1)):
        for name, alone in by_name(M, each(pool, lambda x: x[row])).items():
            assert whole[name].shape == (2, 2, *alone.shape)
            assert np.allclose(whole[name][row], alone, rtol=1e-10, atol=1e-11 * np.max(np.abs(whole[name]))), name


@every_manifold_once
def test_an_empty_batch_is_empty(M):
    pool = pool_of(M, 13, (1,), 1.0)
    one, none = by_name(M, pool), by_name(M, each(pool, lambda x: x[:0]))
    assert {name: x.shape for name, x in none.items()} == {name: (0, *x.shape[1:]) for name, x in one.items()}


@every_manifold_once
def test_batches_broadcast(M):
    pool = pool_of(M, 14, (2, 3), 1.0)
    points = {kind: [x[:, :1] if kind in ("theta", "eta") and i == 0 else x[0] for i, x in enumerate(arrays)]
              for kind, arrays in pool.items()}
    full = {kind: [np.broadcast_to(x, like.shape).copy() for x, like in zip(points[kind], pool[kind])] for kind in pool}
    batched, whole = by_name(M, points), by_name(M, full)
    for name, kinds in kernels(M).items():
        assert len(kinds) == 1 or np.allclose(batched[name], whole[name], rtol=1e-12), name


@every_manifold_once
def test_lists_and_integers(M):
    """Lists are float64 arrays; integers take the dtype of the floats beside them."""
    rng = np.random.default_rng(15)
    theta = region(M).sample(rng, (2,), 0.3)
    assert np.array_equal(M.potential(theta.tolist()), M.potential(theta))
    assert np.array_equal(M.divergence(theta[0].tolist(), theta[1].tolist()), M.divergence(theta[0], theta[1]))
    ones = np.ones((2, M.dim))
    for dtype in ("float64", "float32"):
        point = NUMPY.make(theta, dtype)
        for integers in (np.ones((2, M.dim), dtype=np.int64), [[1] * M.dim] * 2, np.ones((2, M.dim), dtype=bool)):
            own = M.flat(point, integers)
            assert own.dtype == dtype and np.array_equal(own, M.flat(point, ones.astype(dtype)))


@every_manifold_once
def test_integer_points(M):
    """An integer point is its float64 twin, where the domain has one."""
    candidates = np.rint(3 * region(M).sample(np.random.default_rng(16), (400,), 1.0))
    candidates = candidates[region(M).contains(candidates)][:3]
    whole = candidates.astype(np.int64)
    assert np.array_equal(M.to_eta(whole), M.to_eta(candidates)) and M.to_eta(whole).dtype == np.float64
    assert np.array_equal(M.metric(whole), M.metric(candidates))


@every_manifold_once
def test_devices_do_not_mix(M, backend):
    theta = region(M).sample(np.random.default_rng(17), (2,), 0.3)
    if backend.namespace is not np:
        with pytest.raises(TypeError, match="different devices"):
            M.divergence(backend.make(theta), theta)


def test_a_shared_matrix_is_not_aliased():
    """A manifold that holds an array is not changed through its results."""
    M = Quadratic(np.diag([1.0, 2.0]))
    metric = M.metric(np.zeros((3, 2)))
    with pytest.raises(ValueError):
        metric[...] = 0.0
    assert np.array_equal(M.Q, np.diag([1.0, 2.0]))
