"""Expectation–maximisation, for any model with latent variables: one engine."""
from abc import ABC, abstractmethod
from typing import Any, NamedTuple

from ..backend import Array, backend_of
from ..errors import require_count, require_tolerance, takes
from ..solvers.accelerated_bregman import AcceleratedBregman
from .em_steps import SQUAREM, steps_of

__all__ = ["EMResult", "LatentModel", "em", "require_parts"]


class LatentModel(ABC):
    """A model p(x, z; θ) of which x is seen: what `em` asks for.

    Mathematically, with the expected statistics s̄ = E[s | x; θ], the step is the maximum θ⁺ of the complete likelihood at s̄.
    Where the complete model is an exponential family, ∇A(θ⁺) = s̄ = ∇A(θ) − ∇L(θ), L the negative log-likelihood: mirror descent
    of step 1 on the complete family, natural gradient on its dual. In any case L(θ) − L(θ⁺) ≥ `divergence`.

    Parameters of a model are a tuple of arrays.

    Examples
    --------
    >>> M = ig.statistics.MixtureModel(ig.Poisson())  # one of them
    >>> start = np.log([[1.0], [5.0]]), [0.5, 0.5]
    >>> x, theta = M.prepared([0.0, 1.0, 5.0, 9.0], start)
    >>> value, shares = M.expect(x, theta)
    >>> new, _ = M.expect(x, M.maximise(x, shares))
    >>> float(value.round(4)), float(new.round(4))
    (-2.4267, -2.1993)
    """

    @abstractmethod
    def prepared(self, x: Any, start: Any) -> tuple[Any, Any]:
        """x and the start, checked. Raises DomainError, ShapeError."""

    @abstractmethod
    def expect(self, x: Array, theta: Any) -> tuple[Array, Any]:
        """``(log p(x; θ) / n, s̄)``: the first is what the steps raise, a number, in nats per observation."""

    @abstractmethod
    def maximise(self, x: Array, statistics: Any) -> Any:
        """θ⁺ from the expected statistics."""

    @abstractmethod
    def divergence(self, x: Array, statistics: Any, new: Any, old: Any) -> Array:
        """What the maximisation gains of E[log p(x, z; θ) | x] / n: KL(θ⁺‖θ) of the complete model at the expected numbers."""

    @abstractmethod
    def vector(self, theta: Any) -> Array:
        """θ as one vector of coordinates, in which means of points are points as far as may be: the natural parameters of the
        complete model where it is an exponential family."""

    @abstractmethod
    def from_vector(self, vector: Array, like: Any) -> Any:
        """The inverse of `vector`, of the shapes of `like`."""

    def moments(self, vector: Array, like: Any) -> Array:
        """∇A at these coordinates, the expectation parameters of the complete model: in them a mirror step is straight. Where it
        is no exponential family, the coordinates themselves."""
        return vector

    def from_moments(self, moments: Array, like: Any) -> Array:
        """The coordinates of these moments."""
        return moments


def require_parts(start: Any, *names: str) -> Any:
    """The parameters, if there are as many as names. Raises TypeError."""
    if not isinstance(start, (tuple, list)) or len(start) != len(names):
        got = f"{len(start)} things" if isinstance(start, (tuple, list)) else repr(start)
        raise TypeError(f"start must be a tuple ({', '.join(names)}); got {got}")
    return start


class EMResult(NamedTuple):
    """Where expectation–maximisation ended, and how it got there.

    Attributes
    ----------
    theta : tuple of arrays
        The parameters of the model.
    values : array, shape (steps + 1,)
        log p(x; θ) / n before the first step and after each, which never falls; nats.
    divergences : array, shape (steps,)
        The least by which theory lets the values rise, KL(θ⁺‖θ) of the complete model; 0 of steps with momentum.
    converged : bool
        Whether the last step raised the value by at most `tol`.

    Examples
    --------
    >>> x = [0.0, 1.0, 1.0, 2.0, 8.0, 9.0, 11.0]
    >>> M = ig.statistics.MixtureModel(ig.Poisson())
    >>> start = np.log([[1.0], [5.0]]), [0.5, 0.5]
    >>> found = ig.statistics.em(M, x, start, tol=1e-9, max_steps=99)
    >>> found.converged, bool((np.diff(found.values) > -1e-12).all())
    (True, True)
    """

    theta: Any
    values: Any
    divergences: Any
    converged: bool


@takes(model=LatentModel)
def em(model: LatentModel, x: Any, start: Any, *, tol: float, max_steps: int,
       acceleration: SQUAREM | AcceleratedBregman | None = None) -> EMResult:
    """A local maximum of the likelihood of a model with latent variables, by expectation–maximisation.

    Parameters
    ----------
    model : LatentModel
        `MixtureModel`, and in `infogeo.inference` `HiddenMarkov`, `FactorAnalysis`, `MissingNormal`, `Experts`,
        `LinearExperts`.
    x : array
        As the model says.
    start : tuple of arrays
        The parameters where to start, as the model says.
    tol : float
        Ends when a step raises the log-likelihood of an observation, in nats, by at most this.
    max_steps : int
    acceleration : SQUAREM or AcceleratedBregman, optional
        With the first, of every two steps a third one is tried; it is counted as one, and taken where it is no worse. The second
        makes mirror steps of size 1 with momentum, two expectations each; one that does not raise the likelihood is taken back
        for a plain one, from which the momentum starts anew.

    Raises
    ------
    DomainError, ShapeError, TypeError

    Source: Dempster, Laird & Rubin (1977); Kunstner, Kumar & Schmidt, Homeomorphic-invariance of EM (2021).

    Examples
    --------
    >>> x = [0.0, 1.0, 1.0, 2.0, 8.0, 9.0, 11.0]
    >>> M = ig.statistics.MixtureModel(ig.Poisson())
    >>> start = np.log([[1.0], [5.0]]), [0.5, 0.5]
    >>> found = ig.statistics.em(M, x, start, tol=1e-9, max_steps=99)
    >>> theta, weights = found.theta
    >>> np.exp(theta[:, 0]).round(2), weights.round(2)
    (array([1.  , 9.28]), array([0.57, 0.43]))
    """
    require_tolerance(tol)
    require_count("max_steps", max_steps, 0)
    if not isinstance(acceleration, (SQUAREM, AcceleratedBregman, type(None))):
        raise TypeError(f"acceleration must be SQUAREM() or AcceleratedBregman(gamma); got {acceleration!r}")
    x, theta = model.prepared(x, start)
    steps = steps_of(acceleration, model, x)
    at, divergences, converged = steps.at(theta), [], False
    values = [at.value]
    for _ in range(max_steps):
        at, divergence = steps.step(at, tol)
        values.append(at.value)
        divergences.append(divergence)
        converged = bool(at.value - values[-2] <= tol)
        if converged:
            break
    xp = backend_of(at.value)
    found = xp.stack(divergences) if divergences else xp.zeros((0,), dtype=at.value.dtype)
    return EMResult(at.theta, xp.stack(values), found, converged)
