"""Identities of games and decisions: softmax policies, multiplicative weights."""
from collections.abc import Iterator

import numpy as np

from ...backend import Array
from ...families.categorical import Categorical
from ...geometry.manifolds.manifold import DuallyFlat
from ...solvers.update import MirrorUpdate
from ..calculus import derivative
from ..law import Sides, at_least, equal
from .steps import probabilities, without_reference

__all__ = ["natural_policy_gradient_is_the_advantage", "regret_of_multiplicative_weights"]

STATES, DISCOUNT = 3, 0.9
GAMES, ROUNDS = 100, 60


def natural_policy_gradient_is_the_advantage(M: DuallyFlat, rng: np.random.Generator) -> Iterator[Sides]:
    """In a tabular Markov decision process with softmax policies F⁻¹∇J is the advantage A/(1 − γ), to a constant a state.

    Mathematically, ∇J, by differences, has for each state the Fisher metric d(s) G(θ_s), d the discounted visits: the step is
    π⁺ ∝ π e^{hA/(1 − γ)}.

    Source: Kakade, A natural policy gradient, NIPS (2001).
    """
    if not isinstance(M, Categorical):
        return
    P = rng.dirichlet(np.ones(STATES), (STATES, M.k))
    reward, theta, start = rng.random((STATES, M.k)), 0.5 * rng.standard_normal((STATES, M.dim)), np.full(STATES, 1 / STATES)

    def values(theta: Array) -> tuple[Array, Array]:
        policy = probabilities(M, M.to_eta(theta))
        moves = np.eye(STATES) - DISCOUNT * np.einsum("...sa,sat->...st", policy, P)
        return moves, np.linalg.solve(moves, np.sum(policy * reward, axis=-1)[..., None])[..., 0]

    def gain(u: Array) -> Array:
        return values(np.reshape(u, (*u.shape[:-1], STATES, M.dim)))[1] @ start

    slope = np.reshape(derivative(gain, np.ravel(theta), np.eye(theta.size)), theta.shape)
    moves, V = values(theta)
    visits = (1 - DISCOUNT) * np.linalg.solve(moves.T, start)
    Q = reward + DISCOUNT * P @ V
    natural = M.sharp(theta, slope) / visits[:, None]
    yield equal("F⁻¹∇J", natural, "(A(s, a) − A(s, reference))/(1 − γ)",        # Q, as V(s) cancels
                without_reference(M, Q) / (1 - DISCOUNT), 1e-7 * (1 + np.max(np.abs(natural))))


def regret_of_multiplicative_weights(M: DuallyFlat, h: float, rng: np.random.Generator) -> Iterator[Sides]:
    """Exponentiated gradient with losses in [0, 1] has a regret of at most log K/h + hT/8.

    Source: Cesa-Bianchi & Lugosi, Prediction, Learning, and Games (2006), theorem 2.2.
    """
    if not isinstance(M, Categorical):
        return
    losses = rng.random((ROUNDS, GAMES, M.k)) ** rng.uniform(0.2, 5.0, (GAMES, M.k))
    eta, paid = np.full((GAMES, M.dim), 1.0 / M.k), np.zeros(GAMES)
    for loss in losses:
        paid += np.sum(probabilities(M, eta) * loss, axis=-1)
        eta, _ = MirrorUpdate()(M.dual, eta, without_reference(M, loss), np.full(GAMES, h))
    regret = paid - np.min(np.sum(losses, axis=0), axis=-1)
    yield at_least("log K/h + hT/8", np.log(M.k) / h + h * ROUNDS / 8, "regret", regret, 1e-9)
