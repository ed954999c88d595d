"""Curvature of networks beside BackPACK, curvlinops, NNGeometry and plain PyTorch, in float32.

    python benchmarks/curvature_peers.py PEERS
    python benchmarks/curvature.py --peers PEERS
    python benchmarks/curvature.py --peers PEERS --threads 1 --clock processor

The first is on two threads by the clock on the wall; the second, in processor seconds of one thread, is for a busy machine.

Two models, 512 samples: the autoencoder 784-1000-500-250-30-250-500-1000-784 with independent Bernoulli outputs, and a network
of two convolutions on 28 x 28 images with ten classes. The same weights and data go to every library. Libraries take turns,
round after round, in processes of their own; a figure is the best of all runs in seconds. The peak memory is that of a process
that does the one thing once, with the interpreter and the libraries in it. A dash is what a library does not have; why is printed
as it fails.

gradient: loss and gradient. per example: the gradient of every sample. K-FAC step: gradient, factors with one random covector at
each output, damping, factorisation or inverse, preconditioned gradient. Fisher products: 50 exact products, one after the other.
diagonal: of the exact Fisher metric.
"""
import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SIZES = (784, 1000, 500, 250, 30, 250, 500, 1000, 784)
FILTERS = (8, 16)
QUANTITIES = ("gradient", "per example", "K-FAC step", "Fisher products", "diagonal")
PROBLEMS = ("autoencoder", "convnet")
LIBRARIES = ("infogeo", "infogeo_torch", "torch", "backpack", "curvlinops", "nngeometry")
DAMPING, PRODUCTS = 1e-2, 50
LIMIT = 600                                     # seconds for a process, whose figures are then dashes


def draw(path, samples=512):
    """Weights (inputs + 1, outputs) of every layer, inputs and observations."""
    rng = np.random.default_rng(0)

    def glorot(n_in, n_out, fan_in, fan_out):
        bound = (6 / (fan_in + fan_out)) ** 0.5
        return np.vstack([rng.uniform(-bound, bound, (n_in, n_out)), np.zeros((1, n_out))])

    data = {}
    for i, (m, n) in enumerate(zip(SIZES, SIZES[1:])):
        data[f"autoencoder_{i}"] = glorot(m, n, m, n)
    data["autoencoder_x"] = rng.random((samples, 784))
    data["autoencoder_y"] = rng.random((samples, 784)) < data["autoencoder_x"]
    channels = (1, *FILTERS)
    for i, (m, n) in enumerate(zip(channels, channels[1:])):
        data[f"convnet_{i}"] = glorot(9 * m, n, 9 * m, 9 * n)
    data[f"convnet_{len(FILTERS)}"] = glorot(49 * FILTERS[-1], 10, 49 * FILTERS[-1], 10)
    data["convnet_x"] = rng.standard_normal((samples, 28, 28, 1))
    data["convnet_y"] = rng.integers(0, 10, samples)
    np.savez(path, **{k: v.astype(np.int64 if k == "convnet_y" else np.float32) for k, v in data.items()})


def weights(data, problem):
    return [data[f"{problem}_{i}"] for i in range(len(SIZES) - 1 if problem == "autoencoder" else len(FILTERS) + 1)]


# One function a library and problem: {quantity: function without arguments that does it and gives a number to compare}

def infogeo(data, problem):
    import threadpoolctl

    import infogeo as ig
    from infogeo.curvature import FactoredTikhonov
    from infogeo.curvature import diagonal_fisher
    from infogeo.curvature import KroneckerFactors
    from infogeo.curvature import RandomSigns
    from infogeo.networks import Relu, Tanh
    from infogeo.networks import ConditionalModel
    from infogeo.networks import MLP, ConvNet

    W = weights(data, problem)
    if problem == "autoencoder":
        model = ConditionalModel(MLP(SIZES, Tanh()), ig.Independent(ig.Bernoulli(), 784))
    else:
        W[-1] = W[-1][:, :9] - W[-1][:, 9:]          # nine natural parameters, relative to the last class
        threadpoolctl.threadpool_limits(1)           # samples go to threads here, and threads of BLAS would hold the cores
        model = ConditionalModel(ConvNet((28, 28, 1), FILTERS, 9, activation=Relu()), ig.Categorical(10))
    w, x, y = np.concatenate([part.reshape(-1) for part in W]), data[f"{problem}_x"], data[f"{problem}_y"].astype(np.float32)
    loss, rng = model.objective((x, y)), np.random.default_rng(0)
    v = np.ones_like(w)

    def step():
        done = model.record(w, x)
        gradient = done.vjp((model.family.to_eta(done.theta) - loss.statistic) / done.n)
        factors = KroneckerFactors.of_pass(done, (x, y), outputs=RandomSigns(rng))
        return np.linalg.norm(FactoredTikhonov(DAMPING)(factors.operator()).solve(gradient))

    def products():
        done = model.record(w, x)
        return [np.linalg.norm(done.fisher_vector(v)) for _ in range(PRODUCTS)][0]

    return {"gradient": lambda: np.linalg.norm(loss.value_and_gradient(w)[1]),
            "per example": lambda: np.linalg.norm(loss.per_example_gradients(w)[7]),
            "K-FAC step": step, "Fisher products": products,
            "diagonal": lambda: diagonal_fisher(model, w, (x, y)).d.sum()}


def in_torch(data, problem):
    """(network, x, y, loss of (logits, y) as a mean over samples)."""
    import torch
    from torch import nn
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    W = weights(data, problem)
    if problem == "autoencoder":
        parts = [p for m, n in zip(SIZES, SIZES[1:]) for p in (nn.Linear(m, n), nn.Tanh())][:-1]
        x = torch.tensor(data["autoencoder_x"])
    else:
        parts, channels = [], (1, *FILTERS)
        for m, n in zip(channels, channels[1:]):
            parts += [nn.Conv2d(m, n, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        parts += [nn.Flatten(), nn.Linear(49 * FILTERS[-1], 10)]
        x = torch.tensor(data["convnet_x"].transpose(0, 3, 1, 2).copy())
    with torch.no_grad():
        for module, w in zip((p for p in parts if hasattr(p, "weight")), W):
            kernel = w[:-1]
            if isinstance(module, nn.Conv2d):
                kernel = kernel.reshape(3, 3, -1, w.shape[1]).transpose(2, 0, 1, 3).reshape(-1, w.shape[1])
            elif problem == "convnet":
                kernel = kernel.reshape(7, 7, -1, w.shape[1]).transpose(2, 0, 1, 3).reshape(-1, w.shape[1])
            module.weight.copy_(torch.tensor(kernel.T.copy()).reshape(module.weight.shape))
            module.bias.copy_(torch.tensor(w[-1]))
    return nn.Sequential(*parts), x, torch.tensor(data[f"{problem}_y"])


def sum_loss(problem):
    from torch import nn
    return (nn.BCEWithLogitsLoss if problem == "autoencoder" else nn.CrossEntropyLoss)(reduction="sum")


def infogeo_torch(data, problem):
    """The library on the module that the peers take."""
    sys.path.insert(0, str(Path(__file__).parent.parent))
    import infogeo as ig
    network, x, y = in_torch(data, problem)
    C = ig.curvature
    if problem == "autoencoder":
        model = ig.networks.ConditionalModel(ig.networks.TorchNetwork(network, x.shape[1:]), ig.Independent(ig.Bernoulli(), 784))
    else:
        chart = ig.domains.SymmetricSoftmax(10)
        model = ig.networks.ConditionalModel(ig.networks.TorchNetwork(network, x.shape[1:]), ig.Categorical(10), chart)
    w, rng, loss = model.network.weights(), np.random.default_rng(0), model.objective((x, y))

    def step():
        done = model.record(w, x)
        gradient = done.vjp((model.family.to_eta(done.theta) - loss.statistic) / done.n)
        factors = C.KroneckerFactors.of_pass(done, (x, y), outputs=C.RandomSigns(rng))
        return norm([C.FactoredTikhonov(DAMPING)(factors.operator()).solve(gradient)])

    def products():
        done, v = model.record(w, x), 0.0 * w + 1.0
        return [norm([done.fisher_vector(v)]) for _ in range(PRODUCTS)][0]

    return {"gradient": lambda: norm([loss.value_and_gradient(w)[1]]),
            "per example": lambda: norm([loss.per_example_gradients(w)[7]]),
            "K-FAC step": step, "Fisher products": products,
            "diagonal": lambda: float(C.diagonal_fisher(model, w, (x, y)).d.sum())}


def torch(data, problem):
    import torch
    from torch.func import functional_call, grad, jvp, vjp, vmap
    network, x, y = in_torch(data, problem)
    loss, n = sum_loss(problem), len(x)
    parameters = dict(network.named_parameters())
    held = {k: p.detach() for k, p in parameters.items()}

    def gradient():
        found = torch.autograd.grad(loss(network(x), y) / n, list(parameters.values()))
        return norm(found)

    def of_one(p, x, y):
        return loss(functional_call(network, p, (x[None],)), y[None])

    def product(v):
        logits, pushed = jvp(lambda p: functional_call(network, p, (x,)), (held,), (v,))
        _, curved = jvp(grad(lambda u: loss(u, y)), (logits,), (pushed,))
        _, back = vjp(lambda p: functional_call(network, p, (x,)), held)
        return back(curved / n)[0]

    ones = {k: torch.ones_like(p) for k, p in held.items()}
    return {"gradient": gradient,
            "per example": lambda: norm(g[7] for g in vmap(grad(of_one), in_dims=(None, 0, 0))(held, x, y).values()),
            "Fisher products": lambda: [norm(product(ones).values()) for _ in range(PRODUCTS)][0]}


def norm(tensors):
    """Of all numbers together, without an array of their squares: 4 ms of the 91 of a gradient of 2.8 million weights.

    In parts, as PyTorch's own of that many numbers in float32 is right to three digits only.
    """
    return math.hypot(*(float(part.norm()) for t in tensors for part in t.reshape(-1).split(2**15)))


def backpack(data, problem):
    import torch
    from backpack import backpack as extended
    from backpack import extend
    from backpack.extensions import KFAC, BatchGrad, DiagGGNExact
    from backpack.hessianfree.ggnvp import ggn_vector_product
    from torch import nn
    network, x, y = in_torch(data, problem)
    network = extend(network)
    scale = y[0].numel()            # its losses are means over all entries
    loss = extend(nn.BCEWithLogitsLoss() if problem == "autoencoder" else nn.CrossEntropyLoss())
    each = extend(sum_loss(problem))
    parameters = list(network.parameters())

    def backward(*extensions, loss=loss):
        network.zero_grad()
        with extended(*extensions):
            loss(network(x), y).backward()

    def gradient():
        backward()
        return scale * norm(p.grad for p in parameters)

    def per_example():
        backward(BatchGrad(), loss=each)
        return norm(p.grad_batch[7] for p in parameters)

    def step():
        backward(KFAC(mc_samples=1))
        out = []
        for layer in (m for m in network if hasattr(m, "weight")):
            G, A = layer.weight.kfac             # the bias has a block of its own in BackPACK
            root = DAMPING**0.5
            pi = (A.trace() / A.shape[0] / (scale * G.trace() / G.shape[0])) ** 0.5
            LA = torch.linalg.cholesky(A + pi * root * torch.eye(len(A)))
            LG = torch.linalg.cholesky(scale * G + root / pi * torch.eye(len(G)))
            V = scale * layer.weight.grad.reshape(len(G), len(A))
            out.append(torch.cholesky_solve(torch.cholesky_solve(V, LG).T, LA))
            bias = scale * layer.bias.kfac[0] + DAMPING * torch.eye(len(G))
            out.append(torch.cholesky_solve(scale * layer.bias.grad[:, None], torch.linalg.cholesky(bias)))
        return norm(out)

    def products():
        logits = network(x)
        value, ones = loss(logits, y), [torch.ones_like(p) for p in parameters]
        found = [ggn_vector_product(value, logits, network, ones) for _ in range(PRODUCTS)]
        return scale * norm(found[0])

    def diagonal():
        backward(DiagGGNExact())
        return scale * float(sum(p.diag_ggn_exact.sum() for p in parameters))

    return {"gradient": gradient, "per example": per_example, "K-FAC step": step, "Fisher products": products,
            "diagonal": diagonal}


def curvlinops(data, problem):
    import torch
    from curvlinops import FisherType, GGNLinearOperator, KFACInverseLinearOperator, KFACLinearOperator
    from torch import nn
    network, x, y = in_torch(data, problem)
    loss = nn.BCEWithLogitsLoss() if problem == "autoencoder" else nn.CrossEntropyLoss()
    scale, parameters = y[0].numel(), list(network.parameters())
    setting = dict(check_deterministic=False, num_data=len(x))

    def step():
        gradient = torch.autograd.grad(scale * loss(network(x), y), parameters)
        kfac = KFACLinearOperator(network, loss, parameters, [(x, y)], fisher_type=FisherType.MC, mc_samples=1,
                                  separate_weight_and_bias=False, **setting)
        inverse = KFACInverseLinearOperator(kfac, damping=DAMPING / scale, use_heuristic_damping=True)
        return norm(inverse @ list(gradient)) / scale

    def products():
        ggn = GGNLinearOperator(network, loss, parameters, [(x, y)], **setting)
        ones = [torch.ones_like(p) for p in parameters]
        return scale * norm([ggn @ ones for _ in range(PRODUCTS)][0])

    return {"K-FAC step": step, "Fisher products": products}


def nngeometry(data, problem):
    import torch
    from nngeometry.backend import TorchHooksJacobianBackend
    from nngeometry.layercollection import LayerCollection
    from nngeometry.metrics import FIM
    from nngeometry.object import PMatDiag, PMatImplicit, PMatKFAC
    from nngeometry.object.vector import PVector
    from torch.utils.data import DataLoader, TensorDataset
    network, x, y = in_torch(data, problem)
    loss, n = sum_loss(problem), len(x)
    layers = LayerCollection.from_model(network)
    loader = DataLoader(TensorDataset(x, y), batch_size=n)
    variant = "classif_binary_logits" if problem == "autoencoder" else "classif_logits"
    parameters = list(network.parameters())

    def sampled(*batch):
        """A number for each sample whose gradient is that of −log p(y | x) for a y drawn from the model."""
        logits = network(batch[0])
        if problem == "autoencoder":
            p = torch.sigmoid(logits).detach()
            return (logits * (p - torch.bernoulli(p))).sum(dim=1, keepdim=True)
        p = torch.log_softmax(logits, dim=1)
        return torch.gather(p, 1, torch.multinomial(p.exp(), 1))

    def step():
        gradient = torch.autograd.grad(loss(network(x), y) / n, parameters)
        vector = PVector(layers, dict_repr=dict(zip(layers.layers, zip(gradient[::2], gradient[1::2]))))
        generator = TorchHooksJacobianBackend(layer_collection=layers, model=network, function=sampled)
        kfac = PMatKFAC(generator=generator, examples=loader)
        out = kfac.inverse(regul=DAMPING).mv(vector)
        return norm(t for pair in out.to_dict().values() for t in pair)

    def products():
        fim = FIM(network, loader, PMatImplicit, variant=variant)
        ones = PVector(layers, dict_repr={k: tuple(torch.ones_like(p) for p in pair) for k, pair in
                                          zip(layers.layers, zip(parameters[::2], parameters[1::2]))})
        found = [fim.mv(ones) for _ in range(PRODUCTS)][0]
        return norm(t for pair in found.to_dict().values() for t in pair)

    def diagonal():
        return float(FIM(network, loader, PMatDiag, variant=variant).trace())

    return {"K-FAC step": step, "Fisher products": products, "diagonal": diagonal}


# Runs

CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}


def timed(run, seconds, clock):
    """(best seconds, number): at least twice, as the first may warm up, and again while there is time; once if there is none."""
    times, end = [], clock() + seconds
    while len(times) < (2 if seconds else 1) or clock() + min(times) < end:
        start = clock()
        number = run()
        times.append(clock() - start)
    return min(times), float(number)


def worker(library, path, problem, quantities, seconds, clock):
    """Prints {quantity: [seconds, number]} and the peak memory in MB of this process."""
    data, found = dict(np.load(path)), {}
    runs = globals()[library](data, problem)
    for quantity in quantities:
        if quantity in runs:
            try:
                found[quantity] = timed(runs[quantity], seconds, CLOCKS[clock])
            except Exception as error:
                print(f"{library}, {problem}, {quantity}: {type(error).__name__}: {str(error)[:160]}", file=sys.stderr)
    print(json.dumps({"found": found, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def child(python, library, path, problem, quantities, seconds, arguments):
    threads = dict.fromkeys(["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"], str(arguments.threads))
    command = [str(python), "-W", "ignore", __file__, "--worker", library, path, problem, ",".join(quantities), str(seconds),
               arguments.clock]
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ | threads, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        print(f"{library}, {problem}, {', '.join(quantities)}: not done in {LIMIT} s", file=sys.stderr)
        return {"found": {}, "peak": 0.0}
    sys.stderr.write("".join(line + "\n" for line in done.stderr.splitlines() if line.startswith(library)))
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {"found": {}, "peak": 0.0}


def table(title, figures, libraries, form):
    print(f"\n{title}\n{'':16}" + "".join(f"{name:>14}" for name in libraries))
    for quantity in QUANTITIES:
        cells = [figures.get((name, quantity)) for name in libraries]
        print(f"{quantity:16}" + "".join(f"{'-' if c is None else form.format(c):>14}" for c in cells))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", type=Path, help="the folder that curvature_peers.py made")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="for each quantity in each round")
    parser.add_argument("--libraries", default=",".join(LIBRARIES))
    parser.add_argument("--problems", default=",".join(PROBLEMS))
    parser.add_argument("--quantities", default=",".join(QUANTITIES))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    parser.add_argument("--worker", nargs=6, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        library, path, problem, quantities, seconds, clock = arguments.worker
        return worker(library, path, problem, quantities.split(","), float(seconds), clock)
    libraries, quantities = arguments.libraries.split(","), arguments.quantities.split(",")
    python = {name: sys.executable if name == "infogeo" else arguments.peers / "torch" / "bin" / "python" for name in libraries}
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "data.npz")
        draw(path)
        for problem in arguments.problems.split(","):
            seconds, numbers, peaks = {}, {}, {}
            for _ in range(arguments.rounds):
                for quantity in quantities:
                    for name in libraries:
                        found = child(python[name], name, path, problem, [quantity], arguments.seconds, arguments)["found"]
                        if quantity in found:
                            took, numbers[name, quantity] = found[quantity]
                            seconds[name, quantity] = min(took, seconds.get((name, quantity), took))
            for name, quantity in seconds:
                peaks[name, quantity] = child(python[name], name, path, problem, [quantity], 0.0, arguments)["peak"]
            table(f"{problem}, seconds", seconds, libraries, "{:.3f}")
            table(f"{problem}, peak memory in MB", peaks, libraries, "{:.0f}")
            table(f"{problem}, a number of the result", numbers, libraries, "{:.5g}")


if __name__ == "__main__":
    main()
