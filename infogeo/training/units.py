"""Data in units of their own spread."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backend import Array
from ..families.base import ExponentialFamily
from ..families.diagonal_normal import DiagonalNormal
from ..families.isotropic_normal import IsotropicNormal
from ..families.multivariate_normal import MultivariateNormal
from ..families.normal import Normal

__all__ = ["Units", "is_location_scale"]

CONSTANT = 1e-12            # of the mean: a spread below it is rounding


@dataclass(frozen=True)
class Units:
    """x = centre + scale z, number by number.

    Attributes
    ----------
    centre, scale : arrays, shape (…), of one observation
    """

    centre: Array
    scale: Array

    @classmethod
    def none(cls, x: Array) -> Units:
        """z = x, for observations x of shape (n, …)."""
        return cls(np.zeros(x.shape[1:]), np.ones(x.shape[1:]))

    @classmethod
    def of(cls, x: Array, weights: Array, *, together: bool = False) -> Units:
        """Those in which the rows of x, shape (n, …), have mean 0 and variance 1; a number that does not vary has the scale 1.

        Together, all numbers have one scale, and the mean of their variances is 1.
        """
        x = np.asarray(x, dtype=float)
        centre = np.average(x, axis=0, weights=weights)
        far = np.max(np.abs(x - centre), axis=0)                    # the squares of 1e200 have no number
        far = np.maximum(np.full_like(far, np.max(far)) if together else far, np.finfo(float).tiny)
        variance = np.average(((x - centre) / far) ** 2, axis=0, weights=weights)
        scale = far * np.sqrt(np.full_like(variance, np.mean(variance)) if together else variance)
        return cls(centre, np.where(scale > CONSTANT * np.abs(centre), scale, 1.0))

    @property
    def log_volume(self) -> float:
        """log |dx/dz|: by so much −log p(x) is larger than −log p(z)."""
        return float(np.sum(np.log(self.scale)))

    def inward(self, x: Array) -> Array:
        """z, in the dtype of x."""
        return ((x - self.centre) / self.scale).astype(x.dtype, copy=False)

    def outward(self, family: ExponentialFamily, theta: Array) -> Array:
        """θ of the law of x, where that of z is given."""
        if not np.any(self.centre) and np.all(self.scale == 1.0):
            return theta
        ordinary: dict[str, Any] = dict(family.parameters(theta))
        ordinary["mean"] = self.centre + self.scale * ordinary["mean"]
        if "covariance" in ordinary:
            ordinary["covariance"] = ordinary["covariance"] * np.multiply.outer(self.scale, self.scale)
        else:
            ordinary["variance"] = ordinary["variance"] * (np.max(self.scale) if isinstance(family, IsotropicNormal)
                                                           else self.scale) ** 2
        return family.theta_from(**ordinary)


def is_location_scale(family: ExponentialFamily) -> bool:
    """Whether x of this family, moved and in other units, is of it, too, with `mean` and `variance` or `covariance` so moved."""
    return isinstance(family, (Normal, DiagonalNormal, IsotropicNormal, MultivariateNormal))
