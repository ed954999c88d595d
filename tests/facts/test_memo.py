"""What a loop remembers: one evaluation a point, by identity, and nobody can change it."""
import gc

import numpy as np
import pytest

import infogeo as ig
from infogeo.arrays.kept import kept
from infogeo.arrays.memo import once, standing
from infogeo.backend import backend_of, set_at

X = np.array([1.0, 2.0])


class Scaled:
    """c x, counted."""

    def __init__(self, c):
        self.c, self.asked = c, 0

    @once
    def times(self, x):
        self.asked += 1
        return self.c * x

    @once
    def both(self, x):
        self.asked += 1
        return self.c * x, float(self.c)

    @once
    def same(self, x):
        return x

    @once
    def name(self, x):
        self.asked += 1
        return f"{self.c}"


def test_once_while_a_loop_stands_on_the_very_array():
    two = Scaled(2.0)
    with standing() as stand:
        stand(X)
        assert two.times(X) is two.times(X) and two.name(X) is two.name(X) and two.asked == 2
        two.times(X.copy())                                     # equal, but another array
        assert two.asked == 3
        y = two.times(X)
        assert two.times(y) is two.times(y) and two.asked == 4  # what it returned is a point, too
        stand(X)
        two.times(X)
        assert two.asked == 5
    two.times(X), two.times(X)
    assert two.asked == 7


def test_objects_and_methods_are_kept_apart():
    two, three = Scaled(2.0), Scaled(3.0)
    with standing() as stand:
        stand(X)
        for _ in range(2):
            np.testing.assert_array_equal(two.times(X), 2 * X)
            np.testing.assert_array_equal(three.times(X), 3 * X)
            assert three.both(X)[1] == 3.0


def test_the_address_of_an_object_that_is_gone_is_nobody_elses():
    """An object made where another was would find its results: the memo holds the first one while it holds them."""
    with standing() as stand:
        stand(X)
        for c in range(100):
            gone = Scaled(float(c))
            np.testing.assert_array_equal(gone.times(X), c * X)
            del gone
            gc.collect(0)


def test_the_address_of_a_returned_array_is_nobody_elses():
    two = Scaled(2.0)
    with standing() as stand:
        stand(X)
        first = id(two.times(X))
        assert all(id(np.empty(2)) != first for _ in range(100))


def test_an_outer_loop_finds_its_point_again():
    two, inner = Scaled(2.0), np.ones(2)
    with standing() as outer:
        outer(X)
        y = two.times(X)
        with standing() as stand:
            stand(inner)
            two.times(inner)
            assert two.times(X) is not y
        assert two.times(X) is y


@pytest.mark.parametrize("of", [lambda two, x: two.times(x), lambda two, x: two.both(x)[0]], ids=["array", "tuple"])
def test_what_is_remembered_cannot_be_changed(of, backend):
    """On NumPy a write is refused; elsewhere every caller has an array of its own."""
    two, x = Scaled(2.0), backend.make(X)
    with standing() as stand:
        stand(x)
        found = of(two, x)
        try:
            found[0] = 100.0
        except (ValueError, TypeError):
            pass
        else:
            assert not isinstance(found, np.ndarray)
        np.testing.assert_array_equal(backend.to_numpy(of(two, x)), 2 * X)


def test_the_point_itself_stays_as_it_is():
    x = X.copy()
    with standing() as stand:
        stand(x)
        with pytest.raises(ValueError, match="read-only"):
            Scaled(1.0).same(x)[0] = 5.0
    x[0] = 5.0
    assert x[0] == 5.0


def test_an_objective_that_writes_into_what_it_asked_for_is_refused():
    """η = M.to_eta(θ); η −= η̂ would corrupt every later answer at this point of the run."""
    M = ig.Categorical(3)

    class Careless:
        def value_and_gradient(self, theta):
            eta = M.to_eta(theta)
            eta -= 0.3
            return M.potential(theta) - 0.3 * np.sum(theta, axis=-1), eta

    with pytest.raises(ValueError, match="read-only"):
        ig.descend(Careless(), np.array([0.5, 0.3]), geometry=M, update=ig.NaturalUpdate(), step=ig.Constant(0.1), max_steps=3)


def test_copies(backend):
    x = backend.make(X) if not isinstance(backend.make(X), np.ndarray) else X.copy()
    copy = kept(x)
    assert float(set_at(backend_of(x), x, 0, 7.0)[0]) == 7.0
    np.testing.assert_array_equal(backend.to_numpy(copy), X)
    assert not isinstance(copy, np.ndarray) or not copy.flags.writeable


def test_a_copy_has_the_memory_order_of_its_original():
    assert kept(np.asfortranarray(np.ones((2, 3)))).flags.f_contiguous
