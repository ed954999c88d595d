# checks of the identities
from .checks import (
    check as check,
    prox_is_the_dual_step as prox_is_the_dual_step,
    mirror_descent_is_natural_gradient as mirror_descent_is_natural_gradient,
    mirror_descent_on_the_dual_is_natural_gradient as mirror_descent_on_the_dual_is_natural_gradient,
    gradients_swap as gradients_swap,
    forward_divergence_is_solved_in_one_step as forward_divergence_is_solved_in_one_step,
    reverse_divergence_is_solved_in_one_step as reverse_divergence_is_solved_in_one_step,
    hessians_of_divergences_are_the_metric as hessians_of_divergences_are_the_metric,
    newton_near_the_target as newton_near_the_target,
    running_mean_is_mirror_descent as running_mean_is_mirror_descent,
    entropic_descent_is_multiplicative as entropic_descent_is_multiplicative,
    mirror_descent_near_the_flow as mirror_descent_near_the_flow,
    natural_gradient_near_the_flow as natural_gradient_near_the_flow,
    flow_is_one_curve as flow_is_one_curve,
    descent_in_affine_charts as descent_in_affine_charts,
    steps_in_two_charts as steps_in_two_charts,
    corrected_steps_in_two_charts as corrected_steps_in_two_charts,
    three_points as three_points,
    three_points_of_a_step as three_points_of_a_step,
    relative_smoothness_of_the_forward_divergence as relative_smoothness_of_the_forward_divergence,
    em_is_mirror_descent as em_is_mirror_descent,
    online_natural_gradient_is_fisher_efficient as online_natural_gradient_is_fisher_efficient,
    recursive_least_squares_is_natural_gradient as recursive_least_squares_is_natural_gradient,
    maps_with_a_name as maps_with_a_name,
    natural_norm_of_the_score as natural_norm_of_the_score,
    conjugate_posterior_in_one_step as conjugate_posterior_in_one_step,
    natural_policy_gradient_is_the_advantage as natural_policy_gradient_is_the_advantage,
    regret_of_multiplicative_weights as regret_of_multiplicative_weights,
    energies_of_the_flat_geodesics as energies_of_the_flat_geodesics,
    expansion_of_the_divergence as expansion_of_the_divergence,
    expansion_of_the_squared_distance as expansion_of_the_squared_distance,
)

# the identities themselves
from .catalogue import IDENTITIES as IDENTITIES
from .identity import Equality as Equality, Statement as Statement, Limit as Limit
