from .activations import (
    Activation as Activation, Identity as Identity, Logistic as Logistic, Relu as Relu, Softplus as Softplus, Tanh as Tanh,
)
from .affine import Affine as Affine, Convolution2D as Convolution2D, Dense as Dense
from .initial import Glorot as Glorot, He as He, Initial as Initial, Sparse as Sparse
from .layer import Layer as Layer
from .linear import Flatten as Flatten
from .model import (
    ConditionalModel as ConditionalModel, CrossEntropyLoss as CrossEntropyLoss, ModelPass as ModelPass,
    NegativeLogLikelihood as NegativeLogLikelihood,
)
from .network import ConvNet as ConvNet, LayerQuantities as LayerQuantities, MLP as MLP, Pass as Pass, Sequential as Sequential
from .pool import AveragePool as AveragePool, MaxPool as MaxPool
