"""PyTorch's arrays on the host as NumPy's: for routines that NumPy and SciPy have and PyTorch lacks, or has slower ones of."""
import numpy as np

from ..backend import NUMPY, Array, Namespace, to_numpy
from .tracing import is_differentiated, is_traced

__all__ = ["as_numpy"]


def as_numpy(xp: Namespace, x: Array) -> np.ndarray | None:
    """The array as NumPy's, in the same memory; None where it lies elsewhere, where somebody may ask for a derivative of it, or
    where PyTorch has several threads.

    Order 1000 in float32, processor time of one thread: the product of (512, 1000) with its transpose takes PyTorch 9.3 ms and
    NumPy, which computes half of it, 4.7; 785 solves with a Cholesky factor 23.4 and by SciPy 13.4; the factor in float64 9.7 and
    7.5. Of several threads those of the two libraries wait for each other: a K-FAC step of the autoencoder of
    ``benchmarks/curvature.py`` on two took .745 s by the clock on the wall so, and .212 without.
    """
    if (xp is not NUMPY and not _of_one_thread(xp, x)) or is_traced(xp, x) or is_differentiated(xp, x):
        return None
    host: np.ndarray = to_numpy(x)
    return host


def _of_one_thread(xp: Namespace, x: Array) -> bool:
    if xp.name != "torch" or x.device.type != "cpu":
        return False
    import torch
    return bool(torch.get_num_threads() == 1)
