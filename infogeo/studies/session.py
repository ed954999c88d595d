"""A study as a person follows it: every part is said and kept as soon as it is there, and an interruption loses none."""
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .conditioning import ConditioningRun
from .export import tables_of, unfinished_conditioning, write
from .report import report_part, report_setting
from .unfinished import Unfinished

__all__ = ["follow_conditioning", "kept_when_interrupted"]


def follow_conditioning(run: ConditioningRun, source: str, directory: str | None, progress: bool,
                        say: Callable[[str], None]) -> None:
    """Do a study, say each part, and write it to a directory, which is made first; go on from what an earlier start left there.

    Raises
    ------
    KeyboardInterrupt
        Saying what is kept.
    """
    kept = None if directory is None else unfinished_conditioning(run, directory)
    say(report_setting(run.setting, source))
    found: dict[str, Any] = {}
    with kept_when_interrupted(kept):
        for name, part in run.parts({} if kept is None else kept.parts(), progress):
            found[name] = part
            say("\n" + report_part(run.setting, name, found))
            if kept is not None:
                kept.keep(name, part, tables_of(name, found))
        if kept is not None and directory is not None:
            write(run.result(found), directory)
            kept.clear()


@contextmanager
def kept_when_interrupted(kept: Unfinished | None) -> Iterator[None]:
    """An interruption says what is kept, and how to go on."""
    try:
        yield
    except BaseException as error:
        words = "with --out DIR, what is finished would have been kept"
        if kept is not None:
            done = ", ".join(kept.parts())
            words = f"finished and kept in {kept.folder}: {done}; the same command goes on from there"
            words = words if done else "nothing was finished"
            kept.discard_if_empty()
        if isinstance(error, KeyboardInterrupt):
            raise KeyboardInterrupt(words) from None
        raise
