"""The conditioning study with loose tolerances and short runs: every part of it, in a tenth of the time."""
import pytest

import infogeo as ig
from infogeo.studies import noise, rates


@pytest.fixture
def short(monkeypatch):
    loose = dict(rtol=1e-3, atol=1e-3)
    for module, name, value in ((rates, "flow", lambda *args, **kwargs: ig.flow(*args, **kwargs | loose)), (rates, "LATE", 1e-3),
                                (rates, "RECORDS", (12, 8)), (noise, "RUNS", 8), (noise, "AVERAGED", 2), (noise, "LONGEST", 40),
                                (noise, "POOLED", 20_000)):
        monkeypatch.setattr(module, name, value)
