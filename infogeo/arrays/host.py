"""PyTorch's arrays on the host as NumPy's: for routines that NumPy and SciPy have and PyTorch lacks, or has slower ones of."""
import numpy as np

from ..backend import NUMPY, Array, Namespace, to_numpy
from .tracing import is_differentiated, is_traced

__all__ = ["as_numpy"]


def as_numpy(xp: Namespace, x: Array) -> np.ndarray | None:
    """The array as NumPy's, in the same memory; None where it lies elsewhere, or where somebody may ask for a derivative of it.

    Order 1000 in float32, processor time of one thread: the product of (512, 1000) with its transpose takes PyTorch 9.3 ms and
    NumPy, which computes half of it, 4.7; 785 solves with a Cholesky factor 23.4 and by SciPy 13.4; the factor in float64 9.7 and
    7.5.
    """
    elsewhere = xp is not NUMPY and (xp.name != "torch" or x.device.type != "cpu")
    if elsewhere or is_traced(xp, x) or is_differentiated(xp, x):
        return None
    host: np.ndarray = to_numpy(x)
    return host
