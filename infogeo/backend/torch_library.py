"""PyTorch: its functions under the names of the array API, its special functions, its generators."""
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from math import sqrt
from types import SimpleNamespace
from typing import Any

import array_api_compat.torch as compat
import numpy as np
import torch

from .adapter import Generator
from .namespace import CREATION, SPECIAL, Array, Namespace, Untraceable, through_host

__all__ = ["TorchGenerator", "namespace_on"]

# Of float64 arrays the regularised gamma functions of torch 2.13 are right to 2e-9 only (3·10⁻⁹ at α = 22), SciPy's to 1e-14:
# they go through the host, as do those that torch lacks.
HOST = ("betainc", "betaincc", "betaincinv", "gammainc", "gammaincc", "gammainccinv", "gammaincinv")


def require_dense(x: Array) -> None:
    """Nothing, for a tensor whose numbers lie in a grid."""
    if x.layout is not torch.strided or x.is_quantized or x.is_nested:
        what, remedy = ("quantized", "x.dequantize()") if x.is_quantized else (
            ("nested", "torch.nested.to_padded_tensor(x, padding)") if x.is_nested else (x.layout, "x.to_dense()"))
        raise TypeError(f"dense tensors are needed; got one that is {what}: pass {remedy}")


def to_host(x: Array) -> np.ndarray:
    if isinstance(x, torch.Tensor):
        require_dense(x)
    if isinstance(x, torch.Tensor) and x.is_meta:
        raise Untraceable("a tensor on the device meta has a shape and no numbers: pass one on another device")
    if isinstance(x, torch.Tensor) and torch._C._functorch.is_functorch_wrapped_tensor(x):
        raise Untraceable("this goes through NumPy, which transforms of torch.func cannot follow: call it on tensors outside")
    if not isinstance(x, torch.Tensor):
        return np.asarray(x)
    x = x.detach().float() if x.dtype == torch.bfloat16 else x.detach()         # which NumPy has not
    host: np.ndarray = x.cpu().resolve_conj().resolve_neg().numpy()
    return host


def _asarray(device: Any) -> Callable[..., Array]:
    """`torch.asarray` on a device; arrays that torch takes with a warning, or not at all, are copied."""
    def asarray(x: Any, dtype: Any = None, device: Any = device, copy: bool | None = None) -> Array:
        if isinstance(x, np.ndarray) and not (x.flags.writeable and all(stride >= 0 for stride in x.strides)):
            x = x.copy()
        if isinstance(x, torch.Tensor) and x.requires_grad:     # of which `torch.asarray` warns
            moved = x.to(device=device, dtype=dtype)
            return moved.clone() if copy and moved is x else moved
        return torch.asarray(x, dtype=dtype, device=device, copy=copy)
    return asarray


def _tensors(f: Callable[..., Array], device: Any) -> Callable[..., Array]:
    """A special function that takes numbers, and tensors of several dtypes, as SciPy's do."""
    def of_tensors(*xs: Any) -> Array:
        dtypes = {x.dtype for x in xs if isinstance(x, torch.Tensor)}
        if len(dtypes) != 1 or not all(isinstance(x, torch.Tensor) for x in xs):
            dtype = compat.result_type(*dtypes) if dtypes else torch.float64
            dtype = dtype if dtype.is_floating_point else torch.float64
            xs = tuple(torch.as_tensor(x, dtype=dtype, device=device) for x in xs)
        return f(*xs)
    return of_tensors


def ndtr(x: Array) -> Array:
    """Φ(x) = ½ erfc(−x/√2): torch's own is 1 + erf, of which nothing is left in the lower tail from −8.3 on."""
    return 0.5 * torch.special.erfc(-sqrt(0.5) * x)


class _OnHost(torch.autograd.Function):       # type: ignore[misc]
    """A function of SciPy, elementwise; of the rows of `torch.func.vmap` it takes all at once."""

    @staticmethod
    def forward(f: Callable[..., Array], *xs: Array) -> Array:
        if any(isinstance(x, torch.Tensor) and x.is_meta for x in xs):          # which have no numbers
            return torch.empty(torch.broadcast_shapes(*(x.shape for x in xs)), dtype=xs[0].dtype, device="meta")
        return f(*xs)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Array) -> None:
        ctx.mark_non_differentiable(output)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], f: Callable[..., Array], *xs: Array) -> tuple[Array, int]:
        axes = max(x.ndim - (dim is not None) for x, dim in zip(xs, in_dims[1:]))
        rows = (x if dim is None else x.movedim(dim, 0)[(slice(None), *(None,) * (axes + 1 - x.ndim))]
                for x, dim in zip(xs, in_dims[1:]))
        return _OnHost.apply(f, *rows), 0


def _undifferentiated(name: str, f: Callable[..., Array]) -> Callable[..., Array]:
    """A function through the host, which refuses what torch would lose the derivative of."""
    def of_values(*xs: Any) -> Array:
        if torch.is_grad_enabled() and any(isinstance(x, torch.Tensor) and x.requires_grad for x in xs):
            raise TypeError(f"{name} goes through the host, where torch has no derivative of it: pass tensors that are detached")
        return _OnHost.apply(f, *xs)
    return of_values


def _solve(a: Array, b: Array) -> Array:
    """The array API's solve, b one vector or matrices; NaN of a singular one, where torch's raises, for which a GPU waits."""
    columns = b[:, None] if b.ndim == 1 else b
    columns = columns[(None,) * (a.ndim - columns.ndim)]           # of fewer axes, torch would take it for vectors
    found = _or_nan(*torch.linalg.solve_ex(a, columns))
    return found[..., 0] if b.ndim == 1 else found


def _or_nan(found: Array, info: Array) -> Array:
    # A copy less where nothing failed: a Cholesky factor of order 1001 in float32 takes 4.1 ms, and 4.8 with it
    if found.device.type == "cpu" and not torch._C._functorch.is_functorch_wrapped_tensor(info) and not info.any():
        return found
    return found.masked_fill((info != 0)[..., None, None], torch.nan)


def _linalg() -> Any:
    own = {"solve": _solve, "inv": lambda a: _or_nan(*torch.linalg.inv_ex(a)),
           "cholesky": lambda a, upper=False: _or_nan(*torch.linalg.cholesky_ex(a, upper=upper))}
    return SimpleNamespace(**vars(getattr(compat, "linalg")) | own)


def _sign(x: Array) -> Array:
    """NaN of NaN, where array_api_compat writes it into the result, which `torch.func.vmap` does not allow."""
    return torch.where(torch.isnan(x), x, torch.sign(x))


def _stack(arrays: Sequence[Array], axis: int = 0) -> Array:
    return torch.stack(tuple(arrays), dim=axis)


OWN = {"ndtr": ndtr}


def generator_on(device: Any, seed: Any = None) -> torch.Generator:
    rng = torch.Generator(device=device)
    if seed is None:
        rng.seed()
    else:
        rng.manual_seed(int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0] >> 1))
    return rng


def namespace_on(device: Any = None) -> Namespace:
    """The namespace of a device; of torch's default one where none is given."""
    return _namespace(torch.get_default_device() if device is None else device)


@lru_cache
def _namespace(device: Any) -> Namespace:
    asarray = _asarray(device)
    native = {key: _tensors(OWN.get(key) or getattr(torch.special, key), device) for key in SPECIAL if key not in HOST}
    host = through_host(HOST, to_host, asarray)
    creation = {key: partial(getattr(compat, key), device=device) for key in CREATION}
    functions: dict[str, Any] = native | creation
    functions |= {key: _undifferentiated(key, _tensors(f, device)) for key, f in host.items()}
    functions |= {"asarray": asarray, "require_dense": require_dense}
    functions |= {"stack": _stack, "to_host": to_host, "generator": partial(generator_on, device),
                  "linalg": _linalg(), "sign": _sign}
    return Namespace(compat, "torch", device, functions, HOST)


class TorchGenerator(Generator):
    """Draws from a `torch.Generator`, in float64, on its device; it goes on as its own draws make it."""

    def __init__(self, rng: torch.Generator) -> None:
        self.rng = rng
        self.new = {"dtype": torch.float64, "device": rng.device}

    def seed(self) -> int:
        return int(torch.randint(2**63 - 1, (), generator=self.rng, device=self.rng.device))

    def random(self, size: Any = ()) -> Array:
        return torch.rand(_shape(size), generator=self.rng, **self.new)

    def standard_normal(self, size: Any = ()) -> Array:
        return torch.randn(_shape(size), generator=self.rng, **self.new)

    def standard_gamma(self, shape: Array, size: Any = ()) -> Array:
        return torch._standard_gamma(self._wide(shape, size), generator=self.rng)

    def poisson(self, lam: Array, size: Any = ()) -> Array:
        rate = self._wide(lam, size)
        large = rate > 1e18                 # 9.2·10¹⁸ is the largest that torch counts
        drawn = torch.poisson(torch.where(large, 0.0, rate), generator=self.rng)
        if not bool(large.any()):
            return drawn
        return torch.where(large, torch.round(rate + torch.sqrt(rate) * self.standard_normal(rate.shape)), drawn)

    def _wide(self, parameter: Any, size: Any) -> Array:
        return torch.as_tensor(parameter, **self.new).detach().expand(_shape(size)).contiguous()


def _shape(size: Any) -> tuple[int, ...]:
    return tuple(size) if isinstance(size, Sequence) else (int(size),)
