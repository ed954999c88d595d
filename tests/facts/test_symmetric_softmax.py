"""All k logits: nothing depends on how classes are numbered."""
import numpy as np
import pytest
from sklearn.datasets import load_wine

import infogeo as ig
from infogeo.curvature import ExactColumns, fisher
from infogeo.domains import SymmetricSoftmax
from infogeo.networks import MLP, ConditionalModel, Glorot
from infogeo.training import KFAC, Regularised

NUMBERINGS = [np.array([0, 1, 2]), np.array([2, 0, 1]), np.array([1, 0, 2])]


def wine():
    x, y = load_wine(return_X_y=True)
    return (x - x.mean(axis=0)) / x.std(axis=0), y


def renamed(w, order, columns):
    """The weights of 13-10-`columns` whose last layer has its outputs in another order."""
    last = w[140:].reshape(11, columns)
    return np.concatenate([w[:140], last[:, order].ravel()])


def test_training_does_not_depend_on_the_names_of_classes():
    """20 steps of K-FAC with weight decay."""
    x, y = wine()
    symmetric = ConditionalModel(MLP((13, 10, 3)), ig.Categorical(3), SymmetricSoftmax(3))
    w0 = symmetric.network.init(np.random.default_rng(0), Glorot())
    ends = []
    for number in NUMBERINGS:
        loss = symmetric.objective((x, number[y]))
        w = renamed(w0, np.argsort(number), 3)                      # output number[i] is what output i was
        run = ig.descend(Regularised(loss, 0.1), w, update=KFAC(ExactColumns()), step=1.0, max_steps=20, record="values")
        ends.append((run.values[-1], renamed(run.x, number, 3)))
    for value, w in ends[1:]:
        np.testing.assert_allclose(value, ends[0][0], rtol=1e-10)
        np.testing.assert_allclose(w, ends[0][1], rtol=1e-8, atol=1e-10)
    assert ends[0][0] < 0.85


@pytest.mark.parametrize("reference", [None, 0, 1])
def test_the_chart(backend, reference):
    k, rng = 4, np.random.default_rng(0)
    chart, family = SymmetricSoftmax(k, reference), ig.Categorical(k, reference)
    u, du, c = (backend.make(rng.standard_normal((5, n)), "float64") for n in (k, k, k - 1))
    p = backend.to_numpy(family.parameters(chart(u))["probabilities"])
    weight = np.exp(backend.to_numpy(u))
    np.testing.assert_allclose(p, weight / weight.sum(axis=-1, keepdims=True), rtol=1e-12)
    np.testing.assert_allclose(backend.to_numpy(chart(chart.inverse(c))), backend.to_numpy(c), rtol=1e-12, atol=1e-14)
    back, pushed = backend.to_numpy(chart.pull_back(u, c)), backend.to_numpy(chart.push_forward(u, du))
    paired = np.sum(back * backend.to_numpy(du), axis=-1)
    np.testing.assert_allclose(paired, np.sum(backend.to_numpy(c) * pushed, axis=-1), rtol=1e-12)
    np.testing.assert_allclose(back.sum(axis=-1), 0.0, atol=1e-14)
    np.testing.assert_allclose(backend.to_numpy(chart.push_forward(u, chart.pull_in(u, c))), backend.to_numpy(c), rtol=1e-12)
    assert np.all(backend.to_numpy(chart.pull_back_tangent(u, du, c)) == 0)


def test_the_metric_has_rank_k_minus_1():
    model = ConditionalModel(MLP((2, 3), bias=False), ig.Categorical(3), SymmetricSoftmax(3))
    x, rng = np.array([[1.0, 0.0], [0.0, 1.0]]), np.random.default_rng(1)
    spectrum = np.linalg.eigvalsh(fisher(model, rng.standard_normal(6), (x, None)).dense())
    assert np.all(spectrum[:2] < 1e-14) and np.all(spectrum[2:] > 1e-3)
    with pytest.raises(ig.ShapeError, match="must have 3 outputs"):
        ConditionalModel(MLP((2, 2)), ig.Categorical(3), SymmetricSoftmax(3))
    with pytest.raises(ig.DomainError, match=r"k must satisfy k = d \+ 1 = 4; got 3"):
        ConditionalModel(MLP((2, 3)), ig.Categorical(4), SymmetricSoftmax(3))
    with pytest.raises(ig.DomainError, match="reference"):
        SymmetricSoftmax(3, 3)
