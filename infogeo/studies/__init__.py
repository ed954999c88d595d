"""Studies that the command line runs; every one returns a frozen dataclass of plain arrays."""
from .architecture import Task, task
from .claims import Claim
from .conditioning import Conditioning, conditioning
from .curvature_variance import variance_table
from .dataset import Dataset, dataset
from .discrete import Discrete
from .export import load_npz, write
from .figures import figure_flows, figure_sweep, figure_trajectories
from .fisher_approximations import FisherApproximations, fisher_approximations
from .naming import InputError, named_family
from .noise import Noise, predicted_floor
from .pictures import plot_bisectors, plot_divergence_balls, plot_geodesics
from .problem import METHODS, ForwardKL, Method, Problem
from .rates import Flow
from .report import report
from .spectrum import Spectrum, spectrum
from .sweep import Sweep
from .target import Target, from_counts, from_parameters, from_probabilities, from_samples
from .training import OPTIMISERS, Optimiser, Run, TrainingStudy, train
from .training_report import figure_training, report_training, write_training

__all__ = ["Claim", "Conditioning", "Dataset", "Discrete", "FisherApproximations", "Flow", "ForwardKL", "InputError", "METHODS",
           "Method", "Noise", "OPTIMISERS", "Optimiser", "Problem", "Run", "Spectrum", "Sweep", "Target", "Task",
           "TrainingStudy", "conditioning", "dataset", "figure_flows", "figure_sweep", "figure_training", "figure_trajectories",
           "fisher_approximations", "from_counts", "from_parameters", "from_probabilities", "from_samples", "load_npz",
           "named_family", "plot_bisectors", "plot_divergence_balls", "plot_geodesics", "predicted_floor", "report",
           "report_training", "spectrum", "task", "train", "variance_table", "write", "write_training"]
