"""The Fisher metric of a network unit by unit in closed form, as if the inputs of every layer were normal."""
import numpy as np

from ..backend import NUMPY, Array, Namespace, backend_of, to_numpy
from ..errors import takes
from ..networks.activations import Activation, Identity
from ..networks.affine import Dense
from ..networks.interface import LayerQuantities, Network
from ..networks.model import Batch, ConditionalModel
from ..networks.network import Sequential
from ..numerics.quadrature import composite
from ..operators.block import BlockDiagonal
from ..operators.closed_units import UnitsWithTwoDirections
from .outputs import ExactColumns, Outputs
from .per_layer import recorded

__all__ = ["normal_units"]

# Moments E[t^k φ′(σ t + μ)²] of every unit: panels of Gauss–Legendre nodes within where e^{−t²/2} is 1e-16. Steps of φ′ at 0, and
# tanh at σ = 30, are met to 1e-3, which is far below what the law of the inputs is wrong by
REACH, PANELS, NODES = 8.6, 86, 4


@takes(ConditionalModel, outputs=Outputs)
def normal_units(model: ConditionalModel, w: Array, batch: Batch, outputs: Outputs = ExactColumns()) -> BlockDiagonal:
    """The blocks of units of the Fisher metric in closed form, whose products and solves are O(n) for a unit of n inputs.

    Mathematically, a unit y = φ(u), u = v·x + v_0, has the block E[e² φ′(u)² (x, 1)(x, 1)ᵀ] with the covectors e at y. Taken for
    normal are the inputs, x ~ N(m, diag(s²)), and e² for independent of them; so it is E[e²] times the second moment of
    φ′(u) (x, 1). With f = s² v / σ, u = μ + σ t, t ~ N(0, 1), and A_k = E[t^k φ′(μ + σ t)²] this is

    - A_0 (diag(s²) + m mᵀ) + (A_2 − A_0) f fᵀ + A_1 (f mᵀ + m fᵀ) between weights
    - A_0 m + A_1 f between weights and bias, and A_0 of the bias

    m and s² are those of the layer's inputs in the batch, and E[e²] its mean over the batch and the covectors. Where the layer is
    followed by no activation φ′ = 1. It is the unit-wise Fisher metric for normal inputs and one hidden layer under a linear
    output of constant variance.

    Parameters
    ----------
    model : ConditionalModel
        Of dense layers, each followed by an activation or the next layer.
    w : array, shape (size,)
    batch : pair (x, y), or (x, y, weights)
        y is used by `Observed` outputs only.
    outputs : Outputs

    Raises
    ------
    TypeError
        For convolutions and other layers with weights that are not `Dense`, and for layers without weights but activations.

    Source: Amari, Karakida & Oizumi, Fisher information and natural gradient learning in random deep networks (2019): the closed
    form for inputs N(0, I), and that what is left out is small in wide random networks. Means and variances of the inputs, and
    their being taken from the batch, are ours.

    Examples
    --------
    >>> import numpy as np, infogeo as ig
    >>> rng = np.random.default_rng(0)
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((3, 50, 1)), ig.NormalKnownVariance(1.0))
    >>> w, batch = model.network.init(rng, ig.networks.Glorot()), (rng.standard_normal((2000, 3)), np.zeros(2000))
    >>> exact, closed = (f(model, w, batch).dense() for f in (ig.curvature.unitwise_fisher, ig.curvature.normal_units))
    >>> bool(np.linalg.norm(closed[:200, :200] - exact[:200, :200]) < 0.1 * np.linalg.norm(exact[:200, :200]))
    True
    """
    network, done = _require_dense(model.network), recorded(model, w, batch)
    matrices = network.blocks(backend_of(done.theta).asarray(w))
    covectors = outputs.covectors(model.family, done.theta, batch)
    return BlockDiagonal(*(_layer(q, matrices[q.place], _after(network, q.place), done.weights)
                           for q in done.layer_quantities(covectors)))


def _require_dense(network: Network) -> Sequential:
    if not isinstance(network, Sequential):
        raise TypeError(f"normal_units takes a Sequential of dense layers and activations; got {network!r}")
    for i, layer in enumerate(network.layers):
        if not isinstance(layer, (Dense, Activation)):
            raise TypeError(f"normal_units takes dense layers and activations; layer {i} is {layer!r}")
    return network


def _after(network: Sequential, place: int) -> Activation:
    """The activation of a layer, the identity where there is none."""
    after = network.layers[place + 1] if place + 1 < len(network.layers) else None
    return after if isinstance(after, Activation) else Identity()


def _layer(q: LayerQuantities, W: Array, activation: Activation, weights: Array | None) -> UnitsWithTwoDirections:
    xp, x, g = backend_of(W), q.inputs[:, 0, :], q.covectors[..., 0, :]
    share = xp.ones_like(x[:, 0]) / x.shape[0] if weights is None else weights / xp.sum(weights)
    m = xp.matmul(share, x)
    squares = xp.matmul(share, (x - m)**2)
    v = W[:-1, :] if q.layer.bias else W
    mu = xp.matmul(m, v) + (W[-1, :] if q.layer.bias else 0.0)
    sigma = xp.sqrt(xp.matmul(squares, v**2))
    A = xp.asarray(_moments(activation, to_numpy(sigma), to_numpy(mu)), dtype=W.dtype)
    f = squares[:, None] * v / xp.where(sigma > 0, sigma, xp.ones_like(sigma))
    gain = _gains(xp, q, x, W, g, activation, weights)
    M = xp.stack([xp.stack([A[2, :] - A[0, :], A[1, :]], axis=-1), xp.stack([A[1, :], A[0, :]], axis=-1)], axis=-2)
    return UnitsWithTwoDirections(gain * A[0, :], squares, m, f, gain[:, None, None] * M, q.layer.bias)


def _gains(xp: Namespace, q: LayerQuantities, x: Array, W: Array, g: Array, activation: Activation,
           weights: Array | None) -> Array:
    """E[e²] of each unit, with g = φ′(u) e, so that Σ g² is spread over the samples by φ′(u)²; shape (units,)."""
    u = xp.matmul(x, W[:-1, :]) + W[-1, :] if q.layer.bias else xp.matmul(x, W)
    slope = activation.first(xp, u, activation.value(xp, u))**2
    total = xp.sum(slope if weights is None else weights[:, None] * slope, axis=0)
    power = xp.sum(g**2, axis=(0, 1))
    return power / xp.where(total > 0, total, xp.ones_like(total))


def _moments(activation: Activation, sigma: np.ndarray, mu: np.ndarray) -> np.ndarray:
    """E[t^k φ′(σ t + μ)²] for k = 0, 1, 2 and t ~ N(0, 1), shape (3, units), in float64."""
    t, weights = composite(np.linspace(-REACH, REACH, PANELS + 1), NODES)
    density = weights * np.exp(-0.5 * t**2) / (2.0 * np.pi)**0.5
    s = np.outer(sigma.astype(float), t) + mu.astype(float)[:, None]
    slope = activation.first(NUMPY, s, activation.value(NUMPY, s))**2
    return np.stack([slope @ (t**k * density) for k in range(3)])
