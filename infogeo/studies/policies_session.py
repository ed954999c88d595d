"""A comparison of policies as a person follows it: every run is said and kept as soon as it is there."""
from collections.abc import Callable, Sequence

from .bars import Jobs
from .policies import PolicyRun, PolicyStudy, policy_runs
from .policies_report import report_policies, write_policies
from .session import _kept_when_interrupted
from .tables import number
from .unfinished import Unfinished

__all__ = ["follow_policies"]


def follow_policies(environment: str, methods: Sequence[str], folder: str | None, progress: bool,
                    say: Callable[[str], None], *, steps: int, batch: int, seeds: int) -> None:
    """Learn by each method from each seed, say each run, and write all of them to a folder; as `follow_training` goes on.

    Parameters
    ----------
    environment, methods, steps, batch, seeds
        As of `policies`.
    folder : str or None
        As of `write_policies`; None for the text alone.
    progress : bool
        Whether a bar is shown.
    say : callable (str) -> None
        Told every part of the text: `print`, for instance.

    Raises
    ------
    InputError
        For an environment or a method that is not known.
    OSError
        Where the folder cannot be made or written.
    KeyboardInterrupt
        Saying what is kept.

    Examples
    --------
    >>> said = []
    >>> ig.studies.follow_policies("CartPole-v1", ("trpo",), None, False,
    ...                            said.append, steps=320, batch=320, seeds=1)
    >>> len(said)
    2
    """
    names = [(method, seed) for method in methods for seed in range(seeds)]
    kept = None
    if folder is not None:
        words = {"environment": environment, "steps": steps, "batch": batch}
        kept = Unfinished(folder, words, {f"{method}-{seed}": PolicyRun for method, seed in names})
    runs, found = [], {} if kept is None else kept.parts()
    with _kept_when_interrupted(kept), Jobs(len(names), progress) as jobs:
        for run in policy_runs(environment, names, steps=steps, batch=batch, found=found, jobs=jobs):
            runs.append(run)
            say(f"{run.name}, seed {run.seed}: return {number(run.returns[0], 4)} → {number(run.returns[-1], 4)} in "
                f"{run.steps[-1]} steps, {number(run.seconds, 3)} CPU seconds")
            if kept is not None:
                kept.keep(f"{run.name}-{run.seed}", run)
        study = PolicyStudy(environment, tuple(methods), tuple(runs))
        say("\n" + report_policies(study).rstrip())
        if kept is not None and folder is not None:
            write_policies(study, folder)
            kept.clear()
