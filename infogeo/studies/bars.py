"""One progress bar for all the jobs of a study."""
from collections.abc import Callable, Sequence
from time import monotonic
from types import TracebackType
from typing import Any

from ..errors import from_extra
from ..solvers.moment import Moment

__all__ = ["Jobs"]

REFRESHED = 0.1     # seconds between two words about a step: a bar that is drawn at every one takes more time than the steps


class Jobs:
    """A bar (tqdm) that says which job is at work, at which step, and how many are left; nothing is shown unless wanted.

    Parameters
    ----------
    total : int
        The number of jobs.
    shown : bool
    """

    def __init__(self, total: int, shown: bool = False) -> None:
        self.bar: Any = None
        self.last, self.begun = 0.0, False
        if shown:
            with from_extra("progress bars need tqdm", "studies"):
                from tqdm.auto import tqdm
            self.bar = tqdm(total=total, unit="job", leave=False, dynamic_ncols=True)

    def __enter__(self) -> "Jobs":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.bar is not None:
            self.bar.close()

    def begin(self, name: str, steps: int | None = None) -> Sequence[Callable[[Moment], None]]:
        """The next job; what `descend` is to call after each of its steps, if its bar is to tell them."""
        if self.bar is None:
            return ()
        if self.begun:
            self.bar.update()
        self.begun = True
        self.bar.set_postfix_str("", refresh=False)
        self.bar.set_description_str(name)

        def told(moment: Moment) -> None:
            now = monotonic()
            if now - self.last > REFRESHED:
                self.last = now
                self.bar.set_postfix_str(f"step {moment.k} of at most {steps}")
        return (told,) if steps is not None else ()

    def clear(self) -> None:
        """No bar on the screen until the next job: something is to be printed."""
        if self.bar is not None:
            self.bar.clear()

    def pass_over(self, jobs: int) -> None:
        """Jobs that need not be done."""
        if self.bar is not None:
            self.bar.update(jobs)
