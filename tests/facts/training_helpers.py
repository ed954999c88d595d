"""What the tests of training share: small models with examples that the model itself may give."""
import numpy as np

import infogeo as ig
from infogeo.networks import AveragePool, ConditionalModel, ConvNet, Glorot, MLP, Relu, Softplus, Tanh
from infogeo.training.checkpoint import Checkpoint, load_checkpoint

MODELS = {
    "categorical": lambda: ConditionalModel(MLP((3, 5, 4, 2), Tanh()), ig.Categorical(3)),
    "bernoulli": lambda: ConditionalModel(MLP((3, 4, 2), Softplus()), ig.Independent(ig.Bernoulli(), 2)),
    "normal": lambda: ConditionalModel(MLP((2, 4, 2), Tanh()), ig.Normal()),
    "poisson": lambda: ConditionalModel(MLP((3, 4, 1), Relu()), ig.Poisson()),
    "convolution": lambda: ConditionalModel(ConvNet((4, 4, 1), (2,), 2, pooling=AveragePool, activation=Tanh()),
                                            ig.Categorical(3)),
}


def problem(name, backend=None, dtype="float64", n=24, seed=0):
    """(model, w, (x, y)) on a backend."""
    model, rng = MODELS[name](), np.random.default_rng(seed)
    w = model.network.init(rng, Glorot()) + 0.1 * rng.standard_normal(model.network.size)
    x = rng.standard_normal((n, *model.network.input_shape))
    y = model.sample(rng, w, x)
    made = [a if backend is None else backend.make(a, dtype) for a in (w, x, np.asarray(y, dtype=float))]
    return model, made[0], tuple(made[1:])


def leading(G, rank):
    """The part of a symmetric matrix in its `rank` largest eigenvalues."""
    values, Q = np.linalg.eigh(G)
    return (Q[:, -rank:] * values[-rank:]) @ Q[:, -rank:].T


def run(objective, w, update, h=0.1, max_steps=20, seed=5, **more):
    """A run in the chart of the weights."""
    settings = dict(geometry=ig.Euclidean(w.shape[-1]), update=update, step=ig.Constant(h), max_steps=max_steps,
                    rng=np.random.default_rng(seed), record="path")
    return ig.descend(objective, w, **settings | more)


def resumed(objective, w, update, path):
    """(a whole run, one that goes on from its tenth step), each of an objective of its own."""
    whole = run(objective(), w, update)
    run(objective(), w, update, max_steps=10, callbacks=[Checkpoint(path, 10)])
    return whole, run(objective(), w, update, seed=9, callbacks=[Checkpoint(path, 100)], resume=load_checkpoint(path))
