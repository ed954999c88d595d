"""Initial weights of networks, one law for all layers or one each."""
import numpy as np
import pytest

import infogeo as ig
from infogeo.networks import MLP, Glorot, Orthogonal


def test_orthogonal_rows_or_columns():
    network = MLP((6, 4, 9))
    w = network.init(np.random.default_rng(0), Orthogonal(2.0), shape=(3,))
    first, second = w[:, :24].reshape(3, 6, 4), w[:, 28:64].reshape(3, 4, 9)
    assert np.allclose(np.swapaxes(first, 1, 2) @ first, 4.0 * np.eye(4), atol=1e-12)
    assert np.allclose(second @ np.swapaxes(second, 1, 2), 4.0 * np.eye(4), atol=1e-12)
    assert not np.allclose(first[0], first[1])


def test_orthogonal_is_uniform():
    """The entries of a column have mean 0 and variance 1/n: a library's own QR would fix a sign."""
    q = MLP((3, 3), bias=False).init(np.random.default_rng(1), Orthogonal(), shape=(4000,))
    assert np.all(np.abs(q.mean(axis=0)) < 5 * (1 / 3 / 4000) ** 0.5)
    assert np.all(np.abs((q**2).mean(axis=0) - 1 / 3) < 0.04)


def test_a_law_for_each_layer():
    network = MLP((4, 8, 2))
    w = network.init(np.random.default_rng(2), (Glorot(), Orthogonal(0.01)))
    last = w[40:56].reshape(8, 2)
    assert np.allclose(last.T @ last, 1e-4 * np.eye(2), atol=1e-12) and np.abs(w[:32]).max() > 0.1
    with pytest.raises(ig.DomainError, match="2 laws, one a layer with weights; got 1"):
        network.init(np.random.default_rng(2), [Glorot()])
