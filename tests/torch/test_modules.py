"""Modules of every kind beside their Jacobian, row by row, and finite differences for the second derivatives."""
import numpy as np
import pytest
import torch
from torch.autograd.functional import jacobian
from torch.func import functional_call

from infogeo import Categorical, Poisson
from infogeo import curvature as C
from infogeo.errors import DomainError, ShapeError
from infogeo.networks import ConditionalModel, ExactBlocks, Glorot, TorchNetwork

from .modules import ZOO, distance, in_zoo

TOL = 1e-10


@pytest.fixture(params=sorted(ZOO), scope="module")
def problem(request):
    p = in_zoo(request.param)
    p.jacobian = jacobian(lambda w: functional_call(p.module, p.network.parameters(w), p.x), p.w)       # (n, outputs, size)
    metric = p.model.family.metric(p.model.theta(p.w, p.x))
    p.columns = torch.einsum("nkl,nlq->nkq", metric, p.jacobian)
    p.fisher = torch.einsum("nkp,nkq->pq", p.jacobian, p.columns) / len(p.x)
    return p


def test_output(problem):
    p = problem
    assert distance(p.network.forward(p.w, p.x), p.module(p.x).detach()) < 1e-14
    assert distance(p.network.record(p.w, p.x).output, p.module(p.x).detach()) < 1e-14


def test_pooling_under_vmap():
    """Channels lie beside each other there, too."""
    p = in_zoo("pooled")
    rows = torch.func.vmap(lambda x: p.network.forward(p.w, x[None])[0])(p.x)
    assert distance(rows, p.module(p.x).detach()) < 1e-14


def test_products(problem):
    p, done = problem, problem.network.record(problem.w, problem.x)
    g, v = torch.randn((3, *done.output.shape), dtype=p.w.dtype), torch.randn((3, p.network.size), dtype=p.w.dtype)
    assert distance(done.vjp(g), torch.einsum("mnk,nkp->mp", g, p.jacobian)) < TOL
    assert distance(done.vjp(g[0]), torch.einsum("nk,nkp->p", g[0], p.jacobian)) < TOL
    assert distance(done.jvp(v), torch.einsum("nkp,mp->mnk", p.jacobian, v)) < TOL
    assert distance(done.per_example_gradients(g), torch.einsum("mnk,nkp->mnp", g, p.jacobian)) < TOL
    assert distance(C.fisher(p.model, p.w, p.batch).dense(), p.fisher) < TOL


def test_second_derivatives(problem):
    p, h = problem, 1e-5
    g, v = torch.randn((len(p.x), 2), dtype=p.w.dtype), torch.randn((2, p.network.size), dtype=p.w.dtype)
    for slot in p.network.skeleton.slots:
        if slot.name == "embedding.weight" and p.module.embedding.padding_idx == 0:
            v[:, slot.weights.start:slot.weights.start + slot.shape[1]] = 0.0           # padding has no derivative
    found = p.network.record(p.w, p.x).vjp_tangent(v, g, torch.zeros_like(g))
    expected = torch.stack([(p.network.vjp(p.w + h * d, p.x, g) - p.network.vjp(p.w - h * d, p.x, g)) / (2 * h) for d in v])
    assert distance(found, expected) < 1e-6


def test_blocks(problem):
    p = problem
    blocks = torch.zeros_like(p.fisher)
    for s in p.network.slices:
        blocks[s, s] = p.fisher[s, s]
    assert distance(C.block_diagonal(p.model, p.w, p.batch).dense(), blocks) < TOL
    assert distance(C.diagonal_fisher(p.model, p.w, p.batch).d, p.fisher.diagonal()) < TOL
    assert float(C.ekfac(p.model, p.w, p.batch).trace()) == pytest.approx(float(p.fisher.trace()), rel=TOL)


def test_kfac_is_exact_for_one_sample_at_one_position(problem):
    p = problem
    one = torch.einsum("kp,kq->pq", p.jacobian[0], p.columns[0])
    for sharing in (C.Expand(), C.Reduce()):
        found = C.kfac(p.model, p.w, (p.x[:1], p.batch[1][:1]), sharing=sharing).dense()
        for s, (_, rows) in zip(p.network.slices, p.network.record(p.w, p.x[:1]).layer_inputs()):
            if rows.shape[-2] == 1:
                assert float((found[s, s] - one[s, s]).abs().max()) <= TOL * float(one.abs().max())


def test_curvature_is_propagated_through_what_is_known(problem):
    p = problem
    try:
        found = C.hessian_diagonal(p.model, p.w, p.batch, C.UnitVectors())
    except TypeError as error:
        assert "hessian(…).diagonal()" in str(error)
        return
    H = C.hessian(p.model, p.w, p.batch).dense()
    assert distance(found, H.diagonal()) < TOL
    blocks = C.within_layer_hessian(p.model, p.w, p.batch, C.UnitVectors()).dense()
    assert max(distance(blocks[s, s], H[s, s]) for s in p.network.slices if H[s, s].abs().max() > 0) < TOL


def test_where_curvature_is_propagated():
    """Not through softmax, nor with weights in the inputs of their own layer; activations and products are curved nodes."""
    def goes(name):
        p = in_zoo(name)
        try:
            return bool(C.hessian_diagonal(p.model, p.w, p.batch, C.UnitVectors()).shape)
        except TypeError:
            return False

    assert {name for name in ZOO if goes(name)} == {"resnet", "gated", "frozen", "half gated", "circular", "pooled"}


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        return 3.0 * ctx.saved_tensors[0]**2 * g


class Cubed(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(3, 2)

    def forward(self, x):
        return Cube.apply(self.layer(x))


def test_curves_of_functions_of_ones_own_are_not_known():
    network, x = TorchNetwork(Cubed().double(), (3,)), torch.randn(4, 3, dtype=torch.float64)
    model, batch = ConditionalModel(network, Categorical(3)), (x, torch.arange(4) % 3)
    with pytest.raises(TypeError, match="no factorisation of Cube, which"):
        C.hessian_diagonal(model, network.weights(), batch, C.UnitVectors())
    v, h = torch.randn(network.size, dtype=torch.float64), 1e-5
    there = [model.value_and_gradient(network.weights() + s * v, batch)[1] for s in (h, -h)]
    assert distance(model.hessian_vector(network.weights(), batch, v), (there[0] - there[1]) / (2 * h)) < 1e-6


def test_what_is_not_taken():
    linear = torch.nn.Linear(4, 2)
    for module, shape, error, text in [
            (torch.nn.Linear, (4,), TypeError, "takes a torch.nn.Module"),
            (torch.nn.Tanh(), (4,), ValueError, "require a gradient"),
            (linear, (5,), ShapeError, r"the module must take inputs of shape \(n, 5\)"),
            (linear, 4, ShapeError, "input_shape must be a tuple of integers"),
            (linear, (3, 4), ShapeError, r"outputs of shape \(n, outputs\).*got \(2, 3, 2\)"),
            (torch.nn.LSTM(4, 2, batch_first=True), (3, 4), ShapeError, "got tuple"),
            (torch.nn.LazyLinear(2), (4,), ValueError, "the parameter weight has no numbers yet: call the module once"),
            (torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 2).double()), (4,), TypeError,
             "must be of one dtype; got torch.float32 of 0.weight, torch.float64 of 1.weight"),
            (torch.nn.Linear(4, 2, dtype=torch.complex64), (4,), TypeError, "real numbers; got torch.complex64 of weight"),
            (torch.nn.Bilinear(4, 4, 2), (4,), ShapeError, "must take inputs of shape.*missing 1 required positional argument"),
            (torch.nn.BatchNorm1d(4, track_running_stats=False), (4,), ValueError, "by the statistics of the batch")]:
        with pytest.raises(error, match=text):
            TorchNetwork(module, shape)
    network = TorchNetwork(linear, (4,))
    w, x = network.weights(), torch.randn(3, 4)
    with pytest.raises(TypeError, match="takes PyTorch tensors; got ndarray as w"):
        network.forward(w.numpy(), x)
    with pytest.raises(TypeError, match="w must be of float32 or float64, .*; got torch.bfloat16: network.weights"):
        network.forward(w.to(torch.bfloat16), x)
    with pytest.raises(ShapeError, match=r"w must have shape \(..., 10\)"):
        network.forward(w[1:], x)
    with pytest.raises(ShapeError, match="derivatives at one weight vector and one batch"):
        network.record(torch.stack([w, w]), x)
    with pytest.raises(DomainError, match="size must satisfy"):
        ExactBlocks(0)
    p = in_zoo("odd")
    network = TorchNetwork(p.module, (3,))
    with pytest.raises(ValueError, match="the parameter weight of the Bilinear 'bilinear' enters bilinear"):
        C.kfac(ConditionalModel(network, p.model.family), p.w, p.batch)


class Scaled(torch.nn.Module):
    """A number as a parameter, and a layer that no gradient goes to."""

    def __init__(self):
        super().__init__()
        self.fixed, self.layer, self.scale = torch.nn.Linear(4, 4), torch.nn.Linear(4, 1), torch.nn.Parameter(torch.tensor(2.0))

    def forward(self, x):
        with torch.no_grad():
            x = torch.tanh(self.fixed(x))
        return self.scale * self.layer(x)


def test_a_number_as_a_parameter_and_a_layer_without_gradient():
    network = TorchNetwork(Scaled(), (4,))
    w, x = network.weights(), torch.randn(5, 4)
    done = network.record(w, x)
    assert distance(done.output, network.module(x).detach()) < 1e-6
    network.module(x).sum().backward()
    expected = network.flattened({name: p.grad for name, p in network.module.named_parameters()})
    assert distance(done.per_example_gradients(torch.ones(5, 1)).sum(dim=0), expected) < 1e-5
    model = ConditionalModel(network, Poisson())
    K = C.kfac(model, w, (x, torch.ones(5))).dense()
    fixed = network.flattened({"fixed.weight": torch.ones(4, 4), "fixed.bias": torch.ones(4)}) > 0
    assert int(fixed.sum()) == 20 and float(K[fixed].abs().max()) == 0.0


def test_no_samples_and_no_directions():
    network = TorchNetwork(torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.LayerNorm(3), torch.nn.Linear(3, 2)), (4,))
    w = network.weights()
    done = network.record(w, torch.zeros(0, 4))
    assert done.output.shape == (0, 2) and done.jvp(w).shape == (0, 2)
    assert float(done.vjp(torch.zeros(0, 2)).abs().sum()) == 0.0
    assert done.per_example_gradients(torch.zeros(3, 0, 2)).shape == (3, 0, network.size)
    assert network.record(w, torch.randn(5, 4)).vjp(torch.zeros(0, 5, 2)).shape == (0, network.size)


def test_weights_go_into_the_module_and_back():
    p = in_zoo("encoder")
    before = {name: t.detach().clone() for name, t in p.module.named_parameters()}
    for name, t in p.network.parameters(p.w).items():
        assert torch.equal(t, before[name]) and t.untyped_storage().data_ptr() == p.w.untyped_storage().data_ptr()   # views
    assert torch.equal(p.network.flattened(before), p.w)
    p.network.assign(2.0 * p.w)
    assert all(torch.equal(t, 2.0 * before[name]) for name, t in p.module.named_parameters())
    drawn = p.network.init(np.random.default_rng(0), Glorot(), shape=(2,))
    assert drawn.shape == (2, p.network.size) and not torch.equal(drawn[0], drawn[1])
    assert float(p.network.parameters(drawn[0])["head.bias"].abs().max()) == 0.0
