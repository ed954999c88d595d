"""What the tests of curvature share: small models of several families, and their Fisher metrics from the definition."""
import numpy as np

import infogeo as ig
from infogeo.backend import to_numpy
from infogeo.networks.activations import Relu, Softplus, Tanh
from infogeo.networks.affine import Convolution2D, Dense
from infogeo.networks.initial import Glorot
from infogeo.networks.linear import Flatten
from infogeo.networks.model import ConditionalModel
from infogeo.networks.network import Sequential
from infogeo.networks.pool import AveragePool, MaxPool
from infogeo.networks.usual import MLP

MODELS = {
    "categorical": (MLP((3, 5, 2), Tanh()), ig.Categorical(3)),
    "linear": (MLP((3, 2)), ig.Categorical(3)),
    "bernoulli product": (MLP((3, 4, 3), Softplus()), ig.Independent(ig.Bernoulli(), 3)),
    "regression": (MLP((2, 4, 2), Tanh()), ig.Independent(ig.NormalKnownVariance(0.5), 2)),
    "poisson, relu": (MLP((3, 6, 1), Relu()), ig.Poisson()),
    "gamma, by a link": (MLP((2, 3, 2), Tanh()), ig.Gamma()),
    "normal, by a link": (MLP((2, 4, 2), Softplus()), ig.Normal()),
    "without bias": (MLP((3, 4, 2), Tanh(), bias=False), ig.Categorical(3)),
    "convolution": (Sequential([Convolution2D(1, 2, 2), Tanh(), AveragePool(2, 1), Flatten(), Dense(8, 2)], (4, 4, 1)),
                    ig.Categorical(3)),
    "convolutions, one without bias": (Sequential([Convolution2D(2, 2, (2, 3), (1, 2), (0, 1), bias=False), Softplus(),
                                                   MaxPool(2, 1), Convolution2D(2, 3, 1), Flatten(), Dense(6, 1)], (4, 4, 2)),
                                       ig.Bernoulli()),
}


def problem(name, n=4, seed=0):
    """(model, w, batch): observations that the model itself gives."""
    rng = np.random.default_rng(seed)
    model = ConditionalModel(*MODELS[name])
    w = model.network.init(rng, Glorot()) + 0.3 * rng.standard_normal(model.network.size)
    x = rng.standard_normal((n, *model.network.input_shape))
    return model, w, (x, np.asarray(model.sample(rng, w, x), dtype=float))


def made(backend, dtype, w, batch):
    """The weights and the batch on a backend."""
    return backend.make(w, dtype), tuple(backend.make(part, dtype) for part in batch)


def jacobian(model, w, x):
    """∂θ_n/∂w, shape (n, d, size), from one direction after the other."""
    done = model.record(w, x)
    return np.stack([done.jvp(e) for e in np.eye(w.size)], axis=-1)


def outer_products(model, w, x, covectors):
    """(1/n) Σ (J_nᵀ c)(J_nᵀ c)ᵀ of covectors (m, n, d)."""
    columns = np.einsum("ndp,mnd->mnp", jacobian(model, w, x), covectors)
    return np.einsum("mnp,mnq->pq", columns, columns) / len(x)


def fisher_matrix(model, w, x):
    """(1/n) Σ J_nᵀ G(θ_n) J_n with the metric of the family as a matrix."""
    J = jacobian(model, w, x)
    return np.einsum("nip,nij,njq->pq", J, model.family.metric(model.theta(w, x)), J) / len(x)


def layer_slices(model):
    return [(layer, s) for layer, s in zip(model.network.layers, model.network.slices) if s]


def close(actual, expected, tol=1e-11):
    """Equal, relative to the largest entry."""
    expected = np.asarray(expected)
    np.testing.assert_allclose(to_numpy(actual), expected, rtol=tol, atol=tol * max(np.abs(expected).max(), 1e-300))
