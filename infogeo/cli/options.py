"""What the commands share: a parser that says what may have been meant, numbers, where results go."""
import argparse
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

from .. import studies
from ..arrays.files import require_place
from ..backend import BACKENDS, use_backend
from ..studies.inputs import suggestion


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line, which says what may have been meant."""

    def __init__(self, *args: Any, options: Callable[["Parser"], None] = lambda parser: None, **settings: Any) -> None:
        super().__init__(*args, **{"formatter_class": argparse.RawDescriptionHelpFormatter, **settings})
        self._fill: Callable[[Parser], None] | None = options

    def fill(self) -> None:
        """Adds the options of a command, which name what all of the library has, when it is the one that is asked for."""
        add, self._fill = self._fill, None
        if add is not None:
            add(self)

    def parse_known_args(self, *args: Any, **settings: Any) -> Any:
        self.fill()
        return super().parse_known_args(*args, **settings)

    def known(self) -> list[str]:
        """The options of this parser and of those below it."""
        self.fill()
        below = [choice for action in self._actions if isinstance(action, argparse._SubParsersAction)
                 for choice in action.choices.values()]
        return [*self._option_string_actions, *(option for choice in below for option in choice.known())]

    def error(self, message: str) -> NoReturn:
        if found := re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)", message):
            message += suggestion(found[1], re.findall(r"[\w-]+", found[2]))
        elif found := re.search(r"unrecognized arguments: (\S+)", message):
            option = found[1].partition("=")[0]
            known = self.known()
            message += "; other commands have it, this one does not" if option in known else suggestion(option, known)
        raise studies.InputError(message)


def positive(text: str) -> int:
    return whole(text, 1, "a positive integer")


def seed(text: str) -> int:
    return whole(text, 0, "a non-negative integer")


def whole(text: str, least: int, rule: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"must be {rule}; got {text}")
    return value


def number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0.0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a positive number; got {text}")
    return value


def add_common(command: argparse.ArgumentParser, out: str) -> None:
    command.add_argument("--out", metavar="DIR", help=out)
    command.add_argument("--backend", choices=tuple(BACKENDS), default="numpy", help="array library (default numpy)")
    command.add_argument("--progress", action=argparse.BooleanOptionalAction, help="show progress bars (default: on a terminal)")


@contextmanager
def chosen(backend: str) -> Iterator[None]:
    """`use_backend`, with a backend that cannot be had as an `InputError`."""
    context = use_backend(backend)
    try:
        context.__enter__()
    except (ImportError, RuntimeError) as error:
        raise studies.InputError(f"--backend {backend}: {error}") from None
    try:
        yield
    finally:
        context.__exit__(None, None, None)


def prepared(options: argparse.Namespace) -> None:
    """What can be known before the work starts, and whether it is watched."""
    if options.out is not None:
        try:
            require_place(Path(options.out), directory=True)
        except OSError as error:
            raise studies.InputError(f"--out {options.out}: {error.filename}: {error.strerror}") from None
    needed = {"matplotlib": options.out is not None, "tqdm": bool(options.progress)}
    missing = [name for name, used in needed.items() if used and find_spec(name) is None]
    if missing:
        raise studies.InputError(f"{' and '.join(missing)} not installed: pip install 'infogeo[studies]'")
    if options.progress is None:
        options.progress = sys.stderr.isatty() and find_spec("tqdm") is not None


def say(text: str) -> None:
    """To a pipe, too, as soon as it is known."""
    print(text, flush=True)
