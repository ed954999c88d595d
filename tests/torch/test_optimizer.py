"""`TorchOptimizer` takes the steps of `descend`, has the face of PyTorch's optimisers, and goes on from its state."""
import copy
import io
import pickle

import numpy as np
import pytest
import torch
from torch import nn

import infogeo as ig
from infogeo.curvature import ExactColumns
from infogeo.errors import DomainError
from infogeo.networks import ConditionalModel, ExactBlocks, TorchNetwork
from infogeo.training import EKFAC, KFAC, Adam, MiniBatches, Regularised, StructuredNatural, TorchOptimizer, TwoSided

from .modules import Odd, rng

METHODS = {"K-FAC": lambda: KFAC(ExactColumns()), "signs": lambda: KFAC(), "Adam": lambda: Adam(), "EK-FAC": lambda: EKFAC(),
           "SNGD": lambda: StructuredNatural(TwoSided(), ig.curvature.FactoredTikhonov(0.1), refresh=2, momentum=0.5)}


def made(samples=30):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 1)).double()
    x = torch.randn(samples, 4, dtype=torch.float64)
    return module, x, torch.poisson(torch.exp(x[:, 0]))


def loop(optimizer, x, y, steps):
    values = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = optimizer.loss(x, y)
        loss.backward()
        values.append(loss.item())
        optimizer.step()
    return values


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("method", sorted(METHODS))
def test_steps_are_those_of_descend(method, decay):
    module, x, y = made()
    model = ConditionalModel(TorchNetwork(module, (4,)), ig.Poisson())
    h = 1.0 if method in ("K-FAC", "EK-FAC", "signs") else 0.05
    run = ig.descend(Regularised(model.objective((x, y)), decay), model.network.weights(), update=METHODS[method](),
                     step=ig.Constant(h), max_steps=5, rng=rng())
    optimizer = TorchOptimizer(module, ig.Poisson(), METHODS[method](), lr=h, weight_decay=decay, rng=rng())
    loop(optimizer, x, y, 5)
    torch.testing.assert_close(optimizer.model.network.weights(), run.x, rtol=1e-9, atol=1e-9)


def test_loss_is_that_of_torch():
    module, x, y = made()
    optimizer = TorchOptimizer(module, ig.Poisson())
    loss, weights = optimizer.loss(x, y), torch.arange(30.0, dtype=torch.float64)
    plain = nn.PoissonNLLLoss(full=False, reduction="none")(module(x)[:, 0], y) + torch.lgamma(y + 1)
    for found, expected in ((loss, plain.mean()), (optimizer.loss(x, y, weights), (weights * plain).sum() / weights.sum())):
        assert found.item() == pytest.approx(expected.item())
        for a, b in zip(torch.autograd.grad(found, list(module.parameters()), retain_graph=True),
                        torch.autograd.grad(expected, list(module.parameters()), retain_graph=True)):
            torch.testing.assert_close(a, b)


def test_closure_and_what_is_missing():
    module, x, y = made()
    optimizer = TorchOptimizer(module, ig.Poisson())
    with pytest.raises(RuntimeError, match="a step needs its examples"):
        optimizer.step()

    def closure():
        optimizer.zero_grad()
        loss = optimizer.loss(x, y)
        loss.backward()
        return loss

    values = [optimizer.step(closure).item() for _ in range(4)]
    assert values == sorted(values, reverse=True) and values[-1] < values[0]
    with pytest.raises(ValueError, match="all parameters of the module are one group"):
        optimizer.add_param_group({"params": list(module.parameters())})


def test_what_is_not_taken():
    module, x, y = made()
    optimizer = TorchOptimizer(module, ig.Poisson())
    for make, error, text in [
            (lambda: TorchOptimizer(module.parameters(), ig.Poisson()), TypeError, "takes a torch.nn.Module or TorchNetwork"),
            (lambda: TorchOptimizer(module, ig.Poisson), TypeError, "family must be an exponential family"),
            (lambda: TorchOptimizer(module, ig.Poisson(), weight_decay=None), DomainError, "weight_decay >= 0; got None"),
            (lambda: TorchOptimizer(module, ig.Poisson(), lr=float("nan")), DomainError, "lr must satisfy lr > 0"),
            (lambda: TorchOptimizer(nn.Sequential(nn.BatchNorm1d(4), module), ig.Poisson()).loss(x, y), ValueError,
             "the BatchNorm1d '0' is in train mode, where it normalises by the batch"),
            (lambda: optimizer.loss(x.float(), y), TypeError, "x is of torch.float32, its parameters of torch.float64"),
            (lambda: optimizer.loss(x.numpy(), y), TypeError, "takes PyTorch tensors; got ndarray as x"),
            (lambda: optimizer.loss(x[:0], y[:0]), DomainError, r"x must satisfy at least one sample; got \(0, 4\)"),
            (lambda: optimizer.load_state_dict(torch.optim.SGD(module.parameters()).state_dict()), ValueError,
             "that of a TorchOptimizer")]:
        with pytest.raises(error, match=text):
            make()
    optimizer.loss(x, y)
    with pytest.raises(RuntimeError, match="no parameter has a gradient"):
        optimizer.step()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda both: pickle.loads(pickle.dumps(both))], ids=["copy", "pickle"])
def test_a_copy_goes_on_as_the_optimizer_does(copied):
    module, x, y = made()
    optimizer = TorchOptimizer(module, ig.Poisson())
    loop(optimizer, x, y, 2)
    other, again = copied((module, optimizer))
    assert isinstance(again, torch.optim.Optimizer)
    assert loop(again, x, y, 3) == loop(optimizer, x, y, 3)
    assert torch.equal(other[0].weight, module[0].weight)


def test_a_scheduler_changes_the_step_size():
    module, x, y = made()
    optimizer = TorchOptimizer(module, ig.Poisson(), Adam(), lr=0.1)
    assert isinstance(optimizer, torch.optim.Optimizer) and isinstance(optimizer, TorchOptimizer)
    scheduler, sizes = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5), []
    for _ in range(3):
        sizes.append(optimizer.param_groups[0]["lr"])
        before = optimizer.model.network.weights() if optimizer.model else None
        loop(optimizer, x, y, 1)
        scheduler.step()
    assert sizes == [0.1, 0.05, 0.025]
    moved = (optimizer.model.network.weights() - before).abs().max()
    assert 0.0 < float(moved) <= 0.025 * 3           # Adam moves by no more than a few step sizes


@pytest.mark.parametrize("method", sorted(METHODS))
def test_it_goes_on_from_its_state(method):
    """Bit by bit, through a file that holds tensors and plain values alone."""
    module, x, y = made()
    optimizer = TorchOptimizer(module, ig.Poisson(), METHODS[method](), lr=0.5)
    loop(optimizer, x, y, 3)
    file, held = io.BytesIO(), {"module": module.state_dict(), "optimizer": optimizer.state_dict()}
    torch.save(held, file)
    after = loop(optimizer, x, y, 3)
    file.seek(0)
    held = torch.load(file, weights_only=True)
    again, _, _ = made()
    again.load_state_dict(held["module"])
    other = TorchOptimizer(again, ig.Poisson(), METHODS[method](), lr=0.1)
    other.load_state_dict(held["optimizer"])
    assert other.param_groups[0]["lr"] == 0.5 and loop(other, x, y, 3) == after


def test_the_state_of_another_optimizer_is_refused():
    module, x, y = made()
    optimizer = TorchOptimizer(module, ig.Poisson(), Adam())
    loop(optimizer, x, y, 1)
    held, wider = optimizer.state_dict(), nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1)).double()
    for other, text in ((TorchOptimizer(module, ig.Poisson(), KFAC()), "the same update, KFAC"),
                        (TorchOptimizer(wider, ig.Poisson(), Adam()), r"the same shapes of parameters, \[\[6, 4\]")):
        with pytest.raises(ValueError, match=text):
            other.load_state_dict(held)


class HalfUsed(nn.Module):
    def __init__(self, inside):
        super().__init__()
        self.inside, self.unused = inside, nn.Linear(2, 2)

    def forward(self, x):
        return self.inside(x)


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_parameters_without_a_gradient_stay(decay):
    """Unused ones, one frozen later on, and those that a step has no gradient of, as with optimisers of PyTorch."""
    inside, x, y = made()
    module, first = HalfUsed(inside).double(), inside[0]
    optimizer = TorchOptimizer(module, ig.Poisson(), weight_decay=decay)
    watched = first.weight, *module.unused.parameters(), first.bias
    loop(optimizer, x, y, 2)
    first.weight.requires_grad_(False)
    before = [p.clone() for p in watched]
    loop(optimizer, x, y, 2)
    stays = [torch.equal(p, q) for p, q in zip(before, watched)]
    assert stays == [True, True, True, False]


def test_other_parameters_to_train_are_told():
    module, x, y = made()
    module[0].requires_grad_(False)
    optimizer = TorchOptimizer(module, ig.Poisson())
    loop(optimizer, x, y, 1)
    module[0].requires_grad_(True)
    with pytest.raises(RuntimeError, match="0.weight has a gradient, and did not require one"):
        loop(optimizer, x, y, 1)


def test_a_loss_without_gradients_leaves_the_examples():
    module, x, y = made()
    optimizer, other = (TorchOptimizer(one, ig.Poisson(), METHODS["K-FAC"]()) for one in (module, made()[0]))
    for between in (False, True):
        chosen = other if between else optimizer
        chosen.loss(x, y).backward()
        if between:
            with torch.inference_mode():
                assert not chosen.loss(x[:3], y[:3]).requires_grad
        with torch.no_grad():
            chosen.step()
    assert torch.equal(optimizer.model.network.weights(), other.model.network.weights())


@pytest.mark.parametrize("scheduler", [
    lambda o: torch.optim.lr_scheduler.StepLR(o, 1, 0.5), lambda o: torch.optim.lr_scheduler.ReduceLROnPlateau(o, patience=0),
    lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 1.0, total_steps=5, cycle_momentum=False)], ids=["step", "plateau", "cycle"])
def test_schedulers_go_on_with_the_optimizer(scheduler):
    """Step sizes are those of torch.optim.SGD under the same scheduler, and both go on from their states."""
    def sizes(optimizer, follows, metrics):
        found = []
        for value in metrics:
            found.append(optimizer.param_groups[0]["lr"])
            if isinstance(optimizer, TorchOptimizer):
                loop(optimizer, x, y, 1)
            else:
                optimizer.step()
            follows.step(*([value] if isinstance(follows, torch.optim.lr_scheduler.ReduceLROnPlateau) else []))
        return found

    module, x, y = made()
    plain = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    expected = sizes(plain, scheduler(plain), [1.0, 2.0, 2.0, 3.0])
    first, second = TorchOptimizer(module, ig.Poisson()), TorchOptimizer(module, ig.Poisson())
    follows = scheduler(first)
    found = sizes(first, follows, [1.0, 2.0])
    held, goes_on = (first.state_dict(), follows.state_dict()), scheduler(second)
    second.load_state_dict(held[0])
    goes_on.load_state_dict(held[1])
    assert found + sizes(second, goes_on, [2.0, 3.0]) == expected and len(set(expected)) > 1


def test_a_network_says_what_is_done_with_unknown_functions():
    torch.manual_seed(0)
    module = Odd().double()
    x, y = torch.randn(20, 3, dtype=torch.float64), torch.arange(20) % 3
    with pytest.raises(ValueError, match="the parameter weight of the Bilinear 'bilinear' enters bilinear"):
        loop(TorchOptimizer(module, ig.Categorical(3)), x, y, 1)
    for size in (1, 7, 1024):
        network = TorchNetwork(module, (3,), others=ExactBlocks(size))
        values = loop(TorchOptimizer(network, ig.Categorical(3)), x, y, 4)
        assert values[-1] < values[0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_training_methods_take_modules(dtype):
    """Those that see examples, on mini-batches: the loss falls, in the dtype of the module."""
    module, x, y = made(64)
    module, x, y = module.to(dtype), x.to(dtype), y.to(dtype)
    model = ConditionalModel(TorchNetwork(module, (4,)), ig.Poisson())
    loss, w = model.objective((x, y)), model.network.weights()
    T = ig.training
    updates = [KFAC(), KFAC.published(ExactColumns()), T.EKFAC(), T.TONGA(), KFAC(factors=ig.curvature.UnitFactors),
               T.AdaptiveNatural(1.0, T.ConstantRate(0.1))]
    for update in updates:
        run = ig.descend(MiniBatches(loss, 32), w, update=update, step=ig.Constant(0.3), max_steps=6, rng=rng(), record=None)
        assert run.x.dtype == dtype and float(loss.value(run.x)) < float(loss.value(w)), update


def test_posterior_of_a_module_is_that_of_the_own_network():
    own = ig.networks.ConditionalModel(ig.networks.MLP((3, 4, 1)), ig.NormalKnownVariance(1.0))
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    theirs = ConditionalModel(TorchNetwork(module, (3,)), ig.NormalKnownVariance(1.0))
    w, x, y = rng().standard_normal(own.network.size), rng().standard_normal((12, 3)), rng().standard_normal(12)
    for curvature in (ig.curvature.fisher, ig.curvature.kfac, ig.curvature.ekfac, ig.curvature.diagonal_fisher):
        a = ig.training.LaplacePosterior(own, w, (x, y), curvature, prior_precision=1.0)
        b = ig.training.LaplacePosterior(theirs, torch.as_tensor(w), (torch.as_tensor(x), torch.as_tensor(y)), curvature,
                                         prior_precision=1.0)
        for p, q in zip(a.predict(x[:5]).moments(), b.predict(torch.as_tensor(x[:5])).moments()):
            np.testing.assert_allclose(q, p, rtol=1e-9)
