# conditioning
from .conditioning import (
    Conditioning as Conditioning, ConditioningRun as ConditioningRun, Setting as Setting, conditioning as conditioning,
)
from .effort import FULL as FULL, QUICK as QUICK, Effort as Effort
from .problem import (
    DIRECTIONS as DIRECTIONS, DivergenceProblem as DivergenceProblem, ForwardKL as ForwardKL, ForwardProblem as ForwardProblem,
    Problem as Problem,
    ReverseProblem as ReverseProblem,
)
from .target import (
    Target as Target, from_counts as from_counts, from_parameters as from_parameters, from_probabilities as from_probabilities,
    from_samples as from_samples,
)
from .examples import EXAMPLES as EXAMPLES, example_data as example_data
from .diagnosis import (
    ChartDiagnosis as ChartDiagnosis, Diagnosis as Diagnosis, References as References, diagnose as diagnose,
)
from .misspecification import Misspecification as Misspecification, misspecification as misspecification
from .spectra import spectra as spectra
from .spectrum import Spectrum as Spectrum, spectrum as spectrum
from .rates import Flow as Flow
from .sweep import LearningRateSweep as LearningRateSweep
from .discrete import Discrete as Discrete
from .noise import NoiseFloor as NoiseFloor, predicted_floor as predicted_floor
from .methods import METHODS as METHODS, Method as Method
from .side_by_side import InChart as InChart, affine_charts as affine_charts
from .claim import Claim as Claim
from .described import described_problem as described_problem, described_target as described_target
from .many_targets import conditioning_of_many as conditioning_of_many, targets_of_table as targets_of_table
from .divergences import alpha_charts as alpha_charts, named_problem as named_problem
from .chart import ETA as ETA, THETA as THETA, CoordinateChart as CoordinateChart, FlatChart as FlatChart, MappedChart as MappedChart
from .inputs import InputError as InputError, InputWarning as InputWarning
from .naming import named_family as named_family

# families
from .catalogue import families_text as families_text

# equivalence
from .equivalence import OBJECTIVES as OBJECTIVES, STEPS as STEPS, Equivalence as Equivalence, equivalence as equivalence
from .measured_identity import MeasuredIdentity as MeasuredIdentity
from .equivalence_targets import (
    equivalence_of_many as equivalence_of_many, follow_equivalence_of_many as follow_equivalence_of_many,
    report_equivalence_of_many as report_equivalence_of_many,
)

# work in blocks
from .blocks import BlocksError as BlocksError, in_blocks as in_blocks, load_blocks as load_blocks

# training
from .training import (
    OPTIMISERS as OPTIMISERS, Optimiser as Optimiser, TrainingRun as TrainingRun, TrainingSettings as TrainingSettings,
    TrainingStudy as TrainingStudy, train as train,
)
from .architecture import Task as Task, task as task
from .unfinished import unfinished_command as unfinished_command
from .dataset import Dataset as Dataset, dataset as dataset
from .fisher_approximations import FisherApproximations as FisherApproximations, fisher_approximations as fisher_approximations
from .mackey_glass import mackey_glass as mackey_glass
from .curvature_variance import variance_table as variance_table
from .wide_networks import WideNetworks as WideNetworks, wide_networks as wide_networks

# boosting
from .boosted import (
    BoostedTable as BoostedTable, as_predictions as as_predictions, boosted_table as boosted_table,
    figure_boosting as figure_boosting, follow_boosting as follow_boosting, predict_table as predict_table,
    report_boosting as report_boosting, write_boosting as write_boosting,
)

# posteriors
from .posterior_models import INFERENCE_MODELS as INFERENCE_MODELS, PosteriorModel as PosteriorModel
from .posterior import (
    PosteriorStudy as PosteriorStudy, figure_posterior as figure_posterior,
    follow_posterior as follow_posterior, posterior_of_table as posterior_of_table, report_posterior as report_posterior,
    write_posterior as write_posterior,
)

# policies
from .policies import (
    POLICY_METHODS as POLICY_METHODS, PolicyMethod as PolicyMethod, PolicyRun as PolicyRun, PolicyStudy as PolicyStudy,
    policies as policies,
)
from .policies_report import (
    figure_policies as figure_policies, report_policies as report_policies, write_policies as write_policies,
)
from .policies_session import follow_policies as follow_policies

# reports, figures, files
from .report import report as report, report_part as report_part, report_setting as report_setting
from .training_report import (
    figure_training as figure_training, report_training as report_training, write_training as write_training,
)
from .figures import figure_flows as figure_flows, figure_sweep as figure_sweep, figure_trajectories as figure_trajectories
from .pictures import (
    plot_bisectors as plot_bisectors, plot_divergence_balls as plot_divergence_balls, plot_geodesics as plot_geodesics,
)
from .session import (
    follow_conditioning as follow_conditioning, follow_diagnosis as follow_diagnosis, follow_targets as follow_targets,
    follow_training as follow_training,
)
from .export import load_npz as load_npz, write as write
from .unfinished import Unfinished as Unfinished
