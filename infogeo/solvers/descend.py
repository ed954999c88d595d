"""The one loop: an objective, a geometry, an update, a step rule."""
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from ..arrays.memo import standing
from ..arrays.programs import otherwise
from ..backend import Array, backend_of, batch_contiguous, generator_of
from ..objectives.function import as_objective, seen_by
from .compiled import as_program, in_trace
from .moment import Moment
from .parts import cuts, gathered
from .result import Result
from .run import Run, counts
from .snapshot import Snapshot
from .start import as_step, as_update, beside, spread, start

__all__ = ["descend"]


def descend(objective: Any, x0: Array, *, geometry: Any = None, update: Any, step: Any, max_steps: int,
            tol: Any = None, rng: Any = None, record: Any = "usual", progress: bool = False,
            callbacks: Sequence[Callable[[Moment], Any]] = (), resume: Snapshot | None = None) -> Result:
    """Follow an update downhill from every row of x0.

    Parameters
    ----------
    objective : Objective, object with ``value_and_gradient(x) -> (value, covector)``, or function to this pair
        And optionally ``draw(rng)`` or ``at_step(k, rng)``, the objective that a single step sees, and ``rows``, its batch
        shape. Numbers and lists serve as values and covectors.
    x0 : array, shape (..., d)
        In the domain of the geometry; its dtype is that of the run. Broadcasts with the objective's and the step rule's batch
        shapes: a sweep over targets, step sizes and seeds is one call, and every row is a run of its own.
    geometry : Riemannian, optional
        Where none is given, R^d without a metric, for updates that need none or bring their own.
    update : Update
    step : Step, or positive number or array
        A number h is ``Constant(h)``.
    max_steps : int
        Not negative.
    tol : float or Stop, optional
        A row has converged when the Riemannian norm of its gradient √(c·G⁻¹c), the same in every chart, is at most `tol`, or
        where another stopping rule says so: `StepLength`, `ValueChange`, `Gap`.
    rng : numpy.random.Generator, optional
        Or CuPy's, a `torch.Generator`, a `jax.random` key: for objectives that draw. The value at the end of a run is that of the
        objective itself, which no step saw.
    record : "path", "values", None, Every, or "usual"
        What to keep of every step: points and values, values only, or nothing; ``Every(m, "path")`` keeps those of every m-th
        step and of the last. Usual are points and values, and where the weights of a model are trained the values only.
    progress : bool
        Show a progress bar (tqdm).
    callbacks : sequence of functions (Moment) -> bool or None
        Called after every step; one that returns True ends the run, with status STOPPED in the rows that were still going.
    resume : Snapshot, optional
        Go on from there, from a `Moment.snapshot()` of a run with the same arguments; x0 gives the shape only.

    Notes
    -----
    Rows are independent. Of a large NumPy batch, blocks of rows that fit the cache run to their end side by side on the cores,
    where objective, geometry, update, step rule and stopping rule say what they are for some rows (their method `part`), and
    where nothing looks at all rows at once: no callback, no progress bar, no `resume`, no draw, for which all rows share a
    generator step by step. The result is the same to the last bit for any number of threads, and beside it a run takes the
    memory of the blocks at hand.

    Returns
    -------
    Result
        A row that left the domain, met a NaN, or has no step left to take, is reported by its status; it keeps its last good
        point, and the others go on.

    Raises
    ------
    DomainError, ShapeError
        For x0.
    ValueError
        For `record`, and where `resume` is of another run.
    MemoryError
        For a `record` that is larger than the memory of the machine, before the first step: of weights, ask for less.
    TypeError
        Where an argument is of another kind, and where no geometry is given and something asks for its metric.

    Examples
    --------
    >>> family = ig.Normal()
    >>> target = family.to_eta(family.theta_from(mean=1.0, variance=4.0))
    >>> theta = family.theta_from(mean=[0.0, 3.0], variance=[1.0, 9.0])
    >>> run = ig.descend(ig.CrossEntropy(family, target), theta,
    ...                  geometry=family, update=ig.MirrorUpdate(), step=1.0,
    ...                  max_steps=1)
    >>> family.parameters(run.x)["variance"].round(6)  # both starts, one step
    array([4., 4.])
    """
    objective, update, step = as_objective(objective), as_update(update, rng), as_step(step)
    if not isinstance(callbacks, Iterable):
        raise TypeError(f"callbacks must be a list of functions of a Moment; got {callbacks!r}")
    rng = None if rng is None else generator_of(rng)           # a key of JAX then goes on from step to step
    record = getattr(objective, "usual_record", "path") if isinstance(record, str) and record == "usual" else record
    run = Run([objective, update, *callbacks], step, rng, max_steps, tol, record)
    geometry, x, batch = start(objective, x0, geometry, update, step)
    run.step, run.stop = beside(run.step, x), beside(run.stop, x)
    blocks = [] if callbacks or progress or resume is not None else cuts(x, batch, [objective, geometry, update, step, run.stop])
    if blocks:
        return gathered(blocks, x, batch, max_steps, record, partial(_of_block, rng, max_steps, record))
    x = spread(x, batch)
    found = None if progress or resume is not None else as_program(run, geometry, x)
    if found is None:
        follow = partial(_follow, run, geometry, x, resume, progress)
        found = otherwise(backend_of(x), follow, partial(in_trace, run, geometry, x))
    return found


def _of_block(rng: Any, max_steps: int, record: Any, failed: list[BaseException], x: Array, into: dict[str, Array],
              objective: Any, geometry: Any, update: Any, step: Any, stop: Any) -> Result:
    """The run of some rows, its records written into given arrays; it ends where another block failed."""
    run = Run([objective, update], step, rng, max_steps, stop, record, into)
    run.moves.append(lambda at, x: setattr(run, "stopped", bool(failed)))
    return _follow(run, geometry, batch_contiguous(x), None, False)


def _follow(run: Run, geometry: Any, x: Array, resume: Snapshot | None, progress: bool) -> Result:
    """The loop: from x, or where a snapshot was taken, to the end."""
    (objective, update), step, rng, max_steps = run.parts[:2], run.step, run.rng, run.max_steps
    looks, moves, rows = run.looks, run.moves, run.rows
    at, see, on = run.place(geometry, x, resume), seen_by(objective), getattr(geometry, "on", lambda seen: geometry)
    with standing() as stand:
        for at.k in counts(at.k, max_steps, progress):
            last = run.stopped or at.k == max_steps
            if see is not None:
                at.objective = objective if last else see(at.k, rng)
            here = at.x
            stand(here)
            at.value, at.covector = at.objective.value_and_gradient(at.x)
            if see is not None:                     # an objective that needs x to draw has drawn
                at.geometry, at.update = geometry if last else on(at.objective), None
            if not looks:
                objective, see = run.begin(at)
                rows = run.rows
            for observe in looks:
                observe(at)
            if at.x is not here:                    # rows went back
                stand(at.x)
            if last or not rows.all_active and rows.none_left(at.k):
                break
            if at.update is None:
                at.update = update.on(at.objective)
            at.h = step(at)
            x, at.state = at.update(at.geometry, at.x, at.covector, at.h, at.state)
            for observe_move in moves:
                observe_move(at, x)
    return run.result(at)
