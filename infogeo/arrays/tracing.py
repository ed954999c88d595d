"""Arrays without numbers yet, and derivatives that are known: what PyTorch and JAX ask of code beside its formulas.

Under `jax.jit`, `jax.grad` and `jax.vmap` an array stands for numbers that come later, and under `torch.func.vmap` for those of
every row: no branch can look at them. What a formula would decide by a look, it then decides element by element; a loop goes on
inside the library; an error that depends on numbers is NaN. Derivatives that geometry knows in closed form are told to the
library (`ruled`), so that no careful branch, series or iteration is ever differentiated.
"""
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from ..backend import NUMPY, Array, Namespace

__all__ = ["Factor", "Forward", "Native", "Operator", "Partial", "Slope", "Tensor", "accumulate", "by_rows", "compiled",
           "computed", "in_turn", "is_compiled", "is_differentiated", "is_lasting", "is_traced", "named", "needed", "only",
           "repeat", "ruled", "selects", "shortcut", "still", "surely"]


@lru_cache
def _tools(name: str) -> Any:
    """What a library has for this: a module, or None where it neither traces nor differentiates."""
    if "jax" in name:
        from . import under_jax
        return under_jax
    if "torch" in name:
        from . import under_torch
        return under_torch
    return None


def is_traced(xp: Namespace, *xs: Array) -> bool:
    """Whether one of these has no numbers of its own that a branch could look at."""
    tools = None if xp is NUMPY else _tools(xp.name)
    return tools is not None and any(map(tools.is_traced, xs))


def is_compiled(xp: Namespace, *xs: Array) -> bool:
    """Whether `torch.compile` makes a graph of what is done with one of these, and gives it the numbers later."""
    return xp.name == "torch" and bool(_tools(xp.name).are_compiled(xs))


def selects(xp: Namespace, *xs: Array) -> bool:
    """Whether formulas choose element by element with `where`: arrays that are traced, or that nobody can write to."""
    tools = None if xp is NUMPY else _tools(xp.name)
    return tools is not None and any(map(tools.selects, xs))


def is_differentiated(xp: Namespace, *xs: Array) -> bool:
    """Whether a derivative may be asked with respect to one of these."""
    tools = None if xp is NUMPY else _tools(xp.name)
    return tools is not None and any(map(tools.is_differentiated, xs))


def is_lasting(xp: Namespace, x: Array) -> bool:
    """Whether an array that was made just now is one for later calls, too: not while a program is traced."""
    tools = None if xp is NUMPY else _tools(xp.name)
    return tools is None or tools.is_lasting(x)


def surely(xp: Namespace, condition: Array) -> bool:
    """Whether a condition, shape (), is known to hold: not where it has no truth value yet."""
    tools = None if xp is NUMPY else _tools(xp.name)
    return bool(condition) if tools is None else tools.surely(condition)


def shortcut(xp: Namespace, short: Callable[..., Array], suffices: Callable[..., Array], whole: Callable[..., Array],
             *xs: Array) -> Array:
    """``whole(xp, *xs)``, by ``short(xp, *xs)`` where that is the same, as mostly it is and ``suffices(xp, found, *xs)`` says.

    Where that has no truth value yet, JAX looks at it when the program runs, and of small batches takes what is right everywhere.
    """
    if is_traced(xp, *xs) and hasattr(tools := _tools(xp.name), "shortcut"):
        return tools.shortcut(xp, short, suffices, whole, xs)
    found = short(xp, *xs)
    return found if surely(xp, suffices(xp, found, *xs)) else whole(xp, *xs)


def still(xp: Namespace, x: Array) -> Array:
    """The array as a constant: its derivative is 0."""
    tools = None if xp is NUMPY else _tools(xp.name)
    return x if tools is None else tools.still(x)


def repeat(xp: Namespace, going: Callable[..., Array], step: Callable[..., tuple[Array, ...]], state: tuple[Array, ...],
           most: int) -> tuple[Array, ...]:
    """The state after ``state = step(*state)`` while ``going(*state)``, shape (), at most so often.

    The arrays of the state keep their shapes and dtypes. No derivative goes through the loop: whoever wants one takes a step of
    Newton's method from its end.
    """
    tools = None if xp is NUMPY else _tools(xp.name)
    if tools is not None:
        return tools.repeat(going, step, state, most)       # type: ignore[no-any-return]
    for _ in range(most):
        if not going(*state):
            break
        state = step(*state)
    return state


def accumulate(xp: Namespace, going: Callable[..., Array], step: Callable[..., tuple[Array, ...]],
               state: tuple[Array, ...]) -> tuple[Array, ...]:
    """As `repeat`, as long as it goes on, and derivatives go through it: of JAX those that go forward (see `Forward`)."""
    tools = None if xp is NUMPY else _tools(xp.name)
    if tools is not None:
        return tools.accumulate(going, step, state)     # type: ignore[no-any-return]
    while going(*state):
        state = step(*state)
    return state


Parts = tuple[Array, ...]


def added(totals: Parts, parts: Parts) -> Parts:
    return tuple(total + part for total, part in zip(totals, parts))


def in_turn(xp: Namespace, count: Array, size: int, part: Callable[[Array], Parts], join: Callable[[Parts, Parts], Parts] = added,
            start: float = 0.0) -> Parts:
    """Σ ``part(k)`` over k = 0, `size`, 2 `size`, … below the largest count: where arrays are traced, and so nobody knows it yet.

    Derivatives go through it as through `accumulate`. `part` gives 0 for what is beyond the count of a row; where it is no sum,
    ``join(totals, parts)``, which begins with arrays of `start`.
    """
    kinds = _tools(xp.name).kinds(part, xp.asarray(0.0, dtype=count.dtype))
    first = (xp.full(shape, start, dtype=dtype) for shape, dtype in kinds)

    def further(k: Array, *totals: Array) -> Parts:
        return k + size, *join(totals, part(k))

    return accumulate(xp, lambda k, *totals: xp.any(k < count), further, (xp.asarray(0.0, dtype=count.dtype), *first))[1:]


def needed(xp: Namespace, mask: Array, f: Callable[..., Array], *xs: Array) -> Array:
    """``f(*xs)``, row by row, where the mask (...) is set, the first axes of the arrays; something else of its shape elsewhere.

    There `f` is given NaN: it has no part in a derivative, and an iteration in it ends at once. Of large batches JAX evaluates a
    dear formula for the rows that need it, one block after the other, and not at all where there are none.
    """
    return _tools(xp.name).needed(mask, f, lambda *xs: f(*only(xp, mask, *xs)), xs)


def by_rows(xp: Namespace, f: Callable[[Array], Array], x: Array) -> Array:
    """``f(x)``, an iteration whose rows, shape (..., d) to (..., d), know nothing of each other: of JAX a few rows at a time.

    So they wait for none but the last of their few, and the temporaries stay in the cache.
    """
    tools = None if xp is NUMPY else _tools(xp.name)
    return f(x) if tools is None else tools.by_rows(f, x)


def computed(xp: Namespace, *xs: Array) -> tuple[Array, ...]:
    """The arrays, dear ones that several formulas go on with: of a large batch XLA would evaluate them in every one anew."""
    tools = None if xp is NUMPY else _tools(xp.name)
    return xs if tools is None else tools.computed(xs)


def only(xp: Namespace, mask: Array, *xs: Array) -> list[Array]:
    """Arrays with NaN in the rows where the mask (...) is not set, of the shape of both."""
    return [xp.where(mask[(..., *(None,) * (x.ndim - mask.ndim))], x, xp.full_like(x, xp.nan)) for x in xs]


@contextmanager
def named(xp: Namespace, name: str) -> Iterator[None]:
    """Around a method that may look at numbers: a TypeError says so by its name where they are not there yet."""
    tools = _tools(xp.name)
    try:
        yield
    except () if tools is None else tools.UNTRACEABLE as error:
        if not tools.looks_at_numbers(error):
            raise
        raise TypeError(f"{name} looks at numbers, which {tools.WITHOUT}") from error


class Partial:
    """A derivative of one argument, 0: `push` takes a tangent of the argument to one of the result, `pull` a covector back."""

    def push(self, xp: Namespace, tangent: Array) -> Array:
        return 0.0

    def pull(self, xp: Namespace, covector: Array) -> Array:
        return None


class Factor(Partial):
    """Of numbers, elementwise: the derivative, a function () -> (...)."""

    def __init__(self, derivative: Callable[[], Array]) -> None:
        self.derivative = derivative

    def push(self, xp: Namespace, tangent: Array) -> Array:
        return self.derivative() * tangent

    def pull(self, xp: Namespace, covector: Array) -> Array:
        return covector * self.derivative()


class Slope(Partial):
    """Of numbers, shape (...): the gradient, a function () -> (..., d)."""

    def __init__(self, gradient: Callable[[], Array]) -> None:
        self.gradient = gradient

    def push(self, xp: Namespace, tangent: Array) -> Array:
        return xp.sum(self.gradient() * tangent, axis=-1)

    def pull(self, xp: Namespace, covector: Array) -> Array:
        return covector[..., None] * self.gradient()


class Operator(Partial):
    """Of vectors, shape (..., d): the Jacobian as a linear function of vectors, and its transpose where it is not symmetric."""

    def __init__(self, apply: Callable[[Array], Array], transposed: Callable[[Array], Array] | None = None) -> None:
        self.apply, self.transposed = apply, apply if transposed is None else transposed

    def push(self, xp: Namespace, tangent: Array) -> Array:
        return self.apply(tangent)

    def pull(self, xp: Namespace, covector: Array) -> Array:
        return self.transposed(covector)


class Tensor(Partial):
    """Of matrices, shape (..., d, d): a function () -> ∂_k G_ij, k last."""

    def __init__(self, derivative: Callable[[], Array]) -> None:
        self.derivative = derivative

    def push(self, xp: Namespace, tangent: Array) -> Array:
        return xp.matmul(self.derivative(), tangent[..., None, :, None])[..., 0]

    def pull(self, xp: Namespace, covector: Array) -> Array:
        return xp.sum(covector[..., None] * self.derivative(), axis=(-3, -2))


class Native(Partial):
    """That which the library finds of a function of this argument alone, at x."""

    def __init__(self, function: Callable[[Array], Array], x: Array) -> None:
        self.function, self.x = function, x

    def push(self, xp: Namespace, tangent: Array) -> Array:
        return _tools(xp.name).push(self.function, self.x, tangent)

    def pull(self, xp: Namespace, covector: Array) -> Array:
        return _tools(xp.name).pull(self.function, self.x, covector)


class Forward(Partial):
    """That which the library finds of a function, shapes (..., d) to (...), row by row, whose sums end where their terms do.

    JAX takes such derivatives forwards only, along one coordinate after the other.
    """

    def __init__(self, function: Callable[[Array], Array], x: Array) -> None:
        self.function, self.x = function, x

    def push(self, xp: Namespace, tangent: Array) -> Array:
        return xp.sum(_tools(xp.name).gradient(xp, self.function, self.x) * tangent, axis=-1)

    def pull(self, xp: Namespace, covector: Array) -> Array:
        return covector[..., None] * _tools(xp.name).gradient(xp, self.function, self.x)


def ruled(xp: Namespace, f: Callable[..., Array], rule: Callable[..., Sequence[Partial]], *xs: Array) -> Array:
    """``f(*xs)``, whose derivatives the library takes from ``rule(result, *xs)``, a `Partial` for every argument.

    What the rule itself evaluates may be ruled in turn, and so derivatives of any order have their closed forms.
    """
    tools = None if xp is NUMPY else _tools(xp.name)
    return f(*xs) if tools is None else tools.ruled(xp, f, rule, xs)


def compiled(xp: Namespace, key: Any, make: Callable[[], Callable[..., Any]], *xs: Any) -> Any:
    """``make()(*xs)`` as one program of the library, kept for the next call with this key, if that is not None.

    None where the library does not compile, or where the function looks at numbers: that is kept, too.
    """
    tools = None if xp is NUMPY else _tools(xp.name)
    return None if tools is None or not hasattr(tools, "compiled") else tools.compiled(key, make, xs)
