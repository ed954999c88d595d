"""What else is taken as a module: compiled and wrapped ones, half precision, buffers that change; and what is told apart."""
import warnings
from functools import partial

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

import infogeo as ig
from infogeo import curvature as C
from infogeo.networks import ConditionalModel, TorchNetwork
from infogeo.training import TorchOptimizer


def small(dtype=torch.float64):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2)).to(dtype)
    return module, torch.randn(12, 4, dtype=torch.float64).to(dtype), torch.arange(12) % 3


def kfac_of(module, x, y):
    model = ConditionalModel(TorchNetwork(module, (4,)), ig.Categorical(3))
    return C.kfac(model, model.network.weights(), (x, y)).dense()


def steps(module, x, y, inside=None, **how):
    """The weights after two steps, those of the module inside of a wrapped one."""
    optimizer = TorchOptimizer(module, ig.Categorical(3), **how)
    for _ in range(2):
        optimizer.zero_grad()
        optimizer.loss(x, y).backward()
        optimizer.step()
    return torch.cat([p.detach().flatten() for p in (module if inside is None else inside).parameters()])


@pytest.mark.parametrize("wrap", [nn.DataParallel, partial(torch.compile, backend="eager")], ids=["parallel", "compiled"])
def test_wrapped_modules_are_what_is_inside(wrap):
    module, x, y = small()
    expected = kfac_of(module, x, y)
    assert torch.equal(kfac_of(wrap(module), x, y), expected)
    inside, other = small()[0], small()[0]
    assert torch.equal(steps(wrap(inside), x, y, inside), steps(other, x, y))


def test_parts_may_be_compiled():
    module, x, y = small()
    expected = kfac_of(module, x, y)
    module[0] = torch.compile(module[0], backend="eager")
    assert torch.equal(kfac_of(module, x, y), expected)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_float32_inside(dtype):
    """Factors, inverses and loss are those of the same numbers in float32; the weights are rounded once a step."""
    module, x, y = small(dtype)
    found = kfac_of(module, x, y)
    assert found.dtype == torch.float32 and torch.equal(found, kfac_of(small(dtype)[0].float(), x.float(), y))
    for update in (ig.training.KFAC(), ig.training.EKFAC(),
                   ig.training.StructuredNatural(ig.training.TwoSided(), C.FactoredTikhonov(0.1))):
        half = steps(small(dtype)[0], x, y, update=update)
        single = steps(small(dtype)[0].float(), x.float(), y, update=update)
        assert half.dtype == dtype and float((half - single).abs().max()) < 8 * torch.finfo(dtype).eps


def test_labels_stay_whole_beside_half_inputs():
    """bfloat16 has no 257."""
    module = nn.Linear(4, 299).to(torch.bfloat16)
    model, y = ConditionalModel(TorchNetwork(module, (4,)), ig.Categorical(300)), torch.arange(250, 258)
    assert torch.equal(model.objective((torch.zeros(8, 4, dtype=torch.bfloat16), y)).y, y.float())


def test_tokens_of_integers_run_in_the_dtype_of_the_weights():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Embedding(6, 3, sparse=True), nn.Flatten(), nn.Linear(6, 2))
    x, y = torch.randint(0, 6, (12, 2)), torch.arange(12) % 3
    model = ConditionalModel(TorchNetwork(module, (2,)), ig.Categorical(3))
    w, f = model.network.weights(), model.objective((x, y))
    run = ig.descend(f, w, update=ig.training.KFAC(), step=1.0, max_steps=2)
    assert run.x.dtype == torch.float32 and float(f.value(run.x)) < float(f.value(w))
    steps(module, x, y)
    torch.testing.assert_close(model.network.weights(), run.x)


def test_buffers_are_those_of_the_module_at_hand():
    module = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2)).double().eval()
    network, x = TorchNetwork(module, (4,)), torch.randn(5, 4, dtype=torch.float64)
    module[1].running_mean.normal_()
    torch.testing.assert_close(network.forward(network.weights(), x), module(x).detach())


class Noisy(nn.Module):
    def __init__(self, noise):
        super().__init__()
        self.noise, self.layer = noise, nn.Linear(4, 2)

    def forward(self, x):
        return self.layer(self.noise(x))


def test_random_modules_are_refused():
    """Also where zeros are the same, and not where a number was drawn that does not matter; the random numbers to come stay."""
    noises = [lambda x: x + torch.randn_like(x), lambda x: nn.functional.dropout(x, 0.5)]
    modules = [Noisy(noise) for noise in (*noises, lambda x: (torch.rand(()), x)[1])]
    before = torch.get_rng_state()
    for module in modules[:2]:
        with pytest.raises(ValueError, match="in eval mode it draws random numbers"):
            TorchNetwork(module, (4,))
    assert TorchNetwork(modules[2], (4,)).size == 10
    assert torch.equal(before, torch.get_rng_state())


class Again(nn.Module):
    def __init__(self, reentrant):
        super().__init__()
        self.first, self.head, self.reentrant = nn.Linear(4, 4), nn.Linear(4, 2), reentrant

    def forward(self, x):
        return checkpoint(self.head, self.first(x), use_reentrant=self.reentrant)


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 2)

    def forward(self, x):
        return self.layer(x), x


class Parallel(nn.parallel.DistributedDataParallel):
    """Without a group of processes."""

    def __init__(self):
        nn.Module.__init__(self)
        self.module = nn.Linear(4, 2)


@pytest.mark.parametrize("module, error, text", [
    (Again(False), ValueError, "must not run a part of it again in the backward pass"),
    (Again(True), ValueError, "must not run a part of it again in the backward pass"),
    (Pair(), ig.ShapeError, "got tuple for n = 2. a module around it picks one"),
    (Parallel(), TypeError, "wrapped.module of a DistributedDataParallel"),
    (nn.Sequential(nn.Embedding(6, 3, max_norm=1.0), nn.Flatten(), nn.Linear(12, 2)), ValueError, "max_norm changes its weights"),
    (nn.EmbeddingBag(6, 2, mode="max"), ValueError, 'an embedding bag is taken with mode "mean" or "sum"')],
    ids=["recomputed", "reentrant", "tuple", "distributed", "renormed", "largest"])
def test_what_is_told(module, error, text):
    with pytest.raises(error, match=text):
        TorchNetwork(module, (4,))


def test_code_that_holds_the_module_itself_is_told():
    module = nn.ModuleList([nn.Linear(4, 2)])
    module.forward = lambda x: module[0](x)
    with pytest.raises(ValueError, match="that of a copy of it finds 0.bias elsewhere"):
        TorchNetwork(module, (4,))


def test_modules_of_torchscript_are_not_taken():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")             # that torch.jit is deprecated
        module = torch.jit.script(nn.Linear(4, 2))
    with pytest.raises(TypeError, match="is compiled by torch.jit: the module that it was made of is taken"):
        TorchNetwork(module, (4,))


def test_derivatives_that_torch_would_lose_are_told():
    module, x, _ = small()
    network = TorchNetwork(module, (4,))
    for f in (lambda w: network.forward(w, x).sum(), lambda w: network.record(w, x).output.sum()):
        with pytest.raises(TypeError, match="torch.func follows no derivative through a TorchNetwork"):
            torch.func.grad(f)(network.weights())
