"""What the curvature of a layer's weights is made of: sums over samples and over covectors at the output."""
from ..backend import arrays
from ..errors import ShapeError

__all__ = ["example_gradients", "has_one_position", "layer_sums", "recorded"]


def recorded(model, w, batch):
    """The `ModelPass` of one weight vector and the inputs of a batch (x, y).

    Raises
    ------
    ShapeError
        If w is not one vector of weights, or x not one batch of inputs.
    """
    _, w, x = arrays(w, batch[0])
    if w.shape != (model.network.size,):
        raise ShapeError(f"w must have shape ({model.network.size},), the weights of one model; got {tuple(w.shape)}")
    shape = model.network.input_shape
    if tuple(x.shape[1:]) != shape:
        raise ShapeError(f"x must have shape ({', '.join(['n', *map(str, shape)])}); got {tuple(x.shape)}")
    return model.record(w, x)


def layer_sums(model, w, batch, outputs, moment):
    """``(xp, n, [(q, Σ moment(xp, q))])`` for every layer with weights, with the sum over the groups of covectors of `outputs`.

    The `LayerQuantities` q that comes with a sum has the inputs of the layer, and the covectors of the last group.
    """
    done = recorded(model, w, batch)
    xp, quantities, sums = arrays(done.theta)[0], [], None
    for covectors in outputs.groups(model.family, done.theta, batch):
        quantities = done.layer_quantities(covectors)
        terms = [moment(xp, q) for q in quantities]
        sums = terms if sums is None else [total + term for total, term in zip(sums, terms)]
    return xp, done.n, list(zip(quantities, sums))


def has_one_position(q):
    """Whether every sample passes through the weights once, so that its gradient is the outer product ā gᵀ."""
    return q.inputs.shape[-2] == 1


def example_gradients(xp, q):
    """Σ ā gᵀ over the positions of each sample, shape (m, n, inputs + 1, outputs)."""
    return xp.matmul(xp.matrix_transpose(q.layer.homogeneous(xp, q.inputs)), q.covectors)
