"""A run of tensors that ask for derivatives is followed by autograd, as any function of theirs, and torch warns of nothing."""
import numpy as np
import pytest
import torch

import infogeo as ig

M = ig.Categorical(3)
X0, ETA = [[0.3, -0.2], [0.1, 0.6]], [0.2, 0.5]


def tensor(x, **how):
    return torch.tensor(x, dtype=torch.float64, **how)


def run(x0, eta, **how):
    how = {"step": 0.3, "max_steps": 4, "tol": 1e-12} | how
    return ig.descend(ig.CrossEntropy(M, eta), x0, geometry=M, update=ig.NaturalUpdate(), **how)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("x0", [X0, X0[0]], ids=["rows", "one"])
def test_derivatives_of_a_run(x0, backend):
    """Those of the values at the end, also of one row, of which a test looks at one number."""
    eta = tensor(ETA, requires_grad=True)
    run(tensor(x0), eta).values[-1].sum().backward()
    last = lambda eta: np.sum(run(np.array(x0), eta).values[-1])
    expected = [(last(np.array(ETA) + e) - last(np.array(ETA) - e)) / 2e-6 for e in 1e-6 * np.eye(2)]
    assert np.allclose(eta.grad, expected, rtol=1e-6)


@pytest.mark.parametrize("still", [torch.no_grad, torch.inference_mode], ids=["no_grad", "inference_mode"])
def test_nothing_is_followed(still, backend):
    """Where autograd is off, and where no tensor asks."""
    x0, eta = tensor(X0, requires_grad=True), tensor(ETA, requires_grad=True)
    with still():
        found = run(x0, eta, step=ig.Backtracking())
    for r in (found, run(x0.detach(), eta.detach())):
        assert not (r.x.requires_grad or r.path.requires_grad or r.values.requires_grad)


def test_data_that_ask_for_derivatives(backend):
    """∂f / ∂b of ½ |Ax − b|² and of the Poisson loss, whose numbers of smoothness are constants."""
    A, x = [[1.0, 0.5], [0.2, 1.0]], tensor([0.4, 0.3])
    torch.set_warn_always(True)                         # else torch warns once a process
    try:
        for made, slope in ((ig.LeastSquares, lambda b, p: b - p), (ig.PoissonLoss, lambda b, p: -torch.log(p))):
            a, b = tensor(A, requires_grad=True), tensor(ETA, requires_grad=True)
            made(a, b).value_and_gradient(x)[0].backward()
            assert torch.allclose(b.grad, slope(b, a @ x), rtol=1e-12)
    finally:
        torch.set_warn_always(False)


def test_transforms_of_what_looks_at_numbers_say_so(backend):
    """A constructor that looks at the data."""
    with pytest.raises(TypeError, match="goes through NumPy, which transforms of torch.func cannot follow"):
        torch.func.grad(lambda b: ig.LeastSquares(X0, b).value_and_gradient(tensor(X0[0]))[0])(tensor(ETA))


def test_vmap_says_that_rows_are_rows(backend):
    for f in (lambda x: run(x, tensor(ETA)).x, lambda eta: run(tensor(X0[0]), eta).x):
        with pytest.raises(TypeError, match="torch.func.vmap has not got row by row"):
            torch.func.vmap(f)(tensor([ETA, ETA]))
