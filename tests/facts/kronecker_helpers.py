"""What the tests of Kronecker-factored curvature share: its moments from their definition, sample by sample."""
import numpy as np

from infogeo.networks.affine import Dense
from infogeo.networks.network import Sequential

from .fisher_helpers import MODELS, jacobian

DENSE = [name for name in MODELS if "convolution" not in name]
CONVOLUTIONS = [name for name in MODELS if "convolution" in name]


def naive_moments(model, w, x):
    """[(Ā, G, ā of all samples, g of all samples)] of each layer of a network without convolutions.

    Inputs come from the network cut off below the layer, covectors from the columns c of the Cholesky factor of the metric,
    Jᵀ c = ā ⊗ g, divided by an entry of ā.
    """
    network, J = model.network, jacobian(model, w, x)
    columns = np.linalg.cholesky(model.family.metric(model.theta(w, x)))
    covectors = np.einsum("ndp,ndc->ncp", J, columns)
    found = []
    for i, (layer, s) in enumerate(zip(network.layers, network.slices)):
        if s is None:
            continue
        assert isinstance(layer, Dense)
        below = Sequential(network.layers[:i], network.input_shape)
        a = below.forward(w[:below.size], x)
        a = np.concatenate([a, np.ones((len(x), 1))], axis=1) if layer.bias else a
        V = covectors[:, :, s].reshape(len(x), -1, *layer.weight_shape)
        k = np.abs(a).argmax(axis=1)
        g = np.stack([V[n, :, k[n], :] / a[n, k[n]] for n in range(len(x))])
        found.append((a.T @ a / len(x), np.einsum("nco,ncp->op", g, g) / len(x), a, g))
    return found


def block_matrix(slices, blocks):
    """The block-diagonal matrix."""
    out = np.zeros((slices[-1].stop,) * 2)
    for s, block in zip(slices, blocks):
        out[s, s] = block
    return out
