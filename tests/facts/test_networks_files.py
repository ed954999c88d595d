"""Models in files: what comes back is what went in, bit by bit, and what cannot be said is refused."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.arrays.files import packed, unpacked
from infogeo.networks import (MLP, AveragePool, ConditionalModel, Convolution2D, Dense, Flatten, Glorot, Identity, Logistic,
                              MaxPool, Relu, Sequential, Softplus, Tanh, load, save)

from ..registry import every_family

LAYERS = [Convolution2D(2, 3, (3, 2), (1, 2), (1, 0), False), Relu(), AveragePool(2, 1), Convolution2D(3, 2, 2), Softplus(),
          MaxPool((2, 1)), Flatten(), Tanh(), Dense(4, 3, bias=False), Logistic(), Identity(), Dense(3, 2)]


@every_family
def test_every_family_comes_back(tmp_path, M):
    network = MLP((2, M.theta_domain.chart.inputs(M.dim)))
    w = network.init(np.random.default_rng(0), Glorot())
    save(tmp_path / "model.npz", ConditionalModel(network, M), w)
    model, again = load(tmp_path / "model.npz")
    assert model.network == network and type(model.family) is type(M) and repr(model.family) == repr(M)
    assert np.array_equal(again, w) and again.dtype == w.dtype
    x = np.random.default_rng(1).standard_normal((3, 2))
    assert np.array_equal(model.theta(again, x), ConditionalModel(network, M).theta(w, x))
    theta = M.theta_domain.chart(np.zeros(M.dim))
    assert np.array_equal(model.family.potential(theta), M.potential(theta), equal_nan=True)        # with all its parameters


def test_every_layer_comes_back(tmp_path):
    network = Sequential(LAYERS, (7, 7, 2))
    public = [getattr(ig.networks, name) for name in ig.networks.__all__]
    kinds = {layer for layer in public if isinstance(layer, type) and issubclass(layer, ig.networks.Layer)}
    assert {type(layer) for layer in LAYERS} == kinds - {ig.networks.Layer, ig.networks.Affine, ig.networks.Activation}
    w = network.init(np.random.default_rng(0), Glorot(), shape=(2,), dtype="float32")
    negative = ig.domains.ScaledChart(ig.domains.ExponentialChart(-1), 0.3)
    bounded = ig.domains.StackedChart((ig.domains.LogitChart(-1.0, 0.1), 1), (negative, 1))
    symmetric = ig.domains.SymmetricSoftmax(2, 0)
    for family, chart in ((ig.Normal(), None), (ig.NormalKnownVariance(0.1), symmetric), (ig.Normal(), bounded)):
        model = ConditionalModel(network, family, chart)
        save(tmp_path / "model.npz", model, w)
        again, v = load(str(tmp_path / "model.npz"))
        assert again.network == network and v.dtype == np.float32 and np.array_equal(v, w) and again.family == family
        x = np.random.default_rng(1).standard_normal((3, 7, 7, 2))
        assert np.array_equal(again.theta(v, x), model.theta(w, x))


class _Cube(ig.networks.Activation):
    def value(self, xp, s):
        return s**3

    def first(self, xp, s, y):
        return 3 * s**2

    def second(self, xp, s, y):
        return 6 * s


class _OwnNormal(ig.Normal):
    pass


@pytest.mark.parametrize("layers, family", [([Dense(2, 2), _Cube()], ig.Normal()), ([Dense(2, 2)], _OwnNormal())])
def test_what_has_no_public_name_is_refused(tmp_path, layers, family):
    model = ConditionalModel(Sequential(layers, (2,)), family)
    with pytest.raises(TypeError, match=r"no file says what a tests\.facts\.test_networks_files\._(Cube|OwnNormal) is: infogeo"):
        save(tmp_path / "model.npz", model, np.zeros(6))
    assert not list(tmp_path.iterdir())


def test_what_is_no_whole_file_is_refused(tmp_path):
    model, path = ConditionalModel(MLP((2, 3, 1)), ig.Poisson()), tmp_path / "model.npz"
    with pytest.raises(ig.ShapeError, match=r"w must have shape \(\.\.\., 13\); got \(12,\)"):
        save(path, model, np.zeros(12))
    with pytest.raises(OSError):
        save(tmp_path / "nowhere" / "model.npz", model, np.zeros(13))
    save(path, model, np.arange(13.0))
    whole = path.read_bytes()
    found = unpacked(whole)
    other = {"model": np.frombuffer(found["model"].tobytes().replace(b"Poisson", b"training.Checkpoint"), np.uint8)}
    damaged = whole.replace(b"Poisson", b"Poissom")
    for content, why in ((whole[:-40], "no whole archive"), (damaged, "archive of arrays|checksum"), (b"", "archive"),
                         (packed({"weights": np.zeros(13)}), "other arrays"), (packed(found | other), "is no layer, family or"),
                         (packed(found | {"version": np.array(9)}), "version 9, and this library reads version 1")):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=rf"path must be that of a model, whole and unaltered; .*{why}"):
            load(path)
