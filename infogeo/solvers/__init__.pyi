from .descend import descend as descend
from .flow import flow as flow
from .moment import Moment as Moment, Snapshot as Snapshot
from .place import Place as Place
from .result import Result as Result, Status as Status
from .step import (
    Backtracking as Backtracking, Constant as Constant, Diminishing as Diminishing, Exact as Exact,
    RelativeSmooth as RelativeSmooth, Step as Step,
)
from .update import (
    GradientUpdate as GradientUpdate, MirrorUpdate as MirrorUpdate, NaturalUpdate as NaturalUpdate, Update as Update,
)
