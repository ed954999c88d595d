"""The public checks, which call one law after the other at fixed points: nothing is wrong with a family, its dual, mixtures."""
import pytest

from infogeo.testing import check_dually_flat, check_exponential_family

from ..registry import FAMILIES, MIXTURES


def test_a_family_and_its_dual():
    """One stands for all: the other files of this folder assert the same laws of every family (those that fail: test_testing)."""
    family = FAMILIES["Product"]
    assert len(check_exponential_family(family)) > 30 and len(check_dually_flat(family.dual)) > 20


@pytest.mark.parametrize("mixture", MIXTURES.values(), ids=MIXTURES)
def test_mixtures(mixture):
    """They are not on the list of the other files."""
    assert len(check_dually_flat(mixture)) > 20 and len(check_dually_flat(mixture.dual)) > 20
