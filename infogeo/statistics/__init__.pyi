# priors and sums of statistics
from .conjugate import (
    Conjugacy as Conjugacy, conjugacy as conjugacy, conjugate_prior as conjugate_prior, posterior as posterior,
    predictive_log_density as predictive_log_density,
)
from .sufficient_statistics import SufficientStatistics as SufficientStatistics

# mixtures
from .mixtures import Mixture as Mixture, fit_mixture as fit_mixture, mixture_start as mixture_start
from .em_steps import SQUAREM as SQUAREM
from .latent import EMResult as EMResult, LatentModel as LatentModel, em as em
from .mixture_model import MixtureModel as MixtureModel

# what models predict
from .predicted import PredictedLaw as PredictedLaw

# volumes and complexity
from .volume import (
    Cubature as Cubature, ImportanceSampling as ImportanceSampling, Region as Region, UniformSampling as UniformSampling,
    integral as integral, jeffreys_density as jeffreys_density, volume as volume,
)
from .complexity import asymptotic_complexity as asymptotic_complexity, parametric_complexity as parametric_complexity

# curved families
from .curved import Curved as Curved, Embedding as Embedding
from .curved_mixture import curved_mixture as curved_mixture
from .embedding_curvature import (
    e_embedding_curvature as e_embedding_curvature, embedding_curvature as embedding_curvature,
    information_loss as information_loss, m_embedding_curvature as m_embedding_curvature, second_order_bias as second_order_bias,
    second_order_covariance as second_order_covariance,
)

# interactions
from .interaction import InteractionOrders as InteractionOrders, interaction_orders as interaction_orders

# models of location and scale
from .location_scale import LocationScale as LocationScale, LogLocationScale as LogLocationScale
from .standard_laws import StandardLaw as StandardLaw
