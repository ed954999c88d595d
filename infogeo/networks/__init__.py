"""Networks: layers, their composition with exact derivatives, and conditional models with exponential-family outputs."""
from .initial import Glorot, He, Initial, Sparse
from .layers import (Activation, Affine, AveragePool, Convolution2D, Dense, Flatten, Identity, Layer, Logistic, MaxPool, Relu,
                     Softplus, Tanh)
from .link import Exponential, Link, LogCholesky, Scaled, Stacked, Straight, link_of
from .model import ConditionalModel, CrossEntropyLoss, ModelPass, NegativeLogLikelihood
from .network import MLP, ConvNet, LayerQuantities, Pass, Sequential

__all__ = ["Activation", "Affine", "AveragePool", "ConditionalModel", "ConvNet", "Convolution2D", "CrossEntropyLoss", "Dense",
           "Exponential", "Flatten", "Glorot", "He", "Identity", "Initial", "Layer", "LayerQuantities", "Link", "LogCholesky",
           "Logistic", "MLP", "MaxPool", "ModelPass", "NegativeLogLikelihood", "Pass", "Relu", "Scaled", "Sequential",
           "Softplus", "Sparse", "Stacked", "Straight", "Tanh", "link_of"]
