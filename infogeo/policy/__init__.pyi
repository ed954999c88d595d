# processes that are known
from .advantages import GAE as GAE
from .compatible import compatible_weights as compatible_weights
from .compatible import episodic_weights as episodic_weights
from .criteria import AverageReward as AverageReward
from .criteria import Criterion as Criterion
from .criteria import DiscountedReturn as DiscountedReturn
from .critic import Critic as Critic
# steps with bounds
from .entropy_bounded import EntropyBounded as EntropyBounded
from .log_linear import LogLinearPolicies as LogLinearPolicies
# environments
from .environments import Environment as Environment
from .environments import MDPEnvironment as MDPEnvironment
from .environments import Outcome as Outcome
from .finite import FiniteMDP as FiniteMDP
from .gymnasium_environment import GymEnvironment as GymEnvironment
from .gymnasium_environment import gym as gym
from .linear_quadratic import LinearPolicies as LinearPolicies
from .linear_quadratic import LinearQuadratic as LinearQuadratic
from .policies import AveragedLaws as AveragedLaws
from .policies import Policies as Policies
# from trajectories
from .returns import Progress as Progress
from .returns import Return as Return
from .returns import Surrogate as Surrogate
from .trajectories import Rollouts as Rollouts
from .trajectories import Trajectories as Trajectories
