"""A study as a person follows it: every part is said and kept as soon as it is there, and an interruption loses none."""
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..backend import to_numpy
from .architecture import Task
from .bars import Jobs
from .blocks import targets_kept
from .conditioning import ConditioningRun
from .diagnosis import Diagnosis
from .export import as_json, tables_of, unfinished_conditioning, write, write_files, write_targets
from .inputs import InputError
from .many_targets import conditioning_of_many, report_many, targets_of_table
from .problem import DIRECTIONS, ForwardProblem
from .report import report_part, report_setting
from .tables import number, wrapped
from .target import Reference
from .training import TrainingRun, TrainingSettings, TrainingStudy, training_runs
from .training_report import report_training, write_training
from .unfinished import Unfinished

__all__ = ["follow_conditioning", "follow_diagnosis", "follow_targets", "follow_training"]


def follow_conditioning(run: ConditioningRun, source: str, folder: str | None, progress: bool,
                        say: Callable[[str], None]) -> None:
    """Do a study, say each part, and write it to a folder, which is made first; go on from what an earlier start left there.

    Parameters
    ----------
    run : ConditioningRun
    source : str
        Where the target is from, for the report.
    folder : str or None
        As of `write`; None for the text alone.
    progress : bool
        Whether a bar is shown.
    say : callable (str) -> None
        Told every part of the text: `print`, for instance.

    Raises
    ------
    OSError
        Where the folder cannot be made or written.
    KeyboardInterrupt
        Saying what is kept.

    Examples
    --------
    >>> M, said = ig.Bernoulli(), []
    >>> problem = ig.studies.ForwardProblem(M, M.theta_from(probability=0.2))
    >>> few = ig.studies.Effort(flown=1, tolerance=1e-6, records=(5, 5),
    ...                         longest=50, noisy_runs=2, averaged=2,
    ...                         noisy_steps=50, pooled=1000)
    >>> run = ig.studies.ConditioningRun(problem, starts=1, steps=3, effort=few)
    >>> ig.studies.follow_conditioning(run, "by hand", None, False, said.append)
    >>> len(said)                                   # the setting, and each part
    8
    """
    kept = None if folder is None else unfinished_conditioning(run, folder)
    say(report_setting(run.setting, source))
    found: dict[str, Any] = {}
    with _kept_when_interrupted(kept):
        for name, part in run.parts({} if kept is None else kept.parts(), progress):
            found[name] = part
            say("\n" + report_part(run.setting, name, found))
            if kept is not None:
                kept.keep(name, part, tables_of(name, found))
        if kept is not None and folder is not None:
            write(run.result(found), folder)
            kept.clear()


def follow_diagnosis(found: Diagnosis, source: str, folder: str | None, say: Callable[[str], None]) -> None:
    """Say a diagnosis, and write it to ``diagnosis.txt`` and ``diagnosis.json`` in a folder.

    Parameters
    ----------
    found : Diagnosis
    source : str
        Where the target is from.
    folder : str or None
        Made where it is missing; None for the text alone.
    say : callable (str) -> None
        Told every part of the text: `print`, for instance.

    Raises
    ------
    OSError
        Where the folder cannot be made or written.

    Examples
    --------
    >>> M, said = ig.Bernoulli(), []
    >>> found = ig.studies.diagnose(M, M.theta_from(probability=0.2))
    >>> ig.studies.follow_diagnosis(found, "by hand", None, said.append)
    >>> "by hand" in said[0]
    True
    """
    text = wrapped(f"from {source}", "    ", "") + f"\n\n{found}"
    say(text)
    if folder is not None:
        write_files(folder, {"diagnosis.txt": f"{text}\n".encode(), "diagnosis.json": as_json(found.to_dict())})


def follow_training(task: Task, data: str, optimisers: Sequence[str], folder: str | None, progress: bool,
                    say: Callable[[str], None], *, command: str = "", checkpoint: int | None = None, **settings: Any) -> None:
    """Train with each optimiser, say each run, and write all of them to a folder, as `follow_conditioning` does.

    Parameters
    ----------
    task : Task
    data : str
        The name of the data, for the report.
    optimisers : sequence of str
        Keys of `OPTIMISERS`.
    folder : str or None
        As of `write_training`; None for the text alone.
    progress : bool
        Whether a bar is shown.
    say : callable (str) -> None
        Told every part of the text: `print`, for instance.
    command : str
        Text that is kept beside unfinished runs, to go on from: `unfinished_command` reads it.
    checkpoint : int, optional
        Steps from one checkpoint to the next; two seconds unless given.
    settings
        Those of `TrainingSettings`.

    Raises
    ------
    InputError
        For an unknown optimiser, a batch larger than the data, or a file of another model.
    OSError
        Where the folder cannot be made or written.
    KeyboardInterrupt
        Saying what is kept.

    Examples
    --------
    >>> x, y = np.random.default_rng(0).uniform(size=(20, 2)), np.arange(20) % 2
    >>> said, task = [], ig.studies.task("2-3-2",
    ...                                  ig.studies.Dataset("noise", x, y))
    >>> ig.studies.follow_training(task, "noise", ["kfac"], None, False,
    ...                            said.append, steps=3)
    >>> said[0].startswith("K-FAC: loss")
    True
    """
    kept, how = None, TrainingSettings(**settings)
    if folder is not None:
        seen = [zlib.crc32(to_numpy(part).tobytes()) for part in (task.loss.x, task.loss.statistic)]
        if how.start is not None:
            seen.append(zlib.crc32(Path(how.start).read_bytes()))
        words = {"architecture": repr(task.model), "data": data, "dtype": str(task.loss.x.dtype), "content": seen, **asdict(how)}
        kept = Unfinished(folder, words, {name: TrainingRun for name in optimisers})
        kept.remember(command)
    runs = []
    with _kept_when_interrupted(kept), Jobs(len(optimisers), progress) as jobs:
        for run in training_runs(task, optimisers, how, kept=kept, checkpoint=checkpoint, jobs=jobs):
            runs.append(run)
            jobs.clear()
            say(f"{run.label}: loss {number(run.loss[0])} → {number(run.loss[-1])} nats in {run.steps[-1]} steps, "
                f"{number(run.seconds[-1], 3)} seconds")
            if kept is not None:
                kept.keep(run.name, run)
        jobs.clear()
        study = TrainingStudy(task, data, runs, how.batch_size or task.samples, how.seed)
        say("\n" + report_training(study).rstrip())
        if kept is not None and folder is not None:
            write_training(study, folder)
            kept.clear()


def follow_targets(*, targets: str, family: str | None, reference: Reference, direction: str | None, starts: int | None,
                   seed: int, folder: str | None, progress: bool, say: Callable[[str], None], **others: Any) -> None:
    """The conditioning of the targets of a file, said in short, and a row for each in ``targets.csv`` and ``targets.npz``.

    Parameters
    ----------
    targets, family, reference
        As of `targets_of_table`.
    direction : str or None
        A key of `DIRECTIONS`; None for "forward".
    starts : int or None
        Of each target; None for 10.
    seed : int
    folder : str
        Made where it is missing; finished blocks are kept in ``blocks`` below it.
    progress : bool
        Whether a bar is shown.
    say : callable (str) -> None
        Told every part of the text: `print`, for instance.
    others
        The other options of the command line, which belong to one target and must be without a value.

    Raises
    ------
    InputError
        For options that belong to one target, without a folder, or for what cannot be read.
    KeyboardInterrupt
        Saying how many blocks are kept.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> said = []
    >>> with TemporaryDirectory() as folder:
    ...     path = f"{folder}/counts.csv"
    ...     np.savetxt(path, [[1, 3], [1, 1]], "%d", ",", header="a,b",
    ...                comments="")
    ...     ig.studies.follow_targets(
    ...         targets=path, family=None, reference=None, direction=None,
    ...         starts=1, seed=0, folder=folder, progress=False,
    ...         say=said.append)
    >>> len(said)
    1
    """
    foreign = ("counts", "samples", "probabilities", "target", "column", "weights", "divergence", "alpha", "diagnose")
    wrong = [f"; got --{name}" for name in foreign if others.get(name)]
    if wrong or folder is None:
        raise InputError("--targets needs --out, and goes with --family, --reference, --direction, --starts and --seed"
                         f"{''.join(wrong[:1])}")
    model, theta = targets_of_table(targets, family, reference)
    blocks = Path(folder) / "blocks"
    with targets_kept(blocks):
        found = conditioning_of_many(model, theta, blocks, posed=DIRECTIONS[direction or ForwardProblem.direction],
                                     starts=starts or 10, seed=seed, progress=progress)
    say(report_many(found, model))
    write_targets(folder, theta, found)


@contextmanager
def _kept_when_interrupted(kept: Unfinished | None) -> Iterator[None]:
    """An interruption says what is kept, and how to go on."""
    try:
        yield
    except BaseException as error:
        words = "with --out DIR, what is finished would have been kept"
        if kept is not None:
            parts = {"finished": ", ".join(kept.parts()), "begun": ", ".join(kept.begun())}
            done = " and ".join(f"{how} and kept in {kept.folder}: {names}" for how, names in parts.items() if names)
            words = f"{done}; the same command goes on from there" if done else "nothing was finished"
            kept.discard_if_empty()
        if isinstance(error, KeyboardInterrupt):
            raise KeyboardInterrupt(words) from None
        raise
