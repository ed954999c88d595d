"""Studies that the command line runs; every one returns a frozen dataclass of plain arrays."""
from .claims import Claim
from .conditioning import Conditioning, conditioning
from .discrete import Discrete
from .export import load_npz, write
from .figures import figure_flows, figure_sweep, figure_trajectories
from .noise import Noise, predicted_floor
from .problem import METHODS, ForwardKL, Method, Problem
from .rates import Flow
from .report import report
from .spectrum import Spectrum, spectrum
from .sweep import Sweep
from .target import FAMILIES, InputError, Target, from_counts, from_probabilities, from_samples

__all__ = ["FAMILIES", "METHODS", "Claim", "Conditioning", "Discrete", "Flow", "ForwardKL", "InputError", "Method", "Noise",
           "Problem", "Spectrum", "Sweep", "Target", "conditioning", "figure_flows", "figure_sweep", "figure_trajectories",
           "from_counts", "from_probabilities", "from_samples", "load_npz", "predicted_floor", "report", "spectrum", "write"]
