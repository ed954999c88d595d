from .initial import Glorot as Glorot, He as He, Initial as Initial, Sparse as Sparse
from .layers import (
    Activation as Activation, Affine as Affine, AveragePool as AveragePool, Convolution2D as Convolution2D, Dense as Dense,
    Flatten as Flatten, Identity as Identity, Layer as Layer, Logistic as Logistic, MaxPool as MaxPool, Relu as Relu,
    Softplus as Softplus, Tanh as Tanh,
)
from .model import (
    ConditionalModel as ConditionalModel, CrossEntropyLoss as CrossEntropyLoss, ModelPass as ModelPass,
    NegativeLogLikelihood as NegativeLogLikelihood,
)
from .network import ConvNet as ConvNet, LayerQuantities as LayerQuantities, MLP as MLP, Pass as Pass, Sequential as Sequential
