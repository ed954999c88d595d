"""`torch.compile` of the geometry, without a break of the graph: eager's values and gradients."""
import logging

import numpy as np
import pytest
import torch
from torch._dynamo.utils import counters

import infogeo as ig

from ..registry import FAMILIES, MIRROR_MAPS, arguments

ALL = FAMILIES | MIRROR_MAPS
FORMULAS = {"to_eta": ("theta",), "to_theta": ("eta",), "sharp": ("theta", "covector"), "divergence": ("theta", "theta"),
            "potential": ("theta",), "kl": ("theta", "theta"), "entropy": ("theta",), "log_density": ("theta", "x")}
# A formula of every way to come into a graph: one that is traced, one that is called, one of which the rule has a sum in a loop
FEW = {"Categorical(3)": ["kl"], "Normal": ["potential", "sharp"], "Gamma": ["to_theta", "log_density"],
       "Poisson": ["entropy"], "MultivariateNormal(2)": ["to_theta"], "PNorm(3, 1.5)": ["to_theta"]}


@pytest.fixture(autouse=True)
def untold(monkeypatch):
    """What torch.compile tells in its log of every step, pytest would keep: half of the time of these tests."""
    monkeypatch.setattr(logging.getLogger("torch.__trace"), "propagate", False)


def tensor(*x):
    return torch.tensor(x, dtype=torch.float64)


def compiled(f, backend="aot_eager"):
    torch._dynamo.reset()
    counters.clear()
    return torch.compile(f, fullgraph=True, backend=backend)


def same(f, xs, live, backend="aot_eager"):
    """Whether f of these tensors, and its gradient with respect to those that are live, is eager's, and how large both are."""
    def both(f):
        given = [x.clone().requires_grad_() if moves else x for x, moves in zip(xs, live)]
        y = f(*given)
        return y.detach(), *torch.autograd.grad(torch.sum(y * torch.cos(y.detach())), [x for x in given if x.requires_grad])

    found, expected = both(compiled(f, backend)), both(f)
    assert counters["stats"]["unique_graphs"] == 1
    return all(bool(torch.all(torch.abs(a - b) <= 1e-10 * (1.0 + torch.max(torch.abs(b))))) for a, b in zip(found, expected))


def check(M, names, backend):
    rng = np.random.default_rng(31)
    for name in names:
        kinds = FORMULAS[name]
        xs = [torch.asarray(np.asarray(x)) for x in arguments(M, kinds, rng, (3,), 0.5)]
        assert same(getattr(M, name), xs, [kind != "x" for kind in kinds], backend), name


@pytest.mark.parametrize("name", FEW)
def test_compiled_is_eager(name):
    check(ALL[name], FEW[name], "aot_eager")


def test_every_formula_is_compiled(thorough):
    """Of one manifold of every class: what is read by torch.compile, and traced, and what its operations then do."""
    first = {type(M): name for name, M in reversed(ALL.items())}
    for name in first.values() if thorough else ["Exponential"]:
        check(ALL[name], ["to_eta", "to_theta", "sharp", "divergence"], "eager")


def test_divergences_and_distribution_functions():
    """Functions that look at numbers, have no rule, and are differentiated when the graph is evaluated."""
    M, p, q = ig.Gamma(), tensor([1.3, -1.5], [2.0, -0.4]), tensor([1.0, -2.0])
    for f in (lambda p, q: ig.alpha_divergence(M, p, q, 0.3), lambda p, q: M.cdf(p, q[..., 0]) + M.quantile(p, 0.3),
              lambda p, q: ig.e_geodesic(M, p, q, 0.4), lambda p, q: ig.chernoff_information(M, p, q).value):
        assert same(f, [p, q], [True, True])


def test_a_method_that_waits_inside_another_one(caplog):
    """It is a call of the graph by itself: torch tells of no error."""
    M, p, q = ig.Categorical(3), tensor([0.3, -0.5]), tensor([1.0, -2.0])
    assert same(lambda p, q: ig.alpha_divergence(M, p, q, 0.3), [p, q], [True, True])
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_one_graph_of_every_size():
    """Batches of other lengths: one more graph, for all of them; another manifold is never taken for the last one."""
    f = compiled(lambda M, p, q: M.kl(p, q) + ig.hellinger(M, p, q), "eager")
    M = ig.Binomial(30)
    for n in (3, 5, 8, 13):
        p = torch.linspace(0.5, 2.0, n, dtype=torch.float64)[:, None]
        assert torch.allclose(f(M, p, 1.1 * p), M.kl(p, 1.1 * p) + ig.hellinger(M, p, 1.1 * p), rtol=1e-13)
    assert counters["stats"]["unique_graphs"] == 2
    M = ig.Binomial(3)
    assert torch.allclose(f(M, p, 1.1 * p), M.kl(p, 1.1 * p) + ig.hellinger(M, p, 1.1 * p), rtol=1e-13)


def test_results_of_several_parts():
    M, p = ig.Gamma(), tensor([1.3, -1.5], [1.0, 2.0])
    found = compiled(M.parameters)(p)
    assert list(found) == ["shape", "rate"] and torch.allclose(found["rate"], tensor(1.5, torch.nan), equal_nan=True)
    value, eta = compiled(lambda p: M.potential_and_eta(p))(p)
    assert torch.isnan(value[1]) and torch.equal(eta[0], M.to_eta(p)[0])        # outside NaN, as everywhere
    made = compiled(lambda shape: M.theta_from(shape=shape, rate=1.0))(tensor(2.0, -3.0))
    assert made[0].tolist() == [2.0, -1.0] and torch.all(torch.isnan(made[1]))


def test_transforms_inside():
    """`torch.func` inside what is compiled: rows, and derivatives of an inversion by its rule."""
    M, p = ig.Gamma(), tensor([1.3, -1.5], [2.0, -0.4])
    for f, x in ((torch.func.vmap(M.kl), (p, 1.2 * p)), (torch.func.jacrev(M.to_theta), (M.to_eta(p[0]),))):
        assert torch.allclose(compiled(f)(*x), f(*x), rtol=1e-12)


def test_inside_a_run():
    """A loop stands on its points, and compiles nothing anew at the next one."""
    M, target = ig.Categorical(3), tensor(0.3, 0.2)
    slope = compiled(lambda x: M.sharp(x, M.to_eta(x) - target))

    class Objective:
        def value_and_gradient(self, x):
            return M.potential(x) - x @ target, M.flat(x, slope(x))

    run = ig.descend(Objective(), tensor([1.0, -1.0]), geometry=M, update=ig.NaturalUpdate(), step=0.5, max_steps=60)
    assert torch.allclose(M.to_eta(run.x), target) and counters["stats"]["unique_graphs"] == 1


def test_what_cannot_says_so():
    M, p = ig.Gamma(), tensor([1.3, -1.5])
    with pytest.raises(Exception, match=r"Gamma\(\).geodesic looks at numbers, which .* tensors of torch.compile"):
        compiled(lambda p: M.geodesic(p, 1.1 * p, 0.5))(p)
    with pytest.raises(Exception, match=r"Gamma\(\).to_theta looks at numbers, which rows of torch.func.vmap"):
        compiled(torch.func.vmap(M.to_theta))(M.to_eta(p))
    with pytest.raises(Exception, match=r"Gamma\(\) takes arrays of shape"):
        compiled(lambda p: M.potential(p))(tensor(1.0, 2.0, 3.0))
