"""Spectra of the Fisher metric of many targets in one call."""
import numpy as np

from ..backend import Array, to_numpy
from ..errors import require_own_dimension, takes
from ..geometry.manifolds.manifold import DuallyFlat
from .spectrum import Spectrum

__all__ = ["spectra"]


@takes(DuallyFlat)
def spectra(family: DuallyFlat, theta: Array) -> Spectrum:
    """The `Spectrum` of every target θ at once: eigenvalues of the Hessian in θ, in η and of G⁻¹H, and what they predict.

    Parameters
    ----------
    family : DuallyFlat
        An exponential family, its dual, a mirror map.
    theta : array, shape (..., d)
        Targets in the domain of θ. One of shape (d,) gives the `Spectrum` of its problem.

    Returns
    -------
    Spectrum
        NumPy arrays, the batch after the first axis: eigenvalues (3, ..., d), eigenvectors (2, ..., d, d), all else (3, ...).

    Raises
    ------
    DomainError, ShapeError
        For a target outside the domain.
    TypeError
        For a manifold in more coordinates than dimensions, such as a `Simplex`.

    Examples
    --------
    >>> import numpy as np
    >>> import infogeo as ig
    >>> family = ig.Categorical(3)
    >>> targets = family.theta_from(probabilities=[[0.5, 0.3, 0.2], [1 / 3, 1 / 3, 1 / 3], [0.2, 0.3, 0.5]])
    >>> ig.studies.spectra(family, targets).condition[0].round(4)
    array([4.847 , 3.    , 2.0833])
    """
    require_own_dimension("spectra are", family)
    theta = family.theta_domain.require("theta", theta)
    in_theta, axes_theta = np.linalg.eigh(to_numpy(metric := family.metric(theta)))
    in_eta, axes_eta = np.linalg.eigh(to_numpy(family.dual_metric(family.to_eta(theta))))
    natural = np.sort(np.linalg.eigvals(to_numpy(family.sharp(theta[..., None, :], metric))).real, axis=-1)
    eigenvalues = np.stack([in_theta, in_eta, natural])
    low, high = eigenvalues[..., 0], eigenvalues[..., -1]
    condition = high / np.where(low > 0, low, np.nan)
    condition = np.where(low <= 0, np.inf, condition)           # an eigenvalue that rounds to 0, or to less
    return Spectrum(eigenvalues, np.stack([axes_theta, axes_eta]), condition, 2.0 * low, 2.0 / (low + high), 2.0 / high,
                    (high - low) / (high + low))
