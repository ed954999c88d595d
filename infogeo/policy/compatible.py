"""Compatible function approximation: the weights of advantages in ∇log π, which are the natural gradient."""
from ..backend import Array, arrays, column
from ..curvature.damping import Damping
from ..curvature.fisher import empirical_fisher
from ..errors import ShapeError, require, require_positive, takes
from ..networks.model import ConditionalModel
from ..numerics.linalg import solve

__all__ = ["compatible_weights", "episodic_weights"]


@takes(policy=ConditionalModel, damping=Damping)
def compatible_weights(policy: ConditionalModel, w: Array, states: Array, actions: Array, advantages: Array,
                       damping: Damping) -> Array:
    """The least-squares weights of advantages in the features ∇log π(a | s; w), shape (size,): the natural policy gradient.

    Mathematically, (C + damping) w* = (1/n) Σ A_n ∇log π_n with C = (1/n) Σ ∇log π_n ∇log π_nᵀ.

    Parameters
    ----------
    w : array, shape (size,)
    states, actions : arrays, shapes (n, …)
    advantages : array, shape (n,)
    damping : Damping
        ``Tikhonov(c)`` is ridge regression; more weights than samples need one.

    Source: Sutton, McAllester, Singh & Mansour, Policy gradient methods for reinforcement learning with function approximation
    (2000); Kakade, A natural policy gradient (2002).

    Examples
    --------
    >>> network = ig.networks.MLP((1, 1), bias=False)
    >>> policy = ig.networks.ConditionalModel(network, ig.Bernoulli())
    >>> found = ig.policy.compatible_weights(policy, np.zeros(1),
    ...                                      [[1.0], [1.0]], [1, 0],
    ...                                      np.array([2.0, -2.0]),
    ...                                      ig.curvature.Undamped())
    >>> found                                       # A = ±2 = ±½ w
    array([4.])
    """
    loss = policy.objective((states, actions))
    xp, advantages = arrays(loss.x, advantages)[::2]
    if advantages.shape != (loss.x.shape[0],):
        raise ShapeError(f"advantages must have shape ({loss.x.shape[0]},), one a state; got {tuple(advantages.shape)}")
    require("advantages", "advantages finite", xp.isfinite(advantages), advantages)
    done = policy.record(w, loss.x)
    score = loss.statistic - policy.family.to_eta(done.theta)
    gradient = done.vjp(column(advantages) * score / done.n)
    found: Array = damping(empirical_fisher(policy, w, (loss.x, loss.y))).solve(gradient)
    return found


@takes(policy=ConditionalModel)
def episodic_weights(policy: ConditionalModel, w: Array, states: Array, actions: Array, returns: Array, ridge: float) -> Array:
    """The natural gradient by regression of whole episodes' returns on (Σ_t ∇log π, 1), shape (size,).

    It is the episodic natural actor–critic. Mathematically, the least of (1/E) Σ (R_e − b − w·g_e)² + ridge |w|² over w and b,
    g_e = Σ_t ∇log π(a_t | s_t): b is the baseline.

    Parameters
    ----------
    w : array, shape (size,)
    states, actions : arrays, shapes (E, T, …)
        Episodes of one length.
    returns : array, shape (E,)
    ridge : positive number

    Source: Peters & Schaal, Natural actor-critic (2008).

    Examples
    --------
    >>> network = ig.networks.MLP((1, 1), bias=False)
    >>> policy = ig.networks.ConditionalModel(network, ig.Bernoulli())
    >>> rng = np.random.default_rng(0)              # the return counts the ones
    >>> actions, states = rng.integers(0, 2, (200, 5)), np.ones((200, 5, 1))
    >>> returns = actions.sum(axis=1).astype(float)
    >>> ig.policy.episodic_weights(policy, np.zeros(1), states, actions,
    ...                            returns, ridge=1e-9).round(3)
    array([1.])
    """
    require_positive("ridge", ridge)
    xp, states, returns = arrays(states, returns)
    if states.ndim < 2 or returns.shape != states.shape[:1]:
        raise ShapeError("states must have shape (E, T, …) and returns shape (E,); got "
                         f"{tuple(states.shape)} and {tuple(returns.shape)}")
    episodes, length = states.shape[:2]
    actions = arrays(actions)[1]
    flat = [xp.reshape(x, (episodes * length, *x.shape[2:])) for x in (states, actions)]
    scores = -policy.per_example_gradients(w, (flat[0], flat[1]))
    g = xp.sum(xp.reshape(scores, (episodes, length, -1)), axis=1)
    g, returns = g - xp.mean(g, axis=0), returns - xp.mean(returns)            # the baseline
    # of E episodes and more weights, E equations are enough: (GᵀG + cI)⁻¹Gᵀ = Gᵀ(GGᵀ + cI)⁻¹
    few = episodes < g.shape[-1]
    gram = g @ g.T if few else g.T @ g
    gram = gram + episodes * ridge * xp.eye(gram.shape[0], dtype=g.dtype)
    return g.T @ solve(xp, gram, returns) if few else solve(xp, gram, g.T @ returns)
