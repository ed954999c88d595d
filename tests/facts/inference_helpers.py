"""The logistic regression whose posterior is known to twelve digits."""
import numpy as np

from infogeo.inference import LogisticRegression

_legacy = np.random.RandomState(1)
X = _legacy.randn(50, 3)
Y = (_legacy.rand(50) < 1.0 / (1.0 + np.exp(-X @ np.array([1.0, -2.0, 0.5])))).astype(float)
LOGISTIC = LogisticRegression(X, Y, prior_precision=1.0)
EVIDENCE = -26.882872941555


def near(found, expected, digits=1e-10):
    assert np.allclose(found, expected, rtol=digits, atol=digits), (found, expected)
