"""K-FAC and its kin in the shape of a PyTorch optimiser, for those who keep their own loop."""
from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import lru_cache
from typing import Any, Self

import numpy as np

from ..arrays.memo import standing
from ..backend import Array, column, generator
from ..domains.chart import Chart
from ..errors import from_extra, require, require_positive
from ..networks.model import ConditionalModel, NegativeLogLikelihood
from ..networks.output_family import OutputFamily
from ..networks.torch_network import TorchNetwork
from ..solvers.start import Coordinates, as_update
from ..solvers.update import Update
from .data import Regularised
from .kfac import KFAC

__all__ = ["TorchOptimizer"]


class TorchOptimizer:
    """A `torch.optim.Optimizer` that takes the steps of an update of this library, such as `KFAC`.

    Mathematically, the gradient of a step is what ``backward`` left in the parameters, plus the weight decay; curvature and trust
    are those of the model p(y | x; w) with the module as its network, on the examples of the last `loss`::

        optimizer = ig.training.TorchOptimizer(module, ig.Categorical(10), ig.training.KFAC())
        for x, y in loader:
            optimizer.zero_grad()
            optimizer.loss(x, y).backward()
            optimizer.step()

    Parameters
    ----------
    module : torch.nn.Module or TorchNetwork
        A network says how parameters without Kronecker factors are treated; of a module the shape of the inputs is that of the
        first `loss`.
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
    """

    param_groups: list[dict[str, Any]]

    def __new__(cls, *args: Any, **named: Any) -> Self:
        made: Self = object.__new__(_in_torch(cls))       # type: ignore[arg-type]
        return made

    def __init__(self, module: Any, family: OutputFamily, update: Any = None, *, lr: float = 1.0, weight_decay: float = 0.0,
                 chart: Chart | None = None, rng: np.random.Generator | None = None) -> None:
        require_positive("lr", lr)
        require("weight_decay", "weight_decay >= 0", weight_decay >= 0, weight_decay)
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
        """
        if not isinstance(x, _torch().Tensor):
            raise TypeError(f"loss takes PyTorch tensors; got {type(x).__name__} as x: torch.as_tensor(…) makes one")
        require("x", "at least one sample", x.ndim > 0 and x.shape[0] > 0, tuple(x.shape))
        if self.model is None:
            self.model = ConditionalModel(TorchNetwork(self._module, tuple(x.shape[1:])), self._family, self._chart)
        model = self.model
        seen = NegativeLogLikelihood(model, (x, y) if weights is None else (x, y, weights))
        u = self._module(x)
        at, family, xp = u.detach(), model.family, seen.xp
        theta = model.chart(at)
        share = 1.0 / theta.shape[-2] if seen.weights is None else seen.weights / theta.shape[-2]
        value = -xp.sum(share * family._log_density(xp, theta, seen.y))
        covector = model.chart.pull_back(at, column(share) * (family.to_eta(theta) - seen.statistic))
        self._seen = seen
        return value + xp.sum(covector * (u - at))

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
        group, network = self.param_groups[0], self.model.network
        assert isinstance(network, TorchNetwork)
        decay, w = float(group["weight_decay"]), network.weights()
        objective = Regularised(self._seen, decay) if decay else self._seen
        gradients = {name: p.grad for name, p in network.module.named_parameters()}
        if all(g is None for g in gradients.values()):
            raise RuntimeError("no parameter has a gradient: loss.backward() comes before step(), and zero_grad() before both")
        with _torch().no_grad(), standing() as stand:
            stand(w)
            covector = network.flattened(gradients) + decay * w
            state = self.update.init(w) if self._carried is None else self._carried[0]
            w, state = self.update.on(objective)(Coordinates(network.size), w, covector, float(group["lr"]), state)
            self._carried = state,
            network.assign(w)
        return value

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy goes on as this one does, from its next `loss` on."""
        held = "defaults", "state", "param_groups", "_module", "update", "_family", "_chart", "model", "_carried"
        return _made, (type(self).__dict__.get("_bare", type(self)),), {"_seen": None} | {name: vars(self)[name] for name in held}

    def state_dict(self) -> dict[str, Any]:
        """What a run goes on from: that of every optimiser, and what the update carries, as an object."""
        found: dict[str, Any] = _optimizer().state_dict(self)
        return {**found, "update": deepcopy(self._carried), "draws": deepcopy(getattr(self.update, "state", None))}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a `state_dict` of an optimiser of the same module and update."""
        rest = dict(state_dict)
        if not {"update", "draws"} <= set(rest):
            raise ValueError(f"state_dict must be that of a TorchOptimizer; it has {sorted(rest)} alone")
        self._carried, draws = deepcopy(rest.pop("update")), rest.pop("draws")
        if draws is not None:
            self.update.state = draws           # type: ignore[attr-defined]
        _optimizer().load_state_dict(self, rest)


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
