"""The conditioning study with loose tolerances and short runs: every part of it, in a tenth of the time."""
import pytest

import infogeo as ig

BRIEF = ig.studies.Effort(flown=2, tolerance=1e-3, late=1e-3, records=(12, 8), longest=300, noisy_runs=8, averaged=2,
                          noisy_steps=40, pooled=20_000)


@pytest.fixture
def short(monkeypatch):
    """The command line's study, made so."""
    monkeypatch.setattr("infogeo.studies.FULL", BRIEF)
