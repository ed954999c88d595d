"""Every family holds the laws of the public checks, and so does its dual manifold."""
import pytest

from infogeo.testing import check_dually_flat, check_exponential_family

from ..registry import CHECKED, MIXTURES

every_checked = pytest.mark.parametrize("family", CHECKED.values(), ids=CHECKED)


@every_checked
def test_the_family(family):
    assert len(check_exponential_family(family)) > 30


@pytest.mark.parametrize("mixture", MIXTURES.values(), ids=MIXTURES)
def test_mixtures(mixture):
    assert len(check_dually_flat(mixture)) > 20 and len(check_dually_flat(mixture.dual)) > 20


@every_checked
def test_its_dual(family):
    assert len(check_dually_flat(family.dual)) > 20
