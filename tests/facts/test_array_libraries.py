"""What every array library is asked for beside the laws: special functions, generators, entries that are set, its choice."""
import copy
import csv
import itertools
import pickle
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import scipy.special

import infogeo as ig
from infogeo.backend import SPECIAL, asarray, backend_of, generator, generator_of, set_at, to_numpy

from ..backends import BACKENDS

rng = np.random.default_rng(0)
REAL = np.concatenate([np.linspace(-36.0, 36.0, 61), [-1e-9, 1e-9, np.inf, -np.inf, np.nan]])
POSITIVE = np.concatenate([np.logspace(-8, 8, 33), rng.uniform(0.9, 2.1, 8)])
PART = np.concatenate([np.logspace(-12, -1, 12), np.linspace(0.2, 0.8, 7), 1.0 - np.logspace(-12, -1, 12)])
SHAPE, OTHER = np.exp(rng.uniform(-3, 5, (2, 31)))
ARGUMENTS = {
    "betainc": (SHAPE, OTHER, PART), "betaincc": (SHAPE, OTHER, PART), "betaincinv": (SHAPE, OTHER, PART), "digamma": (POSITIVE,),
    "erf": (REAL,), "erfcx": (REAL[REAL > -20],), "erfinv": (2.0 * PART - 1.0,), "expit": (10.0 * REAL,),
    "gammainc": (SHAPE, SHAPE * OTHER**0.2), "gammaincc": (SHAPE, SHAPE * OTHER**0.2), "gammainccinv": (SHAPE, PART),
    "gammaincinv": (SHAPE, PART), "gammaln": (POSITIVE,), "log_ndtr": (REAL,), "ndtr": (REAL,), "ndtri": (PART,),
    "xlog1py": (REAL[:41], POSITIVE), "xlogy": (np.append(0.0, REAL[:41]), np.append(0.0, POSITIVE)),
}
# Relative, in float64 and float32: as JAX's incomplete functions have it. Near a zero of log Γ or ψ they are absolute.
INCOMPLETE = {"betainc": (1e-10, 2e-4), "gammainc": (2e-11, 2e-4), "gammaincc": (2e-11, 2e-4)}
ZEROS = {"gammaln", "digamma"}


# Those that `use_backend` knows.
every_choice = pytest.mark.parametrize("backend", [known for known in BACKENDS if known.values[0].name in ig.backend.BACKENDS])


@pytest.mark.parametrize("name", SPECIAL)
def test_special_functions(name, backend):
    """SciPy's numbers, in float64 and float32."""
    for dtype, rtol in zip(("float64", "float32"), INCOMPLETE.get(name, (2e-12, 3e-5))):
        xs = [x.astype(dtype) for x in ARGUMENTS[name]]
        made = [backend.make(x, dtype) for x in xs]
        found = backend.check(getattr(backend_of(*made), name)(*made), dtype).astype(float)
        with np.errstate(all="ignore"):
            expected = getattr(scipy.special, name)(*xs).astype(float)
        info = np.finfo(dtype)
        room = 10.0 * float(info.eps if name in ZEROS else info.tiny)           # JAX has no subnormal numbers
        assert np.allclose(found, expected, rtol=rtol, atol=room, equal_nan=True), dtype


def test_a_singular_matrix_has_no_number(backend):
    """On torch and JAX, which raise nothing; the other matrices of the batch are solved. A vector is told from matrices."""
    xp, A = backend_of(backend.make(0.0)), np.array([[2.0, 1.0], [0.0, 4.0]])
    if backend.name in ("torch", "jax"):
        both = backend.make(np.array([[[1.0, 2.0], [2.0, 4.0]], A]))
        for found in (xp.linalg.inv(both), xp.linalg.solve(both, backend.make(np.ones((2, 2, 1))))):
            assert list(np.isfinite(to_numpy(found)).all(axis=(1, 2))) == [False, True]
    for b in (np.ones(2), np.ones((2, 1)), np.arange(6.0).reshape(3, 2, 1)):
        np.testing.assert_allclose(to_numpy(xp.linalg.solve(backend.make(A), backend.make(b))), np.linalg.solve(A, b), rtol=1e-14)


def test_no_number_is_no_extreme(backend):
    """Of so many numbers XLA's own reductions pass over NaN."""
    x = np.arange(3.0 * 4097).reshape(4097, 3)
    x[7, 1] = np.nan
    for made in (backend.make(x), backend.make(x, "float32")):
        xp = backend_of(made)
        for name, axis in itertools.product(("max", "min"), (None, 0, -1)):
            found = getattr(xp, name)(made, axis=axis)
            assert found.dtype == made.dtype and np.array_equal(to_numpy(found), getattr(np, name)(x, axis=axis), equal_nan=True)


def test_no_number_is_none_beside_a_sum(backend):
    """Compiled together with a sum of many, XLA's own larger and smaller numbers pass over NaN."""
    xp = backend_of(backend.make(0.0))
    for dtype in ("float64", "float32"):
        x = backend.make(np.where(np.arange(4097.0 * 3.0) == 7.0, np.nan, 1.0).reshape(4097, 3), dtype)
        for sums in (lambda x: xp.sum(xp.maximum(x, xp.zeros_like(x)), axis=-1),
                     lambda x: xp.sum(xp.minimum(x, xp.ones_like(x)), axis=-1)):
            found = to_numpy(compiled(backend, sums)(x))
            assert list(np.flatnonzero(np.isnan(found))) == [2]


def compiled(backend, f):
    if backend.name != "jax":
        return f
    import jax
    return jax.jit(f)


def test_logarithms_of_many_numbers(backend):
    """To two units in the last place, near 1 and of what is no number, too; JAX has formulas of its own for many, and slopes."""
    near = np.concatenate([rng.normal(0.0, 1e-3, 1000), 2.0**-np.arange(1.0, 60.0), -(2.0**-np.arange(1.0, 60.0))])
    wide = np.exp(rng.uniform(-700.0, 700.0, 2000))
    odd = [0.0, 1.0, np.sqrt(0.5), np.sqrt(2.0), 2.3e-308, 1.79e308, np.inf, np.nan]
    log1p_at = np.concatenate([near, wide, -np.exp(rng.uniform(-40.0, -1e-3, 1000)), odd, [-1.0, -2.0, -np.inf]])
    for name, x in (("log", np.concatenate([1.0 + near, wide, odd, [-1.0, -np.inf]])), ("log1p", log1p_at)):
        made = backend.make(np.resize(x, 4500))
        f = compiled(backend, getattr(backend_of(made), name))
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(to_numpy(f(made)), getattr(np, name)(np.resize(x, 4500)), rtol=4.5e-16)
        if backend.name == "jax":
            import jax
            slope = jax.grad(lambda x: jax.numpy.sum(f(x)))(made[:4096] + 3.0)
            expected = 1.0 / (np.resize(x, 4500)[:4096] + (3.0 if name == "log" else 4.0))
            np.testing.assert_allclose(slope, expected, rtol=1e-15, atol=3e-308)           # JAX has no subnormal numbers


def test_entries_are_set(backend):
    """A mask may be the index of its own entries."""
    xp, x, mask = backend_of(backend.make(0.0)), np.arange(6.0).reshape(2, 3), backend.make(np.array([True, False, True]))
    own = lambda y: xp.asarray(y, copy=True)
    assert np.array_equal(to_numpy(set_at(xp, own(backend.make(x)), (0, ...), 7.0)), [[7.0] * 3, [3.0, 4.0, 5.0]])
    mine, rest = own(mask), backend.make(np.array([False, True]))
    assert list(to_numpy(set_at(xp, mine, mine, rest))) == [False, False, True]
    assert list(to_numpy(set_at(xp, own(mask), mask, rest))) == [False, False, True]


def test_namespaces_are_sent(backend):
    xp = backend_of(backend.make(0.0))
    assert pickle.loads(pickle.dumps(xp)) is xp and copy.deepcopy(xp) is xp


@every_choice
@pytest.mark.parametrize("family, theta", [(ig.Normal(), [0.3, -0.5]), (ig.Gamma(), [1.5, -2.0]), (ig.Poisson(), [1.2]),
                                           (ig.Categorical(3), [0.3, -0.4]), (ig.Poisson(), [45.0])], ids=repr)
def test_generators_of_the_library(family, theta, backend):
    """Draws have the law's moments, on the library of the point, and one seed gives one sequence of draws."""
    with ig.use_backend(backend.name):
        first, again, other = (family.sample(generator(seed), backend.make(theta), (4000,)) for seed in (7, 7, 8))
    drawn = backend.check(first)
    assert np.array_equal(drawn, backend.to_numpy(again)) and not np.array_equal(drawn, backend.to_numpy(other))
    statistic = to_numpy(family.sufficient_statistic(drawn))
    error = np.sqrt(np.diag(family.metric(theta)) / 4000)
    assert np.all(np.abs(statistic.mean(axis=0) - family.to_eta(theta)) < 5.0 * error)
    with ig.use_backend(backend.name):
        abroad = family.sample(generator(7), np.array(theta), (4000,))          # of that generator, to where the point is
    assert isinstance(abroad, np.ndarray) and np.array_equal(abroad, drawn)


@every_choice
def test_draws_of_von_mises_by_rejection(backend):
    """Which are set where they are accepted."""
    family = ig.VonMises()
    with ig.use_backend(backend.name):
        x = backend.check(family.sample(generator(1), backend.make([1.0, 2.0]), (4000,)))
    mean = to_numpy(family.sufficient_statistic(x)).mean(axis=0)
    assert np.all(np.abs(mean - family.to_eta([1.0, 2.0])) < 5.0 * np.sqrt(np.diag(family.metric([1.0, 2.0])) / 4000))


@every_choice
def test_a_run_draws_anew_at_every_step(backend):
    """Of a key of JAX, too, which itself gives the same draws again."""
    family = ig.Normal()
    f = ig.Noisy(ig.CrossEntropy(family, backend.make([0.0, 2.0])), 0.1)
    with ig.use_backend(backend.name):
        runs = [ig.descend(f, backend.make([0.0, -0.5]), geometry=family, update=ig.GradientUpdate(), step=ig.Constant(0.01),
                           max_steps=3, rng=generator(3)) for _ in range(2)]
    path = backend.check(runs[0].path)
    assert np.array_equal(path, backend.to_numpy(runs[1].path))
    first, second = np.diff(path, axis=0)[:2]
    assert np.max(np.abs(first - second)) > 1e-5
    random = generator_of(np.random.default_rng(0) if backend.name == "numpy" else runs_generator(backend))
    assert 0 <= int(random.integers(5)) < 5                 # what the library does not draw itself, NumPy does


def runs_generator(backend):
    with ig.use_backend(backend.name):
        return generator(0)


@every_choice
def test_numbers_and_lists_are_made_there(backend):
    with ig.use_backend(backend.name):
        theta = ig.Normal().theta_from(mean=[0.0, 1.0], variance=2)
        assert backend.check(theta).shape == (2, 2)
        assert backend.check(asarray(1)) == 1.0
    assert isinstance(asarray(1), np.ndarray)


SCRIPTS = {
    "jax": """
import warnings, jax, numpy as np, infogeo as ig
x = jax.numpy.asarray([0.3, -0.5])
for y in (x, ig.Normal().to_eta(x), ig.Normal().sample(jax.random.key(0), x)):
    assert y.dtype == "float32"
with ig.use_backend("jax"):
    assert ig.Normal().theta_from(mean=0.0, variance=1.0).dtype == "float32"
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    ig.backend.asarray(np.zeros(2), like=x)
assert "jax_enable_x64" in str(said[0].message)
try:
    jax.jit(ig.backend.to_numpy)(x)
except TypeError as error:
    assert "cannot follow" in str(error)
try:
    jax.jit(lambda t: ig.VonMises().sample(jax.random.key(0), t))(x)
except TypeError as error:
    assert "VonMises().sample looks at numbers" in str(error)
f, data = ig.Normal(), jax.numpy.asarray([0.5, -1.0])
for traced in (jax.jit(lambda y: f.log_density(x, y))(data), jax.jit(lambda t: f.log_density(t, data))(x)):    # one is a constant
    assert np.allclose(traced, f.log_density(x, data))
q, p = ig.Poisson(), jax.numpy.asarray([0.3])
assert np.allclose(jax.jit(lambda t: ig.bhattacharyya(q, p, t))(p + 1), ig.bhattacharyya(q, p, p + 1))
""",
    "torch": """
import warnings, torch, numpy as np, infogeo as ig
x = torch.tensor([0.3, -0.5], dtype=torch.float64, requires_grad=True)
assert np.array_equal(ig.backend.to_numpy(x), [0.3, -0.5]) and ig.backend.to_numpy(x.conj()).dtype == float
xp = ig.backend.backend_of(x)
try:
    xp.gammaincinv(x, x)
except TypeError as error:
    assert "no derivative" in str(error)
frozen = np.array([1.0, 2.0]); frozen.flags.writeable = False
assert np.array_equal(ig.backend.to_numpy(ig.backend.asarray(frozen[::-1], like=x)), [2.0, 1.0])
assert ig.Normal().to_eta(x.detach().to(torch.float32)).dtype == torch.float32
meta = torch.empty((5, 2), dtype=torch.float64, device="meta")
assert ig.Categorical(3).to_eta(meta).shape == (5, 2)
M, q = ig.Gamma(), torch.tensor([0.1, 0.9], dtype=torch.float64)
assert M.theta_from(shape=meta, rate=1.0).shape == (5, 2, 2) and M.to_theta(meta).shape == (5, 2)
assert M.log_density(meta, meta[:, 0]).shape == M.quantile(meta, meta[:, 0]).shape == (5,)
theta = M.theta_from(shape=1.0 + q, rate=1.0)
assert torch.allclose(torch.func.vmap(M.quantile)(theta, q), M.quantile(theta, q), rtol=1e-14)
assert torch.allclose(torch.func.vmap(M.cdf, (None, 0))(theta[0], q), M.cdf(theta[0], q), rtol=1e-14)
for M, theta in ((ig.GeneralizedInverseGaussian(), torch.stack([q, -1 - q, -q], dim=-1)),
                 (ig.Truncated(ig.Poisson(), 0), q[:, None])):
    found = torch.func.vmap(M.log_density)(theta, torch.ones(2, dtype=torch.float64))
    assert torch.allclose(found, M.log_density(theta, torch.ones(2, dtype=torch.float64)), rtol=1e-13)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")                 # of what breaks the graph
    x = torch.tensor([[0.3, -0.5], [1.0, 2.0]], dtype=torch.float64, requires_grad=True)
    y = torch.compile(ig.Normal().potential, backend="eager")(x)
    y[0].backward()
assert torch.equal(y[:1], ig.Normal().potential(x[:1])) and y[1].isnan() and torch.allclose(x.grad[0], ig.Normal().to_eta(x[0]))
with warnings.catch_warnings():
    warnings.simplefilter("ignore")                 # by torch, of prototypes
    odd = q.to_sparse(), torch.quantize_per_tensor(q.float(), 0.1, 0, torch.qint8), torch.nested.as_nested_tensor([q, q])
for ask in (ig.Poisson().potential, ig.Poisson().fit, ig.backend.to_numpy):
    for x in odd:
        try:
            ask(x)
            raise SystemExit("no error")
        except TypeError as error:
            assert "dense tensors are needed" in str(error)
try:
    ig.Categorical(3).to_eta(list(torch.ones(2, requires_grad=True)))
    raise SystemExit("no error")
except TypeError as error:
    assert "torch.stack(x) makes one of them" in str(error)
assert ig.backend.to_numpy(torch.ones(2, dtype=torch.bfloat16)).tolist() == [1.0, 1.0]
rows = torch.tensor([[0.0, 1.0], [0.1, 1.0], [5.0, 2.0]], dtype=torch.float64, requires_grad=True)
model = ig.clustering.BregmanKMeans(2, random_state=0).fit(rows)
assert model.score(rows) == model.score(rows.detach().numpy()) and list(model.fit_predict(X=rows)) == list(model.predict(rows))
for ask in (lambda: ig.Gamma().sample(np.random.default_rng(0), meta), lambda: ig.backend.to_numpy(meta),
            lambda: torch.func.vmap(ig.Beta().distance)(1 + q[None], 2 + q[None])):
    try:
        ask()
        raise SystemExit("no error")
    except TypeError as error:
        assert "numbers" in str(error)
""",
}


def test_what_one_library_does_alone(backend):
    """In a process of its own: JAX without float64, what torch keeps for derivatives, arrays that NumPy locked."""
    if backend.name in SCRIPTS:
        subprocess.run([sys.executable, "-W", "error", "-c", SCRIPTS[backend.name]], check=True)


@pytest.mark.parametrize("where", ["the table", "the code"])
def test_the_page(where, backend):
    """The table of what goes through the host is that of the library; the code of the page runs."""
    docs = Path(__file__).parent.parent.parent / "docs"
    title = {"torch": "PyTorch", "jax": "JAX"}.get(backend.name, "")
    if where == "the table":
        with open(docs / "_static" / "arrays_host.csv", encoding="utf-8") as file:
            said = {row["library"]: tuple(row["functions"].split()) for row in csv.DictReader(file)}
        assert said.get(title, backend_of(backend.make(0.0)).host) == backend_of(backend.make(0.0)).host
        assert set(said["any other"]) == set(SPECIAL)
    elif title:
        text = (docs / "guide" / "backend.rst").read_text(encoding="utf-8")
        blocks = re.findall(r"^::\n\n((?:    .*\n|\n)+)", text, re.MULTILINE)
        [code] = [block for block in blocks if f"import {backend.name}" in block]
        names = {}
        exec(textwrap.dedent(code), names)
        assert type(names["x"]) is type(backend.make(0.0)) and names["x"].shape[0] == 1000
