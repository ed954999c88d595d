"""Derivatives by the library that the tests run on, as NumPy arrays."""
from ..backends import CHOSEN

if CHOSEN == "torch":
    import torch

    def pulled(backend, f, covector, *xs):
        """The gradients of Σ covector · f(x) in every x; of results that depend on nothing, 0."""
        xs = [backend.make(x).requires_grad_() for x in xs]
        y = f(*xs)
        if not y.requires_grad:
            return [0.0 * backend.to_numpy(x) for x in xs]
        found = torch.autograd.grad(y, xs, backend.make(covector), materialize_grads=True)
        return [backend.to_numpy(g) for g in found]

    def hessian(backend, f, x):
        """By two passes of autograd, backward through backward."""
        return backend.to_numpy(torch.autograd.functional.hessian(f, backend.make(x)))

    def traced_jacobian(backend, f, x):
        """Forwards and backwards, which agree, of every row."""
        x = backend.make(x)
        back, forth = (torch.func.vmap(jac(f))(x) for jac in (torch.func.jacrev, torch.func.jacfwd))
        assert torch.allclose(back, forth, rtol=1e-9, atol=1e-12)
        return backend.to_numpy(back)
else:
    import jax

    jax.config.update("jax_disable_most_optimizations", True)       # of what is run once, most of the time goes there

    def pulled(backend, f, covector, *xs):
        """The gradients of Σ covector · f(x) in every x."""
        covector = backend.make(covector)
        gradients = jax.jit(jax.grad(lambda *xs: (covector * f(*xs)).sum(), argnums=tuple(range(len(xs)))))
        return [backend.to_numpy(g) for g in gradients(*map(backend.make, xs))]

    def hessian(backend, f, x):
        """Forward through backward, compiled."""
        return backend.to_numpy(jax.jit(jax.hessian(f))(backend.make(x)))

    def traced_jacobian(backend, f, x):
        return backend.to_numpy(jax.jit(jax.vmap(jax.jacrev(f)))(backend.make(x)))
