# networks and models
from .interface import LayerQuantities as LayerQuantities, Network as Network, NetworkPass as NetworkPass
from .network import Pass as Pass, Sequential as Sequential
from .usual import ConvNet as ConvNet, MLP as MLP
from .torch_network import ExactBlocks as ExactBlocks, TorchNetwork as TorchNetwork
from .model import (
    ConditionalModel as ConditionalModel, CrossEntropyLoss as CrossEntropyLoss, ModelPass as ModelPass,
    NegativeLogLikelihood as NegativeLogLikelihood,
)
from .batches import RelativeWeights as RelativeWeights
from .files import load as load, save as save

# layers
from .layer import Layer as Layer
from .affine import Affine as Affine, Convolution2D as Convolution2D, Dense as Dense
from .pool import AveragePool as AveragePool, MaxPool as MaxPool
from .linear import Flatten as Flatten
from .residual import Residual as Residual
from .activations import (
    Activation as Activation, Identity as Identity, Logistic as Logistic, Relu as Relu, Softplus as Softplus, Tanh as Tanh,
)

# initial weights
from .initial import Glorot as Glorot, He as He, Initial as Initial, Orthogonal as Orthogonal, Sparse as Sparse
