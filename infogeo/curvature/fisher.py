"""The Fisher metric on weights, exact, sampled and empirical, without a matrix."""
from collections.abc import Callable
from functools import cached_property, partial

import numpy as np

from ..backend import Array, Namespace, arrays
from ..errors import takes
from ..networks.interface import LayerQuantities
from ..networks.model import Batch, ConditionalModel, ModelPass
from ..operators.outer import Columns, OuterProducts
from .diagonal import diagonal_fisher, squares, summed_squares
from .outputs import ExactColumns, Observed, Outputs, Sampled
from .per_layer import example_gradients, has_one_position, recorded

__all__ = ["ExampleColumns", "FisherOperator", "empirical_fisher", "fisher", "outer_products", "sampled_fisher"]


@takes(ConditionalModel)
def fisher(model: ConditionalModel, w: Array, batch: Batch) -> "FisherOperator":
    """The Fisher metric F = (1/n) Σ J_nᵀ G(θ_n) J_n at the weights, a `FisherOperator`.

    A product costs a forward and a backward pass. ``shifted(c)`` is solved exactly, by the Cholesky factorisation of the Gram
    matrix of the n d columns J_nᵀ c of F, or of F itself where this is smaller; where both are too large, `KrylovTikhonov` is
    the damping to use.

    Parameters
    ----------
    model : ConditionalModel
    w : array, shape (size,)
    batch : pair (x, y)
        y is not used.

    Source: Amari, Natural gradient works efficiently in learning (1998); Schraudolph, Fast curvature matrix-vector products for
    second-order gradient descent (2002).

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> F = ig.curvature.fisher(model, np.zeros(2), ([[1.0], [3.0]], None))
    >>> F.dense()     # ¼ of the mean of (x, 1)(x, 1)ᵀ
    array([[1.25, 0.5 ],
           [0.5 , 0.25]])
    >>> F.solve(np.array([1.0, 0.0])).round(6)
    array([ 4., -8.])
    """
    return FisherOperator(model, w, batch)


@takes(ConditionalModel)
def sampled_fisher(model: ConditionalModel, w: Array, batch: Batch, rng: np.random.Generator, draws: int = 1) -> OuterProducts:
    """(1/nm) Σ_ni g_ni g_niᵀ with the gradients g_ni of −log p(y_ni | θ_n) for y_ni drawn from the model: F in expectation.

    Parameters
    ----------
    model : ConditionalModel
    w : array, shape (size,)
    batch : pair (x, y)
        y is not used.
    rng : numpy.random.Generator
    draws : int
        m, for each sample.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> w, batch, rng = np.zeros(2), ([[1.0], [3.0]],
    ...                               None), np.random.default_rng(0)
    >>> F = ig.curvature.sampled_fisher(model, w, batch, rng)
    >>> F.dense()                                   # (½ − y)² is ¼ for either y
    array([[1.25, 0.5 ],
           [0.5 , 0.25]])
    """
    return outer_products(model, w, batch, Sampled(rng, draws))


@takes(ConditionalModel)
def empirical_fisher(model: ConditionalModel, w: Array, batch: Batch) -> OuterProducts:
    """(1/n) Σ_n g_n g_nᵀ with the gradients g_n of −log p(y_n | θ_n) for the data's own y_n.

    It is not the Fisher metric, nor an estimate of it, where the model is not the law of the data: it scales with the residuals.

    Source: Kunstner, Hennig & Balles, Limitations of the empirical Fisher approximation (2019).

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.NormalKnownVariance(1.0))
    >>> for batch in (([[1.0]], [1.0]), ([[1.0]], [10.0])):  # (x, 1) is (1, 1)
    ...     F = ig.curvature.empirical_fisher(model, np.zeros(2), batch)
    ...     print(F.dense().tolist())               # residuals, squared
    [[1.0, 1.0], [1.0, 1.0]]
    [[100.0, 100.0], [100.0, 100.0]]
    """
    return outer_products(model, w, batch, Observed())


@takes(ConditionalModel)
def outer_products(model: ConditionalModel, w: Array, batch: Batch, outputs: Outputs) -> OuterProducts:
    """(1/n) Σ_n Σ_i (J_nᵀ c_ni) (J_nᵀ c_ni)ᵀ with the covectors of `outputs`, an `OuterProducts`."""
    done = recorded(model, w, batch)
    covectors = outputs.covectors(model.family, done.theta, batch)
    return OuterProducts(ExampleColumns(done, covectors.shape[0], lambda: covectors))


class ExampleColumns(Columns):
    """The matrix U of the columns J_nᵀ c_ni / √n, so that U Uᵀ = (1/n) Σ_n J_nᵀ (Σ_i c_ni c_niᵀ) J_n.

    Parameters
    ----------
    done : ModelPass
    count : int
        m.
    covectors : callable () -> array, shape (m, n, d)
        Asked once, and only by who needs more than the products of a subclass.

    Shapes: (size, n m), with the column of sample n and covector i at n m + i.
    """

    def __init__(self, done: ModelPass, count: int, covectors: Callable[[], Array]) -> None:
        self.done, self.count, self._covectors, self.root_n = done, count, covectors, done.n**0.5
        super().__init__((done.model.network.size, done.n * count), arrays(done.theta)[0], done.theta.dtype)

    @cached_property
    def covectors(self) -> Array:
        return self._covectors()

    @cached_property
    def _by_sample(self) -> Array:
        """The covectors, shape (n, m, d)."""
        return self.xp.moveaxis(self.covectors, 0, 1)

    def _matvec(self, a: Array) -> Array:
        """Σ_n J_nᵀ (Σ_i a_ni c_ni) / √n."""
        a = self.xp.reshape(a, (*a.shape[:-1], self.done.n, 1, self.count))
        return self.done.vjp(self.xp.matmul(a, self._by_sample)[..., 0, :] / self.root_n)

    def _rmatvec(self, v: Array) -> Array:
        """c_ni · J_n v / √n."""
        pushed = self.xp.matmul(self._by_sample, self.done.jvp(v)[..., None]) / self.root_n
        return self.xp.reshape(pushed, (*v.shape[:-1], self.shape[1]))

    @cached_property
    def _quantities(self) -> list[LayerQuantities]:
        return self.done.layer_quantities(self.covectors)

    @cached_property
    def gram(self) -> Array:
        return sum(_inner_products(self.xp, q) for q in self._quantities) / self.done.n

    def squared(self) -> Array:
        parts = [summed_squares(self.xp, q, squares(self.xp, q)) for q in self._quantities]
        return self.xp.concat([self.xp.reshape(part, (-1,)) for part in parts]) / self.done.n

    def dense(self) -> Array:
        rows = self.xp.moveaxis(self.done.per_example_gradients(self.covectors), 0, 1)
        return self.xp.matrix_transpose(self.xp.reshape(rows, (self.shape[1], self.shape[0]))) / self.root_n

    def outer(self) -> Array:
        """Σ_i P_iᵀ P_i / n for the gradients P_i, (n, size), of one covector at each sample: one such matrix at a time."""
        total: Array = 0.0
        for i in range(self.count):
            P = self.done.per_example_gradients(self.covectors[i, ...])
            total = total + self.xp.matmul(self.xp.matrix_transpose(P), P)
        return total / self.done.n


def _inner_products(xp: Namespace, q: LayerQuantities) -> Array:
    """The inner products of the gradients of one layer's weights, shape (n m, n m), in float64.

    Mathematically, (ā_n · ā_n′) (g_ni · g_n′i′) where a sample passes through the weights once: the gradients are not formed.
    """
    q = q._replace(inputs=xp.astype(q.inputs, xp.float64), covectors=xp.astype(q.covectors, xp.float64))
    m, n = q.covectors.shape[:2]
    if not has_one_position(q):
        P = xp.reshape(xp.moveaxis(example_gradients(xp, q), 0, 1), (n * m, -1))
        return xp.matmul(P, xp.matrix_transpose(P))
    a, g = q.inputs[:, 0, :], xp.reshape(xp.moveaxis(q.covectors, 0, 1), (n * m, -1))
    of_inputs = xp.matmul(a, xp.matrix_transpose(a)) + float(q.layer.bias)
    of_covectors = xp.reshape(xp.matmul(g, xp.matrix_transpose(g)), (n, m, n, m))
    return xp.reshape(of_covectors * of_inputs[:, None, :, None], (n * m, n * m))


class FisherOperator(OuterProducts):
    """F = (1/n) Σ J_nᵀ G(θ_n) J_n; what asks for more than products is made from the columns of a square root of G.

    Parameters
    ----------
    model : ConditionalModel
    w : array, shape (size,)
    batch : pair (x, y)
        y is not used.
    """

    def __init__(self, model: ConditionalModel, w: Array, batch: Batch) -> None:
        self.done = recorded(model, w, batch)
        self.arguments = model, w, batch
        root = partial(ExactColumns().covectors, model.family, self.done.theta, batch)
        super().__init__(ExampleColumns(self.done, model.family.dim, root))

    def _matvec(self, v: Array) -> Array:
        return self.done.fisher_vector(v)

    def diagonal(self) -> Array:
        return diagonal_fisher(*self.arguments).d
