"""The checks of the identities that draw examples: what is true passes, what is false is caught, and how it is said."""
from inspect import signature

import numpy as np
import pytest

import infogeo as ig
from infogeo.testing import BrokenLaw, equivalences
from infogeo.testing.law import equal

M = ig.Normal()


@pytest.mark.parametrize("name", equivalences.IDENTITIES)
def test_every_check(name):
    """Of its own name; and two examples of it hold."""
    check = getattr(equivalences, name.replace(" ", "_"))
    assert name.replace(" ", "_") in equivalences.__all__ and check.__name__ == name.replace(" ", "_")
    assert list(signature(check).parameters) == ["M", "objective", "max_examples"]
    assert check.__doc__.startswith(equivalences.IDENTITIES[name].number + ": ")
    check(M, max_examples=2)


def steps_in_theta(M, f, theta, h):
    covector = f.value_and_gradient(theta)[1]
    return [update(M, theta, covector, h)[0] for update in (ig.MirrorUpdate(), ig.NaturalUpdate())]


def same_in_theta(M, f, theta, h):
    """Mirror descent and natural gradient in θ take the same step."""
    mirror, natural = steps_in_theta(M, f, theta, h)
    yield equal("θ⁺ of mirror descent", mirror, "θ⁺ of natural gradient", natural, 1e-9)


def apart_in_theta(M, f, theta, h):
    """Mirror descent and natural gradient in θ are apart by O(h^k) after a step."""
    mirror, natural = steps_in_theta(M, f, theta, h)
    return M.norm(theta, mirror - natural), 1e-14


def test_a_false_claim_is_caught_at_a_simple_point():
    with pytest.raises(BrokenLaw, match="Mirror descent and natural gradient in θ take the same step") as caught:
        equivalences.check(same_in_theta, M)
    assert caught.value.law == "same in theta" and "h = 0.05" in str(caught.value)
    assert np.array_equal(caught.value.points[0], M.theta_domain.interior_point)
    equivalences.check(same_in_theta, ig.Euclidean(2))      # where it is true


def test_the_order_of_a_distance():
    """It is of second order: so of first, too, and not of third."""
    for order in (1, 2):
        equivalences.check(equivalences.Limit("", apart_in_theta, order=order), M)
    with pytest.raises(BrokenLaw, match=r"d\(h/8\)"):
        equivalences.check(equivalences.Limit("", apart_in_theta, order=3), M)


class Slip(ig.Objective):
    """Its second derivative is 10 % short."""

    def value_and_gradient(self, x):
        return np.sum(np.exp(x), axis=-1), np.exp(x) * [1.0, 0.9]


class First:
    """x_1, of no class of the library."""

    def value_and_gradient(self, x):
        return x[..., 0], 0 * x + [1.0, 0.0]


class WrongInverse(ig.Normal):
    """to_theta is off by one part in a million."""

    def to_theta(self, eta):
        return super().to_theta(eta) * (1 + 1e-6)


class WrongTensor(ig.Normal):
    def cubic_tensor(self, theta):
        return 1.1 * super().cubic_tensor(theta)


@pytest.mark.parametrize("check, M, objective", [
    (equivalences.gradients_swap, M, Slip()),
    (equivalences.mirror_descent_is_natural_gradient, WrongInverse(), None),
    (equivalences.forward_divergence_is_solved_in_one_step, WrongInverse(), None),
    (equivalences.steps_in_two_charts, WrongInverse(), None),
    (equivalences.corrected_steps_in_two_charts, WrongTensor(), None),
    (equivalences.expansion_of_the_divergence, WrongTensor(), None),
], ids=lambda x: getattr(x, "__name__", type(x).__name__))
def test_a_slip_is_caught(check, M, objective):
    with pytest.raises(BrokenLaw, match="At the simplest example found"):
        check(M, objective)


def test_an_objective_of_ones_own():
    """A function to a pair, and an object without a manifold; of other things the checks say what they take."""
    for f in (lambda x: (np.sum(x * x, axis=-1), 2 * x)), First():
        equivalences.mirror_descent_is_natural_gradient(M, f, max_examples=3)
        equivalences.descent_in_affine_charts(M, f, max_examples=3)
    with pytest.raises(TypeError, match="value_and_gradient"):
        equivalences.gradients_swap(M, 3)
    with pytest.raises(TypeError, match="DuallyFlat"):
        equivalences.gradients_swap(ig.Normal)
    with pytest.raises(ig.DomainError, match="max_examples"):
        equivalences.gradients_swap(M, max_examples=0)
    with pytest.raises(TypeError, match="a claim takes"):
        equivalences.check(lambda M, point: iter(()), M)


def test_what_says_nothing_does_not_pass():
    with pytest.raises(BrokenLaw, match="does not apply to Burg"):
        equivalences.running_mean_is_mirror_descent(ig.Burg(2))
    with pytest.raises(BrokenLaw, match="does not apply"):
        equivalences.check(lambda M, theta: iter(()), M)
