# the loop
from .descend import descend as descend
from .flow import FlowResult as FlowResult, flow as flow
from .lbfgs import lbfgs as lbfgs
from .noisy_flow import NoisyFlowResult as NoisyFlowResult, noisy_flow as noisy_flow
from .records import Every as Every
from .result import Result as Result, Status as Status

# updates
from .update import (
    GradientUpdate as GradientUpdate, MirrorUpdate as MirrorUpdate, NaturalUpdate as NaturalUpdate, Update as Update,
)

# updates that remember or correct
from .accelerated import AcceleratedMirror as AcceleratedMirror, GradientRestart as GradientRestart, Restart as Restart
from .accelerated_bregman import AcceleratedBregman as AcceleratedBregman
from .corrected import CorrectedNatural as CorrectedNatural
from .dual_averaging import DualAveraging as DualAveraging
from .newton import Newton as Newton
from .riemannian_momentum import RiemannianMomentum as RiemannianMomentum

# updates made of others, and their proxes
from .composite import Composite as Composite
from .extragradient import MirrorProx as MirrorProx, Optimistic as Optimistic
from .geodesic import Geodesic as Geodesic
from .projected import Projected as Projected
from .prox import Box as Box, L1 as L1, Prox as Prox, SumTo as SumTo

# step rules
from .step import (
    Backtracking as Backtracking, Constant as Constant, Diminishing as Diminishing, Exact as Exact,
    RelativeSmooth as RelativeSmooth, Step as Step,
)
from .barzilai_borwein import BarzilaiBorwein as BarzilaiBorwein
from .growing import Growing as Growing
from .newton import Damped as Damped
from .polyak import Polyak as Polyak
from .trust_region import TrustRegion as TrustRegion

# stopping rules, and the place that rules see
from .stop import (
    Gap as Gap, GradientNorm as GradientNorm, StepLength as StepLength, Stop as Stop, ValueChange as ValueChange,
)
from .place import Place as Place

# callbacks
from .averages import Average as Average
from .moment import Moment as Moment
from .snapshot import Snapshot as Snapshot
