# exact processes
from .criteria import AverageReward as AverageReward
from .criteria import Criterion as Criterion
from .criteria import DiscountedReturn as DiscountedReturn
from .entropy_bounded import EntropyBounded as EntropyBounded
from .finite import FiniteMDP as FiniteMDP
from .linear_quadratic import LinearPolicies as LinearPolicies
from .linear_quadratic import LinearQuadratic as LinearQuadratic
from .policies import Averaged as Averaged
from .policies import Policies as Policies
