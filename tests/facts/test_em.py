"""Expectation–maximisation: figures of two normals, and the law of descent over all models."""
import itertools

import numpy as np
import pytest

import infogeo as ig
from infogeo.statistics import SQUAREM, MixtureModel, em

from .inference_helpers import near

_legacy = np.random.RandomState(0)
TWO = np.concatenate([_legacy.randn(300) - 1.0, _legacy.randn(700) + 2.0])
NORMAL = ig.Normal()


def test_two_normals():
    start = NORMAL.theta_from(mean=[-.5, .5], variance=[1.0, 1.0]), [.5, .5]
    found = em(MixtureModel(NORMAL), TWO, start, tol=0.0, max_steps=200)
    near(-found.values[[0, 1, 2, 10]], [2.5810326328, 1.8875044540, 1.8783699323, 1.8515772331])
    near(-found.values[-1], 1.8493406878)
    gain = np.diff(found.values)
    near([gain[0], found.divergences[0]], [.6935282, .6876274], 1e-7)
    assert np.all(gain >= found.divergences - 1e-14)
    quick = em(MixtureModel(NORMAL), TWO, start, tol=1e-13, max_steps=200, acceleration=SQUAREM())
    assert len(quick.values) < 60 and quick.values[-1] >= found.values[-1] - 1e-12
    near(quick.theta[1], [.2791916603, .7208083397], 1e-6)
    own = NORMAL.parameters(quick.theta[0])
    near(own["mean"], [-1.0935355679, 1.8868390229], 1e-5)
    near(own["variance"], [.8463051183, .9841231154], 1e-5)
