"""Modules of PyTorch that the tests take, the same networks of the library beside some, and the problem of a module."""
from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

import infogeo as ig
from infogeo.networks import MLP, ConditionalModel, ConvNet, ExactBlocks, Glorot, Tanh, TorchNetwork

WHOLE = ExactBlocks(10**6)


def rng():
    return np.random.default_rng(0)


def to_torch(x):
    return torch.as_tensor(np.array(x))


# The library's own networks, and the same as modules

def own_mlp():
    return MLP((5, 7, 4, 2), Tanh()), nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 4), nn.Tanh(), nn.Linear(4, 2))


class ChannelsLast(nn.Module):
    """A module of channels first on images of channels last, flattened as the library flattens them."""

    def __init__(self, inside, outside):
        super().__init__()
        self.inside, self.outside = inside, outside

    def forward(self, x):
        return self.outside(self.inside(x.movedim(-1, 1)).movedim(1, -1).flatten(1))


def own_convnet():
    own = ConvNet((6, 6, 2), (3, 4), 2, activation=Tanh())
    inside = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.Tanh(), nn.MaxPool2d(2),
                           nn.Conv2d(3, 4, 3, padding=1), nn.Tanh(), nn.MaxPool2d(2))
    return own, ChannelsLast(inside, nn.Linear(4, 2))


OWN = {"MLP": own_mlp, "ConvNet": own_convnet}


def beside(name):
    """The library's network and the module with the same weights, on the same data; `order` is None, or that of the weights."""
    network, module = OWN[name]()
    own = SimpleNamespace(model=ConditionalModel(network, ig.Categorical(3)))
    theirs = SimpleNamespace(model=ConditionalModel(TorchNetwork(module.double(), network.input_shape), ig.Categorical(3)))
    own.w = network.init(rng(), Glorot()) + 0.1 * rng().standard_normal(network.size)
    own.batch = rng().standard_normal((9, *network.input_shape)), np.arange(9) % 3
    own.order, theirs.order = None, reordered(network)
    theirs.w, theirs.batch = to_torch(own.w[theirs.order]), tuple(map(to_torch, own.batch))
    return own, theirs


def reordered(network):
    """Where the numbers of a module lie in the library's vector: a row of a convolution there has the channels last."""
    parts = []
    for layer, s in zip(network.steps, network.slices):
        if s is None:
            continue
        index = np.arange(s.start, s.stop).reshape(layer.weight_shape)
        if hasattr(layer, "kernel"):
            rows = np.arange(layer.inputs).reshape(-1, layer.channels).T.ravel()
            index = np.concatenate([index[:-1][rows], index[-1:]])
        parts.append(index.ravel())
    return np.concatenate(parts)


# Modules of other kinds

class ResidualBlock(nn.Module):
    """As in torchvision: changes in place."""

    def __init__(self, channels, activation=nn.ReLU):
        super().__init__()
        self.first, self.second = (nn.Conv2d(channels, channels, 3, padding=1, bias=False) for _ in range(2))
        self.norms = nn.ModuleList([nn.BatchNorm2d(channels) for _ in range(2)])
        self.activation = activation(inplace=True)

    def forward(self, x):
        out = self.activation(self.norms[0](self.first(x)))
        out = self.norms[1](self.second(out))
        out += x
        return self.activation(out)


def resnet(activation=nn.ReLU):
    return nn.Sequential(nn.Conv2d(1, 2, 3, stride=2, padding=1), ResidualBlock(2, activation), nn.AdaptiveAvgPool2d(1),
                         nn.Flatten(), nn.Linear(2, 2))


class Recurrent(nn.Module):
    def __init__(self, kind, batch_first=True, **options):
        super().__init__()
        self.inside = kind(3, 4, batch_first=batch_first, **options)
        self.head = nn.Linear(8 if options.get("bidirectional") else 4, 2)
        self.batch_first = batch_first

    def forward(self, x):
        if self.batch_first:
            return self.head(self.inside(x)[0][:, -1])
        return self.head(self.inside(x.transpose(0, 1))[0].mean(0))


class Cell(nn.Module):
    def __init__(self):
        super().__init__()
        self.inside, self.head = nn.LSTMCell(3, 4), nn.Linear(4, 2)

    def forward(self, x):
        state = None
        for t in range(x.shape[1]):
            state = self.inside(x[:, t], state)
        return self.head(state[0])


class Encoder(nn.Module):
    """A transformer encoder of tokens, with positions and a token of its own."""

    def __init__(self, norm_first=False, activation="gelu"):
        super().__init__()
        self.embedding = nn.Embedding(6, 8)
        self.position, self.start = nn.Parameter(0.1 * torch.randn(4, 8)), nn.Parameter(torch.randn(1, 1, 8))
        layer = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True, activation=activation, norm_first=norm_first)
        self.inside, self.head = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False), nn.Linear(8, 2)

    def forward(self, x):
        h = self.embedding(x.long()) + self.position
        return self.head(self.inside(torch.cat([self.start.expand(h.shape[0], -1, -1), h], dim=1))[:, 0])


class Odd(nn.Module):
    """Parameters of functions that are no layer."""

    def __init__(self):
        super().__init__()
        self.bilinear, self.curve = nn.Bilinear(3, 3, 4), nn.PReLU()
        self.matrix, self.scale = nn.Parameter(torch.randn(4, 2)), nn.Parameter(torch.randn(2))

    def forward(self, x):
        return (self.curve(self.bilinear(x, x)) @ self.matrix) * self.scale


class Tied(nn.Module):
    """A layer that is used twice, and an embedding whose weights are a layer, too."""

    def __init__(self):
        super().__init__()
        self.embedding, self.out = nn.Embedding(6, 3), nn.Linear(3, 6, bias=False)
        self.out.weight = self.embedding.weight
        self.twice, self.head = nn.Linear(3, 3), nn.Linear(6, 2)

    def forward(self, x):
        h = torch.tanh(self.embedding(x.long()).mean(1))
        return self.head(self.out(torch.tanh(self.twice(torch.tanh(self.twice(h))))))


class Frozen(nn.Module):
    def __init__(self):
        super().__init__()
        self.fixed, self.head, self.unused = nn.Linear(3, 4), nn.Linear(4, 2), nn.Linear(2, 2)
        self.fixed.weight.requires_grad_(False)

    def forward(self, x):
        return self.head(torch.tanh(self.fixed(x)))


class Convolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv1d(2, 2, 3, padding="same", dilation=2), nn.Linear(12, 2)
        self.norms = nn.ModuleList([nn.GroupNorm(1, 2), nn.InstanceNorm1d(2, affine=True)])

    def forward(self, x):
        return self.head(self.norms[1](self.conv(torch.tanh(self.norms[0](self.conv(x))))).flatten(1))


class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right, self.norm, self.head = nn.Linear(3, 4), nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)

    def forward(self, x):
        return self.head(self.norm(torch.sigmoid(self.left(x)) * nn.functional.gelu(self.right(x))) * x[:, :1])


class InPlace(nn.Module):
    """What a layer gives is changed in place."""

    def __init__(self):
        super().__init__()
        self.first, self.head = nn.Linear(3, 4), nn.Linear(4, 2)

    def forward(self, x):
        return self.head(self.first(x).tanh_())


class HalfGated(nn.Module):
    """A product of two halves of one layer, behind an embedding with padding."""

    def __init__(self):
        super().__init__()
        self.embedding, self.both, self.head = nn.Embedding(6, 3, padding_idx=0), nn.Linear(3, 8), nn.Linear(4, 2)

    def forward(self, x):
        left, right = self.both(self.embedding(x.long()).mean(1)).chunk(2, dim=-1)
        return self.head(torch.sigmoid(left) * right)


class Square(torch.autograd.Function):
    """x w², with a backward pass of its own."""

    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x * w * w

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return g * w * w, torch.sum(2.0 * g * x * w, dim=0)


class Hidden(nn.Module):
    """Parameters in a function of one's own, in a transposed matrix and in the gradient of an energy."""

    def __init__(self):
        super().__init__()
        self.energy, self.matrix, self.scale = nn.Linear(3, 4), nn.Parameter(torch.randn(2, 3)), nn.Parameter(torch.randn(2))

    def forward(self, x):
        x = x.detach().requires_grad_()
        with torch.enable_grad():
            force, = torch.autograd.grad(torch.tanh(self.energy(x)).sum(), x, create_graph=True)
        return Square.apply(force @ self.matrix.T, self.scale)


class Bag(nn.Module):
    def __init__(self):
        super().__init__()
        self.inside, self.head = nn.EmbeddingBag(6, 3, mode="sum"), nn.Linear(3, 2)

    def forward(self, x):
        return self.head(self.inside(x.long()))


def normed():
    """Layers whose weights are functions of their parameters."""
    parts = nn.utils.parametrizations
    return nn.Sequential(parts.weight_norm(nn.Linear(3, 4)), nn.Tanh(), parts.spectral_norm(nn.Linear(4, 4)), nn.Linear(4, 2))


ZOO = {
    "hidden": (Hidden, (3,)), "bag": (Bag, (3,)), "normed": (normed, (3,)),
    "transposed": (lambda: nn.Sequential(nn.ConvTranspose1d(2, 3, 2), nn.Tanh(), nn.Flatten(), nn.Linear(12, 2)), (2, 3)),
    "circular": (lambda: nn.Sequential(nn.Conv1d(2, 2, 3, padding=1, padding_mode="circular"), nn.PReLU(2), nn.Flatten(),
                                       nn.Linear(8, 2)), (2, 4)),
    "resnet": (lambda: resnet(nn.SiLU), (1, 4, 4)), "in place": (InPlace, (3,)), "half gated": (HalfGated, (2,)),
    "lstm": (lambda: Recurrent(nn.LSTM), (3, 3)),
    "gru, time first": (lambda: Recurrent(nn.GRU, batch_first=False), (3, 3)),
    "rnn": (lambda: Recurrent(nn.RNN, num_layers=2, bidirectional=True, bias=False), (3, 3)),
    "cell": (Cell, (2, 3)), "encoder": (Encoder, (4,)), "odd": (Odd, (3,)), "tied": (Tied, (4,)), "frozen": (Frozen, (3,)),
    "pooled": (lambda: nn.Sequential(nn.Conv2d(2, 4, (3, 2), stride=(1, 2), padding=1, dilation=(1, 2)), nn.ReLU(),
                                     nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True), nn.Flatten(), nn.Linear(24, 2)),
               (2, 5, 5)),
    "convolutions": (Convolutions, (2, 6)), "gated": (Gated, (3,)),
    "3d": (lambda: nn.Sequential(nn.Conv3d(2, 4, 2, groups=2, stride=(1, 2, 1)), nn.SiLU(), nn.Flatten(), nn.LayerNorm(8),
                                 nn.Linear(8, 2)), (2, 2, 3, 3)),
}


def in_zoo(name, blocks=WHOLE, samples=4):
    """A module of the zoo in float64 as a model of three classes: module, network, model, w, x, batch."""
    made, shape = ZOO[name]
    torch.manual_seed(0)
    module = made().double().eval()
    with torch.no_grad():
        for p in module.parameters():
            p += 0.3 * torch.randn_like(p)
        for part in module.modules():
            if isinstance(part, nn.modules.batchnorm._BatchNorm) and part.running_var is not None:
                part.running_mean.normal_()
                part.running_var.uniform_(0.5, 2.0)
    network = TorchNetwork(module, shape, elementwise=blocks, others=blocks)
    tokens = any(isinstance(part, (nn.Embedding, nn.EmbeddingBag)) for part in module.modules())
    x = torch.randint(0, 6, (samples, *shape)).double() if tokens else torch.randn((samples, *shape), dtype=torch.float64)
    model = ConditionalModel(network, ig.Categorical(3))
    return SimpleNamespace(module=module, network=network, model=model, w=network.weights(), x=x,
                           batch=(x, torch.arange(samples) % 3))


def distance(a, b):
    """The largest difference over the largest number."""
    a, b = (ig.backend.to_numpy(t) for t in (a, b))
    assert a.shape == b.shape, (a.shape, b.shape)
    return np.max(np.abs(a - b)) / (np.max(np.abs(b)) + 1e-300)


# Beside other libraries: weights and data without a random number, three logits

BESIDE_PEERS = {"encoder": (Encoder, (4,)), "lstm": (lambda: Recurrent(nn.LSTM), (3, 3)), "resnet": (resnet, (1, 4, 4))}
CLASSES, SAMPLES = 3, 5


def waves(shape, start):
    """Numbers between −1 and 1 that are the same everywhere."""
    count = int(np.prod(shape))
    return torch.sin(1.7 * torch.arange(start, start + count, dtype=torch.float64) + 0.1 * start).reshape(shape)


def for_peers(name):
    """A module with three outputs and its data, in float64: module, input shape, x, y."""
    made, shape = BESIDE_PEERS[name]
    module = made().double().eval()
    head = module.head if hasattr(module, "head") else module[-1]
    wide = nn.Linear(head.in_features, CLASSES, dtype=torch.float64)
    if hasattr(module, "head"):
        module.head = wide
    else:
        module[-1] = wide
    with torch.no_grad():
        for k, p in enumerate(module.parameters()):
            p.copy_(0.5 * waves(p.shape, 1 + k))
    x = waves((SAMPLES, *shape), 50)
    if name == "encoder":
        x = torch.floor(3.0 + 3.0 * x)
    return module, shape, x, torch.arange(SAMPLES) % CLASSES


def probe(module, k):
    """The k-th direction, by the names of the parameters."""
    return {name: waves(p.shape, 7 + 3 * i + 11 * k) for i, (name, p) in enumerate(module.named_parameters())}
