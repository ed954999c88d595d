"""Checks of the identities by examples that Hypothesis draws, and of claims of the same form."""
from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import from_extra, require_count, require_own_dimension
from ...geometry.manifolds.manifold import DuallyFlat
from ..law import BrokenLaw
from ..strategies import objectives, thetas
from .catalogue import IDENTITIES
from .identity import POINTS, Equality, Statement
from .known import on_manifold

with from_extra("strategies and drawn checks need Hypothesis", "testing"):
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st

__all__ = ["check", "prox_is_the_dual_step", "mirror_descent_is_natural_gradient",
           "mirror_descent_on_the_dual_is_natural_gradient", "gradients_swap",
           "forward_divergence_is_solved_in_one_step", "reverse_divergence_is_solved_in_one_step",
           "hessians_of_divergences_are_the_metric", "newton_near_the_target", "running_mean_is_mirror_descent",
           "entropic_descent_is_multiplicative", "mirror_descent_near_the_flow", "natural_gradient_near_the_flow",
           "flow_is_one_curve", "descent_in_affine_charts", "steps_in_two_charts", "corrected_steps_in_two_charts",
           "three_points", "three_points_of_a_step", "relative_smoothness_of_the_forward_divergence",
           "em_is_mirror_descent", "online_natural_gradient_is_fisher_efficient",
           "recursive_least_squares_is_natural_gradient", "maps_with_a_name",
           "natural_norm_of_the_score", "conjugate_posterior_in_one_step",
           "natural_policy_gradient_is_the_advantage", "regret_of_multiplicative_weights",
           "energies_of_the_flat_geodesics", "expansion_of_the_divergence", "expansion_of_the_squared_distance"]

SIZES = (0.05, 0.1, 0.2)        # of steps; lengths in the metric where a step is longer

Check = Callable[..., None]


def check(claim: Any, M: DuallyFlat, objective: Any = None, *, max_examples: int = 20) -> None:
    """Check an identity, or a claim of your own, at points and step sizes that are drawn.

    Parameters
    ----------
    claim : Statement or function
        A function ``claim(M, …)`` of whichever of these it names: the objective `f`; points `theta`, `p`, `q`, `r` of the bulk of
        the domain, shape (dim,); a size `h` of a step; a generator `rng`. It yields a `testing.Sides` for each comparison.
    M : DuallyFlat
        On NumPy arrays.
    objective : Objective, object with ``value_and_gradient``, or function to this pair, optional
        Of the primal coordinates of M, one function without a batch; divergences and wavy functions where none is given.
    max_examples : int

    Raises
    ------
    BrokenLaw
        With the simplest example found, or where the claim compared nothing.

    Examples
    --------
    >>> from infogeo.testing import BrokenLaw, equivalences
    >>> from infogeo.testing.law import equal
    >>> def symmetric(M, p, q):
    ...     'KL(p‖q) = KL(q‖p).'
    ...     yield equal("KL(p‖q)", M.kl(p, q), "KL(q‖p)", M.kl(q, p), 1e-9)
    >>> equivalences.check(symmetric, ig.NormalKnownVariance(1.0))  # true
    >>> try:
    ...     equivalences.check(symmetric, ig.Exponential())
    ... except BrokenLaw as broken:
    ...     print(broken.law)
    symmetric
    """
    if not isinstance(M, DuallyFlat):
        raise TypeError(f"check takes a DuallyFlat manifold; got {M!r}")
    require_own_dimension("identities are stated", M)
    require_count("max_examples", max_examples)
    identity = claim if isinstance(claim, Statement) else Equality("", claim)
    f = None if objective is None else on_manifold(M, objective)
    manifolds = identity.manifolds(M)
    if not manifolds:
        raise BrokenLaw(f"the law \"{identity.name}\" does not apply to {M!r}", identity.name)
    for N in manifolds:
        _check(identity, N, f if N is M else None, max_examples)


def _check(identity: Statement, M: DuallyFlat, f: Any, max_examples: int) -> None:
    compared = []

    @settings(max_examples=max_examples, deadline=None, derandomize=True, database=None, report_multiple_bugs=False,
              print_blob=False, phases=(Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck))
    @given(drawn=st.fixed_dictionaries({name: _strategy(name, M, f) for name in identity.needs}))
    def holds(drawn: dict[str, Any]) -> None:
        for sides in identity.sides(M, **_anew(drawn)):
            compared.append(1)
            if sides.wrong.any():
                points = tuple(x for name, x in drawn.items() if name in POINTS)
                raise BrokenLaw(f"{M!r} breaks the law \"{identity.name}\": {identity.statement}\n"
                                f"At the simplest example found,\n{_shown(drawn)}\n{sides}", identity.name, points)

    try:
        holds()
    except BrokenLaw as broken:         # without the notes of Hypothesis, which say the same in other words
        raise BrokenLaw(str(broken), broken.law, broken.points) from None
    if not compared:
        raise BrokenLaw(f"the law \"{identity.name}\" does not apply to {M!r}", identity.name)


def _anew(drawn: dict[str, Any]) -> dict[str, Any]:
    """With a generator in the place of its seed."""
    return drawn | ({"rng": np.random.default_rng(drawn["rng"])} if "rng" in drawn else {})


def _shown(drawn: dict[str, Any]) -> str:
    lines = {name: x.tolist() if isinstance(x, np.ndarray) else repr(x) for name, x in drawn.items()}
    return "\n".join(f"    {name} = {text}" for name, text in lines.items())


def _strategy(name: str, M: DuallyFlat, f: Any) -> st.SearchStrategy[Any]:
    if name in POINTS:
        return thetas(M, (), "bulk")
    if name == "f":
        return objectives(M) if f is None else st.just(f)
    if name == "h":
        return st.sampled_from(SIZES)
    if name == "rng":
        return st.integers(0, 2**16)
    raise TypeError(f"a claim takes f, theta, p, q, r, h and rng beside the manifold; got {name!r}")


def _check_of(name: str) -> Check:
    """The check of one identity."""
    identity = IDENTITIES[name]

    def checked(M: DuallyFlat, objective: Any = None, *, max_examples: int = 20) -> None:
        check(identity, M, objective, max_examples=max_examples)

    checked.__name__ = checked.__qualname__ = name.replace(" ", "_")
    checked.__doc__ = f"""{identity.number}: {identity.statement}

    Arguments and errors are those of `check`.

    Examples
    --------
    >>> from infogeo.testing import equivalences
    >>> equivalences.{checked.__name__}(
    ...     ig.Exponential(), max_examples=2)       # an error, were it wrong
    """
    return checked


prox_is_the_dual_step = _check_of("prox is the dual step")
mirror_descent_is_natural_gradient = _check_of("mirror descent is natural gradient")
mirror_descent_on_the_dual_is_natural_gradient = _check_of("mirror descent on the dual is natural gradient")
gradients_swap = _check_of("gradients swap")
forward_divergence_is_solved_in_one_step = _check_of("forward divergence is solved in one step")
reverse_divergence_is_solved_in_one_step = _check_of("reverse divergence is solved in one step")
hessians_of_divergences_are_the_metric = _check_of("hessians of divergences are the metric")
newton_near_the_target = _check_of("newton near the target")
running_mean_is_mirror_descent = _check_of("running mean is mirror descent")
entropic_descent_is_multiplicative = _check_of("entropic descent is multiplicative")
mirror_descent_near_the_flow = _check_of("mirror descent near the flow")
natural_gradient_near_the_flow = _check_of("natural gradient near the flow")
flow_is_one_curve = _check_of("flow is one curve")
descent_in_affine_charts = _check_of("descent in affine charts")
steps_in_two_charts = _check_of("steps in two charts")
corrected_steps_in_two_charts = _check_of("corrected steps in two charts")
three_points = _check_of("three points")
three_points_of_a_step = _check_of("three points of a step")
relative_smoothness_of_the_forward_divergence = _check_of("relative smoothness of the forward divergence")
em_is_mirror_descent = _check_of("em is mirror descent")
online_natural_gradient_is_fisher_efficient = _check_of("online natural gradient is fisher efficient")
recursive_least_squares_is_natural_gradient = _check_of("recursive least squares is natural gradient")
maps_with_a_name = _check_of("maps with a name")
natural_norm_of_the_score = _check_of("natural norm of the score")
conjugate_posterior_in_one_step = _check_of("conjugate posterior in one step")
natural_policy_gradient_is_the_advantage = _check_of("natural policy gradient is the advantage")
regret_of_multiplicative_weights = _check_of("regret of multiplicative weights")
energies_of_the_flat_geodesics = _check_of("energies of the flat geodesics")
expansion_of_the_divergence = _check_of("expansion of the divergence")
expansion_of_the_squared_distance = _check_of("expansion of the squared distance")
