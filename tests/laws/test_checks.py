"""The public checks, which call one law after the other at fixed points, find nothing wrong with families, duals and mixtures."""
import pytest

from infogeo.testing import check_dually_flat, check_exponential_family

from ..registry import FAMILIES, MIXTURES

SHOWN = {name: FAMILIES[name] for name in ("Categorical(3)", "Normal", "Dirichlet(3)", "Wishart(2)", "Product",
                                           "Truncated(Poisson, 0)", "Truncated(Exponential, 0, 2)")}
every_checked = pytest.mark.parametrize("family", SHOWN.values(), ids=SHOWN)


@every_checked
def test_the_family(family):
    assert len(check_exponential_family(family)) > 30


@pytest.mark.parametrize("mixture", MIXTURES.values(), ids=MIXTURES)
def test_mixtures(mixture):
    assert len(check_dually_flat(mixture)) > 20 and len(check_dually_flat(mixture.dual)) > 20


@every_checked
def test_its_dual(family):
    assert len(check_dually_flat(family.dual)) > 20
