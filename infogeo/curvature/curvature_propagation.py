"""Curvature propagation: unbiased estimates of the Hessian of a loss, of rank one, at the cost of two gradients.

With T and U of `infogeo.curvature.propagation`, ½ (T Uᵀ + U Tᵀ) has the Hessian as its mean. The nodes of the loss of a model are
the output law (curvature JᵀGJ with the Jacobian J of the chart of θ, positive, and the chart's own along the residual), the
activations (σ″ ∘ covector, of both signs) and the products s = a W of inputs and weights. The last ones have cross terms of W
and a alone, which enter the blocks of the Hessian between layers and no other: without noise at these nodes the blocks within
layers, hence the diagonal, are estimated without bias, and with less variance.

The losses of the samples are independent computations with independent noise. So T and U may be summed over the samples, which
gives rank one, and the products of different samples as further noise; or their products may be, which takes the rank of the
number of samples and leaves a variance that the number of samples divides. Vectors are given in the first form; diagonals and
operators are of the second.

Source: Martens, Sutskever & Swersky, Estimating the Hessian by back-propagating curvature (2012).
"""
from typing import NamedTuple

from ..backend import Array, Namespace, arrays
from ..errors import ShapeError, takes
from ..networks.batches import relative_weights, require_batch
from ..networks.model import Batch, ConditionalModel, NegativeLogLikelihood
from ..networks.network import Pass, Sequential
from ..networks.residual import Skips
from ..operators.base import LinearOperator
from ..operators.block import BlockDiagonal
from ..operators.low_rank import LowRank
from .noise import Noise
from .propagation import Balanced, ComplexRoot, Sweep
from .sweeps import Apart, Together, across_layers, below_the_output, down, flattened, within_layers

__all__ = ["PropagatedFactors", "complex_curvature_propagation", "cross_layer_curvature_propagation", "curvature_propagation",
           "diagonal_of_loss", "gauss_newton_diagonal", "hessian_diagonal", "hessian_estimate", "input_gradient",
           "input_hessian_diagonal", "within_layer_hessian"]


class PropagatedFactors(NamedTuple):
    """The vectors of an estimate ½ Σ (T_i U_iᵀ + U_i T_iᵀ) of a Hessian.

    T, U : array, shape (m, ..., size)

    Examples
    --------
    >>> T, U = np.array([[1.0, 0.0]]), np.array([[1.0, 2.0]])
    >>> ig.curvature.PropagatedFactors(T, U).operator().dense()
    array([[1., 1.],
           [1., 0.]])
    """

    T: Array
    U: Array

    def operator(self) -> LinearOperator:
        """The estimate of one model, m vectors of shape (size,), as a `LinearOperator`."""
        xp, T, U = arrays(*self)
        if T.ndim != 2:
            raise ShapeError(f"T and U must have shape (m, size) for an operator; got {tuple(T.shape)}")
        # with A = ½ (T + U) and B = ½ (T − U) it is A Aᵀ − B Bᵀ
        return LowRank(xp.matrix_transpose(0.5 * (T + U))) - LowRank(xp.matrix_transpose(0.5 * (T - U)))


@takes(ConditionalModel, noise=Noise)
def curvature_propagation(model: ConditionalModel, w: Array, batch: Batch, noise: Noise) -> PropagatedFactors:
    """Vectors T and U of the Hessian of the mean loss, without noise at the products of inputs and weights.

    Mathematically, ½ (T Uᵀ + U Tᵀ) is unbiased in the blocks within layers, and T ∘ U in the diagonal. Two gradients of work.

    Parameters
    ----------
    model : ConditionalModel
    w : array, shape (..., size)
    batch : pair (x, y)
    noise : Noise

    Returns
    -------
    PropagatedFactors
        Of shape (m, ..., size).

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 2, 1)),
    ...                                      ig.NormalKnownVariance(1.0))
    >>> w, batch = np.linspace(-1.0, 1.0, 7), ([[1.0], [3.0]], [0.0, 2.0])
    >>> H = ig.curvature.hessian(model, w, batch).dense()
    >>> every = ig.curvature.UnitVectors()
    >>> T, U = ig.curvature.curvature_propagation(model, w, batch, every)
    >>> bool(np.allclose((T * U).sum(0), np.diag(H)))
    True
    """
    return PropagatedFactors(*within_layers(model, w, batch, noise, Balanced(), Together()))


@takes(ConditionalModel, noise=Noise)
def complex_curvature_propagation(model: ConditionalModel, w: Array, batch: Batch, noise: Noise) -> Array:
    """Complex vectors S of the Hessian of the mean loss, shape (m, ..., size): E[S Sᵀ] is the Hessian within layers.

    Mathematically, Re S Sᵀ is the ½ (T Uᵀ + U Tᵀ) of `curvature_propagation` for the same noise, so the real form loses nothing.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 2, 1)),
    ...                                      ig.NormalKnownVariance(1.0))
    >>> w, batch = np.linspace(-1.0, 1.0, 7), ([[1.0], [3.0]], [0.0, 2.0])
    >>> H = ig.curvature.hessian(model, w, batch).dense()
    >>> every = ig.curvature.UnitVectors()
    >>> S = ig.curvature.complex_curvature_propagation(model, w, batch, every)
    >>> bool(np.allclose((S**2).sum(0).real, np.diag(H)))
    True
    """
    return within_layers(model, w, batch, noise, ComplexRoot(), Together())[0]


@takes(ConditionalModel, noise=Noise)
def cross_layer_curvature_propagation(model: ConditionalModel, w: Array, batch: Batch, noise: Noise) -> PropagatedFactors:
    """Vectors T and U of the whole Hessian of the mean loss, with noise at the products of inputs and weights.

    Mathematically, the product s = a W with the covector g at s has ∂²/∂W ∂a = I ⊗ g. With noise v over the entries of a, T is
    √2 v gᵀ / √‖g‖ at W and U is √2 v √‖g‖ at a. This noise is so much that `curvature_propagation` is far better within layers.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 2, 1)),
    ...                                      ig.NormalKnownVariance(1.0))
    >>> w, batch = np.linspace(-1.0, 1.0, 7), ([[1.0]], [2.0])
    >>> H = ig.curvature.hessian(model, w, batch).dense()
    >>> every = ig.curvature.UnitVectors()
    >>> found = ig.curvature.cross_layer_curvature_propagation(model, w, batch,
    ...                                                        every)
    >>> bool(np.allclose(found.operator().dense(), H))
    True
    """
    return PropagatedFactors(*across_layers(model, w, batch, noise, Together()))


@takes(ConditionalModel, noise=Noise)
def within_layer_hessian(model: ConditionalModel, w: Array, batch: Batch, noise: Noise) -> LinearOperator:
    """The blocks within layers of the Hessian of the mean loss, as a `LinearOperator`: unbiased, exact for `UnitVectors`.

    Mathematically, ½ Σ_n (T_n U_nᵀ + U_n T_nᵀ) of the samples' own vectors. It keeps 2 m vectors for each sample.

    Parameters
    ----------
    model : ConditionalModel
    w : array, shape (size,)
    batch : pair (x, y)
    noise : Noise

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 2, 1)),
    ...                                      ig.NormalKnownVariance(1.0))
    >>> w, batch = np.linspace(-1.0, 1.0, 7), ([[1.0], [3.0]], [0.0, 2.0])
    >>> H = ig.curvature.hessian(model, w, batch).dense()
    >>> every = ig.curvature.UnitVectors()
    >>> found = ig.curvature.within_layer_hessian(model, w, batch,
    ...                                           every).dense()
    >>> [bool(np.allclose(found[i, i], H[i, i])) for i in (slice(4),
    ...                                                    slice(4, 7))]
    [True, True]
    """
    xp, w = _one_model(model, w)
    T, U = _rows(xp, within_layers(model, w, batch, noise, Balanced(), Apart()))
    return BlockDiagonal(*(PropagatedFactors(T[:, s], U[:, s]).operator() for s in model.network.slices if s))


@takes(ConditionalModel, noise=Noise)
def hessian_estimate(model: ConditionalModel, w: Array, batch: Batch, noise: Noise) -> LinearOperator:
    """The whole Hessian of the mean loss, as a `LinearOperator`: unbiased, exact for `UnitVectors`.

    Mathematically, ½ Σ_n (T_n U_nᵀ + U_n T_nᵀ) of the samples' own vectors. It keeps 2 m vectors for each sample.

    Parameters
    ----------
    model : ConditionalModel
    w : array, shape (size,)
    batch : pair (x, y)
    noise : Noise

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 2, 1)),
    ...                                      ig.NormalKnownVariance(1.0))
    >>> w, batch = np.linspace(-1.0, 1.0, 7), ([[1.0], [3.0]], [0.0, 2.0])
    >>> H = ig.curvature.hessian(model, w, batch).dense()
    >>> every = ig.curvature.UnitVectors()
    >>> found = ig.curvature.hessian_estimate(model, w, batch, every)
    >>> bool(np.allclose(found.dense(), H))
    True
    """
    xp, w = _one_model(model, w)
    return PropagatedFactors(*_rows(xp, across_layers(model, w, batch, noise, Apart()))).operator()


@takes(ConditionalModel, noise=Noise)
def hessian_diagonal(model: ConditionalModel, w: Array, batch: Batch, noise: Noise) -> Array:
    """The diagonal of the Hessian of the mean loss, shape (..., size): unbiased, exact for `UnitVectors`.

    Mathematically, Σ_n T_n ∘ U_n of the samples' own vectors. In a dense layer this is one product of matrices,
    (ā ∘ ā)ᵀ (T ∘ U) with T and U at the pre-activations, and less work than `curvature_propagation`.

    Parameters
    ----------
    model : ConditionalModel
    w : array, shape (..., size)
    batch : pair (x, y)
    noise : Noise

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 2, 1)),
    ...                                      ig.NormalKnownVariance(1.0))
    >>> w, batch = np.linspace(-1.0, 1.0, 7), ([[1.0], [3.0]], [0.0, 2.0])
    >>> H = ig.curvature.hessian(model, w, batch).dense()
    >>> signs = ig.curvature.SignNoise(np.random.default_rng(0), 5000)
    >>> found = ig.curvature.hessian_diagonal(model, w, batch, signs)
    >>> bool(abs(found - np.diag(H)).max() < 0.05)
    True
    """
    return diagonal_of_loss(model.objective(batch), w, noise)


def diagonal_of_loss(loss: NegativeLogLikelihood, w: Array, noise: Noise) -> Array:
    """The same of a loss that is there already, maybe with the pass of w."""
    done, sweep = below_the_output(loss, w, noise, Balanced(), 1)
    xp, parts, through = sweep.xp, [], done.network_pass
    if not isinstance(through, Pass):
        found = through.propagated(sweep)
        return xp.concat([_squares(xp, layer.homogeneous(xp, rows), *vectors) for layer, rows, vectors in found], axis=-1)
    for layer, s, W, memory, lowest in down(through):
        if s:
            rows = (layer.homogeneous(xp, memory.a), *(layer.merge(xp, v) for v in sweep.vectors))
            parts.append(_squares(xp, *(layer.positions(xp, r, memory.input_shape) for r in rows)))
        if not lowest:
            sweep.through(layer, W, memory)
    return xp.concat(parts[::-1], axis=-1)


@takes(ConditionalModel, noise=Noise)
def gauss_newton_diagonal(model: ConditionalModel, w: Array, batch: Batch, noise: Noise) -> Array:
    """The diagonal of the Fisher metric of the model, shape (..., size): from the noise of the output law alone.

    Mathematically, Σ_n T_n ∘ T_n with T_n = J_nᵀ F v / √n, J_n = ∂θ_n/∂w and a root F of the metric G = F Fᵀ at θ_n. It is
    unbiased, exact for `UnitVectors`, and not negative. Of the batch it needs x alone.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> w, batch = np.zeros(2), ([[1.0], [3.0]], None)
    >>> ig.curvature.gauss_newton_diagonal(model, w, batch,
    ...                                    ig.curvature.UnitVectors())
    array([1.25, 0.25])
    """
    x, _, weights = require_batch(batch)
    x = arrays(x)[1]
    done = model.record(w, x, relative_weights(weights, x, x.shape[x.ndim - len(model.network.input_shape) - 1]))
    xp, theta = arrays(done.theta)
    v = noise.white(xp, theta.shape, theta.ndim - 1, theta.dtype)
    found = done.layer_quantities(model.family.root(theta, v) / done.n**0.5)
    return xp.concat([_squares(xp, q.layer.homogeneous(xp, q.inputs), q.covectors, q.covectors) for q in found], axis=-1)


@takes(Sequential, noise=Noise)
def input_hessian_diagonal(network: Sequential, w: Array, x: Array, g: Array, noise: Noise) -> Array:
    """The diagonal of the Hessian in x of g·f(w, x), shape (..., n, *input_shape): unbiased, exact for `UnitVectors`.

    Mathematically, in x every node but the activations is linear. The sum over the entries of a sample is the Laplacian, which
    score matching needs of the logarithm of an unnormalised density.

    Parameters
    ----------
    network : Sequential
    w : array, shape (..., size)
    x : array, shape (..., n, *input_shape)
    g : array
        A covector at the output, which it broadcasts with; leading axes are directions.
    noise : Noise

    Source: Hyvärinen, Estimation of non-normalized statistical models by score matching (2005), for the use.

    Examples
    --------
    >>> network = ig.networks.MLP((1, 1, 1))
    >>> w, x = np.array([2.0, 0.0, 1.0, 0.0]), np.array([[0.5]])      # tanh 2x
    >>> every, t = ig.curvature.UnitVectors(), np.tanh(1.0)
    >>> found = ig.curvature.input_hessian_diagonal(network, w, x, 1.0, every)
    >>> found.round(4), float((-8 * t * (1 - t**2)).round(4))
    (array([[-2.5588]]), -2.5588)
    """
    sweep = _to_the_input(network, w, x, g, noise)
    if sweep.vectors is None:                    # a network without curved nodes
        return sweep.xp.zeros_like(sweep.g)
    T, U = sweep.vectors
    return sweep.xp.sum(T * U, axis=0)


@takes(Sequential)
def input_gradient(network: Sequential, w: Array, x: Array, g: Array) -> Array:
    """The gradient in x of g·f(w, x), shape (..., n, *input_shape), for the same arguments as `input_hessian_diagonal`.

    Examples
    --------
    >>> network, w = ig.networks.MLP((2, 1)), np.array([3.0, -1.0, 5.0])
    >>> ig.curvature.input_gradient(network, w, np.zeros((1, 2)), 1.0)
    array([[ 3., -1.]])
    """
    done = network.record(w, x)
    xp, _, g = arrays(done.output, g)
    g = done.as_covector(g)
    skips = Skips()
    for layer, _, W, memory in reversed(done.steps()):
        g = skips.backward(layer, layer.pull_back(xp, W, memory, g))
    return g


def _to_the_input(network: Sequential, w: Array, x: Array, g: Array, noise: Noise) -> Sweep:
    """The `Sweep` from a covector g at the output of a network down to x."""
    done = network.record(w, x)
    xp, _, g = arrays(done.output, g)
    g = done.as_covector(g)
    sweep = Sweep(xp, g, g.ndim - len(network.output_shape), Balanced(), noise)
    for layer, _, W, memory in reversed(done.steps()):
        sweep.through(layer, W, memory)
    return sweep


def _one_model(model: ConditionalModel, w: Array) -> tuple[Namespace, Array]:
    xp, w = arrays(w)
    if w.ndim != 1:
        raise ShapeError(f"w must have shape ({model.network.size},), the weights of one model; got {tuple(w.shape)}")
    return xp, w


def _rows(xp: Namespace, vectors: list[Array]) -> list[Array]:
    """Vectors of each sample, shape (m, n, size), as rows of one operator."""
    return [xp.reshape(v, (v.shape[0] * v.shape[1], v.shape[2])) for v in vectors]


def _squares(xp: Namespace, rows: Array, T: Array, U: Array) -> Array:
    """Σ (Σ_l ā_l T_lᵀ) ∘ (Σ_l ā_l U_lᵀ) over noise and samples, shape (..., weights).

    Shapes: rows ā (..., n, L, inputs), T and U (m, ..., n, L, outputs), at L positions.
    """
    if rows.shape[-2] == 1:
        squares = xp.matrix_transpose(rows[..., 0, :] ** 2)
        return flattened(xp, xp.matmul(squares, xp.sum(T * U, axis=0)[..., 0, :]))
    rows = xp.matrix_transpose(rows)
    return xp.sum(flattened(xp, xp.matmul(rows, T) * xp.matmul(rows, U)), axis=(0, -2))
