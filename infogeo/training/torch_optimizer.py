"""K-FAC and its kin in the shape of a PyTorch optimiser, for those who keep their own loop."""
from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import inf
from typing import Any, Self

import numpy as np

from ..arrays.files import packed, unpacked
from ..arrays.memo import standing
from ..backend import Array, column, generator, to_numpy
from ..domains.chart import Chart
from ..errors import from_extra, require, require_positive
from ..networks.model import ConditionalModel, NegativeLogLikelihood
from ..networks.output_family import OutputFamily
from ..networks.torch_network import TorchNetwork
from ..solvers.snapshot import Snapshot, described
from ..solvers.start import Coordinates, as_update
from ..solvers.update import Update
from .data import Regularised
from .kfac import KFAC

__all__ = ["TorchOptimizer"]


class TorchOptimizer:
    """A `torch.optim.Optimizer` that takes the steps of an update of this library, such as `KFAC`.

    Mathematically, the gradient of a step is what ``backward`` left in the parameters, plus the weight decay; curvature and trust
    are those of the model p(y | x; w) with the module as its network, on the examples of the last `loss`.

    As with every optimiser of PyTorch, parameters without a gradient stay as they are, weight decay included. Of a module in
    half precision the curvature, what the update carries and the loss are in float32.

    Parameters
    ----------
    module : torch.nn.Module or TorchNetwork
        A network says how parameters without Kronecker factors are treated; of a module the shape of the inputs is that of the
        first `loss`. One that torch.compile or DataParallel made gives its gradients as it is; its curvature is that of the
        module inside.
    family : ExponentialFamily
        The law of y; the module gives its natural parameter.
    update : Update
        `KFAC` where none is given. Those that need a geometry have none here.
    lr : float
        The step size, 1 for K-FAC; learning-rate schedulers of PyTorch change it.
    weight_decay : float
        c of (c/2) |w|².
    chart : Chart, optional
        As of `ConditionalModel`.
    rng : numpy.random.Generator, optional
        For what the update draws; seed 0 where it is not given.

    Attributes
    ----------
    param_groups, state : as of every optimiser
    model : ConditionalModel or None
        None before the first `loss` of a module.

    Raises
    ------
    ImportError
        Without PyTorch.

    Examples
    --------
    >>> digits = torch.nn.Linear(64, 10)                      # doctest: +SKIP
    >>> optimizer = ig.training.TorchOptimizer(               # doctest: +SKIP
    ...     digits, ig.Categorical(10), ig.training.KFAC(),
    ...     chart=ig.domains.SymmetricSoftmax(10))
    >>> for x, y in loader:                                   # doctest: +SKIP
    ...     optimizer.zero_grad()
    ...     optimizer.loss(x, y).backward()
    ...     optimizer.step()
    """

    param_groups: list[dict[str, Any]]

    def __new__(cls, *args: Any, **named: Any) -> Self:
        made: Self = object.__new__(_in_torch(cls))       # type: ignore[arg-type]
        return made

    def __init__(self, module: Any, family: OutputFamily, update: Any = None, *, lr: float = 1.0, weight_decay: float = 0.0,
                 chart: Chart | None = None, rng: np.random.Generator | None = None) -> None:
        require_positive("lr", lr)
        _number("weight_decay", weight_decay)
        kinds: Any = TorchNetwork, _torch().nn.Module
        if not isinstance(module, kinds):
            raise TypeError(f"TorchOptimizer takes a torch.nn.Module or TorchNetwork as its argument module; got {module!r}")
        if isinstance(family, type) or not hasattr(family, "dim"):
            raise TypeError(f"family must be an exponential family, such as Categorical(3); got {family!r}")
        network = module if isinstance(module, TorchNetwork) else None
        self._module = module if network is None else network.module
        self.update: Update = as_update(KFAC() if update is None else update, generator(0) if rng is None else rng)
        self._family, self._chart = family, chart
        self.model: ConditionalModel | None = None if network is None else ConditionalModel(network, family, chart)
        self._seen: NegativeLogLikelihood | None = None
        self._carried: Any = None
        parameters = [p for p in self._module.parameters() if p.requires_grad]
        _optimizer().__init__(self, parameters, {"lr": lr, "weight_decay": weight_decay})

    def add_param_group(self, group: dict[str, Any]) -> None:
        """The one group of all parameters, whose curvature is one. Raises ValueError for another."""
        if self.param_groups:
            raise ValueError("all parameters of the module are one group, whose curvature is one; requires_grad_(False) leaves "
                             "some as they are")
        _optimizer().add_param_group(self, group)

    def loss(self, x: Array, y: Array, weights: Any = None) -> Any:
        """−(1/n) Σ log p(y_n | x_n), a scalar that `backward` goes from into the module, nats; `step` is on these examples.

        Its first derivatives are exact; it has no others.

        Parameters
        ----------
        x : tensor, shape (n, *input_shape)
        y : tensor, shape (n, *family.support.shape)
        weights : tensor, shape (n,), optional
            Of the examples.

        Without gradients, under `torch.no_grad`, it is a number alone, and the examples of the next step stay what they were.

        Raises
        ------
        TypeError
            For x that is no tensor, or of another dtype than the module takes.
        ValueError
            Where batch normalisation is in train mode: the gradient would be that of the statistics of the batch.
        """
        if not isinstance(x, _torch().Tensor):
            raise TypeError(f"loss takes PyTorch tensors; got {type(x).__name__} as x: torch.as_tensor(…) makes one")
        require("x", "at least one sample", x.ndim > 0 and x.shape[0] > 0, tuple(x.shape))
        follows = _torch().is_grad_enabled()
        if follows:
            _require_own_statistics(self._module)
        if self.model is None:
            self.model = ConditionalModel(TorchNetwork(self._module, tuple(x.shape[1:])), self._family, self._chart)
        model, inside = self.model, x.to(self._network.skeleton.dtype)
        seen = NegativeLogLikelihood(model, (inside, y) if weights is None else (inside, y, weights))
        self._seen = seen if follows else self._seen
        u = self._output(x)
        at, family, xp = u.detach().to(inside.dtype), model.family, seen.xp
        theta = model.chart(at)
        share = 1.0 / theta.shape[-2] if seen.weights is None else seen.weights / theta.shape[-2]
        value = -xp.sum(share * family._log_density(xp, theta, seen.y))
        covector = model.chart.pull_back(at, column(share) * (family.to_eta(theta) - seen.statistic))
        return value + xp.sum(covector * (u - at))

    @property
    def _network(self) -> TorchNetwork:
        assert self.model is not None and isinstance(self.model.network, TorchNetwork)
        return self.model.network

    def _output(self, x: Array) -> Any:
        try:
            return self._module(x)
        except RuntimeError as error:
            dtype = self.param_groups[0]["params"][0].dtype
            if not x.is_floating_point() or x.dtype == dtype:
                raise
            raise TypeError(f"x must be of the dtype of the module; x is of {x.dtype}, its parameters of {dtype}") from error

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step from the gradients in the parameters, on the examples of the last `loss`; returns what `closure` gives.

        Parameters
        ----------
        closure : function () -> tensor, optional
            Called once before, with gradients: `zero_grad`, `loss`, `backward`.

        Raises
        ------
        RuntimeError
            Without examples.
        """
        value = None
        if closure is not None:
            with _torch().enable_grad():
                value = closure()
        if self._seen is None or self.model is None:
            raise RuntimeError("a step needs its examples: loss = optimizer.loss(x, y); loss.backward(); optimizer.step()")
        group, network = self.param_groups[0], self._network
        lr, decay = (_number(name, group[name]) for name in ("lr", "weight_decay"))
        trained = _with_gradients(network)
        objective = Regularised(self._seen, decay) if decay else self._seen
        with _torch().no_grad(), standing() as stand:
            w, covector = network.weights(), network.flattened({name: p.grad.to_dense() for name, p in trained.items()})
            stand(w)
            if decay:
                covector = covector + decay * network.flattened({name: p.detach() for name, p in trained.items()})
            state = self.update.init(w) if self._carried is None else self._carried[0]
            w, state = self.update.on(objective)(Coordinates(network.size), w, covector, lr, state)
            self._carried = state,
            there = network.parameters(w)
            for name, p in trained.items():
                p.copy_(there[name])
        return value

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy goes on as this one does, from its next `loss` on."""
        held = "defaults", "state", "param_groups", "_module", "update", "_family", "_chart", "model", "_carried"
        return _made, (type(self).__dict__.get("_bare", type(self)),), {"_seen": None} | {name: vars(self)[name] for name in held}

    def state_dict(self) -> dict[str, Any]:
        """What a run goes on from: that of every optimiser, and what the update carries, as tensors and plain values.

        `torch.load` reads it with ``weights_only=True``.
        """
        found: dict[str, Any] = _optimizer().state_dict(self)
        held = Snapshot.of(0, None, [self.update], ALONE, self._made_of(), carried=self._carried, records={})
        return {**found, "update": {name: _torch().from_numpy(array) for name, array in unpacked(held.content).items()}}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a `state_dict` of an optimiser of the same module and update. Raises ValueError for another one."""
        rest = dict(state_dict)
        if "update" not in rest:
            raise ValueError(f"state_dict must be that of a TorchOptimizer; it has {sorted(rest)} alone")
        held = Snapshot.from_bytes(packed({name: to_numpy(array) for name, array in rest.pop("update").items()}))
        for name, here in self._made_of().items():
            if held.note[name] != here:
                raise ValueError(f"state_dict must be that of an optimizer with the same {name}, {here}; got {held.note[name]}")
        _optimizer().load_state_dict(self, rest)
        self._carried = held.restore(None, [self.update], ALONE, self.param_groups[0]["params"][0].detach())["carried"]
        self._seen = None

    def _made_of(self) -> dict[str, Any]:
        return {"update": described(self.update), "shapes of parameters": [[*p.shape] for p in self.param_groups[0]["params"]]}


ALONE: dict[str, Any] = {"rng": "NoneType", "callbacks": []}         # a run of an update without a loop


def _number(name: str, value: Any) -> float:
    """A number that is not negative, as a float. Raises DomainError."""
    require(name, f"{name} >= 0", value is not None and not isinstance(value, str) and 0.0 <= float(value) < inf, value)
    return float(value)


def _with_gradients(network: TorchNetwork) -> dict[str, Any]:
    """The parameters that have a gradient. Raises RuntimeError where there is none, and for one that was not to be trained."""
    found = {name: p for name, p in network.module.named_parameters() if p.grad is not None}
    if not found:
        raise RuntimeError("no parameter has a gradient: loss.backward() comes before step(), and zero_grad() before both")
    for name in found:
        if name not in network.skeleton.parameters:
            raise RuntimeError(f"{name} has a gradient, and did not require one when its curvature was laid out: make a new "
                               "optimizer once other parameters are to be trained")
    return found


def _require_own_statistics(module: Any) -> None:
    """Nothing, if the output for a sample does not depend on the others. Raises ValueError."""
    for name, part in module.named_modules():
        if isinstance(part, _torch().nn.modules.batchnorm._NormBase) and part.training and part.track_running_stats:
            raise ValueError(f"the {type(part).__name__} {name!r} is in train mode, where it normalises by the batch, and has no "
                             "gradient of a sample: .eval() it, once its running statistics are those of the data, or take "
                             "GroupNorm or LayerNorm")


def _torch() -> Any:
    with from_extra("TorchOptimizer needs PyTorch", "torch"):
        import torch
    return torch


def _optimizer() -> Any:
    return _torch().optim.Optimizer


def _made(cls: Any) -> Any:
    return cls.__new__(cls)


@lru_cache
def _in_torch(cls: type) -> Any:
    """The class as one of PyTorch's optimisers, which its schedulers take."""
    own: dict[str, Any] = {"__module__": cls.__module__, "_bare": cls}
    return cls if issubclass(cls, _optimizer()) else type(cls.__name__, (cls, _optimizer()), own)
