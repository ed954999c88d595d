"""All identities, in their order; the numbers are those of the page of laws."""
from ..geometry_laws import three_points
from . import data, divergences, games, limits, steps
from .identity import Equality, Limit, Statement

__all__ = ["IDENTITIES"]

IDENTITIES: dict[str, Statement] = {identity.name: identity for identity in (
    Equality("P1", steps.prox_is_the_dual_step),
    Equality("P2", steps.mirror_descent_is_natural_gradient),
    Equality("P3", steps.mirror_descent_on_the_dual_is_natural_gradient),
    Equality("P4", steps.gradients_swap),
    Equality("P5", divergences.forward_divergence_is_solved_in_one_step),
    Equality("P6", divergences.reverse_divergence_is_solved_in_one_step),
    Equality("P7", divergences.hessians_of_divergences_are_the_metric),
    Limit("P7", limits.newton_near_the_target, order=2),
    Equality("P8", data.running_mean_is_mirror_descent, data.families),
    Equality("P9", steps.entropic_descent_is_multiplicative, steps.on_the_simplex),
    Limit("P10", limits.mirror_descent_near_the_flow, order=1),
    Limit("P10", limits.natural_gradient_near_the_flow, order=1),
    Equality("P11", limits.flow_is_one_curve),
    Equality("P11", steps.descent_in_affine_charts),
    Limit("P11", limits.steps_in_two_charts, order=2),
    Limit("P11", limits.corrected_steps_in_two_charts, order=3),
    Equality("P12", three_points),
    Equality("P12", steps.three_points_of_a_step),
    Equality("P13", divergences.relative_smoothness_of_the_forward_divergence),
    Equality("P14", data.em_is_mirror_descent, data.families),
    Equality("P15", data.online_natural_gradient_is_fisher_efficient, data.families),
    Equality("P16", data.recursive_least_squares_is_natural_gradient),
    Equality("P17", steps.maps_with_a_name, steps.named_maps),
    Equality("P18", data.natural_norm_of_the_score, data.families),
    Equality("P19", data.conjugate_posterior_in_one_step, data.families_with_priors),
    Equality("P20", games.natural_policy_gradient_is_the_advantage, steps.on_the_simplex),
    Equality("P21", games.regret_of_multiplicative_weights, steps.on_the_simplex),
    Equality("P22", divergences.energies_of_the_flat_geodesics),
    Limit("P23", limits.expansion_of_the_divergence, order=4),
    Limit("P23", limits.expansion_of_the_squared_distance, limits.with_a_distance, order=4),
)}
