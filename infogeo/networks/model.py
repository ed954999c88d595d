"""Conditional models: a network that gives the natural parameter of an exponential family."""
from copy import copy
from typing import Any

import numpy as np

from ..arrays.blocks import gather
from ..arrays.memo import once, stands_on
from ..backend import Array, arrays, coerced, column
from ..domains.chart import Chart
from ..errors import ShapeError, require, takes
from ..objectives.base import Objective
from .batches import Batch, RelativeWeights, relative_weights, require_batch
from .interface import LayerQuantities, Network
from .output_family import OutputFamily

__all__ = ["Batch", "ConditionalModel", "CrossEntropyLoss", "ModelPass", "NegativeLogLikelihood"]


class ConditionalModel:
    """p(y | x; w) in an exponential family, with the natural parameter θ = chart(f(w, x)) of a network f.

    Mathematically, with the loss L(w) = −(1/n) Σ log p(y_n | θ_n) and η = ∇ψ(θ), the covector at θ_n is (η_n − T(y_n)) / n for
    every family. With J_n = ∂θ_n/∂w and the Fisher metric G of the family, the Fisher metric on weights is the pull-back
    F = (1/n) Σ J_nᵀ G(θ_n) J_n, and the Hessian of L is F + (1/n) Σ (η_n − T(y_n)) · ∂²θ_n, F being the whole of it where θ is
    linear in w.

    Parameters
    ----------
    network : Network
        Such as a `Sequential`, or a `TorchNetwork`; with as many outputs as the chart takes: `family.dim`, or k for
        `SymmetricSoftmax(k)`.
    family : ExponentialFamily
    chart : Chart, optional
        A smooth map onto the domain of θ. Where it is not given it is that of the domain: θ = u where θ is any vector, signs
        times e^u on an orthant, the log-Cholesky chart on definite matrices.

    Shapes: weights w (..., network.size), inputs x (..., n, *network.input_shape), observations y
    (..., n, *family.support.shape); a batch is the pair (x, y). Leading axes of w are a batch of models: values have their shape.
    A batch (x, y, weights) has a weight (n,) for every sample: the mean over the samples is then Σ weight_n … / Σ weight_n, in
    the loss and in every curvature, so that a sample with the weight 2 counts as two.
    Units: nats.

    Raises
    ------
    ShapeError
        If the network's outputs do not match the family.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((2, 3)), ig.Categorical(4))
    >>> model.theta(np.zeros(model.network.size), [[1.0, 2.0]])
    array([[0., 0., 0.]])
    """

    @takes(network=Network, chart=Chart)
    def __init__(self, network: Network, family: OutputFamily, chart: Chart | None = None) -> None:
        if isinstance(family, type) or not hasattr(family, "dim"):
            raise TypeError(f"family must be an exponential family, such as Categorical(3); got {family!r}")
        self.network, self.family, self.chart_given = network, family, chart is not None
        self.chart = family.theta_domain.chart if chart is None else chart
        outputs = self.chart.inputs(family.dim)
        if network.output_shape != (outputs,):
            k = family.dim + 1
            logits = chart is None and getattr(family, "reference", None) is not None and network.output_shape == (k,)
            mend = f"; for a logit of every class give the chart infogeo.domains.SymmetricSoftmax({k})" if logits else ""
            raise ShapeError(f"the network must have {outputs} outputs for {family!r}; got {network.output_shape}{mend}")

    def __repr__(self) -> str:
        return f"ConditionalModel({self.network!r}, {self.family!r})"

    def record(self, w: Array, x: Array, weights: Array | None = None) -> "ModelPass":
        """The `ModelPass` of w and x: θ and its derivatives in the weights, for as many directions as one likes.

        Weights of samples, shape (n,), are taken as they are: means are over the number n.
        """
        return ModelPass(self, w, x, weights)

    def theta(self, w: Array, x: Array) -> Array:
        """The natural parameters θ, shape (..., n, d)."""
        return self.chart(self.network.forward(w, x))

    def predict_mean(self, w: Array, x: Array) -> Array:
        """E[y | x; w], shape (..., n, *family.support.shape)."""
        return self.family.mean(self.theta(w, x))

    def log_density(self, w: Array, batch: Batch) -> Array:
        """log p(y_n | x_n; w) of every sample of a batch (x, y), shape (..., n), nats; −∞ outside the support."""
        x, y, _ = require_batch(batch)
        return self.family.log_density(self.theta(w, x), y)

    def sample(self, rng: np.random.Generator, w: Array, x: Array, shape: tuple[int, ...] = ()) -> Array:
        """Observations y drawn from the model, shape (*shape, ..., n, *family.support.shape)."""
        return self.family.sample(rng, self.theta(w, x), shape)

    def objective(self, batch: Batch) -> "NegativeLogLikelihood":
        """The loss of a batch as an objective of `descend` and `flow`."""
        return NegativeLogLikelihood(self, batch)

    def loss(self, w: Array, batch: Batch) -> Array:
        """L(w) = −(1/n) Σ log p(y | θ), shape (...), nats."""
        return self.objective(batch).value(w)

    def value_and_gradient(self, w: Array, batch: Batch) -> tuple[Array, Array]:
        """``(L(w), ∂L/∂w)``, shapes (...) and (..., size)."""
        return self.objective(batch).value_and_gradient(w)

    def per_example_gradients(self, w: Array, batch: Batch) -> Array:
        """The differentials of −log p(y_n | θ_n), shape (..., n, size); their mean is that of the loss."""
        return self.objective(batch).per_example_gradients(w)

    def hessian_vector(self, w: Array, batch: Batch, v: Array) -> Array:
        """H v with the Hessian H of the loss, exactly; shape (..., size), leading axes of v are directions."""
        return self.objective(batch).hessian_vector(w, v)

    def fisher_vector(self, w: Array, x: Array, v: Array) -> Array:
        """F v with the Fisher metric F = (1/n) Σ J_nᵀ G(θ_n) J_n of the model, shape (..., size). It needs no observations."""
        return self.record(w, x).fisher_vector(v)


class ModelPass:
    """A forward pass of a model: the natural parameters, and the products with J = ∂θ/∂w at this w and x.

    Where samples have weights v_n, J_n stands for √v_n ∂θ_n/∂w: then a mean of J_nᵀ G J_n over the samples is the weighted one,
    and covectors of the first order have the factor √v_n, too (`rooted`).

    Attributes
    ----------
    theta : array, shape (..., n, d)
    n : int
        The number of samples.
    weights : array, shape (n,), or None

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> done = model.record(np.array([2.0, -1.0]), [[1.0], [3.0]])
    >>> done.theta[:, 0], done.jvp(np.array([1.0, 0.0]))[:, 0]
    (array([1., 5.]), array([1., 3.]))
    >>> done.vjp(np.array([[1.0], [0.0]]))                    # Jᵀ c
    array([1., 1.])
    """

    @takes(model=ConditionalModel)
    def __init__(self, model: ConditionalModel, w: Array, x: Array, weights: Array | None = None) -> None:
        self.model, self.network_pass, self.weights = model, model.network.record(w, x), weights
        self._u = self.network_pass.output
        self.theta, self.n = model.chart(self._u), self._u.shape[-2]
        self._root = None if weights is None else column(self.network_pass.xp.sqrt(weights))

    def rooted(self, covector: Array) -> Array:
        """√v_n c_n, shape (..., n, d)."""
        return covector if self._root is None else self._root * covector

    def weighted(self, covector: Array) -> Array:
        """v_n c_n, shape (..., n, d)."""
        return covector if self.weights is None else column(self.weights) * covector

    def output_covector(self, covector: Array) -> Array:
        """A covector at θ as one at the output of the network."""
        return self.rooted(self.model.chart.pull_back(self._u, covector))

    def jvp(self, dw: Array) -> Array:
        """J dw, shape (..., n, d); leading axes of dw are directions."""
        return self.rooted(self.model.chart.push_forward(self._u, self.network_pass.jvp(dw)))

    def vjp(self, covector: Array) -> Array:
        """Σ_n J_nᵀ c_n, shape (..., size)."""
        return self.network_pass.vjp(self.output_covector(covector))

    def per_example_gradients(self, covector: Array) -> Array:
        """J_nᵀ c_n of every sample, shape (..., n, size)."""
        return self.network_pass.per_example_gradients(self.output_covector(covector))

    def layer_quantities(self, covector: Array) -> list[LayerQuantities]:
        """The inputs of each layer with weights and the covectors at its pre-activations, for covectors at θ."""
        return self.network_pass.layer_quantities(self.output_covector(covector))

    def fisher_vector(self, v: Array) -> Array:
        """F v = (1/n) Σ J_nᵀ G(θ_n) J_n v, shape (..., size)."""
        return self.vjp(self.model.family.flat(self.theta, self.jvp(v)) / self.n)

    def hessian_vector(self, statistic: Array, v: Array) -> Array:
        """H v with the Hessian H of the loss of observations with the sufficient statistic T(y), shape (..., size)."""
        family, chart, u = self.model.family, self.model.chart, self._u
        residual = self.weighted(family.to_eta(self.theta) - statistic)

        def moved(du: Array) -> Array:
            curvature = self.weighted(chart.pull_back(u, family.flat(self.theta, chart.push_forward(u, du))))
            return (curvature + chart.pull_back_tangent(u, du, residual)) / self.n

        return self.network_pass.vjp_tangent(v, chart.pull_back(u, residual) / self.n, moved)


class NegativeLogLikelihood(Objective):
    """L(w) = −(1/n) Σ log p(y_n | θ_n) of one batch: an objective of `descend`.

    Parameters
    ----------
    model : ConditionalModel
    batch : pair (x, y), or (x, y, weights)
        The observations y take the dtype of x. With weights (n,), not negative, it is −Σ weight_n log p(y_n | θ_n) / Σ weight_n;
        a mini-batch keeps the mean weight of all samples in its denominator, so that its loss is unbiased.

    Attributes
    ----------
    weights : array, shape (n,), or None
        Over their mean.
    usual_record : "values"
        Weights are many: a run keeps the losses of its steps, and its points where it is told so.

    Raises
    ------
    DomainError, ShapeError
        For x that is not finite, y outside the support of the family, or another number of samples; for weights that are
        negative, not finite, or all 0.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> loss = model.objective(([[1.0], [3.0]], [0, 1]))
    >>> value, gradient = loss.value_and_gradient(np.zeros(2))
    >>> round(float(value / np.log(2.0)), 6), gradient  # mean of (p − y) (x, 1)
    (1.0, array([-0.5,  0. ]))
    """

    usual_record = "values"

    @takes(model=ConditionalModel)
    def __init__(self, model: ConditionalModel, batch: Batch) -> None:
        self.model, (self.x, y, weights) = model, require_batch(batch)
        xp, x = arrays(self.x)
        # labels take the dtype of x, and bfloat16 has no whole number 257
        self.xp, self.x, y = coerced(xp.astype(x, xp.result_type(x, xp.float32), copy=False), y)
        family, self._rank = model.family, len(model.family.support.shape)
        self.y = family.support.require("y", self.xp.astype(y, self.x.dtype))
        self._require_samples(weights)
        self.statistic = family.sufficient_statistic(self.y)
        finite = self.xp.all(self.xp.isfinite(self.statistic), axis=-1)
        require("y at an end of the support", "T(y) finite", finite, self.y)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.model!r}, {self.statistic.shape[-2]} examples)"

    def _require_samples(self, weights: Any) -> None:
        self.model.network.require_inputs(self.x)
        shapes = tuple(self.x.shape), tuple(self.y.shape)
        samples, seen = shapes[0][:self.x.ndim - len(self.model.network.input_shape)], shapes[1][:self.y.ndim - self._rank]
        if not samples or not seen or samples[-1] != seen[-1]:
            raise ShapeError(f"x and y must have the same samples; got shapes {shapes[0]} and {shapes[1]}{self._hint(samples)}")
        require("x", "x finite", self.xp.isfinite(self.x), self.x)
        self.rows = np.broadcast_shapes(samples[:-1], seen[:-1])
        self.weights = relative_weights(weights, self.x, samples[-1])

    def _hint(self, samples: tuple[int, ...]) -> str:
        """What to do with a y that has an axis too many."""
        shape = tuple(self.y.shape)
        if len(shape) != len(samples) + self._rank + 1 or shape[:len(samples)] != samples:
            return ""
        if shape[len(samples)] == 1:
            return ": y is a column, and y[:, 0] the observations"
        return ": of one-hot labels numpy.argmax(y, axis=-1) are the observations" if self._rank == 0 else ""

    @property
    def batch(self) -> Batch:
        """(x, y), or with weights (x, y, weights): what curvatures of these samples are made of."""
        return (self.x, self.y) if self.weights is None else (self.x, self.y, RelativeWeights(self.weights))

    def take(self, index: Array) -> "NegativeLogLikelihood":
        """The same loss of some of the samples, which are not checked again.

        Parameters
        ----------
        index : integer array, shape (m,)
        """
        part, take = copy(self), self.xp.take
        part.x = take(self.x, index, axis=self.x.ndim - len(self.model.network.input_shape) - 1)
        part.y = take(self.y, index, axis=self.y.ndim - self._rank - 1)
        part.statistic = take(self.statistic, index, axis=self.statistic.ndim - 2)
        part.weights = None if self.weights is None else take(self.weights, index, axis=0)
        return part

    def like(self, w: Array) -> "NegativeLogLikelihood":
        """The same loss in the dtype of weights, of samples that are of a wider one."""
        xp = self.xp
        if xp.result_type(w, self.x) == w.dtype:
            return self
        part = copy(self)
        part.x, part.y, part.statistic = (xp.astype(array, w.dtype) for array in (self.x, self.y, self.statistic))
        part.weights = None if self.weights is None else xp.astype(self.weights, w.dtype)
        return part

    def first(self, m: int) -> "NegativeLogLikelihood":
        """The same loss of the first m samples of one batch."""
        return self._part(slice(0, m))

    def _part(self, rows: slice) -> "NegativeLogLikelihood":
        """The same loss of a slice of the samples of one batch."""
        part = copy(self)
        part.x, part.y, part.statistic = self.x[rows, ...], self.y[rows, ...], self.statistic[rows, ...]
        part.weights = None if self.weights is None else self.weights[rows]
        return part

    @once
    def record(self, w: Array) -> ModelPass:
        """The `ModelPass` of w, shared by all that a solver asks for at one point."""
        return self.model.record(w, self.x, self.weights)

    def _residual(self, done: ModelPass) -> Array:
        """η − T(y), the covector at θ of −log p(y | θ), times one root of the weights; the other is in the pass."""
        return done.rooted(self.model.family.to_eta(done.theta) - self.statistic)

    def _mean(self, values: Array) -> Array:
        return self.xp.mean(values if self.weights is None else self.weights * values, axis=-1)

    def _value(self, done: ModelPass) -> Array:
        return -self._mean(self.model.family._log_density(self.xp, done.theta, self.y))

    @once
    def value(self, w: Array) -> Array:
        """L(w), shape (...), nats."""
        return self._value(self.record(w))

    def value_and_gradient(self, w: Array) -> tuple[Array, Array]:
        """``(L(w), ∂L/∂w)``, shapes (...) and (..., size)."""
        blocks = self.model.network.blocks_of_samples(w, self.x)
        if len(blocks) == 1 or self.statistic.ndim > 2:
            done = self.record(w)
            return self.value(w) if stands_on(w) else self._value(done), self._gradient(done)
        parts = [(self._part(rows), (rows.stop - rows.start) / self.x.shape[0]) for rows in blocks]
        found = gather(lambda part: part[0]._value_and_gradient(self.model.record(w, part[0].x, part[0].weights)), parts)
        return tuple(sum(c * term for (_, c), term in zip(parts, terms)) for terms in zip(*found))

    def _value_and_gradient(self, done: ModelPass) -> tuple[Array, Array]:
        return self._value(done), self._gradient(done)

    def _gradient(self, done: ModelPass) -> Array:
        return done.vjp(self._residual(done) / done.n)

    def per_example_gradients(self, w: Array) -> Array:
        """The differentials of −log p(y_n | θ_n), shape (..., n, size), times the weights where there are some."""
        done = self.record(w)
        return done.per_example_gradients(self._residual(done))

    def hessian_vector(self, w: Array, v: Array) -> Array:
        """H v with the Hessian H of L, shape (..., size)."""
        return self.record(w).hessian_vector(self.statistic, v)


class CrossEntropyLoss(NegativeLogLikelihood):
    """L(w) = (1/n) Σ (ψ(θ_n) − θ_n·η̂_n): the targets are mean statistics, such as grey values for Bernoulli outputs.

    Mathematically, the mean over the samples of KL(q_n‖p_θ_n) up to a constant, where q_n is any law with E[T(y)] = η̂_n. With
    η̂_n = T(y_n) it is the negative log-likelihood without the base measure.

    Parameters
    ----------
    model : ConditionalModel
    batch : pair (x, eta_hat), or (x, eta_hat, weights)
        eta_hat (..., n, d) in the closure of the domain of η, which is up to the user: a target outside it has no minimum.

    Raises
    ------
    DomainError, ShapeError
        For targets that are not finite, not of length d, or of another number than x.

    Examples
    --------
    >>> model = ig.networks.ConditionalModel(ig.networks.MLP((1, 1)),
    ...                                      ig.Bernoulli())
    >>> batch = [[1.0], [-1.0]], [[0.75], [0.25]]             # not 0 and 1
    >>> loss = ig.networks.CrossEntropyLoss(model, batch)
    >>> run = ig.descend(loss, np.zeros(2), update=ig.GradientUpdate(),
    ...                  step=2.0, max_steps=60)
    >>> abs(run.x.round(4)), float(np.log(3.0).round(4))      # log odds of ¾
    (array([1.0986, 0.    ]), 1.0986)
    """

    @takes(model=ConditionalModel)
    def __init__(self, model: ConditionalModel, batch: Batch) -> None:
        self.model, self._rank, (self.x, y, weights) = model, 1, require_batch(batch)
        self.xp, self.x, y = coerced(self.x, y)
        self.y = self.statistic = self.xp.astype(y, self.x.dtype)
        if y.ndim == 0 or y.shape[-1] != model.family.dim:
            raise ShapeError(f"eta_hat must have shape (..., n, {model.family.dim}); got {tuple(y.shape)}")
        require("eta_hat", "eta_hat finite", self.xp.all(self.xp.isfinite(self.y), axis=-1), self.y)
        self._require_samples(weights)

    def _value(self, done: ModelPass) -> Array:
        potential = self.model.family.potential(done.theta)
        return self._mean(potential - self.xp.sum(done.theta * self.statistic, axis=-1))
