"""Arrays on the host that are written to in place, whichever of NumPy and PyTorch they are of."""
from ..backend import NUMPY, Array, Namespace
from .tracing import is_differentiated, is_traced

__all__ = ["on_host"]


def on_host(xp: Namespace, x: Array) -> bool:
    """Whether an array is NumPy's, or PyTorch's in the memory of the host, of which nobody may ask for a derivative."""
    if xp is NUMPY:
        return True
    return xp.name == "torch" and x.device.type == "cpu" and not is_traced(xp, x) and not is_differentiated(xp, x)
