"""A moment of a run: what callbacks see after every step, and what a run goes on from."""
from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backend import Array

__all__ = ["Moment", "Snapshot"]


@dataclass(frozen=True)
class Moment:
    """A run after k steps, as its callbacks see it. A callback that returns True ends the run.

    Attributes
    ----------
    k : int
        Steps taken.
    x : array, shape (..., d)
        The points now.
    value, covector : arrays, shapes (...) and (..., d)
        What the last step saw, at the points before it.
    state : object
        That of the update.
    snapshot : function () -> Snapshot
        All that the run needs to go on from here; to be asked for while the callback has its turn.
    """

    k: int
    x: Array
    value: Array
    covector: Array
    state: Any
    snapshot: Callable[[], Snapshot]


@dataclass(frozen=True)
class Snapshot:
    """What ``descend(…, resume=snapshot)`` goes on from, bit by bit as if it had never stopped.

    Mathematically, the whole state of the Markov chain that a run is: points, the state of the update, of the generator, and of
    every part (objective, update, callbacks) that has an attribute `state`.

    Attributes
    ----------
    k : int
        Steps taken.
    content : bytes
        The rest, pickled: arrays of the backend at hand, so that a snapshot may go to a file.
    """

    k: int
    content: bytes

    @classmethod
    def of(cls, k: int, rng: Any, parts: Sequence[Any], **loop: Any) -> Snapshot:
        if rng is not None and not isinstance(rng, np.random.Generator):
            raise TypeError(f"a snapshot needs a numpy.random.Generator, whose state can be kept; got {type(rng).__name__}")
        generator = None if rng is None else rng.bit_generator.state
        states = [getattr(part, "state", None) for part in parts]
        return cls(k, pickle.dumps((generator, states, loop)))

    def restore(self, rng: Any, parts: Sequence[Any]) -> dict[str, Any]:
        """The loop's own variables, after the generator and the parts got theirs.

        Raises
        ------
        ValueError
            If the run at hand is of other parts than the one that the snapshot was taken of.
        """
        loop: dict[str, Any]
        generator, states, loop = pickle.loads(self.content)
        if (rng is None) != (generator is None):
            raise ValueError("resume needs an rng where the run that it goes on from had one, and only there")
        if len(states) != len(parts):
            raise ValueError(f"resume needs the {len(states) - 2} callbacks of the run that it continues; got {len(parts) - 2}")
        if generator is not None:
            rng.bit_generator.state = generator
        for part, state in zip(parts, states):
            if state is not None:
                part.state = state
        return loop
