"""Csiszár's f-divergences, by sums and integrals. Points are primal coordinates of the exponential family that comes first."""
from collections.abc import Callable

from ...backend import Array, backend_of
from ...errors import takes
from ...objectives.jensen_shannon import jensen_shannon_terms
from ..manifolds.manifold import DuallyFlat
from .integration import Estimate, Integration, States
from .skew import require_members

__all__ = ["f_divergence", "jensen_shannon", "total_variation"]


@takes(DuallyFlat, over=Integration)
def f_divergence(M: DuallyFlat, theta_p: Array, theta_q: Array, k: Callable[[Array], Array],
                 over: Integration | None = None) -> Estimate:
    """The f-divergence D_f(p‖q) = ∫ q f(p/q) with an estimate of its error, shapes (...).

    Mathematically, E_m[k(u)] with m = (p + q)/2, u = log(p/q) and k(u) = 2 f(e^u) / (1 + e^u). A function of u keeps the digits
    of p near q, down to the smallest difference of θ if k itself does, and does not overflow for p far from q; a symmetric
    divergence has an even one. Some are

    - total variation |tanh(u/2)|, squared Hellinger 1 − 1/cosh(u/2), Le Cam's ½ ∫ (p − q)²/(p + q) tanh²(u/2)
    - Jensen–Shannon (u/2) tanh(u/2) − log cosh(u/2), Jeffreys 2u tanh(u/2), KL(p‖q) 2u / (1 + e^{−u})

    Parameters
    ----------
    M : ExponentialFamily
    theta_p, theta_q : array, shape (..., d)
        They broadcast.
    k : callable, array -> array
        Elementwise.
    over : Integration, optional
        How to integrate: `States`, `Quadrature`, `MonteCarlo`. The sum over all states of a family on finitely many integers, if
        it is not given.

    Returns
    -------
    Estimate
        ``(value, error)``, shapes (...).

    Raises
    ------
    DomainError
        For a law on the boundary of the family.
    TypeError
        Without `over`, for a family that is not one on finitely many integers.

    Source: Csiszár, Information-type measures of difference of probability distributions, Studia Sci. Math. Hungar. 2 (1967).

    Examples
    --------
    >>> M = ig.Binomial(3)
    >>> p, q = M.theta_from(probability=[0.5, 0.2])
    >>> D = ig.f_divergence(M, p, q, lambda u: 2 * u / (1 + np.exp(-u)))
    >>> float(D.value.round(4)), float(M.kl(p, q).round(4))
    (0.6694, 0.6694)
    """
    require_members(M, theta_p, theta_q)
    return (States.of(M) if over is None else over).mean(M, theta_p, theta_q, k)


@takes(DuallyFlat, over=Integration)
def jensen_shannon(M: DuallyFlat, theta_p: Array, theta_q: Array, over: Integration | None = None) -> Estimate:
    """The Jensen–Shannon divergence ½ KL(p‖m) + ½ KL(q‖m) with m = (p + q)/2, an `Estimate`, shapes (...), nats.

    Symmetric, at most log 2; its square root is a metric.

    Shapes: θ_p, θ_q (..., d); batches broadcast. `over` and what it raises as in `f_divergence`.
    Source: Lin, Divergence measures based on the Shannon entropy, IEEE Trans. Inf. Theory 37 (1991).

    Examples
    --------
    >>> M = ig.Bernoulli()
    >>> p, q = M.theta_from(probability=[1e-9, 1 - 1e-9])
    >>> float(ig.jensen_shannon(M, p, q).value.round(6))  # almost log 2
    0.693147
    """
    return f_divergence(M, theta_p, theta_q, jensen_shannon_terms, over)


@takes(DuallyFlat, over=Integration)
def total_variation(M: DuallyFlat, theta_p: Array, theta_q: Array, over: Integration | None = None) -> Estimate:
    """The total variation ½ ∫ |p − q|, symmetric, in [0, 1], an `Estimate`, shapes (...).

    Its integrand has kinks where p = q: `Quadrature` converges with the square of the step only, and its error shows it.

    Shapes: θ_p, θ_q (..., d); batches broadcast. `over` and what it raises as in `f_divergence`.

    Examples
    --------
    >>> M = ig.Bernoulli()
    >>> p, q = M.theta_from(probability=[0.5, 0.2])
    >>> float(ig.total_variation(M, p, q).value.round(12))
    0.3
    """
    return f_divergence(M, theta_p, theta_q, _total_variation, over)


def _total_variation(u: Array) -> Array:
    xp = backend_of(u)
    return xp.abs(xp.tanh(0.5 * u))
